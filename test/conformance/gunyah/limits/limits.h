/* Questions about the values that calls take: see sweeps.c and edges.c. */
#ifndef LIMITS_H
#define LIMITS_H

#include "../owner/owner.h"

/* To find what a real machine does not survive: each question has a line of its own before it is asked. */
#define IS_HUNT false

#define ANSWER_MAX 192

/*
 * The call and what it answered, as text: x0, then each of x1 to x7 that is not as the path leaves what is no result (zero on the native one,
 * kept by SMCCC), as ",number=value". Returns x0.
 */
u64 answer_of(enum path path, u32 number, const u64 arguments[7], char answer[ANSWER_MAX]);

/* True for an argument that a real debug hypervisor does not survive. */
bool is_deadly(u32 number, u32 index, u64 value);
void ask_sweeps(void);
void ask_edges(void);

#endif

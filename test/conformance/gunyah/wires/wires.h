/*
 * Wires: from a source, which is a bell, a queue, a device, a vCPU or a group, to a shared interrupt of the owner. Each step is one call or one access; after each
 * it is said whether the interrupt is pending (1) and active (2).
 */
#ifndef WIRES_H
#define WIRES_H

#include "../owner/owner.h"

#define LINES_MAX 8

/* ---- Lines (lines.c): each a shared interrupt, level-triggered and disabled to begin with ---- */

struct line { u32 intid; u64 taken; };

void open_controller(void);
/* Nothing is left of what was before. */
void reset_line(u32 intid);
/* 1 if pending, 2 if active. */
u64 state_of(u32 intid);
/* What can be done to a line, as letters: e d enable, disable; p c make pending, clear; G L edge, level; A I make active, inactive; S C by message; R W priority up, down; O Z route away, back. */
bool change_line(u32 intid, char change);
/* Takes an interrupt; its number, and keeps those that were taken to be ended. */
u64 take_one(void);
/* Ends what was taken last; false if there is none. */
bool end_one(void);
void end_all(void);

/* ---- Sources (sources.c) ---- */

struct source_kind {
	const char *name;
	u32 lines;
	/* Letters of what can be done to it. */
	const char *changes;
	void (*begin)(void);
	/* Whether it was accepted. */
	bool (*change)(char letter);
	/* The calls that bind and unbind each line's end. */
	u32 bind[2], unbind[2];
	/* What it takes besides. */
	u64 extra[2];
};

extern const struct source_kind source_kinds[];
extern const u32 source_kind_count;
/* The source that a walk is about. */
extern u64 source;
bool bind_line(const struct source_kind *kind, u32 line, u32 intid);
bool unbind_line(const struct source_kind *kind, u32 line);

/* What the vCPU that is a source does; the context that it is entered with, whose stack is that of a CPU which the owner does not have. */
enum { SUSPENDS = 4, ENDS, RUN_TURN, THIRD_TURN };
void source_main(u64 work);

/* ---- Walks (walks.c) ---- */

void ask_sequences(void);
void ask_walks(void);
void ask_crowds(void);

/* ---- Turns (turns.c) ---- */

void run_turn(void);
void third_turn(void);
void ask_turns(void);

#endif

/*
 * The tracer: does one definite thing after another, each after a call that marks it, so that the hypervisor's trace says what it made of each.
 * It says nothing but that it ends; its answers are in the trace.
 */
#ifndef TRACER_H
#define TRACER_H

#include "../owner/owner.h"

/* What a mark sends to: no capability. Its flags count the steps. */
#define MARK 0xf00d0000ull

#define GICD 0x08000000ull
#define GICR 0x080a0000ull
#define FRAME 0x20000ull

/* The next step begins. */
void step(void);
/* Steps count on from the next hundred, so that those after something that took another number of steps have the same numbers again. */
void align_steps(void);
/* A call by the native path; its results. */
struct result do_call(u32 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

void trace_interrupts(void);
void trace_lines(void);
void trace_cpus(void);
void trace_calls(void);

#endif

/*
 * The guest side of the comparisons: a program runs at EL1 on the bare machine, provokes things, and says what happened.
 *
 * Exceptions are recorded and passed over: execution goes on after the instruction that caused them (interrupts and software
 * steps: at it; illegal state: at it with PSTATE.IL cleared). Inside `guarded` an abort on a fetch, a misaligned PC and whatever
 * asks for it leaves the guarded function instead. TPIDR_EL1 and TPIDRRO_EL0 belong to this library.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;

/* One exception as it was taken. `vector` is the offset in the table; `inside` is PSTATE in the handler if `look_inside` was set. */
struct taken { u64 vector, esr, elr, far, spsr, inside, sp, x0; };

#define TAKEN_MAX 512
extern struct taken taken[TAKEN_MAX];
extern volatile u64 taken_count;
/* Record PSTATE in the handler, which costs another exception (an SVC from there). */
extern volatile u64 look_inside;
/* While set, exceptions of these classes (bit n = class n) leave `guarded`; fetch aborts and PC alignment always do. */
extern volatile u64 leave_classes;
/* Added to SPSR before the return: cleared and set bits. They are used once. */
extern volatile u64 spsr_clear, spsr_set;
/* Software steps to go: the step exception's return steps once more while this lasts, then MDSCR_EL1.SS is cleared. */
extern volatile u64 steps_left;
/* Called with interrupts masked for every IRQ, FIQ or SError, if set. */
extern void (*volatile on_interrupt)(u64 vector);
/* Memory behind the image, 64 KiB aligned: tables and scratch. */
extern char free_memory[];
/* The serial port's data register; a program that moves it says where. */
extern volatile u32 *volatile uart;

/* Runs f(argument) at EL1 on this stack; what it returns, or `abandoned` if an exception left it. */
u64 guarded(u64 (*f)(u64), u64 argument);
/* The same at EL0 with its own stack; PSTATE bits are added (DAIF, for instance). */
u64 at_el0(u64 (*f)(u64), u64 argument, u64 pstate_bits);
#define abandoned 0xabad0000abad0000ull

void say(const char *text);
void say_number(u64 value);
/* name=value */
void show(const char *name, u64 value);
/* All exceptions since the last call, and how many: "title: n" and a line each. `fields` picks columns. */
void show_taken(const char *title);
/* The same without FAR, which stays as it was for most classes. */
void show_taken_without_far(const char *title);
void forget_taken(void);
void end(void) __attribute__((noreturn));

/* The program. */
void program(void);

#define MRS(name) ({ u64 value_; __asm__ volatile("mrs %0, " #name : "=r"(value_) :: "memory"); value_; })
#define MSR(name, value) __asm__ volatile("msr " #name ", %0\n\tisb" :: "r"((u64)(value)) : "memory")
/* MRS into a register that holds a pattern, so that an exception passed over leaves the pattern. */
#define TRY_MRS(name) ({ u64 value_ = 0xdeadull; __asm__ volatile("mrs %0, " #name : "+r"(value_) :: "memory"); value_; })
#define ASM(...) __asm__ volatile(__VA_ARGS__)

#endif

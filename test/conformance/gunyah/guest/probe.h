/*
 * A guest that asks: every line it prints is one question to the hypervisor, the Resource Manager or the machine, and the answer.
 * `topic question = values`, numbers in hexadecimal. The same image runs as the primary VM and as the second VM that the primary makes.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

#define ALL_ONES 0xffffffffffffffffull

/* Registers before and after a call; sp is the difference. Layout known to entry.S. */
struct frame {
	u64 x[31];
	u64 sp;
	u64 nzcv;
	u64 rest[31];
	u64 v[64];
};

/* One per CPU, 128 bytes, in TPIDR_EL1. Layout known to entry.S. */
struct cpu {
	u64 esr, far, elr, spsr, vector, count, landing;
	u64 rest[9];
};

/* What _start found. Layout known to entry.S. */
struct entry_state {
	u64 x[31], sp, nzcv, daif, current_el, spsel, sctlr, vbar, ttbr0, ttbr1, tcr, mair, cpacr, cntkctl, tpidr0, tpidrro, tpidr1, esr, far, elr, spsr, contextidr, par,
		cntv, cntp, mdscr, csselr, sp0, afsr0, afsr1, amair;
};

extern struct entry_state at_entry, other_entry;
extern struct cpu cpus[8];
extern u32 call_site, insn_site;
extern bool is_second; /* this is the second VM */

void call_site_run(struct frame *frame);
u64 insn_run(u64 x0, u64 x1);
u64 jump_run(u64 address);
void other_cpu_entry(void);

/* ---- Printing ---- */

/* %x hexadecimal u64, %s string, %c character. A line: say("topic question = %x\n", …). */
void say(const char *format, ...);
/* Hexadecimal bytes without blanks. */
void say_bytes(const u8 *bytes, size_t count);
extern void (*sink)(char c);

/* ---- Calls ---- */

#define HVC(n) (0xd4000002u | ((u32)(n) << 5))
#define SMC(n) (0xd4000003u | ((u32)(n) << 5))

/* Executes `instruction` with the frame's registers. */
void call_with(struct frame *frame, u32 instruction);
/* A frame whose registers hold patterns: xn = 0x5500_0000_00aa_0000 + n, SIMD likewise, NZCV as given. */
void pattern(struct frame *frame, u64 nzcv);
/* Prints the effect: "x0 | x1 .. x7 | x8 | x9 | x10..x17 | others", k for kept, n for the next instruction's address. */
void say_effect(const struct frame *before, const struct frame *after);

struct result { u64 x[8]; };
struct result hypercall(u32 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6);
u64 native(u32 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
u64 smccc(u32 id, u64 a1, u64 a2, u64 a3);

/* ---- Exceptions ---- */

struct cpu *this_cpu(void);
/* Runs one instruction word with x0 and x1; returns x0. `this_cpu()->count` says whether an exception came. */
u64 instruction(u32 word, u64 x0, u64 x1);
/* "ok VALUE" or "esr X" (and FAR where it is an abort). */
void say_insn(u32 word, u64 x0, u64 x1);
u64 read_register(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2);
#define REGISTER(op0, op1, crn, crm, op2) ((((u32)(op0) & 1) << 19) | (1u << 20) | ((u32)(op1) << 16) | ((u32)(crn) << 12) | ((u32)(crm) << 8) | ((u32)(op2) << 5))
#define MRS_WORD(op0, op1, crn, crm, op2) (0xd5200000u | REGISTER(op0, op1, crn, crm, op2))
#define MSR_WORD(op0, op1, crn, crm, op2) (0xd5000000u | REGISTER(op0, op1, crn, crm, op2))

#define MRS(name) ({ u64 value_; __asm__ volatile("mrs %0, " #name : "=r"(value_) :: "memory"); value_; })
#define MSR(name, value) __asm__ volatile("msr " #name ", %0\n\tisb" :: "r"((u64)(value)) : "memory")
/* Devices do not take addressing with write-back, which the compiler would use. */
static inline u32 read32(u64 a) { u32 v; __asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(a) : "memory"); return v; }
static inline void write32(u64 a, u32 v) { __asm__ volatile("str %w0, [%1]" :: "r"(v), "r"(a) : "memory"); }
static inline void write8(u64 a, u8 v) { __asm__ volatile("strb %w0, [%1]" :: "r"((u32)v), "r"(a) : "memory"); }
static inline u64 read64(u64 a) { u64 v; __asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(a) : "memory"); return v; }
static inline void write64(u64 a, u64 v) { __asm__ volatile("str %0, [%1]" :: "r"(v), "r"(a) : "memory"); }

void *memset(void *to, int byte, size_t count);
void *memcpy(void *to, const void *from, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
void delay(u64 microseconds);

/* ---- The Resource Manager ---- */

/* Sends a request of `count` words, prints all that comes back. The last reply's payload (its error first) stays in rm_reply. */
void rm_ask(const char *name, u32 id, u32 count, ...);
void rm_ask_words(const char *name, u32 id, u32 count, const u32 *words);
void say_answers(u16 wanted);
/* One packet: version and size, type and fragments, sequence. */
void rm_send(u8 first, u8 second, u16 number, u32 id, const void *payload, size_t size);
extern u8 rm_reply[240];
/* Microseconds between two looks for an answer, of which there are about 20. */
extern u32 rm_patience;

/* ---- Other CPUs of the primary VM (pool.c) ---- */

/* An SMCCC call with a frame of this CPU's own. */
u64 call(u64 id, u64 a1, u64 a2, u64 a3);
/* Waits until the word is another, seconds at most. */
bool wait_while(volatile u64 *word, u64 value);
/* Where a CPU that is on takes its work: the context's lowest bits are its number. */
void work_on(u64 context);
/* Turns a CPU on by the call `id` and waits until it has arrived; the call's result. */
u64 cpu_on(u32 cpu, u64 id, u64 mpidr, u64 context);
u64 cpu_on_at(u32 cpu, u64 id, u64 mpidr, u64 entry, u64 context);
void cpu_off(u32 cpu);
void cpus_on(void);
void cpus_off(void);
/* Has a CPU do something; it may speak until cpu_end. */
void cpu_begin(u32 cpu, void (*work)(u64), u64 argument);
bool cpu_end(u32 cpu);
void cpu_do(u32 cpu, void (*work)(u64), u64 argument);
void say_state(const char *who, const struct entry_state *state);

/* ---- Groups ---- */

void ask_entry(void);
void ask_calls(void);
void ask_errors(void);
void ask_services(void);
void ask_identification(void);
void ask_registers(void);
void ask_instructions(void);
void ask_every_register(void);
void ask_psci_harmless(void);
void ask_capabilities(void);
void ask_queue(void);
void ask_aborts(void);
void ask_board(void);
void ask_processor(void);
void ask_gic(void);
void ask_timer(void);
void ask_cpus(void);
/* Waits until every CPU that takes part in ask_interrupts has come by. */
void settle(void);
void ask_interrupts(void);
void ask_priorities(void);
void ask_list_registers(void);
void ask_tree(u64 tree);
void ask_rm(void);
void ask_vm(void);
void ask_parcels(void);
void ask_parcels_between(void);
void ask_inside(void);
void ask_runs(void);
void ask_lives(void);
void ask_more_lives(void);
void ask_consoles(void);
void ask_lends(void);
void ask_messages(void);
void ask_stops(void);
void ask_heirs(void);
void ask_latches(void);
void ask_exclusives(void);
/* Every form of access at an address that DC ZVA may be given, or else without it. */
void every_form(const char *place, u64 address);
/* Cache maintenance, DC ZVA inside its block, address translation, and a store-exclusive that no load-exclusive came before. */
void every_maintenance(const char *place, u64 address);
/* What the second VM does, and what it says in memory that its owner reads. */
void second_main(u64 tree);
void second_cpu_main(void);

#endif

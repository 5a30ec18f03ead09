/* Software step, hardware breakpoints and watchpoints that the program sets for itself, at EL0 and EL1; OS lock. */
#include "../library/probe.h"

#define SS 1ull
#define KDE (1ull << 13)
#define MDE (1ull << 15)
#define PSTATE_SS (1ull << 21)
#define PSTATE_D (1ull << 9)
#define CLASS(n) (1ull << (n))

static volatile u64 cell[8] __attribute__((aligned(64)));
extern char step_start[], break_here[], break_linked[];

/* Instructions to step over at EL0: plain, a load-exclusive, a taken branch, a trapped one, SVC. */
static u64 stepped(u64 address)
{
  ASM(".global step_start\nstep_start: nop\n\tadd x9, x9, #1\n\tldxr x10, [%0]\n\tclrex\n\tb 1f\n\tnop\n1:\tmrs x11, currentel\n\tsvc #5\n\tbrk #6\n\tnop" :: "r"(address) : "x9", "x10", "x11", "memory");
  return 1;
}

static void step_el0(u64 count, u64 pstate)
{
  MSR(mdscr_el1, SS);
  steps_left = count;
  show("returned", at_el0(stepped, (u64)cell, pstate));
  show("mdscr", MRS(mdscr_el1));
  MSR(mdscr_el1, 0);
}

static u64 breaks(u64 address)
{
  ASM(".global break_here\nbreak_here: nop\n\tnop\n.global break_linked\nbreak_linked: nop\n\tmov x9, %0" :: "r"(address) : "x9");
  return 2;
}

static u64 loads(u64 address)
{
  volatile u64 *p = (volatile u64 *)address;
  volatile unsigned char *b = (volatile unsigned char *)address;
  u64 sum = p[0];
  sum += b[3];
  sum += b[4];
  sum += *(volatile u32 *)(address + 4);
  ASM("ldp x9, x10, [%0]\n\tldp x9, x10, [%0, #-8]\n\tldr x9, [%0, #8]\n\tldtr x9, [%0, #-8]\n\tldxr x9, [%1]\n\tldar w9, [%0]\n\tldr x9, [%0, #-16]" :: "r"(address + 8), "r"(address) : "x9", "x10", "memory");
  return sum;
}

static u64 stores(u64 address)
{
  volatile u64 *p = (volatile u64 *)address;
  volatile unsigned char *b = (volatile unsigned char *)address;
  p[0] = 1;
  b[4] = 5;
  *(volatile u32 *)(address + 4) = 7;
  p[-1] = 2;
  p[1] = 3;
  ASM("stp x9, x10, [%0, #-8]\n\tsttr x9, [%0]\n\tstlr x9, [%0]\n\tstp x9, x10, [%0, #8]" :: "r"(address) : "x9", "x10", "memory");
  return 0;
}

/* Setting it anew for each run: QEMU keeps the direction of earlier hits in the syndrome. */
static void watch_with(u64 (*f)(u64), u64 address, u64 control)
{
  MSR(dbgwvr1_el1, address);
  MSR(dbgwcr1_el1, control);
  at_el0(f, (u64)(cell + 2), 0);
  MSR(dbgwcr1_el1, 0);
  show_taken("EL0");
  MSR(dbgwcr1_el1, control);
  ASM("msr daifclr, #8");
  f((u64)(cell + 2));
  ASM("msr daifset, #8");
  MSR(dbgwcr1_el1, 0);
  show_taken("EL1");
}

static void watch(const char *title, u64 offset, u64 control)
{
  say(title);
  say("\n");
  watch_with(loads, (u64)(cell + 2) + offset, control);
  watch_with(stores, (u64)(cell + 2) + offset, control);
}

void program(void)
{
  show("oslsr", MRS(oslsr_el1));
  MSR(oslar_el1, 0);
  show("oslsr", MRS(oslsr_el1));
  MSR(oslar_el1, 1);
  show("oslsr", MRS(oslsr_el1));
  MSR(oslar_el1, 0);

  step_el0(4, PSTATE_SS);
  show_taken_without_far("four steps at EL0");
  step_el0(20, PSTATE_SS);
  show_taken_without_far("steps at EL0 up to the call");
  step_el0(0, 0);
  show_taken_without_far("active-pending at once");
  step_el0(3, 0);
  show_taken_without_far("active-pending, then steps");
  steps_left = 3;
  MSR(mdscr_el1, SS | KDE);
  ASM("msr daifclr, #8\n\tnop\n\tnop\n\tnop\n\tsvc #1\n\tnop\n\tmsr daifset, #8");
  MSR(mdscr_el1, 0);
  show_taken_without_far("steps at EL1");
  MSR(mdscr_el1, SS);
  ASM("msr daifclr, #8\n\tnop\n\tmsr daifset, #8");
  MSR(mdscr_el1, 0);
  show_taken_without_far("no steps at EL1 without KDE");

  /* Breakpoints. */
  MSR(dbgbvr0_el1, (u64)break_here);
  MSR(dbgbcr0_el1, 0x1e5);
  show("bcr", MRS(dbgbcr0_el1));
  MSR(mdscr_el1, MDE);
  at_el0(breaks, 0, 0);
  show_taken_without_far("break at EL0 only, EL0");
  breaks(0);
  show_taken_without_far("break at EL0 only, EL1");
  MSR(mdscr_el1, MDE | KDE);
  MSR(dbgbcr0_el1, 0x1e7);
  at_el0(breaks, 0, PSTATE_D);
  breaks(0);
  show_taken_without_far("break at both, D set");
  ASM("msr daifclr, #8");
  breaks(0);
  ASM("msr daifset, #8");
  show_taken_without_far("break at both, D clear");
  MSR(dbgbcr0_el1, 0x185);
  at_el0(breaks, 0, 0);
  show_taken_without_far("break with half of BAS");
  MSR(dbgbcr0_el1, 0x81e5);
  at_el0(breaks, 0, 0);
  show_taken_without_far("break in Secure state only");
  /* Linked to a context. */
  MSR(dbgbvr0_el1, (u64)break_linked);
  MSR(dbgbcr0_el1, 0x1001e5 | (5ull << 16));
  MSR(dbgbvr5_el1, 0x1234);
  MSR(dbgbcr5_el1, 0x3001e7);
  MSR(contextidr_el1, 0x1233);
  at_el0(breaks, 0, 0);
  show_taken_without_far("linked, other context");
  MSR(contextidr_el1, 0x1234);
  at_el0(breaks, 0, 0);
  show_taken_without_far("linked, same context");
  MSR(dbgbcr5_el1, 0);
  MSR(dbgbcr0_el1, 0);

  /* Watchpoints: LSC 3 = both, PAC 3 = both levels. */
  watch("load and store, 8 bytes", 0, 0x1fff);
  watch("load only", 0, 0x1fef);
  watch("store only, EL0", 0, 0x1ff5);
  watch("byte 4", 0, (0x10 << 5) | 0x1f);
  watch("upper word", 4, (0x0f << 5) | 0x1f);
  watch("masked 64 bytes", (u64)-16, 0x1fff | (6ull << 24));
  MSR(mdscr_el1, 0);
  watch("disabled", 0, 0x1fff);
}

/* Illegal returns, misaligned PC, unaligned data, what EL0 may not do, pending interrupts: syndromes and states. */
#include "../library/probe.h"

static u64 return_with(u64 spsr)
{
  ASM("adr x9, 1f\n\tmsr elr_el1, x9\n\tmsr spsr_el1, %0\n\teret\n1:\tnop\n\tmrs x9, nzcv" :: "r"(spsr) : "x9", "cc", "memory");
  ASM("msr spsel, #1\n\tmsr daifset, #15\n\tmsr nzcv, xzr");
  return 0;
}

static u64 jump(u64 to) { ASM("br %0" :: "r"(to)); return 0; }
static u64 call(u64 to) { ASM("blr %0" :: "r"(to) : "x30"); return 0; }

static u64 unaligned(u64 address)
{
  ASM("nop\n\tldr x9, [%0, #1]\n\tstr x9, [%0, #1]\n\tldrh w9, [%0, #1]\n\tldxr x9, [%0]\n\tldar x9, [%0]\n\tldp x9, x10, [%0]\n\tldaxr w9, [%0]\n\tstlr x9, [%0]" :: "r"(address) : "x9", "x10", "memory");
  return 4;
}

static u64 waits(u64 unused) { (void)unused; ASM("wfi\n\tyield\n\tnop"); return 5; }
static u64 masks(u64 unused) { (void)unused; ASM("msr daifset, #15\n\tmsr daifclr, #15\n\tmrs x9, daif\n\tmsr daif, x9" ::: "x9"); return 6; }

static u64 cache(u64 address)
{
  ASM("mrs x9, ctr_el0\n\tmrs x9, dczid_el0\n\tdc cvau, %0\n\tdc cvac, %0\n\tdc civac, %0\n\tic ivau, %0\n\tdc zva, %0\n\tdc ivac, %0\n\tdc csw, xzr\n\tic iallu\n\ttlbi vmalle1\n\tat s1e0r, %0" :: "r"(address) : "x9", "memory");
  return 7;
}

static u64 timers(u64 unused)
{
  (void)unused;
  ASM("mrs x9, cntfrq_el0\n\tmrs x9, cntpct_el0\n\tmrs x9, cntvct_el0\n\tmrs x9, cntp_ctl_el0\n\tmrs x9, cntv_ctl_el0\n\tmrs x9, cntp_cval_el0\n\tmrs x9, cntv_tval_el0\n\tmrs x9, cntkctl_el1" ::: "x9");
  return 8;
}

static u64 monitors(u64 unused)
{
  (void)unused;
  ASM("mrs x9, pmcr_el0\n\tmsr pmcr_el0, x9\n\tmrs x9, pmcntenset_el0\n\tmrs x9, pmccntr_el0\n\tmov x9, #0\n\tmsr pmccntr_el0, x9\n\tmsr pmswinc_el0, x9\n\tmrs x9, pmselr_el0\n\tmsr pmselr_el0, xzr\n\tmrs x9, pmxevcntr_el0\n\tmsr pmxevcntr_el0, x9\n\tmrs x9, pmxevtyper_el0\n\tmrs x9, pmevcntr0_el0\n\tmrs x9, pmuserenr_el0\n\tmsr pmuserenr_el0, x9\n\tmrs x9, pmintenset_el1\n\tmrs x9, pmceid0_el0\n\tmrs x9, pmovsclr_el0" ::: "x9");
  return 9;
}

static u64 privileged(u64 unused)
{
  (void)unused;
  ASM("mrs x9, sctlr_el1\n\tmsr spsel, #0\n\tmrs x9, sp_el0\n\tmrs x9, elr_el1\n\tmrs x9, spsr_el1\n\tmrs x9, midr_el1\n\tmrs x9, id_aa64pfr0_el1\n\tmrs x9, tpidr_el1\n\tmsr tpidrro_el0, x9\n\tmrs x9, mdscr_el1\n\tmrs x9, mdccsr_el0\n\tmrs x9, hcr_el2\n\tmrs x9, scr_el3\n\tmrs x9, s3_3_c15_c2_0" ::: "x9");
  return 10;
}

static void returns(void)
{
  static const u64 modes[] = { 0x3c5, 0x3c4, 0xf00003c5, 0x3c1, 0x3c6, 0x3c7, 0x3c8, 0x3c9, 0x3cd, 0x3cf, 0x3c2, 0x5, 0x1003c5, 0x3d5 };
  for (unsigned n = 0; n < sizeof modes / sizeof *modes; n++) {
    guarded(return_with, modes[n]);
    show("return with", modes[n]);
    show_taken_without_far("took");
  }
}

static void at_both(const char *title, u64 (*f)(u64), u64 argument)
{
  say(title); say("\n");
  show("EL1 returned", guarded(f, argument));
  show_taken("EL1");
  show("EL0 returned", at_el0(f, argument, 0));
  show_taken("EL0");
}

void program(void)
{
  u64 sctlr = MRS(sctlr_el1) & ~0x1aull & ~(1ull << 9 | 1ull << 14 | 1ull << 15 | 1ull << 16 | 1ull << 18 | 1ull << 26);
  u64 scratch = (u64)free_memory;
  MSR(sctlr_el1, sctlr);
  returns();
  at_both("jump to misaligned", jump, scratch + 2);
  at_both("call to misaligned", call, scratch + 1);
  MSR(sctlr_el1, sctlr | 2);
  at_both("unaligned data, checked", unaligned, scratch + 1);
  MSR(sctlr_el1, sctlr);
  at_both("masks", masks, 0);
  ASM("msr daifset, #15");
  MSR(sctlr_el1, sctlr | 1 << 9);
  show("masks allowed", at_el0(masks, 0, 0));
  show_taken("EL0");
  MSR(sctlr_el1, sctlr);
  show("waits", at_el0(waits, 0, 0));
  show_taken("EL0");
  show("caches", at_el0(cache, scratch, 0));
  show_taken("EL0");
  MSR(sctlr_el1, sctlr | 1 << 14 | 1 << 15 | 1 << 26);
  show("caches allowed", at_el0(cache, scratch, 0));
  show_taken("EL0");
  MSR(sctlr_el1, sctlr);
  for (u64 bits = 0; bits < 4; bits++) {
    MSR(cntkctl_el1, bits | bits << 8);
    show("timers", at_el0(timers, 0, 0));
    show_taken("EL0");
  }
  for (u64 bits = 0; bits < 16; bits++) {
    MSR(pmuserenr_el0, bits);
    show("monitors", at_el0(monitors, 0, 0));
    show_taken_without_far("EL0");
  }
  show("privileged", at_el0(privileged, 0, 0));
  show_taken("EL0");
}

/* What writes leave: all ones and then zeros into the registers that software owns, read back. */
#include "../library/probe.h"

#define CHECK(name) do { u64 old_ = MRS(name); MSR(name, ~0ull); u64 ones_ = MRS(name); MSR(name, 0); u64 zeros_ = MRS(name); MSR(name, old_); \
  say(#name); say(" "); say_number(ones_); say(" "); say_number(zeros_); say("\n"); } while (0)

static void debug_registers(void)
{
  MSR(oslar_el1, 0);
  CHECK(mdscr_el1);
  CHECK(dbgbvr0_el1); CHECK(dbgbcr0_el1); CHECK(dbgbvr5_el1); CHECK(dbgbcr5_el1);
  CHECK(dbgwvr0_el1); CHECK(dbgwcr0_el1); CHECK(dbgwvr3_el1); CHECK(dbgwcr3_el1);
  TRY_MRS(dbgbvr6_el1); TRY_MRS(dbgwvr4_el1); TRY_MRS(dbgbcr15_el1);
  show_taken("more of them");
}

static void monitor_registers(void)
{
  MSR(pmcr_el0, 0); 
  CHECK(pmuserenr_el0); CHECK(pmselr_el0); CHECK(pmccfiltr_el0); CHECK(pmccntr_el0);
  CHECK(pmevtyper0_el0); CHECK(pmevtyper5_el0); CHECK(pmevcntr0_el0);
  MSR(pmcntenset_el0, ~0ull); show("pmcntenset", MRS(pmcntenset_el0)); MSR(pmcntenclr_el0, 0x80000001); show("pmcntenset", MRS(pmcntenclr_el0)); MSR(pmcntenclr_el0, ~0ull);
  MSR(pmintenset_el1, ~0ull); show("pmintenset", MRS(pmintenset_el1)); MSR(pmintenclr_el1, ~0ull); show("pmintenclr", MRS(pmintenclr_el1));
  MSR(pmovsset_el0, ~0ull); show("pmovsset", MRS(pmovsset_el0)); MSR(pmovsclr_el0, 0x80000003); show("pmovsclr", MRS(pmovsclr_el0)); MSR(pmovsclr_el0, ~0ull);
  MSR(pmcr_el0, ~1ull); show("pmcr", MRS(pmcr_el0)); MSR(pmcr_el0, 0); show("pmcr", MRS(pmcr_el0));
  MSR(pmselr_el0, 31); CHECK(pmxevtyper_el0);
  MSR(pmselr_el0, 2); CHECK(pmxevtyper_el0); CHECK(pmxevcntr_el0);
  TRY_MRS(pmevcntr6_el0); TRY_MRS(pmevtyper6_el0);
  show_taken("more of them");
}

static void system_registers(void)
{
  CHECK(cpacr_el1); CHECK(actlr_el1); CHECK(afsr0_el1); CHECK(afsr1_el1); CHECK(amair_el1); CHECK(mair_el1);
  CHECK(ttbr0_el1); CHECK(ttbr1_el1); CHECK(contextidr_el1); CHECK(tpidr_el0); CHECK(far_el1); CHECK(elr_el1);
  CHECK(csselr_el1); CHECK(cntkctl_el1); CHECK(sp_el0); CHECK(cntp_cval_el0); CHECK(cntv_cval_el0);
  CHECK(vbar_el1);
}

void program(void)
{
  system_registers();
  debug_registers();
  monitor_registers();
  /* Writes to read-only registers. */
  ASM("msr s3_0_c0_c0_0, x9\n\tmsr s3_0_c0_c4_0, x9\n\tmsr s3_0_c4_c2_2, x9\n\tmsr s3_3_c0_c0_1, x9\n\tmsr s3_3_c14_c0_1, x9\n\tmsr s3_0_c12_c1_0, x9\n\tmsr cntfrq_el0, x9\n\tmrs x9, s2_0_c1_c0_4\n\tmrs x9, s3_3_c9_c12_4" ::: "x9");
  show_taken("read-only and write-only");
}

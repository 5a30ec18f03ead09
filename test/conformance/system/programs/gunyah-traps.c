/* For a primary VM under Gunyah: what debug, trap and abort look like, beside the reads of register-reads.c. */
#include "../library/probe.h"

static u64 load(u64 address) { return *(volatile u64 *)address; }
static u64 store(u64 address) { *(volatile u64 *)address = 1; return 0; }
static u64 jump(u64 address) { ASM("br %0" :: "r"(address)); return 0; }

void program(void)
{
  MSR(oslar_el1, 1);
  show("oslsr after lock", MRS(oslsr_el1));
  MSR(osdlr_el1, 1);
  show("osdlr", MRS(osdlr_el1));
  MSR(s2_0_c0_c2_0, ~0ull);
  show("mdccint", MRS(s2_0_c0_c2_0));
  MSR(actlr_el1, ~0ull);
  show("actlr", MRS(actlr_el1));
  MSR(dbgbvr5_el1, 0x1000);
  show("dbgbvr5", MRS(dbgbvr5_el1));
  MSR(dbgwvr3_el1, 0x1000);
  show("dbgwvr3", MRS(dbgwvr3_el1));
  MSR(pmcr_el0, 0);
  show("pmcr", MRS(pmcr_el0));
  MSR(s3_3_c13_c0_5, 5);
  show("tpidr2", MRS(s3_3_c13_c0_5));
  show_taken("no exception so far");
  ASM("msr s3_0_c0_c4_0, x9\n\tmsr s3_0_c0_c0_1, x9\n\tmsr s3_0_c2_c1_0, x9\n\tdcps1\n\tdcps2\n\thlt #1\n\tmsr s3_4_c1_c1_0, x9\n\tmrs x9, s3_5_c1_c0_0\n\tmsr s3_0_c10_c4_0, x9" ::: "x9");
  show_taken("undefined");
  ASM(".inst 0x04a0e3e0\n\t.inst 0x04bf5000\n\tmsr s3_0_c1_c2_0, x9\n\t.inst 0xd503427f\n\t.inst 0x80800000" ::: "x0");
  show_taken("scalable extensions, off");
  ASM("dc isw, xzr\n\tdc csw, xzr\n\tdc cisw, xzr\n\tsys #0, c8, c1, #0\n\twfe\n\t.inst 0xd503221f\n\t.inst 0xd503223f\n\t.inst 0xd503225f\n\t.inst 0xd50330ff");
  show_taken("caches, barriers and hints");
  guarded(load, 0x50000000);
  guarded(store, 0x50000000);
  guarded(load, 0x1000000000);
  guarded(jump, 0x50000000);
  guarded(jump, 0x9000000);
  show_taken("aborts");
}

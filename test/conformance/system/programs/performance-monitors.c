/* Performance monitors without what depends on speed: software increments, overflow, filters, interrupt, access from EL0. */
#include "../library/probe.h"

#define GICD 0x8000000ull
#define GICR 0x80a0000ull
static void put32(u64 address, u32 value) { *(volatile u32 *)address = value; }
static u32 get32(u64 address) { return *(volatile u32 *)address; }

static void start_gic(void)
{
  put32(GICD, 0x12);
  put32(GICR + 0x14, get32(GICR + 0x14) & ~2u);
  while (get32(GICR + 0x14) & 4) ;
  put32(GICR + 0x10080, ~0u);
  put32(GICR + 0x10100, 1u << 23);
  MSR(s3_0_c4_c6_0, 0xff);
  MSR(s3_0_c12_c12_7, 1);
}

static u64 interrupts, acknowledged;
static void handle(u64 vector)
{
  interrupts++;
  acknowledged = MRS(s3_0_c12_c12_0);
  show("interrupt at vector", vector);
  show("pmovsset", MRS(pmovsset_el0));
  MSR(pmovsclr_el0, ~0ull);
  MSR(s3_0_c12_c12_1, acknowledged);
}

static u64 increments(u64 which) { ASM("msr pmswinc_el0, %0\n\tmsr pmswinc_el0, %0\n\tmsr pmswinc_el0, %0" :: "r"(which)); return 0; }

static void counters(const char *title)
{
  say(title);
  say(":");
  for (u64 n = 0; n < 6; n++) { MSR(pmselr_el0, n); say(" "); say_number(MRS(pmxevcntr_el0)); }
  say(" flags "); say_number(MRS(pmovsset_el0));
  say(" isr "); say_number(MRS(isr_el1));
  say("\n");
}

static void reset(void) { MSR(pmcr_el0, 7); MSR(pmovsclr_el0, ~0ull); MSR(pmcntenclr_el0, ~0ull); }

void program(void)
{
  start_gic();
  show("ceid0 software increment and cycles", MRS(pmceid0_el0) & 0x20001);
  reset();
  for (u64 n = 0; n < 6; n++) { MSR(pmselr_el0, n); MSR(pmxevtyper_el0, 0); }
  increments(~0ull);
  counters("none enabled");
  MSR(pmcntenset_el0, 5);
  increments(3);
  counters("0 and 2 enabled, 0 and 1 incremented");
  MSR(pmcr_el0, 0);
  increments(~0ull);
  counters("all off");
  MSR(pmcr_el0, 1);
  MSR(pmevcntr2_el0, 0xfffffffe);
  increments(4);
  counters("2 overflows");
  MSR(pmcr_el0, 3);
  counters("events reset");
  reset();
  /* Filters. */
  MSR(pmuserenr_el0, 2);
  MSR(pmcntenset_el0, 0x3f);
  MSR(pmevtyper0_el0, 0);
  MSR(pmevtyper1_el0, 1ull << 31);
  MSR(pmevtyper2_el0, 1ull << 30);
  MSR(pmevtyper3_el0, 3ull << 30);
  MSR(pmevtyper4_el0, 1);
  at_el0(increments, ~0ull, 0);
  counters("from EL0");
  increments(~0ull);
  counters("from EL1");
  reset();
  /* Interrupt: as level at ISR_EL1 while masked, then taken. */
  on_interrupt = handle;
  MSR(pmevtyper0_el0, 0);
  MSR(pmcntenset_el0, 1);
  MSR(pmintenset_el1, 1);
  MSR(pmevcntr0_el0, 0xffffffff);
  increments(1);
  counters("overflowed, masked");
  ASM("msr daifclr, #2\n\tnop\n\tnop\n\tmsr daifset, #2");
  show("interrupts", interrupts);
  show("acknowledged", acknowledged);
  counters("handled");
  taken_count = 0;
  MSR(pmovsset_el0, 1);
  counters("set by software");
  MSR(pmintenclr_el1, 1);
  counters("not enabled");
  MSR(pmovsclr_el0, 1);
  /* The cycle counter: stands still when off, moves when on. */
  reset();
  MSR(pmccntr_el0, 100);
  show("cycles off", MRS(pmccntr_el0));
  MSR(pmcntenset_el0, 1ull << 31);
  u64 first = MRS(pmccntr_el0);
  for (volatile int n = 0; n < 1000; n++) ;
  u64 second = MRS(pmccntr_el0);
  show("cycles on", second - first > 1000);
  MSR(pmccfiltr_el0, 1ull << 31);
  first = MRS(pmccntr_el0);
  for (volatile int n = 0; n < 1000; n++) ;
  show("cycles filtered", MRS(pmccntr_el0) - first);
  MSR(pmccfiltr_el0, 0);
  MSR(pmcr_el0, 1);
  MSR(pmccntr_el0, 0xfffffff0);
  for (volatile int n = 0; n < 1000; n++) ;
  MRS(pmccntr_el0); /* QEMU notices an overflow when the counter is read. */
  show("32-bit overflow", MRS(pmovsset_el0));
  MSR(pmovsclr_el0, ~0ull);
  MSR(pmcr_el0, 0x41);
  MSR(pmccntr_el0, 0xfffffff0);
  for (volatile int n = 0; n < 1000; n++) ;
  MRS(pmccntr_el0);
  show("no 64-bit overflow", MRS(pmovsset_el0));
  MSR(pmccntr_el0, 0xfffffffffffffff0);
  for (volatile int n = 0; n < 1000; n++) ;
  MRS(pmccntr_el0);
  show("64-bit overflow", MRS(pmovsset_el0));
}

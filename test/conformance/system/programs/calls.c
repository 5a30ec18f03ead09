/* SVC, HVC, BRK and undefined instructions: class, syndrome, return address, state saved and state inside. */
#include "../library/probe.h"

static u64 from_el0(u64 unused)
{
  (void)unused;
  ASM("svc #0\n\tsvc #0xffff\n\tbrk #0x1234\n\t.inst 0x00000000\n\t.inst 0xffffffff");
  ASM("hvc #0\n\tsmc #0\n\thlt #1\n\tdcps1\n\tmsr daifset, #2\n\tmrs x9, currentel\n\teret" ::: "x9");
  return 7;
}

void program(void)
{
  look_inside = 1;
  ASM("svc #0\n\tsvc #0x1234\n\tbrk #0\n\tbrk #0xffff\n\t.inst 0x00000000\n\t.inst 0xffffffff\n\tdcps1");
  show_taken("calls at EL1");
  ASM("msr spsel, #0");
  ASM("svc #1");
  ASM("msr spsel, #1");
  show_taken("call with SP_EL0");
  show("returned", at_el0(from_el0, 0, 0));
  show_taken("calls at EL0");
  show("returned", at_el0(from_el0, 0, 0xf00003c0));
  show_taken("calls at EL0 with flags and masks");
}

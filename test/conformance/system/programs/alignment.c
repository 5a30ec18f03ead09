/* What QEMU 7.2 does not check: a misaligned stack pointer as base register, and unaligned data while the MMU is off (Device memory). */
#include "../library/probe.h"

static u64 misaligned_stack(u64 offset)
{
  ASM("mov x9, sp\n\tadd x10, x9, %0\n\tmov sp, x10\n\tldr x11, [sp]\n\tstr x11, [sp]\n\tldp x11, x12, [sp]\n\tldr x11, [sp, xzr]\n\tldur x11, [sp, #8]\n\tldtr x11, [sp]\n\tldr x11, [sp, #16]\n\tldxr x11, [sp]\n\tprfm pldl1keep, [sp]\n\tmov sp, x9"
      :: "r"(offset) : "x9", "x10", "x11", "x12", "memory");
  return 3;
}

static u64 unaligned(u64 address)
{
  ASM("ldr x9, [%0, #1]\n\tstr x9, [%0, #1]\n\tldrh w9, [%0, #1]\n\tldxr x9, [%0]\n\tldar x9, [%0]\n\tldp x9, x10, [%0]\n\tldaxr w9, [%0]\n\tstlr x9, [%0]" :: "r"(address) : "x9", "x10", "memory");
  return 4;
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
  u64 sctlr = MRS(sctlr_el1) & ~0x1aull;
  MSR(sctlr_el1, sctlr);
  at_both("stack unchecked", misaligned_stack, 8);
  MSR(sctlr_el1, sctlr | 8);
  at_both("stack checked at EL1", misaligned_stack, 8);
  MSR(sctlr_el1, sctlr | 16);
  at_both("stack checked at EL0", misaligned_stack, (u64)-8);
  MSR(sctlr_el1, sctlr);
  at_both("unaligned data, MMU off", unaligned, 0x40400001);
}

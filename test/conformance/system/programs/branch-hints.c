/* The hint space on a core without pointer authentication and branch targets, and what is Undefined there. */
#include "../library/probe.h"

#define HINT(number) ASM("mov x30, %0\n\tmov x17, %0\n\thint #" #number "\n\tadd %0, %0, x30\n\teor %0, %0, x17" : "+r"(value) :: "x16", "x17", "x30")

void program(void)
{
  u64 value = 0x123456789abcdef;
  HINT(7); HINT(8); HINT(10); HINT(12); HINT(14); HINT(24); HINT(25); HINT(26); HINT(27); HINT(28); HINT(29); HINT(30); HINT(31);
  HINT(32); HINT(34); HINT(36); HINT(38); HINT(16); HINT(17); HINT(18); HINT(20); HINT(22); HINT(40); HINT(127);
  show("value", value);
  show_taken("hints");
  ASM(".inst 0xdac10000\n\t.inst 0xdac143e0\n\t.inst 0x9ac13000\n\t.inst 0xd71f0800\n\t.inst 0xd65f0bff\n\t.inst 0xf8200400" ::: "x0", "x30");
  ASM(".inst 0xba000400\n\t.inst 0xd500401f\n\t.inst 0xd500403f\n\t.inst 0xd50330ff\n\t.inst 0xb8bfc000\n\t.inst 0x38200000" ::: "x0");
  ASM(".inst 0xd503415f\n\t.inst 0xd500409f\n\t.inst 0xd50b7d20\n\t.inst 0xd50b7380" ::: "x0");
  show_taken("later instructions");
}

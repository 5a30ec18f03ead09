/* Scalable vectors turned on by ZEN, which needs FPEN too: their length, and an instruction of their arithmetic. */
#include "../library/probe.h"

void program(void)
{
  u64 one, minus_two;
  MSR(cpacr_el1, 0x30000);
  ASM(".inst 0x04bf5029");
  show_taken("without floating point");
  MSR(cpacr_el1, 0x330000);
  MSR(s3_0_c1_c2_0, 15);
  ASM(".inst 0x04bf5029\n\tmov %0, x9\n\t.inst 0x04bf57c9\n\tmov %1, x9" : "=r"(one), "=r"(minus_two) :: "x9");
  show("length of one", one);
  show("length of minus two", minus_two);
  show_taken("exceptions");
  ASM(".inst 0x04a00000");
  show_taken("others");
}

/*
 * MRS of every encoding with op0 2 and 3, at EL1: the value where it can be read, and which exceptions the others cause. Left out are
 * the counters, whose values are time. Encodings of op0 3, CRn 11 and 15 are IMPLEMENTATION DEFINED.
 */
#include "../library/probe.h"

static u32 code[4] __attribute__((aligned(64)));

static u64 run_word(u32 word, u64 x)
{
  code[0] = 0xd503201f;
  code[1] = word;
  code[2] = 0xd65f03c0;
  ASM("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(code) : "memory");
  register u64 x0 __asm__("x0") = x;
  __asm__ volatile("blr %1" : "+r"(x0) : "r"(code) : "x30", "memory", "cc");
  return x0;
}

static int is_time(u32 key)
{
  u32 crn = (key >> 7) & 15, crm = (key >> 3) & 15, op0 = key >> 14, op1 = (key >> 11) & 7;
  if (op0 == 3 && op1 == 3 && crn == 14 && (crm == 0 || crm == 2 || crm == 3) && (key & 7) != 0) return (key & 7) != 1 || crm == 0;
  return op0 == 3 && op1 == 3 && crn == 2; /* random numbers */
}

void program(void)
{
  u64 undefined = 0;
  for (u32 key = 2 << 14; key < 4 << 14; key++) {
    u64 value = run_word(0xd5300000 | ((key - (2 << 14)) << 5), 0x5a5a);
    
    if (taken_count == 1 && taken[0].esr == 0x2000000) { undefined++; taken_count = 0; continue; }
    say("S"); say_number(key >> 14); say("_"); say_number((key >> 11) & 7); say("_C"); say_number((key >> 7) & 15);
    say("_C"); say_number((key >> 3) & 15); say("_"); say_number(key & 7);
    if (taken_count) { say(" esr "); say_number(taken[0].esr); taken_count = 0; }
    else if (!is_time(key)) { say(" "); say_number(value); }
    say("\n");
  }
  show("undefined", undefined);
}

/* Branch target identification: every kind of indirect branch from plain and guarded pages to every kind of instruction in a guarded page. */
#include "../library/probe.h"

#define NEW ".arch armv8.5-a\n\t"
/* What is mapped at 1 GiB is mapped again here, guarded. */
#define ALIAS 0x40000000ul

__asm__(NEW
  ".balign 64\n"
  "target_nop: nop\n\tret\n" "target_bti: .inst 0xd503241f\n\tret\n" "target_c: bti c\n\tret\n" "target_j: bti j\n\tret\n" "target_jc: bti jc\n\tret\n"
  "target_paciasp: paciasp\n\tautiasp\n\tret\n" "target_pacibsp: pacibsp\n\tautibsp\n\tret\n" "target_autiasp: autiasp\n\tret\n" "target_paciaz: paciaz\n\tautiaz\n\tret\n"
  "target_brk: brk #1\n\tret\n" "target_hint: hint #40\n\tret\n" "target_branch: b target_jc\n"
  /* x0: where to; the link register holds the way back. */
  ".balign 64\n"
  "by_blr: str x30, [sp, #-16]!\n\tblr x0\n\tldr x30, [sp], #16\n\tret\n" "by_br: br x0\n" "by_br_x16: mov x16, x0\n\tbr x16\n" "by_br_x17: mov x17, x0\n\tbr x17\n"
  "by_ret: str x30, [sp, #-16]!\n\tmov x30, x0\n\tadr x1, 1f\n\tmov x9, x30\n\tmov x30, x1\n\tret x9\n1:\tldr x30, [sp], #16\n\tret\n"
  "by_blraaz: str x30, [sp, #-16]!\n\tpaciza x0\n\tblraaz x0\n\tldr x30, [sp], #16\n\tret\n" "by_braa: mov x1, #3\n\tpacia x0, x1\n\tbraa x0, x1\n"
  "by_braaz_x17: mov x17, x0\n\tpaciza x17\n\tbraaz x17\n" "by_blrab: str x30, [sp, #-16]!\n\tpacib x0, sp\n\tblrab x0, sp\n\tldr x30, [sp], #16\n\tret\n"
  /* x0: where to, x1: BTYPE. */
  "by_eret: msr elr_el1, x0\n\tmov x2, #0x3c5\n\torr x2, x2, x1, lsl #10\n\tmsr spsr_el1, x2\n\teret\n");
extern char target_nop[], target_bti[], target_c[], target_j[], target_jc[], target_paciasp[], target_pacibsp[], target_autiasp[], target_paciaz[], target_brk[], target_hint[], target_branch[];
static char *const targets[] = { target_nop, target_bti, target_c, target_j, target_jc, target_paciasp, target_pacibsp, target_autiasp, target_paciaz, target_brk, target_hint, target_branch };
extern char by_blr[], by_br[], by_br_x16[], by_br_x17[], by_ret[], by_blraaz[], by_braa[], by_braaz_x17[], by_blrab[], by_eret[];
static char *const ways[] = { by_blr, by_br, by_br_x16, by_br_x17, by_ret, by_blraaz, by_braa, by_braaz_x17, by_blrab };
#define COUNT(a) (sizeof(a) / sizeof(a[0]))

static u64 way, from;

static u64 go(u64 target)
{
  register u64 x0 __asm__("x0") = target, x1 __asm__("x1") = from, to __asm__("x9") = way;
  ASM("mov x10, x9\n\tadr x30, 1f\n\tret x10\n1:" : "+r"(x0), "+r"(x1), "+r"(to) :: "x2", "x10", "x16", "x17", "x30", "memory");
  return 7;
}

static void map(void)
{
  u64 *table = (u64 *)free_memory;
  for (int i = 0; i < 512; i++) table[i] = 0;
  table[0] = 0x401ul | 1ul << 2 | 1ul << 54 | 1ul << 53;
  table[1] = 0x40000000ul | 0x701;
  table[2] = 0x40000000ul | 0x701 | 1ul << 50;
  MSR(mair_el1, 0x00fful);
  MSR(tcr_el1, 25ul | 1ul << 23 | 0x3500ul);
  MSR(ttbr0_el1, table);
  ASM("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb");
  MSR(sctlr_el1, MRS(sctlr_el1) | 1);
}

static void every_branch(const char *title)
{
  leave_classes = 1ul << 0x0d;
  say(title); say("\n");
  for (unsigned guarded_way = 0; guarded_way < 2; guarded_way++) for (unsigned w = 0; w < COUNT(ways); w++) {
    for (unsigned t = 0; t < COUNT(targets); t++) {
      way = (u64)ways[w] + guarded_way * ALIAS;
      for (unsigned plain = 0; plain < 2; plain++) {
        u64 result = guarded(go, (u64)targets[t] + (plain ? 0 : ALIAS));
        say_number(result == 7 ? 1 : 0); say(taken_count ? "!" : ".");
        /* What is saved when the target itself takes an exception is said for guarded pages only. */
        if (taken_count && w < 4 && !plain) { say_number(taken[0].esr); say("/"); say_number(taken[0].spsr); say("/"); say_number(taken[0].elr - (u64)targets[t]); }
        forget_taken();
      }
      say(" ");
    }
    say("\n");
  }
  way = (u64)by_eret;
  for (from = 0; from < 4; from++) {
    for (unsigned t = 0; t < COUNT(targets); t++) {
      u64 result = guarded(go, (u64)targets[t] + ALIAS);
      say_number(result == 7 ? 1 : 0); say(taken_count ? "! " : ". ");
      forget_taken();
    }
    say("\n");
  }
}

void program(void)
{
  map();
  every_branch("relaxed");
  MSR(sctlr_el1, MRS(sctlr_el1) | 1ul << 36);
  every_branch("strict");
  MSR(sctlr_el1, MRS(sctlr_el1) | 1ul << 31 | 1ul << 30);
  every_branch("strict, with keys");
  MSR(sctlr_el1, (MRS(sctlr_el1) & ~(1ul << 36)) | 1ul << 35);
  every_branch("strict at EL0 only");
}

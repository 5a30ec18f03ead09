/* Pointer authentication: codes, their place in a pointer, failures, keys that are off, branches, loads and returns; branch targets in guarded pages. */
#include "../library/probe.h"

#define NEW ".arch armv8.5-a\n\t"
#define SIGN(name) static u64 name(u64 p, u64 m) { ASM(NEW #name " %0, %1" : "+r"(p) : "r"(m)); return p; }
SIGN(pacia) SIGN(pacib) SIGN(pacda) SIGN(pacdb) SIGN(autia) SIGN(autib) SIGN(autda) SIGN(autdb)
#define ALONE(name) static u64 name(u64 p, u64 m) { (void)m; ASM(NEW #name " %0" : "+r"(p)); return p; }
ALONE(paciza) ALONE(pacizb) ALONE(pacdza) ALONE(pacdzb) ALONE(autiza) ALONE(autizb) ALONE(autdza) ALONE(autdzb) ALONE(xpaci) ALONE(xpacd)
static u64 pacga(u64 p, u64 m) { u64 r; ASM(NEW "pacga %0, %1, %2" : "=r"(r) : "r"(p), "r"(m)); return r; }
#define HINT_1716(name) static u64 name(u64 p, u64 m) { register u64 a __asm__("x17") = p, b __asm__("x16") = m; ASM(NEW #name : "+r"(a) : "r"(b)); return a; }
HINT_1716(pacia1716) HINT_1716(pacib1716) HINT_1716(autia1716) HINT_1716(autib1716)
#define HINT_LINK(name) static u64 name(u64 p, u64 m) { u64 r; (void)m; ASM(NEW "mov x30, %1\n\t" #name "\n\tmov %0, x30" : "=r"(r) : "r"(p) : "x30"); return r; }
HINT_LINK(paciaz) HINT_LINK(pacibz) HINT_LINK(autiaz) HINT_LINK(autibz) HINT_LINK(xpaclri)
#define HINT_SP(name) static u64 name(u64 p, u64 m) { u64 r; ASM(NEW "mov x9, sp\n\tmov sp, %2\n\tmov x30, %1\n\t" #name "\n\tmov %0, x30\n\tmov sp, x9" : "=r"(r) : "r"(p), "r"(m & -16ul) : "x9", "x30"); return r; }
HINT_SP(paciasp) HINT_SP(pacibsp) HINT_SP(autiasp) HINT_SP(autibsp)

static u64 (*const signers[])(u64, u64) = { pacia, pacib, pacda, pacdb, paciza, pacizb, pacdza, pacdzb, pacia1716, pacib1716, paciaz, pacibz, paciasp, pacibsp };
static u64 (*const checkers[])(u64, u64) = { autia, autib, autda, autdb, autiza, autizb, autdza, autdzb, autia1716, autib1716, autiaz, autibz, autiasp, autibsp };
static u64 (*const others[])(u64, u64) = { xpaci, xpacd, xpaclri, pacga };
#define COUNT(a) (sizeof(a) / sizeof(a[0]))

static const u64 pointers[] = {
  0, 0x40001234, 0x0000ffffffffffff, 0xffff000000000000, 0xffffffffffffffff, 0xffff800012345678, 0x0080000000000000, 0xff7f000011112222, 0x5500000040001230, 0xaaff000040001230, 0x0001000000000000,
  0xfffeffffffffffff, 0x1234567890abcdef, 0x8000000000000000, 0x7fffffffffffffff, 0x0055555555555555,
};
static const u64 modifiers[] = { 0, 1, 0xffffffffffffffff, 0xfedcba9876543210, 0x40012340 };

static void keys(u64 seed)
{
  u64 k[10];
  for (int i = 0; i < 10; i++) { seed = seed * 6364136223846793005ul + 1442695040888963407ul; k[i] = seed ^ (seed >> 29); }
  MSR(S3_0_C2_C1_0, k[0]); MSR(S3_0_C2_C1_1, k[1]); MSR(S3_0_C2_C1_2, k[2]); MSR(S3_0_C2_C1_3, k[3]);
  MSR(S3_0_C2_C2_0, k[4]); MSR(S3_0_C2_C2_1, k[5]); MSR(S3_0_C2_C2_2, k[6]); MSR(S3_0_C2_C2_3, k[7]);
  MSR(S3_0_C2_C3_0, k[8]); MSR(S3_0_C2_C3_1, k[9]);
}

static u64 sum;
static void add(u64 value) { sum = (sum ^ value) * 0x9e3779b97f4a7c15ul; sum ^= sum >> 32; }

/* Every operation on every pointer under one setting: a sum of all results, and some results in full. */
static void all(const char *title, u64 tcr, u64 sctlr)
{
  MSR(tcr_el1, tcr);
  MSR(sctlr_el1, MRS(sctlr_el1) | sctlr);
  sum = 0;
  for (unsigned p = 0; p < COUNT(pointers); p++) for (unsigned m = 0; m < COUNT(modifiers); m++) {
    for (unsigned s = 0; s < COUNT(signers); s++) {
      u64 made = signers[s](pointers[p], modifiers[m]);
      add(made); add(checkers[s](made, modifiers[m])); add(checkers[s](pointers[p], modifiers[m])); add(checkers[s](made ^ (1ul << 54), modifiers[m]));
      add(checkers[s](made ^ (1ul << 63), modifiers[m])); add(checkers[s](made ^ (1ul << 55), modifiers[m])); add(checkers[s](made, modifiers[m] + 16));
      if (m == 3 && s < 4 && p % 5 == 1) { say_number(made); say(" "); say_number(checkers[s](made, modifiers[m] + 16)); say("\n"); }
    }
    /* QEMU does not strip while no key is enabled; the architecture asks for no key there. */
    for (unsigned o = sctlr == 0 ? COUNT(others) - 1 : 0; o < COUNT(others); o++) add(others[o](pointers[p], modifiers[m]));
  }
  MSR(sctlr_el1, MRS(sctlr_el1) & ~sctlr);
  show(title, sum);
}

#define ENABLES (1ul << 31 | 1ul << 30 | 1ul << 27 | 1ul << 13)
#define SIZES(low, high) ((u64)(low) | (u64)(high) << 16)
#define TBI (3ul << 37)
#define TBID (3ul << 51)

static void codes(void)
{
  keys(1);
  all("plain", SIZES(16, 16), ENABLES);
  all("tagged", SIZES(16, 16) | TBI, ENABLES);
  all("tagged data only", SIZES(16, 16) | TBI | TBID, ENABLES);
  all("tagged below", SIZES(25, 33) | 1ul << 37, ENABLES);
  all("tagged above", SIZES(39, 20) | 1ul << 38 | 1ul << 51, ENABLES);
  keys(2);
  all("small", SIZES(48, 48), ENABLES);
  all("smaller than possible", SIZES(63, 60), ENABLES);
  all("larger than possible", SIZES(0, 5), ENABLES);
  all("64 KiB pages", SIZES(12, 12) | 1ul << 14 | 3ul << 30, ENABLES);
  all("64 KiB pages, small", SIZES(50, 50) | 1ul << 14 | 3ul << 30, ENABLES);
  all("64 KiB pages above only", SIZES(12, 12) | 3ul << 30, ENABLES);
  all("16 KiB pages", SIZES(16, 17) | 2ul << 14 | 1ul << 30 | TBI, ENABLES);
  all("off", SIZES(16, 16), 0);
  all("one key each", SIZES(16, 16), 1ul << 31);
  all("one key each", SIZES(16, 16), 1ul << 30);
  all("one key each", SIZES(16, 16), 1ul << 27);
  all("one key each", SIZES(16, 16), 1ul << 13);
  show_taken("exceptions");
}

#define BRANCH(text) ({ u64 r_ = 0, a_, m_ = 0x1000; ASM(NEW "adr %1, 2f\n\tmov x9, sp\n\t" text "\n\tb 3f\n2:\tmov %0, #7\n3:\tmov sp, x9" : "+r"(r_), "=&r"(a_), "+r"(m_) :: "x9", "x30", "memory"); r_; })

static u64 wrong_branch(u64 kind)
{
  if (kind == 0) ASM(NEW "adr x10, 1f\n\tbraaz x10\n1:" ::: "x10");
  if (kind == 1) ASM(NEW "adr x10, 1f\n\tmov x11, #5\n\tblrab x10, x11\n1:" ::: "x10", "x11", "x30");
  if (kind == 2) ASM(NEW "adr x30, 1f\n\tretaa\n1:" ::: "x30");
  if (kind == 3) ASM(NEW "adr x10, 1f\n\tmsr elr_el1, x10\n\tmov x10, #0x3c5\n\tmsr spsr_el1, x10\n\teretab\n1:" ::: "x10", "x30");
  return kind;
}

static void branches(void)
{
  MSR(tcr_el1, SIZES(16, 16));
  MSR(sctlr_el1, MRS(sctlr_el1) | ENABLES);
  show("braa", BRANCH("pacia %1, %2\n\tbraa %1, %2"));
  show("braaz", BRANCH("paciza %1\n\tbraaz %1"));
  show("brab", BRANCH("pacib %1, %2\n\tbrab %1, %2"));
  show("brabz", BRANCH("pacizb %1\n\tbrabz %1"));
  show("braa with sp", BRANCH("pacia %1, sp\n\tbraa %1, sp"));
  show("blraa", BRANCH("pacia %1, %2\n\tblraa %1, %2"));
  show("blrabz", BRANCH("pacizb %1\n\tblrabz %1"));
  show("blraa through the link", BRANCH("mov x30, %1\n\tpacia x30, %2\n\tblraa x30, %2"));
  show("retaa", BRANCH("mov x30, %1\n\tpaciasp\n\tretaa"));
  show("retab", BRANCH("mov x30, %1\n\tpacibsp\n\tretab"));
  show("eretaa", BRANCH("pacia %1, sp\n\tmsr elr_el1, %1\n\tmov x10, #0x3c5\n\tmsr spsr_el1, x10\n\teretaa"));
  show("eretab", BRANCH("pacib %1, sp\n\tmsr elr_el1, %1\n\tmov x10, #0x3c5\n\tmsr spsr_el1, x10\n\teretab"));
  for (u64 kind = 0; kind < 4; kind++) { show("wrong", guarded(wrong_branch, kind)); show_taken("wrong branch"); }
  static u64 cells[4] = { 0x1111, 0x2222, 0x3333, 0x4444 };
  u64 value, base = pacdza((u64)&cells[2], 0), after;
  ASM(NEW "mov x10, %2\n\tldraa %0, [x10, #-8]\n\tmov %1, x10" : "=&r"(value), "=&r"(after) : "r"(base) : "x10");
  show("ldraa", value); show("base", after == base);
  ASM(NEW "mov x10, %2\n\tldraa %0, [x10, #8]!\n\tmov %1, x10" : "=&r"(value), "=&r"(after) : "r"(base) : "x10");
  show("ldraa", value); show("base", after - (u64)cells);
  base = pacdzb((u64)&cells[3], 0) ;
  ASM(NEW "mov x10, %2\n\tldrab %0, [x10, #-16]!\n\tmov %1, x10" : "=&r"(value), "=&r"(after) : "r"(base) : "x10");
  show("ldrab", value); show("base", after - (u64)cells);
  ASM(NEW "mov x10, %2\n\tmov %0, #5\n\tldraa %0, [x10]\n\tmov %1, x10" : "=&r"(value), "=&r"(after) : "r"((u64)cells ^ 1ul << 53) : "x10");
  show("wrong key", value);
  show_taken("loads");
  MSR(sctlr_el1, MRS(sctlr_el1) & ~ENABLES);
}

static u64 at_lower(u64 pointer)
{
  u64 made = pacia(pointer, 5);
  ASM(NEW "xpaci %0" : "+r"(made));
  return pacib(pointer, 3) ^ made ^ pacga(1, 2);
}

void program(void)
{
  codes();
  branches();
  MSR(sctlr_el1, MRS(sctlr_el1) | 1ul << 30);
  show("at EL0", at_el0(at_lower, 0x40001230, 0));
  show_taken("at EL0");
}

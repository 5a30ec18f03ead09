/*
 * Tables at random: every granule and size, random descriptors on the way to random addresses, random bits of TCR_EL1, SCTLR_EL1 and
 * MAIR_EL1. Each address is asked for with AT and accessed by load, store and fetch from EL1 and EL0, with PAN and without.
 */
#include "../library/tables.h"

#ifndef FIRST_SEED
#define FIRST_SEED 1
#endif
#ifndef ROUNDS
#define ROUNDS 40
#endif
#define PROBES 20
#define SCRATCH 0x44000000ull
#define RETURNS 0xd65f03c0d65f03c0ull

static const u64 memory_types[8] = { 0xff, 0x00, 0x04, 0x0c, 0x44, 0xbb, 0x4f, 0xf4 };
static u64 probes[PROBES];
static struct regime random_half;
static int has_pan, has_table_flags, has_small, has_large, has_wide, has_e0pd, has_hpd;


static void look_around(void)
{
  u64 mmfr0 = MRS(id_aa64mmfr0_el1), mmfr1 = MRS(id_aa64mmfr1_el1), mmfr2;
  ASM("mrs %0, s3_0_c0_c7_2" : "=r"(mmfr2));
  has_pan = (mmfr1 >> 20) & 15;
  has_table_flags = mmfr1 & 15;
  has_hpd = (mmfr1 >> 12) & 15;
  has_small = (mmfr2 >> 28) & 15;
  has_large = (mmfr2 >> 16) & 15;
  has_wide = ((mmfr0 >> 28) & 15) == 1;
  has_e0pd = mmfr2 >> 60;

}

/* Attributes of a leaf but the guarded page bit, which is about branches; the access flag is usually set. */
static u64 leaf_bits(int wide)
{
  u64 bits = random_bits() & 0x0078000000000bfcull;
  if (below(8)) bits |= AF;
  if (wide) bits &= ~(3ull << 8);
  return bits;
}

/* Beyond RAM, where neither machine has anything. */
static u64 nowhere(void) { u64 n = below(10); return 1ull << (n < 2 ? 36 + n : 38 + n); }

/* Somewhere in scratch memory, now and then far away. */
static u64 output(int shift)
{
  u64 size = 1ull << shift;
  u64 address = SCRATCH + (random_bits() & 0x3ffffff & -size);
  if (shift > 26) address = 0x40000000;
  if (below(12) == 0) address |= nowhere();
  return address & -size;
}

static int may_be_block(const struct regime *r, int level)
{
  if (r->granule == 12) return level >= 1;
  return level >= 2;
}

/* What stands at a level on the way to an address; a table's address is given back, 0 for anything else. */
static u64 put_entry(const struct regime *r, volatile u64 *slot, int level)
{
  u64 kind = below(100);
  if (level == 3) {
    if (kind < 84) *slot = output(r->granule) | leaf_bits(r->wide) | TABLE_OR_PAGE;
    else if (kind < 92) *slot = output(r->granule) | leaf_bits(r->wide) | 1;
    else *slot = (random_bits() & ~1ull) | 2;
    return 0;
  }
  if (kind < 22 && may_be_block(r, level)) { *slot = output(level_shift(r, level)) | leaf_bits(r->wide) | VALID; return 0; }
  if (kind < 26) { *slot = (random_bits() & ~1ull) | 2; return 0; }
  u64 limits = below(4) == 0 ? random_bits() & 0xf8ull << 56 : 0;
  if (kind < 29) { *slot = nowhere() | TABLE_OR_PAGE | limits; return 0; }
  u64 frame = new_frame();
  *slot = frame | TABLE_OR_PAGE | limits;
  return frame;
}

static void map_probe(const struct regime *r, u64 va)
{
  u64 table = r->root;
  for (int level = first_level(r); table != 0; level++) {
    volatile u64 *slot = entry_at(r, table, level, va);
    if (*slot == 0) table = put_entry(r, slot, level);
    else table = (*slot & 3) == 3 && level < 3 && *slot < 1ull << 59 && (*slot & 0xffffffff0000ull) >> 36 == 0 ? *slot & 0xffffffff0000ull : 0;
    if (level == 3) break;
  }
}

/* Bits 28:26 are 1, so that what a big block maps lies in scratch memory. */
static u64 choose_address(const struct regime *r, u64 upper, u64 previous)
{
  int bits = 64 - r->tsz;
  u64 va = below(3) == 0 ? previous ^ (random_bits() & 0x3ffff8) : random_bits();
  va = (va & ~(7ull << 26) & ~7ull) | (1ull << 26);
  if (bits < 29) va = random_bits() & ~7ull;
  va &= (1ull << bits) - 1;
  if (upper) va |= -(1ull << bits);
  if (below(16) == 0) va ^= 1ull << (bits + below(64 - bits));
  if (below(8) == 0) va ^= random_bits() & 0xffull << 56;
  return va;
}

static u64 load(u64 va) { u64 value = 0xdead; ASM("ldr %0, [%1]" : "+r"(value) : "r"(va) : "memory"); return value; }
static u64 store(u64 va) { ASM("str %0, [%1]" :: "r"(RETURNS), "r"(va) : "memory"); return 0; }
static u64 load_as_el0(u64 va) { u64 value = 0xdead; ASM("ldtr %0, [%1]" : "+r"(value) : "r"(va) : "memory"); return value; }
static u64 store_as_el0(u64 va) { ASM("sttr %0, [%1]" :: "r"(RETURNS), "r"(va) : "memory"); return 0; }
static u64 load_with_pan(u64 va) { u64 value = 0xdead; ASM("msr s0_0_c4_c1_4, xzr\n\tldr %0, [%1]\n\tmsr s0_0_c4_c0_4, xzr" : "+r"(value) : "r"(va) : "memory"); return value; }
static u64 execute(u64 va) { ASM("mov x9, x30\n\tblr %0\n\tmov x30, x9" :: "r"(va) : "x9", "x30", "memory"); return 5; }
u64 el0_load(u64 va);
u64 el0_store(u64 va);
u64 el0_execute(u64 va);
__asm__(".text\nel0_load: ldr x0, [x0]\n ret\nel0_store: mov x1, #0x3c0\n movk x1, #0xd65f, lsl #16\n orr x1, x1, x1, lsl #32\n str x1, [x0]\n ret\nel0_execute: br x0\n");

/* QEMU 7.2 leaves the shareability of Device and Non-cacheable memory as the descriptor has it; PAR_EL1 is to say Outer Shareable. */
static u64 par(void)
{
  u64 value = MRS(par_el1);
  if (!(value & 1) && ((value >> 60) == 0 || (value >> 56) == 0x44)) value = (value & ~(3ull << 7)) | (2ull << 7);
  return value;
}

#define AT(operation) ({ ASM("at " operation ", %0\n\tisb" :: "r"(va) : "memory"); par(); })

static void ask(u64 va)
{
  say(" "); say_number(AT("s1e1r")); say(" "); say_number(AT("s1e1w")); say(" "); say_number(AT("s1e0r")); say(" "); say_number(AT("s1e0w"));
  if (!has_pan) return;
  ASM("msr s0_0_c4_c1_4, xzr");
  ASM("sys #0, c7, c9, #0, %0" :: "r"(va));
  u64 read = par();
  ASM("sys #0, c7, c9, #1, %0" :: "r"(va));
  u64 write = par();
  ASM("msr s0_0_c4_c0_4, xzr");
  say(" "); say_number(read); say(" "); say_number(write);
}

static void result(const char *name, u64 value)
{
  say(" "); say(name); say("=");
  if (taken_count) { say_number(taken[0].esr); say("@"); say_number(taken[0].far); } else say_number(value);
  if (taken_count > 1) say("!");
  forget_taken();
}

static void access(u64 va, int how)
{
  /* A page that becomes dirty may lose execute permission. */
  ASM("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
  switch (how) {
  case 0: result("load", guarded(load, va)); break;
  case 1: result("store", guarded(store, va)); break;
  case 2: result("ldtr", guarded(load_as_el0, va)); break;
  case 3: result("sttr", guarded(store_as_el0, va)); break;
  case 4: result("call", guarded(execute, va)); break;
  case 5: result("load0", at_el0(el0_load, va, 0x3c0)); break;
  case 6: result("store0", at_el0(el0_store, va, 0x3c0)); break;
  case 7: result("call0", at_el0(el0_execute, va, 0x3c0)); break;
  default: if (has_pan) result("pan", guarded(load_with_pan, va)); break;
  }
}

static void show_tables(u64 from)
{
  u64 sum = 0;
  for (u64 at = from; at < frames + frames_used() * 0x10000; at += 8) sum = (sum ^ *(volatile u64 *)at) * 0x100000001b3ull;
  show("tables", sum);
}

static void one_round(u64 number)
{
  static const int granules[3] = { 12, 14, 16 };
  seed(number);
  forget_frames();
  forget_taken();
  u64 mmfr0 = MRS(id_aa64mmfr0_el1);
  int has_16k = (mmfr0 >> 20) & 15;
  struct regime sane = { 0, granules[below(3)], 16 + below(16), 0 };
  if (sane.granule == 14 && !has_16k) sane.granule = 12;
  sane.root = new_frame();
  map_image(&sane);
  random_half.granule = granules[below(3)];
  if (random_half.granule == 14 && !has_16k) random_half.granule = 16;
  random_half.wide = has_wide && random_half.granule < 16 && below(4) == 0;
  int smallest = random_half.wide || (has_large && random_half.granule == 16) ? 12 : 16;
  int largest = has_small ? 48 - (random_half.granule == 16) : 39;
  random_half.tsz = smallest + below(largest - smallest + 1);
  u64 tsz = below(10) ? random_half.tsz : below(64);
  u64 first = frames + frames_used() * 0x10000;
  random_half.root = new_frame();
  for (int i = 0; i < PROBES; i++) {
    probes[i] = choose_address(&random_half, 1, i ? probes[i - 1] : 0);
    map_probe(&random_half, probes[i]);
  }
  u64 ips = below(3) ? 5 : below(8);
  int manages = has_table_flags && below(2);
  u64 tcr = sane.tsz | tsz << 16 | tg0(sane.granule) | tg1(random_half.granule) | ips << 32 | below(2) << 38 | (below(2) << 41);
  if (below(12) == 0) tcr |= 1ull << 23;
  if (manages) tcr |= 1ull << 39 | below(2) << 40;
  if (has_hpd) tcr |= below(2) << 42;
  if (has_e0pd && below(4) == 0) tcr |= 1ull << 56;
  if (random_half.wide) tcr |= 1ull << 59;
  u64 mair = 0x00ff;
  for (int i = 2; i < 8; i++) mair |= memory_types[below(8)] << (i * 8);
  u64 sctlr = (below(3) == 0 ? 1ull << 19 : 0) | 1ull << 23;
  say("round "); say_number(number); say(" granules "); say_number(sane.granule); say(" "); say_number(random_half.granule); say(" tcr "); say_number(tcr); say(" mair "); say_number(mair); say("\n");
  translate_with(sane.root, random_half.root, tcr, mair, sctlr);
  for (int i = 0; i < PROBES; i++) {
    say_number(probes[i]); say(":");
    /* With hardware flags AT may set them or not, so it is not mixed with accesses. */
    if (!manages || below(2)) ask(probes[i]);
    else for (int n = 0; n < 12; n++) access(probes[i], (int)below(9));
    if (!manages) for (int how = 0; how < 9; how++) access(probes[i], how);
    say("\n");
  }
  translate_no_more();
  if (!manages) show_tables(first);
}

void program(void)
{
  look_around();
  for (u64 at = SCRATCH; at < SCRATCH + 0x4000000; at += 16) ASM("stp %1, %1, [%0]" :: "r"(at), "r"(RETURNS) : "memory");
  for (u64 number = FIRST_SEED; number < FIRST_SEED + ROUNDS; number++) one_round(number);
}

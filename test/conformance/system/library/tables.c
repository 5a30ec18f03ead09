/* See tables.h. */
#include "tables.h"

extern char image_data[], _start[];

#define FRAME 0x10000ull
#define FRAME_COUNT 128
#define RAM 0x40000000ull
#define SCRATCH 0x44000000ull
#define SCRATCH_SIZE 0x4000000ull
#define UART 0x9000000ull

u64 frames;
static u64 next_frame;
static u64 state;

void seed(u64 value) { state = value * 0x9e3779b97f4a7c15ull + 1; random_bits(); random_bits(); }
u64 random_bits(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state * 0x2545f4914f6cdd1dull; }
u64 below(u64 n) { return (random_bits() >> 16) % n; }

void forget_frames(void) { frames = (u64)free_memory; next_frame = frames; }
u64 frames_used(void) { return (next_frame - frames) / FRAME; }

u64 new_frame(void)
{
  u64 frame = next_frame;
  if (frames_used() == FRAME_COUNT) { say("no frame left\n"); end(); }
  next_frame += FRAME;
  for (u64 at = frame; at < frame + FRAME; at += 16) ASM("stp xzr, xzr, [%0]" :: "r"(at) : "memory");
  return frame;
}

int first_level(const struct regime *r) { return 4 - (64 - r->tsz - 4) / (r->granule - 3); }
int level_shift(const struct regime *r, int level) { return (r->granule - 3) * (4 - level) + 3; }

volatile u64 *entry_at(const struct regime *r, u64 table, int level, u64 va)
{
  int shift = level_shift(r, level);
  int bits = level == first_level(r) ? 64 - r->tsz - shift : r->granule - 3;
  return (volatile u64 *)(table + ((va >> shift) & ((1ull << bits) - 1)) * 8);
}

void map_at(const struct regime *r, u64 va, int level, u64 entry)
{
  u64 table = r->root;
  for (int at = first_level(r); at < level; at++) {
    volatile u64 *slot = entry_at(r, table, at, va);
    if (!(*slot & 1)) *slot = new_frame() | TABLE_OR_PAGE;
    table = *slot & 0xffffffff0000ull;
  }
  *entry_at(r, table, level, va) = entry;
}

static void map_range(const struct regime *r, u64 from, u64 to, u64 attributes)
{
  u64 size = 1ull << r->granule;
  for (u64 at = from & -size; at < to; at += size) map_at(r, at, 3, at | attributes | TABLE_OR_PAGE | AF);
}

void map_image(const struct regime *r)
{
  u64 image = (u64)_start & -FRAME;
  u64 block = 1ull << level_shift(r, 2);
  map_range(r, image, (u64)image_data, AP_RO | AP_USER);
  map_range(r, (u64)image_data, frames + FRAME_COUNT * FRAME, PXN | UXN);
  map_range(r, UART, UART + 1, ATTR(1) | PXN | UXN);
  if (r->granule < 16) for (u64 at = SCRATCH; at < SCRATCH + SCRATCH_SIZE; at += block) map_at(r, at, 2, at | VALID | AF | PXN | UXN);
}

u64 tg0(int granule) { return (granule == 12 ? 0ull : granule == 14 ? 2ull : 1ull) << 14; }
u64 tg1(int granule) { return (granule == 12 ? 2ull : granule == 14 ? 1ull : 3ull) << 30; }

void translate_with(u64 ttbr0, u64 ttbr1, u64 tcr, u64 mair, u64 sctlr)
{
  ASM("dsb sy" ::: "memory");
  MSR(mair_el1, mair);
  MSR(tcr_el1, tcr);
  MSR(ttbr0_el1, ttbr0);
  MSR(ttbr1_el1, ttbr1);
  ASM("isb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
  MSR(sctlr_el1, 0x30d00801ull | sctlr);
}

void translate_no_more(void)
{
  MSR(sctlr_el1, 0x30d00800ull);
  ASM("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

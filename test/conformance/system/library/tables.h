/*
 * Translation tables of any granule and size, for programs that turn the MMU on. A regime is one half of the address space.
 */
#ifndef TABLES_H
#define TABLES_H

#include "probe.h"

struct regime {
  u64 root;
  int granule;  /* log2: 12, 14, 16 */
  int tsz;      /* TCR_EL1.TnSZ */
  int wide;     /* TCR_EL1.DS */
};

#define VALID 1ull
#define TABLE_OR_PAGE 3ull
#define AF (1ull << 10)
#define AP_USER (1ull << 6)
#define AP_RO (1ull << 7)
#define PXN (1ull << 53)
#define UXN (1ull << 54)
#define ATTR(n) ((u64)(n) << 2)

/* Frames of 64 KiB, zeroed, from a pool behind the image. */
void forget_frames(void);
u64 new_frame(void);
u64 frames_used(void);
extern u64 frames;

int first_level(const struct regime *r);
/* How many bits of the address a level's entry leaves. */
int level_shift(const struct regime *r, int level);
/* Address of the entry of `va` in a table of a level. */
volatile u64 *entry_at(const struct regime *r, u64 table, int level, u64 va);
/* Maps `va` by an entry at `level`, with tables above it as needed. */
void map_at(const struct regime *r, u64 va, int level, u64 entry);
/* Maps the image, the frames, the scratch memory and the serial port one to one, for EL1; EL0 may execute the image. Attribute 0 is Normal, 1 Device. */
void map_image(const struct regime *r);
/* TCR_EL1.TG0 and TG1. */
u64 tg0(int granule);
u64 tg1(int granule);
/* Stage 1 on with these registers, with what else SCTLR_EL1 shall have; off again. */
void translate_with(u64 ttbr0, u64 ttbr1, u64 tcr, u64 mair, u64 sctlr);
void translate_no_more(void);

/* A generator with a seed. */
void seed(u64 value);
u64 random_bits(void);
/* 0 .. n - 1. */
u64 below(u64 n);

#endif

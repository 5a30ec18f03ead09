/* Stage 1 for the programs that run with the MMU on: one to one with blocks of 1 GiB, and what a program adds. */
#ifndef BENCH_MMU_H
#define BENCH_MMU_H

#include <stdint.h>

#define MMU_TABLE 3ULL
#define MMU_NORMAL_PAGE (3ULL | 1ULL << 10 | 3ULL << 8)

/* The first table: 512 entries of 1 GiB. */
extern uint64_t mmu_root[512];

void mmu_on(void);

#endif

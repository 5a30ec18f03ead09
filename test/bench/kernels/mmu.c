/* See mmu.h. */
#include "mmu.h"

#define NORMAL_BLOCK (1ULL | 1ULL << 10 | 3ULL << 8)
#define DEVICE_BLOCK (1ULL | 1ULL << 10 | 1ULL << 2)
#define GIB 0x40000000ULL
/* 39 bits, 4 KiB, write-back, inner shareable, 40 bits out, no TTBR1. */
#define TCR (25ULL | 1ULL << 8 | 1ULL << 10 | 3ULL << 12 | 1ULL << 23 | 2ULL << 32)

uint64_t mmu_root[512] __attribute__((aligned(4096)));

void mmu_on(void)
{
	uint64_t sctlr;

	mmu_root[0] = DEVICE_BLOCK;
	mmu_root[1] = GIB | NORMAL_BLOCK;
	__asm__ volatile("dsb sy\n\tmsr mair_el1, %1\n\tmsr tcr_el1, %2\n\tmsr ttbr0_el1, %3\n\tisb\n\ttlbi vmalle1\n\tdsb nsh\n\tmrs %0, sctlr_el1\n\torr %0, %0, #1\n\torr %0, %0, #4\n\tmsr sctlr_el1, %0\n\tisb"
			 : "=&r"(sctlr) : "r"(0x00ffULL), "r"(TCR), "r"(mmu_root) : "memory");
}

/* Loads from 256 Ki pages one after the other, all of them one page of memory: each needs a walk. An iteration is a load. */
#include "kernel.h"
#include "mmu.h"

#define WINDOW 0x1000000000ULL
#define PAGE_COUNT (512U * 512U)

const char kernel_name[] = "tlb-miss";

static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t last[512] __attribute__((aligned(4096)));
static uint32_t data[1024] __attribute__((aligned(4096)));

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t sum = 0;

	mmu_root[WINDOW >> 30] = (uint64_t)middle | MMU_TABLE;
	for (int i = 0; i < 512; i++) {
		middle[i] = (uint64_t)last | MMU_TABLE;
		last[i] = (uint64_t)data | MMU_NORMAL_PAGE;
	}
	data[1] = 7;
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
	for (uint32_t i = 0; i < iterations; i++)
		sum += *(volatile uint32_t *)(WINDOW + (uint64_t)(i % PAGE_COUNT) * 4096 + 4);
	return sum;
}

#include "memory.h"

#include "sdk/cpu.h"

#define BLOCK 1UL
#define NORMAL (1UL << 2) /* attribute 1 of MAIR_EL1 */
#define INNER_SHAREABLE (3UL << 8)
#define ACCESSED (1UL << 10)
#define NEVER_EXECUTE (3UL << 53)

#define MAIR_DEVICE_AND_NORMAL 0xff00UL
/* 39-bit addresses, 4 KiB granule, tables write-back and inner shareable, no second table, 40-bit physical addresses. */
#define TCR (25UL | 1UL << 8 | 1UL << 10 | 3UL << 12 | 1UL << 23 | 2UL << 32)
#define SCTLR_MMU_AND_CACHES (1UL | 1UL << 2 | 1UL << 12)

/* One entry is 1 GiB: devices, then RAM. */
static const uint64_t table[512] __attribute__((aligned(4096))) = {
	[0] = 0x00000000UL | BLOCK | ACCESSED | NEVER_EXECUTE,
	[1] = 0x40000000UL | BLOCK | ACCESSED | NORMAL | INNER_SHAREABLE,
	[2] = 0x80000000UL | BLOCK | ACCESSED | NORMAL | INNER_SHAREABLE,
};

void memory_init_cpu(void)
{
	WRITE_SYSREG("mair_el1", MAIR_DEVICE_AND_NORMAL);
	WRITE_SYSREG("tcr_el1", TCR);
	WRITE_SYSREG("ttbr0_el1", (uint64_t)table);
	cpu_isb();
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	WRITE_SYSREG("sctlr_el1", READ_SYSREG("sctlr_el1") | SCTLR_MMU_AND_CACHES);
	cpu_isb();
}

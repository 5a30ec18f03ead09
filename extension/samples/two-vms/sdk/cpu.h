/*
 * Small helpers around single instructions: system registers, barriers, interrupt masking, device registers.
 *
 * Guests of this SDK run at EL1 with the MMU off. All memory then behaves as Device memory, so every access must be
 * naturally aligned; compile with -mstrict-align.
 */
#ifndef SDK_CPU_H
#define SDK_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define READ_SYSREG(name)                                       \
	({                                                      \
		uint64_t value_;                                \
		__asm__ volatile("mrs %0, " name : "=r"(value_)); \
		value_;                                         \
	})

#define WRITE_SYSREG(name, value)                                               \
	do {                                                                    \
		uint64_t value_ = (value);                                      \
		__asm__ volatile("msr " name ", %0" : : "r"(value_) : "memory"); \
	} while (0)

static inline void cpu_isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void cpu_dsb(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

/* Masks IRQs and returns the previous mask, for irq_restore(). */
static inline uint64_t irq_mask(void)
{
	uint64_t daif = READ_SYSREG("daif");

	__asm__ volatile("msr daifset, #2" : : : "memory");
	return daif;
}

static inline void irq_restore(uint64_t daif)
{
	WRITE_SYSREG("daif", daif);
}

static inline void irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

/*
 * Sleeps until an interrupt is pending, then lets its handler run. Call it with IRQs masked, after finding that there
 * is nothing to do: WFI wakes up for a masked interrupt too, so an interrupt between the check and the WFI is not lost.
 */
static inline void cpu_wait_for_interrupt(void)
{
	cpu_dsb();
	__asm__ volatile("wfi" : : : "memory");
	__asm__ volatile("msr daifclr, #2\n\tisb\n\tmsr daifset, #2" : : : "memory");
}

static inline uint32_t mmio_read32(uintptr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write32(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline uint64_t mmio_read64(uintptr_t address)
{
	return *(volatile uint64_t *)address;
}

static inline void mmio_write64(uintptr_t address, uint64_t value)
{
	*(volatile uint64_t *)address = value;
}

#endif

/*
 * A guest that does its worst; what, says its command line. None of this is meant to work: the machine has to survive it.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"
#include "sdk/psci.h"
#include "sdk/string.h"
#include "sdk/timer.h"

#define GICR 0x080A0000UL
#define FRAME 0x20000UL
#define CPUS 4
#define WORDS_BASE 0x44000000UL /* filled by whoever starts us */
#define WORDS_SIZE 0x200000UL

extern void other_cpu_start(void);

static uint64_t random_state = 0x9E3779B97F4A7C15UL;
static volatile uint64_t faults;
static volatile bool kicked;

static uint64_t random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545F4914F6CDD1DUL;
}

static bool skip(struct exception_frame *frame)
{
	faults++;
	frame->elr += 4;
	return true;
}

/* --- interrupts without end --- */

static void ignore(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	faults++;
}

/* A level that nobody takes away: the timer's, in the past for ever. */
static void level_storm(void)
{
	gic_connect(27, GIC_LEVEL, "storm", ignore, NULL);
	WRITE_SYSREG("cntv_cval_el0", 0);
	WRITE_SYSREG("cntv_ctl_el0", 1);
	for (;;)
		cpu_wait_for_interrupt();
}

/* The handler sets the next deadline, one count ahead, which has passed when it returns. */
static void rearm(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	faults++;
	WRITE_SYSREG("cntv_tval_el0", 1);
}

static void timer_storm(void)
{
	gic_connect(27, GIC_LEVEL, "storm", rearm, NULL);
	WRITE_SYSREG("cntv_tval_el0", 1);
	WRITE_SYSREG("cntv_ctl_el0", 1);
	for (;;)
		cpu_wait_for_interrupt();
}

static void send_to_all(uint32_t intid, void *context)
{
	(void)context;
	faults++;
	WRITE_SYSREG("S3_0_C12_C11_5", (uint64_t)intid << 24 | 1UL << 40);
	WRITE_SYSREG("S3_0_C12_C11_5", (uint64_t)((intid + 1) & 15) << 24 | 0xf);
}

static void enable_all_sgis(unsigned int cpu)
{
	uintptr_t frame = GICR + cpu * FRAME;

	mmio_write32(frame + 0x14, 0);
	mmio_write32(frame + 0x10080, 0xffffffff);
	mmio_write32(frame + 0x10100, 0xffff);
	WRITE_SYSREG("S3_0_C12_C12_5", 7);
	WRITE_SYSREG("S3_0_C4_C6_0", 0xff);
	WRITE_SYSREG("S3_0_C12_C12_7", 1);
	cpu_isb();
	irq_enable();
}

void other_cpu(uint64_t cpu);
void other_cpu(uint64_t cpu)
{
	enable_all_sgis((unsigned int)cpu);
	for (;;)
		cpu_wait_for_interrupt();
}

static void sgi_flood(void)
{
	for (uint32_t intid = 0; intid < 16; intid++)
		gic_connect(intid, GIC_EDGE, "flood", send_to_all, NULL);
	for (unsigned int cpu = 1; cpu < CPUS; cpu++)
		psci_cpu_on(cpu, (uintptr_t)other_cpu_start, cpu);
	send_to_all(0, NULL);
	for (;;)
		cpu_wait_for_interrupt();
}

/* --- device registers --- */

static void touch(uintptr_t address, uint64_t value, unsigned int how)
{
	switch (how) {
	case 0: *(volatile uint8_t *)address = (uint8_t)value; break;
	case 1: *(volatile uint16_t *)address = (uint16_t)value; break;
	case 2: *(volatile uint32_t *)address = (uint32_t)value; break;
	case 3: *(volatile uint64_t *)address = value; break;
	case 4: (void)*(volatile uint8_t *)address; break;
	case 5: (void)*(volatile uint16_t *)address; break;
	case 6: (void)*(volatile uint32_t *)address; break;
	case 7: (void)*(volatile uint64_t *)address; break;
	case 8: __asm__ volatile("stp %0, %0, [%1]" : : "r"(value), "r"(address) : "memory"); break;
	case 9: __asm__ volatile("ldp x9, x10, [%0]" : : "r"(address) : "x9", "x10", "memory"); break;
	case 10: __asm__ volatile("str %w0, [%1], #4" : : "r"(value), "r"(address) : "memory"); break;
	default: __asm__ volatile("ldxr %w0, [%1]" : "=&r"(value) : "r"(address) : "memory"); break;
	}
}

/* Every word of the device space that something may answer in, then places anywhere in it, then anywhere at all. */
static void device_fuzz(void)
{
	static const uintptr_t pages[] = { 0x08000000, 0x080a0000, 0x080b0000, 0x080c0000, 0x080d0000, 0x09000000, 0x09010000, 0x09020000, 0x0a000000, 0x0a003000, 0x00000000, 0x04000000 };

	exception_set_hook(skip);
	irq_mask();
	for (unsigned int page = 0; page < ARRAY_COUNT(pages); page++)
		for (uintptr_t offset = 0; offset < 0x1000; offset += 4)
			touch(pages[page] + offset + (random() & 3), random(), (unsigned int)(random() >> 40) % 12);
	for (unsigned int count = 0; count < 20000; count++)
		touch((random() >> 8) & 0x3fffffff, random(), (unsigned int)(random() >> 40) % 12);
	for (unsigned int count = 0; count < 2000; count++)
		touch(0x80000000000UL | random() >> 8, random(), (unsigned int)(random() >> 40) % 12);
	psci_system_off();
}

/* --- memory --- */

static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[512] __attribute__((aligned(4096)));

#define BLOCK 1UL
#define TABLE 3UL
#define NORMAL (1UL << 2)
#define USER (1UL << 6)
#define SHARED (3UL << 8)
#define ACCESSED (1UL << 10)
#define PXN (1UL << 53)
#define UXN (1UL << 54)

static void turn_mmu_on(void)
{
	level1[0] = BLOCK | ACCESSED | PXN | UXN;
	level1[1] = (uint64_t)level2 | TABLE;
	for (unsigned int i = 0; i < 512; i++)
		level2[i] = (0x40000000UL + i * 0x200000UL) | BLOCK | NORMAL | SHARED | ACCESSED | UXN;
	level2[(WORDS_BASE - 0x40000000UL) / 0x200000UL] = WORDS_BASE | BLOCK | NORMAL | SHARED | ACCESSED | USER | PXN;
	WRITE_SYSREG("mair_el1", 0xff00);
	WRITE_SYSREG("tcr_el1", 25UL | 1UL << 8 | 1UL << 10 | 3UL << 12 | 1UL << 23 | 1UL << 32);
	WRITE_SYSREG("ttbr0_el1", (uint64_t)level1);
	cpu_isb();
	WRITE_SYSREG("sctlr_el1", READ_SYSREG("sctlr_el1") | 1 | 1 << 2 | 1 << 12);
	cpu_isb();
}

/* Its own tables, entry after entry, until nothing is mapped any more. */
static void table_corruption(void)
{
	turn_mmu_on();
	exception_set_hook(skip);
	for (;;) {
		volatile uint64_t *table = (random() & 1) != 0 ? level1 : level2;

		table[random() & 511] = random();
		__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
	}
}

/* --- instructions --- */

static void any_place(struct exception_frame *frame)
{
	frame->elr = WORDS_BASE + (random() & (WORDS_SIZE - 4));
	for (unsigned int i = 0; i < 31; i++)
		frame->x[i] = (random() & 3) == 0 ? random() : WORDS_BASE + (random() & (WORDS_SIZE - 8));
}

static bool resume(struct exception_frame *frame)
{
	faults++;
	frame->elr += 4;
	if (kicked || frame->elr < WORDS_BASE || frame->elr >= WORDS_BASE + WORDS_SIZE)
		any_place(frame);
	kicked = false;
	frame->spsr &= 0xf000000fUL;
	return true;
}

/* Writes an undefined word where the program is, which then comes to resume(). */
static void kick(void *context)
{
	uint64_t pc = READ_SYSREG("elr_el1") & ~3UL;

	(void)context;
	kicked = true;
	WRITE_SYSREG("cpacr_el1", 3UL << 20);
	if (pc >= WORDS_BASE && pc < WORDS_BASE + WORDS_SIZE)
		*(volatile uint32_t *)pc = 0;
}

static void run_words(uint64_t spsr)
{
	exception_set_hook(resume);
	WRITE_SYSREG("cpacr_el1", 3UL << 20);
	timer_start_periodic(10, kick, NULL);
	WRITE_SYSREG("elr_el1", WORDS_BASE);
	WRITE_SYSREG("spsr_el1", spsr);
	__asm__ volatile("eret");
}

static void words_el0(void)
{
	turn_mmu_on();
	run_words(0);
}

static void words_el1(void)
{
	run_words(5);
}

static void bad_vectors(void)
{
	WRITE_SYSREG("vbar_el1", 0x0c000000);
	cpu_isb();
	__asm__ volatile("brk #1");
}

static void wait_for_nothing(void)
{
	irq_mask();
	for (;;)
		__asm__ volatile("wfi");
}

/* Beyond RAM, since below it is device space, which takes stores. */
static void stack_nowhere(void)
{
	__asm__ volatile("mov sp, %0\n\tbrk #1" :: "r"(0x300000000ul));
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{ "level-storm", level_storm }, { "timer-storm", timer_storm }, { "sgi-flood", sgi_flood }, { "device-fuzz", device_fuzz },
	{ "table-corruption", table_corruption }, { "stack-nowhere", stack_nowhere }, { "words-el0", words_el0 }, { "words-el1", words_el1 },
	{ "bad-vectors", bad_vectors }, { "wait-for-nothing", wait_for_nothing },
};

void guest_main(void)
{
	int chosen = fdt_find_path(&board.fdt, "/chosen");
	const char *wanted = chosen < 0 ? NULL : fdt_get_string(&board.fdt, chosen, "bootargs");

	for (unsigned int i = 0; wanted != NULL && i < ARRAY_COUNT(modes); i++)
		if (strcmp(modes[i].name, wanted) == 0)
			modes[i].run();
	print("nothing hostile is called %s\n", wanted);
}

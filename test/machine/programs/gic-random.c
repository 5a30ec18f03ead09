/*
 * Random operations on the interrupt controller from several CPUs, one at a time, each followed by what the CPU sees: pending
 * signals, running priority, the highest pending interrupt of both groups. All interrupts stay masked in PSTATE.
 *
 * The transcript is the same on every machine that has the same interrupt controller. The command line of the build gives SEED,
 * COUNT and CPUS.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/psci.h"

#define GICD 0x08000000UL
#define GICR 0x080A0000UL
#define FRAME 0x20000UL

#ifndef CPUS
#define CPUS 3
#endif
#ifndef SEED
#define SEED 1
#endif
#ifndef COUNT
#define COUNT 12000
#endif

extern void other_cpu_start(void);

static volatile unsigned int turn; /* whose turn it is */
static volatile unsigned int ready;
static uint64_t random_state = 0x9E3779B97F4A7C15UL * (SEED + 1);
static volatile uint64_t aborted;
static uint32_t last_intid[CPUS];

static uint64_t random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545F4914F6CDD1DUL;
}

static unsigned int below(unsigned int limit)
{
	return (unsigned int)((random() >> 33) % limit);
}

static bool skip(struct exception_frame *frame)
{
	aborted = frame->esr;
	frame->elr += 4;
	return true;
}

static uint64_t load(uintptr_t address, unsigned int size)
{
	switch (size) {
	case 1: return *(volatile uint8_t *)address;
	case 2: return *(volatile uint16_t *)address;
	case 4: return *(volatile uint32_t *)address;
	default: return *(volatile uint64_t *)address;
	}
}

static void store(uintptr_t address, unsigned int size, uint64_t value)
{
	switch (size) {
	case 1: *(volatile uint8_t *)address = (uint8_t)value; break;
	case 2: *(volatile uint16_t *)address = (uint16_t)value; break;
	case 4: *(volatile uint32_t *)address = (uint32_t)value; break;
	default: *(volatile uint64_t *)address = value; break;
	}
}

#define ICC(name, encoding) \
	static uint64_t read_##name(void) { uint64_t value = 0xdead; __asm__ volatile("mrs %0, " encoding : "+r"(value)); return value; } \
	static void write_##name(uint64_t value) { __asm__ volatile("msr " encoding ", %0\n\tisb" : : "r"(value) : "memory"); }

ICC(pmr, "S3_0_C4_C6_0")
ICC(iar0, "S3_0_C12_C8_0")
ICC(eoir0, "S3_0_C12_C8_1")
ICC(hppir0, "S3_0_C12_C8_2")
ICC(bpr0, "S3_0_C12_C8_3")
ICC(ap0r0, "S3_0_C12_C8_4")
ICC(ap1r0, "S3_0_C12_C9_0")
ICC(dir, "S3_0_C12_C11_1")
ICC(rpr, "S3_0_C12_C11_3")
ICC(sgi1r, "S3_0_C12_C11_5")
ICC(asgi1r, "S3_0_C12_C11_6")
ICC(sgi0r, "S3_0_C12_C11_7")
ICC(iar1, "S3_0_C12_C12_0")
ICC(eoir1, "S3_0_C12_C12_1")
ICC(hppir1, "S3_0_C12_C12_2")
ICC(bpr1, "S3_0_C12_C12_3")
ICC(ctlr, "S3_0_C12_C12_4")
ICC(sre, "S3_0_C12_C12_5")
ICC(igrpen0, "S3_0_C12_C12_6")
ICC(igrpen1, "S3_0_C12_C12_7")
ICC(isr, "S3_0_C12_C1_0")

struct icc {
	const char *name;
	uint64_t (*read)(void);
	void (*write)(uint64_t value);
};

#define ROW(name) { #name, read_##name, write_##name }
static const struct icc registers[] = {
	ROW(pmr), ROW(bpr0), ROW(bpr1), ROW(ctlr), ROW(igrpen0), ROW(igrpen1), ROW(sre), ROW(ap0r0), ROW(ap1r0),
	ROW(rpr), ROW(hppir0), ROW(hppir1), ROW(iar0), ROW(iar1), ROW(eoir0), ROW(eoir1), ROW(dir), ROW(sgi0r), ROW(sgi1r), ROW(asgi1r),
};

static const uint16_t banks[] = { 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380 };

static uint32_t sparse(void)
{
	uint32_t value = 0;

	for (unsigned int bits = 1 + below(4); bits > 0; bits--)
		value |= 1U << below(32);
	return below(16) == 0 ? 0xffffffffU : value;
}

/* The redistributor's second frame of one CPU, or a word of the distributor. */
static uintptr_t bank_base(unsigned int *word)
{
	*word = 0;
	if (below(3) != 0)
		return GICR + below(CPUS) * FRAME + 0x10000;
	*word = 1 + below(2);
	return GICD;
}

static void show_store(uintptr_t address, unsigned int size, uint64_t value)
{
	print("st%u %lx = %lx", size, address, value);
	store(address, size, value);
}

static void bank_store(void)
{
	unsigned int word;
	uintptr_t base = bank_base(&word);
	/* Enabling and pending more often than their opposites. */
	unsigned int bank = below(3) == 0 ? 1 : below(3) == 0 ? 3 : below(7);

	show_store(base + banks[bank] + word * 4, 4, sparse());
}

static void priority_store(void)
{
	unsigned int word;
	uintptr_t base = bank_base(&word);

	if (below(2) == 0)
		show_store(base + 0x400 + word * 32 + below(32), 1, random());
	else
		show_store(base + 0x400 + word * 32 + below(8) * 4, 4, (uint32_t)random());
}

static void configuration_store(void)
{
	unsigned int word;
	uintptr_t base = bank_base(&word);

	show_store(base + 0xc00 + word * 8 + below(2) * 4, 4, (uint32_t)random());
}

static void route_store(void)
{
	uint64_t value = below(8) == 0 ? random() : below(CPUS + 1);

	if (below(4) == 0)
		show_store(GICD + 0x6100 + below(64) * 8 + below(2) * 4, 4, (uint32_t)value);
	else
		show_store(GICD + 0x6100 + below(64) * 8, 8, value);
}

static void sgi(void)
{
	uint64_t value = (uint64_t)below(16) << 24 | below(16);

	if (below(8) == 0)
		value |= 1UL << 40;
	if (below(16) == 0)
		value |= (uint64_t)below(256) << (16 + 16 * below(3));
	switch (below(6)) {
	case 0: print("sgi0r = %lx", value); write_sgi0r(value); break;
	case 1: print("asgi1r = %lx", value); write_asgi1r(value); break;
	default: print("sgi1r = %lx", value); write_sgi1r(value); break;
	}
}

static void acknowledge(unsigned int cpu)
{
	unsigned int group = below(4) != 0;
	uint64_t value = group ? read_iar1() : read_iar0();

	print("iar%u -> %lx", group, value);
	if (value < 1020)
		last_intid[cpu] = (uint32_t)value;
}

static void end(unsigned int cpu)
{
	unsigned int group = below(4) != 0;
	uint64_t value = below(4) != 0 ? last_intid[cpu] : below(8) == 0 ? below(8192) : below(96); /* above, LPIs */

	if (below(4) == 0) {
		print("dir = %lx", value);
		write_dir(value);
		return;
	}
	print("eoir%u = %lx", group, value);
	if (group)
		write_eoir1(value);
	else
		write_eoir0(value);
}

static void register_write(void)
{
	const struct icc *row = &registers[below(7)];
	uint64_t value = row->write == write_igrpen0 || row->write == write_igrpen1 ? below(4) != 0 : random();

	/* RES0 bits stay 0: QEMU keeps those of ICC_PMR_EL1, and compares those of ICC_BPRn_EL1 with the minimum. */
	if (row->write == write_bpr0 || row->write == write_bpr1)
		value &= 7;
	if (row->write == write_pmr)
		value = below(2) == 0 ? 0xff : value & 0xff;
	if (row->write == write_ctlr)
		value = below(4);
	if (below(32) == 0) {
		row = &registers[7 + below(2)];
		value = 1U << below(32);
	}
	print("%s = %lx", row->name, value);
	row->write(value);
}

static void register_read(void)
{
	const struct icc *row = &registers[below(12)];

	print("%s -> %lx", row->name, row->read());
}

/* Registers of LPIs, which not every machine has: GICD_TYPER, and GICR_CTLR, TYPER, PROPBASER, PENDBASER. */
static bool is_of_lpis(uintptr_t address)
{
	uintptr_t offset = address & 0x1ffff;

	return address < GICR ? (address & ~7UL) == GICD : offset < 0x10 || (offset >= 0x70 && offset < 0x80);
}

static void any_load(void)
{
	unsigned int size = 1U << below(4);
	unsigned int part = below(8);
	uintptr_t address = part < 3 ? GICD + below(0x1000) : part == 3 ? GICD + below(0x10000) : GICR + below(CPUS) * FRAME + (part < 6 ? 0x10000 : 0) + below(part == 7 ? 0x10000 : 0x1000);

	if (below(4) == 0)
		address = (address & ~0xffffUL) | 0xffd0 | (address & 0x2f);
	address &= ~(uintptr_t)(size - 1);
	if (is_of_lpis(address))
		return;
	print("ld%u %lx -> %lx", size, address, load(address, size));
}

static void any_store(void)
{
	unsigned int size = 1U << below(4);
	uintptr_t address = below(2) == 0 ? GICD + below(0x1000) : GICR + below(CPUS) * FRAME + below(2) * 0x10000 + below(0x1000);

	address &= ~(uintptr_t)(size - 1);
	if (is_of_lpis(address))
		return;
	show_store(address, size, random());
}

/* Real levels: the timers' outputs, each CPU its own, and the clock's. */
static void line(void)
{
	uint64_t on = below(2);

	switch (below(3)) {
	case 0:
		print("cntv %lu", on);
		WRITE_SYSREG("cntv_cval_el0", 0);
		WRITE_SYSREG("cntv_ctl_el0", on);
		break;
	case 1:
		print("cntp %lu", on);
		WRITE_SYSREG("cntp_cval_el0", 0);
		WRITE_SYSREG("cntp_ctl_el0", on);
		break;
	default:
		print("uart %lu", on);
		mmio_write32(0x09000038, on << 5);
		break;
	}
	cpu_isb();
}

static void one(unsigned int cpu)
{
	aborted = 0;
	switch (below(24)) {
	case 0: case 1: case 2: case 3: case 4: bank_store(); break;
	case 5: priority_store(); break;
	case 6: configuration_store(); break;
	case 7: route_store(); break;
	case 8: if (below(4) == 0) show_store(GICD, 4, below(4) == 0 ? random() : 3); else show_store(GICD, 4, 3); break;
	case 9: case 10: sgi(); break;
	case 11: case 12: case 13: acknowledge(cpu); break;
	case 14: case 15: case 16: end(cpu); break;
	case 17: register_write(); break;
	case 18: register_read(); break;
	case 19: case 20: any_load(); break;
	case 21: any_store(); break;
	case 22: line(); break;
	default: if (below(4) == 0) show_store(GICR + below(CPUS) * FRAME + 0x14, 4, below(4)); break;
	}
	if (aborted != 0)
		print(" !%lx", aborted);
	aborted = 0;
	print(" | %lx %lx", read_isr(), read_rpr());
	print(" %lx %lx", read_hppir0(), read_hppir1());
	print(aborted != 0 ? " undefined\n" : "\n");
}

static void run(unsigned int cpu)
{
	for (;;) {
		while (turn != cpu)
			__asm__ volatile("yield"); /* QEMU runs another CPU */
		cpu_dsb();
		if (ready == 0)
			return;
		for (unsigned int i = 0; i < 8; i++) {
			print("%u ", cpu);
			one(cpu);
		}
		if (cpu == 0)
			return;
		cpu_dsb();
		turn = 0;
	}
}

void other_cpu(uint64_t cpu);
void other_cpu(uint64_t cpu)
{
	write_sre(7);
	ready++;
	run((unsigned int)cpu);
}

static void state(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		uintptr_t frame = GICR + cpu * FRAME + 0x10000;

		print("cpu %u:", cpu);
		for (unsigned int bank = 0; bank < 7; bank += 2)
			print(" %08x", mmio_read32(frame + banks[bank]));
		print(" %08x %08x\n", mmio_read32(frame + 0x180), mmio_read32(frame + 0xc04));
	}
	for (unsigned int word = 1; word < 3; word++) {
		print("word %u:", word);
		for (unsigned int bank = 0; bank < 7; bank++)
			print(" %08x", mmio_read32(GICD + banks[bank] + word * 4));
		print(" %08x %08x\n", mmio_read32(GICD + 0xc00 + word * 8), mmio_read32(GICD + 0xc04 + word * 8));
	}
}

void guest_main(void)
{
	irq_mask();
	exception_set_hook(skip);
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		unsigned int before = ready;

		psci_cpu_on(cpu, (uintptr_t)other_cpu_start, cpu);
		while (ready == before)
			__asm__ volatile("yield");
	}
	ready = 1;
	for (unsigned int done = 0; done < COUNT; done += 8) {
		unsigned int cpu = below(CPUS);

		turn = cpu;
		cpu_dsb();
		if (cpu == 0)
			run(0);
		while (turn != 0)
			__asm__ volatile("yield");
		if (done % 64 == 0)
			state();
	}
	/* Lets the printing of the end go through whatever was done to the serial port. */
	mmio_write32(0x09000038, 0);
}

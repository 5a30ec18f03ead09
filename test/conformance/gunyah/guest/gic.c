/* The interrupt controller: every register, the CPU interface, delivery. */
#include "probe.h"

#define GICD 0x08000000ull
#define GICR 0x080a0000ull
#define SGI_FRAME 0x10000ull
#define FRAME 0x20000ull
#define LDRB 0x39400000
#define LDRH 0x79400000
#define LDRW 0xb9400000
#define LDRX 0xf9400000
#define STRB 0x39000001
#define STRH 0x79000001
#define STRW 0xb9000001
#define STRX 0xf9000001

#define ICC_PMR 3, 0, 4, 6, 0
#define ICC_IAR0 3, 0, 12, 8, 0
#define ICC_EOIR0 3, 0, 12, 8, 1
#define ICC_HPPIR0 3, 0, 12, 8, 2
#define ICC_BPR0 3, 0, 12, 8, 3
#define ICC_AP0R0 3, 0, 12, 8, 4
#define ICC_AP1R0 3, 0, 12, 9, 0
#define ICC_DIR 3, 0, 12, 11, 1
#define ICC_RPR 3, 0, 12, 11, 3
#define ICC_SGI1R 3, 0, 12, 11, 5
#define ICC_ASGI1R 3, 0, 12, 11, 6
#define ICC_SGI0R 3, 0, 12, 11, 7
#define ICC_IAR1 3, 0, 12, 12, 0
#define ICC_EOIR1 3, 0, 12, 12, 1
#define ICC_HPPIR1 3, 0, 12, 12, 2
#define ICC_BPR1 3, 0, 12, 12, 3
#define ICC_CTLR 3, 0, 12, 12, 4
#define ICC_SRE 3, 0, 12, 12, 5
#define ICC_IGRPEN0 3, 0, 12, 12, 6
#define ICC_IGRPEN1 3, 0, 12, 12, 7

#define READ(...) MRS_WORD(__VA_ARGS__)
#define WRITE(...) MSR_WORD(__VA_ARGS__)

static void icc(const char *name, u32 word, u64 value)
{
	say("icc %s = ", name);
	say_insn(word, value, 0);
}

static u64 get(u32 word)
{
	return instruction(word, 0x5500aa, 0);
}

static void set(u32 word, u64 value)
{
	instruction(word, value, 0);
}

static void load(const char *name, u64 base, u64 offset, u32 word)
{
	say("%s %x = ", name, offset);
	say_insn(word, base + offset, 0);
}

static void ask_distributor(void)
{
	static const u16 words[] = {
		0x0, 0x4, 0x8, 0xc, 0x10, 0x14, 0x20, 0x30, 0x3c, 0x40, 0x44, 0x48, 0x50, 0x54, 0x58, 0x5c, 0x60, 0x7c, 0x80, 0x84, 0xfc, 0x100, 0x104, 0x17c, 0x180, 0x184, 0x1fc, 0x200, 0x204, 0x27c, 0x280, 0x2fc, 0x300, 0x304, 0x37c, 0x380,
		0x3fc, 0x400, 0x404, 0x41c, 0x420, 0x7f8, 0x7fc, 0x800, 0x820, 0xbfc, 0xc00, 0xc04, 0xc08, 0xcfc, 0xd00, 0xd04, 0xd7c, 0xe00, 0xe04, 0xefc, 0xf00, 0xf10, 0xf14, 0xf1c, 0xf20, 0xf2c, 0xf30, 0xf80, 0x1000, 0x1fff & ~3, 0x2000, 0x3000, 0x5ffc,
		0x6000, 0x60f8, 0x6100, 0x6104, 0x6108, 0x7fd8, 0x7fe0, 0x8000, 0xbffc, 0xc000, 0xffc0, 0xffd0, 0xffd4, 0xffd8, 0xffdc, 0xffe0, 0xffe4, 0xffe8, 0xffec, 0xfff0, 0xfff4, 0xfff8, 0xfffc,
	};

	for (u32 i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		load("gicd", GICD, words[i], LDRW);
	load("gicd statusr after reads", GICD, 0x10, LDRW);
	write32(GICD + 0x10, 0xffffffff);
	load("gicd statusr cleared", GICD, 0x10, LDRW);
	load("gicd byte", GICD, 0x420, LDRB);
	load("gicd byte", GICD, 0x820, LDRB);
	load("gicd byte", GICD, 0xf10, LDRB);
	load("gicd byte", GICD, 0x84, LDRB);
	load("gicd half", GICD, 0x40, LDRH);
	load("gicd half", GICD, 0x48, LDRH);
	load("gicd half", GICD, 0x420, LDRH);
	load("gicd double", GICD, 0x6100, LDRX);
	load("gicd double", GICD, 0x7fd8, LDRX);
	load("gicd double", GICD, 0x6000, LDRX);
	load("gicd double", GICD, 0x0, LDRX);
	load("gicd double", GICD, 0x80, LDRX);
	load("gicd statusr of widths", GICD, 0x10, LDRW);
	write32(GICD + 0x10, 0xffffffff);
	/* Writes, and what is left. CTLR is written last. */
	static const struct { u16 offset; u32 value; } writes[] = {
		{ 0x4, ~0u }, { 0x8, ~0u }, { 0xc, ~0u }, { 0x14, ~0u }, { 0x30, ~0u }, { 0x50, 0x25 }, { 0x58, 0x25 }, { 0x80, ~0u }, { 0x84, ~0u }, { 0xfc, ~0u }, { 0x100, ~0u }, { 0x104, 0xff00ff00 }, { 0x184, 0xf000f000 }, { 0x17c, ~0u }, { 0x1fc, ~0u },
		{ 0x200, ~0u }, { 0x208, 0x3 }, { 0x288, 0x1 }, { 0x27c, ~0u }, { 0x2fc, ~0u }, { 0x300, ~0u }, { 0x308, 0x6 }, { 0x388, 0x2 }, { 0x388, ~0u }, { 0x288, ~0u }, { 0x400, ~0u }, { 0x420, ~0u }, { 0x424, 0x12345678 }, { 0x800, ~0u }, { 0x820, ~0u },
		{ 0xc00, ~0u }, { 0xc04, ~0u }, { 0xc08, ~0u }, { 0xc0c, 0x55555555 }, { 0xd04, ~0u }, { 0xe08, ~0u }, { 0xf00, 0x0 }, { 0xf10, ~0u }, { 0xf20, ~0u }, { 0xf80, 0 }, { 0x1000, 0 }, { 0x2000, 0 }, { 0x6000, 0 }, { 0x6100, 1 }, { 0x6104, 1 }, { 0x7fe0, 0 }, { 0x8000, 0 },
		{ 0xffe8, 0 }, { 0xfffc, 0 }, { 0xffd0, 0 }, { 0x0, ~0u }, { 0x0, 0x10 }, { 0x0, 1 }, { 0x0, 2 }, { 0x0, 0 },
	};

	for (u32 i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		say("gicd write %x to %x = ", (u64)writes[i].value, (u64)writes[i].offset);
		say_insn(STRW, GICD + writes[i].offset, writes[i].value);
		say("gicd written %x to %x = ", (u64)writes[i].value, (u64)writes[i].offset);
		say_insn(LDRW, GICD + writes[i].offset, 0);
		if (writes[i].offset == 0x10 || i % 8 == 7) {
			say("gicd statusr then = ");
			say_insn(LDRW, GICD + 0x10, 0);
			write32(GICD + 0x10, 0xffffffff);
		}
	}
	say("gicd write byte priority = ");
	say_insn(STRB, GICD + 0x425, 0xff);
	load("gicd written byte", GICD, 0x424, LDRW);
	say("gicd write byte enable = ");
	say_insn(STRB, GICD + 0x104, 0xff);
	say("gicd write half priority = ");
	say_insn(STRH, GICD + 0x424, 0xff);
	say("gicd write double route = ");
	say_insn(STRX, GICD + 0x6108, 0x0000000100000002ull);
	load("gicd written route", GICD, 0x6108, LDRX);
	say("gicd write double enable = ");
	say_insn(STRX, GICD + 0x108, 0);
	load("gicd statusr at the end", GICD, 0x10, LDRW);
	write32(GICD + 0x10, 0xffffffff);
	/* As after reset. */
	for (u32 n = 1; n < 32; n++) {
		write32(GICD + 0x180 + 4 * n, ~0u);
		write32(GICD + 0x280 + 4 * n, ~0u);
		write32(GICD + 0x380 + 4 * n, ~0u);
		write32(GICD + 0x80 + 4 * n, 0);
	}
	for (u32 n = 8; n < 255; n++)
		write32(GICD + 0x400 + 4 * n, 0);
	for (u32 n = 2; n < 64; n++)
		write32(GICD + 0xc00 + 4 * n, 0);
	for (u64 n = 32; n < 1020; n++)
		write64(GICD + 0x6000 + 8 * n, 0);
}

static void ask_redistributors(void)
{
	static const u32 words[] = {
		0x0, 0x4, 0x8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30, 0x40, 0x48, 0x70, 0x74, 0x78, 0x7c, 0xa0, 0xb0, 0xc0, 0xc4, 0x100, 0x110, 0x1000, 0xc000, 0xffd0, 0xffe0, 0xffe4, 0xffe8, 0xffec, 0xfff0, 0xfffc,
		0x10000, 0x10010, 0x10080, 0x10084, 0x10100, 0x10180, 0x10200, 0x10280, 0x10300, 0x10380, 0x10400, 0x1041c, 0x10420, 0x10c00, 0x10c04, 0x10c08, 0x10d00, 0x10e00, 0x11000, 0x1ffd0, 0x1ffe8, 0x1fffc,
	};
	static const struct { u32 offset; u32 value; } writes[] = {
		{ 0x0, ~0u }, { 0x4, ~0u }, { 0x8, ~0u }, { 0x10, ~0u }, { 0x14, 2 }, { 0x14, 0 }, { 0x20, 0 }, { 0x30, 0 }, { 0x40, 0 }, { 0x48, 0 }, { 0x70, 0 }, { 0x74, 0 }, { 0x78, 0 }, { 0xa0, 0 }, { 0xb0, 0 }, { 0xc0, 0 }, { 0x100, 0 }, { 0x110, 0 }, { 0xffe8, 0 },
		{ 0x10080, ~0u }, { 0x10080, 0 }, { 0x10100, 0xffff }, { 0x10180, ~0u }, { 0x10200, 0x10000 }, { 0x10280, ~0u }, { 0x10300, 0x3 }, { 0x10380, ~0u }, { 0x10400, ~0u }, { 0x10410, 0x12345678 }, { 0x10400, 0 }, { 0x10410, 0 }, { 0x10420, 0 },
		{ 0x10c00, 0 }, { 0x10c00, ~0u }, { 0x10c04, ~0u }, { 0x10c04, 0 }, { 0x10c08, 0 }, { 0x10d00, ~0u }, { 0x10e00, ~0u }, { 0x11000, 0 }, { 0x1ffe8, 0 },
	};

	for (u32 i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		load("gicr", GICR, words[i], LDRW);
	for (u64 n = 0; n < 8; n++) {
		say("gicr typer of %x = ", n);
		say_insn(LDRX, GICR + n * FRAME + 8, 0);
		say("gicr waker of %x = ", n);
		say_insn(LDRW, GICR + n * FRAME + 0x14, 0);
		say("gicr igroupr0 of %x = ", n);
		say_insn(LDRW, GICR + n * FRAME + 0x10080, 0);
		say("gicr pidr2 of %x = ", n);
		say_insn(LDRW, GICR + n * FRAME + 0xffe8, 0);
	}
	load("gicr double", GICR, 0x70, LDRX);
	load("gicr double", GICR, 0x78, LDRX);
	load("gicr double", GICR, 0x40, LDRX);
	load("gicr double", GICR, 0x0, LDRX);
	load("gicr double", GICR, 0x10100, LDRX);
	load("gicr byte", GICR, 0x10400, LDRB);
	load("gicr byte", GICR, 0x10100, LDRB);
	load("gicr byte", GICR, 0x14, LDRB);
	load("gicr half", GICR, 0x10400, LDRH);
	for (u32 i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		say("gicr write %x to %x = ", (u64)writes[i].value, (u64)writes[i].offset);
		say_insn(STRW, GICR + writes[i].offset, writes[i].value);
		say("gicr written %x to %x = ", (u64)writes[i].value, (u64)writes[i].offset);
		say_insn(LDRW, GICR + writes[i].offset, 0);
	}
	say("gicr write double propbaser = ");
	say_insn(STRX, GICR + 0x70, 0);
	say("gicr write double setlpir = ");
	say_insn(STRX, GICR + 0x40, 0);
	say("gicr write byte priority = ");
	say_insn(STRB, GICR + 0x10403, 0xff);
	load("gicr written byte", GICR, 0x10400, LDRW);
	write32(GICR + 0x10400, 0);
	load("gicr statusr", GICR, 0x10, LDRW);
	/* Another CPU's frame. */
	say("gicr write other priority = ");
	say_insn(STRW, GICR + 3 * FRAME + 0x10410, 0xa0a0a0a0);
	say("gicr other priority = ");
	say_insn(LDRW, GICR + 3 * FRAME + 0x10410, 0);
	say("gicr own priority = ");
	say_insn(LDRW, GICR + 0x10410, 0);
	write32(GICR + 3 * FRAME + 0x10410, 0);
	/* The distributor shows the caller's private interrupts. */
	write32(GICR + 0x10080, 0x00ff00ff);
	write32(GICR + 0x10100, 0x0000ffff);
	write32(GICR + 0x10410, 0x80808080);
	load("gicd private", GICD, 0x80, LDRW);
	load("gicd private", GICD, 0x100, LDRW);
	load("gicd private", GICD, 0x180, LDRW);
	load("gicd private", GICD, 0x410, LDRW);
	load("gicd private", GICD, 0xc00, LDRW);
	load("gicd private", GICD, 0xc04, LDRW);
	write32(GICR + 0x10180, ~0u);
	write32(GICR + 0x10080, 0);
	write32(GICR + 0x10410, 0);
	write32(GICR + 0x10280, ~0u);
	write32(GICR + 0x10380, ~0u);
	write32(GICR + 0x14, 0);
}

static void all_icc(const char *when)
{
	static const struct { const char *name; u32 word; } registers[] = {
		{ "pmr", READ(ICC_PMR) }, { "hppir0", READ(ICC_HPPIR0) }, { "bpr0", READ(ICC_BPR0) }, { "ap0r0", READ(ICC_AP0R0) }, { "ap1r0", READ(ICC_AP1R0) }, { "rpr", READ(ICC_RPR) }, { "hppir1", READ(ICC_HPPIR1) }, { "bpr1", READ(ICC_BPR1) },
		{ "ctlr", READ(ICC_CTLR) }, { "sre", READ(ICC_SRE) }, { "igrpen0", READ(ICC_IGRPEN0) }, { "igrpen1", READ(ICC_IGRPEN1) }, { "iar0", READ(ICC_IAR0) }, { "iar1", READ(ICC_IAR1) }, { "dir", READ(ICC_DIR) }, { "sgi1r", READ(ICC_SGI1R) }, { "eoir1", READ(ICC_EOIR1) },
	};

	for (u32 i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		say("icc %s %s = ", when, registers[i].name);
		say_insn(registers[i].word, 0x5500aa, 0);
	}
}

static void ask_cpu_interface(void)
{
	static const struct { const char *name; u32 write, read; u64 value; } keeps[] = {
		{ "pmr ff", WRITE(ICC_PMR), READ(ICC_PMR), 0xff }, { "pmr 55", WRITE(ICC_PMR), READ(ICC_PMR), 0x55 }, { "pmr ffffffffffffffff", WRITE(ICC_PMR), READ(ICC_PMR), ALL_ONES }, { "pmr 7", WRITE(ICC_PMR), READ(ICC_PMR), 7 }, { "pmr 100", WRITE(ICC_PMR), READ(ICC_PMR), 0x100 },
		{ "bpr0 0", WRITE(ICC_BPR0), READ(ICC_BPR0), 0 }, { "bpr0 7", WRITE(ICC_BPR0), READ(ICC_BPR0), 7 }, { "bpr0 3", WRITE(ICC_BPR0), READ(ICC_BPR0), 3 }, { "bpr0 2", WRITE(ICC_BPR0), READ(ICC_BPR0), 2 },
		{ "bpr1 0", WRITE(ICC_BPR1), READ(ICC_BPR1), 0 }, { "bpr1 7", WRITE(ICC_BPR1), READ(ICC_BPR1), 7 }, { "bpr1 4", WRITE(ICC_BPR1), READ(ICC_BPR1), 4 }, { "bpr1 3", WRITE(ICC_BPR1), READ(ICC_BPR1), 3 },
		{ "ctlr 1", WRITE(ICC_CTLR), READ(ICC_CTLR), 1 }, { "bpr1 with cbpr", WRITE(ICC_BPR1), READ(ICC_BPR1), 5 }, { "ctlr 2", WRITE(ICC_CTLR), READ(ICC_CTLR), 2 }, { "ctlr ffffffff", WRITE(ICC_CTLR), READ(ICC_CTLR), ALL_ONES }, { "ctlr 0", WRITE(ICC_CTLR), READ(ICC_CTLR), 0 },
		{ "sre 0", WRITE(ICC_SRE), READ(ICC_SRE), 0 }, { "sre 7", WRITE(ICC_SRE), READ(ICC_SRE), ALL_ONES }, { "ap1r0 0", WRITE(ICC_AP1R0), READ(ICC_AP1R0), 0 }, { "ap0r0 0", WRITE(ICC_AP0R0), READ(ICC_AP0R0), 0 },
		{ "igrpen0 1", WRITE(ICC_IGRPEN0), READ(ICC_IGRPEN0), 1 }, { "igrpen1 1", WRITE(ICC_IGRPEN1), READ(ICC_IGRPEN1), 1 }, { "igrpen1 ff", WRITE(ICC_IGRPEN1), READ(ICC_IGRPEN1), 0xff },
	};

	all_icc("off");
	set(WRITE(ICC_IGRPEN1), 1);
	all_icc("cpu group 1, not gicd");
	write32(GICD, 2);
	all_icc("group 1");
	write32(GICD, 1);
	all_icc("gicd group 0 only");
	write32(GICD, 3);
	all_icc("both gicd, cpu group 1");
	set(WRITE(ICC_IGRPEN0), 1);
	all_icc("both");
	for (u32 i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++) {
		say("icc write %s = ", keeps[i].name);
		say_insn(keeps[i].write, keeps[i].value, 0);
		say("icc written %s = ", keeps[i].name);
		say_insn(keeps[i].read, 0x5500aa, 0);
	}
	set(WRITE(ICC_BPR0), 0);
	set(WRITE(ICC_BPR1), 0);
	set(WRITE(ICC_PMR), 0xff);
	icc("iar1, nothing", READ(ICC_IAR1), 0);
	icc("iar0, nothing", READ(ICC_IAR0), 0);
	icc("eoir1 of nothing", WRITE(ICC_EOIR1), 1023);
	icc("eoir1 of 5", WRITE(ICC_EOIR1), 5);
	icc("eoir0 of 5", WRITE(ICC_EOIR0), 5);
	icc("isr", READ(3, 0, 12, 1, 0), 0);
}

/* State of an interrupt: pending, active, highest pending, ISR. */
static void state(const char *name, u32 intid)
{
	u64 base = intid < 32 ? GICR + SGI_FRAME : GICD;
	u32 bit = 1u << (intid % 32), word = intid < 32 ? 0 : intid / 32 * 4;

	say("irq %s =%s%s hppir %x isr %x rpr %x\n", name, read32(base + 0x200 + word) & bit ? " pending" : "", read32(base + 0x300 + word) & bit ? " active" : "", get(READ(ICC_HPPIR1)), get(READ(3, 0, 12, 1, 0)), get(READ(ICC_RPR)));
}

static u64 ack(const char *name)
{
	u64 intid;

	delay(20);
	intid = get(READ(ICC_IAR1));
	say("irq %s = %x\n", name, intid);
	return intid;
}

static void end(u64 intid)
{
	if (intid < 1020)
		set(WRITE(ICC_EOIR1), intid);
	delay(20);
}

static void enable(u32 intid, u32 priority, bool edge)
{
	u64 base = intid < 32 ? GICR + SGI_FRAME : GICD;
	u32 word = intid < 32 ? 0 : intid / 32 * 4, configuration = intid / 16 * 4;

	write32(base + 0x80 + word, read32(base + 0x80 + word) | 1u << (intid % 32));
	write8(base + 0x400 + intid, (u8)priority);
	write32(base + 0xc00 + configuration, (read32(base + 0xc00 + configuration) & ~(3u << (intid % 16 * 2))) | (edge ? 2u << (intid % 16 * 2) : 0));
	write32(base + 0x100 + word, 1u << (intid % 32));
}

static void disable(u32 intid)
{
	u64 base = intid < 32 ? GICR + SGI_FRAME : GICD;
	u32 word = intid < 32 ? 0 : intid / 32 * 4;

	write32(base + 0x180 + word, 1u << (intid % 32));
	write32(base + 0x280 + word, 1u << (intid % 32));
	write32(base + 0x380 + word, 1u << (intid % 32));
	delay(20);
}

static void ask_delivery(void)
{
	struct cpu *cpu = this_cpu();
	u64 first, count;

	/* Software-generated, to oneself. */
	for (u32 n = 0; n < 16; n++)
		enable(n, 0x80, true);
	set(WRITE(ICC_SGI1R), 5ull << 24 | 1);
	delay(20);
	state("sgi 5 sent", 5);
	first = ack("sgi 5");
	state("sgi 5 taken", 5);
	end(ack("sgi 5 again"));
	end(first);
	state("sgi 5 ended", 5);
	set(WRITE(ICC_SGI1R), 3ull << 24 | 1);
	set(WRITE(ICC_SGI1R), 3ull << 24 | 1);
	end(ack("sgi 3 sent twice"));
	end(ack("sgi 3 second time"));
	set(WRITE(ICC_SGI1R), 1ull << 40 | 4ull << 24);
	end(ack("sgi 4 to all others"));
	set(WRITE(ICC_SGI1R), 6ull << 24 | 2);
	end(ack("sgi 6 to another"));
	set(WRITE(ICC_SGI1R), 6ull << 24 | 1ull << 16 | 1);
	end(ack("sgi 6 to another cluster"));
	set(WRITE(ICC_SGI1R), 6ull << 24 | 1ull << 44 | 1);
	end(ack("sgi 6 to range 1"));
	set(WRITE(ICC_SGI0R), 7ull << 24 | 1);
	end(ack("sgi 7 of group 0, but it is group 1"));
	set(WRITE(ICC_ASGI1R), 7ull << 24 | 1);
	end(ack("sgi 7 by asgi1r"));
	write32(GICR + 0x10200, 1 << 9);
	end(ack("sgi 9 by ispendr"));
	write32(GICD + 0x200, 1 << 9);
	end(ack("sgi 9 by gicd ispendr"));
	/* Group 0. */
	write32(GICR + 0x10080, read32(GICR + 0x10080) & ~(1u << 8));
	set(WRITE(ICC_SGI0R), 8ull << 24 | 1);
	delay(20);
	say("irq group 0 = iar1 %x hppir0 %x isr %x", get(READ(ICC_IAR1)), get(READ(ICC_HPPIR0)), get(READ(3, 0, 12, 1, 0)));
	first = get(READ(ICC_IAR0));
	say(" iar0 %x\n", first);
	set(WRITE(ICC_EOIR0), first);
	set(WRITE(ICC_SGI1R), 8ull << 24 | 1);
	delay(20);
	first = get(READ(ICC_IAR0));
	say("irq group 0 by sgi1r = %x\n", first);
	set(WRITE(ICC_EOIR0), first);
	write32(GICR + 0x10080, read32(GICR + 0x10080) | 1u << 8);
	/* Shared, by register: edge once, level once. */
	enable(100, 0x80, true);
	write32(GICD + 0x200 + 12, 1 << 4);
	delay(20);
	state("spi 100 pended, edge", 100);
	end(ack("spi 100, edge"));
	end(ack("spi 100, edge, again"));
	enable(101, 0x80, false);
	write32(GICD + 0x200 + 12, 1 << 5);
	end(ack("spi 101 by ispendr, level"));
	end(ack("spi 101 by ispendr, level, again"));
	write32(GICD + 0x280 + 12, 1 << 5);
	delay(20);
	state("spi 101 cleared after it was listed", 101);
	end(ack("spi 101 cleared after it was listed"));
	end(ack("spi 101 cleared, again"));
	write32(GICD + 0x200 + 12, 1 << 5);
	delay(20);
	write32(GICD + 0x280 + 12, 1 << 5);
	delay(20);
	state("spi 101 withdrawn", 101);
	end(ack("spi 101 withdrawn"));
	/* Message-based. */
	write32(GICD + 0x40, 100);
	end(ack("setspi 100, edge"));
	end(ack("setspi 100, edge, again"));
	write32(GICD + 0x40, 101);
	first = ack("setspi 101, level");
	state("setspi 101 taken", 101);
	end(first);
	first = ack("setspi 101, level, again");
	write32(GICD + 0x48, 101);
	end(first);
	state("setspi 101 cleared while active", 101);
	end(ack("setspi 101, cleared while active"));
	write32(GICD + 0x40, 101);
	delay(20);
	state("setspi 101 listed", 101);
	write32(GICD + 0x48, 101);
	delay(20);
	state("setspi 101 cleared while listed", 101);
	end(ack("setspi 101, cleared while listed"));
	end(ack("setspi 101, cleared while listed, again"));
	write32(GICD + 0x40, 100);
	delay(20);
	write32(GICD + 0x48, 100);
	delay(20);
	end(ack("setspi 100, edge, cleared while listed"));
	end(ack("setspi 100, edge, cleared while listed, again"));
	write32(GICD + 0x40, 31);
	write32(GICD + 0x40, 1020);
	write32(GICD + 0x40, 0xffff);
	end(ack("setspi of what is no spi"));
	say("irq setspi half word = ");
	say_insn(STRH, GICD + 0x40, 100);
	end(ack("setspi 100 by half word"));
	/* Disabled, then enabled; active by register; group changes. */
	disable(100);
	write32(GICD + 0x200 + 12, 1 << 4);
	delay(20);
	state("spi 100 pending while disabled", 100);
	write32(GICD + 0x100 + 12, 1 << 4);
	delay(20);
	state("spi 100 enabled", 100);
	write32(GICD + 0x180 + 12, 1 << 4);
	delay(20);
	state("spi 100 disabled again", 100);
	end(ack("spi 100 disabled again"));
	write32(GICD + 0x100 + 12, 1 << 4);
	end(ack("spi 100 enabled again"));
	write32(GICD + 0x200 + 12, 1 << 4);
	delay(20);
	write32(GICD + 0x280 + 12, 1 << 4);
	delay(20);
	state("spi 100, edge, cleared while listed", 100);
	end(ack("spi 100, edge, cleared while listed"));
	/* Routes. */
	write64(GICD + 0x6000 + 8 * 100, 1);
	write32(GICD + 0x200 + 12, 1 << 4);
	delay(20);
	state("spi 100 routed to another", 100);
	end(ack("spi 100 routed to another"));
	write64(GICD + 0x6000 + 8 * 100, 0);
	delay(20);
	end(ack("spi 100 routed back"));
	write64(GICD + 0x6000 + 8 * 100, 0x80000000);
	write32(GICD + 0x200 + 12, 1 << 4);
	end(ack("spi 100 to any"));
	write64(GICD + 0x6000 + 8 * 100, 0x100);
	end(ack("spi 100 to nobody"));
	write64(GICD + 0x6000 + 8 * 100, 0);
	delay(20);
	end(ack("spi 100 back from nobody"));
	/* Priorities: mask, order, preemption, running priority. */
	enable(102, 0x40, true);
	enable(103, 0xc0, true);
	write32(GICD + 0x200 + 12, 0x7 << 4 | 1 << 7);
	delay(20);
	first = ack("lowest number of highest priority");
	state("102 taken", 103);
	count = ack("nothing preempts");
	end(first);
	first = ack("next");
	write32(GICD + 0x200 + 12, 1 << 6);
	count = ack("102 preempts");
	say("irq preempted = rpr %x ap1r0 %x\n", get(READ(ICC_RPR)), get(READ(ICC_AP1R0)));
	end(count);
	end(first);
	first = ack("third");
	end(first);
	first = ack("fourth");
	end(first);
	set(WRITE(ICC_PMR), 0x80);
	write32(GICD + 0x200 + 12, 1 << 4);
	delay(20);
	state("priority 80 behind mask 80", 100);
	end(ack("priority 80 behind mask 80"));
	set(WRITE(ICC_PMR), 0x88);
	end(ack("priority 80 behind mask 88"));
	set(WRITE(ICC_PMR), 0xff);
	/* Two steps to the end. */
	set(WRITE(ICC_CTLR), 2);
	write32(GICD + 0x200 + 12, 1 << 4);
	first = ack("two steps");
	set(WRITE(ICC_EOIR1), first);
	state("priority dropped", 100);
	write32(GICD + 0x200 + 12, 1 << 4);
	end(ack("still active"));
	set(WRITE(ICC_DIR), first);
	delay(20);
	state("deactivated", 100);
	first = ack("after deactivation");
	set(WRITE(ICC_EOIR1), first);
	set(WRITE(ICC_DIR), first);
	set(WRITE(ICC_CTLR), 0);
	/* Out of order, and of something else. */
	write32(GICD + 0x200 + 12, 1 << 6);
	first = ack("102");
	set(WRITE(ICC_EOIR1), 999);
	state("end of another", 102);
	set(WRITE(ICC_EOIR1), first);
	state("end of it then", 102);
	write32(GICD + 0x380 + 12, ~0u);
	set(WRITE(ICC_AP1R0), 0);
	/* Taken as an exception. */
	count = cpu->count;
	write32(GICD + 0x200 + 12, 1 << 4);
	delay(20);
	__asm__ volatile("msr daifclr, #2\n\tnop\n\tnop\n\tmsr daifset, #2" ::: "memory");
	say("irq exception = vector %x times %x spsr %x\n", cpu->vector, cpu->count - count, cpu->spsr & 0xfffffff);
	end(ack("after the exception"));
	count = cpu->count;
	write32(GICD + 0x200 + 12, 1 << 4);
	__asm__ volatile("wfi" ::: "memory");
	say("irq wfi with a masked interrupt = exceptions %x\n", cpu->count - count);
	end(ack("after wfi"));
	disable(100);
	disable(101);
	disable(102);
	disable(103);
}

void ask_gic(void)
{
	ask_distributor();
	ask_redistributors();
	ask_cpu_interface();
	ask_delivery();
}

/* ---- Timers ---- */

static void timer(const char *name, u32 intid, u32 control, u32 compare, u32 value)
{
	u64 first;

	(void)value;
	enable(intid, 0x80, false);
	set(control, 0);
	say("timer %s configuration = %x\n", name, (u64)read32(GICR + 0x10c04) >> ((intid - 16) * 2) & 3);
	set(compare, MRS(cntvct_el0) + 1250000);
	set(control, 1);
	say("timer %s early = ctl %x irq %x\n", name, get(control | 1u << 21), get(READ(ICC_IAR1)));
	delay(25000);
	say("timer %s late = ctl %x\n", name, get(control | 1u << 21));
	state(name, intid);
	first = ack(name);
	set(WRITE(ICC_EOIR1), first);
	delay(20);
	first = ack("condition holds");
	set(control, 3);
	say("timer %s masked = ctl %x\n", name, get(control | 1u << 21));
	end(first);
	end(ack("masked while active"));
	set(control, 1);
	delay(20);
	state("unmasked", intid);
	set(control, 0);
	delay(20);
	state("withdrawn", intid);
	say("timer %s withdrawn = ctl %x\n", name, get(control | 1u << 21));
	end(ack("withdrawn, once"));
	end(ack("withdrawn, not again"));
	set(control, 3);
	delay(20);
	end(ack("masked from the start"));
	set(value, 1250000);
	say("timer %s far = %s\n", name, (u32)get(value | 1u << 21) <= 1250000 ? "counts down" : "past");
	set(value, 6250);
	set(control, 1);
	__asm__ volatile("wfi" ::: "memory");
	first = ack("after wfi");
	set(control, 0);
	end(first);
	/* Edge-triggered. */
	enable(intid, 0x80, true);
	say("timer %s edge configuration = %x\n", name, (u64)read32(GICR + 0x10c04) >> ((intid - 16) * 2) & 3);
	set(value, 100);
	set(control, 1);
	delay(200);
	end(ack("edge"));
	end(ack("edge, not again"));
	set(control, 0);
	enable(intid, 0x80, false);
	disable(intid);
}

void ask_timer(void)
{
	set(WRITE(ICC_IGRPEN1), 1);
	set(WRITE(ICC_PMR), 0xff);
	write32(GICD, 3);
	timer("virtual", 27, WRITE(3, 3, 14, 3, 1), WRITE(3, 3, 14, 3, 2), WRITE(3, 3, 14, 3, 0));
	timer("physical", 30, WRITE(3, 3, 14, 2, 1), WRITE(3, 3, 14, 2, 2), WRITE(3, 3, 14, 2, 0));
}

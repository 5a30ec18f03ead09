/* The interrupt controller: writes of every kind, and what becomes of interrupts that software, other CPUs, bells and queues raise. */
#include "tracer.h"

#define SPI_PLACE(n) (4 * ((n) / 32))
#define SPI_BIT(n) (1u << ((n) % 32))
#define ICC_PMR 3, 0, 4, 6, 0
#define ICC_IAR0 3, 0, 12, 8, 0
#define ICC_EOIR0 3, 0, 12, 8, 1
#define ICC_DIR 3, 0, 12, 11, 1
#define ICC_SGI1R 3, 0, 12, 11, 5
#define ICC_ASGI1R 3, 0, 12, 11, 6
#define ICC_SGI0R 3, 0, 12, 11, 7
#define ICC_IAR1 3, 0, 12, 12, 0
#define ICC_EOIR1 3, 0, 12, 12, 1
#define ICC_CTLR 3, 0, 12, 12, 4
#define ICC_IGRPEN0 3, 0, 12, 12, 6
#define ICC_IGRPEN1 3, 0, 12, 12, 7
#define GET(name) get_word(WORD_R(name))
#define WORD_R(...) MRS_WORD(__VA_ARGS__)
#define SET(name, value) instruction(WORD_W(name), (value), 0)
#define WORD_W(...) MSR_WORD(__VA_ARGS__)

static u64 get_word(u32 word)
{
	return instruction(word, 0, 0);
}

static void gicd(u32 offset, u32 value)
{
	step();
	write32(GICD + offset, value);
}

static void gicr(u32 cpu, u32 offset, u32 value)
{
	step();
	write32(GICR + cpu * FRAME + offset, value);
}

static void send(u64 value)
{
	step();
	SET(ICC_SGI1R, value);
}

static u64 take(void)
{
	step();
	return GET(ICC_IAR1);
}

static void end(u64 intid)
{
	step();
	SET(ICC_EOIR1, intid);
}

/* Takes and ends until nothing is left. */
static void drain(void)
{
	for (u32 n = 0; n < 24; n++) {
		u64 intid = take();

		if (intid >= 1020)
			break;
		end(intid);
	}
	align_steps();
}

static void icc_enables(void)
{
	static const u8 values[] = { 1, 1, 0, 0, 1 };

	/* Group 0 alone keeps the real hypervisor busy for ever. */
	for (u32 n = 0; n < sizeof(values); n++) {
		step();
		if (values[n])
			SET(ICC_IGRPEN1, 1);
		else
			SET(ICC_IGRPEN0, 0);
		step();
		if (values[n])
			SET(ICC_IGRPEN0, 1);
		else
			SET(ICC_IGRPEN1, 0);
	}
	step();
	SET(ICC_PMR, 0xff);
	step();
	SET(ICC_CTLR, 2);
	step();
	SET(ICC_CTLR, 0);
}

static void distributor_writes(void)
{
	static const u16 offsets[] = { 0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x84, 0x104, 0x204, 0x284, 0x184, 0x304, 0x384, 0xc00, 0xc08, 0xd00, 0xe00, 0x400, 0x424, 0x10, 0x40, 0x48, 0x50, 0x58, 0xf00, 0xf10, 0x4, 0x8, 0x20, 0xc, 0xffe8, 0x800, 0x5000 };
	static const u8 control[] = { 0, 3, 2, 2, 3, 0, 2, 3 };

	for (u32 n = 0; n < sizeof(control); n++)
		gicd(0, control[n]);
	for (u32 n = 0; n < sizeof(offsets) / 2; n++)
		gicd(offsets[n], n == 17 || n == 18 ? 0x40302010 : 5);
	for (u32 n = 0; n < 3; n++) {
		step();
		write8(GICD + 0x428 + n, 0x85 + 0x11 * n);
	}
	step();
	write64(GICD + 0x6100, 1);
	step();
	write64(GICD + 0x6108, 0x80000000);
	step();
	write64(GICD + 0x6110, 0x100);
	gicd(0x6118, 2);
	gicd(0x611c, 0);
	step();
	write64(GICD + 0x6100, 0);
	step();
	write64(GICD + 0x6118, 0);
	gicd(0x180 + 4, ~0u);
	gicd(0x280 + 4, ~0u);
	gicd(0x380 + 4, ~0u);
	gicd(0x80 + 4, ~0u);
	gicd(0x80 + 8, ~0u);
}

static void redistributor_writes(void)
{
	static const u32 offsets[] = { 0x0, 0x4, 0x10, 0x14, 0x40, 0x70, 0x78, 0x10080, 0x10100, 0x10180, 0x10200, 0x10280, 0x10300, 0x10380, 0x10400, 0x10410, 0x10c00, 0x10c04, 0x10d00, 0x10e00, 0x20, 0x10500 };

	for (u32 n = 0; n < sizeof(offsets) / 4; n++)
		gicr(0, offsets[n], n == 13 ? 0x30201000 : 5);
	for (u32 n = 0; n < sizeof(offsets) / 4; n++)
		gicr(1, offsets[n], 5);
	gicr(1, 0x10180, ~0u);
	gicr(1, 0x10280, ~0u);
	gicr(1, 0x10380, ~0u);
	gicr(0, 0x10180, ~0u);
	gicr(0, 0x10280, ~0u);
	gicr(0, 0x10380, ~0u);
	gicr(0, 0x10080, ~0u);
	step();
	write8(GICR + 0x10401, 0x77);
}

static void priorities(u32 first, u32 step_by)
{
	for (u32 n = 0; n < 4; n++) {
		u32 word = 0;

		for (u32 i = 0; i < 4; i++)
			word |= ((first + step_by * (n * 4 + i)) & 0xf8) << (8 * i);
		gicr(0, 0x10400 + 4 * n, word);
	}
}

static void software_interrupts(void)
{
	u64 first, third;

	gicr(0, 0x10100, 0xffff);
	priorities(0x80, 0);
	/* One, two of the same, all kinds of targets. */
	send(5ull << 24 | 1);
	end(take());
	send(3ull << 24 | 1);
	send(3ull << 24 | 1);
	first = take();
	send(3ull << 24 | 1);
	send(3ull << 24 | 1);
	end(first);
	end(take());
	drain();
	send(1ull << 40 | 4ull << 24);
	send(6ull << 24 | 2);
	send(6ull << 24 | 1ull << 16 | 1);
	send(6ull << 24 | 1ull << 44 | 1);
	step();
	SET(ICC_SGI0R, 7ull << 24 | 1);
	step();
	SET(ICC_ASGI1R, 7ull << 24 | 1);
	drain();
	gicr(0, 0x10200, 1 << 9);
	gicr(0, 0x10280, 1 << 9);
	drain();
	/* More than there are list registers: alike, falling, rising. */
	for (u64 n = 0; n < 7; n++)
		send(n << 24 | 1);
	drain();
	priorities(0x20, 8);
	for (u64 n = 0; n < 7; n++)
		send(n << 24 | 1);
	drain();
	for (u64 n = 7; n-- > 0;)
		send(n << 24 | 1);
	drain();
	/* Nested. */
	for (u64 n = 7; n-- > 0;) {
		send(n << 24 | 1);
		take();
	}
	for (u64 n = 0; n < 7; n++)
		end(n);
	drain();
	/* Priority drop apart from deactivation. */
	step();
	SET(ICC_CTLR, 2);
	send(2ull << 24 | 1);
	first = take();
	end(first);
	send(2ull << 24 | 1);
	take();
	send(1ull << 24 | 1);
	third = take();
	end(third);
	step();
	SET(ICC_DIR, first);
	step();
	SET(ICC_DIR, third);
	end(take());
	step();
	SET(ICC_DIR, 2);
	for (u64 n = 7; n-- > 0;) {
		send(n << 24 | 1);
		end(take());
	}
	for (u64 n = 0; n < 7; n++) {
		step();
		SET(ICC_DIR, n);
	}
	step();
	SET(ICC_CTLR, 0);
	drain();
	/* Changes of what is listed. */
	send(4ull << 24 | 1);
	gicr(0, 0x10180, 1 << 4);
	gicr(0, 0x10100, 1 << 4);
	gicr(0, 0x10400 + 4, 0x70605040);
	drain();
	send(4ull << 24 | 1);
	gicr(0, 0x10080, ~(1u << 4));
	gicr(0, 0x10080, ~0u);
	gicr(0, 0x10280, 1 << 4);
	gicr(0, 0x10300, 1 << 4);
	gicr(0, 0x10380, 1 << 4);
	drain();
	send(4ull << 24 | 1);
	first = take();
	gicr(0, 0x10280, 1 << 4);
	gicr(0, 0x10180, 1 << 4);
	gicr(0, 0x10100, 1 << 4);
	gicr(0, 0x10380, 1 << 4);
	end(first);
	gicr(0, 0x10300, 1 << 8);
	send(8ull << 24 | 1);
	gicr(0, 0x10380, 1 << 8);
	drain();
	/* Closed and opened. */
	send(5ull << 24 | 1);
	gicd(0, 2);
	gicd(0, 3);
	step();
	SET(ICC_IGRPEN0, 0);
	step();
	SET(ICC_IGRPEN1, 0);
	step();
	SET(ICC_IGRPEN1, 1);
	step();
	SET(ICC_IGRPEN0, 1);
	drain();
	gicd(0, 0);
	send(5ull << 24 | 1);
	send(6ull << 24 | 1);
	gicd(0, 3);
	drain();
}

static void shared_interrupts(void)
{
	u64 first;

	for (u32 spi = 40; spi < 48; spi += 4)
		gicd(0x400 + spi, 0x80808080);
	gicd(0xc00 + 8, 0xaaaa0000);
	/* 40..43 edge?, by configuration: 40 to 47 are the upper half. */
	gicd(0xc00 + 8, 0x000a0000);
	gicd(0x104, 0xff00);
	/* 40, 41 edge; 42.. level. */
	gicd(0x204, 1 << 8);
	end(take());
	gicd(0x204, 1 << 10);
	first = take();
	gicd(0x284, 1 << 10);
	end(first);
	drain();
	gicd(0x204, 1 << 10);
	end(take());
	gicd(0x284, 1 << 10);
	drain();
	gicd(0x40, 40);
	gicd(0x48, 40);
	gicd(0x40, 42);
	first = take();
	gicd(0x48, 42);
	end(first);
	drain();
	gicd(0x40, 42);
	end(take());
	gicd(0x48, 42);
	drain();
	/* More than there are list registers. */
	gicd(0x204, 0xff00);
	gicd(0x284, 0xfc00);
	drain();
	/* Routes: away and back, pending and active. */
	step();
	write64(GICD + 0x6000 + 8 * 40, 1);
	gicd(0x204, 1 << 8);
	step();
	write64(GICD + 0x6000 + 8 * 40, 0);
	drain();
	gicd(0x204, 1 << 8);
	step();
	write64(GICD + 0x6000 + 8 * 40, 1);
	step();
	write64(GICD + 0x6000 + 8 * 40, 0);
	first = take();
	step();
	write64(GICD + 0x6000 + 8 * 40, 1);
	gicd(0x204, 1 << 8);
	end(first);
	step();
	write64(GICD + 0x6000 + 8 * 40, 0);
	drain();
	/* Disabled, raised, other group, configuration. */
	gicd(0x204, 1 << 9);
	gicd(0x184, 1 << 9);
	gicd(0x104, 1 << 9);
	step();
	write8(GICD + 0x429, 0x40);
	drain();
	gicd(0x204, 1 << 9);
	gicd(0x84, ~(1u << 9));
	gicd(0x84, ~0u);
	gicd(0xc08, 0x00020000);
	gicd(0xc08, 0x000a0000);
	drain();
	gicd(0x304, 1 << 9);
	gicd(0x304, 1 << 9);
	gicd(0x384, 1 << 9);
	gicd(0x384, 1 << 9);
	gicd(0x184, ~0u);
	gicd(0x284, ~0u);
}

void trace_interrupts(void)
{
	icc_enables();
	distributor_writes();
	redistributor_writes();
	software_interrupts();
	shared_interrupts();
}

/* ---- Sources ---- */

void trace_lines(void)
{
	u64 bell = make('d'), queue = make('q'), first, intids[] = { 50, 51, 52 };

	gicd(0x84, ~0u);
	for (u32 edge = 0; edge < 2; edge++) {
		gicd(0xc0c, edge ? 0x2a0 : 0);
		for (u32 spi = 48; spi < 56; spi += 4)
			gicd(0x400 + spi, 0x90909090);
		gicd(0x104, 7 << 18);
		step();
		do_call(0x10, bell, VIC, intids[0], 0, 0, 0);
		step();
		do_call(0x17, queue, VIC, intids[1], 0, 0, 0);
		step();
		do_call(0x18, queue, VIC, intids[2], 0, 0, 0);
		drain();
		step();
		do_call(0x12, bell, 1, 0, 0, 0, 0);
		step();
		do_call(0x12, bell, 2, 0, 0, 0, 0);
		first = take();
		step();
		do_call(0x12, bell, 4, 0, 0, 0, 0);
		end(first);
		first = take();
		step();
		do_call(0x13, bell, 0xff, 0, 0, 0, 0);
		end(first);
		drain();
		step();
		do_call(0x12, bell, 1, 0, 0, 0, 0);
		step();
		do_call(0x13, bell, 0xff, 0, 0, 0, 0);
		drain();
		step();
		do_call(0x15, bell, 0, 0, 0, 0, 0);
		step();
		do_call(0x12, bell, 1, 0, 0, 0, 0);
		step();
		do_call(0x15, bell, 1, 0, 0, 0, 0);
		step();
		do_call(0x14, bell, 0, 0, 0, 0, 0);
		drain();
		do_call(0x15, bell, ALL_ONES, ALL_ONES, 0, 0, 0);
		for (u32 n = 0; n < 5; n++) {
			step();
			do_call(0x1b, queue, 8, (u64)buffer, n == 0, 0, 0);
		}
		first = take();
		for (u32 n = 0; n < 5; n++) {
			step();
			do_call(0x1c, queue, (u64)buffer, 64, 0, 0, 0);
		}
		end(first);
		drain();
		step();
		do_call(0x1b, queue, 8, (u64)buffer, 1, 0, 0);
		step();
		do_call(0x1d, queue, 0, 0, 0, 0, 0);
		drain();
		/* Disabled while it holds, unbound while it holds. */
		gicd(0x184, 1 << 18);
		step();
		do_call(0x12, bell, 1, 0, 0, 0, 0);
		gicd(0x104, 1 << 18);
		gicd(0x184, 1 << 18);
		gicd(0x104, 1 << 18);
		drain();
		/* Over before it is enabled. */
		gicd(0x184, 1 << 18);
		step();
		do_call(0x13, bell, ALL_ONES, 0, 0, 0, 0);
		step();
		do_call(0x12, bell, 1, 0, 0, 0, 0);
		step();
		do_call(0x13, bell, ALL_ONES, 0, 0, 0, 0);
		gicd(0x104, 1 << 18);
		drain();
		step();
		do_call(0x12, bell, 1, 0, 0, 0, 0);
		step();
		do_call(0x11, bell, 0, 0, 0, 0, 0);
		drain();
		step();
		do_call(0x10, bell, VIC, intids[0], 0, 0, 0);
		drain();
		step();
		do_call(0x11, bell, 0, 0, 0, 0, 0);
		step();
		do_call(0x19, queue, 0, 0, 0, 0, 0);
		step();
		do_call(0x1a, queue, 0, 0, 0, 0, 0);
		do_call(0x14, bell, 0, 0, 0, 0, 0);
		gicd(0x184, ~0u);
	}
	unmake_all();
}

/* ---- Other CPUs ---- */

static void open_cpu(u64 unused)
{
	(void)unused;
	SET(ICC_PMR, 0xff);
	SET(ICC_IGRPEN1, 1);
}

static void drain_there(u64 unused)
{
	(void)unused;
	drain();
}

static void send_back(u64 unused)
{
	(void)unused;
	send(5ull << 24 | 1);
}

void trace_cpus(void)
{
	step();
	cpu_on(1, 0xc4000003, 1, 1);
	step();
	cpu_do(1, open_cpu, 0);
	gicr(1, 0x10080, ~0u);
	gicr(1, 0x10400, 0x80808080);
	gicr(1, 0x10404, 0x80808080);
	gicr(1, 0x10100, 0xffff);
	send(2ull << 24 | 2);
	delay(5000);
	step();
	cpu_do(1, drain_there, 0);
	gicr(1, 0x10200, 1 << 3);
	delay(5000);
	gicr(1, 0x10280, 1 << 3);
	delay(5000);
	cpu_do(1, drain_there, 0);
	gicd(0xc08, 0x000a0000);
	step();
	write64(GICD + 0x6000 + 8 * 40, 1);
	gicd(0x104, 1 << 8);
	gicd(0x204, 1 << 8);
	delay(5000);
	step();
	write64(GICD + 0x6000 + 8 * 40, 0);
	delay(5000);
	drain();
	cpu_do(1, drain_there, 0);
	step();
	cpu_do(1, send_back, 0);
	delay(5000);
	drain();
	gicd(0x184, ~0u);
	step();
	cpu_off(1);
}

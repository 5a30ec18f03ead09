/* Priorities on one CPU: order, preemption under each binary point, mask, nesting, two steps to the end, two groups. */
#include "probe.h"

#define GICD 0x08000000ull
#define GICR(cpu) (0x080a0000ull + 0x20000ull * (cpu))
#define SGI1R MSR_WORD(3, 0, 12, 11, 5)
#define ASGI1R MSR_WORD(3, 0, 12, 11, 6)
#define SGI0R MSR_WORD(3, 0, 12, 11, 7)
#define READ(...) MRS_WORD(__VA_ARGS__)
#define WRITE(...) MSR_WORD(__VA_ARGS__)
#define PMR 3, 0, 4, 6, 0
#define IAR0 3, 0, 12, 8, 0
#define EOIR0 3, 0, 12, 8, 1
#define HPPIR0 3, 0, 12, 8, 2
#define BPR0 3, 0, 12, 8, 3
#define AP1R0 3, 0, 12, 9, 0
#define DIR 3, 0, 12, 11, 1
#define RPR 3, 0, 12, 11, 3
#define IAR1 3, 0, 12, 12, 0
#define EOIR1 3, 0, 12, 12, 1
#define HPPIR1 3, 0, 12, 12, 2
#define BPR1 3, 0, 12, 12, 3
#define CTLR 3, 0, 12, 12, 4
#define IGRPEN0 3, 0, 12, 12, 6
#define IGRPEN1 3, 0, 12, 12, 7


static u64 get(u32 word)
{
	return instruction(word, 0x5500aa, 0);
}

static void set(u32 word, u64 value)
{
	instruction(word, value, 0);
}

static void say_priorities(const char *when)
{
	say("prio %s = rpr %x ap1r0 %x hppir %x\n", when, get(READ(RPR)), get(READ(AP1R0)), get(READ(HPPIR1)));
}

static u64 ack(const char *when)
{
	u64 number;

	settle();
	number = get(READ(IAR1));
	say("prio %s took %x", when, number);
	say(" rpr %x ap1r0 %x hppir %x\n", get(READ(RPR)), get(READ(AP1R0)), get(READ(HPPIR1)));
	return number;
}

/* Two SGIs, the second of a higher priority, under each binary point: does it preempt? */
static void ask_preemption(void)
{
	static const u8 pairs[][2] = { { 0x80, 0x40 }, { 0x80, 0x78 }, { 0x88, 0x80 }, { 0x98, 0x90 }, { 0xa0, 0x80 }, { 0xc0, 0x80 }, { 0xff, 0xf0 }, { 0x08, 0x00 } };

	for (u32 point = 3; point < 8; point++)
		for (u32 i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
			u64 first, second;

			set(WRITE(BPR1), point);
			set(WRITE(PMR), 0xff);
			write8(GICR(0) + 0x10402, pairs[i][0]);
			write8(GICR(0) + 0x10403, pairs[i][1]);
			set(SGI1R, 2ull << 24 | 1);
			settle();
			first = get(READ(IAR1));
			set(SGI1R, 3ull << 24 | 1);
			settle();
			second = get(READ(IAR1));
			say("prio %x then %x with bpr1 %x = %x", (u64)pairs[i][0], (u64)pairs[i][1], point, first);
			say(" %x rpr %x ap1r0 %x", second, get(READ(RPR)), get(READ(AP1R0)));
			if (second < 1020)
				set(WRITE(EOIR1), second);
			if (first < 1020)
				set(WRITE(EOIR1), first);
			settle();
			second = get(READ(IAR1));
			say(" then %x rpr %x\n", second, get(READ(RPR)));
			if (second < 1020)
				set(WRITE(EOIR1), second);
		}
	set(WRITE(BPR1), 0);
	/* The common binary point. */
	set(WRITE(CTLR), 1);
	for (u32 point = 2; point < 8; point++) {
		u64 first, second;

		set(WRITE(BPR0), point);
		write8(GICR(0) + 0x10402, 0xa0);
		write8(GICR(0) + 0x10403, 0x80);
		set(SGI1R, 2ull << 24 | 1);
		settle();
		first = get(READ(IAR1));
		set(SGI1R, 3ull << 24 | 1);
		settle();
		second = get(READ(IAR1));
		say("prio common bpr0 %x = bpr1 %x took %x", point, get(READ(BPR1)), first);
		say(" %x rpr %x\n", second, get(READ(RPR)));
		if (second < 1020)
			set(WRITE(EOIR1), second);
		if (first < 1020)
			set(WRITE(EOIR1), first);
		settle();
		second = get(READ(IAR1));
		if (second < 1020)
			set(WRITE(EOIR1), second);
	}
	set(WRITE(CTLR), 0);
	set(WRITE(BPR0), 0);
}

static void say_order(const char *name)
{
	settle();
	say("prio order %s =", name);
	for (u32 i = 0; i < 17; i++) {
		u64 number = get(READ(IAR1));

		if (number >= 1020)
			break;
		say(" %x", number);
		set(WRITE(EOIR1), number);
	}
	say("\n");
}

/* Those of one priority come in the order of the list registers, of which there are four. */
static void ask_order(void)
{
	static const signed char sequences[][8] = { { 3, 1, 2, -1 }, { 7, 6, 5, 4, -1 }, { 7, 6, 5, 4, 3, -1 }, { 0, 1, 2, 3, 4, 5, 6, -1 }, { 6, 5, 4, 3, 2, 1, 0, -1 }, { 2, 2, 1, 1, 0, 0, -1 } };

	/* From empty list registers. */
	write32(GICD, 0);
	write32(GICD, 3);
	for (u32 i = 0; i < 6; i++) {
		for (u32 n = 0; sequences[i][n] >= 0 && n < 8; n++)
			set(SGI1R, (u64)sequences[i][n] << 24 | 1);
		say("prio sent");
		for (u32 n = 0; sequences[i][n] >= 0 && n < 8; n++)
			say(" %x", (u64)sequences[i][n]);
		say("\n");
		say_order("of equals");
	}
	write32(GICR(0) + 0x10400, 0x20406080);
	write32(GICR(0) + 0x10404, 0x10305070);
	for (u64 n = 0; n < 8; n++)
		set(SGI1R, n << 24 | 1);
	say_order("eight of different priority");
	for (u64 n = 8; n-- > 0;)
		set(SGI1R, n << 24 | 1);
	say_order("eight of different priority, from above");
	/* All taken before any is ended. */
	write32(GICR(0) + 0x10400, 0x90a0b0c0);
	write32(GICR(0) + 0x10404, 0x50607080);
	for (u64 n = 0; n < 7; n++) {
		set(SGI1R, n << 24 | 1);
		settle();
		say("prio deep %x took %x\n", n, get(READ(IAR1)));
	}
	set(SGI1R, 0ull << 24 | 1);
	set(SGI1R, 3ull << 24 | 1);
	set(SGI1R, 6ull << 24 | 1);
	for (u64 n = 7; n-- > 0;) {
		say("prio deep %x = pending %x active %x rpr %x", n, (u64)read32(GICR(0) + 0x10200), (u64)read32(GICR(0) + 0x10300), get(READ(RPR)));
		set(WRITE(EOIR1), n);
		settle();
		say(" then active %x hppir %x\n", (u64)read32(GICR(0) + 0x10300), get(READ(HPPIR1)));
	}
	say_order("left of the deep");
	write32(GICR(0) + 0x10404, 0x80808080);
	write32(GICR(0) + 0x10400, 0x80808080);
	/* Cleared, disabled, made active by oneself while listed and after. */
	set(SGI1R, 3ull << 24 | 1);
	write32(GICR(0) + 0x10280, 1 << 3);
	say_order("cleared while listed");
	set(SGI1R, 3ull << 24 | 1);
	write32(GICR(0) + 0x10180, 1 << 3);
	say("prio disabled while listed = pending %x\n", (u64)read32(GICR(0) + 0x10200));
	write32(GICR(0) + 0x10100, 1 << 3);
	say_order("disabled and enabled");
	set(SGI1R, 3ull << 24 | 1);
	write32(GICR(0) + 0x10300, 1 << 3);
	say("prio made active while listed = pending %x active %x\n", (u64)read32(GICR(0) + 0x10200), (u64)read32(GICR(0) + 0x10300));
	say_order("made active while listed");
	write32(GICR(0) + 0x10300, 1 << 3);
	say("prio made active after it was listed = active %x\n", (u64)read32(GICR(0) + 0x10300));
	write32(GICR(0) + 0x10380, 1 << 3);
	set(SGI1R, 3ull << 24 | 1);
	settle();
	say("prio taken = %x", get(READ(IAR1)));
	say(" active %x", (u64)read32(GICR(0) + 0x10300));
	write32(GICR(0) + 0x10380, 1 << 3);
	say(" made inactive %x rpr %x", (u64)read32(GICR(0) + 0x10300), get(READ(RPR)));
	set(WRITE(EOIR1), 3);
	say(" ended %x rpr %x\n", (u64)read32(GICR(0) + 0x10300), get(READ(RPR)));
	/* Priority changed while pending: raised, lowered. */
	static const u8 changes[][2] = { { 0x80, 0x40 }, { 0x80, 0xc0 }, { 0x40, 0xa0 }, { 0xa0, 0x20 } };
	for (u32 i = 0; i < 4; i++) {
		u64 number;

		write8(GICR(0) + 0x10402, changes[i][0]);
		set(SGI1R, 2ull << 24 | 1);
		settle();
		write8(GICR(0) + 0x10402, changes[i][1]);
		settle();
		number = get(READ(IAR1));
		say("prio of pending %x made %x = %x rpr %x\n", (u64)changes[i][0], (u64)changes[i][1], number, get(READ(RPR)));
		set(WRITE(EOIR1), number);
		set(SGI1R, 2ull << 24 | 1);
		settle();
		number = get(READ(IAR1));
		say("prio then = %x rpr %x\n", number, get(READ(RPR)));
		set(WRITE(EOIR1), number);
	}
	write32(GICR(0) + 0x10400, 0x80808080);
}

static void ask_masks(void)
{
	static const u8 masks[] = { 0, 8, 0x10, 0x40, 0x80, 0x88, 0x90, 0xf0, 0xf8, 0xff };

	for (u32 i = 0; i < sizeof(masks); i++) {
		u64 number;

		write8(GICR(0) + 0x10402, 0x80);
		set(WRITE(PMR), masks[i]);
		set(SGI1R, 2ull << 24 | 1);
		settle();
		say("prio mask %x = hppir %x isr %x", (u64)masks[i], get(READ(HPPIR1)), get(READ(3, 0, 12, 1, 0)));
		number = get(READ(IAR1));
		say(" took %x\n", number);
		set(WRITE(PMR), 0xff);
		if (number >= 1020)
			number = get(READ(IAR1));
		set(WRITE(EOIR1), number);
	}
}

static void ask_nesting(void)
{
	u64 first, second, third;

	write32(GICR(0) + 0x10400, 0x20406080);
	set(SGI1R, 0ull << 24 | 1);
	first = ack("nest 1");
	set(SGI1R, 1ull << 24 | 1);
	second = ack("nest 2");
	set(SGI1R, 2ull << 24 | 1);
	third = ack("nest 3");
	/* Ended in the wrong order. */
	set(WRITE(EOIR1), first);
	say_priorities("first ended first");
	set(WRITE(EOIR1), second);
	say_priorities("then second");
	set(WRITE(EOIR1), third);
	say_priorities("then third");
	say("prio active left = %x\n", (u64)read32(GICR(0) + 0x10300));
	write32(GICR(0) + 0x10380, ~0u);
	set(WRITE(AP1R0), 0);
	say_priorities("cleared");
	/* Two steps. */
	set(WRITE(CTLR), 2);
	set(SGI1R, 0ull << 24 | 1);
	first = ack("steps 1");
	set(WRITE(EOIR1), first);
	say_priorities("steps dropped");
	say("prio steps active = %x\n", (u64)read32(GICR(0) + 0x10300));
	set(SGI1R, 0ull << 24 | 1);
	set(SGI1R, 1ull << 24 | 1);
	second = ack("steps 2");
	set(WRITE(EOIR1), second);
	if (second < 1020)
		set(WRITE(DIR), second);
	if (first < 1020)
		set(WRITE(DIR), first);
	settle();
	third = ack("steps 3");
	set(WRITE(EOIR1), third);
	if (third < 1020)
		set(WRITE(DIR), third);
	say("prio steps end = active %x", (u64)read32(GICR(0) + 0x10300));
	say(" rpr %x\n", get(READ(RPR)));
	/* Deactivated by another CPU through the redistributor, and by DIR without the mode. */
	set(WRITE(CTLR), 0);
	set(SGI1R, 3ull << 24 | 1);
	first = ack("one step");
	if (first < 1020)
		set(WRITE(DIR), first);
	say("prio dir in one step = active %x\n", (u64)read32(GICR(0) + 0x10300));
	write32(GICR(0) + 0x10380, 1u << first);
	say_priorities("inactive by register");
	set(WRITE(EOIR1), first);
	say_priorities("inactive by register, ended");
	write32(GICR(0) + 0x10400, 0x80808080);
}

/* Both groups on one CPU: which comes first, and what each register shows. */
static void ask_groups(void)
{
	static const u8 pairs[][2] = { { 0x80, 0x80 }, { 0x80, 0x40 }, { 0x40, 0x80 } };

	for (u32 i = 0; i < 3; i++) {
		u64 one, zero;

		write32(GICR(0) + 0x10080, 0x00ff00fe);
		write8(GICR(0) + 0x10400, pairs[i][0]);
		write8(GICR(0) + 0x10401, pairs[i][1]);
		write32(GICR(0) + 0x10200, 3);
		settle();
		say("prio groups %x %x = hppir %x", (u64)pairs[i][0], (u64)pairs[i][1], get(READ(HPPIR0)));
		say(" %x isr %x", get(READ(HPPIR1)), get(READ(3, 0, 12, 1, 0)));
		one = get(READ(IAR1));
		zero = get(READ(IAR0));
		say(" iar1 %x iar0 %x rpr %x", one, zero, get(READ(RPR)));
		if (zero < 1020)
			set(WRITE(EOIR0), zero);
		if (one < 1020)
			set(WRITE(EOIR1), one);
		settle();
		one = get(READ(IAR1));
		zero = get(READ(IAR0));
		say(" then %x %x\n", one, zero);
		if (zero < 1020)
			set(WRITE(EOIR0), zero);
		if (one < 1020)
			set(WRITE(EOIR1), one);
		settle();
	}
	write32(GICR(0) + 0x10080, 0x00ff00ff);
	write32(GICR(0) + 0x10400, 0x80808080);
}

void ask_priorities(void)
{
	ask_order();
	ask_preemption();
	ask_masks();
	ask_nesting();
	ask_groups();
}

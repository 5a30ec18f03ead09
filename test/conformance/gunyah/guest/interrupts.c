/* Interrupts among the primary VM's CPUs: who gets which SGI and SPI, other CPUs' redistributors, priorities, each CPU's timers. */
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

/* CPUs that take part: 0 .. PARTIES - 1. */
#define PARTIES 3u
#define SETTLE 300

static u64 get(u32 word)
{
	return instruction(word, 0x5500aa, 0);
}

static void set(u32 word, u64 value)
{
	instruction(word, value, 0);
}

/* ---- Setting up and taking ---- */

static void open_interface(u64 cpu)
{
	set(WRITE(PMR), 0xff);
	set(WRITE(IGRPEN1), 1);
	set(WRITE(IGRPEN0), 1);
	write32(GICR(cpu) + 0x10280, ~0u);
	write32(GICR(cpu) + 0x10380, ~0u);
	write32(GICR(cpu) + 0x10080, 0x00ff00ff);
	for (u32 n = 0; n < 4; n++)
		write32(GICR(cpu) + 0x10400 + 4 * n, 0x80808080);
	write32(GICR(cpu) + 0x10100, 0x0000ffff);
}

static void close_interface(u64 cpu)
{
	write32(GICR(cpu) + 0x10180, ~0u);
	write32(GICR(cpu) + 0x10280, ~0u);
	write32(GICR(cpu) + 0x10380, ~0u);
	write32(GICR(cpu) + 0x10080, 0);
	for (u32 n = 0; n < 8; n++)
		write32(GICR(cpu) + 0x10400 + 4 * n, 0);
	set(WRITE(BPR0), 0);
	set(WRITE(BPR1), 0);
	set(WRITE(CTLR), 0);
}

/* Everything this CPU has, in order, ended at once. */
static void nothing(u64 argument)
{
	(void)argument;
}

/* Every other CPU has come by, and so has taken what the hypervisor had to tell it. */
void settle(void)
{
	for (u32 cpu = 1; cpu < PARTIES; cpu++)
		cpu_do(cpu, nothing, 0);
	delay(SETTLE);
}

static void take_all(u64 cpu)
{
	bool any = false;

	(void)cpu;
	say(" %x:", (u64)(this_cpu() - cpus));
	for (u32 i = 0; i < 24; i++) {
		u64 one = get(READ(IAR1)), zero = one < 1020 ? 1023 : get(READ(IAR0));

		if (one < 1020) {
			say(any ? ",%x" : "%x", one);
			set(WRITE(EOIR1), one);
		} else if (zero < 1020) {
			say(any ? ",%xf" : "%xf", zero);
			set(WRITE(EOIR0), zero);
		} else {
			break;
		}
		any = true;
		delay(SETTLE);
	}
	if (!any)
		say("-");
}

static void everybody_takes(const char *format, const char *what, u64 value)
{
	settle();
	say(format, what, value);
	for (u32 cpu = 0; cpu < PARTIES; cpu++)
		cpu_do(cpu, take_all, cpu);
	say("\n");
}

static void everybody(void (*work)(u64))
{
	for (u32 cpu = 0; cpu < PARTIES; cpu++)
		cpu_do(cpu, work, cpu);
}

/* ---- SGIs ---- */

struct sending { u32 word; u64 value; };

static void send(u64 argument)
{
	const struct sending *sending = (const struct sending *)argument;

	set(sending->word, sending->value);
}

static void ask_sgis(void)
{
	static const u64 values[] = {
		5ull << 24 | 1, 5ull << 24 | 2, 5ull << 24 | 4, 5ull << 24 | 7, 5ull << 24 | 6, 5ull << 24 | 0xffff, 5ull << 24 | 0x100, 5ull << 24, 1ull << 40 | 5ull << 24, 1ull << 40 | 5ull << 24 | 7, 1ull << 40, 15ull << 24 | 7, 0ull | 7,
		10ull << 24 | 7, 10ull << 24 | 1ull << 40, 5ull << 24 | 1ull << 16 | 7, 5ull << 24 | 1ull << 32 | 7, 5ull << 24 | 1ull << 48 | 7, 5ull << 24 | 1ull << 44 | 7, 5ull << 24 | 15ull << 44 | 7, 5ull << 24 | 1ull << 41 | 6, 5ull << 24 | 1ull << 28 | 6, 5ull << 24 | 1ull << 56 | 6, 5ull << 24 | 1ull << 63 | 6,
		5ull << 24 | 0xffull << 16 | 6, 5ull << 24 | 0xfff8,
	};
	static const struct { const char *name; u32 word; } senders[] = { { "sgi1r", SGI1R }, { "sgi0r", SGI0R }, { "asgi1r", ASGI1R } };

	for (u32 s = 0; s < 3; s++)
		for (u32 i = 0; i < sizeof(values) / sizeof(values[0]); i++)
			for (u32 from = 0; from < (s == 0 ? 2 : 1); from++) {
				struct sending sending = { senders[s].word, values[i] };

				if (s != 0 && i > 14)
					continue;
				cpu_do(from, send, (u64)&sending);
				everybody_takes(from ? "sgi from 1 by %s of %x =" : "sgi from 0 by %s of %x =", senders[s].name, values[i]);
			}
}

static void three_kinds(u64 target)
{
	set(SGI1R, 3ull << 24 | target);
	set(SGI1R, 4ull << 24 | target);
	set(SGI1R, 3ull << 24 | target);
}

static void ask_sgi_order(void)
{
	write32(GICR(1) + 0x10400, 0x20406080);
	for (u32 n = 0; n < 4; n++)
		set(SGI1R, (u64)n << 24 | 2);
	everybody_takes("sgi %s %x =", "by priority to cpu", 1);
	write32(GICR(1) + 0x10400, 0x80808080);
	cpu_do(0, three_kinds, 4);
	cpu_do(1, three_kinds, 4);
	everybody_takes("sgi %s %x =", "the same from two to cpu", 2);
	/* Pending and active as the redistributor of another shows them. */
	set(SGI1R, 6ull << 24 | 2);
	settle();
	say("sgi of another = pending %x %x active %x enable %x", (u64)read32(GICR(1) + 0x10200), (u64)read32(GICR(1) + 0x10280), (u64)read32(GICR(1) + 0x10300), (u64)read32(GICR(1) + 0x10100));
	say(" own pending %x gicd %x\n", (u64)read32(GICR(0) + 0x10200), (u64)read32(GICD + 0x200));
	write32(GICR(1) + 0x10280, 1 << 6);
	settle();
	say("sgi of another withdrawn = pending %x\n", (u64)read32(GICR(1) + 0x10200));
	everybody_takes("sgi %s %x =", "withdrawn from another", 6);
	write32(GICR(1) + 0x10200, 1 << 7);
	everybody_takes("sgi %s %x =", "made pending in another's redistributor", 7);
	write32(GICR(1) + 0x10200, 1 << 20);
	settle();
	say("ppi of another = pending %x\n", (u64)read32(GICR(1) + 0x10200));
	write32(GICR(1) + 0x10280, 1 << 20);
	write32(GICR(1) + 0x10180, 1 << 3);
	set(SGI1R, 3ull << 24 | 6);
	everybody_takes("sgi %s %x =", "disabled by another in cpu", 1);
	write32(GICR(1) + 0x10100, 1 << 3);
	everybody_takes("sgi %s %x =", "enabled by another in cpu", 1);
	write32(GICR(2) + 0x10300, 1 << 2);
	set(SGI1R, 2ull << 24 | 6);
	settle();
	say("sgi active by register = active %x pending %x\n", (u64)read32(GICR(2) + 0x10300), (u64)read32(GICR(2) + 0x10200));
	everybody_takes("sgi %s %x =", "while made active in cpu", 2);
	write32(GICR(2) + 0x10380, 1 << 2);
	everybody_takes("sgi %s %x =", "made inactive in cpu", 2);
	/* Moved to the other group by somebody else while pending. */
	write32(GICR(1) + 0x10180, 1 << 1);
	set(SGI1R, 1ull << 24 | 2);
	write32(GICR(1) + 0x10080, 0x00ff00fd);
	write32(GICR(1) + 0x10100, 1 << 1);
	everybody_takes("sgi %s %x =", "moved to group 0 in cpu", 1);
	set(SGI1R, 1ull << 24 | 2);
	settle();
	write32(GICR(1) + 0x10080, 0x00ff00ff);
	everybody_takes("sgi %s %x =", "moved to group 1 when pending in cpu", 1);
}

/* ---- A sleeping redistributor ---- */

/* Group 0 is never open alone: a CPU of the real machine hangs then. */
static void close_group(u64 cpu)
{
	(void)cpu;
	set(WRITE(IGRPEN0), 0);
	set(WRITE(IGRPEN1), 0);
}

static void open_group(u64 cpu)
{
	(void)cpu;
	set(WRITE(IGRPEN1), 1);
	set(WRITE(IGRPEN0), 1);
}

static void say_group(u64 cpu)
{
	say("irq igrpen of %x = %x %x pmr %x ctlr %x\n", cpu, get(READ(IGRPEN0)), get(READ(IGRPEN1)), get(READ(PMR)), get(READ(CTLR)));
}

static void ask_sleep(void)
{
	write32(GICR(1) + 0x14, 2);
	say("irq waker of another asleep = %x\n", (u64)read32(GICR(1) + 0x14));
	set(SGI1R, 5ull << 24 | 6);
	settle();
	say("sgi to a sleeper = pending %x\n", (u64)read32(GICR(1) + 0x10200));
	everybody_takes("sgi %s %x =", "to a sleeper", 1);
	write32(GICR(1) + 0x14, 0);
	say("irq waker of another awake = %x\n", (u64)read32(GICR(1) + 0x14));
	everybody_takes("sgi %s %x =", "to a sleeper that wakes", 1);
	cpu_do(1, close_group, 1);
	cpu_do(1, say_group, 1);
	set(SGI1R, 5ull << 24 | 6);
	settle();
	say("sgi to a closed group = pending %x\n", (u64)read32(GICR(1) + 0x10200));
	cpu_do(1, open_group, 1);
	everybody_takes("sgi %s %x =", "to a group that opens in", 1);
	write32(GICD, 0);
	everybody(say_group);
	set(SGI1R, 5ull << 24 | 7);
	settle();
	write32(GICD, 2);
	everybody(say_group);
	write32(GICD, 3);
	everybody(say_group);
	everybody_takes("sgi %s %x =", "when the distributor opens", 3);
}

/* ---- SPIs ---- */

static void ask_routes(void)
{
	static const u64 routes[] = { 0, 1, 2, 7, 8, 0xff, 0x100, 0x10000, 0x100000001ull, 0x80000000, 0x80000001, 0x80000002, 0x1000001, 0x40000001, 0x7f000002, 0xff00000000000001ull };

	for (u32 i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		write64(GICD + 0x6000 + 8 * 110, routes[i]);
		say("spi route of %x = %x status %x\n", routes[i], read64(GICD + 0x6000 + 8 * 110), (u64)read32(GICD + 0x10));
		write32(GICD + 0x10, ~0u);
		write32(GICD + 0x200 + 12, 1 << 14);
		everybody_takes("spi %s %x =", "routed to", routes[i]);
		write32(GICD + 0x280 + 12, 1 << 14);
		settle();
	}
	/* By halves. */
	write32(GICD + 0x6000 + 8 * 110, 2);
	write32(GICD + 0x200 + 12, 1 << 14);
	everybody_takes("spi %s %x =", "routed by the low word to", 2);
	write32(GICD + 0x6004 + 8 * 110, 1);
	write32(GICD + 0x200 + 12, 1 << 14);
	everybody_takes("spi %s %x =", "routed by the high word to", 1);
	write32(GICD + 0x6004 + 8 * 110, 0);
	everybody_takes("spi %s %x =", "routed back by the high word to", 0);
	write32(GICD + 0x280 + 12, 1 << 14);
	/* Moved while pending; while active. */
	write64(GICD + 0x6000 + 8 * 110, 1);
	write32(GICD + 0x200 + 12, 1 << 14);
	settle();
	write64(GICD + 0x6000 + 8 * 110, 2);
	everybody_takes("spi %s %x =", "moved while pending from 1 to", 2);
	write64(GICD + 0x6000 + 8 * 110, 0);
	write32(GICD + 0x200 + 12, 1 << 14);
	settle();
	say("spi taken by 0 = %x\n", get(READ(IAR1)));
	write64(GICD + 0x6000 + 8 * 110, 1);
	write32(GICD + 0x200 + 12, 1 << 14);
	settle();
	say("spi moved while active = pending %x active %x\n", (u64)read32(GICD + 0x200 + 12) >> 14 & 1, (u64)read32(GICD + 0x300 + 12) >> 14 & 1);
	everybody_takes("spi %s %x =", "moved while active from 0 to", 1);
	set(WRITE(EOIR1), 110);
	everybody_takes("spi %s %x =", "ended by 0, now routed to", 1);
	/* Level by message, routed to another. */
	write32(GICD + 0xc00 + 4 * 6, 0);
	write64(GICD + 0x6000 + 8 * 110, 1);
	write32(GICD + 0x40, 110);
	settle();
	say("spi level at 1 = pending %x active %x\n", (u64)read32(GICD + 0x200 + 12) >> 14 & 1, (u64)read32(GICD + 0x300 + 12) >> 14 & 1);
	write32(GICD + 0x48, 110);
	everybody_takes("spi %s %x =", "level, cleared while listed at", 1);
	write32(GICD + 0x200 + 12, 1 << 14);
	settle();
	write32(GICD + 0x280 + 12, 1 << 14);
	everybody_takes("spi %s %x =", "level by ispendr, cleared while listed at", 1);
	write32(GICD + 0xc00 + 4 * 6, ~0u);
	write32(GICD + 0x100 + 12, 1 << 15 | 1 << 16 | 1 << 17);
	write32(GICD + 0x80 + 12, ~0u);
	write64(GICD + 0x6000 + 8 * 111, 1);
	write64(GICD + 0x6000 + 8 * 112, 2);
	write64(GICD + 0x6000 + 8 * 113, 1);
	write32(GICD + 0x46c, 0x60606060);
	write32(GICD + 0x470, 0x40404040);
	write32(GICD + 0x200 + 12, 0xf << 14);
	everybody_takes("spi %s %x =", "four at once over", 3);
}

/* ---- Timers ---- */

static void arm_timers(u64 cpu)
{
	write32(GICR(cpu) + 0x10400 + 24, 0x80808080);
	write32(GICR(cpu) + 0x10400 + 28, 0x80808080);
	write32(GICR(cpu) + 0x10080, 0xffffffff);
	write32(GICR(cpu) + 0x10100, 1u << 27 | 1u << 30);
	MSR(cntv_cval_el0, 1000 + cpu);
	MSR(cntp_cval_el0, 2000 + cpu);
	if (cpu != 0)
		MSR(cntv_ctl_el0, 1);
	if (cpu != 1)
		MSR(cntp_ctl_el0, 1);
}

static void say_timers(u64 cpu)
{
	u64 one, two;

	say("timer of cpu %x = v %x %x", cpu, MRS(cntv_ctl_el0), MRS(cntv_cval_el0));
	say(" p %x %x", MRS(cntp_ctl_el0), MRS(cntp_cval_el0));
	one = get(READ(IAR1));
	if (one < 1020)
		MSR(cntv_ctl_el0, one == 27 ? 0 : MRS(cntv_ctl_el0) & 1);
	if (one == 30)
		MSR(cntp_ctl_el0, 0);
	if (one < 1020)
		set(WRITE(EOIR1), one);
	delay(SETTLE);
	two = get(READ(IAR1));
	MSR(cntv_ctl_el0, 0);
	MSR(cntp_ctl_el0, 0);
	if (two < 1020)
		set(WRITE(EOIR1), two);
	say(" takes %x %x\n", one, two);
	write32(GICR(cpu) + 0x10180, 1u << 27 | 1u << 30);
	write32(GICR(cpu) + 0x10280, 1u << 27 | 1u << 30);
	MSR(cntv_cval_el0, 0);
	MSR(cntp_cval_el0, 0);
}

static void wait_for_interrupt(u64 cpu)
{
	(void)cpu;
	__asm__ volatile("wfi");
}

static void ask_timers(void)
{
	everybody(arm_timers);
	settle();
	for (u64 cpu = 0; cpu < PARTIES; cpu++)
		say("timer pending at cpu %x = %x\n", cpu, (u64)read32(GICR(cpu) + 0x10200));
	everybody(say_timers);
}

static void ask_waiting(void)
{
	/* WFI ends by an SGI from another. */
	cpu_begin(1, wait_for_interrupt, 1);
	delay(5000);
	set(SGI1R, 9ull << 24 | 2);
	say("wfi ends by sgi of another = %s\n", cpu_end(1) ? "yes" : "no");
	everybody_takes("sgi %s %x =", "after wfi to cpu", 1);
	cpu_begin(1, wait_for_interrupt, 1);
	delay(5000);
	write64(GICD + 0x6000 + 8 * 110, 1);
	write32(GICD + 0x200 + 12, 1 << 14);
	say("wfi ends by spi = %s\n", cpu_end(1) ? "yes" : "no");
	everybody_takes("spi %s %x =", "after wfi to cpu", 1);
	/* CPU_SUSPEND likewise. */
	say("suspend of 1 =");
	cpu_begin(1, wait_for_interrupt, 1);
	delay(5000);
	write32(GICR(1) + 0x10200, 1 << 9);
	say(" %s\n", cpu_end(1) ? "ends" : "goes on");
	everybody_takes("sgi %s %x =", "by register after wfi to cpu", 1);
}

void ask_interrupts(void)
{
	for (u32 n = 1; n < PARTIES; n++)
		cpu_on(n, 0xc4000003, n, n);
	write32(GICD, 3);
	everybody(open_interface);
	write32(GICD + 0x80 + 12, read32(GICD + 0x80 + 12) | 1 << 14);
	write8(GICD + 0x400 + 110, 0x80);
	write32(GICD + 0xc00 + 4 * 6, ~0u);
	write32(GICD + 0x100 + 12, 1 << 14);
	ask_sgis();
	ask_sgi_order();
	ask_sleep();
	ask_routes();
	ask_priorities();
	ask_timers();
	ask_waiting();
	set(WRITE(IGRPEN0), 0);
	everybody(close_interface);
	write32(GICD + 0x180 + 12, ~0u);
	for (u64 n = 110; n < 114; n++)
		write64(GICD + 0x6000 + 8 * n, 0);
	for (u32 n = 1; n < PARTIES; n++)
		cpu_off(n);
	for (u64 cpu = 1; cpu < PARTIES; cpu++) {
		cpu_on((u32)cpu, 0xc4000003, cpu, cpu);
		cpu_do((u32)cpu, say_group, cpu);
		cpu_off((u32)cpu);
	}
}

/* Timers whose interrupts nobody takes: what stays pending at the redistributor while a private interrupt is disabled, its group is closed, or it is taken late. */
#include "probe.h"

#define GICD 0x08000000ull
#define SGIS 0x080b0000ull
#define ICC_IAR1 MRS_WORD(3, 0, 12, 12, 0)
#define ICC_EOIR1 MSR_WORD(3, 0, 12, 12, 1)
#define ICC_HPPIR1 MRS_WORD(3, 0, 12, 12, 2)
#define ICC_PMR MSR_WORD(3, 0, 4, 6, 0)
#define ICC_IGRPEN0 MSR_WORD(3, 0, 12, 12, 6)
#define ICC_IGRPEN1 MSR_WORD(3, 0, 12, 12, 7)

struct timer { const char *name; u32 intid, control, compare, value; };
static const struct timer timers[] = {
	{ "virtual", 27, MSR_WORD(3, 3, 14, 3, 1), MSR_WORD(3, 3, 14, 3, 2), MSR_WORD(3, 3, 14, 3, 0) },
	{ "physical", 30, MSR_WORD(3, 3, 14, 2, 1), MSR_WORD(3, 3, 14, 2, 2), MSR_WORD(3, 3, 14, 2, 0) },
};
static const struct timer *one;

static u64 get(u32 word)
{
	return instruction(word, 0, 0);
}

static void set(u32 word, u64 value)
{
	instruction(word, value, 0);
}

static void tell(const char *what)
{
	u64 control = get(one->control | 1u << 21);
	u32 pending = read32(SGIS + 0x200) >> one->intid & 1, active = read32(SGIS + 0x300) >> one->intid & 1;

	say("latch %s %s = ctl %x%s%s hppir %x\n", one->name, what, control, pending ? " pending" : "", active ? " active" : "", get(ICC_HPPIR1));
}

static void control(u64 value)
{
	set(one->control, value);
	delay(20);
}

static void enable(bool on)
{
	write32(SGIS + (on ? 0x100 : 0x180), 1u << one->intid);
	delay(20);
}

/* Takes what is there until nothing is, once the timer is off; then the interrupt is disabled and not pending. */
static void clean(void)
{
	u32 taken = 0;
	u64 intid;

	control(0);
	enable(true);
	while (taken < 8 && (intid = get(ICC_IAR1)) < 1020) {
		set(ICC_EOIR1, intid);
		delay(20);
		taken++;
	}
	enable(false);
	write32(SGIS + 0x280, 1u << one->intid);
	set(one->compare, 0);
	if (read32(SGIS + 0x200) >> one->intid & 1)
		say("latch %s stays\n", one->name);
	say("latch %s taken before = %x\n", one->name, (u64)taken);
}

/* Controls written one after the other. */
static void sequence(const char *what, u32 count, const u64 *values)
{
	clean();
	for (u32 i = 0; i < count; i++)
		control(values[i]);
	tell(what);
}

static void ask_controls(void)
{
	sequence("on", 1, (u64[]){ 1 });
	sequence("on and masked", 1, (u64[]){ 3 });
	sequence("ones", 1, (u64[]){ ALL_ONES });
	sequence("fives", 1, (u64[]){ 0x5555555555555555 });
	sequence("masked", 1, (u64[]){ 2 });
	sequence("status", 1, (u64[]){ 4 });
	sequence("on, off", 2, (u64[]){ 1, 0 });
	sequence("on, masked", 2, (u64[]){ 1, 3 });
	sequence("masked, off", 2, (u64[]){ 3, 0 });
	sequence("ones, off", 2, (u64[]){ ALL_ONES, 0 });
	sequence("masked, unmasked", 2, (u64[]){ 3, 1 });
	sequence("masked, unmasked, off", 3, (u64[]){ 3, 1, 0 });
	sequence("off and masked, on", 2, (u64[]){ 2, 3 });
	sequence("ones, fives, off", 3, (u64[]){ ALL_ONES, 0x5555555555555555, 0 });
	clean();
	set(one->control, 1);
	set(one->control, 0);
	tell("on and off at once");
	clean();
	set(one->control, ALL_ONES);
	set(one->control, 0x5555555555555555);
	set(one->control, 0);
	tell("ones, fives and off at once");
}

static void ask_compares(void)
{
	clean();
	set(one->compare, ALL_ONES);
	control(1);
	tell("far");
	set(one->compare, 0);
	delay(20);
	tell("far, past");
	set(one->compare, ALL_ONES);
	delay(20);
	tell("far, past, far");
	clean();
	set(one->value, (u32)-1);
	set(one->control, 1);
	tell("value before, at once");
	clean();
	set(one->value, 625);
	control(1);
	tell("soon");
	delay(100);
	tell("soon, later");
	set(one->value, 0x7fffffff);
	delay(20);
	tell("soon, later, far");
}

static void ask_clearing(void)
{
	clean();
	control(1);
	write32(SGIS + 0x280, 1u << one->intid);
	tell("on, cleared");
	control(0);
	tell("on, cleared, off");
	write32(SGIS + 0x280, 1u << one->intid);
	tell("on, cleared, off, cleared");
	enable(true);
	tell("on, cleared, off, cleared, enabled");
	clean();
	control(0);
	write32(SGIS + 0x200, 1u << one->intid);
	tell("set");
	control(1);
	control(0);
	write32(SGIS + 0x280, 1u << one->intid);
	tell("set, on, off, cleared");
	clean();
	control(1);
	enable(true);
	tell("on, enabled");
	enable(false);
	tell("on, enabled, disabled");
	control(0);
	tell("on, enabled, disabled, off");
	enable(true);
	tell("on, enabled, disabled, off, enabled");
	clean();
	control(1);
	control(0);
	enable(true);
	tell("on, off, enabled");
	say("latch %s on, off, enabled, taken = %x\n", one->name, get(ICC_IAR1));
	tell("on, off, enabled, taken");
	set(ICC_EOIR1, one->intid);
	delay(20);
	tell("on, off, enabled, taken, ended");
}

/* Pending twice: after the first the hardware's interrupt stays active until somebody looks. */
static void ask_again(void)
{
	clean();
	control(1);
	control(0);
	control(1);
	tell("on, off, on");
	enable(true);
	say("latch %s on, off, on, enabled, taken = %x\n", one->name, get(ICC_IAR1));
	enable(false);
	control(0);
	set(ICC_EOIR1, one->intid);
	delay(20);
	tell("ended while disabled");
	control(1);
	tell("ended while disabled, on");
	clean();
	set(ICC_IGRPEN1, 0);
	control(1);
	tell("closed, on");
	enable(true);
	tell("closed, enabled");
	control(0);
	set(ICC_IGRPEN1, 1);
	delay(20);
	tell("opened after off");
	clean();
	set(ICC_PMR, 0);
	enable(true);
	control(1);
	control(0);
	tell("under the mask, on, off");
	set(ICC_PMR, 0xff);
	delay(20);
	tell("over the mask");
	say("latch %s over the mask, taken = %x\n", one->name, get(ICC_IAR1));
	set(ICC_EOIR1, one->intid);
	delay(20);
	tell("over the mask, ended");
}

static void ask_edges(void)
{
	u32 configuration = read32(SGIS + 0xc04);

	clean();
	write32(SGIS + 0xc04, configuration | 2u << (one->intid - 16) * 2);
	control(1);
	tell("edge, on");
	control(0);
	tell("edge, on, off");
	write32(SGIS + 0x280, 1u << one->intid);
	tell("edge, on, off, cleared");
	control(1);
	tell("edge, on, off, cleared, on");
	control(0);
	control(1);
	tell("edge, again");
	control(0);
	write32(SGIS + 0xc04, configuration);
	tell("level after edge");
	clean();
}

void ask_latches(void)
{
	write32(GICD, 3);
	set(ICC_PMR, 0xff);
	set(ICC_IGRPEN1, 1);
	/* The real machine does not survive group 0 alone. */
	set(ICC_IGRPEN0, 0);
	for (u32 i = 0; i < 2; i++) {
		one = &timers[i];
		write32(SGIS + 0x80, read32(SGIS + 0x80) | 1u << one->intid);
		write8(SGIS + 0x400 + one->intid, 0x80);
		ask_controls();
		ask_compares();
		ask_clearing();
		ask_again();
		ask_edges();
	}
}

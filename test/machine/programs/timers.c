/*
 * The two timers of a CPU: what a comparison means at both ends of 64 bits, TVAL's sign, masks, status, and what the interrupt controller sees.
 * Nothing that is printed depends on how fast the machine is.
 */
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"

#define ISPENDR0 0x080B0200UL

struct timer {
	const char *name;
	uint32_t intid;
	uint64_t (*ctl)(void), (*cval)(void), (*tval)(void), (*count)(void);
	void (*set_ctl)(uint64_t), (*set_cval)(uint64_t), (*set_tval)(uint64_t);
};

#define ACCESS(name, register) \
	static uint64_t read_##name(void) { cpu_isb(); return READ_SYSREG(register); } \
	static void __attribute__((unused)) write_##name(uint64_t value) { WRITE_SYSREG(register, value); cpu_isb(); }

ACCESS(cntv_ctl, "cntv_ctl_el0")
ACCESS(cntv_cval, "cntv_cval_el0")
ACCESS(cntv_tval, "cntv_tval_el0")
ACCESS(cntp_ctl, "cntp_ctl_el0")
ACCESS(cntp_cval, "cntp_cval_el0")
ACCESS(cntp_tval, "cntp_tval_el0")

static uint64_t cntvct(void)
{
	cpu_isb();
	return READ_SYSREG("cntvct_el0");
}

static uint64_t cntpct(void)
{
	cpu_isb();
	return READ_SYSREG("cntpct_el0");
}

static const struct timer timers[] = {
	{ "virtual", 27, read_cntv_ctl, read_cntv_cval, read_cntv_tval, cntvct, write_cntv_ctl, write_cntv_cval, write_cntv_tval },
	{ "physical", 30, read_cntp_ctl, read_cntp_cval, read_cntp_tval, cntpct, write_cntp_ctl, write_cntp_cval, write_cntp_tval },
};

static void show(const struct timer *timer, const char *what)
{
	print("%s, %s: ctl %lx, pending %u, isr %lx\n", timer->name, what, timer->ctl(), mmio_read32(ISPENDR0) >> timer->intid & 1, READ_SYSREG("isr_el1"));
}

static void compare(const struct timer *timer)
{
	static const uint64_t values[] = { 0, 1, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff };

	for (unsigned int i = 0; i < ARRAY_COUNT(values); i++) {
		timer->set_cval(values[i]);
		print("cval %lx\n", timer->cval());
		for (uint64_t ctl = 0; ctl < 8; ctl++) {
			timer->set_ctl(ctl);
			show(timer, "compare");
		}
	}
	timer->set_ctl(0);
}

static void distances(const struct timer *timer)
{
	static const uint64_t values[] = { 0, 0xffffffff, 0x80000000, 0x7fffffff, 0xf00000000, 0xffffffff00000000, 0xfffffffffffffff0 };

	for (unsigned int i = 0; i < ARRAY_COUNT(values); i++) {
		uint64_t before = timer->count();
		uint64_t added;

		timer->set_tval(values[i]);
		/* Within a second of what a sign extension of 32 bits asks for. */
		added = timer->cval() - before - (uint64_t)(int64_t)(int32_t)values[i];
		timer->set_ctl(1);
		print("tval %lx: cval %s, upper half of tval %lx, sign %lx\n", values[i], added < 100000000 ? "right" : "wrong", timer->tval() >> 32, timer->tval() >> 31 & 1);
		show(timer, "distance");
		timer->set_ctl(0);
	}
	/* The status tells of the comparison only while the timer is on. */
	timer->set_cval(0);
	show(timer, "off, in the past");
}

static volatile unsigned int taken;
static volatile uint64_t taken_at, taken_cval;

static void on_timer(uint32_t intid, void *context)
{
	const struct timer *timer = context;

	(void)intid;
	taken++;
	taken_at = timer->count();
	taken_cval = timer->cval();
	timer->set_ctl(0);
}

/* Never early. */
static void interrupt(const struct timer *timer)
{
	gic_connect(timer->intid, GIC_LEVEL, timer->name, on_timer, (void *)timer);
	for (unsigned int i = 1; i <= 5; i++) {
		taken = 0;
		timer->set_tval(i * 997);
		timer->set_ctl(1);
		while (taken == 0)
			cpu_wait_for_interrupt();
		print("%s: taken %u, %s\n", timer->name, taken, taken_at >= taken_cval ? "not early" : "early");
	}
	/* Masked, unmasked: the level is there as long as the condition is. */
	timer->set_cval(0);
	timer->set_ctl(3);
	show(timer, "masked");
	timer->set_ctl(1);
	show(timer, "unmasked");
	timer->set_ctl(3);
	show(timer, "masked again");
	timer->set_ctl(0);
}

void guest_main(void)
{
	irq_mask();
	print("frequency %lu\n", READ_SYSREG("cntfrq_el0"));
	gic_disable(27);
	for (unsigned int i = 0; i < ARRAY_COUNT(timers); i++) {
		compare(&timers[i]);
		distances(&timers[i]);
		interrupt(&timers[i]);
	}
}

#include "timer.h"

#include <stddef.h>

#include "cpu.h"
#include "gic.h"

#define CTL_ENABLE 1UL
#define CTL_MASKED 2UL
#define US_PER_SECOND 1000000UL

static struct {
	uint64_t period; /* ticks; 0 means one shot */
	uint64_t deadline;
	timer_callback_t callback;
	void *context;
	volatile bool expired;
} timer;

uint64_t timer_frequency_hz(void)
{
	return READ_SYSREG("cntfrq_el0");
}

uint64_t timer_now(void)
{
	cpu_isb();
	return READ_SYSREG("cntvct_el0");
}

/* Split so that neither product overflows, whatever the frequency. */
static uint64_t us_to_ticks(uint64_t us)
{
	uint64_t hz = timer_frequency_hz();

	return us / US_PER_SECOND * hz + us % US_PER_SECOND * hz / US_PER_SECOND;
}

uint64_t timer_now_us(void)
{
	uint64_t hz = timer_frequency_hz();
	uint64_t now = timer_now();

	return now / hz * US_PER_SECOND + now % hz * US_PER_SECOND / hz;
}

static void set_deadline(uint64_t deadline)
{
	timer.deadline = deadline;
	WRITE_SYSREG("cntv_cval_el0", deadline);
	WRITE_SYSREG("cntv_ctl_el0", CTL_ENABLE);
	cpu_isb();
}

static void stop_timer(void)
{
	WRITE_SYSREG("cntv_ctl_el0", CTL_MASKED);
	cpu_isb();
}

static void timer_interrupt(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	timer.expired = true;
	if (timer.period == 0) {
		stop_timer();
		return;
	}
	set_deadline(timer.deadline + timer.period);
	if (timer.callback != NULL)
		timer.callback(timer.context);
}

void timer_init(uint32_t intid)
{
	stop_timer();
	gic_connect(intid, GIC_LEVEL, "timer", timer_interrupt, NULL);
}

void timer_start_periodic(uint64_t period_us, timer_callback_t callback, void *context)
{
	uint64_t daif = irq_mask();

	timer.period = us_to_ticks(period_us);
	timer.callback = callback;
	timer.context = context;
	if (timer.period == 0)
		stop_timer();
	else
		set_deadline(timer_now() + timer.period);
	irq_restore(daif);
}

void timer_sleep_us(uint64_t duration_us)
{
	uint64_t daif = irq_mask();

	timer.period = 0;
	timer.expired = false;
	set_deadline(timer_now() + us_to_ticks(duration_us));
	while (!timer.expired)
		cpu_wait_for_interrupt();
	irq_restore(daif);
}

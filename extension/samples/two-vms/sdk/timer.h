/* The virtual timer of the Arm generic timer: a counter, a deadline and one interrupt. */
#ifndef SDK_TIMER_H
#define SDK_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_DEFAULT_INTID 27U

typedef void (*timer_callback_t)(void *context);

void timer_init(uint32_t intid);
uint64_t timer_frequency_hz(void);
uint64_t timer_now(void); /* counter ticks */
uint64_t timer_now_us(void);

/* Calls back in interrupt context every period; a period of 0 stops the timer. */
void timer_start_periodic(uint64_t period_us, timer_callback_t callback, void *context);

/* Sleeps with WFI. Not while a periodic timer runs. */
void timer_sleep_us(uint64_t duration_us);

#endif

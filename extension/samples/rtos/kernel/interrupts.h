/* The interrupt controller of every CPU: software-generated interrupts between CPUs and the timer, each with its priority. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdint.h>

/* SGIs. A lower priority number is more urgent and preempts the handlers of higher ones. */
#define SGI_RESCHEDULE 0U
#define SGI_URGENT 8U
#define PRIORITY_URGENT 0x40U
#define PRIORITY_TIMER 0x80U
#define PRIORITY_RESCHEDULE 0xC0U

#define NO_INTERRUPT 1020U

void interrupts_init_cpu(unsigned int cpu, uint32_t timer_intid);
void interrupts_send(unsigned int cpu, uint32_t sgi);
uint32_t interrupts_take(void);
void interrupts_end(uint32_t intid);

#endif

/* Interrupt controller: GICv3 with the CPU interface in system registers (Arm IHI 0069). One CPU, group 1. */
#ifndef SDK_GIC_H
#define SDK_GIC_H

#include <stdbool.h>
#include <stdint.h>

#define GIC_DEFAULT_DISTRIBUTOR 0x08000000UL
#define GIC_DEFAULT_REDISTRIBUTOR 0x080A0000UL
#define GIC_INTID_MAX 1020U

enum gic_trigger { GIC_LEVEL, GIC_EDGE };

typedef void (*irq_handler_t)(uint32_t intid, void *context);

struct irq_action {
	irq_handler_t handler;
	void *context;
	const char *name;
	uint32_t count;
};

/* Finds this CPU's redistributor frame by its affinity and enables the CPU interface. */
void gic_init(uintptr_t distributor, uintptr_t redistributor);

/* Connects a handler and enables the interrupt. Handlers run with IRQs masked. */
void gic_connect(uint32_t intid, enum gic_trigger trigger, const char *name, irq_handler_t handler, void *context);
void gic_disable(uint32_t intid);
void gic_set_pending(uint32_t intid);
void gic_send_sgi_to_self(uint32_t intid);

/* How often the interrupt was taken. */
uint32_t gic_count(uint32_t intid);

/* Takes and handles everything that is pending; the IRQ vector calls it. */
void gic_dispatch(void);

#endif

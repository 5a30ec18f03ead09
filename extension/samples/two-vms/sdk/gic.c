#include "gic.h"

#include <stddef.h>

#include "cpu.h"
#include "exception.h"

#define GICD_CTLR 0x0000
#define GICD_IGROUPR 0x0080
#define GICD_ISENABLER 0x0100
#define GICD_ICENABLER 0x0180
#define GICD_ISPENDR 0x0200
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR 0x0C00
#define GICD_IROUTER 0x6000

#define GICD_CTLR_ENABLE_GROUP1 (1U << 1)
#define GICD_CTLR_ARE (1U << 4)
#define GICD_CTLR_RWP (1U << 31)

#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_FRAME_SIZE 0x20000UL
#define GICR_SGI_FRAME 0x10000UL
#define GICR_TYPER_LAST (1U << 4)
#define GICR_WAKER_PROCESSOR_SLEEP (1U << 1)
#define GICR_WAKER_CHILDREN_ASLEEP (1U << 2)

/* CPU interface registers by their encodings, so that every assembler knows them. */
#define ICC_PMR_EL1 "S3_0_C4_C6_0"
#define ICC_IAR1_EL1 "S3_0_C12_C12_0"
#define ICC_EOIR1_EL1 "S3_0_C12_C12_1"
#define ICC_BPR1_EL1 "S3_0_C12_C12_3"
#define ICC_CTLR_EL1 "S3_0_C12_C12_4"
#define ICC_SRE_EL1 "S3_0_C12_C12_5"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"
#define ICC_SGI1R_EL1 "S3_0_C12_C11_5"

#define PRIORITY_DEFAULT 0xA0U
#define PRIORITY_MASK_ALL 0xF8U
#define FIRST_SPI 32U
#define FIRST_SPECIAL_INTID 1020U

static uintptr_t gicd_base;
static uintptr_t gicr_base; /* this CPU's frame */
static struct irq_action irq_actions[GIC_INTID_MAX];

static uint64_t own_affinity(void)
{
	return READ_SYSREG("mpidr_el1") & 0xff00ffffffUL;
}

static uintptr_t find_redistributor(uintptr_t first)
{
	uint64_t mpidr = own_affinity();
	uint32_t affinity = (uint32_t)((mpidr & 0xffffff) | ((mpidr >> 32) << 24));

	for (uintptr_t frame = first;; frame += GICR_FRAME_SIZE) {
		uint32_t typer_low = mmio_read32(frame + GICR_TYPER);

		if (mmio_read32(frame + GICR_TYPER + 4) == affinity)
			return frame;
		if (typer_low & GICR_TYPER_LAST)
			panic("no GIC redistributor for CPU 0x%x", affinity);
	}
}

static void wake_redistributor(void)
{
	uint32_t waker = mmio_read32(gicr_base + GICR_WAKER);

	mmio_write32(gicr_base + GICR_WAKER, waker & ~GICR_WAKER_PROCESSOR_SLEEP);
	while (mmio_read32(gicr_base + GICR_WAKER) & GICR_WAKER_CHILDREN_ASLEEP)
		;
}

static void enable_cpu_interface(void)
{
	WRITE_SYSREG(ICC_SRE_EL1, READ_SYSREG(ICC_SRE_EL1) | 1);
	cpu_isb();
	WRITE_SYSREG(ICC_PMR_EL1, PRIORITY_MASK_ALL);
	WRITE_SYSREG(ICC_CTLR_EL1, 0);
	WRITE_SYSREG(ICC_IGRPEN1_EL1, 1);
	cpu_isb();
}

void gic_init(uintptr_t distributor, uintptr_t redistributor)
{
	gicd_base = distributor;
	gicr_base = find_redistributor(redistributor);
	mmio_write32(gicd_base + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_ENABLE_GROUP1);
	while (mmio_read32(gicd_base + GICD_CTLR) & GICD_CTLR_RWP)
		;
	wake_redistributor();
	mmio_write32(gicr_base + GICR_SGI_FRAME + GICD_IGROUPR, 0xffffffffU);
	enable_cpu_interface();
}

/* Private interrupts (below 32) are configured in the redistributor, with the distributor's register layout. */
static uintptr_t bank_of(uint32_t intid)
{
	return intid < FIRST_SPI ? gicr_base + GICR_SGI_FRAME : gicd_base;
}

static uintptr_t bit_register(uint32_t intid, uintptr_t offset)
{
	return bank_of(intid) + offset + (intid / 32) * 4;
}

static void set_field(uintptr_t address, uint32_t shift, uint32_t mask, uint32_t value)
{
	uint32_t old = mmio_read32(address);

	mmio_write32(address, (old & ~(mask << shift)) | (value << shift));
}

static void configure(uint32_t intid, enum gic_trigger trigger)
{
	uintptr_t bank = bank_of(intid);

	set_field(bit_register(intid, GICD_IGROUPR), intid % 32, 1, 1);
	set_field(bank + GICD_IPRIORITYR + (intid & ~3U), (intid % 4) * 8, 0xff, PRIORITY_DEFAULT);
	if (intid >= 16) /* software-generated interrupts are always edge-triggered */
		set_field(bank + GICD_ICFGR + (intid / 16) * 4, (intid % 16) * 2 + 1, 1, trigger == GIC_EDGE);
	if (intid >= FIRST_SPI)
		mmio_write64(gicd_base + GICD_IROUTER + 8UL * intid, own_affinity());
}

void gic_connect(uint32_t intid, enum gic_trigger trigger, const char *name, irq_handler_t handler, void *context)
{
	if (intid >= GIC_INTID_MAX)
		panic("interrupt %u is out of range", intid);
	irq_actions[intid] = (struct irq_action){ .handler = handler, .context = context, .name = name };
	configure(intid, trigger);
	cpu_dsb();
	mmio_write32(bit_register(intid, GICD_ISENABLER), 1U << (intid % 32));
}

void gic_disable(uint32_t intid)
{
	mmio_write32(bit_register(intid, GICD_ICENABLER), 1U << (intid % 32));
}

void gic_set_pending(uint32_t intid)
{
	mmio_write32(bit_register(intid, GICD_ISPENDR), 1U << (intid % 32));
}

void gic_send_sgi_to_self(uint32_t intid)
{
	uint64_t mpidr = own_affinity();
	uint64_t affinity321 = ((mpidr >> 8) & 0xff) << 16 | ((mpidr >> 16) & 0xff) << 32 | ((mpidr >> 32) & 0xff) << 48;

	WRITE_SYSREG(ICC_SGI1R_EL1, affinity321 | ((uint64_t)(intid & 15) << 24) | (1UL << (mpidr & 15)));
	cpu_isb();
}

uint32_t gic_count(uint32_t intid)
{
	return intid < GIC_INTID_MAX ? irq_actions[intid].count : 0;
}

void gic_dispatch(void)
{
	for (;;) {
		uint32_t intid = (uint32_t)READ_SYSREG(ICC_IAR1_EL1) & 0xffffff;
		struct irq_action *action;

		if (intid >= FIRST_SPECIAL_INTID)
			return;
		action = &irq_actions[intid];
		action->count++;
		if (action->handler == NULL)
			panic("interrupt %u has no handler", intid);
		action->handler(intid, action->context);
		WRITE_SYSREG(ICC_EOIR1_EL1, intid);
		cpu_isb();
	}
}

#include "interrupts.h"

#include "sdk/board.h"
#include "sdk/cpu.h"

#define FRAME_SIZE 0x20000UL
#define SGI_FRAME 0x10000UL
#define GICR_WAKER 0x14
#define GICR_IGROUPR0 (SGI_FRAME + 0x080)
#define GICR_ISENABLER0 (SGI_FRAME + 0x100)
#define GICR_IPRIORITYR (SGI_FRAME + 0x400)

#define ICC_PMR_EL1 "S3_0_C4_C6_0"
#define ICC_SGI1R_EL1 "S3_0_C12_C11_5"
#define ICC_IAR1_EL1 "S3_0_C12_C12_0"
#define ICC_EOIR1_EL1 "S3_0_C12_C12_1"
#define ICC_BPR1_EL1 "S3_0_C12_C12_3"
#define ICC_SRE_EL1 "S3_0_C12_C12_5"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"

static void set_priority(uintptr_t frame, uint32_t intid, uint8_t priority)
{
	*(volatile uint8_t *)(frame + GICR_IPRIORITYR + intid) = priority;
}

/* CPU n has the nth frame: the platform numbers its CPUs in the lowest affinity field. */
void interrupts_init_cpu(unsigned int cpu, uint32_t timer_intid)
{
	uintptr_t frame = board.gic_redistributor + cpu * FRAME_SIZE;

	mmio_write32(frame + GICR_WAKER, 0);
	while (mmio_read32(frame + GICR_WAKER) & 4)
		;
	mmio_write32(frame + GICR_IGROUPR0, 0xffffffffU);
	set_priority(frame, SGI_RESCHEDULE, PRIORITY_RESCHEDULE);
	set_priority(frame, SGI_URGENT, PRIORITY_URGENT);
	set_priority(frame, timer_intid, PRIORITY_TIMER);
	mmio_write32(frame + GICR_ISENABLER0, 1U << SGI_RESCHEDULE | 1U << SGI_URGENT | 1U << timer_intid);
	WRITE_SYSREG(ICC_SRE_EL1, READ_SYSREG(ICC_SRE_EL1) | 1);
	cpu_isb();
	WRITE_SYSREG(ICC_PMR_EL1, 0xff);
	WRITE_SYSREG(ICC_IGRPEN1_EL1, 1);
	cpu_isb();
	WRITE_SYSREG(ICC_BPR1_EL1, 0); /* the least that the controller takes: all implemented bits decide preemption */
	cpu_isb();
}

void interrupts_send(unsigned int cpu, uint32_t sgi)
{
	cpu_dsb();
	WRITE_SYSREG(ICC_SGI1R_EL1, (uint64_t)sgi << 24 | 1UL << cpu);
	cpu_isb();
}

uint32_t interrupts_take(void)
{
	uint32_t intid = (uint32_t)READ_SYSREG(ICC_IAR1_EL1) & 0xffffff;

	cpu_dsb();
	return intid;
}

void interrupts_end(uint32_t intid)
{
	WRITE_SYSREG(ICC_EOIR1_EL1, intid);
	cpu_isb();
}

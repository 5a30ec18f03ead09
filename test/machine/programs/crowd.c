/*
 * One of many VMs with several CPUs: a software-generated interrupt goes round the ring of the VM's CPUs, each of which sleeps until it comes,
 * and the virtual timer of each ticks beside it. Says so when it went round often enough, and waits for ever.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/gic.h"
#include "sdk/psci.h"

#define CPU_MAX 8U
#define ROUNDS 20U
#define SGI_RING 3U
#define TIMER 27U
#define TICK 20000UL /* counts */

extern void other_cpu_start(void);

static unsigned int cpu_count = 1;
static volatile unsigned int ready, passed[CPU_MAX], ticks[CPU_MAX];

static unsigned int cpu_number(void)
{
	return READ_SYSREG("mpidr_el1") & 0xff;
}

static void pass_on(uint32_t intid, void *context)
{
	unsigned int cpu = cpu_number();

	(void)context;
	passed[cpu]++;
	if (cpu == 0 && passed[0] > ROUNDS)
		return;
	WRITE_SYSREG("S3_0_C12_C11_5", (uint64_t)intid << 24 | 1UL << ((cpu + 1) % cpu_count));
}

static void tick(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	ticks[cpu_number()]++;
	WRITE_SYSREG("cntv_tval_el0", TICK);
}

static void init_cpu(unsigned int cpu)
{
	uintptr_t frame = board.gic_redistributor + cpu * 0x20000;

	mmio_write32(frame + 0x14, 0);
	mmio_write32(frame + 0x10080, 0xffffffff);
	mmio_write32(frame + 0x10100, 1U << SGI_RING | 1U << TIMER);
	WRITE_SYSREG("S3_0_C12_C12_5", 7);
	WRITE_SYSREG("S3_0_C4_C6_0", 0xff);
	WRITE_SYSREG("S3_0_C12_C12_7", 1);
	WRITE_SYSREG("cntv_tval_el0", TICK);
	WRITE_SYSREG("cntv_ctl_el0", 1);
	cpu_isb();
}

void other_cpu(uint64_t cpu);
void other_cpu(uint64_t cpu)
{
	init_cpu((unsigned int)cpu);
	ready++;
	for (;;)
		cpu_wait_for_interrupt();
}

void guest_main(void)
{
	unsigned int least = ROUNDS;

	irq_mask();
	while (cpu_count < CPU_MAX && psci_call(PSCI_AFFINITY_INFO, cpu_count, 0, 0) == 1)
		cpu_count++;
	gic_connect(SGI_RING, GIC_EDGE, "ring", pass_on, NULL);
	gic_connect(TIMER, GIC_LEVEL, "tick", tick, NULL);
	init_cpu(0);
	for (unsigned int cpu = 1; cpu < cpu_count; cpu++) {
		psci_cpu_on(cpu, (uintptr_t)other_cpu_start, cpu);
		while (ready < cpu)
			cpu_wait_for_interrupt();
	}
	pass_on(SGI_RING, NULL);
	while (passed[0] <= ROUNDS)
		cpu_wait_for_interrupt();
	for (unsigned int cpu = 1; cpu < cpu_count; cpu++)
		least = passed[cpu] < least ? passed[cpu] : least;
	print("%u CPUs, %u rounds, at least %u passes on each\n", cpu_count, ROUNDS, least);
	for (;;)
		cpu_wait_for_interrupt();
}

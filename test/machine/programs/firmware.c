/*
 * What the firmware answers: every PSCI function and some that are none, right and wrong arguments, a second CPU that is started, stopped and
 * started again, standby and power-down with an interrupt pending and with one to come. Ends with SYSTEM_OFF. For two CPUs.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"
#include "sdk/psci.h"
#include "sdk/timer.h"

#define CPU_SUSPEND_64 0xC4000001U

extern void other_cpu_start(void);

static volatile unsigned int started;
static volatile uint64_t seen_context, seen_sctlr, seen_daif, seen_sp;
static volatile bool stops;

void other_cpu(uint64_t context);
void other_cpu(uint64_t context)
{
	seen_context = context;
	seen_sctlr = READ_SYSREG("sctlr_el1") & 0x1005;
	seen_daif = READ_SYSREG("daif");
	cpu_dsb();
	started++;
	while (!stops)
		__asm__ volatile("yield");
	psci_call(PSCI_CPU_OFF, 0, 0, 0);
	print("CPU_OFF returned\n");
}

static void call(const char *name, uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	print("%s %lx(%lx, %lx, %lx) = %lx, %lx %lx %lx\n", name, function, a1, a2, a3, x0, x1, x2, x3);
}

static void every_function(void)
{
	for (uint64_t id = 0; id < 0x20; id++) {
		/* Not those that would end the test: CPU_SUSPEND, CPU_OFF, CPU_ON, SYSTEM_OFF, SYSTEM_RESET. */
		call("features", PSCI_FEATURES, 0x84000000 + id, 0, 0);
		call("features", PSCI_FEATURES, 0xc4000000 + id, 0, 0);
		if (id == 1 || id == 2 || id == 3 || id == 8 || id == 9)
			continue;
		call("function", 0x84000000 + id, 7, 9, 11);
		call("function", 0xc4000000 + id, 7, 9, 11);
	}
	call("SMCCC", 0x80000000, 0, 0, 0);
	call("SMCCC", 0x80000001, 0x80000000, 0, 0);
	call("vendor", 0x8600ff01, 0, 0, 0);
	call("TRNG", 0x84000050, 0, 0, 0);
	call("none", 0, 0, 0, 0);
	call("features", PSCI_FEATURES, 0x80000000, 0, 0);
	call("features", PSCI_FEATURES, 0x80000001, 0, 0);
}

static void affinity(void)
{
	static const uint64_t levels[] = { 0, 1, 2, 3, 4, 0x100000000 };
	static const uint64_t affinities[] = { 0, 1, 2, 3, 0x100, 0x80000000, 0x80000001, 0x100000000, 0xffffff };

	for (unsigned int level = 0; level < ARRAY_COUNT(levels); level++)
		for (unsigned int i = 0; i < ARRAY_COUNT(affinities); i++) {
			call("info", PSCI_AFFINITY_INFO, affinities[i], levels[level], 0);
			if (affinities[i] >> 32 == 0 && levels[level] >> 32 == 0) /* else QEMU looks at the upper halves too */
				call("info", 0x84000004, affinities[i], levels[level], 0);
		}
}

static void wait_for(unsigned int count)
{
	while (started < count)
		__asm__ volatile("yield");
}

static void wait_for_off(void)
{
	while (psci_call(PSCI_AFFINITY_INFO, 1, 0, 0) != 1)
		__asm__ volatile("yield");
}

static void cpu_on(void)
{
	uint64_t entry = (uint64_t)other_cpu_start;

	call("on self", PSCI_CPU_ON, 0, entry, 0);
	call("on unknown", PSCI_CPU_ON, 2, entry, 0);
	call("on unknown", PSCI_CPU_ON, 0x101, entry, 0);
	call("on unaligned", PSCI_CPU_ON, 1, entry + 2, 0);
	call("on unaligned and unknown", PSCI_CPU_ON, 5, entry + 1, 0);
	call("on", PSCI_CPU_ON, 1, entry, 1);
	wait_for(1);
	print("context %lx, SCTLR %lx, DAIF %lx\n", seen_context, seen_sctlr, seen_daif);
	call("info", PSCI_AFFINITY_INFO, 1, 0, 0);
	call("on once more", PSCI_CPU_ON, 1, entry, 1);
	stops = true;
	wait_for_off();
	stops = false;
	call("on again", 0x84000003, 1, entry, 2);
	wait_for(2);
	print("context %lx\n", seen_context);
	stops = true;
	wait_for_off();
}

static void pend_timer(uint64_t counts)
{
	WRITE_SYSREG("cntv_tval_el0", counts);
	WRITE_SYSREG("cntv_ctl_el0", 1);
	cpu_isb();
}

/* An interrupt wakes a CPU that masks it, from standby: the call returns. */
static void suspend(void)
{
	pend_timer(0);
	call("standby, pending", CPU_SUSPEND_64, 0, 0, 0);
	WRITE_SYSREG("cntv_ctl_el0", 0);
	pend_timer(100000);
	call("standby", CPU_SUSPEND_64, 0, 0, 0);
	print("timer status %lx\n", READ_SYSREG("cntv_ctl_el0"));
	WRITE_SYSREG("cntv_ctl_el0", 0);
	pend_timer(100000);
	call("standby", 0x84000001, 0, 0, 0);
	WRITE_SYSREG("cntv_ctl_el0", 0);
	call("bad power state", CPU_SUSPEND_64, 0xfffe0000, 0, 0);
	call("bad power state", CPU_SUSPEND_64, 0x80000000, 0, 0);
}

void guest_main(void)
{
	irq_mask();
	every_function();
	affinity();
	cpu_on();
	suspend();
}

#include "psci.h"

#include "console.h"
#include "cpu.h"

static enum psci_conduit psci_conduit = PSCI_HVC;

#define SMCCC_CLOBBERS \
	"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory"

struct smccc_result smccc_call(enum psci_conduit conduit, uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	if (conduit == PSCI_SMC)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : SMCCC_CLOBBERS);
	else
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : SMCCC_CLOBBERS);
	return (struct smccc_result){ x0, x1, x2, x3 };
}

void psci_init(enum psci_conduit conduit)
{
	psci_conduit = conduit;
}

int32_t psci_call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return (int32_t)smccc_call(psci_conduit, function, a1, a2, a3).x0;
}

uint32_t psci_version(void)
{
	return (uint32_t)psci_call(PSCI_VERSION, 0, 0, 0);
}

int32_t psci_cpu_on(uint64_t mpidr, uintptr_t entry, uint64_t context)
{
	return psci_call(PSCI_CPU_ON, mpidr, entry, context);
}

/* Neither call returns; if one does, there is no PSCI here, and all that is left is to stop. */
static void __attribute__((noreturn)) stop(const char *name, int32_t error)
{
	print("%s failed: %d\n", name, error);
	for (;;) {
		irq_mask();
		__asm__ volatile("wfi");
	}
}

void psci_system_off(void)
{
	stop("PSCI SYSTEM_OFF", psci_call(PSCI_SYSTEM_OFF, 0, 0, 0));
}

void psci_system_reset(void)
{
	stop("PSCI SYSTEM_RESET", psci_call(PSCI_SYSTEM_RESET, 0, 0, 0));
}

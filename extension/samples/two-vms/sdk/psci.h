/* Power State Coordination Interface (Arm DEN0022): turning CPUs and the whole machine on and off. */
#ifndef SDK_PSCI_H
#define SDK_PSCI_H

#include <stdbool.h>
#include <stdint.h>

#define PSCI_VERSION 0x84000000U
#define PSCI_CPU_OFF 0x84000002U
#define PSCI_CPU_ON 0xC4000003U
#define PSCI_AFFINITY_INFO 0xC4000004U
#define PSCI_SYSTEM_OFF 0x84000008U
#define PSCI_SYSTEM_RESET 0x84000009U
#define PSCI_FEATURES 0x8400000AU

enum psci_conduit { PSCI_HVC, PSCI_SMC };

struct smccc_result {
	uint64_t x0, x1, x2, x3;
};

/* A call by the SMC Calling Convention (Arm DEN0028) with up to three arguments. */
struct smccc_result smccc_call(enum psci_conduit conduit, uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3);

/* The device tree's psci node says which instruction to use; HVC unless told otherwise. */
void psci_init(enum psci_conduit conduit);
int32_t psci_call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3);
uint32_t psci_version(void);
int32_t psci_cpu_on(uint64_t mpidr, uintptr_t entry, uint64_t context);
void psci_system_off(void) __attribute__((noreturn));
void psci_system_reset(void) __attribute__((noreturn));

#endif

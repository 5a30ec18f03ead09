/*
 * Gunyah hypercalls (Gunyah Hypervisor API). Every wrapper fills a struct gunyah_registers and makes the call by one of
 * the two paths:
 *
 *   native   HVC #0x60nn, arguments in x0..x7. Reserved arguments must have their prescribed values.
 *   SMCCC    HVC #0 with 0xC60080nn in w0, arguments in x1..x8. The way Linux calls.
 *
 * gunyah_set_path() chooses; native is the default. The results are the same. Anything that is not wrapped here can be
 * called with GUNYAH_CALL(number, registers).
 */
#ifndef SDK_GUNYAH_H
#define SDK_GUNYAH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t cap_id_t;

#define CAP_ID_INVALID (~(cap_id_t)0)

enum gunyah_error {
	GUNYAH_RETRY = -2,
	GUNYAH_UNIMPLEMENTED = -1,
	GUNYAH_OK = 0,
	GUNYAH_ARGUMENT_INVALID = 1,
	GUNYAH_ARGUMENT_SIZE = 2,
	GUNYAH_ARGUMENT_ALIGNMENT = 3,
	GUNYAH_NOMEM = 10,
	GUNYAH_NORESOURCES = 11,
	GUNYAH_ADDR_OVERFLOW = 20,
	GUNYAH_ADDR_UNDERFLOW = 21,
	GUNYAH_ADDR_INVALID = 22,
	GUNYAH_DENIED = 30,
	GUNYAH_BUSY = 31,
	GUNYAH_IDLE = 32,
	GUNYAH_OBJECT_STATE = 33,
	GUNYAH_OBJECT_CONFIG = 34,
	GUNYAH_OBJECT_CONFIGURED = 35,
	GUNYAH_FAILURE = 36,
	GUNYAH_VIRQ_BOUND = 40,
	GUNYAH_VIRQ_NOT_BOUND = 41,
	GUNYAH_CSPACE_CAP_NULL = 50,
	GUNYAH_CSPACE_CAP_REVOKED = 51,
	GUNYAH_CSPACE_WRONG_OBJECT_TYPE = 52,
	GUNYAH_CSPACE_INSUFFICIENT_RIGHTS = 53,
	GUNYAH_CSPACE_FULL = 54,
	GUNYAH_MSGQUEUE_EMPTY = 60,
	GUNYAH_MSGQUEUE_FULL = 61,
	GUNYAH_MEMDB_NOT_OWNER = 111,
	GUNYAH_MEMEXTENT_MAPPINGS_FULL = 120,
	GUNYAH_MEMEXTENT_TYPE = 121,
};

const char *gunyah_error_name(enum gunyah_error error);

/* Call numbers; nn of HVC #0x60nn. */
enum {
	GUNYAH_HYPERVISOR_IDENTIFY = 0x00,
	GUNYAH_DOORBELL_BIND_VIRQ = 0x10,
	GUNYAH_DOORBELL_UNBIND_VIRQ = 0x11,
	GUNYAH_DOORBELL_SEND = 0x12,
	GUNYAH_DOORBELL_RECEIVE = 0x13,
	GUNYAH_DOORBELL_RESET = 0x14,
	GUNYAH_DOORBELL_MASK = 0x15,
	GUNYAH_MSGQUEUE_BIND_SEND_VIRQ = 0x17,
	GUNYAH_MSGQUEUE_BIND_RECEIVE_VIRQ = 0x18,
	GUNYAH_MSGQUEUE_UNBIND_SEND_VIRQ = 0x19,
	GUNYAH_MSGQUEUE_UNBIND_RECEIVE_VIRQ = 0x1a,
	GUNYAH_MSGQUEUE_SEND = 0x1b,
	GUNYAH_MSGQUEUE_RECEIVE = 0x1c,
	GUNYAH_MSGQUEUE_FLUSH = 0x1d,
	GUNYAH_MSGQUEUE_CONFIGURE_SEND = 0x1f,
	GUNYAH_MSGQUEUE_CONFIGURE_RECEIVE = 0x20,
	GUNYAH_VCPU_POWERON = 0x38,
	GUNYAH_VCPU_POWEROFF = 0x39,
	GUNYAH_VCPU_KILL = 0x3a,
	GUNYAH_SCHEDULER_YIELD = 0x3b,
	GUNYAH_VCPU_SET_AFFINITY = 0x3d,
	GUNYAH_TRACE_UPDATE_CLASS_FLAGS = 0x3f,
	GUNYAH_VPM_GROUP_GET_STATE = 0x45,
	GUNYAH_PRNG_GET_ENTROPY = 0x57,
	GUNYAH_VCPU_BIND_VIRQ = 0x5c,
	GUNYAH_VCPU_UNBIND_VIRQ = 0x5d,
	GUNYAH_VCPU_REGISTER_WRITE = 0x64,
	GUNYAH_VCPU_RUN = 0x65,
	GUNYAH_VCPU_RUN_CHECK = 0x68,
};

#define GUNYAH_SMCCC_FUNCTION(number) (0xC6008000UL + (number))
#define GUNYAH_NO_HOLDOFF 0xffffffffUL
#define GUNYAH_THRESHOLD_UNCHANGED 0xffffffffUL
#define GUNYAH_MSGQUEUE_PUSH 1UL

/* Scheduler hints of scheduler_yield. */
#define GUNYAH_YIELD 0UL
#define GUNYAH_YIELD_TO_THREAD 1UL

/* States that vcpu_run and vcpu_run_check return. */
enum gunyah_vcpu_state {
	GUNYAH_VCPU_READY = 0,
	GUNYAH_VCPU_EXPECTS_WAKEUP = 1,
	GUNYAH_VCPU_POWERED_OFF = 2,
	GUNYAH_VCPU_BLOCKED = 3,
	GUNYAH_VCPU_ADDRSPACE_VMMIO_READ = 4,
	GUNYAH_VCPU_ADDRSPACE_VMMIO_WRITE = 5,
	GUNYAH_VCPU_FAULT = 6,
	GUNYAH_VCPU_PSCI_SYSTEM_RESET = 0x100,
};

enum gunyah_path { GUNYAH_PATH_NATIVE, GUNYAH_PATH_SMCCC };

extern enum gunyah_path gunyah_path;

static inline void gunyah_set_path(enum gunyah_path path)
{
	gunyah_path = path;
}

/* Arguments before a call, results after it. */
struct gunyah_registers {
	uint64_t x[8];
};

#define GUNYAH_LOST_REGISTERS "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory"

/* HVC takes its number as an immediate, so `number` must be a constant. */
#define GUNYAH_NATIVE_CALL(number, registers)                                                          \
	do {                                                                                           \
		register uint64_t r0_ __asm__("x0") = (registers).x[0];                                \
		register uint64_t r1_ __asm__("x1") = (registers).x[1];                                \
		register uint64_t r2_ __asm__("x2") = (registers).x[2];                                \
		register uint64_t r3_ __asm__("x3") = (registers).x[3];                                \
		register uint64_t r4_ __asm__("x4") = (registers).x[4];                                \
		register uint64_t r5_ __asm__("x5") = (registers).x[5];                                \
		register uint64_t r6_ __asm__("x6") = (registers).x[6];                                \
		register uint64_t r7_ __asm__("x7") = (registers).x[7];                                \
		__asm__ volatile("hvc %[immediate]"                                                    \
				 : "+r"(r0_), "+r"(r1_), "+r"(r2_), "+r"(r3_), "+r"(r4_), "+r"(r5_),   \
				   "+r"(r6_), "+r"(r7_)                                                \
				 : [immediate] "i"(0x6000 + (number))                                  \
				 : "x8", GUNYAH_LOST_REGISTERS);                                       \
		(registers) = (struct gunyah_registers){ { r0_, r1_, r2_, r3_, r4_, r5_, r6_, r7_ } }; \
	} while (0)

#define GUNYAH_SMCCC_CALL(number, registers)                                                           \
	do {                                                                                           \
		register uint64_t r0_ __asm__("x0") = GUNYAH_SMCCC_FUNCTION(number);                   \
		register uint64_t r1_ __asm__("x1") = (registers).x[0];                                \
		register uint64_t r2_ __asm__("x2") = (registers).x[1];                                \
		register uint64_t r3_ __asm__("x3") = (registers).x[2];                                \
		register uint64_t r4_ __asm__("x4") = (registers).x[3];                                \
		register uint64_t r5_ __asm__("x5") = (registers).x[4];                                \
		register uint64_t r6_ __asm__("x6") = (registers).x[5];                                \
		register uint64_t r7_ __asm__("x7") = (registers).x[6];                                \
		register uint64_t r8_ __asm__("x8") = (registers).x[7];                                \
		__asm__ volatile("hvc #0"                                                              \
				 : "+r"(r0_), "+r"(r1_), "+r"(r2_), "+r"(r3_), "+r"(r4_), "+r"(r5_),   \
				   "+r"(r6_), "+r"(r7_), "+r"(r8_)                                     \
				 :                                                                     \
				 : GUNYAH_LOST_REGISTERS);                                             \
		(registers) = (struct gunyah_registers){ { r0_, r1_, r2_, r3_, r4_, r5_, r6_, r7_ } }; \
	} while (0)

#define GUNYAH_CALL(number, registers)                          \
	do {                                                    \
		if (gunyah_path == GUNYAH_PATH_SMCCC)           \
			GUNYAH_SMCCC_CALL(number, registers);   \
		else                                            \
			GUNYAH_NATIVE_CALL(number, registers);  \
	} while (0)

/* Errors are 32-bit signed numbers; the upper half of the register is not defined. */
static inline enum gunyah_error gunyah_error_of(const struct gunyah_registers *registers)
{
	return (enum gunyah_error)(int32_t)registers->x[0];
}

struct gunyah_identity {
	uint64_t api_info; /* 13:0 API version, 14 big-endian, 15 64-bit, 63:56 variant */
	uint64_t flags[3];
};

static inline struct gunyah_identity gunyah_hypervisor_identify(void)
{
	struct gunyah_registers r = { { 0 } };

	GUNYAH_CALL(GUNYAH_HYPERVISOR_IDENTIFY, r);
	return (struct gunyah_identity){ r.x[0], { r.x[1], r.x[2], r.x[3] } };
}

/* ORs flags into the doorbell; *old_flags (may be NULL) is what was set before. */
static inline enum gunyah_error gunyah_doorbell_send(cap_id_t doorbell, uint64_t new_flags, uint64_t *old_flags)
{
	struct gunyah_registers r = { { doorbell, new_flags } };

	GUNYAH_CALL(GUNYAH_DOORBELL_SEND, r);
	if (old_flags != NULL)
		*old_flags = r.x[1];
	return gunyah_error_of(&r);
}

/* Reads all flags and clears those given, of which there must be at least one. */
static inline enum gunyah_error gunyah_doorbell_receive(cap_id_t doorbell, uint64_t clear_flags, uint64_t *old_flags)
{
	struct gunyah_registers r = { { doorbell, clear_flags } };

	GUNYAH_CALL(GUNYAH_DOORBELL_RECEIVE, r);
	if (old_flags != NULL)
		*old_flags = r.x[1];
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_doorbell_reset(cap_id_t doorbell)
{
	struct gunyah_registers r = { { doorbell } };

	GUNYAH_CALL(GUNYAH_DOORBELL_RESET, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_doorbell_mask(cap_id_t doorbell, uint64_t enable_mask, uint64_t ack_mask)
{
	struct gunyah_registers r = { { doorbell, enable_mask, ack_mask } };

	GUNYAH_CALL(GUNYAH_DOORBELL_MASK, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_doorbell_bind_virq(cap_id_t doorbell, cap_id_t vic, uint32_t virq)
{
	struct gunyah_registers r = { { doorbell, vic, virq } };

	GUNYAH_CALL(GUNYAH_DOORBELL_BIND_VIRQ, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_doorbell_unbind_virq(cap_id_t doorbell)
{
	struct gunyah_registers r = { { doorbell } };

	GUNYAH_CALL(GUNYAH_DOORBELL_UNBIND_VIRQ, r);
	return gunyah_error_of(&r);
}

/* flags: 0 or GUNYAH_MSGQUEUE_PUSH. *not_full (may be NULL): there is room for another message. */
static inline enum gunyah_error gunyah_msgqueue_send(cap_id_t queue, const void *data, size_t size, uint64_t flags,
						     bool *not_full)
{
	struct gunyah_registers r = { { queue, size, (uint64_t)data, flags } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_SEND, r);
	if (not_full != NULL)
		*not_full = (r.x[1] & 1) != 0;
	return gunyah_error_of(&r);
}

/* *size: bytes received. *not_empty (may be NULL): there is another message. */
static inline enum gunyah_error gunyah_msgqueue_receive(cap_id_t queue, void *buffer, size_t buffer_size, size_t *size,
							bool *not_empty)
{
	struct gunyah_registers r = { { queue, (uint64_t)buffer, buffer_size } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_RECEIVE, r);
	*size = r.x[1];
	if (not_empty != NULL)
		*not_empty = (r.x[2] & 1) != 0;
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_flush(cap_id_t queue)
{
	struct gunyah_registers r = { { queue } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_FLUSH, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_configure_send(cap_id_t queue, uint32_t not_full_threshold)
{
	struct gunyah_registers r = { { queue, not_full_threshold, GUNYAH_NO_HOLDOFF, ~0UL } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_CONFIGURE_SEND, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_configure_receive(cap_id_t queue, uint32_t not_empty_threshold)
{
	struct gunyah_registers r = { { queue, not_empty_threshold, GUNYAH_NO_HOLDOFF, ~0UL } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_CONFIGURE_RECEIVE, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_bind_send_virq(cap_id_t queue, cap_id_t vic, uint32_t virq)
{
	struct gunyah_registers r = { { queue, vic, virq } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_BIND_SEND_VIRQ, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_bind_receive_virq(cap_id_t queue, cap_id_t vic, uint32_t virq)
{
	struct gunyah_registers r = { { queue, vic, virq } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_BIND_RECEIVE_VIRQ, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_unbind_send_virq(cap_id_t queue)
{
	struct gunyah_registers r = { { queue } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_UNBIND_SEND_VIRQ, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_msgqueue_unbind_receive_virq(cap_id_t queue)
{
	struct gunyah_registers r = { { queue } };

	GUNYAH_CALL(GUNYAH_MSGQUEUE_UNBIND_RECEIVE_VIRQ, r);
	return gunyah_error_of(&r);
}

/* hint: GUNYAH_YIELD, or GUNYAH_YIELD_TO_THREAD with the capability of the thread. */
static inline enum gunyah_error gunyah_scheduler_yield(uint64_t hint, uint64_t argument)
{
	struct gunyah_registers r = { { hint, argument } };

	GUNYAH_CALL(GUNYAH_SCHEDULER_YIELD, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_poweron(cap_id_t vcpu, uintptr_t entry, uint64_t context, uint64_t flags)
{
	struct gunyah_registers r = { { vcpu, entry, context, flags } };

	GUNYAH_CALL(GUNYAH_VCPU_POWERON, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_poweroff(cap_id_t vcpu, uint64_t flags)
{
	struct gunyah_registers r = { { vcpu, flags } };

	GUNYAH_CALL(GUNYAH_VCPU_POWEROFF, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_kill(cap_id_t vcpu)
{
	struct gunyah_registers r = { { vcpu } };

	GUNYAH_CALL(GUNYAH_VCPU_KILL, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_set_affinity(cap_id_t vcpu, uint16_t cpu)
{
	struct gunyah_registers r = { { vcpu, cpu, ~0UL } };

	GUNYAH_CALL(GUNYAH_VCPU_SET_AFFINITY, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_bind_virq(cap_id_t vcpu, cap_id_t vic, uint32_t virq, uint32_t type)
{
	struct gunyah_registers r = { { vcpu, vic, virq, type } };

	GUNYAH_CALL(GUNYAH_VCPU_BIND_VIRQ, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_unbind_virq(cap_id_t vcpu, uint32_t type)
{
	struct gunyah_registers r = { { vcpu, type } };

	GUNYAH_CALL(GUNYAH_VCPU_UNBIND_VIRQ, r);
	return gunyah_error_of(&r);
}

static inline enum gunyah_error gunyah_vcpu_register_write(cap_id_t vcpu, uint32_t set, uint32_t index, uint64_t value)
{
	struct gunyah_registers r = { { vcpu, set, index, value } };

	GUNYAH_CALL(GUNYAH_VCPU_REGISTER_WRITE, r);
	return gunyah_error_of(&r);
}

struct gunyah_vcpu_run_result {
	enum gunyah_error error;
	enum gunyah_vcpu_state state;
	uint64_t data[3];
};

/* Lends this CPU to a proxy-scheduled vCPU; resume[] answers the state that the last call returned. */
static inline struct gunyah_vcpu_run_result gunyah_vcpu_run(cap_id_t vcpu, const uint64_t resume[3])
{
	struct gunyah_registers r = { { vcpu, resume[0], resume[1], resume[2] } };

	GUNYAH_CALL(GUNYAH_VCPU_RUN, r);
	return (struct gunyah_vcpu_run_result){ gunyah_error_of(&r), (enum gunyah_vcpu_state)r.x[1],
						{ r.x[2], r.x[3], r.x[4] } };
}

static inline struct gunyah_vcpu_run_result gunyah_vcpu_run_check(cap_id_t vcpu)
{
	struct gunyah_registers r = { { vcpu } };

	GUNYAH_CALL(GUNYAH_VCPU_RUN_CHECK, r);
	return (struct gunyah_vcpu_run_result){ gunyah_error_of(&r), (enum gunyah_vcpu_state)r.x[1],
						{ r.x[2], r.x[3], r.x[4] } };
}

static inline enum gunyah_error gunyah_vpm_group_get_state(cap_id_t group, uint64_t *state)
{
	struct gunyah_registers r = { { group } };

	GUNYAH_CALL(GUNYAH_VPM_GROUP_GET_STATE, r);
	*state = r.x[1];
	return gunyah_error_of(&r);
}

/* New trace mask = (old & ~clear) | set, as far as the bits may be changed. */
static inline enum gunyah_error gunyah_trace_update_class_flags(uint64_t set, uint64_t clear, uint64_t *flags)
{
	struct gunyah_registers r = { { set, clear } };

	GUNYAH_CALL(GUNYAH_TRACE_UPDATE_CLASS_FLAGS, r);
	*flags = r.x[1];
	return gunyah_error_of(&r);
}

/* byte_count: 4, 8, 12 or 16; each word of data holds four bytes. */
static inline enum gunyah_error gunyah_prng_get_entropy(uint32_t byte_count, uint32_t data[4])
{
	struct gunyah_registers r = { { byte_count } };

	GUNYAH_CALL(GUNYAH_PRNG_GET_ENTROPY, r);
	for (int i = 0; i < 4; i++)
		data[i] = (uint32_t)r.x[1 + i];
	return gunyah_error_of(&r);
}

#endif

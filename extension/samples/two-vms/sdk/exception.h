/* Exceptions taken to EL1: the saved registers and who handles them. */
#ifndef SDK_EXCEPTION_H
#define SDK_EXCEPTION_H

#include <stdbool.h>
#include <stdint.h>

/* What vectors.S saves; its layout and this one belong together. */
struct exception_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t elr;
	uint64_t spsr;
	uint64_t esr;
	uint64_t far;
};

/* Exception classes: ESR_EL1 bits 31:26 (Arm ARM D24.2). */
enum exception_class {
	EC_UNKNOWN = 0x00,
	EC_WFX = 0x01,
	EC_FP_ACCESS = 0x07,
	EC_ILLEGAL_STATE = 0x0e,
	EC_SVC64 = 0x15,
	EC_HVC64 = 0x16,
	EC_SMC64 = 0x17,
	EC_SYSREG = 0x18,
	EC_INSTRUCTION_ABORT_EL0 = 0x20,
	EC_INSTRUCTION_ABORT = 0x21,
	EC_PC_ALIGNMENT = 0x22,
	EC_DATA_ABORT_EL0 = 0x24,
	EC_DATA_ABORT = 0x25,
	EC_SP_ALIGNMENT = 0x26,
	EC_SERROR = 0x2f,
	EC_BREAKPOINT = 0x31,
	EC_SOFTWARE_STEP = 0x33,
	EC_WATCHPOINT = 0x35,
	EC_BRK64 = 0x3c,
};

static inline enum exception_class exception_class_of(const struct exception_frame *frame)
{
	return (enum exception_class)((frame->esr >> 26) & 0x3f);
}

/*
 * A program may register one hook for synchronous exceptions. It returns true if it dealt with the exception (usually
 * by moving frame->elr), false to have the registers printed and the machine reset.
 */
typedef bool (*exception_hook_t)(struct exception_frame *frame);
void exception_set_hook(exception_hook_t hook);

const char *exception_class_name(enum exception_class class);
void exception_print(const struct exception_frame *frame);

/* Prints a message and resets the machine. */
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif

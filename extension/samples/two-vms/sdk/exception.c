#include "exception.h"

#include <stdarg.h>
#include <stddef.h>

#include "console.h"
#include "cpu.h"
#include "gic.h"
#include "psci.h"

#define VECTOR_KIND_IRQ 1
#define BACKTRACE_DEPTH_MAX 16

extern const char guest_image_start[], guest_stack_bottom[], guest_stack_top[];

static exception_hook_t exception_hook;
static bool exception_is_fatal;

void exception_set_hook(exception_hook_t hook)
{
	exception_hook = hook;
}

const char *exception_class_name(enum exception_class class)
{
	switch (class) {
	case EC_UNKNOWN: return "undefined instruction";
	case EC_WFX: return "trapped WFI or WFE";
	case EC_FP_ACCESS: return "floating point or SIMD access while disabled";
	case EC_ILLEGAL_STATE: return "illegal execution state";
	case EC_SVC64: return "SVC";
	case EC_HVC64: return "HVC";
	case EC_SMC64: return "SMC";
	case EC_SYSREG: return "trapped system register access";
	case EC_INSTRUCTION_ABORT_EL0: return "instruction abort from EL0";
	case EC_INSTRUCTION_ABORT: return "instruction abort";
	case EC_PC_ALIGNMENT: return "PC alignment fault";
	case EC_DATA_ABORT_EL0: return "data abort from EL0";
	case EC_DATA_ABORT: return "data abort";
	case EC_SP_ALIGNMENT: return "SP alignment fault";
	case EC_SERROR: return "SError";
	case EC_BREAKPOINT: return "breakpoint";
	case EC_SOFTWARE_STEP: return "software step";
	case EC_WATCHPOINT: return "watchpoint";
	case EC_BRK64: return "BRK";
	}
	return "unknown exception class";
}

/* Follows the chain of frame records that x29 points to. */
static void print_backtrace(uint64_t frame_pointer)
{
	for (int i = 0; i < BACKTRACE_DEPTH_MAX; i++) {
		const uint64_t *record = (const uint64_t *)frame_pointer;

		if (frame_pointer < (uint64_t)guest_stack_bottom || frame_pointer >= (uint64_t)guest_stack_top ||
		    (frame_pointer & 15) != 0)
			return;
		if (record[1] == 0)
			return;
		print("  called from 0x%016lx\n", record[1]);
		frame_pointer = record[0];
	}
}

void exception_print(const struct exception_frame *frame)
{
	enum exception_class class = exception_class_of(frame);

	print("ESR 0x%08lx (%s, ISS 0x%lx)  ELR 0x%016lx  FAR 0x%016lx\n", frame->esr, exception_class_name(class),
	      frame->esr & 0x1ffffff, frame->elr, frame->far);
	print("SPSR 0x%08lx  SP 0x%016lx\n", frame->spsr, frame->sp);
	for (int i = 0; i < 31; i++)
		print("x%-2d 0x%016lx%s", i, frame->x[i], i % 4 == 3 || i == 30 ? "\n" : "  ");
	print_backtrace(frame->x[29]);
}

static void __attribute__((noreturn)) fatal_exception(struct exception_frame *frame, unsigned int vector)
{
	static const char *const kinds[] = { "synchronous", "IRQ", "FIQ", "SError" };

	if (exception_is_fatal)
		psci_system_reset(); /* a second fault while printing the first */
	exception_is_fatal = true;
	print("\nUnhandled exception: %s, vector %u\n", kinds[vector & 3], vector);
	exception_print(frame);
	psci_system_reset();
}

/* Called by vectors.S with interrupts masked. */
void exception_entry(struct exception_frame *frame, unsigned int vector);
void exception_entry(struct exception_frame *frame, unsigned int vector)
{
	if ((vector & 3) == VECTOR_KIND_IRQ) {
		gic_dispatch();
		return;
	}
	if ((vector & 3) == 0 && exception_hook != NULL && exception_hook(frame))
		return;
	fatal_exception(frame, vector);
}

void panic(const char *format, ...)
{
	va_list arguments;

	irq_mask();
	print("\nPanic: ");
	va_start(arguments, format);
	print_va(format, arguments);
	va_end(arguments);
	print("\n");
	print_backtrace((uint64_t)__builtin_frame_address(0));
	psci_system_reset();
}

/*
 * An emulated PL011 serial port (Arm DDI 0183): data, flags, interrupt mask and identification, as much as a driver of the simple
 * kind needs. What the guest prints appears on this VM's console line by line; what is typed waits until the guest reads it.
 */
#ifndef MANAGER_SERIAL_H
#define MANAGER_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/vmm.h"

#define SERIAL_SIZE 0x1000UL
#define SERIAL_INPUT_MAX 64U
#define SERIAL_LINE_MAX 120U

struct serial {
	struct vmm *vmm;
	uint32_t interrupt_line;
	uint32_t interrupt_mask;
	uint32_t interrupts; /* raw status */
	char input[SERIAL_INPUT_MAX];
	uint32_t input_first, input_count;
	char line[SERIAL_LINE_MAX]; /* what the guest has printed of the current line */
	uint32_t line_length;
	uint32_t characters;
};

/* Adds the port to the VM's devices. */
bool serial_add(struct serial *serial, struct vmm *vmm, uint64_t base, uint32_t interrupt_line);

/* Types a text; what does not fit is lost, as on the real thing. */
void serial_type(struct serial *serial, const char *text);

/* Whether the guest has printed exactly this since its last end of line. */
bool serial_shows(const struct serial *serial, const char *text);

/* Prints a line that has no end yet. */
void serial_flush(struct serial *serial);

#endif

/*
 * The board as the device tree describes it. sdk_start() fills this in, initialises console, PSCI, GIC and timer,
 * enables interrupts and calls guest_main().
 */
#ifndef SDK_BOARD_H
#define SDK_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "fdt.h"

struct board {
	bool has_tree;
	struct fdt fdt;
	uintptr_t uart_base;
	uintptr_t gic_distributor;
	uintptr_t gic_redistributor;
	uint32_t timer_intid;
};

extern struct board board;

/* The program. When it returns, the machine is switched off. */
void guest_main(void);

#endif

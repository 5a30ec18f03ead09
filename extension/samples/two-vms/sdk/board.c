#include "board.h"

#include <stddef.h>

#include "console.h"
#include "cpu.h"
#include "exception.h"
#include "gic.h"
#include "psci.h"
#include "string.h"
#include "timer.h"

/* QEMU leaves the tree of a plain ELF file at the start of RAM and passes 0 in x0. */
#define FALLBACK_TREE 0x40000000UL
#define TIMER_TREE_INDEX_VIRTUAL 2

struct board board = {
	.uart_base = CONSOLE_DEFAULT_BASE,
	.gic_distributor = GIC_DEFAULT_DISTRIBUTOR,
	.gic_redistributor = GIC_DEFAULT_REDISTRIBUTOR,
	.timer_intid = TIMER_DEFAULT_INTID,
};

static void read_addresses(void)
{
	uint64_t address;
	int node = fdt_find_compatible(&board.fdt, FDT_NONE, "arm,pl011");

	if (node >= 0 && fdt_get_reg(&board.fdt, node, 0, &address, NULL))
		board.uart_base = address;
	node = fdt_find_compatible(&board.fdt, FDT_NONE, "arm,gic-v3");
	if (node >= 0 && fdt_get_reg(&board.fdt, node, 0, &address, NULL))
		board.gic_distributor = address;
	if (node >= 0 && fdt_get_reg(&board.fdt, node, 1, &address, NULL))
		board.gic_redistributor = address;
}

static void read_timer(void)
{
	struct fdt_interrupt interrupt;
	int node = fdt_find_compatible(&board.fdt, FDT_NONE, "arm,armv8-timer");

	if (node >= 0 && fdt_get_interrupt(&board.fdt, node, TIMER_TREE_INDEX_VIRTUAL, &interrupt))
		board.timer_intid = interrupt.intid;
}

static void read_psci(void)
{
	int node = fdt_find_path(&board.fdt, "/psci");
	const char *method = node < 0 ? NULL : fdt_get_string(&board.fdt, node, "method");

	if (method != NULL && strcmp(method, "smc") == 0)
		psci_init(PSCI_SMC);
}

/* Called by start.S. */
void sdk_start(const void *tree);
void sdk_start(const void *tree)
{
	if (tree == NULL)
		tree = (const void *)FALLBACK_TREE;
	board.has_tree = fdt_open(&board.fdt, tree);
	if (board.has_tree) {
		read_addresses();
		read_timer();
		read_psci();
	}
	console_init(board.uart_base);
	gic_init(board.gic_distributor, board.gic_redistributor);
	timer_init(board.timer_intid);
	irq_enable();
	guest_main();
	psci_system_off();
}

/*
 * The guest: an ordinary program for an ordinary board. It does not know that its serial port is emulated by another VM,
 * and that it runs only while that VM lends it a CPU. It obeys commands from its serial port:
 *
 *   memory   writes and reads its whole memory     kick    stores to the signal register
 *   sleep    sleeps on its timer                   button  says how often the button was pressed
 *   poke     touches an address without anything   off     switches itself off
 *   reset    resets itself                         virtio  talks through its virtio console
 */
#include "../common/board.h"
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"
#include "sdk/psci.h"
#include "sdk/string.h"
#include "sdk/timer.h"
#include "sdk/virtio-console.h"

#define PL011_IMSC 0x038
#define PL011_ICR 0x044
#define PL011_RX_INTERRUPTS 0x50U /* received, or received and waiting */

#define COMMAND_MAX 32
#define KICK_COUNT 5
#define SLEEP_US 2000
#define FIRST_SPI 32U
#define PAGE_SIZE 4096UL
#define NOTHING_THERE 0x0B000000UL

extern char guest_image_end[];

static volatile uint32_t button_presses;

static void button_interrupt(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	button_presses++;
}

static void serial_interrupt(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	mmio_write32(board.uart_base + PL011_ICR, PL011_RX_INTERRUPTS);
}

static char wait_for_char(void)
{
	uint64_t daif = irq_mask();
	int c = console_try_get_char();

	while (c < 0) {
		cpu_wait_for_interrupt();
		c = console_try_get_char();
	}
	irq_restore(daif);
	return (char)c;
}

static void read_command(char command[COMMAND_MAX])
{
	size_t length = 0;
	char c;

	print(BOARD_PROMPT);
	while ((c = wait_for_char()) != '\n') {
		console_put_char(c);
		if (length < COMMAND_MAX - 1)
			command[length++] = c;
	}
	console_put_char('\n');
	command[length] = '\0';
}

static void find_memory(uint64_t *base, uint64_t *size)
{
	int node = fdt_find_path(&board.fdt, "/memory");

	if (node < 0 || !fdt_get_reg(&board.fdt, node, 0, base, size))
		panic("no memory in the device tree");
}

static uint64_t pattern_of(uint64_t address)
{
	return address * 0x9e3779b97f4a7c15UL + 1;
}

/* Every page behind this program and its tree, its last word last, so that no two pages can be the same one. */
static void check_memory(void)
{
	uint64_t base, size, first;
	uint32_t pages = 0, wrong = 0;

	find_memory(&base, &size);
	first = ((uint64_t)board.fdt.blob + board.fdt.total_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	for (uint64_t page = first; page < base + size; page += PAGE_SIZE)
		mmio_write64(page, pattern_of(page));
	for (uint64_t page = first; page < base + size; page += PAGE_SIZE, pages++)
		wrong += mmio_read64(page) != pattern_of(page);
	mmio_write64(base + size - sizeof(uint64_t), BOARD_MARK);
	print("%u pages written and read, %u wrong\n", pages, wrong);
}

static void kick(void)
{
	for (uint32_t i = 1; i <= KICK_COUNT; i++)
		mmio_write32(BOARD_KICK, i);
	print("kicked %u times\n", KICK_COUNT);
}

static void sleep_a_while(void)
{
	uint64_t before = timer_now_us();

	timer_sleep_us(SLEEP_US);
	print("slept %s\n", timer_now_us() - before >= SLEEP_US ? "long enough" : "too short");
}

/* The window as RM describes it: memory that is not this VM's alone. */
static bool find_window(uint64_t *base, uint64_t *size)
{
	int node = fdt_find_path(&board.fdt, "/reserved-memory/buffer");

	return node >= 0 && fdt_get_reg(&board.fdt, node, 0, base, size);
}

static void talk_by_virtio(void)
{
	static struct virtio_console virtio;
	static const char words[] = "a short line\n"
				    "and a longer one, which takes more than one of the buffers that driver and device pass to "
				    "each other in their queue, because each of them has room for only 128 characters\n";
	uint64_t base, size;
	uint32_t lines = 0, characters = 0;

	if (!find_window(&base, &size) || !virtio_console_open(&virtio, &board.fdt, base, size)) {
		print("there is no virtio console\n");
		return;
	}
	virtio_console_write(&virtio, words, sizeof(words) - 1);
	for (; lines < 2; characters++)
		lines += virtio_console_get_char(&virtio) == '\n';
	print("said %lu characters, heard %u, %s\n", sizeof(words) - 1, characters,
	      virtio.interrupts > 0 ? "with interrupts" : "without interrupts");
}

static void obey(const char *command)
{
	if (strcmp(command, "memory") == 0)
		check_memory();
	else if (strcmp(command, "kick") == 0)
		kick();
	else if (strcmp(command, "sleep") == 0)
		sleep_a_while();
	else if (strcmp(command, "button") == 0)
		print("the button was pressed %u times\n", button_presses);
	else if (strcmp(command, "poke") == 0)
		print("there is 0x%x\n", mmio_read32(NOTHING_THERE));
	else if (strcmp(command, "virtio") == 0)
		talk_by_virtio();
	else if (strcmp(command, "reset") == 0)
		psci_system_reset();
	else
		print("unknown command\n");
}

static void introduce_myself(void)
{
	uint64_t base, size;
	int node = fdt_find_path(&board.fdt, "/hypervisor/qcom,gunyah-vm");

	find_memory(&base, &size);
	print("guest: hello from VM %u, %lu KiB of memory at 0x%lx\n", fdt_get_u32(&board.fdt, node, "qcom,vmid", 0), size >> 10,
	      base);
}

void guest_main(void)
{
	char command[COMMAND_MAX];

	introduce_myself();
	gic_connect(FIRST_SPI + BOARD_SERIAL_LINE, GIC_EDGE, "serial port", serial_interrupt, NULL);
	gic_connect(FIRST_SPI + BOARD_BUTTON_LINE, GIC_EDGE, "button", button_interrupt, NULL);
	mmio_write32(board.uart_base + PL011_IMSC, PL011_RX_INTERRUPTS);
	for (;;) {
		read_command(command);
		if (strcmp(command, "off") == 0)
			return;
		obey(command);
	}
}

/*
 * The guest of vmm-states. What it does is the name of its VM; what it found it leaves in memory for its owner, because it
 * has no serial port.
 */
#include "vmm-board.h"

#include "sdk/board.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"
#include "sdk/psci.h"
#include "sdk/string.h"
#include "sdk/timer.h"
#include "sdk/virtio.h"

#define PSCI_CPU_SUSPEND 0xC4000001U
#define PSCI_SYSTEM_RESET2 0xC4000012U
#define NOWHERE 0x300000000UL
#define FIRST_SPI 32U
#define FIRST_CONTEXT 0x5ec0UL
#define SECOND_CONTEXT 0x5ec1UL

extern void second_cpu_start(void);

static volatile uint32_t second_state, interrupts, taken;

static void finding(uint32_t index, uint64_t value)
{
	mmio_write64(BOARD_FINDINGS + 8 * index, value);
}

void second_cpu(uint64_t context);
void second_cpu(uint64_t context)
{
	if (context == FIRST_CONTEXT)
		finding(1, context);
	second_state = 1;
	while (second_state == 1)
		;
	finding(2, READ_SYSREG("mpidr_el1") & 0xff);
	second_state = 3;
	psci_call(PSCI_CPU_OFF, 0, 0, 0);
}

/* Two CPUs that wait for each other: neither gets on if only one is run. */
static void use_two_cpus(void)
{
	finding(0, (uint64_t)(int64_t)psci_cpu_on(1, (uintptr_t)second_cpu_start, FIRST_CONTEXT));
	while (second_state != 1)
		;
	second_state = 2;
	while (second_state != 3)
		;
	while (psci_call(PSCI_AFFINITY_INFO, 1, 0, 0) != 1)
		;
	finding(3, (uint64_t)(int64_t)psci_cpu_on(1, (uintptr_t)second_cpu_start, SECOND_CONTEXT));
}

static void count_interrupt(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
	interrupts++;
}

/* Says by a store that it is ready for the next one. */
static void count_lines(enum gic_trigger trigger)
{
	gic_connect(FIRST_SPI + BOARD_LINE, trigger, "line", count_interrupt, NULL);
	while (taken < BOARD_RINGS) {
		uint64_t daif = irq_mask();

		mmio_write32(BOARD_READY, taken);
		while (interrupts == taken)
			cpu_wait_for_interrupt();
		irq_restore(daif);
		taken++;
	}
	timer_sleep_us(100);
	finding(0, interrupts);
}

/* Loads and stores of all sizes and kinds; the manager answers with what depends on address and size. */
static void access_devices(void)
{
	volatile uint8_t *bytes = (volatile uint8_t *)BOARD_DEVICE;

	finding(0, bytes[1]);
	finding(1, *(volatile uint16_t *)(bytes + 2));
	finding(2, *(volatile uint32_t *)(bytes + 4));
	finding(3, *(volatile uint64_t *)(bytes + 8));
	finding(4, (uint64_t)(int64_t) * (volatile int8_t *)(bytes + 0x88));
	bytes[1] = 0x12;
	*(volatile uint16_t *)(bytes + 2) = 0x3456;
	*(volatile uint32_t *)(bytes + 4) = 0x789abcde;
	*(volatile uint64_t *)(bytes + 8) = 0x0123456789abcdefUL;
	mmio_write32(BOARD_EVENT, 1);
	mmio_write32(BOARD_EVENT, 2);
	mmio_write32(BOARD_EVENT, 2);
}

static bool count_abort(struct exception_frame *frame)
{
	finding(1, frame->esr);
	frame->elr += 4;
	return true;
}

/* Above 1 GiB there is nobody to ask. */
static void access_nothing(void)
{
	exception_set_hook(count_abort);
	(void)mmio_read64(NOWHERE);
}

static void sleep_in_two_ways(void)
{
	timer_sleep_us(1000);
	timer_start_periodic(1000, NULL, NULL);
	finding(0, (uint64_t)(int64_t)psci_call(PSCI_CPU_SUSPEND, 3, 0, 0));
}

/* ---- A driver that breaks every rule of virtio ---- */

#define DESCRIPTORS ((volatile struct virtio_descriptor *)BOARD_WINDOW_BASE)
#define DRIVER ((volatile struct virtio_driver_ring *)(BOARD_WINDOW_BASE + 0x100))
#define DEVICE ((volatile struct virtio_device_ring *)(BOARD_WINDOW_BASE + 0x200))
#define BUFFER (BOARD_WINDOW_BASE + 0x300)
#define AGREED (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK)

static void set_virtio(enum virtio_mmio_register which, uint64_t value)
{
	mmio_write32(BOARD_VIRTIO + which, (uint32_t)value);
}

static uint32_t virtio_status(void)
{
	return mmio_read32(BOARD_VIRTIO + VIRTIO_STATUS);
}

static uint32_t agree(uint32_t high_features)
{
	set_virtio(VIRTIO_STATUS, 0);
	set_virtio(VIRTIO_DRIVER_FEATURES_SELECT, 1);
	set_virtio(VIRTIO_DRIVER_FEATURES, high_features);
	set_virtio(VIRTIO_STATUS, AGREED);
	return virtio_status();
}

/* A transmit queue with one buffer, for the caller to spoil. */
static void prepare_queue(uint64_t descriptors, uint64_t driver)
{
	agree(VIRTIO_FEATURES_VERSION_1);
	memset((void *)BOARD_WINDOW_BASE, 0, 0x400);
	DESCRIPTORS[0] = (struct virtio_descriptor){ BUFFER, 4, 0, 0 };
	DRIVER->index = 1;
	set_virtio(VIRTIO_QUEUE_SELECT, VIRTIO_CONSOLE_TRANSMIT);
	set_virtio(VIRTIO_QUEUE_SIZE, VIRTIO_QUEUE_MAX);
	set_virtio(VIRTIO_QUEUE_DESCRIPTORS, descriptors);
	mmio_write32(BOARD_VIRTIO + VIRTIO_QUEUE_DESCRIPTORS + 4, (uint32_t)(descriptors >> 32));
	set_virtio(VIRTIO_QUEUE_DRIVER, driver);
	set_virtio(VIRTIO_QUEUE_DEVICE, (uintptr_t)DEVICE);
	set_virtio(VIRTIO_QUEUE_READY, 1);
	set_virtio(VIRTIO_STATUS, AGREED | VIRTIO_STATUS_DRIVER_OK);
}

static uint32_t notify(void)
{
	cpu_dsb();
	set_virtio(VIRTIO_QUEUE_NOTIFY, VIRTIO_CONSOLE_TRANSMIT);
	return virtio_status() | ((uint32_t)DEVICE->index << 16);
}

static void break_virtio(void)
{
	finding(0, agree(0) | ((uint64_t)agree(VIRTIO_FEATURES_VERSION_1) << 16));
	prepare_queue(BOARD_RAM_BASE, (uintptr_t)DRIVER);
	finding(1, notify());
	prepare_queue(BOARD_WINDOW_BASE, (uintptr_t)DRIVER + 1);
	finding(2, notify());
	prepare_queue(BOARD_WINDOW_BASE, (uintptr_t)DRIVER);
	DESCRIPTORS[0] = (struct virtio_descriptor){ BUFFER, 4, VIRTIO_DESCRIPTOR_NEXT, 0 };
	finding(3, notify());
	prepare_queue(BOARD_WINDOW_BASE, (uintptr_t)DRIVER);
	DESCRIPTORS[0].address = BOARD_WINDOW_BASE + BOARD_WINDOW_SIZE - 2;
	finding(4, notify());
	prepare_queue(BOARD_WINDOW_BASE, (uintptr_t)DRIVER);
	DRIVER->index = VIRTIO_QUEUE_MAX + 1;
	finding(5, notify());
	prepare_queue(BOARD_WINDOW_BASE, (uintptr_t)DRIVER);
	DRIVER->heads[0] = VIRTIO_QUEUE_MAX;
	finding(6, notify());
	prepare_queue(BOARD_WINDOW_BASE, (uintptr_t)DRIVER);
	set_virtio(VIRTIO_QUEUE_NOTIFY, 77);
	finding(7, notify());
}

/* The vector is nowhere, so the abort of fetching it comes again and again. */
static void fault(void)
{
	WRITE_SYSREG("vbar_el1", NOWHERE);
	cpu_isb();
	(void)mmio_read64(NOWHERE);
}

static void spin(void)
{
	for (uint64_t count = 0;; count++)
		finding(0, count);
}

void guest_main(void)
{
	int node = fdt_find_path(&board.fdt, "/hypervisor/qcom,gunyah-vm");
	const char *name = fdt_get_string(&board.fdt, node, "qcom,image-name");

	if (strcmp(name, "two-cpus") == 0)
		use_two_cpus();
	else if (strcmp(name, "edge-line") == 0)
		count_lines(GIC_EDGE);
	else if (strcmp(name, "level-line") == 0)
		count_lines(GIC_LEVEL);
	else if (strcmp(name, "devices") == 0)
		access_devices();
	else if (strcmp(name, "nothing") == 0)
		access_nothing();
	else if (strcmp(name, "reset2") == 0)
		psci_call(PSCI_SYSTEM_RESET2, 0x80000005, 0x1122334455667788, 0);
	else if (strcmp(name, "fault") == 0)
		fault();
	else if (strcmp(name, "broken-virtio") == 0)
		break_virtio();
	else if (strcmp(name, "spin") == 0)
		spin();
	else if (strcmp(name, "cpu-off") == 0)
		psci_call(PSCI_CPU_OFF, 0, 0, 0);
	else
		sleep_in_two_ways();
}

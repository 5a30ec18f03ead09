#include "virtio-console.h"

#include "cpu.h"
#include "gic.h"
#include "string.h"

static uint32_t get(const struct virtio_console *console, enum virtio_mmio_register which)
{
	return mmio_read32(console->base + which);
}

static void set(const struct virtio_console *console, enum virtio_mmio_register which, uint32_t value)
{
	mmio_write32(console->base + which, value);
}

static void interrupt(uint32_t intid, void *context)
{
	struct virtio_console *console = context;

	(void)intid;
	set(console, VIRTIO_INTERRUPT_ACKNOWLEDGE, get(console, VIRTIO_INTERRUPT_STATUS));
	console->interrupts++;
}

static bool is_console(const struct virtio_console *console)
{
	return get(console, VIRTIO_MAGIC) == VIRTIO_MAGIC_VALUE && get(console, VIRTIO_VERSION) == VIRTIO_VERSION_VALUE &&
	       get(console, VIRTIO_DEVICE_ID) == VIRTIO_ID_CONSOLE;
}

static bool find(struct virtio_console *console, const struct fdt *fdt)
{
	int node = FDT_NONE;
	uint64_t base;

	while ((node = fdt_find_compatible(fdt, node, "virtio,mmio")) >= 0) {
		if (!fdt_get_reg(fdt, node, 0, &base, NULL) || !fdt_get_interrupt(fdt, node, 0, &console->irq))
			continue;
		console->base = base;
		if (is_console(console))
			return true;
	}
	return false;
}

static bool agree_on_features(struct virtio_console *console)
{
	set(console, VIRTIO_STATUS, 0);
	set(console, VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	set(console, VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	set(console, VIRTIO_DEVICE_FEATURES_SELECT, 1);
	if ((get(console, VIRTIO_DEVICE_FEATURES) & VIRTIO_FEATURES_VERSION_1) == 0)
		return false;
	set(console, VIRTIO_DRIVER_FEATURES_SELECT, 0);
	set(console, VIRTIO_DRIVER_FEATURES, 0);
	set(console, VIRTIO_DRIVER_FEATURES_SELECT, 1);
	set(console, VIRTIO_DRIVER_FEATURES, VIRTIO_FEATURES_VERSION_1);
	set(console, VIRTIO_STATUS, get(console, VIRTIO_STATUS) | VIRTIO_STATUS_FEATURES_OK);
	return (get(console, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK) != 0;
}

static void set_address(struct virtio_console *console, enum virtio_mmio_register which, volatile void *address)
{
	set(console, which, (uint32_t)(uintptr_t)address);
	mmio_write32(console->base + which + 4, (uint32_t)((uintptr_t)address >> 32));
}

static bool start_queue(struct virtio_console *console, uint32_t queue)
{
	set(console, VIRTIO_QUEUE_SELECT, queue);
	if (get(console, VIRTIO_QUEUE_SIZE_MAX) < VIRTIO_QUEUE_MAX)
		return false;
	set(console, VIRTIO_QUEUE_SIZE, VIRTIO_QUEUE_MAX);
	set_address(console, VIRTIO_QUEUE_DESCRIPTORS, console->memory->queues[queue].descriptors);
	set_address(console, VIRTIO_QUEUE_DRIVER, &console->memory->queues[queue].driver);
	set_address(console, VIRTIO_QUEUE_DEVICE, &console->memory->queues[queue].device);
	set(console, VIRTIO_QUEUE_READY, 1);
	return get(console, VIRTIO_QUEUE_READY) == 1;
}

/* Descriptor n always names buffer n. */
static void offer(struct virtio_console *console, uint32_t queue, uint16_t buffer, uint32_t size)
{
	volatile struct virtio_descriptor *descriptor = &console->memory->queues[queue].descriptors[buffer];
	volatile struct virtio_driver_ring *ring = &console->memory->queues[queue].driver;

	descriptor->address = (uintptr_t)console->memory->buffers[queue][buffer];
	descriptor->size = size;
	descriptor->flags = queue == VIRTIO_CONSOLE_RECEIVE ? VIRTIO_DESCRIPTOR_DEVICE_WRITES : 0;
	descriptor->next = 0;
	ring->heads[ring->index % VIRTIO_QUEUE_MAX] = buffer;
	cpu_dsb();
	ring->index++;
	cpu_dsb();
}

bool virtio_console_open(struct virtio_console *console, const struct fdt *fdt, uintptr_t window, size_t window_size)
{
	memset(console, 0, sizeof(*console));
	if (window_size < sizeof(*console->memory) || !find(console, fdt) || !agree_on_features(console))
		return false;
	console->memory = (volatile struct virtio_console_memory *)window;
	memset((void *)window, 0, sizeof(*console->memory));
	for (uint32_t queue = 0; queue < VIRTIO_CONSOLE_QUEUES; queue++) {
		if (!start_queue(console, queue))
			return false;
	}
	gic_connect(console->irq.intid, console->irq.edge ? GIC_EDGE : GIC_LEVEL, "virtio console", interrupt, console);
	set(console, VIRTIO_STATUS, get(console, VIRTIO_STATUS) | VIRTIO_STATUS_DRIVER_OK);
	for (uint16_t buffer = 0; buffer < VIRTIO_QUEUE_MAX; buffer++)
		offer(console, VIRTIO_CONSOLE_RECEIVE, buffer, VIRTIO_CONSOLE_BUFFER_SIZE);
	set(console, VIRTIO_QUEUE_NOTIFY, VIRTIO_CONSOLE_RECEIVE);
	return true;
}

static uint16_t in_flight(const struct virtio_console *console, uint32_t queue)
{
	return (uint16_t)(console->memory->queues[queue].driver.index - console->memory->queues[queue].device.index);
}

void virtio_console_write(struct virtio_console *console, const char *text, size_t size)
{
	while (size > 0) {
		size_t piece = size < VIRTIO_CONSOLE_BUFFER_SIZE ? size : VIRTIO_CONSOLE_BUFFER_SIZE;
		uint16_t buffer = console->memory->queues[VIRTIO_CONSOLE_TRANSMIT].driver.index % VIRTIO_QUEUE_MAX;
		uint64_t daif = irq_mask();

		while (in_flight(console, VIRTIO_CONSOLE_TRANSMIT) == VIRTIO_QUEUE_MAX)
			cpu_wait_for_interrupt();
		irq_restore(daif);
		memcpy((void *)console->memory->buffers[VIRTIO_CONSOLE_TRANSMIT][buffer], text, piece);
		offer(console, VIRTIO_CONSOLE_TRANSMIT, buffer, (uint32_t)piece);
		set(console, VIRTIO_QUEUE_NOTIFY, VIRTIO_CONSOLE_TRANSMIT);
		text += piece;
		size -= piece;
	}
}

char virtio_console_get_char(struct virtio_console *console)
{
	volatile struct virtio_device_ring *ring = &console->memory->queues[VIRTIO_CONSOLE_RECEIVE].device;
	uint16_t *taken = &console->taken[VIRTIO_CONSOLE_RECEIVE];
	uint64_t daif = irq_mask();
	uint16_t buffer, slot;
	char c;

	while (ring->index == *taken)
		cpu_wait_for_interrupt();
	irq_restore(daif);
	slot = *taken % VIRTIO_QUEUE_MAX;
	buffer = (uint16_t)(ring->used[slot].head % VIRTIO_QUEUE_MAX);
	c = (char)console->memory->buffers[VIRTIO_CONSOLE_RECEIVE][buffer][console->read_at++];
	if (console->read_at >= ring->used[slot].size) {
		console->read_at = 0;
		(*taken)++;
		offer(console, VIRTIO_CONSOLE_RECEIVE, buffer, VIRTIO_CONSOLE_BUFFER_SIZE);
		set(console, VIRTIO_QUEUE_NOTIFY, VIRTIO_CONSOLE_RECEIVE);
	}
	return c;
}

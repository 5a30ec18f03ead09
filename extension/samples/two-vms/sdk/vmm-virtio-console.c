#include "vmm-virtio-console.h"

#include "cpu.h"
#include "string.h"

#define HIGH_HALF 4U

/* ---- Memory of the guest ---- */

/* Where a range of the guest's is here; NULL unless all of it is in the window and aligned. */
static void *at(const struct vmm_virtio_console *console, uint64_t address, uint64_t size, uint64_t alignment)
{
	uint64_t offset = address - console->window.guest_base;

	if (address < console->window.guest_base || offset > console->window.size || size > console->window.size - offset ||
	    address % alignment != 0)
		return NULL;
	return console->window.memory + offset;
}

/* The driver broke the rules: nothing more happens until it resets the device. */
static void give_up(struct vmm_virtio_console *console)
{
	console->status |= VIRTIO_STATUS_NEEDS_RESET;
}

struct rings {
	volatile struct virtio_descriptor *descriptors;
	volatile struct virtio_driver_ring *driver;
	volatile struct virtio_device_ring *device;
};

static bool find_rings(struct vmm_virtio_console *console, const struct vmm_virtio_queue *queue, struct rings *rings)
{
	rings->descriptors = at(console, queue->descriptors, queue->size * sizeof(struct virtio_descriptor), 16);
	rings->driver = at(console, queue->driver, sizeof(struct virtio_driver_ring), 2);
	rings->device = at(console, queue->device, sizeof(struct virtio_device_ring), 4);
	if (rings->descriptors != NULL && rings->driver != NULL && rings->device != NULL)
		return true;
	give_up(console);
	return false;
}

/* ---- Queues ---- */

/* What is done with each buffer of a chain: the number of characters written to it. */
typedef uint32_t (*use_buffer_t)(struct vmm_virtio_console *console, char *buffer, uint32_t size);

static uint32_t print_buffer(struct vmm_virtio_console *console, char *buffer, uint32_t size)
{
	console->printed += size;
	console->print(console->context, buffer, size);
	return 0;
}

static uint32_t fill_buffer(struct vmm_virtio_console *console, char *buffer, uint32_t size)
{
	uint32_t count = console->input_count < size ? console->input_count : size;

	memcpy(buffer, console->input, count);
	memmove(console->input, console->input + count, console->input_count - count);
	console->input_count -= count;
	console->typed += count;
	return count;
}

/* Walks one chain, which has at most as many descriptors as the queue. False: it is malformed. */
static bool use_chain(struct vmm_virtio_console *console, const struct vmm_virtio_queue *queue, const struct rings *rings,
		      uint16_t head, uint32_t *written)
{
	bool is_receive = queue == &console->queues[VIRTIO_CONSOLE_RECEIVE];
	use_buffer_t use = is_receive ? fill_buffer : print_buffer;
	uint32_t index = head;

	*written = 0;
	for (uint32_t count = 0; count < queue->size && index < queue->size; count++) {
		volatile struct virtio_descriptor *descriptor = &rings->descriptors[index];
		uint32_t size = descriptor->size, flags = descriptor->flags;
		char *buffer = at(console, descriptor->address, size, 1);

		if (buffer == NULL || ((flags & VIRTIO_DESCRIPTOR_DEVICE_WRITES) != 0) != is_receive)
			return false;
		*written += use(console, buffer, size);
		if ((flags & VIRTIO_DESCRIPTOR_NEXT) == 0)
			return true;
		index = descriptor->next;
	}
	return false;
}

/* Serves what the driver has made available. True if anything was used. */
static bool serve(struct vmm_virtio_console *console, struct vmm_virtio_queue *queue)
{
	struct rings rings;
	bool used = false;

	if (!queue->ready || !vmm_virtio_console_is_open(console) || !find_rings(console, queue, &rings))
		return false;
	while (queue->next != rings.driver->index) {
		uint16_t head = rings.driver->heads[queue->next % queue->size];
		uint16_t slot = rings.device->index % queue->size;
		uint32_t written;

		if (queue == &console->queues[VIRTIO_CONSOLE_RECEIVE] && console->input_count == 0)
			break;
		if ((uint16_t)(rings.driver->index - queue->next) > queue->size ||
		    !use_chain(console, queue, &rings, head, &written)) {
			give_up(console);
			break;
		}
		rings.device->used[slot].head = head;
		rings.device->used[slot].size = written;
		cpu_dsb();
		rings.device->index++;
		queue->next++;
		used = true;
	}
	return used;
}

static void serve_and_interrupt(struct vmm_virtio_console *console, uint32_t which)
{
	if (which >= VIRTIO_CONSOLE_QUEUES || !serve(console, &console->queues[which]))
		return;
	console->interrupts |= VIRTIO_INTERRUPT_USED;
	cpu_dsb();
	vmm_raise(console->vmm, console->line);
}

/* ---- Registers ---- */

static uint32_t read_register(const struct vmm_virtio_console *console, uint64_t offset)
{
	const struct vmm_virtio_queue *queue = console->queue_select < VIRTIO_CONSOLE_QUEUES ? &console->queues[console->queue_select] : NULL;

	switch (offset) {
	case VIRTIO_MAGIC: return VIRTIO_MAGIC_VALUE;
	case VIRTIO_VERSION: return VIRTIO_VERSION_VALUE;
	case VIRTIO_DEVICE_ID: return VIRTIO_ID_CONSOLE;
	case VIRTIO_DEVICE_FEATURES: return console->device_features_select == 1 ? VIRTIO_FEATURES_VERSION_1 : 0;
	case VIRTIO_QUEUE_SIZE_MAX: return queue == NULL ? 0 : VIRTIO_QUEUE_MAX;
	case VIRTIO_QUEUE_READY: return queue != NULL && queue->ready;
	case VIRTIO_INTERRUPT_STATUS: return console->interrupts;
	case VIRTIO_STATUS: return console->status;
	default: return 0;
	}
}

static void set_half(uint64_t *address, bool is_high, uint32_t value)
{
	*address = is_high ? (*address & 0xffffffffUL) | ((uint64_t)value << 32) : (*address & ~0xffffffffUL) | value;
}

/* Registers of the selected queue; they cannot be changed while it is ready. */
static void write_queue_register(struct vmm_virtio_queue *queue, uint64_t offset, uint32_t value)
{
	bool is_high = (offset & HIGH_HALF) != 0;

	if (offset == VIRTIO_QUEUE_READY) {
		queue->ready = (value & 1) != 0 && queue->size > 0;
		queue->next = 0;
		return;
	}
	if (queue->ready)
		return;
	if (offset == VIRTIO_QUEUE_SIZE)
		queue->size = value <= VIRTIO_QUEUE_MAX && (value & (value - 1)) == 0 ? value : 0;
	switch (offset & ~(uint64_t)HIGH_HALF) {
	case VIRTIO_QUEUE_DESCRIPTORS:
		set_half(&queue->descriptors, is_high, value);
		break;
	case VIRTIO_QUEUE_DRIVER:
		set_half(&queue->driver, is_high, value);
		break;
	case VIRTIO_QUEUE_DEVICE:
		set_half(&queue->device, is_high, value);
		break;
	}
}

static void reset(struct vmm_virtio_console *console)
{
	console->status = 0;
	console->interrupts = 0;
	console->queue_select = 0;
	memset(console->driver_features, 0, sizeof(console->driver_features));
	memset(console->queues, 0, sizeof(console->queues));
}

/* The driver must take exactly what is offered, which is that it is not a legacy driver. */
static void set_status(struct vmm_virtio_console *console, uint32_t value)
{
	bool is_good = console->driver_features[0] == 0 && console->driver_features[1] == VIRTIO_FEATURES_VERSION_1;

	if (value == 0)
		reset(console);
	else
		console->status = (value & ~(is_good ? 0 : VIRTIO_STATUS_FEATURES_OK)) | (console->status & VIRTIO_STATUS_NEEDS_RESET);
}

static void write_register(struct vmm_virtio_console *console, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_DEVICE_FEATURES_SELECT:
		console->device_features_select = value;
		break;
	case VIRTIO_DRIVER_FEATURES_SELECT:
		console->driver_features_select = value;
		break;
	case VIRTIO_DRIVER_FEATURES:
		if (console->driver_features_select < ARRAY_COUNT(console->driver_features))
			console->driver_features[console->driver_features_select] = value;
		break;
	case VIRTIO_QUEUE_SELECT:
		console->queue_select = value;
		break;
	case VIRTIO_QUEUE_NOTIFY:
		serve_and_interrupt(console, value);
		break;
	case VIRTIO_INTERRUPT_ACKNOWLEDGE:
		console->interrupts &= ~value;
		break;
	case VIRTIO_STATUS:
		set_status(console, value);
		break;
	default:
		if (console->queue_select < VIRTIO_CONSOLE_QUEUES)
			write_queue_register(&console->queues[console->queue_select], offset, value);
	}
}

static uint64_t on_read(void *context, uint64_t offset, uint32_t size)
{
	return size == 4 ? read_register(context, offset) : 0;
}

static void on_write(void *context, uint64_t offset, uint32_t size, uint64_t value)
{
	if (size == 4)
		write_register(context, offset, (uint32_t)value);
}

bool vmm_virtio_console_add(struct vmm_virtio_console *console, uint64_t base)
{
	const struct vmm_device device = {
		.name = "virtio console", .base = base, .size = VIRTIO_MMIO_SIZE, .read = on_read, .write = on_write, .context = console,
	};

	console->input_count = 0;
	console->printed = 0;
	console->typed = 0;
	reset(console);
	return vmm_add_device(console->vmm, &device) != NULL;
}

size_t vmm_virtio_console_type(struct vmm_virtio_console *console, const char *text, size_t size)
{
	size_t room = VMM_VIRTIO_INPUT_MAX - console->input_count;

	if (size > room)
		size = room;
	memcpy(console->input + console->input_count, text, size);
	console->input_count += (uint32_t)size;
	serve_and_interrupt(console, VIRTIO_CONSOLE_RECEIVE);
	return size;
}

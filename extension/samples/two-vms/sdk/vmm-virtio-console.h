/*
 * A virtio console that a VM manager emulates: the device's side of virtio.h. Its queues must lie in a window of memory that
 * manager and guest share; whatever the guest writes there or in the registers, the manager reads nothing else.
 */
#ifndef SDK_VMM_VIRTIO_CONSOLE_H
#define SDK_VMM_VIRTIO_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio.h"
#include "vmm.h"

#define VMM_VIRTIO_INPUT_MAX 256U

/* Shared memory: where the guest sees it and where it is here. */
struct vmm_window {
	uint64_t guest_base;
	uint8_t *memory;
	size_t size;
};

struct vmm_virtio_queue {
	uint32_t size;
	bool ready;
	uint64_t descriptors, driver, device; /* guest addresses */
	uint16_t next;                        /* entry of the driver's ring to take next */
};

struct vmm_virtio_console {
	struct vmm *vmm;
	uint32_t line;
	struct vmm_window window;
	void (*print)(void *context, const char *text, size_t size);
	void *context;

	uint32_t status, interrupts;
	uint32_t device_features_select, driver_features_select, driver_features[2];
	uint32_t queue_select;
	struct vmm_virtio_queue queues[VIRTIO_CONSOLE_QUEUES];
	char input[VMM_VIRTIO_INPUT_MAX];
	uint32_t input_count;
	uint32_t printed, typed; /* characters */
};

/* Set vmm, line, window, print and context before. False: there is no room for another device. */
bool vmm_virtio_console_add(struct vmm_virtio_console *console, uint64_t base);

/* Types a text; what has no room is lost. Returns how many characters were taken. */
size_t vmm_virtio_console_type(struct vmm_virtio_console *console, const char *text, size_t size);

/* Whether the guest's driver is at work. */
static inline bool vmm_virtio_console_is_open(const struct vmm_virtio_console *console)
{
	return (console->status & VIRTIO_STATUS_DRIVER_OK) != 0 && (console->status & VIRTIO_STATUS_NEEDS_RESET) == 0;
}

#endif

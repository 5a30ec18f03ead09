/*
 * Driver of a virtio console in a VM whose device is another VM. The device can only see memory that both share, so queues and
 * buffers lie in a window that the caller names.
 */
#ifndef SDK_VIRTIO_CONSOLE_H
#define SDK_VIRTIO_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdt.h"
#include "virtio.h"

#define VIRTIO_CONSOLE_BUFFER_SIZE 128U

/* The shared window: both queues and their buffers. */
struct virtio_console_memory {
	struct {
		struct virtio_descriptor descriptors[VIRTIO_QUEUE_MAX];
		struct virtio_driver_ring driver __attribute__((aligned(8)));
		struct virtio_device_ring device __attribute__((aligned(8)));
	} queues[VIRTIO_CONSOLE_QUEUES];
	uint8_t buffers[VIRTIO_CONSOLE_QUEUES][VIRTIO_QUEUE_MAX][VIRTIO_CONSOLE_BUFFER_SIZE];
};

struct virtio_console {
	uintptr_t base;
	struct fdt_interrupt irq;
	volatile struct virtio_console_memory *memory;
	uint16_t taken[VIRTIO_CONSOLE_QUEUES]; /* used entries that this side has seen */
	uint32_t read_at;                      /* in the oldest received buffer */
	volatile uint32_t interrupts;
};

/* Finds a console among the tree's virtio,mmio nodes and starts it. False: there is none, or it refuses. */
bool virtio_console_open(struct virtio_console *console, const struct fdt *fdt, uintptr_t window, size_t window_size);

/* Sends all of it, waiting for room. */
void virtio_console_write(struct virtio_console *console, const char *text, size_t size);

/* Waits for a character. */
char virtio_console_get_char(struct virtio_console *console);

#endif

/*
 * What both sides of a virtio device on the MMIO transport know (Virtual I/O Device version 1.2, 2.7 and 4.2): registers, split
 * virtqueues, and the console device (5.3).
 */
#ifndef SDK_VIRTIO_H
#define SDK_VIRTIO_H

#include <stdint.h>

enum virtio_mmio_register {
	VIRTIO_MAGIC = 0x000,
	VIRTIO_VERSION = 0x004,
	VIRTIO_DEVICE_ID = 0x008,
	VIRTIO_VENDOR_ID = 0x00c,
	VIRTIO_DEVICE_FEATURES = 0x010,
	VIRTIO_DEVICE_FEATURES_SELECT = 0x014,
	VIRTIO_DRIVER_FEATURES = 0x020,
	VIRTIO_DRIVER_FEATURES_SELECT = 0x024,
	VIRTIO_QUEUE_SELECT = 0x030,
	VIRTIO_QUEUE_SIZE_MAX = 0x034,
	VIRTIO_QUEUE_SIZE = 0x038,
	VIRTIO_QUEUE_READY = 0x044,
	VIRTIO_QUEUE_NOTIFY = 0x050,
	VIRTIO_INTERRUPT_STATUS = 0x060,
	VIRTIO_INTERRUPT_ACKNOWLEDGE = 0x064,
	VIRTIO_STATUS = 0x070,
	VIRTIO_QUEUE_DESCRIPTORS = 0x080, /* and 0x084: high half, as for the next two */
	VIRTIO_QUEUE_DRIVER = 0x090,
	VIRTIO_QUEUE_DEVICE = 0x0a0,
	VIRTIO_CONFIG_GENERATION = 0x0fc,
};

#define VIRTIO_MAGIC_VALUE 0x74726976U
#define VIRTIO_VERSION_VALUE 2U
#define VIRTIO_ID_CONSOLE 3U
#define VIRTIO_MMIO_SIZE 0x200U

#define VIRTIO_STATUS_ACKNOWLEDGE 1U
#define VIRTIO_STATUS_DRIVER 2U
#define VIRTIO_STATUS_DRIVER_OK 4U
#define VIRTIO_STATUS_FEATURES_OK 8U
#define VIRTIO_STATUS_NEEDS_RESET 64U
#define VIRTIO_STATUS_FAILED 128U

#define VIRTIO_FEATURES_VERSION_1 1U /* bit 32: bit 0 of the second word */
#define VIRTIO_INTERRUPT_USED 1U

#define VIRTIO_DESCRIPTOR_NEXT 1U
#define VIRTIO_DESCRIPTOR_DEVICE_WRITES 2U

#define VIRTIO_CONSOLE_RECEIVE 0U  /* queue from the device to the driver */
#define VIRTIO_CONSOLE_TRANSMIT 1U
#define VIRTIO_CONSOLE_QUEUES 2U
#define VIRTIO_QUEUE_MAX 8U        /* descriptors of a queue; a power of two */

struct virtio_descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

/* What the driver has made available. */
struct virtio_driver_ring {
	uint16_t flags, index;
	uint16_t heads[VIRTIO_QUEUE_MAX];
	uint16_t used_event;
};

/* What the device has used. */
struct virtio_device_ring {
	uint16_t flags, index;
	struct {
		uint32_t head;
		uint32_t size;
	} used[VIRTIO_QUEUE_MAX];
	uint16_t driver_event;
};

#endif

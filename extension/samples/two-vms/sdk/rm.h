/*
 * Client of the Resource Manager (RM), the VM that creates, starts and describes the other VMs. RM is reached by
 * messages of at most 240 bytes over a queue pair: an eight-byte header and a piece of the payload; longer payloads are cut
 * into several messages. Requests get a reply with the same sequence number; notifications arrive at any time and
 * are kept in order until rm_next_notification() takes them.
 */
#ifndef SDK_RM_H
#define SDK_RM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdt.h"
#include "queue.h"

enum rm_message_id {
	RM_VM_ALLOCATE = 0x56000001,
	RM_VM_DEALLOCATE = 0x56000002,
	RM_VM_START = 0x56000004,
	RM_VM_STOP = 0x56000005,
	RM_VM_RESET = 0x56000006,
	RM_VM_CONFIG_IMAGE = 0x56000009,
	RM_VM_INIT = 0x5600000B,
	RM_VM_GET_ID = 0x56000010,
	RM_VM_LOOKUP_NAME = 0x56000013,
	RM_VM_GET_STATE = 0x56000017,
	RM_VM_GET_HYP_RESOURCES = 0x56000020,
	RM_VM_GET_VMID = 0x56000024,
	RM_CONSOLE_OPEN = 0x56000081,
	RM_CONSOLE_CLOSE = 0x56000082,
	RM_CONSOLE_WRITE = 0x56000083,
	RM_CONSOLE_FLUSH = 0x56000084,
	RM_MEM_DONATE = 0x51000010,
	RM_MEM_LEND = 0x51000012,
	RM_MEM_SHARE = 0x51000013,
	RM_MEM_RECLAIM = 0x51000015,
	RM_MEM_APPEND = 0x51000018,
	RM_MEM_RELEASED_BY = 0x51100012,
	RM_MEM_ACCEPTED_BY = 0x51100013,
	RM_CONSOLE_CHARS = 0x56100080,
	RM_VM_EXITED = 0x56100001,
	RM_VM_SHUTDOWN = 0x56100002,
	RM_VM_STATUS = 0x56100008,
};

enum rm_error {
	RM_OK = 0,
	RM_NOMEM = 0x1,
	RM_NORESOURCE = 0x2,
	RM_DENIED = 0x3,
	RM_MSG_INVALID = 0x4,
	RM_BUSY = 0x5,
	RM_ARGUMENT_INVALID = 0x6,
	RM_HANDLE_INVALID = 0x7,
	RM_VALIDATE_FAILED = 0x8,
	RM_MAP_FAILED = 0x9,
	RM_MEM_INVALID = 0xA,
	RM_MEM_INUSE = 0xB,
	RM_MEM_RELEASED = 0xC,
	RM_VMID_INVALID = 0xD,
	RM_LOOKUP_FAILED = 0xE,
	RM_IRQ_INVALID = 0xF,
	RM_IRQ_INUSE = 0x10,
	RM_IRQ_RELEASED = 0x11,
	RM_IN_USE = 0x12,
	RM_IRQ_NOT_MAPPED = 0x13,
	RM_VM_STATE = 0x14,
	RM_TRANSPORT_FAILED = 0xFFFFFFFE, /* ours: the message queue refused, or the reply was malformed */
	RM_UNIMPLEMENTED = 0xFFFFFFFF,
};

enum rm_vm_state {
	RM_VM_NONE = 0,
	RM_VM_INITIAL = 1,
	RM_VM_READY = 2,
	RM_VM_RUNNING = 3,
	RM_VM_PAUSED = 4,
	RM_VM_LOAD = 5,
	RM_VM_AUTH = 6,
	RM_VM_INIT_FAILED = 8,
	RM_VM_HAS_EXITED = 9,
	RM_VM_RESETTING = 10,
	RM_VM_RESET_DONE = 11,
};

enum rm_resource_type {
	RM_RESOURCE_DOORBELL_TX = 0,
	RM_RESOURCE_DOORBELL_RX = 1,
	RM_RESOURCE_MSGQUEUE_TX = 2,
	RM_RESOURCE_MSGQUEUE_RX = 3,
	RM_RESOURCE_VCPU = 4,
	RM_RESOURCE_VPM_GROUP = 5,
	RM_RESOURCE_VIRTIO_MMIO = 6,
	RM_RESOURCE_VRTC = 7,
	RM_RESOURCE_WATCHDOG = 8,
};

#define RM_PAYLOAD_MAX 232U       /* in one message */
#define RM_REPLY_MAX 2048U        /* the longest payload this client puts together */
#define RM_NOTIFICATIONS_MAX 16U
#define RM_NOTIFICATION_SIZE_MAX RM_PAYLOAD_MAX
#define RM_RESOURCES_MAX 32U

struct rm_notification {
	uint32_t id;
	uint16_t sequence;
	uint32_t size;
	union {
		uint32_t words[RM_NOTIFICATION_SIZE_MAX / 4];
		struct {
			uint16_t vmid;
			uint16_t reserved;
			uint8_t vm_state; /* enum rm_vm_state */
			uint8_t os_state;
			uint16_t app_status;
		} status;
		struct {
			uint16_t vmid;
			uint16_t exit_type;
			uint32_t reason_size;
			uint32_t reason[4];
		} exited;
		struct {
			uint32_t handle;
			uint16_t vmid;
			uint16_t reserved;
			uint32_t tag;
		} memory;
		struct {
			uint16_t from; /* 0: the owner; otherwise the VM whose console it is */
			uint16_t size;
			char characters[RM_NOTIFICATION_SIZE_MAX - 4];
		} console;
	} u;
};

/* An entry of the VM_GET_HYP_RESOURCES reply, as it stands in the message: 32-bit aligned. */
struct rm_resource {
	uint8_t type; /* enum rm_resource_type */
	uint8_t reserved;
	uint16_t partner_vmid;
	uint32_t handle;
	uint32_t label;
	uint32_t cap_low;
	uint32_t cap_high;
	uint32_t virq_handle;
	uint32_t virq;
	uint32_t base_low;
	uint32_t base_high;
	uint32_t size_low;
	uint32_t size_high;
};

static inline cap_id_t rm_resource_cap(const struct rm_resource *resource)
{
	return ((uint64_t)resource->cap_high << 32) | resource->cap_low;
}

struct rm_resource_list {
	uint32_t count;
	struct rm_resource entries[RM_RESOURCES_MAX];
};

/* A request that waits for its reply. Lives on the caller's stack, linked into rm->pending. */
struct rm_request {
	struct rm_request *next;
	uint32_t id;
	uint16_t sequence;
	bool done;
	enum rm_error error;
	uint32_t reply_size;
	uint32_t reply[RM_REPLY_MAX / 4];
};

struct rm {
	struct queue queue;
	uint16_t next_sequence;
	struct rm_request *pending;

	/* The message being put together from its pieces. */
	struct {
		bool active;
		uint8_t type;
		uint8_t pieces_left;
		uint8_t piece_count;
		uint16_t sequence;
		uint32_t id;
		uint32_t size;
		uint32_t payload[RM_REPLY_MAX / 4];
	} incoming;

	struct rm_notification notifications[RM_NOTIFICATIONS_MAX];
	uint32_t notification_first;
	uint32_t notification_count;
	uint32_t dropped; /* malformed messages and notifications without room */
};

/* Finds RM's node in the device tree and opens its queues. False: there is no Resource Manager. */
bool rm_open(struct rm *rm, const struct fdt *fdt);

/*
 * Sends a request and waits for its reply, whose payload (behind the error word) lands in request->reply. Notifications that
 * arrive meanwhile are kept.
 */
enum rm_error rm_call(struct rm *rm, struct rm_request *request, enum rm_message_id id, const void *payload, size_t size);

/* Takes the oldest notification, waiting for one if there is none. An id of 0 means that RM cannot be reached. */
struct rm_notification rm_next_notification(struct rm *rm);

/* Takes the oldest notification if there is one. False: there is none, or RM cannot be reached. */
bool rm_try_next_notification(struct rm *rm, struct rm_notification *notification);

enum rm_error rm_get_vmid(struct rm *rm, uint16_t *vmid);
enum rm_error rm_lookup_name(struct rm *rm, const char *name, uint16_t *vmid);
enum rm_error rm_get_state(struct rm *rm, uint16_t vmid, enum rm_vm_state *state);
enum rm_error rm_get_resources(struct rm *rm, uint16_t vmid, struct rm_resource_list *list);
enum rm_error rm_vm_start(struct rm *rm, uint16_t vmid);

/*
 * Waits for a VM_STATUS notification that says the VM is in this state; others are consumed. False if RM cannot be
 * reached any more.
 */
bool rm_wait_for_state(struct rm *rm, uint16_t vmid, enum rm_vm_state state);

const char *rm_error_name(enum rm_error error);
const char *rm_vm_state_name(enum rm_vm_state state);
const char *rm_resource_type_name(enum rm_resource_type type);

#endif

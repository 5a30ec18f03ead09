#include "rm.h"

#include "console.h"
#include "cpu.h"
#include "string.h"

#define RM_COMPATIBLE "gunyah-resource-manager"
#define RM_HEADER_VERSION 0x21U /* API version 1, header of two words */
#define RM_FRAGMENTS_MAX 62U

enum rm_message_type { RM_CONTINUATION = 0, RM_REQUEST = 1, RM_REPLY = 2, RM_NOTIFICATION = 3 };

struct rm_header {
	uint8_t version;
	uint8_t type_and_fragments; /* 1:0 type, 7:2 number of continuations */
	uint16_t sequence;
	uint32_t id;
};

struct rm_packet {
	struct rm_header header;
	uint32_t payload[RM_PAYLOAD_MAX / 4];
} __attribute__((aligned(8)));

bool rm_open(struct rm *rm, const struct fdt *fdt)
{
	int node = fdt_find_compatible(fdt, FDT_NONE, RM_COMPATIBLE);

	memset(rm, 0, sizeof(*rm));
	if (node < 0 || !queue_from_tree(&rm->queue, fdt, node, "resource-manager"))
		return false;
	queue_open(&rm->queue);
	return true;
}

static enum gunyah_error send_request(struct rm *rm, const struct rm_request *request, const uint8_t *payload,
				      size_t size)
{
	size_t fragments = size == 0 ? 0 : (size - 1) / RM_PAYLOAD_MAX;
	size_t offset = 0;

	if (fragments > RM_FRAGMENTS_MAX)
		return GUNYAH_ARGUMENT_SIZE;
	for (size_t i = 0; i <= fragments; i++) {
		size_t piece = size - offset < RM_PAYLOAD_MAX ? size - offset : RM_PAYLOAD_MAX;
		struct rm_packet packet = {
			.header = {
				.version = RM_HEADER_VERSION,
				.type_and_fragments = (uint8_t)((fragments << 2) | (i == 0 ? RM_REQUEST : RM_CONTINUATION)),
				.sequence = request->sequence,
				.id = request->id,
			},
		};
		enum gunyah_error error;

		memcpy(packet.payload, payload + offset, piece);
		error = queue_send(&rm->queue, &packet, sizeof(struct rm_header) + piece);
		if (error != GUNYAH_OK)
			return error;
		offset += piece;
	}
	return GUNYAH_OK;
}

static void keep_notification(struct rm *rm)
{
	struct rm_notification *notification;
	uint32_t slot = (rm->notification_first + rm->notification_count) % RM_NOTIFICATIONS_MAX;

	if (rm->notification_count == RM_NOTIFICATIONS_MAX || rm->incoming.size > RM_NOTIFICATION_SIZE_MAX) {
		rm->dropped++;
		return;
	}
	notification = &rm->notifications[slot];
	memset(notification, 0, sizeof(*notification));
	notification->id = rm->incoming.id;
	notification->sequence = rm->incoming.sequence;
	notification->size = rm->incoming.size;
	memcpy(notification->u.words, rm->incoming.payload, rm->incoming.size);
	rm->notification_count++;
}

static void complete_request(struct rm *rm)
{
	struct rm_request **link = &rm->pending;
	struct rm_request *request;

	while (*link != NULL && ((*link)->sequence != rm->incoming.sequence || (*link)->id != rm->incoming.id))
		link = &(*link)->next;
	request = *link;
	if (request == NULL) {
		rm->dropped++;
		return;
	}
	*link = request->next;
	if (rm->incoming.size < 4) {
		request->error = RM_TRANSPORT_FAILED;
	} else {
		request->error = (enum rm_error)rm->incoming.payload[0];
		request->reply_size = rm->incoming.size - 4;
		memcpy(request->reply, &rm->incoming.payload[1], request->reply_size);
	}
	request->done = true;
}

static void deliver(struct rm *rm)
{
	rm->incoming.active = false;
	if (rm->incoming.type == RM_NOTIFICATION)
		keep_notification(rm);
	else if (rm->incoming.type == RM_REPLY)
		complete_request(rm);
	else
		rm->dropped++;
}

static bool continues_message(const struct rm *rm, const struct rm_header *header)
{
	return rm->incoming.active && header->sequence == rm->incoming.sequence && header->id == rm->incoming.id &&
	       (header->type_and_fragments >> 2) == rm->incoming.piece_count;
}

static void accept_packet(struct rm *rm, const struct rm_packet *packet, size_t size)
{
	const struct rm_header *header = &packet->header;
	uint8_t type = header->type_and_fragments & 3;
	uint32_t piece = (uint32_t)(size - sizeof(*header));

	if (size < sizeof(*header) || header->version != RM_HEADER_VERSION ||
	    (type == RM_CONTINUATION && !continues_message(rm, header))) {
		rm->dropped++;
		return;
	}
	if (type != RM_CONTINUATION) {
		rm->incoming.active = true;
		rm->incoming.type = type;
		rm->incoming.piece_count = header->type_and_fragments >> 2;
		rm->incoming.pieces_left = rm->incoming.piece_count + 1;
		rm->incoming.sequence = header->sequence;
		rm->incoming.id = header->id;
		rm->incoming.size = 0;
	}
	if (rm->incoming.size + piece > RM_REPLY_MAX) {
		rm->incoming.active = false;
		rm->dropped++;
		return;
	}
	memcpy((uint8_t *)rm->incoming.payload + rm->incoming.size, packet->payload, piece);
	rm->incoming.size += piece;
	if (--rm->incoming.pieces_left == 0)
		deliver(rm);
}

/* Waits for one message from RM and files it. */
static enum gunyah_error receive_packet(struct rm *rm)
{
	struct rm_packet packet;
	size_t size;
	enum gunyah_error error = queue_receive(&rm->queue, &packet, sizeof(packet), &size);

	if (error == GUNYAH_OK)
		accept_packet(rm, &packet, size);
	return error;
}

enum rm_error rm_call(struct rm *rm, struct rm_request *request, enum rm_message_id id, const void *payload, size_t size)
{
	request->id = id;
	request->sequence = rm->next_sequence++;
	request->done = false;
	request->error = RM_OK;
	request->reply_size = 0;
	request->next = rm->pending;
	rm->pending = request;

	if (send_request(rm, request, payload, size) != GUNYAH_OK) {
		rm->pending = request->next;
		return request->error = RM_TRANSPORT_FAILED;
	}
	while (!request->done) {
		if (receive_packet(rm) != GUNYAH_OK) {
			rm->pending = request->next;
			return request->error = RM_TRANSPORT_FAILED;
		}
	}
	return request->error;
}

static struct rm_notification take_notification(struct rm *rm)
{
	struct rm_notification notification = rm->notifications[rm->notification_first];

	rm->notification_first = (rm->notification_first + 1) % RM_NOTIFICATIONS_MAX;
	rm->notification_count--;
	return notification;
}

struct rm_notification rm_next_notification(struct rm *rm)
{
	while (rm->notification_count == 0) {
		if (receive_packet(rm) != GUNYAH_OK)
			return (struct rm_notification){ .id = 0 };
	}
	return take_notification(rm);
}

bool rm_try_next_notification(struct rm *rm, struct rm_notification *notification)
{
	while (rm->notification_count == 0) {
		struct rm_packet packet;
		size_t size;

		if (queue_try_receive(&rm->queue, &packet, sizeof(packet), &size) != GUNYAH_OK || size == 0)
			return false;
		accept_packet(rm, &packet, size);
	}
	*notification = take_notification(rm);
	return true;
}

/* Most requests name one VM: its id in 16 bits, and 16 bits of zero. */
static enum rm_error call_about_vm(struct rm *rm, struct rm_request *request, enum rm_message_id id, uint16_t vmid)
{
	uint32_t payload = vmid;

	return rm_call(rm, request, id, &payload, sizeof(payload));
}

enum rm_error rm_get_vmid(struct rm *rm, uint16_t *vmid)
{
	struct rm_request request;
	enum rm_error error = rm_call(rm, &request, RM_VM_GET_VMID, NULL, 0);

	if (error == RM_OK)
		*vmid = (uint16_t)request.reply[0];
	return error;
}

enum rm_error rm_lookup_name(struct rm *rm, const char *name, uint16_t *vmid)
{
	struct rm_request request;
	struct {
		uint16_t length;
		uint16_t reserved;
		char name[80];
	} payload __attribute__((aligned(8)));
	size_t length = strlen(name);
	enum rm_error error;

	memset(&payload, 0, sizeof(payload));
	if (length >= sizeof(payload.name))
		return RM_ARGUMENT_INVALID;
	payload.length = (uint16_t)length;
	memcpy(payload.name, name, length);
	error = rm_call(rm, &request, RM_VM_LOOKUP_NAME, &payload, 4 + ((length + 3) & ~3UL));
	if (error != RM_OK)
		return error;
	if (request.reply_size < 8 || request.reply[0] == 0)
		return RM_LOOKUP_FAILED;
	*vmid = (uint16_t)request.reply[1];
	return RM_OK;
}

enum rm_error rm_get_state(struct rm *rm, uint16_t vmid, enum rm_vm_state *state)
{
	struct rm_request request;
	enum rm_error error = call_about_vm(rm, &request, RM_VM_GET_STATE, vmid);

	if (error == RM_OK)
		*state = (enum rm_vm_state)(request.reply[0] & 0xff);
	return error;
}

enum rm_error rm_get_resources(struct rm *rm, uint16_t vmid, struct rm_resource_list *list)
{
	struct rm_request request;
	enum rm_error error = call_about_vm(rm, &request, RM_VM_GET_HYP_RESOURCES, vmid);

	list->count = 0;
	if (error != RM_OK)
		return error;
	while (list->count < request.reply[0] && list->count < RM_RESOURCES_MAX &&
	       4 + (list->count + 1) * sizeof(struct rm_resource) <= request.reply_size) {
		const uint8_t *entry = (const uint8_t *)&request.reply[1] + list->count * sizeof(struct rm_resource);

		memcpy(&list->entries[list->count++], entry, sizeof(struct rm_resource));
	}
	return RM_OK;
}

enum rm_error rm_vm_start(struct rm *rm, uint16_t vmid)
{
	struct rm_request request;

	return call_about_vm(rm, &request, RM_VM_START, vmid);
}

bool rm_wait_for_state(struct rm *rm, uint16_t vmid, enum rm_vm_state state)
{
	struct rm_notification notification;

	do {
		notification = rm_next_notification(rm);
		if (notification.id == 0)
			return false;
	} while (notification.id != RM_VM_STATUS || notification.u.status.vmid != vmid ||
		 notification.u.status.vm_state != state);
	return true;
}

const char *rm_error_name(enum rm_error error)
{
	static const char *const names[] = {
		"OK", "NOMEM", "NORESOURCE", "DENIED", "MSG_INVALID", "BUSY", "ARGUMENT_INVALID", "HANDLE_INVALID",
		"VALIDATE_FAILED", "MAP_FAILED", "MEM_INVALID", "MEM_INUSE", "MEM_RELEASED", "VMID_INVALID",
		"LOOKUP_FAILED", "IRQ_INVALID", "IRQ_INUSE", "IRQ_RELEASED", "IN_USE", "IRQ_NOT_MAPPED", "VM_STATE",
	};

	if ((uint32_t)error < ARRAY_COUNT(names))
		return names[error];
	if (error == RM_TRANSPORT_FAILED)
		return "transport failed";
	return error == RM_UNIMPLEMENTED ? "UNIMPLEMENTED" : "unknown error";
}

const char *rm_vm_state_name(enum rm_vm_state state)
{
	static const char *const names[] = {
		"NONE", "INIT", "READY", "RUNNING", "PAUSED", "LOAD", "AUTH", "(7)", "INIT_FAILED", "EXITED",
		"RESETTING", "RESET",
	};

	return (uint32_t)state < ARRAY_COUNT(names) ? names[state] : "unknown state";
}

const char *rm_resource_type_name(enum rm_resource_type type)
{
	static const char *const names[] = {
		"doorbell sender", "doorbell receiver", "queue sender", "queue receiver", "vCPU", "vPM group",
		"virtio-mmio", "RTC", "watchdog",
	};

	return (uint32_t)type < ARRAY_COUNT(names) ? names[type] : "unknown resource";
}

#include "rm-vm.h"

#include "cpu.h"
#include "string.h"

#define GIVE_MORE_FOLLOWS 2U
#define APPEND_LAST 1U
#define WORDS_PER_RANGE 4U
/* Type and flags, label, two list heads, the list of attributes with no entry. */
#define GIVE_WORDS_MAX (5U + RM_ACL_MAX + WORDS_PER_RANGE * RM_RANGES_PER_MESSAGE_MAX)

/* Lists in messages are only aligned to four bytes, so messages are put together from words. */
static struct {
	uint32_t words[GIVE_WORDS_MAX];
	size_t count;
} message;

static void put_word(uint32_t word)
{
	message.words[message.count++] = word;
}

static size_t put_ranges(const struct rm_memory_range *ranges, size_t count)
{
	size_t now = count < RM_RANGES_PER_MESSAGE_MAX ? count : RM_RANGES_PER_MESSAGE_MAX;

	put_word((uint32_t)now);
	for (size_t i = 0; i < now; i++) {
		put_word((uint32_t)ranges[i].address);
		put_word((uint32_t)(ranges[i].address >> 32));
		put_word((uint32_t)ranges[i].size);
		put_word((uint32_t)(ranges[i].size >> 32));
	}
	return now;
}

static enum rm_error call_with_words(struct rm *rm, struct rm_request *request, enum rm_message_id id)
{
	return rm_call(rm, request, id, message.words, message.count * sizeof(message.words[0]));
}

static enum rm_error append_ranges(struct rm *rm, const struct rm_parcel *parcel, uint32_t handle, size_t sent)
{
	enum rm_error error = RM_OK;

	while (error == RM_OK && sent < parcel->range_count) {
		struct rm_request request;
		size_t left = parcel->range_count - sent;

		message.count = 0;
		put_word(handle);
		put_word(left <= RM_RANGES_PER_MESSAGE_MAX ? APPEND_LAST : 0);
		sent += put_ranges(parcel->ranges + sent, left);
		error = call_with_words(rm, &request, RM_MEM_APPEND);
	}
	return error;
}

enum rm_error rm_mem_give(struct rm *rm, enum rm_message_id how, const struct rm_parcel *parcel, uint32_t *handle)
{
	struct rm_request request;
	enum rm_error error;
	size_t sent;

	*handle = RM_PARCEL_NONE;
	if (parcel->acl_count > RM_ACL_MAX)
		return RM_ARGUMENT_INVALID;
	message.count = 0;
	put_word(parcel->range_count > RM_RANGES_PER_MESSAGE_MAX ? GIVE_MORE_FOLLOWS << 16 : 0);
	put_word(parcel->label);
	put_word((uint32_t)parcel->acl_count);
	for (size_t i = 0; i < parcel->acl_count; i++)
		put_word(parcel->acl[i].vmid | ((uint32_t)parcel->acl[i].rights << 16));
	sent = put_ranges(parcel->ranges, parcel->range_count);
	put_word(0);
	error = call_with_words(rm, &request, how);
	if (error != RM_OK)
		return error;
	*handle = request.reply[0];
	error = append_ranges(rm, parcel, *handle, sent);
	if (error != RM_OK && rm_mem_reclaim(rm, *handle, 0) == RM_OK)
		*handle = RM_PARCEL_NONE;
	return error;
}

enum rm_error rm_mem_reclaim(struct rm *rm, uint32_t handle, uint8_t flags)
{
	struct rm_request request;
	const uint32_t payload[2] = { handle, flags };

	return rm_call(rm, &request, RM_MEM_RECLAIM, payload, sizeof(payload));
}

static enum rm_error call_about(struct rm *rm, struct rm_request *request, enum rm_message_id id, uint16_t vmid)
{
	uint32_t payload = vmid;

	return rm_call(rm, request, id, &payload, sizeof(payload));
}

enum rm_error rm_vm_allocate(struct rm *rm, uint16_t *vmid)
{
	struct rm_request request;
	enum rm_error error = call_about(rm, &request, RM_VM_ALLOCATE, 0);

	if (error == RM_OK)
		*vmid = (uint16_t)request.reply[0];
	return error;
}

enum rm_error rm_vm_deallocate(struct rm *rm, uint16_t vmid)
{
	struct rm_request request;

	return call_about(rm, &request, RM_VM_DEALLOCATE, vmid);
}

enum rm_error rm_vm_config_image(struct rm *rm, uint16_t vmid, const struct rm_image *image)
{
	struct rm_request request;
	const struct {
		uint16_t vmid;
		uint16_t authentication;
		uint32_t handle;
		uint64_t image_offset, image_size, tree_offset, tree_size;
	} payload = {
		.vmid = vmid,
		.handle = image->handle,
		.image_offset = image->image_offset,
		.image_size = image->image_size,
		.tree_offset = image->tree_offset,
		.tree_size = image->tree_size,
	};

	_Static_assert(sizeof(payload) == 40, "VM_CONFIG_IMAGE has 40 bytes");
	return rm_call(rm, &request, RM_VM_CONFIG_IMAGE, &payload, sizeof(payload));
}

enum rm_error rm_vm_init(struct rm *rm, uint16_t vmid)
{
	struct rm_request request;

	return call_about(rm, &request, RM_VM_INIT, vmid);
}

enum rm_error rm_vm_stop(struct rm *rm, uint16_t vmid, uint8_t flags, uint32_t reason)
{
	struct rm_request request;
	const uint32_t payload[2] = { vmid | ((uint32_t)flags << 16), reason };

	return rm_call(rm, &request, RM_VM_STOP, payload, sizeof(payload));
}

enum rm_error rm_vm_reset(struct rm *rm, uint16_t vmid)
{
	struct rm_request request;

	return call_about(rm, &request, RM_VM_RESET, vmid);
}

const char *rm_exit_type_name(enum rm_exit_type type)
{
	static const char *const names[] = {
		"by itself", "platform off", "platform reset", "system reset 2", "watchdog", "software error",
		"hardware error", "stop forced",
	};

	return (uint32_t)type < ARRAY_COUNT(names) ? names[type] : "unknown";
}

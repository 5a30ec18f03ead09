/*
 * Requests to the Resource Manager that make and end other VMs: VMIDs, memory parcels, the image, stop and reset. What a VM
 * manager needs; the order in which it sends them is in vmm.h.
 */
#ifndef SDK_RM_VM_H
#define SDK_RM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rm.h"

/* Access rights of an access control list. Only R, RX, RW and RWX are valid. */
#define RM_RIGHT_X 1U
#define RM_RIGHT_W 2U
#define RM_RIGHT_R 4U
#define RM_RIGHTS_RW 6U
#define RM_RIGHTS_RWX 7U

#define RM_ACL_MAX 8U
#define RM_RANGES_PER_MESSAGE_MAX 512U
#define RM_MEM_SANITISE 1U /* on MEM_RECLAIM: clear the memory */

#define RM_STOP_FORCE 1U
#define RM_STOP_REASON_CLOSED 3U /* as Linux says when the file of a VM is closed */

/* Exit types of RM_VM_EXITED. */
enum rm_exit_type {
	RM_EXIT_BY_ITSELF = 0,
	RM_EXIT_PLATFORM_OFF = 1,
	RM_EXIT_PLATFORM_RESET = 2,
	RM_EXIT_SYSTEM_RESET2 = 3,
	RM_EXIT_WATCHDOG = 4,
	RM_EXIT_SOFTWARE_ERROR = 5,
	RM_EXIT_HARDWARE_ERROR = 6,
	RM_EXIT_STOP_FORCED = 7,
};

struct rm_acl_entry {
	uint16_t vmid;
	uint8_t rights;
	uint8_t reserved;
};

/* A piece of the caller's memory; both numbers in whole pages. */
struct rm_memory_range {
	uint64_t address;
	uint64_t size;
};

/* Memory to lend, share or donate, and to whom. */
struct rm_parcel {
	uint32_t label;
	const struct rm_acl_entry *acl;
	size_t acl_count;
	const struct rm_memory_range *ranges;
	size_t range_count;
};

/* Where in a parcel a VM's image and its device tree are. */
struct rm_image {
	uint32_t handle;
	uint64_t image_offset; /* the VM is entered here, at the address that its memory has there */
	uint64_t image_size;
	uint64_t tree_offset;
	uint64_t tree_size; /* with room for what RM adds */
};

/* No parcel: what rm_mem_give() leaves if nothing was given. */
#define RM_PARCEL_NONE 0xffffffffU

/*
 * how: RM_MEM_LEND, RM_MEM_SHARE or RM_MEM_DONATE. Lists longer than one message are continued by MEM_APPEND; if that
 * fails, the parcel is reclaimed. Where even that fails there is an error and a handle: the caller reclaims it later.
 */
enum rm_error rm_mem_give(struct rm *rm, enum rm_message_id how, const struct rm_parcel *parcel, uint32_t *handle);
enum rm_error rm_mem_reclaim(struct rm *rm, uint32_t handle, uint8_t flags);

/* Allocates a dynamic VMID. */
enum rm_error rm_vm_allocate(struct rm *rm, uint16_t *vmid);
enum rm_error rm_vm_deallocate(struct rm *rm, uint16_t vmid);
enum rm_error rm_vm_config_image(struct rm *rm, uint16_t vmid, const struct rm_image *image);
enum rm_error rm_vm_init(struct rm *rm, uint16_t vmid);
enum rm_error rm_vm_stop(struct rm *rm, uint16_t vmid, uint8_t flags, uint32_t reason);
enum rm_error rm_vm_reset(struct rm *rm, uint16_t vmid);

const char *rm_exit_type_name(enum rm_exit_type type);

#endif

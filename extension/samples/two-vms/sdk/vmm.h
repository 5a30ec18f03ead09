/*
 * A virtual machine manager: makes a VM out of memory that this VM lends, lends it CPU time (proxy scheduling), emulates its
 * devices, interrupts it and takes everything back. The order of requests is Linux's (drivers/virt/gunyah):
 *
 *   vmm_create      VM_ALLOCATE
 *   vmm_lend …      MEM_LEND, MEM_APPEND (or vmm_share: VM_GET_VMID, MEM_SHARE)
 *   vmm_configure   VM_CONFIG_IMAGE, VM_INIT, VM_GET_HYP_RESOURCES
 *   vmm_start       VM_START
 *   vmm_run …       vcpu_run of each vCPU, until all of them wait or the VM has ended
 *   vmm_stop        VM_STOP by force, if it has not ended
 *   vmm_destroy     VM_STOP if it still runs, VM_RESET, MEM_RECLAIM of each parcel, VM_DEALLOCATE
 */
#ifndef SDK_VMM_H
#define SDK_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gunyah.h"
#include "rm-vm.h"

#define VMM_VCPUS_MAX 8U
#define VMM_LINES_MAX 8U
#define VMM_DEVICES_MAX 8U
#define VMM_EVENTS_MAX 8U
#define VMM_PARCELS_MAX 8U

/* A device that this VM emulates: accesses of the guest to a range of unmapped guest physical addresses. */
struct vmm_device {
	const char *name;
	uint64_t base, size;
	uint64_t (*read)(void *context, uint64_t offset, uint32_t size);
	void (*write)(void *context, uint64_t offset, uint32_t size, uint64_t value);
	void *context;
};

/* A register that only signals (Linux: ioeventfd): stores to it are counted and reach no device. */
struct vmm_event {
	uint64_t address;
	uint32_t size;      /* 0: any */
	bool match_value;
	uint64_t value;     /* if match_value: only stores of this value count */
	uint32_t signalled; /* how often */
};

/* An interrupt line into the guest (Linux: irqfd): a doorbell that the guest's tree gives an interrupt. */
struct vmm_line {
	uint32_t label;
	cap_id_t doorbell;
	uint32_t raised;
};

struct vmm_vcpu {
	struct vmm *vmm;
	uint32_t index;
	cap_id_t cap;
	uint32_t wakeup_virq;
	volatile bool awake; /* worth a vcpu_run; the wake-up interrupt sets it */
	uint64_t resume[3];
	struct {
		uint32_t runs, ready, waits, off, blocked, reads, writes, faults, resets, wakeups;
	} count;
};

struct vmm {
	struct rm *rm;
	uint16_t vmid;
	enum rm_vm_state state;  /* as RM last said */
	bool configured;         /* RM has accepted an image */
	bool exited;
	enum rm_exit_type exit_type;
	uint32_t exit_reason[4];
	uint32_t parcels_released;

	struct vmm_vcpu vcpus[VMM_VCPUS_MAX];
	uint32_t vcpu_count;
	struct vmm_line lines[VMM_LINES_MAX];
	uint32_t line_count;
	struct vmm_device devices[VMM_DEVICES_MAX];
	uint32_t device_count;
	struct vmm_event events[VMM_EVENTS_MAX];
	uint32_t event_count;
	uint32_t parcels[VMM_PARCELS_MAX]; /* handles */
	uint32_t parcel_count;
	uint32_t unclaimed_accesses;       /* where there is neither a device nor an event */
	volatile bool pause_requested;
};

enum vmm_outcome {
	VMM_WAITING, /* every vCPU waits for an interrupt or is off */
	VMM_PAUSED,  /* somebody called vmm_pause() */
	VMM_EXITED,  /* the VM has ended; vmm->exit_type says how */
	VMM_FAILED,  /* vcpu_run refused */
};

enum rm_error vmm_create(struct vmm *vmm, struct rm *rm);

/* Gives memory away until vmm_destroy(). The VM gets all rights. */
enum rm_error vmm_lend(struct vmm *vmm, uint32_t label, const struct rm_memory_range *ranges, size_t count);

/* The same, but both VMs get these rights. */
enum rm_error vmm_share(struct vmm *vmm, uint8_t rights, uint32_t label, const struct rm_memory_range *ranges, size_t count);

/* Image and tree are in the parcel that was given first; image->handle is filled in. */
enum rm_error vmm_configure(struct vmm *vmm, struct rm_image *image);
enum rm_error vmm_start(struct vmm *vmm);

/* To be added before vmm_run(). The copy that counts is returned; NULL if there is no room. */
struct vmm_device *vmm_add_device(struct vmm *vmm, const struct vmm_device *device);
struct vmm_event *vmm_add_event(struct vmm *vmm, const struct vmm_event *event);

/* Interrupts the guest. ARGUMENT_INVALID: there is no such line. */
enum gunyah_error vmm_raise(struct vmm *vmm, uint32_t label);

/* The guest sees this line's interrupt go down by itself: for lines that its tree calls level-triggered. */
enum gunyah_error vmm_make_level(struct vmm *vmm, uint32_t label);

/* Runs the vCPUs in turn as long as any of them has something to do. */
enum vmm_outcome vmm_run(struct vmm *vmm);

/* Lets vmm_run() return soon although the guest is busy. For interrupt handlers and for the devices' callbacks. */
static inline void vmm_pause(struct vmm *vmm)
{
	vmm->pause_requested = true;
}

/* Sleeps until a vCPU wakes up or the VM ends. */
void vmm_wait(struct vmm *vmm);

/* Ends the VM by force and waits for its end. Not for one that has ended. */
enum rm_error vmm_stop(struct vmm *vmm, uint32_t reason);

/* Takes everything back; the memory is this VM's again when it returns RM_OK. Else it may be called again, for what is left. */
enum rm_error vmm_destroy(struct vmm *vmm);

#endif

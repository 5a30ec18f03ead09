#include "vmm.h"

#include "cpu.h"
#include "gic.h"
#include "string.h"

#define VIRQ_NONE 0xffffffffU
#define VMM_LINE_FLAG 1UL

/* ---- Making a VM ---- */

enum rm_error vmm_create(struct vmm *vmm, struct rm *rm)
{
	memset(vmm, 0, sizeof(*vmm));
	vmm->rm = rm;
	vmm->state = RM_VM_LOAD;
	return rm_vm_allocate(rm, &vmm->vmid);
}

static enum rm_error give(struct vmm *vmm, enum rm_message_id how, const struct rm_parcel *parcel)
{
	enum rm_error error;

	if (vmm->parcel_count == VMM_PARCELS_MAX)
		return RM_NORESOURCE;
	error = rm_mem_give(vmm->rm, how, parcel, &vmm->parcels[vmm->parcel_count]);
	if (vmm->parcels[vmm->parcel_count] != RM_PARCEL_NONE)
		vmm->parcel_count++;
	return error;
}

enum rm_error vmm_lend(struct vmm *vmm, uint32_t label, const struct rm_memory_range *ranges, size_t count)
{
	const struct rm_acl_entry acl = { .vmid = vmm->vmid, .rights = RM_RIGHTS_RWX };
	const struct rm_parcel parcel = {
		.label = label, .acl = &acl, .acl_count = 1, .ranges = ranges, .range_count = count,
	};

	return give(vmm, RM_MEM_LEND, &parcel);
}

enum rm_error vmm_share(struct vmm *vmm, uint8_t rights, uint32_t label, const struct rm_memory_range *ranges, size_t count)
{
	uint16_t own_vmid = 0;
	enum rm_error error = rm_get_vmid(vmm->rm, &own_vmid);
	const struct rm_acl_entry acl[] = {
		{ .vmid = vmm->vmid, .rights = rights },
		{ .vmid = own_vmid, .rights = rights },
	};
	const struct rm_parcel parcel = {
		.label = label, .acl = acl, .acl_count = ARRAY_COUNT(acl), .ranges = ranges, .range_count = count,
	};

	return error == RM_OK ? give(vmm, RM_MEM_SHARE, &parcel) : error;
}

/* Edge-triggered at each event that might let the vCPU go on; it may come without need. */
static void wakeup_interrupt(uint32_t intid, void *context)
{
	struct vmm_vcpu *vcpu = context;

	(void)intid;
	vcpu->awake = true;
	vcpu->count.wakeups++;
}

static void take_vcpu(struct vmm *vmm, const struct rm_resource *resource)
{
	struct vmm_vcpu *vcpu;

	if (vmm->vcpu_count == VMM_VCPUS_MAX)
		return;
	vcpu = &vmm->vcpus[vmm->vcpu_count++];
	*vcpu = (struct vmm_vcpu){
		.vmm = vmm,
		.index = resource->label,
		.cap = rm_resource_cap(resource),
		.wakeup_virq = resource->virq,
		.awake = true,
	};
	if (vcpu->wakeup_virq != 0 && vcpu->wakeup_virq != VIRQ_NONE)
		gic_connect(vcpu->wakeup_virq, GIC_EDGE, "vCPU wake-up", wakeup_interrupt, vcpu);
}

static void take_resources(struct vmm *vmm, const struct rm_resource_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct rm_resource *resource = &list->entries[i];

		if (resource->type == RM_RESOURCE_VCPU)
			take_vcpu(vmm, resource);
		if (resource->type == RM_RESOURCE_DOORBELL_TX && vmm->line_count < VMM_LINES_MAX)
			vmm->lines[vmm->line_count++] = (struct vmm_line){ .label = resource->label, .doorbell = rm_resource_cap(resource) };
	}
}

enum rm_error vmm_configure(struct vmm *vmm, struct rm_image *image)
{
	static struct rm_resource_list resources;
	enum rm_error error;

	if (vmm->parcel_count == 0)
		return RM_MEM_INVALID;
	image->handle = vmm->parcels[0];
	error = rm_vm_config_image(vmm->rm, vmm->vmid, image);
	if (error != RM_OK)
		return error;
	vmm->configured = true;
	error = rm_vm_init(vmm->rm, vmm->vmid);
	if (error == RM_OK)
		error = rm_get_resources(vmm->rm, vmm->vmid, &resources);
	if (error == RM_OK)
		take_resources(vmm, &resources);
	return error;
}

enum rm_error vmm_start(struct vmm *vmm)
{
	return rm_vm_start(vmm->rm, vmm->vmid);
}

struct vmm_device *vmm_add_device(struct vmm *vmm, const struct vmm_device *device)
{
	if (vmm->device_count == VMM_DEVICES_MAX)
		return NULL;
	vmm->devices[vmm->device_count] = *device;
	return &vmm->devices[vmm->device_count++];
}

struct vmm_event *vmm_add_event(struct vmm *vmm, const struct vmm_event *event)
{
	if (vmm->event_count == VMM_EVENTS_MAX)
		return NULL;
	vmm->events[vmm->event_count] = *event;
	return &vmm->events[vmm->event_count++];
}

/* ---- Interrupts into the guest ---- */

static struct vmm_line *find_line(struct vmm *vmm, uint32_t label)
{
	for (uint32_t i = 0; i < vmm->line_count; i++) {
		if (vmm->lines[i].label == label)
			return &vmm->lines[i];
	}
	return NULL;
}

enum gunyah_error vmm_raise(struct vmm *vmm, uint32_t label)
{
	struct vmm_line *line = find_line(vmm, label);

	if (line == NULL)
		return GUNYAH_ARGUMENT_INVALID;
	line->raised++;
	return gunyah_doorbell_send(line->doorbell, VMM_LINE_FLAG, NULL);
}

enum gunyah_error vmm_make_level(struct vmm *vmm, uint32_t label)
{
	struct vmm_line *line = find_line(vmm, label);

	return line == NULL ? GUNYAH_ARGUMENT_INVALID : gunyah_doorbell_mask(line->doorbell, VMM_LINE_FLAG, VMM_LINE_FLAG);
}

/* ---- What RM says meanwhile ---- */

/* Takes what RM has sent. True if it was about this VM. */
static bool take_notifications(struct vmm *vmm)
{
	struct rm_notification notification;
	bool changed = false;

	while (rm_try_next_notification(vmm->rm, &notification)) {
		if (notification.id == RM_VM_STATUS && notification.u.status.vmid == vmm->vmid) {
			vmm->state = (enum rm_vm_state)notification.u.status.vm_state;
			changed = true;
		} else if (notification.id == RM_VM_EXITED && notification.u.exited.vmid == vmm->vmid) {
			vmm->exited = true;
			vmm->exit_type = (enum rm_exit_type)notification.u.exited.exit_type;
			memcpy(vmm->exit_reason, notification.u.exited.reason, sizeof(vmm->exit_reason));
			changed = true;
		} else if (notification.id == RM_MEM_RELEASED_BY && notification.u.memory.vmid == vmm->vmid) {
			vmm->parcels_released++;
		}
	}
	return changed;
}

static bool any_awake(const struct vmm *vmm)
{
	for (uint32_t i = 0; i < vmm->vcpu_count; i++) {
		if (vmm->vcpus[i].awake)
			return true;
	}
	return false;
}

void vmm_wait(struct vmm *vmm)
{
	uint64_t daif = irq_mask();

	while (!take_notifications(vmm) && !any_awake(vmm))
		cpu_wait_for_interrupt();
	irq_restore(daif);
}

/* Waits for something that only RM can say. */
static void wait_for_state(struct vmm *vmm, enum rm_vm_state state)
{
	uint64_t daif = irq_mask();

	while (vmm->state != state) {
		if (!take_notifications(vmm))
			cpu_wait_for_interrupt();
	}
	irq_restore(daif);
}

/* ---- Running vCPUs ---- */

static bool event_matches(const struct vmm_event *event, uint64_t address, uint32_t size, uint64_t value)
{
	return event->address == address && (event->size == 0 || event->size == size) &&
	       (!event->match_value || event->value == value);
}

static struct vmm_device *find_device(struct vmm *vmm, uint64_t address, uint32_t size)
{
	for (uint32_t i = 0; i < vmm->device_count; i++) {
		struct vmm_device *device = &vmm->devices[i];

		if (address >= device->base && address - device->base + size <= device->size)
			return device;
	}
	vmm->unclaimed_accesses++;
	return NULL;
}

/* Where there is nothing, loads answer all ones, as on many a bus. */
static uint64_t emulate_read(struct vmm *vmm, uint64_t address, uint32_t size)
{
	struct vmm_device *device = find_device(vmm, address, size);
	uint64_t mask = size >= 8 ? ~0UL : (1UL << (8 * size)) - 1;

	return (device == NULL ? ~0UL : device->read(device->context, address - device->base, size)) & mask;
}

static void emulate_write(struct vmm *vmm, uint64_t address, uint32_t size, uint64_t value)
{
	struct vmm_device *device;

	for (uint32_t i = 0; i < vmm->event_count; i++) {
		if (event_matches(&vmm->events[i], address, size, value)) {
			vmm->events[i].signalled++;
			return;
		}
	}
	device = find_device(vmm, address, size);
	if (device != NULL)
		device->write(device->context, address - device->base, size, value);
}

/* Lends this CPU to one vCPU and serves what it stopped for. False: vcpu_run refused. */
static bool run_vcpu(struct vmm *vmm, struct vmm_vcpu *vcpu)
{
	struct gunyah_vcpu_run_result result;

	/* Before the call: a wake-up during it must not be forgotten. */
	vcpu->awake = false;
	vcpu->count.runs++;
	result = gunyah_vcpu_run(vcpu->cap, vcpu->resume);
	memset(vcpu->resume, 0, sizeof(vcpu->resume));
	if (result.error == GUNYAH_RETRY) {
		vcpu->awake = true;
		return true;
	}
	if (result.error != GUNYAH_OK)
		return false;

	switch (result.state) {
	case GUNYAH_VCPU_READY:
		vcpu->count.ready++;
		vcpu->awake = true;
		break;
	case GUNYAH_VCPU_EXPECTS_WAKEUP:
		vcpu->count.waits++;
		break;
	case GUNYAH_VCPU_POWERED_OFF:
		vcpu->count.off++;
		break;
	case GUNYAH_VCPU_BLOCKED:
		vcpu->count.blocked++;
		gunyah_scheduler_yield(GUNYAH_YIELD, 0);
		vcpu->awake = true;
		break;
	case GUNYAH_VCPU_ADDRSPACE_VMMIO_READ:
		vcpu->count.reads++;
		vcpu->resume[0] = emulate_read(vmm, result.data[0], (uint32_t)result.data[1]);
		vcpu->awake = true;
		break;
	case GUNYAH_VCPU_ADDRSPACE_VMMIO_WRITE:
		vcpu->count.writes++;
		emulate_write(vmm, result.data[0], (uint32_t)result.data[1], result.data[2]);
		vcpu->awake = true;
		break;
	case GUNYAH_VCPU_FAULT:
		/* RM has heard of it too and ends the VM. */
		vcpu->count.faults++;
		break;
	case GUNYAH_VCPU_PSCI_SYSTEM_RESET:
		vcpu->count.resets++;
		break;
	}
	return true;
}

enum vmm_outcome vmm_run(struct vmm *vmm)
{
	while (!vmm->exited && any_awake(vmm) && !vmm->pause_requested) {
		for (uint32_t i = 0; i < vmm->vcpu_count; i++) {
			if (vmm->vcpus[i].awake && !run_vcpu(vmm, &vmm->vcpus[i]))
				return VMM_FAILED;
		}
		take_notifications(vmm);
	}
	if (vmm->exited)
		return VMM_EXITED;
	if (vmm->pause_requested) {
		vmm->pause_requested = false;
		return VMM_PAUSED;
	}
	return VMM_WAITING;
}

/* ---- The end ---- */

enum rm_error vmm_stop(struct vmm *vmm, uint32_t reason)
{
	enum rm_error error = rm_vm_stop(vmm->rm, vmm->vmid, RM_STOP_FORCE, reason);
	uint64_t daif;

	if (error != RM_OK)
		return error;
	daif = irq_mask();
	while (!vmm->exited) {
		if (!take_notifications(vmm))
			cpu_wait_for_interrupt();
	}
	irq_restore(daif);
	return RM_OK;
}

static enum rm_error reclaim_all(struct vmm *vmm)
{
	enum rm_error first = RM_OK;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < vmm->parcel_count; i++) {
		enum rm_error error = rm_mem_reclaim(vmm->rm, vmm->parcels[i], 0);

		if (error != RM_OK)
			vmm->parcels[kept++] = vmm->parcels[i];
		if (first == RM_OK)
			first = error;
	}
	vmm->parcel_count = kept;
	return first;
}

/*
 * A VM that was never configured has nothing to reset; asking for it ends the real Resource Manager, also after a request to configure
 * it that failed. Such a VM cannot be given back either.
 */
static bool needs_reset(const struct vmm *vmm)
{
	return vmm->configured && (vmm->state == RM_VM_HAS_EXITED || vmm->state == RM_VM_READY || vmm->state == RM_VM_INIT_FAILED);
}

enum rm_error vmm_destroy(struct vmm *vmm)
{
	enum rm_error error;

	for (uint32_t i = 0; i < vmm->vcpu_count; i++) {
		if (vmm->vcpus[i].wakeup_virq != 0 && vmm->vcpus[i].wakeup_virq != VIRQ_NONE)
			gic_disable(vmm->vcpus[i].wakeup_virq);
	}
	take_notifications(vmm);
	if (vmm->state == RM_VM_RUNNING) {
		error = vmm_stop(vmm, RM_STOP_REASON_CLOSED);
		take_notifications(vmm);
		/* It may have ended by itself just before. */
		if (vmm->state == RM_VM_RUNNING)
			return error;
	}
	/* The Resource Manager lets go of what it has configured only after an attempt to make a VM of it. */
	if (vmm->configured && vmm->state == RM_VM_INITIAL) {
		rm_vm_init(vmm->rm, vmm->vmid);
		take_notifications(vmm);
	}
	if (needs_reset(vmm)) {
		error = rm_vm_reset(vmm->rm, vmm->vmid);
		if (error != RM_OK)
			return error;
		wait_for_state(vmm, RM_VM_RESET_DONE);
	}
	error = reclaim_all(vmm);
	return error == RM_OK ? rm_vm_deallocate(vmm->rm, vmm->vmid) : error;
}

/**
 * Events that a function breakpoint can name, for the quick pick of "Add Hypercall Breakpoint…".
 *
 * The extension imports nothing of the runtime, so the names stand here again; a test compares them with the runtime's tables.
 */

/** Hypercalls by the names of the Gunyah API. */
export const HYPERCALL_NAMES: readonly string[] = [
  'addrspace_attach_thread', 'addrspace_attach_vdevice', 'addrspace_attach_vdma', 'addrspace_configure', 'addrspace_configure_info_area',
  'addrspace_configure_vmmio', 'addrspace_lookup', 'addrspace_map', 'addrspace_unmap', 'addrspace_update_access', 'cspace_attach_thread',
  'cspace_configure', 'cspace_copy_cap_from', 'cspace_delete_cap_from', 'cspace_revoke_cap_from', 'cspace_revoke_caps_from',
  'doorbell_bind_virq', 'doorbell_mask', 'doorbell_receive', 'doorbell_reset', 'doorbell_send', 'doorbell_unbind_virq',
  'hwirq_bind_virq', 'hwirq_unbind_virq', 'hypervisor_identify', 'memextent_configure', 'memextent_configure_derive', 'memextent_donate',
  'memextent_modify', 'msgqueue_bind_receive_virq', 'msgqueue_bind_send_virq', 'msgqueue_configure', 'msgqueue_configure_receive',
  'msgqueue_configure_send', 'msgqueue_flush', 'msgqueue_receive', 'msgqueue_send', 'msgqueue_unbind_receive_virq',
  'msgqueue_unbind_send_virq', 'object_activate', 'object_activate_from', 'object_reset', 'object_reset_from',
  'partition_create_addrspace', 'partition_create_cspace', 'partition_create_doorbell', 'partition_create_memextent',
  'partition_create_msgqueue', 'partition_create_partition', 'partition_create_thread', 'partition_create_vic',
  'partition_create_virtio_mmio', 'partition_create_vpm_group', 'partition_create_vrtc', 'partition_create_watchdog', 'prng_get_entropy',
  'scheduler_yield', 'trace_update_class_flags', 'vcpu_bind_virq', 'vcpu_configure', 'vcpu_kill', 'vcpu_poweroff', 'vcpu_poweron',
  'vcpu_register_write', 'vcpu_run', 'vcpu_run_check', 'vcpu_set_affinity', 'vcpu_set_priority', 'vcpu_set_timeslice',
  'vcpu_unbind_virq', 'vgic_set_mpidr_mapping', 'vic_attach_vcpu', 'vic_bind_msi_source', 'vic_configure', 'virtio_input_configure',
  'virtio_input_set_data', 'virtio_mmio_backend_acknowledge_reset', 'virtio_mmio_backend_assert_virq', 'virtio_mmio_backend_bind_virq',
  'virtio_mmio_backend_get_drv_features', 'virtio_mmio_backend_get_notification', 'virtio_mmio_backend_get_queue_info',
  'virtio_mmio_backend_set_dev_features', 'virtio_mmio_backend_set_queue_num_max', 'virtio_mmio_backend_unbind_virq',
  'virtio_mmio_backend_update_status', 'virtio_mmio_configure', 'virtio_mmio_frontend_bind_virq', 'virtio_mmio_frontend_unbind_virq',
  'vpm_group_attach_vcpu', 'vpm_group_bind_virq', 'vpm_group_configure', 'vpm_group_get_state', 'vpm_group_unbind_virq',
  'vrtc_attach_addrspace', 'vrtc_configure', 'vrtc_set_time_base', 'watchdog_attach_vcpu', 'watchdog_bind_virq', 'watchdog_configure',
  'watchdog_manage', 'watchdog_unbind_virq',
];

/** Requests of the Resource Manager. */
export const RM_REQUEST_NAMES: readonly string[] = [
  'CONSOLE_CLOSE', 'CONSOLE_FLUSH', 'CONSOLE_OPEN', 'CONSOLE_WRITE', 'FW_MILESTONE', 'FW_SET_VM_FIRMWARE', 'HOST_GET_TYPE',
  'IPA_RESERVE', 'IPA_UNRESERVE', 'MEM_ACCEPT', 'MEM_APPEND', 'MEM_DONATE', 'MEM_LEND', 'MEM_NOTIFY', 'MEM_QCOM_LOOKUP_SGL',
  'MEM_RECLAIM', 'MEM_RELEASE', 'MEM_SHARE', 'VM_ALLOCATE', 'VM_AUTH_IMAGE', 'VM_CONFIG_IMAGE', 'VM_DEALLOCATE', 'VM_EXIT',
  'VM_GET_CRASH_MSG', 'VM_GET_HYP_CAPIDS', 'VM_GET_HYP_IRQS', 'VM_GET_HYP_RESOURCES', 'VM_GET_ID', 'VM_GET_OWNER', 'VM_GET_PEERS',
  'VM_GET_STATE', 'VM_GET_VMID', 'VM_INIT', 'VM_IRQ_ACCEPT', 'VM_IRQ_LEND', 'VM_IRQ_NOTIFY', 'VM_IRQ_RECLAIM', 'VM_IRQ_RELEASE',
  'VM_IRQ_UNMAP', 'VM_LOOKUP_GUID', 'VM_LOOKUP_NAME', 'VM_LOOKUP_URI', 'VM_RESET', 'VM_SET_ADDRESS_LAYOUT', 'VM_SET_BOOT_CONTEXT',
  'VM_SET_CRASH_MSG', 'VM_SET_DEMAND_PAGING', 'VM_SET_FIRMWARE_MEM', 'VM_SET_STATUS', 'VM_SET_TIME_BASE', 'VM_START', 'VM_STOP',
];

/** Notifications of the Resource Manager. */
export const RM_NOTIFICATION_NAMES: readonly string[] = [
  'CONSOLE_CHARS', 'MEM_ACCEPTED', 'MEM_RECALL', 'MEM_RELEASED', 'MEM_SHARED', 'VM_EXITED', 'VM_IRQ_ACCEPTED', 'VM_IRQ_LENT',
  'VM_IRQ_RELEASED', 'VM_SHUTDOWN', 'VM_STATUS',
];

/** Functions of PSCI, those that KVM alone answers among them. */
export const PSCI_FUNCTION_NAMES: readonly string[] = [
  'AFFINITY_INFO', 'CPU_DEFAULT_SUSPEND', 'CPU_OFF', 'CPU_ON', 'CPU_SUSPEND', 'MIGRATE_INFO_TYPE', 'PSCI_FEATURES', 'PSCI_SET_SUSPEND_MODE', 'PSCI_VERSION',
  'SYSTEM_OFF', 'SYSTEM_OFF2', 'SYSTEM_RESET', 'SYSTEM_RESET2',
];

/** Firmware services other than PSCI. */
export const SERVICE_NAMES: readonly string[] = [
  'KVM_FEATURES', 'KVM_PTP', 'PV_TIME_FEATURES', 'PV_TIME_ST', 'SMCCC_ARCH_FEATURES', 'SMCCC_VERSION', 'STD_HYP_CALL_UID', 'STD_HYP_REVISION', 'TRNG_FEATURES',
  'TRNG_GET_UUID', 'TRNG_RND', 'TRNG_VERSION', 'VENDOR_HYP_CALL_UID', 'VENDOR_HYP_REVISION',
];

/** Kinds of events in the trace, with what they say. */
export const EVENT_KIND_WORDS: Readonly<Record<string, string>> = {
  'hypercall': 'any hypercall, entered or returned', 'hypercall-unknown': 'a call that the hypervisor does not have', 'psci': 'any PSCI call', 'smccc': 'any firmware service',
  'message': 'a message enters or leaves a queue', 'virq': 'a virtual interrupt is asserted, cleared, taken or ended', 'exception': 'a guest takes an exception',
  'stage2-fault': 'a guest touches memory that it does not have', 'memory': 'memory is mapped, unmapped, derived or donated', 'vm-state': 'a virtual machine changes its state',
  'vcpu-state': 'a vCPU changes its state', 'rm-request': 'any request to the Resource Manager', 'rm-reply': 'the Resource Manager answers', 'rm-notification': 'any notification of the Resource Manager',
  'console': 'a line on a console', 'report': 'a report about a guest\'s mistake',
};

/** One line of the quick pick. */
export interface EventChoice { readonly name: string; readonly description: string }

/** A heading and the lines below it. */
export interface EventGroup { readonly title: string; readonly choices: readonly EventChoice[] }

const choices = (prefix: string, names: readonly string[], description: string): EventChoice[] =>
  names.map((name) => ({ name: `${prefix}:${name}`, description }));

/** Every event worth offering, most used first. */
export const EVENT_GROUPS: readonly EventGroup[] = [
  {
    title: 'All of a kind',
    choices: [
      { name: 'hvc:*', description: 'every hypercall, before it takes effect' },
      { name: 'hvc-return:*', description: 'every return from a hypercall, with its results' },
      { name: 'hvc:msgqueue_*', description: 'every message queue hypercall' },
      { name: 'rm:*', description: 'every request that reaches the Resource Manager' },
      { name: 'rm-notify:*', description: 'every notification that the Resource Manager sends' },
      { name: 'psci:*', description: 'every PSCI call' },
      { name: 'smccc:*', description: 'every firmware-style call, PSCI among them' },
      { name: 'virq:*', description: 'every virtual interrupt that a vCPU takes' },
      { name: 'vm:start', description: 'a virtual machine starts' },
      { name: 'vm:exit', description: 'a virtual machine ends' },
      { name: 'vm:reset', description: 'a virtual machine is reset' },
      { name: 'vm:*', description: 'a virtual machine starts, ends or is reset' },
    ],
  },
  { title: 'Hypercalls', choices: choices('hvc', HYPERCALL_NAMES, 'on entry') },
  { title: 'Returns from hypercalls', choices: choices('hvc-return', HYPERCALL_NAMES, 'with its results') },
  { title: 'Resource Manager requests', choices: choices('rm', RM_REQUEST_NAMES, 'on arrival') },
  { title: 'Resource Manager notifications', choices: choices('rm-notify', RM_NOTIFICATION_NAMES, 'when sent') },
  {
    title: 'PSCI',
    choices: choices('psci', PSCI_FUNCTION_NAMES, 'on entry'),
  },
  { title: 'Firmware services', choices: choices('smccc', SERVICE_NAMES, 'on entry') },
  { title: 'Kinds of events, as the trace has them', choices: Object.entries(EVENT_KIND_WORDS).map(([kind, description]) => ({ name: `event:${kind}`, description })) },
];

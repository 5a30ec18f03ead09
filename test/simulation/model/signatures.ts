/**
 * The calls that the model knows: number, argument registers, reserved value, result registers. Written from the published list of calls,
 * on purpose not from the table of the implementation.
 */

/** Error codes by name. */
export const E = {
  UNIMPLEMENTED: -1, OK: 0, ARGUMENT_INVALID: 1, ARGUMENT_SIZE: 2, ARGUMENT_ALIGNMENT: 3, ADDR_OVERFLOW: 20, ADDR_INVALID: 22, DENIED: 30, BUSY: 31, OBJECT_STATE: 33, OBJECT_CONFIG: 34, FAILURE: 36, NOMEM: 10, NORESOURCES: 11, IDLE: 32,
  VIRQ_BOUND: 40, VIRQ_NOT_BOUND: 41, CAP_NULL: 50, CAP_REVOKED: 51, WRONG_TYPE: 52, RIGHTS: 53, CSPACE_FULL: 54, MSGQUEUE_EMPTY: 60, MSGQUEUE_FULL: 61, NOT_OWNER: 111, MAPPINGS_FULL: 120, MEMEXTENT_TYPE: 121,
} as const;

/** Names of arguments. */
export type ArgumentName = 'partition' | 'cspace' | 'cap' | 'src_cspace' | 'src_cap' | 'dest_cspace' | 'rights_mask' | 'max_caps' | 'doorbell' | 'msgqueue' | 'vic' | 'virq' | 'new_flags' | 'clear_flags'
  | 'enable_mask' | 'ack_mask' | 'size' | 'data' | 'send_flags' | 'buffer' | 'buf_size' | 'threshold' | 'holdoff' | 'create_info' | 'max_vcpus' | 'max_virqs' | 'options' | 'max_msis' | 'addrspace'
  | 'memextent' | 'vbase' | 'attrs' | 'flags' | 'offset' | 'vmid' | 'base' | 'attributes' | 'parent' | 'op' | 'from' | 'to'
  | 'thread' | 'vcpu' | 'vpm_group' | 'index' | 'vcpu_options' | 'affinity' | 'priority' | 'timeslice' | 'entry_point' | 'context' | 'virq_type' | 'register_set' | 'register_index' | 'value' | 'set_flags' | 'resume'
  | 'virtio_mmio' | 'vqs_num' | 'device_type' | 'interrupt_status' | 'sel' | 'subsel' | 'dev_feat' | 'queue_num_max' | 'devids' | 'prop_bits' | 'num_evtypes' | 'num_absaxes' | 'hwirq' | 'vdevice' | 'info_area_me' | 'ipa'
  | 'mask' | 'aff0' | 'aff1' | 'aff2' | 'aff3' | 'mt' | 'watchdog';
/** An argument: its name, and its width where only low bits count. */
export type Input = readonly [name: ArgumentName, bits: number];
/** One call. `reserved` is the value that the last argument must have on the native path. */
export interface Signature { readonly number: number; readonly inputs: readonly Input[]; readonly reserved?: bigint; /** The build has no such call. */ readonly isAbsent?: true; readonly outputs: readonly string[] }

const cap = (name: ArgumentName): Input => [name, 64];
const word = (name: ArgumentName): Input => [name, 64];
const half = (name: ArgumentName): Input => [name, 32];
const ONES = 0xffff_ffff_ffff_ffffn;
const create = (number: number): Signature => ({ number, inputs: [cap('partition'), cap('cspace')], reserved: 0n, outputs: ['new_cap'] });
const bind = (number: number, object: 'doorbell' | 'msgqueue' | 'virtio_mmio' | 'hwirq'): Signature => ({ number, inputs: [cap(object), cap('vic'), half('virq')], reserved: 0n, outputs: [] });
const plain = (number: number, ...inputs: readonly Input[]): Signature => ({ number, inputs, reserved: 0n, outputs: [] });

const absent = (number: number, ...inputs: readonly Input[]): Signature => ({ number, inputs, isAbsent: true, outputs: [] });

/** Every modelled call. */
export const SIGNATURES = {
  partition_create_cspace: create(0x02),
  partition_create_addrspace: create(0x03),
  partition_create_memextent: create(0x04),
  partition_create_doorbell: create(0x06),
  partition_create_msgqueue: create(0x07),
  partition_create_vic: create(0x0a),
  object_activate: plain(0x0c, cap('cap')),
  object_activate_from: plain(0x0d, cap('cspace'), cap('cap')),
  doorbell_bind_virq: bind(0x10, 'doorbell'),
  doorbell_unbind_virq: plain(0x11, cap('doorbell')),
  doorbell_send: { number: 0x12, inputs: [cap('doorbell'), word('new_flags')], reserved: 0n, outputs: ['old_flags'] },
  doorbell_receive: { number: 0x13, inputs: [cap('doorbell'), word('clear_flags')], reserved: 0n, outputs: ['old_flags'] },
  doorbell_reset: plain(0x14, cap('doorbell')),
  doorbell_mask: plain(0x15, cap('doorbell'), word('enable_mask'), word('ack_mask')),
  msgqueue_bind_send_virq: bind(0x17, 'msgqueue'),
  msgqueue_bind_receive_virq: bind(0x18, 'msgqueue'),
  msgqueue_unbind_send_virq: plain(0x19, cap('msgqueue')),
  msgqueue_unbind_receive_virq: plain(0x1a, cap('msgqueue')),
  msgqueue_send: { number: 0x1b, inputs: [cap('msgqueue'), word('size'), word('data'), half('send_flags')], reserved: 0n, outputs: ['not_full'] },
  msgqueue_receive: { number: 0x1c, inputs: [cap('msgqueue'), word('buffer'), word('buf_size')], reserved: 0n, outputs: ['size', 'not_empty'] },
  msgqueue_flush: plain(0x1d, cap('msgqueue')),
  msgqueue_configure_send: { number: 0x1f, inputs: [cap('msgqueue'), half('threshold'), half('holdoff')], reserved: ONES, outputs: [] },
  msgqueue_configure_receive: { number: 0x20, inputs: [cap('msgqueue'), half('threshold'), half('holdoff')], reserved: ONES, outputs: [] },
  msgqueue_configure: plain(0x21, cap('msgqueue'), word('create_info')),
  cspace_delete_cap_from: plain(0x22, cap('cspace'), cap('cap')),
  cspace_copy_cap_from: { number: 0x23, inputs: [cap('src_cspace'), cap('src_cap'), cap('dest_cspace'), half('rights_mask')], reserved: 0n, outputs: ['new_cap'] },
  cspace_revoke_cap_from: plain(0x24, cap('cspace'), cap('cap')),
  cspace_configure: plain(0x25, cap('cspace'), half('max_caps')),
  vic_configure: { number: 0x28, inputs: [cap('vic'), half('max_vcpus'), half('max_virqs'), word('options'), half('max_msis')], outputs: [] },
  addrspace_map: { number: 0x2b, inputs: [cap('addrspace'), cap('memextent'), word('vbase'), half('attrs'), half('flags'), word('offset'), word('size')], outputs: [] },
  addrspace_unmap: { number: 0x2c, inputs: [cap('addrspace'), cap('memextent'), word('vbase'), half('flags'), word('offset'), word('size')], outputs: [] },
  addrspace_update_access: { number: 0x2d, inputs: [cap('addrspace'), cap('memextent'), word('vbase'), half('attrs'), half('flags'), word('offset'), word('size')], outputs: [] },
  addrspace_configure: plain(0x2e, cap('addrspace'), ['vmid', 16]),
  memextent_modify: { number: 0x30, inputs: [cap('memextent'), half('flags'), word('offset'), word('size')], outputs: [] },
  memextent_configure: plain(0x31, cap('memextent'), word('base'), word('size'), half('attributes')),
  memextent_configure_derive: plain(0x32, cap('memextent'), cap('parent'), word('offset'), word('size'), half('attributes')),
  cspace_revoke_caps_from: plain(0x59, cap('cspace'), cap('cap')),
  addrspace_lookup: { number: 0x5a, inputs: [cap('addrspace'), cap('memextent'), word('vbase'), word('size')], reserved: 0n, outputs: ['offset', 'size', 'map_attrs'] },
  addrspace_configure_vmmio: plain(0x60, cap('addrspace'), word('vbase'), word('size'), half('op')),
  partition_create_thread: create(0x05),
  partition_create_vpm_group: create(0x0b),
  vic_attach_vcpu: plain(0x29, cap('vic'), cap('vcpu'), half('index')),
  addrspace_attach_thread: plain(0x2a, cap('addrspace'), cap('thread')),
  vcpu_configure: plain(0x34, cap('vcpu'), word('vcpu_options')),
  vcpu_poweron: { number: 0x38, inputs: [cap('vcpu'), word('entry_point'), word('context'), word('flags')], outputs: [] },
  vcpu_poweroff: { number: 0x39, inputs: [cap('vcpu'), word('flags')], outputs: [] },
  vcpu_kill: plain(0x3a, cap('vcpu')),
  vpm_group_attach_vcpu: plain(0x3c, cap('vpm_group'), cap('vcpu'), half('index')),
  vcpu_set_affinity: { number: 0x3d, inputs: [cap('vcpu'), ['affinity', 16]], reserved: ONES, outputs: [] },
  cspace_attach_thread: plain(0x3e, cap('cspace'), cap('thread')),
  trace_update_class_flags: { number: 0x3f, inputs: [word('set_flags'), word('clear_flags')], reserved: 0n, outputs: ['flags'] },
  vpm_group_bind_virq: plain(0x43, cap('vpm_group'), cap('vic'), half('virq')),
  vpm_group_unbind_virq: plain(0x44, cap('vpm_group')),
  vpm_group_get_state: { number: 0x45, inputs: [cap('vpm_group')], reserved: 0n, outputs: ['vpm_state'] },
  vcpu_set_priority: { number: 0x46, inputs: [cap('vcpu'), half('priority')], outputs: [] },
  vcpu_set_timeslice: { number: 0x47, inputs: [cap('vcpu'), word('timeslice')], outputs: [] },
  vcpu_bind_virq: plain(0x5c, cap('vcpu'), cap('vic'), half('virq'), half('virq_type')),
  vcpu_unbind_virq: plain(0x5d, cap('vcpu'), half('virq_type')),
  vcpu_register_write: plain(0x64, cap('vcpu'), half('register_set'), half('register_index'), word('value')),
  vcpu_run: { number: 0x65, inputs: [cap('vcpu'), word('resume'), word('resume'), word('resume')], reserved: 0n, outputs: ['vcpu_state', 'state_data_0', 'state_data_1', 'state_data_2'] },
  vpm_group_configure: plain(0x66, cap('vpm_group'), word('flags')),
  vcpu_run_check: { number: 0x68, inputs: [cap('vcpu')], reserved: 0n, outputs: ['vcpu_state', 'state_data_0', 'state_data_1', 'state_data_2'] },
  partition_create_virtio_mmio: create(0x48),
  virtio_mmio_configure: { number: 0x49, inputs: [cap('virtio_mmio'), cap('memextent'), half('vqs_num'), word('flags'), half('device_type')], outputs: [] },
  virtio_mmio_backend_bind_virq: bind(0x4a, 'virtio_mmio'),
  virtio_mmio_backend_unbind_virq: plain(0x4b, cap('virtio_mmio')),
  virtio_mmio_frontend_bind_virq: bind(0x4c, 'virtio_mmio'),
  virtio_mmio_frontend_unbind_virq: plain(0x4d, cap('virtio_mmio')),
  virtio_mmio_backend_assert_virq: plain(0x4e, cap('virtio_mmio'), half('interrupt_status')),
  virtio_mmio_backend_set_dev_features: plain(0x4f, cap('virtio_mmio'), half('sel'), half('dev_feat')),
  virtio_mmio_backend_set_queue_num_max: plain(0x50, cap('virtio_mmio'), half('sel'), half('queue_num_max')),
  virtio_mmio_backend_get_drv_features: { number: 0x51, inputs: [cap('virtio_mmio'), half('sel')], reserved: 0n, outputs: ['drv_feat'] },
  virtio_mmio_backend_get_queue_info: { number: 0x52, inputs: [cap('virtio_mmio'), half('sel')], reserved: 0n, outputs: ['queue_num', 'queue_ready', 'queue_desc', 'queue_drv', 'queue_dev'] },
  virtio_mmio_backend_get_notification: { number: 0x53, inputs: [cap('virtio_mmio')], reserved: 0n, outputs: ['vqs_bitmap', 'reason'] },
  virtio_mmio_backend_acknowledge_reset: plain(0x54, cap('virtio_mmio')),
  virtio_mmio_backend_update_status: plain(0x55, cap('virtio_mmio'), half('value')),
  virtio_input_configure: plain(0x5e, cap('virtio_mmio'), word('devids'), half('prop_bits'), half('num_evtypes'), half('num_absaxes')),
  virtio_input_set_data: plain(0x5f, cap('virtio_mmio'), half('sel'), half('subsel'), half('size'), word('data')),
  hwirq_bind_virq: bind(0x26, 'hwirq'),
  hwirq_unbind_virq: plain(0x27, cap('hwirq')),
  addrspace_attach_vdevice: { number: 0x62, inputs: [cap('addrspace'), cap('vdevice'), half('index'), word('vbase'), word('size'), word('flags')], outputs: [] },
  addrspace_configure_info_area: plain(0x5b, cap('addrspace'), cap('info_area_me'), word('ipa')),
  vgic_set_mpidr_mapping: { number: 0x67, inputs: [cap('vic'), word('mask'), half('aff0'), half('aff1'), half('aff2'), half('aff3'), half('mt')], outputs: [] },
  partition_create_watchdog: absent(0x09, cap('partition'), cap('cspace')),
  watchdog_attach_vcpu: absent(0x40, cap('watchdog'), cap('vcpu')),
  watchdog_bind_virq: absent(0x41, cap('watchdog'), cap('vic'), half('virq'), word('flags')),
  watchdog_unbind_virq: absent(0x42, cap('watchdog'), word('flags')),
  watchdog_configure: absent(0x58, cap('watchdog'), word('options')),
  watchdog_manage: absent(0x63, cap('watchdog'), word('op')),
  memextent_donate: plain(0x61, half('options'), cap('from'), cap('to'), word('offset'), word('size')),
} as const satisfies Record<string, Signature>;

/** Name of a modelled call. */
export type CallName = keyof typeof SIGNATURES;
/** Every name. */
export const CALL_NAMES = Object.keys(SIGNATURES) as CallName[];

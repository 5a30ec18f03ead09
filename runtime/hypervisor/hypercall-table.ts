/**
 * Every hypercall of the Gunyah API as data: numbers, arguments, results, needed rights, documented errors.
 *
 * One row serves the register decoder, the capability checks, the trace text, the reference page and the test that each row
 * has a test. Rows without a handler answer UNIMPLEMENTED and stand in the ledger. Names are the API's own spelling.
 * Types are derived at the end of the file; `hypercalls.ts` implements the calls.
 */

import type { CapId } from '../base/brands';
import type { ErrorName } from './errors';

/** Object types a capability can name. */
export type ObjectType =
  | 'partition' | 'cspace' | 'addrspace' | 'memextent' | 'thread' | 'doorbell' | 'msgqueue' | 'vic' | 'hwirq' | 'vpm_group' | 'virtio_mmio'
  | 'watchdog' | 'vrtc';

/** Argument and result types of the API (Gunyah API: types). Those of at most 32 bits are numbers, others bigints. */
export type ArgumentType = keyof typeof ARGUMENT_TYPES;

/** One argument of a hypercall, in register order (native X0.., SMCCC X1..). */
export interface HypercallInput {
  readonly name: string;
  readonly type: ArgumentType;
  /** The object that a capability argument must name; absent where the call looks it up in its own way. */
  readonly object?: ObjectType;
  /** Rights needed on that object, as a mask (Gunyah API: rights). */
  readonly rights?: number;
  /** Object state needed. */
  readonly state?: 'active' | 'init' | 'init_or_active' | 'any';
  /** A reserved argument must have this value on the native path; not checked on the SMCCC path. */
  readonly mustBe?: bigint;
  readonly note?: string;
}

/** One result of a hypercall, in register order from X0. */
export interface HypercallOutput { readonly name: string; readonly type: ArgumentType; readonly note?: string }

/** One row of the table. */
export interface Hypercall {
  /** Call number n: native `HVC #(0x6000 + n)`, SMCCC `0xC6008000 + n`; null if the open source assigns none. */
  readonly number: number | null;
  /** How the reference build treats the call. */
  readonly status: 'implemented' | 'stub' | 'no_handler' | 'not_in_qemu_build' | 'documented_only' | 'unnumbered';
  readonly summary: string;
  readonly inputs: readonly HypercallInput[];
  readonly outputs: readonly HypercallOutput[];
  readonly errors: readonly ErrorName[];
}

/** Width in bits of each argument type. */
export const ARGUMENT_TYPES = {
  addrspace_attach_vdevice_flags: 64,
  addrspace_map_flags: 32,
  addrspace_vmmio_configure_op: 32,
  bool: 1,
  cap_id_t: 64,
  cap_rights_t: 32,
  count_t: 32,
  cpu_index_t: 16,
  error_t: 32,
  hyp_api_flags0: 64,
  hyp_api_flags1: 64,
  hyp_api_flags2: 64,
  hyp_api_info: 64,
  index_t: 32,
  memextent_access_attrs: 32,
  memextent_attrs: 32,
  memextent_donate_options: 32,
  memextent_mapping_attrs: 32,
  memextent_modify_flags: 32,
  msgqueue_create_info: 64,
  msgqueue_send_flags: 32,
  nanoseconds_t: 64,
  paddr_t: 64,
  priority_t: 32,
  register_t: 64,
  scheduler_yield_control: 32,
  size_t: 64,
  ticks_t: 64,
  uint32: 32,
  uint64: 64,
  uregister: 64,
  user_ptr_t: 64,
  vcpu_option_flags: 64,
  vcpu_poweroff_flags: 64,
  vcpu_poweron_flags: 64,
  vcpu_register_set: 32,
  vcpu_run_state: 32,
  vcpu_virq_type: 32,
  vic_option_flags: 64,
  virq_t: 32,
  virtio_device_type: 32,
  virtio_mmio_notify_reason: 64,
  virtio_option_flags: 64,
  vmaddr_t: 64,
  vmid_t: 16,
  vpm_group_option_flags: 64,
  watchdog_bind_option_flags: 64,
  watchdog_manage_op: 32,
  watchdog_option_flags: 64,
} as const satisfies Record<string, number>;

/** The table, in order of call numbers. */
export const HYPERCALLS = {
  hypervisor_identify: {
    number: 0x0, status: 'implemented',
    summary: 'Returns the API descriptor and three feature words; the only call without an error result and the only one every guest may rely on.',
    inputs: [
    ],
    outputs: [{ name: 'hyp_api_info', type: 'hyp_api_info' }, { name: 'api_flags_0', type: 'hyp_api_flags0' }, { name: 'api_flags_1', type: 'hyp_api_flags1' }, { name: 'api_flags_2', type: 'hyp_api_flags2' }],
    errors: [],
  },
  partition_create_partition: {
    number: 0x1, status: 'stub',
    summary: 'Would allocate a child partition; never implemented in the open tree.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['ARGUMENT_INVALID', 'UNIMPLEMENTED'],
  },
  partition_create_cspace: {
    number: 0x2, status: 'implemented',
    summary: 'Allocates a cspace object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_addrspace: {
    number: 0x3, status: 'implemented',
    summary: 'Allocates a addrspace object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_memextent: {
    number: 0x4, status: 'implemented',
    summary: 'Allocates a memextent object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_thread: {
    number: 0x5, status: 'implemented',
    summary: 'Allocates a thread object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_doorbell: {
    number: 0x6, status: 'implemented',
    summary: 'Allocates a doorbell object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_msgqueue: {
    number: 0x7, status: 'implemented',
    summary: 'Allocates a msgqueue object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_watchdog: {
    number: 0x9, status: 'not_in_qemu_build',
    summary: 'Allocates a watchdog object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL', 'UNIMPLEMENTED'],
  },
  partition_create_vic: {
    number: 0xa, status: 'implemented',
    summary: 'Allocates a vic object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  partition_create_vpm_group: {
    number: 0xb, status: 'implemented',
    summary: 'Allocates a vpm_group object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  object_activate: {
    number: 0xc, status: 'implemented',
    summary: 'Moves an object from INIT to ACTIVE, running all type-specific activation checks; on any failure the object goes to FAILED for good.',
    inputs: [
      { name: 'cap', type: 'cap_id_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'DENIED', 'BUSY', 'OBJECT_STATE', 'OBJECT_CONFIG', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'ADDR_INVALID', 'MEMDB_NOT_OWNER'],
  },
  object_activate_from: {
    number: 0xd, status: 'implemented',
    summary: 'Same as object_activate but the object capability lives in another cspace.',
    inputs: [
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'cap', type: 'cap_id_t', note: 'looked up in the cspace given by X0' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'DENIED', 'BUSY', 'OBJECT_STATE', 'OBJECT_CONFIG', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'ADDR_INVALID', 'MEMDB_NOT_OWNER'],
  },
  object_reset: {
    number: 0xe, status: 'stub',
    summary: 'Would return an object to INIT; stub.',
    inputs: [
      { name: 'cap', type: 'cap_id_t', note: 'not looked up' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['ARGUMENT_INVALID', 'UNIMPLEMENTED'],
  },
  object_reset_from: {
    number: 0xf, status: 'stub',
    summary: 'Would return an object in another cspace to INIT; stub.',
    inputs: [
      { name: 'cspace', type: 'cap_id_t', note: 'not looked up' },
      { name: 'cap', type: 'cap_id_t', note: 'not looked up' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['ARGUMENT_INVALID', 'UNIMPLEMENTED'],
  },
  doorbell_bind_virq: {
    number: 0x10, status: 'implemented',
    summary: 'Attaches the doorbell source to a VIRQ of a VIC (normally the receiver VM).',
    inputs: [
      { name: 'doorbell', type: 'cap_id_t', object: 'doorbell', rights: 0x4, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  doorbell_unbind_virq: {
    number: 0x11, status: 'implemented',
    summary: 'Detaches the VIRQ and waits for in-flight delivery to end; OK also when nothing was bound.',
    inputs: [
      { name: 'doorbell', type: 'cap_id_t', object: 'doorbell', rights: 0x4, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  doorbell_send: {
    number: 0x12, status: 'implemented',
    summary: 'ORs flags in; asserts level if any enabled flag is now set (then removes ack_mask flags), otherwise asserts edge-only.',
    inputs: [
      { name: 'doorbell', type: 'cap_id_t', object: 'doorbell', rights: 0x1, state: 'active' },
      { name: 'new_flags', type: 'uint64', note: 'flags to OR in; 0 is allowed' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'old_flags', type: 'uint64', note: 'flags before the OR' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  doorbell_receive: {
    number: 0x13, status: 'implemented',
    summary: 'Returns all flags and clears the selected ones; the VIRQ drops lazily at the next pending check.',
    inputs: [
      { name: 'doorbell', type: 'cap_id_t', object: 'doorbell', rights: 0x2, state: 'active' },
      { name: 'clear_flags', type: 'uint64', note: 'nonzero' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'old_flags', type: 'uint64', note: 'flags before clearing' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  doorbell_reset: {
    number: 0x14, status: 'implemented',
    summary: 'Clears the VIRQ and flags, restores enable_mask=all-ones and ack_mask=0.',
    inputs: [
      { name: 'doorbell', type: 'cap_id_t', object: 'doorbell', rights: 0x2, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  doorbell_mask: {
    number: 0x15, status: 'implemented',
    summary: 'Replaces both masks and re-evaluates: newly masked -> clear VIRQ; newly enabled -> assert and auto-ack; still enabled -> auto-ack only.',
    inputs: [
      { name: 'doorbell', type: 'cap_id_t', object: 'doorbell', rights: 0x2, state: 'active' },
      { name: 'enable_mask', type: 'uint64' },
      { name: 'ack_mask', type: 'uint64' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  msgqueue_bind_send_virq: {
    number: 0x17, status: 'implemented',
    summary: 'Binds the "not full" (TX) source to a VIRQ of the sender VM.',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x4, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  msgqueue_bind_receive_virq: {
    number: 0x18, status: 'implemented',
    summary: 'Binds the "not empty" (RX) source to a VIRQ of the receiver VM.',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x8, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  msgqueue_unbind_send_virq: {
    number: 0x19, status: 'implemented',
    summary: 'Removes the TX VIRQ binding (OK if none).',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x4, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  msgqueue_unbind_receive_virq: {
    number: 0x1a, status: 'implemented',
    summary: 'Removes the RX VIRQ binding (OK if none).',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x8, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  msgqueue_send: {
    number: 0x1b, status: 'implemented',
    summary: 'Copies one message from guest VA to the tail; asserts RX VIRQ if push is set or count just equals the not-empty threshold.',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x1, state: 'active' },
      { name: 'size', type: 'size_t', note: 'bytes, 1..max_msg_size' },
      { name: 'data', type: 'user_ptr_t', note: 'guest EL1 virtual address' },
      { name: 'send_flags', type: 'msgqueue_send_flags', note: 'bit0 push' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'not_full', type: 'bool', note: '1 when room is left after this message' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MSGQUEUE_FULL'],
  },
  msgqueue_receive: {
    number: 0x1c, status: 'implemented',
    summary: 'Copies the head message to guest VA and dequeues it; asserts TX VIRQ if count just equals the not-full threshold.',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x2, state: 'active' },
      { name: 'buffer', type: 'user_ptr_t', note: 'guest EL1 virtual address' },
      { name: 'buf_size', type: 'size_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'size', type: 'size_t', note: 'bytes delivered' }, { name: 'not_empty', type: 'bool', note: '1 when messages remain' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MSGQUEUE_EMPTY'],
  },
  msgqueue_flush: {
    number: 0x1d, status: 'implemented',
    summary: 'Drops all messages; if the queue was non-empty, asserts the TX VIRQ and clears the RX VIRQ.',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x2, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  msgqueue_configure_send: {
    number: 0x1f, status: 'implemented',
    summary: 'Sets the TX threshold and re-evaluates the TX VIRQ (assert if count <= threshold, else clear).',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x1, state: 'active' },
      { name: 'not_full_thres', type: 'count_t', note: 'new threshold < depth, or 0xffffffff = unchanged' },
      { name: 'not_full_holdoff', type: 'count_t', note: 'must be 0xffffffff' },
      { name: 'res1', type: 'uregister', mustBe: 0xffffffffffffffffn },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  msgqueue_configure_receive: {
    number: 0x20, status: 'implemented',
    summary: 'Sets the RX threshold and re-evaluates the RX VIRQ (assert if count >= threshold, else clear).',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x2, state: 'active' },
      { name: 'not_empty_thres', type: 'count_t', note: '1..depth, 0xfffffffe = depth, 0xffffffff = unchanged' },
      { name: 'not_empty_holdoff', type: 'count_t', note: 'must be 0xffffffff' },
      { name: 'res1', type: 'uregister', mustBe: 0xffffffffffffffffn },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  msgqueue_configure: {
    number: 0x21, status: 'implemented',
    summary: 'Sets queue geometry before activation.',
    inputs: [
      { name: 'msgqueue', type: 'cap_id_t', object: 'msgqueue', rights: 0x80000000, state: 'init' },
      { name: 'create_info', type: 'msgqueue_create_info', note: '15:0 depth (1..255), 31:16 max message size (1..1023)' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  cspace_delete_cap_from: {
    number: 0x22, status: 'implemented',
    summary: 'Deletes a capability (valid or revoked) and drops its reference; the object dies with its last reference.',
    inputs: [
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x2, state: 'active' },
      { name: 'cap', type: 'cap_id_t', note: 'any capability inside that cspace' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  cspace_copy_cap_from: {
    number: 0x23, status: 'implemented',
    summary: 'Creates a derived (never master) capability with reduced rights in another or the same cspace.',
    inputs: [
      { name: 'src_cspace', type: 'cap_id_t', object: 'cspace', rights: 0x4, state: 'active' },
      { name: 'src_cap', type: 'cap_id_t', note: 'capability in src_cspace, any type, any object state' },
      { name: 'dest_cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'rights_mask', type: 'cap_rights_t', note: 'u32, ANDed with the source rights' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t', note: 'valid in dest_cspace only' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  cspace_revoke_cap_from: {
    number: 0x24, status: 'stub',
    summary: 'Would revoke one capability; stub.',
    inputs: [
      { name: 'src_cspace', type: 'cap_id_t', note: 'not looked up' },
      { name: 'src_cap', type: 'cap_id_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['ARGUMENT_INVALID', 'UNIMPLEMENTED'],
  },
  cspace_configure: {
    number: 0x25, status: 'implemented',
    summary: 'Sets the capability limit; 0 is accepted here but makes activation fail with OBJECT_CONFIG.',
    inputs: [
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x80000000, state: 'init' },
      { name: 'max_caps', type: 'count_t', note: '1..slots_per_table*tables (about 62*232)' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  hwirq_bind_virq: {
    number: 0x26, status: 'implemented',
    summary: 'Forwards a physical interrupt: SPI capabilities to an SPI VIRQ of the VIC, PPI capabilities to the same PPI VIRQ on every vCPU of the VIC.',
    inputs: [
      { name: 'hwirq', type: 'cap_id_t', object: 'hwirq', rights: 0x2, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'DENIED', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'RETRY'],
  },
  hwirq_unbind_virq: {
    number: 0x27, status: 'implemented',
    summary: 'Stops forwarding of a physical interrupt.',
    inputs: [
      { name: 'hwirq', type: 'cap_id_t', object: 'hwirq', rights: 0x2, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'VIRQ_NOT_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vic_configure: {
    number: 0x28, status: 'implemented',
    summary: 'Sizes the virtual GIC and selects whether it answers at the platform default addresses.',
    inputs: [
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x80000000, state: 'init' },
      { name: 'max_vcpus', type: 'count_t', note: '1..8 on QEMU' },
      { name: 'max_virqs', type: 'count_t', note: '0..988' },
      { name: 'vic_options', type: 'vic_option_flags', note: 'bit0 max_msis_valid, bit1 disable_default_addr' },
      { name: 'max_msis', type: 'count_t', note: 'read only if bit0 set; must be 0 without LPI support' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vic_attach_vcpu: {
    number: 0x29, status: 'implemented',
    summary: 'Records VIC and redistributor index in the vCPU; uniqueness is checked only at thread activation (BUSY).',
    inputs: [
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x2, state: 'active' },
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x80000000, state: 'init' },
      { name: 'index', type: 'index_t', note: '< max_vcpus; redistributor number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  addrspace_attach_thread: {
    number: 0x2a, status: 'implemented',
    summary: 'Gives a vCPU its stage-2 address space; mandatory before activation, may be repeated (replaces).',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x1, state: 'active' },
      { name: 'thread', type: 'cap_id_t', object: 'thread', rights: 0x80000000, state: 'init' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  addrspace_map: {
    number: 0x2b, status: 'implemented',
    summary: 'Maps a whole extent (or part of a sparse one) at an IPA; overwrites existing stage-2 entries silently.',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x2, state: 'active' },
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x1, state: 'active' },
      { name: 'vbase', type: 'vmaddr_t' },
      { name: 'map_attrs', type: 'memextent_mapping_attrs' },
      { name: 'map_flags', type: 'addrspace_map_flags', note: 'bit0 partial, bit31 no_sync' },
      { name: 'offset', type: 'size_t', note: 'only if partial' },
      { name: 'size', type: 'size_t', note: 'only if partial' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'NOMEM', 'ADDR_OVERFLOW', 'ADDR_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MEMEXTENT_MAPPINGS_FULL', 'MEMEXTENT_TYPE'],
  },
  addrspace_unmap: {
    number: 0x2c, status: 'implemented',
    summary: 'Removes a mapping previously made with the same vbase (and range for partial).',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x2, state: 'active' },
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x1, state: 'active' },
      { name: 'vbase', type: 'vmaddr_t' },
      { name: 'map_flags', type: 'addrspace_map_flags' },
      { name: 'offset', type: 'size_t', note: 'only if partial' },
      { name: 'size', type: 'size_t', note: 'only if partial' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'ADDR_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MEMEXTENT_TYPE'],
  },
  addrspace_update_access: {
    number: 0x2d, status: 'implemented',
    summary: 'Changes permissions of an existing mapping, keeping its memory type.',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x2, state: 'active' },
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x1, state: 'active' },
      { name: 'vbase', type: 'vmaddr_t' },
      { name: 'access_attrs', type: 'memextent_access_attrs', note: '2:0 user, 6:4 kernel' },
      { name: 'map_flags', type: 'addrspace_map_flags' },
      { name: 'offset', type: 'size_t', note: 'only if partial' },
      { name: 'size', type: 'size_t', note: 'only if partial' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'ADDR_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MEMEXTENT_TYPE'],
  },
  addrspace_configure: {
    number: 0x2e, status: 'implemented',
    summary: 'Sets the VMID; duplicates are detected at activation (BUSY).',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x80000000, state: 'init' },
      { name: 'vmid', type: 'vmid_t', note: '1..255' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  addrspace_attach_vdma: {
    number: 0x2f, status: 'no_handler',
    summary: 'Attaches a virtual DMA device to the address space; no handler in the open tree.',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x1, state: 'active' },
      { name: 'dma_device', type: 'cap_id_t', note: 'type is platform defined; none exist on QEMU' },
      { name: 'index', type: 'index_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  memextent_modify: {
    number: 0x30, status: 'implemented',
    summary: 'Operation 0 unmap_all, 1 zero_range, 2 cache_clean_range, 3 cache_flush_range, 255 sync_all.',
    inputs: [
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x1, state: 'active' },
      { name: 'flags', type: 'memextent_modify_flags', note: '7:0 operation, bit31 no_sync, rest 0' },
      { name: 'offset', type: 'size_t', note: 'range operations only' },
      { name: 'size', type: 'size_t', note: 'range operations only' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  memextent_configure: {
    number: 0x31, status: 'implemented',
    summary: 'Defines a root extent over physical memory of its partition.',
    inputs: [
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x80000000, state: 'init' },
      { name: 'phys_base', type: 'paddr_t' },
      { name: 'size', type: 'size_t' },
      { name: 'attributes', type: 'memextent_attrs' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_ALIGNMENT', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  memextent_configure_derive: {
    number: 0x32, status: 'implemented',
    summary: 'Defines an extent as a window of a parent extent.',
    inputs: [
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x80000000, state: 'init' },
      { name: 'parent_memextent', type: 'cap_id_t', object: 'memextent', rights: 0x2, state: 'active' },
      { name: 'offset', type: 'size_t' },
      { name: 'size', type: 'size_t' },
      { name: 'attributes', type: 'memextent_attrs' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_ALIGNMENT', 'ADDR_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_configure: {
    number: 0x34, status: 'implemented',
    summary: 'Requests vCPU options; each is accepted or refused at activation (refusal = OBJECT_CONFIG).',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x80000000, state: 'init' },
      { name: 'vcpu_options', type: 'vcpu_option_flags' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_poweron: {
    number: 0x38, status: 'implemented',
    summary: 'Starts a powered-off vCPU: PC=entry, X0=context, EL1h with DAIF masked, MMU off.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x1, state: 'active' },
      { name: 'entry_point', type: 'uregister' },
      { name: 'context', type: 'uregister' },
      { name: 'flags', type: 'vcpu_poweron_flags', note: 'bit0 preserve_entry_point, bit1 preserve_context' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'FAILURE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'RETRY'],
  },
  vcpu_poweroff: {
    number: 0x39, status: 'implemented',
    summary: 'Powers the calling vCPU off; does not return on success.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x1, state: 'active', note: 'must be the calling vCPU' },
      { name: 'flags', type: 'vcpu_poweroff_flags', note: 'bit0 last_vcpu' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_kill: {
    number: 0x3a, status: 'implemented',
    summary: 'Marks the vCPU killed; it unwinds and exits asynchronously. OK when already killed or exited.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x80, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  scheduler_yield: {
    number: 0x3b, status: 'implemented',
    summary: 'Hint 0 gives up the rest of the timeslice; hint 1 donates it to a specific vCPU.',
    inputs: [
      { name: 'control', type: 'scheduler_yield_control', note: '15:0 hint, bit31 impl_def' },
      { name: 'arg1', type: 'uregister', note: 'hint 1: thread capability with YIELD_TO (0x10)' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vpm_group_attach_vcpu: {
    number: 0x3c, status: 'implemented',
    summary: 'Puts a vCPU into a power-management (PSCI) group; duplicate index is detected at activation (DENIED).',
    inputs: [
      { name: 'vpm_group', type: 'cap_id_t', object: 'vpm_group', rights: 0x1, state: 'active' },
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x80000000, state: 'init' },
      { name: 'index', type: 'index_t', note: '< 8 on QEMU' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_set_affinity: {
    number: 0x3d, status: 'implemented',
    summary: 'Moves the vCPU to a physical CPU; asynchronous when it is running elsewhere.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x2, state: 'init_or_active', note: 'add DISABLE (0x200) when affinity is 0xffff' },
      { name: 'affinity', type: 'cpu_index_t', note: 'u16; 0xffff = no CPU' },
      { name: 'res1', type: 'uregister', mustBe: 0xffffffffffffffffn },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'RETRY'],
  },
  cspace_attach_thread: {
    number: 0x3e, status: 'implemented',
    summary: 'Sets the capability space in which the vCPU makes its hypercalls; mandatory before activation.',
    inputs: [
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x8, state: 'active' },
      { name: 'thread', type: 'cap_id_t', object: 'thread', rights: 0x80000000, state: 'init' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  trace_update_class_flags: {
    number: 0x3f, status: 'implemented',
    summary: 'Clears, then sets, bits of the global trace class mask (a bit in both arguments ends up set); ERROR (bit 0) and LOG_BUFFER (bit 5) cannot be changed.',
    inputs: [
      { name: 'set_flags', type: 'uregister' },
      { name: 'clear_flags', type: 'uregister' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'flags', type: 'uregister', note: 'class flags after the update' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED'],
  },
  watchdog_attach_vcpu: {
    number: 0x40, status: 'documented_only',
    summary: 'Attaches a vCPU to a watchdog.',
    inputs: [
      { name: 'watchdog', type: 'cap_id_t', object: 'watchdog', rights: 0x1, state: 'active' },
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x80000000, state: 'init' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  watchdog_bind_virq: {
    number: 0x41, status: 'documented_only',
    summary: 'Binds the bark or bite source to a VIRQ.',
    inputs: [
      { name: 'watchdog', type: 'cap_id_t', object: 'watchdog', rights: 0x2, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'flags', type: 'watchdog_bind_option_flags', note: 'bit0: 1 bite, 0 bark' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  watchdog_unbind_virq: {
    number: 0x42, status: 'documented_only',
    summary: 'Removes a bark/bite binding.',
    inputs: [
      { name: 'watchdog', type: 'cap_id_t', object: 'watchdog', rights: 0x2, state: 'active' },
      { name: 'flags', type: 'watchdog_bind_option_flags', note: 'bit0: 1 bite, 0 bark' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  vpm_group_bind_virq: {
    number: 0x43, status: 'implemented',
    summary: 'Binds the group state-change source to a VIRQ. The reference build never asserts it.',
    inputs: [
      { name: 'vpm_group', type: 'cap_id_t', object: 'vpm_group', rights: 0x2, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vpm_group_unbind_virq: {
    number: 0x44, status: 'implemented',
    summary: 'Removes that binding (OK if none).',
    inputs: [
      { name: 'vpm_group', type: 'cap_id_t', object: 'vpm_group', rights: 0x2, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vpm_group_get_state: {
    number: 0x45, status: 'implemented',
    summary: 'Reads the aggregated power state of the group.',
    inputs: [
      { name: 'vpm_group', type: 'cap_id_t', object: 'vpm_group', rights: 0x4, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'vpm_state', type: 'uregister', note: '0 none, 1 running, 2 cpus_suspended, 3 system_suspended' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_set_priority: {
    number: 0x46, status: 'implemented',
    summary: 'Sets the scheduling priority before activation (higher number wins).',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x4, state: 'init' },
      { name: 'priority', type: 'priority_t', note: '0..62; default 32' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_set_timeslice: {
    number: 0x47, status: 'implemented',
    summary: 'Sets the round-robin quantum before activation.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x8, state: 'init' },
      { name: 'timeslice', type: 'nanoseconds_t', note: '100000..100000000; default 5000000' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  partition_create_virtio_mmio: {
    number: 0x48, status: 'implemented',
    summary: 'Allocates a virtio_mmio object from the partition in state INIT and installs a master capability with all rights for it in the given cspace.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'NORESOURCES', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'CSPACE_FULL'],
  },
  virtio_mmio_configure: {
    number: 0x49, status: 'implemented',
    summary: 'Supplies the register page and queue count of a virtio-MMIO device.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x80000000, state: 'init' },
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x4, state: 'active' },
      { name: 'vqs_num', type: 'count_t', note: '0..16' },
      { name: 'flags', type: 'virtio_option_flags', note: 'bit6 valid_device_type' },
      { name: 'device_type', type: 'virtio_device_type', note: '18 = input; read only if bit6 set' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_bind_virq: {
    number: 0x4a, status: 'implemented',
    summary: 'Binds the source that the BACKEND asserts, i.e. pass the FRONTEND VM VIC here.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x1, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_unbind_virq: {
    number: 0x4b, status: 'implemented',
    summary: 'Removes that binding (OK if none).',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_frontend_bind_virq: {
    number: 0x4c, status: 'implemented',
    summary: 'Binds the source that FRONTEND register writes assert, i.e. pass the BACKEND VM VIC here.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x2, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_frontend_unbind_virq: {
    number: 0x4d, status: 'implemented',
    summary: 'Removes that binding (OK if none).',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x2, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_assert_virq: {
    number: 0x4e, status: 'implemented',
    summary: 'Raises the frontend interrupt; level stays until the frontend acknowledges all status bits.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x4, state: 'active' },
      { name: 'interrupt_status', type: 'uint32', note: 'ORed into InterruptStatus' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_set_dev_features: {
    number: 0x4f, status: 'implemented',
    summary: 'Sets one 32-bit bank of the offered device features.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'sel', type: 'uint32', note: '0 or 1' },
      { name: 'dev_feat', type: 'uint32' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_set_queue_num_max: {
    number: 0x50, status: 'implemented',
    summary: 'Sets QueueNumMax of one queue.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'sel', type: 'uint32', note: 'queue index < vqs_num' },
      { name: 'queue_num_max', type: 'uint32' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_get_drv_features: {
    number: 0x51, status: 'implemented',
    summary: 'Reads one bank of driver-accepted features.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'sel', type: 'uint32', note: '0 or 1' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'drv_feat', type: 'uint32' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_get_queue_info: {
    number: 0x52, status: 'implemented',
    summary: 'Reads the frontend-programmed queue registers.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'sel', type: 'uint32', note: 'queue index < vqs_num' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'queue_num', type: 'uint32' }, { name: 'queue_ready', type: 'uint32' }, { name: 'queue_desc', type: 'uint64' }, { name: 'queue_drv', type: 'uint64' }, { name: 'queue_dev', type: 'uint64' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_get_notification: {
    number: 0x53, status: 'implemented',
    summary: 'Reads and clears the pending notification; this is also what lets the backend VIRQ drop.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'vqs_bitmap', type: 'register_t', note: 'queues kicked since the last call' }, { name: 'reason', type: 'virtio_mmio_notify_reason', note: 'b0 new_buffer, b1 reset_rqst, b3 driver_ok, b4 failed' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_acknowledge_reset: {
    number: 0x54, status: 'implemented',
    summary: 'Writes 0 to the Status register, completing a requested reset.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_mmio_backend_update_status: {
    number: 0x55, status: 'implemented',
    summary: 'ORs bits into the Status register.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'val', type: 'uint32' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vic_bind_msi_source: {
    number: 0x56, status: 'no_handler',
    summary: 'Binds an MSI source (ITS) to a VIC; no handler in the open tree.',
    inputs: [
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'msi_source', type: 'cap_id_t', note: 'e.g. a virtual ITS; none on QEMU' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  prng_get_entropy: {
    number: 0x57, status: 'implemented',
    summary: 'Returns random words; unused and failed results are zero.',
    inputs: [
      { name: 'num_bytes', type: 'count_t', note: '4, 8, 12 or 16' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'data0', type: 'uint32' }, { name: 'data1', type: 'uint32' }, { name: 'data2', type: 'uint32' }, { name: 'data3', type: 'uint32' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'BUSY', 'FAILURE'],
  },
  watchdog_configure: {
    number: 0x58, status: 'documented_only',
    summary: 'Configures a watchdog before activation.',
    inputs: [
      { name: 'watchdog', type: 'cap_id_t', object: 'watchdog', rights: 0x80000000, state: 'init' },
      { name: 'options', type: 'watchdog_option_flags', note: 'bit0 critical bite' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  cspace_revoke_caps_from: {
    number: 0x59, status: 'implemented',
    summary: 'Marks every other capability to the same object, in all cspaces, as revoked.',
    inputs: [
      { name: 'src_cspace', type: 'cap_id_t', object: 'cspace', rights: 0x10, state: 'active' },
      { name: 'master_cap', type: 'cap_id_t', note: 'master capability in src_cspace' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  addrspace_lookup: {
    number: 0x5a, status: 'implemented',
    summary: 'Translates an IPA range to an offset in an extent.',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x4, state: 'active' },
      { name: 'memextent', type: 'cap_id_t', object: 'memextent', rights: 0x8, state: 'active' },
      { name: 'vbase', type: 'vmaddr_t' },
      { name: 'size', type: 'size_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'offset', type: 'size_t', note: 'offset of the mapping inside the extent' }, { name: 'size', type: 'size_t', note: 'contiguous bytes found, <= requested' }, { name: 'map_attrs', type: 'memextent_mapping_attrs' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'ADDR_OVERFLOW', 'ADDR_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MEMDB_NOT_OWNER'],
  },
  addrspace_configure_info_area: {
    number: 0x5b, status: 'implemented',
    summary: 'Reserves a hypervisor-shared information page; zeroed and attached at activation.',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x80000000, state: 'init' },
      { name: 'info_area_me', type: 'cap_id_t', object: 'memextent', rights: 0x4, state: 'active' },
      { name: 'ipa', type: 'vmaddr_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ADDR_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_bind_virq: {
    number: 0x5c, status: 'implemented',
    summary: 'Binds the halt or the proxy-scheduler wakeup source; type 1 also switches the vCPU to proxy scheduling for good.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x20, state: 'active' },
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x1, state: 'active' },
      { name: 'virq', type: 'virq_t', note: 'plain VIRQ number' },
      { name: 'virq_type', type: 'vcpu_virq_type', note: '0 halt, 1 vcpu_run_wakeup' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'VIRQ_BOUND', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_unbind_virq: {
    number: 0x5d, status: 'implemented',
    summary: 'Removes the binding; does not leave proxy mode.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x20, state: 'active' },
      { name: 'virq_type', type: 'vcpu_virq_type' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_input_configure: {
    number: 0x5e, status: 'implemented',
    summary: 'Stores input device IDs/properties and allocates event and axis tables.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'devids', type: 'uint64' },
      { name: 'prop_bits', type: 'uint32' },
      { name: 'num_evtypes', type: 'uint32', note: '0..32' },
      { name: 'num_absaxes', type: 'uint32', note: '0..64' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'BUSY', 'OBJECT_STATE', 'OBJECT_CONFIG', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  virtio_input_set_data: {
    number: 0x5f, status: 'implemented',
    summary: 'Copies one virtio-input configuration item from guest memory.',
    inputs: [
      { name: 'virtio_mmio', type: 'cap_id_t', object: 'virtio_mmio', rights: 0x8, state: 'active' },
      { name: 'sel', type: 'uint32', note: '1 name, 2 serial, 3 devids, 0x10 prop_bits, 0x11 ev_bits, 0x12 abs_info' },
      { name: 'subsel', type: 'uint32' },
      { name: 'size', type: 'uint32' },
      { name: 'data', type: 'vmaddr_t', note: 'guest virtual address despite the type' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'NORESOURCES', 'ADDR_OVERFLOW', 'ADDR_INVALID', 'DENIED', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  addrspace_configure_vmmio: {
    number: 0x60, status: 'implemented',
    summary: 'Nominates an IPA range whose unmapped accesses are reported through vcpu_run.',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x8, state: 'init_or_active' },
      { name: 'vbase', type: 'vmaddr_t' },
      { name: 'size', type: 'size_t' },
      { name: 'op', type: 'addrspace_vmmio_configure_op', note: '0 add, 1 remove' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'NOMEM', 'NORESOURCES', 'ADDR_OVERFLOW', 'BUSY', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  memextent_donate: {
    number: 0x61, status: 'implemented',
    summary: 'Moves ownership of physical memory between related extents, or between an extent and its partition; applies/removes recorded mappings.',
    inputs: [
      { name: 'options', type: 'memextent_donate_options', note: '7:0 type (0 to_child, 1 to_parent, 2 to_sibling), bit31 no_sync' },
      { name: 'from', type: 'cap_id_t', object: 'memextent', rights: 0x10, state: 'active', note: 'type 0 with a root child: a partition capability with DONATE (2)' },
      { name: 'to', type: 'cap_id_t', object: 'memextent', rights: 0x10, state: 'active', note: 'type 1 with a root child: a partition capability with DONATE (2)' },
      { name: 'offset', type: 'size_t', note: 'relative to the child (types 0,1) or to from (type 2)' },
      { name: 'size', type: 'size_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'ARGUMENT_ALIGNMENT', 'ADDR_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'MEMDB_NOT_OWNER', 'MEMEXTENT_TYPE'],
  },
  addrspace_attach_vdevice: {
    number: 0x62, status: 'implemented',
    summary: 'Places an emulated device frame at an IPA (GICD 64 KiB, GICR 128 KiB).',
    inputs: [
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x2, state: 'active' },
      { name: 'vdevice', type: 'cap_id_t', object: 'vic', rights: 0x4, state: 'active', note: 'only VIC objects on QEMU' },
      { name: 'index', type: 'index_t', note: 'VIC: 0 = GICD, n+1 = GICR of vCPU index n' },
      { name: 'vbase', type: 'vmaddr_t' },
      { name: 'size', type: 'size_t' },
      { name: 'flags', type: 'addrspace_attach_vdevice_flags', note: 'GICR: bit0 last_valid, bit1 last; GICD: 0' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ARGUMENT_SIZE', 'BUSY', 'IDLE', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  watchdog_manage: {
    number: 0x63, status: 'documented_only',
    summary: 'Freezes or unfreezes a watchdog counter; freezes nest.',
    inputs: [
      { name: 'watchdog', type: 'cap_id_t', object: 'watchdog', rights: 0x4, state: 'active' },
      { name: 'operation', type: 'watchdog_manage_op', note: '0 freeze, 1 freeze and reset, 2 unfreeze' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  vcpu_register_write: {
    number: 0x64, status: 'implemented',
    summary: 'Writes an initial register of a powered-off vCPU.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x100, state: 'any' },
      { name: 'register_set', type: 'vcpu_register_set', note: '0 X, 1 PC, 2 SP_EL' },
      { name: 'register_index', type: 'index_t', note: 'X: 0..30; PC: 0; SP_EL: 0..1' },
      { name: 'value', type: 'uregister', note: 'PC 4-aligned, SP 16-aligned' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_run: {
    number: 0x65, status: 'implemented',
    summary: 'Lends the caller CPU to a proxy-scheduled vCPU until it stops or the caller is preempted.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x12, state: 'active' },
      { name: 'resume_data_0', type: 'register_t', note: 'value for a pending VMMIO read' },
      { name: 'resume_data_1', type: 'register_t', note: '0' },
      { name: 'resume_data_2', type: 'register_t', note: '0' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'vcpu_state', type: 'vcpu_run_state' }, { name: 'state_data_0', type: 'register_t' }, { name: 'state_data_1', type: 'register_t' }, { name: 'state_data_2', type: 'register_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'DENIED', 'BUSY', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'RETRY'],
  },
  vpm_group_configure: {
    number: 0x66, status: 'implemented',
    summary: 'Optional: disables power-state aggregation for the group.',
    inputs: [
      { name: 'vpm_group', type: 'cap_id_t', object: 'vpm_group', rights: 0x80000000, state: 'init' },
      { name: 'flags', type: 'vpm_group_option_flags', note: 'bit0 no_aggregation' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  vgic_set_mpidr_mapping: {
    number: 0x67, status: 'implemented',
    summary: 'Defines how vCPU index bits appear in MPIDR_EL1; default equals the hardware mapping.',
    inputs: [
      { name: 'vic', type: 'cap_id_t', object: 'vic', rights: 0x80000000, state: 'init' },
      { name: 'mask', type: 'uint64', note: 'MPIDR-format mask of significant affinity bits' },
      { name: 'aff0_shift', type: 'count_t' },
      { name: 'aff1_shift', type: 'count_t' },
      { name: 'aff2_shift', type: 'count_t' },
      { name: 'aff3_shift', type: 'count_t' },
      { name: 'mt', type: 'bool' },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  vcpu_run_check: {
    number: 0x68, status: 'implemented',
    summary: 'Reports why a halted vCPU stopped, without running it.',
    inputs: [
      { name: 'vcpu', type: 'cap_id_t', object: 'thread', rights: 0x60, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'vcpu_state', type: 'vcpu_run_state' }, { name: 'state_data_0', type: 'register_t' }, { name: 'state_data_1', type: 'register_t' }, { name: 'state_data_2', type: 'register_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS'],
  },
  partition_create_vrtc: {
    number: null, status: 'unnumbered',
    summary: 'Creates a PL031-style virtual RTC object.',
    inputs: [
      { name: 'src_partition', type: 'cap_id_t', object: 'partition', rights: 0x1, state: 'active' },
      { name: 'cspace', type: 'cap_id_t', object: 'cspace', rights: 0x1, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }, { name: 'new_cap', type: 'cap_id_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'NOMEM', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  vrtc_configure: {
    number: null, status: 'unnumbered',
    summary: 'Sets the IPA of the emulated RTC.',
    inputs: [
      { name: 'vrtc', type: 'cap_id_t', object: 'vrtc', rights: 0x1, state: 'init' },
      { name: 'ipa', type: 'vmaddr_t', note: '4 KiB aligned register page' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ADDR_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  vrtc_set_time_base: {
    number: null, status: 'unnumbered',
    summary: 'Sets wall time once, relative to a counter snapshot.',
    inputs: [
      { name: 'vrtc', type: 'cap_id_t', object: 'vrtc', rights: 0x4, state: 'active' },
      { name: 'time_base', type: 'nanoseconds_t' },
      { name: 'sys_timer_ref', type: 'ticks_t' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'BUSY', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
  vrtc_attach_addrspace: {
    number: null, status: 'unnumbered',
    summary: 'Makes the RTC visible in an address space.',
    inputs: [
      { name: 'vrtc', type: 'cap_id_t', object: 'vrtc', rights: 0x2, state: 'active' },
      { name: 'addrspace', type: 'cap_id_t', object: 'addrspace', rights: 0x2, state: 'active' },
      { name: 'res0', type: 'uregister', mustBe: 0n },
    ],
    outputs: [{ name: 'error', type: 'error_t' }],
    errors: ['OK', 'ARGUMENT_INVALID', 'ADDR_INVALID', 'OBJECT_STATE', 'CSPACE_CAP_NULL', 'CSPACE_CAP_REVOKED', 'CSPACE_WRONG_OBJECT_TYPE', 'CSPACE_INSUFFICIENT_RIGHTS', 'UNIMPLEMENTED'],
  },
} as const satisfies Record<string, Hypercall>;

/** Name of a hypercall, exactly as the Gunyah API spells it. */
export type HypercallName = keyof typeof HYPERCALLS;

type ValueOf<T extends ArgumentType> = T extends 'cap_id_t' ? CapId : (typeof ARGUMENT_TYPES)[T] extends 64 ? bigint : number;
type NamedValues<Rows extends readonly { readonly name: string; readonly type: ArgumentType }[]> = {
  readonly [Row in Rows[number] as Row['name']]: ValueOf<Row['type']>;
};

/** Arguments of a call by name, reserved ones included. */
export type HypercallInputs<N extends HypercallName> = NamedValues<(typeof HYPERCALLS)[N]['inputs']>;
/** Arguments a caller must give: reserved ones left out. */
export type HypercallArguments<N extends HypercallName> = {
  readonly [Row in (typeof HYPERCALLS)[N]['inputs'][number] as Row extends { readonly mustBe: bigint } ? never : Row['name']]: ValueOf<Row['type']>;
};
/** Results of a call by name, `error` included where the call has one. */
export type HypercallOutputs<N extends HypercallName> = NamedValues<(typeof HYPERCALLS)[N]['outputs']>;

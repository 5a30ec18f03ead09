/**
 * Words for the numbers that hypercalls take and give: flags, attributes, states and kinds, by the type that the table of hypercalls gives an argument
 * or a result. Capabilities and VMs are not named here: who knows the system does that.
 *
 * Source: Gunyah API, types. Numbers stay beside their words.
 */

import { HYPERCALLS, type EventValue } from '../../runtime/index';
import { accessText, memoryTypeText } from './memory-words';

type Row = (typeof HYPERCALLS)[keyof typeof HYPERCALLS];

const ROWS: ReadonlyMap<string, Row> = new Map(Object.entries(HYPERCALLS));

/** The type of an argument or result of a hypercall, by its name in the table. */
export function typeOfValue(call: string, name: string): string | undefined {
  const row = ROWS.get(call);
  return row?.inputs.find((one) => one.name === name)?.type ?? row?.outputs.find((one) => one.name === name)?.type;
}

/** What a number says, by its type; undefined for types that count or measure. */
export function wordsOfType(type: string, value: EventValue): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const bits = BigInt(value);
  const table = VALUES[type];
  if (table !== undefined) return table[Number(bits)];
  return FLAGS[type]?.(bits);
}

/** What a virtual interrupt's number says: its kind as device trees count it. */
export function virqWords(virq: number): string {
  if (virq >= 32) return `SPI ${virq - 32}`;
  return virq >= 16 ? `PPI ${virq - 16}` : `SGI ${virq}`;
}

const VALUES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  addrspace_vmmio_configure_op: { 0: 'add', 1: 'remove' },
  bool: { 0: 'no', 1: 'yes' },
  vcpu_register_set: { 0: 'X', 1: 'PC', 2: 'SP' },
  vcpu_run_state: {
    0: 'ready', 1: 'expects a wakeup', 2: 'powered off', 3: 'blocked', 4: 'VMMIO read', 5: 'VMMIO write', 6: 'fault', 0x100: 'PSCI system reset',
  },
  vcpu_virq_type: { 0: 'halt', 1: 'vcpu_run wakeup' },
  virtio_device_type: { 0: 'none', 1: 'network', 2: 'block', 3: 'console', 4: 'entropy', 18: 'input' },
  watchdog_manage_op: { 0: 'freeze', 1: 'freeze and reset', 2: 'unfreeze' },
};

/** Names of set bits; a bit without a name is told by its number. */
function bitNames(bits: bigint, names: Readonly<Record<number, string>>): string[] {
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((bits >> BigInt(bit)) & 1n) === 1n).map((bit) => names[bit] ?? `bit ${bit}`);
}

const flags = (names: Readonly<Record<number, string>>) => (bits: bigint): string | undefined => (bits === 0n ? undefined : bitNames(bits, names).join(', '));
/** A kind in the low bits, and flags above. */
const operation = (kinds: Readonly<Record<number, string>>, width: bigint, names: Readonly<Record<number, string>>) => (bits: bigint): string => {
  const kind = Number(bits & ((1n << width) - 1n));
  return [kinds[kind] ?? `operation ${kind}`, ...bitNames((bits >> width) << width, names)].join(', ');
};
const rights = (bits: bigint): string => `EL1 ${accessText(Number((bits >> 4n) & 7n))}, EL0 ${accessText(Number(bits & 7n))}`;

const MEMORY_TYPES = ['any memory', 'device', 'uncached', 'cached'] as const;
const EXTENT_KINDS = ['basic', 'sparse'] as const;
const FEATURES = {
  0: 'cspace', 1: 'doorbell', 2: 'message queue', 3: 'vic', 4: 'vpm', 5: 'vcpu', 6: 'memextent', 7: 'trace', 8: 'watchdog', 9: 'virtio-mmio', 10: 'prng', 11: 'vcpu_run', 28: 'scheduler: fixed priority',
} as const;
const VARIANTS: Readonly<Record<number, string>> = { 0x48: 'Gunyah', 0x51: 'Qualcomm' };
const NO_SYNC = { 31: 'no_sync' } as const;

const FLAGS: Readonly<Record<string, (bits: bigint) => string | undefined>> = {
  addrspace_attach_vdevice_flags: flags({ 0: 'last_valid', 1: 'last' }),
  addrspace_map_flags: flags({ 0: 'partial', ...NO_SYNC }),
  hyp_api_flags0: flags(FEATURES),
  hyp_api_info: (bits) => `API ${bits & 0x3fffn}, ${(bits & 0x8000n) === 0n ? '32' : '64'}-bit, ${(bits & 0x4000n) === 0n ? 'little' : 'big'}-endian, variant ${VARIANTS[Number(bits >> 56n)] ?? bits >> 56n}`,
  memextent_access_attrs: rights,
  memextent_attrs: (bits) => [accessText(Number(bits & 7n)), MEMORY_TYPES[Number((bits >> 8n) & 3n)] ?? '', EXTENT_KINDS[Number((bits >> 16n) & 3n)] ?? 'unknown kind', ...bitNames(bits & (1n << 31n), { 31: 'append' })].join(', '),
  memextent_donate_options: operation({ 0: 'to child', 1: 'to parent', 2: 'to sibling' }, 8n, NO_SYNC),
  memextent_mapping_attrs: (bits) => `${rights(bits)}, ${memoryTypeText(Number((bits >> 16n) & 0xffn))}`,
  memextent_modify_flags: operation({ 0: 'unmap all', 1: 'zero range', 2: 'clean range', 3: 'flush range', 255: 'sync all' }, 8n, NO_SYNC),
  msgqueue_create_info: (bits) => `depth ${bits & 0xffffn}, messages of at most ${(bits >> 16n) & 0xffffn} bytes`,
  msgqueue_send_flags: flags({ 0: 'push' }),
  scheduler_yield_control: operation({ 0: 'yield', 1: 'yield to thread', 2: 'yield to lower' }, 16n, { 31: 'impl_def' }),
  vcpu_option_flags: flags({ 0: 'pinned', 1: 'ras_error_handler', 2: 'amu_counting_disabled', 3: 'sve_allowed', 4: 'debug_allowed', 5: 'trace_allowed', 8: 'critical', 9: 'vcpu_run_scheduled', 63: 'hlos_vm' }),
  vcpu_poweroff_flags: flags({ 0: 'last_vcpu' }),
  vcpu_poweron_flags: flags({ 0: 'preserve_entry_point', 1: 'preserve_context' }),
  vic_option_flags: flags({ 0: 'max_msis_valid', 1: 'disable_default_addr' }),
  virq_t: (bits) => virqWords(Number(bits)),
  virtio_mmio_notify_reason: flags({ 0: 'new buffer', 1: 'reset requested', 3: 'driver ok', 4: 'failed' }),
  virtio_option_flags: flags({ 6: 'valid_device_type' }),
  vpm_group_option_flags: flags({ 0: 'no_aggregation' }),
  watchdog_bind_option_flags: (bits) => ((bits & 1n) === 0n ? 'bark' : 'bite'),
  watchdog_option_flags: flags({ 0: 'critical_bite' }),
};

/**
 * What entries of the trace in memory can say: class, identifier, buffer and format string, as a debug build of the open hypervisor has them;
 * sentences are in words of our own, with its arguments in its order.
 * Hypercalls have strings made from their table: the name and up to five arguments or results.
 */

import { type Hypercall, HYPERCALLS } from './hypercall-table';

const WORDS_MAX = 5;

/** Bits of trace_update_class_flags. */
export const TRACE_CLASS = { ERROR: 0, DEBUG: 1, USER: 2, TRACE_LOG_BUFFER: 4, LOG_BUFFER: 5, INFO: 6, MEMDB: 7, PSCI: 16, VGIC: 17, VGIC_DEBUG: 18 } as const;
/** Classes of an untouched debug build. */
export const TRACE_CLASSES_DEFAULT = Object.entries(TRACE_CLASS).reduce((mask, [name, bit]) => (name === 'TRACE_LOG_BUFFER' ? mask : mask | (1n << BigInt(bit))), 0n);

/** Identifiers of entries; the tool has a word for each. */
const ID = {
  INFO: 0, WARN: 1, HYPERCALL: 2, DEBUG: 3, PANIC: 10, DSTATE: 0x21, HWSTATE: 0x22, UNCHANGED: 0x23, GICD_WRITE: 0x24, GICR_WRITE: 0x25, SGI: 0x26, ROUTE: 0x28, ICC_WRITE: 0x29, ASYNC: 0x2a,
  VCPU_SUSPEND: 0x34, VCPU_RESUME: 0x35,
} as const;

/** One kind of entry. `local`: into the buffer of the CPU. */
export interface TraceRow { readonly class: keyof typeof TRACE_CLASS; readonly id: number; readonly local?: true; readonly format: string }

const vgic = (id: number, format: string, kind: 'VGIC' | 'VGIC_DEBUG' = 'VGIC'): TraceRow => ({ class: kind, id, format: `{:#x} {:#x} ${format}` });

/** Every kind of entry but hypercalls by the native path. */
export const TRACE_ROWS = {
  smcccEnter: { class: 'USER', id: ID.HYPERCALL, format: 'smccc hyp: {:#x}: {:#x} {:#x} {:#x}, {:#x}' },
  smcccLeave: { class: 'USER', id: ID.HYPERCALL, format: 'smccc ret: {:#x} {:#x} {:#x} {:#x} {:#x}' },
  coldBoot: { class: 'ERROR', id: ID.WARN, local: true, format: 'cold boot: {:s} ({:s})' },
  online: { class: 'DEBUG', id: ID.INFO, local: true, format: 'CPU {:d} online' },
  warmInit: { class: 'DEBUG', id: ID.INFO, local: true, format: 'boot_cpu_warm_init' },
  hypervisorStart: { class: 'DEBUG', id: ID.INFO, local: true, format: 'boot_hypervisor_start' },
  cpuStart: { class: 'DEBUG', id: ID.INFO, format: 'boot_cpu_start' },
  enteringIdle: { class: 'DEBUG', id: ID.INFO, format: 'entering idle' },
  block: { class: 'INFO', id: ID.INFO, format: 'scheduler: block {:#x}, reason: {:d}, others: {:#x}' },
  unblock: { class: 'INFO', id: ID.INFO, format: 'scheduler: unblock {:#x}, reason: {:d}, others: {:#x}, local run: {:d}' },
  contextSwitch: { class: 'INFO', id: ID.INFO, local: true, format: 'thread: ctx switch from: {:#x} to: {:#x}' },
  hardwareInterrupt: { class: 'INFO', id: ID.INFO, format: 'acknowledged HW IRQ {:d}' },
  memdbInsert: { class: 'MEMDB', id: ID.INFO, format: 'memdb_insert: {:#x}..{:#x} - obj({:#x}) - type({:d})' },
  memdbUpdate: { class: 'MEMDB', id: ID.INFO, format: 'memdb_update: {:#x}..{:#x} - obj({:#x}) - type({:d})' },
  vcpuSuspend: { class: 'PSCI', id: ID.VCPU_SUSPEND, format: 'psci vcpu suspend: {:#x} - VM {:d}' },
  vcpuResume: { class: 'PSCI', id: ID.VCPU_RESUME, format: 'psci vcpu resume: {:#x} - VM {:d} - VCPU {:d}' },
  vcpuStarted: { class: 'PSCI', id: ID.VCPU_RESUME, format: 'psci vcpu started: {:#x} - VM {:d}' },
  suspendMode: { class: 'PSCI', id: ID.INFO, format: 'psci suspend mode refused: VM {:d}' },
  injectAbort: { class: 'ERROR', id: ID.WARN, format: 'abort given to VM {:d}: ESR_EL2 {:#x}, VA {:#x}, IPA {:#x}, ELR_EL2 {:#x}' },
  haltAbort: { class: 'ERROR', id: ID.WARN, format: 'abort ends VM {:d}: ESR_EL2 {:#x}, VA {:#x}, IPA {:#x}, ELR_EL2 {:#x}' },
  injectLoop: { class: 'DEBUG', id: ID.DEBUG, format: 'exception at the vector of VM {:d}: ESR_EL1 {:#x}, ELR_EL1 {:#x}, VBAR_EL1 {:#x}' },
  unhandledTrap: { class: 'ERROR', id: ID.WARN, format: 'trap of VM {:d} not handled: ESR_EL2 {:#x}, ELR_EL2 {:#x}' },
  injectUnknown: { class: 'INFO', id: ID.DEBUG, format: 'undefined for VM {:d}: ESR_EL2 {:#x}' },
  panic: { class: 'ERROR', id: ID.PANIC, format: 'panic: {:s}, PC {:#x}, FP {:#x}' },
  gicdWrite: vgic(ID.GICD_WRITE, 'GICD_WRITE reg = {:x}, val = {:#x}'),
  gicrWrite: vgic(ID.GICR_WRITE, 'GICR_WRITE reg = {:x}, val = {:#x}'),
  groupEnable: vgic(ID.ICC_WRITE, 'group {:d} {:s}'),
  deliver: vgic(ID.DSTATE, 'deliver {:d}: {:#x} -> {:#x}'),
  redeliver: vgic(ID.DSTATE, 'redeliver {:d}: {:#x} -> {:#x}'),
  redeliverList: vgic(ID.HWSTATE, 'redeliver {:d}: lr {:d} -> {:d}'),
  redeliverMerged: vgic(ID.UNCHANGED, 'redeliver {:d}: merged', 'VGIC_DEBUG'),
  undeliverUnlisted: vgic(ID.DSTATE, 'undeliver-unlisted {:d}: {:#x} -> {:#x}'),
  undeliverSync: vgic(ID.DSTATE, 'undeliver-sync {:d}: {:#x} -> {:#x}'),
  reclaimList: vgic(ID.DSTATE, 'reclaim_lr {:d}: {:#x} -> {:#x}'),
  groupMaintenance: vgic(ID.ASYNC, 'group enable maintenance: {:#x}'),
  deactivate: vgic(ID.DSTATE, 'deactivate {:d}: {:#x} -> {:#x}'),
  alreadyInactive: vgic(ID.DSTATE, 'deactivate {:d}: was inactive {:#x}'),
  syncList: vgic(ID.DSTATE, 'sync_lr {:d}: {:#x} -> {:#x}'),
  syncDelisted: vgic(ID.HWSTATE, 'sync_lr {:d}: delisted (pending {:d})'),
  syncActive: vgic(ID.HWSTATE, 'sync_lr {:d}: LR left active ({:s} pending)'),
  syncPending: vgic(ID.HWSTATE, 'sync_lr {:d}: LR set pending ({:s} active)'),
  syncUnchanged: vgic(ID.HWSTATE, 'sync_lr {:d}: LR unchanged'),
  listIfPending: vgic(ID.DSTATE, 'list_if_pending {:d}: {:#x} -> {:#x}'),
  route: vgic(ID.ROUTE, 'route {:d}: virt {:d} phys N/A'),
  routeForwarded: vgic(ID.ROUTE, 'route {:d}: virt {:d} phys {:#x}'),
  bindForwarded: vgic(ID.ROUTE, 'bind {:d}: route virt {:d} phys {:#x}'),
} as const satisfies Record<string, TraceRow>;

/** Name of a kind of entry. */
export type TraceRowName = keyof typeof TRACE_ROWS;
/** Names of all kinds. */
export const TRACE_ROW_NAMES: readonly TraceRowName[] = Object.keys(TRACE_ROWS).filter(isRowName);

function isRowName(name: string): name is TraceRowName {
  return name in TRACE_ROWS;
}

/** Strings that entries name as arguments. */
export const TRACE_WORDS = { enabled: 'enabled', disabled: 'disabled', still: 'still', not: 'not', and: 'and', version: 'gunyah', date: 'debug', reset: 'system_reset' } as const;

/** A call whose arguments and results are kept out of the trace. */
export const SENSITIVE_CALL = 'prng_get_entropy';

function words(count: number): string {
  return ' {:#x}'.repeat(Math.min(count, WORDS_MAX));
}

/** The string that a call enters with. */
export function enterFormat(name: string, row: Hypercall): string {
  return name === SENSITIVE_CALL ? name : `${name}:${words(row.inputs.slice(0, WORDS_MAX).filter((input) => input.mustBe === undefined).length)}`;
}

/** The string that a call leaves with. */
export function leaveFormat(name: string, row: Hypercall): string {
  return `${name} ret:${words(row.outputs.length)}`;
}

const CALLS: readonly (readonly [string, Hypercall])[] = Object.entries(HYPERCALLS);

/** Every string. */
export const TRACE_TEXTS: readonly string[] = [
  ...Object.values(TRACE_ROWS).map(({ format }) => format), ...CALLS.flatMap(([name, row]) => [enterFormat(name, row), leaveFormat(name, row)]), ...Object.values(TRACE_WORDS),
];

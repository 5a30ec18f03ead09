/**
 * The vdevice types as a table: what each needs of its node, what RM makes of it, and which kinds of node handle what in which order.
 * What RM reads in the nodes is in `node-rows.ts`.
 */

import type { RmGeneration } from './generation';
import type { NodeRuleName } from './node-rows';

/** What distinguishes the types. */
export interface VdeviceRow {
  /** Path of the node that RM creates if the tree does not say; empty if there is none. */
  readonly path: string;
  /** What RM appends to the path: `@` and a capability identifier, `@` and the address in the VM, or nothing. */
  readonly suffix: 'capability' | 'address' | 'none';
  /** The compatible strings of the created node behind those that are pushed. */
  readonly compatible: readonly string[];
  /** Interrupts that the node may name. */
  readonly interruptCount: number;
  /** Which peer must be named: none, any, or only the owner by `peer-default`. */
  readonly peer: 'none' | 'any' | 'default';
  /** Whether a child `memory` says which parcel backs it; `loose` ones may have other children and no base. */
  readonly memory: 'none' | 'strict' | 'loose';
  /** Strings that RM itself pushes in front. */
  readonly pushedByRm?: readonly string[];
  /** What guests look for by label: the kinds of communication that the type gives. */
  readonly gives: readonly ('message-queue' | 'doorbell' | 'shared-memory')[];
  /** The only generation that knows the type; all do if absent. */
  readonly readBy?: RmGeneration;
}

const QUEUE = ['qcom,gunyah-message-queue', 'qcom,gunyah-capability'] as const;

/** The table, in the order in which RM looks for the types. */
export const VDEVICES = {
  'rm-rpc': {
    path: '/hypervisor/qcom,resource-manager-rpc', suffix: 'capability', compatible: QUEUE, interruptCount: 2, peer: 'none', memory: 'none',
    pushedByRm: ['gunyah-resource-manager', 'qcom,resource-manager', 'qcom,resource-manager-1-0'], gives: [],
  },
  'shm-doorbell': { path: '/hypervisor/qcom,shm', suffix: 'none', compatible: ['qcom,gunyah-shm-doorbell'], interruptCount: 0, peer: 'default', memory: 'strict', gives: ['shared-memory', 'doorbell'] },
  'shm': { path: '/hypervisor/qcom,shm', suffix: 'none', compatible: ['qcom,shared-memory'], interruptCount: 0, peer: 'default', memory: 'strict', gives: ['shared-memory'] },
  'doorbell-source': { path: '/hypervisor/qcom,doorbell-source', suffix: 'capability', compatible: ['qcom,gunyah-doorbell-source', 'qcom,gunyah-capability'], interruptCount: 0, peer: 'any', memory: 'none', gives: ['doorbell'] },
  'doorbell': { path: '/hypervisor/qcom,doorbell', suffix: 'capability', compatible: ['qcom,gunyah-doorbell', 'qcom,gunyah-capability'], interruptCount: 1, peer: 'any', memory: 'none', gives: ['doorbell'] },
  'message-queue': { path: '/hypervisor/qcom,message-queue', suffix: 'capability', compatible: QUEUE, interruptCount: 1, peer: 'default', memory: 'none', gives: ['message-queue'] },
  'message-queue-pair': { path: '/hypervisor/qcom,message-queue-pair', suffix: 'capability', compatible: QUEUE, interruptCount: 2, peer: 'any', memory: 'none', gives: ['message-queue'] },
  'virtio-mmio': { path: '/hypervisor/qcom,virtio_mmio', suffix: 'address', compatible: ['virtio,mmio'], interruptCount: 0, peer: 'default', memory: 'strict', gives: ['shared-memory'] },
  'iomem': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'default', memory: 'loose', gives: ['shared-memory'] },
  'vsmmu-v2': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'none', memory: 'none', gives: [] },
  'vrtc-pl031': { path: '/vsoc', suffix: 'none', compatible: ['arm,pl031', 'arm,primecell'], interruptCount: 0, peer: 'none', memory: 'none', gives: [] },
  'virtio-pci': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'none', memory: 'none', gives: ['shared-memory'], readBy: 'newer' },
  'pci': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'none', memory: 'none', gives: [], readBy: 'newer' },
  'virtio-iommu': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'none', memory: 'none', gives: [], readBy: 'newer' },
  'watchdog': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'none', memory: 'none', gives: [], readBy: 'newer' },
  'minidump': { path: '', suffix: 'none', compatible: [], interruptCount: 0, peer: 'none', memory: 'none', gives: [], readBy: 'newer' },
} as const satisfies Partial<Record<NodeRuleName, VdeviceRow>>;

/** Vdevice types that any generation knows. */
export type AnyVdeviceType = keyof typeof VDEVICES;

/** The vdevice types that the RM of 2023 knows, as `vdevice-type` spells them, in the order in which it looks for them. */
export const VDEVICE_TYPES = [
  'rm-rpc', 'shm-doorbell', 'shm', 'doorbell-source', 'doorbell', 'message-queue', 'message-queue-pair', 'virtio-mmio', 'iomem', 'vsmmu-v2', 'vrtc-pl031',
] as const satisfies readonly AnyVdeviceType[];
/** One of them. */
export type VdeviceType = (typeof VDEVICE_TYPES)[number];

/** The row of a type. */
export function vdeviceRow(type: AnyVdeviceType): VdeviceRow {
  return VDEVICES[type];
}

/** All types that a generation knows, in order. */
export function vdeviceTypesOf(generation: RmGeneration): readonly AnyVdeviceType[] {
  const known: readonly AnyVdeviceType[] = [...VDEVICE_TYPES, 'virtio-pci', 'pci', 'virtio-iommu', 'watchdog', 'minidump'];
  return known.filter((type) => (vdeviceRow(type).readBy ?? generation) === generation);
}

/** Classes of interrupt specifiers: the first cell, the INTIDs that the second may reach (Arm GICv3, IHI 0069, 2.2). */
export const INTERRUPT_CLASSES = [
  { cell: 0, name: 'shared', first: 32, last: 1019 },
  { cell: 1, name: 'private', first: 16, last: 31 },
  { cell: 2, name: 'extended shared', first: 4096, last: 5119 },
  { cell: 3, name: 'extended private', first: 1056, last: 1119 },
] as const;

/** Trigger modes of an interrupt specifier, the low four bits of the third cell, and who accepts them. */
export const INTERRUPT_TRIGGERS: readonly { readonly cell: number; readonly name: string; readonly readBy?: RmGeneration }[] = [
  { cell: 1, name: 'rising edge' }, { cell: 4, name: 'high level' }, { cell: 8, name: 'low level', readBy: 'newer' },
];

/** INTID of a specifier; `undefined` outside what a VM can have, or with a trigger mode that the generation refuses. */
export function specifiedInterrupt(specifier: readonly number[], generation: RmGeneration): number | undefined {
  const [kind, number, flags] = specifier;
  const row = INTERRUPT_CLASSES.find(({ cell }) => cell === kind);
  const trigger = INTERRUPT_TRIGGERS.find(({ cell, readBy }) => cell === ((flags ?? 0) & 0xf) && (readBy ?? generation) === generation);
  if (row === undefined || trigger === undefined || number === undefined || number > row.last - row.first) return undefined;
  return row.first + number;
}

/** The INTIDs that a vdevice's `interrupts` names; `undefined` if RM ignores the property. Newer generations overlook surplus specifiers. */
export function specifiedInterrupts(values: readonly number[] | undefined, count: number, generation: RmGeneration): readonly number[] | undefined {
  const isLong = generation === 'newer' && (values?.length ?? 0) % 3 === 0 && (values?.length ?? 0) >= 3 * count;
  if (values === undefined || (values.length !== 3 * count && !isLong)) return undefined;
  const intids = Array.from({ length: count }, (_, i) => specifiedInterrupt(values.slice(3 * i, 3 * i + 3), generation));
  return intids.every((intid) => intid !== undefined) ? intids : undefined;
}

/** Who handles a node: the first row that matches it wins. */
export const HANDLERS = [
  { handler: 'memory-node', property: 'device_type', values: ['memory'], summary: 'Refused unless it is /memory, which RM replaces.' },
  { handler: 'vm-config', path: /^\/(qcom,|gunyah-)vm-config$/, summary: 'Identity and attributes of the VM.' },
  { handler: 'memory', path: /^\/(qcom,|gunyah-)vm-config\/memory$/, summary: 'Where the VM’s memory lies.' },
  { handler: 'vcpus', path: /^\/(qcom,|gunyah-)vm-config\/vcpus$/, summary: 'How vCPUs are scheduled.' },
  { handler: 'vdevice', property: 'vdevice-type', values: undefined, summary: 'A vdevice, wherever it stands in the tree.' },
  { handler: 'psci', property: 'compatible', values: ['arm,psci-0.2', 'arm,psci-1.0'], summary: 'Enables PSCI.' },
  { handler: 'interrupts', path: /^\/(qcom,|gunyah-)vm-config\/interrupts$/, summary: 'Which node is the interrupt controller.' },
] as const;

/** Handlers by name. */
export type HandlerName = (typeof HANDLERS)[number]['handler'];

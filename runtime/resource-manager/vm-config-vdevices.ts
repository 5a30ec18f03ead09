/** Vdevice nodes of a VM configuration as plain data: path, label, peer, interrupts, and the memory behind shared ones. Judged elsewhere. */

import { generatedPath, labelOf, memoryChild, cells, specifiedInterrupts, VM_CONFIG_RULES, vdeviceRow } from '../devicetree/rm-rules';
import type { VdeviceNode, VdeviceType, VmTree } from '../devicetree/rm-rules';
import { parseClock, parseIomem, parseVirtio } from './vm-config-devices';
import type { ClockConfig, IomemConfig, VirtioConfig } from './vm-config-devices';

/** The peer that a vdevice names. */
export type PeerSpec = { readonly kind: 'default' } | { readonly kind: 'name' | 'uri' | 'guid'; readonly value: string };

/** One vdevice. */
export interface VdeviceConfig {
  readonly type: VdeviceType;
  /** The node that describes it. */
  readonly path: string;
  readonly label: number;
  /** Path of the node to create. */
  readonly generate: string;
  readonly pushCompatible: readonly string[];
  readonly peer: PeerSpec | null;
  /** INTIDs given in the tree; empty: RM allocates. */
  readonly interrupts: readonly number[];
  readonly sourceCanClear: boolean;
  /** Of a message queue: whether the VM sends. */
  readonly sends: boolean;
  readonly messageSizeBytes: number;
  readonly queueDepth: number;
  readonly console: boolean;
  readonly dmaBase: bigint | null;
  readonly memory: VdeviceMemory | null;
  readonly virtio: VirtioConfig | null;
  readonly iomem: IomemConfig | null;
  readonly clock: ClockConfig | null;
}

/** The parcel behind a vdevice. */
export interface VdeviceMemory { readonly label: number; readonly base: bigint | null; readonly optional: boolean }

/** RM keeps sizes and depths of queues in 16 bits. */
const QUEUE_MASK = 0xffff;

/** Reads a vdevice node of a type that our generation of RM knows. */
export function parseVdevice(tree: VmTree, { node, type }: { readonly node: VdeviceNode['node']; readonly type: VdeviceType }): VdeviceConfig {
  const vdevice = { node, type };
  const queue = tree.read('message-queue', node);
  const rows = VM_CONFIG_RULES['message-queue'].properties;
  return {
    type,
    path: node.path,
    label: labelOf(vdevice) ?? 0,
    generate: generatedPath(vdevice),
    pushCompatible: queue['push-compatible'] ?? [],
    peer: parsePeer(node.has('peer-default'), tree.read('doorbell', node).peer),
    interrupts: specifiedInterrupts(cells(node, 'interrupts'), vdeviceRow(type).interruptCount, tree.generation) ?? [],
    sourceCanClear: node.has('source-can-clear'),
    sends: queue['is-sender'] === true,
    messageSizeBytes: (queue['message-size'] ?? rows['message-size'].default) & QUEUE_MASK,
    queueDepth: (queue['queue-depth'] ?? rows['queue-depth'].default) & QUEUE_MASK,
    console: node.has('console-dev'),
    dmaBase: tree.read('shm', node)['dma_base'] ?? null,
    memory: parseMemory(tree, vdevice),
    virtio: type === 'virtio-mmio' ? parseVirtio(tree, node) : null,
    iomem: type === 'iomem' ? parseIomem(tree, node) : null,
    clock: type === 'vrtc-pl031' ? parseClock(tree, node) : null,
  };
}

function parsePeer(isDefault: boolean, peer: string | undefined): PeerSpec | null {
  if (isDefault) return { kind: 'default' };
  const match = /^vm-(name|uri|guid):(.*)$/s.exec(peer ?? '');
  const kind = match?.[1];
  return kind === 'name' || kind === 'uri' || kind === 'guid' ? { kind, value: match?.[2] ?? '' } : null;
}

function parseMemory(tree: VmTree, vdevice: VdeviceNode): VdeviceMemory | null {
  const child = memoryChild(vdevice);
  if (child === undefined) return null;
  const values = tree.read('vdevice-memory', child);
  return { label: labelOf(vdevice) ?? 0, base: values.base ?? null, optional: values.optional === true };
}

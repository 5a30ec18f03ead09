/** What vdevice nodes that stand for devices say beside the common properties: virtio devices, device memory and the real-time clock. Judged elsewhere. */

import type { DtNode } from '../devicetree';
import { joinCells, VM_CONFIG_RULES } from '../devicetree/rm-rules';
import type { VmTree } from '../devicetree/rm-rules';

/** A virtio device. */
export interface VirtioConfig { readonly queueCount: number; readonly deviceType: number | null; readonly isCoherent: boolean }

/** Device memory that the owner gives. What is said of the parcel must be true of it; empty lists say nothing. Pairs are for the VM itself and its peer. */
export interface IomemConfig {
  /** The node that gets the properties; the one that `generate` names if null. */
  readonly patch: string | null;
  readonly acl: readonly number[];
  readonly attributes: readonly number[];
  readonly ranges: readonly { readonly address: bigint; readonly sizeBytes: bigint }[];
}

/** A real-time clock; RM shall choose its page if the address is null. */
export interface ClockConfig { readonly base: bigint | null }

const RANGE_CELLS = 4;

/** Reads a `virtio-mmio` node. */
export function parseVirtio(tree: VmTree, node: DtNode): VirtioConfig {
  const values = tree.read('virtio-mmio', node);
  return { queueCount: values['vqs-num'] ?? VM_CONFIG_RULES['virtio-mmio'].properties['vqs-num'].default, deviceType: values['virtio,device-type'] ?? null, isCoherent: values['dma-coherent'] === true };
}

/** Reads an `iomem` node. */
export function parseIomem(tree: VmTree, node: DtNode): IomemConfig {
  const values = tree.read('iomem', node);
  const list = values['qcom,rm_sglist'] ?? [];
  const ranges = Array.from({ length: Math.floor(list.length / RANGE_CELLS) }, (_, i) => ({
    address: joinCells(list.slice(i * RANGE_CELLS, i * RANGE_CELLS + 2)), sizeBytes: joinCells(list.slice(i * RANGE_CELLS + 2, (i + 1) * RANGE_CELLS)),
  }));
  return { patch: values['patch'] ?? null, acl: values['qcom,rm_acl'] ?? [], attributes: values['qcom,rm_attributes'] ?? [], ranges };
}

/** Reads a `vrtc-pl031` node. */
export function parseClock(tree: VmTree, node: DtNode): ClockConfig {
  return { base: tree.read('vrtc-pl031', node).base ?? null };
}

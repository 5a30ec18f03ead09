/** Vdevice nodes of a VM configuration: what each type needs, its peer, its interrupts, and the memory node of shared ones. */

import type { DtNode } from '../devicetree';
import { cells } from './config-node';
import { readNode } from './vm-config-reader';
import type { ConfigReport } from './vm-config-reader';
import type { VdeviceType } from './vm-config-rules';

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
}

/** The parcel behind a vdevice. */
export interface VdeviceMemory { readonly label: number; readonly base: bigint | null; readonly optional: boolean }

const DEFAULT_MESSAGE_SIZE = 240;
const DEFAULT_QUEUE_DEPTH = 8;
const PUSH_COMPATIBLE_MAX = 6;
const RPC_PUSH_COMPATIBLE_MAX = 3;
const PATH_BYTES_MAX = 256;
const PATH_DEPTH_MAX = 16;

/** What distinguishes the types: default path, number of interrupts, whether a peer is needed and which, whether memory backs it. */
const TYPES: Readonly<Record<VdeviceType, { readonly path: string; readonly interrupts: number; readonly peer: 'none' | 'any' | 'default'; readonly memory: boolean }>> = {
  'rm-rpc': { path: '/hypervisor/qcom,resource-manager-rpc', interrupts: 2, peer: 'none', memory: false },
  'doorbell': { path: '/hypervisor/qcom,doorbell', interrupts: 1, peer: 'any', memory: false },
  'doorbell-source': { path: '/hypervisor/qcom,doorbell-source', interrupts: 0, peer: 'any', memory: false },
  'message-queue': { path: '/hypervisor/qcom,message-queue', interrupts: 1, peer: 'default', memory: false },
  'message-queue-pair': { path: '/hypervisor/qcom,message-queue-pair', interrupts: 2, peer: 'any', memory: false },
  'shm': { path: '/hypervisor/qcom,shm', interrupts: 0, peer: 'default', memory: true },
  'shm-doorbell': { path: '/hypervisor/qcom,shm', interrupts: 0, peer: 'default', memory: true },
  'virtio-mmio': { path: '/hypervisor/qcom,virtio_mmio', interrupts: 1, peer: 'default', memory: true },
  'iomem': { path: '/hypervisor/iomem', interrupts: 0, peer: 'default', memory: true },
  'vsmmu-v2': { path: '/hypervisor/vsmmu', interrupts: 0, peer: 'none', memory: false },
  'vrtc-pl031': { path: '/vsoc', interrupts: 0, peer: 'none', memory: false },
};

/** Reads a vdevice node of a known type. */
export function parseVdevice(type: VdeviceType, node: DtNode, report: ConfigReport): VdeviceConfig {
  const common = readNode('message-queue', node, report);
  const traits = TYPES[type];
  const config: VdeviceConfig = {
    type,
    path: node.path,
    label: common['qcom,label'] ?? common['label'] ?? 0,
    generate: common['generate'] ?? traits.path,
    pushCompatible: common['push-compatible'] ?? [],
    peer: parsePeer(common['peer-default'] === true, common['peer'], node, report),
    interrupts: parseInterrupts(node, traits.interrupts, report),
    sourceCanClear: node.has('source-can-clear'),
    sends: common['is-sender'] === true,
    messageSizeBytes: common['message-size'] ?? DEFAULT_MESSAGE_SIZE,
    queueDepth: common['queue-depth'] ?? DEFAULT_QUEUE_DEPTH,
    console: node.has('console-dev'),
    dmaBase: readNode('shm', node, report)['dma_base'] ?? null,
    memory: traits.memory ? parseMemory(node, common['qcom,label'] ?? common['label'], report) : null,
  };
  checkVdevice(config, traits.peer, node, report);
  return config;
}

function checkVdevice(config: VdeviceConfig, peer: 'none' | 'any' | 'default', node: DtNode, report: ConfigReport): void {
  if (config.generate.length > PATH_BYTES_MAX || config.generate.split('/').length > PATH_DEPTH_MAX || !config.generate.startsWith('/')) {
    report.malformed('generate', `${node.path}: generate must be a full path of at most ${PATH_BYTES_MAX} bytes and ${PATH_DEPTH_MAX} levels.`);
  }
  const limit = config.type === 'rm-rpc' ? RPC_PUSH_COMPATIBLE_MAX : PUSH_COMPATIBLE_MAX;
  if (config.pushCompatible.length > limit) report.malformed('push-compatible', `${node.path}: push-compatible has at most ${limit} strings.`);
  if (peer === 'default' && config.peer?.kind !== 'default') report.malformed('peer', `${node.path}: needs peer-default.`);
  if (peer === 'any' && config.peer === null) report.malformed('peer', `${node.path}: needs peer-default or peer.`);
  if (config.type === 'message-queue' && node.has('is-sender') === node.has('is-receiver')) {
    report.malformed('direction', `${node.path}: a message queue needs exactly one of is-sender and is-receiver.`);
  }
}

function parsePeer(isDefault: boolean, peer: string | undefined, node: DtNode, report: ConfigReport): PeerSpec | null {
  if (isDefault) return { kind: 'default' };
  if (peer === undefined) return null;
  const match = /^vm-(name|uri|guid):(.*)$/s.exec(peer);
  const kind = match?.[1];
  if (kind === 'name' || kind === 'uri' || kind === 'guid') return { kind, value: match?.[2] ?? '' };
  report.malformed('peer', `${node.path}: peer "${peer}" must begin with vm-name:, vm-uri: or vm-guid:.`);
  return null;
}

/** INTIDs of exactly `count` specifiers; anything else is ignored, as RM does. */
function parseInterrupts(node: DtNode, count: number, report: ConfigReport): readonly number[] {
  const values = cells(node, 'interrupts');
  if (values === undefined) return [];
  const intids = Array.from({ length: Math.floor(values.length / 3) }, (_, i) => interruptId(values[3 * i] ?? 0, values[3 * i + 1] ?? 0));
  const valid = intids.filter((intid) => intid !== undefined);
  if (values.length === 3 * count && valid.length === count) return valid;
  report.warning('interrupts', `${node.path}: interrupts must be exactly ${count} valid specifiers; RM ignores them and allocates.`);
  return [];
}

/** GIC interrupt identifier of a specifier; `undefined` outside the ranges that a VM can have. */
export function interruptId(interruptClass: number, number: number): number | undefined {
  if (interruptClass === 0) return number <= 987 ? number + 32 : undefined;
  if (interruptClass === 1) return number <= 15 ? number + 16 : undefined;
  return undefined;
}

function parseMemory(node: DtNode, label: number | undefined, report: ConfigReport): VdeviceMemory | null {
  const child = node.children[0];
  if (node.children.length !== 1 || child?.name !== 'memory') {
    report.malformed('memory', `${node.path}: needs exactly one child node, named memory.`);
    return null;
  }
  const values = readNode('vdevice-memory', child, report);
  if (values['label'] === undefined) report.malformed('memory-label', `${child.path}: needs a label.`);
  if ((values['base'] !== undefined) === (values['allocate-base'] === true)) report.malformed('memory-base', `${child.path}: needs exactly one of base and allocate-base.`);
  return { label: label ?? values['label'] ?? 0, base: values['base'] ?? null, optional: values['optional'] === true };
}

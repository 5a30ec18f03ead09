/** RM's rules about vdevice nodes, and the check that drivers of the guest find the vdevices that they look for. */

import type { DtNode } from '../tree';
import { CONSUMERS } from './consumer-rows';
import type { RmCheck, RuleCheck } from './finding';
import { PUSH_COMPATIBLE_MAX, VDEVICES_MAX, VM_CONFIG_RULES } from './node-rows';
import { cells, DEPTH_MAX, firstString, oneCell, PATH_BYTES_MAX, strings } from './read';
import type { RmRuleId } from './rule-rows';
import { specifiedInterrupts, vdeviceRow, type AnyVdeviceType } from './vdevice-rows';
import type { VdeviceNode } from './vm-tree';

/** A check of each vdevice. */
function ofEach(work: (check: RmCheck, vdevice: VdeviceNode) => void): RuleCheck {
  return (check) => { for (const vdevice of check.tree.vdevices) work(check, vdevice); };
}

/** A check of each vdevice of some types. */
function ofTypes(types: readonly AnyVdeviceType[], work: (check: RmCheck, node: DtNode) => void): RuleCheck {
  return ofEach((check, { node, type }) => { if (types.includes(type)) work(check, node); });
}

/** The child that says which parcel backs a vdevice. */
export function memoryChild({ node, type }: VdeviceNode): DtNode | undefined {
  const { memory } = vdeviceRow(type);
  if (memory === 'none') return undefined;
  const named = node.children.filter(({ name }) => name === 'memory');
  return named.length === 1 && (memory === 'loose' || node.children.length === 1) ? named[0] : undefined;
}

/** The label of one node: `qcom,label` wins. */
function ownLabel(node: DtNode): number | undefined {
  return oneCell(node, 'qcom,label') ?? oneCell(node, 'label');
}

/** The label by which the guest and RM know a vdevice. That of its memory counts where the vdevice itself has none; for device memory it wins. */
export function labelOf(vdevice: VdeviceNode): number | undefined {
  const memory = memoryChild(vdevice);
  const inner = memory === undefined ? undefined : ownLabel(memory);
  return vdeviceRow(vdevice.type).memory === 'loose' ? inner ?? ownLabel(vdevice.node) : ownLabel(vdevice.node) ?? inner;
}

/** The path of the node that RM creates for a vdevice, without what it appends; empty if none. */
export function generatedPath({ node, type }: VdeviceNode): string {
  return firstString(node, 'generate') ?? (vdeviceRow(type).memory === 'loose' ? firstString(node, 'patch') : undefined) ?? vdeviceRow(type).path;
}

function generate(check: RmCheck, { node, type }: VdeviceNode): void {
  if (type === 'vsmmu-v2') return;
  const path = firstString(node, 'generate');
  if (path === undefined) return;
  const parts = path.split('/').slice(1);
  if (path.startsWith('/') && path.length <= PATH_BYTES_MAX && parts.length <= DEPTH_MAX && parts.every((part) => part !== '')) return;
  check.report(node, `generate must be a full path of at most ${String(PATH_BYTES_MAX)} bytes and ${String(DEPTH_MAX)} levels.`, 'generate');
}

function generateTwice(check: RmCheck): void {
  const seen = new Map<string, DtNode>();
  for (const vdevice of check.tree.vdevices) {
    const path = generatedPath(vdevice);
    if (path === '' || vdeviceRow(vdevice.type).suffix !== 'none' || vdevice.type === 'vrtc-pl031') continue;
    const first = seen.get(path);
    if (first === undefined) seen.set(path, vdevice.node);
    else check.report(vdevice.node, `creates ${path}, as ${first.path} does; one overwrites the other's properties.`, vdevice.node.has('generate') ? 'generate' : undefined);
  }
}

function pushCompatible(check: RmCheck, { node, type }: VdeviceNode): void {
  if (type === 'vsmmu-v2' || type === 'vrtc-pl031') return;
  const limit = PUSH_COMPATIBLE_MAX - (vdeviceRow(type).pushedByRm?.length ?? 0);
  const count = strings(node, 'push-compatible')?.length ?? 0;
  if (count > limit) check.report(node, `push-compatible has at most ${String(limit)} strings here; it has ${String(count)}.`, 'push-compatible');
}

function peer(check: RmCheck, { node, type }: VdeviceNode): void {
  const { peer: wanted } = vdeviceRow(type);
  if (wanted === 'none' || node.has('peer-default')) return;
  if (wanted === 'default') check.report(node, 'needs peer-default: only the owner can be the peer.');
  else if (firstString(node, 'peer') === undefined) check.report(node, 'needs peer-default (the VM’s owner) or peer (another VM): who is at the other end.');
}

function peerForm(check: RmCheck, { node, type }: VdeviceNode): void {
  const value = firstString(node, 'peer');
  if (vdeviceRow(type).peer !== 'any' || node.has('peer-default') || value === undefined || /^vm-(name|uri|guid):/.test(value)) return;
  check.report(node, `peer "${value}" names nobody: it must begin with vm-name:, vm-uri: or vm-guid:.`, 'peer');
}

function interrupts(check: RmCheck, { node, type }: VdeviceNode): void {
  const { interruptCount } = vdeviceRow(type);
  if (!node.has('interrupts') || interruptCount === 0) return;
  if (specifiedInterrupts(cells(node, 'interrupts'), interruptCount, check.tree.generation) !== undefined) return;
  check.report(node, `interrupts must be exactly ${String(interruptCount)} valid specifiers of three cells; RM ignores them and allocates.`, 'interrupts');
}

/** Least size of the configuration space of a virtual PCI host. */
const PCI_CONFIG_LEAST = 0x20_0000n;

function pciSizes(check: RmCheck, node: DtNode): void {
  const { 'config-size': config, 'npmem-size': memory } = check.tree.read('pci', node);
  if (config !== undefined && config < PCI_CONFIG_LEAST) check.report(node, 'config-size must be at least 2 MiB.', 'config-size');
  if (!node.has('npmem-size')) check.report(node, 'needs npmem-size: how much memory of devices the guest sees.');
  else if (memory !== undefined && (memory === 0n || (memory & (memory - 1n)) !== 0n)) check.report(node, 'npmem-size must be a power of two.', 'npmem-size');
}

function queueLimits(check: RmCheck, node: DtNode): void {
  const rows = VM_CONFIG_RULES['message-queue'].properties;
  for (const name of ['message-size', 'queue-depth'] as const) {
    const value = (oneCell(node, name) ?? rows[name].default) & 0xffff;
    if (value < rows[name].least || value > rows[name].greatest) check.report(node, `${name} must be ${String(rows[name].least)} to ${String(rows[name].greatest)}.`, name);
  }
}

function consoleTwice(check: RmCheck): void {
  const consoles = check.tree.vdevices.filter(({ node, type }) => type === 'rm-rpc' && node.has('console-dev'));
  for (const { node } of consoles.slice(1)) check.report(node, `a VM has one console; ${consoles[0]?.node.path ?? ''} has it already.`, 'console-dev');
}

function memoryChildRule(check: RmCheck, vdevice: VdeviceNode): void {
  const { memory } = vdeviceRow(vdevice.type);
  if (memory === 'none' || memoryChild(vdevice) !== undefined) return;
  if (check.tree.generation === 'newer' && vdevice.type === 'virtio-mmio' && vdevice.node.children.length === 0) return;
  check.report(vdevice.node, memory === 'loose' ? 'needs one child node named memory.' : 'needs exactly one child node, named memory.');
}

function ofMemory(work: (check: RmCheck, memory: DtNode, vdevice: VdeviceNode) => void): RuleCheck {
  return ofEach((check, vdevice) => {
    const memory = memoryChild(vdevice);
    if (memory !== undefined) work(check, memory, vdevice);
  });
}

function memoryBase(check: RmCheck, memory: DtNode, { type }: VdeviceNode): void {
  if (vdeviceRow(type).memory === 'loose') return;
  const hasBase = check.tree.read('vdevice-memory', memory).base !== undefined;
  if (hasBase === memory.has('allocate-base')) check.report(memory, hasBase ? 'has both base and allocate-base; give one.' : 'needs exactly one of base and allocate-base.', hasBase ? 'base' : undefined);
}

function vsmmu(check: RmCheck, node: DtNode): void {
  const values = check.tree.read('vsmmu-v2', node);
  const rows = VM_CONFIG_RULES['vsmmu-v2'].properties;
  for (const name of ['smmu-handle', 'patch', 'num-cbs', 'num-smrs'] as const) if (values[name] === undefined) check.report(node, `needs ${name}.`, node.has(name) ? name : undefined);
  for (const name of ['num-cbs', 'num-smrs'] as const) if ((values[name] ?? 0) > rows[name].greatest) check.report(node, `${name} must be at most ${String(rows[name].greatest)}.`, name);
}

function vrtcBase(check: RmCheck, node: DtNode): void {
  const base = node.property('base');
  if (base !== undefined && base.bytes.length !== 8) check.report(node, 'base must be two cells.', 'base');
  else if ((base !== undefined) === node.has('allocate-base')) check.report(node, base === undefined ? 'needs exactly one of base and allocate-base.' : 'has both base and allocate-base; give one.', base === undefined ? undefined : 'base');
}

function labelTwice(check: RmCheck): void {
  const seen = new Map<string, DtNode>();
  for (const vdevice of check.tree.vdevices) {
    const { node, type } = vdevice;
    if (type === 'rm-rpc' || (vdeviceRow(type).gives.length === 0)) continue;
    const label = labelOf(vdevice) ?? 0;
    const key = JSON.stringify([type, label, node.has('is-sender'), node.has('peer-default') ? '' : firstString(node, 'peer') ?? '']);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, node);
    else check.report(node, `has the label 0x${label.toString(16)} of ${first.path}, which is of the same kind; a guest cannot tell them apart.`, ['qcom,label', 'label'].find((name) => node.has(name)));
  }
}

/** Nodes outside the configuration that look for a vdevice by its label. */
function consumerLabels(check: RmCheck): void {
  const { config, root, vdevices } = check.tree;
  if (config === undefined) return;
  const inside = new Set(vdevices.flatMap(({ node }) => [...node.walk()]));
  for (const node of root.walk()) {
    if (inside.has(node) || node.path.startsWith(`${config.path}/`) || firstString(node, 'status') === 'disabled') continue;
    for (const row of CONSUMERS) if (row.compatible.some((name) => strings(node, 'compatible')?.includes(name) === true)) consumerLabel(check, node, row);
  }
}

function consumerLabel(check: RmCheck, node: DtNode, row: (typeof CONSUMERS)[number]): void {
  for (const property of row.labels) {
    for (const label of cells(node, property) ?? []) {
      const isThere = check.tree.vdevices.some((vdevice) => labelOf(vdevice) === label && vdeviceRow(vdevice.type).gives.some((kind) => row.wants.some((wanted) => wanted === kind)));
      const kinds = row.wants.join(' or ').replaceAll('-', ' ');
      if (!isThere) check.report(node, `${property} 0x${label.toString(16)}: the VM configuration has no ${kinds} with this label, so the driver (${row.compatible[0]}) never finds it.`, property);
    }
  }
}

/** The checks of this part. */
export const VDEVICE_CHECKS = {
  'generate': ofEach(generate),
  'rm-rpc-generate': ofTypes(['rm-rpc'], (check, node) => { if (check.tree.generation === 'open-2023' && firstString(node, 'generate') === undefined) check.report(node, 'needs generate: RM has no path of its own for this node, and the RM of 2023 fails without one.'); }),
  'generate-twice': generateTwice,
  'generate-or-patch': ofTypes(['virtio-mmio', 'virtio-pci'], (check, node) => { if (node.has('generate') && node.has('patch')) check.report(node, 'has both generate and patch; give one.', 'patch'); }),
  'push-compatible': ofEach(pushCompatible),
  'peer': ofEach(peer),
  'peer-form': ofEach(peerForm),
  'interrupts': ofEach(interrupts),
  'direction': ofTypes(['message-queue'], (check, node) => { if (node.has('is-sender') === node.has('is-receiver')) check.report(node, 'a message queue needs exactly one of is-sender and is-receiver.', node.has('is-sender') ? 'is-sender' : undefined); }),
  'queue-limits': ofTypes(['rm-rpc', 'message-queue', 'message-queue-pair'], queueLimits),
  'console-twice': consoleTwice,
  'memory-child': ofEach(memoryChildRule),
  'memory-label': ofMemory((check, memory) => { if (ownLabel(memory) === undefined) check.report(memory, 'needs a label: the number by which the owner shares the memory.'); }),
  'memory-base': ofMemory(memoryBase),
  'iomem-path': ofTypes(['iomem'], (check, node) => { if (firstString(node, 'generate') === undefined && firstString(node, 'patch') === undefined) check.report(node, 'needs generate or patch: the path of the node to create or to change.'); }),
  'iomem-list': ofTypes(['iomem'], (check, node) => { if ((node.property('qcom,rm_sglist')?.bytes.length ?? 0) % 16 !== 0) check.report(node, 'qcom,rm_sglist has four cells per entry: address and size, two each.', 'qcom,rm_sglist'); }),
  'vsmmu': ofTypes(['vsmmu-v2'], vsmmu),
  'vrtc-twice': (check) => { for (const { node } of check.tree.vdevices.filter(({ type }) => type === 'vrtc-pl031').slice(1)) check.report(node, 'a VM has one real-time clock.', 'vdevice-type'); },
  'vrtc-base': ofTypes(['vrtc-pl031'], vrtcBase),
  'vrtc-allocate': ofTypes(['vrtc-pl031'], (check, node) => { if (check.tree.trust !== 'unknown' && node.has('allocate-base') && !node.has('base')) check.report(node, 'this platform cannot choose a page; give base.', 'allocate-base'); }),
  'pci-sizes': ofTypes(['pci'], pciSizes),
  'label-twice': labelTwice,
  'too-many-vdevices': (check) => { const surplus = check.tree.vdevices[VDEVICES_MAX]; if (surplus !== undefined) check.report(surplus.node, `a VM has at most ${String(VDEVICES_MAX)} vdevices.`); },
  'consumer-label': consumerLabels,
} as const satisfies Partial<Record<RmRuleId, RuleCheck>>;

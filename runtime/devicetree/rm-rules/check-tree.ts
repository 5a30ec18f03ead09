/** RM's rules about the tree as a whole and about properties of any node. */

import type { DtNode } from '../tree';
import type { RmCheck, RuleCheck } from './finding';
import { rowsOf, VM_CONFIG_RULES, type NodeRuleName, type PropertyRule } from './node-rows';
import { cells, cellCounts, nodeAt, strings } from './read';
import type { RmRuleId } from './rule-rows';
import { HANDLERS, vdeviceRow } from './vdevice-rows';
import { isTooDeep } from './vm-tree';

/** Nodes whose properties RM reads by rows, with the kind of rows. */
export function readNodes({ tree }: RmCheck): readonly { readonly node: DtNode; readonly kind: NodeRuleName }[] {
  const parts = (['memory', 'vcpus', 'interrupts', 'segments'] as const).flatMap((kind) => {
    const node = tree.part(kind);
    return node === undefined ? [] : [{ node, kind }];
  });
  const memories = tree.vdevices.filter(({ type }) => vdeviceRow(type).memory !== 'none').flatMap(({ node }) => node.children.filter(({ name }) => name === 'memory'));
  return [
    ...(tree.config === undefined ? [] : [{ node: tree.config, kind: 'vm-config' as const }]),
    ...parts,
    ...tree.vdevices.map(({ node, type }) => ({ node, kind: type })),
    ...memories.map((node) => ({ node, kind: 'vdevice-memory' as const })),
  ];
}

/** Each property of a read node that has a row. */
function readProperties(check: RmCheck): readonly { readonly node: DtNode; readonly kind: NodeRuleName; readonly name: string; readonly row: PropertyRule }[] {
  return readNodes(check).flatMap(({ node, kind }) => Object.entries(rowsOf(kind)).filter(([name]) => node.has(name)).map(([name, row]) => ({ node, kind, name, row })));
}

/** Properties whose wrong form is another rule's affair, or no affair: their values are not read as the rows say. */
const JUDGED_ELSEWHERE = new Set(['vm-attrs', 'image-name', 'vm-uri', 'push-compatible', 'interrupts', 'iomemory-ranges', 'gic-irq-ranges', 'peer', 'smmu-handle', 'num-cbs', 'num-smrs', 'qcom,rm_sglist']);

function ignoredValue(check: RmCheck): void {
  for (const { node, kind, name, row } of readProperties(check)) {
    if (!check.tree.reads(row) || JUDGED_ELSEWHERE.has(name) || row.countMax !== undefined || check.tree.property(node, name, row) !== undefined) continue;
    if (kind === 'interrupts' || (kind === 'vrtc-pl031' && name === 'base')) continue;
    check.report(node, `${name} ${formOf(check, row, node)}; RM takes any other form for an absent property.`, name);
  }
}

function formOf({ tree }: RmCheck, row: PropertyRule, node: DtNode): string {
  const count = tree.cellsOf(row, node);
  const words = count === 1 ? 'one cell' : count === 2 ? 'two cells' : `${String(count)} cells, which RM cannot read`;
  switch (row.type) {
    case 'u32': case 's32': return 'must be one cell';
    case 'u64': return 'must be two cells';
    case 'address': case 'size': return row.isFixed === true ? `must be ${words}, whatever the parent’s cells say` : `must be ${words}, as the parent’s cells say`;
    case 'cells': return 'must be whole cells';
    default: return 'must be text';
  }
}

function ownCells(check: RmCheck): void {
  for (const { node, kind } of readNodes(check)) {
    if (kind !== 'memory' && kind !== 'vdevice-memory') continue;
    const counts = cellCounts(node.parent);
    for (const [name, isOf] of [['#address-cells', 'address'], ['#size-cells', 'size']] as const) {
      const own = cells(node, name)?.[0];
      const used = Object.entries(rowsOf(kind)).some(([property, row]) => row.type === isOf && node.has(property));
      if (own !== undefined && used && own !== counts[isOf]) check.report(node, `${name} of ${node.name} itself changes nothing here: the parent’s counts, which is ${String(counts[isOf])}.`, name);
    }
  }
}

function unaligned(check: RmCheck): void {
  for (const { node, name, row } of readProperties(check)) {
    const value = row.pageAligned === true && check.tree.reads(row) ? check.tree.property(node, name, row) : undefined;
    if (typeof value === 'bigint' && value % 0x1000n !== 0n) check.report(node, `${name} must be a multiple of 4096.`, name);
  }
}

function arrayLength(check: RmCheck): void {
  for (const { node, name, row } of readProperties(check)) {
    if (row.countMax === undefined || row.type !== 'cells') continue;
    const value = cells(node, name);
    if (value === undefined || value.length > row.countMax) check.report(node, `${name} must be at most ${String(row.countMax)} whole cells.`, name);
  }
}

function otherGeneration(check: RmCheck): void {
  for (const { node, name, row } of readProperties(check)) {
    if (!check.tree.reads(row)) check.report(node, `${name} means nothing to RM of this generation (${check.tree.generation}); it is read by ${row.readBy ?? 'none'}.`, name);
  }
}

/** Properties that belong to the specification or to bindings, and are no misspelling of one of RM's. */
const COMMON = new Set(['compatible', 'status', 'reg', 'ranges', 'phandle', 'linux,phandle', 'device_type', 'name', '#address-cells', '#size-cells', 'interrupt-parent', 'generate', 'boot-config', 'no-map', 'patch']);

function unknownProperty(check: RmCheck): void {
  const everywhere = new Set(Object.keys(VM_CONFIG_RULES).filter(isKind).flatMap((kind) => Object.keys(rowsOf(kind))));
  for (const { node, kind } of readNodes(check)) {
    const known = Object.keys(rowsOf(kind));
    for (const { name } of node.properties) {
      if (everywhere.has(name) || COMMON.has(name)) continue;
      const meant = known.find((candidate) => !node.has(candidate) && isNear(name, candidate));
      if (meant !== undefined) check.report(node, `RM does not know ${name} and passes over it. Is ${meant} meant?`, name);
    }
  }
}

function isKind(name: string): name is NodeRuleName {
  return Object.hasOwn(VM_CONFIG_RULES, name);
}

/** True if two names differ by one or two characters put in, left out, changed or exchanged, or by an underscore for a hyphen. */
export function isNear(one: string, other: string): boolean {
  if (one === other || Math.abs(one.length - other.length) > 2 || Math.min(one.length, other.length) < 4 || one.length > 64) return false;
  if (one.replaceAll('_', '-') === other.replaceAll('_', '-')) return true;
  const limit = Math.min(one.length, other.length) < 8 ? 1 : 2;
  let rows: readonly [readonly number[], readonly number[]] = [[], Array.from({ length: other.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= one.length; i++) {
    const [before, last] = rows;
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    rows = [last, row];
  }
  return (rows[1][other.length] ?? 99) <= limit;
}

function memoryNode(check: RmCheck): void {
  for (const node of check.tree.visited) {
    if (check.tree.handlerOf(node) === 'memory-node' && node.path !== '/memory') check.report(node, 'a node with device_type "memory" must be /memory itself, which RM replaces.', 'device_type');
  }
}

function tooDeep(check: RmCheck): void {
  for (const node of check.tree.root.walk()) {
    if (isTooDeep(node)) {
      check.report(node, 'RM reads at most 15 levels below the root and paths of at most 255 bytes.');
      return;
    }
  }
}

function hypervisorNode(check: RmCheck): void {
  const node = check.tree.root.children.find(({ name }) => name === 'hypervisor');
  if (node !== undefined) check.report(node, 'the device tree already has a node /hypervisor; RM adds that node itself, so VM_START fails. Remove it.');
}

function shadowedVdevice(check: RmCheck): void {
  for (const node of check.tree.visited) {
    const handler = check.tree.handlerOf(node);
    if (handler !== undefined && handler !== 'vdevice' && check.tree.typeOf(node) !== undefined) {
      const row = HANDLERS.find((candidate) => candidate.handler === handler);
      check.report(node, `this node makes no vdevice, because RM takes it for something else first: ${row?.summary ?? handler}`, 'vdevice-type');
    }
  }
}

function vdeviceType(check: RmCheck): void {
  for (const node of check.tree.visited) {
    if (!node.has('vdevice-type') || check.tree.typeOf(node) !== undefined) continue;
    const words = strings(node, 'vdevice-type');
    check.report(node, `vdevice-type "${words?.[0] ?? ''}" means nothing to RM of this generation (${check.tree.generation}); the node has no effect.`, 'vdevice-type');
  }
}

function reservedRanges(check: RmCheck): void {
  const node = nodeAt(check.tree.root, '/reserved-memory');
  if (node === undefined) return;
  const counts = cellCounts(node);
  const own = cells(node, 'ranges');
  const outer = cellCounts(node.parent);
  const step = counts.address + outer.address + counts.size;
  const isDirect = own !== undefined && Array.from({ length: step === 0 ? 0 : Math.floor(own.length / step) }, (_, i) => own.slice(i * step, i * step + step))
    .every((entry) => entry.slice(0, counts.address).join() === entry.slice(counts.address, counts.address + outer.address).join());
  if (!isDirect) check.report(node, 'needs ranges that map addresses one to one.', 'ranges');
}

function reservedReg(check: RmCheck): void {
  const reserved = nodeAt(check.tree.root, '/reserved-memory');
  if (reserved === undefined) return;
  const { address, size } = cellCounts(reserved);
  for (const node of reserved.children) {
    if ((cells(node, 'reg')?.length ?? 0) > address + size) check.report(node, 'has more than one entry in reg; give each range a node of its own.', 'reg');
  }
}

function targetVmid(check: RmCheck): void {
  for (const node of nodeAt(check.tree.root, '/reserved-memory')?.children ?? []) {
    if (node.has('qcom,target-vmid') && !node.has('no-map')) check.report(node, 'a node with qcom,target-vmid needs no-map.', 'qcom,target-vmid');
  }
}

/** The checks of this part. */
export const TREE_CHECKS = {
  'missing': (check) => { if (check.tree.config === undefined) check.report(check.tree.root, 'The device tree has no node /gunyah-vm-config; without it RM cannot tell what the VM shall be.'); },
  'memory-node': memoryNode,
  'too-deep': tooDeep,
  'hypervisor-node': hypervisorNode,
  'shadowed-vdevice': shadowedVdevice,
  'not-visited': (check) => { for (const node of check.tree.unvisited) check.report(node, 'RM of this generation does not look here: a node above is unknown to it and has no ranges.', 'vdevice-type'); },
  'vdevice-type': vdeviceType,
  'ignored-value': ignoredValue,
  'own-cells': ownCells,
  'unaligned': unaligned,
  'array-length': arrayLength,
  'other-generation': otherGeneration,
  'unknown-property': unknownProperty,
  'reserved-ranges': reservedRanges,
  'reserved-reg': reservedReg,
  'target-vmid': targetVmid,
} as const satisfies Partial<Record<RmRuleId, RuleCheck>>;


/** Fixes of what the Resource Manager would refuse or pass over in a VM configuration, by the rule's code. */

import { CONSUMERS, labelOf, oneCell, OUR_GENERATION, VDEVICE_TYPES, vdeviceRow, VDEVICES, VM_CONFIG_RULES, VmTree, type VdeviceNode } from '../../runtime/devicetree/rm-rules';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import { fittingCells } from './cell-fixes';
import type { Fix, FixContext } from './fix';
import { childElsewhere, childNode, nodeOf, removed, statementFix, statements, valued } from './node-fixes';
import { changed } from './value-fixes';

type Maybe = Fix | undefined;

/** The table. */
export const RM_FIXES: Readonly<Record<string, (context: FixContext) => readonly Maybe[]>> = {
  'vm-config-peer': (context) => [statements(context, ['peer-default;']), isFreeToChoosePeer(context) ? statements(context, ['peer = "vm-name:";']) : undefined],
  'vm-config-peer-form': (context) => [atString(context, (text) => `vm-name:${text.replace(/^vm-?(?:name|uri|guid)?:/i, '')}`)],
  'vm-config-direction': (context) => (nodeOf(context)?.has('is-sender') === true ? ['is-sender', 'is-receiver'].flatMap((name) => removed(context, name)) : [statements(context, ['is-sender;']), statements(context, ['is-receiver;'])]),
  'vm-config-image-name': (context) => [lacks(context, 'image-name') ? statements(context, ['image-name = "guest";']) : undefined],
  'vm-config-enable-method': (context) => [lacks(context, 'enable-method') ? statements(context, ['enable-method = "psci";']) : undefined],
  'vm-config-sched-priority': (context) => [lacks(context, 'sched-priority') ? statements(context, ['sched-priority = <(-1)>;']) : valued(context, 'sched-priority', '<(-1)>')],
  'vm-config-memory-base': (context) => [lacks(context, 'base') ? statements(context, ['allocate-base;']) : undefined],
  'vm-config-memory-child': (context) => [nodeOf(context)?.children.length === 0 ? childNode(context, ['memory {', `\tlabel = <0x${(labelIn(nodeOf(context)) ?? 1).toString(16)}>;`, '\tallocate-base;', '};']) : undefined],
  'vm-config-base-address': roundedBase,
  'vm-config-gic-phandle': (context) => [pathInsteadOfPhandle(context)],
  'vm-config-gic-compatible': (context) => [lacks(context, 'compatible') ? statements(context, ['compatible = "arm,gic-v3";']) : undefined],
  'vm-config-gic-cells': gicCells,
  'vm-config-generate': (context) => [atString(context, (text) => (text.startsWith('/') ? undefined : `/${text}`))],
  'vm-config-hypervisor-node': (context) => [statementFix(context, 'Remove this node')],
  'vm-config-ignored-value': fittingCells,
  'vm-config-interrupts': (context) => removed(context, 'interrupts').map((fix) => ({ ...fix, title: 'Remove interrupts, so that RM allocates' })),
  'vm-config-no-vcpus': (context) => [vcpus(context)],
  'vm-config-cpus-path': (context) => [context.analysis.judged.root.child('cpus') === undefined ? undefined : atString(context, () => '/cpus')],
  'vm-config-affinity-map': affinityMap,
  'vm-config-queue-limits': withinLimits,
  'vm-config-label-twice': (context) => (context.problem.about === undefined ? [] : [valued(context, context.problem.about, `<0x${freeLabel(context).toString(16)}>`)]),
  'vm-config-consumer-label': consumerLabel,
  'vm-config-unknown-property': (context) => [meantName(context)],
};

function lacks(context: FixContext, name: string): boolean {
  return nodeOf(context)?.has(name) === false;
}

/** Only doorbells and pairs of queues may have another peer than the VM's owner. */
function isFreeToChoosePeer(context: FixContext): boolean {
  const type = nodeOf(context)?.string('vdevice-type');
  const known = VDEVICE_TYPES.find((one) => one === type);
  return known !== undefined && vdeviceRow(known).peer === 'any';
}

/** Changes the string at the problem. */
function atString({ source, start, end }: FixContext, to: (text: string) => string | undefined): Maybe {
  const typed = /^"(.*)"$/.exec(source.syntax.text.slice(start, end))?.[1];
  const wanted = typed === undefined ? undefined : to(typed);
  return wanted === undefined ? undefined : changed(start, end, `"${wanted}"`);
}

function labelIn(node: DtNode | undefined): number | undefined {
  return node === undefined ? undefined : oneCell(node, 'label') ?? oneCell(node, 'qcom,label');
}

const BASE_ALIGNMENT = 0x20_0000n;

function roundedBase(context: FixContext): readonly Maybe[] {
  const value = nodeOf(context)?.property('base-address');
  const base = value?.numberAt(0, Math.min(2, value.bytes.length >> 2));
  if (value === undefined || base === undefined || value.bytes.length > 8) return [];
  const rounded = ((base + BASE_ALIGNMENT - 1n) / BASE_ALIGNMENT) * BASE_ALIGNMENT;
  const cells = value.bytes.length === 8 ? `0x${(rounded >> 32n).toString(16)} 0x${(rounded & 0xffff_ffffn).toString(16)}` : `0x${rounded.toString(16)}`;
  return [valued(context, 'base-address', `<${cells}>`)];
}

function pathInsteadOfPhandle(context: FixContext): Maybe {
  const { judged } = context.analysis;
  const phandle = nodeOf(context)?.u32('config');
  const target = phandle === undefined ? undefined : [...judged.root.walk()].find((node) => node.u32('phandle') === phandle);
  return target === undefined ? undefined : valued(context, 'config', `"${target.path}"`);
}

function gicCells(context: FixContext): readonly Maybe[] {
  const texts = [...(lacks(context, 'interrupt-controller') ? ['interrupt-controller;'] : []), ...(lacks(context, '#interrupt-cells') ? ['#interrupt-cells = <3>;'] : [])];
  return [texts.length === 0 ? valued(context, '#interrupt-cells', '<3>') : statements(context, texts)];
}

/** CPU nodes that vCPUs are made of. */
function cpuCount({ analysis }: FixContext, path: string): number {
  return analysis.judged.root.at(path)?.children.filter((child) => child.string('device_type') === 'cpu').length ?? 0;
}

function counted(count: number): string {
  return Array.from({ length: count }, (_, cpu) => String(cpu)).join(' ');
}

function vcpus(context: FixContext): Maybe {
  const count = cpuCount(context, '/cpus');
  return count === 0 ? undefined : childNode(context, ['vcpus {', '\tconfig = "/cpus";', '\taffinity = "static";', `\taffinity-map = <${counted(count)}>;`, '\tsched-priority = <(-1)>;', '};']);
}

function affinityMap(context: FixContext): readonly Maybe[] {
  const count = cpuCount(context, nodeOf(context)?.string('config') ?? '/cpus');
  const value = `<${counted(count)}>`;
  if (count === 0) return [];
  return [lacks(context, 'affinity-map') ? statements(context, [`affinity-map = ${value};`]) : valued(context, 'affinity-map', value)];
}

function withinLimits(context: FixContext): readonly Maybe[] {
  const { about } = context.problem;
  if (about !== 'message-size' && about !== 'queue-depth') return [];
  const { least, greatest } = VM_CONFIG_RULES['message-queue'].properties[about];
  const now = nodeOf(context)?.u32(about);
  return now === undefined ? [] : [valued(context, about, `<${String(now < least ? least : greatest)}>`)];
}

function vmTree({ judged, law }: Analysis): VmTree {
  return new VmTree(judged.root, typeof law.reading === 'string' ? { generation: law.reading, trust: 'unknown' } : law.reading ?? { generation: OUR_GENERATION, trust: 'unknown' });
}

function vdevicesOf({ analysis }: FixContext): readonly VdeviceNode[] {
  return vmTree(analysis).vdevices;
}

function freeLabel(context: FixContext): number {
  const used = new Set(vdevicesOf(context).map((vdevice) => labelOf(vdevice)));
  let label = 1;
  while (used.has(label)) label++;
  return label;
}

/** Either another label, of a vdevice that is there, or the vdevice that the driver looks for. */
function consumerLabel(context: FixContext): readonly Maybe[] {
  const node = nodeOf(context);
  const { about, nodePath } = context.problem;
  const row = CONSUMERS.find(({ compatible }) => compatible.some((name) => node?.isCompatible(name) === true));
  const wanted = node === undefined || about === undefined ? undefined : oneCell(node, about);
  if (row === undefined || about === undefined || wanted === undefined || nodePath === undefined) return [];
  const gives = (type: keyof typeof VDEVICES): boolean => vdeviceRow(type).gives.some((kind) => row.wants.some((one) => one === kind));
  const fitting = vdevicesOf(context).filter((vdevice) => gives(vdevice.type)).flatMap((vdevice) => labelOf(vdevice) ?? []);
  return [addedVdevice(context, row.wants, wanted), ...[...new Set(fitting)].slice(0, 3).map((label) => valued(context, about, `<0x${label.toString(16)}>`))];
}

/** The simplest vdevice of a kind. */
const SIMPLEST = { 'message-queue': 'message-queue-pair', 'doorbell': 'doorbell', 'shared-memory': 'shm' } as const;

function addedVdevice({ analysis }: FixContext, wants: (typeof CONSUMERS)[number]['wants'], label: number): Maybe {
  const [kind] = wants;
  const parent = vmTree(analysis).config?.child('vdevices');
  if (kind === undefined || parent === undefined) return undefined;
  const type = SIMPLEST[kind];
  const hex = `0x${label.toString(16)}`;
  const base = `${type}-${label.toString(16)}`;
  const memory = type === 'shm' ? ['', '\tmemory {', `\t\tlabel = <${hex}>;`, '\t\tallocate-base;', '\t};'] : [];
  const edit = childElsewhere(analysis, parent, [`${base} {`, `\tvdevice-type = "${type}";`, `\tgenerate = "/hypervisor/${base}";`, `\tlabel = <${hex}>;`, '\tpeer-default;', ...memory, '};']);
  return edit === undefined ? undefined : { title: `Add a vdevice ${type} with label ${hex} to the VM configuration`, edits: [edit] };
}

function meantName({ problem, source, parts }: FixContext): Maybe {
  const meant = /Is ([\w,.#+-]+) meant\?/.exec(problem.message)?.[1];
  const name = [...parts].reverse().find((part) => part.kind === 'property' && part.name?.text === problem.about)?.name;
  if (meant === undefined || name === undefined || source.syntax.text.slice(name.start, name.end) !== name.text) return undefined;
  return { title: `Rename to ${meant}`, edits: [{ start: name.start, end: name.end, text: meant }] };
}

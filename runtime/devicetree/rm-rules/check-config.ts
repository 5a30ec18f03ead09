/** RM's rules about the configuration node: identity, memory, vCPUs and the interrupt controller. */

import type { DtNode } from '../tree';
import type { RmCheck, RuleCheck } from './finding';
import { ADDRESS_SPACE_END, BASE_ALIGNMENT, CPUS_MAX, DEFAULT_BASE_ADDRESS, DEFAULT_SIZE_MAX, NAME_BYTES_MAX, NEWER_CPUS_MAX, VM_CONFIG_RULES } from './node-rows';
import { cellCounts, cells, firstString, joinCells, nodeAt, oneCell, strings } from './read';
import type { RmRuleId } from './rule-rows';

const RULES = VM_CONFIG_RULES;
const GUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ACCESS_MAX = 6;
const PAGE = 0x1000n;
const END_64 = 1n << 64n;
/** The priority of vCPUs from which sched-priority counts. */
const PRIORITY_OF_OWNER = 32;
const FRAME = 0x1_0000n;

/** A check that needs the configuration node. */
function ofConfig(work: (check: RmCheck, config: DtNode) => void): RuleCheck {
  return (check) => { if (check.tree.config !== undefined) work(check, check.tree.config); };
}

/** A check that needs one of its parts. */
function ofPart(name: 'memory' | 'vcpus' | 'interrupts', work: (check: RmCheck, node: DtNode) => void): RuleCheck {
  return (check) => {
    const node = check.tree.part(name);
    if (node !== undefined) work(check, node);
  };
}

function imageName(check: RmCheck, config: DtNode): void {
  if (check.tree.read('vm-config', config)['image-name'] === undefined) check.report(config, `image-name is required and must be shorter than ${String(NAME_BYTES_MAX)} bytes.`, 'image-name');
}

function vmType(check: RmCheck, config: DtNode): void {
  const [known] = RULES['vm-config'].properties['vm-type'].values;
  const value = firstString(config, 'vm-type');
  if (value !== undefined && value !== known) check.report(config, `vm-type "${value}" is not known and has no effect; the VM is "${known}".`, 'vm-type');
}

function vmUri(check: RmCheck, config: DtNode): void {
  if (config.has('vm-uri') && check.tree.read('vm-config', config)['vm-uri'] === undefined) check.report(config, `vm-uri must be shorter than ${String(NAME_BYTES_MAX)} bytes; RM ignores it.`, 'vm-uri');
}

function vmGuid(check: RmCheck, config: DtNode): void {
  const value = firstString(config, 'vm-guid');
  if (value !== undefined && !GUID.test(value)) check.report(config, `vm-guid "${value}" is not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.`, 'vm-guid');
}

function vmAttrs(check: RmCheck, config: DtNode): void {
  const { values, newerValues } = RULES['vm-config'].properties['vm-attrs'];
  const known: readonly string[] = check.tree.generation === 'newer' ? [...values, ...newerValues] : values;
  for (const attribute of strings(config, 'vm-attrs') ?? []) if (!known.includes(attribute)) check.report(config, `vm-attrs: "${attribute}" is not known to RM of this generation (${check.tree.generation}) and has no effect.`, 'vm-attrs');
}

function vmAttrsList(check: RmCheck, config: DtNode): void {
  const bytes = config.property('vm-attrs')?.bytes;
  if (bytes !== undefined && bytes.length > 0 && strings(config, 'vm-attrs') === undefined) check.report(config, 'vm-attrs must be a list of strings.', 'vm-attrs');
}

function trustedOnly(check: RmCheck, config: DtNode): void {
  if (check.tree.trust === 'trusted') return;
  if (strings(config, 'vm-attrs')?.includes('crash-fatal') === true) check.report(config, 'vm-attrs: "crash-fatal" is for trusted VMs only; RM refuses other VMs that have it.', 'vm-attrs');
  const memory = check.tree.part('memory');
  if (memory?.has('is-direct') === true) check.report(memory, 'is-direct is for trusted VMs only; RM refuses other VMs that have it.', 'is-direct');
}

function trustedRanges(check: RmCheck, config: DtNode): void {
  if (check.tree.trust === 'trusted') return;
  if (strings(config, 'vm-attrs')?.includes('ras-error-handler') === true) check.report(config, 'vm-attrs: "ras-error-handler" is for trusted VMs only; the hypervisor makes no such vCPU for others.', 'vm-attrs');
  for (const name of ['iomemory-ranges', 'gic-irq-ranges']) {
    const isFilled = (cells(config, name)?.length ?? 0) >= 2;
    if (isFilled) check.report(config, `${name} is for trusted VMs only; RM refuses other VMs that have it.`, name);
  }
}

/** The entries of `iomemory-ranges`; `undefined` if the property is absent, `null` if it is malformed. */
export function iomemoryRanges(config: DtNode): readonly { readonly physical: bigint; readonly guest: bigint; readonly size: bigint; readonly access: number }[] | null | undefined {
  if (!config.has('iomemory-ranges')) return undefined;
  const counts = cellCounts(config.parent);
  const values = cells(config, 'iomemory-ranges');
  const step = 2 * counts.address + counts.size + 1;
  if (values === undefined || values.length === 0 || values.length % step !== 0) return null;
  return Array.from({ length: values.length / step }, (_, i) => {
    const entry = values.slice(i * step, (i + 1) * step);
    return {
      physical: joinCells(entry.slice(0, counts.address)), guest: joinCells(entry.slice(counts.address, 2 * counts.address)),
      size: joinCells(entry.slice(2 * counts.address, step - 1)), access: entry[step - 1] ?? 0,
    };
  });
}

function iomemoryForm(check: RmCheck, config: DtNode): void {
  const ranges = iomemoryRanges(config);
  if (ranges === undefined) return;
  const counts = cellCounts(config.parent);
  const step = 2 * counts.address + counts.size + 1;
  if (ranges === null) check.report(config, `iomemory-ranges must be entries of ${String(step)} cells here: two addresses, a size, an access.`, 'iomemory-ranges');
  for (const { physical, guest, size, access } of ranges ?? []) {
    if (physical % PAGE !== 0n || guest % PAGE !== 0n || size % PAGE !== 0n) check.report(config, 'iomemory-ranges: addresses and sizes must be multiples of 4096.', 'iomemory-ranges');
    if ((access & 0xffff) > ACCESS_MAX) check.report(config, `iomemory-ranges: access ${String(access)} is not known; it is 0 to ${String(ACCESS_MAX)}.`, 'iomemory-ranges');
  }
}

function iomemoryDirect(check: RmCheck, config: DtNode): void {
  const wrong = (iomemoryRanges(config) ?? []).find(({ physical, guest }) => physical !== guest);
  if (wrong !== undefined) check.report(config, `iomemory-ranges: 0x${wrong.physical.toString(16)} must have the same address in the VM, not 0x${wrong.guest.toString(16)}.`, 'iomemory-ranges');
}

function baseAddress(check: RmCheck, memory: DtNode): void {
  const given = check.tree.read('memory', memory)['base-address'];
  if (given === undefined || given % BASE_ALIGNMENT === 0n || given % PAGE !== 0n) return;
  check.report(memory, `base-address is rounded up to a multiple of 2 MiB, 0x${((given / BASE_ALIGNMENT + 1n) * BASE_ALIGNMENT).toString(16)}.`, 'base-address');
}

/** Base address, least and greatest size as RM takes them; `base` is null if the tree does not say. */
export function memoryPlan(check: Pick<RmCheck, 'tree'>): { readonly base: bigint | null; readonly sizeMin: bigint; readonly sizeMax: bigint; readonly isSizeGiven: boolean } {
  const values = check.tree.read('memory', check.tree.part('memory'));
  const given = values['base-address'];
  const base = given === undefined ? null : ((given + BASE_ALIGNMENT - 1n) / BASE_ALIGNMENT) * BASE_ALIGNMENT;
  const sizeMax = values['size-max'] ?? (base === null ? (values['is-direct'] === true ? END_64 - 1n : DEFAULT_SIZE_MAX) : END_64 - base);
  return { base, sizeMin: values['size-min'] ?? 0n, sizeMax, isSizeGiven: values['size-max'] !== undefined };
}

function sizeMax(check: RmCheck, memory: DtNode): void {
  const { base, sizeMax: size, isSizeGiven } = memoryPlan(check);
  if (isSizeGiven && (base ?? DEFAULT_BASE_ADDRESS) + size >= END_64) check.report(memory, 'base-address and size-max together exceed 64 bits.', 'size-max');
}

function sizeOrder(check: RmCheck, memory: DtNode): void {
  const { base, sizeMin, sizeMax: size } = memoryPlan(check);
  if ((base ?? DEFAULT_BASE_ADDRESS) >= ADDRESS_SPACE_END && !memory.has('is-direct')) check.report(memory, `base-address lies beyond the address space, which ends at 0x${ADDRESS_SPACE_END.toString(16)}.`, 'base-address');
  if (sizeMin > size) check.report(memory, `size-min, 0x${sizeMin.toString(16)}, exceeds size-max, 0x${size.toString(16)}.`, 'size-min');
}

function firmwareSize(check: RmCheck, memory: DtNode): void {
  const values = check.tree.read('memory', memory);
  const size = values['firmware-size-max'];
  const address = values['firmware-address'];
  if (size !== undefined && address === undefined && size > 0n) check.report(memory, 'firmware-size-max needs a firmware-address.', 'firmware-size-max');
  else if (size !== undefined && address !== undefined && address + size >= END_64) check.report(memory, 'firmware-address and firmware-size-max together exceed 64 bits.', 'firmware-size-max');
}

/** Normal memory and what is base memory anyway; the platform knows no constraints of its own. */
const KNOWN_CONSTRAINTS = 0x44;

function memoryConstraints(check: RmCheck, memory: DtNode): void {
  const [generic = 0, platform = 0] = check.tree.read('memory', memory)['base-mem-constraints'] ?? [];
  if ((generic & ~KNOWN_CONSTRAINTS) !== 0 || platform !== 0) check.report(memory, 'base-mem-constraints: this platform can keep only 0x4 (normal memory) and 0x40 (compatible with base memory), and none of its own.', 'base-mem-constraints');
}

/** How RM schedules the vCPUs. */
export function affinityOf({ tree }: Pick<RmCheck, 'tree'>): 'static' | 'sticky' | 'pinned' | 'proxy' {
  const value = tree.read('vcpus', tree.part('vcpus')).affinity;
  return RULES.vcpus.properties.affinity.values.find((known) => known === value) ?? RULES.vcpus.properties.affinity.default;
}

function affinity(check: RmCheck, vcpus: DtNode): void {
  const value = firstString(vcpus, 'affinity');
  const known: readonly string[] = RULES.vcpus.properties.affinity.values;
  if (value !== undefined && !known.includes(value)) check.report(vcpus, `affinity "${value}" is not known; static is used.`, 'affinity');
}

function affinityMap(check: RmCheck, vcpus: DtNode): void {
  if (affinityOf(check) === 'proxy') return;
  // RM counts whole cells and overlooks bytes that are left over.
  const count = Math.floor((vcpus.property('affinity-map')?.bytes.length ?? 0) / 4);
  const cpus = check.tree.cpus().length;
  if (!vcpus.has('affinity-map')) check.report(vcpus, `affinity-map must name one CPU for each of the ${String(cpus)} vCPUs; it is missing.`);
  else if (count !== cpus) check.report(vcpus, `affinity-map must name one CPU for each of the ${String(cpus)} vCPUs; it has ${String(count)}.`, 'affinity-map');
}

function schedPriority(check: RmCheck, vcpus: DtNode): void {
  if (check.tree.trust === 'trusted' || affinityOf(check) === 'proxy') return;
  const value = check.tree.read('vcpus', vcpus)['sched-priority'] ?? 0;
  if (value < -PRIORITY_OF_OWNER) check.report(vcpus, `sched-priority must be at least -${String(PRIORITY_OF_OWNER)}: the owner's own priority is ${String(PRIORITY_OF_OWNER)}, and there is none below 0.`, 'sched-priority');
  if (value >= 0) check.report(vcpus, 'sched-priority must be negative unless the VM is trusted: an untrusted VM runs below its owner.', vcpus.has('sched-priority') ? 'sched-priority' : undefined);
}

function schedTimeslice(check: RmCheck, vcpus: DtNode): void {
  const { least, greatest } = RULES.vcpus.properties['sched-timeslice'];
  if (affinityOf(check) === 'proxy') return;
  const value = check.tree.read('vcpus', vcpus)['sched-timeslice'];
  // Observed: a VM that the platform does not trust has no default.
  const mustBeThere = check.tree.trust === 'untrusted' && check.tree.generation === 'open-2023';
  if (value === undefined && mustBeThere) check.report(vcpus, 'needs sched-timeslice: RM has no default for a VM that another VM makes, unless its affinity is proxy.');
  if (value !== undefined && (value < least || value > greatest)) check.report(vcpus, `sched-timeslice must be between ${String(least)} and ${String(greatest)} microseconds.`, 'sched-timeslice');
}

function noBootCpu(check: RmCheck, vcpus: DtNode): void {
  if (nodeAt(check.tree.root, check.tree.cpusPath) === undefined || check.tree.cpus().some(({ boots }) => boots === true)) return;
  check.report(vcpus, `${check.tree.cpusPath}: there must be a CPU node whose status lets it boot.`);
}

function enableMethod(check: RmCheck): void {
  const known: readonly string[] = RULES.cpu.properties['enable-method'].values;
  for (const { node, boots, method } of check.tree.cpus()) {
    if (boots === false && (method === undefined || !known.includes(method))) check.report(node, 'a CPU that does not boot needs enable-method "psci" or "qcom,gunyah-hvc".', 'enable-method');
  }
}

function idleStates(check: RmCheck, vcpus: DtNode): void {
  const cpus = check.tree.cpus();
  if (affinityOf(check) === 'proxy' || !check.tree.psciFor(cpus, 'at vcpus') || cpus.every(({ node }) => node.has('cpu-idle-states'))) return;
  check.report(vcpus, `${check.tree.cpusPath}: with PSCI and vCPUs that are not proxy-scheduled, every CPU node needs cpu-idle-states.`);
}

function tooManyCpus(check: RmCheck, vcpus: DtNode): void {
  const most = check.tree.generation === 'newer' ? NEWER_CPUS_MAX : CPUS_MAX;
  if (check.tree.cpus().length > most) check.report(vcpus, `${check.tree.cpusPath}: a VM has at most ${String(most)} vCPUs.`);
}

function cpuTwice(check: RmCheck): void {
  const seen = new Set<string>();
  for (const { node } of check.tree.cpus()) {
    const reg = cells(node, 'reg')?.join(' ');
    if (reg === undefined) continue;
    if (seen.has(reg)) check.report(node, 'has the reg of another CPU node; vCPUs are numbered by it.', 'reg');
    seen.add(reg);
  }
}

function cpuCells(check: RmCheck): void {
  const node = nodeAt(check.tree.root, '/cpus');
  if (node === undefined) return;
  const counts = cellCounts(node);
  if (counts.size !== 0 || counts.address < 1 || node.has('ranges')) check.report(node, 'needs #address-cells of at least 1, #size-cells 0 and no ranges.');
}

/** The interrupt controller, if RM must be able to use it: without a node `interrupts` it forgives everything. */
function ofGic(work: (check: RmCheck, gic: DtNode) => void): RuleCheck {
  return (check) => {
    const { node } = check.tree.gic();
    if (node !== undefined && check.tree.part('interrupts') !== undefined) work(check, node);
  };
}

function gicMissing(check: RmCheck, interrupts: DtNode): void {
  const { by, node } = check.tree.gic();
  if (node !== undefined) return;
  const how = by === 'path' ? `config names ${firstString(interrupts, 'config') ?? ''}, which is no node of the tree`
    : by === 'phandle' ? 'config is neither the full path nor the phandle of a node' : 'there is no config, and the root has no interrupt-parent that is a node';
  check.report(interrupts, `RM cannot find the interrupt controller: ${how}.`, interrupts.has('config') ? 'config' : undefined);
}

function gicReg(check: RmCheck, gic: DtNode): void {
  const counts = cellCounts(gic.parent);
  const bytes = gic.property('reg')?.bytes.length;
  if (bytes !== undefined && bytes < 8 * (counts.address + counts.size)) check.report(gic, 'reg needs two entries: distributor and redistributors.', 'reg');
}

/** Bytes from one redistributor to the next. */
export function gicStride(gic: DtNode): bigint {
  const values = cells(gic, 'redistributor-stride');
  return values?.length === 2 ? joinCells(values) : 0x2_0000n;
}

/** Addresses of the frames that `reg` lists: distributor and redistributors. */
export function gicFrames(gic: DtNode): readonly bigint[] {
  const counts = cellCounts(gic.parent);
  const reg = cells(gic, 'reg') ?? [];
  const step = counts.address + counts.size;
  return Array.from({ length: step === 0 ? 0 : Math.floor(reg.length / step) }, (_, i) => joinCells(reg.slice(i * step, i * step + counts.address)));
}

function gicFramesRule(check: RmCheck): void {
  const { node: gic } = check.tree.gic();
  const [gicd, gicr] = gic === undefined ? [] : gicFrames(gic);
  if (check.tree.trust === 'trusted' || gic === undefined || gicd === undefined || gicr === undefined) return;
  const redistributors = gicStride(gic) * BigInt(check.tree.cpus().length);
  if (gicd % FRAME !== 0n || gicr % FRAME !== 0n) check.report(gic, 'the addresses in reg must be multiples of 64 KiB.', 'reg');
  else if (gicd < gicr + redistributors && gicr < gicd + FRAME) check.report(gic, `the frames overlap: the distributor needs 64 KiB, the redistributors 0x${redistributors.toString(16)} bytes.`, 'reg');
}

function gicStrideRule(check: RmCheck, gic: DtNode): void {
  const stride = gicStride(gic);
  if (stride < 0x2_0000n || stride % 0x1_0000n !== 0n) check.report(gic, 'redistributor-stride must be a multiple of 64 KiB, at least 128 KiB.', 'redistributor-stride');
}

/** The checks of this part. */
export const CONFIG_CHECKS = {
  'image-name': ofConfig(imageName),
  'vm-type': ofConfig(vmType),
  'vm-uri': ofConfig(vmUri),
  'vm-guid': ofConfig(vmGuid),
  'vm-attrs': ofConfig(vmAttrs),
  'vm-attrs-list': ofConfig(vmAttrsList),
  'trusted-only': ofConfig(trustedOnly),
  'trusted-ranges': ofConfig(trustedRanges),
  'iomemory-ranges': ofConfig(iomemoryForm),
  'iomemory-direct': ofConfig(iomemoryDirect),
  'gic-irq-ranges': ofConfig((check, config) => { if ((config.property('gic-irq-ranges')?.bytes.length ?? 0) % 8 !== 0) check.report(config, 'gic-irq-ranges are pairs of cells; what is left over has no effect.', 'gic-irq-ranges'); }),
  'base-address': ofPart('memory', baseAddress),
  'size-max': ofPart('memory', sizeMax),
  'size-order': ofPart('memory', sizeOrder),
  'firmware-size': ofPart('memory', firmwareSize),
  'memory-constraints': ofPart('memory', memoryConstraints),
  'no-vcpus': ofConfig((check, config) => { if (check.tree.part('vcpus') === undefined) check.report(config, 'needs a child node vcpus; without one the VM has no vCPUs, and RM refuses it.'); }),
  'affinity': ofPart('vcpus', affinity),
  'affinity-map': ofPart('vcpus', affinityMap),
  'sched-priority': ofPart('vcpus', schedPriority),
  'sched-timeslice': ofPart('vcpus', schedTimeslice),
  'cpus-path': ofPart('vcpus', (check, vcpus) => { if (!check.tree.cpusPath.startsWith('/') || nodeAt(check.tree.root, check.tree.cpusPath) === undefined) check.report(vcpus, `${check.tree.cpusPath} is no node of the tree; RM looks for CPU nodes there.`, vcpus.has('config') ? 'config' : undefined); }),
  'cpus-fixed': ofPart('vcpus', (check, vcpus) => { if ((firstString(vcpus, 'config') ?? '/cpus') !== '/cpus') check.report(vcpus, 'RM of this generation passes over config and finds CPU nodes in /cpus.', 'config'); }),
  'cpu-cells': cpuCells,
  'cpu-reg': (check) => { for (const { node } of check.tree.cpus()) if (!node.has('reg')) check.report(node, 'a CPU node needs reg.'); },
  'cpu-twice': cpuTwice,
  'cpu-status': ofPart('vcpus', (check) => { for (const { node, boots } of check.tree.cpus()) if (boots === undefined) check.report(node, `status "${firstString(node, 'status') ?? ''}" is not known; RM knows okay, disabled, fail and fail-….`, 'status'); }),
  'enable-method': ofPart('vcpus', enableMethod),
  'no-boot-cpu': ofPart('vcpus', noBootCpu),
  'too-many-cpus': ofPart('vcpus', tooManyCpus),
  'idle-states': ofPart('vcpus', idleStates),
  'gic-missing': ofPart('interrupts', gicMissing),
  'gic-phandle': ofPart('interrupts', (check, node) => { if (check.tree.gic().by === 'phandle' && check.tree.gic().node !== undefined) check.report(node, 'config should be a path; a phandle works.', 'config'); }),
  'gic-compatible': ofGic((check, gic) => { if (strings(gic, 'compatible')?.includes('arm,gic-v3') !== true) check.report(gic, 'the interrupt controller must be compatible with "arm,gic-v3".', 'compatible'); }),
  'gic-cells': ofGic((check, gic) => { if (!gic.has('interrupt-controller') || oneCell(gic, '#interrupt-cells') !== 3) check.report(gic, 'needs interrupt-controller and #interrupt-cells = <3>.', '#interrupt-cells'); }),
  'gic-regions': ofGic((check, gic) => { if ((oneCell(gic, '#redistributor-regions') ?? 1) !== 1) check.report(gic, 'only one redistributor region is possible.', '#redistributor-regions'); }),
  'gic-reg': ofGic(gicReg),
  'gic-stride': ofGic(gicStrideRule),
  'gic-frames': gicFramesRule,
} as const satisfies Partial<Record<RmRuleId, RuleCheck>>;

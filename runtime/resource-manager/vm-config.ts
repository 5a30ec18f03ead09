/**
 * From a device tree to what a VM shall be: reads the `gunyah-vm-config` node, CPU nodes, the interrupt controller and vdevice nodes.
 *
 * Properties are read by the rows of `vm-config-rules.ts`; this file holds what they mean together. The outcome is plain data plus
 * diagnostics; with an error among them there is no configuration, and `error` is the word that VM_INIT answers.
 */

import { alignUp } from '../base/bits';
import type { Diagnostic } from '../base/result';
import type { DtNode } from '../devicetree';
import { cells, cellCounts, joinCells, nodeAt, nodeByPhandle, strings, walk } from './config-node';
import { ConfigReport, readNode } from './vm-config-reader';
import type { ConfigError } from './vm-config-reader';
import { VDEVICE_TYPES, VM_CONFIG_RULES } from './vm-config-rules';
import type { VdeviceType } from './vm-config-rules';
import { parseVdevice } from './vm-config-vdevices';
import type { VdeviceConfig } from './vm-config-vdevices';

export type { VdeviceConfig } from './vm-config-vdevices';

/** How vCPUs are scheduled (Gunyah RM: affinity). */
export type Affinity = 'static' | 'sticky' | 'pinned' | 'proxy';

/** One CPU node. */
export interface CpuConfig { readonly path: string; readonly boots: boolean }

/** Where the GIC frames are; absent addresses are for RM to choose. */
export interface GicConfig { readonly path: string; readonly gicd: bigint | null; readonly gicr: bigint | null; readonly stride: bigint }

/** What a VM shall be. */
export interface VmConfig {
  readonly name: string;
  readonly uri: string;
  readonly guid: Uint8Array;
  readonly vendor: string;
  readonly attributes: readonly string[];
  readonly entryOffset: bigint;
  /** Null if the tree does not say. */
  readonly baseAddress: bigint | null;
  readonly sizeMin: bigint;
  readonly sizeMax: bigint;
  /** Where a protected VM's firmware goes; null if the tree does not say. */
  readonly firmwareAddress: bigint | null;
  readonly firmwareSizeMax: bigint;
  readonly affinity: Affinity;
  readonly affinityMap: readonly number[];
  readonly priorityOffset: number;
  readonly timesliceMicroseconds: number;
  readonly cpus: readonly CpuConfig[];
  readonly psci: boolean;
  readonly gic: GicConfig | null;
  readonly vdevices: readonly VdeviceConfig[];
}

/** The outcome of reading. */
export interface VmConfigOutcome {
  readonly config: VmConfig | undefined;
  /** What VM_INIT answers when there is no configuration. */
  readonly error: ConfigError | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Base address and size limit of the QEMU platform, for trees that do not say. */
export const DEFAULT_BASE_ADDRESS = 0x2880_0000n;
const DEFAULT_SIZE_MAX = 0x07ff_ffffn;
const DEFAULT_FIRMWARE_SIZE_MAX = 0x40_0000n;
const ADDRESS_SPACE_END = 1n << 36n;
const BASE_ALIGNMENT = 0x20_0000n;
const CPUS_MAX = 8;
const VDEVICES_MAX = 256;

/** Reads a whole tree. `trusted` VMs come with the platform and may ask for more. */
export function parseVmConfig(root: DtNode, trust: 'trusted' | 'untrusted'): VmConfigOutcome {
  const report = new ConfigReport();
  checkMemoryNodes(root, report);
  const node = nodeAt(root, '/gunyah-vm-config') ?? nodeAt(root, '/qcom,vm-config');
  if (node === undefined) report.malformed('missing', 'The device tree has no node /gunyah-vm-config; without it RM cannot tell what the VM shall be.');
  const identity = readIdentity(node, trust, report);
  const memory = readMemory(node, trust, report);
  const vcpus = readVcpus(root, node, trust, report);
  const gic = readGic(root, node, report);
  const vdevices = readVdevices(root, report);
  const config: VmConfig = { ...identity, ...memory, ...vcpus, gic, vdevices };
  return { config: report.error === undefined ? config : undefined, error: report.error, diagnostics: report.diagnostics };
}

function checkMemoryNodes(root: DtNode, report: ConfigReport): void {
  for (const node of walk(root)) {
    if (strings(node, 'device_type')?.[0] === 'memory' && node.path !== '/memory') {
      report.malformed('memory-node', `${node.path}: a node with device_type "memory" must be /memory itself.`);
    }
  }
}

function childOf(node: DtNode | undefined, name: string): DtNode | undefined {
  return node?.children.find((child) => child.name === name);
}

function readIdentity(node: DtNode | undefined, trust: 'trusted' | 'untrusted', report: ConfigReport): Pick<VmConfig, 'name' | 'uri' | 'guid' | 'vendor' | 'attributes' | 'entryOffset'> {
  const values = readNode('vm-config', node, report);
  const name = values['image-name'];
  if (node !== undefined && name === undefined) report.malformed('image-name', `${node.path}: image-name is required and must be shorter than 80 bytes.`);
  if (values['vm-type'] !== undefined && values['vm-type'] !== 'aarch64-guest') report.malformed('vm-type', `vm-type "${values['vm-type']}" is not known; use "aarch64-guest".`);
  const attributes = values['vm-attrs'] ?? [];
  const known: readonly string[] = VM_CONFIG_RULES['vm-config'].properties['vm-attrs'].values;
  for (const attribute of attributes) if (!known.includes(attribute)) report.warning('vm-attrs', `vm-attrs: "${attribute}" is not known and has no effect.`);
  if (trust === 'untrusted' && attributes.includes('crash-fatal')) report.inconsistent('trusted-only', 'vm-attrs: "crash-fatal" is for trusted VMs only.');
  if (trust === 'untrusted' && (values['iomemory-ranges'] ?? values['gic-irq-ranges']) !== undefined) {
    report.inconsistent('trusted-only', 'iomemory-ranges and gic-irq-ranges are for trusted VMs only.');
  }
  const guid = parseGuid(values['vm-guid']);
  if (guid === undefined) report.malformed('vm-guid', `vm-guid "${values['vm-guid'] ?? ''}" is not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.`);
  return { name: name ?? '', uri: values['vm-uri'] ?? '', guid: guid ?? new Uint8Array(16), vendor: values['vendor'] ?? '', attributes, entryOffset: values['kernel-entry-offset'] ?? 0n };
}

/** The bytes of a GUID in the order of its digits; zeros if there is none, `undefined` if it is malformed. */
export function parseGuid(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return new Uint8Array(16);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const digits = text.replace(/-/g, '');
  return Uint8Array.from({ length: 16 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function readMemory(node: DtNode | undefined, trust: 'trusted' | 'untrusted', report: ConfigReport): Pick<VmConfig, 'baseAddress' | 'sizeMin' | 'sizeMax' | 'firmwareAddress' | 'firmwareSizeMax'> {
  const values = readNode('memory', childOf(node, 'memory'), report);
  if (values['is-direct'] === true && trust === 'untrusted') report.inconsistent('trusted-only', 'is-direct is for trusted VMs only.');
  const given = values['base-address'];
  const baseAddress = given === undefined ? null : alignUp(given, BASE_ALIGNMENT);
  if (given !== undefined && given !== baseAddress) report.warning('base-address', `base-address is rounded up to a multiple of 2 MiB, 0x${(baseAddress ?? 0n).toString(16)}.`);
  const sizeMax = values['size-max'] ?? (baseAddress === null ? DEFAULT_SIZE_MAX : ADDRESS_SPACE_END - baseAddress);
  if ((baseAddress ?? DEFAULT_BASE_ADDRESS) + sizeMax > 1n << 64n) report.malformed('size-max', 'base-address and size-max together exceed the address space.');
  return {
    baseAddress, sizeMin: values['size-min'] ?? 0n, sizeMax, firmwareAddress: values['firmware-address'] ?? null, firmwareSizeMax: values['firmware-size-max'] ?? DEFAULT_FIRMWARE_SIZE_MAX,
  };
}

function readVcpus(root: DtNode, node: DtNode | undefined, trust: 'trusted' | 'untrusted', report: ConfigReport): Pick<VmConfig, 'affinity' | 'affinityMap' | 'priorityOffset' | 'timesliceMicroseconds' | 'cpus' | 'psci'> {
  const values = readNode('vcpus', childOf(node, 'vcpus'), report);
  const affinity = parseAffinity(values['affinity'], report);
  const { cpus, psci } = readCpus(root, values['config'] ?? '/cpus', affinity, report);
  const affinityMap = values['affinity-map'] ?? [];
  if (affinity !== 'proxy' && affinityMap.length !== cpus.length) {
    report.inconsistent('affinity-map', `affinity-map must name one CPU for each of the ${cpus.length} vCPUs; it has ${affinityMap.length}.`);
  }
  const priorityOffset = values['sched-priority'] ?? 0;
  if (trust === 'untrusted' && affinity !== 'proxy' && priorityOffset >= 0) report.inconsistent('sched-priority', 'sched-priority must be negative: an untrusted VM runs below its owner.');
  const timesliceMicroseconds = values['sched-timeslice'] ?? 5000;
  if (timesliceMicroseconds < 100 || timesliceMicroseconds > 100_000) report.inconsistent('sched-timeslice', 'sched-timeslice must be between 100 and 100000 microseconds.');
  return { affinity, affinityMap, priorityOffset, timesliceMicroseconds, cpus, psci };
}

function parseAffinity(value: string | undefined, report: ConfigReport): Affinity {
  if (value === 'static' || value === 'sticky' || value === 'pinned' || value === 'proxy') return value;
  if (value !== undefined) report.warning('affinity', `affinity "${value}" is not known; static is used.`);
  return 'static';
}

function readCpus(root: DtNode, path: string, affinity: Affinity, report: ConfigReport): Pick<VmConfig, 'cpus' | 'psci'> {
  const parent = nodeAt(root, path);
  const nodes = (parent?.children ?? []).filter((child) => strings(child, 'device_type')?.[0] === 'cpu');
  const cpus: CpuConfig[] = [];
  let psciCpus = false;
  let idleStates = 0;
  for (const node of nodes) {
    const boots = cpuBoots(node, cpus, report);
    if (boots === undefined) continue;
    const method = strings(node, 'enable-method')?.[0] ?? (parent === undefined ? undefined : strings(parent, 'enable-method')?.[0]);
    checkEnableMethod(node, boots, method, report);
    if (!boots && method === 'psci') psciCpus = true;
    if (node.has('cpu-idle-states')) idleStates++;
    cpus.push({ path: node.path, boots });
  }
  if (!cpus.some((cpu) => cpu.boots)) report.inconsistent('no-boot-cpu', `${path}: there must be a CPU node whose status lets it boot.`);
  if (cpus.length > CPUS_MAX) report.inconsistent('too-many-cpus', `${path}: a VM has at most ${CPUS_MAX} vCPUs.`);
  const psci = psciCpus || idleStates > 0 || hasPsciNode(root);
  if (psci && affinity !== 'proxy' && idleStates !== cpus.length) {
    report.inconsistent('idle-states', `${path}: with PSCI and vCPUs that are not proxy-scheduled, every CPU node needs cpu-idle-states.`);
  }
  return { cpus, psci };
}

function cpuBoots(node: DtNode, before: readonly CpuConfig[], report: ConfigReport): boolean | undefined {
  const status = strings(node, 'status')?.[0];
  if (status === undefined) return before.length === 0;
  if (status === 'okay') return true;
  if (status === 'disabled') return false;
  if (!status.startsWith('fail')) report.malformed('cpu-status', `${node.path}: status "${status}" is not known.`);
  return undefined;
}

function checkEnableMethod(node: DtNode, boots: boolean, method: string | undefined, report: ConfigReport): void {
  if (boots && method === undefined) return;
  if (method !== 'psci' && method !== 'qcom,gunyah-hvc') report.inconsistent('enable-method', `${node.path}: a CPU that does not boot needs enable-method "psci" or "qcom,gunyah-hvc".`);
}

function hasPsciNode(root: DtNode): boolean {
  for (const node of walk(root)) if (strings(node, 'compatible')?.some((name) => name === 'arm,psci-0.2' || name === 'arm,psci-1.0') === true) return true;
  return false;
}

function readGic(root: DtNode, node: DtNode | undefined, report: ConfigReport): GicConfig | null {
  const gic = findGic(root, childOf(node, 'interrupts'), report);
  if (gic === undefined) return null;
  if (strings(gic, 'compatible')?.includes('arm,gic-v3') !== true) report.malformed('gic', `${gic.path}: the interrupt controller must be compatible with "arm,gic-v3".`);
  if (!gic.has('interrupt-controller') || cells(gic, '#interrupt-cells')?.[0] !== 3) report.malformed('gic', `${gic.path}: needs interrupt-controller and #interrupt-cells = <3>.`);
  if ((cells(gic, '#redistributor-regions')?.[0] ?? 1) !== 1) report.malformed('gic', `${gic.path}: only one redistributor region is possible.`);
  const stride = joinCells(cells(gic, 'redistributor-stride') ?? [0x2_0000]);
  if (stride < 0x2_0000n || stride % 0x1_0000n !== 0n) report.malformed('gic', `${gic.path}: redistributor-stride must be a multiple of 64 KiB, at least 128 KiB.`);
  const reg = gicRanges(gic);
  return { path: gic.path, gicd: reg[0] ?? null, gicr: reg[1] ?? null, stride };
}

function findGic(root: DtNode, interrupts: DtNode | undefined, report: ConfigReport): DtNode | undefined {
  const path = interrupts === undefined ? undefined : strings(interrupts, 'config')?.[0];
  if (path?.startsWith('/') === true) return nodeAt(root, path);
  const phandle = interrupts === undefined ? undefined : cells(interrupts, 'config')?.[0];
  if (phandle !== undefined) {
    report.warning('gic-phandle', 'interrupts: config should be a path; a phandle works.');
    return nodeByPhandle(root, phandle);
  }
  const parent = cells(root, 'interrupt-parent')?.[0];
  return parent === undefined ? undefined : nodeByPhandle(root, parent);
}

function gicRanges(gic: DtNode): readonly bigint[] {
  const counts = cellCounts(gic.parent);
  const reg = cells(gic, 'reg') ?? [];
  const stride = counts.address + counts.size;
  return Array.from({ length: stride === 0 ? 0 : Math.floor(reg.length / stride) }, (_, i) => joinCells(reg.slice(i * stride, i * stride + counts.address)));
}

function readVdevices(root: DtNode, report: ConfigReport): readonly VdeviceConfig[] {
  const vdevices: VdeviceConfig[] = [];
  for (const node of walk(root)) {
    const type = strings(node, 'vdevice-type')?.[0];
    if (type === undefined) continue;
    const known = VDEVICE_TYPES.find((name): name is VdeviceType => name === type);
    if (known === undefined) report.warning('vdevice-type', `${node.path}: vdevice-type "${type}" is not known; the node has no effect.`);
    else if (vdevices.length < VDEVICES_MAX) vdevices.push(parseVdevice(known, node, report));
    else report.inconsistent('too-many-vdevices', `${node.path}: a VM has at most ${VDEVICES_MAX} vdevices.`);
  }
  return vdevices;
}

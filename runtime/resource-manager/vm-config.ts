/**
 * From a device tree to what a VM shall be: the `gunyah-vm-config` node, CPU nodes, the interrupt controller and vdevice nodes as plain data.
 *
 * What RM reads and what it refuses is said by the rules in `devicetree/rm-rules`, which the editor checks too; this file only puts together
 * what they let pass. With a refusal there is no configuration, and `error` is the word that VM_INIT answers.
 */

import type { Diagnostic } from '../base/result';
import type { DtNode } from '../devicetree';
import {
  affinityOf, cells, checkVmTree, gicFrames, gicStride, initRefusal, iomemoryRanges, memoryPlan, OUR_GENERATION, rmDiagnostic, rmRule, VDEVICE_TYPES, VM_CONFIG_RULES, VmTree,
} from '../devicetree/rm-rules';
import type { RmFinding } from '../devicetree/rm-rules';
import { parseVdevice } from './vm-config-vdevices';
import type { VdeviceConfig } from './vm-config-vdevices';

export type { VdeviceConfig } from './vm-config-vdevices';

/** What VM_INIT answers to a bad configuration. */
export type ConfigError = 'MEM_INVALID' | 'ARGUMENT_INVALID' | 'NORESOURCE';

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
  /** Devices of the machine that the VM sees where they are (iomemory-ranges); `access` is that of the property, 0 to 6. */
  readonly deviceRanges: readonly { readonly base: bigint; readonly sizeBytes: bigint; readonly access: number }[];
  /** Interrupts of the machine that the VM gets (gic-irq-ranges), by INTID. */
  readonly deviceInterrupts: readonly { readonly hardware: number; readonly virq: number }[];
  readonly vdevices: readonly VdeviceConfig[];
}

/** The outcome of reading. */
export interface VmConfigOutcome {
  readonly config: VmConfig | undefined;
  /** What VM_INIT answers when there is no configuration. */
  readonly error: ConfigError | undefined;
  /** What `vm-attrs` says, whatever else is wrong. */
  readonly attributes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The rule that the hypervisor enforces, when VM_INIT makes the device; the devices before it stay until the VM is reset. */
export const FOUND_LATER = 'queue-limits';

/** Reads a whole tree. `trusted` VMs come with the platform and may ask for more. */
export function parseVmConfig(root: DtNode, trust: 'trusted' | 'untrusted'): VmConfigOutcome {
  const tree = new VmTree(root, { generation: OUR_GENERATION, trust });
  const findings = checkVmTree(tree);
  const error = initRefusal(findings.filter(({ rule }) => rule !== FOUND_LATER));
  return { config: error === undefined ? readVmConfig(tree) : undefined, error, attributes: tree.read('vm-config', tree.config)['vm-attrs'] ?? [], diagnostics: findings.filter(isOfInit).map(diagnosticOf) };
}

/** What VM_START or nobody but an editor objects to is not told by VM_INIT. */
function isOfInit({ rule, severity }: RmFinding): boolean {
  const { refusal } = rmRule(rule);
  return severity !== 'information' && refusal !== 'start' && refusal !== 'editor';
}

function diagnosticOf(finding: RmFinding): Diagnostic {
  const { severity, code, message } = rmDiagnostic(finding);
  return { severity, code, message };
}

function readVmConfig(tree: VmTree): VmConfig {
  const values = tree.read('vm-config', tree.config);
  const vcpus = tree.read('vcpus', tree.part('vcpus'));
  const rows = VM_CONFIG_RULES.vcpus.properties;
  const memory = memoryPlan({ tree });
  const firmware = tree.read('memory', tree.part('memory'));
  const affinity = affinityOf({ tree });
  const cpus = tree.cpus();
  return {
    name: values['image-name'] ?? '',
    uri: values['vm-uri'] ?? '',
    guid: parseGuid(values['vm-guid']) ?? new Uint8Array(16),
    vendor: values['vendor'] ?? '',
    attributes: values['vm-attrs'] ?? [],
    entryOffset: values['kernel-entry-offset'] ?? 0n,
    baseAddress: memory.base, sizeMin: memory.sizeMin, sizeMax: memory.sizeMax,
    firmwareAddress: firmware['firmware-address'] ?? null,
    firmwareSizeMax: firmware['firmware-size-max'] ?? VM_CONFIG_RULES.memory.properties['firmware-size-max'].default,
    affinity,
    affinityMap: affinity === 'proxy' ? [] : vcpus['affinity-map'] ?? [],
    priorityOffset: affinity === 'proxy' ? 0 : vcpus['sched-priority'] ?? rows['sched-priority'].default,
    timesliceMicroseconds: affinity === 'proxy' ? rows['sched-timeslice'].default : vcpus['sched-timeslice'] ?? rows['sched-timeslice'].default,
    cpus: cpus.map(({ node, boots }) => ({ path: node.path, boots: boots === true })),
    psci: tree.psciFor(cpus, 'at the end'),
    gic: readGic(tree),
    deviceRanges: (tree.config === undefined ? null : iomemoryRanges(tree.config))?.map(({ physical, size, access }) => ({ base: physical, sizeBytes: size, access })) ?? [],
    deviceInterrupts: readInterruptPairs(tree.config),
    vdevices: tree.vdevices.flatMap(({ node, type }) => {
      const known = VDEVICE_TYPES.find((name) => name === type);
      return known === undefined ? [] : [parseVdevice(tree, { node, type: known })];
    }),
  };
}

/** The bytes of a GUID in the order of its digits; zeros if there is none, `undefined` if it is malformed. */
export function parseGuid(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return new Uint8Array(16);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const digits = text.replace(/-/g, '');
  return Uint8Array.from({ length: 16 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

function readGic(tree: VmTree): GicConfig | null {
  const { node } = tree.gic();
  if (node === undefined) return null;
  const [gicd = null, gicr = null] = gicFrames(node);
  return { path: node.path, gicd, gicr, stride: gicStride(node) };
}

function readInterruptPairs(config: DtNode | undefined): VmConfig['deviceInterrupts'] {
  const given = config === undefined ? [] : cells(config, 'gic-irq-ranges') ?? [];
  return Array.from({ length: given.length >> 1 }, (_, i) => ({ hardware: given[2 * i] ?? 0, virq: given[2 * i + 1] ?? 0 }));
}

/**
 * What RM will add to the device tree of a VM, before there is such a VM: RM's own code runs against a hypervisor on paper that grants
 * every call. Capability ids are placeholders, counted from 1 in the order in which RM asks for them, and memory that the owner gives
 * only later is assumed; each assumption is said. Not part of RM at work.
 */

import { hex } from '../base/bits';
import { capId, memparcelHandle, ticks, vmid } from '../base/brands';
import type { CapId } from '../base/brands';
import type { Diagnostic } from '../base/result';
import type { DeviceTree, DtNode } from '../devicetree';
import { regEntries } from '../devicetree';
import type { HypercallArguments, HypercallName, HypercallOutputs, RootVm, RootVmEnvironment } from '../hypervisor/interface';
import { cells, DEFAULT_BASE_ADDRESS } from '../devicetree/rm-rules';
import { Rm } from './context';
import { newRmState, newVm } from './state';
import type { Parcel, VmRecord } from './state';
import { parseVmConfig } from './vm-config';
import { buildVm, takeConfig } from './vm-lifecycle';
import { overlayErrorText, overlayOf, secondaryAdditions } from './vm-overlay';
import { VMID } from './vm-states';

/** What RM will do with a tree. */
export interface OverlayPreview {
  /** The overlay that RM would write; absent if it would refuse the VM. */
  readonly overlay: DeviceTree | undefined;
  /** What RM would report about the configuration. */
  readonly diagnostics: readonly Diagnostic[];
  /** Sentences about what is not known before the VM exists. */
  readonly assumptions: readonly string[];
}

/** The VMID of the previewed VM: the lowest that RM gives to a VM of another VM. */
const PREVIEW_VMID = VMID.DYNAMIC_FIRST;
const ASSUMED_MEMORY = 0x800_0000n;
const ASSUMED_BUFFER = 0x10_0000n;
const HANDLE_FIRST = 0x100;
const CHOSEN_FIRST = 0x1_0000_0000n;
const CPU_COUNT = 64;
/** What RM may take for pages of its own. */
const PAPER_MEMORY = 0x1000_0000n;

/** The overlay for the VM that a linked tree configures. */
export function previewOverlay(root: DtNode, trust: 'trusted' | 'untrusted'): OverlayPreview {
  const outcome = parseVmConfig(root, trust);
  const { config, diagnostics } = outcome;
  if (config === undefined) return { overlay: undefined, diagnostics, assumptions: [] };
  const reports: Diagnostic[] = [];
  const rm = new Rm(paperHypervisor(reports), newRmState([{ base: 0n, sizeBytes: PAPER_MEMORY }], 0));
  rm.addVm({ ...newVm(vmid(VMID.HLOS), vmid(VMID.HLOS), null), name: 'hlos' });
  const vm = newVm(vmid(PREVIEW_VMID), vmid(VMID.HLOS), null);
  rm.addVm(vm);
  const ignored = config.vdevices.filter(({ type }) => type === 'vsmmu-v2');
  const assumptions = ['Capability ids are placeholders, counted from 1.', ...ignored.map(({ path, type }) => `${path}: RM makes nothing of vdevices of type ${type}.`)];
  takeConfig(rm, vm, config);
  const refusal = buildVm(rm, vm, config);
  if (refusal !== undefined) return { overlay: undefined, diagnostics: [...diagnostics, ...reports, { severity: 'error', code: 'rm-preview', message: `RM refuses the VM: ${refusal}.` }], assumptions };
  assumptions.push(...assumeMemory(rm, vm, root));
  const additions = secondaryAdditions(rm, vm, root);
  const all = [...diagnostics, ...reports];
  if (typeof additions === 'string') return { overlay: undefined, diagnostics: [...all, { severity: 'error', code: 'rm-preview', message: overlayErrorText(additions, 0) }], assumptions };
  return { overlay: overlayOf(additions), diagnostics: all, assumptions };
}

/** Grants every call; new capabilities are counted per capability space. */
function paperHypervisor(reports: Diagnostic[]): RootVm {
  const counts = new Map<CapId, bigint>();
  const next = (cspace: CapId): CapId => {
    const count = (counts.get(cspace) ?? 0n) + 1n;
    counts.set(cspace, count);
    return capId(count);
  };
  const hypercall = <N extends HypercallName>(name: N, args: HypercallArguments<N>): HypercallOutputs<N> => {
    const space = 'dest_cspace' in args ? args.dest_cspace : 'cspace' in args ? args.cspace : undefined;
    const makes = name === 'cspace_copy_cap_from' || name.startsWith('partition_create_');
    const granted: unknown = { error: 0, new_cap: makes && typeof space === 'bigint' ? next(capId(space)) : capId(0n) };
    return granted as HypercallOutputs<N>;
  };
  return {
    environment: PAPER_ENVIRONMENT, now: ticks(0), hypercall, random: () => 0, platformPower: () => undefined,
    read: () => ({ ok: false, error: 'abort' }), write: () => ({ ok: false, error: 'abort' }),
    trace: (event) => { if (event.event === 'report') reports.push({ severity: 'warning', code: event.code, message: event.message }); },
  };
}

const PAPER_ENVIRONMENT: RootVmEnvironment = {
  vmid: vmid(VMID.RM), cspace: capId(0n), partition: capId(0n), vcpu: capId(0n), addrspace: capId(0n), vic: capId(0n), memoryExtent: capId(0n), memoryBase: 0n, memorySizeBytes: 0n,
  privateBase: 0n, privateSizeBytes: 0n, freeRanges: [], deviceExtent: capId(0n), deviceBase: 0n, deviceSizeBytes: 0n, hardwareInterrupts: new Map(), cpuCount: CPU_COUNT, hasWatchdog: false,
  bootCpu: 0, timerFrequencyHz: 1, vms: [],
};

/** Memory as the owner will probably give it: what the configuration asks for, and a buffer for each label. */
function assumeMemory(rm: Rm, vm: VmRecord, root: DtNode): string[] {
  const base = vm.config?.baseAddress ?? DEFAULT_BASE_ADDRESS;
  const asked = vm.config?.sizeMin ?? 0n;
  const size = asked > 0n ? asked : ASSUMED_MEMORY;
  vm.mappings.push({ ipa: base, sizeBytes: size, offset: 0n, handle: null, kind: 'memory' });
  const said = [`Memory is assumed: ${hex(size)} bytes at ${hex(base)}. Its owner decides.`];
  const labelled = (root.child('reserved-memory')?.children ?? []).flatMap((node) => {
    const label = cells(node, 'qcom,label')?.[0];
    const [range] = regEntries(node);
    return label === undefined ? [] : [{ label, base: range?.address ?? null, size: range?.size ?? ASSUMED_BUFFER }];
  });
  const shared = vm.vdevices.flatMap(({ config: { memory } }) => (memory === null ? [] : [{ label: memory.label, base: memory.base, size: ASSUMED_BUFFER }]));
  let chosen = CHOSEN_FIRST;
  for (const [index, buffer] of [...labelled, ...shared.filter(({ label }) => !labelled.some((other) => other.label === label))].entries()) {
    const at = buffer.base ?? chosen;
    if (buffer.base === null) chosen += buffer.size;
    rm.state.parcels.push(parcel(vm, HANDLE_FIRST + index, { ...buffer, base: at }));
    said.push(`A parcel with label ${String(buffer.label)} is assumed: ${hex(buffer.size)} bytes at ${hex(at)}.`);
  }
  return said;
}

function parcel(vm: VmRecord, handle: number, buffer: { readonly label: number; readonly base: bigint; readonly size: bigint }): Parcel {
  const mapping = { ipa: buffer.base, sizeBytes: buffer.size, offset: 0n, handle: memparcelHandle(handle), kind: 'device' } as const;
  return {
    handle: memparcelHandle(handle), owner: vm.owner, transaction: 'share', memoryType: 'normal', typeNumber: 0, sanitised: false, label: buffer.label, tag: null, sanitiseAtReclaim: false,
    acl: [{ vmid: vm.owner, rights: 6 }, { vmid: vm.vmid, rights: 6 }], attributes: [], regions: [], complete: true, extent: capId(0n),
    users: [{ vmid: vm.vmid, mappings: [mapping], isMapped: true, isContiguous: true }], ownerMapped: true,
  };
}

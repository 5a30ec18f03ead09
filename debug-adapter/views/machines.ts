/** Rows of VMs and their vCPUs for panels. */

import { hex, va, type RmVmView, type System } from '../../runtime/index';
import type { VcpuRow, VmRow } from '../protocol/index';
import { threadIdOf } from '../debuggee';
import type { Session } from '../session';
import { hypervisorIdentity } from './identity';

const PRIMARY_VMID = 3;
const RM_VMID = 255;
const OS_STATES = ['none', 'early boot', 'boot', 'init', 'run', 'shutdown', 'halted', 'crashed'] as const;
const BLOCK_STATES: Readonly<Record<string, string>> = { VCPU_OFF: 'off', VCPU_SUSPEND: 'suspended', VCPU_WFI: 'wfi', VCPU_RUN: 'proxy', VCPU_FAULT: 'fault' };

/** VMs with their vCPUs; the Resource Manager last. */
export function vmRows(session: Session): VmRow[] {
  const { target } = session.debuggee;
  const { system } = target;
  const hypervisor = hypervisorIdentity(system);
  const rows = system.rmView().vms.map((vm): VmRow => {
    const described = system.description.vms.find(({ name }) => name === system.vmName(vm.vmid));
    const ram = ramOf(system, vm);
    return {
      vmid: vm.vmid,
      name: system.vmName(vm.vmid),
      state: vm.state,
      osState: osStateText(vm.osState),
      owner: vm.owner,
      image: described?.imageName ?? null,
      memoryBase: hex(ram?.base ?? 0n),
      memorySizeBytes: Number(ram?.sizeBytes ?? 0n),
      entry: hex(vm.entry),
      exit: system.vmSummaries().find(({ vmid }) => vmid === vm.vmid)?.exit ?? null,
      vcpus: vcpuRows(session, vm.vmid),
      uuid: uuidText(vm.uuid),
      hypervisor,
    };
  });
  const manager: VmRow = { vmid: RM_VMID, name: system.vmName(RM_VMID), state: 'RUNNING', osState: '', owner: null, image: null, memoryBase: hex(system.layout.rmPrivate.base), memorySizeBytes: Number(system.layout.rmPrivate.sizeBytes), entry: hex(0), exit: null, vcpus: [], uuid: null, hypervisor };
  return [...rows, manager];
}

/** VM_SET_STATUS's operating system state in words. */
export function osStateText(state: number): string {
  return OS_STATES[state] ?? String(state);
}

/** Sixteen bytes as a UUID; null if all are zero. */
function uuidText(bytes: Uint8Array): string | null {
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return /[1-9a-f]/.test(digits) ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : null;
}

function vcpuRows(session: Session, vmid: number): VcpuRow[] {
  const { target, symbols } = session.debuggee;
  const { system } = target;
  return system.inspection.threads().filter((thread) => thread.vmid === vmid && thread.engineVcpu !== undefined).map((thread) => {
    const index = thread.engineVcpu ?? 0;
    const state = system.engine.vcpu(index);
    const pc = state.pc;
    const symbol = symbols.get(system.vmName(vmid))?.at(pc, index)?.symbolize(va(pc));
    return {
      threadId: threadIdOf(index),
      index: thread.index,
      state: stateOf(thread),
      pc: hex(pc),
      el: state.el,
      physicalCpu: thread.runsOnCpu ?? thread.affinity ?? null,
      priority: thread.priority,
      instructions: system.retiredBy(index),
      function: symbol?.name ?? null,
    };
  });
}

/** What a vCPU does: `running`, `ready`, `wfi`, `off` …; undefined if there is none of that index. */
export function vcpuState(session: Session, vcpu: number): string | undefined {
  const thread = session.debuggee.target.system.inspection.threads().find(({ engineVcpu }) => engineVcpu === vcpu);
  return thread === undefined ? undefined : stateOf(thread);
}

/** Where the memory of a VM begins in its own address space; undefined if it has none. */
export function memoryBaseOf(session: Session, vmName: string): bigint | undefined {
  const { system } = session.debuggee.target;
  const vm = system.rmView().vms.find(({ vmid }) => system.vmName(vmid) === vmName);
  return vm === undefined ? undefined : ramOf(system, vm)?.base;
}

/** What is to a VM its RAM: the stretch without holes that its entry lies in, else the longest. Pages that others share with it lie elsewhere. */
function ramOf(system: System, { vmid, memory, entry }: RmVmView): Stretch | undefined {
  if (vmid === PRIMARY_VMID) return system.layout.primary;
  const stretches: Stretch[] = [];
  for (const { ipa, sizeBytes } of memory.filter(({ kind }) => kind === 'memory').sort((a, b) => (a.ipa < b.ipa ? -1 : 1))) {
    const last = stretches.at(-1);
    if (last !== undefined && last.base + last.sizeBytes === ipa) stretches[stretches.length - 1] = { base: last.base, sizeBytes: last.sizeBytes + sizeBytes };
    else stretches.push({ base: ipa, sizeBytes });
  }
  const longest = stretches.reduce<Stretch | undefined>((best, one) => (best === undefined || one.sizeBytes > best.sizeBytes ? one : best), undefined);
  return stretches.find(({ base, sizeBytes }) => entry >= base && entry < base + sizeBytes) ?? longest;
}

interface Stretch { readonly base: bigint; readonly sizeBytes: bigint }

/** What a thread does, in the words of `VcpuRow`. */
export function stateOf(thread: { readonly state: string; readonly blockReasons: readonly string[]; readonly runsOnCpu: number | undefined }): string {
  if (thread.state === 'exited' || thread.state === 'killed') return thread.state;
  const [reason] = thread.blockReasons;
  if (reason !== undefined) return BLOCK_STATES[reason] ?? 'blocked';
  return thread.runsOnCpu === undefined ? 'ready' : 'running';
}

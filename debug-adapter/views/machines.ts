/** Rows of VMs, memory, interrupts and schedulers for panels. */

import { hex, va } from '../../runtime/index';
import type { InterruptRow, MemoryRow, SchedulerRow, VcpuRow, VmRow } from '../protocol/index';
import { threadIdOf, type Session } from '../session';

const PRIMARY_VMID = 3;
const RM_VMID = 255;
const OS_STATES = ['none', 'early boot', 'boot', 'init', 'run', 'shutdown', 'halted', 'crashed'] as const;
const BLOCK_STATES: Readonly<Record<string, string>> = { VCPU_OFF: 'off', VCPU_SUSPEND: 'suspended', VCPU_WFI: 'wfi', VCPU_RUN: 'proxy', VCPU_FAULT: 'fault' };
const MEMORY_TYPES: Readonly<Record<number, string>> = { 0: 'device-nGnRnE', 1: 'device-nGnRE', 2: 'device-nGRE', 3: 'device-GRE', 5: 'normal-nc', 0xf: 'normal-wb' };

/** VMs with their vCPUs; the Resource Manager last. */
export function vmRows(session: Session): VmRow[] {
  const { target } = session.debuggee;
  const { system } = target;
  const rows = system.rmView().vms.map((vm): VmRow => {
    const described = system.description.vms.find(({ name }) => name === system.vmName(vm.vmid));
    const ram = vm.memory.filter(({ kind }) => kind === 'memory');
    return {
      vmid: vm.vmid,
      name: system.vmName(vm.vmid),
      state: vm.state,
      osState: OS_STATES[vm.osState] ?? String(vm.osState),
      owner: vm.owner,
      image: described?.imageName ?? null,
      memoryBase: hex(vm.vmid === PRIMARY_VMID ? system.layout.primary.base : ram[0]?.ipa ?? 0n),
      memorySizeBytes: Number(vm.vmid === PRIMARY_VMID ? system.layout.primary.sizeBytes : ram.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n)),
      entry: hex(vm.entry),
      exit: system.vmSummaries().find(({ vmid }) => vmid === vm.vmid)?.exit ?? null,
      vcpus: vcpuRows(session, vm.vmid),
    };
  });
  const manager: VmRow = { vmid: RM_VMID, name: system.vmName(RM_VMID), state: 'RUNNING', osState: '', owner: null, image: null, memoryBase: hex(system.layout.rmPrivate.base), memorySizeBytes: Number(system.layout.rmPrivate.sizeBytes), entry: hex(0), exit: null, vcpus: [] };
  return [...rows, manager];
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
  if (vm?.vmid === PRIMARY_VMID) return system.layout.primary.base;
  return vm?.memory.find(({ kind }) => kind === 'memory')?.ipa;
}

function stateOf(thread: { readonly state: string; readonly blockReasons: readonly string[]; readonly runsOnCpu: number | undefined }): string {
  if (thread.state === 'exited' || thread.state === 'killed') return thread.state;
  const [reason] = thread.blockReasons;
  if (reason !== undefined) return BLOCK_STATES[reason] ?? 'blocked';
  return thread.runsOnCpu === undefined ? 'ready' : 'running';
}

/** The stage-2 map of a VM. */
export function memoryRows(session: Session, vmid: number): MemoryRow[] {
  const { system } = session.debuggee.target;
  const extents = system.inspection.extents();
  return system.inspection.mappings(vmid).map((row) => ({
    ipa: hex(row.ipa),
    sizeBytes: Number(row.sizeBytes),
    pa: hex(row.pa),
    access: accessText(row.attributes.kernel),
    memoryType: MEMORY_TYPES[row.attributes.memoryType] ?? `type ${row.attributes.memoryType}`,
    extentId: extents.find(({ owned }) => owned.some(({ base, sizeBytes }) => row.pa >= base && row.pa < base + sizeBytes))?.objectId ?? null,
    owner: row.owner === undefined ? 'none' : row.owner === 0 ? 'hypervisor' : `object ${row.owner}`,
  }));
}

function accessText(access: number): string {
  return [(access & 4) !== 0 ? 'R' : '-', (access & 2) !== 0 ? 'W' : '-', (access & 1) !== 0 ? 'X' : '-'].join('');
}

/** Interrupts of a VM that are enabled, pending, active or bound. */
export function interruptRows(session: Session, vmid: number): InterruptRow[] {
  return session.debuggee.target.system.inspection.interrupts(vmid).map((row) => ({
    virq: row.intid,
    vcpu: row.cpu ?? null,
    source: row.source ?? '',
    enabled: row.enabled,
    pending: row.pending,
    active: row.active,
    level: row.trigger === 'level' && row.pending,
    trigger: row.trigger,
    priority: row.priority,
    group: row.group,
    route: row.cpu === undefined ? '' : `vCPU ${row.cpu}`,
  }));
}

/** Who runs and who waits, per physical CPU. */
export function schedulerRows(session: Session): SchedulerRow[] {
  const { system } = session.debuggee.target;
  const threads = system.inspection.threads();
  const nameOf = (thread: { readonly vmid: number; readonly index: number }): string => `${system.vmName(thread.vmid)}/cpu${thread.index}`;
  return Array.from({ length: system.description.platform.cpuCount }, (_, cpu) => {
    const current = threads.find(({ runsOnCpu }) => runsOnCpu === cpu);
    const ready = threads.filter((thread) => thread.affinity === cpu && thread.runsOnCpu === undefined && thread.blockReasons.length === 0 && thread.state === 'ready');
    return { cpu, current: current === undefined ? null : nameOf(current), ready: ready.map((thread) => ({ thread: nameOf(thread), priority: thread.priority })) };
  });
}

/**
 * Rows of the Virtual Machines view: each VM with its state, image, memory and vCPUs, and what changed since the last stop.
 *
 * A pure function of what `gunyah/vms` answered now and at the previous stop.
 */

import type { VcpuRow, VmRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, fileNameOf, formatCount, formatSize, rangeEnd } from '../../model/format';
import { propertyRow, row, type Row, type Tone } from '../../model/row';

/** Rows of all VMs. `before` is the previous stop's answer, undefined at the first stop. */
export function virtualMachineRows(vms: readonly VmRow[], before: readonly VmRow[] | undefined): readonly Row[] {
  const rows = vms.map((vm) => vmRow(vm, before?.find((old) => old.vmid === vm.vmid), before !== undefined));
  const gone = (before ?? []).filter((old) => !vms.some((vm) => vm.vmid === old.vmid));
  return [...rows, ...gone.map(goneRow)];
}

const STATE_ICONS: Readonly<Record<string, string>> = {
  RUNNING: 'vm-running', READY: 'vm-outline', PAUSED: 'debug-pause', EXITED: 'vm-outline', RESET: 'vm-outline', INIT: 'vm-outline', LOAD: 'vm-outline',
};
const FAILED_STATES = new Set(['INIT_FAILED', 'RESET_FAILED', 'LOAD_FAILED']);
const ENDED_STATES = new Set(['EXITED', 'RESET', 'RESETTING', 'EXITING']);

function toneOfVm(vm: VmRow, old: VmRow | undefined, comparing: boolean): Tone {
  if (FAILED_STATES.has(vm.state)) return 'bad';
  if (comparing && old === undefined) return 'new';
  if (old !== undefined && old.state !== vm.state) return 'changed';
  return ENDED_STATES.has(vm.state) ? 'dim' : 'plain';
}

function vmRow(vm: VmRow, old: VmRow | undefined, comparing: boolean): Row {
  const id = `vm${vm.vmid}`;
  const state = old !== undefined && old.state !== vm.state ? `${vm.state} (was ${old.state})` : vm.state;
  return row({
    id,
    label: vm.name,
    description: [state, `VMID ${vm.vmid}`].join(' · '),
    tooltip: vmTooltip(vm),
    icon: FAILED_STATES.has(vm.state) ? 'error' : STATE_ICONS[vm.state] ?? 'vm',
    tone: toneOfVm(vm, old, comparing),
    subject: { kind: 'vm', vmid: vm.vmid, name: vm.name, memoryBase: vm.memoryBase, memorySizeBytes: vm.memorySizeBytes },
    expanded: true,
    children: [
      ...vm.vcpus.map((vcpu) => vcpuRow(vm, vcpu, old?.vcpus.find((other) => other.index === vcpu.index))),
      ...(vm.image === null ? [] : [propertyRow(id, { name: 'Image', icon: 'file-binary', value: fileNameOf(vm.image) })]),
      ...(vm.memorySizeBytes === 0 ? [] : [propertyRow(id, { name: 'Memory', icon: 'chip', value: memoryText(vm) })]),
      ...(isTold(vm.osState) || isTold(old?.osState) ? [propertyRow(id, { name: 'OS state', icon: 'info', value: vm.osState, before: old?.osState })] : []),
      ...(vm.exit === null ? [] : [propertyRow(id, { name: 'Exit', icon: 'sign-out', value: `${vm.exit.reason}, code ${vm.exit.code}`, before: exitBefore(old) })]),
    ],
  });
}

/** Guests that do not report their state are the rule; a row for nothing would be noise. */
function isTold(osState: string | undefined): boolean {
  return osState !== undefined && osState !== '' && osState.toLowerCase() !== 'none';
}

function exitBefore(old: VmRow | undefined): string | undefined {
  if (old === undefined) return undefined;
  return old.exit === null ? 'not exited' : `${old.exit.reason}, code ${old.exit.code}`;
}

function memoryText(vm: VmRow): string {
  return `${vm.memoryBase} – ${rangeEnd(vm.memoryBase, vm.memorySizeBytes)} (${formatSize(vm.memorySizeBytes)})`;
}

function vmTooltip(vm: VmRow): string {
  const lines = [`**${escapeMarkdown(vm.name)}** · ${escapeMarkdown(vm.state)}`, '', `VMID ${vm.vmid}${vm.owner === null ? '' : `, owned by VMID ${vm.owner}`}`];
  if (vm.image !== null) lines.push('', `Image: ${escapeMarkdown(vm.image)}`, '', `Entry: \`${vm.entry}\``);
  return lines.join('\n');
}

const VCPU_ICONS: Readonly<Record<string, string>> = { running: 'play-circle', ready: 'circle-outline', wfi: 'clock', off: 'circle-slash', exited: 'circle-slash', blocked: 'lock', suspended: 'debug-pause' };

function vcpuRow(vm: VmRow, vcpu: VcpuRow, old: VcpuRow | undefined): Row {
  const ran = old === undefined ? 0 : vcpu.instructions - old.instructions;
  const stateChanged = old !== undefined && old.state !== vcpu.state;
  const state = stateChanged ? `${vcpu.state} (was ${old.state})` : vcpu.state;
  const started = vcpu.state !== 'off';
  const where = vcpu.function === null ? vcpu.pc : `${vcpu.function} ${vcpu.pc}`;
  return row({
    id: `vm${vm.vmid}/cpu${vcpu.index}`,
    label: `cpu${vcpu.index}`,
    description: [state, ...(started ? [where, `EL${vcpu.el}`] : []), ...(ran === 0 ? [] : [ranText(ran)])].join(' · '),
    tooltip: [
      `**${escapeMarkdown(vm.name)}/cpu${vcpu.index}** · ${escapeMarkdown(vcpu.state)}`, '',
      `pc \`${vcpu.pc}\`${vcpu.function === null ? '' : ` in \`${vcpu.function}\``}, EL${vcpu.el}`, '',
      `${formatCount(vcpu.instructions)} instructions, priority ${vcpu.priority}${vcpu.physicalCpu === null ? '' : `, on physical CPU ${vcpu.physicalCpu}`}`,
    ].join('\n'),
    icon: VCPU_ICONS[vcpu.state] ?? 'circle-outline',
    tone: stateChanged || ran !== 0 ? 'changed' : started ? 'plain' : 'dim',
    subject: { kind: 'vcpu', threadId: vcpu.threadId, vm: vm.name, pc: vcpu.pc },
  });
}

function ranText(instructions: number): string {
  return instructions > 0 ? `+${formatCount(instructions)} instructions` : `${formatCount(-instructions)} instructions back`;
}

function goneRow(old: VmRow): Row {
  return row({ id: `vm${old.vmid}/gone`, label: old.name, description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' });
}

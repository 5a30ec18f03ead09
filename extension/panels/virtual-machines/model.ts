/**
 * Rows of the Virtual Machines view: each VM with its state, image, memory and vCPUs, and what changed since the last stop.
 *
 * A pure function of what `gunyah/vms` answered now and at the previous stop.
 */

import type { HypervisorIdentity, LinuxGeneration, ServiceSelection, VcpuRow, VmRow } from '../../../debug-adapter/protocol';
import { exitText } from '../../model/exit-text';
import { escapeMarkdown, fileNameOf, formatCount, formatSize, rangeEnd } from '../../model/format';
import { serviceLockText, serviceValueText, shortServiceName } from '../../model/services';
import { propertyRow, row, type Row, type Tone } from '../../model/row';

/** A VM with the hypercall services that it is offered, where that was asked. */
export interface VmWithServices extends VmRow { readonly services?: ServiceSelection | undefined }

/** Rows of all VMs. `before` is the previous stop's answer, undefined at the first stop. */
export function virtualMachineRows(vms: readonly VmWithServices[], before: readonly VmWithServices[] | undefined): readonly Row[] {
  const rows = vms.map((vm) => vmRow(vm, { old: before?.find((old) => old.vmid === vm.vmid), comparing: before !== undefined, owner: vms.find(({ vmid }) => vmid === vm.owner)?.name }));
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

/** The VM at the previous stop, whether there was one, and who owns it. */
interface VmSurroundings { readonly old: VmWithServices | undefined; readonly comparing: boolean; readonly owner: string | undefined }

function vmRow(vm: VmWithServices, { old, comparing, owner }: VmSurroundings): Row {
  const id = `vm${vm.vmid}`;
  const state = old !== undefined && old.state !== vm.state ? `${vm.state} (was ${old.state})` : vm.state;
  return row({
    id,
    label: vm.name,
    description: [state, `VMID ${vm.vmid}`].join(' · '),
    tooltip: vmTooltip(vm, owner),
    icon: FAILED_STATES.has(vm.state) ? 'error' : STATE_ICONS[vm.state] ?? 'vm',
    tone: toneOfVm(vm, old, comparing),
    subject: { kind: 'vm', vmid: vm.vmid, name: vm.name, memoryBase: vm.memoryBase, memorySizeBytes: vm.memorySizeBytes },
    expanded: true,
    children: [
      ...vm.vcpus.map((vcpu) => vcpuRow(vm, vcpu, old?.vcpus.find((other) => other.index === vcpu.index))),
      ...(vm.image === null ? [] : [propertyRow(id, { name: 'Image', icon: 'file-binary', value: fileNameOf(vm.image) })]),
      ...(vm.memorySizeBytes === 0 ? [] : [propertyRow(id, { name: 'Memory', icon: 'chip', value: memoryText(vm) })]),
      ...(isTold(vm.osState) || isTold(old?.osState) ? [propertyRow(id, { name: 'OS state', icon: 'info', value: vm.osState, before: old?.osState })] : []),
      ...(vm.exit === null ? [] : [propertyRow(id, { name: 'Exit', icon: 'sign-out', value: exitText(vm.exit.reason, vm.exit.code), before: exitBefore(old) })]),
      ...(vm.uuid === null ? [] : [propertyRow(id, { name: 'UUID', icon: 'symbol-key', value: vm.uuid })]),
      ...(vm.vcpus.length === 0 ? [] : [identityRow(id, vm.hypervisor, old?.hypervisor)]),
      ...(vm.services === undefined ? [] : [servicesRow(vm, vm.services, old?.services)]),
    ],
  });
}

const KIND_WORDS: Readonly<Record<HypervisorIdentity['kind'], string>> = { 'gunyah': 'Gunyah', 'gunyah-legacy': 'Gunyah, UID as old drivers expect it', 'kvm': 'KVM', 'none': 'nothing' };

/** Gunyah API: hyp_variant. */
const VARIANTS: Readonly<Record<number, string>> = { 0x48: 'Gunyah', 0x51: 'Qualcomm' };

function versionText(apiVersion: number, variant: number | null): string {
  const name = VARIANTS[variant ?? 0];
  return `API ${apiVersion}, variant 0x${(variant ?? 0).toString(16)}${name === undefined ? '' : ` (${name})`}`;
}

/** What the guest finds out about the hypervisor, and what Linux shows of it under /sys/hypervisor. */
function identityRow(parent: string, identity: HypervisorIdentity, old: HypervisorIdentity | undefined): Row {
  const id = `${parent}/hypervisor`;
  const version = identity.apiVersion === null ? '' : versionText(identity.apiVersion, identity.variant);
  const versionBefore = old === undefined || old.apiVersion === null ? undefined : versionText(old.apiVersion, old.variant);
  return row({
    id,
    label: 'Hypervisor',
    description: [KIND_WORDS[identity.kind], version].filter((part) => part !== '').join(' · '),
    tooltip: 'What the guest is told about the hypervisor under it, and what Linux makes of that in `/sys/hypervisor`, by generation of its Gunyah drivers',
    icon: 'shield',
    children: identity.kind === 'none' ? [] : [
      ...(identity.uid === null ? [] : [propertyRow(id, { name: 'UID', icon: 'symbol-key', value: identity.uid, before: old?.uid ?? undefined })]),
      ...(version === '' ? [] : [propertyRow(id, { name: 'Version', icon: 'versions', value: version, before: versionBefore })]),
      ...(identity.apiInfo === null ? [] : [propertyRow(id, { name: 'api_info', icon: 'symbol-numeric', value: `${identity.apiInfo} · ${identity.is64Bit ? '64-bit' : '32-bit'}, ${identity.isBigEndian ? 'big-endian' : 'little-endian'}` })]),
      ...identity.apiFlags.map((flags, index) => propertyRow(id, { name: `api_flags ${index}`, icon: 'symbol-numeric', value: index === 0 && identity.features.length > 0 ? `${flags} · ${identity.features.join(', ')}` : BigInt(flags) === 0n ? `${flags} · nothing` : flags })),
      ...(identity.features.length === 0 ? [] : [featuresRow(id, identity.features, old?.features)]),
      ...identity.linux.map((generation) => generationRow(id, generation)),
    ],
  });
}

/** One row a feature below: together they are too long for a line. */
function featuresRow(parent: string, features: readonly string[], old: readonly string[] | undefined): Row {
  const id = `${parent}/Features`;
  return {
    ...propertyRow(parent, { name: 'Features', icon: 'checklist', value: features.join(', '), before: old?.join(', ') }),
    children: features.map((feature) => row({ id: `${id}/${feature}`, label: feature, icon: 'check', tone: old === undefined || old.includes(feature) ? 'plain' : 'new' })),
  };
}

/** The hypercall services that a VM is offered, register by register. */
function servicesRow(vm: VmRow, services: ServiceSelection, old: ServiceSelection | undefined): Row {
  const id = `vm${vm.vmid}/services`;
  const children = [
    ...services.registers.map((register) => {
      const before = old?.registers.find((other) => other.id === register.id);
      return propertyRow(id, { name: shortServiceName(register), icon: register.kind === 'bitmap' ? 'checklist' : 'symbol-numeric', value: serviceValueText(register), before: before && serviceValueText(before) });
    }),
    ...(services.stolenTime === null ? [] : [propertyRow(id, { name: 'Stolen time at', icon: 'watch', value: services.stolenTime, before: old?.stolenTime ?? undefined })]),
    ...services.filter.map(({ base, count, action }) => row({ id: `${id}/filter/${base}`, label: count === 1 ? base : `${base}, ${count} functions`, description: action, icon: 'filter' })),
  ];
  return row({
    id,
    label: 'Hypercall services',
    description: [`${services.personality === 'kvm' ? 'KVM' : 'Gunyah'} answers`, services.hasRun ? 'fixed' : 'can be chosen'].join(' · '),
    tooltip: serviceLockText(services) || 'The services can be chosen until the first vCPU of the VM runs.',
    icon: 'settings',
    tone: children.some(({ tone }) => tone === 'changed') ? 'changed' : 'plain',
    subject: { kind: 'services', vmid: vm.vmid, name: vm.name },
    children,
  });
}

/** One generation of Linux's drivers: its files, or why there are none. */
function generationRow(parent: string, { generation, isRecognised, files }: LinuxGeneration): Row {
  const id = `${parent}/linux/${generation}`;
  const description = !isRecognised ? 'does not take this for Gunyah' : files.length === 0 ? 'shows nothing under /sys/hypervisor' : '/sys/hypervisor';
  return row({
    id, label: `Linux drivers ${generation}`, description, icon: isRecognised ? 'terminal-linux' : 'circle-slash', tone: isRecognised ? 'plain' : 'dim',
    children: files.map(({ path, text }) => row({ id: `${id}${path}`, label: path.replace('/sys/hypervisor/', ''), description: text.trim() === '' ? '(empty)' : text.trim(), tooltip: `\`${path}\``, icon: 'file' })),
  });
}

/** Guests that do not report their state are the rule; a row for nothing would be noise. */
function isTold(osState: string | undefined): boolean {
  return osState !== undefined && osState !== '' && osState.toLowerCase() !== 'none';
}

function exitBefore(old: VmRow | undefined): string | undefined {
  if (old === undefined) return undefined;
  return old.exit === null ? 'not exited' : exitText(old.exit.reason, old.exit.code);
}

function memoryText(vm: VmRow): string {
  return `${vm.memoryBase} – ${rangeEnd(vm.memoryBase, vm.memorySizeBytes)} (${formatSize(vm.memorySizeBytes)})`;
}

function vmTooltip(vm: VmRow, owner: string | undefined): string {
  const lines = [`**${escapeMarkdown(vm.name)}** · ${escapeMarkdown(vm.state)}`, '', `VMID ${vm.vmid}${owner === undefined ? '' : `, owned by ${escapeMarkdown(owner)}`}`];
  if (vm.image !== null) lines.push('', `Image: ${escapeMarkdown(vm.image)}`, '', `Entry: \`${vm.entry}\``);
  return lines.join('\n');
}

const VCPU_ICONS: Readonly<Record<string, string>> = { running: 'play-circle', ready: 'circle-outline', wfi: 'clock', off: 'circle-slash', exited: 'circle-slash', blocked: 'lock', suspended: 'debug-pause' };

function vcpuRow(vm: VmRow, vcpu: VcpuRow, old: VcpuRow | undefined): Row {
  const ran = old === undefined ? 0 : vcpu.instructions - old.instructions;
  const stateChanged = old !== undefined && old.state !== vcpu.state;
  const state = stateChanged ? `${vcpu.state} (was ${old.state})` : vcpu.state;
  const started = vcpu.state !== 'off';
  return row({
    id: `vm${vm.vmid}/cpu${vcpu.index}`,
    label: `cpu${vcpu.index}`,
    // Where it is comes first: a narrow view shows the beginning, and the icon tells the state as well.
    description: [...(started && vcpu.function !== null ? [vcpu.function] : []), state, ...(started ? [vcpu.pc, `EL${vcpu.el}`] : []), ...(ran === 0 ? [] : [ranText(ran)])].join(' · '),
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

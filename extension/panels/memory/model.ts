/**
 * Rows of the Memory view: each VM's memory as its stage-2 map has it, memory parcels, and the hypervisor's extents with their owners.
 *
 * A pure function of what `gunyah/memory` answered for each VM now and at the previous stop.
 */

import type { CustomRequestBody, ExtentRow, MemoryRow, MemoryStateName, SharerRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatHex, formatSize, rangeEnd } from '../../model/format';
import { groupRow, propertyRow, row, toneAgainst, type Row } from '../../model/row';
import { memparcelRow } from './parcels';

/** The memory of one VM, with the extents and parcels that it has to do with. */
export interface VmMemory extends CustomRequestBody<'gunyah/memory'> {
  readonly vmid: number;
  readonly vm: string;
}

/** Ranges of one VM that the tree lists; the memory map has all. */
const RANGES_MAX = 200;

/** Rows of VMs, parcels and extents. `before` is the previous stop's answer, undefined at the first stop. */
export function memoryRows(vms: readonly VmMemory[], before: readonly VmMemory[] | undefined): readonly Row[] {
  if (vms.length === 0) return [];
  const system = together(vms);
  const old = before === undefined || before.length === 0 ? undefined : together(before);
  const parcels = system.memparcels.map((parcel) => memparcelRow(parcel, old?.memparcels.find(({ handle }) => handle === parcel.handle), old !== undefined));
  const goneParcels = (old?.memparcels ?? []).filter((one) => !system.memparcels.some(({ handle }) => handle === one.handle))
    .map((one) => row({ id: `parcel${one.handle}/gone`, label: `Memory parcel ${formatHex(one.handle)}`, description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }));
  const extents = system.extents.map((extent) => extentRow(extent, old?.extents.find(({ objectId }) => objectId === extent.objectId), old !== undefined));
  return [
    ...vms.filter(({ map }) => map.length > 0).map((vm) => vmRow(vm, before?.find(({ vmid }) => vmid === vm.vmid))),
    { ...groupRow('parcels', 'Memory parcels', 'package', [...parcels, ...goneParcels]), expanded: true },
    groupRow('extents', 'Memory extents', 'layers', extents),
  ];
}

/** Extents and parcels of all VMs, each once. */
function together(vms: readonly VmMemory[]): Pick<VmMemory, 'extents' | 'memparcels'> {
  return {
    extents: [...new Map(vms.flatMap(({ extents }) => extents.map((extent) => [extent.objectId, extent] as const))).values()].sort((left, right) => left.objectId - right.objectId),
    memparcels: [...new Map(vms.flatMap(({ memparcels }) => memparcels.map((parcel) => [parcel.handle, parcel] as const))).values()].sort((left, right) => left.handle - right.handle),
  };
}

/** How memory stands to the VM that sees it, in words. */
export const STATE_WORDS: Readonly<Record<MemoryStateName, string>> = {
  'owned': 'owned', 'borrowed': 'borrowed', 'lent': 'lent away', 'shared': 'shared', 'donated': 'being donated', 'device': 'device', 'resource-manager': 'of the Resource Manager', 'hypervisor': 'of the hypervisor',
};
const STATE_ICONS: Readonly<Record<MemoryStateName, string>> = {
  'owned': 'chip', 'borrowed': 'arrow-left', 'lent': 'arrow-right', 'shared': 'arrow-both', 'donated': 'gift', 'device': 'circuit-board', 'resource-manager': 'gear', 'hypervisor': 'shield',
};

function vmRow(vm: VmMemory, before: VmMemory | undefined): Row {
  const id = `vm${vm.vmid}`;
  const shown = vm.map.slice(0, RANGES_MAX);
  const ranges = shown.map((range) => rangeRow(id, vm, range, before));
  const gone = (before?.map ?? []).filter((old) => !vm.map.some(({ ipa }) => ipa === old.ipa)).slice(0, RANGES_MAX)
    .map((old) => row({ id: `${id}/${old.ipa}/gone`, label: rangeText(old), description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }));
  const more = vm.map.length - shown.length;
  const rest = more === 0 && !vm.cut ? [] : [row({ id: `${id}/more`, label: `${more > 0 ? `${more} more ranges` : 'More ranges'}`, description: 'Open Memory Map shows them', icon: 'ellipsis' })];
  return row({
    id,
    label: vm.vm,
    description: totals(vm.map),
    tooltip: `What **${escapeMarkdown(vm.vm)}** sees at which intermediate physical address: its stage-2 map.`,
    icon: 'vm',
    tone: [...ranges, ...gone].some(({ tone }) => tone !== 'plain' && tone !== 'dim') ? 'changed' : 'plain',
    subject: { kind: 'vmMemory', vmid: vm.vmid, name: vm.vm },
    children: [...ranges, ...gone, ...rest],
    expanded: true,
  });
}

/** `128 MiB owned · 64 KiB shared`, largest first. */
function totals(map: readonly MemoryRow[]): string {
  const sums = new Map<MemoryStateName, number>();
  for (const { state, sizeBytes } of map) sums.set(state, (sums.get(state) ?? 0) + sizeBytes);
  return [...sums].sort(([, a], [, b]) => b - a).map(([state, size]) => `${formatSize(size)} ${STATE_WORDS[state]}`).join(' · ');
}

function rangeText({ ipa, sizeBytes }: MemoryRow): string {
  return `${ipa} – ${rangeEnd(ipa, sizeBytes)}`;
}

const othersText = (others: readonly SharerRow[]): string => [...new Set(others.map(({ vm }) => vm))].join(', ');

function rangeRow(parent: string, vm: VmMemory, range: MemoryRow, before: VmMemory | undefined): Row {
  const id = `${parent}/${range.ipa}`;
  const old = before?.map.find(({ ipa }) => ipa === range.ipa);
  const was = old !== undefined && old.state !== range.state ? ` (was ${STATE_WORDS[old.state]})` : '';
  return row({
    id,
    label: rangeText(range),
    description: [formatSize(range.sizeBytes), `${STATE_WORDS[range.state]}${was}`, range.access, ...nameOfRange(vm, range), ...(range.others.length === 0 ? [] : [`also seen by ${othersText(range.others)}`])].join(' · '),
    tooltip: [
      `**${escapeMarkdown(vm.vm)}** ${rangeText(range)}, ${formatSize(range.sizeBytes)}`, '', `${STATE_WORDS[range.state]}; owner ${escapeMarkdown(range.owner)}`, '', `physical ${range.pa} – ${rangeEnd(range.pa, range.sizeBytes)}`, '',
      `EL1 may ${range.access}, EL0 may ${range.userAccess}, ${escapeMarkdown(range.memoryType)}`,
    ].join('\n'),
    icon: STATE_ICONS[range.state],
    tone: toneAgainst(range, old, before !== undefined),
    subject: { kind: 'range', vmid: vm.vmid, vm: vm.vm, ipa: range.ipa, sizeBytes: range.sizeBytes },
    children: [
      propertyRow(id, { name: 'Physical', icon: 'chip', value: `${range.pa} – ${rangeEnd(range.pa, range.sizeBytes)}`, before: old && `${old.pa} – ${rangeEnd(old.pa, old.sizeBytes)}` }),
      propertyRow(id, { name: 'Owner', icon: 'person', value: range.owner, before: old?.owner }),
      propertyRow(id, { name: 'Access at EL1', icon: 'shield', value: range.access, before: old?.access }),
      propertyRow(id, { name: 'Access at EL0', icon: 'shield', value: range.userAccess, before: old?.userAccess }),
      propertyRow(id, { name: 'Memory type', icon: 'symbol-enum', value: range.memoryType, before: old?.memoryType }),
      ...(range.extentId === null ? [] : [propertyRow(id, { name: 'Extent', icon: 'layers', value: extentName(vm, range.extentId) })]),
      ...(range.memparcel === null ? [] : [propertyRow(id, { name: 'Memory parcel', icon: 'package', value: formatHex(range.memparcel) })]),
      ...range.others.map((other) => row({
        id: `${id}/other/${other.vmid}/${other.ipa}`, label: `Also seen by ${other.vm}`, description: `at ${other.ipa} · ${other.access}`, icon: 'eye',
        subject: { kind: 'range', vmid: other.vmid, vm: other.vm, ipa: other.ipa, sizeBytes: range.sizeBytes },
      })),
      ...(range.othersCut ? [row({ id: `${id}/other/more`, label: 'And by more', icon: 'ellipsis' })] : []),
    ],
  });
}

/** What the range is called, where that says more than whose it is. */
function nameOfRange({ extents }: VmMemory, { extentId, state }: MemoryRow): string[] {
  const label = extents.find((extent) => extent.objectId === extentId)?.label ?? '';
  return label === '' || state === 'owned' ? [] : [label];
}

function extentName({ extents }: VmMemory, objectId: number): string {
  const label = extents.find((extent) => extent.objectId === objectId)?.label ?? '';
  return label === '' ? `#${objectId}` : `#${objectId} ${label}`;
}

function extentRow(extent: ExtentRow, old: ExtentRow | undefined, comparing: boolean): Row {
  const id = `extent${extent.objectId}`;
  const name = extent.label === '' ? `#${extent.objectId}` : `#${extent.objectId} ${extent.label}`;
  return row({
    id,
    label: name,
    description: [`${extent.base} – ${rangeEnd(extent.base, extent.sizeBytes)}`, `owns ${formatSize(extent.ownedBytes)} of ${formatSize(extent.sizeBytes)}`, extent.access].join(' · '),
    tooltip: `**Memory extent ${escapeMarkdown(name)}**, ${extent.kind}\n\n${formatSize(extent.sizeBytes)} at physical ${extent.base}, ${escapeMarkdown(extent.memoryType)}, at most ${extent.access}`,
    icon: 'layers',
    tone: toneAgainst(extent, old, comparing),
    children: [
      propertyRow(id, { name: 'Kind', icon: 'symbol-enum', value: `${extent.kind}, ${extent.memoryType}, at most ${extent.access}` }),
      ...(extent.parent === null ? [] : [propertyRow(id, { name: 'Derived from', icon: 'type-hierarchy-super', value: `#${extent.parent}` })]),
      propertyRow(id, { name: 'Holders', icon: 'person', value: extent.holders.length === 0 ? 'none' : extent.holders.join(', '), before: old && (old.holders.length === 0 ? 'none' : old.holders.join(', ')) }),
      ...extent.owned.slice(0, RANGES_MAX).map(({ pa, sizeBytes }) => row({ id: `${id}/owned/${pa}`, label: `Owns ${pa} – ${rangeEnd(pa, sizeBytes)}`, description: formatSize(sizeBytes), icon: 'chip' })),
      ...extent.mappings.slice(0, RANGES_MAX).map(({ vmid, vm, ipa, sizeBytes, access, memoryType }) => row({
        id: `${id}/mapping/${vmid}/${ipa}`, label: `Mapped in ${vm} at ${ipa}`, description: `${formatSize(sizeBytes)} · ${access} · ${memoryType}`, icon: 'map', subject: { kind: 'range', vmid, vm, ipa, sizeBytes },
      })),
    ],
  });
}

/**
 * Rows of the Memory view: each VM's memory as its stage-2 map has it, memory parcels, and the hypervisor's extents with their owners.
 *
 * A pure function of what `gunyah/memory` answered for each VM now and at the previous stop.
 */

import type { CustomRequestBody, ExtentRow, MemoryRow, MemoryStateName, SharerRow, WindowRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatHex, formatSize, plural, rangeEnd } from '../../model/format';
import { groupRow, lazyRow, pagedRows, propertyRow, row, toneAgainst, type Row, type Tone } from '../../model/row';
import { memparcelRow } from './parcels';

/** The memory of one VM, with the extents and parcels that it has to do with. */
export interface VmMemory extends CustomRequestBody<'gunyah/memory'> {
  readonly vmid: number;
  readonly vm: string;
}

/** Ranges that went away and are listed. */
const GONE_MAX = 200;

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
    ...vms.filter(({ map, windows }) => map.length > 0 || windows.length > 0).map((vm) => vmRow(vm, before?.find(({ vmid }) => vmid === vm.vmid))),
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
  const old = before === undefined ? undefined : new Map(before.map.map((range) => [range.ipa, range]));
  const known = new Set(vm.map.map(({ ipa }) => ipa));
  const compared = vm.map.map((range): ComparedRange => ({ range, old: old?.get(range.ipa), tone: toneAgainst(range, old?.get(range.ipa), old !== undefined) }));
  const ranges = pagedRows({
    id, items: compared, tone: ({ tone }) => tone, make: (one) => rangeRow(id, vm, one), title: (first, last) => `${first.range.ipa} – ${rangeEnd(last.range.ipa, last.range.sizeBytes)}`,
  });
  const gone = (before?.map ?? []).filter(({ ipa }) => !known.has(ipa)).slice(0, GONE_MAX)
    .map((range) => row({ id: `${id}/${range.ipa}/gone`, label: rangeText(range), description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }));
  const rest = vm.cut ? [row({ id: `${id}/more`, label: 'More ranges', description: 'too many to list; walk an address to see one', icon: 'ellipsis' })] : [];
  return row({
    id,
    label: vm.vm,
    description: totals(vm.map),
    tooltip: `What **${escapeMarkdown(vm.vm)}** sees at which intermediate physical address: its stage-2 map, and what answers without one.`,
    icon: 'vm',
    tone: gone.length > 0 || compared.some(({ tone }) => tone !== 'plain') ? 'changed' : 'plain',
    subject: { kind: 'vmMemory', vmid: vm.vmid, name: vm.vm },
    children: [...windowsRow(id, vm), ...ranges, ...gone, ...rest],
    expanded: true,
  });
}

/** `128 MiB owned · 64 KiB shared`, largest first. */
function totals(map: readonly MemoryRow[]): string {
  const sums = new Map<MemoryStateName, number>();
  for (const { state, sizeBytes } of map) sums.set(state, (sums.get(state) ?? 0) + sizeBytes);
  return [...sums].sort(([, a], [, b]) => b - a).map(([state, size]) => `${formatSize(size)} ${STATE_WORDS[state]}`).join(' · ');
}

const WINDOW_WORDS: Readonly<Record<WindowRow['kind'], string>> = { emulated: 'emulated by the hypervisor', vmm: 'emulated by whoever runs the vCPU', board: 'device of the board', empty: 'the bus refuses accesses', reserved: 'taken, but not mapped' };
const WINDOW_ICONS: Readonly<Record<WindowRow['kind'], string>> = { emulated: 'shield', vmm: 'arrow-swap', board: 'circuit-board', empty: 'circle-outline', reserved: 'info' };

/** Where accesses are answered without a map. */
function windowsRow(parent: string, { windows, vmid, vm }: VmMemory): Row[] {
  if (windows.length === 0) return [];
  const id = `${parent}/windows`;
  const hasSpace = windows.some(({ kind }) => kind === 'board' || kind === 'empty');
  return [lazyRow({
    id, label: hasSpace ? 'Device space' : 'Emulated devices', description: plural(windows.length, 'range'), icon: 'circuit-board',
    tooltip: hasSpace
      ? 'Below RAM the primary VM reaches each address of the board at the same intermediate address, but for what the hypervisor emulates. No descriptors stand for that: what is mapped there is listed with the other ranges.'
      : 'Nothing is mapped at these addresses; accesses trap and are emulated.',
  }, () => windows.map((window) => row({
    id: `${id}/${window.ipa}`, label: rangeText(window), description: [formatSize(window.sizeBytes), window.name, WINDOW_WORDS[window.kind]].join(' · '), icon: WINDOW_ICONS[window.kind],
    tone: window.kind === 'empty' ? 'dim' : 'plain', tooltip: `**${escapeMarkdown(vm)}** ${rangeText(window)}\n\n${escapeMarkdown(window.name)}: ${WINDOW_WORDS[window.kind]}`,
    subject: { kind: 'window', vmid, vm, ipa: window.ipa, sizeBytes: window.sizeBytes },
  })))];
}

function rangeText({ ipa, sizeBytes }: Pick<MemoryRow, 'ipa' | 'sizeBytes'>): string {
  return `${ipa} – ${rangeEnd(ipa, sizeBytes)}`;
}

const othersText = (others: readonly SharerRow[]): string => [...new Set(others.map(({ vm }) => vm))].join(', ');

/** A range, what it was at the last stop, and how they differ. */
interface ComparedRange { readonly range: MemoryRow; readonly old: MemoryRow | undefined; readonly tone: Tone }

function rangeRow(parent: string, vm: VmMemory, { range, old, tone }: ComparedRange): Row {
  const id = `${parent}/${range.ipa}`;
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
    tone,
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
  return lazyRow({
    id,
    label: name,
    description: [`${extent.base} – ${rangeEnd(extent.base, extent.sizeBytes)}`, `owns ${formatSize(extent.ownedBytes)} of ${formatSize(extent.sizeBytes)}`, extent.access].join(' · '),
    tooltip: `**Memory extent ${escapeMarkdown(name)}**, ${extent.kind}\n\n${formatSize(extent.sizeBytes)} at physical ${extent.base}, ${escapeMarkdown(extent.memoryType)}, at most ${extent.access}`,
    icon: 'layers',
    tone: toneAgainst(extent, old, comparing),
  }, () => [
    propertyRow(id, { name: 'Kind', icon: 'symbol-enum', value: `${extent.kind}, ${extent.memoryType}, at most ${extent.access}` }),
    ...(extent.parent === null ? [] : [propertyRow(id, { name: 'Derived from', icon: 'type-hierarchy-super', value: `#${extent.parent}` })]),
    propertyRow(id, { name: 'Holders', icon: 'person', value: extent.holders.length === 0 ? 'none' : extent.holders.join(', '), before: old && (old.holders.length === 0 ? 'none' : old.holders.join(', ')) }),
    ...pagedRows({
      id: `${id}/owned`, items: extent.owned, title: (first, last) => `Owns ${first.pa} – ${rangeEnd(last.pa, last.sizeBytes)}`,
      make: ({ pa, sizeBytes }) => row({ id: `${id}/owned/${pa}`, label: `Owns ${pa} – ${rangeEnd(pa, sizeBytes)}`, description: formatSize(sizeBytes), icon: 'chip' }),
    }),
    ...pagedRows({
      id: `${id}/mappings`, items: extent.mappings, title: (first, last) => `Mapped in ${first.vm} at ${first.ipa} – ${last.ipa}`,
      make: ({ vmid, vm, ipa, sizeBytes, access, memoryType }) => row({
        id: `${id}/mapping/${vmid}/${ipa}`, label: `Mapped in ${vm} at ${ipa}`, description: `${formatSize(sizeBytes)} · ${access} · ${memoryType}`, icon: 'map', subject: { kind: 'range', vmid, vm, ipa, sizeBytes },
      }),
    }),
  ]);
}

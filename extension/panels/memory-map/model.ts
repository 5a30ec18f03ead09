/** The memory map's content from what `gunyah/memory` answers. Pure functions. */

import type { MemoryRow } from '../../../debug-adapter/protocol';
import { formatHex } from '../../model/format';
import { STATE_WORDS, type VmMemory } from '../memory/model';
import type { MapRange, MapState, OtherRange } from './messages';

/** What surrounds the map. */
export interface MapSurroundings { readonly session: MapState['session']; readonly nowText: string; readonly vmid: number | undefined }

/** The map of the wanted VM, or of the first that has one. */
export function mapState(vms: readonly VmMemory[], before: readonly VmMemory[] | undefined, { session, nowText, vmid }: MapSurroundings): MapState {
  const withMemory = vms.filter(({ map }) => map.length > 0);
  const shown = withMemory.find((vm) => vm.vmid === vmid) ?? withMemory[0];
  const old = before?.find((vm) => vm.vmid === shown?.vmid);
  const away = shown === undefined ? [] : awayRanges(shown, old);
  return {
    session,
    nowText,
    vms: withMemory.map(({ vmid: id, vm }) => ({ vmid: id, name: vm })),
    vmid: shown?.vmid ?? -1,
    vm: shown?.vm ?? '',
    ranges: shown === undefined ? [] : [...mapRanges(shown, old), ...away].sort((a, b) => a.ipa - b.ipa),
    others: shown === undefined ? [] : otherRanges(shown, away, withMemory),
    cut: shown?.cut ?? false,
  };
}

/** The ranges of a VM's map. Those of before and the extents are looked up by key: there may be thousands of each. */
function mapRanges(vm: VmMemory, before: VmMemory | undefined): readonly MapRange[] {
  const known = new Map(before?.map.map((range) => [range.ipa, range]));
  const labels = new Map(vm.extents.map(({ objectId, label }) => [objectId, label]));
  return vm.map.map((range) => mapRange(range, { old: before === undefined ? range : known.get(range.ipa), label: labels.get(range.extentId ?? -1) ?? '' }));
}

function mapRange(range: MemoryRow, { old, label }: { readonly old: MemoryRow | undefined; readonly label: string }): MapRange {
  return {
    ipa: Number(range.ipa),
    pa: Number(range.pa),
    sizeBytes: range.sizeBytes,
    state: range.state,
    stateText: STATE_WORDS[range.state],
    access: range.access,
    userAccess: range.userAccess,
    memoryType: range.memoryType,
    owner: range.owner,
    extent: range.extentId === null ? '' : `#${range.extentId}${label === '' ? '' : ` ${label}`}`,
    memparcel: range.memparcel === null ? '' : formatHex(range.memparcel),
    others: range.others,
    change: old === undefined ? 'new' : JSON.stringify(old) === JSON.stringify(range) ? 'same' : 'changed',
  };
}

/** Memory that the VM lent or is donating, and does not see meanwhile: it has a place in the picture although no map has it. */
function awayRanges(vm: VmMemory, before: VmMemory | undefined): readonly MapRange[] {
  const away = vm.memparcels.filter(({ ownerVmid, ownerMapped }) => ownerVmid === vm.vmid && !ownerMapped);
  return away.flatMap(({ handle, owner, transaction, memoryType, ranges, acceptedBy }) => ranges.map(({ ipa, pa, sizeBytes }, index): MapRange => ({
    ipa: Number(ipa),
    pa: Number(pa),
    sizeBytes,
    state: transaction === 'donate' ? 'donated' : 'lent',
    stateText: `${STATE_WORDS[transaction === 'donate' ? 'donated' : 'lent']}, not mapped`,
    access: '---',
    userAccess: '---',
    memoryType,
    owner,
    extent: '',
    memparcel: formatHex(handle),
    others: acceptedBy.map((taker) => ({ vmid: taker.vmid, vm: taker.vm, ipa: taker.ranges[index]?.ipa ?? taker.ranges[0]?.ipa ?? '?', access: '' })),
    change: before === undefined || before.memparcels.some((old) => old.handle === handle && !old.ownerMapped) ? 'same' : 'new',
  })));
}

/** What the other VMs see and this one neither sees nor has given away, by physical address. */
function otherRanges(shown: VmMemory, away: readonly MapRange[], all: readonly VmMemory[]): readonly OtherRange[] {
  const own = [...shown.map, ...away].map(({ pa, sizeBytes }) => ({ from: Number(pa), to: Number(pa) + sizeBytes }));
  const found = all.filter((vm) => vm !== shown).flatMap(({ vm, map }) => map.map(({ pa, sizeBytes }) => ({ pa: Number(pa), sizeBytes, vm })));
  return found.filter(({ pa, sizeBytes }) => !own.some(({ from, to }) => pa >= from && pa + sizeBytes <= to)).sort((a, b) => a.pa - b.pa);
}

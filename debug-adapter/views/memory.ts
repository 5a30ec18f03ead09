/** Rows of memory: stage-2 maps with owners, extents of the hypervisor and memory parcels of the Resource Manager. */

import { hex, type RmParcelView, type System } from '../../runtime/index';
import type { CustomRequestBody, ExtentRow, MemoryRow, MemparcelRow } from '../protocol/index';
import { accessText, hexPage, memoryTypeText } from './memory-words';
import { ObjectBook } from './objects';
import { PhysicalMap } from './physical-map';
import { windowRows } from './windows';

const RM_VMID = 255;
/** Rows of one answer. */
const MAP_ROWS_MAX = 8192;
const EXTENT_ROWS_MAX = 2048;
const OWNED_RANGES_MAX = 1000;

/** What `gunyah/memory` answers for a VM; RM's VMID gives all extents and all parcels. */
export function memoryBody(system: System, vmid: number): CustomRequestBody<'gunyah/memory'> {
  const extents = extentRows(system, vmid);
  const { map, isCut } = stage2Rows(system, vmid);
  const memparcels = memparcelRows(system).filter(({ ownerVmid, acl, acceptedBy }) => vmid === RM_VMID || ownerVmid === vmid || acl.some((entry) => entry.vmid === vmid) || acceptedBy.some((user) => user.vmid === vmid));
  return { map, windows: windowRows(system, vmid), extents: extents.slice(0, EXTENT_ROWS_MAX), memparcels, cut: isCut || extents.length > EXTENT_ROWS_MAX };
}

function stage2Rows(system: System, vmid: number): { readonly map: MemoryRow[]; readonly isCut: boolean } {
  const physical = new PhysicalMap(system);
  const extents = new ExtentFinder(system);
  const map: MemoryRow[] = [];
  for (const { ipa, pa, sizeBytes, attributes } of system.inspection.mappings(vmid)) {
    const [ipaFirst, paFirst] = [Number(ipa >> 12n), Number(pa >> 12n)];
    for (const stretch of physical.over(paFirst, paFirst + Number(sizeBytes >> 12n))) {
      if (map.length >= MAP_ROWS_MAX) return { map, isCut: true };
      const ipaPage = ipaFirst + stretch.first - paFirst;
      const { rows, isCut } = physical.others(stretch, { vmid, ipaPage });
      map.push({
        ipa: hexPage(ipaPage), sizeBytes: (stretch.end - stretch.first) * 4096, pa: hexPage(stretch.first), access: accessText(attributes.kernel), userAccess: accessText(attributes.user),
        memoryType: memoryTypeText(attributes.memoryType), extentId: extents.of(BigInt(stretch.first) << 12n), ...physical.describe(stretch, vmid), others: rows, othersCut: isCut,
      });
    }
  }
  return { map, isCut: false };
}

/** Which extent owns an address, by halving. */
class ExtentFinder {
  private readonly ranges: readonly { readonly base: bigint; readonly end: bigint; readonly id: number }[];

  constructor(system: System) {
    this.ranges = system.inspection.extents().flatMap(({ objectId, owned }) => owned.map(({ base, sizeBytes }) => ({ base, end: base + sizeBytes, id: objectId })))
      .sort((left, right) => (left.base < right.base ? -1 : 1));
  }

  of(address: bigint): number | null {
    let [low, high] = [0, this.ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ranges[middle]?.end ?? 0n) <= address) low = middle + 1; else high = middle;
    }
    const found = this.ranges[low];
    return found !== undefined && found.base <= address ? found.id : null;
  }
}

/** Extents that a VM holds or sees. */
function extentRows(system: System, vmid: number): ExtentRow[] {
  const book = new ObjectBook(system);
  return system.inspection.extents().map((extent): ExtentRow => ({
    objectId: extent.objectId, label: book.labelOf(extent.objectId), kind: extent.kind, base: hex(extent.base), sizeBytes: Number(extent.sizeBytes), memoryType: extent.memoryType,
    access: accessText(extent.access), parent: extent.parent ?? null,
    owned: extent.owned.slice(0, OWNED_RANGES_MAX).map(({ base, sizeBytes }) => ({ pa: hex(base), sizeBytes: Number(sizeBytes) })),
    ownedBytes: extent.owned.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0),
    mappings: extent.mappings.map((mapping) => ({
      vmid: mapping.vmid, vm: system.vmName(mapping.vmid), ipa: hex(mapping.ipa), offset: hex(mapping.offset), sizeBytes: Number(mapping.sizeBytes),
      access: accessText(mapping.attributes.kernel), memoryType: memoryTypeText(mapping.attributes.memoryType),
    })),
    holders: book.holdersOf(extent.objectId),
  })).filter(({ mappings, holders }) => vmid === RM_VMID || mappings.some((mapping) => mapping.vmid === vmid) || holders.includes(system.vmName(vmid)));
}

/** All memory parcels. */
export function memparcelRows(system: System): MemparcelRow[] {
  const nameOf = (vmid: number): string => system.vmName(vmid);
  return system.rmView().parcels.map((parcel): MemparcelRow => ({
    handle: parcel.handle, label: parcel.label, ownerVmid: parcel.owner, owner: nameOf(parcel.owner), transaction: parcel.transaction, state: parcelState(parcel),
    memoryType: parcel.memoryType, sanitised: parcel.sanitised, complete: parcel.complete, ownerMapped: parcel.ownerMapped,
    sizeBytes: parcel.ranges.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0),
    acl: parcel.acl.map(({ vmid, rights }) => ({ vmid, vm: nameOf(vmid), access: accessText(rights) })),
    ranges: parcel.ranges.map(({ address, pa, sizeBytes }) => ({ ipa: hex(address), pa: hex(pa), sizeBytes: Number(sizeBytes) })),
    acceptedBy: parcel.users.map(({ vmid, memory }) => ({ vmid, vm: nameOf(vmid), ranges: memory.map(({ ipa, sizeBytes }) => ({ ipa: hex(ipa), sizeBytes: Number(sizeBytes) })) })),
  }));
}

function parcelState({ complete, transaction, acceptedBy }: RmParcelView): MemparcelRow['state'] {
  if (!complete) return 'building';
  if (acceptedBy.length === 0) return 'offered';
  return transaction === 'lend' ? 'lent' : transaction === 'share' ? 'shared' : 'donated';
}

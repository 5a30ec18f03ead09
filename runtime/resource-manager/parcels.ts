/**
 * Memory parcels: memory that one VM gives, lends or shares to others. Each parcel is a sparse extent to which the memory moves from
 * its owner's extent; who may see it maps that extent. Layouts and errors of the requests are in `requests/memory.ts`.
 */

import { CAP_ID_INVALID, memparcelHandle } from '../base/brands';
import type { CapId } from '../base/brands';
import type { Rm } from './context';
import { RM_VMID } from './context';
import type { RmErrorName } from './rm-errors';
import type { AclEntry, Parcel, ParcelRegion, VmMapping, VmRecord } from './state';
import { VmBuild } from './vm-builder';
import { ACCESS, chooseAddress, createSparseExtent, carveDevice, donateToRm, donateToSibling, mapAttributes, mapPart, mapWhole, MEMORY_TYPE, occupant, ownExtent, PAGE, unmapPart, unmapWhole, zeroRange } from './vm-memory';

/** Parcels that one VM may own. */
export const PARCELS_MAX = 64;

/** What a new parcel shall be. */
export interface ParcelPlan {
  readonly transaction: Parcel['transaction'];
  readonly memoryType: Parcel['memoryType'];
  readonly sanitise: boolean;
  readonly complete: boolean;
  readonly label: number;
  readonly acl: readonly AclEntry[];
  readonly attributes: Parcel['attributes'];
  readonly ranges: readonly MemoryRange[];
}

/** A range as its owner addresses it. */
export interface MemoryRange { readonly address: bigint; readonly size: bigint }

/** The parcel with this handle. */
export function parcelByHandle(rm: Rm, handle: number): Parcel | undefined {
  return rm.state.parcels.find((parcel) => parcel.handle === handle);
}

/** Where the memory of ranges lies; an error if a VM does not own all of it, each piece once. */
export function locateRanges(rm: Rm, vm: VmRecord, ranges: readonly MemoryRange[]): ParcelRegion[] | undefined {
  const regions: ParcelRegion[] = [];
  for (const range of ranges) {
    for (let done = 0n; done < range.size;) {
      const found = lookup(rm, vm, range.address + done, range.size - done);
      if (found === undefined || found.sizeBytes === 0n) return undefined;
      const overlaps = regions.some((region) => found.offset < region.offset + region.sizeBytes && region.offset < found.offset + found.sizeBytes);
      if (overlaps) return undefined;
      regions.push({ address: range.address + done, ...found });
      done += found.sizeBytes;
    }
  }
  return regions;
}

function lookup(rm: Rm, vm: VmRecord, address: bigint, size: bigint): { offset: bigint; sizeBytes: bigint } | undefined {
  if (vm.memoryExtent === null || vm.objects === null) return undefined;
  const found = rm.call('addrspace_lookup', { addrspace: vm.objects.addrspace, memextent: vm.memoryExtent, vbase: address, size });
  return found.error === 0 ? { offset: found.offset, sizeBytes: found.size } : undefined;
}

/** Creates a parcel of memory that `owner` has. Everything about the plan but the memory has been checked. */
export function createParcel(rm: Rm, owner: VmRecord, handle: number, plan: ParcelPlan): Parcel | RmErrorName {
  if (plan.memoryType === 'io') return createDeviceParcel(rm, owner, handle, plan);
  const regions = locateRanges(rm, owner, plan.ranges);
  if (regions === undefined) return 'MEM_INVALID';
  const build = new VmBuild(rm, owner);
  const extent = createSparseExtent(build);
  owner.heldCaps = owner.heldCaps.filter((held) => held.cap !== extent || held.vmid !== RM_VMID);
  if (build.error !== undefined) return build.error;
  const parcel = newParcel(owner, handle, { plan, extent });
  if (!moveIn(rm, owner, parcel, regions)) {
    deleteExtent(rm, extent);
    return 'MEM_INVALID';
  }
  rm.state.parcels.push(parcel);
  return parcel;
}

function newParcel(owner: VmRecord, handle: number, { plan, extent }: { readonly plan: ParcelPlan; readonly extent: CapId }): Parcel {
  return {
    handle: memparcelHandle(handle), owner: owner.vmid, transaction: plan.transaction, memoryType: plan.memoryType, sanitised: plan.sanitise, label: plan.label, tag: 0,
    acl: plan.acl, attributes: plan.attributes, regions: [], complete: plan.complete, extent, users: [], ownerMapped: plan.transaction !== 'donate',
  };
}

/** Device space is not moved into one extent, because it has nothing in common: each range becomes an extent of its own. */
function createDeviceParcel(rm: Rm, owner: VmRecord, handle: number, plan: ParcelPlan): Parcel | RmErrorName {
  const parcel = newParcel(owner, handle, { plan, extent: CAP_ID_INVALID });
  if (!carveRanges(rm, owner, parcel, plan.ranges)) return 'MEM_INVALID';
  rm.state.parcels.push(parcel);
  return parcel;
}

/** Adds ranges of the owner's device space to a parcel, all of them or none. */
export function carveRanges(rm: Rm, owner: VmRecord, parcel: Parcel, ranges: readonly MemoryRange[]): boolean {
  const carved: ParcelRegion[] = [];
  for (const { address, size } of ranges) {
    const window = owner.deviceWindows.find(({ ipa, sizeBytes }) => address >= ipa && address + size <= ipa + sizeBytes);
    const extent = window === undefined ? undefined : carveDevice(rm, window, { base: address, sizeBytes: size });
    if (extent === undefined) {
      for (const region of carved) deleteExtent(rm, region.extent ?? CAP_ID_INVALID);
      return false;
    }
    const mapping = owner.mappings.find((candidate) => candidate.kind === 'device' && address >= candidate.ipa && address + size <= candidate.ipa + candidate.sizeBytes);
    carved.push({ address, offset: (mapping?.offset ?? 0n) + (address - (mapping?.ipa ?? address)), sizeBytes: size, extent });
  }
  parcel.regions = [...parcel.regions, ...carved];
  for (const region of carved) showToOwner(rm, owner, parcel, region);
  return true;
}

/** What the owner sees of a carved region: all of it when lent, its own rights when shared, nothing when donated. */
function showToOwner(rm: Rm, owner: VmRecord, parcel: Parcel, region: ParcelRegion): void {
  if (parcel.transaction === 'lend' || region.extent === undefined) return;
  unmapWhole(rm, owner, region.extent, region.address);
  if (!parcel.ownerMapped) return;
  const rights = parcel.acl.find((entry) => entry.vmid === owner.vmid)?.rights ?? 0;
  mapWhole(rm, owner, region.extent, { ipa: region.address, attributes: mapAttributes(rights, MEMORY_TYPE.DEVICE) });
}

/** Moves located memory from its owner into a parcel, all of it or none. */
export function moveIn(rm: Rm, owner: VmRecord, parcel: Parcel, regions: readonly ParcelRegion[]): boolean {
  const from = owner.memoryExtent ?? CAP_ID_INVALID;
  const moved: ParcelRegion[] = [];
  for (const region of regions) {
    if (donateToSibling(rm, from, parcel.extent, region) !== 0) {
      for (const undone of moved) donateToSibling(rm, parcel.extent, from, undone);
      return false;
    }
    moved.push(region);
  }
  if (parcel.sanitised) for (const region of regions) zeroRange(rm, parcel.extent, region);
  parcel.regions = [...parcel.regions, ...regions];
  if (parcel.ownerMapped) for (const region of regions) mapForOwner(rm, owner, parcel, region);
  return true;
}

function mapForOwner(rm: Rm, owner: VmRecord, parcel: Parcel, region: ParcelRegion): void {
  const rights = parcel.transaction === 'share' ? parcel.acl.find((entry) => entry.vmid === owner.vmid)?.rights ?? 0 : ACCESS.RWX;
  mapPart(rm, owner, parcel.extent, { ipa: region.address, offset: region.offset, sizeBytes: region.sizeBytes, attributes: mapAttributes(rights, memoryTypeFor(parcel, owner.vmid)) });
}

function memoryTypeFor(parcel: Parcel, vmid: number): number {
  const attribute = parcel.attributes.find((entry) => entry.vmid === vmid)?.attribute ?? 0;
  return attribute === 1 || parcel.memoryType === 'io' ? MEMORY_TYPE.DEVICE : attribute === 2 ? MEMORY_TYPE.UNCACHED : MEMORY_TYPE.WRITE_BACK;
}

/** How a parcel shall be accepted: at given ranges, at one address, or where RM likes. */
export interface AcceptPlan {
  readonly at: 'chosen' | 'contiguous' | bigint | readonly MemoryRange[];
  readonly sanitise: boolean;
}

/** Maps a parcel for a VM in its access control list. Checks of rights have been made. */
export function acceptParcel(rm: Rm, vm: VmRecord, parcel: Parcel, plan: AcceptPlan): readonly VmMapping[] | RmErrorName {
  const places = placesFor(vm, parcel, plan.at);
  if (typeof places === 'string') return places;
  const rights = parcel.acl.find((entry) => entry.vmid === vm.vmid)?.rights ?? 0;
  const attributes = mapAttributes(rights, memoryTypeFor(parcel, vm.vmid));
  if (parcel.memoryType === 'io' && !isWholeRegions(parcel, places)) return 'MAP_FAILED';
  const extent = parcel.transaction === 'donate' && parcel.memoryType === 'normal' ? takeDonation(rm, vm, parcel) : parcel.extent;
  if (extent === undefined) return 'MEM_INVALID';
  const done: VmMapping[] = [];
  for (const mapping of places) {
    if (mapRegion(rm, vm, { parcel, extent }, { ...mapping, attributes }) !== 0) {
      for (const undone of done) unmapRegion(rm, vm, { parcel, extent }, undone);
      return 'MAP_FAILED';
    }
    done.push(mapping);
  }
  if (parcel.transaction === 'donate') {
    vm.mappings.push(...done.map((mapping) => ({ ...mapping, handle: null })));
    endDonation(rm, vm, parcel, done);
    return done;
  }
  if (parcel.transaction === 'lend') unmapOwner(rm, parcel);
  vm.mappings.push(...done);
  parcel.users = [...parcel.users, { vmid: vm.vmid, mappings: done, sanitise: plan.sanitise }];
  return done;
}

interface Inside { readonly parcel: Parcel; readonly extent: CapId }

/** The extent of device memory that starts at an offset; `undefined` for normal memory. */
function regionExtent(parcel: Parcel, offset: bigint): CapId | undefined {
  return parcel.regions.find((region) => region.offset === offset)?.extent;
}

/** Device memory is mapped region by region. */
function isWholeRegions(parcel: Parcel, places: readonly VmMapping[]): boolean {
  return places.length === parcel.regions.length && places.every((place, i) => place.offset === parcel.regions[i]?.offset && place.sizeBytes === parcel.regions[i]?.sizeBytes);
}

function mapRegion(rm: Rm, vm: VmRecord, { parcel, extent }: Inside, mapping: VmMapping & { readonly attributes: number }): number {
  const device = parcel.memoryType === 'io' ? regionExtent(parcel, mapping.offset) : undefined;
  return device === undefined ? mapPart(rm, vm, extent, mapping) : mapWhole(rm, vm, device, mapping);
}

function unmapRegion(rm: Rm, vm: VmRecord, { parcel, extent }: Inside, mapping: VmMapping): void {
  const device = parcel.memoryType === 'io' ? regionExtent(parcel, mapping.offset) : undefined;
  if (device === undefined) unmapPart(rm, vm, extent, mapping);
  else unmapWhole(rm, vm, device, mapping.ipa);
}

/** The parcel ceases to exist; extents of device memory are the new owner's now. */
function endDonation(rm: Rm, vm: VmRecord, parcel: Parcel, mappings: readonly VmMapping[]): void {
  for (const [i, region] of parcel.regions.entries()) {
    const mapping = mappings[i];
    if (region.extent === undefined || mapping === undefined) continue;
    vm.deviceWindows.push({ ipa: mapping.ipa, sizeBytes: mapping.sizeBytes, extent: region.extent });
    vm.heldCaps.push({ vmid: RM_VMID, cap: region.extent, type: 'memextent', stage: 'memory' });
  }
  parcel.regions = [];
  dropParcel(rm, parcel);
}

/** Moves donated memory to its new owner's extent. */
function takeDonation(rm: Rm, vm: VmRecord, parcel: Parcel): CapId | undefined {
  const build = new VmBuild(rm, vm);
  const extent = ownExtent(build);
  if (build.error !== undefined) return undefined;
  for (const region of parcel.regions) if (donateToSibling(rm, parcel.extent, extent, region) !== 0) return undefined;
  return extent;
}

/** The guest ranges that a parcel's regions go to, in order. */
function placesFor(vm: VmRecord, parcel: Parcel, at: AcceptPlan['at']): VmMapping[] | RmErrorName {
  const total = parcel.regions.reduce((size, region) => size + region.sizeBytes, 0n);
  if (at === 'chosen' || at === 'contiguous') {
    const base = chooseAddress(vm, total);
    return base === undefined ? 'NOMEM' : placesFor(vm, parcel, base);
  }
  const ranges = typeof at === 'bigint' ? [{ address: at, size: total }] : at;
  if (ranges.reduce((size, range) => size + range.size, 0n) !== total) return 'ARGUMENT_INVALID';
  if (ranges.some((range) => range.address % PAGE !== 0n || range.size % PAGE !== 0n || range.size === 0n)) return 'ARGUMENT_INVALID';
  return ranges.some((range) => occupant(vm, { base: range.address, sizeBytes: range.size }) !== undefined) ? 'MAP_FAILED' : fitRanges(parcel, ranges);
}

function fitRanges(parcel: Parcel, ranges: readonly MemoryRange[]): VmMapping[] {
  const mappings: VmMapping[] = [];
  let index = 0;
  let used = 0n;
  for (const region of parcel.regions) {
    for (let done = 0n; done < region.sizeBytes;) {
      const range = ranges[index];
      if (range === undefined) return mappings;
      const sizeBytes = region.sizeBytes - done < range.size - used ? region.sizeBytes - done : range.size - used;
      mappings.push({ ipa: range.address + used, offset: region.offset + done, sizeBytes, handle: parcel.handle, kind: parcel.memoryType === 'io' ? 'device' : 'memory' });
      done += sizeBytes;
      used += sizeBytes;
      if (used === range.size) {
        index++;
        used = 0n;
      }
    }
  }
  return mappings;
}

function unmapOwner(rm: Rm, parcel: Parcel): void {
  const owner = rm.vm(parcel.owner);
  if (owner !== undefined && parcel.ownerMapped) {
    for (const region of parcel.regions) {
      if (region.extent === undefined) unmapPart(rm, owner, parcel.extent, { ipa: region.address, offset: region.offset, sizeBytes: region.sizeBytes });
      else unmapWhole(rm, owner, region.extent, region.address);
    }
  }
  parcel.ownerMapped = false;
}

/** Undoes an acceptance; `sanitise` clears the memory. */
export function releaseParcel(rm: Rm, vm: VmRecord, parcel: Parcel, sanitise: boolean): void {
  const user = parcel.users.find((candidate) => candidate.vmid === vm.vmid);
  for (const mapping of user?.mappings ?? []) unmapRegion(rm, vm, { parcel, extent: parcel.extent }, mapping);
  if (sanitise && parcel.memoryType === 'normal') for (const region of parcel.regions) zeroRange(rm, parcel.extent, region);
  parcel.users = parcel.users.filter((candidate) => candidate.vmid !== vm.vmid);
  vm.mappings = vm.mappings.filter((mapping) => mapping.handle !== parcel.handle);
}

/** RM itself accepts a donation: the memory is RM's from now on, and the parcel ceases to exist. */
export function takeByRm(rm: Rm, parcel: Parcel): void {
  for (const region of parcel.regions) donateToRm(rm, parcel.extent, region);
  dropParcel(rm, parcel);
}

/** Gives a parcel's memory back to its owner; nobody else may have it any more. */
export function reclaimParcel(rm: Rm, parcel: Parcel, sanitise: boolean): void {
  if (sanitise && parcel.memoryType === 'normal') for (const region of parcel.regions) zeroRange(rm, parcel.extent, region);
  unmapOwner(rm, parcel);
  const owner = rm.vm(parcel.owner);
  if (owner?.memoryExtent != null && parcel.memoryType === 'normal') for (const region of parcel.regions) donateToSibling(rm, parcel.extent, owner.memoryExtent, region);
  dropParcel(rm, parcel);
}

function dropParcel(rm: Rm, parcel: Parcel): void {
  if (parcel.memoryType === 'normal') deleteExtent(rm, parcel.extent);
  for (const { extent } of parcel.regions) if (extent !== undefined) deleteExtent(rm, extent);
  rm.state.parcels = rm.state.parcels.filter((other) => other !== parcel);
}

function deleteExtent(rm: Rm, extent: CapId): void {
  rm.call('cspace_delete_cap_from', { cspace: rm.environment.cspace, cap: extent });
}

/** Whether a VM's program may lie in a parcel: lent with full rights; a debug build without security state takes a shared one too. */
export function mayRunFrom(vm: VmRecord, parcel: Parcel): boolean {
  return parcel.transaction !== 'donate' && parcel.complete && parcel.acl.some((entry) => entry.vmid === vm.vmid && entry.rights === ACCESS.RWX);
}

/** Total size of a parcel. */
export function parcelSize(parcel: Parcel): bigint {
  return parcel.regions.reduce((size, region) => size + region.sizeBytes, 0n);
}

/** Reads out of a parcel, through RM's own mapping. */
export function readParcel(rm: Rm, parcel: Parcel, offset: bigint, sizeBytes: number): Uint8Array | undefined {
  const out = new Uint8Array(sizeBytes);
  let start = 0n;
  for (const region of parcel.regions) {
    const from = offset > start ? offset : start;
    const to = offset + BigInt(sizeBytes) < start + region.sizeBytes ? offset + BigInt(sizeBytes) : start + region.sizeBytes;
    if (from < to) {
      const bytes = rm.readPlatform(region.offset + (from - start), Number(to - from));
      if (bytes === undefined) return undefined;
      out.set(bytes, Number(from - offset));
    }
    start += region.sizeBytes;
  }
  return offset + BigInt(sizeBytes) <= start ? out : undefined;
}

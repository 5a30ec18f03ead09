/**
 * Memory parcels: memory that one VM gives, lends or shares to others. Each parcel is a sparse extent to which the memory moves from
 * its owner's extent; who may see it maps that extent. Layouts and errors of the requests are in `requests/memory.ts`.
 */

import { hex } from '../base/bits';
import { CAP_ID_INVALID, memparcelHandle } from '../base/brands';
import type { CapId } from '../base/brands';
import type { Rm } from './context';
import { RM_VMID } from './context';
import { suitsLinux } from './profile';
import { rmErrorFromHypervisor } from './rm-errors';
import type { RmErrorName } from './rm-errors';
import type { AclEntry, AddressRange, Parcel, ParcelRegion, VmMapping, VmRecord } from './state';
import { VmBuild } from './vm-builder';
import { VMID } from './vm-states';
import { ACCESS, ADDRESS_SPACE_END, CHOSEN_FIRST, chooseAddress, createSparseExtent, carveDevice, donateToRm, donateToSibling, mapAttributes, mapPart, mapWhole, MEMORY_TYPE, occupant, ownExtent, PAGE, unmapPart, unmapWhole, zeroRange } from './vm-memory';

/** Parcels that one VM may own. */
export const PARCELS_MAX = 64;

/** What a new parcel shall be. */
export interface ParcelPlan {
  readonly transaction: Parcel['transaction'];
  readonly memoryType: Parcel['memoryType'];
  readonly typeNumber: number;
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
  const parcel = newParcel(owner, handle, { plan, extent });
  const error = build.error ?? moveIn(rm, owner, parcel, regions);
  if (error !== undefined) {
    deleteExtent(rm, extent);
    return error;
  }
  rm.state.parcels.push(parcel);
  return parcel;
}

function newParcel(owner: VmRecord, handle: number, { plan, extent }: { readonly plan: ParcelPlan; readonly extent: CapId }): Parcel {
  return {
    handle: memparcelHandle(handle), owner: owner.vmid, transaction: plan.transaction, memoryType: plan.memoryType, typeNumber: plan.typeNumber, sanitised: plan.sanitise, label: plan.label, tag: null, sanitiseAtReclaim: false,
    acl: plan.acl, attributes: plan.attributes, regions: [], complete: plan.complete, extent, users: [], ownerMapped: plan.transaction === 'share',
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

/** What the owner sees of a carved region: its own rights when shared, else nothing. */
function showToOwner(rm: Rm, owner: VmRecord, parcel: Parcel, region: ParcelRegion): void {
  if (region.extent === undefined) return;
  unmapWhole(rm, owner, region.extent, region.address);
  if (!parcel.ownerMapped) return;
  const rights = parcel.acl.find((entry) => entry.vmid === owner.vmid)?.rights ?? 0;
  mapWhole(rm, owner, region.extent, { ipa: region.address, attributes: mapAttributes(rights, MEMORY_TYPE.DEVICE) });
}

/** Moves located memory from its owner into a parcel, all of it or none. */
export function moveIn(rm: Rm, owner: VmRecord, parcel: Parcel, regions: readonly ParcelRegion[]): RmErrorName | undefined {
  const moved: ParcelRegion[] = [];
  for (const region of regions) {
    const error = moveRegionIn(rm, owner, parcel, region);
    if (error !== undefined) {
      for (const undone of moved) donateToSibling(rm, parcel.extent, owner.memoryExtent ?? CAP_ID_INVALID, undone);
      return error;
    }
    moved.push(region);
  }
  if (parcel.sanitised) for (const region of regions) zeroRange(rm, parcel.extent, region);
  parcel.regions = [...parcel.regions, ...regions];
  return undefined;
}

function moveRegionIn(rm: Rm, owner: VmRecord, parcel: Parcel, region: ParcelRegion): RmErrorName | undefined {
  const seen = { ipa: region.address, offset: region.offset, sizeBytes: region.sizeBytes };
  // A recorded mapping takes effect with the memory, so that what the owner goes on seeing is never unmapped in between.
  if (parcel.transaction === 'share') {
    const rights = parcel.acl.find((entry) => entry.vmid === owner.vmid)?.rights ?? 0;
    if (mapPart(rm, owner, parcel.extent, { ...seen, attributes: mapAttributes(rights, memoryTypeFor(parcel, owner.vmid)) }) !== 0) return 'MAP_FAILED';
  }
  if (donateToSibling(rm, owner.memoryExtent ?? CAP_ID_INVALID, parcel.extent, region) === 0) return undefined;
  if (parcel.transaction === 'share') unmapPart(rm, owner, parcel.extent, seen);
  return 'MEM_INVALID';
}

function memoryTypeFor(parcel: Parcel, vmid: number): number {
  const attribute = parcel.attributes.find((entry) => entry.vmid === vmid)?.attribute ?? 0;
  return attribute === 1 || parcel.memoryType === 'io' ? MEMORY_TYPE.DEVICE : attribute === 2 ? MEMORY_TYPE.UNCACHED : MEMORY_TYPE.WRITE_BACK;
}

/** Where a parcel shall be accepted: in one piece at an address, or where RM likes, in one piece or region by region. */
export type AcceptPlace = 'chosen' | 'contiguous' | bigint;

/** Takes addresses for a whole parcel and maps it there for a VM in its access control list. Checks of rights have been made. */
export function acceptParcel(rm: Rm, vm: VmRecord, parcel: Parcel, at: AcceptPlace): readonly VmMapping[] | RmErrorName {
  const isContiguous = at !== 'chosen';
  const ranges = typeof at === 'bigint' ? [{ address: at, size: parcelSize(parcel) }] : [];
  const places = placesFor(rm, vm, parcel, { isContiguous, ranges });
  return typeof places === 'string' ? places : mapAccepted(rm, vm, parcel, { places, isContiguous });
}

/** Takes note of addresses for regions of a parcel that shall be mapped later. */
export function reserveAccepted(vm: VmRecord, parcel: Parcel, { places, isContiguous }: Places): void {
  const reserved = places.map((place) => ({ ...place, isReserved: true as const }));
  vm.mappings = [...vm.mappings.filter((mapping) => mapping.handle !== parcel.handle), ...reserved];
  // Observed: what a VM has accepted cannot grow any more, whether or not its owner has said that it is complete.
  parcel.complete = true;
  parcel.users = [...parcel.users.filter((user) => user.vmid !== vm.vmid), { vmid: vm.vmid, mappings: reserved, isMapped: false, isContiguous }];
}

/** Addresses of a parcel's regions, in order. */
export interface Places { readonly places: readonly VmMapping[]; readonly isContiguous: boolean }

/** Maps a parcel at addresses that have been taken for it. */
export function mapAccepted(rm: Rm, vm: VmRecord, parcel: Parcel, { places, isContiguous }: Places): readonly VmMapping[] | RmErrorName {
  const rights = parcel.acl.find((entry) => entry.vmid === vm.vmid)?.rights ?? 0;
  const attributes = mapAttributes(rights, memoryTypeFor(parcel, vm.vmid));
  if (parcel.memoryType === 'io' && !isWholeRegions(parcel, places)) return 'MAP_FAILED';
  const extent = parcel.transaction === 'donate' && parcel.memoryType === 'normal' ? takeDonation(rm, vm, parcel) : parcel.extent;
  if (extent === undefined) return 'MEM_INVALID';
  const done: VmMapping[] = [];
  for (const { ipa, offset, sizeBytes, handle, kind } of places) {
    const mapping: VmMapping = { ipa, offset, sizeBytes, handle, kind };
    if (mapRegion(rm, vm, { parcel, extent }, { ...mapping, attributes }) !== 0) {
      for (const undone of done) unmapRegion(rm, vm, { parcel, extent }, undone);
      return 'MAP_FAILED';
    }
    done.push(mapping);
  }
  vm.mappings = vm.mappings.filter((mapping) => mapping.handle !== parcel.handle);
  if (parcel.transaction === 'donate') {
    vm.mappings.push(...done.map((mapping) => ({ ...mapping, handle: null })));
    endDonation(rm, vm, parcel, done);
    return done;
  }
  vm.mappings.push(...done);
  parcel.complete = true;
  parcel.users = [...parcel.users.filter((user) => user.vmid !== vm.vmid), { vmid: vm.vmid, mappings: done, isMapped: true, isContiguous }];
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

/** The parcel ceases to exist; extents of device memory are the new owner's now. The old owner's view of it ends. */
function endDonation(rm: Rm, vm: VmRecord, parcel: Parcel, mappings: readonly VmMapping[]): void {
  const owner = rm.vm(parcel.owner);
  for (const region of parcel.regions) {
    if (region.extent === undefined && owner?.memoryExtent != null) unmapPart(rm, owner, owner.memoryExtent, { ipa: region.address, offset: region.offset, sizeBytes: region.sizeBytes });
  }
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

/** What a VM says of where a parcel goes: ranges for its regions or, in one piece, for all of it; none for those that RM chooses. */
export interface Wanted { readonly isContiguous: boolean; readonly ranges: readonly MemoryRange[]; readonly skip?: number; readonly count?: number }

/**
 * Takes addresses for a parcel's regions, or for `count` of them behind the first `skip`. ARGUMENT_INVALID if a range has not its region's
 * size or is no address; NORESOURCE if an address is taken or there is none.
 */
export function placesFor(rm: Rm, vm: VmRecord, parcel: Parcel, { isContiguous, ranges, skip = 0, count = parcel.regions.length }: Wanted): VmMapping[] | RmErrorName {
  const pieces = isContiguous ? [{ offset: undefined, sizeBytes: parcelSize(parcel) }] : parcel.regions.slice(skip, skip + count);
  const found: AddressRange[] = [];
  for (const [i, { offset, sizeBytes }] of pieces.entries()) {
    const wanted = ranges[i];
    if (wanted !== undefined && (wanted.address >= ADDRESSES_END || wanted.address % PAGE !== 0n || wanted.size !== sizeBytes)) return 'ARGUMENT_INVALID';
    const base = isDirect(rm, vm) ? directAddress(rm, offset, wanted?.address) : wanted === undefined ? chooseAddress(vm, sizeBytes, found) : freeAddress(vm, { base: wanted.address, sizeBytes }, { more: found, isLowTaken: isLowTaken(rm, vm, parcel) });
    if (base === undefined) return 'NORESOURCE';
    found.push({ base, sizeBytes });
  }
  return fitRanges(parcel, found.map(({ base, sizeBytes }) => ({ address: base, size: sizeBytes })), isContiguous ? parcel.regions : parcel.regions.slice(skip, skip + count));
}

/** Addresses that fit a message. */
const ADDRESSES_END = 1n << 44n;

/** The primary VM sees its memory where it is; then it sees all other memory so, too. */
function isDirect(rm: Rm, vm: VmRecord): boolean {
  return vm.vmid === VMID.HLOS && vm.mappings.every(({ kind, isMemory, ipa, offset }) => kind === 'device' || isMemory === true || ipa === rm.environment.memoryBase + offset);
}

function directAddress(rm: Rm, offset: bigint | undefined, wanted: bigint | undefined): bigint | undefined {
  const address = offset === undefined ? undefined : rm.environment.memoryBase + offset;
  return wanted === undefined || wanted === address ? address : undefined;
}

/** A place that somebody names: RM keeps normal memory off the addresses of the platform's devices. */
function freeAddress(vm: VmRecord, range: AddressRange, { more, isLowTaken }: { readonly more: readonly AddressRange[]; readonly isLowTaken: boolean }): bigint | undefined {
  if (range.base < CHOSEN_FIRST && isLowTaken) return undefined;
  return range.base + range.sizeBytes <= ADDRESS_SPACE_END && occupant(vm, range, more) === undefined ? range.base : undefined;
}

/** Where the platform has its devices: for all that a VM names while it runs and, with the real RM, for memory at the start of a VM that another one makes. */
function isLowTaken(rm: Rm, vm: VmRecord, parcel: Parcel): boolean {
  if (vm.vmid === VMID.HLOS) return false;
  return vm.state === 'RUNNING' || (parcel.memoryType === 'normal' && vm.platformIndex === null && !suitsLinux(rm.options));
}

function fitRanges(parcel: Parcel, ranges: readonly MemoryRange[], regions: readonly ParcelRegion[]): VmMapping[] {
  const mappings: VmMapping[] = [];
  let index = 0;
  let used = 0n;
  for (const region of regions) {
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
      if (region.extent !== undefined) unmapWhole(rm, owner, region.extent, region.address);
    }
  }
  parcel.ownerMapped = false;
}

/** Undoes an acceptance. */
export function releaseParcel(rm: Rm, vm: VmRecord, parcel: Parcel): void {
  const user = parcel.users.find((candidate) => candidate.vmid === vm.vmid);
  if (user?.isMapped === true) for (const mapping of user.mappings) unmapRegion(rm, vm, { parcel, extent: parcel.extent }, mapping);
  parcel.users = parcel.users.filter((candidate) => candidate.vmid !== vm.vmid);
  vm.mappings = vm.mappings.filter((mapping) => mapping.handle !== parcel.handle);
}

/** RM itself accepts a donation: the memory is RM's from now on, and the parcel ceases to exist. */
export function takeByRm(rm: Rm, parcel: Parcel): void {
  for (const region of parcel.regions) donateToRm(rm, parcel.extent, region);
  dropParcel(rm, parcel);
}

/**
 * Gives a parcel's memory back to its owner; nobody else may have it any more. If the hypervisor refuses (it has no memory for
 * the owner's tables), the parcel stays with what has not gone back, and the owner may ask again.
 */
export function reclaimParcel(rm: Rm, parcel: Parcel): RmErrorName | undefined {
  const to = rm.vm(parcel.owner)?.memoryExtent ?? null;
  if (parcel.memoryType === 'io') unmapOwner(rm, parcel);
  else {
    while (parcel.regions[0] !== undefined) {
      const error = returnRegion(rm, parcel, { region: parcel.regions[0], to });
      if (error !== undefined) return error;
      parcel.regions = parcel.regions.slice(1);
    }
  }
  dropParcel(rm, parcel);
  return undefined;
}

function returnRegion(rm: Rm, parcel: Parcel, { region, to }: { readonly region: ParcelRegion; readonly to: CapId | null }): RmErrorName | undefined {
  if (parcel.sanitiseAtReclaim) zeroRange(rm, parcel.extent, region);
  if (to === null) return undefined;
  const error = donateToSibling(rm, parcel.extent, to, region);
  if (error === 0) return undefined;
  rm.report(parcel.owner, 'rm-reclaim-failed', `parcel ${hex(parcel.handle)} keeps ${hex(region.sizeBytes)} bytes of its owner: memextent_donate answered ${error | 0}.`);
  return rmErrorFromHypervisor(error);
}

/** Ends a parcel whose memory cannot go back to its owner, who goes too: RM has it, without what was in it. */
export function abandonParcel(rm: Rm, parcel: Parcel): void {
  for (const region of parcel.regions) zeroRange(rm, parcel.extent, region);
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
  return parcel.transaction !== 'donate' && parcel.acl.some((entry) => entry.vmid === vm.vmid && entry.rights === ACCESS.RWX);
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

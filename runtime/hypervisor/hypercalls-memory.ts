/** Handlers of the calls on memory extents and address spaces. */

import type { CapId } from '../base/brands';
import { type Addrspace, IPA_SIZE_BYTES, THREADS_PER_ADDRSPACE, VMMIO_RANGE_BYTES } from './addrspace';
import { resolveAs } from './capability-lookup';
import type { ErrorName } from './errors';
import { type CallContext, type Handler, type Handlers, isError } from './hypercall-types';
import type { PageRange } from './memdb';
import { Memextent, type Window, fits } from './memextent';
import { decodeAccess, decodeExtentAttributes, decodeMappingAttributes, encodeMappingAttributes } from './memory-attributes';
import { ACCESS_R, ACCESS_W } from './pgtable';
import { Partition } from './partition';
import { RIGHTS } from './rights';
import type { VicObject } from './vic-object';

type MemoryCallName = 'memextent_configure' | 'memextent_configure_derive' | 'memextent_modify' | 'memextent_donate' | 'addrspace_configure' | 'addrspace_attach_thread'
  | 'addrspace_map' | 'addrspace_unmap' | 'addrspace_update_access' | 'addrspace_lookup' | 'addrspace_configure_info_area' | 'addrspace_configure_vmmio' | 'addrspace_attach_vdevice';

const ADDRESS_SPACE_64 = 0x1_0000_0000_0000_0000n;
const MAP_FLAG_PARTIAL = 1;
const NO_SYNC = 0x8000_0000;
const DONATE_TO_CHILD = 0;
const DONATE_TO_PARENT = 1;
const DONATE_TO_SIBLING = 2;
/** Later hypervisors tell memory of protected VMs from other memory; both are siblings here. */
const DONATE_TO_PROTECTED = 3;
const DONATE_FROM_PROTECTED = 4;
/** Operation of the root VM's addrspace_configure_vmmio. */
const DEMAND_PAGED = 2;

const isAligned = (...values: readonly bigint[]) => values.every((value) => value % 4096n === 0n);
/** True if a range leaves the 64-bit address space. */
const wraps = (base: bigint, size: bigint) => base + size > ADDRESS_SPACE_64;
const pagesOf = (value: bigint) => Number(value >> 12n);
const sizeOf = (extent: Memextent) => BigInt(extent.pageCount) << 12n;

/** Where a map, unmap or update call points. */
interface MapTarget { readonly vbase: bigint; readonly map_flags: number; readonly offset: bigint; readonly size: bigint }

const isPartial = (target: MapTarget) => (target.map_flags & MAP_FLAG_PARTIAL) !== 0;

/** The window of the extent that the call means: alignment before size. */
function mapWindow(target: MapTarget, extent: Memextent): Window | ErrorName {
  if (!isPartial(target)) return isAligned(target.vbase) ? { first: 0, pageCount: extent.pageCount } : 'ARGUMENT_ALIGNMENT';
  const { vbase, offset, size } = target;
  if (!isAligned(vbase, offset, size)) return 'ARGUMENT_ALIGNMENT';
  if (size === 0n || wraps(offset, size) || wraps(vbase, size) || offset + size > sizeOf(extent)) return 'ARGUMENT_SIZE';
  return { first: pagesOf(offset), pageCount: pagesOf(size) };
}

/** Basic extents have no parts; the reference build says so after everything that can be said of the arguments. */
function partError(target: MapTarget, extent: Memextent): ErrorName | undefined {
  return isPartial(target) && extent.kind === 'basic' ? 'MEMEXTENT_TYPE' : undefined;
}

const map: Handler<'addrspace_map'> = (args, { addrspace, memextent }) => {
  const window = mapWindow(args, memextent);
  if (isError(window)) return window;
  const attributes = decodeMappingAttributes(args.map_attrs);
  if (attributes === undefined || !fits(memextent, attributes.memoryType)) return 'ARGUMENT_INVALID';
  if (((attributes.kernel | (args.map_attrs & 7)) & ~memextent.access) !== 0) return 'ARGUMENT_INVALID';
  return partError(args, memextent) ?? memextent.map(addrspace, pagesOf(args.vbase), attributes, window);
};

const unmap: Handler<'addrspace_unmap'> = (args, { addrspace, memextent }) => {
  const window = mapWindow(args, memextent);
  return isError(window) ? window : partError(args, memextent) ?? memextent.unmap(addrspace, pagesOf(args.vbase), window);
};

const updateAccess: Handler<'addrspace_update_access'> = (args, { addrspace, memextent }) => {
  const access = decodeAccess(args.access_attrs);
  if (access === undefined || ((access.kernel | (args.access_attrs & 7)) & ~memextent.access) !== 0) return 'ARGUMENT_INVALID';
  const window = mapWindow(args, memextent);
  return isError(window) ? window : partError(args, memextent) ?? memextent.updateAccess(addrspace, pagesOf(args.vbase), access);
};

const configure: Handler<'memextent_configure'> = ({ phys_base, size, attributes }, { memextent }, { kernel }) => {
  if (size === 0n || wraps(phys_base, size)) return 'ARGUMENT_INVALID';
  if (!isAligned(phys_base, size)) return 'ARGUMENT_ALIGNMENT';
  const decoded = decodeExtentAttributes(attributes);
  if (decoded === undefined) return 'ARGUMENT_INVALID';
  setParent(memextent, undefined, kernel);
  memextent.define({ first: pagesOf(phys_base), pageCount: pagesOf(size) }, decoded, undefined);
  return 'OK';
};

const derive: Handler<'memextent_configure_derive'> = ({ offset, size, attributes }, { memextent, parent_memextent: parent }, { kernel }) => {
  if (size === 0n || wraps(offset, size)) return 'ARGUMENT_INVALID';
  if (offset + size > sizeOf(parent)) return 'ADDR_INVALID';
  if (!isAligned(offset, size)) return 'ARGUMENT_ALIGNMENT';
  const decoded = decodeExtentAttributes(attributes);
  if (decoded === undefined || (decoded.access & ~parent.access) !== 0) return 'ARGUMENT_INVALID';
  if (parent.memoryType !== 'any' && decoded.memoryType !== parent.memoryType) return 'ARGUMENT_INVALID';
  setParent(memextent, parent, kernel);
  memextent.define({ first: parent.firstPage + pagesOf(offset), pageCount: pagesOf(size) }, decoded, parent);
  return 'OK';
};

function setParent(extent: Memextent, parent: Memextent | undefined, kernel: CallContext['kernel']): void {
  const old = extent.parent;
  parent?.header.get();
  extent.parent = parent;
  if (old !== undefined) kernel.put(old);
}

const modify: Handler<'memextent_modify'> = ({ flags, offset, size }, { memextent }) => {
  const operation = flags & 0xff;
  const noSync = (flags & NO_SYNC) !== 0;
  if (operation === 0) {
    memextent.unmapAll();
    return 'OK';
  }
  if (operation === 255) return noSync ? 'ARGUMENT_INVALID' : 'OK';
  if (operation > 3 || !noSync) return 'ARGUMENT_INVALID';
  if (memextent.memoryType === 'device' || (memextent.access & ACCESS_W) === 0) return 'DENIED';
  const range = physicalRange(memextent, offset, size);
  if (isError(range)) return range;
  if (operation === 1) memextent.zero({ first: pagesOf(offset), pageCount: pagesOf(size) });
  return 'OK';
};

/** The physical pages of a range that is given relative to an extent and lies inside it. */
function physicalRange(extent: Memextent, offset: bigint, size: bigint): PageRange | ErrorName {
  const base = BigInt(extent.firstPage) << 12n;
  if (!isAligned(offset, size)) return 'ARGUMENT_ALIGNMENT';
  if (base + offset >= ADDRESS_SPACE_64) return 'ARGUMENT_INVALID';
  if (size === 0n || wraps(base + offset, size)) return 'ARGUMENT_SIZE';
  if (offset + size > sizeOf(extent)) return 'ARGUMENT_INVALID';
  const first = extent.firstPage + pagesOf(offset);
  return { first, end: first + pagesOf(size) };
}

/** Who gives and who gets; `child` is the extent that offsets are relative to. */
interface Donation { readonly donor: Memextent | Partition; readonly receiver: Memextent | Partition; readonly child: Memextent; readonly amongSiblings: boolean }

/** Donor and receiver of a donation between an extent and its parent (or the partition); the child is looked up first. */
function familyDonation(parentId: CapId, childId: CapId, toParent: boolean, { caller }: CallContext): Donation | ErrorName {
  const { cspace } = caller;
  if (cspace === undefined) return 'OBJECT_STATE';
  const child = resolveAs(cspace, childId, 'memextent', { rights: RIGHTS.memextent.donate, state: 'active' });
  if (isError(child)) return child;
  const parent = child.parent === undefined
    ? resolveAs(cspace, parentId, 'partition', { rights: RIGHTS.partition.donate, state: 'active' })
    : resolveAs(cspace, parentId, 'memextent', { rights: RIGHTS.memextent.donate, state: 'active' });
  if (isError(parent)) return parent;
  if (child.parent !== undefined && parent !== child.parent) return 'ARGUMENT_INVALID';
  return { ...(toParent ? { donor: child, receiver: parent } : { donor: parent, receiver: child }), child, amongSiblings: false };
}

function siblingDonation(fromId: CapId, toId: CapId, { caller }: CallContext): Donation | ErrorName {
  const { cspace } = caller;
  if (cspace === undefined) return 'OBJECT_STATE';
  const lookup = { rights: RIGHTS.memextent.donate, state: 'active' } as const;
  const from = resolveAs(cspace, fromId, 'memextent', lookup);
  if (isError(from)) return from;
  const to = resolveAs(cspace, toId, 'memextent', lookup);
  return isError(to) ? to : { donor: from, receiver: to, child: from, amongSiblings: true };
}

function isWithin(range: PageRange, extent: Memextent): boolean {
  return range.first >= extent.firstPage && range.end <= extent.firstPage + extent.pageCount;
}

const isBasic = (party: Memextent | Partition) => party instanceof Memextent && party.kind === 'basic';

/** Why these two cannot give to each other: no common parent, or a basic extent, which is whole or nothing. */
function relationError({ donor, receiver, child, amongSiblings }: Donation, range: PageRange): ErrorName | undefined {
  if (amongSiblings && receiver instanceof Memextent) {
    if (!isWithin(range, receiver) || donor === receiver || child.parent === undefined || child.parent !== receiver.parent) return 'ARGUMENT_INVALID';
  }
  if (isBasic(child)) return 'MEMEXTENT_TYPE';
  return isBasic(donor) || isBasic(receiver) ? 'ARGUMENT_INVALID' : undefined;
}

function donate(donation: Donation, offset: bigint, size: bigint, { kernel }: CallContext): ErrorName {
  const { donor, receiver, child } = donation;
  const range = physicalRange(child, offset, size);
  if (isError(range)) return range;
  const unrelated = relationError(donation, range);
  if (unrelated !== undefined) return unrelated;
  if (!kernel.memdb.owns(range, donor.header.id)) return kernel.memdb.refusal(range);
  if (receiver instanceof Partition) {
    if (donor instanceof Memextent) donor.moveToPartition(range);
  } else {
    if (!receiver.canReceive(range)) return 'NOMEM';
    receiver.moveFrom(donor, range);
  }
  if (kernel.tracing) kernel.memoryWorld.report('donate', range, `object ${donor.header.id} to object ${receiver.header.id}`);
  return 'OK';
}

const memextentDonate: Handler<'memextent_donate'> = ({ options, from, to, offset, size }, _objects, context) => {
  const donation = donationOf(options & 0xff, from, to, context);
  return isError(donation) ? donation : donate(donation, offset, size, context);
};

function donationOf(type: number, from: CapId, to: CapId, context: CallContext): Donation | ErrorName {
  switch (type) {
    case DONATE_TO_CHILD: return familyDonation(from, to, false, context);
    case DONATE_TO_PARENT: return familyDonation(to, from, true, context);
    case DONATE_TO_SIBLING: return siblingDonation(from, to, context);
    case DONATE_TO_PROTECTED:
    case DONATE_FROM_PROTECTED: return context.kernel.options.isNewer ? siblingDonation(from, to, context) : 'ARGUMENT_INVALID';
    default: return 'ARGUMENT_INVALID';
  }
}

const lookup: Handler<'addrspace_lookup'> = ({ vbase, size }, { addrspace, memextent }, { kernel }) => {
  if (size === 0n) return 'ARGUMENT_SIZE';
  if (vbase + size > ADDRESS_SPACE_64) return 'ADDR_OVERFLOW';
  if (!isAligned(vbase, size)) return 'ARGUMENT_ALIGNMENT';
  const first = addrspace.pgtable.lookup(pagesOf(vbase));
  if (first === undefined) return 'ADDR_INVALID';
  const wanted = pagesOf(size);
  const attributes = encodeMappingAttributes(first.attributes);
  let count = first.pageCount;
  while (count < wanted) {
    const leaf = addrspace.pgtable.lookup(pagesOf(vbase) + count);
    if (leaf === undefined || leaf.paPage !== first.paPage + count || encodeMappingAttributes(leaf.attributes) !== attributes) break;
    count += leaf.pageCount;
  }
  const found = { first: first.paPage, end: first.paPage + Math.min(count, wanted) };
  if (!kernel.memdb.owns(found, memextent.header.id)) return 'MEMDB_NOT_OWNER';
  return { offset: BigInt(first.paPage - memextent.firstPage) << 12n, size: BigInt(found.end - found.first) << 12n, map_attrs: attributes };
};

const configureInfoArea: Handler<'addrspace_configure_info_area'> = ({ ipa }, { addrspace, info_area_me: extent }, { kernel }) => {
  if (extent.pageCount !== 1) return 'ARGUMENT_INVALID';
  if (!isAligned(ipa) || ipa + 4096n > IPA_SIZE_BYTES) return 'ADDR_INVALID';
  const isUsable = extent.kind === 'basic' && (extent.access & (ACCESS_R | ACCESS_W)) === (ACCESS_R | ACCESS_W) && extent.memoryType === 'any';
  if (!isUsable) return 'ARGUMENT_INVALID';
  const old = addrspace.infoArea;
  extent.header.get();
  addrspace.infoArea = { extent, ipa, isAttached: false };
  if (old !== undefined) kernel.put(old.extent);
  return 'OK';
};

const attachThread: Handler<'addrspace_attach_thread'> = (_args, { addrspace, thread }, { kernel }) => {
  const old = thread.addrspace;
  // A place for the thread is taken before its old one is given up, even if both are in the same address space.
  if (addrspace.threadCount >= THREADS_PER_ADDRSPACE) return 'NOMEM';
  addrspace.header.get();
  addrspace.threadCount++;
  thread.addrspace = addrspace;
  if (old !== undefined) {
    old.threadCount--;
    kernel.put(old);
  }
  return 'OK';
};

const configureVmmio: Handler<'addrspace_configure_vmmio'> = ({ vbase, size, op }, { addrspace }, { kernel: { options, partition: { heap } }, path }) => {
  if (op === DEMAND_PAGED && path === 'program' && options.isNewer) return addrspace.addDemandPaged(vbase, size);
  if (op > 1) return 'UNIMPLEMENTED';
  if (op === 0) return addrspace.addVmmio(vbase, size, (bytes) => heap.reserveBytes(bytes));
  const error = addrspace.removeVmmio(vbase, size);
  if (error === 'OK') heap.releaseBytes(VMMIO_RANGE_BYTES);
  return error;
};

const attachVdevice: Handler<'addrspace_attach_vdevice'> = (args, { addrspace, vdevice }) => attachFrame(addrspace, vdevice, args);

function attachFrame(addrspace: Addrspace, object: VicObject, frame: { readonly index: number; readonly vbase: bigint; readonly size: bigint; readonly flags: bigint }): ErrorName {
  const { index, vbase, size, flags } = frame;
  const error = object.vic.attachFrame(index, vbase, size, flags);
  if (error !== 'OK') return error;
  const placed = addrspace.attachFrame({ base: vbase, sizeBytes: size, vic: object, index });
  if (placed !== 'OK') object.vic.detachFrame(index);
  return placed;
}

/** Handlers of this file. */
export const MEMORY_HANDLERS: Handlers<MemoryCallName> = {
  memextent_configure: configure,
  memextent_configure_derive: derive,
  memextent_modify: modify,
  memextent_donate: memextentDonate,
  addrspace_configure: ({ vmid }, { addrspace }) => addrspace.configure(vmid),
  addrspace_attach_thread: attachThread,
  addrspace_map: map,
  addrspace_unmap: unmap,
  addrspace_update_access: updateAccess,
  addrspace_lookup: lookup,
  addrspace_configure_info_area: configureInfoArea,
  addrspace_configure_vmmio: configureVmmio,
  addrspace_attach_vdevice: attachVdevice,
};

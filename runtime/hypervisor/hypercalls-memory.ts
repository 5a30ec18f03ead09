/** Handlers of the calls on memory extents and address spaces. */

import type { CapId } from '../base/brands';
import { type Addrspace, IPA_SIZE_BYTES, THREADS_PER_ADDRSPACE } from './addrspace';
import { resolveAs } from './capability-lookup';
import type { ErrorName } from './errors';
import { type CallContext, type Handler, type Handlers, isError } from './hypercall-types';
import { Memextent, type Window, fits } from './memextent';
import { decodeAccess, decodeExtentAttributes, decodeMappingAttributes, encodeMappingAttributes } from './memory-attributes';
import { ACCESS_R, ACCESS_W } from './pgtable';
import { Partition } from './partition';
import { RIGHTS } from './rights';
import { GICD_SIZE_BYTES, GICR_SIZE_BYTES } from './vic';
import type { VicObject } from './vic-object';

type MemoryCallName = 'memextent_configure' | 'memextent_configure_derive' | 'memextent_modify' | 'memextent_donate' | 'addrspace_configure' | 'addrspace_attach_thread'
  | 'addrspace_map' | 'addrspace_unmap' | 'addrspace_update_access' | 'addrspace_lookup' | 'addrspace_configure_info_area' | 'addrspace_configure_vmmio' | 'addrspace_attach_vdevice';

const ADDRESS_SPACE_64 = 0x1_0000_0000_0000_0000n;
const MAP_FLAG_PARTIAL = 1;
const MAP_FLAGS_KNOWN = 0x8000_0001;
const NO_SYNC = 0x8000_0000;

const isAligned = (...values: readonly bigint[]) => values.every((value) => value % 4096n === 0n);
const pagesOf = (value: bigint) => Number(value >> 12n);
const sizeOf = (extent: Memextent) => BigInt(extent.pageCount) << 12n;

/** Where a map, unmap or update call points. */
interface MapTarget { readonly vbase: bigint; readonly map_flags: number; readonly offset: bigint; readonly size: bigint }

/** The window of the extent that the call means, after the checks that map, unmap and update share. */
function mapWindow(target: MapTarget, extent: Memextent): Window | ErrorName {
  if ((target.map_flags & ~MAP_FLAGS_KNOWN) !== 0) return 'ARGUMENT_INVALID';
  if (!isAligned(target.vbase)) return 'ARGUMENT_ALIGNMENT';
  if ((target.map_flags & MAP_FLAG_PARTIAL) === 0) return { first: 0, pageCount: extent.pageCount };
  if (extent.kind === 'basic') return 'MEMEXTENT_TYPE';
  if (!isAligned(target.offset, target.size)) return 'ARGUMENT_ALIGNMENT';
  if (target.size === 0n || target.offset + target.size > sizeOf(extent)) return 'ARGUMENT_SIZE';
  return { first: pagesOf(target.offset), pageCount: pagesOf(target.size) };
}

const map: Handler<'addrspace_map'> = (args, { addrspace, memextent }) => {
  const window = mapWindow(args, memextent);
  if (isError(window)) return window;
  const attributes = decodeMappingAttributes(args.map_attrs);
  if (attributes === undefined || !fits(memextent, attributes.memoryType)) return 'ARGUMENT_INVALID';
  if (((attributes.kernel | (args.map_attrs & 7)) & ~memextent.access) !== 0) return 'ARGUMENT_INVALID';
  return memextent.map(addrspace, pagesOf(args.vbase), attributes, window);
};

const unmap: Handler<'addrspace_unmap'> = (args, { addrspace, memextent }) => {
  const window = mapWindow(args, memextent);
  return isError(window) ? window : memextent.unmap(addrspace, pagesOf(args.vbase), window);
};

const updateAccess: Handler<'addrspace_update_access'> = (args, { addrspace, memextent }) => {
  const window = mapWindow(args, memextent);
  if (isError(window)) return window;
  const access = decodeAccess(args.access_attrs);
  if (access === undefined || ((access.kernel | (args.access_attrs & 7)) & ~memextent.access) !== 0) return 'ARGUMENT_INVALID';
  return memextent.updateAccess(addrspace, pagesOf(args.vbase), access);
};

const configure: Handler<'memextent_configure'> = ({ phys_base, size, attributes }, { memextent }, { kernel }) => {
  if (size === 0n || phys_base + size > ADDRESS_SPACE_64) return 'ARGUMENT_INVALID';
  if (!isAligned(phys_base, size)) return 'ARGUMENT_ALIGNMENT';
  const decoded = decodeExtentAttributes(attributes);
  if (decoded === undefined) return 'ARGUMENT_INVALID';
  setParent(memextent, undefined, kernel);
  memextent.define({ first: pagesOf(phys_base), pageCount: pagesOf(size) }, decoded, undefined);
  return 'OK';
};

const derive: Handler<'memextent_configure_derive'> = ({ offset, size, attributes }, { memextent, parent_memextent: parent }, { kernel }) => {
  if (size === 0n || offset + size >= ADDRESS_SPACE_64) return 'ARGUMENT_INVALID';
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
  if ((flags & ~(NO_SYNC | 0xff)) !== 0) return 'ARGUMENT_INVALID';
  if (operation === 0) {
    memextent.unmapAll();
    return 'OK';
  }
  if (operation === 255) return noSync ? 'ARGUMENT_INVALID' : 'OK';
  if (operation > 3 || !noSync) return 'ARGUMENT_INVALID';
  if (!isAligned(offset, size)) return 'ARGUMENT_ALIGNMENT';
  if (size === 0n || offset + size >= ADDRESS_SPACE_64) return 'ARGUMENT_SIZE';
  if (offset + size > sizeOf(memextent)) return 'ARGUMENT_INVALID';
  if (memextent.memoryType === 'device' || (memextent.access & ACCESS_W) === 0) return 'DENIED';
  if (operation === 1) memextent.zero({ first: pagesOf(offset), pageCount: pagesOf(size) });
  return 'OK';
};

interface Donation { readonly donor: Memextent | Partition; readonly receiver: Memextent | Partition; readonly child: Memextent }

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
  return toParent ? { donor: child, receiver: parent, child } : { donor: parent, receiver: child, child };
}

function siblingDonation(fromId: CapId, toId: CapId, { caller }: CallContext): Donation | ErrorName {
  const { cspace } = caller;
  if (cspace === undefined) return 'OBJECT_STATE';
  const lookup = { rights: RIGHTS.memextent.donate, state: 'active' } as const;
  const from = resolveAs(cspace, fromId, 'memextent', lookup);
  if (isError(from)) return from;
  const to = resolveAs(cspace, toId, 'memextent', lookup);
  if (isError(to)) return to;
  if (from === to || from.parent !== to.parent) return 'ARGUMENT_INVALID';
  return { donor: from, receiver: to, child: from };
}

const isBasic = (party: Memextent | Partition) => party instanceof Memextent && party.kind === 'basic';

function donate({ donor, receiver, child }: Donation, offset: bigint, size: bigint, { kernel }: CallContext): ErrorName {
  if (size === 0n || offset + size >= ADDRESS_SPACE_64) return 'ARGUMENT_SIZE';
  if (!isAligned(offset, size)) return 'ARGUMENT_ALIGNMENT';
  if (offset + size > sizeOf(child)) return 'ARGUMENT_INVALID';
  if (isBasic(donor)) return 'MEMEXTENT_TYPE';
  if (isBasic(receiver)) return 'ARGUMENT_INVALID';
  const first = child.firstPage + pagesOf(offset);
  const range = { first, end: first + pagesOf(size) };
  if (receiver instanceof Memextent && (range.first < receiver.firstPage || range.end > receiver.firstPage + receiver.pageCount)) return 'ARGUMENT_INVALID';
  if (!kernel.memdb.owns(range, donor.header.id)) return 'MEMDB_NOT_OWNER';
  if (receiver instanceof Partition) {
    if (donor instanceof Memextent) donor.moveToPartition(range);
  } else {
    if (!receiver.canReceive(range)) return 'NOMEM';
    receiver.moveFrom(donor, range);
  }
  kernel.memoryWorld.report('donate', range, `object ${donor.header.id} to object ${receiver.header.id}`);
  return 'OK';
}

const memextentDonate: Handler<'memextent_donate'> = ({ options, from, to, offset, size }, _objects, context) => {
  const type = options & 0xff;
  if ((options & ~(NO_SYNC | 0xff)) !== 0 || type > 2) return 'ARGUMENT_INVALID';
  const donation = type === 2 ? siblingDonation(from, to, context)
    : type === 0 ? familyDonation(from, to, false, context) : familyDonation(to, from, true, context);
  return isError(donation) ? donation : donate(donation, offset, size, context);
};

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
  const owned = kernel.memdb.ownedRuns({ first: first.paPage, end: first.paPage + Math.min(count, wanted) }, memextent.header.id)[0];
  if (owned === undefined || owned.first !== first.paPage) return 'MEMDB_NOT_OWNER';
  return { offset: BigInt(first.paPage - memextent.firstPage) << 12n, size: BigInt(owned.end - owned.first) << 12n, map_attrs: attributes };
};

const configureInfoArea: Handler<'addrspace_configure_info_area'> = ({ ipa }, { addrspace, info_area_me: extent }, { kernel }) => {
  const isUsable = extent.kind === 'basic' && (extent.access & (ACCESS_R | ACCESS_W)) === (ACCESS_R | ACCESS_W) && extent.memoryType === 'any' && extent.pageCount === 1;
  if (!isUsable) return 'ARGUMENT_INVALID';
  if (!isAligned(ipa) || ipa + 4096n > IPA_SIZE_BYTES) return 'ADDR_INVALID';
  const old = addrspace.infoArea;
  extent.header.get();
  extent.attachmentCount++;
  addrspace.infoArea = { extent, ipa };
  if (old !== undefined) {
    old.extent.attachmentCount--;
    kernel.put(old.extent);
  }
  return 'OK';
};

const attachThread: Handler<'addrspace_attach_thread'> = (_args, { addrspace, thread }, { kernel }) => {
  const old = thread.addrspace;
  if (old === addrspace) return 'OK';
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

const attachVdevice: Handler<'addrspace_attach_vdevice'> = (args, { addrspace, vdevice }) => attachFrame(addrspace, vdevice, args);

function attachFrame(addrspace: Addrspace, object: VicObject, frame: { readonly index: number; readonly vbase: bigint; readonly size: bigint; readonly flags: bigint }): ErrorName {
  const sizeBytes = BigInt(frame.index === 0 ? GICD_SIZE_BYTES : GICR_SIZE_BYTES);
  const error = object.vic.attachFrame(frame.index, frame.vbase, frame.size, frame.flags);
  if (error !== 'OK') return error;
  const placed = addrspace.attachFrame({ base: frame.vbase, sizeBytes, vic: object, index: frame.index });
  if (placed !== 'OK') object.vic.detachFrame(frame.index);
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
  addrspace_configure_vmmio: ({ vbase, size, op }, { addrspace }) => {
    if (op > 1) return 'UNIMPLEMENTED';
    return op === 0 ? addrspace.addVmmio(vbase, size) : addrspace.removeVmmio(vbase, size);
  },
  addrspace_attach_vdevice: attachVdevice,
};

/** Memory parcel requests: give, accept, release, reclaim, and tell others. */

import { vmid as asVmid } from '../../base/brands';
import type { Rm } from '../context';
import { CUT_SHORT, MEMORY_LIST_MAX } from '../message-fields';
import type { RmArguments, RmNotificationValues } from '../message-table';
import { acceptParcel, carveRanges, createParcel, locateRanges, mapAccepted, moveIn, parcelByHandle, PARCELS_MAX, parcelSize, placesFor, reclaimParcel, releaseParcel, reserveAccepted } from '../parcels';
import { suitsLinux } from '../profile';
import type { MemoryRange } from '../parcels';
import type { RmErrorName } from '../rm-errors';
import type { AclEntry, Parcel, VmRecord } from '../state';
import { ACCESS, PAGE } from '../vm-memory';
import { VMID } from '../vm-states';
import type { RmHandler, RmHandlers, RmOutcome } from './handler';

const CREATE_SANITISE = 1;
const CREATE_APPEND = 2;
const APPEND_LAST = 1;
/** Addresses and sizes of messages are below 2^44. */
const ADDRESSES_END = 1n << 44n;
/** Not all of a parcel has addresses yet. */
const INCOMPLETE = 1;
const RELEASE_SANITISE = 1;
const ACCEPT = { VALIDATE_SANITIZED: 1, VALIDATE_ACL_ATTR: 2, VALIDATE_LABEL: 4, MAP_OTHER: 8, MAP_CONTIGUOUS: 16, SANITIZE: 32, DONE: 128 } as const;
const NOTIFY = { SHARED: 1, RELEASED: 2, ACCEPTED: 4, RECALL: 8 } as const;
const RIGHTS_VALID: readonly number[] = [4, 5, 6, 7];
const ATTRIBUTE_MAX = 3;
const ATTRIBUTE_DEVICE = 1;
const MEMORY_TYPE_IO = 1;
const TRANSACTIONS = ['donate', 'lend', 'share'] as const;

type Creation = RmArguments<'MEM_SHARE'>;

/** Donate, lend and share differ in who must be in the access control list. */
function create(rm: Rm, caller: VmRecord, given: Creation, transaction: Parcel['transaction']): RmErrorName | { handle: number } {
  const args = suitsLinux(rm.options) ? { ...given, attributes: given.attributes.filter((entry) => entry.vmid !== 0 || entry.attribute !== 0) } : given;
  const isIo = args.memoryType === MEMORY_TYPE_IO;
  if (args.acl.length === 0 || args.sgl.length === 0 || (transaction === 'donate' && args.acl.length > 1)) return 'ARGUMENT_INVALID';
  if (rm.state.parcels.filter((parcel) => parcel.owner === caller.vmid).length >= PARCELS_MAX) return 'DENIED';
  if ((args.flags & CREATE_SANITISE) !== 0 && isIo) return 'ARGUMENT_INVALID';
  // A request that was understood uses up a handle even if it is refused (observed).
  const handle = rm.state.nextHandle;
  rm.state.nextHandle = (handle + 1) >>> 0;
  const error = checkAcl(rm, caller, args, transaction) ?? checkAttributes(args, transaction) ?? checkRanges(args.sgl, (range) => locateRanges(rm, caller, [range]) !== undefined || isIo);
  if (error !== undefined) return error;
  const parcel = createParcel(rm, caller, handle, {
    transaction, memoryType: isIo ? 'io' : 'normal', typeNumber: args.memoryType, sanitise: (args.flags & CREATE_SANITISE) !== 0, complete: (args.flags & CREATE_APPEND) === 0,
    label: args.label, acl: args.acl, attributes: args.attributes, ranges: args.sgl,
  });
  return typeof parcel === 'string' ? parcel : { handle: parcel.handle };
}

/** Entry by entry, each with everything that can be wrong with it; then whether the owner is among them as it should. */
function checkAcl(rm: Rm, caller: VmRecord, args: Creation, transaction: Parcel['transaction']): RmErrorName | undefined {
  const isIo = args.memoryType === MEMORY_TYPE_IO;
  for (const [i, { vmid, rights }] of args.acl.entries()) {
    if (args.acl.slice(0, i).some((other) => other.vmid === vmid) || !isVmid(rm, vmid) || !RIGHTS_VALID.includes(rights)) return 'ARGUMENT_INVALID';
    if (isIo && (rights & ACCESS.X) !== 0) return 'ARGUMENT_INVALID';
    if (transaction === 'donate' && rights !== (isIo ? ACCESS.RW : ACCESS.RWX)) return 'DENIED';
  }
  return args.acl.some((entry) => entry.vmid === caller.vmid) === (transaction === 'share') ? undefined : 'ARGUMENT_INVALID';
}

/** Whether a VMID can be given memory: those of the platform's VMs need not have one. */
function isVmid(rm: Rm, id: number): boolean {
  return id === VMID.RM || (id >= VMID.PLATFORM_FIRST && id <= VMID.PLATFORM_LAST) || rm.vm(id) !== undefined;
}

function checkAttributes(args: Creation, transaction: Parcel['transaction']): RmErrorName | undefined {
  const isIo = args.memoryType === MEMORY_TYPE_IO;
  for (const [i, { attribute, vmid }] of args.attributes.entries()) {
    if (args.attributes.slice(0, i).some((other) => other.vmid === vmid) || attribute > ATTRIBUTE_MAX || isIo !== (attribute === ATTRIBUTE_DEVICE)) return 'ARGUMENT_INVALID';
    if (transaction === 'donate' && attribute !== (isIo ? ATTRIBUTE_DEVICE : 0)) return 'ARGUMENT_INVALID';
    if (!args.acl.some((entry) => entry.vmid === vmid)) return 'VMID_INVALID';
  }
  return undefined;
}

/** Range by range: an address or size that no message may have, then memory that the owner has not. */
function checkRanges(ranges: readonly MemoryRange[], isOwned: (range: MemoryRange) => boolean): RmErrorName | undefined {
  for (const range of ranges) {
    if ([range.address, range.size].some((value) => value % PAGE !== 0n || value >= ADDRESSES_END)) return 'ARGUMENT_INVALID';
    if (range.size === 0n || !isOwned(range)) return 'MEM_INVALID';
  }
  return undefined;
}

const append: RmHandler<'MEM_APPEND'> = (rm, caller, { handle, flags, sgl }) => {
  if (sgl.length === 0) return 'ARGUMENT_INVALID';
  const parcel = parcelByHandle(rm, handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (parcel.owner !== caller.vmid || parcel.complete) return 'DENIED';
  const error = checkRanges(sgl, (range) => parcel.memoryType === 'io' || locateRanges(rm, caller, [range]) !== undefined);
  if (error !== undefined) return error;
  if (parcel.memoryType === 'io') {
    if (!carveRanges(rm, caller, parcel, sgl)) return 'MEM_INVALID';
    parcel.complete = (flags & APPEND_LAST) !== 0;
    return 'OK';
  }
  const regions = locateRanges(rm, caller, sgl);
  const refused = regions === undefined ? 'MEM_INVALID' : moveIn(rm, caller, parcel, regions);
  if (refused !== undefined) return refused;
  parcel.complete = (flags & APPEND_LAST) !== 0;
  return 'OK';
};

const accept: RmHandler<'MEM_ACCEPT'> = (rm, caller, args) => {
  const parcel = parcelByHandle(rm, args.handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  const error = checkAccept(caller, parcel, args);
  if (error !== undefined) return error;
  if ((args.flags & ACCEPT.SANITIZE) !== 0) parcel.sanitiseAtReclaim = true;
  const isContiguous = (args.flags & ACCEPT.MAP_CONTIGUOUS) !== 0;
  const total = parcelSize(parcel);
  const before = parcel.users.find((user) => user.vmid === caller.vmid)?.mappings ?? [];
  const missing = isContiguous ? Number(before.length === 0) : parcel.regions.length - before.length;
  const count = args.sgl.length === 0 ? Math.min(missing, MEMORY_LIST_MAX) : args.sgl.length;
  if (count > missing) return 'ARGUMENT_INVALID';
  const found = count === 0 ? [] : placesFor(rm, caller, parcel, { isContiguous, ranges: args.sgl, skip: before.length, count });
  if (typeof found === 'string') return found;
  const places = [...before, ...found];
  if ((args.flags & ACCEPT.DONE) === 0) reserveAccepted(caller, parcel, { places, isContiguous });
  else if (count < missing) return 'ARGUMENT_INVALID';
  else {
    const mapped = mapAccepted(rm, caller, parcel, { places, isContiguous });
    if (typeof mapped === 'string') return mapped;
  }
  if (args.sgl.length > 0) return 'OK';
  const chosen = isContiguous && found.length > 0 ? [{ address: found[0]?.ipa ?? 0n, size: total }] : found.map((mapping) => ({ address: mapping.ipa, size: mapping.sizeBytes }));
  return { flags: count < missing ? INCOMPLETE : 0, sgl: chosen };
};

function checkAccept(caller: VmRecord, parcel: Parcel, args: RmArguments<'MEM_ACCEPT'>): RmErrorName | undefined {
  const isIo = parcel.memoryType === 'io';
  if (args.memoryType !== parcel.typeNumber || TRANSACTIONS[args.transactionType] !== parcel.transaction) return 'ARGUMENT_INVALID';
  if (!isAsSaid(parcel, args)) return 'VALIDATE_FAILED';
  if ((args.flags & ACCEPT.MAP_OTHER) !== 0) return 'DENIED';
  if (args.mapVmid !== 0) return 'ARGUMENT_INVALID';
  const entry = parcel.acl.find((candidate) => candidate.vmid === caller.vmid);
  if (entry === undefined) return 'VMID_INVALID';
  const user = parcel.users.find((candidate) => candidate.vmid === caller.vmid);
  if (parcel.owner === caller.vmid || user?.isMapped === true) return 'DENIED';
  if ((args.flags & ACCEPT.MAP_CONTIGUOUS) !== 0 && (isIo || user?.isContiguous === false)) return 'ARGUMENT_INVALID';
  return (args.flags & ACCEPT.SANITIZE) !== 0 && (isIo || (entry.rights & ACCESS.W) === 0) ? 'ARGUMENT_INVALID' : undefined;
}

function isAsSaid(parcel: Parcel, args: RmArguments<'MEM_ACCEPT'>): boolean {
  if ((args.flags & ACCEPT.VALIDATE_SANITIZED) !== 0 && !parcel.sanitised) return false;
  if ((args.flags & ACCEPT.VALIDATE_LABEL) !== 0 && parcel.label !== args.label) return false;
  return (args.flags & ACCEPT.VALIDATE_ACL_ATTR) === 0 || (sameAcl(parcel.acl, args.acl) && sameAttributes(parcel.attributes, args.attributes));
}

function sameAcl(a: readonly AclEntry[], b: readonly AclEntry[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry.vmid === b[i]?.vmid && entry.rights === b[i]?.rights);
}

function sameAttributes(a: Parcel['attributes'], b: Parcel['attributes']): boolean {
  return a.length === b.length && a.every((entry, i) => entry.vmid === b[i]?.vmid && entry.attribute === b[i]?.attribute);
}

const release: RmHandler<'MEM_RELEASE'> = (rm, caller, { handle, flags }) => {
  const parcel = parcelByHandle(rm, handle);
  const entry = parcel?.acl.find((candidate) => candidate.vmid === caller.vmid);
  if (parcel === undefined || entry === undefined) return 'HANDLE_INVALID';
  if (parcel.owner === caller.vmid) return 'DENIED';
  if (!parcel.users.some((candidate) => candidate.vmid === caller.vmid)) return 'MEM_RELEASED';
  if ((flags & RELEASE_SANITISE) !== 0) {
    if (parcel.memoryType === 'io' || (entry.rights & ACCESS.W) === 0) return 'ARGUMENT_INVALID';
    parcel.sanitiseAtReclaim = true;
  }
  releaseParcel(rm, caller, parcel);
  return 'OK';
};

const reclaim: RmHandler<'MEM_RECLAIM'> = (rm, caller, { handle, flags }) => {
  const parcel = parcelByHandle(rm, handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (parcel.owner !== caller.vmid) return 'DENIED';
  if (parcel.users.length > 0) return 'MEM_INUSE';
  if ((flags & RELEASE_SANITISE) !== 0) {
    if (parcel.memoryType === 'io') return 'ARGUMENT_INVALID';
    parcel.sanitiseAtReclaim = true;
  }
  return reclaimParcel(rm, parcel) ?? 'OK';
};

const notify: RmHandler<'MEM_NOTIFY'> = (rm, caller, args) => {
  const parcel = parcelByHandle(rm, args.handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (parcel.tag !== null && parcel.tag !== args.tag) return 'ARGUMENT_INVALID';
  switch (args.flags) {
    case NOTIFY.SHARED: case NOTIFY.RECALL: return notifyUsers(rm, caller, parcel, args);
    case NOTIFY.ACCEPTED: return notifyOwner(rm, caller, parcel, 'MEM_ACCEPTED');
    case NOTIFY.RELEASED: return notifyOwner(rm, caller, parcel, 'MEM_RELEASED');
    default: return 'ARGUMENT_INVALID';
  }
};

function notifyUsers(rm: Rm, caller: VmRecord, parcel: Parcel, args: RmArguments<'MEM_NOTIFY'>): RmErrorName {
  if (parcel.owner !== caller.vmid) return 'DENIED';
  const error = checkNotified(rm, parcel, args.vmids.map(({ vmid }) => vmid));
  if (error !== undefined) return error;
  if (args.flags === NOTIFY.SHARED) parcel.tag ??= args.tag;
  let outcome: RmErrorName = 'OK';
  for (const { vmid } of args.vmids) {
    if (args.flags === NOTIFY.RECALL) rm.notify(asVmid(vmid), 'MEM_RECALL', { handle: parcel.handle, tag: parcel.tag ?? 0 });
    else if (rm.vm(vmid)?.state === 'READY') outcome = acceptForReady(rm, parcel, vmid);
    else rm.notify(asVmid(vmid), 'MEM_SHARED', sharedValues(parcel));
  }
  return outcome;
}

function checkNotified(rm: Rm, parcel: Parcel, vmids: readonly number[]): RmErrorName | undefined {
  if (vmids.length === 0) return 'ARGUMENT_INVALID';
  if (vmids.includes(CUT_SHORT)) return 'MSG_INVALID';
  if (vmids.length > parcel.acl.length) return 'ARGUMENT_INVALID';
  for (const vmid of vmids) {
    if (vmid !== VMID.RM && rm.vm(vmid) === undefined) return 'VMID_INVALID';
    if (!parcel.acl.some((entry) => entry.vmid === vmid)) return 'ARGUMENT_INVALID';
  }
  return undefined;
}

/** A VM that does not run yet cannot answer; RM tries in its place and tells the owner. */
function acceptForReady(rm: Rm, parcel: Parcel, vmid: number): RmErrorName {
  const vm = rm.vm(vmid);
  if (vm === undefined) return 'VMID_INVALID';
  const accepted = !parcel.users.some((user) => user.vmid === vmid) && typeof acceptParcel(rm, vm, parcel, 'chosen') !== 'string';
  return notifyOwner(rm, vm, parcel, accepted ? 'MEM_ACCEPTED' : 'MEM_RELEASED');
}

function sharedValues(parcel: Parcel): RmNotificationValues<'MEM_SHARED'> {
  return {
    handle: parcel.handle, memoryType: parcel.typeNumber, transactionType: TRANSACTIONS.indexOf(parcel.transaction), flags: parcel.sanitised ? 1 : 0,
    owner: parcel.owner, label: parcel.label, tag: parcel.tag ?? 0, acl: parcel.acl, sizes: parcel.regions.map((region) => ({ size: region.sizeBytes })), attributes: parcel.attributes,
  };
}

function notifyOwner(rm: Rm, caller: VmRecord, parcel: Parcel, name: 'MEM_ACCEPTED' | 'MEM_RELEASED'): RmErrorName {
  if (!parcel.acl.some((entry) => entry.vmid === caller.vmid)) return 'HANDLE_INVALID';
  const isUser = parcel.users.some((user) => user.vmid === caller.vmid);
  if (isUser !== (name === 'MEM_ACCEPTED')) return isUser ? 'MEM_INUSE' : 'MEM_RELEASED';
  rm.notify(parcel.owner, name, { handle: parcel.handle, vmid: caller.vmid, tag: parcel.tag ?? 0 });
  return 'OK';
}

/** Finds one of the caller's parcels that nobody has accepted, by its whole description. */
function lookupSgl(rm: Rm, caller: VmRecord, args: RmArguments<'MEM_QCOM_LOOKUP_SGL'>): RmOutcome<'MEM_QCOM_LOOKUP_SGL'> {
  const found = rm.state.parcels.find((parcel) => parcel.owner === caller.vmid && parcel.users.length === 0 && parcel.complete
    && args.memoryType === parcel.typeNumber && sameAcl(parcel.acl, args.acl) && sameAttributes(parcel.attributes, args.attributes) && sameRanges(parcel, args.sgl));
  return found === undefined ? 'LOOKUP_FAILED' : { handle: found.handle };
}

function sameRanges(parcel: Parcel, ranges: readonly MemoryRange[]): boolean {
  return parcel.regions.length === ranges.length && parcel.regions.every((region, i) => region.address === ranges[i]?.address && region.sizeBytes === ranges[i]?.size);
}

/** Handlers of memory requests. */
export const memoryHandlers = {
  MEM_DONATE: (rm, caller, args) => create(rm, caller, args, 'donate'),
  MEM_LEND: (rm, caller, args) => create(rm, caller, args, 'lend'),
  MEM_SHARE: (rm, caller, args) => create(rm, caller, args, 'share'),
  MEM_APPEND: append,
  MEM_ACCEPT: accept,
  MEM_RELEASE: release,
  MEM_RECLAIM: reclaim,
  MEM_NOTIFY: notify,
  MEM_QCOM_LOOKUP_SGL: lookupSgl,
} as const satisfies RmHandlers;

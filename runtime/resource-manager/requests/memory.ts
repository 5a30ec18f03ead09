/** Memory parcel requests: give, accept, release, reclaim, and tell others. */

import { vmid as asVmid } from '../../base/brands';
import type { Rm } from '../context';
import type { RmArguments, RmNotificationValues } from '../message-table';
import { acceptParcel, carveRanges, createParcel, locateRanges, moveIn, parcelByHandle, PARCELS_MAX, reclaimParcel, releaseParcel } from '../parcels';
import type { MemoryRange } from '../parcels';
import type { RmErrorName } from '../rm-errors';
import type { AclEntry, Parcel, VmRecord } from '../state';
import { ACCESS, PAGE } from '../vm-memory';
import { VMID } from '../vm-states';
import type { RmHandler, RmHandlers, RmOutcome } from './handler';

const CREATE_SANITISE = 1;
const CREATE_APPEND = 2;
const APPEND_LAST = 1;
const RELEASE_SANITISE = 1;
const ACCEPT = { VALIDATE_SANITIZED: 1, VALIDATE_ACL_ATTR: 2, VALIDATE_LABEL: 4, MAP_OTHER: 8, MAP_CONTIGUOUS: 16, SANITIZE: 32 } as const;
const NOTIFY = { SHARED: 1, RELEASED: 2, ACCEPTED: 4, RECALL: 8 } as const;
const RIGHTS_VALID: readonly number[] = [4, 5, 6, 7];
const ATTRIBUTE_MAX = 3;
const MEMORY_TYPE_IO = 1;
const TRANSACTIONS = ['donate', 'lend', 'share'] as const;

type Creation = RmArguments<'MEM_SHARE'>;

/** Donate, lend and share differ in who must be in the access control list. */
function create(rm: Rm, caller: VmRecord, args: Creation, transaction: Parcel['transaction']): RmErrorName | { handle: number } {
  if (args.acl.length === 0 || args.sgl.length === 0) return 'ARGUMENT_INVALID';
  // A request that was understood uses up a handle even if it is refused (observed).
  const handle = rm.state.nextHandle;
  rm.state.nextHandle = (handle + 1) >>> 0;
  const error = checkCreation(rm, caller, args, transaction);
  if (error !== undefined) return error;
  const parcel = createParcel(rm, caller, handle, {
    transaction, memoryType: args.memoryType === MEMORY_TYPE_IO ? 'io' : 'normal', sanitise: (args.flags & CREATE_SANITISE) !== 0, complete: (args.flags & CREATE_APPEND) === 0,
    label: args.label, acl: args.acl, attributes: args.attributes.filter((entry) => entry.vmid !== 0 || entry.attribute !== 0), ranges: args.sgl,
  });
  return typeof parcel === 'string' ? parcel : { handle: parcel.handle };
}

function checkCreation(rm: Rm, caller: VmRecord, args: Creation, transaction: Parcel['transaction']): RmErrorName | undefined {
  if (!validAcl(rm, args)) return 'ARGUMENT_INVALID';
  const selfListed = args.acl.some((entry) => entry.vmid === caller.vmid);
  if (selfListed !== (transaction === 'share')) return 'ARGUMENT_INVALID';
  if (transaction === 'donate' && args.acl.length !== 1) return 'ARGUMENT_INVALID';
  if (transaction === 'donate' && args.acl[0]?.rights !== fullRights(args)) return 'DENIED';
  return checkAttributes(args) ?? checkRanges(args.sgl) ?? checkCount(rm, caller);
}

function fullRights(args: Creation): number {
  return args.memoryType === MEMORY_TYPE_IO ? ACCESS.RW : ACCESS.RWX;
}

function validAcl(rm: Rm, args: Creation): boolean {
  const unique = new Set(args.acl.map((entry) => entry.vmid)).size === args.acl.length;
  const exist = args.acl.every((entry) => entry.vmid === VMID.RM || rm.vm(entry.vmid) !== undefined);
  const rights = args.acl.every((entry) => RIGHTS_VALID.includes(entry.rights) && (args.memoryType !== MEMORY_TYPE_IO || (entry.rights & ACCESS.X) === 0));
  return unique && exist && rights;
}

/** An all-zero entry stands for "no attributes", as Linux sends it. */
function checkAttributes(args: Creation): RmErrorName | undefined {
  const given = args.attributes.filter((entry) => entry.vmid !== 0 || entry.attribute !== 0);
  if (given.some((entry) => entry.attribute > ATTRIBUTE_MAX)) return 'ARGUMENT_INVALID';
  return given.every((entry) => args.acl.some((other) => other.vmid === entry.vmid)) ? undefined : 'VMID_INVALID';
}

function checkRanges(ranges: readonly MemoryRange[]): RmErrorName | undefined {
  if (ranges.some((range) => range.address % PAGE !== 0n || range.size % PAGE !== 0n)) return 'ARGUMENT_INVALID';
  if (ranges.some((range) => range.address + range.size > 1n << 64n)) return 'ARGUMENT_INVALID';
  return ranges.some((range) => range.size === 0n) ? 'MEM_INVALID' : undefined;
}

function checkCount(rm: Rm, caller: VmRecord): RmErrorName | undefined {
  return rm.state.parcels.filter((parcel) => parcel.owner === caller.vmid).length >= PARCELS_MAX ? 'DENIED' : undefined;
}

const append: RmHandler<'MEM_APPEND'> = (rm, caller, { handle, flags, sgl }) => {
  if (sgl.length === 0) return 'ARGUMENT_INVALID';
  const parcel = parcelByHandle(rm, handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (parcel.owner !== caller.vmid || parcel.complete) return 'DENIED';
  const error = checkRanges(sgl);
  if (error !== undefined) return error;
  if (parcel.memoryType === 'io') {
    if (!carveRanges(rm, caller, parcel, sgl)) return 'MEM_INVALID';
    parcel.complete = (flags & APPEND_LAST) !== 0;
    return 'OK';
  }
  const regions = locateRanges(rm, caller, sgl);
  if (regions === undefined || !moveIn(rm, caller, parcel, regions)) return 'MEM_INVALID';
  parcel.complete = (flags & APPEND_LAST) !== 0;
  return 'OK';
};

const accept: RmHandler<'MEM_ACCEPT'> = (rm, caller, args) => {
  const parcel = parcelByHandle(rm, args.handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  const error = checkAccept(caller, parcel, args);
  if (error !== undefined) return error;
  const sanitise = (args.flags & ACCEPT.SANITIZE) !== 0;
  if (args.sgl.length > 0) {
    const mapped = acceptParcel(rm, caller, parcel, { at: args.sgl, sanitise });
    return typeof mapped === 'string' ? mapped : 'OK';
  }
  const mapped = acceptParcel(rm, caller, parcel, { at: (args.flags & ACCEPT.MAP_CONTIGUOUS) !== 0 ? 'contiguous' : 'chosen', sanitise });
  return typeof mapped === 'string' ? mapped : { flags: 0, sgl: mapped.map((mapping) => ({ address: mapping.ipa, size: mapping.sizeBytes })) };
};

function checkAccept(caller: VmRecord, parcel: Parcel, args: RmArguments<'MEM_ACCEPT'>): RmErrorName | undefined {
  if ((args.flags & ACCEPT.MAP_OTHER) !== 0 || args.mapVmid !== 0) return 'DENIED';
  const entry = parcel.acl.find((candidate) => candidate.vmid === caller.vmid);
  if (parcel.owner === caller.vmid) return 'DENIED';
  if (entry === undefined) return 'VMID_INVALID';
  if (parcel.users.some((user) => user.vmid === caller.vmid) || !parcel.complete) return 'DENIED';
  const isIo = args.memoryType === MEMORY_TYPE_IO;
  if (isIo !== (parcel.memoryType === 'io') || TRANSACTIONS[args.transactionType] !== parcel.transaction) return 'ARGUMENT_INVALID';
  if ((args.flags & ACCEPT.SANITIZE) !== 0 && (entry.rights & ACCESS.W) === 0) return 'ARGUMENT_INVALID';
  return checkRanges(args.sgl) ?? validate(parcel, args);
}

function validate(parcel: Parcel, args: RmArguments<'MEM_ACCEPT'>): RmErrorName | undefined {
  if ((args.flags & ACCEPT.VALIDATE_SANITIZED) !== 0 && !parcel.sanitised) return 'VALIDATE_FAILED';
  if ((args.flags & ACCEPT.VALIDATE_LABEL) !== 0 && parcel.label !== args.label) return 'VALIDATE_FAILED';
  if ((args.flags & ACCEPT.VALIDATE_ACL_ATTR) === 0) return undefined;
  return sameAcl(parcel.acl, args.acl) && sameAttributes(parcel.attributes, args.attributes) ? undefined : 'VALIDATE_FAILED';
}

function sameAcl(a: readonly AclEntry[], b: readonly AclEntry[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry.vmid === b[i]?.vmid && entry.rights === b[i]?.rights);
}

function sameAttributes(a: Parcel['attributes'], b: Parcel['attributes']): boolean {
  return a.length === b.length && a.every((entry, i) => entry.vmid === b[i]?.vmid && entry.attribute === b[i]?.attribute);
}

const release: RmHandler<'MEM_RELEASE'> = (rm, caller, { handle, flags }) => {
  const parcel = parcelByHandle(rm, handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (parcel.owner === caller.vmid) return 'DENIED';
  if (!parcel.acl.some((entry) => entry.vmid === caller.vmid)) return 'HANDLE_INVALID';
  const user = parcel.users.find((candidate) => candidate.vmid === caller.vmid);
  if (user === undefined) return 'MEM_RELEASED';
  releaseParcel(rm, caller, parcel, user.sanitise || (flags & RELEASE_SANITISE) !== 0);
  return 'OK';
};

const reclaim: RmHandler<'MEM_RECLAIM'> = (rm, caller, { handle, flags }) => {
  const parcel = parcelByHandle(rm, handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  if (parcel.owner !== caller.vmid) return 'DENIED';
  if (parcel.users.length > 0) return 'MEM_INUSE';
  reclaimParcel(rm, parcel, (flags & RELEASE_SANITISE) !== 0);
  return 'OK';
};

const notify: RmHandler<'MEM_NOTIFY'> = (rm, caller, args) => {
  const parcel = parcelByHandle(rm, args.handle);
  if (parcel === undefined) return 'HANDLE_INVALID';
  const isOwner = parcel.owner === caller.vmid;
  const isUser = parcel.users.some((user) => user.vmid === caller.vmid);
  switch (args.flags) {
    case NOTIFY.SHARED: return isOwner ? notifyShared(rm, parcel, args) : 'DENIED';
    case NOTIFY.RECALL: return isOwner ? notifyRecall(rm, parcel, args) : 'DENIED';
    case NOTIFY.ACCEPTED: return notifyOwner(rm, caller, parcel, { tag: args.tag, name: 'MEM_ACCEPTED', error: isUser ? undefined : 'MEM_RELEASED' });
    case NOTIFY.RELEASED: return notifyOwner(rm, caller, parcel, { tag: args.tag, name: 'MEM_RELEASED', error: isUser ? 'MEM_INUSE' : undefined });
    default: return 'ARGUMENT_INVALID';
  }
};

function notifyShared(rm: Rm, parcel: Parcel, args: RmArguments<'MEM_NOTIFY'>): RmErrorName {
  if (args.vmids.some((entry) => !parcel.acl.some((other) => other.vmid === entry.vmid))) return 'VMID_INVALID';
  parcel.tag = args.tag;
  for (const { vmid } of args.vmids) {
    if (rm.vm(vmid)?.state === 'READY') acceptForReady(rm, parcel, vmid);
    else rm.notify(asVmid(vmid), 'MEM_SHARED', sharedValues(parcel));
  }
  return 'OK';
}

/** A VM that does not run yet cannot answer; RM tries in its place and tells the owner. */
function acceptForReady(rm: Rm, parcel: Parcel, vmid: number): void {
  const vm = rm.vm(vmid);
  if (vm === undefined) return;
  const accepted = !parcel.users.some((user) => user.vmid === vmid) && typeof acceptParcel(rm, vm, parcel, { at: 'chosen', sanitise: false }) !== 'string';
  rm.notify(parcel.owner, accepted ? 'MEM_ACCEPTED' : 'MEM_RELEASED', { handle: parcel.handle, vmid: vm.vmid, tag: parcel.tag });
}

function sharedValues(parcel: Parcel): RmNotificationValues<'MEM_SHARED'> {
  return {
    handle: parcel.handle, memoryType: parcel.memoryType === 'io' ? MEMORY_TYPE_IO : 0, transactionType: TRANSACTIONS.indexOf(parcel.transaction), flags: parcel.sanitised ? 1 : 0,
    owner: parcel.owner, label: parcel.label, tag: parcel.tag, acl: parcel.acl, sizes: parcel.regions.map((region) => ({ size: region.sizeBytes })), attributes: parcel.attributes,
  };
}

function notifyRecall(rm: Rm, parcel: Parcel, args: RmArguments<'MEM_NOTIFY'>): RmErrorName {
  if (args.tag !== parcel.tag) return 'ARGUMENT_INVALID';
  if (args.vmids.some((entry) => !parcel.acl.some((other) => other.vmid === entry.vmid))) return 'VMID_INVALID';
  for (const { vmid } of args.vmids) rm.notify(asVmid(vmid), 'MEM_RECALL', { handle: parcel.handle, tag: parcel.tag });
  return 'OK';
}

function notifyOwner(rm: Rm, caller: VmRecord, parcel: Parcel, what: { readonly tag: number; readonly name: 'MEM_ACCEPTED' | 'MEM_RELEASED'; readonly error: RmErrorName | undefined }): RmErrorName {
  if (!parcel.acl.some((entry) => entry.vmid === caller.vmid)) return 'HANDLE_INVALID';
  if (what.tag !== parcel.tag) return 'ARGUMENT_INVALID';
  if (what.error !== undefined) return what.error;
  rm.notify(parcel.owner, what.name, { handle: parcel.handle, vmid: caller.vmid, tag: parcel.tag });
  return 'OK';
}

/** Finds one of the caller's parcels that nobody has accepted, by its whole description. */
function lookupSgl(rm: Rm, caller: VmRecord, args: RmArguments<'MEM_QCOM_LOOKUP_SGL'>): RmOutcome<'MEM_QCOM_LOOKUP_SGL'> {
  const found = rm.state.parcels.find((parcel) => parcel.owner === caller.vmid && parcel.users.length === 0
    && parcel.label === args.label && sameAcl(parcel.acl, args.acl) && sameAttributes(parcel.attributes, args.attributes) && sameRanges(parcel, args.sgl));
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

/**
 * The rules of memory extents and address spaces. Where a call breaks several rules at once and no document says which error wins,
 * any of them is right.
 */

import { activateInfoArea } from './device-rules';
import { E } from './signatures';
import type { Addrspace, Cspace, Extent, Group, Recorded } from './things';
import { ACTIVATE, answer, done, type Verdict, type WorldState } from './world-state';
import type { Arguments, Rule } from './rules';

const [MAP, DERIVE, EXTENT_LOOKUP, DONATE, AS_MAP, AS_LOOKUP, AS_VMMIO, PARTITION_DONATE] = [1, 2, 8, 0x10, 2, 4, 8, 2];
const LIMIT = 1n << 64n;
const IPA_PAGES = 1 << 24;
const ACCESS = [0, 1, 2, 4, 5, 6, 7];
const MEMORY_TYPES = [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15];
const isAligned = (...values: readonly bigint[]): boolean => values.every((value) => (value & 0xfffn) === 0n);
const pages = (bytes: bigint): number => Number(bytes >> 12n);
/** The physical address of an extent: ranges wrap from there. */
const startOf = (extent: Extent): bigint => BigInt(extent.first) << 12n;
const bytesOf = (extent: Extent): bigint => BigInt(extent.count) << 12n;

/** Any of the errors whose condition holds; `undefined` if none does. */
function refused(...conditions: readonly (readonly [boolean, number])[]): Verdict | undefined {
  const errors = conditions.filter(([isBroken]) => isBroken).map(([, error]) => error);
  return errors.length === 0 ? undefined : { errors, outputs: {} };
}

/** A VMID that is set and that no other active address space has. */
export function activateAddrspace(world: WorldState, addrspace: Addrspace): number {
  if (addrspace.vmid === 0 || world.foreignVmids.includes(addrspace.vmid)) return E.BUSY;
  for (const other of world.all('addrspace')) if (other !== addrspace && other.state === 'active' && other.vmid === addrspace.vmid) return E.BUSY;
  return activateInfoArea(world, addrspace);
}

/** Activation of an extent: ownership, and what it inherits of its parent's mappings. */
export function activateExtent(world: WorldState, extent: Extent): number {
  if (extent.count === 0) return E.OBJECT_CONFIG;
  if (extent.parent === undefined) {
    if (extent.isSparse && extent.memoryType !== 1) return E.OK;
    if (!world.owns(world.partition, extent.first, extent.count)) return world.notOwned(extent.first, extent.count);
    takeRange(world, extent);
    return E.OK;
  }
  const parent = world.get('memextent', extent.parent);
  if (parent.attachments > 0) return E.BUSY;
  const takes = !extent.isSparse || !parent.isSparse;
  if (takes && !world.owns(parent.id, extent.first, extent.count)) return E.NOT_OWNER;
  const inherited = parent.groups.map((group) => inheritedPages(extent, parent, group));
  if (!extent.isSparse && inherited.some((recorded) => recorded.size > 0 && !isOnePiece(recorded, extent.count))) return E.DENIED;
  extent.groups.forEach((group, n) => {
    group.addrspace = parent.groups[n]?.addrspace ?? 0;
    for (const [offset, recorded] of inherited[n] ?? []) group.pages.set(offset, recorded);
  });
  if (takes) takeRange(world, extent);
  return E.OK;
}

function takeRange(world: WorldState, extent: Extent): void {
  for (let page = extent.first; page < extent.first + extent.count; page++) world.move(page, extent.id);
}

function inheritedPages(extent: Extent, parent: Extent, group: Group): Map<number, Recorded> {
  const seen = new Map<number, Recorded>();
  for (let offset = 0; offset < extent.count; offset++) {
    const at = group.pages.get(extent.first + offset - parent.first);
    if (at !== undefined) seen.set(offset, { ...at, attributes: (at.attributes & 0xff_0000) | (at.attributes & ((extent.access << 4) | extent.access)) });
  }
  return seen;
}

/** True if pages are recorded without a gap, in one line, with the same attributes. */
function isOnePiece(recorded: ReadonlyMap<number, Recorded>, count: number): boolean {
  const first = recorded.get(0);
  if (first === undefined || recorded.size !== count) return false;
  return [...recorded].every(([offset, at]) => at.ipa - offset === first.ipa && at.attributes === first.attributes);
}

function extentAttributes(value: number): { readonly access: number; readonly memoryType: number; readonly isSparse: boolean } | undefined {
  const [access, memoryType, type] = [value & 7, (value >>> 8) & 3, (value >>> 16) & 3];
  return (value & ~0x3_0307) !== 0 || access === 0 || !ACCESS.includes(access) || memoryType === 3 || type > 1 ? undefined : { access, memoryType, isSparse: type === 1 };
}

const configure: Rule = (world, caller, { memextent, base, size, attributes }) => {
  const extent = world.find(caller, memextent, 'memextent', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof extent === 'number') return answer(extent);
  const decoded = extentAttributes(Number(attributes));
  const no = refused([size === 0n || base + size > LIMIT, E.ARGUMENT_INVALID], [!isAligned(base, size), E.ARGUMENT_ALIGNMENT], [decoded === undefined, E.ARGUMENT_INVALID]);
  if (no !== undefined) return no;
  Object.assign(extent, decoded, { first: pages(base), count: pages(size), parent: undefined });
  world.collect();
  return done();
};

const derive: Rule = (world, caller, { memextent, parent: parentCap, offset, size, attributes }) => {
  const parent = world.find(caller, parentCap, 'memextent', { rights: DERIVE });
  if (typeof parent === 'number') return answer(parent);
  const extent = world.find(caller, memextent, 'memextent', { rights: ACTIVATE, states: ['init', 'active', 'failed'], rightsFirst: true });
  if (typeof extent === 'number') return answer(extent);
  const decoded = extentAttributes(Number(attributes));
  const no = refused([extent.state !== 'init', E.OBJECT_STATE],
    [size === 0n || offset + size > LIMIT, E.ARGUMENT_INVALID], [offset + size > bytesOf(parent), E.ADDR_INVALID], [!isAligned(offset, size), E.ARGUMENT_ALIGNMENT],
    [decoded === undefined || (decoded.access & ~parent.access) !== 0 || (parent.memoryType !== 0 && decoded.memoryType !== parent.memoryType), E.ARGUMENT_INVALID]);
  if (no !== undefined) return no;
  Object.assign(extent, decoded, { first: parent.first + pages(offset), count: pages(size), parent: parent.id });
  world.collect();
  return done();
};

/** The two objects of a call on a mapping. */
function sides(world: WorldState, caller: Cspace, args: Arguments, rights: readonly [number, number]): { readonly addrspace: Addrspace; readonly extent: Extent } | number {
  const addrspace = world.find(caller, args.addrspace, 'addrspace', { rights: rights[0] });
  if (typeof addrspace === 'number') return addrspace;
  const extent = world.find(caller, args.memextent, 'memextent', { rights: rights[1] });
  return typeof extent === 'number' ? extent : { addrspace, extent };
}

interface Window { readonly first: number; readonly count: number }

/** The window that a call means, or what is wrong with it. */
function windowOf(extent: Extent, { vbase, flags, offset, size }: Arguments): { readonly window: Window; readonly broken: (readonly [boolean, number])[] } {
  const isPartial = (flags & 1n) !== 0n;
  const broken: (readonly [boolean, number])[] = [[(flags & ~0x8000_0001n) !== 0n, E.ARGUMENT_INVALID], [!isAligned(vbase), E.ARGUMENT_ALIGNMENT]];
  if (!isPartial) return { window: { first: 0, count: extent.count }, broken };
  broken.push([!extent.isSparse, E.MEMEXTENT_TYPE], [!isAligned(offset, size), E.ARGUMENT_ALIGNMENT], [size === 0n || offset + size > bytesOf(extent) || vbase + size > LIMIT, E.ARGUMENT_SIZE]);
  return { window: { first: pages(offset), count: pages(size) }, broken };
}

/** Access and type of a mapping; read and write are the kernel's for both. */
function mappingAttributes(value: number, known: number): number | undefined {
  const [user, kernel, type] = [value & 7, (value >>> 4) & 7, (value >>> 16) & 0xff];
  if ((value & ~known) !== 0 || !ACCESS.includes(user) || !ACCESS.includes(kernel) || !MEMORY_TYPES.includes(type)) return undefined;
  return (type << 16) | (kernel << 4) | (kernel & 6) | (user & 1);
}

function typeFits(extent: Extent, attributes: number): boolean {
  const type = attributes >>> 16;
  return extent.memoryType === 0 || type <= 3 || (extent.memoryType === 2 && type === 5);
}

/** The group that can take a view: of the same address space and without any view of the same pages, else an empty one. */
function groupFor(extent: Extent, addrspace: Addrspace, window: Window): Group | undefined {
  const isFree = (group: Group) => Array.from({ length: window.count }, (_, n) => window.first + n).every((offset) => !group.pages.has(offset));
  const shared = extent.groups.find((group) => extent.isSparse && group.pages.size > 0 && group.addrspace === addrspace.id && isFree(group));
  return shared ?? extent.groups.find((group) => group.pages.size === 0);
}

const map: Rule = (world, caller, args) => {
  const both = sides(world, caller, args, [AS_MAP, MAP]);
  if (typeof both === 'number') return answer(both);
  const { addrspace, extent } = both;
  const { window, broken } = windowOf(extent, args);
  const attributes = mappingAttributes(Number(args.attrs), 0xff_0077);
  const exceeds = ((Number(args.attrs) | (Number(args.attrs) >>> 4)) & 7 & ~extent.access) !== 0;
  const ipa = pages(args.vbase);
  const isSound = !broken.some(([isBroken]) => isBroken);
  const group = isSound ? groupFor(extent, addrspace, window) : undefined;
  const isBeyond = ipa + window.count > IPA_PAGES;
  const no = refused(...broken, [attributes === undefined || exceeds || !typeFits(extent, attributes), E.ARGUMENT_INVALID],
    [isBeyond && ipa >= IPA_PAGES, E.ADDR_INVALID], [isBeyond, E.ADDR_OVERFLOW], [isSound && group === undefined, E.MAPPINGS_FULL]);
  if (no !== undefined || attributes === undefined || group === undefined) return no ?? answer(E.ARGUMENT_INVALID);
  group.addrspace = addrspace.id;
  const order = world.order();
  for (let n = 0; n < window.count; n++) {
    group.pages.set(window.first + n, { ipa: ipa + n, attributes, order });
    const page = extent.first + window.first + n;
    if (world.owners.get(page) === extent.id) world.write(addrspace.id, ipa + n, { page, attributes });
  }
  return done();
};

const unmap: Rule = (world, caller, args) => {
  const both = sides(world, caller, args, [AS_MAP, MAP]);
  if (typeof both === 'number') return answer(both);
  const { addrspace, extent } = both;
  const { window, broken } = windowOf(extent, args);
  const no = refused(...broken);
  if (no !== undefined) return no;
  const ipa = pages(args.vbase);
  const offsets = Array.from({ length: window.count }, (_, n) => n);
  const group = extent.groups.find((candidate) => candidate.addrspace === addrspace.id && offsets.every((n) => candidate.pages.get(window.first + n)?.ipa === ipa + n));
  if (group === undefined) return answer(E.ADDR_INVALID);
  for (const n of offsets) {
    group.pages.delete(window.first + n);
    const page = extent.first + window.first + n;
    if (world.owners.get(page) === extent.id) world.erase(addrspace.id, ipa + n, page);
  }
  return done();
};

const updateAccess: Rule = (world, caller, args) => {
  const both = sides(world, caller, args, [AS_MAP, MAP]);
  if (typeof both === 'number') return answer(both);
  const { addrspace, extent } = both;
  const { broken } = windowOf(extent, args);
  const access = mappingAttributes(Number(args.attrs), 0x77);
  const exceeds = ((Number(args.attrs) | (Number(args.attrs) >>> 4)) & 7 & ~extent.access) !== 0;
  const no = refused(...broken, [access === undefined || exceeds, E.ARGUMENT_INVALID]);
  if (no !== undefined || access === undefined) return no ?? answer(E.ARGUMENT_INVALID);
  const group = extent.isSparse ? undefined : extent.groups
    .filter((candidate) => candidate.addrspace === addrspace.id && candidate.pages.get(0)?.ipa === pages(args.vbase))
    .sort((a, b) => (a.pages.get(0)?.order ?? 0) - (b.pages.get(0)?.order ?? 0))[0];
  if (group === undefined) return answer(E.ADDR_INVALID);
  for (const [offset, at] of group.pages) {
    const attributes = (at.attributes & 0xff_0000) | access;
    group.pages.set(offset, { ...at, attributes });
    if (world.owners.get(extent.first + offset) === extent.id) world.write(addrspace.id, at.ipa, { page: extent.first + offset, attributes });
  }
  return done();
};

const modify: Rule = (world, caller, { memextent, flags, offset, size }) => {
  const extent = world.find(caller, memextent, 'memextent', { rights: MAP });
  if (typeof extent === 'number') return answer(extent);
  const [operation, isNoSync] = [Number(flags & 0xffn), (flags & 0x8000_0000n) !== 0n];
  if ((flags & 0x7fff_ff00n) !== 0n) return answer(E.ARGUMENT_INVALID);
  if (operation === 0) {
    for (let page = extent.first; page < extent.first + extent.count; page++) if (world.owners.get(page) === extent.id) world.hide(extent, page);
    for (const group of extent.groups) group.pages.clear();
    return done();
  }
  if (operation === 255) return answer(isNoSync ? E.ARGUMENT_INVALID : E.OK);
  if (operation > 3 || !isNoSync) return answer(E.ARGUMENT_INVALID);
  const no = refused([!isAligned(offset, size), E.ARGUMENT_ALIGNMENT], [size === 0n || startOf(extent) + offset + size > LIMIT, E.ARGUMENT_SIZE], [offset + size > bytesOf(extent), E.ARGUMENT_INVALID],
    [extent.memoryType === 1 || (extent.access & 2) === 0, E.DENIED]);
  if (no !== undefined) return no;
  for (let page = extent.first + pages(offset); operation === 1 && page < extent.first + pages(offset + size); page++) if (world.owners.get(page) === extent.id) world.zero(page);
  return done();
};

const lookup: Rule = (world, caller, args) => {
  const both = sides(world, caller, args, [AS_LOOKUP, EXTENT_LOOKUP]);
  if (typeof both === 'number') return answer(both);
  const { addrspace, extent } = both;
  const { vbase, size } = args;
  if (size === 0n) return answer(E.ARGUMENT_SIZE);
  if (vbase + size > LIMIT) return answer(E.ADDR_OVERFLOW);
  if (!isAligned(vbase, size)) return answer(E.ARGUMENT_ALIGNMENT);
  const ipa = pages(vbase);
  const first = addrspace.table.get(ipa);
  if (first === undefined) return answer(E.ADDR_INVALID);
  let count = 0;
  for (; count < pages(size); count++) {
    const entry = addrspace.table.get(ipa + count);
    if (entry?.page !== first.page + count || entry.attributes !== first.attributes) break;
  }
  if (!world.owns(extent.id, first.page, count)) return answer(E.NOT_OWNER);
  return done({ offset: BigInt(first.page - extent.first) << 12n, size: BigInt(count) << 12n, map_attrs: BigInt(first.attributes) });
};

const configureAddrspace: Rule = (world, caller, { addrspace, vmid }) => {
  const target = world.find(caller, addrspace, 'addrspace', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof target === 'number') return answer(target);
  if (vmid === 0n || vmid > 255n) return answer(E.ARGUMENT_INVALID);
  target.vmid = Number(vmid);
  return done();
};

const configureVmmio: Rule = (world, caller, { addrspace, vbase, size, op }) => {
  const target = world.find(caller, addrspace, 'addrspace', { rights: AS_VMMIO, states: ['init', 'active'] });
  if (typeof target === 'number') return answer(target);
  const at = target.emulated.findIndex((range) => range.base === vbase && range.size === size);
  const overlaps = target.emulated.some((range) => vbase < range.base + range.size && range.base < vbase + size);
  const no = refused([op > 1n, E.UNIMPLEMENTED], [size === 0n, E.ARGUMENT_SIZE], [vbase + size > LIMIT - 1n, E.ADDR_OVERFLOW], [vbase + size > 1n << 52n, E.ARGUMENT_SIZE], [op === 0n ? overlaps : at < 0, E.BUSY]);
  if (no !== undefined) return no;
  if (op === 0n) target.emulated.push({ base: vbase, size });
  else target.emulated.splice(at, 1);
  return done();
};

/** Who gives and who takes; the window is the child's, or the giver's between siblings. */
interface Donation { readonly from: number; readonly to: number; readonly window: Extent; readonly donor: Extent | undefined; readonly receiver: Extent | undefined; readonly isRelated: boolean }

function parties(world: WorldState, caller: Cspace, args: Arguments, type: number): Donation | Verdict {
  const { from, to } = args;
  const [childCap, parentCap] = type === 0 ? [to, from] : [from, to];
  const child = world.find(caller, childCap, 'memextent', { rights: DONATE });
  if (type === 2) {
    const other = world.find(caller, to, 'memextent', { rights: DONATE });
    if (typeof child === 'number' || typeof other === 'number') return { errors: [child, other].filter((one) => typeof one === 'number'), outputs: {} };
    const isRelated = child !== other && child.parent !== undefined && child.parent === other.parent;
    return { from: child.id, to: other.id, window: child, donor: child, receiver: other, isRelated };
  }
  if (typeof child === 'number') {
    const otherwise = (['memextent', 'partition'] as const).map((kind) => world.find(caller, parentCap, kind, { rights: kind === 'partition' ? PARTITION_DONATE : DONATE }));
    return { errors: [child, ...otherwise.filter((one) => typeof one === 'number')], outputs: {} };
  }
  const parent = child.parent === undefined ? world.find(caller, parentCap, 'partition', { rights: PARTITION_DONATE }) : world.find(caller, parentCap, 'memextent', { rights: DONATE });
  if (typeof parent === 'number') return answer(parent);
  if (child.parent !== undefined && child.parent !== parent.id) return answer(E.ARGUMENT_INVALID);
  const above = parent.kind === 'memextent' ? parent : undefined;
  return type === 0 ? { from: parent.id, to: child.id, window: child, donor: above, receiver: child, isRelated: true } : { from: child.id, to: parent.id, window: child, donor: child, receiver: above, isRelated: true };
}

const donate: Rule = (world, caller, args) => {
  const { options, offset, size } = args;
  const type = Number(options & 0xffn);
  if ((options & 0x7fff_ff00n) !== 0n || type > 2) return answer(E.ARGUMENT_INVALID);
  const found = parties(world, caller, args, type);
  if ('errors' in found) return found;
  const { donor, receiver, window } = found;
  const first = window.first + pages(offset);
  const count = pages(size);
  const isOutside = offset + size > bytesOf(window) || (receiver !== undefined && (first < receiver.first || first + count > receiver.first + receiver.count));
  const isForeign = !isOutside && !world.owns(found.from, first, count);
  const no = refused([size === 0n || startOf(window) + offset + size > LIMIT, E.ARGUMENT_SIZE], [!isAligned(offset, size), E.ARGUMENT_ALIGNMENT], [isOutside, E.ARGUMENT_INVALID],
    [!found.isRelated, E.ARGUMENT_INVALID], [donor?.isSparse === false || receiver?.isSparse === false, E.MEMEXTENT_TYPE], [donor?.isSparse === false || receiver?.isSparse === false, E.ARGUMENT_INVALID], [isForeign, isForeign ? world.notOwned(first, count) : E.NOT_OWNER]);
  if (no !== undefined) return no;
  for (let page = first; page < first + count; page++) world.move(page, found.to);
  return done();
};

/** Options that may be refused before any capability is looked at: a call that fails may fail with these too. */
export function optionErrors(name: string, { flags, options, attrs }: Arguments): readonly number[] {
  const unknown = name === 'addrspace_map' ? (flags & ~0x8000_0001n) | (attrs & ~0xff_0077n) : name === 'addrspace_unmap' ? flags & ~0x8000_0001n
    : name === 'addrspace_update_access' ? (flags & ~0x8000_0001n) | (attrs & ~0x77n) : name === 'memextent_modify' ? flags & 0x7fff_ff00n
      : name === 'memextent_donate' ? options & 0x7fff_ff00n : name === 'vic_configure' ? options & ~3n : 0n;
  return unknown === 0n ? [] : [E.ARGUMENT_INVALID];
}

/** Rules of this file. */
export const MEMORY_RULES = {
  addrspace_map: map,
  addrspace_unmap: unmap,
  addrspace_update_access: updateAccess,
  addrspace_configure: configureAddrspace,
  memextent_modify: modify,
  memextent_configure: configure,
  memextent_configure_derive: derive,
  addrspace_lookup: lookup,
  addrspace_configure_vmmio: configureVmmio,
  memextent_donate: donate,
} satisfies Record<string, Rule>;

/**
 * Who owns and who sees each stretch of physical memory, at one point in time: stage-2 maps of all VMs, memory parcels and the Resource
 * Manager's records laid over each other. Made anew for each request.
 */

import type { RmParcelView, System } from '../../runtime/index';
import type { MemoryStateName, SharerRow } from '../protocol/index';
import { accessText, hexPage } from './memory-words';

/** Others that one row lists. */
const OTHERS_MAX = 16;
const PRIMARY_VMID = 3;
const RM_VMID = 255;
const HYPERVISOR_VMID = 0;

/** Whose a stretch of memory is. Later ranks win over earlier ones. */
interface Claim { readonly first: number; readonly end: number; readonly rank: number; readonly owner: number; readonly isDevice: boolean; readonly parcel: RmParcelView | undefined }
/** A stage-2 run in pages. */
interface Alias { readonly first: number; readonly end: number; readonly vmid: number; readonly ipaPage: number; readonly kernel: number }
/** A stretch in which nothing changes. */
export interface Stretch { readonly first: number; readonly end: number; readonly claim: Claim | undefined; readonly aliases: readonly Alias[] }

const pageOf = (address: bigint): number => Number(address >> 12n);

/** The map. */
export class PhysicalMap {
  private readonly system: System;
  private readonly stretches: readonly Stretch[];

  constructor(system: System) {
    this.system = system;
    this.stretches = sweep(claimsOf(system), aliasesOf(system));
  }

  /** The stretches of a range of pages, cut to it; holes that nobody owns or sees are stretches too. */
  *over(first: number, end: number): IterableIterator<Stretch> {
    let at = first;
    for (let index = this.indexAfter(first); at < end; index++) {
      const stretch = this.stretches[index];
      const start = Math.min(stretch?.first ?? end, end);
      if (at < start) yield { first: at, end: start, claim: undefined, aliases: [] };
      at = Math.max(at, start);
      if (stretch === undefined || at >= end) continue;
      yield { ...stretch, first: at, end: Math.min(stretch.end, end) };
      at = Math.min(stretch.end, end);
    }
  }

  /** How a stretch stands to a VM that sees it. */
  describe({ first, claim }: Stretch, viewer: number): { readonly owner: string; readonly state: MemoryStateName; readonly memparcel: number | null } {
    if (claim === undefined) return { owner: this.system.vmName(viewer), state: this.isRam(first) ? 'owned' : 'device', memparcel: null };
    return { owner: this.system.vmName(claim.owner), state: stateOf(claim, viewer), memparcel: claim.parcel?.handle ?? null };
  }

  /** Everybody who sees the first page of a stretch, but for one place. */
  others({ first, aliases }: Stretch, except: { readonly vmid: number; readonly ipaPage: number } | undefined): { readonly rows: SharerRow[]; readonly isCut: boolean } {
    const rows = aliases.map(({ vmid, ipaPage, kernel, first: start }) => ({ vmid, page: ipaPage + first - start, kernel }))
      .filter(({ vmid, page }) => !(vmid === except?.vmid && page === except.ipaPage))
      .map(({ vmid, page, kernel }): SharerRow => ({ vmid, vm: this.system.vmName(vmid), ipa: hexPage(page), access: accessText(kernel) }));
    return { rows: rows.slice(0, OTHERS_MAX), isCut: rows.length > OTHERS_MAX };
  }

  private isRam(page: number): boolean {
    return this.system.engine.memory.ram.some(({ base, sizeBytes }) => page >= pageOf(base) && page < pageOf(base) + sizeBytes / 4096);
  }

  /** Index of the first stretch that ends after a page. */
  private indexAfter(page: number): number {
    let [low, high] = [0, this.stretches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.stretches[middle]?.end ?? 0) <= page) low = middle + 1; else high = middle;
    }
    return low;
  }
}

function stateOf({ owner, isDevice, parcel }: Claim, viewer: number): MemoryStateName {
  if (owner === HYPERVISOR_VMID) return 'hypervisor';
  if (owner === RM_VMID) return 'resource-manager';
  if (parcel?.transaction === 'share') return 'shared';
  if (parcel?.transaction === 'donate') return 'donated';
  if (owner !== viewer) return 'borrowed';
  if (parcel !== undefined) return 'lent';
  return isDevice ? 'device' : 'owned';
}

function claim(range: { readonly pa: bigint; readonly sizeBytes: bigint }, rest: Pick<Claim, 'rank' | 'owner'> & Partial<Claim>): Claim {
  const first = pageOf(range.pa);
  return { isDevice: false, parcel: undefined, ...rest, first, end: first + Number(range.sizeBytes >> 12n) };
}

function claimsOf(system: System): Claim[] {
  const { layout } = system;
  const { vms, parcels } = system.rmView();
  const whole = { pa: layout.ramBase, sizeBytes: layout.ramSizeBytes };
  const place = ({ base, sizeBytes }: { readonly base: bigint; readonly sizeBytes: bigint }): { pa: bigint; sizeBytes: bigint } => ({ pa: base, sizeBytes });
  const handles = new Set<number>(parcels.map(({ handle }) => handle));
  const infoExtents = new Set(system.inspection.infoAreas().map(({ extentId }) => extentId));
  const infoPages = infoExtents.size === 0 ? [] : system.inspection.extents().filter(({ objectId }) => infoExtents.has(objectId)).flatMap(({ owned }) => owned.map(place));
  return [
    claim(whole, { rank: 0, owner: RM_VMID }),
    claim(place(layout.heap), { rank: 1, owner: HYPERVISOR_VMID }),
    claim(place(layout.primary), { rank: 1, owner: PRIMARY_VMID }),
    // A donation that was accepted is no parcel any more: the memory is the receiver's.
    ...vms.flatMap(({ vmid, memory }) => memory.filter(({ handle }) => handle === null || !handles.has(handle)).map((range) => claim(range, { rank: 2, owner: vmid, isDevice: range.kind === 'device' }))),
    // What the hypervisor tells a VM there it writes itself; RM's record of it is of the address alone.
    ...infoPages.map((range) => claim(range, { rank: 3, owner: HYPERVISOR_VMID })),
    ...parcels.flatMap((parcel) => parcel.ranges.map((range) => claim(range, { rank: 3, owner: parcel.owner, isDevice: parcel.memoryType === 'io', parcel }))),
  ].filter(({ first, end }) => first < end);
}

function aliasesOf(system: System): Alias[] {
  return system.inspection.aliases().map(({ vmid, ipa, pa, sizeBytes, attributes }) => ({
    vmid, ipaPage: pageOf(ipa), first: pageOf(pa), end: pageOf(pa) + Number(sizeBytes >> 12n), kernel: attributes.kernel,
  }));
}

/** RM's record of a VM goes on covering what that VM donated: of claims of one rank that of a VM which sees the memory counts. */
function isBetter(one: Claim, other: Claim, aliases: readonly Alias[]): boolean {
  if (one.rank !== other.rank) return one.rank > other.rank;
  const isSeen = ({ owner }: Claim): boolean => aliases.some(({ vmid }) => vmid === owner);
  return isSeen(one) && !isSeen(other);
}

/** Cuts the physical address space wherever a claim or an alias begins or ends. */
function sweep(claims: readonly Claim[], aliases: readonly Alias[]): Stretch[] {
  const borders = [...new Set([...claims, ...aliases].flatMap(({ first, end }) => [first, end]))].sort((left, right) => left - right);
  const pendingClaims = [...claims].sort((left, right) => left.first - right.first);
  const pendingAliases = [...aliases].sort((left, right) => left.first - right.first || left.vmid - right.vmid || left.ipaPage - right.ipaPage);
  let [activeClaims, activeAliases, nextClaim, nextAlias]: [Claim[], Alias[], number, number] = [[], [], 0, 0];
  const stretches: Stretch[] = [];
  for (const [index, first] of borders.entries()) {
    const end = borders[index + 1];
    if (end === undefined) break;
    activeClaims = activeClaims.filter((one) => one.end > first);
    activeAliases = activeAliases.filter((one) => one.end > first);
    for (let one = pendingClaims[nextClaim]; one !== undefined && one.first <= first; one = pendingClaims[++nextClaim]) activeClaims.push(one);
    for (let one = pendingAliases[nextAlias]; one !== undefined && one.first <= first; one = pendingAliases[++nextAlias]) activeAliases.push(one);
    if (activeClaims.length + activeAliases.length === 0) continue;
    const best = activeClaims.reduce<Claim | undefined>((found, one) => (found === undefined || isBetter(one, found, activeAliases) ? one : found), undefined);
    stretches.push({ first, end, claim: best, aliases: [...activeAliases] });
  }
  return stretches;
}

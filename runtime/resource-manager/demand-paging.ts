/**
 * Memory that an owner gives page by page while its VM runs, as Linux does from series v15 on: the owner holds capabilities to extents of
 * both VMs and to the VM's address space, donates and maps by itself, and gets the CPU back at each missing page.
 */

import { CAP_ID_INVALID } from '../base/brands';
import { RIGHTS } from '../hypervisor/interface';
import type { Rm } from './context';
import { suitsLinux } from './profile';
import type { RmErrorName } from './rm-errors';
import type { VmRecord } from './state';
import { VmBuild } from './vm-builder';
import { ACCESS, createSparseExtent, donateToSibling, mapAttributes, mapPart, MEMORY_TYPE, ownExtent, PAGE, unmapPart, zeroRange } from './vm-memory';

/** Whether the owner is a driver that pages on demand: only such ones say where the image goes. */
function isPaged(rm: Rm, vm: VmRecord): boolean {
  return suitsLinux(rm.options) && (vm.demandPaging.length > 0 || vm.layout.image !== null);
}

/** Makes what the owner needs to give pages, if it will. */
export function buildPaging(rm: Rm, vm: VmRecord): RmErrorName | undefined {
  const owner = rm.vm(vm.owner);
  if (owner?.memoryExtent == null || owner.ram === null || owner.objects === null || vm.objects === null || !isPaged(rm, vm)) return undefined;
  const build = new VmBuild(rm, vm);
  const guest = ownExtent(build);
  const shared = createSparseExtent(build);
  // What is donated to this extent stays where the owner has it.
  for (const mapping of owner.mappings.filter(({ kind, handle }) => kind === 'memory' && handle === null)) {
    if (build.error === undefined && mapPart(rm, owner, shared, { ...mapping, attributes: mapAttributes(ACCESS.RWX, MEMORY_TYPE.WRITE_BACK) }) !== 0) build.fail('MAP_FAILED');
  }
  const give = (cap: typeof guest): typeof guest => build.give(owner, { cap, type: 'memextent' }, RIGHTS.memextent.map | RIGHTS.memextent.donate);
  const hostCap = give(owner.memoryExtent);
  vm.paging = {
    guestPrivate: give(guest), hostShared: hostCap, hostPrivate: hostCap, guestShared: give(shared),
    addrspace: build.give(owner, { cap: vm.objects.addrspace, type: 'addrspace' }, RIGHTS.addrspace.map), shared,
  };
  return build.error;
}

/** Gives back what the owner left in a VM that is taken apart: private pages are cleared, because they were the VM's alone. */
export function returnPages(rm: Rm, vm: VmRecord): void {
  const owner = rm.vm(vm.owner);
  if (vm.paging === null || owner?.memoryExtent == null) return;
  for (const { base, sizeBytes } of vm.demandPaging) {
    for (let at = base; at < base + sizeBytes;) at += returnAt(rm, vm, { at, sizeBytes: base + sizeBytes - at, to: owner.memoryExtent });
  }
}

/** Returns the pages that begin at an address; how far it got. */
function returnAt(rm: Rm, vm: VmRecord, { at, sizeBytes, to }: { readonly at: bigint; readonly sizeBytes: bigint; readonly to: typeof CAP_ID_INVALID }): bigint {
  for (const extent of [vm.memoryExtent ?? CAP_ID_INVALID, vm.paging?.shared ?? CAP_ID_INVALID]) {
    const found = rm.call('addrspace_lookup', { addrspace: vm.objects?.addrspace ?? CAP_ID_INVALID, memextent: extent, vbase: at, size: sizeBytes });
    if (found.error !== 0) continue;
    const range = { offset: found.offset, sizeBytes: found.size };
    if (extent === vm.memoryExtent) zeroRange(rm, extent, range);
    unmapPart(rm, vm, extent, { ipa: at, ...range });
    donateToSibling(rm, extent, to, range);
    return found.size;
  }
  return PAGE;
}

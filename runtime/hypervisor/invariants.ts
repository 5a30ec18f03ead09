/** Properties that hold between any two steps of the hypervisor; tests call this after everything they do. */

import { assert } from '../base/assert';
import { HYPERVISOR_OWNER } from './memdb';
import type { Addrspace } from './addrspace';
import { without, type PageMapping } from './pgtable';
import type { AnyObject, Kernel } from './kernel';
import type { Memextent } from './memextent';

/** Throws if the hypervisor's state contradicts itself. */
export function checkInvariants(kernel: Kernel): void {
  checkOwnership(kernel);
  checkReferences(kernel);
  checkMappings(kernel);
  for (const thread of kernel.ofType('thread')) {
    assert(thread.runTarget === undefined || thread.runTarget.runner === thread, 'a vcpu_run has two ends');
    assert(thread.yieldTarget === undefined || thread.yieldTarget.yieldDonor === thread, 'a donation has two ends');
    assert(!thread.isProxy || thread.isBlockedBy('VCPU_RUN') || thread.runner !== undefined || thread.isPinned, 'a proxy-scheduled vCPU runs only while it is run');
  }
  assert(kernel.partition.heap.freePageCount >= 0, 'the heap is not overdrawn');
}

/** Runs are sorted and disjoint, and each owner is the hypervisor, the partition or an extent over that range. */
function checkOwnership(kernel: Kernel): void {
  let end = 0;
  for (const run of kernel.memdb.runs) {
    assert(run.first >= end && run.end > run.first, 'ownership runs are sorted and disjoint');
    end = run.end;
    if (run.owner === HYPERVISOR_OWNER || run.owner === kernel.partition.header.id) continue;
    const extent = kernel.object('memextent', run.owner);
    assert(run.first >= extent.firstPage && run.end <= extent.firstPage + extent.pageCount, 'an extent owns only pages of its own window');
  }
}

/** Every object lives because something refers to it, and the count says how many do. */
function checkReferences(kernel: Kernel): void {
  const counts = new Map<AnyObject, number>();
  const count = (object: AnyObject | undefined): void => {
    if (object !== undefined) counts.set(object, (counts.get(object) ?? 0) + 1);
  };
  for (const object of kernel.objects.values()) {
    if (object.header.type === 'cspace') for (const [, capability] of kernel.object('cspace', object.header.id).entries()) if (capability.state === 'valid') count(kernel.objects.get(capability.object.header.id));
  }
  for (const thread of kernel.ofType('thread')) for (const link of [thread.cspace, thread.addrspace, thread.vic?.object, thread.vpm?.group, thread.watchdog]) count(link);
  for (const extent of kernel.ofType('memextent')) count(extent.parent);
  for (const addrspace of kernel.ofType('addrspace')) count(addrspace.infoArea?.extent);
  for (const device of kernel.ofType('virtio_mmio')) count(device.extent);
  count(kernel.partition);
  for (const hwirq of kernel.ofType('hwirq')) count(hwirq);
  for (const object of kernel.objects.values()) {
    assert(object.header.references === (counts.get(object) ?? 0), `object ${object.header.id} (${object.header.type}) counts ${object.header.references} references and has ${counts.get(object) ?? 0}`);
  }
}

/**
 * Every stage-2 leaf shows a page to a VM because the extent that owns the page records that mapping, or because it was unmapped without
 * the block it is in (see `Pgtable.unmap`); the hypervisor's memory never shows.
 */
function checkMappings(kernel: Kernel): void {
  for (const addrspace of kernel.ofType('addrspace')) {
    if (!isChanged(kernel, addrspace)) continue;
    for (const run of addrspace.pgtable.runs(1 << 20).flatMap((seen) => withoutAll(seen, addrspace.pgtable.leftBehind))) {
      for (const { first, end, owner } of kernel.memdb.partsOf({ first: run.paPage, end: run.paPage + run.pageCount })) {
        assert(owner !== HYPERVISOR_OWNER && owner !== kernel.partition.header.id, 'no VM sees memory that no extent owns');
        const extent = kernel.object('memextent', owner);
        const ipaPage = run.ipaPage + (first - run.paPage);
        assert(isRecorded(extent, addrspace, { ipaPage, first: first - extent.firstPage, pageCount: end - first }), 'a VM sees memory only where its extent is mapped');
      }
    }
  }
}

function withoutAll(run: PageMapping, taken: readonly PageMapping[]): readonly PageMapping[] {
  return taken.reduce<readonly PageMapping[]>((left, range) => without(left, range), [run]);
}

/** What of tables, owners and records has been found right, so that it need not be looked at again. */
const FOUND_RIGHT = new WeakMap<Addrspace, string>();

function isChanged(kernel: Kernel, addrspace: Addrspace): boolean {
  let records = 0;
  for (const extent of kernel.ofType('memextent')) records += extent.mappings.length;
  const state = `${addrspace.pgtable.generation}/${kernel.memdb.generation}/${records}`;
  if (FOUND_RIGHT.get(addrspace) === state) return false;
  FOUND_RIGHT.set(addrspace, state);
  return true;
}

function isRecorded(extent: Memextent, addrspace: Addrspace, shown: { readonly ipaPage: number; readonly first: number; readonly pageCount: number }): boolean {
  let covered = 0;
  for (const mapping of extent.mappings) {
    if (mapping.addrspace !== addrspace || mapping.ipaPage - mapping.first !== shown.ipaPage - shown.first) continue;
    const first = Math.max(mapping.first, shown.first);
    const end = Math.min(mapping.first + mapping.pageCount, shown.first + shown.pageCount);
    covered += Math.max(0, end - first);
  }
  return covered >= shown.pageCount;
}

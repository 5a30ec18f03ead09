/** Random hypercalls by a guest and by the root VM: nothing throws, the state stays consistent, time stays bounded. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CapId } from '../../runtime/base/brands';
import { Prng } from '../../runtime/base/prng';
import { HYPERCALLS, type Hypercall, type HypercallName } from '../../runtime/hypervisor/hypercall-table';
import { Fixture, MAP_RWX } from './fixture';

const NAMES = Object.keys(HYPERCALLS) as HypercallName[];
const ODD: readonly bigint[] = [
  0n, 1n, 2n, 3n, 7n, 8n, 16n, 0x1000n, 0x2000n, 0x20_0000n, 0x8000_0000n, 0x8000_1000n, 0x4000_0000n, 0x4180_0000n, 0xffff_ffffn, 0x8000_0001n, 0x1_0007n, 0x0f_0077n,
  (1n << 36n) - 0x1000n, 1n << 36n, 1n << 52n, (1n << 63n), 0xffff_ffff_ffff_f000n, 0xffff_ffff_ffff_ffffn, 0x4000_0000_0000n, 40n, 41n, 0x10_0004n,
];

const SEEDS = [1, 2, 3, 4];
const MEMORY_SEEDS = [1, 2, 3, 4];

function word(prng: Prng): bigint {
  const kind = prng.below(10);
  if (kind < 4) return BigInt(prng.below(64));
  if (kind < 9) return ODD[prng.below(ODD.length)] ?? 0n;
  return prng.nextU64();
}

/** Arguments of a call; capabilities mostly of the right type in the caller's cspace, newest first. */
function argumentsOf(prng: Prng, fixture: Fixture, row: Hypercall, vmid: number): bigint[] {
  const cspace = fixture.hypervisor.inspect.cspaceOf(vmid);
  const capabilities = cspace === undefined ? [] : fixture.hypervisor.inspect.capabilities(cspace);
  return row.inputs.map((input) => {
    if (input.mustBe !== undefined && prng.below(12) > 0) return input.mustBe;
    if (input.type !== 'cap_id_t' || prng.below(12) === 0) return word(prng);
    const fitting = capabilities.filter((capability) => input.object === undefined || capability.objectType === input.object);
    const recent = fitting.slice(-8);
    return (prng.below(2) === 0 ? recent[prng.below(Math.max(1, recent.length))] : fitting[prng.below(Math.max(1, fitting.length))])?.capId ?? word(prng);
  });
}

describe('random hypercalls', () => {
  for (const seed of SEEDS) {
    it(`leave the hypervisor consistent (seed ${seed})`, () => {
      const prng = new Prng(seed);
      const fixture = new Fixture({ heapSize: 3 * 1024 * 1024 });
      const guest = fixture.makeVm({ vmid: 20, cpu: 1 });
      // The guest gets everything that the root VM has, so that its calls reach deep.
      const { environment } = fixture.root;
      for (const cap of [environment.cspace, environment.partition, environment.addrspace, environment.vic, environment.memoryExtent, guest.cspace, guest.addrspace, guest.vcpu, guest.memory, guest.vic, guest.vpm]) {
        fixture.give(guest, cap, 0xffff_ffff);
      }
      fixture.powerOn(guest);
      for (let step = 0; step < 4000; step++) {
        const name = NAMES[prng.below(NAMES.length)] ?? 'hypervisor_identify';
        const row: Hypercall = HYPERCALLS[name];
        if (row.number === null) continue;
        // Calls that end the game early are rare.
        if (/delete|revoke|kill|poweroff/.test(name) && prng.below(20) > 0) continue;
        const byGuest = prng.below(3) > 0;
        const args = argumentsOf(prng, fixture, row, byGuest ? 20 : 255);
        if (byGuest && guest.thread.state === 'ready' && guest.thread.engineVcpu !== undefined && guest.thread.header.state === 'active') {
          if (guest.thread.blocks === 0 && fixture.hypervisor.pick(1) === guest.thread) {
            if (prng.below(2) === 0) fixture.native(guest.thread, name, ...args);
            else fixture.smccc(guest.thread, 0xc600_8000 + row.number, ...args);
          }
        } else if (!byGuest) {
          const named = Object.fromEntries(row.inputs.map((input, n) => [input.name, args[n] ?? 0n]));
          const call = fixture.root.hypercall.bind(fixture.root) as (name: HypercallName, args: unknown) => unknown;
          call(name, named);
        }
        if (step % 64 === 0) fixture.hypervisor.checkInvariants();
        if (step % 256 === 0) fixture.run(4, 50);
      }
      fixture.hypervisor.checkInvariants();
      assert.deepEqual(structuredClone(fixture.hypervisor.save()), fixture.hypervisor.save());
    });
  }

  it('by SMCCC identifier and HVC immediate never throw', () => {
    const prng = new Prng(9);
    const fixture = new Fixture();
    const guest = fixture.makeVm({ vmid: 20, cpu: 1 });
    for (let step = 0; step < 4000; step++) {
      if (guest.thread.isBlockedBy('VCPU_OFF') && guest.thread.state === 'ready') fixture.powerOn(guest);
      const owner = [0x80, 0x84, 0x85, 0x86, 0xc4, 0xc5, 0xc6, prng.below(256)][prng.below(8)] ?? 0;
      const id = ((owner << 24) | (prng.below(4) === 0 ? prng.below(0x100_0000) : prng.below(0x60) | (prng.below(2) * 0x8000))) >>> 0;
      if (prng.below(4) === 0) fixture.hvc(guest.thread, prng.below(0x10000), ...Array.from({ length: 18 }, () => word(prng)));
      else fixture.smccc(guest.thread, id, ...Array.from({ length: 8 }, () => word(prng)));
    }
    fixture.hypervisor.checkInvariants();
  });
});

describe('random memory calls', () => {
  const counts = new Map<string, number>();
  for (const seed of MEMORY_SEEDS) {
    it(`leave every VM seeing exactly what its extents say (seed ${seed})`, () => {
      const prng = new Prng(seed);
      const fixture = new Fixture({ heapSize: 2 * 1024 * 1024 });
      const { cspace, memoryExtent, addrspace: rootSpace } = fixture.root.environment;
      const spaces = [fixture.makeVm({ vmid: 20 }).addrspace, fixture.makeVm({ vmid: 21 }).addrspace, rootSpace];
      const extents: CapId[] = [fixture.makeMemory(0x40_0000n).cap];
      const call = fixture.root.hypercall.bind(fixture.root) as (name: HypercallName, args: unknown) => { readonly error: number };
      const pick = <T>(list: readonly T[]): T => list[prng.below(list.length)] as T;
      const pages = () => BigInt(prng.below(4) === 0 ? prng.below(1024) : prng.below(3) * 512 + prng.below(3)) << 12n;
      const parents = new Map<CapId, CapId>([[extents[0] ?? memoryExtent, memoryExtent]]);
      const maps: { readonly memextent: CapId; readonly addrspace: CapId; readonly vbase: bigint; readonly map_flags: number; readonly offset: bigint; readonly size: bigint }[] = [];
      const family = (child: CapId): { options: number; from: CapId; to: CapId } => {
        const parent = parents.get(child) ?? memoryExtent;
        const other = pick([...parents].filter(([, its]) => its === parent).map(([id]) => id));
        return pick([{ options: 0, from: parent, to: child }, { options: 1, from: child, to: parent }, { options: 2, from: child, to: other }]);
      };
      for (let step = 0; step < 600; step++) {
        const [extent, addrspace] = [pick(extents), pick(spaces)];
        const part = { map_flags: prng.below(2), offset: pages(), size: pages() };
        const vbase = 0x1_0000_0000n + pages();
        const kind = pick(['derive', 'map', 'map', 'unmap', 'update', 'donate', 'donate', 'delete', 'unmapAll', 'lookup']);
        let error = -100;
        if (kind === 'derive' && extents.length < 20) {
          const child = fixture.create('memextent');
          error = call('memextent_configure_derive', { memextent: child, parent_memextent: extent, offset: part.offset, size: part.size, attributes: pick([7, 6, 4, 0x1_0007, 0x1_0006]) }).error;
          if (error === 0) error = call('object_activate', { cap: child }).error;
          if (error === 0) {
            extents.push(child);
            parents.set(child, extent);
          }
          else call('cspace_delete_cap_from', { cspace, cap: child });
        } else if (kind === 'map') {
          error = call('addrspace_map', { addrspace, memextent: extent, vbase, map_attrs: pick([MAP_RWX, 0x0f_0044, 0x0f_0066]), ...part }).error;
          if (error === 0) maps.push({ memextent: extent, addrspace, vbase, ...part });
        }
        else if (kind === 'unmap') error = call('addrspace_unmap', maps.length > 0 && prng.below(5) > 0 ? pick(maps) : { addrspace, memextent: extent, vbase, ...part }).error;
        else if (kind === 'update') error = call('addrspace_update_access', { addrspace, memextent: extent, vbase, access_attrs: 0x44, ...part, map_flags: 0 }).error;
        else if (kind === 'donate') error = call('memextent_donate', { ...family(extent), ...part }).error;
        else if (kind === 'delete' && extents.length > 3 && prng.below(3) === 0) {
          const [cap] = extents.splice(1 + prng.below(extents.length - 1), 1);
          error = call('cspace_delete_cap_from', { cspace, cap }).error;
          if (cap !== undefined) parents.delete(cap);
        }
        else if (kind === 'unmapAll' && prng.below(3) === 0) error = call('memextent_modify', { memextent: extent, flags: 0, offset: 0n, size: 0n }).error;
        else if (kind === 'lookup') error = call('addrspace_lookup', { addrspace, memextent: extent, vbase, size: part.size }).error;
        counts.set(`${kind} ${error}`, (counts.get(`${kind} ${error}`) ?? 0) + 1);
        if (step % 4 === 0) fixture.hypervisor.checkInvariants();
      }
      fixture.hypervisor.checkInvariants();
    });
  }

  it('have tried every operation with success', () => {
    for (const kind of ['derive', 'map', 'unmap', 'donate', 'delete', 'lookup', 'unmapAll']) assert.ok((counts.get(`${kind} 0`) ?? 0) > 0, `${kind} never succeeds`);
  });
});

/** Memory extents and address spaces by hypercalls, with the stage-2 tables as the engine walks them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CapId, ipa, pa } from '../../runtime/base/brands';
import type { ErrorName } from '../../runtime/hypervisor/errors';
import { Fixture, MAP_RWX, type TestVm } from './fixture';

const KIB4 = 0x1000n;
const MIB2 = 0x20_0000n;

function walk(fixture: Fixture, vm: TestVm, address: bigint): bigint | undefined {
  const result = fixture.engine.translate(vm.thread.engineVcpu ?? 0, ipa(address), 2);
  return result.ok ? result.pa : undefined;
}

function map(fixture: Fixture, vm: TestVm, [memextent, vbase]: readonly [CapId, bigint], more: { readonly attrs?: number; readonly flags?: number; readonly offset?: bigint; readonly size?: bigint; readonly error?: ErrorName } = {}): void {
  fixture.rootCall('addrspace_map', {
    addrspace: vm.addrspace, memextent, vbase, map_attrs: more.attrs ?? MAP_RWX, map_flags: more.flags ?? 0, offset: more.offset ?? 0n, size: more.size ?? 0n,
  }, more.error ?? 'OK');
}

function unmap(fixture: Fixture, vm: TestVm, [memextent, vbase]: readonly [CapId, bigint], { error = 'OK', part }: { readonly error?: ErrorName; readonly part?: { readonly offset: bigint; readonly size: bigint } } = {}): void {
  fixture.rootCall('addrspace_unmap', { addrspace: vm.addrspace, memextent, vbase, map_flags: part === undefined ? 0 : 1, offset: part?.offset ?? 0n, size: part?.size ?? 0n }, error);
}

describe('configuring an extent', () => {
  it('checks size, alignment and attributes in that order', () => {
    const fixture = new Fixture();
    const memextent = fixture.create('memextent');
    const configure = (phys_base: bigint, size: bigint, attributes: number, error: ErrorName) => fixture.rootCall('memextent_configure', { memextent, phys_base, size, attributes }, error);
    configure(1n, 0n, 0, 'ARGUMENT_INVALID');
    configure(0xffff_ffff_ffff_f000n, 0x2000n, 7, 'ARGUMENT_INVALID');
    configure(1n, KIB4, 0, 'ARGUMENT_ALIGNMENT');
    for (const attributes of [0, 3, 0x307, 0x2_0007, 0x8000_0007, 0x407, 0xf]) configure(0n, KIB4, attributes, 'ARGUMENT_INVALID');
    configure(0x5000_0000n, KIB4, 7, 'OK');
    fixture.activate(memextent, 'ADDR_INVALID');
    fixture.activate(fixture.create('memextent'), 'OBJECT_CONFIG');
  });

  it('checks a child against its parent', () => {
    const fixture = new Fixture();
    const parent = fixture.makeMemory(MIB2).cap;
    const memextent = fixture.create('memextent');
    const derive = (offset: bigint, size: bigint, attributes: number, error: ErrorName) =>
      fixture.rootCall('memextent_configure_derive', { memextent, parent_memextent: parent, offset, size, attributes }, error);
    derive(1n, 0n, 7, 'ARGUMENT_INVALID');
    derive(0n, MIB2 + 1n, 7, 'ADDR_INVALID');
    derive(0xffff_ffff_ffff_f000n, KIB4, 7, 'ADDR_INVALID');
    derive(0xffff_ffff_ffff_f000n, 2n * KIB4, 7, 'ARGUMENT_INVALID');
    derive(1n, KIB4, 7, 'ARGUMENT_ALIGNMENT');
    derive(0n, KIB4, 3, 'ARGUMENT_INVALID');
    derive(0n, KIB4, 4, 'OK');
    fixture.activate(memextent);
    fixture.hypervisor.checkInvariants();
  });
});

describe('mapping', () => {
  it('makes the pages visible to the vCPU with blocks where they fit, and not beside', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const { cap, base } = fixture.makeMemory(2n * MIB2);
    map(fixture, vm, [cap, 0x1_0000_0000n]);
    assert.equal(walk(fixture, vm, 0x1_0000_0000n + MIB2 + 0x123n), base + MIB2 + 0x123n);
    assert.equal(walk(fixture, vm, 0x1_0000_0000n + 2n * MIB2), undefined);
    assert.equal(walk(fixture, vm, 0xffff_f000n), undefined);
    unmap(fixture, vm, [cap, 0x1_0000_0000n]);
    assert.equal(walk(fixture, vm, 0x1_0000_0000n), undefined);
    unmap(fixture, vm, [cap, 0x1_0000_0000n], { error: 'ADDR_INVALID' });
    fixture.hypervisor.checkInvariants();
  });

  it('checks its arguments', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const { cap } = fixture.makeMemory(MIB2);
    map(fixture, vm, [cap, 1n], { error: 'ARGUMENT_ALIGNMENT' });
    map(fixture, vm, [cap, 0n], { flags: 2, error: 'ARGUMENT_INVALID' });
    map(fixture, vm, [cap, 0n], { attrs: 0x04_0077, error: 'ARGUMENT_INVALID' });
    map(fixture, vm, [cap, 0n], { attrs: 0x0f_0033, error: 'ARGUMENT_INVALID' });
    map(fixture, vm, [cap, 1n << 36n], { error: 'ADDR_INVALID' });
    map(fixture, vm, [cap, (1n << 36n) - KIB4], { error: 'ADDR_OVERFLOW' });
    map(fixture, vm, [cap, 0xffff_ffff_ffff_f000n], { error: 'ADDR_INVALID' });
    map(fixture, vm, [cap, 0n], { flags: 1, offset: 0n, size: 0n, error: 'ARGUMENT_SIZE' });
    map(fixture, vm, [cap, 0n], { flags: 1, offset: MIB2, size: KIB4, error: 'ARGUMENT_SIZE' });
    map(fixture, vm, [cap, 0n], { flags: 1, offset: 1n, size: KIB4, error: 'ARGUMENT_ALIGNMENT' });
    map(fixture, vm, [cap, 0n], { flags: 0x8000_0001, offset: KIB4, size: KIB4 });
    unmap(fixture, vm, [cap, 0n], { error: 'ADDR_INVALID' });
    unmap(fixture, vm, [cap, 0n], { part: { offset: KIB4, size: KIB4 } });
  });

  it('is limited to four views of a basic extent, whole only, without update on sparse ones', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const parent = fixture.makeMemory(MIB2).cap;
    const memextent = fixture.create('memextent');
    fixture.rootCall('memextent_configure_derive', { memextent, parent_memextent: parent, offset: 0n, size: KIB4, attributes: 6 });
    fixture.activate(memextent);
    // The root VM's view of its own memory is inherited and counts.
    fixture.rootCall('memextent_modify', { memextent, flags: 0, offset: 0n, size: 0n });
    map(fixture, vm, [memextent, 0n], { error: 'ARGUMENT_INVALID' });
    map(fixture, vm, [memextent, 0n], { attrs: 0x0f_0066, flags: 1, size: KIB4, error: 'MEMEXTENT_TYPE' });
    for (let n = 0n; n < 4n; n++) map(fixture, vm, [memextent, n * MIB2], { attrs: 0x0f_0066 });
    map(fixture, vm, [memextent, 4n * MIB2], { attrs: 0x0f_0066, error: 'MEMEXTENT_MAPPINGS_FULL' });
    const update = (extent: CapId, vbase: bigint, error: ErrorName) =>
      fixture.rootCall('addrspace_update_access', { addrspace: vm.addrspace, memextent: extent, vbase, access_attrs: 0x44, map_flags: 0, offset: 0n, size: 0n }, error);
    update(memextent, MIB2, 'OK');
    update(memextent, 5n * MIB2, 'ADDR_INVALID');
    map(fixture, vm, [parent, 0x4000_0000n]);
    update(parent, 0x4000_0000n, 'ADDR_INVALID');
    const result = fixture.engine.translate(vm.thread.engineVcpu ?? 0, ipa(MIB2), 2);
    assert.ok(result.ok && !result.writable && result.readable);
    fixture.hypervisor.checkInvariants();
  });

  it('needs table memory: NOMEM leaves everything as it was', () => {
    const fixture = new Fixture({ heapSize: 1024 * 1024 });
    const vm = fixture.makeVm();
    const { cap } = fixture.makeMemory(2n * MIB2);
    let refused = false;
    for (let n = 0; n < 200 && !refused; n++) {
      const result = fixture.root.hypercall('addrspace_map', { addrspace: vm.addrspace, memextent: cap, vbase: ipa(BigInt(n) * 0x4000_0000n % (1n << 36n) + KIB4), map_attrs: MAP_RWX, map_flags: 0, offset: 0n, size: 0n });
      refused = result.error === 10 || result.error === 120;
      if (!refused && n >= 3) fixture.root.hypercall('addrspace_unmap', { addrspace: vm.addrspace, memextent: cap, vbase: ipa(BigInt(n - 3) * 0x4000_0000n + KIB4), map_flags: 0, offset: 0n, size: 0n });
    }
    fixture.hypervisor.checkInvariants();
  });
});

describe('donation', () => {
  it('moves pages and what is mapped of them between parent and child', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const { memoryExtent } = fixture.root.environment;
    const { cap, base } = fixture.makeMemory(MIB2);
    map(fixture, vm, [cap, 0x2000_0000n]);
    assert.equal(fixture.root.read(ipa(base), 4).ok, true);
    fixture.rootCall('memextent_donate', { options: 1, from: cap, to: memoryExtent, offset: 0n, size: KIB4 });
    assert.equal(walk(fixture, vm, 0x2000_0000n), undefined);
    fixture.rootCall('memextent_donate', { options: 1, from: cap, to: memoryExtent, offset: KIB4, size: KIB4 });
    assert.equal(walk(fixture, vm, 0x2000_0000n + KIB4), undefined);
    assert.equal(walk(fixture, vm, 0x2000_0000n + 2n * KIB4), base + 2n * KIB4);
    fixture.rootCall('memextent_donate', { options: 1, from: cap, to: memoryExtent, offset: KIB4, size: KIB4 }, 'MEMDB_NOT_OWNER');
    fixture.rootCall('memextent_donate', { options: 0, from: memoryExtent, to: cap, offset: KIB4, size: KIB4 });
    assert.equal(walk(fixture, vm, 0x2000_0000n + KIB4), base + KIB4);
    fixture.hypervisor.checkInvariants();
  });

  it('leaves what lies inside a block visible as long as the block is whole', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const { memoryExtent } = fixture.root.environment;
    const { cap, base } = fixture.makeMemory(MIB2);
    map(fixture, vm, [cap, 0x2000_0000n]);
    fixture.rootCall('memextent_donate', { options: 1, from: cap, to: memoryExtent, offset: KIB4, size: KIB4 });
    assert.equal(walk(fixture, vm, 0x2000_0000n + KIB4), base + KIB4);
    fixture.hypervisor.checkInvariants();
    fixture.rootCall('memextent_donate', { options: 0, from: memoryExtent, to: cap, offset: KIB4, size: KIB4 });
    fixture.rootCall('memextent_donate', { options: 1, from: cap, to: memoryExtent, offset: 0n, size: 3n * KIB4 });
    assert.deepEqual([0n, 1n, 2n, 3n].map((page) => walk(fixture, vm, 0x2000_0000n + page * KIB4)), [undefined, undefined, undefined, base + 3n * KIB4]);
    fixture.hypervisor.checkInvariants();
  });

  it('checks its arguments', () => {
    const fixture = new Fixture();
    const { memoryExtent } = fixture.root.environment;
    const { cap } = fixture.makeMemory(MIB2);
    const other = fixture.makeMemory(MIB2).cap;
    const donate = (options: number, [from, to]: readonly [CapId, CapId], [offset, size]: readonly [bigint, bigint], error: ErrorName) => fixture.rootCall('memextent_donate', { options, from, to, offset, size }, error);
    donate(3, [memoryExtent, cap], [0n, KIB4], 'ARGUMENT_INVALID');
    donate(0x100, [memoryExtent, cap], [0n, KIB4], 'ARGUMENT_INVALID');
    donate(0, [memoryExtent, cap], [0n, 0n], 'ARGUMENT_SIZE');
    donate(0, [memoryExtent, cap], [1n, KIB4], 'ARGUMENT_ALIGNMENT');
    donate(0, [memoryExtent, cap], [MIB2, KIB4], 'ARGUMENT_INVALID');
    donate(0, [other, cap], [0n, KIB4], 'ARGUMENT_INVALID');
    donate(0, [memoryExtent, cap], [0n, KIB4], 'MEMDB_NOT_OWNER');
    donate(2, [cap, other], [0n, KIB4], 'ARGUMENT_INVALID');
    donate(0, [fixture.root.environment.partition, cap], [0n, KIB4], 'CSPACE_WRONG_OBJECT_TYPE');
  });

  it('makes holes for basic children that close when they die', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const { cspace } = fixture.root.environment;
    const { cap, base } = fixture.makeMemory(MIB2);
    map(fixture, vm, [cap, 0x2000_0000n]);
    const child = fixture.create('memextent');
    fixture.rootCall('memextent_configure_derive', { memextent: child, parent_memextent: cap, offset: KIB4, size: KIB4, attributes: 4 });
    fixture.activate(child);
    const at = fixture.engine.translate(vm.thread.engineVcpu ?? 0, ipa(0x2000_0000n + KIB4), 2);
    assert.ok(at.ok && at.readable && !at.writable && !at.executable);
    fixture.rootCall('memextent_modify', { memextent: child, flags: 0, offset: 0n, size: 0n });
    assert.equal(walk(fixture, vm, 0x2000_0000n + KIB4), undefined);
    fixture.rootCall('cspace_delete_cap_from', { cspace, cap: child });
    assert.equal(walk(fixture, vm, 0x2000_0000n + KIB4), base + KIB4);
    fixture.hypervisor.checkInvariants();
  });
});

describe('looking up', () => {
  it('finds offset, length and attributes, with the errors of the API', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const { cap } = fixture.makeMemory(2n * MIB2);
    map(fixture, vm, [cap, 0x2000_0000n], { flags: 1, offset: MIB2, size: MIB2 });
    const lookup = (vbase: bigint, size: bigint, error: ErrorName = 'OK') => fixture.rootCall('addrspace_lookup', { addrspace: vm.addrspace, memextent: cap, vbase, size }, error);
    const found = lookup(0x2000_1000n, 0x1000_0000n);
    assert.deepEqual([found['offset'], found['size'], found['map_attrs']], [MIB2 + KIB4, MIB2 - KIB4, MAP_RWX]);
    lookup(0n, 0n, 'ARGUMENT_SIZE');
    lookup(0xffff_ffff_ffff_f000n, 0x2000n, 'ADDR_OVERFLOW');
    lookup(1n, KIB4, 'ARGUMENT_ALIGNMENT');
    lookup(0n, KIB4, 'ADDR_INVALID');
    lookup(0x8000_0000n, KIB4, 'MEMDB_NOT_OWNER');
  });
});

describe('modifying', () => {
  it('zeroes owned pages and checks flags', () => {
    const fixture = new Fixture();
    const { cap, base } = fixture.makeMemory(MIB2);
    const modify = (flags: number, offset: bigint, size: bigint, error: ErrorName = 'OK') => fixture.rootCall('memextent_modify', { memextent: cap, flags, offset, size }, error);
    fixture.engine.memory.fill(pa(base), 8192, 0xaa);
    modify(0x8000_0001, KIB4, KIB4);
    assert.deepEqual([...fixture.engine.memory.read(pa(base), 4098).subarray(4095)], [0xaa, 0, 0]);
    modify(1, 0n, KIB4, 'ARGUMENT_INVALID');
    modify(0x8000_00ff, 0n, 0n, 'ARGUMENT_INVALID');
    modify(0xff, 0n, 0n);
    modify(4, 0n, 0n, 'ARGUMENT_INVALID');
    modify(0x8000_0002, 0n, 0n, 'ARGUMENT_SIZE');
    modify(0x8000_0002, 1n, KIB4, 'ARGUMENT_ALIGNMENT');
    modify(0x8000_0002, 0n, 1n << 40n, 'ARGUMENT_INVALID');
  });
});

describe('proxy ranges and info areas', () => {
  it('have the errors of the API', () => {
    const fixture = new Fixture();
    const addrspace = fixture.create('addrspace');
    const vmmio = (vbase: bigint, size: bigint, op: number, error: ErrorName = 'OK') => fixture.rootCall('addrspace_configure_vmmio', { addrspace, vbase, size, op }, error);
    vmmio(0n, 0n, 0, 'ARGUMENT_SIZE');
    vmmio(0xffff_ffff_ffff_ffffn, 2n, 0, 'ADDR_OVERFLOW');
    vmmio(0n, 1n, 2, 'UNIMPLEMENTED');
    vmmio(0xffff_ffff_ffff_ffffn, 1n, 0, 'ADDR_OVERFLOW');
    vmmio(1n << 52n, 1n, 0, 'ARGUMENT_SIZE');
    for (let n = 0n; n < 127n; n++) vmmio(n * KIB4, KIB4, 0);
    vmmio(5n, 1n, 0, 'BUSY');
    vmmio(127n * KIB4, KIB4, 0);
    vmmio(5n, 1n, 0, 'NORESOURCES');
    vmmio(0n, 1n, 1, 'BUSY');
    vmmio(0n, KIB4, 1);
    const parent = fixture.makeMemory(MIB2).cap;
    fixture.rootCall('addrspace_configure_info_area', { addrspace, info_area_me: parent, ipa: 0n }, 'ARGUMENT_INVALID');
    const page = fixture.create('memextent');
    fixture.rootCall('memextent_configure_derive', { memextent: page, parent_memextent: parent, offset: 0n, size: KIB4, attributes: 6 });
    fixture.activate(page);
    fixture.rootCall('addrspace_configure_info_area', { addrspace, info_area_me: page, ipa: 1n }, 'ADDR_INVALID');
    fixture.rootCall('addrspace_configure_info_area', { addrspace, info_area_me: page, ipa: 0n });
    fixture.rootCall('addrspace_configure', { addrspace, vmid: 77 });
    fixture.activate(addrspace);
    const child = fixture.create('memextent');
    fixture.rootCall('memextent_configure_derive', { memextent: child, parent_memextent: page, offset: 0n, size: KIB4, attributes: 4 });
    fixture.activate(child, 'BUSY');
    fixture.hypervisor.checkInvariants();
  });
});

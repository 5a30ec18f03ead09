/**
 * A machine for tests of single hypercalls: one VM, the manager, that may do everything, and factories for objects that it makes by its own calls.
 * Every call goes through registers, on the native path or by SMCCC; what the path promises about registers, and the hypervisor's invariants, are
 * checked after each.
 */

import assert from 'node:assert/strict';
import { type CapId, capId } from '../../../runtime/base/brands';
import { ERRORS } from '../../../runtime/hypervisor/errors';
import { ARGUMENT_TYPES, type Hypercall, HYPERCALLS, type HypercallName, type ObjectType } from '../../../runtime/hypervisor/hypercall-table';
import { allRights } from '../../../runtime/hypervisor/rights';
import type { Thread } from '../../../runtime/hypervisor/hypervisor';
import { Fixture } from '../fixture';

/** How a call comes in. */
export type Path = 'native' | 'smccc';
/** Named arguments. */
export type Arguments = Readonly<Record<string, bigint | number>>;
/** What a call answers: the error by name, results by name. */
export interface Answer { readonly error: string; readonly values: Readonly<Record<string, bigint>> }

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
/** An identifier that does not decode: slots end at 61. */
export const UNDECODABLE = 62n;
/** The first slot of the last table, which does not exist. */
export const EMPTY_SLOT = 231n << 8n;
const PAGE = 0x1000n;
const NAMES = new Map<number, string>(Object.entries(ERRORS).map(([name, value]): [number, string] => [value, name]));
/** What registers hold that a call must leave alone. */
const MARK = 0xfeed_0000n;

/** Types that a VM can make. */
export type MadeType = 'cspace' | 'addrspace' | 'memextent' | 'thread' | 'doorbell' | 'msgqueue' | 'vic' | 'vpm_group' | 'virtio_mmio' | 'watchdog';

/** Makes the one call of a test, and what it needs, as the manager VM. */
export class World {
  readonly fixture: Fixture;
  readonly manager: Thread;
  readonly partition: CapId;
  readonly cspace: CapId;
  /** A sparse extent over 12 MiB of RAM. */
  readonly memory: CapId;
  readonly memoryBase: bigint;
  /** 64 pages that no extent owns. */
  readonly ownerlessBase: bigint;
  /** Forwardable lines: a shared one and a private one. */
  readonly hwirq: CapId;
  readonly privateHwirq: CapId;
  readonly ownVcpu: CapId;
  readonly ownAddrspace: CapId;
  readonly ownVic: CapId;
  path: Path = 'native';
  /** What a sample leaves for its check. */
  stock: Readonly<Record<string, bigint>> = {};
  private nextPage = 0n;
  private nextOwnerless = 0n;
  private nextVmid = 40;

  constructor(options: ConstructorParameters<typeof Fixture>[0] = {}) {
    const fixture = new Fixture({ maxCaps: 4000, vcpuCountMax: 96, ...options });
    this.fixture = fixture;
    const vm = fixture.makeVm();
    fixture.powerOn(vm);
    this.manager = vm.thread;
    const { environment } = fixture.root;
    const memory = fixture.makeMemory(0xc0_0000n);
    this.memoryBase = memory.base;
    this.ownerlessBase = fixture.takeBase(64n * PAGE);
    fixture.rootCall('memextent_donate', { options: 1, from: environment.memoryExtent, to: environment.partition, offset: this.ownerlessBase - environment.memoryBase, size: 64n * PAGE });
    const give = (cap: CapId, type: ObjectType): CapId => fixture.give(vm, cap, allRights(type));
    this.partition = give(environment.partition, 'partition');
    this.cspace = give(vm.cspace, 'cspace');
    this.memory = give(memory.cap, 'memextent');
    const line = (intid: number): CapId => give(environment.hardwareInterrupts.get(intid) ?? capId(0n), 'hwirq');
    this.hwirq = line(33);
    this.privateHwirq = line(20);
    this.ownVcpu = give(vm.vcpu, 'thread');
    this.ownAddrspace = give(vm.addrspace, 'addrspace');
    this.ownVic = give(vm.vic, 'vic');
    // The root VM sees all memory; here only what a test maps is to be mapped.
    this.do('memextent_modify', { memextent: this.memory, flags: 0 });
  }

  /** A call on the path of the test. Arguments by name; reserved ones have the value that they must have. */
  call(name: HypercallName, args: Arguments = {}, path = this.path): Answer {
    const row: Hypercall = HYPERCALLS[name];
    assert.ok(row.number !== null, `${name} has a number`);
    for (const given of Object.keys(args)) assert.ok(row.inputs.some((input) => input.name === given), `${name} has an argument ${given}`);
    const inputs = row.inputs.map((input) => BigInt.asUintN(64, BigInt(args[input.name] ?? input.mustBe ?? 0)));
    const before = path === 'native' ? inputs : [BigInt(0xc600_8000 + row.number), ...inputs];
    while (before.length < 18) before.push(MARK + BigInt(before.length));
    const after = this.fixture.hvc(this.manager, path === 'native' ? 0x6000 + row.number : 0, ...before);
    this.checkRegisters(row, path, { before, after });
    this.fixture.hypervisor.checkInvariants();
    const hasError = row.outputs[0]?.name === 'error';
    const code = hasError ? Number(BigInt.asIntN(32, after[0] ?? 0n)) : 0;
    return { error: NAMES.get(code) ?? `error ${String(code)}`, values: Object.fromEntries(row.outputs.map(({ name: output }, n) => [output, after[n] ?? 0n])) };
  }

  /** A call that does not return. */
  callWithoutAnswer(name: HypercallName, args: Arguments): Answer {
    const row: Hypercall = HYPERCALLS[name];
    const inputs = row.inputs.map((input) => BigInt(args[input.name] ?? input.mustBe ?? 0));
    if (this.path === 'native') this.fixture.native(this.manager, name, ...inputs);
    else this.fixture.smccc(this.manager, 0xc600_8000 + (row.number ?? 0), ...inputs);
    this.fixture.hypervisor.checkInvariants();
    return { error: 'OK', values: {} };
  }

  /** A call that must succeed; answers its results. */
  do(name: HypercallName, args: Arguments = {}): Readonly<Record<string, bigint>> {
    const { error, values } = this.call(name, args, 'native');
    assert.equal(error, 'OK', `${name} as a preparation`);
    return values;
  }

  /** A new object in state INIT, not configured. */
  create(type: MadeType): CapId {
    const name = `partition_create_${type}` as const;
    return capId(this.do(name, { src_partition: this.partition, cspace: this.cspace })['new_cap'] ?? 0n);
  }

  /** A new object in state INIT, configured so that it can be activated. */
  prepared(type: MadeType): CapId {
    const cap = this.create(type);
    switch (type) {
      case 'cspace': this.do('cspace_configure', { cspace: cap, max_caps: 8 }); break;
      case 'addrspace': this.do('addrspace_configure', { addrspace: cap, vmid: this.nextVmid++ }); break;
      case 'memextent': this.derive(cap, this.memory, [this.takePages(1n), PAGE], 0x7); break;
      case 'thread': this.attachThread(cap); break;
      case 'msgqueue': this.do('msgqueue_configure', { msgqueue: cap, create_info: (64n << 16n) | 4n }); break;
      case 'vic': this.do('vic_configure', { vic: cap, max_vcpus: 2, max_virqs: 64, vic_options: 2n, max_msis: 0 }); break;
      case 'virtio_mmio': this.do('virtio_mmio_configure', { virtio_mmio: cap, memextent: this.active('memextent'), vqs_num: 2, flags: 1n << 6n, device_type: 18 }); break;
      case 'doorbell': case 'vpm_group': case 'watchdog': break;
    }
    return cap;
  }

  /** A new active object. */
  active(type: MadeType): CapId {
    const cap = this.prepared(type);
    this.do('object_activate', { cap });
    return cap;
  }

  /** An object whose activation failed. Types that need no configuration cannot fail. */
  failed(type: MadeType): CapId {
    const cap = this.create(type);
    assert.notEqual(this.call('object_activate', { cap }, 'native').error, 'OK', `an unconfigured ${type} does not activate`);
    return cap;
  }

  /** Defines an extent as a window (offset and size) of another. */
  derive(memextent: CapId, parent_memextent: CapId, [offset, size]: readonly [bigint, bigint], attributes: number): void {
    this.do('memextent_configure_derive', { memextent, parent_memextent, offset, size, attributes });
  }

  /** An active sparse extent that owns its pages; offset in `memory`. */
  sparse(pageCount: bigint, attributes = 0x1_0007, parent = this.memory, offset = this.takePages(pageCount)): CapId {
    const cap = this.create('memextent');
    this.derive(cap, parent, [offset, pageCount * PAGE], attributes);
    this.do('object_activate', { cap });
    this.do('memextent_donate', { options: 0, from: parent, to: cap, offset: 0n, size: pageCount * PAGE });
    return cap;
  }

  /** An active basic extent. */
  basic(pageCount: bigint, attributes = 0x7, parent = this.memory, offset = this.takePages(pageCount)): CapId {
    const cap = this.create('memextent');
    this.derive(cap, parent, [offset, pageCount * PAGE], attributes);
    this.do('object_activate', { cap });
    return cap;
  }

  /** Pages of `memory` that no other object of this world has, as an offset. */
  takePages(count: bigint): bigint {
    const offset = this.nextPage * PAGE;
    this.nextPage += count;
    return offset;
  }

  /** A page that no extent owns, as a physical address. */
  takeOwnerless(): bigint {
    return this.ownerlessBase + this.nextOwnerless++ * PAGE;
  }

  /** A copy of a capability in the manager's own cspace. */
  copy(cap: CapId, rights: number): CapId {
    return capId(this.do('cspace_copy_cap_from', { src_cspace: this.cspace, src_cap: cap, dest_cspace: this.cspace, rights_mask: rights })['new_cap'] ?? 0n);
  }

  /** A capability that has been revoked. */
  revoked(): CapId {
    const master = this.create('doorbell');
    const copy = this.copy(master, 7);
    this.do('cspace_revoke_caps_from', { src_cspace: this.cspace, master_cap: master });
    return copy;
  }

  /** A vCPU's attachments: a new cspace, address space, interrupt controller and power group, on no CPU. */
  attachThread(thread: CapId, vic = this.active('vic')): void {
    this.do('cspace_attach_thread', { cspace: this.active('cspace'), thread });
    this.do('addrspace_attach_thread', { addrspace: this.active('addrspace'), thread });
    this.do('vic_attach_vcpu', { vic, vcpu: thread, index: 0 });
    this.do('vpm_group_attach_vcpu', { vpm_group: this.active('vpm_group'), vcpu: thread, index: 0 });
  }

  /** An interrupt controller to which the private line is forwarded as number 20. */
  bindPrivate(): CapId {
    const vic = this.active('vic');
    this.do('hwirq_unbind_virq', { hwirq: this.privateHwirq });
    this.do('hwirq_bind_virq', { hwirq: this.privateHwirq, vic, virq: 20 });
    return vic;
  }

  /** Rights of a capability of the manager, as the debugger sees them. */
  rightsOf(cap: bigint): number {
    return this.rowOf(this.manager.cspace?.header.id ?? 0, cap).rightsMask;
  }

  /** State of the object that a capability in a cspace of the manager names. */
  stateOf(cspace: bigint | number, cap: bigint): string {
    const inner = this.rowOf(this.manager.cspace?.header.id ?? 0, BigInt(cspace)).objectId;
    const { objectId } = this.rowOf(inner, cap);
    return this.fixture.hypervisor.inspect.objects().find(({ id }) => id === objectId)?.state ?? 'gone';
  }

  /** How many objects live. */
  objectCount(): number {
    return this.fixture.hypervisor.inspect.objects().length;
  }

  /** The thread that a call of the manager has just made: the newest. */
  newestThread(): Thread {
    const { threads } = this.fixture.hypervisor;
    const newest = threads[threads.length - 1];
    assert.ok(newest);
    return newest;
  }

  /** Takes all of the heap that ordinary requests may take; places that are kept free meanwhile make it the memory that is short, not slots. */
  drain(): void {
    const { partition, cspace } = this.fixture.root.environment;
    const addrspace = this.fixture.create('addrspace');
    const spare = Array.from({ length: 40 }, () => this.fixture.rootCall('cspace_copy_cap_from', { src_cspace: cspace, src_cap: partition, dest_cspace: cspace, rights_mask: 1 })['new_cap'] ?? 0n);
    for (const type of ['vic', 'cspace', 'doorbell'] as const) {
      const make = () => this.fixture.root.hypercall(`partition_create_${type}`, { src_partition: partition, cspace }).error;
      while (make() === 0 || (type === 'doorbell' && spare.length > 0)) if (type === 'doorbell') this.fixture.rootCall('cspace_delete_cap_from', { cspace, cap: spare.pop() ?? 0n });
      assert.equal(make(), ERRORS.NOMEM);
    }
    let vbase = 0n;
    while (this.fixture.root.hypercall('addrspace_configure_vmmio', { addrspace, vbase, size: 1n, op: 0 }).error === 0) vbase++;
  }

  /** Writes words to the manager's RAM and answers the address. */
  put(address: bigint, bytes: Uint8Array): bigint {
    for (const [n, byte] of bytes.entries()) this.fixture.engine.memory.write(this.physical(address + BigInt(n)), Uint8Array.of(byte));
    return address;
  }

  /** Bytes of the manager's RAM. */
  get(address: bigint, count: number): number[] {
    return [...this.fixture.engine.memory.read(this.physical(address), count)];
  }

  private rowOf(cspace: number, cap: bigint): ReturnType<Fixture['hypervisor']['inspect']['capabilities']>[number] {
    const found = this.fixture.hypervisor.inspect.capabilities(cspace).find(({ capId: id }) => id === cap);
    assert.ok(found, 'the capability is there');
    return found;
  }

  private physical(address: bigint): Parameters<Fixture['engine']['memory']['read']>[0] {
    const walk = this.fixture.engine.translate(this.manager.engineVcpu ?? 0, this.fixture.ipa(address), 2);
    assert.ok(walk.ok, 'the manager has RAM there');
    return walk.pa;
  }

  private checkRegisters(row: Hypercall, path: Path, { before, after }: { readonly before: readonly bigint[]; readonly after: readonly bigint[] }): void {
    const isEmpty = row.status === 'documented_only' || row.status === 'not_in_qemu_build';
    const written = isEmpty && !this.fixture.isWatchdogOn ? 1 : row.outputs.length;
    row.outputs.slice(0, written).forEach(({ type, name }, n) => {
      const width = name === 'error' ? 64 : ARGUMENT_TYPES[type];
      assert.equal(BigInt.asUintN(width, after[n] ?? 0n), after[n], `X${String(n)} has no bits beyond its type`);
    });
    if (path === 'smccc') {
      assert.deepEqual(after.slice(written), before.slice(written), 'SMCCC writes declared results only');
      const code = BigInt.asIntN(32, after[0] ?? 0n);
      if (row.outputs[0]?.name === 'error') assert.equal(after[0], BigInt.asUintN(64, code), 'an error is sign-extended');
      return;
    }
    assert.deepEqual(after.slice(written, 8), Array.from({ length: 8 - written }, () => 0n), 'result registers without a result are zero');
    assert.equal(after[8], before[8], 'X8 is kept');
    assert.deepEqual(after.slice(10), Array.from({ length: 8 }, () => 0n), 'X10..X17 are zero');
  }
}

/** A world with a small heap, for cases that empty it. */
export function smallWorld(): World {
  return new World({ heapSize: 1 << 20 });
}

/** All-ones in 64 bits: an invalid capability, and the answer of empty slots. */
export const INVALID = ALL_ONES;

/**
 * The implementation and the specification side by side: the same operation on both, registers compared after each call, everything else
 * that can be told apart compared now and then.
 */

import assert from 'node:assert/strict';
import { type CapId, pa } from '../../../runtime/base/brands';
import { Fixture, type TestVm } from '../../hypervisor/fixture';
import { CAPABILITY_RULES } from './capability-rules';
import { compareStates, compareTables } from './compare-states';
import { DEVICE_RULES } from './device-rules';
import { MEMORY_RULES, optionErrors } from './memory-rules';
import { holds, MESSAGE_RULES } from './message-rules';
import type { Landscape, Operation } from './operations';
import type { Arguments, CallerMemory, Rule } from './rules';
import { E, SIGNATURES, type CallName, type Signature } from './signatures';
import { type Addrspace, type Cspace, type Extent, type Hwirq, type Vic } from './things';
import { VCPU_RULES, wouldRun } from './vcpu-rules';
import { answer, type Verdict, WorldState } from './world-state';

const RULES: Readonly<Record<CallName, Rule>> = { ...CAPABILITY_RULES, ...MESSAGE_RULES, ...MEMORY_RULES, ...VCPU_RULES, ...DEVICE_RULES };
const RAM_IPA = 0x8000_0000n;
const RAM_SIZE = 0x10_0000n;
const CAPS_PER_VM = 64;
const POOL_PAGES = 48;
const FREE_PAGES = 32;
const FIRST_VIRQ = 32;
const VIRQS = 12;
const LARGEST_MESSAGE = 1023;
/** Which argument says where a message is. */
const BUFFER_ARGUMENTS: Partial<Record<CallName, number>> = { msgqueue_send: 2, msgqueue_receive: 1, virtio_input_set_data: 4 };
/** Shared lines of the platform's interrupt controller: each is of two VMs. */
const LINES = [33, 34];
/** Pages for devices that the VMs share, and the rights of each VM to them. */
const DEVICE_PAGES = 3;
const PAGE_RIGHTS = [0x1f, 0x0f, 0x0c];
/** Rights of the three VMs to the next one's capability space and to the shared extent. */
const NEIGHBOUR_RIGHTS = [0x17, 0x05, 0x03];
const POOL_RIGHTS = [0x1f, 0x1b, 0x09];

/** One VM on both sides. */
interface Guest { readonly real: TestVm; readonly cspace: Cspace; readonly addrspace: Addrspace; readonly vic: Vic }

/** What a mismatch says. */
export class Mismatch extends Error {}

/** Both worlds. */
export class Pair {
  readonly world = new WorldState();
  readonly fixture = new Fixture({ heapSize: 12 * 1024 * 1024 });
  readonly land: Landscape;
  /** The parent of what the VMs are given, the root VM's: outside of the model, so that donations to and from it have no partner here. */
  private readonly outside = Object.assign(this.world.add('memextent', true), { state: 'active' as const, first: 0, count: 1 << 30, access: 7, isSparse: true });
  readonly guests: readonly Guest[];
  /** The implementation's object of each of the specification's, once it has been seen. */
  readonly counterparts = new Map<number, number>();
  calls = 0;
  /** How often each call gave each answer: `name error`. */
  readonly answers: Map<string, number>;
  /** Interrupts that the call in progress has asserted at the VMs' own controllers. */
  private asserted: string[] = [];
  private readonly pool: { readonly real: CapId; readonly model: Extent };
  private readonly pages: readonly { readonly real: CapId; readonly model: Extent }[];
  private readonly heapAtStart: string;
  private readonly lines = new Map<number, Hwirq>();

  constructor(answers = new Map<string, number>()) {
    this.answers = answers;
    this.world.memory = this.fixture.hypervisor.inspect.ownership().map(({ base, sizeBytes }) => ({ first: Number(base >> 12n), end: Number((base + sizeBytes) >> 12n) }));
    this.pool = this.makePool();
    this.pages = Array.from({ length: DEVICE_PAGES }, () => this.makePage());
    const freePage = this.freePartitionPages();
    this.guests = [0, 1, 2].map((n) => this.makeGuest(n));
    this.heapAtStart = this.heap();
    this.guests.forEach((guest, n) => { this.endow(guest, n); });
    this.world.foreignVmids.push(255);
    this.world.traceClasses = this.fixture.native(this.guests[0]?.real.thread ?? assert.fail(), 'trace_update_class_flags', 0n, 0n)[1] ?? 0n;
    this.land = {
      cspaces: this.guests.map(({ cspace }) => cspace), buffer: RAM_IPA + 0x1000n, ramEnd: RAM_IPA + RAM_SIZE, freePage, freeCount: FREE_PAGES + 2, vmids: [10, 11, 12],
      firstVirq: FIRST_VIRQ, virqCount: VIRQS, ipaPage: 0x10_0000, ipaCount: 96,
    };
    this.fixture.trace.length = 0;
    this.compare();
  }

  /** Does an operation on both sides. */
  perform(operation: Operation): void {
    this.world.begin();
    if (operation.kind === 'quiet') this.quiet(operation.vm, operation.virq);
    else if (operation.kind === 'trigger') this.configure(operation.vm, operation.virq, operation.isEdge);
    else this.call(operation);
  }

  /** Compares everything that is not seen in registers, and has the implementation check itself. */
  compare(): void {
    this.fixture.hypervisor.checkInvariants();
    compareStates(this);
    compareTables(this);
  }

  /** The same without stage-2 tables, which take the most time. */
  compareObjects(): void {
    compareStates(this);
  }

  /** Takes everything away again: what the heap gave must be back, unless a circle of capability spaces keeps itself alive. */
  finish(): void {
    this.compare();
    const { fixture, world } = this;
    for (const { real, cspace } of this.guests) {
      for (const [at] of [...cspace.slots].sort(([a], [b]) => a - b)) {
        fixture.rootCall('cspace_delete_cap_from', { cspace: real.cspace, cap: BigInt((Math.floor(at / 62) << 8) | at % 62) });
        cspace.slots.delete(at);
        world.begin();
        world.collect();
        this.settle();
      }
    }
    world.begin();
    for (const { real, model } of [this.pool, ...this.pages]) {
      for (const group of model.groups) group.pages.clear();
      fixture.rootCall('memextent_modify', { memextent: real, flags: 0, offset: 0n, size: 0n });
    }
    for (const { addrspace } of this.guests) addrspace.table.clear();
    for (const { real, addrspace } of this.guests) for (const { base, size } of addrspace.emulated) fixture.rootCall('addrspace_configure_vmmio', { addrspace: real.addrspace, vbase: base, size, op: 1 });
    const isCircle = [...world.things.values()].some((thing) => !thing.isPermanent);
    if (!isCircle) assert.equal(this.heap(), this.heapAtStart, 'the heap has all its memory back');
    this.fixture.hypervisor.checkInvariants();
  }

  private call({ vm, path, name, args, fill }: Operation & { readonly kind: 'call' }): void {
    const guest = this.guests[vm];
    assert.ok(guest !== undefined);
    if (name === 'vcpu_run' && wouldRun(this.world, guest.cspace, args[0] ?? 0n)) return;
    this.calls++;
    const signature: Signature = SIGNATURES[name];
    const memory = new Buffers(this, guest, fill);
    const real = () => this.callReal(guest, path, signature, args);
    const buffer = BUFFER_ARGUMENTS[name];
    if (buffer !== undefined) memory.prepare(args[buffer] ?? 0n);
    const seen = real();
    const verdict = this.judge(guest, { path, name, args }, memory);
    this.compareRegisters(path, signature, { args, seen, verdict });
    const key = `${name} ${String(BigInt.asIntN(32, seen[0] ?? 0n))}`;
    this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
    memory.check();
    this.settle();
    this.compareEdges();
  }

  private judge(guest: Guest, call: { readonly path: string; readonly name: CallName; readonly args: readonly bigint[] }, memory: CallerMemory): Verdict {
    const signature: Signature = SIGNATURES[call.name];
    if (call.path === 'native' && signature.reserved !== undefined && call.args[signature.inputs.length] !== signature.reserved) {
      return answer(E.ARGUMENT_INVALID);
    }
    const none = { flags: 0n, options: 0n, attrs: 0n };
    const args = { ...none, ...Object.fromEntries(signature.inputs.map(([name, bits], n) => [name, BigInt.asUintN(bits, call.args[n] ?? 0n)])) } as Arguments;
    const verdict = RULES[call.name](this.world, guest.cspace, args, memory);
    return verdict.errors.includes(E.OK) ? verdict : { ...verdict, errors: [...verdict.errors, ...optionErrors(call.name, args)] };
  }

  private callReal({ real }: Guest, path: 'native' | 'smccc', signature: Signature, args: readonly bigint[]): readonly bigint[] {
    const vcpu = this.fixture.vcpu(real.thread);
    const given = registersBefore(path, signature, args);
    given.forEach((value, n) => { vcpu.setX(n, value); });
    this.fixture.trace.length = 0;
    this.asserted = [];
    this.fixture.hypervisor.handleExit(real.thread, { reason: 'hvc', immediate: path === 'native' ? 0x6000 + signature.number : 0 });
    return Array.from({ length: 20 }, (_, n) => (n === 19 ? vcpu.pc : vcpu.x(n)));
  }

  private compareRegisters(path: 'native' | 'smccc', signature: Signature, { args, seen, verdict }: { readonly args: readonly bigint[]; readonly seen: readonly bigint[]; readonly verdict: Verdict }): void {
    const error = verdict.errors.find((one) => BigInt.asIntN(32, seen[0] ?? 0n) === BigInt(one)) ?? verdict.errors[0] ?? 0;
    const wanted = registersBefore(path, signature, args);
    wanted[0] = BigInt.asUintN(path === 'native' && signature.isAbsent !== true ? 32 : 64, BigInt(error));
    signature.outputs.forEach((output, n) => { wanted[n + 1] = verdict.outputs[output] ?? 0n; });
    if (path === 'native') {
      for (let n = signature.outputs.length + 1; n < 8; n++) wanted[n] = 0n;
      wanted[9] = seen[19] ?? 0n;
      for (let n = 10; n < 18; n++) wanted[n] = 0n;
    }
    for (let n = 0; n < wanted.length; n++) {
      if (wanted[n] !== seen[n]) throw new Mismatch(`X${String(n)} is ${hex(seen[n])}, ${hex(wanted[n])} by the specification (errors ${verdict.errors.join(' or ')})`);
    }
  }

  /** Every interrupt that was asserted has a reason, and every reason asserted one. */
  private compareEdges(): void {
    const seen = this.asserted;
    const known = new Set(this.guests.map(({ vic }) => vic.id));
    const wanted = this.world.edges.filter(({ vic }) => known.has(vic)).map(({ vic, virq }) => `${String(vic)}:${String(virq)}`);
    if (seen.sort().join() !== wanted.sort().join()) throw new Mismatch(`interrupts asserted: ${seen.join() || 'none'}, by the specification ${wanted.join() || 'none'}`);
  }

  /** Where the specification leaves open which of several entries stays, takes over what is there if it is one of them. */
  private settle(): void {
    for (const { addrspace, ipa, values } of this.world.contested.values()) {
      const space = this.world.things.get(addrspace);
      if (space?.kind !== 'addrspace' || space.state !== 'active') continue;
      const now = space.table.get(ipa);
      const run = this.fixture.hypervisor.inspect.mappings(space.vmid).find((row) => BigInt(ipa) << 12n >= row.ipa && BigInt(ipa) << 12n < row.ipa + row.sizeBytes);
      if (now === undefined) continue;
      const seen = run && { page: Number((run.pa - run.ipa) >> 12n) + ipa, attributes: (run.attributes.memoryType << 16) | (run.attributes.kernel << 4) | run.attributes.user };
      if (seen === undefined && values.includes(undefined)) {
        space.table.delete(ipa);
        continue;
      }
      const match = values.find((value) => value !== undefined && value.page === seen?.page && value.attributes === seen.attributes);
      if (match === undefined) throw new Mismatch(`address space ${String(addrspace)} page ${ipa.toString(16)} shows ${JSON.stringify(seen)}, none of ${JSON.stringify(values)}`);
      space.table.set(ipa, match);
    }
  }

  /** A guest clears what is pending of one of its interrupts (GICD_ICPENDR). */
  private quiet(vm: number, virq: number): void {
    const guest = this.guests[vm];
    assert.ok(guest !== undefined);
    const accepted = guest.real.thread.vic?.object.vic.model?.writeDistributor(0, { offset: 0x280 + (virq >>> 5) * 4, sizeBytes: 4, value: 1n << BigInt(virq & 31) });
    assert.equal(accepted, true);
    const line = this.world.line(guest.vic, virq);
    // The real hypervisor looks at the source when it takes a level back; one of doorbells and queues that was asserted since the guest took it last counts as asserted once more.
    const isReasserted = line.latch && ['bell', 'send', 'receive'].includes(line.source?.end ?? '');
    if (line.level && !isReasserted && !holds(this.world, line)) line.level = false;
    line.latch = false;
  }

  /** A guest chooses the trigger of one of its interrupts by the register that has those of sixteen (GICD_ICFGR); one of a vCPU's end is an edge after every write. */
  private configure(vm: number, virq: number, isEdge: boolean): void {
    const guest = this.guests[vm];
    assert.ok(guest !== undefined);
    const gic = guest.real.thread.vic?.object.vic.model;
    const at = { offset: 0xc00 + (virq >>> 4) * 4, sizeBytes: 4 };
    const bit = 2n << BigInt((virq & 15) * 2);
    const before = gic?.readDistributor(0, at.offset, at.sizeBytes) ?? 0n;
    assert.equal(gic?.writeDistributor(0, { ...at, value: isEdge ? before | bit : before & ~bit }), true);
    this.world.line(guest.vic, virq).isEdge = isEdge;
    for (const [other, line] of guest.vic.lines) if (other >>> 4 === virq >>> 4 && line.source?.end === 'halt') line.isEdge = true;
  }

  private makePool(): Pair['pool'] {
    const { cap, base } = this.fixture.makeMemory(BigInt(POOL_PAGES) << 12n);
    const model = Object.assign(this.world.add('memextent', true), { state: 'active' as const, first: Number(base >> 12n), count: POOL_PAGES, access: 7, isSparse: true });
    model.parent = this.outside.id;
    // The root VM's memory is mapped in its own address space, and a derived extent inherits that: out with it.
    this.fixture.rootCall('memextent_modify', { memextent: cap, flags: 0, offset: 0n, size: 0n });
    for (let page = model.first; page < model.first + model.count; page++) this.world.owners.set(page, model.id);
    this.tag(model.first, model.count);
    return { real: cap, model };
  }

  /** A basic extent of one page. */
  private makePage(): Pair['pages'][number] {
    const { environment } = this.fixture.root;
    const base = this.fixture.takeBase(0x1000n);
    const cap = this.fixture.create('memextent');
    this.fixture.rootCall('memextent_configure_derive', { memextent: cap, parent_memextent: environment.memoryExtent, offset: base - environment.memoryBase, size: 0x1000n, attributes: 7 });
    this.fixture.activate(cap);
    this.fixture.rootCall('memextent_modify', { memextent: cap, flags: 0, offset: 0n, size: 0n });
    const model = Object.assign(this.world.add('memextent', true), { state: 'active' as const, first: Number(base >> 12n), count: 1, access: 7, isSparse: false });
    model.parent = this.outside.id;
    this.world.owners.set(model.first, model.id);
    this.tag(model.first, 1);
    return { real: cap, model };
  }

  /** Pages that belong to nobody but the partition, for root extents. */
  private freePartitionPages(): number {
    const { environment } = this.fixture.root;
    const base = this.fixture.takeBase(BigInt(FREE_PAGES) << 12n);
    const first = Number(base >> 12n);
    this.fixture.rootCall('memextent_donate', { options: 1, from: environment.memoryExtent, to: environment.partition, offset: base - environment.memoryBase, size: BigInt(FREE_PAGES) << 12n });
    for (let page = first; page < first + FREE_PAGES; page++) this.world.owners.set(page, this.world.partition);
    this.tag(first, FREE_PAGES);
    return first;
  }

  private tag(first: number, count: number): void {
    for (let page = first; page < first + count; page++) {
      this.fixture.engine.memory.writeU64(pa(BigInt(page) << 12n), BigInt(page));
      this.world.contents.set(page, page);
    }
  }

  private makeGuest(n: number): Guest {
    const real = this.fixture.makeVm({ vmid: 10 + n, cpu: n % 2 });
    this.fixture.powerOn(real);
    const cspace = Object.assign(this.world.add('cspace', true), { state: 'active' as const, limit: CAPS_PER_VM });
    const addrspace = Object.assign(this.world.add('addrspace', true), { state: 'active' as const, vmid: 10 + n });
    const vic = Object.assign(this.world.add('vic', true), { state: 'active' as const, vcpuCount: 2, virqCount: 64 });
    const gic = real.thread.vic?.object.vic.model;
    for (let virq = FIRST_VIRQ; virq < FIRST_VIRQ + VIRQS; virq++) this.world.line(vic, virq).isEdge = virq % 2 === 1;
    assert.equal(gic?.writeDistributor(0, { offset: 0xc08, sizeBytes: 4, value: 0x8888_8888n }), true);
    this.listen(real, vic);
    return { real, cspace, addrspace, vic };
  }

  /** The trace names a VM, and several controllers may be of one. */
  private listen(real: TestVm, { id }: Vic): void {
    const controller = real.thread.vic?.object.vic;
    assert.ok(controller !== undefined);
    const before = controller.onVirq;
    controller.onVirq = (event) => {
      if (event.action === 'asserted') this.asserted.push(`${String(id)}:${String(event.virq)}`);
      before?.(event);
    };
  }

  /** The capabilities that a VM starts with. */
  private endow(guest: Guest, n: number): void {
    const { environment } = this.fixture.root;
    const neighbour = this.guests[(n + 1) % this.guests.length] ?? guest;
    const thread = Object.assign(this.world.add('thread', true), { state: 'active' as const, isOff: false, affinity: n % 2, cspace: guest.cspace.id, addrspace: guest.addrspace.id, vic: { id: guest.vic.id, index: 0 } });
    const gifts: readonly (readonly [CapId, number, number])[] = [
      [environment.partition, this.world.partition, 3], [guest.real.cspace, guest.cspace.id, 0x8000_001f], [neighbour.real.cspace, neighbour.cspace.id, NEIGHBOUR_RIGHTS[n] ?? 1],
      [guest.real.addrspace, guest.addrspace.id, 0xf], [guest.real.vic, guest.vic.id, 7], [guest.real.vcpu, thread.id, 0x120], [this.pool.real, this.pool.model.id, POOL_RIGHTS[n] ?? 1],
      [neighbour.real.addrspace, neighbour.addrspace.id, 6], ...this.pages.map(({ real, model }) => [real, model.id, PAGE_RIGHTS[n] ?? 4] as const),
    ];
    for (const [cap, object, rights] of gifts) {
      this.fixture.give(guest.real, cap, rights);
      this.world.insert(guest.cspace, { object, rights, isMaster: false, isRevoked: false });
    }
    for (const [at, intid] of LINES.entries()) if (n !== at) this.giveLine(guest, intid);
  }

  /** A line of the platform's interrupt controller. */
  private giveLine(guest: Guest, intid: number): void {
    const cap = this.fixture.root.environment.hardwareInterrupts.get(intid);
    assert.ok(cap !== undefined);
    let line = this.lines.get(intid);
    if (line === undefined) {
      line = this.world.add('hwirq', true);
      line.state = 'active';
      this.lines.set(intid, line);
    }
    this.fixture.give(guest.real, cap, 2);
    this.world.insert(guest.cspace, { object: line.id, rights: 2, isMaster: false, isRevoked: false });
  }

  private heap(): string {
    const saved = this.fixture.hypervisor.save().kernel.objects.find(({ type }) => type === 'partition');
    assert.ok(saved?.type === 'partition');
    return `${String(saved.body.bytes)} bytes, ${String(saved.body.used.reduce((sum, used) => sum + used, 0))} pages`;
  }
}

/** A caller's message buffers: known bytes before a call, and what must stand there afterwards. */
class Buffers implements CallerMemory {
  private readonly pair: Pair;
  private readonly guest: Guest;
  private readonly fill: number;
  private at: bigint | undefined;
  private expected: Uint8Array | undefined;

  constructor(pair: Pair, guest: Guest, fill: number) {
    this.pair = pair;
    this.guest = guest;
    this.fill = fill;
  }

  /** Writes a pattern where the message may be read from, and what shows stray writes behind it. */
  prepare(address: bigint): void {
    const room = this.room(address, LARGEST_MESSAGE + 8);
    if (room === 0) return;
    this.at = address;
    this.expected = this.pattern(room);
    this.pair.fixture.engine.memory.write(this.physical(address), this.expected);
  }

  read(address: bigint, size: number): Uint8Array | undefined {
    return this.room(address, size) < size ? undefined : this.pattern(size);
  }

  deliver(address: bigint, bytes: Uint8Array): boolean {
    if (this.room(address, bytes.length) < bytes.length) {
      // A copy that fails on a later page may have written the earlier one.
      this.expected = undefined;
      return false;
    }
    this.expected?.set(bytes);
    return true;
  }

  /** The buffer holds what it held, but for what was delivered. */
  check(): void {
    if (this.at === undefined || this.expected === undefined) return;
    const now = this.pair.fixture.engine.memory.read(this.physical(this.at), this.expected.length);
    if (!Buffer.from(now).equals(this.expected)) throw new Mismatch('the buffer holds other bytes than the specification says');
  }

  private pattern(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    for (let n = 0; n < size; n++) bytes[n] = ((this.fill + (n & ~3)) >>> ((n & 3) * 8)) & 0xff;
    return bytes;
  }

  /** Bytes of RAM from an address, up to a number. */
  private room(address: bigint, most: number): number {
    if (address < RAM_IPA || address >= RAM_IPA + RAM_SIZE) return 0;
    return Math.min(most, Number(RAM_IPA + RAM_SIZE - address));
  }

  private physical(address: bigint): ReturnType<typeof pa> {
    return pa(this.guest.real.memoryBase + (address - RAM_IPA));
  }
}

/** Registers before a call: arguments, and a value of its own in every other. */
function registersBefore(path: 'native' | 'smccc', signature: Signature, args: readonly bigint[]): bigint[] {
  const registers = Array.from({ length: 19 }, (_, n) => 0x5a5a_0000_0000_0000n + BigInt(n));
  if (path === 'smccc') registers[0] = 0xc600_8000n + BigInt(signature.number);
  args.forEach((value, n) => { registers[path === 'native' ? n : n + 1] = value; });
  return registers;
}

function hex(value: bigint | undefined): string {
  return value === undefined ? 'nothing' : `0x${value.toString(16)}`;
}


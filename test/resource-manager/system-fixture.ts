/**
 * A machine with the real hypervisor and Resource Manager for tests. VMs have no code: the test acts as the primary VM's vCPU, by hypercalls
 * through its registers and by loads and stores to its memory, so that RM sees nothing but what a guest can do.
 */

import assert from 'node:assert/strict';

import { capId, pa, ticks, virqNumber } from '../../runtime/base/brands';
import type { TraceEvent } from '../../runtime/base/trace-event';
import { compileDts, decodeDtb, hasErrors } from '../../runtime/devicetree';
import type { DeviceTree } from '../../runtime/devicetree';
import { createEngine, type Engine } from '../../runtime/engine';
import { type Hypercall, HYPERCALLS, type HypercallName } from '../../runtime/hypervisor/hypercall-table';
import { createHypervisor, type Hypervisor, type Thread } from '../../runtime/hypervisor/hypervisor';
import type { PlatformVm } from '../../runtime/hypervisor/interface';
import { TickEventQueue } from '../../runtime/machine/event-queue';
import { createResourceManager, RM_REQUESTS, type ResourceManager, type RmOptions } from '../../runtime/resource-manager';
import { decodePayload, encodePayload } from '../../runtime/resource-manager/message-codec';
import { RM_NOTIFICATIONS, type RmArguments, type RmNotificationName, type RmRequestName, type RmResults } from '../../runtime/resource-manager/message-table';
import { packetsOf, receivePacket, type RpcMessage, type RpcReceiver } from '../../runtime/resource-manager/rpc';

const RAM_BASE = 0x4000_0000n;
const RAM_SIZE = 64 * 1024 * 1024;
const HEAP_SIZE = 8 * 1024 * 1024;
const PRIVATE = RAM_BASE + 0x300_0000n;
const STORE = RAM_BASE + 0x310_0000n;
/** RAM of the primary VM, and where its device tree lies. */
export const PRIMARY_BASE = RAM_BASE;
export const PRIMARY_SIZE = 0x100_0000n;
export const PRIMARY_DTB = PRIMARY_BASE + 0x80_0000n;
const FREE_BASE = RAM_BASE + 0x200_0000n;
const FREE_SIZE = 0x100_0000n;
const BUFFER = PRIMARY_BASE + 0x10_0000n;

const SECONDARY_BUFFER = 0x8008_0000n;
const PRIMARY_DTS = '/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; chosen {}; };';

/** A secondary VM of the platform: its tree and where it wants its RAM. */
export interface SecondarySpec { readonly dts: string; readonly autostart?: boolean; readonly ramBase?: bigint; readonly ramSize?: bigint; readonly room?: bigint; readonly devices?: PlatformVm['devices'] }

/** What came out of RM's queue. */
export type Received = { readonly kind: string; readonly id: number; readonly sequence: number; readonly payload: Uint8Array };

/** Compiles a device tree that must be right. */
export function dtb(dts: string): Uint8Array {
  const compiled = compileDts(dts);
  assert.ok(!hasErrors(compiled.diagnostics), JSON.stringify(compiled.diagnostics));
  return compiled.bytes;
}

/** A platform with RM in the root VM; the test plays the primary VM. */
export class SystemFixture {
  readonly engine: Engine;
  readonly events = new TickEventQueue();
  readonly hypervisor: Hypervisor;
  readonly rm: ResourceManager;
  readonly trace: TraceEvent[] = [];
  private readonly receiver: RpcReceiver = { partial: null };
  private sequence = 0x100;
  private storeAt = STORE;
  private readonly damage: ((blob: Uint8Array) => void) | undefined;

  constructor(secondaries: readonly SecondarySpec[] = [], options: { readonly cpuCount?: number; readonly damage?: (blob: Uint8Array) => void; readonly rm?: RmOptions; readonly watchdog?: boolean; readonly identity?: 'gunyah' | 'gunyah-legacy'; readonly unwired?: readonly number[] } = {}) {
    this.rm = createResourceManager(options.rm);
    this.damage = options.damage;
    const cpuCount = options.cpuCount ?? 2;
    this.engine = createEngine({ ram: [{ base: pa(RAM_BASE), sizeBytes: RAM_SIZE }], vcpuCountMax: 16, counterShift: 4 });
    this.hypervisor = createHypervisor({
      engine: this.engine, events: this.events, cpuCount, trace: (event) => { this.trace.push(event); }, seed: 7,
      heap: { base: RAM_BASE + BigInt(RAM_SIZE - HEAP_SIZE), sizeBytes: BigInt(HEAP_SIZE) }, vcpuCountMax: 16, hardwareInterrupts: [33, 34],
      onPlatformPower: () => undefined, watchdog: options.watchdog ?? false, isNewer: options.rm?.profile === 'linux', identity: options.identity ?? 'gunyah', deviceAccess: (address, guest) => (guest.isWrite ? 0n : address & 0xffffn),
      spaceAccess: (_address, guest) => (guest.isWrite ? 0n : 0xffff_ffffn),
    });
    this.hypervisor.bootRootVm(this.rm, {
      privateBase: PRIVATE, privateSizeBytes: 0x10_0000n, freeRanges: [{ base: FREE_BASE, sizeBytes: FREE_SIZE }], bootCpu: 0, timerFrequencyHz: 62_500_000, unwiredInterrupts: options.unwired ?? [],
      vms: [this.primary(), ...secondaries.map((spec, index) => this.secondary(spec, index))],
    });
    this.settle();
  }

  private primary(): PlatformVm {
    const blob = dtb(PRIMARY_DTS);
    this.engine.memory.write(pa(PRIMARY_DTB), blob);
    return {
      name: 'primary', primary: true, vcpuCount: 1, ramBase: PRIMARY_BASE, ramSizeBytes: PRIMARY_SIZE, segments: [], entry: PRIMARY_BASE,
      deviceTree: { source: PRIMARY_DTB, sizeBytes: BigInt(blob.length), ipa: PRIMARY_DTB, roomBytes: 0x1_0000n },
      devices: [{ name: 'uart', ipa: 0x0900_0000n, pa: 0x0900_0000n, sizeBytes: 0x1000n, interrupt: virqNumber(33), hardwareInterrupt: 33 }, { name: 'slots', ipa: 0x0a00_0000n, pa: 0x0a00_0000n, sizeBytes: 0x4000n }], autostart: true,
    };
  }

  private secondary(spec: SecondarySpec, index: number): PlatformVm {
    const ramBase = spec.ramBase ?? 0x8000_0000n;
    const image = Uint8Array.of(1, 2, 3, 4, 5);
    const blob = dtb(spec.dts);
    this.damage?.(blob);
    return {
      name: `secondary${index}`, primary: false, vcpuCount: 1, ramBase, ramSizeBytes: spec.ramSize ?? 0x20_0000n,
      segments: [{ ipa: ramBase + 0x1_0000n, source: this.store(image), sizeBytes: BigInt(image.length) }], entry: ramBase + 0x1_0000n,
      deviceTree: { source: this.store(blob), sizeBytes: BigInt(blob.length), ipa: ramBase + 0x10_0000n, roomBytes: spec.room ?? 0x1_0000n },
      devices: spec.devices ?? [], autostart: spec.autostart ?? false,
    };
  }

  private store(bytes: Uint8Array): bigint {
    const at = this.storeAt;
    this.engine.memory.write(pa(at), bytes);
    this.storeAt += (BigInt(bytes.length) + 0xfffn) & ~0xfffn;
    return at;
  }

  /** Lets RM run until it waits. */
  settle(): void {
    for (let step = 0; step < 2000; step++) {
      const thread = this.hypervisor.pick(0);
      if (thread?.kind !== 'native') {
        // The primary VM has nothing to run here; it yields so that RM gets the CPU.
        if (thread === undefined || !this.rmIsReady()) return;
        const vcpu = this.engine.vcpu(thread.engineVcpu ?? 0);
        for (const register of [0, 1, 2]) vcpu.setX(register, 0n);
        this.hypervisor.handleExit(thread, { reason: 'hvc', immediate: 0x603b });
        continue;
      }
      this.advance(this.hypervisor.runNative(thread));
    }
    assert.fail('RM does not come to rest');
  }

  private rmIsReady(): boolean {
    return this.hypervisor.threads.some((thread) => thread.kind === 'native' && thread.blockReasons.length === 0);
  }

  private advance(by: number): void {
    this.events.advance(ticks(this.events.now + by));
  }

  thread(vmid: number): Thread {
    const thread = this.hypervisor.threads.find((candidate) => candidate.vmid === vmid);
    assert.ok(thread, `VM ${vmid} has a thread`);
    return thread;
  }

  /** A native hypercall of a VM's first vCPU; X0 to X4. */
  hypercall(vmid: number, name: HypercallName, ...args: readonly bigint[]): bigint[] {
    const thread = this.thread(vmid);
    assert.ok(thread.engineVcpu !== undefined);
    const vcpu = this.engine.vcpu(thread.engineVcpu);
    const row: Hypercall = HYPERCALLS[name];
    for (let n = 0; n < 8; n++) vcpu.setX(n, args[n] ?? row.inputs[n]?.mustBe ?? 0n);
    this.hypervisor.handleExit(thread, { reason: 'hvc', immediate: 0x6000 + (row.number ?? 0) });
    return Array.from({ length: 5 }, (_, n) => vcpu.x(n));
  }

  /** `HVC #0` of a VM's first vCPU with these registers from X0 on; X0 to X3 afterwards. */
  smccc(vmid: number, ...registers: readonly bigint[]): bigint[] {
    const thread = this.thread(vmid);
    const vcpu = this.engine.vcpu(thread.engineVcpu ?? 0);
    for (let n = 0; n < 8; n++) vcpu.setX(n, registers[n] ?? 0n);
    this.hypervisor.handleExit(thread, { reason: 'hvc', immediate: 0 });
    return Array.from({ length: 4 }, (_, n) => vcpu.x(n));
  }

  /** Lends the primary VM's CPU to a vCPU (vcpu_run) until the call returns; X0 to X3 then. */
  runVcpu(cap: bigint, ...resume: readonly bigint[]): bigint[] {
    const primary = this.thread(3);
    const vcpu = this.engine.vcpu(primary.engineVcpu ?? 0);
    const registers = [0xc600_8065n, cap, ...resume];
    for (let n = 0; n < 8; n++) vcpu.setX(n, registers[n] ?? 0n);
    this.hypervisor.handleExit(primary, { reason: 'hvc', immediate: 0 });
    for (let step = 0; step < 1000; step++) {
      const thread = this.hypervisor.pick(0);
      if (thread === undefined || thread === primary) break;
      if (thread.kind === 'native') this.advance(this.hypervisor.runNative(thread));
      else {
        const { retired, exit } = this.engine.run(thread.engineVcpu ?? 0, { budget: 1000, tickNow: this.events.now });
        this.advance(retired);
        this.hypervisor.handleExit(thread, exit);
      }
    }
    return Array.from({ length: 4 }, (_, n) => vcpu.x(n));
  }

  /** Sends a packet as the primary VM. */
  sendPacket(packet: Uint8Array): bigint[] {
    this.engine.memory.write(pa(BUFFER), packet);
    return this.hypercall(3, 'msgqueue_send', 0n, BigInt(packet.length), BUFFER, 0n);
  }

  /** Sends a message as the primary VM and lets RM work. */
  send(message: RpcMessage): void {
    for (const packet of packetsOf(message)) {
      assert.equal(this.sendPacket(packet)[0], 0n);
      this.settle();
    }
  }

  /** Everything that waits in the primary VM's receive queue, whole messages only. */
  receiveAll(): Received[] {
    const messages: Received[] = [];
    while (true) {
      const [error, size] = this.hypercall(3, 'msgqueue_receive', 1n, BUFFER, 240n);
      if (error !== 0n) return messages;
      const message = receivePacket(this.receiver, this.engine.memory.read(pa(BUFFER), Number(size)));
      if (message !== undefined) messages.push(message);
      this.settle();
    }
  }

  /** Sends a request with raw payload; answers what came back, notifications included, in order and in words. */
  exchange(id: number, payload: Uint8Array): Received[] {
    this.send({ kind: 'request', sequence: ++this.sequence, id, payload });
    return this.receiveAll();
  }

  /** Makes a request; the error word must be `error`. Answers the reply's fields and what notifications came with it. */
  request<N extends RmRequestName>(name: N, args: RmArguments<N>, error = 0): { readonly values: RmResults<N> | undefined; readonly log: readonly string[] } {
    const row = RM_REQUESTS[name];
    const received = this.exchange(row.id, encodePayload<typeof row.request>(row.request, args as never));
    const replies = received.filter((message) => message.kind === 'reply');
    assert.equal(replies.length, 1, `${name} has one reply`);
    const payload = replies[0]?.payload ?? new Uint8Array();
    assert.equal(new DataView(payload.buffer, payload.byteOffset).getUint32(0, true), error, `${name} answers`);
    assert.equal(replies[0]?.sequence, this.sequence);
    const data = payload.subarray(4);
    const values = data.length === 0 ? undefined : decodePayload(row.reply, data);
    return { values: values?.ok === true ? values.value as unknown as RmResults<N> : undefined, log: received.map(describe) };
  }

  /** Messages that wait for a secondary VM with an RM channel at its capabilities 0 and 1. */
  secondaryReceive(vmid: number): Received[] {
    const messages: Received[] = [];
    const receiver: RpcReceiver = { partial: null };
    while (true) {
      const [error, size] = this.hypercall(vmid, 'msgqueue_receive', 1n, SECONDARY_BUFFER, 240n);
      if (error !== 0n) return messages;
      const message = receivePacket(receiver, this.engine.memory.read(pa(this.translate(vmid, SECONDARY_BUFFER)), Number(size)));
      if (message !== undefined) messages.push(message);
      this.settle();
    }
  }

  /** A request of a secondary VM with raw payload; answers what came back, notifications included, in order. */
  exchangeAs(vmid: number, id: number, payload: Uint8Array): Received[] {
    for (const packet of packetsOf({ kind: 'request', sequence: ++this.sequence, id, payload })) {
      this.engine.memory.write(pa(this.translate(vmid, SECONDARY_BUFFER)), packet);
      assert.equal(this.hypercall(vmid, 'msgqueue_send', 0n, BigInt(packet.length), SECONDARY_BUFFER, 0n)[0], 0n);
      this.settle();
    }
    return this.rm.inspect().vms.find((vm) => vm.vmid === vmid)?.state === 'RUNNING' ? this.secondaryReceive(vmid) : [];
  }

  /** A request of a secondary VM; answers the reply's payload in hex. */
  secondaryRequest(vmid: number, id: number, payload: readonly number[]): string | undefined {
    const [packet = new Uint8Array()] = packetsOf({ kind: 'request', sequence: 1, id, payload: Uint8Array.from(payload) });
    this.engine.memory.write(pa(this.translate(vmid, SECONDARY_BUFFER)), packet);
    assert.equal(this.hypercall(vmid, 'msgqueue_send', 0n, BigInt(packet.length), SECONDARY_BUFFER, 0n)[0], 0n);
    this.settle();
    if (this.rm.inspect().vms.find((vm) => vm.vmid === vmid)?.state !== 'RUNNING') return undefined;
    const reply = this.secondaryReceive(vmid).find((message) => message.kind === 'reply');
    return reply === undefined ? undefined : Buffer.from(reply.payload).toString('hex');
  }

  /** A load by code of a VM that runs on a CPU of its own; `abort` if it takes an exception. */
  load(vmid: number, address: bigint, sizeBytes: 1 | 4 | 8 = 4): bigint | 'abort' {
    return this.execute(vmid, { 1: 0x3940_0020, 4: 0xb940_0020, 8: 0xf940_0020 }[sizeBytes], { address, value: 0n });
  }

  /** A store by code of a VM. */
  store32(vmid: number, address: bigint, value: bigint): bigint | 'abort' {
    return this.execute(vmid, 0xb900_0020, { address, value });
  }

  /** Executes one instruction at the start of a VM's memory, with X1 the address and X0 the value. */
  private execute(vmid: number, instruction: number, { address, value }: { readonly address: bigint; readonly value: bigint }): bigint | 'abort' {
    const thread = this.thread(vmid);
    const index = thread.engineVcpu ?? 0;
    const vcpu = this.engine.vcpu(index);
    const code = (this.rm.inspect().vms.find((vm) => vm.vmid === vmid)?.memory.find((item) => item.kind === 'memory')?.ipa ?? 0n) + 0x2000n;
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, instruction, true);
    this.engine.memory.write(pa(this.translate(vmid, code)), word);
    vcpu.pc = code;
    vcpu.setX(0, value);
    vcpu.setX(1, address);
    const { exit } = this.engine.run(index, { budget: 1, tickNow: this.events.now });
    this.hypervisor.handleExit(thread, exit);
    this.settle();
    return vcpu.pc === code + 4n ? vcpu.x(0) : 'abort';
  }

  readTree(address: bigint): DeviceTree {
    const decoded = decodeDtb(this.engine.memory.read(pa(address), 0x1_0000));
    assert.ok(decoded.ok);
    return decoded.value.tree;
  }

  /** Platform address of an address in a VM. */
  translate(vmid: number, address: bigint): bigint {
    const mapping = this.rm.inspect().vms.find((vm) => vm.vmid === vmid)?.memory.find((item) => address >= item.ipa && address < item.ipa + item.sizeBytes);
    assert.ok(mapping);
    const thread = this.thread(vmid);
    const found = this.engine.translate(thread.engineVcpu ?? 0, capId(address) as never, 2);
    assert.ok(found.ok, `${address.toString(16)} is mapped`);
    return found.pa;
  }
}

/** A message in words: `reply`, or a notification's name with its fields. */
export function describe(message: Received): string {
  if (message.kind !== 'notification') return message.kind;
  const name = (Object.keys(RM_NOTIFICATIONS) as RmNotificationName[]).find((candidate) => RM_NOTIFICATIONS[candidate].id === message.id);
  assert.ok(name);
  const decoded = decodePayload(RM_NOTIFICATIONS[name].payload, message.payload);
  assert.ok(decoded.ok);
  return `${name} ${Object.entries(decoded.value).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(' ')}`;
}

/**
 * Linux's Gunyah drivers as far as a hypervisor sees them, by series: how they know Gunyah, find the Resource Manager, cut requests into
 * packets, and what they make of a reply. Every step is a guest's: registers, memory and queues.
 */

import assert from 'node:assert/strict';

import { pa } from '../../runtime/base/brands';
import { PRIMARY_DTB, type SystemFixture } from './system-fixture';

/** Series whose behaviour differs. */
export type Series = 'v4' | 'v14' | 'v17';

const UID = 0x8600_ff01n;
const IDENTIFY = 0xc600_8000n;
/** What each series accepts as the hypervisor's identity. */
const ACCEPTED: Readonly<Record<Series, readonly bigint[]>> = {
  v4: [0x673d_5f14n, 0x9265_ce36n, 0xa453_5fdbn, 0xc1d5_8fcdn], v14: [0xcd8f_d5c1n, 0xdb5f_53a4n, 0x36ce_6592n, 0x145f_3d67n], v17: [0xcd8f_d5c1n, 0xdb5f_53a4n, 0x36ce_6592n, 0x145f_3d67n],
};
const SEND = 0xc600_801bn;
const RECEIVE = 0xc600_801cn;
const PUSH = 1n;
const MESSAGE_FULL = 61n;
const HEADER = 8;
const BUFFER = 0x4011_0000n;

/** A notification as it came. */
export interface Told { readonly id: number; readonly payload: Uint8Array }

/** A driver that has probed. */
export class LinuxDriver {
  /** Notifications that no caller has taken. */
  readonly told: Told[] = [];
  private readonly system: SystemFixture;
  private readonly packetMax: number;
  private readonly series: Series;
  private readonly caps: readonly [bigint, bigint];
  private sequence = 0;
  private partial: { readonly type: number; readonly count: number; readonly sequence: number; readonly id: number; readonly parts: Uint8Array[] } | undefined;

  private constructor(system: SystemFixture, series: Series, caps: readonly [bigint, bigint]) {
    this.system = system;
    this.series = series;
    this.packetMax = series === 'v4' ? 1024 : 240;
    this.caps = caps;
  }

  /** Detection and probe, which send nothing. `undefined`: the driver does not recognise what it finds. */
  static probe(system: SystemFixture, series: Series): LinuxDriver | undefined {
    const words = system.smccc(3, UID);
    if (!words.every((word, n) => (word & 0xffff_ffffn) === ACCEPTED[series][n])) return undefined;
    const [info = 0n] = system.smccc(3, IDENTIFY);
    if ((info & 0x3fffn) !== 1n) return undefined;
    const hypervisor = system.readTree(PRIMARY_DTB).root.at('/hypervisor');
    const compatible = hypervisor?.property('compatible')?.strings ?? [];
    if (!compatible.includes(series === 'v17' ? 'gunyah-hypervisor' : 'simple-bus')) return undefined;
    const node = hypervisor?.children.find((child) => child.property('compatible')?.strings?.includes('gunyah-resource-manager') === true);
    const reg = node?.property('reg')?.u32s ?? [];
    assert.equal(node?.property('interrupts')?.u32s.length, 6, 'transmit and receive interrupt');
    const cap = (at: number): bigint => (BigInt(reg[at] ?? 0) << 32n) | BigInt(reg[at + 1] ?? 0);
    return new LinuxDriver(system, series, [cap(0), cap(2)]);
  }

  /** A request; what the driver hands its caller: the reply's data, or the error. */
  call(id: number, payload: Uint8Array): Uint8Array | number {
    const sequence = this.sequence++;
    this.sendMessage(id, sequence, payload);
    this.system.settle();
    const reply = this.receive(id, sequence);
    assert.ok(reply !== undefined && reply.length >= 4, 'a reply came');
    const error = new DataView(reply.buffer, reply.byteOffset).getUint32(0, true);
    return error === 0 ? reply.subarray(4) : error;
  }

  /** A request that must succeed. */
  done(id: number, payload: Uint8Array): Uint8Array {
    const data = this.call(id, payload);
    assert.ok(typeof data !== 'number', `0x${id.toString(16)} answers error ${String(data)}`);
    return data;
  }

  /** Takes what waits; true once `matches` says so of a notification, which is taken away. */
  wait(matches: (told: Told) => boolean): Told | undefined {
    this.system.settle();
    this.receive(-1, -1);
    const index = this.told.findIndex(matches);
    return index < 0 ? undefined : this.told.splice(index, 1)[0];
  }

  private sendMessage(id: number, sequence: number, payload: Uint8Array): void {
    const room = this.packetMax - HEADER;
    // Until v8 an exact multiple of the room ends with an empty continuation.
    const count = this.series === 'v4' ? Math.floor(payload.length / room) : payload.length === 0 ? 0 : Math.floor((payload.length - 1) / room);
    for (let n = 0; n <= count; n++) {
      const part = payload.subarray(n * room, (n + 1) * room);
      const packet = new Uint8Array(HEADER + part.length);
      const view = new DataView(packet.buffer);
      view.setUint8(0, 0x21);
      view.setUint8(1, (count << 2) | (n === 0 ? 1 : 0));
      view.setUint16(2, sequence, true);
      view.setUint32(4, id, true);
      packet.set(part, HEADER);
      this.sendPacket(packet, n === count);
    }
  }

  private sendPacket(packet: Uint8Array, isLast: boolean): void {
    this.system.engine.memory.write(pa(BUFFER), packet);
    for (let attempt = 0; attempt < 4; attempt++) {
      const [error = -1n] = this.system.smccc(3, SEND, this.caps[0], BigInt(packet.length), BUFFER, isLast ? PUSH : 0n);
      if (error !== MESSAGE_FULL) return assert.equal(error, 0n);
      this.system.settle();
    }
    assert.fail('the queue stays full');
  }

  /** The receive thread: empties the queue as the series does; answers the reply that is waited for. */
  private receive(id: number, sequence: number): Uint8Array | undefined {
    let reply: Uint8Array | undefined;
    for (;;) {
      const [error, size = 0n] = this.system.smccc(3, RECEIVE, this.caps[1], BUFFER, BigInt(this.packetMax));
      if (error !== 0n) return reply;
      const message = this.assemble(this.system.engine.memory.read(pa(BUFFER), Number(size)));
      this.system.settle();
      if (message?.type === 2 && message.id === id && message.sequence === sequence) reply = message.payload;
      if (message?.type === 3) this.told.push({ id: message.id, payload: message.payload });
    }
  }

  private assemble(packet: Uint8Array): { readonly type: number; readonly id: number; readonly sequence: number; readonly payload: Uint8Array } | undefined {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    assert.ok(packet.length >= HEADER && view.getUint8(0) === 0x21, 'a packet of this version');
    const control = view.getUint8(1);
    const header = { type: control & 3, count: control >> 2, sequence: view.getUint16(2, true), id: view.getUint32(4, true) };
    if (header.type === 0) {
      assert.ok(this.partial !== undefined && this.partial.id === header.id && this.partial.sequence === header.sequence && this.partial.count === header.count, 'a continuation of what came before');
      this.partial.parts.push(packet.slice(HEADER));
    } else {
      assert.equal(this.partial, undefined, 'no message begins inside another');
      this.partial = { ...header, parts: [packet.slice(HEADER)] };
    }
    const { partial } = this;
    if (partial === undefined || partial.parts.length <= partial.count) return undefined;
    this.partial = undefined;
    return { type: partial.type, id: partial.id, sequence: partial.sequence, payload: Uint8Array.from(partial.parts.flatMap((part) => [...part])) };
  }
}

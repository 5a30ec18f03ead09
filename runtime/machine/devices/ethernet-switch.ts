/**
 * An Ethernet switch between virtual machines: learns who is where, delivers after a fixed time in the order of sending, drops what does not
 * fit. It reaches nothing outside the system. Source: IEEE 802.1D in spirit; no spanning tree, no VLANs.
 */

import { ticks } from '../../base/brands';
import type { EventQueue } from '../interface';

/** Frames on the way at most; more are dropped. */
export const SWITCH_FRAMES_MAX = 1024;
/** Addresses learned at most; a full table learns no more. */
export const SWITCH_ADDRESSES_MAX = 1024;
/** Virtual time from sending to delivery. */
export const SWITCH_LATENCY_TICKS = 10_000;

const ADDRESS_SIZE = 6;

interface Frame { readonly due: number; readonly from: number; readonly bytes: Uint8Array }

/** Plain-data form. */
export interface SavedSwitch { readonly kind: 'ethernet-switch'; readonly version: 1; readonly frames: readonly Frame[]; readonly learned: readonly (readonly [string, number])[] }

/** The switch. */
export class EthernetSwitch {
  private readonly queue: EventQueue;
  private readonly key: string;
  private readonly ports: ((frame: Uint8Array) => void)[] = [];
  private frames: Frame[] = [];
  private learned = new Map<string, number>();

  /** `key` is unique in the event queue. */
  constructor(queue: EventQueue, key: string) {
    this.queue = queue;
    this.key = key;
  }

  /** Connects a station; the number of its port. Ports are made in an order that follows from the system's description. */
  addPort(receive: (frame: Uint8Array) => void): number {
    return this.ports.push(receive) - 1;
  }

  /** Takes a frame from a port: destination, source, the rest. */
  send(from: number, bytes: Uint8Array): void {
    if (bytes.length < 2 * ADDRESS_SIZE || this.frames.length >= SWITCH_FRAMES_MAX) return;
    this.frames.push({ due: this.queue.now + SWITCH_LATENCY_TICKS, from, bytes: bytes.slice() });
    this.schedule();
  }

  save(): SavedSwitch {
    return { kind: 'ethernet-switch', version: 1, frames: [...this.frames], learned: [...this.learned] };
  }

  restore(saved: SavedSwitch): void {
    this.frames = [...saved.frames];
    this.learned = new Map(saved.learned);
    this.schedule();
  }

  private schedule(): void {
    const [first] = this.frames;
    if (first === undefined) this.queue.cancel(this.key);
    else this.queue.schedule(this.key, ticks(first.due), () => { this.deliverDue(); });
  }

  private deliverDue(): void {
    for (let first = this.frames[0]; first !== undefined && first.due <= this.queue.now; first = this.frames[0]) {
      this.frames.shift();
      this.deliver(first);
    }
    this.schedule();
  }

  private deliver({ from, bytes }: Frame): void {
    const source = addressAt(bytes, ADDRESS_SIZE);
    if (!isGroup(bytes, ADDRESS_SIZE) && (this.learned.has(source) || this.learned.size < SWITCH_ADDRESSES_MAX)) this.learned.set(source, from);
    const target = isGroup(bytes, 0) ? undefined : this.learned.get(addressAt(bytes, 0));
    for (const [port, receive] of this.ports.entries()) if (port !== from && (target === undefined || target === port)) receive(bytes);
  }
}

function addressAt(bytes: Uint8Array, offset: number): string {
  return Array.from(bytes.subarray(offset, offset + ADDRESS_SIZE), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Broadcast or multicast. */
function isGroup(bytes: Uint8Array, offset: number): boolean {
  return ((bytes[offset] ?? 0) & 1) !== 0;
}

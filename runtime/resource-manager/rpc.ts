/**
 * Packets of the Resource Manager's RPC: header, fragmentation, reassembly, and what waits while a queue is full.
 *
 * A message travels as one first packet and up to 62 continuations of at most 232 payload bytes each, contiguous in one direction. Nothing
 * here knows what messages mean or how a queue is reached. All state is plain data, so that it can be saved as it is.
 */

import { assert } from '../base/assert';
import { ByteReader } from '../base/byte-reader';

/** Byte 0 of every packet: API version 1, header of two words. */
export const RPC_HEADER_BYTE = 0x21;
/** Size of the packet header in bytes. */
export const RPC_HEADER_BYTES = 8;
/** Largest packet. */
export const RPC_PACKET_BYTES_MAX = 240;
/** Payload of a full packet. */
export const RPC_PACKET_PAYLOAD_MAX = RPC_PACKET_BYTES_MAX - RPC_HEADER_BYTES;
/** Most continuation packets of a message. */
export const RPC_FRAGMENTS_MAX = 62;
/** Largest payload of a message. */
export const RPC_PAYLOAD_MAX = (RPC_FRAGMENTS_MAX + 1) * RPC_PACKET_PAYLOAD_MAX;
/** Notifications that wait for one VM; more push the oldest out. */
export const NOTIFICATIONS_MAX = 256;

/** Packet types by their number. */
export const PACKET_KINDS = ['continuation', 'request', 'reply', 'notification'] as const;
/** What a packet is. */
export type PacketKind = (typeof PACKET_KINDS)[number];

/** A packet's header. */
export interface PacketHeader {
  readonly kind: PacketKind;
  /** Number of continuation packets of the whole message. */
  readonly fragments: number;
  readonly sequence: number;
  readonly id: number;
}

/** A whole message. */
export interface RpcMessage {
  readonly kind: Exclude<PacketKind, 'continuation'>;
  readonly sequence: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

/** Reads a packet's header; `undefined` for packets that RM drops without looking further. */
export function parsePacketHeader(packet: Uint8Array): PacketHeader | undefined {
  const reader = new ByteReader(packet);
  const control = reader.u8(1);
  const sequence = reader.u16(2);
  const id = reader.u32(4);
  if (control === undefined || sequence === undefined || id === undefined || reader.u8(0) !== RPC_HEADER_BYTE) return undefined;
  const kind = PACKET_KINDS[control & 3];
  const fragments = control >> 2;
  return kind === undefined || fragments > RPC_FRAGMENTS_MAX ? undefined : { kind, fragments, sequence, id };
}

/** Cuts a message into packets. */
export function packetsOf(message: RpcMessage): Uint8Array[] {
  assert(message.payload.length <= RPC_PAYLOAD_MAX, 'a message fits its 63 packets');
  const fragments = message.payload.length === 0 ? 0 : Math.floor((message.payload.length - 1) / RPC_PACKET_PAYLOAD_MAX);
  const packets: Uint8Array[] = [];
  for (let i = 0; i <= fragments; i++) {
    const part = message.payload.subarray(i * RPC_PACKET_PAYLOAD_MAX, (i + 1) * RPC_PACKET_PAYLOAD_MAX);
    const packet = new Uint8Array(RPC_HEADER_BYTES + part.length);
    const view = new DataView(packet.buffer);
    view.setUint8(0, RPC_HEADER_BYTE);
    view.setUint8(1, (fragments << 2) | PACKET_KINDS.indexOf(i === 0 ? message.kind : 'continuation'));
    view.setUint16(2, message.sequence, true);
    view.setUint32(4, message.id, true);
    packet.set(part, RPC_HEADER_BYTES);
    packets.push(packet);
  }
  return packets;
}

/** A message whose continuations have not all arrived. */
export interface PartialMessage {
  readonly kind: Exclude<PacketKind, 'continuation'>;
  readonly fragments: number;
  readonly sequence: number;
  readonly id: number;
  readonly parts: readonly Uint8Array[];
}

/** One direction of receiving; plain data. */
export interface RpcReceiver { partial: PartialMessage | null }

/** Takes a packet in; gives the message if it completes one. Whatever breaks a rule is dropped silently, as RM does. */
export function receivePacket(receiver: RpcReceiver, packet: Uint8Array): RpcMessage | undefined {
  const header = parsePacketHeader(packet);
  if (header === undefined) return undefined;
  const part = packet.slice(RPC_HEADER_BYTES);
  if (header.kind === 'continuation') {
    const partial = receiver.partial;
    if (partial === null || partial.id !== header.id || partial.sequence !== header.sequence || partial.fragments !== header.fragments) return undefined;
    receiver.partial = { ...partial, parts: [...partial.parts, part] };
  } else {
    receiver.partial = { kind: header.kind, fragments: header.fragments, sequence: header.sequence, id: header.id, parts: [part] };
  }
  return takeComplete(receiver);
}

function takeComplete(receiver: RpcReceiver): RpcMessage | undefined {
  const partial = receiver.partial;
  if (partial === null || partial.parts.length <= partial.fragments) return undefined;
  receiver.partial = null;
  return { kind: partial.kind, sequence: partial.sequence, id: partial.id, payload: concatenate(partial.parts) };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** One direction of sending; plain data. */
export interface RpcSender {
  /** The rest of the message on its way. */
  packets: Uint8Array[];
  /** Whole messages behind it, in order; at most one of them a reply. */
  waiting: RpcMessage[];
}

/** A sender with nothing to send. */
export function newSender(): RpcSender {
  return { packets: [], waiting: [] };
}

/** Queues a reply. One that still waits for queue space is dropped: RM keeps one per VM. */
export function queueReply(sender: RpcSender, reply: Omit<RpcMessage, 'kind'>): void {
  sender.waiting = sender.waiting.filter((message) => message.kind !== 'reply');
  sender.waiting.push({ kind: 'reply', ...reply });
}

/** Queues a notification; the oldest gives way when too many wait. */
export function queueNotification(sender: RpcSender, notification: Omit<RpcMessage, 'kind'>): void {
  const notifications = sender.waiting.filter((message) => message.kind === 'notification');
  const oldest = notifications[0];
  if (notifications.length >= NOTIFICATIONS_MAX) sender.waiting = sender.waiting.filter((message) => message !== oldest);
  sender.waiting.push({ kind: 'notification', ...notification });
}

/** Sends packets until nothing is left or `send` says that the queue has no room for another. */
export function pumpSender(sender: RpcSender, send: (packet: Uint8Array) => 'sent' | 'full'): void {
  while (true) {
    const started = sender.packets.length > 0;
    const next = sender.waiting[0];
    const packets = started ? sender.packets : next === undefined ? [] : packetsOf(next);
    const [packet, ...rest] = packets;
    if (packet === undefined || send(packet) === 'full') return;
    // Only a message whose first packet has left counts as begun; until then a newer reply may replace it.
    if (!started) sender.waiting.shift();
    sender.packets = rest;
  }
}

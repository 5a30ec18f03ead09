/** Words for RM messages: what the debugger's queue view and the trace show of a packet. Reads leniently and never fails. */

import type { EventValue, EventValues } from '../base/trace-event';
import { ByteReader } from '../base/byte-reader';
import { decodePrefix } from './message-codec';
import type { RmRecord, RmValue } from './message-codec';
import { RM_NOTIFICATIONS, RM_REQUESTS } from './message-table';
import type { RmNotification, RmNotificationName, RmRequest, RmRequestName } from './message-table';
import { rmErrorName } from './rm-errors';
import { parsePacketHeader, RPC_HEADER_BYTES } from './rpc';
import type { PacketKind } from './rpc';

/** One packet in words. */
export interface DecodedRmMessage {
  readonly kind: PacketKind;
  readonly id: number;
  /** The reference's name, or the number for messages that it does not list. */
  readonly name: string;
  readonly sequence: number;
  readonly fields: EventValues;
}

/** The request with this number, if there is one. */
export function requestById(id: number): { readonly name: RmRequestName; readonly row: RmRequest } | undefined {
  return REQUESTS_BY_ID.get(id);
}

const REQUESTS_BY_ID = new Map<number, { readonly name: RmRequestName; readonly row: RmRequest }>();
for (const name of Object.keys(RM_REQUESTS) as RmRequestName[]) REQUESTS_BY_ID.set(RM_REQUESTS[name].id, { name, row: RM_REQUESTS[name] });
const NOTIFICATIONS_BY_ID = new Map<number, { readonly name: RmNotificationName; readonly row: RmNotification }>();
for (const name of Object.keys(RM_NOTIFICATIONS) as RmNotificationName[]) NOTIFICATIONS_BY_ID.set(RM_NOTIFICATIONS[name].id, { name, row: RM_NOTIFICATIONS[name] });

/** The name of a message number, or the number. */
export function rmMessageName(id: number): string {
  return REQUESTS_BY_ID.get(id)?.name ?? NOTIFICATIONS_BY_ID.get(id)?.name ?? `0x${id.toString(16)}`;
}

/** Reads one queue message as an RM packet; `undefined` if its header is not one. Of a fragmented message only the first packet has fields. */
export function decodeRmMessage(bytes: Uint8Array): DecodedRmMessage | undefined {
  const header = parsePacketHeader(bytes);
  if (header === undefined) return undefined;
  const payload = bytes.subarray(RPC_HEADER_BYTES);
  const fields = header.kind === 'continuation' ? { data: payload.slice() } : describePayload(header.kind, header.id, payload);
  return { kind: header.kind, id: header.id, name: rmMessageName(header.id), sequence: header.sequence, fields };
}

/** The fields of a whole payload as event values. */
export function describePayload(kind: Exclude<PacketKind, 'continuation'>, id: number, payload: Uint8Array): EventValues {
  if (kind === 'notification') return describeFields(NOTIFICATIONS_BY_ID.get(id)?.row.payload, payload);
  const request = REQUESTS_BY_ID.get(id)?.row;
  if (kind === 'request') return describeFields(request?.request, payload);
  const error = new ByteReader(payload).u32(0);
  if (error === undefined) return {};
  return { error: rmErrorName(error), ...(error === 0 ? describeFields(request?.reply, payload.subarray(4)) : {}) };
}

function describeFields(fields: RmRequest['request'] | undefined, payload: Uint8Array): EventValues {
  if (payload.length === 0) return {};
  if (fields === undefined) return { data: payload.slice() };
  return Object.fromEntries(Object.entries(decodePrefix(fields, payload)).map(([name, value]) => [name, eventValue(value)]));
}

function eventValue(value: RmValue): EventValue {
  if (typeof value !== 'object' || value instanceof Uint8Array) return value;
  return `[${value.map((item) => (typeof item === 'number' ? String(item) : recordText(item))).join(', ')}]`;
}

function recordText(record: RmRecord): string {
  return `{${Object.entries(record).map(([name, value]) => `${name}: ${valueText(value)}`).join(', ')}}`;
}

function valueText(value: RmValue): string {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return typeof value === 'object' ? String(eventValue(value)) : String(value);
}

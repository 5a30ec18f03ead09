/** What all formats of an exported trace have in common: a beginning, something for each event, an end. */

import { decodeRmMessage, hex, type TraceEvent } from '../../runtime/index';
import { bytesText } from '../views/objects';

/** Turns events into a file, piece by piece, in order. */
export interface TraceWriter {
  begin(): string | Uint8Array;
  add(event: TraceEvent): string | Uint8Array;
  finish(): string | Uint8Array;
}

/** A message queue as its users know it. */
export interface QueueName { readonly name: string; readonly description: string; readonly isRm: boolean }

/** Names of what events speak of by number. */
export interface TraceNames {
  vm(vmid: number): string;
  queue(objectId: number): QueueName;
}

/** An RM packet in words; undefined if the bytes are none. */
export function packetText(bytes: Uint8Array): string | undefined {
  const message = decodeRmMessage(bytes);
  if (message === undefined) return undefined;
  const fields = Object.entries(message.fields).map(([name, value]) => ` ${name}=${typeof value === 'bigint' ? hex(value) : value instanceof Uint8Array ? bytesText(value) : String(value)}`);
  return `${message.kind} ${message.name} #${message.sequence}${fields.join('')}`;
}

/**
 * Messages as a packet capture (IETF draft-ietf-opsawg-pcapng): an interface for each message queue, a packet when a message is put into it
 * (outbound) and one when it is taken out (inbound), with nanoseconds of virtual time. Packets have LINKTYPE_USER0 (147) and hold the bytes of
 * the message as the queue has them; on queues of the Resource Manager that is one packet of its RPC, which a comment says in words.
 */

import type { TraceEvent } from '../../runtime/index';
import { packetText, type TraceNames, type TraceWriter } from './format';

/** LINKTYPE_USER0. */
export const PCAPNG_LINK_TYPE = 147;

const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const OPTION = { end: 0, comment: 1, sectionApplication: 4, interfaceName: 2, interfaceDescription: 3, interfaceTimeResolution: 9, packetFlags: 2 } as const;
/** Time stamps count 10^-9 seconds. */
const NANOSECONDS = 9;
const INBOUND = 1;
const OUTBOUND = 2;
const COMMENT_LENGTH_MAX = 4000;
const UINT32 = 2 ** 32;

/** Writes captures. */
export class PcapngWriter implements TraceWriter {
  private readonly names: TraceNames;
  private readonly interfaces = new Map<number, number>();

  constructor(names: TraceNames) {
    this.names = names;
  }

  begin(): Uint8Array {
    const body = new Bytes().u32(BYTE_ORDER_MAGIC).u16(1).u16(0).u32(0xffff_ffff).u32(0xffff_ffff).option(OPTION.sectionApplication, 'Gunyah Debug').end();
    return block(SECTION_HEADER, body);
  }

  add(event: TraceEvent): Uint8Array {
    if (event.event !== 'message' || event.action === 'flushed') return new Uint8Array(0);
    const { name, description, isRm } = this.names.queue(event.objectId);
    const known = this.interfaces.get(event.objectId);
    const id = known ?? this.interfaces.size;
    const parts: Uint8Array[] = [];
    if (known === undefined) {
      this.interfaces.set(event.objectId, id);
      parts.push(block(INTERFACE_DESCRIPTION, new Bytes().u16(PCAPNG_LINK_TYPE).u16(0).u32(0)
        .option(OPTION.interfaceName, name).option(OPTION.interfaceDescription, description).optionBytes(OPTION.interfaceTimeResolution, Uint8Array.of(NANOSECONDS)).end()));
    }
    const words = isRm ? packetText(event.bytes) : undefined;
    const comment = `${event.action} by ${this.names.vm(event.vmid)}${event.vcpu === undefined ? '' : `/cpu${event.vcpu}`} at tick ${event.tick}${words === undefined ? '' : `: ${words}`}`;
    const flags = new Bytes().u32(event.action === 'sent' ? OUTBOUND : INBOUND).end(false);
    parts.push(block(ENHANCED_PACKET, new Bytes().u32(id).u32(Math.floor(event.tick / UINT32)).u32(event.tick % UINT32).u32(event.bytes.length).u32(event.bytes.length)
      .padded(event.bytes).option(OPTION.comment, comment.slice(0, COMMENT_LENGTH_MAX)).optionBytes(OPTION.packetFlags, flags).end()));
    return join(parts);
  }

  finish(): Uint8Array {
    return new Uint8Array(0);
  }
}

/** A block: type, length, body, length. */
function block(type: number, body: Uint8Array): Uint8Array {
  const size = body.length + 12;
  return new Bytes().u32(type).u32(size).raw(body).u32(size).end(false);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Little-endian bytes, put together in order. */
class Bytes {
  private readonly parts: Uint8Array[] = [];

  u16(value: number): this {
    return this.raw(Uint8Array.of(value & 0xff, (value >>> 8) & 0xff));
  }

  u32(value: number): this {
    return this.u16(value & 0xffff).u16(value >>> 16);
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    return this;
  }

  /** Bytes and zeros up to a multiple of four. */
  padded(bytes: Uint8Array): this {
    return this.raw(bytes).raw(new Uint8Array((4 - (bytes.length % 4)) % 4));
  }

  option(code: number, text: string): this {
    return text === '' ? this : this.optionBytes(code, new TextEncoder().encode(text));
  }

  optionBytes(code: number, bytes: Uint8Array): this {
    return this.u16(code).u16(bytes.length).padded(bytes);
  }

  /** All of it; by default with the option that ends a list of options. */
  end(hasOptions = true): Uint8Array {
    return join(hasOptions ? [...this.parts, new Uint8Array(4)] : this.parts);
  }
}

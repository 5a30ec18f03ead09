/** Unpacks a gzip file (RFC 1952): one member, checked against its length and checksum. What follows the member is ignored. */

import { ByteReader } from '../base/byte-reader';
import { err, ok, type Result } from '../base/result';
import { inflate, type InflateFault } from './inflate';

/** Why a file cannot be unpacked. */
export type GzipFault = InflateFault | 'its checksum is wrong' | 'its header is malformed';

const HEADER_SIZE = 10;
const TRAILER_SIZE = 8;
const DEFLATE = 8;
const FLAG = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
const NAME_SIZE_MAX = 65536;
/** DEFLATE makes nothing smaller than this. */
const EXPANSION_MAX = 1032;

/** True if the bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The unpacked bytes, at most `sizeMax`. */
export function gunzip(bytes: Uint8Array, sizeMax: number): Result<Uint8Array, GzipFault> {
  const reader = new ByteReader(bytes);
  const start = headerEnd(reader);
  if (start === undefined) return err('its header is malformed');
  const sizeHint = Math.min(reader.u32(bytes.length - 4) ?? 0, bytes.length * EXPANSION_MAX, sizeMax);
  const inflated = inflate(bytes, start, { sizeMax, sizeHint });
  if (!inflated.ok) return inflated;
  const { bytes: content, consumed } = inflated.value;
  const checksum = reader.u32(consumed);
  if (!reader.has(consumed, TRAILER_SIZE)) return err('it ends too early');
  if (checksum !== crc32(content) || reader.u32(consumed + 4) !== content.length >>> 0) return err('its checksum is wrong');
  return ok(content);
}

function headerEnd(reader: ByteReader): number | undefined {
  const flags = reader.u8(3);
  if (!reader.has(0, HEADER_SIZE) || flags === undefined || reader.u8(2) !== DEFLATE || (flags & FLAG.reserved) !== 0) return undefined;
  let at = HEADER_SIZE;
  if ((flags & FLAG.extra) !== 0) at += 2 + (reader.u16(at) ?? 0);
  for (const flag of [FLAG.name, FLAG.comment]) {
    if ((flags & flag) === 0) continue;
    const text = reader.cString(at, NAME_SIZE_MAX);
    if (text === undefined) return undefined;
    at += text.length + 1;
  }
  return (flags & FLAG.headerChecksum) === 0 ? at : at + 2;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb8_8320;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

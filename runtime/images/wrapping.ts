/**
 * What kernels come wrapped in: takes gzip off (Image.gz, vmlinux.gz, the EFI boot image vmlinuz.efi), and recognises what people give by mistake, so that
 * the refusal can say what to do. It knows nothing of what is inside.
 * Formats: RFC 1952; Linux drivers/firmware/efi/libstub (zboot header); Linux Documentation/arch/x86/boot.rst, arch/riscv/boot-image-header.rst.
 */

import { ByteReader, latin1 } from '../base/byte-reader';
import { err, ok, type Diagnostic, type Result } from '../base/result';
import { imageError, type ImageDiagnosticCode } from './diagnostics';
import { gunzip, isGzip } from './gzip';

/** Most bytes that a compressed image may become. */
export const UNPACKED_SIZE_MAX = 0x4000_0000;

const MZ = 0x5a4d;
const ZIMG = 0x676d_697a;
const ARM64_MAGIC = 0x644d_5241;

/** The image without its wrapping; the same bytes if it has none, and a diagnostic if what was given cannot be used. */
export function unwrap(bytes: Uint8Array, name: string): Result<Uint8Array, Diagnostic> {
  const reader = new ByteReader(bytes);
  if (isGzip(bytes)) return unpacked(bytes, name);
  if (reader.u16(0) === MZ && reader.u32(4) === ZIMG) return zbootPayload(reader, name);
  const stranger = STRANGERS.find(({ isIt }) => isIt(reader));
  if (stranger !== undefined) return err(imageError(stranger.code, name));
  const packer = PACKERS.find(({ magic }) => magic.every((byte, index) => bytes[index] === byte));
  return packer === undefined ? ok(bytes) : err(imageError('image-compressed', name, packer.name));
}

function unpacked(bytes: Uint8Array, name: string): Result<Uint8Array, Diagnostic> {
  const content = gunzip(bytes, UNPACKED_SIZE_MAX);
  return content.ok ? content : err(imageError('image-gzip-damaged', name, content.error));
}

/** Where the compressed Image lies and how it is compressed stands in the first 56 bytes. */
function zbootPayload(reader: ByteReader, name: string): Result<Uint8Array, Diagnostic> {
  const [offset, size] = [reader.u32(8), reader.u32(12)];
  const compression = zbootCompression(reader.bytes);
  if (compression !== 'gzip') return err(imageError('image-efi-zboot', name, compression));
  const payload = offset === undefined || size === undefined ? undefined : reader.slice(offset, size);
  if (payload === undefined || !isGzip(payload)) return err(imageError('image-gzip-damaged', name, 'the header points at no gzip data'));
  return unpacked(payload, name);
}

function zbootCompression(bytes: Uint8Array): string {
  const field = latin1(bytes.subarray(24, 56));
  const text = field.slice(0, Math.max(0, field.indexOf('\0')));
  return /^[\w-]+$/.test(text) ? text : 'unknown compression';
}

/** Formats of other machines and other boot loaders. */
const STRANGERS: readonly { readonly code: ImageDiagnosticCode; isIt(reader: ByteReader): boolean }[] = [
  { code: 'image-32-bit-zimage', isIt: (reader) => reader.u32(0x24) === 0x016f_2818 },
  { code: 'image-x86-kernel', isIt: (reader) => reader.u16(0x1fe) === 0xaa55 && reader.u32(0x202) === 0x5372_6448 },
  { code: 'image-riscv-kernel', isIt: (reader) => reader.u32(0x38) === 0x0543_5352 },
  { code: 'image-u-boot', isIt: (reader) => reader.u32(0) === 0x5619_0527 },
  { code: 'image-device-tree', isIt: (reader) => reader.u32(0) === 0xedfe_0dd0 },
  { code: 'image-android', isIt: (reader) => latin1(reader.bytes.subarray(0, 8)) === 'ANDROID!' },
  { code: 'image-efi-program', isIt: (reader) => reader.u16(0) === MZ && reader.u32(56) !== ARM64_MAGIC },
];

const PACKERS = [
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'lz4', magic: [0x02, 0x21, 0x4c, 0x18] },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lzo', magic: [0x89, 0x4c, 0x5a, 0x4f] },
  { name: 'lzma', magic: [0x5d, 0x00, 0x00] },
] as const;

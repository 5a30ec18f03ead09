/**
 * Reads the 64-byte header of an uncompressed arm64 Linux Image. What such images come wrapped in is known to wrapping.ts.
 * Format: Linux Documentation/arch/arm64/booting.rst, section 4.
 */

import { hex } from '../base/bits';
import { ByteReader } from '../base/byte-reader';
import type { Diagnostic, Result } from '../base/result';
import { err, ok } from '../base/result';
import { imageError } from './diagnostics';

/** Alignment in bytes that the boot protocol demands of the base the image is placed above. */
export const ARM64_IMAGE_ALIGNMENT = 0x20_0000n;
/** Largest `image_size` accepted, in bytes. */
export const ARM64_IMAGE_SIZE_MAX = 0x1_0000_0000n;

const HEADER_SIZE = 64;
const MAGIC = 0x644d_5241;

/** What the header says. */
export interface Arm64ImageHeader {
  /** Bytes from a base aligned to 2 MiB to where the first byte of the image belongs. */
  readonly textOffset: bigint;
  /** Bytes of memory the kernel needs from there, its zeroed data included. */
  readonly imageSize: bigint;
  /** Bit 0 big-endian, bits 2:1 page size, bit 3 placement. */
  readonly flags: bigint;
  /** Kernel page size in bytes if stated. */
  readonly pageSize: 4096 | 16384 | 65536 | undefined;
  /** True if the base need not be close to the start of memory. */
  readonly placedAnywhere: boolean;
}

/** True if the bytes carry the arm64 Image magic number. */
export function isArm64Image(bytes: Uint8Array): boolean {
  return new ByteReader(bytes).u32(56) === MAGIC;
}

/** Reads and checks the header; `name` goes into diagnostics. */
export function parseArm64Image(bytes: Uint8Array, name?: string): Result<Arm64ImageHeader, Diagnostic> {
  const reader = new ByteReader(bytes);
  const textOffset = reader.u64(8);
  const imageSize = reader.u64(16);
  const flags = reader.u64(24);
  if (textOffset === undefined || imageSize === undefined || flags === undefined || bytes.length < HEADER_SIZE) return err(imageError('arm64-image-truncated', name));
  if (imageSize === 0n) return err(imageError('arm64-image-old', name));
  if ((flags & 1n) !== 0n) return err(imageError('arm64-image-big-endian', name));
  if (imageSize > ARM64_IMAGE_SIZE_MAX) return err(imageError('arm64-image-bad-header', name, `it claims to need ${hex(imageSize)} bytes`));
  if (textOffset > ARM64_IMAGE_SIZE_MAX || (textOffset & 0xfffn) !== 0n) return err(imageError('arm64-image-bad-header', name, `its text offset is ${hex(textOffset)}`));
  const pageSize = ([undefined, 4096, 16384, 65536] as const)[Number((flags >> 1n) & 3n)];
  return ok({ textOffset, imageSize, flags, pageSize, placedAnywhere: (flags & 8n) !== 0n });
}

const MZ = 0x5a4d;
const PE = 0x4550;
const SECTION_HEADER_SIZE = 40;
const SECTION_COUNT_MAX = 96;

/**
 * Says if the file ends before its last section: kernels that EFI can start have a PE header, which knows how long they are. `undefined` if
 * nothing is missing, or there is no such header. Format: Microsoft PE/COFF, sections 3.3 to 4.
 */
export function missingPart(bytes: Uint8Array, name?: string): Diagnostic | undefined {
  const reader = new ByteReader(bytes);
  const header = reader.u32(0x3c);
  if (reader.u16(0) !== MZ || header === undefined || reader.u32(header) !== PE) return undefined;
  const count = Math.min(reader.u16(header + 6) ?? 0, SECTION_COUNT_MAX);
  const table = header + 24 + (reader.u16(header + 20) ?? 0);
  for (let index = 0; index < count; index++) {
    const section = table + index * SECTION_HEADER_SIZE;
    const end = (reader.u32(section + 16) ?? 0) + (reader.u32(section + 20) ?? 0);
    if (end > bytes.length) return imageError('arm64-image-cut', name, `${bytes.length} bytes, less than the ${end} that its header speaks of`);
  }
  return undefined;
}

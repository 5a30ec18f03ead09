/**
 * Turns a file into what a loader needs: which bytes go where, how much memory that takes, where execution begins.
 * It does not choose addresses: an image that may go anywhere says so and `placeImage` moves it.
 */

import type { Diagnostic, Result } from '../base/result';
import { err, ok } from '../base/result';
import { ARM64_IMAGE_ALIGNMENT, isArm64Image, missingPart, parseArm64Image } from './arm64-image';
import { firstBytes, imageError } from './diagnostics';
import { isElf, parseElf, PT_LOAD, type ElfFile, type ElfSegment } from './elf';
import { unwrap } from './wrapping';

/** A run of memory to fill. */
export interface ImageSegment {
  /** Address of the first byte; relative to the base while the image is not placed. */
  readonly address: bigint;
  /** A view of the file, or of what the file became when it was unpacked. */
  readonly bytes: Uint8Array;
  /** Bytes of memory; what exceeds `bytes` must be zero. At least `bytes.length`. */
  readonly sizeInMemory: number;
  readonly executable: boolean;
  readonly writable: boolean;
}

/** A checked program image. Segments are sorted by address and do not overlap. */
export interface LoadableImage {
  readonly kind: 'elf' | 'arm64-image' | 'firmware';
  readonly name: string;
  /** First instruction; relative to the base while the image is not placed. */
  readonly entry: bigint;
  readonly segments: readonly ImageSegment[];
  /** `fixed`: the addresses are final. `anywhere`: they are relative to a base that is a multiple of `alignment`. */
  readonly placement: { readonly kind: 'fixed' } | { readonly kind: 'anywhere'; readonly alignment: bigint };
  /** The ELF file behind it, for symbols and debug information. */
  readonly elf?: ElfFile;
  /** The bytes of that ELF file: those given, or what they became when they were unpacked. */
  readonly elfBytes?: Uint8Array;
}

/** Recognises and checks a program image, compressed with gzip or not; `name` is the file name that diagnostics mention. */
export function loadImage(bytes: Uint8Array, name: string): Result<LoadableImage, Diagnostic> {
  if (bytes.length === 0) return err(imageError('image-empty', name));
  if (isElf(bytes)) return loadElf(bytes, name);
  const plain = unwrap(bytes, name);
  if (!plain.ok) return plain;
  // Nobody compresses a kernel twice.
  if (isElf(plain.value)) return loadElf(plain.value, name);
  if (isArm64Image(plain.value)) return loadArm64Image(plain.value, name);
  return err(imageError('image-unknown-format', name, firstBytes(plain.value)));
}

/** Most bytes that a firmware image may have: a bank of the board's flash. */
export const FIRMWARE_SIZE_MAX = 64 * 1024 * 1024;

/** A firmware image: raw bytes that execute from address 0 of the flash. */
export function loadFirmware(bytes: Uint8Array, name: string): Result<LoadableImage, Diagnostic> {
  if (bytes.length === 0) return err(imageError('image-empty', name));
  if (isElf(bytes)) return err(imageError('firmware-not-raw', name));
  if (bytes.length > FIRMWARE_SIZE_MAX) return err(imageError('firmware-too-large', name, String(bytes.length)));
  const segment: ImageSegment = { address: 0n, bytes, sizeInMemory: bytes.length, executable: true, writable: false };
  return ok({ kind: 'firmware', name, entry: 0n, segments: [segment], placement: { kind: 'fixed' } });
}

/** The image at `base`; a fixed image comes back unchanged. The caller keeps `base` a multiple of the alignment. */
export function placeImage(image: LoadableImage, base: bigint): LoadableImage {
  if (image.placement.kind === 'fixed') return image;
  const segments = image.segments.map((segment) => ({ ...segment, address: segment.address + base }));
  return { ...image, entry: image.entry + base, segments, placement: { kind: 'fixed' } };
}

/** Lowest address and the address after the highest, of all segments. */
export function imageExtent(image: LoadableImage): { readonly start: bigint; readonly end: bigint } {
  const start = image.segments[0]?.address ?? 0n;
  const last = image.segments[image.segments.length - 1];
  return { start, end: last === undefined ? start : last.address + BigInt(last.sizeInMemory) };
}

function loadElf(bytes: Uint8Array, name: string): Result<LoadableImage, Diagnostic> {
  const parsed = parseElf(bytes, name);
  if (!parsed.ok) return parsed;
  const elf = parsed.value;
  if (elf.interpreter !== undefined) return err(imageError('elf-dynamic', name, elf.interpreter));
  const loaded = elf.segments
    .filter((segment) => segment.type === PT_LOAD && segment.sizeInMemory > 0)
    .sort((a, b) => (a.physicalAddress < b.physicalAddress ? -1 : 1));
  if (loaded.every((segment) => segment.bytes.length === 0)) return err(imageError('elf-no-segments', name));
  const kernel = kernelOf(elf, loaded);
  if (kernel !== undefined) return placedLikeImage(kernel, { elf, elfBytes: bytes, name });
  const segments = loaded.map(({ physicalAddress, bytes: content, sizeInMemory, executable, writable }) => ({ address: physicalAddress, bytes: content, sizeInMemory, executable, writable }));
  const placement = elf.type === 'executable' ? { kind: 'fixed' } as const : { kind: 'anywhere', alignment: alignmentOf(loaded) } as const;
  return ok({ kind: 'elf', name, entry: physicalEntry(elf.entry, loaded), segments, placement, elf, elfBytes: bytes });
}

/** Where virtual addresses of a kernel begin, whatever its page size and number of address bits. */
const KERNEL_HALF = 0xfff0_0000_0000_0000n;

/** A Linux kernel as it was linked: at virtual addresses, which are no places in memory, and with the header of an Image in front. */
interface LinkedKernel { readonly loaded: readonly ElfSegment[]; readonly first: ElfSegment }

function kernelOf(elf: ElfFile, loaded: readonly ElfSegment[]): LinkedKernel | undefined {
  const [first] = loaded;
  if (first === undefined || first.physicalAddress < KERNEL_HALF || elf.entry < KERNEL_HALF || !isArm64Image(first.bytes)) return undefined;
  return { loaded, first };
}

/** The kernel as its Image would be placed: the Image is these segments, one behind the other. */
function placedLikeImage({ loaded, first }: LinkedKernel, { elf, elfBytes, name }: { readonly elf: ElfFile; readonly elfBytes: Uint8Array; readonly name: string }): Result<LoadableImage, Diagnostic> {
  const header = parseArm64Image(first.bytes, name);
  if (!header.ok) return header;
  const { textOffset, imageSize } = header.value;
  const segments = loaded.map(({ physicalAddress, bytes, sizeInMemory, executable, writable }): ImageSegment => (
    { address: physicalAddress - first.physicalAddress + textOffset, bytes, sizeInMemory, executable, writable }));
  const last = segments[segments.length - 1];
  // The header may ask for more than the last segment has.
  const rest = last === undefined ? 0n : textOffset + imageSize - last.address;
  const all = segments.map((segment) => (segment === last && rest > BigInt(last.sizeInMemory) ? { ...last, sizeInMemory: Number(rest) } : segment));
  return ok({ kind: 'elf', name, entry: textOffset, segments: all, placement: { kind: 'anywhere', alignment: ARM64_IMAGE_ALIGNMENT }, elf, elfBytes });
}

/** `e_entry` is virtual; the program starts with the MMU off, so it begins at the same place of its segment in physical memory. */
function physicalEntry(entry: bigint, loaded: readonly ElfSegment[]): bigint {
  const home = loaded.find((segment) => entry >= segment.virtualAddress && entry < segment.virtualAddress + BigInt(segment.sizeInMemory));
  return home === undefined ? entry : entry - home.virtualAddress + home.physicalAddress;
}

function alignmentOf(loaded: readonly ElfSegment[]): bigint {
  return loaded.reduce((most, { alignment }) => (alignment > most && (alignment & (alignment - 1n)) === 0n && alignment <= 1n << 32n ? alignment : most), 4096n);
}

function loadArm64Image(bytes: Uint8Array, name: string): Result<LoadableImage, Diagnostic> {
  const header = parseArm64Image(bytes, name);
  if (!header.ok) return header;
  const missing = missingPart(bytes, name);
  if (missing !== undefined) return err(missing);
  const { textOffset, imageSize } = header.value;
  const sizeInMemory = Math.max(Number(imageSize), bytes.length);
  const segment: ImageSegment = { address: textOffset, bytes, sizeInMemory, executable: true, writable: true };
  return ok({ kind: 'arm64-image', name, entry: textOffset, segments: [segment], placement: { kind: 'anywhere', alignment: ARM64_IMAGE_ALIGNMENT } });
}

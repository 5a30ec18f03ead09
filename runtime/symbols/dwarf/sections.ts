/**
 * The world as the DWARF reader sees it: named sections of one linked image. Nothing here knows ELF; `SectionSource` is all
 * that an image format has to offer.
 */
import type { Diagnostic } from '../../base/result';
import { DebugBytes } from './cursor';

/** One section of an image: its link address (0 if not loaded) and its contents. */
export interface ImageSection {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** Where debug information comes from. */
export interface SectionSource {
  /** The section of that name, if the image has it. */
  section(name: string): ImageSection | undefined;
  /** The lowest link address of anything that is loaded. */
  readonly baseAddress: bigint;
  /** What the image has at a link address when it is loaded; absent or `undefined` if the file does not hold that. */
  contents?(address: bigint, sizeBytes: number): Uint8Array | undefined;
  /** What could not be read of the sections asked for so far. */
  problems?(): readonly Diagnostic[];
}

/** The sections that debug information is spread over; absent ones are empty. */
export interface DwarfSections {
  readonly info: DebugBytes;
  readonly abbrev: DebugBytes;
  readonly line: DebugBytes;
  readonly str: DebugBytes;
  readonly lineStr: DebugBytes;
  readonly strOffsets: DebugBytes;
  readonly addr: DebugBytes;
  readonly ranges: DebugBytes;
  readonly rnglists: DebugBytes;
  readonly loc: DebugBytes;
  readonly loclists: DebugBytes;
}

/** Collects the sections of a source. */
export function dwarfSections(source: SectionSource): DwarfSections {
  const bytes = (name: string): DebugBytes => new DebugBytes(source.section(name)?.bytes ?? new Uint8Array(0));
  return {
    info: bytes('.debug_info'), abbrev: bytes('.debug_abbrev'), line: bytes('.debug_line'), str: bytes('.debug_str'),
    lineStr: bytes('.debug_line_str'), strOffsets: bytes('.debug_str_offsets'), addr: bytes('.debug_addr'),
    ranges: bytes('.debug_ranges'), rnglists: bytes('.debug_rnglists'), loc: bytes('.debug_loc'),
    loclists: bytes('.debug_loclists'),
  };
}

/** The image offset of an address that does not belong to the image. */
export const OUTSIDE = -1;

/**
 * Converts link addresses to image offsets, which are plain numbers relative to the lowest loaded address. Line tables and
 * ranges are kept in offsets: kernels live above 2^63, where numbers are not exact, and bigints are slow in tables. Addresses
 * below the base, such as the zeros that linkers write for discarded functions, become `OUTSIDE`.
 */
export class ImageBase {
  readonly address: bigint;
  private readonly low: number;
  private readonly high: number;

  constructor(address: bigint) {
    this.address = address;
    this.low = Number(address & 0xffff_ffffn);
    this.high = Number(address >> 32n);
  }

  /** The offset of a link address. */
  offsetOf(address: bigint): number {
    const difference = address - this.address;
    return difference < 0n || difference > 0xffff_ffff_ffffn ? OUTSIDE : Number(difference);
  }

  /** The same from the two halves of an address. */
  offsetOfHalves(high: number, low: number): number {
    const difference = (high - this.high) * 0x1_0000_0000 + (low - this.low);
    return difference < 0 || difference > 0xffff_ffff_ffff ? OUTSIDE : difference;
  }

  /** The link address of an offset. */
  addressOf(offset: number): bigint {
    return this.address + BigInt(offset);
  }
}

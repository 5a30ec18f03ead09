/**
 * The registers of the board's Interrupt Translation Service as a VM finds them that the hypervisor lets at the chip, but gives no use of it: they
 * can be read and set up, no command is carried out, nothing is translated.
 * Source: GIC architecture (IHI 0069) 12.18, 12.19; values of QEMU's ITS.
 */

import type { RegisterDevice } from '../interface';

/** Bytes of the control registers; the frame in which devices write behind them is as long. */
const CONTROL_SIZE = 0x1_0000;
/** GITS_CTLR: nothing goes on. */
const QUIESCENT = 0x8000_0000;
const CTLR = 0x0;
const TYPER = 0x8;
const TYPER_VALUE = 0x1f_0001_efb1n;
/** Constant words. */
const CONSTANTS: ReadonlyMap<number, number> = new Map([
  [0x4, 0x43b], [0xffd0, 0x44], [0xffe0, 0x94], [0xffe4, 0xb4], [0xffe8, 0x3b], [0xfff0, 0x0d], [0xfff4, 0xf0], [0xfff8, 0x05], [0xfffc, 0xb1],
]);
/** CBASER, CWRITER, CREADR, BASER0 and BASER1: where they are, what is fixed, which bits are stored. */
const STORED: readonly { readonly offset: number; readonly fixed: bigint; readonly mask: bigint }[] = [
  { offset: 0x80, fixed: 0n, mask: 0xffff_ffff_ffff_ffffn },
  { offset: 0x88, fixed: 0n, mask: 0xffff_ffff_ffff_fffen },
  { offset: 0x90, fixed: 0n, mask: 0xffff_ffff_ffff_fffen },
  { offset: 0x100, fixed: 0x0107_0000_0000_0000n, mask: 0xf8e0_ffff_ffff_ffffn },
  { offset: 0x108, fixed: 0x0407_0000_0000_0000n, mask: 0xf8e0_ffff_ffff_ffffn },
];
/** Page size of a table at reset: 64 KiB. */
const TABLE_AT_RESET = 0x200n;

/** Plain-data form. */
export interface SavedItsRegisters { readonly kind: 'its'; readonly version: 1; readonly stored: readonly bigint[] }

/** Both frames. Accesses of 4 and 8 bytes, in the second frame of 2 as well. */
export class ItsRegisters implements RegisterDevice {
  readonly kind = 'its';
  private stored: bigint[] = [];

  constructor() {
    this.reset();
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    if (offset >= CONTROL_SIZE) return 0n;
    if (sizeBytes < 4) return undefined;
    if (sizeBytes === 8) return offset === TYPER ? TYPER_VALUE : this.stored[indexOf(offset)] ?? 0n;
    if (offset === CTLR) return BigInt(QUIESCENT);
    const long = (offset & ~7) === TYPER ? TYPER_VALUE : this.stored[indexOf(offset & ~7)];
    return long === undefined ? BigInt(CONSTANTS.get(offset) ?? 0) : (long >> BigInt(8 * (offset & 4))) & 0xffff_ffffn;
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    if (offset >= CONTROL_SIZE) return true;
    if (sizeBytes < 4) return false;
    const index = indexOf(offset & ~7);
    const row = STORED[index];
    if (row === undefined) return true;
    const written = ((1n << BigInt(8 * sizeBytes)) - 1n) << BigInt(8 * (offset & 7));
    const mask = row.mask & written;
    this.stored[index] = ((this.stored[index] ?? 0n) & ~mask) | ((value << BigInt(8 * (offset & 7))) & mask);
    return true;
  }

  reset(): void {
    this.stored = STORED.map(({ fixed }) => (fixed === 0n ? 0n : fixed | TABLE_AT_RESET));
  }

  save(): SavedItsRegisters {
    return { kind: 'its', version: 1, stored: [...this.stored] };
  }

  restore(saved: SavedItsRegisters): void {
    this.stored = [...saved.stored];
  }
}

function indexOf(offset: number): number {
  return STORED.findIndex((row) => row.offset === offset);
}

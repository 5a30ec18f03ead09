/**
 * The memory-mapped registers of the virtual GICv3 as data: name, place, accepted widths and kind of access. The access
 * functions in `gic-frames.ts` and the debugger's register view both read these rows.
 * Source: Arm GIC architecture (IHI 0069) 12.8–12.11; deviations of the real hypervisor as observed.
 */

/**
 * What happens at the border of a register, before any handler:
 * `RW` both ways; `RO` writes are ignored and recorded as WROD; `WO` reads give 0 and are recorded as RWOD;
 * `WI` reads work, writes are ignored; `RAZ` reads give 0, writes are ignored; `RZWA` reads give 0, **writes abort**;
 * `WA` as `RZWA`, but reads are recorded as RWOD.
 */
export type GicAccess = 'RW' | 'RO' | 'WO' | 'WI' | 'RAZ' | 'RZWA' | 'WA';

/** One register, or a bank of `count` registers `stride` bytes apart. */
export interface GicRegisterRow {
  readonly offset: number;
  readonly access: GicAccess;
  /** Accepted access sizes in bytes. */
  readonly widths: readonly number[];
  readonly count?: number;
  /** Bytes between registers of a bank, and size of one register: 4 unless given. */
  readonly stride?: number;
}

const WORD = [4] as const;
const BYTE_OR_WORD = [1, 4] as const;
const HALF_OR_WORD = [2, 4] as const;
const WORD_OR_DOUBLE = [4, 8] as const;
/** Routes take single bytes, too, as the low byte: observed. */
const ROUTE = [1, 4, 8] as const;

/** Distributor frame (64 KiB). */
export const GICD_REGISTERS = {
  GICD_CTLR: { offset: 0x0, access: 'RW', widths: WORD },
  GICD_TYPER: { offset: 0x4, access: 'RO', widths: WORD },
  GICD_IIDR: { offset: 0x8, access: 'RO', widths: WORD },
  GICD_TYPER2: { offset: 0xc, access: 'RO', widths: WORD },
  GICD_STATUSR: { offset: 0x10, access: 'RW', widths: WORD },
  GICD_SETSPI_NSR: { offset: 0x40, access: 'WO', widths: HALF_OR_WORD },
  GICD_CLRSPI_NSR: { offset: 0x48, access: 'WO', widths: HALF_OR_WORD },
  GICD_SETSPI_SR: { offset: 0x50, access: 'WO', widths: HALF_OR_WORD },
  GICD_CLRSPI_SR: { offset: 0x58, access: 'WO', widths: HALF_OR_WORD },
  GICD_IGROUPR: { offset: 0x80, access: 'RW', widths: WORD, count: 32 },
  GICD_ISENABLER: { offset: 0x100, access: 'RW', widths: WORD, count: 32 },
  GICD_ICENABLER: { offset: 0x180, access: 'RW', widths: WORD, count: 32 },
  GICD_ISPENDR: { offset: 0x200, access: 'RW', widths: WORD, count: 32 },
  GICD_ICPENDR: { offset: 0x280, access: 'RW', widths: WORD, count: 32 },
  GICD_ISACTIVER: { offset: 0x300, access: 'RW', widths: WORD, count: 32 },
  GICD_ICACTIVER: { offset: 0x380, access: 'RW', widths: WORD, count: 32 },
  GICD_IPRIORITYR: { offset: 0x400, access: 'RW', widths: BYTE_OR_WORD, count: 255 },
  GICD_ITARGETSR: { offset: 0x800, access: 'RAZ', widths: BYTE_OR_WORD, count: 255 },
  GICD_ICFGR: { offset: 0xc00, access: 'RW', widths: WORD, count: 64 },
  GICD_IGRPMODR: { offset: 0xd00, access: 'RAZ', widths: WORD, count: 32 },
  GICD_NSACR: { offset: 0xe00, access: 'RAZ', widths: WORD, count: 64 },
  GICD_SGIR: { offset: 0xf00, access: 'WO', widths: WORD },
  GICD_CPENDSGIR: { offset: 0xf10, access: 'RAZ', widths: BYTE_OR_WORD, count: 4 },
  GICD_SPENDSGIR: { offset: 0xf20, access: 'RAZ', widths: BYTE_OR_WORD, count: 4 },
  GICD_IROUTER: { offset: 0x6100, access: 'RW', widths: ROUTE, count: 988, stride: 8 },
  /** Routes of the special numbers and some more. */
  GICD_IROUTER_SPECIAL: { offset: 0x7fe0, access: 'RAZ', widths: ROUTE, count: 36, stride: 8 },
  GICD_PIDR2: { offset: 0xffe8, access: 'RO', widths: WORD },
} as const satisfies Record<string, GicRegisterRow>;

/** Redistributor frame pair (128 KiB): control frame, then SGI frame at 0x10000. */
export const GICR_REGISTERS = {
  GICR_CTLR: { offset: 0x0, access: 'RAZ', widths: WORD },
  GICR_IIDR: { offset: 0x4, access: 'RO', widths: WORD },
  GICR_TYPER: { offset: 0x8, access: 'RO', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_STATUSR: { offset: 0x10, access: 'RW', widths: WORD },
  GICR_WAKER: { offset: 0x14, access: 'RW', widths: WORD },
  GICR_SETLPIR: { offset: 0x40, access: 'WO', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_CLRLPIR: { offset: 0x48, access: 'WO', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_PROPBASER: { offset: 0x70, access: 'RZWA', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_PENDBASER: { offset: 0x78, access: 'RZWA', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_INVLPIR: { offset: 0xa0, access: 'WA', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_INVALLR: { offset: 0xb0, access: 'WA', widths: WORD_OR_DOUBLE, stride: 8 },
  GICR_SYNCR: { offset: 0xc0, access: 'RO', widths: WORD },
  GICR_PIDR2: { offset: 0xffe8, access: 'RO', widths: WORD },
  GICR_IGROUPR0: { offset: 0x10080, access: 'RW', widths: WORD },
  GICR_ISENABLER0: { offset: 0x10100, access: 'RW', widths: WORD },
  GICR_ICENABLER0: { offset: 0x10180, access: 'RW', widths: WORD },
  GICR_ISPENDR0: { offset: 0x10200, access: 'RW', widths: WORD },
  GICR_ICPENDR0: { offset: 0x10280, access: 'RW', widths: WORD },
  GICR_ISACTIVER0: { offset: 0x10300, access: 'RW', widths: WORD },
  GICR_ICACTIVER0: { offset: 0x10380, access: 'RW', widths: WORD },
  GICR_IPRIORITYR: { offset: 0x10400, access: 'RW', widths: BYTE_OR_WORD, count: 8 },
  GICR_ICFGR0: { offset: 0x10c00, access: 'WI', widths: WORD },
  GICR_ICFGR1: { offset: 0x10c04, access: 'RW', widths: WORD },
  GICR_IGRPMODR0: { offset: 0x10d00, access: 'RAZ', widths: WORD },
  GICR_NSACR: { offset: 0x10e00, access: 'RAZ', widths: WORD },
} as const satisfies Record<string, GicRegisterRow>;

/** A place inside a register that an access hit. */
export interface GicRegisterHit<Name extends string> {
  readonly name: Name;
  readonly row: GicRegisterRow;
  /** Index inside the bank. */
  readonly index: number;
  /** Byte inside the register. */
  readonly byte: number;
}

/** Finds the register at `offset`, or `undefined` for a reserved place. */
export function findGicRegister<Name extends string>(table: Readonly<Record<Name, GicRegisterRow>>, offset: number): GicRegisterHit<Name> | undefined {
  for (const name in table) {
    const row = table[name];
    const stride = row.stride ?? 4;
    const relative = offset - row.offset;
    if (relative < 0 || relative >= stride * (row.count ?? 1)) continue;
    return { name, row, index: Math.floor(relative / stride), byte: relative % stride };
  }
  return undefined;
}

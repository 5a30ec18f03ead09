/**
 * A register file of 32-bit registers described as data. One description serves guest accesses, the debugger's view and the
 * reference pages. For peripherals on a simple bus (PrimeCells); the GIC has its own rules.
 */

/** What a debugger shows of one register. */
export interface RegisterView { readonly name: string; readonly offset: number; readonly value: bigint; readonly description: string }

/** One register: where it is, which accesses have an effect, what it is for. */
export interface RegisterRow { readonly offset: number; readonly access: 'RW' | 'RO' | 'WO'; readonly description: string }

/** What a register does. `peek` is a read without side effects, needed where `read` has any. */
export interface RegisterHandler { readonly read?: () => number; readonly peek?: () => number; readonly write?: (value: number) => void }

/** Handlers for every row of a table; a missing or misspelt one does not compile. */
export type RegisterHandlers<Table> = { readonly [Name in keyof Table]: RegisterHandler };

interface Entry { readonly name: string; readonly row: RegisterRow; readonly handler: RegisterHandler }

/** At which of its bytes a narrow access finds a register; the identification registers are found at any. */
export type NarrowAccess = 'first-byte' | 'any-byte';

const IDENTIFICATION = 0xfd0;

/**
 * Dispatches accesses of 1, 2 or 4 bytes, naturally aligned; others are refused. Reserved places read 0 and ignore writes. The bus
 * carries no byte lanes: a narrow access gets the register's lowest bytes, wherever in the register it is, as on QEMU's board.
 */
export class RegisterMap {
  private readonly entries: ReadonlyMap<number, Entry>;
  private readonly narrow: NarrowAccess;

  constructor(entries: readonly Entry[], narrow: NarrowAccess) {
    this.entries = new Map(entries.map((entry) => [entry.row.offset, entry]));
    this.narrow = narrow;
  }

  read(offset: number, sizeBytes: number): bigint | undefined {
    if (!isAccessible(offset, sizeBytes)) return undefined;
    return BigInt.asUintN(sizeBytes * 8, BigInt((this.entryAt(offset)?.handler.read?.() ?? 0) >>> 0));
  }

  write(offset: number, sizeBytes: number, value: bigint): boolean {
    if (!isAccessible(offset, sizeBytes)) return false;
    this.entryAt(offset)?.handler.write?.(Number(BigInt.asUintN(sizeBytes * 8, value)));
    return true;
  }

  private entryAt(offset: number): Entry | undefined {
    return this.entries.get(this.narrow === 'any-byte' || offset >= IDENTIFICATION ? offset & ~3 : offset);
  }

  /** Every readable register, in order of its place; nothing changes. */
  registers(): RegisterView[] {
    const views: RegisterView[] = [];
    for (const { name, row, handler } of this.entries.values()) {
      const value = handler.peek ?? handler.read;
      if (value !== undefined) views.push({ name, offset: row.offset, value: BigInt(value() >>> 0), description: row.description });
    }
    return views.sort((a, b) => a.offset - b.offset);
  }
}

/** Joins a table of registers with the functions behind them. */
export function registerMap<Name extends string>(table: Readonly<Record<Name, RegisterRow>>, handlers: Readonly<Record<Name, RegisterHandler>>, narrow: NarrowAccess): RegisterMap {
  const entries: Entry[] = [];
  for (const name in table) entries.push({ name, row: table[name], handler: handlers[name] });
  return new RegisterMap(entries, narrow);
}

/** Rows and handlers of the eight identification registers that end a PrimeCell's page. */
export const PRIMECELL_ID_ROWS = {
  PeriphID0: { offset: 0xfe0, access: 'RO', description: 'Part number, low byte' },
  PeriphID1: { offset: 0xfe4, access: 'RO', description: 'Part number, high nibble; designer' },
  PeriphID2: { offset: 0xfe8, access: 'RO', description: 'Designer; revision' },
  PeriphID3: { offset: 0xfec, access: 'RO', description: 'Configuration' },
  PCellID0: { offset: 0xff0, access: 'RO', description: 'PrimeCell identification 0x0D' },
  PCellID1: { offset: 0xff4, access: 'RO', description: 'PrimeCell identification 0xF0' },
  PCellID2: { offset: 0xff8, access: 'RO', description: 'PrimeCell identification 0x05' },
  PCellID3: { offset: 0xffc, access: 'RO', description: 'PrimeCell identification 0xB1' },
} as const satisfies Record<string, RegisterRow>;

/** Handlers for `PRIMECELL_ID_ROWS`: a part number (12 bits), designer Arm, a revision. */
export function primeCellIdHandlers(part: number, revision: number): RegisterHandlers<typeof PRIMECELL_ID_ROWS> {
  return {
    PeriphID0: { read: () => part & 0xff },
    PeriphID1: { read: () => 0x10 | (part >>> 8) },
    PeriphID2: { read: () => (revision << 4) | 0x4 },
    PeriphID3: { read: () => 0 },
    PCellID0: { read: () => 0x0d },
    PCellID1: { read: () => 0xf0 },
    PCellID2: { read: () => 0x05 },
    PCellID3: { read: () => 0xb1 },
  };
}

function isAccessible(offset: number, sizeBytes: number): boolean {
  return sizeBytes <= 4 && offset >= 0 && offset % sizeBytes === 0;
}

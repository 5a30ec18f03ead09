/**
 * The ELF symbol table: names for addresses where there is no debug information (assembly, linker symbols) and addresses for
 * names (System V ABI, "Symbol Table"). Entries are decoded when asked; only the sort by address happens up front, on first use.
 */
import { DebugBytes } from './dwarf/cursor';
import { type ImageBase, OUTSIDE, type SectionSource } from './dwarf/sections';

/** What a symbol stands for. */
export type ElfSymbolKind = 'function' | 'object' | 'label';

/** One symbol; addresses are link addresses. */
export interface ElfSymbol {
  readonly name: string;
  readonly address: bigint;
  /** 0 if the producer did not say, as for many assembly labels. */
  readonly sizeBytes: number;
  readonly kind: ElfSymbolKind;
  readonly isGlobal: boolean;
}

const SYMBOL_SIZE_BYTES = 24;
const SECTION_UNDEFINED = 0;
const KINDS: ReadonlyMap<number, ElfSymbolKind> = new Map([[0, 'label'], [1, 'object'], [2, 'function'], [10, 'function']]);
/** How far after a symbol without size an address may lie and still be named after it. */
const UNSIZED_REACH_BYTES = 0x1_0000;

/** The symbols of one image. */
export class ElfSymbols {
  private readonly table: DebugBytes;
  private readonly strings: DebugBytes;
  private readonly base: ImageBase;
  private sorted: { readonly offsets: Float64Array; readonly indexes: Uint32Array } | undefined;
  private names: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(source: SectionSource, base: ImageBase) {
    this.table = new DebugBytes(source.section('.symtab')?.bytes ?? new Uint8Array(0));
    this.strings = new DebugBytes(source.section('.strtab')?.bytes ?? new Uint8Array(0));
    this.base = base;
  }

  /** How many entries the table has. */
  get count(): number {
    return Math.floor(this.table.sizeBytes / SYMBOL_SIZE_BYTES);
  }

  /** Decodes entry `index`; `undefined` for entries that name nothing of interest (sections, files, mapping symbols). */
  at(index: number): ElfSymbol | undefined {
    const at = index * SYMBOL_SIZE_BYTES;
    if (index < 0 || at + SYMBOL_SIZE_BYTES > this.table.sizeBytes) return undefined;
    const { view } = this.table;
    const info = view.getUint8(at + 4);
    const kind = KINDS.get(info & 15);
    if (kind === undefined || view.getUint16(at + 6, true) === SECTION_UNDEFINED) return undefined;
    const name = this.strings.text(view.getUint32(at, true));
    // `$x`, `$d` and `.L` names mark code, data and compiler labels (ELF for the Arm 64-bit Architecture, 5.5.4).
    if (name === '' || name.startsWith('$') || name.startsWith('.L')) return undefined;
    const sizeBytes = Math.min(Number(view.getBigUint64(at + 16, true)), Number.MAX_SAFE_INTEGER);
    return { name, address: view.getBigUint64(at + 8, true), sizeBytes, kind, isGlobal: info >> 4 !== 0 };
  }

  private order(): { readonly offsets: Float64Array; readonly indexes: Uint32Array } {
    if (this.sorted !== undefined) return this.sorted;
    const entries: { offset: number; index: number; rank: number }[] = [];
    for (let index = 0; index < this.count; index++) {
      const symbol = this.at(index);
      if (symbol === undefined) continue;
      const offset = this.base.offsetOf(symbol.address);
      if (offset !== OUTSIDE) entries.push({ offset, index, rank: rank(symbol) });
    }
    // Of several names for one address the last in this order is the preferred one.
    entries.sort((a, b) => a.offset - b.offset || a.rank - b.rank || b.index - a.index);
    this.sorted = {
      offsets: Float64Array.from(entries, (entry) => entry.offset), indexes: Uint32Array.from(entries, (entry) => entry.index),
    };
    return this.sorted;
  }

  /** The symbol that covers an image offset: a sized one around it, else the nearest unsized one before it. */
  covering(offset: number): ElfSymbol | undefined {
    const { offsets, indexes } = this.order();
    let fallback: ElfSymbol | undefined;
    const last = upperBound(offsets, offset) - 1;
    // Sized symbols do not nest in practice; a few steps back are enough to pass labels inside a function.
    for (let i = last; i >= 0 && i > last - 64; i--) {
      const symbol = this.at(indexes[i] ?? -1);
      const distance = offset - (offsets[i] ?? 0);
      if (symbol === undefined) continue;
      if (symbol.sizeBytes > 0 && distance < symbol.sizeBytes) return preferred(symbol, fallback);
      if (symbol.sizeBytes === 0 && distance < UNSIZED_REACH_BYTES) fallback ??= symbol;
      if (symbol.sizeBytes > 0 && fallback === undefined && distance >= symbol.sizeBytes && distance > UNSIZED_REACH_BYTES) break;
    }
    return fallback;
  }

  /** The image offset after the extent of a symbol: its size, or the next symbol if it has none. */
  endOf(symbol: ElfSymbol): number {
    const start = this.base.offsetOf(symbol.address);
    if (symbol.sizeBytes > 0) return start + symbol.sizeBytes;
    const { offsets } = this.order();
    return Math.min(offsets[upperBound(offsets, start)] ?? start + UNSIZED_REACH_BYTES, start + UNSIZED_REACH_BYTES);
  }

  /** All symbols of that name, global ones first. */
  named(name: string): readonly ElfSymbol[] {
    const found = (this.nameIndex().get(name) ?? []).map((index) => this.at(index)).filter((symbol) => symbol !== undefined);
    return found.sort((a, b) => Number(b.isGlobal) - Number(a.isGlobal));
  }

  /** Every name once, in the order of the table. */
  allNames(): IterableIterator<string> {
    return this.nameIndex().keys();
  }

  private nameIndex(): ReadonlyMap<string, readonly number[]> {
    if (this.names !== undefined) return this.names;
    const names = new Map<string, number[]>();
    for (let index = 0; index < this.count; index++) {
      const symbol = this.at(index);
      if (symbol === undefined) continue;
      const list = names.get(symbol.name);
      if (list === undefined) names.set(symbol.name, [index]);
      else list.push(index);
    }
    this.names = names;
    return names;
  }
}

function rank(symbol: ElfSymbol): number {
  return (symbol.kind === 'function' ? 4 : symbol.kind === 'object' ? 3 : 0) + (symbol.isGlobal ? 1 : 0) + (symbol.sizeBytes > 0 ? 1 : 0);
}

/** A label inside a sized data object names the address better only if it is nearer; inside a function the function does. */
function preferred(sized: ElfSymbol, label: ElfSymbol | undefined): ElfSymbol {
  return label !== undefined && sized.kind === 'object' && label.address > sized.address ? label : sized;
}

function upperBound(offsets: Float64Array, offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Builds small ELF files for tests; it writes what it is told, sensible or not. */

/** A program header to write. */
export interface SegmentToBuild { type: number; flags: number; address: bigint; bytes: Uint8Array; memorySize: bigint }
/** A section to write. */
export interface SectionToBuild { name: string; type: number; flags?: bigint; bytes: Uint8Array; link?: number; entrySize?: bigint }
/** A symbol to write, with the numbers of the ABI. */
export interface SymbolToBuild { name: string; address: bigint; size: bigint; type: number; binding: number; sectionIndex: number }
/** What the file holds. */
export interface ElfToBuild { entry: bigint; type?: number; segments: SegmentToBuild[]; sections?: SectionToBuild[]; symbols?: SymbolToBuild[]; physicalOffset?: bigint }

/** The bytes of an AArch64 ELF file; its section headers come last, so any cut removes something. */
export function buildElf(wanted: ElfToBuild): Uint8Array {
  const sections: SectionToBuild[] = [{ name: '', type: 0, bytes: new Uint8Array(0) }, ...(wanted.sections ?? [])];
  if (wanted.symbols !== undefined) addSymbols(sections, wanted.symbols);
  const names = strings([...sections.map((section) => section.name), '.shstrtab']);
  sections.push({ name: '.shstrtab', type: 3, bytes: names.bytes });
  let at = 64 + wanted.segments.length * 56;
  const place = (bytes: Uint8Array) => { const here = at; at += bytes.length; return here; };
  const segmentAt = wanted.segments.map((segment) => place(segment.bytes));
  const sectionAt = sections.map((section) => place(section.bytes));
  const out = new Uint8Array(at + sections.length * 64);
  const view = new DataView(out.buffer);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, wanted.type ?? 2, true);
  view.setUint16(18, 183, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, wanted.entry, true);
  view.setBigUint64(32, 64n, true);
  view.setBigUint64(40, BigInt(at), true);
  [64, 56, wanted.segments.length, 64, sections.length, sections.length - 1].forEach((value, index) => { view.setUint16(52 + index * 2, value, true); });
  wanted.segments.forEach((segment, index) => {
    const header = 64 + index * 56;
    view.setUint32(header, segment.type, true);
    view.setUint32(header + 4, segment.flags, true);
    [BigInt(segmentAt[index] ?? 0), segment.address, BigInt.asUintN(64, segment.address - (wanted.physicalOffset ?? 0n)), BigInt(segment.bytes.length), segment.memorySize, 16n].forEach((value, field) => { view.setBigUint64(header + 8 + field * 8, value, true); });
    out.set(segment.bytes, segmentAt[index]);
  });
  sections.forEach((section, index) => {
    const header = at + index * 64;
    view.setUint32(header, names.at(section.name), true);
    view.setUint32(header + 4, section.type, true);
    view.setBigUint64(header + 8, section.flags ?? 0n, true);
    view.setBigUint64(header + 24, BigInt(sectionAt[index] ?? 0), true);
    view.setBigUint64(header + 32, BigInt(section.bytes.length), true);
    view.setUint32(header + 40, section.link ?? 0, true);
    view.setBigUint64(header + 56, section.entrySize ?? 0n, true);
    out.set(section.bytes, sectionAt[index]);
  });
  return out;
}

function addSymbols(sections: SectionToBuild[], symbols: readonly SymbolToBuild[]): void {
  const names = strings(['', ...symbols.map((symbol) => symbol.name)]);
  const bytes = new Uint8Array(24 * (symbols.length + 1));
  const view = new DataView(bytes.buffer);
  symbols.forEach((symbol, index) => {
    const at = (index + 1) * 24;
    view.setUint32(at, names.at(symbol.name), true);
    view.setUint8(at + 4, (symbol.binding << 4) | symbol.type);
    view.setUint16(at + 6, symbol.sectionIndex, true);
    view.setBigUint64(at + 8, symbol.address, true);
    view.setBigUint64(at + 16, symbol.size, true);
  });
  sections.push({ name: '.symtab', type: 2, bytes, link: sections.length + 1, entrySize: 24n });
  sections.push({ name: '.strtab', type: 3, bytes: names.bytes });
}

function strings(all: readonly string[]): { bytes: Uint8Array; at: (name: string) => number } {
  const offsets = new Map<string, number>();
  let text = '\0';
  for (const name of all) {
    if (!offsets.has(name)) { offsets.set(name, text.length); text += `${name}\0`; }
  }
  return { bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)), at: (name) => offsets.get(name) ?? 0 };
}

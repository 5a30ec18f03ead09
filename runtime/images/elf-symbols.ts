/**
 * Reads ELF symbol tables. Not a name demangler and not an address index: it gives the rows as the file has them.
 * Format: gABI chapter 4, "Symbol Table".
 */

import { ByteReader, latin1 } from '../base/byte-reader';
import type { ElfFile, ElfSection } from './elf';

/** Most symbols read from one file; a debug build of Linux has about half a million. */
export const SYMBOL_COUNT_MAX = 4_000_000;
/** Longest symbol name read; the rest of a longer one is cut. */
export const SYMBOL_NAME_LENGTH_MAX = 16384;
/** Names stop being read (they become empty) after this many characters in all, so that a hostile table costs little. */
const NAME_CHARACTERS_MAX = 256 * 1024 * 1024;

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHT_SYMTAB_SHNDX = 18;
const SHN_XINDEX = 0xffff;
const SYMBOL_SIZE = 24;

/** What a symbol names (gABI: STT_*). */
export type ElfSymbolType = 'none' | 'object' | 'function' | 'section' | 'file' | 'common' | 'tls' | 'other';
/** How a symbol is seen by other files (gABI: STB_*). */
export type ElfSymbolBinding = 'local' | 'global' | 'weak' | 'other';

/** One row of a symbol table, mapping symbols (`$x`, `$d`) included. */
export interface ElfSymbol {
  readonly name: string;
  /** `st_value`: a virtual address in linked files. */
  readonly address: bigint;
  /** `st_size` in bytes. */
  readonly size: number;
  readonly type: ElfSymbolType;
  readonly binding: ElfSymbolBinding;
  /** Index of the section it belongs to; 0 if undefined, 0xfff1 if absolute. */
  readonly sectionIndex: number;
}

const TYPES: readonly ElfSymbolType[] = ['none', 'object', 'function', 'section', 'file', 'common', 'tls'];
const BINDINGS: readonly ElfSymbolBinding[] = ['local', 'global', 'weak'];

/** All symbols of `.symtab`, else of `.dynsym`, without the empty first row; damaged tables give what is readable. */
export function readSymbols(elf: ElfFile): readonly ElfSymbol[] {
  const table = findTable(elf, SHT_SYMTAB) ?? findTable(elf, SHT_DYNSYM);
  if (table === undefined) return [];
  const rows = new ByteReader(elf.sectionBytes(table) ?? new Uint8Array(0));
  const namesSection = elf.sections[table.link];
  const nameAt = nameReader((namesSection === undefined ? undefined : elf.sectionBytes(namesSection)) ?? new Uint8Array(0));
  const extended = extendedIndexes(elf, table);
  const count = Math.min(Math.floor(rows.sizeBytes / SYMBOL_SIZE), SYMBOL_COUNT_MAX);
  const symbols: ElfSymbol[] = [];
  for (let index = 1; index < count; index++) {
    const at = index * SYMBOL_SIZE;
    const info = rows.u8(at + 4) ?? 0;
    const sectionIndex = rows.u16(at + 6) ?? 0;
    symbols.push({
      name: nameAt(rows.u32(at) ?? 0),
      address: rows.u64(at + 8) ?? 0n,
      size: Number(rows.u64(at + 16) ?? 0n),
      type: TYPES[info & 15] ?? 'other',
      binding: BINDINGS[info >> 4] ?? 'other',
      sectionIndex: sectionIndex === SHN_XINDEX ? (extended.u32(index * 4) ?? sectionIndex) : sectionIndex,
    });
  }
  return symbols;
}

function findTable(elf: ElfFile, type: number): ElfSection | undefined {
  return elf.sections.find((section) => section.type === type && !section.compressed);
}

function extendedIndexes(elf: ElfFile, table: ElfSection): ByteReader {
  const section = elf.sections.find((candidate) => candidate.type === SHT_SYMTAB_SHNDX && candidate.link === table.index);
  return new ByteReader((section === undefined ? undefined : elf.sectionBytes(section)) ?? new Uint8Array(0));
}

function nameReader(table: Uint8Array): (offset: number) => string {
  let left = NAME_CHARACTERS_MAX;
  return (offset) => {
    const limit = Math.min(table.length, offset + Math.min(SYMBOL_NAME_LENGTH_MAX, left));
    let end = offset;
    while (end < limit && table[end] !== 0) end++;
    left -= end - offset;
    return end > offset ? latin1(table.subarray(offset, end)) : '';
  };
}

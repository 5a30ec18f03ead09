/**
 * Reads linked AArch64 ELF files: 64-bit, little-endian, ET_EXEC or ET_DYN. Every header is checked against the file
 * before use, so a hostile file gives a diagnostic and nothing else. Section data are views of the file's bytes.
 * It does not relocate, does not decompress and does not interpret debug information.
 * Format: System V ABI (gABI) chapters 4 and 5; ELF for the Arm 64-bit Architecture (AAELF64).
 */

import { hex } from '../base/bits';
import { ByteReader } from '../base/byte-reader';
import type { Diagnostic, Result } from '../base/result';
import { err, ok } from '../base/result';
import { firstBytes, imageError, type ImageDiagnosticCode } from './diagnostics';
import { readSymbols, type ElfSymbol } from './elf-symbols';

/** Largest `p_memsz` accepted, in bytes: guests of this platform together use at most 3 GiB. */
export const SEGMENT_SIZE_MAX = 0x1_0000_0000;
/** Most program headers accepted. */
export const SEGMENT_COUNT_MAX = 4096;
/** Most sections accepted. */
export const SECTION_COUNT_MAX = 262144;

/** Program header types that have a meaning here; others keep their number (gABI: p_type). */
export const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_NOTE = 4;
const SHT_NOTE = 7;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2n;
const SHF_COMPRESSED = 0x800n;
const EM_AARCH64 = 183;
const HEADER_SIZE = 64;
const SEGMENT_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;

/** One program header with its bytes. */
export interface ElfSegment {
  /** `p_type`; `PT_LOAD` is 1. */
  readonly type: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  /** The part that the file holds (`p_filesz` bytes; empty in a debug-only file). */
  readonly bytes: Uint8Array;
  /** `p_memsz` in bytes; what exceeds `bytes` is zero. */
  readonly sizeInMemory: number;
  readonly alignment: bigint;
}

/** One section header. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** `sh_type` (gABI figure 4-9). */
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  readonly fileOffset: bigint;
  readonly size: bigint;
  readonly link: number;
  readonly info: number;
  readonly entrySize: bigint;
  /** True if the data are compressed (SHF_COMPRESSED, or the older `.zdebug_` names), hence not readable as they are. */
  readonly compressed: boolean;
}

/** A checked ELF file. Sections and symbols are read when asked for. */
export class ElfFile {
  readonly type: 'executable' | 'dynamic';
  /** `e_entry`, a virtual address. */
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  /** What is odd but does not prevent use. */
  readonly warnings: readonly Diagnostic[];
  private readonly reader: ByteReader;
  private readonly byName: ReadonlyMap<string, ElfSection>;
  private symbolsRead: readonly ElfSymbol[] | undefined;

  /** Use `parseElf`. */
  constructor(reader: ByteReader, parts: ElfParts) {
    this.reader = reader;
    this.type = parts.type;
    this.entry = parts.entry;
    this.segments = parts.segments;
    this.sections = parts.sections;
    this.warnings = parts.warnings;
    const byName = new Map<string, ElfSection>();
    for (const section of parts.sections) if (!byName.has(section.name)) byName.set(section.name, section);
    this.byName = byName;
  }

  /** The header of the first section with this name. */
  findSection(name: string): ElfSection | undefined {
    return this.byName.get(name);
  }

  /** The data of the first section with this name; `undefined` if absent, without data in the file, or compressed. */
  section(name: string): Uint8Array | undefined {
    const section = this.byName.get(name);
    return section === undefined || section.compressed ? undefined : this.sectionBytes(section);
  }

  /** The data of a section as stored, even if compressed; `undefined` if it has none in the file. */
  sectionBytes(section: ElfSection): Uint8Array | undefined {
    if (section.type === SHT_NOBITS || section.type === 0) return undefined;
    return this.reader.slice(Number(section.fileOffset), Number(section.size));
  }

  /** The symbols of `.symtab`, or of `.dynsym` if there is no `.symtab`, in file order; read once. */
  get symbols(): readonly ElfSymbol[] {
    this.symbolsRead ??= readSymbols(this);
    return this.symbolsRead;
  }

  /** The GNU build identifier in lower-case hexadecimal, if the linker left one. */
  get buildId(): string | undefined {
    for (const section of this.sections) {
      const found = section.type === SHT_NOTE && !section.compressed ? buildIdIn(this.sectionBytes(section)) : undefined;
      if (found !== undefined) return found;
    }
    for (const segment of this.segments) {
      const found = segment.type === PT_NOTE ? buildIdIn(segment.bytes) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The dynamic linker that the file asks for, if any; such a file cannot run on a bare machine. */
  get interpreter(): string | undefined {
    const segment = this.segments.find((candidate) => candidate.type === PT_INTERP);
    return segment === undefined ? undefined : (new ByteReader(segment.bytes).cString(0, 4096) ?? '');
  }
}

interface ElfParts {
  readonly type: 'executable' | 'dynamic';
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  readonly warnings: readonly Diagnostic[];
}

interface Header {
  readonly type: 'executable' | 'dynamic';
  readonly entry: bigint;
  readonly segmentOffset: bigint;
  readonly segmentCount: number;
  readonly sectionOffset: bigint;
  readonly sectionCount: number;
  readonly sectionNamesIndex: number;
}

type Fault = readonly [code: ImageDiagnosticCode, found?: string];

/** Checks and reads an ELF file. The error says why it cannot be used; `name` goes into diagnostics. */
export function parseElf(bytes: Uint8Array, name?: string): Result<ElfFile, Diagnostic> {
  const fail = ([code, found]: Fault) => err(imageError(code, name, found));
  const reader = new ByteReader(bytes);
  const header = readHeader(reader);
  if (!header.ok) return fail(header.error);
  const sections = readSections(reader, header.value);
  if (!sections.ok) return fail(sections.error);
  const segments = readSegments(reader, header.value, isDebugOnly(sections.value));
  if (!segments.ok) return fail(segments.error);
  const fault = checkLoadSegments(segments.value);
  if (fault !== undefined) return fail(fault);
  const warnings = sectionFaults(reader, sections.value).map((found) => ({ ...imageError('elf-bad-section', name, found), severity: 'warning' as const }));
  const { type, entry } = header.value;
  return ok(new ElfFile(reader, { type, entry, segments: segments.value, sections: sections.value, warnings }));
}

/** True if the bytes begin with the ELF magic number. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function identityFault(reader: ByteReader): Fault | undefined {
  if (!isElf(reader.bytes)) return ['elf-not-elf', firstBytes(reader.bytes)];
  if (reader.sizeBytes < 20) return ['elf-truncated', `it has ${String(reader.sizeBytes)} bytes, less than a header`];
  if (reader.u8(4) === 1) return ['elf-32-bit'];
  if (reader.u8(4) !== 2) return ['elf-bad-header', `unknown class ${String(reader.u8(4))}`];
  if (reader.u8(5) === 2) return ['elf-big-endian'];
  if (reader.u8(5) !== 1) return ['elf-bad-header', `unknown byte order ${String(reader.u8(5))}`];
  const machine = reader.u16(18);
  if (machine !== EM_AARCH64) return ['elf-wrong-machine', machineName(machine ?? 0)];
  if (reader.sizeBytes < HEADER_SIZE) return ['elf-truncated', `it has ${String(reader.sizeBytes)} bytes, less than a header`];
  return undefined;
}

function machineName(machine: number): string {
  const names: Readonly<Record<number, string>> = { 3: 'x86', 8: 'MIPS', 20: 'PowerPC', 21: 'PowerPC 64', 22: 's390', 40: '32-bit Arm', 62: 'x86-64', 243: 'RISC-V', 247: 'BPF', 258: 'LoongArch' };
  return names[machine] ?? `machine number ${String(machine)}`;
}

function typeOf(type: number | undefined): Result<'executable' | 'dynamic', Fault> {
  switch (type) {
    case 1: return err(['elf-object-file']);
    case 2: return ok('executable');
    case 3: return ok('dynamic');
    case 4: return err(['elf-core-file']);
    default: return err(['elf-bad-header', `unknown file type ${String(type)}`]);
  }
}

function readHeader(reader: ByteReader): Result<Header, Fault> {
  const fault = identityFault(reader);
  if (fault !== undefined) return err(fault);
  const type = typeOf(reader.u16(16));
  if (!type.ok) return type;
  const segmentOffset = reader.u64(32) ?? 0n;
  const sectionOffset = reader.u64(40) ?? 0n;
  let segmentCount = segmentOffset === 0n ? 0 : (reader.u16(56) ?? 0);
  let sectionCount = sectionOffset === 0n ? 0 : (reader.u16(60) ?? 0);
  let sectionNamesIndex = reader.u16(62) ?? 0;
  if (segmentCount > 0 && reader.u16(54) !== SEGMENT_HEADER_SIZE) return err(['elf-bad-header', `program headers of ${String(reader.u16(54))} bytes`]);
  if (sectionOffset !== 0n) {
    // Counts that do not fit 16 bits live in section 0 (gABI: "Special Section Indexes").
    const zero = Number(sectionOffset);
    if (reader.u16(58) !== SECTION_HEADER_SIZE) return err(['elf-bad-header', `section headers of ${String(reader.u16(58))} bytes`]);
    if (!reader.has(zero, SECTION_HEADER_SIZE)) return err(['elf-truncated', 'its section headers lie outside']);
    if (sectionCount === 0) sectionCount = Number(reader.u64(zero + 32) ?? 0n);
    if (sectionNamesIndex === 0xffff) sectionNamesIndex = reader.u32(zero + 40) ?? 0;
    if (segmentCount === 0xffff) segmentCount = reader.u32(zero + 44) ?? 0;
  }
  if (segmentCount > SEGMENT_COUNT_MAX) return err(['elf-bad-header', `${String(segmentCount)} program headers`]);
  if (sectionCount > SECTION_COUNT_MAX) return err(['elf-bad-header', `${String(sectionCount)} sections`]);
  return ok({ type: type.value, entry: reader.u64(24) ?? 0n, segmentOffset, segmentCount, sectionOffset, sectionCount, sectionNamesIndex });
}

function readSections(reader: ByteReader, header: Header): Result<readonly ElfSection[], Fault> {
  const start = Number(header.sectionOffset);
  if (!reader.has(start, header.sectionCount * SECTION_HEADER_SIZE)) return err(['elf-truncated', 'its section headers lie outside']);
  const names = sectionNameReader(reader, header);
  const sections: ElfSection[] = [];
  for (let index = 0; index < header.sectionCount; index++) sections.push(readSection(reader, start + index * SECTION_HEADER_SIZE, index, names));
  return ok(sections);
}

function readSection(reader: ByteReader, at: number, index: number, nameAt: (offset: number) => string): ElfSection {
  const name = nameAt(reader.u32(at) ?? 0);
  const flags = reader.u64(at + 8) ?? 0n;
  return {
    index, name, flags,
    type: reader.u32(at + 4) ?? 0,
    address: reader.u64(at + 16) ?? 0n,
    fileOffset: reader.u64(at + 24) ?? 0n,
    size: reader.u64(at + 32) ?? 0n,
    link: reader.u32(at + 40) ?? 0,
    info: reader.u32(at + 44) ?? 0,
    entrySize: reader.u64(at + 56) ?? 0n,
    compressed: (flags & SHF_COMPRESSED) !== 0n || name.startsWith('.zdebug_'),
  };
}

/** Reads names from the section-name string table; a missing or lying table gives empty names. */
function sectionNameReader(reader: ByteReader, header: Header): (offset: number) => string {
  const at = Number(header.sectionOffset) + header.sectionNamesIndex * SECTION_HEADER_SIZE;
  const inside = header.sectionNamesIndex > 0 && header.sectionNamesIndex < header.sectionCount;
  const table = inside ? reader.slice(Number(reader.u64(at + 24) ?? 0n), Number(reader.u64(at + 32) ?? 0n)) : undefined;
  const names = new ByteReader(table ?? new Uint8Array(0));
  return (offset) => names.cString(offset, 256) ?? '';
}

function sectionFaults(reader: ByteReader, sections: readonly ElfSection[]): string[] {
  return sections
    .filter((section) => section.type !== SHT_NOBITS && section.type !== 0 && !reader.has(Number(section.fileOffset), Number(section.size)))
    .slice(0, 8)
    .map((section) => `${section.name === '' ? `number ${String(section.index)}` : section.name} lies outside the file`);
}

/** A file split off by `objcopy --only-keep-debug`: its segments describe bytes that it does not hold. */
function isDebugOnly(sections: readonly ElfSection[]): boolean {
  const allocated = sections.filter((section) => (section.flags & SHF_ALLOC) !== 0n && section.size > 0n);
  return allocated.length > 0 && allocated.every((section) => section.type === SHT_NOBITS || section.type === SHT_NOTE);
}

function readSegments(reader: ByteReader, header: Header, debugOnly: boolean): Result<readonly ElfSegment[], Fault> {
  const start = Number(header.segmentOffset);
  if (!reader.has(start, header.segmentCount * SEGMENT_HEADER_SIZE)) return err(['elf-truncated', 'its program headers lie outside']);
  const segments: ElfSegment[] = [];
  for (let index = 0; index < header.segmentCount; index++) {
    const segment = readSegment(reader, start + index * SEGMENT_HEADER_SIZE, index, debugOnly);
    if (!segment.ok) return segment;
    segments.push(segment.value);
  }
  return ok(segments);
}

function readSegment(reader: ByteReader, at: number, index: number, debugOnly: boolean): Result<ElfSegment, Fault> {
  const type = reader.u32(at) ?? 0;
  const flags = reader.u32(at + 4) ?? 0;
  const fileSize = Number(reader.u64(at + 32) ?? 0n);
  const memorySize = reader.u64(at + 40) ?? 0n;
  const bytes = reader.slice(Number(reader.u64(at + 8) ?? 0n), fileSize);
  // Only what is loaded must be whole: other headers of stripped files often point nowhere.
  if (bytes === undefined && type === PT_LOAD && fileSize > 0 && !debugOnly) return err(['elf-truncated', `segment ${String(index)} lies outside`]);
  return ok({
    type,
    readable: (flags & 4) !== 0,
    writable: (flags & 2) !== 0,
    executable: (flags & 1) !== 0,
    virtualAddress: reader.u64(at + 16) ?? 0n,
    physicalAddress: reader.u64(at + 24) ?? 0n,
    bytes: bytes ?? new Uint8Array(0),
    sizeInMemory: Number(memorySize),
    alignment: reader.u64(at + 48) ?? 0n,
  });
}

function checkLoadSegments(segments: readonly ElfSegment[]): Fault | undefined {
  const loaded = segments.filter((segment) => segment.type === PT_LOAD && segment.sizeInMemory + segment.bytes.length > 0);
  for (const segment of loaded) {
    const where = hex(segment.physicalAddress);
    const size = segment.sizeInMemory;
    if (segment.bytes.length > size) return ['elf-bad-segment', `the one at ${where} has ${String(segment.bytes.length)} bytes in the file but ${String(size)} in memory`];
    if (size > SEGMENT_SIZE_MAX) return ['elf-segment-too-large', `${hex(size)} bytes at ${where}`];
    const end = BigInt(size);
    if (segment.physicalAddress + end > 1n << 64n || segment.virtualAddress + end > 1n << 64n) return ['elf-bad-segment', `the one at ${where} wraps around the end of memory`];
  }
  return overlap(loaded, (segment) => segment.physicalAddress) ?? overlap(loaded, (segment) => segment.virtualAddress);
}

function overlap(segments: readonly ElfSegment[], addressOf: (segment: ElfSegment) => bigint): Fault | undefined {
  const sorted = [...segments].sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : addressOf(a) > addressOf(b) ? 1 : 0));
  for (let index = 1; index < sorted.length; index++) {
    const [before, after] = [sorted[index - 1], sorted[index]];
    if (before === undefined || after === undefined) continue;
    const end = addressOf(before) + BigInt(before.sizeInMemory);
    if (end > addressOf(after)) return ['elf-overlapping-segments', `${hex(addressOf(before))}–${hex(end)} and ${hex(addressOf(after))}`];
  }
  return undefined;
}

/** Looks for the note with owner `GNU` and type 3 (NT_GNU_BUILD_ID). */
function buildIdIn(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const reader = new ByteReader(bytes);
  for (let at = 0; reader.has(at, 12);) {
    const nameSize = reader.u32(at) ?? 0;
    const dataSize = reader.u32(at + 4) ?? 0;
    const dataAt = at + 12 + Math.ceil(nameSize / 4) * 4;
    const data = reader.slice(dataAt, dataSize);
    if (data === undefined) return undefined;
    if (reader.u32(at + 8) === 3 && nameSize === 4 && reader.u32(at + 12) === 0x0055_4e47) {
      return [...data.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }
    at = dataAt + Math.ceil(dataSize / 4) * 4;
  }
  return undefined;
}

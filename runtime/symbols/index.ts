/**
 * Symbols and debug information of AArch64 images: source lines, functions, variables, types and call frames from ELF symbol
 * tables and DWARF 4 and 5 of gcc and clang. Not the loader of programs, and not the evaluator of C expressions.
 */
import { ByteReader } from '../base/byte-reader';
import { err, ok, type Diagnostic, type Result } from '../base/result';
import type { ElfFile } from '../images/elf';
import type { ImageSection, SectionSource } from './dwarf/sections';
import { inflateZlib } from './inflate';
import { SymbolFile, type SymbolOptions } from './symbol-file';

export type { ImageSection, SectionSource } from './dwarf/sections';
export type { ElfSymbolKind } from './elf-symbols';
export {
  fromBytes, type FrameContext, type Location, type LocationPiece, type MemoryReader, REGISTER, type RegisterReader, registersFrom, toBytes,
} from './frame';
export { type StackFrame, type StackWalk, walkStack } from './stack';
export {
  type AddressRange, type FunctionInfo, type InlineFrame, type LineAddress, type SourceLine, type SymbolAt, SymbolFile, type SymbolOptions,
} from './symbol-file';
export { builtInType, C_TYPES } from './type-names';
export {
  type ArrayType, type BaseEncoding, type BaseType, declaration, type EnumType, findMember, type FunctionType, type Member, type PointerType,
  type QualifiedType, type RecordType, sizeOfType, stripType, type Type, typeInFrame, typeName, type TypedefType, VOID, type VoidType,
} from './types';
export type { Unwound } from './unwind';
export type { Variable, VariableKind } from './variables';

/** Opens the symbols of an image. Fails only if there are neither symbols nor debug information in it. */
export function loadSymbols(source: SectionSource, options: SymbolOptions): Result<SymbolFile, Diagnostic> {
  const file = new SymbolFile(cached(source), options);
  if (file.hasDebugInfo || source.section('.symtab') !== undefined) return ok(file);
  return err({
    severity: 'warning', code: 'symbols-none', file: options.name,
    message: `${options.name} has no symbols: it was stripped or built without -g. Give the unstripped file, or list it under "symbols".`,
  });
}

/** The same source, asked once for each section: decompression is not for free. */
function cached(source: SectionSource): SectionSource {
  const known = new Map<string, ImageSection | undefined>();
  return {
    baseAddress: source.baseAddress,
    contents: (address, sizeBytes) => source.contents?.(address, sizeBytes),
    problems: () => source.problems?.() ?? [],
    section(name): ImageSection | undefined {
      if (!known.has(name)) known.set(name, source.section(name));
      return known.get(name);
    },
  };
}

/** The sections of a parsed ELF file as the symbol reader wants them, decompressed where the linker compressed them. */
export function elfSections(elf: ElfFile): SectionSource {
  const loaded = elf.segments.filter((segment) => segment.type === 1 && segment.sizeInMemory > 0).map((segment) => segment.virtualAddress);
  const baseAddress = loaded.reduce((low, address) => (address < low ? address : low), loaded[0] ?? 0n);
  const problems: Diagnostic[] = [];
  return {
    baseAddress,
    contents: (address, sizeBytes) => loadedBytes(elf, address, sizeBytes),
    problems: () => problems,
    section(name: string): ImageSection | undefined {
      const header = elf.findSection(name);
      const bytes = header?.compressed === true ? decompressed(elf.sectionBytes(header)) : elf.section(name);
      if (header?.compressed === true && bytes === undefined && problems.length === 0) problems.push(packedOtherwise(name, elf.sectionBytes(header)));
      return bytes === undefined ? undefined : { address: header?.address ?? 0n, bytes };
    },
  };
}

function loadedBytes(elf: ElfFile, address: bigint, sizeBytes: number): Uint8Array | undefined {
  const end = address + BigInt(sizeBytes);
  for (const { type, virtualAddress, bytes } of elf.segments) {
    if (type !== 1 || address < virtualAddress || end > virtualAddress + BigInt(bytes.length)) continue;
    const at = Number(address - virtualAddress);
    return bytes.subarray(at, at + sizeBytes);
  }
  return undefined;
}

const COMPRESSION_HEADER_SIZE_BYTES = 24;
const COMPRESSION_ZLIB = 1;
const COMPRESSION_ZSTD = 2;
/** The largest section that is decompressed; a kernel's .debug_info has about 200 MB. */
const DECOMPRESSED_SIZE_MAX_BYTES = 1 << 30;

function packedOtherwise(name: string, stored: Uint8Array | undefined): Diagnostic {
  const kind = new ByteReader(stored ?? new Uint8Array(0)).u32(0);
  const how = kind === COMPRESSION_ZSTD ? 'is compressed with zstd, which is not read here' : 'is compressed and cannot be unpacked';
  return {
    severity: 'warning', code: 'symbols-compressed',
    message: `The section ${name} ${how}; what it describes is missing. Build with -gz=zlib or without -gz, or run objcopy --decompress-debug-sections on the file.`,
  };
}

/** The contents of a compressed section (System V ABI, "Section Compression"). */
function decompressed(stored: Uint8Array | undefined): Uint8Array | undefined {
  const reader = new ByteReader(stored ?? new Uint8Array(0));
  const size = Number(reader.u64(8) ?? 0n);
  // No compressor shrinks more than a thousandfold: a larger claim is damage.
  const isLikely = size <= DECOMPRESSED_SIZE_MAX_BYTES && size <= reader.sizeBytes * 1100;
  if (reader.u32(0) !== COMPRESSION_ZLIB || !isLikely) return undefined;
  return inflateZlib(reader.bytes.subarray(COMPRESSION_HEADER_SIZE_BYTES), size);
}

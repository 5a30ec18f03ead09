/**
 * Symbols and debug information of AArch64 images: source lines, functions, variables, types and call frames from ELF symbol
 * tables and DWARF 4 and 5 of gcc and clang. Not the loader of programs, and not the evaluator of C expressions.
 */
import { err, ok, type Diagnostic, type Result } from '../base/result';
import type { ElfFile } from '../images/elf';
import type { ImageSection, SectionSource } from './dwarf/sections';
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
  const file = new SymbolFile(source, options);
  if (file.hasDebugInfo || source.section('.symtab') !== undefined) return ok(file);
  return err({
    severity: 'warning', code: 'symbols-none', file: options.name,
    message: `${options.name} has no symbols: it was stripped or built without -g. Give the unstripped file, or list it under "symbols".`,
  });
}

/** The sections of a parsed ELF file as the symbol reader wants them. */
export function elfSections(elf: ElfFile): SectionSource {
  const loaded = elf.segments.filter((segment) => segment.type === 1 && segment.sizeInMemory > 0).map((segment) => segment.virtualAddress);
  const baseAddress = loaded.reduce((low, address) => (address < low ? address : low), loaded[0] ?? 0n);
  return {
    baseAddress,
    section(name: string): ImageSection | undefined {
      const bytes = elf.section(name);
      return bytes === undefined ? undefined : { address: elf.findSection(name)?.address ?? 0n, bytes };
    },
  };
}

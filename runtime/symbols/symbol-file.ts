/**
 * The symbols of one image at the place where it runs. This is the face of the folder: addresses are runtime addresses
 * (link addresses plus the slide), as bigints. Everything is read when first asked for and kept within budgets; malformed
 * debug information shows up in `problems` and as missing answers, never as exceptions.
 */
import type { Diagnostic } from '../base/result';
import { AT, TAG } from './dwarf/constants';
import { FrameTable } from './dwarf/frames';
import { DwarfInfo } from './dwarf/info';
import { ROW } from './dwarf/line-table';
import type { OffsetRange } from './dwarf/ranges';
import { dwarfSections, ImageBase, OUTSIDE, type SectionSource } from './dwarf/sections';
import type { Die, UnitTree } from './dwarf/tree';
import { type ElfSymbol, type ElfSymbolKind, ElfSymbols } from './elf-symbols';
import type { FrameContext } from './frame';
import { type CodeFunction, FunctionIndex } from './functions';
import { type LineEntry, LineIndex, type StatementStart } from './lines';
import { NameIndex } from './name-index';
import { TypeNames } from './type-names';
import type { Type } from './types';
import { UnitIndex } from './unit-index';
import { cfaFrom, type PlainCode, type Unwound, unwindByRow } from './unwind';
import { type Variable, VariableReader } from './variables';

/** Runtime addresses `[start, end)`. */
export interface AddressRange { readonly start: bigint; readonly end: bigint }

/** A source line as the line table gives it for an address. */
export interface SourceLine {
  readonly file: string;
  /** One-based; 0 for code that belongs to no line. */
  readonly line: number;
  /** One-based; 0 if unknown. */
  readonly column: number;
  readonly isStatement: boolean;
  /** The neighbouring code of the same line. */
  readonly range: AddressRange;
}

/** A function with code, from debug information or, for assembly, from the symbol table. */
export interface FunctionInfo {
  readonly name: string;
  readonly address: bigint;
  readonly ranges: readonly AddressRange[];
  /** Where it is declared, if there is debug information. */
  readonly file?: string;
  readonly line?: number;
  readonly hasDebugInfo: boolean;
}

/** A function call at an address, innermost first; all but the last are inlined into the next. */
export interface InlineFrame {
  readonly name: string;
  readonly isInlined: boolean;
  /** Where this function was called from, for inlined ones: it is the line of the next frame. */
  readonly callFile?: string;
  readonly callLine?: number;
  readonly callColumn?: number;
}

/** A name for an address. */
export interface SymbolAt { readonly name: string; readonly address: bigint; readonly offset: bigint; readonly kind: ElfSymbolKind }

/** Where a breakpoint on a line goes. */
export interface LineAddress { readonly address: bigint; readonly actualLine: number; readonly column: number }

/** How to open a symbol file. */
export interface SymbolOptions {
  /** What the image is called, for `vm!symbol` and messages. */
  readonly name: string;
  /** Runtime address minus link address; 0 unless the image was relocated. */
  readonly slide?: bigint;
  /** Turns the path of a file as the editor knows it into the path that was recorded at build time. */
  readonly sourceMap?: (path: string) => string;
}

/** The most that `-fpatchable-function-entry` is used for: an instruction for a landing pad and a few to be patched. */
const PAD_SIZE_MAX_BYTES = 32;
/** How many look-ups of global variables are kept. */
const CACHED_GLOBAL_COUNT_MAX = 4096;
/** More names than a completion list shows. */
const COMPLETION_COUNT_MAX = 200;

/** How many places of one image are remembered. */
const VIEW_COUNT_MAX = 16;

/** What does not depend on where the image is. */
interface SharedParts {
  readonly source: SectionSource;
  readonly original: SymbolFile;
  readonly base: ImageBase;
  readonly info: DwarfInfo;
  readonly symbols: ElfSymbols;
  readonly units: UnitIndex;
  readonly functions: FunctionIndex;
  readonly lines: LineIndex;
  readonly names: NameIndex;
  readonly frames: FrameTable;
  readonly views: Map<bigint, SymbolFile>;
}

function openParts(source: SectionSource, original: SymbolFile): SharedParts {
  const base = new ImageBase(source.baseAddress);
  const info = new DwarfInfo(dwarfSections(source), base);
  const units = new UnitIndex(info);
  return {
    source, original, base, info, units, symbols: new ElfSymbols(source, base), functions: new FunctionIndex(info, units),
    lines: new LineIndex(info, units), names: new NameIndex(info), frames: new FrameTable(source, base), views: new Map(),
  };
}

/** Symbols, lines, variables, types and call frames of one image. */
export class SymbolFile {
  readonly name: string;
  readonly slide: bigint;
  private readonly parts: SharedParts;
  private readonly options: SymbolOptions;
  private readonly base: ImageBase;
  private readonly info: DwarfInfo;
  private readonly symbols: ElfSymbols;
  private readonly functions: FunctionIndex;
  private readonly lines: LineIndex;
  private readonly names: NameIndex;
  private readonly units: UnitIndex;
  private readonly frames: FrameTable;
  private readonly variables: VariableReader;
  private readonly typeNames: TypeNames;
  private readonly sourceMap: (path: string) => string;
  private readonly functionInfos = new WeakMap<CodeFunction, FunctionInfo>();
  private readonly globals = new Map<string, Variable | undefined>();

  /** Opens an image, or with `shared` sees one that is open at another place. */
  constructor(source: SectionSource, options: SymbolOptions, shared?: SharedParts) {
    this.name = options.name;
    this.options = options;
    this.slide = options.slide ?? 0n;
    this.sourceMap = options.sourceMap ?? ((path) => path);
    this.parts = shared ?? openParts(source, this);
    ({ base: this.base, info: this.info, symbols: this.symbols, units: this.units, functions: this.functions, lines: this.lines, names: this.names, frames: this.frames } = this.parts);
    this.variables = new VariableReader(this.info, this.slide);
    this.variables.callSiteOf = (caller) => this.callSite(caller);
    this.typeNames = new TypeNames(this.names, this.variables.types);
  }

  /** The file as it was opened: what all views of one image have in common. */
  get original(): SymbolFile {
    return this.parts.original;
  }

  /** The same image at another place, with what was read of it so far. */
  moved(slide: bigint): SymbolFile {
    if (slide === this.slide) return this;
    const { views, source, original } = this.parts;
    if (slide === original.slide) return original;
    const known = views.get(slide);
    if (known !== undefined) return known;
    const view = new SymbolFile(source, { ...this.options, slide }, this.parts);
    if (views.size >= VIEW_COUNT_MAX) views.clear();
    views.set(slide, view);
    return view;
  }

  /** What the image holds at a runtime address when it is loaded; `undefined` where the file has no bytes for it. */
  contentsAt(address: bigint, sizeBytes: number): Uint8Array | undefined {
    return this.parts.source.contents?.(BigInt.asUintN(64, address - this.slide), sizeBytes);
  }

  /** What is wrong with the debug information, as far as it was read. */
  get problems(): readonly Diagnostic[] {
    return [...this.parts.source.problems?.() ?? [], ...this.info.problems];
  }

  /** True if there is DWARF at all. */
  get hasDebugInfo(): boolean {
    return this.info.units.length > 0;
  }

  private offsetOf(address: bigint): number {
    return this.base.offsetOf(this.slide === 0n ? address : BigInt.asUintN(64, address - this.slide));
  }

  private addressOf(offset: number): bigint {
    return this.runtime(this.base.addressOf(offset));
  }

  /** A link address where the image runs: addresses wrap around. */
  private runtime(address: bigint): bigint {
    return this.slide === 0n ? address : BigInt.asUintN(64, address + this.slide);
  }

  private range(range: OffsetRange): AddressRange {
    return { start: this.addressOf(range.start), end: this.addressOf(range.end) };
  }

  // Lines

  /** The line of an address; `undefined` for code without a line. */
  lineAt(address: bigint): SourceLine | undefined {
    const entry = this.entryAt(address);
    return entry === undefined || entry.line === 0 ? undefined : this.sourceLine(entry);
  }

  /** The stretch of code around an address that belongs to one line, or to none (line 0). */
  lineRange(address: bigint): SourceLine | undefined {
    const entry = this.entryAt(address);
    return entry === undefined ? undefined : this.sourceLine(entry);
  }

  /** True if a statement begins exactly at an address: where stepping by line may stop. */
  isStatementStart(address: bigint): boolean {
    const offset = this.offsetOf(address);
    return offset !== OUTSIDE && this.lines.isStatementStart(offset);
  }

  private entryAt(address: bigint): LineEntry | undefined {
    const offset = this.offsetOf(address);
    if (offset === OUTSIDE) return undefined;
    return this.lines.at(this.paddedFunction(offset)?.entry ?? offset);
  }

  /**
   * The function whose patchable entry an offset lies in. GCC leaves the instructions that `-fpatchable-function-entry` puts
   * before a function's own out of its debug information; only the symbol covers them.
   */
  private paddedFunction(offset: number): CodeFunction | undefined {
    if (this.functions.at(offset) !== undefined) return undefined;
    const symbol = this.symbols.covering(offset);
    if (symbol === undefined || symbol.kind === 'object') return undefined;
    const start = this.base.offsetOf(symbol.address);
    const found = offset - start < PAD_SIZE_MAX_BYTES ? this.functions.firstIn(offset, start + PAD_SIZE_MAX_BYTES) : undefined;
    return found?.name === symbol.name ? found : undefined;
  }

  /** The function around an offset, or the one whose patchable entry it is in. */
  private functionOver(offset: number): CodeFunction | undefined {
    return offset === OUTSIDE ? undefined : this.functions.at(offset) ?? this.paddedFunction(offset);
  }

  private sourceLine(entry: LineEntry): SourceLine {
    return { file: entry.file, line: entry.line, column: entry.column, isStatement: entry.isStatement, range: this.range(entry) };
  }

  /** Paths of all source files, as recorded at build time. */
  sourceFiles(): readonly string[] {
    return this.lines.sourceFiles();
  }

  /** The recorded paths that a path from the editor means; empty if the image was not built from it. */
  matchingSourceFiles(path: string): readonly string[] {
    return this.lines.matchingFiles(this.sourceMap(path));
  }

  /**
   * Where to stop for a line: one address for every function and inlined copy that has code for it, after the prologue if it
   * is the line a function begins on. If the line has no code, the next one that does.
   */
  addressesFor(file: string, line: number): readonly LineAddress[] {
    const perBlock = new Map<number, StatementStart>();
    for (const start of this.lines.firstStatementsFrom(this.sourceMap(file), line)) {
      const block = this.innermostCall(start.offset);
      if (!perBlock.has(block)) perBlock.set(block, start);
    }
    const found = new Map<bigint, LineAddress>();
    for (const start of perBlock.values()) {
      const one = this.afterPrologue(start);
      if (!found.has(one.address)) found.set(one.address, one);
    }
    return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** Identifies the function or inlined copy around an offset. */
  private innermostCall(offset: number): number {
    const func = this.functions.at(offset);
    if (func === undefined) return -1 - offset;
    const calls = this.functions.blocksAt(func, offset).filter((die) => die.tag !== TAG.lexical_block);
    return calls[calls.length - 1]?.offset ?? func.die.offset;
  }

  private afterPrologue(start: StatementStart): LineAddress {
    const func = this.functions.at(start.offset);
    const plain = { address: this.addressOf(start.offset), actualLine: start.line, column: start.column };
    if (func?.entry !== start.offset) return plain;
    const offset = this.prologueEndOffset(func);
    const entry = offset === start.offset ? undefined : this.lines.at(offset);
    return entry === undefined ? plain : { address: this.addressOf(offset), actualLine: entry.line === 0 ? start.line : entry.line, column: entry.column };
  }

  /** Positions in a file where a breakpoint can be, by line and column. */
  breakpointLocations(file: string, fromLine: number, toLine: number): readonly { readonly line: number; readonly column: number }[] {
    const found: { line: number; column: number }[] = [];
    for (const { line, column } of this.lines.statementsIn(this.sourceMap(file), fromLine, toLine)) {
      if (!found.some((one) => one.line === line && one.column === column)) found.push({ line, column });
    }
    return found.sort((a, b) => a.line - b.line || a.column - b.column);
  }

  /** Addresses at which a statement of the function at `address` begins, inlined ones included. */
  statementStarts(address: bigint): readonly (LineAddress & { readonly file: string })[] {
    const func = this.functionOver(this.offsetOf(address));
    if (func === undefined) return [];
    const found: (LineAddress & { file: string })[] = [];
    for (const row of this.lines.rowsIn(func.die.unit, func.ranges)) {
      if ((row.flags & ROW.isStatement) === 0 || row.line === 0) continue;
      const file = this.lines.fileOf(func.die.unit, row.fileNumber) ?? '';
      found.push({ address: this.addressOf(row.offset), actualLine: row.line, column: row.column, file });
    }
    return found;
  }

  // Functions and symbols

  /** The function around an address. */
  functionAt(address: bigint): FunctionInfo | undefined {
    const offset = this.offsetOf(address);
    const func = this.functionOver(offset);
    if (func !== undefined) return this.functionInfo(func);
    const symbol = offset === OUTSIDE ? undefined : this.symbols.covering(offset);
    return symbol === undefined || symbol.kind === 'object' ? undefined : this.symbolFunction(symbol);
  }

  private functionInfo(func: CodeFunction): FunctionInfo {
    const known = this.functionInfos.get(func);
    if (known !== undefined) return known;
    const info = this.makeFunctionInfo(func);
    this.functionInfos.set(func, info);
    return info;
  }

  private makeFunctionInfo(func: CodeFunction): FunctionInfo {
    const file = this.lines.fileOf(this.declarationUnit(func.die), func.die.number(AT.decl_file));
    const line = func.die.number(AT.decl_line);
    return {
      name: func.name, address: this.addressOf(func.entry), ranges: func.ranges.map((range) => this.range(range)), hasDebugInfo: true,
      ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }),
    };
  }

  private declarationUnit(die: Die): Die['unit'] {
    return (die.owner(AT.decl_file) ?? die).unit;
  }

  private symbolFunction(symbol: ElfSymbol): FunctionInfo {
    const start = this.base.offsetOf(symbol.address);
    const range = this.range({ start, end: this.symbols.endOf(symbol) });
    return { name: symbol.name, address: range.start, ranges: [range], hasDebugInfo: false };
  }

  /** Functions of that name with code of their own. */
  findFunctions(name: string): readonly FunctionInfo[] {
    const bySymbol = this.symbols.named(name).filter((symbol) => symbol.kind !== 'object')
      .map((symbol) => this.functionAt(this.runtime(symbol.address)) ?? this.symbolFunction(symbol))
      .filter((func) => func.name === name || !func.hasDebugInfo);
    if (bySymbol.length > 0) return distinct(bySymbol);
    return distinct(this.names.find('function', name).flatMap((die) => this.functions.copiesOf(die)).map((func) => this.functionInfo(func)));
  }

  /** Where a breakpoint on a function goes: after the prologue of each, and at the start of each inlined copy. */
  functionBreakpoints(name: string): readonly bigint[] {
    const found = new Set<bigint>();
    for (const func of this.findFunctions(name)) found.add(this.prologueEnd(func.address));
    for (const die of this.names.find('function', name)) {
      for (const offset of this.functions.inlinedCopies(die.abstract)) found.add(this.addressOf(offset));
    }
    return [...found].sort((a, b) => (a < b ? -1 : 1));
  }

  /** The address after the prologue of the function at `address`, where its parameters can be read; its entry if unknown. */
  prologueEnd(address: bigint): bigint {
    const func = this.functionOver(this.offsetOf(address));
    return func === undefined ? address : this.addressOf(this.prologueEndOffset(func));
  }

  /**
   * Where the compiler marks the end of the prologue, or else the second line table row. Optimised code without the mark is
   * entered at once: its location lists hold from the start, and its second row may lie behind a branch.
   */
  private prologueEndOffset(func: CodeFunction): number {
    const main = func.ranges.find((range) => func.entry >= range.start && func.entry < range.end);
    let isFirst = true;
    let second: number | undefined;
    for (const row of this.lines.rowsIn(func.die.unit, main === undefined ? [] : [main])) {
      if (row.offset < func.entry) continue;
      if ((row.flags & ROW.prologueEnd) !== 0) return row.offset;
      if (!isFirst && row.line !== 0 && (row.flags & ROW.isStatement) !== 0) second ??= row.offset;
      isFirst = false;
    }
    return second === undefined || this.functions.hasLocationLists(func.die.tree) ? func.entry : second;
  }

  /** The calls at an address, innermost first: inlined ones, then the function itself; the symbol's name for assembly. */
  inlineFramesAt(address: bigint): readonly InlineFrame[] {
    const calls = this.callsAt(address);
    if (calls.length === 0) {
      const func = this.functionAt(address);
      return func === undefined ? [] : [{ name: func.name, isInlined: false }];
    }
    return calls.map(({ die }) => this.inlineFrame(die));
  }

  private inlineFrame(die: Die): InlineFrame {
    const name = die.name ?? '?';
    if (die.tag !== TAG.inlined_subroutine) return { name, isInlined: false };
    const file = this.lines.fileOf(die.unit, die.number(AT.call_file));
    const line = die.number(AT.call_line);
    const column = die.number(AT.call_column);
    return {
      name, isInlined: true, ...(file === undefined ? {} : { callFile: file }), ...(line === undefined ? {} : { callLine: line }),
      ...(column === undefined ? {} : { callColumn: column }),
    };
  }

  /** Calls around an address, innermost first, each with the blocks inside it that contain the address. */
  private callsAt(address: bigint): { readonly die: Die; readonly blocks: readonly Die[] }[] {
    const offset = this.offsetOf(address);
    const func = this.functions.at(offset);
    const calls: { die: Die; blocks: Die[] }[] = [];
    for (const die of func === undefined ? [] : this.functions.blocksAt(func, offset)) {
      if (die.tag === TAG.lexical_block) calls[0]?.blocks.push(die);
      else calls.unshift({ die, blocks: [] });
    }
    return calls;
  }

  /** The symbol that covers an address. */
  symbolize(address: bigint): SymbolAt | undefined {
    const offset = this.offsetOf(address);
    const symbol = offset === OUTSIDE ? undefined : this.symbols.covering(offset);
    if (symbol !== undefined) {
      const start = this.runtime(symbol.address);
      return { name: symbol.name, address: start, offset: address - start, kind: symbol.kind };
    }
    const func = this.functions.at(offset);
    if (func === undefined) return undefined;
    const start = this.addressOf(func.entry);
    return { name: func.name, address: start, offset: address - start, kind: 'function' };
  }

  /** The runtime address of a symbol of the symbol table. */
  addressOfSymbol(name: string): bigint | undefined {
    const [symbol] = this.symbols.named(name);
    return symbol === undefined ? undefined : this.runtime(symbol.address);
  }

  /** Names of functions, variables and symbols that begin with `prefix`, sorted, at most 200. */
  completions(prefix: string): readonly string[] {
    const found = new Set<string>();
    for (const name of this.symbols.allNames()) if (name.startsWith(prefix)) found.add(name);
    if (found.size === 0) {
      for (const kind of ['function', 'variable'] as const) {
        for (const name of this.names.startingWith(kind, prefix, COMPLETION_COUNT_MAX)) found.add(name);
      }
    }
    return [...found].sort().slice(0, COMPLETION_COUNT_MAX);
  }

  // Variables and types

  /** Parameters and locals in scope at an address, innermost block first, for one of `inlineFramesAt` (0 is the innermost). */
  variablesAt(address: bigint, inlineIndex = 0): readonly Variable[] {
    const call = this.callsAt(address)[inlineIndex];
    if (call === undefined) return [];
    const blocks = [call.die, ...call.blocks];
    return blocks.flatMap((die, depth) => this.variables.declaredIn(die, depth)).sort((a, b) => b.blockDepth - a.blockDepth);
  }

  /** The variables at file scope of the unit that an address belongs to. */
  globalsAt(address: bigint): readonly Variable[] {
    const unit = this.units.at(this.offsetOf(address));
    const root = unit === undefined ? undefined : this.info.tree(unit).root;
    return root === undefined ? [] : this.variables.declaredIn(root, 0).filter((variable) => variable.kind === 'global');
  }

  /** The variable at file scope that a name means, seen from an address if one is given. */
  findGlobal(name: string, near?: bigint): Variable | undefined {
    const tree = this.treeAt(near);
    const key = `${String(tree?.unit.offset ?? '')} ${name}`;
    if (!this.globals.has(key)) {
      if (this.globals.size >= CACHED_GLOBAL_COUNT_MAX) this.globals.clear();
      this.globals.set(key, this.lookUpGlobal(name, tree));
    }
    return this.globals.get(key);
  }

  private lookUpGlobal(name: string, tree: UnitTree | undefined): Variable | undefined {
    // A variable with a place has a symbol; without one, a pass over the other units would find nothing to show.
    const isWorthAPass = this.symbols.count === 0 || this.symbols.named(name).length > 0;
    for (const die of isWorthAPass ? this.names.find('variable', name, tree) : this.names.findIn('variable', name, tree)) {
      if (die.inherited(AT.location) === undefined && die.inherited(AT.const_value) === undefined) continue;
      const variable = this.variables.variable(die, 0);
      if (variable !== undefined) return variable;
    }
    return undefined;
  }

  private treeAt(address: bigint | undefined): UnitTree | undefined {
    const unit = address === undefined ? undefined : this.units.at(this.offsetOf(address));
    return unit === undefined ? undefined : this.info.tree(unit);
  }

  /** A type by its C name (`struct foo`, `uint32_t`, `unsigned long`), seen from an address if one is given. */
  findType(name: string, near?: bigint): Type | undefined {
    return this.typeNames.find(name, this.treeAt(near));
  }

  /** The definition of a structure, union or enumeration that is only declared where it was found; else the type itself. */
  completeType(type: Type): Type {
    return this.typeNames.complete(type);
  }

  /** The value of an enumeration constant and its type. */
  findEnumerator(name: string, near?: bigint): { readonly value: bigint; readonly type: Type } | undefined {
    return this.typeNames.enumerator(name, this.treeAt(near));
  }

  /** The type of the function at an address: `int (int, char *)`. */
  functionTypeAt(address: bigint): Type | undefined {
    const func = this.functionOver(this.offsetOf(address));
    return func === undefined ? undefined : this.variables.types.read(func.die.abstract);
  }

  // Call frames

  /** The canonical frame address of a frame, if there is call frame information for its pc. */
  cfaOf(frame: FrameContext): bigint | undefined {
    const row = this.frames.rowAt(this.offsetOf(frame.pc));
    return row === undefined ? undefined : cfaFrom(row, frame, this.variables.frameScope(frame));
  }

  /** True if call frame information covers the address. */
  hasFrameInfo(address: bigint): boolean {
    return this.frames.rowAt(this.offsetOf(address)) !== undefined;
  }

  /** The caller of a frame by call frame information; `undefined` if there is none or the frame is the outermost. */
  unwind(frame: FrameContext): Unwound | undefined {
    const row = this.frames.rowAt(this.offsetOf(frame.pc));
    return row === undefined ? undefined : unwindByRow(row, frame, this.variables.frameScope(frame));
  }

  /** The extent of the symbol around an address: what is known about code without call frame information. */
  plainCodeAt(address: bigint): PlainCode | undefined {
    return this.functionAt(address)?.ranges.find((range) => address >= range.start && address < range.end);
  }

  /** The call site entry for the call that a frame is in the middle of. */
  private callSite(caller: FrameContext): Die | undefined {
    const returnAddress = BigInt.asUintN(64, caller.pc + 1n - this.slide);
    for (const { die, blocks } of this.callsAt(caller.pc)) {
      for (const block of [...blocks, die]) {
        for (const child of block.children()) {
          if (child.tag !== TAG.call_site && child.tag !== TAG.GNU_call_site) continue;
          const value = child.attribute(AT.call_return_pc) ?? child.attribute(AT.low_pc);
          if (value?.kind === 'address' && value.value === returnAddress) return child;
        }
      }
    }
    return undefined;
  }
}

function distinct(functions: readonly FunctionInfo[]): readonly FunctionInfo[] {
  return functions.filter((func, i) => functions.findIndex((other) => other.address === func.address) === i);
}

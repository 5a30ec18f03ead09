/**
 * The usual evaluation context: names from symbol files and a stack frame, registers and memory from a target. What runs
 * underneath stays behind small functions, so that conditions, watches and tests can all use it.
 */
import {
  C_TYPES, type FrameContext, type SymbolFile, type Type, typeInFrame, VOID,
} from '../../runtime/index';
import type { EvaluationContext, NamedThing, RegisterValue } from './values';

/** A named value that does not come from the program: `vm`, `vcpu`, arguments of an event. */
export type ExtraValue = string | bigint;

/** What a symbol context is made of. */
export interface SymbolContextParts {
  /** The frame to see names from, with the symbols of its code; absent if there is none. */
  readonly frame?: { readonly context: FrameContext; readonly symbols: SymbolFile | undefined; readonly inlineIndex?: number };
  /** All symbol files of the frame's address space; names that the frame's own does not know are looked up here. */
  readonly files: readonly SymbolFile[];
  /** The symbol files of the VM (or image) that stands before `!`. */
  filesOf?(image: string): readonly SymbolFile[];
  readRegister(name: string): RegisterValue | undefined;
  writeRegister?(name: string, value: bigint): boolean;
  writeFrameRegister?(number: number, value: bigint): boolean;
  readMemory(address: bigint, sizeBytes: number, space?: string): Uint8Array | undefined;
  writeMemory?(address: bigint, bytes: Uint8Array, space?: string): boolean;
  /** Names that win over the program's, such as an event's arguments. */
  readonly overrides?: ReadonlyMap<string, ExtraValue>;
  /** Names that the debugger knows though debug information does not, if the program has none of its own. */
  things?(name: string): NamedThing | undefined;
  /** Names that count only if the program has none. */
  readonly fallbacks?: ReadonlyMap<string, ExtraValue>;
}

/** Makes the context. */
export function symbolContext(parts: SymbolContextParts): EvaluationContext {
  const { frame } = parts;
  const own = frame?.symbols;
  const files = own === undefined ? parts.files : [own, ...parts.files.filter((file) => file !== own)];
  return {
    resolve: (name, image) => (image === undefined ? resolvePlain(name, parts, files) : resolveIn(name, image, parts)),
    findType: (name) => firstOf(files, (file) => file.findType(name, file === own ? frame?.context.pc : undefined)),
    completeType: (type) => completed(type, files),
    readRegister: (name) => parts.readRegister(name),
    writeRegister: (name, value) => parts.writeRegister?.(name, value) ?? false,
    frameRegister: (number) => frame?.context.registers.register(number),
    writeFrameRegister: (number, value) => parts.writeFrameRegister?.(number, value) ?? false,
    readMemory: (address, sizeBytes, space) => parts.readMemory(address, sizeBytes, space),
    writeMemory: (address, bytes, space) => parts.writeMemory?.(address, bytes, space) ?? false,
    symbolize: (address, space) => symbolName(space === undefined ? files : parts.filesOf?.(space) ?? [], address),
  };
}

function firstOf<T>(files: readonly SymbolFile[], ask: (file: SymbolFile) => T | undefined): T | undefined {
  for (const file of files) {
    const answer = ask(file);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function completed(type: Type, files: readonly SymbolFile[]): Type {
  return firstOf(files, (file) => {
    const complete = file.completeType(type);
    return complete === type ? undefined : complete;
  }) ?? type;
}

function symbolName(files: readonly SymbolFile[], address: bigint): string | undefined {
  const symbol = firstOf(files, (file) => file.symbolize(address));
  if (symbol === undefined) return undefined;
  return symbol.offset === 0n ? symbol.name : `${symbol.name}+${symbol.offset.toString()}`;
}

function resolvePlain(name: string, parts: SymbolContextParts, files: readonly SymbolFile[]): NamedThing | undefined {
  const override = parts.overrides?.get(name);
  if (override !== undefined) return extra(override);
  const found = local(name, parts) ?? firstOf(files, (file) => global(name, file, parts.frame));
  const known = found ?? parts.things?.(name);
  if (known !== undefined) return known;
  const fallback = parts.fallbacks?.get(name);
  return fallback === undefined ? undefined : extra(fallback);
}

function resolveIn(name: string, image: string, parts: SymbolContextParts): NamedThing | undefined {
  const found = firstOf(parts.filesOf?.(image) ?? [], (file) => global(name, file, undefined));
  return found?.kind === 'variable' || found?.kind === 'function' ? { ...found, space: image } : found;
}

function extra(value: ExtraValue): NamedThing {
  return typeof value === 'string' ? { kind: 'text', text: value } : { kind: 'constant', type: C_TYPES.unsignedLong, value };
}

function local(name: string, parts: SymbolContextParts): NamedThing | undefined {
  const { frame } = parts;
  if (frame?.symbols === undefined) return undefined;
  const variable = frame.symbols.variablesAt(frame.context.pc, frame.inlineIndex ?? 0).find((one) => one.name === name);
  if (variable === undefined) return undefined;
  return { kind: 'variable', type: typeInFrame(variable.type, frame.context), location: variable.locate(frame.context) };
}

/** A frame for what needs none: globals are at fixed addresses. */
const NO_FRAME: FrameContext = { pc: 0n, registers: { register: () => undefined }, memory: { read: () => undefined }, cfa: () => undefined };

function global(name: string, file: SymbolFile, frame: SymbolContextParts['frame']): NamedThing | undefined {
  const isOwn = frame?.symbols === file;
  const near = isOwn ? frame.context.pc : undefined;
  const variable = file.findGlobal(name, near);
  if (variable !== undefined) return { kind: 'variable', type: variable.type, location: variable.locate(isOwn ? frame.context : NO_FRAME) };
  const constant = file.findEnumerator(name, near);
  if (constant !== undefined) return { kind: 'constant', ...constant };
  const [func] = file.findFunctions(name);
  // Labels of assembly and linker scripts may be code or data: they are taken as data, whose address is what matters.
  if (func !== undefined && (func.hasDebugInfo || file.symbolize(func.address)?.kind === 'function')) {
    const type = file.functionTypeAt(func.address) ?? { kind: 'function' as const, result: VOID, parameters: [], isVariadic: false, isPrototyped: false };
    return { kind: 'function', type, address: func.address };
  }
  const address = file.addressOfSymbol(name);
  return address === undefined ? undefined
    : { kind: 'variable', type: { kind: 'array', element: C_TYPES.unsignedChar, count: undefined }, location: { kind: 'memory', address } };
}

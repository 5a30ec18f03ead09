/**
 * C types as values. They come from DWARF, where targets are resolved only when looked at (types are cyclic), or are made by
 * an expression's casts; both are the same shapes. Printing follows C's declarator syntax.
 */
import type { FrameContext } from './frame';

/** How the bits of a base type are read. */
export type BaseEncoding = 'signed' | 'unsigned' | 'float' | 'boolean' | 'character' | 'complex' | 'other';

/** No value: `void`. */
export interface VoidType { readonly kind: 'void' }
/** A number. `isSigned` tells for characters whether plain `char` is signed here (on AArch64 it is not). */
export interface BaseType { readonly kind: 'base'; readonly name: string; readonly encoding: BaseEncoding; readonly isSigned: boolean; readonly sizeBytes: number }
/** A pointer or, in C++, a reference. */
export interface PointerType { readonly kind: 'pointer'; readonly target: Type; readonly sizeBytes: number; readonly isReference?: boolean }
/** A qualifier around a type. */
export interface QualifiedType { readonly kind: 'qualified'; readonly qualifier: 'const' | 'volatile' | 'restrict' | '_Atomic'; readonly target: Type }
/** Another name of a type. */
export interface TypedefType { readonly kind: 'typedef'; readonly name: string; readonly target: Type }
/** A structure, union or class. */
export interface RecordType {
  readonly kind: 'record';
  readonly keyword: 'struct' | 'union' | 'class';
  /** Tag; absent for anonymous ones. */
  readonly name?: string;
  readonly sizeBytes: number;
  /** True if only the name is known here; `completeType` of the symbol file finds the definition. */
  readonly isDeclaration: boolean;
  readonly members: readonly Member[];
}
/** One member of a record. */
export interface Member {
  /** Absent for anonymous structures and unions, whose members belong to the enclosing record. */
  readonly name?: string;
  readonly type: Type;
  /** Byte offset in the record; of the storage unit's first byte for bit-fields. */
  readonly offsetBytes: number;
  /** Position in bits from the start of the record, and width, for bit-fields. */
  readonly bitField?: { readonly offsetBits: number; readonly sizeBits: number };
}
/** One dimension of an array; further dimensions are arrays as elements. */
export interface ArrayType {
  readonly kind: 'array';
  readonly element: Type;
  /** Element count; `undefined` for `[]` and for lengths that only a frame can tell. */
  readonly count: number | undefined;
  /** Tells the count of a variable length array in a frame. */
  readonly countIn?: (frame: FrameContext) => number | undefined;
}
/** An enumeration. */
export interface EnumType {
  readonly kind: 'enum';
  readonly name?: string;
  readonly sizeBytes: number;
  readonly isSigned: boolean;
  readonly enumerators: readonly { readonly name: string; readonly value: bigint }[];
}
/** A function's type. */
export interface FunctionType { readonly kind: 'function'; readonly result: Type; readonly parameters: readonly Type[]; readonly isVariadic: boolean; readonly isPrototyped: boolean }

/** Any type. */
export type Type = VoidType | BaseType | PointerType | QualifiedType | TypedefType | RecordType | ArrayType | EnumType | FunctionType;

/** `void`. */
export const VOID: VoidType = { kind: 'void' };

/** How far chains of typedefs and qualifiers are followed: malformed ones may be cyclic. */
const CHAIN_LENGTH_MAX = 64;

/** The type without typedefs and qualifiers. */
export function stripType(type: Type): Type {
  let stripped = type;
  for (let i = 0; i < CHAIN_LENGTH_MAX; i++) {
    if (stripped.kind !== 'typedef' && stripped.kind !== 'qualified') return stripped;
    stripped = stripped.target;
  }
  return VOID;
}

/** Size of a value; `undefined` for incomplete types and lengths that only a frame can tell. */
export function sizeOfType(type: Type): number | undefined {
  return sizeWithin(type, 0);
}

function sizeWithin(type: Type, depth: number): number | undefined {
  const stripped = stripType(type);
  if (depth > CHAIN_LENGTH_MAX) return undefined;
  switch (stripped.kind) {
    case 'void': case 'function': case 'typedef': case 'qualified': return undefined;
    case 'record': return stripped.isDeclaration ? undefined : stripped.sizeBytes;
    case 'base': case 'pointer': case 'enum': return stripped.sizeBytes;
    case 'array': {
      const element = sizeWithin(stripped.element, depth + 1);
      const size = element === undefined || stripped.count === undefined ? undefined : element * stripped.count;
      return Number.isSafeInteger(size) ? size : undefined;
    }
  }
}

/** The type with every array length that a frame can tell filled in. */
export function typeInFrame(type: Type, frame: FrameContext): Type {
  return inFrame(type, frame, 0);
}

function inFrame(type: Type, frame: FrameContext, depth: number): Type {
  if (depth > CHAIN_LENGTH_MAX) return type;
  if (type.kind === 'array') {
    const element = inFrame(type.element, frame, depth + 1);
    const count = type.count ?? type.countIn?.(frame);
    return element === type.element && count === type.count ? type : { kind: 'array', element, count };
  }
  if (type.kind === 'qualified' || type.kind === 'typedef') {
    const target = inFrame(type.target, frame, depth + 1);
    return target === type.target ? type : { ...type, target };
  }
  // Pointers to variable length arrays are seen in parameters: `int (*rows)[n]`.
  if (type.kind === 'pointer' && type.target.kind === 'array') {
    const target = inFrame(type.target, frame, depth + 1);
    return target === type.target ? type : { kind: 'pointer', target, sizeBytes: type.sizeBytes };
  }
  return type;
}

/** The type as C writes it, without a declared name: `const char *`, `int [4]`, `void (*)(int)`. */
export function typeName(type: Type): string {
  return declaration(type, '');
}

/** A declaration of `name` with that type, as C writes it. */
export function declaration(type: Type, name: string): string {
  return declare(type, name, { left: PRINTED_PART_COUNT_MAX });
}

/** Parts of a type that are printed: damaged debug information may have types that contain themselves. */
const PRINTED_PART_COUNT_MAX = 256;
interface Budget { left: number }

function declare(type: Type, inner: string, budget: Budget): string {
  if (budget.left-- <= 0) return inner;
  switch (type.kind) {
    case 'void': return joined('void', inner);
    case 'base': case 'typedef': return joined(type.name, inner);
    case 'enum': return joined(`enum ${type.name ?? '{...}'}`, inner);
    case 'record': return joined(`${type.keyword} ${type.name ?? '{...}'}`, inner);
    case 'pointer': return declare(type.target, grouped(type.target, `${type.isReference === true ? '&' : '*'}${inner}`), budget);
    case 'array': return declare(type.element, `${inner}[${type.count ?? ''}]`, budget);
    case 'function': return declare(type.result, `${inner}(${parameterList(type, budget)})`, budget);
    case 'qualified': return qualified(type, inner, budget);
  }
}

function joined(base: string, inner: string): string {
  return inner === '' ? base : `${base} ${inner}`;
}

function grouped(target: Type, inner: string): string {
  return target.kind === 'array' || target.kind === 'function' ? `(${inner})` : inner;
}

function qualified(type: QualifiedType, inner: string, budget: Budget): string {
  const { target, qualifier } = type;
  if (target.kind === 'pointer') {
    const pointer = `* ${qualifier}${inner === '' ? '' : ` ${inner}`}`;
    return declare(target.target, grouped(target.target, pointer), budget);
  }
  return `${qualifier} ${declare(target, inner, budget)}`;
}

function parameterList(type: FunctionType, budget: Budget): string {
  const parameters: string[] = [];
  for (const parameter of type.parameters) if (budget.left > 0) parameters.push(declare(parameter, '', budget));
  if (type.isVariadic) parameters.push('...');
  return parameters.length === 0 && type.isPrototyped ? 'void' : parameters.join(', ');
}

/** Finds a member by name, looking into anonymous structures and unions; offsets are relative to the record. */
export function findMember(record: RecordType, name: string): Member | undefined {
  return memberWithin(record, name, new Set());
}

/** Damaged records may contain themselves: each is looked into once. */
function memberWithin(record: RecordType, name: string, seen: Set<RecordType>): Member | undefined {
  seen.add(record);
  for (const member of record.members) {
    if (member.name === name) return member;
    const inner = member.name === undefined ? stripType(member.type) : VOID;
    const found = inner.kind === 'record' && !seen.has(inner) ? memberWithin(inner, name, seen) : undefined;
    if (found !== undefined) return moved(found, member.offsetBytes);
  }
  return undefined;
}

function moved(member: Member, byBytes: number): Member {
  const { bitField } = member;
  const shifted = { ...member, offsetBytes: member.offsetBytes + byBytes };
  return bitField === undefined ? shifted : { ...shifted, bitField: { ...bitField, offsetBits: bitField.offsetBits + byBytes * 8 } };
}

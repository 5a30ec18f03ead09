/** Makes C types from DWARF entries. Targets, members and enumerators are read when first looked at. */
import { AT, ATE, TAG } from './dwarf/constants';
import { evaluateValue, type ExpressionScope } from './dwarf/expression';
import type { Die } from './dwarf/tree';
import type { FrameContext } from './frame';
import { builtInType } from './type-names';
import {
  type ArrayType, type BaseEncoding, type BaseType, type EnumType, type FunctionType, type Member, type PointerType, type QualifiedType,
  type RecordType, type Type, type TypedefType, VOID,
} from './types';

/** What array bounds and member positions may need beyond the entry: evaluation in a frame. */
export interface TypeEvaluation {
  /** The scope to evaluate an expression of that entry in. */
  scope(die: Die, frame: FrameContext): ExpressionScope;
  /** The value of the integer variable that an entry describes. */
  integer(die: Die, frame: FrameContext): bigint | undefined;
}

/** More members, parameters or dimensions than a sensible type has. */
const CHILD_COUNT_MAX = 65536;
/** More elements than memory has bytes. */
const COUNT_MAX = 1n << 48n;
/** The widest bit-field: that of an __int128. */
const BIT_FIELD_SIZE_MAX_BITS = 128;
/** The largest base type there is has 32 bytes (a complex long double). */
const BASE_SIZE_MAX_BYTES = 64;
/** More dimensions than C allows programs to rely on. */
const DIMENSION_COUNT_MAX = 32;
/** How many types are kept. */
const CACHE_COUNT_MAX = 200_000;

/** Reads and remembers the types of one image. */
export class TypeReader {
  private readonly cache = new Map<number, Type>();
  private readonly evaluation: TypeEvaluation;

  constructor(evaluation: TypeEvaluation) {
    this.evaluation = evaluation;
  }

  /** The type an entry's `DW_AT_type` names; none means `void`. */
  typeOf(die: Die): Type {
    const target = die.type;
    return target === undefined ? VOID : this.read(target);
  }

  /** The type a type entry describes. */
  read(die: Die): Type {
    const known = this.cache.get(die.offset);
    if (known !== undefined) return known;
    const type = this.make(die);
    if (this.cache.size >= CACHE_COUNT_MAX) this.cache.clear();
    this.cache.set(die.offset, type);
    return type;
  }

  private make(die: Die): Type {
    // A stub for a type that a type unit describes.
    const described = die.has(AT.signature) ? die.reference(AT.signature) : undefined;
    if (described !== undefined && described.offset !== die.offset && !described.has(AT.signature)) return this.read(described);
    switch (die.tag) {
      case TAG.base_type: return baseType(die);
      case TAG.unspecified_type: return VOID;
      case TAG.pointer_type: case TAG.ptr_to_member_type: return this.pointer(die);
      case TAG.reference_type: case TAG.rvalue_reference_type: return this.reference(die);
      case TAG.const_type: return this.qualified(die, 'const');
      case TAG.volatile_type: return this.qualified(die, 'volatile');
      case TAG.restrict_type: return this.qualified(die, 'restrict');
      case TAG.atomic_type: return this.qualified(die, '_Atomic');
      case TAG.typedef: return this.typedef(die);
      case TAG.structure_type: return this.record(die, 'struct');
      case TAG.union_type: return this.record(die, 'union');
      case TAG.class_type: return this.record(die, 'class');
      case TAG.enumeration_type: return enumType(die);
      case TAG.array_type: return this.array(die, dimensionsOf(die));
      case TAG.subroutine_type: case TAG.subprogram: return this.functionType(die);
      default: return VOID;
    }
  }

  private pointer(die: Die): PointerType {
    const target = once(() => this.typeOf(die));
    return { kind: 'pointer', sizeBytes: die.unit.addressSize, get target() { return target(); } };
  }

  private reference(die: Die): PointerType {
    const target = once(() => this.typeOf(die));
    return { kind: 'pointer', sizeBytes: die.unit.addressSize, isReference: true, get target() { return target(); } };
  }

  private qualified(die: Die, qualifier: QualifiedType['qualifier']): QualifiedType {
    const target = once(() => this.typeOf(die));
    return { kind: 'qualified', qualifier, get target() { return target(); } };
  }

  private typedef(die: Die): TypedefType {
    const target = once(() => this.typeOf(die));
    return { kind: 'typedef', name: die.name ?? '?', get target() { return target(); } };
  }

  private record(die: Die, keyword: RecordType['keyword']): RecordType {
    const members = once(() => this.members(die));
    const name = die.name;
    return {
      kind: 'record', keyword, ...(name === undefined ? {} : { name }), sizeBytes: Math.max(0, Math.min(Number(COUNT_MAX), die.number(AT.byte_size) ?? 0)),
      isDeclaration: die.flag(AT.declaration), get members() { return members(); },
    };
  }

  private array(die: Die, dimensions: readonly Die[]): ArrayType {
    const [first, ...rest] = dimensions;
    const counts = first === undefined ? { count: undefined } : this.countOf(first);
    const element = once(() => (rest.length > 0 ? this.array(die, rest) : this.typeOf(die)));
    return { kind: 'array', ...counts, get element() { return element(); } };
  }

  private functionType(die: Die): FunctionType {
    const children = childrenOf(die);
    const parameters = once(() => children.filter((child) => child.tag === TAG.formal_parameter).map((child) => this.typeOf(child)));
    const result = once(() => this.typeOf(die));
    return {
      kind: 'function', isPrototyped: die.flag(AT.prototyped), isVariadic: children.some((child) => child.tag === TAG.unspecified_parameters),
      get result() { return result(); }, get parameters() { return parameters(); },
    };
  }

  /** The element count of one dimension, or how to find it. */
  countOf(dimension: Die): { readonly count: number | undefined; readonly countIn?: (frame: FrameContext) => number | undefined } {
    const lower = BigInt(dimension.number(AT.lower_bound) ?? 0);
    const count = this.bound(dimension, AT.count);
    if (count !== undefined) return counted(count, 0n);
    const upper = this.bound(dimension, AT.upper_bound);
    return upper === undefined ? { count: undefined } : counted(upper, 1n - lower);
  }

  /** A bound is a constant, an expression, or a reference to the variable that holds it. */
  private bound(dimension: Die, name: number): bigint | ((frame: FrameContext) => bigint | undefined) | undefined {
    const value = dimension.attribute(name);
    if (value?.kind === 'constant') {
      // GCC writes the upper bound of `int a[0]` as an unsigned -1 of the attribute's own size.
      const isMinusOne = name === AT.upper_bound && value.sizeBytes >= 4 && BigInt.asIntN(value.sizeBytes * 8, value.value) === -1n;
      return isMinusOne ? -1n : value.value;
    }
    if (value?.kind === 'block') {
      return (frame) => signed(evaluateValue(value.bytes, this.evaluation.scope(dimension, frame)));
    }
    const variable = value?.kind === 'reference' ? dimension.reference(name) : undefined;
    return variable === undefined ? undefined : (frame) => this.evaluation.integer(variable, frame);
  }

  members(die: Die): readonly Member[] {
    const members: Member[] = [];
    for (const child of childrenOf(die)) {
      if (child.tag !== TAG.member && child.tag !== TAG.inheritance) continue;
      // A static member has no place in the record.
      if (child.flag(AT.external) || child.has(AT.const_value)) continue;
      members.push(this.member(child));
    }
    return members;
  }

  private member(die: Die): Member {
    const type = this.typeOf(die);
    const name = die.name;
    const named = name === undefined || name === '' ? {} : { name };
    const offsetBytes = Math.max(0, Math.min(Number(COUNT_MAX), die.number(AT.data_member_location) ?? 0));
    const sizeBits = die.number(AT.bit_size);
    if (sizeBits === undefined || sizeBits < 0 || sizeBits > BIT_FIELD_SIZE_MAX_BITS) return { ...named, type, offsetBytes };
    const offsetBits = Math.max(0, Math.min(Number(COUNT_MAX), bitPosition(die, offsetBytes, sizeBits)));
    return { ...named, type, offsetBytes: Math.floor(offsetBits / 8), bitField: { offsetBits, sizeBits } };
  }
}

/** DWARF 4 counts from the start of the record; older producers count from the top of a big-endian storage unit. */
function bitPosition(die: Die, offsetBytes: number, sizeBits: number): number {
  const fromStart = die.number(AT.data_bit_offset);
  if (fromStart !== undefined) return fromStart + (die.has(AT.data_member_location) ? offsetBytes * 8 : 0);
  const fromTop = die.number(AT.bit_offset);
  if (fromTop === undefined) return offsetBytes * 8;
  const storageBytes = die.number(AT.byte_size) ?? die.type?.number(AT.byte_size) ?? 4;
  return offsetBytes * 8 + storageBytes * 8 - fromTop - sizeBits;
}

function signed(value: bigint | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt.asIntN(64, value);
}

function counted(bound: bigint | ((frame: FrameContext) => bigint | undefined), plus: bigint): { readonly count: number | undefined; readonly countIn?: (frame: FrameContext) => number | undefined } {
  const safe = (value: bigint | undefined): number | undefined =>
    (value === undefined || value > COUNT_MAX ? undefined : Math.max(0, Number(value + plus)));
  if (typeof bound === 'bigint') return { count: safe(bound) };
  return { count: undefined, countIn: (frame) => safe(bound(frame)) };
}

function dimensionsOf(array: Die): readonly Die[] {
  const dimensions = childrenOf(array).filter((child) => child.tag === TAG.subrange_type || child.tag === TAG.enumeration_type);
  return dimensions.slice(0, DIMENSION_COUNT_MAX);
}

function childrenOf(die: Die): Die[] {
  const found: Die[] = [];
  for (const child of die.children()) {
    if (found.length >= CHILD_COUNT_MAX) break;
    found.push(child);
  }
  return found;
}

const ENCODINGS: ReadonlyMap<number, { readonly encoding: BaseEncoding; readonly isSigned: boolean }> = new Map([
  [ATE.address, { encoding: 'unsigned', isSigned: false }], [ATE.boolean, { encoding: 'boolean', isSigned: false }],
  [ATE.complex_float, { encoding: 'complex', isSigned: true }], [ATE.float, { encoding: 'float', isSigned: true }],
  [ATE.signed, { encoding: 'signed', isSigned: true }], [ATE.signed_char, { encoding: 'character', isSigned: true }],
  [ATE.unsigned, { encoding: 'unsigned', isSigned: false }], [ATE.unsigned_char, { encoding: 'character', isSigned: false }],
  [ATE.UTF, { encoding: 'unsigned', isSigned: false }],
]);

function baseType(die: Die): BaseType {
  const known = ENCODINGS.get(die.number(AT.encoding) ?? 0) ?? { encoding: 'other', isSigned: false };
  const name = die.name ?? '?';
  const sizeBytes = Math.max(0, Math.min(BASE_SIZE_MAX_BYTES, die.number(AT.byte_size) ?? 0));
  // GCC says `long unsigned int` where people write `unsigned long`.
  const builtIn = builtInType(name.split(' '));
  const isUsual = builtIn?.kind === 'base' && builtIn.sizeBytes === sizeBytes;
  return { kind: 'base', name: isUsual ? builtIn.name : name, ...known, sizeBytes };
}

function enumType(die: Die): EnumType {
  const enumerators: { name: string; value: bigint }[] = [];
  const sizeBytes = Math.max(0, Math.min(16, die.number(AT.byte_size) ?? 4));
  for (const child of childrenOf(die)) {
    const value = child.tag === TAG.enumerator ? child.attribute(AT.const_value) : undefined;
    if (value?.kind !== 'constant') continue;
    enumerators.push({ name: child.name ?? '', value: value.signed ? value.value : BigInt.asUintN(64, value.value) });
  }
  const encoding = die.type?.number(AT.encoding);
  const isSigned = encoding === ATE.signed || encoding === ATE.signed_char || enumerators.some((one) => one.value < 0n);
  const name = die.name;
  return { kind: 'enum', ...(name === undefined ? {} : { name }), sizeBytes, isSigned, enumerators };
}

/** Computes on first call and remembers. */
function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => (known ??= { value: compute() }).value;
}

/** Values on the DWARF expression stack: generic 64-bit integers and values of base types (DWARF 5 2.5.1). */
import { ATE } from './constants';

/** A base type as far as arithmetic cares. */
export interface StackType {
  readonly sizeBytes: number;
  readonly encoding: number;
}

/** An entry of the stack: raw bits and, if not generic, their type. */
export interface StackValue {
  readonly bits: bigint;
  readonly type?: StackType;
}

/** How many bits a value of the type has. */
export function widthOf(type: StackType | undefined): number {
  return type === undefined ? 64 : Math.min(128, Math.max(8, type.sizeBytes * 8));
}

function isFloat(type: StackType | undefined): boolean {
  return type?.encoding === ATE.float && (type.sizeBytes === 4 || type.sizeBytes === 8);
}

function isUnsigned(type: StackType): boolean {
  return type.encoding === ATE.unsigned || type.encoding === ATE.unsigned_char || type.encoding === ATE.boolean
    || type.encoding === ATE.address || type.encoding === ATE.UTF;
}

/** Makes a value of the type, cutting what does not fit. */
export function stackValue(bits: bigint, type?: StackType): StackValue {
  const cut = BigInt.asUintN(widthOf(type), bits);
  return type === undefined ? { bits: cut } : { bits: cut, type };
}

/** A value as a mathematical integer; generic values are taken as signed where it matters. */
export function integerOf(value: StackValue): bigint {
  if (isFloat(value.type)) return BigInt(Math.trunc(finite(floatOf(value))));
  if (value.type !== undefined && isUnsigned(value.type)) return value.bits;
  return BigInt.asIntN(widthOf(value.type), value.bits);
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function floatOf(value: StackValue): number {
  const view = new DataView(new ArrayBuffer(8));
  if (value.type?.sizeBytes === 4) {
    view.setUint32(0, Number(BigInt.asUintN(32, value.bits)));
    return view.getFloat32(0);
  }
  view.setBigUint64(0, BigInt.asUintN(64, value.bits));
  return view.getFloat64(0);
}

function fromFloat(value: number, type: StackType): StackValue {
  const view = new DataView(new ArrayBuffer(8));
  if (type.sizeBytes === 4) {
    view.setFloat32(0, value);
    return { bits: BigInt(view.getUint32(0)), type };
  }
  view.setFloat64(0, value);
  return { bits: view.getBigUint64(0), type };
}

/** `DW_OP_convert`: the same number in another type. */
export function convert(value: StackValue, type: StackType | undefined): StackValue {
  if (type !== undefined && isFloat(type)) return fromFloat(isFloat(value.type) ? floatOf(value) : Number(integerOf(value)), type);
  return stackValue(integerOf(value), type);
}

/** The arithmetic operations by name. */
export type BinaryOperation = 'and' | 'div' | 'minus' | 'mod' | 'mul' | 'or' | 'plus' | 'shl' | 'shr' | 'shra' | 'xor' | 'eq' | 'ge' | 'gt' | 'le' | 'lt' | 'ne';

/** Applies an operation; `undefined` for a division by zero. */
export function applyBinary(operation: BinaryOperation, a: StackValue, b: StackValue): StackValue | undefined {
  if (a.type !== undefined && isFloat(a.type)) return applyFloat(operation, a, b);
  const width = BigInt(widthOf(a.type));
  const x = integerOf(a);
  const y = integerOf(b);
  const shift = b.bits >= width ? width : b.bits;
  const bool = (condition: boolean): StackValue => ({ bits: condition ? 1n : 0n });
  switch (operation) {
    case 'and': return stackValue(a.bits & b.bits, a.type);
    case 'or': return stackValue(a.bits | b.bits, a.type);
    case 'xor': return stackValue(a.bits ^ b.bits, a.type);
    case 'plus': return stackValue(x + y, a.type);
    case 'minus': return stackValue(x - y, a.type);
    case 'mul': return stackValue(x * y, a.type);
    case 'div': return y === 0n ? undefined : stackValue(x / y, a.type);
    // Generic values divide as signed but take the remainder as unsigned (DWARF 5 2.5.1.4).
    case 'mod': return y === 0n ? undefined : stackValue(a.type === undefined ? a.bits % b.bits : x % y, a.type);
    case 'shl': return stackValue(a.bits << shift, a.type);
    case 'shr': return stackValue(a.bits >> shift, a.type);
    case 'shra': return stackValue(BigInt.asIntN(widthOf(a.type), a.bits) >> shift, a.type);
    case 'eq': return bool(x === y);
    case 'ne': return bool(x !== y);
    case 'ge': return bool(x >= y);
    case 'gt': return bool(x > y);
    case 'le': return bool(x <= y);
    case 'lt': return bool(x < y);
  }
}

function applyFloat(operation: BinaryOperation, a: StackValue, b: StackValue): StackValue | undefined {
  const x = floatOf(a);
  const y = isFloat(b.type) ? floatOf(b) : Number(integerOf(b));
  const type = a.type ?? { sizeBytes: 8, encoding: ATE.float };
  const bool = (condition: boolean): StackValue => ({ bits: condition ? 1n : 0n });
  switch (operation) {
    case 'plus': return fromFloat(x + y, type);
    case 'minus': return fromFloat(x - y, type);
    case 'mul': return fromFloat(x * y, type);
    case 'div': return fromFloat(x / y, type);
    case 'eq': return bool(x === y);
    case 'ne': return bool(x !== y);
    case 'ge': return bool(x >= y);
    case 'gt': return bool(x > y);
    case 'le': return bool(x <= y);
    case 'lt': return bool(x < y);
    default: return undefined;
  }
}

/** C's arithmetic: promotions, usual conversions, and the operators on numbers (C11 6.3.1 and 6.5). */
import { type BaseType, C_TYPES, fromBytes, stripType, toBytes, type Type, typeName } from '../../runtime/index';
import { ExpressionFailure } from './errors';
import type { BinaryOperator } from './syntax';

/** A number: an integer within the range of its type, or a floating value. */
export type NumberValue =
  | { readonly kind: 'integer'; readonly type: BaseType; readonly value: bigint }
  | { readonly kind: 'float'; readonly type: BaseType; readonly value: number };

/** The value wrapped to a type's width and signedness. */
export function wrap(type: BaseType, value: bigint): NumberValue {
  if (type.encoding === 'boolean') return { kind: 'integer', type, value: value === 0n ? 0n : 1n };
  const width = Math.max(1, type.sizeBytes) * 8;
  return { kind: 'integer', type, value: type.isSigned ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value) };
}

/** An `int`. */
export function intValue(value: bigint | boolean): NumberValue {
  return wrap(C_TYPES.int, BigInt(value));
}

/** Decodes a number of a base or enumeration type; `undefined` for other types. */
export function decodeNumber(type: Type, bytes: Uint8Array): NumberValue | undefined {
  const stripped = stripType(type);
  if (stripped.kind === 'enum') return wrap(integerType(stripped.sizeBytes, stripped.isSigned), fromBytes(bytes));
  if (stripped.kind !== 'base') return undefined;
  if (stripped.encoding === 'float') return decodeFloat(stripped, bytes);
  return stripped.encoding === 'complex' || stripped.encoding === 'other' ? undefined : wrapRaw(stripped, fromBytes(bytes));
}

/** Memory may hold a `_Bool` that is neither 0 nor 1; show what is there. */
function wrapRaw(type: BaseType, bits: bigint): NumberValue {
  return type.encoding === 'boolean' ? { kind: 'integer', type, value: bits } : wrap(type, bits);
}

function decodeFloat(type: BaseType, bytes: Uint8Array): NumberValue | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type.sizeBytes === 4) return { kind: 'float', type, value: view.getFloat32(0, true) };
  if (type.sizeBytes === 8) return { kind: 'float', type, value: view.getFloat64(0, true) };
  if (type.sizeBytes === 2) return { kind: 'float', type, value: halfToNumber(view.getUint16(0, true)) };
  return type.sizeBytes === 16 ? { kind: 'float', type, value: quadToNumber(fromBytes(bytes)) } : undefined;
}

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 31 ? (fraction === 0 ? Infinity : NaN) : exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 === 1 ? -magnitude : magnitude;
}

function quadToNumber(bits: bigint): number {
  const exponent = Number((bits >> 112n) & 0x7fffn);
  const fraction = Number((bits >> 60n) & ((1n << 52n) - 1n)) / 2 ** 52;
  const magnitude = exponent === 0x7fff ? (fraction === 0 ? Infinity : NaN) : exponent === 0 ? 0 : (1 + fraction) * 2 ** (exponent - 16383);
  return bits >> 127n === 1n ? -magnitude : magnitude;
}

/** The bytes of a number in its type. */
export function encodeNumber(number: NumberValue): Uint8Array {
  if (number.kind === 'integer') return toBytes(number.value, number.type.sizeBytes);
  const bytes = new Uint8Array(number.type.sizeBytes);
  const view = new DataView(bytes.buffer);
  if (number.type.sizeBytes === 4) view.setFloat32(0, number.value, true);
  else if (number.type.sizeBytes === 8) view.setFloat64(0, number.value, true);
  else throw new ExpressionFailure('expression-not-scalar', number.type.name, 'an assignment');
  return bytes;
}

/** Converts a number to another base type. */
export function convertNumber(number: NumberValue, type: BaseType): NumberValue {
  if (type.encoding === 'float') {
    const value = Number(number.value);
    return { kind: 'float', type, value: type.sizeBytes === 4 ? Math.fround(value) : value };
  }
  if (type.encoding === 'boolean') return wrap(type, Number(number.value) === 0 ? 0n : 1n);
  if (number.kind === 'integer') return wrap(type, number.value);
  return wrap(type, Number.isFinite(number.value) ? BigInt(Math.trunc(number.value)) : 0n);
}

/** The standard integer type of a size. */
export function integerType(sizeBytes: number, isSigned: boolean): BaseType {
  switch (sizeBytes) {
    case 1: return isSigned ? C_TYPES.signedChar : C_TYPES.unsignedChar;
    case 2: return isSigned ? C_TYPES.short : C_TYPES.unsignedShort;
    case 4: return isSigned ? C_TYPES.int : C_TYPES.unsignedInt;
    case 16: return isSigned ? C_TYPES.int128 : C_TYPES.unsignedInt128;
    default: return isSigned ? C_TYPES.long : C_TYPES.unsignedLong;
  }
}

/** Integer promotion: what is smaller than `int` becomes `int`. */
export function promote(number: NumberValue): NumberValue {
  if (number.kind === 'float') return number;
  if (number.type.sizeBytes < 4) return wrap(C_TYPES.int, number.value);
  return number;
}

/** The common type of the usual arithmetic conversions. */
export function commonType(a: NumberValue, b: NumberValue): BaseType {
  if (a.kind === 'float' || b.kind === 'float') return a.kind === 'float' && (b.kind !== 'float' || a.type.sizeBytes >= b.type.sizeBytes) ? a.type : b.type;
  const x = promote(a).type;
  const y = promote(b).type;
  const larger = x.sizeBytes === y.sizeBytes ? (x.isSigned ? y : x) : x.sizeBytes > y.sizeBytes ? x : y;
  return larger;
}

/** Applies an arithmetic, bitwise or relational operator to numbers. */
export function applyNumbers(operator: BinaryOperator, left: NumberValue, right: NumberValue): NumberValue {
  if (operator === '<<' || operator === '>>') return shift(operator, left, right);
  const type = commonType(left, right);
  const a = convertNumber(left, type);
  const b = convertNumber(right, type);
  if (a.kind === 'float' || b.kind === 'float') return applyFloats(operator, { type, a: Number(a.value), b: Number(b.value) });
  return applyIntegers(operator, { type, a: a.value, b: b.value });
}

function applyIntegers(operator: BinaryOperator, { type, a, b }: { readonly type: BaseType; readonly a: bigint; readonly b: bigint }): NumberValue {
  switch (operator) {
    case '+': return wrap(type, a + b);
    case '-': return wrap(type, a - b);
    case '*': return wrap(type, a * b);
    case '/': case '%':
      if (b === 0n) throw new ExpressionFailure('expression-divide-by-zero');
      return wrap(type, operator === '/' ? a / b : a % b);
    case '&': return wrap(type, a & b);
    case '|': return wrap(type, a | b);
    case '^': return wrap(type, a ^ b);
    default: return compared(operator, a, b);
  }
}

function applyFloats(operator: BinaryOperator, { type, a, b }: { readonly type: BaseType; readonly a: number; readonly b: number }): NumberValue {
  const float = (value: number): NumberValue => convertNumber({ kind: 'float', type, value }, type);
  switch (operator) {
    case '+': return float(a + b);
    case '-': return float(a - b);
    case '*': return float(a * b);
    case '/': return float(a / b);
    case '%': case '&': case '|': case '^': throw new ExpressionFailure('expression-not-integer', operator, typeName(type));
    default: return compared(operator, a, b);
  }
}

/** The result of a relational or equality operator. */
export function compared<T extends bigint | number>(operator: BinaryOperator, a: T, b: T): NumberValue {
  switch (operator) {
    case '<': return intValue(a < b);
    case '>': return intValue(a > b);
    case '<=': return intValue(a <= b);
    case '>=': return intValue(a >= b);
    case '==': return intValue(a === b);
    case '!=': return intValue(a !== b);
    default: throw new ExpressionFailure('expression-not-integer', operator, 'something else');
  }
}

/** Counts beyond the width, undefined in C, shift everything out. */
function shift(operator: '<<' | '>>', left: NumberValue, right: NumberValue): NumberValue {
  const value = promote(left);
  if (value.kind === 'float' || right.kind === 'float') throw new ExpressionFailure('expression-not-integer', operator, 'a floating value');
  const width = BigInt(value.type.sizeBytes * 8);
  const count = right.value < 0n || right.value > width ? width : right.value;
  return wrap(value.type, operator === '<<' ? value.value << count : value.value >> count);
}

/** Applies `+`, `-`, `~` or `!`. */
export function applyUnary(operator: '+' | '-' | '~' | '!', operand: NumberValue): NumberValue {
  if (operator === '!') return intValue(Number(operand.value) === 0);
  const value = promote(operand);
  if (operator === '+') return value;
  if (value.kind === 'float') {
    if (operator === '~') throw new ExpressionFailure('expression-not-integer', operator, value.type.name);
    return { ...value, value: -value.value };
  }
  return wrap(value.type, operator === '-' ? -value.value : ~value.value);
}

/** Evaluates syntax trees of C expressions in a context. Everything here may throw `ExpressionFailure`, and nothing else. */
import {
  type BaseType, C_TYPES, findMember, fromBytes, type PointerType, type RecordType, stripType, toBytes, type Type, typeName, VOID,
} from '../../runtime/index';
import { applyNumbers, applyUnary, compared, convertNumber, decodeNumber, encodeNumber, intValue, type NumberValue, wrap } from './arithmetic';
import { ExpressionFailure } from './errors';
import { cStringAt } from './strings';
import type { BinaryOperator, Expression } from './syntax';
import { pointerTo, resolveType } from './type-syntax';
import {
  type EvaluationContext, immediate, immediateInteger, inSpace, load, partOf, recordOf, requireSize, store, type TypedValue, type Value,
  variableValue, VALUE_SIZE_MAX_BYTES,
} from './values';

/** The largest count after `@`. */
export const ELEMENT_COUNT_MAX = 1 << 20;
/** How many members an error message lists. */
const LISTED_MEMBER_COUNT_MAX = 12;

/** Evaluates one tree. */
export function evaluateTree(expression: Expression, context: EvaluationContext): Value {
  return new Evaluator(context).evaluate(expression);
}

/** True if a value counts as true in a condition. */
export function isTruthy(value: Value, context: EvaluationContext): boolean {
  if (value.kind === 'text') return value.text !== '';
  return new Evaluator(context).truth(value);
}

class Evaluator {
  private readonly context: EvaluationContext;

  constructor(context: EvaluationContext) {
    this.context = context;
  }

  evaluate(expression: Expression): Value {
    switch (expression.kind) {
      case 'integer': return numberResult(wrap(literalType(expression), expression.value));
      case 'float': return numberResult({ kind: 'float', type: expression.isSingle ? C_TYPES.float : C_TYPES.double, value: expression.value });
      // C makes it an int; as a char it computes the same and shows its character.
      case 'character': return numberResult(wrap(C_TYPES.char, BigInt(expression.value)));
      case 'text': return { kind: 'text', text: expression.value };
      case 'name': return this.name(expression.name, expression.image);
      case 'register': return this.register(expression.name);
      case 'member': return this.member(expression);
      case 'index': return this.dereference(this.binary('+', expression.object, expression.index), '[]');
      case 'unary': return this.unary(expression);
      case 'binary': return this.binary(expression.operator, expression.left, expression.right);
      case 'conditional': return this.evaluate(this.truth(this.evaluate(expression.condition)) ? expression.whenTrue : expression.whenFalse);
      case 'cast': return this.cast(resolveType(expression.type, this.context), this.evaluate(expression.operand));
      case 'size-of-type': return sizeResult(requireSize(resolveType(expression.type, this.context), this.context));
      case 'size-of': return sizeResult(this.sizeOf(this.evaluate(expression.operand)));
      case 'assign': return this.assign(expression);
    }
  }

  private sizeOf(value: Value): number {
    if (value.kind === 'text') return value.text.length + 1;
    if (value.bits !== undefined) throw new ExpressionFailure('expression-bit-field');
    return requireSize(value.type, this.context);
  }

  private name(name: string, image: string | undefined): Value {
    const thing = this.context.resolve(name, image);
    switch (thing?.kind) {
      case 'variable': return inSpace(variableValue(thing.type, thing.location), thing.space);
      case 'constant': return immediateInteger(thing.type, thing.value);
      case 'function': return inSpace({ kind: 'typed', type: thing.type, place: { kind: 'memory', address: thing.address } }, thing.space);
      case 'text': return { kind: 'text', text: thing.text };
      case undefined: break;
    }
    // Headers define these as macros, which debug information does not have.
    if (image === undefined && (name === 'NULL' || name === 'nullptr')) return immediateInteger(pointerTo(VOID), 0n);
    if (image === undefined && (name === 'true' || name === 'false')) return immediateInteger(C_TYPES.bool, name === 'true' ? 1n : 0n);
    throw new ExpressionFailure('expression-unknown-name', image === undefined ? name : `${image}!${name}`);
  }

  private register(name: string): TypedValue {
    const found = this.context.readRegister(name);
    if (found === undefined) throw new ExpressionFailure('expression-unknown-register', `$${name}`);
    const type = registerType(found.sizeBytes);
    return { kind: 'typed', type, place: { kind: 'register', name, bytes: toBytes(found.value, found.sizeBytes) } };
  }

  private member(expression: Extract<Expression, { kind: 'member' }>): TypedValue {
    const object = this.typed(this.evaluate(expression.object), expression.isArrow ? '->' : '.');
    const base = expression.isArrow ? this.dereference(object, '->') : object;
    const record = recordOf(base.type, this.context);
    if (record === undefined) {
      const isPointer = stripType(base.type).kind === 'pointer';
      throw new ExpressionFailure(isPointer ? 'expression-use-arrow' : 'expression-not-record', `A value of type ${typeName(base.type)}`);
    }
    return memberOf(base, record, expression.name);
  }

  private typed(value: Value, operator: string): TypedValue {
    if (value.kind === 'text') throw new ExpressionFailure('expression-text', operator);
    return value;
  }

  /** What a pointer (or array) value points to. */
  private dereference(value: Value, operator: string): TypedValue {
    const typed = this.typed(value, operator);
    const pointer = this.asPointer(typed);
    if (pointer === undefined) throw new ExpressionFailure('expression-not-pointer', `A value of type ${typeName(typed.type)}`);
    const { target } = pointer.type;
    if (stripType(target).kind === 'void') throw new ExpressionFailure('expression-incomplete-type', typeName(target));
    return inSpace({ kind: 'typed', type: target, place: { kind: 'memory', address: pointer.address } }, typed.space);
  }

  /** A value as a pointer: pointers themselves, arrays by their first element, functions by their address. */
  private asPointer(value: TypedValue): { readonly type: PointerType; readonly address: bigint } | undefined {
    const stripped = stripType(value.type);
    if (stripped.kind === 'pointer') return { type: stripped, address: fromBytes(load(value, this.context)) };
    if (stripped.kind !== 'array' && stripped.kind !== 'function') return undefined;
    if (value.place.kind !== 'memory') throw new ExpressionFailure('expression-not-place', stripped.kind === 'array' ? 'An array' : 'A function');
    const target = stripped.kind === 'array' ? stripped.element : stripped;
    return { type: { kind: 'pointer', target, sizeBytes: 8 }, address: value.place.address };
  }

  private unary(expression: Extract<Expression, { kind: 'unary' }>): Value {
    const { operator } = expression;
    const operand = this.evaluate(expression.operand);
    if (operator === '*') return this.dereference(operand, '*');
    if (operator === '&') return this.addressOf(this.typed(operand, '&'));
    if (operator === '!') return numberResult(intValue(!this.truth(operand)));
    return numberResult(applyUnary(operator, this.number(operand, operator)));
  }

  private addressOf(value: TypedValue): TypedValue {
    if (value.bits !== undefined) throw new ExpressionFailure('expression-bit-field');
    if (value.place.kind !== 'memory') throw new ExpressionFailure('expression-not-place', 'Operator &');
    return inSpace(immediateInteger(pointerTo(value.type), value.place.address), value.space);
  }

  /** The number a value is; pointers count as unsigned integers here. */
  private number(value: Value, operator: string): NumberValue {
    const typed = this.typed(value, operator);
    const pointer = this.asPointer(typed);
    if (pointer !== undefined) return wrap(C_TYPES.unsignedLong, pointer.address);
    const stripped = stripType(typed.type);
    const number = stripped.kind === 'base' || stripped.kind === 'enum' ? decodeNumber(typed.type, load(typed, this.context)) : undefined;
    if (number === undefined) throw new ExpressionFailure('expression-not-scalar', typeName(typed.type), operator);
    return typed.bits === undefined ? number : bitFieldNumber(number, typed.bits.sizeBits);
  }

  truth(value: Value): boolean {
    if (value.kind === 'text') return value.text !== '';
    const number = this.number(value, 'a condition');
    return number.kind === 'integer' ? number.value !== 0n : number.value !== 0;
  }

  private binary(operator: BinaryOperator, leftTree: Expression, rightTree: Expression): Value {
    const left = this.evaluate(leftTree);
    if (operator === '&&') return numberResult(intValue(this.truth(left) && this.truth(this.evaluate(rightTree))));
    if (operator === '||') return numberResult(intValue(this.truth(left) || this.truth(this.evaluate(rightTree))));
    return this.applied(operator, left, this.evaluate(rightTree));
  }

  private applied(operator: BinaryOperator, left: Value, right: Value): Value {
    if (operator === ',') return right;
    if (left.kind === 'text' || right.kind === 'text') return this.compareTexts(operator, left, right);
    if (operator === '@') return this.elements(left, this.number(right, '@'));
    const a = this.asPointer(left);
    const b = this.asPointer(right);
    if (a === undefined && b === undefined) return numberResult(applyNumbers(operator, this.number(left, operator), this.number(right, operator)));
    return this.pointerArithmetic(operator, { left, a }, { right, b });
  }

  private pointerArithmetic(
    operator: BinaryOperator,
    { left, a }: { readonly left: TypedValue; readonly a: ReturnType<Evaluator['asPointer']> },
    { right, b }: { readonly right: TypedValue; readonly b: ReturnType<Evaluator['asPointer']> },
  ): Value {
    if (a !== undefined && b !== undefined) {
      if (operator !== '-') return this.comparePointers(operator, a.address, b.address);
      const difference = BigInt.asIntN(64, a.address - b.address);
      return numberResult(wrap(C_TYPES.long, difference / this.stride(a.type)));
    }
    const pointer = a ?? b;
    if (pointer !== undefined && (operator === '+' || (operator === '-' && a !== undefined))) {
      const count = this.number(a === undefined ? left : right, operator);
      if (count.kind === 'float') throw new ExpressionFailure('expression-not-integer', operator, 'a floating value');
      const distance = count.value * this.stride(pointer.type);
      const moved = BigInt.asUintN(64, operator === '+' ? pointer.address + distance : pointer.address - distance);
      return inSpace(immediateInteger(pointer.type, moved), a === undefined ? right.space : left.space);
    }
    // Masks and comparisons of pointers with numbers, as in `p & 0xfff` or `p == 0`, see the pointer as a number.
    return numberResult(applyNumbers(operator, this.number(left, operator), this.number(right, operator)));
  }

  private comparePointers(operator: BinaryOperator, a: bigint, b: bigint): Value {
    if (['<', '>', '<=', '>=', '==', '!='].includes(operator)) return numberResult(compared(operator, a, b));
    return numberResult(applyNumbers(operator, wrap(C_TYPES.unsignedLong, a), wrap(C_TYPES.unsignedLong, b)));
  }

  /** How far one step of pointer arithmetic goes; `void *` and function pointers step by bytes, as GCC has it. */
  private stride(type: PointerType): bigint {
    const { kind } = stripType(type.target);
    if (kind === 'void' || kind === 'function') return 1n;
    return BigInt(Math.max(1, requireSize(type.target, this.context)));
  }

  /** `object@count`: that many objects in a row; of an array, that many of its elements. */
  private elements(value: TypedValue, count: NumberValue): TypedValue {
    if (value.place.kind !== 'memory') throw new ExpressionFailure('expression-not-place', 'Operator @');
    if (count.kind === 'float' || count.value < 1n || count.value > BigInt(ELEMENT_COUNT_MAX)) throw new ExpressionFailure('expression-count', ELEMENT_COUNT_MAX);
    const stripped = stripType(value.type);
    const element = stripped.kind === 'array' ? stripped.element : value.type;
    requireSize(element, this.context);
    return inSpace({ kind: 'typed', type: { kind: 'array', element, count: Number(count.value) }, place: value.place }, value.space);
  }

  private compareTexts(operator: BinaryOperator, left: Value, right: Value): Value {
    if (operator !== '==' && operator !== '!=') throw new ExpressionFailure('expression-text', operator);
    const isEqual = this.textOf(left, right) === this.textOf(right, left);
    return numberResult(intValue(isEqual === (operator === '==')));
  }

  /** A value as text, to compare with another: character arrays and pointers are read as far as the other is long. */
  private textOf(value: Value, other: Value): string {
    if (value.kind === 'text') return value.text;
    const pointer = this.asPointer(value);
    const target = pointer === undefined ? undefined : stripType(pointer.type.target);
    if (pointer === undefined || target?.kind !== 'base' || target.sizeBytes !== 1) throw new ExpressionFailure('expression-text', `a value of type ${typeName(value.type)}`);
    const stripped = stripType(value.type);
    const limit = stripped.kind === 'array' ? stripped.count ?? VALUE_SIZE_MAX_BYTES : VALUE_SIZE_MAX_BYTES;
    const wanted = other.kind === 'text' ? other.text.length + 1 : VALUE_SIZE_MAX_BYTES;
    return cStringAt(pointer.address, Math.min(limit, wanted), { context: this.context, space: value.space }).text;
  }

  private cast(type: Type, value: Value): TypedValue {
    const typed = this.typed(value, 'a cast');
    const stripped = stripType(type);
    switch (stripped.kind) {
      case 'base': return numberResult(convertNumber(this.number(typed, 'a cast'), stripped), type);
      case 'enum': case 'pointer': return inSpace(immediateInteger(type, this.integer(typed, 'a cast')), typed.space);
      case 'record': case 'array': return this.reinterpret(type, typed);
      default: return immediate(VOID, new Uint8Array(0));
    }
  }

  /** A structure or array type laid over what is in memory, as debuggers allow. */
  private reinterpret(type: Type, value: TypedValue): TypedValue {
    if (value.place.kind !== 'memory' || value.bits !== undefined) throw new ExpressionFailure('expression-not-place', `A cast to ${typeName(type)}`);
    return inSpace({ kind: 'typed', type, place: value.place }, value.space);
  }

  private integer(value: Value, operator: string): bigint {
    const number = this.number(value, operator);
    return number.kind === 'integer' ? number.value : BigInt(Math.trunc(Number.isFinite(number.value) ? number.value : 0));
  }

  private assign(expression: Extract<Expression, { kind: 'assign' }>): Value {
    const target = this.typed(this.evaluate(expression.target), '=');
    if (target.place.kind === 'none') throw new ExpressionFailure('expression-not-assignable', 'it is a computed value');
    const operand = this.evaluate(expression.value);
    const value = expression.operator === undefined ? operand : this.applied(expression.operator, target, operand);
    const bytes = this.converted(target.type, this.typed(value, '='));
    store(target, bytes, this.context);
    return target.place.kind === 'register' ? { ...target, place: { ...target.place, bytes } } : target;
  }

  /** The bytes of a value converted to the type it is assigned to. */
  private converted(type: Type, value: TypedValue): Uint8Array {
    const stripped = stripType(this.context.completeType(type));
    switch (stripped.kind) {
      case 'base': return encodeNumber(convertNumber(this.number(value, '='), stripped));
      case 'enum': case 'pointer': return toBytes(this.integer(value, '='), stripped.sizeBytes);
      case 'record': {
        const source = recordOf(value.type, this.context);
        if (source?.sizeBytes === stripped.sizeBytes && source.name === stripped.name) return load(value, this.context);
        throw new ExpressionFailure('expression-not-scalar', typeName(value.type), '=');
      }
      default: throw new ExpressionFailure('expression-not-assignable', `its type is ${typeName(type)}`);
    }
  }
}

/** A member of a record that is somewhere. */
export function memberOf(object: TypedValue, record: RecordType, name: string): TypedValue {
  const member = findMember(record, name);
  if (member === undefined) {
    const names = record.members.map((one) => one.name ?? '(anonymous)');
    const listed = names.slice(0, LISTED_MEMBER_COUNT_MAX).join(', ') + (names.length > LISTED_MEMBER_COUNT_MAX ? ', …' : '');
    throw new ExpressionFailure('expression-unknown-member', typeName(record), name, listed);
  }
  const part = partOf(object, member.offsetBytes, member.type);
  if (member.bitField === undefined) return part;
  const { offsetBits, sizeBits } = member.bitField;
  return { ...part, bits: { offsetBits: offsetBits - member.offsetBytes * 8, sizeBits } };
}

function numberResult(number: NumberValue, type: Type = number.type): TypedValue {
  return immediate(type, encodeNumber(number));
}

function sizeResult(size: number): TypedValue {
  return numberResult(wrap(C_TYPES.unsignedLong, BigInt(size)));
}

/** A bit-field narrower than `int` promotes to `int`, whatever its declared signedness (C11 6.3.1.1). */
function bitFieldNumber(number: NumberValue, sizeBits: number): NumberValue {
  return number.kind === 'integer' && sizeBits < 32 ? wrap(C_TYPES.int, number.value) : number;
}

/** The type of an integer literal (C11 6.4.4.1): the first of its list that can hold the value. */
function literalType(literal: Extract<Expression, { kind: 'integer' }>): BaseType {
  const { value, isUnsigned, isLong, isDecimal } = literal;
  if (!isLong) {
    if (!isUnsigned && value < 1n << 31n) return C_TYPES.int;
    if ((isUnsigned || !isDecimal) && value < 1n << 32n) return C_TYPES.unsignedInt;
  }
  return !isUnsigned && value < 1n << 63n ? C_TYPES.long : C_TYPES.unsignedLong;
}

function registerType(sizeBytes: number): BaseType {
  switch (sizeBytes) {
    case 4: return C_TYPES.unsignedInt;
    case 16: return C_TYPES.unsignedInt128;
    default: return C_TYPES.unsignedLong;
  }
}

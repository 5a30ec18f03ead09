/**
 * Shows values the way DAP wants them: a line of text, a type, a memory reference, and children on demand. Nothing here throws:
 * what cannot be read is shown as such.
 */
import { C_TYPES, type EnumType, fromBytes, type Member, type RecordType, sizeOfType, stripType, type Type, typeName } from '../../runtime/index';
import { decodeNumber, type NumberValue, wrap } from './arithmetic';
import { ExpressionFailure } from './errors';
import { memberOf } from './evaluator';
import { cStringAt, quoted, type StringSource } from './strings';
import type { DisplayFormat } from './syntax';
import { type EvaluationContext, inSpace, load, partOf, recordOf, type TypedValue, type Value, VALUE_SIZE_MAX_BYTES } from './values';

/** How a value appears in a variables view (DAP: Variable, EvaluateResponse). */
export interface ShownValue {
  readonly value: string;
  readonly type: string;
  /** Where its bytes are, or where a pointer points to. */
  readonly memoryReference?: bigint;
  /** How many children `childrenOf` can give, by name and by index. */
  readonly namedCount: number;
  readonly indexedCount: number;
}

/** A child of a value. */
export interface ChildValue {
  readonly name: string;
  /** An expression that gives the child again. */
  readonly evaluateName: string;
  readonly value: TypedValue;
}

const TEXT_LENGTH_MAX = 200;
const SUMMARY_LENGTH_MAX = 160;
const SUMMARY_ELEMENT_COUNT_MAX = 16;
const SUMMARY_DEPTH_MAX = 3;
/** How many children one request gives at most. */
export const CHILD_COUNT_MAX = 4096;

/** Shows a value. */
export function showValue(value: Value, context: EvaluationContext, format?: DisplayFormat): ShownValue {
  if (value.kind === 'text') return { value: quoted(value.text, '"'), type: 'text', namedCount: 0, indexedCount: 0 };
  const reference = referenceOf(value, context);
  const summary = summarise(value, context, { format: format ?? (value.place.kind === 'register' ? 'x' : undefined), depth: 0 });
  return { value: summary, type: typeName(value.type), ...(reference === undefined ? {} : { memoryReference: reference }), ...childCounts(value, context) };
}

function referenceOf(value: TypedValue, context: EvaluationContext): bigint | undefined {
  if (stripType(value.type).kind === 'pointer') return attempt(() => fromBytes(load(value, context)));
  return value.place.kind === 'memory' ? value.place.address : undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (failure) {
    if (failure instanceof ExpressionFailure) return undefined;
    throw failure;
  }
}

interface Style { readonly format: DisplayFormat | undefined; readonly depth: number }

function summarise(value: TypedValue, context: EvaluationContext, style: Style): string {
  try {
    return summary(value, context, style);
  } catch (failure) {
    if (failure instanceof ExpressionFailure) return unreadable(failure);
    throw failure;
  }
}

function unreadable(failure: ExpressionFailure): string {
  if (failure.diagnostic.code === 'expression-optimised-out') return '<optimised out>';
  const address = /0x[0-9a-f]+/.exec(failure.diagnostic.message)?.[0];
  if (failure.diagnostic.code === 'expression-memory-read') return `<cannot read memory at ${address ?? '?'}>`;
  return `<${failure.diagnostic.message}>`;
}

function summary(value: TypedValue, context: EvaluationContext, style: Style): string {
  const type = stripType(context.completeType(value.type));
  switch (type.kind) {
    case 'void': return 'void';
    case 'base': case 'enum': return scalar(value, context, style.format);
    case 'pointer': return pointer(value, type.target, context, style.format);
    case 'function': return functionText(value, context);
    case 'array': return arrayText(value, type, context, style);
    case 'record': return type.isDeclaration ? '<incomplete type>' : recordText(value, type, context, style);
    case 'typedef': case 'qualified': return '?';
  }
}

function scalar(value: TypedValue, context: EvaluationContext, format: DisplayFormat | undefined): string {
  const bytes = load(value, context);
  const number = decodeNumber(value.type, bytes);
  if (number === undefined) return `0x${fromBytes(bytes).toString(16)}`;
  return formatNumber(number, stripType(value.type), { format, sizeBits: value.bits?.sizeBits ?? bytes.length * 8 });
}

/** A number in a format, or in the one its type suggests. */
function formatNumber(number: NumberValue, type: Type, { format, sizeBits }: { readonly format: DisplayFormat | undefined; readonly sizeBits: number }): string {
  if (number.kind === 'float' && (format === undefined || format === 'd')) return floatText(number.value, number.type.sizeBytes);
  const integer = number.kind === 'integer' ? number.value : BigInt(Number.isFinite(number.value) ? Math.trunc(number.value) : 0);
  switch (format) {
    case 'x': case 'a': return `0x${BigInt.asUintN(sizeBits, integer).toString(16)}`;
    case 'o': return `0${BigInt.asUintN(sizeBits, integer).toString(8)}`;
    case 'b': return `0b${BigInt.asUintN(sizeBits, integer).toString(2)}`;
    case 'u': return BigInt.asUintN(sizeBits, integer).toString();
    case 'd': return BigInt.asIntN(sizeBits, integer).toString();
    case 'c': return characterText(integer);
    case 's': case undefined: return natural(integer, type);
  }
}

function natural(integer: bigint, type: Type): string {
  if (type.kind === 'enum') return enumText(integer, type);
  if (type.kind !== 'base') return integer.toString();
  if (type.encoding === 'boolean') return integer === 0n ? 'false' : integer === 1n ? 'true' : `true (${integer.toString()})`;
  return type.encoding === 'character' ? characterText(integer) : integer.toString();
}

function characterText(integer: bigint): string {
  return `${integer.toString()} ${quoted(String.fromCharCode(Number(BigInt.asUintN(8, integer))), "'")}`;
}

/** A constant's name; for flags, the names that make up the value; else the number. */
function enumText(integer: bigint, type: EnumType): string {
  const exact = type.enumerators.find((one) => one.value === integer);
  if (exact !== undefined) return exact.name;
  const names: string[] = [];
  let rest = integer;
  for (const { name, value } of type.enumerators) {
    const isFlag = value > 0n && (value & (value - 1n)) === 0n;
    if (!isFlag || (rest & value) === 0n) continue;
    names.push(name);
    rest &= ~value;
  }
  return rest === 0n && names.length > 1 ? names.join(' | ') : integer.toString();
}

/** The shortest digits that read back as the same value of that size. */
function floatText(value: number, sizeBytes: number): string {
  if (sizeBytes !== 4 || !Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value).replace('Infinity', 'inf').replace('NaN', 'nan');
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

/** Plain `char` holds text; `unsigned char` and `uint8_t` hold bytes. */
function isCharacter(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.name === 'char' && stripped.sizeBytes === 1;
}

function isSigned(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.isSigned;
}

function isByte(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.sizeBytes === 1 && !isCharacter(type) && stripped.encoding === 'character';
}

function pointer(value: TypedValue, target: Type, context: EvaluationContext, format: DisplayFormat | undefined): string {
  const address = fromBytes(load(value, context));
  const number = format === undefined || format === 's' ? `0x${address.toString(16)}` : formatNumber(wrap(C_TYPES.unsignedLong, address), C_TYPES.unsignedLong, { format, sizeBits: 64 });
  if (address === 0n) return number;
  if (format === 's' || (format === undefined && isCharacter(target))) return `${number} ${stringAt(address, { context, space: value.space })}`;
  const symbol = format === undefined || format === 'a' ? context.symbolize?.(address, value.space) : undefined;
  return symbol === undefined ? number : `${number} <${symbol}>`;
}

function stringAt(address: bigint, source: StringSource): string {
  const string = cStringAt(address, TEXT_LENGTH_MAX, source);
  if (string.isUnreadable) return `<cannot read memory at 0x${address.toString(16)}>`;
  return quoted(utf8(string.text), '"') + (string.isComplete ? '' : '...');
}

/** Bytes as UTF-8 if they are valid UTF-8. */
function utf8(text: string): string {
  try {
    return decodeURIComponent(text.replace(/[%\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`));
  } catch {
    return text;
  }
}

function functionText(value: TypedValue, context: EvaluationContext): string {
  if (value.place.kind !== 'memory') return '{...}';
  const symbol = context.symbolize?.(value.place.address, value.space);
  return `{${typeName(value.type)}} 0x${value.place.address.toString(16)}${symbol === undefined ? '' : ` <${symbol}>`}`;
}

interface ArrayShape { readonly element: Type; readonly count: number | undefined }

function arrayText(value: TypedValue, array: ArrayShape, context: EvaluationContext, style: Style): string {
  const { count } = array;
  if (count === undefined) return value.place.kind === 'memory' ? `0x${value.place.address.toString(16)}` : '<unknown length>';
  const asText = isCharacter(array.element) && (style.format === undefined || style.format === 's');
  if (asText && count > 0) return characters(value, count, context);
  if (style.depth >= SUMMARY_DEPTH_MAX) return '{...}';
  const parts: string[] = [];
  const format = style.format ?? (isByte(array.element) ? (isSigned(array.element) ? 'd' : 'u') : undefined);
  let length = 0;
  for (let i = 0; i < count; i++) {
    if (i >= SUMMARY_ELEMENT_COUNT_MAX || length > SUMMARY_LENGTH_MAX) {
      parts.push('...');
      break;
    }
    const part = summarise(elementOf(value, array.element, i), context, { format, depth: style.depth + 1 });
    parts.push(part);
    length += part.length + 2;
  }
  return `{${parts.join(', ')}}`;
}

/** A character array up to its NUL, or all of it if there is none. */
function characters(value: TypedValue, count: number, context: EvaluationContext): string {
  const size = Math.min(count, TEXT_LENGTH_MAX);
  const bytes = load({ ...value, type: { kind: 'array', element: C_TYPES.char, count: size } }, context);
  const end = bytes.indexOf(0);
  let text = '';
  for (const byte of end < 0 ? bytes : bytes.subarray(0, end)) text += String.fromCharCode(byte);
  return quoted(utf8(text), '"') + (end < 0 && size < count ? '...' : '');
}

function elementOf(value: TypedValue, element: Type, index: number): TypedValue {
  return partOf(value, index * (sizeOfType(element) ?? 0), element);
}

function recordText(value: TypedValue, record: RecordType, context: EvaluationContext, style: Style): string {
  if (style.depth >= SUMMARY_DEPTH_MAX) return '{...}';
  const parts: string[] = [];
  let length = 0;
  for (const { name, member } of flatMembers(record, context)) {
    if (length > SUMMARY_LENGTH_MAX) {
      parts.push('...');
      break;
    }
    const part = `${name} = ${summarise(memberValue(value, member), context, { ...style, depth: style.depth + 1 })}`;
    parts.push(part);
    length += part.length + 2;
  }
  return `{${parts.join(', ')}}`;
}

function memberValue(value: TypedValue, member: Member): TypedValue {
  const name = member.name ?? '';
  return memberOf(value, { kind: 'record', keyword: 'struct', sizeBytes: 0, isDeclaration: false, members: [{ ...member, name }] }, name);
}

/** The members of a record, with those of anonymous structures and unions in their place, as C sees them. */
function flatMembers(record: RecordType, context: EvaluationContext): readonly { readonly name: string; readonly member: Member }[] {
  const found: { name: string; member: Member }[] = [];
  // Damaged records may contain themselves: each is looked into once.
  const seen = new Set<RecordType>();
  const visit = (inner: RecordType, offsetBytes: number): void => {
    seen.add(inner);
    for (const member of inner.members) {
      if (found.length >= CHILD_COUNT_MAX) return;
      const moved = movedMember(member, offsetBytes);
      const anonymous = member.name === undefined ? recordOf(member.type, context) : undefined;
      if (anonymous !== undefined && !seen.has(anonymous)) visit(anonymous, moved.offsetBytes);
      else if (member.name !== undefined) found.push({ name: member.name, member: moved });
    }
  };
  visit(record, 0);
  return found;
}

function movedMember(member: Member, byBytes: number): Member {
  const { bitField } = member;
  const moved = { ...member, offsetBytes: member.offsetBytes + byBytes };
  return bitField === undefined ? moved : { ...moved, bitField: { ...bitField, offsetBits: bitField.offsetBits + byBytes * 8 } };
}

function childCounts(value: TypedValue, context: EvaluationContext): { readonly namedCount: number; readonly indexedCount: number } {
  const type = stripType(context.completeType(value.type));
  if (type.kind === 'record') return { namedCount: flatMembers(type, context).length, indexedCount: 0 };
  if (type.kind === 'array') return { namedCount: 0, indexedCount: type.count ?? 0 };
  if (type.kind !== 'pointer' || attempt(() => fromBytes(load(value, context))) === 0n) return { namedCount: 0, indexedCount: 0 };
  const target = stripType(context.completeType(type.target));
  if (target.kind === 'record') return { namedCount: flatMembers(target, context).length, indexedCount: 0 };
  return { namedCount: target.kind === 'void' || target.kind === 'function' ? 0 : 1, indexedCount: 0 };
}

/** Which children are wanted: `count` from `start`, for arrays. */
export interface ChildRange { readonly start?: number; readonly count?: number }

/** The children of a value: members, elements in a range, or what a pointer points to. `expression` is what gave the value. */
export function childrenOf(value: Value, expression: string, context: EvaluationContext, range: ChildRange = {}): readonly ChildValue[] {
  if (value.kind === 'text') return [];
  const type = stripType(context.completeType(value.type));
  if (type.kind === 'record') return memberChildren(value, type, `${grouped(expression)}.`, context);
  if (type.kind === 'array') return elementChildren(value, type, expression, range);
  if (type.kind !== 'pointer') return [];
  const address = attempt(() => fromBytes(load(value, context)));
  if (address === undefined || address === 0n) return [];
  const target = inSpace({ kind: 'typed', type: type.target, place: { kind: 'memory', address } }, value.space);
  const record = recordOf(type.target, context);
  if (record !== undefined) return memberChildren(target, record, `${grouped(expression)}->`, context);
  const { kind } = stripType(type.target);
  return kind === 'void' || kind === 'function' ? [] : [{ name: `*${expression}`, evaluateName: `*${grouped(expression)}`, value: target }];
}

/** An expression that a postfix operator can follow. */
function grouped(expression: string): string {
  return /^(?:[\w$]+!)?[\w$]+(?:(?:->|\.)\w+|\[\d+\])*$/.test(expression) ? expression : `(${expression})`;
}

function memberChildren(value: TypedValue, record: RecordType, prefix: string, context: EvaluationContext): readonly ChildValue[] {
  return flatMembers(record, context).map(({ name, member }) => ({ name, evaluateName: prefix + name, value: memberValue(value, member) }));
}

function elementChildren(value: TypedValue, array: ArrayShape, expression: string, range: ChildRange): readonly ChildValue[] {
  const start = Math.max(0, range.start ?? 0);
  const end = Math.min(array.count ?? 0, start + Math.min(range.count ?? CHILD_COUNT_MAX, CHILD_COUNT_MAX));
  const children: ChildValue[] = [];
  for (let i = start; i < end; i++) {
    children.push({ name: `[${String(i)}]`, evaluateName: `${grouped(expression)}[${String(i)}]`, value: elementOf(value, array.element, i) });
  }
  return children;
}

/** The whole text of a character pointer or array, for copying to the clipboard; `undefined` for other values. */
export function fullText(value: Value, context: EvaluationContext): string | undefined {
  if (value.kind === 'text') return value.text;
  const type = stripType(value.type);
  const target = type.kind === 'pointer' ? type.target : type.kind === 'array' ? type.element : undefined;
  if (target === undefined || !isCharacter(target)) return undefined;
  const address = type.kind === 'pointer' ? attempt(() => fromBytes(load(value, context))) : value.place.kind === 'memory' ? value.place.address : undefined;
  const limit = type.kind === 'array' ? type.count ?? VALUE_SIZE_MAX_BYTES : VALUE_SIZE_MAX_BYTES;
  return address === undefined ? undefined : utf8(cStringAt(address, Math.min(limit, VALUE_SIZE_MAX_BYTES), { context, space: value.space }).text);
}

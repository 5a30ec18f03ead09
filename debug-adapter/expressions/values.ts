/**
 * Typed values of expressions and the world they are evaluated in. A value knows its type and where it is; its bytes are read
 * when needed, so that naming a large structure costs nothing.
 */
import { fromBytes, type Location, type RecordType, sizeOfType, stripType, toBytes, type Type, typeName } from '../../runtime/index';
import { ExpressionFailure } from './errors';

/** What a register or other `$` name holds. */
export interface RegisterValue {
  readonly value: bigint;
  readonly sizeBytes: number;
}

/** What a plain name stands for. `space` names another VM whose memory it is in. */
export type NamedThing =
  | { readonly kind: 'variable'; readonly type: Type; readonly location: Location; readonly space?: string }
  | { readonly kind: 'constant'; readonly type: Type; readonly value: bigint }
  | { readonly kind: 'function'; readonly type: Type; readonly address: bigint; readonly space?: string }
  | { readonly kind: 'text'; readonly text: string };

/** Everything an expression can look at. Implemented by the debug adapter for a frame or an event, and by tests. */
export interface EvaluationContext {
  /** What a name means, seen from the frame; `image` is the part before `!`, if any. */
  resolve(name: string, image: string | undefined): NamedThing | undefined;
  /** The type of that name (`struct foo`, `uint8_t`). */
  findType(name: string): Type | undefined;
  /** The definition of a type that is only declared where it was found. */
  completeType(type: Type): Type;
  /** A register or other value by its name without `$`: `x0`, `pc`, `SCTLR_EL1`, `tick`. */
  readRegister(name: string): RegisterValue | undefined;
  /** Changes a register; false if that is not possible. */
  writeRegister(name: string, value: bigint): boolean;
  /** A register of the frame by DWARF number. */
  frameRegister(number: number): bigint | undefined;
  /** Changes a register of the frame; false if that is not possible. */
  writeFrameRegister(number: number, value: bigint): boolean;
  /** Reads memory, of the frame's VM or of the one that `space` names; `undefined` if any byte cannot be read. */
  readMemory(address: bigint, sizeBytes: number, space?: string): Uint8Array | undefined;
  /** Writes memory; false if that is not possible. */
  writeMemory(address: bigint, bytes: Uint8Array, space?: string): boolean;
  /** A name for an address, such as `main+8`, to show beside pointers. */
  symbolize?(address: bigint, space?: string): string | undefined;
}

/** Where a value is. Bits count from the least significant bit of the first byte. */
export type Place =
  | { readonly kind: 'memory'; readonly address: bigint }
  | { readonly kind: 'register'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'frame'; readonly location: Location; readonly wholeSizeBytes: number; readonly offsetBytes: number }
  | { readonly kind: 'none'; readonly bytes: Uint8Array };

/** A value of a C type. */
export interface TypedValue {
  readonly kind: 'typed';
  readonly type: Type;
  readonly place: Place;
  /** For bit-fields: where in `place`. */
  readonly bits?: { readonly offsetBits: number; readonly sizeBits: number };
  /** The VM in whose memory it is, or its pointers point, if that is not the frame's. */
  readonly space?: string;
}
/** A text that is not in the guest's memory: a literal, or the name of a VM. */
export interface TextValue {
  readonly kind: 'text';
  readonly text: string;
}
/** The result of an expression. */
export type Value = TypedValue | TextValue;

/** The largest value that is read as a whole. */
export const VALUE_SIZE_MAX_BYTES = 65536;

/** A value that is in no place. */
export function immediate(type: Type, bytes: Uint8Array): TypedValue {
  return { kind: 'typed', type, place: { kind: 'none', bytes } };
}

/** An integer, pointer or enumeration value that is in no place. */
export function immediateInteger(type: Type, value: bigint): TypedValue {
  return immediate(type, toBytes(value, sizeOfType(type) ?? 8));
}

/** The same value, seen as belonging to the memory of a VM. */
export function inSpace(value: TypedValue, space: string | undefined): TypedValue {
  return space === undefined || value.space === space ? value : { ...value, space };
}

/** The size of a type, which must be complete. */
export function requireSize(type: Type, context: EvaluationContext): number {
  const size = sizeOfType(type) ?? sizeOfType(context.completeType(type));
  if (size === undefined) throw new ExpressionFailure('expression-incomplete-type', typeName(type));
  return size;
}

/** The complete record behind a type; `undefined` if it is none. */
export function recordOf(type: Type, context: EvaluationContext): RecordType | undefined {
  const stripped = stripType(context.completeType(type));
  return stripped.kind === 'record' ? stripped : undefined;
}

/** The bytes of a value. Throws `ExpressionFailure` where they cannot be had. */
export function load(value: TypedValue, context: EvaluationContext): Uint8Array {
  const size = requireSize(value.type, context);
  if (size > VALUE_SIZE_MAX_BYTES) throw new ExpressionFailure('expression-too-large', size, VALUE_SIZE_MAX_BYTES);
  if (value.bits === undefined) return readPlace(value, size, context);
  const { offsetBits, sizeBits } = value.bits;
  const storage = readPlace(value, Math.ceil((offsetBits + sizeBits) / 8), context);
  const raw = BigInt.asUintN(sizeBits, fromBytes(storage) >> BigInt(offsetBits));
  return toBytes(isSignedType(value.type) ? BigInt.asIntN(sizeBits, raw) : raw, size);
}

function isSignedType(type: Type): boolean {
  const stripped = stripType(type);
  return (stripped.kind === 'base' || stripped.kind === 'enum') && stripped.isSigned;
}

function readPlace({ place, space }: TypedValue, size: number, context: EvaluationContext): Uint8Array {
  switch (place.kind) {
    case 'memory': return readMemory(place.address, size, context, space);
    case 'register': case 'none': return padded(place.bytes, 0, size);
    case 'frame': return padded(readLocation(place.location, place.wholeSizeBytes, context), place.offsetBytes, size);
  }
}

/** Memory, or a failure that says where. */
function readMemory(address: bigint, size: number, context: EvaluationContext, space?: string): Uint8Array {
  const at = BigInt.asUintN(64, address);
  const bytes = context.readMemory(at, size, space);
  if (bytes === undefined) throw new ExpressionFailure('expression-memory-read', `0x${at.toString(16)}`, size);
  return bytes;
}

function padded(bytes: Uint8Array, offset: number, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(offset, offset + size));
  return result;
}

/** The bytes at a location from debug information. */
function readLocation(location: Location, size: number, context: EvaluationContext): Uint8Array {
  switch (location.kind) {
    case 'memory': return readMemory(location.address, size, context);
    case 'value': return location.bytes;
    case 'register': return registerBytes(location.register, size, context);
    case 'pieces': return joinPieces(location, size, context);
    case 'implicit-pointer': throw new ExpressionFailure('expression-unavailable', 'The pointer', 'the compiler kept what it points to, but not the address');
    case 'optimised-out': throw new ExpressionFailure('expression-optimised-out', 'The value');
    case 'unavailable': throw new ExpressionFailure('expression-unavailable', 'The value', location.reason);
  }
}

function registerBytes(register: number, size: number, context: EvaluationContext): Uint8Array {
  const value = context.frameRegister(register);
  if (value === undefined) throw new ExpressionFailure('expression-optimised-out', 'The value');
  return toBytes(value, Math.max(size, 8));
}

function joinPieces(location: Extract<Location, { kind: 'pieces' }>, size: number, context: EvaluationContext): Uint8Array {
  let bits = 0n;
  let position = 0;
  for (const piece of location.pieces) {
    if (piece.sizeBits === 0) continue;
    const bytes = readLocation(piece.location, Math.ceil((piece.bitOffset + piece.sizeBits) / 8), context);
    bits |= BigInt.asUintN(piece.sizeBits, fromBytes(bytes) >> BigInt(piece.bitOffset)) << BigInt(position);
    position += piece.sizeBits;
    if (position >= size * 8) break;
  }
  return toBytes(bits, size);
}

/** Writes bytes to where a value is. Throws `ExpressionFailure` where that is not possible. */
export function store(value: TypedValue, bytes: Uint8Array, context: EvaluationContext): void {
  if (value.bits === undefined) return writePlace(value, bytes, context);
  const { offsetBits, sizeBits } = value.bits;
  const storage = readPlace(value, Math.ceil((offsetBits + sizeBits) / 8), context);
  const mask = ((1n << BigInt(sizeBits)) - 1n) << BigInt(offsetBits);
  const inserted = (fromBytes(storage) & ~mask) | ((fromBytes(bytes) << BigInt(offsetBits)) & mask);
  writePlace(value, toBytes(inserted, storage.length), context);
}

function writePlace({ place, space }: TypedValue, bytes: Uint8Array, context: EvaluationContext): void {
  switch (place.kind) {
    case 'memory':
      if (context.writeMemory(place.address, bytes, space)) return;
      throw new ExpressionFailure('expression-memory-write', `0x${place.address.toString(16)}`, bytes.length);
    case 'register':
      if (!context.writeRegister(place.name, fromBytes(bytes))) throw new ExpressionFailure('expression-register-write', `$${place.name}`);
      return;
    case 'frame': return writeLocation(place, bytes, context);
    case 'none': throw new ExpressionFailure('expression-not-assignable', 'it is a computed value');
  }
}

function writeLocation(place: Extract<Place, { kind: 'frame' }>, bytes: Uint8Array, context: EvaluationContext): void {
  const { location, offsetBytes } = place;
  if (location.kind !== 'register') throw new ExpressionFailure('expression-not-assignable', 'the compiler did not keep it in one place');
  const whole = registerBytes(location.register, 8, context).slice();
  whole.set(bytes.subarray(0, whole.length - offsetBytes), offsetBytes);
  if (!context.writeFrameRegister(location.register, fromBytes(whole))) {
    throw new ExpressionFailure('expression-register-write', `of DWARF number ${String(location.register)}`);
  }
}

/** The part of a value that begins at a byte offset and has another type: a member or an element. */
export function partOf(value: TypedValue, offsetBytes: number, type: Type): TypedValue {
  return inSpace({ kind: 'typed', type, place: partOfPlace(value.place, offsetBytes) }, value.space);
}

function partOfPlace(place: Place, offsetBytes: number): Place {
  switch (place.kind) {
    case 'memory': return { kind: 'memory', address: BigInt.asUintN(64, place.address + BigInt(offsetBytes)) };
    case 'frame': return { ...place, offsetBytes: place.offsetBytes + offsetBytes };
    case 'register': case 'none': return { kind: 'none', bytes: place.bytes.subarray(offsetBytes) };
  }
}

/** A variable as a value: locations in memory are places in memory, whatever described them. */
export function variableValue(type: Type, location: Location): TypedValue {
  if (location.kind === 'memory') return { kind: 'typed', type, place: { kind: 'memory', address: location.address } };
  return { kind: 'typed', type, place: { kind: 'frame', location, wholeSizeBytes: Math.min(sizeOfType(type) ?? 8, VALUE_SIZE_MAX_BYTES), offsetBytes: 0 } };
}

/**
 * The evaluator of location expressions (DWARF 5 2.5 and 2.6). It is total: malformed or unsupported operations give
 * `unavailable` or `optimised-out`, and the number of steps is bounded.
 */
import { type FrameContext, fromBytes, type Location, type LocationPiece, OPTIMISED_OUT, REGISTER, toBytes } from '../frame';
import { AT, OP } from './constants';
import { DebugBytes, DwarfCursor } from './cursor';
import { applyBinary, type BinaryOperation, convert, integerOf, type StackType, type StackValue, stackValue, widthOf } from './typed-values';
import type { Die } from './tree';
import type { Unit } from './unit';

/** The surroundings an expression is evaluated in. */
export interface ExpressionScope {
  readonly unit: Unit;
  readonly frame: FrameContext;
  /** Runtime address minus link address. */
  readonly slide: bigint;
  /** The frame base of the function around, for `DW_OP_fbreg`. */
  frameBase(): bigint | undefined;
  /** An entry of `.debug_info`, for typed operations and calls. */
  dieAt(offset: number): Die | undefined;
  /** The value an expression had when the function was entered, if the call site tells it. */
  entryValue(expression: Uint8Array): bigint | undefined;
  /** Where the variable is that an implicit pointer points to. */
  locate(die: Die): Location;
  /** What the stack begins with: the address of the enclosing object, or the CFA in frame expressions. */
  readonly initial?: bigint;
  /** The address for `DW_OP_push_object_address`. */
  readonly objectAddress?: bigint;
}

const STEP_COUNT_MAX = 10_000;
const STACK_DEPTH_MAX = 256;
const CALL_DEPTH_MAX = 8;
const IMPLICIT_SIZE_MAX_BYTES = 65536;

/** Evaluates a location expression. An empty one means optimised out. */
export function evaluateLocation(expression: Uint8Array, scope: ExpressionScope): Location {
  return new Evaluator(scope).location(expression);
}

/** Evaluates an expression whose result is a number, such as an array bound or a call frame rule. */
export function evaluateValue(expression: Uint8Array, scope: ExpressionScope): bigint | undefined {
  const location = evaluateLocation(expression, scope);
  switch (location.kind) {
    case 'memory': return location.address;
    case 'value': return fromBytes(location.bytes);
    case 'register': return scope.frame.registers.register(location.register);
    default: return undefined;
  }
}

const BINARY: ReadonlyMap<number, BinaryOperation> = new Map<number, BinaryOperation>([
  [OP.and, 'and'], [OP.div, 'div'], [OP.minus, 'minus'], [OP.mod, 'mod'], [OP.mul, 'mul'], [OP.or, 'or'], [OP.plus, 'plus'],
  [OP.shl, 'shl'], [OP.shr, 'shr'], [OP.shra, 'shra'], [OP.xor, 'xor'], [OP.eq, 'eq'], [OP.ge, 'ge'], [OP.gt, 'gt'],
  [OP.le, 'le'], [OP.lt, 'lt'], [OP.ne, 'ne'],
]);

/** The stack machine over one scope. */
class Evaluator {
  private readonly scope: ExpressionScope;
  private readonly stack: StackValue[] = [];
  private readonly pieces: LocationPiece[] = [];
  private failure: Location | undefined;
  /** A register, implicit value or implicit pointer that stands for the whole (or the current piece). */
  private described: Location | undefined;
  private isStackValue = false;
  private steps = 0;

  constructor(scope: ExpressionScope) {
    this.scope = scope;
    if (scope.initial !== undefined) this.stack.push({ bits: BigInt.asUintN(64, scope.initial) });
  }

  location(expression: Uint8Array): Location {
    if (expression.length === 0) return OPTIMISED_OUT;
    this.run(expression, 0);
    if (this.failure !== undefined) return this.failure;
    return this.pieces.length > 0 ? { kind: 'pieces', pieces: this.pieces } : this.current();
  }

  private run(expression: Uint8Array, depth: number): void {
    const cursor = new DwarfCursor(new DebugBytes(expression));
    while (cursor.more && this.failure === undefined) {
      if (++this.steps > STEP_COUNT_MAX) return this.fail('its location description does not end');
      this.step(cursor, depth);
      if (cursor.overrun) this.fail('its location description is cut off');
    }
  }

  /** What the operations so far describe. */
  private current(): Location {
    if (this.described !== undefined) return this.described;
    const top = this.stack[this.stack.length - 1];
    if (top === undefined) return OPTIMISED_OUT;
    if (this.isStackValue) return { kind: 'value', bytes: toBytes(top.bits, widthOf(top.type) / 8) };
    return { kind: 'memory', address: BigInt.asUintN(64, top.bits) };
  }

  private fail(reason: string): void {
    this.failure ??= { kind: 'unavailable', reason };
  }

  private push(value: bigint, type?: StackType): void {
    if (this.stack.length >= STACK_DEPTH_MAX) this.fail('its location description is too deep');
    else this.stack.push(stackValue(value, type));
  }

  private pop(): StackValue {
    const value = this.stack.pop();
    if (value === undefined) this.fail('its location description is malformed');
    return value ?? { bits: 0n };
  }

  private register(number: number): bigint {
    const value = this.scope.frame.registers.register(number);
    if (value === undefined) this.failure ??= OPTIMISED_OUT;
    return value ?? 0n;
  }

  private step(cursor: DwarfCursor, depth: number): void {
    const op = cursor.u8();
    const binary = BINARY.get(op);
    if (op >= OP.lit0 && op <= OP.lit31) this.push(BigInt(op - OP.lit0));
    else if (op >= OP.reg0 && op <= OP.reg31) this.described = { kind: 'register', register: op - OP.reg0 };
    else if (op >= OP.breg0 && op <= OP.breg31) this.push(this.register(op - OP.breg0) + cursor.slebBig());
    else if (binary !== undefined) this.binary(binary);
    else if (!this.constant(op, cursor) && !this.stackOperation(op, cursor) && !this.describe(op, cursor)) this.special(op, cursor, depth);
  }

  private binary(operation: BinaryOperation): void {
    const b = this.pop();
    const result = applyBinary(operation, this.pop(), b);
    if (result === undefined) this.fail('its location description divides by zero');
    else this.stack.push(result);
  }

  private constant(op: number, cursor: DwarfCursor): boolean {
    switch (op) {
      case OP.addr: this.push(cursor.u64() + this.scope.slide); return true;
      case OP.addrx: case OP.GNU_addr_index: this.push(this.scope.unit.indexedAddress(cursor.uleb()) + this.scope.slide); return true;
      case OP.constx: case OP.GNU_const_index: this.push(this.scope.unit.indexedAddress(cursor.uleb())); return true;
      case OP.const1u: this.push(cursor.unsigned(1)); return true;
      case OP.const2u: this.push(cursor.unsigned(2)); return true;
      case OP.const4u: this.push(cursor.unsigned(4)); return true;
      case OP.const8u: case OP.const8s: this.push(cursor.unsigned(8)); return true;
      case OP.const1s: this.push(BigInt.asIntN(8, cursor.unsigned(1))); return true;
      case OP.const2s: this.push(BigInt.asIntN(16, cursor.unsigned(2))); return true;
      case OP.const4s: this.push(BigInt.asIntN(32, cursor.unsigned(4))); return true;
      case OP.constu: this.push(cursor.ulebBig()); return true;
      case OP.consts: this.push(cursor.slebBig()); return true;
      default: return false;
    }
  }

  private stackOperation(op: number, cursor: DwarfCursor): boolean {
    const { stack } = this;
    switch (op) {
      case OP.dup: this.pick(0); return true;
      case OP.over: this.pick(1); return true;
      case OP.pick: this.pick(cursor.u8()); return true;
      case OP.drop: this.pop(); return true;
      case OP.swap: { const a = this.pop(); const b = this.pop(); stack.push(a, b); return true; }
      case OP.rot: { const a = this.pop(); const b = this.pop(); const c = this.pop(); stack.push(a, c, b); return true; }
      case OP.abs: { const a = this.pop(); const value = integerOf(a); stack.push(stackValue(value < 0n ? -value : value, a.type)); return true; }
      case OP.neg: { const a = this.pop(); stack.push(stackValue(-integerOf(a), a.type)); return true; }
      case OP.not: { const a = this.pop(); stack.push(stackValue(~a.bits, a.type)); return true; }
      case OP.plus_uconst: { const a = this.pop(); stack.push(stackValue(integerOf(a) + cursor.ulebBig(), a.type)); return true; }
      case OP.skip: this.jump(cursor, true); return true;
      case OP.bra: this.jump(cursor, this.pop().bits !== 0n); return true;
      case OP.deref: this.dereference(8); return true;
      case OP.deref_size: this.dereference(cursor.u8()); return true;
      case OP.nop: case OP.GNU_uninit: return true;
      default: return false;
    }
  }

  private pick(depth: number): void {
    const value = this.stack[this.stack.length - 1 - depth];
    if (value === undefined) this.fail('its location description is malformed');
    else if (this.stack.length < STACK_DEPTH_MAX) this.stack.push(value);
    else this.fail('its location description is too deep');
  }

  private jump(cursor: DwarfCursor, isTaken: boolean): void {
    const distance = (cursor.u16() << 16) >> 16;
    if (!isTaken) return;
    const target = cursor.position + distance;
    if (target < 0 || target > cursor.end) cursor.fail();
    else cursor.position = target;
  }

  private dereference(sizeBytes: number, type?: StackType): void {
    const address = BigInt.asUintN(64, this.pop().bits);
    const bytes = sizeBytes >= 1 && sizeBytes <= 16 ? this.scope.frame.memory.read(address, sizeBytes) : undefined;
    if (bytes === undefined) this.fail(`the memory at 0x${address.toString(16)} that leads to it cannot be read`);
    else this.push(fromBytes(bytes), type);
  }

  /** Operations that describe a place or end a piece. */
  private describe(op: number, cursor: DwarfCursor): boolean {
    switch (op) {
      case OP.regx: this.described = { kind: 'register', register: cursor.uleb() }; return true;
      case OP.stack_value: this.isStackValue = true; return true;
      case OP.implicit_value: {
        const size = cursor.uleb();
        if (size > IMPLICIT_SIZE_MAX_BYTES) this.fail('its value is too large');
        else this.described = { kind: 'value', bytes: cursor.block(size) };
        return true;
      }
      case OP.implicit_pointer: case OP.GNU_implicit_pointer: this.implicitPointer(cursor); return true;
      case OP.piece: this.piece(cursor.uleb() * 8, 0); return true;
      case OP.bit_piece: { const size = cursor.uleb(); this.piece(size, cursor.uleb()); return true; }
      default: return false;
    }
  }

  private implicitPointer(cursor: DwarfCursor): void {
    const { unit } = this.scope;
    const die = this.scope.dieAt(cursor.offset(unit.version <= 2 && unit.addressSize === 8 ? 8 : unit.offsetSize));
    const byteOffset = cursor.sleb();
    const target = (): Location => (die === undefined ? OPTIMISED_OUT : this.scope.locate(die));
    this.described = { kind: 'implicit-pointer', target, byteOffset };
  }

  private piece(sizeBits: number, bitOffset: number): void {
    if (this.pieces.length >= STACK_DEPTH_MAX || sizeBits + bitOffset > IMPLICIT_SIZE_MAX_BYTES * 8) return this.fail('it has too many pieces');
    this.pieces.push({ location: this.current(), sizeBits, bitOffset });
    this.described = undefined;
    this.isStackValue = false;
    this.stack.length = 0;
  }

  private special(op: number, cursor: DwarfCursor, depth: number): void {
    switch (op) {
      case OP.fbreg: return this.frameRelative(cursor.slebBig());
      case OP.bregx: { const number = cursor.uleb(); return this.push(this.register(number) + cursor.slebBig()); }
      case OP.call_frame_cfa: return this.pushKnown(this.scope.frame.cfa());
      case OP.push_object_address: return this.pushKnown(this.scope.objectAddress);
      case OP.entry_value: case OP.GNU_entry_value: return this.pushKnown(this.scope.entryValue(cursor.block(cursor.uleb())));
      case OP.call2: return this.call(this.scope.unit.offset + cursor.u16(), depth);
      case OP.call4: return this.call(this.scope.unit.offset + cursor.u32(), depth);
      case OP.call_ref: return this.call(cursor.offset(this.scope.unit.offsetSize), depth);
      case OP.const_type: case OP.GNU_const_type: { const type = this.typeAt(cursor); return this.push(fromBytes(cursor.block(cursor.u8())), type); }
      case OP.regval_type: case OP.GNU_regval_type: { const number = cursor.uleb(); return this.push(this.register(number), this.typeAt(cursor)); }
      case OP.deref_type: case OP.GNU_deref_type: { const size = cursor.u8(); return this.dereference(size, this.typeAt(cursor)); }
      case OP.convert: case OP.GNU_convert: { const type = this.typeAt(cursor); this.stack.push(convert(this.pop(), type)); return; }
      case OP.reinterpret: case OP.GNU_reinterpret: { const type = this.typeAt(cursor); return this.push(this.pop().bits, type); }
      case OP.GNU_parameter_ref: case OP.GNU_variable_value: cursor.skip(4); this.failure ??= OPTIMISED_OUT; return;
      default: this.fail(`its location uses DWARF operation 0x${op.toString(16)}, which is not supported`);
    }
  }

  private pushKnown(value: bigint | undefined): void {
    if (value === undefined) this.failure ??= OPTIMISED_OUT;
    else this.push(value);
  }

  private frameRelative(offset: bigint): void {
    const base = this.scope.frameBase();
    if (base === undefined) this.fail('the base of its stack frame is not known');
    else this.push(base + offset);
  }

  private call(offset: number, depth: number): void {
    const value = this.scope.dieAt(offset)?.attribute(AT.location);
    if (depth >= CALL_DEPTH_MAX) this.fail('its location description does not end');
    else if (value?.kind === 'block') this.run(value.bytes, depth + 1);
  }

  /** The base type at a unit-relative offset; offset 0 is the generic type. */
  private typeAt(cursor: DwarfCursor): StackType | undefined {
    const offset = cursor.uleb();
    if (offset === 0) return undefined;
    const die = this.scope.dieAt(this.scope.unit.offset + offset);
    return { sizeBytes: die?.number(AT.byte_size) ?? 8, encoding: die?.number(AT.encoding) ?? 0 };
  }
}

/** The register that a one-operation expression names, if it is one. */
export function registerNamed(expression: Uint8Array): number | undefined {
  const op = expression[0] ?? 0;
  if (expression.length === 1 && op >= OP.reg0 && op <= OP.reg31) return op - OP.reg0;
  if (expression.length === 2 && op === OP.regx) return expression[1] ?? REGISTER.pc;
  return undefined;
}

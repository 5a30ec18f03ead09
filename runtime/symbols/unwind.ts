/**
 * From a frame to its caller: by call frame information where there is some, else by the frame records that x29 links
 * (Procedure Call Standard for the Arm 64-bit Architecture, 6.4.6), which assembly code keeps too.
 */
import { evaluateValue, type ExpressionScope } from './dwarf/expression';
import type { FrameRow, RegisterRule } from './dwarf/frames';
import { type FrameContext, fromBytes, type MemoryReader, REGISTER, type RegisterReader, registersFrom } from './frame';

/** A caller as unwinding finds it. */
export interface Unwound {
  /** The canonical frame address of the frame that was left: its caller's SP at the call. */
  readonly cfa: bigint;
  /** The caller's pc: the return address, or the interrupted instruction after a signal frame. */
  readonly pc: bigint;
  readonly registers: RegisterReader;
  /** True if `pc` is the instruction to run next rather than a return address. */
  readonly isExact: boolean;
}

const REGISTER_COUNT = 33;

/** The canonical frame address that a row gives. */
export function cfaFrom(row: FrameRow, frame: FrameContext, scope: ExpressionScope): bigint | undefined {
  const { cfa } = row;
  if (cfa === undefined) return undefined;
  if (cfa.kind === 'expression') return evaluateValue(cfa.bytes, scope);
  const base = frame.registers.register(cfa.register);
  return base === undefined ? undefined : BigInt.asUintN(64, base + cfa.offset);
}

/** Applies a row; `undefined` at the outermost frame, or if memory that holds a register cannot be read. */
export function unwindByRow(row: FrameRow, frame: FrameContext, scope: ExpressionScope): Unwound | undefined {
  const cfa = cfaFrom(row, frame, scope);
  if (cfa === undefined) return undefined;
  const values: (bigint | undefined)[] = [];
  for (let number = 0; number < REGISTER_COUNT - 1; number++) {
    const rule = row.rules.get(number);
    values[number] = rule === undefined ? unruled(number, frame, cfa) : ruled(rule, number, frame, { cfa, scope });
  }
  const link = row.rules.get(row.returnAddressRegister);
  const pc = row.returnAddressRegister < REGISTER.pc ? values[row.returnAddressRegister]
    : link === undefined ? undefined : ruled(link, row.returnAddressRegister, frame, { cfa, scope });
  if (pc === undefined) return undefined;
  const returnAddress = withoutPac(pc);
  values[REGISTER.pc] = returnAddress;
  // After a return the link register holds whatever the callee left there.
  if (!row.isSignalFrame && link === undefined) values[REGISTER.x30] = returnAddress;
  return { cfa, pc: returnAddress, registers: registersFrom(values), isExact: row.isSignalFrame };
}

/**
 * Scratch registers count as kept too: when compilers see the callee they may leave values in them across the call, and where
 * they do not, the location lists end before the call.
 */
function unruled(number: number, frame: FrameContext, cfa: bigint): bigint | undefined {
  return number === REGISTER.sp ? cfa : frame.registers.register(number);
}

function ruled(rule: RegisterRule, number: number, frame: FrameContext, at: { readonly cfa: bigint; readonly scope: ExpressionScope }): bigint | undefined {
  const scope = { ...at.scope, initial: at.cfa };
  switch (rule.kind) {
    case 'undefined': return undefined;
    case 'same': return frame.registers.register(number);
    case 'offset': return readWord(frame.memory, at.cfa + rule.offset);
    case 'value-offset': return BigInt.asUintN(64, at.cfa + rule.offset);
    case 'register': return frame.registers.register(rule.register);
    case 'expression': {
      const address = evaluateValue(rule.bytes, scope);
      return address === undefined ? undefined : readWord(frame.memory, address);
    }
    case 'value-expression': return evaluateValue(rule.bytes, scope);
  }
}

function readWord(memory: MemoryReader, address: bigint): bigint | undefined {
  const bytes = memory.read(BigInt.asUintN(64, address), 8);
  return bytes === undefined ? undefined : fromBytes(bytes);
}

/**
 * Removes a pointer authentication code from a return address: bits 63 to 48 become copies of bit 55, which selects the
 * translation table base and is never part of the code (Arm ARM (DDI 0487) D8.10).
 */
export function withoutPac(address: bigint): bigint {
  const isUpper = ((address >> 55n) & 1n) === 1n;
  return isUpper ? address | 0xffff_0000_0000_0000n : address & 0x0000_ffff_ffff_ffffn;
}

/** Extent of the code around a pc that has no call frame information. */
export interface PlainCode {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * The caller of code without call frame information. A leaf or a function at its first instruction has its return address
 * in x30 only; otherwise x29 points to a frame record.
 */
export function unwindPlain(frame: FrameContext, code: PlainCode | undefined, isInnermost: boolean): Unwound | undefined {
  const { registers, memory } = frame;
  const framePointer = registers.register(REGISTER.x29);
  const link = registers.register(REGISTER.x30);
  const stackPointer = registers.register(REGISTER.sp);
  const saved = framePointer === undefined ? undefined : readRecord(memory, framePointer);
  const linkIsReturn = link !== undefined && link !== 0n && (code === undefined || link < code.start || link >= code.end);
  if (isInnermost && linkIsReturn && saved?.link !== link && stackPointer !== undefined) {
    const pc = withoutPac(link);
    return { cfa: stackPointer, pc, registers: callerRegisters(frame, pc, { sp: stackPointer, x29: framePointer }), isExact: false };
  }
  if (framePointer === undefined || saved === undefined) return undefined;
  const pc = withoutPac(saved.link);
  const cfa = framePointer + 16n;
  return { cfa, pc, registers: callerRegisters(frame, pc, { sp: cfa, x29: saved.framePointer }), isExact: false };
}

function readRecord(memory: MemoryReader, framePointer: bigint): { readonly framePointer: bigint; readonly link: bigint } | undefined {
  if (framePointer === 0n || (framePointer & 7n) !== 0n) return undefined;
  const previous = readWord(memory, framePointer);
  const link = readWord(memory, framePointer + 8n);
  if (previous === undefined || link === undefined || link === 0n) return undefined;
  // Stacks grow down: a record that does not lead upwards is not one.
  return previous !== 0n && previous <= framePointer ? undefined : { framePointer: previous, link };
}

function callerRegisters(frame: FrameContext, pc: bigint, known: { readonly sp: bigint; readonly x29: bigint | undefined }): RegisterReader {
  const values: (bigint | undefined)[] = [];
  for (let number = 0; number < REGISTER.x29; number++) values[number] = frame.registers.register(number);
  values[REGISTER.x29] = known.x29;
  values[REGISTER.x30] = pc;
  values[REGISTER.sp] = known.sp;
  values[REGISTER.pc] = pc;
  return registersFrom(values);
}

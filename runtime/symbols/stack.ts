/** Walks a stack over the symbol files of everything that runs in one address space. */
import { type FrameContext, type MemoryReader, REGISTER, type RegisterReader } from './frame';
import type { SymbolFile } from './symbol-file';
import { type Unwound, unwindPlain } from './unwind';

/** One frame of real code; functions inlined into it are told by `inlineFramesAt(context.pc)`. */
export interface StackFrame {
  /** The instruction to run next in this frame: the pc, or the return address. */
  readonly pc: bigint;
  /** Registers and memory as this frame sees them; `context.pc` is the address to look things up with. */
  readonly context: FrameContext;
  /** The symbols that cover the frame's code. */
  readonly symbols: SymbolFile | undefined;
}

/** What a walk needs. */
export interface StackWalk {
  readonly registers: RegisterReader;
  readonly memory: MemoryReader;
  /** The symbol file whose image contains an address. */
  symbolsAt(address: bigint): SymbolFile | undefined;
  /** How many frames are wanted at most; never more than 4096 are walked. */
  readonly frameCountMax?: number;
}

const FRAME_COUNT_MAX = 4096;

/** The frames from the innermost outwards. Ends at pc 0, at the outermost frame, or where the stack makes no progress. */
export function* walkStack(walk: StackWalk): IterableIterator<StackFrame> {
  const pc = walk.registers.register(REGISTER.pc);
  let frame = pc === undefined ? undefined : makeFrame(walk, { pc, lookup: pc, registers: walk.registers });
  const limit = Math.min(walk.frameCountMax ?? 256, FRAME_COUNT_MAX);
  let previousCfa: bigint | undefined;
  for (let count = 0; frame !== undefined && count < limit; count++) {
    yield frame;
    const caller = callerOf(frame, count === 0);
    if (caller === undefined || caller.pc === 0n) return;
    // A leaf may leave the CFA as it is, but only once: two equal frames in a row would go on for ever.
    const isProgress = previousCfa === undefined || caller.cfa > previousCfa || (count === 1 && caller.cfa === previousCfa && caller.pc !== frame.pc);
    if (!isProgress) return;
    previousCfa = caller.cfa;
    frame = makeFrame(walk, { pc: caller.pc, lookup: caller.isExact ? caller.pc : caller.pc - 1n, registers: caller.registers });
  }
}

function callerOf(frame: StackFrame, isInnermost: boolean): Unwound | undefined {
  const { symbols, context } = frame;
  if (symbols?.hasFrameInfo(context.pc) === true) return symbols.unwind(context);
  return unwindPlain(context, symbols?.plainCodeAt(context.pc), isInnermost);
}

function makeFrame(walk: StackWalk, at: { readonly pc: bigint; readonly lookup: bigint; readonly registers: RegisterReader }): StackFrame {
  const symbols = walk.symbolsAt(at.lookup);
  const frame: StackFrame = { pc: at.pc, symbols, context: makeContext(walk, { ...at, symbols }) };
  return frame;
}

function makeContext(walk: StackWalk, at: { readonly lookup: bigint; readonly registers: RegisterReader; readonly symbols: SymbolFile | undefined }): FrameContext {
  const context: FrameContext = {
    pc: at.lookup, registers: at.registers, memory: walk.memory,
    cfa: () => at.symbols?.cfaOf(context),
    caller: () => {
      const caller = at.symbols?.unwind(context);
      if (caller === undefined || caller.pc === 0n) return undefined;
      const lookup = caller.isExact ? caller.pc : caller.pc - 1n;
      return makeContext(walk, { lookup, registers: caller.registers, symbols: walk.symbolsAt(lookup) });
    },
  };
  return context;
}

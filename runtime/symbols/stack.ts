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
  /** What an exception interrupted, if a frame is of code that exceptions enter. */
  interrupted?(frame: StackFrame): Unwound | undefined;
  /** True where the walk ends because nothing is known of the frame's caller. */
  isOutermost?(frame: StackFrame): boolean;
  /** How many frames are wanted at most; never more than 4096 are walked. */
  readonly frameCountMax?: number;
}

const FRAME_COUNT_MAX = 4096;

/** How often a stack may go on at a lower address: interrupts, and processes below them, have stacks of their own. */
const STACK_COUNT_MAX = 16;

/** The frames from the innermost outwards. Ends at pc 0, at the outermost frame, or where the stack makes no progress. */
export function* walkStack(walk: StackWalk): IterableIterator<StackFrame> {
  const pc = walk.registers.register(REGISTER.pc);
  let frame = pc === undefined ? undefined : makeFrame(walk, { pc, lookup: pc, registers: walk.registers });
  const limit = Math.min(walk.frameCountMax ?? 256, FRAME_COUNT_MAX);
  let previousCfa: bigint | undefined;
  let isExact = true;
  let wasExact = false;
  let stacks = 1;
  for (let count = 0; frame !== undefined && count < limit; count++) {
    yield frame;
    if (walk.isOutermost?.(frame) === true) return;
    const found = callerOf(walk, frame, isExact);
    if (found === undefined || found.caller.pc === 0n) return;
    const { caller } = found;
    // A leaf may leave the CFA as it is, but only once: two equal frames in a row would go on for ever.
    const isProgress = previousCfa === undefined || caller.cfa > previousCfa || ((isExact || wasExact) && caller.cfa === previousCfa && caller.pc !== frame.pc);
    if (!isProgress && !(found.maySwitch && stacks++ < STACK_COUNT_MAX)) return;
    previousCfa = caller.cfa;
    wasExact = isExact;
    ({ isExact } = caller);
    frame = makeFrame(walk, { pc: caller.pc, lookup: isExact ? caller.pc : caller.pc - 1n, registers: caller.registers });
  }
}

/** The caller of a frame, and whether its stack may be another one. */
function callerOf(walk: StackWalk, frame: StackFrame, isExact: boolean): { readonly caller: Unwound; readonly maySwitch: boolean } | undefined {
  const { symbols, context } = frame;
  const interrupted = walk.interrupted?.(frame);
  if (interrupted !== undefined) return { caller: interrupted, maySwitch: true };
  const hasRules = symbols?.hasFrameInfo(context.pc) === true;
  const caller = hasRules ? symbols.unwind(context) : unwindPlain(context, symbols?.plainCodeAt(context.pc), isExact);
  // Where somebody knows of exceptions, plain code is an operating system's assembly, which changes stacks.
  return caller === undefined ? undefined : { caller, maySwitch: !hasRules && walk.interrupted !== undefined };
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

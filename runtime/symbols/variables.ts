/** Variables from DWARF entries: which are in scope, where their values are, and the frame base they are relative to. */
import { AT, OP, TAG } from './dwarf/constants';
import { evaluateLocation, evaluateValue, type ExpressionScope, registerNamed } from './dwarf/expression';
import type { AttributeValue } from './dwarf/forms';
import type { DwarfInfo } from './dwarf/info';
import { expressionAt } from './dwarf/location-list';
import type { Die } from './dwarf/tree';
import { Unit, type UnitHeader } from './dwarf/unit';
import { type FrameContext, fromBytes, type Location, OPTIMISED_OUT, toBytes } from './frame';
import { TypeReader } from './type-reader';
import { sizeOfType, type Type } from './types';

/** What role a variable plays. */
export type VariableKind = 'parameter' | 'local' | 'static' | 'global';

/** A variable of the program. */
export interface Variable {
  readonly name: string;
  readonly kind: VariableKind;
  readonly type: Type;
  /** Identifies the variable in its symbol file. */
  readonly id: number;
  /** Nesting of the block that declares it: 0 for the function itself. */
  readonly blockDepth: number;
  /** File number and line of the declaration, if known. */
  readonly line: number | undefined;
  /** Made by the compiler, such as the length of a variable length array. */
  readonly isArtificial: boolean;
  /** Where the value is in a frame. */
  locate(frame: FrameContext): Location;
}

/** Values at call sites are followed this many frames up. */
const ENTRY_VALUE_DEPTH_MAX = 4;
/** Implicit pointers to implicit pointers are followed this far. */
const LOCATE_DEPTH_MAX = 8;
/** How many blocks' variables are kept. */
const CACHED_BLOCK_COUNT_MAX = 10_000;
/** More variables in one block than anybody can read. */
const VARIABLE_COUNT_MAX = 4096;

/** Stands in where an image has call frame information but no units. */
const NO_UNIT: UnitHeader = { offset: 0, end: 0, version: 5, unitType: 1, addressSize: 8, offsetSize: 4, abbreviationsOffset: 0, rootOffset: 0 };

/** Reads variables of one image. */
export class VariableReader {
  readonly types: TypeReader;
  private readonly info: DwarfInfo;
  private readonly declared = new Map<number, readonly Variable[]>();
  private readonly slide: bigint;

  constructor(info: DwarfInfo, slide: bigint) {
    this.info = info;
    this.slide = slide;
    this.types = new TypeReader({
      scope: (die, frame) => this.scope(die, frame, 0),
      integer: (die, frame) => this.integer(die, frame),
    });
  }

  /** The variables that a function, block or inlined call declares itself, in order, with those only its origin knows. */
  declaredIn(block: Die, blockDepth: number): readonly Variable[] {
    const known = this.declared.get(block.offset);
    if (known !== undefined) return known;
    const found = this.readDeclared(block, blockDepth);
    if (this.declared.size >= CACHED_BLOCK_COUNT_MAX) this.declared.clear();
    this.declared.set(block.offset, found);
    return found;
  }

  private readDeclared(block: Die, blockDepth: number): readonly Variable[] {
    const found: Variable[] = [];
    const seen = new Set<number>();
    for (const child of block.children()) {
      if (!isVariable(child) || found.length >= VARIABLE_COUNT_MAX) continue;
      seen.add(child.abstract.offset);
      this.push(found, child, blockDepth);
    }
    // A concrete copy leaves out what has no value in it; users still want to see that it exists.
    const origin = block.reference(AT.abstract_origin);
    for (const child of origin?.children() ?? []) {
      if (isVariable(child) && !seen.has(child.abstract.offset) && found.length < VARIABLE_COUNT_MAX) this.push(found, child, blockDepth);
    }
    return found;
  }

  private push(found: Variable[], die: Die, blockDepth: number): void {
    if (die.flag(AT.declaration) && die.inherited(AT.location) === undefined) return;
    const variable = this.variable(die, blockDepth);
    if (variable !== undefined) found.push(variable);
  }

  /** The variable that an entry describes. */
  variable(die: Die, blockDepth: number): Variable | undefined {
    const name = die.name;
    if (name === undefined) return undefined;
    const type = this.types.typeOf(die);
    return {
      name, type, blockDepth, id: die.offset, kind: kindOf(die), line: die.number(AT.decl_line), isArtificial: die.flag(AT.artificial),
      locate: (frame) => this.locate(die, frame, 0),
    };
  }

  private locate(die: Die, frame: FrameContext, depth: number): Location {
    if (depth > LOCATE_DEPTH_MAX) return OPTIMISED_OUT;
    const holder = die.owner(AT.location);
    const value = holder?.attribute(AT.location);
    if (holder === undefined || value === undefined) return this.constant(die);
    const expression = expressionAt(holder.unit, value, frame.pc - this.slide);
    if (expression === undefined || isDiscarded(expression, holder)) return OPTIMISED_OUT;
    return evaluateLocation(expression, this.scope(die, frame, depth, holder));
  }

  private constant(die: Die): Location {
    const value = die.inherited(AT.const_value);
    if (value === undefined) return OPTIMISED_OUT;
    return constantLocation(value, sizeOfType(this.types.typeOf(die)) ?? 8);
  }

  private integer(die: Die, frame: FrameContext): bigint | undefined {
    const type = this.types.typeOf(die);
    const size = sizeOfType(type) ?? 8;
    if (size > 8) return undefined;
    const location = this.locate(die, frame, 1);
    const value = location.kind === 'memory' ? readInteger(frame, location.address, size)
      : location.kind === 'register' ? frame.registers.register(location.register)
        : location.kind === 'value' ? fromBytes(location.bytes) : undefined;
    return value === undefined ? undefined : BigInt.asIntN(size * 8, value);
  }

  /** The scope for expressions of `die`; `holder` is the entry whose attribute is evaluated, which may be in another unit. */
  private scope(die: Die, frame: FrameContext, depth: number, holder: Die = die): ExpressionScope {
    return {
      unit: holder.unit, frame, slide: this.slide,
      frameBase: () => this.frameBase(die, frame),
      dieAt: (offset) => this.info.dieAt(offset),
      entryValue: (expression) => this.entryValue(expression, frame, 0),
      locate: (target) => this.locate(target, frame, depth + 1),
    };
  }

  /** The scope of call frame expressions: they have no variables around them, and hardly ever a unit. */
  frameScope(frame: FrameContext): ExpressionScope {
    const unit = this.info.units[0] ?? new Unit(NO_UNIT, this.info);
    return {
      unit, frame, slide: this.slide, frameBase: () => undefined, dieAt: () => undefined, entryValue: () => undefined, locate: () => OPTIMISED_OUT,
    };
  }

  private frameBase(die: Die, frame: FrameContext): bigint | undefined {
    for (let around: Die | undefined = die; around !== undefined; around = around.parent) {
      const value = around.tag === TAG.subprogram ? around.inherited(AT.frame_base) : undefined;
      if (value === undefined) continue;
      const expression = expressionAt(around.unit, value, frame.pc - this.slide);
      return expression === undefined ? undefined : evaluateValue(expression, { ...this.scope(around, frame, 0), frameBase: () => undefined });
    }
    return undefined;
  }

  /** Replaced by the symbol file, which can find the call site. */
  callSiteOf: ((frame: FrameContext) => Die | undefined) | undefined;

  /** What a register held on entry, if the caller's call site tells how it was computed (DWARF 5 3.4). */
  private entryValue(expression: Uint8Array, frame: FrameContext, depth: number): bigint | undefined {
    const wanted = registerNamed(expression);
    const caller = depth < ENTRY_VALUE_DEPTH_MAX ? frame.caller?.() : undefined;
    const site = caller === undefined ? undefined : this.callSiteOf?.(caller);
    if (wanted === undefined || caller === undefined || site === undefined) return undefined;
    for (const parameter of site.children()) {
      const location = parameter.attribute(AT.location);
      if (location?.kind !== 'block' || registerNamed(location.bytes) !== wanted) continue;
      const value = parameter.attribute(AT.call_value) ?? parameter.attribute(AT.GNU_call_site_value);
      if (value?.kind !== 'block') return undefined;
      const scope = this.scope(parameter, caller, 0);
      return evaluateValue(value.bytes, { ...scope, entryValue: (inner) => this.entryValue(inner, caller, depth + 1) });
    }
    return undefined;
  }
}

/** Linkers write address 0 where they discarded a variable's section. */
function isDiscarded(expression: Uint8Array, holder: Die): boolean {
  return expression.length === 9 && expression[0] === OP.addr && expression.subarray(1).every((byte) => byte === 0)
    && holder.unit.environment.base.address !== 0n;
}

function isVariable(die: Die): boolean {
  return die.tag === TAG.variable || die.tag === TAG.formal_parameter;
}

function kindOf(die: Die): VariableKind {
  if (die.tag === TAG.formal_parameter) return 'parameter';
  const parent = die.abstract.parent?.tag;
  if (parent === TAG.compile_unit || parent === TAG.partial_unit || parent === TAG.namespace) return 'global';
  const location = die.inherited(AT.location);
  // A fixed place: the variable outlives its block.
  const first = location?.kind === 'block' ? location.bytes[0] : undefined;
  return first === OP.addr || first === OP.addrx ? 'static' : 'local';
}

function readInteger(frame: FrameContext, address: bigint, size: number): bigint | undefined {
  const bytes = frame.memory.read(address, size);
  return bytes === undefined ? undefined : fromBytes(bytes);
}

function constantLocation(value: AttributeValue, sizeBytes: number): Location {
  switch (value.kind) {
    case 'constant': return { kind: 'value', bytes: toBytes(value.value, Math.min(16, sizeBytes)) };
    case 'block': return { kind: 'value', bytes: value.bytes };
    case 'address': return { kind: 'value', bytes: toBytes(value.value, Math.min(16, sizeBytes)) };
    default: return OPTIMISED_OUT;
  }
}

/**
 * Call frame information: `.debug_frame` (DWARF 5 6.4) and `.eh_frame` (Linux Standard Base, "Exception Frames"). Entries are
 * indexed on first use; a frame's instructions run when somebody unwinds through it.
 */
import { CFA } from './constants';
import { DebugBytes, DwarfCursor } from './cursor';
import { type ImageBase, OUTSIDE, type SectionSource } from './sections';

/** How a register of the caller is found. */
export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'same' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  | { readonly kind: 'value-offset'; readonly offset: bigint }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'expression'; readonly bytes: Uint8Array }
  | { readonly kind: 'value-expression'; readonly bytes: Uint8Array };

/** How the canonical frame address is found. */
export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: bigint }
  | { readonly kind: 'expression'; readonly bytes: Uint8Array };

/** The rules in force at one address. */
export interface FrameRow {
  readonly cfa: CfaRule | undefined;
  readonly rules: ReadonlyMap<number, RegisterRule>;
  readonly returnAddressRegister: number;
  /** True if the caller's frame is that of an interrupted context: its pc is exact, not a return address. */
  readonly isSignalFrame: boolean;
}

interface CommonEntry {
  readonly codeAlignment: number;
  readonly dataAlignment: bigint;
  readonly returnAddressRegister: number;
  readonly addressEncoding: number;
  readonly addressSize: number;
  readonly hasAugmentationData: boolean;
  readonly isSignalFrame: boolean;
  readonly instructionsStart: number;
  readonly instructionsEnd: number;
}

interface FrameEntry {
  readonly common: CommonEntry;
  readonly start: number;
  readonly end: number;
  readonly instructionsStart: number;
  readonly instructionsEnd: number;
  readonly section: FrameSection;
}

interface FrameSection {
  readonly data: DebugBytes;
  readonly address: bigint;
  readonly isEhFrame: boolean;
}

/** Entries that are indexed; a kernel has about 100 thousand. */
const ENTRY_COUNT_MAX = 2_000_000;
const INSTRUCTION_COUNT_MAX = 100_000;
const STATE_DEPTH_MAX = 64;

/** Frame information by address. */
export class FrameTable {
  private readonly source: SectionSource;
  private readonly base: ImageBase;
  private entries: readonly FrameEntry[] | undefined;

  constructor(source: SectionSource, base: ImageBase) {
    this.source = source;
    this.base = base;
  }

  /** The rules at an image offset. */
  rowAt(offset: number): FrameRow | undefined {
    const entry = offset === OUTSIDE ? undefined : this.entryAt(offset);
    return entry === undefined ? undefined : new RowMachine(entry, offset).row();
  }

  private entryAt(offset: number): FrameEntry | undefined {
    this.entries ??= this.index();
    const { entries } = this;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle]?.start ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const entry = entries[low - 1];
    return entry !== undefined && offset < entry.end ? entry : undefined;
  }

  private index(): readonly FrameEntry[] {
    const found: FrameEntry[] = [];
    for (const name of ['.eh_frame', '.debug_frame']) {
      const section = this.source.section(name);
      if (section === undefined) continue;
      new SectionIndexer({ data: new DebugBytes(section.bytes), address: section.address, isEhFrame: name === '.eh_frame' }, this.base).index(found);
    }
    // The sort is stable: of two entries for one address, the one of .debug_frame comes last and counts.
    return found.sort((a, b) => a.start - b.start);
  }
}

/** Reads the entries of one section. */
class SectionIndexer {
  private readonly section: FrameSection;
  private readonly base: ImageBase;
  private readonly commons = new Map<number, CommonEntry | undefined>();

  constructor(section: FrameSection, base: ImageBase) {
    this.section = section;
    this.base = base;
  }

  index(found: FrameEntry[]): void {
    const cursor = new DwarfCursor(this.section.data);
    while (cursor.more && found.length < ENTRY_COUNT_MAX) {
      const { length, offsetSize } = cursor.initialLength();
      const end = cursor.position + length;
      // A zero length ends .eh_frame of one object file; more may follow after linking by hand, so go on.
      if (length === 0) continue;
      if (cursor.overrun || end > cursor.end) return;
      const idAt = cursor.position;
      const id = this.section.isEhFrame ? cursor.u32() : cursor.offset(offsetSize);
      if (!this.isCommon(id, offsetSize)) this.description(cursor, { id, idAt, end }, found);
      cursor.position = end;
      if (cursor.overrun) return;
    }
  }

  private isCommon(id: number, offsetSize: 4 | 8): boolean {
    if (this.section.isEhFrame) return id === 0;
    return offsetSize === 8 ? id >= Number.MAX_SAFE_INTEGER : id === 0xffff_ffff;
  }

  private description(outer: DwarfCursor, at: { readonly id: number; readonly idAt: number; readonly end: number }, found: FrameEntry[]): void {
    const common = this.commonAt(this.section.isEhFrame ? at.idAt - at.id : at.id);
    if (common === undefined) return;
    const cursor = new DwarfCursor(this.section.data, outer.position, at.end);
    const low = this.pointer(cursor, common.addressEncoding, common.addressSize);
    const size = this.pointer(cursor, common.addressEncoding & 0x0f, common.addressSize);
    if (common.hasAugmentationData) cursor.skip(cursor.uleb());
    const start = this.base.offsetOf(low);
    if (cursor.overrun || start === OUTSIDE || size <= 0n) return;
    const end = start + Number(BigInt.asUintN(48, size));
    found.push({ common, start, end, instructionsStart: cursor.position, instructionsEnd: at.end, section: this.section });
  }

  private commonAt(offset: number): CommonEntry | undefined {
    if (!this.commons.has(offset)) this.commons.set(offset, this.parseCommon(offset));
    return this.commons.get(offset);
  }

  private parseCommon(offset: number): CommonEntry | undefined {
    const outer = new DwarfCursor(this.section.data, offset);
    const { length, offsetSize } = outer.initialLength();
    const cursor = new DwarfCursor(this.section.data, outer.position, outer.position + length);
    const id = this.section.isEhFrame ? cursor.u32() : cursor.offset(offsetSize);
    const version = cursor.u8();
    const augmentation = cursor.text();
    if (!this.isCommon(id, offsetSize) || cursor.overrun || ![1, 3, 4].includes(version)) return undefined;
    const addressSize = version >= 4 ? cursor.u8() : 8;
    if (version >= 4) cursor.u8();
    const codeAlignment = cursor.uleb();
    const dataAlignment = cursor.slebBig();
    const returnAddressRegister = version === 1 ? cursor.u8() : cursor.uleb();
    let addressEncoding = 0;
    const hasAugmentationData = augmentation.startsWith('z');
    const augmentationEnd = hasAugmentationData ? cursor.uleb() + cursor.position : cursor.position;
    for (const letter of hasAugmentationData ? augmentation.slice(1) : '') {
      if (letter === 'R') addressEncoding = cursor.u8();
      else if (letter === 'L') cursor.u8();
      else if (letter === 'P') this.pointer(cursor, cursor.u8(), addressSize);
      else if (letter !== 'S' && letter !== 'B' && letter !== 'G') break;
    }
    cursor.position = Math.min(augmentationEnd, cursor.end);
    if (cursor.overrun || (addressSize !== 8 && addressSize !== 4)) return undefined;
    return {
      codeAlignment, dataAlignment, returnAddressRegister, addressEncoding, addressSize, hasAugmentationData,
      isSignalFrame: augmentation.includes('S'), instructionsStart: cursor.position, instructionsEnd: cursor.end,
    };
  }

  /** A pointer in one of the DW_EH_PE encodings (Linux Standard Base, "DWARF Exception Header Encoding"). */
  private pointer(cursor: DwarfCursor, encoding: number, addressSize: number): bigint {
    const at = this.section.address + BigInt(cursor.position);
    const value = rawPointer(cursor, encoding & 0x0f, addressSize);
    return BigInt.asUintN(64, (encoding & 0x70) === 0x10 ? at + value : value);
  }
}

function rawPointer(cursor: DwarfCursor, format: number, addressSize: number): bigint {
  switch (format) {
    case 0x00: return cursor.unsigned(addressSize);
    case 0x01: return cursor.ulebBig();
    case 0x02: return cursor.unsigned(2);
    case 0x03: return cursor.unsigned(4);
    case 0x04: return cursor.unsigned(8);
    case 0x09: return cursor.slebBig();
    case 0x0a: return BigInt.asIntN(16, cursor.unsigned(2));
    case 0x0b: return BigInt.asIntN(32, cursor.unsigned(4));
    case 0x0c: return BigInt.asIntN(64, cursor.unsigned(8));
    default:
      cursor.fail();
      return 0n;
  }
}

interface RowState {
  cfa: CfaRule | undefined;
  rules: Map<number, RegisterRule>;
}

/** Runs the instructions of an entry up to an address. */
class RowMachine {
  private readonly entry: FrameEntry;
  private readonly target: number;
  private location: number;
  private state: RowState = { cfa: undefined, rules: new Map() };
  private initial: ReadonlyMap<number, RegisterRule> = new Map();
  private readonly saved: RowState[] = [];
  private steps = 0;

  constructor(entry: FrameEntry, target: number) {
    this.entry = entry;
    this.target = target;
    this.location = entry.start;
  }

  row(): FrameRow {
    const { common } = this.entry;
    this.run(common.instructionsStart, common.instructionsEnd);
    this.initial = new Map(this.state.rules);
    this.run(this.entry.instructionsStart, this.entry.instructionsEnd);
    return {
      cfa: this.state.cfa, rules: this.state.rules, returnAddressRegister: common.returnAddressRegister, isSignalFrame: common.isSignalFrame,
    };
  }

  private run(start: number, end: number): void {
    const cursor = new DwarfCursor(this.entry.section.data, start, end);
    while (cursor.more && this.location <= this.target && ++this.steps <= INSTRUCTION_COUNT_MAX) this.step(cursor);
  }

  /** An advance past the target takes effect only on the location: the rules so far are those in force. */
  private advance(units: number): void {
    this.location += units * this.entry.common.codeAlignment;
  }

  private step(cursor: DwarfCursor): void {
    const opcode = cursor.u8();
    const operand = opcode & 0x3f;
    switch (opcode & 0xc0) {
      case CFA.advance_loc: return this.advance(operand);
      case CFA.offset: return this.offsetRule(operand, cursor.ulebBig());
      case CFA.restore: return this.restore(operand);
      default: return this.extended(operand, cursor);
    }
  }

  private offsetRule(register: number, factored: bigint): void {
    this.state.rules.set(register, { kind: 'offset', offset: factored * this.entry.common.dataAlignment });
  }

  private restore(register: number): void {
    const rule = this.initial.get(register);
    if (rule === undefined) this.state.rules.delete(register);
    else this.state.rules.set(register, rule);
  }

  private extended(opcode: number, cursor: DwarfCursor): void {
    const { rules } = this.state;
    const scale = this.entry.common.dataAlignment;
    switch (opcode) {
      case CFA.nop: case CFA.AARCH64_negate_ra_state: case CFA.AARCH64_negate_ra_state_with_pc: return;
      case CFA.set_loc: return cursor.fail();
      case CFA.advance_loc1: return this.advance(cursor.u8());
      case CFA.advance_loc2: return this.advance(cursor.u16());
      case CFA.advance_loc4: return this.advance(cursor.u32());
      case CFA.offset_extended: return this.offsetRule(cursor.uleb(), cursor.ulebBig());
      case CFA.offset_extended_sf: return this.offsetRule(cursor.uleb(), cursor.slebBig());
      case CFA.GNU_negative_offset_extended: return this.offsetRule(cursor.uleb(), -cursor.ulebBig());
      case CFA.restore_extended: return this.restore(cursor.uleb());
      case CFA.undefined: rules.set(cursor.uleb(), { kind: 'undefined' }); return;
      case CFA.same_value: rules.set(cursor.uleb(), { kind: 'same' }); return;
      case CFA.register: rules.set(cursor.uleb(), { kind: 'register', register: cursor.uleb() }); return;
      case CFA.val_offset: rules.set(cursor.uleb(), { kind: 'value-offset', offset: cursor.ulebBig() * scale }); return;
      case CFA.val_offset_sf: rules.set(cursor.uleb(), { kind: 'value-offset', offset: cursor.slebBig() * scale }); return;
      case CFA.expression: rules.set(cursor.uleb(), { kind: 'expression', bytes: cursor.block(cursor.uleb()) }); return;
      case CFA.val_expression: rules.set(cursor.uleb(), { kind: 'value-expression', bytes: cursor.block(cursor.uleb()) }); return;
      case CFA.GNU_args_size: return cursor.skipLeb();
      default: return this.cfaInstruction(opcode, cursor);
    }
  }

  private cfaInstruction(opcode: number, cursor: DwarfCursor): void {
    const scale = this.entry.common.dataAlignment;
    switch (opcode) {
      case CFA.def_cfa: return this.defineCfa(cursor.uleb(), cursor.ulebBig());
      case CFA.def_cfa_sf: return this.defineCfa(cursor.uleb(), cursor.slebBig() * scale);
      case CFA.def_cfa_register: return this.defineCfa(cursor.uleb(), this.cfaOffset());
      case CFA.def_cfa_offset: return this.defineCfa(this.cfaRegister(), cursor.ulebBig());
      case CFA.def_cfa_offset_sf: return this.defineCfa(this.cfaRegister(), cursor.slebBig() * scale);
      case CFA.def_cfa_expression: this.state.cfa = { kind: 'expression', bytes: cursor.block(cursor.uleb()) }; return;
      case CFA.remember_state:
        if (this.saved.length < STATE_DEPTH_MAX) this.saved.push({ cfa: this.state.cfa, rules: new Map(this.state.rules) });
        return;
      case CFA.restore_state: this.state = this.saved.pop() ?? this.state; return;
      default: cursor.fail();
    }
  }

  private defineCfa(register: number, offset: bigint): void {
    this.state.cfa = { kind: 'register', register, offset };
  }

  private cfaRegister(): number {
    return this.state.cfa?.kind === 'register' ? this.state.cfa.register : 31;
  }

  private cfaOffset(): bigint {
    return this.state.cfa?.kind === 'register' ? this.state.cfa.offset : 0n;
  }
}

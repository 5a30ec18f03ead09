/**
 * Generates the interpreter: one function per tier that dispatches micro-ops through a dense switch, and the operands
 * through which the semantic functions read them.
 *
 * The budget is a distance: `limit` is the micro-op address at which it would end if control ran straight on, so that
 * straight code counts nothing and a branch moves `limit` by as much as it moves `ip`. Tier 0 compares the two at every
 * dispatch. Tier 1 compares at branches and page ends, and leaves when less than a page's worth is left.
 */

import * as layout from './layout';
import { ExitCode, MicroOpField, MICRO_OP_SIZE } from './layout';
import { ACCESS_ALIGNED, ACCESS_WRITE, tlbBank, tlbEntry, type MmuFunctions } from './mmu';
import type { AccessKind, Operands, RegisterField } from './operands';
import { microOpNumber, microOps } from './semantics';
import { LANDING_PADS, type Landing } from './semantics/branch-targets';
import type { Emit } from './semantics/lowering';
import { systemSlot } from './system-slots';
import { label, later, type Code, type Label } from './wasm/code';
import {
  block, branch, branchIf, branchTable, call32, callIndirect, callVoid, giveBack, i32, i64, loop, set, UNREACHABLE, when, type I32, type I64,
  type Local32, type Local64,
} from './wasm/expressions';
import type { FunctionLocals } from './wasm/module';

const ZERO = i32.const(0);
const PAGE_MASK = -4096n;
const PSTATE_UAO = 1 << 23;
const PAGE_OF_MICRO_OPS = 1024 * MICRO_OP_SIZE;
/** How far tier 0 goes once a call was needed: floating-point and SIMD instructions come in numbers. */
const CALLS_SLICE = 256 * MICRO_OP_SIZE;

/** How a tier counts: at every instruction, or at branches only. */
export type Tier = 'exact' | 'fast';

/** Functions that the interpreter calls. */
export interface InterpreterFunctions { readonly mmu: MmuFunctions; readonly decode: number; readonly simdType: number }

interface Targets { readonly dispatch: Label; readonly leave: Label; readonly jump: Label; readonly retry: Label }

const FIELD_OFFSET: Readonly<Record<RegisterField, number>> = { d: MicroOpField.d, n: MicroOpField.n, m: MicroOpField.m, a: MicroOpField.high };
const SLOW_SIZES = { 1: 1, 2: 2, 4: 4, 8: 8 } as const;

/** Operands read from the micro-op at `ip`. */
class MicroOpOperands implements Operands {
  readonly temporaries64: readonly [Local64, Local64, Local64, Local64];
  readonly temporaries32: readonly [Local32, Local32];
  readonly ip: Local32;
  readonly limit: Local32;
  readonly tlb: Local32;
  readonly code: Local32;
  readonly target: Local64;
  readonly immediate: I64;
  readonly immediateLow: I32;
  readonly immediateHigh: I32;
  readonly small: I32;
  // Pieces that every micro-op uses are built once.
  private readonly slots: Readonly<Record<RegisterField, I32>>;
  private readonly values64: Readonly<Record<RegisterField, I64>>;
  private readonly values32: Readonly<Record<RegisterField, I32>>;
  private readonly entry: Local32;
  private readonly functions: InterpreterFunctions;
  private readonly tier: Tier;
  private readonly targets: Targets;

  constructor(locals: FunctionLocals, functions: InterpreterFunctions, tier: Tier, targets: Targets) {
    this.functions = functions;
    this.tier = tier;
    this.targets = targets;
    this.ip = locals.local32();
    this.limit = locals.local32();
    this.tlb = locals.local32();
    this.code = locals.local32();
    this.entry = locals.local32();
    this.target = locals.local64();
    this.temporaries64 = [locals.local64(), locals.local64(), locals.local64(), locals.local64()];
    this.temporaries32 = [locals.local32(), locals.local32()];
    const each = <T>(make: (field: RegisterField) => T): Readonly<Record<RegisterField, T>> => ({ d: make('d'), n: make('n'), m: make('m'), a: make('a') });
    this.slots = each((field) => i32.load16U(this.ip, FIELD_OFFSET[field]));
    this.values64 = each((field) => i64.load(this.slots[field]));
    this.values32 = each((field) => i32.load(this.slots[field]));
    this.immediate = i64.load(this.ip, MicroOpField.imm);
    this.immediateLow = i32.load(this.ip, MicroOpField.imm);
    this.immediateHigh = i32.load(this.ip, MicroOpField.high);
    this.small = this.slots.m;
  }

  private slot(field: RegisterField): I32 {
    return this.slots[field];
  }

  x(field: RegisterField): I64 {
    return this.values64[field];
  }

  w(field: RegisterField): I32 {
    return this.values32[field];
  }

  xNext(field: RegisterField): I64 {
    return i64.load(this.slot(field), 8);
  }

  setX(field: RegisterField, value: I64): Code {
    return i64.store(this.slot(field), value);
  }

  setXNext(field: RegisterField, value: I64): Code {
    return i64.store(this.slot(field), value, 8);
  }

  setW(field: RegisterField, value: I32): Code {
    return i64.store(this.slot(field), i64.extendU(value));
  }

  get pageAddress(): I64 {
    return i64.load(ZERO, layout.STATE_PAGE_VA);
  }

  get address(): I64 {
    return i64.add(i64.load(ZERO, layout.STATE_PC_DELTA), i64.extendU(i32.shrU(this.ip, i32.const(2))));
  }

  get remainingTicks(): I64 {
    return i64.extendU(i32.shrU(i32.add(i32.sub(this.limit, this.ip), i32.load(ZERO, layout.STATE_CUT)), i32.const(4)));
  }

  private readonly el: I32 = i32.load(ZERO, layout.SLOT_EL);

  private leaveWith(code: I32): Code {
    return [set(this.code, code), branch(this.targets.leave)];
  }

  /** After a slow access: stop behind this instruction if a watched byte was hit. */
  private stopIfWatched(): Code {
    const rest = i32.sub(this.limit, i32.add(this.ip, i32.const(MICRO_OP_SIZE)));
    return when(i32.load(ZERO, layout.STATE_STOP), [
      i32.store(ZERO, i32.add(i32.load(ZERO, layout.STATE_CUT), rest), layout.STATE_CUT),
      set(this.limit, i32.add(this.ip, i32.const(MICRO_OP_SIZE))),
    ]);
  }

  private leaveIf(failed: I32): Code {
    return [when(failed, this.leaveWith(i32.load(ZERO, layout.FAULT_EXIT))), this.stopIfWatched()];
  }

  /** True if the cache holds the page of an aligned access; leaves the entry in a local. */
  private hit(address: I64, tagOffset: number, alignment: number): I32 {
    const masked = i64.and(address, i64.const(PAGE_MASK | BigInt(alignment - 1)));
    return i64.eq(i64.load(this.entry, tagOffset), masked);
  }

  private host(address: I64): I32 {
    return i32.add(i32.wrap(address), i32.load(this.entry, 16));
  }

  /** Leaves for tier 0, which executes this instruction with all that may be needed. */
  private retry(): Code {
    return branch(this.targets.retry);
  }

  private get callsAllowed(): boolean {
    return this.tier === 'exact';
  }

  /** LDTR and STTR access as EL0 unless PSTATE.UAO. */
  private accessEl(kind: AccessKind): I32 {
    if (kind.el0 !== true) return this.el;
    return i32.select(i32.and(i32.load(ZERO, layout.SLOT_PSTATE_REST), i32.const(PSTATE_UAO)), this.el, ZERO);
  }

  private slowLoad(into: Local64, address: I64, kind: AccessKind): Code {
    const info = i32.const(SLOW_SIZES[kind.sizeBytes] | (kind.aligned === true ? ACCESS_ALIGNED : 0));
    return [
      this.leaveIf(call32(this.functions.mmu.readSlow, address, info, this.accessEl(kind))),
      set(into, extend(kind, i64.load(ZERO, layout.STATE_VALUE))),
    ];
  }

  load(into: Local64, address: Local64, kind: AccessKind): Code {
    if (kind.el0 === true) return this.callsAllowed ? this.slowLoad(into, address, kind) : this.retry();
    const fast = set(into, loadFrom(kind, this.host(address)));
    if (!this.callsAllowed) return [this.retryUnless(address, address, 0, kind.sizeBytes), fast];
    return [set(this.entry, tlbEntry(address, this.tlb)), when(this.hit(address, 0, kind.sizeBytes), fast, this.slowLoad(into, address, kind))];
  }

  store(address: Local64, value: I64, kind: AccessKind): Code {
    const info = i32.const(SLOW_SIZES[kind.sizeBytes] | (kind.aligned === true ? ACCESS_ALIGNED : 0));
    const slow = (): Code => this.leaveIf(call32(this.functions.mmu.writeSlow, address, info, this.accessEl(kind), value));
    if (kind.el0 === true) return this.callsAllowed ? slow() : this.retry();
    const fast = storeTo(kind, this.host(address), value);
    if (!this.callsAllowed) return [this.retryUnless(address, address, 8, kind.sizeBytes), fast];
    return [set(this.entry, tlbEntry(address, this.tlb)), when(this.hit(address, 8, kind.sizeBytes), fast, slow())];
  }

  loadPair(into: readonly [Local64, Local64], address: Local64, kind: AccessKind): Code {
    const [low, high] = into;
    const size = kind.sizeBytes;
    // Both are in one page if the second's page is the one cached where the first's belongs.
    const second = i64.add(address, i64.const(BigInt(size)));
    const fast = [set(low, loadFrom(kind, this.host(address))), set(high, loadFrom(kind, this.host(address), size))];
    if (!this.callsAllowed) return [this.retryUnless(address, second, 0, size), fast];
    return [
      set(this.entry, tlbEntry(address, this.tlb)),
      when(this.hit(second, 0, size), fast, [this.slowLoad(low, address, kind), this.slowLoad(high, second, kind)]),
    ];
  }

  storePair(address: Local64, values: readonly [I64, I64], kind: AccessKind): Code {
    const [low, high] = values;
    const size = kind.sizeBytes;
    const second = i64.add(address, i64.const(BigInt(size)));
    const fast = [storeTo(kind, this.host(address), low), storeTo(kind, this.host(address), high, size)];
    if (!this.callsAllowed) return [this.retryUnless(address, second, 8, size), fast];
    return [
      set(this.entry, tlbEntry(address, this.tlb)),
      when(this.hit(second, 8, size), fast, this.leaveIf(call32(this.functions.mmu.writePairSlow, address, i32.const(SLOW_SIZES[size]), low, high))),
    ];
  }

  /** Finds the cache entry of `address`, and leaves for tier 0 unless it holds the page of `checked`. */
  private retryUnless(address: I64, checked: I64, tagOffset: number, alignment: number): Code {
    return [set(this.entry, tlbEntry(address, this.tlb)), branchIf(i32.eqz(this.hit(checked, tagOffset, alignment)), this.targets.retry)];
  }

  hostAddress(into: Local32, address: Local64, sizeBytes: number, access: 'read' | 'write'): Code {
    if (!this.callsAllowed) {
      // A block of DC ZVA is refused by Device memory.
      const isBlock = sizeBytes > 16 ? branchIf(i32.eq(i32.load(this.entry, 20), i32.const(1)), this.targets.retry) : [];
      return [this.retryUnless(address, address, access === 'write' ? 8 : 0, sizeBytes), isBlock, set(into, this.host(address))];
    }
    const info = i32.const(sizeBytes | (access === 'write' ? ACCESS_WRITE : 0));
    return [
      set(into, call32(this.functions.mmu.hostAddress, address, info, this.el)),
      this.leaveIf(i32.eq(into, i32.const(-1))),
    ];
  }

  checkVectors(): Code {
    // FPEN: 0b01 is for EL1 alone, 0b11 for both.
    const needed = i32.select(this.el, i32.const(1 << layout.CPACR_FPEN_SHIFT), i32.const(3 << layout.CPACR_FPEN_SHIFT));
    const missing = i32.and(i32.xor(i32.load(ZERO, systemSlot('CPACR_EL1')), i32.const(-1)), needed);
    return when(missing, this.trap());
  }

  checkScalable(): Code {
    const enable = (value: number): I32 => i32.const((value << layout.CPACR_FPEN_SHIFT) | (value << layout.CPACR_ZEN_SHIFT));
    const missing = i32.and(i32.xor(i32.load(ZERO, systemSlot('CPACR_EL1')), i32.const(-1)), i32.select(this.el, enable(1), enable(3)));
    return when(i32.or(missing, i32.and(i32.load(ZERO, systemSlot('CPTR_EL2')), i32.const(layout.CPTR_TZ))), this.trap());
  }

  needsCalls(body: () => Code): Code {
    return this.callsAllowed ? body() : this.leaveWith(i32.const(ExitCode.calls));
  }

  callSimd(): Code {
    return this.callSimdOn(this.slot('n'));
  }

  callSimdOn(address: I32): Code {
    return callIndirect(this.functions.simdType, this.immediateHigh, this.slot('d'), address, this.slot('m'), this.immediateLow);
  }

  checkLanding(address: Local64, landing: Landing): Code {
    const microOp = i32.add(i32.load(this.entry, layout.TLB_CODE_OFFSET + 8), i32.shl(i32.and(i32.wrap(address), i32.const(0xfff)), i32.const(2)));
    const isPad = LANDING_PADS[landing].map((name) => i32.eq(this.code, i32.const(microOpNumber(name)))).reduce((a, b) => i32.or(a, b));
    return [
      set(this.entry, i32.add(this.tlb, codeEntry(address))),
      when(i64.ne(i64.load(this.entry, layout.TLB_CODE_OFFSET), codeTag(address)), this.trap()),
      when(i32.and(i32.load(this.entry, layout.TLB_CODE_OFFSET + 12), i32.const(layout.CODE_GUARDED)), [
        set(this.code, i32.load16U(microOp)),
        when(i32.eqz(isPad), this.trap()),
      ]),
    ];
  }

  checkStack(): Code {
    const misaligned = i32.and(i32.wrap(i64.load(ZERO, layout.SLOT_SP)), i32.const(15));
    const enabled = i64.and(i64.load(ZERO, systemSlot('SCTLR_EL1')), i64.select(this.el, i64.const(8n), i64.const(16n)));
    const usesStack = i32.eq(this.slot('n'), i32.const(layout.SLOT_SP));
    return when(misaligned, when(i32.and(usesStack, i32.eqz(i64.eqz(enabled))), this.leaveWith(i32.const(ExitCode.stackAlignment))));
  }

  branchNear(): Code {
    const distance = this.immediateLow;
    const advance = [
      set(this.entry, distance),
      set(this.ip, i32.add(this.ip, this.entry)),
      set(this.limit, i32.sub(i32.add(this.limit, this.entry), i32.const(MICRO_OP_SIZE))),
    ];
    return [advance, this.checkBudget(), branch(this.targets.dispatch)];
  }

  /** Tier 1: less than a page of instructions left is for tier 0. */
  checkBudget(): Code {
    if (this.tier === 'exact') return [];
    return when(i32.ltS(i32.sub(this.limit, this.ip), i32.const(PAGE_OF_MICRO_OPS + MICRO_OP_SIZE)), this.leaveWith(i32.const(ExitCode.budget)));
  }

  branchTo(address: I64): Code {
    return [
      set(this.target, address),
      set(this.limit, i32.sub(this.limit, i32.add(this.ip, i32.const(MICRO_OP_SIZE)))),
      branch(this.targets.jump),
    ];
  }

  /** Moves to the next micro-op without dispatching it. */
  advance(): Code {
    return set(this.ip, i32.add(this.ip, i32.const(MICRO_OP_SIZE)));
  }

  next(): Code {
    return [this.advance(), branch(this.targets.dispatch)];
  }

  trap(): Code {
    return this.leaveWith(i32.const(ExitCode.trap));
  }

  retireAndLeave(exitCode: number): Code {
    return [set(this.ip, i32.add(this.ip, i32.const(MICRO_OP_SIZE))), this.leaveWith(i32.const(exitCode))];
  }
}

/** Sign-extends a zero-extended value if the access asks for it. */
function extend(kind: AccessKind, value: I64): I64 {
  if (kind.signed !== true) return value;
  return kind.sizeBytes === 1 ? i64.extend8S(value) : kind.sizeBytes === 2 ? i64.extend16S(value) : i64.extend32S(value);
}

const LOADS = { 1: i64.load8U, 2: i64.load16U, 4: i64.load32U, 8: i64.load } as const;
const STORES = { 1: i64.store8, 2: i64.store16, 4: i64.store32, 8: i64.store } as const;

function loadFrom(kind: AccessKind, host: I32, offset = 0): I64 {
  return extend(kind, LOADS[kind.sizeBytes](host, offset));
}

function storeTo(kind: AccessKind, host: I32, value: I64, offset = 0): Code {
  return STORES[kind.sizeBytes](host, value, offset);
}

/** The place of an address among the execute entries. */
function codeEntry(address: I64): I32 {
  return i32.and(i32.wrap(i64.shrU(address, i64.const(8n))), i32.const((layout.TLB_CODE_COUNT - 1) * layout.TLB_CODE_SIZE));
}

/** What the tag of its entry is; no entry has one for a misaligned address. */
function codeTag(address: I64): I64 {
  return i64.and(address, i64.const(PAGE_MASK | 3n));
}

/** Goes to the virtual address in `target`; `limit` holds what is left of the budget, as a distance from zero. */
function jump(o: MicroOpOperands, entry: Local32, dispatch: Label): Code {
  const page = i64.and(o.target, i64.const(PAGE_MASK));
  return [
    set(entry, i32.add(o.tlb, codeEntry(o.target))),
    when(i64.ne(i64.load(entry, layout.TLB_CODE_OFFSET), codeTag(o.target)), [
      i64.store(ZERO, o.target, layout.SLOT_PC),
      i32.store(ZERO, i32.add(o.limit, i32.load(ZERO, layout.STATE_CUT)), layout.STATE_LEFT),
      giveBack(i32.const(ExitCode.fetch)),
    ]),
    set(entry, i32.load(entry, layout.TLB_CODE_OFFSET + 8)),
    i64.store(ZERO, page, layout.STATE_PAGE_VA),
    i64.store(ZERO, i64.sub(page, i64.extendU(i32.shrU(entry, i32.const(2)))), layout.STATE_PC_DELTA),
    set(o.ip, i32.add(entry, i32.shl(i32.and(i32.wrap(o.target), i32.const(0xfff)), i32.const(2)))),
    set(o.limit, i32.add(o.limit, o.ip)),
    o.checkBudget(),
    branch(dispatch),
  ];
}

/** Stores where it stopped, and gives back the exit code. */
function leave(o: MicroOpOperands): Code {
  return [
    i64.store(ZERO, o.address, layout.SLOT_PC),
    i32.store(ZERO, i32.add(i32.sub(o.limit, o.ip), i32.load(ZERO, layout.STATE_CUT)), layout.STATE_LEFT),
    giveBack(o.code),
  ];
}

/** The end of a page: the budget is not touched, the next page may have no translation. */
function pageEnd(o: MicroOpOperands, target: Label): Code {
  return [set(o.target, o.address), set(o.limit, i32.sub(o.limit, o.ip)), branch(target)];
}

/** Nested blocks: control reaches the code of handler k by branching to its label. */
function handlers(o: MicroOpOperands, targets: Targets, tier: Tier, decode: number): { readonly labels: readonly Label[]; wrap(head: Code): Code } {
  const emits: readonly (readonly [string, Emit])[] = [
    ['decode', () => (tier === 'exact' ? [callVoid(decode, o.ip), branch(targets.dispatch)] : branch(targets.retry))],
    ['trap', () => o.trap()],
    ['page-end', () => pageEnd(o, targets.jump)],
    ...microOps.map(({ name, emit, emitSecond }): readonly [string, Emit] =>
      [name, emitSecond === undefined || tier === 'exact' ? emit : (): Code => [emit(o), o.advance(), emitSecond(o)]]),
  ];
  const labels = emits.map(([name]) => label(name));
  const wrap = (head: Code): Code => emits.reduce<Code>((inside, [, emit], index) => {
    const own = labels[index] ?? targets.leave;
    return [block(own, inside), later(() => emit(o)), index === 1 || index === 2 ? [] : o.next()];
  }, head);
  return { labels, wrap };
}

/** Body of the interpreter function of one tier. No parameters; gives the exit code. */
export function interpreterBody(locals: FunctionLocals, functions: InterpreterFunctions, tier: Tier): Code {
  const targets: Targets = { dispatch: label('dispatch'), leave: label('leave'), jump: label('jump'), retry: label('retry') };
  const o = new MicroOpOperands(locals, functions, tier, targets);
  const entry = locals.local32();
  const start = label('start');
  const otherwise = label('breakpoint');
  const { labels, wrap } = handlers(o, targets, tier, functions.decode);
  const exhausted: Code = tier === 'exact'
    ? when(i32.geS(o.ip, o.limit), [set(o.code, i32.const(ExitCode.budget)), branch(targets.leave)])
    : [];
  const dispatchHead: Code = [exhausted, branchTable(i32.load16U(o.ip, MicroOpField.op), labels, otherwise)];
  // `jump` is entered at the start with the PC, and by branches that leave their page.
  const body: Code = loop(start, [
    block(targets.jump, [
      branchIf(i32.eqz(o.ip), targets.jump),
      loop(targets.dispatch, wrap([block(otherwise, dispatchHead), set(o.code, i32.const(ExitCode.breakpoint)), branch(targets.leave)])),
    ]),
    jump(o, entry, start),
  ]);
  return [
    set(o.tlb, tlbBank(i32.load(ZERO, layout.SLOT_EL))),
    set(o.limit, i32.load(ZERO, layout.STATE_LEFT)),
    set(o.target, i64.load(ZERO, layout.SLOT_PC)),
    block(targets.leave, [block(targets.retry, body), set(o.code, i32.const(ExitCode.retry))]),
    leave(o),
    UNREACHABLE,
  ];
}


/**
 * Tier 1 as seen from outside. Its interpreter makes no calls at all, because a call anywhere in the loop costs the host's
 * compiler its registers everywhere in the loop; what would need one leaves, and tier 0 executes that instruction.
 */
export function driverBody(locals: FunctionLocals, tiers: { readonly exact: number; readonly fast: number; readonly fillCode: number }): Code {
  const code = locals.local32();
  const slice = locals.local32();
  const again = label('again');
  const left = i32.load(ZERO, layout.STATE_LEFT);
  return [
    loop(again, [
      set(code, call32(tiers.fast)),
      when(i32.eq(code, i32.const(ExitCode.fetch)), branchIf(call32(tiers.fillCode), again)),
      when(i32.ltU(code, i32.const(ExitCode.retry)), giveBack(code)),
      // One instruction for tier 0, or some if it is one of those that come in numbers; the rest of the budget is set aside
      // where leaving adds it back.
      set(slice, i32.select(i32.eq(code, i32.const(ExitCode.calls)), i32.const(CALLS_SLICE), i32.const(MICRO_OP_SIZE))),
      set(slice, i32.select(i32.ltU(slice, left), slice, left)),
      i32.store(ZERO, i32.sub(left, slice), layout.STATE_CUT),
      i32.store(ZERO, slice, layout.STATE_LEFT),
      set(code, call32(tiers.exact)),
      i32.store(ZERO, ZERO, layout.STATE_CUT),
      // If the page that executes is to be looked up again, going on does that.
      i32.store(ZERO, ZERO, layout.STATE_STOP),
      branchIf(i32.eqz(code), again),
    ]),
    code.code,
  ];
}

/**
 * Pairs of neighbouring micro-ops that tier 1 executes with one dispatch. The fused op stands in the first one's place and
 * keeps its operands; the second stays where it is and is executed from there, so that jumping to it, dropping it or
 * stopping at it need nothing special. Tier 0 executes a fused op as its first half.
 */

import type { Operands } from '../operands';
import type { Code } from '../wasm/code';
import { i32, i64, when, type I32 } from '../wasm/expressions';
import type { Emit } from './lowering';

/** Compares whose operands and result stay in the temporaries, so that a branch needs no flags. */
const COMPARES = ['subs64r', 'subs64i', 'subs32r', 'subs32i'] as const;

/** Pairs worth a micro-op, by how often they are neighbours in compiled code. */
const PAIRS: Readonly<Record<string, string>> = {
  mov64: 'mov64 bl.far bl.near movi mov32 add64i ldr8 stp8.offset.sp ldp8.offset.sp str8.sp cbz64.near b.near ldr4 ldrs2w',
  mov32: 'mov64 mov32 movi bl.far ldp8.offset.sp str8.sp subs32i subs32r',
  movi: 'movi bl.far b.near mov64 add64i str4 str4.lsl str8.sp ldp8.offset.sp subs32i movk64 br sub32i',
  movk64: 'movk64 mov64 movi',
  movk32: 'movk32 movi',
  adr: 'ldr8 ldr4 add64i adr mov64 movi',
  add64i: 'add64i bl.far movi mov64 stp8.offset.sp ldr8 ldr4 ldr1 str8 str8.sp subs64r subs64i subs32i b.near ldp8.post and32i subs32r',
  add32i: 'add32i subs32i subs32r mov32 b.near add64i str4',
  add64r: 'ldr8 ldr4 ldr1 add64r add64i str8 cbz64.near subs32i subs64r mov64',
  add32r: 'subs32r subs32i add32r add32i str4 and32i ldp8.offset.sp add64i',
  sub32i: 'sub32i bl.near bl.far subs32i adds32i eor64lsl',
  sub64i: 'subs64i subs64r adds64i',
  adds32i: 'b.0.near b.1.near',
  adds64i: 'b.0.near b.1.near',
  ands32i: 'b.0.near b.1.near',
  ands64i: 'b.0.near b.1.near',
  ands32r: 'b.0.near b.1.near',
  ands64r: 'b.0.near b.1.near',
  sub64r: 'add64i add64r sub64r',
  ldr8: 'ldr8 ldr4 str8 subs64r subs64i cbz64.near cbnz64.near add64i add64r mov64 movi ldr8.sp str8.sp bl.far stp8.offset.sp mrs.el0 b.near ldp8.offset',
  ldr4: 'ldr4 ldr8 subs32i subs32r cbz32.near cbnz32.near tbz.near tbnz.near add32i add32r and32i eor32lsr str4 movi orr32r',
  ldr1: 'subs32i subs32r cbz32.near cbnz32.near ldr1 strb str1 and32i eor32r tbz.near tbnz.near',
  'ldr1.post': 'eor32r cbnz32.near subs32i str1.post',
  'ldr8.post': 'str8 str8.post add64r',
  'ldr4.lsl': 'eor32lsr add32r eor32r ldr4.lsl',
  'ldr8.lsl': 'add64r ldr8.lsl str8',
  'ldr1.lsl': 'cbz32.near cbnz32.near str1.lsl subs32i add32r',
  'ldrs2w.lsl': 'madd32 ldrs2w.lsl',
  ldrs2w: 'subs32r subs32i madd32 mov64 add64i',
  ldrs2x: 'add64r',
  'ldr8.sp': 'ldr8 ldr8.sp ldp8.post.sp mov64 movi ldp8.offset.sp',
  str8: 'str8 ldr8 ldr8.post b.near mov64 movi cbz64.near cbnz64.near add64i ldp8.offset.sp',
  str4: 'str4 b.near movi add64i ldr4',
  str1: 'b.near add64i movi',
  'str1.uxtw': 'add32r add32i',
  'str1.post': 'subs64r subs64i',
  'str8.post': 'subs64r add64i',
  'str8.sp': 'bl.far movi mov64 str8.sp',
  'ldp8.offset.sp': 'ldp8.offset.sp ldp8.post.sp ldr8.sp mov64 movi',
  'ldp8.post.sp': 'br hint',
  'ldp8.offset': 'stp8.offset ldp8.offset',
  'ldp8.post': 'stp8.post subs64i stp8.offset',
  'stp8.offset': 'stp8.offset ldp8.offset add64i subs64r subs64i',
  'stp8.offset.sp': 'mov64 mov32 add64i stp8.offset.sp movi bl.far',
  'stp8.pre.sp': 'add64i adr stp8.offset.sp',
  hint: 'hint stp8.pre.sp',
  and32i: 'subs32i cbz32.near cbnz32.near orr32r',
  and64i: 'ldr4.lsl ldr8.lsl add64r cbz64.near orr64r',
  eor32r: 'and64i and32i eor32r lsr32i',
  eor64r: 'eor64r add64r',
  eor64lsl: 'eor64lsr eor64lsl',
  eor64lsr: 'eor64lsl eor64lsr madd64 sub32i',
  extr64: 'subs32i subs32r subs64r adds32i',
  eor32lsr: 'subs64r subs64i eor32r',
  orr64r: 'orr64r',
  lsr32i: 'eor32r and32i',
  lsr64i: 'add64r lsl64i and64i',
  lsl64i: 'add64r orr64r ldr8',
  ubfx: 'ldr8.lsl ldr4.lsl ldr1.lsl add64r cbz64.near',
  sxtw: 'add64r ldr8.lsl',
  madd64: 'add64r madd64 umulh extr64 add64i',
  madd32: 'add32r subs32i subs64r subs32r',
  umulh: 'adds64r madd64',
  subs32i: 'csel0_0_32 csel0_1_32 csel0_0_64 csel0_1_64 csel1_0_32 csel1_1_32',
  'cbz64.near': 'mov64 ldr8 ldr4',
  'cbz32.near': 'mov64 ldr8 ldr4 movi',
  'cbnz32.near': 'mov64 add32i add64i movi',
  'ldrs2w.post': 'ldrs2w.post',
  csel0_0_32: 'subs32r subs32i',
  csel0_1_32: 'subs32r subs32i',
  'str1.lsl': 'add64i add32i',
  'b.0.near': 'mov64 ldr8 movi',
  'b.1.near': 'mov64 ldr8 movi',
};

/** Conditions on `a - b = result` of a compare, by condition code; absent ones read the flags. */
function directCondition(o: Operands, compare: (typeof COMPARES)[number], condition: number): I32 | undefined {
  const [a, b, result] = o.temporaries64;
  const is64 = compare.startsWith('subs64');
  const [x, y] = [i32.wrap(a), i32.wrap(b)];
  switch (condition) {
    case 0: return is64 ? i64.eq(a, b) : i32.eq(x, y);
    case 1: return is64 ? i64.ne(a, b) : i32.ne(x, y);
    case 2: return i64.geU(a, b);
    case 3: return i64.ltU(a, b);
    case 4: return is64 ? i64.ltS(result, i64.const(0n)) : i32.ltS(i32.wrap(result), i32.const(0));
    case 5: return is64 ? i64.geS(result, i64.const(0n)) : i32.geS(i32.wrap(result), i32.const(0));
    case 8: return i64.gtU(a, b);
    case 9: return i64.leU(a, b);
    case 10: return is64 ? i64.geS(a, b) : i32.geS(x, y);
    case 11: return is64 ? i64.ltS(a, b) : i32.ltS(x, y);
    case 12: return is64 ? i64.gtS(a, b) : i32.gtS(x, y);
    case 13: return is64 ? i64.leS(a, b) : i32.leS(x, y);
    default: return undefined;
  }
}

/** One fused micro-op: the names of its halves, and the code of the second when it runs right after the first. */
export interface Fusion { readonly first: string; readonly second: string; readonly emitSecond: Emit }

function compareAndBranch(emits: ReadonlyMap<string, Emit>): readonly Fusion[] {
  return COMPARES.flatMap((first) => Array.from({ length: 14 }, (_, condition): Fusion => {
    const second = `b.${condition}.near`;
    const fallback = emits.get(second);
    return {
      first, second,
      emitSecond: (o): Code => {
        const direct = directCondition(o, first, condition);
        return direct === undefined ? fallback?.(o) ?? [] : when(direct, o.branchNear());
      },
    };
  }));
}

/** All fusions of the given micro-ops. */
export function fusions(emits: ReadonlyMap<string, Emit>): readonly Fusion[] {
  const listed = Object.entries(PAIRS).flatMap(([first, seconds]) => seconds.split(' ').flatMap((second): readonly Fusion[] => {
    const emitSecond = emits.get(second);
    return emitSecond === undefined ? [] : [{ first, second, emitSecond }];
  }));
  return [...compareAndBranch(emits), ...listed.filter(({ first }) => emits.has(first))];
}

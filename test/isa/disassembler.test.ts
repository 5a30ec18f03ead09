import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Prng } from '../../runtime/base/prng';
import { disassemble, formatters } from '../../runtime/isa/disassembler';
import { compiledEncodings, decode, encodings } from '../../runtime/isa/encodings';
import type { Encoding } from '../../runtime/isa/interface';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { disassembleC, disassembleWords, hasOracle } from './support/oracle';
import type { OracleLine } from './support/oracle';

const WORDS_PER_ROW = 40;
const SEED = 20;

function checkText(word: number, expected: string, address = 0n): void {
  const { mnemonic, operands } = disassemble(word, address);
  assert.equal(`${mnemonic} ${operands}`.trim(), expected);
}

/** Differences that are the oracle's: names it lacks, names we lack a row for, and words it will not write. */
function isExcused(ours: string, theirs: string): boolean {
  if (/undefined|\.inst|\.word/.test(theirs)) return true;
  if (theirs.startsWith('tlbi pa') || theirs.startsWith('tlbi rpa')) return true;
  if (theirs.startsWith('hint #')) return ours === 'dgh' || ours === 'clearbhb';
  if (/^msr s0_/.test(theirs)) return /^msr (spsel|pan|uao|dit|ssbs|tco), #/.test(ours);
  if (/\bs[23]_\d_c\d+_c\d+_\d\b/.test(theirs)) return /^(mrs|msr) .*id_aa64\w+/.test(ours);
  return /\b(mrs|msr) .*s[23]_\d_c\d+_c\d+_\d\b/.test(ours);
}

function checkAgainst(lines: readonly OracleLine[]): void {
  let compared = 0;
  const differences: string[] = [];
  for (const { address, word, text } of lines) {
    const { mnemonic, operands } = disassemble(word, address);
    const ours = `${mnemonic} ${operands}`.trim();
    if (ours === text) compared++;
    else if (!isExcused(ours, text)) differences.push(`${word.toString(16)}: ours "${ours}", objdump "${text}"`);
  }
  assert.deepEqual(differences.slice(0, 20), []);
  assert.ok(compared > lines.length * 0.95, `only ${compared} of ${lines.length} lines were compared`);
}

/** A word with registers pushed towards 31 and towards each other, where aliases live; the plain word if that leaves the row. */
function withAliasRegisters(prng: Prng, word: number, encoding: Encoding): number {
  let changed = word;
  if (prng.below(3) === 0) changed |= 31;
  if (prng.below(3) === 0) changed |= 31 << 5;
  if (prng.below(3) === 0) changed = (changed & ~(31 << 16)) | (((changed >>> 5) & 31) << 16);
  if (prng.below(4) === 0) changed |= 31 << 10;
  return decode(changed >>> 0)?.encoding === encoding ? changed >>> 0 : word;
}

test('random words of every row read as in GNU objdump', (context) => {
  if (!hasOracle(context, 'objdump')) return;
  const prng = new Prng(SEED);
  const words = compiledEncodings.flatMap(({ encoding }) => Array.from({ length: WORDS_PER_ROW }, (_, index) => {
    const word = randomInstruction(prng, encoding);
    return index % 2 === 0 ? word : withAliasRegisters(prng, word, encoding);
  }));
  checkAgainst(disassembleWords(words));
});

test('random system register moves and system instructions read as in GNU objdump', (context) => {
  if (!hasOracle(context, 'objdump')) return;
  const prng = new Prng(SEED);
  const words = Array.from({ length: 6000 }, () => {
    const op0 = 1 + prng.below(3);
    const crn = op0 === 1 ? 7 + prng.below(2) : op0 === 2 ? 0 : prng.below(16);
    const operands = (op0 << 19) | (prng.below(op0 === 2 ? 1 : 8) << 16) | (crn << 12) | (prng.below(16) << 8) | (prng.below(8) << 5);
    return ((0xd500_0000 | (prng.below(2) << 21) | operands | prng.below(32)) >>> 0);
  });
  const lines = disassembleWords(words);
  const named = lines.filter(({ word, text }) => !isExcused(`${disassemble(word, 0n).mnemonic} ${disassemble(word, 0n).operands}`, text));
  checkAgainst(named);
  assert.ok(named.length > 1000, String(named.length));
});

/** What objdump knows and the table leaves out on purpose: SVE, SME, and extensions later than the features of the table. */
const OUTSIDE = /^(\.inst|undefined|bc\.|cpy|set[pmeg]|st64b|ld64b|tcancel|tstart|ttest|tcommit|smax|smin|umax|umin|ctz|cnt|abs|fml[as]l2?|msr s0|mrs \w+, s0)/;

test('whatever objdump can read outside SVE and SME has a row', (context) => {
  if (!hasOracle(context, 'objdump')) return;
  const prng = new Prng(SEED);
  const words = Array.from({ length: 60_000 }, () => prng.nextU32()).filter((word) => {
    const group = (word >>> 25) & 15;
    return group !== 2 && !(group === 0 && word >>> 31 === 1);
  });
  const missing = disassembleWords(words).filter(({ word, text }) => decode(word) === undefined && !OUTSIDE.test(text) && !text.includes('undefined'));
  assert.deepEqual(missing.map(({ word, text }) => `${word.toString(16)} ${text}`), []);
});

const SOURCE = `
typedef unsigned long u64; typedef unsigned int u32; typedef unsigned char u8;
u64 mix(u64 a, u32 b) { return (a << 7 | a >> 57) ^ (b * 0x9e3779b97f4a7c15ul) ^ __builtin_bswap64(a) ^ __builtin_clzl(a); }
int compare(const u8 *a, const u8 *b, u64 n) { for (u64 i = 0; i < n; i++) if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1; return 0; }
double sum(const double *v, int n) { double s = 0; for (int i = 0; i < n; i++) s += v[i] * v[i] - (float)i; return s; }
void add(int *restrict d, const int *restrict a, const short *restrict b, int n) { for (int i = 0; i < n; i++) d[i] = a[i] * 3 + b[i]; }
u64 divide(long a, long b, u32 c) { return a / b + a % (long)c + (u64)a / 10; }
u32 lock(u32 *p) { return __atomic_fetch_add(p, 1, __ATOMIC_ACQ_REL) + __atomic_exchange_n(p, 5, __ATOMIC_SEQ_CST); }
u64 pick(u64 a, u64 b, u64 c) { return a > b ? c + 1 : ~c; }
struct s { long a, b; int c; short d; signed char e; };
long fields(struct s *p, int i) { return p[i].a + p[i].b + p[i].c + p[i].d + p[i].e; }
int table(int i) { switch (i) { case 0: return 5; case 1: return 77; case 2: return -3; case 3: return 12345678; case 4: return 9; default: return i; } }
void barrier(void) { __asm__ volatile("dmb ish; dsb sy; isb; wfi; sev; msr daifset, #2; mrs x0, ctr_el0; dc cvau, x0; ic iallu; tlbi vmalle1is; at s1e1r, x0; hvc #0x6000" ::: "x0"); }
`;

test('compiled C reads as in GNU objdump', (context) => {
  if (!hasOracle(context, 'gcc') || !hasOracle(context, 'objdump')) return;
  for (const options of [['-O0'], ['-O2'], ['-O3', '-march=armv8.2-a'], ['-Os', '-mno-outline-atomics'], ['-O2', '-mbranch-protection=standard']]) {
    checkAgainst(disassembleC(SOURCE, options));
  }
});

test('every instruction class has a formatter', () => {
  assert.deepEqual([...new Set(encodings.map((row) => row.class))].filter((name) => formatters[name] === undefined), []);
});

test('any word at any address has a text, and a word without a row reads as data', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_fffcn }), (word, address) => {
    const { mnemonic, operands, target } = disassemble(word, address);
    assert.match(mnemonic, decode(word) === undefined ? /^\.inst$/ : /^[a-z][a-z0-9.]*$/);
    assert.doesNotMatch(operands, /undefined|NaN/);
    assert.ok(target === undefined || (target >= 0n && target < 1n << 64n));
  }), { numRuns: 20_000 });
});

test('preferred aliases, names and targets', () => {
  checkText(0x9100_03fd, 'mov x29, sp');
  checkText(0xd65f_03c0, 'ret');
  checkText(0xf100_041f, 'cmp x0, #0x1');
  checkText(0x1a9f_17e0, 'cset w0, eq');
  checkText(0xd340_fc00, 'lsr x0, x0, #0');
  checkText(0xb821_001f, 'stadd w1, [x0]');
  checkText(0xd538_d080, 'mrs x0, tpidr_el1');
  checkText(0xd51b_7420, 'msr s3_3_c7_c4_1, x0');
  checkText(0xd50b_7420, 'dc zva, x0');
  checkText(0xd50b_b000, 'sys #3, C11, C0, #0, x0');
  checkText(0x0000_0000, 'udf #0');
  checkText(0xffff_ffff, '.inst 0xffffffff');
  checkText(0x17ff_ffff, 'b 0xfffffffffffffffc');
  assert.equal(disassemble(0x9400_0001, 0x4000_0000n).target, 0x4000_0004n);
  assert.equal(disassemble(0x9000_0000, 0x4000_0123n).target, 0x4000_0000n);
});

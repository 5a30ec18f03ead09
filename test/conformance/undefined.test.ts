import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { compiledEncodings, decode } from '../../runtime/isa/encodings';
import type { Encoding } from '../../runtime/isa/interface';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { systemInstructionByKey, systemRegisterByKey } from '../../runtime/isa/system-registers';
import { harmless, SIGNALS, VectorRunner } from './vectors';

const SEED = 1;
const WORDS = 30_000;
const SIGILL = 4;

const runner = new VectorRunner();
after(() => { runner.close(); });

/** Words whose outcome on the reference (QEMU 7.2) is not the architecture's, with what it does. Bits of `mask` that equal `value`. */
const REFERENCE_DEFECTS = [
  { mask: 0x8f7e0c00, value: 0x0e780800, what: 'aborts at unallocated opcodes of half-precision two-register operations' },
  { mask: 0xaf7e0c00, value: 0x0e700800, what: 'ignores bit 22 of half-precision reductions across lanes and of scalar pairs' },
  { mask: 0xbff8fc00, value: 0x2f00fc00, what: 'takes FMOV (vector, half) with the op bit set' },
];
const isDefect = (word: number): boolean => REFERENCE_DEFECTS.some(({ mask, value }) => ((word & mask) >>> 0) === value);

/** Words that both sides must treat alike; gives those they do not. */
function checkSignals(words: readonly number[], on = runner): readonly string[] {
  const vectors = words.map((word) => ({ word, x: harmless(), nzcv: 0 }));
  const reference = on.onReference(vectors);
  return vectors.flatMap((vector, index) => {
    const here = on.onEngine(vector);
    const there = reference[index];
    const same = here.signal === there?.signal && here.pc === there.pc;
    return same ? [] : [`${vector.word.toString(16).padStart(8, '0')}: engine ${SIGNALS[here.signal] ?? 'left'}, reference ${SIGNALS[there?.signal ?? -1] ?? '?'} (seed ${String(SEED)})`];
  });
}

/** A word next to a row: some of the bits that the row fixes are others. */
function nearWord(prng: Prng): number {
  const row = compiledEncodings[prng.below(compiledEncodings.length)];
  if (row === undefined || prng.below(10) === 0) return prng.nextU32();
  let word = randomInstruction(prng, row.encoding);
  for (let flips = 1 + prng.below(3); flips > 0;) {
    const bit = prng.below(32);
    if (((row.mask >>> bit) & 1) === 0 && prng.below(4) !== 0) continue;
    word ^= 1 << bit;
    flips--;
  }
  return word >>> 0;
}

test('words next to rows of the table that no row has are undefined here and on the reference', () => {
  const prng = new Prng(SEED);
  const words: number[] = [];
  while (words.length < WORDS) {
    const word = nearWord(prng);
    if (decode(word) === undefined && !isDefect(word)) words.push(word);
  }
  assert.deepEqual(checkSignals(words), []);
});

/** Instructions that EL0 does not have: every one of these classes is SIGILL in user mode. HLT 0xf000 is a call of the reference's host. */
const isAboveEl0 = ({ class: key, mnemonic, feature, state }: Encoding): boolean => state === 'ready' && (
  ['permanently_undefined', 'debug_restore', 'exception_return'].includes(key) || ['hvc', 'smc', 'dcps1', 'dcps2', 'dcps3', 'sysl'].includes(mnemonic)
  || (key === 'msr_immediate' && (feature === 'PAN' || feature === 'UAO')));

test('instructions of higher exception levels are undefined at EL0', () => {
  const prng = new Prng(SEED);
  const rows = compiledEncodings.filter(({ encoding }) => isAboveEl0(encoding));
  assert.ok(rows.length >= 10);
  const words = rows.flatMap(({ encoding }) => Array.from({ length: 20 }, () => randomInstruction(prng, encoding)));
  assert.deepEqual(checkSignals(words), []);
});

/** Rows that a core has or lacks as a whole. The reference's Cortex-A76 is a later revision than ours, with SSBS. */
const isOptional = ({ class: key, feature, mnemonic }: Encoding): boolean =>
  !/branch|exception|^hint$|wait|system|permanently/.test(key) && mnemonic !== 'svc' && feature !== 'SSBS';

test('each core has the instructions that the reference\'s has, and no others', () => {
  for (const core of ['cortex-a53', 'cortex-a57', 'cortex-a76'] as const) {
    const prng = new Prng(SEED);
    const on = new VectorRunner(core);
    try {
      const words = compiledEncodings.filter(({ encoding }) => isOptional(encoding)).flatMap(({ encoding }) => Array.from({ length: 3 }, () => randomInstruction(prng, encoding)));
      assert.deepEqual(checkSignals(words, on), [], core);
    } finally {
      on.close();
    }
  }
});

test('BRK is a trap with the PC on it', () => {
  assert.deepEqual(checkSignals([0xd4200000, 0xd43fffe0, 0xd4200020]), []);
});

const wordOf = (isRead: boolean, key: number): number => (0xd5000000 | (isRead ? 1 << 21 : 0) | (key << 5)) >>> 0;

/**
 * Accesses that are compared elsewhere or not at all: registers that the machine answers for, features that one side lacks, Linux's
 * emulation of identification registers, and what Linux lets EL0 do by CNTKCTL_EL1. User mode of the reference knows no DC CVAP, and
 * lets MDCCSR_EL0 be read though MDSCR_EL1.TDCC says no; SCXTNUM_EL0 is a hypervisor's decision here.
 */
function isComparable(isRead: boolean, key: number): boolean {
  const row = systemRegisterByKey(key) ?? systemInstructionByKey(key);
  if (row?.handling === 'exit' || ['DC CVAP', 'CNTFRQ_EL0', 'CNTVCT_EL0', 'CNTPCT_EL0', 'CNTVCTSS_EL0', 'CNTPCTSS_EL0', 'MDCCSR_EL0', 'SCXTNUM_EL0'].includes(row?.name ?? '')) return false;
  const crm = (key >> 3) & 15;
  const isIdentification = key >> 7 === 0x180 && (crm === 0 || (crm >= 4 && crm <= 7));
  const isElsewhere = ['MTE', 'DPB2', 'RNG', 'SPECRES'].includes(row?.feature ?? '') || ['DIT', 'SSBS', 'RNDR', 'RNDRRS'].includes(row?.name ?? '');
  return !isElsewhere && !(isRead && isIdentification);
}

test('system registers and instructions that EL0 may not use are undefined or trapped, all others are not', () => {
  const prng = new Prng(SEED);
  const words: number[] = [];
  for (let key = 0x4000; key < 0x10000; key++) {
    // Everything that EL0 may have lies in op1 = 3; of the rest a part.
    const isLikely = ((key >> 11) & 7) === 3;
    for (const isRead of [true, false]) if (isComparable(isRead, key) && (isLikely || prng.below(12) === 0)) words.push(wordOf(isRead, key));
  }
  assert.ok(words.length > 10_000);
  assert.deepEqual(checkSignals(words), []);
  assert.equal(runner.onEngine({ word: wordOf(true, 0xc000), x: harmless(), nzcv: 0 }).signal, SIGILL);
});

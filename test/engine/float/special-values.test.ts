import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compiledEncodings } from '../../../runtime/isa/encodings';
import type { Encoding } from '../../../runtime/isa/interface';
import { assemble } from '../../../runtime/isa/pattern';
import { Comparison } from '../../conformance/compare';
import { codeOf, DN, ENTRIES, ENTRY_BYTES, floatJobs, floatPrograms, floatRows, FZ, LISTS, listsPool, WIDTHS, type ListName } from '../../conformance/float-programs';
import { DATA_BYTES, LOG_BYTES } from '../../conformance/layout';
import { endedWell, Machine } from '../../conformance/machine';
import { specialPatterns } from '../../conformance/values';

const SEED = 1;
const jobs = floatJobs(SEED);
const nameOf = ({ name, class: key }: Encoding): string => `${name} (${key})`;

test('every floating-point instruction gives the reference\'s results and flags in every mode, on every pair of special values and on random numbers', async (context) => {
  const comparison = new Comparison(floatPrograms(jobs, SEED), ['fast']);
  try {
    const { report } = comparison;
    await comparison.run(0, () => report.programs + report.differences.length >= jobs.length || report.differences.length > 20);
    const found = report.differences.map(({ program, tier, what }) => {
      const job = jobs[program.number];
      return job === undefined ? what : `${nameOf(job.encoding)} ${job.word.toString(16)}, FPCR ${job.fpcr.toString(16)}, ${job.list}, tier ${tier}: ${what}`;
    });
    assert.equal(found.join('\n'), '', `seed ${String(SEED)}`);
    context.diagnostic(`${String(report.programs * ENTRIES)} operations of ${String(floatRows.length)} rows`);
  } finally {
    comparison.close();
  }
});

test('every row meets every rounding mode with and without flushing and default NaN, and its lists hold every pair of special values', () => {
  for (const { encoding } of floatRows) {
    const own = jobs.filter((job) => job.encoding === encoding);
    for (const width of new Set(own.map((job) => job.width))) {
      const modes = new Set(own.filter((job) => job.width === width && job.list !== 'random').map(({ fpcr }) => fpcr));
      for (let mode = 0; mode < 4; mode++) {
        for (const more of [0, DN, width === 16 ? 1 << 19 : FZ]) assert.ok(modes.has((mode << 22) | more), `${nameOf(encoding)}, width ${String(width)}: mode ${String(mode)} with ${more.toString(16)}`);
      }
      const needed: ListName = width === 'integer' || !encoding.pattern.includes('Rm') ? 'numbers' : 'pairs';
      assert.ok(own.some((job) => job.width === width && job.list === needed), nameOf(encoding));
    }
  }
  for (const width of [16, 32, 64] as const) {
    const pool = new DataView(listsPool(width, SEED).buffer);
    const mask = (1n << BigInt(width)) - 1n;
    const pairs = new Set(Array.from({ length: ENTRIES }, (_, n) => [0, 8].map((at) => pool.getBigUint64(n * ENTRY_BYTES + at, true) & mask).join()));
    for (const a of specialPatterns(width)) for (const b of specialPatterns(width)) assert.ok(pairs.has([a, b].join()), `${String(width)} bits: ${a.toString(16)}, ${b.toString(16)}`);
  }
});

/** What the host makes of two numbers, rounding to nearest. */
const HOST: Readonly<Record<string, (a: number, b: number) => number>> = {
  fadd: (a, b) => a + b, fsub: (a, b) => a - b, fmul: (a, b) => a * b, fdiv: (a, b) => a / b, fsqrt: (a) => Math.sqrt(a),
};

/** Compares a scalar operation with the host's on a list; gives how many results were compared. */
function checkWithHost(mnemonic: string, width: 32 | 64, list: ListName): number {
  const row = compiledEncodings.find(({ encoding }) => encoding.mnemonic === mnemonic && encoding.class.startsWith('fp_') && encoding.feature === 'FP');
  const compute = HOST[mnemonic];
  assert.ok(row !== undefined && compute !== undefined);
  const word = assemble(row, { ftype: width === 64 ? 1 : 0, Rd: 0, Rn: 1, Rm: 2, opcode: (row.value >>> (mnemonic === 'fsqrt' ? 15 : 12)) & (mnemonic === 'fsqrt' ? 63 : 15) });
  const machine = new Machine();
  machine.load(codeOf({ encoding: row.encoding, word, width, list, fpcr: 0 }));
  const from = LISTS.indexOf(list) * LOG_BYTES;
  const operands = listsPool(width, SEED).slice(from, from + LOG_BYTES);
  assert.ok(endedWell(machine.run('fast', operands, new Uint8Array(DATA_BYTES))));
  const [before, after] = [new DataView(operands.buffer), new DataView(machine.result().buffer)];
  const read = (view: DataView, at: number): number => (width === 64 ? view.getFloat64(at, true) : view.getFloat32(at, true));
  for (let at = 0; at < LOG_BYTES; at += ENTRY_BYTES) {
    const [a, b] = [read(before, at), read(before, at + 8)];
    const exact = compute(a, b);
    // Twice the significand and more: rounding a double again gives what rounding once would.
    const expected = width === 64 ? exact : Math.fround(exact);
    assert.ok(Object.is(read(after, at), expected), `${mnemonic} of ${String(a)} and ${String(b)}: ${String(read(after, at))}, the host says ${String(expected)}`);
  }
  return ENTRIES;
}

test('basic arithmetic in round-to-nearest is the host\'s', () => {
  let count = 0;
  for (const mnemonic of Object.keys(HOST)) for (const width of [32, 64] as const) for (const list of LISTS) count += checkWithHost(mnemonic, width, list);
  assert.equal(count, Object.keys(HOST).length * 2 * LISTS.length * ENTRIES);
});

test('lists exist for every width', () => {
  assert.deepEqual([...new Set(jobs.map(({ width }) => width))], [...WIDTHS]);
});

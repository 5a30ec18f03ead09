/**
 * Instructions on scalable vectors of 128 bits on both tiers against QEMU's user mode, which is told to have no longer ones. Programs are straight
 * lines of random instructions; counters are brought near to each other, where WHILE has something to say.
 * Classes: scalable_length scalable_add_length scalable_count scalable_add_count predicate_pattern predicate_false predicate_test read_first_fault
 * read_first_fault_predicated write_first_fault set_first_fault predicate_while predicate_load_store scalable_load_store scalable_load_contiguous
 * scalable_load_contiguous_register scalable_store_contiguous scalable_store_contiguous_register.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { disassemble } from '../../runtime/isa/disassembler';
import { compiledEncodings, decode } from '../../runtime/isa/encodings';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { firstDifference } from './compare';
import { AT, CODE, DATA_BYTES, DATA_MIDDLE, EXIT, LOG, LOG_BYTES, RECORD_BYTES, RESULT_BYTES } from './layout';
import { describeEnd, endedWell, Machine } from './machine';
import { buildLoader, encodeProgram, HEADER_BYTES, POOL_BYTES } from './reference';
import { makePool } from './values';
import * as w from './words';

const SEED = 7;
const PROGRAMS = 120;
const INSTRUCTIONS = 400;
const CPU = 'max,sve256=off,sme=off';
/** Registers that hold where predicates are kept, an index, the data's middle (SP too) and the log. */
const [KEPT, INDEX, MIDDLE, RECORD, SP] = [26, 27, 28, 29, 31];
/** Predicates are kept behind a record's FPSR. */
const PREDICATES_AT = AT.spare + 8;
const WRFFR = 0x2528_9000;
const RDFFR = 0x2519_f000;

const rows = compiledEncodings.filter(({ encoding }) => encoding.feature === 'SVE');
const spillPredicate = (isStore: boolean, p: number, place: number): number => ((isStore ? 0xe580_0000 : 0x8580_0000) | ((place >> 3) << 16) | ((place & 7) << 10) | (KEPT << 5) | p) >>> 0;
const setField = (word: number, shift: number, bits: number, value: number): number => ((word & ~(((1 << bits) - 1) << shift)) | (value << shift)) >>> 0;

/** The whole state from the log's first record, or into it. */
function state(isStore: boolean): readonly number[] {
  const [pairX, pairQ] = isStore ? [w.storePairX, w.storePairQ] : [w.loadPairX, w.loadPairQ];
  const even = (count: number): readonly number[] => Array.from({ length: count / 2 }, (_, n) => n * 2);
  const general = even(KEPT).map((n) => pairX(n, n + 1, RECORD, AT.x + n * 8));
  const vectors = even(32).map((n) => pairQ(n, n + 1, RECORD, AT.v + n * 16));
  const predicates = [w.addImmediate(KEPT, RECORD, PREDICATES_AT), ...Array.from({ length: 16 }, (_, n) => spillPredicate(isStore, n, n))];
  if (!isStore) {
    const flags = [w.loadX(0, RECORD, AT.nzcv), w.writeSystem(0, w.SYSTEM.nzcv)];
    return [...w.loadAddress(RECORD, LOG), ...w.loadAddress(MIDDLE, DATA_MIDDLE), w.addImmediate(SP, MIDDLE, 0), w.moveSmall(INDEX, 0), w.moveSmall(30, 5), ...vectors, ...predicates, WRFFR, ...flags, ...general];
  }
  const last = [RDFFR, spillPredicate(true, 0, 16), w.readSystem(0, w.SYSTEM.nzcv), w.storeX(0, RECORD, AT.nzcv), w.addImmediate(0, SP, 0), w.storeX(0, RECORD, AT.sp)];
  return [...general, ...vectors, ...predicates, ...last];
}

/** A random instruction, and what must stand before it. */
function instruction(prng: Prng): readonly number[] {
  const row = rows[prng.below(rows.length)];
  assert.ok(row !== undefined);
  const { class: key } = row.encoding;
  let word = randomInstruction(prng, row.encoding);
  if (/load|store/.test(key)) {
    word = setField(word, 5, 5, prng.below(4) === 0 ? SP : MIDDLE);
    return key.endsWith('register') ? [w.moveSmall(INDEX, prng.below(96) - 32), setField(word, 16, 5, INDEX)] : [word];
  }
  if (/^(scalable_length|scalable_count|scalable_add)/.test(key)) return [setField(word, 0, 5, prng.below(INDEX))];
  if (key !== 'predicate_while') return [word];
  const [n, m] = [prng.below(INDEX), prng.below(INDEX)];
  const start = prng.below(3) === 0 ? [w.moveSmall(n, prng.below(40) - 20)] : [];
  const near = prng.below(4) === 0 ? [] : [w.addImmediate(m, n, prng.below(40) - 20)];
  return [...start, ...near, setField(setField(word, 5, 5, n), 16, 5, m)];
}

/** A program of one record. */
function program(prng: Prng): Uint8Array {
  const words = [...state(false)];
  for (let n = 0; n < INSTRUCTIONS; n++) words.push(...instruction(prng));
  words.push(...state(true));
  words.push(w.branch(EXIT - CODE - words.length * 4));
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** What the reference makes of all programs. */
function onReference(pool: Uint8Array, programs: readonly Uint8Array[]): Uint8Array {
  const loader = buildLoader();
  try {
    const input = Buffer.concat([pool, ...programs.map((code) => encodeProgram(code, 0, 0)), new Uint8Array(HEADER_BYTES)]);
    const result = spawnSync('qemu-aarch64', ['-cpu', CPU, loader.path], { input, maxBuffer: PROGRAMS * RESULT_BYTES + 4096 });
    assert.ok(result.error === undefined, 'qemu-aarch64 is needed (Debian package qemu-user)');
    assert.equal(result.stdout.length, programs.length * RESULT_BYTES, `${result.stderr.toString()} ${String(result.signal)}`);
    return result.stdout;
  } finally {
    loader.close();
  }
}

test('random programs on scalable vectors of 128 bits leave both tiers and the reference in the same state', () => {
  const prng = new Prng(SEED);
  const pool = makePool(SEED, POOL_BYTES / RECORD_BYTES);
  const programs = Array.from({ length: PROGRAMS }, () => program(prng));
  const expected = onReference(pool, programs);
  const machine = new Machine({ core: 'everything' });
  machine.engine.vcpu(0).setSystemRegister('CPACR_EL1', 0x33_0000n);
  const found = programs.flatMap((code, index) => {
    machine.load(code);
    return (['fast', 'exact'] as const).flatMap((tier) => {
      const ended = machine.run(tier, pool.subarray(0, LOG_BYTES), pool.subarray(0, DATA_BYTES));
      const what = endedWell(ended) ? firstDifference(machine.result(), expected.subarray(index * RESULT_BYTES, (index + 1) * RESULT_BYTES)) : describeEnd(ended);
      return what === undefined ? [] : [`program ${String(index)}, ${tier}: ${what}`];
    });
  });
  assert.deepEqual(found.slice(0, 5), [], `seed ${String(SEED)}`);
});

test('the programs have every row', () => {
  const prng = new Prng(SEED);
  const seen = new Set(Array.from({ length: PROGRAMS * INSTRUCTIONS }, () => instruction(prng).map((word) => decode(word)?.encoding)).flat());
  assert.deepEqual(rows.filter(({ encoding }) => !seen.has(encoding)).map(({ encoding }) => encoding.name), []);
  assert.equal(disassemble(WRFFR, 0n).mnemonic, 'wrffr');
});

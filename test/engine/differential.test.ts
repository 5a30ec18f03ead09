import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { createEngine, type Engine } from '../../runtime/engine';
import { coreFeatures } from '../../runtime/isa/cpu-features';
import { decode } from '../../runtime/isa/encodings';
import { alignedRows, BASE_REGISTER, branchWord, memoryRows, memoryWord, OFFSET_REGISTER, plainRows, plainWord } from './random-programs';
import { toPa } from './support';
import { DATA, SLOT } from './reference-program';
import { DATA_BYTES, RECORD_BYTES, runOnUserMode } from './user-mode-harness';

const NOP = 0xd503201f;
const BACK = SLOT + 16n;
const TAKEN = SLOT + 24n;
const BASE = DATA + 512n;

/** Register values: random, small, or at an edge. */
function value(prng: Prng): bigint {
  switch (prng.below(5)) {
    case 0: return BigInt(prng.below(256));
    case 1: return [0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn][prng.below(8)] ?? 0n;
    case 2: return BigInt(prng.nextU32());
    default: return prng.nextU64();
  }
}

function makeRecord(prng: Prng, words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < 31; n++) view.setBigUint64(n * 8, value(prng), true);
  view.setBigUint64(BASE_REGISTER * 8, BASE, true);
  view.setBigUint64(OFFSET_REGISTER * 8, BigInt(prng.below(16)), true);
  view.setBigUint64(31 * 8, BASE, true);
  view.setBigUint64(32 * 8, BigInt(prng.below(16)) << 28n, true);
  for (let i = 0; i < 4; i++) view.setUint32(34 * 8 + i * 4, words[i] ?? NOP, true);
  for (let i = 0; i < DATA_BYTES; i += 4) view.setUint32(34 * 8 + 16 + i, prng.nextU32(), true);
  return bytes;
}

function userMachine(): Engine {
  const engine = createEngine({ ram: [{ base: toPa(SLOT), sizeBytes: 8192 }, { base: toPa(DATA), sizeBytes: 8192 }], vcpuCountMax: 1, counterShift: 0, features: coreFeatures('max') });
  // Default cacheability makes memory Normal while stage 1 is off, as user mode has it.
  engine.vcpu(0).setSystemRegister('HCR_EL2', 1n << 12n);
  return engine;
}

/** What the engine makes of a record. */
function runHere(engine: Engine, record: Uint8Array): Uint8Array {
  const out = record.slice();
  const view = new DataView(out.buffer);
  const vcpu = engine.vcpu(0);
  for (let n = 0; n < 31; n++) vcpu.setX(n, view.getBigUint64(n * 8, true));
  vcpu.sp = view.getBigUint64(31 * 8, true);
  vcpu.pstate = view.getBigUint64(32 * 8, true) | 0x3c5n;
  vcpu.pc = SLOT;
  const code = record.slice(34 * 8, 34 * 8 + 16);
  engine.memory.write(toPa(SLOT), code);
  engine.memory.write(toPa(DATA), record.subarray(34 * 8 + 16));
  for (let steps = 0; steps < 8 && vcpu.pc !== BACK && vcpu.pc !== TAKEN; steps++) {
    const { retired, exit } = engine.run(0, { budget: 1, tickNow: 0 });
    assert.ok(retired === 1 && exit.reason === 'budget', `word ${describe(record)} left with ${exit.reason}`);
  }
  for (let n = 0; n < 31; n++) view.setBigUint64(n * 8, vcpu.x(n), true);
  view.setBigUint64(31 * 8, vcpu.sp, true);
  view.setBigUint64(32 * 8, vcpu.pstate & 0xf000_0000n, true);
  view.setBigUint64(33 * 8, vcpu.pc === TAKEN ? 1n : 0n, true);
  out.set(engine.memory.read(toPa(DATA), DATA_BYTES), 34 * 8 + 16);
  return out;
}

function describe(record: Uint8Array): string {
  const view = new DataView(record.buffer, record.byteOffset);
  return [0, 1, 2, 3].map((i) => view.getUint32(34 * 8 + i * 4, true)).filter((word) => word !== NOP)
    .map((word) => `${word.toString(16)} (${decode(word)?.encoding.name ?? '?'})`).join(', ');
}

function firstDifference(here: Uint8Array, there: Uint8Array): string {
  const a = new DataView(here.buffer, here.byteOffset, RECORD_BYTES);
  const b = new DataView(there.buffer, there.byteOffset, RECORD_BYTES);
  for (let i = 0; i < RECORD_BYTES; i += 8) {
    const [x, y] = [a.getBigUint64(i, true), b.getBigUint64(i, true)];
    if (x !== y) return `at ${i < 34 * 8 ? `register ${i / 8}` : `data ${i - 34 * 8 - 16}`}: here ${x.toString(16)}, reference ${y.toString(16)}`;
  }
  return 'no difference';
}

function checkAgainstReference(seed: number, count: number, words: (prng: Prng) => readonly number[]): void {
  const prng = new Prng(seed);
  const records = Array.from({ length: count }, () => makeRecord(prng, words(prng)));
  const input = new Uint8Array(count * RECORD_BYTES);
  records.forEach((record, index) => { input.set(record, index * RECORD_BYTES); });
  const reference = runOnUserMode(input);
  const engine = userMachine();
  records.forEach((record, index) => {
    const here = runHere(engine, record);
    const there = reference.slice(index * RECORD_BYTES, (index + 1) * RECORD_BYTES);
    const difference = firstDifference(here, there);
    assert.equal(difference, 'no difference', `seed ${seed}, record ${index}: ${describe(record)} ${difference}`);
  });
}

test('data-processing instructions agree with the reference', () => {
  assert.ok(plainRows.length > 50);
  checkAgainstReference(1, 6000, (prng) => [plainWord(prng)]);
});

test('chains of data-processing instructions agree with the reference', () => {
  checkAgainstReference(2, 1500, (prng) => [plainWord(prng), plainWord(prng), plainWord(prng), plainWord(prng)]);
});

test('loads and stores of every form agree with the reference, aligned or not', () => {
  assert.ok(memoryRows.length > 50);
  checkAgainstReference(3, 3000, (prng) => [memoryWord(prng, memoryRows)]);
});

test('exclusives, ordered accesses and atomics agree with the reference', () => {
  checkAgainstReference(4, 3000, (prng) => [memoryWord(prng, alignedRows)]);
});

test('branches agree with the reference on whether they are taken and what they link', () => {
  checkAgainstReference(5, 1500, (prng) => [branchWord(prng, 6)]);
});

test('exclusive pairs of load and store succeed as on the reference', () => {
  const pairs = [
    [0xc85f7e80, 0xc8017e82], [0x885ffe80, 0x8801fe82], [0x085f7e80, 0x08017e82], [0x485f7e80, 0x48017e82],
    [0xc87f0e80, 0xc8210e84], [0x887f8e80, 0x88218e84],
  ];
  checkAgainstReference(6, 200, (prng) => pairs[prng.below(pairs.length)] ?? []);
});

test('a store-exclusive of another size than the load succeeds, and stores, as on the reference', () => {
  const loads = [0x085f7e80, 0x485f7e80, 0x885f7e80, 0xc85f7e80, 0x887f0e80, 0xc87f0e80];
  const stores = [0x08017e82, 0x48017e82, 0x88017e82, 0xc8017e82, 0x88210e84, 0xc8210e84];
  /** What is there before: zeros, a byte, halfword or word of something and zeros above, or anything. */
  const contents = [[0xa9007e9f], [0xa9007e9f, 0x39000282], [0xa9007e9f, 0x79000282], [0xa9007e9f, 0xb9000282], []];
  checkAgainstReference(7, 1200, (prng) => [...contents[prng.below(contents.length)] ?? [], loads[prng.below(loads.length)] ?? 0, stores[prng.below(stores.length)] ?? 0]);
});

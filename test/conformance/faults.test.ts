import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { Prng } from '../../runtime/base/prng';
import { extractFields } from '../../runtime/isa/pattern';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { DATA } from './layout';
import { alignmentOf, immediateOffset, offsetScale, programRows, type ProgramRow } from './rows';
import { READ_ONLY, SIGNALS, SLOT, UNMAPPED, VectorRunner, type Outcome, type Vector } from './vectors';

const SEED = 1;
const VECTORS_PER_ROW = 50;
const ADDRESS_MASK = (1n << 56n) - 1n;

const runner = new VectorRunner();
after(() => { runner.close(); });

/** Where an access begins: whole or in part outside what is mapped, on a page that is only readable, or not aligned. */
function faultingAddress(prng: Prng, alignment: number): bigint {
  const near = (address: number): bigint => BigInt(address - (prng.below(80) & -alignment));
  switch (prng.below(8)) {
    case 0: case 1: return near(READ_ONLY);
    case 2: return near(UNMAPPED);
    case 3: return BigInt(READ_ONLY + (prng.below(4000) & -alignment));
    case 4: return BigInt(DATA + 64 + (prng.below(3000) & -alignment));
    case 5: return [0n, 8n, 0x1_0000_0000n, 0x0000_ffff_ffff_fff8n, 0xffff_0000_0000_0000n, 0xffff_ffff_ffff_fff0n][prng.below(6)] ?? 0n;
    case 6: return BigInt(DATA + (prng.below(3000) & -alignment)) | (BigInt(prng.below(256)) << 56n);
    default: return (prng.nextU64() & 0x0000_7fff_ffff_ffffn) & BigInt(-alignment);
  }
}

/** An instruction of a row with its registers set so that the access begins at an address. */
function faultingVector(prng: Prng, { row, encoding, kind }: ProgramRow): Vector {
  for (;;) {
    const word = randomInstruction(prng, encoding);
    const fields = extractFields(row, word);
    const [base = 31, index] = [fields['Rn'], fields['Rm']];
    if (index === base && index !== 31) continue;
    const x = Array.from({ length: 32 }, (_, n) => (n === 31 ? BigInt(DATA) : prng.nextU64()));
    const value = prng.below(2) === 0 ? prng.below(64) : -prng.below(64);
    const isAccess = encoding.class.includes('register_offset');
    let offset = immediateOffset(encoding.class, fields);
    if (index !== undefined && index !== 31) {
      const isUnsignedWord = fields['option'] === 2;
      x[index] = BigInt.asUintN(64, BigInt(isUnsignedWord ? Math.abs(value) : value));
      if (isAccess) offset += (isUnsignedWord ? Math.abs(value) : value) * (fields['S'] === 1 ? 1 << offsetScale(encoding.class, fields) : 1);
    }
    // QEMU 7.2 lets LDAPR and its kin read at any address, which only FEAT_LSE2 allows.
    const isLenient = encoding.class.includes('rcpc');
    const address = faultingAddress(prng, kind === 'aligned' && (isLenient || prng.below(4) !== 0) ? alignmentOf(encoding.class, fields) : 1);
    const pointer = BigInt.asUintN(64, address - BigInt(offset));
    // A stack pointer that is not aligned is a fault of its own, which the reference does not have.
    if (base === 31 && (pointer & 15n) !== 0n) continue;
    x[base] = pointer;
    return { word, x, nzcv: prng.below(16) };
  }
}

function difference(here: Outcome, there: Outcome): string | undefined {
  if (here.signal !== there.signal) return `engine ${SIGNALS[here.signal] ?? 'left'}, reference ${SIGNALS[there.signal] ?? '?'}`;
  if (here.pc !== there.pc) return `PC: engine ${here.pc.toString(16)}, reference ${there.pc.toString(16)}`;
  const register = here.x.findIndex((value, n) => value !== there.x[n]);
  if (register >= 0) return `X${String(register)}: engine ${(here.x[register] ?? 0n).toString(16)}, reference ${(there.x[register] ?? 0n).toString(16)}`;
  // The reference's host does not say where an access beyond its own address space was.
  const same = (here.address & ADDRESS_MASK) === (there.address & ADDRESS_MASK) || (there.address === 0n && (here.address & ADDRESS_MASK) >> 46n !== 0n);
  return same ? undefined : `address: engine ${here.address.toString(16)}, reference ${there.address.toString(16)}`;
}

test('every load, store and atomic faults as on the reference: signal, address, PC and registers', () => {
  const prng = new Prng(SEED);
  // The reference does not look at the address of a store-exclusive without its load, which the architecture leaves open.
  const rows = programRows.filter(({ kind, encoding }) => (kind === 'memory' || kind === 'aligned') && !/^stl?x/.test(encoding.mnemonic));
  assert.ok(rows.length > 200);
  const cases = rows.flatMap((row) => Array.from({ length: VECTORS_PER_ROW }, () => ({ row, vector: faultingVector(prng, row) })));
  const reference = runner.onReference(cases.map(({ vector }) => vector));
  const found = cases.flatMap(({ row: { encoding }, vector }, index) => {
    const there = reference[index];
    const what = there === undefined ? 'no answer' : difference(runner.onEngine(vector), there);
    return what === undefined ? [] : [`${encoding.name} (${encoding.class}) ${vector.word.toString(16)} base ${(vector.x[(vector.word >>> 5) & 31] ?? 0n).toString(16)}: ${what}`];
  });
  assert.equal(found.length, 0, `seed ${String(SEED)}, ${String(found.length)} of ${String(cases.length)} differ:\n${found.slice(0, 40).join('\n')}`);
});

const BRANCHES = [0xd61f0020, 0xd63f0020, 0xd65f0020]; // br, blr, ret with x1

test('branches to where nothing can execute fault at their target, with the link register written', () => {
  const prng = new Prng(SEED);
  // Where both a PC alignment fault and an abort are due the former comes first; the reference looks at the page first, so that is left out.
  const targets = [1n, 2n, 3n].map((off) => BigInt(SLOT) + off).concat([0n, 4n, BigInt(DATA), BigInt(READ_ONLY) + 64n, BigInt(UNMAPPED), 0x0000_7fff_0000_0000n, 0x5500_0000_0000_0000n | BigInt(UNMAPPED), 0x0080_0000_0000_0000n]);
  const vectors = targets.flatMap((target) => BRANCHES.map((word): Vector => ({
    word, nzcv: prng.below(16), x: Array.from({ length: 32 }, (_, n) => (n === 1 ? target : n === 31 ? BigInt(DATA) : prng.nextU64())),
  })));
  const reference = runner.onReference(vectors);
  const found = vectors.flatMap((vector, index) => {
    const there = reference[index];
    const what = there === undefined ? 'no answer' : difference(runner.onEngine(vector), there);
    return what === undefined ? [] : [`${vector.word.toString(16)} to ${(vector.x[1] ?? 0n).toString(16)}: ${what}`];
  });
  assert.deepEqual(found, []);
});

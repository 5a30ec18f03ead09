import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Prng } from '../../runtime/base/prng';
import { compiledEncodings, decode, decodeAll, encodings } from '../../runtime/isa/encodings';
import { notYet, readyFeatures } from '../../runtime/isa/ledger';
import { assemble } from '../../runtime/isa/pattern';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { isUnpredictable } from '../../runtime/isa/unpredictable';

const WORDS_PER_ROW = 50;

function checkDecodes(word: number, name: string, fields: Readonly<Record<string, number>>): void {
  const decoded = decode(word);
  assert.equal(decoded?.encoding.name, name);
  for (const [field, value] of Object.entries(fields)) assert.equal(decoded?.fields[field], value, `${name} ${field}`);
}

function checkUnallocated(word: number): void {
  assert.equal(decode(word)?.encoding.name, undefined, (word >>> 0).toString(16));
}

test('every random word made from a row decodes to that row and assembles back', () => {
  const prng = new Prng(1);
  for (const row of compiledEncodings) {
    for (let i = 0; i < WORDS_PER_ROW; i++) {
      const word = randomInstruction(prng, row.encoding);
      const decoded = decode(word);
      assert.ok(decoded !== undefined && decoded.encoding === row.encoding, `${row.encoding.name} ${word.toString(16)}`);
      assert.equal(assemble(row, decoded.fields), word);
    }
  }
});

test('no word matches two rows that are equally specific', () => {
  const prng = new Prng(2);
  for (const { encoding, fixedBitCount } of compiledEncodings) {
    for (let i = 0; i < WORDS_PER_ROW; i++) {
      const rivals = decodeAll(randomInstruction(prng, encoding)).filter((row) => row.fixedBitCount === fixedBitCount);
      assert.deepEqual(rivals.map((row) => row.encoding.name), [encoding.name]);
    }
  }
});

test('no two rows share name and pattern', () => {
  assert.equal(new Set(encodings.map((row) => `${row.name}|${row.pattern}`)).size, encodings.length);
});

test('rows of one class show the same fields, except those that a whole group lacks', () => {
  const fieldsByClass = new Map<string, Set<string>>();
  for (const row of compiledEncodings) {
    const names = row.fields.map((position) => position.name).sort().join(' ');
    const known = fieldsByClass.get(row.encoding.class) ?? new Set<string>();
    fieldsByClass.set(row.encoding.class, known.add(names));
  }
  const irregular = [...fieldsByClass].filter(([, shapes]) => shapes.size > 1).map(([name]) => name);
  assert.deepEqual(irregular.filter((name) => !name.startsWith('load_store_exclusive') && name !== 'barrier'), []);
});

test('generated instructions have a defined outcome', () => {
  const prng = new Prng(3);
  for (const encoding of encodings) {
    const decoded = decode(randomInstruction(prng, encoding));
    assert.ok(decoded !== undefined && !isUnpredictable(decoded));
  }
  const overlapping = decode(0xf840_8400); // ldr x0, [x0], #8
  assert.ok(overlapping !== undefined && isUnpredictable(overlapping));
  const stackPointer = decode(0xf840_87ff); // ldr xzr, [sp], #8
  assert.ok(stackPointer !== undefined && !isUnpredictable(stackPointer));
});

test('decoding any 32-bit word ends and agrees with the list of all matches', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (word) => {
    assert.equal(decode(word)?.encoding, decodeAll(word)[0]?.encoding);
  }), { numRuns: 20_000 });
});

test('common instructions decode to their rows and fields', () => {
  checkDecodes(0x9100_0420, 'ADD (immediate)', { sf: 1, op: 0, S: 0, sh: 0, imm12: 1, Rn: 1, Rd: 0 });
  checkDecodes(0xd400_0002, 'HVC', { imm16: 0, LL: 2 });
  checkDecodes(0xa9bf_7bfd, 'STP', { opc: 2, L: 0, imm7: 126, Rt2: 30, Rn: 31, Rt: 29 });
  checkDecodes(0xf940_0000, 'LDR (immediate)', { size: 3, opc: 1, imm12: 0 });
  checkDecodes(0xd503_201f, 'HINT', { CRm: 0, op2: 0 });
  checkDecodes(0xd503_233f, 'HINT', { CRm: 3, op2: 1 });
  checkDecodes(0xc8df_fc00, 'LDAR', { size: 3 });
  checkDecodes(0x4860_7c82, 'CASP', { sz: 1, Rs: 0, Rt: 2 });
});

test('unallocated sub-encodings match no row', () => {
  checkUnallocated(0x0bc0_0000); // add, shift type 3
  checkUnallocated(0x0b00_8000); // add w, shift of 32
  checkUnallocated(0x0b20_1400); // add extended, shift of 5
  checkUnallocated(0x1240_0000); // and w, N = 1
  checkUnallocated(0x9200_fc00); // and x, all ones
  checkUnallocated(0x12c0_0000); // movn w, hw = 2
  checkUnallocated(0x5340_0000); // ubfm w, N = 1
  checkUnallocated(0x1300_8000); // sbfm w, imms = 32
  checkUnallocated(0xd63f_0c00); // branch register with bits 15:10 unallocated
  checkUnallocated(0x4860_7c83); // casp with an odd register
  checkUnallocated(0xd400_0000); // exception generation, LL = 0
});

test('the ledger lists exactly the rows in state not-yet, and integer features are ready', () => {
  const { instructions } = notYet();
  assert.ok(instructions.every((row) => row.state === 'not-yet'));
  const ready = readyFeatures();
  for (const feature of ['A64', 'CRC32', 'LSE', 'LRCPC', 'PAUTH', 'FLAGM', 'FCMA', 'BF16', 'SM4'] as const) {
    assert.equal(instructions.filter((row) => row.feature === feature).length, 0, feature);
  }
  assert.ok(ready.has('CRC32') && ready.has('PAUTH') && !ready.has('MTE'));
});

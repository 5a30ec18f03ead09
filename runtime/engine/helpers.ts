/** Helper functions of the generated module: conditions by number, high multiplication, CRC-32, dropping decoded code. */

import * as layout from './layout';
import { CONDITIONS } from './semantics/flags';
import { label, type Code } from './wasm/code';
import { block, branchIf, branchTable, giveBack, i32, i64, loop, set, UNREACHABLE, when, type I64, type Local64 } from './wasm/expressions';
import type { FunctionLocals } from './wasm/module';

const LOW = i64.const(0xffff_ffffn);
const low = (value: I64): I64 => i64.and(value, LOW);
const high = (value: I64): I64 => i64.shrU(value, i64.const(32n));

/** (condition): nonzero if it holds. */
export function conditionBody(f: FunctionLocals): Code {
  const labels = CONDITIONS.map((_, index) => label(`condition ${index}`));
  const last = label('never');
  const inside: Code = branchTable(f.parameter32(0), labels, last);
  const cases = CONDITIONS.reduce<Code>((code, holds, index) => [block(labels[index] ?? last, code), giveBack(holds)], [block(last, inside), giveBack(i32.const(1))]);
  return [cases, UNREACHABLE];
}

/** High half of an unsigned product, from four products of halves. */
function unsignedHigh(f: FunctionLocals, a: Local64, b: Local64): I64 {
  const [middle, cross] = [f.local64(), f.local64()];
  const statements: Code = [
    set(middle, i64.add(i64.mul(high(a), low(b)), high(i64.mul(low(a), low(b))))),
    set(cross, i64.add(i64.mul(low(a), high(b)), low(middle))),
  ];
  return { type: 'i64', code: [statements, i64.add(i64.add(i64.mul(high(a), high(b)), high(middle)), high(cross)).code] };
}

/** (a, b): UMULH. */
export function multiplyHighUnsignedBody(f: FunctionLocals): Code {
  return unsignedHigh(f, f.parameter64(0), f.parameter64(1)).code;
}

/** (a, b): SMULH, the unsigned result minus each operand where the other is negative. */
export function multiplyHighSignedBody(f: FunctionLocals): Code {
  const [a, b] = [f.parameter64(0), f.parameter64(1)];
  const sign = (value: I64): I64 => i64.shrS(value, i64.const(63n));
  return i64.sub(i64.sub(unsignedHigh(f, a, b), i64.and(sign(a), b)), i64.and(sign(b), a)).code;
}

/** (accumulator, data, byte count, table number): CRC-32 by table. */
export function crc32Body(f: FunctionLocals): Code {
  const [crc, data, count, table] = [f.parameter32(0), f.parameter64(1), f.parameter32(2), f.parameter32(3)];
  const again = label('again');
  const index = i32.and(i32.xor(crc, i32.wrap(data)), i32.const(0xff));
  const address = i32.add(i32.shl(table, i32.const(10)), i32.shl(index, i32.const(2)));
  return [
    loop(again, [
      set(crc, i32.xor(i32.shrU(crc, i32.const(8)), i32.load(address, layout.CRC_TABLES))),
      set(data, i64.shrU(data, i64.const(8n))),
      set(count, i32.sub(count, i32.const(1))),
      branchIf(count, again),
    ]),
    crc.code,
  ];
}

/** The lookup tables of CRC-32 (0x04c11db7) and CRC-32C (0x1edc6f41), reflected. */
export function crcTables(): Uint32Array {
  const tables = new Uint32Array(512);
  [0xedb8_8320, 0x82f6_3b78].forEach((polynomial, table) => {
    for (let byte = 0; byte < 256; byte++) {
      let value = byte;
      for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? polynomial : 0);
      tables[table * 256 + byte] = value >>> 0;
    }
  });
  return tables;
}

const GRANULE_SHIFT = 6;
const GRANULE_MICRO_OPS = 16;

/**
 * (page, offset, size): forgets the micro-ops of the written granules. Only the op changes: the instruction that runs may
 * be one of them and still reads its operands.
 */
export function dropGranulesBody(f: FunctionLocals): Code {
  const [page, offset, size] = [f.parameter32(0), f.parameter32(1), f.parameter32(2)];
  const [granule, last, op, end] = [f.local32(), f.local32(), f.local32(), f.local32()];
  const map = f.local64();
  const [nextGranule, nextOp, skip] = [label('granule'), label('op'), label('skip')];
  const mapAddress = i32.shl(page, i32.const(3));
  const bit = i64.shl(i64.const(1n), i64.extendU(granule));
  const codeBlock = i32.load(i32.shl(page, i32.const(2)), layout.CODE_BLOCK_OF_PAGE);
  return [
    set(granule, i32.shrU(offset, i32.const(GRANULE_SHIFT))),
    set(last, i32.shrU(i32.sub(i32.add(offset, size), i32.const(1)), i32.const(GRANULE_SHIFT))),
    loop(nextGranule, [
      set(map, i64.load(mapAddress, layout.CODE_GRANULES)),
      block(skip, [
        branchIf(i64.eqz(i64.and(map, bit)), skip),
        i64.store(mapAddress, i64.and(map, i64.xor(bit, i64.const(-1n))), layout.CODE_GRANULES),
        set(op, i32.add(codeBlock, i32.mul(granule, i32.const(GRANULE_MICRO_OPS * layout.MICRO_OP_SIZE)))),
        set(end, i32.add(op, i32.const(GRANULE_MICRO_OPS * layout.MICRO_OP_SIZE))),
        loop(nextOp, [
          i32.store16(op, i32.const(0)),
          set(op, i32.add(op, i32.const(layout.MICRO_OP_SIZE))),
          branchIf(i32.ltU(op, end), nextOp),
        ]),
      ]),
      set(granule, i32.add(granule, i32.const(1))),
      branchIf(i32.leU(granule, last), nextGranule),
    ]),
    when(i64.eqz(i64.load(mapAddress, layout.CODE_GRANULES)),
      i32.store8(page, i32.and(i32.load8U(page, layout.PAGE_FLAGS), i32.const(~layout.PAGE_CODE)), layout.PAGE_FLAGS)),
  ];
}

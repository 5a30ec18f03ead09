/** Small parts of the generated module: dropping decoded code that was written over, and the tables of CRC-32. */

import * as layout from './layout';
import { label, type Code } from './wasm/code';
import { block, branchIf, i32, i64, loop, set, when } from './wasm/expressions';
import type { FunctionLocals } from './wasm/module';

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

/** The bitmask immediates of the logical instructions: Arm ARM (DDI 0487) J1, DecodeBitMasks. */

import { field } from './encoding-rows';
import type { Fields } from './interface';

/** The value of N:immr:imms at the operand size that `sf` gives. The fields must be valid (`isBitmaskImmediate`). */
export function decodeBitMask(f: Fields): bigint {
  const width = f['sf'] === 1 ? 64 : 32;
  const sizeBits = (field(f, 'N') << 6) | (~field(f, 'imms') & 0x3f);
  const elementWidth = 1 << (31 - Math.clz32(sizeBits));
  const ones = (field(f, 'imms') & (elementWidth - 1)) + 1;
  const rotation = BigInt(field(f, 'immr') & (elementWidth - 1));
  const run = (1n << BigInt(ones)) - 1n;
  const element = BigInt.asUintN(elementWidth, (run >> rotation) | (run << (BigInt(elementWidth) - rotation)));
  let value = 0n;
  for (let position = 0; position < width; position += elementWidth) value |= element << BigInt(position);
  return value;
}

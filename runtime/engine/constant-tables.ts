/** Tables that generated code looks things up in: CRC-32, AES, SM4 and QARMA. They are the same in every engine. */

import { qarmaTables } from './authentication/qarma';
import { crcTables } from './helpers';
import * as layout from './layout';
import { aesTables } from './simd/cryptography';
import { sm4Table } from './simd/sm4';
import type { Views } from './views';

/** Writes all of them to where they belong. */
export function writeConstantTables(views: Views): void {
  views.bytes.set(new Uint8Array(crcTables().buffer), layout.CRC_TABLES);
  views.bytes.set(aesTables(), layout.AES_TABLES);
  views.bytes.set(sm4Table(), layout.SM4_TABLE);
  views.bytes.set(qarmaTables(), layout.QARMA_TABLES);
}

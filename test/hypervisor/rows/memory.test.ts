/** Hypercalls on memory extents and address spaces: every row, every documented error, on both paths. */

import { runRows } from './cases';
import { MEMORY_ROWS } from './memory';

runRows(MEMORY_ROWS);

/** Hypercalls on objects in general: every row, every documented error, on both paths. */

import { runRows } from './cases';
import { OBJECT_ROWS } from './objects';

runRows(OBJECT_ROWS);

/** Hypercalls on vCPUs and the scheduler: every row, every documented error, on both paths. */

import { runRows } from './cases';
import { VCPU_ROWS } from './vcpu';

runRows(VCPU_ROWS);

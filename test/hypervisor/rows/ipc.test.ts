/** Hypercalls on doorbells, queues, interrupt controllers and power groups: every row, every documented error, on both paths. */

import { runRows } from './cases';
import { IPC_ROWS } from './ipc';

runRows(IPC_ROWS);

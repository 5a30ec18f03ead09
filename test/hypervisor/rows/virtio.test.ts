/** Hypercalls on virtio-MMIO devices: every row, every documented error, on both paths. */

import { runRows } from './cases';
import { VIRTIO_ROWS } from './virtio';

runRows(VIRTIO_ROWS);

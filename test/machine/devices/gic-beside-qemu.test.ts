/**
 * The GIC of a machine without a hypervisor against QEMU's: random operations from several CPUs (`programs/gic-random.c`).
 *
 * Left out of the programs, because QEMU 7.2 departs from the architecture: RES0 bits of ICC_PMR_EL1 and ICC_BPRn_EL1 that are written
 * as one; what has to do with LPIs, which this machine does not have; and that GICD_TYPER counts 32 lines fewer than there are.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSame } from '../beside-qemu';

for (const { name, cpus, operations } of [{ name: 'gic-random', cpus: 3, operations: 12_000 }, { name: 'gic-random-eight', cpus: 8, operations: 4_000 }]) {
  test(`${operations} random operations from ${cpus} CPUs leave the same interrupts pending, active and signalled as on QEMU`, async () => {
    assert.ok(await checkSame(name, cpus) > operations);
  });
}

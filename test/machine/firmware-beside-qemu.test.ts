/**
 * PSCI of a machine without a hypervisor, and its timers, against QEMU's.
 *
 * Left out, because QEMU 7.2 departs from the standards: it compares all 64 bits of X0 and of the arguments of 32-bit calls (SMCCC has
 * W registers there), and takes every power-down for a standby; here a CPU that asks for power-down starts again at its entry point.
 */
import { test } from 'node:test';
import { checkSame } from './beside-qemu';

test('every PSCI function, right and wrong, starting and stopping a CPU, and standby answer as on QEMU', async () => {
  await checkSame('firmware', 2);
});

test('both timers compare, sign-extend, mask and signal as on QEMU', async () => {
  await checkSame('timers', 1);
});

/** System behaviour against QEMU's system mode: exceptions, system registers, debug. */
import { test } from 'node:test';
import { checkSameOnQemu, type NamedException } from './same-on-qemu';

const DAIF_TRAP: NamedException = { qemu: /esr=620793e4/, ours: 'esr=620cd3e4', reason: 'QEMU swaps op1 and op2 in the syndrome of a trapped MSR DAIFSet' };

test('calls, breakpoint instructions and undefined instructions are taken as on QEMU', async () => {
  await checkSameOnQemu('calls.c', 'cortex-a57', [DAIF_TRAP]);
});

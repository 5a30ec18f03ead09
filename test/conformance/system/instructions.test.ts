/** Instructions with system state against QEMU's system mode. */
import { test } from 'node:test';
import { checkSameOnQemu } from './same-on-qemu';

test('pointers are signed, authenticated and stripped as on QEMU, under every layout of addresses and setting of the keys', async () => {
  await checkSameOnQemu('pointer-authentication.c', 'max');
});

test('indirect branches land in guarded pages where they do on QEMU, and leave the same state where they do not', async () => {
  await checkSameOnQemu('branch-targets.c', 'max');
});

test('a core without the extensions takes the same branches and signs nothing', async () => {
  await checkSameOnQemu('branch-hints.c', 'cortex-a57');
});

/** Instructions with system state against QEMU's system mode. */
import { test } from 'node:test';
import { checkSameOnQemu } from './same-on-qemu';

test('pointers are signed, authenticated and stripped as on QEMU, under every layout of addresses and setting of the keys', async () => {
  await checkSameOnQemu('pointer-authentication.c', 'max');
});

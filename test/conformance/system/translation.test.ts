/** Address translation against QEMU's system mode. */
import { test } from 'node:test';
import { checkSameOnQemu } from './same-on-qemu';

for (const cpu of ['cortex-a53', 'cortex-a57', 'cortex-a76', 'max'] as const) {
  test(`random tables of every granule and size translate and fault as on QEMU's ${cpu}`, async () => {
    await checkSameOnQemu('random-tables.c', cpu);
  });
}

/** Cases of console requests. */

import assert from 'node:assert/strict';

import type { SystemFixture } from '../system-fixture';
import { after, alone, answered, beside, type CasesOf, h16, hText, type Situation, TARGET, VM } from './case';

const opened = after(beside, (system) => { system.request('CONSOLE_OPEN', { vmid: VM }); });
const openSelf = (system: SystemFixture): void => { system.exchangeAs(VM, 0x5600_0081, new Uint8Array(4)); };
/** Its own console by its number, which is the owner's side. */
const itself = (): Situation => ({ ...beside(), by: VM });
/** The primary VM has no console. */
const own = '0000 0000';

/** By request. */
export const CONSOLE_CASES: Readonly<Record<string, CasesOf>> = {
  CONSOLE_OPEN: {
    success: answered(beside, TARGET, '00000000'), ARGUMENT_INVALID: answered(alone, own, '06000000'), DENIED: answered(itself, TARGET, '03000000'),
  },
  CONSOLE_CLOSE: {
    success: answered(opened, TARGET, '00000000', ({ system }) => { system.request('CONSOLE_FLUSH', { vmid: VM }, 3); }),
    ARGUMENT_INVALID: answered(alone, own, '06000000'), DENIED: answered(itself, TARGET, '03000000'),
  },
  CONSOLE_WRITE: {
    success: answered(after(opened, openSelf), `${h16(VM)} ${h16(3)} ${hText('abc')}`, '00000000', ({ system }) => {
      assert.deepEqual(system.secondaryReceive(VM).map(({ id, payload }) => `${id.toString(16)} ${Buffer.from(payload).toString('hex')}`), [`56100080 00000300${hText('abc')}`]);
    }),
    ARGUMENT_INVALID: answered(alone, `${own.slice(0, 4)} ${h16(1)} 61`, '06000000'),
    DENIED: answered(beside, `${h16(VM)} ${h16(1)} 61`, '03000000'),
  },
  CONSOLE_FLUSH: {
    success: answered(opened, TARGET, '00000000'), ARGUMENT_INVALID: answered(alone, own, '06000000'), DENIED: answered(beside, TARGET, '03000000'),
  },
};

/** Rows of watchdogs, on a platform that has them. */

import assert from 'node:assert/strict';
import type { CapId } from '../../../runtime/base/brands';
import { fails, failsWith, type RowTests } from './cases';
import { bindFailures, bindRows } from './ipc';
import { creation } from './objects';
import { World } from './world';

const world = () => new World({ watchdog: true });
const BITE = 1n;

const active = (w: World): CapId => w.active('watchdog');

const [bindBark, unbindBark] = bindRows({ bind: 'watchdog_bind_virq', unbind: 'watchdog_unbind_virq', argument: 'watchdog', type: 'watchdog', more: { flags: 0n } });
assert.ok(bindBark !== undefined && unbindBark !== undefined);

/** Rows of this file. */
export const WATCHDOG_ROWS: readonly RowTests[] = [
  { ...creation('watchdog', { heapSize: 1 << 20, watchdog: true }), world },
  {
    row: 'watchdog_configure', sample: (w) => ({ watchdog: w.create('watchdog'), options: 1n }), success: 'says whether a bite is the platform’s', world, check: (w, { watchdog = 0 }) => {
      w.do('watchdog_configure', { watchdog, options: 0n });
      w.do('object_activate', { cap: watchdog });
    },
    failures: [
      failsWith('ARGUMENT_INVALID', 'an option is unknown', { options: 2n }),
      fails('OBJECT_STATE', 'the watchdog is active, which comes before its options', (w) => ({ watchdog: active(w), options: 2n })),
    ],
  },
  {
    row: 'watchdog_attach_vcpu', sample: (w) => ({ watchdog: active(w), vcpu: w.create('thread') }), success: 'gives a vCPU its watchdog, and may give another before activation', world,
    check: (w, args) => { w.do('watchdog_attach_vcpu', { ...args, watchdog: active(w) }); },
    failures: [
      fails('ARGUMENT_INVALID', 'the vCPU is the primary VM’s', (w, sample) => {
        w.do('vcpu_configure', { vcpu: sample['vcpu'] ?? 0n, vcpu_options: 1n << 63n });
        return sample;
      }),
    ],
  },
  {
    ...bindBark, world, failures: [
      ...bindFailures('watchdog_bind_virq'),
      failsWith('ARGUMENT_INVALID', 'a flag is unknown', { flags: 2n }),
      fails('VIRQ_BOUND', 'the bite has a VIRQ, and the bark has none', (w, sample) => {
        w.do('watchdog_bind_virq', { ...sample, flags: BITE });
        return { ...sample, flags: BITE };
      }),
    ],
  },
  { ...unbindBark, world, failures: [failsWith('ARGUMENT_INVALID', 'a flag is unknown', { flags: 2n })] },
  {
    row: 'watchdog_manage', sample: (w) => ({ watchdog: active(w), operation: 0 }), success: 'freezes and unfreezes, as often as it was frozen', world,
    check: (w, args) => { for (const operation of [1, 2, 2]) w.do('watchdog_manage', { ...args, operation }); },
    failures: [
      failsWith('ARGUMENT_INVALID', 'the operation is unknown', { operation: 3 }),
      failsWith('BUSY', 'the watchdog is not frozen', { operation: 2 }),
    ],
  },
];

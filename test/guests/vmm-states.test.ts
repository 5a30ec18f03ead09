/** What a virtual machine manager in the primary VM sees of the VMs it makes: every state of vcpu_run, every end, every mishap. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestElfs } from '../support/guest-build';
import { elfSubject, type Subject } from '../support/system';
import { outcomeOf, type Outcome } from './run-guest';

let once: Promise<{ readonly subject: Subject; readonly outcome: Outcome }> | undefined;

/** One run serves all tests of this file. */
function theRun(): NonNullable<typeof once> {
  once ??= elfSubject('vmm-states', guestElfs('guests', ['vmm-states']).get('vmm-states') ?? '').then((subject) => ({ subject, outcome: outcomeOf(subject) }));
  return once;
}

/** The lines of the console that begin with a name, without it. */
async function checkLines(expected: readonly (readonly [name: string, ...texts: readonly string[]])[]): Promise<void> {
  const { outcome } = await theRun();
  const lines = (outcome.consoles['vmm-states'] ?? '').split('\n');
  for (const [name, ...texts] of expected) {
    assert.deepEqual(lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2)), texts, name);
  }
}

const ZEROS = '0 0 0 0';

test('a guest that sleeps on its timer and by CPU_SUSPEND gives the CPU back, in lent memory as in shared memory', async () => {
  const slept = `platform off ${ZEROS} vcpu0: waits off writes findings ${ZEROS} ${ZEROS} end OK`;
  await checkLines([['sleep', slept, slept]]);
});

test('two vCPUs that wait for each other share the CPU of their owner, and up to six others stay off', async () => {
  const used = `platform off ${ZEROS} vcpu0: ready off writes vcpu1: ready off`;
  const rest = `findings 0 5ec0 1 0 ${ZEROS} end OK`;
  await checkLines([
    ['two-cpus', `${used} ${rest}`, `${used} vcpu2: off vcpu3: off vcpu4: off vcpu5: off vcpu6: off vcpu7: off ${rest}`],
    ['nine-cpus', 'configure NORESOURCE end OK'], ['no-cpu', 'configure MEM_INVALID end OK'],
  ]);
});

test('each ring of a doorbell is one interrupt of the guest, edge-triggered or level-triggered', async () => {
  const rung = `platform off ${ZEROS} vcpu0: waits off writes findings 3 0 0 0 ${ZEROS} end OK`;
  await checkLines([['edge-line', rung], ['level-line', rung]]);
});

test('loads and stores of all sizes reach the emulated device with their size, and signals do not', async () => {
  await checkLines([
    ['devices', `platform off ${ZEROS} vcpu0: off reads writes findings 11 f622 f4f5f644 f0f1f2f3f4f5f688 ffffffffffffff81 0 0 0 end OK`],
    ['device', '5 loads, 4 stores, sum 1234576253d950a, 2 signals'],
  ]);
});

test('a virtio console whose driver breaks the rules asks to be reset, and reads nothing outside the shared window', async () => {
  // Features refused, then accepted; six queues that are wrong in different ways; one that is right, with one buffer used.
  await checkLines([['broken-virtio', `platform off ${ZEROS} vcpu0: off reads writes findings b0003 4f 4f 4f 4f 4f 4f 1000f end OK`]]);
});

test('an access to nothing above 1 GiB is an external abort of the guest, with the syndrome that was observed', async () => {
  await checkLines([['nothing', `platform off ${ZEROS} vcpu0: off writes findings 0 96000010 0 0 ${ZEROS} end OK`]]);
});

test('the owner learns how a guest ended', async () => {
  await checkLines([
    ['reset2', `system reset 2 8000 80000005 55667788 11223344 vcpu0: writes reset findings ${ZEROS} ${ZEROS} end OK`],
    ['fault', `software error ${ZEROS} vcpu0: writes fault findings ${ZEROS} ${ZEROS} end OK`],
    ['spin', `stop forced ${ZEROS} vcpu0: ready writes end OK`],
    ['cpu-off', `stop forced ${ZEROS} vcpu0: off writes findings ${ZEROS} ${ZEROS} end OK`],
    ['never-run', `stop forced ${ZEROS} vcpu0: findings ${ZEROS} ${ZEROS} end OK`],
  ]);
});

test('whatever goes wrong on the way, everything can be taken back but a VM whose image was refused', async () => {
  await checkLines([
    ['damaged-tree', 'configure MEM_INVALID end OK'], ['tree-outside', 'configure ARGUMENT_INVALID end VM_STATE'], ['odd-tree-size', 'configure MEM_INVALID end OK'],
    ['never-configured', 'stopped here OK end OK'], ['never-started', 'stopped here OK end OK'],
    ['1200 ranges', 'OK, again: MEM_INVALID, end OK'], ['the last of 1200 ranges is not aligned', 'ARGUMENT_INVALID, end OK'],
  ]);
  const { outcome } = await theRun();
  // Neither VM_RESET nor VM_DEALLOCATE is possible for it, as with the real Resource Manager.
  assert.deepEqual([outcome.end, outcome.vmids, outcome.parcels], ['power', [3, 0x80], 0]);
});

test('a second run ends in the same state', async () => {
  const { subject, outcome } = await theRun();
  assert.deepEqual(outcomeOf(subject), outcome);
});

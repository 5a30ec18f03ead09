import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ThreadRow } from '../../../debug-adapter/protocol';
import { schedulerRows, type Schedule } from '../../../extension/panels/scheduler/model';
import { checkIds, checkRows, rowOf } from './rows-as-text';

const OWNER: ThreadRow = {
  thread: 'primary/cpu0', threadId: 1, objectId: 10, vmid: 3, vcpu: 0, priority: 32, timesliceTicks: 5_000_000, sliceLeftTicks: 4_000_000, affinity: 0, state: 'running', runsOnCpu: 0, isProxy: false,
  blocks: [], waitsFor: null, sinceTick: null, donor: null, donee: null, instructions: 1000,
};
const PROXY: ThreadRow = {
  ...OWNER, thread: 'guest/cpu0', threadId: 2, objectId: 20, vmid: 128, affinity: null, state: 'proxy', runsOnCpu: null, isProxy: true,
  blocks: [{ reason: 'VCPU_RUN', description: 'runs by vcpu_run only', by: 'primary (vcpu_run)' }], sinceTick: 500,
};
const READY: ThreadRow = { ...OWNER, thread: 'sensor/cpu0', threadId: 3, objectId: 30, vmid: 129, priority: 31, state: 'ready', runsOnCpu: null, waitsFor: 'primary/cpu0', sinceTick: 700 };
const NOW: Schedule = { cpus: [{ cpu: 0, current: 'primary/cpu0', payer: 'primary/cpu0', ready: [{ thread: 'sensor/cpu0', priority: 31 }] }], threads: [OWNER, READY, PROXY] };

test('CPUs say who runs and who is next, vCPUs why they wait and for whom', () => {
  checkRows(schedulerRows(NOW, undefined), 3, `
    Physical CPUs: 1
      CPU 0: primary/cpu0 · 1 ready
        1: sensor/cpu0: ready · priority 31
    vCPUs: 3
      primary/cpu0: running on CPU 0 · priority 32 · holds up sensor/cpu0
        Holds up sensor/cpu0:
        Physical CPU: 0
        Priority: 32
        Time slice: 4 ms of 5 ms left
        Instructions: 1,000
      sensor/cpu0: ready, waits for primary/cpu0 to leave the CPU · priority 31
        Physical CPU: 0
        Priority: 31
        Time slice: 4 ms of 5 ms left
        Stands since: 700 ns
        Instructions: 1,000
      guest/cpu0: proxy, waits for primary (vcpu_run) · priority 32
        VCPU_RUN: runs by vcpu_run only · ended by primary (vcpu_run)
        Physical CPU: none: runs by vcpu_run of its owner
        Priority: 32
        Time slice: 4 ms of 5 ms left
        Stands since: 500 ns
        Instructions: 1,000`);
});

test('a vCPU that runs in another\'s time is shown on the CPU with who pays', () => {
  const now: Schedule = {
    cpus: [{ cpu: 0, current: 'guest/cpu0', payer: 'primary/cpu0', ready: [] }],
    threads: [{ ...OWNER, donee: 'guest/cpu0' }, { ...PROXY, state: 'running', runsOnCpu: 0, blocks: [], donor: 'primary/cpu0', sinceTick: null }],
  };
  const rows = schedulerRows(now, NOW);
  assert.equal(rowOf(rows, /^CPU 0/).description, 'guest/cpu0 in the time of primary/cpu0 (was primary/cpu0)');
  assert.equal(rowOf(rows, /^guest/).description, 'running on CPU 0 (was proxy, waits for primary (vcpu_run)) · priority 32 · holds up primary/cpu0');
  assert.equal(rowOf(rows, /^guest/).tone, 'changed');
});

test('time that passes alone changes nothing, a thread that ends is gone', () => {
  assert.equal(rowOf(schedulerRows({ ...NOW, threads: [OWNER, { ...PROXY, sinceTick: 900 }] }, NOW), /^guest/).tone, 'plain');
  assert.equal(rowOf(schedulerRows({ ...NOW, threads: [OWNER] }, NOW), /^guest/).tone, 'gone');
});

test('ids are unique, and a vCPU leads to its thread', () => {
  checkIds(schedulerRows(NOW, { ...NOW, threads: [OWNER, { ...PROXY, objectId: 21 }] }));
  assert.deepEqual(rowOf(schedulerRows(NOW, undefined), /^guest/).subject, { kind: 'thread', threadId: 2 });
});

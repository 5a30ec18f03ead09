/** Every numbered row of the hypercall table has a success test and a test of each documented error, or the reason stands here why there can be none. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ErrorName } from '../../../runtime/hypervisor/errors';
import { type Hypercall, HYPERCALLS, type HypercallName } from '../../../runtime/hypervisor/hypercall-table';
import { casesOf } from './cases';
import { IPC_ROWS } from './ipc';
import { MEMORY_ROWS } from './memory';
import { OBJECT_ROWS } from './objects';
import { VCPU_ROWS } from './vcpu';
import { VIRTIO_ROWS } from './virtio';
import { WATCHDOG_ROWS } from './watchdog';

const ROWS = [...OBJECT_ROWS, ...IPC_ROWS, ...MEMORY_ROWS, ...VCPU_ROWS, ...VIRTIO_ROWS, ...WATCHDOG_ROWS];
const CASES = ROWS.flatMap((tests) => casesOf(tests));

/** What the rows of watchdogs answer on the reference build, which has none. */
const isWatchdog = (row: HypercallName): boolean => row.startsWith('watchdog_') || row === 'partition_create_watchdog';

/** Documented errors that no call can meet. */
const UNREACHABLE: readonly { readonly error: ErrorName; readonly rows: (row: HypercallName) => boolean; readonly because: string }[] = [
  { error: 'NORESOURCES', rows: (row) => row.startsWith('partition_create_') || row === 'cspace_copy_cap_from', because: 'max_caps never exceeds the slots of all tables, so that CSPACE_FULL comes first' },
  { error: 'DENIED', rows: (row) => ['addrspace_map', 'addrspace_unmap', 'addrspace_update_access'].includes(row), because: 'nothing makes an address space read-only in the open source' },
  { error: 'DENIED', rows: (row) => row === 'trace_update_class_flags', because: 'the reference build never disables debugging' },
  { error: 'FAILURE', rows: (row) => row === 'prng_get_entropy', because: 'the generator of the model does not fail' },
  { error: 'RETRY', rows: (row) => row === 'hwirq_bind_virq', because: 'forwarding ends at once here, as on a processor that nothing delays' },
  { error: 'RETRY', rows: (row) => row === 'vcpu_poweron', because: 'the platform votes for nothing when it powers a CPU on' },
  { error: 'RETRY', rows: (row) => row === 'vcpu_run', because: 'a vCPU that can be run is on no CPU, so that its move is never under way' },
  { error: 'OBJECT_STATE', rows: (row) => row === 'hwirq_unbind_virq', because: 'forwardable interrupts are active from boot' },
  { error: 'CSPACE_WRONG_OBJECT_TYPE', rows: (row) => row === 'object_activate', because: 'objects of every type can be activated' },
  { error: 'UNIMPLEMENTED', rows: isWatchdog, because: 'that is the answer where the platform has no watchdogs, which the tests of the reference build look at' },
  { error: 'OK', rows: (row) => row === 'addrspace_attach_vdma' || row === 'vic_bind_msi_source', because: 'the reference build has no such object' },
];

const missing = (): string[] => Object.entries(HYPERCALLS).flatMap(([key, value]) => {
  const name = key as HypercallName;
  const row: Hypercall = value;
  if (row.number === null) return [];
  const tested = new Set(CASES.filter((test) => test.row === name).map(({ error }) => error));
  if (tested.size === 0) return [`${name} has no test`];
  const isExcused = (error: ErrorName) => UNREACHABLE.some((reason) => reason.error === error && reason.rows(name));
  return row.errors.filter((error) => !tested.has(error) && !isExcused(error)).map((error) => `${name} has no test of ${error}`);
});

it('every row with a number is tested for success and for each documented error', () => {
  assert.deepEqual(missing(), []);
});

it('every reason why an error cannot be tested is one of a documented error that has no test', () => {
  for (const { error, rows, because } of UNREACHABLE) {
    const documented = Object.entries(HYPERCALLS).some(([name, row]) => rows(name as HypercallName) && (row.errors as readonly ErrorName[]).includes(error));
    assert.ok(documented, because);
    for (const { row, error: tested, title } of CASES) assert.ok(tested !== error || !rows(row), `${title} is tested and said to be out of reach`);
  }
});

it('no row is tested twice, and every title says something else', () => {
  assert.equal(new Set(ROWS.map(({ row }) => row)).size, ROWS.length);
  const titles = CASES.map(({ title }) => title);
  assert.deepEqual(titles.filter((title, n) => titles.indexOf(title) !== n), []);
});

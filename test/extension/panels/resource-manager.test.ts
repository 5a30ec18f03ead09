import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { MemparcelRow, RmMessageRow, RmVmRow } from '../../../debug-adapter/protocol';
import { managerRows, type ManagerState } from '../../../extension/panels/resource-manager/model';
import { checkIds, checkRows, rowOf } from './rows-as-text';

const REQUEST: RmMessageRow = { number: 40, tick: 2000, kind: 'request', vmid: 3, vm: 'primary', name: 'VM_START', id: 0x56000004, sequence: 7, error: null, fields: { vmid: '128' }, bytes: '80000000' };
const REPLY: RmMessageRow = { ...REQUEST, number: 44, kind: 'reply', error: 'NORESOURCE', fields: {}, bytes: '' };
const VM: RmVmRow = { vmid: 128, vm: 'sensor', state: 'READY', osState: 'none', appStatus: 0, owner: 'primary', peers: [], vcpuCount: 1, uri: '', crashMessage: '', exit: null, memory: [{ ipa: '0x80000000', sizeBytes: 4096, kind: 'memory', memparcel: 5 }] };
const PARCEL: MemparcelRow = {
  handle: 5, label: 1, ownerVmid: 3, owner: 'primary', transaction: 'share', state: 'offered', memoryType: 'normal', sanitised: false, complete: true, ownerMapped: true, sizeBytes: 8192,
  acl: [{ vmid: 3, vm: 'primary', access: 'RW-' }, { vmid: 128, vm: 'sensor', access: 'R--' }], ranges: [{ ipa: '0x41000000', pa: '0x41000000', sizeBytes: 8192 }], acceptedBy: [],
};
const NOW: ManagerState = { vms: [], table: [VM], memparcels: [PARCEL], pending: [{ ...REQUEST, number: null, tick: null, place: 'to RM' }], history: [REQUEST, REPLY] };

test('requests in flight say where they are and what they ask, the newest of the past stand first', () => {
  checkRows(managerRows(NOW, undefined), 2, `
    In flight: 1
      VM_START request: to RM · primary · vmid=128
    Virtual machines: 1
      sensor: READY · VMID 128
    Memory parcels: 1
      Memory parcel 0x5: offered · 8 KiB · primary → primary RW-, sensor R--
    History: 2
      VM_START reply: to primary · NORESOURCE · 2 µs [bad]
      VM_START request: from primary · vmid=128 · 2 µs`);
});

test('a message of the past leads to the moment it was sent, with its decoded payload', () => {
  const row = rowOf(managerRows({ ...NOW, pending: [] }, undefined), /^VM_START request/);
  assert.deepEqual(row.subject, { kind: 'event', number: 40 });
  checkRows(row.children, 1, `
    Message: VM_START (0x56000004), sequence 7
    vmid: 128
    Payload: 4 bytes · 80 00 00 00`);
});

test('what moved, what came and what a parcel became is marked', () => {
  const now: ManagerState = {
    ...NOW, table: [{ ...VM, state: 'RUNNING' }], pending: [{ ...REQUEST, number: null, tick: null, place: 'assembling' }],
    memparcels: [{ ...PARCEL, state: 'shared', acceptedBy: [{ vmid: 128, vm: 'sensor', ranges: [{ ipa: '0x90000000', sizeBytes: 8192 }] }] }], history: [REQUEST, REPLY, { ...REPLY, number: 50, error: 'OK' }],
  };
  checkRows(managerRows(now, NOW), 2, `
    In flight: 1 [changed]
      VM_START request: assembling (was to RM) · primary · vmid=128 [changed]
    Virtual machines: 1 [changed]
      sensor: RUNNING (was READY) · VMID 128 [changed]
    Memory parcels: 1 [changed]
      Memory parcel 0x5: shared (was offered) · 8 KiB · primary → primary RW-, sensor R-- [changed]
    History: 3 [changed]
      VM_START reply: to primary · OK · 2 µs [new]
      VM_START reply: to primary · NORESOURCE · 2 µs [bad]
      VM_START request: from primary · vmid=128 · 2 µs`);
});

test('VMs and parcels that went away are gone', () => {
  const rows = managerRows({ ...NOW, table: [], memparcels: [] }, NOW);
  assert.deepEqual([rowOf(rows, /^sensor/).tone, rowOf(rows, /^Memory parcel 0x5/).tone], ['gone', 'gone']);
});

test('ids are unique although one sequence number is used by many messages', () => {
  checkIds(managerRows({ ...NOW, pending: Array.from({ length: 3 }, () => ({ ...REPLY, number: null, tick: null, place: 'to VM' })), history: [REQUEST, { ...REQUEST, number: 41 }] }, NOW));
});

test('a list in a message is told in short, with a row for each of its items below, in pages if they are many', () => {
  const sgl = `[${Array.from({ length: 300 }, (_, index) => `{address: ${index}, size: 4096}`).join(', ')}]`;
  const request = rowOf(managerRows({ ...NOW, pending: [], history: [{ ...REQUEST, name: 'MEM_LEND', fields: { sgl, acl: '[{vmid: 128 (sensor), rights: 7 (RWX)}]' } }] }, undefined), /^MEM_LEND/);
  assert.match(request.description, /sgl=\[\{address: 0, size: 4096\}, \{address: 1, size: 4096\} and 298 more\], acl=\[\{vmid: 128 \(sensor\), rights: 7 \(RWX\)\}\]/);
  checkRows(rowOf(request.children, /^acl$/).children, 1, '1: vmid: 128 (sensor), rights: 7 (RWX)');
  checkRows(rowOf(request.children, /^sgl$/).children, 1, `
    1 – 100: 1 to 100 of 300
    101 – 200: 101 to 200 of 300
    201 – 300: 201 to 300 of 300`);
});

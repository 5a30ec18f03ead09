import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ServiceSelection, VcpuRow, VmRow } from '../../../debug-adapter/protocol';
import { accessibleLabel, type Row } from '../../../extension/model/row';
import { virtualMachineRows } from '../../../extension/panels/virtual-machines/model';

const VCPU: VcpuRow = { threadId: 1, index: 0, state: 'running', pc: '0x41000100', el: 1, physicalCpu: 0, priority: 32, instructions: 1000, function: 'send_request' };
const VM: VmRow = {
  vmid: 3, name: 'primary', state: 'RUNNING', osState: '', owner: null, image: '/project/two-vms/build/primary.elf', memoryBase: '0x40000000',
  memorySizeBytes: 128 * 1024 * 1024, entry: '0x41000000', exit: null, vcpus: [VCPU],
  uuid: null,
  hypervisor: { kind: 'gunyah', uid: null, apiVersion: 1, variant: 81, isBigEndian: false, is64Bit: true, features: [], apiInfo: null, apiFlags: [], linux: [] },
};

/** Rows as indented text: label, description, tone. */
function checkRows(rows: readonly Row[], expected: string): void {
  const text = (row: Row, indent: string): string[] => [
    `${indent}${row.label}: ${row.description}${row.tone === 'plain' ? '' : ` [${row.tone}]`}`,
    ...row.children.flatMap((child) => text(child, `${indent}  `)),
  ];
  assert.equal(rows.flatMap((row) => text(row, '')).join('\n'), expected.trim().replace(/^ {4}/gm, ''));
}

test('a VM shows its state, vCPUs, image and memory; nothing is marked at the first stop', () => {
  checkRows(virtualMachineRows([VM], undefined), `
    primary: RUNNING · VMID 3
      cpu0: send_request · running · 0x41000100 · EL1
      Image: primary.elf
      Memory: 0x40000000 – 0x47ffffff (128 MiB)
      Hypervisor: Gunyah · API 1, variant 0x51 (Qualcomm)
        Version: API 1, variant 0x51 (Qualcomm)`);
});

test('a VM that changed state says what it was, and a vCPU that ran says how far', () => {
  const now: VmRow = { ...VM, state: 'EXITED', exit: { reason: 'PSCI SYSTEM_OFF', code: 0 }, vcpus: [{ ...VCPU, state: 'off', instructions: 3500 }] };
  checkRows(virtualMachineRows([now], [VM]), `
    primary: EXITED (was RUNNING) · VMID 3 [changed]
      cpu0: off (was running) · +2,500 instructions [changed]
      Image: primary.elf
      Memory: 0x40000000 – 0x47ffffff (128 MiB)
      Exit: PSCI SYSTEM_OFF, code 0 (normal) (was not exited) [changed]
      Hypervisor: Gunyah · API 1, variant 0x51 (Qualcomm)
        Version: API 1, variant 0x51 (Qualcomm)`);
});

test('stepping back is shown as instructions taken back', () => {
  const [vm] = virtualMachineRows([{ ...VM, vcpus: [{ ...VCPU, instructions: 990 }] }], [VM]);
  assert.match(vm?.children[0]?.description ?? '', /10 instructions back/);
});

test('a VM that was not there before is new, one that went away is gone', () => {
  const sensor: VmRow = { ...VM, vmid: 45, name: 'sensor', image: null, memorySizeBytes: 0, vcpus: [] };
  assert.deepEqual(virtualMachineRows([VM, sensor], [VM]).map(({ tone }) => tone), ['plain', 'new']);
  assert.deepEqual(virtualMachineRows([VM], [VM, sensor]).map(({ tone }) => tone), ['plain', 'gone']);
});

test('a failed VM needs attention', () => {
  assert.equal(virtualMachineRows([{ ...VM, state: 'INIT_FAILED' }], undefined)[0]?.tone, 'bad');
});

test('a screen reader hears the change, not only its colour', () => {
  const [vm] = virtualMachineRows([{ ...VM, state: 'EXITED' }], [VM]);
  assert.ok(vm);
  assert.equal(accessibleLabel(vm), 'primary, EXITED (was RUNNING) · VMID 3, changed since the last stop');
});

test('rows keep their ids from one stop to the next, so that the view keeps what is expanded', () => {
  const ids = (rows: readonly Row[]): string[] => rows.flatMap((row) => [row.id, ...ids(row.children)]);
  const before = ids(virtualMachineRows([VM], undefined));
  assert.deepEqual(ids(virtualMachineRows([{ ...VM, state: 'PAUSED' }], [VM])), before);
  assert.equal(new Set(before).size, before.length);
});

test('a VM shows what Linux finds under /sys/hypervisor, by generation of its drivers', () => {
  const hypervisor: VmRow['hypervisor'] = {
    ...VM.hypervisor, uid: 'c1d58fcd-a453-5fdb-9265-ce36673d5f14', features: ['cspace', 'doorbell'], apiInfo: '0x1', apiFlags: ['0x3'],
    linux: [
      { generation: 'v4', isRecognised: true, files: [{ path: '/sys/hypervisor/gunyah/api', text: '1\n' }, { path: '/sys/hypervisor/gunyah/features', text: '\n' }] },
      { generation: 'v11 and later', isRecognised: true, files: [] },
      { generation: 'v2', isRecognised: false, files: [] },
    ],
  };
  const rows = virtualMachineRows([{ ...VM, hypervisor }], undefined)[0]?.children.at(-1);
  checkRows(rows?.children ?? [], `
    UID: c1d58fcd-a453-5fdb-9265-ce36673d5f14
    Version: API 1, variant 0x51 (Qualcomm)
    api_info: 0x1 · 64-bit, little-endian
    api_flags 0: 0x3 · cspace, doorbell
    Features: cspace, doorbell
      cspace: 
      doorbell: 
    Linux drivers v4: /sys/hypervisor
      gunyah/api: 1
      gunyah/features: (empty)
    Linux drivers v11 and later: shows nothing under /sys/hypervisor
    Linux drivers v2: does not take this for Gunyah [dim]`);
});

const SERVICES: ServiceSelection = {
  vmid: 3, personality: 'kvm', flavour: 'merged', hasRun: false, stolenTime: null, filter: [{ base: '0x84000009', count: 1, action: 'deny' }],
  registers: [
    { id: '0x6030000000140000', name: 'KVM_REG_ARM_PSCI_VERSION', kind: 'version', value: '0x10001', supported: '0x0', bits: [] },
    { id: '0x6030000000160000', name: 'KVM_REG_ARM_STD_BMAP', kind: 'bitmap', value: '0x1', supported: '0x1', bits: [{ bit: 0, name: 'trng', services: 'TRNG', isSet: true }] },
  ],
};

test('a VM shows the hypercall services that it is offered, and that they can still be chosen', () => {
  const services = virtualMachineRows([{ ...VM, services: SERVICES }], undefined)[0]?.children.at(-1);
  assert.equal(services?.description, 'KVM answers · can be chosen');
  checkRows(services.children, `
    PSCI_VERSION: 1.1
    STD_BMAP: trng
    0x84000009: deny`);
});

test('services that were taken away are marked, and that they are fixed once the VM has run', () => {
  const now: ServiceSelection = { ...SERVICES, hasRun: true, registers: SERVICES.registers.map((one) => ({ ...one, bits: one.bits.map((bit) => ({ ...bit, isSet: false })) })) };
  const services = virtualMachineRows([{ ...VM, services: now }], [{ ...VM, services: SERVICES }])[0]?.children.at(-1);
  assert.deepEqual([services?.description, services?.children[1]?.description, services?.tone], ['KVM answers · fixed', 'none (was trng)', 'changed']);
  assert.match(services?.tooltip ?? '', /vm:start/);
});

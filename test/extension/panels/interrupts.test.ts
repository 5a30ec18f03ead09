import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { InterruptRow } from '../../../debug-adapter/protocol';
import { interruptRows, type VmInterrupts } from '../../../extension/panels/interrupts/model';
import { checkIds, checkRows, rowOf } from './rows-as-text';

const TIMER: InterruptRow = {
  virq: 27, vcpu: 0, kind: 'PPI', source: 'timer', object: '', objectId: null, enabled: true, pending: false, active: false, level: false, trigger: 'level', priority: 0xa0, group: 1, route: 'vCPU 0',
};
const QUEUE: InterruptRow = { ...TIMER, virq: 960, vcpu: null, kind: 'SPI', source: 'msgqueue-rx', object: 'message queue 24 "x"', objectId: 24, trigger: 'edge', route: 'any vCPU' };
const VM: VmInterrupts = {
  vmid: 3, vm: 'primary', interrupts: [TIMER, QUEUE],
  vcpus: [{ vcpu: 0, irq: false, fiq: false, masked: false, registers: [{ name: 'ICC_PMR_EL1', value: '0xf0' }], redistributor: [], listRegisters: [] }],
  distributor: [{ name: 'GICD_CTLR', value: '0x12' }],
};

test('private interrupts stand below their vCPU, shared ones together, registers behind them', () => {
  checkRows(interruptRows([VM], undefined), 3, `
    primary: nothing pending
      cpu0: quiet · unmasked
        VIRQ 27: PPI 11 · enabled · timer · priority 0xa0
        CPU interface: 1
        Redistributor: 0
      Shared: nothing pending
        VIRQ 960: SPI 928 · enabled · message queue 24 "x" (msgqueue-rx) · priority 0xa0
      Distributor: 1
        GICD_CTLR: 0x12`);
});

test('what became pending or active says what it was, up to the VM', () => {
  const now: VmInterrupts = {
    ...VM, interrupts: [{ ...TIMER, pending: true, level: true }, QUEUE],
    vcpus: VM.vcpus.map((vcpu) => ({ ...vcpu, irq: true, masked: true, listRegisters: [{ virq: 27, state: 'pending', priority: 0xa0, group: 1 }] })),
  };
  checkRows(interruptRows([now], [VM]), 4, `
    primary: 1 pending [changed]
      cpu0: IRQ asserted · masked (was quiet · unmasked) [changed]
        Presented: 1 [changed]
          1: 27 timer: pending · priority 0xa0 · group 1 [new]
        VIRQ 27: PPI 11 · pending (was enabled) · timer · priority 0xa0 [changed]
          Pending: yes (was no) [changed]
          Active: no
          Enabled: yes
          Trigger: level, high
          Priority: 0xa0
          Group: 1
          Route: vCPU 0
          Source: timer
        CPU interface: 1
          ICC_PMR_EL1: 0xf0
        Redistributor: 0
      Shared: nothing pending
        VIRQ 960: SPI 928 · enabled · message queue 24 "x" (msgqueue-rx) · priority 0xa0
          Pending: no
          Active: no
          Enabled: yes
          Trigger: edge
          Priority: 0xa0
          Group: 1
          Route: any vCPU
          Source: message queue 24 "x" (msgqueue-rx)
      Distributor: 1
        GICD_CTLR: 0x12`);
});

test('an interrupt that does nothing is dim, and each row can be broken on', () => {
  const rows = interruptRows([{ ...VM, interrupts: [{ ...TIMER, enabled: false }] }], undefined);
  assert.equal(rowOf(rows, /^VIRQ 27/).tone, 'dim');
  assert.deepEqual(rowOf(rows, /^VIRQ 27/).subject, { kind: 'interrupt', vm: 'primary', virq: 27 });
});

test('the same number on two vCPUs are two rows', () => {
  checkIds(interruptRows([{ ...VM, interrupts: [TIMER, { ...TIMER, vcpu: 1 }], vcpus: [0, 1].flatMap((vcpu) => VM.vcpus.map((one) => ({ ...one, vcpu }))) }], undefined));
});

test('a VM without an interrupt controller has no row', () => {
  assert.deepEqual(interruptRows([{ ...VM, interrupts: [], vcpus: [] }], undefined), []);
});

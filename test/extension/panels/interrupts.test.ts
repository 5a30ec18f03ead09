import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { InterruptRow } from '../../../debug-adapter/protocol';
import { interruptRows, type VmInterrupts } from '../../../extension/panels/interrupts/model';
import { registerWords } from '../../../extension/panels/interrupts/register-words';
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
        CPU interface: 1 register
        Redistributor: 0 registers
      Shared: nothing pending
        VIRQ 960: SPI 928 · enabled · message queue 24 "x" (msgqueue-rx) · priority 0xa0
      Distributor: 1 register
        GICD_CTLR: 0x12 · EnableGrp1, ARE`);
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
        CPU interface: 1 register
          ICC_PMR_EL1: 0xf0 · lets priorities below 0xf0 through
        Redistributor: 0 registers
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
      Distributor: 1 register
        GICD_CTLR: 0x12 · EnableGrp1, ARE`);
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

test('registers that there are many of are told where they are not zero, by the interrupts that their bits name', () => {
  const distributor = Array.from({ length: 32 }, (_, index) => ({ name: `GICD_ISENABLER${index}`, value: index === 30 ? '0x3' : '0x0' }));
  checkRows(rowOf(interruptRows([{ ...VM, distributor }], undefined), /^Distributor/).children, 2, `
    GICD_ISENABLER: 1 of 32 are not 0x0
      GICD_ISENABLER30: 0x3 · VIRQ 960 message queue 24 "x" (msgqueue-rx), VIRQ 961
      The others: 0x0 [dim]`);
  const cleared = rowOf(interruptRows([{ ...VM, distributor: distributor.map(({ name }) => ({ name, value: '0x0' })) }], [{ ...VM, distributor }]), /^Distributor/);
  assert.equal(cleared.tone, 'changed');
  assert.match(cleared.children[0]?.children[0]?.description ?? '', /^0x0 \(was 0x3 · VIRQ 960/);
});

test('every register of the interrupt controller that has fields says what they hold', () => {
  const names = (virq: number): string => (virq === 27 ? 'timer' : '');
  const words: readonly (readonly [string, string, string])[] = [
    ['GICD_CTLR', '0x52', 'EnableGrp1, ARE, DS'], ['GICD_TYPER', '0x349001f', '1024 interrupts at most, identifiers of 10 bits'], ['GICR_TYPER', '0x10', 'vCPU 0, the last'], ['GICR_WAKER', '0x0', 'awake'],
    ['ICC_RPR_EL1', '0xff', 'nothing is being handled'], ['ICC_IGRPEN1_EL1', '0x1', 'enabled'], ['GICR_ICFGR1', '0x800000', 'edge-triggered: VIRQ 27 timer'], ['GICR_IPRIORITYR6', '0xa0000000', 'VIRQ 27 timer has 0xa0'],
    ['GICD_IROUTER33', '0x80000000', 'VIRQ 33 goes to any vCPU'], ['GICD_IROUTER33', '0x1', 'VIRQ 33 goes to affinity 0.0.0.1'], ['GICR_ISPENDR0', '0xfffffff', 'VIRQ 0, VIRQ 1, VIRQ 2, VIRQ 3 and 24 more'], ['GICD_STATUSR', '0x1', ''],
  ];
  for (const [name, value, expected] of words) assert.equal(registerWords(name, value, names), expected, name);
});

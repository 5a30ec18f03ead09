import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RmOptions } from '../../runtime/resource-manager';
import { AT_GUEST_BASE, configure } from './made-vm';
import { PRIMARY_DTB, SystemFixture } from './system-fixture';
import { vmTree } from './trees';

const OPEN: RmOptions = { profile: 'open-2023-12', drivers: 'current' };
const LINUX: RmOptions = { profile: 'linux', drivers: 'current' };
const LEGACY: RmOptions = { profile: 'linux', drivers: 'legacy' };
const OPEN_LEGACY: RmOptions = { profile: 'open-2023-12', drivers: 'legacy' };

const GET_VMID = 0x5600_0024;
const OPEN_CONSOLE = 0x5600_0081;
const WRITE_CONSOLE = 0x5600_0083;

/** What comes back for a request, as `number bytes`. */
function answers(system: SystemFixture, id: number, bytes: string): readonly string[] {
  return system.exchange(id, Uint8Array.from(Buffer.from(bytes, 'hex'))).map(({ kind, id: number, payload }) => `${kind === 'reply' ? 'reply' : number.toString(16)} ${Buffer.from(payload).toString('hex')}`);
}

test('VM_GET_VMID answers 16 bits to drivers that send four bytes with it or that are of the first generation', () => {
  const ask = (rm: RmOptions, bytes: string): readonly string[] => answers(new SystemFixture([], { rm }), GET_VMID, bytes);
  assert.deepEqual([ask(OPEN, ''), ask(OPEN, '00000000')], [['reply 0000000003000000'], ['reply 04000000']]);
  assert.deepEqual([ask(OPEN_LEGACY, ''), ask(OPEN_LEGACY, '00000000')], [['reply 0000000003000000'], ['reply 04000000']]);
  assert.deepEqual([ask(LINUX, ''), ask(LINUX, '00000000')], [['reply 0000000003000000'], ['reply 000000000300']]);
  assert.deepEqual([ask(LEGACY, ''), ask(LEGACY, '00000000')], [['reply 000000000300'], ['reply 000000000300']]);
  assert.deepEqual([ask(LINUX, '000000'), ask(LEGACY, '0000000000')], [['reply 04000000'], ['reply 04000000']]);
});

test('the primary VM has a console that loops back in profile linux only', () => {
  const open = new SystemFixture([], { rm: OPEN });
  assert.deepEqual([answers(open, OPEN_CONSOLE, '00000000'), answers(open, OPEN_CONSOLE, '03000000')], [['reply 06000000'], ['reply 06000000']]);
  const linux = new SystemFixture([], { rm: LINUX });
  assert.deepEqual([answers(linux, OPEN_CONSOLE, '00000000'), answers(linux, OPEN_CONSOLE, '03000000')], [['reply 00000000'], ['reply 00000000']]);
  assert.deepEqual(answers(linux, WRITE_CONSOLE, '000003006f6e65'), ['56100080 030003006f6e65', 'reply 00000000']);
  assert.deepEqual(answers(linux, WRITE_CONSOLE, '0300030074776f'), ['56100080 0000030074776f', 'reply 00000000']);
});

test('console requests never fail for drivers that do not survive it', () => {
  const ask = (rm: RmOptions, id: number, bytes: string): readonly string[] => answers(new SystemFixture([], { rm }), id, bytes);
  for (const [id, bytes, error] of [[OPEN_CONSOLE, '99000000', '06000000'], [WRITE_CONSOLE, '0000010061', '03000000'], [OPEN_CONSOLE, '00', '04000000']] as const) {
    assert.deepEqual([ask(LINUX, id, bytes), ask(LEGACY, id, bytes)], [[`reply ${error}`], ['reply 00000000']]);
  }
});

test('a vCPU without a wake-up interrupt has the number 0 for drivers that would refuse to start its VM', () => {
  const virqs = (rm: RmOptions): readonly (number | undefined)[] => {
    const system = new SystemFixture([], { rm });
    const { vmid } = configure(system, vmTree({ memory: AT_GUEST_BASE }));
    system.request('VM_INIT', { vmid });
    return [vmid, 0xff].map((of) => system.request('VM_GET_HYP_RESOURCES', { vmid: of }).values?.resources[0]?.virq);
  };
  assert.deepEqual([virqs(OPEN), virqs(LINUX)], [[0xffff_ffff, 0], [0, 0]]);
});

test('the primary VM’s device tree names the hypervisor as later drivers look for it', () => {
  const compatible = (rm: RmOptions): readonly string[] | undefined => new SystemFixture([], { rm }).readTree(PRIMARY_DTB).root.at('/hypervisor')?.property('compatible')?.strings;
  assert.deepEqual(compatible(OPEN), ['qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus']);
  assert.deepEqual(compatible(LINUX), ['gunyah-hypervisor', 'qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus']);
});

test('the first generation of drivers gets a queue for its longer packets', () => {
  const size = (rm: RmOptions): number | undefined => {
    const { root } = new SystemFixture([], { rm }).readTree(PRIMARY_DTB);
    return root.at('/hypervisor')?.children.find((node) => node.name.startsWith('qcom,resource-manager-rpc'))?.u32('qcom,tx-message-size');
  };
  assert.deepEqual([size(OPEN), size(OPEN_LEGACY), size(LINUX), size(LEGACY)], [240, 240, 240, 1023]);
  const system = new SystemFixture([], { rm: LEGACY });
  assert.deepEqual(answers(system, OPEN_CONSOLE, '00000000'), ['reply 00000000']);
  assert.deepEqual(answers(system, OPEN_CONSOLE, '03000000'), ['reply 00000000']);
  const text = '61'.repeat(1000);
  system.sendPacket(Uint8Array.from(Buffer.from(`21010700830000560000e803${text}`, 'hex')));
  system.settle();
  assert.deepEqual(system.receiveAll().map(({ kind, payload }) => [kind, payload.length]), [['notification', 1004], ['reply', 4]]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { notYetRmMessages, RM_REQUESTS } from '../../runtime/resource-manager';
import { AT_GUEST_BASE, configure } from './made-vm';
import { dtb, SystemFixture } from './system-fixture';
import { RPC, SENSOR_DTS, vmTree } from './trees';

const SENSOR = 0x80;
const target = { vmid: SENSOR } as const;

/** Sends a raw payload and expects this error word. */
function checkError(system: SystemFixture, id: number, payload: readonly number[], error: number): void {
  const [reply] = system.exchange(id, Uint8Array.from(payload));
  assert.equal(new DataView(reply?.payload.buffer ?? new ArrayBuffer(4), reply?.payload.byteOffset ?? 0).getUint32(0, true), error, `0x${id.toString(16)}`);
}

test('a VM asks who it is', () => {
  const system = new SystemFixture();
  assert.deepEqual(system.request('VM_GET_VMID', {}).values, { vmid: 3 });
  assert.deepEqual(system.request('VM_GET_OWNER', {}).values, { vmid: 0xff });
  assert.deepEqual(system.request('VM_GET_PEERS', {}).values, { vmids: [] });
  assert.deepEqual(system.request('HOST_GET_TYPE', {}).values, { type: 0x0100_0164 });
  const ids = system.request('VM_GET_ID', { vmid: 0 }).values?.ids.map((entry) => [entry.type, Buffer.from(entry.data).toString('latin1')]);
  assert.deepEqual(ids, [[0, '\0'.repeat(16)], [2, 'HLOS'], [3, 'N/A']]);
});

test('the reply to VM_GET_VMID is the bytes that were seen on the real RM', () => {
  const system = new SystemFixture();
  const [reply] = system.exchange(0x5600_0024, new Uint8Array());
  assert.deepEqual([reply?.kind, Buffer.from(reply?.payload ?? []).toString('hex')], ['reply', '0000000003000000']);
});

test('unknown requests and those never served are UNIMPLEMENTED', () => {
  const system = new SystemFixture();
  for (const id of [0x5600_0021, 0x5600_0022, 0x5600_0055, 0x5600_00b1, 0x5600_0031, 0x5600_0040, 0x5600_0041, 0x5600_0042, 0x5600_0043, 0x1234_5678]) checkError(system, id, [], 0xffff_ffff);
});

test('wrong lengths and reserved fields are MSG_INVALID', () => {
  const system = new SystemFixture();
  checkError(system, RM_REQUESTS.VM_GET_VMID.id, [0], 4);
  checkError(system, RM_REQUESTS.VM_START.id, [0x80, 0], 4);
  checkError(system, RM_REQUESTS.VM_START.id, [0x80, 0, 0, 0, 0], 4);
  checkError(system, RM_REQUESTS.VM_INIT.id, [0x80, 0, 1, 0], 4);
  checkError(system, RM_REQUESTS.VM_CONFIG_IMAGE.id, [0x80, 0], 4);
  checkError(system, RM_REQUESTS.MEM_LEND.id, [0, 0, 0, 0], 4);
});

test('VMs are found by name, URI and GUID', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS.replace('image-name = "sensor";', 'image-name = "sensor"; vm-uri = "vmuid/sensor"; vm-guid = "00112233-4455-6677-8899-aabbccddeeff";') }]);
  assert.deepEqual(system.request('VM_LOOKUP_NAME', { name: 'sensor' }).values, { vmids: [{ vmid: SENSOR }] });
  assert.deepEqual(system.request('VM_LOOKUP_NAME', { name: 'HLOS' }).values, { vmids: [{ vmid: 3 }] });
  assert.deepEqual(system.request('VM_LOOKUP_NAME', { name: 'nobody' }).values, { vmids: [] });
  assert.deepEqual(system.request('VM_LOOKUP_URI', { uri: 'vmuid/sensor' }).values, { vmids: [{ vmid: SENSOR }] });
  const guid = Uint8Array.from({ length: 16 }, (_, i) => 0x11 * i);
  assert.deepEqual(system.request('VM_LOOKUP_GUID', { guid }).values, { vmids: [{ vmid: SENSOR }] });
  assert.deepEqual(system.request('VM_LOOKUP_GUID', { guid: new Uint8Array(16) }).values, { vmids: [{ vmid: 3 }] });
  system.request('VM_LOOKUP_NAME', { name: 'x'.repeat(80) }, 6);
});

test('resources of the primary VM’s surroundings are as observed', () => {
  const system = new SystemFixture();
  system.request('VM_GET_HYP_RESOURCES', { vmid: 0 }, 6);
  assert.deepEqual(system.request('VM_GET_HYP_RESOURCES', { vmid: 3 }).values, { resources: [] });
  const rm = system.request('VM_GET_HYP_RESOURCES', { vmid: 0xff }).values?.resources;
  assert.deepEqual(rm?.map((entry) => [entry.type, entry.capId]), [[4, 2n]]);
  system.request('VM_ALLOCATE', { vmid: 0 });
  system.request('VM_GET_HYP_RESOURCES', { vmid: 0x80 }, 2);
});

/** Doorbell in each direction and a queue that the VM receives from, with a proxy-scheduled vCPU: the configuration that was observed. */
const OBSERVED = vmTree({
  vcpus: 'affinity = "proxy";',
  vdevices: `${RPC}
    bell { vdevice-type = "doorbell"; label = <1>; peer-default; source-can-clear; };
    source { vdevice-type = "doorbell-source"; label = <2>; peer-default; };
    queue { vdevice-type = "message-queue"; label = <3>; peer-default; is-receiver; };`,
});

test('the owner of a VM sees its resources in the observed order, with interrupts from 962 on', () => {
  const system = new SystemFixture([{ dts: OBSERVED }]);
  const resources = system.request('VM_GET_HYP_RESOURCES', target).values?.resources ?? [];
  assert.deepEqual(resources.map((entry) => [entry.type, entry.partnerVmid, entry.label, entry.capId, entry.virq]), [
    [4, 0, 0, 3n, 0x3c2], [0, SENSOR, 1, 4n, 0], [1, SENSOR, 2, 5n, 0x3c3], [2, SENSOR, 3, 6n, 0x3c4],
  ]);
});

test('the owner’s capabilities carry exactly the rights that were observed', () => {
  const system = new SystemFixture([{ dts: OBSERVED }]);
  const call = (name: Parameters<SystemFixture['hypercall']>[1], ...args: bigint[]): bigint => BigInt.asIntN(32, system.hypercall(3, name, ...args)[0] ?? 0n);
  assert.deepEqual([call('vcpu_run_check', 3n), call('vcpu_poweron', 3n), call('vcpu_kill', 3n), call('vcpu_set_affinity', 3n, 0n)], [53n, 53n, 53n, 0n]);
  assert.deepEqual([call('doorbell_send', 4n, 1n), call('doorbell_receive', 4n, 1n), call('doorbell_reset', 4n), call('doorbell_mask', 4n, 1n, 1n), call('doorbell_unbind_virq', 4n)], [0n, 0n, 0n, 0n, 53n]);
  assert.deepEqual([call('doorbell_send', 5n, 1n), call('doorbell_receive', 5n, 1n)], [53n, 0n]);
  assert.deepEqual([call('msgqueue_receive', 6n, 0x4010_0000n, 8n), call('msgqueue_flush', 6n), call('msgqueue_send', 6n, 8n, 0x4010_0000n, 0n)], [53n, 53n, 0n]);
  assert.deepEqual(system.hypercall(3, 'vcpu_run', 3n, 0n, 0n, 0n).slice(0, 4), [0n, 2n, 0n, 0n]);
});

test('a VM goes through its life: start, stop, reset, initialise and start again', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  assert.deepEqual(system.request('VM_START', target).log, ['VM_STATUS vmid=128 vmState=3 osState=0 appStatus=0', 'reply']);
  system.request('VM_START', target, 0x14);
  assert.deepEqual(system.request('VM_STOP', { ...target, flags: 1, reason: 3 }).log,
    ['VM_STATUS vmid=128 vmState=9 osState=0 appStatus=0', 'VM_EXITED vmid=128 exitType=7 reason=[0]', 'reply']);
  assert.deepEqual(system.request('VM_RESET', target).log, ['VM_STATUS vmid=128 vmState=10 osState=0 appStatus=0', 'reply', 'VM_STATUS vmid=128 vmState=11 osState=0 appStatus=0']);
  system.hypervisor.checkInvariants();
  assert.equal(system.hypercall(3, 'doorbell_send', 3n, 1n)[0], 50n);
  system.request('VM_START', target, 0x14);
  assert.deepEqual(system.request('VM_INIT', target).log,
    ['VM_STATUS vmid=128 vmState=1 osState=0 appStatus=0', 'VM_STATUS vmid=128 vmState=2 osState=0 appStatus=0', 'reply']);
  assert.deepEqual(system.request('VM_START', target).log, ['VM_STATUS vmid=128 vmState=3 osState=0 appStatus=0', 'reply']);
  assert.deepEqual([...system.engine.memory.read(system.translate(SENSOR, 0x8001_0000n) as never, 5)], [1, 2, 3, 4, 5]);
  assert.deepEqual(system.trace.filter((event) => event.event === 'report'), []);
  system.hypervisor.checkInvariants();
});

test('many lives of a VM use up nothing', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  const before = JSON.stringify(system.request('VM_GET_HYP_RESOURCES', target).values, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  for (let life = 0; life < 20; life++) {
    system.request('VM_START', target);
    system.request('VM_STOP', { ...target, flags: 1, reason: 0 });
    system.request('VM_RESET', target);
    system.request('VM_INIT', target);
  }
  const after = JSON.stringify(system.request('VM_GET_HYP_RESOURCES', target).values, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  assert.equal(after, before);
});

test('a VM that powers off ends with VM_EXITED type 1 and can be reset', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }]);
  system.receiveAll();
  const thread = system.thread(SENSOR);
  system.engine.vcpu(thread.engineVcpu ?? 0).setX(0, 0x8400_0008n);
  assert.equal(system.hypervisor.pick(1), thread);
  system.hypervisor.handleExit(thread, { reason: 'hvc', immediate: 0 });
  system.hypervisor.pick(1);
  system.settle();
  assert.deepEqual(system.receiveAll().map((message) => [message.id, Buffer.from(message.payload).toString('hex')]),
    [[0x5610_0008, '8000000009000000'], [0x5610_0001, '800001000400000000000000']]);
  system.request('VM_RESET', target);
  assert.equal(system.request('VM_GET_STATE', target).values?.vmState, 11);
});

test('requests of a secondary VM reach RM and its exit reaches the owner', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }]);
  system.receiveAll();
  assert.deepEqual(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_GET_VMID.id, []), '0000000080000000');
  assert.deepEqual(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_GET_OWNER.id, []), '0000000003000000');
  assert.deepEqual(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_ALLOCATE.id, [0, 0, 0, 0]), '03000000');
  assert.deepEqual(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_SET_STATUS.id, [0, 4, 0x34, 0x12]), '00000000');
  assert.deepEqual(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_SET_CRASH_MSG.id, [4, 0, 0, 0, 0x6f, 0x6f, 0x70, 0x73]), '00000000');
  system.secondaryRequest(SENSOR, RM_REQUESTS.VM_EXIT.id, [1, 0, 3, 0]);
  assert.deepEqual(system.receiveAll().map((message) => Buffer.from(message.payload).toString('hex')), ['8000000003043412', '8000000009043412', '800000000400000001000300']);
  assert.deepEqual(system.request('VM_GET_CRASH_MSG', target).values, { message: 'oops' });
});

test('life cycle requests check caller, target and state', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }]);
  assert.deepEqual(system.request('VM_ALLOCATE', { vmid: 0 }).values, { vmid: 0x81 });
  assert.equal(system.request('VM_ALLOCATE', { vmid: 4 }).values, undefined);
  for (const vmid of [3, 4, 0x40, 0x80, 0xffff]) system.request('VM_ALLOCATE', { vmid }, 2);
  for (const vmid of [0x90, 1]) {
    system.request('VM_START', { vmid }, 0xd);
    system.request('VM_INIT', { vmid }, 0xd);
    system.request('VM_STOP', { vmid, flags: 0, reason: 0 }, 0xd);
    system.request('VM_RESET', { vmid }, 0xd);
    system.request('VM_GET_STATE', { vmid }, 2);
    system.request('VM_GET_ID', { vmid }, 2);
    system.request('VM_GET_CRASH_MSG', { vmid }, 0xd);
  }
  system.request('VM_START', { vmid: 3 }, 3);
  system.request('VM_STOP', { vmid: 0x81, flags: 1, reason: 0 }, 0x14);
  system.request('VM_START', { vmid: 0x81 }, 0x14);
  system.request('VM_INIT', { vmid: 0x81 }, 0x14);
  system.request('VM_AUTH_IMAGE', { vmid: 0x81, parameters: [] }, 0x14);
  system.request('VM_DEALLOCATE', target, 0x14);
  system.request('VM_DEALLOCATE', { vmid: 0x81 });
  system.request('VM_SET_STATUS', { osState: 1, appStatus: 0 }, 3);
  system.request('VM_EXIT', { flags: 0, code: 0 }, 6);
  system.request('VM_EXIT', { flags: 0, code: 2 }, 4);
});

test('what ends the real RM is answered and reported', () => {
  const system = new SystemFixture();
  system.request('VM_DEALLOCATE', { vmid: 0x99 }, 0xd);
  system.request('VM_ALLOCATE', { vmid: 0 });
  system.request('VM_RESET', { vmid: 0x80 }, 0x14);
  const reports = system.trace.filter((event) => event.event === 'report').map((event) => event.code);
  assert.deepEqual(reports, ['rm-would-die', 'rm-would-die']);
});

test('a VM whose configuration is wrong fails to initialise and says why', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS.replace('image-name = "sensor";', '') }]);
  assert.equal(system.rm.inspect().vms[1]?.state, 'INIT_FAILED');
  assert.ok(system.trace.some((event) => event.event === 'report' && event.code === 'vm-config-image-name'));
  system.request('VM_RESET', target);
  system.request('VM_INIT', target, 0xa);
});

test('a tree that already has a hypervisor node fails the start with NORESOURCE', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS.replace('chosen {};', 'chosen {}; hypervisor {};') }]);
  assert.deepEqual(system.request('VM_START', target, 2).log, ['VM_STATUS vmid=128 vmState=8 osState=0 appStatus=0', 'reply']);
});

/** VM_START of a made VM whose tree has so many bytes in so large a region. */
function checkRoom(treeBytes: number, regionBytes: bigint, expected: { readonly error: number; readonly reports: readonly string[] }): void {
  // Properties come in words, their names in bytes.
  const treeOf = (fill: number): string => vmTree({ memory: AT_GUEST_BASE, vdevices: RPC, extra: `filler { data${'s'.repeat(fill & 3)} = [${'00'.repeat(fill & ~3)}]; };` });
  const tree = treeOf(treeBytes - dtb(treeOf(0)).length);
  assert.equal(dtb(tree).length, treeBytes);
  const system = new SystemFixture();
  const { vmid } = configure(system, tree, { dtbSize: regionBytes });
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid }, expected.error);
  assert.deepEqual(system.trace.flatMap((event) => (event.event === 'report' ? [event.code] : [])), expected.reports, String(treeBytes));
}

test('a tree that fills its region, or that the region cannot hold twice with RM’s additions if they are large, fails the start with NORESOURCE', () => {
  checkRoom(0x1000, 0x2000n, { error: 0, reports: [] });
  checkRoom(0x1000, 0x1000n, { error: 2, reports: ['rm-would-die'] });
  checkRoom(0x5000, 0x5000n, { error: 2, reports: ['rm-device-tree'] });
  checkRoom(0x5000, 0x1_0000n, { error: 2, reports: ['rm-device-tree'] });
});

test('a console connects a VM with its owner', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS.replace('vdevice-type = "rm-rpc";', 'vdevice-type = "rm-rpc"; console-dev;'), autostart: true }]);
  system.receiveAll();
  const data = Uint8Array.of(0x68, 0x69);
  system.request('CONSOLE_OPEN', { vmid: 0 }, 6);
  system.request('CONSOLE_OPEN', { vmid: 0x99 }, 6);
  system.request('CONSOLE_WRITE', { vmid: SENSOR, data }, 3);
  system.request('CONSOLE_OPEN', target);
  system.request('CONSOLE_WRITE', { vmid: SENSOR, data });
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.CONSOLE_OPEN.id, [0, 0, 0, 0]), '00000000');
  system.request('CONSOLE_WRITE', { vmid: SENSOR, data });
  assert.deepEqual(system.secondaryReceive(SENSOR).map((message) => Buffer.from(message.payload).toString('hex')), ['000002006869']);
  system.secondaryRequest(SENSOR, RM_REQUESTS.CONSOLE_WRITE.id, [0, 0, 2, 0, 0x6f, 0x6b]);
  assert.deepEqual(system.receiveAll().map((message) => Buffer.from(message.payload).toString('hex')), ['800002006f6b']);
  system.request('CONSOLE_FLUSH', target);
  system.request('CONSOLE_CLOSE', target);
  system.request('CONSOLE_FLUSH', target, 3);
});

test('messages of a VM reach its owner over the queues of a pair', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }]);
  const resources = system.request('VM_GET_HYP_RESOURCES', target).values?.resources ?? [];
  system.engine.memory.write(0x4010_0000n as never, Uint8Array.of(9, 8, 7));
  const send = resources.find((entry) => entry.type === 2)?.capId ?? 0n;
  assert.equal(system.hypercall(3, 'msgqueue_send', send, 3n, 0x4010_0000n, 0n)[0], 0n);
  const [error, size] = system.hypercall(SENSOR, 'msgqueue_receive', 4n, 0x8008_0000n, 128n);
  assert.deepEqual([error, size], [0n, 3n]);
  assert.deepEqual([...system.engine.memory.read(system.translate(SENSOR, 0x8008_0000n) as never, 3)], [9, 8, 7]);
});

/** A VM with a pair of queues and a doorbell to the VM called `peer`. */
function talker(name: string, peer: string, doorbell: string): string {
  return vmTree({
    name, vdevices: `${RPC}
      pair { vdevice-type = "message-queue-pair"; generate = "/hypervisor/pair"; label = <7>; peer = "vm-name:${peer}"; };
      bell { vdevice-type = "${doorbell}"; generate = "/hypervisor/bell"; label = <8>; peer = "vm-name:${peer}"; };`,
  });
}

test('two secondary VMs that name each other are connected, and again after either was reset', () => {
  const system = new SystemFixture([{ dts: talker('a', 'b', 'doorbell') }, { dts: talker('b', 'a', 'doorbell-source'), ramBase: 0x9000_0000n }]);
  const talk = (): void => {
    for (const vmid of [0x80, 0x81]) system.request('VM_START', { vmid });
    const root = system.readTree(system.translate(0x80, 0x8010_0000n)).root;
    assert.deepEqual([root.at('/hypervisor/pair@4')?.u32('qcom,peer-vmid'), root.at('/hypervisor/pair@4')?.string('peer')], [0x81, 'vm-name:b']);
    assert.deepEqual(system.hypercall(0x80, 'msgqueue_send', 3n, 5n, 0x8000_0000n, 0n)[0], 0n);
    assert.deepEqual(system.hypercall(0x81, 'msgqueue_receive', 4n, 0x9000_0000n, 100n).slice(0, 2), [0n, 5n]);
    assert.deepEqual(system.hypercall(0x81, 'msgqueue_send', 3n, 6n, 0x9000_0000n, 0n)[0], 0n);
    assert.deepEqual(system.hypercall(0x80, 'msgqueue_receive', 4n, 0x8000_0000n, 100n).slice(0, 2), [0n, 6n]);
    assert.deepEqual(system.hypercall(0x81, 'doorbell_send', 2n, 3n)[0], 0n);
    assert.deepEqual(system.hypercall(0x80, 'doorbell_receive', 2n, 1n).slice(0, 2), [0n, 3n]);
    assert.deepEqual(system.hypercall(0x80, 'doorbell_receive', 2n, 2n).slice(0, 2), [0n, 2n]);
  };
  talk();
  for (const again of [0x80, 0x81]) {
    for (const vmid of [0x80, 0x81]) system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
    for (const vmid of again === 0x80 ? [0x80, 0x81] : [0x81, 0x80]) {
      system.request('VM_RESET', { vmid });
      system.request('VM_INIT', { vmid });
    }
    talk();
  }
  assert.deepEqual(system.request('VM_GET_HYP_RESOURCES', target).values?.resources.map((entry) => entry.type), [4]);
  assert.equal(system.secondaryRequest(0x80, RM_REQUESTS.VM_GET_PEERS.id, []), '00000000020000000300000081000000');
  assert.deepEqual(system.trace.filter((event) => event.event === 'report'), []);
  system.hypervisor.checkInvariants();
});

test('a hardware interrupt is lent, accepted, released and reclaimed', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }]);
  system.receiveAll();
  const bytes = (...words: number[]): number[] => words.flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);
  system.request('VM_IRQ_LEND', { borrower: SENSOR, virq: 40, label: 1 }, 0xf);
  const { handle = 0 } = system.request('VM_IRQ_LEND', { borrower: SENSOR, virq: 33, label: 1 }).values ?? {};
  assert.equal(handle & 0xfff, 33);
  system.request('VM_IRQ_LEND', { borrower: SENSOR, virq: 33, label: 1 }, 0x10);
  system.request('VM_IRQ_ACCEPT', { handle, virq: 50 }, 7);
  system.request('VM_IRQ_NOTIFY', { handle, flags: 1, vmids: [] });
  assert.deepEqual(system.secondaryReceive(SENSOR).map((message) => message.id), [0x5610_0011]);
  system.request('VM_IRQ_NOTIFY', { handle, flags: 1, vmids: [{ vmid: 3 }] }, 6);
  system.request('VM_IRQ_NOTIFY', { handle, flags: 2, vmids: [{ vmid: SENSOR }] }, 4);
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_ACCEPT.id, bytes(handle, 0xffff_ffff)), '0000000021000000');
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_ACCEPT.id, bytes(handle, 0xffff_ffff)), '12000000');
  system.request('VM_IRQ_RECLAIM', { handle }, 0x12);
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_RELEASE.id, bytes(handle)), '00000000');
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_RELEASE.id, bytes(handle)), '12000000');
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_RECLAIM.id, bytes(handle)), '07000000');
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_ACCEPT.id, bytes(handle, 60)), '06000000');
  assert.equal(system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_ACCEPT.id, bytes(handle, 33)), '0000000021000000');
  system.request('VM_STOP', { ...target, flags: 1, reason: 0 });
  assert.deepEqual(system.request('VM_RESET', target).log.filter((line) => line.startsWith('VM_IRQ')), []);
  system.request('VM_IRQ_RECLAIM', { handle });
  system.request('VM_IRQ_RECLAIM', { handle }, 7);
  system.hypervisor.checkInvariants();
});

test('interrupts that no device drives are the primary VM’s, too, and go from hand to hand as the others do', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }], { unwired: [31, 110, 111] });
  system.receiveAll();
  const bytes = (...words: number[]): number[] => words.flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);
  const lend = (virq: number): number => system.request('VM_IRQ_LEND', { borrower: SENSOR, virq, label: 1 }).values?.handle ?? 0;
  const accept = (handle: number, virq: number): string | undefined => system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_ACCEPT.id, bytes(handle, virq));
  const release = (handle: number): string | undefined => system.secondaryRequest(SENSOR, RM_REQUESTS.VM_IRQ_RELEASE.id, bytes(handle));
  system.request('VM_IRQ_LEND', { borrower: SENSOR, virq: 112, label: 1 }, 0xf);
  const first = lend(110);
  system.request('VM_IRQ_LEND', { borrower: SENSOR, virq: 110, label: 1 }, 0x10);
  assert.equal(accept(first, 111), '06000000', 'the primary VM has 111 itself');
  const second = lend(111);
  assert.equal(accept(first, 111), '000000006f000000');
  assert.equal(accept(second, 0xffff_ffff), '03000000', 'the number is taken');
  system.request('VM_IRQ_RECLAIM', { handle: second }, 0x12);
  assert.deepEqual(system.trace.flatMap((event) => (event.event === 'report' ? [event.code] : [])), ['rm-would-die']);
  assert.deepEqual([release(first), release(first)], ['00000000', '12000000']);
  for (const handle of [first, second]) system.request('VM_IRQ_RECLAIM', { handle });
  assert.equal(accept(lend(31), 0xffff_ffff), '03000000', 'private, and the vCPU may run on any CPU');
  assert.equal(accept(lend(110), 110), '000000006e000000');
  system.request('VM_STOP', { ...target, flags: 1, reason: 0 });
  system.request('VM_RESET', target);
  system.request('VM_IRQ_RECLAIM', { handle: first });
});

test('every request of the table is looked at: what is too short or too long is refused, what has no handler is UNIMPLEMENTED', () => {
  const system = new SystemFixture();
  const missing: readonly string[] = notYetRmMessages();
  for (const [name, row] of Object.entries(RM_REQUESTS)) {
    const served = row.status === 'open' && !missing.includes(name);
    const isFixed = row.request.every((field) => field.type !== 'list' && field.type !== 'text' && field.type !== 'bytes');
    // Who may not set a status is told so; an empty look-up is an argument; what follows a handle to take back is not looked at.
    const early = name === 'VM_SET_STATUS' ? 3 : undefined;
    const rest = 'ignoresRest' in row ? 7 : early;
    if (row.request.length > 0) checkError(system, row.id, [], served ? early ?? (name.startsWith('VM_LOOKUP_') ? 6 : 4) : 0xffff_ffff);
    if (isFixed) checkError(system, row.id, new Array<number>(61).fill(0), served ? rest ?? 4 : 0xffff_ffff);
  }
});

test('no request of the open Resource Manager is left unserved', () => {
  assert.deepEqual(notYetRmMessages(), []);
});

test('every way a VM can end has its exit type and reason words', () => {
  const end = (registers: readonly bigint[]): string | undefined => {
    const system = new SystemFixture([{ dts: SENSOR_DTS, autostart: true }]);
    system.receiveAll();
    const thread = system.thread(SENSOR);
    const vcpu = system.engine.vcpu(thread.engineVcpu ?? 0);
    registers.forEach((value, n) => { vcpu.setX(n, value); });
    assert.equal(system.hypervisor.pick(1), thread);
    system.hypervisor.handleExit(thread, { reason: 'hvc', immediate: 0 });
    system.hypervisor.pick(1);
    system.settle();
    const exited = system.receiveAll().find((message) => message.id === 0x5610_0001);
    const view = system.rm.inspect().vms[1];
    assert.equal(view?.state, 'EXITED');
    return `${view.exit?.type ?? ''} ${Buffer.from(exited?.payload ?? []).toString('hex')}`;
  };
  assert.equal(end([0x8400_0008n]), 'PLATFORM_OFF 800001000400000000000000');
  assert.equal(end([0x8400_0009n]), 'PLATFORM_RESET 800002000400000000000000');
  assert.equal(end([0x8400_0012n, 0x8000_0001n, 0x1_2345_6789n]), 'PSCI_SYSTEM_RESET2 800003001000000000000000010000808967452300000000');
  assert.equal(end([0xc400_0012n, 0n, 0x1_2345_6789n]), 'PSCI_SYSTEM_RESET2 800003001000000000800000000000008967452301000000');
});

test('a vCPU on a CPU that does not exist fails VM_INIT and is explained', () => {
  const system = new SystemFixture([{ dts: SENSOR_DTS }], { cpuCount: 1 });
  assert.ok(system.trace.some((event) => event.event === 'report' && event.code === 'rm-affinity'));
  system.request('VM_RESET', target);
  system.request('VM_INIT', target, 6);
});

test('replies longer than a packet come in fragments', () => {
  const bells = Array.from({ length: 12 }, (_, n) => `d${n} { vdevice-type = "doorbell"; label = <${n}>; peer-default; };`).join(' ');
  const system = new SystemFixture([{ dts: vmTree({ vdevices: bells }) }]);
  const resources = system.request('VM_GET_HYP_RESOURCES', target).values?.resources ?? [];
  assert.deepEqual(resources.map((entry) => entry.label), [1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dtb, SystemFixture } from './system-fixture';
import { RPC, vmTree } from './trees';
import { pa } from '../../runtime/base/brands';
import { encodePayload } from '../../runtime/resource-manager/message-codec';
import { RM_REQUESTS, type RmArguments } from '../../runtime/resource-manager/message-table';

const PAGE = 0x4040_0000n;
const lent = (vmid: number, sgl: RmArguments<'MEM_LEND'>['sgl'], label = 0): RmArguments<'MEM_LEND'> => ({ memoryType: 0, flags: 0, label, acl: [{ vmid, rights: 7 }], sgl, attributes: [] });

/** Allocates a VM and answers its VMID. */
function allocate(system: SystemFixture): number {
  return system.request('VM_ALLOCATE', { vmid: 0 }).values?.vmid ?? 0;
}

/** What the primary VM may do at an address. */
function access(system: SystemFixture, vmid: number, address: bigint): string {
  const found = system.engine.translate(system.thread(vmid).engineVcpu ?? 0, address as never, 2);
  return found.ok ? `${found.readable ? 'r' : '-'}${found.writable ? 'w' : '-'}${found.executable ? 'x' : '-'}` : 'none';
}

test('lent and donated memory goes at once, but for what lies inside a block; shared memory has the granted rights', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  assert.equal(access(system, 3, PAGE), 'rwx');
  const lend = system.request('MEM_LEND', lent(vmid, [{ address: PAGE + 0x1000n, size: 0x1000n }])).values;
  assert.deepEqual([lend, access(system, 3, PAGE + 0x1000n)], [{ handle: 0 }, 'rwx']);
  const donate = system.request<'MEM_DONATE'>('MEM_DONATE', lent(vmid, [{ address: PAGE, size: 0x1000n }])).values;
  assert.deepEqual([donate, access(system, 3, PAGE)], [{ handle: 1 }, 'none']);
  const acl = [{ vmid: 3, rights: 4 }, { vmid, rights: 6 }];
  system.request('MEM_SHARE', { ...lent(vmid, [{ address: PAGE + 0x2000n, size: 0x2000n }]), acl });
  assert.equal(access(system, 3, PAGE + 0x3000n), 'r--');
  for (const handle of [0, 1, 2]) system.request('MEM_RECLAIM', { handle, flags: 0 });
  for (const page of [0n, 0x1000n, 0x2000n, 0x3000n]) assert.equal(access(system, 3, PAGE + page), 'rwx');
  system.hypervisor.checkInvariants();
});

test('donated and reclaimed memory keeps its content unless it is sanitised', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  const write = (value: number): void => { system.engine.memory.write(PAGE as never, Uint8Array.of(value)); };
  const read = (): number | undefined => system.engine.memory.read(PAGE as never, 1)[0];
  write(0x55);
  const handle = (flags: number): number => system.request('MEM_DONATE', { ...lent(vmid, [{ address: PAGE, size: 0x1000n }]), flags }).values?.handle ?? -1;
  system.request('MEM_RECLAIM', { handle: handle(0), flags: 0 });
  assert.equal(read(), 0x55);
  system.request('MEM_RECLAIM', { handle: handle(1), flags: 0 });
  assert.equal(read(), 0);
  write(0x66);
  system.request('MEM_RECLAIM', { handle: handle(0), flags: 1 });
  assert.equal(read(), 0);
});

test('giving memory checks its arguments with the documented errors', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  const good = lent(vmid, [{ address: PAGE, size: 0x1000n }]);
  const bad = (change: Partial<typeof good>, error: number): void => { system.request('MEM_LEND', { ...good, ...change }, error); };
  bad({ acl: [] }, 6);
  bad({ sgl: [] }, 6);
  bad({ acl: [{ vmid, rights: 7 }, { vmid, rights: 7 }] }, 6);
  bad({ acl: [{ vmid, rights: 2 }] }, 6);
  bad({ acl: [{ vmid: 0x99, rights: 7 }] }, 6);
  bad({ acl: [{ vmid: 3, rights: 7 }] }, 6);
  bad({ sgl: [{ address: PAGE + 1n, size: 0x1000n }] }, 6);
  bad({ sgl: [{ address: PAGE, size: 0x800n }] }, 6);
  bad({ sgl: [{ address: PAGE, size: 0n }] }, 0xa);
  bad({ sgl: [{ address: 0x8000_0000n, size: 0x1000n }] }, 0xa);
  bad({ sgl: [{ address: PAGE, size: 0x1000n }, { address: PAGE, size: 0x1000n }] }, 0xa);
  bad({ sgl: [{ address: 0xffff_ffff_ffff_f000n, size: 0x2000n }] }, 6);
  bad({ attributes: [{ attribute: 4, vmid }] }, 6);
  bad({ attributes: [{ attribute: 2, vmid: 3 }] }, 0xd);
  bad({ attributes: [{ attribute: 1, vmid }] }, 6);
  system.request<'MEM_SHARE'>('MEM_SHARE', good, 6);
  system.request('MEM_DONATE', { ...good, acl: [{ vmid, rights: 6 }] }, 3);
  assert.deepEqual(system.request('MEM_LEND', { ...good, memoryType: 2 }).values, { handle: 15 });
  system.request('MEM_LEND', good, 0xa);
  system.request('MEM_RECLAIM', { handle: 99, flags: 0 }, 7);
  system.request('MEM_RELEASE', { handle: 99, flags: 0 }, 7);
  system.request('MEM_RELEASE', { handle: 15, flags: 0 }, 7);
  system.request('MEM_APPEND', { handle: 15, flags: 1, sgl: [{ address: PAGE, size: 0x1000n }] }, 3);
});

/** Makes a request while the hypervisor's heap refuses one piece, after `passed` others: the error, what else the reply has, and whether there was one to refuse. */
function askWhileShort(system: SystemFixture, passed: number, [id, payload]: readonly [number, Uint8Array]): { readonly error: number; readonly value: number; readonly isShort: boolean } {
  const { heap } = system.hypervisor.kernel.partition;
  let asked = 0;
  heap.rule = { allows: () => asked++ !== passed };
  const reply = system.exchange(id, payload).find((message) => message.kind === 'reply')?.payload ?? new Uint8Array(4);
  heap.rule = undefined;
  const words = new DataView(reply.buffer, reply.byteOffset);
  return { error: words.getUint32(0, true), value: reply.length < 8 ? -1 : words.getUint32(4, true), isShort: asked > passed };
}

for (const kind of ['MEM_LEND', 'MEM_SHARE'] as const) {
  test(`whatever memory is refused to the hypervisor during ${kind} and MEM_RECLAIM, nothing is lost, and asking again helps`, () => {
    const system = new SystemFixture();
    const vmid = allocate(system);
    const sgl = [{ address: PAGE, size: 0x1000n }, { address: PAGE + 0x40_0000n, size: 0x2000n }];
    const acl = kind === 'MEM_SHARE' ? [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }] : [{ vmid, rights: 7 }];
    const give = [RM_REQUESTS[kind].id, encodePayload(RM_REQUESTS[kind].request, { ...lent(vmid, sgl), acl })] as const;
    const reclaim = (handle: number) => [RM_REQUESTS.MEM_RECLAIM.id, encodePayload(RM_REQUESTS.MEM_RECLAIM.request, { handle, flags: 0 })] as const;
    const extents = (): number => [...system.hypervisor.kernel.ofType('memextent')].length;
    const extentsBefore = extents();
    const errors = { give: new Set<number>(), reclaim: new Set<number>() };
    for (let passed = 0, isShort = true; isShort; passed++) {
      let given = askWhileShort(system, passed, give);
      isShort = given.isShort;
      errors.give.add(given.error);
      if (given.error !== 0) given = askWhileShort(system, Number.POSITIVE_INFINITY, give);
      assert.equal(given.error, 0);
      const taken = askWhileShort(system, passed, reclaim(given.value));
      isShort ||= taken.isShort;
      errors.reclaim.add(taken.error);
      if (taken.error !== 0) system.request('MEM_RECLAIM', { handle: given.value, flags: 0 });
      for (const { address, size } of sgl) for (const at of [address, address + size - 0x1000n]) assert.equal(access(system, 3, at), 'rwx');
      assert.equal(extents(), extentsBefore);
      system.hypervisor.checkInvariants();
    }
    const refusals = kind === 'MEM_SHARE' ? ['0', '1', '10', '9'] : ['0', '1', '10'];
    assert.deepEqual([[...errors.give].map(String).sort(), [...errors.reclaim].map(String).sort()], [refusals, ['0', '1']]);
  });
}

test('a VM owns at most 64 parcels', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  for (let n = 0; n < 64; n++) system.request('MEM_LEND', lent(vmid, [{ address: PAGE + BigInt(n) * 0x1000n, size: 0x1000n }]));
  system.request('MEM_LEND', lent(vmid, [{ address: PAGE + 0x4_0000n, size: 0x1000n }]), 3);
});

test('a parcel can be described in several messages', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  const first = system.request('MEM_LEND', { ...lent(vmid, [{ address: PAGE, size: 0x1000n }]), flags: 2 }).values?.handle ?? -1;
  system.request('MEM_APPEND', { handle: first, flags: 0, sgl: [] }, 6);
  system.request('MEM_APPEND', { handle: first, flags: 0, sgl: [{ address: PAGE + 0x1000n, size: 0x1000n }] });
  system.request('MEM_APPEND', { handle: first, flags: 1, sgl: [{ address: PAGE + 0x5000n, size: 0x1000n }] });
  system.request('MEM_APPEND', { handle: first, flags: 1, sgl: [{ address: PAGE + 0x6000n, size: 0x1000n }] }, 3);
  assert.deepEqual(system.rm.inspect().parcels[0]?.ranges.map((range) => range.address), [PAGE, PAGE + 0x1000n, PAGE + 0x5000n]);
});

/** Where the primary VM puts a guest's image. */
const IMAGE = 0x4040_0000n;
const IMAGE_SIZE = 0x20_0000n;
const DTB_OFFSET = 0x10_0000n;

/** What a virtual machine monitor does to start a VM, as Linux 6.x does it. */
function createVm(system: SystemFixture, dts: string): number {
  const vmid = allocate(system);
  system.engine.memory.write((IMAGE + 0x8_0000n) as never, Uint8Array.of(0xc0, 0x03, 0x5f, 0xd6));
  system.engine.memory.write((IMAGE + DTB_OFFSET) as never, dtb(dts));
  const handle = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE, size: IMAGE_SIZE }])).values?.handle ?? -1;
  assert.deepEqual(system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0x8_0000n, imageSize: 0n, dtbOffset: DTB_OFFSET, dtbSize: 0x1_0000n }).log,
    [`VM_STATUS vmid=${vmid} vmState=1 osState=0 appStatus=0`, 'reply']);
  return vmid;
}

const GUEST = vmTree({
  name: 'crosvm-vm', vcpus: 'affinity = "proxy";', memory: 'base-address = <0 0x80000000>; size-max = <0x80000000>;',
  vdevices: 'bell-0 { vdevice-type = "doorbell"; generate = "/hypervisor/bell-0"; label = <0>; peer-default; source-can-clear; interrupts = <0 40 1>; };',
});

test('the primary VM creates, starts, stops, resets and deletes a VM out of its own memory', () => {
  const system = new SystemFixture();
  const vmid = createVm(system, GUEST);
  assert.deepEqual(system.request('VM_INIT', { vmid }).log, [`VM_STATUS vmid=${vmid} vmState=2 osState=0 appStatus=0`, 'reply']);
  const resources = system.request('VM_GET_HYP_RESOURCES', { vmid }).values?.resources ?? [];
  assert.deepEqual(resources.map((entry) => [entry.type, entry.label, entry.virq]), [[4, 0, 0x3c2], [0, 0, 0]]);
  assert.equal(access(system, 3, IMAGE), 'none');
  assert.deepEqual(system.request('VM_START', { vmid }).log, [`VM_STATUS vmid=${vmid} vmState=3 osState=0 appStatus=0`, 'reply']);
  assert.equal(access(system, 3, IMAGE), 'none');
  assert.equal(system.engine.vcpu(system.thread(vmid).engineVcpu ?? 0).pc, 0x8008_0000n);
  const root = system.readTree(system.translate(vmid, 0x8010_0000n)).root;
  assert.deepEqual(root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x20_0000]);
  assert.deepEqual(root.at('/hypervisor/bell-0@0')?.property('interrupts')?.u32s, [0, 40, 1]);
  assert.equal(root.at('/hypervisor/qcom,gunyah-vm')?.string('qcom,image-name'), 'crosvm-vm');
  system.request('MEM_RECLAIM', { handle: 0, flags: 0 }, 0xb);
  system.request('VM_STOP', { vmid, flags: 1, reason: 3 });
  assert.deepEqual(system.request('VM_RESET', { vmid }).log, [
    `VM_STATUS vmid=${vmid} vmState=10 osState=0 appStatus=0`, 'reply', `MEM_RELEASED handle=0 vmid=${vmid} tag=0`, `VM_STATUS vmid=${vmid} vmState=11 osState=0 appStatus=0`,
  ]);
  system.request('MEM_RECLAIM', { handle: 0, flags: 0 });
  assert.equal(access(system, 3, IMAGE), 'rwx');
  system.request('VM_DEALLOCATE', { vmid });
  system.request('VM_GET_STATE', { vmid }, 2);
  assert.deepEqual(system.trace.filter((event) => event.event === 'report'), []);
  system.hypervisor.checkInvariants();
});

test('accesses below 1 GiB of a VM that another VM loaded go to its scheduler; a VM of the platform has no such range', () => {
  const system = new SystemFixture([{ dts: GUEST }]);
  const vmid = createVm(system, GUEST);
  system.request('VM_INIT', { vmid });
  assert.deepEqual(system.thread(vmid).addrspace?.vmmioRanges, [{ base: 0n, sizeBytes: 0x4000_0000n }]);
  assert.deepEqual(system.thread(0x80).addrspace?.vmmioRanges, []);
});

test('a VMID can be used again and again', () => {
  const system = new SystemFixture();
  for (let round = 0; round < 5; round++) {
    const vmid = createVm(system, GUEST);
    assert.equal(vmid, 0x80);
    system.request('VM_INIT', { vmid });
    if (round % 2 === 0) system.request('VM_START', { vmid });
    if (round % 2 === 0) system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
    system.request('VM_RESET', { vmid });
    system.request('MEM_RECLAIM', { handle: round, flags: 0 });
    system.request('VM_DEALLOCATE', { vmid });
  }
  system.hypervisor.checkInvariants();
});

test('VM_CONFIG_IMAGE refuses what does not fit the parcel, and the VM has failed', () => {
  const system = new SystemFixture();
  const configure = (change: Partial<RmArguments<'VM_CONFIG_IMAGE'>>, error: number): void => {
    const vmid = allocate(system);
    const { handle = 0 } = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE + BigInt(vmid) * 0x1000n, size: 0x1000n }])).values ?? {};
    system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0n, imageSize: 0n, dtbOffset: 0n, dtbSize: 0x1000n, ...change }, error);
    assert.equal(system.request('VM_GET_STATE', { vmid }).values?.vmState, error === 0 ? 1 : 8);
  };
  configure({}, 0);
  configure({ handle: 77 }, 0xa);
  configure({ dtbSize: 0x1001n }, 6);
  configure({ imageOffset: 0xffff_ffff_ffff_ffffn, imageSize: 2n }, 6);
  configure({ auth: 3 }, 6);
  system.request('VM_CONFIG_IMAGE', { vmid: 3, auth: 0, handle: 0, imageOffset: 0n, imageSize: 0n, dtbOffset: 0n, dtbSize: 0n }, 3);
  system.request('VM_INIT', { vmid: 0x80 }, 0xa);
  system.request('VM_INIT', { vmid: 0x80 }, 0x14);
});

test('a parcel with the label of a shared-memory vdevice is mapped at its base and described in the tree', () => {
  const system = new SystemFixture();
  const dts = GUEST.replace('vdevices { ', 'vdevices { shm-1 { vdevice-type = "shm"; generate = "/hypervisor/shm-1"; label = <0x15>; peer-default; dma_base = <0 0>; memory { label = <0x15>; #address-cells = <2>; base = <0 0xa0000000>; }; }; ');
  const vmid = createVm(system, dts);
  system.request('VM_INIT', { vmid });
  const acl = [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }];
  system.request('MEM_SHARE', { ...lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x2000n }], 0x15), acl });
  system.request('VM_START', { vmid });
  assert.equal(access(system, vmid, 0xa000_1000n), 'rw-');
  const root = system.readTree(system.translate(vmid, 0x8010_0000n)).root;
  const buffer = root.at('/reserved-memory/buffer@a0000000');
  assert.deepEqual([buffer?.u32('qcom,rm-mem-handle'), buffer?.u32('qcom,label')], [1, 0x15]);
  assert.equal(root.at('/hypervisor/shm-1')?.u32('memory-region'), buffer?.u32('phandle'));
  assert.deepEqual(root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x20_0000, 0, 0xa000_0000, 0, 0x2000]);
});

test('a running VM accepts, uses and releases a parcel', () => {
  const system = new SystemFixture();
  const vmid = createVm(system, GUEST.replace('vdevices { ', `vdevices { ${RPC} `));
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
  const acl = [{ vmid: 3, rights: 6 }, { vmid, rights: 4 }];
  const { handle = 0 } = system.request('MEM_SHARE', { ...lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x1000n }], 5), acl }).values ?? {};
  system.request('MEM_NOTIFY', { handle, flags: 1, tag: 0xabc, vmids: [{ vmid }] });
  const [shared] = system.secondaryReceive(vmid).filter((message) => message.kind === 'notification');
  assert.equal(Buffer.from(shared?.payload ?? []).toString('hex'), '01000000000200000300000005000000bc0a000002000000030006008000040001000000001000000000000000000000');
  assert.equal(system.secondaryRequest(vmid, 0x5100_0011, [1, 0, 0, 0, 0, 2, 0x84, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), '08000000');
  assert.equal(system.secondaryRequest(vmid, 0x5100_0011, [1, 0, 0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), '06000000');
  const reply = system.secondaryRequest(vmid, 0x5100_0011, [1, 0, 0, 0, 0, 2, 0x84, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(reply, '000000000100000000100040000000000010000000000000');
  assert.equal(access(system, vmid, 0x4000_1000n), 'r--');
  system.request('MEM_RECLAIM', { handle, flags: 0 }, 0xb);
  assert.equal(system.secondaryRequest(vmid, 0x5100_0017, [1, 0, 0, 0, 4, 0, 0, 0, 0xbc, 0xa, 0, 0]), '00000000');
  assert.deepEqual(system.receiveAll().map((message) => message.id), [0x5110_0013]);
  assert.equal(system.secondaryRequest(vmid, 0x5100_0014, [1, 0, 0, 0, 0, 0, 0, 0]), '00000000');
  assert.equal(system.secondaryRequest(vmid, 0x5100_0014, [1, 0, 0, 0, 0, 0, 0, 0]), '0c000000');
  assert.equal(access(system, vmid, 0x4000_1000n), 'none');
  system.request('MEM_RECLAIM', { handle, flags: 0 });
  system.hypervisor.checkInvariants();
});

test('a secondary VM shares memory of its own with the primary VM, and takes it back with its reset', () => {
  const system = new SystemFixture([{ dts: vmTree({ vdevices: RPC }), autostart: true }]);
  system.receiveAll();
  const vmid = 0x80;
  system.engine.memory.write(pa(system.translate(vmid, 0x8004_0000n)), Uint8Array.of(0x77));
  const payload = encodePayload(RM_REQUESTS.MEM_SHARE.request, {
    memoryType: 0, flags: 0, label: 9, acl: [{ vmid, rights: 6 }, { vmid: 3, rights: 6 }], sgl: [{ address: 0x8004_0000n, size: 0x1000n }], attributes: [],
  });
  assert.equal(system.secondaryRequest(vmid, RM_REQUESTS.MEM_SHARE.id, [...payload]), '0000000000000000');
  const accepted = system.request('MEM_ACCEPT', { handle: 0, memoryType: 0, transactionType: 2, flags: 0x80, label: 0, acl: [], sgl: [], mapVmid: 0, attributes: [] }).values?.sgl[0];
  assert.equal(accepted?.size, 0x1000n);
  assert.equal(system.engine.memory.read(pa(system.translate(3, accepted.address)), 1)[0], 0x77);
  assert.equal(access(system, 3, accepted.address), 'rw-');
  system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid });
  assert.equal(access(system, 3, accepted.address), 'none');
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
  system.hypervisor.checkInvariants();
});

test('memory cannot be accepted over something that is already there', () => {
  const system = new SystemFixture([{ dts: vmTree({ vdevices: RPC }), autostart: true }]);
  system.receiveAll();
  const payload = encodePayload(RM_REQUESTS.MEM_DONATE.request, { memoryType: 0, flags: 0, label: 0, acl: [{ vmid: 3, rights: 7 }], sgl: [{ address: 0x8004_0000n, size: 0x2000n }], attributes: [] });
  assert.equal(system.secondaryRequest(0x80, RM_REQUESTS.MEM_DONATE.id, [...payload]), '0000000000000000');
  const accept = (sgl: RmArguments<'MEM_ACCEPT'>['sgl'], error = 0): void => {
    system.request('MEM_ACCEPT', { handle: 0, memoryType: 0, transactionType: 0, flags: 0x80, label: 0, acl: [], sgl, mapVmid: 0, attributes: [] }, error);
  };
  accept([{ address: 0x4000_0000n, size: 0x2000n }], 2);
  accept([{ address: 0x0800_0000n, size: 0x2000n }], 2);
  accept([{ address: 0x0900_0000n, size: 0x2000n }], 2);
  accept([{ address: 0x5000_0000n, size: 0x1000n }], 6);
  accept([{ address: 0x5000_0800n, size: 0x2000n }], 6);
  accept([{ address: 0x5000_0000n, size: 0x1000n }, { address: 0x6000_0000n, size: 0x1000n }], 6);
  // The primary VM sees all memory where the platform has it.
  const place = system.translate(0x80, 0x8004_0000n);
  accept([{ address: BigInt(place), size: 0x2000n }]);
  assert.equal(access(system, 3, BigInt(place)), 'rwx');
  accept([], 7);
  system.hypervisor.checkInvariants();
});

test('an image that is shared, as Linux 6.3 to 6.6 series do it, starts too and stays visible to the owner', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  system.engine.memory.write(pa(IMAGE + DTB_OFFSET), dtb(GUEST));
  const acl = [{ vmid: 3, rights: 7 }, { vmid, rights: 7 }];
  const sgl = Array.from({ length: 64 }, (_, n) => ({ address: IMAGE + BigInt(n) * 0x8000n, size: 0x8000n }));
  const { handle = -1 } = system.request<'MEM_SHARE'>('MEM_SHARE', { ...lent(vmid, sgl), acl }).values ?? {};
  system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0n, imageSize: 0n, dtbOffset: DTB_OFFSET, dtbSize: 0x1_0000n });
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
  assert.deepEqual([access(system, 3, IMAGE), access(system, vmid, 0x801f_f000n)], ['rwx', 'rwx']);
  assert.deepEqual(system.readTree(system.translate(vmid, 0x8010_0000n)).root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x20_0000]);
});

test('a VM that was lent private memory beside its image does not start, as with the real RM', () => {
  const system = new SystemFixture();
  const vmid = createVm(system, GUEST);
  const { handle = -1 } = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x10_0000n }])).values ?? {};
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid }, 3);
  assert.equal(system.request('VM_GET_STATE', { vmid }).values?.vmState, 8);
  system.request('VM_RESET', { vmid });
  system.request('MEM_RECLAIM', { handle, flags: 0 });
  assert.equal(access(system, 3, IMAGE + IMAGE_SIZE), 'rwx');
});

test('in Linux’s profile private memory follows the image directly', () => {
  const system = new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } });
  const vmid = createVm(system, GUEST);
  system.request('MEM_LEND', lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x10_0000n }]));
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
  assert.equal(system.translate(vmid, 0x8020_0000n), IMAGE + IMAGE_SIZE);
  assert.deepEqual(system.readTree(system.translate(vmid, 0x8010_0000n)).root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x30_0000]);
});

for (const base of [0x4000_0000, 0x20_0000]) test(`an image at ${base.toString(16)} starts only in Linux’s profile: the real RM has its page or its devices there`, () => {
  for (const profile of ['open-2023-12', 'linux'] as const) {
    const system = new SystemFixture([], { rm: { profile, drivers: 'current' } });
    const vmid = createVm(system, GUEST.replace('<0 0x80000000>', `<0 ${base}>`));
    system.request('VM_INIT', { vmid });
    system.request('VM_START', { vmid }, profile === 'linux' ? 0 : 2);
    if (profile === 'linux') assert.equal(system.translate(vmid, BigInt(base)), IMAGE);
  }
});

test('a parcel that is not complete is the VM’s from its start on, and its owner cannot add to it any more', () => {
  const system = new SystemFixture();
  const vmid = createVm(system, GUEST);
  const page = (n: number): { address: bigint; size: bigint } => ({ address: IMAGE + IMAGE_SIZE + BigInt(n) * 0x1000n, size: 0x1000n });
  const { handle = -1 } = system.request<'MEM_LEND'>('MEM_LEND', { ...lent(vmid, [page(0)], 0x51), flags: 2 }).values ?? {};
  system.request('MEM_APPEND', { handle, flags: 0, sgl: [page(1)] });
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
  assert.deepEqual([access(system, vmid, 0x4000_1000n), access(system, vmid, 0x4000_2000n)], ['rwx', 'rwx']);
  system.request('MEM_APPEND', { handle, flags: 1, sgl: [page(2)] }, 3);
  const buffer = system.readTree(system.translate(vmid, 0x8010_0000n)).root.at('/reserved-memory')?.children[0];
  assert.deepEqual(buffer?.property('peers')?.u32s, [vmid], 'who lends it does not see it');
});

test('a device tree without room for what RM adds fails the start', () => {
  const system = new SystemFixture();
  const vmid = allocate(system);
  // Room for a page, of which the tree takes nearly all.
  const blob = dtb(GUEST.replace('/dts-v1/;', `/dts-v1/; / { filler = "${'x'.repeat(0x1000 - 128 - dtb(GUEST).length)}"; };`));
  assert.ok(blob.length > 0x1000 - 128 && blob.length <= 0x1000);
  system.engine.memory.write(pa(IMAGE + DTB_OFFSET), blob);
  const { handle = -1 } = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE, size: IMAGE_SIZE }])).values ?? {};
  system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0n, imageSize: 0n, dtbOffset: DTB_OFFSET, dtbSize: 0x1000n });
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid }, 2);
  assert.equal(system.request('VM_GET_STATE', { vmid }).values?.vmState, 8);
  system.request('VM_RESET', { vmid });
  system.request('MEM_RECLAIM', { handle, flags: 0 });
  assert.equal(access(system, 3, IMAGE), 'rwx');
});

/** What the real Resource Manager was seen to make of the device trees of VMs that another VM makes, and what it passes over in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pa } from '../../runtime/base/brands';
import { allocate, AT_GUEST_BASE, configure, destroy, DTB_OFFSET, GUEST_BASE, IMAGE, start } from './made-vm';
import { SystemFixture } from './system-fixture';
import { vmTree } from './trees';

const PROXY = 'affinity = "proxy";';
const [OK, NORESOURCE, DENIED, ARGUMENT_INVALID, MEM_INVALID, VM_STATE] = [0, 2, 3, 6, 0xa, 0x14];

function treeWith(memory: string, name = 'guest'): string {
  return vmTree({ vcpus: PROXY, memory, name });
}

function checkInit(dts: string, expected: number): { readonly system: SystemFixture; readonly vmid: number } {
  const system = new SystemFixture();
  const { vmid } = configure(system, dts);
  system.request('VM_INIT', { vmid }, expected);
  return { system, vmid };
}

function checkStart(dts: string, expected: number): void {
  const { system, vmid } = checkInit(dts, OK);
  system.request('VM_START', { vmid }, expected);
}

test('a VM is entered where VM_CONFIG_IMAGE says that its image begins; kernel-entry-offset has no effect', () => {
  const system = new SystemFixture();
  const dts = treeWith(AT_GUEST_BASE).replace('image-name', 'kernel-entry-offset = <0 0x80000>; image-name');
  const { vmid } = configure(system, dts, { imageOffset: 0x2_0000n, imageSize: 0x1_0000n });
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
  assert.equal(system.engine.vcpu(system.thread(vmid).engineVcpu ?? 0).pc, GUEST_BASE + 0x2_0000n);
});

test('a VM whose tree has no /chosen cannot start; an empty one will do, with a unit address too', () => {
  checkStart(treeWith(AT_GUEST_BASE).replace('chosen {};', ''), NORESOURCE);
  checkStart(treeWith(AT_GUEST_BASE).replace('chosen {};', 'chosen@0 {};'), OK);
});

test('addresses of memory are two cells and sizes one, whatever the tree says of cells', () => {
  const counts = '#address-cells = <2>; #size-cells = <2>;\n    image-name';
  for (const cells of [counts, counts.replaceAll('<2>', '<1>'), 'image-name']) {
    const tree = (memory: string): string => treeWith(memory).replace(counts, cells);
    checkStart(tree(AT_GUEST_BASE), OK);
    checkStart(tree('base-address = <0x80000000>;'), NORESOURCE);
    checkInit(tree(`${AT_GUEST_BASE} size-max = <0x800>;`), MEM_INVALID);
    checkInit(tree(`${AT_GUEST_BASE} size-max = <0 0x800>;`), OK);
    checkInit(tree(`${AT_GUEST_BASE} size-min = <0x800>;`), MEM_INVALID);
    checkInit(tree(`${AT_GUEST_BASE} firmware-size-max = <0 0x800>;`), OK);
  }
});

test('base-mem-constraints may ask for normal memory and compatible memory, and for nothing of the platform’s', () => {
  for (const constraints of ['<0 0>', '<4 0>', '<0x40 0>', '<4>']) checkInit(treeWith(`${AT_GUEST_BASE} base-mem-constraints = ${constraints};`), OK);
  for (const constraints of ['<1 0>', '<2 0>', '<8 0>', '<0x10 0>', '<0x20 0>', '<0x54 0>', '<0x80 0>', '<0 1>', '<1>']) {
    checkInit(treeWith(`${AT_GUEST_BASE} base-mem-constraints = ${constraints};`), ARGUMENT_INVALID);
  }
});

test('a VM that asks for crash-fatal is refused, and stays for ever', () => {
  const { system, vmid } = checkInit(treeWith(AT_GUEST_BASE).replace('image-name', 'vm-attrs = "crash-fatal"; image-name'), ARGUMENT_INVALID);
  system.request('VM_RESET', { vmid }, DENIED);
  system.request('VM_DEALLOCATE', { vmid }, VM_STATE);
  assert.notEqual(allocate(system), vmid);
});

test('a VM that asks for errors of the memory has no vCPUs', () => {
  checkInit(treeWith(AT_GUEST_BASE).replace('image-name', 'vm-attrs = "ras-error-handler"; image-name'), NORESOURCE);
});

test('a VM that is not proxy-scheduled needs a time slice and is listed by the CPU of its vCPU', () => {
  const vcpus = (slice: string): string => vmTree({ vcpus: `affinity = "static"; affinity-map = <1>; sched-priority = <(-1)>; ${slice}`, memory: AT_GUEST_BASE });
  checkInit(vcpus('').replace(/sched-timeslice = <\d+>; */, ''), NORESOURCE);
  const { system, vmid } = checkInit(vcpus('sched-timeslice = <2000>;'), OK);
  assert.deepEqual(system.request('VM_GET_HYP_RESOURCES', { vmid }).values?.resources.map(({ type, label }) => [type, label]), [[4, 1]]);
});

test('the path of the CPU nodes is a full one', () => {
  checkInit(treeWith(AT_GUEST_BASE).replace('config = "/cpus"', 'config = "cpus"'), MEM_INVALID);
});

test('what an authenticated VM leaves in its memory is gone when its owner has it back, what another leaves is not', () => {
  for (const [auth, expected] of [[0, 0xd0], [1, 0]] as const) {
    const system = new SystemFixture();
    const { vmid, handle } = configure(system, treeWith(AT_GUEST_BASE), { auth });
    if (auth === 1) system.request('VM_AUTH_IMAGE', { vmid, parameters: [] });
    system.request('VM_INIT', { vmid });
    system.request('VM_START', { vmid });
    system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
    system.request('VM_RESET', { vmid });
    system.request('MEM_RECLAIM', { handle, flags: 0 });
    assert.equal(system.engine.memory.read(pa(IMAGE + DTB_OFFSET), 1)[0], expected);
  }
});

test('shared memory that is optional has its node without its parcel, which then names no memory', () => {
  const system = new SystemFixture();
  const shm = 'sh { vdevice-type = "shm"; generate = "/hypervisor/sh"; label = <0x31>; peer-default; memory { label = <0x31>; base = <0 0x90000000>; optional; }; };';
  const { vmid } = start(system, vmTree({ vcpus: PROXY, memory: AT_GUEST_BASE, vdevices: shm }));
  const node = system.readTree(system.translate(vmid, GUEST_BASE + DTB_OFFSET)).root.at('/hypervisor/sh');
  assert.deepEqual(node?.properties.map(({ name }) => name).sort(), ['compatible', 'label', 'peer', 'qcom,label']);
});

test('a VM without PSCI, which powers its vCPUs by calls, leaves nothing behind: its number can be used again', () => {
  const system = new SystemFixture();
  const dts = treeWith(AT_GUEST_BASE).replace(/psci \{.*\};/, '').replace('enable-method = "psci"; cpu-idle-states = <1>;', '');
  const made = start(system, dts);
  destroy(system, made);
  for (let life = 0; life < 3; life++) {
    const again = start(system, dts);
    assert.equal(again.vmid, made.vmid);
    destroy(system, again);
  }
  system.hypervisor.checkInvariants();
});

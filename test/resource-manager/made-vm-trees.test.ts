/** What the real Resource Manager was seen to make of the device trees of VMs that another VM makes, and what it passes over in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pa } from '../../runtime/base/brands';
import { allocate, AT_GUEST_BASE, configure, destroy, DTB_OFFSET, GUEST_BASE, IMAGE, IMAGE_SIZE, lent, start } from './made-vm';
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

const GIC_REG = 'reg = <0 0x08000000 0 0x10000>, <0 0x080a0000 0 0x20000>;';

test('an interrupt controller without reg gets the lowest free frames, behind the page of information', () => {
  const system = new SystemFixture();
  const { vmid } = start(system, treeWith(AT_GUEST_BASE).replace(GIC_REG, ''));
  const gic = system.readTree(system.translate(vmid, GUEST_BASE + DTB_OFFSET)).root.at('/interrupt-controller@8000000');
  assert.deepEqual(gic?.property('reg')?.u32s, [0, 0x4001_0000, 0, 0x1_0000, 0, 0x4002_0000, 0, 0x2_0000]);
});

test('frames of the interrupt controller lie at multiples of 64 KiB and do not overlap', () => {
  const at = (gicd: string, gicr: string): string => treeWith(AT_GUEST_BASE).replace(GIC_REG, `reg = <0 ${gicd} 0 0x10000>, <0 ${gicr} 0 0x40000>;`);
  for (const [gicd, gicr] of [['0x8001000', '0x80a1000'], ['0x8000800', '0x80a0800'], ['0x8000000', '0x8000000'], ['0x8010000', '0x8000000']] as const) checkInit(at(gicd, gicr), NORESOURCE);
  for (const [gicd, gicr] of [['0x3fff0000', '0x3ffd0000'], ['0x8000000', '0x8010000']] as const) checkStart(at(gicd, gicr), OK);
});

test('a node in /reserved-memory says with reg where a parcel of the VM lies, or has no reg', () => {
  const reserved = (node: string, vdevices = ''): string => vmTree({ vcpus: PROXY, memory: AT_GUEST_BASE, vdevices, extra: `reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; ${node} };` });
  for (const node of ['', 'a { size = <0 0x1000>; };', 'a@80000000 { reg = <0 0x80000000 0 0x200000>; };']) checkStart(reserved(node), OK);
  for (const node of ['a@80100000 { reg = <0 0x80100000 0 0x1000>; };', 'a@90000000 { reg = <0 0x90000000 0 0x1000>; };', 'a { qcom,label = <9>; };']) checkStart(reserved(node), NORESOURCE);
  const shared = 'sh { vdevice-type = "shm"; generate = "/hypervisor/sh"; label = <0x31>; peer-default; memory { label = <0x31>; base = <0 0x90000000>; }; };';
  const system = new SystemFixture();
  const { vmid } = configure(system, reserved('a@90000000 { reg = <0 0x90000000 0 0x1000>; };', shared));
  system.request('MEM_SHARE', { ...lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x1000n }], 0x31), acl: [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }] });
  system.request('VM_INIT', { vmid });
  system.request('VM_START', { vmid });
});

test('a VM whose tree names no interrupt controller cannot start; the root may name it', () => {
  const without = treeWith(AT_GUEST_BASE).replace('interrupts { config = "/interrupt-controller@8000000"; };', '');
  checkStart(without, OK);
  checkStart(without.replace('interrupt-parent = <&intc>;', ''), NORESOURCE);
});

test('a priority more than 32 below the owner’s is none', () => {
  const tree = (priority: number): string => vmTree({ vcpus: `affinity = "static"; affinity-map = <1>; sched-priority = <(${String(priority)})>; sched-timeslice = <2000>;`, memory: AT_GUEST_BASE });
  checkInit(tree(-32), OK);
  checkInit(tree(-33), NORESOURCE);
  checkInit(tree(0), NORESOURCE);
});

test('of two configurations the later says what the VM is, part by part', () => {
  const system = new SystemFixture();
  const second = 'qcom,vm-config { image-name = "other"; memory { base-address = <0 0x90000000>; }; };';
  const { vmid } = start(system, vmTree({ vcpus: PROXY, memory: AT_GUEST_BASE, extra: second }));
  assert.equal(system.engine.vcpu(system.thread(vmid).engineVcpu ?? 0).pc, 0x9000_0000n);
  assert.equal(system.readTree(system.translate(vmid, 0x9000_0000n + DTB_OFFSET)).root.at('/hypervisor/qcom,gunyah-vm')?.string('qcom,image-name'), 'other');
});

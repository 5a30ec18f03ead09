import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pa } from '../../runtime/base/brands';
import { LinuxDriver, type Series, type Told } from './linux-driver';
import { access } from './made-vm';
import { bytesOf, h16, h32, h64, h8 } from './messages/case';
import { dtb, SystemFixture } from './system-fixture';
import { vmTree } from './trees';

const OWN = 3;
const GUEST = 0x80;
const IMAGE = 0x4040_0000n;
const DTB_OFFSET = 0x1_0000n;
const MORE = 0x4050_0000n;
const BASE = 0x8000_0000n;

function probe(system: SystemFixture, series: Series): LinuxDriver {
  const driver = LinuxDriver.probe(system, series);
  assert.ok(driver, `series ${series} recognises the hypervisor`);
  return driver;
}

test('each generation of drivers recognises the identity that is meant for it, and no other', () => {
  const knows = (identity: 'gunyah' | 'gunyah-legacy', series: Series, profile: 'open-2023-12' | 'linux' = 'open-2023-12'): boolean =>
    LinuxDriver.probe(new SystemFixture([], { identity, rm: { profile, drivers: identity === 'gunyah-legacy' ? 'legacy' : 'current' } }), series) !== undefined;
  assert.deepEqual([knows('gunyah', 'v4'), knows('gunyah', 'v14')], [false, true]);
  assert.deepEqual([knows('gunyah-legacy', 'v4'), knows('gunyah-legacy', 'v14')], [true, false]);
  assert.deepEqual([knows('gunyah', 'v17'), knows('gunyah', 'v17', 'linux')], [false, true]);
});

const TREE = vmTree({
  name: 'crosvm-vm', vcpus: 'affinity = "proxy";', memory: 'base-address = <0 0x80000000>;',
  vdevices: 'bell-4 { vdevice-type = "doorbell"; generate = "/hypervisor/bell-4"; label = <4>; peer-default; source-can-clear; interrupts = <0 4 1>; };',
});
/** mov w0, #0x84000008; hvc #0: the guest switches itself off. */
const PROGRAM = [0x5280_0100, 0x72b0_8000, 0xd400_0002];

/** Puts a guest's program and tree into the primary VM's memory. */
function loadGuest(system: SystemFixture, tree = TREE): void {
  system.engine.memory.write(pa(IMAGE + DTB_OFFSET), dtb(tree));
  PROGRAM.forEach((word, n) => { system.engine.memory.writeU32(pa(IMAGE + BigInt(4 * n)), word); });
}

/** Entries of pages with a page between each two, as pinned user memory often is. */
function scattered(base: bigint, count: number): readonly (readonly [bigint, bigint])[] {
  return Array.from({ length: count }, (_, n): readonly [bigint, bigint] => [base + BigInt(n) * 0x2000n, 0x1000n]);
}

const ENTRIES_MAX = 512;

/** MEM_SHARE or MEM_LEND as the VM driver sends it, with MEM_APPEND for what does not fit one message; the handle. */
function give(driver: LinuxDriver, how: 'share' | 'lend', region: { readonly label: number; readonly entries: readonly (readonly [bigint, bigint])[]; readonly rights?: number }): number {
  const { label, entries, rights = 7 } = region;
  const acl = how === 'share' ? `${h16(2)} 0000 ${h16(GUEST)} ${h8(rights)} 00 ${h16(OWN)} 07 00` : `${h16(1)} 0000 ${h16(GUEST)} ${h8(rights)} 00`;
  const list = (part: typeof entries): string => `${h16(part.length)} 0000 ${part.map(([address, size]) => h64(address) + h64(size)).join('')}`;
  const rest = entries.length > ENTRIES_MAX;
  const reply = driver.done(how === 'share' ? 0x5100_0013 : 0x5100_0012, bytesOf(`00 00 ${h8(rest ? 2 : 0)} 00 ${h32(label)} ${acl} ${list(entries.slice(0, ENTRIES_MAX))} 0000 0000`));
  const handle = new DataView(reply.buffer, reply.byteOffset).getUint32(0, true);
  for (let at = ENTRIES_MAX; at < entries.length; at += ENTRIES_MAX) {
    const isLast = at + ENTRIES_MAX >= entries.length;
    driver.done(0x5100_0018, bytesOf(`${h32(handle)} ${h8(isLast ? 1 : 0)} 000000 ${list(entries.slice(at, at + ENTRIES_MAX))}`));
  }
  return handle;
}

interface HypResource { readonly type: number; readonly label: number; readonly cap: bigint; readonly virq: number }

/** VM_GET_HYP_RESOURCES with the driver's check of the length. */
function resourcesOf(driver: LinuxDriver): readonly HypResource[] {
  const data = driver.done(0x5600_0020, bytesOf(`${h16(GUEST)} 0000`));
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const count = view.getUint32(0, true);
  assert.equal(data.length, 4 + 44 * count);
  return Array.from({ length: count }, (_, n) => ({
    type: view.getUint8(4 + 44 * n), label: view.getUint32(12 + 44 * n, true), cap: view.getBigUint64(16 + 44 * n, true), virq: view.getUint32(28 + 44 * n, true),
  }));
}

const vm = `${h16(GUEST)} 0000`;
const isStatus = (state: number) => ({ id, payload }: Told): boolean => id === 0x5610_0008 && payload[0] === GUEST && payload[4] === state;
const isExited = ({ id, payload }: Told): boolean => id === 0x5610_0001 && payload[0] === GUEST;

/** Tear-down once the last file is closed: each step waits as the driver does, for ever if nothing comes. */
function close(driver: LinuxDriver, handles: readonly number[]): void {
  driver.done(0x5600_0006, bytesOf(vm));
  assert.ok(driver.wait(isStatus(11)), 'VM_STATUS says that the reset is done');
  for (const handle of handles) driver.done(0x5100_0015, bytesOf(`${h32(handle)} 00 000000`));
  driver.done(0x5600_0002, bytesOf(vm));
}

/** START of series v11 to v14; regions are given in the order opposite to their registration. */
function start(driver: LinuxDriver, how: 'share' | 'lend'): { readonly handles: readonly number[]; readonly vcpu: HypResource; readonly bell: HypResource } {
  assert.deepEqual([...driver.done(0x5600_0001, bytesOf('0000 0000'))], [GUEST, 0, 0, 0]);
  const more = give(driver, how, { label: 0, entries: scattered(MORE, 600) });
  const image = give(driver, how, { label: 0, entries: [[IMAGE, 0x10_0000n]] });
  driver.done(0x5600_0009, bytesOf(`${h16(GUEST)} ${h16(0)} ${h32(image)} ${h64(0)} ${h64(0)} ${h64(DTB_OFFSET)} ${h64(0x4000)}`));
  driver.done(0x5600_000b, bytesOf(vm));
  const resources = resourcesOf(driver);
  const vcpu = resources.find(({ type, label }) => type === 4 && label === 0);
  const bell = resources.find(({ type, label }) => type === 0 && label === 4);
  assert.ok(vcpu !== undefined && bell !== undefined, 'the vCPU and the interrupt line are there');
  for (const { virq } of resources) assert.ok(virq === 0 || (virq >= 32 && virq < 1020), `interrupt ${virq} can be mapped`);
  driver.done(0x5600_0004, bytesOf(vm));
  return { handles: [more, image], vcpu, bell };
}

for (const how of ['share', 'lend'] as const) {
  test(`the VM manager of ${how === 'share' ? 'series v14' : 'Android 14'} makes a VM, runs it to its end and takes everything back, twice`, () => {
    // The open Resource Manager does not start a VM that was given its private memory in two parcels.
    const system = new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } });
    const driver = probe(system, 'v14');
    for (let life = 0; life < 2; life++) {
      loadGuest(system);
      assert.deepEqual([...driver.done(0x5600_0024, new Uint8Array())], [OWN, 0, 0, 0]);
      const { handles, vcpu, bell } = start(driver, how);
      assert.equal(access(system, OWN, IMAGE), how === 'share' ? 'rwx' : 'none');
      assert.equal(access(system, GUEST, BASE + 0x10_0000n + 599n * 0x1000n), 'rwx');
      // irqfd: a line that is level-triggered lets the guest clear it; each event rings it.
      assert.equal(system.smccc(3, 0xc600_8015n, bell.cap, 1n, 1n)[0], 0n);
      assert.equal(system.smccc(3, 0xc600_8012n, bell.cap, 1n)[0], 0n);
      assert.deepEqual(system.runVcpu(vcpu.cap), [0n, 2n, 0n, 0n]);
      const exited = driver.wait(isExited);
      assert.equal(Buffer.from(exited?.payload ?? []).toString('hex'), '800001000400000000000000');
      close(driver, handles);
      assert.equal(access(system, OWN, IMAGE), 'rwx');
      system.hypervisor.checkInvariants();
    }
  });
}

test('a VM manager that is closed while its VM runs stops it by force first', () => {
  const system = new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } });
  const driver = probe(system, 'v14');
  loadGuest(system);
  const { handles } = start(driver, 'lend');
  driver.done(0x5600_0005, bytesOf(`${h16(GUEST)} 01 00 ${h32(3)}`));
  assert.ok(driver.wait(isExited), 'VM_EXITED comes');
  close(driver, handles);
  assert.deepEqual(system.rm.inspect().parcels, []);
});

test('a VM manager that fails half-way leaves nothing behind', () => {
  const system = new SystemFixture();
  const driver = probe(system, 'v14');
  loadGuest(system, TREE.replace('image-name = "crosvm-vm";', ''));
  driver.done(0x5600_0001, bytesOf('0000 0000'));
  const image = give(driver, 'share', { label: 0, entries: [[IMAGE, 0x10_0000n]] });
  driver.done(0x5600_0009, bytesOf(`${h16(GUEST)} ${h16(0)} ${h32(image)} ${h64(0)} ${h64(0)} ${h64(DTB_OFFSET)} ${h64(0x4000)}`));
  assert.equal(driver.call(0x5600_000b, bytesOf(vm)), 0xa);
  close(driver, [image]);
  assert.deepEqual([system.rm.inspect().vms.length, access(system, OWN, IMAGE)], [1, 'rwx']);
});

test('Android’s protected VM starts in its firmware with the device tree, the image and its size', () => {
  const system = new SystemFixture();
  const driver = probe(system, 'v14');
  const FIRMWARE = 0x4080_0000n;
  loadGuest(system, TREE.replace('base-address = <0 0x80000000>;', 'base-address = <0 0x80000000>; firmware-address = <0 0x7fc00000>;'));
  // A boot loader gave RM the firmware, in memory that it does without.
  system.engine.memory.writeU32(pa(0x40a0_0000n), 0x1234_5678);
  driver.done(0x5100_0010, bytesOf(`00 00 00 00 ${h32(0)} ${h16(1)} 0000 ${h16(0xff)} 07 00 ${h16(1)} 0000 ${h64(0x40a0_0000n)} ${h64(0x2000)} 0000 0000`));
  driver.done(0x5100_0021, bytesOf(`${h16(2)} 0000 ${h32(0)} ${h64(0)} ${h64(0x1800)}`));
  driver.done(0x5100_0020, new Uint8Array());
  driver.done(0x5600_0001, bytesOf('0000 0000'));
  const firmware = give(driver, 'lend', { label: 1, entries: [[FIRMWARE, 0x10_0000n]] });
  const image = give(driver, 'lend', { label: 0, entries: [[IMAGE, 0x10_0000n]] });
  driver.done(0x5600_0009, bytesOf(`${h16(GUEST)} ${h16(2)} ${h32(image)} ${h64(0)} ${h64(0x8000)} ${h64(DTB_OFFSET)} ${h64(0x4000)}`));
  driver.done(0x5600_0032, bytesOf(`${h16(GUEST)} 0000 ${h32(firmware)} ${h64(0)} ${h64(0x10_0000)}`));
  driver.done(0x5600_000b, bytesOf(vm));
  driver.done(0x5600_0004, bytesOf(vm));
  const vcpu = system.engine.vcpu(system.thread(GUEST).engineVcpu ?? 0);
  assert.deepEqual([vcpu.pc, vcpu.x(0), vcpu.x(1), vcpu.x(2)], [0x7fc0_0000n, BASE + DTB_OFFSET, BASE, 0x8000n]);
  assert.equal(system.engine.memory.readU32(pa(FIRMWARE)), 0x1234_5678);
  const { root } = system.readTree(system.translate(GUEST, BASE + DTB_OFFSET));
  const node = root.at('/reserved-memory/firmware@7fc00000');
  assert.deepEqual([node?.string('compatible'), node?.property('reg')?.u32s, node?.has('no-map')], ['qcom,vm-firmware', [0, 0x7fc0_0000, 0, 0x10_0000], true]);
  assert.deepEqual(root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x10_0000]);
});

test('a protected VM without firmware memory, or with too much of it, does not start', () => {
  const attempt = (firmware: (driver: LinuxDriver) => void, tree: string, error = 2): string | undefined => {
    const system = new SystemFixture();
    const driver = probe(system, 'v14');
    loadGuest(system, tree);
    driver.done(0x5100_0010, bytesOf(`00 00 00 00 ${h32(0)} ${h16(1)} 0000 ${h16(0xff)} 07 00 ${h16(1)} 0000 ${h64(0x40a0_0000n)} ${h64(0x2000)} 0000 0000`));
    driver.done(0x5100_0021, bytesOf(`${h16(2)} 0000 ${h32(0)} ${h64(0)} ${h64(0x1800)}`));
    driver.done(0x5100_0020, new Uint8Array());
    driver.done(0x5600_0001, bytesOf('0000 0000'));
    const image = give(driver, 'lend', { label: 0, entries: [[IMAGE, 0x10_0000n]] });
    driver.done(0x5600_0009, bytesOf(`${h16(GUEST)} ${h16(2)} ${h32(image)} ${h64(0)} ${h64(0)} ${h64(DTB_OFFSET)} ${h64(0x4000)}`));
    firmware(driver);
    driver.done(0x5600_000b, bytesOf(vm));
    assert.equal(driver.call(0x5600_0004, bytesOf(vm)), error);
    return system.trace.flatMap((event) => (event.event === 'report' ? [event.message] : []))[0];
  };
  const place = (driver: LinuxDriver): void => {
    const handle = give(driver, 'lend', { label: 1, entries: [[0x4080_0000n, 0x10_0000n]] });
    driver.done(0x5600_0032, bytesOf(`${h16(GUEST)} 0000 ${h32(handle)} ${h64(0)} ${h64(0x10_0000)}`));
  };
  const tree = TREE.replace('base-address = <0 0x80000000>;', 'base-address = <0 0x80000000>; firmware-address = <0 0x7fc00000>; firmware-size-max = <0x1000>;');
  assert.match(attempt(() => undefined, tree, 0xa) ?? '', /firmware memory for all of it/);
  assert.match(attempt(place, TREE) ?? '', /no firmware-address/);
  assert.match(attempt(place, tree) ?? '', /firmware-size-max allows 0x1000/);
});

const DONATE = 0xc600_8061n;
const MAP = 0xc600_802bn;
const UNMAP = 0xc600_802cn;
const TO_PROTECTED = 3n;
const FROM_PROTECTED = 4n;
const PARTIAL_PRIVATE = 3n;
const PAGE_FAULT = 7n;
/** Kernel and user access RWX, normal write-back memory. */
const RWX = 0xf_0077n;

interface Paging { readonly driver: LinuxDriver; readonly vcpu: HypResource; readonly extents: readonly bigint[]; readonly addrspace: bigint; readonly handle: number }

/** START of series v15 to v17: only the pages of the device tree are lent, all others are given when the guest misses them. */
function startPaged(system: SystemFixture): Paging {
  const driver = probe(system, 'v17');
  loadGuest(system);
  driver.done(0x5600_0001, bytesOf('0000 0000'));
  const handle = give(driver, 'lend', { label: 0, entries: [[IMAGE + DTB_OFFSET, 0x4000n]] });
  driver.done(0x5600_0009, bytesOf(`${h16(GUEST)} ${h16(0)} ${h32(handle)} ${h64(0)} ${h64(0)} ${h64(0)} ${h64(0x4000)}`));
  driver.done(0x5600_0033, bytesOf(`${vm} ${h32(1)} ${h64(BASE)} ${h64(0x10_0000)}`));
  driver.done(0x5600_0034, bytesOf(`${vm} ${h32(0)} ${h64(BASE + DTB_OFFSET)} ${h64(0x4000)}`));
  driver.done(0x5600_000b, bytesOf(vm));
  driver.done(0x5600_0031, bytesOf(`${h16(GUEST)} 01 00 00000000 ${h64(BASE)}`));
  const resources = resourcesOf(driver);
  const capOf = (type: number, label: number): bigint => resources.find((resource) => resource.type === type && resource.label === label)?.cap ?? -1n;
  driver.done(0x5600_0004, bytesOf(vm));
  const vcpu = resources.find(({ type }) => type === 4);
  assert.ok(vcpu);
  return { driver, vcpu, extents: [0, 1, 2, 3].map((label) => capOf(9, label)), addrspace: capOf(10, 0), handle };
}

/** Gives the guest the page at the start of its memory, for itself alone. */
function provide(system: SystemFixture, { extents: [guest = 0n, , host = 0n], addrspace }: Paging): void {
  assert.equal(system.smccc(3, DONATE, TO_PROTECTED, host, guest, IMAGE, 0x1000n)[0], 0n);
  assert.equal(system.smccc(3, MAP, addrspace, guest, BASE, RWX, PARTIAL_PRIVATE, IMAGE, 0x1000n)[0], 0n);
}

test('the VM manager of series v17 gives a guest its memory page by page', () => {
  const system = new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } });
  const paging = startPaged(system);
  const { driver, vcpu, extents: [guest = 0n, hostShared = 0n, host = 0n, guestShared = 0n], addrspace, handle } = paging;
  const vcpuOf = system.engine.vcpu(system.thread(GUEST).engineVcpu ?? 0);
  assert.deepEqual([vcpuOf.pc, vcpuOf.x(0)], [BASE, BASE + DTB_OFFSET]);
  assert.deepEqual(system.readTree(IMAGE + DTB_OFFSET).root.at('/memory')?.property('reg')?.u32s, [0, 0x8000_0000, 0, 0x10_0000]);
  assert.deepEqual(system.runVcpu(vcpu.cap), [0n, PAGE_FAULT, BASE, 0n]);
  assert.deepEqual(system.runVcpu(vcpu.cap), [0n, PAGE_FAULT, BASE, 0n], 'without the page it stops there again');
  provide(system, paging);
  assert.deepEqual([access(system, OWN, IMAGE), access(system, GUEST, BASE)], ['none', 'rwx']);
  // A page that both see.
  assert.equal(system.smccc(3, DONATE, 2n, hostShared, guestShared, IMAGE + 0x1000n, 0x1000n)[0], 0n);
  assert.equal(system.smccc(3, MAP, addrspace, guestShared, BASE + 0x1000n, RWX, 1n, IMAGE + 0x1000n, 0x1000n)[0], 0n);
  assert.deepEqual([access(system, OWN, IMAGE + 0x1000n), access(system, GUEST, BASE + 0x1000n)], ['rwx', 'rwx']);
  assert.deepEqual(system.runVcpu(vcpu.cap), [0n, 2n, 0n, 0n]);
  assert.ok(driver.wait(isExited), 'the guest switched itself off');
  assert.equal(system.smccc(3, UNMAP, addrspace, guest, BASE, PARTIAL_PRIVATE, IMAGE, 0x1000n)[0], 0n);
  assert.equal(system.smccc(3, DONATE, FROM_PROTECTED, guest, host, IMAGE, 0x1000n)[0], 0n);
  assert.equal(system.smccc(3, UNMAP, addrspace, guestShared, BASE + 0x1000n, 1n, IMAGE + 0x1000n, 0x1000n)[0], 0n);
  assert.equal(system.smccc(3, DONATE, 2n, guestShared, hostShared, IMAGE + 0x1000n, 0x1000n)[0], 0n);
  close(driver, [handle]);
  assert.deepEqual([0n, 0x1000n, DTB_OFFSET].map((offset) => access(system, OWN, IMAGE + offset)), ['rwx', 'rwx', 'rwx']);
  system.hypervisor.checkInvariants();
});

test('a guest whose page nobody gives takes the fault, and pages that are left in a VM come back cleared', () => {
  const system = new SystemFixture([], { rm: { profile: 'linux', drivers: 'current' } });
  const paging = startPaged(system);
  const { driver, vcpu, handle } = paging;
  const guest = system.engine.vcpu(system.thread(GUEST).engineVcpu ?? 0);
  assert.deepEqual(system.runVcpu(vcpu.cap), [0n, PAGE_FAULT, BASE, 0n]);
  // Resume action 2: the guest gets its abort, for which it has no vector: the vCPU stops with a fault, and RM ends the VM.
  assert.equal(system.runVcpu(vcpu.cap, 0n, 2n)[1], 6n);
  assert.equal(guest.systemRegister('ELR_EL1'), BASE);
  provide(system, paging);
  assert.ok(driver.wait(isExited), 'RM ends a VM that has faulted');
  close(driver, [handle]);
  assert.equal(access(system, OWN, IMAGE), 'rwx');
  assert.equal(system.engine.memory.readU32(pa(IMAGE)), 0);
  system.hypervisor.checkInvariants();
});

test('the console drivers of series v4 talk to themselves over the Resource Manager', () => {
  const system = new SystemFixture([], { identity: 'gunyah-legacy', rm: { profile: 'linux', drivers: 'legacy' } });
  const driver = probe(system, 'v4');
  assert.deepEqual(driver.done(0x5600_0081, bytesOf('0000 0000')), new Uint8Array());
  assert.deepEqual([...driver.done(0x5600_0024, bytesOf('00000000'))], [OWN, 0]);
  driver.done(0x5600_0081, bytesOf(`${h16(OWN)} 0000`));
  const heard = (from: number): string => Buffer.from(driver.wait(({ id, payload }) => id === 0x5610_0080 && payload[0] === from)?.payload.subarray(4) ?? []).toString('latin1');
  const write = (to: number, text: string): void => { driver.done(0x5600_0083, bytesOf(`${h16(to)} ${h16(text.length)} ${Buffer.from(text, 'latin1').toString('hex')}`)); };
  write(0, 'from ttyGH0');
  assert.equal(heard(OWN), 'from ttyGH0');
  write(OWN, 'x'.repeat(1000));
  assert.equal(heard(0), 'x'.repeat(1000));
  driver.done(0x5600_0082, bytesOf(`${h16(OWN)} 0000`));
  write(0, 'to nobody');
  assert.equal(heard(OWN), '');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pa } from '../../runtime/base/brands';
import { access, AT_GUEST_BASE, configure, destroy, GUEST_BASE, IMAGE, IMAGE_SIZE, lent, start } from './made-vm';
import { SystemFixture } from './system-fixture';
import { vmTree } from './trees';

const DTB = GUEST_BASE + 0x10_0000n;

/** A tree whose VM has these vdevices. */
function withVdevices(vdevices: string, extra = ''): string {
  return vmTree({ vdevices, extra, memory: AT_GUEST_BASE });
}

function tree(system: SystemFixture, vmid: number): ReturnType<SystemFixture['readTree']>['root'] {
  return system.readTree(system.translate(vmid, DTB)).root;
}

const CLOCK = 'clock { vdevice-type = "vrtc-pl031"; base = <0 0x20000000>; };';

test('a real-time clock is a PL031 to its VM and tells the time that its owner set', () => {
  const system = new SystemFixture();
  const { vmid } = configure(system, withVdevices(CLOCK));
  const counter = (): bigint => BigInt(system.events.now) >> 4n;
  system.request('VM_INIT', { vmid });
  const before = counter();
  system.request('VM_SET_TIME_BASE', { vmid, timeBase: 1_700_000_000_500_000_000n, systemTimerReference: before });
  system.request('VM_START', { vmid });
  assert.equal(system.load(vmid, 0x2000_0000n), 1_700_000_000n);
  assert.deepEqual([0xfe0n, 0xfe4n, 0xfe8n, 0xfecn, 0xff0n, 0xff4n, 0xff8n, 0xffcn].map((offset) => system.load(vmid, 0x2000_0000n + offset)), [0x31n, 0x10n, 4n, 0n, 0xdn, 0xf0n, 5n, 0xb1n]);
  assert.deepEqual([system.load(vmid, 0x2000_000cn), system.load(vmid, 0x2000_0004n), system.load(vmid, 0x2000_0000n, 8), system.load(vmid, 0x2000_1000n)], [1n, 0n, 'abort', 'abort']);
  assert.equal(system.store32(vmid, 0x2000_0008n, 1_000n), 1_000n);
  assert.equal(system.load(vmid, 0x2000_0000n), 1_000n);
  const root = tree(system, vmid);
  assert.deepEqual(root.at('/vsoc/vrtc')?.property('compatible')?.strings, ['arm,pl031', 'arm,primecell']);
  assert.deepEqual(root.at('/vsoc/vrtc')?.property('reg')?.u32s, [0, 0x2000_0000, 0, 0x1000]);
  assert.equal(root.at('/vsoc/vrtc')?.u32('clocks'), root.at('/vsoc/vrtc-pclk')?.u32('phandle'));
  assert.deepEqual([root.at('/vsoc/vrtc-pclk')?.u32('clock-frequency'), root.at('/vsoc')?.string('compatible')], [1, 'simple-bus']);
});

test('a time base can be given when VM_INIT has made the clock, and only once', () => {
  const system = new SystemFixture();
  const { vmid } = configure(system, withVdevices(CLOCK));
  const set = (timeBase: bigint): string => {
    const payload = new Uint8Array(20);
    const view = new DataView(payload.buffer);
    view.setUint16(0, vmid, true);
    view.setBigUint64(4, timeBase, true);
    return system.exchange(0x5600_0030, payload).map((message) => Buffer.from(message.payload).toString('hex')).join();
  };
  assert.equal(set(4_000_000_000n), '060000001e000000');
  system.request('VM_INIT', { vmid });
  assert.equal(set(5_000_000_000n), '00000000');
  assert.equal(set(6_000_000_000n), '060000001f000000');
  system.request('VM_START', { vmid });
  assert.equal(system.load(vmid, 0x2000_0000n), 5n);
  assert.equal(set(8n), '1400000001000000');
});

test('the clock of a VM comes back with a saved state', () => {
  const system = new SystemFixture();
  const { vmid } = start(system, withVdevices(CLOCK));
  system.store32(vmid, 0x2000_0008n, 77n);
  const saved = structuredClone({ hypervisor: system.hypervisor.save(), rm: system.rm.save() });
  system.store32(vmid, 0x2000_0008n, 99n);
  system.hypervisor.restore(saved.hypervisor);
  assert.equal(system.load(vmid, 0x2000_0000n), 77n);
});

test('RM does not choose the page of a clock, and makes nothing of the vdevice of a system MMU', () => {
  const system = new SystemFixture();
  const first = configure(system, withVdevices('clock { vdevice-type = "vrtc-pl031"; allocate-base; };'));
  system.request('VM_INIT', { vmid: first.vmid }, 2);
  system.request('VM_RESET', { vmid: first.vmid });
  system.request('MEM_RECLAIM', { handle: first.handle, flags: 0 });
  const second = configure(system, withVdevices('mmu { vdevice-type = "vsmmu-v2"; smmu-handle = <1>; patch = "/mmu"; num-cbs = <4>; num-smrs = <4>; };'));
  system.request('VM_INIT', { vmid: second.vmid });
  const reports = system.trace.filter((event) => event.event === 'report').map((event) => event.code);
  assert.deepEqual(reports, ['vm-config-vrtc-allocate']);
});

const VIRTIO = 'disk { vdevice-type = "virtio-mmio"; label = <0x31>; peer-default; vqs-num = <2>; dma-coherent; dma_base = <0 0x1000>; memory { label = <0x32>; #address-cells = <2>; base = <0 0xa0000000>; }; };';

test('a virtio device connects the driver in a VM with a backend in the primary VM', () => {
  const system = new SystemFixture();
  const { vmid } = configure(system, withVdevices(VIRTIO));
  system.request('VM_INIT', { vmid });
  const { handle: shared = -1 } = system.request('MEM_SHARE', { ...lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x2000n }], 0x31), acl: [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }] }).values ?? {};
  system.request('VM_START', { vmid });
  const [backend] = (system.request('VM_GET_HYP_RESOURCES', { vmid }).values?.resources ?? []).filter((entry) => entry.type === 6);
  assert.deepEqual({ ...backend, capId: 0n }, { type: 6, partnerVmid: vmid, handle: 0, label: 0x31, capId: 0n, virqHandle: 0, virq: 962, base: 0x3000_1000n, size: 0x1000n });
  const cap = backend?.capId ?? 0n;
  const registers = 0x4000_1000n;
  assert.deepEqual([access(system, 3, 0x3000_1000n), access(system, vmid, registers)], ['rw-', 'r--']);
  system.engine.memory.write(pa(system.translate(3, 0x3000_1000n)), Uint8Array.of(0x76, 0x69, 0x72, 0x74, 2, 0, 0, 0, 2));
  assert.deepEqual([system.load(vmid, registers), system.load(vmid, registers + 4n)], [0x7472_6976n, 2n]);
  // The driver says that it is there, and kicks its second queue.
  assert.equal(system.store32(vmid, registers + 0x70n, 4n), 4n);
  assert.equal(system.store32(vmid, registers + 0x50n, 1n), 1n);
  assert.deepEqual(system.hypercall(3, 'virtio_mmio_backend_get_notification', cap).slice(0, 3), [0n, 2n, 9n]);
  assert.equal(system.hypercall(3, 'virtio_mmio_backend_assert_virq', cap, 1n)[0], 0n);
  assert.equal(system.load(vmid, registers + 0x60n), 1n);
  assert.equal(system.hypercall(3, 'virtio_mmio_backend_bind_virq', cap, 0n, 40n)[0], 53n);
  const node = tree(system, vmid).at('/hypervisor/qcom,virtio_mmio@40001000');
  const buffer = tree(system, vmid).at('/reserved-memory/buffer@40002000');
  assert.deepEqual([node?.property('compatible')?.strings, node?.property('reg')?.u32s, node?.u32('memory-region')], [['virtio,mmio'], [0, 0x4000_1000, 0, 0x1000], buffer?.u32('phandle')]);
  assert.deepEqual([node?.property('interrupts')?.u32s, node?.property('dma_base')?.u32s, node?.u32('peer'), node?.has('dma-coherent')], [[0, 928, 1], [0, 0x1000], 3, true]);
  assert.equal(tree(system, vmid).at('/memory')?.property('reg')?.u32s.length, 8);
  assert.equal(buffer?.u32('qcom,rm-mem-handle'), shared);
  system.hypervisor.checkInvariants();
});

test('a page that RM put into device space of the primary VM leaves a hole there, in a saved state too', () => {
  const system = new SystemFixture();
  assert.deepEqual([system.load(3, 0x3000_0000n), system.load(3, 0x3000_1000n)], [0xffff_ffffn, 0xffff_ffffn]);
  const made = configure(system, withVdevices(VIRTIO));
  const { vmid } = made;
  system.request('VM_INIT', { vmid });
  system.request('MEM_SHARE', { ...lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x2000n }], 0x31), acl: [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }] });
  system.request('VM_START', { vmid });
  assert.equal(system.load(3, 0x3000_1000n), 0n);
  destroy(system, made);
  const saved = structuredClone(system.hypervisor.save());
  const seen = () => [0x3000_0000n, 0x3000_1000n, 0x3000_2000n].map((address) => system.load(3, address));
  assert.deepEqual(seen(), [0xffff_ffffn, 'abort', 0xffff_ffffn]);
  system.hypervisor.restore(saved);
  assert.deepEqual(seen(), [0xffff_ffffn, 'abort', 0xffff_ffffn]);
});

test('a VM with every kind of device that is reset leaves nothing behind', () => {
  const system = new SystemFixture();
  const dts = withVdevices(`${CLOCK} ${VIRTIO} bells { vdevice-type = "shm-doorbell"; label = <5>; peer-default; memory { label = <6>; allocate-base; }; };`);
  const before = system.hypervisor.inspect.objects().length;
  const free = structuredClone((system.rm.save() as { freeMemory: unknown }).freeMemory);
  for (let life = 0; life < 3; life++) {
    const made = configure(system, dts);
    system.request('VM_INIT', made);
    const shared = [0x31, 5].map((label, i) => {
      const values = { ...lent(made.vmid, [{ address: IMAGE + IMAGE_SIZE + BigInt(i) * 0x1000n, size: 0x1000n }], label), acl: [{ vmid: 3, rights: 6 }, { vmid: made.vmid, rights: 6 }] };
      return system.request('MEM_SHARE', values).values?.handle ?? -1;
    });
    system.request('VM_START', made);
    destroy(system, made);
    for (const handle of shared) system.request('MEM_RECLAIM', { handle, flags: 0 });
    assert.equal(system.hypervisor.inspect.objects().length, before);
    assert.deepEqual((system.rm.save() as { freeMemory: unknown }).freeMemory, free);
  }
  assert.equal(access(system, 3, 0x3000_1000n), 'none');
  system.hypervisor.checkInvariants();
});

test('a VM whose virtio device or shared buffer has no memory does not start, and accepts all other memory before that', () => {
  for (const vdevice of [VIRTIO.replace('label = <0x32>', 'optional; label = <0x32>'), 'bells { vdevice-type = "shm-doorbell"; label = <5>; peer-default; memory { label = <6>; allocate-base; }; };']) {
    const system = new SystemFixture();
    const made = configure(system, withVdevices(vdevice));
    system.request('VM_INIT', made);
    const { handle = -1 } = system.request('MEM_SHARE', { ...lent(made.vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x1000n }], 0x77), acl: [{ vmid: 3, rights: 6 }, { vmid: made.vmid, rights: 6 }] }).values ?? {};
    system.request('VM_START', made, 2);
    system.request('MEM_RECLAIM', { handle, flags: 0 }, 0xb);
    system.request('VM_RESET', made);
    system.request('MEM_RECLAIM', { handle, flags: 0 });
  }
});

const SHARED_BELLS = 'bells { vdevice-type = "shm-doorbell"; generate = "/hypervisor/bells"; label = <5>; peer-default; source-can-clear; memory { label = <6>; #address-cells = <2>; base = <0 0xa0000000>; }; };';

/** Starts a VM with shared memory and doorbells; its tree has a phandle of its own. */
function startSharedBells(profile: 'open-2023-12' | 'linux'): { readonly system: SystemFixture; readonly vmid: number } {
  const system = new SystemFixture([], { rm: { profile, drivers: 'current' } });
  const { vmid } = configure(system, withVdevices(SHARED_BELLS));
  system.request('VM_INIT', { vmid });
  system.request('MEM_SHARE', { ...lent(vmid, [{ address: IMAGE + IMAGE_SIZE, size: 0x1000n }], 5), acl: [{ vmid: 3, rights: 6 }, { vmid, rights: 6 }] });
  system.request('VM_START', { vmid });
  return { system, vmid };
}

test('shared memory with doorbells rings in both directions', () => {
  const { system, vmid } = startSharedBells('open-2023-12');
  const resources = system.request('VM_GET_HYP_RESOURCES', { vmid }).values?.resources.filter((entry) => entry.type !== 4) ?? [];
  assert.deepEqual(resources.map((entry) => [entry.type, entry.label, entry.virq]), [[0, 5, 0], [1, 5, 962]]);
  const node = tree(system, vmid).at('/hypervisor/bells');
  assert.deepEqual(node?.property('compatible')?.strings, ['qcom,gunyah-shm-doorbell']);
  const source = tree(system, vmid).at('/hypervisor')?.children.find((child) => child.name.startsWith('qcom,doorbell-source@'));
  const receiver = tree(system, vmid).at('/hypervisor')?.children.find((child) => child.name.startsWith('qcom,doorbell@'));
  const capOf = (at: typeof source): bigint => BigInt(at?.property('reg')?.u32s[1] ?? 0);
  assert.deepEqual([receiver?.property('interrupts')?.u32s, source?.has('interrupts')], [[0, 928, 1], false]);
  const [send, receive] = resources.map((entry) => entry.capId);
  assert.equal(system.hypercall(3, 'doorbell_send', send ?? 0n, 4n)[0], 0n);
  assert.deepEqual(system.hypercall(vmid, 'doorbell_receive', capOf(receiver), 4n).slice(0, 2), [0n, 4n]);
  assert.equal(system.hypercall(vmid, 'doorbell_send', capOf(source), 2n)[0], 0n);
  assert.deepEqual(system.hypercall(3, 'doorbell_receive', receive ?? 0n, 2n).slice(0, 2), [0n, 2n]);
  assert.equal(access(system, vmid, 0xa000_0000n), 'rw-');
});

test('the open Resource Manager names those doorbells by numbers that a tree with phandles makes wrong; profile linux does not', () => {
  for (const profile of ['open-2023-12', 'linux'] as const) {
    const { system, vmid } = startSharedBells(profile);
    const root = tree(system, vmid);
    const names = ['tx-doorbell', 'rx-doorbell'].map((name) => [...root.walk()].find((node) => node.u32('phandle') === root.at('/hypervisor/bells')?.u32(name))?.name.split('@')[0]);
    assert.deepEqual(names, profile === 'linux' ? ['qcom,doorbell-source', 'qcom,doorbell'] : ['buffer', 'qcom,doorbell-source'], profile);
  }
});

const IOMEM = 'slots { vdevice-type = "iomem"; patch = "/slots"; label = <0x40>; peer-default; push-compatible = "vendor,slots"; memory { label = <0x40>; allocate-base; }; };';

test('device memory that the primary VM lends appears in the VM and leaves the primary VM at once, until it is reclaimed', () => {
  const system = new SystemFixture();
  const { vmid } = configure(system, withVdevices(IOMEM, 'slots {};'));
  system.request('VM_INIT', { vmid });
  const slot = { ...lent(vmid, [{ address: 0x0a00_1000n, size: 0x1000n }], 0x40), memoryType: 1, acl: [{ vmid, rights: 6 }], attributes: [] };
  system.request('MEM_LEND', { ...slot, acl: [{ vmid, rights: 7 }] }, 6);
  system.request('MEM_LEND', { ...slot, sgl: [{ address: IMAGE, size: 0x1000n }] }, 0xa);
  const { handle = -1 } = system.request('MEM_LEND', slot).values ?? {};
  system.request('MEM_LEND', slot, 0xa);
  assert.equal(access(system, 3, 0x0a00_1000n), 'none');
  system.request('VM_START', { vmid });
  assert.deepEqual([0x0a00_0000n, 0x0a00_1000n, 0x0a00_2000n].map((at) => access(system, 3, at)), ['rw-', 'none', 'rw-']);
  assert.equal(system.load(vmid, 0x4000_1010n), 0x1010n);
  const node = tree(system, vmid).at('/slots');
  assert.deepEqual([node?.property('reg')?.u32s, node?.property('qcom,rm-mem-handle')?.u32s, node?.u32('peer'), node?.string('compatible')], [[0, 0x0a00_1000, 0, 0x1000], [0, handle], 3, 'vendor,slots']);
  assert.equal(tree(system, vmid).at('/memory')?.property('reg')?.u32s.length, 4);
  system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid });
  system.request('MEM_RECLAIM', { handle, flags: 0 });
  assert.equal(access(system, 3, 0x0a00_1000n), 'rw-');
  system.hypervisor.checkInvariants();
});

test('device memory that is shared is seen by both, and a donation makes it the VM’s own until its reset', () => {
  const system = new SystemFixture();
  const { vmid } = start(system, withVdevices('rpc { vdevice-type = "rm-rpc"; generate = "/hypervisor/rm-rpc"; };'));
  const io = { memoryType: 1, flags: 0, label: 1, attributes: [] };
  system.request('MEM_SHARE', { ...io, acl: [{ vmid: 3, rights: 4 }, { vmid, rights: 6 }], sgl: [{ address: 0x0a00_0000n, size: 0x1000n }] });
  assert.equal(access(system, 3, 0x0a00_0000n), 'r--');
  const { handle: donated = 0 } = system.request('MEM_DONATE', { ...io, acl: [{ vmid, rights: 6 }], sgl: [{ address: 0x0a00_2000n, size: 0x1000n }] }).values ?? {};
  assert.equal(access(system, 3, 0x0a00_2000n), 'none');
  const accept = (handle: number, transaction: number): string | undefined => system.secondaryRequest(vmid, 0x5100_0011, [handle, 0, 0, 0, 1, transaction, 0x80, 0, ...new Array<number>(16).fill(0)]);
  assert.equal(accept(donated - 1, 2)?.slice(0, 8), '00000000');
  assert.equal(accept(donated, 0)?.slice(0, 8), '00000000');
  assert.equal(system.load(vmid, 0x4000_2004n), 0x2004n);
  system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid });
  assert.equal(access(system, 3, 0x0a00_2000n), 'rw-');
  system.hypervisor.checkInvariants();
});

const TRUSTED = (ranges: string): string => vmTree({ extra: '' }).replace('image-name =', `${ranges} image-name =`);

const stateOf = (system: SystemFixture): string | undefined => system.rm.inspect().vms.find(({ vmid }) => vmid === 0x80)?.state;

/** A platform with one VM of its own, whose configuration asks for devices and interrupts of the machine. */
function trusted(ranges: string): SystemFixture {
  return new SystemFixture([{ dts: TRUSTED(ranges) }]);
}

test('a trusted VM sees the devices of the machine that its configuration lists, with the access that it says', () => {
  const system = trusted('iomemory-ranges = <0 0x0a000000 0 0x0a000000 0 0x1000 0>, <0 0x0a001000 0 0x0a001000 0 0x1000 1>, <0 0x0a002000 0 0x0a002000 0 0x1000 6>;');
  system.request('VM_START', { vmid: 0x80 });
  assert.equal(stateOf(system), 'RUNNING');
  assert.equal(system.load(0x80, 0x0a00_0010n), 0x10n);
  assert.equal(system.load(0x80, 0x0a00_1010n), 0x1010n);
  assert.equal(system.load(0x80, 0x0a00_2000n), 'abort');
  assert.equal(system.load(0x80, 0x0a00_3000n), 'abort');
});

test('what no device of the machine has is refused when a trusted VM asks for it', () => {
  assert.equal(stateOf(trusted('iomemory-ranges = <0 0x7f000000 0 0x7f000000 0 0x1000 0>;')), 'INIT_FAILED');
  assert.equal(stateOf(trusted('gic-irq-ranges = <500 40>;')), 'INIT_FAILED');
});

/** Calls of RM that forward interrupts of the machine or take them back, with the number in the VM. */
function forwarding(system: SystemFixture): readonly string[] {
  return system.trace.flatMap((event) => (event.event === 'hypercall' && event.phase === 'leave' && event.name.startsWith('hwirq_') ? [`${event.name} ${String(event.args['virq'] ?? '')}`.trim()] : []));
}

test('a trusted VM gets the interrupts of the machine that its configuration lists, under its own numbers', () => {
  const system = trusted('gic-irq-ranges = <34 40>;');
  assert.equal(stateOf(system), 'READY');
  assert.deepEqual(forwarding(system).slice(-1), ['hwirq_bind_virq 40']);
  system.request('VM_START', { vmid: 0x80 });
  system.request('VM_STOP', { vmid: 0x80, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid: 0x80 });
  assert.deepEqual(forwarding(system).slice(-2), ['hwirq_unbind_virq', 'hwirq_bind_virq 34'], 'the primary VM has it again');
});

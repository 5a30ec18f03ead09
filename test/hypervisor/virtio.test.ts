/** A virtio-MMIO device between two VMs: the frontend's stores by machine code, the backend by hypercalls of the root VM. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CapId, pa } from '../../runtime/base/brands';
import type { ErrorName } from '../../runtime/hypervisor/errors';
import { Fixture, type TestVm } from './fixture';

const PAGE = 0x9000_0000n;
const LOOP = 0x14000000;

interface Device { readonly fixture: Fixture; readonly vm: TestVm; readonly device: CapId; readonly page: bigint }

function makeDevice(options: { readonly type?: number; readonly edge?: boolean } = {}): Device {
  const fixture = new Fixture();
  const vm = fixture.makeVm({ cpu: 1 });
  const parent = fixture.makeMemory(0x20_0000n);
  const memextent = fixture.create('memextent');
  fixture.rootCall('memextent_configure_derive', { memextent, parent_memextent: parent.cap, offset: 0n, size: 0x1000n, attributes: 6 });
  fixture.activate(memextent);
  const device = fixture.create('virtio_mmio');
  const configure = (vqs_num: number, flags: bigint, device_type: number, error: ErrorName) => fixture.rootCall('virtio_mmio_configure', { virtio_mmio: device, memextent, vqs_num, flags, device_type }, error);
  configure(17, 0n, 0, 'ARGUMENT_INVALID');
  configure(1, 64n, 1, 'ARGUMENT_INVALID');
  configure(2, options.type === undefined ? 0n : 64n, options.type ?? 0, 'OK');
  fixture.activate(device);
  fixture.rootCall('addrspace_map', { addrspace: vm.addrspace, memextent, vbase: PAGE, map_attrs: 0x0f_0044, map_flags: 0, offset: 0n, size: 0n });
  fixture.rootCall('virtio_mmio_frontend_bind_virq', { virtio_mmio: device, vic: fixture.root.environment.vic, virq: 60 });
  fixture.rootCall('virtio_mmio_backend_bind_virq', { virtio_mmio: device, vic: vm.vic, virq: 61 });
  fixture.run(5);
  return { fixture, vm, device, page: parent.base };
}

/** The frontend stores 32-bit values at offsets, then loops; false if a store aborted. */
function store({ fixture, vm }: Device, ...stores: readonly (readonly [offset: number, value: number])[]): boolean {
  // str w1, [x0] ; b .  with the vector at +0x1200: b .
  fixture.load(vm, [0xb9000001, LOOP]);
  fixture.load(vm, [LOOP], 0x1200);
  if (vm.thread.isBlockedBy('VCPU_OFF')) fixture.powerOn(vm);
  const vcpu = fixture.vcpu(vm.thread);
  vcpu.setSystemRegister('VBAR_EL1', 0x8000_1000n);
  for (const [offset, value] of stores) {
    vcpu.pc = 0x8000_0000n;
    vcpu.setX(0, PAGE + BigInt(offset));
    vcpu.setX(1, BigInt(value >>> 0));
    fixture.run(4, 4);
    if (vcpu.pc !== 0x8000_0004n) return false;
  }
  return true;
}

const read = ({ fixture, page }: Device, offset: number) => fixture.engine.memory.readU32(pa(page + BigInt(offset)));

describe('a virtio-MMIO device', () => {
  it('negotiates features and queues', () => {
    const made = makeDevice();
    const { fixture, device } = made;
    const features = (sel: number, dev_feat: number, error: ErrorName = 'OK') => fixture.rootCall('virtio_mmio_backend_set_dev_features', { virtio_mmio: device, sel, dev_feat }, error);
    features(0, 0x1234_5678);
    features(1, 1, 'DENIED');
    features(1, 0x43, 'DENIED');
    features(1, 3);
    features(2, 0, 'ARGUMENT_INVALID');
    fixture.rootCall('virtio_mmio_backend_set_queue_num_max', { virtio_mmio: device, sel: 1, queue_num_max: 64 });
    fixture.rootCall('virtio_mmio_backend_set_queue_num_max', { virtio_mmio: device, sel: 2, queue_num_max: 64 }, 'ARGUMENT_INVALID');
    assert.ok(store(made, [0x14, 0]));
    assert.equal(read(made, 0x10), 0x1234_5678);
    assert.ok(store(made, [0x14, 1], [0x24, 1], [0x20, 3], [0x30, 1], [0x38, 32], [0x80, 0x8000_0000], [0x84, 1], [0x90, 0x10], [0xa0, 0x20], [0x44, 1]));
    assert.equal(read(made, 0x10), 3);
    assert.equal(read(made, 0x34), 64);
    assert.equal(fixture.rootCall('virtio_mmio_backend_get_drv_features', { virtio_mmio: device, sel: 1 })['drv_feat'], 3);
    assert.deepEqual(fixture.rootCall('virtio_mmio_backend_get_queue_info', { virtio_mmio: device, sel: 1 }), { error: 0, queue_num: 32, queue_ready: 1, queue_desc: 0x1_8000_0000n, queue_drv: 0x10n, queue_dev: 0x20n });
    assert.equal(store(made, [0x30, 2]), false);
    assert.equal(store(made, [0x14, 2]), false);
    assert.equal(store(made, [0x0, 2]), false);
  });

  it('tells the backend of kicks and status, and the frontend of used buffers', () => {
    const made = makeDevice();
    const { fixture, device, vm } = made;
    const notification = () => {
      const { vqs_bitmap, reason } = fixture.rootCall('virtio_mmio_backend_get_notification', { virtio_mmio: device });
      return [vqs_bitmap, reason];
    };
    assert.ok(store(made, [0x50, 1], [0x70, 4]));
    assert.deepEqual(fixture.interrupts.slice(0, 1), [60]);
    assert.deepEqual(notification(), [2n, 9n]);
    assert.deepEqual(notification(), [0n, 0n]);
    fixture.rootCall('virtio_mmio_backend_assert_virq', { virtio_mmio: device, interrupt_status: 1 });
    assert.equal(read(made, 0x60), 1);
    assert.equal(vm.thread.vic?.object.vic.inspect(61)?.pending, true);
    assert.ok(store(made, [0x64, 1]));
    assert.equal(read(made, 0x60), 0);
    assert.ok(store(made, [0x70, 0]));
    assert.deepEqual(notification(), [0n, 2n]);
    fixture.rootCall('virtio_mmio_backend_assert_virq', { virtio_mmio: device, interrupt_status: 1 }, 'DENIED');
    fixture.rootCall('virtio_mmio_backend_acknowledge_reset', { virtio_mmio: device });
    assert.equal(read(made, 0x70), 0);
    fixture.rootCall('virtio_mmio_backend_update_status', { virtio_mmio: device, val: 0x40 });
    assert.equal(read(made, 0x70), 0x40);
    fixture.rootCall('virtio_mmio_frontend_unbind_virq', { virtio_mmio: device });
    assert.equal(store(made, [0x70, 0]), false);
    fixture.rootCall('cspace_delete_cap_from', { cspace: fixture.root.environment.cspace, cap: device });
    fixture.hypervisor.checkInvariants();
    assert.equal(store(made, [0x70, 4]), false);
  });

  it('shows an input device’s configuration as it is selected', () => {
    const made = makeDevice({ type: 18 });
    const { fixture, device } = made;
    const buffer = fixture.root.environment.privateBase;
    const configure = (num_evtypes: number, num_absaxes: number, error: ErrorName = 'OK') => fixture.rootCall('virtio_input_configure', { virtio_mmio: device, devids: 0x0102_0304_0506_0708n, prop_bits: 5, num_evtypes, num_absaxes }, error);
    const set = (sel: number, subsel: number, size: number, error: ErrorName = 'OK') => fixture.rootCall('virtio_input_set_data', { virtio_mmio: device, sel, subsel, size, data: buffer }, error);
    configure(33, 0, 'ARGUMENT_INVALID');
    configure(1, 1);
    configure(1, 1, 'BUSY');
    set(4, 0, 4, 'ARGUMENT_INVALID');
    set(1, 0, 0, 'ARGUMENT_SIZE');
    set(1, 0, 129, 'ARGUMENT_SIZE');
    set(0x11, 32, 4, 'ARGUMENT_INVALID');
    set(0x11, 3, 4);
    set(0x11, 4, 4, 'NORESOURCES');
    set(1, 0, 8);
    assert.ok(store(made, [0x100, 0x3]));
    assert.equal(read(made, 0x100) >>> 16, 8);
    assert.equal(read(made, 0x108), 0x0506_0708);
    const plain = makeDevice();
    plain.fixture.rootCall('virtio_input_configure', { virtio_mmio: plain.device, devids: 0n, prop_bits: 0, num_evtypes: 0, num_absaxes: 0 }, 'OBJECT_CONFIG');
    plain.fixture.rootCall('virtio_input_set_data', { virtio_mmio: plain.device, sel: 1, subsel: 0, size: 1, data: 0n }, 'CSPACE_WRONG_OBJECT_TYPE');
  });
});

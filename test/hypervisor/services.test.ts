import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pa } from '../../runtime/base/brands';
import { BITMAP_NAMES, GUNYAH_SERVICES, SERVICE_REGISTERS, type FilterAction, type ServiceSettings, VmServices } from '../../runtime/hypervisor/service-registers';
import { Fixture, MAP_RWX, type TestVm } from './fixture';

/** Takes calls {id, x1, is SMC} from 0x80008000 and puts X0 to X3 at 0x80009000, until the id is zero; then waits. */
const CALLER = [
  0xd2b0_0013, 0xf290_0013, 0x9140_0674, // x19 = the calls, x20 = the results
  0xa8c1_0660, 0xf840_8675, 0xb400_0140, // next call, or wait
  0xd280_0042, 0xd280_0063, 0xb500_0075, // x2 = 2, x3 = 3
  0xd400_0002, 0x1400_0002, 0xd400_0003, // hvc #0 or smc #0
  0xa881_0680, 0xa881_0e82, 0x17ff_fff5, // results, again
  0xd503_207f, 0x17ff_ffff, // wfi
];
const CALLS_OFFSET = 0x8000n;
const RESULTS_OFFSET = 0x9000n;
/** Where the published test has its stolen-time area. */
const STOLEN_TIME = 0x4000_0000n;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const KVM: ServiceSettings = { ...GUNYAH_SERVICES, personality: 'kvm', stolenTime: STOLEN_TIME };

const TRNG_VERSION = 0x8400_0050, TRNG_FEATURES = 0x8400_0051, TRNG_GET_UUID = 0x8400_0052, TRNG_RND32 = 0x8400_0053, TRNG_RND64 = 0xc400_0053;
const ARCH_FEATURES = 0x8000_0001, PV_TIME_FEATURES = 0xc500_0020, PV_TIME_ST = 0xc500_0021, KVM_FEATURES = 0x8600_0000, KVM_PTP = 0x8600_0001, CALL_UID = 0x8600_ff01;
const PSCI_VERSION = 0x8400_0000, CPU_OFF = 0x8400_0002, PSCI_FEATURES = 0x8400_000a;

interface Call { readonly id: number; readonly x1?: number; readonly isSmc?: boolean }

/** The calls that the published test makes with everything off, and with everything on. */
const GATED_CALLS: readonly Call[] = [
  { id: TRNG_VERSION }, { id: TRNG_FEATURES, x1: TRNG_RND64 }, { id: TRNG_GET_UUID }, { id: TRNG_RND32, x1: 0 }, { id: TRNG_RND64, x1: 0 }, { id: ARCH_FEATURES, x1: PV_TIME_FEATURES },
  { id: PV_TIME_FEATURES, x1: PV_TIME_ST }, { id: PV_TIME_ST }, { id: KVM_FEATURES }, { id: CALL_UID }, { id: KVM_PTP, x1: 0 },
];

/** A VM whose guest makes calls, with the registers of its services. */
class Caller {
  readonly fixture: Fixture;
  readonly vm: TestVm;

  constructor(settings: ServiceSettings = KVM) {
    this.fixture = new Fixture({ services: () => settings });
    this.vm = this.fixture.makeVm();
    const area = this.fixture.makeMemory(0x1000n);
    this.fixture.rootCall('addrspace_map', { addrspace: this.vm.addrspace, memextent: area.cap, vbase: STOLEN_TIME, map_attrs: MAP_RWX, map_flags: 0, offset: 0n, size: 0n });
    this.fixture.load(this.vm, CALLER);
  }

  get services(): VmServices {
    return this.fixture.hypervisor.services.of(10);
  }

  get thread(): TestVm['thread'] {
    const thread = this.fixture.hypervisor.threads.find(({ vmid }) => vmid === 10);
    assert.ok(thread !== undefined);
    return thread;
  }

  /** Lets the guest make calls; X0 to X3 of each. Once, or again after it has switched itself off. */
  make(calls: readonly Call[]): bigint[][] {
    const { memory } = this.fixture.engine;
    const at = (offset: bigint): ReturnType<typeof pa> => pa(this.vm.memoryBase + offset);
    [...calls, { id: 0 }].forEach(({ id, x1 = 0, isSmc = false }: Call, n) => {
      [id, x1, isSmc ? 1 : 0].forEach((value, word) => { memory.writeU64(at(CALLS_OFFSET + BigInt(n * 24 + word * 8)), BigInt(value)); });
    });
    this.fixture.powerOn(this.vm);
    this.fixture.run();
    return calls.map((_, n) => [0, 1, 2, 3].map((word) => memory.readU64(at(RESULTS_OFFSET + BigInt(n * 32 + word * 8)))));
  }

  id(name: keyof typeof SERVICE_REGISTERS): bigint {
    return SERVICE_REGISTERS[name].id;
  }
}

/** X0 of calls by a fresh VM. */
function answers(settings: ServiceSettings, calls: readonly Call[]): bigint[] {
  return new Caller(settings).make(calls).map(([x0 = 0n]) => x0);
}

test('published case, before the first run: each bitmap reads its reset value, takes its supported bits and refuses the next one', () => {
  const caller = new Caller();
  assert.deepEqual(BITMAP_NAMES.map((name) => caller.services.get(caller.id(name))), [1n, 1n, 3n, 0n]);
  for (const name of BITMAP_NAMES) {
    const id = caller.id(name);
    const { reset, supported } = SERVICE_REGISTERS[name];
    const written = reset === 0n ? supported : 0n;
    assert.equal(caller.services.set(id, written), 'OK');
    assert.equal(caller.services.get(id), written);
    assert.equal(caller.services.set(id, 0n), 'OK');
    assert.equal(caller.services.set(id, supported + 1n), 'EINVAL');
    assert.equal(caller.services.get(id), 0n, 'a refused write changes nothing');
  }
});

test('published case, after the first run: the bitmaps read as written and every change is refused with EBUSY', () => {
  const caller = new Caller();
  for (const name of BITMAP_NAMES) caller.services.set(caller.id(name), 0n);
  caller.make([{ id: TRNG_VERSION }]);
  for (const name of BITMAP_NAMES) {
    const id = caller.id(name);
    assert.equal(caller.services.get(id), 0n);
    assert.equal(caller.services.set(id, SERVICE_REGISTERS[name].supported), 'EBUSY');
    assert.equal(caller.services.set(id, SERVICE_REGISTERS[name].supported + 1n), 'EINVAL', 'bad bits are told first');
    assert.equal(caller.services.set(id, 0n), 'OK', 'the same value again is accepted');
  }
});

test('published case, everything off: each gated call answers NOT_SUPPORTED and zeros', () => {
  const caller = new Caller();
  for (const name of BITMAP_NAMES) assert.equal(caller.services.set(caller.id(name), 0n), 'OK');
  for (const [index, result] of caller.make(GATED_CALLS).entries()) assert.deepEqual(result, [ALL_ONES, 0n, 0n, 0n], `call ${index}`);
});

test('published case, a new VM untouched: none of the gated calls answers NOT_SUPPORTED', () => {
  for (const [index, x0] of answers(KVM, GATED_CALLS).entries()) assert.notEqual(x0, ALL_ONES, `call ${index}`);
});

test('published case: a feature query does not cross families', () => {
  const calls = [{ id: TRNG_FEATURES, x1: KVM_PTP }, { id: ARCH_FEATURES, x1: TRNG_RND64 }, { id: PV_TIME_FEATURES, x1: TRNG_RND64 }];
  assert.deepEqual(answers(KVM, calls), [ALL_ONES, ALL_ONES, ALL_ONES]);
});

test('published cases of the filter: what cannot be a range, what overlaps, and what is reserved', () => {
  const { services } = new Caller();
  const add = (base: number, count: number, action: FilterAction = 'deny'): string => services.addFilter({ base, count, action });
  assert.equal(add(0x8400_0000, 0), 'EINVAL');
  assert.equal(add(0xffff_ffff, 2), 'EINVAL');
  assert.equal(add(0x8000_8000, 1), 'EEXIST');
  assert.equal(add(0xc000_0000, 1), 'EEXIST');
  assert.equal(add(0x8400_0000, 1), 'OK');
  assert.equal(add(0x8400_0000, 1), 'EEXIST');
  assert.equal(add(0x83ff_ffff, 3), 'EEXIST');
});

test('published case of the filter: PSCI_VERSION denied answers NOT_SUPPORTED by HVC and by SMC', () => {
  const settings: ServiceSettings = { ...KVM, filter: [{ base: PSCI_VERSION, count: 1, action: 'deny' }] };
  assert.deepEqual(answers(settings, [{ id: PSCI_VERSION }, { id: PSCI_VERSION, isSmc: true }, { id: PSCI_FEATURES, x1: 0x8000_0000 }]), [ALL_ONES, ALL_ONES, 0n]);
});

test('published case of the filter: PSCI_VERSION forwarded is told with its number and conduit, and leaves the registers alone', () => {
  const caller = new Caller({ ...KVM, filter: [{ base: PSCI_VERSION, count: 1, action: 'forward' }] });
  assert.deepEqual(caller.make([{ id: PSCI_VERSION, x1: 7 }, { id: PSCI_VERSION, isSmc: true }]), [[BigInt(PSCI_VERSION), 7n, 2n, 3n], [BigInt(PSCI_VERSION), 0n, 2n, 3n]]);
  const told = caller.fixture.trace.flatMap((event) => (event.event === 'report' && event.code === 'hypercall-forwarded' ? [event.message] : []));
  assert.equal(told.length, 2);
  assert.match(told[0] ?? '', /0x84000000 \(HVC\)/);
  assert.match(told[1] ?? '', /0x84000000 \(SMC\)/);
});

test('a filter cannot be changed once the VM has run', () => {
  const caller = new Caller();
  caller.make([]);
  assert.equal(caller.services.addFilter({ base: 0x8400_0000, count: 1, action: 'deny' }), 'EBUSY');
});

test('published case of the register list: all eight are there, readable, and take back the value read', () => {
  const { services } = new Caller();
  const list = services.list();
  assert.deepEqual(list.map(({ id }) => id.toString(16)), [
    '6030000000140000', '6030000000140001', '6030000000140002', '6030000000140003', '6030000000160000', '6030000000160001', '6030000000160002', '6030000000160003',
  ]);
  for (const { id } of list) {
    const value = services.get(id);
    assert.equal(typeof value, 'bigint');
    assert.equal(services.set(id, typeof value === 'bigint' ? value : 0n), 'OK');
  }
});

test('unknown numbers and ids of another size are refused with ENOENT', () => {
  const { services } = new Caller();
  for (const id of [0x6030_0000_0016_0004n, 0x6030_0000_0014_0004n, 0x6020_0000_0016_0000n, 0x6030_0000_0013_c000n, 0n]) {
    assert.equal(services.get(id), 'ENOENT');
    assert.equal(services.set(id, 0n), 'ENOENT');
  }
});

test('enabled services answer as a KVM host does', () => {
  const [version, uuid, uid, features, arch, st] = new Caller().make([{ id: 0x8000_0000 }, { id: TRNG_GET_UUID }, { id: CALL_UID }, { id: KVM_FEATURES }, { id: ARCH_FEATURES, x1: PV_TIME_FEATURES }, { id: PV_TIME_ST }]);
  assert.deepEqual(version, [0x1_0001n, 0n, 0n, 0n]);
  assert.deepEqual(uuid, [0x00e0_210dn, 0xeb11_8443n, 0x4452_7080n, 0x4c5a_4e55n]);
  assert.deepEqual(uid, [0xb66f_b428n, 0xe911_c52en, 0x564b_caa9n, 0x743a_004dn]);
  assert.deepEqual(features, [3n, 0n, 0n, 0n]);
  assert.deepEqual(arch, [0n, 0n, 0n, 0n]);
  assert.deepEqual(st, [STOLEN_TIME, 0n, 0n, 0n]);
});

test('random bits come right-aligned, and more than three registers of them are refused', () => {
  const [none, few, most, tooMany, wide] = new Caller().make([{ id: TRNG_RND32, x1: 0 }, { id: TRNG_RND32, x1: 5 }, { id: TRNG_RND32, x1: 96 }, { id: TRNG_RND32, x1: 97 }, { id: TRNG_RND64, x1: 193 }]);
  assert.deepEqual(none, [0n, 0n, 0n, 0n]);
  assert.deepEqual(few?.slice(0, 3), [0n, 0n, 0n]);
  assert.ok((few[3] ?? 99n) < 32n);
  assert.ok(most?.[0] === 0n && most.slice(1).every((word) => word < 1n << 32n) && most.slice(1).some((word) => word !== 0n));
  assert.deepEqual([tooMany?.[0], wide?.[0]], [ALL_ONES - 1n, ALL_ONES - 1n]);
});

test('the clock service gives wall clock and counter of one moment, and refuses a counter that does not exist', () => {
  const [virtual, physical, bad] = new Caller().make([{ id: KVM_PTP, x1: 0 }, { id: KVM_PTP, x1: 1 }, { id: KVM_PTP, x1: 2 }]);
  const [wallHigh = 0n, wallLow = 0n, counterHigh = 0n, counterLow = 0n] = virtual ?? [];
  assert.equal(((wallHigh << 32n) | wallLow) >> 4n, (counterHigh << 32n) | counterLow);
  assert.notEqual(physical?.[0], ALL_ONES);
  assert.equal(bad?.[0], ALL_ONES);
});

test('paravirtual time without a structure: the architecture says it is there, the service says that it is not', () => {
  const { stolenTime: _none, ...settings } = KVM;
  assert.deepEqual(answers(settings, [{ id: ARCH_FEATURES, x1: PV_TIME_FEATURES }, { id: PV_TIME_FEATURES, x1: PV_TIME_ST }, { id: PV_TIME_ST }]), [0n, ALL_ONES, ALL_ONES]);
});

test('the second vendor bitmap shows in the features call, and its functions are denied all the same', () => {
  const settings: ServiceSettings = { ...KVM, bitmaps: { KVM_REG_ARM_VENDOR_HYP_BMAP_2: 3n } };
  const [features, version] = new Caller(settings).make([{ id: KVM_FEATURES }, { id: 0xc600_0040 }]);
  assert.deepEqual(features, [3n, 0n, 3n, 0n]);
  assert.equal(version?.[0], ALL_ONES);
});

test('workaround levels: what the host reports, what may be written, and what a guest is told', () => {
  const { services } = new Caller({ ...KVM, workarounds: { 1: 1, 2: 3, 3: 0 } });
  const id = (n: bigint): bigint => 0x6030_0000_0014_0000n + n;
  assert.deepEqual([1n, 2n, 3n].map((n) => services.get(id(n))), [1n, 3n, 0n]);
  assert.deepEqual([0n, 1n, 2n].map((value) => services.set(id(1n), value)), ['OK', 'OK', 'EINVAL']);
  assert.deepEqual([0n, 1n, 2n, 3n, 4n, 0x12n, 0x13n, 0x22n].map((value) => services.set(id(2n), value)), ['OK', 'OK', 'OK', 'OK', 'EINVAL', 'OK', 'EINVAL', 'EINVAL']);
  assert.equal(services.get(id(2n)), 3n, 'writes are accepted and discarded');
  const ask = [0x8000_8000, 0x8000_7fff, 0x8000_3fff].map((x1) => ({ id: ARCH_FEATURES, x1 }));
  assert.deepEqual(answers({ ...KVM, workarounds: { 1: 1, 2: 0, 3: 2 } }, ask), [0n, ALL_ONES, 1n]);
  assert.deepEqual(answers({ ...KVM, workarounds: { 1: 0, 2: 3, 3: 1 } }, ask), [ALL_ONES, ALL_ONES - 1n, 0n]);
});

test('the PSCI version decides which functions exist', () => {
  const ask = [PSCI_VERSION, PSCI_FEATURES].map((id) => ({ id, x1: 0x8000_0000 }));
  const features = [0x8400_0012, 0x8400_0015, 0x8400_0003].map((x1) => ({ id: PSCI_FEATURES, x1 }));
  const migrate = { id: 0x8400_0006 };
  assert.deepEqual(answers({ ...KVM, psciVersion: '0.2' }, [...ask, ...features, migrate]), [2n, ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES, 2n]);
  assert.deepEqual(answers({ ...KVM, psciVersion: '1.0' }, [...ask, ...features, migrate]), [0x1_0000n, 0n, ALL_ONES, ALL_ONES, 0n, 2n]);
  assert.deepEqual(answers({ ...KVM, psciVersion: '1.1' }, [...ask, ...features, migrate]), [0x1_0001n, 0n, 0n, ALL_ONES, 0n, 2n]);
  assert.deepEqual(answers(KVM, [...ask, ...features, migrate]), [0x1_0003n, 0n, 0n, 1n, 0n, 2n]);
  assert.deepEqual(answers({ ...KVM, psciVersion: '0.1' }, [...ask, { id: 0x95c1_ba5e }]), [ALL_ONES, ALL_ONES, ALL_ONES]);
});

test('PSCI versions that can be written: known ones that the vCPU may have, at any time', () => {
  const caller = new Caller();
  const id = caller.id('KVM_REG_ARM_PSCI_VERSION');
  assert.equal(caller.services.get(id), 0x1_0003n);
  assert.deepEqual([1n, 3n, 0x1_0004n, 0x2_0000n].map((value) => caller.services.set(id, value)), ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL']);
  caller.make([{ id: CPU_OFF }]);
  assert.equal(caller.services.set(id, 0x1_0000n), 'OK');
  assert.deepEqual(caller.make([{ id: PSCI_VERSION }])[0]?.[0], 0x1_0000n);
  const old = new Caller({ ...KVM, psciVersion: '0.1' });
  assert.deepEqual([1n, 2n].map((value) => old.services.set(id, value)), ['OK', 'EINVAL']);
});

test('PSCI calls of a KVM guest: its own CPU is on, another does not exist, bad parameters are refused', () => {
  const results = answers(KVM, [{ id: 0xc400_0004, x1: 0 }, { id: 0xc400_0003, x1: 0 }, { id: 0xc400_0003, x1: 0x55 }, { id: 0x8400_0012, x1: 5 }, { id: 0x8400_0015, x1: 9 }]);
  const negative = (value: bigint): bigint => BigInt.asUintN(64, value);
  assert.deepEqual(results, [0n, negative(-4n), negative(-2n), negative(-2n), negative(-2n)]);
});

test('an SMC with an immediate answers NOT_SUPPORTED and touches nothing else; an HVC with one is a call', () => {
  const { fixture, thread } = new Caller();
  const vcpu = fixture.vcpu(thread);
  const call = (reason: 'hvc' | 'smc', immediate: number): bigint[] => {
    [BigInt(PSCI_VERSION), 1n, 2n, 3n].forEach((value, n) => { vcpu.setX(n, value); });
    fixture.hypervisor.handleExit(thread, { reason, immediate });
    return [0, 1, 2, 3].map((n) => vcpu.x(n));
  };
  assert.deepEqual(call('smc', 5), [ALL_ONES, 1n, 2n, 3n]);
  assert.deepEqual(call('hvc', 0x601b), [0x1_0003n, 0n, 0n, 0n]);
});

test('stolen time grows while another thread has the CPU, and is written before the vCPU runs', () => {
  const fixture = new Fixture({ services: (vmid) => (vmid === 10 ? { ...KVM, stolenTime: 0x8000_4000n } : GUNYAH_SERVICES) });
  const spin = [0x1400_0000];
  const [one, other] = [fixture.makeVm(), fixture.makeVm({ vmid: 11 })];
  fixture.load(one, spin);
  fixture.load(other, spin);
  fixture.powerOn(one);
  fixture.powerOn(other);
  fixture.run(12_000, 5000);
  const stolen = fixture.engine.memory.readU64(pa(one.memoryBase + 0x4008n));
  const { now } = fixture.events;
  assert.ok(stolen > 0n && stolen < BigInt(now), `${stolen} of ${now}`);
  assert.ok(stolen > BigInt(now) / 4n, 'two busy threads share a CPU about evenly');
  assert.equal(fixture.engine.memory.readU64(pa(other.memoryBase + 0x4008n)), 0n);
});

test('a VM with Gunyah personality answers as Gunyah without a selection, whatever bits of services it lacks anyway', () => {
  const calls = [{ id: CALL_UID }, { id: TRNG_VERSION }, { id: TRNG_RND32, x1: 0 }, { id: PSCI_VERSION }, { id: PV_TIME_FEATURES, x1: PV_TIME_ST }, { id: ARCH_FEATURES, x1: PV_TIME_FEATURES }, { id: KVM_FEATURES }];
  assert.deepEqual(answers(GUNYAH_SERVICES, calls), [0xcd8f_d5c1n, 0x1_0000n, ALL_ONES - 1n, 0x1_0001n, ALL_ONES, 0xffff_ffffn, ALL_ONES]);
});

test('a selection takes services away from a VM with Gunyah personality too', () => {
  const settings: ServiceSettings = { ...GUNYAH_SERVICES, psciVersion: '0.2', bitmaps: { KVM_REG_ARM_STD_BMAP: 0n, KVM_REG_ARM_VENDOR_HYP_BMAP: 0n } };
  const calls = [{ id: CALL_UID }, { id: 0x8600_ff03 }, { id: TRNG_VERSION }, { id: TRNG_RND64, x1: 64 }, { id: PSCI_VERSION }, { id: PSCI_FEATURES, x1: 0x8000_0000 }];
  assert.deepEqual(answers(settings, calls), [ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES, 2n, ALL_ONES]);
  assert.deepEqual(answers({ ...GUNYAH_SERVICES, stolenTime: STOLEN_TIME }, [{ id: PV_TIME_FEATURES, x1: PV_TIME_ST }, { id: PV_TIME_ST }, { id: ARCH_FEATURES, x1: PV_TIME_FEATURES }]), [0n, STOLEN_TIME, 0n]);
});

test('the proposal of 2021: other ids, the first write clears, and its own idea of what is gated', () => {
  const settings: ServiceSettings = { ...KVM, flavour: 'rfc' };
  const caller = new Caller(settings);
  const [std, stdHyp, vendor] = [0x6030_0000_0014_0003n, 0x6030_0000_0014_0004n, 0x6030_0000_0014_0005n];
  assert.deepEqual(caller.services.list().map(({ id }) => id & 0xffn), [0n, 1n, 2n, 3n, 4n, 5n]);
  assert.deepEqual([std, stdHyp, vendor].map((id) => caller.services.get(id)), [1n, 1n, 1n]);
  assert.equal(caller.services.set(std, 2n), 'EINVAL');
  assert.deepEqual([std, stdHyp, vendor].map((id) => caller.services.get(id)), [0n, 0n, 0n], 'the first write clears all, before its value is looked at');
  assert.equal(caller.services.set(vendor, 1n), 'OK');
  const results = caller.make([{ id: CALL_UID }, { id: KVM_FEATURES }, { id: KVM_PTP }, { id: TRNG_VERSION }, { id: TRNG_FEATURES, x1: TRNG_RND64 }, { id: TRNG_RND64 }, { id: PV_TIME_FEATURES, x1: PV_TIME_ST }]).map(([x0]) => x0);
  assert.deepEqual([results[0], results[1], results[3], results[4], results[5], results[6]], [0xb66f_b428n, 3n, 0x1_0000n, ALL_ONES, ALL_ONES, ALL_ONES]);
  assert.notEqual(results[2], ALL_ONES);
  assert.equal(caller.services.set(vendor, 0n), 'OK', 'after the start every register is compared with the first bitmap');
  assert.equal(caller.services.get(vendor), 1n);
  assert.equal(caller.services.set(vendor, 1n), 'EBUSY');
  assert.equal(caller.services.addFilter({ base: 1, count: 1, action: 'deny' }), 'ENXIO');
});

test('the selection and the stolen time are part of a snapshot', () => {
  const caller = new Caller();
  caller.services.set(caller.id('KVM_REG_ARM_STD_BMAP'), 0n);
  caller.services.addFilter({ base: KVM_PTP, count: 1, action: 'deny' });
  caller.make([{ id: PV_TIME_ST }]);
  const saved = structuredClone(caller.fixture.hypervisor.save());
  caller.services.restore(new VmServices(KVM).save());
  assert.equal(caller.services.get(caller.id('KVM_REG_ARM_STD_BMAP')), 1n);
  caller.fixture.hypervisor.restore(saved);
  assert.deepEqual([caller.services.get(caller.id('KVM_REG_ARM_STD_BMAP')), caller.services.hasStarted, caller.services.filterOf(KVM_PTP)], [0n, true, 'deny']);
  assert.deepEqual(caller.fixture.hypervisor.save(), saved);
});

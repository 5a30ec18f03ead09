/** Hypercalls on watchdogs: every row, every documented error, on both paths; and a watchdog that barks and bites. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRORS } from '../../../runtime/hypervisor/errors';
import { Fixture, type TestVm } from '../fixture';
import { runRows } from './cases';
import { WATCHDOG_ROWS } from './watchdog';

runRows(WATCHDOG_ROWS);

const CONTROL = 0x8600_0005;
const STATUS = 0x8600_0006;
const PET = 0x8600_0007;
const SET_TIME = 0x8600_0008;
const MS = 1_000_000;
const RX = 64;

interface Guarded { readonly fixture: Fixture; readonly vm: TestVm; readonly watchdog: bigint }

/** A VM with a watchdog whose bark goes to the VM itself as interrupt 40 and whose bite to the root VM. */
function guarded(options = 0n): Guarded {
  const fixture = new Fixture({ watchdog: true });
  const watchdog = fixture.create('watchdog');
  fixture.rootCall('watchdog_configure', { watchdog, options });
  fixture.activate(watchdog);
  const vm = fixture.makeVm({ beforeActivation: (vcpu) => { fixture.rootCall('watchdog_attach_vcpu', { watchdog, vcpu }); } });
  fixture.rootCall('watchdog_bind_virq', { watchdog, vic: vm.vic, virq: 40, flags: 0n });
  fixture.rootCall('watchdog_bind_virq', { watchdog, vic: fixture.root.environment.vic, virq: RX, flags: 1n });
  fixture.powerOn(vm);
  return { fixture, vm, watchdog };
}

const call = ({ fixture, vm }: Guarded, id: number, ...args: readonly bigint[]): readonly bigint[] => fixture.smccc(vm.thread, id, ...args).slice(0, 3);
const isPending = ({ fixture, vm }: Guarded) => fixture.hypervisor.inspect.interrupts(vm.thread.vmid)?.virqs.find(({ intid }) => intid === 40)?.pending ?? false;

describe('a watchdog', () => {
  it('answers status, control, times and pets by SMC', () => {
    const system = guarded();
    assert.deepEqual(call(system, STATUS), [0n, 0n, 0n]);
    assert.deepEqual(call(system, CONTROL, 3n)[0], 0n);
    assert.equal(Number(call(system, CONTROL, 3n)[0]), ERRORS.BUSY);
    assert.equal(Number(call(system, CONTROL, 1n)[0]), ERRORS.ARGUMENT_INVALID);
    assert.equal(Number(call(system, SET_TIME, 0n, 5n)[0]), ERRORS.ARGUMENT_INVALID);
    system.fixture.advance(7 * MS);
    assert.deepEqual(call(system, STATUS), [0n, 1n, 7n]);
    call(system, PET);
    assert.deepEqual(call(system, STATUS), [0n, 1n, 0n]);
    assert.equal(call(system, CONTROL, 2n)[0], 0n);
    assert.equal(Number(call(system, CONTROL, 2n)[0]), ERRORS.IDLE);
  });

  it('barks, then bites, unless it is petted in time', () => {
    const system = guarded();
    call(system, SET_TIME, 10n, 15n);
    call(system, CONTROL, 3n);
    system.fixture.advance(9 * MS);
    call(system, PET);
    system.fixture.advance(9 * MS);
    assert.equal(isPending(system), false);
    system.fixture.advance(1 * MS);
    assert.equal(isPending(system), true);
    system.fixture.advance(4 * MS);
    system.fixture.run();
    assert.deepEqual(system.fixture.interrupts, []);
    system.fixture.advance(2 * MS);
    system.fixture.run();
    assert.deepEqual(system.fixture.interrupts, [RX]);
    assert.deepEqual(call(system, STATUS), [0n, 0x8000_0001n, 15n]);
    assert.deepEqual(system.fixture.power, []);
  });

  it('stands still while its manager has frozen it', () => {
    const system = guarded();
    const manage = (operation: number) => { system.fixture.rootCall('watchdog_manage', { watchdog: system.watchdog, operation }); };
    call(system, SET_TIME, 10n, 15n);
    call(system, CONTROL, 3n);
    system.fixture.advance(6 * MS);
    manage(0);
    system.fixture.advance(100 * MS);
    assert.deepEqual(call(system, STATUS), [0n, 1n, 6n]);
    manage(2);
    system.fixture.advance(3 * MS);
    assert.equal(isPending(system), false);
    system.fixture.advance(1 * MS);
    assert.equal(isPending(system), true);
  });

  it('ends the platform with a critical bite, and comes back from a snapshot where it was', () => {
    const system = guarded(1n);
    call(system, SET_TIME, 10n, 15n);
    call(system, CONTROL, 3n);
    system.fixture.advance(12 * MS);
    const saved = system.fixture.hypervisor.save();
    system.fixture.hypervisor.restore(saved);
    assert.equal(isPending(system), true);
    system.fixture.advance(2 * MS);
    assert.deepEqual(system.fixture.power, []);
    system.fixture.advance(1 * MS);
    assert.deepEqual(system.fixture.power, ['reset']);
  });

  it('does not exist on the reference build, nor for a VM that has none', () => {
    for (const watchdog of [false, true]) {
      const fixture = new Fixture({ watchdog });
      const vm = fixture.makeVm();
      assert.equal(fixture.smccc(vm.thread, STATUS)[0], 0xffff_ffff_ffff_ffffn);
      assert.equal(fixture.native(vm.thread, 'watchdog_manage')[0], watchdog ? BigInt(ERRORS.CSPACE_CAP_NULL) : 0xffff_ffff_ffff_ffffn);
      assert.equal((fixture.native(vm.thread, 'hypervisor_identify')[1] ?? 0n) & 0x100n, watchdog ? 0x100n : 0n);
    }
  });
});

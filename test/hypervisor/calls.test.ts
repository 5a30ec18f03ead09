/** The hypercall shell as registers in and registers out, on both paths, against what the real hypervisor was seen to answer. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CapId } from '../../runtime/base/brands';
import type { EventObjects } from '../../runtime/base/trace-event';
import { HYPERCALLS, type HypercallName } from '../../runtime/hypervisor/hypercall-table';
import { notYetHypercalls } from '../../runtime/hypervisor/hypervisor';
import { errorOf, Fixture } from './fixture';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const LOW_ONES = 0xffff_ffffn;

/**
 * Calls by a VM without capabilities, arguments all zero / all-ones / zero with X7 = 1, as observed through SMCCC:
 * 50 empty slot, 1 invalid argument, 2 size, -1 unimplemented.
 */
const OBSERVED: readonly (readonly [first: number, last: number, zero: number, ones: number])[] = [
  [0x01, 0x01, -1, -1], [0x02, 0x07, 50, 1], [0x08, 0x09, -1, -1], [0x0a, 0x0d, 50, 1], [0x0e, 0x0f, -1, -1], [0x10, 0x15, 50, 1], [0x16, 0x16, -1, -1],
  [0x17, 0x1d, 50, 1], [0x1e, 0x1e, -1, -1], [0x1f, 0x23, 50, 1], [0x24, 0x24, -1, -1], [0x25, 0x32, 50, 1], [0x33, 0x33, -1, -1], [0x34, 0x34, 50, 1],
  [0x35, 0x37, -1, -1], [0x39, 0x3a, 50, 1], [0x3b, 0x3b, 0, 1], [0x3c, 0x3e, 50, 1], [0x3f, 0x3f, 0, 0], [0x40, 0x42, -1, -1], [0x43, 0x56, 50, 1],
  [0x57, 0x57, 2, 2], [0x58, 0x58, -1, -1], [0x59, 0x62, 50, 1], [0x63, 0x63, -1, -1], [0x64, 0x65, 50, 1], [0x66, 0x66, 50, -1], [0x67, 0x68, 50, 1], [0x69, 0x6f, -1, -1],
];

describe('a VM without capabilities', () => {
  for (const [first, last, zero, ones] of OBSERVED) {
    for (let number = first; number <= last; number++) {
      it(`gets ${zero} and ${ones} from call 0x${number.toString(16)}`, () => {
        const fixture = sharedFixture();
        const id = 0xc600_8000 + number;
        const thread = fixture.vm.thread;
        const call = (value: bigint, x7: bigint) => fixture.smccc(thread, id, value, value, value, value, value, value, x7)[0];
        assert.equal(BigInt.asIntN(64, call(0n, 0n) ?? 0n), BigInt(zero));
        assert.equal(BigInt.asIntN(64, call(ALL_ONES, 0n) ?? 0n), BigInt(ones));
        assert.equal(BigInt.asIntN(64, call(0n, 1n) ?? 0n), BigInt(zero));
      });
    }
  }
});

let shared: (Fixture & { vm: ReturnType<Fixture['makeVm']> }) | undefined;
function sharedFixture(): Fixture & { vm: ReturnType<Fixture['makeVm']> } {
  if (shared === undefined) {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    fixture.powerOn(vm);
    shared = Object.assign(fixture, { vm });
  }
  return shared;
}

describe('the native path', () => {
  it('writes X0..X7, keeps X8, leaves the return address in X9 and clears X10..X17', () => {
    const fixture = sharedFixture();
    const pc = fixture.vcpu(fixture.vm.thread).pc;
    const registers = fixture.hvc(fixture.vm.thread, 0x6012, 0n, 1n, 0n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n, 13n, 14n, 15n, 16n, 17n);
    assert.deepEqual(registers, [50n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 8n, pc, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  });

  it('answers empty slots with all-ones in 64 bits, stubs in 32', () => {
    const fixture = sharedFixture();
    assert.deepEqual(fixture.hvc(fixture.vm.thread, 0x6033, 1n, 2n, 3n).slice(0, 8), [ALL_ONES, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
    assert.deepEqual(fixture.native(fixture.vm.thread, 'object_reset').slice(0, 2), [LOW_ONES, 0n]);
    assert.deepEqual(fixture.native(fixture.vm.thread, 'partition_create_partition').slice(0, 3), [LOW_ONES, ALL_ONES, 0n]);
  });

  it('touches nothing but X0 for immediates outside its table', () => {
    const fixture = sharedFixture();
    const given = Array.from({ length: 18 }, (_, n) => BigInt(100 + n));
    for (const immediate of [0x6069, 0x6100, 1, 0x5fff, 0xffff]) {
      assert.deepEqual(fixture.hvc(fixture.vm.thread, immediate, ...given), [ALL_ONES, ...given.slice(1)]);
    }
  });

  it('checks reserved arguments before anything else, in stubs too', () => {
    const fixture = sharedFixture();
    assert.equal(errorOf(fixture.native(fixture.vm.thread, 'doorbell_send', 0n, 1n, 5n)), 1);
    assert.equal(errorOf(fixture.native(fixture.vm.thread, 'object_reset', 0n, 5n)), 1);
    assert.equal(errorOf(fixture.native(fixture.vm.thread, 'msgqueue_configure_send', 0n, 1n, LOW_ONES, 0n)), 1);
    assert.equal(errorOf(fixture.smccc(fixture.vm.thread, 0xc600_8012, 0n, 1n, 5n)), 50);
  });
});

describe('the SMCCC path', () => {
  it('writes declared results only', () => {
    const fixture = sharedFixture();
    const registers = fixture.smccc(fixture.vm.thread, 0xc600_8012, 0n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n);
    assert.deepEqual(registers.slice(0, 12), [50n, 0n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n]);
  });

  it('ignores the SVE hint and the upper half of the identifier, and refuses other reserved bits and kinds', () => {
    const fixture = sharedFixture();
    const { thread } = fixture.vm;
    assert.equal(fixture.hvc(thread, 0, 0xdead_beef_c600_8000n)[0], 0x5100_0000_0000_8001n);
    assert.equal(fixture.hvc(thread, 0, 0xc601_8000n)[0], 0x5100_0000_0000_8001n);
    for (const id of [0xc602_8000n, 0x4600_8000n, 0x8600_8000n, 0xc600_0000n, 0xc600_4000n, 0x1234_5678n]) assert.equal(fixture.hvc(thread, 0, id)[0], ALL_ONES);
  });

  it('serves version, features, identity and random numbers', () => {
    const fixture = sharedFixture();
    const { thread } = fixture.vm;
    const call = (id: number, ...args: bigint[]) => fixture.smccc(thread, id, ...args);
    assert.deepEqual(call(0x8000_0000, 0x1_0000_0001n, 0x2_0000_0002n, 0x3_0000_0003n, 0x4_0000_0004n).slice(0, 5), [0x10003n, 1n, 2n, 3n, 0x4_0000_0004n]);
    assert.equal(call(0x8000_0001, 0x8000_0000n)[0], 0n);
    assert.equal(call(0x8000_0001, 0x8000_8000n)[0], LOW_ONES);
    assert.deepEqual(call(0x8600_ff01).slice(0, 4), [0xcd8f_d5c1n, 0xdb5f_53a4n, 0x36ce_6592n, 0x145f_3d67n]);
    assert.deepEqual(call(0x8600_ff03, ALL_ONES).slice(0, 2), [0x5100_0000_0000_8001n, ALL_ONES]);
    assert.deepEqual(call(0x8500_ff03).slice(0, 2), [1n, 0n]);
    for (const id of [0x8600_ff00, 0x8600_3f01, 0xc500_0020, 0x8400_0099]) assert.equal(call(id)[0], ALL_ONES);
    assert.equal(call(0x8400_0050)[0], 0x10000n);
    assert.equal(call(0x8400_0051, 0xc400_0053n)[0], 0n);
    assert.equal(BigInt.asIntN(64, call(0xc400_0053, 193n)[0] ?? 0n), -2n);
    assert.equal(BigInt.asIntN(64, call(0x8400_0053, 0n)[0] ?? 0n), -2n);
    const [status, high, middle, low] = call(0xc400_0053, 65n);
    assert.deepEqual([status, high], [0n, 0n]);
    assert.ok((middle ?? 2n) < 2n && (low ?? 0n) !== 0n);
  });
});

describe('the identity', () => {
  it('has the word order of early drivers on request, or is hidden', () => {
    const answers = (identity: 'gunyah-legacy' | 'none') => {
      const fixture = new Fixture({ identity });
      const { thread } = fixture.makeVm();
      return [0x8600_ff01, 0x8500_ff01, 0x8500_ff03, 0x8600_ff03].map((id) => fixture.smccc(thread, id, 5n << 32n)[0]).concat(fixture.smccc(thread, 0x8000_0001, 0x8600_ff03n)[0], fixture.smccc(thread, 0x8000_0001, 0x8500_ff03n)[0]);
    };
    assert.deepEqual(answers('gunyah-legacy'), [0x673d_5f14n, 0x673d_5f14n, 1n, 0x5100_0000_0000_8001n, LOW_ONES, 0n]);
    assert.deepEqual(answers('none'), [ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES]);
  });
});

describe('a machine without a hypervisor', () => {
  // Measured on QEMU 7.2's virt machine with a program that prints X0 after each call.
  const features = [0x8000_0000, 0x8400_0005, 0x8400_0007, 0x8400_000c, 0x8400_0012, 0x8400_000e, 0x8400_000f];
  const present = [0x8400_0000, 0x8400_0001, 0xc400_0001, 0x8400_0002, 0xc400_0003, 0xc400_0004, 0x8400_0006, 0x8400_0008, 0x8400_0009, 0x8400_000a];
  const fixture = new Fixture({ identity: 'none' });
  const { thread } = fixture.makeVm();
  const call = (id: number, x1 = 0n) => fixture.smccc(thread, id, x1)[0];

  it('answers the PSCI calls that QEMU has, and NOT_SUPPORTED to everything else', () => {
    assert.deepEqual([0x8400_0000, 0x8400_0006].map((id) => call(id)), [0x10001n, 2n]);
    for (const id of present) assert.equal(call(0x8400_000a, BigInt(id)), 0n, id.toString(16));
    for (const id of features) assert.equal(call(0x8400_000a, BigInt(id)), ALL_ONES, id.toString(16));
    for (const id of [0x8000_0000, 0x8000_0001, 0x8400_0050, 0x8400_0053, 0xc400_0053, 0x8600_ff01, 0x8500_ff01, 0xc600_801b, 0x8400_0012, 0x1234]) assert.equal(call(id), ALL_ONES, id.toString(16));
  });
});

describe('small calls', () => {
  it('limit entropy to four reads in 33 ms', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const read = (size: bigint) => errorOf(fixture.native(vm.thread, 'prng_get_entropy', size));
    assert.deepEqual([read(0n), read(17n), read(3n)], [2, 2, 3]);
    assert.deepEqual([read(16n), read(4n), read(8n), read(12n), read(4n)], [0, 0, 0, 0, 31]);
    fixture.advance(33_000_000);
    assert.equal(read(16n), 0);
  });

  it('show and change trace classes, but for the fixed ones', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    assert.deepEqual(fixture.native(vm.thread, 'trace_update_class_flags').slice(0, 2), [0n, 0x700e7n]);
    assert.deepEqual(fixture.native(vm.thread, 'trace_update_class_flags', 0x2n, 0xe7n).slice(0, 2), [0n, 0x70023n]);
  });
});

describe('every row of the table', () => {
  it('has a handler, or stands in the ledger, or needs none', () => {
    const waiting = new Set(notYetHypercalls());
    assert.deepEqual([...waiting], []);
  });

  it('answers a VM with wrong capabilities with one of its errors', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const doorbell = fixture.create('doorbell');
    fixture.activate(doorbell);
    const own = fixture.give(vm, doorbell, 1);
    const rightsFirst = new Set<HypercallName>([
      'object_activate', 'cspace_configure', 'vic_configure', 'addrspace_configure', 'memextent_configure', 'vcpu_configure', 'vpm_group_configure',
      'addrspace_configure_info_area', 'vgic_set_mpidr_mapping', 'addrspace_attach_thread', 'cspace_attach_thread', 'memextent_configure_derive', 'msgqueue_configure',
    ]);
    for (const name of ['object_activate', 'cspace_configure', 'vic_configure', 'msgqueue_configure', 'addrspace_attach_thread', 'cspace_attach_thread', 'msgqueue_send',
      'memextent_modify', 'vcpu_run', 'vcpu_run_check', 'addrspace_lookup', 'vpm_group_configure', 'hwirq_bind_virq', 'vic_attach_vcpu', 'virtio_mmio_configure'] as const) {
      const capabilities = HYPERCALLS[name].inputs.map((input) => (input.type === 'cap_id_t' ? own : 'mustBe' in input ? input.mustBe : 0n));
      assert.equal(errorOf(fixture.native(vm.thread, name, ...capabilities)), rightsFirst.has(name) ? 53 : 52, name);
    }
    assert.equal(errorOf(fixture.native(vm.thread, 'doorbell_receive', own, 1n)), 53);
  });
});

describe('the trace of a call', () => {
  it('says which objects its capabilities named then, though their identifiers go to others later', () => {
    const fixture = new Fixture();
    const { cspace } = fixture.root.environment;
    const make = (type: 'doorbell' | 'msgqueue'): CapId => {
      const cap = fixture.create(type);
      fixture.rootCall('cspace_delete_cap_from', { cspace, cap });
      return cap;
    };
    const from = fixture.trace.length;
    assert.equal(make('doorbell'), make('msgqueue'), 'the second one gets the slot of the first');
    const calls = fixture.trace.slice(from).filter((event) => event.event === 'hypercall');
    const named = (name: string, argument: string): string[] => calls.filter((call) => call.name === name).map(({ phase, objects }) => `${phase} ${objects?.[argument]?.type ?? 'nothing'}`);
    assert.deepEqual(named('partition_create_doorbell', 'new_cap'), ['enter nothing', 'leave doorbell']);
    assert.deepEqual(named('cspace_delete_cap_from', 'cap'), ['enter doorbell', 'leave doorbell', 'enter msgqueue', 'leave msgqueue']);
    assert.deepEqual(named('partition_create_doorbell', 'src_partition'), ['enter partition', 'leave partition']);
  });

  it('finds a copied capability in the cspace that got it, and says of a revoked one that it is', () => {
    const fixture = new Fixture();
    const vm = fixture.makeVm();
    const doorbell = fixture.create('doorbell');
    const copy = fixture.give(vm, doorbell, 7);
    const lastOf = (name: string): EventObjects => fixture.trace.flatMap((event) => (event.event === 'hypercall' && event.name === name ? [event.objects ?? {}] : [])).at(-1) ?? {};
    assert.equal(lastOf('cspace_copy_cap_from')['new_cap']?.type, 'doorbell');
    fixture.rootCall('cspace_revoke_caps_from', { src_cspace: fixture.root.environment.cspace, master_cap: doorbell });
    fixture.native(vm.thread, 'doorbell_send', BigInt(copy), 1n);
    assert.deepEqual(Object.entries(lastOf('doorbell_send')).map(([name, { type, revoked }]) => [name, type, revoked]), [['doorbell', 'doorbell', true]]);
  });
});

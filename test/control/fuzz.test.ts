/** The control API with arguments at random: addresses, times, sizes, VMIDs, register numbers that nobody checked before. It answers, and the system goes on as before. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { pa, ticks, va } from '../../runtime/base/brands';
import { walkTables } from '../../runtime/control/page-walk';
import { addServiceFilter, getServiceRegister, listServiceRegisters, servicesOf, setServiceRegister } from '../../runtime/control/services';
import { debug, finish, programsSubject } from '../support/system';

const SEED = 20_261_122;
const SIZE_MAX = 0x1_0000;

const address = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0x4000_0000n, max: 0x4200_0000n }), fc.constantFrom(0n, (1n << 64n) - 1n, (1n << 63n), 1n << 48n, 1n << 36n, 0xffff_0000_0000_0000n, 0x3fff_ffffn));
const vmid = fc.oneof(fc.nat(300), fc.constantFrom(0, 3, 0x80, 255, 65_536, 2 ** 31));
const word = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(0n, 1n, 0x6030_0000_0014_0000n, 0x6030_0000_0016_0000n, 0x6030_0000_0016_0001n, 0x6030_0000_0016_0002n, 0x6030_0000_0016_0003n));

/** A system under a debugger, some way into its run. */
async function target(): Promise<ReturnType<typeof debug>> {
  const made = debug(await programsSubject(['sdk-self-test', 'timer-irq']), { history: { intervalEffort: 200_000, checkpointCountMax: 20 } });
  for (let n = 0; n < 20; n++) {
    made.system.run({ until: ticks(made.system.now + 500_000) });
    made.timeline.observe();
  }
  return made;
}

test('any address and size can be read, walked and looked up, and nothing changes', async () => {
  const { system } = await target();
  const hash = system.stateHash();
  fc.assert(fc.property(address, fc.nat(SIZE_MAX), fc.constantFrom(...system.vcpuIndexes()), (at, size, vcpu) => {
    for (const bytes of [system.readVirtual(vcpu, va(at), size), system.readIntermediate(vcpu, at, size), system.readPhysical(pa(at), size)]) assert.ok(bytes.length <= size);
    for (const stage of ['both', 2] as const) {
      const total = system.physicalPieces(vcpu, at, size, stage).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      assert.ok(total <= size);
      assert.ok(walkTables(system, vcpu, at, stage).length <= 30);
    }
  }), { seed: SEED, numRuns: 400 });
  assert.equal(system.stateHash(), hash);
});

test('any service register of any VM can be asked for and set or is refused, and what is read afterwards is what was set', async () => {
  const { system } = await target();
  fc.assert(fc.property(vmid, word, word, fc.record({ base: fc.oneof(fc.nat(), fc.constantFrom(0x8000_0000, 0xffff_ffff, 2 ** 40)), count: fc.oneof(fc.nat(), fc.constantFrom(0, 0xffff_ffff, 2 ** 40)), action: fc.constantFrom('handle', 'deny') }), (id, register, value, filter) => {
    const before = getServiceRegister(system, id, register);
    const done = setServiceRegister(system, id, { id: register, value });
    if (done.ok) assert.deepEqual(getServiceRegister(system, id, register), { ok: true, value });
    else assert.deepEqual(getServiceRegister(system, id, register), before);
    addServiceFilter(system, id, filter);
    assert.ok(listServiceRegisters(system, id).length < 10);
    servicesOf(system, id);
  }), { seed: SEED, numRuns: 300 });
  system.parts.hypervisor.checkInvariants();
});

test('any time can be sought in any order, and a time met twice is the same state', async () => {
  const made = await target();
  const { system, timeline } = made;
  const known = new Map<number, string>();
  fc.assert(fc.property(fc.oneof(fc.nat(timeline.end), fc.constantFrom(0, 1, timeline.end - 1, timeline.end)), (tick) => {
    finish(made.seek(ticks(tick)));
    const hash = system.stateHash();
    assert.equal(hash, known.get(system.now) ?? hash);
    known.set(system.now, hash);
  }), { seed: SEED, numRuns: 25 });
});

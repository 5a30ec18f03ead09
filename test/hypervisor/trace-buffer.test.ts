/** The trace in memory, read back from a dump by a decoder of our own (`trace-decoder.ts`). */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pa } from '../../runtime/base/brands';
import { Fixture, RAM_BASE, RAM_SIZE, type TestVm } from './fixture';
import { type DecodedTrace, decodeTrace, type TraceLine } from './trace-decoder';

function decode(fixture: Fixture): DecodedTrace {
  return decodeTrace(fixture.engine.memory.read(pa(RAM_BASE), RAM_SIZE), RAM_BASE);
}

/** What an action adds to the global buffer, and to the CPUs'. */
function added(fixture: Fixture, action: () => void): { readonly global: string[]; readonly local: string[]; readonly lines: TraceLine[] } {
  const before = decode(fixture).lines;
  action();
  const isNew = (line: TraceLine): boolean => before.filter(({ buffer }) => buffer === line.buffer).length <= lines.filter(({ buffer }) => buffer === line.buffer).indexOf(line);
  const { lines } = decode(fixture);
  const fresh = lines.filter(isNew);
  return { global: fresh.filter(({ buffer }) => buffer === 0).map(({ text }) => text), local: fresh.filter(({ buffer }) => buffer > 0).map(({ text }) => text), lines: fresh };
}

/** An object's address as entries say it. */
function addressOf(vm: TestVm): string {
  return `0x${(0xffff_ff8f_0600_0000n + BigInt(vm.thread.header.id) * 4096n).toString(16)}`;
}

it('hypercalls are in the trace with their caller, arguments and results', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  const { lines } = added(fixture, () => {
    fixture.native(vm.thread, 'doorbell_send', 60n, 5n);
    fixture.smccc(vm.thread, 0xc600_8012, 60n, 6n);
  });
  const { classes, flags, buffers } = decode(fixture);
  assert.deepEqual([classes, flags, buffers.map(({ mask }) => mask)], [0x700e7n, 0x13, [0n, 1n, 2n]]);
  assert.deepEqual(lines.map(({ cpu, vmid, vcpu, id, text }) => [cpu, vmid, vcpu, id, text]), [
    [0, 10, 0, 2, 'doorbell_send: 0x3c 0x5'], [0, 10, 0, 2, 'doorbell_send ret: 0x32 0x0'],
    [0, 10, 0, 2, 'smccc hyp: 0x12: 0x3c 0x6 0x0, 0x0'], [0, 10, 0, 2, 'smccc ret: 0x32 0x0 0x6 0x0 0x0'],
  ]);
});

it('the bytes of random numbers are not in the trace', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  assert.deepEqual(added(fixture, () => { fixture.native(vm.thread, 'prng_get_entropy', 4n); }).global, ['prng_get_entropy']);
  assert.deepEqual(added(fixture, () => { fixture.smccc(vm.thread, 0xc600_8057, 4n); }).global, ['smccc hyp: 0x57: 0x4 0x0 0x0, 0x0']);
});

it('the trace keeps the newest entries when it is full', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  for (let n = 0; n < 5000; n++) fixture.native(vm.thread, 'doorbell_send', 60n, BigInt(n));
  const { buffers, lines } = decode(fixture);
  const full = lines.filter(({ buffer }) => buffer === 0);
  assert.equal(full[full.length - 2]?.text, 'doorbell_send: 0x3c 0x1387');
  assert.ok(buffers[0]?.isWrapped === true && full.length === buffers[0].entries && full.every(({ text }) => text.startsWith('doorbell_send')));
});

it('trace_update_class_flags turns classes off and on, each by itself', () => {
  const kinds = (set: bigint, clear: bigint): string[] => {
    const made = new Fixture();
    const other = made.makeVm();
    made.native(other.thread, 'trace_update_class_flags', set, clear);
    return added(made, () => {
      made.native(other.thread, 'doorbell_send', 60n, 1n);
      made.rootCall('vcpu_poweron', { vcpu: other.vcpu, entry_point: 0n, context: 0n, flags: 0n });
    }).global.map((text) => text.split(/[ :]/)[0] ?? '');
  };
  assert.deepEqual([...new Set(kinds(0n, 0n))], ['doorbell_send', 'vcpu_poweron', 'scheduler']);
  assert.deepEqual(kinds(0n, 4n), ['scheduler']);
  assert.deepEqual(kinds(0n, 0x40n), ['doorbell_send', 'doorbell_send', 'vcpu_poweron', 'vcpu_poweron']);
  assert.deepEqual(kinds(0n, 0xffff_ffffn), []);
  assert.deepEqual(kinds(4n, 0xffff_ffffn), ['doorbell_send', 'doorbell_send', 'vcpu_poweron', 'vcpu_poweron']);
});

it('a vCPU that starts, waits and is woken is followed: reasons, switches of the CPU, PSCI', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm({ priority: 40 });
  const name = addressOf(vm);
  const start = added(fixture, () => {
    fixture.rootCall('vcpu_poweron', { vcpu: vm.vcpu, entry_point: vm.memoryBase, context: 0n, flags: 0n });
    fixture.hypervisor.pick(0);
  });
  assert.deepEqual(start.global.filter((text) => !text.startsWith('vcpu_poweron')), [`scheduler: unblock ${name}, reason: 7, others: 0x0, local run: 1`, `psci vcpu started: ${name} - VM 10`]);
  assert.equal(start.local.length, 1);
  assert.match(start.local[0] ?? '', new RegExp(`^thread: ctx switch from: 0xffffff8f[0-9a-f]+ to: ${name}$`));
  const wait = added(fixture, () => { fixture.hypervisor.handleExit(vm.thread, { reason: 'wfi' }); });
  assert.deepEqual(wait.global, [`scheduler: block ${name}, reason: 9, others: 0x0`]);
  assert.deepEqual(wait.lines.map(({ vmid, id }) => [vmid, id]), [[10, 0]]);
});

it('memory that changes hands is in the trace, and an identifier register that does not exist', () => {
  const fixture = new Fixture();
  const memory = added(fixture, () => { fixture.makeMemory(0x20_0000n); }).global.filter((text) => text.startsWith('memdb'));
  assert.equal(memory.length, 1);
  assert.match(memory[0] ?? '', /^memdb_update: 0x[0-9a-f]+\.\.0x[0-9a-f]+ - obj\(0xffffff8f[0-9a-f]+\) - type\(3\)$/);
  const vm = fixture.makeVm();
  const trap = added(fixture, () => { fixture.hypervisor.handleExit(vm.thread, { reason: 'system-register', name: 'ERRIDR_EL1', encoding: (3 << 14) | (5 << 7) | (3 << 3), isWrite: false, value: 0n, rt: 7 }); });
  assert.deepEqual(trap.lines.map(({ id, text }) => [id, text]), [
    [1, 'trap of VM 10 not handled: ESR_EL2 0x623014e7, ELR_EL2 0x0'], [3, 'undefined for VM 10: ESR_EL2 0x623014e7'],
  ]);
});

it('writes to the interrupt controller are in the trace with what they make of interrupts', () => {
  const fixture = new Fixture();
  const vm = fixture.makeVm();
  const vic = `0x${(0xffff_ff8f_0600_0000n + BigInt(vm.thread.vic?.object.header.id ?? 0) * 4096n).toString(16)}`;
  const name = addressOf(vm);
  const model = vm.thread.vic?.object.vic.model;
  const shown = (action: () => void): string[] => added(fixture, action).global.map((text) => text.replace(`${vic} `, ''));
  const store = (offset: number, value: bigint, sizeBytes = 4): string[] => shown(() => { model?.writeDistributor(0, { offset, sizeBytes, value }); });
  assert.deepEqual(store(0x0000, 3n), ['0x0 GICD_WRITE reg = 0, val = 0x3']);
  assert.deepEqual(store(0x0420, 0x10n, 1), ['0x0 GICD_WRITE reg = 420, val = 0x10']);
  assert.deepEqual(store(0x6100, 0n, 8), ['0x0 GICD_WRITE reg = 6100, val = 0x0', '0x0 route 32: virt 0 phys N/A']);
  assert.deepEqual(store(0x0104, 1n), ['0x0 GICD_WRITE reg = 104, val = 0x1', `${name} deliver 32: 0x20000 -> 0x20008`]);
  // The group is closed: pending, but in no list register.
  assert.deepEqual(store(0x0204, 1n), ['0x0 GICD_WRITE reg = 204, val = 0x1', `${name} deliver 32: 0x20008 -> 0x20248`]);
  assert.deepEqual(store(0x0284, 1n), ['0x0 GICD_WRITE reg = 284, val = 0x1', '0x0 undeliver-unlisted 32: 0x20248 -> 0x20008']);
  assert.deepEqual(store(0x0384, 1n), ['0x0 GICD_WRITE reg = 384, val = 0x1', '0x0 deactivate 32: was inactive 0x20008']);
  assert.deepEqual(shown(() => { model?.writeRedistributor(0, { offset: 0x1_0100, sizeBytes: 4, value: 1n }); }), [`${name} GICR_WRITE reg = 10100, val = 0x1`, `${name} deliver 0: 0x20 -> 0x28`]);
});

/**
 * Guests that do their worst (`test/machine/programs/hostile.c`): interrupts without end, device registers at random, tables and stacks
 * destroyed, random words as instructions. Each ends at a limit or in a report, with the host's state consistent, in bounded slices.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../runtime/base/prng';
import { compiledEncodings } from '../../runtime/isa/encodings';
import { randomInstruction } from '../../runtime/isa/random-instruction';
import { FAULT_LOOP, pa, ticks, type Stop, type System } from '../../runtime/index';
import { reportVcpus } from '../../cli/vcpu-report';
import { machineSubject } from '../machine/beside-qemu';
import { powerOn, type Subject } from '../support/system';

const WORDS_BASE = 0x4400_0000n;
const WORDS_COUNT = 0x20_0000 / 4;
const SLICE_EFFORT = 4_000_000;
/** Instructions of random words from EL0 in a run of all tests; seeds share them. */
const WORDS_TICKS = 25_000_000;

interface Ended { readonly stop: Stop; readonly system: System; readonly subject: Subject; readonly reports: readonly string[] }

async function runMode(mode: string, { until, identity, cpus = 1, seed = 1 }: { until: number; identity: 'none' | 'gunyah'; cpus?: number; seed?: number }): Promise<Ended> {
  const subject = await machineSubject('hostile', cpus, { identity, commandLine: mode });
  const system = powerOn(subject);
  if (mode.startsWith('words')) system.engine.memory.write(pa(WORDS_BASE), randomWords(seed));
  const reports: string[] = [];
  system.trace.onEvent = (event) => { if (event.event === 'report') reports.push(event.code); };
  let stop: Stop = { kind: 'limit' };
  // As a debugger runs: in slices, and no further once there is something to tell.
  while (stop.kind === 'limit' && system.now < until && !reports.includes(FAULT_LOOP)) stop = system.run({ until: ticks(until), effortMax: SLICE_EFFORT });
  system.parts.hypervisor.checkInvariants();
  return { stop, system, subject, reports };
}

/** Instructions of every row of the table, and one word in four anything at all. */
function randomWords(seed: number): Uint8Array {
  const prng = new Prng(seed);
  const words = Uint32Array.from({ length: WORDS_COUNT }, () => {
    const row = compiledEncodings[prng.below(compiledEncodings.length)];
    return row === undefined || prng.below(4) === 0 ? prng.nextU32() : randomInstruction(prng, row.encoding);
  });
  return new Uint8Array(words.buffer);
}

function reportOf({ system, subject }: Ended): string {
  return reportVcpus(system, subject.symbols);
}

for (const mode of ['level-storm', 'timer-storm'] as const) {
  for (const identity of ['none', 'gunyah'] as const) {
    test(`a guest in a ${mode} (identity ${identity}) runs to any limit, and the report says that it is in its interrupt handler`, async () => {
      const ended = await runMode(mode, { until: 1_000_000, identity });
      assert.deepEqual([ended.stop.kind, ended.system.now, ended.reports], ['limit', 1_000_000, []]);
      assert.match(reportOf(ended), /last exception from 0x[0-9a-f]+ \((level|timer)_storm.*an interrupt/);
    });
  }
}

test('four vCPUs that flood each other with software-generated interrupts all get on', async () => {
  const ended = await runMode('sgi-flood', { until: 1_000_000, identity: 'none', cpus: 4 });
  assert.deepEqual([ended.stop.kind, ended.reports], ['limit', []]);
  for (const { index, vcpu } of ended.system.vcpus()) assert.ok(ended.system.retiredBy(index) > 100_000, `vCPU ${vcpu}`);
  assert.equal(reportOf(ended).match(/vCPU \d: /g)?.length, 4);
});

for (const identity of ['none', 'gunyah'] as const) {
  test(`a guest that reads and writes device registers and everything else in all ways (identity ${identity}) goes on and powers off`, async () => {
    const ended = await runMode('device-fuzz', { until: 40_000_000, identity });
    assert.deepEqual([ended.stop, ended.reports], [{ kind: 'power', action: 'off' }, []], reportOf(ended));
  });
}

test('a guest that corrupts its own translation tables is reported, with what it cannot fetch any more', async () => {
  const ended = await runMode('table-corruption', { until: 4_000_000, identity: 'none' });
  assert.deepEqual([ended.stop.kind, ended.reports], ['limit', [FAULT_LOOP]]);
  assert.match(reportOf(ended), /exception_vectors\+0x200.*\n.*Instruction abort at the same exception level/);
});

for (const mode of ['stack-nowhere', 'bad-vectors'] as const) {
  test(`a guest with ${mode} is stopped at its vector and ends the platform`, async () => {
    const ended = await runMode(mode, { until: 4_000_000, identity: 'gunyah' });
    assert.deepEqual([ended.stop, ended.reports], [{ kind: 'power', action: 'reset' }, ['vcpu-fault']]);
    assert.match(reportOf(ended), /stopped by a fault, at .*EL1/);
  });
}

test('a guest that waits for an interrupt that cannot come is idle, and the report says so', async () => {
  const ended = await runMode('wait-for-nothing', { until: 4_000_000, identity: 'none' });
  assert.equal(ended.stop.kind, 'idle');
  assert.match(reportOf(ended), /waiting for an interrupt, at 0x[0-9a-f]+ \(wait_for_nothing.*hostile\.c:\d+/);
});

for (const { identity, seed } of [{ identity: 'none', seed: 3 }, { identity: 'gunyah', seed: 4 }] as const) {
  test(`random words at EL0 under handlers that resume (identity ${identity}, seed ${seed}) never end the machine`, async () => {
    const ended = await runMode('words-el0', { until: WORDS_TICKS, identity, seed });
    assert.deepEqual([ended.stop.kind, ended.system.now, ended.reports], ['limit', WORDS_TICKS, []], reportOf(ended));
  });
}

for (const seed of [5, 6, 7, 8]) {
  test(`random words at EL1 (seed ${seed}) end in some architected way`, async () => {
    const ended = await runMode('words-el1', { until: 2_000_000, identity: seed % 2 === 0 ? 'none' : 'gunyah', seed });
    assert.ok(['limit', 'power', 'idle', 'exit'].includes(ended.stop.kind), ended.stop.kind);
    assert.match(reportOf(ended), /hostile, vCPU 0: /);
  });
}

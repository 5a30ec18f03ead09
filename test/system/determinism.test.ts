/** Equal input gives equal states, whatever the tier, the stops on the way and the travels in time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../runtime/base/prng';
import { ticks, va, type System } from '../../runtime/index';
import { Timeline, TIMELINE_DEFAULTS } from '../../runtime/timeline/timeline';
import { guestSubject, powerOn, programsSubject, runTo, sampleSubject, type Subject } from '../support/system';

const END = 200_000_000;

interface Outcome { readonly instructions: number; readonly ticks: number; readonly hash: string; readonly consoles: readonly string[] }

function outcomeOf(system: System): Outcome {
  const consoles = system.consoles.map(({ transcript }) => Buffer.from(transcript.text()).toString('latin1'));
  return { instructions: system.retired, ticks: system.now, hash: system.stateHash(), consoles };
}

function straight(subject: Subject, tier: 'exact' | 'fast' = 'fast'): Outcome {
  const system = powerOn(subject);
  system.setTier(tier);
  runTo(system, END);
  return outcomeOf(system);
}

/** Runs to the end in slices of random length. */
function interrupted(subject: Subject, seed: number, sliceMax: number): Outcome {
  const system = powerOn(subject);
  const random = new Prng(seed);
  for (;;) {
    const stop = system.run({ until: ticks(system.now + 1 + random.below(sliceMax)) });
    if (stop.kind !== 'limit') break;
    if (random.below(500) === 0) system.stateHash();
  }
  return outcomeOf(system);
}

/** Runs to the end over breakpoints at every call and some addresses, resuming each. */
function overBreakpoints(subject: Subject, seed: number): Outcome & { readonly stops: number } {
  const system = powerOn(subject);
  const random = new Prng(seed);
  const entry = system.primaryEntry;
  const addresses = Array.from({ length: 400 }, () => va(entry + BigInt(random.below(0x2000)) * 4n));
  const watchpoints = system.watchpointsOn([{ address: 0x4101_0000n, sizeBytes: 0x2000 }], 'readWrite');
  system.lookOutFor({ addresses, watchpoints, exceptionClasses: 0xffff_ffff_ffff_ffffn, call: () => random.below(2) === 0, event: () => random.below(3) === 0 });
  let resume: number | undefined;
  let stops = 0;
  for (; stops < 200_000; stops++) {
    const stop = system.run({ until: ticks(END), ...(resume === undefined ? {} : { resumeVcpu: resume }) });
    if (stop.kind === 'power' || stop.kind === 'exit' || stop.kind === 'idle' || stop.kind === 'limit') break;
    resume = 'vcpu' in stop && stop.vcpu !== null ? stop.vcpu : undefined;
  }
  return { ...outcomeOf(system), stops };
}

function checkSubject(subject: Subject): void {
  const expected = straight(subject);
  assert.ok(expected.ticks < END, `${subject.name} ends`);
  assert.deepEqual(straight(subject), expected, `${subject.name} twice`);
  assert.deepEqual(straight(subject, 'exact'), expected, `${subject.name} counting every instruction`);
  for (const [seed, sliceMax] of [[1, 997], [2, 100_000]] as const) {
    assert.deepEqual(interrupted(subject, seed, sliceMax), expected, `${subject.name} with pauses, seed ${seed}`);
  }
  const { stops, ...outcome } = overBreakpoints(subject, 7);
  assert.deepEqual(outcome, expected, `${subject.name} over ${stops} breakpoints`);
  assert.ok(stops > 100, `${subject.name} stopped ${stops} times`);
}

/** Visits random times in random order; what a time held at first it holds at every later visit. */
function checkTravel(subject: Subject, seed: number, intervalEffort: number): void {
  const end = straight(subject).ticks;
  const system = powerOn(subject);
  const timeline = new Timeline(system, { ...TIMELINE_DEFAULTS, intervalEffort, checkpointCountMax: 30 });
  const random = new Prng(seed);
  const known = new Map<number, string>();
  const times = Array.from({ length: 12 }, () => random.below(end));
  for (let visit = 0; visit < 36; visit++) {
    const time = times[random.below(times.length)] ?? 0;
    timeline.approach(ticks(time));
    while (system.now < time) {
      system.run({ until: ticks(Math.min(time, system.now + 1 + random.below(2_000_000))) });
      timeline.observe();
    }
    const hash = system.stateHash();
    assert.equal(hash, known.get(time) ?? hash, `${subject.name}, seed ${seed}, interval ${intervalEffort}: time ${time} differs at visit ${visit}`);
    known.set(time, hash);
  }
  // The states met on the way are those of a run without any travel.
  const fresh = powerOn(subject);
  for (const [time, hash] of [...known].sort(([left], [right]) => left - right)) {
    runTo(fresh, time);
    assert.equal(fresh.stateHash(), hash, `${subject.name}: time ${time} differs from a straight run`);
  }
}

const GUESTS = ['hello', 'exception-zoo', 'timer-irq', 'queue-overflow', 'self-modifying', 'nested-structs', 'hypercall-fuzz', 'jump-to-zero'];

test('the sample runs equally twice, in both tiers, with pauses and over breakpoints', async () => {
  checkSubject(await sampleSubject());
});

test('a VM that makes VMs and lends them its CPU runs equally twice, in both tiers, with pauses and over breakpoints', async () => {
  checkSubject(await sampleSubject('vm-manager'));
});

for (const name of GUESTS) {
  test(`${name} runs equally twice, in both tiers, with pauses and over breakpoints`, async () => {
    checkSubject(await guestSubject(name));
  });
}

test('two VMs on one physical CPU run equally in every way', async () => {
  checkSubject(await programsSubject(['timer-irq', 'sdk-self-test', 'timer-irq'], 1));
});

test('travelling in the sample meets the same states at any checkpoint interval', async () => {
  const subject = await sampleSubject();
  for (const [seed, interval] of [[1, 5_000], [2, 300_000], [3, 10_000_000]] as const) checkTravel(subject, seed, interval);
});

test('travelling through the lives of made VMs meets the same states', async () => {
  checkTravel(await sampleSubject('vm-manager'), 4, 200_000);
});

test('travelling in fixture guests meets the same states', async () => {
  for (const name of ['timer-irq', 'queue-overflow', 'self-modifying']) checkTravel(await guestSubject(name), 5, 20_000);
});

test('a save, restored at once, saves the same', async () => {
  const system = powerOn(await sampleSubject());
  for (let time = 1000; time < 41_000_000; time = Math.floor(time * 1.9)) {
    runTo(system, time);
    const saved = system.save();
    system.restore(saved);
    assert.deepEqual(system.save(), saved);
  }
});

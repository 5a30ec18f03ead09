/** Guests that do their worst: each ends with the architected answer or at a limit, in bounded time and memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULT_LOOP, ticks, type Stop, type System, type TraceEvent } from '../../runtime/index';
import { debug, finish, guestSubject, powerOn, wordsSubject, type Subject } from '../support/system';

const END = 400_000_000;
const BYTES_MAX = 300 * 1024 * 1024;

interface Ended { readonly stop: Stop; readonly text: string; readonly system: System; readonly events: readonly TraceEvent[] }

function runOut(subject: Subject, until = END): Ended {
  const system = powerOn(subject);
  const events: TraceEvent[] = [];
  system.trace.onEvent = (event) => { if (event.event === 'report') events.push(event); };
  const stop = system.run({ until: ticks(until) });
  system.parts.hypervisor.checkInvariants();
  return { stop, system, events, text: Buffer.from(system.consoles[0]?.transcript.text() ?? []).toString('latin1') };
}

const GUESTS: readonly { readonly name: string; readonly stop: Stop; readonly says: RegExp }[] = [
  { name: 'jump-to-zero', stop: { kind: 'power', action: 'reset' }, says: /called from/ },
  { name: 'uart-flood', stop: { kind: 'power', action: 'off' }, says: /flood over/ },
  { name: 'queue-overflow', stop: { kind: 'power', action: 'off' }, says: /with MSGQUEUE_FULL\r\nRM still answers: VMID 3/ },
  { name: 'hypercall-fuzz', stop: { kind: 'power', action: 'off' }, says: /checksum 0x[0-9a-f]{16}/ },
  { name: 'self-modifying', stop: { kind: 'power', action: 'off' }, says: /901 \(expected 901\)/ },
  { name: 'exception-zoo', stop: { kind: 'power', action: 'off' }, says: /10 of 10 kinds taken/ },
  { name: 'sdk-self-test', stop: { kind: 'power', action: 'off' }, says: /all \d+ checks pass/ },
];

for (const { name, stop, says } of GUESTS) {
  test(`${name} ends as its authors say, in bounded memory`, async () => {
    const before = process.memoryUsage().heapUsed;
    const ended = runOut(await guestSubject(name));
    assert.deepEqual(ended.stop, stop);
    assert.match(ended.text, says);
    assert.deepEqual(ended.events, []);
    assert.ok(process.memoryUsage().heapUsed - before < BYTES_MAX);
  });
}

test('a guest that spins with interrupts masked runs to any limit', async () => {
  const { stop, system } = runOut(await guestSubject('spin-masked'), 50_000_000);
  assert.deepEqual([stop.kind, system.now], ['limit', 50_000_000]);
});

// MRS X0, SCTLR_EL1; ORR X0, X0, #EE; MSR SCTLR_EL1, X0.
const TURNS_BIG_ENDIAN = [0xd538_1000, 0xb267_0000, 0xd518_1000];
// MOVZ X0, #0x10; MSR SPSR_EL1, X0; ERET.
const RETURNS_TO_AARCH32 = [0xd280_0200, 0xd518_4000, 0xd69f_03e0];

test('a guest that goes where the machine cannot follow stops there, and the report says where', async () => {
  for (const [words, code, text] of [[TURNS_BIG_ENDIAN, 'guest-big-endian', /big-endian.*EL1, PC 0x40200008.*SCTLR_EL1/], [RETURNS_TO_AARCH32, 'guest-aarch32', /AArch32.*SPSR_EL1 0x10/]] as const) {
    const { stop, events, system } = runOut(await wordsSubject(words));
    assert.ok(stop.kind === 'event' && stop.event.event === 'report');
    assert.equal(stop.event.code, code);
    assert.match(stop.event.message, text);
    assert.equal(events.length, 1);
    assert.equal(system.run({ until: ticks(END) }).kind, 'event', 'it makes no progress');
  }
});

// MOVZ X0, #0x4300, LSL #16; MSR VBAR_EL1, X0; UDF: the vectors are zeros, which are UDF too.
const FAULTS_FOR_EVER = [0xd2a8_6000, 0xd518_c000, 0];

test('a guest whose vectors only fault is reported once, and goes on faulting for the debugger', async () => {
  const subject = await wordsSubject(FAULTS_FOR_EVER);
  const { stop, events } = runOut(subject, 150_000);
  assert.equal(stop.kind, 'limit');
  assert.deepEqual(events.map((event) => event.event === 'report' && event.code), [FAULT_LOOP]);
  const target = debug(subject);
  const job = target.continue();
  for (let slices = 0; slices < 2; slices++) assert.equal(job.next(false).done, false, 'the session goes on');
  const end = job.next(true);
  assert.ok(end.done === true && end.value.reason === 'pause');
  assert.equal(finish(target.stepBack(0, undefined)).reason, 'step');
});

test('a guest that faults at different places is no fault loop', async () => {
  // VBAR_EL1 = 0x40201000. The vector adds 4 to ELR_EL1 and returns: every UDF is skipped, for ever in a circle.
  const words = Array.from({ length: 0x480 }, () => 0);
  [0xd2a8_0400, 0xf282_0000, 0xd518_c000].forEach((word, index) => { words[index] = word; });
  words[0x3ff] = 0x17ff_fc04;
  words.push(0xd538_4021, 0x9100_1021, 0xd518_4021, 0xd69f_03e0);
  const { stop, events, system } = runOut(await wordsSubject(words), 600_000);
  assert.deepEqual([stop.kind, events.length], ['limit', 0]);
  assert.ok(system.retired > 500_000, 'it got on');
});

/** Breakpoints, events, travel and changes of the past, on the sample and fixture guests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_NAMES } from '../../debug-adapter/event-names';
import { pa, parseEventPattern, ticks, va, type BreakpointPlace, type DebugTarget, type Job, type StopReport } from '../../runtime/index';
import { debug, finish, guestSubject, sampleSubject, symbolsOf } from '../support/system';

function eventPlace(text: string, vm: string | null = null): BreakpointPlace {
  const pattern = parseEventPattern(text, EVENT_NAMES);
  assert.ok(pattern.ok, text);
  return { kind: 'event', vm, pattern: pattern.value };
}

function setEvent(target: DebugTarget, id: number, text: string): void {
  target.breakpoints.set({ id, place: eventPlace(text), reason: 'function breakpoint' });
}

/** Continues until the end; the ticks of every stop. */
function stopsOf(target: DebugTarget, countMax = 10_000): StopReport[] {
  const stops: StopReport[] = [];
  while (stops.length < countMax) {
    const report = finish(target.continue());
    if (report.reason === 'terminated' || report.reason === 'idle') break;
    stops.push(report);
  }
  return stops;
}

const EVENTS = ['hvc:msgqueue_*', 'hvc-return:msgqueue_send', 'psci:SYSTEM_OFF', 'psci:CPU_O*', 'rm:VM_START', 'rm:*', 'rm-notify:VM_EXITED', 'virq:27', 'virq:*', 'vm:start', 'vm:exit', 'hvc:0x601b'];

test('every family of events stops the sample, forwards and backwards at the same places', async () => {
  const subject = await sampleSubject();
  for (const text of EVENTS) {
    const target = debug(subject);
    setEvent(target, 4, text);
    const stops = stopsOf(target, 12);
    if (text === 'psci:CPU_O*') continue;
    assert.ok(stops.length > 0, `${text} stops`);
    for (const stop of stops) assert.deepEqual([stop.reason, stop.breakpointIds], ['function breakpoint', [4]], text);
    const last = stops[stops.length - 1];
    if (target.system.now === last?.tick) stops.pop();
    for (const forward of stops.reverse()) {
      const back = finish(target.reverseContinue());
      assert.deepEqual([back.tick, back.vcpu, back.breakpointIds, back.event], [forward.tick, forward.vcpu, forward.breakpointIds, forward.event], `${text} backwards`);
    }
    assert.equal(finish(target.reverseContinue()).reason, 'history start', text);
  }
});

test('a call breakpoint stops before the call takes effect, at its HVC', async () => {
  const target = debug(await sampleSubject());
  setEvent(target, 1, 'hvc:msgqueue_send');
  const report = finish(target.continue());
  assert.ok(report.vcpu !== null && report.event?.event === 'hypercall');
  const word = Buffer.from(target.system.readVirtual(report.vcpu, va(target.system.pcOf(report.vcpu)), 4)).readUInt32LE();
  assert.equal((word & 0xffe0_001f) >>> 0, 0xd400_0002, 'the PC is at an HVC');
  assert.equal(target.system.trace.at(target.system.trace.end - 1)?.event === 'message', false, 'nothing was sent');
  const next = finish(target.continue());
  assert.notEqual(next.tick, report.tick);
});

test('a condition is asked once per hit, whatever it says', async () => {
  const target = debug(await sampleSubject());
  const asked: number[] = [];
  target.breakpoints.set({ id: 1, place: eventPlace('hvc:msgqueue_send'), reason: 'function breakpoint', decide: () => asked.push(target.system.now) % 3 === 0 });
  const stops = stopsOf(target);
  assert.equal(new Set(asked).size, asked.length, 'no hit was asked about twice');
  assert.equal(stops.length, Math.floor(asked.length / 3));
});

test('stepping over a call that a refused condition watches goes on', async () => {
  const target = debug(await sampleSubject());
  setEvent(target, 1, 'hvc:msgqueue_send');
  const { vcpu } = finish(target.continue());
  assert.ok(vcpu !== null);
  target.breakpoints.set({ id: 1, place: eventPlace('hvc:*'), reason: 'function breakpoint', decide: () => false });
  target.breakpoints.set({ id: 2, place: eventPlace('hvc-return:*'), reason: 'function breakpoint', decide: () => false });
  const pc = target.system.pcOf(vcpu);
  const report = finish(target.stepInstruction(vcpu, 'into'));
  assert.deepEqual([report.reason, target.system.pcOf(vcpu)], ['step', pc + 4n]);
});

test('code breakpoints stop in the VM they are set for, and reverse to each hit and to the beginning', async () => {
  const subject = await sampleSubject();
  for (const vm of ['primary', 'sensor']) {
    const target = debug(subject);
    const symbols = symbolsOf(subject, target, vm);
    const addresses = (symbols.files[0]?.functionBreakpoints('msgqueue_send') ?? symbols.files[0]?.functionBreakpoints('guest_main') ?? []).map(va);
    const places = addresses.length > 0 ? addresses : (symbols.files[0]?.functionBreakpoints('guest_main') ?? []).map(va);
    target.breakpoints.set({ id: 9, place: { kind: 'code', vm, addresses: places }, reason: 'breakpoint' });
    const stops = stopsOf(target, 8);
    assert.ok(stops.length > 0, vm);
    for (const { vcpu } of stops) assert.equal(target.system.vmNameOf(vcpu ?? -1) ?? vm, vm);
    if (target.system.now === stops[stops.length - 1]?.tick) stops.pop();
    for (const forward of stops.reverse()) {
      const back = finish(target.reverseContinue());
      assert.deepEqual([back.tick, back.vcpu], [forward.tick, forward.vcpu], vm);
      assert.ok(places.some((address) => address === target.system.pcOf(back.vcpu ?? 0)), 'the PC is at the breakpoint');
    }
    assert.equal(finish(target.reverseContinue()).reason, 'history start');
    // The first state in which there are vCPUs to show; none has run.
    assert.equal(target.system.retired, 0);
    assert.ok(target.system.vcpus().length > 0);
  }
});

test('a breakpoint in the interrupt vector is found again backwards, with the interrupt taken', async () => {
  const subject = await guestSubject('timer-irq');
  const target = debug(subject);
  finish(target.runToEntry());
  setEvent(target, 1, 'virq:*');
  const { vcpu } = finish(target.continue());
  assert.ok(vcpu !== null);
  target.breakpoints.remove(1);
  const vector = va(target.system.engine.vcpu(vcpu).systemRegister('VBAR_EL1') + 0x280n);
  target.breakpoints.set({ id: 2, place: { kind: 'code', vm: null, addresses: [vector] }, reason: 'breakpoint' });
  const stops = stopsOf(target);
  assert.ok(stops.length > 3);
  for (const forward of stops.reverse()) {
    const back = finish(target.reverseContinue());
    assert.deepEqual([back.tick, target.system.pcOf(vcpu)], [forward.tick, vector]);
  }
});

test('data breakpoints see writes by the guest and by the hypervisor, and lastWrite goes back to them', async () => {
  const target = debug(await sampleSubject());
  setEvent(target, 1, 'hvc:msgqueue_receive');
  const report = finish(target.continue());
  assert.ok(report.vcpu !== null && report.event?.event === 'hypercall');
  const vcpu = report.vcpu;
  const buffer = BigInt(report.event.args['buffer'] as bigint);
  const pieces = target.system.physicalPieces(vcpu, buffer, 8);
  assert.equal(pieces.length, 1);
  target.breakpoints.remove(1);
  target.breakpoints.set({ id: 2, place: { kind: 'data', pieces, access: 'write' }, reason: 'data breakpoint' });
  setEvent(target, 3, 'hvc-return:msgqueue_receive');
  const seen: StopReport[] = [];
  for (let i = 0; i < 60 && seen.length < 3; i++) {
    const stop = finish(target.continue());
    if (stop.reason === 'terminated') break;
    if (stop.breakpointIds.includes(2)) seen.push(stop);
  }
  assert.ok(seen.length > 0, 'a message that the hypervisor wrote into the buffer was seen');
  target.breakpoints.remove(2);
  target.breakpoints.remove(3);
  setEvent(target, 4, 'psci:SYSTEM_OFF');
  finish(target.continue());
  const first = finish(target.lastWrite(pieces));
  assert.equal(first.reason, 'data breakpoint');
  const second = finish(target.lastWrite(pieces));
  assert.ok(second.tick < first.tick, 'asked again, it goes on to the write before');
  const here = target.system.readPhysical(pa(pieces[0]?.address ?? 0n), 8);
  finish(target.seek(ticks(first.tick)));
  assert.notDeepEqual(target.system.readPhysical(pa(pieces[0]?.address ?? 0n), 8), here, 'the two writes differ');
});

test('a write just done is the last write', async () => {
  const subject = await guestSubject('nested-structs');
  const target = debug(subject);
  const symbols = symbolsOf(subject, target, 'nested-structs');
  finish(target.runToEntry());
  const address = symbols.files[0]?.addressOfSymbol('stop_count') ?? 0n;
  const pieces = target.system.physicalPieces(0, address, 4);
  target.breakpoints.set({ id: 1, place: { kind: 'data', pieces, access: 'write' }, reason: 'data breakpoint' });
  const hits = stopsOf(target, 3).map(({ tick }) => tick);
  target.breakpoints.remove(1);
  finish(target.seek(hits[1] ?? ticks(0)));
  assert.equal(finish(target.lastWrite(pieces)).tick, hits[1]);
  assert.equal(finish(target.lastWrite(pieces)).tick, hits[0]);
});

test('a data breakpoint tells what was there and what is there now, also after hits that did not stop', async () => {
  const subject = await guestSubject('long-lines');
  const target = debug(subject);
  const symbols = symbolsOf(subject, target, 'long-lines');
  finish(target.runToEntry());
  const pieces = target.system.physicalPieces(0, symbols.files[0]?.addressOfSymbol('sum') ?? 0n, 8);
  let hits = 0;
  target.breakpoints.set({ id: 1, place: { kind: 'data', pieces, access: 'write' }, reason: 'data breakpoint', decide: () => ++hits > 4 });
  assert.equal(finish(target.continue()).text, 'Changed from 3 to 6');
  assert.equal(finish(target.continue()).text, 'Changed from 6 to 10 (0xa)');
  assert.equal(finish(target.reverseContinue()).text, undefined, 'going back, it is not known');
});

test('pause ends a run that would never end, and seek goes to any time and back', async () => {
  const target = debug(await guestSubject('spin-masked'));
  const job: Job = target.continue();
  for (let slices = 0; slices < 3; slices++) assert.equal(job.next(false).done, false);
  const end = job.next(true);
  assert.ok(end.done === true);
  assert.equal(end.value.reason, 'pause');
  const there = target.system.now;
  const hash = target.system.stateHash();
  finish(target.seek(ticks(123_456)));
  assert.equal(target.system.now, 123_456);
  finish(target.seek(there));
  assert.deepEqual([target.system.now, target.system.stateHash()], [there, hash]);
});

test('a write of the debugger in the past begins a branch, which then repeats itself', async () => {
  const subject = await guestSubject('nested-structs');
  const target = debug(subject);
  const symbols = symbolsOf(subject, target, 'nested-structs');
  const address = symbols.files[0]?.addressOfSymbol('stop_count') ?? 0n;
  setEvent(target, 1, 'psci:SYSTEM_OFF');
  const end = finish(target.continue());
  const text = (): string => Buffer.from(target.system.consoles[0]?.transcript.text() ?? []).toString('latin1');
  const [old, oldHash] = [text(), target.system.stateHash()];
  const [piece] = target.system.physicalPieces(end.vcpu ?? 0, address, 4);
  assert.ok(piece !== undefined);
  const branchAt = ticks(Math.floor(end.tick * 0.9));
  finish(target.seek(branchAt));
  target.system.writePhysical(piece.address, Uint8Array.of(0xe8, 3, 0, 0));
  assert.equal(target.timeline.end, branchAt, 'what followed is forgotten');
  const changed = finish(target.continue());
  assert.notEqual(target.system.stateHash(), oldHash);
  assert.match(text(), /stops 10\d\d/);
  assert.notEqual(text(), old);
  const hash = target.system.stateHash();
  finish(target.seek(ticks(branchAt - 1000)));
  finish(target.seek(branchAt));
  assert.deepEqual([...target.system.readPhysical(piece.address, 2)], [0xe8, 3], 'the change is there at its time');
  finish(target.seek(changed.tick));
  assert.equal(target.system.stateHash(), hash);
});

test('typed input is part of history', async () => {
  const target = debug(await sampleSubject());
  finish(target.seek(ticks(1_000_000)));
  target.system.writeConsole(0, Uint8Array.from([65, 66, 67]));
  finish(target.seek(ticks(2_000_000)));
  const hash = target.system.stateHash();
  finish(target.seek(ticks(0)));
  finish(target.seek(ticks(2_000_000)));
  assert.equal(target.system.stateHash(), hash);
  assert.equal(target.system.journal.all().length, 1);
});

test('after the end there is only history', async () => {
  const target = debug(await guestSubject('hello'));
  assert.equal(finish(target.continue()).reason, 'terminated');
  const end = target.system.now;
  assert.equal(finish(target.continue()).reason, 'terminated');
  assert.equal(target.system.now, end, 'nothing runs any more');
  assert.equal(finish(target.stepBack(0, undefined)).reason, 'step');
  assert.ok(target.system.now < end);
  assert.equal(finish(target.continue()).reason, 'terminated');
  assert.equal(target.system.now, end);
});

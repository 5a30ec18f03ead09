/** Stepping forwards and backwards through real programs at three levels of optimisation. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { va, type DebugTarget, type VmSymbols } from '../../runtime/index';
import { debug, finish, guestSubject, symbolsOf, type Subject } from '../support/system';

interface Session { readonly target: DebugTarget; readonly symbols: VmSymbols; readonly vm: string }

function open(subject: Subject): Session {
  const target = debug(subject);
  const vm = subject.description.vms[0]?.name ?? '';
  return { target, vm, symbols: symbolsOf(subject, target, vm) };
}

/** One-based numbers of the first lines of a fixture that contain these texts. */
function fixtureLines(file: string, texts: readonly string[]): number[] {
  const lines = readFileSync(join(__dirname, '..', 'fixtures', 'guests', file), 'utf8').split('\n');
  return texts.map((text) => lines.findIndex((line) => line.includes(text)) + 1);
}

/** Runs to where a function's own code begins. */
function runToFunction({ target, symbols, vm }: Session, name: string): number {
  const addresses = (symbols.files[0]?.functionBreakpoints(name) ?? []).map(va);
  assert.ok(addresses.length > 0, `there is a function ${name}`);
  target.breakpoints.set({ id: 1, place: { kind: 'code', vm, addresses }, reason: 'function breakpoint' });
  const report = finish(target.continue());
  assert.equal(report.reason, 'function breakpoint');
  assert.deepEqual(report.breakpointIds, [1]);
  target.breakpoints.remove(1);
  return report.vcpu ?? 0;
}

function place({ target, symbols }: Session, vcpu: number): string {
  const pc = va(target.system.pcOf(vcpu));
  const line = symbols.linesOf(vcpu).lineAt(pc)?.key.replace(/^.*\//, '') ?? '?';
  return `${line} pc ${pc.toString(16)} tick ${target.system.now}`;
}

/** Steps forward `count` times, then back as often: the same places in reverse order. */
function checkInverse(session: Session, vcpu: number, step: { forward: () => void; back: () => void; count: number }): void {
  const places = [place(session, vcpu)];
  for (let i = 0; i < step.count; i++) {
    step.forward();
    places.push(place(session, vcpu));
  }
  for (let i = step.count - 1; i >= 0; i--) {
    step.back();
    assert.equal(place(session, vcpu), places[i], `back to place ${i} of\n${places.join('\n')}`);
  }
}

for (const name of ['nested-structs', 'nested-structs-o0', 'nested-structs-o2']) {
  test(`${name}: stepping back by instruction is the inverse of stepping`, async () => {
    const session = open(await guestSubject(name));
    const vcpu = runToFunction(session, 'guest_main');
    checkInverse(session, vcpu, {
      count: 60,
      forward: () => { finish(session.target.stepInstruction(vcpu, 'into')); },
      back: () => { finish(session.target.stepBack(vcpu, undefined)); },
    });
  });

  test(`${name}: stepping back by line is the inverse of stepping over lines`, async () => {
    const session = open(await guestSubject(name));
    const vcpu = runToFunction(session, 'guest_main');
    checkInverse(session, vcpu, {
      count: 16,
      forward: () => { finish(session.target.stepLine(vcpu, 'over', session.symbols.linesOf(vcpu))); },
      back: () => { finish(session.target.stepBack(vcpu, session.symbols.linesOf(vcpu))); },
    });
  });
}

test('stepping into and out of a recursion goes down and up one frame at a time', async () => {
  for (const name of ['nested-structs', 'nested-structs-o0']) {
    const session = open(await guestSubject(name));
    const { target, symbols } = session;
    const vcpu = runToFunction(session, 'factorial');
    const depth = (): number => symbols.stack(vcpu, 64).filter(({ pc }) => symbols.files[0]?.functionAt(pc)?.name === 'factorial').length;
    assert.equal(depth(), 1);
    for (let steps = 0; depth() < 4; steps++) {
      assert.ok(steps < 40, `${name}: stepping into the recursion does not get deeper`);
      finish(target.stepLine(vcpu, 'into', symbols.linesOf(vcpu)));
    }
    for (const left of [3, 2, 1]) {
      finish(target.stepLine(vcpu, 'out', symbols.linesOf(vcpu)));
      assert.equal(depth(), left, `${name}: one frame less`);
    }
    const before = target.system.now;
    finish(target.stepLine(vcpu, 'over', symbols.linesOf(vcpu)));
    assert.ok(target.system.now > before && depth() <= 1, `${name}: over goes on in the caller`);
  }
});

test('stepping over a recursive call stays in its frame and back again', async () => {
  for (const name of ['nested-structs', 'nested-structs-o0']) {
    const session = open(await guestSubject(name));
    const vcpu = runToFunction(session, 'factorial');
    checkInverse(session, vcpu, {
      count: 2,
      forward: () => { finish(session.target.stepLine(vcpu, 'over', session.symbols.linesOf(vcpu))); },
      back: () => { finish(session.target.stepBack(vcpu, session.symbols.linesOf(vcpu))); },
    });
  }
});

test('stepping back from the first line of a function goes to the line that called it', async () => {
  for (const name of ['nested-structs', 'nested-structs-o0', 'nested-structs-o2']) {
    const session = open(await guestSubject(name));
    const { target, symbols } = session;
    const vcpu = runToFunction(session, 'counts_calls');
    let report = finish(target.stepBack(vcpu, symbols.linesOf(vcpu)));
    for (let steps = 0; steps < 3 && symbols.files[0]?.functionAt(target.system.pcOf(vcpu))?.name === 'counts_calls'; steps++) report = finish(target.stepBack(vcpu, symbols.linesOf(vcpu)));
    assert.equal(report.reason, 'step');
    assert.match(place(session, vcpu), /nested-structs\.c:244 /, name);
  }
});

test('stepping by line goes on in the program while timer interrupts come', async () => {
  const session = open(await guestSubject('timer-irq'));
  const { target, symbols } = session;
  const vcpu = runToFunction(session, 'guest_main');
  const names = new Set<string | undefined>();
  for (let steps = 0; steps < 40; steps++) {
    const report = finish(target.stepLine(vcpu, 'over', symbols.linesOf(vcpu)));
    if (report.reason === 'terminated') break;
    names.add(symbols.files[0]?.functionAt(target.system.pcOf(vcpu))?.name);
  }
  assert.deepEqual([...names].filter((name) => name !== 'guest_main' && name !== 'sdk_start'), []);
});

test('stepping over a line that loops for millions of instructions runs it, and stepping into finds the call in it', async () => {
  for (const name of ['long-lines', 'long-lines-o0']) {
    const session = open(await guestSubject(name));
    const { target, symbols } = session;
    const vcpu = runToFunction(session, 'guest_main');
    const functionHere = (): string => symbols.files[0]?.functionAt(target.system.pcOf(vcpu))?.name ?? '';
    const lineHere = (): number => Number(/:(\d+) /.exec(place(session, vcpu))?.[1]);
    const loops = fixtureLines('long-lines.c', ['sum += i;', 'once(i);', 'sum += deeper(3);']);
    const start = { cpu: process.cpuUsage(), retired: target.system.retired };
    for (let steps = 0; lineHere() !== loops[1]; steps++) {
      assert.ok(steps < 8, `${name}: the first loop is not left`);
      finish(target.stepLine(vcpu, 'over', symbols.linesOf(vcpu)));
      assert.equal(functionHere(), 'guest_main');
    }
    finish(target.stepLine(vcpu, 'into', symbols.linesOf(vcpu)));
    assert.equal(functionHere(), 'once', `${name}: into the call of the second loop`);
    finish(target.stepLine(vcpu, 'out', symbols.linesOf(vcpu)));
    for (let steps = 0; lineHere() !== loops[2]; steps++) {
      assert.ok(steps < 4, `${name}: the second loop is not left`);
      finish(target.stepLine(vcpu, 'over', symbols.linesOf(vcpu)));
    }
    runToFunction(session, 'deeper');
    const depth = (): number => symbols.stack(vcpu, 64).filter(({ pc }) => symbols.files[0]?.functionAt(pc)?.name === 'deeper').length;
    for (let steps = 0; functionHere() === 'deeper'; steps++) {
      assert.ok(steps < 8, `${name}: the recursion is not left`);
      assert.equal(depth(), 1, `${name}: a step over stays in its frame`);
      finish(target.stepLine(vcpu, 'over', symbols.linesOf(vcpu)));
    }
    const { user, system } = process.cpuUsage(start.cpu);
    const retired = target.system.retired - start.retired;
    assert.ok(retired > 5_000_000, `${name}: ${String(retired)} instructions`);
    assert.ok((user + system) / retired < 1, `${name}: ${String((user + system) / retired)} microseconds an instruction`);
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { startSession } from '../support/dap-client';
import { type Debugging, debugging, guestLaunch, sampleLaunch } from './debugging';

const FIXTURE = resolve(__dirname, '..', 'fixtures', 'guests', 'nested-structs.c');

function lineOf(text: string): number {
  return readFileSync(FIXTURE, 'utf8').split('\n').findIndex((line) => line.includes(text)) + 1;
}

async function top(session: Debugging): Promise<string> {
  return (await session.frameTexts(1))[0] ?? '';
}

/** Stops at a line of the unoptimised guest, steps, and compares where each step leads. */
function checkSteps(name: string, from: string, steps: readonly (readonly ['next' | 'stepIn' | 'stepOut' | 'stepBack', string])[]): void {
  test(name, async (context) => {
    const session = debugging(context);
    await session.start({ launch: guestLaunch('nested-structs-o0'), sourceBreakpoints: [{ path: FIXTURE, breakpoints: [{ line: lineOf(from) }] }] });
    await session.client.request('setBreakpoints', { source: { path: FIXTURE }, breakpoints: [] });
    for (const [step, expected] of steps) {
      assert.equal((await session.step(step, { threadId: 1 })).reason, 'step');
      assert.equal(await top(session), expected.replace(/\[(.*)\]/, (_, text: string) => String(lineOf(text))), step);
    }
  });
}

checkSteps('next goes to the next line and over calls', 'copy.x += 100;', [['next', 'stop_with_structure:[KEEP(&copy);]'], ['next', 'stop_with_structure:[KEEP(&second);]'], ['next', 'stop_with_structure:[stop_here("structure");]'], ['next', 'stop_with_structure:[stop_here("structure");]'.replace(/\[.*\]/, String(lineOf('stop_here("structure");') + 1))]]);
checkSteps('stepIn goes into a call and stepOut back to it', 'stop_here("structure");', [['stepIn', 'stop_here:[KEEP(where);]'], ['next', 'stop_here:[stop_count++;]'], ['stepOut', `stop_with_structure:${String(lineOf('stop_here("structure");') + 1)}`]]);
checkSteps('stepBack goes back by line, and over calls', 'copy.x += 100;', [['next', 'stop_with_structure:[KEEP(&copy);]'], ['next', 'stop_with_structure:[KEEP(&second);]'], ['next', 'stop_with_structure:[stop_here("structure");]'], ['stepBack', 'stop_with_structure:[KEEP(&second);]'], ['stepBack', 'stop_with_structure:[KEEP(&copy);]'], ['stepBack', 'stop_with_structure:[copy.x += 100;]']]);

test('an instruction step and an instruction step back are inverse', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'factorial' }] });
  const seen: string[] = [];
  for (let i = 0; i < 12; i++) {
    seen.push(await session.evaluate('$pc'));
    await session.step('stepIn', { threadId: 1, byInstruction: true });
  }
  for (const pc of seen.reverse()) {
    await session.step('stepBack', { threadId: 1, byInstruction: true });
    assert.equal(await session.evaluate('$pc'), pc);
  }
});

test('an instruction step over crosses a call', async (context) => {
  const session = debugging(context);
  const line = lineOf('stop_here("structure");');
  await session.start({ launch: guestLaunch('nested-structs-o0'), sourceBreakpoints: [{ path: FIXTURE, breakpoints: [{ line }] }] });
  for (let i = 0; i < 4; i++) {
    await session.step('next', { threadId: 1, byInstruction: true });
    assert.match(await top(session), /^stop_with_structure:/);
  }
});

test('reverseContinue goes back through the same hits, and at the beginning says so', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'factorial' }] });
  const ticks = [await session.evaluate('$tick')];
  for (let i = 0; i < 4; i++) {
    await session.continue();
    ticks.push(await session.evaluate('$tick'));
  }
  for (const tick of ticks.slice(0, -1).reverse()) {
    await session.client.request('reverseContinue', { threadId: 1 });
    assert.equal((await session.client.waitForStop()).reason, 'function breakpoint');
    assert.equal(await session.evaluate('$tick'), tick);
  }
  await session.client.request('reverseContinue', { threadId: 1 });
  assert.match((await session.client.waitForStop()).description ?? '', /beginning of history/);
});

test('memory written in the past is a new branch: what follows sees it', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'stop_with_structure' }] });
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'calls_inlined' }] });
  await session.continue();
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'stop_with_structure' }] });
  await session.client.request('reverseContinue', { threadId: 1 });
  await session.client.waitForStop();
  await session.send('setExpression', { expression: 'global.point.x', value: '1000', frameId: (await session.topFrame(1)).id });
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'stop_here' }] });
  await session.continue();
  const [, caller] = await session.frames(1);
  assert.equal(await session.evaluate('copy.x', caller?.id), '1100');
  const { end, now } = await session.client.request('gunyah/timeline', {});
  assert.equal(end, now);
});

test('restartFrame goes back to where that frame began', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'factorial', condition: 'n == 7' }] });
  const [, caller] = await session.frames(1);
  assert.equal(caller?.name, 'factorial');
  await session.client.request('setFunctionBreakpoints', { breakpoints: [] });
  await session.send('restartFrame', { frameId: caller.id });
  assert.equal((await session.client.waitForStop()).reason, 'step');
  const frames = await session.frames(1);
  assert.equal(frames.filter(({ name }) => name === 'factorial').length, 3);
  const registers = await session.evaluate('$x0');
  assert.equal(BigInt(registers.split(' ')[0] ?? 0), 8n);
});

test('stepInTargets offers the calls of a line and stepIn goes into the chosen one', async (context) => {
  const session = debugging(context);
  const line = lineOf('print("list %d, add %d');
  await session.start({ launch: guestLaunch('nested-structs-o0'), sourceBreakpoints: [{ path: FIXTURE, breakpoints: [{ line }] }] });
  const { targets } = await session.send('stepInTargets', { frameId: (await session.topFrame(1)).id });
  assert.ok(Array.isArray(targets));
  assert.deepEqual(targets.map(({ label }: { label: string }) => label.replace(/\(\*x\d+\)/, 'pointer')), ['sum_list', 'pointer', 'print']);
  const [, pointer] = targets as { id: number }[];
  await session.send('stepIn', { threadId: 1, targetId: pointer?.id });
  await session.client.waitForStop();
  assert.match(await top(session), /^add:/);
});

test('goto sets the PC within the function and nowhere else', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), sourceBreakpoints: [{ path: FIXTURE, breakpoints: [{ line: lineOf('copy.x += 100;') }] }] });
  const goal = lineOf('stop_here("structure");');
  const { targets } = await session.send('gotoTargets', { source: { path: FIXTURE }, line: goal });
  const [target] = targets as { id: number; line: number }[];
  assert.equal(target?.line, goal);
  const far = await session.send('gotoTargets', { source: { path: FIXTURE }, line: lineOf('print("list %d, add %d') });
  await assert.rejects(session.send('goto', { threadId: 1, targetId: (far['targets'] as { id: number }[])[0]?.id }), /must stay inside the current function/);
  await session.send('goto', { threadId: 1, targetId: target.id });
  assert.equal((await session.client.waitForStop()).reason, 'goto');
  assert.equal(await top(session), `stop_with_structure:${String(goal)}`);
  await session.step('stepIn', { threadId: 1 });
  assert.match(await top(session), /^stop_here:/);
});

test('a vCPU cannot be ended alone', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  await assert.rejects(session.send('terminateThreads', { threadIds: [1] }), /cannot be ended alone/);
});

test('pause stops a guest that loops with interrupts masked', async (context) => {
  const session = debugging(context);
  await startSession(session.client, { launch: guestLaunch('spin-masked') });
  await session.client.request('pause', { threadId: 1 });
  assert.equal((await session.client.waitForStop()).reason, 'pause');
  await session.client.request('pause', { threadId: 1 });
  assert.equal(session.client.log.filter(({ event }) => event === 'stopped').length, 1);
});

test('while it runs, what only looks at tables is answered and what needs a stop is refused in words', async (context) => {
  const session = debugging(context);
  await startSession(session.client, { launch: guestLaunch('spin-masked') });
  await session.client.waitForEvent('thread');
  assert.equal((await session.client.request('threads', {})).threads.length, 1);
  assert.equal((await session.client.request('gunyah/vms', {})).vms[0]?.name, 'spin-masked');
  assert.ok((await session.client.request('gunyah/timeline', {})).now >= 0);
  assert.equal((await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'guest_main' }] })).breakpoints[0]?.verified, true);
  for (const command of ['stackTrace', 'next', 'continue', 'stepBack', 'reverseContinue']) await assert.rejects(session.send(command, { threadId: 1 }), /is running\. Pause it first/);
  await assert.rejects(session.evaluate('1 + 1'), /is running/);
  await session.send('pause', { threadId: 1 });
  assert.equal((await session.client.waitForStop()).reason, 'pause');
});

test('without history stepping back is refused and says what to change', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true, reverse: false }) });
  for (const command of ['stepBack', 'reverseContinue']) await assert.rejects(session.send(command, { threadId: 1 }), /Set "reverse" to true/);
  assert.deepEqual((await session.client.waitForEvent('capabilities')).body, { capabilities: { supportsStepBack: false, supportsRestartFrame: false } });
  assert.equal((await session.topFrame(1)).canRestart, false);
});

test('a thread that does not exist is refused', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  for (const command of ['next', 'stepIn', 'stepOut', 'stepBack', 'stackTrace']) await assert.rejects(session.send(command, { threadId: 77 }), /no thread 77/);
});

test('a long journey shows its progress and can be cancelled', async (context) => {
  const session = debugging(context);
  await session.client.request('initialize', { adapterID: 'gunyah', supportsProgressReporting: true });
  await session.client.request('launch', guestLaunch('spin-masked'));
  await session.client.request('configurationDone', {});
  while ((await session.client.request('gunyah/timeline', {})).now < 150_000_000) await new Promise((done) => { setTimeout(done, 50); });
  await session.client.request('pause', { threadId: 1 });
  await session.client.waitForStop();
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'no_hit_since_long', condition: '0' }, { name: 'guest_main' }] });
  await session.client.request('reverseContinue', { threadId: 1 });
  const stop = await Promise.race([session.client.waitForEvent('progressStart').then(async ({ body }) => {
    await session.send('cancel', { progressId: body['progressId'] });
    return await session.client.waitForStop();
  }), session.client.waitForStop()]);
  assert.ok(['pause', 'function breakpoint'].includes(stop.reason));
});

test('a step in one VM lets the other go on, and breakpoints in the other still stop', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'rm:VM_START' }] });
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'sensor!guest_main' }] });
  const stop = await session.continue();
  assert.equal(stop.reason, 'function breakpoint');
  const { threads } = await session.client.request('threads', {});
  assert.equal(threads.find(({ id }) => id === stop.threadId)?.name, 'sensor/cpu0');
});

test('a hit count means the same hit after going back and forth', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'factorial', hitCondition: '== 4' }] });
  const tick = await session.evaluate('$tick');
  await session.client.request('reverseContinue', { threadId: 1 });
  assert.match((await session.client.waitForStop()).description ?? '', /beginning of history/);
  await session.continue();
  assert.equal(await session.evaluate('$tick'), tick);
});

test('a console says nothing twice when time is travelled', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0', { consoles: 'terminal' }), functionBreakpoints: [{ name: 'nine_arguments' }] });
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'stop_with_structure' }] });
  await session.client.request('reverseContinue', { threadId: 1 });
  await session.client.waitForStop();
  await session.client.request('setFunctionBreakpoints', { breakpoints: [] });
  await session.client.request('continue', { threadId: 1 });
  await session.client.waitForEvent('terminated');
  for (const line of ['10! = 3628800', 'static 41', 'multiply 42']) assert.equal(session.client.consoleText().split(line).length, 2, line);
});

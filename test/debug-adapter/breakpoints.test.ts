import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import type { DebugProtocol } from '@vscode/debugprotocol';

import { sampleFolder } from '../support/guest-build';
import { type Debugging, debugging, guestLaunch, sampleLaunch } from './debugging';

const FIXTURE = resolve(__dirname, '..', 'fixtures', 'guests', 'nested-structs.c');
const QUEUE_SOURCE = join(sampleFolder(), 'sdk', 'queue.c');

function lineOf(path: string, text: string): number {
  const index = readFileSync(path, 'utf8').split('\n').findIndex((line) => line.includes(text));
  assert.ok(index >= 0, `${path} has a line with ${text}`);
  return index + 1;
}

/** Sets one function breakpoint on the sample, runs to it, and gives the stop with what some expressions say there. */
function checkFunction(breakpoint: string | DebugProtocol.FunctionBreakpoint, { reason = 'function breakpoint', thread, says = {} }: { reason?: string; thread?: string; says?: Record<string, string | RegExp> }): void {
  const wanted = typeof breakpoint === 'string' ? { name: breakpoint } : breakpoint;
  test(`a breakpoint on ${wanted.name}${wanted.condition === undefined ? '' : ` if ${wanted.condition}`}${wanted.hitCondition === undefined ? '' : ` at hit ${wanted.hitCondition}`} stops there`, async (context) => {
    const session = debugging(context);
    const stop = await session.start({ launch: sampleLaunch(), functionBreakpoints: [wanted] });
    assert.equal(stop.reason, reason);
    assert.equal(stop.hitBreakpointIds?.length, 1);
    assert.equal(stop.allThreadsStopped, true);
    if (thread !== undefined) assert.equal(await threadName(session, stop.threadId), thread);
    for (const [expression, text] of Object.entries(says)) {
      const value = expression === 'description' ? stop.description ?? '' : await event(session, stop.threadId ?? 0, expression);
      if (typeof text === 'string') assert.equal(value, text); else assert.match(value, text);
    }
  });
}

async function threadName(session: Debugging, id: number | undefined): Promise<string | undefined> {
  return (await session.client.request('threads', {})).threads.find((thread) => thread.id === id)?.name;
}

/** One row of the Event scope. */
async function event(session: Debugging, threadId: number, name: string): Promise<string> {
  const rows = await session.scopeVariables((await session.topFrame(threadId)).id, 'Event');
  return rows.find((row) => row.name === name)?.value ?? `(no ${name} among ${rows.map((row) => row.name).join(', ')})`;
}

checkFunction('hvc:msgqueue_send', { thread: 'primary/cpu0', says: { description: 'Paused on hypercall msgqueue_send', event: 'hypercall msgqueue_send (call 0x601b)', msgqueue: /^0x\d+ \(message queue \d+ ".*"\)$/, size: /^0x/ } });
checkFunction({ name: 'hvc:msgqueue_send', condition: 'size > 16 && vm == "primary"' }, { thread: 'primary/cpu0' });
checkFunction({ name: 'hvc:msgqueue_send', condition: 'vm == "sensor"' }, { thread: 'sensor/cpu0' });
checkFunction({ name: 'hvc:msgqueue_*', hitCondition: '>= 5' }, {});
checkFunction('hvc:0x601b', { says: { event: /msgqueue_send/ } });
checkFunction('hvc:*', {});
checkFunction('hvc-return:msgqueue_send', { says: { description: 'Paused on return of hypercall msgqueue_send', error: 'OK', not_full: /^(true|false)$/ } });
checkFunction('sensor!hvc:msgqueue_send', { thread: 'sensor/cpu0' });
checkFunction('rm:VM_START', { thread: 'primary/cpu0', says: { description: 'Paused on RM request VM_START', event: /^RM request VM_START \(0x56000004\)$/, payload: /^4 bytes: / } });
checkFunction('rm:*', {});
checkFunction('rm-notify:VM_EXITED', {});
checkFunction('psci:SYSTEM_OFF', { thread: 'sensor/cpu0' });
checkFunction('virq:*', {});
checkFunction('virq:27', {});
checkFunction('vm:start', {});
checkFunction('vm:exit', { thread: 'sensor/cpu0', says: { description: 'Paused on VM sensor EXITED' } });
checkFunction('guest_main', { thread: 'primary/cpu0' });
checkFunction('sensor!guest_main', { thread: 'sensor/cpu0' });
checkFunction({ name: 'queue_send', condition: '$x1 != 0 && vm == "sensor"' }, { thread: 'sensor/cpu0' });

test('a breakpoint that cannot be says why, and the others hold', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch({ stopOnEntry: true }) });
  const names = ['no_such_function', 'hvc:msgqueue_sent', 'virq:5000', 'nowhere!guest_main', 'hvc:', 'rm:VM_STRAT', ''];
  const { breakpoints } = await session.client.request('setFunctionBreakpoints', { breakpoints: [...names.map((name) => ({ name })), { name: 'guest_main', condition: '1 +' }, { name: 'guest_main', hitCondition: 'often' }, { name: 'guest_main' }] });
  assert.deepEqual(breakpoints.map(({ verified }) => verified), [...names.map(() => false), false, false, true]);
  assert.match(breakpoints[1]?.message ?? '', /Did you mean "msgqueue_send"/);
  assert.match(breakpoints[3]?.message ?? '', /no virtual machine "nowhere"/);
  for (const { message } of breakpoints.slice(0, -1)) assert.ok((message ?? '').length > 10);
  assert.equal((await session.continue()).reason, 'function breakpoint');
});

test('a log message prints and does not stop', async (context) => {
  const session = debugging(context);
  const setup: DebugProtocol.FunctionBreakpoint & { logMessage: string } = { name: 'hvc:msgqueue_send', condition: 'vm == "sensor"', logMessage: 'answer of {size} bytes by {vm}' };
  const stop = await session.start({ launch: sampleLaunch(), functionBreakpoints: [setup, { name: 'vm:exit' }] });
  assert.match(stop.description ?? '', /EXITED/);
  assert.match(session.output('stdout'), /^answer of 0x[0-9a-f]+ bytes by sensor$|^answer of \d+ bytes by sensor$/m);
});

test('a condition that cannot be evaluated stops and says so once', async (context) => {
  const session = debugging(context);
  const stop = await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'guest_main', condition: 'no_such_name == 1' }] });
  assert.equal(stop.reason, 'function breakpoint');
  assert.match(session.output('important'), /no_such_name/);
});

test('hit conditions count only hits whose condition holds', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'factorial', condition: 'n < 9', hitCondition: '== 3' }] });
  assert.equal(await session.evaluate('n', (await session.topFrame(1)).id), '6');
});

test('a source breakpoint stops at its line, one on a line without code at the next that has some', async (context) => {
  const session = debugging(context);
  const line = lineOf(FIXTURE, 'copy.x += 100;');
  await session.start({ launch: guestLaunch('nested-structs-o0', { stopOnEntry: true }) });
  const { breakpoints } = await session.client.request('setBreakpoints', { source: { path: FIXTURE }, breakpoints: [{ line }, { line: line - 1 }, { line: 100_000 }] });
  assert.deepEqual(breakpoints.map((one) => [one.verified, one.line]), [[true, line], [true, line], [false, 100_000]]);
  assert.match(breakpoints[2]?.message ?? '', /No image has code/);
  const stop = await session.continue();
  assert.deepEqual([stop.reason, stop.hitBreakpointIds?.length], ['breakpoint', 2]);
  assert.deepEqual(await session.frameTexts(1, 1), [`stop_with_structure:${String(line)}`]);
});

test('a source breakpoint in a file that no image knows is not verified', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  const { breakpoints } = await session.client.request('setBreakpoints', { source: { path: '/nowhere/else.c' }, breakpoints: [{ line: 3 }] });
  assert.equal(breakpoints[0]?.verified, false);
});

test('a source breakpoint in an inlined function stops in each copy, with the inlined frames on the stack', async (context) => {
  const session = debugging(context);
  const line = lineOf(FIXTURE, 'int doubled = value * 2;');
  await session.start({ launch: guestLaunch('nested-structs-o2'), sourceBreakpoints: [{ path: FIXTURE, breakpoints: [{ line }] }] });
  const [inner, outer] = await session.frameTexts(1);
  assert.match(inner ?? '', /^inlined_inner:/);
  assert.match(outer ?? '', /^inlined_outer:/);
});

test('a line of code that both VMs have stops in both', async (context) => {
  const session = debugging(context);
  const line = lineOf(QUEUE_SOURCE, 'gunyah_msgqueue_send(');
  const stop = await session.start({ launch: sampleLaunch(), sourceBreakpoints: [{ path: QUEUE_SOURCE, breakpoints: [{ line }] }] });
  const seen = new Set([await threadName(session, stop.threadId)]);
  for (let i = 0; i < 30 && seen.size < 2; i++) seen.add(await threadName(session, (await session.continue()).threadId));
  assert.deepEqual([...seen].sort(), ['primary/cpu0', 'sensor/cpu0']);
});

test('breakpoint locations of a range of lines are those with code', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0', { stopOnEntry: true }) });
  const line = lineOf(FIXTURE, 'copy.x += 100;');
  const { breakpoints } = await session.send('breakpointLocations', { source: { path: FIXTURE }, line: line - 1, endLine: line });
  assert.ok(Array.isArray(breakpoints) && breakpoints.length > 0);
  assert.ok(breakpoints.every((one: { line: number }) => one.line === line));
});

test('an instruction breakpoint stops before that instruction; an odd one is refused', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'guest_main' }] });
  const reference = (await session.topFrame(1)).instructionPointerReference ?? '';
  const { breakpoints } = await session.client.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: reference, offset: 8 }, { instructionReference: reference, offset: 2 }, { instructionReference: 'here' }, { instructionReference: 'pa:0x40000000' }] });
  assert.deepEqual(breakpoints.map(({ verified }) => verified), [true, false, false, false]);
  const stop = await session.continue();
  assert.equal(stop.reason, 'instruction breakpoint');
  const address = (text: string | undefined): bigint => BigInt((text ?? '').split(':').pop() ?? '0');
  assert.equal(address((await session.topFrame(1)).instructionPointerReference), address(reference) + 8n);
});

async function watch(session: Debugging, info: Record<string, unknown>, accessType = 'write'): Promise<void> {
  const { dataId, description, accessTypes } = await session.send('dataBreakpointInfo', info);
  assert.equal(typeof dataId, 'string', String(description));
  assert.deepEqual(accessTypes, ['read', 'write', 'readWrite']);
  const { breakpoints } = await session.send('setDataBreakpoints', { breakpoints: [{ dataId, accessType }] });
  assert.deepEqual(breakpoints, [{ id: 2, verified: true }]);
}

test('a data breakpoint on a variable stops at the write', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'guest_main' }] });
  await watch(session, { name: 'stop_count' });
  const stop = await session.continue();
  assert.equal(stop.reason, 'data breakpoint');
  assert.match((await session.frameTexts(1))[0] ?? '', /^stop_here:/);
});

test('a data breakpoint on a member of a structure found through its container stops at the write', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'stop_with_structure' }] });
  const locals = await session.scopeVariables((await session.topFrame(1)).id, 'Locals');
  const copy = locals.find(({ name }) => name === 'copy');
  await watch(session, { name: 'x', variablesReference: copy?.variablesReference });
  assert.equal((await session.continue()).reason, 'data breakpoint');
});

test('data breakpoints by address work in every address space', async (context) => {
  for (const space of ['va', 'ipa', 'pa']) {
    const session = debugging(context);
    await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'guest_main' }] });
    const address = await session.evaluate('(unsigned long)&stop_count');
    const { steps } = await session.client.request('gunyah/translate', { vm: 'nested-structs-o0', address: `nested-structs-o0:va:0x${BigInt(address.split(' ')[0] ?? 0).toString(16)}` });
    const place = steps.find((step) => step.space === space)?.address ?? '';
    await watch(session, { name: space === 'pa' ? `pa:${place}` : `nested-structs-o0:${space}:${place}`, asAddress: true, bytes: 4 });
    const stop = await session.continue();
    assert.equal(stop.reason, 'data breakpoint', space);
    assert.match((await session.frameTexts(1))[0] ?? '', /^stop_here:/);
  }
});

test('what the hypervisor writes for a guest stops too', async (context) => {
  const session = debugging(context);
  const stop = await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'hvc:msgqueue_receive' }] });
  const buffer = await event(session, stop.threadId ?? 0, 'buffer');
  await watch(session, { name: `${(await threadName(session, stop.threadId) ?? '').split('/')[0] ?? ''}:va:${buffer}`, asAddress: true, bytes: 8 });
  await session.client.request('setFunctionBreakpoints', { breakpoints: [] });
  assert.equal((await session.continue()).reason, 'data breakpoint');
});

test('a place that is no memory cannot be watched, and is told why', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  const info = await session.send('dataBreakpointInfo', { name: '$x0' });
  assert.equal(info['dataId'], null);
  const { breakpoints } = await session.send('setDataBreakpoints', { breakpoints: [{ dataId: 'nonsense' }, { dataId: 'hello:va:0xffffffffffff0000/8' }, { dataId: 'other:va:0x1000/8' }, { dataId: 'hello:va:0x41000000/-1' }] });
  assert.deepEqual((breakpoints as DebugProtocol.Breakpoint[]).map(({ verified }) => verified), [false, false, false, false]);
});

test('a data breakpoint set before its VM runs is verified when it does, and then hit', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch({ stopOnEntry: true }) });
  const { dataId } = await session.send('dataBreakpointInfo', { name: await session.evaluate('(unsigned long)&sensor!sensor').then((text) => `sensor:va:0x${BigInt(text.split(' ')[0] ?? '0').toString(16)}`), asAddress: true, bytes: 4096 });
  await session.send('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] });
  const stop = await session.continue();
  assert.equal(stop.reason, 'data breakpoint');
  assert.equal(await threadName(session, stop.threadId), 'sensor/cpu0');
});

/** Runs a guest with one exception filter to its first stop. */
async function exceptionStop(session: Debugging, launch: Parameters<Debugging['start']>[0]['launch'], filterId: string, condition?: string): Promise<DebugProtocol.StoppedEvent['body']> {
  await session.start({ launch: { ...launch, stopOnEntry: true } });
  const { breakpoints } = await session.send('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId, ...(condition === undefined ? {} : { condition }) }] });
  assert.deepEqual(breakpoints, [{ verified: true }]);
  return await session.continue();
}

test('the filter on guest exceptions stops where the exception is taken, and exceptionInfo explains it in words', async (context) => {
  const session = debugging(context);
  const stop = await exceptionStop(session, guestLaunch('exception-zoo'), 'guest-exception', '((esr >> 26) & 0x3f) == 0x25');
  assert.deepEqual([stop.reason, stop.description], ['exception', 'Paused on a guest exception']);
  const info = await session.client.request('exceptionInfo', { threadId: 1 });
  assert.equal(info.exceptionId, 'guest-exception');
  assert.match(info.details?.message ?? '', /Data abort at the same exception level[\s\S]*translation fault|external abort/);
});

test('the filter on undefined instructions stops only at those', async (context) => {
  const session = debugging(context);
  await exceptionStop(session, guestLaunch('exception-zoo'), 'guest-undefined');
  assert.match((await session.client.request('exceptionInfo', { threadId: 1 })).details?.message ?? '', /Undefined instruction/);
});

test('the filter on stage-2 faults names the address', async (context) => {
  const session = debugging(context);
  const stop = await exceptionStop(session, guestLaunch('exception-zoo'), 'stage2-fault');
  assert.match(stop.text ?? '', /Stage-2 fault: read of 0x4000000000/);
});

test('the filters on hypercall errors and unknown hypercalls stop', async (context) => {
  for (const filter of ['hypercall-error', 'hypercall-unknown']) {
    const session = debugging(context);
    assert.equal((await exceptionStop(session, guestLaunch('hypercall-fuzz'), filter)).reason, 'exception', filter);
    assert.equal((await session.client.request('exceptionInfo', { threadId: 1 })).exceptionId, filter);
  }
});

test('the filter on VM exits stops when the sensor ends', async (context) => {
  const session = debugging(context);
  assert.match((await exceptionStop(session, sampleLaunch(), 'vm-exit')).text ?? '', /EXITED/);
});

test('an exception filter that does not exist, or whose condition is wrong, is not verified', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  const { breakpoints } = await session.send('setExceptionBreakpoints', { filters: ['nonsense'], filterOptions: [{ filterId: 'vm-exit', condition: '(' }] });
  assert.deepEqual((breakpoints as DebugProtocol.Breakpoint[]).map(({ verified }) => verified), [false, false]);
});

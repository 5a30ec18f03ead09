/**
 * Random and malformed messages: whatever comes, every request gets exactly one answer, nothing is thrown, nothing is called our own
 * mistake, and the session is usable afterwards.
 */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';

import fc from 'fast-check';

import { REQUESTS } from '../../debug-adapter/requests/table';
import { Debugging, guestLaunch } from './debugging';
import { shapeProblems } from '../support/dap-shape';

const SEED = 20_261_121;
const RUNS = 45;

/** Requests that end or restart the session, or run it without end; they are tried by themselves. */
const LEFT_OUT = new Set(['disconnect', 'terminate', 'launch', 'attach', 'restart', 'initialize', 'configurationDone']);
const COMMANDS = Object.keys(REQUESTS).filter((command) => !LEFT_OUT.has(command));

const NAMES = [
  'threadId', 'frameId', 'variablesReference', 'name', 'value', 'expression', 'context', 'text', 'column', 'line', 'endLine', 'source', 'breakpoints', 'filters', 'filterOptions', 'memoryReference',
  'offset', 'count', 'data', 'instructionOffset', 'instructionCount', 'startFrame', 'levels', 'start', 'granularity', 'targetId', 'tick', 'event', 'vmid', 'vm', 'address', 'size', 'stage', 'from',
  'limit', 'filter', 'asAddress', 'bytes', 'requestId', 'progressId', 'moduleCount', 'startModule', 'locationReference',
];

const wildNumber = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, 1, 2, -1, 100_001, 200_001, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 0.5));
const wildText = fc.oneof(
  fc.string(), fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'x', '$x0', '$pc', 'hvc:*', 'hvc:msgqueue_send', 'virq:*', 'guest_main', 'global', 'nested-structs-o0', 'nested-structs-o0:va:0x41000000', 'nested-structs-o0:va:0xfffffffffffffffc',
    'nested-structs-o0:ipa:0x0', 'pa:0x40000000', 'pa:0xffffffffffffffff', '0x41000000', '-1', '1 +', '(((((', 'global.outer', '*(int*)0', 'instruction', 'write', 'Locals', '__proto__', 'constructor', 'AAAA', '%%%'),
);
const wildValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, wildNumber, wildText, fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 3 }), tie('record')),
  record: fc.dictionary(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES, 'path', 'condition', 'hitCondition', 'logMessage', 'instructionReference', 'dataId', 'filterId', 'accessType') }, fc.string()), tie('value'), { maxKeys: 6 }),
})).value;
const SOURCE = { path: resolve(__dirname, '..', 'fixtures', 'guests', 'nested-structs.c') };

/** Stand for a frame and a scope that exist when the request is sent. */
const FRAME = 'a frame';
const SCOPE = 'a scope';

const expression = fc.constantFrom('everything', '*everything', 'everything->list->next', 'copy.x', 'copy.x = 5', '$x0', '$sp', 'global', 'global.matrix[1][2]', 'global.text', 'nodes,x', '(int)$pc + 1', 'sizeof(global)', '1 / 0', 'stop_count = 3');
const place = fc.constantFrom('nested-structs-o0:va:0x41001000', 'nested-structs-o0:ipa:0x41001000', 'pa:0x40000000', 'nested-structs-o0:va:0xfffffffffffffff0', 'nested-structs-o0:va:0x0', '0x41001000');
const breakpointLike = fc.record({ name: fc.constantFrom('factorial', 'hvc:*', 'virq:*', 'nested-structs-o0!shadows', 'psci:*', 'vm:exit'), line: fc.integer({ min: -5, max: 300 }), instructionReference: place, dataId: place.map((at) => `${at}/8`), condition: expression, hitCondition: fc.constantFrom('3', '% 2', '> 1', 'x'), logMessage: fc.constantFrom('at {n}', '{', '{copy}') }, { requiredKeys: ['name', 'line', 'instructionReference', 'dataId'] });

/** Arguments that make sense, so that requests get past their checks. */
const LIKELY: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  threadId: fc.constant(1), frameId: fc.constant(FRAME), variablesReference: fc.constant(SCOPE), name: fc.constantFrom('copy', 'everything', 'x0', 'pc', 'stop_count'), value: fc.constantFrom('1', '0x41001000', '{1,2}', 'copy', 'nonsense'),
  expression, context: fc.constantFrom('watch', 'hover', 'repl', 'clipboard'), text: fc.constantFrom('glo', '$x', 'hvc:', ''), column: fc.integer({ min: 0, max: 20 }), line: fc.integer({ min: 1, max: 300 }), endLine: fc.integer({ min: 1, max: 300 }),
  source: fc.constant(SOURCE), breakpoints: fc.array(breakpointLike, { maxLength: 3 }), filters: fc.subarray(['vm-exit', 'guest-exception', 'stage2-fault']),
  memoryReference: place, offset: fc.integer({ min: -64, max: 64 }), count: fc.integer({ min: 0, max: 5000 }), data: fc.base64String({ maxLength: 40 }), instructionOffset: fc.integer({ min: -400, max: 400 }), instructionCount: fc.integer({ min: 0, max: 400 }),
  startFrame: fc.nat(3), levels: fc.nat(20), start: fc.nat(10), granularity: fc.constantFrom('line', 'statement', 'instruction'), targetId: fc.constant(FRAME), tick: fc.nat(300_000), vmid: fc.constantFrom(0, 3, 255), vm: fc.constant('nested-structs-o0'),
  address: place, size: fc.nat(64), from: fc.nat(500), limit: fc.nat(50), filter: fc.constantFrom('', 'vm'), asAddress: fc.boolean(), bytes: fc.constantFrom(1, 4, 8, 4096),
};
const likelyArguments = fc.record(LIKELY, { requiredKeys: ['threadId', 'frameId', 'variablesReference', 'expression', 'name', 'value', 'memoryReference', 'address', 'vm', 'vmid', 'line', 'source', 'count', 'instructionCount', 'text', 'data', 'tick', 'column'] });
const spoiled = fc.tuple(likelyArguments, fc.constantFrom(...NAMES), wildValue).map(([args, name, value]) => ({ ...args, [name]: value }));
const wildArguments = fc.oneof(
  { weight: 10, arbitrary: likelyArguments },
  { weight: 6, arbitrary: spoiled },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), wildValue, { maxKeys: 8 }) },
  { weight: 1, arbitrary: wildValue },
);
const wildRequest = fc.tuple(fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...COMMANDS) }, { weight: 1, arbitrary: fc.constantFrom('toString', '__proto__', 'constructor', '', 'nonsense') }), wildArguments);

/** Starts the program again and stops in the middle of it, then puts handles of that stop where the arguments want some. */
async function withHandles(session: Debugging, requests: readonly [string, unknown][]): Promise<(readonly [string, unknown])[]> {
  await stopAgain(session, 'stop_with_structure');
  const frameId = (await session.topFrame(1)).id;
  const known: Readonly<Record<string, unknown>> = { [FRAME]: frameId, [SCOPE]: (await session.scope(frameId, 'Locals')).variablesReference };
  return requests.map(([command, args]) => {
    if (typeof args !== 'object' || args === null || Array.isArray(args)) return [command, args];
    return [command, Object.fromEntries(Object.entries(args).map(([name, value]) => [name, typeof value === 'string' && Object.hasOwn(known, value) ? known[value] : value]))];
  });
}

/** A session stopped in the middle of a program. */
async function stoppedSession(): Promise<Debugging> {
  const session = new Debugging();
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'stop_with_structure' }] });
  return session;
}

/** Brings the session to a stop, whatever random requests have set going, and looks that it still works. */
async function checkUsable(session: Debugging): Promise<void> {
  await stopAgain(session, 'factorial');
  assert.match((await session.frameTexts(1))[0] ?? '', /^factorial:/);
}

/** Random requests are worth little if all are refused: most kinds must have succeeded at least once. */
function checkSuccesses(session: Debugging): void {
  const succeeded = new Set(session.messages.map((message) => (typeof message === 'object' && message !== null && 'success' in message && message.success === true && 'command' in message ? message.command : undefined)));
  const never = COMMANDS.filter((command) => !succeeded.has(command));
  assert.ok(never.length <= 12, `never succeeded: ${never.join(', ')}`);
}

/** Restarts with one breakpoint and waits for it, whatever is going on. */
async function stopAgain(session: Debugging, functionName: string): Promise<void> {
  for (const command of ['setDataBreakpoints', 'setInstructionBreakpoints']) await session.send(command, { breakpoints: [] });
  await session.send('setBreakpoints', { source: SOURCE, breakpoints: [] });
  await session.send('setExceptionBreakpoints', { filters: [] });
  const { breakpoints: [breakpoint] } = await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: functionName }] });
  await session.send('restart', {});
  await session.client.waitForEvent('stopped', ({ body }) => Array.isArray(body['hitBreakpointIds']) && body['hitBreakpointIds'].includes(breakpoint?.id));
}

function checkAnswers(session: Debugging): void {
  const answered = session.messages.filter((message): message is { request_seq: number; message?: string; command: string } => typeof message === 'object' && message !== null && 'request_seq' in message);
  const counts = new Map<number, number>();
  for (const { request_seq: sequence } of answered) counts.set(sequence, (counts.get(sequence) ?? 0) + 1);
  assert.deepEqual([...counts].filter(([, count]) => count !== 1), []);
  assert.deepEqual(answered.filter(({ message }) => message?.includes('made a mistake')), []);
  assert.deepEqual(session.messages.filter((message) => JSON.stringify(message).includes('made a mistake')), []);
}

test('random requests with random arguments are each answered once and leave the session usable', async () => {
  const session = await stoppedSession();
  await fc.assert(fc.asyncProperty(fc.array(wildRequest, { minLength: 5, maxLength: 25 }), async (requests) => {
    const answers = (await withHandles(session, requests)).map(([command, args]) => session.answer(command, args));
    for (const answer of await Promise.all(answers)) assert.equal(typeof answer.success, 'boolean');
  }), { seed: SEED, numRuns: RUNS });
  checkSuccesses(session);
  await checkUsable(session);
  checkAnswers(session);
  assert.deepEqual(session.messages.flatMap(shapeProblems), []);
  await session.end();
});

test('random arguments of launch, attach and restart are answered and a good launch works after them', async () => {
  const session = new Debugging();
  const launchNames = fc.constantFrom('program', 'system', 'cwd', 'stopOnEntry', 'symbols', 'sourceMap', 'trace', 'semihosting', 'reverse', 'consoles', 'noDebug', 'arguments', 'port');
  await fc.assert(fc.asyncProperty(fc.constantFrom('launch', 'attach', 'restart', 'initialize'), fc.dictionary(launchNames, wildValue, { maxKeys: 4 }), async (command, args) => {
    const { trace: _trace, ...safe } = args;
    assert.equal(typeof (await session.answer(command, safe)).success, 'boolean');
  }), { seed: SEED, numRuns: 300 });
  checkAnswers(session);
  assert.equal((await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) })).reason, 'entry');
  await session.end();
});

const frame = (body: string): Buffer => Buffer.concat([Buffer.from(`Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n`), Buffer.from(body)]);

/** Bytes that are no well-formed message, but keep their framing or end it. */
const garbage = fc.oneof(
  fc.string({ maxLength: 40 }).map(frame),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([Buffer.from(`Content-Length: ${String(bytes.length)}\r\n\r\n`), bytes])),
  fc.json({ maxDepth: 2 }).map(frame),
  fc.constantFrom('Content-Length: -5\r\n\r\n', 'Content-Length: 99999999999999\r\n\r\n', 'Content-Length: ten\r\n\r\n', 'Hello: there\r\n\r\n', '\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').map((text) => Buffer.from(text)),
  fc.constantFrom('{"type":"request","seq":1.5,"command":5}', '{"type":"response"}', '{"type":"event","event":"x"}', '[]', 'null', '"request"', '{"type":"request"}', '{"seq":{},"type":"request","command":"threads"}').map(frame),
  fc.constant(Buffer.concat([Buffer.from('Content-Length: 3\r\n\r\n'), Buffer.from([0xff, 0xfe, 0x80])])),
);

test('broken framing, bytes that are no UTF-8 and messages that are no requests are skipped, in pieces of any size', async () => {
  const session = await stoppedSession();
  await fc.assert(fc.asyncProperty(fc.array(garbage, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 50 }), async (messages, pieceSize) => {
    const bytes = Buffer.concat(messages);
    for (let at = 0; at < bytes.length; at += pieceSize) session.write(bytes.subarray(at, at + pieceSize));
    assert.equal((await session.answer('threads', {})).success, true);
  }), { seed: SEED, numRuns: 150 });
  await checkUsable(session);
  await session.end();
});

test('a header that never ends is dropped once it is too long', async () => {
  const session = await stoppedSession();
  session.write('x'.repeat(20_000));
  assert.equal((await session.answer('threads', {})).success, true);
  assert.match(session.output('important'), /ignored/);
  await session.end();
});

test('a message nested very deeply is answered', async () => {
  const session = await stoppedSession();
  session.write(frame(`{"type":"request","seq":900000,"command":"threads","arguments":${'['.repeat(200_000)}${']'.repeat(200_000)}}`));
  assert.equal((await session.answer('threads', {})).success, true);
  await session.end();
});

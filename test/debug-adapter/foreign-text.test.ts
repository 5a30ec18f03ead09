/**
 * What people and other programs write: filters of the trace, system files, arguments of `gunyah/*` requests. Whatever they write, they get an
 * answer or a sentence in bounded time; nothing is thrown, nothing is called our own mistake.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { resolveSystem } from '../../debug-adapter/configuration/resolve';
import { parseSystemFile, SYSTEM_FILE_SIZE_MAX } from '../../debug-adapter/configuration/system-file';
import { nodeHost } from '../../debug-adapter/node-host';
import { REQUESTS } from '../../debug-adapter/requests/table';
import { ok } from '../../runtime/index';
import { wordsElf } from '../support/system';
import { Debugging, guestLaunch } from './debugging';

const SEED = 20_261_122;
/** A filter of the greatest length over a whole trace takes less; the machine may be slow. */
const FILTER_MS_MAX = 20_000;

const wildText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '__proto__', 'constructor', '0x', '-1', '1e400', '../..', '/', '\0'));
const wild: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.integer(), fc.double(), fc.constantFrom(0, -1, 2 ** 53, 1e308, NaN), wildText, fc.boolean(), fc.constant(null), fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(wildText, tie('value'), { maxKeys: 4 })),
})).value;

/** A session that has a trace of thousands of events and has stopped. */
async function sessionWithTrace(): Promise<Debugging> {
  const session = new Debugging();
  await session.start({ launch: guestLaunch('hypercall-fuzz'), exceptionFilters: ['vm-exit'] });
  return session;
}

function checkNoMistake(session: Debugging): void {
  assert.deepEqual(session.messages.filter((message) => JSON.stringify(message).includes('made a mistake')), []);
}

const KINDS = ['hvc', 'virq', 'psci', 'rm', 'vm', 'mem', 'smccc', 'console', 'message', 'nonsense', ''];
const FIELDS = ['vm', 'vmid', 'vcpu', 'virq', 'name', 'error', 'size', 'tick', 'number', 'nonsense', '', '__proto__'];
const atom = fc.oneof(
  fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom('*', 'msgqueue_*', '*_send', '27', '0x1b', '**', '*a*b*c*d*', '[', '')).map(([kind, name]) => `${kind}:${name}`),
  fc.tuple(fc.constantFrom(...FIELDS), fc.constantFrom('=', '==', '!=', '<', '>', ''), fc.constantFrom('3', '0x10', 'sensor', '*', '"a b"', '1..5', '', '99999999999999999999')).map((parts) => parts.join('')),
  fc.constantFrom('"a phrase"', '"open', 'word', '-', '!', '|', '||', '--', '-!-', '(', ')', 'if', 'IF', '\\', '"""', '*'.repeat(50)), fc.string({ maxLength: 12 }),
);
const condition = fc.array(fc.constantFrom('size', '>', '16', '&&', 'vcpu', '==', '0', '(', ')', '"x"', '*', '/', '-', '!', '~', '?', ':', '[', ']', '.', '->', 'sizeof', '(int)', ',', '0x', "'a"), { maxLength: 14 }).map((words) => words.join(' '));
const filterText = fc.tuple(fc.array(fc.tuple(fc.constantFrom('', '', '-', '!', '|'), atom), { maxLength: 8 }), fc.option(condition), fc.constantFrom(' ', '|', '  ', '\t')).map(([terms, tail, space]) =>
  `${terms.map(([sign, one]) => `${sign}${one}`).join(space)}${tail === null ? '' : ` if ${tail}`}`);

test('any text is a filter of the trace or gets a sentence, and a filter gives pages of the events there are', async () => {
  const session = await sessionWithTrace();
  let accepted = 0;
  await fc.assert(fc.asyncProperty(fc.oneof({ weight: 6, arbitrary: filterText }, { weight: 1, arbitrary: wildText }), fc.constantFrom('from', 'before'), fc.integer({ min: -10, max: 5000 }), async (filter, way, at) => {
    const answer = await session.answer('gunyah/trace', { filter, [way]: at, limit: 50 });
    assert.ok(answer.success || answer.message.length > 10, filter);
    accepted += answer.success ? 1 : 0;
  }), { seed: SEED, numRuns: 250 });
  assert.ok(accepted > 25, `${String(accepted)} filters were accepted`);
  checkNoMistake(session);
  await session.end();
});

test('filters that would take for ever elsewhere are refused or done in bounded time', async () => {
  const session = await sessionWithTrace();
  const started = process.cpuUsage().user;
  for (const filter of ['*a'.repeat(900), `${'-'.repeat(1999)}x`, '|'.repeat(2000), '"'.repeat(2000), `if ${'('.repeat(1990)}`, `if ${'!'.repeat(1990)}1`, `if ${'1+'.repeat(990)}1`, `hvc:${'*'.repeat(1900)}`, `hvc:${'*a'.repeat(900)}b`, 'x'.repeat(100_000)]) {
    const answer = await session.answer('gunyah/trace', { filter });
    assert.ok(answer.success || answer.message.length < 5000, filter.slice(0, 20));
  }
  assert.ok((process.cpuUsage().user - started) / 1000 < FILTER_MS_MAX);
  checkNoMistake(session);
  await session.end();
});

const GUNYAH_REQUESTS = Object.keys(REQUESTS).filter((command) => command.startsWith('gunyah/'));
const ARGUMENTS = ['address', 'asAddress', 'before', 'count', 'event', 'events', 'filter', 'format', 'from', 'future', 'base', 'action', 'direction', 'historyLimit', 'limit', 'name', 'names', 'register', 'size', 'stage', 'tick', 'text', 'to', 'value', 'vcpu', 'vm', 'vmid', 'threadId', 'expression', 'bytes'];

test('gunyah requests with arguments of every wrong type are each answered, and the session goes on', async () => {
  const session = await sessionWithTrace();
  for (const command of GUNYAH_REQUESTS) {
    for (const args of [undefined, null, 5, 'text', [], [{}], true]) assert.equal(typeof (await session.answer(command, args)).success, 'boolean');
    // Paths are only of wrong types: a right one would write a file.
    for (const path of [null, 5, [], {}, true]) assert.equal(typeof (await session.answer(command, { path })).success, 'boolean');
    for (const name of ARGUMENTS) for (const value of [null, -1, 1.5, 2 ** 60, '', 'x', '0x10000000000000000', [], {}, true]) assert.equal(typeof (await session.answer(command, { vm: 'hypercall-fuzz', vmid: 3, [name]: value })).success, 'boolean', `${command} ${name}`);
  }
  await fc.assert(fc.asyncProperty(fc.constantFrom(...GUNYAH_REQUESTS), fc.dictionary(fc.constantFrom(...ARGUMENTS), wild, { maxKeys: 6 }), async (command, args) => {
    assert.equal(typeof (await session.answer(command, args)).success, 'boolean');
  }), { seed: SEED, numRuns: 500 });
  checkNoMistake(session);
  assert.equal((await session.answer('gunyah/vms', {})).success, true);
  await session.end();
});

/** A file in which everything stands that a system file may have. */
const SYSTEM = {
  $schema: './x.json', identity: 'gunyah', platform: { cpus: 4, cpu: 'max', memory: '512M', seed: 7, resourceManager: 'linux', watchdog: true },
  smccc: { standardSecure: 1, standardHypervisor: 1, vendorHypervisor: 3, psciVersion: '1.1' },
  vms: [
    { name: 'primary', image: 'a.elf', vcpus: 2, memory: { base: '0x40000000', size: '64M' }, commandLine: 'a b', deviceTree: 'a.dts', overlays: ['b.dtso'], ramdisk: 'r', disks: [{ image: 'd' }], devices: ['uart'], firmware: { image: 'f', variables: 'v' } },
    { name: 'other', image: 'b.elf', autostart: true, vmConfig: { affinity: 'proxy' }, connections: [] },
  ],
  symbols: [{ vm: 'primary', file: 's.elf' }],
};

type Json = unknown;
const isRecord = (value: Json): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Changes something somewhere: where `steps` lead, a value becomes another, goes, or comes. */
function spoil(value: Json, steps: readonly number[], change: { readonly key: string; readonly value: Json; readonly how: number }): Json {
  const [step = 0, ...rest] = steps;
  const keys = isRecord(value) ? Object.keys(value) : Array.isArray(value) ? value.map((_, n) => String(n)) : [];
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined || rest.length === 0) return change.how === 0 || !isRecord(value) ? change.value : { ...value, [change.key]: change.value };
  if (Array.isArray(value)) return value.flatMap((one: Json, n) => (String(n) !== key ? [one] : change.how === 1 ? [] : change.how === 2 ? [one, one] : [spoil(one, rest, change)]));
  if (!isRecord(value)) return value;
  const { [key]: inner, ...others } = value;
  return change.how === 1 && rest.length === 1 ? others : { ...others, [key]: spoil(inner, rest, change) };
}

const change = fc.record({ key: fc.oneof(fc.constantFrom('name', 'image', 'memory', 'vcpus', 'base', 'size', 'smccc', 'vms', '__proto__', 'constructor', 'symbols', 'platform'), wildText), value: wild, how: fc.nat(3) });
const spoiledSystem = fc.tuple(fc.constantFrom<Json>(SYSTEM, { vms: [SYSTEM.vms[0]] }, { vms: [{ image: 'a.elf' }] }), fc.array(fc.tuple(fc.array(fc.nat(12), { maxLength: 5 }), change), { maxLength: 4 }))
  .map(([whole, changes]) => changes.reduce((value: Json, [steps, one]) => spoil(value, steps, one), whole));

const host = { ...nodeHost, readFile: () => Promise.resolve(ok(wordsElf([0xd65f03c0]))), exists: () => Promise.resolve(true) };

async function checkSystemText(text: string): Promise<'refused' | 'resolved'> {
  const parsed = parseSystemFile(text, '/a/x.gunyah.json');
  if (!parsed.ok) {
    assert.ok(parsed.error.length > 0 && parsed.error.every(({ message }) => message.length > 5), text.slice(0, 200));
    return 'refused';
  }
  const resolved = await resolveSystem(host, parsed.value, { semihosting: true, folder: '/a' });
  if (!resolved.ok) assert.ok(resolved.error.every(({ message }) => message.length > 5));
  return resolved.ok ? 'resolved' : 'refused';
}

test('a system file changed anywhere is read or refused with sentences', async () => {
  let resolved = 0;
  await fc.assert(fc.asyncProperty(spoiledSystem, async (system) => {
    if (await checkSystemText(JSON.stringify(system) ?? '') === 'resolved') resolved++;
  }), { seed: SEED, numRuns: 1500 });
  assert.ok(resolved > 20, `${String(resolved)} were read`);
});

test('bytes that are hardly JSON are read as a system file or refused with sentences', async () => {
  const whole = JSON.stringify(SYSTEM, undefined, 1);
  await fc.assert(fc.asyncProperty(fc.nat(whole.length), fc.nat(40), fc.oneof(wildText, fc.constantFrom('//', '/*', ',', '[', '{', '}', '"', '\\u', '\ufeff', '1e999')), async (at, cut, put) => {
    await checkSystemText(whole.slice(0, at) + put + whole.slice(at + cut));
  }), { seed: SEED, numRuns: 800 });
  for (const text of ['', ' ', 'null', '[]', '5', '"x"', '['.repeat(50_000), `{"vms":${'['.repeat(20_000)}`, '{'.repeat(20_000), `{"a":"${'x'.repeat(SYSTEM_FILE_SIZE_MAX)}"}`]) assert.equal(await checkSystemText(text), 'refused');
});

/** `gunyah run` as a user or a script calls it: the bundled command, its output, its files and its exit status. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSync } from 'esbuild';
import { readCapture } from '../debug-adapter/trace-export/pcapng-reader';
import { decodeTrace } from '../hypervisor/trace-decoder';
import { wordsElf } from '../support/system';
import { guestElf, sampleElf, sampleFolder } from '../support/guest-build';

const ROOT = resolve(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'gunyah-run-'));
const COMMAND = join(folder, 'cli.js');

before(() => {
  buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' });
});
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Run { readonly status: number | null; readonly out: string; readonly error: string }

function run(...words: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...words], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return { status, out: stdout, error: stderr };
}

function file(name: string, text?: string): string {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

function objects(text: string): Record<string, unknown>[] {
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

function summary({ out }: Run): Record<string, unknown> {
  const [last = {}] = objects(out.trimEnd().split('\n').slice(-1).join(''));
  return last;
}

function checkRefused(words: string[], message: RegExp): void {
  const { status, out, error } = run('run', ...words);
  assert.match(error, message);
  assert.doesNotMatch(error, /\n\s+at /, 'a user\'s mistake shows no stack of ours');
  assert.equal(status, 2, `${words.join(' ')} is refused`);
  assert.equal(out, '');
}

test('a guest that powers off ends with 0 and its console is on standard output as it is', () => {
  assert.deepEqual(run('run', guestElf('hello')), { status: 0, out: 'hello from EL1\r\ndevice tree: found\r\n', error: '' });
});

test('the summary has the published fields and is equal in every tier and with a trace', () => {
  const hello = guestElf('hello');
  const one = summary(run('run', hello, '--json'));
  assert.deepEqual(Object.keys(one), ['instructions', 'stateHash', 'vms', 'wallSeconds', 'mips']);
  assert.deepEqual(one['vms'], [{ name: 'hello', vmid: 3, state: 'EXITED', exit: { reason: 'PLATFORM_OFF', code: 0 }, instructions: one['instructions'] }]);
  for (const more of [['--tier', 'interpreter'], ['--tier=jit'], ['--trace', file('t.jsonl')]]) {
    const other = summary(run('run', hello, '--json', ...more));
    assert.deepEqual([other['instructions'], other['stateHash']], [one['instructions'], one['stateHash']], more.join(' '));
  }
});

test('several VMs print with their names, and their instructions add up', () => {
  sampleElf('primary');
  sampleElf('sensor');
  const done = run('run', join(sampleFolder(), 'two-vms.gunyah.json'), '--json');
  assert.equal(done.status, 0);
  const lines = done.out.trimEnd().split('\n').slice(0, -1);
  for (const line of lines) assert.match(line, /^\[(primary|sensor)\] /);
  assert.ok(lines.includes('[sensor] sensor: hello') && lines.includes('[primary] primary: done'), done.out);
  const { vms, instructions } = summary(done) as { vms: { name: string; state: string; instructions: number }[]; instructions: number };
  assert.deepEqual(vms.map(({ name, state }) => [name, state]), [['primary', 'EXITED'], ['sensor', 'EXITED']]);
  assert.equal(vms.reduce((sum, vm) => sum + vm.instructions, 0), instructions);
});

test('a limit of instructions is exact and ends with 4', () => {
  for (const limit of [1, 1000, 70_001]) {
    const done = run('run', guestElf('spin-masked'), '--max-instructions', String(limit), '--json');
    assert.equal(done.status, 4);
    assert.equal(summary(done)['instructions'], limit);
    assert.match(done.error, /limit/);
  }
});

test('a limit of time ends a guest that never ends with 4', () => {
  const started = performance.now();
  assert.equal(run('run', guestElf('spin-masked'), '--timeout', '0.3').status, 4);
  assert.ok(performance.now() - started < 20_000);
});

test('a guest that resets the platform ends with 3', () => {
  const done = run('run', guestElf('jump-to-zero'));
  assert.equal(done.status, 3);
  assert.match(done.out, /called from/);
  assert.match(done.error, /reset the platform\.\n {2}jump-to-zero, vCPU 0: off, at 0x[0-9a-f]+ \([a-z_]+.*psci\.c:\d+\), EL1/, 'where it was, with symbol and line');
  assert.match(done.error, /last exception from 0x0: Instruction abort at the same exception level/);
});

test('a guest that does nothing but fault ends with 3 and says where', () => {
  const path = file('faults.elf');
  writeFileSync(path, wordsElf([0xd2a8_6000, 0xd518_c000, 0]));
  const done = run('run', path, '--json');
  assert.equal(done.status, 3);
  assert.match(done.error, /faults, vCPU 0: The vCPU took the same exception .* at 0x43000200/);
  assert.match(done.error, /faults, vCPU 0: at 0x43000200, EL1, .* masked, \d+ instructions\n {4}last exception from 0x43000200: Undefined instruction/);
});

test('a trace has one line per event and per call, with arguments and result', () => {
  const trace = file('trace.jsonl');
  assert.equal(run('run', guestElf('queue-overflow'), '--trace', trace, '--trace-format', 'jsonl').status, 0);
  const rows = objects(readFileSync(trace, 'utf8'));
  for (const row of rows) assert.ok(typeof row['tick'] === 'number' && typeof row['vm'] === 'string' && typeof row['event'] === 'string', JSON.stringify(row));
  const calls = rows.filter(({ event, vm }) => event === 'hypercall' && vm === 'queue-overflow') as { name: string; args: Record<string, unknown>; result?: { error: string } }[];
  assert.ok(calls.length >= 15);
  for (const call of calls) assert.ok(typeof call.result?.error === 'string' && !('phase' in call), JSON.stringify(call));
  assert.ok(calls.some(({ name, result }) => name === 'msgqueue_send' && result?.error === 'MSGQUEUE_FULL'));
  assert.match(String(calls.find(({ name }) => name === 'msgqueue_send')?.args['msgqueue']), /^0x[0-9a-f]+$/);
  const ends = rows.filter(({ event, name }) => event === 'psci' && name === 'SYSTEM_OFF');
  assert.equal(ends.length, 1, 'a call that does not return is told once');
  for (const wanted of ['console', 'exception', 'virq', 'message', 'vm-state', 'memory', 'rm-request', 'rm-reply']) assert.ok(rows.some(({ event }) => event === wanted), `there are ${wanted} lines`);
});

test('consoles go to files and input comes from files', () => {
  sampleElf('primary');
  const out = file('sensor.txt');
  const input = file('input.txt', 'typed text\n'.repeat(500));
  const done = run('run', join(sampleFolder(), 'two-vms.gunyah.json'), '--console', `sensor=${out}`, '--input', `primary=${input}`);
  assert.equal(done.status, 0);
  assert.doesNotMatch(done.out, /sensor: hello/);
  assert.match(readFileSync(out, 'utf8'), /^sensor: hello/);
});

test('bad options, targets and files are refused with a clear line', () => {
  const hello = guestElf('hello');
  checkRefused([], /exactly one target/);
  checkRefused([hello, hello], /exactly one target/);
  checkRefused([hello, '--frobnicate'], /no option --frobnicate/);
  checkRefused([hello, '--max-instructions'], /needs a value/);
  checkRefused([hello, '--max-instructions', 'many'], /whole number/);
  checkRefused([hello, '--max-instructions', '1.5'], /whole number/);
  checkRefused([hello, '--max-instructions', '0'], /whole number/);
  checkRefused([hello, '--json', '--json'], /given twice/);
  checkRefused([hello, '--tier', 'turbo'], /turbo/);
  checkRefused([hello, '--console', 'hello'], /VM=FILE/);
  checkRefused([hello, '--console', `nobody=${file('x')}`], /no VM "nobody"; there is "hello"/);
  checkRefused([hello, '--console', `hello=${join(folder, 'none', 'x')}`], /Cannot write/);
  checkRefused([hello, '--trace', join(folder, 'none', 'x')], /Cannot write/);
  checkRefused([hello, '--input', `hello=${join(folder, 'none')}`], /Cannot read/);
  checkRefused([join(folder, 'missing.elf')], /there is no such file/);
  checkRefused([folder], /it is a folder/);
});

test('a system file with a mistake is refused at its line and column', () => {
  checkRefused([file('syntax.gunyah.json', '{\n  "vms": [,]\n}\n')], /syntax\.gunyah\.json:2:\d+: error: This is not JSON/);
  checkRefused([file('field.gunyah.json', '{ "vms": [ { "image": "a.elf",\n   "imgae": 1 } ] }')], /field\.gunyah\.json:2:\d+: error: /);
  checkRefused([file('empty.gunyah.json', '')], /empty\.gunyah\.json/);
});

test('an image that is none, or does not fit its memory, is refused', () => {
  checkRefused([file('text.elf', 'this is no image')], /text\.elf/);
  const hello = guestElf('hello');
  checkRefused([file('small.gunyah.json', JSON.stringify({ vms: [{ image: hello, memory: { base: '0x40000000', size: '2M' } }] }))], /memory/);
  checkRefused([file('platform.gunyah.json', JSON.stringify({ platform: { memory: '16M' }, vms: [{ image: hello }] }))], /do not fit/);
});

test('a reader that goes away ends the run quietly', async () => {
  const child = spawn(process.execPath, [COMMAND, 'run', guestElf('uart-flood')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let error = '';
  child.stderr.on('data', (chunk: Buffer) => { error += chunk.toString(); });
  child.stdout.once('data', () => { child.stdout.destroy(); });
  const status = await new Promise((done) => { child.on('close', done); });
  assert.equal(error, '');
  assert.equal(status, 141);
});

test('the command explains itself, and says what it does not know', () => {
  assert.match(run('--help').out, /gunyah run TARGET/);
  assert.equal(run('--help').status, 0);
  assert.equal(run('fly').status, 2);
  assert.equal(run().status, 2);
});

test('the trace comes in the formats of Perfetto and of packet captures too', () => {
  const system = join(sampleFolder(), 'two-vms.gunyah.json');
  sampleElf('primary');
  sampleElf('sensor');
  const tracks = file('t.json');
  assert.equal(run('run', system, '--trace', tracks, '--trace-format', 'perfetto').status, 0);
  const { traceEvents } = JSON.parse(readFileSync(tracks, 'utf8')) as { traceEvents: { readonly ph: string }[] };
  for (const kind of ['X', 's', 'f', 'i', 'M', 'b', 'e']) assert.ok(traceEvents.some(({ ph }) => ph === kind), kind);
  const packets = file('t.pcapng');
  assert.equal(run('run', system, '--trace', packets, '--trace-format=pcapng').status, 0);
  const capture = readCapture(readFileSync(packets));
  assert.ok(capture.packets.length > 20 && capture.packets.some(({ comment }) => /request VM_START/.test(comment)));
  assert.ok(capture.interfaces.some(({ name }) => name.startsWith('primary to sensor')), capture.interfaces.map(({ name }) => name).join());
  checkRefused([system, '--trace', tracks, '--trace-format', 'pcap'], /"pcap" is none of jsonl, perfetto, pcapng/);
});

test('the hypervisor\'s own trace comes as one file: buffers, control block and strings', () => {
  const dump = file('hypervisor.trace');
  assert.equal(run('run', guestElf('queue-overflow'), '--dump-trace', dump).status, 0);
  const { buffers, lines } = decodeTrace(readFileSync(dump), 0n);
  assert.deepEqual(buffers.map(({ mask }) => mask), [0n, 1n]);
  assert.ok(lines.some(({ text, vmid }) => vmid === 255 && text.startsWith('msgqueue_receive ret: ')));
  assert.ok(lines.some(({ text, vmid }) => vmid === 3 && text.startsWith('msgqueue_send: ')));
  assert.ok(lines.every(({ text, counter }) => !text.includes('{') && counter > 0n));
  checkRefused([guestElf('hello'), '--dump-trace', join(folder, 'none', 'x')], /Cannot write/);
});

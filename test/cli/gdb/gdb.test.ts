/** `gunyah gdb` with the real GDB. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { buildSync } from 'esbuild';
import { guestElf, sampleElf, sampleSystemFile } from '../../support/guest-build';

const ROOT = resolve(__dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'gunyah-gdb-'));
const COMMAND = join(folder, 'cli.js');

before(() => {
  buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' });
});
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Server { readonly port: string; readonly process: ChildProcess; readonly out: () => string }

/** A server for one target; it is gone when the test ends. */
async function serve(context: TestContext, ...words: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, [COMMAND, 'gdb', ...words, '--port', '0']);
  context.after(() => { child.kill(); });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  const port = await new Promise<string>((found, failed) => {
    child.stderr.on('data', (chunk: Buffer) => { const said = /Listening on 127\.0\.0\.1:(\d+)/.exec(chunk.toString()); if (said?.[1] !== undefined) found(said[1]); });
    child.on('exit', () => { failed(new Error('the server ended')); });
  });
  return { port, process: child, out: () => out };
}

/** What GDB says to commands; the first ones connect it. */
function gdb({ port }: Server, image: string, commands: readonly string[]): string {
  const all = ['set pagination off', 'set confirm off', `target remote 127.0.0.1:${port}`, ...commands];
  const { stdout, stderr } = spawnSync('gdb-multiarch', ['-nx', '-q', '-batch', image, ...all.flatMap((command) => ['-ex', command])], { encoding: 'utf8', timeout: 120_000 });
  return stdout + stderr;
}

/** The exit status of a server, once its output is whole. */
function ended({ process }: Server): Promise<unknown> {
  return process.exitCode === null ? new Promise((done) => { process.on('close', done); }) : Promise.resolve(process.exitCode);
}

/** That the texts come one after the other. */
function checkOrder(text: string, patterns: readonly RegExp[]): void {
  let rest = text;
  for (const pattern of patterns) {
    const found = pattern.exec(rest);
    assert.ok(found, `${String(pattern)} comes in ${text}`);
    rest = rest.slice(found.index + found[0].length);
  }
}

test('two VMs are threads; breakpoints, backtraces, steps and registers are as GDB expects, forwards and back', async (context) => {
  const server = await serve(context, sampleSystemFile('two-vms'));
  const said = gdb(server, sampleElf('primary'), [
    'info threads', 'break guest_main', 'continue', 'backtrace', 'p/x $SCTLR_EL1', 'next', 'monitor break hvc:msgqueue_send', 'continue', 'x/i $pc', 'reverse-stepi', 'x/i $pc', 'reverse-continue', 'set var $x1 = 0x1234', 'p/x $x1',
    'set var $v3.d.u[1] = 77', 'p $v3.d.u[1]', 'monitor delete 1', 'delete', 'continue',
  ]);
  checkOrder(said, [
    /1 +Thread 1 \(primary\/cpu0 EL1\) +_start/, /2 +Thread 2 \(sensor\/cpu0/, /Breakpoint 1, guest_main/, /#0 +guest_main.*\n#1 .*sdk_start/, /\$1 = 0x30d/, /hvc\s+#0x601b/, /=> 0x/, /Breakpoint 1, guest_main/,
    /\$2 = 0x1234/, /\$3 = 77/, /exited normally/,
  ]);
  assert.match(said, /Stop 1 at hvc:msgqueue_send\.[^]*Stop 1 is gone\./);
  assert.equal(await ended(server), 0, 'with the system the server ends');
  assert.match(server.out(), /\[primary\] primary: hello[^]*primary: done/);
});

test('a watched variable stops where it is written, with its old and new value', async (context) => {
  const server = await serve(context, guestElf('nested-structs-o0'));
  const said = gdb(server, guestElf('nested-structs-o0'), ['watch stop_count', 'continue', 'p stop_count', 'reverse-continue', 'p stop_count', 'kill']);
  checkOrder(said, [/Hardware watchpoint 1: stop_count/, /Old value = 0\s+New value = 1/, /\$1 = 1/]);
});

test('one VM can be seen alone, and a client that goes is followed by another one that finds the system as it was', async (context) => {
  const server = await serve(context, sampleSystemFile('two-vms'), '--vm', 'sensor');
  const first = gdb(server, sampleElf('sensor'), ['info threads', 'break guest_main', 'continue', 'info threads', 'disconnect']);
  checkOrder(first, [/Thread 2 \(sensor/, /Breakpoint 1, guest_main/, /Thread 2 \(sensor\/cpu0 EL1\) +guest_main/]);
  assert.doesNotMatch(first, /primary\/cpu0/);
  checkOrder(gdb(server, sampleElf('sensor'), ['p $pc', 'detach']), [/\$1 = .*<guest_main/]);
  assert.equal(await ended(server), 0, 'it runs to its end when it is left alone');
});

test('bad usage is refused', () => {
  for (const [words, message] of [[['x.elf'], /exactly one target and --port/], [[sampleSystemFile('two-vms'), '--port', '0', '--vm', 'nobody'], /there is no VM "nobody"; there is "primary", "sensor"/], [['no.elf', '--port', '0'], /no\.elf/]] as const) {
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, 'gdb', ...words], { encoding: 'utf8' });
    assert.match(stderr, message);
    assert.equal(status, 2);
  }
});

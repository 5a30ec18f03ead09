/**
 * Programs under Debian's kernel, with the same results as under QEMU's user mode: the C library's mathematics, threads and signals and faults, openssl,
 * and the CPU methods of stress-ng, which check themselves.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { debianClosure } from '../support/debian-guests';
import { guestFile, packagedPrograms, staticProgram } from './linux-files';
import { LinuxConsole, PROMPT, type LinuxSetup } from './linux-guest';

const QEMU = 'qemu-aarch64';
const SCRATCH = mkdtempSync(join(tmpdir(), 'gunyah-programs-'));
after(() => { rmSync(SCRATCH, { recursive: true, force: true }); });

/** Bytes that no compression or table makes easy. */
const DATA = Buffer.alloc(40_000);
for (let i = 0, state = 12_345; i < DATA.length; i++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  DATA[i] = state >>> 21;
}
writeFileSync(join(SCRATCH, 'data'), DATA);
/** An Ed25519 key whose 32 bytes are the numbers from 1. */
const KEY = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(Array.from({ length: 32 }, (_, index) => index + 1))]);
writeFileSync(join(SCRATCH, 'key'), KEY);

const OPENSSL = [
  ...['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'blake2b512', 'sm3'].map((name) => `dgst -${name} data`),
  'dgst -sha384 -hmac secret data',
  ...['aes-128-cbc', 'aes-256-ctr', 'chacha20', 'sm4-ctr', 'camellia-128-cbc'].map((name) => `enc -${name} -K ${'0123456789abcdef'.repeat(name.includes('256') || name === 'chacha20' ? 4 : 2)} -iv ${'00ff'.repeat(8)} -in data | md5sum`),
  'pkeyutl -sign -rawin -in key -inkey key -keyform DER | md5sum',
  'prime -hex 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF',
  'prime 340282366920938463463374607431768211297',
];

function bareFiles(): NonNullable<LinuxSetup['files']> {
  return ['math', 'processes'].map((name) => guestFile(`usr/bin/${name}`, staticProgram(name)));
}

/** What a command prints under QEMU's user mode, with the same files in its folder. */
function reference(command: string, root = '/'): string {
  const { stdout, error } = spawnSync('sh', ['-c', `${QEMU} -L ${root} ${command}`], { encoding: 'utf8', cwd: SCRATCH, env: { ...process.env, OPENSSL_CONF: '/dev/null' } });
  assert.equal(error, undefined);
  return stdout.replace(/\n$/, '');
}

/** Both our own programs; the checksums are compared line by line, so that a failure names the function. */
function checkOwnPrograms(guest: LinuxConsole): void {
  for (const program of ['math', 'processes']) {
    assert.deepEqual(guest.command(program).split('\n'), reference(staticProgram(program)).split('\n'), program);
  }
}

function checkOpenssl(guest: LinuxConsole, root: string): void {
  for (const command of OPENSSL) {
    assert.equal(guest.command(`openssl ${command}`), reference(`${root}/usr/bin/openssl ${command}`, root), `openssl ${command}`);
  }
}

test('mathematics, threads, faults and openssl give QEMU\'s results on four vCPUs; so they do on the CPU with everything', async () => {
  const root = debianClosure(['openssl']);
  const files: NonNullable<LinuxSetup['files']> = [
    ...bareFiles(), ...packagedPrograms(root, ['usr/bin/openssl']),
    { kind: 'file', path: 'data', content: DATA }, { kind: 'file', path: 'key', content: KEY },
  ];
  for (const setup of [{ vcpus: 4 }, { cpu: 'max' }] as const) {
    const guest = await LinuxConsole.boot({ ...setup, files });
    guest.waitFor(PROMPT);
    guest.command('export OPENSSL_CONF=/dev/null');
    checkOwnPrograms(guest);
    checkOpenssl(guest, root);
    assert.deepEqual(guest.finish('poweroff -f'), { kind: 'power', action: 'off' });
  }
});

test('the CPU methods of stress-ng, which check their results, find no fault', async () => {
  const guest = await LinuxConsole.boot({ cpu: 'cortex-a76', files: packagedPrograms(debianClosure(['stress-ng']), ['usr/bin/stress-ng']) });
  guest.waitFor(PROMPT);
  const [, , methods = ''] = /(must be one of|available).*?: (.*)/.exec(guest.command('stress-ng --cpu-method list 2>&1')) ?? [];
  const count = methods.split(' ').filter((name) => name !== '' && name !== 'all').length;
  assert.ok(count > 60, `${count} methods`);
  const said = guest.command(`stress-ng --cpu 1 --cpu-method all --cpu-ops ${count} --verify 2>&1; echo "status $?"`);
  assert.match(said, /successful run completed/);
  assert.match(said, /\nstatus 0$/);
  assert.doesNotMatch(said, /fail/);
});

/** A C program with Debian's picolibc, which reaches its surroundings by semihosting alone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ticks } from '../../runtime/index';
import { debianPackage } from '../support/debian-guests';
import { elfSubject, powerOn, type Subject } from '../support/system';

const INPUT = 'x greetings\n';
const OUTPUT = `argc 2, program.elf
pi 3.141593, root 1.4142135624, No such file or directory
heap
missing 1
> line one
> line 2
seek o
typed x
line greetings
terminal 1 1 0
features 3 SHFB 3, length 5, to write 4
write 0, seek 0, beyond -1, read 6, close 0, again -1, errno 9
rename 0, remove 0, gone -1, errno 2
name 0 tmp5, too small -1
mode -1, system -1, unknown -1
error 1 0, frequency 1000000000
elapsed 0, clock 1, year 2024
heap 0 1
command line -1
by handle
by text
!`;

describe('a picolibc program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picolibc-'));
  let subject: Subject;
  before(async () => {
    const library = join(debianPackage('picolibc-aarch64-linux-gnu'), 'usr', 'lib', 'picolibc', 'aarch64-linux-gnu');
    const elf = join(folder, 'program.elf');
    const place = ['__flash=0x40200000', '__flash_size=0x100000', '__ram=0x40400000', '__ram_size=0x400000', '__stack_size=0x10000'].map((symbol) => `-Wl,--defsym=${symbol}`);
    const made = spawnSync('aarch64-linux-gnu-gcc', [
      '-O2', '-nostdlib', '-nostartfiles', '-static', '-fno-pic', '-no-pie', '-fno-stack-protector', '-isystem', join(library, 'include'), '-o', elf, join(library, 'lib', 'crt0-semihost.o'),
      resolve(__dirname, 'picolibc.c'), `-L${join(library, 'lib')}`, `-T${join(library, 'lib', 'picolibc.ld')}`, ...place, '-Wl,--build-id=none', '-Wl,--start-group', '-lc', '-lm', '-lsemihost', '-lgcc', '-Wl,--end-group',
    ], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    subject = await elfSubject('program', elf);
  });
  after(() => { rmSync(folder, { recursive: true }); });

  /** Runs to the end in slices; input comes at a fixed time, while the program waits for it. */
  function outcome(sliceTicks: number): { readonly text: string; readonly hash: string; readonly stop: unknown } {
    const system = powerOn(subject);
    system.run({ until: ticks(5_000_000) });
    system.writeConsole(0, Buffer.from(INPUT));
    let saved = system.save();
    for (;;) {
      const stop = system.run({ until: ticks(system.now + sliceTicks) });
      if (stop.kind !== 'limit') return { text: Buffer.from(system.consoles[0]?.transcript.text() ?? []).toString('latin1'), hash: system.stateHash(), stop };
      const again = system.save();
      assert.notDeepEqual(again, saved);
      saved = again;
    }
  }

  it('prints, reads what is typed, uses files and the heap, and ends with its code', () => {
    const { text, stop } = outcome(1_000_000_000);
    assert.equal(text.replaceAll('\r', ''), OUTPUT);
    assert.deepEqual(stop, { kind: 'exit', vcpu: 0, code: 7 });
  });

  it('runs alike in slices', () => {
    assert.deepEqual(outcome(33_333), outcome(1_000_000_000));
  });
});

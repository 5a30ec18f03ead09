import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseElf } from '../../runtime/images/elf';
import { buildElf } from './elf-builder';

function checkRefused(bytes: Uint8Array, code: string, message: RegExp = /./): void {
  const result = parseElf(bytes, 'guest.elf');
  assert.equal(result.ok, false);
  if (result.ok) return;
  assert.equal(result.error.code, code);
  assert.equal(result.error.file, 'guest.elf');
  assert.match(result.error.message, message);
  assert.doesNotMatch(result.error.message, /\{found\}/);
}

function patched(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  change(new DataView(copy.buffer));
  return copy;
}

const load = { type: 1, flags: 5, address: 0x8000_0000n, bytes: Uint8Array.of(1, 2, 3, 4), memorySize: 16n };
const good = buildElf({ entry: 0x8000_0000n, segments: [load] });

describe('parseElf', () => {
  it('reads entry, segments and sections of a small program', () => {
    const elf = parseElf(buildElf({
      entry: 0x8000_0000n, segments: [load], sections: [{ name: '.debug_line', type: 1, bytes: Uint8Array.of(9, 8) }],
    }));
    assert.ok(elf.ok);
    assert.equal(elf.value.entry, 0x8000_0000n);
    assert.equal(elf.value.type, 'executable');
    const [segment] = elf.value.segments;
    assert.deepEqual([...(segment?.bytes ?? [])], [1, 2, 3, 4]);
    assert.equal(segment?.sizeInMemory, 16);
    assert.equal(segment?.executable, true);
    assert.equal(segment?.writable, false);
    assert.deepEqual([...(elf.value.section('.debug_line') ?? [])], [9, 8]);
    assert.equal(elf.value.section('.absent'), undefined);
  });

  it('reads symbols with their type and binding', () => {
    const elf = parseElf(buildElf({ entry: 0n, segments: [load], symbols: [
      { name: 'main', address: 0x8000_0004n, size: 8n, type: 2, binding: 1, sectionIndex: 1 },
      { name: '$x', address: 0x8000_0000n, size: 0n, type: 0, binding: 0, sectionIndex: 1 },
    ] }));
    assert.ok(elf.ok);
    assert.deepEqual(elf.value.symbols, [
      { name: 'main', address: 0x8000_0004n, size: 8, type: 'function', binding: 'global', sectionIndex: 1 },
      { name: '$x', address: 0x8000_0000n, size: 0, type: 'none', binding: 'local', sectionIndex: 1 },
    ]);
  });

  it('finds the build identifier among the notes', () => {
    const note = Uint8Array.of(4, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 0xab, 0xcd, 0x01, 0);
    const elf = parseElf(buildElf({ entry: 0n, segments: [load], sections: [{ name: '.note.gnu.build-id', type: 7, bytes: note }] }));
    assert.equal(elf.ok && elf.value.buildId, 'abcd01');
  });

  it('flags a compressed section and does not hand out its bytes as data', () => {
    const elf = parseElf(buildElf({ entry: 0n, segments: [load], sections: [{ name: '.debug_info', type: 1, flags: 0x800n, bytes: Uint8Array.of(1) }] }));
    assert.ok(elf.ok);
    assert.equal(elf.value.findSection('.debug_info')?.compressed, true);
    assert.equal(elf.value.section('.debug_info'), undefined);
  });

  it('refuses what is not an AArch64 program and says what it is', () => {
    checkRefused(Uint8Array.of(), 'elf-not-elf');
    checkRefused(Uint8Array.of(0x23, 0x21, 0x2f, 0x62), 'elf-not-elf', /23 21 2f 62/);
    checkRefused(patched(good, (view) => { view.setUint8(4, 1); }), 'elf-32-bit');
    checkRefused(patched(good, (view) => { view.setUint8(5, 2); }), 'elf-big-endian');
    checkRefused(patched(good, (view) => { view.setUint16(18, 62, true); }), 'elf-wrong-machine', /x86-64/);
    checkRefused(patched(good, (view) => { view.setUint16(18, 999, true); }), 'elf-wrong-machine', /999/);
    checkRefused(patched(good, (view) => { view.setUint16(16, 1, true); }), 'elf-object-file', /Link it/);
    checkRefused(patched(good, (view) => { view.setUint16(16, 4, true); }), 'elf-core-file');
    checkRefused(patched(good, (view) => { view.setUint16(16, 77, true); }), 'elf-bad-header');
    checkRefused(patched(good, (view) => { view.setUint16(54, 32, true); }), 'elf-bad-header');
  });

  it('refuses a file cut anywhere before its last table', () => {
    for (let size = 4; size < good.length; size++) {
      const result = parseElf(good.slice(0, size));
      assert.equal(result.ok, false);
      assert.equal(!result.ok && result.error.code, 'elf-truncated');
    }
  });

  it('refuses segments that lie about their size, wrap, overlap or are huge', () => {
    const segment = (change: Partial<typeof load>) => buildElf({ entry: 0n, segments: [{ ...load, ...change }] });
    checkRefused(segment({ memorySize: 2n }), 'elf-bad-segment');
    checkRefused(segment({ address: 0xffff_ffff_ffff_fff8n }), 'elf-bad-segment', /wraps/);
    checkRefused(segment({ memorySize: 1n << 41n }), 'elf-segment-too-large');
    checkRefused(buildElf({ entry: 0n, segments: [load, { ...load, address: 0x8000_0008n }] }), 'elf-overlapping-segments', /0x80000008/);
    checkRefused(patched(good, (view) => { view.setBigUint64(64 + 32, 1n << 63n, true); }), 'elf-truncated');
    checkRefused(patched(good, (view) => { view.setUint16(56, 60000, true); }), 'elf-bad-header');
  });

  it('accepts adjacent segments and empty ones', () => {
    assert.ok(parseElf(buildElf({ entry: 0n, segments: [load, { ...load, address: 0x8000_0010n }, { ...load, bytes: new Uint8Array(0), memorySize: 0n }] })).ok);
  });

  it('warns of a section outside the file and still reads the rest', () => {
    const bytes = buildElf({ entry: 0n, segments: [load], sections: [{ name: '.text', type: 1, bytes: Uint8Array.of(1) }] });
    const at = Number(new DataView(bytes.buffer).getBigUint64(40, true)) + 64;
    const elf = parseElf(patched(bytes, (view) => { view.setBigUint64(at + 24, 1n << 50n, true); }));
    assert.ok(elf.ok);
    assert.equal(elf.value.section('.text'), undefined);
    assert.equal(elf.value.warnings[0]?.code, 'elf-bad-section');
  });

  it('survives any bytes and any damage to a good file', () => {
    const whole = buildElf({ entry: 0n, segments: [load, { ...load, address: 0x9000_0000n }], sections: [{ name: '.text', type: 1, bytes: Uint8Array.of(1) }], symbols: [{ name: 'a', address: 1n, size: 1n, type: 1, binding: 1, sectionIndex: 1 }] });
    const read = (bytes: Uint8Array) => {
      const elf = parseElf(bytes);
      if (!elf.ok) return;
      assert.ok(elf.value.symbols.length <= bytes.length);
      assert.ok((elf.value.buildId ?? '').length <= 128);
      for (const section of elf.value.sections) assert.ok((elf.value.sectionBytes(section) ?? bytes).length <= bytes.length);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), read), { numRuns: 300 });
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 64)), { maxLength: 8 });
    fc.assert(fc.property(damage, (changes) => { read(patched(whole, (view) => { for (const [at, value] of changes) view.setUint8(at, value); })); }), { numRuns: 3000 });
  });

  it('agrees with readelf about a program built by the cross compiler', () => {
    const folder = mkdtempSync(join(tmpdir(), 'elf-'));
    try {
      writeFileSync(join(folder, 'a.S'), '.globl _start\n.type _start,%function\n_start: mov x0, #1\n b .\n.size _start, .-_start\n.data\n.globl word\nword: .quad 5\n.bss\n.space 64\n');
      execFileSync('aarch64-linux-gnu-gcc', ['-g', '-nostdlib', '-static', '-Wl,--build-id', '-Wl,-Ttext=0x80000000', '-o', 'a.elf', 'a.S'], { cwd: folder });
      const elf = parseElf(readFileSync(join(folder, 'a.elf')));
      assert.ok(elf.ok);
      const text = execFileSync('aarch64-linux-gnu-readelf', ['-WhlSsn', 'a.elf'], { cwd: folder, encoding: 'utf8' });
      assert.match(text, new RegExp(`Entry point address: +0x${elf.value.entry.toString(16)}`));
      assert.match(text, new RegExp(`Build ID: ${elf.value.buildId ?? 'none'}`));
      const start = elf.value.symbols.find((symbol) => symbol.name === '_start');
      assert.deepEqual([start?.address, start?.size, start?.type, start?.binding], [0x8000_0000n, 8, 'function', 'global']);
      assert.equal(elf.value.sections[start?.sectionIndex ?? 0]?.name, '.text');
      for (const section of elf.value.sections) assert.ok(text.includes(section.name));
      assert.ok((elf.value.section('.debug_line')?.length ?? 0) > 0);
      execFileSync('aarch64-linux-gnu-objcopy', ['--only-keep-debug', 'a.elf', 'a.debug'], { cwd: folder });
      assert.ok(parseElf(readFileSync(join(folder, 'a.debug'))).ok);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

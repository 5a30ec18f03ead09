/** Where a kernel is, told from memory alone: an image with a kernel's symbols, whose memory the test writes as a kernel would. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { elfSections, loadSymbols, pa, parseElf, toBytes, VmSymbols, type SymbolFile, type System } from '../../runtime/index';
import { guestSubject, powerOn } from '../support/system';

const LINK = 0xffff_8000_0800_0000n;
const RUN = 0xffff_b678_a2a0_0000n;
const SOURCE = `
asm(".globl _text\\n_text:\\n nop\\n");
void vectors(void) {}
char swapper_pg_dir[4096] = { 1 };
const char linux_banner[] = "Linux version 6.1.0-test (somebody@somewhere) (a compiler that is named at some length) #1";
unsigned long kimage_voffset = 1;
asm(".globl _end\\n_end:\\n");
int start_kernel(int x) { return x + (int)kimage_voffset; }
`;

const folder = mkdtempSync(join(tmpdir(), 'gunyah-kernel-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** A file with the symbols that kernels are known by. */
function kernelFile(): SymbolFile {
  writeFileSync(join(folder, 'kernel.c'), SOURCE);
  const flags = ['-O1', '-g', '-ffreestanding', '-nostdlib', '-static', '-fno-toplevel-reorder', '-fno-pic', '-no-pie', '-mcmodel=large', '-Wl,--build-id=none', '-Wl,-e,_text', `-Wl,-Ttext=0x${LINK.toString(16)}`];
  execFileSync('aarch64-linux-gnu-gcc', [...flags, '-o', 'kernel.elf', 'kernel.c'], { cwd: folder });
  const elf = parseElf(readFileSync(join(folder, 'kernel.elf')));
  assert.ok(elf.ok);
  const symbols = loadSymbols(elfSections(elf.value), { name: 'kernel.elf' });
  assert.ok(symbols.ok);
  return symbols.value;
}

/** Puts a datum of the file where it would be in an image loaded at the VM's entry. */
function load(system: System, file: SymbolFile, { symbol, bytes }: { symbol: string; bytes: Uint8Array }): void {
  system.writePhysical(pa((file.addressOfSymbol(symbol) ?? 0n) - LINK + system.primaryEntry), bytes);
}

test('a kernel is where it was loaded, then where it says that it moved, and back when its memory says so', async () => {
  const system = powerOn(await guestSubject('hello'));
  const file = kernelFile();
  const banner = file.contentsAt(file.addressOfSymbol('linux_banner') ?? 0n, 64) ?? new Uint8Array(0);
  load(system, file, { symbol: 'linux_banner', bytes: banner });
  load(system, file, { symbol: 'kimage_voffset', bytes: new Uint8Array(8) });
  const symbols = new VmSymbols(system);
  symbols.add(file);
  assert.deepEqual([symbols.isMismatch, symbols.isUnsettled, symbols.sentinel().length], [false, true, 1]);
  const distance = (file.addressOfSymbol('start_kernel') ?? 0n) - LINK;
  assert.deepEqual(symbols.views.map((view) => [view.file.addressOfSymbol('start_kernel'), view.isIdentity]), [[system.primaryEntry + distance, true]]);
  assert.equal(symbols.at(system.primaryEntry + distance)?.functionAt(system.primaryEntry + distance)?.name, 'start_kernel');
  assert.equal(symbols.at(RUN + distance), undefined);

  load(system, file, { symbol: 'kimage_voffset', bytes: toBytes(RUN - system.primaryEntry, 8) });
  assert.deepEqual([symbols.settle(), symbols.settle()], [true, false]);
  assert.deepEqual([symbols.isUnsettled, symbols.sentinel().length], [false, 0]);
  assert.deepEqual(symbols.views.map((view) => view.file.addressOfSymbol('start_kernel')), [RUN + distance, system.primaryEntry + distance]);
  assert.equal(symbols.at(RUN + distance)?.lineAt(RUN + distance)?.file.endsWith('kernel.c'), true);
  assert.equal(symbols.files[0]?.original, file);

  load(system, file, { symbol: 'kimage_voffset', bytes: new Uint8Array(8) });
  assert.deepEqual([symbols.settle(), symbols.isUnsettled], [true, true]);
});

test('a kernel that is not the one in memory is told, and its symbols are taken as they are', async () => {
  const system = powerOn(await guestSubject('hello'));
  const file = kernelFile();
  const symbols = new VmSymbols(system);
  symbols.add(file);
  assert.equal(symbols.isMismatch, true);
  assert.deepEqual(symbols.views.map((view) => [view.file, view.isIdentity]), [[file, false]]);
  assert.equal(symbols.task(0), undefined);
});

test('memory that says nonsense moves no kernel and throws nothing', async () => {
  const system = powerOn(await guestSubject('hello'));
  const file = kernelFile();
  load(system, file, { symbol: 'linux_banner', bytes: file.contentsAt(file.addressOfSymbol('linux_banner') ?? 0n, 64) ?? new Uint8Array(0) });
  const symbols = new VmSymbols(system);
  symbols.add(file);
  for (const value of [1n, 0x1234n, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn, 0xfff0_0000_0000_0001n]) {
    load(system, file, { symbol: 'kimage_voffset', bytes: toBytes(value, 8) });
    symbols.settle();
    for (const view of symbols.views) view.file.lineAt(view.file.addressOfSymbol('start_kernel') ?? 0n);
    symbols.at(value);
  }
});

/** Helpers of the engine's tests: assembly through GNU as, and a bare machine with one range of RAM. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ipa, pa, va, type Pa } from '../../runtime/base/brands';
import { createEngine, type Engine, type EngineOptions, type RunResult } from '../../runtime/engine';

/** Where RAM, the tests' code and their stack lie. */
export const RAM_BASE = 0x4000_0000n;
export const CODE = 0x4000_0000n;
export const STACK = 0x4002_0000n;

/** Addresses of a test, which maps everything one to one. */
export const toPa = (address: bigint): Pa => pa(address);
export const toVa = va;
export const toIpa = ipa;

const cache = new Map<string, Uint8Array>();

/** Bytes of an assembly text; needs `aarch64-linux-gnu-as` and `aarch64-linux-gnu-ld` (Debian: binutils-aarch64-linux-gnu). */
export function assemble(text: string, base = CODE): Uint8Array {
  const key = `${String(base)}\n${text}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'engine-test-'));
  try {
    const path = (name: string): string => join(folder, name);
    writeFileSync(path('a.s'), `.arch armv8.5-a+lse+crc\n.text\n.global _start\n_start:\n${text}\n`);
    runTool('aarch64-linux-gnu-as', ['-o', path('a.o'), path('a.s')]);
    runTool('aarch64-linux-gnu-ld', ['-Ttext', `0x${base.toString(16)}`, '-o', path('a.elf'), path('a.o')]);
    runTool('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', path('a.elf'), path('a.bin')]);
    const bytes = new Uint8Array(readFileSync(path('a.bin')));
    cache.set(key, bytes);
    return bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runTool(tool: string, options: readonly string[]): void {
  const result = spawnSync(tool, options, { encoding: 'utf8' });
  assert.ok(result.error === undefined, `${tool} is needed by this test (Debian package binutils-aarch64-linux-gnu)`);
  assert.equal(result.status, 0, result.stderr);
}

/** An engine with 16 MiB of RAM at `RAM_BASE`. */
export function machine(options: Partial<EngineOptions> = {}): Engine {
  return createEngine({ ram: [{ base: pa(RAM_BASE), sizeBytes: 16 << 20 }], vcpuCountMax: 4, counterShift: 0, ...options });
}

/** Words as bytes. */
export function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** An engine with a program at `CODE`, PC on it and a stack. */
export function load(program: string | Uint8Array, options: Partial<EngineOptions> = {}): Engine {
  const engine = machine(options);
  engine.memory.write(pa(CODE), typeof program === 'string' ? assemble(program) : program);
  const vcpu = engine.vcpu(0);
  vcpu.pc = CODE;
  vcpu.sp = STACK;
  return engine;
}

/** Runs vCPU 0. */
export function run(engine: Engine, budget: number, tickNow = 0): RunResult {
  return engine.run(0, { budget, tickNow });
}

/** The whole register state that programs see. */
export function registers(engine: Engine, index = 0): readonly bigint[] {
  const vcpu = engine.vcpu(index);
  return [...Array.from({ length: 31 }, (_, n) => vcpu.x(n)), vcpu.sp, vcpu.pc, vcpu.pstate];
}

/**
 * The reference: QEMU's user mode with a loader of ours, one process for many programs. The loader reads a pool of values,
 * then programs; for each it fills log and data from the pool, jumps into the code, and writes log and data back. Needs
 * `qemu-aarch64` (Debian: qemu-user) and `aarch64-linux-gnu-gcc` (Debian: gcc-aarch64-linux-gnu).
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CODE, CODE_BYTES, DATA, DATA_BYTES, EXIT, LOG, LOG_BYTES } from './layout';

/** Bytes of the pool that a process gets once. */
export const POOL_BYTES = 0x8_0000;
const POOL = 0x1400_0000;
/** Bytes before a program's code: its length, and where in the pool its log and its data start. */
export const HEADER_BYTES = 16;

const map = (address: number, bytes: number, protection: number): string => `
  ldr x0, =${address}
  ldr x1, =${bytes}
  mov x2, #${protection}
  mov x3, #0x32
  mov x4, #-1
  mov x5, #0
  mov x8, #222
  svc #0
  cmn x0, #4095
  b.hs bad`;

const SOURCE = `
.section .text
.global _start
  b back
_start:
${map(CODE, CODE_BYTES, 7)}
${map(DATA, DATA_BYTES, 3)}
${map(LOG, LOG_BYTES, 3)}
${map(POOL, POOL_BYTES, 3)}
  ldr x19, =${POOL}
  ldr x20, =${POOL_BYTES}
  bl receive
next:
  ldr x19, =header
  mov x20, #${HEADER_BYTES}
  bl receive
  ldr x21, =header
  ldr w20, [x21]
  cbz w20, finish
  ldr x19, =${CODE}
  bl receive
  ldr w22, [x21, #4]
  ldr x23, =${POOL}
  add x22, x22, x23
  ldr x23, =${LOG}
  ldr x24, =${LOG_BYTES}
  bl copy
  ldr w22, [x21, #8]
  ldr x23, =${POOL}
  add x22, x22, x23
  ldr x23, =${DATA}
  ldr x24, =${DATA_BYTES}
  bl copy
  clrex
  msr tpidr_el0, xzr
  ldr x0, =${CODE}
  br x0
back:
  ldr x19, =${LOG}
  ldr x20, =${LOG_BYTES}
  bl send
  ldr x19, =${DATA}
  ldr x20, =${DATA_BYTES}
  bl send
  b next
copy:
  ldp q0, q1, [x22], #32
  ldp q2, q3, [x22], #32
  stp q0, q1, [x23], #32
  stp q2, q3, [x23], #32
  subs x24, x24, #64
  b.ne copy
  ret
receive:
  mov x0, #0
  mov x1, x19
  mov x2, x20
  mov x8, #63
  svc #0
  cmp x0, #0
  b.le finish
  add x19, x19, x0
  subs x20, x20, x0
  b.ne receive
  ret
send:
  mov x0, #1
  mov x1, x19
  mov x2, x20
  mov x8, #64
  svc #0
  cmp x0, #0
  b.le finish
  add x19, x19, x0
  subs x20, x20, x0
  b.ne send
  ret
bad:
  mov x0, #3
  b end
finish:
  mov x0, #0
end:
  mov x8, #94
  svc #0
.ltorg
.section .data
.balign 16
header: .skip ${HEADER_BYTES}
`;

/** A built loader; `close` removes it. */
export interface Loader { readonly path: string; readonly folder: string; close(): void }

/** Builds the loader. */
export function buildLoader(source = SOURCE): Loader {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const path = join(folder, 'loader');
  writeFileSync(`${path}.s`, source);
  const gcc = spawnSync('aarch64-linux-gnu-gcc', ['-nostdlib', '-static', '-Wl,--build-id=none', `-Wl,-Ttext=0x${EXIT.toString(16)}`, '-Wl,-Tdata=0x13000000', `-Wl,--defsym=code=0x${CODE.toString(16)}`, '-o', path, `${path}.s`], { encoding: 'utf8' });
  assert.ok(gcc.error === undefined, 'aarch64-linux-gnu-gcc is needed (Debian package gcc-aarch64-linux-gnu)');
  assert.equal(gcc.status, 0, gcc.stderr);
  return { path, folder, close: () => { rmSync(folder, { recursive: true, force: true }); } };
}

/** The processor that programs run on. */
export const REFERENCE_CPU = 'max,sve=off,sme=off';

/** Starts a process for a pool; programs are written to its standard input. */
export function startReference(loader: Loader, cpu = REFERENCE_CPU, options: readonly string[] = []): ChildProcessWithoutNullStreams {
  const child = spawn('qemu-aarch64', ['-cpu', cpu, ...options, loader.path], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.on('error', () => { throw new Error('qemu-aarch64 is needed (Debian package qemu-user)'); });
  return child;
}

/** A program as it is sent. */
export function encodeProgram(code: Uint8Array, logFrom: number, dataFrom: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + code.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, code.length, true);
  view.setUint32(4, logFrom, true);
  view.setUint32(8, dataFrom, true);
  bytes.set(code, HEADER_BYTES);
  return bytes;
}

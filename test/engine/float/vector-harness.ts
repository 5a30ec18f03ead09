/**
 * Runs instruction words on QEMU's user mode with the whole SIMD and FP state: a static ELF that loads general registers,
 * FPCR, FPSR, V0..V31 and a data area from a record, executes four words, and writes all of it back. Needs `qemu-aarch64`
 * (Debian: qemu-user) and `aarch64-linux-gnu-gcc` (Debian: gcc-aarch64-linux-gnu).
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the four words execute, and the data area. */
export const SLOT = 0x2000_0000n;
export const DATA = 0x3000_0000n;
export const DATA_BYTES = 512;
/** Offsets in a record: X0..X30, SP, NZCV, unused, FPCR, FPSR, V0..V31, four words, data. */
export const AT = { sp: 31 * 8, nzcv: 32 * 8, fpcr: 34 * 8, fpsr: 35 * 8, vectors: 36 * 8, words: 36 * 8 + 512, data: 36 * 8 + 512 + 16 } as const;
export const RECORD_BYTES = AT.data + DATA_BYTES;

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const SOURCE = `
.arch armv8.5-a
.section .text
.global _start
slot: .word 0xd503201f, 0xd503201f, 0xd503201f, 0xd503201f
  b back
.balign 64
_start:
  mov x0, #${DATA}
  mov x1, #0x2000
  mov x2, #3
  mov x3, #0x32
  mov x4, #-1
  mov x5, #0
  mov x8, #222
  svc #0
  adr x0, slot
  mov x1, #4096
  mov x2, #7
  mov x8, #226
  svc #0
next:
  adrp x19, record
  add x19, x19, :lo12:record
  mov x20, #${RECORD_BYTES}
1: mov x0, #0
  mov x1, x19
  mov x2, x20
  mov x8, #63
  svc #0
  cmp x0, #0
  b.le finish
  add x19, x19, x0
  subs x20, x20, x0
  b.ne 1b
  adrp x28, record
  add x28, x28, :lo12:record
  adr x1, slot
  add x2, x28, #${AT.words}
  ldp x3, x4, [x2], #16
  stp x3, x4, [x1]
  dc cvau, x1
  dsb ish
  ic ivau, x1
  dsb ish
  isb
  mov x5, #${DATA}
  mov x6, #${DATA_BYTES}
2: ldp x3, x4, [x2], #16
  stp x3, x4, [x5], #16
  subs x6, x6, #16
  b.ne 2b
  add x2, x28, #${AT.vectors}
${range(32).map((n) => `  ldr q${n}, [x2, #${n * 16}]`).join('\n')}
  ldr x0, [x28, #${AT.fpcr}]
  msr fpcr, x0
  ldr x0, [x28, #${AT.fpsr}]
  msr fpsr, x0
  ldr x0, [x28, #${AT.sp}]
  mov sp, x0
  ldr x0, [x28, #${AT.nzcv}]
  msr nzcv, x0
${range(14).map((i) => `  ldp x${i * 2}, x${i * 2 + 1}, [x28, #${i * 16}]`).join('\n')}
  ldr x30, [x28, #${30 * 8}]
  ldr x29, [x28, #${29 * 8}]
  ldr x28, [x28, #${28 * 8}]
  b slot
back:
  msr tpidr_el0, x0
  adrp x0, record
  add x0, x0, :lo12:record
  str x1, [x0, #8]
  mrs x1, tpidr_el0
  str x1, [x0]
${range(14).map((i) => `  stp x${i * 2 + 2}, x${i * 2 + 3}, [x0, #${i * 16 + 16}]`).join('\n')}
  str x30, [x0, #${30 * 8}]
  mov x1, sp
  str x1, [x0, #${AT.sp}]
  mrs x1, nzcv
  str x1, [x0, #${AT.nzcv}]
  mrs x1, fpcr
  str x1, [x0, #${AT.fpcr}]
  mrs x1, fpsr
  str x1, [x0, #${AT.fpsr}]
  mov x28, x0
  add x2, x28, #${AT.vectors}
${range(32).map((n) => `  str q${n}, [x2, #${n * 16}]`).join('\n')}
  add x2, x28, #${AT.data}
  mov x5, #${DATA}
  mov x6, #${DATA_BYTES}
3: ldp x3, x4, [x5], #16
  stp x3, x4, [x2], #16
  subs x6, x6, #16
  b.ne 3b
  mov x0, #1
  mov x1, x28
  mov x2, #${RECORD_BYTES}
  mov x8, #64
  svc #0
  b next
finish:
  mov x0, #0
  mov x8, #93
  svc #0
.bss
.balign 64
record: .skip ${RECORD_BYTES}
`;

/** Runs records through the reference; gives them back as they are afterwards. */
export function runOnReference(records: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'vector-reference-'));
  try {
    const path = (name: string): string => join(folder, name);
    writeFileSync(path('harness.s'), SOURCE);
    const gcc = spawnSync('aarch64-linux-gnu-gcc', ['-nostdlib', '-static', `-Wl,-Ttext=0x${SLOT.toString(16)}`, '-o', path('harness'), path('harness.s')], { encoding: 'utf8' });
    assert.ok(gcc.error === undefined, 'aarch64-linux-gnu-gcc is needed by this test (Debian package gcc-aarch64-linux-gnu)');
    assert.equal(gcc.status, 0, gcc.stderr);
    const qemu = spawnSync('qemu-aarch64', [path('harness')], { input: records, maxBuffer: 1 << 30 });
    assert.ok(qemu.error === undefined, 'qemu-aarch64 is needed by this test (Debian package qemu-user)');
    assert.equal(qemu.status, 0, `the reference ended early: ${qemu.stderr.toString()}`);
    return new Uint8Array(qemu.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Runs instruction words on QEMU's user mode as the reference: a static ELF that loads all registers and a data area from
 * a record, executes four words, and writes all of it back. Needs `qemu-aarch64` (Debian: qemu-user) and
 * `aarch64-linux-gnu-gcc` (Debian: gcc-aarch64-linux-gnu).
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the four words execute; after them `+16` is the way back, `+24` that of taken branches. */
export const SLOT = 0x2000_0000n;
/** The data area. */
export const DATA = 0x3000_0000n;
/** Its size. */
export const DATA_BYTES = 1024;
/** X0..X30, SP, NZCV, branch taken, words (4 x u32), data. */
export const RECORD_BYTES = 34 * 8 + 16 + DATA_BYTES;

const SOURCE = `
.arch armv8.5-a+lse+crc
.section .text
.global _start
slot: .word 0xd503201f, 0xd503201f, 0xd503201f, 0xd503201f
  b back
  mov w0, w0
  b taken
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
  add x2, x28, #${34 * 8}
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
  clrex
  ldr x0, [x28, #${31 * 8}]
  mov sp, x0
  ldr x0, [x28, #${32 * 8}]
  msr nzcv, x0
${Array.from({ length: 14 }, (_, i) => `  ldp x${i * 2}, x${i * 2 + 1}, [x28, #${i * 16}]`).join('\n')}
  ldr x30, [x28, #${30 * 8}]
  ldr x29, [x28, #${29 * 8}]
  ldr x28, [x28, #${28 * 8}]
  b slot
taken:
  msr tpidr_el0, x0
  adrp x0, record
  add x0, x0, :lo12:record
  str x1, [x0, #8]
  mov x1, #1
  b save
back:
  msr tpidr_el0, x0
  adrp x0, record
  add x0, x0, :lo12:record
  str x1, [x0, #8]
  mov x1, #0
save:
  str x1, [x0, #${33 * 8}]
  mrs x1, tpidr_el0
  str x1, [x0]
${Array.from({ length: 14 }, (_, i) => `  stp x${i * 2 + 2}, x${i * 2 + 3}, [x0, #${i * 16 + 16}]`).join('\n')}
  str x30, [x0, #${30 * 8}]
  mov x1, sp
  str x1, [x0, #${31 * 8}]
  mrs x1, nzcv
  str x1, [x0, #${32 * 8}]
  mov x28, x0
  add x2, x28, #${34 * 8 + 16}
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
  const folder = mkdtempSync(join(tmpdir(), 'engine-reference-'));
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

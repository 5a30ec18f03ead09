/**
 * A static ELF for QEMU's user mode that is the reference for instruction words: it loads registers and a data area from
 * a record, executes four words, writes all of it back, and goes on with the next record. What a harness adds is which
 * registers beyond the general ones a record has. Needs `qemu-aarch64` (Debian: qemu-user) and `aarch64-linux-gnu-gcc`
 * (Debian: gcc-aarch64-linux-gnu).
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the four words execute; after them `+16` is the way back. */
export const SLOT = 0x2000_0000n;
/** Where the data area is mapped. */
export const DATA = 0x3000_0000n;

/** Offsets that all records share, in bytes: X0..X30, SP, NZCV. */
const SP_AT = 31 * 8;
const NZCV_AT = 32 * 8;

/** What a harness says of its records and of the registers that it adds. */
export interface ReferenceRecord {
  /** For `.arch`. */
  readonly architecture: string;
  /** Where the four words are in a record; the data area follows them. */
  readonly wordsAt: number;
  readonly dataBytes: number;
  /** Lines after the way back in the slot, where other ways out of the four words may lead. */
  readonly afterSlot: string;
  /** Lines that load what the harness adds, with the record at X28; X0 to X2 are free. */
  readonly load: string;
  /** Lines of the ways back; each comes to `save` or falls into it, with X0 in TPIDR_EL0, the record at X0 and X1 stored. */
  readonly waysBack: string;
  /** Lines that store what the harness adds, with the record at X0; X1 is free. */
  readonly save: string;
  /** Lines that store it with the record at X28; X0 to X27 are free. */
  readonly saveLate: string;
}

/** The lines of a way back, up to where they differ. */
export const WAY_BACK = `
  msr tpidr_el0, x0
  adrp x0, record
  add x0, x0, :lo12:record
  str x1, [x0, #8]`;

/** The size of a record in bytes. */
export function recordBytes(record: Pick<ReferenceRecord, 'wordsAt' | 'dataBytes'>): number {
  return record.wordsAt + 16 + record.dataBytes;
}

const pairs = (lines: (pair: number) => string): string => Array.from({ length: 14 }, (_, pair) => `  ${lines(pair)}`).join('\n');

/** Reads a record, puts its words and data where they belong, and loads the registers. */
function beforeWords(record: ReferenceRecord): string {
  return `
next:
  adrp x19, record
  add x19, x19, :lo12:record
  mov x20, #${recordBytes(record)}
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
  add x2, x28, #${record.wordsAt}
  ldp x3, x4, [x2], #16
  stp x3, x4, [x1]
  dc cvau, x1
  dsb ish
  ic ivau, x1
  dsb ish
  isb
  mov x5, #${DATA}
  mov x6, #${record.dataBytes}
2: ldp x3, x4, [x2], #16
  stp x3, x4, [x5], #16
  subs x6, x6, #16
  b.ne 2b
${record.load}
  ldr x0, [x28, #${SP_AT}]
  mov sp, x0
  ldr x0, [x28, #${NZCV_AT}]
  msr nzcv, x0
${pairs((pair) => `ldp x${pair * 2}, x${pair * 2 + 1}, [x28, #${pair * 16}]`)}
  ldr x30, [x28, #${30 * 8}]
  ldr x29, [x28, #${29 * 8}]
  ldr x28, [x28, #${28 * 8}]
  b slot`;
}

/** Stores registers and data into the record and writes it. */
function afterWords(record: ReferenceRecord): string {
  return `
save:
${record.save}
  mrs x1, tpidr_el0
  str x1, [x0]
${pairs((pair) => `stp x${pair * 2 + 2}, x${pair * 2 + 3}, [x0, #${pair * 16 + 16}]`)}
  str x30, [x0, #${30 * 8}]
  mov x1, sp
  str x1, [x0, #${SP_AT}]
  mrs x1, nzcv
  str x1, [x0, #${NZCV_AT}]
  mov x28, x0
${record.saveLate}
  add x2, x28, #${record.wordsAt + 16}
  mov x5, #${DATA}
  mov x6, #${record.dataBytes}
3: ldp x3, x4, [x5], #16
  stp x3, x4, [x2], #16
  subs x6, x6, #16
  b.ne 3b
  mov x0, #1
  mov x1, x28
  mov x2, #${recordBytes(record)}
  mov x8, #64
  svc #0
  b next
finish:
  mov x0, #0
  mov x8, #93
  svc #0`;
}

function source(record: ReferenceRecord): string {
  return `
.arch ${record.architecture}
.section .text
.global _start
slot: .word 0xd503201f, 0xd503201f, 0xd503201f, 0xd503201f
  b back
${record.afterSlot}
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
${beforeWords(record)}
${record.waysBack}
${afterWords(record)}
.bss
.balign 64
record: .skip ${recordBytes(record)}
`;
}

/** Runs records through the reference; gives them back as they are afterwards. */
export function runOnReference(record: ReferenceRecord, records: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'engine-reference-'));
  try {
    const path = (name: string): string => join(folder, name);
    writeFileSync(path('harness.s'), source(record));
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

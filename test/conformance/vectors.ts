/**
 * Single instructions that may fault: state in, signal and state out. The reference is QEMU's user mode with a loader that
 * catches SIGILL, SIGTRAP, SIGBUS and SIGSEGV; the engine's exceptions are named as Linux would signal them.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { pa } from '../../runtime/base/brands';
import type { Exit } from '../../runtime/engine';
import type { CoreProfile } from '../../runtime/isa/identification-profiles';
import { CODE, CODE_BYTES, DATA, DATA_BYTES, EXIT } from './layout';
import { Machine } from './machine';
import { buildLoader, REFERENCE_CPU, type Loader } from './reference';
import { branch, SVC } from './words';

/** Where the word lies; the page after `DATA`'s first is read-only, what follows the last is not mapped. */
export const SLOT = CODE;
export const READ_ONLY = DATA + 0x1000;
export const UNMAPPED = DATA + DATA_BYTES;

/** A record: word, signal, X0..X30, SP, NZCV, PC, fault address, signal code. */
const AT = { word: 0, signal: 4, x: 8, sp: 256, nzcv: 264, pc: 272, address: 280, code: 288 } as const;
const RECORD = 512;
const RECORDS = 0x1600_0000;
const BATCH = 2048;

/** Signals by number, as Linux has them. */
export const SIGNALS: Readonly<Record<number, string>> = { 0: 'none', 4: 'SIGILL', 5: 'SIGTRAP', 7: 'SIGBUS', 11: 'SIGSEGV' };

/** One instruction with its registers; SP is number 31. */
export interface Vector { readonly word: number; readonly x: readonly bigint[]; readonly nzcv: number }

/** What became of it. */
export interface Outcome {
  readonly signal: number;
  readonly x: readonly bigint[];
  readonly nzcv: number;
  readonly pc: bigint;
  /** Where a data access faulted; 0 if none did. */
  readonly address: bigint;
}

const saveAll = (register: string): string => [
  ...Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 2 === 0 && n !== 0 && n !== 28).map((n) => `  stp x${String(n)}, x${String(n + 1)}, [${register}, #${String(AT.x + n * 8)}]`),
  `  stp x28, x29, [${register}, #${String(AT.x + 28 * 8)}]`, `  str x30, [${register}, #${String(AT.x + 240)}]`,
].join('\n');

const action = (signal: number): string => `
  mov x0, #${String(signal)}
  ldr x1, =sigaction
  mov x2, #0
  mov x3, #8
  mov x8, #134
  svc #0`;

const map = (address: number, bytes: number, protection: number): string => `
  ldr x0, =${String(address)}
  ldr x1, =${String(bytes)}
  mov x2, #${String(protection)}
  mov x3, #0x32
  mov x4, #-1
  mov x5, #0
  mov x8, #222
  svc #0`;

/** Records are read in whole, executed one after the other, and written back. */
const SOURCE = `
.section .text
.global _start
  b back
_start:
${map(CODE, CODE_BYTES, 7)}
${map(DATA, DATA_BYTES, 3)}
${map(RECORDS, RECORD * BATCH, 3)}
  ldr x0, =${String(READ_ONLY)}
  mov x1, #4096
  mov x2, #1
  mov x8, #226
  svc #0
  ldr x0, =altstack
  mov x1, #0
  mov x8, #132
  svc #0
${[4, 5, 7, 11].map(action).join('\n')}
batch:
  ldr x19, =${String(RECORDS)}
  ldr x20, =${String(RECORD * BATCH)}
1: mov x0, #0
  mov x1, x19
  mov x2, x20
  mov x8, #63
  svc #0
  cmp x0, #0
  b.le run
  add x19, x19, x0
  subs x20, x20, x0
  b.ne 1b
run:
  ldr x28, =${String(RECORDS)}
  cmp x19, x28
  b.eq finish
  ldr x0, =limit
  str x19, [x0]
  ldr x0, =current
  str x28, [x0]
next:
  ldr x0, =current
  ldr x28, [x0]
  ldr x1, =limit
  ldr x1, [x1]
  cmp x28, x1
  b.hs flush
  ldr x1, =${String(SLOT)}
  ldr w2, [x28]
  ldr w3, =0x${branch(EXIT - SLOT - 4).toString(16)}
  stp w2, w3, [x1]
  ic ivau, x1
  isb
  clrex
${[DATA, UNMAPPED - 0x1000].map((page) => `
  ldr x0, =${String(page)}
  mov x1, #4096
  mov x2, #0x5a5a
2: stp x2, x2, [x0], #16
  subs x1, x1, #16
  b.ne 2b`).join('')}
  ldr x0, [x28, #${String(AT.sp)}]
  mov sp, x0
  ldr x0, [x28, #${String(AT.nzcv)}]
  msr nzcv, x0
${Array.from({ length: 14 }, (_, i) => `  ldp x${String(i * 2)}, x${String(i * 2 + 1)}, [x28, #${String(AT.x + i * 16)}]`).join('\n')}
  ldr x30, [x28, #${String(AT.x + 240)}]
  ldr x29, [x28, #${String(AT.x + 232)}]
  ldr x28, [x28, #${String(AT.x + 224)}]
  b code
back:
  msr tpidr_el0, x0
  ldr x0, =current
  ldr x0, [x0]
${saveAll('x0')}
  str x1, [x0, #${String(AT.x + 8)}]
  mrs x1, tpidr_el0
  str x1, [x0, #${String(AT.x)}]
  mov x1, sp
  str x1, [x0, #${String(AT.sp)}]
  mrs x1, nzcv
  str x1, [x0, #${String(AT.nzcv)}]
  str wzr, [x0, #${String(AT.signal)}]
  str xzr, [x0, #${String(AT.address)}]
  ldr x1, =${String(SLOT + 4)}
  str x1, [x0, #${String(AT.pc)}]
after:
  ldr x0, =current
  ldr x1, [x0]
  add x1, x1, #${String(RECORD)}
  str x1, [x0]
  b next
handler:
  ldr x3, =current
  ldr x3, [x3]
  str w0, [x3, #${String(AT.signal)}]
  ldr w4, [x1, #8]
  str x4, [x3, #${String(AT.code)}]
  ldr x4, [x1, #16]
  str x4, [x3, #${String(AT.address)}]
  add x2, x2, #176
  add x5, x3, #${String(AT.x)}
  add x2, x2, #8
  mov x6, #32
3: ldr x4, [x2], #8
  str x4, [x5], #8
  subs x6, x6, #1
  b.ne 3b
  ldr x4, [x2]
  str x4, [x3, #${String(AT.pc)}]
  ldr x4, [x2, #8]
  str x4, [x3, #${String(AT.nzcv)}]
  b after
flush:
  ldr x19, =${String(RECORDS)}
4: sub x20, x1, x19
  ldr x1, =limit
  ldr x1, [x1]
  subs x2, x1, x19
  b.eq batch
  mov x0, #1
  mov x1, x19
  mov x8, #64
  svc #0
  cmp x0, #0
  b.le finish
  add x19, x19, x0
  b 4b
finish:
  mov x0, #0
  mov x8, #94
  svc #0
.ltorg
.section .data
.balign 16
sigaction: .quad handler, 0x48000004, 0, 0
altstack: .quad stack, 0, 65536
current: .quad 0
limit: .quad 0
.balign 64
stack: .skip 65536
`;

/** What the writable pages hold before each vector. */
const FILLING = new Uint8Array(BigUint64Array.from({ length: 512 }, () => 0x5a5an).buffer);

/** Runs vectors on both sides. */
export class VectorRunner {
  private readonly loader: Loader = buildLoader(SOURCE);
  private readonly machine: Machine;
  private readonly cpu: string;

  /** Absent: `max` on both sides. */
  constructor(core?: CoreProfile) {
    this.machine = new Machine({ readOnly: READ_ONLY, ...(core === undefined ? {} : { core }) });
    this.cpu = core ?? REFERENCE_CPU;
  }

  close(): void {
    this.loader.close();
  }

  /** What the reference makes of vectors. */
  onReference(vectors: readonly Vector[]): readonly Outcome[] {
    const input = new Uint8Array(vectors.length * RECORD);
    const view = new DataView(input.buffer);
    vectors.forEach(({ word, x, nzcv }, index) => {
      const at = index * RECORD;
      view.setUint32(at, word, true);
      x.forEach((value, n) => { view.setBigUint64(at + AT.x + n * 8, value, true); });
      view.setBigUint64(at + AT.nzcv, BigInt(nzcv) << 28n, true);
    });
    const file = join(this.loader.folder, 'vectors');
    writeFileSync(file, input);
    const qemu = spawnSync('qemu-aarch64', ['-cpu', this.cpu, this.loader.path], { input: readFileSync(file), maxBuffer: 1 << 30 });
    assert.equal(qemu.status, 0, `the reference ended early: ${qemu.stderr.toString()}`);
    assert.equal(qemu.stdout.length, input.length, 'the reference answers every vector');
    const out = new DataView(qemu.stdout.buffer, qemu.stdout.byteOffset);
    return vectors.map((_, index) => {
      const at = index * RECORD;
      return {
        signal: out.getUint32(at + AT.signal, true), x: Array.from({ length: 32 }, (_n, n) => out.getBigUint64(at + AT.x + n * 8, true)),
        nzcv: Number((out.getBigUint64(at + AT.nzcv, true) >> 28n) & 15n), pc: out.getBigUint64(at + AT.pc, true), address: out.getBigUint64(at + AT.address, true),
      };
    });
  }

  /** What the engine makes of one. */
  onEngine({ word, x, nzcv }: Vector): Outcome {
    const { engine } = this.machine;
    const vcpu = engine.vcpu(0);
    engine.memory.writeU32(pa(BigInt(SLOT)), word);
    engine.memory.writeU32(pa(BigInt(SLOT + 4)), SVC);
    for (const page of [DATA, UNMAPPED - 0x1000]) engine.memory.write(pa(BigInt(page)), FILLING);
    vcpu.pstate = BigInt(nzcv) << 28n;
    x.forEach((value, n) => { if (n < 31) vcpu.setX(n, value); else vcpu.sp = value; });
    vcpu.pc = BigInt(SLOT);
    const { exit } = engine.run(0, { budget: 16, tickNow: 0 });
    const signal = signalOf(exit);
    const isException = exit.reason === 'exception';
    return {
      signal, x: Array.from({ length: 32 }, (_, n) => (n < 31 ? vcpu.x(n) : vcpu.spEl0)), nzcv: Number((vcpu.systemRegister('SPSR_EL1') >> 28n) & 15n),
      pc: isException ? BigInt(exit.elr) - (signal === 0 ? 4n : 0n) : vcpu.pc, address: isException && [7, 11].includes(signal) ? exit.far : 0n,
    };
  }
}

/** The signal that Linux makes of an exception from EL0. */
function signalOf(exit: Exit): number {
  if (exit.reason !== 'exception') return -1;
  const status = Number(exit.esr & 0x3fn);
  switch (Number(exit.esr >> 26n)) {
    case 0x15: return 0;
    case 0x00: case 0x0d: case 0x0e: case 0x18: return 4;
    case 0x3c: return 5;
    case 0x22: case 0x26: return 7;
    case 0x20: return 11;
    case 0x24: return status === 0x21 ? 7 : 11;
    default: return -1;
  }
}

/** Registers that point into writable data, where whatever is executed by mistake does no harm. */
export const harmless = (): readonly bigint[] => Array.from({ length: 32 }, () => BigInt(DATA));

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { pa } from '../../runtime/base/brands';
import { encodings } from '../../runtime/isa/encodings';
import { systemRegisterKey, type SystemRegister } from '../../runtime/isa/interface';
import { systemInstructions, systemRegisters } from '../../runtime/isa/system-registers';
import { CODE, DATA } from './layout';
import { Machine } from './machine';
import { kindOf } from './rows';

const REPOSITORY = join(__dirname, '..', '..');
const UNDEFINED = 0n;
const TRAPPED = 0x18n;
const LEVELS: Readonly<Record<string, number>> = { EL0: 0, EL1: 1, EL2: 2, EL3: 3, never: 4 };

/** All text of a test file, or of the files of a folder. */
function textOf(path: string): string {
  const full = join(REPOSITORY, path);
  if (!existsSync(full)) return '';
  if (!statSync(full).isDirectory()) return readFileSync(full, 'utf8');
  return readdirSync(full, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ts|c|S|h)$/.test(name)).map((name) => readFileSync(join(full, name), 'utf8')).join('\n');
}

test('every row that executes is in the random programs, or a named test has it', () => {
  const texts = new Map<string, string>();
  const without = encodings.filter((encoding) => {
    if (encoding.state !== 'ready') return false;
    const kind = kindOf(encoding);
    if (typeof kind === 'string') return false;
    const text = texts.get(kind.file) ?? textOf(kind.file);
    texts.set(kind.file, text);
    return !text.includes(kind.says);
  });
  assert.deepEqual(without.map(({ name, mnemonic, feature }) => `${name} (${mnemonic}, ${feature})`), []);
});

/** What an access does: its exception class, `exit` if the machine answers for it, or `done`. */
function access(machine: Machine, { isRead, key, el }: { readonly isRead: boolean; readonly key: number; readonly el: 0 | 1 }): string | bigint {
  const { engine } = machine;
  const vcpu = engine.vcpu(0);
  engine.memory.writeU32(pa(BigInt(CODE)), (0xd5000000 | (isRead ? 1 << 21 : 0) | (key << 5) | 1) >>> 0);
  vcpu.pstate = el === 0 ? 0n : 0x3c5n;
  vcpu.pc = BigInt(CODE);
  const { exit } = engine.run(0, { budget: 1, tickNow: 0 });
  if (exit.reason === 'budget') return 'done';
  return exit.reason === 'exception' ? exit.esr >> 26n : exit.reason === 'system-register' ? 'exit' : exit.reason;
}

/** HCR_EL2.EnSCXT, API and APK: no trap to EL2. */
const NOT_TRAPPED = (1n << 53n) | (3n << 40n);

/** The machine without a first stage: what EL1 writes must not take the code away. */
function bareMachine(): Machine {
  const machine = new Machine({ core: 'everything' });
  const vcpu = machine.engine.vcpu(0);
  vcpu.setSystemRegister('MDSCR_EL1', 0n);
  vcpu.setSystemRegister('SCTLR_EL1', vcpu.systemRegister('SCTLR_EL1') & ~1n);
  vcpu.setSystemRegister('HCR_EL2', (1n << 12n) | NOT_TRAPPED);
  vcpu.setX(1, BigInt(DATA));
  return machine;
}

/** The machine as it was each time. */
function freshMachines(): () => Machine {
  const machine = bareMachine();
  const vcpu = machine.engine.vcpu(0);
  const start = vcpu.save();
  return () => {
    vcpu.restore(start);
    return machine;
  };
}

const ready = <Row extends SystemRegister>(rows: readonly Row[]): readonly Row[] => rows.filter(({ state, feature }) => state === 'ready' && feature !== 'SVE' && feature !== 'SME');

/** Registers that are only there in another state than the test's: the other stack pointer, and what a level above has. */
const OTHER_STATE = new Set(['SP_EL0', 'RVBAR_EL1', 'SP_EL1']);

test('every system register can be read and written at the levels that its row names, and at no other', () => {
  const found: string[] = [];
  const fresh = freshMachines();
  for (const row of ready(systemRegisters)) {
    if (OTHER_STATE.has(row.name)) continue;
    for (const el of [0, 1] as const) {
      for (const isRead of [true, false]) {
        const outcome = access(fresh(), { isRead, key: systemRegisterKey(row), el });
        const isAbove = (LEVELS[isRead ? row.read : row.write] ?? 4) > el;
        const isFine = isAbove ? outcome === UNDEFINED || outcome === TRAPPED : outcome === (row.handling === 'exit' ? 'exit' : 'done') || (el === 0 && row.el0Enable !== undefined && outcome === TRAPPED);
        if (!isFine) found.push(`${row.name}: ${isRead ? 'read' : 'write'} at EL${String(el)} gives ${String(outcome)}`);
      }
    }
  }
  assert.deepEqual(found, []);
});

test('a stored register keeps the bits that can be written and no others', () => {
  const found: string[] = [];
  const fresh = freshMachines();
  for (const row of ready(systemRegisters).filter(({ handling, write }) => handling === 'storage' && (LEVELS[write] ?? 4) <= 1)) {
    const machine = fresh();
    const vcpu = machine.engine.vcpu(0);
    const writable = (row.optionalBits ?? []).reduce((bits, [feature, more]) => (feature === 'QEMU' ? bits : bits | more), row.writeMask);
    for (const value of [0xffff_ffff_ffff_ffffn, 0n, 0xa5a5_5a5a_c3c3_3c3cn]) {
      const before = vcpu.systemRegister(row.name);
      vcpu.setX(1, value);
      if (access(machine, { isRead: false, key: systemRegisterKey(row), el: 1 }) !== 'done') continue;
      const expected = (before & ~writable) | (value & writable);
      if (vcpu.systemRegister(row.name) !== expected) found.push(`${row.name}: ${value.toString(16)} became ${vcpu.systemRegister(row.name).toString(16)}, not ${expected.toString(16)}`);
    }
  }
  assert.deepEqual(found, []);
});

test('every cache, TLB and translation instruction executes at EL1, and at EL0 if its row says so', () => {
  const found: string[] = [];
  const fresh = freshMachines();
  for (const row of ready(systemInstructions)) {
    for (const el of [0, 1] as const) {
      const outcome = access(fresh(), { isRead: false, key: systemRegisterKey(row), el });
      const isAbove = (LEVELS[row.write] ?? 4) > el;
      const isFine = isAbove ? outcome === UNDEFINED : outcome === 'done' || (el === 0 && row.el0Enable !== undefined && outcome === TRAPPED);
      if (!isFine) found.push(`${row.name} at EL${String(el)} gives ${String(outcome)}`);
    }
  }
  assert.deepEqual(found, []);
});

/**
 * Finds the instruction at which a program's runs part: the reference prints its registers before each instruction, the engine
 * is stepped beside it. A difference in memory alone is traced back to the instruction that last wrote there.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pa, va } from '../../runtime/base/brands';
import { decode } from '../../runtime/isa/encodings';
import { disassemble } from '../../runtime/isa/disassembler';
import { inputsOf, type ProgramSource, type TierName } from './compare';
import { CODE, CODE_BYTES } from './layout';
import { Machine } from './machine';
import type { Program } from './programs';
import { encodeProgram, type Loader } from './reference';

const LOG_MAX_BYTES = 1 << 29;

/** Registers by name, as both sides print them. */
type State = ReadonlyMap<string, bigint>;

/** States before each instruction on the reference, in order. */
function* referenceStates(text: string): Generator<State> {
  for (const block of text.split(/(?=^ ?PC=)/m)) {
    if (!/^ ?PC=/.test(block)) continue;
    const state = new Map<string, bigint>();
    for (const [, name = '', value = ''] of block.matchAll(/\b(PC|SP|X\d\d|PSTATE|FPCR|FPSR)=([0-9a-f]+)/g)) state.set(name === 'PSTATE' ? 'NZCV' : name, BigInt(`0x${value}`) & (name === 'PSTATE' ? 0xf000_0000n : -1n));
    for (const [, name = '', high = '', low = ''] of block.matchAll(/\b(Q\d\d)=([0-9a-f]+):([0-9a-f]+)/g)) state.set(name, (BigInt(`0x${high}`) << 64n) | BigInt(`0x${low}`));
    yield state;
  }
}

/** The engine takes the tag off the PC when it fetches. */
function engineState(machine: Machine): State {
  const vcpu = machine.engine.vcpu(0);
  const state = new Map<string, bigint>([['PC', BigInt.asUintN(64, BigInt.asIntN(56, vcpu.pc))], ['SP', vcpu.sp], ['NZCV', vcpu.pstate & 0xf000_0000n]]);
  for (const name of ['FPCR', 'FPSR']) state.set(name, vcpu.systemRegister(name));
  for (let n = 0; n < 31; n++) state.set(`X${String(n).padStart(2, '0')}`, vcpu.x(n));
  for (let n = 0; n < 32; n++) {
    const [low, high] = vcpu.v(n);
    state.set(`Q${String(n).padStart(2, '0')}`, (high << 64n) | low);
  }
  return state;
}

/** What the loader left in registers is no difference. */
function adopt(machine: Machine, state: State): void {
  const vcpu = machine.engine.vcpu(0);
  const of = (name: string): bigint => state.get(name) ?? 0n;
  for (let n = 0; n < 31; n++) vcpu.setX(n, of(`X${String(n).padStart(2, '0')}`));
  for (let n = 0; n < 32; n++) vcpu.setV(n, BigInt.asUintN(64, of(`Q${String(n).padStart(2, '0')}`)), of(`Q${String(n).padStart(2, '0')}`) >> 64n);
  vcpu.sp = of('SP');
  vcpu.pstate = of('NZCV');
  for (const name of ['FPCR', 'FPSR']) vcpu.setSystemRegister(name, of(name));
}

const hex = (value: bigint | undefined): string => (value === undefined ? '?' : value.toString(16));
const differing = (a: State, b: State): readonly string[] => [...b].filter(([name, value]) => a.get(name) !== value).map(([name]) => name);

/** A word at an address, with its disassembly and row. */
export function describeWord(word: number, address: number): string {
  const line = disassemble(word, va(BigInt(address)));
  return `${address.toString(16)}: ${word.toString(16).padStart(8, '0')} ${line.mnemonic} ${line.operands} (${decode(word)?.encoding.name ?? 'unallocated'})`;
}

/** Register values that an instruction can have read. */
function inputs(word: number, state: State): string {
  const numbers = [...new Set([word, word >>> 5, word >>> 10, word >>> 16].map((bits) => (bits & 31).toString().padStart(2, '0')))];
  return numbers.map((n) => `X${n}=${hex(state.get(`X${n}`))} Q${n}=${hex(state.get(`Q${n}`))}`).join(' ') + ` SP=${hex(state.get('SP'))} NZCV=${hex(state.get('NZCV'))} FPCR=${hex(state.get('FPCR'))} FPSR=${hex(state.get('FPSR'))}`;
}

/** What runs on the reference, on which processor, with which values. */
export interface Reference { readonly loader: Loader; readonly cpu: string; readonly source: ProgramSource }

/** The reference's log of one program. */
function trace({ loader, cpu }: Reference, program: Program, pool: Uint8Array): string {
  const [input, log] = [join(loader.folder, 'input'), join(loader.folder, 'log')];
  writeFileSync(input, Buffer.concat([pool, encodeProgram(program.code, program.logFrom, program.dataFrom)]));
  writeFileSync(log, '');
  const options = ['-cpu', cpu, '-singlestep', '-d', 'cpu,fpu,nochain', '-dfilter', `0x${CODE.toString(16)}+0x${CODE_BYTES.toString(16)}`, '-D', log];
  spawnSync('qemu-aarch64', [...options, loader.path], { input: readFileSync(input), maxBuffer: LOG_MAX_BYTES });
  return readFileSync(log, 'latin1').slice(0, LOG_MAX_BYTES);
}

/** Follows both runs and says where they part. The engine runs instruction by instruction, so that `fast` is only as good as `exact`. */
export function diagnose(reference: Reference, program: Program, tier: TierName | 'reference'): string {
  const { pool } = reference.source.poolOf(program.number);
  const machine = new Machine();
  machine.load(program.code);
  machine.prepare(...inputsOf(pool, program));
  machine.engine.setTier('exact');
  const { memory } = machine.engine;
  let previous: State | undefined;
  let step = 0;
  for (const there of referenceStates(trace(reference, program, pool))) {
    if (step === 0) adopt(machine, there);
    const here = engineState(machine);
    const names = differing(here, there);
    if (names.length > 0) {
      const at = Number(previous?.get('PC') ?? there.get('PC') ?? 0n);
      const word = memory.readU32(pa(BigInt(at)));
      return [
        `step ${String(step)}: ${describeWord(word, at)}`,
        `  inputs: ${previous === undefined ? '' : inputs(word, previous)}`,
        ...names.map((name) => `  ${name}: engine ${hex(here.get(name))}, reference ${hex(there.get(name))}`),
      ].join('\n');
    }
    previous = there;
    const { exit } = machine.engine.run(0, { budget: 1, tickNow: 0 });
    step++;
    if (exit.reason === 'budget') continue;
    const at = Number(there.get('PC') ?? 0n);
    const word = memory.readU32(pa(BigInt(at)));
    return `step ${String(step)}: ${describeWord(word, at)}: engine left with ${exit.reason} ${exit.reason === 'exception' ? `ESR ${exit.esr.toString(16)} FAR ${exit.far.toString(16)}` : ''}\n  inputs: ${inputs(word, there)}`;
  }
  const at = Number(previous?.get('PC') ?? 0n);
  const last = at === 0 ? 'none' : describeWord(memory.readU32(pa(BigInt(at))), at);
  return `registers agree at each of ${String(step)} steps, the last one ${last}; ${tier === 'fast' ? 'only tier 1 differs, or memory does' : 'memory differs, or the reference stopped there'}`;
}


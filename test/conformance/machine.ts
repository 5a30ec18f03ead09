/** The engine as a user-mode machine: EL0 behind page tables that map the same areas as the reference does, and nothing else. */

import { pa } from '../../runtime/base/brands';
import { createEngine, type Engine, type Exit } from '../../runtime/engine';
import { coreFeatures } from '../../runtime/isa/cpu-features';
import type { CoreProfile } from '../../runtime/isa/identification-profiles';
import { CODE, CODE_BYTES, DATA, DATA_BYTES, EXIT, LOG, LOG_BYTES, RESULT_BYTES } from './layout';
import { SVC } from './words';

/** What a run is bounded by; no program of ours is that long. */
const BUDGET = 50_000_000;
const PAGE = 4096;
const TABLES = EXIT + 0x20_0000;

/** Block, table and page descriptors: EL0 may read and write, or execute too; Normal memory, accessed. */
const TABLE = 3n;
const PAGE_DATA = 3n | (1n << 6n) | (3n << 8n) | (1n << 10n) | (1n << 54n);
const PAGE_READ_ONLY = 3n | (3n << 6n) | (3n << 8n) | (1n << 10n) | (1n << 54n);
/** What EL0 may write EL1 may not execute, so that the page with the vectors is read-only. */
const PAGE_SHARED_CODE = 3n | (3n << 6n) | (3n << 8n) | (1n << 10n);
const PAGE_CODE = 3n | (1n << 6n) | (3n << 8n) | (1n << 10n);
/** 48 bits, TTBR1 unused, write-back tables, 4 KiB granule, top byte ignored as Linux has it. */
const TCR = 16n | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 23n) | (16n << 16n) | (1n << 37n);
/** M, C, I, SA0, DZE, UCT, nTWI, nTWE, UCI. */
const SCTLR = 1n | (1n << 2n) | (1n << 12n) | (1n << 4n) | (1n << 14n) | (1n << 15n) | (1n << 16n) | (1n << 18n) | (1n << 26n);

/** EL0 may not use the debugger's channel. */
const TDCC = 1n << 12n;

/** How a program ended here. */
export interface Ended { readonly retired: number; readonly exit: Exit }

/** A page that is only readable, and the core whose features there are; every feature if the rows are what matters. */
export interface MachineOptions { readonly readOnly?: number; readonly core?: CoreProfile | 'everything' }

/** One engine, prepared. */
export class Machine {
  readonly engine: Engine;

  constructor({ readOnly, core = 'max' }: MachineOptions = {}) {
    const features = core === 'everything' ? {} : { features: coreFeatures(core) };
    this.engine = createEngine({ ram: [{ base: pa(BigInt(EXIT)), sizeBytes: 0x20_4000 }], vcpuCountMax: 1, counterShift: 0, ...features });
    const vcpu = this.engine.vcpu(0);
    this.writeTables(readOnly);
    for (const [name, value] of [['MAIR_EL1', 0xffn], ['TCR_EL1', TCR], ['TTBR0_EL1', BigInt(TABLES)], ['SCTLR_EL1', SCTLR], ['CPACR_EL1', 3n << 20n], ['MDSCR_EL1', TDCC]] as const) vcpu.setSystemRegister(name, value);
    this.engine.reportExceptions({ exceptionClasses: 0xffff_ffff_ffff_ffffn, irq: true, fiq: true, serror: true });
    this.engine.memory.writeU32(pa(BigInt(EXIT)), SVC);
  }

  /** Puts a program into memory. */
  load(code: Uint8Array): void {
    this.engine.memory.write(pa(BigInt(CODE)), code);
  }

  /** Runs the loaded program on values, from its start to its end. */
  run(tier: 'exact' | 'fast', log: Uint8Array, data: Uint8Array): Ended {
    this.prepare(log, data);
    this.engine.setTier(tier);
    return this.engine.run(0, { budget: BUDGET, tickNow: 0 });
  }

  /** Puts values into log and data, and the PC on the program at EL0. */
  prepare(log: Uint8Array, data: Uint8Array): void {
    const { engine } = this;
    engine.memory.write(pa(BigInt(LOG)), log);
    engine.memory.write(pa(BigInt(DATA)), data);
    const vcpu = engine.vcpu(0);
    vcpu.pstate = 0n;
    vcpu.pc = BigInt(CODE);
    vcpu.setSystemRegister('TPIDR_EL0', 0n);
  }

  /** Log and data as they are, in the order of the reference's answers. */
  result(): Uint8Array {
    const bytes = new Uint8Array(RESULT_BYTES);
    bytes.set(this.engine.memory.read(pa(BigInt(LOG)), LOG_BYTES));
    bytes.set(this.engine.memory.read(pa(BigInt(DATA)), DATA_BYTES), LOG_BYTES);
    return bytes;
  }

  private writeTables(readOnly: number | undefined): void {
    const { memory } = this.engine;
    const write = (table: number, index: number, value: bigint): void => { memory.writeU64(pa(BigInt(TABLES + table * PAGE + index * 8)), value); };
    for (const [level, index] of [[0, 0], [1, 0], [2, EXIT >>> 21]] as const) write(level, index, BigInt(TABLES + (level + 1) * PAGE) | TABLE);
    const mapArea = (start: number, bytes: number, attributes: bigint): void => {
      for (let page = start; page < start + bytes; page += PAGE) write(3, (page >>> 12) & 511, BigInt(page) | attributes);
    };
    mapArea(EXIT, PAGE, PAGE_SHARED_CODE);
    mapArea(CODE, CODE_BYTES, PAGE_CODE);
    mapArea(DATA, DATA_BYTES, PAGE_DATA);
    mapArea(LOG, LOG_BYTES, PAGE_DATA);
    if (readOnly !== undefined) mapArea(readOnly, PAGE, PAGE_READ_ONLY);
  }
}

/** True if a program ended as it should: at the way back. */
export function endedWell({ exit }: Ended): boolean {
  return exit.reason === 'exception' && exit.esr >> 26n === 0x15n && exit.elr === BigInt(EXIT + 4);
}

/** Says how a program ended. */
export function describeEnd({ retired, exit }: Ended): string {
  const more = exit.reason === 'exception' ? ` ESR ${exit.esr.toString(16)} FAR ${exit.far.toString(16)} ELR ${exit.elr.toString(16)}` : '';
  return `${exit.reason}${more} after ${String(retired)} instructions`;
}


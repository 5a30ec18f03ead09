/**
 * Runs programs on the reference and on both tiers of the engine and compares what they leave. The reference works in its
 * own process while the engine works here; a process takes one pool of values and as many programs as are asked for.
 */

import type { Encoding } from '../../runtime/isa/interface';
import { DATA_BYTES, LOG_BYTES, placeInRecord, RECORD_BYTES, RESULT_BYTES, DATA_MIDDLE, DATA } from './layout';
import { describeEnd, endedWell, Machine } from './machine';
import { ProgramMaker, type Program, type ProgramOptions } from './programs';
import { buildLoader, encodeProgram, POOL_BYTES, REFERENCE_CPU, startReference, type Loader } from './reference';
import { makePool } from './values';

/** Programs that share a pool, and a process of the reference. */
const PROGRAMS_PER_POOL = 400;

/** Tier names of the engine. */
export type TierName = 'exact' | 'fast';

/** A program whose results differ. */
export interface Difference {
  readonly program: Program;
  readonly tier: TierName | 'reference';
  /** The first place that differs, or how a run ended that should not have. */
  readonly what: string;
}

/** What was compared and found. */
export interface Report {
  programs: number;
  /** Instructions of programs, each compared in every tier, without those that only save the state. */
  instructions: number;
  readonly executed: Map<Encoding, number>;
  readonly differences: Difference[];
}

/** Where programs and their values come from. */
export interface ProgramSource {
  make(number: number): Program;
  /** The values of a program, and the number of the first program that has others. */
  poolOf(number: number): { readonly pool: Uint8Array; readonly end: number };
}

/** Random programs; the pool changes every so many of them. */
export function randomPrograms(options: ProgramOptions): ProgramSource {
  const maker = new ProgramMaker(options);
  return {
    make: (number) => maker.make(number),
    poolOf: (number) => {
      const index = Math.floor(number / PROGRAMS_PER_POOL);
      return { pool: makePool(options.seed * 1000 + index, POOL_BYTES / RECORD_BYTES), end: (index + 1) * PROGRAMS_PER_POOL };
    },
  };
}

/** The values that a program starts with: log, data. */
export function inputsOf(pool: Uint8Array, program: Program): readonly [Uint8Array, Uint8Array] {
  return [pool.subarray(program.logFrom, program.logFrom + LOG_BYTES), pool.subarray(program.dataFrom, program.dataFrom + DATA_BYTES)];
}

/** Where two results differ first, in words; `undefined` if nowhere. */
export function firstDifference(here: Uint8Array, there: Uint8Array): string | undefined {
  if (Buffer.compare(here, there) === 0) return undefined;
  const [a, b] = [new DataView(here.buffer, here.byteOffset), new DataView(there.buffer, there.byteOffset)];
  for (let at = 0; at < RESULT_BYTES; at += 8) {
    const [x, y] = [a.getBigUint64(at, true), b.getBigUint64(at, true)];
    if (x === y) continue;
    const inLog = at < LOG_BYTES;
    const where = inLog ? `iteration ${String(Math.floor(at / RECORD_BYTES))}, ${placeInRecord(at % RECORD_BYTES)}` : `data at middle${String(DATA - DATA_MIDDLE + at - LOG_BYTES)}`;
    return `${where}: engine ${x.toString(16)}, reference ${y.toString(16)}`;
  }
  return undefined;
}

/** Compares the programs of one seed. */
export class Comparison {
  readonly report: Report = { programs: 0, instructions: 0, executed: new Map(), differences: [] };
  readonly loader: Loader = buildLoader();
  private readonly machine = new Machine();
  readonly source: ProgramSource;
  private readonly tiers: readonly TierName[];
  /** The reference's processor. */
  readonly cpu: string;

  constructor(source: ProgramSource, tiers: readonly TierName[] = ['fast', 'exact'], cpu = REFERENCE_CPU) {
    this.source = source;
    this.cpu = cpu;
    this.tiers = tiers;
  }

  /** Compares programs from a number on until `isEnough` says so; gives the number after the last. */
  async run(from: number, isEnough: (report: Report) => boolean): Promise<number> {
    let number = from;
    while (!isEnough(this.report)) number = await this.runPool(number, isEnough);
    return number;
  }

  close(): void {
    this.loader.close();
  }

  /** Programs that share a pool. If the reference dies at one, the next starts a new process. */
  private async runPool(from: number, isEnough: (report: Report) => boolean): Promise<number> {
    const { pool, end } = this.source.poolOf(from);
    const child = startReference(this.loader, this.cpu);
    let errors = '';
    child.stderr.on('data', (text: Buffer) => { errors += text.toString(); });
    child.stdin.on('error', () => { /* The process ended early; the answers stop. */ });
    child.stdin.write(pool);
    const answers = new Answers(child.stdout);
    const waiting: Program[] = [];
    let next = from;
    let done = from;
    try {
      while (done < end && !isEnough(this.report)) {
        while (next < end && waiting.length < 4) {
          const program = this.source.make(next++);
          waiting.push(program);
          child.stdin.write(encodeProgram(program.code, program.logFrom, program.dataFrom));
        }
        const program = waiting.shift();
        if (program === undefined) break;
        const here = this.runHere(pool, program);
        const there = await answers.next();
        done++;
        if (there === undefined) {
          const ended = here.find(({ result }) => typeof result === 'string')?.result;
          this.report.differences.push({ program, tier: 'reference', what: `the reference ended: ${errors.trim()}; engine: ${typeof ended === 'string' ? ended : 'well'}` });
          break;
        }
        this.judge(program, here, there);
      }
    } finally {
      child.kill();
    }
    return done;
  }

  private runHere(pool: Uint8Array, program: Program): readonly { readonly tier: TierName; readonly result: Uint8Array | string; readonly retired: number }[] {
    const [log, data] = inputsOf(pool, program);
    this.machine.load(program.code);
    return this.tiers.map((tier, index) => {
      if (index > 0 && program.modifiesCode) this.machine.load(program.code);
      const ended = this.machine.run(tier, log, data);
      return { tier, result: endedWell(ended) ? this.machine.result() : describeEnd(ended), retired: ended.retired };
    });
  }

  private judge(program: Program, here: ReturnType<Comparison['runHere']>, there: Uint8Array): void {
    const { report } = this;
    report.programs++;
    for (const { tier, result } of here) {
      const what = typeof result === 'string' ? result : firstDifference(result, there);
      if (what !== undefined) {
        report.differences.push({ program, tier, what });
        return;
      }
    }
    report.instructions += (here[0]?.retired ?? 0) - program.overhead;
    for (const [row, count] of program.executed) report.executed.set(row, (report.executed.get(row) ?? 0) + count);
  }
}

/** Cuts a stream into results. */
class Answers {
  private chunks: Buffer[] = [];
  private size = 0;
  private ended = false;
  private wake: () => void = () => undefined;

  constructor(stream: NodeJS.ReadableStream) {
    stream.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.size += chunk.length;
      this.wake();
    });
    stream.on('end', () => {
      this.ended = true;
      this.wake();
    });
  }

  /** The next result; `undefined` if the stream ends before it is whole. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.size < RESULT_BYTES) {
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => { this.wake = resolve; });
    }
    const all = Buffer.concat(this.chunks);
    this.chunks = [all.subarray(RESULT_BYTES)];
    this.size = all.length - RESULT_BYTES;
    // A copy of its own, so that 64-bit reads are aligned.
    return new Uint8Array(all.subarray(0, RESULT_BYTES));
  }
}


/**
 * How quick the language server of device trees is: processor time of the bundled command in fresh processes, on a board of Linux 6.12 with
 * fifty included files, without Linux's bindings and with all 4,357.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

import { linuxSources } from '../devicetree/linux/sources';
import { EDIT_KINDS, HEADER_KINDS, WIDE_KINDS, type EditKind } from './edit-kinds';
import { againstLimit, median, type Figure, type Unmeasured } from './figure';
import { ServerSession } from './server-session';

const BOARD = 'arch/arm64/boot/dts/qcom/sm8550-mtp.dts';
/** What it includes of itself the most. */
const INCLUDED = 'arch/arm64/boot/dts/qcom/sm8550.dtsi';
/** A header that nearly every file of it includes. */
const HEADER = 'include/dt-bindings/clock/qcom,rpmh.h';
const EDITS = 60;
/** Of each kind of edit one for so many plain ones. */
const EDITS_A_KIND = 30;
const TIMEOUT_MS = 120_000;
/** Says that Linux's bindings have been asked. */
const isOfBinding = (code: string): boolean => code.endsWith('.yaml');

/** What was measured in one session. */
export interface SessionTimes {
  /** From the start of the process until it answers. */
  readonly startMs: number;
  /** From the message that a file is open to its diagnostics. */
  readonly openMs: number;
  readonly editsMs: readonly number[];
  /** Edits of an included file. */
  readonly includedEditsMs: readonly number[];
  /** Edits of the included file and of a header by kind, with what undoes them. */
  readonly kindsMs: Readonly<Record<string, readonly number[]>>;
  readonly requestsMs: Readonly<Record<string, readonly number[]>>;
  readonly memoryMb: number;
  readonly peakMemoryMb: number;
  readonly diagnosticsCount: number;
}

const FEATURES = ['completion', 'hover', 'definition'];

/** What reading Linux's bindings takes: from begin to end, in processor time of all threads, and of the one that worked longest (0 if the system does not tell). */
export interface IndexTimes {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly longestThreadMs: number;
}

/** One session without Linux's bindings, one with, and what reading these takes without an index and with one. */
export interface Round {
  readonly plain: SessionTimes;
  readonly linux: SessionTimes;
  readonly index: IndexTimes;
  readonly indexRead: IndexTimes;
}

/** What is measured: the name, the bar, and which value of a round. */
interface Row {
  readonly name: string;
  readonly limit: number;
  readonly unit: string;
  readonly value: (round: Round) => number;
}

/** Two cores are what a small machine has. */
const CORES = 2;

/** What reading takes on two cores that do nothing else: no core does more than its share of the work, and none waits for less than the longest thread. */
export function onTwoCores({ cpuMs, longestThreadMs }: IndexTimes): number {
  return Math.max(cpuMs / CORES, longestThreadMs);
}

const p95 = (values: readonly number[] = []): number => quantile(values, 0.95);

/** After edits that concern most of a tree. */
const WIDE_LIMIT = 100;

const p95OfKinds = ({ kindsMs }: SessionTimes, kinds: Readonly<Record<string, EditKind>>): number => p95(Object.keys(kinds).flatMap((kind) => kindsMs[kind] ?? []));

/** Every bar. */
export const ROWS: readonly Row[] = [
  { name: 'open', limit: 150, unit: 'ms CPU', value: ({ plain }) => plain.openMs },
  { name: 'open-with-bindings', limit: 500, unit: 'ms CPU', value: ({ linux }) => linux.openMs },
  { name: 'edit-p95', limit: 40, unit: 'ms CPU', value: ({ plain }) => p95(plain.editsMs) },
  { name: 'edit-included-p95', limit: 40, unit: 'ms CPU', value: ({ plain }) => p95(plain.includedEditsMs) },
  { name: 'edit-kinds-p95', limit: 40, unit: 'ms CPU', value: ({ plain }) => p95OfKinds(plain, EDIT_KINDS) },
  { name: 'edit-wide-p95', limit: WIDE_LIMIT, unit: 'ms CPU', value: ({ plain }) => p95OfKinds(plain, { ...WIDE_KINDS, ...HEADER_KINDS }) },
  { name: 'edit-with-bindings-p95', limit: 100, unit: 'ms CPU', value: ({ linux }) => p95(linux.editsMs) },
  { name: 'edit-included-with-bindings-p95', limit: 100, unit: 'ms CPU', value: ({ linux }) => p95(linux.includedEditsMs) },
  ...FEATURES.map((feature): Row => ({ name: `${feature}-p95`, limit: 20, unit: 'ms CPU', value: ({ linux }) => p95(linux.requestsMs[feature]) })),
  { name: 'bindings-indexed', limit: 2000, unit: 'ms on 2 cores', value: ({ index }) => onTwoCores(index) },
  { name: 'bindings-index-read', limit: 150, unit: 'ms CPU', value: ({ indexRead }) => indexRead.cpuMs },
  { name: 'memory', limit: 200, unit: 'MB', value: ({ linux }) => linux.memoryMb },
];

/** What is told beside the bars: how long reading took on the machine as it was, and the processor time of all threads together. */
export const ASIDE: readonly Row[] = [
  { name: 'bindings-indexed-wall', limit: 2000, unit: 'ms', value: ({ index }) => index.wallMs },
  { name: 'bindings-indexed-cpu', limit: 2000 * CORES, unit: 'ms CPU', value: ({ index }) => index.cpuMs },
];

/** The middle of each kind of edit. */
const KIND_ROWS: readonly Row[] = Object.entries({ ...EDIT_KINDS, ...WIDE_KINDS, ...HEADER_KINDS })
  .map(([kind]) => ({ name: `edit-${kind.replace(/[^a-z\d]+/g, '-')}`, limit: kind in EDIT_KINDS ? 40 : WIDE_LIMIT, unit: 'ms CPU', value: ({ plain }) => quantile(plain.kindsMs[kind] ?? [], 0.5) }));

/** Runs sessions in rounds; the middle value counts. */
export async function measureDeviceTrees(commandFile: string, rounds: number): Promise<(Figure | Unmeasured)[]> {
  try {
    const seen: Round[] = [];
    for (let round = 0; round < rounds; round++) seen.push(await runRound(commandFile, EDITS));
    return [...ROWS, ...ASIDE, ...KIND_ROWS].map(({ name, unit, limit, value }) => againstLimit(`devicetree/${name}`, median(seen.map(value)), unit, limit));
  } catch (error) {
    return [{ name: 'devicetree', reason: error instanceof Error ? error.message : String(error) }];
  }
}

/** One round, each step in a process of its own. */
export async function runRound(commandFile: string, edits: number): Promise<Round> {
  const home = mkdtempSync(join(tmpdir(), 'gunyah-bench-home-'));
  try {
    const cache = join(home, '.cache', 'gunyah-debug', 'bindings');
    const [index, indexRead] = [runIndex(commandFile, cache), runIndex(commandFile, cache)];
    const plain = await runSession({ commandFile, home, edits, kinds: Math.ceil(edits / EDITS_A_KIND), settings: { bindings: [join(home, 'none')] }, isDone: ({ codes }) => codes.length > 0 });
    const linux = await runSession({ commandFile, home, edits, kinds: 0, isDone: ({ codes }) => codes.some(isOfBinding) });
    return { plain, linux, index, indexRead };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Reads Linux's bindings; our own, and the program of the threads, are those beside the command. */
function runIndex(commandFile: string, cache: string): IndexTimes {
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-bench-'));
  try {
    const bundle = join(folder, 'index.js');
    buildSync({ entryPoints: [resolve(__dirname, 'binding-index-run.ts')], outfile: bundle, bundle: true, platform: 'node', target: 'node20', mainFields: ['module', 'main'], define: { __dirname: JSON.stringify(dirname(commandFile)) }, logLevel: 'error' });
    const run = spawnSync(process.execPath, [bundle, join(linuxSources(), 'Documentation/devicetree/bindings'), cache], { encoding: 'utf8', timeout: TIMEOUT_MS });
    if (run.status !== 0) throw new Error(`Reading bindings ended with ${String(run.status)}: ${run.stderr.slice(-1000)}`);
    const times: IndexTimes = JSON.parse(run.stdout);
    return times;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Plan {
  readonly commandFile: string;
  readonly home: string;
  readonly edits: number;
  /** How many edits of each kind are made. */
  readonly kinds: number;
  readonly settings?: object;
  readonly isDone: (session: ServerSession) => boolean;
}

async function runSession({ edits, kinds, isDone, ...plan }: Plan): Promise<SessionTimes> {
  const folder = linuxSources();
  if (!existsSync(join(folder, BOARD))) throw new Error(`There is no ${BOARD} in ${folder}.`);
  const session = await ServerSession.start({ ...plan, folder, file: BOARD });
  try {
    const { cpuMs: startMs } = await session.use();
    const openMs = await session.open(isDone);
    const diagnosticsCount = session.codes.length;
    const each = async (measure: (index: number) => Promise<number>): Promise<number[]> => {
      const times: number[] = [];
      for (let index = 0; index < edits; index++) times.push(await measure(index));
      return times;
    };
    const editsMs = await each((index) => session.edit(index));
    const requestsMs: Record<string, readonly number[]> = {};
    for (const feature of FEATURES) requestsMs[feature] = await each((index) => session.ask(feature, index));
    const editIncluded = await session.openIncluded(INCLUDED);
    const includedEditsMs = await each((index) => editIncluded(index));
    const { memoryMb, peakMemoryMb } = await session.use();
    const kindsMs = kinds === 0 ? {} : { ...await editByKinds(session, INCLUDED, { table: { ...EDIT_KINDS, ...WIDE_KINDS }, count: kinds }), ...await editByKinds(session, HEADER, { table: HEADER_KINDS, count: kinds }) };
    return { startMs, openMs, editsMs, includedEditsMs, kindsMs, requestsMs, memoryMb, peakMemoryMb, diagnosticsCount };
  } finally {
    await session.end();
  }
}

/** Makes so many edits of each kind in a file, and undoes each. */
async function editByKinds(session: ServerSession, file: string, { table, count }: { readonly table: Readonly<Record<string, EditKind>>; readonly count: number }): Promise<Record<string, readonly number[]>> {
  const { text, change } = await session.openForChanges(file);
  const times: Record<string, readonly number[]> = {};
  for (const [kind, changesOf] of Object.entries(table)) {
    const ofKind: number[] = [];
    for (let index = 0; index < count; index++) for (const one of changesOf(text, index)) ofKind.push(await change(one));
    times[kind] = ofKind;
  }
  return times;
}

/** The value that this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

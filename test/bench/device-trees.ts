/**
 * How quick the language server of device trees is: processor time of one bundled session in a fresh process, on a board of Linux 6.12 with
 * fifty included files. Besides the server it holds the client's share of the work.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

import { linuxSources } from '../devicetree/linux/sources';
import type { SessionTimes } from './device-tree-session';
import { againstLimit, type Figure, type Unmeasured } from './figure';

const BOARD = 'arch/arm64/boot/dts/qcom/sm8550-mtp.dts';
const EDITS = 100;
const LIMITS = { openMs: 150, editMs: 40, requestMs: 20 } as const;
const TIMEOUT_MS = 120_000;

/** Runs sessions; the best of all rounds counts, as noise only ever adds. */
export function measureDeviceTrees(rounds: number): (Figure | Unmeasured)[] {
  try {
    const runs = Array.from({ length: rounds }, () => runSession(BOARD, { edits: EDITS }));
    const best = (value: (times: SessionTimes) => number): number => Math.min(...runs.map(value));
    return [
      againstLimit('devicetree/open', best(({ openMs }) => openMs), 'ms CPU', LIMITS.openMs),
      againstLimit('devicetree/edit-p95', best(({ editsMs }) => quantile(editsMs, 0.95)), 'ms CPU', LIMITS.editMs),
      ...['completion', 'hover', 'definition'].map((name) => againstLimit(`devicetree/${name}-p95`, best(({ requestsMs }) => quantile(requestsMs[name] ?? [], 0.95)), 'ms CPU', LIMITS.requestMs)),
    ];
  } catch (error) {
    return [{ name: 'devicetree', reason: error instanceof Error ? error.message : String(error) }];
  }
}

/** One session of the bundled server on a file of Linux's sources. */
export function runSession(file: string, { edits, settings = {} }: { readonly edits: number; readonly settings?: object }): SessionTimes {
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-bench-'));
  try {
    const bundle = join(folder, 'session.js');
    buildSync({ entryPoints: [resolve(__dirname, 'device-tree-session.ts')], outfile: bundle, bundle: true, platform: 'node', target: 'node20', mainFields: ['module', 'main'], logLevel: 'error' });
    const sources = linuxSources();
    if (!existsSync(join(sources, file))) throw new Error(`There is no ${file} in ${sources}.`);
    const run = spawnSync(process.execPath, [bundle, sources, file, String(edits), JSON.stringify(settings), join(folder, 'times.json')], { encoding: 'utf8', timeout: TIMEOUT_MS });
    if (run.status !== 0) throw new Error(`The session ended with ${String(run.status)}: ${run.stderr.slice(-1000)}`);
    return timesOf(readFileSync(join(folder, 'times.json'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function timesOf(text: string): SessionTimes {
  return JSON.parse(text) as SessionTimes;
}

/** The value that this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * How quick the debug adapter feels: F5 to the first stop, a step, a step back over a long history, what recording costs, and how
 * much memory two VMs take. Measured from outside, by DAP over the stdio of `gunyah dap`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { LaunchArguments } from '../../debug-adapter/protocol/launch';
import { type AdapterProcess, type SessionSetup, startAdapter, startSession } from '../support/dap-client';
import { guestElfs, sampleElf, sampleFolder } from '../support/guest-build';
import { type Figure, type Unmeasured, againstLimit, median } from './figure';

const FIRST_STOP_LIMIT_MS = 1000;
const STEP_LIMIT_MS = 30;
const STEP_BACK_LIMIT_MS = 300;
const HISTORY_INSTRUCTIONS = 100_000_000;
const RECORDING_LIMIT_PERCENT = 10;
const MEMORY_LIMIT_MB = 300;
const STEP_COUNT = 20;
const STEP_BACK_COUNT = 5;
const RECORDING_ROUNDS = 3;
const LONG_TIMEOUT_MS = 120_000;

const now = (): number => performance.now();

function sampleSession(): SessionSetup {
  sampleElf('primary');
  sampleElf('sensor');
  return { launch: { system: join(sampleFolder(), 'two-vms.gunyah.json') }, functionBreakpoints: [{ name: 'hvc:msgqueue_send' }] };
}

function kernelLaunch(name: string): LaunchArguments {
  return { program: guestElfs('kernels', [name]).get(name) ?? '' };
}

async function withAdapter<T>(commandFile: string, use: (adapter: AdapterProcess) => Promise<T>): Promise<T> {
  const adapter = startAdapter(commandFile);
  try {
    return await use(adapter);
  } finally {
    await adapter.stop();
  }
}

/** From the start of the adapter's process to the first `stopped` event of the sample system. */
async function firstStop(commandFile: string): Promise<Figure> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = now();
    await withAdapter(commandFile, async ({ client }) => {
      await startSession(client, sampleSession());
      await client.waitForStop();
      times.push(now() - start);
    });
  }
  return againstLimit('adapter/first-stop', median(times), 'ms', FIRST_STOP_LIMIT_MS);
}

/** A source step, with the stack trace that the editor asks for at each stop. */
async function steps(commandFile: string): Promise<Figure> {
  return withAdapter(commandFile, async ({ client }) => {
    await startSession(client, sampleSession());
    const threadId = (await client.waitForStop()).threadId ?? 1;
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const times: number[] = [];
    for (let i = 0; i < STEP_COUNT; i++) {
      const start = now();
      await client.request('next', { threadId });
      await client.waitForStop();
      await client.request('stackTrace', { threadId, levels: 20 });
      times.push(now() - start);
    }
    return againstLimit('adapter/step', median(times), 'ms', STEP_LIMIT_MS);
  });
}

/** Runs until there are 100 M instructions of history, then steps back by lines and to the beginning of it. */
async function stepBack(commandFile: string): Promise<Figure[]> {
  return withAdapter(commandFile, async ({ client }) => {
    await startSession(client, { launch: { ...kernelLaunch('xorshift'), stopOnEntry: true } });
    const threadId = (await client.waitForStop()).threadId ?? 1;
    await client.request('continue', { threadId });
    for (;;) {
      const { now: tick } = await client.request('gunyah/timeline', {});
      if (tick >= HISTORY_INSTRUCTIONS) break;
      await new Promise((wake) => { setTimeout(wake, 20); });
    }
    await client.request('pause', { threadId });
    await client.waitForStop();
    const times: number[] = [];
    for (let i = 0; i < STEP_BACK_COUNT; i++) {
      const start = now();
      await client.request('stepBack', { threadId });
      await client.waitForStop();
      times.push(now() - start);
    }
    const start = now();
    await client.request('gunyah/seek', { tick: HISTORY_INSTRUCTIONS / 2 });
    const seekMs = now() - start;
    return [
      againstLimit('adapter/step-back-100M', median(times), 'ms', STEP_BACK_LIMIT_MS),
      againstLimit('adapter/seek-50M-back', seekMs, 'ms', STEP_BACK_LIMIT_MS),
    ];
  });
}

/** Seconds from the start to the end of a kernel under the adapter. */
async function runToEnd(commandFile: string, launch: LaunchArguments): Promise<number> {
  return withAdapter(commandFile, async ({ client, process: child }) => {
    const before = cpuSeconds(child.pid);
    await startSession(client, { launch });
    await client.waitForEvent('terminated', () => true, LONG_TIMEOUT_MS);
    return cpuSeconds(child.pid) - before;
  });
}

async function recording(commandFile: string): Promise<Figure> {
  const costs = { on: Number.POSITIVE_INFINITY, off: Number.POSITIVE_INFINITY };
  for (let round = 0; round < RECORDING_ROUNDS; round++) {
    costs.off = Math.min(costs.off, await runToEnd(commandFile, { ...kernelLaunch('mix'), reverse: false }));
    costs.on = Math.min(costs.on, await runToEnd(commandFile, { ...kernelLaunch('mix'), reverse: true }));
  }
  return againstLimit('adapter/recording', (costs.on / costs.off - 1) * 100, '%', RECORDING_LIMIT_PERCENT);
}

async function memory(commandFile: string): Promise<Figure> {
  return withAdapter(commandFile, async ({ client, process: child }) => {
    await startSession(client, { launch: { system: join(sampleFolder(), 'two-vms.gunyah.json') }, functionBreakpoints: [{ name: 'vm:exit' }] });
    await client.waitForStop();
    return againstLimit('adapter/memory', residentMb(child.pid), 'MB', MEMORY_LIMIT_MB);
  });
}

/** Peak resident memory of a process, from Linux's /proc. */
function residentMb(pid: number | undefined): number {
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** Processor time of a process so far: fields 14 and 15 of /proc/PID/stat, in hundredths of a second. */
function cpuSeconds(pid: number | undefined): number {
  const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** All rows; one that fails is reported with its reason and does not stop the others. */
export async function measureAdapter(commandFile: string): Promise<(Figure | Unmeasured)[]> {
  const rows: readonly (readonly [string, (file: string) => Promise<Figure | Figure[]>])[] = [
    ['adapter/first-stop', firstStop], ['adapter/step', steps], ['adapter/step-back-100M', stepBack],
    ['adapter/recording', recording], ['adapter/memory', memory],
  ];
  const results: (Figure | Unmeasured)[] = [];
  for (const [name, measure] of rows) {
    try {
      results.push(...[await measure(commandFile)].flat());
    } catch (error) {
      results.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return results;
}

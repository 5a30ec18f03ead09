/**
 * Speed of the engine: processor time of six integer kernels, with and without the MMU, of what costs much, and of two programs like the usual benchmarks, on our machine and on QEMU with exact
 * instruction counting, the same ELF files, alternating in one run, each less what an empty program costs.
 */
import { spawnSync } from 'node:child_process';

import { guestElfs, guestNames } from '../support/guest-build';
import { measureCpuTime } from './cpu-time';
import { type Figure, type Unmeasured, geometricMean } from './figure';

const QEMU = ['qemu-system-aarch64', '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '256', '-nographic', '-no-reboot', '-nic', 'none', '-icount', 'shift=0'];
const RIVAL = 'qemu-system-aarch64 -icount shift=0';
const TIMEOUT_MS = 120_000;
const EMPTY = 'empty';
const SECONDS_MIN = 0.001;
const GOAL = 0.35;
const PROGRAM_GOAL = 0.3;
const WITH_MMU = '-mmu';
const NANOSECONDS = 1e9;
/** Programs that repeat one thing, and how often: a TLB miss, an exception from EL0 to EL1 with its return, a device access. */
const COSTS: ReadonlyMap<string, number> = new Map([['tlb-miss', 20_000_000], ['exception', 2_000_000], ['device', 2_000_000]]);

interface Machine { readonly name: 'ours' | 'qemu'; command(elf: string): readonly string[] }

/** Seconds for each kernel: the best of all rounds, as noise only ever adds. */
type Times = Map<string, number>;

/** Measures `rounds` times each; `commandFile` is the bundled `gunyah` command. */
export function measureKernels(commandFile: string, rounds: number): (Figure | Unmeasured)[] {
  const kernels = guestNames('kernels');
  const programs = guestNames('benchmarks');
  const names = [...kernels, ...programs];
  const elfs = new Map([...guestElfs('kernels', kernels), ...guestElfs('benchmarks', programs)]);
  const machines: readonly Machine[] = [
    { name: 'ours', command: (elf) => [process.execPath, commandFile, 'run', elf, '--json'] },
    { name: 'qemu', command: (elf) => [...QEMU, '-kernel', elf] },
  ];
  if (spawnSync('qemu-system-aarch64', ['--version']).status !== 0) {
    return [{ name: 'kernels', reason: 'qemu-system-aarch64 is not installed (Debian: apt-get install qemu-system-arm)' }];
  }
  const best = { ours: new Map<string, number>(), qemu: new Map<string, number>() };
  for (let round = 0; round < rounds; round++) {
    for (const name of names) measureRound(name, elfs.get(name) ?? '', machines, best);
  }
  const integer = kernels.filter((name) => name !== EMPTY && !COSTS.has(name));
  return [
    ...compare(integer.filter((name) => !name.endsWith(WITH_MMU)), 'kernels', best), ...compare(integer.filter((name) => name.endsWith(WITH_MMU)), 'kernels-mmu', best),
    startUp(best), ...costs(best), ...programs.map((name) => figureOf({ name: `program/${name}`, goal: PROGRAM_GOAL }, name, best)),
  ];
}

/** Runs one kernel on both machines, which must print the same checksum. */
function measureRound(name: string, elf: string, machines: readonly Machine[], best: Readonly<Record<Machine['name'], Times>>): void {
  const checksums = machines.map((machine) => {
    const run = measureCpuTime(machine.command(elf), TIMEOUT_MS);
    const checksum = /checksum 0x[0-9a-f]{8}/.exec(run.output)?.[0];
    if (checksum === undefined) throw new Error(`${name} on ${machine.name} did not end well (status ${String(run.status)}):\n${run.output.slice(-1000)}`);
    best[machine.name].set(name, Math.min(run.seconds, best[machine.name].get(name) ?? Number.POSITIVE_INFINITY));
    return checksum;
  });
  if (new Set(checksums).size !== 1) throw new Error(`${name} computes different checksums: ${checksums.join(', ')}`);
}

/** A program's times less those of the empty one, beside what is wanted of them. */
function figureOf(row: { readonly name: string; readonly goal?: number }, program: string, best: Readonly<Record<Machine['name'], Times>>): Figure {
  const net = (times: Times): number => Math.max(SECONDS_MIN, (times.get(program) ?? 0) - (times.get(EMPTY) ?? 0));
  const [ours, theirs] = [net(best.ours), net(best.qemu)];
  const wanted = row.goal === undefined ? '' : `, wanted ${String(row.goal)}`;
  return { name: row.name, value: ours, unit: 's CPU', against: theirs, rival: `${RIVAL}${wanted}`, ratio: theirs / ours };
}

type Best = Readonly<Record<Machine['name'], Times>>;

function compare(names: readonly string[], group: string, best: Best): Figure[] {
  const figures = names.map((name): Figure => figureOf({ name: `kernel/${name}` }, name, best));
  const mean = geometricMean(figures.map((figure) => figure.ratio));
  return [...figures, { name: `${group}/geomean`, value: mean, unit: 'x QEMU', against: 1, rival: `${RIVAL}, wanted ${String(GOAL)}`, ratio: mean }];
}

function startUp(best: Best): Figure {
  return { name: 'kernel/empty', value: best.ours.get(EMPTY) ?? 0, unit: 's CPU', against: best.qemu.get(EMPTY) ?? 0, rival: RIVAL, ratio: (best.qemu.get(EMPTY) ?? 0) / (best.ours.get(EMPTY) ?? 1) };
}

/** Processor time per operation, with the few instructions of the loop around it. */
function costs(best: Best): Figure[] {
  const each = (times: Times, name: string, count: number): number => Math.max(SECONDS_MIN, (times.get(name) ?? 0) - (times.get(EMPTY) ?? 0)) / count * NANOSECONDS;
  return [...COSTS].map(([name, count]): Figure => {
    const [ours, theirs] = [each(best.ours, name, count), each(best.qemu, name, count)];
    return { name: `cost/${name}`, value: ours, unit: 'ns', against: theirs, rival: RIVAL, ratio: ours / theirs };
  });
}


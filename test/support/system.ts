/**
 * Whole systems for tests: the sample with two VMs and each fixture guest, read and compiled once, powered on as often as wanted.
 * Nothing here runs anything; tests drive what they get.
 */
import assert from 'node:assert/strict';
import { resolveSystem, resolveSystemFile, systemOfProgram } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { createSystem, DebugTarget, elfSections, loadSymbols, ok, parseElf, ticks, VmSymbols, type DebugTargetOptions, type Job, type StopReport, type System, type SystemDescription } from '../../runtime/index';
import { buildElf } from '../images/elf-builder';
import { guestElf, sampleSystemFile } from './guest-build';

/** A system that can be powered on again and again. */
export interface Subject {
  readonly name: string;
  readonly description: SystemDescription;
  readonly symbols: readonly { readonly vm: string; readonly path: string; readonly bytes: Uint8Array }[];
}

const OPTIONS = { semihosting: true } as const;

/** A sample; without a name, the one of a primary VM and a sensor VM that the Resource Manager builds. */
export async function sampleSubject(name: Parameters<typeof sampleSystemFile>[0] = 'two-vms'): Promise<Subject> {
  const resolved = await resolveSystemFile(nodeHost, sampleSystemFile(name), OPTIONS);
  assert.ok(resolved.ok, 'the sample is readable');
  return { name, ...resolved.value };
}

/** A fixture guest alone. */
export async function guestSubject(name: string): Promise<Subject> {
  return programsSubject([name]);
}

/** A primary VM alone, made of an ELF file. */
export async function elfSubject(name: string, elf: string): Promise<Subject> {
  const resolved = await resolveSystem(nodeHost, systemOfProgram(elf), { ...OPTIONS, folder: '/' });
  assert.ok(resolved.ok, `${elf} is readable`);
  return { name, ...resolved.value };
}

/** One bare program of machine words at 0x40200000; everything around it is zero. */
export async function wordsSubject(words: readonly number[]): Promise<Subject> {
  const resolved = await resolveSystem({ ...nodeHost, readFile: () => Promise.resolve(ok(wordsElf(words))) }, systemOfProgram('/words.elf'), { ...OPTIONS, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name: 'words', ...resolved.value };
}

/** The ELF file of such a program. */
export function wordsElf(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  return buildElf({ entry: 0x4020_0000n, segments: [{ type: 1, flags: 5, address: 0x4020_0000n, bytes, memorySize: BigInt(bytes.length) }] });
}

/** Fixture guests side by side: the first is the primary VM, the others start with the system. */
export async function programsSubject(names: readonly string[], cpus?: number): Promise<Subject> {
  const [first = '', ...others] = names.map(guestElf);
  const alone = systemOfProgram(first);
  const secondaries = others.map((image, index) => ({ image, name: `vm${index + 1}`, autostart: true, memory: { base: '0x41000000', size: '8M' } }));
  const system = { ...alone, vms: [...alone.vms, ...secondaries], ...(cpus === undefined ? {} : { platform: { cpus } }) };
  const resolved = await resolveSystem(nodeHost, system, { ...OPTIONS, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name: names.join('+'), ...resolved.value };
}

/** Powers on. */
export function powerOn({ description }: Subject): System {
  const system = createSystem(description);
  assert.ok(system.ok, system.ok ? '' : system.error.map(({ message }) => message).join('\n'));
  return system.value;
}

/** Powers on under a debugger. */
export function debug(subject: Subject, options: DebugTargetOptions = { history: {} }): DebugTarget {
  return new DebugTarget(powerOn(subject), options);
}

/** Symbols of one VM of a target. */
export function symbolsOf(subject: Subject, target: DebugTarget, vm: string): VmSymbols {
  const symbols = new VmSymbols(target.system);
  for (const file of subject.symbols) {
    if (file.vm !== vm) continue;
    const elf = parseElf(file.bytes, file.path);
    const loaded = elf.ok ? loadSymbols(elfSections(elf.value), { name: file.path }) : elf;
    assert.ok(loaded.ok, 'a fixture has symbols');
    symbols.add(loaded.value);
  }
  return symbols;
}

/** Drives a job to its end; it never pauses. */
export function finish(job: Job): StopReport {
  for (let slices = 0; slices < 100_000; slices++) {
    const step = job.next(false);
    if (step.done === true) return step.value;
    assert.ok(step.value.idle !== true, 'the system waits for input that never comes');
  }
  throw new Error('the job does not end');
}

/** Runs on to a time or to the end of the run. */
export function runTo(system: System, tick: number): void {
  while (system.now < tick) {
    const stop = system.run({ until: ticks(tick) });
    if (stop.kind === 'power' || stop.kind === 'exit' || stop.kind === 'idle') return;
  }
}

/** `gunyah run`: a system from power-on to power-off, without an editor. */

import { createWriteStream, writeSync, type WriteStream } from 'node:fs';
import { resolveSystem, resolveSystemFile, systemOfProgram, type ResolvedSystem } from '../debug-adapter/configuration/resolve';
import { nodeHost } from '../debug-adapter/node-host';
import { createSystem, ticks, type Diagnostic, type Result, type Stop, type System } from '../runtime/index';
import { numberOption, pairsOption, parseArguments, type ParsedArguments } from './arguments';
import { traceRow } from '../debug-adapter/trace-row';

const OPTIONS = {
  'max-instructions': { takesValue: true },
  timeout: { takesValue: true },
  trace: { takesValue: true },
  'trace-format': { takesValue: true },
  console: { takesValue: true, repeats: true },
  input: { takesValue: true, repeats: true },
  tier: { takesValue: true },
  json: { takesValue: false },
} as const;

const EXIT_USAGE = 2;
const EXIT_FAULT = 3;
const EXIT_LIMIT = 4;
const SLICE_TICKS = 20_000_000;

/** How a run is to be done. */
interface RunPlan {
  readonly target: string;
  readonly maxInstructions: number;
  readonly timeoutSeconds: number;
  readonly trace: string | undefined;
  readonly consoles: ReadonlyMap<string, string>;
  readonly inputs: ReadonlyMap<string, string>;
  readonly tier: 'exact' | 'fast';
  readonly json: boolean;
}

/** Runs; the exit status. */
export async function runCommand(words: readonly string[]): Promise<number> {
  const parsed = parseArguments(words, OPTIONS);
  const plan = typeof parsed === 'string' ? parsed : planOf(parsed);
  if (typeof plan === 'string') return complain(plan);
  const resolved = await resolveTarget(plan.target);
  if (!resolved.ok) return complain(resolved.error.map(describe).join('\n'));
  for (const warning of resolved.value.warnings) process.stderr.write(`${describe(warning)}\n`);
  const system = createSystem(resolved.value.description);
  if (!system.ok) return complain(system.error.map(describe).join('\n'));
  const inputs = await readInputs(system.value, plan.inputs);
  if (inputs !== undefined) return complain(inputs);
  system.value.setTier(plan.tier);
  return new Runner(system.value, plan).run();
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return EXIT_USAGE;
}

function planOf(parsed: ParsedArguments): RunPlan | string {
  const [target, ...more] = parsed.positional;
  if (target === undefined || more.length > 0) return 'Give exactly one target: an ELF file, an arm64 Image or a system file.';
  const maxInstructions = numberOption(parsed, 'max-instructions', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const timeout = numberOption(parsed, 'timeout', { min: 0.001, max: 1e9 });
  const [consoles, inputs] = [pairsOption(parsed, 'console'), pairsOption(parsed, 'input')];
  const format = parsed.options.get('trace-format')?.[0] ?? 'jsonl';
  const tier = parsed.options.get('tier')?.[0] ?? 'auto';
  for (const problem of [maxInstructions, timeout, consoles, inputs]) if (typeof problem === 'string') return problem;
  if (typeof maxInstructions === 'string' || typeof timeout === 'string' || typeof consoles === 'string' || typeof inputs === 'string') return 'Bad option.';
  if (format !== 'jsonl') return `--trace-format: "${format}" is not available; use jsonl.`;
  if (!['interpreter', 'jit', 'auto'].includes(tier)) return `--tier: "${tier}" is none of interpreter, jit, auto.`;
  return { target, maxInstructions: maxInstructions ?? Number.POSITIVE_INFINITY, timeoutSeconds: timeout ?? Number.POSITIVE_INFINITY, trace: parsed.options.get('trace')?.[0], consoles, inputs, tier: 'fast', json: parsed.options.has('json') };
}

async function resolveTarget(target: string): Promise<Result<ResolvedSystem, readonly Diagnostic[]>> {
  const path = nodeHost.resolvePath('.', target);
  const options = { semihosting: true };
  if (path.endsWith('.json')) return resolveSystemFile(nodeHost, path, options);
  return resolveSystem(nodeHost, systemOfProgram(path), { ...options, folder: nodeHost.folderOf(path) });
}

async function readInputs(system: System, inputs: ReadonlyMap<string, string>): Promise<string | undefined> {
  for (const [vm, path] of inputs) {
    const index = system.consoles.findIndex((console) => console.vm === vm);
    if (index < 0) return `--input: there is no VM "${vm}".`;
    const read = await nodeHost.readFile(nodeHost.resolvePath('.', path));
    if (!read.ok) return `Cannot read ${path}: ${read.error}.`;
    system.writeConsole(index, read.value);
  }
  return undefined;
}

/** One problem as compilers print it. */
function describe({ file, line, column, severity, message }: Diagnostic): string {
  const where = file === undefined || message.includes(file) ? '' : line === undefined ? `${file}: ` : `${file}:${line}:${column ?? 1}: `;
  return `${where}${severity}: ${message}`;
}

/** Drives one run and shows what it prints. */
class Runner {
  private readonly system: System;
  private readonly plan: RunPlan;
  private readonly files = new Map<string, WriteStream>();
  private readonly lineStarts = new Map<string, boolean>();
  private readonly trace: WriteStream | undefined;
  private traced = 0;

  constructor(system: System, plan: RunPlan) {
    this.system = system;
    this.plan = plan;
    this.trace = plan.trace === undefined ? undefined : createWriteStream(plan.trace);
    for (const [vm, path] of plan.consoles) this.files.set(vm, createWriteStream(path));
  }

  async run(): Promise<number> {
    const started = performance.now();
    let stop: Stop | undefined;
    while (stop === undefined) {
      const left = this.plan.maxInstructions - this.system.retired;
      const ended = this.system.run({ until: ticks(this.system.now + Math.min(SLICE_TICKS, Math.max(1, left))) });
      this.show();
      if (ended.kind !== 'limit' && ended.kind !== 'breakpoint' && ended.kind !== 'exception') stop = ended;
      else if (this.system.retired >= this.plan.maxInstructions || performance.now() - started > this.plan.timeoutSeconds * 1000) stop = ended;
    }
    const wallSeconds = (performance.now() - started) / 1000;
    const code = this.exitCode(stop);
    this.finishLines();
    if (this.plan.json) this.summary(wallSeconds, code, stop);
    await Promise.all([...this.files.values(), ...(this.trace === undefined ? [] : [this.trace])].map((file) => new Promise((done) => { file.end(done); })));
    return code;
  }

  private exitCode(stop: Stop): number {
    switch (stop.kind) {
      case 'power': return stop.action === 'off' ? 0 : EXIT_FAULT;
      case 'exit': return stop.code;
      case 'idle':
        process.stderr.write('Every vCPU waits for an interrupt that nothing will raise.\n');
        return EXIT_LIMIT;
      default:
        process.stderr.write('A limit was reached before the guests ended.\n');
        return EXIT_LIMIT;
    }
  }

  private show(): void {
    for (const { vm, transcript } of this.system.consoles) {
      const bytes = transcript.drain();
      if (bytes.length === 0) continue;
      const file = this.files.get(vm);
      if (file !== undefined) file.write(bytes);
      else writeAll(this.system.consoles.length > 1 ? this.prefixed(vm, bytes) : bytes);
    }
    if (this.trace === undefined) return;
    const { trace } = this.system;
    for (; this.traced < trace.end; this.traced++) {
      const event = trace.at(this.traced);
      if (event !== undefined) this.trace.write(`${JSON.stringify(traceRow(event, this.system.vmName(event.vmid)))}\n`);
    }
  }

  /** Each line of a VM begins with its name; a line of another VM in between is not broken into. */
  private prefixed(vm: string, bytes: Uint8Array): Uint8Array {
    const text = new TextDecoder().decode(bytes).replaceAll('\r\n', '\n');
    const atStart = this.lineStarts.get(vm) ?? true;
    this.lineStarts.set(vm, text.endsWith('\n'));
    const lines = text.split('\n').map((line, index) => ((index === 0 && !atStart) || (index > 0 && line === '' && text.endsWith('\n')) ? line : `[${vm}] ${line}`));
    return new TextEncoder().encode(lines.join('\n'));
  }

  private finishLines(): void {
    if ([...this.lineStarts.values()].some((complete) => !complete)) writeAll(new TextEncoder().encode('\n'));
  }

  private summary(wallSeconds: number, code: number, stop: Stop): void {
    const instructions = this.system.retired;
    process.stdout.write(`${JSON.stringify({
      instructions,
      ticks: this.system.now,
      stateHash: this.system.stateHash(),
      vms: this.system.vmSummaries(),
      stop: stop.kind,
      exitCode: code,
      wallSeconds: Number(wallSeconds.toFixed(6)),
      mips: Number((instructions / wallSeconds / 1e6).toFixed(3)),
    })}\n`);
  }
}

/** Writes to standard output without a queue, so that nothing is lost at exit and memory stays small. */
function writeAll(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (problem) {
      if (typeof problem === 'object' && problem !== null && 'code' in problem && problem.code === 'EAGAIN') continue;
      return;
    }
  }
}

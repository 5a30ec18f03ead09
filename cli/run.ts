/** `gunyah run`: a system from power-on to power-off, without an editor. */

import { nodeHost } from '../debug-adapter/node-host';
import { TRACE_FORMATS, type TraceFormat } from '../debug-adapter/trace-export/writer';
import { createSystem, type System } from '../runtime/index';
import { numberOption, pairsOption, parseArguments, type ParsedArguments } from './arguments';
import { Output } from './output';
import { Runner, type RunnerPlan } from './runner';
import { describe, resolveTarget } from './target';

const OPTIONS = {
  'max-instructions': { takesValue: true },
  timeout: { takesValue: true },
  trace: { takesValue: true },
  'trace-format': { takesValue: true },
  'dump-trace': { takesValue: true },
  console: { takesValue: true, repeats: true },
  input: { takesValue: true, repeats: true },
  tier: { takesValue: true },
  json: { takesValue: false },
} as const;

const EXIT_USAGE = 2;
const TIERS = ['interpreter', 'jit', 'auto'];

/** How a run is to be done. */
interface RunPlan {
  readonly target: string;
  readonly maxInstructions: number;
  readonly timeoutSeconds: number;
  readonly trace: string | undefined;
  readonly traceFormat: TraceFormat;
  readonly dump: string | undefined;
  readonly consoles: ReadonlyMap<string, string>;
  readonly inputs: ReadonlyMap<string, string>;
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
  const outputs = typeof inputs === 'string' ? inputs : openOutputs(system.value, plan);
  if (typeof inputs === 'string' || typeof outputs === 'string') return complain(typeof inputs === 'string' ? inputs : String(outputs));
  return new Runner(system.value, { ...plan, ...outputs, inputs, symbols: resolved.value.symbols }).run();
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return EXIT_USAGE;
}

function planOf(parsed: ParsedArguments): RunPlan | string {
  const [target, ...more] = parsed.positional;
  if (target === undefined || more.length > 0) return 'Give exactly one target: an ELF file, an arm64 Image or a system file.';
  const maxInstructions = numberOption(parsed, 'max-instructions', { min: 1, max: Number.MAX_SAFE_INTEGER, isWhole: true });
  const timeoutSeconds = numberOption(parsed, 'timeout', { min: 0.001, max: 1e9, isWhole: false });
  const consoles = pairsOption(parsed, 'console');
  const inputs = pairsOption(parsed, 'input');
  if (typeof maxInstructions === 'string') return maxInstructions;
  if (typeof timeoutSeconds === 'string') return timeoutSeconds;
  if (typeof consoles === 'string') return consoles;
  if (typeof inputs === 'string') return inputs;
  const format = parsed.options.get('trace-format')?.[0] ?? 'jsonl';
  const tier = parsed.options.get('tier')?.[0] ?? 'auto';
  const traceFormat = TRACE_FORMATS.find((one) => one === format);
  if (traceFormat === undefined) return `--trace-format: "${format}" is none of ${TRACE_FORMATS.join(', ')}.`;
  if (!TIERS.includes(tier)) return `--tier: "${tier}" is none of ${TIERS.join(', ')}.`;
  return {
    target, consoles, inputs, traceFormat, json: parsed.options.has('json'), trace: parsed.options.get('trace')?.[0], dump: parsed.options.get('dump-trace')?.[0],
    maxInstructions: maxInstructions ?? Number.POSITIVE_INFINITY, timeoutSeconds: timeoutSeconds ?? Number.POSITIVE_INFINITY,
  };
}

async function readInputs(system: System, inputs: ReadonlyMap<string, string>): Promise<Map<number, Uint8Array> | string> {
  const bytes = new Map<number, Uint8Array>();
  for (const [vm, path] of inputs) {
    const index = system.consoles.findIndex((console) => console.vm === vm);
    if (index < 0) return noVm(system, 'input', vm);
    if (system.consoles[index]?.acceptInput === undefined) return `--input: the VM "${vm}" has no UART.`;
    const read = await nodeHost.readFile(nodeHost.resolvePath('.', path));
    if (!read.ok) return `Cannot read ${path}: ${read.error}.`;
    bytes.set(index, read.value);
  }
  return bytes;
}

function openOutputs(system: System, plan: RunPlan): Pick<RunnerPlan, 'consoleFiles' | 'traceFile' | 'dumpFile'> | string {
  const consoleFiles = new Map<string, Output>();
  for (const [vm, path] of plan.consoles) {
    if (!system.consoles.some((console) => console.vm === vm)) return noVm(system, 'console', vm);
    const file = Output.file(path);
    if (typeof file === 'string') return file;
    consoleFiles.set(vm, file);
  }
  const traceFile = plan.trace === undefined ? undefined : Output.file(plan.trace);
  if (typeof traceFile === 'string') return traceFile;
  if (plan.dump !== undefined && system.inspection.traceMemory() === undefined) return '--dump-trace: this machine has no hypervisor.';
  const dumpFile = plan.dump === undefined ? undefined : Output.file(plan.dump);
  return typeof dumpFile === 'string' ? dumpFile : { consoleFiles, traceFile, dumpFile };
}

function noVm(system: System, option: string, vm: string): string {
  return `--${option}: there is no VM "${vm}"; there is ${system.consoles.map((console) => `"${console.vm}"`).join(', ')}.`;
}

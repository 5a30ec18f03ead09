/** Drives one run of `gunyah run`: slices, limits, input, what is printed, and how it ended. */

import type { TraceWriter } from '../debug-adapter/trace-export/format';
import { makeTraceWriter, SystemNames, type TraceFormat } from '../debug-adapter/trace-export/writer';
import { FATAL_REPORTS, ticks, type Stop, type System, type TraceEvent } from '../runtime/index';
import { Prefixer, type Output } from './output';
import { Output as Outputs } from './output';
import { reportVcpus, type ReportSymbols } from './vcpu-report';

/** What a runner needs to know. */
export interface RunnerPlan {
  readonly maxInstructions: number;
  readonly timeoutSeconds: number;
  readonly json: boolean;
  readonly consoleFiles: ReadonlyMap<string, Output>;
  readonly traceFile: Output | undefined;
  readonly traceFormat: TraceFormat;
  /** Takes the hypervisor's own trace at the end. */
  readonly dumpFile: Output | undefined;
  /** Bytes to type, by console. */
  readonly inputs: ReadonlyMap<number, Uint8Array>;
  /** For the report of a run that ended badly. */
  readonly symbols: readonly ReportSymbols[];
}

const EXIT_FAULT = 3;
const EXIT_LIMIT = 4;
/** What shells say of a program that nobody listened to any more. */
const EXIT_NO_READER = 141;
/** Virtual time between two looks at consoles and limits. Fixed, so that input arrives at the same time in every run. */
const SLICE_TICKS = 4_000_000;
const SLICE_EFFORT = 100_000_000;
/** Bytes typed at once; the rest follows as the guest takes them. */
const INPUT_CHUNK = 1024;

/** How a run ended. */
interface End { readonly code: number; readonly message: string | undefined }

type Report = TraceEvent & { readonly event: 'report' };

const STOPPED_MAX = 16;

/** One run. */
export class Runner {
  private readonly system: System;
  private readonly plan: RunnerPlan;
  private readonly standard = Outputs.standard();
  private readonly prefixer = new Prefixer();
  private readonly trace: TraceWriter;
  private readonly typed = new Map<number, number>();
  private fault: Report | undefined;
  /** Reports of vCPUs that the hypervisor stopped for a fault of their own; bounded. */
  private readonly stopped: Report[] = [];
  private hasReader = true;

  constructor(system: System, plan: RunnerPlan) {
    this.system = system;
    this.plan = plan;
    this.trace = makeTraceWriter(plan.traceFormat, new SystemNames(system));
  }

  /** Runs to the end; the exit status. */
  run(): number {
    this.listen();
    const started = performance.now();
    const end = this.drive(started + this.plan.timeoutSeconds * 1000);
    const wallSeconds = (performance.now() - started) / 1000;
    this.standard.write(this.prefixer.finish());
    if (end.message !== undefined) process.stderr.write(`${[...this.stopped.map((report) => this.said(report)), end.message, reportVcpus(this.system, this.plan.symbols)].filter((text) => text !== '').join('\n')}\n`);
    if (this.plan.json) this.standard.write(`${JSON.stringify(this.summary(wallSeconds))}\n`);
    this.plan.traceFile?.write(this.trace.finish());
    this.plan.traceFile?.close();
    this.plan.dumpFile?.write(this.system.inspection.traceMemory() ?? new Uint8Array(0));
    this.plan.dumpFile?.close();
    for (const file of this.plan.consoleFiles.values()) file.close();
    return end.code;
  }

  private listen(): void {
    const { traceFile } = this.plan;
    this.system.trace.onEvent = (event) => {
      if (event.event === 'report' && FATAL_REPORTS.has(event.code)) this.fault ??= event;
      if (event.event === 'report' && event.code === 'vcpu-fault' && this.stopped.length < STOPPED_MAX) this.stopped.push(event);
      traceFile?.write(this.trace.add(event));
    };
    traceFile?.write(this.trace.begin());
    if (traceFile !== undefined) this.system.setExceptionTrace(true);
    this.system.lookOutFor({ addresses: [], watchpoints: [], exceptionClasses: 0n, event: (event) => event.event === 'report' && FATAL_REPORTS.has(event.code) });
  }

  private drive(deadline: number): End {
    let wasIdle = false;
    for (;;) {
      // Only at times that the host's speed has no say in.
      const typed = (wasIdle || this.system.now % SLICE_TICKS === 0) && this.type();
      const until = ticks((Math.floor(this.system.now / SLICE_TICKS) + 1) * SLICE_TICKS);
      const stop = this.system.run({ until, retiredMax: this.plan.maxInstructions, effortMax: SLICE_EFFORT });
      this.show();
      if (!this.hasReader) return { code: EXIT_NO_READER, message: undefined };
      const end = this.endOf(stop, typed || !wasIdle);
      wasIdle = stop.kind === 'idle';
      if (end !== undefined) return end;
      if (performance.now() >= deadline) return { code: EXIT_LIMIT, message: `The guests did not end within ${this.plan.timeoutSeconds} seconds.` };
    }
  }

  private endOf(stop: Stop, mayGoOn: boolean): End | undefined {
    if (this.fault !== undefined) return { code: EXIT_FAULT, message: this.said(this.fault) };
    switch (stop.kind) {
      case 'power': return stop.action === 'off' ? { code: 0, message: undefined } : { code: EXIT_FAULT, message: 'The primary VM reset the platform.' };
      case 'exit': return { code: stop.code, message: undefined };
      case 'idle': return mayGoOn ? undefined : { code: EXIT_LIMIT, message: 'Every vCPU waits for an interrupt that nothing will raise.' };
      default: return this.system.retired >= this.plan.maxInstructions ? { code: EXIT_LIMIT, message: `The limit of ${this.plan.maxInstructions} instructions was reached.` } : undefined;
    }
  }

  private said({ vmid, vcpu, message }: Report): string {
    return `${this.system.vmName(vmid)}${vcpu === undefined ? '' : `, vCPU ${vcpu}`}: ${message}`;
  }

  /** Types what the guests have room for; false if nothing was left or nothing fitted. */
  private type(): boolean {
    let hasTyped = false;
    for (const [index, bytes] of this.plan.inputs) {
      const from = this.typed.get(index) ?? 0;
      if (from >= bytes.length || (this.system.consoles[index]?.waitingInput?.() ?? 0) > 0) continue;
      this.typed.set(index, from + this.system.writeConsole(index, bytes.subarray(from, from + INPUT_CHUNK)));
      hasTyped = true;
    }
    return hasTyped;
  }

  private show(): void {
    for (const { vm, transcript } of this.system.consoles) {
      const bytes = transcript.drain();
      if (bytes.length === 0) continue;
      const file = this.plan.consoleFiles.get(vm);
      if (file !== undefined) file.write(bytes);
      else this.hasReader = this.standard.write(this.system.consoles.length > 1 ? this.prefixer.prefix(vm, Buffer.from(bytes).toString('latin1')) : bytes) && this.hasReader;
    }
  }

  private summary(wallSeconds: number): unknown {
    const { system } = this;
    const instructions = system.retired;
    return {
      instructions,
      stateHash: system.stateHash(),
      vms: system.vmSummaries().map(({ name, vmid, state, exit, instructions: retired }) => ({ name, vmid, state, exit, instructions: retired })),
      wallSeconds: Number(wallSeconds.toFixed(6)),
      mips: Number((instructions / Math.max(wallSeconds, 1e-6) / 1e6).toFixed(3)),
    };
  }
}

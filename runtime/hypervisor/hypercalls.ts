/**
 * The hypercall shell: from registers to a handler and back.
 *
 * Both paths share it: native `HVC #0x6000+n` (arguments from X0, all result registers written, scratch registers cleared, reserved
 * arguments checked) and SMCCC (arguments from X1, only declared results written). The native root VM comes in with named arguments. Order:
 * reserved arguments, early options, capabilities as the call looks at them, object states, then the handler, which validates before it changes.
 */

import { capId, CAP_ID_INVALID, vmid } from '../base/brands';
import type { EventObjects, EventValue, EventValues } from '../base/trace-event';
import type { Vcpu } from '../engine/interface';
import { isInState, lookupsOf, resolve } from './capability-lookup';
import { type ErrorName, ERRORS } from './errors';
import { ARGUMENT_TYPES, type ArgumentType, HYPERCALLS, type Hypercall, type HypercallArguments, type HypercallName, type HypercallOutputs } from './hypercall-table';
import { type AnyArguments, earlyError, errorBeforeState, moreRights } from './hypercall-checks';
import type { CallContext, CallPath } from './hypercall-types';
import { isError } from './hypercall-types';
import { argumentObjects, type CapabilityNames, capabilityNames, resultObjects } from './named-objects';
import { SENSITIVE_CALL } from './trace-formats';
import { IPC_HANDLERS } from './hypercalls-ipc';
import { MEMORY_HANDLERS } from './hypercalls-memory';
import { OBJECT_HANDLERS } from './hypercalls-objects';
import { VCPU_HANDLERS } from './hypercalls-vcpu';
import { VIRTIO_HANDLERS } from './hypercalls-virtio';
import { VRTC_HANDLERS } from './hypercalls-vrtc';
import { WATCHDOG_HANDLERS } from './hypercalls-watchdog';
import type { AnyObject, Kernel } from './kernel';
import type { Thread } from './thread';

/** First HVC immediate of the native path and size of its table. */
export const NATIVE_BASE = 0x6000;
/** Numbers 0x00..0x68 are in the table. */
export const NATIVE_COUNT = 0x69;

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

type AnyHandler = (args: Readonly<Record<string, bigint | number>>, objects: Readonly<Record<string, AnyObject>>, context: CallContext) => unknown;
const HANDLERS: Readonly<Partial<Record<HypercallName, AnyHandler>>> = { ...OBJECT_HANDLERS, ...MEMORY_HANDLERS, ...IPC_HANDLERS, ...VCPU_HANDLERS, ...VIRTIO_HANDLERS, ...VRTC_HANDLERS, ...WATCHDOG_HANDLERS } as unknown as Partial<Record<HypercallName, AnyHandler>>;

/** What the shell knows of one row. */
interface Entry {
  readonly name: HypercallName;
  readonly row: Hypercall;
  readonly handler: AnyHandler | undefined;
  readonly lookups: ReturnType<typeof lookupsOf>;
  readonly capabilities: CapabilityNames;
  /** Arguments that the trace in memory shows. */
  readonly logged: readonly string[];
}

const NAMES = Object.keys(HYPERCALLS) as HypercallName[];
const ENTRIES: ReadonlyMap<HypercallName, Entry> = new Map(NAMES.map((name): [HypercallName, Entry] => {
  const row: Hypercall = HYPERCALLS[name];
  return [name, { name, row, handler: HANDLERS[name], lookups: name === 'memextent_donate' ? [] : lookupsOf(name, row), capabilities: capabilityNames(row), logged: name === SENSITIVE_CALL ? [] : row.inputs.slice(0, 5).filter((input) => input.mustBe === undefined).map((input) => input.name) }];
}));
/** Every call with a number. */
const BY_NUMBER: ReadonlyMap<number, Entry> = new Map([...ENTRIES.values()].flatMap((entry): [number, Entry][] => (entry.row.number === null ? [] : [[entry.row.number, entry]])));

/** The call behind a number, if the platform has it: watchdogs are a setting, all others are in the reference build. */
function entryAt(kernel: Kernel, number: number | null): Entry | undefined {
  const entry = number === null ? undefined : BY_NUMBER.get(number);
  const isOptional = entry?.row.status === 'documented_only' || entry?.row.status === 'not_in_qemu_build';
  return isOptional && !kernel.options.watchdog ? undefined : entry;
}

/** Calls of the reference build that have no handler yet, for the ledger. */
export function notYetHypercalls(): HypercallName[] {
  return NAMES.filter((name) => HYPERCALLS[name].status === 'implemented' && HANDLERS[name] === undefined);
}

/** Results by name; `error` is a name until it goes into a register. */
interface Outcome { readonly error: ErrorName; readonly values: Readonly<Record<string, bigint | number>> }

/** One decoded call. */
interface Call { readonly entry: Entry; readonly args: Readonly<Record<string, bigint | number>>; readonly context: CallContext }

/** A native call: `HVC #(0x6000 + number)` with a number below 0x69. */
export function callNative(kernel: Kernel, thread: Thread, vcpu: Vcpu, number: number): void {
  const entry = entryAt(kernel, number);
  if (entry === undefined) {
    vcpu.setX(0, ALL_ONES);
    vcpu.clearX(1, 7);
    clobberScratch(vcpu);
    if (kernel.tracing) kernel.emit({ event: 'hypercall-unknown', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, number, path: 'native' });
    return;
  }
  const registers = readRegisters(vcpu, 0, entry.row.inputs.length);
  const call: Call = { entry, args: decode(entry.row, registers), context: { kernel, caller: thread, path: 'native' } };
  const outcome = perform(call, reservedError(entry.row, registers));
  if (outcome !== 'later') writeResults(vcpu, entry.row, outcome, 'native');
  else clobberScratch(vcpu);
}

/** An SMCCC call with a hypercall number; false if no such call exists. */
export function callBySmccc(kernel: Kernel, thread: Thread, vcpu: Vcpu, number: number): boolean {
  const entry = entryAt(kernel, number);
  if (entry === undefined) {
    logRegisters(kernel, vcpu, number);
    vcpu.setX(0, ALL_ONES);
    logRegisters(kernel, vcpu);
    if (kernel.tracing) kernel.emit({ event: 'hypercall-unknown', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, number, path: 'smccc' });
    return false;
  }
  const registers = readRegisters(vcpu, 1, entry.row.inputs.length);
  const call: Call = { entry, args: decode(entry.row, registers), context: { kernel, caller: thread, path: 'smccc' } };
  const outcome = perform(call, undefined);
  if (outcome === 'later') return true;
  writeResults(vcpu, entry.row, outcome, 'smccc');
  logLeave(call, outcome);
  return true;
}

/** What a call with these argument registers would be; undefined if there is no such call. Changes nothing. */
export function describeHypercall(kernel: Kernel, number: number, registers: readonly bigint[]): { readonly name: HypercallName; readonly number: number; readonly args: EventValues } | undefined {
  const entry = entryAt(kernel, number);
  return entry === undefined ? undefined : { name: entry.name, number, args: decode(entry.row, registers) };
}

/** A call by the native root VM, with named arguments. Calls that would stop a vCPU answer at once. */
export function callNamed<N extends HypercallName>(kernel: Kernel, thread: Thread, name: N, given: HypercallArguments<N>): HypercallOutputs<N> {
  const entry = ENTRIES.get(name);
  const row: Hypercall = HYPERCALLS[name];
  const values = given as Readonly<Record<string, bigint | number>>;
  const registers = row.inputs.map((input) => input.mustBe ?? BigInt(values[input.name] ?? 0));
  // The root VM has the calls that the open source leaves without numbers too.
  const isPresent = entry !== undefined && (row.number === null ? entry.handler !== undefined : entryAt(kernel, row.number) !== undefined);
  const context: CallContext = { kernel, caller: thread, path: 'program' };
  const outcome = isPresent ? perform({ entry, args: decode(row, registers), context }, undefined) : failure(row, 'UNIMPLEMENTED');
  const { error, values: results } = outcome === 'later' ? failure(row, 'OK') : outcome;
  const named = row.outputs.map(({ name: output, type }): [string, bigint | number] =>
    [output, output === 'error' ? ERRORS[error] : narrow(type, BigInt(results[output] ?? 0))]);
  return Object.fromEntries(named) as unknown as HypercallOutputs<N>;
}

/** Writes the results of a call that completed after it left the shell (vcpu_run). */
export function completeLater(kernel: Kernel, thread: Thread, name: HypercallName, done: { readonly path: 'native' | 'smccc'; readonly values: Readonly<Record<string, bigint | number>> }): void {
  const entry = ENTRIES.get(name);
  if (entry === undefined || thread.engineVcpu === undefined) return;
  const outcome: Outcome = { error: 'OK', values: done.values };
  writeResults(kernel.engine.vcpu(thread.engineVcpu), entry.row, outcome, done.path);
  const call: Call = { entry, args: thread.runArguments ?? {}, context: { kernel, caller: thread, path: done.path } };
  logLeave(call, outcome);
  traceLeave(call, outcome, objectsOf(call));
  thread.runArguments = undefined;
}

function perform(call: Call, reserved: ErrorName | undefined): Outcome | 'later' {
  const objects = objectsOf(call);
  logEnter(call);
  traceEnter(call, objects);
  const outcome = reserved === undefined ? execute(call) : failure(call.entry.row, reserved);
  if (outcome !== 'later') {
    if (call.context.path !== 'smccc') logLeave(call, outcome);
    traceLeave(call, outcome, objects);
  }
  else call.context.caller.runArguments = call.args;
  return outcome;
}

function execute({ entry, args, context }: Call): Outcome | 'later' {
  const { row, handler, name } = entry;
  if (row.status === 'stub') return failure(row, 'UNIMPLEMENTED');
  const objects = earlyError(name, args, context.kernel) ?? lookUp(entry, args, context);
  if (isError(objects)) return failure(row, objects);
  if (row.status === 'no_handler') return failure(row, 'CSPACE_WRONG_OBJECT_TYPE');
  if (handler === undefined) return failure(row, 'UNIMPLEMENTED');
  const answer = handler(args, objects, context);
  if (answer === 'later') return 'later';
  if (typeof answer === 'string') return failure(row, answer as ErrorName);
  const { error = 'OK', ...values } = answer as { readonly error?: ErrorName } & Record<string, bigint | number>;
  return { error, values };
}

/** The objects that a call names, in the order in which it looks at them; the states of those that need not be active come last. */
function lookUp({ lookups, name }: Entry, args: AnyArguments, { caller, kernel }: CallContext): Readonly<Record<string, AnyObject>> | ErrorName {
  const objects: Record<string, AnyObject> = {};
  for (const { input, lookup } of lookups) {
    const { cspace } = caller;
    const rights = (lookup.rights | moreRights(name, args)) >>> 0;
    const object = cspace === undefined ? 'CSPACE_CAP_NULL' : resolve(cspace, capId(BigInt(args[input.name] ?? 0)), { ...lookup, rights });
    if (isError(object)) return object;
    objects[input.name] = object;
  }
  const error = errorBeforeState(name, args, kernel);
  if (error !== undefined) return error;
  const isReady = lookups.every(({ input, lookup }) => isInState(objects[input.name]?.header.state, lookup.state));
  return isReady ? objects : 'OBJECT_STATE';
}

/** An error without results, which are then zero; only the stub that would make a partition answers the invalid capability. */
function failure(row: Hypercall, error: ErrorName): Outcome {
  const invalid = row.status === 'stub' && error === 'UNIMPLEMENTED' && row.outputs.some((output) => output.name === 'new_cap');
  return { error, values: invalid ? { new_cap: CAP_ID_INVALID } : {} };
}

/** Argument registers, of which a call has at most eight. */
function readRegisters(vcpu: Vcpu, first: number, count: number): bigint[] {
  const registers: bigint[] = [];
  for (let n = 0; n < count; n++) registers.push(vcpu.x(first + n));
  return registers;
}

function reservedError(row: Hypercall, registers: readonly bigint[]): ErrorName | undefined {
  let n = 0;
  for (const { mustBe } of row.inputs) {
    const value = registers[n++];
    if (mustBe !== undefined && value !== mustBe) return 'ARGUMENT_INVALID';
  }
  return undefined;
}

function decode(row: Hypercall, registers: readonly bigint[]): Readonly<Record<string, bigint | number>> {
  const args: Record<string, bigint | number> = {};
  let n = 0;
  for (const { name, type } of row.inputs) args[name] = narrow(type, registers[n++] ?? 0n);
  return args;
}

/** The low bits that an argument type has; at most 32 bits become numbers. */
function narrow(type: ArgumentType, value: bigint): bigint | number {
  const width = ARGUMENT_TYPES[type];
  return width === 64 ? BigInt.asUintN(64, value) : Number(BigInt.asUintN(width, value));
}

function writeResults(vcpu: Vcpu, row: Hypercall, outcome: Outcome, path: Exclude<CallPath, 'program'>): void {
  let at = 0;
  for (const { name, type } of row.outputs) {
    if (name === 'error' && at === 0) vcpu.setX(0, BigInt.asUintN(path === 'native' ? 32 : 64, BigInt(ERRORS[outcome.error])));
    else vcpu.setX(at, BigInt.asUintN(ARGUMENT_TYPES[type], BigInt(outcome.values[name] ?? 0)));
    at++;
  }
  if (path !== 'native') return;
  vcpu.clearX(row.outputs.length, 7);
  clobberScratch(vcpu);
}

/** After a native call X9 holds the return address and X10..X17 are zero. */
function clobberScratch(vcpu: Vcpu): void {
  vcpu.setX(9, vcpu.pc);
  vcpu.clearX(10, 17);
}

/** The trace in memory: names and arguments on the native path, registers by SMCCC. Random numbers stay secret. */
function logEnter({ entry, args, context: { kernel, caller, path } }: Call): void {
  const log = kernel.traceLog;
  if (log?.wants(log.rows.smcccEnter) !== true) return;
  if (path !== 'smccc') return log.write(log.callOf(entry.name).enter, entry.logged.map((name) => args[name] ?? 0));
  logRegisters(kernel, kernel.engine.vcpu(caller.engineVcpu ?? 0), entry.row.number ?? 0);
}

/** A call by SMCCC with its number, or its return without. */
function logRegisters({ traceLog: log }: Kernel, vcpu: Vcpu, number?: number): void {
  if (log?.wants(log.rows.smcccEnter) !== true) return;
  log.write(number === undefined ? log.rows.smcccLeave : log.rows.smcccEnter, [number ?? vcpu.x(0), vcpu.x(1), vcpu.x(2), vcpu.x(3), vcpu.x(4)]);
}

/** After the results are in their registers. */
function logLeave({ entry, context: { kernel, caller, path } }: Call, outcome: Outcome): void {
  const log = kernel.traceLog;
  if (entry.name === SENSITIVE_CALL || log?.wants(log.rows.smcccEnter) !== true) return;
  if (path !== 'smccc') return log.write(log.callOf(entry.name).leave, entry.row.outputs.map(({ name }) => (name === 'error' ? ERRORS[outcome.error] : outcome.values[name] ?? 0)));
  logRegisters(kernel, kernel.engine.vcpu(caller.engineVcpu ?? 0));
}

/** Before the call: afterwards its capabilities may be gone. */
function objectsOf({ entry, args, context: { kernel, caller } }: Call): EventObjects {
  return kernel.tracing ? argumentObjects(caller.cspace, entry.capabilities, args) : {};
}

function traceEnter({ entry, args, context }: Call, objects: EventObjects): void {
  const { kernel, caller } = context;
  kernel.options.trace?.({ event: 'hypercall', phase: 'enter', vmid: vmid(caller.vmid), vcpu: caller.vcpuIndex, name: entry.name, number: entry.row.number ?? 0, args, objects, tick: kernel.now });
}

function traceLeave({ entry, args, context }: Call, outcome: Outcome, before: EventObjects): void {
  const { kernel, caller } = context;
  if (!kernel.tracing) return;
  const objects = outcome.error === 'OK' ? resultObjects(caller.cspace, entry.capabilities, { args, values: outcome.values, objects: before }) : before;
  const result: Record<string, EventValue> = {};
  for (const { name } of entry.row.outputs) result[name] = name === 'error' ? outcome.error : outcome.values[name] ?? 0;
  kernel.options.trace?.({ event: 'hypercall', phase: 'leave', vmid: vmid(caller.vmid), vcpu: caller.vcpuIndex, name: entry.name, number: entry.row.number ?? 0, args, result, error: outcome.error, objects, tick: kernel.now });
}

/** Threads, call stacks, scopes, sources. A thread is a vCPU. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex, type StackFrame } from '../../runtime/index';
import { AdapterError } from '../errors';
import { threadIdOf } from '../debuggee';
import type { Session } from '../session';
import { addressText } from '../variables/references';
import { scopesOf } from '../variables/scopes';
import { memoryBaseOf, vcpuState } from '../views/machines';
import { moduleId, modulesOf } from '../views/modules';
import { lineOffset } from './breakpoints';
import { numberOf, numberOr, type Arguments } from './arguments';
import { vcpuOf } from './execution';
import type { Handler } from './handler';

const STACK_DEPTH_MAX = 1000;

function threads(session: Session): unknown {
  const debuggee = session.debuggeeIfAny;
  if (debuggee === undefined) return { threads: [] };
  const { system } = debuggee.target;
  return { threads: system.vcpus().map(({ index, vm, vcpu }) => ({ id: threadIdOf(index), name: `${vm}/cpu${vcpu}${taskText(debuggee.symbols.get(vm)?.task(index))}` })) };
}

/** What a vCPU works on, after its name. */
function taskText(task: { readonly comm: string; readonly pid: number } | undefined): string {
  return task === undefined ? '' : ` · ${task.comm}[${task.pid}]`;
}

/** One frame as the client sees it: a real frame, or a function inlined into one. */
interface ShownFrame { readonly real: StackFrame; readonly index: number; readonly inlineIndex: number; readonly name: string; readonly file: string | undefined; readonly line: number; readonly column: number }

/** All frames of a vCPU, innermost first, inlined calls expanded. */
export function shownFrames(session: Session, vcpu: number): ShownFrame[] {
  const { target, symbols } = session.debuggee;
  const known = symbols.get(target.system.vmNameOf(vcpu) ?? '');
  return (known?.stack(vcpu, STACK_DEPTH_MAX) ?? []).flatMap((real, index) => expandInlined(real, index));
}

function expandInlined(real: StackFrame, index: number): ShownFrame[] {
  const address = real.context.pc;
  const calls = real.symbols?.inlineFramesAt(address) ?? [];
  const place = real.symbols?.lineAt(address);
  if (calls.length === 0) return [{ real, index, inlineIndex: 0, name: '', file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0 }];
  return calls.map((call, inlineIndex) => {
    const inner = calls[inlineIndex - 1];
    const at = inner === undefined
      ? { file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0 }
      : { file: inner.callFile, line: inner.callLine ?? 0, column: inner.callColumn ?? 0 };
    return { real, index, inlineIndex, name: call.name, ...at };
  });
}

function stackTrace(session: Session, args: Arguments): unknown {
  session.requireStopped();
  const vcpu = vcpuOf(session, args, 'stackTrace');
  const vm = session.debuggee.target.system.vmNameOf(vcpu) ?? '';
  const state = vcpuState(session, vcpu);
  if (state === 'off' || state === 'exited' || state === 'killed') return { stackFrames: [idleFrame(session, { vcpu, vm }, state)], totalFrames: 1 };
  const all = shownFrames(session, vcpu);
  const start = Math.max(0, numberOr(args, 'startFrame', 0));
  const levels = numberOr(args, 'levels', 0);
  const shown = all.slice(start, levels > 0 ? start + levels : undefined);
  return { stackFrames: shown.map((frame) => describeFrame(session, { vcpu, vm }, frame)), totalFrames: all.length };
}

/** A vCPU that does not run has no stack, but its registers can be looked at. */
function idleFrame(session: Session, { vcpu, vm }: { vcpu: number; vm: string }, state: string): DebugProtocol.StackFrame {
  return { id: session.references.addFrame({ vcpu, vm, index: 0, inlineIndex: 0 }), name: state, line: 0, column: 0, presentationHint: 'subtle', canRestart: false };
}

/** Code without symbols by its distance from where the VM's memory begins. */
function plainName(session: Session, vm: string, pc: bigint): string {
  const base = memoryBaseOf(session, vm);
  return base === undefined || pc < base ? hex(pc) : `${vm}+${hex(pc - base)}`;
}

/** Code of a process without symbols, by the process. */
function processName(session: Session, { vcpu, vm }: { vcpu: number; vm: string }, frame: StackFrame): string | undefined {
  const symbols = session.debuggee.symbols.get(vm);
  const task = symbols?.isProcessFrame(vcpu, frame) === true ? symbols.task(vcpu) : undefined;
  return task === undefined ? undefined : `[user] ${task.comm}`;
}

function describeFrame(session: Session, { vcpu, vm }: { vcpu: number; vm: string }, frame: ShownFrame): DebugProtocol.StackFrame {
  const { real, file, line, column } = frame;
  const resolver = real.symbols === undefined ? undefined : session.debuggee.sources.get(real.symbols);
  const hasSource = file !== undefined && line > 0 && resolver !== undefined;
  return {
    id: session.references.addFrame({ vcpu, vm, index: frame.index, inlineIndex: frame.inlineIndex }),
    name: frame.name !== '' ? frame.name : processName(session, { vcpu, vm }, real) ?? plainName(session, vm, real.pc),
    line: hasSource ? line - lineOffset(session) : 0,
    column: hasSource ? Math.max(1, column) - (session.client.columnsStartAt1 === false ? 1 : 0) : 0,
    instructionPointerReference: addressText({ vm, space: 'va', address: real.pc }),
    canRestart: session.debuggee.target.canTravel && real.symbols !== undefined,
    ...(real.symbols === undefined ? {} : { moduleId: moduleId(vm, real.symbols.name) }),
    ...(hasSource ? { source: resolver.source(file) } : { presentationHint: 'subtle' as const }),
  };
}

function scopes(session: Session, args: Arguments): unknown {
  session.requireStopped();
  return { scopes: scopesOf(session, session.references.frame(numberOf(args, 'frameId', 'scopes'))) };
}

/** No source of ours is generated: every source has a path. */
function source(): never {
  throw new AdapterError('unknownSource');
}

/** DAP: locations: the source behind a value that is an address of code. */
function locations(session: Session, args: Arguments): unknown {
  session.requireStopped();
  const { vm, address } = session.references.target(numberOf(args, 'locationReference', 'locations'));
  const file = session.debuggee.symbols.get(vm)?.at(address);
  const place = file?.lineAt(address);
  const resolver = file === undefined ? undefined : session.debuggee.sources.get(file);
  if (place === undefined || place.line === 0 || resolver === undefined) throw new AdapterError('noLocation', { address: addressText({ vm, space: 'va', address }) });
  return { source: resolver.source(place.file), line: place.line - lineOffset(session), ...(place.column > 0 ? { column: place.column - (session.client.columnsStartAt1 === false ? 1 : 0) } : {}) };
}

function loadedSources(session: Session): unknown {
  const { sources } = session.debuggee;
  const seen = new Map<string, DebugProtocol.Source>();
  for (const [file, resolver] of sources) {
    for (const recorded of file.sourceFiles()) {
      const found = resolver.source(recorded);
      seen.set(found.path ?? recorded, found);
    }
  }
  return { sources: [...seen.values()] };
}

function modules(session: Session, args: Arguments): unknown {
  const list = modulesOf(session.debuggee);
  const start = Math.max(0, numberOr(args, 'startModule', 0));
  const count = numberOr(args, 'moduleCount', 0);
  return { modules: list.slice(start, count > 0 ? start + count : undefined), totalModules: list.length };
}

/** Requests about threads, stacks and sources, by name. */
export const STACK_REQUESTS = { threads, stackTrace, scopes, source, locations, loadedSources, modules } as const satisfies Readonly<Record<string, Handler>>;

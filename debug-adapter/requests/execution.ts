/** Running, stepping, pausing, and travelling back. Execution requests run all vCPUs: one session is one system with one time. */

import { hex, va } from '../../runtime/index';
import { AdapterError } from '../errors';
import { threadIdOf } from '../debuggee';
import type { Session } from '../session';
import { addressText } from '../variables/references';
import { callsOnLine } from '../views/calls';
import { numberOf, numberOr, textOr, type Arguments } from './arguments';
import { lineOffset, sourceOf } from './breakpoints';
import type { Handler } from './handler';

/** The engine vCPU of a thread id, checked. */
export function vcpuOf(session: Session, args: Arguments, command: string): number {
  const thread = numberOf(args, 'threadId', command);
  const vcpu = session.debuggee.target.system.vcpuIndexes().find((index) => threadIdOf(index) === thread);
  if (vcpu === undefined) throw new AdapterError('unknownThread', { thread: String(thread) });
  return vcpu;
}

function continueForward(session: Session): unknown {
  session.start(session.requireStopped().target.continue());
  return { allThreadsContinued: true };
}

function step(kind: 'into' | 'over' | 'out', command: string): Handler {
  return (session, args) => {
    const { target, symbols } = session.requireStopped();
    const vcpu = vcpuOf(session, args, command);
    const lines = symbols.get(target.system.vmNameOf(vcpu) ?? '')?.linesOf(vcpu);
    const call = kind === 'into' && typeof args['targetId'] === 'number' ? session.references.target(args['targetId']) : undefined;
    if (call !== undefined && lines !== undefined) {
      session.start(target.stepIntoCall(vcpu, lines, call.address));
      return {};
    }
    const byInstruction = textOr(args, 'granularity') === 'instruction' && kind !== 'out';
    if (byInstruction || lines === undefined) session.start(target.stepInstruction(vcpu, kind === 'into' ? 'into' : 'over', lines));
    else session.start(target.stepLine(vcpu, kind, lines));
    return {};
  };
}

function stepBack(session: Session, args: Arguments): unknown {
  const { target, symbols } = session.requireStopped();
  if (!target.canTravel) throw new AdapterError('noHistory');
  const vcpu = vcpuOf(session, args, 'stepBack');
  const lines = textOr(args, 'granularity') === 'instruction' ? undefined : symbols.get(target.system.vmNameOf(vcpu) ?? '')?.linesOf(vcpu);
  session.start(target.stepBack(vcpu, lines));
  return {};
}

function reverseContinue(session: Session): unknown {
  const { target } = session.requireStopped();
  if (!target.canTravel) throw new AdapterError('noHistory');
  session.start(target.reverseContinue());
  return {};
}

function pause(session: Session): unknown {
  if (session.isRunning) session.pause();
  else if (session.debuggeeIfAny === undefined) throw new AdapterError('notLaunched');
  return {};
}

/** DAP: cancel. What is to be done has been done by the inbox, which knows what waits; only the answer is given here. */
function cancel(): unknown {
  return {};
}

/** Requests about running, stepping and travelling in time, by name. */
/** DAP: stepInTargets: the calls of the line that a frame is at. Only the innermost frame can step. */
function stepInTargets(session: Session, args: Arguments): unknown {
  const { target, symbols } = session.requireStopped();
  const handle = session.references.frame(numberOf(args, 'frameId', 'stepInTargets'));
  const file = symbols.get(handle.vm)?.at(target.system.pcOf(handle.vcpu), handle.vcpu);
  if (handle.index > 0 || file === undefined) return { targets: [] };
  const targets = callsOnLine(session, handle.vcpu, file);
  return { targets: targets.map(({ address, label, line }) => ({ id: session.references.addTarget({ vm: handle.vm, address }), label, ...(line === 0 ? {} : { line: line - lineOffset(session) }) })) };
}

/** DAP: gotoTargets: where a line has code. */
function gotoTargets(session: Session, args: Arguments): unknown {
  const { symbols } = session.requireStopped();
  const path = sourceOf(args).path ?? '';
  const line = numberOf(args, 'line', 'gotoTargets') + lineOffset(session);
  const column = numberOr(args, 'column', 0);
  const found = [...symbols].flatMap(([vm, { files }]) => files.flatMap((file) => file.addressesFor(path, line)
    .filter((one) => one.actualLine === line && (column === 0 || one.column === 0 || one.column >= column))
    .map((one) => ({ vm, address: va(one.address), line: one.actualLine, column: one.column, name: file.functionAt(one.address)?.name ?? '' }))));
  return {
    targets: found.map(({ vm, address, line: at, column: first, name }) => ({
      id: session.references.addTarget({ vm, address }), label: `${vm}!${name}, line ${at}`, line: at - lineOffset(session),
      ...(first === 0 ? {} : { column: first }), instructionPointerReference: addressText({ vm, space: 'va', address }),
    })),
  };
}

/** DAP: goto. Sets the PC, within the function that it is in: anywhere else the stack would not fit. */
function goto(session: Session, args: Arguments): unknown {
  const { target, symbols } = session.requireStopped();
  const vcpu = vcpuOf(session, args, 'goto');
  const place = session.references.target(numberOf(args, 'targetId', 'goto'));
  const vm = target.system.vmNameOf(vcpu) ?? '';
  const here = symbols.get(vm)?.at(target.system.pcOf(vcpu), vcpu)?.functionAt(target.system.pcOf(vcpu));
  if (vm !== place.vm || here?.ranges.some(({ start, end }) => place.address >= start && place.address < end) !== true) {
    throw new AdapterError('gotoElsewhere', { place: addressText({ vm: place.vm, space: 'va', address: place.address }), function: `${vm}!${here?.name ?? hex(target.system.pcOf(vcpu))}` });
  }
  target.branch();
  target.system.writeRegister(vcpu, 'pc', place.address);
  session.references.clear();
  session.followUps.push(() => { session.stoppedHere('Moved to another line', vcpu); });
  return {};
}

/** DAP: restartFrame. The past is still there, so this is exact: back to the entry of the frame's function. */
function restartFrame(session: Session, args: Arguments): unknown {
  const { target, symbols } = session.requireStopped();
  if (!target.canTravel) throw new AdapterError('noHistory');
  const handle = session.references.frame(numberOf(args, 'frameId', 'restartFrame'));
  const frames = symbols.get(handle.vm)?.stack(handle.vcpu, handle.index + 2) ?? [];
  const frame = frames[handle.index];
  const entry = frame?.symbols?.functionAt(frame.context.pc)?.address;
  const cfa = frame?.context.cfa() ?? frames[handle.index + 1]?.context.registers.register(31);
  if (entry === undefined || cfa === undefined) throw new AdapterError('noFrameEntry');
  session.start(target.restartFrame(handle.vcpu, va(entry), cfa));
  return {};
}

function terminateThreads(): never {
  throw new AdapterError('noThreadEnd');
}

/** Requests about running and travelling, by name. */
export const EXECUTION_REQUESTS = {
  stepInTargets,
  gotoTargets,
  goto,
  restartFrame,
  terminateThreads,
  continue: continueForward,
  next: step('over', 'next'),
  stepIn: step('into', 'stepIn'),
  stepOut: step('out', 'stepOut'),
  stepBack,
  reverseContinue,
  pause,
  cancel,
} as const satisfies Readonly<Record<string, Handler>>;

/** Running, stepping, pausing, and travelling back. Execution requests run all vCPUs: one session is one system with one time. */

import { AdapterError } from '../errors';
import { threadIdOf, type Session } from '../session';
import { numberOf, textOr, type Arguments } from './arguments';
import type { Handler } from './table';

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
    const lines = symbols.get(target.system.vmNameOf(vcpu) ?? '');
    const byInstruction = textOr(args, 'granularity') === 'instruction' && kind !== 'out';
    if (byInstruction || lines === undefined) session.start(target.stepInstruction(vcpu, kind === 'into' ? 'into' : 'over'));
    else session.start(target.stepLine(vcpu, kind, lines));
    return {};
  };
}

function stepBack(session: Session, args: Arguments): unknown {
  const { target, symbols } = session.requireStopped();
  if (!target.canTravel) throw new AdapterError('noHistory');
  const vcpu = vcpuOf(session, args, 'stepBack');
  const lines = textOr(args, 'granularity') === 'instruction' ? undefined : symbols.get(target.system.vmNameOf(vcpu) ?? '');
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

/** DAP: cancel. Only long journeys through time can be cancelled; they end as a pause. */
function cancel(session: Session, args: Arguments): unknown {
  if (textOr(args, 'progressId') !== undefined && session.isRunning) session.pause();
  return {};
}

/** Requests about running, stepping and travelling in time, by name. */
export const EXECUTION_REQUESTS = {
  continue: continueForward,
  next: step('over', 'next'),
  stepIn: step('into', 'stepIn'),
  stepOut: step('out', 'stepOut'),
  stepBack,
  reverseContinue,
  pause,
  cancel,
} as const satisfies Readonly<Record<string, Handler>>;

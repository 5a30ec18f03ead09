/** The scopes of a frame: parameters and locals, statics and globals, registers, system registers, and the call that stopped the system. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { frameEvaluation, frameOf } from '../evaluation';
import { evaluateText, type EvaluationContext } from '../expressions/index';
import type { Session } from '../session';
import { eventContainer } from './event-scope';
import type { FrameHandle, VariableContainer } from './references';
import { generalRegisters, systemRegisters } from './register-scopes';
import { setNamed, shownVariable } from './values';

const GLOBAL_COUNT_MAX = 500;

/** DAP: scopes. */
export function scopesOf(session: Session, handle: FrameHandle): DebugProtocol.Scope[] {
  const frame = frameOf(session, handle);
  const { references } = session;
  const names = frame.symbols?.variablesAt(frame.context.pc, handle.inlineIndex).map(({ name }) => name) ?? [];
  const globals = (frame.symbols?.globalsAt(frame.context.pc) ?? []).map(({ name }) => name).slice(0, GLOBAL_COUNT_MAX);
  const event = handle.index === 0 && handle.vcpu === session.stopVcpu ? session.lastStop?.event : undefined;
  return [
    ...(event === undefined ? [] : [{ name: 'Event', variablesReference: references.add(eventContainer(session, event)), expensive: false }]),
    { name: 'Locals', presentationHint: 'locals', variablesReference: references.add(namesContainer(session, handle, unique(names))), expensive: false },
    ...(globals.length === 0 ? [] : [{ name: 'File Globals', presentationHint: 'globals', variablesReference: references.add(namesContainer(session, handle, unique(globals))), expensive: true }]),
    { name: 'Registers', presentationHint: 'registers', variablesReference: references.add(generalRegisters(session, handle)), expensive: false },
    { name: 'System Registers', presentationHint: 'registers', variablesReference: references.add(systemRegisters(session, handle)), expensive: true },
  ];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** Variables by name, each evaluated when it is shown. */
function namesContainer(session: Session, handle: FrameHandle, names: readonly string[]): VariableContainer {
  return {
    children(start, count) {
      const context = frameEvaluation(session, handle);
      return names.slice(start, start + count).map((name) => variableNamed(session, { handle, context }, name));
    },
    set: (name, value) => setNamed(session, handle, { target: name, value }),
  };
}

function variableNamed(session: Session, { handle, context }: { handle: FrameHandle; context: EvaluationContext }, name: string): DebugProtocol.Variable {
  const result = evaluateText(name, context);
  if (!result.ok) return { name, value: `<${result.error.message}>`, variablesReference: 0, presentationHint: { attributes: ['readOnly'] } };
  return shownVariable(session, handle, { name, expression: name, value: result.value.value, context });
}

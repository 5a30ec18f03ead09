/** The scopes of a frame: parameters and locals, statics and globals, registers, system registers, and the call that stopped the system. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex, type TraceEvent } from '../../runtime/index';
import { AdapterError } from '../errors';
import { frameEvaluation, frameOf } from '../evaluation';
import { assignText, evaluateText, type EvaluationContext } from '../expressions/index';
import type { Session } from '../session';
import type { FrameHandle, VariableContainer } from './references';
import { shownVariable } from './values';

const GLOBAL_COUNT_MAX = 500;

/** DAP: scopes. */
export function scopesOf(session: Session, handle: FrameHandle): DebugProtocol.Scope[] {
  const frame = frameOf(session, handle);
  const { references } = session;
  const names = frame.symbols?.variablesAt(frame.context.pc, handle.inlineIndex).map(({ name }) => name) ?? [];
  const globals = (frame.symbols?.globalsAt(frame.context.pc) ?? []).map(({ name }) => name).slice(0, GLOBAL_COUNT_MAX);
  const event = handle.index === 0 && handle.inlineIndex === 0 ? session.lastStop?.event : undefined;
  return [
    ...(event === undefined ? [] : [{ name: 'Event', variablesReference: references.add(eventContainer(event)), expensive: false }]),
    { name: 'Locals', presentationHint: 'locals', variablesReference: references.add(namesContainer(session, handle, unique(names))), expensive: false },
    ...(globals.length === 0 ? [] : [{ name: 'File Globals', presentationHint: 'globals', variablesReference: references.add(namesContainer(session, handle, unique(globals))), expensive: true }]),
    { name: 'Registers', presentationHint: 'registers', variablesReference: references.add(registerContainer(session, handle, generalNames())), expensive: false },
    { name: 'System Registers', presentationHint: 'registers', variablesReference: references.add(registerContainer(session, handle, session.debuggee.target.system.systemRegisterNames())), expensive: true },
  ];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function generalNames(): string[] {
  return [...Array.from({ length: 31 }, (_, n) => `x${n}`), 'sp', 'pc', 'pstate'];
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

/** Assigns and shows the new value. */
export function setNamed(session: Session, handle: FrameHandle, { target, value }: { readonly target: string; readonly value: string }): DebugProtocol.SetVariableResponse['body'] {
  session.requireStopped();
  const context = frameEvaluation(session, handle);
  const assigned = assignText(target, value, context);
  if (!assigned.ok) throw new AdapterError('notWritable', { problem: assigned.error.message });
  const now = evaluateText(target, frameEvaluation(session, handle));
  const shown = now.ok ? shownVariable(session, handle, { name: target, expression: target, value: now.value.value, context }) : undefined;
  session.followUps.push(() => { session.event('invalidated', { areas: ['variables'] }); });
  return { value: shown?.value ?? value, ...(shown === undefined ? {} : { type: shown.type ?? '', variablesReference: shown.variablesReference }) };
}

function registerContainer(session: Session, handle: FrameHandle, names: readonly string[]): VariableContainer {
  return {
    children(start, count) {
      const context = frameEvaluation(session, handle);
      return names.slice(start, start + count).map((name): DebugProtocol.Variable => {
        const register = context.readRegister(name);
        return {
          name,
          value: register === undefined ? '<not known in this frame>' : name === 'pstate' ? describePstate(register.value) : `0x${register.value.toString(16).padStart(register.sizeBytes * 2, '0')}`,
          type: 'register',
          evaluateName: `$${name}`,
          variablesReference: 0,
          ...(register === undefined || name === 'pstate' ? {} : { memoryReference: `${handle.vm}:va:${hex(register.value)}` }),
        };
      });
    },
    set: (name, value) => setNamed(session, handle, { target: `$${name}`, value }),
  };
}

/** PSTATE in words: flags, masks, exception level. Arm ARM: SPSR_EL1 layout. */
function describePstate(value: bigint): string {
  const bit = (position: number): boolean => ((value >> BigInt(position)) & 1n) === 1n;
  const letters = (names: string, top: number): string => [...names].map((letter, index) => (bit(top - index) ? letter : '-')).join('');
  return `0x${value.toString(16).padStart(8, '0')} ${letters('NZCV', 31)} ${letters('DAIF', 9)} EL${(value >> 2n) & 3n}${bit(0) ? 'h' : 't'}`;
}

/** What is known of the event that stopped the system. */
function eventContainer(event: TraceEvent): VariableContainer {
  const rows: DebugProtocol.Variable[] = [];
  const add = (name: string, value: unknown): void => {
    if (value === undefined) return;
    const text = typeof value === 'bigint' ? hex(value) : value instanceof Uint8Array ? [...value].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') : String(value);
    rows.push({ name, value: text, variablesReference: 0 });
  };
  for (const [name, value] of Object.entries(event)) {
    if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) for (const [inner, part] of Object.entries(value)) add(inner, part);
    else add(name, value);
  }
  return { children: (start, count) => rows.slice(start, start + count) };
}

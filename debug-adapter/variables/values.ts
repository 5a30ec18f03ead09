/** Values of expressions as DAP variables, with their children. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { stripType, va } from '../../runtime/index';
import { AdapterError } from '../errors';
import { frameEvaluation } from '../evaluation';
import { assignText, childrenOf, evaluateText, showValue, type EvaluationContext, type Value } from '../expressions/index';
import type { Session } from '../session';
import { addressText, type FrameHandle, type VariableContainer } from './references';

/** A value with the name it is shown under and an expression that gives it again. */
export interface NamedValue {
  readonly name: string;
  readonly expression: string;
  readonly value: Value;
  readonly context: EvaluationContext;
  readonly format?: Parameters<typeof showValue>[2];
}

/** A value as a variable row. */
export function shownVariable(session: Session, handle: FrameHandle, named: NamedValue): DebugProtocol.Variable {
  const { name, expression, value, context } = named;
  const shown = showValue(value, context, named.format);
  const hasChildren = shown.namedCount + shown.indexedCount > 0;
  return {
    name,
    value: shown.value,
    type: shown.type,
    evaluateName: expression,
    variablesReference: hasChildren ? session.references.add(childContainer(session, handle, named)) : 0,
    ...(shown.namedCount > 0 ? { namedVariables: shown.namedCount } : {}),
    ...(shown.indexedCount > 0 ? { indexedVariables: shown.indexedCount } : {}),
    ...(isFunctionPointer(value) && shown.memoryReference !== undefined ? { valueLocationReference: session.references.addTarget({ vm: handle.vm, address: va(shown.memoryReference) }) } : {}),
    ...(shown.memoryReference === undefined ? {} : { memoryReference: addressText({ vm: handle.vm, space: 'va', address: shown.memoryReference }) }),
  };
}

function isFunctionPointer(value: Value): boolean {
  if (value.kind === 'text') return false;
  const type = stripType(value.type);
  return type.kind === 'pointer' && stripType(type.target).kind === 'function';
}

function childContainer(session: Session, handle: FrameHandle, { expression, value }: NamedValue): VariableContainer {
  return {
    children(start, count) {
      const context = frameEvaluation(session, handle);
      return childrenOf(value, expression, context, { start, count })
        .map((child) => shownVariable(session, handle, { name: child.name, expression: child.evaluateName, value: child.value, context }));
    },
    set(name, text) {
      const context = frameEvaluation(session, handle);
      const child = childrenOf(value, expression, context).find((one) => one.name === name);
      return setNamed(session, handle, { target: child?.evaluateName ?? name, value: text });
    },
  };
}

/** Where the value of an expression lies, for data breakpoints; undefined if it is not in memory. */
export function placeOfExpression(session: Session, handle: FrameHandle, expression: string): { readonly vm: string; readonly address: bigint; readonly sizeBytes: number } | undefined {
  const context = frameEvaluation(session, handle);
  const address = evaluateText(`(unsigned long)&(${expression})`, context);
  const size = evaluateText(`sizeof(${expression})`, context);
  if (!address.ok || !size.ok) return undefined;
  const [at, sizeBytes] = [address.value.value, size.value.value].map((value) => integerOf(showValue(value, context).value));
  return at === undefined || sizeBytes === undefined ? undefined : { vm: handle.vm, address: at, sizeBytes: Number(sizeBytes) };
}

function integerOf(text: string): bigint | undefined {
  const match = /^(0x[0-9a-f]+|\d+)/i.exec(text);
  return match === null ? undefined : BigInt(match[1] ?? 0);
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

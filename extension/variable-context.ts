/** What the editor hands to commands in the Variables and Watch views, and evaluation in the selected frame. */

import * as vscode from 'vscode';
import { isRecord } from './model/messages';
import type { Sessions } from './sessions';

/** A variable that a command was called on. */
export interface VariableContext { readonly name: string; readonly expression: string | undefined; readonly memoryReference: string | undefined }

/** Reads a context command's argument. Undefined if it was called from elsewhere. */
export function variableOf(argument: unknown): VariableContext | undefined {
  const variable = isRecord(argument) ? argument['variable'] : undefined;
  if (!isRecord(variable) || typeof variable['name'] !== 'string') return undefined;
  const text = (key: string): string | undefined => (typeof variable[key] === 'string' ? variable[key] : undefined);
  return { name: variable['name'], expression: text('evaluateName'), memoryReference: text('memoryReference') };
}

/** One field of an evaluation's answer, undefined if the expression has no such value. */
export async function evaluate(sessions: Sessions, expression: string, field: 'memoryReference' | 'result'): Promise<string | undefined> {
  const item = vscode.debug.activeStackItem;
  const frame = item instanceof vscode.DebugStackFrame ? { frameId: item.frameId } : {};
  try {
    const body: unknown = await sessions.current?.customRequest('evaluate', { expression, context: 'watch', ...frame });
    const value = isRecord(body) ? body[field] : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

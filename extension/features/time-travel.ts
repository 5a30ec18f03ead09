/** Commands that move in time: back by one instruction, back to the previous stop, to a point in time, to the last write. */

import * as vscode from 'vscode';
import { registerCommand } from '../command';
import type { FeatureContext } from '../feature';
import { formatCount, formatTime } from '../model/format';
import { parseTime } from '../model/time-text';
import type { Sessions } from '../sessions';
import { evaluate, variableOf, type VariableContext } from '../variable-context';

/** Registers the commands. */
export function register(context: FeatureContext): void {
  const { sessions } = context;
  registerCommand(context, 'gunyah.stepBackInstruction', () => execute(sessions, 'stepBack', { granularity: 'instruction' }));
  registerCommand(context, 'gunyah.reverseContinue', () => execute(sessions, 'reverseContinue', {}));
  registerCommand(context, 'gunyah.seek', () => seek(sessions));
  registerCommand(context, 'gunyah.lastWrite', (argument) => lastWrite(sessions, argument));
}

async function execute(sessions: Sessions, request: string, args: object): Promise<void> {
  const { current, threadId } = sessions;
  if (current !== undefined && threadId !== undefined) await current.customRequest(request, { threadId, ...args });
}

async function seek(sessions: Sessions): Promise<void> {
  const timeline = await sessions.request('gunyah/timeline', {});
  if (timeline === undefined) return;
  const text = await vscode.window.showInputBox({
    title: 'Seek to Time',
    prompt: `History reaches from ${formatTime(timeline.start)} to ${formatTime(timeline.end)}. Also: a tick, +100us or -5ms from here, 50%, start, end.`,
    value: formatTime(timeline.now),
    validateInput: (input) => {
      const answer = parseTime(input, timeline);
      return 'problem' in answer ? answer.problem : undefined;
    },
  });
  if (text === undefined) return;
  const answer = parseTime(text, timeline);
  if ('tick' in answer) await sessions.request('gunyah/seek', { tick: answer.tick });
}

/** Finds who last wrote a variable and goes there. */
async function lastWrite(sessions: Sessions, argument: unknown): Promise<void> {
  const variable = variableOf(argument) ?? await askForVariable();
  if (variable === undefined) return;
  const place = await placeOf(sessions, variable);
  if (place === undefined) throw new Error(`"${variable.name}" is not in memory, so no write to it can be found.`);
  const found = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: `Looking for the last write to ${variable.name}…` },
    () => sessions.request('gunyah/lastWrite', place));
  if (found?.found !== true || found.tick === undefined) {
    void vscode.window.showInformationMessage(`Nothing wrote to ${variable.name} in the recorded history.`);
    return;
  }
  await sessions.request('gunyah/seek', { tick: found.tick });
  vscode.window.setStatusBarMessage(`${variable.name} was last written by ${found.vm ?? 'the hypervisor'} at ${found.pc ?? '?'}, tick ${formatCount(found.tick)}`, 8000);
}

async function askForVariable(): Promise<VariableContext | undefined> {
  const expression = await vscode.window.showInputBox({ title: 'Go to Last Write', prompt: 'A variable, a C expression, or an address such as primary:va:0x41000000' });
  return expression === undefined || expression.trim() === '' ? undefined : { name: expression.trim(), expression: expression.trim(), memoryReference: undefined };
}

const ADDRESS = /^([\w.-]+:(va|ipa)|pa):0x[0-9a-f]+$/i;

async function placeOf(sessions: Sessions, variable: VariableContext): Promise<{ address: string; size?: number } | undefined> {
  const { expression, memoryReference } = variable;
  if (expression !== undefined && ADDRESS.test(expression)) return { address: expression };
  const address = expression === undefined ? memoryReference : await evaluate(sessions, `&(${expression})`, 'memoryReference') ?? memoryReference;
  if (address === undefined) return undefined;
  const size = expression === undefined ? Number.NaN : Number(await evaluate(sessions, `sizeof(${expression})`, 'result'));
  return Number.isSafeInteger(size) && size > 0 ? { address, size } : { address };
}

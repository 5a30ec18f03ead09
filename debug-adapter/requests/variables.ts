/** Variables, evaluation, assignment and completion. */

import { isEventName } from '../../runtime/index';
import { AdapterError } from '../errors';
import { frameEvaluation, registerNames } from '../evaluation';
import { EVENT_SUGGESTIONS } from '../event-names';
import { runCommand } from '../commands/table';
import { evaluateText } from '../expressions/index';
import type { Session } from '../session';
import type { FrameHandle } from '../variables/references';
import { setNamed, shownVariable } from '../variables/values';
import { wholeText } from '../variables/whole-text';
import { numberOf, numberOr, textOf, textOr, type Arguments } from './arguments';
import type { Handler } from './handler';

const CHILD_COUNT_MAX = 10_000;
const COMPLETION_COUNT_MAX = 100;

/** The frame a request speaks of, or the innermost one of the vCPU in focus. */
export function frameOfArguments(session: Session, args: Arguments): FrameHandle {
  const id = numberOr(args, 'frameId', 0);
  if (id > 0) return session.references.frame(id);
  const { system } = session.debuggee.target;
  const vcpu = session.stopVcpu ?? system.focusVcpu ?? system.vcpuIndexes()[0];
  if (vcpu === undefined) throw new AdapterError('unknownFrame');
  return { vcpu, vm: system.vmNameOf(vcpu) ?? '', index: 0, inlineIndex: 0 };
}

function variables(session: Session, args: Arguments): unknown {
  session.requireStopped();
  const container = session.references.container(numberOf(args, 'variablesReference', 'variables'));
  const count = numberOr(args, 'count', 0);
  return { variables: container.children(Math.max(0, numberOr(args, 'start', 0)), count > 0 ? Math.min(count, CHILD_COUNT_MAX) : CHILD_COUNT_MAX) };
}

function setVariable(session: Session, args: Arguments): unknown {
  session.requireStopped();
  const container = session.references.container(numberOf(args, 'variablesReference', 'setVariable'));
  if (container.set === undefined) throw new AdapterError('notWritable', { problem: 'it is not a variable of the program.' });
  return container.set(textOf(args, 'name', 'setVariable'), textOf(args, 'value', 'setVariable'));
}

function setExpression(session: Session, args: Arguments): unknown {
  return setNamed(session, frameOfArguments(session, args), { target: textOf(args, 'expression', 'setExpression'), value: textOf(args, 'value', 'setExpression') });
}

async function evaluate(session: Session, args: Arguments): Promise<unknown> {
  const expression = textOf(args, 'expression', 'evaluate');
  const command = textOr(args, 'context') === 'repl' ? runCommand(session, expression) : undefined;
  if (command !== undefined) return { result: await command, variablesReference: 0 };
  session.requireStopped();
  const handle = frameOfArguments(session, args);
  const context = frameEvaluation(session, handle);
  const result = evaluateText(expression, context);
  if (!result.ok) throw new AdapterError('expression', { problem: result.error.message });
  const { value, format } = result.value;
  const shown = shownVariable(session, handle, { name: expression, expression, value, context, ...(format === undefined ? {} : { format }) });
  const whole = textOr(args, 'context') === 'clipboard' ? wholeText(value, expression, context) : undefined;
  const { name: _name, evaluateName: _evaluateName, value: text, ...rest } = shown;
  return { result: whole ?? text, ...rest };
}

/** DAP: completions, for the word before the cursor. */
function completions(session: Session, args: Arguments): unknown {
  const text = textOf(args, 'text', 'completions');
  const column = numberOr(args, 'column', text.length + 1) - 1;
  const word = /[$\w:]*$/.exec(text.slice(0, column))?.[0] ?? '';
  const { target, symbols } = session.debuggee;
  const vm = target.system.vmNameOf(target.system.focusVcpu ?? 0) ?? '';
  const candidates = word.startsWith('$')
    ? registerNames(target.system).map((name) => `$${name}`)
    : [...(symbols.get(vm)?.files.flatMap((file) => file.completions(word)) ?? []), ...(isEventName(word) ? EVENT_SUGGESTIONS : []), ...symbols.keys()];
  const found = [...new Set(candidates)].filter((name) => name.toLowerCase().startsWith(word.toLowerCase())).slice(0, COMPLETION_COUNT_MAX);
  return { targets: found.map((label) => ({ label, start: column - word.length, length: word.length })) };
}

/** Requests about variables and expressions, by name. */
export const VARIABLE_REQUESTS = { variables, setVariable, setExpression, evaluate, completions } as const satisfies Readonly<Record<string, Handler>>;

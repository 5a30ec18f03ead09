/**
 * The language in which people say which trace events they want: words, event names as breakpoints have them, and a condition.
 *
 *     hvc:msgqueue_*|rm:*  vm=sensor  -virq:27  "a phrase"  if size > 16 && vcpu == 0
 *
 * Terms between spaces must all hold; `|` separates alternatives; `-` or `!` in front turns a term around; after `if` comes a C expression over the
 * event's named arguments. The manual has the whole of it.
 */

import { err, ok, parseEventPattern, isEventName, type Result, type TraceEvent } from '../runtime/index';
import { eventEvaluation } from './evaluation';
import { EVENT_NAMES } from './event-names';
import { compile, evaluateCondition, type CompiledExpression } from './expressions/index';
import type { Session } from './session';
import { traceRow, vmNameAt } from './trace-row';

/** Longest filter, in characters. */
export const TRACE_FILTER_LENGTH_MAX = 2000;

/** Says whether the event of a number is wanted. VMs go by the names that they had then. */
export type TraceFilter = (event: TraceEvent, number: number) => boolean;

/** One test of an event; `cost` decides the order. */
interface Term { readonly cost: number; readonly matches: TraceFilter }

const ALL: TraceFilter = () => true;

/** Reads a filter; the sentence that says what is wrong otherwise. Empty text lets everything through. */
export function parseTraceFilter(session: Session, text: string): Result<TraceFilter, string> {
  if (text.length > TRACE_FILTER_LENGTH_MAX) return err(`The filter is longer than ${TRACE_FILTER_LENGTH_MAX} characters.`);
  const { before, condition } = splitCondition(text);
  const terms: Term[] = [];
  for (const word of wordsOf(before)) {
    const term = parseTerm(session, word);
    if (!term.ok) return term;
    terms.push(term.value);
  }
  if (condition !== undefined) {
    const compiled = compile(condition);
    if (!compiled.ok) return err(`Condition: ${compiled.error.message}`);
    terms.push({ cost: 2, matches: (event) => holds(session, compiled.value, event) });
  }
  if (terms.length === 0) return ok(ALL);
  const ordered = [...terms].sort((left, right) => left.cost - right.cost);
  return ok((event, number) => ordered.every(({ matches }) => matches(event, number)));
}

/** An event without the names that the condition asks for does not match. */
function holds(session: Session, condition: CompiledExpression, event: TraceEvent): boolean {
  const result = evaluateCondition(condition, eventEvaluation(session, event));
  return result.ok && result.value;
}

/** Cuts at the first `if` that stands alone and outside quotes. */
function splitCondition(text: string): { readonly before: string; readonly condition: string | undefined } {
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    const isWord = text.startsWith('if', at) && /^(?:^|\s)$/.test(text[at - 1] ?? ' ') && /\s/.test(text[at + 2] ?? '');
    if (isWord && !isQuoted) return { before: text.slice(0, at), condition: text.slice(at + 2).trim() };
  }
  return { before: text, condition: undefined };
}

/** Words between spaces; a quoted phrase is one, or part of one. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"?|[^\s"])+/g)].map(([word]) => word);
}

function parseTerm(session: Session, word: string): Result<Term, string> {
  const isNegative = word.length > 1 && (word.startsWith('-') || word.startsWith('!'));
  const parts: Term[] = [];
  for (const alternative of alternatives(isNegative ? word.slice(1) : word)) {
    const part = parseAlternative(session, alternative);
    if (!part.ok) return part;
    parts.push(part.value);
  }
  const matches: TraceFilter = (event, number) => parts.some((part) => part.matches(event, number));
  return ok({ cost: Math.max(...parts.map(({ cost }) => cost)), matches: isNegative ? (event, number) => !matches(event, number) : matches });
}

/** Separated by `|` outside quotes. */
function alternatives(word: string): string[] {
  const parts = [...word.matchAll(/(?:"[^"]*"?|[^|"])+/g)].map(([part]) => part);
  return parts.length === 0 ? [word] : parts;
}

function parseAlternative(session: Session, text: string): Result<Term, string> {
  const { system } = session.debuggee.target;
  const bang = text.indexOf('!');
  const [vm, name] = bang > 0 && isEventName(text.slice(bang + 1)) ? [text.slice(0, bang), text.slice(bang + 1)] : [undefined, text];
  if (isEventName(name)) {
    const pattern = parseEventPattern(name, EVENT_NAMES);
    if (!pattern.ok) return err(pattern.error.message);
    return ok({ cost: 0, matches: (event, number) => pattern.value.matches(event) && (vm === undefined || vmNameAt(system, event.vmid, number) === vm) });
  }
  const place = /^(vm|vcpu|tick)(=|!=|>=|<=|>|<)(.+)$/.exec(text);
  if (place !== null) return comparison(session, { key: place[1] ?? '', operator: place[2] ?? '', value: unquoted(place[3] ?? '') });
  const needle = unquoted(text).toLowerCase();
  return ok({ cost: 1, matches: (event, number) => JSON.stringify(traceRow(event, vmNameAt(system, event.vmid, number))).toLowerCase().includes(needle) });
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}

function comparison(session: Session, { key, operator, value }: { readonly key: string; readonly operator: string; readonly value: string }): Result<Term, string> {
  if (key === 'vm') {
    if (operator !== '=' && operator !== '!=') return err('VMs are compared by = and != only.');
    const { system } = session.debuggee.target;
    return ok({ cost: 0, matches: (event, number) => (vmNameAt(system, event.vmid, number) === value) === (operator === '=') });
  }
  if (!/^\d{1,16}$/.test(value)) return err(`"${key}${operator}${value}": write a number after ${operator}.`);
  const wanted = Number(value);
  return ok({ cost: 0, matches: (event) => compare((key === 'tick' ? event.tick : event.vcpu) ?? Number.NaN, operator, wanted) });
}

function compare(left: number, operator: string, right: number): boolean {
  switch (operator) {
    case '=': return left === right;
    case '!=': return left !== right;
    case '>=': return left >= right;
    case '<=': return left <= right;
    case '>': return left > right;
    default: return left < right;
  }
}

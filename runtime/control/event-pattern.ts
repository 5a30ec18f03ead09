/**
 * Names of events to stop at, as users write them in function breakpoints: `hvc:msgqueue_*`, `rm:VM_START`, `virq:27`.
 * Parsing checks names against the tables, so that a misspelt hypercall is an error with a suggestion and not a breakpoint that
 * never hits. The grammar is in docs/manual/breakpoints.md.
 */

import { err, ok, type Diagnostic, type Result } from '../base/result';
import type { TraceEvent, TraceEventName } from '../base/trace-event';

/** What stands before the colon. */
export type EventFamily = 'hvc' | 'hvc-return' | 'psci' | 'smccc' | 'rm' | 'rm-notify' | 'virq' | 'vm' | 'event';

/** A parsed event name. `matches` is pure. */
export interface EventPattern {
  readonly text: string;
  readonly family: EventFamily;
  /** True if the event must be caught before a call takes effect. */
  readonly beforeCall: boolean;
  matches(event: TraceEvent): boolean;
}

/** Names that patterns are checked against. */
export interface EventNames {
  readonly hypercalls: ReadonlyMap<string, number | null>;
  readonly psci: readonly string[];
  /** SMCCC services other than PSCI. */
  readonly smccc: readonly string[];
  readonly rmMessages: readonly string[];
  readonly rmNotifications: readonly string[];
}

const FAMILIES: readonly EventFamily[] = ['hvc', 'hvc-return', 'psci', 'smccc', 'rm', 'rm-notify', 'virq', 'vm', 'event'];
/** Kinds of trace events, for `event:KIND`. */
const KINDS: Readonly<Record<TraceEventName, true>> = {
  'hypercall': true, 'hypercall-unknown': true, 'psci': true, 'smccc': true, 'message': true, 'virq': true, 'exception': true, 'stage2-fault': true, 'memory': true,
  'vm-state': true, 'vcpu-state': true, 'rm-request': true, 'rm-reply': true, 'rm-notification': true, 'console': true, 'report': true,
};
/** Names of all kinds. */
export const EVENT_KINDS: readonly string[] = Object.keys(KINDS);
const LIFE_CYCLE = { start: 'RUNNING', exit: 'EXITED', reset: 'RESET' } as const;
const VIRQ_MAX = 1019;
const NATIVE_BASE = 0x6000;
const SMCCC_BASE = 0xc600_8000;

/** True if `text` is meant as an event and not as a symbol. */
export function isEventName(text: string): boolean {
  return FAMILIES.some((family) => text.startsWith(`${family}:`));
}

/** Parses an event name. */
export function parseEventPattern(text: string, names: EventNames): Result<EventPattern, Diagnostic> {
  const colon = text.indexOf(':');
  const family = FAMILIES.find((candidate) => candidate === text.slice(0, colon));
  const rest = text.slice(colon + 1).trim();
  if (family === undefined) return bad('event-family-unknown', `"${text}" is no event. Events begin with ${FAMILIES.map((name) => `${name}:`).join(', ')}.`);
  if (rest === '') return bad('event-name-missing', `"${text}" names no event. Write for example ${family}:*.`);
  switch (family) {
    case 'hvc':
    case 'hvc-return': return hypercallPattern(text, family, rest, names);
    case 'psci': return namedPattern(text, family, rest, names.psci);
    case 'rm': return namedPattern(text, family, rest, names.rmMessages);
    case 'rm-notify': return namedPattern(text, family, rest, names.rmNotifications);
    case 'smccc': return servicePattern(text, rest, names);
    case 'virq': return virqPattern(text, rest);
    case 'vm': return lifeCyclePattern(text, rest);
    case 'event': return kindPattern(text, rest);
  }
}

function hypercallPattern(text: string, family: 'hvc' | 'hvc-return', rest: string, names: EventNames): Result<EventPattern, Diagnostic> {
  const phase = family === 'hvc' ? 'enter' : 'leave';
  const number = parseNumber(rest);
  if (number !== undefined) {
    const wanted = number >= SMCCC_BASE ? number - SMCCC_BASE : number >= NATIVE_BASE ? number - NATIVE_BASE : number;
    return ok(pattern(text, family, (event) => (event.event === 'hypercall' && event.phase === phase && event.number === wanted)
      || (phase === 'enter' && event.event === 'hypercall-unknown' && event.number === number)));
  }
  const glob = globToRegExp(rest);
  const known = [...names.hypercalls.keys()];
  if (!known.some((name) => glob.test(name))) return unknownName(text, rest, known, 'hypercall');
  return ok(pattern(text, family, (event) => (event.event === 'hypercall' && event.phase === phase && glob.test(event.name))
    || (rest === '*' && phase === 'enter' && event.event === 'hypercall-unknown')));
}

function namedPattern(text: string, family: 'psci' | 'rm' | 'rm-notify', rest: string, known: readonly string[]): Result<EventPattern, Diagnostic> {
  const glob = globToRegExp(rest);
  const number = parseNumber(rest);
  if (number === undefined && !known.some((name) => glob.test(name))) {
    return unknownName(text, rest, known, { psci: 'PSCI function', rm: 'RM request', 'rm-notify': 'RM notification' }[family]);
  }
  const kind = ({ psci: 'psci', rm: 'rm-request', 'rm-notify': 'rm-notification' } as const)[family];
  return ok(pattern(text, family, (event) => event.event === kind
    && (event.event !== 'psci' || event.phase === 'enter')
    && ('id' in event && (number !== undefined ? event.id >>> 0 === number : glob.test(event.name)))));
}

/** Firmware-style calls by identifier, whether anything answers it or not, or services by name. */
function servicePattern(text: string, rest: string, names: EventNames): Result<EventPattern, Diagnostic> {
  const number = parseNumber(rest);
  if (number !== undefined && number > 0xffff_ffff) return bad('event-number-invalid', `"${text}": a function identifier has 32 bits.`);
  if (number !== undefined) {
    return ok(pattern(text, 'smccc', (event) => ((event.event === 'smccc' || event.event === 'psci') && event.phase === 'enter' && event.id >>> 0 === number)
      || (event.event === 'hypercall-unknown' && event.path === 'smccc' && event.number >>> 0 === number)));
  }
  const known = [...names.smccc, ...names.psci];
  const glob = globToRegExp(rest);
  if (!known.some((name) => glob.test(name))) return unknownName(text, rest, known, 'service');
  return ok(pattern(text, 'smccc', (event) => ((event.event === 'smccc' || event.event === 'psci') && event.phase === 'enter' && glob.test(event.name))
    || (rest === '*' && event.event === 'hypercall-unknown' && event.path === 'smccc')));
}

function virqPattern(text: string, rest: string): Result<EventPattern, Diagnostic> {
  const number = parseNumber(rest);
  if (rest !== '*' && (number === undefined || number > VIRQ_MAX)) return bad('event-number-invalid', `"${text}": expected a number up to ${VIRQ_MAX} or *.`);
  return ok(pattern(text, 'virq', (event) => event.event === 'virq' && event.action === 'taken' && (number === undefined || event.virq === number)));
}

function lifeCyclePattern(text: string, rest: string): Result<EventPattern, Diagnostic> {
  if (rest !== '*' && !(rest in LIFE_CYCLE)) return unknownName(text, rest, Object.keys(LIFE_CYCLE), 'life-cycle event');
  const wanted = Object.entries(LIFE_CYCLE).filter(([name]) => rest === '*' || rest === name).map(([, state]): string => state);
  return ok(pattern(text, 'vm', (event) => event.event === 'vm-state' && wanted.includes(event.to)));
}

/** Any trace event by its kind; for kinds that have no name of their own, such as `event:memory`. */
function kindPattern(text: string, rest: string): Result<EventPattern, Diagnostic> {
  const glob = globToRegExp(rest);
  if (!EVENT_KINDS.some((kind) => glob.test(kind))) return unknownName(text, rest, EVENT_KINDS, 'kind of event');
  return ok(pattern(text, 'event', (event) => glob.test(event.event)));
}

function pattern(text: string, family: EventFamily, matches: (event: TraceEvent) => boolean): EventPattern {
  return { text, family, beforeCall: family === 'hvc' || family === 'psci' || family === 'smccc', matches };
}

function parseNumber(text: string): number | undefined {
  return /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : undefined;
}

/** `*` matches any run of characters; everything else is literal. */
function globToRegExp(glob: string): RegExp {
  return new RegExp(`^${glob.split('*').map((part) => part.replace(/[^\w]/g, '\\$&')).join('.*')}$`, 'i');
}

function unknownName(text: string, name: string, known: readonly string[], what: string): Result<never, Diagnostic> {
  const close = closest(name, known);
  return bad('event-name-unknown', `"${text}": there is no ${what} "${name}".${close === undefined ? '' : ` Did you mean "${close}"?`}`);
}

function bad(code: string, message: string): Result<never, Diagnostic> {
  return err({ severity: 'error', code, message });
}

/** The known name with the smallest edit distance, if it is near at all. */
function closest(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

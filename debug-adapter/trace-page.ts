/** Pages of the trace: forward from an event, or backward from one, through a filter. Numbers of events are stable, so pages fit together. */

import { err, ok, type EventValue, type Result, type TraceEvent } from '../runtime/index';
import type { TracePage, TraceRow } from './protocol/index';
import { numberOr, textOr, type Arguments } from './requests/arguments';
import type { Session } from './session';
import { parseTraceFilter, type TraceFilter } from './trace-filter';
import { traceRow, vmNameAt } from './trace-row';
import { EventWords, unknownCallWords } from './views/event-words';

const LIMIT_DEFAULT = 1000;
const LIMIT_MAX = 10_000;
/** Events that one answer looks at; a page that ends here is not `complete`, and the next one goes on. */
const SCANNED_MAX = 100_000;

/** `end` is the present, or the end of what is known. */
interface Scan { readonly from: number; readonly end: number; readonly limit: number; readonly filter: TraceFilter; readonly toRow: (event: TraceEvent, number: number) => TraceRow }

/** The page that arguments ask for; the sentence that says what is wrong with the filter otherwise. */
export function tracePage(session: Session, args: Arguments): Result<TracePage, string> {
  const log = session.debuggee.target.system.trace;
  const filter = parseTraceFilter(session, textOr(args, 'filter') ?? '');
  if (!filter.ok) return err(filter.error);
  const limit = Math.min(LIMIT_MAX, Math.max(1, Math.trunc(numberOr(args, 'limit', LIMIT_DEFAULT))));
  const asked = args['from'];
  const isBackward = textOr(args, 'direction') === 'backward' || typeof asked !== 'number';
  const end = args['future'] === true ? log.end : log.position;
  const from = Math.trunc(numberOr(args, 'from', end));
  const scan = { from: Math.min(Math.max(from, log.start), end), end, limit, filter: filter.value, toRow: rowMaker(session, args['names'] === true) };
  const page = isBackward ? backward(session, scan) : forward(session, scan);
  return ok({ ...page, dropped: Math.max(0, log.start - from), start: log.start, position: log.position, end: log.end, branch: log.branch });
}

function forward(session: Session, { from, end: last, limit, filter, toRow }: Scan): Pick<TracePage, 'events' | 'next' | 'previous' | 'complete'> {
  const log = session.debuggee.target.system.trace;
  const end = Math.min(last, from + SCANNED_MAX);
  const events: TraceRow[] = [];
  let number = from;
  for (; number < end && events.length < limit; number++) {
    const event = log.at(number);
    if (event !== undefined && filter(event, number)) events.push(toRow(event, number));
  }
  return { events, next: number, previous: from, complete: number >= last };
}

function backward(session: Session, { from, limit, filter, toRow }: Scan): Pick<TracePage, 'events' | 'next' | 'previous' | 'complete'> {
  const log = session.debuggee.target.system.trace;
  const end = Math.max(log.start, from - SCANNED_MAX);
  const events: TraceRow[] = [];
  let number = from;
  while (number > end && events.length < limit) {
    number--;
    const event = log.at(number);
    if (event !== undefined && filter(event, number)) events.push(toRow(event, number));
  }
  return { events: events.reverse(), next: from, previous: number, complete: number <= log.start };
}

/** How events become rows. A hypercall's own number stays beside the event's, as `call`. */
function rowMaker(session: Session, withNames: boolean): Scan['toRow'] {
  const { system } = session.debuggee.target;
  const words = withNames ? new EventWords(system) : undefined;
  return (event, number) => ({
    ...traceRow(event, vmNameAt(system, event.vmid, number)), ...('number' in event ? { call: event.number } : {}), number, ...(words === undefined ? {} : namesOf(words, event, number)),
  });
}

/** Fields of events whose numbers may have names, beside arguments and results. */
const NAMED_FIELDS: readonly string[] = ['objectId', 'virq', 'esr', 'detail'];

/** Objects and VMs behind the numbers of an event, as they were called when it happened: numbers are given out again. */
function namesOf(words: EventWords, event: TraceEvent, number: number): { readonly names?: Readonly<Record<string, string>> } {
  const names: Record<string, string> = {};
  const result = 'result' in event && typeof event.result === 'object' ? event.result : {};
  const fields = Object.entries(event).filter((field): field is [string, EventValue] => NAMED_FIELDS.includes(field[0]));
  for (const [name, value] of [...Object.entries('args' in event ? event.args : {}), ...Object.entries(result), ...fields, ...resultOf(event)]) {
    const told = words.ofValue(event, { name, value }, number);
    if (told !== undefined) names[name] = told;
  }
  const unknown = event.event === 'hypercall-unknown' ? unknownCallWords(event) : undefined;
  if (unknown !== undefined) names['call'] = unknown;
  return Object.keys(names).length === 0 ? {} : { names };
}

/** The result of a firmware-style call, which is one number. */
function resultOf(event: TraceEvent): readonly (readonly [string, EventValue])[] {
  return (event.event === 'psci' || event.event === 'smccc') && event.result !== undefined ? [['result', event.result]] : [];
}

/** Pages of the trace: forward from an event, or backward from one, through a filter. Numbers of events are stable, so pages fit together. */

import { err, explainEsr, ok, type EventValue, type Result, type TraceEvent } from '../runtime/index';
import type { TracePage, TraceRow } from './protocol/index';
import { numberOr, textOr, type Arguments } from './requests/arguments';
import type { Session } from './session';
import { parseTraceFilter, type TraceFilter } from './trace-filter';
import { traceRow, vmNameAt } from './trace-row';
import { ObjectBook } from './views/objects';
import { typeOfValue, virqWords, wordsOfType } from './views/call-words';
import { wordsInList, wordsOfField, type SystemNames } from './views/rm-words';

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
  const book = withNames ? new ObjectBook(system) : undefined;
  return (event, number) => ({
    ...traceRow(event, vmNameAt(system, event.vmid, number)), ...('number' in event ? { call: event.number } : {}), number, ...(book === undefined ? {} : namesOf(session, { book, event, number })),
  });
}

/** An event of the trace, and a book of present names for what has none of its time. */
interface Naming { readonly book: ObjectBook; readonly event: TraceEvent; readonly number: number }

/** Objects and VMs behind the numbers of an event, as they were called when it happened: numbers are given out again. */
function namesOf(session: Session, naming: Naming): { readonly names?: Readonly<Record<string, string>> } {
  const { book, event, number } = naming;
  const names: Record<string, string> = {};
  const result = 'result' in event && typeof event.result === 'object' ? event.result : {};
  for (const [name, value] of [...Object.entries('args' in event ? event.args : {}), ...Object.entries(result)]) {
    const words = nameOfValue(session, naming, { name, value });
    if (words !== undefined) names[name] = words;
  }
  if (event.event === 'message') names['objectId'] = book.name({ id: event.objectId, type: 'msgqueue' }, number);
  if (event.event === 'virq') names['virq'] = virqWords(event.virq);
  if (event.event === 'exception' && event.kind === 'synchronous') names['esr'] = explainEsr(event.esr, event.far).join(', ');
  if (event.event === 'memory') {
    const words = objectsIn(event.detail, naming);
    if (words !== event.detail) names['detail'] = words;
  }
  return Object.keys(names).length === 0 ? {} : { names };
}

function nameOfValue(session: Session, { book, event, number }: Naming, { name, value }: { readonly name: string; readonly value: EventValue }): string | undefined {
  const { system } = session.debuggee.target;
  if (event.event === 'hypercall') {
    const object = event.objects?.[name];
    if (object !== undefined) return book.name(object, number);
    const type = typeOfValue(event.name, name);
    if (type === 'vmid_t') return vmNameAt(system, Number(value), number);
    return type === undefined ? undefined : wordsOfType(type, value);
  }
  if (event.event !== 'rm-request' && event.event !== 'rm-reply' && event.event !== 'rm-notification') return undefined;
  const names: SystemNames = { vm: (vmid) => vmNameAt(system, vmid, number), capability: (capId) => book.describe(event.vmid, capId) };
  return wordsOfField({ message: event.name, name, value }, names) ?? wordsInList({ message: event.name, value }, names);
}

/** What the hypervisor says of its objects, with their names of that moment in the place of their numbers. */
function objectsIn(text: string, { book, number }: Naming): string {
  return text.replace(/\b(object|address space) (\d{1,9})\b/g, (whole, kind: string, digits: string) => {
    const name = book.name({ id: Number(digits), type: kind === 'object' ? 'memextent' : 'addrspace' }, number);
    return name.includes('"') ? name : whole;
  });
}

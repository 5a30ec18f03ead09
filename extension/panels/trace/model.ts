/**
 * Lines of the trace view: each event of the trace as the texts of its columns. Pure functions of what `gunyah/trace` answers.
 *
 * Events that are not known here are shown all the same, with their fields by name.
 */

import type { TraceRow } from '../../../debug-adapter/protocol';
import { formatBytes, formatCount, formatTime } from '../../model/format';
import { isRecord } from '../../model/messages';

/** What kind of thing an event is; the page gives each a mark of its own. */
export type TraceCategory = 'hypercall' | 'firmware' | 'resource-manager' | 'message' | 'interrupt' | 'memory' | 'life' | 'fault' | 'text';

/** One event as columns of text. */
export interface TraceLine {
  /** Of the event, for travelling there. */
  readonly number: number;
  readonly tick: number;
  readonly time: string;
  readonly vm: string;
  readonly vcpu: string;
  readonly event: string;
  readonly name: string;
  readonly args: string;
  readonly result: string;
  readonly category: TraceCategory;
  /** Something went wrong: an error result, a fault, a report. */
  readonly bad: boolean;
  /** Every field of the event, for the details below the table. */
  readonly details: readonly { readonly name: string; readonly value: string }[];
}

/** Fields that have columns of their own or say nothing more. */
const PLACED = new Set(['tick', 'vm', 'vcpu', 'event', 'number', 'name', 'phase', 'args', 'result', 'error', 'payload', 'injected', 'call', 'names']);
const CATEGORIES: Readonly<Record<string, TraceCategory>> = {
  'hypercall': 'hypercall', 'hypercall-unknown': 'fault', 'psci': 'firmware', 'smccc': 'firmware', 'message': 'message', 'virq': 'interrupt', 'exception': 'interrupt',
  'stage2-fault': 'fault', 'memory': 'memory', 'vm-state': 'life', 'vcpu-state': 'life', 'rm-request': 'resource-manager', 'rm-reply': 'resource-manager',
  'rm-notification': 'resource-manager', 'console': 'text', 'report': 'fault',
};
const GOOD_ERRORS = new Set(['', 'OK', 'SUCCESS']);
/** Bytes shown in a column; the details have as many as there are. */
const COLUMN_BYTES = 16;
/** Characters of a detail shown at most. */
const DETAIL_MAX = 4096;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '');

/** The line of an event. */
export function traceLine(row: TraceRow): TraceLine {
  const error = errorOf(row);
  return {
    number: row.number ?? 0,
    tick: row.tick,
    time: formatTime(row.tick),
    vm: row.vm,
    vcpu: row.vcpu === undefined ? '' : String(row.vcpu),
    event: eventWord(row),
    name: nameOf(row),
    args: argumentsText(row),
    result: resultText(row, error),
    category: CATEGORIES[row.event] ?? 'text',
    bad: !GOOD_ERRORS.has(error) || CATEGORIES[row.event] === 'fault',
    details: detailsOf(row),
  };
}

function errorOf(row: TraceRow): string {
  const own = textOf(row['error']);
  if (own !== '') return own;
  return isRecord(row['result']) ? textOf(row['result']['error']) : '';
}

/** What happened, in the words that breakpoints on events use where they have one. */
function eventWord(row: TraceRow): string {
  const isReturn = row['phase'] === 'leave';
  switch (row.event) {
    case 'hypercall': return isReturn ? 'hvc-return' : 'hvc';
    case 'hypercall-unknown': return 'hvc unknown';
    case 'psci':
    case 'smccc': return isReturn ? `${row.event}-return` : row.event;
    case 'rm-request': return 'rm';
    case 'rm-notification': return 'rm-notify';
    case 'vm-state': return 'vm';
    case 'vcpu-state': return 'vcpu';
    case 'stage2-fault': return 'stage-2 fault';
    default: return row.event;
  }
}

function nameOf(row: TraceRow): string {
  const name = textOf(row['name']);
  switch (row.event) {
    case 'virq': return `${textOf(row['virq'])}${row.names?.['virq'] === undefined ? '' : ` (${row.names['virq']})`} ${textOf(row['action'])}`;
    case 'message':
    case 'memory': return textOf(row['action']);
    case 'vcpu-state': return textOf(row['state']);
    case 'exception': return textOf(row['kind']);
    case 'stage2-fault': return textOf(row['access']);
    case 'report': return textOf(row['code']);
    case 'vm-state': return textOf(row['to']);
    case 'hypercall-unknown': return hexOf(row.call);
    default: return name;
  }
}

function hexOf(value: unknown): string {
  return typeof value === 'number' ? `0x${value.toString(16)}` : textOf(value);
}

/** Fields that `nameOf` has said already. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  'virq': ['virq', 'action'], 'message': ['action'], 'memory': ['action'], 'vcpu-state': ['state'], 'exception': ['kind'], 'stage2-fault': ['access'],
  'report': ['code'], 'vm-state': ['to'], 'psci': ['id'], 'smccc': ['id'], 'rm-request': ['id'], 'rm-reply': ['id'], 'rm-notification': ['id'],
};

function argumentsText(row: TraceRow): string {
  if (row.event === 'console') return textOf(row['text']).trimEnd();
  if (row.event === 'report') return textOf(row['message']);
  if (row.event === 'vm-state') return `${textOf(row['name']) || row.vm} was ${textOf(row['from'])}`;
  const skipped = NAMED[row.event] ?? [];
  const own = Object.entries(row).filter(([name]) => !PLACED.has(name) && !skipped.includes(name)).map(([name, value]) => pair(row, name, value));
  const args = isRecord(row['args']) ? Object.entries(row['args']).filter(([name, value]) => !isReserved(name, value)).map(([name, value]) => pair(row, name, value)) : [];
  return [...args, ...own].join(', ');
}

/** Reserved arguments are told only where they are not zero, which is a mistake of the caller. */
function isReserved(name: string, value: unknown): boolean {
  return /^res\d+$/.test(name) && (value === '0x0' || value === 0);
}

function pair(row: TraceRow, name: string, value: unknown): string {
  const words = row.names?.[name];
  if (words !== undefined && saysItself(value, words)) return `${name}=${words}`;
  return `${name}=${name === 'bytes' || name === 'payload' ? formatBytes(textOf(value), COLUMN_BYTES) : valueText(value)}${words === undefined ? '' : ` (${words})`}`;
}

/** Whether the words are the value itself with words in it, such as a list whose numbers are named. */
function saysItself(value: unknown, words: string): boolean {
  return typeof value === 'string' && (value.startsWith('[') || /^(?:object|address space) \d/.test(value)) && words.length >= value.length;
}

function valueText(value: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value);
  return textOf(value);
}

function resultText(row: TraceRow, error: string): string {
  const { result } = row;
  if (!isRecord(result)) return [error, textOf(result)].filter((text) => text !== '').join(' ');
  const values = Object.entries(result).filter(([name]) => name !== 'error').map(([name, value]) => pair(row, name, value));
  return [error, ...values].filter((text) => text !== '').join(', ');
}

function detailsOf(row: TraceRow): TraceLine['details'] {
  const flat = Object.entries(row).flatMap(([name, value]): { name: string; value: string }[] => {
    if (value === undefined || name === 'tick' || name === 'number' || name === 'names') return [];
    if (isRecord(value)) return Object.entries(value).map(([inner, part]) => ({ name: `${name}.${inner}`, value: withWords(valueText(part), row.names?.[inner]) }));
    return [{ name, value: withWords(textOf(value), row.names?.[name]) }];
  });
  return [{ name: 'time', value: `${formatTime(row.tick)}, tick ${formatCount(row.tick)}` }, { name: 'number', value: formatCount(row.number ?? 0) }, ...flat]
    .map(({ name, value }) => ({ name, value: value.slice(0, DETAIL_MAX) }));
}

function withWords(value: string, words: string | undefined): string {
  return words === undefined ? value : saysItself(value, words) ? words : `${value} (${words})`;
}

/** A line as tab-separated text, for the clipboard. */
export function copyText(lines: readonly TraceLine[]): string {
  return lines.map(({ tick, vm, vcpu, event, name, args, result }) => [String(tick), vm, vcpu, event, name, args, result].map((part) => part.replace(/[\t\r\n]+/g, ' ')).join('\t')).join('\n');
}

/** Whether a search text is in a line, in any column, whatever the case. */
export function lineContains(line: TraceLine, text: string): boolean {
  const wanted = text.toLowerCase();
  return [line.time, String(line.tick), line.vm, line.event, line.name, line.args, line.result].some((part) => part.toLowerCase().includes(wanted))
    || line.details.some(({ value }) => value.toLowerCase().includes(wanted));
}

/**
 * The event that stopped the system, as variables: what a call was asked to do, with capabilities resolved to the objects they
 * name, and what it answered. Reading only.
 */

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex, type EventValue, type TraceEvent } from '../../runtime/index';
import { eventTitle } from '../event-text';
import type { Session } from '../session';
import { typeOfValue } from '../views/call-words';
import { EventWords, type NamedValue } from '../views/event-words';
import { ObjectBook } from '../views/objects';
import { addressText, type VariableContainer } from './references';

const NATIVE_CALL_BASE = 0x6000;
/** Fields that the first row has told, or that mean nothing to a user. */
const TOLD: ReadonlySet<string> = new Set(['tick', 'vmid', 'vcpu', 'event', 'phase', 'name', 'number', 'id', 'kind', 'path']);
const BYTES_SHOWN_MAX = 64;
/** Types of arguments that are guest addresses. Gunyah API: types. */
const ADDRESS_TYPES: ReadonlySet<string> = new Set(['user_ptr_t', 'uintptr_t', 'vmaddr_t']);

/** The rows of an event. */
export function eventContainer(session: Session, event: TraceEvent): VariableContainer {
  const rows = [...headRows(session, event), ...Object.entries(event).filter(([name]) => !TOLD.has(name)).flatMap(([name, value]) => fieldRows(session, event, { name, value }))];
  return { children: (start, count) => rows.slice(start, start + count) };
}

function row(name: string, value: string, more: Partial<DebugProtocol.Variable> = {}): DebugProtocol.Variable {
  return { name, value, variablesReference: 0, presentationHint: { attributes: ['readOnly'] }, ...more };
}

function headRows(session: Session, event: TraceEvent): DebugProtocol.Variable[] {
  const { system } = session.debuggee.target;
  const number = event.event === 'hypercall' ? ` (call ${hex(NATIVE_CALL_BASE + event.number)})` : 'id' in event ? ` (${hex(event.id)})` : '';
  return [
    row('event', `${eventTitle(event, session.words)}${number}`),
    row('vm', `${system.vmName(event.vmid)} (VMID ${event.vmid})`),
    ...(event.vcpu === undefined ? [] : [row('vcpu', String(event.vcpu))]),
    row('tick', String(event.tick)),
  ];
}

function fieldRows(session: Session, event: TraceEvent, { name, value }: { name: string; value: unknown }): DebugProtocol.Variable[] {
  if (isValue(value)) return [row(name, wordedText(session, event, { name, value }))];
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value).filter((entry): entry is [string, EventValue] => isValue(entry[1]));
  return entries.filter(([inner]) => !(name === 'result' && inner === 'error' && 'error' in event)).map(([inner, part]) => namedValue(session, event, { name: inner, value: part }));
}

function isValue(value: unknown): value is EventValue {
  return ['bigint', 'number', 'string', 'boolean'].includes(typeof value) || value instanceof Uint8Array;
}

/** An argument or result: a capability with its object, an address that can be looked at, a number. */
function namedValue(session: Session, event: TraceEvent, { name, value }: { name: string; value: EventValue }): DebugProtocol.Variable {
  const type = event.event === 'hypercall' ? typeOfValue(event.name, name) : undefined;
  if (type === 'cap_id_t' && typeof value === 'bigint') {
    const described = new ObjectBook(session.debuggee.target.system).describe(event.vmid, value);
    return row(name, `${hex(value)} (${described ?? 'no capability of this VM'})`, { type });
  }
  if (type === 'bool' && (typeof value === 'number' || typeof value === 'bigint')) return row(name, value === 0 || value === 0n ? 'false' : 'true', { type });
  const isAddress = type !== undefined && ADDRESS_TYPES.has(type) && typeof value === 'bigint';
  const vm = session.debuggee.target.system.vmName(event.vmid);
  return row(name, wordedText(session, event, { name, value }), { ...(type === undefined ? {} : { type }), ...(isAddress ? { memoryReference: addressText({ vm, space: 'va', address: value }) } : {}) });
}

/** A number with what it says beside it. */
function wordedText(session: Session, event: TraceEvent, named: NamedValue): string {
  const plain = valueText(named.value);
  const words = new EventWords(session.debuggee.target.system).ofValue(event, named);
  return words === undefined ? plain : words.startsWith('[') ? words : `${plain} (${words})`;
}

function valueText(value: EventValue): string {
  if (typeof value === 'bigint') return hex(value);
  if (!(value instanceof Uint8Array)) return String(value);
  const shown = [...value.subarray(0, BYTES_SHOWN_MAX)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${value.length} bytes: ${shown}${value.length > BYTES_SHOWN_MAX ? ' …' : ''}`;
}

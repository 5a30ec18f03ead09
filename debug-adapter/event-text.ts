/** Trace events in one line of words. What numbers stand for is said beside them where the system is at hand. */

import { hex, HYPERCALLS, type EventValue, type EventValues, type TraceEvent } from '../runtime/index';
import { unknownCallWords, type EventWords } from './views/event-words';

const NATIVE_CALL_BASE = 0x6000;
const SMCCC_CALL_BASE = 0xc600_8000;
const CALL_COUNT = 0x69;
const SMCCC_CALLS_END = 0x4000;
const CALL_NUMBERS: ReadonlySet<number> = new Set(Object.values(HYPERCALLS).flatMap(({ number }) => (number === null ? [] : [number])));

/** The kind of event in a few words. */
export function eventTitle(event: TraceEvent, words?: EventWords): string {
  switch (event.event) {
    case 'hypercall': return `${event.phase === 'enter' ? 'hypercall' : 'return of hypercall'} ${event.name}`;
    case 'hypercall-unknown': return `unknown hypercall ${unknownCall(event)}`;
    case 'psci': return `${event.phase === 'enter' ? '' : 'return of '}PSCI ${event.name}`;
    case 'smccc': return `${event.phase === 'enter' ? '' : 'return of '}SMCCC ${event.name}`;
    case 'rm-request': return `RM request ${event.name}`;
    case 'rm-reply': return `RM reply ${event.name}`;
    case 'rm-notification': return `RM notification ${event.name}`;
    case 'virq': return `VIRQ ${event.virq} ${event.action}`;
    case 'vm-state': return `VM ${words?.vm(event.vmid) ?? event.name} ${event.to}`;
    case 'exception': return event.kind === 'synchronous' ? 'exception' : event.kind;
    case 'message': return `message ${event.action}`;
    case 'memory': return `memory ${event.action}`;
    case 'vcpu-state': return `vCPU ${event.state}`;
    case 'stage2-fault': return 'stage-2 fault';
    case 'console':
    case 'report': return event.event;
  }
}

/** What happened, for the exception widget and messages. With `words`, of an event that has just happened or is about to: numbers have their names beside them. */
export function describeEvent(event: TraceEvent, words?: EventWords): string {
  const values = (of: EventValues): string => Object.entries(of).map(([name, value]) => `${name}=${valueText(event, { name, value }, words)}`).join(', ');
  switch (event.event) {
    case 'hypercall': return event.phase === 'enter' ? `${event.name}(${values(event.args)})` : `${event.name}(${values(event.args)}) returned ${[event.error, values(withoutError(event.result))].filter((text) => text !== '').join(', ')}`;
    case 'hypercall-unknown': return unknownCallText(event, words);
    case 'psci':
    case 'smccc': return event.result === undefined ? `${event.name}(${values(event.args)})` : `${event.name}(${values(event.args)}) returned ${valueText(event, { name: 'result', value: event.result }, words)}`;
    case 'message': return `Message of ${event.bytes.length} bytes ${event.action} (${words?.queue(event.objectId) ?? `queue ${event.objectId}`})`;
    case 'virq': return `VIRQ ${event.virq} ${event.action} (${[words?.ofValue(event, { name: 'virq', value: event.virq }), words?.virqObject(event) ?? event.source].filter((text) => text !== undefined).join(', ')})`;
    case 'exception': return `${event.kind} exception at ${words?.code(event, event.elr) ?? hex(event.elr)}`;
    case 'stage2-fault': return `Stage-2 fault: ${event.access} of ${hex(event.ipa)} at PC ${words?.code(event, event.pc) ?? hex(event.pc)}`;
    case 'memory': return `Memory ${event.action} ${hex(event.base)} size ${hex(event.sizeBytes)} ${words?.ofDetail(event.detail) ?? event.detail}`;
    case 'vm-state': return `VM ${words?.vm(event.vmid) ?? event.name}: ${event.from} → ${event.to}`;
    case 'vcpu-state': return `vCPU ${words === undefined ? '' : `${words.origin(event)} `}${event.state} (${event.reason})`;
    case 'rm-request': return `RM request ${event.name}(${values(event.args)})`;
    case 'rm-reply': return `RM reply ${event.name}: ${event.error} ${values(event.result)}`.trimEnd();
    case 'rm-notification': return `RM notification ${event.name}(${values(event.args)})`;
    case 'console': return event.text.trimEnd();
    case 'report': return event.message;
  }
}

function withoutError(values: EventValues): EventValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== 'error'));
}

function valueText(event: TraceEvent, named: { readonly name: string; readonly value: EventValue }, words: EventWords | undefined): string {
  const { value } = named;
  const plain = typeof value === 'bigint' ? hex(value) : value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  const told = words?.ofValue(event, named);
  return told === undefined ? plain : told.startsWith('[') ? told : `${plain} (${told})`;
}

type Unknown = TraceEvent & { readonly event: 'hypercall-unknown' };

/** The number as the guest wrote it: the immediate of HVC or SMC, or the function identifier. */
function unknownCall({ number, path }: Unknown): string {
  if (path === 'smccc') return hex(number < SMCCC_CALLS_END ? SMCCC_CALL_BASE + number : number);
  return hex(number < CALL_COUNT && !CALL_NUMBERS.has(number) ? NATIVE_CALL_BASE + number : number);
}

function unknownCallText(event: Unknown, words: EventWords | undefined): string {
  const service = unknownCallWords(event);
  const vm = words === undefined ? 'its VM' : words.vm(event.vmid);
  return `A${event.path === 'native' ? ' native' : 'n SMCCC'} call ${unknownCall(event)} ${service === undefined ? 'that the hypervisor does not have' : `(${service}) that the hypervisor does not have for ${vm}`}`;
}

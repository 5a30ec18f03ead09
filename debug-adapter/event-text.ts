/** Trace events in one line of words. */

import { hex, type EventValues, type TraceEvent } from '../runtime/index';

/** The kind of event in a few words. */
export function eventTitle(event: TraceEvent): string {
  switch (event.event) {
    case 'hypercall': return `${event.phase === 'enter' ? 'hypercall' : 'return of hypercall'} ${event.name}`;
    case 'hypercall-unknown': return `unknown hypercall ${hex(event.number)}`;
    case 'psci': return `PSCI ${event.name}`;
    case 'smccc': return `SMCCC ${event.name}`;
    case 'rm-request': return `RM request ${event.name}`;
    case 'rm-reply': return `RM reply ${event.name}`;
    case 'rm-notification': return `RM notification ${event.name}`;
    case 'virq': return `VIRQ ${event.virq} ${event.action}`;
    case 'vm-state': return `VM ${event.name} ${event.to}`;
    case 'exception': return event.kind === 'synchronous' ? 'exception' : event.kind;
    case 'message':
    case 'stage2-fault':
    case 'memory':
    case 'vcpu-state':
    case 'console':
    case 'report': return event.event.replace('-', ' ');
  }
}

/** What happened, for the exception widget and messages. */
export function describeEvent(event: TraceEvent): string {
  switch (event.event) {
    case 'hypercall': return event.phase === 'enter' ? `${event.name}(${valuesText(event.args)})` : `${event.name}(${valuesText(event.args)}) returned ${[event.error, valuesText(Object.fromEntries(Object.entries(event.result).filter(([name]) => name !== 'error')))].filter((text) => text !== '').join(', ')}`;
    case 'hypercall-unknown': return `A ${event.path === 'native' ? 'native' : 'SMCCC'} call ${hex(event.number)} that the hypervisor does not have`;
    case 'psci':
    case 'smccc': return `${event.name}(${valuesText(event.args)})${event.result === undefined ? '' : ` returned ${hex(event.result)}`}`;
    case 'message': return `Message of ${event.bytes.length} bytes ${event.action} (queue ${event.objectId})`;
    case 'virq': return `VIRQ ${event.virq} ${event.action} (${event.source})`;
    case 'exception': return `${event.kind} exception at ${hex(event.elr)}`;
    case 'stage2-fault': return `Stage-2 fault: ${event.access} of ${hex(event.ipa)} at PC ${hex(event.pc)}`;
    case 'memory': return `Memory ${event.action} ${hex(event.base)} size ${hex(event.sizeBytes)} ${event.detail}`;
    case 'vm-state': return `VM ${event.name}: ${event.from} → ${event.to}`;
    case 'vcpu-state': return `vCPU ${event.state} (${event.reason})`;
    case 'rm-request': return `RM request ${event.name}(${valuesText(event.args)})`;
    case 'rm-reply': return `RM reply ${event.name}: ${event.error} ${valuesText(event.result)}`;
    case 'rm-notification': return `RM notification ${event.name}(${valuesText(event.args)})`;
    case 'console': return event.text.trimEnd();
    case 'report': return event.message;
  }
}

function valuesText(values: EventValues): string {
  return Object.entries(values).map(([name, value]) => `${name}=${typeof value === 'bigint' ? hex(value) : value instanceof Uint8Array ? `${value.length} bytes` : String(value)}`).join(', ');
}

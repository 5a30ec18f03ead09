/** Trace events in one line of words. */

import { hex, type EventValues, type TraceEvent } from '../runtime/index';

/** What happened, for the exception widget and messages. */
export function describeEvent(event: TraceEvent): string {
  switch (event.event) {
    case 'hypercall': return event.phase === 'enter' ? `${event.name}(${valuesText(event.args)})` : `${event.name}(${valuesText(event.args)}) returned ${event.error} ${valuesText(event.result)}`;
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

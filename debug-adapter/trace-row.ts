/** Trace events as JSON lines. 64-bit values become hex strings, bytes become hex digits; names are the reference's. */

import type { EventValue, EventValues, System, TraceEvent } from '../runtime/index';

type Json = string | number | boolean | undefined | { readonly [name: string]: Json };

/** A trace line as an object. */
export interface TraceJson { readonly tick: number; readonly vm: string; readonly event: string; readonly [field: string]: Json }

/** The name that a VM had at the event of a number. */
export function vmNameAt(system: System, vmid: number, event: number): string {
  return system.trace.names.vm(vmid, event) ?? system.vmName(vmid);
}

/** One event as an object fit for JSON; `vmName` names the VM. */
export function traceRow(event: TraceEvent, vmName: string): TraceJson {
  const { tick, vmid: _vmid, vcpu, event: kind, ...rest } = event;
  const fields: Record<string, Json> = {};
  // The objects behind capabilities are told in words, where words are asked for.
  for (const [name, value] of Object.entries(rest)) if (name !== 'objects') fields[name] = jsonOfAny(value);
  return { tick, vm: vmName, ...(vcpu === undefined ? {} : { vcpu }), event: kind, ...fields, ...(hasResult(event) ? { result: { error: event.error, ...withoutError(event.result) } } : {}) };
}

function hasResult(event: TraceEvent): event is TraceEvent & { readonly event: 'hypercall'; readonly phase: 'leave' } {
  return event.event === 'hypercall' && event.phase === 'leave';
}

function withoutError(values: EventValues): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== 'error').map(([name, value]) => [name, jsonOf(value)]));
}

function jsonOfAny(value: unknown): Json {
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return jsonOf(value);
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, inner]): [string, Json] => [name, jsonOfAny(inner)]));
}

function jsonOf(value: EventValue): Json {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return value;
}

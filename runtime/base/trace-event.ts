/**
 * The one stream of what happened: a closed union of events, each stamped with virtual time.
 *
 * Panels, `gunyah run --trace`, breakpoints on events, tests and documentation all read this stream; nothing has a tap of
 * its own. Names inside events are the reference's (hypercall, error, RM message names). 64-bit values are bigints
 * here and become hex strings in JSON.
 */

import type { Ticks, Vmid } from './brands';

/** Who an event is about. `vcpu` is the index inside the VM; absent where no vCPU is involved. */
export interface EventOrigin { readonly tick: Ticks; readonly vmid: Vmid; readonly vcpu?: number }

/** A value inside an event. */
export type EventValue = bigint | number | string | boolean | Uint8Array;
/** Named values: hypercall arguments, results, decoded message fields. */
export type EventValues = Readonly<Record<string, EventValue>>;

/** An object of the hypervisor as a capability named it; ids are never used again. */
export interface EventObject { readonly type: string; readonly id: number; readonly revoked?: true }
/** Objects behind capabilities, by the names of arguments and results. One that names nothing is absent. */
export type EventObjects = Readonly<Record<string, EventObject>>;

/** Every kind of event and what it carries beside its origin. */
export type TraceEvent = EventOrigin & (
  /** A hypercall was called (`phase` enter) and returned (`phase` leave, with results; `error` is the name). `objects` are those of that moment. */
  | { readonly event: 'hypercall'; readonly phase: 'enter'; readonly name: string; readonly number: number; readonly args: EventValues; readonly objects?: EventObjects }
  | { readonly event: 'hypercall'; readonly phase: 'leave'; readonly name: string; readonly number: number; readonly args: EventValues; readonly result: EventValues; readonly error: string; readonly objects?: EventObjects }
  /** A call number or HVC immediate that nothing handles. */
  | { readonly event: 'hypercall-unknown'; readonly number: number; readonly path: 'native' | 'smccc' }
  | { readonly event: 'psci'; readonly phase: 'enter' | 'leave'; readonly name: string; readonly id: number; readonly args: EventValues; readonly result?: bigint }
  | { readonly event: 'smccc'; readonly phase: 'enter' | 'leave'; readonly name: string; readonly id: number; readonly args: EventValues; readonly result?: bigint }
  /** A message entered or left a queue. */
  | { readonly event: 'message'; readonly action: 'sent' | 'received' | 'flushed'; readonly objectId: number; readonly bytes: Uint8Array }
  /** A virtual interrupt line changed, or a vCPU took the interrupt. */
  | { readonly event: 'virq'; readonly action: 'asserted' | 'cleared' | 'taken' | 'ended'; readonly virq: number; readonly source: string }
  | { readonly event: 'exception'; readonly kind: 'synchronous' | 'irq' | 'fiq' | 'serror'; readonly esr: bigint; readonly far: bigint; readonly elr: bigint; readonly injected: boolean }
  | { readonly event: 'stage2-fault'; readonly ipa: bigint; readonly va: bigint; readonly access: 'read' | 'write' | 'execute'; readonly pc: bigint }
  /** Memory changed owner or map. */
  | { readonly event: 'memory'; readonly action: 'map' | 'unmap' | 'update' | 'donate' | 'derive'; readonly base: bigint; readonly sizeBytes: bigint; readonly detail: string }
  | { readonly event: 'vm-state'; readonly name: string; readonly from: string; readonly to: string }
  | { readonly event: 'vcpu-state'; readonly state: string; readonly reason: string }
  | { readonly event: 'rm-request'; readonly name: string; readonly id: number; readonly sequence: number; readonly args: EventValues; readonly payload: Uint8Array }
  | { readonly event: 'rm-reply'; readonly name: string; readonly id: number; readonly sequence: number; readonly error: string; readonly result: EventValues; readonly payload: Uint8Array }
  | { readonly event: 'rm-notification'; readonly name: string; readonly id: number; readonly args: EventValues; readonly payload: Uint8Array }
  | { readonly event: 'console'; readonly text: string }
  /** Something our system wants the user to know (a report about a guest's mistake, never about ours). */
  | { readonly event: 'report'; readonly code: string; readonly message: string }
);

/** Name of a kind of event. */
export type TraceEventName = TraceEvent['event'];

/** Where events go. Called synchronously; must not change the system. */
export type TraceSink = (event: TraceEvent) => void;

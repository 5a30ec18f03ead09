/** What the interrupt state of a GIC (`gic-interrupts.ts`) asks, tells and saves. Types only. */

import type { SavedListRegisters } from './gic-list-registers';

/** One bit of an interrupt's state that registers show. */
export type InterruptField = 'enabled' | 'group1' | 'pending' | 'active' | 'edgeTriggered';

/** What happened to an interrupt; `cpu` is the CPU concerned, if one is. */
export type InterruptEvent = 'asserted' | 'cleared' | 'taken' | 'ended';

/**
 * What happened to an interrupt's delivery. `deliver`, `redeliver`: it was asserted or enabled, in a list register before or not; `undeliver`: it was
 * withdrawn; `sync`: a list register was looked at; `list`: it took one that became free; `deactivate`, `inactive`: ended by register, in vain.
 */
export type DeliveryKind = 'deliver' | 'redeliver' | 'undeliver' | 'sync' | 'list' | 'deactivate' | 'inactive';
/** One step of a delivery: the states before and after as `deliveryWord` has them, and of the list register (0 empty, 1 pending, 2 active, 3 both). */
export interface Delivery { readonly kind: DeliveryKind; readonly slot: number; readonly before: number; readonly after: number; readonly listBefore: number; readonly listAfter: number }

/** A step of a delivery by interrupt number; `cpu` is where it is routed, or its owner. */
export type GicDelivery = Omit<Delivery, 'slot'> & { readonly intid: number; readonly cpu: number | undefined };
/** Told what only a hypervisor that emulates the GIC would see. */
export interface GicObserver {
  /** Whether anything is to be told. */
  readonly wanted: () => boolean;
  readonly delivery: (delivery: GicDelivery) => void;
  /** A write to a register that exists, before it has effect; `frame` is the CPU of a redistributor. */
  readonly write: (frame: number | undefined, offset: number, value: bigint) => void;
  readonly route: (intid: number, cpu: number | undefined) => void;
  readonly group: (cpu: number, group: 0 | 1, enabled: boolean) => void;
}

/** How the interrupt state asks and tells the world outside. */
export interface InterruptHooks {
  /** Whether the level source behind this slot still holds. */
  readonly checkPending: (slot: number) => boolean;
  /** Told about assertions and their end. Must not call back. */
  readonly event: (event: InterruptEvent, slot: number, cpu: number | undefined) => void;
  /** Follows deliveries while it says that it wants them. */
  readonly deliveries?: { readonly wanted: () => boolean; readonly tell: (delivery: Delivery) => void };
  /** Whether a CPU runs just now. */
  readonly isRunning: (cpu: number) => boolean;
  /** Whether this CPU takes interrupts of this group now (distributor and CPU interface enables, awake). */
  readonly accepts: (cpu: number, group: 0 | 1) => boolean;
}

/** Plain-data form of the state. */
export interface SavedInterrupts {
  readonly status: Uint8Array; readonly config: Uint8Array; readonly priority: Uint8Array; readonly route: Uint8Array;
  /** What was written to GICD_IROUTER, as pairs of low and high word. */
  readonly routeWords: Uint32Array;
  /** Absent where levels are live. */
  readonly lists: SavedListRegisters | undefined;
}

/** What the interrupt state of a GIC (`gic-interrupts.ts`) asks, tells and saves. Types only. */

import type { SavedListRegisters } from './gic-list-registers';

/** One bit of an interrupt's state that registers show. */
export type InterruptField = 'enabled' | 'group1' | 'pending' | 'active' | 'edgeTriggered';

/** What happened to an interrupt; `cpu` is the CPU concerned, if one is. */
export type InterruptEvent = 'asserted' | 'cleared' | 'taken' | 'ended';

/**
 * What happened to an interrupt's delivery. `deliver`, `redeliver`: it was asserted or enabled, and its list register took it once more or not; `undeliver`, `undeliver-listed`: it was
 * withdrawn, in vain while a list register has it; `sync`: a list register was looked at; `list`: it took one that became free; `reclaim`: it lost it; `deactivate`, `inactive`: ended by
 * register, in vain.
 */
export type DeliveryKind = 'deliver' | 'redeliver' | 'undeliver' | 'undeliver-listed' | 'sync' | 'list' | 'reclaim' | 'deactivate' | 'inactive';
/** What a look at a list register came to: it is free, holds what is active, holds it pending, or is as it was. */
export type SyncOutcome = 'free' | 'active' | 'pending' | 'unchanged';
/** One step of a delivery: the states before and after as `deliveryWord` has them. `at`: the CPU of the list register. `list`: its state before and after (0 empty, 1 pending, 2 active, 3 both). */
export interface Delivery {
  readonly kind: DeliveryKind; readonly slot: number; readonly before: number; readonly after: number; readonly at?: number; readonly list?: readonly [number, number];
  /** Of a look: what it came to, and whether there is still reason to be pending. */
  readonly outcome?: SyncOutcome; readonly isPending?: boolean;
}

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
  /** A CPU that has the group closed writes its enable. */
  readonly group: (cpu: number, group: 0 | 1, enabled: boolean) => void;
  /** A CPU closes a group that was open; `reasons` as ICH_MISR_EL2 has them. */
  readonly closed: (cpu: number, reasons: number) => void;
  /** The maintenance interrupt of a CPU. */
  readonly maintenance: (cpu: number) => void;
}

/** How the interrupt state asks and tells the world outside. */
export interface InterruptHooks {
  /** Whether the level source behind this slot still holds; `isReasserted`: it was asserted once more than it was taken. */
  readonly checkPending: (slot: number, isReasserted: boolean) => boolean;
  /** Whether the source behind this slot makes it edge-triggered, however it is configured. */
  readonly isAlwaysEdge: (slot: number) => boolean;
  /** Told about assertions and their end. Must not call back. */
  readonly event: (event: InterruptEvent, slot: number, cpu: number | undefined) => void;
  /** Follows deliveries while it says that it wants them. */
  readonly deliveries?: { readonly wanted: () => boolean; readonly tell: (delivery: Delivery) => void };
  /** A CPU's maintenance interrupt: a list register's interrupt has ended whose end matters, one without a register has, or nothing is pending in them while something waits. */
  readonly maintenance?: (cpu: number) => void;
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

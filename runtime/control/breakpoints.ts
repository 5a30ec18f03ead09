/**
 * All places and events to stop at. They live here and in the engine, never in guest memory, so they can be set before an
 * image is loaded, are invisible to guests and work backwards in time.
 *
 * Conditions, hit counts and log messages are one callback, `decide`, made by the adapter.
 */

import { va, type Va, type Vmid } from '../base/brands';
import type { EventOrigin, TraceEvent } from '../base/trace-event';
import { FORWARDED_CALL } from '../hypervisor/service-registers';
import type { Stop } from '../system/stop';
import type { LookOut, Watchpoint } from '../system/system';
import type { EventPattern } from './event-pattern';
import type { StopReport } from './job';
import { WatchedValues } from './watched-values';

/** One thing that happened at a breakpoint. */
export interface Hit {
  readonly vcpu: number | null;
  readonly event?: TraceEvent;
  /** With data breakpoints: the access. */
  readonly access?: { readonly address: bigint; readonly isWrite: boolean; readonly pc: Va };
}

/** Where a breakpoint is. `vm` limits it to one VM by name; null means any. */
export type BreakpointPlace =
  /** `identity` are addresses that count at EL1 only: those of a kernel that does not translate yet. */
  | { readonly kind: 'code'; readonly vm: string | null; readonly addresses: readonly Va[]; readonly identity?: readonly Va[] }
  | { readonly kind: 'data'; readonly pieces: readonly { readonly address: Watchpoint['address']; readonly sizeBytes: number }[]; readonly access: Watchpoint['access'] }
  /** `vm` is the one that the event is about: who makes a call or a request, who is told, whose life it is. */
  | { readonly kind: 'event'; readonly vm: string | null; readonly pattern: EventPattern };

/** A breakpoint. */
export interface Breakpoint {
  readonly id: number;
  readonly place: BreakpointPlace;
  readonly reason: StopReport['reason'];
  /** Whether this hit stops; absent means always. Called once per hit, in order. */
  readonly decide?: (hit: Hit) => boolean;
}

/** Conditions that stop without a place: the exception filters. */
export interface ExceptionFilter {
  readonly filter: string;
  readonly matches: (event: TraceEvent) => boolean;
  readonly decide?: (hit: Hit) => boolean;
}

/** What the set needs to know about vCPUs. */
export interface VcpuNames {
  /** Name of the VM that an engine vCPU belongs to. */
  vmNameOf(vcpu: number): string | undefined;
  /** Present name of the VM with a VMID. */
  vmName(vmid: Vmid): string;
  /** Current PC. */
  pcOf(vcpu: number): bigint;
  /** Current exception level. */
  levelOf(vcpu: number): number;
  /** Present time, VMID and number of a vCPU. */
  originOf(vcpu: number): EventOrigin;
  /** Bytes of physical memory. */
  readPhysical(address: bigint, sizeBytes: number): Uint8Array;
}

const WATCH_PIECES_MAX = 256;

/** The breakpoints of a session. */
export class BreakpointSet {
  private readonly breakpoints = new Map<number, Breakpoint>();
  private filters: readonly ExceptionFilter[] = [];
  private watched = new Map<number, Breakpoint>();
  private readonly names: VcpuNames;
  private readonly values: WatchedValues;
  /** Exception classes that have to be reported by the engine for the present filters; bit n is class n. */
  exceptionClasses = 0n;

  constructor(names: VcpuNames) {
    this.names = names;
    this.values = new WatchedValues((address, sizeBytes) => names.readPhysical(address, sizeBytes));
  }

  /** Adds or replaces by id. */
  set(breakpoint: Breakpoint): void {
    this.breakpoints.set(breakpoint.id, breakpoint);
  }

  /** What decides whether a hit of a breakpoint stops, if something does. */
  decideOf(id: number): Breakpoint['decide'] {
    return this.breakpoints.get(id)?.decide;
  }

  remove(id: number): void {
    this.breakpoints.delete(id);
  }

  setFilters(filters: readonly ExceptionFilter[], exceptionClasses: bigint): void {
    this.filters = filters;
    this.exceptionClasses = exceptionClasses;
  }

  /** A run forward begins here: notes what data breakpoints watch, so that a hit can tell what was there. */
  noteValues(): void {
    for (const { id, place } of this.breakpoints.values()) if (place.kind === 'data') this.values.note(id, place.pieces);
  }

  /** A search through history begins: hits come in no order that would tell what was there before. */
  forgetValues(): void {
    this.values.forget();
  }

  /** What to look out for now. */
  lookout(): LookOut {
    const events = [...this.breakpoints.values()].filter(({ place }) => place.kind === 'event');
    const before = events.filter(({ place }) => place.kind === 'event' && place.pattern.beforeCall);
    const after = events.filter(({ place }) => place.kind === 'event' && !place.pattern.beforeCall);
    return {
      forwarded: true,
      addresses: [...this.breakpoints.values()].flatMap(({ place }) => (place.kind === 'code' ? [...place.addresses, ...(place.identity ?? [])] : [])),
      watchpoints: this.numberWatchpoints(),
      exceptionClasses: this.exceptionClasses,
      call: before.length === 0 ? undefined : (event, vcpu) => before.some((breakpoint) => this.eventMatches(breakpoint, event, vcpu)),
      event: after.length === 0 && this.filters.length === 0
        ? undefined
        : (event, vcpu) => after.some((breakpoint) => this.eventMatches(breakpoint, event, vcpu)) || this.filters.some(({ matches }) => matches(event)),
    };
  }

  /** Which breakpoints a stop of the run loop hits, after their conditions; undefined if the stop is not a breakpoint's. */
  resolve(stop: Stop): Pick<StopReport, 'reason' | 'breakpointIds' | 'exception' | 'event' | 'text'> | undefined {
    switch (stop.kind) {
      case 'breakpoint': return this.hits(this.at(stop.vcpu, stop.pc), { vcpu: stop.vcpu });
      case 'watchpoint': {
        const breakpoint = this.watched.get(stop.id);
        const hit = { vcpu: stop.vcpu, access: { address: stop.address, isWrite: stop.isWrite, pc: stop.pc } };
        const text = breakpoint?.place.kind === 'data' ? this.values.describe(breakpoint.id, breakpoint.place.pieces, stop.isWrite) : undefined;
        const hits = this.hits(breakpoint === undefined ? [] : [breakpoint], hit);
        return hits === undefined || text === undefined ? hits : { ...hits, text };
      }
      case 'call':
      case 'event': return this.eventHits(stop.event, stop.vcpu);
      case 'exception': return this.eventHits({ event: 'exception', ...this.names.originOf(stop.vcpu), kind: stop.exception, esr: stop.esr, far: stop.far, elr: stop.elr, injected: false }, stop.vcpu);
      default: return undefined;
    }
  }

  private eventHits(event: TraceEvent, vcpu: number | null): ReturnType<BreakpointSet['resolve']> {
    const hit: Hit = { vcpu, event };
    const placed = this.hits([...this.breakpoints.values()].filter((breakpoint) => this.eventMatches(breakpoint, event, vcpu)), hit);
    if (placed !== undefined) return { ...placed, event };
    const filter = this.filters.find(({ matches, decide }) => matches(event) && (decide === undefined || decide(hit)));
    // Nobody but the debugger can answer such a call: no filter has to be chosen for it.
    if (filter === undefined && event.event === 'report' && event.code === FORWARDED_CALL) return { reason: 'exception', breakpointIds: [], event, exception: { filter: FORWARDED_CALL } };
    if (filter === undefined) return undefined;
    const syndrome = event.event === 'exception' ? { esr: event.esr, far: event.far, elr: va(event.elr) } : {};
    return { reason: 'exception', breakpointIds: [], event, exception: { filter: filter.filter, ...syndrome } };
  }

  private hits(candidates: readonly Breakpoint[], hit: Hit): ReturnType<BreakpointSet['resolve']> {
    const stopping = candidates.filter(({ decide }) => decide === undefined || decide(hit));
    const [first] = stopping;
    return first === undefined ? undefined : { reason: first.reason, breakpointIds: stopping.map(({ id }) => id) };
  }

  private at(vcpu: number, pc: bigint): Breakpoint[] {
    const vm = this.names.vmNameOf(vcpu);
    const isHere = (address: Va): boolean => address === pc;
    return [...this.breakpoints.values()].filter(({ place }) => place.kind === 'code' && (place.vm === null || place.vm === vm)
      && (place.addresses.some(isHere) || (place.identity?.some(isHere) === true && this.names.levelOf(vcpu) === 1)));
  }

  private eventMatches({ place }: Breakpoint, event: TraceEvent, vcpu: number | null): boolean {
    if (place.kind !== 'event' || !place.pattern.matches(event)) return false;
    // Calls that the Resource Manager makes are not those of the user's guests.
    if ((place.pattern.family === 'hvc-return' || place.pattern.family === 'event') && event.event === 'hypercall' && vcpu === null) return false;
    // Not by the vCPU: requests, notifications and the life of a VM have none, or that of another VM.
    return place.vm === null || this.names.vmName(event.vmid) === place.vm;
  }

  private numberWatchpoints(): Watchpoint[] {
    const watchpoints: Watchpoint[] = [];
    this.watched = new Map();
    for (const breakpoint of this.breakpoints.values()) {
      if (breakpoint.place.kind !== 'data') continue;
      for (const piece of breakpoint.place.pieces) {
        if (watchpoints.length >= WATCH_PIECES_MAX) return watchpoints;
        this.watched.set(watchpoints.length, breakpoint);
        watchpoints.push({ id: watchpoints.length, ...piece, access: breakpoint.place.access });
      }
    }
    return watchpoints;
  }
}

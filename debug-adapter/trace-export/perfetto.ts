/**
 * The trace in the JSON trace-event format that Perfetto and Chrome's tracing read: a process for each VM, a track for each vCPU, a slice for each
 * hypercall and firmware call, an asynchronous slice for each request to the Resource Manager, an arrow for each message from sender to receiver, and
 * instants for interrupts, faults, states and console lines. Time stamps are microseconds of virtual time, with nanoseconds behind the point.
 */

import type { TraceEvent } from '../../runtime/index';
import { describeEvent } from '../event-text';
import { traceRow } from '../trace-row';
import { packetText, type TraceNames, type TraceWriter } from './format';

type Call = Extract<TraceEvent, { readonly event: 'hypercall' | 'psci' | 'smccc' }>;
/** One entry of `traceEvents`. */
type Entry = Readonly<Record<string, unknown>>;

const RM_VMID = 255;
const TICKS_PER_MICROSECOND = 1000;
/** Arrows that may be under way in one queue. */
const FLOWS_MAX = 4096;
/** Track of events that concern a whole VM. */
const VM_TRACK = 0;
const NAME_LENGTH_MAX = 200;

/** Writes the format. */
export class PerfettoWriter implements TraceWriter {
  private readonly names: TraceNames;
  private readonly known = new Set<string>();
  private readonly open = new Map<string, Call>();
  private readonly flows = new Map<number, number[]>();
  private nextFlow = 1;
  private latest = 0;
  private isFirst = true;

  constructor(names: TraceNames) {
    this.names = names;
  }

  begin(): string {
    return '{"displayTimeUnit":"ns","traceEvents":[';
  }

  add(event: TraceEvent): string {
    this.latest = Math.max(this.latest, event.tick);
    return this.text([...this.introduce(event), ...this.entries(event)]);
  }

  /** Calls that never returned last to the end. */
  finish(): string {
    const entries = [...this.open.values()].map((call) => this.slice(call, { end: this.latest, args: traceRow(call, this.names.vm(call.vmid))['args'] }));
    return `${this.text(entries)}\n]}\n`;
  }

  private text(entries: readonly Entry[]): string {
    return entries.map((entry) => {
      const separator = this.isFirst ? '\n' : ',\n';
      this.isFirst = false;
      return `${separator}${JSON.stringify(entry)}`;
    }).join('');
  }

  /** Names of processes and tracks, once each. */
  private introduce({ vmid, vcpu }: TraceEvent): Entry[] {
    const entries: Entry[] = [];
    const name = (key: string, entry: Entry): void => {
      if (!this.known.has(key)) entries.push(entry);
      this.known.add(key);
    };
    name(`${vmid}`, { ph: 'M', name: 'process_name', pid: vmid, tid: VM_TRACK, args: { name: this.names.vm(vmid) } });
    name(`${vmid}/`, { ph: 'M', name: 'thread_name', pid: vmid, tid: VM_TRACK, args: { name: 'VM' } });
    if (vcpu !== undefined) name(`${vmid}/${vcpu}`, { ph: 'M', name: 'thread_name', pid: vmid, tid: vcpu + 1, args: { name: `${this.names.vm(vmid)}/cpu${vcpu}` } });
    return entries;
  }

  private entries(event: TraceEvent): Entry[] {
    switch (event.event) {
      case 'hypercall':
      case 'psci':
      case 'smccc': return this.call(event);
      case 'message': return this.message(event);
      case 'rm-request': return [this.request(event, 'b', event.name), this.instant(event, 'RM request')];
      case 'rm-reply': return [this.request(event, 'e', event.name), this.instant(event, 'RM reply')];
      case 'vm-state':
      case 'report': return [{ ...this.instant(event, event.event), s: 'g' }];
      default: return [this.instant(event, event.event)];
    }
  }

  private call(event: Call): Entry[] {
    const key = `${event.vmid}/${event.vcpu ?? 0}/${event.event}`;
    const entered = this.open.get(key);
    this.open.delete(key);
    if (event.phase === 'enter') {
      this.open.set(key, event);
      return entered === undefined ? [] : [this.slice(entered, { end: event.tick, args: traceRow(entered, this.names.vm(entered.vmid))['args'] })];
    }
    const row = traceRow(event, this.names.vm(event.vmid));
    const args = entered === undefined ? row['args'] : traceRow(entered, this.names.vm(event.vmid))['args'];
    return [this.slice(entered ?? event, { end: event.tick, args: { arguments: args, result: row['result'] } })];
  }

  /** A slice of one tick at least, so that it can be seen and arrows end at it. */
  private slice(call: Call, { end, args }: { readonly end: number; readonly args: unknown }): Entry {
    return { ph: 'X', name: call.name, cat: call.event, ...this.place(call), dur: Math.max(1, end - call.tick) / TICKS_PER_MICROSECOND, args };
  }

  private message(event: Extract<TraceEvent, { readonly event: 'message' }>): Entry[] {
    const queue = this.names.queue(event.objectId);
    const words = queue.isRm ? packetText(event.bytes) : undefined;
    const entry = { ...this.instant(event, `message ${event.action}`), args: { queue: queue.name, size: event.bytes.length, ...(words === undefined ? {} : { message: words }) } };
    const waiting = this.flows.get(event.objectId) ?? [];
    this.flows.set(event.objectId, waiting);
    const arrow = { name: queue.name, cat: 'message', ...this.place(event) };
    switch (event.action) {
      case 'sent': {
        const id = this.nextFlow++;
        if (waiting.length < FLOWS_MAX) waiting.push(id);
        return [entry, { ph: 's', id, ...arrow }];
      }
      case 'received': {
        const id = waiting.shift();
        return id === undefined ? [entry] : [entry, { ph: 'f', bp: 'e', id, ...arrow }];
      }
      case 'flushed':
        waiting.length = 0;
        return [entry];
    }
  }

  private request(event: Extract<TraceEvent, { readonly event: 'rm-request' | 'rm-reply' }>, phase: 'b' | 'e', name: string): Entry {
    const { args, result, error } = traceRow(event, this.names.vm(event.vmid));
    return { ph: phase, name, cat: 'rm', id: `${event.vmid}/${event.sequence}`, pid: RM_VMID, tid: VM_TRACK, ts: event.tick / TICKS_PER_MICROSECOND, args: { vm: this.names.vm(event.vmid), ...(phase === 'b' ? { request: args } : { error, reply: result }) } };
  }

  private instant(event: TraceEvent, category: string): Entry {
    const { tick: _tick, vm: _vm, vcpu: _vcpu, event: _event, ...args } = traceRow(event, this.names.vm(event.vmid));
    return { ph: 'i', s: event.vcpu === undefined ? 'p' : 't', name: describeEvent(event).slice(0, NAME_LENGTH_MAX) || category, cat: category, ...this.place(event), args };
  }

  private place({ vmid, vcpu, tick }: TraceEvent): Entry {
    return { pid: vmid, tid: vcpu === undefined ? VM_TRACK : vcpu + 1, ts: tick / TICKS_PER_MICROSECOND };
  }
}

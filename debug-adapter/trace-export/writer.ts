/** The formats of an exported trace by name, and the names that events have in a running system. */

import type { System, TraceEvent } from '../../runtime/index';
import { vmNameAt } from '../trace-row';
import { ObjectBook } from '../views/objects';
import type { QueueName, TraceNames, TraceWriter } from './format';
import { TraceLines } from './lines';
import { PcapngWriter } from './pcapng';
import { PerfettoWriter } from './perfetto';

/** Formats by name: one JSON object a line; the trace-event format of Chrome and Perfetto; packets for Wireshark. */
export const TRACE_FORMATS = ['jsonl', 'perfetto', 'pcapng'] as const;
/** One of them. */
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** A writer of a format. */
export function makeTraceWriter(format: TraceFormat, names: TraceNames): TraceWriter {
  switch (format) {
    case 'jsonl': return new LineWriter(names);
    case 'perfetto': return new PerfettoWriter(names);
    case 'pcapng': return new PcapngWriter(names);
  }
}

class LineWriter implements TraceWriter {
  private readonly lines: TraceLines;

  constructor(names: TraceNames) {
    this.lines = new TraceLines((vmid) => names.vm(vmid));
  }

  begin(): string {
    return '';
  }

  add(event: TraceEvent): string {
    return this.lines.add(event);
  }

  finish(): string {
    return this.lines.finish();
  }
}

const RM_VMID = 255;

/** Names in a running system. A queue is asked for once: it may be gone later. */
export class SystemNames implements TraceNames {
  /** Number of the event whose names are wanted; the present ones without. */
  moment: number | undefined;
  private readonly system: System;
  private readonly queues = new Map<number, QueueName>();

  constructor(system: System) {
    this.system = system;
  }

  vm(vmid: number): string {
    return this.moment === undefined ? this.system.vmName(vmid) : vmNameAt(this.system, vmid, this.moment);
  }

  queue(objectId: number): QueueName {
    const known = this.queues.get(objectId);
    if (known !== undefined) return known;
    const row = new ObjectBook(this.system).queues(new Map()).find((queue) => queue.objectId === objectId);
    const rm = this.system.vmName(RM_VMID);
    const made: QueueName = row === undefined || (row.from === '' && row.to === '') ? { name: `queue ${objectId}`, description: 'a message queue that is gone', isRm: false }
      : { name: `${row.from} to ${row.to} (${objectId})`, description: row.label, isRm: row.from === rm || row.to === rm };
    if (row !== undefined) this.queues.set(objectId, made);
    return made;
  }
}

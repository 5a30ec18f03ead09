/**
 * The trace as rows numbered from 0, read from the adapter page by page.
 *
 * Without a filter a row's index follows from its event's number. With a filter the matching events are found step by step, and only
 * their numbers are kept. Nothing here knows the editor; `ask` sends `gunyah/trace`.
 */

import type { CustomRequestArguments, TracePage } from '../../../debug-adapter/protocol';
import { lineContains, traceLine, type TraceLine } from './model';

/** Sends `gunyah/trace`. Undefined without a session; rejects with the adapter's words. */
export type AskTrace = (query: CustomRequestArguments<'gunyah/trace'>) => Promise<TracePage | undefined>;

/** Matching events asked for at a time: few enough that stepping never waits for long. */
const SCAN_LIMIT = 1000;
const FIND_LIMIT = 500;

interface Extent { readonly start: number; readonly position: number; readonly end: number; readonly branch: number }
const NOTHING: Extent = { start: 0, position: 0, end: 0, branch: 0 };

/** Where a search goes, and when it is no longer wanted. */
export interface FindRequest { readonly text: string; readonly from: number; readonly direction: 1 | -1; isWanted(): boolean }

/** Rows of a trace that grows, and whose future may change. */
export class TraceSource {
  private readonly ask: AskTrace;
  private extent: Extent = NOTHING;
  private matches: number[] = [];
  private scanned = 0;
  private filterText = '';
  private currentVersion = 0;
  private filterProblem = '';

  constructor(ask: AskTrace) {
    this.ask = ask;
  }

  /** Rows of another version are no longer those of the same index. */
  get version(): number {
    return this.currentVersion;
  }

  get filter(): string {
    return this.filterText;
  }

  /** Why the filter cannot be applied; empty if it can. */
  get problem(): string {
    return this.filterProblem;
  }

  get rowCount(): number {
    return this.filterText === '' ? this.extent.end - this.extent.start : this.filterProblem === '' ? this.matches.length : 0;
  }

  /** Events kept no longer. */
  get dropped(): number {
    return this.extent.start;
  }

  /** Index of the first row that lies ahead of the present. */
  get nowIndex(): number {
    return this.filterText === '' ? this.extent.position - this.extent.start : firstNotBelow(this.matches, this.extent.position);
  }

  /** How much of the trace the filter has been through, from 0 to 1. */
  get progress(): number {
    const { start, end } = this.extent;
    if (this.filterText === '' || this.filterProblem !== '' || end === start) return 1;
    return Math.min(1, (this.scanned - start) / (end - start));
  }

  /** Forgets everything: another session. The filter stays. */
  clear(): void {
    this.extent = NOTHING;
    this.restart();
  }

  /** Shows only matching events from now on; empty text shows all. */
  setFilter(text: string): void {
    if (text === this.filterText) return;
    this.filterText = text;
    this.restart();
  }

  /** Asks how far the trace reaches now. False without a session. */
  async refresh(): Promise<boolean> {
    const page = await this.ask({ from: Number.MAX_SAFE_INTEGER, limit: 1, future: true });
    if (page === undefined) return false;
    const { start, position, end, branch } = page;
    const old = this.extent;
    this.extent = { start, position, end, branch };
    const isOther = branch !== old.branch || end < old.end;
    if (isOther) this.restart();
    else if (start !== old.start) this.dropBefore(start);
    return true;
  }

  /** Takes the filter a step further through the trace. False when it is through or was changed meanwhile. */
  async scan(): Promise<boolean> {
    if (this.filterText === '' || this.filterProblem !== '' || this.scanned >= this.extent.end) return false;
    const version = this.currentVersion;
    try {
      const page = await this.ask({ from: Math.max(this.scanned, this.extent.start), limit: SCAN_LIMIT, filter: this.filterText, future: true });
      if (page === undefined || version !== this.currentVersion) return false;
      for (const { number } of page.events) if (number !== undefined) this.matches.push(number);
      this.scanned = Math.max(page.next, this.scanned + 1);
    } catch (problem) {
      if (version !== this.currentVersion) return false;
      this.filterProblem = problem instanceof Error ? problem.message : String(problem);
      return false;
    }
    return this.scanned < this.extent.end;
  }

  /** Lines `from` to before `from + count`, fewer at the end. */
  async lines(from: number, count: number): Promise<readonly TraceLine[]> {
    const available = Math.min(count, this.rowCount - from);
    if (available <= 0) return [];
    const first = this.filterText === '' ? this.extent.start + from : this.matches[from];
    if (first === undefined) return [];
    const filter = this.filterText === '' ? {} : { filter: this.filterText };
    const lines: TraceLine[] = [];
    for (let at = first; lines.length < available;) {
      const page = await this.ask({ from: at, limit: available - lines.length, future: true, names: true, ...filter });
      if (page === undefined || page.next <= at) break;
      for (const row of page.events) lines.push(traceLine(row));
      // A page ends early where few events match.
      at = page.next;
      if (at >= page.end) break;
    }
    return lines;
  }

  /** Index of the nearest row that contains a text, from a row on (that row included) in a direction. Null if none does. */
  async find({ text, from, direction, isWanted }: FindRequest): Promise<number | null> {
    let at = Math.min(from, this.rowCount - 1);
    while (at >= 0 && at < this.rowCount && isWanted()) {
      const first = direction === 1 ? at : Math.max(0, at - FIND_LIMIT + 1);
      const lines = await this.lines(first, direction === 1 ? FIND_LIMIT : at - first + 1);
      if (lines.length === 0) return null;
      const hits = lines.flatMap((line, index) => (lineContains(line, text) ? [index] : []));
      const inPage = (direction === 1 ? hits[0] : hits.at(-1)) ?? -1;
      if (inPage >= 0) return first + inPage;
      at = direction === 1 ? first + lines.length : first - 1;
    }
    return null;
  }

  /** Old events are kept no longer: rows move up. What a filter has been through since stays known, or a trace that grows faster than that would never be through. */
  private dropBefore(start: number): void {
    const gone = firstNotBelow(this.matches, start);
    this.scanned = Math.max(this.scanned, start);
    if (this.filterText !== '' && gone === 0) return;
    this.currentVersion++;
    this.matches.splice(0, gone);
  }

  private restart(): void {
    this.currentVersion++;
    this.matches = [];
    this.scanned = this.extent.start;
    this.filterProblem = '';
  }
}

/** Index of the first element of an ascending list that is not below a bound. */
function firstNotBelow(ascending: readonly number[], bound: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * What the trace view's page and the extension say to each other.
 *
 * Both sides are ours, but the page is a browser document: what it sends is looked at field by field before it is believed.
 */

import { isRecord } from '../../model/messages';
import type { TraceLine } from './model';

/** What the page shows around its rows. Rows are numbered from 0, without gaps; events by their own numbers. */
export interface TraceState {
  readonly session: 'none' | 'running' | 'stopped';
  /** Rows of another version are no longer those of the same index. */
  readonly version: number;
  readonly rowCount: number;
  /** Index of the first row that lies in the future, seen from where the system stands. */
  readonly nowIndex: number;
  /** The present moment in words. */
  readonly nowText: string;
  /** How much of the trace the filter has been through, from 0 to 1. */
  readonly progress: number;
  /** Events older than the oldest one kept. */
  readonly dropped: number;
  readonly filter: string;
  /** Why the filter cannot be applied; empty if it can. */
  readonly problem: string;
}

/** From the extension to the page. */
export type ToTracePage =
  | { readonly kind: 'state'; readonly state: TraceState }
  | { readonly kind: 'rows'; readonly version: number; readonly from: number; readonly lines: readonly TraceLine[] }
  /** The answer to `find`; null if nothing was found. */
  | { readonly kind: 'found'; readonly index: number | null }
  /** The page answers with `copy`. */
  | { readonly kind: 'copySelection' }
  | { readonly kind: 'focus'; readonly where: 'filter' | 'search' };

/** From the page to the extension. */
export type FromTracePage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rows'; readonly version: number; readonly from: number; readonly count: number }
  | { readonly kind: 'filter'; readonly text: string }
  | { readonly kind: 'find'; readonly text: string; readonly from: number; readonly direction: 1 | -1 }
  | { readonly kind: 'stopFinding' }
  | { readonly kind: 'seek'; readonly number: number }
  | { readonly kind: 'copy'; readonly from: number; readonly to: number };

/** Most rows that one message may ask for. */
export const ROWS_MAX = 500;
/** Longest text of a filter or search. */
const TEXT_MAX = 2000;

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= TEXT_MAX;

/** Reads what the page sent. Undefined if it is nothing that it may send. */
export function parseTraceMessage(message: unknown): FromTracePage | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, version, from, to, count, text, number, direction } = message;
  switch (kind) {
    case 'ready':
    case 'stopFinding': return { kind };
    case 'rows': return isCount(version) && isCount(from) && isCount(count) && count <= ROWS_MAX ? { kind, version, from, count } : undefined;
    case 'filter': return isText(text) ? { kind, text } : undefined;
    case 'find': return isText(text) && isCount(from) && (direction === 1 || direction === -1) ? { kind, text, from, direction } : undefined;
    case 'seek': return isCount(number) ? { kind, number } : undefined;
    case 'copy': return isCount(from) && isCount(to) && from <= to ? { kind, from, to } : undefined;
    default: return undefined;
  }
}

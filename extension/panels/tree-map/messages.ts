/** What the page of a tree's memory map and the extension say to each other. What the page sends is looked at before it is believed. */

import type { MemoryMap } from '../../../language-server/protocol';
import { isRecord } from '../../model/messages';

/** From the extension to the page. */
export type ToTreeMapPage =
  | { readonly kind: 'map'; readonly name: string; readonly map: Pick<MemoryMap, 'ranges' | 'overlaps'> }
  | { readonly kind: 'problem'; readonly text: string };

/** From the page to the extension. */
export type FromTreeMapPage =
  | { readonly kind: 'ready' }
  /** Go to the source of a range. */
  | { readonly kind: 'open'; readonly index: number };

/** Reads what the page sent. Undefined if it is nothing that it may send. */
export function parseTreeMapMessage(message: unknown): FromTreeMapPage | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, index } = message;
  if (kind === 'ready') return { kind };
  return kind === 'open' && typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? { kind, index } : undefined;
}

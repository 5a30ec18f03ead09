/** Where in a property a value stands that a binding objects to, counted in single values: how bindings cut a list into rows is not how it was written. */

import { isValueList, NodeInstance, type Value } from './instance';

/** A run of single values (numbers or strings) within those of a property. */
export interface ValuePlace {
  /** How many stand before it. */
  readonly before: number;
  readonly count: number;
  /** How many the property has. */
  readonly total: number;
}

/** The place that the path of a failure leads to; nothing for whole properties, nodes and bytes that fit no type. */
export function valuePlace(instance: NodeInstance, path: readonly (string | number)[]): ValuePlace | undefined {
  let at: Value | undefined = instance;
  for (const [index, step] of path.entries()) {
    if (!(at instanceof NodeInstance)) return isValueList(at) ? placeIn(at, path.slice(index)) : undefined;
    at = at.members.get(String(step));
  }
  return undefined;
}

function placeIn(list: readonly Value[], steps: readonly (string | number)[]): ValuePlace | undefined {
  const total = countOf(list);
  let before = 0;
  let at: Value = list;
  for (const step of steps) {
    if (!isValueList(at) || typeof step !== 'number' || step >= at.length) return undefined;
    before += countOf(at.slice(0, step));
    at = at[step] ?? [];
  }
  const count = countOf(at);
  return count === 0 || !Number.isFinite(total) ? undefined : { before, count, total };
}

/** How many single values there are; not a number if bytes are among them. */
function countOf(value: Value): number {
  if (value instanceof Uint8Array || value instanceof NodeInstance) return NaN;
  return isValueList(value) ? value.reduce<number>((sum, one) => sum + countOf(one), 0) : 1;
}

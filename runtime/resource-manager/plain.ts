/** Deep copies of plain data: objects, arrays, bytes and scalars. What RM saves and restores is nothing else. */

import { assert } from '../base/assert';

/** Copies a value so that changing the copy leaves the original alone. */
export function clonePlain<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Uint8Array) return value.slice();
  assert(Object.getPrototypeOf(value) === Object.prototype, 'saved state is plain data');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
}

/**
 * Assertions for our own mistakes. They throw, and nothing inside the runtime catches them.
 * Never assert about guest or user input: those failures are `Result` values.
 */

/** Thrown when an invariant of ours is broken; a defect in this project, whatever the input was. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws `AssertionError` with `message` unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a point the compiler proves unreachable: ends exhaustive switches. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}

/** Returns `value`, asserting that it is present. */
export function present<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new AssertionError(message);
  return value;
}

/**
 * Typed success or failure.
 *
 * User mistakes (an unreadable image, a malformed tree) and guest mistakes travel as values of this type, never as
 * exceptions; see docs/architecture.md, "Failure".
 */

/** A successful outcome that carries `value`. */
export interface Ok<T> { readonly ok: true; readonly value: T }
/** A failed outcome that carries `error`. */
export interface Err<E> { readonly ok: false; readonly error: E }
/** Either `Ok<T>` or `Err<E>`; test `ok` to narrow. */
export type Result<T, E> = Ok<T> | Err<E>;

/** Wraps a value as success. */
export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

/** Wraps an error as failure. */
export function err<E>(error: E): Err<E> {
  return { ok: false, error };
}

/** What a user is told about one problem in an input of theirs. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning' | 'information' | 'hint';
  /** Stable identifier from the component's catalogue, such as `elf-truncated`. */
  readonly code: string;
  /** A sentence that says what is wrong and what to do next. */
  readonly message: string;
  /** Which file, if it is about a file. */
  readonly file?: string;
  /** One-based line and column, if known. */
  readonly line?: number;
  readonly column?: number;
}

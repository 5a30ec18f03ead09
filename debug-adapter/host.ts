/**
 * What the adapter needs of the machine it runs on. Node gives it on the desktop, a Web Worker in the browser; nothing else in the
 * adapter touches either.
 */

import type { Result } from '../runtime/index';

/** Files, paths and time of the host. */
export interface Host {
  /** The bytes of a file, or a sentence that says why not. */
  readFile(path: string): Promise<Result<Uint8Array, string>>;
  /** Whether a file is there. */
  exists(path: string): Promise<boolean>;
  /** Creates or replaces a file. */
  writeFile(path: string, contents: string | Uint8Array): Promise<Result<void, string>>;
  /** Adds to the end of a file. */
  appendFile(path: string, text: string): Promise<Result<void, string>>;
  /** `path` made absolute against the folder `base`. */
  resolvePath(base: string, path: string): string;
  /** The folder of a file. */
  folderOf(path: string): string;
  /** Milliseconds from any fixed point, monotonic. */
  now(): number;
  /** Calls back as soon as pending input has been looked at, or after at least `milliseconds`. */
  defer(callback: () => void, milliseconds?: number): void;
}

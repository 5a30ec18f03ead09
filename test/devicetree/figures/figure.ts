/** A figure that the project promises about device trees: what was looked at, the bar, what was seen, and what missed it by name. */

/** One row of the table that `npm run figures -- device-trees` prints. */
export interface Figure {
  readonly what: string;
  readonly bar: string;
  readonly seen: string;
  /** What keeps the figure from its bar, one line each; nothing if it is reached. */
  readonly misses: readonly string[];
  /** What the bar leaves out, each with its reason. */
  readonly exceptions?: readonly string[];
}

/** Each element is looked at; those of which `judge` says something miss. */
export function judgeAll<T>(all: readonly T[], judge: (one: T) => string | undefined): { readonly seen: string; readonly misses: readonly string[] } {
  const misses = all.flatMap((one) => judge(one) ?? []);
  return { seen: ratio(all.length - misses.length, all.length), misses };
}

/** Such as `12 of 13`. */
export function ratio(part: number, whole: number): string {
  return `${String(part)} of ${String(whole)}`;
}

/** Such as `12 of 13 (92.3 %)`. */
export function share(part: number, whole: number): string {
  return `${ratio(part, whole)} (${(whole === 0 ? 100 : (100 * part) / whole).toFixed(1)} %)`;
}

/** A row as text: the figure, then what missed it, then what was left out. */
export function formatFigure({ what, bar, seen, misses, exceptions = [] }: Figure): string {
  const head = `${misses.length === 0 ? 'ok  ' : 'MISS'} ${what}: ${seen} (bar: ${bar})`;
  return [head, ...misses.map((line) => `       ${line}`), ...exceptions.map((line) => `     - ${line}`)].join('\n');
}

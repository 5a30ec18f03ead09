/**
 * Many regular expressions asked about one name. Most of those in bindings begin with a text of their own (`^vendor,.*`), which tells at once that they do
 * not match; only the others are compiled, and when first needed. Not a matcher of its own: the expressions decide.
 */

import { compilePattern, type Pattern } from './pattern';

interface Entry<T> {
  readonly source: string;
  /** What every name that matches begins with. */
  readonly prefix: string;
  readonly value: T;
  /** `null` for a source that is no regular expression. */
  compiled?: Pattern | null;
}

/** Plain characters behind `^`. The last one may be meant by what follows, such as `*`. */
const PREFIX = /^\^([A-Za-z0-9,_#-]*)(.?)/;

/** Patterns with what each stands for, in order. */
export class NamePatterns<T> {
  private readonly entries: readonly Entry<T>[];

  constructor(patterns: Iterable<readonly [source: string, value: T]>) {
    this.entries = [...patterns].map(([source, value]) => ({ source, prefix: prefixOf(source), value }));
  }

  /** True if there is no pattern. */
  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** True if a pattern matches. */
  some(name: string): boolean {
    for (const entry of this.entries) if (isMatch(entry, name)) return true;
    return false;
  }

  /** What the patterns that match stand for. */
  matching(name: string): readonly T[] {
    const found: T[] = [];
    this.entries.forEach((entry) => { if (isMatch(entry, name)) found.push(entry.value); });
    return found;
  }
}

function isMatch<T>(entry: Entry<T>, name: string): boolean {
  if (!name.startsWith(entry.prefix)) return false;
  entry.compiled ??= compilePattern(entry.source) ?? null;
  return entry.compiled?.test(name) === true;
}

/** What every name that matches a pattern begins with; often nothing. */
export function prefixOf(source: string): string {
  // One that matches this or that begins with neither.
  if (source.includes('|')) return '';
  const [, plain = '', next = ''] = PREFIX.exec(source) ?? [];
  return /[*?+{]/.test(next) ? plain.slice(0, -1) : plain;
}

/**
 * What a preprocessor is in the middle of, and the places to which it can go back. Only data: `preprocessor.ts` makes and uses it,
 * `preprocessor-tail.ts` compares it.
 */

import type { ExpanderState, ExpansionCost, Macro } from './macros';
import type { SourceText } from './source';

/** Largest preprocessed text, in characters. */
export const PREPROCESSED_SIZE_MAX = 64 * 1024 * 1024;

/** Which included files were not found: none, headers only, or sources as well; `base`: all that the text is appended to is not there. */
export type MissingFiles = 'none' | 'headers' | 'sources' | 'base';

/** An `#if` that is open. */
export interface Condition {
  /** True while its text is kept. */
  active: boolean;
  /** True once one branch was taken, or if the surroundings are skipped. */
  done: boolean;
  sawElse: boolean;
  /** Where its directive stands. */
  source: SourceText;
  at: number;
  readonly length: number;
}

/** The state of one file being read. */
export interface Frame {
  readonly path: string;
  source: SourceText;
  readonly conditions: Condition[];
  readonly depth: number;
  at: number;
  /** False behind an /include/ in the middle of a line, where no directive can begin. */
  isLineStart: boolean;
}

/** A place between two lines to which preprocessing can go back. What led there lies in front of `at` in the files that are open, and in files that are done. */
export interface Mark {
  readonly frames: readonly Frame[];
  size: number;
  originCount: number;
  readonly macroChangeCount: number;
  readonly readCount: number;
  readonly enteredCount: number;
  readonly fileCount: number;
  readonly onceCount: number;
  problemCount: number;
  readonly includeCount: number;
  readonly renumberCount: number;
  readonly missing: MissingFiles;
  readonly openCalls: number;
  expander: ExpanderState;
}

/** A macro that was defined, defined again, or forgotten. */
export interface MacroChange {
  readonly name: string;
  readonly before: Macro | undefined;
  readonly after: Macro | undefined;
}

/** What happened so far, in order. */
export interface Logs {
  readonly macroChanges: MacroChange[];
  /** Files that were asked for, the first time each. */
  readonly reads: { readonly path: string; readonly text: string | undefined }[];
  readonly entered: string[];
  /** Files that said to be included once. */
  readonly once: string[];
}

/** A text that differs from the one read before, and how many characters both begin with. */
export interface Change {
  readonly source: SourceText;
  readonly text: string;
  readonly same: number;
}

/** What the use of a macro becomes, and where the use ends. */
export interface Expansion {
  readonly text: string;
  readonly end: number;
  readonly macro: Macro;
}

/** What a macro without parameters became, whatever followed it, while no macro has changed. */
export interface KnownExpansion {
  readonly text: string;
  readonly cost: ExpansionCost;
  readonly macroChangeCount: number;
}

/** A copy that changes on its own. */
export function copyFrame(frame: Frame): Frame {
  return { ...frame, conditions: frame.conditions.map((condition) => ({ ...condition })) };
}

/** How many characters, not counting spliced line ends, two texts begin with alike at least. */
export function sameLength(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  const same = a.slice(0, at);
  // The last backslash may belong to a line end that only one of them has.
  return same.includes('\\') ? Math.max(0, same.replace(/\\\r?\n/g, '').length - 2) : at;
}

/** How many characters two texts end with alike, of those behind the first `from` of each. */
export function sameEndLength(a: string, b: string, from: number): number {
  const end = Math.min(a.length, b.length) - from;
  let count = 0;
  while (count < end && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count)) count++;
  return Math.max(0, count);
}

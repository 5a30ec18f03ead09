/**
 * Where things in a device tree source come from, and the messages about them. Not a reader of files: text arrives
 * through the provider in `preprocessor.ts`.
 */

import type { Diagnostic } from '../base/result';

/** A place in a source file, one line long at most. Positions inside a macro's expansion are those of its use. */
export interface SourceOrigin {
  readonly file: string;
  /** One-based. */
  readonly line: number;
  /** One-based, in UTF-16 units. */
  readonly column: number;
  /** In UTF-16 units; 0 at the end of a file. */
  readonly length: number;
  /** The place in the macro's definition, if the text came out of a macro. */
  readonly definition?: SourceOrigin | undefined;
}

/** A diagnostic that may know how long the guilty text is and where a macro it came from is defined. */
export interface DtDiagnostic extends Diagnostic {
  readonly length?: number;
  readonly definition?: SourceOrigin;
}

/** Most diagnostics kept for one run; what exceeds it is counted in a last one. */
export const DIAGNOSTIC_COUNT_MAX = 500;

/** Every code with its sentence; `{…}` are filled in. */
export const dtMessages = {
  'dts-syntax': 'Expected {expected}, but found {found}.',
  'dts-missing-semicolon': 'A ; is missing here.',
  'dts-missing-equals': 'A = is missing between the property and its value.',
  'dts-missing-comma': 'A , is missing between two parts of the value.',
  'dts-no-version': 'The file does not begin with /dts-v1/; which every source needs.',
  'dts-late-version': '/dts-v1/; belongs at the beginning, before all memory reservations and nodes. Remove it here.',
  'dts-late-plugin': '/plugin/; belongs right behind /dts-v1/;.',
  'dts-versions-differ': 'Either every /dts-v1/; has /plugin/; behind it, or none has.',
  'dts-late-reservation': '/memreserve/ belongs before the first node.',
  'dts-label-misplaced': 'Label {name} names nothing here: outside nodes, one label may stand before a &label or &{/path} behind the first node.',
  'dts-no-root': 'The file defines no root node. Add / { … };',
  'dts-property-after-node': 'Property {name} follows a child node. Move it above the child nodes.',
  'dts-unterminated': 'This {what} is not closed before the end of its line or file.',
  'dts-bad-number': '{text} is not a number (decimal, 0x hexadecimal, or 0 octal, up to 64 bits).',
  'dts-bad-character': 'A character literal holds exactly one character.',
  'dts-bad-byte': 'Byte strings hold pairs of hexadecimal digits, not {found}.',
  'dts-bad-bits': 'Array elements have 8, 16, 32 or 64 bits, not {bits}.',
  'dts-out-of-range': '{value} does not fit an array element of {bits} bits.',
  'dts-reference-width': 'References are only allowed among 32-bit elements.',
  'dts-division-by-zero': 'Division by zero.',
  'dts-label-not-found': 'No node has the label or path {name}.',
  'dts-reference-not-found': 'The reference to {name} finds no node. Define the label, or add /plugin/; if another tree has it.',
  'dts-delete-not-found': 'There is no node {name} to delete.',
  'dts-duplicate-node': 'Node {name} is defined twice in one body. Merge the two.',
  'dts-duplicate-property': 'Property {name} is set twice in one body. Remove one.',
  'dts-bad-name-property': 'The property "name" must repeat the name of its node, {name}, without unit address. Remove it: every node has it.',
  'dts-duplicate-label': 'Label {name} is already used for {other}.',
  'dts-duplicate-phandle': 'Phandle {value} is already used by {other}.',
  'dts-bad-phandle': 'A phandle is one cell, neither 0 nor 0xffffffff.',
  'dts-foreign-phandle': 'A phandle property cannot refer to another node.',
  'dts-fixup-path': 'A reference by path ({name}) cannot be left for the base tree to resolve. Use a label.',
  'dts-too-deep': 'Nodes or expressions are nested more than {limit} deep; the inner ones are ignored.',
  'dts-too-large': 'The tree is larger than {limit}; the rest is ignored.',
  'dts-incbin-not-found': 'The file {name} is not found.',
  'dts-more': '{count} more problems are not shown.',
  'cpp-include-not-found': 'The included file {name} is not found. Check the include paths.',
  'cpp-include-depth': 'Files include each other more than {limit} deep. Look for a loop.',
  'cpp-bad-directive': 'The #{name} directive is malformed: {reason}.',
  'cpp-unbalanced': 'This #{name} has no matching #{other}.',
  'cpp-error': '#error {text}',
  'cpp-warning': '#warning {text}',
  'cpp-bad-expression': 'The condition cannot be evaluated: {reason}.',
  'cpp-macro-arguments': 'Macro {name} takes {expected} arguments, but {found} are given.',
  'cpp-macro-unterminated': 'The arguments of macro {name} are not closed.',
  'cpp-macro-redefined': 'Macro {name} is defined again with another body.',
  'cpp-macro-too-large': 'Macros expand to more than {limit}; expansion stops here.',
  'dtb-not-dtb': 'This is not a device tree blob (it does not begin with d0 0d fe ed).',
  'dtb-truncated': 'The device tree blob ends too early: {what} lies outside its {size} bytes.',
  'dtb-version': 'The device tree blob has version {version}, readable from {compatible}; versions 16 and 17 are supported.',
  'dtb-bad-structure': 'The structure block is malformed at offset {offset}: {reason}. What came before is kept.',
  'dtb-bad-name': 'A name at offset {offset} is malformed: {reason}.',
  'overlay-not-overlay': 'The tree is not an overlay: it has no node with a target and an __overlay__ node.',
  'overlay-no-target': 'Fragment {fragment} applies to {target}, which the base tree does not have.',
  'overlay-no-symbol': 'The base tree has no symbol {name}. Compile it with symbols (dtc -@), or define the label.',
  'overlay-no-phandle': 'The node {name} of the base tree has no phandle, so the overlay cannot refer to it.',
  'overlay-bad-fixup': 'The entry {entry} of {node} is malformed or points at nothing.',
  'overlay-phandles': 'The phandles of base and overlay together exceed 32 bits.',
} as const;

/** Stable identifiers of the messages about device trees. */
export type DtDiagnosticCode = keyof typeof dtMessages;

/** What fills the blanks of a message. */
export type DtBlanks = Readonly<Record<string, string | number>>;

/** The diagnostic for `code`; an origin, if known, gives it a place. */
export function dtError(code: DtDiagnosticCode, origin?: SourceOrigin, blanks: DtBlanks = {}): DtDiagnostic {
  const message = dtMessages[code].replace(/\{(\w+)\}/g, (_, key: string) => String(blanks[key] ?? ''));
  const severity = code.endsWith('-warning') || code === 'cpp-macro-redefined' ? 'warning' : 'error';
  if (origin === undefined) return { severity, code, message };
  const { file, line, column, length, definition } = origin;
  return { severity, code, message, file, line, column, length, ...(definition === undefined ? {} : { definition }) };
}

/** Collects diagnostics up to the limit. */
export class DiagnosticList {
  private readonly kept: DtDiagnostic[] = [];
  private silent: readonly DtDiagnosticCode[] = [];
  private dropped = 0;

  /** Records no more problems with these codes. */
  silence(codes: readonly DtDiagnosticCode[]): void {
    this.silent = codes;
  }

  /** Records a problem. */
  add(code: DtDiagnosticCode, origin?: SourceOrigin, blanks: DtBlanks = {}): void {
    if (this.silent.includes(code)) return;
    if (this.kept.length < DIAGNOSTIC_COUNT_MAX) this.kept.push(dtError(code, origin, blanks));
    else this.dropped++;
  }

  /** How many were recorded so far, dropped ones included. */
  get count(): number {
    return this.kept.length + this.dropped;
  }

  /** All but the first `count`; `undefined` if some were not kept. */
  behind(count: number): readonly DtDiagnostic[] | undefined {
    return this.dropped > 0 ? undefined : this.kept.slice(count);
  }

  /** Records problems that were found elsewhere. */
  append(problems: readonly DtDiagnostic[]): void {
    for (const problem of problems) {
      if (this.kept.length < DIAGNOSTIC_COUNT_MAX) this.kept.push(problem);
      else this.dropped++;
    }
  }

  /** Forgets all but the first `count`. */
  cut(count: number): void {
    this.dropped = Math.max(0, count - DIAGNOSTIC_COUNT_MAX);
    this.kept.length = Math.min(this.kept.length, count);
  }

  /** The problems of two lists, within the limit of one. */
  joinedWith(other: DiagnosticList): readonly DtDiagnostic[] {
    const all = [...this.kept, ...other.kept];
    const dropped = this.dropped + other.dropped + Math.max(0, all.length - DIAGNOSTIC_COUNT_MAX);
    return dropped === 0 ? all : [...all.slice(0, DIAGNOSTIC_COUNT_MAX), dtError('dts-more', undefined, { count: dropped })];
  }

  /** All that were kept, and one that counts the others. */
  list(): readonly DtDiagnostic[] {
    return this.dropped === 0 ? [...this.kept] : [...this.kept, dtError('dts-more', undefined, { count: this.dropped })];
  }
}

/** True if any of them is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** Where the lines of a text begin; found out when somebody asks, for of most files nobody does. */
class LineTable {
  private readonly text: string;
  private found: number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get starts(): readonly number[] {
    if (this.found !== undefined) return this.found;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    return this.found = starts;
  }
}

/** The text of one file with lines spliced at backslashes, which still knows the original positions. */
export class SourceText {
  readonly file: string;
  /** The text without backslash-newline pairs. */
  readonly text: string;
  private readonly lines: LineTable;
  /** Spliced offsets and, for each, how many characters were removed up to there. */
  private readonly splices: { readonly at: number; readonly removed: number }[];
  private readonly lineDelta: number;
  private readonly renamed: boolean;

  /** Reads `original`; with `like`, shares what another text of the same characters knows already. */
  constructor(file: string, original: string, like?: { readonly source: SourceText; readonly lineDelta: number }) {
    this.file = file;
    this.renamed = like !== undefined;
    this.lineDelta = like?.lineDelta ?? 0;
    this.lines = like?.source.lines ?? new LineTable(original);
    this.splices = like?.source.splices ?? [];
    this.text = original;
    if (like !== undefined) return;
    if (original.includes('\\\n') || original.includes('\\\r\n')) this.text = this.splice(original);
  }

  /** True if a line marker has changed what its lines are called. */
  get isRenumbered(): boolean {
    return this.renamed;
  }

  /** The same text, which says from now on that the line at `offset` is `line` of `file`. */
  renumbered(file: string, line: number, offset: number): SourceText {
    const lineDelta = line - (this.origin(offset, 0).line - this.lineDelta);
    return new SourceText(file, this.text, { source: this, lineDelta });
  }

  private splice(original: string): string {
    let removed = 0;
    return original.replace(/\\\r?\n/g, (pair, at: number) => {
      removed += pair.length;
      this.splices.push({ at: at + pair.length - removed, removed });
      return '';
    });
  }

  /** The place of `[offset, offset + length)` of `text`; the length is cut at the line's end. */
  origin(offset: number, length: number, definition?: SourceOrigin): SourceOrigin {
    const original = offset + this.removedBefore(offset);
    const { starts } = this.lines;
    const index = lastAtMost(starts, original);
    const start = starts[index] ?? 0;
    const lineEnd = (starts[index + 1] ?? Number.MAX_SAFE_INTEGER) - 1;
    const origin = { file: this.file, line: Math.max(1, index + 1 + this.lineDelta), column: original - start + 1, length: Math.max(0, Math.min(length, lineEnd - original)) };
    return definition === undefined ? origin : { ...origin, definition };
  }

  private removedBefore(offset: number): number {
    if (this.splices.length === 0) return 0;
    let low = 0;
    let high = this.splices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.splices[middle]?.at ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.splices[low - 1]?.removed ?? 0;
  }
}

/** Index of the last element that is at most `value`, in an ascending list that begins at or below it. */
export function lastAtMost(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the last element that passes, or -1. */
export function findLastIndex<T>(list: readonly T[], passes: (item: T) => boolean): number {
  for (let index = list.length - 1; index >= 0; index--) {
    const item = list[index];
    if (item !== undefined && passes(item)) return index;
  }
  return -1;
}

/** Between offsets of a text, places in device tree sources and the protocol's positions. */

import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Range } from 'vscode-languageserver';

/** What a place in a source consists of; the length may be unknown. */
export interface Place {
  readonly line?: number;
  readonly column?: number;
  readonly length?: number;
}

/** The range `[start, end)` of a document. */
export function rangeOf(document: TextDocument, start: number, end: number): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

/**
 * Offsets of a place. Sources count lines at line feeds only, the protocol at lone carriage returns too, so the way leads over offsets.
 * A place without length covers the word there.
 */
export function offsetsOf(text: string, { line = 1, column = 1, length }: Place): { readonly start: number; readonly end: number } {
  let lineStart = 0;
  for (let count = 1; count < line; count++) {
    const next = text.indexOf('\n', lineStart);
    if (next < 0) break;
    lineStart = next + 1;
  }
  const lineEnd = text.indexOf('\n', lineStart) < 0 ? text.length : text.indexOf('\n', lineStart);
  const start = Math.min(lineStart + column - 1, lineEnd);
  return { start, end: Math.min(start + (length ?? /^[\w,.+*#?@-]*/.exec(text.slice(start, lineEnd))?.[0].length ?? 0), lineEnd) };
}

/** The range of a place in a text. */
export function rangeOfPlace(document: TextDocument, place: Place): Range {
  const { line, column, length } = place;
  const text = document.getText();
  // Where lines end only at line feeds, a place with a length needs no counting. It is the library that says so, and its lengths end within the line.
  if (line !== undefined && column !== undefined && length !== undefined && !text.includes('\r')) {
    return { start: { line: line - 1, character: column - 1 }, end: { line: line - 1, character: column - 1 + length } };
  }
  const { start, end } = offsetsOf(text, place);
  return rangeOf(document, start, end);
}

/** A document around the text of a file that is not open. */
export function documentOf(uri: string, text: string): TextDocument {
  return TextDocument.create(uri, 'dts', 0, text);
}

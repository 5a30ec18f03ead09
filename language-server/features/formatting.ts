/** Formatting of a whole document or a range, in the style of Linux; the editor's tab settings do not count. */

import type { Range, TextEdit } from 'vscode-languageserver';
import { formatEdits } from '../../runtime/devicetree/syntax/format';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';

/** The edits that format a document, or what a range of it touches. */
export function formatting({ document, syntax }: SourceDocument, range?: Range): TextEdit[] {
  const limits = range === undefined ? undefined : { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
  return formatEdits(syntax.text, limits).map(({ start, end, text }) => ({ range: rangeOf(document, start, end), newText: text }));
}

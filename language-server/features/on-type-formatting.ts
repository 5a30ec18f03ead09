/** Formatting while typing: a `;` formats its statement, a `}` its node. Never anything outside of them. */

import type { Position, TextEdit } from 'vscode-languageserver';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';
import { formatting } from './formatting';

/** Characters after which the server is asked. */
export const FIRST_TRIGGER = '}';
/** More of them. */
export const MORE_TRIGGERS: readonly string[] = [';'];

/** The edits after a character was typed in front of the position. */
export function onTypeFormatting(source: SourceDocument, position: Position, character: string): TextEdit[] {
  const { document, syntax } = source;
  const offset = document.offsetAt(position);
  if (syntax.text[offset - 1] !== character) return [];
  const ended = [...syntaxPathAt(syntax, offset)].reverse().find((part) => {
    const end = character === '}' ? part.close : part.semicolon;
    return end !== undefined && syntax.tokens[end]?.end === offset;
  });
  const first = ended === undefined ? undefined : syntax.tokens[ended.from];
  const edits = first === undefined ? [] : formatting(source, rangeOf(document, first.start, offset));
  // The formatter also sets the blanks behind a range; those belong to what comes next.
  return edits.filter(({ range }) => document.offsetAt(range.end) <= offset);
}

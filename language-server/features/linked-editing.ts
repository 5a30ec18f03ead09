/**
 * Linked editing: what refers to a label in the same document changes with it while the label is typed where it is defined. Not the other way round: who types a reference
 * chooses another label, and changes none.
 */

import type { LinkedEditingRanges } from 'vscode-languageserver';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';
import { labelOf, tokenAt } from '../symbols';

/** The ranges that change with the label that is defined at the offset; null if there is none, or it stands alone. */
export function linkedEditing({ document, syntax }: SourceDocument, offset: number): LinkedEditingRanges | null {
  const token = tokenAt(syntax, offset);
  const label = token?.kind === 'label' ? labelOf(token.text) : undefined;
  if (label === undefined) return null;
  const ranges = syntax.tokens.filter(({ kind, text }) => (kind === 'label' || kind === 'ref') && labelOf(text) === label).map(({ text, start }) => {
    const from = start + text.indexOf(label);
    return rangeOf(document, from, from + label.length);
  });
  return ranges.length < 2 ? null : { ranges, wordPattern: '[A-Za-z_]\\w*' };
}

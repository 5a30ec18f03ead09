/** Linked editing: a label and what refers to it in the same document change together while one of them is typed. */

import type { LinkedEditingRanges } from 'vscode-languageserver';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';
import { labelOf, tokenAt } from '../symbols';

/** The ranges that change with the label at the offset; null if there is none, or it stands alone. */
export function linkedEditing({ document, syntax }: SourceDocument, offset: number): LinkedEditingRanges | null {
  const token = tokenAt(syntax, offset);
  const label = token?.kind === 'label' || token?.kind === 'ref' ? labelOf(token.text) : undefined;
  if (label === undefined) return null;
  const ranges = syntax.tokens.filter(({ kind, text }) => (kind === 'label' || kind === 'ref') && labelOf(text) === label).map(({ text, start }) => {
    const from = start + text.indexOf(label);
    return rangeOf(document, from, from + label.length);
  });
  return ranges.length < 2 ? null : { ranges, wordPattern: '[A-Za-z_]\\w*' };
}

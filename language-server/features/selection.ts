/** Selection ranges: from the token under the cursor outwards to its statement, body and node, and to the whole file. */

import type { Position, SelectionRange } from 'vscode-languageserver';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';
import { tokenAt } from '../symbols';

/** One chain of ranges for each position. */
export function selectionRanges(source: SourceDocument, positions: readonly Position[]): SelectionRange[] {
  return positions.map((position) => selectionAt(source, source.document.offsetAt(position)));
}

function selectionAt({ document, syntax }: SourceDocument, offset: number): SelectionRange {
  const spans: (readonly [number, number])[] = [[0, syntax.text.length]];
  for (const node of syntaxPathAt(syntax, offset).slice(1)) {
    const first = syntax.tokens[node.from];
    const last = syntax.tokens[node.to - 1];
    if (first !== undefined && last !== undefined) spans.push([first.start, last.end]);
    const open = node.open === undefined ? undefined : syntax.tokens[node.open];
    const close = node.close === undefined ? undefined : syntax.tokens[node.close];
    if (open !== undefined && close !== undefined) spans.push([open.start, close.end], [open.end, close.start]);
  }
  const token = tokenAt(syntax, offset);
  if (token !== undefined) spans.push([token.start, token.end]);
  let chain: SelectionRange | undefined;
  let [outerStart, outerEnd] = [-1, Number.MAX_SAFE_INTEGER];
  for (const [start, end] of spans) {
    const isInside = start >= outerStart && end <= outerEnd && (start > outerStart || end < outerEnd);
    if (!isInside || start > offset || end < offset) continue;
    chain = { range: rangeOf(document, start, end), ...(chain === undefined ? {} : { parent: chain }) };
    [outerStart, outerEnd] = [start, end];
  }
  return chain ?? { range: rangeOf(document, offset, offset) };
}

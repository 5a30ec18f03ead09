/** Document links: included and embedded files, and the base that a comment names. */

import { posix } from 'node:path';
import type { DocumentLink } from 'vscode-languageserver';
import type { Analysis } from '../analysis';
import { statedBaseRange } from '../contexts';
import type { SourceDocument } from '../documents';
import { uriOfPath } from '../files';
import { rangeOf } from '../positions';
import { includedPath, includesOf } from '../symbols';

/** Links of a document to the files that its root read. */
export function documentLinks(source: SourceDocument, analysis: Analysis, includePaths: readonly string[]): DocumentLink[] {
  const { document, syntax, path } = source;
  const links = includesOf(syntax).flatMap((include): DocumentLink[] => {
    const target = includedPath(analysis, path, include, includePaths);
    return target === undefined ? [] : [{ range: rangeOf(document, include.start, include.end), target: uriOfPath(target) }];
  });
  for (const [index, token] of syntax.tokens.entries()) {
    if (token.text !== '/incbin/') continue;
    const name = syntax.tokens.slice(index + 1, index + 3).find(({ kind }) => kind === 'string');
    if (name !== undefined) links.push({ range: rangeOf(document, name.start + 1, name.end - 1), target: uriOfPath(posix.join(posix.dirname(path), name.text.slice(1, -1))) });
  }
  const base = statedBaseRange(path, syntax.text);
  if (base !== undefined) links.push({ range: rangeOf(document, base.start, base.end), target: uriOfPath(base.path) });
  return links;
}

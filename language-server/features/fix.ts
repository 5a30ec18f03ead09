/** What a quick fix is made from, and what it is. */

import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import type { Problem } from '../judgement';
import type { SourceEdit } from './source-edits';

/** A problem at work: where it is, and the parts of the file around it. */
export interface FixContext {
  readonly source: SourceDocument;
  readonly analysis: Analysis;
  readonly problem: Problem;
  readonly start: number;
  readonly end: number;
  /** Innermost last. */
  readonly parts: readonly SyntaxNode[];
}

/** A title and the edits in the document. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly SourceEdit[];
}

/** What a quick fix is made from, and what it is. */

import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import type { Problem } from '../problem';
import type { SourceEdit } from './source-edits';

/** A problem at work: where it is, and the parts of the file around it. */
export interface FixContext {
  readonly source: SourceDocument;
  readonly analysis: Analysis;
  /** The base that an overlay is for. */
  readonly base: Analysis | undefined;
  readonly problem: Problem;
  readonly start: number;
  readonly end: number;
  /** Innermost last. */
  readonly parts: readonly SyntaxNode[];
}

/** An edit of the document at work, or of another file of the tree. */
export interface FileEdit extends SourceEdit {
  readonly path?: string;
}

/** A title and the edits. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly FileEdit[];
}

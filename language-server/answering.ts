/** How requests about documents are answered: the document is found, cancelled requests are dropped, and what the document means is at hand. */

import { LSPErrorCodes, ResponseError, type CancellationToken, type Position } from 'vscode-languageserver';
import type { Analysis } from './analysis';
import type { SourceDocument } from './documents';
import { checkedDocumentUri, checkedPosition } from './parameters';
import type { Workspace } from './workspace';

/** A document at an offset, with what it means. */
export interface Meaning {
  readonly source: SourceDocument;
  readonly analysis: Analysis;
  readonly offset: number;
}

/** Makes handlers for a connection. */
export class Answering {
  readonly workspace: Workspace;

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  /** Answers about a document; `nothing` for one that is not open. */
  about<P, R>(nothing: R, answer: (source: SourceDocument, params: P) => R): (params: P, token: CancellationToken) => R {
    return (params, token) => {
      if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'The request was cancelled.');
      const source = this.workspace.documents.byUri(checkedDocumentUri(params));
      return source === undefined ? nothing : answer(source, params);
    };
  }

  /** The same with what the document means. */
  analysed<P, R>(nothing: R, answer: (at: { readonly source: SourceDocument; readonly analysis: Analysis }, params: P) => R): (params: P, token: CancellationToken) => R {
    return this.about<P, R>(nothing, (source, params) => {
      const analysis = this.workspace.analysisFor(source.path);
      return analysis === undefined ? nothing : answer({ source, analysis }, params);
    });
  }

  /** The same at a position. */
  meaning<P extends { position: Position }, R>(nothing: R, answer: (at: Meaning, params: P) => R): (params: P, token: CancellationToken) => R {
    return this.analysed<P, R>(nothing, ({ source, analysis }, params) => answer({ source, analysis, offset: source.document.offsetAt(checkedPosition(params.position)) }, params));
  }
}

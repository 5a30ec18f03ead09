/** The open documents by path, each with the structure of its text. Not the disk: that is `files.ts`. */

import type { TextDocument } from 'vscode-languageserver-textdocument';
import { parseSyntax, type SyntaxTree } from '../runtime/devicetree/syntax/tree';
import { FILE_SIZE_MAX, pathOfUri } from './files';

/** What is needed of the list of open documents. */
export interface OpenList {
  all(): readonly TextDocument[];
  get(uri: string): TextDocument | undefined;
}

/** A document with the structure of its text. */
export interface SourceDocument {
  readonly path: string;
  readonly document: TextDocument;
  readonly syntax: SyntaxTree;
}

/** Open documents, read through the list that the protocol keeps up to date. */
export class OpenDocuments {
  private readonly list: OpenList;
  private readonly known = new Map<string, { readonly version: number; readonly text: string; readonly source: SourceDocument }>();
  private readonly pathsByUri = new Map<string, string>();

  constructor(list: OpenList) {
    this.list = list;
  }

  /** The document with this URI, if it is open. */
  byUri(uri: string): SourceDocument | undefined {
    const document = this.list.get(uri);
    return document === undefined || isTooLarge(document) ? undefined : this.sourceOf(document);
  }

  /** The document with this path, if it is open. */
  byPath(path: string): TextDocument | undefined {
    return this.list.all().find(({ uri }) => this.pathOf(uri) === path);
  }

  /** Text of the document with this path, if it is open and not too large to be read. */
  textOf(path: string): string | undefined {
    const document = this.byPath(path);
    return document === undefined || isTooLarge(document) ? undefined : document.getText();
  }

  /** Paths of all open documents that are read, in alphabetical order. */
  get paths(): readonly string[] {
    return this.list.all().filter((document) => !isTooLarge(document)).map(({ uri }) => this.pathOf(uri)).sort();
  }

  /** Paths of those that are too large to be read. */
  get unread(): readonly string[] {
    return this.list.all().filter(isTooLarge).map(({ uri }) => this.pathOf(uri));
  }

  /** Forgets what is known of a document that was closed. */
  forget(uri: string): void {
    this.known.delete(uri);
    this.pathsByUri.delete(uri);
  }

  private pathOf(uri: string): string {
    const known = this.pathsByUri.get(uri) ?? pathOfUri(uri);
    this.pathsByUri.set(uri, known);
    return known;
  }

  private sourceOf(document: TextDocument): SourceDocument {
    const text = document.getText();
    const known = this.known.get(document.uri);
    if (known?.version === document.version && known.text === text) return known.source;
    const source = { path: this.pathOf(document.uri), document, syntax: parseSyntax(text) };
    this.known.set(document.uri, { version: document.version, text, source });
    return source;
  }
}

function isTooLarge(document: TextDocument): boolean {
  return document.getText().length > FILE_SIZE_MAX;
}

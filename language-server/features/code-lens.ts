/** Lenses above nodes: how many places refer to a labelled node, and to which node of the base a part of an overlay applies. */

import type { CodeLens, Command, Location } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import { uriOfPath } from '../files';
import { documentOf, rangeOf, rangeOfPlace } from '../positions';
import { labelOf, labelReferences } from '../symbols';

/** What lenses need besides the document. */
export interface LensContext {
  readonly analysis: Analysis;
  /** The base that an overlay is for. */
  readonly base: Analysis | undefined;
  /** A command of the client that shows places: `(uri, position, locations)`; without one, lenses only say. */
  readonly showPlaces: string | undefined;
}

/** The lenses of a document. */
export function codeLenses(source: SourceDocument, context: LensContext): CodeLens[] {
  const lenses: CodeLens[] = [];
  const documents = new Map<string, TextDocument>();
  const visit = (node: SyntaxNode): void => {
    if (node.kind === 'node' && node.name !== undefined) {
      const places = node.name.kind === 'ref' ? targetLens(node.name.text, context) : referenceLens(node, context, documents);
      if (places !== undefined) lenses.push(lensAt(source, node, places, context.showPlaces));
    }
    for (const child of node.children) visit(child);
  };
  visit(source.syntax.root);
  return lenses;
}

interface Places { readonly title: string; readonly locations: readonly Location[] }

/** In an overlay, where a reference leads in the base. */
function targetLens(reference: string, { analysis, base }: LensContext): Places | undefined {
  if (!analysis.tree.plugin && base === undefined) return undefined;
  if (base === undefined) return { title: 'applies to a base that is not known', locations: [] };
  const [node] = nodeOfReference(base.tree, reference);
  if (node === undefined) return { title: `${nameOf(base)} has no ${reference}`, locations: [] };
  const text = node.origin === undefined ? undefined : base.textOf(node.origin.file);
  const locations = node.origin === undefined || text === undefined ? [] : [locationOf(node.origin, text)];
  return { title: `applies to ${node.path} of ${nameOf(base)}`, locations };
}

function locationOf(origin: { readonly file: string; readonly line: number; readonly column: number }, text: string): Location {
  const uri = uriOfPath(origin.file);
  return { uri, range: rangeOfPlace(documentOf(uri, text), origin) };
}

function nameOf({ root }: Analysis): string {
  return root.slice(root.lastIndexOf('/') + 1);
}

function referenceLens(node: SyntaxNode, { analysis }: LensContext, documents: Map<string, TextDocument>): Places | undefined {
  const labels = new Set(node.labels.flatMap(({ text }) => labelOf(text) ?? []));
  if (labels.size === 0) return undefined;
  const locations = [...labels].flatMap((label) => labelReferences(analysis, label)).map(({ path, start, end }) => {
    const document = documents.get(path) ?? documentOf(uriOfPath(path), analysis.textOf(path) ?? '');
    documents.set(path, document);
    return { uri: document.uri, range: rangeOf(document, start, end) };
  });
  return { title: locations.length === 1 ? '1 reference' : `${String(locations.length)} references`, locations };
}

function lensAt({ document, syntax }: SourceDocument, node: SyntaxNode, { title, locations }: Places, showPlaces: string | undefined): CodeLens {
  const start = syntax.tokens[node.from]?.start ?? 0;
  const range = rangeOf(document, start, node.name?.end ?? start);
  const command: Command = showPlaces === undefined || locations.length === 0 ? { title, command: '' } : { title, command: showPlaces, arguments: [document.uri, range.start, [...locations]] };
  return { range, command };
}

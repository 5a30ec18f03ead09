/**
 * Inlay hints behind values: what the cells of `reg`, `ranges` and `interrupts` come to, addresses as the CPUs see them, and what the
 * capability ids of Gunyah's nodes are for. Only where the property is the one that counts in the merged tree.
 */

import { InlayHintKind, MarkupKind, type InlayHint, type Range } from 'vscode-languageserver';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import { offsetsOf } from '../positions';
import { mergedNode } from '../symbols';
import { DECODED, decodedEntries, namesOfEntries } from './decoded-values';
import { isAdrift, landed } from './landing';

/** Most entries of one property that are written out. */
const ENTRIES_SHOWN = 4;
/** The same in the tooltip. */
const ENTRIES_LISTED = 64;

/** What hints are made from. */
export interface HintContext {
  readonly analysis: Analysis;
  /** The base that an overlay is for. */
  readonly base: Analysis | undefined;
}

/** The hints in a range of a document. */
export function inlayHints(source: SourceDocument, { analysis, base }: HintContext, range: Range): InlayHint[] {
  const { document, syntax } = source;
  const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const hints: InlayHint[] = [];
  const visit = (node: SyntaxNode, above: readonly SyntaxNode[]): void => {
    const [first, last] = [syntax.tokens[node.from], syntax.tokens[node.to - 1]];
    if (first === undefined || last === undefined || first.start > to || last.end < from) return;
    if (node.kind === 'property') {
      const words = wordsOf(source, { analysis, base }, { property: node, above });
      hints.push(...entryNames(source, { analysis, base }, { property: node, above }));
      const end = node.semicolon === undefined ? last.end : (syntax.tokens[node.semicolon]?.end ?? last.end);
      if (words !== undefined && node.equals !== undefined) hints.push({ position: document.positionAt(end), label: shortened(words), tooltip: { kind: MarkupKind.Markdown, value: words.map((one) => `- ${one}`).join('\n') }, paddingLeft: true, kind: InlayHintKind.Type });
    }
    for (const child of node.children) visit(child, [...above, node]);
  };
  for (const child of syntax.root.children) visit(child, [syntax.root]);
  return hints;
}

interface TypedProperty {
  readonly property: SyntaxNode;
  /** The parts of the file around it. */
  readonly above: readonly SyntaxNode[];
}

function wordsOf({ path, syntax }: SourceDocument, { analysis, base }: HintContext, { property, above }: TypedProperty): readonly string[] | undefined {
  const name = property.name?.text ?? '';
  const merged = DECODED.has(name) ? mergedNode(analysis, path, above) : undefined;
  const node = merged === undefined || isAdrift(analysis, base) ? undefined : resolved(merged, analysis, base);
  const value = node?.property(name);
  if (node === undefined || value?.origin === undefined || value.origin.file !== path) return undefined;
  // Another body may have replaced the value; then this text no longer counts.
  if (offsetsOf(syntax.text, value.origin).start !== property.name?.start) return undefined;
  const entries = decodedEntries(node, value, analysis.judged.root);
  return entries.length === 0 ? undefined : entries.slice(0, ENTRIES_LISTED);
}

/** What fits behind a value; the tooltip says all of it. */
function shortened(entries: readonly string[]): string {
  return entries.slice(0, ENTRIES_SHOWN).join('; ') + (entries.length > ENTRIES_SHOWN ? `; ${String(entries.length - ENTRIES_SHOWN)} more` : '');
}

function resolved(node: DtNode, analysis: Analysis, base: Analysis | undefined): DtNode | undefined {
  return analysis.judged.root.at(landed(node, analysis, base).path);
}

/** In front of each reference of a list the name that a `…-names` beside it gives the entry. */
function entryNames({ document, path, syntax }: SourceDocument, { analysis, base }: HintContext, { property, above }: TypedProperty): InlayHint[] {
  const references = syntax.tokens.slice(property.from, property.to).filter(({ kind }) => kind === 'ref');
  const merged = references.length === 0 ? undefined : mergedNode(analysis, path, above);
  const names = merged === undefined ? [] : namesOfEntries(landed(merged, analysis, base), property.name?.text ?? '');
  return names.length !== references.length ? [] : references.flatMap(({ start }, index) => {
    const name = names[index];
    // The bracket belongs to the entry.
    const at = syntax.text[start - 1] === '<' ? start - 1 : start;
    return name === undefined ? [] : [{ position: document.positionAt(at), label: `${name}:`, paddingRight: true, kind: InlayHintKind.Parameter }];
  });
}

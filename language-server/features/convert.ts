/** Trees from one form into another: the merged tree as source, blobs out of source, source out of blobs. */

import { applyOverlay } from '../../runtime/devicetree/overlay';
import { encodeDtb } from '../../runtime/devicetree/dtb';
import { compileDts } from '../../runtime/devicetree/dts-parser';
import { linkTree } from '../../runtime/devicetree/link';
import { printDtsLines } from '../../runtime/devicetree/print';
import { hasErrors } from '../../runtime/devicetree/source';
import type { DeviceTree } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import { pathOfUri, uriOfPath } from '../files';
import { documentOf, rangeOfPlace } from '../positions';
import type { CompiledTree, LineOrigin, MergedTree, PrintedTree, TreeInput } from '../protocol';
import { problemsOf, type TreeSource } from '../tree-source';

/** A tree as source, each line with its origin. Lines and columns of origins count as the library does: lines end at line feeds. */
export function printed(tree: DeviceTree): Omit<PrintedTree, 'problems'> {
  const files = new Map<string, number>();
  const lines = printDtsLines(tree);
  const origins = lines.map(({ origin }): LineOrigin => {
    if (origin === undefined) return null;
    const file = files.get(origin.file) ?? files.size;
    files.set(origin.file, file);
    return [file, origin.line - 1, origin.column - 1];
  });
  return { text: lines.map(({ text }) => `${text}\n`).join(''), files: [...files.keys()].map(uriOfPath), origins };
}

/** The merged tree of the root that speaks for a document. */
export function mergedTree(sources: TreeSource, uri: string, form: 'own' | 'applied'): MergedTree | null {
  const analysis = sources.analysis(uri);
  if (analysis === undefined) return null;
  const base = analysis.tree.plugin ? sources.workspace.baseOf(analysis) : undefined;
  const applied = form === 'applied' && base !== undefined ? appliedTo(base, analysis) : undefined;
  return { ...printed(applied ?? analysis.tree), problems: problemsOf(analysis), root: uriOfPath(analysis.root), base: base === undefined ? null : uriOfPath(base.root) };
}

/** The tree that an overlay makes of its base; `undefined` if it cannot be applied. */
export function appliedTo(base: Analysis, overlay: Analysis): DeviceTree | undefined {
  const merged = applyOverlay(linkTree(base.tree, { symbols: true }).tree, overlay.linked);
  return merged.ok ? merged.value : undefined;
}

/** The blob of the root that speaks for a document. */
export function compiledTree(sources: TreeSource, uri: string, options: { readonly symbols: boolean }): CompiledTree | null {
  const analysis = sources.analysis(uri);
  if (analysis === undefined) return null;
  const linked = options.symbols ? linkTree(analysis.tree, options).tree : analysis.linked;
  const bytes = hasErrors(analysis.compileProblems) ? null : Buffer.from(encodeDtb(linked)).toString('base64');
  return { root: uriOfPath(analysis.root), bytes, name: blobName(analysis.root, analysis.tree), problems: problemsOf(analysis) };
}

/** The blob of a text that stands alone. */
export function compiledText(uri: string, text: string, options: { readonly symbols: boolean }): CompiledTree {
  const { bytes, tree, diagnostics } = compileDts(text, options);
  const document = documentOf(uri, text);
  const found = diagnostics.map(({ severity, code, message, ...place }) => ({ range: rangeOfPlace(document, place), severity: severity === 'error' ? 1 as const : 2 as const, code, message }));
  return {
    root: uri, bytes: hasErrors(diagnostics) ? null : Buffer.from(bytes).toString('base64'), name: blobName(pathOfUri(uri), tree),
    problems: found.length === 0 ? [] : [{ uri, diagnostics: found }],
  };
}

function blobName(root: string, tree: DeviceTree): string {
  const stem = root.slice(root.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return `${stem}.${tree.plugin ? 'dtbo' : 'dtb'}`;
}

/** The source of a blob. */
export function decompiled(sources: TreeSource, input: TreeInput): PrintedTree | null {
  const named = sources.tree(input);
  return named === undefined ? null : { ...printed(named.analysis?.tree ?? named.tree), problems: named.problems };
}

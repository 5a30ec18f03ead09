/** Trees that a request names: the analysis of a document or file, or a decoded blob. Also where things of a tree stand in files. */

import { decodeDtb, isDtb } from '../runtime/devicetree/dtb';
import type { DtDiagnostic, SourceOrigin } from '../runtime/devicetree/source';
import { deviceTree, DtNode, type DeviceTree } from '../runtime/devicetree/tree';
import type { Analysis } from './analysis';
import { diagnosticsByFile } from './features/diagnostics';
import { pathOfUri, uriOfPath } from './files';
import { documentOf, rangeOfPlace } from './positions';
import type { FilePlace, FileProblems, TreeInput } from './protocol';
import type { Workspace } from './workspace';

/** A tree with where it came from. */
export interface NamedTree {
  /** Linked; from source or from a blob. */
  readonly tree: DeviceTree;
  readonly analysis: Analysis | undefined;
  readonly problems: readonly FileProblems[];
}

/** Finds the trees of requests. */
export class TreeSource {
  readonly workspace: Workspace;

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  /** The analysis that speaks for a document or readable file. */
  analysis(uri: string): Analysis | undefined {
    return this.workspace.analysisOfAny(pathOfUri(uri));
  }

  /** The tree that an input names; `undefined` if it cannot be read. */
  tree(input: TreeInput): NamedTree | undefined {
    if ('bytes' in input) return blobTree(new Uint8Array(Buffer.from(input.bytes, 'base64')), '');
    const path = pathOfUri(input.uri);
    const bytes = this.workspace.documents.byPath(path) === undefined ? this.workspace.files.readBytes(path) : undefined;
    if (bytes !== undefined && isDtb(bytes)) return blobTree(bytes, input.uri);
    const analysis = this.analysis(input.uri);
    return analysis === undefined ? undefined : { tree: analysis.linked, analysis, problems: problemsOf(analysis) };
  }
}

function blobTree(bytes: Uint8Array, uri: string): NamedTree | undefined {
  const decoded = decodeDtb(bytes);
  const found: readonly DtDiagnostic[] = decoded.ok ? decoded.value.diagnostics : [decoded.error];
  const start = { line: 0, character: 0 };
  const diagnostics = found.map(({ severity, code, message }) => ({ range: { start, end: start }, severity: severity === 'error' ? 1 as const : 2 as const, code, message }));
  const problems = diagnostics.length === 0 ? [] : [{ uri, diagnostics }];
  if (!decoded.ok) return { tree: deviceTree(new DtNode('')), analysis: undefined, problems };
  return { tree: decoded.value.tree, analysis: undefined, problems };
}

/** The problems of all files of an analysis. */
export function problemsOf(analysis: Analysis): readonly FileProblems[] {
  return [...diagnosticsByFile(analysis)].map(([path, diagnostics]) => ({ uri: uriOfPath(path), diagnostics }));
}

/** Where an origin lies in its file. */
export function placeOf(analysis: Analysis | undefined, origin: SourceOrigin | undefined): FilePlace | null {
  const text = origin === undefined ? undefined : analysis?.textOf(origin.file);
  if (origin === undefined || text === undefined) return null;
  const uri = uriOfPath(origin.file);
  return { uri, range: rangeOfPlace(documentOf(uri, text), origin) };
}

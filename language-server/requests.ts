/** The requests of `protocol.ts`: parameters are checked here, trees are made and printed in `features/`. */

import type { Connection } from 'vscode-languageserver';
import type { TreeInput } from './protocol';
import { compareInputs } from './features/compare';
import { compiledText, compiledTree, decompiled, mergedTree } from './features/convert';
import { memoryMapOf } from './features/memory-map';
import { rmOverlay } from './features/rm-overlay';
import { invalid } from './parameters';
import { field } from './settings';
import { TreeSource } from './tree-source';
import type { Workspace } from './workspace';

/** Answers the requests about whole trees. */
export function answerTreeRequests(connection: Connection, workspace: Workspace): void {
  const sources = new TreeSource(workspace);
  connection.onRequest('gunyah/dt/mergedTree', (params: unknown) => mergedTree(sources, checkedUri(params), field(params, 'form') === 'applied' ? 'applied' : 'own'));
  connection.onRequest('gunyah/dt/compile', (params: unknown) => {
    const [uri, text, options] = [checkedUri(params), field(params, 'text'), { symbols: field(params, 'symbols') === true }];
    return typeof text === 'string' ? compiledText(uri, text, options) : compiledTree(sources, uri, options);
  });
  connection.onRequest('gunyah/dt/decompile', (params: unknown) => decompiled(sources, checkedInput(params)));
  connection.onRequest('gunyah/dt/rmOverlay', (params: unknown) => rmOverlay(sources, checkedUri(params), field(params, 'trust') === 'untrusted' ? 'untrusted' : 'trusted'));
  connection.onRequest('gunyah/dt/memoryMap', (params: unknown) => memoryMapOf(sources, checkedInput(params)));
  connection.onRequest('gunyah/dt/compare', (params: unknown) => compareInputs(sources, checkedInput(field(params, 'left')), checkedInput(field(params, 'right'))));
}

function checkedUri(params: unknown): string {
  const uri = field(params, 'uri');
  if (typeof uri !== 'string') throw invalid('a uri');
  return uri;
}

function checkedInput(given: unknown): TreeInput {
  const [uri, bytes] = [field(given, 'uri'), field(given, 'bytes')];
  if (typeof uri === 'string') return { uri };
  if (typeof bytes === 'string') return { bytes };
  throw invalid('a tree with a uri or with bytes in base 64');
}

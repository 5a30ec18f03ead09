/** Starts the language server on a pair of Node's streams. Not the command line: that is `cli/dt-lsp.ts`. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { setEngineFlags } from './engine';
import { serve } from './server';

/** Serves one client on its streams; the process ends when the client says so or its stream ends. */
export function serveLanguage(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, options: { readonly includePaths?: readonly string[] } = {}): void {
  tuneEngine();
  serve(createConnection(ProposedFeatures.all, input, output), { ...options, later: afterPause, soon: (run) => { setImmediate(run); } });
}

/** Sets V8 for a server; as early as can be. */
export function tuneEngine(): void {
  setEngineFlags();
  collectOnce();
}

/**
 * Collects what starting has left. V8 marks its whole heap for the first time once it has grown by some 8 MB, which a first tree just does; from a collection on it goes
 * by growth instead, and may grow to four times the little that there is now.
 */
function collectOnce(): void {
  setFlagsFromString('--heap-growing-percent=300');
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect();
  setEngineFlags();
}

function afterPause(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => { clearTimeout(timer); };
}

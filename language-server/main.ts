/** Starts the language server on a pair of Node's streams. Not the command line: that is `cli/dt-lsp.ts`. */

import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serve } from './server';

/** Serves one client on its streams; the process ends when the client says so or its stream ends. */
export function serveLanguage(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, options: { readonly includePaths?: readonly string[] } = {}): void {
  serve(createConnection(ProposedFeatures.all, input, output), { ...options, later: afterPause });
}

function afterPause(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds);
  return () => { clearTimeout(timer); };
}

/** `gunyah dt lsp`: the language server of device trees on standard input and output. */

import { serveLanguage } from '../language-server/main';
import { parseArguments } from './arguments';

/** Lines for the command's usage. */
export const DT_LSP_USAGE = `  gunyah dt lsp [--include DIR]           language server for device trees on standard input and output`;

const EXIT_USAGE = 2;

/**
 * Serves until the client has gone; the exit status if the words are wrong. `--stdio` and `--clientProcessId` are what
 * clients add by custom; the protocol's library reads the latter to notice when its client has died.
 */
export function dtLspCommand(words: readonly string[]): number | undefined {
  const parsed = parseArguments(words, { include: { takesValue: true, repeats: true }, stdio: { takesValue: false }, clientProcessId: { takesValue: true } });
  const problem = typeof parsed === 'string' ? parsed : parsed.positional.length > 0 ? `There is nothing to do with ${parsed.positional[0] ?? ''}.` : undefined;
  if (typeof parsed === 'string' || problem !== undefined) {
    process.stderr.write(`${problem ?? ''}\n${DT_LSP_USAGE}\n`);
    return EXIT_USAGE;
  }
  serveLanguage(process.stdin, process.stdout, { includePaths: parsed.options.get('include') ?? [] });
  return undefined;
}

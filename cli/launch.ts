/**
 * The command as it is installed: loads the program that does what is asked. The language server is a program of its own, since it runs for hours beside an editor and
 * should carry nothing else. What the command does is in `main.ts` and `dt-lsp-main.ts`.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';

const [command, subcommand] = process.argv.slice(2);
createRequire(__filename)(join(__dirname, command === 'dt' && subcommand === 'lsp' ? 'dt-lsp.js' : 'gunyah.js'));

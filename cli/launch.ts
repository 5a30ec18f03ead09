/**
 * The command as it is installed: loads the program that does what is asked. The language server is a program of its own, since it runs for hours beside an editor and
 * should carry nothing else. What the command does is in `main.ts` and `dt-lsp-main.ts`.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';

import { setEngineFlags } from '../language-server/engine';
import { runProgram } from './compiled-program';

const [command, subcommand] = process.argv.slice(2);
if (command === 'dt' && subcommand === 'lsp') runProgram(join(__dirname, 'dt-lsp.js'), setEngineFlags);
else createRequire(__filename)(join(__dirname, 'gunyah.js'));

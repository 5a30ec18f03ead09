/** The program behind `gunyah dt lsp`, loaded by `launch.ts`. */

import { dtLspCommand } from './dt-lsp';

process.exitCode = dtLspCommand(process.argv.slice(4));

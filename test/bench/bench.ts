/**
 * `npm run bench [-- --json] [-- --only kernels|linux|adapter|devicetree] [-- --rounds N]`: every figure the project promises, each measured beside what
 * it is compared with, in one run. `--json` prints a list of {name, value, unit, against, rival, ratio}; rows that could not be
 * measured go to stderr and make the exit status 1.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { measureAdapter } from './adapter';
import { measureDeviceTrees } from './device-trees';
import { type Figure, type Unmeasured, formatFigure } from './figure';
import { measureKernels } from './kernels';
import { measureLinux } from './linux';
import { measureRing } from './ring';

const REPOSITORY = resolve(__dirname, '..', '..');
const COMMAND_FILE = resolve(REPOSITORY, 'dist', 'cli.js');
const DEFAULT_ROUNDS = '3';

/** The bundled command, made anew so that the figures are those of the sources. */
function bundleCommand(): string | undefined {
  spawnSync('npm', ['run', '--silent', 'bundle'], { cwd: REPOSITORY, stdio: ['ignore', 2, 2] });
  return existsSync(COMMAND_FILE) ? COMMAND_FILE : undefined;
}

function kernels(commandFile: string, rounds: number): (Figure | Unmeasured)[] {
  try {
    return measureKernels(commandFile, rounds);
  } catch (error) {
    return [{ name: 'kernels', reason: error instanceof Error ? error.message : String(error) }];
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' }, rounds: { type: 'string', default: DEFAULT_ROUNDS } } });
  const commandFile = bundleCommand();
  if (commandFile === undefined) {
    console.error('dist/cli.js is missing and `npm run bundle` did not make it.');
    process.exitCode = 1;
    return;
  }
  const rounds = Math.max(1, Number(values.rounds));
  const isWanted = (part: string): boolean => values.only === undefined || values.only === part;
  const results = [
    ...(isWanted('kernels') ? kernels(commandFile, rounds) : []),
    ...(isWanted('linux') ? measureLinux(commandFile, rounds) : []),
    ...(isWanted('devicetree') ? await measureDeviceTrees(commandFile, rounds) : []),
    ...(isWanted('ring') ? measureRing(rounds) : []),
    ...(isWanted('adapter') ? await measureAdapter(commandFile) : []),
  ];
  const figures = results.filter((result): result is Figure => 'value' in result);
  const failed = results.filter((result): result is Unmeasured => 'reason' in result);
  console.log(values.json === true ? JSON.stringify(figures, undefined, 2) : figures.map(formatFigure).join('\n'));
  for (const { name, reason } of failed) console.error(`${name}: not measured: ${reason}`);
  if (failed.length > 0) process.exitCode = 1;
}

void main();

// Installs the npm packages of a fresh clone, so that every npm script works at once. What npm prints goes to standard error.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;

/** The repository's root. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Says what is wrong and ends the process. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Checks Node's version and runs `npm ci` if there are no packages yet. */
export function ensurePackages() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) fail(`Node ${NODE_MAJOR_MIN} or newer is needed; this is ${process.version}.`);
  if (existsSync(join(REPOSITORY, 'node_modules', 'tsx'))) return;
  console.error('Installing npm packages (npm ci) …');
  if (spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: REPOSITORY, stdio: ['ignore', 2, 2] }).status !== 0) fail('npm ci failed; see above.');
}

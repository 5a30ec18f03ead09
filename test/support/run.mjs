// Runs a TypeScript program of this repository, also in a fresh clone: node test/support/run.mjs FILE ARGUMENT…
import { spawnSync } from 'node:child_process';
import { ensurePackages, REPOSITORY } from './packages.mjs';

ensurePackages();
const { status } = spawnSync(process.execPath, ['--import', 'tsx', ...process.argv.slice(2)], { cwd: REPOSITORY, stdio: 'inherit' });
process.exit(status ?? 1);

// Makes a fresh clone ready for its tests: npm packages, and the Debian tools that tests compare with. Root (as in CI) installs
// those; others get the one line to type, and the tests that need a missing tool are left out, which fails only where CI=true.
import { spawnSync } from 'node:child_process';
import { ensurePackages, REPOSITORY } from './packages.mjs';
import { installLine, isInstalled, lookAgain, missingTools, packagesOf } from './tools.mjs';

function aptGet(...args) {
  return spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0;
}

function installTools(missing) {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !isInstalled('apt-get')) return;
  console.log(`Installing Debian packages: ${packagesOf(missing).join(' ')} …`);
  aptGet('update');
  // One by one if all together fail, so that one missing package does not cost the others.
  if (!aptGet('install', '-y', '--no-install-recommends', ...packagesOf(missing))) for (const name of packagesOf(missing)) aptGet('install', '-y', '--no-install-recommends', name);
}

ensurePackages();
process.chdir(REPOSITORY);
if (missingTools().length > 0) {
  installTools(missingTools());
  lookAgain();
  if (missingTools().length > 0) console.log(`Some tests need tools that are not installed: ${installLine(missingTools())}`);
}

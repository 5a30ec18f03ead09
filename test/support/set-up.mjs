// Makes a fresh clone ready for its tests: npm packages, and the Debian tools that tests compare with. Root (as in CI) installs
// those; others get the one line to type, and the tests that need a missing tool are left out, which fails only where CI=true.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installLine, isInstalled, lookAgain, missingTools, packagesOf } from './tools.mjs';

const NODE_MAJOR_MIN = 20;

function fail(message) {
  console.error(message);
  process.exit(1);
}

function checkNode() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) fail(`Node ${NODE_MAJOR_MIN} or newer is needed; this is ${process.version}.`);
}

function installPackages() {
  if (existsSync('node_modules/typescript') && existsSync('node_modules/tsx')) return;
  console.log('Installing npm packages (npm ci) …');
  if (spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) fail('npm ci failed; see above.');
}

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

checkNode();
process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
installPackages();
if (missingTools().length > 0) {
  installTools(missingTools());
  lookAgain();
  if (missingTools().length > 0) console.log(`Some tests need tools that are not installed: ${installLine(missingTools())}`);
}

// Everything that `npm test` checks, step by step: set-up, types, lint, bundles, samples, the suites in VS Code, and last Node's test runner.
// A step that fails does not keep the next ones from running; the first one without which nothing works (set-up) does.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { REPOSITORY } from './packages.mjs';

const MINUTE_MS = 60_000;

process.chdir(REPOSITORY);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Steps in order. A step whose script package.json does not have is no step. `failures` is where a step writes what failed: it is shown again at the very end. */
const STEPS = [
  { name: 'set-up', command: [process.execPath, 'test/support/set-up.mjs'], minutes: 10, isVital: true },
  { name: 'types', script: 'typecheck', minutes: 5 },
  { name: 'lint', script: 'lint', minutes: 5 },
  { name: 'bundle', script: 'bundle', minutes: 3, needs: 'esbuild.config.mjs' },
  { name: 'samples', script: 'build:samples', minutes: 3 },
  { name: 'VS Code', script: 'test:vscode', minutes: 25, failures: 'test-output/vscode-failures.txt', needs: 'test/vscode/run.mjs' },
  { name: 'tests', script: 'test:unit', minutes: 30, failures: 'test-output/test-failures.txt' },
];

function run({ name, command, script, minutes, failures }, position) {
  console.log(`\n[${position}] ${name}`);
  if (failures !== undefined) rmSync(failures, { force: true });
  const [program, ...args] = command ?? ['npm', 'run', '--silent', script];
  const started = Date.now();
  const result = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: minutes * MINUTE_MS, killSignal: 'SIGTERM' });
  const seconds = Math.round((Date.now() - started) / 1000);
  if (result.error?.code === 'ETIMEDOUT') console.error(`${name}: stopped after ${minutes} minutes`);
  return { name, ok: result.status === 0, seconds };
}

const isPresent = ({ command, script, needs }) => (command !== undefined || scripts[script] !== undefined) && (needs === undefined || existsSync(needs));
const steps = STEPS.filter(isPresent);
const results = [];
for (const [index, step] of steps.entries()) {
  const before = results.map(({ name, ok, seconds }) => `${name} ${ok ? 'ok' : 'FAILED'} ${seconds} s`);
  if (index === steps.length - 1 && before.length > 0) console.log(`\nSo far: ${before.join(' · ')}`);
  results.push(run(step, `${index + 1}/${steps.length}`));
  if (step.isVital && !results.at(-1).ok) break;
}

const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
for (const { name, failures } of steps.filter((step) => failed.includes(step.name))) {
  if (failures !== undefined && existsSync(failures)) console.error(`\n${name}, once more what failed:\n${readFileSync(failures, 'utf8')}`);
}
if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);

// Finds the test files and hands them to Node's own test runner. Arguments are parts of paths: `npm run test:unit -- dtb`, or options
// of the runner: `npm run test:unit -- msgqueue --test-name-pattern "full queue"`. A file that hangs is stopped.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { TOOLS, commandsNeededBy, installLine, isInstalled } from './tools.mjs';

const FILE_TIMEOUT_MS = 300_000;
const RECORD = join('test-output', 'tests.tap');
const FAILURES = join('test-output', 'test-failures.txt');
const FAILURES_TOLD = 30;
const FACTS_OF_A_FAILURE = 14;

const words = process.argv.slice(2);
const firstOption = words.findIndex((word) => word.startsWith('-'));
const filters = firstOption < 0 ? words : words.slice(0, firstOption);
const options = firstOption < 0 ? [] : words.slice(firstOption);

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('vscode'))
  .map((name) => join('test', name))
  .filter((name) => filters.length === 0 || filters.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`No test file matches ${filters.join(' ')}.`);
  process.exit(1);
}

const missingOf = (file) => commandsNeededBy(file).filter((command) => !isInstalled(command));
const leftOut = files.map((file) => ({ file, missing: missingOf(file) })).filter(({ missing }) => missing.length > 0);
const runnable = files.filter((file) => !leftOut.some((one) => one.file === file));

function reportLeftOut() {
  if (leftOut.length === 0) return;
  for (const { file, missing } of leftOut) console.log(`LEFT OUT: ${file} needs ${missing.join(', ')}`);
  const tools = TOOLS.filter(({ commands }) => leftOut.some(({ missing }) => missing.some((command) => commands.includes(command))));
  console.log(`${leftOut.length} of ${files.length} test files were left out. To run them: ${installLine(tools)}`);
}

/** The runner prints the failures after its summary; who reads the last lines wants the summary. */
function repeatSummary() {
  if (!existsSync(RECORD)) return;
  for (const line of readFileSync(RECORD, 'utf8').split('\n').filter((one) => /^# (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(one))) console.log(line.replace('#', 'ℹ'));
}

/** What failed, in a file: name, place and error of each test that has no failing test inside it. */
function writeFailures() {
  if (!existsSync(RECORD)) return;
  const lines = readFileSync(RECORD, 'utf8').split('\n');
  const texts = [];
  for (const [index, line] of lines.entries()) {
    const name = /^\s*not ok \d+ - (.*)/.exec(line)?.[1];
    if (name === undefined) continue;
    const end = lines.findIndex((one, at) => at > index && one.trim() === '...');
    const facts = lines.slice(index + 1, end < 0 ? index + 20 : end);
    if (facts.some((one) => one.includes('subtestsFailed'))) continue;
    texts.push([name, ...facts.filter((one) => !/^\s*(---|duration_ms|type|stack: )/.test(one)).slice(0, FACTS_OF_A_FAILURE)].join('\n'));
  }
  writeFileSync(FAILURES, `${texts.slice(0, FAILURES_TOLD).join('\n\n')}\n`);
}

reportLeftOut();
mkdirSync('test-output', { recursive: true });
const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', '--test-reporter=tap', `--test-reporter-destination=${RECORD}`];
const runner = ['--import', 'tsx', '--import', new URL('chance.mjs', import.meta.url).href, '--test', ...reporters, `--test-timeout=${FILE_TIMEOUT_MS}`, `--test-concurrency=${availableParallelism()}`];
const status = runnable.length === 0 ? 0 : spawnSync(process.execPath, [...runner, ...options, ...runnable], { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
if (status !== 0) {
  writeFailures();
  repeatSummary();
}
if (process.env.CI === 'true' && leftOut.length > 0) {
  reportLeftOut();
  console.error('In CI every test must run.');
  process.exit(1);
}
process.exit(status);

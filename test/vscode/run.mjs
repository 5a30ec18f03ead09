// npm run test:vscode: the extension in real VS Code, on the newest version and on the oldest that package.json allows.
//
//   npm run test:vscode -- --version 4.100.3    one version
//   npm run test:vscode -- --only ui            only the workbench test (or: host, only the suites in the extension host; trees, tools and writing, only the stories of device trees)
//   VSCODE_PATH=/path/to/code npm run test:vscode    also the suites in that desktop VS Code
import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageExtension } from '../../extension/start/package.mjs';
import { installServer, NEWEST, ROOT, VERSIONS } from '../../extension/start/vscode-server.mjs';
import { runInDesktop, runInServer } from './extension-host.mjs';
import { runTracePageTest } from './trace-page.mjs';
import { runDeviceTreeTest } from './device-trees.mjs';
import { runDeviceTreeToolsTest } from './device-tree-tools.mjs';
import { runDeviceTreeWritingTest } from './device-tree-writing.mjs';
import { runUiTest } from './ui.mjs';

const OUTPUT = join(ROOT, 'test-output');
/** What failed, in words: shown again at the end of `npm test`. */
const FAILURES = join(OUTPUT, 'vscode-failures.txt');

function option(name) {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? undefined : process.argv[index + 1];
}

function findChromium() {
  const path = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (existsSync(path)) return;
  const found = spawnSync('sh', ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome'], { encoding: 'utf8' }).stdout.trim();
  if (found === '') throw new Error('Tests in VS Code need a browser. On Debian: sudo apt-get install chromium (or set CHROMIUM to the path of yours)');
  process.env.CHROMIUM = found;
}

/** Runs one part once; what went wrong, if anything. */
async function attempt(name, run) {
  console.log(`\n${name}`);
  const started = Date.now();
  try {
    const said = await run();
    console.log(`${name}: ok${said === undefined ? '' : `, ${said} tests`}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return undefined;
  } catch (problem) {
    const text = `${name}: FAILED\n${problem.stack ?? problem.message}\n`;
    console.error(text);
    appendFileSync(FAILURES, text);
    return problem;
  }
}

/**
 * Runs one part; a failure does not keep the next ones from running. An editor in a browser on a machine that does other things at the same time
 * may be slower than every patience: a part that failed is tried once more from its beginning, and what failed at first stays on record.
 */
async function part(name, run, failures) {
  if (await attempt(name, run) === undefined) return;
  if (await attempt(`${name}, once more`, run) === undefined) console.error(`${name}: UNSTEADY, it failed at first and passed then`);
  else failures.push(name);
}

async function main() {
  findChromium();
  mkdirSync(OUTPUT, { recursive: true });
  rmSync(FAILURES, { force: true });
  const versions = option('version') === undefined ? Object.keys(VERSIONS) : [option('version')];
  const unknown = versions.find((version) => !(version in VERSIONS));
  if (unknown !== undefined) throw new Error(`version ${unknown} is not one of ${Object.keys(VERSIONS).join(', ')}`);
  const wants = (name) => option('only') === undefined || option('only') === name;
  const vsix = join(OUTPUT, 'gunyah-debug.vsix');
  console.log(`package: ${(packageExtension(vsix) / 1024).toFixed(0)} KiB`);
  const failures = [];
  if (wants('ui')) await part('the page of the trace with 300,000 events', runTracePageTest, failures);
  for (const version of versions) {
    const server = installServer(version);
    const shots = join(OUTPUT, `vscode-${server.vscode}`);
    rmSync(shots, { recursive: true, force: true });
    mkdirSync(shots, { recursive: true });
    if (wants('host')) await part(`VS Code ${server.vscode}, in the extension host`, () => runInServer(server, { screenshot: join(shots, 'host-failed.png') }), failures);
    if (wants('ui')) await part(`VS Code ${server.vscode}, in the workbench${version === NEWEST ? ' (newest)' : ''}`, () => runUiTest({ server, vsix, shots }), failures);
    if (wants('trees')) await part(`VS Code ${server.vscode}, device trees in the workbench`, () => runDeviceTreeTest({ server, vsix, shots }), failures);
    // The longer stories are told in one version, unless another one is asked for.
    const isOwn = (name) => version === NEWEST ? wants(name) : option('only') === name;
    if (isOwn('tools')) await part(`VS Code ${server.vscode}, the tools for device trees in the workbench`, () => runDeviceTreeToolsTest({ server, vsix, shots }), failures);
    if (isOwn('writing')) await part(`VS Code ${server.vscode}, writing device trees in the workbench`, () => runDeviceTreeWritingTest({ server, vsix, shots }), failures);
  }
  if (process.env.VSCODE_PATH && wants('host')) await part('desktop VS Code, in the extension host', () => runInDesktop(process.env.VSCODE_PATH), failures);
  if (failures.length > 0) throw new Error(`Failed: ${failures.join('; ')}`);
}

main().then(() => process.exit(0), (problem) => {
  console.error(problem.message);
  process.exit(1);
});

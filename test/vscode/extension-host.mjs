// Runs the mocha suites of test/vscode/suite inside VS Code's extension host: in the server from npm, or in the desktop VS Code of $VSCODE_PATH.
import { build } from 'esbuild';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { format } from 'node:util';
import { ROOT, VscodeServer } from '../../extension/start/vscode-server.mjs';
import { launchBrowser, QUIET_SETTINGS } from './page.mjs';
import { copySample } from './ui.mjs';

const SUITE = join(ROOT, 'test-output', 'suite', 'index.js');
/** For all suites together; they take a minute on a quiet machine. */
const TIMEOUT_MS = 600_000;

/** Bundles the suites; mocha stays outside, so that suites and runner share one. */
async function bundleSuite() {
  mkdirSync(dirname(SUITE), { recursive: true });
  await build({
    absWorkingDir: ROOT, entryPoints: ['test/vscode/suite/index.ts'], outfile: SUITE, bundle: true, platform: 'node', format: 'cjs', target: 'node20',
    sourcemap: 'inline', external: ['vscode', 'mocha'], logLevel: 'warning',
  });
}

/** Believes the suite's own file alone: the exit code is 0 also when the extension host dies in the middle of a test. */
function checkResult(file) {
  if (!existsSync(file)) throw new Error('the suites left no result: the extension host died or never ran them');
  const { passes, failures } = JSON.parse(readFileSync(file, 'utf8'));
  if (failures > 0 || passes === 0) throw new Error(`${passes} tests passed, ${failures} failed`);
  return passes;
}

/** Runs `body` with a result file and a copy of the sample, and returns how many tests passed. */
async function withResult(body) {
  await bundleSuite();
  const folder = copySample();
  const scratch = mkdtempSync(join(tmpdir(), 'gunyah-result-'));
  const result = join(scratch, 'result.json');
  try {
    await body(folder, { GUNYAH_TEST_RESULT: result });
    return checkResult(result);
  } finally {
    rmSync(dirname(folder), { recursive: true, force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The workbench's own chatter on the console that tests print to. */
const NOISE = /^(Creating a socket|Resolv(ing|ed) connection token|Updating additional builtin|ChatSessionStore|\[Service Worker\]|(Failed: )?getaddrinfo|\[remote-connection\]|\[AgentHost|.*(status of 404|EAI_AGAIN|ENOTFOUND|Could not locate the bindings file|Cannot find module '\.\/build|Timed out waiting for authentication provider))/;

/** In the server: the workbench in chromium starts the extension host with our suites. */
export function runInServer(server, { screenshot, log = console.log }) {
  return withResult(async (folder, environment) => {
    const vscode = new VscodeServer(server, { settings: QUIET_SETTINGS, environment });
    let browser;
    let page;
    try {
      // Without this switch VS Code 1.139 does not look at the development options of the address.
      await vscode.start({ args: ['--enable-smoke-test-driver'] });
      browser = await launchBrowser();
      page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
      const exit = exitOf(page, vscode, log);
      await page.goto(vscode.url(folder, [
        ['extensionDevelopmentPath', vscode.remote(ROOT)], ['extensionTestsPath', vscode.remote(SUITE)], ['skipWelcome', 'true'], ['skipReleaseNotes', 'true'],
      ]));
      const code = await exit;
      if (code !== 0) throw new Error(`the extension host ended with code ${code}`);
    } catch (problem) {
      await page?.screenshot({ path: screenshot }).catch(() => undefined);
      throw problem;
    } finally {
      await browser?.close();
      await vscode.stop();
    }
  });
}

/** Resolves with the exit code that the workbench reports; rejects if something dies first. */
function exitOf(page, vscode, log) {
  const exit = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no end after ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    timer.unref();
    page.on('crash', () => reject(new Error('the page crashed')));
    void vscode.ended.then(() => reject(new Error('the server went away')));
    void page.exposeFunction('codeAutomationExit', resolve).catch(reject);
    void page.exposeFunction('codeAutomationLog', (_type, args) => {
      const line = format(...args);
      if (process.env.E2E_VERBOSE || !NOISE.test(line)) log(line);
    }).catch(reject);
  });
  exit.catch(() => undefined);
  return exit;
}

/** In a desktop VS Code that is installed here: nothing is downloaded. */
export function runInDesktop(executable) {
  return withResult(async (folder, environment) => {
    const { runTests } = await import('@vscode/test-electron');
    await runTests({
      vscodeExecutablePath: executable, extensionDevelopmentPath: ROOT, extensionTestsPath: SUITE,
      launchArgs: [folder, '--disable-extensions', '--disable-workspace-trust'], extensionTestsEnv: environment,
    });
  });
}

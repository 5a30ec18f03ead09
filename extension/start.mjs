// npm start: prepares everything, then opens VS Code on the sample workspace with the extension.
//
//   npm start                 the desktop VS Code if `code` is on the PATH, else VS Code served in the browser
//   npm start -- --browser    VS Code in the browser in any case (--port N to choose the port)
//   npm start -- --headless   the same debug session without a window, printed
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SAMPLE = join(ROOT, 'extension', 'samples', 'two-vms');
const NODE_MAJOR_MIN = 20;

/** A window with the sample and nothing else: no trust question, no welcome page, no chat beside it. */
const SERVED_SETTINGS = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

function runStep(title, command, args) {
  console.log(`${title} …`);
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status !== 0) fail(`${title} failed: ${command} ${args.join(' ')}`);
}

const isOnPath = (command) => spawnSync('sh', ['-c', 'command -v "$0" >/dev/null', command]).status === 0;

/** Installs a cross compiler where that needs no question: on Debian, as root. */
function installCompiler() {
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) return;
  console.log('Installing an AArch64 C compiler (gcc-aarch64-linux-gnu) …');
  const options = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['-q', 'update'], options);
  spawnSync('apt-get', ['-q', 'install', '-y', '--no-install-recommends', 'gcc-aarch64-linux-gnu'], options);
}

function setUp() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) fail(`Node ${NODE_MAJOR_MIN} or newer is needed; this is ${process.version}.`);
  if (!existsSync(join(ROOT, 'node_modules', 'esbuild'))) runStep('Installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund']);
  const built = ['primary.elf', 'sensor.elf'].every((name) => existsSync(join(SAMPLE, 'build', name)));
  const hasCompiler = () => ['aarch64-none-elf-gcc', 'aarch64-linux-gnu-gcc', 'clang'].some(isOnPath) || process.env.GUNYAH_CC !== undefined;
  if (!hasCompiler() && !built) installCompiler();
  const compiler = hasCompiler();
  if (!compiler && !built) fail('The sample needs an AArch64 C compiler. On Debian: sudo apt-get install gcc-aarch64-linux-gnu');
  if (compiler) runStep('Building the sample', process.execPath, [join(SAMPLE, 'build.mjs')]);
  runStep('Bundling', process.execPath, ['esbuild.config.mjs']);
}

function startDesktop() {
  console.log('Opening VS Code. Press F5 there to start the sample.');
  const result = spawnSync('code', ['--new-window', `--extensionDevelopmentPath=${ROOT}`, SAMPLE], { stdio: 'inherit' });
  process.exitCode = result.status ?? 1;
}

async function startBrowser(port) {
  const { installServer, VscodeServer } = await import('./start/vscode-server.mjs');
  const dataDir = join(ROOT, '.vscode-server-data');
  mkdirSync(dataDir, { recursive: true });
  const server = new VscodeServer(installServer(), { dataDir, settings: SERVED_SETTINGS });
  const vsix = join(ROOT, 'test-output', 'gunyah-debug.vsix');
  const { packageExtension } = await import('./start/package.mjs');
  await packageExtension(vsix);
  server.install(vsix);
  await server.start(port === undefined ? {} : { port });
  const stop = () => void server.stop().then(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const url = server.url(SAMPLE);
  console.log(`\nVS Code on the sample workspace: ${url}\nPress F5 there to start the sample; Ctrl+C here ends VS Code.`);
  if (isOnPath('xdg-open') && (process.env.DISPLAY || process.env.WAYLAND_DISPLAY)) spawn('xdg-open', [url], { stdio: 'ignore', detached: true }).on('error', () => {}).unref();
  await server.ended;
}

async function main(args) {
  const known = ['--headless', '--browser', '--port'];
  const unknown = args.find((arg, index) => !known.includes(arg) && args[index - 1] !== '--port');
  if (unknown !== undefined) fail(`npm start has no option ${unknown}. It has ${known.join(', ')}.`);
  const port = args.includes('--port') ? Number(args[args.indexOf('--port') + 1]) : undefined;
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) fail('--port needs a number from 1 to 65535.');
  setUp();
  if (args.includes('--headless')) {
    const { runHeadless } = await import('./start/headless.mjs');
    process.exitCode = await runHeadless(ROOT);
  } else if (!args.includes('--browser') && port === undefined && isOnPath('code')) startDesktop();
  else await startBrowser(port);
}

main(process.argv.slice(2)).catch((problem) => fail(problem.message));

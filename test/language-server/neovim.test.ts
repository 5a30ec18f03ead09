/** The language server with a client that is not ours: Neovim's, headless, over standard input and output. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildSync } from 'esbuild';

const ROOT = resolve(__dirname, '..', '..');
const BOARD = ['/dts-v1/;', '#include "soc.dtsi"', '', '/ {', '\tcompatible = "vendor,board";', '\tmodel = "Board";', '', '\tleds {', '\t\tserial = <&uart>;', '\t};', '};', '&uart0 {', '    status="okay";', '};', ''];
const SOC = '/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\n\tuart0: serial@1000 {\n\t\treg = <0x1000 0x100>;\n\t};\n};\n';

interface Place { readonly uri: string; readonly range: { readonly start: { readonly line: number } } }

/** What the script in `neovim.lua` writes. */
interface Session {
  readonly problem?: string;
  readonly diagnostics: readonly { readonly line: number; readonly column: number; readonly message: string }[];
  readonly hover: { readonly contents: { readonly value: string } };
  readonly definition: readonly Place[];
  readonly symbols: readonly { readonly name: string }[];
  readonly actions: readonly string[];
  readonly mended: boolean;
  readonly fixed: readonly string[];
  readonly completion: readonly string[];
  readonly completed: readonly string[];
  readonly renamed: readonly string[];
  readonly formatted: readonly string[];
}

describe('language server in Neovim', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gunyah-nvim-'));
  let session: Session;

  before(() => {
    const cli = join(folder, 'cli.js');
    buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: cli, logLevel: 'error' });
    writeFileSync(join(folder, 'board.dts'), BOARD.join('\n'));
    writeFileSync(join(folder, 'soc.dtsi'), SOC);
    const out = join(folder, 'out.json');
    const { status, stderr } = spawnSync('nvim', ['--headless', '--clean', '-u', 'NONE', '-n', '-c', `luafile ${join(__dirname, 'neovim.lua')}`], {
      cwd: folder, encoding: 'utf8', timeout: 120_000, env: { ...process.env, GUNYAH_NODE: process.execPath, GUNYAH_CLI: cli, GUNYAH_OUT: out, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder },
    });
    assert.equal(status, 0, stderr);
    session = JSON.parse(readFileSync(out, 'utf8'));
    assert.equal(session.problem, undefined);
  });
  after(() => { rmSync(folder, { recursive: true, force: true }); });

  it('shows a mistake where it is, until a code action mends it', () => {
    assert.deepEqual(session.diagnostics.map(({ line, column }) => [line, column]), [[8, 12]]);
    assert.match(session.diagnostics[0]?.message ?? '', /uart/);
    assert.deepEqual(session.actions, ['Change to &uart0']);
    assert.deepEqual([session.fixed, session.mended], [['\t\tserial = <&uart0>;'], true]);
  });

  it('completes a label that is typed in part', () => {
    assert.deepEqual(session.completion, ['uart0']);
    assert.deepEqual(session.completed, ['\t\tserial = <&uart0>;']);
  });

  it('hovers, goes to definitions over files and has an outline', () => {
    assert.match(session.hover.contents.value, /\/serial@1000/);
    assert.deepEqual(session.definition.map(({ uri, range }) => [uri.slice(uri.lastIndexOf('/') + 1), range.start.line]), [['soc.dtsi', 4]]);
    const names = session.symbols.map(({ name }) => name);
    assert.ok(names.includes('/') && names.includes('&uart0'), names.join());
  });

  it('renames a label and formats', () => {
    assert.deepEqual(session.renamed, ['\t\tserial = <&console>;', '\t};', '};', '&console {']);
    assert.ok(session.formatted.includes('\tstatus = "okay";'));
  });
});

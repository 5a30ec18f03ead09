/** Files that are no whole trees, on the command line: overlays on their base, what is appended to a board's tree, included files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildSync } from 'esbuild';

const ROOT = resolve(__dirname, '..', '..');
const tools = mkdtempSync(join(tmpdir(), 'gunyah-dt-context-cli-'));
const COMMAND = join(tools, 'cli.js');
const folder = join(tools, 'files');

before(() => { buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' }); });
after(() => { rmSync(tools, { recursive: true, force: true }); });

const BOARD = '/dts-v1/;\n#include "soc.dtsi"\n/ {\n\tmodel = "Board";\n};\n';
const SOC = '/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\n\tgpio0: gpio@1000 {\n\t\treg = <0x1000 0x100>;\n\t\tgpio-controller;\n\t\t#gpio-cells = <2>;\n\t};\n};\n';

/** What `dt check` prints of files, and how it ends. */
function check(files: Readonly<Record<string, string>>, words: readonly string[]): { readonly out: string; readonly status: number | null } {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { stdout, stderr, status } = spawnSync(process.execPath, [COMMAND, 'dt', 'check', ...words], { cwd: folder, encoding: 'utf8' });
  return { out: stdout + stderr, status };
}

const HINT = 'a.overlay:1:1: hint: The base of this overlay is not known, so only what it says itself is checked. Name it in a comment: // dts-context: base.dts [overlay-without-base]\n';

void describe('gunyah dt check of files that others complete', () => {
  void it('takes an overlay without a header as appended to a board', () => {
    const files = { 'boards/board.dts': BOARD, 'boards/soc.dtsi': SOC, 'app/boards/board.overlay': '&gpio0 { status = "okay"; };\n/ { led { gpios = <&gpio0 3>; }; };\n' };
    const { out, status } = check(files, ['app/boards/board.overlay', '--fail-on', 'warning']);
    assert.match(out, /^app\/boards\/board\.overlay:2:20: warning: \/led: gpios ends too early.* \[gpios_property\]\n$/);
    assert.equal(status, 1);
  });

  void it('says once that it has no base, and nothing false', () => {
    const text = '/ {\n\tchosen { bus = &i2c0; };\n};\n&i2c0 {\n\ts@76 { compatible = "a,b"; reg = <0x76>; };\n};\n/delete-node/ &{/soc/x};\n/omit-if-no-ref/ &y;\n';
    assert.deepEqual(check({ 'a.overlay': text }, ['a.overlay']), { out: HINT, status: 0 });
  });

  void it('checks an overlay on the base that is named, by option or comment', () => {
    const overlay = '/dts-v1/;\n/plugin/;\n&gpio0 {\n\thog { gpios = <1>; };\n};\n&gone { };\n';
    const files = { 'b/base.dts': BOARD, 'b/soc.dtsi': SOC, 'a.dtso': overlay };
    const wanted = 'a.dtso:6:1: error: The base tree has no symbol gone. Compile it with symbols (dtc -@), or define the label. [overlay-no-symbol]\n';
    assert.deepEqual(check(files, ['a.dtso', '--base', 'b/base.dts']), { out: wanted, status: 1 });
    assert.deepEqual(check({ ...files, 'a.dtso': `// dts-context: b/base.dts\n${overlay}` }, ['a.dtso']), { out: wanted.replace(':6:', ':7:'), status: 1 });
  });

  void it('says that a base cannot be read', () => {
    const { out, status } = check({ 'a.overlay': '' }, ['a.overlay', '--base', 'none.dts']);
    assert.match(out, /--base: Cannot read none\.dts/);
    assert.equal(status, 2);
  });

  void it('reads an included file in a tree beside it, or alone, without false errors', () => {
    const part = '&gpio0 { status = "okay"; };\n';
    assert.deepEqual(check({ 'part.dtsi': part }, ['part.dtsi']), { out: '', status: 0 });
    assert.deepEqual(check({ 'inner.dtsi': 'compatible = "a,b";\nsub { x = <&y>; };\n' }, ['inner.dtsi']), { out: '', status: 0 });
    const { out } = check({ 'board.dts': BOARD.replace('soc.dtsi"', 'soc.dtsi"\n#include "part.dtsi"'), 'soc.dtsi': SOC, 'part.dtsi': '&gpio1 { };\n' }, ['part.dtsi']);
    assert.match(out, /^part\.dtsi:1:1: hint: Read as part of board\.dts.*\npart\.dtsi:1:1: error: No node has the label or path gpio1\./);
    assert.deepEqual(check({ 'board.dts': BOARD, 'soc.dtsi': SOC }, ['soc.dtsi', 'board.dts']), { out: '', status: 0 });
  });
});

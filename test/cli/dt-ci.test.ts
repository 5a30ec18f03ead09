/** `gunyah dt` in CI: its outputs by their standards, exit statuses, files by patterns, standard input, help, and sources that are not trusted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildSync } from 'esbuild';
import { compileDts, decodeDtb } from '../../runtime/devicetree';
import { checkSarif } from './sarif-rules';

const ROOT = resolve(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'gunyah-dt-ci-'));
const COMMAND = join(folder, 'cli.js');

before(() => { buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' }); });
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Run { readonly status: number | null; readonly out: string; readonly error: string }

function dt(words: readonly string[], input: string | Uint8Array = ''): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'dt', ...words], { cwd: folder, input, maxBuffer: 1 << 28 });
  return { status, out: stdout.toString('utf8'), error: stderr.toString('utf8') };
}

function file(name: string, content: string | Uint8Array): string {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
  return name;
}

const GOOD = '/dts-v1/;\n\n/ {\n\tbus: bus {\n\t};\n};\n';
const WARNED = '/dts-v1/;\n\n/ {\n\tuart@2000 {\n\t};\n};\n';
const BAD = '/dts-v1/;\n\n/ {\n\tx = <&nobody>;\n\ty = <&nobody;\n};\n';

describe('SARIF', () => {
  it('follows the rules of the standard, whatever was found and however files are called', () => {
    const bindings = file('b/odd.yaml', '$id: "http://x y/<odd>.yaml#"\nselect: true\nrequired: [never]\n');
    file('b/types.yaml', '$id: http://devicetree.org/schemas/types.yaml#\nselect: false\n');
    const names = ['plain.dts', 'a b.dts', 'c:d.dts', '#e?.dts', 'f[1].dts', 'ü\u{1f600}.dts', 'g%20h.dts', '"i".dts', 'sub/../j.dts'];
    for (const [index, text] of [GOOD, WARNED, BAD, '', '\ufeff', '/dts-v1/; / { a = "\u{1f600}" b; };', `/dts-v1/;\n/ {\n\tx {\n\t\tcompatible = "\u{1f600}";\n\t};\n};\n`].entries()) {
      const words = names.map((name, place) => file(name.replace('sub/../', ''), text + ' '.repeat(place)));
      const { out, status } = dt(['check', ...words, '--bindings', dirname(bindings), '--undocumented', '--sarif']);
      const found = checkSarif(out);
      assert.equal(status, found.some((one) => one.startsWith('error')) ? 1 : 0, `text ${index}`);
    }
    checkSarif(dt(['check', file('short.dtb', compileDts(GOOD).bytes.slice(0, 50)), '--sarif']).out);
    checkSarif(dt(['check', '-', '--sarif'], BAD).out);
    const { out, status } = dt(['check', 'none.dts', 'plain.dts', '--sarif']);
    checkSarif(out);
    assert.match(out, /"executionSuccessful": false[^]*Cannot read none\.dts/);
    assert.equal(status, 2);
  });

  it('is complete for hundreds of results', () => {
    const { out } = dt(['check', file('many.dts', `/dts-v1/;\n/ {\n${Array.from({ length: 2000 }, (_, index) => `\tn@${index} { };\n`).join('')}};\n`), '--sarif']);
    assert.equal(checkSarif(out).length, 2000);
  });
});

describe('JSON', () => {
  it('is a list of objects with severity, code and message, and places where there are some', () => {
    const found: unknown = JSON.parse(dt(['check', file('bad.dts', BAD), file('warned.dts', WARNED), file('good.dts', GOOD), '--json']).out);
    assert.ok(Array.isArray(found) && found.length >= 3);
    for (const one of found as readonly Readonly<Record<string, unknown>>[]) {
      assert.ok(['error', 'warning', 'information', 'hint'].includes(String(one['severity'])));
      assert.ok(typeof one['code'] === 'string' && typeof one['message'] === 'string' && typeof one['file'] === 'string');
      for (const name of ['line', 'column']) assert.ok(Number.isInteger(one[name]) && Number(one[name]) >= 1, name);
    }
    assert.equal(dt(['check', 'good.dts', '--json']).out, '[]\n');
  });
});

describe('the exit status', () => {
  it('is 0 without findings, 1 with, 2 for what was called wrong or cannot be read, whatever else was found', () => {
    file('good.dts', GOOD);
    file('warned.dts', WARNED);
    file('bad.dts', BAD);
    const statuses = [['good.dts'], ['warned.dts'], ['warned.dts', '--fail-on', 'warning'], ['good.dts', '--fail-on', 'warning'], ['good.dts', 'bad.dts'], ['bad.dts', 'none.dts'], ['none.dts', 'good.dts'], [], ['good.dts', '--fail-on', 'hint'], ['good.dts', '--no-such']].map((words) => dt(['check', ...words]).status);
    assert.deepEqual(statuses, [0, 0, 1, 0, 1, 2, 2, 2, 2, 2]);
    assert.match(dt(['check', 'none.dts', 'bad.dts']).out, /bad\.dts:4/, 'what can be read is checked all the same');
  });

  it('is the same for every command', () => {
    file('tidy.dts', GOOD);
    const of = (...words: readonly string[]): number | null => dt(words).status;
    assert.deepEqual([of('compile', 'tidy.dts'), of('compile', 'bad.dts'), of('compile', 'none.dts'), of('decompile', 'bad.dts'), of('decompile', 'none.dtb'), of('apply', 'tidy.dts', 'bad.dts'), of('merge', 'tidy.dts'), of('merge', 'bad.dts'), of('merge'), of('format', '--check', 'tidy.dts'), of('format', '--check', file('untidy.dts', '/dts-v1/;\n/ {\n a;\n};\n')), of('format', 'none.dts')], [0, 1, 2, 1, 2, 1, 0, 1, 2, 0, 1, 2]);
  });
});

describe('files', () => {
  it('come by patterns that the shell left alone, each once and in order', () => {
    for (const name of ['g/a.dts', 'g/b.dts', 'g/x/c.dts', 'g/x/y/d.dtso', 'g/.hidden/e.dts', 'g/x/readme']) file(name, WARNED);
    symlinkSync(join(folder, 'g', 'x'), join(folder, 'g', 'link'));
    const found = (...words: readonly string[]): readonly string[] => dt(['check', ...words]).out.split('\n').map((line) => line.split(':')[0] ?? '').filter((name) => name !== '');
    assert.deepEqual(found('g/*.dts'), ['g/a.dts', 'g/b.dts']);
    assert.deepEqual(found('g/**/*.dts'), ['g/a.dts', 'g/b.dts', 'g/x/c.dts']);
    assert.deepEqual(found('g/**/*.{dts,dtso}'), ['g/a.dts', 'g/b.dts', 'g/x/c.dts', 'g/x/y/d.dtso']);
    assert.deepEqual(found('g/b.dts', 'g/?.dts', 'g/a.dts'), ['g/b.dts', 'g/a.dts']);
    assert.deepEqual(found('./g/*/*.dts'), ['./g/link/c.dts', './g/x/c.dts']);
    assert.match(dt(['check', 'g/*.none']).error, /^No file matches g\/\*\.none\.\n$/);
    assert.equal(dt(['format', '--check', 'g/*.dts']).status, 0);
    file('odd*name.dts', WARNED);
    assert.deepEqual(found('odd*name.dts'), ['odd*name.dts']);
    assert.match(dt(['check', 'g']).error, /it is a folder\. Give its files, such as 'g\/\*\*\/\*\.dts'\./);
    for (const bomb of [`${'{a,b}'.repeat(30)}.dts`, `g/${'*'.repeat(1000)}b`, `${'**/'.repeat(8)}*.none`]) assert.equal(dt(['check', bomb]).status, 2);
  });

  it('come from standard input for every command', () => {
    const blob = compileDts(GOOD).bytes;
    assert.match(dt(['check', '-'], BAD).out, /^stdin:\d:/);
    assert.equal(dt(['check', '-'], blob).status, 0);
    const compiled = spawnSync(process.execPath, [COMMAND, 'dt', 'compile', '-'], { input: GOOD }).stdout;
    assert.deepEqual(new Uint8Array(compiled), blob);
    assert.match(dt(['decompile', '-'], blob).out, /^\/dts-v1\/;/);
    assert.match(dt(['merge', '-'], GOOD).out, /bus: bus/);
    assert.equal(dt(['format', '-'], GOOD).out, GOOD);
  });
});

it('merge prints the tree with its overlays as source', () => {
  file('base.dts', GOOD);
  const { out, status } = dt(['merge', 'base.dts', file('over.dtso', '/dts-v1/;\n/plugin/;\n&bus { x = <7>; };\n')]);
  assert.equal(status, 0);
  assert.equal(compileDts(out).tree.root.at('/bus')?.u32('x'), 7);
  assert.deepEqual(compileDts(dt(['merge', 'base.dts']).out).bytes, compileDts(GOOD).bytes);
});

it('apply and merge read what a build appends to a tree behind it', () => {
  file('board.dts', '/dts-v1/;\n#define LED 3\n/ {\n\tbus: bus {\n\t};\n};\n');
  const { out, status } = dt(['merge', 'board.dts', file('app/board.overlay', '&bus { led = <LED>; };\n/ { chosen { bus = &bus; }; };\n'), file('over2.dtso', '/dts-v1/;\n/plugin/;\n&bus { x = <7>; };\n')]);
  assert.match(out, /led = <0x3>;/);
  assert.match(out, /x = <0x7>;/);
  assert.equal(status, 0);
  const lost = dt(['apply', 'board.dts', file('lost.overlay', '&nowhere { };\n'), '-o', 'none.dtb']);
  assert.match(lost.error, /lost\.overlay:1:1: error: No node has the label or path nowhere/);
  assert.equal(lost.status, 1);
});

it('every command explains itself', () => {
  for (const command of ['check', 'compile', 'decompile', 'apply', 'merge', 'format']) {
    for (const word of ['--help', '-h']) {
      const { status, out, error } = dt([command, word]);
      assert.deepEqual([status, error], [0, '']);
      assert.match(out, new RegExp(`^Usage:\n {2}gunyah dt ${command} `));
      assert.match(out, /Exit status: 0, 1 /);
    }
  }
  assert.match(dt(['--help']).out, /dt check[^]*dt merge[^]*Exit status/);
});

describe('with --within', () => {
  it('only files below that folder and the include folders are read, symbolic links resolved', () => {
    file('in/a.dtsi', '/ { said; };\n');
    file('out/secret.dtsi', '/ { swordfish; };\n');
    file('lib/lib.dtsi', '/ { library; };\n');
    symlinkSync(join(folder, 'out', 'secret.dtsi'), join(folder, 'in', 'link.dtsi'));
    symlinkSync(join(folder, 'out'), join(folder, 'in', 'linked'));
    const source = (name: string): string => file('in/root.dts', `/dts-v1/;\n#include "${name}"\n/ { };\n`);
    assert.match(dt(['merge', source('a.dtsi'), '--within', 'in']).out, /said;/);
    assert.match(dt(['merge', source('lib.dtsi'), '--within', 'in', '-i', 'lib']).out, /library;/);
    for (const name of ['../out/secret.dtsi', 'link.dtsi', 'linked/secret.dtsi', join(folder, 'out', 'secret.dtsi')]) {
      const { status, out, error } = dt(['merge', source(name), '--within', 'in']);
      assert.equal(status, 1, name);
      assert.doesNotMatch(out + error.replaceAll(name, ''), /swordfish/);
      assert.match(dt(['merge', source(name)]).out, /swordfish/, 'the option makes the difference');
    }
    const embedding = file('in/bin.dts', '/dts-v1/;\n/ { a = /incbin/("../out/secret.dtsi"); };\n');
    assert.match(dt(['check', embedding, '--within', 'in']).out, /dts-incbin-not-found/);
    const { root } = ((): ReturnType<typeof compileDts>['tree'] => { const decoded = decodeDtb(new Uint8Array(spawnSync(process.execPath, [COMMAND, 'dt', 'compile', 'in/bin.dts'], { cwd: folder }).stdout)); assert.ok(decoded.ok); return decoded.value.tree; })();
    assert.ok(root.has('a'));
  });
});

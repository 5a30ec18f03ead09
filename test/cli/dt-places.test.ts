/** The command line and the editor tell the same problems of a tree, at the same places, to the character. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSync } from 'esbuild';
import type { Diagnostic } from 'vscode-languageserver';
import { withClient } from '../language-server/client';

const ROOT = resolve(__dirname, '..', '..');
const out = mkdtempSync(join(tmpdir(), 'gunyah-places-'));
const COMMAND = join(out, 'cli.js');

before(() => {
  buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' });
  symlinkSync(join(ROOT, 'language-server', 'bindings'), join(out, 'bindings'));
});
after(() => { rmSync(out, { recursive: true, force: true }); });

const BINDING = `%YAML 1.2
---
$id: http://devicetree.org/schemas/test,part.yaml#
title: A part
properties:
  compatible:
    items:
      - const: test,part
      - const: test,any-part
  reg: { maxItems: 1 }
  mode: { $ref: /schemas/types.yaml#/definitions/string, enum: [fast, slow] }
  modes: { $ref: /schemas/types.yaml#/definitions/string-array, items: { enum: [fast, slow] } }
  levels: { $ref: /schemas/types.yaml#/definitions/uint32-array, items: { maximum: 7 } }
  pairs: { $ref: /schemas/types.yaml#/definitions/uint32-matrix, items: { items: [ { maximum: 3 }, { maximum: 9 } ] } }
required: [compatible, reg, mode]
additionalProperties: false
`;

/** What the editor publishes of a file and what the command line prints, each as `line:column-end severity code`, sorted. */
async function bothOf(files: Readonly<Record<string, string>>, root: string): Promise<{ readonly editor: readonly string[]; readonly command: readonly string[] }> {
  let both: { readonly editor: readonly string[]; readonly command: readonly string[] } = { editor: [], command: [] };
  await withClient({ ...files, 'bindings/part.yaml': BINDING }, async (client) => {
    await client.open(root, files[root] ?? '');
    await client.diagnostics(root);
    const severities = ['', 'error', 'warning', 'information', 'hint'];
    const shown = ({ range: { start, end }, severity, code, message }: Diagnostic, name: string): string => (
      `${name}:${String(start.line + 1)}:${String(start.character + 1)}-${String(end.character + 1)} ${severities[severity ?? 0] ?? ''} ${String(code)}: ${message}`);
    const editor = [...client.published].flatMap(([name, { diagnostics }]) => diagnostics.map((one) => shown(one, name))).sort();
    const bindings = ['bindings', join(out, 'bindings/gunyah/vm-config'), join(out, 'bindings/gunyah/binding')].flatMap((folder) => ['--bindings', folder]);
    const { stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'dt', 'check', root, '--json', '--no-cache', ...bindings], { encoding: 'utf8', cwd: client.folder });
    assert.equal(stderr, '');
    const told = JSON.parse(stdout) as { file: string; line: number; column: number; length?: number; severity: string; code: string; message: string }[];
    const command = told.map(({ file, line, column, length = 0, severity, code, message }) => (
      `${file}:${String(line)}:${String(column)}-${String(column + length)} ${severity} ${code}: ${message.replace(/ \(http[^)]*\)$/, '')}`)).sort();
    both = { editor, command };
  }, { settings: { bindings: ['bindings'] } });
  return both;
}

async function checkSame(files: Readonly<Record<string, string>>, root: string, places: readonly RegExp[]): Promise<void> {
  const { editor, command } = await bothOf(files, root);
  assert.deepEqual(command, editor);
  for (const place of places) assert.ok(command.some((line) => place.test(line)), `${String(place)} in\n${command.join('\n')}`);
}

const part = (...lines: readonly string[]): string => `/dts-v1/;\n#define TOO_MUCH 12\n/ {\n\tcompatible = "b"; model = "b"; #address-cells = <1>;\n\t#size-cells = <1>;\n\tpart: part@1000 {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t};\n};\n`;

test('what a binding says of one string or one cell is told there', async () => {
  await checkSame({
    'a.dts': part('compatible = "test,part", "test,other";', 'reg = <0x1000 0x10>;', 'mode = "fast";', 'modes = "fast", "quick", "slow";', 'levels = <1 9 (4 + 4) TOO_MUCH>;', 'pairs = <1 2>, <3 10>, <4 9>;', 'other;'),
  }, 'a.dts', [/^a\.dts:7:29-41 error/, /^a\.dts:10:19-26 error/, /^a\.dts:11:15-16 error/, /^a\.dts:11:17-24 error/, /^a\.dts:11:25-33 error/, /^a\.dts:12:21-23 error/, /^a\.dts:12:27-28 error/, /^a\.dts:13:3-8 error/]);
});

test('what an included file says is told there, and what is missing at the node', async () => {
  const files = { 'a.dts': '/dts-v1/;\n/ { compatible = "b"; model = "b"; #address-cells = <1>; #size-cells = <1>; };\n#include "part.dtsi"\n', 'part.dtsi': '/ {\n\tpart@1000 {\n\t\tcompatible = "test,part", "test,any-part"; ranges;\n\t\tlevels = /* none */ <1 8>;\n\t};\n};\n' };
  await checkSame(files, 'a.dts', [/^part\.dtsi:2:2-11 error.*reg/, /^part\.dtsi:4:26-27 error/]);
});

test('dtc\'s checks are told at the cell that they are about', async () => {
  const lines = ['#gpio-cells = <2>;', 'gpio-controller;', 'led-gpios = <&part 1 2>, <0xdead 1 2>;', 'interrupt-parent = <99>;', 'interrupts = <1 2 3>;'];
  await checkSame({ 'a.dts': part('compatible = "acme,x";', 'reg = <0x1000 0x10>;', ...lines) }, 'a.dts', [/^a\.dts:11:29-35 warning gpios_property/]);
});

test('RM\'s rules are told at the value that they are about, once, though a binding objects too', async () => {
  const vm = '/dts-v1/;\n/ {\n\tcompatible = "b"; model = "b";\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\tgunyah-vm-config {\n\t\timage-name = "a-name-that-is-much-longer-than-rm-can-ever-take";\n\t\tvcpus { config = "/cpus"; affinity = "nonsense"; };\n\t\tvdevices {\n\t\t\tq { vdevice-type = "message-queue"; generate = "/hypervisor/q"; label = <1>; peer-default; message-size = <999999>; is-sender; is-receiver; };\n\t\t};\n\t};\n};\n';
  await checkSame({ 'vm.dts': vm }, 'vm.dts', [/vm-config-/]);
});

test('overlays and what is read within another tree are told at the same places too', async () => {
  const files = {
    'base.dts': part('compatible = "test,part", "test,any-part";', 'reg = <0x1000 0x10>;', 'mode = "fast";'),
    'over.dtso': '// dts-context: base.dts\n/dts-v1/;\n/plugin/;\n&part {\n\tlevels = <1 2 44>;\n\tmode = "medium";\n};\n',
  };
  await checkSame(files, 'over.dtso', [/^over\.dtso:5:16-18 error/, /^over\.dtso:6:9-17 error/]);
});

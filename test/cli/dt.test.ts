/** `gunyah dt` as a user or a script calls it: the bundled command on files, its output and its exit status. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { buildSync } from 'esbuild';
import { compileDts, decodeDtb, type DeviceTree } from '../../runtime/devicetree/index';

const ROOT = resolve(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'gunyah-dt-'));
const COMMAND = join(folder, 'cli.js');

before(() => {
  buildSync({ absWorkingDir: ROOT, entryPoints: ['cli/main.ts'], bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'], outfile: COMMAND, logLevel: 'error' });
});
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Run { readonly status: number | null; readonly out: string; readonly error: string }

function dt(words: readonly string[], input = ''): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'dt', ...words], { encoding: 'utf8', cwd: folder, input });
  return { status, out: stdout, error: stderr };
}

/** Writes a file below the folder; its name. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return name;
}

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, name)));
}

function treeOf(name: string): DeviceTree {
  const decoded = decodeDtb(bytesOf(name));
  assert.ok(decoded.ok);
  return decoded.value.tree;
}

/** Checks that a command ends with a status and prints what is expected. */
function checkRun(words: readonly string[], expected: Partial<Run>): void {
  const { status, out, error } = dt(words);
  assert.doesNotMatch(error, /\n\s+at /, 'a user\'s mistake shows no stack of ours');
  assert.deepEqual({ status, out, error }, { status: 0, out: '', error: '', ...expected }, words.join(' '));
}

function checkRefused(words: readonly string[], message: RegExp): void {
  const { status, out, error } = dt(words);
  assert.match(error, message);
  assert.doesNotMatch(error, /\n\s+at /, 'a user\'s mistake shows no stack of ours');
  assert.deepEqual([status, out], [2, ''], words.join(' '));
}

const GOOD = '/dts-v1/;\n\n/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\n\tbus: bus {\n\t};\n};\n';
const STRAY = '/dts-v1/;\n\n/ {\n\tuart@2000 {\n\t};\n};\n';
const STRAY_MESSAGE = '/uart@2000: The name has a unit address, but the node has neither reg nor ranges. [unit_address_vs_reg]';

test('a tree without faults says nothing and ends with 0', () => {
  checkRun(['check', file('good.dts', GOOD)], {});
});

test('errors have file, line, column and code, and end with 1', () => {
  checkRun(['check', file('good.dts', GOOD), file('sub/bad.dts', '/dts-v1/;\n/ {\n\tx = <&nobody>;\n};\n')], {
    status: 1, out: 'sub/bad.dts:3:7: error: The reference to nobody finds no node. Define the label, or add /plugin/; if another tree has it. [dts-reference-not-found]\n',
  });
});

test('a check of dtc is a warning, an error or nothing, as the options say', () => {
  const name = file('stray.dts', STRAY);
  const line = (severity: string): string => `stray.dts:4:2: ${severity}: ${STRAY_MESSAGE}\n`;
  checkRun(['check', name], { out: line('warning') });
  checkRun(['check', name, '-E', 'unit_address_vs_reg'], { status: 1, out: line('error') });
  checkRun(['check', name, '-Eunit_address_vs_reg', '-E', 'no-unit_address_vs_reg'], { out: line('warning') });
  for (const off of [['-W', 'no-unit_address_vs_reg'], ['-Wno-unit_address_vs_reg'], ['--no', 'unit_address_vs_reg']]) checkRun(['check', name, ...off], {});
});

test('checks that rely on one that is left out are left out with it, as in dtc', () => {
  const name = file('twice.dts', '/dts-v1/;\n/ {\n\tbus {\n\t\ta@1 { reg = <0 1 1>; };\n\t\tb@1 { reg = <0 1 1>; };\n\t};\n};\n');
  const codes = (...words: string[]): string[] => (JSON.parse(dt(['check', name, '--json', ...words]).out) as { code: string; severity: string }[]).map(({ code, severity }) => `${severity} ${code}`);
  assert.deepEqual([...new Set(codes())], ['warning avoid_default_addr_size']);
  assert.deepEqual([...new Set(codes('-E', 'avoid_unnecessary_addr_size'))], ['error avoid_default_addr_size'], 'what a check relies on is as grave');
  assert.deepEqual(codes('-W', 'no-addr_size_cells'), []);
});

test('a damaged blob is told as an error', () => {
  const whole = compileDts(GOOD).bytes;
  const { status, out } = dt(['check', file('short.dtb', whole.slice(0, 20))]);
  assert.match(out, /^short\.dtb: error: .*\[dtb-truncated\]\n$/);
  assert.equal(status, 1);
  for (let length = 40; length < whole.length; length += 37) {
    const cut = dt(['check', file('short.dtb', whole.slice(0, length))]);
    assert.equal(cut.status, 1, `${length} of ${whole.length} bytes`);
    assert.equal(cut.error, '');
  }
});

test('the configuration of a VM is checked by the rules of one generation of RM', () => {
  const name = file('vm.dts', `/dts-v1/;
/ {
	compatible = "vm";
	cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
	qrtr { compatible = "qcom,qrtr-gunyah"; gunyah-label = <3>; };
	gunyah-vm-config {
		image-name = "vm";
		iomemory-ranges = <0 0x1000 0 0x1000 0x1000 0>;
		vcpus { affinity = "proxy"; no-timer-wakeups; };
	};
};
`);
  const label = 'vm.dts:5:58: error: /qrtr: gunyah-label 0x3: the VM configuration has no shared memory with this label, so the driver (qcom,qrtr-gunyah) never finds it. [vm-config-consumer-label]\n';
  const wakeups = 'vm.dts:9:31: information: /gunyah-vm-config/vcpus: no-timer-wakeups means nothing to RM of this generation (open-2023); it is read by newer. [vm-config-other-generation]\n';
  const ranges = (severity: string): string => `vm.dts:8:3: ${severity}: /gunyah-vm-config: iomemory-ranges is for trusted VMs only; RM refuses other VMs that have it. [vm-config-trusted-ranges]\n`;
  checkRun(['check', name], { status: 1, out: label + ranges('information') + wakeups });
  checkRun(['check', name, '--rm', 'newer', '--trust', 'untrusted'], { status: 1, out: label + ranges('error') });
  checkRun(['check', name, '--rm', 'newer', '--trust', 'trusted'], { status: 1, out: label });
  checkRun(['check', name, '--rm', 'none'], {});
  checkRefused(['check', name, '--rm', 'older'], /Give open-2023 or newer, or none/);
  checkRefused(['check', name, '--trust', 'perhaps'], /Give trusted, untrusted or unknown/);
  const { out } = dt(['check', name, '--sarif']);
  assert.match(out, /"A driver of the guest looks for a vdevice by kind and label; without one in the configuration it never finds it."/);
});

test('a blob is checked like source, without lines', () => {
  const name = file('stray.dtb', compileDts(STRAY).bytes);
  checkRun(['check', name], { out: `stray.dtb: warning: ${STRAY_MESSAGE}\n` });
});

test('what two trees include from one file is told once', () => {
  file('common.dtsi', '/ { uart@2000 { }; };\n');
  const [one, two] = ['one', 'two'].map((name) => file(`${name}.dts`, '/dts-v1/;\n#include "common.dtsi"\n'));
  checkRun(['check', one ?? '', two ?? ''], { out: `common.dtsi:1:5: warning: ${STRAY_MESSAGE}\n` });
});

test('JSON has one object for each diagnostic', () => {
  const { out, status } = dt(['check', file('stray.dts', STRAY), '--json']);
  assert.equal(status, 0);
  const [code, message] = ['unit_address_vs_reg', STRAY_MESSAGE.replace(/ \[.*/, '')];
  assert.deepEqual(JSON.parse(out), [{ file: 'stray.dts', line: 4, column: 2, length: 9, severity: 'warning', code, message, node: '/uart@2000' }]);
  checkRun(['check', file('good.dts', GOOD), '--json'], { out: '[]\n' });
});

test('SARIF has a rule for each code and a region for each result', () => {
  const { out } = dt(['check', file('a b/stray.dts', STRAY), '--sarif']);
  const log = JSON.parse(out) as { version: string; runs: { tool: { driver: { rules: { id: string }[] } }; results: Record<string, unknown>[] }[] };
  assert.equal(log.version, '2.1.0');
  const [{ tool: { driver: { rules } }, results } = { tool: { driver: { rules: [] } }, results: [] }] = log.runs;
  assert.deepEqual(rules.map(({ id }) => id), ['unit_address_vs_reg']);
  assert.deepEqual(results.map(({ ruleId, ruleIndex, level, locations }) => ({ ruleId, ruleIndex, level, locations })), [{
    ruleId: 'unit_address_vs_reg', ruleIndex: 0, level: 'warning',
    locations: [{
      physicalLocation: { artifactLocation: { uri: 'a%20b/stray.dts' }, region: { startLine: 4, startColumn: 2, endColumn: 11 } },
      logicalLocations: [{ fullyQualifiedName: '/uart@2000', kind: 'element' }],
    }],
  }]);
});

const TYPES = `
$id: http://devicetree.org/schemas/types.yaml#
select: false
definitions:
  string-array: { type: array, items: { type: string }, minItems: 1 }
  string: { type: array, items: { type: string }, minItems: 1, maxItems: 1 }
  uint32: { type: integer, typeSize: 32 }
  uint32-matrix: { type: array, items: { type: array, items: { type: integer, typeSize: 32 } } }
  address: { type: array, items: { type: array, items: { type: integer } } }
`;
const CORE = `
$id: http://devicetree.org/schemas/core.yaml#
select: false
properties:
  compatible: { $ref: /schemas/types.yaml#/definitions/string-array }
  status: { $ref: /schemas/types.yaml#/definitions/string }
  reg: { $ref: /schemas/types.yaml#/definitions/address }
`;
const UART = `
$id: http://devicetree.org/schemas/serial/test,uart.yaml#
properties:
  compatible: { const: "test,uart" }
  reg:
    items:
      - description: registers
      - description: the window of its DMA
  speed:
    $ref: /schemas/types.yaml#/definitions/uint32
    enum: [9600, 115200]
required: [compatible, reg, speed]
additionalProperties: false
`;

/** The folder of the bindings above. */
function bindings(): string {
  file('bindings/types.yaml', TYPES);
  file('bindings/dt-core.yaml', CORE);
  file('bindings/serial/test,uart.yaml', UART);
  return 'bindings';
}

function board(...lines: readonly string[]): string {
  return file('board.dts', `/dts-v1/;\n/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\tuart@2000 {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t};\n};\n`);
}

test('a node that follows its binding passes', () => {
  checkRun(['check', board('compatible = "test,uart";', 'reg = <0x2000 1>, <0x3000 1>;', 'speed = <9600>;'), '--bindings', bindings()], {});
});

test('failures against bindings stand at the guilty value, property or node, with the binding and its file', () => {
  const tree = board('compatible = "test,uart";', 'reg = <0x2000 1>;', 'speed = <300>;', 'surprise;');
  const from = '(http://devicetree.org/schemas/serial/test,uart.yaml, bindings/serial/test,uart.yaml) [serial/test,uart.yaml]';
  const { out, status } = dt(['check', tree, '--bindings', bindings()]);
  assert.deepEqual(out.trimEnd().split('\n').sort(), [
    `board.dts:7:3: error: /uart@2000: reg has 1 entry, but needs at least 2: the window of its DMA. ${from}`,
    `board.dts:8:12: error: /uart@2000: speed is 300, which is none of 9600, 115200. ${from}`,
    `board.dts:9:3: error: /uart@2000: The binding knows no property surprise here. ${from}`,
  ]);
  assert.equal(status, 1);
  const short = dt(['check', board('compatible = "test,uart";', 'reg = <0x2000 1>, <0x3000 1>;'), '--bindings', bindings(), '--json']);
  const [missing] = JSON.parse(short.out) as Record<string, unknown>[];
  assert.deepEqual([missing?.['line'], missing?.['column'], missing?.['node']], [5, 2, '/uart@2000']);
  assert.match(String(missing?.['message']), /The property speed is required\./);
  assert.deepEqual(missing?.['binding'], { id: 'http://devicetree.org/schemas/serial/test,uart.yaml', file: 'bindings/serial/test,uart.yaml' });
});

test('what is missing in a node that is switched off is forgiven, what is wrong is not', () => {
  const off = ['compatible = "test,uart";', 'reg = <0x2000 1>, <0x3000 1>;', 'status = "disabled";'];
  checkRun(['check', board(...off), '--bindings', bindings()], {});
  const { out, status } = dt(['check', board(...off, 'speed = <300>;'), '--bindings', bindings()]);
  assert.match(out, /^board\.dts:9:12: error: \/uart@2000: speed is 300.*\n$/);
  assert.equal(status, 1);
});

test('compatible strings that no binding knows are told on request', () => {
  const tree = board('compatible = "test-unknown,uart";', 'reg = <0x2000 1>;');
  checkRun(['check', tree, '--bindings', bindings()], {});
  checkRun(['check', tree, '--bindings', bindings(), '--bindings', 'bindings/types.yaml', '--undocumented'], { out: 'board.dts:6:16: warning: /uart@2000: No binding documents the compatible string "test-unknown,uart". [undocumented-compatible]\n' });
});

test('bindings that cannot be used are told on request, and the others still count', () => {
  const tree = board('compatible = "test,uart";', 'reg = <0x2000 1>, <0x3000 1>;', 'speed = <9600>;');
  const broken = ['broken: [1\n', 'no: id\n', `${'[ '.repeat(5000)}\n`, `a: &a [x, x]\n${Array.from({ length: 30 }, (_, level) => `k${level}: &b${level} [*${level === 0 ? 'a' : `b${level - 1}`}, *${level === 0 ? 'a' : `b${level - 1}`}]\n`).join('')}`];
  broken.forEach((text, index) => file(`more/${index}.yaml`, text));
  checkRun(['check', tree, '--bindings', bindings(), '--bindings', 'more'], {});
  const { status, error } = dt(['check', tree, '--bindings', bindings(), '--bindings', 'more', '--verbose']);
  assert.equal(status, 0);
  assert.deepEqual(error.trimEnd().split('\n').map((line) => line.replace(/: .*(?=\[)/, ' ')).sort(), broken.map((_, index) => `more/${index}.yaml [binding-unusable]`));
});

test('compile writes the bytes of dtc, with symbols and boot CPU on request', () => {
  const name = file('labels.dts', GOOD);
  checkRun(['compile', name, '-o', 'labels.dtb'], {});
  assert.deepEqual(bytesOf('labels.dtb'), compileDts(GOOD).bytes);
  checkRun(['compile', name, '-@', '-b', '3', '-olabels.dtb'], {});
  assert.deepEqual(bytesOf('labels.dtb'), compileDts(GOOD, { symbols: true, bootCpu: 3 }).bytes);
  const bad = dt(['compile', file('half.dts', '/dts-v1/; / { x = <1> };'), '-o', 'half.dtb']);
  assert.equal(bad.status, 1);
  assert.match(bad.error, /^half\.dts:1:\d+: error: .*\[dts-/);
  assert.throws(() => bytesOf('half.dtb'));
});

test('included files are found in the given folders and in the Linux tree around the file', () => {
  file('linux/include/dt-bindings/test.h', '#define ANSWER 42\n');
  file('linux/scripts/dtc/include-prefixes/arm64/soc.dtsi', '/ { soc; };\n');
  file('elsewhere/more.dtsi', '/ { more; };\n');
  const name = file('linux/arch/arm64/boot/dts/a.dts', '/dts-v1/;\n#include <dt-bindings/test.h>\n#include <arm64/soc.dtsi>\n#include <more.dtsi>\n/ { answer = <ANSWER>; };\n');
  assert.match(dt(['check', name]).out, /a\.dts:4:.*more\.dtsi is not found/);
  checkRun(['compile', name, '--include', 'elsewhere', '-o', 'a.dtb'], {});
  const { root } = treeOf('a.dtb');
  assert.deepEqual([root.u32('answer'), root.has('soc'), root.has('more')], [42, true, true]);
});

test('decompiled source compiles to the same blob', () => {
  const { bytes } = compileDts(GOOD, { symbols: true });
  checkRun(['decompile', file('again.dtb', bytes), '-o', 'again.dts'], {});
  checkRun(['compile', 'again.dts', '-o', 'twice.dtb'], {});
  assert.deepEqual(bytesOf('twice.dtb'), bytes);
});

test('overlays are applied in order, each as source or blob', () => {
  const first = '/dts-v1/;\n/plugin/;\n&bus { device { level = <1>; }; };\n';
  const second = '/dts-v1/;\n/plugin/;\n&bus { device { level = <2>; }; };\n';
  checkRun(['apply', file('base.dts', GOOD), file('first.dtso', first), file('second.dtbo', compileDts(second).bytes), '-o', 'merged.dtb'], {});
  assert.equal(treeOf('merged.dtb').root.at('/bus/device')?.u32('level'), 2);
  const lost = file('lost.dtso', '/dts-v1/;\n/plugin/;\n&nowhere { x; };\n');
  checkRun(['apply', 'base.dts', lost, '-o', 'none.dtb'], { status: 1, error: 'lost.dtso: error: The base tree has no symbol nowhere. Compile it with symbols (dtc -@), or define the label. [overlay-no-symbol]\n' });
});

test('format writes Linux style in place, and --check only names the files that would change', () => {
  const crooked = '/dts-v1/;\n/ {\n  a{b=<1>;};\n};\n';
  file('tidy.dts', GOOD);
  file('crooked.dts', crooked);
  checkRun(['format', '--check', 'tidy.dts', 'crooked.dts'], { status: 1, out: 'crooked.dts\n' });
  assert.equal(readFileSync(join(folder, 'crooked.dts'), 'utf8'), crooked);
  checkRun(['format', 'tidy.dts', 'crooked.dts'], {});
  const formatted = readFileSync(join(folder, 'crooked.dts'), 'utf8');
  assert.match(formatted, /\n\ta \{ b = <1>; \};\n/);
  checkRun(['format', '--check', 'tidy.dts', 'crooked.dts'], {});
  assert.deepEqual(dt(['format', '-'], crooked), { status: 0, out: formatted, error: '' });
  const latin = Uint8Array.from([...Buffer.from('/dts-v1/; / { };  // '), 0xe9, 10]);
  checkRefused(['format', file('latin.dts', latin)], /not device tree source in UTF-8/);
  assert.deepEqual(bytesOf('latin.dts'), latin);
});

test('bad usage and files that cannot be read end with 2 and a clear line', () => {
  file('good.dts', GOOD);
  checkRefused([], /Say what to do with device trees/);
  checkRefused(['frobnicate'], /no command "dt frobnicate"/);
  checkRefused(['check'], /Give the device trees/);
  checkRefused(['check', 'good.dts', '--frobnicate'], /no option --frobnicate/);
  checkRefused(['check', 'good.dts', '-Z'], /no option -Z/);
  checkRefused(['check', 'good.dts', '-W', 'nonsense'], /no check "nonsense"/);
  checkRefused(['check', 'good.dts', '--json', '--sarif'], /either --json or --sarif/);
  checkRefused(['check', 'good.dts', '--bindings', 'nowhere'], /--bindings: Cannot read nowhere: there is no such file/);
  checkRefused(['check', 'good.dts', '--bindings', 'good.dts'], /good\.dts is neither a folder nor a binding/);
  checkRefused(['check', 'none.dts'], /Cannot read none\.dts: there is no such file/);
  checkRefused(['check', '.'], /Cannot read \.: it is a folder/);
  checkRefused(['compile', 'good.dts', 'good.dts'], /exactly one source file/);
  checkRefused(['compile', 'good.dts', '-o', 'none/x.dtb'], /Cannot write none\/x\.dtb/);
  checkRefused(['compile', 'good.dts', '-b', 'x'], /--boot-cpu/);
  checkRefused(['compile', file('a.dtb', compileDts(GOOD).bytes)], /is a device tree blob already/);
  checkRefused(['decompile', file('zero.bin', new Uint8Array(100))], /neither a device tree blob nor source/);
  checkRefused(['apply', 'good.dts'], /at least one overlay/);
  checkRefused(['format'], /Give the source files/);
  file('huge.dts', GOOD);
  truncateSync(join(folder, 'huge.dts'), 100 * 1024 * 1024);
  checkRefused(['check', 'huge.dts'], /Cannot read huge\.dts: it has 104857600 bytes/);
});

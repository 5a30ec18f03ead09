import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';

import { Analyses, type Analysis, type AnalysisSettings } from '../../language-server/analysis';
import { BindingStore } from '../../language-server/binding-store';
import { encodeDtb } from '../../runtime/devicetree/dtb';
import { printDtsLines } from '../../runtime/devicetree/print';
import type { SourceOrigin } from '../../runtime/devicetree/source';
import type { DeviceTree } from '../../runtime/devicetree/tree';
import { INCLUDES, linuxFiles } from '../devicetree/linux/sources';

/** Says how many edits of random trees are followed; thousands take minutes. */
const RUNS = Number(process.env['FOLLOWED_EDITS'] ?? 40);

const SMALL: Readonly<Record<string, string>> = {
  '/w/board.dts': `/dts-v1/;
#include "words.h"
#include "soc.dtsi"
/ { model = "board"; compatible = "test,board"; aliases { serial0 = &uart; }; chosen { stdout-path = &uart; };
  gunyah-vm-config { image-name = "vm"; memory { #address-cells = <2>; #size-cells = <0>; base-address = <0 0x80000000>; size-min = <0 0x1000>; }; }; };
&uart { status = "okay"; clocks = <&cc FAST>; };
&bus { late: late@9 { reg = <9 1>; interrupts = <1 2>; x-gpios = <&gpio 1 0>; }; };
/delete-node/ &gone;
&{/chosen} { bootargs = "x"; };
#include "more.dtsi"
`,
  '/w/words.h': '#define FAST 0x10\n#define PAIR(a, b) a b\n',
  '/w/soc.dtsi': `/ { #address-cells = <1>; #size-cells = <1>; interrupt-parent = <&ic>;
  ic: interrupt-controller@1000 { reg = <0x1000 1>; interrupt-controller; #interrupt-cells = <2>; #address-cells = <0>; };
  cc: clock { #clock-cells = <1>; };
  gpio: gpio@2000 { reg = <0x2000 1>; gpio-controller; #gpio-cells = <2>; };
  bus: bus { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;
    uart: serial@1 { reg = <PAIR(1, 2)>; status = "disabled"; interrupts = <3 4>; };
    gone: old@2 { reg = <2 1>; clocks = <&cc 1>, <&cc 2>; };
    i2c@3 { reg = <3 1>; #address-cells = <1>; #size-cells = <0>; touch@5d { reg = <0x5d>; }; };
  };
};
/omit-if-no-ref/ &gone;
`,
  '/w/more.dtsi': '&bus { next = <&late>; path = &uart; };\n&late { y; };\n/memreserve/ 1 2;\n',
};

const PIECES = ['\n', ';', '{', '}', '"', ' ', '1', 'x', '<', '&uart ', '/*', '*/', '#define FAST 7\n', '\n/delete-node/ &uart;\n', 'l0: ', ' { a; };', 'phandle = <1>; ', '#clock-cells = <2>; ', 'status = "disabled"; ', 'a = &cc; ', 'bus@1 ', '#interrupt-cells = <1>; ', 'twin { }; twin { b; }; ', '\n#if 0\n', '\n#endif\n', '#undef FAST\n', '#define PAIR(a, b) b a\n', '}; ', '/include/ "more.dtsi"\n', '/ { };\n', '/ { also: also { x = <&late>; }; };\n', '&bus { };\n', '&{/bus} { late@9 { z; }; };\n', '/delete-node/ late@9;\n', '&late { /delete-property/ y; };\n', '/omit-if-no-ref/ &late;\n', 'interrupt-parent = <&gpio>;\n', 'a { ', 'port { endpoint { remote-endpoint = <&late>; }; };\n', '#define NEW 1\n', '#undef NEW\n', '// y\n'];

interface Edit {
  readonly file: number;
  readonly at: number;
  readonly cut: number;
  readonly text: string;
  readonly isUndo: boolean;
  /** True at the beginning of a line: pieces of some lines make sense there alone. */
  readonly isLine: boolean;
}

const anyEdit: fc.Arbitrary<Edit> = fc.record({
  file: fc.nat(), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.constantFrom(0, 0, 0, 1, 4, 30), text: fc.constantFrom(...PIECES, ''), isUndo: fc.constantFrom(false, false, true), isLine: fc.boolean(),
});

const bindings = new BindingStore();

function placeOf(origin: SourceOrigin | undefined): string {
  return origin === undefined ? '' : `${origin.file}:${String(origin.line)}:${String(origin.column)}+${String(origin.length)}`;
}

function told(tree: DeviceTree): unknown {
  const lines = printDtsLines(tree).map(({ text, origin }) => `${text} ${placeOf(origin)}`);
  return { lines, reservations: tree.reservations.map(({ address, size }) => `${String(address)} ${String(size)}`), plugin: tree.plugin };
}

function shown(analysis: Analysis | undefined): unknown {
  assert.ok(analysis !== undefined);
  const { tree, linked, diagnostics, files } = analysis;
  const problems = diagnostics.map(({ cell, definition, ...problem }) => ({ ...problem, cell: cell === undefined ? undefined : [placeOf(cell.origin), cell.index, cell.count], definition: placeOf(definition) }));
  return { tree: told(tree), linked: told(linked), bytes: Buffer.from(encodeDtb(linked)).toString('base64'), problems, files };
}

/** Applies edits to files one after the other; after each, what follows them must say the same as what begins with the files as they are. */
function checkEdits(files: Map<string, string>, root: string, { edits, includePaths = [], otherFiles = () => undefined }: { readonly edits: readonly Edit[]; readonly includePaths?: readonly string[]; readonly otherFiles?: (path: string) => string | undefined }): void {
  const settings: AnalysisSettings = { includePaths, defines: {}, checks: {}, bindings: [], hypervisorNode: 'documented', rmGeneration: 'open-2023' };
  const provider = { readText: (path: string) => files.get(path) ?? otherFiles(path) };
  const surroundings = { bindings, baseOf: () => undefined, includePathsFor: () => [] };
  const following = new Analyses(provider, surroundings);
  following.of(root, settings);
  const past: (readonly [string, string])[] = [];
  const paths = [...files.keys()];
  for (const { file, at, cut, text, isUndo, isLine } of edits) {
    const undone = isUndo ? past.pop() : undefined;
    const path = undone?.[0] ?? paths[file % paths.length] ?? root;
    const before = files.get(path) ?? '';
    const anywhere = Math.floor(at * (before.length + 1));
    const from = isLine ? before.lastIndexOf('\n', anywhere - 1) + 1 : anywhere;
    if (undone === undefined) past.push([path, before]);
    files.set(path, undone?.[1] ?? before.slice(0, from) + text + before.slice(from + cut));
    assert.deepEqual(shown(following.of(root, settings)), shown(new Analyses(provider, surroundings).of(root, settings)), `after ${JSON.stringify({ path, from, cut, text, isUndo })}`);
  }
}

test('after any edits of any files, trees with their places, blobs and all problems are those of a fresh start', () => {
  fc.assert(fc.property(fc.array(anyEdit, { minLength: 1, maxLength: 14 }), (edits) => { checkEdits(new Map(Object.entries(SMALL)), '/w/board.dts', { edits }); }), { numRuns: RUNS, interruptAfterTimeLimit: 600_000 });
});

test('so they are on a board of Linux', () => {
  const folder = 'arch/arm64/boot/dts/qcom';
  const names = ['sm8550-mtp.dts', 'sm8550.dtsi', 'sm8550.dtsi', 'pm8550.dtsi', 'pm8550ve.dtsi'].map((name) => join(folder, name));
  const files = new Map([...names, 'include/dt-bindings/clock/qcom,rpmh.h'].map((name) => [name, linuxFiles.readText(name) ?? '']));
  assert.ok([...files.values()].every((text) => text !== ''));
  fc.assert(fc.property(fc.array(anyEdit, { minLength: 10, maxLength: 10 }), (edits) => {
    checkEdits(new Map(files), join(folder, 'sm8550-mtp.dts'), { edits, includePaths: INCLUDES, otherFiles: (path) => linuxFiles.readText(path) });
  }), { numRuns: Math.max(1, Math.floor(RUNS / 40)) });
});

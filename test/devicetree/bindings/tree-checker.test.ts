/** Checking a tree again after edits says exactly what checking it for the first time says. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { readBindings, type BindingFailure, type BindingFile } from '../../../runtime/devicetree/bindings/binding-set';
import { TreeChecker } from '../../../runtime/devicetree/bindings/tree-checker';
import { DtsReader } from '../../../runtime/devicetree/dts-parser';
import { linkTree, parseDts } from '../../../runtime/devicetree';

const FOLDER = join(__dirname, '../../../language-server/bindings');

function bindingsIn(...folders: readonly string[]): readonly BindingFile[] {
  return folders.flatMap((folder) => readdirSync(join(FOLDER, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml')).sort().map((name) => {
    const path = join(FOLDER, folder, name);
    return { path, content: load(readFileSync(path, 'utf8')) };
  }));
}

/** A device whose verdict depends on cells of others, on its children, and on whether it is switched off. */
const DEVICE = { path: 'device.yaml', content: {
  $id: 'http://devicetree.org/schemas/device.yaml#',
  properties: { 'compatible': { const: 'test,device' }, 'reg': { maxItems: 1 }, 'clocks': { maxItems: 2 }, 'interrupts': { maxItems: 1 }, 'gpios': { maxItems: 1 }, 'status': true, 'mode': { enum: ['a', 'b'] } },
  patternProperties: { '^child@': { type: 'object', properties: { reg: { maxItems: 1 } }, required: ['reg'] } }, required: ['compatible', 'reg'], additionalProperties: false,
} };
const { bindings } = readBindings([...bindingsIn('core', 'core-linux', 'gunyah/binding', 'gunyah/vm-config'), DEVICE]);

function shown(failures: readonly BindingFailure[]): readonly string[] {
  return failures.map(({ node, schemaId, keyword, path, names, isForgiven }) => JSON.stringify([node.path, node.origin?.line, schemaId, keyword, path, names, isForgiven]));
}

const NAMES = ['a', 'b', 'child@1', 'gunyah-vm-config', 'hypervisor', 'memory', 'vcpus', 'vdevices', 'clk', 'a'] as const;
const STATEMENTS = [
  'compatible = "test,device";', 'compatible = "test,device";', 'reg = <1 2>;', 'reg = <1 2 3>;', 'reg = <1>, <2>;', '#address-cells = <1>;', '#address-cells = <2>;', '#size-cells = <1>;', '#size-cells = <0>;', '#size-cells = <1 2>;', '#size-cells;', '#clock-cells = <1>;', '#clock-cells = <0>;', '#clock-cells = <2>;', '#clock-cells = [00];',
  '#interrupt-cells = <3>;', '#interrupt-cells = <1>;', 'interrupt-parent = <&l0>;', 'interrupt-parent = <2>;', 'interrupt-controller;', 'phandle = <1>;', 'phandle = <2>;', 'phandle = <2 3>;', 'clocks = <&l0 1 &l1 1>;', 'clocks = <1 1 1>;', 'clocks = <&l0>, <&l1>;', 'interrupts = <1 2 3>;', 'interrupts = <1>;', 'gpios = <&l0 1 2>;', '#gpio-cells = <2>;', '#gpio-cells = <1>;', 'gpio-hog;',
  'status = "disabled";', 'status = "okay";', 'mode = "a";', 'mode = "z";', 'ranges;', 'ranges = <1 2 3>;', 'vdevice-type = "doorbell";', 'label = <1>;', 'image-name = "x";', 'compatible = "gunyah-hypervisor";', 'dma-masters = <1>;', '#dma-cells = <1>;', '/delete-property/ reg;', 'reg = <1 2>;',
] as const;

interface Item { readonly name: string; readonly label: number; readonly lines: readonly string[]; readonly children: readonly Item[] }

const { item } = fc.letrec<{ item: Item; leaf: Item }>((tie) => ({
  leaf: fc.record({ name: fc.constantFrom(...NAMES), label: fc.nat(5), lines: fc.array(fc.constantFrom(...STATEMENTS), { maxLength: 5 }), children: fc.constant([]) }),
  item: fc.record({ name: fc.constantFrom(...NAMES), label: fc.nat(5), lines: fc.array(fc.constantFrom(...STATEMENTS), { maxLength: 5 }), children: fc.array(fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('item')), { maxLength: 3 }) }),
}));

/** A node on lines of its own; names and labels that were taken are passed over. */
function linesOf({ name, label, lines, children }: Item, taken: Set<number>, depth: number): readonly string[] {
  const head = label < 2 && !taken.has(label) ? `l${label}: ${name} {` : `${name} {`;
  taken.add(label);
  const names = new Set<string>();
  const inside = depth > 4 ? [] : children.filter((child) => !names.has(child.name) && names.add(child.name).size > 0).flatMap((child) => linesOf(child, taken, depth + 1));
  return [head, ...new Set(lines), ...inside, '};'];
}

function sourceOf(items: readonly Item[]): readonly string[] {
  const taken = new Set<number>();
  const names = new Set<string>();
  return ['/dts-v1/;', '/ {', ...items.filter(({ name }) => !names.has(name) && names.add(name).size > 0).flatMap((one) => linesOf(one, taken, 0)), '};'];
}

const anyEdit = fc.record({ at: fc.nat(60), what: fc.constantFrom('insert', 'replace', 'delete', 'swap', 'blank'), line: fc.constantFrom(...STATEMENTS), other: fc.nat(60) });
type Edit = typeof anyEdit extends fc.Arbitrary<infer E> ? E : never;

function edited(lines: readonly string[], { at, what, line, other }: Edit): readonly string[] {
  const inside = Math.max(1, lines.length - 3);
  const [one, two] = [2 + (at % inside), 2 + (other % inside)];
  const copy = [...lines];
  const isProperty = (index: number): boolean => copy[index]?.endsWith(';') === true && copy[index] !== '};';
  if (what === 'insert') copy.splice(one, 0, line);
  else if (what === 'blank') copy.splice(one, 0, '');
  else if (!isProperty(one)) return copy;
  else if (what === 'replace') copy[one] = line;
  else if (what === 'delete') copy.splice(one, 1);
  else if (isProperty(two)) [copy[one], copy[two]] = [copy[two] ?? '', copy[one] ?? ''];
  return copy;
}

describe('a tree checker', () => {
  it('says after any edits what a fresh check says', () => {
    let [failures, kept] = [0, 0];
    fc.assert(fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), fc.array(anyEdit, { minLength: 1, maxLength: 8 }), (items, edits) => {
      const checker = new TreeChecker(bindings);
      const reader = new DtsReader();
      let lines = sourceOf(items);
      let before = '';
      for (const edit of [undefined, ...edits]) {
        if (edit !== undefined) lines = edited(lines, edit);
        const text = lines.join('\n');
        const found = shown(checker.check(linkTree(reader.read(text, { file: 'a.dts' }).tree).tree.root));
        const fresh = shown(bindings.checkTree(linkTree(parseDts(text, { file: 'a.dts' }).tree).tree.root));
        assert.deepEqual(found, fresh, `${before}\n--- became ---\n${text}`);
        failures += fresh.length;
        kept++;
        before = text;
      }
    }), { numRuns: 300, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false });
    assert.ok(failures > kept, `${failures} failures in ${kept} trees are a try`);
  });

  it('sees that what one node says of cells is said by another of that name', () => {
    const provider = (where: string): string => `/dts-v1/;\n/ {\np { x { phandle = <1>; ${where === 'p' ? '#clock-cells = <1>;' : ''} }; };\nq { x { ${where === 'q' ? '#clock-cells = <1>;' : ''} }; };\nd { compatible = "test,device"; reg = <1 2>; clocks = <1 1 1 1 1 1>; };\n};\n`;
    const bus = (where: string): string => `/dts-v1/;\n/ {\n${['p', 'q'].map((name) => `${name} { x { ${where === name ? '#address-cells = <1>; #size-cells = <0>;' : ''} d { compatible = "test,device"; reg = <1 2 3>; }; }; };\n`).join('')}};\n`;
    for (const make of [provider, bus]) {
      const checker = new TreeChecker(bindings);
      for (const where of ['p', 'q', 'p', 'none', 'q']) {
        const { root } = linkTree(parseDts(make(where)).tree).tree;
        assert.deepEqual(shown(checker.check(root)), shown(bindings.checkTree(root)), `${make.name} ${where}`);
      }
    }
  });
});

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  applyOverlay, cells, compileDts, decodeDtb, deviceTree, encodeDtb, linkTree, makeOverlay, node, nodeByLabel, phandleOf, printDts, ref, rootNode,
  type DeviceTree,
} from '../../runtime/devicetree';

const V1 = '/dts-v1/;\n';
const PLUGIN = '/dts-v1/;\n/plugin/;\n';

function compiled(source: string): DeviceTree {
  const made = compileDts(source, { symbols: true });
  assert.deepEqual(made.diagnostics, []);
  return made.tree;
}

function dump(bytes: Uint8Array): string {
  return execFileSync('dtc', ['-q', '-q', '-I', 'dtb', '-O', 'dts', '-'], { input: bytes, encoding: 'utf8' });
}

/** Applies with fdtoverlay; `undefined` if it refuses. */
function fdtoverlay(base: Uint8Array, overlay: Uint8Array): Uint8Array | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'overlay-'));
  try {
    writeFileSync(join(folder, 'base.dtb'), base);
    writeFileSync(join(folder, 'overlay.dtbo'), overlay);
    const run = spawnSync('fdtoverlay', ['-i', 'base.dtb', '-o', 'out.dtb', 'overlay.dtbo'], { cwd: folder });
    return run.status === 0 ? readFileSync(join(folder, 'out.dtb')) : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Our result has the nodes and properties of fdtoverlay's in the same order, from source and from blobs. */
function checkSameAsFdtoverlay(baseSource: string, overlaySource: string): void {
  const [base, overlay] = [compiled(V1 + baseSource), compiled(PLUGIN + overlaySource)];
  const theirs = fdtoverlay(encodeDtb(base), encodeDtb(overlay));
  assert.ok(theirs !== undefined, 'fdtoverlay refuses');
  const ours = applyOverlay(base, overlay);
  assert.ok(ours.ok, ours.ok ? '' : ours.error.message);
  assert.equal(dump(encodeDtb(ours.value)), dump(theirs));
  const [baseBlob, overlayBlob] = [decodeDtb(encodeDtb(base)), decodeDtb(encodeDtb(overlay))];
  assert.ok(baseBlob.ok && overlayBlob.ok);
  const again = applyOverlay(baseBlob.value.tree, overlayBlob.value.tree);
  assert.ok(again.ok);
  assert.equal(dump(encodeDtb(again.value)), dump(theirs));
}

function checkRefused(baseSource: string, overlaySource: string, code: string): void {
  const [base, overlay] = [compileDts(V1 + baseSource, { symbols: baseSource.includes(':') }).tree, compileDts(PLUGIN + overlaySource).tree];
  const before = encodeDtb(base);
  assert.equal(fdtoverlay(before, encodeDtb(overlay)), undefined);
  const result = applyOverlay(base, overlay);
  assert.equal(!result.ok && result.error.code, code);
  assert.deepEqual(encodeDtb(base), before);
}

const BASE = '/ { #address-cells = <1>; aliases { ser = "/soc/serial@1000"; }; soc: soc { x = <1>; ser: serial@1000 { reg = <0x1000>; status = "disabled"; }; gic: intc { u = <&gic>; }; }; };';

describe('applyOverlay equals fdtoverlay for', () => {
  it('properties and nodes merged by label', () => { checkSameAsFdtoverlay(BASE, '&ser { status = "okay"; new; child { a = <1>; b; }; }; &soc { x = <2>; more { }; };'); });
  it('targets by path and by alias', () => { checkSameAsFdtoverlay(BASE, '&{/soc/serial@1000} { a; }; / { fragment@9 { target-path = "ser"; __overlay__ { b; }; }; };'); });
  it('the root as target', () => { checkSameAsFdtoverlay(BASE, '&{/} { hypervisor: hypervisor { compatible = "x"; }; };'); });
  it('phandles and references of its own, and references to the base', () => {
    checkSameAsFdtoverlay(BASE, '&soc { own: dev@2 { r = <&own 5 &gic &two &gic>; s = "x", "yz"; parent = <&ser>; }; two: dev@3 { interrupt-parent = <&gic>; }; };');
  });
  it('fragments that refer to each other', () => { checkSameAsFdtoverlay(BASE, '&soc { own: dev@2 { }; }; &ser { q = <&own>; }; &own { late; };'); });
  it('names without unit address', () => { checkSameAsFdtoverlay(BASE, '&soc { serial { added; }; };'); });
  it('a base without symbols', () => { checkSameAsFdtoverlay('/ { a { }; };', '&{/a} { l: b { }; };'); });
});

describe('applyOverlay refuses', () => {
  it('a label that the base does not have', () => { checkRefused(BASE, '&nope { };', 'overlay-no-symbol'); });
  it('a base that was compiled without symbols', () => { checkRefused('/ { a { }; };', '&a { };', 'overlay-no-symbol'); });
  it('a path that the base does not have', () => { checkRefused(BASE, '&{/nope} { };', 'overlay-no-target'); });
  it('a fixup that points outside a property', () => { checkRefused(BASE, '/ { __fixups__ { gic = "/a:b:0"; }; a { }; };', 'overlay-bad-fixup'); });
});

describe('makeOverlay', () => {
  it('builds what the source form builds', () => {
    const overlay = makeOverlay([
      { target: { path: '/' }, content: node('', {}, [node('hypervisor', { compatible: 'gunyah-hypervisor', irq: ref('gic') }).label('hyp')]) },
      { target: { label: 'soc' }, content: node('', { hyp: cells(ref('hyp')) }) },
    ]);
    const linked = linkTree(overlay, { symbols: true });
    assert.deepEqual(linked.diagnostics, []);
    const source = compiled(`${PLUGIN}&{/} { hyp: hypervisor { compatible = "gunyah-hypervisor"; irq = <&gic>; }; }; &soc { hyp = <&hyp>; };`);
    assert.equal(printDts(linked.tree), printDts(source));
    assert.deepEqual(encodeDtb(linked.tree), encodeDtb(source));
    const merged = applyOverlay(compiled(V1 + BASE), linked.tree);
    assert.ok(merged.ok);
    assert.equal(merged.value.root.at('/soc')?.u32('hyp'), phandleOf(merged.value.root.at('/hypervisor') ?? node('x')));
    assert.equal(nodeByLabel(merged.value.root, 'hyp')?.path, '/hypervisor');
  });
});

describe('printDts', () => {
  const checkCompilesBack = (tree: DeviceTree) => {
    const printed = printDts(tree);
    const again = compileDts(printed);
    assert.deepEqual(again.diagnostics, [], printed);
    assert.deepEqual(Buffer.from(again.bytes), Buffer.from(encodeDtb(linkTree(tree).tree)), printed);
  };

  it('compiles back to the same blob, from source and from a blob', () => {
    const source = `${V1}/memreserve/ 1 2;\n/ { a: x { s = "a\\n\\"b\\\\", "", "c"; e; m = <1>, "t", [01 02], <&a &{/y}>; w = /bits/ 64 <1 2>, /bits/ 8 <3>; p = &a; z = l: <2 k: 3>; n = "\\x01"; }; y { h = [00]; u = "grün"; v = <>; i = []; }; };`;
    for (const tree of [compiled(source), compileDts(source).tree]) {
      checkCompilesBack(tree);
      const blob = decodeDtb(encodeDtb(tree));
      assert.ok(blob.ok);
      checkCompilesBack(blob.value.tree);
    }
    checkCompilesBack(compiled(`${PLUGIN}&x { a: b { r = <&a &x>; }; }; &{/y} { q = <&a>; };`));
  });

  it('writes references by their label and keeps the form of values', () => {
    const tree = deviceTree(rootNode({ 'interrupt-parent': ref('gic'), list: ['a', 'b'] }, [node('intc@0').label('gic')]));
    assert.equal(printDts(linkTree(tree).tree), '/dts-v1/;\n\n/ {\n\tinterrupt-parent = <&gic>;\n\tlist = "a", "b";\n\n\tgic: intc@0 {\n\t\tphandle = <0x1>;\n\t};\n};\n');
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addressCells, byteString, cells, cells64, cloneTree, compileDts, deviceTree, DtProperty, encodeDtb, hasErrors, interruptParent, isEnabled, linkTree, node,
  nodeByLabel, nodeByPath, nodeByPhandle, nodeByReference, nodesByCompatible, pathOf, phandleOf, ref, regEntries, rootNode, sizeCells, stringList,
} from '../../runtime/devicetree';

const { tree } = compileDts(`/dts-v1/; / {
  #address-cells = <2>; #size-cells = <1>; interrupt-parent = <&gic>;
  aliases { serial0 = "/soc@0/uart@9000"; };
  memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0x1000 1 0 0x20>; };
  soc: soc@0 { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>;
    gic: intc@8000 { compatible = "arm,gic-v3"; phandle = <7>; };
    uart: uart@9000 { compatible = "arm,pl011", "arm,primecell"; reg = <0x9000 0x100>; status = "disabled"; };
  };
};`);
const { root } = tree;

/** A builder expression gives the bytes that its source form gives. */
function checkBuilds(built: ReturnType<typeof rootNode>, source: string): void {
  const linked = linkTree(deviceTree(built));
  assert.deepEqual(linked.diagnostics, []);
  const compiled = compileDts(`/dts-v1/; ${source}`);
  assert.equal(hasErrors(compiled.diagnostics), false);
  assert.deepEqual(Buffer.from(encodeDtb(linked.tree)), Buffer.from(compiled.bytes));
}

describe('a tree', () => {
  it('finds nodes by path, label, phandle, reference and compatible', () => {
    assert.equal(root.at('/soc@0/uart@9000')?.path, '/soc@0/uart@9000');
    assert.equal(root.at('/'), root);
    assert.equal(root.at('/soc/uart'), undefined);
    assert.equal(nodeByPath(root, '/soc/uart')?.name, 'uart@9000');
    assert.equal(nodeByPath(root, 'serial0')?.name, 'uart@9000');
    assert.equal(nodeByPath(root, 'nope'), undefined);
    assert.equal(nodeByLabel(root, 'uart')?.name, 'uart@9000');
    assert.equal(nodeByPhandle(root, 7)?.name, 'intc@8000');
    assert.equal(nodeByReference(root, 'soc/uart@9000')?.name, 'uart@9000');
    assert.deepEqual(nodesByCompatible(root, 'arm,primecell').map(({ name }) => name), ['uart@9000']);
    assert.equal(interruptParent(root, root.at('/soc@0/uart@9000') ?? root)?.name, 'intc@8000');
  });

  it('reads cells, numbers, strings and reg with the cells of the parent', () => {
    const memory = root.child('memory@40000000') ?? root;
    assert.deepEqual(regEntries(memory), [{ address: 0x4000_0000n, size: 0x1000n }, { address: 1n << 32n, size: 0x20n }]);
    assert.equal(addressCells(root), 2);
    assert.equal(sizeCells(root), 1);
    assert.equal(addressCells(memory), 2);
    assert.equal(sizeCells(memory), 1);
    const uart = nodeByLabel(root, 'uart') ?? root;
    assert.deepEqual(uart.stringList('compatible'), ['arm,pl011', 'arm,primecell']);
    assert.deepEqual([uart.baseName, uart.unitAddress, uart.u32('reg'), uart.u64('reg'), uart.string('status'), isEnabled(uart)], ['uart', '9000', 0x9000, 0x9000_0000_0100n, 'disabled', false]);
    assert.equal(memory.property('reg')?.u64At(3), 1n << 32n);
    assert.equal(memory.property('reg')?.u64At(5), undefined);
    assert.equal(memory.u64('reg'), undefined);
    assert.equal(new DtProperty('x', byteString(Uint8Array.of(65, 66))).strings, undefined);
    assert.deepEqual(new DtProperty('x', stringList('a', '', 'ü')).strings, ['a', '', 'ü']);
    assert.deepEqual(new DtProperty('x', byteString(Uint8Array.of(0, 0, 0, 1, 9))).u32s, [1]);
  });

  it('changes in place without touching its copies', () => {
    const copy = cloneTree(tree);
    const soc = copy.root.child('soc@0') ?? copy.root;
    soc.set('compatible', 'other');
    soc.set('new', true);
    assert.equal(soc.remove('#size-cells'), true);
    assert.equal(soc.remove('#size-cells'), false);
    copy.root.ensure('/a/b').set('x', 5);
    const uart = nodeByLabel(copy.root, 'uart') ?? soc;
    assert.equal(soc.removeChild(uart), true);
    assert.equal(uart.parent, undefined);
    assert.deepEqual(soc.properties.map(({ name }) => name), ['compatible', '#address-cells', 'new']);
    assert.equal(copy.root.at('/a/b')?.u32('x'), 5);
    assert.equal(root.at('/soc@0')?.string('compatible'), 'simple-bus');
    assert.notEqual(nodeByLabel(root, 'uart'), undefined);
  });

  it('keeps its indexes right when large nodes change', () => {
    const big = node('big');
    for (let index = 0; index < 40; index++) { big.set(`p${String(index)}`, index); big.add(node(`n${String(index)}`)); }
    assert.equal(big.u32('p30'), 30);
    big.set('p30', 99);
    big.insertProperty(new DtProperty('first', cells(1)), 0);
    big.remove('p31');
    big.add(node('front'), 0);
    const gone = big.child('n5');
    if (gone !== undefined) big.removeChild(gone);
    assert.deepEqual([big.u32('p30'), big.has('first'), big.has('p31'), big.child('front')?.path, big.child('n5'), big.child('n6')?.name], [99, true, false, '/front', undefined, 'n6']);
    assert.equal(big.properties.findIndex(({ name }) => name === 'p30'), 31);
  });
});

describe('the builder', () => {
  it('makes what the source form makes', () => {
    checkBuilds(rootNode({ '#address-cells': 2, 'interrupt-parent': ref('gic'), compatible: ['a', 'b'], flag: true, big: 0x1_0000_0000n, raw: Uint8Array.of(1, 2) }, [
      node('chosen', { 'stdout-path': pathOf('uart') }),
      node('intc').label('gic'),
      node('uart', { reg: cells64(0x900_0000n, 0x1000), interrupts: cells(0, 1, 4, ref('gic'), ref('/intc')), name2: stringList('x', 'y'), v: [...cells(1), ...stringList('s')] }).label('uart'),
    ]), `/ { #address-cells = <2>; interrupt-parent = <&gic>; compatible = "a", "b"; flag; big = <1 0>; raw = [01 02];
      chosen { stdout-path = &uart; }; gic: intc { }; uart: uart { reg = <0 0x9000000 0 0x1000>; interrupts = <0 1 4 &gic &{/intc}>; name2 = "x", "y"; v = <1>, "s"; }; };`);
  });

  it('leaves the tree that is linked as it is', () => {
    const made = deviceTree(rootNode({ r: ref('a') }, [node('a').label('a')]));
    const linked = linkTree(made);
    assert.equal(phandleOf(linked.tree.root.child('a') ?? linked.tree.root), 1);
    assert.equal(made.root.child('a')?.has('phandle'), false);
    assert.deepEqual(encodeDtb(linkTree(linked.tree).tree), encodeDtb(linked.tree));
  });
});

describe('linkTree', () => {
  const checkLink = (source: string, codes: readonly string[]) => {
    assert.deepEqual(compileDts(`/dts-v1/; ${source}`).diagnostics.map(({ code }) => code), codes);
  };

  it('reports references and phandles that cannot be', () => {
    checkLink('/ { a = <&nope>; b = &nope; };', ['dts-reference-not-found', 'dts-reference-not-found']);
    checkLink('/ { a { phandle = <1>; }; b { phandle = <1>; }; };', ['dts-duplicate-phandle']);
    checkLink('/ { a { phandle = <0>; }; b { phandle = <0xffffffff>; }; c { phandle = "x"; }; };', ['dts-bad-phandle', 'dts-bad-phandle', 'dts-bad-phandle']);
    checkLink('/ { a: a { }; b { phandle = <&a>; }; };', ['dts-foreign-phandle']);
    checkLink('/plugin/; / { a = <&{/x}>; };', ['dts-fixup-path']);
    checkLink('/plugin/; / { a = <&outside>; };', []);
    checkLink('/ { a@1 { name = "a@1"; }; };', ['dts-bad-name-property']);
  });
});

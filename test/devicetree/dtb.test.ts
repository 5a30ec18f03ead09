import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileDts, decodeDtb, encodeDtb, isDtb, padDtb } from '../../runtime/devicetree';

const { bytes } = compileDts('/dts-v1/; /memreserve/ 16 32; / { a = <1>; b = "text"; child@1 { c; sub { d = [01]; }; }; };');
const structureAt = new DataView(bytes.buffer).getUint32(8);

function changed(change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice();
  change(new DataView(copy.buffer));
  return copy;
}

/** The header is refused with this code. */
function checkRefused(blob: Uint8Array, code: string): void {
  const decoded = decodeDtb(blob);
  assert.equal(!decoded.ok && decoded.error.code, code);
}

/** The damage is reported with this code and what came before it is kept. */
function checkDamaged(blob: Uint8Array, code: string, message: RegExp): void {
  const decoded = decodeDtb(blob);
  assert.ok(decoded.ok);
  assert.equal(decoded.value.diagnostics[0]?.code, code);
  assert.match(decoded.value.diagnostics[0]?.message ?? '', message);
}

describe('decodeDtb', () => {
  it('reads back tree, reservations and boot CPU', () => {
    const decoded = decodeDtb(changed((view) => { view.setUint32(28, 3); }));
    assert.ok(decoded.ok);
    const { tree } = decoded.value;
    assert.deepEqual(tree.reservations, [{ address: 16n, size: 32n }]);
    assert.equal(tree.bootCpu, 3);
    assert.deepEqual([...tree.root.walk()].map(({ path }) => path), ['/', '/child@1', '/child@1/sub']);
    assert.equal(tree.root.string('b'), 'text');
  });

  it('accepts padding behind the tree and a larger stated size', () => {
    const padded = padDtb(bytes, 100);
    assert.equal(new DataView(padded.buffer).getUint32(4), bytes.length + 100);
    const decoded = decodeDtb(padded);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.diagnostics, []);
    assert.deepEqual(encodeDtb(decoded.value.tree), bytes);
  });

  it('reads version 16, which does not state the size of the structure', () => {
    const decoded = decodeDtb(changed((view) => { view.setUint32(20, 16); view.setUint32(36, 0); }));
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.diagnostics, []);
    assert.deepEqual(encodeDtb(decoded.value.tree), bytes);
  });

  it('passes over NOP tokens', () => {
    const decoded = decodeDtb(changed((view) => { for (const offset of [8, 12, 16, 20]) view.setUint32(structureAt + offset, 4); }));
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.diagnostics, []);
    assert.equal(decoded.value.tree.root.has('a'), false);
    assert.equal(decoded.value.tree.root.has('b'), true);
  });

  it('refuses what is no usable blob', () => {
    assert.equal(isDtb(bytes), true);
    assert.equal(isDtb(new Uint8Array(3)), false);
    checkRefused(new Uint8Array(0), 'dtb-not-dtb');
    checkRefused(bytes.slice(0, 39), 'dtb-truncated');
    checkRefused(changed((view) => { view.setUint32(20, 3); }), 'dtb-version');
    checkRefused(changed((view) => { view.setUint32(24, 18); }), 'dtb-version');
    checkRefused(changed((view) => { view.setUint32(8, 0xffff_fff0); }), 'dtb-truncated');
    checkRefused(changed((view) => { view.setUint32(12, 0x7fff_fff0); }), 'dtb-truncated');
  });

  it('keeps what came before the damage', () => {
    checkRefused(bytes.slice(0, structureAt + 60), 'dtb-truncated');
    checkDamaged(bytes.slice(0, -3), 'dtb-truncated', /total size/);
    checkDamaged(changed((view) => { view.setUint32(structureAt, 77); }), 'dtb-bad-structure', /unknown token 77/);
    checkDamaged(changed((view) => { view.setUint32(structureAt + 12, 0xffff_ffff); }), 'dtb-bad-structure', /property lies outside/);
    checkDamaged(changed((view) => { view.setUint32(structureAt + 16, 0xffff); }), 'dtb-bad-name', /strings block/);
    checkDamaged(changed((view) => { view.setUint32(36, 40); }), 'dtb-bad-structure', /END token|outside/);
    checkDamaged(changed((view) => { view.setUint32(16, bytes.length - 8); }), 'dtb-truncated', /reservations/);
    checkDamaged(changed((view) => { view.setUint32(structureAt, 2); }), 'dtb-bad-structure', /did not begin/);
    checkDamaged(changed((view) => { view.setUint32(structureAt + 8, 9); }), 'dtb-bad-structure', /inside a node/);
  });

  it('reports names that a tree cannot have', () => {
    const at = [...bytes.keys()].find((index) => String.fromCharCode(...bytes.subarray(index, index + 7)) === 'child@1') ?? 0;
    checkDamaged(changed((view) => { view.setUint8(at + 5, 0x2f); }), 'dtb-bad-name', /slash/);
    checkDamaged(changed((view) => { view.setUint8(at, 0); view.setUint32(at + 4, 4); }), 'dtb-bad-name', /empty/);
  });
});

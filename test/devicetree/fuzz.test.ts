import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { applyOverlay, compileDts, decodeDtb, encodeDtb, linkTree, parseDts, printDts } from '../../runtime/devicetree';

const SOURCE = `/dts-v1/;
/memreserve/ 0x1000 0x20;
#define N 3
#define F(a, b) a ## b
#if N > 2
/ { #address-cells = <N>; l: node@1 { r = <&l (1 + N) 'c'>, "s\\n", [00 ff]; F(x, y); p = &l; w = /bits/ 16 <1>; };
#else
/ { };
#endif
	/delete-node/ gone; k { /delete-property/ q; /omit-if-no-ref/ m: sub { }; };
};
&l { late = <&{/k}>; };
`;

const WORDS = ['/ {', '};', '{', '}', ';', 'a', 'b@1', 'c =', '<', '>', '1', '0x', '(', ')', '+', '?', ':', '[', ']', '00', '"', "'", '"s"', '&l', '&{/a}', 'l:', '/dts-v1/;', '/plugin/;', '/bits/ 8', '/delete-node/', '/delete-property/', '/memreserve/', '/incbin/', '/include/', '/omit-if-no-ref/', '/*', '*/', '//', '\n', '\n#define A(x) x A\n', '\n#define B B ## A\n', 'A(', 'A', 'B', '\n#if 1 +\n', '\n#ifdef A\n', '\n#else\n', '\n#endif\n', '\n#include "input.dts"\n', '\n#undef A\n', '\\', ',', '#', '\0', '\u{1f600}', '__fixups__ { l = "/a:b:0"; };', '\n# 5 "f"\n'];

/** Everything that can be done with a source is done; only exceptions and broken promises fail. */
function exercise(text: string): void {
  const parsed = parseDts(text, { files: { readText: (path) => (path === 'input.dts' ? text : undefined) } });
  for (const diagnostic of parsed.diagnostics) {
    assert.ok(diagnostic.line === undefined || (diagnostic.line >= 1 && Number.isInteger(diagnostic.line)));
    assert.ok(diagnostic.column === undefined || diagnostic.column >= 1);
    assert.doesNotMatch(diagnostic.message, /\{[a-z]+\}/);
  }
  const linked = linkTree(parsed.tree, { symbols: true });
  const bytes = encodeDtb(linked.tree);
  const decoded = decodeDtb(bytes);
  assert.ok(decoded.ok);
  // A reservation of nothing at 0 ends the list for every reader, dtc included.
  if (linked.tree.reservations.every(({ address, size }) => address + size > 0n)) assert.deepEqual(encodeDtb(decoded.value.tree), bytes);
  printDts(linked.tree);
  applyOverlay(decoded.value.tree, linked.tree);
}

function checkBlob(bytes: Uint8Array): void {
  const decoded = decodeDtb(bytes);
  if (!decoded.ok) return;
  const { tree } = decoded.value;
  printDts(tree);
  const again = encodeDtb(tree);
  const second = decodeDtb(again);
  assert.ok(second.ok);
  assert.deepEqual(encodeDtb(second.value.tree), again);
  applyOverlay(tree, tree);
}

function checkQuick(name: string, text: string, limitMs = 4000): void {
  // CPU time: other work on the machine does not count.
  const start = process.cpuUsage();
  exercise(text);
  const used = process.cpuUsage(start);
  const took = (used.user + used.system) / 1000;
  assert.ok(took < limitMs, `${name} took ${took.toFixed(0)} ms`);
}

describe('device tree source', () => {
  it('of any characters never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), exercise), { numRuns: 500 });
  });

  it('of any tokens never throws', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }), (words) => { exercise(words.join(' ')); }), { numRuns: 2000 });
  });

  it('with any cut or change never throws', () => {
    const change = fc.tuple(fc.nat(SOURCE.length), fc.nat(20), fc.constantFrom('', ...WORDS));
    fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      exercise(changes.reduce((text, [at, length, word]) => text.slice(0, at) + word + text.slice(at + length), SOURCE));
    }), { numRuns: 2000 });
  });

  it('built to explode takes bounded time', () => {
    const doubling = Array.from({ length: 60 }, (_, index) => `#define M${String(index + 1)} M${String(index)} M${String(index)}`).join('\n');
    checkQuick('doubling macros', `/dts-v1/;\n#define M0 1\n${doubling}\n/ { a = <M60>; };`, 15000);
    checkQuick('deep nodes', `/dts-v1/; / {${'a {'.repeat(20000)}${'};'.repeat(20000)} };`);
    checkQuick('deep parentheses', `/dts-v1/; / { a = <${'('.repeat(50000)}1${')'.repeat(50000)}>; };`);
    checkQuick('deep signs', `/dts-v1/; / { a = <(${'-'.repeat(50000)}1)>; };`);
    checkQuick('deep conditions', `/dts-v1/;\n${'#if 1\n'.repeat(50000)}/ { };`);
    checkQuick('open calls', `/dts-v1/;\n#define F(x) x\n/ { a = <${'F('.repeat(50000)}>; };`);
    checkQuick('nested calls', `/dts-v1/;\n#define F(x) x x\n/ { a = <${'F('.repeat(500)}1${')'.repeat(500)}>; };`, 15000);
    checkQuick('chain of macros', `/dts-v1/;\n#define A0 1\n${Array.from({ length: 20000 }, (_, index) => `#define A${String(index + 1)} A${String(index)}`).join('\n')}\n/ { a = <A20000>; };`);
    checkQuick('including itself', `#include "input.dts"\n#include "input.dts"\n`, 15000);
    checkQuick('open braces and quotes', '/ { "'.repeat(20000));
    checkQuick('many labels', `/dts-v1/; / { ${'l: '.repeat(20000)} a { }; };`);
    checkQuick('many nodes', `/dts-v1/; / { ${Array.from({ length: 20000 }, (_, index) => `l${String(index)}: n${String(index)} { p = <&l${String(index)}>; };`).join(' ')} };`);
    checkQuick('many properties', `/dts-v1/; / { ${Array.from({ length: 20000 }, (_, index) => `p${String(index)};`).join(' ')} };`);
    checkQuick('many duplicates', `/dts-v1/; / { ${'a { }; '.repeat(20000)} };`);
    checkQuick('many deletions', `/dts-v1/; / { ${'a { }; /delete-node/ a; '.repeat(10000)} };`);
  });
});

describe('a device tree blob', () => {
  const { bytes } = compileDts(SOURCE, { symbols: true });

  it('of any bytes never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => { checkBlob(Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed, ...rest)); checkBlob(rest); }), { numRuns: 500 });
  });

  it('with any bytes changed or cut off never throws', () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.constantFrom(0, 1, 2, 3, 4, 9, 0x2f, 0x7f, 0x80, 0xff));
    fc.assert(fc.property(fc.array(change, { maxLength: 12 }), fc.nat(bytes.length), (changes, size) => {
      const copy = bytes.slice();
      for (const [at, value] of changes) copy[at] = value;
      checkBlob(copy);
      checkBlob(copy.slice(0, size));
    }), { numRuns: 3000 });
  });

  it('that nests deeply or repeats names takes bounded time', () => {
    const word = (value: number) => [0, 0, 0, value];
    const begin = [...word(1), 0x61, 0, 0, 0];
    const structure = [...word(1), ...word(0), ...Array.from({ length: 30000 }, () => begin).flat(), ...word(9)];
    const header = [0xd00dfeed, 40 + 16 + structure.length, 56, 56 + structure.length, 40, 17, 16, 0, 0, structure.length];
    const blob = new Uint8Array(56 + structure.length);
    header.forEach((value, index) => { new DataView(blob.buffer).setUint32(index * 4, value); });
    blob.set(structure, 56);
    const decoded = decodeDtb(blob);
    assert.ok(decoded.ok);
    assert.equal(decoded.value.diagnostics[0]?.code, 'dtb-bad-structure');
    checkBlob(blob);
  });
});

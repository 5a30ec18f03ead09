/** Sources and blobs made to cost much: each ends in bounded time with a tree and at most a few hundred diagnostics, whatever is repeated or nested a hundred thousand times. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyOverlay, compileDts, decodeDtb, encodeDtb, hasErrors, linkTree, parseDts, printDts } from '../../runtime/devicetree';
import { checkTree } from '../../runtime/devicetree/checks/check-table';
import { memoryMap } from '../../runtime/devicetree/memory-map';
import { formatDts } from '../../runtime/devicetree/syntax/format';

const MANY = 100_000;
const times = (text: string, count = MANY): string => text.repeat(count);
const each = (make: (index: number) => string, count = MANY): string => Array.from({ length: count }, (_, index) => make(index)).join('');
const root = (inside: string): string => `/dts-v1/;\n/ { ${inside} };\n`;

/** CPU seconds that a run takes; other work on the machine does not count. */
function secondsOf(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Does everything that is done with a source. Slow and fast machines differ by a factor; what is not linear differs by thousands. */
function checkBounded(name: string, text: string, limit = 20): void {
  const taken = secondsOf(() => {
    const { tree, bytes, diagnostics } = compileDts(text, { symbols: true, files: { readText: (path) => (path === 'input.dts' ? text : undefined), readBytes: () => Uint8Array.of(1, 2, 3) } });
    assert.ok(diagnostics.length <= 1100, `${name}: ${diagnostics.length} diagnostics`);
    assert.ok(hasErrors(diagnostics) || decodeDtb(bytes).ok, name);
    checkTree(tree, {});
  });
  assert.ok(taken < limit, `${name} took ${taken.toFixed(1)} s`);
}

const SOURCES: Readonly<Record<string, () => string>> = {
  'labels of one node': () => root(`${each((index) => `l${index}: `)} n { };`),
  'labels that references give one node': () => `${root('l: n { };')}${each((index) => `m${index}: &l { };\n`)}`,
  'fixups of one label': () => `/dts-v1/;\n/plugin/;\n/ { a = <${times('&l ')}>; };\n`,
  'fixups within the overlay': () => `/dts-v1/;\n/plugin/;\n/ { a = <${times('&l ')}>; l: x { }; };\n`,
  'fragments': () => `/dts-v1/;\n/plugin/;\n${each((index) => `&l${index} { a; };\n`, 20_000)}`,
  'parameters of a macro': () => `#define M(${each((index) => `a${index},`)}z) ${each((index) => `a${index} `)}\n${root(`a = <M(${times('1,')}1)>;`)}`,
  'arguments of a macro': () => `#define M(...) __VA_ARGS__\n${root(`a = <M(${times('1,')}1)>;`)}`,
  'pasted tokens': () => `#define P 1${times(' ## 1')}\n${root('a = <P>;')}`,
  'nested pasting': () => `#define P(a, b) a ## b\n${root(`a = <${times('P(1,')}2${times(')')}>;`)}`,
  'quoted tokens': () => `#define Q(x) #x\n#define D(x) Q(x x)\n${root(`a = ${times('D(', 40)}a${times(')', 40)};`)}`,
  'a macro that calls itself': () => `#define A B\n#define B A\n#define F(x) F(F(x)) A\n${root('a = <F(F(F(1)))>;')}`,
  'a file that includes itself on each line': () => `/dts-v1/;\n${times('#include "input.dts"\n')}/ { };\n`,
  'a file that includes itself within': () => root(times('/include/ "input.dts"\n', 1000)),
  'conditions': () => `/dts-v1/;\n${times('#if 1\n')}/ { };\n${times('#endif\n')}`,
  'parentheses of a condition': () => `#if ${times('(')}1${times(')')}\n#endif\n${root('')}`,
  'operators of a condition': () => `#if ${times('!')}0 || ${times('0 || ')}1\n#endif\n${root('')}`,
  'question marks': () => root(`a = <(${times('1 ? 1 : ')}1)>, <(${times('1 ? (')}1${times(') : 1')})>;`),
  'nodes within each other': () => root(`${times('n {')}${times('};')}`),
  'spliced lines': () => root(`a = <${times('1 \\\n')}>;`),
  'long names': () => root(each((index) => `${times('n', 70)}${index} = <1>;\n`, 10_000)),
  'interrupt map': () => root(`ic: ic { interrupt-controller; #interrupt-cells = <1>; #address-cells = <0>; }; b { #address-cells = <1>; #interrupt-cells = <1>; interrupt-map-mask = <1 1>; interrupt-map = ${each((index) => `<${index} 0 &ic 1>, `)}<0 0 &ic 1>; };`),
  'ranges': () => root(`#address-cells = <1>; #size-cells = <1>; b { #address-cells = <1>; #size-cells = <1>; ranges = ${each((index) => `<${index} ${index} 1>, `)}<1 1 1>; c@5 { reg = <5 1>; }; };`),
  'cell counts beyond reason': () => root('#address-cells = <0xffffffff>; #size-cells = <0x80000000>; a@1 { reg = <1>; ranges = <1 2>; #interrupt-cells = <0xffffffff>; interrupt-controller; interrupt-map = <1 2 3>; interrupt-map-mask = <1>; dma-ranges = <1>; };'),
  'literals of many digits': () => root(`a = <0x${times('f')}>, <(${times('9')})>, [${times('0')}];`),
  'a string of millions': () => root(`a = "${times('x', 8_000_000)}", "${times('\\n', 1_000_000)}";`),
  'a comment of millions': () => root(`/* ${times('* /', 2_000_000)} */ // ${times('x', 2_000_000)}\n`),
};

describe('a source that repeats or nests something a hundred thousand times', () => {
  for (const [name, make] of Object.entries(SOURCES)) it(`takes bounded time: ${name}`, () => { checkBounded(name, make()); });

  it('is formatted, or left alone, in bounded time', () => {
    for (const name of ['labels of one node', 'nodes within each other', 'conditions', 'question marks', 'a string of millions', 'a comment of millions']) {
      const text = SOURCES[name]?.() ?? '';
      const taken = secondsOf(() => { formatDts(text); });
      assert.ok(taken < 20, `${name} took ${taken.toFixed(1)} s`);
    }
  });
});

describe('/incbin/', () => {
  it('gives what there is of the range, whatever offset and size say', () => {
    const bytesOf = (range: string): readonly number[] => {
      const { tree } = parseDts(root(`a = /incbin/("f"${range});`), { files: { readText: () => undefined, readBytes: () => Uint8Array.of(1, 2, 3, 4) } });
      return [...(tree.root.property('a')?.bytes ?? [])];
    };
    assert.deepEqual(['', ', 1, 2', ', 1, 200', ', 4, 1', ', 100, 1', ', 0xffffffffffffffff, 1', ', 1, 0xffffffffffffffff', ', 0, 0', ', (-1), 4', ', 2, (-1)'].map(bytesOf), [
      [1, 2, 3, 4], [2, 3], [2, 3, 4], [], [], [], [2, 3, 4], [], [], [3, 4],
    ]);
  });
});

/** A blob with a header of one's own making over these blocks. */
function blobOf(structure: readonly number[], names: string, header: readonly number[] = []): Uint8Array {
  const words = structure.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  const nameBytes = [...Buffer.from(names, 'latin1')];
  const fields = [0xd00dfeed, 56 + words.length + nameBytes.length, 56, 56 + words.length, 40, 17, 16, 0, nameBytes.length, words.length].map((field, index) => header[index] ?? field);
  const bytes = new Uint8Array(56 + words.length + nameBytes.length);
  fields.forEach((field, index) => { new DataView(bytes.buffer).setUint32(index * 4, field); });
  bytes.set([...words, ...nameBytes], 56);
  return bytes;
}

const NAME_A = 0x61000000;

describe('a blob made to mislead', () => {
  it('is refused or read in part, with a diagnostic, whatever its header says', () => {
    const whole = compileDts(root('a = <1>; n { b = "x"; };')).bytes;
    for (let field = 1; field < 10; field++) {
      for (const value of [0, 1, 3, 39, 40, 55, 57, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, whole.length - 1, whole.length, whole.length + 1]) {
        const bytes = whole.slice();
        new DataView(bytes.buffer).setUint32(field * 4, value);
        const decoded = decodeDtb(bytes);
        if (decoded.ok) assert.deepEqual(decodeDtb(encodeDtb(decoded.value.tree)).ok, true, `field ${field} is ${value}`);
      }
    }
  });

  it('may have blocks that overlap', () => {
    const whole = compileDts(root('a = <1>; n { b = "x"; };')).bytes;
    for (const [field, at] of [[2, 40], [3, 40], [4, 56], [3, 56], [2, 48]] as const) {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setUint32(field * 4, at);
      const decoded = decodeDtb(bytes);
      if (decoded.ok) printDts(decoded.value.tree);
    }
  });

  it('with properties that all share one long name, or name ends, takes bounded time', () => {
    const property = (offset: number): number[] => [3, 0, offset];
    const names = times('n', 4000);
    const shared = blobOf([1, 0, ...Array.from({ length: MANY }, (_, index) => property(index % 4000)).flat(), 2, 9], names);
    const taken = secondsOf(() => {
      const decoded = decodeDtb(shared);
      assert.ok(decoded.ok);
      encodeDtb(decoded.value.tree);
    });
    assert.ok(taken < 20, `took ${taken.toFixed(1)} s`);
  });

  it('with many nodes or properties of one name takes bounded time', () => {
    const taken = secondsOf(() => {
      for (const body of [Array.from({ length: MANY }, () => [1, NAME_A, 2]).flat(), Array.from({ length: MANY }, () => [3, 0, 0]).flat(), Array.from({ length: MANY }, () => [3, 4, 0, 1]).flat()]) {
        const decoded = decodeDtb(blobOf([1, 0, ...body, 2, 9], 'reg\0'));
        assert.ok(decoded.ok);
        const { tree } = decoded.value;
        checkTree(tree, {});
        memoryMap(tree);
        printDts(tree);
        applyOverlay(tree, tree);
      }
    });
    assert.ok(taken < 30, `took ${taken.toFixed(1)} s`);
  });
});

const BASE = compileDts(root('l: bus { #address-cells = <1>; #size-cells = <1>; d: dev@1 { reg = <1 1>; }; };'), { symbols: true }).tree;

/** Applies an overlay whose `__fixups__` and so on are written by hand; the code of the refusal, or `applied`. */
function outcomeOf(inside: string): string {
  const { tree } = compileDts(root(inside));
  const bytes = decodeDtb(encodeDtb(tree));
  assert.ok(bytes.ok);
  const result = applyOverlay(BASE, bytes.value.tree);
  if (result.ok) encodeDtb(result.value);
  return result.ok ? 'applied' : result.error.code;
}

describe('an overlay with fixups made to mislead', () => {
  const fragment = 'fragment@0 { target = <0xffffffff>; __overlay__ { x = <0>; }; };';
  it('is refused with a diagnostic', () => {
    const fixups = ['/fragment@0:target', '/fragment@0:target:', '/fragment@0:target:x', '/fragment@0:target:-1', '/fragment@0:target:1', '/fragment@0:target:4', '/fragment@0:target:4294967296', '/fragment@0:target:99999999999999999999', '/nowhere:target:0', '/fragment@0:none:0', ':target:0', '', '::', 'fragment@0:target:0', `/${times('a/', 1000)}:x:0`, '/fragment@0:target:0x0'];
    const outcomes = fixups.map((text) => outcomeOf(`${fragment} __fixups__ { l = "${text}"; };`));
    assert.deepEqual(outcomes.filter((outcome) => outcome === 'applied'), []);
    assert.ok(outcomes.every((outcome) => /^(overlay|dts)-/.test(outcome)), outcomes.join(' '));
  });

  it('is refused where local fixups lead outside what there is', () => {
    for (const local of ['x = <0>;', 'fragment@0 { none = <0>; };', 'fragment@0 { target = <1>; };', 'fragment@0 { target = <4>; };', 'fragment@0 { target = <0xffffffff>; };', 'fragment@0 { target = <0xfffffffc>; };', 'fragment@0 { target = [00 00]; };', 'fragment@0 { target = "x"; };', 'nowhere { x = <0>; };']) {
      assert.notEqual(outcomeOf(`fragment@0 { target-path = "/"; target = <1>; __overlay__ { }; }; __local_fixups__ { ${local} };`), 'applied', local);
    }
  });

  it('is refused if its target is not there, is no phandle, or is the fragment itself', () => {
    for (const target of ['', 'target = <0>;', 'target = <0xffffffff>;', 'target = <12345>;', 'target = "x";', 'target = [00];', 'target-path;', 'target-path = "";', 'target-path = "nowhere";', 'target-path = "/nowhere";', 'target-path = "/fragment@0/__overlay__";', 'target-path = [ff fe 00];', 'target-path = <1>;']) {
      assert.notEqual(outcomeOf(`fragment@0 { ${target} __overlay__ { x; }; };`), 'applied', target);
    }
  });

  it('may target the symbols, itself, or what another fragment adds, and ends', () => {
    for (const inside of ['fragment@0 { target-path = "/__symbols__"; __overlay__ { l = "/l"; d = [00]; }; };', 'fragment@0 { target-path = "/"; __overlay__ { n { }; }; }; fragment@1 { target-path = "/n"; __overlay__ { n { }; }; };', 'fragment@0 { target-path = "/"; __overlay__ { phandle = <0xfffffffe>; }; };', 'fragment@0 { target-path = "/"; __overlay__ { linux,phandle = [00]; }; };', '__symbols__ { a = "/fragment@0/__overlay__"; b = "/"; c = ""; d = [ff]; }; fragment@0 { target-path = "/bus"; __overlay__ { }; };']) outcomeOf(inside);
  });

  it('of a hundred thousand fragments or fixups takes bounded time', () => {
    const taken = secondsOf(() => {
      outcomeOf(each((index) => `fragment@${index} { target-path = "/bus"; __overlay__ { p${index}; }; };\n`, 10_000));
      outcomeOf(`fragment@0 { target-path = "/bus"; __overlay__ { x = <${times('0 ')}>; }; }; __fixups__ { l = ${each((index) => `"/fragment@0/__overlay__:x:${index * 4}", `)}"/fragment@0/__overlay__:x:0"; };`);
    });
    assert.ok(taken < 30, `took ${taken.toFixed(1)} s`);
  });

  it('applied to itself, and again and again, ends', () => {
    const { tree } = compileDts('/dts-v1/;\n/plugin/;\n&l { n { }; };\n');
    let merged = BASE;
    for (let count = 0; count < 20; count++) {
      const result = applyOverlay(merged, tree);
      assert.ok(result.ok);
      merged = result.value;
    }
    applyOverlay(linkTree(tree).tree, tree);
    assert.deepEqual(encodeDtb(merged), encodeDtb(merged));
  });
});

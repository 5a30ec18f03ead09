import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDts, type DtsFiles, type ParseOptions, type SourceOrigin } from '../../runtime/devicetree';

function filesOf(files: Readonly<Record<string, string>>): DtsFiles {
  return { readText: (path) => files[path], readBytes: (path) => (path in files ? Uint8Array.from(files[path] ?? '', (c) => c.charCodeAt(0)) : undefined) };
}

/** Parses a body of `/` and expects exactly these problems, each as `line:column code`, with the header on line 1. */
function checkProblems(source: string, expected: readonly string[], options: ParseOptions = {}): ReturnType<typeof parseDts> {
  const parsed = parseDts(`/dts-v1/;\n${source}`, options);
  assert.deepEqual(parsed.diagnostics.map(({ line, column, code }) => `${String(line)}:${String(column)} ${code}`), expected, parsed.diagnostics.map(({ message }) => message).join('\n'));
  return parsed;
}

function placeText(origin: SourceOrigin | undefined): string {
  return origin === undefined ? 'nowhere' : `${origin.file}:${String(origin.line)}:${String(origin.column)}+${String(origin.length)}`;
}

describe('parseDts', () => {
  it('keeps order, labels, the form of values and where they were written', () => {
    const { tree } = checkProblems('/ {\n\tb; a = <1>, "x";\n\tl1: l2: n@1 { p = <&l1>; };\n};', []);
    assert.deepEqual(tree.root.properties.map(({ name }) => name), ['b', 'a']);
    const node = tree.root.child('n@1');
    assert.deepEqual([...(node?.labels ?? [])], ['l1', 'l2']);
    assert.equal(placeText(node?.origin), 'input.dts:4:10+3');
    assert.deepEqual(tree.root.property('a')?.value.map(({ type }) => type), ['u32', 'string']);
    assert.equal(node?.property('p')?.value[0]?.references[0]?.name, 'l1');
    assert.equal(placeText(node?.property('p')?.value[0]?.references[0]?.origin), 'input.dts:4:21+3');
  });

  it('reports a missing semicolon once and keeps what follows', () => {
    const { tree } = checkProblems('/ {\n\ta = <1>\n\tb = "x";\n\tc {\n\t\td;\n\t}\n\te { };\n}', ['3:9 dts-missing-semicolon', '7:3 dts-missing-semicolon', '9:2 dts-missing-semicolon']);
    assert.deepEqual(tree.root.properties.map(({ name }) => name), ['a', 'b']);
    assert.deepEqual(tree.root.children.map(({ name }) => name), ['c', 'e']);
  });

  it('goes on at the next property after one it cannot read', () => {
    const { tree } = checkProblems('/ {\n\ta = ;\n\tb = <1 ! 2>;\n\tc = %%;\n\td = <1;\n\te = [0g];\n\t= 5;\n\tf = "open;\n\tg;\n};', [
      '3:6 dts-syntax', '4:9 dts-syntax', '5:6 dts-syntax', '6:8 dts-syntax', '7:7 dts-bad-byte', '7:8 dts-bad-byte', '8:2 dts-syntax', '9:6 dts-unterminated',
    ]);
    assert.equal(tree.root.has('g'), true);
  });

  it('finds the brace that a line lacks by the braces that it has', () => {
    const line = 'cpus { a = <1>; cpu { on; b = <2>; }; };';
    for (const [index, code] of [[line.indexOf('{'), 'dts-syntax'], [line.lastIndexOf('{'), 'dts-syntax'], [line.indexOf('}'), 'dts-syntax'], [line.indexOf(';'), 'dts-missing-semicolon'], [line.indexOf(' b') - 1, 'dts-missing-semicolon']] as const) {
      const { tree, diagnostics } = parseDts(`/dts-v1/;\n/ {\n  ${line.slice(0, index)}${line.slice(index + 1)}\n  rest { c; };\n};\n`);
      assert.deepEqual(diagnostics.map((one) => `${String(one.line)} ${one.code}`), [`3 ${code}`], String(index));
      assert.deepEqual(tree.root.children.map(({ name }) => name), ['cpus', 'rest']);
      assert.deepEqual(tree.root.at('cpus/cpu')?.properties.map(({ name }) => name), ['on', 'b']);
    }
  });

  it('reports what is not closed', () => {
    checkProblems('/ {\n\ta {\n', ['3:4 dts-unterminated', '2:3 dts-unterminated']);
    checkProblems('/ { }; /* open', ['2:8 dts-unterminated']);
    checkProblems('/ { a = <(1 + 2>; b; };', ['2:17 dts-syntax']);
  });

  it('reports values that dtc refuses', () => {
    checkProblems('/ { a = <09 0x 1x 0x10000000000000000>; };', ['2:10 dts-bad-number', '2:13 dts-bad-number', '2:16 dts-bad-number', '2:19 dts-bad-number']);
    checkProblems("/ { a = <'ab' ''>; };", ['2:10 dts-bad-character', '2:15 dts-bad-character']);
    checkProblems('/ { a = <0x100000000 (-0x100000001)>; b = /bits/ 8 <256 (-1)>; };', ['2:10 dts-out-of-range', '2:22 dts-out-of-range', '2:53 dts-out-of-range']);
    checkProblems('/ { a = <(1 / 0) (1 % 0)>; };', ['2:16 dts-division-by-zero', '2:24 dts-division-by-zero']);
    checkProblems('/ { l: a { }; b { x = /bits/ 64 <&l>; y = /bits/ 7 <1>; }; };', ['2:34 dts-reference-width', '2:50 dts-bad-bits']);
  });

  it('reports names that occur twice, and keeps the union', () => {
    const { tree } = checkProblems('/ { p = <1>; p = <2>; l: a { x; }; a { y; }; l: b { }; };', ['2:14 dts-duplicate-property', '2:36 dts-duplicate-node', '2:46 dts-duplicate-label']);
    assert.equal(tree.root.u32('p'), 2);
    assert.deepEqual(tree.root.child('a')?.properties.map(({ name }) => name), ['x', 'y']);
  });

  it('reports references that find nothing', () => {
    checkProblems('/ { };\n&nope { };\n&{/no/way} { };\n/delete-node/ &gone;\n/omit-if-no-ref/ &gone;', ['3:1 dts-label-not-found', '4:1 dts-label-not-found', '5:15 dts-delete-not-found', '6:18 dts-label-not-found']);
  });

  it('reports a property behind a child node and keeps it', () => {
    const { tree } = checkProblems('/ { a { }; late; };', ['2:12 dts-property-after-node']);
    assert.equal(tree.root.has('late'), true);
  });

  it('reports a source without version', () => {
    const parsed = parseDts('/ { };');
    assert.deepEqual(parsed.diagnostics.map(({ code, severity }) => [code, severity]), [['dts-no-version', 'error']]);
  });

  it('tells what stands outside nodes in the wrong place, at that place, and reads it all the same', () => {
    const at = (source: string): readonly string[] => parseDts(source).diagnostics.map(({ line, column, code }) => `${line}:${column} ${code}`);
    assert.deepEqual(at('/dts-v1/;\n/dts-v1/;\n/ { };'), []);
    assert.deepEqual(at('/dts-v1/;\n/plugin/;\n/dts-v1/;\n/plugin/;\n/ { };'), []);
    assert.deepEqual(at('/dts-v1/;\n/plugin/;\n/dts-v1/;\n/ { };'), ['3:1 dts-versions-differ']);
    assert.deepEqual(at('/dts-v1/;\n/ { };\n/dts-v1/;'), ['3:1 dts-late-version']);
    assert.deepEqual(at('/plugin/;\n/dts-v1/;\n/ { };'), ['2:1 dts-late-version']);
    assert.deepEqual(at('/dts-v1/;\n/memreserve/ 1 2;\n/plugin/;\n/ { };'), ['3:1 dts-late-plugin']);
    assert.deepEqual(at('/dts-v1/;\n/ { };\n/memreserve/ 1 2;'), ['3:1 dts-late-reservation']);
    assert.deepEqual(at('/dts-v1/;\nl: / { a: n { }; };\nk: &a { };\ni: j: &a { };\nh:'), ['2:1 dts-label-misplaced', '4:4 dts-label-misplaced', '5:1 dts-label-misplaced']);
    assert.equal(parseDts('/dts-v1/;\n/ { };\n/memreserve/ 1 2;').tree.reservations.length, 1);
  });

  it('takes the brace of a path that is not closed for no node', () => {
    const { tree, diagnostics } = parseDts('/dts-v1/;\n/ {\n\ta = &{/n\n\tb = <1>;\n\tn { };\n};\n');
    assert.deepEqual(diagnostics.map(({ line, code }) => `${line} ${code}`), ['3 dts-syntax']);
    assert.deepEqual([tree.root.has('b'), tree.root.child('n')?.path], [true, '/n']);
  });

  it('reads included files relative to the including one and in the include paths', () => {
    const files = filesOf({ 'board/soc.dtsi': '#include "common/x.h"\n#include <bindings/y.h>\n/ { soc = <X Y>; };\n', 'board/common/x.h': '#define X 1\n', 'inc/bindings/y.h': '#pragma once\n#define Y 2\n', 'board/raw.dtsi': '/ { raw; };', 'board/data.bin': 'abcdef' });
    const parsed = checkProblems('#include "soc.dtsi"\n#include <bindings/y.h>\n/include/ "raw.dtsi"\n/ { d = /incbin/("data.bin"), /incbin/("data.bin", 1, 2); };', [], { file: 'board/board.dts', files, includePaths: ['inc'] });
    assert.deepEqual(parsed.tree.root.property('soc')?.u32s, [1, 2]);
    assert.equal(parsed.tree.root.has('raw'), true);
    assert.equal(String.fromCharCode(...(parsed.tree.root.property('d')?.bytes ?? [])), 'abcdefbc');
    assert.deepEqual(parsed.files, ['board/board.dts', 'board/soc.dtsi', 'board/common/x.h', 'inc/bindings/y.h', 'board/raw.dtsi']);
    assert.equal(parsed.tree.root.property('soc')?.origin?.file, 'board/soc.dtsi');
  });

  it('reports includes that are missing or go round', () => {
    checkProblems('#include "nope.h"\n/include/ "nope2"\n/ { a = /incbin/("nope3"); };', ['2:10 cpp-include-not-found', '3:1 cpp-include-not-found', '4:9 dts-incbin-not-found']);
    const loop = parseDts('/dts-v1/;\n#include "a.h"\n/ { };', { files: filesOf({ 'a.h': '#include "a.h"\n' }) });
    assert.deepEqual(loop.diagnostics.map(({ code, file, line }) => [code, file, line]), [['cpp-include-depth', 'a.h', 1]]);
    assert.equal(loop.tree.root.path, '/');
  });

  it('reports faults of conditions and macros where they are', () => {
    checkProblems('#if 1 +\n#endif\n#else\n#ifdef\n#endif\n#if 1\n/ { };', ['2:1 cpp-bad-expression', '4:1 cpp-unbalanced', '5:1 cpp-bad-directive', '7:1 cpp-unbalanced']);
    checkProblems('#define F(a, b) a b\n#define 5\n#define N 1\n#define N 2\n#error stop here\n#warning mind\n/ { a = <N F(1, 2)>; b = <F(1)>; };', [
      '3:1 cpp-bad-directive', '5:9 cpp-macro-redefined', '6:1 cpp-error', '7:1 cpp-warning', '8:27 cpp-macro-arguments', '8:27 dts-syntax',
    ]);
  });

  it('points at the use of a macro and tells where it is defined', () => {
    const { diagnostics } = checkProblems('#define BAD 09\n/ { a = <1 BAD>; };', ['3:12 dts-bad-number']);
    assert.equal(diagnostics[0]?.length, 3);
    assert.deepEqual(diagnostics[0]?.definition, { file: 'input.dts', line: 2, column: 9, length: 3 });
  });

  it('does not take property names for directives', () => {
    const { tree } = checkProblems('/ {\n#address-cells = <1>;\n  #size-cells = <0>;\n#define-me;\n};', []);
    assert.deepEqual(tree.root.properties.map(({ name }) => name), ['#address-cells', '#size-cells', '#define-me']);
  });

  it('follows the line markers that preprocessors leave', () => {
    checkProblems('# 100 "other.dtsi" 2\n/ {\n  a = 5;\n};', ['101:7 dts-syntax']);
  });

  it('keeps positions right behind spliced lines', () => {
    checkProblems('#define A \\\n  1\n/ { a = <A>; \\\n  b = 5; };', ['5:7 dts-syntax']);
  });

  it('answers the loss of any one token with at most two errors nearby', () => {
    const source = `/dts-v1/;

/ {
	#address-cells = <2>;
	compatible = "vendor,board", "simple-bus";

	soc: soc@0 {
		ranges;

		gic: interrupt-controller@8000000 {
			reg = <0 0x8000000 0 0x10000>,
			      <0 0x80a0000 0 (0x10000 * 2)>;
			interrupt-controller;
		};

		serial@9000000 {
			interrupts-extended = <&gic 0 1 4>;
			local-mac-address = [00 11 22];
		};
	};

	chosen {
		stdout-path = "/soc@0/serial@9000000";
	};
};

&soc {
	status = "okay";
};
`;
    assert.deepEqual(parseDts(source).diagnostics, []);
    for (const match of source.matchAll(/"[^"]*"|[\w,.+*#?@-]+:?|\/dts-v1\/|\S/g)) {
      const [token] = match;
      const line = source.slice(0, match.index).split('\n').length;
      const { diagnostics } = parseDts(source.slice(0, match.index) + ' '.repeat(token.length) + source.slice(match.index + token.length));
      const text = `without ${token} in line ${String(line)}: ${diagnostics.map((diagnostic) => `${String(diagnostic.line)}: ${diagnostic.message}`).join('; ')}`;
      assert.ok(diagnostics.length <= 2, text);
      // What a lost label or node breaks elsewhere is reported there.
      for (const diagnostic of diagnostics) assert.ok(diagnostic.code === 'dts-label-not-found' || Math.abs((diagnostic.line ?? 0) - line) <= 2, text);
    }
  });

  it('tells of a missing file once, and not of what it may define', () => {
    const body = '/ { MACRO_ALONE\n DEFINES_NODES(a, b)\n p = <&gic GIC_SPI (IRQ_BASE + IRQ(4)) FLAGS(1, (2)) 7>, TEXT; c { q = "x"; }; };';
    const { tree } = checkProblems(`#include <dt-bindings/gic.h>\n/ { gic: gic { }; };\n${body}\n&nothing { };`, ['2:10 cpp-include-not-found', '7:1 dts-label-not-found']);
    assert.deepEqual(tree.root.property('p')?.u32s.slice(1), [0, 0, 0, 7]);
    assert.equal(tree.root.at('/c')?.string('q'), 'x');
    checkProblems(`#include "board.dtsi"\n${body}\n&nothing { a; };\n/delete-node/ &other;`, ['2:10 cpp-include-not-found']);
    assert.ok(parseDts(`/dts-v1/;\n${body}`).diagnostics.length > 1, 'without a missing file the same is wrong');
  });

  it('passes over a lone #, as preprocessors do', () => {
    const { tree } = checkProblems('#\n / {\n # \n\ta;\n#\n\t#size-cells = <1>;\n};', []);
    assert.deepEqual(tree.root.properties.map(({ name }) => name), ['a', '#size-cells']);
  });

  it('takes a string over several lines, as dtc does behind the preprocessor', () => {
    const { tree } = checkProblems('/ {\n\ta = "one  two\n\t\tthree", "x";\n\tb;\n};', []);
    assert.deepEqual(tree.root.property('a')?.strings, ['one two\n  three', 'x']);
  });
});

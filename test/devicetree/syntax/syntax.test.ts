/** The structure of files as they are typed, whole and damaged. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseSyntax, syntaxPathAt, type SyntaxNode, type SyntaxTree } from '../../../runtime/devicetree/syntax/tree';

/** An outline: a line a part, with its kind, labels and name. */
function outlineOf(text: string): string[] {
  const tree = parseSyntax(text);
  const lines: string[] = [];
  const visit = (node: SyntaxNode, depth: number): void => {
    lines.push(`${'  '.repeat(depth)}${node.kind} ${[...node.labels.map((label) => label.text), node.name?.text ?? ''].join(' ')}`.trimEnd());
    for (const child of node.children) visit(child, depth + 1);
  };
  for (const child of tree.root.children) visit(child, 0);
  return lines;
}

const BOARD = `/dts-v1/;
#include "soc.dtsi"
#define PIN(a, b) \\
	(((a) << 8) | (b))

/ {
	model = "Board", "a;b{"; /* } */
	#address-cells = <2>;
	led: led-0 { gpios = <&gpio 1 PIN(2, 3)>; };
	/delete-node/ old@1;
};

&uart0 {
	status = "okay";
	bytes = [00 11];
};
`;
const BOARD_OUTLINE = [
  'directive /dts-v1/', 'node /', '  property model', '  property #address-cells', '  node led: led-0', '    property gpios', '  directive /delete-node/',
  'node &uart0', '  property status', '  property bytes',
];

function checkCovers(tree: SyntaxTree): void {
  let from = 0;
  for (const token of tree.tokens) {
    assert.ok(token.start >= from && token.end > token.start, 'tokens follow one another');
    assert.match(tree.text.slice(from, token.start), /^(?:\s|\\\r?\n|\ufeff)*$/, 'only blanks between tokens');
    from = token.end;
  }
}

describe('the structure of a file', () => {
  it('holds nodes, properties and directives, whatever strings and comments contain', () => {
    assert.deepEqual(outlineOf(BOARD), BOARD_OUTLINE);
  });

  it('reads macros that make labels, names and whole statements', () => {
    assert.deepEqual(outlineOf('NODE(x): cpu@1 { };\nNAME(uart) { a; };\n/ { MAKE(1, 2)\n b = <1>; };'), ['node cpu@1', 'macro NAME', '  property a', 'node /', '  macro MAKE', '  property b']);
  });

  it('goes on at the next line when a semicolon, bracket or quote is forgotten', () => {
    assert.deepEqual(outlineOf('/ {\n a = <1>\n b-c = <2>;\n};'), ['node /', '  property a', '  property b-c']);
    assert.deepEqual(outlineOf('/ {\n a = <1 2;\n b-c = <2>;\n};'), ['node /', '  property a', '  property b-c']);
    assert.deepEqual(outlineOf('/ {\n a = "x;\n b-c = <2>;\n};'), ['node /', '  property a', '  property b-c']);
    assert.deepEqual(outlineOf('/ {\n a = <1\n led-0 { c; };\n};'), ['node /', '  property a', '  node led-0', '    property c']);
    assert.deepEqual(outlineOf('/include/ "a"\n/include/ "b"\n/ { };'), ['directive /include/', 'directive /include/', 'node /']);
  });

  it('keeps the other statements when any one token of a tree is deleted', () => {
    const { tokens } = parseSyntax(BOARD);
    for (const token of tokens.filter(({ kind }) => kind !== 'comment')) {
      const kept = new Set(outlineOf(BOARD.slice(0, token.start) + BOARD.slice(token.end)).map((line) => line.trim()));
      const lost = BOARD_OUTLINE.filter((line) => !kept.has(line.trim()));
      assert.ok(lost.length <= 2, `deleting ${token.text} loses ${lost.join(', ')}`);
    }
  });

  it('finds what surrounds a place', () => {
    const tree = parseSyntax(BOARD);
    assert.deepEqual(syntaxPathAt(tree, BOARD.indexOf('&gpio')).map(({ kind, name }) => `${kind} ${name?.text ?? ''}`.trim()), ['file', 'node /', 'node led-0', 'property gpios']);
  });

  it('covers every character of any text, without throwing', () => {
    const piece = fc.oneof(fc.constantFrom('{', '}', ';', '<', '>', '[', ']', '(', ')', '=', ',', '"', "'", '/*', '*/', '//', '\n', '#if', '#define X', '/delete-node/', '&x', '&{/a', 'l:', 'name-1', '\\', '\ud83d', ' '), fc.string());
    fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => { checkCovers(parseSyntax(pieces.join(''))); }), { numRuns: 500 });
    checkCovers(parseSyntax('a {'.repeat(20_000)));
  });
});

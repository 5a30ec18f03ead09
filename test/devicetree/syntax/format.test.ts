/** Formatting in the style of Linux's device trees. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileDts } from '../../../runtime/devicetree/index';
import { formatDts, formatEdits } from '../../../runtime/devicetree/syntax/format';

function checkFormat(text: string, expected: string): void {
  assert.equal(formatDts(text), expected);
  assert.equal(formatDts(expected), expected, 'formatting twice changes nothing more');
}

const TIDY = `/dts-v1/;

/ {
	compatible = "a,b",
		     "c,d";
	#if X
	reg = <0x0 0x1>, <&a 2>;
	#endif

	/* what it is */
	led: led-0 {
		status = "okay"; // on
	};
	pins = <
		MUX(1, 2)
	>;
	empty {};
};
`;

describe('the formatter', () => {
  it('leaves what is in style alone', () => {
    checkFormat(TIDY, TIDY);
  });

  it('indents by depth and puts one space where one belongs', () => {
    checkFormat('/ {\n  a=<1   >;\nled:led-0{\nb = "x" ,"y";\n};\n    };', '/ {\n\ta = <1>;\n\tled: led-0 {\n\t\tb = "x", "y";\n\t};\n};\n');
  });

  it('keeps what an author does throughout a file that is in style otherwise', () => {
    const tidy = Array.from({ length: 40 }, (_, n) => `\tp${String(n)} = <${String(n)}>;\n`).join('');
    const kept = (body: string): void => { checkFormat(`/ {\n${tidy}${body}};\n`, `/ {\n${tidy}${body}};\n`); };
    kept('\ta = <1 2>,<3 4>,<5 6>;\n');
    kept('\ta = < 1 2 >;\n');
    kept('\ta =\t\t<1>;\n\tbcd =\t\t<2>;\n');
    kept('\tdelete-me;\n\t/delete-property/p1;\n');
    kept('\ta = <1 2>,\n\t<3 4>;\n');
    kept('\ta;\t/* one\n\t\t   two */\n\tb;/* tight */\n');
    kept('//\tb = <1>;\n');
    checkFormat(`/ {\n${tidy}\ta = <1 2>,<3 4>, <5 6>;\n};\n`, `/ {\n${tidy}\ta = <1 2>, <3 4>, <5 6>;\n};\n`);
    checkFormat(`/ {\n${tidy}\ta =  <1>;\n\tb   = <1>;\n};\n\n\n\n`, `/ {\n${tidy}\ta = <1>;\n\tb = <1>;\n};\n\n`);
  });

  it('gives each statement a line, but leaves nodes on one line', () => {
    checkFormat('/ { a; b; n { c; d; }; };', '/ { a; b; n { c; d; }; };\n');
    checkFormat('/ {\n\ta; b;\n};\n', '/ {\n\ta;\n\tb;\n};\n');
  });

  it('aligns a value that goes on with where it began', () => {
    checkFormat('/ {\n\tinterrupts = <1 2>,\n\t<3 4>;\n};\n', '/ {\n\tinterrupts = <1 2>,\n\t\t     <3 4>;\n};\n');
  });

  it('writes tabs for indentation, keeps the columns, and drops trailing blanks', () => {
    checkFormat('/ {\n        a = <1>, \n            <2>;   // x  \n};\n', '/ {\n\ta = <1>,\n\t    <2>;   // x\n};\n');
  });

  it('keeps directives and macros as they are', () => {
    const text = '#define A(x) \\\n    x = <1>;\n\n/ {\n#ifdef B\n\tA(c)\n#else\n\td;\n#endif\n};\n';
    checkFormat(text, text);
  });

  it('formats a range without touching the rest', () => {
    const text = '/ {\n a;\n b;\n};\n';
    const edits = formatEdits(text, { start: text.indexOf(' b'), end: text.indexOf(' b') + 3 });
    assert.deepEqual(edits.map(({ text: replacement }) => replacement), ['\n\t']);
  });

  it('never changes more than blanks, nor the tree, and is done after one pass', () => {
    const piece = fc.constantFrom('a = <1 2>;', 'n {', '};', 'b;', '\n', '  ', '\t', '"x"', '/* c */', '// d\n', '&l {', 'l: m@1 {', '= ,', '#if 1\n', '/delete-node/ x;', 'M(1)');
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const once = formatDts(text);
      assert.equal(once.replace(/\s/g, ''), text.replace(/\s/g, ''));
      assert.equal(formatDts(once), once);
    }), { numRuns: 500 });
    assert.deepEqual(compileDts(formatDts(TIDY.replace(/[\t]+/g, ' '))).bytes, compileDts(TIDY).bytes);
  });
});

/** The grammar by which editors and viewers of repositories colour device trees: each construct has its scopes, and no file of Linux has anything left over. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { IGrammar } from 'vscode-textmate';
import { ARCHITECTURES, filesBelow, linuxSources } from '../devicetree/linux/sources';
import { deviceTreeGrammar, tokenizeText, type Piece } from './grammar';

let grammar: IGrammar;
before(async () => { grammar = await deviceTreeGrammar(); });

function isPunctuation({ scopes }: Piece): boolean {
  return scopes.at(-1)?.startsWith('punctuation.') === true;
}

/** What stands in the lines, without punctuation and blanks: `text scope`, the innermost scope without `.dts`, `meta` and what is around it left out. */
function meaningOf(text: string): readonly string[] {
  return tokenizeText(grammar, text).flat().filter((piece) => piece.text.trim() !== '' && !isPunctuation(piece)).map((piece) => `${piece.text.trim()} ${(piece.scopes.at(-1) ?? 'nothing').replace(/\.dts$/, '')}`);
}

/** Checks what a text is taken for. */
function checkText(text: string, ...expected: readonly string[]): void {
  assert.deepEqual(meaningOf(text), expected, text);
}

/** The same for a value, in a property `p`. */
function checkValue(value: string, ...expected: readonly string[]): void {
  checkText(`p = ${value};`, 'p variable.other.property', '= keyword.operator.assignment', ...expected);
}

const NAME = 'variable.other.property';
const ASSIGN = '= keyword.operator.assignment';
const MACRO = 'entity.name.constant.macro';
const CALL = 'entity.name.function.preprocessor';

describe('the device tree grammar', () => {
  it('knows comments, over several lines and continued', () => {
    checkText('a; // x = <1>;', `a ${NAME}`, 'x = <1>; comment.line.double-slash');
    checkText('/* a\n b = <1>; */ c;', 'a comment.block', 'b = <1>; comment.block', `c ${NAME}`);
    checkText('// a \\\n b\nc;', 'a \\ comment.line.double-slash', 'b comment.line.double-slash', `c ${NAME}`);
    checkValue('<1 /* 2 */ 3>, // 4\n <5>', '1 constant.numeric.decimal', '2 comment.block', '3 constant.numeric.decimal', '4 comment.line.double-slash', '5 constant.numeric.decimal');
  });

  it('knows directives of device trees', () => {
    checkText('/dts-v1/;\n/plugin/;', '/dts-v1/ keyword.control.directive', '/plugin/ keyword.control.directive');
    checkText('/memreserve/ 0x1000 32;', '/memreserve/ keyword.control.directive.memreserve', '0x1000 constant.numeric.hex', '32 constant.numeric.decimal');
    checkText('/include/ "a.dtsi"', '/include/ keyword.control.import.include', '"a.dtsi" string.quoted.double.include');
    checkText('/omit-if-no-ref/ l: n { };', '/omit-if-no-ref/ keyword.control.directive', 'l entity.name.label', 'n entity.name.type.node');
  });

  it('knows what is deleted', () => {
    checkText('/delete-node/ &l;', '/delete-node/ keyword.control.directive.delete-node', 'l variable.other.reference');
    checkText('/delete-node/ &{/soc/a@1};', '/delete-node/ keyword.control.directive.delete-node', '/soc/a@1 variable.other.reference.path');
    checkText('/delete-node/ uart@1f,0;', '/delete-node/ keyword.control.directive.delete-node', 'uart entity.name.type.node', '1f,0 constant.numeric.unit-address');
    checkText('/delete-property/ #gpio-cells;', '/delete-property/ keyword.control.directive.delete-property', `#gpio-cells ${NAME}`);
  });

  it('knows included files and macros', () => {
    checkText('#include <a/b.h>\n#include "c.dtsi" // d', 'include keyword.control.import.include', 'a/b.h string.quoted.other.lt-gt.include', 'include keyword.control.import.include', 'c.dtsi string.quoted.double.include', 'd comment.line.double-slash');
    checkText('#define F(x, y...) ((x) + 0x1) \\\n\ty // z', 'define keyword.control.directive.define', `F ${CALL}`, 'x variable.parameter.preprocessor', 'y variable.parameter.preprocessor', '... variable.parameter.preprocessor',
      `x ${MACRO}`, '+ keyword.operator', '0x1 constant.numeric.hex', '\\ constant.character.escape.line-continuation', `y ${MACRO}`, 'z comment.line.double-slash');
    checkText('#define A a ## b #c', 'define keyword.control.directive.define', `A ${CALL}`, `a ${MACRO}`, '## keyword.operator.preprocessor', `b ${MACRO}`, '# keyword.operator.preprocessor', `c ${MACRO}`);
    checkText('#undef A', 'undef keyword.control.directive.undef', `A ${CALL}`);
    checkText('#if defined(A) && B > 1\n# else\n#endif', 'if keyword.control.directive.conditional', 'defined keyword.operator.defined', `A ${MACRO}`, '&& keyword.operator', `B ${MACRO}`, '> keyword.operator', '1 constant.numeric.decimal', 'else keyword.control.directive.conditional', 'endif keyword.control.directive.conditional');
    checkText('#error it is wrong', 'error keyword.control.directive.diagnostic', 'it is wrong string.unquoted.single');
    checkText('# 12 "a.h" 2', '12 constant.numeric.decimal', '"a.h" string.quoted.double', '2 constant.numeric.decimal');
    checkText('PIN(a, 1)\nEND_OF_NODE', `PIN ${CALL}`, `a ${MACRO}`, '1 constant.numeric.decimal', `END_OF_NODE ${MACRO}`);
  });

  it('tells properties that begin with # from directives', () => {
    checkText('#address-cells = <1>;\n#line-foo;\n#if-bar = "x";', `#address-cells ${NAME}`, ASSIGN, '1 constant.numeric.decimal', `#line-foo ${NAME}`, `#if-bar ${NAME}`, ASSIGN, 'x string.quoted.double');
  });

  it('knows labels, references, nodes with unit addresses and names of properties', () => {
    checkText('/ {\n\ta: b: uart@1f,0 {\n\t\tqcom,foo-bar#x?;\n\t};\n};', '/ entity.name.type.node.root', 'a entity.name.label', 'b entity.name.label', 'uart entity.name.type.node', '1f,0 constant.numeric.unit-address', `qcom,foo-bar#x? ${NAME}`);
    checkText('&uart { };\n&{/soc/x@1} { };', 'uart variable.other.reference', '/soc/x@1 variable.other.reference.path');
    checkText('node@1\n{\n};', 'node entity.name.type.node', '1 constant.numeric.unit-address');
    checkText('0wire /* x */ { };', '0wire entity.name.type.node', 'x comment.block');
  });

  it('knows strings that go on in the next lines, and ends one that was never closed at the next property or node', () => {
    checkValue('"first\n\tsecond; <3>\n&four", <5>', 'first string.quoted.double', 'second; <3> string.quoted.double', '&four string.quoted.double', '5 constant.numeric.decimal');
    checkValue('"a", "b\nc\\"d"', 'a string.quoted.double', 'b string.quoted.double', 'c string.quoted.double', '\\" constant.character.escape', 'd string.quoted.double');
    checkText('p = "open;\nq = <1>;', `p ${NAME}`, ASSIGN, 'open; string.quoted.double', `q ${NAME}`, ASSIGN, '1 constant.numeric.decimal');
    checkText('p = "open\n\tl: q = <1>;', `p ${NAME}`, ASSIGN, 'open string.quoted.double', 'l entity.name.label', `q ${NAME}`, ASSIGN, '1 constant.numeric.decimal');
    checkText('n { p = "open\n};\nm { };', 'n entity.name.type.node', `p ${NAME}`, ASSIGN, 'open string.quoted.double', 'm entity.name.type.node');
  });

  it('knows strings with escapes, characters and byte strings', () => {
    checkValue('"a\\n\\x41", l: "b"', 'a string.quoted.double', '\\n constant.character.escape', '\\x41 constant.character.escape', 'l entity.name.label', 'b string.quoted.double');
    checkValue("<'a' '\\n' '\\''>", "'a' constant.character", "'\\n' constant.character", "'\\'' constant.character");
    checkValue('[00 fF 0a1b l: 3c]', '00 constant.numeric.hex.byte', 'fF constant.numeric.hex.byte', '0a1b constant.numeric.hex.byte', 'l entity.name.label', '3c constant.numeric.hex.byte');
    checkValue('/incbin/("f.bin", 0x10, 2)', '/incbin/ keyword.control.directive.incbin', 'f.bin string.quoted.double', '0x10 constant.numeric.hex', '2 constant.numeric.decimal');
  });

  it('knows numbers and expressions, also with comparisons', () => {
    checkValue('<0x1F 017 10 1ULL>', '0x1F constant.numeric.hex', '017 constant.numeric.octal', '10 constant.numeric.decimal', '1ULL constant.numeric.decimal');
    checkValue('<(1 > 2 ? 3 : ~4) &l (A << 1) F(2, 3)>', '1 constant.numeric.decimal', '> keyword.operator', '2 constant.numeric.decimal', '? keyword.operator', '3 constant.numeric.decimal', ': keyword.operator', '~ keyword.operator', '4 constant.numeric.decimal',
      'l variable.other.reference', `A ${MACRO}`, '<< keyword.operator', '1 constant.numeric.decimal', `F ${CALL}`, '2 constant.numeric.decimal', '3 constant.numeric.decimal');
    checkValue('/bits/ 64 <1>, &l, &{/a}', '/bits/ keyword.control.directive.bits', '64 constant.numeric.decimal', '1 constant.numeric.decimal', 'l variable.other.reference', '/a variable.other.reference.path');
    checkValue('<0x 09>', '0x invalid.illegal.numeric', '09 constant.numeric.decimal');
  });

  it('goes on behind what somebody forgot to close', () => {
    const next = 'next { x = <1>; };';
    for (const open of ['a = <1', 'a = "b', "a = 'b", 'a = [00', 'a = <(1 + 2', 'a = "b"', 'a =', 'a = /incbin/("x"', 'MACRO(1', '/delete-node/', '/delete-property/ x', 'a = <&{/x']) {
      const found = meaningOf(`${open}\n${next}\nlast;`);
      assert.deepEqual(found.slice(-1), [`last ${NAME}`], open);
      assert.ok(found.includes('x variable.other.property') && found.includes('next entity.name.type.node'), `${open}: ${found.join(' | ')}`);
    }
  });

  it('leaves nothing of Linux\'s device trees without a scope, and ends each file where it began', () => {
    const files = ARCHITECTURES.flatMap((architecture) => filesBelow(`arch/${architecture}/boot/dts`, ['.dts', '.dtsi', '.dtso'])).filter((_, index) => index % 40 === 0);
    assert.ok(files.length > 100);
    const odd: string[] = [];
    for (const file of files) {
      const text = readFileSync(join(linuxSources(), file), 'utf8');
      const lines = tokenizeText(grammar, `${text}\nlast_line;`);
      for (const [line, pieces] of lines.entries()) {
        for (const { text: word, scopes } of pieces) if (word.trim() !== '' && (scopes.at(-1)?.startsWith('meta.') ?? true)) odd.push(`${file}:${line + 1}: ${word} has no scope`);
        for (const { text: word, scopes } of pieces) if (scopes.some((scope) => scope.startsWith('invalid.'))) odd.push(`${file}:${line + 1}: ${word} is illegal`);
      }
      const last = lines.at(-1)?.[0];
      if (last?.scopes.join() !== `${NAME}.dts`) odd.push(`${file}: the last line is within ${String(last?.scopes.join())}`);
    }
    assert.deepEqual(odd, []);
  });

  it('takes any text, in time that grows with it', () => {
    for (const text of ['<'.repeat(3000), '('.repeat(3000), '"'.repeat(3001), '/*'.repeat(3000), 'a = '.repeat(2000), '&{'.repeat(3000), 'l: '.repeat(3000), '#define '.repeat(1000), `${'a'.repeat(20_000)}`, '\\'.repeat(5000), 'a@b'.repeat(4000), ' '.repeat(20_000), '/'.repeat(5000)]) {
      const start = process.cpuUsage();
      tokenizeText(grammar, `/ {\n${text}\n${text.split('').join('\n').slice(0, 4000)}\n};\n`);
      const { user, system } = process.cpuUsage(start);
      assert.ok((user + system) / 1e6 < 5, `${text.slice(0, 10)}… took ${((user + system) / 1e6).toFixed(1)} s`);
    }
  });
});

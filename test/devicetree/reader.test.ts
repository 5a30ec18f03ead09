import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DtsReader, parseDts, type ParsedDts, type ParseOptions } from '../../runtime/devicetree/dts-parser';
import { Preprocessor } from '../../runtime/devicetree/preprocessor';
import { printDtsLines } from '../../runtime/devicetree/print';
import { DiagnosticList } from '../../runtime/devicetree/source';

const FILES: Readonly<Record<string, string>> = {
  'main.dts': `/dts-v1/;
#include "macros.h"
#define LOCAL(x) <x 1>
#include "soc.dtsi"
/ { model = "board"; chosen { stdout-path = &uart; }; };
&uart { status = "okay"; speed = LOCAL(FAST); };
&bus { late: late@9 { reg = <9>; }; };
/delete-node/ &gone;
#ifdef EXTRA
/ { extra; };
#else
/ { none = [01 02]; };
#endif
#include "more.dtsi"
&{/chosen} { bootargs = "x"; };
/include/ "tail.dtsi"
`,
  'macros.h': '#ifndef M\n#define M\n#define FAST 0x10\n#define PAIR(a, b) a b\n/memreserve/ 1 2;\n#endif\n',
  'soc.dtsi': '#include "macros.h"\n/ {\n  bus: bus { #address-cells = <1>;\n    uart: serial@1 { reg = <PAIR(1, 2)>; status = "disabled"; };\n    gone: old@2 { reg = <2>; };\n  };\n};\n/omit-if-no-ref/ &gone;\n',
  'more.dtsi': '&bus { x = <&uart>; };\n&late { y; };\n',
  'tail.dtsi': '/ { tail { a = "1", <2>; }; };\n',
};

/** Says how many sequences of edits are followed; thousands take minutes. */
const DEEP_RUNS = Number(process.env['FOLLOWED_EDITS'] ?? 40);

const PIECES = ['\n', ';', '{', '}', '"', '/*', '*/', '#endif\n', '#if 1\n', '#define FAST 7\n', '#include "soc.dtsi"\n', ' { a; };', '&late { z; };\n', '\n/delete-node/ &uart;\n', '\\\n', '(', 'FAST', 'LOCAL', '<', ''];

/** Files within each other, long enough to have places in them to go back to, with macros, conditions and labels everywhere. */
function deepFiles(): Record<string, string> {
  const body = (name: string, count: number): string => Array.from({ length: count }, (_, index) => {
    const id = `${name}${String(index)}`;
    const lines = [`\t${id}: ${name}@${String(index)} {`, `\t\treg = <${String(index)} SIZE>;`, `\t\tlink = <&${name}${String((index * 7) % count)}>;`, ...index % 5 === 0 ? [`\t\tinner { deep { x = PAIR(${String(index)}, &top); }; };`] : [], '\t};'];
    if (index % 9 === 4) return [`#define ${id.toUpperCase()} <${String(index)}>`, ...lines.slice(0, -1), `\t\tmade = ${id.toUpperCase()};`, '\t};'].join('\n');
    return (index % 9 === 7 ? ['#ifdef OFTEN', '\toften;', '#else', ...lines, '#endif'] : lines).join('\n');
  }).join('\n');
  return {
    'main.dts': `/dts-v1/;\n#include "words.h"\n#include "soc.dtsi"\n&top { tail; };\n${body('m', 40).replace(/^/, '/ { main {\n')}\n}; };\n&s3 { changed = "main"; };\n#include "last.dtsi"\n`,
    'words.h': `${Array.from({ length: 60 }, (_, index) => `#define WORD${String(index)} ${String(index)} /* word */`).join('\n')}\n#define SIZE 0x10\n#define PAIR(a, b) <a b>\n`,
    'soc.dtsi': `/ { top: soc {\n${body('s', 30)}\n#include "inner.dtsi"\n${body('t', 30)}\n}; };\n&s1 { again = <WORD3>; };\n#include "parts.dtsi"\n/delete-node/ &s2;\n&{/soc/s@1} { by-path; };\n`,
    'inner.dtsi': `island {\n${body('i', 40)}\n};\n`,
    'parts.dtsi': `&top {\n${body('p', 40)}\n};\n&i4 { status = "okay"; };\n`,
    'last.dtsi': `&p5 { last = <WORD59>; /delete-property/ reg; };\n/ { end = PAIR(1, 2); };\n`,
  };
}

const DEEP_PIECES = [...PIECES, '\n#define SIZE 3\n', '\n#undef WORD3\n', '\n#ifdef NONE\n', '\n#else\n', '#define OFTEN\n', '\n#include "last.dtsi"\n', '\n#include "inner.dtsi"\n', '\n#pragma once\n', '\n#line 7\n', '};\n', 'new: node { };', '/omit-if-no-ref/ ', 'x = <1>;', 's3: ', '// ', '#error no\n', '/include/ "last.dtsi"', 'WORD5 '];

function seen({ tree, diagnostics, files }: ParsedDts): unknown {
  const lines = printDtsLines(tree).map(({ text, origin }) => `${text} ${origin === undefined ? '' : `${origin.file}:${String(origin.line)}:${String(origin.column)}+${String(origin.length)}`}`);
  return { lines, diagnostics, files, reservations: tree.reservations.map(({ address, size }) => `${String(address)} ${String(size)}`), plugin: tree.plugin };
}

/** Applies edits to files one after the other; after each the reader must say the same as a fresh parse. */
function checkEdits(edits: readonly { readonly file: string; readonly at: number; readonly cut: number; readonly text: string; readonly isUndo?: boolean }[], files: Record<string, string> = { ...FILES }): void {
  const reader = new DtsReader();
  const options = (): ParseOptions => ({ file: 'main.dts', files: { readText: (path) => files[path] } });
  reader.read(files['main.dts'] ?? '', options());
  const past: (readonly [string, string])[] = [];
  for (const { file, at, cut, text, isUndo = false } of edits) {
    const before = files[file] ?? '';
    const from = Math.floor(at * (before.length + 1));
    const undone = isUndo ? past.pop() : undefined;
    if (undone === undefined) past.push([file, before]);
    files[undone?.[0] ?? file] = undone?.[1] ?? before.slice(0, from) + text + before.slice(from + cut);
    const now = files['main.dts'] ?? '';
    assert.deepEqual(seen(reader.read(now, options())), seen(parseDts(now, options())), `after ${JSON.stringify({ file, from, cut, text })}`);
  }
}

const edit = fc.record({ file: fc.constantFrom(...Object.keys(FILES)), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.constantFrom(0, 0, 1, 5, 40), text: fc.constantFrom(...PIECES) });

describe('DtsReader', () => {
  it('says after any edits of any files what a fresh parse says', () => {
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => { checkEdits(edits); }), { numRuns: 400 });
  });

  it('says so too where files include each other deeply and are long', () => {
    const names = Object.keys(deepFiles());
    const deepEdit = fc.record({ file: fc.constantFrom(...names), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.constantFrom(0, 0, 1, 5, 40), text: fc.constantFrom(...DEEP_PIECES), isUndo: fc.constantFrom(false, true) });
    assert.deepEqual(parseDts(deepFiles()['main.dts'] ?? '', { file: 'main.dts', files: { readText: (path) => deepFiles()[path] } }).diagnostics, []);
    fc.assert(fc.property(fc.array(deepEdit, { minLength: 8, maxLength: 8 }), (edits) => { checkEdits(edits, deepFiles()); }), { numRuns: DEEP_RUNS });
  });

  for (const [file, place] of [['main.dts', 'm6: '], ['soc.dtsi', 's20: '], ['inner.dtsi', 'i20: '], ['parts.dtsi', 'p20: ']] as const) {
    it(`reads only what is near an edit in ${file}`, () => {
      const files = deepFiles();
      const options = { files: { readText: (path: string) => files[path] }, problems: new DiagnosticList() };
      const preprocessor = new Preprocessor(files['main.dts'] ?? '', 'main.dts', options);
      const { text } = preprocessor.run();
      files[file] = (files[file] ?? '').replace(place, `${place} other: `);
      const kept = preprocessor.goBack(files['main.dts'] ?? '', options);
      const again = preprocessor.run();
      assert.equal(again.text, text.replace(place, `${place} other: `));
      assert.ok(kept !== undefined && again.rejoined !== undefined && again.rejoined.from - kept < 6000, `${String(kept)} to ${String(again.rejoined?.from)} of ${String(text.length)}`);
    });
  }

  it('notices files that come and go', () => {
    const files: Record<string, string> = { ...FILES };
    const options: ParseOptions = { file: 'main.dts', files: { readText: (path) => files[path] } };
    const reader = new DtsReader();
    const main = files['main.dts'] ?? '';
    const problems = (): readonly string[] => reader.read(main, options).diagnostics.map(({ code }) => code);
    assert.deepEqual(problems(), []);
    delete files['more.dtsi'];
    assert.deepEqual(problems(), ['cpp-include-not-found']);
    files['more.dtsi'] = '/ { back; };';
    assert.deepEqual(problems(), []);
  });

  it('follows a macro call that goes on in the next line', () => {
    const files = { ...FILES, 'main.dts': `/dts-v1/;\n${'/* line */\n'.repeat(60)}#define F(x) x\n/ { a = <F\n1>; };\n` };
    const at = files['main.dts'].indexOf('\n1>') / (files['main.dts'].length + 1);
    checkEdits([{ file: 'main.dts', at: at + 0.0001, cut: 2, text: '\n(1)' }], files);
  });

  it('sees edits far behind the beginning of a long file', () => {
    const long = Array.from({ length: 600 }, (_, index) => `/ { n${String(index)} { a = <${String(index)}>; }; };`).join('\n');
    const files = { ...FILES, 'main.dts': `/dts-v1/;\n#include "soc.dtsi"\n${long}\n` };
    checkEdits([0.9, 0.5, 0.95, 0.1, 0.99, 0.0001].map((at) => ({ file: 'main.dts', at, cut: 1, text: ' ' })), files);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DtsReader, parseDts, type ParsedDts, type ParseOptions } from '../../runtime/devicetree/dts-parser';
import { printDtsLines } from '../../runtime/devicetree/print';

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
  'macros.h': '#ifndef M\n#define M\n#define FAST 0x10\n#define PAIR(a, b) a b\n#endif\n',
  'soc.dtsi': '#include "macros.h"\n/ {\n  bus: bus { #address-cells = <1>;\n    uart: serial@1 { reg = <PAIR(1, 2)>; status = "disabled"; };\n    gone: old@2 { reg = <2>; };\n  };\n};\n/omit-if-no-ref/ &gone;\n',
  'more.dtsi': '&bus { x = <&uart>; };\n&late { y; };\n/memreserve/ 1 2;\n',
  'tail.dtsi': '/ { tail { a = "1", <2>; }; };\n',
};

const PIECES = ['\n', ';', '{', '}', '"', '/*', '*/', '#endif\n', '#if 1\n', '#define FAST 7\n', '#include "soc.dtsi"\n', ' { a; };', '&late { z; };\n', '\n/delete-node/ &uart;\n', '\\\n', '(', 'FAST', 'LOCAL', '<', ''];

function seen({ tree, diagnostics, files }: ParsedDts): unknown {
  const lines = printDtsLines(tree).map(({ text, origin }) => `${text} ${origin === undefined ? '' : `${origin.file}:${String(origin.line)}:${String(origin.column)}+${String(origin.length)}`}`);
  return { lines, diagnostics, files, reservations: tree.reservations.map(({ address, size }) => `${String(address)} ${String(size)}`), plugin: tree.plugin };
}

/** Applies edits to files one after the other; after each the reader must say the same as a fresh parse. */
function checkEdits(edits: readonly { readonly file: string; readonly at: number; readonly cut: number; readonly text: string }[], files = { ...FILES }): void {
  const reader = new DtsReader();
  const options = (): ParseOptions => ({ file: 'main.dts', files: { readText: (path) => files[path] } });
  reader.read(files['main.dts'] ?? '', options());
  for (const { file, at, cut, text } of edits) {
    const before = files[file] ?? '';
    const from = Math.floor(at * (before.length + 1));
    files[file] = before.slice(0, from) + text + before.slice(from + cut);
    const now = files['main.dts'] ?? '';
    assert.deepEqual(seen(reader.read(now, options())), seen(parseDts(now, options())), `after ${JSON.stringify({ file, from, cut, text })}`);
  }
}

const edit = fc.record({ file: fc.constantFrom(...Object.keys(FILES)), at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.constantFrom(0, 0, 1, 5, 40), text: fc.constantFrom(...PIECES) });

describe('DtsReader', () => {
  it('says after any edits of any files what a fresh parse says', () => {
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => { checkEdits(edits); }), { numRuns: 400 });
  });

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

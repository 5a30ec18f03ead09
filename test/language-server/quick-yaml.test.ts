import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { load } from 'js-yaml';

import { readQuickly } from '../../language-server/quick-yaml';
import { filesBelow, linuxSources } from '../devicetree/linux/sources';

/** Objects without prototype and with one are the same JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function withoutExamples(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'examples' in value ? { ...value, examples: null } : value;
}

/** What the quick reader says must be what the general one says; it may leave a document alone. */
function checkSame(text: string, name = text): boolean {
  const quick = readQuickly(text);
  if (quick === undefined) return false;
  let general: unknown;
  try {
    general = load(text);
  } catch (problem) {
    assert.fail(`${name}: taken, although it is malformed: ${String(problem)}`);
  }
  assert.deepEqual(plain(quick), plain(withoutExamples(general)), name);
  return true;
}

function checkRead(lines: readonly string[]): void {
  const text = `---\n${lines.join('\n')}\n`;
  assert.ok(checkSame(text), `left to the general reader: ${text}`);
}

test('our bindings and Linux\'s are read as the general reader reads them, nearly all of them quickly', () => {
  const ours = resolve(__dirname, '..', '..', 'language-server', 'bindings');
  const files = [
    ...readdirSync(ours, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml')).map((name) => join(ours, name)),
    ...filesBelow('Documentation/devicetree/bindings', ['.yaml']).filter((_, index) => index % 8 === 0).map((name) => join(linuxSources(), name)),
  ];
  const quick = files.filter((file) => checkSame(readFileSync(file, 'utf8'), file));
  assert.ok(quick.length > files.length * 0.9, `${String(quick.length)} of ${String(files.length)} are read quickly`);
});

test('what bindings are made of is read', () => {
  checkRead(['a: 1', 'b: -0x', 'c: 0x1f', 'd: true', 'e: null', 'f:', 'g: "x: \\"y\\""', "h: 'it''s'", 'i: {}', 'j: []']);
  checkRead(['a:', '  - b', '  - c: 1', '    d: 2', '  -   e: [1, x,', '        "y", [z]]', 'f:', '- g', '- h', '  i']);
  checkRead(['a: one', '  two', '', '  three # comment', '# comment', 'b: |', '  text', '', '    further', '  end', '', 'c: >-', '  folded', '  lines', '', '  more', 'd: |', 'e: f']);
  checkRead(["'^a.*$': x", '"#b": y', '$ref: /schemas/types.yaml#/definitions/uint32', 'url: http://a/b#c']);
});

test('what is beyond it or malformed is left to the general reader', () => {
  for (const text of ['a: &x 1', 'a: *x', 'a: !!int 1', 'a: {b: c}', '? a', 'a: b: c', 'a: 1\na: 2', 'a: "x\\u0041"', 'a: "b', '\ta: b', 'a:\n   - b\n  - c', 'a: 1.5', 'a: |2\n   b', 'a: [b', 'a: [b: c]', '- - a\n -b']) {
    assert.equal(readQuickly(`---\n${text}\n`), undefined, text);
  }
  assert.equal(readQuickly('a: 1'), undefined);
});

test('whatever lines come, what is read is what the general reader reads', () => {
  const word = fc.constantFrom('a', 'b:', '- ', '-', ' ', '  ', '"x"', "'y'", '[', ']', ',', ': ', '#', ' # c', '|', '>', '|-', '1', '0x2', 'true', '~', 'c d', '.5', '{}', '\\', '"', "'", 'é', '\t', '...', '---', '$ref: z', '@', '%', '!', '&n', '*n', '?');
  const line = fc.tuple(fc.constantFrom('', '  ', '    ', '   '), fc.array(word, { maxLength: 5 })).map(([indent, words]) => indent + words.join(''));
  fc.assert(fc.property(fc.array(line, { maxLength: 8 }), (lines) => { checkSame(`---\n${lines.join('\n')}\n`); }), { numRuns: 20_000 });
});

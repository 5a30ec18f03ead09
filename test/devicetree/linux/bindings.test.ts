/**
 * Linux's bindings with our own types and standard properties: all of them are read, boards fail where dt-schema 2025.08 says (`verdicts.json`, taken
 * from its output: node, binding, keyword), and the examples in bindings compile to the bytes of dtc and fail no binding. A sample on ordinary days;
 * FIGURES=all takes everything.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { loadBindings } from '../../../cli/dt-bindings';
import { UNDOCUMENTED } from '../../../runtime/devicetree/bindings/binding-set';
import { compileDts, hasErrors } from '../../../runtime/devicetree/index';
import { compileHere, filesBelow, linuxFiles, linuxSources, sample } from './sources';

const BINDINGS = 'Documentation/devicetree/bindings';
const VERDICTS = JSON.parse(readFileSync(join(__dirname, 'verdicts.json'), 'utf8')) as Readonly<Record<string, readonly string[]>>;
const SCHEMAS = 'http://devicetree.org/schemas/';

const loaded = loadBindings([join(linuxSources(), BINDINGS)]);
assert.ok(loaded.ok);
const { bindings, diagnostics } = loaded.value;

/** A binding's examples, each as a tree of its own. */
function examplesOf(file: string): readonly string[] {
  const text = (linuxFiles.readText(file) ?? '').replace(/([[,][ \t\r\n]*)-(?=[ \t\r\n]*[,\]])/g, '$1"-"');
  const content = load(text) as { readonly examples?: readonly unknown[] } | null;
  return (content?.examples ?? []).filter((example) => typeof example === 'string').map(wrapped);
}

/** References lead out of an example, as they do in an overlay. */
function wrapped(example: string): string {
  if (/\/dts-v1\//.test(example)) return `${example}\n`;
  if (/^\s*\/\s*\{/m.test(example)) return `/dts-v1/;\n/plugin/;\n${example}\n`;
  return `/dts-v1/;\n/plugin/;\n/ {\n\texample {\n\t\t#address-cells = <1>;\n\t\t#size-cells = <1>;\n${example}\n\t};\n};\n`;
}

/** The bytes that the C preprocessor and dtc make; `undefined` if they refuse it. */
function withDtc(text: string): Buffer | undefined {
  const cwd = linuxSources();
  const cpp = spawnSync('cpp', ['-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', '-I', 'include', '-I', 'scripts/dtc/include-prefixes', '-'], { cwd, input: text, maxBuffer: 1 << 26 });
  if (cpp.status !== 0) return undefined;
  const dtc = spawnSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-b', '0', '-'], { cwd, input: cpp.stdout, maxBuffer: 1 << 26 });
  return dtc.status === 0 ? dtc.stdout : undefined;
}

describe('Linux\'s bindings', () => {
  it('are all read', () => {
    assert.deepEqual(diagnostics, []);
    const files = filesBelow(BINDINGS, ['.yaml']).filter((file) => /^\$id:/m.test(linuxFiles.readText(file) ?? ''));
    assert.ok(files.length > 4300 && bindings.schemas.size >= files.length, `${String(bindings.schemas.size)} of ${String(files.length)}`);
  });

  it('fail where dt-schema says so, and nowhere else', () => {
    for (const board of sample(Object.keys(VERDICTS), 10)) {
      const { tree } = compileHere(`arch/arm64/boot/dts/${board}`, { symbols: false });
      const found = bindings.checkTree(tree.root).filter(({ schemaId }) => schemaId !== UNDOCUMENTED)
        .map(({ node, schemaId, keyword }) => `${node.path} ${schemaId.replace(SCHEMAS, '').replace(/#$/, '')} ${keyword}`);
      assert.deepEqual([...new Set(found)].sort(), [...new Set(VERDICTS[board])].sort(), board);
    }
  });

  it('have examples that compile to the bytes of dtc', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const file of sample(filesBelow(BINDINGS, ['.yaml']), 40)) {
      for (const [index, text] of examplesOf(file).entries()) {
        const theirs = withDtc(text);
        const ours = compileDts(text, { file: 'example.dts', files: linuxFiles, bootCpu: 0, includePaths: ['include', 'scripts/dtc/include-prefixes'] });
        count++;
        if (theirs === undefined ? !hasErrors(ours.diagnostics) : hasErrors(ours.diagnostics) || Buffer.compare(theirs, ours.bytes) !== 0) wrong.push(`${file}#${String(index)}: ${theirs === undefined ? 'only dtc refuses it' : ours.diagnostics[0]?.message ?? 'other bytes'}`);
      }
    }
    assert.ok(count > 50, `${String(count)} examples are a try`);
    assert.deepEqual(wrong, []);
  });
});

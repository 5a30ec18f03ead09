import { test } from 'node:test';
import { checkCanFail, checkRule } from './check';
import { PRODUCT, TYPESCRIPT } from './project';
import { exportedDocRule, headerRule, unfinishedRule } from './rules/comments';
import { hostRule } from './rules/host';
import { defaultExportRule, fileLengthRule, fileNameRule, reExportRule } from './rules/names';
import { anyRule, castRule, nonNullRule } from './rules/types';

const RUNTIME = /^runtime\/.*\.ts$/;
const MODULES = /^(?!extension\/samples\/).*(?<!\.test)\.ts$/;
const OUR_FILES = /^(?!package-lock\.json$)/;

const bad = (text: string, says: string, path = 'runtime/base/a.ts') => ({ path, text, says });
const good = (text: string, path = 'runtime/base/a.ts') => ({ path, text });

test('the runtime names no clock, no chance, no host, and waits for nothing', () => {
  checkRule('host names in the runtime', hostRule, RUNTIME);
  checkCanFail(hostRule, [
    bad('const now = Date.now();', 'Date'),
    bad('const x = Math.random();', 'random'),
    bad('setTimeout(f, 0);', 'setTimeout'),
    bad('globalThis.console.log(1);', 'globalThis'),
    bad('new TextEncoder().encode(s);', 'TextEncoder'),
    bad('const f = async () => 1;', 'async'),
    bad('type F = () => Promise<void>;', 'Promise'),
    bad('names.sort((a, b) => a.localeCompare(b));', 'localeCompare'),
    bad('const p = { process };', 'process'),
  ], [good('const { random } = prng; prng.random(); const row = { process: 1, date: 2 };'), good('// Date and Math.random do not exist here\nconst x = Math.max(1, 2);')]);
});

test('nothing has the type any, and no comment hides an error', () => {
  checkRule('any', anyRule, TYPESCRIPT);
  checkCanFail(anyRule, [bad('let x: any;', 'any'), bad('const f = (x: any[]): void => {};', 'any'), bad(`// @ts-${'ignore'}\nf();`, 'switched off'), bad(`// eslint-${'disable'}-next-line max-params\nf();`, 'switched off')], [good("const any = 'any';")]);
});

test('nothing is asserted to be there', () => {
  checkRule('non-null assertion', nonNullRule, TYPESCRIPT);
  checkCanFail(nonNullRule, [bad('f(x!);', 'non-null'), bad('class A { x!: number; }', 'definite')], [good('if (!x) f();')]);
});

test('casts stand only where values get their types', () => {
  checkRule('cast', castRule, PRODUCT);
  checkCanFail(castRule, [bad('f(x as number);', 'number'), bad('f(<number>x);', 'cast'), bad('f(x as unknown as Row);', 'Row')], [good("const rows = { a: 1 } as const; import { a as b } from './a';"), good('const x = { a: 1 } satisfies Row;')]);
});

test('every module says what it is', () => {
  checkRule('module header', headerRule, MODULES);
  checkCanFail(headerRule, [bad("import { a } from './a';", 'doc comment'), bad('// A line.\nexport {};', 'doc comment')], [good('/** What it is. */\nexport {};'), good('#!/usr/bin/env node\n/** What it is. */\nexport {};')]);
});

test('every exported name has a doc comment', () => {
  checkRule('documented exports', exportedDocRule, MODULES);
  checkCanFail(exportedDocRule, [
    bad('/** The module. */\n\nexport const a = 1;', 'a has no'),
    bad('// Not a doc comment.\nexport function f(): void {}', 'f has no'),
    bad('/** A. */\nexport interface A {}\n\nexport type B = A;', 'B has no'),
    bad('/** A. */\nexport const a = 1;\n\nexport const b = 2;', 'b has no'),
    bad('export class C {}', 'C has no'),
  ], [good('/** A. */\nexport const a = 1;\nexport const b = 2;'), good('/** F. */\nexport function f(x: string): void;\nexport function f(x: number): void;\nexport function f(): void {}'), good('const hidden = 1;')]);
});

test('nothing announces that it is unfinished', () => {
  checkRule('unfinished work', unfinishedRule, OUR_FILES);
  checkCanFail(unfinishedRule, [bad(`// ${'TO'}DO: more`, 'ledger'), bad(`throw new Error('not ${'imple'}mented');`, 'ledger')], [good('// done'), good("answer('UNIMPLEMENTED');")]);
});

test('file names are words in lower case with hyphens', () => {
  checkRule('file names', fileNameRule, OUR_FILES);
  checkCanFail(fileNameRule, [bad('', 'kebab', 'runtime/base/byteReader.ts'), bad('', 'kebab', 'runtime/Base/a.ts'), bad('', 'kebab', 'docs/my_page.md')], [good('', 'docs/how-to/add-a-device.md'), good('', '.ci/run'), good('', 'extension/samples/two-vms/README.md')]);
});

test('files have at most 600 lines, tables apart', () => {
  checkRule('file length', fileLengthRule, TYPESCRIPT);
  checkCanFail(fileLengthRule, [bad('\n'.repeat(601), '601 lines')], [good('\n'.repeat(600))]);
});

test('modules export by name, and only faces of folders hand on', () => {
  checkRule('default exports', defaultExportRule, TYPESCRIPT);
  checkCanFail(defaultExportRule, [bad('export default 1;', 'default'), bad('export default class {}', 'default')], [good('switch (x) { default: f(); }')]);
  checkRule('re-exports', reExportRule, TYPESCRIPT);
  checkCanFail(reExportRule, [bad("export { a } from './b';", 're-export'), bad("export * from './b';", 're-export')], [good("export { a } from './b';", 'runtime/base/index.ts'), good('const a = 1; export { a };')]);
});

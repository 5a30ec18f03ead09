import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCanFail, checkRule } from './check';
import { PRODUCT, projectFiles, projectPaths } from './project';
import { circlesOf, IMPORT_TABLE, importRule } from './rules/imports';

test('folders import only what the table of the architecture lets them', () => {
  checkRule('imports', importRule, PRODUCT);
});

/** Folders of modules that have no row of their own. */
function foldersWithoutRow(paths: readonly string[]): readonly string[] {
  const folders = new Set(paths.filter((path) => PRODUCT.test(path)).map((path) => /^runtime\/[^/]+\/|^[^/]+\//.exec(path)?.[0] ?? path));
  return [...folders].filter((folder) => !IMPORT_TABLE.some((row) => row.folder === folder));
}

test('every folder of the product has a row in the import table', () => {
  assert.deepEqual(foldersWithoutRow(projectPaths()), []);
  assert.deepEqual(foldersWithoutRow(['runtime/base/a.ts', 'runtime/new/a.ts', 'docs/a.md']), ['runtime/new/']);
});

test('the import rule refuses every way around the table', () => {
  const refused = (path: string, text: string, says = 'may not import') => ({ path, text, says });
  checkCanFail(importRule, [
    refused('runtime/base/a.ts', "import { b } from '../isa/b';"),
    refused('runtime/engine/a.ts', "import type { b } from '../hypervisor/interface';"),
    refused('runtime/resource-manager/a.ts', "import { b } from '../hypervisor/msgqueue';"),
    refused('runtime/resource-manager/requests/a.ts', "import { b } from '../../hypervisor/interface-of-ours';"),
    refused('runtime/system/a.ts', "import { readFileSync } from 'node:fs';"),
    refused('runtime/devicetree/a.ts', "const b = require('../machine/b');"),
    refused('runtime/images/a.ts', "export { b } from '../symbols/b';"),
    refused('runtime/images/a.ts', "type B = import('../symbols/b').B;"),
    refused('debug-adapter/a.ts', "import { b } from '../runtime/control/b';"),
    refused('debug-adapter/a.ts', "import { readFileSync } from 'node:fs';"),
    refused('extension/a.ts', "import { b } from '../debug-adapter/session';"),
    refused('extension/a.ts', "import { b } from '../debug-adapter/protocol/requests';", 'types only'),
    refused('extension/a.ts', "import { type b, c } from '../debug-adapter/protocol';", 'types only'),
    refused('language-server/a.ts', "const b = await import('../runtime/engine/b');"),
  ], [
    { path: 'runtime/engine/semantics/a.ts', text: "import { b } from '../layout'; import { c } from '../../isa'; import { d } from '../../base/bits';" },
    { path: 'runtime/resource-manager/requests/a.ts', text: "import { b } from '../../hypervisor/interface';" },
    { path: 'extension/panels/a.ts', text: "import * as vscode from 'vscode'; import type { b } from '../../debug-adapter/protocol';" },
    { path: 'debug-adapter/requests/a.ts', text: "import { b } from '../../runtime/index'; import { c } from '../session';" },
  ]);
});

test('no module needs itself while it is loaded', () => {
  assert.deepEqual(circlesOf(projectFiles(PRODUCT)), []);
  const circle = [{ path: 'a/index.ts', text: "import { b } from './b';" }, { path: 'a/b.ts', text: "import { c } from '../c';" }, { path: 'c.ts', text: "import { a } from './a';" }];
  assert.deepEqual(circlesOf(circle), [['a/index.ts', 'a/b.ts', 'c.ts', 'a/index.ts']]);
  assert.deepEqual(circlesOf([...circle.slice(0, 2), { path: 'c.ts', text: "import type { a } from './a';" }]), []);
});

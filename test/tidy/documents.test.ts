import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCanFail, checkRule } from './check';
import { projectPaths, readProjectFile } from './project';
import { commandRule, headingAnchors, linkRule, pathRule, testSelectionRule } from './rules/documents';
import type { World } from './rules/documents';

const ARCHITECTURE_LINES_MAX = 400;
const DOCUMENTS = /^(README|CONTRIBUTING|CHANGELOG)\.md$|^docs\/(?!reference\/).*\.md$|^(extension|test)\/.*\.md$/;
const GUIDES = [
  'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE', '.ci/run', 'docs/architecture.md', 'docs/tour.md', 'docs/glossary.md', 'docs/testing.md', 'docs/style.md', 'docs/determinism.md',
  'docs/how-to/add-an-instruction.md', 'docs/how-to/add-a-hypercall.md', 'docs/how-to/add-a-device.md', 'docs/how-to/add-a-panel-column.md', 'docs/how-to/add-a-dap-request.md',
  'docs/manual/getting-started.md', 'docs/manual/system-files.md', 'docs/manual/breakpoints.md', 'docs/manual/time-travel.md', 'docs/manual/command-line.md', 'docs/manual/views.md',
];

const world: World = {
  paths: withFolders(projectPaths()),
  scripts: scriptNames(),
  pictures: 'docs/images',
  anchors: (path) => headingAnchors({ path, text: readProjectFile(path) }),
};

function withFolders(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))));
}

function scriptNames(): ReadonlySet<string> {
  const manifest: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(readProjectFile('package.json'));
  return new Set(Object.keys(manifest.scripts));
}

const small: World = {
  paths: withFolders(['runtime/base/bits.ts', 'docs/a.md', 'docs/tour.md']),
  scripts: new Set(['lint']),
  pictures: 'docs/images',
  anchors: () => new Set(['one-heading']),
};
const bad = (text: string, says: string) => ({ path: 'docs/a.md', text, says });
const good = (text: string) => ({ path: 'docs/a.md', text });

test('links in documents lead to files and headings that exist', () => {
  checkRule('links', linkRule(world), DOCUMENTS);
  checkCanFail(linkRule(small), [bad('[x](nowhere.md)', 'docs/nowhere.md'), bad('[x](../runtime/engine)', 'runtime/engine'), bad('[x](tour.md#two)', 'no heading')], [good('[x](tour.md#one-heading) ![p](images/later.png) [w](https://example.org)')]);
});

test('paths in documents exist', () => {
  checkRule('paths', pathRule(world), DOCUMENTS);
  checkCanFail(pathRule(small), [bad('see `runtime/base/bytes.ts`', 'bytes.ts'), bad('in `docs/how-to/`', 'docs/how-to')], [good('`runtime/base/bits.ts` `runtime/base/` `dist/cli.js` `gunyah/vms` `<chip>/x`\n```\n`runtime/none.ts`\n```')]);
});

test('commands in documents exist', () => {
  checkRule('commands', commandRule(world), DOCUMENTS);
  checkCanFail(commandRule(small), [bad('    npm run lnit', 'lnit'), bad('use `npm run bench -- --json`', 'bench'), bad('    npm bundle', 'bundle'), bad('`node tools/x.mjs`', 'tools/x.mjs')], [good('    npm ci\n    npm run lint && node dist/cli.js run x')]);
});

test('words in documents that select tests match test files', () => {
  const tests = projectPaths().filter((path) => path.endsWith('.test.ts'));
  checkRule('test selections', testSelectionRule(tests), DOCUMENTS);
  checkCanFail(testSelectionRule(['test/hypervisor/vic.test.ts']), [bad('`npm run test:unit -- hypervisr`', 'hypervisr')], [good('`npm run test:unit -- vic --test-name-pattern "x"`')]);
});

test('the guides are there, and the architecture fits in 400 lines', () => {
  assert.deepEqual(GUIDES.filter((path) => !world.paths.has(path)), []);
  assert.ok(readProjectFile('docs/architecture.md').split('\n').length <= ARCHITECTURE_LINES_MAX);
});

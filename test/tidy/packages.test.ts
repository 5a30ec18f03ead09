import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectFiles, readProjectFile, TYPESCRIPT } from './project';
import type { SourceText } from './project';
import { importsOf } from './rules/imports';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly link?: boolean }>>;
}

function declaredPackages(manifest: Manifest): readonly string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).sort();
}

/** Packages that the table under "## Dependencies" argues for. */
function arguedPackages(architecture: string): readonly string[] {
  const section = /^## Dependencies\n([\s\S]*?)(?=^## )/m.exec(architecture)?.[1] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name).sort();
}

/** Packages in a lock file that say from which address they came. */
function pinnedToAddress(lock: Lock): readonly string[] {
  return Object.entries(lock.packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true).map(([name]) => name);
}

function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Imports of packages that are not known, as `path: package`. */
function undeclaredImports(files: readonly SourceText[], known: ReadonlySet<string>): readonly string[] {
  const used = files.flatMap((file) => importsOf(file).map(({ specifier }) => ({ path: file.path, specifier })));
  const foreign = used.filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'));
  return foreign.map(({ path, specifier }) => ({ path, name: packageOf(specifier) })).filter(({ name }) => !known.has(name)).map(({ path, name }) => `${path}: ${name}`);
}

const manifest: Manifest = JSON.parse(readProjectFile('package.json'));

test('the architecture argues for every package that package.json has, and for no other', () => {
  assert.deepEqual(declaredPackages(manifest), arguedPackages(readProjectFile('docs/architecture.md')));
  assert.deepEqual(arguedPackages('# A\n\n## Dependencies\n\n| package | why |\n|---|---|\n| `b` | x |\n| `@a/c` | y |\n\n## Next\n\n| `d` | z |\n'), ['@a/c', 'b']);
});

test('every package that code imports is declared', () => {
  assert.deepEqual(undeclaredImports(projectFiles(TYPESCRIPT), new Set([...declaredPackages(manifest), 'vscode'])), []);
  const snippet = { path: 'cli/a.ts', text: "import a from '@b/c/d'; import e from 'node:fs'; import f from './g'; import h from 'i/j';" };
  assert.deepEqual(undeclaredImports([snippet], new Set(['i'])), ['cli/a.ts: @b/c']);
});

test('the lock file says what, not from where', () => {
  const lock: Lock = JSON.parse(readProjectFile('package-lock.json'));
  assert.deepEqual(pinnedToAddress(lock), []);
  assert.deepEqual(pinnedToAddress({ packages: { a: {}, b: { resolved: 'https://example.org/b.tgz' }, c: { resolved: 'd', link: true } } }), ['b']);
});

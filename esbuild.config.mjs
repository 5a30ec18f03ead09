// Bundles dist/extension.js, dist/cli.js and what runs beside them: node esbuild.config.mjs [--package] [--watch]
//
// --package leaves out source maps and keeps what the .vsix ships; without it there are source maps for debugging our own code.
import { build, context } from 'esbuild';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepCompiledCode } from './compiled-code.mjs';

const ROOT = dirname(fileURLToPath(import.meta.url));
const DIST = join(ROOT, 'dist');
const forPackage = process.argv.includes('--package');

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: forPackage ? false : 'linked',
  minifySyntax: forPackage,
  minifyWhitespace: forPackage,
  // jsonc-parser's main file loads its parts in a way that bundlers cannot follow; its module build is plain.
  mainFields: ['module', 'main'],
  logLevel: 'warning',
};

/** Scripts of pages that the editor shows: they run in a browser and load nothing else. */
const page = { ...common, platform: 'browser', format: 'iife', target: 'es2022' };

/** Bundles whose entry exists; the command line may be built before all parts of the project are. */
const bundles = [
  { ...common, entryPoints: ['extension/main.ts'], outfile: 'dist/extension.js', external: ['vscode'] },
  { ...common, entryPoints: ['cli/launch.ts'], outfile: 'dist/cli.js', banner: { js: '#!/usr/bin/env node' } },
  { ...common, entryPoints: ['cli/main.ts'], outfile: 'dist/gunyah.js' },
  { ...common, entryPoints: ['cli/dt-lsp-main.ts'], outfile: 'dist/dt-lsp.js' },
  { ...common, entryPoints: ['language-server/binding-reader.ts'], outfile: 'dist/binding-reader.js' },
  { ...page, entryPoints: ['extension/webviews/trace.ts'], outfile: 'dist/webviews/trace.js' },
  { ...page, entryPoints: ['extension/webviews/memory-map.ts'], outfile: 'dist/webviews/memory-map.js' },
  { ...page, entryPoints: ['extension/webviews/tree-map.ts'], outfile: 'dist/webviews/tree-map.js' },
].filter(({ entryPoints }) => entryPoints.every((entry) => existsSync(join(ROOT, entry))));

const ASSETS = [['debug-adapter/configuration/system-file.schema.json', 'system-file.schema.json']];

function copyAssets() {
  // The bindings that the language server reads beside its bundle.
  cpSync(join(ROOT, 'language-server', 'bindings'), join(DIST, 'bindings'), { recursive: true });
  for (const [from, to] of ASSETS) if (existsSync(join(ROOT, from))) copyFileSync(join(ROOT, from), join(DIST, to));
}

if (forPackage) rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
copyAssets();
if (process.argv.includes('--watch')) {
  for (const options of bundles) await (await context(options)).watch();
} else {
  await Promise.all(bundles.map((options) => build(options)));
  await keepCompiledCode(join(DIST, 'dt-lsp.js'), join(ROOT, 'test', 'devicetree', 'vm-trees'));
}

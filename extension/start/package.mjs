// Makes the .vsix: bundles without source maps, and packs with @vscode/vsce. As a command: node extension/start/package.mjs [OUT]
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** What a package may weigh. */
const SIZE_BYTES_MAX = 5 * 1024 * 1024;

function run(args) {
  const result = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${relative(ROOT, args[0])} failed:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** Packs the extension into `out`, with the samples as they are built. */
export function packageExtension(out) {
  mkdirSync(dirname(out), { recursive: true });
  for (const sample of ['two-vms', 'vm-manager', 'console-loopback', 'rtos']) run([join(ROOT, 'extension', 'samples', sample, 'build.mjs')]);
  run([join(ROOT, 'esbuild.config.mjs'), '--package']);
  const vsce = join(dirname(createRequire(import.meta.url).resolve('@vscode/vsce/package.json')), 'vsce');
  run([vsce, 'package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--skip-license', '--out', out]);
  const { size } = statSync(out);
  if (size > SIZE_BYTES_MAX) throw new Error(`${relative(ROOT, out)} has ${size} bytes, more than the limit of ${SIZE_BYTES_MAX}.`);
  return size;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const out = resolve(process.argv[2] ?? join(ROOT, 'gunyah-debug.vsix'));
  try {
    console.log(`${relative(process.cwd(), out)}: ${(packageExtension(out) / 1024).toFixed(0)} KiB`);
  } catch (problem) {
    console.error(problem.message);
    process.exitCode = 1;
  }
}

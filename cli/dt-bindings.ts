/** Bindings from folders of YAML files, for the command line. What a tree does against them is said by `dt-judgement.ts`. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Diagnostic, Result } from '../runtime/base/result';
import { readBindings, type BindingFile, type BindingSet } from '../runtime/devicetree/bindings/binding-set';
import { readFileBytes, reasonOf, textOf } from './dt-files';
import { KEPT_FROM } from '../language-server/binding-store';
import { idOf, isMetaSchema, readYaml } from '../language-server/binding-yaml';
import { keepNow, keptPath, readKept } from '../language-server/kept-bindings';

const FILE_COUNT_MAX = 50_000;
const FOLDER_DEPTH_MAX = 40;
const BINDING_SIZE_MAX = 4 * 1024 * 1024;
const TYPES = 'http://devicetree.org/schemas/types.yaml';

/** Bindings ready to check with, and what could not be used of the files. */
export interface LoadedBindings {
  readonly bindings: BindingSet;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads all `*.yaml` below the folders; a sentence if one of them cannot be read. A binding may stand for a folder. Large collections are kept in `cacheFolder`, if there is one, in a form
 * that is read in little time, and taken from there as long as every file is as it was; then nothing is said of files that cannot be used.
 */
export function loadBindings(folders: readonly string[], cacheFolder?: string): Result<LoadedBindings, string> {
  const paths: string[] = [];
  for (const folder of folders) {
    const problem = collect(folder, 0, paths);
    if (problem !== undefined) return { ok: false, error: problem };
  }
  const kept = cacheFolder === undefined || paths.length < KEPT_FROM ? undefined : keptBindings(cacheFolder, paths);
  if (kept !== undefined) return { ok: true, value: { bindings: kept, diagnostics: [] } };
  const unusable: Diagnostic[] = [];
  const given = paths.flatMap((path) => readBinding(path, unusable) ?? []);
  // Linux's bindings build on those of dt-schema. Without them ours, which say the same, take their place.
  const isComplete = given.length === 0 || given.some(({ content }) => idOf(content).startsWith(TYPES));
  const files = isComplete ? given : [...given, ...coreBindings(unusable)];
  const { bindings, diagnostics } = readBindings(files);
  return { ok: true, value: { bindings, diagnostics: [...unusable, ...diagnostics] } };
}

/** A collection as it was kept, or is from now on; nothing if it cannot be kept. */
function keptBindings(cacheFolder: string, given: readonly string[]): BindingSet | undefined {
  try {
    const types = given.filter((path) => path.endsWith('types.yaml')).map((path) => readBinding(path, []));
    const paths = types.some((file) => idOf(file?.content).startsWith(TYPES)) ? given : [...given, ...corePaths()];
    const stamps = paths.map((path) => ({ path, stats: statSync(path) })).filter(({ stats }) => stats.isFile() && stats.size <= BINDING_SIZE_MAX);
    // Names are told as they were given, and mean something in this folder only.
    const path = keptPath(cacheFolder, `${resolve('.')}\n${stamps.map(({ path: file, stats }) => `${file} ${String(stats.size)} ${String(stats.mtimeMs)}\n`).join('')}`);
    return readKept(path) ?? keepNow(path, stamps.map(({ path: file }) => file));
  } catch {
    return undefined;
  }
}

/** Our own types and standard properties, beside this file's bundle or in the sources. */
function coreBindings(unusable: Diagnostic[]): readonly BindingFile[] {
  return corePaths().flatMap((path) => readBinding(path, unusable) ?? []);
}

function corePaths(): readonly string[] {
  const root = [join(__dirname, 'bindings'), join(__dirname, '..', 'language-server', 'bindings')].find((folder) => existsSync(join(folder, 'core')));
  const paths: string[] = [];
  for (const folder of root === undefined ? [] : ['core', 'core-linux']) collect(join(root ?? '', folder), 0, paths);
  return paths;
}

/** A warning if the bindings build on types that are not among them. */
export function missingTypes(bindings: BindingSet): string | undefined {
  if (bindings.schemas.size === 0) return 'warning: There are no bindings in the given folders.';
  return bindings.schemas.has(TYPES) ? undefined : `warning: ${TYPES} is not among the bindings, so values have no types. Add the schemas of dt-schema with another --bindings.`;
}

/** Adds the bindings below a folder, in the order of their names. Links to folders are not followed. */
function collect(folder: string, depth: number, paths: string[]): string | undefined {
  try {
    if (!statSync(folder).isDirectory()) {
      if (!folder.endsWith('.yaml')) return `--bindings: ${folder} is neither a folder nor a binding (*.yaml).`;
      paths.push(folder);
      return undefined;
    }
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < FOLDER_DEPTH_MAX) {
        const problem = collect(path, depth + 1, paths);
        if (problem !== undefined) return problem;
      } else if (entry.name.endsWith('.yaml') && !entry.isDirectory()) paths.push(path);
    }
  } catch (problem) {
    return `--bindings: Cannot read ${folder}: ${reasonOf(problem)}.`;
  }
  return paths.length > FILE_COUNT_MAX ? `--bindings: There are more than ${FILE_COUNT_MAX} files in ${folder}. Give the folder of the bindings itself.` : undefined;
}

function readBinding(path: string, unusable: Diagnostic[]): BindingFile | undefined {
  const warn = (message: string): undefined => {
    unusable.push({ severity: 'warning', code: 'binding-unusable', message, file: path });
    return undefined;
  };
  const read = readFileBytes(path, BINDING_SIZE_MAX);
  if (!read.ok) return warn(read.error);
  try {
    const content = readYaml(textOf(read.value));
    return isMetaSchema(content) ? undefined : { path, content };
  } catch (problem) {
    const [reason = ''] = (problem instanceof Error ? problem.message : String(problem)).split('\n');
    return warn(`The file is no YAML that can be read: ${reason}.`);
  }
}

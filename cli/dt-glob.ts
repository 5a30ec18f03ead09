/** File names with `*`, `?`, `**` and `{a,b}` for shells that leave them as they are. A name that exists is taken as it is; folders that are links are not entered. */

import { existsSync, readdirSync, type Dirent } from 'node:fs';
import type { Result } from '../runtime/base/result';
import { STANDARD_STREAM } from './dt-files';

/** Most files that patterns may stand for. */
const FILES_MAX = 50_000;
/** Most files and folders that are looked at for one pattern. */
const LOOKED_AT_MAX = 500_000;
/** Most patterns that braces may stand for. */
const ALTERNATIVES_MAX = 1000;

/** The files that the words of a command line mean, each once, patterns in the order of names; or a sentence about a pattern that no file matches. */
export function expandFiles(words: readonly string[]): Result<readonly string[], string> {
  const files = new Set<string>();
  for (const word of words) {
    if (word === STANDARD_STREAM || !/[*?{]/.test(word) || existsSync(word)) {
      files.add(word);
      continue;
    }
    const lists = alternatives(word.replaceAll('\\', '/'))?.map(matching);
    const found = new Set<string>();
    for (const list of lists ?? []) for (const file of list ?? []) found.add(file);
    const isComplete = lists?.includes(undefined) === false;
    if (!isComplete || files.size + found.size > FILES_MAX) return { ok: false, error: `${word} stands for too many files. Give fewer at a time.` };
    if (found.size === 0) return { ok: false, error: `No file matches ${word}.` };
    for (const file of found) files.add(file);
  }
  return { ok: true, value: [...files] };
}

/** A pattern with braces as patterns without; `undefined` if they are too many. */
function alternatives(pattern: string): readonly string[] | undefined {
  let open = [pattern];
  for (let from = open.find((one) => BRACES.test(one)); from !== undefined; from = open.find((one) => BRACES.test(one))) {
    open = open.flatMap((one) => {
      const [braces = '', inside = ''] = BRACES.exec(one) ?? [];
      return braces === '' ? [one] : inside.split(',').map((choice) => one.replace(braces, () => choice));
    });
    if (open.length > ALTERNATIVES_MAX) return undefined;
  }
  return open;
}

const BRACES = /\{([^{}]*,[^{}]*)\}/;

/** The files that match a pattern, sorted; `undefined` if there is too much to look at. */
function matching(pattern: string): readonly string[] | undefined {
  const steps = pattern.split('/');
  const found: string[] = [];
  let looked = 0;
  const visit = (folder: string, index: number): void => {
    const step = steps[index];
    if (step === undefined || looked > LOOKED_AT_MAX) return;
    const isLast = index === steps.length - 1;
    if (!/[*?]/.test(step)) {
      const path = folder + step;
      if (!isLast) visit(`${path}/`, index + 1);
      else if (existsSync(path)) found.push(path);
      return;
    }
    if (step === '**') visit(folder, index + 1);
    for (const entry of entriesOf(folder)) {
      looked++;
      if (entry.name.startsWith('.') && !step.startsWith('.')) continue;
      if (step === '**') {
        if (entry.isDirectory()) visit(`${folder}${entry.name}/`, index);
      } else if (matches(step, entry.name)) {
        if (!isLast) visit(`${folder}${entry.name}/`, index + 1);
        else if (!entry.isDirectory()) found.push(folder + entry.name);
      }
    }
  };
  visit('', 0);
  return looked > LOOKED_AT_MAX ? undefined : [...new Set(found)].sort();
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** True if a name is as a step with `*` and `?` says. Going back only to the last `*` is enough, and takes no longer than both are long. */
function matches(step: string, name: string): boolean {
  let [at, inName] = [0, 0];
  let [star, starInName] = [-1, 0];
  while (inName < name.length) {
    if (step[at] === '*') [star, starInName, at] = [at, inName, at + 1];
    else if (at < step.length && (step[at] === '?' || step[at] === name[inName])) [at, inName] = [at + 1, inName + 1];
    else if (star >= 0) [at, starInName, inName] = [star + 1, starInName + 1, starInName + 1];
    else return false;
  }
  return /^\**$/.test(step.slice(at));
}

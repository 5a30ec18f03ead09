/** What documents promise: that the paths, links, commands and tests they name exist. */
import { posix } from 'node:path';
import { lineAt } from '../project';
import type { Rule, SourceText, Violation } from '../project';

/** What exists. */
export interface World {
  /** Files and folders of the repository, without a slash at the end. */
  readonly paths: ReadonlySet<string>;
  /** Scripts of package.json. */
  readonly scripts: ReadonlySet<string>;
  /** Folders of pictures that may be made later, as screenshots are. */
  readonly pictures: string;
  /** Anchors of headings by document. */
  readonly anchors: (path: string) => ReadonlySet<string>;
}

/** Results of builds and folders that documents may name though a fresh clone has none. */
const MADE = /^(?:dist\/(?:cli|extension)\.js|dist\/?|build\/.*|node_modules\/?.*)$/;
/** Scripts that npm has by itself. */
const NPM_VERBS = new Set(['ci', 'install', 'run', 'test', 'start']);

/** Links: inside the repository they lead to a file, and to a heading of it. */
export function linkRule(world: World): Rule {
  return ({ path, text }) => matches(text, /\[[^\]]*\]\(([^)\s]+)\)/g).flatMap(({ words, line }): Violation[] => {
    if (/^(https?:|mailto:)/.test(words)) return [];
    const [file = '', anchor] = words.split('#');
    const target = file === '' ? path : posix.join(posix.dirname(path), file);
    if (target.startsWith(world.pictures) && !world.paths.has(world.pictures)) return [];
    if (!world.paths.has(target)) return [{ path, line, message: `link to ${target}, which does not exist` }];
    return anchor === undefined || world.anchors(target).has(anchor) ? [] : [{ path, line, message: `${target} has no heading #${anchor}` }];
  });
}

/** Paths in code spans that begin with a folder of the repository, or with a file at its root. */
export function pathRule(world: World): Rule {
  const tops = new Set([...world.paths].map((path) => path.split('/')[0] ?? ''));
  return ({ path, text }) => matches(withoutBlocks(text), /`([^`\s]+)`/g).flatMap(({ words, line }): Violation[] => {
    const named = words.replace(/\/$/, '').replace(/:\d+$/, '');
    const isPath = /^[\w.-]+(\/[\w.-]+)+$/.test(named) && tops.has(named.split('/')[0] ?? '');
    if (!isPath || MADE.test(named) || world.paths.has(named)) return [];
    return [{ path, line, message: `${named} does not exist` }];
  });
}

/** Commands: npm scripts, and the files that `node` or the test runner is to run. */
export function commandRule(world: World): Rule {
  return ({ path, text }) => matches(text, /(?:^ {4}|`|&& |^\s*- run: )((?:npm|node) [^`\n]*)/gm).flatMap(({ words, line }): Violation[] => {
    return words.split(/&&|\s{2,}/).flatMap((command) => complaint(command.trim(), world)).map((message) => ({ path, line, message }));
  });
}

function complaint(command: string, { scripts, paths }: World): string[] {
  const [program, verb = '', script = ''] = command.split(/\s+/);
  if (program === 'node') return /\.(mjs|js|ts)$/.test(verb) && verb.includes('/') && !MADE.test(verb) && !paths.has(verb) ? [`${verb} does not exist`] : [];
  if (program !== 'npm') return [];
  const name = verb === 'run' ? script : verb;
  if (verb !== 'run' && !NPM_VERBS.has(verb)) return [`npm has no command "${verb}"`];
  return verb === 'ci' || verb === 'install' || scripts.has(name) ? [] : [`package.json has no script "${name}"`];
}

/** Words that select test files (`npm run test:unit -- WORD…`) must match one. */
export function testSelectionRule(tests: readonly string[]): Rule {
  return ({ path, text }) => matches(text, /npm run test:unit -- ([^`\n]*)/g).flatMap(({ words, line }) => {
    const selected = (words.split(/ {2,}| --/)[0] ?? '').trim().split(/\s+/).filter((word) => /^[a-z][\w/-]*$/.test(word));
    return selected.filter((word) => !tests.some((test) => test.includes(word))).map((word) => ({ path, line, message: `no test file matches "${word}"` }));
  });
}

function matches(text: string, pattern: RegExp): readonly { readonly words: string; readonly line: number }[] {
  return [...text.matchAll(pattern)].map((match) => ({ words: match[1] ?? '', line: lineAt(text, match.index) }));
}

/** Fenced blocks hold examples; their lines stay, so that lines count on. */
function withoutBlocks(text: string): string {
  return text.replace(/```[\s\S]*?```/g, (block) => block.replace(/[^\n]/g, ' '));
}

/** Anchors that GitHub makes of the headings of a document. */
export function headingAnchors({ text }: SourceText): ReadonlySet<string> {
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\w\- ]/g, '').trim().replace(/ /g, '-')));
}

/** The files of the repository as the tidy rules see them: paths, texts and syntax trees. Ignored folders do not exist here. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as ts from 'typescript';

/** The repository's root. */
export const REPOSITORY = resolve(__dirname, '..', '..');

/** Folders that set-up, builds and test runs make. */
const GENERATED = new Set(['.git', '.cache', 'build', 'dist', 'node_modules', 'out', 'test-output']);
const isGenerated = (name: string): boolean => GENERATED.has(name) || name.startsWith('.vscode-') || name.endsWith('.tsbuildinfo') || name.endsWith('.vsix');

/** A file with its text: what a rule reads. Paths are relative to the repository, with `/`. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** One place where a rule is broken. Lines count from 1. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A rule: reads one file, names what is wrong in it. */
export type Rule = (file: SourceText) => readonly Violation[];

let allPaths: readonly string[] | undefined;

/** Every file of the repository, sorted. */
export function projectPaths(): readonly string[] {
  allPaths ??= walk('').sort();
  return allPaths;
}

function walk(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    if (isGenerated(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Files that have no text. */
const PICTURES = /\.png$/;

/** The files whose path matches, with their texts. */
export function projectFiles(pattern: RegExp): readonly SourceText[] {
  return projectPaths().filter((path) => pattern.test(path) && !PICTURES.test(path)).map((path) => ({ path, text: readProjectFile(path) }));
}

/** Text of one file. */
export function readProjectFile(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

/** All our TypeScript. */
export const TYPESCRIPT = /^(?!extension\/samples\/).*\.ts$/;

/** TypeScript that ships: everything but tests and what helps them. */
export const PRODUCT = /^(runtime|debug-adapter|extension|language-server|cli)\/(?!samples\/).*\.ts$/;

const trees = new Map<string, ts.SourceFile>();

/** Syntax tree of a file, with parent links; kept, since many rules read the same file. */
export function parse({ path, text }: SourceText): ts.SourceFile {
  const key = `${path}\n${text}`;
  const tree = trees.get(key) ?? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  trees.set(key, tree);
  return tree;
}

/** The line of a position, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Makes violations of one node kind at a time: `visit` answers a message for a node that breaks the rule. */
export function treeRule(visit: (node: ts.Node, file: ts.SourceFile) => string | undefined): Rule {
  return (source) => {
    const file = parse(source);
    const found: Violation[] = [];
    const enter = (node: ts.Node): void => {
      const message = visit(node, file);
      if (message !== undefined) found.push({ path: source.path, line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1, message });
      ts.forEachChild(node, enter);
    };
    enter(file);
    return found;
  };
}

/** Makes a rule that reports every match of a pattern in the text. */
export function textRule(pattern: RegExp, message: (match: string) => string): Rule {
  return ({ path, text }) => [...text.matchAll(pattern)].map((match) => ({ path, line: lineAt(text, match.index), message: message(match[0]) }));
}

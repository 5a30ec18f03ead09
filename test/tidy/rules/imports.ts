/** Who may import whom: the table of `docs/architecture.md` as data, and the rule that reads import statements against it. */
import { posix } from 'node:path';
import * as ts from 'typescript';
import { parse } from '../project';
import type { Rule, SourceText, Violation } from '../project';

/** What the modules of one folder may import. Entries ending in `/` are folders, others modules without extension. */
interface ImportRow {
  readonly folder: string;
  readonly project: readonly string[];
  /** Package names; `node:` stands for every module of Node. */
  readonly packages: readonly string[];
  /** Packages and folders of which only types may be imported. */
  readonly typesOnly?: readonly string[];
}

const RUNTIME_BELOW_SYSTEM = ['base', 'devicetree', 'images', 'isa', 'symbols', 'engine', 'machine', 'hypervisor', 'resource-manager'].map((name) => `runtime/${name}/`);

/** The table. The first row whose folder holds the module counts; a module may always import from its own folder. */
export const IMPORT_TABLE: readonly ImportRow[] = [
  { folder: 'runtime/base/', project: [], packages: [] },
  { folder: 'runtime/devicetree/', project: ['runtime/base/'], packages: [] },
  { folder: 'runtime/images/', project: ['runtime/base/'], packages: [] },
  { folder: 'runtime/isa/', project: ['runtime/base/'], packages: [] },
  { folder: 'runtime/symbols/', project: ['runtime/base/', 'runtime/images/', 'runtime/isa/'], packages: [] },
  { folder: 'runtime/engine/', project: ['runtime/base/', 'runtime/isa/'], packages: [] },
  { folder: 'runtime/machine/', project: ['runtime/base/', 'runtime/devicetree/'], packages: [] },
  { folder: 'runtime/hypervisor/', project: ['runtime/base/', 'runtime/engine/', 'runtime/machine/'], packages: [] },
  { folder: 'runtime/resource-manager/', project: ['runtime/base/', 'runtime/devicetree/', 'runtime/images/', 'runtime/hypervisor/interface'], packages: [] },
  { folder: 'runtime/system/', project: RUNTIME_BELOW_SYSTEM, packages: [] },
  { folder: 'runtime/timeline/', project: ['runtime/base/', 'runtime/system/'], packages: [] },
  { folder: 'runtime/control/', project: ['runtime/base/', 'runtime/hypervisor/service-registers', 'runtime/isa/', 'runtime/symbols/', 'runtime/system/', 'runtime/timeline/'], packages: [] },
  { folder: 'runtime/', project: ['runtime/'], packages: [] },
  { folder: 'debug-adapter/protocol/', project: [], packages: [], typesOnly: ['@vscode/debugprotocol'] },
  { folder: 'debug-adapter/main', project: ['debug-adapter/', 'runtime/index'], packages: ['node:'] },
  { folder: 'debug-adapter/node-host', project: ['debug-adapter/', 'runtime/index'], packages: ['node:'] },
  { folder: 'debug-adapter/', project: ['runtime/index'], packages: ['ajv', 'jsonc-parser'], typesOnly: ['@vscode/debugprotocol'] },
  { folder: 'extension/', project: [], packages: ['vscode', 'vscode-languageclient', 'jsonc-parser', 'node:'], typesOnly: ['debug-adapter/protocol/', 'language-server/protocol', '@vscode/debugprotocol'] },
  { folder: 'language-server/', project: ['runtime/devicetree/', 'runtime/base/', 'runtime/resource-manager/overlay-preview'], packages: ['node:', 'js-yaml', 'jsonc-parser', 'vscode-languageserver', 'vscode-languageserver-textdocument'] },
  { folder: 'cli/', project: ['debug-adapter/', 'runtime/', 'language-server/'], packages: ['node:', 'js-yaml', 'jsonc-parser'], typesOnly: ['@vscode/debugprotocol'] },
];

/** A module that another one imports. */
interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** The rule for all folders of the table; modules elsewhere (tests) may import what they like. */
export const importRule: Rule = (source) => {
  const row = IMPORT_TABLE.find(({ folder }) => source.path.startsWith(folder));
  if (row === undefined) return [];
  return importsOf(source).flatMap((one): Violation[] => {
    const message = refusal(row, source.path, one);
    return message === undefined ? [] : [{ path: source.path, line: one.line, message }];
  });
};

function refusal(row: ImportRow, path: string, { specifier, typeOnly }: Import): string | undefined {
  const isRelative = specifier.startsWith('.');
  const target = isRelative ? posix.join(posix.dirname(path), specifier) : specifier;
  if (isRelative && row.folder.endsWith('/') && isWithin(target, row.folder)) return undefined;
  const allowed = isRelative ? row.project : row.packages;
  if (allowed.some((entry) => isWithin(target, entry))) return undefined;
  const isTypesAllowed = (row.typesOnly ?? []).some((entry) => isWithin(target, entry));
  if (isTypesAllowed) return typeOnly ? undefined : `${row.folder} may import types only from ${target}`;
  return `${row.folder} may not import ${target}`;
}

/** True if a module lies in a folder (`a/`), is the folder's index (`a`), is the module itself, or belongs to the package or scheme. */
function isWithin(target: string, entry: string): boolean {
  if (entry.endsWith('/')) return target.startsWith(entry) || `${target}/` === entry;
  if (entry.endsWith(':')) return target.startsWith(entry);
  return target === entry || (!entry.includes('/') && target.startsWith(`${entry}/`)) || target.startsWith(`${entry}/`);
}

/** Static imports, re-exports, dynamic `import()`, `require()` and import types of a file. */
export function importsOf(source: SourceText): readonly Import[] {
  const file = parse(source);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    found.push({ specifier: specifier.text, typeOnly, line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1 });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeImport(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, true);
    else if (ts.isExternalModuleReference(node)) add(node, node.expression, false);
    else if (ts.isCallExpression(node) && isImportCall(node)) add(node, node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  return clause.name === undefined && bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}

function isImportCall(node: ts.CallExpression): boolean {
  return node.expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(node.expression) && node.expression.text === 'require');
}

/** Circles of modules, each of which runs the next one: none of them is there when the first is loaded. Types may point at each other. */
export function circlesOf(sources: readonly SourceText[]): readonly (readonly string[])[] {
  const paths = new Set(sources.map(({ path }) => path));
  const imported = new Map(sources.map((source) => [source.path, importsOf(source).filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
    .map(({ specifier }) => posix.join(posix.dirname(source.path), specifier)).map((module) => [`${module}.ts`, `${module}/index.ts`].find((path) => paths.has(path)) ?? module)]));
  const circles: string[][] = [];
  const done = new Set<string>();
  const enter = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path]);
    if (way.includes(path) || done.has(path)) return;
    for (const next of imported.get(path) ?? []) enter(next, [...way, path]);
    done.add(path);
  };
  for (const path of paths) enter(path, []);
  return circles;
}

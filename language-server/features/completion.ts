/** Completion: names and values that bindings know, labels, paths, files, and what can be deleted. */

import { posix } from 'node:path';
import { CompletionItemKind, InsertTextFormat, MarkupKind, type CompletionItem, type CompletionList, type Range } from 'vscode-languageserver';
import { describeMembers, describeNode, type DescribedMember } from '../../runtime/devicetree/bindings/describe';
import { isTrivia, syntaxPathAt, type SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import { nodeOfReference, type Analysis } from '../analysis';
import type { Meaning } from '../answering';
import { rangeOf } from '../positions';
import { mergedNode } from '../symbols';
import { aliasPaths, CONSOLE_PROPERTY } from '../written-paths';

/** Most entries of one answer. */
const ITEMS_MAX = 1000;

/** Characters before the cursor that are looked at for what is being typed: no name or path is longer. */
const TYPED_MAX = 1024;

/** Characters after which an editor should ask. */
export const COMPLETION_TRIGGERS = ['&', '/', '"', '<', '{', '#', '@'];

/** What the surroundings add. */
export interface CompletionHelp {
  readonly base: Analysis | undefined;
  readonly includePaths: readonly string[];
  readonly hasSnippets: boolean;
  /** Names in a folder; those of folders end with a slash. */
  readonly namesIn: (folder: string) => readonly string[];
}

interface Place extends Meaning {
  readonly help: CompletionHelp;
  /** The end of the line up to the cursor. */
  readonly before: string;
  readonly isInString: boolean;
}

/** What may stand at an offset. */
export function completion(at: Meaning, help: CompletionHelp): CompletionItem[] | CompletionList {
  const { text } = at.source.syntax;
  const line = text.slice(text.lastIndexOf('\n', at.offset - 1) + 1, at.offset);
  const place: Place = { ...at, help, before: line.slice(-TYPED_MAX), isInString: isInString(line) };
  if (isInComment(place)) return [];
  const items = included(place) ?? referenced(place) ?? deleted(place) ?? pathString(place) ?? valued(place) ?? named(place);
  // A client asks again while a list is not complete, and then more has been typed.
  return items.length <= ITEMS_MAX ? items : { isIncomplete: true, items: items.slice(0, ITEMS_MAX) };
}

function isInComment({ source, offset }: Place): boolean {
  return source.syntax.tokens.some((token) => token.kind === 'comment' && token.start < offset && (offset < token.end || (token.text.startsWith('//') && offset === token.end)));
}

/** An entry that replaces what was typed of it. */
function item(place: Place, typed: number, entry: { readonly label: string; readonly kind: CompletionItemKind; readonly detail?: string | undefined; readonly documentation?: string | undefined; readonly text?: string; readonly isSnippet?: boolean; readonly rank?: number }): CompletionItem {
  const range: Range = rangeOf(place.source.document, place.offset - typed, place.offset);
  const { label, kind, detail, documentation, text = label, isSnippet = false, rank } = entry;
  const plain = text.replace(/\$\{\d+:([^}]*)\}|\$\d+/g, '$1');
  return {
    label, kind, filterText: label, textEdit: { range, newText: isSnippet && place.help.hasSnippets ? text : plain },
    ...(isSnippet && place.help.hasSnippets ? { insertTextFormat: InsertTextFormat.Snippet } : {}),
    ...(rank === undefined ? {} : { sortText: `${String(rank)} ${label}` }),
    ...(detail === undefined ? {} : { detail }), ...(documentation === undefined ? {} : { documentation: { kind: MarkupKind.Markdown, value: documentation } }),
  };
}

function included(place: Place): CompletionItem[] | undefined {
  const match = /^\s*#\s*include\s*(["<])([^">]*)$/.exec(place.before) ?? /\/include\/\s*(")([^"]*)$/.exec(place.before);
  if (match === null) return undefined;
  const [, quote, typed = ''] = match;
  const slash = typed.lastIndexOf('/') + 1;
  const roots = [...(quote === '"' ? [posix.dirname(place.source.path)] : []), ...place.help.includePaths];
  const names = new Set(roots.flatMap((root) => place.help.namesIn(posix.join(root, typed.slice(0, slash)))));
  return [...names].filter((name) => /\/$|\.(dtsi|h|dts)$/.test(name)).sort().map((label) => item(place, typed.length - slash, { label, kind: label.endsWith('/') ? CompletionItemKind.Folder : CompletionItemKind.File }));
}

function trees({ analysis, help }: Place): readonly DtNode[] {
  return [analysis.tree.root, ...(help.base === undefined ? [] : [help.base.tree.root])];
}

function referenced(place: Place): CompletionItem[] | undefined {
  const path = /&\{([^}\s]*)$/.exec(place.before)?.[1];
  if (path !== undefined) return paths(place, path);
  const typed = /&(\w*)$/.exec(place.before)?.[1];
  if (typed === undefined || place.isInString) return undefined;
  return [...labelled(place)].map(([label, node]) => item(place, typed.length, { label, kind: CompletionItemKind.Reference, detail: node.path }));
}

/** Nodes by label. */
function labelled(place: Place): ReadonlyMap<string, DtNode> {
  const found = new Map<string, DtNode>();
  for (const root of trees(place)) for (const node of root.walk()) for (const label of node.labels) if (!found.has(label)) found.set(label, node);
  return found;
}

/** The next names of a path, of which `typed` is there already. In an overlay whose base is known, paths from the root are the base's. */
function paths(place: Place, typed: string): CompletionItem[] {
  const slash = typed.lastIndexOf('/') + 1;
  const above = typed.slice(0, slash).replace(/(.)\/$/, '$1');
  const { analysis, help } = place;
  const roots = analysis.tree.plugin && help.base !== undefined ? [help.base.tree] : [analysis.tree, ...(help.base === undefined ? [] : [help.base.tree])];
  const parents = roots.flatMap((tree) => (above === '' ? tree.root : nodeOfReference(tree, `&{${above}}`)[0] ?? []));
  const nodes = new Map(parents.flatMap(({ children }) => children.map((child) => [child.name, child] as const)));
  return [...nodes.values()].filter((node) => !(analysis.tree.plugin && isFragment(node))).map((node) => pathItem(place, typed.length - slash, node, slash === 0 ? '/' : ''));
}

function isFragment(node: DtNode): boolean {
  return node.child('__overlay__') !== undefined || /^__\w+__$/.test(node.name);
}

/** A node as the next name of a path: with its labels, what it is, and what the binding says of that. A slash goes on to what is below it. */
function pathItem(place: Place, typed: number, node: DtNode, before: string): CompletionItem {
  const { bindings } = place.analysis.law;
  const compatible = node.property('compatible')?.strings ?? [];
  const schema = bindings.schemas.get(compatible.map((name) => bindings.compatibles.get(name)).find((uri) => uri !== undefined) ?? '');
  const [title, description] = [schema?.['title'], schema?.['description']];
  const labels = node.labels.map((label) => `&${label}`).join(', ');
  const words = [typeof title === 'string' ? `**${title}**` : '', compatible.length === 0 ? '' : `\`${compatible.join(', ')}\``, typeof description === 'string' ? description : ''].filter((text) => text !== '');
  const entry = item(place, typed, { label: node.name, kind: CompletionItemKind.Module, detail: labels === '' ? node.path : `${node.path} (${labels})`, text: before + node.name, ...(words.length === 0 ? {} : { documentation: words.join('\n\n') }) });
  return { ...entry, ...(before === '' ? {} : { filterText: before + node.name }), ...(node.children.length === 0 ? {} : { commitCharacters: ['/'] }) };
}

/** Properties whose strings are paths of nodes; so are all of `aliases`. */
const PATH_PROPERTY = /^(?:(?:linux,)?std(?:out|in)-path|target-path|linux,.*-path)$/;

/** Paths in strings, step by step; where a console is chosen, also by its alias. */
function pathString(place: Place): CompletionItem[] | undefined {
  const typed = place.isInString ? /"([^"]*)$/.exec(place.before)?.[1] : undefined;
  const inner = syntaxPathAt(place.source.syntax, place.offset).at(-1);
  if (typed === undefined || inner?.kind !== 'property') return undefined;
  const name = inner.name?.text ?? '';
  const isAliases = bodiesAround(place).at(-1)?.name?.text === 'aliases';
  if (!typed.startsWith('/') && !(isAliases && typed === '') && !PATH_PROPERTY.test(name)) return undefined;
  if (/[:\s]/.test(typed)) return [];
  if (typed.startsWith('/')) return paths(place, typed);
  const aliases = CONSOLE_PROPERTY.test(name) ? [...aliasPaths(place.analysis)] : [];
  return [...aliases.map(([alias, path]) => item(place, typed.length, { label: alias, kind: CompletionItemKind.Reference, detail: path })), ...(typed === '' ? paths(place, '') : [])];
}

function isInString(line: string): boolean {
  return (line.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;
}

/** The parts around the offset, down to the innermost node whose body holds it. */
function bodiesAround({ source, offset }: Place): readonly SyntaxNode[] {
  const { tokens } = source.syntax;
  return syntaxPathAt(source.syntax, offset).filter((part) => part.open !== undefined && (tokens[part.open]?.end ?? Infinity) <= offset && (part.close === undefined || offset <= (tokens[part.close]?.start ?? 0)));
}

function nodeAround(place: Place): DtNode | undefined {
  return mergedNode(place.analysis, place.source.path, bodiesAround(place));
}

function deleted(place: Place): CompletionItem[] | undefined {
  const match = /\/delete-(node|property)\/\s*([\w,.+*#?@-]*)$/.exec(place.before);
  const node = match === null ? undefined : nodeAround(place);
  if (match === null) return undefined;
  const [, kind, typed = ''] = match;
  // Outside of all nodes a node is named by its label.
  if (kind === 'node' && bodiesAround(place).length === 0) return [...labelled(place)].map(([label, { path }]) => item(place, typed.length, { label: `&${label}`, kind: CompletionItemKind.Reference, detail: path, text: `&${label};` }));
  const names = kind === 'node' ? node?.children.map(({ name }) => name) : node?.properties.map(({ name }) => name);
  return (names ?? []).map((label) => item(place, typed.length, { label, kind: kind === 'node' ? CompletionItemKind.Module : CompletionItemKind.Property, text: `${label};` }));
}

/** Values of the property that the cursor is in. */
function valued(place: Place): CompletionItem[] | undefined {
  const { source, offset, analysis } = place;
  const inner = syntaxPathAt(source.syntax, offset).at(-1);
  const equals = inner?.kind === 'property' && inner.equals !== undefined ? source.syntax.tokens[inner.equals] : undefined;
  const name = inner?.name?.text;
  if (name === undefined || equals === undefined || offset < equals.end) return undefined;
  const node = nodeAround(place);
  const { bindings } = analysis.law;
  const inString = place.isInString;
  const typed = (inString ? /[^"]*$/ : /[\w,.+*#?@-]*$/).exec(place.before)?.[0] ?? '';
  const described = node === undefined ? undefined : describeMembers(bindings, node).get(name);
  const values = name === 'compatible' ? [...bindings.knowledge.documented.names] : name === 'status' ? STATUSES : (described?.values ?? []);
  const wrap = (value: string | number): string => (inString ? String(value) : typeof value === 'string' ? `"${value}"` : /<[^>]*$/.test(place.before) ? String(value) : `<${String(value)}>`);
  const known = values.filter((value) => (!inString || typeof value === 'string') && String(value).includes(typed));
  return known.map((value) => {
    const uri = name === 'compatible' ? bindings.compatibles.get(String(value)) : undefined;
    const title = uri === undefined ? undefined : bindings.schemas.get(uri)?.['title'];
    return item(place, typed.length, { label: String(value), kind: CompletionItemKind.Value, text: wrap(value), detail: typeof title === 'string' ? title : undefined, documentation: described?.description });
  });
}

const STATUSES = ['okay', 'disabled', 'reserved', 'fail'];

/** Names where a statement begins. */
function named(place: Place): CompletionItem[] {
  if (place.isInString || !beginsStatement(place)) return [];
  const typed = /[\w,.+*#?@/-]*$/.exec(place.before)?.[0] ?? '';
  if (bodiesAround(place).length <= 1) return TOP.map(([label, text]) => item(place, typed.length, { label, kind: CompletionItemKind.Keyword, text, isSnippet: true }));
  const node = nodeAround(place);
  const members = node === undefined ? [] : [...describeMembers(place.analysis.law.bindings, node).values()];
  const fresh = members.filter(({ name, form }) => form === 'node' ? node?.child(name) === undefined : !(node?.has(name) ?? false));
  return [
    ...fresh.map((member) => item(place, typed.length, { ...memberEntry(member), rank: rankOf(member, place) })),
    ...INSIDE.map(([label, text]) => item(place, typed.length, { label, kind: CompletionItemKind.Keyword, text, isSnippet: true, rank: 3 })),
  ];
}

/** What is required comes first, then what is the node's own, then what any node may have; directives come last. */
function rankOf({ isRequired, schemaId }: DescribedMember, { analysis }: Place): number {
  const isForAll = analysis.law.bindings.schemas.get(schemaId)?.['select'] === true;
  return isRequired ? 0 : isForAll ? 2 : 1;
}

function memberEntry(member: DescribedMember): Parameters<typeof item>[2] {
  const { name, form, description, isRequired, values } = member;
  const [only] = values;
  const preset = values.length === 1 && only !== undefined ? String(only) : '';
  const text = { node: `${name} {\n\t$1\n};`, flag: `${name};`, string: `${name} = "\${1:${preset}}";`, cells: `${name} = <\${1:${preset}}>;` }[form];
  return { label: name, kind: form === 'node' ? CompletionItemKind.Module : CompletionItemKind.Property, detail: isRequired ? 'required' : undefined, documentation: description, text, isSnippet: true };
}

const TOP: readonly (readonly [string, string])[] = [['/dts-v1/', '/dts-v1/;'], ['/plugin/', '/plugin/;'], ['/ {', '/ {\n\t$1\n};'], ['/delete-node/', '/delete-node/ &$1;'], ['/memreserve/', '/memreserve/ $1;'], ['/include/', '/include/ "$1"']];
const INSIDE: readonly (readonly [string, string])[] = [['/delete-node/', '/delete-node/ $1;'], ['/delete-property/', '/delete-property/ $1;'], ['/omit-if-no-ref/', '/omit-if-no-ref/ $1']];

/** True if the word at the cursor stands where a property, a node or a directive begins. */
function beginsStatement({ source, offset, before }: Place): boolean {
  const start = offset - (/[\w,.+*#?@/-]*$/.exec(before)?.[0].length ?? 0);
  const last = source.syntax.tokens.filter((token) => token.end <= start && !isTrivia(token)).at(-1);
  return last === undefined || /^[;{}]$/.test(last.text) || last.kind === 'label' || last.text.endsWith('/');
}

/** What bindings say of a node or one of its properties, for hovers; empty if nothing. */
export function bindingText(analysis: Analysis, node: DtNode, property: string | undefined): string {
  const { bindings } = analysis.law;
  if (property === undefined) return describeNode(bindings, node).map(({ title, description }) => `**${title}**${description === undefined ? '' : `\n\n${description}`}`).join('\n\n');
  return describeMembers(bindings, node).get(property)?.description ?? '';
}

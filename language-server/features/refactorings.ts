/** Rewrites that change no meaning, or say the same in another dialect: properties in the order of Linux's style, and the forms of Gunyah's nodes. */

import { CodeActionKind, type CodeAction, type Range } from 'vscode-languageserver';
import { syntaxPathAt, type SyntaxNode, type SyntaxTree } from '../../runtime/devicetree/syntax/tree';
import type { SourceDocument } from '../documents';
import { rangeOf } from '../positions';
import { spanOf, type SourceEdit } from './source-edits';

/** What can be rewritten at the start of a range. */
export function refactorings({ document, syntax }: SourceDocument, range: Range): CodeAction[] {
  const parts = syntaxPathAt(syntax, document.offsetAt(range.start));
  const node = [...parts].reverse().find(({ kind, open }) => kind === 'node' && open !== undefined);
  if (node === undefined) return [];
  const action = (title: string, edits: readonly SourceEdit[]): CodeAction[] => (edits.length === 0 ? [] : [{
    title, kind: CodeActionKind.RefactorRewrite, edit: { changes: { [document.uri]: edits.map(({ start, end, text }) => ({ range: rangeOf(document, start, end), newText: text })) } },
  }]);
  return [...action('Sort properties as Linux does', sortedProperties(syntax, node)), ...DIALECTS.flatMap((dialect) => action(`Convert to ${dialect.title}`, converted(syntax, parts, dialect)))];
}

/** Order of properties in Linux's device tree style; those that are not named come by what they are. */
const FIRST = ['compatible', 'reg', 'reg-names', 'ranges', 'dma-ranges'];
const LAST = ['status'];

function rankOf(name: string): number {
  if (FIRST.includes(name)) return FIRST.indexOf(name);
  if (LAST.includes(name)) return 1000;
  return /^[a-z0-9]+,/.test(name) ? 200 : 100;
}

/** The properties of a body in order, if nothing stands between them that belongs to one of them unseen. */
function sortedProperties(syntax: SyntaxTree, node: SyntaxNode): readonly SourceEdit[] {
  const properties = node.children.filter(({ kind }) => kind === 'property');
  const firstNode = node.children.findIndex(({ kind }) => kind !== 'property');
  const isClean = properties.every(({ semicolon }) => semicolon !== undefined) && (firstNode < 0 || firstNode === properties.length);
  const [first, last] = [properties[0], properties.at(-1)];
  if (!isClean || first === undefined || last === undefined) return [];
  if (syntax.tokens.slice(first.from, last.to).some(({ kind }) => kind === 'comment' || kind === 'preprocessor')) return [];
  const ranked = properties.map((property, index) => ({ property, index, rank: rankOf(property.name?.text ?? '') }));
  const sorted = [...ranked].sort((a, b) => a.rank - b.rank || a.index - b.index);
  return ranked.flatMap(({ property }, index) => {
    const wanted = sorted[index]?.property;
    if (wanted === undefined || wanted === property) return [];
    const [to, from] = [spanOf(syntax, property), spanOf(syntax, wanted)];
    return [{ start: to.start, end: to.end, text: syntax.text.slice(from.start, from.end) }];
  });
}

interface Dialect {
  readonly title: string;
  readonly hypervisor: readonly string[];
  readonly manager: readonly string[];
  /** Name of the manager's node, without unit address. */
  readonly managerName: string;
}

const DIALECTS: readonly Dialect[] = [
  { title: 'the form of Linux’s binding', hypervisor: ['gunyah-hypervisor'], manager: ['gunyah-resource-manager'], managerName: 'gunyah-resource-mgr' },
  { title: 'the earlier form with versions', hypervisor: ['gunyah-hypervisor-1.0', 'gunyah-hypervisor'], manager: ['gunyah-resource-manager-1-0', 'gunyah-resource-manager'], managerName: 'gunyah-resource-mgr' },
  { title: 'the form of Android’s vendors', hypervisor: ['qcom,gunyah-hypervisor-1.0', 'qcom,gunyah-hypervisor', 'simple-bus'], manager: ['qcom,resource-manager-1-0', 'qcom,resource-manager'], managerName: 'qcom,resource-manager-rpc' },
];
const HYPERVISOR = /"(?:qcom,)?gunyah-hypervisor(?:-1\.0)?"/;
const MANAGER = /"(?:gunyah|qcom,)-?resource-manager(?:-1-0)?"/;

/** The hypervisor node around the place, and its manager, in a dialect; nothing if they are in it already. */
function converted(syntax: SyntaxTree, parts: readonly SyntaxNode[], dialect: Dialect): readonly SourceEdit[] {
  const hypervisor = [...parts].reverse().find((part) => HYPERVISOR.test(compatibleText(syntax, part)));
  if (hypervisor === undefined) return [];
  const managers = hypervisor.children.filter((child) => child.kind === 'node' && MANAGER.test(compatibleText(syntax, child)));
  return [...compatibleEdit(syntax, hypervisor, dialect.hypervisor), ...managers.flatMap((manager) => [...compatibleEdit(syntax, manager, dialect.manager), ...nameEdit(manager, dialect.managerName)])];
}

function compatibleOf(node: SyntaxNode): SyntaxNode | undefined {
  return node.kind === 'node' ? node.children.find((child) => child.kind === 'property' && child.name?.text === 'compatible') : undefined;
}

function compatibleText(syntax: SyntaxTree, node: SyntaxNode): string {
  const property = compatibleOf(node);
  if (property === undefined) return '';
  const { start, end } = spanOf(syntax, property);
  return syntax.text.slice(start, end);
}

function compatibleEdit(syntax: SyntaxTree, node: SyntaxNode, strings: readonly string[]): readonly SourceEdit[] {
  const property = compatibleOf(node);
  const text = `compatible = ${strings.map((one) => `"${one}"`).join(', ')};`;
  if (property === undefined || compatibleText(syntax, node).replace(/\s+/g, ' ') === text) return [];
  return [{ ...spanOf(syntax, property), text }];
}

function nameEdit({ name }: SyntaxNode, wanted: string): readonly SourceEdit[] {
  const base = name?.text.replace(/@.*$/s, '');
  return name?.kind !== 'name' || base === undefined || base === wanted ? [] : [{ start: name.start, end: name.start + base.length, text: wanted }];
}

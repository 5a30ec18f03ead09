/**
 * Quick fixes: edits that mend what a diagnostic objects to. Each is a row of a table by the diagnostic's code, or follows from what bindings
 * say is missing or too much. A fix is offered only where it is sure to be what the message asks for.
 */

import { CodeActionKind, type CodeAction, type Range, type TextEdit } from 'vscode-languageserver';
import { typesOf } from '../../runtime/devicetree/bindings/property-types';
import { addressCells, regEntries, sizeCells } from '../../runtime/devicetree/lookup';
import { syntaxPathAt, type SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import { offsetsOf, rangeOf } from '../positions';
import { diagnosticOfProblem } from './diagnostics';
import type { Fix, FixContext } from './fix';
import { labelFixes } from './label-fixes';
import { insertStatements, removeStatement, spanOf } from './source-edits';

/** The fixes for the problems that a range touches. */
export function quickFixes(source: SourceDocument, analysis: Analysis, range: Range): CodeAction[] {
  const { document, path, syntax } = source;
  const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const actions: CodeAction[] = [];
  const seen = new Set<string>();
  for (const problem of analysis.diagnostics) {
    if (problem.file !== path || problem.line === undefined) continue;
    const { start, end } = offsetsOf(syntax.text, problem);
    if (lineEnd(syntax.text, end) < from || lineStart(syntax.text, start) > to) continue;
    const fixes = fixesOf({ source, analysis, problem, start, end, parts: syntaxPathAt(syntax, start) });
    for (const { title, edits } of fixes) {
      const key = `${title} ${JSON.stringify(edits)}`;
      if (edits.length === 0 || seen.has(key)) continue;
      seen.add(key);
      const changes: TextEdit[] = edits.map((edit) => ({ range: rangeOf(document, edit.start, edit.end), newText: edit.text }));
      actions.push({ title, kind: CodeActionKind.QuickFix, diagnostics: [diagnosticOfProblem(problem, analysis)], edit: { changes: { [document.uri]: changes } }, isPreferred: fixes.length === 1 });
    }
  }
  return actions;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
}

function fixesOf(context: FixContext): readonly Fix[] {
  const { problem } = context;
  const byCode = Object.hasOwn(FIXES, problem.code) ? FIXES[problem.code]?.(context) ?? [] : [];
  const missing = problem.missing === undefined ? [] : [added(context, problem.missing)];
  const choices = (problem.choices ?? []).map((names) => added(context, names));
  const surplus = (problem.surplus ?? []).flatMap((name) => removed(context, name));
  return [...byCode, ...missing, ...choices, ...surplus].filter((fix) => fix !== undefined);
}

type FixMaker = (context: FixContext) => readonly (Fix | undefined)[];

const FIXES: Readonly<Record<string, FixMaker>> = {
  'dts-missing-semicolon': missingSemicolon,
  'dts-no-version': () => [{ title: 'Add /dts-v1/;', edits: [{ start: 0, end: 0, text: '/dts-v1/;\n\n' }] }],
  'dts-property-after-node': propertyAfterNode,
  'dts-duplicate-property': (context) => [statementFix(context, 'Remove this property')],
  'dts-label-not-found': labelFixes,
  'dts-reference-not-found': labelFixes,
  'reg_format': widenedCells,
  'unit_address_vs_reg': unitAddress,
  'simple_bus_reg': unitAddress,
  'unit_address_format': unitAddress,
  'vm-config-peer': (context) => [statements(context, ['peer-default;']), statements(context, ['peer = "vm-name:";'])],
  'vm-config-direction': (context) => [statements(context, ['is-sender;']), statements(context, ['is-receiver;'])],
  'vm-config-image-name': (context) => [nodeOf(context)?.has('image-name') === true ? undefined : statements(context, ['image-name = "guest";'])],
  'vm-config-enable-method': (context) => [nodeOf(context)?.has('enable-method') === true ? undefined : statements(context, ['enable-method = "psci";'])],
  'vm-config-sched-priority': (context) => [nodeOf(context)?.has('sched-priority') === true ? valued(context, 'sched-priority', '<(-1)>') : statements(context, ['sched-priority = <(-1)>;'])],
  'vm-config-memory-base': (context) => [nodeOf(context)?.has('base') === true ? undefined : statements(context, ['allocate-base;'])],
  'vm-config-base-address': roundedBase,
  'vm-config-gic-phandle': (context) => [pathInsteadOfPhandle(context)],
};

/** The merged node that the problem is about; of an overlay on its base it may not be there. */
function nodeOf({ analysis, problem }: FixContext): DtNode | undefined {
  return problem.nodePath === undefined ? undefined : analysis.linked.root.at(problem.nodePath);
}

/** The node of the file around the problem. */
function bodyOf({ parts }: FixContext): SyntaxNode | undefined {
  return [...parts].reverse().find(({ kind, open }) => kind === 'node' && open !== undefined);
}

function propertyIn(context: FixContext, name: string): SyntaxNode | undefined {
  return bodyOf(context)?.children.find((child) => child.kind === 'property' && child.name?.text === name);
}

function statements(context: FixContext, texts: readonly string[]): Fix | undefined {
  const body = bodyOf(context);
  const edit = body === undefined ? undefined : insertStatements(context.source.syntax, body, texts);
  return edit === undefined ? undefined : { title: `Add ${texts.map((text) => text.replace(/;$/, '')).join(' and ')}`, edits: [edit] };
}

/** Adds properties with values of the types that bindings give them. */
function added(context: FixContext, names: readonly string[]): Fix | undefined {
  const fix = statements(context, names.map((name) => skeleton(context.analysis, name)));
  return fix === undefined ? undefined : { ...fix, title: `Add ${names.join(' and ')}` };
}

/** `name;`, `name = "";` or `name = <0>;`, as the type of the property has it. */
export function skeleton({ law }: Pick<Analysis, 'law'>, name: string): string {
  const types = [...typesOf(law.bindings.types, name)];
  if (types.includes('flag')) return `${name};`;
  if (types.some((type) => type.startsWith('string'))) return `${name} = "";`;
  if (types.some((type) => type.startsWith('phandle'))) return `${name} = <&>;`;
  return `${name} = <0>;`;
}

function removed(context: FixContext, name: string): readonly Fix[] {
  const property = propertyIn(context, name) ?? context.parts.find((part) => part.kind === 'property' && part.name?.text === name);
  return property === undefined ? [] : [{ title: `Remove ${name}`, edits: [removeStatement(context.source.syntax, property)] }];
}

function statementFix({ source, parts }: FixContext, title: string): Fix | undefined {
  const statement = parts.at(-1);
  return statement?.kind === 'property' ? { title, edits: [removeStatement(source.syntax, statement)] } : undefined;
}

function valued(context: FixContext, name: string, value: string): Fix | undefined {
  const property = propertyIn(context, name);
  const { syntax } = context.source;
  if (property?.semicolon === undefined) return undefined;
  const { start } = spanOf(syntax, property);
  return { title: `Set ${name} = ${value}`, edits: [{ start, end: syntax.tokens[property.semicolon]?.end ?? start, text: `${name} = ${value};` }] };
}

function missingSemicolon({ source, start, end }: FixContext): readonly Fix[] {
  const before = [...source.syntax.tokens].reverse().find((token) => token.kind !== 'comment' && token.kind !== 'preprocessor' && token.end <= Math.max(start, end));
  const at = before?.end ?? start;
  return [{ title: 'Add the missing ;', edits: [{ start: at, end: at, text: ';' }] }];
}

/** Moves a property in front of the first child node of its body. */
function propertyAfterNode({ source, parts }: FixContext): readonly (Fix | undefined)[] {
  const { syntax } = source;
  const property = parts.at(-1);
  const body = parts.at(-2);
  const firstNode = body?.children.find(({ kind }) => kind === 'node');
  if (property?.kind !== 'property' || body === undefined || firstNode === undefined) return [];
  const { start, end } = spanOf(syntax, property);
  const insertion = insertStatements(syntax, { ...body, children: body.children.slice(0, body.children.indexOf(firstNode)) }, [syntax.text.slice(start, end)]);
  return [insertion === undefined ? undefined : { title: 'Move above the child nodes', edits: [insertion, removeStatement(syntax, property)] }];
}

/** `<0x1000 0x100>` becomes `<0x0 0x1000 0x0 0x100>` where the parent wants two cells each. */
function widenedCells(context: FixContext): readonly (Fix | undefined)[] {
  const node = nodeOf(context);
  const property = propertyIn(context, 'reg') ?? context.parts.at(-1);
  const { syntax } = context.source;
  if (node?.parent === undefined || property?.kind !== 'property' || property.equals === undefined) return [];
  const [addresses, sizes] = [addressCells(node.parent), sizeCells(node.parent)];
  const values = syntax.tokens.slice(property.equals + 1, property.to).filter(({ text }) => !/^[<>,;]$/.test(text));
  const given = sizes === 0 ? 1 : 2;
  if (addresses === 0 || values.some(({ kind }) => kind !== 'number' && kind !== 'identifier') || values.length === 0 || values.length % given !== 0) return [];
  const widened: string[] = [];
  for (let at = 0; at < values.length; at += given) {
    const [address = '0', size = '0'] = values.slice(at, at + given).map(({ text }) => text);
    const cells = [...new Array<string>(addresses - 1).fill('0x0'), address, ...(sizes === 0 ? [] : [...new Array<string>(sizes - 1).fill('0x0'), size])];
    widened.push(`<${cells.join(' ')}>`);
  }
  const first = syntax.tokens[property.equals + 1];
  const end = property.semicolon === undefined ? spanOf(syntax, property).end : syntax.tokens[property.semicolon]?.start;
  return first === undefined || end === undefined ? [] : [{ title: `Write each entry with ${String(addresses + sizes)} cells`, edits: [{ start: first.start, end, text: widened.join(', ') }] }];
}

/** Makes the unit address that of `reg`, or takes away one that nothing gives. */
function unitAddress(context: FixContext): readonly Fix[] {
  const node = nodeOf(context);
  const name = bodyOf(context)?.name;
  if (node === undefined || name?.kind !== 'name') return [];
  const address = regEntries(node)[0]?.address;
  const base = name.text.replace(/@.*$/s, '');
  const wanted = address === undefined ? (node.has('reg') || node.has('ranges') ? undefined : base) : `${base}@${address.toString(16)}`;
  return wanted === undefined || wanted === name.text ? [] : [{ title: `Rename to ${wanted}`, edits: [{ start: name.start, end: name.end, text: wanted }] }];
}

const BASE_ALIGNMENT = 0x20_0000n;

function roundedBase(context: FixContext): readonly (Fix | undefined)[] {
  const value = nodeOf(context)?.property('base-address');
  const base = value?.numberAt(0, Math.min(2, value.bytes.length >> 2));
  if (value === undefined || base === undefined || value.bytes.length > 8) return [];
  const rounded = ((base + BASE_ALIGNMENT - 1n) / BASE_ALIGNMENT) * BASE_ALIGNMENT;
  const cells = value.bytes.length === 8 ? `0x${(rounded >> 32n).toString(16)} 0x${(rounded & 0xffff_ffffn).toString(16)}` : `0x${rounded.toString(16)}`;
  return [valued(context, 'base-address', `<${cells}>`)];
}

function pathInsteadOfPhandle(context: FixContext): Fix | undefined {
  const { linked } = context.analysis;
  const phandle = nodeOf(context)?.u32('config');
  const target = phandle === undefined ? undefined : [...linked.root.walk()].find((node) => node.u32('phandle') === phandle);
  return target === undefined ? undefined : valued(context, 'config', `"${target.path}"`);
}

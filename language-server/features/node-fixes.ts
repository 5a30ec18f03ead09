/** Fixes that put properties and nodes into a node, take them out or set them: the building blocks of `quick-fixes.ts`. */

import { describeShape } from '../../runtime/devicetree/bindings/describe';
import { syntaxPathAt, type SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import { offsetsOf } from '../positions';
import type { FileEdit, Fix, FixContext } from './fix';
import { placeholder } from './placeholders';
import { insertNode, insertStatements, removeStatement, spanOf } from './source-edits';

/** The node that the problem is about, in the tree that was judged. */
export function nodeOf({ analysis, problem }: FixContext): DtNode | undefined {
  return problem.nodePath === undefined ? undefined : analysis.judged.root.at(problem.nodePath);
}

/** The node of the file around the problem. */
export function bodyOf({ parts }: FixContext): SyntaxNode | undefined {
  return [...parts].reverse().find(({ kind, open }) => kind === 'node' && open !== undefined);
}

/** A property of the body around the problem. */
export function propertyIn(context: FixContext, name: string): SyntaxNode | undefined {
  return bodyOf(context)?.children.find((child) => child.kind === 'property' && child.name?.text === name);
}

/** Adds statements to the body around the problem. */
export function statements(context: FixContext, texts: readonly string[]): Fix | undefined {
  const body = bodyOf(context);
  const edit = body === undefined ? undefined : insertStatements(context.source.syntax, body, texts);
  return edit === undefined ? undefined : { title: `Add ${texts.map((text) => text.replace(/;$/, '')).join(' and ')}`, edits: [edit] };
}

/** Adds a child node, given as lines, behind everything else in the body around the problem. */
export function childNode(context: FixContext, lines: readonly string[]): Fix | undefined {
  const body = bodyOf(context);
  const edit = body === undefined ? undefined : insertNode(context.source.syntax, body, lines);
  return edit === undefined ? undefined : { title: `Add the node ${(lines[0] ?? '').replace(/ \{$/, '')}`, edits: [edit] };
}

/** Adds statements to a node wherever its last body is written. */
export function statementsElsewhere(analysis: Analysis, node: DtNode, texts: readonly string[]): FileEdit | undefined {
  const at = bodyElsewhere(analysis, node);
  const edit = at === undefined ? undefined : insertStatements(at.syntax, at.body, texts);
  return at === undefined || edit === undefined ? undefined : { ...edit, path: at.path };
}

/** Adds a child node to a node wherever its last body is written. */
export function childElsewhere(analysis: Analysis, node: DtNode, lines: readonly string[]): FileEdit | undefined {
  const at = bodyElsewhere(analysis, node);
  const edit = at === undefined ? undefined : insertNode(at.syntax, at.body, lines);
  return at === undefined || edit === undefined ? undefined : { ...edit, path: at.path };
}

function bodyElsewhere(analysis: Analysis, { origin }: DtNode) {
  const syntax = origin === undefined ? undefined : analysis.syntaxOf(origin.file);
  if (origin === undefined || syntax === undefined) return undefined;
  const { start } = offsetsOf(syntax.text, origin);
  const body = [...syntaxPathAt(syntax, start)].reverse().find(({ kind, open }) => kind === 'node' && open !== undefined);
  return body === undefined ? undefined : { path: origin.file, syntax, body };
}

/** Adds what a binding misses: properties with values of the types that bindings give them, and nodes. */
export function added(context: FixContext, names: readonly string[]): Fix | undefined {
  const node = nodeOf(context);
  if (node === undefined) return undefined;
  const isNode = (name: string): boolean => describeShape(context.analysis.law.bindings, node, name).isNode;
  if (names.some(isNode)) return names.length === 1 ? childNode(context, [`${names[0] ?? ''} {`, '};']) : undefined;
  const texts = names.map((name) => placeholder(context.analysis, node, name));
  const fix = statements(context, texts);
  return fix === undefined ? undefined : { ...fix, title: `Add ${names.join(' and ')}` };
}

/** Removes a property of the body around the problem. */
export function removed(context: FixContext, name: string): readonly Fix[] {
  const own = propertyIn(context, name) ?? context.parts.find((part) => part.kind === 'property' && part.name?.text === name);
  return own === undefined ? [] : [{ title: `Remove ${name}`, edits: [removeStatement(context.source.syntax, own)] }];
}

/** Removes the innermost statement at the problem. */
export function statementFix({ source, parts }: FixContext, title: string): Fix | undefined {
  const statement = parts.at(-1);
  return statement?.kind === 'property' || (statement?.kind === 'node' && statement.name !== undefined) ? { title, edits: [removeStatement(source.syntax, statement)] } : undefined;
}

/** Gives a property of the body around the problem another value. */
export function valued(context: FixContext, name: string, value: string): Fix | undefined {
  const property = propertyIn(context, name);
  const { syntax } = context.source;
  if (property?.semicolon === undefined) return undefined;
  const { start } = spanOf(syntax, property);
  return { title: `Set ${name} = ${value}`, edits: [{ start, end: syntax.tokens[property.semicolon]?.end ?? start, text: `${name} = ${value};` }] };
}

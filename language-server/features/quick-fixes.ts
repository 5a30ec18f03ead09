/**
 * Quick fixes: edits that mend what a diagnostic objects to. Each is a row of a table by the diagnostic's code, or follows from what bindings
 * say is missing, too much or allowed. A fix is offered only where it is sure to be what the message asks for.
 */

import { CodeActionKind, type CodeAction, type Range, type TextEdit } from 'vscode-languageserver';
import { describeShape } from '../../runtime/devicetree/bindings/describe';
import { regEntries } from '../../runtime/devicetree/lookup';
import { syntaxPathAt } from '../../runtime/devicetree/syntax/tree';
import type { Analysis } from '../analysis';
import type { SourceDocument } from '../documents';
import { uriOfPath } from '../files';
import { documentOf, offsetsOf, rangeOf } from '../positions';
import { busCells, statedCells, wholeArguments, wholeInterrupts, widenedCells } from './cell-fixes';
import { diagnosticOfProblem } from './diagnostics';
import type { Fix, FixContext } from './fix';
import { baseLabelFixes, labelFixes } from './label-fixes';
import { added, bodyOf, nodeOf, removed, statementFix, statements } from './node-fixes';
import { RM_FIXES } from './rm-fixes';
import { insertStatements, removeStatement, spanOf } from './source-edits';
import { allowedValues } from './value-fixes';

/** The fixes for the problems that a range touches; `base` is what an overlay is for. */
export function quickFixes(source: SourceDocument, analysis: Analysis, range: Range, base?: Analysis): CodeAction[] {
  const { document, path, syntax } = source;
  const [from, to] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const actions: CodeAction[] = [];
  const seen = new Set<string>();
  const near = analysis.diagnostics.filter((problem) => problem.file === path && problem.line !== undefined).map((problem) => ({ problem, ...offsetsOf(syntax.text, problem) }))
    .filter(({ start, end }) => lineEnd(syntax.text, end) >= from && lineStart(syntax.text, start) <= to);
  // What is wrong at the cursor itself comes before what else is wrong on its line.
  const isHere = ({ start, end }: { readonly start: number; readonly end: number }): number => (start <= to && end >= from ? 0 : 1);
  for (const { problem, start, end } of [...near].sort((a, b) => isHere(a) - isHere(b))) {
    const fixes = fixesOf({ source, analysis, base, problem, start, end, parts: syntaxPathAt(syntax, start) });
    for (const fix of fixes) {
      const key = `${fix.title} ${JSON.stringify(fix.edits)}`;
      if (fix.edits.length === 0 || seen.has(key)) continue;
      seen.add(key);
      const { title } = fix;
      actions.push({ title, kind: CodeActionKind.QuickFix, diagnostics: [diagnosticOfProblem(problem, analysis)], edit: { changes: changesOf(fix, source, [analysis, ...(base === undefined ? [] : [base])]) }, isPreferred: fixes.length === 1 });
    }
  }
  return actions;
}

function changesOf({ edits }: Fix, { document, path: own }: SourceDocument, analyses: readonly Analysis[]): Record<string, TextEdit[]> {
  const changes: Record<string, TextEdit[]> = {};
  for (const { path = own, start, end, text } of edits) {
    const uri = path === own ? document.uri : uriOfPath(path);
    const target = path === own ? document : documentOf(uri, analyses.map((one) => one.textOf(path)).find((one) => one !== undefined) ?? '');
    (changes[uri] ??= []).push({ range: rangeOf(target, start, end), newText: text });
  }
  return changes;
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
  const { code } = problem;
  const maker = Object.hasOwn(FIXES, code) ? FIXES[code] : Object.hasOwn(RM_FIXES, code) ? RM_FIXES[code] : /_property$/.test(code) ? wholeArguments : undefined;
  const byCode = maker?.(context) ?? [];
  // What RM's own row offers says more than the names that a binding lists.
  const isOwn = code.startsWith('vm-config-') && byCode.some((fix) => fix !== undefined);
  const missing = problem.missing === undefined || isOwn ? [] : [added(context, problem.missing)];
  const all = missing.length === 0 ? [] : [allMissing(context)];
  const choices = isOwn ? [] : (problem.choices ?? []).map((names) => added(context, names));
  const surplus = [...problem.surplus ?? [], ...problem.rivals ?? []].flatMap((name) => removed(context, name));
  return [...byCode, ...allowedValues(context), ...missing, ...choices, ...all, ...surplus].filter((fix) => fix !== undefined);
}

/** Adds all that bindings miss in the node, where that is more than what one problem says. */
function allMissing(context: FixContext): Fix | undefined {
  const { analysis, problem } = context;
  const node = nodeOf(context);
  const isNode = (name: string): boolean => node !== undefined && describeShape(analysis.law.bindings, node, name).isNode;
  const names = new Set(analysis.diagnostics.filter(({ nodePath, missing = [] }) => nodePath === problem.nodePath && missing.length > 0).flatMap(({ missing = [] }) => missing).filter((name) => !isNode(name)));
  const fix = names.size > (problem.missing?.length ?? 0) ? added(context, [...names]) : undefined;
  return fix === undefined ? undefined : { ...fix, title: `Add all ${String(names.size)} that are missing` };
}

type FixMaker = (context: FixContext) => readonly (Fix | undefined)[];

const FIXES: Readonly<Record<string, FixMaker>> = {
  'dts-missing-semicolon': missing(';'),
  'dts-missing-equals': missing(' ='),
  'dts-missing-comma': missing(','),
  'dts-no-version': () => [{ title: 'Add /dts-v1/;', edits: [{ start: 0, end: 0, text: '/dts-v1/;\n\n' }] }],
  'dts-late-version': ({ source, start, end }) => [{ title: 'Remove this /dts-v1/;', edits: [{ start, end: end + (/^\s*;[ \t]*\n?/.exec(source.syntax.text.slice(end))?.[0].length ?? 0), text: '' }] }],
  'dts-property-after-node': propertyAfterNode,
  'dts-duplicate-property': (context) => [statementFix(context, 'Remove this property')],
  'dts-duplicate-label': duplicateLabel,
  'dts-label-not-found': labelFixes,
  'dts-reference-not-found': labelFixes,
  'overlay-no-symbol': baseLabelFixes,
  'reg_format': widenedCells,
  'ranges_format': widenedCells,
  'dma_ranges_format': widenedCells,
  'interrupts_property': wholeInterrupts,
  'avoid_default_addr_size': statedCells,
  'interrupt_provider': (context) => (nodeOf(context)?.has('#address-cells') === false ? [statements(context, ['#address-cells = <0>;'])] : []),
  'i2c_bus_bridge': busFix,
  'spi_bus_bridge': busFix,
  'unit_address_vs_reg': unitAddress,
  'simple_bus_reg': unitAddress,
  'unit_address_format': unitAddress,
  'i2c_bus_reg': unitAddress,
  'spi_bus_reg': unitAddress,
};

function busFix(context: FixContext): readonly (Fix | undefined)[] {
  const texts = busCells(nodeOf(context), context.problem.code);
  return texts.length === 0 ? [] : [statements(context, texts)];
}

/** Puts what is missing behind the last thing before the problem. */
function missing(text: string): FixMaker {
  return ({ source, start, end }) => {
    const before = [...source.syntax.tokens].reverse().find((token) => token.kind !== 'comment' && token.kind !== 'preprocessor' && token.end <= Math.max(start, end));
    const at = before?.end ?? start;
    return [{ title: `Add the missing ${text.trim()}`, edits: [{ start: at, end: at, text }] }];
  };
}

/** Moves a property in front of the first child node of its body. */
function propertyAfterNode({ source, parts }: FixContext): readonly (Fix | undefined)[] {
  const { syntax } = source;
  const property = parts.at(-1);
  const body = parts.at(-2);
  const firstNode = body?.children.find(({ kind }) => kind === 'node');
  if (property?.kind !== 'property' || property.semicolon === undefined || body === undefined || firstNode === undefined) return [];
  const { start, end } = spanOf(syntax, property);
  const insertion = insertStatements(syntax, { ...body, children: body.children.slice(0, body.children.indexOf(firstNode)) }, [syntax.text.slice(start, end)]);
  return [insertion === undefined ? undefined : { title: 'Move above the child nodes', edits: [insertion, removeStatement(syntax, property)] }];
}

function duplicateLabel({ source, start }: FixContext): readonly Fix[] {
  const label = source.syntax.tokens.find((token) => token.kind === 'label' && token.start <= start && start <= token.end);
  const blanks = label === undefined ? 0 : /^[\t ]*/.exec(source.syntax.text.slice(label.end))?.[0].length ?? 0;
  return label === undefined ? [] : [{ title: `Remove the label ${label.text}`, edits: [{ start: label.start, end: label.end + blanks, text: '' }] }];
}

/** Makes the unit address that of `reg`, or of the node's own addresses in `ranges`; or takes away one that nothing gives. */
function unitAddress(context: FixContext): readonly Fix[] {
  const node = nodeOf(context);
  const name = bodyOf(context)?.name;
  if (node === undefined || name?.kind !== 'name') return [];
  const ranges = node.property('ranges');
  const ofRanges = ranges === undefined || ranges.bytes.length === 0 ? undefined : ranges.numberAt(0, Math.min(2, node.u32('#address-cells') ?? 2));
  const address = node.has('reg') ? regEntries(node)[0]?.address : ofRanges;
  const base = name.text.replace(/@.*$/s, '');
  const wanted = address === undefined ? (node.has('reg') || ranges !== undefined ? undefined : base) : `${base}@${address.toString(16)}`;
  return wanted === undefined || wanted === name.text ? [] : [{ title: `Rename to ${wanted}`, edits: [{ start: name.start, end: name.end, text: wanted }] }];
}

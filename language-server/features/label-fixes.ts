/**
 * Fixes for references to labels that do not exist: write a similar one, or give the label to the node that seems to be meant, in whatever
 * file that is. A reference that comes out of a macro is mended where the macro is defined.
 */

import type { DtNode } from '../../runtime/devicetree/tree';
import type { Analysis } from '../analysis';
import { offsetsOf } from '../positions';
import { labelOf } from '../symbols';
import type { Fix, FixContext } from './fix';

const OFFERED_MAX = 3;
/** Letters that may differ. */
const DISTANCE_MAX = 2;

/** The fixes for a reference within a tree. */
export function labelFixes(context: FixContext): readonly Fix[] {
  return fixesAmong(context, context.analysis);
}

/** The fixes for a reference of an overlay to its base. */
export function baseLabelFixes(context: FixContext): readonly Fix[] {
  return context.base === undefined ? [] : fixesAmong(context, context.base);
}

interface Written { readonly label: string; readonly path: string; readonly at: number }

function fixesAmong(context: FixContext, target: Analysis): readonly Fix[] {
  const written = writtenAt(context, target);
  if (written === undefined) return [];
  const { label, path, at } = written;
  const nodes = [...target.tree.root.walk()];
  const similar = [...new Set(nodes.flatMap(({ labels }) => labels))].map((name) => ({ name, distance: distanceOf(name, label) })).filter(({ name, distance }) => distance <= DISTANCE_MAX && name !== label)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, OFFERED_MAX);
  const renamed = similar.map(({ name }): Fix => ({ title: `Change to &${name}`, edits: [{ path, start: at, end: at + label.length, text: name }] }));
  const labelled = nodes.filter((node) => isMeant(node, label)).slice(0, OFFERED_MAX).flatMap((node) => labelledNode(context, target, { node, label }));
  return [...renamed, ...labelled];
}

/** Where the reference is typed: here, or in the definition of the macro that is used here. */
function writtenAt({ source, analysis, problem, start }: FixContext, target: Analysis): Written | undefined {
  const token = source.syntax.tokens.find((one) => one.kind === 'ref' && one.start <= start && start < one.end);
  const label = token === undefined ? undefined : labelOf(token.text);
  if (token !== undefined && label !== undefined) return { label, path: source.path, at: token.start + token.text.indexOf(label) };
  const { definition } = problem;
  const text = definition === undefined ? undefined : analysis.textOf(definition.file);
  if (definition === undefined || text === undefined) return undefined;
  const begin = offsetsOf(text, definition).start;
  const body = /^(?:[^\n]*\\\r?\n)*[^\n]*/.exec(text.slice(begin))?.[0] ?? '';
  const unknown = [...body.matchAll(/(?<=&\{?)[A-Za-z_]\w*/g)].find(([name]) => ![...target.tree.root.walk()].some(({ labels }) => labels.includes(name)));
  return unknown === undefined ? undefined : { label: unknown[0], path: definition.file, at: begin + unknown.index };
}

function labelledNode({ source }: FixContext, target: Analysis, { node, label }: { readonly node: DtNode; readonly label: string }): readonly Fix[] {
  const { origin } = node;
  const text = origin === undefined ? undefined : target.textOf(origin.file);
  if (origin === undefined || text === undefined || origin.definition !== undefined) return [];
  const { start } = offsetsOf(text, origin);
  const elsewhere = origin.file === source.path ? '' : ` in ${origin.file.slice(origin.file.lastIndexOf('/') + 1)}`;
  return [{ title: `Label ${node.path} as ${label}${elsewhere}`, edits: [{ path: origin.file, start, end: start, text: `${label}: ` }] }];
}

/** True if the name says the same as the label, whatever the punctuation. */
function isMeant(node: DtNode, label: string): boolean {
  const plain = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
  return node.parent !== undefined && (plain(node.baseName) === plain(label) || plain(node.name) === plain(label));
}

/** Letters to change, add or take away; more than `DISTANCE_MAX` counts as that many and one. */
function distanceOf(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > DISTANCE_MAX) return DISTANCE_MAX + 1;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[to.length] ?? 0;
}

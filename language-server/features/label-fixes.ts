/** Fixes for references to labels that do not exist: write a similar one, or give the label to the node that seems to be meant. */

import type { DtNode } from '../../runtime/devicetree/tree';
import { offsetsOf } from '../positions';
import { labelOf } from '../symbols';
import type { Fix, FixContext } from './fix';

const OFFERED_MAX = 3;
/** Letters that may differ. */
const DISTANCE_MAX = 2;

/** The fixes. */
export function labelFixes({ source, analysis, start }: FixContext): readonly Fix[] {
  const token = source.syntax.tokens.find((one) => one.kind === 'ref' && one.start <= start && start < one.end);
  const label = token === undefined ? undefined : labelOf(token.text);
  if (token === undefined || label === undefined) return [];
  const nodes = [...analysis.tree.root.walk()];
  const similar = [...new Set(nodes.flatMap(({ labels }) => labels))].map((name) => ({ name, distance: distanceOf(name, label) })).filter(({ distance }) => distance <= DISTANCE_MAX)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, OFFERED_MAX);
  const at = token.start + token.text.indexOf(label);
  const renamed = similar.map(({ name }): Fix => ({ title: `Change to &${name}`, edits: [{ start: at, end: at + label.length, text: name }] }));
  const labelled = nodes.filter((node) => node.origin?.file === source.path && isMeant(node, label)).slice(0, OFFERED_MAX).map((node): Fix => {
    const place = node.origin === undefined ? 0 : offsetsOf(source.syntax.text, node.origin).start;
    return { title: `Label ${node.path} as ${label}`, edits: [{ start: place, end: place, text: `${label}: ` }] };
  });
  return [...renamed, ...labelled];
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

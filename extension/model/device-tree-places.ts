/** Where a new node goes in a device tree's text: before the closing brace of a node that the outline shows. No editor in here. */

import { indented } from './device-tree-nodes';

/** A node of the outline; offsets count characters of the text. */
export interface OutlineNode {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly children: readonly OutlineNode[];
}

/** Text to insert at an offset. */
export interface Insertion {
  readonly offset: number;
  readonly text: string;
}

/** The first node whose path ends with these names, from the outside in; a name matches with or without its unit address. */
export function findNode(nodes: readonly OutlineNode[], path: readonly string[]): OutlineNode | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return undefined;
  for (const node of nodes) {
    const found = isNamed(node, first) ? (rest.length === 0 ? node : findNode(node.children, rest)) : undefined;
    const deeper = found ?? findNode(node.children, path);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function isNamed(node: OutlineNode, name: string): boolean {
  const own = node.name.slice(node.name.lastIndexOf(':') + 1).trim();
  return own === name || own.startsWith(`${name}@`);
}

/** Puts a block at the end of a node, set off by an empty line. Undefined if the node has no closing brace. */
export function insertInto(text: string, node: OutlineNode, block: string): Insertion | undefined {
  const brace = text.lastIndexOf('}', node.end);
  if (brace <= node.start) return undefined;
  const lineStart = text.lastIndexOf('\n', brace - 1) + 1;
  const isBraceAlone = text.slice(lineStart, brace).trim() === '';
  const outer = /^[\t ]*/.exec(text.slice(text.lastIndexOf('\n', node.start - 1) + 1, node.start))?.[0] ?? '';
  const inner = indented(block, `${outer}\t`);
  const before = text.slice(node.start, isBraceAlone ? lineStart : brace).trimEnd();
  const gap = before.endsWith('{') ? '' : '\n';
  return isBraceAlone ? { offset: lineStart, text: `${gap}${inner}\n` } : { offset: brace, text: `\n${gap}${inner}\n${outer}` };
}

/** Puts a block behind everything else. */
export function appendRoot(text: string, block: string): Insertion {
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return { offset: text.length, text: `${gap}\n/ {\n${indented(block, '\t')}\n};\n` };
}

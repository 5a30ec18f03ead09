/** Fixes of numbers of cells: entries as wide as the buses around them say, lists filled up, and cell counts stated where they are only assumed. */

import { addressCells, interruptParent, nodeByPhandle, sizeCells } from '../../runtime/devicetree/lookup';
import { findLastIndex } from '../../runtime/devicetree/source';
import type { SyntaxNode } from '../../runtime/devicetree/syntax/tree';
import type { SyntaxToken } from '../../runtime/devicetree/syntax/tokens';
import type { DtNode } from '../../runtime/devicetree/tree';
import type { Fix, FixContext } from './fix';
import { nodeOf, propertyIn, statementsElsewhere, valued } from './node-fixes';

type Maybe = Fix | undefined;

/** `<0x1000 0x100>` becomes `<0x0 0x1000 0x0 0x100>` where two cells each are wanted; the same for `ranges`. */
export function widenedCells(context: FixContext): readonly Maybe[] {
  const node = nodeOf(context);
  const name = context.problem.about ?? 'reg';
  if (node?.parent === undefined) return [];
  const [outer, sizes] = [addressCells(node.parent), sizeCells(node.parent)];
  const wanted = name === 'reg' ? [outer, sizes] : [addressCells(node), outer, sizeCells(node)];
  const list = listOf(context, name);
  const parts = wanted.filter((count) => count > 0);
  const total = parts.reduce((sum, count) => sum + count, 0);
  if (list === undefined || total === 0 || list.cells.length === 0) return [];
  if (list.cells.length % parts.length === 0 && total > parts.length) return [replaced(list, entriesOf(list.cells, parts), `Write each entry with ${String(total)} cells`)];
  const surplus = list.cells.length % total;
  return surplus === 0 ? [] : [replaced(list, [...list.cells, ...zeros(total - surplus)].reduce<string[][]>(inRows(total), []), `Fill up with 0 to ${String(total)} cells for each entry`)];
}

/** Each value with leading zero cells, so that the parts of an entry are as wide as wanted. */
function entriesOf(cells: readonly string[], parts: readonly number[]): readonly (readonly string[])[] {
  const rows = cells.reduce<string[][]>(inRows(parts.length), []);
  return rows.map((row) => row.flatMap((cell, index) => [...zeros((parts[index] ?? 1) - 1, '0x0'), cell]));
}

function inRows(length: number): (rows: string[][], cell: string, index: number) => string[][] {
  return (rows, cell, index) => {
    if (index % length === 0) rows.push([]);
    rows.at(-1)?.push(cell);
    return rows;
  };
}

function zeros(count: number, zero = '0'): readonly string[] {
  return new Array<string>(Math.max(0, count)).fill(zero);
}

interface CellList {
  readonly cells: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** The cells of a property as they are typed; nothing if they are more than numbers, references and names. */
function listOf(context: FixContext, name: string): CellList | undefined {
  const property: SyntaxNode | undefined = propertyIn(context, name) ?? [...context.parts].reverse().find(({ kind, name: own }) => kind === 'property' && own?.text === name);
  const { syntax } = context.source;
  if (property?.equals === undefined || property.semicolon === undefined) return undefined;
  const value = syntax.tokens.slice(property.equals + 1, property.semicolon);
  const cells = value.filter(({ text }) => !/^[<>,]$/.test(text));
  const [first, last] = [value[0], value.at(-1)];
  const isPlain = ({ kind }: SyntaxToken): boolean => kind === 'number' || kind === 'identifier' || kind === 'ref';
  if (first === undefined || last === undefined || first.text !== '<' || !cells.every(isPlain)) return undefined;
  return { cells: cells.map(({ text }) => text), start: first.start, end: last.end };
}

function replaced({ start, end }: CellList, rows: readonly (readonly string[])[], title: string): Fix {
  return { title, edits: [{ start, end, text: rows.map((row) => `<${row.join(' ')}>`).join(', ') }] };
}

/** Fills `interrupts` up to whole specifiers of its controller. */
export function wholeInterrupts(context: FixContext): readonly Maybe[] {
  const node = nodeOf(context);
  const controller = node === undefined ? undefined : interruptParent(context.analysis.judged.root, node);
  const count = controller?.u32('#interrupt-cells') ?? 0;
  const list = listOf(context, 'interrupts');
  const surplus = count === 0 || list === undefined ? 0 : list.cells.length % count;
  if (list === undefined || surplus === 0) return [];
  return [replaced(list, [...list.cells, ...zeros(count - surplus)].reduce<string[][]>(inRows(count), []), `Fill up with 0 to ${String(count)} cells for each interrupt`)];
}

/** Fills the last entry of a list of references with arguments up to what its provider takes. */
export function wholeArguments(context: FixContext): readonly Maybe[] {
  const { about, code } = context.problem;
  const node = nodeOf(context);
  const list = about === undefined ? undefined : listOf(context, about);
  const property = about === undefined ? undefined : node?.property(about);
  const last = list === undefined ? -1 : findLastIndex(list.cells, (cell) => cell.startsWith('&'));
  if (list === undefined || property === undefined || last < 0 || property.bytes.length !== list.cells.length * 4) return [];
  const provider = nodeByPhandle(context.analysis.judged.root, property.u32s[last] ?? 0);
  const counter = code === 'gpios_property' ? '#gpio-cells' : [...provider?.properties ?? []].map(({ name }) => name).find((name) => about !== undefined && name === `#${about.replace(/s$/, '').replace(/^interrupts-extended$/, 'interrupt')}-cells`);
  const wanted = counter === undefined ? undefined : provider?.u32(counter);
  const missing = (wanted ?? 0) - (list.cells.length - last - 1);
  if (wanted === undefined || missing <= 0) return [];
  const cells = [...list.cells.slice(last), ...zeros(missing)];
  const before = list.cells.slice(0, last);
  const rows = before.reduce<string[][]>((all, cell) => {
    if (cell.startsWith('&')) all.push([]);
    (all.at(-1) ?? []).push(cell);
    return all;
  }, []);
  return [replaced(list, [...rows, cells], `Fill up with 0 to the ${String(wanted)} ${wanted === 1 ? 'cell' : 'cells'} that ${list.cells[last] ?? ''} takes`)];
}

/** States the cell counts that are taken where the parent states none. */
export function statedCells(context: FixContext): readonly Maybe[] {
  const parent = nodeOf(context)?.parent;
  if (parent === undefined) return [];
  const texts = [...(parent.has('#address-cells') ? [] : [`#address-cells = <${String(addressCells(parent))}>;`]), ...(parent.has('#size-cells') ? [] : [`#size-cells = <${String(sizeCells(parent))}>;`])];
  const edit = texts.length === 0 ? undefined : statementsElsewhere(context.analysis, parent, texts);
  return edit === undefined ? [] : [{ title: `State ${texts.map((text) => text.replace(/;$/, '')).join(' and ')} in ${parent.path}`, edits: [edit] }];
}

/** A value of one cell where RM reads two, or of two where it reads one. */
export function fittingCells(context: FixContext): readonly Maybe[] {
  const { about, message } = context.problem;
  const list = about === undefined ? undefined : listOf(context, about);
  const wanted = /must be (one|two) cell/.exec(message)?.[1];
  if (about === undefined || list === undefined || wanted === undefined) return [];
  const [first = '', second] = list.cells;
  if (wanted === 'two' && second === undefined) return [valued(context, about, `<0x0 ${first}>`)];
  return wanted === 'one' && list.cells.length === 2 && Number(first) === 0 && second !== undefined ? [valued(context, about, `<${second}>`)] : [];
}

/** The number of cells that a bus wants, stated in the node. */
export function busCells(node: DtNode | undefined, code: string): readonly string[] {
  const [address, size] = code.startsWith('i2c') || code.startsWith('spi') ? [1, 0] : [undefined, undefined];
  if (node === undefined || address === undefined || size === undefined) return [];
  return [...(node.has('#address-cells') ? [] : [`#address-cells = <${String(address)}>;`]), ...(node.has('#size-cells') ? [] : [`#size-cells = <${String(size)}>;`])];
}

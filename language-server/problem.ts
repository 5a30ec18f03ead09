/** A problem of a tree with what an editor can do about it, and where in a source it belongs. No judge: that is `judgement.ts`. */

import type { ValuePlace } from '../runtime/devicetree/bindings/value-place';
import type { DtDiagnostic, SourceOrigin } from '../runtime/devicetree/source';
import type { DtProperty } from '../runtime/devicetree/tree';
import { ELEMENT_SIZE, type DtChunk } from '../runtime/devicetree/value';
import { offsetsOf } from './positions';

/** A problem. What follows the diagnostic is for quick fixes. */
export interface Problem extends DtDiagnostic {
  /** Path of the binding that objects. */
  readonly binding?: string;
  /** The node that it is about. */
  readonly nodePath?: string;
  /** The property that it is about. */
  readonly about?: string;
  /** Names that are needed in the node. */
  readonly missing?: readonly string[];
  /** Names of which one group is needed. */
  readonly choices?: readonly (readonly string[])[];
  /** Names that should go. */
  readonly surplus?: readonly string[];
  /** Names of which only one may stay. */
  readonly rivals?: readonly string[];
  /** What a value may be instead. */
  readonly allowed?: readonly (string | number)[];
  /** The cell at fault, to be found in the text: cells have no places of their own. */
  readonly cell?: CellPlace;
}

/** One of the cells of `<…>`. */
export interface CellPlace {
  /** Where the bracket opens. */
  readonly origin: SourceOrigin;
  readonly index: number;
  /** How many cells there are between the brackets. */
  readonly count: number;
  /** How many cells are at fault, if not one; they stand in one line or only the first line counts. */
  readonly span?: number;
}

/** What makes two problems of trees with and without an overlay the same one, wherever they are told. */
export function keyOf({ code, message, nodePath }: Problem): string {
  return JSON.stringify([code, message, nodePath]);
}

/** The place of an origin. */
export function placeOf(origin: SourceOrigin | undefined): Pick<DtDiagnostic, 'file' | 'line' | 'column' | 'length' | 'definition'> {
  if (origin === undefined) return {};
  const { file, line, column, length, definition } = origin;
  return { file, line, column, length, ...(definition === undefined ? {} : { definition }) };
}

type Within = ReturnType<typeof placeOf> & Pick<Problem, 'cell'>;

/** The place of a property's value: of its only string or cell, or of the property if there are more. */
export function placeOfValue(property: DtProperty): Within {
  const [only, second] = property.value;
  if (only === undefined || second !== undefined) return placeOf(property.origin);
  if (only.type === 'string' || only.type === 'path') return placeOf(only.origin ?? property.origin);
  return elementCount(only) === 1 ? placeOfCell(property, 0) : placeOf(property.origin);
}

/** The place of one cell of a property, counted over all its parts; of the property if that cannot be told. */
export function placeOfCell(property: DtProperty, cell: number): Within {
  let index = cell;
  for (const part of property.value) {
    const count = elementCount(part);
    if (index < count) {
      const mark = part.references.find(({ offset }) => offset === index * (part.bytes.length / count));
      const place = placeOf(mark?.origin ?? property.origin);
      return mark?.origin !== undefined || part.origin === undefined || part.origin.definition !== undefined ? place : { ...place, cell: { origin: part.origin, index, count } };
    }
    index -= count;
  }
  return placeOf(property.origin);
}

/** The place of some of the single values of a property; nothing if they are not written one by one. */
export function placeOfValues(property: DtProperty, { before, count, total }: ValuePlace): Within | undefined {
  const { value } = property;
  if (value.every(({ type }) => type === 'string' || type === 'path')) return value.length === total ? placeOf(value[before]?.origin ?? property.origin) : undefined;
  if (value.reduce((sum, part) => sum + elementCount(part), 0) !== total) return undefined;
  const place = placeOfCell(property, before);
  const { cell } = place;
  return cell === undefined || count === 1 ? place : { ...place, cell: { ...cell, span: Math.min(count, cell.count - cell.index) } };
}

/** The place of one of several parts of a value (`"a", "b"` or `<1>, <2>`). */
export function placeOfEntry(property: DtProperty, entry: number): Within {
  const [only, second] = property.value;
  if (only !== undefined && second === undefined && Object.hasOwn(ELEMENT_SIZE, only.type)) return entry < elementCount(only) ? placeOfCell(property, entry) : placeOf(property.origin);
  return placeOf(property.value[entry]?.origin ?? property.origin);
}

function elementCount({ type, bytes }: DtChunk): number {
  return type === 'u8' || type === 'u16' || type === 'u32' || type === 'u64' ? bytes.length / ELEMENT_SIZE[type] : 0;
}

/** What may stand between brackets, one element at a time; parentheses are matched by hand. */
const ELEMENT = /\s+|\/\*[^]*?\*\/|\/\/[^\n]*|[A-Za-z_]\w*:|&\{[^}]*\}|'(?:\\.|[^'\\])*'|[&\w.+*#-]+/y;

/** The problem at its cell, if the text has as many elements between the brackets as the value has cells; macros may make several of one. */
export function placedAtCell(problem: Problem, text: string | undefined): Problem {
  const { cell } = problem;
  if (cell === undefined || text === undefined) return problem;
  const elements = elementsFrom(text, offsetsOf(text, cell.origin).start);
  const [first, last] = [elements[cell.index], elements[cell.index + (cell.span ?? 1) - 1]];
  if (elements.length !== cell.count || first === undefined || last === undefined) return problem;
  const lines = text.slice(0, first.start).split('\n');
  const [line = ''] = text.slice(first.start, last.end).split('\n');
  return { ...problem, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, length: line.trimEnd().length };
}

function elementsFrom(text: string, open: number): readonly { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  let at = text[open] === '<' ? open + 1 : text.length;
  while (at < text.length && text[at] !== '>') {
    if (text[at] === '(') {
      const end = closingParenthesis(text, at);
      found.push({ start: at, end });
      at = end;
      continue;
    }
    ELEMENT.lastIndex = at;
    const match = ELEMENT.exec(text)?.[0];
    if (match === undefined) return [];
    if (!/^(?:\s|\/[*/])|:$/.test(match)) found.push({ start: at, end: at + match.length });
    at += match.length;
  }
  return found;
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at + 1;
  }
  return text.length;
}

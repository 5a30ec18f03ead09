/** Rows of a view as indented text, the way tests compare them: label, description, tone. */

import assert from 'node:assert/strict';
import type { Row } from '../../../extension/model/row';

/** Every row with what lies below it, as deep as `depth`. */
export function rowsText(rows: readonly Row[], depth = 9, indent = ''): string {
  return rows.map((row) => [
    `${indent}${row.label}:${row.description === '' ? '' : ` ${row.description}`}${row.tone === 'plain' ? '' : ` [${row.tone}]`}`,
    ...(depth > 1 && row.children.length > 0 ? [rowsText(row.children, depth - 1, `${indent}  `)] : []),
  ].join('\n')).join('\n');
}

/** Compares rows with their text; the text may be indented as a whole. */
export function checkRows(rows: readonly Row[], depth: number, expected: string): void {
  assert.equal(rowsText(rows, depth), expected.trim().replace(/^ {4}/gm, ''));
}

/** Ids must be unique, or the editor shows nothing at all. */
export function checkIds(rows: readonly Row[]): void {
  const ids = (all: readonly Row[]): string[] => all.flatMap((row) => [row.id, ...ids(row.children)]);
  assert.equal(new Set(ids(rows)).size, ids(rows).length, 'every id once');
}

/** The first row with a label, wherever it is. */
export function rowOf(rows: readonly Row[], label: RegExp): Row {
  const all = (some: readonly Row[]): Row[] => some.flatMap((row) => [row, ...all(row.children)]);
  const found = all(rows).find((row) => label.test(row.label));
  assert.ok(found, `a row ${String(label)} in\n${rowsText(rows)}`);
  return found;
}

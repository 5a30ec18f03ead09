/** Fixes of values: one of those that are allowed, the nearest first. */

import { isNear } from '../../runtime/devicetree/rm-rules/check-tree';
import type { Fix, FixContext } from './fix';

/** All values are offered if there are no more than this. */
const ALL_OFFERED_MAX = 4;
const NEAR_OFFERED_MAX = 3;

/** Changes the string or cell at the problem to one that is allowed. */
export function allowedValues({ problem, source, start, end }: FixContext): readonly Fix[] {
  const { allowed = [] } = problem;
  const typed = source.syntax.text.slice(start, end);
  const isString = /^".*"$/.test(typed);
  const isCell = /^(?:0[xX][0-9a-fA-F]+|\d+|\(.*\)|[A-Z_]\w*)$/.test(typed);
  const fitting = allowed.filter((value) => (typeof value === 'string' ? isString : isCell)).map((value) => (typeof value === 'string' ? `"${value}"` : String(value)));
  const near = fitting.filter((value) => isNear(value, typed)).slice(0, NEAR_OFFERED_MAX);
  const offered = fitting.length <= ALL_OFFERED_MAX ? [...near, ...fitting.filter((value) => !near.includes(value))] : near;
  return offered.map((value) => changed(start, end, value));
}

/** Changes what stands at an offset. */
export function changed(start: number, end: number, text: string): Fix {
  return { title: `Change to ${text}`, edits: [{ start, end, text }] };
}

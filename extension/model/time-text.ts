/** Points in virtual time as users write them: `12ms`, `+100us`, `-5ms`, `50%`, `start`, `end`, or a bare tick. */

import { formatTime } from './format';

/** How far history reaches and where the system stands, in ticks. */
export interface TimeExtent { readonly start: number; readonly end: number; readonly now: number }

/** A tick, or a sentence that says what is wrong. */
export type TimeAnswer = { readonly tick: number } | { readonly problem: string };

const UNIT_TICKS: Readonly<Record<string, number>> = { '': 1, ns: 1, us: 1_000, 'µs': 1_000, ms: 1_000_000, s: 1_000_000_000 };
const TIME = /^([+-]?)\s*(\d+(?:[\d_,]*\d)?(?:\.\d+)?)\s*(ns|us|µs|ms|s|%|)$/i;

/** Reads a point in time. Signs are relative to now; percentages are of the recorded history. */
export function parseTime(text: string, extent: TimeExtent): TimeAnswer {
  const word = text.trim().toLowerCase();
  if (word === 'start') return { tick: extent.start };
  if (word === 'end') return { tick: extent.end };
  const match = TIME.exec(word);
  if (match === null) return { problem: 'Write a time such as 12.5ms, a tick, +100us or -5ms from here, 50%, start or end.' };
  const [, sign = '', digits = '', unit = ''] = match;
  const value = Number(digits.replace(/[_,]/g, ''));
  return inside(tickOf(value, sign, unit, extent), extent);
}

function tickOf(value: number, sign: string, unit: string, extent: TimeExtent): number {
  const span = unit === '%' ? ((extent.end - extent.start) * value) / 100 : value * (UNIT_TICKS[unit] ?? 1);
  if (sign === '') return Math.round(unit === '%' ? extent.start + span : span);
  return Math.round(sign === '-' ? extent.now - span : extent.now + span);
}

function inside(tick: number, extent: TimeExtent): TimeAnswer {
  if (tick < extent.start) return { problem: `History begins at ${formatTime(extent.start)}.` };
  if (tick > extent.end) return { problem: `History ends at ${formatTime(extent.end)}; continue the session to go further.` };
  return { tick };
}

/**
 * A measured figure and how to show it. `ratio` always says "this much of what it is measured against": for speeds ours / theirs
 * (0.5 = half as fast), for durations, sizes and costs ours / limit (0.5 = half of what is allowed).
 */

/** One row of the benchmark's result. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is compared with: a rival's measurement or a limit, in the same unit. */
  readonly against: number;
  /** Who or what `against` is. */
  readonly rival: string;
  readonly ratio: number;
}

/** A row that could not be measured, and why. */
export interface Unmeasured { readonly name: string; readonly reason: string }

/** A duration, size or cost against the most it may be. */
export function againstLimit(name: string, value: number, unit: string, limit: number): Figure {
  return { name, value, unit, against: limit, rival: 'limit', ratio: value / limit };
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The geometric mean of positive values. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** A line for people. */
export function formatFigure(figure: Figure): string {
  const value = `${figure.value.toPrecision(4)} ${figure.unit}`;
  const against = `${figure.rival} ${figure.against.toPrecision(4)}`;
  return `${figure.name.padEnd(28)} ${value.padStart(18)}   ${against.padEnd(40)} ratio ${figure.ratio.toFixed(3)}`;
}

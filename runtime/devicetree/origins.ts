/**
 * From offsets of preprocessed text back to the files. The map only grows at its end, or is cut there when preprocessing goes back; what
 * was found for an offset before the cut stays true. What follows a cut can be put back elsewhere.
 */

import type { Macro } from './macros';
import { lastAtMost, type SourceOrigin, type SourceText } from './source';

/** A run of the output. Copied runs map character by character, expanded ones to the whole use of the macro. */
export interface Segment {
  source: SourceText;
  offset: number;
  /** Length of the macro's use; absent for copied text. */
  readonly useLength?: number;
  macro?: Macro;
}

/** A stretch of the output that moves as one. */
class Stretch {
  readonly map: OriginMap;
  start: number;
  /** How often it has moved. */
  moves = 0;

  constructor(map: OriginMap, start: number) {
    this.map = map;
    this.start = start;
  }
}

/** How the end of a text has moved: that of the output from `from`, or its run number `segments`, on. */
export interface OriginMove {
  readonly from: number;
  readonly segments: number;
  readonly shift: number;
  /** What was copied of one text is now of another, at offsets that differ by `offset`. */
  readonly before: SourceText;
  readonly after: SourceText;
  readonly offset: number;
}

/** The end of a map, kept while what is before it is made anew. */
export class OriginTail {
  starts: readonly number[];
  segments: readonly Segment[];
  stretches: readonly Stretch[];

  constructor(starts: readonly number[], segments: readonly Segment[], stretches: readonly Stretch[]) {
    this.starts = starts;
    this.segments = segments;
    this.stretches = stretches;
  }

  /** Forgets what is before the end that stays, and moves that. */
  move({ from, segments, shift, before, after, offset }: OriginMove): void {
    this.starts = this.starts.slice(segments).map((start) => start + shift);
    this.segments = this.segments.slice(segments);
    for (const segment of this.segments) {
      if (segment.source !== before) continue;
      segment.source = after;
      segment.offset += offset;
    }
    this.stretches = this.stretches.filter(({ start }) => start >= from);
    for (const stretch of this.stretches) {
      stretch.start += shift;
      stretch.moves++;
    }
  }
}

/** The runs of the output in order, with where each begins. */
export class OriginMap {
  private readonly starts: number[] = [];
  private readonly segments: Segment[] = [];
  private readonly stretches: Stretch[] = [];
  /** The stretch that was asked for last. */
  private current = 0;
  private readonly mainFile: string;

  constructor(mainFile: string) {
    this.mainFile = mainFile;
    this.stretches.push(new Stretch(this, 0));
  }

  get length(): number {
    return this.starts.length;
  }

  /** Adds a run that begins at `start`, behind all others. */
  add(start: number, segment: Segment): void {
    this.starts.push(start);
    this.segments.push(segment);
  }

  /** Lets what is added from now on, at `start`, move without what is before it. */
  divide(start: number): void {
    if (this.stretches.at(-1)?.start !== start) this.stretches.push(new Stretch(this, start));
  }

  /** Forgets all but the first `length` runs, which end at `size`. */
  cut(length: number, size: number): void {
    this.starts.length = length;
    this.segments.length = length;
    while (this.stretches.length > 1 && (this.stretches.at(-1)?.start ?? 0) >= size) this.stretches.pop();
    this.divide(size);
    this.current = 0;
  }

  /** What `cut` forgets. */
  behind(length: number, size: number): OriginTail {
    return new OriginTail(this.starts.slice(length), this.segments.slice(length), this.stretches.filter(({ start }) => start >= size));
  }

  /** Adds an end that was forgotten. */
  append({ starts, segments, stretches }: OriginTail): void {
    const [first] = stretches;
    while (first !== undefined && this.stretches.length > 0 && (this.stretches.at(-1)?.start ?? 0) >= first.start) this.stretches.pop();
    for (const start of starts) this.starts.push(start);
    for (const segment of segments) this.segments.push(segment);
    for (const stretch of stretches) this.stretches.push(stretch);
    this.current = 0;
  }

  /** Lets runs of one text be those of another that begins with the same characters, so that the first can be forgotten. */
  replaceSource(before: SourceText, after: SourceText): void {
    for (const segment of this.segments) if (segment.source === before) segment.source = after;
  }

  /** Lets macros be others that were defined the same, in all runs but the first `from`. */
  replaceMacros(known: ReadonlyMap<Macro, Macro>, from: number): void {
    if (known.size === 0) return;
    for (let index = from; index < this.segments.length; index++) {
      const segment = this.segments[index];
      const macro = segment?.macro === undefined ? undefined : known.get(segment.macro);
      if (segment !== undefined && macro !== undefined) segment.macro = macro;
    }
  }

  /** The origin of `[start, end)`. Most are never asked for, so each is worked out when it is. */
  origin(start: number, end: number): SourceOrigin {
    return new LateOrigin(this.stretchAt(start), start, end);
  }

  private stretchAt(at: number): Stretch {
    const { stretches } = this;
    const current = stretches[this.current];
    const next = stretches[this.current + 1];
    if (current === undefined || at < current.start || (next !== undefined && at >= next.start)) {
      let low = 0;
      for (let high = stretches.length - 1; low < high;) {
        const middle = (low + high + 1) >> 1;
        if ((stretches[middle]?.start ?? 0) <= at) low = middle;
        else high = middle - 1;
      }
      this.current = low;
    }
    return stretches[this.current] ?? new Stretch(this, 0);
  }

  /** The origin of `[start, end)`, worked out now. */
  resolve(start: number, end: number): SourceOrigin {
    const index = lastAtMost(this.starts, start);
    const segment = this.segments[index];
    if (segment === undefined) return { file: this.mainFile, line: 1, column: 1, length: 0 };
    if (segment.useLength !== undefined) return segment.source.origin(segment.offset, segment.useLength, segment.macro?.origin);
    return segment.source.origin(segment.offset + start - (this.starts[index] ?? 0), end - start);
  }

  /** The file that holds an offset, for paths relative to it. */
  fileAt(offset: number): string {
    return this.segments[lastAtMost(this.starts, offset)]?.source.file ?? this.mainFile;
  }
}

/** An origin that looks itself up on first use, and again once it has moved. */
class LateOrigin implements SourceOrigin {
  private readonly stretch: Stretch;
  /** Relative to the stretch. */
  private readonly at: number;
  private readonly size: number;
  private found: { readonly place: SourceOrigin; readonly moves: number } | undefined;

  constructor(stretch: Stretch, start: number, end: number) {
    this.stretch = stretch;
    this.at = start - stretch.start;
    this.size = end - start;
  }

  private get known(): SourceOrigin {
    const { stretch, at, size } = this;
    if (this.found === undefined || this.found.moves !== stretch.moves) {
      const start = stretch.start + at;
      this.found = { place: stretch.map.resolve(start, start + size), moves: stretch.moves };
    }
    return this.found.place;
  }

  get file(): string {
    return this.known.file;
  }

  get line(): number {
    return this.known.line;
  }

  get column(): number {
    return this.known.column;
  }

  get length(): number {
    return this.known.length;
  }

  get definition(): SourceOrigin | undefined {
    return this.known.definition;
  }
}

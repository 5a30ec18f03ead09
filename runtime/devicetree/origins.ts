/**
 * From offsets of preprocessed text back to the files. The map only grows at its end, or is cut there when preprocessing goes back; what
 * was found for an offset before the cut stays true.
 */

import type { Macro } from './macros';
import { lastAtMost, type SourceOrigin, type SourceText } from './source';

/** A run of the output. Copied runs map character by character, expanded ones to the whole use of the macro. */
export interface Segment {
  source: SourceText;
  readonly offset: number;
  /** Length of the macro's use; absent for copied text. */
  readonly useLength?: number;
  readonly macro?: Macro;
}

/** The runs of the output in order, with where each begins. */
export class OriginMap {
  private readonly starts: number[] = [];
  private readonly segments: Segment[] = [];
  private readonly mainFile: string;

  constructor(mainFile: string) {
    this.mainFile = mainFile;
  }

  get length(): number {
    return this.starts.length;
  }

  /** Adds a run that begins at `start`, behind all others. */
  add(start: number, segment: Segment): void {
    this.starts.push(start);
    this.segments.push(segment);
  }

  /** Forgets all but the first `length` runs. */
  cut(length: number): void {
    this.starts.length = length;
    this.segments.length = length;
  }

  /** Lets runs of one text be those of another that begins with the same characters, so that the first can be forgotten. */
  replaceSource(before: SourceText, after: SourceText): void {
    for (const segment of this.segments) if (segment.source === before) segment.source = after;
  }

  /** The origin of `[start, end)`. Most are never asked for, so each is worked out when it is. */
  origin(start: number, end: number): SourceOrigin {
    return new LateOrigin(this, start, end);
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

/** An origin that looks itself up on first use. */
class LateOrigin implements SourceOrigin {
  private readonly map: OriginMap;
  private readonly start: number;
  private readonly end: number;
  private found: SourceOrigin | undefined;

  constructor(map: OriginMap, start: number, end: number) {
    this.map = map;
    this.start = start;
    this.end = end;
  }

  private get known(): SourceOrigin {
    this.found ??= this.map.resolve(this.start, this.end);
    return this.found;
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

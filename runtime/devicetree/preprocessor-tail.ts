/**
 * What a preprocessor had read behind the place where a file has changed. Where reading the new text comes to a state in which it was before, with
 * nothing but unchanged text to come, the rest of the output is what it was: only places have moved. Decides and moves; does not read.
 */

import type { MacroPlace } from './directives';
import type { Macro } from './macros';
import type { OriginTail } from './origins';
import { PREPROCESSED_SIZE_MAX, type Condition, type Frame, type Logs, type Mark } from './preprocessor-state';
import type { DtDiagnostic, SourceText } from './source';

/** The end of a preprocessed text that is that of the text before. */
export interface Rejoined {
  /** Where it begins. */
  readonly from: number;
  /** How much farther back it begins than before. */
  readonly shift: number;
}

/** What a tail is made of: all that was read behind `mark`. */
export interface TailOf {
  /** The file that has changed. */
  readonly path: string;
  readonly before: SourceText;
  readonly after: SourceText;
  /** How many characters both texts end with alike. */
  readonly sameEnd: number;
  /** Where reading begins again. */
  readonly mark: Mark;
  readonly marks: readonly Mark[];
  /** The state at the end. */
  readonly end: Mark;
  readonly text: string;
  readonly origins: OriginTail;
  /** What happened, and problems found, behind `mark`. */
  readonly logs: Logs;
  readonly problems: readonly DtDiagnostic[];
}

/** What is behind a place where the state is as it was, moved to where it is now. */
export interface TailFrom {
  /** Where it began in the output before. */
  readonly size: number;
  readonly marks: readonly Mark[];
  /** The state at its end. */
  readonly end: Mark;
  readonly text: string;
  readonly logs: Logs;
  readonly problems: readonly DtDiagnostic[];
  readonly origins: OriginTail;
  /** Macros that were defined the same again, with those that take their place, in this list of what happened and in runs from this one on. */
  readonly known: ReadonlyMap<Macro, Macro>;
  readonly again: Logs['macroChanges'];
  readonly originsFrom: number;
}

/** Most places that are tried: each costs as much as the state is large. */
const TRIALS_MAX = 300;

/** The old output behind a change. */
export class PreprocessorTail {
  private readonly given: TailOf;
  private readonly shift: number;
  /** Begin of what the old text ends with as the new one does. */
  private readonly from: number;
  /** Marks by file and new position. */
  private readonly places = new Map<string, Map<number, Mark[]>>();
  /** New positions for each file, ascending. */
  private readonly stops = new Map<string, number[]>();
  private trialsLeft = TRIALS_MAX;
  /** How many changes of macros are known to be the same. */
  private agreed = 0;

  constructor(given: TailOf) {
    this.given = given;
    this.shift = given.after.text.length - given.before.text.length;
    this.from = given.before.text.length - given.sameEnd;
    for (const mark of given.marks) this.offer(mark);
    for (const [path, places] of this.places) this.stops.set(path, [...places.keys()].sort((a, b) => a - b));
  }

  private offer(mark: Mark): void {
    const { path, end, mark: { enteredCount } } = this.given;
    const frame = mark.frames.at(-1);
    // What is read of the changed file from its beginning later is not what it was.
    const entersAgain = this.given.logs.entered.indexOf(path, mark.enteredCount - enteredCount) >= 0;
    if (frame === undefined || entersAgain || mark.renumberCount !== end.renumberCount || !mark.frames.every((open) => open.path !== path || open.at > this.from)) return;
    const places = this.places.get(frame.path) ?? new Map<number, Mark[]>();
    this.places.set(frame.path, places);
    const at = this.newPlace(frame);
    places.set(at, [...(places.get(at) ?? []), mark]);
  }

  private newPlace({ path, at }: Frame): number {
    return path === this.given.path ? at + this.shift : at;
  }

  /** The next position in a file, from `at` on, where reading may come together with what was read before. */
  stopFrom(path: string, at: number): number {
    const stops = this.stops.get(path) ?? [];
    let [low, high] = [0, stops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((stops[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return stops[low] ?? Infinity;
  }

  /** True if a place is worth asking `meets` about. */
  isOffered({ path, at }: Frame): boolean {
    return this.trialsLeft > 0 && this.places.get(path)?.has(at) === true;
  }

  /** What follows, if the state is one in which reading was before; `logs` begin at the very beginning. All that follows is moved to its new place. */
  meets(now: Mark, logs: Logs): TailFrom | undefined {
    this.trialsLeft--;
    const frame = now.frames.at(-1);
    const old = frame === undefined ? undefined : this.places.get(frame.path)?.get(frame.at)?.find((mark) => this.isSame(mark, now));
    if (old === undefined || !this.agrees(old, logs)) return undefined;
    const problems = this.movedProblems(old, now);
    if (problems === undefined) return undefined;
    const known = this.movedMacros(old, logs);
    const { mark: since, before, after, marks, origins, logs: all, text, end } = this.given;
    // Moving changes the mark itself.
    const then = { ...old };
    origins.move({ from: then.size, segments: then.originCount - since.originCount, shift: now.size - then.size, before, after, offset: this.shift });
    const rest = marks.slice(marks.indexOf(old));
    for (const mark of [...rest, end]) this.moveMark(mark, then, now);
    const macroCount = then.macroChangeCount - since.macroChangeCount;
    return {
      size: then.size, marks: rest, end, text: text.slice(then.size), problems, origins, known, again: all.macroChanges.slice(0, macroCount), originsFrom: since.originCount,
      logs: {
        macroChanges: all.macroChanges.slice(macroCount), reads: all.reads.slice(then.readCount - since.readCount), entered: all.entered.slice(then.enteredCount - since.enteredCount),
        once: all.once.slice(then.onceCount - since.onceCount),
      },
    };
  }

  private isSame(old: Mark, now: Mark): boolean {
    const { path, before, after, text, end } = this.given;
    const left = { tokens: now.expander.tokensLeft - old.expander.tokensLeft, characters: now.expander.charactersLeft - old.expander.charactersLeft };
    return old.macroChangeCount === now.macroChangeCount && old.readCount === now.readCount && old.enteredCount === now.enteredCount && old.onceCount === now.onceCount && old.fileCount === now.fileCount
      && old.includeCount === now.includeCount && old.missing === now.missing && old.openCalls === now.openCalls && old.renumberCount === now.renumberCount && old.expander.openCalls === now.expander.openCalls
      && !now.expander.exhausted && end.expander.tokensLeft + left.tokens >= 0 && end.expander.charactersLeft + left.characters >= 0
      && old.frames.length === now.frames.length && old.frames.every((frame, index) => {
        const other = now.frames[index];
        return other?.path === frame.path && other.at === this.newPlace(frame) && other.isLineStart === frame.isLineStart && other.depth === frame.depth && areSame(frame.conditions, other.conditions)
          && (frame.path === path ? frame.source === before && other.source === after : frame.source === other.source);
      }) && (old.size === 0) === (now.size === 0) && now.size + text.length - old.size < PREPROCESSED_SIZE_MAX;
  }

  /** True if what happened since the mark is what happened then. */
  private agrees(old: Mark, logs: Logs): boolean {
    const { mark, logs: then } = this.given;
    for (let index = 0; index < old.readCount - mark.readCount; index++) if (then.reads[index]?.path !== logs.reads[mark.readCount + index]?.path) return false;
    for (let index = 0; index < old.enteredCount - mark.enteredCount; index++) if (then.entered[index] !== logs.entered[mark.enteredCount + index]) return false;
    for (let index = 0; index < old.onceCount - mark.onceCount; index++) if (then.once[index] !== logs.once[mark.onceCount + index]) return false;
    for (; this.agreed < old.macroChangeCount - mark.macroChangeCount; this.agreed++) {
      const [one, other] = [then.macroChanges[this.agreed], logs.macroChanges[mark.macroChangeCount + this.agreed]];
      if (one?.name !== other?.name || !areSameMacros(one?.after, other?.after)) {
        // What differs once differs for good.
        this.trialsLeft = 0;
        return false;
      }
    }
    return true;
  }

  /** Lets macros that were defined again be those that were defined then, which the rest of the text knows; macros behind are moved. */
  private movedMacros(old: Mark, logs: Logs): ReadonlyMap<Macro, Macro> {
    const { mark, before, after, logs: then } = this.given;
    const known = new Map<Macro, Macro>();
    for (const [index, { after: macro }] of then.macroChanges.entries()) {
      const place = macro?.place;
      if (macro === undefined || place === undefined) continue;
      const again = index < old.macroChangeCount - mark.macroChangeCount ? logs.macroChanges[mark.macroChangeCount + index]?.after : undefined;
      if (again?.place !== undefined) {
        Object.assign(place, again.place);
        known.set(again, macro);
      } else if (place.source === before) movePlace(place, after, this.shift);
    }
    return known;
  }

  /** The problems behind a mark where they are now; `undefined` if one may be about a place in what has changed. */
  private movedProblems(old: Mark, now: Mark): readonly DtDiagnostic[] | undefined {
    const { path, mark, before, after, problems } = this.given;
    const open = old.frames.findIndex((frame) => frame.path === path);
    const lineIn = (source: SourceText, at: number | undefined): number => (at === undefined ? Infinity : source.origin(at, 0).line);
    const from = lineIn(before, old.frames[open]?.at);
    const lines = lineIn(after, now.frames[open]?.at) - from;
    const moved: DtDiagnostic[] = [];
    for (const problem of problems.slice(old.problemCount - mark.problemCount)) {
      const isThere = problem.file === path;
      if (problem.definition?.file === path || (isThere && (problem.line === undefined || problem.line < from))) return undefined;
      moved.push(isThere && problem.line !== undefined ? { ...problem, line: problem.line + lines } : problem);
    }
    return moved;
  }

  private moveMark(mark: Mark, old: Mark, now: Mark): void {
    mark.size += now.size - old.size;
    mark.originCount += now.originCount - old.originCount;
    mark.problemCount += now.problemCount - old.problemCount;
    const { tokensLeft, charactersLeft } = mark.expander;
    mark.expander = { ...mark.expander, tokensLeft: tokensLeft + now.expander.tokensLeft - old.expander.tokensLeft, charactersLeft: charactersLeft + now.expander.charactersLeft - old.expander.charactersLeft };
    for (const [index, frame] of mark.frames.entries()) if (frame.path === this.given.path) this.moveFrame(frame, now.frames[index]?.conditions ?? []);
  }

  private moveFrame(frame: Frame, opened: readonly Condition[]): void {
    frame.at += this.shift;
    frame.source = this.given.after;
    for (const [index, condition] of frame.conditions.entries()) {
      condition.source = this.given.after;
      // Those that were open before stand where they are written now.
      condition.at = condition.at >= this.from ? condition.at + this.shift : (opened[index]?.at ?? condition.at);
    }
  }
}

function areSame(a: readonly Condition[], b: readonly Condition[]): boolean {
  return a.length === b.length && a.every(({ active, done, sawElse }, index) => active === b[index]?.active && done === b[index].done && sawElse === b[index].sawElse);
}

function areSameMacros(a: Macro | undefined, b: Macro | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.variadic === b.variadic && a.parameters?.join() === b.parameters?.join() && (a.parameters === undefined) === (b.parameters === undefined) && a.text !== undefined && a.text === b.text;
}

/** Lets a macro be defined in another text, so much farther back. */
export function movePlace(place: MacroPlace, after: SourceText, shift: number): void {
  if (place.text === place.source.text) {
    place.text = after.text;
    place.from += shift;
    place.to += shift;
  }
  place.source = after;
  place.nameAt += shift;
}

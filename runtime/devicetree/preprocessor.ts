/**
 * The C preprocessor as device trees use it, plus dtc's own /include/. The result is one text for the lexer, and a map
 * from its offsets back to the files. Text that no macro touches is copied as it is, so dtc's rules for cutting tokens
 * apply to it unchanged. Not a general C preprocessor: no #pragma beyond `once`, no __LINE__, no trigraphs.
 */

import { conditionHolds } from './conditions';
import { beginsSmall, directiveBody, isInNumber, literalEnd, makeMacro, skipLine, type DirectiveLine, type MacroPlace } from './directives';
import { searchPath } from './include-path';
import { Expander, melts, spell, tokenize, type Macro, type PpToken } from './macros';
import { OriginMap, type Segment } from './origins';
import { copyFrame, PREPROCESSED_SIZE_MAX, sameEndLength, sameLength, type Change, type Expansion, type Frame, type KnownExpansion, type Logs, type Mark, type MissingFiles } from './preprocessor-state';
import { movePlace, PreprocessorTail, type Rejoined } from './preprocessor-tail';
import { DiagnosticList, findLastIndex, SourceText, type SourceOrigin } from './source';

/** Files by path, as the host has them. Paths are opaque here but for `/` between folders. */
export interface DtsFiles {
  /** The text of a file; `undefined` if there is none. */
  readText(path: string): string | undefined;
  /** The bytes of a file for /incbin/; `undefined` if there is none. */
  readBytes?(path: string): Uint8Array | undefined;
}

/** How to preprocess. */
export interface PreprocessOptions {
  readonly files?: DtsFiles;
  /** Folders searched for included files, after the including file's own for quoted names. */
  readonly includePaths?: readonly string[];
  /** Macros defined from the start, beside `__DTS__`. */
  readonly defines?: Readonly<Record<string, string>>;
}

/** Deepest nesting of included files. */
export const INCLUDE_DEPTH_MAX = 100;
/** Most files included, counting repetitions. */
export const INCLUDE_COUNT_MAX = 20_000;

const DIRECTIVE = /[ \t]*#[ \t]*(?:(define|undef|include|ifdef|ifndef|if|elifdef|elifndef|elif|else|endif|error|warning|line|pragma)(?![\w,.+*#?@-])|(?=\d)|(?=[ \t]*\r?\n))/y;
const DEFINE = /[ \t]*#[ \t]*define[ \t]+/y;
const MACRO_NAME = /[A-Za-z_$][\w$]*/y;
/** What follows the name where a line is plainly a macro without parameters, as most lines of headers are. */
const PLAIN_BODY = /[ \t]+[^\n"'/]*\n/y;
const NEXT_DIRECTIVE = String.raw`\n(?=[ \t]*#[ \t]*(?:(?:define|undef|include|ifdef|ifndef|if|elifdef|elifndef|elif|else|endif|error|warning|line|pragma)(?![\w,.+*#?@-])|\d|[ \t]*\r?\n))`;
const INTERESTING = new RegExp(String.raw`\/\*|\/\/|"|'|[A-Za-z_$][\w$]*|\.?\d[\w.]*|${NEXT_DIRECTIVE}|\/include\/`, 'g');
/** The same while no macro begins with a small letter: names that do are passed over. */
const INTERESTING_CAPITALS = new RegExp(String.raw`\/\*|\/\/|"|'|(?<![\w$])[A-Z_$][\w$]*|${NEXT_DIRECTIVE}|\/include\/`, 'g');
/** About this many characters are copied before a place is offered to come back to. */
const BATCH_SIZE = 1500;
const CALL = /(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*\(/y;
const OPEN_CALLS_MAX = 100;
/** Lines between two places to which preprocessing can go back. */
const MARK_DISTANCE = 40;
/** What counts as a line where many are copied at once, in characters. */
const LINE_SIZE = 32;
/** Files and conditions within each other that are still remembered. */
const MARKED_DEPTH_MAX = 12;

/** The preprocessed text and where it came from. */
export interface PreprocessedText {
  readonly text: string;
  /** Paths of all files read, the main one first, each once. */
  readonly files: readonly string[];
  /** What the included files that were not found may hold: headers define macros, other files labels too. */
  readonly missing: MissingFiles;
  readonly origins: OriginMap;
  /** What of its end is as it was before, if that is known. */
  readonly rejoined: Rejoined | undefined;
}

/** Preprocesses `text` of the file `file`. */
export function preprocess(text: string, file: string, options: PreprocessOptions & { readonly problems: DiagnosticList }): PreprocessedText {
  return new Preprocessor(text, file, options).run();
}

/** Preprocesses one file with all that it includes, and again from where something has changed. */
export class Preprocessor {
  private options: PreprocessOptions;
  private readonly problems: DiagnosticList;
  private readonly macros = new Map<string, Macro>();
  private readonly expander: Expander;
  private readonly expansions = new Map<Macro, KnownExpansion>();
  private readonly frames: Frame[] = [];
  /** Files that were entered: one that is included again and again is looked through for line ends once. */
  private readonly sources = new Map<string, { readonly text: string; readonly source: SourceText }>();
  private readonly marks: Mark[] = [];
  /** The output: what was put together, and what follows that. */
  private joined = '';
  private parts: string[] = [];
  private size = 0;
  private readonly origins: OriginMap;
  private readonly logs: Logs = { macroChanges: [], reads: [], entered: [], once: [] };
  private readonly files = new Map<string, string>();
  private includeCount = 0;
  private missing: MissingFiles = 'none';
  private openCalls = 0;
  private renumberCount = 0;
  /** What was read before behind the change that is being read. */
  private tail: PreprocessorTail | undefined;
  private rejoined: Rejoined | undefined;
  /** True once a macro was defined that begins with a small letter. */
  private hasSmallMacros = false;
  private linesSinceMark = 0;
  /** True if the line read last looked at what follows it. */
  private lookedAhead = false;
  private where: () => SourceOrigin = () => ({ file: '', line: 1, column: 1, length: 0 });

  constructor(text: string, file: string, options: PreprocessOptions & { readonly problems: DiagnosticList }) {
    this.options = options;
    this.problems = options.problems;
    this.origins = new OriginMap(file);
    this.expander = new Expander(this.macros, (code, blanks) => { this.problems.add(code, this.where(), blanks); });
    for (const [name, body] of Object.entries({ __DTS__: '1', ...options.defines })) {
      this.hasSmallMacros ||= beginsSmall(name);
      this.macros.set(name, { name, variadic: false, body: tokenize(body), origin: { file: '<defines>', line: 1, column: 1, length: 0 } });
    }
    this.logs.reads.push({ path: file, text });
    this.files.set(file, text);
    this.enter(file, text, 0);
    // The very beginning is a place to go back to as well: what follows an edit of the first lines can be taken over.
    this.marks.push(this.state());
  }

  /** Reads on to the end. */
  run(): PreprocessedText {
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      if (this.tail?.isOffered(frame) === true && this.rejoin(this.tail)) break;
      if (frame.at >= frame.source.text.length || this.size >= PREPROCESSED_SIZE_MAX) this.leave(frame);
      else this.line(frame);
    }
    this.tail = undefined;
    this.joined += this.parts.join('');
    this.parts = [];
    return { text: this.joined, files: [...this.files.keys()], missing: this.missing, origins: this.origins, rejoined: this.rejoined };
  }

  /**
   * Goes back to before the first thing that is not any more as it was read: `text` is that of the main file now. Gives the size of the output that
   * stays, or `undefined` if there is no such place; then this object is of no more use.
   */
  goBack(text: string, options: PreprocessOptions): number | undefined {
    this.options = options;
    const { changes, readsSame } = this.findChanges(text);
    const index = findLastIndex(this.marks, (mark) => mark.readCount <= readsSame && [...changes].every(([path, change]) => this.staysTrue(mark, path, change)));
    const mark = this.marks[index];
    if (mark === undefined) return undefined;
    const tail = readsSame < this.logs.reads.length ? undefined : this.tailBehind(index, mark, changes);
    this.marks.length = index + 1;
    this.restore(mark);
    for (const [path, change] of changes) this.adopt(path, change);
    this.tail = tail;
    return mark.size;
  }

  /** What was read behind a mark, if it can be of use once one file has changed. */
  private tailBehind(index: number, mark: Mark, changes: ReadonlyMap<string, Change>): PreprocessorTail | undefined {
    const [changed, ...others] = changes;
    const problems = this.problems.behind(mark.problemCount);
    const end = this.state();
    if (changed === undefined || others.length > 0 || problems === undefined || end.expander.exhausted || end.size >= PREPROCESSED_SIZE_MAX) return undefined;
    const [path, { source: after, same }] = changed;
    const before = this.sources.get(path)?.source;
    if (before === undefined) return undefined;
    const { macroChanges, reads, entered, once } = this.logs;
    const logs: Logs = { macroChanges: macroChanges.slice(mark.macroChangeCount), reads: reads.slice(mark.readCount), entered: entered.slice(mark.enteredCount), once: once.slice(mark.onceCount) };
    const sameEnd = sameEndLength(before.text, after.text, same);
    return new PreprocessorTail({ path, before, after, sameEnd, mark, marks: this.marks.slice(index + 1), end, text: this.joined, origins: this.origins.behind(mark.originCount, mark.size), logs, problems });
  }

  /** Takes over what was read before from here to the end, if there was a place like this. */
  private rejoin(tail: PreprocessorTail): boolean {
    const now = this.state();
    const found = this.lookedAhead ? undefined : tail.meets(now, this.logs);
    if (found === undefined) return false;
    const { macroChanges, reads, entered, once } = this.logs;
    for (const [again, macro] of found.known) if (this.macros.get(macro.name) === again) this.macros.set(macro.name, macro);
    macroChanges.length -= found.again.length;
    for (const change of found.again) macroChanges.push(change);
    for (const change of found.logs.macroChanges) {
      this.putMacro(change.name, change.after);
      macroChanges.push(change);
    }
    for (const read of found.logs.reads) {
      if (read.text !== undefined) this.files.set(read.path, read.text);
      reads.push(read);
    }
    for (const path of found.logs.entered) entered.push(path);
    for (const path of found.logs.once) once.push(path);
    for (const mark of found.marks) this.marks.push(mark);
    this.origins.replaceMacros(found.known, found.originsFrom);
    this.origins.append(found.origins);
    this.parts.push(found.text);
    this.size += found.text.length;
    this.problems.append(found.problems);
    ({ includeCount: this.includeCount, missing: this.missing, openCalls: this.openCalls } = found.end);
    this.expander.restore(found.end.expander);
    this.frames.length = 0;
    this.rejoined = { from: now.size, shift: now.size - found.size };
    return true;
  }

  private findChanges(text: string): { readonly changes: ReadonlyMap<string, Change>; readonly readsSame: number } {
    const changes = new Map<string, Change>();
    const { reads } = this.logs;
    for (const [index, read] of reads.entries()) {
      const now = index === 0 ? text : this.options.files?.readText(read.path);
      if (now === read.text) continue;
      if (now === undefined || read.text === undefined) return { changes, readsSame: index };
      const source = new SourceText(read.path, now);
      changes.set(read.path, { source, text: now, same: sameLength(read.text, now) });
    }
    return { changes, readsSame: reads.length };
  }

  private staysTrue(mark: Mark, path: string, { same }: Change): boolean {
    const open = mark.frames.filter((frame) => frame.path === path);
    let enteredCount = 0;
    for (let index = 0; index < mark.enteredCount; index++) if (this.logs.entered[index] === path) enteredCount++;
    return enteredCount === open.length && open.every(({ at }) => at <= same);
  }

  private restore(mark: Mark): void {
    const { macroChanges, reads, entered, once } = this.logs;
    for (let change = macroChanges.length; change > mark.macroChangeCount; change--) {
      const undone = macroChanges.pop();
      if (undone !== undefined) this.putMacro(undone.name, undone.before);
    }
    this.frames.splice(0, this.frames.length, ...mark.frames.map(copyFrame));
    this.joined = this.joined.slice(0, mark.size);
    this.parts = [];
    this.size = mark.size;
    this.origins.cut(mark.originCount, mark.size);
    reads.length = mark.readCount;
    entered.length = mark.enteredCount;
    for (const path of [...this.files.keys()].slice(mark.fileCount)) this.files.delete(path);
    once.length = mark.onceCount;
    this.problems.cut(mark.problemCount);
    this.includeCount = mark.includeCount;
    this.missing = mark.missing;
    this.openCalls = mark.openCalls;
    this.renumberCount = mark.renumberCount;
    this.rejoined = undefined;
    this.expander.restore(mark.expander);
    this.expansions.clear();
    this.linesSinceMark = 0;
    this.lookedAhead = false;
  }

  /** Takes the new text of a file that is still open. */
  private adopt(path: string, { source, text }: Change): void {
    this.sources.set(path, { text, source });
    if (!this.files.has(path)) return;
    this.files.set(path, text);
    for (const [index, read] of this.logs.reads.entries()) if (read.path === path) this.logs.reads[index] = { path, text };
    const before = this.frames.find((frame) => frame.path === path)?.source;
    if (before === undefined) return;
    this.origins.replaceSource(before, source);
    for (const frame of [...this.frames, ...this.marks.flatMap(({ frames }) => frames)]) {
      if (frame.source === before) frame.source = source;
      for (const condition of frame.conditions) if (condition.source === before) condition.source = source;
    }
    for (const { after } of this.logs.macroChanges) if (after?.place?.source === before) movePlace(after.place, source, 0);
  }

  private enter(path: string, text: string, depth: number): void {
    this.logs.entered.push(path);
    const known = this.sources.get(path);
    const source = known?.text === text ? known.source : new SourceText(path, text);
    this.sources.set(path, { text, source });
    this.frames.push({ path, source, conditions: [], depth, at: 0, isLineStart: true });
  }

  private leave({ source, at, conditions }: Frame): void {
    if (this.size >= PREPROCESSED_SIZE_MAX) this.problems.add('dts-too-large', source.origin(at, 0), { limit: `${String(PREPROCESSED_SIZE_MAX)} characters` });
    for (const condition of conditions) this.problems.add('cpp-unbalanced', condition.source.origin(condition.at, condition.length), { name: 'if', other: 'endif' });
    this.emit('\n', { source, offset: source.text.length });
    this.frames.pop();
    // What follows an include is the best place to come back to.
    this.linesSinceMark = MARK_DISTANCE;
  }

  private line(frame: Frame): void {
    const { at: start } = frame;
    if (this.linesSinceMark >= MARK_DISTANCE) this.mark(frame);
    this.lookedAhead = false;
    const end = frame.isLineStart ? this.directive(frame, start) : undefined;
    const next = end ?? (this.skipping(frame) ? skipLine(frame.source.text, start) : this.copyLines(frame, start));
    this.linesSinceMark += 1 + Math.floor((next - start) / LINE_SIZE);
    // The line may have ended the whole file.
    frame.at = Math.max(frame.at, next);
  }

  /** Remembers the place, if nothing behind it was needed to get here. */
  private mark(frame: Frame): void {
    const isPlain = frame.at > 0 && frame.source.text.charAt(frame.at - 1) === '\n' && !this.lookedAhead && this.frames.length <= MARKED_DEPTH_MAX
      && this.frames.every(({ isLineStart, source, conditions }) => isLineStart && !source.isRenumbered && conditions.length <= MARKED_DEPTH_MAX);
    if (!isPlain) return;
    this.linesSinceMark = 0;
    this.origins.divide(this.size);
    this.marks.push(this.state());
  }

  private state(): Mark {
    const { macroChanges, reads, entered, once } = this.logs;
    return {
      frames: this.frames.map(copyFrame), size: this.size, originCount: this.origins.length, macroChangeCount: macroChanges.length, readCount: reads.length, enteredCount: entered.length, fileCount: this.files.size,
      onceCount: once.length, problemCount: this.problems.count, includeCount: this.includeCount, renumberCount: this.renumberCount, missing: this.missing, openCalls: this.openCalls, expander: this.expander.save(),
    };
  }

  private setMacro(name: string, macro: Macro | undefined): void {
    this.logs.macroChanges.push({ name, before: this.macros.get(name), after: macro });
    this.putMacro(name, macro);
  }

  private putMacro(name: string, macro: Macro | undefined): void {
    this.hasSmallMacros ||= beginsSmall(name);
    if (macro === undefined) this.macros.delete(name);
    else this.macros.set(name, macro);
  }

  private skipping(frame: Frame): boolean {
    // Conditions inside skipped text never become active, so the innermost one decides.
    return frame.conditions[frame.conditions.length - 1]?.active === false;
  }

  private emit(text: string, segment: Segment): void {
    if (text === '') return;
    this.origins.add(this.size, segment);
    this.parts.push(text);
    this.size += text.length;
  }

  /** Copies from a line's start to the start of a directive's line, or of another line if that is far (comments and calls may cross lines), expanding macros. */
  private copyLines(frame: Frame, start: number): number {
    const { source } = frame;
    const { text } = source;
    const interesting = this.hasSmallMacros ? INTERESTING : INTERESTING_CAPITALS;
    let copied = start;
    let plain = start;
    let stop = this.tail?.stopFrom(frame.path, start + 1) ?? Infinity;
    const flush = (end: number) => { this.emit(text.slice(copied, end), { source, offset: copied }); };
    interesting.lastIndex = start;
    for (let match = interesting.exec(text); match !== null; match = interesting.exec(text)) {
      const at = match.index;
      const [found] = match;
      let end = at + found.length;
      // Between `plain` and here there is nothing but text to be copied, so each line in it can be the last.
      // Only that is searched, for a line may be as long as the file.
      if (stop < plain) stop = this.tail?.stopFrom(frame.path, plain) ?? Infinity;
      const lineEnd = stop <= at ? stop : found === '\n' ? end : at - start > BATCH_SIZE ? plain + text.slice(plain, at).lastIndexOf('\n') + 1 : 0;
      if (lineEnd > plain) {
        flush(lineEnd);
        frame.isLineStart = true;
        return lineEnd;
      }
      if (found === '/include/') {
        const name = /\s*"([^"\n]*)"/y;
        name.lastIndex = end;
        const quoted = name.exec(text);
        if (quoted === null) this.lookedAhead = true;
        else {
          flush(at);
          frame.isLineStart = false;
          this.include(frame, quoted[1] ?? '', { at, length: name.lastIndex - at, quoted: true });
          return name.lastIndex;
        }
      } else if (/^[/"']/.test(found)) end = literalEnd(text, at, found);
      else if (this.macros.has(found) && !isInNumber(text, at)) {
        const use = this.use(frame, at, found);
        if (use !== undefined) {
          flush(at);
          this.emitExpansion(use, frame.source, at);
          copied = end = use.end;
        }
      }
      interesting.lastIndex = plain = end;
    }
    if (stop < plain) stop = this.tail?.stopFrom(frame.path, plain) ?? Infinity;
    const end = Math.min(stop, text.length);
    flush(end);
    frame.isLineStart = true;
    return end;
  }

  private emitExpansion({ text, end, macro }: Expansion, source: SourceText, at: number): void {
    const last = this.parts.at(-1) ?? this.joined;
    const before = melts(last, text) ? ' ' : '';
    const after = melts(text, source.text.charAt(end)) ? ' ' : '';
    this.emit(before + text + after, { source, offset: at, useLength: end - at, macro });
  }

  /** What the macro used at `at` becomes; `undefined` if it does not apply. Most are constants that are used again and again. */
  private use(frame: Frame, at: number, name: string): Expansion | undefined {
    const macro = this.macros.get(name);
    if (macro === undefined) return undefined;
    const known = this.expansions.get(macro);
    if (known?.macroChangeCount === this.logs.macroChanges.length && this.expander.spend(known.cost)) return { text: known.text, end: at + name.length, macro };
    const before = this.expander.save();
    const { count: problemCount } = this.problems;
    const made = this.expandUse(frame.source, at, macro);
    if (made === undefined) return undefined;
    const text = spell(made.tokens).trim();
    const cost = this.expander.costSince(before);
    const isPlain = macro.parameters === undefined && made.end === at + name.length && !this.lookedAhead && this.problems.count === problemCount;
    if (isPlain && cost !== undefined) this.expansions.set(macro, { text, cost, macroChangeCount: this.logs.macroChanges.length });
    return { text, end: made.end, macro };
  }

  /** Expands a macro used at `at`, taking arguments from the text behind as needed; `undefined` if it does not apply. */
  private expandUse(source: SourceText, at: number, macro: Macro): { tokens: readonly PpToken[]; end: number } | undefined {
    let end = at + macro.name.length;
    this.where = () => source.origin(at, end - at);
    let pending: PpToken[] = [{ kind: 'identifier', text: macro.name, space: false }];
    const done: PpToken[] = [];
    for (;;) {
      const head = this.expander.applicable(pending[pending.length - 1]);
      if (head?.parameters !== undefined) {
        // A function-like name, alone or last in an expansion: its call may stand in the text that follows.
        const call = this.callText(source.text, end);
        if (call === undefined) this.lookedAhead = true;
        if (call === undefined) return done.length + pending.length === 1 && head === macro ? undefined : { tokens: [...done, ...pending], end };
        end = call;
        for (const token of tokenize(source.text.slice(end - this.callLength, end))) pending.push(token);
      } else if (head === undefined) return { tokens: [...done, ...pending], end };
      const expanded = this.expander.expand(pending);
      const last = expanded[expanded.length - 1];
      if (last === undefined || this.expander.applicable(last)?.parameters === undefined) return { tokens: [...done, ...expanded], end };
      for (const token of expanded.slice(0, -1)) done.push(token);
      pending = [last];
    }
  }

  private callLength = 0;

  /** The end of `( … )` behind `from`; sets `callLength` to the size with the blanks before it. */
  private callText(text: string, from: number): number | undefined {
    CALL.lastIndex = from;
    if (this.openCalls > OPEN_CALLS_MAX || !CALL.test(text)) return undefined;
    let depth = 1;
    const scan = /\/\*|\/\/|"|'|\(|\)/g;
    scan.lastIndex = CALL.lastIndex;
    for (let match = scan.exec(text); match !== null; match = scan.exec(text)) {
      if (match[0] === '(') depth++;
      else if (match[0] === ')') depth--;
      else scan.lastIndex = literalEnd(text, match.index, match[0]);
      if (depth > 0) continue;
      this.callLength = match.index + 1 - from;
      return match.index + 1;
    }
    this.openCalls++;
    this.problems.add('cpp-macro-unterminated', this.where(), { name: text.slice(Math.max(0, from - 40), from).replace(/^.*[^\w$]/s, '') });
    return undefined;
  }

  /** Obeys the directive at a line's start; gives the start of the next line, or `undefined` if there is none. */
  private directive(frame: Frame, start: number): number | undefined {
    const { text } = frame.source;
    const plain = this.plainDefine(frame, start);
    if (plain !== undefined) return plain;
    DIRECTIVE.lastIndex = start;
    const match = DIRECTIVE.exec(text);
    if (match === null) return undefined;
    const { body, end } = directiveBody(text, DIRECTIVE.lastIndex);
    const name = match[1] ?? 'line';
    const line = { name, body, at: start + match[0].indexOf('#'), bodyAt: DIRECTIVE.lastIndex, end };
    if (name.startsWith('if') || name.startsWith('el') || name === 'endif') this.conditional(frame, line);
    // A lone # does nothing.
    else if (!this.skipping(frame) && (match[1] !== undefined || body.trim() !== '')) this.obey(frame, line);
    return end;
  }

  private conditional(frame: Frame, { name, body, at }: DirectiveLine): void {
    const { conditions, source } = frame;
    const origin = (): SourceOrigin => source.origin(at, name.length + 1);
    if (name.startsWith('if')) {
      const outside = this.skipping(frame);
      const active = !outside && this.holds(name.slice(2), body, origin);
      conditions.push({ active, done: outside || active, sawElse: false, source, at, length: name.length + 1 });
      return;
    }
    const current = conditions[conditions.length - 1];
    if (current === undefined || (current.sawElse && name !== 'endif')) this.problems.add('cpp-unbalanced', origin(), { name, other: 'if' });
    else if (name === 'endif') conditions.pop();
    else {
      current.active = !current.done && (name === 'else' || this.holds(name.slice(4), body, origin));
      current.done ||= current.active;
      current.sawElse = name === 'else';
    }
  }

  private holds(kind: string, body: string, origin: () => SourceOrigin): boolean {
    this.where = origin;
    if (kind === '') return conditionHolds(body, this.expander, (reason) => { this.problems.add('cpp-bad-expression', origin(), { reason }); });
    const name = /^\s*([A-Za-z_$][\w$]*)/.exec(body)?.[1];
    if (name === undefined) this.problems.add('cpp-bad-directive', origin(), { name: `if${kind}`, reason: 'a name is missing' });
    return name !== undefined && this.macros.has(name) === (kind === 'def');
  }

  private obey(frame: Frame, line: DirectiveLine & { readonly end: number }): void {
    const origin = (): SourceOrigin => frame.source.origin(line.at, line.name.length + 1);
    const text = line.body.trim();
    switch (line.name) {
      case 'define': this.define(frame.source, line); break;
      case 'undef': this.setMacro(text, undefined); break;
      case 'include': this.includeDirective(frame, line); break;
      case 'error': this.problems.add('cpp-error', origin(), { text }); break;
      case 'warning': this.problems.add('cpp-warning', origin(), { text }); break;
      case 'pragma':
        if (text === 'once') this.logs.once.push(frame.source.file);
        break;
      default: this.renumber(frame, text, line.end);
    }
  }

  /** `#line N "file"` and the `# N "file"` lines that preprocessors leave. */
  private renumber(frame: Frame, text: string, end: number): void {
    const match = /^(\d{1,9})(?![^\s])(?:\s+"([^"]*)")?/.exec(text);
    if (match === null) return;
    this.renumberCount++;
    frame.source = frame.source.renumbered(match[2] ?? frame.source.file, Number(match[1]), end);
  }

  /** Obeys a line that is plainly a macro without parameters; gives the start of the next line, or `undefined` if it is none. */
  private plainDefine(frame: Frame, start: number): number | undefined {
    const { source } = frame;
    const { text } = source;
    DEFINE.lastIndex = start;
    if (!DEFINE.test(text)) return undefined;
    const nameAt = MACRO_NAME.lastIndex = DEFINE.lastIndex;
    if (!MACRO_NAME.test(text)) return undefined;
    const from = PLAIN_BODY.lastIndex = MACRO_NAME.lastIndex;
    if (!PLAIN_BODY.test(text)) return undefined;
    const to = PLAIN_BODY.lastIndex;
    if (!this.skipping(frame)) this.addMacro(text.slice(nameAt, from), undefined, { source, nameAt, text, from, to });
    return to;
  }

  private define(source: SourceText, { body, at, bodyAt }: DirectiveLine): void {
    const match = /^\s*([A-Za-z_$][\w$]*)(\(([^)]*)\))?/.exec(body);
    const name = match?.[1];
    if (match === null || name === undefined) {
      this.problems.add('cpp-bad-directive', source.origin(at, 7), { name: 'define', reason: 'a name is missing' });
      return;
    }
    const list = match[2] === undefined ? undefined : (match[3] ?? '').split(',').map((parameter) => parameter.trim());
    this.addMacro(name, list, { source, nameAt: bodyAt + body.indexOf(name), text: body, from: match[0].length, to: body.length });
  }

  private addMacro(name: string, list: readonly string[] | undefined, place: MacroPlace): void {
    const macro = makeMacro(name, list, place);
    const before = this.macros.get(name);
    if (macro === undefined) this.problems.add('cpp-bad-directive', place.source.origin(place.nameAt, name.length), { name: 'define', reason: 'its parameters are malformed' });
    else if (before !== undefined && spell(before.body) !== spell(macro.body)) this.problems.add('cpp-macro-redefined', macro.origin, { name });
    if (macro !== undefined) this.setMacro(name, macro);
  }

  private includeDirective(frame: Frame, { body, at, bodyAt }: DirectiveLine): void {
    const direct = /^\s*(?:"([^"\n]*)"|<([^>\n]*)>)/;
    this.where = () => frame.source.origin(at, 8);
    const match = direct.exec(body) ?? direct.exec(spell(this.expander.expand(tokenize(body))));
    const name = match?.[1] ?? match?.[2];
    if (name === undefined) this.problems.add('cpp-bad-directive', frame.source.origin(at, 8), { name: 'include', reason: 'it needs "file" or <file>' });
    else this.include(frame, name, { at: bodyAt + body.length - body.trimStart().length, length: body.trim().length, quoted: match?.[1] !== undefined });
  }

  private include(frame: Frame, name: string, use: { readonly at: number; readonly length: number; readonly quoted: boolean }): void {
    const origin = frame.source.origin(use.at, use.length);
    if (frame.depth >= INCLUDE_DEPTH_MAX || ++this.includeCount > INCLUDE_COUNT_MAX) {
      this.problems.add('cpp-include-depth', origin, { limit: INCLUDE_DEPTH_MAX });
      this.endLoop();
      return;
    }
    const found = searchPath(name, use.quoted ? frame.source.file : undefined, this.options.includePaths ?? [], (path) => this.read(path));
    if (found === undefined) {
      this.problems.add('cpp-include-not-found', origin, { name });
      if (this.missing !== 'sources') this.missing = name.endsWith('.h') ? 'headers' : 'sources';
    } else if (!this.logs.once.includes(found.path)) this.enter(found.path, found.found, frame.depth + 1);
  }

  /** Reads no more of files that are open within themselves: each of their lines would lead as deep again. */
  private endLoop(): void {
    const seen = new Set<string>();
    for (const frame of this.frames) {
      if (seen.has(frame.path)) {
        frame.at = frame.source.text.length;
        frame.conditions.length = 0;
      }
      seen.add(frame.path);
    }
  }

  private read(path: string): string | undefined {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const text = this.options.files?.readText(path);
    this.logs.reads.push({ path, text });
    if (text !== undefined) this.files.set(path, text);
    return text;
  }
}

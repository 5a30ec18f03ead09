/**
 * The C preprocessor as device trees use it, plus dtc's own /include/. The result is one text for the lexer, and a map
 * from its offsets back to the files. Text that no macro touches is copied as it is, so dtc's rules for cutting tokens
 * apply to it unchanged. Not a general C preprocessor: no #pragma beyond `once`, no __LINE__, no trigraphs.
 */

import { conditionHolds } from './conditions';
import { Expander, melts, spell, tokenize, type Macro, type PpToken } from './macros';
import { DiagnosticList, lastAtMost, SourceText, type SourceOrigin } from './source';

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
/** Largest preprocessed text, in characters. */
export const PREPROCESSED_SIZE_MAX = 64 * 1024 * 1024;
/** Most files included, counting repetitions. */
export const INCLUDE_COUNT_MAX = 20_000;

const DIRECTIVE = /[ \t]*#[ \t]*(?:(define|undef|include|ifdef|ifndef|if|elifdef|elifndef|elif|else|endif|error|warning|line|pragma)(?![\w,.+*#?@-])|(?=\d))/y;
const INTERESTING = /\/\*|\/\/|"|'|[A-Za-z_$][\w$]*|\.?\d[\w.]*|\n|\/include\//g;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
const CHARACTER = /'(?:[^'\\\n]|\\.)*'/y;
const CALL = /(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*\(/y;
const OPEN_CALLS_MAX = 100;

/** A run of the output. Copied runs map character by character, expanded ones to the whole use of the macro. */
interface Segment {
  readonly source: SourceText;
  readonly offset: number;
  /** Length of the macro's use; absent for copied text. */
  readonly useLength?: number;
  readonly macro?: Macro;
}

/** The preprocessed text and where it came from. */
export class PreprocessedText {
  readonly text: string;
  /** Paths of all files read, the main one first, each once. */
  readonly files: readonly string[];
  private readonly starts: readonly number[];
  private readonly segments: readonly Segment[];

  constructor(text: string, files: readonly string[], map: { readonly starts: readonly number[]; readonly segments: readonly Segment[] }) {
    this.text = text;
    this.files = files;
    this.starts = map.starts;
    this.segments = map.segments;
  }

  /** The origin of `[start, end)`. Most are never asked for, so each is worked out when it is. */
  origin(start: number, end: number): SourceOrigin {
    return new LateOrigin(this, start, end);
  }

  /** The origin of `[start, end)`, worked out now. */
  resolve(start: number, end: number): SourceOrigin {
    const index = lastAtMost(this.starts, start);
    const segment = this.segments[index];
    if (segment === undefined) return { file: this.files[0] ?? '', line: 1, column: 1, length: 0 };
    if (segment.useLength !== undefined) return segment.source.origin(segment.offset, segment.useLength, segment.macro?.origin());
    return segment.source.origin(segment.offset + start - (this.starts[index] ?? 0), end - start);
  }

  /** The file that holds an offset, for paths relative to it. */
  fileAt(offset: number): string {
    return this.segments[lastAtMost(this.starts, offset)]?.source.file ?? this.files[0] ?? '';
  }
}

/** An origin that looks itself up on first use. */
class LateOrigin implements SourceOrigin {
  private readonly text: PreprocessedText;
  private readonly start: number;
  private readonly end: number;
  private found: SourceOrigin | undefined;

  constructor(text: PreprocessedText, start: number, end: number) {
    this.text = text;
    this.start = start;
    this.end = end;
  }

  private get known(): SourceOrigin {
    this.found ??= this.text.resolve(this.start, this.end);
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

/** Preprocesses `text` of the file `file`. */
export function preprocess(text: string, file: string, options: PreprocessOptions & { readonly problems: DiagnosticList }): PreprocessedText {
  return new Preprocessor(options).run(text, file);
}

/** The first path at which `read` finds something, for a name included from `from`. */
export function searchPath<T>(name: string, from: string | undefined, includePaths: readonly string[], read: (path: string) => T | undefined): { readonly path: string; readonly found: T } | undefined {
  const folders = name.startsWith('/') ? [''] : [...(from === undefined ? [] : [from.slice(0, from.lastIndexOf('/') + 1)]), ...includePaths.map((path) => (path === '' || path.endsWith('/') ? path : `${path}/`))];
  for (const folder of folders) {
    for (const path of new Set([folder + name, normalize(folder + name)])) {
      const found = read(path);
      if (found !== undefined) return { path, found };
    }
  }
  return undefined;
}

function normalize(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && out.length > 0 && out[out.length - 1] !== '..' && out[out.length - 1] !== '') out.pop();
    else if (part !== '.') out.push(part);
  }
  return out.join('/');
}

interface Condition {
  /** True while its text is kept. */
  active: boolean;
  /** True once one branch was taken, or if the surroundings are skipped. */
  done: boolean;
  sawElse: boolean;
  readonly origin: SourceOrigin;
}

/** The state of one file being read. */
interface Frame {
  source: SourceText;
  readonly conditions: Condition[];
}

class Preprocessor {
  private readonly options: PreprocessOptions;
  private readonly problems: DiagnosticList;
  private readonly macros = new Map<string, Macro>();
  private readonly expander: Expander;
  private readonly parts: string[] = [];
  private size = 0;
  private readonly starts: number[] = [];
  private readonly segments: Segment[] = [];
  private readonly files = new Map<string, string | undefined>();
  private readonly once = new Set<string>();
  private includeCount = 0;
  private openCalls = 0;
  private where: () => SourceOrigin = () => ({ file: '', line: 1, column: 1, length: 0 });

  constructor(options: PreprocessOptions & { readonly problems: DiagnosticList }) {
    this.options = options;
    this.problems = options.problems;
    this.expander = new Expander(this.macros, (code, blanks) => { this.problems.add(code, this.where(), blanks); });
    for (const [name, body] of Object.entries({ __DTS__: '1', ...options.defines })) {
      this.macros.set(name, { name, variadic: false, body: tokenize(body), origin: () => ({ file: '<defines>', line: 1, column: 1, length: 0 }) });
    }
  }

  run(text: string, file: string): PreprocessedText {
    this.files.set(file, text);
    this.file(new SourceText(file, text), 0);
    return new PreprocessedText(this.parts.join(''), [...this.files.keys()], { starts: this.starts, segments: this.segments });
  }

  private file(source: SourceText, depth: number): void {
    const frame: Frame = { source, conditions: [] };
    let at = 0;
    while (at < source.text.length && this.size < PREPROCESSED_SIZE_MAX) {
      const end = this.directive(frame, at, depth);
      if (end !== undefined) at = end;
      else at = this.skipping(frame) ? skipLine(source.text, at) : this.copyLine(frame, at, depth);
    }
    if (this.size >= PREPROCESSED_SIZE_MAX) this.problems.add('dts-too-large', source.origin(at, 0), { limit: `${String(PREPROCESSED_SIZE_MAX)} characters` });
    for (const condition of frame.conditions) this.problems.add('cpp-unbalanced', condition.origin, { name: 'if', other: 'endif' });
    this.emit('\n', { source, offset: source.text.length });
  }

  private skipping(frame: Frame): boolean {
    // Conditions inside skipped text never become active, so the innermost one decides.
    return frame.conditions[frame.conditions.length - 1]?.active === false;
  }

  private emit(text: string, segment: Segment): void {
    if (text === '') return;
    this.starts.push(this.size);
    this.segments.push(segment);
    this.parts.push(text);
    this.size += text.length;
  }

  /** Copies from a line's start to a line's end (not always its own: comments and calls may cross), expanding macros. */
  private copyLine(frame: Frame, start: number, depth: number): number {
    const { source } = frame;
    const { text } = source;
    let copied = start;
    const flush = (end: number) => { this.emit(text.slice(copied, end), { source, offset: copied }); };
    INTERESTING.lastIndex = start;
    for (let match = INTERESTING.exec(text); match !== null; match = INTERESTING.exec(text)) {
      const at = match.index;
      const [found] = match;
      let end = at + found.length;
      if (found === '\n') {
        flush(end);
        return end;
      }
      if (found === '/include/') {
        const name = /\s*"([^"\n]*)"/y;
        name.lastIndex = end;
        const quoted = name.exec(text);
        if (quoted !== null) {
          flush(at);
          copied = end = name.lastIndex;
          this.include(frame, quoted[1] ?? '', { at, length: end - at, quoted: true, depth });
        }
      } else if (/^[/"']/.test(found)) end = literalEnd(text, at, found);
      else if (this.macros.has(found)) {
        const use = this.expandUse(frame, at, found);
        if (use !== undefined) {
          flush(at);
          this.emitExpansion(use, frame.source, at);
          copied = end = use.end;
        }
      }
      INTERESTING.lastIndex = end;
    }
    flush(text.length);
    return text.length;
  }

  private emitExpansion(use: { readonly tokens: readonly PpToken[]; readonly end: number; readonly macro: Macro }, source: SourceText, at: number): void {
    const spelled = spell(use.tokens).trim();
    const last = this.parts[this.parts.length - 1] ?? '';
    const before = melts(last, spelled) ? ' ' : '';
    const after = melts(spelled, source.text.charAt(use.end)) ? ' ' : '';
    this.emit(before + spelled + after, { source, offset: at, useLength: use.end - at, macro: use.macro });
  }

  /** Expands the macro used at `at`, taking arguments from the text behind as needed; `undefined` if it does not apply. */
  private expandUse(frame: Frame, at: number, name: string): { tokens: PpToken[]; end: number; macro: Macro } | undefined {
    const { source } = frame;
    const macro = this.macros.get(name);
    if (macro === undefined) return undefined;
    let end = at + name.length;
    this.where = () => source.origin(at, end - at);
    let pending: PpToken[] = [{ kind: 'identifier', text: name, space: false }];
    const done: PpToken[] = [];
    for (;;) {
      const head = this.expander.applicable(pending[pending.length - 1]);
      if (head?.parameters !== undefined) {
        // A function-like name, alone or last in an expansion: its call may stand in the text that follows.
        const call = this.callText(source.text, end);
        if (call === undefined) return done.length + pending.length === 1 && head === macro ? undefined : { tokens: [...done, ...pending], end, macro };
        end = call;
        pending.push(...tokenize(source.text.slice(end - this.callLength, end)));
      } else if (head === undefined) return { tokens: [...done, ...pending], end, macro };
      const expanded = this.expander.expand(pending);
      const last = expanded[expanded.length - 1];
      if (last === undefined || this.expander.applicable(last)?.parameters === undefined) return { tokens: [...done, ...expanded], end, macro };
      done.push(...expanded.slice(0, -1));
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
  private directive(frame: Frame, start: number, depth: number): number | undefined {
    const { text } = frame.source;
    DIRECTIVE.lastIndex = start;
    const match = DIRECTIVE.exec(text);
    if (match === null) return undefined;
    const { body, end } = directiveBody(text, DIRECTIVE.lastIndex);
    const name = match[1] ?? 'line';
    const line = { name, body, at: start + match[0].indexOf('#'), bodyAt: DIRECTIVE.lastIndex };
    if (name.startsWith('if') || name.startsWith('el') || name === 'endif') this.conditional(frame, line);
    else if (!this.skipping(frame)) this.obey(frame, { ...line, end, depth });
    return end;
  }

  private conditional(frame: Frame, { name, body, at }: DirectiveLine): void {
    const origin = frame.source.origin(at, name.length + 1);
    const { conditions } = frame;
    if (name.startsWith('if')) {
      const outside = this.skipping(frame);
      const active = !outside && this.holds(name.slice(2), body, origin);
      conditions.push({ active, done: outside || active, sawElse: false, origin });
      return;
    }
    const current = conditions[conditions.length - 1];
    if (current === undefined || (current.sawElse && name !== 'endif')) this.problems.add('cpp-unbalanced', origin, { name, other: 'if' });
    else if (name === 'endif') conditions.pop();
    else {
      current.active = !current.done && (name === 'else' || this.holds(name.slice(4), body, origin));
      current.done ||= current.active;
      current.sawElse = name === 'else';
    }
  }

  private holds(kind: string, body: string, origin: SourceOrigin): boolean {
    this.where = () => origin;
    if (kind === '') return conditionHolds(body, this.expander, (reason) => { this.problems.add('cpp-bad-expression', origin, { reason }); });
    const name = /^\s*([A-Za-z_$][\w$]*)/.exec(body)?.[1];
    if (name === undefined) this.problems.add('cpp-bad-directive', origin, { name: `if${kind}`, reason: 'a name is missing' });
    return name !== undefined && this.macros.has(name) === (kind === 'def');
  }

  private obey(frame: Frame, line: DirectiveLine & { readonly end: number; readonly depth: number }): void {
    const origin = frame.source.origin(line.at, line.name.length + 1);
    const text = line.body.trim();
    switch (line.name) {
      case 'define': this.define(frame.source, line); break;
      case 'undef': this.macros.delete(text); break;
      case 'include': this.includeDirective(frame, line); break;
      case 'error': this.problems.add('cpp-error', origin, { text }); break;
      case 'warning': this.problems.add('cpp-warning', origin, { text }); break;
      case 'pragma':
        if (text === 'once') this.once.add(frame.source.file);
        break;
      default: this.renumber(frame, text, line.end);
    }
  }

  /** `#line N "file"` and the `# N "file"` lines that preprocessors leave. */
  private renumber(frame: Frame, text: string, end: number): void {
    const match = /^(\d{1,9})(?![^\s])(?:\s+"([^"]*)")?/.exec(text);
    if (match !== null) frame.source = frame.source.renumbered(match[2] ?? frame.source.file, Number(match[1]), end);
  }

  private define(source: SourceText, { body, at, bodyAt }: DirectiveLine): void {
    const match = /^\s*([A-Za-z_$][\w$]*)(\(([^)]*)\))?/.exec(body);
    const name = match?.[1];
    const origin = () => source.origin(bodyAt + Math.max(0, body.indexOf(name ?? '')), (name ?? '').length);
    if (match === null || name === undefined) {
      this.problems.add('cpp-bad-directive', source.origin(at, 7), { name: 'define', reason: 'a name is missing' });
      return;
    }
    const list = match[2] === undefined ? undefined : (match[3] ?? '').split(',').map((parameter) => parameter.trim());
    const macro = makeMacro(name, list, new LateBody(body.slice(match[0].length).trim(), origin));
    const before = this.macros.get(name);
    if (macro === undefined) this.problems.add('cpp-bad-directive', origin(), { name: 'define', reason: 'its parameters are malformed' });
    else if (before !== undefined && spell(before.body) !== spell(macro.body)) this.problems.add('cpp-macro-redefined', origin(), { name });
    if (macro !== undefined) this.macros.set(name, macro);
  }

  private includeDirective(frame: Frame, { body, at, bodyAt, depth }: DirectiveLine & { readonly depth: number }): void {
    const direct = /^\s*(?:"([^"\n]*)"|<([^>\n]*)>)/;
    this.where = () => frame.source.origin(at, 8);
    const match = direct.exec(body) ?? direct.exec(spell(this.expander.expand(tokenize(body))));
    const name = match?.[1] ?? match?.[2];
    if (name === undefined) this.problems.add('cpp-bad-directive', frame.source.origin(at, 8), { name: 'include', reason: 'it needs "file" or <file>' });
    else this.include(frame, name, { at: bodyAt + body.length - body.trimStart().length, length: body.trim().length, quoted: match?.[1] !== undefined, depth });
  }

  private include(frame: Frame, name: string, use: { readonly at: number; readonly length: number; readonly quoted: boolean; readonly depth: number }): void {
    const origin = frame.source.origin(use.at, use.length);
    if (use.depth >= INCLUDE_DEPTH_MAX || ++this.includeCount > INCLUDE_COUNT_MAX) {
      this.problems.add('cpp-include-depth', origin, { limit: INCLUDE_DEPTH_MAX });
      return;
    }
    const found = searchPath(name, use.quoted ? frame.source.file : undefined, this.options.includePaths ?? [], (path) => this.read(path));
    if (found === undefined) this.problems.add('cpp-include-not-found', origin, { name });
    else if (!this.once.has(found.path)) this.file(new SourceText(found.path, found.found), use.depth + 1);
  }

  private read(path: string): string | undefined {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const text = this.options.files?.readText(path);
    if (text !== undefined) this.files.set(path, text);
    return text;
  }
}

interface DirectiveLine {
  readonly name: string;
  readonly body: string;
  readonly at: number;
  readonly bodyAt: number;
}

/** A macro's body, cut into tokens when the macro is first used: headers define thousands that nobody uses. */
class LateBody {
  readonly origin: () => SourceOrigin;
  private readonly text: string;
  private cut: readonly PpToken[] | undefined;

  constructor(text: string, origin: () => SourceOrigin) {
    this.text = text;
    this.origin = origin;
  }

  get tokens(): readonly PpToken[] {
    this.cut ??= tokenize(this.text);
    return this.cut;
  }
}

class DefinedMacro implements Macro {
  readonly name: string;
  readonly parameters: readonly string[] | undefined;
  readonly variadic: boolean;
  private readonly late: LateBody;

  constructor(name: string, late: LateBody, list?: { readonly parameters: readonly string[]; readonly variadic: boolean }) {
    this.name = name;
    this.late = late;
    this.parameters = list?.parameters;
    this.variadic = list?.variadic ?? false;
  }

  get body(): readonly PpToken[] {
    return this.late.tokens;
  }

  get origin(): () => SourceOrigin {
    return this.late.origin;
  }
}

function makeMacro(name: string, list: readonly string[] | undefined, late: LateBody): Macro | undefined {
  if (list === undefined) return new DefinedMacro(name, late);
  if (list.length === 1 && list[0] === '') return new DefinedMacro(name, late, { parameters: [], variadic: false });
  const last = list[list.length - 1] ?? '';
  const variadic = last.endsWith('...');
  const parameters = variadic ? [...list.slice(0, -1), last === '...' ? '__VA_ARGS__' : last.slice(0, -3).trim()] : list;
  return parameters.every((parameter) => /^[A-Za-z_$][\w$]*$/.test(parameter)) ? new DefinedMacro(name, late, { parameters, variadic }) : undefined;
}

/** The end of a comment, string or character literal; a quote that is not closed on its line counts for itself. */
function literalEnd(text: string, at: number, opening: string): number {
  if (opening === '//') return orEnd(text, text.indexOf('\n', at));
  if (opening === '/*') return orEnd(text, text.indexOf('*/', at + 2), 2);
  const literal = opening === '"' ? STRING : CHARACTER;
  literal.lastIndex = at;
  return literal.test(text) ? literal.lastIndex : at + 1;
}

function orEnd(text: string, at: number, extra = 0): number {
  return at < 0 ? text.length : at + extra;
}

/** The rest of a directive with comments as blanks (their length kept), and the start of the next line. */
function directiveBody(text: string, from: number): { readonly body: string; readonly end: number } {
  const scan = /\/\*|\/\/|"|'|\n/g;
  scan.lastIndex = from;
  let body = '';
  let copied = from;
  for (let match = scan.exec(text); match !== null; match = scan.exec(text)) {
    const [found] = match;
    if (found === '\n') return { body: body + text.slice(copied, match.index), end: match.index + 1 };
    scan.lastIndex = literalEnd(text, match.index, found);
    if (found.startsWith('/')) {
      body += text.slice(copied, match.index) + ' '.repeat(scan.lastIndex - match.index);
      copied = scan.lastIndex;
    }
  }
  return { body: body + text.slice(copied), end: text.length };
}

/** Skips a line that conditions leave out, and with it comments that cross lines. */
function skipLine(text: string, from: number): number {
  return directiveBody(text, from).end;
}

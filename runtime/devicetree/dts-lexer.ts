/**
 * Cuts preprocessed device tree source into tokens. What a token is depends on where it stands, as in dtc: names may
 * hold `,.+*#?@-`, values hold C's tokens, byte strings pairs of digits; the parser says which it wants.
 */

import type { DiagnosticList, DtBlanks, DtDiagnosticCode, SourceOrigin } from './source';
import type { PreprocessedText } from './preprocessor';

/** Where the next token stands: before a name, in a value, or between `[` and `]`. */
export type LexerMode = 'name' | 'value' | 'bytes';

/** Kinds of tokens; `ref` is `&label` or `&{/path}`, `keyword` is `/…/`. */
export type DtsTokenKind = 'label' | 'ref' | 'keyword' | 'name' | 'identifier' | 'number' | 'string' | 'char' | 'byte' | 'other' | 'end';

/** A token at `[start, end)` of the preprocessed text. */
export interface DtsToken {
  readonly kind: DtsTokenKind;
  /** What it says: labels without colon, references without `&` and braces, keywords without slashes, others as written. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const BLANK = /(?:\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*)+/y;
const COMMON = /([A-Za-z_]\w*):|&([A-Za-z_]\w*)|&\{([\w,.+*#?@/-]*)\}|\/(dts-v1|plugin|memreserve|bits|delete-property|delete-node|omit-if-no-ref|incbin)\/|("[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|(?:\n[^"\\;{}=\n]*){1,8}"(?=[ \t]*(?:[;,]|\r?\n))))/y;
const NAME = /\\?([\w,.+*#?@-]+)/y;
const BYTE = /[0-9a-fA-F]{2}/y;
const VALUE = /([A-Za-z_]\w*)|(\d\w*)|('[^'\\\n]*(?:\\.[^'\\\n]*)*')|(<<|>>|<=|>=|==|!=|&&|\|\|)/y;

const IDENTIFIER = /[A-Za-z_]\w*/y;
const WHOLE_IDENTIFIER = /^[A-Za-z_]\w*$/;
const NUMBER = /\d\w*/y;
const SIMPLE_STRING = /"[^"\\\n]*"/y;
const SIMPLE_REFERENCE = /&[A-Za-z_]\w*/y;
/** Cells of plain numbers and references, behind their `<`. */
const PLAIN_CELLS = /\s*(?:(?:0[xX][0-9a-fA-F]{1,8}|[1-9][0-9]{0,8}|0|&[A-Za-z_]\w*)(?=[\s>])\s*)*>/y;
/** What stands for itself whatever follows, in names and values alike. */
const ALONE: ReadonlyMap<number, string> = new Map([...';{}()[]'].map((character) => [character.charCodeAt(0), character]));
/** What does so if the second is none of these. */
const OPERATORS = /[<>=]/;

/** Where a lexer is. */
export interface LexerState {
  readonly position: number;
  readonly lastEnd: number;
  readonly seen: number;
}

/** Lines that a string may go over, its own included, and one more. */
const STRING_LINES_MAX = 10;

/** Labels, a name, and what follows the name of a property or node. */
const MEMBER = /^(?:[A-Za-z_]\w*:\s*)*[A-Za-z#_][\w,.+*#?@-]*\s*[{=;]/;
/** Length of a line up to which its braces are counted. */
const LINE_LENGTH_MAX = 1000;

/** Reads tokens on demand; looking ahead costs nothing twice. */
export class DtsLexer {
  input: PreprocessedText;
  private readonly problems: DiagnosticList;
  private position = 0;
  private ahead: DtsToken | undefined;
  private aheadMode: LexerMode = 'name';
  /** End of the token taken last, in the preprocessed text. */
  lastEnd = 0;
  private seen = 0;

  constructor(input: PreprocessedText, problems: DiagnosticList) {
    this.input = input;
    this.problems = problems;
  }

  /** The place where the lexer is; `seen` is the end of what led there. */
  save(): LexerState {
    return { position: this.position, lastEnd: this.lastEnd, seen: this.seen };
  }

  /** Goes back to a place in a text that is the same up to `seen`. */
  restore(input: PreprocessedText, state: LexerState): void {
    this.input = input;
    this.position = state.position;
    this.lastEnd = state.lastEnd;
    this.seen = state.seen;
    this.ahead = undefined;
  }

  /** End of all that was looked at so far, in the preprocessed text. */
  get seenEnd(): number {
    return this.seen;
  }

  /** Goes on behind what was read before, to which `seen` had been looked at. */
  skipTo(end: number, seen: number): void {
    this.position = end;
    this.lastEnd = end;
    this.ahead = undefined;
    if (seen > this.seen) this.seen = seen;
  }

  /** The next token, read as `mode` wants it, without taking it. */
  peek(mode: LexerMode): DtsToken {
    if (this.ahead === undefined || this.aheadMode !== mode) {
      const token = this.read(mode);
      this.ahead = token;
      this.aheadMode = mode;
      // The character behind a token decides that it ends there.
      const end = Math.max(token.end + 1, token.text.charCodeAt(0) === QUOTE ? this.lookAheadEnd(token) : 0);
      if (end > this.seen) this.seen = end;
    }
    return this.ahead;
  }

  /** Takes the next token. */
  take(mode: LexerMode): DtsToken {
    const token = this.peek(mode);
    this.position = token.end;
    this.lastEnd = token.end;
    this.ahead = undefined;
    return token;
  }

  /** True if the next token is on another line than the one taken last. */
  get onNewLine(): boolean {
    const next = this.peek('value');
    return next.kind === 'end' || this.input.text.slice(this.lastEnd, next.start).includes('\n');
  }

  /** True if a blank stands right before a token. */
  followsBlank({ start }: DtsToken): boolean {
    return this.input.text[start - 1] === ' ';
  }

  /** Braces that the line of a token opens, less those that it closes; 0 for a line too long to tell. */
  lineBalance({ start }: DtsToken): number {
    const { text } = this.input;
    const before = text.slice(Math.max(0, start - LINE_LENGTH_MAX), start).split('\n').at(-1) ?? '';
    const [behind = ''] = text.slice(start, start + LINE_LENGTH_MAX).split('\n', 1);
    this.seen = Math.max(this.seen, start + behind.length + 1);
    if (Math.max(before.length, behind.length) === LINE_LENGTH_MAX) return 0;
    const braces = `${before}${behind}`.replace(/"(?:[^"\\]|\\.)*"|\/\/.*|\/\*.*?\*\//g, '');
    return braces.split('{').length - braces.split('}').length;
  }

  /** True if a token looks like the beginning of a property or node. */
  beginsMember({ start }: DtsToken): boolean {
    this.seen = Math.max(this.seen, start + LINE_LENGTH_MAX);
    return MEMBER.test(this.input.text.slice(start, start + LINE_LENGTH_MAX));
  }

  /** True if two tokens stand on one line. */
  isOneLine(first: DtsToken, last: DtsToken): boolean {
    return last.start - first.start < LINE_LENGTH_MAX && !this.input.text.slice(first.start, last.start).includes('\n');
  }

  /** Where a token stands in the sources. */
  origin(token: DtsToken): SourceOrigin {
    return this.input.origins.origin(token.start, token.end);
  }

  /** The place just behind the token taken last, where something is missing. */
  originOfGap(): SourceOrigin {
    const { file, line, column, length, definition } = this.input.origins.resolve(Math.max(0, this.lastEnd - 1), this.lastEnd);
    return { file, line, column: column + length, length: 0, ...(definition === undefined ? {} : { definition }) };
  }

  /** Reports a problem with a token. */
  problem(code: DtDiagnosticCode, token: DtsToken, blanks: DtBlanks = {}): void {
    this.problems.add(code, this.origin(token), blanks);
  }

  private read(mode: LexerMode): DtsToken {
    const start = this.skipBlanks();
    const { text } = this.input;
    if (start >= text.length) return { kind: 'end', text: '', start: text.length, end: text.length };
    const simple = mode === 'bytes' ? undefined : this.readSimple(mode, start);
    if (simple !== undefined) return simple;
    return this.readCommon(start) ?? (mode === 'name' ? this.readName(start) : mode === 'bytes' ? this.readByte(start) : this.readValue(start)) ?? this.readOther(start);
  }

  /** Reads the most common tokens by their first character, and leaves all others. */
  private readSimple(mode: 'name' | 'value', start: number): DtsToken | undefined {
    const { text } = this.input;
    const code = text.charCodeAt(start);
    const alone = ALONE.get(code);
    if (alone !== undefined) return { kind: 'other', text: alone, start, end: start + 1 };
    if (isLetter(code)) {
      const pattern = mode === 'name' ? NAME : IDENTIFIER;
      pattern.lastIndex = start;
      pattern.test(text);
      const end = pattern.lastIndex;
      const word = text.slice(start, end);
      if (text.charCodeAt(end) !== COLON || (mode === 'name' && !WHOLE_IDENTIFIER.test(word))) return { kind: mode === 'name' ? 'name' : 'identifier', text: word, start, end };
      return { kind: 'label', text: word, start, end: end + 1 };
    }
    if (code === QUOTE) return this.readPattern(SIMPLE_STRING, 'string', start);
    if (code === AMPERSAND) {
      SIMPLE_REFERENCE.lastIndex = start;
      return SIMPLE_REFERENCE.test(text) ? { kind: 'ref', text: text.slice(start + 1, SIMPLE_REFERENCE.lastIndex), start, end: SIMPLE_REFERENCE.lastIndex } : undefined;
    }
    if (mode === 'name' && (code === HASH || (code >= DIGIT_0 && code <= DIGIT_9))) return this.readPattern(NAME, 'name', start);
    if (mode === 'name') return code === EQUALS ? { kind: 'other', text: '=', start, end: start + 1 } : undefined;
    if (code >= DIGIT_0 && code <= DIGIT_9) return this.readPattern(NUMBER, 'number', start);
    if (code === COMMA) return { kind: 'other', text: ',', start, end: start + 1 };
    if ((code === LESS || code === GREATER || code === EQUALS) && !OPERATORS.test(text.charAt(start + 1))) return { kind: 'other', text: text.charAt(start), start, end: start + 1 };
    return undefined;
  }

  private readPattern(pattern: RegExp, kind: DtsTokenKind, start: number): DtsToken | undefined {
    pattern.lastIndex = start;
    if (!pattern.test(this.input.text)) return undefined;
    const end = pattern.lastIndex;
    return { kind, text: this.input.text.slice(start, end), start, end };
  }

  /** Takes cells up to and with their `>`, of which `<` was taken last, if they are plain numbers and references; gives where they are. */
  takePlainCells(): { readonly start: number; readonly end: number } | undefined {
    const start = this.position;
    PLAIN_CELLS.lastIndex = start;
    if (this.ahead !== undefined || !PLAIN_CELLS.test(this.input.text)) return undefined;
    const end = PLAIN_CELLS.lastIndex;
    this.position = end;
    this.lastEnd = end;
    if (end + 1 > this.seen) this.seen = end + 1;
    return { start, end };
  }

  /** Whether a quote begins a string is decided by up to eight lines behind it, and by what follows the string. */
  private lookAheadEnd({ text, start, end }: DtsToken): number {
    if (text.length > 1 && !text.includes('\n')) return end;
    let at = start;
    for (let lines = 0; lines < STRING_LINES_MAX && at >= 0; lines++) at = this.input.text.indexOf('\n', at + 1);
    return at < 0 ? this.input.text.length : at + 1;
  }

  private skipBlanks(): number {
    const { text } = this.input;
    const code = text.charCodeAt(this.position);
    if (isVisible(code)) return this.position;
    if (code === SPACE && isVisible(text.charCodeAt(this.position + 1))) return ++this.position;
    BLANK.lastIndex = this.position;
    if (BLANK.test(text)) this.position = BLANK.lastIndex;
    if (text.startsWith('/*', this.position)) {
      this.problem('dts-unterminated', { kind: 'other', text: '', start: this.position, end: this.position + 2 }, { what: 'comment' });
      this.position = text.length;
    }
    return this.position;
  }

  private readCommon(start: number): DtsToken | undefined {
    COMMON.lastIndex = start;
    const match = COMMON.exec(this.input.text);
    if (match === null) return undefined;
    const [, label, ref, path, keyword, string] = match;
    const end = COMMON.lastIndex;
    if (label !== undefined) return { kind: 'label', text: label, start, end };
    if (ref !== undefined || path !== undefined) return { kind: 'ref', text: ref ?? path ?? '', start, end };
    return keyword !== undefined ? { kind: 'keyword', text: keyword, start, end } : { kind: 'string', text: string ?? '', start, end };
  }

  private readName(start: number): DtsToken | undefined {
    NAME.lastIndex = start;
    const match = NAME.exec(this.input.text);
    return match === null ? undefined : { kind: 'name', text: match[1] ?? '', start, end: NAME.lastIndex };
  }

  private readByte(start: number): DtsToken | undefined {
    BYTE.lastIndex = start;
    const match = BYTE.exec(this.input.text);
    return match === null ? undefined : { kind: 'byte', text: match[0], start, end: BYTE.lastIndex };
  }

  private readValue(start: number): DtsToken | undefined {
    VALUE.lastIndex = start;
    const match = VALUE.exec(this.input.text);
    if (match === null) return undefined;
    const [text, identifier, number, char] = match;
    const kind = identifier !== undefined ? 'identifier' : number !== undefined ? 'number' : char !== undefined ? 'char' : 'other';
    return { kind, text, start, end: VALUE.lastIndex };
  }

  /** A path in `&{` that is still being typed: its brace opens no node. */
  private readOpenPath(start: number): DtsToken | undefined {
    const { text } = this.input;
    if (!text.startsWith('&{', start)) return undefined;
    const behind = text.slice(start + 2, start + LINE_LENGTH_MAX);
    const [line = ''] = behind.split('\n', 1);
    this.seen = Math.max(this.seen, start + line.length + 3);
    const [path = ''] = /^[\w,.+*#?@/-]*/.exec(line) ?? [];
    return line.length === behind.length || /^[^{}&;]*}/.test(line) ? undefined : { kind: 'other', text: `&{${path}`, start, end: start + 2 + path.length };
  }

  private readOther(start: number): DtsToken {
    const open = this.readOpenPath(start);
    if (open !== undefined) return open;
    const text = String.fromCodePoint(this.input.text.codePointAt(start) ?? 0);
    return { kind: 'other', text, start, end: start + text.length };
  }
}

/** True for characters that are neither blank nor begin a comment, whatever follows. */
function isVisible(code: number): boolean {
  return code > SPACE && code < DELETE && code !== SLASH;
}

function isLetter(code: number): boolean {
  const small = code | 0x20;
  return (small >= 0x61 && small <= 0x7a) || code === UNDERSCORE;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const AMPERSAND = 0x26;
const COMMA = 0x2c;
const SLASH = 0x2f;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const UNDERSCORE = 0x5f;
const DELETE = 0x7f;

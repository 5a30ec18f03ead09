/**
 * Cuts one source file into tokens as it was typed: comments, directives and macros included, nothing expanded. For what works on the
 * text of one file (outline, folding, colours, formatting). What a tree means is told by `parseDts`, after preprocessing.
 */

/** Kinds of tokens. `ref` is `&label` or `&{/path}`, `keyword` is `/…/`, `preprocessor` a whole directive with its continued lines. */
export type SyntaxTokenKind =
  | 'label' | 'ref' | 'keyword' | 'name' | 'identifier' | 'number' | 'string' | 'char' | 'bytes' | 'punctuation' | 'operator' | 'comment' | 'preprocessor' | 'unknown';

/** A token at `[start, end)` of the file's text. */
export interface SyntaxToken {
  readonly kind: SyntaxTokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** True if nothing but blanks stands before it on its line. */
  readonly firstOnLine: boolean;
}

const BLANK = /(?:[ \t\r\n\f\v\u00a0\ufeff]|\\\r?\n)+/y;
const COMMENT = /\/\*[\s\S]*?(?:\*\/|$(?![\s\S]))|\/\/(?:\\\r?\n|[^\n])*/y;
const DIRECTIVE = /#[ \t]*(?:(?:define|undef|include|include_next|ifdef|ifndef|if|elifdef|elifndef|elif|else|endif|error|warning|line|pragma)(?![\w,.+*#?@-])|\d)(?:\/\*[\s\S]*?\*\/|\\\r?\n|[^\n])*/y;
const COMMON = /(?<label>[A-Za-z_]\w*:)|(?<ref>&(?:[A-Za-z_]\w*|\{[^}\n]*\}?))|(?<keyword>\/[a-z][a-z0-9-]*\/)|(?<string>"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*(?:"|(?:\n[^"\\;{}=\n]*){1,8}"(?=[ \t]*(?:[;,]|\r?\n)))?)/y;
const NAME = /\\?[\w,.+*#?@-]+/y;
const VALUE = /(?<identifier>[A-Za-z_]\w*)|(?<number>\d\w*)|(?<char>'[^'\\\n]*(?:\\.[^'\\\n]*)*'?)|(?<operator><<|>>|<=|>=|==|!=|&&|\|\||##|[-+*/%&|^~!?:#])/y;
const BYTES = /[0-9a-fA-F]+/y;
/** A line that can only begin the next property or node, whatever is still open. */
const NEXT_STATEMENT = /[ \t]*(?:[A-Za-z_]\w*:[ \t]*)*\\?[\w,.+*#?@-]*[A-Za-z_][\w,.+*#?@-]*[ \t]*(?:=(?!=)|\{)/y;
/** The same where brackets are closed: there it may also be a property without value, or a keyword. */
const NEXT_AT_TOP = /[ \t]*(?:(?:[A-Za-z_]\w*:[ \t]*)*\\?[\w,.+*#?@-]*[A-Za-z_][\w,.+*#?@-]*[ \t]*(?:=(?!=)|\{|;)|\/delete-)/y;

type Mode = 'name' | 'value' | 'bytes';

/** All tokens of a text, in order. Every character is blank or in exactly one token. */
export function tokenize(text: string): SyntaxToken[] {
  return new Tokenizer(text).run();
}

class Tokenizer {
  private readonly text: string;
  private readonly tokens: SyntaxToken[] = [];
  private position = 0;
  private mode: Mode = 'name';
  private depth = 0;
  private lastSignificant = '';
  /** True between the parentheses of a macro that stands where a name would. */
  private inMacro = false;

  constructor(text: string) {
    this.text = text;
  }

  run(): SyntaxToken[] {
    for (;;) {
      const blankFrom = this.position;
      this.match(BLANK);
      const firstOnLine = blankFrom === 0 || this.text.slice(blankFrom, this.position).includes('\n');
      if (this.position >= this.text.length) return this.tokens;
      if (firstOnLine) this.notice();
      this.next(firstOnLine);
    }
  }

  /** Leaves a value that somebody forgot to close. */
  private notice(): void {
    if (this.mode === 'name' || this.lastSignificant === '=' || this.lastSignificant === ',') return;
    const pattern = this.depth > 0 || this.mode === 'bytes' ? NEXT_STATEMENT : NEXT_AT_TOP;
    pattern.lastIndex = this.position;
    if (pattern.test(this.text)) this.enter('name');
  }

  private enter(mode: Mode): void {
    this.mode = mode;
    if (mode !== 'name') return;
    this.depth = 0;
    this.inMacro = false;
  }

  private next(firstOnLine: boolean): void {
    const start = this.position;
    const add = (kind: SyntaxTokenKind): void => {
      const token = { kind, text: this.text.slice(start, this.position), start, end: this.position, firstOnLine };
      this.tokens.push(token);
      if (kind !== 'comment' && kind !== 'preprocessor') this.follow(token);
    };
    if (this.match(COMMENT) !== undefined) add('comment');
    else if (firstOnLine && this.match(DIRECTIVE) !== undefined) add('preprocessor');
    else add(this.common() ?? this.byMode() ?? this.other());
  }

  private common(): SyntaxTokenKind | undefined {
    // In an expression `a ? b : c` what stands before a colon is no label, and `/` divides.
    if (this.mode === 'bytes') return undefined;
    const groups = this.match(COMMON)?.groups;
    if (groups === undefined) return undefined;
    if (groups['label'] !== undefined) return 'label';
    if (groups['ref'] !== undefined) return 'ref';
    return groups['keyword'] !== undefined ? 'keyword' : 'string';
  }

  private byMode(): SyntaxTokenKind | undefined {
    if (this.mode === 'name') return this.match(NAME) === undefined ? undefined : 'name';
    if (this.mode === 'bytes' && this.match(BYTES) !== undefined) return 'bytes';
    // `<` and `>` delimit cells unless doubled inside parentheses.
    if (this.depth <= 1 && /[<>]/.test(this.text[this.position] ?? '')) return undefined;
    const groups = this.match(VALUE)?.groups;
    if (groups === undefined) return undefined;
    if (groups['identifier'] !== undefined) return 'identifier';
    if (groups['number'] !== undefined) return 'number';
    return groups['char'] !== undefined ? 'char' : 'operator';
  }

  private other(): SyntaxTokenKind {
    const point = this.text.codePointAt(this.position) ?? 0;
    this.position += point > 0xffff ? 2 : 1;
    return /[{}<>()[\];=,/:]/.test(String.fromCodePoint(point)) ? 'punctuation' : 'unknown';
  }

  /** What the token means for how the next one is read. */
  private follow({ kind, text }: SyntaxToken): void {
    this.lastSignificant = text;
    if (kind === 'keyword' && (text === '/memreserve/' || text === '/bits/' || text === '/incbin/')) this.enter('value');
    if (kind !== 'punctuation') return;
    if (text === ';' || text === '{' || text === '}') this.enter('name');
    else if (text === '=' && this.mode === 'name') this.enter('value');
    else if (text === '(' && this.mode === 'name') {
      this.enter('value');
      this.inMacro = true;
    }
    else if (text === '[' && this.mode === 'value') this.mode = 'bytes';
    else if (text === ']' && this.mode === 'bytes') this.mode = 'value';
    if (this.mode !== 'value') return;
    if (text === '<' || text === '(') this.depth++;
    else if (text === '>' || text === ')') this.depth = Math.max(0, this.depth - 1);
    if (this.inMacro && this.depth === 0) this.enter('name');
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.position = pattern.lastIndex;
    return found;
  }
}

/**
 * Reads the YAML that bindings are written in, several times as fast as a reader of all YAML: block mappings and sequences, plain and quoted
 * scalars, block scalars, lists in brackets. What goes beyond that is not guessed at but left to the general reader, and so is what is malformed.
 */

import { emptyObject, type Json } from '../runtime/devicetree/bindings/json';

/** Deeper or larger documents are left to the general reader and its limits. */
const DEPTH_MAX = 50;
const VALUES_MAX = 100_000;

const UNUSUAL = /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const PLAIN_KEY = /[A-Za-z_$^(\\/][^\s:]*(?=:[ \n])/y;
const DOUBLE_KEY = /"([^"\\\n]*)"(?=:[ \n])/y;
const SINGLE_KEY = /'((?:[^'\n]|'')*)'(?=:[ \n])/y;
const DOUBLE = /"((?:[^"\\\n]|\\["\\/])*)"/y;
const SINGLE = /'((?:[^'\n]|'')*)'/y;
const PLAIN_START = /[\w$^(\\/.+<=;~-]/;
const FLOW_PLAIN = /[\w$^(\\/.+<=-][^,[\]{}\n:#"']*/y;
const HEADER = /([|>])(-?)(?:[ ]+#[^\n]*|[ ]*)\n/y;
const REST = /[ ]*(?:[ ]#[^\n]*)?\n/y;
const NULLS = new Set(['~', 'null', 'Null', 'NULL']);
const TRUES = new Set(['true', 'True', 'TRUE']);
const FALSES = new Set(['false', 'False', 'FALSE']);

const NEWLINE = 0x0a;
const SPACE = 0x20;
const HASH = 0x23;
const DASH = 0x2d;
const BAR = 0x7c;
const GREATER = 0x3e;
const BRACKET = 0x5b;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;

/** Says that a document is not for this reader. */
class Unusual extends Error {}

/** The document, or `undefined` if it takes the general reader. Of the top-level key `examples` nothing but the name is read. */
export function readQuickly(text: string): Json | undefined {
  if (UNUSUAL.test(text) || !text.endsWith('\n')) return undefined;
  try {
    return new QuickReader(text).document();
  } catch (problem) {
    if (problem instanceof Unusual) return undefined;
    throw problem;
  }
}

class QuickReader {
  private readonly text: string;
  /** Of the next line with content: its column, where the content begins, and where the line begins; `start` at the end of the text if there is none. */
  private indent = 0;
  private start = 0;
  private depth = 0;
  private values = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Json {
    this.toContent(0);
    const hasDirective = this.text.startsWith('%YAML 1.2\n', this.start);
    if (hasDirective) this.toContent(this.lineEnd(this.start) + 1);
    if (this.text.startsWith('---\n', this.start) && this.indent === 0) this.toContent(this.start + 4);
    else if (hasDirective) throw new Unusual();
    const value = this.block(0);
    if (this.text.startsWith('...\n', this.start) && this.indent === 0) this.toContent(this.start + 4);
    if (this.start < this.text.length) throw new Unusual();
    return value;
  }

  /** Goes to the next line with content, from the beginning of a line. */
  private toContent(from: number): void {
    let line = from;
    for (;;) {
      let at = line;
      while (this.text.charCodeAt(at) === SPACE) at++;
      const code = this.text.charCodeAt(at);
      if (code !== NEWLINE && code !== HASH) {
        this.start = Math.min(at, this.text.length);
        this.indent = at >= this.text.length ? -1 : at - line;
        return;
      }
      line = this.lineEnd(at) + 1;
    }
  }

  private lineEnd(from: number): number {
    const end = this.text.indexOf('\n', from);
    return end < 0 ? this.text.length : end;
  }

  /** True at the end of the document: at its mark, or the end of the text. */
  private get isAtEnd(): boolean {
    return this.indent < 0 || (this.indent === 0 && (this.text.startsWith('...', this.start) || this.text.startsWith('---', this.start)));
  }

  private isDashAt(at: number): boolean {
    const next = this.text.charCodeAt(at + 1);
    return this.text.charCodeAt(at) === DASH && (next === SPACE || next === NEWLINE);
  }

  private count(): void {
    if (++this.values > VALUES_MAX) throw new Unusual();
  }

  /** A mapping or a sequence at the line with content, which is indented by `least` at least. */
  private block(least: number): Json {
    if (this.isAtEnd || this.indent < least || ++this.depth > DEPTH_MAX) throw new Unusual();
    const value = this.isDashAt(this.start) ? this.sequence(this.indent) : this.mapping(this.indent);
    this.depth--;
    return value;
  }

  private sequence(indent: number): Json {
    const items: Json[] = [];
    while (!this.isAtEnd && this.indent === indent && this.isDashAt(this.start)) {
      this.count();
      let at = this.start + 1;
      while (this.text.charCodeAt(at) === SPACE) at++;
      const code = this.text.charCodeAt(at);
      if (code === NEWLINE || code === HASH) throw new Unusual();
      if (this.isDashAt(at) || this.keyAt(at) !== undefined) {
        // What begins behind the dash goes on in the lines below, in the same column.
        this.indent += at - this.start;
        this.start = at;
        items.push(this.block(indent + 1));
      } else items.push(this.value(at, indent));
    }
    if (!this.isAtEnd && this.indent > indent) throw new Unusual();
    return items;
  }

  private mapping(indent: number): Json {
    const object = emptyObject();
    while (!this.isAtEnd && this.indent === indent && !this.isDashAt(this.start)) {
      this.count();
      const key = this.keyAt(this.start);
      if (key === undefined || Object.hasOwn(object, key.name)) throw new Unusual();
      const at = key.end + 1;
      if (indent === 0 && key.name === 'examples' && this.skipLines(at)) object[key.name] = null;
      else object[key.name] = this.valueOfKey(at, indent);
    }
    if (!this.isAtEnd && this.indent >= indent) throw new Unusual();
    return object;
  }

  private keyAt(at: number): { readonly name: string; readonly end: number } | undefined {
    const code = this.text.charCodeAt(at);
    const pattern = code === DOUBLE_QUOTE ? DOUBLE_KEY : code === SINGLE_QUOTE ? SINGLE_KEY : PLAIN_KEY;
    pattern.lastIndex = at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    const name = pattern === PLAIN_KEY ? match[0] : pattern === SINGLE_KEY ? (match[1] ?? '').replaceAll("''", "'") : (match[1] ?? '');
    if (pattern === PLAIN_KEY && typeof scalarOf(name) !== 'string') throw new Unusual();
    return { name, end: pattern.lastIndex };
  }

  /** Passes over a top-level key's value in lines of its own; false if it begins on the key's line. */
  private skipLines(at: number): boolean {
    REST.lastIndex = at;
    if (!REST.test(this.text)) return false;
    this.toContent(REST.lastIndex);
    while (!this.isAtEnd && (this.indent > 0 || this.isDashAt(this.start))) this.toContent(this.lineEnd(this.start) + 1);
    return true;
  }

  private valueOfKey(from: number, indent: number): Json {
    REST.lastIndex = from;
    if (!REST.test(this.text)) {
      let at = from;
      while (this.text.charCodeAt(at) === SPACE) at++;
      return this.value(at, indent);
    }
    this.toContent(REST.lastIndex);
    if (!this.isAtEnd && (this.indent > indent || (this.indent === indent && this.isDashAt(this.start)))) return this.blockOrText(indent);
    return null;
  }

  /** What stands in the lines below a key: a collection, or a scalar. */
  private blockOrText(indent: number): Json {
    if (this.isDashAt(this.start) || this.keyAt(this.start) !== undefined) return this.block(indent);
    return this.value(this.start, indent);
  }

  /** A value that is no block collection, at `at`, in something that is indented by `indent`. */
  private value(at: number, indent: number): Json {
    this.count();
    const code = this.text.charCodeAt(at);
    if (code === BAR || code === GREATER) return this.blockScalar(at, indent);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
      const { value, end } = this.quoted(at);
      this.endLine(end);
      return value;
    }
    if (code === BRACKET) {
      const { value, end } = this.flow(at, indent);
      this.endLine(end);
      return value;
    }
    if (this.text.startsWith('{}', at)) {
      this.endLine(at + 2);
      return emptyObject();
    }
    return this.plain(at, indent);
  }

  /** Goes on behind a value after which its line has nothing more to say. */
  private endLine(at: number): void {
    REST.lastIndex = at;
    if (!REST.test(this.text)) throw new Unusual();
    this.toContent(REST.lastIndex);
  }

  private quoted(at: number): { readonly value: string; readonly end: number } {
    const pattern = this.text.charCodeAt(at) === DOUBLE_QUOTE ? DOUBLE : SINGLE;
    pattern.lastIndex = at;
    const inside = pattern.exec(this.text)?.[1];
    if (inside === undefined) throw new Unusual();
    return { value: pattern === SINGLE ? inside.replaceAll("''", "'") : inside.replace(/\\(.)/g, '$1'), end: pattern.lastIndex };
  }

  /** `[ … ]`, over several lines if these are indented further than what it stands in. */
  private flow(from: number, indent: number): { readonly value: Json; readonly end: number } {
    const items: Json[] = [];
    let at = this.skipInFlow(from + 1, indent);
    while (this.text.charAt(at) !== ']') {
      this.count();
      const item = this.flowItem(at, indent);
      items.push(item.value);
      at = this.skipInFlow(item.end, indent);
      if (this.text.charAt(at) === ',') at = this.skipInFlow(at + 1, indent);
      else if (this.text.charAt(at) !== ']') throw new Unusual();
    }
    return { value: items, end: at + 1 };
  }

  private flowItem(at: number, indent: number): { readonly value: Json; readonly end: number } {
    const code = this.text.charCodeAt(at);
    if (code === BRACKET) {
      if (++this.depth > DEPTH_MAX) throw new Unusual();
      const inner = this.flow(at, indent);
      this.depth--;
      return inner;
    }
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) return this.quoted(at);
    FLOW_PLAIN.lastIndex = at;
    const text = FLOW_PLAIN.exec(this.text)?.[0];
    if (text === undefined || this.isDashAt(at) || text === '-' || /^[:#"']/.test(this.text.charAt(FLOW_PLAIN.lastIndex))) throw new Unusual();
    // A name that goes on in the next line would be one with it.
    if (this.text.charCodeAt(FLOW_PLAIN.lastIndex) === NEWLINE && !/[,\]]/.test(this.text.charAt(this.skipInFlow(FLOW_PLAIN.lastIndex, indent)))) throw new Unusual();
    return { value: scalarOf(text.trimEnd()), end: FLOW_PLAIN.lastIndex };
  }

  private skipInFlow(from: number, indent: number): number {
    let at = from;
    let line = -1;
    for (;;) {
      const code = this.text.charCodeAt(at);
      if (code === NEWLINE) line = at + 1;
      else if (code === HASH && (line >= 0 || this.text.charCodeAt(at - 1) === SPACE)) {
        at = this.lineEnd(at);
        continue;
      } else if (code !== SPACE) {
        if (Number.isNaN(code) || (line >= 0 && at - line <= indent)) throw new Unusual();
        return at;
      }
      at++;
    }
  }

  /** A scalar without quotes, over several lines if these are indented further than what it stands in. */
  private plain(at: number, indent: number): Json {
    if (!PLAIN_START.test(this.text.charAt(at)) || this.isDashAt(at)) throw new Unusual();
    let text = '';
    let from = at;
    for (;;) {
      const end = this.lineEnd(from);
      const line = this.text.slice(from, end);
      const comment = line.indexOf(' #');
      const said = (comment < 0 ? line : line.slice(0, comment)).trimEnd();
      if (said.includes(': ') || said.endsWith(':')) throw new Unusual();
      text += said;
      this.toContent(end + 1);
      if (this.isAtEnd || this.indent <= indent) return text === said ? scalarOf(text) : text;
      // Blank lines in between stay as line ends; behind a comment nothing may follow.
      const between = this.text.slice(end + 1, this.start);
      if (comment >= 0 || between.includes('#')) throw new Unusual();
      const blanks = between.split('\n').length - 1;
      text += blanks === 0 ? ' ' : '\n'.repeat(blanks);
      from = this.start;
    }
  }

  /** `|` or `>` with the lines below. */
  private blockScalar(at: number, indent: number): string {
    HEADER.lastIndex = at;
    const header = HEADER.exec(this.text);
    if (header === null) throw new Unusual();
    const { lines, end } = this.blockLines(HEADER.lastIndex, indent);
    this.toContent(end);
    if (!this.isAtEnd && this.indent > indent) throw new Unusual();
    while (lines.at(-1) === '') lines.pop();
    if (lines.length === 0) return '';
    const text = header[1] === '|' ? lines.join('\n') : folded(lines);
    return header[2] === '-' ? text : `${text}\n`;
  }

  private blockLines(from: number, parent: number): { readonly lines: string[]; readonly end: number } {
    const lines: string[] = [];
    let width = -1;
    let line = from;
    while (line < this.text.length) {
      const end = this.lineEnd(line);
      let at = line;
      while (this.text.charCodeAt(at) === SPACE) at++;
      const indent = at - line;
      if (at >= end) {
        // Blank lines in front that are longer than the indentation to come are a matter for the general reader.
        if (width < 0 && indent > 0) throw new Unusual();
        lines.push(width >= 0 && indent > width ? this.text.slice(line + width, end) : '');
      } else {
        if (width < 0) {
          if (indent <= parent) break;
          width = indent;
        }
        if (indent < width) break;
        lines.push(this.text.slice(line + width, end));
      }
      line = end + 1;
    }
    return { lines, end: line };
  }
}

/** Lines as `>` joins them; those that are indented further keep their ends. */
function folded(lines: readonly string[]): string {
  let text = '';
  let blanks = 0;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith(' ')) throw new Unusual();
    if (line === '') {
      blanks++;
      continue;
    }
    text += (blanks > 0 ? '\n'.repeat(blanks) : index === 0 ? '' : ' ') + line;
    blanks = 0;
  }
  return text;
}

/** What a scalar without quotes means: the core schema of YAML 1.2. */
function scalarOf(text: string): null | boolean | number | string {
  if (NULLS.has(text)) return null;
  if (TRUES.has(text)) return true;
  if (FALSES.has(text)) return false;
  if (/^(?:0|-?[1-9][0-9]{0,14}|0x[0-9a-fA-F]{1,12})$/.test(text)) return Number(text);
  if (/^[-+]?\.?[0-9]/.test(text) && /^[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/.test(text)) throw new Unusual();
  if (/^[-+]?\.(?:inf|nan)$/i.test(text)) throw new Unusual();
  return text;
}


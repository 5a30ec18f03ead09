/** Parses property values: cells with expressions, strings, byte strings, references, /bits/ and /incbin/. */

import { utf8Encode } from '../base/byte-reader';
import { evaluateExpression, parseCharacter, parseLiteral, unescape, type ExpressionReader } from './expression';
import { searchPath } from './include-path';
import type { DtsFiles } from './preprocessor';
import type { DtsLexer, DtsToken } from './dts-lexer';
import type { SourceOrigin } from './source';
import { ByteRoom } from './text';
import type { DtChunk, DtChunkType, DtMark } from './value';

/** Most bytes that all /incbin/ of one tree may bring in. */
export const INCBIN_SIZE_MAX = 64 * 1024 * 1024;

/** Where /incbin/ finds files. */
export interface ValueFiles {
  readonly files?: DtsFiles;
  readonly includePaths?: readonly string[];
}

/** Reads values off a lexer. */
export class ValueParser {
  private readonly lexer: DtsLexer;
  private readonly room = new ByteRoom();
  private host: ValueFiles;
  private incbinLeft = INCBIN_SIZE_MAX;
  private incbinCount = 0;
  /** True if the value parsed last was cut short by something that has been reported. */
  failed = false;
  /** True if the expression parsed last was malformed, which has been reported. */
  private broken = false;

  constructor(lexer: DtsLexer, host: ValueFiles) {
    this.lexer = lexer;
    this.host = host;
  }

  /** True once a file was read, whose bytes nobody watches. */
  get usesFiles(): boolean {
    return this.incbinCount > 0;
  }

  /** Reads files from here from now on. */
  useFiles(host: ValueFiles): void {
    this.host = host;
  }

  /** What follows `=` up to the semicolon, which stays. Malformed parts are reported and set `failed`; the rest is kept. */
  parse(): DtChunk[] {
    let chunks: DtChunk[] | undefined;
    this.failed = false;
    for (;;) {
      const before = this.labels();
      const part = this.part();
      if (part === undefined) return chunks ?? [];
      const after = this.labels();
      const labelled = before.length + after.length === 0 ? part : { ...part, labels: [...before.map((label) => ({ ...label, offset: 0 })), ...part.labels, ...after.map((label) => ({ ...label, offset: part.bytes.length }))] };
      // A list of one that is written as such has no room to grow; most values are that.
      if (chunks === undefined) chunks = [labelled];
      else chunks.push(labelled);
      const next = this.lexer.peek('value');
      if (next.text !== ',' || next.kind !== 'other') return chunks;
      this.lexer.take('value');
    }
  }

  /** An integer: a literal, a character, or an expression in parentheses. `undefined` if there is none or it is wrong. */
  integer(): bigint | undefined {
    const token = this.lexer.peek('value');
    if (token.kind === 'number' || token.kind === 'char') {
      this.lexer.take('value');
      const value = token.kind === 'number' ? parseLiteral(token.text) : parseCharacter(token.text);
      if (value === undefined) this.lexer.problem(token.kind === 'number' ? 'dts-bad-number' : 'dts-bad-character', token, { text: token.text });
      return value ?? 0n;
    }
    this.broken = false;
    if (token.kind === 'identifier' && this.skipUnknownMacro()) return 0n;
    if (token.text !== '(' || token.kind !== 'other') return undefined;
    this.lexer.take('value');
    const value = evaluateExpression(this.expressionReader());
    this.broken = value === undefined;
    const close = this.lexer.peek('value');
    if (value !== undefined && close.text === ')') this.lexer.take('value');
    else {
      if (value !== undefined) this.expected(')', close);
      this.skipParentheses();
    }
    return value ?? 0n;
  }

  /** Passes over a name that an included file may define that was not found, and over its arguments; false if all were found. */
  skipUnknownMacro(): boolean {
    if (this.lexer.input.missing === 'none') return false;
    const { end } = this.lexer.take('value');
    // `GIC_SPI (4 + 1)` are two cells; arguments follow at once.
    const next = this.lexer.peek('value');
    if (next.text === '(' && next.start === end) {
      this.lexer.take('value');
      this.skipParentheses();
    }
    return true;
  }

  /** Says what should have come instead of a token. */
  expected(expected: string, token: DtsToken): void {
    if (token.kind === 'other' && (token.text === '"' || token.text === "'")) this.lexer.problem('dts-unterminated', token, { what: token.text === '"' ? 'string' : 'character' });
    else this.lexer.problem('dts-syntax', token, { expected, found: token.kind === 'end' ? 'the end of the file' : `“${this.lexer.input.text.slice(token.start, Math.min(token.end, token.start + 40))}”` });
  }

  private expressionReader(): ExpressionReader {
    const { lexer } = this;
    return {
      arithmetic: 'unsigned',
      mayBeMacros: lexer.input.missing !== 'none',
      peek: () => {
        const { kind, text } = lexer.peek('value');
        return { text, kind: kind === 'number' || kind === 'char' || kind === 'end' ? kind : kind === 'other' ? 'other' : 'identifier' };
      },
      // What ends a value ends a broken expression, too.
      take: () => { if (!/^[;{}]$/.test(lexer.peek('value').text)) lexer.take('value'); },
      problem: (code, blanks) => {
        const token = lexer.peek('value');
        lexer.problem(code, token, blanks);
      },
    };
  }

  private skipParentheses(): void {
    let depth = 1;
    for (let token = this.lexer.peek('value'); token.kind !== 'end' && !/^[;{}>]$/.test(token.text); token = this.lexer.peek('value')) {
      this.lexer.take('value');
      if (token.text === '(') depth++;
      if (token.text === ')' && --depth === 0) return;
    }
  }

  private labels(): readonly DtMark[] {
    if (this.lexer.peek('value').kind !== 'label') return NONE;
    const labels: DtMark[] = [];
    while (this.lexer.peek('value').kind === 'label') {
      const token = this.lexer.take('value');
      labels.push({ name: token.text, offset: 0, origin: this.lexer.origin(token) });
    }
    return labels;
  }

  private part(): DtChunk | undefined {
    const token = this.lexer.peek('value');
    if (token.kind === 'other' && token.text === '<') return this.array(32);
    const origin = this.lexer.origin(token);
    const plain = (type: DtChunkType, bytes: Uint8Array): DtChunk => ({ type, bytes, references: NONE, labels: NONE, origin });
    if (token.kind === 'string') {
      this.lexer.take('value');
      return plain('string', stringBytes(token.text, this.room));
    }
    if (token.kind === 'ref') {
      this.lexer.take('value');
      return { ...plain('path', new Uint8Array(0)), references: [{ name: token.text, offset: 0, origin }] };
    }
    if (token.kind === 'keyword' && token.text === 'incbin') return plain('bytes', this.incbin());
    if (token.kind === 'keyword' && token.text === 'bits') return this.bits(token);
    if (token.kind === 'other' && token.text === '[') return this.byteString();
    if (token.kind === 'identifier' && this.skipUnknownMacro()) return plain('unknown', new Uint8Array(0));
    this.expected('a value', token);
    this.failed = true;
    return undefined;
  }

  private bits(keyword: DtsToken): DtChunk | undefined {
    this.lexer.take('value');
    const token = this.lexer.peek('value');
    const bits = Number(this.integer() ?? 0n);
    const known = bits === 8 || bits === 16 || bits === 32 || bits === 64;
    if (!known) this.lexer.problem('dts-bad-bits', token, { bits });
    const next = this.lexer.peek('value');
    if (next.text === '<') return { ...this.array(known ? bits : 32), origin: this.lexer.origin(keyword) };
    this.expected('<', next);
    this.failed = true;
    return undefined;
  }

  private array(bits: 8 | 16 | 32 | 64): DtChunk {
    const origin = this.lexer.origin(this.lexer.take('value'));
    const plain = bits === 32 ? this.lexer.takePlainCells() : undefined;
    if (plain !== undefined) return this.plainCells(plain, origin);
    const values: (number | bigint)[] = [];
    const references: DtMark[] = [];
    const labels: DtMark[] = [];
    this.broken = false;
    for (;;) {
      const token = this.lexer.peek('value');
      const plain = token.kind === 'number' ? plainNumber(token.text, bits) : undefined;
      if (plain !== undefined) {
        this.lexer.take('value');
        this.broken = false;
        values.push(plain);
        continue;
      }
      const mark = () => ({ name: token.text, offset: values.length * bits / 8, origin: this.lexer.origin(token) });
      if (token.kind === 'other' && token.text === '>') {
        this.lexer.take('value');
        break;
      }
      if (token.kind === 'label') labels.push(mark());
      else if (token.kind === 'ref') {
        if (bits === 32) references.push(mark());
        else this.lexer.problem('dts-reference-width', token);
        values.push(0xffff_ffff_ffff_ffffn);
      } else {
        const ended = this.broken && /^[;{}]$/.test(token.text);
        const value = ended ? undefined : this.integer();
        if (value !== undefined) {
          this.checkRange(token, value, bits);
          values.push(value);
          continue;
        }
        if (!ended) this.expected('a number, a reference or >', token);
        this.failed = !this.skipElement();
        if (this.failed) break;
        continue;
      }
      this.lexer.take('value');
    }
    return { type: `u${bits}`, bytes: packed(values, bits / 8), references: references.length === 0 ? NONE : references, labels: labels.length === 0 ? NONE : labels, origin };
  }

  private plainCells({ start, end }: { readonly start: number; readonly end: number }, origin: SourceOrigin): DtChunk {
    this.broken = false;
    const { text, origins } = this.lexer.input;
    const inside = text.slice(start, end - 1).trim();
    const cells = inside === '' ? [] : inside.split(BLANKS);
    const bytes = this.room.take(cells.length * 4);
    let references: DtMark[] | undefined;
    let at = start;
    for (let index = 0, cell = cells[0]; cell !== undefined; cell = cells[++index]) {
      let value = 0xffff_ffff;
      if (cell.charCodeAt(0) === AMPERSAND) {
        at = text.indexOf('&', at) + cell.length;
        (references ??= []).push({ name: cell.slice(1), offset: index * 4, origin: origins.origin(at - cell.length, at) });
      } else value = Number(cell);
      bytes[index * 4] = value >>> 24;
      bytes[index * 4 + 1] = value >>> 16;
      bytes[index * 4 + 2] = value >>> 8;
      bytes[index * 4 + 3] = value;
    }
    return { type: 'u32', bytes, references: references ?? NONE, labels: NONE, origin };
  }

  /** Passes over what is no element; false if the array seems to have ended without `>`. */
  private skipElement(): boolean {
    const token = this.lexer.peek('value');
    if (token.kind === 'end' || token.kind === 'keyword' || /^[;{}=<[\]]$/.test(token.text)) return false;
    this.lexer.take('value');
    return true;
  }

  private checkRange(token: DtsToken, value: bigint, bits: number): void {
    const mask = (1n << BigInt(bits)) - 1n;
    // A negative number is fine if it is one of the narrow type, too.
    if (value > mask && (value | mask) !== 0xffff_ffff_ffff_ffffn) this.lexer.problem('dts-out-of-range', token, { value: `0x${value.toString(16)}`, bits });
  }

  private byteString(): DtChunk {
    const origin = this.lexer.origin(this.lexer.take('value'));
    const bytes: number[] = [];
    const labels: DtMark[] = [];
    for (;;) {
      const token = this.lexer.peek('bytes');
      if (token.kind === 'byte') bytes.push(parseInt(token.text, 16));
      else if (token.kind === 'label') labels.push({ name: token.text, offset: bytes.length, origin: this.lexer.origin(token) });
      else if (token.text !== ']' || token.kind !== 'other') {
        this.lexer.problem('dts-bad-byte', token, { found: token.kind === 'end' ? 'the end of the file' : `“${token.text}”` });
        this.failed = token.kind === 'end' || /^[;{}<>=]$/.test(token.text);
        if (this.failed) break;
      }
      this.lexer.take('bytes');
      if (token.text === ']') break;
    }
    return { type: 'bytes', bytes: Uint8Array.from(bytes), references: [], labels, origin };
  }

  private incbin(): Uint8Array {
    const keyword = this.lexer.take('value');
    const items: (string | bigint)[] = [];
    let opening = '(';
    while (this.lexer.peek('value').text === opening) {
      this.lexer.take('value');
      opening = ',';
      const token = this.lexer.peek('value');
      const item = token.kind === 'string' ? this.lexer.take('value').text : this.integer();
      if (item === undefined) break;
      items.push(item);
    }
    const close = this.lexer.peek('value');
    const [name, offset = 0n, size] = items;
    if (close.text === ')') this.lexer.take('value');
    if (close.text !== ')' || typeof name !== 'string' || typeof offset === 'string' || typeof size === 'string') {
      this.expected('("file", offset, size)', close);
      this.failed = true;
      return new Uint8Array(0);
    }
    return this.fileBytes(keyword, name.slice(1, -1), { offset: Number(offset), size: size === undefined ? Infinity : Number(size) });
  }

  private fileBytes(keyword: DtsToken, name: string, range: { readonly offset: number; readonly size: number }): Uint8Array {
    this.incbinCount++;
    const from = this.lexer.input.origins.fileAt(keyword.start);
    const found = searchPath(name, from, this.host.includePaths ?? [], (path) => this.host.files?.readBytes?.(path));
    if (found === undefined) this.lexer.problem('dts-incbin-not-found', keyword, { name });
    const bytes = found?.found.subarray(range.offset, range.offset + range.size) ?? new Uint8Array(0);
    this.incbinLeft -= bytes.length;
    if (this.incbinLeft >= 0) return bytes;
    this.lexer.problem('dts-too-large', keyword, { limit: `${String(INCBIN_SIZE_MAX)} bytes` });
    return new Uint8Array(0);
  }
}

function stringBytes(literal: string, room: ByteRoom): Uint8Array {
  const plain = plainBytes(literal, room);
  if (plain !== undefined) return plain;
  const inside = literal.slice(1, -1);
  return Uint8Array.from([...unescape(inside.includes('\n') ? onLines(inside) : inside, utf8Encode), 0]);
}

/** A string over several lines, which dtc takes: the preprocessor sees no string, and makes each blank a space, or runs of them one within a line. */
function onLines(inside: string): string {
  return inside.split('\n').map((line, index) => {
    const blanks = index === 0 ? '' : (/^[ \t]*/.exec(line)?.[0] ?? '');
    return ' '.repeat(blanks.length) + line.slice(blanks.length).replace(/[ \t]+/g, ' ').trimEnd();
  }).join('\n');
}

/** The bytes of a literal that is nothing but ASCII without escapes, as most are. */
function plainBytes(literal: string, room: ByteRoom): Uint8Array | undefined {
  const out = room.take(literal.length - 1);
  for (let at = 1; at < literal.length - 1; at++) {
    const code = literal.charCodeAt(at);
    if (code >= 0x80 || code === BACKSLASH || code === NEWLINE) return undefined;
    out[at - 1] = code;
  }
  return out;
}

/** A literal that is short enough to need no arithmetic beyond doubles, and surely fits; anything else is left to `integer`. */
function plainNumber(text: string, bits: number): number | undefined {
  if (bits < 32) return undefined;
  if (text.length <= 10 && text.length > 2 && (text.charCodeAt(1) | 0x20) === LETTER_X) return PLAIN_HEX.test(text) ? parseInt(text, 16) : undefined;
  return text.length <= 9 && PLAIN_DECIMAL.test(text) ? parseInt(text, 10) : undefined;
}

const NONE: readonly DtMark[] = [];
const BLANKS = /\s+/;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const LETTER_X = 0x78;
const PLAIN_HEX = /^0[xX][0-9a-fA-F]+$/;
const PLAIN_DECIMAL = /^(?:0|[1-9][0-9]*)$/;

/** Elements of `size` bytes, most significant byte first. */
function packed(values: readonly (number | bigint)[], size: number): Uint8Array {
  const out = new Uint8Array(values.length * size);
  values.forEach((value, index) => {
    const end = (index + 1) * size;
    let rest = value;
    for (let at = end - 1; at >= end - size; at--) {
      if (typeof rest === 'bigint') {
        out[at] = Number(rest & 0xffn);
        rest >>= 8n;
        if (rest <= 0xffff_ffffn) rest = Number(rest);
      } else {
        out[at] = rest & 0xff;
        rest = Math.floor(rest / 256);
      }
    }
  });
  return out;
}

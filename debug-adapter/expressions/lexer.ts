/** Splits the text of an expression into C tokens. */
import { ExpressionFailure } from './errors';

/** One token. `text` is its spelling; `value` of texts and characters is decoded. */
export type Token =
  | { readonly kind: 'name' | 'register' | 'punctuator' | 'end'; readonly text: string; readonly column: number }
  | { readonly kind: 'integer'; readonly text: string; readonly column: number; readonly value: bigint; readonly isUnsigned: boolean; readonly isLong: boolean; readonly isDecimal: boolean }
  | { readonly kind: 'float'; readonly text: string; readonly column: number; readonly value: number; readonly isSingle: boolean }
  | { readonly kind: 'text' | 'character'; readonly text: string; readonly column: number; readonly value: string };

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const REGISTER = /\$[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:0[xX][0-9A-Fa-f.]+(?:[pP][+-]?\d+)?|0[bB][01]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[A-Za-z0-9_.]*/y;
const PUNCTUATORS = [
  '<<=', '>>=', '->', '++', '--', '<<', '>>', '<=', '>=', '==', '!=', '&&', '||', '+=', '-=', '*=', '/=', '%=', '&=', '^=', '|=',
  '+', '-', '*', '/', '%', '<', '>', '=', '!', '~', '&', '^', '|', '(', ')', '[', ']', '.', ',', '?', ':', '@',
];
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', e: '\x1b', '\\': '\\', "'": "'", '"': '"', '?': '?',
};

/** The tokens of a text, ended by one of kind `end`. Throws `ExpressionFailure`. */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    if (/\s/.test(source.charAt(at))) {
      at++;
      continue;
    }
    const token = tokenAt(source, at);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: 'the end', column: source.length + 1 });
  return tokens;
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function tokenAt(source: string, at: number): Token {
  const column = at + 1;
  const name = match(NAME, source, at);
  if (name !== undefined) return { kind: 'name', text: name, column };
  const register = match(REGISTER, source, at);
  if (register !== undefined) return { kind: 'register', text: register, column };
  const number = match(NUMBER, source, at);
  if (number !== undefined) return numberToken(number, column);
  const quote = source.charAt(at);
  if (quote === '"' || quote === "'") return quotedToken(source, at, quote);
  const punctuator = PUNCTUATORS.find((one) => source.startsWith(one, at));
  if (punctuator !== undefined) return { kind: 'punctuator', text: punctuator, column };
  throw new ExpressionFailure('expression-character', quote, column);
}

function numberToken(text: string, column: number): Token {
  const isHex = /^0[xX]/.test(text);
  const integer = /^(0[xX][0-9A-Fa-f]+|0[bB][01]+|\d+)([uUlL]{0,3})$/.exec(text);
  if (integer !== null) {
    const [, digits = '', suffix = ''] = integer;
    const isOctal = /^0\d/.test(digits);
    if (/^(?:[uU]?(?:l|L|ll|LL)?|(?:l|L|ll|LL)[uU])$/.test(suffix) && !(isOctal && /[89]/.test(digits))) {
      const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
      const isDecimal = /^[1-9]/.test(digits) || digits === '0';
      if (value < 1n << 64n) return { kind: 'integer', text, column, value, isUnsigned: /u/i.test(suffix), isLong: /l/i.test(suffix), isDecimal };
    }
  }
  const float = isHex ? null : /^((?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?)([fFlL]?)$/.exec(text);
  if (float !== null) return { kind: 'float', text, column, value: Number(float[1]), isSingle: /f/i.test(float[2] ?? '') };
  throw new ExpressionFailure('expression-literal', text);
}

function quotedToken(source: string, start: number, quote: string): Token {
  let value = '';
  let at = start + 1;
  while (at < source.length && source.charAt(at) !== quote) {
    const [decoded, size] = source.charAt(at) === '\\' ? escape(source, at) : [source.charAt(at), 1];
    value += decoded;
    at += size;
  }
  if (at >= source.length) throw new ExpressionFailure('expression-unterminated', quote === '"' ? 'text' : 'character', start + 1);
  const text = source.slice(start, at + 1);
  if (quote === "'" && value.length !== 1) throw new ExpressionFailure('expression-literal', text);
  return { kind: quote === '"' ? 'text' : 'character', text, column: start + 1, value };
}

function escape(source: string, at: number): readonly [string, number] {
  const hex = match(/\\x([0-9A-Fa-f]{1,2})/y, source, at);
  if (hex !== undefined) return [String.fromCharCode(parseInt(hex.slice(2), 16)), hex.length];
  const octal = match(/\\[0-7]{1,3}/y, source, at);
  if (octal !== undefined) return [String.fromCharCode(parseInt(octal.slice(1), 8) & 0xff), octal.length];
  const letter = source.charAt(at + 1);
  const known = ESCAPES[letter];
  if (known === undefined) throw new ExpressionFailure('expression-literal', `\\${letter}`);
  return [known, 2];
}

/**
 * Integer expressions of C, as dtc evaluates them between parentheses (64 bits, unsigned) and as a preprocessor does
 * after #if (64 bits, signed unless a suffix says otherwise). Tokens come from whoever knows how to cut them.
 */

import type { DtBlanks, DtDiagnosticCode } from './source';

/** A token of an expression. Operators and parentheses are `other`. */
export interface ExpressionToken {
  readonly kind: 'number' | 'char' | 'identifier' | 'other' | 'end';
  readonly text: string;
}

/** Where tokens come from and problems go to. */
export interface ExpressionReader {
  /** How numbers without suffix count. */
  readonly arithmetic: 'unsigned' | 'signed';
  /** True if names may be macros of files that are missing; they count as 0. */
  readonly mayBeMacros?: boolean;
  peek(): ExpressionToken;
  take(): void;
  problem(code: DtDiagnosticCode, blanks?: DtBlanks): void;
}

/** Deepest nesting of parentheses and operators. */
export const EXPRESSION_DEPTH_MAX = 128;

interface Operand {
  readonly value: bigint;
  readonly unsigned: boolean;
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  '||': 2, '&&': 3, '|': 4, '^': 5, '&': 6, '==': 7, '!=': 7, '<': 8, '>': 8, '<=': 8, '>=': 8, '<<': 9, '>>': 9, '+': 10, '-': 10, '*': 11, '/': 11, '%': 11,
};

/** Evaluates one expression to 64 bits, unsigned; `undefined` if it is malformed, which has been reported. */
export function evaluateExpression(reader: ExpressionReader): bigint | undefined {
  const result = new Evaluator(reader).ternary(0, true);
  return result === undefined ? undefined : BigInt.asUintN(64, result.value);
}

class Evaluator {
  private readonly reader: ExpressionReader;

  constructor(reader: ExpressionReader) {
    this.reader = reader;
  }

  ternary(depth: number, live: boolean): Operand | undefined {
    const condition = this.binary(2, depth, live);
    if (condition === undefined || this.reader.peek().text !== '?') return condition;
    this.reader.take();
    const yes = this.nested(depth, (inner) => this.ternary(inner, live && condition.value !== 0n));
    if (yes === undefined || !this.expect(':')) return undefined;
    const no = this.nested(depth, (inner) => this.ternary(inner, live && condition.value === 0n));
    return condition.value !== 0n ? yes : no;
  }

  private binary(lowest: number, depth: number, live: boolean): Operand | undefined {
    let left = this.unary(depth, live);
    while (left !== undefined) {
      const token = this.reader.peek();
      const precedence = token.kind === 'other' && Object.hasOwn(PRECEDENCE, token.text) ? PRECEDENCE[token.text] : undefined;
      if (precedence === undefined || precedence < lowest) return left;
      this.reader.take();
      const shortCircuit = (token.text === '&&' && left.value === 0n) || (token.text === '||' && left.value !== 0n);
      const right = this.nested(depth, (inner) => this.binary(precedence + 1, inner, live && !shortCircuit));
      left = right === undefined ? undefined : this.combine(token.text, [left, right], live && !shortCircuit);
    }
    return undefined;
  }

  private unary(depth: number, live: boolean): Operand | undefined {
    const token = this.reader.peek();
    this.reader.take();
    switch (token.kind === 'other' ? token.text : token.kind) {
      case 'number': return this.number(token.text);
      case 'char': return { value: this.charValue(token.text), unsigned: this.reader.arithmetic === 'unsigned' };
      case 'identifier': return this.identifier(token);
      case '(': {
        const inside = this.nested(depth, (inner) => this.ternary(inner, live));
        return inside !== undefined && this.expect(')') ? inside : undefined;
      }
      case '-': return this.prefixed(depth, live, (operand) => this.wrap(-operand.value, operand.unsigned));
      case '+': return this.prefixed(depth, live, (operand) => operand);
      case '~': return this.prefixed(depth, live, (operand) => this.wrap(~operand.value, operand.unsigned));
      case '!': return this.prefixed(depth, live, (operand) => this.truth(operand.value === 0n));
      default:
        this.unexpected('a number', token);
        return undefined;
    }
  }

  private prefixed(depth: number, live: boolean, apply: (operand: Operand) => Operand): Operand | undefined {
    const operand = this.nested(depth, (inner) => this.unary(inner, live));
    return operand === undefined ? undefined : apply(operand);
  }

  private nested<T>(depth: number, inside: (depth: number) => T | undefined): T | undefined {
    if (depth < EXPRESSION_DEPTH_MAX) return inside(depth + 1);
    this.reader.problem('dts-too-deep', { limit: EXPRESSION_DEPTH_MAX });
    return undefined;
  }

  private number(text: string): Operand | undefined {
    const value = parseLiteral(text, this.reader.arithmetic === 'unsigned' ? 'value' : 'preprocessor');
    if (value !== undefined) return { value, unsigned: this.reader.arithmetic === 'unsigned' || /u/i.test(text) || value >= 1n << 63n };
    this.reader.problem('dts-bad-number', { text });
    return undefined;
  }

  /** Names that are left after expansion count as 0 for the preprocessor and are a mistake for dtc. */
  private identifier(token: ExpressionToken): Operand | undefined {
    if (this.reader.arithmetic === 'signed') return { value: 0n, unsigned: false };
    if (this.reader.mayBeMacros === true) return this.unknownMacro();
    this.unexpected('a number', token);
    return undefined;
  }

  /** A macro whose definition is missing, with its arguments. */
  private unknownMacro(): Operand {
    let depth = 0;
    while (this.reader.peek().kind !== 'end') {
      const { text } = this.reader.peek();
      if (depth === 0 && text !== '(') break;
      if (/^[;{}]$/.test(text)) break;
      this.reader.take();
      depth += text === '(' ? 1 : text === ')' ? -1 : 0;
      if (depth === 0) break;
    }
    return { value: 0n, unsigned: true };
  }

  private charValue(text: string): bigint {
    const value = parseCharacter(text);
    if (value === undefined) this.reader.problem('dts-bad-character');
    return value ?? 0n;
  }

  private expect(text: string): boolean {
    const token = this.reader.peek();
    if (token.text === text) this.reader.take();
    else this.unexpected(text, token);
    return token.text === text;
  }

  private unexpected(expected: string, token: ExpressionToken): void {
    this.reader.problem('dts-syntax', { expected, found: token.kind === 'end' ? 'the end' : token.text });
  }

  private wrap(value: bigint, unsigned: boolean): Operand {
    return { value: unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value), unsigned };
  }

  private truth(value: boolean): Operand {
    return { value: value ? 1n : 0n, unsigned: this.reader.arithmetic === 'unsigned' };
  }

  private combine(operator: string, [left, right]: readonly [Operand, Operand], live: boolean): Operand {
    const unsigned = left.unsigned || right.unsigned;
    const a = this.wrap(left.value, unsigned).value;
    const b = this.wrap(right.value, unsigned).value;
    switch (operator) {
      case '||': return this.truth(a !== 0n || b !== 0n);
      case '&&': return this.truth(a !== 0n && b !== 0n);
      case '==': return this.truth(a === b);
      case '!=': return this.truth(a !== b);
      case '<': return this.truth(a < b);
      case '>': return this.truth(a > b);
      case '<=': return this.truth(a <= b);
      case '>=': return this.truth(a >= b);
      case '<<': return this.wrap(right.value >= 0n && right.value < 64n ? left.value << right.value : 0n, left.unsigned);
      case '>>': return this.wrap(right.value >= 0n && right.value < 64n ? left.value >> right.value : 0n, left.unsigned);
      case '/': case '%': return this.divide(operator, [a, b], live && b === 0n, unsigned);
      default: return this.wrap(arithmetic(operator, a, b), unsigned);
    }
  }

  private divide(operator: '/' | '%', [a, b]: readonly [bigint, bigint], report: boolean, unsigned: boolean): Operand {
    if (report) this.reader.problem('dts-division-by-zero');
    if (b === 0n) return this.wrap(0n, unsigned);
    return this.wrap(operator === '/' ? a / b : a % b, unsigned);
  }
}

function arithmetic(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '|': return a | b;
    case '^': return a ^ b;
    case '&': return a & b;
    case '+': return a + b;
    case '-': return a - b;
    default: return a * b;
  }
}

/** The literals that the preprocessor takes, and those of values: there a suffix is in capitals and in one order. */
const LITERALS = {
  preprocessor: /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?:[uU](?:ll|LL|l|L)?|(?:ll|LL|l|L)[uU]?)?$/,
  value: /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?:U?L{0,2})$/,
} as const;

/** The value of an integer literal with an optional suffix; `undefined` if malformed or over 64 bits. */
export function parseLiteral(text: string, where: keyof typeof LITERALS = 'value'): bigint | undefined {
  const match = LITERALS[where].exec(text);
  const digits = match?.[1];
  if (digits === undefined || digits.length > 32) return undefined;
  const value = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  return value < 1n << 64n ? value : undefined;
}

/** The value of a character literal with its quotes; `undefined` unless it holds exactly one byte. */
export function parseCharacter(text: string): bigint | undefined {
  const bytes = unescape(text.slice(1, -1));
  // A char is signed on the hosts that dtc runs on, and it widens as such.
  return bytes.length === 1 ? BigInt.asUintN(64, BigInt.asIntN(8, BigInt(bytes[0] ?? 0))) : undefined;
}

/** Resolves the escapes of C in the inside of a literal, to bytes; other text becomes UTF-8 by way of `encode`. */
export function unescape(inside: string, encode: (text: string) => Uint8Array = latin): readonly number[] {
  if (!inside.includes('\\')) return [...encode(inside)];
  const out: number[] = [];
  for (const piece of inside.matchAll(/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|([\s\S]))|[^\\]+/g)) {
    const [whole, octal, hexadecimal, other] = piece;
    if (octal !== undefined) out.push(parseInt(octal, 8) & 255);
    else if (hexadecimal !== undefined) out.push(parseInt(hexadecimal, 16));
    else if (other !== undefined) out.push(...(ESCAPES[other] === undefined ? encode(other) : [ESCAPES[other]]));
    else for (const byte of encode(whole)) out.push(byte);
  }
  return out;
}

const ESCAPES: Readonly<Record<string, number | undefined>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 255);
}

/**
 * Parses C expressions. Whether `(name)` is a cast depends on what `name` is, so the parser asks; `parse` remembers which names
 * it asked about, and the evaluator parses again if the program's answer differs from the first guess.
 */
import { ExpressionFailure } from './errors';
import { type Token, tokenize } from './lexer';
import type { BinaryOperator, DisplayFormat, Expression, ParsedInput, TypeDeclarator, TypeSyntax, UnaryOperator } from './syntax';

/** Longest expression that is read. */
export const EXPRESSION_LENGTH_MAX = 4096;
/** How deep an expression may nest. */
const DEPTH_MAX = 200;

/** Binding powers of binary operators; larger binds tighter. `@` binds as in GDB. */
const POWER: Readonly<Record<string, number>> = {
  '||': 4, '&&': 5, '|': 6, '^': 7, '&': 8, '==': 9, '!=': 9, '<': 10, '>': 10, '<=': 10, '>=': 10, '<<': 11, '>>': 11, '@': 12,
  '+': 13, '-': 13, '*': 14, '/': 14, '%': 14,
};
const ASSIGNMENTS: Readonly<Record<string, BinaryOperator | undefined>> = {
  '=': undefined, '+=': '+', '-=': '-', '*=': '*', '/=': '/', '%=': '%', '<<=': '<<', '>>=': '>>', '&=': '&', '^=': '^', '|=': '|',
};
const TYPE_WORDS = new Set(['void', 'char', 'short', 'int', 'long', 'float', 'double', 'signed', 'unsigned', '_Bool', '__int128', 'const', 'volatile', 'struct', 'union', 'enum']);
const FORMATS = new Set(['x', 'd', 'u', 'o', 'b', 'c', 's', 'a']);
const BINARY_OPERATORS = new Set<string>(Object.keys(POWER));
const UNARY_OPERATORS = new Set(['+', '-', '~', '!', '*', '&']);

/** Says whether a name that stands alone in parentheses is a type. */
export type TypeOracle = (name: string) => boolean;

/** Parses a whole input. Throws `ExpressionFailure`. */
export function parse(source: string, isType: TypeOracle): ParsedInput {
  if (source.length > EXPRESSION_LENGTH_MAX) throw new ExpressionFailure('expression-too-long', EXPRESSION_LENGTH_MAX);
  if (source.trim() === '') throw new ExpressionFailure('expression-empty');
  return new Parser(tokenize(source), isType).input();
}

class Parser {
  private readonly tokens: readonly Token[];
  private readonly isType: TypeOracle;
  private next = 0;
  private depth = 0;

  constructor(tokens: readonly Token[], isType: TypeOracle) {
    this.tokens = tokens;
    this.isType = isType;
  }

  input(): ParsedInput {
    let expression = this.assignment();
    let format: DisplayFormat | undefined;
    while (this.isAt(',')) {
      const suffix = this.peek(1);
      const isLast = this.peek(2).kind === 'end';
      if (isLast && suffix.kind === 'name' && isFormat(suffix.text)) {
        format = suffix.text;
        this.next += 2;
        break;
      }
      this.next++;
      // `pointer,10` shows ten elements, as other debuggers of C do; a constant after a comma has no other use.
      if (isLast && suffix.kind === 'integer') expression = elementsOf(expression, this.primary());
      else expression = { kind: 'binary', operator: ',', left: expression, right: this.assignment() };
    }
    if (this.peek().kind !== 'end') this.fail('an operator');
    return { expression, format };
  }

  private peek(ahead = 0): Token {
    return this.tokens[this.next + ahead] ?? { kind: 'end', text: 'the end', column: 0 };
  }

  private isAt(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'punctuator' && token.text === text;
  }

  private accept(text: string): boolean {
    if (!this.isAt(text)) return false;
    this.next++;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) this.fail(text);
  }

  private fail(wanted: string): never {
    const token = this.peek();
    throw new ExpressionFailure('expression-syntax', wanted, token.text, token.column);
  }

  private nested<T>(parseInner: () => T): T {
    if (++this.depth > DEPTH_MAX) throw new ExpressionFailure('expression-too-deep');
    const result = parseInner();
    this.depth--;
    return result;
  }

  private comma(): Expression {
    let left = this.assignment();
    while (this.accept(',')) left = { kind: 'binary', operator: ',', left, right: this.assignment() };
    return left;
  }

  private assignment(): Expression {
    return this.nested(() => {
      const target = this.conditional();
      const { kind, text } = this.peek();
      if (kind !== 'punctuator' || !Object.hasOwn(ASSIGNMENTS, text)) return target;
      this.next++;
      return { kind: 'assign', operator: ASSIGNMENTS[text], target, value: this.assignment() };
    });
  }

  private conditional(): Expression {
    const condition = this.binary(0);
    if (!this.accept('?')) return condition;
    const whenTrue = this.nested(() => this.comma());
    this.expect(':');
    return { kind: 'conditional', condition, whenTrue, whenFalse: this.nested(() => this.conditional()) };
  }

  private binary(power: number): Expression {
    let left = this.unary();
    for (;;) {
      const { kind, text } = this.peek();
      const own = kind === 'punctuator' ? POWER[text] ?? 0 : 0;
      if (own <= power || !isBinary(text)) return left;
      this.next++;
      left = { kind: 'binary', operator: text, left, right: this.nested(() => this.binary(own)) };
    }
  }

  private unary(): Expression {
    return this.nested(() => {
      const token = this.peek();
      if (token.kind === 'name' && token.text === 'sizeof') return this.sizeOf();
      if (token.kind !== 'punctuator') return this.postfix();
      if (token.text === '++' || token.text === '--') throw new ExpressionFailure('expression-increment', token.text);
      if (isUnary(token.text)) {
        this.next++;
        return { kind: 'unary', operator: token.text, operand: this.unary() };
      }
      if (token.text === '(' && this.isTypeInParentheses()) {
        const type = this.typeInParentheses();
        return { kind: 'cast', type, operand: this.unary() };
      }
      return this.postfix();
    });
  }

  private sizeOf(): Expression {
    this.next++;
    if (this.isAt('(') && this.startsType(1, true)) return { kind: 'size-of-type', type: this.typeInParentheses() };
    return { kind: 'size-of', operand: this.unary() };
  }

  /** True if what follows is `(type)` before an operand, hence a cast. */
  private isTypeInParentheses(): boolean {
    return this.startsType(1, !this.isAt(')', 2) || this.startsOperand(3));
  }

  /** True if a type begins `ahead` tokens from here. A plain name is one if more of a type follows it or the oracle says so. */
  private startsType(ahead: number, mayBeName: boolean): boolean {
    const token = this.peek(ahead);
    if (token.kind !== 'name') return false;
    if (TYPE_WORDS.has(token.text)) return true;
    if (!mayBeName) return false;
    const following = this.peek(ahead + 1);
    if (following.kind === 'name') return TYPE_WORDS.has(following.text);
    // `(name *)` and `(name **)` cannot be anything but types.
    let star = ahead + 1;
    while (this.isAt('*', star) || (star > ahead + 1 && ['const', 'volatile'].includes(this.peek(star).text))) star++;
    if (star > ahead + 1 && this.isAt(')', star)) return true;
    const mayEnd = this.isAt(')', ahead + 1) || this.isAt('[', ahead + 1) || this.isAt('(', ahead + 1);
    return mayEnd && this.isType(token.text);
  }

  private startsOperand(ahead: number): boolean {
    const token = this.peek(ahead);
    if (token.kind === 'end') return false;
    return token.kind !== 'punctuator' || token.text === '(' || UNARY_OPERATORS.has(token.text);
  }

  private typeInParentheses(): TypeSyntax {
    this.expect('(');
    const type = this.typeName();
    this.expect(')');
    return type;
  }

  private typeName(): TypeSyntax {
    const words: string[] = [];
    const qualifiers = new Set<string>();
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'name') break;
      if (token.text === 'const' || token.text === 'volatile') qualifiers.add(token.text);
      else if (words.length === 0 || ['struct', 'union', 'enum'].includes(words[0] ?? '') && words.length === 1) words.push(token.text);
      else if (TYPE_WORDS.has(token.text) && TYPE_WORDS.has(words[0] ?? '')) words.push(token.text);
      else break;
      this.next++;
    }
    if (words.length === 0) this.fail('a type');
    const declarators = this.nested(() => this.declarator());
    return { base: words.join(' '), isConst: qualifiers.has('const'), isVolatile: qualifiers.has('volatile'), declarators };
  }

  /** An abstract declarator, as steps to apply to the base type in order. */
  private declarator(): readonly TypeDeclarator[] {
    const pointers: TypeDeclarator[] = [];
    while (this.accept('*')) {
      const qualifiers: ('const' | 'volatile')[] = [];
      for (let text = this.peek().text; text === 'const' || text === 'volatile'; text = this.peek().text) {
        qualifiers.push(text);
        this.next++;
      }
      pointers.push({ kind: 'pointer', qualifiers });
    }
    const inner = this.isAt('(') && (this.isAt('*', 1) || this.isAt('(', 1)) ? this.groupedDeclarator() : [];
    const suffixes: TypeDeclarator[] = [];
    for (;;) {
      if (this.accept('[')) suffixes.push(this.arraySuffix());
      else if (this.isAt('(')) suffixes.push(this.functionSuffix());
      else break;
    }
    return [...pointers, ...suffixes.reverse(), ...inner];
  }

  private groupedDeclarator(): readonly TypeDeclarator[] {
    this.expect('(');
    const inner = this.nested(() => this.declarator());
    this.expect(')');
    return inner;
  }

  private arraySuffix(): TypeDeclarator {
    const token = this.peek();
    if (token.kind === 'integer') this.next++;
    this.expect(']');
    return { kind: 'array', count: token.kind === 'integer' ? Number(token.value) : undefined };
  }

  private functionSuffix(): TypeDeclarator {
    this.expect('(');
    if (!this.isAt(')')) {
      do this.typeName(); while (this.accept(','));
    }
    this.expect(')');
    return { kind: 'function' };
  }

  private postfix(): Expression {
    let object = this.primary();
    for (;;) {
      if (this.accept('[')) {
        const index = this.nested(() => this.comma());
        this.expect(']');
        object = { kind: 'index', object, index };
      } else if (this.isAt('.') || this.isAt('->')) {
        const isArrow = this.isAt('->');
        this.next++;
        object = { kind: 'member', object, name: this.memberName(), isArrow };
      } else if (this.isAt('(')) {
        throw new ExpressionFailure('expression-call', object.kind === 'name' ? object.name : 'it');
      } else if (this.isAt('++') || this.isAt('--')) {
        throw new ExpressionFailure('expression-increment', this.peek().text);
      } else return object;
    }
  }

  private memberName(): string {
    const token = this.peek();
    if (token.kind !== 'name') this.fail('the name of a member');
    this.next++;
    return token.text;
  }

  private primary(): Expression {
    const token = this.peek();
    switch (token.kind) {
      case 'integer': this.next++; return { kind: 'integer', value: token.value, isUnsigned: token.isUnsigned, isLong: token.isLong, isDecimal: token.isDecimal };
      case 'float': this.next++; return { kind: 'float', value: token.value, isSingle: token.isSingle };
      case 'character': this.next++; return { kind: 'character', value: token.value.charCodeAt(0) };
      case 'text': return this.text();
      case 'register': this.next++; return this.registerOrFunction(token.text.slice(1));
      case 'name': return this.name(token);
      default: break;
    }
    if (!this.accept('(')) this.fail('a value');
    const inner = this.nested(() => this.comma());
    this.expect(')');
    return inner;
  }

  /** GDB's scripts for Linux call the running task `$lx_current()`; here it is `current`. */
  private registerOrFunction(name: string): Expression {
    if (name !== 'lx_current' || !this.accept('(')) return { kind: 'register', name };
    this.expect(')');
    return { kind: 'name', name: 'current', image: undefined };
  }

  /** Adjacent texts are one. */
  private text(): Expression {
    let value = '';
    for (let token = this.peek(); token.kind === 'text'; token = this.peek()) {
      value += token.value;
      this.next++;
    }
    return { kind: 'text', value };
  }

  private name(token: Token): Expression {
    if (TYPE_WORDS.has(token.text)) this.fail('a value');
    this.next++;
    const isQualified = this.isAt('!') && this.peek(1).kind === 'name';
    if (!isQualified) return { kind: 'name', name: token.text, image: undefined };
    const name = this.peek(1).text;
    this.next += 2;
    return { kind: 'name', name, image: token.text };
  }
}

function isFormat(text: string): text is DisplayFormat {
  return FORMATS.has(text);
}

function isBinary(text: string): text is BinaryOperator {
  return BINARY_OPERATORS.has(text);
}

function isUnary(text: string): text is UnaryOperator {
  return UNARY_OPERATORS.has(text);
}

function elementsOf(pointer: Expression, count: Expression): Expression {
  return { kind: 'binary', operator: '@', left: { kind: 'unary', operator: '*', operand: pointer }, right: count };
}

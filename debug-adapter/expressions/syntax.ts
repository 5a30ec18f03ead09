/** The syntax tree of expressions: C's, without calls, plus registers, `@` and image qualifiers. */

/** Binary operators, in C's spelling. */
export type BinaryOperator = '*' | '/' | '%' | '+' | '-' | '<<' | '>>' | '<' | '>' | '<=' | '>=' | '==' | '!=' | '&' | '^' | '|' | '&&' | '||' | ',' | '@';
/** Prefix operators. */
export type UnaryOperator = '+' | '-' | '~' | '!' | '*' | '&';
/** How a result is to be shown: hexadecimal, decimal, unsigned, octal, binary, character, text, address. */
export type DisplayFormat = 'x' | 'd' | 'u' | 'o' | 'b' | 'c' | 's' | 'a';

/** A type as written in a cast: the words of its specifier and what its declarator adds, innermost first. */
export interface TypeSyntax {
  /** Such as `struct foo`, `unsigned long`, `uint8_t`. */
  readonly base: string;
  readonly isConst: boolean;
  readonly isVolatile: boolean;
  readonly declarators: readonly TypeDeclarator[];
}
/** One step of a declarator: applied in order to the base type. */
export type TypeDeclarator =
  | { readonly kind: 'pointer'; readonly qualifiers: readonly ('const' | 'volatile')[] }
  | { readonly kind: 'array'; readonly count: number | undefined }
  | { readonly kind: 'function' };

/** An expression. */
export type Expression =
  | { readonly kind: 'integer'; readonly value: bigint; readonly isUnsigned: boolean; readonly isLong: boolean; readonly isDecimal: boolean }
  | { readonly kind: 'float'; readonly value: number; readonly isSingle: boolean }
  | { readonly kind: 'character'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string; readonly image: string | undefined }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'member'; readonly object: Expression; readonly name: string; readonly isArrow: boolean }
  | { readonly kind: 'index'; readonly object: Expression; readonly index: Expression }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'conditional'; readonly condition: Expression; readonly whenTrue: Expression; readonly whenFalse: Expression }
  | { readonly kind: 'cast'; readonly type: TypeSyntax; readonly operand: Expression }
  | { readonly kind: 'size-of-type'; readonly type: TypeSyntax }
  | { readonly kind: 'size-of'; readonly operand: Expression }
  | { readonly kind: 'assign'; readonly operator: BinaryOperator | undefined; readonly target: Expression; readonly value: Expression };

/** A whole input: an expression and how to show it. */
export interface ParsedInput {
  readonly expression: Expression;
  readonly format: DisplayFormat | undefined;
}

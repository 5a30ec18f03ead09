/**
 * C expressions over a stopped guest: for watches, hovers, conditions, log messages and changes of values. They are compiled
 * once (syntax) and evaluated in a context (names, types, registers, memory). Free of Node and of VS Code.
 */
import { type Diagnostic, err, ok, type Result } from '../../runtime/index';
import { expressionError, ExpressionFailure } from './errors';
import { evaluateTree, isTruthy } from './evaluator';
import { showValue } from './format';
import { EXPRESSION_LENGTH_MAX, parse } from './parser';
import type { DisplayFormat, ParsedInput } from './syntax';
import type { EvaluationContext, Value } from './values';

export { EXPRESSION_ERROR_CODES, type ExpressionErrorCode } from './errors';
export { type ChildRange, type ChildValue, childrenOf, fullText, type ShownValue, showValue } from './format';
export type { DisplayFormat } from './syntax';
export { type ExtraValue, symbolContext, type SymbolContextParts } from './symbol-context';
export { type EvaluationContext, type NamedThing, type RegisterValue, type TextValue, type TypedValue, type Value } from './values';

/** An expression whose syntax was checked. */
export interface CompiledExpression {
  readonly text: string;
  /** How the user asked to see the result: the `,x` at the end. */
  readonly format: DisplayFormat | undefined;
  /** The tree for a program in which exactly these names are types. */
  tree(isType: (name: string) => boolean): ParsedInput;
}

/** Names that are types unless the program says otherwise. */
function looksLikeType(name: string): boolean {
  return /_t$|^[us](?:8|16|32|64)$|^bool$/.test(name);
}

/** Checks the syntax of an expression. */
export function compile(text: string): Result<CompiledExpression, Diagnostic> {
  const asked = new Set<string>();
  const guesses = [looksLikeType, (): boolean => true, (): boolean => false];
  let first: Diagnostic | undefined;
  for (const guess of guesses) {
    const parsed = guarded(() => parse(text, (name) => {
      asked.add(name);
      return guess(name);
    }));
    if (parsed.ok) return ok(compiled(text, parsed.value, asked));
    first ??= parsed.error;
  }
  return err(first ?? expressionError('expression-empty'));
}

/** Parses again only when a context gives a new answer about the names in parentheses. */
function compiled(text: string, parsed: ParsedInput, asked: ReadonlySet<string>): CompiledExpression {
  const trees = new Map<string, ParsedInput>();
  return {
    text, format: parsed.format,
    tree(isType): ParsedInput {
      if (asked.size === 0) return parsed;
      const key = [...asked].filter(isType).join(' ');
      const known = trees.get(key);
      if (known !== undefined) return known;
      const tree = parse(text, isType);
      trees.set(key, tree);
      return tree;
    },
  };
}

function guarded<T>(work: () => T): Result<T, Diagnostic> {
  try {
    return ok(work());
  } catch (failure) {
    if (failure instanceof ExpressionFailure) return err(failure.diagnostic);
    throw failure;
  }
}

/** Evaluates a compiled expression. */
export function evaluate(expression: CompiledExpression, context: EvaluationContext): Result<Value, Diagnostic> {
  return guarded(() => evaluateTree(treeIn(expression, context), context));
}

function treeIn(expression: CompiledExpression, context: EvaluationContext): ParsedInput['expression'] {
  return expression.tree((name) => context.resolve(name, undefined) === undefined && context.findType(name) !== undefined).expression;
}

/** Evaluates a condition to true or false. */
export function evaluateCondition(expression: CompiledExpression, context: EvaluationContext): Result<boolean, Diagnostic> {
  return guarded(() => isTruthy(evaluateTree(treeIn(expression, context), context), context));
}

/** Compiles and evaluates in one go: for watches and the console. */
export function evaluateText(text: string, context: EvaluationContext): Result<{ readonly value: Value; readonly format: DisplayFormat | undefined }, Diagnostic> {
  const expression = compile(text);
  if (!expression.ok) return expression;
  const value = evaluate(expression.value, context);
  return value.ok ? ok({ value: value.value, format: expression.value.format }) : value;
}

/** Assigns the value of one expression to the place that another names: for DAP's setVariable and setExpression. */
export function assignText(target: string, value: string, context: EvaluationContext): Result<Value, Diagnostic> {
  const sides = [compile(target), compile(value)];
  for (const side of sides) if (!side.ok) return side;
  const assigned = compile(`(${target}) = (${value})`);
  return assigned.ok ? evaluate(assigned.value, context) : assigned;
}

/** A log message with expressions in braces. */
export interface CompiledMessage {
  readonly parts: readonly (string | CompiledExpression)[];
}

/** Checks a log message such as `size is {size,x}`; doubled braces stand for themselves. */
export function compileMessage(text: string): Result<CompiledMessage, Diagnostic> {
  if (text.length > EXPRESSION_LENGTH_MAX) return err(expressionError('expression-too-long', EXPRESSION_LENGTH_MAX));
  const parts: (string | CompiledExpression)[] = [];
  for (const [piece] of text.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (piece === '{{' || piece === '}}') parts.push(piece.charAt(0));
    else if (piece.startsWith('{') && piece.endsWith('}') && piece.length > 1) {
      const expression = compile(piece.slice(1, -1));
      if (!expression.ok) return expression;
      parts.push(expression.value);
    } else parts.push(piece);
  }
  return ok({ parts });
}

/** The text of a log message; an expression that fails shows its reason in angle brackets. */
export function formatMessage(message: CompiledMessage, context: EvaluationContext): string {
  return message.parts.map((part) => {
    if (typeof part === 'string') return part;
    const value = evaluate(part, context);
    if (!value.ok) return `<${value.error.message}>`;
    return value.value.kind === 'text' ? value.value.text : showValue(value.value, context, part.format).value;
  }).join('');
}

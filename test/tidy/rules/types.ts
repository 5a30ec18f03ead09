/** No `any`, no `!`, no casts: the holes in the type system. ESLint refuses the first two as well, unless a comment switches it off. */
import * as ts from 'typescript';
import { treeRule } from '../project';

/** Comments that hide errors of the compiler, or of the linter where a rule of ours is behind it. */
const SWITCHED_OFF = new RegExp(`@ts-(?:ig${''}nore|expect-error|nocheck)|es${''}lint-disable(?:-next-line|-line)?(?! no-control-regex)`);

/** `any` as a type, and comments that switch the compiler or the linter off. */
export const anyRule = treeRule((node, file) => {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return 'any';
  if (!ts.isSourceFile(node)) return undefined;
  const hidden = SWITCHED_OFF.exec(file.text);
  return hidden === null ? undefined : `a check is switched off: ${hidden[0]}`;
});

/** `value!` and `field!: type`. */
export const nonNullRule = treeRule((node) => {
  if (ts.isNonNullExpression(node)) return 'non-null assertion';
  if ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) && node.exclamationToken !== undefined) return 'definite assignment assertion';
  return undefined;
});

/** `as` and `<T>value`, but for `as const`. */
export const castRule = treeRule((node) => {
  if (ts.isTypeAssertionExpression(node)) return 'cast';
  if (!ts.isAsExpression(node)) return undefined;
  const isConst = ts.isTypeReferenceNode(node.type) && ts.isIdentifier(node.type.typeName) && node.type.typeName.text === 'const';
  return isConst ? undefined : `cast to ${node.type.getText()}`;
});

/** Turns types as written in casts and `sizeof` into types. */
import { builtInType, type Type } from '../../runtime/index';
import { ExpressionFailure } from './errors';
import type { TypeDeclarator, TypeSyntax } from './syntax';
import type { EvaluationContext } from './values';

/** More elements than an array in a cast may have. */
const ARRAY_COUNT_MAX = 1 << 24;
const POINTER_SIZE_BYTES = 8;

/** A pointer to a type. */
export function pointerTo(target: Type): Type {
  return { kind: 'pointer', target, sizeBytes: POINTER_SIZE_BYTES };
}

/** Resolves the names in a written type. Throws `ExpressionFailure` for unknown ones. */
export function resolveType(syntax: TypeSyntax, context: EvaluationContext): Type {
  let type = builtInType(syntax.base.split(' ')) ?? context.findType(syntax.base);
  if (type === undefined) throw new ExpressionFailure('expression-unknown-type', syntax.base);
  if (syntax.isVolatile) type = { kind: 'qualified', qualifier: 'volatile', target: type };
  if (syntax.isConst) type = { kind: 'qualified', qualifier: 'const', target: type };
  return syntax.declarators.reduce(applyDeclarator, type);
}

function applyDeclarator(type: Type, declarator: TypeDeclarator): Type {
  switch (declarator.kind) {
    case 'pointer': return declarator.qualifiers.reduce<Type>((target, qualifier) => ({ kind: 'qualified', qualifier, target }), pointerTo(type));
    case 'array':
      if ((declarator.count ?? 0) > ARRAY_COUNT_MAX) throw new ExpressionFailure('expression-count', ARRAY_COUNT_MAX);
      return { kind: 'array', element: type, count: declarator.count };
    case 'function': return { kind: 'function', result: type, parameters: [], isVariadic: false, isPrototyped: false };
  }
}

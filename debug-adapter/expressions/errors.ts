/** What can be wrong with an expression, as a catalogue of messages that say what to do next. */
import type { Diagnostic } from '../../runtime/index';

/** Messages by identifier; `{…}` are filled in from the arguments in order. */
const MESSAGES = {
  'expression-empty': 'The expression is empty. Write a C expression such as `size > 16`.',
  'expression-too-long': 'The expression is longer than {} characters. Make it shorter.',
  'expression-too-deep': 'The expression nests too deeply. Take it apart.',
  'expression-syntax': 'Expected {} but found {}. Check the expression at column {}.',
  'expression-character': 'The character {} at column {} has no meaning in C. Remove it.',
  'expression-literal': 'The literal {} is malformed. Write it as C does, for example 42, 0x2aUL, 1.5 or \'a\'.',
  'expression-unterminated': 'The {} that begins at column {} has no end. Add the closing quote.',
  'expression-call': 'Functions cannot be called: that would change the guest\'s history. Look at variables, memory and registers instead of calling {}.',
  'expression-increment': '{} is not available. Write `x = x + 1` or `x += 1`.',
  'expression-unknown-name': 'There is no variable, constant or symbol named {} here. Check the spelling, or select the frame where it is in scope.',
  'expression-unknown-register': 'There is no register or value named {} here. Registers are $x0 to $x30, $w0 to $w30, $sp, $pc and system registers such as $SCTLR_EL1.',
  'expression-unknown-type': 'There is no type named {} in the debug information. Check the spelling; structures need `struct`.',
  'expression-unknown-member': '{} has no member {}. Its members are {}.',
  'expression-incomplete-type': 'The type {} is not complete here, so its contents and size are not known. Cast to a complete type.',
  'expression-not-pointer': '{} is not a pointer. Cast it first, for example *(unsigned long *)0x40000000.',
  'expression-not-record': '{} has no members: it is no structure or union.',
  'expression-use-arrow': '{} is a pointer. Use -> instead of a dot.',
  'expression-not-scalar': 'A value of type {} cannot be used with {}. Use one of its members or elements.',
  'expression-not-integer': '{} needs integers, but got {}.',
  'expression-not-place': '{} needs something that has an address, and this has none. Use a variable in memory.',
  'expression-not-assignable': 'This cannot be assigned to: {}. Use a variable, memory through a pointer, or a register.',
  'expression-bit-field': 'A bit-field has no address. Take the address of the structure instead.',
  'expression-divide-by-zero': 'The expression divides by zero. Guard the division, for example `n != 0 && x / n > 1`.',
  'expression-memory-read': 'The memory at {} cannot be read ({} bytes). Check the pointer and that its page is mapped.',
  'expression-memory-write': 'The memory at {} cannot be written ({} bytes). Check the pointer and that its page is mapped.',
  'expression-register-write': 'The register {} cannot be written here. Select the innermost frame, or a register that the guest can write.',
  'expression-optimised-out': '{} is not available here: the compiler did not keep it. Step on, or build with -O0 or -Og.',
  'expression-unavailable': '{} is not available: {}.',
  'expression-too-large': 'The value has {} bytes, more than the {} that one value may have. Use a part of it.',
  'expression-count': 'The count after @ must be between 1 and {}. Choose a smaller one.',
  'expression-text': 'Texts can only be compared with == and !=, not used with {}.',
} as const;

/** Identifier of a message about an expression. */
export type ExpressionErrorCode = keyof typeof MESSAGES;

/** All identifiers, for the check that each has a test. */
export const EXPRESSION_ERROR_CODES: readonly string[] = Object.keys(MESSAGES);

/** Makes the diagnostic for a code. */
export function expressionError(code: ExpressionErrorCode, ...details: readonly (string | number)[]): Diagnostic {
  let next = 0;
  const message = MESSAGES[code].replace(/\{\}/g, () => String(details[next++] ?? '?'));
  return { severity: 'error', code, message };
}

/** Carries a diagnostic out of nested evaluation; caught at the border of this folder and never seen outside. */
export class ExpressionFailure extends Error {
  readonly diagnostic: Diagnostic;

  constructor(code: ExpressionErrorCode, ...details: readonly (string | number)[]) {
    const diagnostic = expressionError(code, ...details);
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

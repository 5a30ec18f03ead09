/** JSON with comments and trailing commas, as system files are written. For a quick look only: no positions, no diagnostics. */

import { parse, type ParseError } from 'jsonc-parser';

/** The value, or undefined if the text is no JSON. */
export function parseJsonc(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  return errors.length > 0 ? undefined : value;
}

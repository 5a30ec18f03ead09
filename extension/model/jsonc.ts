/** JSON with comments and trailing commas, as system files are written. For a quick look only: no positions, no diagnostics. */

/** A string, a comment, or a comma before a closing bracket; strings are matched first so that nothing inside them counts. */
const SKIPPED = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*[}\]])/g;

/** The value, or undefined if the text is no JSON. */
export function parseJsonc(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text.replace(SKIPPED, (match) => (match.startsWith('"') ? match : '')));
    return value;
  } catch {
    return undefined;
  }
}

/** Device trees as users give them, source or blob, made into blobs. */

import type { Diagnostic } from '../base/result';
import { compileDts, decodeDtb, hasErrors, isDtb, printDts } from '../devicetree/index';
import { utf8Decode } from '../devicetree/text';

/** Compiles source, or passes a blob through. `readText` gives included files by path. Without a blob there is an error among the diagnostics. */
export function compileDeviceTree(bytes: Uint8Array, path: string, readText: (path: string) => string | undefined): { readonly blob: Uint8Array | undefined; readonly diagnostics: readonly Diagnostic[] } {
  if (isDtb(bytes)) return { blob: bytes, diagnostics: [] };
  const { bytes: blob, diagnostics } = compileDts(utf8Decode(bytes), { file: path, files: { readText } });
  return { blob: hasErrors(diagnostics) ? undefined : blob, diagnostics };
}

/** A blob as source text, or a comment that says what is wrong with it. */
export function printDeviceTree(blob: Uint8Array): string {
  const decoded = decodeDtb(blob);
  return decoded.ok ? printDts(decoded.value.tree) : `/* ${decoded.error.message} */\n`;
}

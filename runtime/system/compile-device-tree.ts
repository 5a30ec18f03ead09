/** Device trees as users give them, source or blob, made into blobs. */

import type { Diagnostic } from '../base/result';
import { applyOverlay, compileDts, decodeDtb, encodeDtb, hasErrors, isDtb, printDts, type LinkOptions } from '../devicetree/index';
import { utf8Decode } from '../devicetree/text';

/** How to compile: `readText` gives included files by path; with `symbols`, overlays can name the labels. */
export interface DeviceTreeSources extends LinkOptions {
  readText(path: string): string | undefined;
}

/** Compiles source, or passes a blob through. Without a blob there is an error among the diagnostics. */
export function compileDeviceTree(bytes: Uint8Array, path: string, { readText, ...options }: DeviceTreeSources): { readonly blob: Uint8Array | undefined; readonly diagnostics: readonly Diagnostic[] } {
  if (isDtb(bytes)) return { blob: bytes, diagnostics: [] };
  const { bytes: blob, diagnostics } = compileDts(utf8Decode(bytes), { ...options, file: path, files: { readText } });
  return { blob: hasErrors(diagnostics) ? undefined : blob, diagnostics };
}

/**
 * Applies overlays one after the other, as `fdtoverlay` does. All are blobs; a base from source needs its symbols. Without a blob there is an error
 * among the diagnostics, with the name of the overlay in its text.
 */
export function applyOverlays(base: Uint8Array, overlays: readonly { readonly name: string; readonly blob: Uint8Array }[]): ReturnType<typeof compileDeviceTree> {
  const decoded = decodeDtb(base);
  if (!decoded.ok) return { blob: undefined, diagnostics: [decoded.error] };
  let { tree } = decoded.value;
  for (const { name, blob } of overlays) {
    const overlay = decodeDtb(blob);
    const applied = overlay.ok ? applyOverlay(tree, overlay.value.tree) : overlay;
    if (!applied.ok) return { blob: undefined, diagnostics: [{ ...applied.error, file: name, message: `The overlay cannot be applied: ${applied.error.message}` }] };
    tree = applied.value;
  }
  return { blob: encodeDtb(tree), diagnostics: [] };
}

/** A blob as source text, or a comment that says what is wrong with it. */
export function printDeviceTree(blob: Uint8Array): string {
  const decoded = decodeDtb(blob);
  return decoded.ok ? printDts(decoded.value.tree) : `/* ${decoded.error.message} */\n`;
}

/**
 * Loads a bundled program with what V8 compiled of it while the bundle was made (`compiled-code.mjs`): code that need not be compiled again when it first runs. It is taken only
 * for exactly this program, and by V8 only if it has the same version and flags; otherwise the program is loaded as any other. Nothing is ever written here.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/** What became of the code that lay beside a program. */
export type CodeUse = 'none' | 'refused' | 'used';

/** Bytes in front of the code: a hash of V8's whole version, the program and the code, for V8 itself looks at none of them closely. */
const HASH_SIZE = 32;

/** What code depends on besides the program: an editor may bring a V8 of the same number that was built in another way. */
export const ENGINE = `${process.versions.v8} ${process.platform} ${process.arch}\n`;

/** Runs a program; `beforeCode` does what changes V8's flags, which must be as they were when the code was kept. */
export function runProgram(path: string, beforeCode: () => void): CodeUse {
  const kept = codeFor(path);
  if (kept === undefined) {
    createRequire(path)(path);
    return 'none';
  }
  beforeCode();
  const script = new Script(Module.wrap(kept.text), { filename: path, cachedData: kept.code });
  const run: unknown = script.runInThisContext();
  const program = { exports: {} };
  if (typeof run === 'function') Reflect.apply(run, program.exports, [program.exports, createRequire(path), program, path, dirname(path)]);
  return script.cachedDataRejected === true ? 'refused' : 'used';
}

function codeFor(path: string): { readonly text: string; readonly code: Buffer } | undefined {
  try {
    const kept = readFileSync(`${path}.code`);
    const text = readFileSync(path);
    const code = kept.subarray(HASH_SIZE);
    if (!createHash('sha256').update(ENGINE).update(text).update(code).digest().equals(kept.subarray(0, HASH_SIZE))) return undefined;
    return { text: text.toString('utf8'), code };
  } catch {
    return undefined;
  }
}

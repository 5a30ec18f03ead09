/** `gunyah dt format`: source in Linux style, in place or from standard input to standard output. */

import { formatDts } from '../runtime/devicetree/syntax/format';
import { isDtb } from '../runtime/devicetree/index';
import { parseArguments } from './arguments';
import { expandFiles } from './dt-glob';
import { complain, EXIT_ERRORS, EXIT_USAGE, readFileBytes, STANDARD_STREAM, writeResult } from './dt-files';

/** `dt format`; the exit status: with --check, 1 if a file would change. */
export function formatCommand(words: readonly string[]): number {
  const parsed = parseArguments(words, { check: { takesValue: false } });
  if (typeof parsed === 'string') return complain(parsed);
  if (parsed.positional.length === 0) return complain('Give the source files to format, or - for standard input.');
  const isCheck = parsed.options.has('check');
  const files = expandFiles(parsed.positional);
  if (!files.ok) return complain(files.error);
  const statuses = files.value.map((path) => formatFile(path, isCheck ? 'check' : 'write'));
  return statuses.reduce((worst, status) => Math.max(worst, status), 0);
}

function formatFile(path: string, mode: 'check' | 'write'): number {
  const read = readFileBytes(path);
  if (!read.ok) return complain(read.error);
  const text = sourceOf(read.value);
  if (text === undefined) return complain(`${path} is not device tree source in UTF-8; it stays as it is.`);
  const formatted = formatDts(text);
  const isSame = formatted === text;
  if (mode === 'check') {
    if (!isSame) process.stdout.write(`${path}\n`);
    return isSame ? 0 : EXIT_ERRORS;
  }
  if (isSame && path !== STANDARD_STREAM) return 0;
  const problem = writeResult(path, formatted);
  if (problem === undefined) return 0;
  process.stderr.write(`${problem}\n`);
  return EXIT_USAGE;
}

/** The text of a file, exactly: what would not come back byte for byte is not touched. */
function sourceOf(bytes: Uint8Array): string | undefined {
  if (isDtb(bytes) || bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

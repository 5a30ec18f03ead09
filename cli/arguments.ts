/** Reads command lines: positional words, `--name value` and `-n value` options from a fixed list. */

/** An option: whether it takes a value, may come several times, and has a name of one letter beside its own. */
export interface OptionRow { readonly takesValue: boolean; readonly repeats?: boolean; readonly letter?: string }

/** A parsed command line. */
export interface ParsedArguments {
  readonly positional: readonly string[];
  readonly options: ReadonlyMap<string, readonly string[]>;
}

/** Parses `words`; a sentence that says what is wrong with them otherwise. */
export function parseArguments(words: readonly string[], rows: Readonly<Record<string, OptionRow>>): ParsedArguments | string {
  const positional: string[] = [];
  const options = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') {
      positional.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positional.push(word);
      continue;
    }
    const { shown, name, attached } = word.startsWith('--') ? longOption(word) : letterOption(word, rows);
    const row = name !== undefined && Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (name === undefined || row === undefined) return `There is no option ${shown}.`;
    const given = options.get(name) ?? [];
    if (given.length > 0 && row.repeats !== true) return `${shown} is given twice.`;
    if (!row.takesValue && attached !== undefined) return `${shown} takes no value.`;
    const value = attached ?? (row.takesValue ? words[++i] : '');
    if (value === undefined) return `${shown} needs a value.`;
    options.set(name, [...given, value]);
  }
  return { positional, options };
}

/** An option as written: how to speak of it, its full name, and the value in the same word. */
interface WrittenOption { readonly shown: string; readonly name: string | undefined; readonly attached: string | undefined }

function longOption(word: string): WrittenOption {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  return { shown: `--${name}`, name, attached: equals < 0 ? undefined : word.slice(equals + 1) };
}

function letterOption(word: string, rows: Readonly<Record<string, OptionRow>>): WrittenOption {
  const letter = word.charAt(1);
  const name = Object.keys(rows).find((key) => rows[key]?.letter === letter);
  return { shown: `-${letter}`, name, attached: word.length > 2 ? word.slice(2) : undefined };
}

/** A whole number option in a range; a sentence if it is none. */
export function numberOption(parsed: ParsedArguments, name: string, range: { readonly min: number; readonly max: number; readonly isWhole?: boolean }): number | undefined | string {
  const text = parsed.options.get(name)?.[0];
  if (text === undefined) return undefined;
  const value = Number(text.replaceAll('_', ''));
  const isNumber = /^[\d_]/.test(text) && Number.isFinite(value) && (range.isWhole !== true || Number.isSafeInteger(value));
  if (!isNumber || value < range.min || value > range.max) return `--${name}: "${text}" is no ${range.isWhole === true ? 'whole ' : ''}number from ${range.min} to ${range.max}.`;
  return value;
}

/** `VM=FILE` options. */
export function pairsOption(parsed: ParsedArguments, name: string): Map<string, string> | string {
  const pairs = new Map<string, string>();
  for (const text of parsed.options.get(name) ?? []) {
    const equals = text.indexOf('=');
    if (equals <= 0 || equals === text.length - 1) return `--${name}: "${text}" should be VM=FILE.`;
    pairs.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return pairs;
}

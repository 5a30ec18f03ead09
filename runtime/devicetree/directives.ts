/** Parts of the preprocessor that need none of its state: where literals and directives end, and macros as directives define them. */

import { tokenize, type Macro, type PpToken } from './macros';
import type { SourceOrigin } from './source';

// Written so that a long literal costs no room for going back at each of its characters.
const STRING = /"[^"\\\n]*(?:\\.[^"\\\n]*)*"/y;
const CHARACTER = /'[^'\\\n]*(?:\\.[^'\\\n]*)*'/y;

/** A directive: its name, and the rest of its line. */
export interface DirectiveLine {
  readonly name: string;
  readonly body: string;
  readonly at: number;
  readonly bodyAt: number;
}

/** A macro's body, cut into tokens when the macro is first used: headers define thousands that nobody uses. */
export class LateBody {
  readonly origin: () => SourceOrigin;
  private readonly text: string;
  private cut: readonly PpToken[] | undefined;

  constructor(text: string, origin: () => SourceOrigin) {
    this.text = text;
    this.origin = origin;
  }

  get tokens(): readonly PpToken[] {
    this.cut ??= tokenize(this.text);
    return this.cut;
  }
}

class DefinedMacro implements Macro {
  readonly name: string;
  readonly parameters: readonly string[] | undefined;
  readonly variadic: boolean;
  readonly places: ReadonlyMap<string, number> | undefined;
  private readonly late: LateBody;

  constructor(name: string, late: LateBody, list?: { readonly parameters: readonly string[]; readonly variadic: boolean }) {
    this.name = name;
    this.late = late;
    this.parameters = list?.parameters;
    this.variadic = list?.variadic ?? false;
    // Of two parameters with one name the first counts.
    this.places = list === undefined ? undefined : new Map([...list.parameters.entries()].reverse().map(([place, parameter]) => [parameter, place]));
  }

  get body(): readonly PpToken[] {
    return this.late.tokens;
  }

  get origin(): () => SourceOrigin {
    return this.late.origin;
  }
}

/** A macro with these parameters as written, or `undefined` if they are malformed. */
export function makeMacro(name: string, list: readonly string[] | undefined, late: LateBody): Macro | undefined {
  if (list === undefined) return new DefinedMacro(name, late);
  if (list.length === 1 && list[0] === '') return new DefinedMacro(name, late, { parameters: [], variadic: false });
  const last = list[list.length - 1] ?? '';
  const variadic = last.endsWith('...');
  const parameters = variadic ? [...list.slice(0, -1), last === '...' ? '__VA_ARGS__' : last.slice(0, -3).trim()] : list;
  return parameters.every((parameter) => /^[A-Za-z_$][\w$]*$/.test(parameter)) ? new DefinedMacro(name, late, { parameters, variadic }) : undefined;
}

/** The end of a comment, string or character literal; a quote that is not closed on its line counts for itself. */
export function literalEnd(text: string, at: number, opening: string): number {
  if (opening === '//') return orEnd(text, text.indexOf('\n', at));
  if (opening === '/*') return orEnd(text, text.indexOf('*/', at + 2), 2);
  const literal = opening === '"' ? STRING : CHARACTER;
  literal.lastIndex = at;
  return literal.test(text) ? literal.lastIndex : at + 1;
}

function orEnd(text: string, at: number, extra = 0): number {
  return at < 0 ? text.length : at + extra;
}

/** The rest of a directive with comments as blanks (their length kept), and the start of the next line. */
export function directiveBody(text: string, from: number): { readonly body: string; readonly end: number } {
  const scan = /\/\*|\/\/|"|'|\n/g;
  scan.lastIndex = from;
  let body = '';
  let copied = from;
  for (let match = scan.exec(text); match !== null; match = scan.exec(text)) {
    const [found] = match;
    if (found === '\n') return { body: body + text.slice(copied, match.index), end: match.index + 1 };
    scan.lastIndex = literalEnd(text, match.index, found);
    if (found.startsWith('/')) {
      body += text.slice(copied, match.index) + ' '.repeat(scan.lastIndex - match.index);
      copied = scan.lastIndex;
    }
  }
  return { body: body + text.slice(copied), end: text.length };
}

/** Skips a line that conditions leave out, and with it comments that cross lines. */
export function skipLine(text: string, from: number): number {
  return directiveBody(text, from).end;
}

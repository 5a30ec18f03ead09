/** Parts of the preprocessor that need none of its state: where literals and directives end, and macros as directives define them. */

import { tokenize, type Macro, type PpToken } from './macros';
import type { SourceOrigin, SourceText } from './source';

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

/** Where a macro is defined: at `nameAt` of a source, with its body from `from` to `to` of a text, which may be that of the source without comments. */
export interface MacroPlace {
  source: SourceText;
  nameAt: number;
  text: string;
  from: number;
  to: number;
}

interface ParameterList {
  readonly parameters: readonly string[];
  readonly variadic: boolean;
}

/** A macro whose body is cut into tokens, and whose place is found, when somebody asks: headers define thousands that nobody uses. */
class DefinedMacro implements Macro {
  readonly name: string;
  readonly place: MacroPlace;
  private readonly list: ParameterList | undefined;
  private cut: readonly PpToken[] | undefined;
  private placeOfEach: ReadonlyMap<string, number> | undefined;

  constructor(name: string, place: MacroPlace, list?: ParameterList) {
    this.name = name;
    this.place = place;
    this.list = list;
    this.cut = undefined;
    this.placeOfEach = undefined;
  }

  get parameters(): readonly string[] | undefined {
    return this.list?.parameters;
  }

  get variadic(): boolean {
    return this.list?.variadic ?? false;
  }

  get places(): ReadonlyMap<string, number> | undefined {
    // Of two parameters with one name the first counts.
    return this.placeOfEach ??= this.list === undefined ? undefined : new Map([...this.list.parameters.entries()].reverse().map(([place, parameter]) => [parameter, place]));
  }

  get body(): readonly PpToken[] {
    return this.cut ??= tokenize(this.place.text.slice(this.place.from, this.place.to).trim());
  }

  get text(): string {
    return this.place.text.slice(this.place.from, this.place.to).trim();
  }

  get origin(): SourceOrigin {
    return this.place.source.origin(this.place.nameAt, this.name.length);
  }
}

/** A macro with these parameters as written, or `undefined` if they are malformed. */
export function makeMacro(name: string, list: readonly string[] | undefined, place: MacroPlace): Macro | undefined {
  if (list === undefined) return new DefinedMacro(name, place);
  if (list.length === 1 && list[0] === '') return new DefinedMacro(name, place, { parameters: [], variadic: false });
  const last = list[list.length - 1] ?? '';
  const variadic = last.endsWith('...');
  const parameters = variadic ? [...list.slice(0, -1), last === '...' ? '__VA_ARGS__' : last.slice(0, -3).trim()] : list;
  return parameters.every((parameter) => /^[A-Za-z_$][\w$]*$/.test(parameter)) ? new DefinedMacro(name, place, { parameters, variadic }) : undefined;
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

/** True for a name that begins with a small letter. */
export function beginsSmall(name: string): boolean {
  const code = name.charCodeAt(0);
  return code >= 0x61 && code <= 0x7a;
}

/** True for a name behind a dot that belongs to a number, as the preprocessor reads numbers (`1.E`). */
export function isInNumber(text: string, at: number): boolean {
  if (text.charAt(at - 1) !== '.') return false;
  let begin = at;
  while (begin > 0 && /[\w.$]/.test(text.charAt(begin - 1))) begin--;
  return /^\.?\d/.test(text.slice(begin, at));
}

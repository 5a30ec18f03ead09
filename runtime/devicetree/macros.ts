/**
 * Macros of the C preprocessor and their expansion (C11 6.10.3): object- and function-like, variadic, `#` and `##`,
 * never again within themselves. Tokens here are the preprocessor's, not those of device tree source.
 */

import type { MacroPlace } from './directives';
import type { DtBlanks, DtDiagnosticCode, SourceOrigin } from './source';

/** Most tokens that all expansions of one run may produce. */
export const EXPANSION_TOKENS_MAX = 500_000;
/** Most characters that all expansions of one run may produce, counting those of pasted and quoted tokens. */
export const EXPANSION_CHARACTERS_MAX = 64 * 1024 * 1024;

/** Most macros that may be open within each other. */
const EXPANSION_NESTING_MAX = 1000;
/** Calls without closing parenthesis are searched to the end; after this many, calls are no longer tried. */
const OPEN_CALLS_MAX = 100;

/** Names of macros, immutable; the same additions to the same set give the same object, so that expansion stays cheap. */
class HideSet {
  private readonly names: ReadonlySet<string>;
  private readonly larger = new Map<string, HideSet>();

  constructor(names: ReadonlySet<string> = new Set()) {
    this.names = names;
  }

  get size(): number {
    return this.names.size;
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  with(name: string): HideSet {
    if (this.names.has(name)) return this;
    const known = this.larger.get(name);
    if (known !== undefined) return known;
    const made = new HideSet(new Set(this.names).add(name));
    this.larger.set(name, made);
    return made;
  }

  union(other: HideSet): HideSet {
    let result: HideSet = other;
    for (const name of this.names) result = result.with(name);
    return result;
  }

  intersection(other: HideSet): HideSet {
    return new HideSet(new Set([...this.names].filter((name) => other.has(name))));
  }
}

/** A preprocessing token. */
export interface PpToken {
  readonly kind: 'identifier' | 'number' | 'string' | 'other';
  readonly text: string;
  /** True if white space or a comment stood before it. */
  readonly space: boolean;
  /** Macros whose expansion it came from: they do not apply to it any more. */
  readonly hide?: HideSet;
}

/** A macro. `parameters` is absent for object-like ones. */
export interface Macro {
  readonly name: string;
  readonly parameters?: readonly string[] | undefined;
  /** True if the last parameter takes the rest of the arguments. */
  readonly variadic: boolean;
  /** Where each parameter stands among them. */
  readonly places?: ReadonlyMap<string, number> | undefined;
  readonly body: readonly PpToken[];
  /** The body as written, if a directive defined it, and where. */
  readonly text?: string;
  readonly place?: MacroPlace;
  /** Where its name is defined. */
  readonly origin: SourceOrigin;
}

const PP_TOKEN = /(\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*)|([A-Za-z_$][\w$]*)|(\.?\d(?:[eEpP][+-]|[\w.])*)|("[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')|(##|<<|>>|<=|>=|==|!=|&&|\|\||\.\.\.|[\s\S])/y;

/** Cuts text into preprocessing tokens. */
export function tokenize(text: string): PpToken[] {
  const tokens: PpToken[] = [];
  let space = false;
  PP_TOKEN.lastIndex = 0;
  for (let match = PP_TOKEN.exec(text); match !== null; match = PP_TOKEN.exec(text)) {
    if (match[1] !== undefined) space = true;
    else {
      const kind = match[2] !== undefined ? 'identifier' : match[3] !== undefined ? 'number' : match[4] !== undefined ? 'string' : 'other';
      tokens.push({ kind, text: match[0], space });
      space = false;
    }
  }
  return tokens;
}

/** Tokens as text, with spaces where two of them would otherwise melt together. */
export function spell(tokens: readonly PpToken[]): string {
  let text = '';
  // To look at the end of a long text that grows would take as long as the text is.
  let last = '';
  for (const token of tokens) {
    text += token.space || melts(last, token.text) ? ` ${token.text}` : token.text;
    if (token.text !== '') last = token.text;
  }
  return text;
}

/** True if text that ends like `before` would be cut differently with `after` behind it. */
export function melts(before: string, after: string): boolean {
  const left = before.charAt(before.length - 1);
  const right = after.charAt(0);
  return (/[\w$.]/.test(left) && /[\w$]/.test(right)) || (left === right && /[-+<>&|#]/.test(left)) || (/[<>=!]/.test(left) && right === '=');
}

/** What an expander may still do. */
export interface ExpanderState {
  readonly tokensLeft: number;
  readonly charactersLeft: number;
  readonly exhausted: boolean;
  readonly openCalls: number;
}

/** What an expansion takes from the limits. */
export interface ExpansionCost {
  readonly tokens: number;
  readonly characters: number;
}

/** Applies the macros of a table. */
export class Expander {
  readonly macros: ReadonlyMap<string, Macro>;
  private readonly report: (code: DtDiagnosticCode, blanks?: DtBlanks) => void;
  private tokensLeft = EXPANSION_TOKENS_MAX;
  private charactersLeft = EXPANSION_CHARACTERS_MAX;
  private exhausted = false;
  private readonly nothing = new HideSet();
  private openCalls = 0;

  constructor(macros: ReadonlyMap<string, Macro>, report: (code: DtDiagnosticCode, blanks?: DtBlanks) => void) {
    this.macros = macros;
    this.report = report;
  }

  /** Takes from what is left what an expansion took that is known from before; false if that is too much, or if all is spent. */
  spend({ tokens, characters }: ExpansionCost): boolean {
    if (this.exhausted || this.tokensLeft < tokens || this.charactersLeft < characters) return false;
    this.tokensLeft -= tokens;
    this.charactersLeft -= characters;
    return true;
  }

  /** What was taken since `save` gave this; `undefined` if something else came of it. */
  costSince({ tokensLeft, charactersLeft, exhausted, openCalls }: ExpanderState): ExpansionCost | undefined {
    if (this.exhausted !== exhausted || this.openCalls !== openCalls) return undefined;
    return { tokens: tokensLeft - this.tokensLeft, characters: charactersLeft - this.charactersLeft };
  }

  /** What is left of the limits. */
  save(): ExpanderState {
    const { tokensLeft, charactersLeft, exhausted, openCalls } = this;
    return { tokensLeft, charactersLeft, exhausted, openCalls };
  }

  /** Goes back to what `save` gave. */
  restore(state: ExpanderState): void {
    this.tokensLeft = state.tokensLeft;
    this.charactersLeft = state.charactersLeft;
    this.exhausted = state.exhausted;
    this.openCalls = state.openCalls;
  }

  /** The macro that applies to a token now. */
  applicable(token: PpToken | undefined): Macro | undefined {
    if (token?.kind !== 'identifier' || token.hide?.has(token.text) === true) return undefined;
    return this.macros.get(token.text);
  }

  /** Expands a list of tokens fully. */
  expand(tokens: readonly PpToken[], depth = 0): PpToken[] {
    const out: PpToken[] = [];
    const rest = [...tokens].reverse();
    for (let token = rest.pop(); token !== undefined; token = rest.pop()) {
      const macro = this.exhausted || depth > 200 ? undefined : this.applicable(token);
      const made = macro === undefined ? undefined : this.replace(macro, token, { rest, depth });
      if (made === undefined) out.push(token);
      else for (let index = made.length - 1; index >= 0; index--) rest.push(made[index] ?? token);
    }
    return out;
  }

  private replace(macro: Macro, name: PpToken, context: { readonly rest: PpToken[]; readonly depth: number }): PpToken[] | undefined {
    if (macro.parameters === undefined) return this.substitute(macro, [], { name, hide: (name.hide ?? this.nothing).with(macro.name), depth: context.depth });
    if (context.rest[context.rest.length - 1]?.text !== '(' || this.openCalls > OPEN_CALLS_MAX) return undefined;
    const call = collectArguments(context.rest);
    if (call === undefined) this.openCalls++;
    if (call === undefined) return undefined;
    const args = this.matchArguments(macro, call.args);
    // Copies of the name survive with it hidden, so that a wrong call is not tried forever.
    if (args === undefined) return [{ ...name, hide: (name.hide ?? this.nothing).with(macro.name) }];
    return this.substitute(macro, args, { name, hide: common(name.hide, call.close.hide, this.nothing).with(macro.name), depth: context.depth });
  }

  private matchArguments(macro: Macro, given: readonly (readonly PpToken[])[]): readonly (readonly PpToken[])[] | undefined {
    const expected = macro.parameters?.length ?? 0;
    const first = given[0] ?? [];
    if (expected === 0 && given.length === 1 && first.length === 0) return [];
    if (macro.variadic && given.length >= expected - 1) {
      const fixed = given.slice(0, expected - 1);
      const comma: PpToken = { kind: 'other', text: ',', space: false };
      return [...fixed, given.slice(expected - 1).flatMap((arg, index) => (index === 0 ? arg : [comma, ...arg]))];
    }
    if (given.length === expected) return given;
    this.report('cpp-macro-arguments', { name: macro.name, expected, found: given.length === 1 && first.length === 0 ? 0 : given.length });
    return undefined;
  }

  private substitute(macro: Macro, args: readonly (readonly PpToken[])[], use: { readonly name: PpToken; readonly hide: HideSet; readonly depth: number }): PpToken[] {
    const { body } = macro;
    if (use.hide.size > EXPANSION_NESTING_MAX) this.exhaust();
    const expanded: (readonly PpToken[] | undefined)[] = [];
    const argumentAt = (token: PpToken | undefined) => (token?.kind === 'identifier' ? (macro.places?.get(token.text) ?? -1) : -1);
    const out: PpToken[] = [];
    for (let index = 0; index < body.length && !this.exhausted; index++) {
      const token = body[index];
      if (token === undefined) break;
      const next = body[index + 1];
      if (token.text === '#' && macro.parameters !== undefined && argumentAt(next) >= 0) {
        this.emit(out, [{ ...quote(args[argumentAt(next)] ?? []), space: token.space }]);
        index++;
      } else if (token.text === '##' && out.length + index > 0 && next !== undefined) {
        const at = argumentAt(next);
        this.paste(out, at >= 0 ? (args[at] ?? []) : [next], macro.variadic && at === args.length - 1);
        index++;
      } else if (argumentAt(token) >= 0) {
        const at = argumentAt(token);
        const raw = args[at] ?? [];
        if (next?.text === '##') this.emit(out, raw.length === 0 ? [PLACEMARKER] : leading(raw, token.space));
        else this.emit(out, leading((expanded[at] ??= this.expand(raw, use.depth + 1)), token.space));
      } else this.emit(out, [token]);
    }
    const kept = out.filter((token) => token !== PLACEMARKER);
    return leading(kept, use.name.space).map((token) => ({ ...token, hide: token.hide === undefined || token.hide === use.hide ? use.hide : token.hide.union(use.hide) }));
  }

  /** `a ## b`; GNU's `, ## rest` drops the comma when the rest is empty. */
  private paste(out: PpToken[], right: readonly PpToken[], rest: boolean): void {
    const left = out.pop();
    if (rest && left?.text === ',') {
      this.emit(out, right.length === 0 ? [PLACEMARKER] : [left, ...right]);
      return;
    }
    const [first, ...others] = right;
    const text = `${left === undefined || left === PLACEMARKER ? '' : left.text}${first?.text ?? ''}`;
    const pasted = tokenize(text).map((token, index) => ({ ...token, space: index === 0 && (left?.space ?? false) }));
    this.emit(out, pasted.length === 0 ? [PLACEMARKER, ...others] : [...pasted, ...others]);
  }

  private emit(out: PpToken[], tokens: readonly PpToken[]): void {
    this.tokensLeft -= tokens.length;
    for (const token of tokens) this.charactersLeft -= token.text.length;
    if (this.tokensLeft < 0 || this.charactersLeft < 0) this.exhaust();
    else for (const token of tokens) out.push(token);
  }

  private exhaust(): void {
    if (!this.exhausted) this.report('cpp-macro-too-large', { limit: `${String(EXPANSION_TOKENS_MAX)} tokens or ${String(EXPANSION_NESTING_MAX)} levels` });
    this.exhausted = true;
  }
}

const PLACEMARKER: PpToken = { kind: 'other', text: '', space: false };

function leading(tokens: readonly PpToken[], space: boolean): readonly PpToken[] {
  const [first, ...rest] = tokens;
  return first === undefined || first.space === space ? tokens : [{ ...first, space }, ...rest];
}

function quote(arg: readonly PpToken[]): PpToken {
  const inside = arg.map((token, index) => {
    const text = token.kind === 'string' ? token.text.replace(/[\\"]/g, '\\$&') : token.text;
    return token.space && index > 0 ? ` ${text}` : text;
  }).join('');
  return { kind: 'string', text: `"${inside}"`, space: false };
}

/** Takes `( … )` off a reversed token list; `undefined` and untouched if it does not end. */
function collectArguments(rest: PpToken[]): { readonly args: readonly (readonly PpToken[])[]; readonly close: PpToken } | undefined {
  const args: PpToken[][] = [[]];
  let depth = 0;
  for (let at = rest.length - 1; at >= 0; at--) {
    const token = rest[at];
    if (token === undefined) break;
    if (token.text === ')' && --depth === 0) {
      rest.length = at;
      return { args, close: token };
    }
    if (token.text === ',' && depth === 1) args.push([]);
    else if (depth > 0) args[args.length - 1]?.push(token);
    if (token.text === '(') depth++;
  }
  return undefined;
}

function common(a: HideSet | undefined, b: HideSet | undefined, nothing: HideSet): HideSet {
  if (a === undefined || b === undefined) return nothing;
  return a === b ? a : a.intersection(b);
}

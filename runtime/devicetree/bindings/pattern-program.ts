/**
 * Compiles regular expressions to states that can all be followed at once (Thompson's construction). Knows Python's syntax as bindings use it, with looks ahead; not
 * looks behind, nor references to groups. What a program means for a text is in `pattern.ts`.
 */

/** A set of code units, as ranges; `isNegated` means all others. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly isNegated: boolean;
}

/** A state of a program, with the states that follow it. */
export type State =
  | { readonly kind: 'set'; readonly set: CharacterSet; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'start' | 'end' | 'boundary' | 'inside'; next: number }
  | { readonly kind: 'look'; readonly program: Program; readonly isNegated: boolean; next: number }
  | { readonly kind: 'done' };

/** A compiled pattern; it begins at its last state. */
export type Program = readonly State[];

/** Most states that a pattern may need. */
const STATES_MAX = 4000;
/** Deepest nesting of groups and looks ahead. */
const GROUPS_MAX = 100;

const WORD: readonly (readonly [number, number])[] = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const DIGIT: readonly (readonly [number, number])[] = [[0x30, 0x39]];
const SPACE: readonly (readonly [number, number])[] = [[9, 13], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]];
const ANY: CharacterSet = { ranges: [[10, 10], [13, 13], [0x2028, 0x2029]], isNegated: true };
const CLASSES: Readonly<Record<string, CharacterSet | undefined>> = {
  w: { ranges: WORD, isNegated: false }, W: { ranges: WORD, isNegated: true }, d: { ranges: DIGIT, isNegated: false }, D: { ranges: DIGIT, isNegated: true },
  s: { ranges: SPACE, isNegated: false }, S: { ranges: SPACE, isNegated: true },
};
const CONTROLS: Readonly<Record<string, number | undefined>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 };

/** Gives up on what it does not know. */
class Unknown extends Error {}

/** A part of the program: where it begins, and what must still be told where to go on. */
interface Part {
  readonly start: number;
  readonly exits: readonly ((target: number) => void)[];
}

/** The program of a pattern that is a legal regular expression; `undefined` if it has something unknown or is too large. */
export function compileProgram(source: string): Program | undefined {
  try {
    return new Compiler(source).run();
  } catch (problem) {
    if (problem instanceof Unknown) return undefined;
    throw problem;
  }
}

class Compiler {
  private readonly source: string;
  private states: State[] = [];
  /** States of all programs, those of looks ahead included. */
  private count = 0;
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.source = source;
  }

  run(): Program {
    const part = this.alternatives();
    if (this.at < this.source.length) throw new Unknown();
    this.finish(part);
    return this.states;
  }

  /** Ends a part with success, and makes its beginning the last state. */
  private finish(part: Part): void {
    const done = this.add({ kind: 'done' });
    for (const exit of part.exits) exit(done);
    this.add({ kind: 'split', next: part.start, other: part.start });
  }

  private add(state: State): number {
    if (++this.count > STATES_MAX) throw new Unknown();
    return this.states.push(state) - 1;
  }

  private peek(): string {
    return this.source.charAt(this.at);
  }

  private accept(text: string): boolean {
    const isNext = this.source.startsWith(text, this.at);
    if (isNext) this.at += text.length;
    return isNext;
  }

  private alternatives(): Part {
    let part = this.sequence();
    while (this.accept('|')) part = this.either(part, this.sequence());
    return part;
  }

  private either(one: Part, other: Part): Part {
    const split = this.add({ kind: 'split', next: one.start, other: other.start });
    return { start: split, exits: [...one.exits, ...other.exits] };
  }

  private empty(): Part {
    const state: State = { kind: 'split', next: -1, other: -1 };
    const start = this.add(state);
    return { start, exits: [(target) => { state.next = target; state.other = target; }] };
  }

  private sequence(): Part {
    let part: Part | undefined;
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') {
      const next = this.repeated();
      part = part === undefined ? next : joined(part, next);
    }
    return part ?? this.empty();
  }

  private repeated(): Part {
    const from = this.at;
    const part = this.atom();
    const to = this.at;
    const count = this.quantifier();
    return count === undefined ? part : this.times(part, { ...count, again: this.replayed(from, to) });
  }

  /** Makes a part anew from the source that it was made from. */
  private replayed(from: number, to: number): () => Part {
    return () => {
      const back = this.at;
      this.at = from;
      const part = this.atom();
      if (this.at !== to) throw new Unknown();
      this.at = back;
      return part;
    };
  }

  private quantifier(): { readonly least: number; readonly most: number } | undefined {
    let found: { readonly least: number; readonly most: number } | undefined;
    if (this.accept('*')) found = { least: 0, most: Infinity };
    else if (this.accept('+')) found = { least: 1, most: Infinity };
    else if (this.accept('?')) found = { least: 0, most: 1 };
    else {
      const counted = /\{(\d*)(,?)(\d*)\}/y;
      counted.lastIndex = this.at;
      const match = counted.exec(this.source);
      if (match === null || (match[1] === '' && match[3] === '')) return undefined;
      this.at = counted.lastIndex;
      const least = Number(match[1]);
      found = { least, most: match[2] === '' ? least : match[3] === '' ? Infinity : Number(match[3]) };
    }
    // Greedy or not is the same where nothing is captured.
    this.accept('?');
    return found;
  }

  private times(first: Part, { least, most, again }: { readonly least: number; readonly most: number; readonly again: () => Part }): Part {
    if (least > STATES_MAX || (most !== Infinity && (most > STATES_MAX || most < least))) throw new Unknown();
    if (most === 0) return this.empty();
    if (least === 0 && most === Infinity) return this.star(first);
    let part: Part | undefined = least > 0 ? first : undefined;
    for (let count = 1; count < least; count++) part = part === undefined ? again() : joined(part, again());
    if (most === Infinity) {
      const rest = this.star(again());
      return part === undefined ? rest : joined(part, rest);
    }
    for (let count = least; count < most; count++) {
      const one = this.either(count === 0 ? first : again(), this.empty());
      part = part === undefined ? one : joined(part, one);
    }
    return part ?? this.empty();
  }

  private star(part: Part): Part {
    const state: State = { kind: 'split', next: part.start, other: -1 };
    const loop = this.add(state);
    for (const exit of part.exits) exit(loop);
    return { start: loop, exits: [(target) => { state.other = target; }] };
  }

  private atom(): Part {
    if (this.accept('(')) return this.group();
    if (this.accept('[')) return this.set(this.characterClass());
    if (this.accept('.')) return this.set(ANY);
    if (this.accept('^')) return this.assertion('start');
    if (this.accept('$')) return this.assertion('end');
    if (this.accept('\\')) return this.escape();
    const code = this.source.charCodeAt(this.at++);
    if (/[*+?]/.test(String.fromCharCode(code))) throw new Unknown();
    return this.set({ ranges: [[code, code]], isNegated: false });
  }

  private group(): Part {
    if (++this.depth > GROUPS_MAX) throw new Unknown();
    const look = this.accept('?=') ? 'is' : this.accept('?!') ? 'is not' : undefined;
    const part = look === undefined ? this.plainGroup() : this.look(look);
    if (!this.accept(')')) throw new Unknown();
    this.depth--;
    return part;
  }

  private plainGroup(): Part {
    if (this.accept('?')) {
      const named = /P?<[A-Za-z_]\w*>/y;
      named.lastIndex = this.at;
      if (named.test(this.source)) this.at = named.lastIndex;
      else if (!this.accept(':')) throw new Unknown();
    }
    return this.alternatives();
  }

  /** What must or must not follow is a program of its own. */
  private look(wanted: 'is' | 'is not'): Part {
    const around = this.states;
    this.states = [];
    this.finish(this.alternatives());
    const program = this.states;
    this.states = around;
    return this.single({ kind: 'look', program, isNegated: wanted === 'is not', next: -1 });
  }

  private escape(): Part {
    const character = this.peek();
    if (character === 'b' || character === 'B') return this.assertion(character === 'b' ? 'boundary' : 'inside', 1);
    if (character === 'Z') return this.assertion('end', 1);
    return this.set(this.escaped());
  }

  /** What stands behind a backslash, as a set. */
  private escaped(): CharacterSet {
    const character = this.peek();
    const known = CLASSES[character];
    this.at++;
    if (known !== undefined) return known;
    if (character === 'x' || character === 'u') {
      const digits = this.source.slice(this.at, this.at + (character === 'x' ? 2 : 4));
      if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length !== (character === 'x' ? 2 : 4)) throw new Unknown();
      this.at += digits.length;
      return only(parseInt(digits, 16));
    }
    const control = CONTROLS[character];
    if (control !== undefined && !/\d/.test(this.peek())) return only(control);
    if (character === '' || /[A-Za-z0-9]/.test(character)) throw new Unknown();
    return only(character.charCodeAt(0));
  }

  /** The inside of `[…]`. */
  private characterClass(): CharacterSet {
    const isNegated = this.accept('^');
    const ranges: (readonly [number, number])[] = [];
    while (this.peek() !== ']') {
      if (this.at >= this.source.length) throw new Unknown();
      const first = this.classMember();
      const single = first.ranges.length === 1 && !first.isNegated ? first.ranges[0] : undefined;
      if (this.peek() === '-' && this.source.charAt(this.at + 1) !== ']' && single !== undefined && single[0] === single[1]) {
        this.at++;
        const last = this.classMember();
        const end = last.ranges[0];
        if (last.isNegated || last.ranges.length !== 1 || end?.[0] !== end?.[1] || end === undefined || end[0] < single[0]) throw new Unknown();
        ranges.push([single[0], end[0]]);
      } else ranges.push(...(first.isNegated ? complement(first.ranges) : first.ranges));
    }
    this.at++;
    return { ranges, isNegated };
  }

  private classMember(): CharacterSet {
    if (!this.accept('\\')) return only(this.source.charCodeAt(this.at++));
    if (this.accept('b')) return only(8);
    return this.escaped();
  }

  private set(set: CharacterSet): Part {
    return this.single({ kind: 'set', set, next: -1 });
  }

  private assertion(kind: 'start' | 'end' | 'boundary' | 'inside', length = 0): Part {
    this.at += length;
    return this.single({ kind, next: -1 });
  }

  private single(state: Exclude<State, { readonly kind: 'done' }>): Part {
    const start = this.add(state);
    return { start, exits: [(target) => { state.next = target; }] };
  }
}

function joined(one: Part, other: Part): Part {
  for (const exit of one.exits) exit(other.start);
  return { start: one.start, exits: other.exits };
}

function only(code: number): CharacterSet {
  return { ranges: [[code, code]], isNegated: false };
}

/** All code units outside ascending ranges. */
function complement(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const out: (readonly [number, number])[] = [];
  let from = 0;
  for (const [first, last] of ranges) {
    if (first > from) out.push([from, first - 1]);
    from = last + 1;
  }
  return [...out, [from, 0xffff]];
}

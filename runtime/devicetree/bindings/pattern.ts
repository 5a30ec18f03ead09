/**
 * Patterns of bindings, matched in time that grows with the text, whoever wrote the pattern. The built-in engine goes back when a try fails, and some patterns make that
 * take for ever; where that could happen, all states that a text can be in are followed at once instead.
 */

import { compileProgram, type CharacterSet, type Program, type State } from './pattern-program';

/** A pattern ready to use. */
export interface Pattern {
  /** As it was written. */
  readonly source: string;
  /** True if the pattern matches anywhere in the text. */
  test(text: string): boolean;
}

/** Most steps that the built-in engine may need for a text by a rough estimate. */
const STEPS_MAX = 1_000_000;

/** Most steps of following all states; only looks ahead need so many. What was not decided by then is taken to be as it should. */
const FOLLOWED_MAX = 20_000_000;

/** Answers that are kept for each pattern, and the longest text that one is kept for. */
const FOUND_MAX = 256;
const FOUND_LENGTH_MAX = 1000;

/** A pattern as bindings write it (Python's); `undefined` if it is none, or one that means something else here. */
export function compilePattern(source: string): Pattern | undefined {
  const native = nativeOf(source);
  if (native === undefined) return undefined;
  let repetitions: number | undefined;
  let program: { readonly made: Program | undefined } | undefined;
  /** What following all states found: the same few long names come again and again. */
  const found = new Map<string, boolean>();
  return {
    source,
    test: (text) => {
      repetitions ??= repetitionsOf(source);
      if (Math.pow(text.length + 1, repetitions) <= STEPS_MAX) return native.test(text);
      const known = found.get(text);
      if (known !== undefined) return known;
      program ??= { made: compileProgram(source) };
      // What only going back could tell is taken to be as it should.
      const isFound = program.made === undefined || runs(program.made, { text, left: FOLLOWED_MAX });
      if (found.size >= FOUND_MAX) found.clear();
      if (text.length <= FOUND_LENGTH_MAX) found.set(text, isFound);
      return isFound;
    },
  };
}

function nativeOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source.replace(/\{,(\d+)\}/g, '{0,$1}').replace(/\\Z/g, '$').replace(/\(\?P</g, '(?<'));
  } catch {
    return undefined;
  }
}

/** `(,[0-9a-f]+)*`: a repetition of what begins with a mark that the rest does not hold can be shared out in one way only, so it counts as one. */
const DELIMITED = /\((?:\?:)?([,@:;/])\[((?:[0-9a-zA-Z_.+@:,;/]|[0-9]-[0-9]|[a-z]-[a-z]|[A-Z]-[A-Z])+)\][+*]?\)[*+]/g;

/** How many repetitions can share out a text among them, at most: the power of its length that going back can take. Repetitions within repetitions count as many. */
function repetitionsOf(source: string): number {
  const plain = source.replace(DELIMITED, (group, mark: string, inside: string) => (inside.includes(mark) ? group : 'x*')).replace(/\\./g, 'x').replace(/\[\]?[^\]]*\]/g, 'x');
  // Where a match may begin anywhere, that is one more choice.
  const open: { count: number; hasChoice: boolean }[] = [{ count: source.startsWith('^') ? 0 : 1, hasChoice: false }];
  for (let at = 0; at < plain.length; at++) {
    const character = plain.charAt(at);
    const here = open.at(-1);
    if (here === undefined) return Infinity;
    if (character === '(') open.push({ count: 0, hasChoice: false });
    else if (character === '|' || (character === '?' && plain.charAt(at - 1) !== '(')) here.hasChoice = true;
    else if (/[*+{]/.test(character)) here.count++;
    else if (character === ')') {
      open.pop();
      const outer = open.at(-1);
      const count = here.count + (here.hasChoice ? CHOICE : 0);
      if (outer !== undefined) outer.count += count > 0 && /[*+{]/.test(plain.charAt(at + 1)) ? MANY : count;
    }
    if (character === '?') here.count += CHOICE;
  }
  const [whole] = open;
  // Behind a choice at the top the ^ need not be met.
  return (whole?.count ?? MANY) + (whole?.hasChoice === true ? 1 + CHOICE : 0);
}

/** What one choice between two counts for: not much, but many of them do. */
const CHOICE = 0.25;
const MANY = 1000;

function isIn({ ranges, isNegated }: CharacterSet, code: number): boolean {
  for (const [first, last] of ranges) if (code >= first && code <= last) return !isNegated;
  return isNegated;
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && /\w/.test(String.fromCharCode(code));
}

/** A text, and how many steps are left for it. */
interface Subject {
  readonly text: string;
  left: number;
}

/** True if the program leads to its end from some place of the text, or from `place` only. */
function runs(states: Program, subject: Subject, place?: number): boolean {
  const { text } = subject;
  const marks = new Int32Array(states.length).fill(-1);
  let current: readonly number[] = [];
  for (let at = place ?? 0; at <= text.length; at++) {
    const pending = [...current];
    if (place === undefined || at === place) pending.push(states.length - 1);
    else if (pending.length === 0) return false;
    const next: number[] = [];
    while (pending.length > 0) {
      const index = pending.pop() ?? 0;
      const state = states[index];
      if (state === undefined || marks[index] === at) continue;
      if (subject.left-- <= 0) return true;
      marks[index] = at;
      if (state.kind === 'done') return true;
      if (state.kind === 'split') pending.push(state.other, state.next);
      else if (state.kind !== 'set') {
        if (holdsAt(state, subject, at)) pending.push(state.next);
      } else if (at < text.length && isIn(state.set, text.charCodeAt(at))) next.push(state.next);
    }
    current = next;
  }
  return false;
}

/** True if what a state demands of its place is so. */
function holdsAt(state: Exclude<State, { readonly kind: 'set' | 'split' | 'done' }>, subject: Subject, at: number): boolean {
  const { text } = subject;
  switch (state.kind) {
    case 'start': return at === 0;
    case 'end': return at === text.length;
    case 'look': return runs(state.program, subject, at) !== state.isNegated;
    default: return (isWord(codeAt(text, at - 1)) !== isWord(codeAt(text, at))) === (state.kind === 'boundary');
  }
}

function codeAt(text: string, at: number): number | undefined {
  return at >= 0 && at < text.length ? text.charCodeAt(at) : undefined;
}

/**
 * Edits as people make them, by kind: what is typed, pasted or deleted at which place of a text. Each is undone before the next, so that every kind meets the same
 * text; undoing is an edit like any other. Knows nothing of servers.
 */

/** Characters of a text that become others. */
export interface Change {
  readonly at: number;
  readonly cut: number;
  readonly text: string;
}

/** A kind of edit: the edit number `index` of a text, and all that follows it until it is undone. Of edits one after the other each is made in the text that the one before leaves. */
export type EditKind = (text: string, index: number) => readonly Change[];

/** Lines of a node with all that can be in one. */
const PASTED = `
	pasted-node@0 {
		compatible = "test,pasted";
		reg = <0x0 0x1000>, <0x2000 0x1000>;
		interrupts = <0 1 4>;
		label = "pasted";
		status = "disabled";
		#clock-cells = <1>;
	};
`;

/** One edit at a place, and its undoing. */
function replaced(text: string, at: number, cut: number, put: string): readonly Change[] {
  return [{ at, cut, text: put }, { at, cut: put.length, text: text.slice(at, at + cut) }];
}

/** Typed letter by letter, and then undone at once. */
function typed(at: number, letters: string): readonly Change[] {
  return [...[...letters].map((letter, index) => ({ at: at + index, cut: 0, text: letter })), { at, cut: letters.length, text: '' }];
}

/** The place behind the match number `index` of those in a text that has at least one; takes them in an order that comes to all parts of it soon. */
function place(text: string, pattern: RegExp, index: number): { readonly from: number; readonly to: number } {
  const found = [...text.matchAll(pattern)];
  const match = found[(index * STRIDE) % found.length];
  return match === undefined ? { from: text.length, to: text.length } : { from: match.index, to: match.index + match[0].length };
}

/** A prime that divides no count of places that a file is likely to have. */
const STRIDE = 101;

const PROPERTY = /^\t+[\w,#-]+ = [^;{}]*;\n/gm;
const OPENED = /\{\n/g;
const CLOSED = /^\t*\};\n/gm;

/** Kinds of edits of a file with nodes that concern what is near. */
export const EDIT_KINDS = {
  'a letter in a string': (text, index) => replaced(text, place(text, /"[\w,. -]+(?=")/g, index).to, 0, 'x'),
  'a name of a property': (text, index) => replaced(text, place(text, /^\t+[\w,#-]+(?= = )/gm, index).to, 0, 'x'),
  'a name of a node': (text, index) => replaced(text, place(text, /[\w-]+(?=(@\w+)? \{\n)/g, index).to, 0, 'x'),
  'a label': (text, index) => replaced(text, place(text, /\w+(?=: )/g, index).to, 0, 'x'),
  'status of a node': (text, index) => replaced(text, place(text, OPENED, index).to, 0, '\tstatus = "disabled";\n'),
  'a new property': (text, index) => replaced(text, place(text, OPENED, index).to, 0, '\tx-new = <1>;\n'),
  'a property, letter by letter': (text, index) => typed(place(text, OPENED, index).to, 'x = <&gcc 1>;\n'),
  'a new node': (text, index) => replaced(text, place(text, CLOSED, index).from, 0, '\tnew-node { a; };\n'),
  'a semicolon missing': (text, index) => replaced(text, place(text, PROPERTY, index).to - 2, 1, ''),
  'a brace missing': (text, index) => replaced(text, place(text, CLOSED, index).to - 3, 1, ''),
  'a quote missing': (text, index) => replaced(text, place(text, /"[^"\n]*"(?=;)/g, index).to - 1, 1, ''),
  'a comment typed': (text, index) => typed(place(text, OPENED, index).to, '/* x */'),
  'a line between lines': (text, index) => replaced(text, place(text, /^\n/gm, index).from, 0, '\n'),
  '200 lines pasted': (text, index) => replaced(text, place(text, /^\};\n/gm, index).from, 0, PASTED.repeat(20)),
  'at the top': (text) => replaced(text, text.indexOf('\n') + 1, 0, '// x\n'),
  'at the end': (text) => replaced(text, text.length, 0, '&gcc { };\n'),
} satisfies Readonly<Record<string, EditKind>>;

/** Kinds that mean something for all that is behind: it is no text any more, or nodes get other numbers, since these go by the order of references. */
export const WIDE_KINDS = {
  'a reference': (text, index) => replaced(text, place(text, /<&\w+(?= |>)/g, index).to, 0, 'x'),
  'a line deleted': (text, index) => { const { from, to } = place(text, PROPERTY, index); return replaced(text, from, to - from, ''); },
  'a comment opened': (text, index) => replaced(text, place(text, OPENED, index).to, 0, '/*'),
  'a condition opened': (text, index) => replaced(text, place(text, /^\n/gm, index).from, 0, '#if 0\n'),
} satisfies Readonly<Record<string, EditKind>>;

/** Kinds of edits of a header that everything includes. */
export const HEADER_KINDS = {
  'a comment of a header': (text, index) => replaced(text, place(text, /^ \*/gm, index).to, 0, 'x'),
  'a macro of a header defined': (text, index) => replaced(text, place(text, /^#define/gm, index).from, 0, '#define X_NEW 1\n'),
  'a value of a macro': (text, index) => replaced(text, place(text, /^#define\s+\w+\s+\d+/gm, index).to, 0, '1'),
} satisfies Readonly<Record<string, EditKind>>;

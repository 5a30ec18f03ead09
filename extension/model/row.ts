/**
 * A row of one of our tree views, as data: what it says, how it looks, what commands can act on, and what lies below it.
 *
 * Models produce rows, `panels/tree-view.ts` draws them. No editor types here, so that models are tested without an editor.
 */

/** How a row differs from the previous stop, or how much it matters; decides colour, badge and spoken words. */
export type Tone = 'plain' | 'new' | 'changed' | 'gone' | 'dim' | 'bad';

/** What a row stands for: context commands read it. */
export type Subject =
  | { readonly kind: 'none' }
  | { readonly kind: 'vm'; readonly vmid: number; readonly name: string; readonly memoryBase: string; readonly memorySizeBytes: number }
  | { readonly kind: 'vcpu'; readonly threadId: number; readonly vm: string; readonly pc: string }
  | { readonly kind: 'capability'; readonly vmid: number; readonly vm: string; readonly capId: string; readonly objectType: string; readonly objectId: number }
  | { readonly kind: 'queue'; readonly objectId: number; readonly from: string; readonly to: string; readonly label: string }
  | { readonly kind: 'message'; readonly tick: number; readonly bytes: string }
  | { readonly kind: 'doorbell'; readonly objectId: number; readonly label: string }
  | { readonly kind: 'interrupt'; readonly vm: string; readonly virq: number }
  | { readonly kind: 'thread'; readonly threadId: number }
  | { readonly kind: 'services'; readonly vmid: number; readonly name: string }
  | { readonly kind: 'vmMemory'; readonly vmid: number; readonly name: string }
  /** An event of the trace, by its number. */
  | { readonly kind: 'event'; readonly number: number }
  /** A range of a VM's intermediate addresses. */
  | { readonly kind: 'range'; readonly vmid: number; readonly vm: string; readonly ipa: string; readonly sizeBytes: number }
  /** A range of a VM's addresses that answers without a map. */
  | { readonly kind: 'window'; readonly vmid: number; readonly vm: string; readonly ipa: string; readonly sizeBytes: number };

/** Kind of subject; also the row's context value in menus. */
export type SubjectKind = Subject['kind'];

/** One row. */
export interface Row {
  /** Unique within its view and stable over refreshes, so that the editor keeps what the user expanded. */
  readonly id: string;
  readonly label: string;
  /** Greyed text after the label. */
  readonly description: string;
  /** Markdown. Empty for none. */
  readonly tooltip: string;
  /** Name of a codicon, without `$()`. */
  readonly icon: string;
  readonly tone: Tone;
  readonly subject: Subject;
  readonly children: readonly Row[];
  /** Whether the row starts out expanded. */
  readonly expanded: boolean;
}

const DEFAULTS = { description: '', tooltip: '', icon: '', tone: 'plain', subject: { kind: 'none' }, children: [], expanded: false } as const satisfies Partial<Row>;

/** A row from what differs from an empty plain one. */
export function row(parts: Partial<Row> & Pick<Row, 'id' | 'label'>): Row {
  return { ...DEFAULTS, ...parts };
}

/** A property to show: its name, its value now, and at the last stop if it is worth comparing. */
export interface Property {
  readonly name: string;
  readonly icon: string;
  readonly value: string;
  readonly before?: string | undefined;
}

/** A leaf that names a property and its value, with what it was at the last stop if it changed. */
export function propertyRow(parent: string, { name, icon, value, before }: Property): Row {
  const changed = before !== undefined && before !== value;
  return row({ id: `${parent}/${name}`, label: name, description: changed ? `${value} (was ${before})` : value, tone: changed ? 'changed' : 'plain', icon });
}

/** A row without meaning of its own that holds others together. */
export function groupRow(id: string, label: string, icon: string, children: readonly Row[]): Row {
  const touched = children.some(({ tone }) => tone === 'new' || tone === 'changed' || tone === 'gone');
  return row({ id, label, description: String(children.length), icon, tone: touched ? 'changed' : 'plain', children });
}

/** A row whose children are made when they are first looked at: there may be thousands of them, most of which nobody opens. */
export function lazyRow(parts: Omit<Partial<Row>, 'children'> & Pick<Row, 'id' | 'label'>, make: () => readonly Row[]): Row {
  let made: readonly Row[] | undefined;
  return Object.defineProperty({ ...row(parts) }, 'children', { get: () => (made ??= make()), enumerable: true });
}

/** Rows of a page in `pagedRows`. */
const PAGE_ROWS = 100;
/** As many rows as stand below one parent without pages. */
const UNPAGED_ROWS_MAX = 2 * PAGE_ROWS;

/** A long list: its items, how the row of one is made, what a page is called by its first and last item, and how an item stands against the previous stop. */
export interface LongList<T> {
  readonly id: string;
  readonly items: readonly T[];
  make(item: T): Row;
  title(first: T, last: T): string;
  tone?(item: T): Tone;
}

/** The rows of a list, or pages of a hundred where there are many. A page is marked as changed if one of its rows is, and its rows are made only when it is opened. */
export function pagedRows<T>({ id, items, make, title, tone }: LongList<T>): readonly Row[] {
  if (items.length <= UNPAGED_ROWS_MAX) return items.map((item) => make(item));
  return Array.from({ length: Math.ceil(items.length / PAGE_ROWS) }, (_, page) => items.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS)).flatMap((part, page) => {
    const [first, last] = [part[0], part.at(-1)];
    if (first === undefined || last === undefined) return [];
    const isTouched = tone !== undefined && part.some((item) => ['new', 'changed'].includes(tone(item)));
    const from = page * PAGE_ROWS;
    return [lazyRow({
      id: `${id}/page${page}`, label: title(first, last), description: `${from + 1} to ${from + part.length} of ${items.length}`, icon: 'list-flat', tone: isTouched ? 'changed' : 'plain',
    }, () => part.map((item) => make(item)))];
  });
}

/** How something stands against the previous stop: `comparing` says whether there was one. */
export function toneAgainst<T>(now: T, old: T | undefined, comparing: boolean): Tone {
  if (!comparing) return 'plain';
  if (old === undefined) return 'new';
  return JSON.stringify(now) === JSON.stringify(old) ? 'plain' : 'changed';
}

const TONE_WORDS: Readonly<Record<Tone, string>> = {
  plain: '', new: 'new since the last stop', changed: 'changed since the last stop', gone: 'gone since the last stop', dim: '', bad: 'needs attention',
};

/** What a screen reader says for a row. */
export function accessibleLabel(of: Row): string {
  return [of.label, of.description, TONE_WORDS[of.tone]].filter((part) => part !== '').join(', ');
}

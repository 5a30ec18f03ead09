/**
 * Bodies of nodes that were parsed before, by where they stand in the preprocessed text. After a change, those in text that is as it was are taken as they are,
 * with all that is in them. Places are relative to the body around, so that nothing needs to be counted anew when text moves. Knows nothing of what is in a body.
 */

import type { BodyPlace, WorkNode } from './dts-merge';
import type { Rejoined } from './preprocessor-tail';

/** A body that is known, in the text as it is now. */
export interface KnownBody {
  readonly node: WorkNode;
  readonly end: number;
  /** End of what was looked at for it. */
  readonly seen: number;
}

interface Statement {
  readonly at: number;
  readonly node: WorkNode;
}

/** A body that is being read. */
interface OpenBody {
  readonly at: number;
  height: number;
}

/** Bodies of top-level statements, with all below them. */
export class KnownBodies {
  private readonly statements: Statement[] = [];
  /** Those of the text before that are not read yet. */
  private before: readonly Statement[] = [];
  private readonly open: OpenBody[] = [];
  /** Up to here the text is as it was. */
  private sameEnd = 0;
  private rejoined: Rejoined = NOWHERE;
  /** Bodies that were taken over, with where they are now: the text before is looked up as it was until all is read. */
  private readonly moved: { readonly body: BodyPlace; readonly at: number }[] = [];

  /** How many statements with a body there are. */
  get count(): number {
    return this.statements.length;
  }

  /** Forgets all but the first `count` statements, but for what a text has in common with that before: its first `sameEnd` characters, and what rejoins it. */
  goBack(count: number, sameEnd: number, rejoined: Rejoined | undefined): void {
    for (const { body, at } of this.moved.splice(0)) body.at = at;
    this.before = this.statements.splice(count);
    this.sameEnd = sameEnd;
    this.rejoined = rejoined ?? NOWHERE;
  }

  /** The body whose brace is at `at`, if it was read before and holds no more than `heightMax` nodes within each other. It belongs to the caller, who reads on behind it. */
  find(at: number, heightMax: number): KnownBody | undefined {
    const isEnd = at >= this.rejoined.from;
    if (this.before.length === 0 || !(isEnd || at < this.sameEnd)) return undefined;
    const shift = isEnd ? this.rejoined.shift : 0;
    const node = this.nodeAt(at - shift);
    const place = node?.body;
    if (node === undefined || place === undefined || place.seen < 0 || place.height > heightMax || (!isEnd && at + place.seen > this.sameEnd)) return undefined;
    const around = this.note(node, { at, height: place.height });
    this.moved.push({ body: place, at: at - around });
    return { node, end: at + place.length, seen: at + place.seen };
  }

  /** The node whose body began there in the text before. */
  private nodeAt(at: number): WorkNode | undefined {
    const statement = lastAtMost(this.before, at, ({ at: begin }) => begin);
    let node = statement?.node;
    let rest = at - (statement?.at ?? 0);
    while (node !== undefined && rest > 0) {
      if (rest >= (node.body?.length ?? 0)) return undefined;
      node = lastAtMost(node.children, rest, ({ body }) => body?.at ?? 0);
      rest -= node?.body?.at ?? 0;
    }
    return rest === 0 ? node : undefined;
  }

  /** A body begins. */
  enter(at: number): OpenBody {
    const body = { at, height: 0 };
    this.open.push(body);
    return body;
  }

  /** The body that began last has been read; `seen` is absent if it must be read again each time. */
  leave(node: WorkNode, body: OpenBody, { end, seen }: { readonly end: number; readonly seen: number | undefined }): void {
    this.open.pop();
    const { at, height } = body;
    node.body = { at: at - this.note(node, body), length: end - at, seen: seen === undefined ? -1 : seen - at, height };
  }

  /** A mark that stands among bodies, but is none. */
  pass(mark: WorkNode, at: number): void {
    mark.body = { at: at - (this.open.at(-1)?.at ?? 0), length: 0, seen: -1, height: 0 };
  }

  /** Adds a body to the one around; gives where places in that are counted from. */
  private note(node: WorkNode, { at, height }: OpenBody): number {
    const around = this.open.at(-1);
    if (around === undefined) this.statements.push({ at, node });
    else around.height = Math.max(around.height, height + 1);
    return around?.at ?? at;
  }
}

const NOWHERE: Rejoined = { from: Infinity, shift: 0 };

/** The last of these that begins at or before a place. */
function lastAtMost<T>(ascending: readonly T[], at: number, begin: (item: T) => number): T | undefined {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = ascending[middle];
    if (item !== undefined && begin(item) <= at) low = middle + 1;
    else high = middle;
  }
  return ascending[low - 1];
}

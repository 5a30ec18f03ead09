/** The strings block of a blob (DTSpec 5.5): names of properties, each once. As dtc's, a name that ends an earlier one shares its bytes. */

import { utf8Encode } from '../base/byte-reader';
import type { DtNode } from './tree';

/** The names of a tree, with their offsets in the order in which they are asked for. */
export class NameTable {
  private readonly parts: string[] = [];
  private sizeBytes = 0;
  /** Of the names of the tree, those that an earlier one is or ends with. */
  private readonly known = new Map<string, number>();
  private readonly wanted: EndSet;

  constructor(root: DtNode) {
    this.wanted = new EndSet(root);
  }

  /** The whole block. */
  get text(): string {
    return this.parts.join('');
  }

  /** Where a name stands in the block, in bytes. */
  offsetOf(name: string): number {
    const before = this.known.get(name);
    if (before !== undefined) return before;
    const offset = this.sizeBytes;
    const size = utf8Encode(name).length;
    // The longest end comes first: all ends of a known end are known.
    for (const cut of this.wanted.cutsOf(name)) {
      // Offsets count bytes; names outside ASCII are legal nowhere but must not corrupt the others.
      const end = name.slice(cut);
      if (this.known.has(end)) break;
      this.known.set(end, offset + (size === name.length ? cut : size - utf8Encode(end).length));
    }
    this.known.set(name, offset);
    this.parts.push(`${name}\0`);
    this.sizeBytes += size + 1;
    return offset;
  }
}

/** Tells quickly which ends of a name may be names themselves: there are too many ends to look up each as text. */
class EndSet {
  /** Hashes of all names of a tree, from their last character to the first; 0 where there is none. */
  private readonly hashes: Uint32Array;

  constructor(root: DtNode) {
    let count = 0;
    for (const { properties } of root.walk()) count += properties.length;
    let size = 16;
    while (size < count * 2) size *= 2;
    this.hashes = new Uint32Array(size);
    for (const { properties } of root.walk()) for (const { name } of properties) this.add(name);
  }

  private add(name: string): void {
    const { hashes } = this;
    let hash = SEED;
    for (let at = name.length - 1; at >= 0; at--) hash = mixed(hash, name.charCodeAt(at));
    let place = this.placeOf(hash);
    while (hashes[place] !== 0 && hashes[place] !== hash) place = (place + 1) & (hashes.length - 1);
    hashes[place] = hash;
  }

  private placeOf(hash: number): number {
    return Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d) >>> 7 & (this.hashes.length - 1);
  }

  /** Where such ends of a name begin, the longest first; the whole name is none. */
  cutsOf(name: string): readonly number[] {
    const { hashes } = this;
    const cuts: number[] = [];
    let hash = SEED;
    for (let at = name.length - 1; at > 0; at--) {
      hash = mixed(hash, name.charCodeAt(at));
      let place = this.placeOf(hash);
      for (let there = hashes[place]; there !== undefined && there !== 0; there = hashes[place]) {
        if (there === hash) {
          cuts.push(at);
          break;
        }
        place = (place + 1) & (hashes.length - 1);
      }
    }
    return cuts.reverse();
  }
}

const SEED = 0x811c_9dc5;

function mixed(hash: number, code: number): number {
  const next = Math.imul(hash ^ code, 0x0100_0193) >>> 0;
  return next === 0 ? 1 : next;
}

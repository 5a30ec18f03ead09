/**
 * WebAssembly code as a tree: bytes, nested scopes and branches to scopes by identity.
 *
 * Branch depths are counted only when a tree is flattened, so that pieces of code can be built and combined without
 * knowing what surrounds them. No validation: the host's compiler does that.
 */

import { assert } from '../../base/assert';

/** A branch target: identity is the object itself. */
export interface Label { readonly name: string }

/** `block`, `loop` or `if` with its label and body. */
export interface Scope { readonly kind: 'scope'; readonly head: Code; readonly label: Label; readonly body: Code }

/** The depth of `label`, encoded at this place. */
export interface Depth { readonly kind: 'depth'; readonly label: Label }

/** One piece of code. */
export type Code = number | readonly Code[] | Scope | Depth;

/** Makes a fresh branch target. */
export function label(name: string): Label {
  return { name };
}

/** Unsigned LEB128 of a number below 2^32. */
export function unsignedLeb(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.push(rest);
  return out;
}

/** Signed LEB128 of a 64-bit value. */
export function signedLeb(value: bigint): number[] {
  const out: number[] = [];
  let rest = BigInt.asIntN(64, value);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    out.push(done ? low : low | 0x80);
    if (done) return out;
  }
}

const END = 0x0b;

/** Turns a tree into bytes. */
export function flatten(code: Code): number[] {
  const out: number[] = [];
  const open: Label[] = [];
  const visit = (node: Code): void => {
    if (typeof node === 'number') {
      out.push(node);
    } else if (!('kind' in node)) {
      for (const part of node) visit(part);
    } else if (node.kind === 'depth') {
      const index = open.lastIndexOf(node.label);
      assert(index >= 0, `branch out of scope: ${node.label.name}`);
      out.push(...unsignedLeb(open.length - 1 - index));
    } else {
      visit(node.head);
      open.push(node.label);
      visit(node.body);
      open.pop();
      out.push(END);
    }
  };
  visit(code);
  return out;
}

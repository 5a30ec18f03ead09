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

/** Code that is made when it is flattened, so that a long function never exists as a whole tree. */
export interface Later { readonly kind: 'later'; readonly make: () => Code }

/** One piece of code: a byte, finished bytes, pieces in order, a scope, a reference to one, code to be made. */
export type Code = number | Uint8Array | readonly Code[] | Scope | Depth | Later;

/** Puts off making a piece of code until its place in the function is reached. */
export function later(make: () => Code): Code {
  return { kind: 'later', make };
}

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

/** Signed LEB128 of a 32-bit value. */
export function signedLeb32(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = rest === ((low & 0x40) === 0 ? 0 : -1);
    out.push(done ? low : low | 0x80);
    if (done) return out;
  }
}

const WORD = 0x8000_0000n;

/** Signed LEB128 of a 64-bit value. */
export function signedLeb(value: bigint): number[] {
  if (value < WORD && value >= -WORD) return signedLeb32(Number(value));
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
const FIRST_CAPACITY = 1024;

/** Bytes that grow. */
class ByteSink {
  private bytes = new Uint8Array(FIRST_CAPACITY);
  private length = 0;

  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Unsigned LEB128 without a temporary. */
  pushLeb(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.push(rest);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(more: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

function isSequence(code: Code): code is readonly Code[] {
  return Array.isArray(code);
}

/** Turns a tree into bytes. */
export function flatten(code: Code): Uint8Array {
  const out = new ByteSink();
  const heights = new Map<Label, number>();
  let height = 0;
  const visit = (node: Code): void => {
    if (typeof node === 'number') {
      out.push(node);
    } else if (isSequence(node)) {
      for (const part of node) visit(part);
    } else if (node instanceof Uint8Array) {
      out.append(node);
    } else if ('body' in node) {
      visit(node.head);
      const outer = heights.get(node.label);
      heights.set(node.label, ++height);
      visit(node.body);
      height--;
      if (outer === undefined) heights.delete(node.label);
      else heights.set(node.label, outer);
      out.push(END);
    } else if ('label' in node) {
      const target = heights.get(node.label);
      assert(target !== undefined, `branch out of scope: ${node.label.name}`);
      out.pushLeb(height - target);
    } else if ('make' in node) {
      visit(node.make());
    }
  };
  visit(code);
  return out.finish();
}

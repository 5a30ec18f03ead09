/**
 * Turns the pattern text of an encoding into masks and field positions. Pure arithmetic on one row; the search over rows
 * is in encodings.ts.
 */

import { assert } from '../base/assert';
import type { Encoding, Fields } from './interface';

/** Where a named field sits. `fixedMask` marks the bits of the field that the pattern fixes. */
export interface FieldPosition {
  readonly name: string;
  readonly shift: number;
  readonly width: number;
  readonly fixedMask: number;
}

/** An encoding with its pattern worked out. A word matches when `((word ^ value) & mask) === 0` and `valid` agrees. */
export interface CompiledEncoding {
  readonly encoding: Encoding;
  readonly mask: number;
  readonly value: number;
  /** How many bits `mask` has: the more, the more specific the row. */
  readonly fixedBitCount: number;
  /** Should-be bits and the value they should have. */
  readonly shouldBeMask: number;
  readonly shouldBeValue: number;
  readonly fields: readonly FieldPosition[];
}

interface Token { readonly name: string | undefined; readonly bits: string; readonly shouldBe: boolean }

const parsedTokens = new Map<string, Token>();

/** Few different tokens make up all patterns. */
function parseToken(token: string): Token {
  const known = parsedTokens.get(token) ?? parseNewToken(token);
  parsedTokens.set(token, known);
  return known;
}

function parseNewToken(token: string): Token {
  if (/^[01x]+$/.test(token)) return { name: undefined, bits: token, shouldBe: false };
  if (/^\([01]+\)$/.test(token)) return { name: undefined, bits: token.slice(1, -1), shouldBe: true };
  const match = /^([A-Za-z]\w*)(?::(\d+)|=([01x]+))?$/.exec(token);
  assert(match !== null, `bad pattern token ${token}`);
  const [, name = '', width, bits] = match;
  return { name, bits: bits ?? 'x'.repeat(Number(width ?? '1')), shouldBe: false };
}

/** Works out the pattern of one row. A malformed pattern is our own mistake. */
export function compileEncoding(encoding: Encoding): CompiledEncoding {
  let mask = 0;
  let value = 0;
  let shouldBeMask = 0;
  let shouldBeValue = 0;
  const fields: FieldPosition[] = [];
  let shift = 32;
  for (const token of encoding.pattern.trim().split(/\s+/).map(parseToken)) {
    const width = token.bits.length;
    shift -= width;
    const tokenMask = parseInt(token.bits.replace(/[01]/g, 'f').replace(/x/g, '0').replace(/f/g, '1'), 2);
    const tokenValue = parseInt(token.bits.replace(/x/g, '0'), 2);
    if (token.shouldBe) {
      shouldBeMask |= tokenMask << shift;
      shouldBeValue |= tokenValue << shift;
    } else {
      mask |= tokenMask << shift;
      value |= tokenValue << shift;
    }
    if (token.name !== undefined) fields.push({ name: token.name, shift, width, fixedMask: tokenMask });
  }
  assert(shift === 0, `pattern of ${encoding.name} has ${32 - shift} bits`);
  return {
    encoding, mask: mask >>> 0, value: value >>> 0, fixedBitCount: countBits(mask),
    shouldBeMask: shouldBeMask >>> 0, shouldBeValue: shouldBeValue >>> 0, fields,
  };
}

function countBits(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}

/** The named fields of a word that matches. */
export function extractFields(compiled: CompiledEncoding, word: number): Fields {
  const fields: Record<string, number> = {};
  for (const { name, shift, width } of compiled.fields) {
    const part = width === 32 ? word >>> 0 : (word >>> shift) & ((1 << width) - 1);
    fields[name] = part;
  }
  return fields;
}

/** The word with the given field values; should-be bits have their values. */
export function assemble(compiled: CompiledEncoding, fields: Fields): number {
  let word = compiled.value | compiled.shouldBeValue;
  for (const { name, shift, width } of compiled.fields) {
    const mask = width === 32 ? 0xffff_ffff : (1 << width) - 1;
    word |= ((fields[name] ?? 0) & mask) << shift;
  }
  return word >>> 0;
}

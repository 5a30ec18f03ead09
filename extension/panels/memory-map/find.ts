/** Which ranges of the memory map a text means: an address in one of them, or words that its row has. Pure. */

import type { MapRange } from './messages';

const ADDRESS = /^0x[0-9a-f]{1,16}$/i;

/**
 * Indexes of the ranges that fit. An address fits the range that it lies in, intermediate or physical, and ranges that begin with its digits; of several words a
 * range must have each, upper or lower case.
 */
export function rangesWith(ranges: readonly MapRange[], text: string): readonly number[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return ranges.flatMap((range, index) => (words.every((word) => fits(range, word)) ? [index] : []));
}

function fits(range: MapRange, word: string): boolean {
  const { ipa, pa, sizeBytes } = range;
  const hex = (address: number): string => `0x${address.toString(16)}`;
  if (ADDRESS.test(word)) {
    const at = Number(word);
    const holds = (base: number): boolean => at >= base && at < base + sizeBytes;
    return holds(ipa) || holds(pa) || hex(ipa).startsWith(word) || hex(pa).startsWith(word) || range.memparcel === word;
  }
  const told = [range.stateText, range.owner, range.access, range.memoryType, range.extent, range.memparcel, range.change === 'same' ? '' : range.change, ...range.others.map(({ vm }) => vm)];
  return told.some((part) => part.toLowerCase().includes(word));
}

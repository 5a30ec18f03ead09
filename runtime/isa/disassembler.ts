/**
 * One instruction word to one line of assembly text, in the preferred form of the Arm ARM and the style of GNU objdump.
 * The row comes from the table, the text from the formatter of its class. Symbols are the caller's business: targets are
 * returned as addresses.
 */

import { hex } from '../base/bits';
import { dataProcessingFormatters } from './disassembly-data-processing';
import { floatingPointFormatters } from './disassembly-floating-point';
import { loadStoreFormatters } from './disassembly-load-store';
import { memoryTaggingFormatters } from './disassembly-memory-tagging';
import type { FormatterTable } from './disassembly-operands';
import { scalableFormatters } from './disassembly-scalable';
import { simdFormatters } from './disassembly-simd';
import { systemFormatters } from './disassembly-system';
import { decode } from './encodings';
import type { DisassembledInstruction } from './interface';

/** Formatters of every instruction class. */
export const formatters: FormatterTable = {
  ...dataProcessingFormatters, ...systemFormatters, ...loadStoreFormatters, ...floatingPointFormatters, ...simdFormatters,
  ...memoryTaggingFormatters, ...scalableFormatters,
};

/** The text of the instruction `word` at `address`; `.inst` for a word without a row. Never fails. */
export function disassemble(word: number, address: bigint): DisassembledInstruction {
  const decoded = decode(word);
  const formatter = decoded === undefined ? undefined : formatters[decoded.encoding.class];
  if (decoded === undefined || formatter === undefined) return { mnemonic: '.inst', operands: hex(word >>> 0, 8) };
  return formatter(decoded.fields, decoded.encoding.mnemonic, address);
}

/** Disassembly of the Memory Tagging Extension. */

import { field } from './encoding-rows';
import { gpr, gprOrSp, hexImmediate, memory, signedOffset, text } from './disassembly-operands';
import type { Formatter, FormatterTable } from './disassembly-operands';
import type { Fields } from './interface';

const x = (f: Fields, name: string): string => gpr(true, field(f, name));
const xOrSp = (f: Fields, name: string): string => gprOrSp(true, field(f, name));
const tagOffset = (f: Fields): number => signedOffset(f, 'imm9', 9, 16);
const pairOffset = (f: Fields): number => signedOffset(f, 'imm7', 7, 16);
/** LDG loads into a general register; the stores take the tag from a register or the stack pointer. */
const tagRegister = (f: Fields, mnemonic: string): string => (mnemonic === 'ldg' ? x(f, 'Rt') : xOrSp(f, 'Rt'));

const subtractPointer: Formatter = (f, mnemonic) => f['S'] === 1 && f['Rd'] === 31
  ? text('cmpp', xOrSp(f, 'Rn'), xOrSp(f, 'Rm'))
  : text(mnemonic, x(f, 'Rd'), xOrSp(f, 'Rn'), xOrSp(f, 'Rm'));

const insertTag: Formatter = (f, mnemonic) => mnemonic === 'irg'
  ? text(mnemonic, xOrSp(f, 'Rd'), xOrSp(f, 'Rn'), f['Rm'] === 31 ? undefined : x(f, 'Rm'))
  : text(mnemonic, x(f, 'Rd'), xOrSp(f, 'Rn'), x(f, 'Rm'));

/** Formatters of the memory tagging classes. */
export const memoryTaggingFormatters: FormatterTable = {
  add_sub_tag: (f, mnemonic) => text(mnemonic, xOrSp(f, 'Rd'), xOrSp(f, 'Rn'), hexImmediate(field(f, 'uimm6') * 16), hexImmediate(field(f, 'uimm4'))),
  subtract_pointer: subtractPointer,
  insert_tag: insertTag,
  memory_tag_post_indexed: (f, mnemonic) => text(mnemonic, tagRegister(f, mnemonic), `[${xOrSp(f, 'Rn')}]`, `#${tagOffset(f)}`),
  memory_tag_offset: (f, mnemonic) => text(mnemonic, tagRegister(f, mnemonic), memory(field(f, 'Rn'), tagOffset(f))),
  memory_tag_pre_indexed: (f, mnemonic) => text(mnemonic, tagRegister(f, mnemonic), `[${xOrSp(f, 'Rn')}, #${tagOffset(f)}]!`),
  memory_tag_multiple: (f, mnemonic) => text(mnemonic, x(f, 'Rt'), `[${xOrSp(f, 'Rn')}]`),
  memory_tag_pair_post_indexed: (f, mnemonic) => text(mnemonic, x(f, 'Rt'), x(f, 'Rt2'), `[${xOrSp(f, 'Rn')}]`, `#${pairOffset(f)}`),
  memory_tag_pair_offset: (f, mnemonic) => text(mnemonic, x(f, 'Rt'), x(f, 'Rt2'), memory(field(f, 'Rn'), pairOffset(f))),
  memory_tag_pair_pre_indexed: (f, mnemonic) => text(mnemonic, x(f, 'Rt'), x(f, 'Rt2'), `[${xOrSp(f, 'Rn')}, #${pairOffset(f)}]!`),
};

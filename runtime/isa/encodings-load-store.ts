/** Loads and stores of general-purpose registers: Arm ARM (DDI 0487) C4.1, "Loads and Stores" with V = 0. */

import { field, group } from './encoding-rows';
import type { Row } from './encoding-rows';
import type { Encoding, Fields } from './interface';

/** Base mnemonic with its `size` and `opc` bits: the same in every single-register addressing form. */
const single: readonly (readonly [mnemonic: string, size: string, opc: string])[] = [
  ['strb', '00', '00'], ['ldrb', '00', '01'], ['ldrsb', '00', '1x'],
  ['strh', '01', '00'], ['ldrh', '01', '01'], ['ldrsh', '01', '1x'],
  ['str', '1x', '00'], ['ldr', '1x', '01'], ['ldrsw', '10', '10'],
];
const withPrefetch = [...single, ['prfm', '11', '10'] as const];

const upper = (mnemonic: string): string => mnemonic.toUpperCase();
const immediateRows = (suffix: string): Row[] =>
  single.map(([m, size, opc]) => [`${upper(m)} (immediate)`, m, `size=${size} 111 V=0 00 opc=${opc} 0 imm9:9 ${suffix} Rn:5 Rt:5`]);
/** `ldr` to `ldur`, `ldtr`: the letter goes before the `r`. */
const renamed = (mnemonic: string, letter: string): string =>
  mnemonic === 'prfm' ? 'prfum' : mnemonic.replace(/^(ld|st)r/, `$1${letter}r`);

const singleRegister: readonly Encoding[] = [
  ...group({ class: 'load_literal' }, [
    ['LDR (literal)', 'ldr', 'opc=0x 011 V=0 00 imm19:19 Rt:5'],
    ['LDRSW (literal)', 'ldrsw', 'opc=10 011 V=0 00 imm19:19 Rt:5'],
    ['PRFM (literal)', 'prfm', 'opc=11 011 V=0 00 imm19:19 Rt:5'],
  ]),
  ...group({ class: 'load_store_unsigned_immediate' },
    withPrefetch.map(([m, size, opc]) => [`${upper(m)} (immediate)`, m, `size=${size} 111 V=0 01 opc=${opc} imm12:12 Rn:5 Rt:5`])),
  ...group({ class: 'load_store_unscaled' },
    withPrefetch.map(([m, size, opc]) => [upper(renamed(m, 'u')), renamed(m, 'u'), `size=${size} 111 V=0 00 opc=${opc} 0 imm9:9 00 Rn:5 Rt:5`])),
  ...group({ class: 'load_store_post_indexed' }, immediateRows('01')),
  ...group({ class: 'load_store_unprivileged' },
    single.map(([m, size, opc]) => [upper(renamed(m, 't')), renamed(m, 't'), `size=${size} 111 V=0 00 opc=${opc} 0 imm9:9 10 Rn:5 Rt:5`])),
  ...group({ class: 'load_store_pre_indexed' }, immediateRows('11')),
  ...group({ class: 'load_store_register_offset' },
    withPrefetch.map(([m, size, opc]) => [`${upper(m)} (register)`, m, `size=${size} 111 V=0 00 opc=${opc} 1 Rm:5 option=x1x S 10 Rn:5 Rt:5`])),
];

const pairs: readonly Encoding[] = [
  ...group({ class: 'load_store_no_allocate_pair' }, [
    ['STNP', 'stnp', 'opc=x0 101 V=0 000 L=0 imm7:7 Rt2:5 Rn:5 Rt:5'],
    ['LDNP', 'ldnp', 'opc=x0 101 V=0 000 L=1 imm7:7 Rt2:5 Rn:5 Rt:5'],
  ]),
  ...([['load_store_pair_post_indexed', '001'], ['load_store_pair_offset', '010'], ['load_store_pair_pre_indexed', '011']] as const).flatMap(([name, mode]) =>
    group({ class: name }, [
      ['STP', 'stp', `opc=x0 101 V=0 ${mode} L=0 imm7:7 Rt2:5 Rn:5 Rt:5`],
      ['LDP', 'ldp', `opc=x0 101 V=0 ${mode} L=1 imm7:7 Rt2:5 Rn:5 Rt:5`],
      ['LDPSW', 'ldpsw', `opc=01 101 V=0 ${mode} L=1 imm7:7 Rt2:5 Rn:5 Rt:5`],
    ])),
];

/** Width suffix and `size` bits of exclusives, ordered accesses and atomics. */
const widths = [['b', '00'], ['h', '01'], ['', '1x']] as const;

const exclusives: readonly Encoding[] = [
  ...group({ class: 'load_store_exclusive' }, widths.flatMap(([w, size]): Row[] => [
    [`STXR${upper(w)}`, `stxr${w}`, `size=${size} 001000 o2=0 L=0 o1=0 Rs:5 o0=0 (11111) Rn:5 Rt:5`],
    [`STLXR${upper(w)}`, `stlxr${w}`, `size=${size} 001000 o2=0 L=0 o1=0 Rs:5 o0=1 (11111) Rn:5 Rt:5`],
    [`LDXR${upper(w)}`, `ldxr${w}`, `size=${size} 001000 o2=0 L=1 o1=0 (11111) o0=0 (11111) Rn:5 Rt:5`],
    [`LDAXR${upper(w)}`, `ldaxr${w}`, `size=${size} 001000 o2=0 L=1 o1=0 (11111) o0=1 (11111) Rn:5 Rt:5`],
  ])),
  ...group({ class: 'load_store_exclusive_pair' }, [
    ['STXP', 'stxp', 'size=1x 001000 o2=0 L=0 o1=1 Rs:5 o0=0 Rt2:5 Rn:5 Rt:5'],
    ['STLXP', 'stlxp', 'size=1x 001000 o2=0 L=0 o1=1 Rs:5 o0=1 Rt2:5 Rn:5 Rt:5'],
    ['LDXP', 'ldxp', 'size=1x 001000 o2=0 L=1 o1=1 (11111) o0=0 Rt2:5 Rn:5 Rt:5'],
    ['LDAXP', 'ldaxp', 'size=1x 001000 o2=0 L=1 o1=1 (11111) o0=1 Rt2:5 Rn:5 Rt:5'],
  ]),
  ...group({ class: 'load_store_ordered' }, widths.flatMap(([w, size]): Row[] => [
    [`STLR${upper(w)}`, `stlr${w}`, `size=${size} 001000 o2=1 L=0 o1=0 (11111) o0=1 (11111) Rn:5 Rt:5`],
    [`LDAR${upper(w)}`, `ldar${w}`, `size=${size} 001000 o2=1 L=1 o1=0 (11111) o0=1 (11111) Rn:5 Rt:5`],
  ])),
  ...group({ class: 'load_store_ordered', feature: 'LOR' }, widths.flatMap(([w, size]): Row[] => [
    [`STLLR${upper(w)}`, `stllr${w}`, `size=${size} 001000 o2=1 L=0 o1=0 (11111) o0=0 (11111) Rn:5 Rt:5`],
    [`LDLAR${upper(w)}`, `ldlar${w}`, `size=${size} 001000 o2=1 L=1 o1=0 (11111) o0=0 (11111) Rn:5 Rt:5`],
  ])),
];

/** `cas` with `L` (acquire) and `o0` (release): the letters stand before the width. */
const orderings = [['', '0', '0'], ['a', '1', '0'], ['l', '0', '1'], ['al', '1', '1']] as const;
const bothEven = (f: Fields): boolean => field(f, 'Rs') % 2 === 0 && field(f, 'Rt') % 2 === 0;

const compareAndSwap: readonly Encoding[] = [
  ...group({ class: 'compare_and_swap', feature: 'LSE' }, widths.flatMap(([w, size]) => orderings.map(([order, acquire, release]): Row =>
    [`CAS${upper(w)}`, `cas${order}${w}`, `size=${size} 001000 o2=1 L=${acquire} o1=1 Rs:5 o0=${release} 11111 Rn:5 Rt:5`]))),
  ...group({ class: 'compare_and_swap_pair', feature: 'LSE', valid: bothEven }, orderings.map(([order, acquire, release]): Row =>
    ['CASP', `casp${order}`, `0 sz 001000 o2=0 L=${acquire} o1=1 Rs:5 o0=${release} 11111 Rn:5 Rt:5`])),
];

/** Operation with its `o3` and `opc` bits. */
const atomicOperations = [
  ['ldadd', '0', '000'], ['ldclr', '0', '001'], ['ldeor', '0', '010'], ['ldset', '0', '011'],
  ['ldsmax', '0', '100'], ['ldsmin', '0', '101'], ['ldumax', '0', '110'], ['ldumin', '0', '111'], ['swp', '1', '000'],
] as const;

const atomics: readonly Encoding[] = [
  ...group({ class: 'atomic_memory', feature: 'LSE' }, atomicOperations.flatMap(([operation, o3, opc]) =>
    widths.flatMap(([w, size]) => orderings.map(([order, acquire, release]): Row =>
      [upper(operation + w), `${operation}${order}${w}`, `size=${size} 111 V=0 00 A=${acquire} R=${release} 1 Rs:5 o3=${o3} opc=${opc} 00 Rn:5 Rt:5`])))),
  ...group({ class: 'load_acquire_rcpc', feature: 'LRCPC' }, widths.map(([w, size]): Row =>
    [`LDAPR${upper(w)}`, `ldapr${w}`, `size=${size} 111 V=0 00 A=1 R=0 1 (11111) o3=1 opc=100 00 Rn:5 Rt:5`])),
  ...group({ class: 'load_store_rcpc_unscaled', feature: 'LRCPC2' }, [
    ['STLURB', 'stlurb', 'size=00 011001 opc=00 0 imm9:9 00 Rn:5 Rt:5'],
    ['LDAPURB', 'ldapurb', 'size=00 011001 opc=01 0 imm9:9 00 Rn:5 Rt:5'],
    ['LDAPURSB', 'ldapursb', 'size=00 011001 opc=1x 0 imm9:9 00 Rn:5 Rt:5'],
    ['STLURH', 'stlurh', 'size=01 011001 opc=00 0 imm9:9 00 Rn:5 Rt:5'],
    ['LDAPURH', 'ldapurh', 'size=01 011001 opc=01 0 imm9:9 00 Rn:5 Rt:5'],
    ['LDAPURSH', 'ldapursh', 'size=01 011001 opc=1x 0 imm9:9 00 Rn:5 Rt:5'],
    ['STLUR', 'stlur', 'size=1x 011001 opc=00 0 imm9:9 00 Rn:5 Rt:5'],
    ['LDAPUR', 'ldapur', 'size=1x 011001 opc=01 0 imm9:9 00 Rn:5 Rt:5'],
    ['LDAPURSW', 'ldapursw', 'size=10 011001 opc=10 0 imm9:9 00 Rn:5 Rt:5'],
  ]),
  ...group({ class: 'load_authenticated', feature: 'PAUTH' }, [
    ['LDRAA, LDRAB', 'ldraa', 'size=11 111 V=0 00 M=0 S 1 imm9:9 W 1 Rn:5 Rt:5'],
    ['LDRAA, LDRAB', 'ldrab', 'size=11 111 V=0 00 M=1 S 1 imm9:9 W 1 Rn:5 Rt:5'],
  ]),
];

/** All rows of this group. */
export const loadStoreEncodings: readonly Encoding[] = [...singleRegister, ...pairs, ...exclusives, ...compareAndSwap, ...atomics];

/** The Memory Tagging Extension (FEAT_MTE): Arm ARM (DDI 0487) C4.1, rows spread over the data processing and load/store groups. */

import { group } from './encoding-rows';
import type { Row } from './encoding-rows';
import type { Encoding } from './interface';

/** Mnemonic and `opc` of the stores of allocation tags; each has post-indexed, offset and pre-indexed forms. */
const tagStores = [['stg', '00'], ['stzg', '01'], ['st2g', '10'], ['stz2g', '11']] as const;
const tagStoreModes = [['memory_tag_post_indexed', '01'], ['memory_tag_offset', '10'], ['memory_tag_pre_indexed', '11']] as const;
const pairModes = [['memory_tag_pair_post_indexed', '001'], ['memory_tag_pair_offset', '010'], ['memory_tag_pair_pre_indexed', '011']] as const;

/** All rows of this group. */
export const memoryTaggingEncodings: readonly Encoding[] = [
  ...group({ class: 'add_sub_tag', feature: 'MTE' }, [
    ['ADDG', 'addg', 'sf=1 op=0 S=0 1000110 uimm6:6 (00) uimm4:4 Rn:5 Rd:5'],
    ['SUBG', 'subg', 'sf=1 op=1 S=0 1000110 uimm6:6 (00) uimm4:4 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'subtract_pointer', feature: 'MTE' }, [
    ['SUBP', 'subp', 'sf=1 0 S=0 11010110 Rm:5 opcode=000000 Rn:5 Rd:5'],
    ['SUBPS', 'subps', 'sf=1 0 S=1 11010110 Rm:5 opcode=000000 Rn:5 Rd:5'],
  ]),
  ...group({ class: 'insert_tag', feature: 'MTE' }, [
    ['IRG', 'irg', 'sf=1 0 S=0 11010110 Rm:5 opcode=000100 Rn:5 Rd:5'],
    ['GMI', 'gmi', 'sf=1 0 S=0 11010110 Rm:5 opcode=000101 Rn:5 Rd:5'],
  ]),
  ...tagStoreModes.flatMap(([name, mode]) => group({ class: name, feature: 'MTE' }, tagStores.map(([mnemonic, opc]): Row =>
    [mnemonic.toUpperCase(), mnemonic, `11011001 opc=${opc} 1 imm9:9 ${mode} Rn:5 Rt:5`]))),
  ...group({ class: 'memory_tag_offset', feature: 'MTE' }, [['LDG', 'ldg', '11011001 opc=01 1 imm9:9 00 Rn:5 Rt:5']]),
  ...group({ class: 'memory_tag_multiple', feature: 'MTE' }, [
    ['STZGM', 'stzgm', '11011001 opc=00 1 000000000 00 Rn:5 Rt:5'],
    ['STGM', 'stgm', '11011001 opc=10 1 000000000 00 Rn:5 Rt:5'],
    ['LDGM', 'ldgm', '11011001 opc=11 1 000000000 00 Rn:5 Rt:5'],
  ]),
  ...pairModes.flatMap(([name, mode]) => group({ class: name, feature: 'MTE' }, [
    ['STGP', 'stgp', `opc=01 101 V=0 ${mode} L=0 imm7:7 Rt2:5 Rn:5 Rt:5`],
  ])),
];

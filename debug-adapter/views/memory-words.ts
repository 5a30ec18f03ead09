/** Words for memory: access bits, memory types, page addresses. */

import { hex } from '../../runtime/index';

const MEMORY_TYPES: Readonly<Record<number, string>> = { 0: 'device-nGnRnE', 1: 'device-nGnRE', 2: 'device-nGRE', 3: 'device-GRE', 5: 'normal-nc', 0xa: 'normal-wt', 0xf: 'normal-wb' };

/** Gunyah API: pgtable_access as `RWX`. */
export function accessText(access: number): string {
  return [(access & 4) !== 0 ? 'R' : '-', (access & 2) !== 0 ? 'W' : '-', (access & 1) !== 0 ? 'X' : '-'].join('');
}

/** Gunyah API: pgtable_vm_memtype. */
export function memoryTypeText(type: number): string {
  return MEMORY_TYPES[type] ?? `type ${type}`;
}

/** The address of a page. */
export function hexPage(page: number): string {
  return hex(BigInt(page) << 12n);
}

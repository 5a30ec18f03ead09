/**
 * What a descriptor of a translation table says, in the names of the Arm ARM (DDI 0487) D8.3 and in words. Pure decoding of one 64-bit value;
 * finding descriptors is `page-walk.ts`.
 */

/** A field by name with its value in words. */
export interface DescriptorField { readonly name: string; readonly value: string }
/** What a descriptor is at its level. */
export type DescriptorKind = 'table' | 'block' | 'page' | 'invalid' | 'unreadable';

const SHAREABILITY = ['non-shareable', 'reserved', 'outer shareable', 'inner shareable'] as const;
const STAGE1_ACCESS = ['EL1 RW, EL0 none', 'EL1 RW, EL0 RW', 'EL1 RO, EL0 none', 'EL1 RO, EL0 RO'] as const;
const STAGE2_ACCESS = ['none', 'read-only', 'write-only', 'read-write'] as const;
const STAGE2_EXECUTE = ['EL1 and EL0', 'EL0 only', 'never', 'EL1 only'] as const;
const STAGE2_DEVICES = ['Device-nGnRnE', 'Device-nGnRE', 'Device-nGRE', 'Device-GRE'] as const;
const STAGE2_CACHES = ['reserved', 'Non-cacheable', 'Write-Through', 'Write-Back'] as const;
const DEVICE_ATTRIBUTES: Readonly<Record<number, string>> = { 0x00: 'Device-nGnRnE', 0x04: 'Device-nGnRE', 0x08: 'Device-nGRE', 0x0c: 'Device-GRE' };

const bits = (value: bigint, high: number, low: number): number => Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
const flag = (value: bigint, position: number): string => String(bits(value, position, position));

/** The attributes of one byte of MAIR_EL1 (Arm ARM D19.2, MAIR_EL1). */
export function memoryAttributeWords(attribute: number): string {
  const device = DEVICE_ATTRIBUTES[attribute & 0xfe];
  if ((attribute & 0xf0) === 0) return device ?? `reserved ${hexByte(attribute)}`;
  if (attribute === 0xf0) return 'Normal Tagged Write-Back';
  const [outer, inner] = [cacheWords(attribute >> 4), cacheWords(attribute & 0xf)];
  return outer === inner ? `Normal ${outer}` : `Normal outer ${outer}, inner ${inner}`;
}

function cacheWords(nibble: number): string {
  if (nibble === 4) return 'Non-cacheable';
  const kind = (nibble & 4) === 0 ? 'Write-Through' : 'Write-Back';
  return (nibble & 8) === 0 ? `${kind} transient` : kind;
}

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

/** The fields of a stage-1 descriptor; `mair` is MAIR_EL1. */
export function stage1Fields(descriptor: bigint, kind: DescriptorKind, mair: bigint): DescriptorField[] {
  if (kind === 'table') {
    return [
      { name: 'APTable', value: String(bits(descriptor, 62, 61)) }, { name: 'UXNTable', value: flag(descriptor, 60) }, { name: 'PXNTable', value: flag(descriptor, 59) },
    ];
  }
  if (kind !== 'block' && kind !== 'page') return [];
  const index = bits(descriptor, 4, 2);
  return [
    { name: 'UXN', value: flag(descriptor, 54) }, { name: 'PXN', value: flag(descriptor, 53) }, { name: 'Contiguous', value: flag(descriptor, 52) },
    { name: 'DBM', value: flag(descriptor, 51) }, { name: 'GP', value: flag(descriptor, 50) }, { name: 'nG', value: flag(descriptor, 11) }, { name: 'AF', value: flag(descriptor, 10) },
    { name: 'SH', value: SHAREABILITY[bits(descriptor, 9, 8)] ?? '' }, { name: 'AP', value: STAGE1_ACCESS[bits(descriptor, 7, 6)] ?? '' },
    { name: 'AttrIndx', value: `${index}: ${memoryAttributeWords(bits(mair, index * 8 + 7, index * 8))}` },
  ];
}

/** The fields of a stage-2 descriptor. */
export function stage2Fields(descriptor: bigint, kind: DescriptorKind): DescriptorField[] {
  if (kind !== 'block' && kind !== 'page') return [];
  const attribute = bits(descriptor, 5, 2);
  return [
    { name: 'execute', value: STAGE2_EXECUTE[bits(descriptor, 54, 53)] ?? '' }, { name: 'Contiguous', value: flag(descriptor, 52) }, { name: 'AF', value: flag(descriptor, 10) },
    { name: 'SH', value: SHAREABILITY[bits(descriptor, 9, 8)] ?? '' }, { name: 'S2AP', value: STAGE2_ACCESS[bits(descriptor, 7, 6)] ?? '' }, { name: 'MemAttr', value: stage2MemoryWords(attribute) },
  ];
}

/** MemAttr of stage 2 without FEAT_S2FWB: outer in bits 3:2, inner in 1:0. */
export function stage2MemoryWords(attribute: number): string {
  const [outer, inner] = [attribute >> 2, attribute & 3];
  if (outer === 0) return STAGE2_DEVICES[inner] ?? '';
  const [outerText, innerText] = [STAGE2_CACHES[outer] ?? '', STAGE2_CACHES[inner] ?? ''];
  return outerText === innerText ? `Normal ${outerText}` : `Normal outer ${outerText}, inner ${innerText}`;
}

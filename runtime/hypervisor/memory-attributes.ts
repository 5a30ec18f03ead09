/** Encodings of memory attributes in hypercall arguments (Gunyah API: memextent_attrs, memextent_mapping_attrs, memextent_access_attrs). */

import type { PageAttributes } from './pgtable';

/** What mappings an extent admits. */
export type ExtentMemoryType = 'any' | 'device' | 'uncached';

/** Decoded memextent_attrs. */
export interface ExtentAttributes { readonly access: number; readonly memoryType: ExtentMemoryType; readonly kind: 'basic' | 'sparse' }

const ACCESS_VALUES = [0, 1, 2, 4, 5, 6, 7];
const MEMORY_TYPES = [0, 1, 2, 3, 5, 6, 7, 9, 0xa, 0xb, 0xd, 0xe, 0xf];
const TYPE_NAMES: readonly ExtentMemoryType[] = ['any', 'device', 'uncached'];

/** memextent_attrs; `undefined` where the call answers ARGUMENT_INVALID (reserved, append, cached, no or undefined access). */
export function decodeExtentAttributes(value: number): ExtentAttributes | undefined {
  if ((value & ~0x0003_0307) !== 0) return undefined;
  const access = value & 7;
  const memoryType = TYPE_NAMES[(value >>> 8) & 3];
  const kind = (value >>> 16) & 3;
  if (access === 0 || !ACCESS_VALUES.includes(access) || memoryType === undefined || kind > 1) return undefined;
  return { access, memoryType, kind: kind === 0 ? 'basic' : 'sparse' };
}

/** memextent_access_attrs; read and write follow the kernel's value, only execution may differ for EL0. */
export function decodeAccess(value: number): { readonly kernel: number; readonly user: number } | undefined {
  if ((value & ~0x77) !== 0) return undefined;
  const user = value & 7;
  const kernel = (value >>> 4) & 7;
  if (!ACCESS_VALUES.includes(user) || !ACCESS_VALUES.includes(kernel)) return undefined;
  return { kernel, user: (kernel & 6) | (user & 1) };
}

/** memextent_mapping_attrs. */
export function decodeMappingAttributes(value: number): PageAttributes | undefined {
  if ((value & ~0x00ff_0077) !== 0) return undefined;
  const access = decodeAccess(value & 0x77);
  const memoryType = (value >>> 16) & 0xff;
  return access === undefined || !MEMORY_TYPES.includes(memoryType) ? undefined : { ...access, memoryType };
}

/** The same, backwards. */
export function encodeMappingAttributes(attributes: PageAttributes): number {
  return attributes.user | (attributes.kernel << 4) | (attributes.memoryType << 16);
}

/** ANY admits everything, DEVICE the device types, UNCACHED those and normal non-cacheable. */
export function memoryTypeFits(extent: ExtentMemoryType, memoryType: number): boolean {
  return extent === 'any' || memoryType <= 3 || (extent === 'uncached' && memoryType === 5);
}

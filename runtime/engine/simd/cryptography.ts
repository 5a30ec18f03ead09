/** SIMD functions of the cryptographic extension: Arm ARM (DDI 0487) pseudocode AESSubBytes …, SHA1 and SHA256 hash updates. */

import type { SimdBody } from './lanes';

/** All functions of this file by name. */
export const cryptographyFunctions: ReadonlyMap<string, SimdBody> = new Map<string, SimdBody>();

/**
 * What a guest finds out about the hypervisor under it, and what each generation of Linux's Gunyah drivers makes of that under
 * `/sys/hypervisor`. The drivers' texts are those of the public patch series.
 */

import { hex, HYP_API_FLAGS_0, HYP_API_INFO, type System } from '../../runtime/index';
import type { HypervisorIdentity, LinuxGeneration, SysfsFile } from '../protocol/index';

const GUNYAH_UID = 'c1d58fcd-a453-5fdb-9265-ce36673d5f14';
const API_VERSION_MASK = 0x3fffn;
const BIG_ENDIAN = 1n << 14n;
const IS_64_BIT = 1n << 15n;
const VARIANT_SHIFT = 56n;
const SCHEDULER_SHIFT = 28n;
/** Words for the bits of api_flags_0 (Gunyah API: hypervisor_identify). */
const FEATURES: readonly (readonly [bit: number, word: string])[] = [
  [0, 'cspace'], [1, 'doorbell'], [2, 'message-queue'], [3, 'vic'], [4, 'vpm'], [5, 'vcpu'], [6, 'memextent'], [7, 'trace'], [8, 'watchdog'], [9, 'virtio-mmio'], [10, 'prng'], [11, 'vcpu-run'],
];
/** What v4 prints of them. */
const FEATURES_OF_V4: readonly string[] = ['cspace', 'message-queue'];

/** Generations of the drivers, and the order of the UID's words that each expects. */
const GENERATIONS: readonly { readonly generation: string; readonly expects: 'gunyah' | 'gunyah-legacy'; readonly files: (known: Known) => readonly SysfsFile[] }[] = [
  { generation: 'v2', expects: 'gunyah-legacy', files: ({ api, variant }) => [file('type', 'gunyah'), file('version/api', api), file('version/variant', variant), file('features', '')] },
  { generation: 'v3', expects: 'gunyah-legacy', files: ({ api, variant }) => [file('type', 'gunyah'), file('gunyah/api', api), file('gunyah/variant', variant)] },
  { generation: 'v4', expects: 'gunyah-legacy', files: ({ api, variant, features }) => [file('gunyah/api', api), file('gunyah/variant', variant), file('gunyah/features', featuresLine(features))] },
  { generation: 'v5 to v10', expects: 'gunyah-legacy', files: () => [] },
  { generation: 'v11 and later', expects: 'gunyah', files: () => [] },
];

interface Known { readonly api: string; readonly variant: string; readonly features: readonly string[] }

function file(path: string, value: string): SysfsFile {
  return { path: `/sys/hypervisor/${path}`, text: `${value}\n` };
}

/** Each word is followed by a space. */
function featuresLine(features: readonly string[]): string {
  return features.filter((word) => FEATURES_OF_V4.includes(word)).map((word) => `${word} `).join('');
}

/** What the guests of a system see. */
export function hypervisorIdentity(system: System): HypervisorIdentity {
  const kind = system.description.identity;
  if (kind === 'none') return { kind, uid: null, apiVersion: null, variant: null, isBigEndian: false, is64Bit: true, features: [], apiInfo: null, apiFlags: [], linux: [] };
  const apiVersion = Number(HYP_API_INFO & API_VERSION_MASK);
  const variant = Number(HYP_API_INFO >> VARIANT_SHIFT);
  const words = FEATURES.filter(([bit]) => ((HYP_API_FLAGS_0 >> BigInt(bit)) & 1n) === 1n).map(([, word]) => word);
  const features = ((HYP_API_FLAGS_0 >> SCHEDULER_SHIFT) & 15n) === 1n ? [...words, 'scheduler: fixed-priority round robin'] : words;
  const known = { api: String(apiVersion), variant: String(variant), features };
  const linux = GENERATIONS.map(({ generation, expects, files }): LinuxGeneration => ({ generation, isRecognised: expects === kind, files: expects === kind ? files(known) : [] }));
  return {
    kind, uid: GUNYAH_UID, apiVersion, variant, isBigEndian: (HYP_API_INFO & BIG_ENDIAN) !== 0n, is64Bit: (HYP_API_INFO & IS_64_BIT) !== 0n, features,
    apiInfo: hex(HYP_API_INFO), apiFlags: [hex(HYP_API_FLAGS_0), hex(0n), hex(0n)], linux,
  };
}

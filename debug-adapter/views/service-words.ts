/**
 * Words for the numbers of firmware-style calls: functions that are asked about, vCPUs and their states, versions, errors. Numbers stay beside their words.
 *
 * Sources: Arm DEN0022 (PSCI), DEN0028 (SMCCC), DEN0098 (TRNG).
 */

import { serviceName } from '../../runtime/index';

/** A firmware-style call and one of its registers. */
export interface ServiceValue { readonly kind: 'psci' | 'smccc'; readonly call: string; readonly name: string; readonly value: bigint }

const PSCI_ERRORS: Readonly<Record<number, string>> = {
  0: 'SUCCESS', [-1]: 'NOT_SUPPORTED', [-2]: 'INVALID_PARAMETERS', [-3]: 'DENIED', [-4]: 'ALREADY_ON', [-5]: 'ON_PENDING', [-6]: 'INTERNAL_FAILURE', [-7]: 'NOT_PRESENT', [-8]: 'DISABLED',
  [-9]: 'INVALID_ADDRESS',
};
const SMCCC_ERRORS: Readonly<Record<number, string>> = { 0: 'SUCCESS', [-1]: 'NOT_SUPPORTED', [-2]: 'NOT_REQUIRED', [-3]: 'INVALID_PARAMETER' };
const TRNG_ERRORS: Readonly<Record<number, string>> = { 0: 'SUCCESS', [-1]: 'NOT_SUPPORTED', [-2]: 'INVALID_PARAMETERS', [-3]: 'NO_ENTROPY' };
const AFFINITY_STATES: Readonly<Record<number, string>> = { 0: 'ON', 1: 'OFF', 2: 'ON_PENDING' };
const MIGRATE_TYPES: Readonly<Record<number, string>> = { 0: 'one CPU, can migrate', 1: 'one CPU, cannot migrate', 2: 'nothing to migrate' };
/** Calls whose first argument is the identifier of another function. */
const ASKING: ReadonlySet<string> = new Set(['PSCI_FEATURES', 'SMCCC_ARCH_FEATURES', 'TRNG_FEATURES', 'PV_TIME_FEATURES']);
/** Calls whose result is a version, sixteen bits each. */
const VERSIONS: ReadonlySet<string> = new Set(['PSCI_VERSION', 'SMCCC_VERSION', 'TRNG_VERSION']);
/** Calls that answer with data, where only an error has a name. */
const ANSWERING: ReadonlySet<string> = new Set(['STD_HYP_CALL_UID', 'VENDOR_HYP_CALL_UID', 'STD_HYP_REVISION', 'VENDOR_HYP_REVISION', 'TRNG_GET_UUID', 'KVM_FEATURES', 'KVM_PTP', 'PV_TIME_ST']);
const AFFINITY_BITS = 0xff_00ff_ffffn;
const SVE_HINT = 0x1_0000n;

/** What a register of a call, or its `result`, says; undefined if it counts or measures. */
export function wordsOfService({ kind, call, name, value }: ServiceValue): string | undefined {
  if (name === 'result') return resultWords(kind, call, value);
  if (name !== 'x1') return undefined;
  if (ASKING.has(call)) return serviceName(Number(value & 0xffff_ffffn & ~SVE_HINT));
  if (call === 'CPU_ON' || call === 'AFFINITY_INFO') return affinityWords(value);
  if (call === 'SYSTEM_RESET2') return (value & 0xffff_ffffn) === 0n ? 'warm reset' : undefined;
  return undefined;
}

function resultWords(kind: ServiceValue['kind'], call: string, value: bigint): string | undefined {
  // A 32-bit call answers in 32 bits, zero-extended.
  const number = Number(BigInt.asIntN(value >> 32n === 0n ? 32 : 64, value));
  if (VERSIONS.has(call) && number > 0) return `version ${number >> 16}.${number & 0xffff}`;
  if (call === 'AFFINITY_INFO' && number >= 0) return AFFINITY_STATES[number];
  if (call === 'MIGRATE_INFO_TYPE' && number >= 0) return MIGRATE_TYPES[number];
  if (ANSWERING.has(call) && number >= 0) return undefined;
  if (kind === 'psci') return PSCI_ERRORS[number];
  return (call.startsWith('TRNG_') ? TRNG_ERRORS : SMCCC_ERRORS)[number];
}

/** MPIDR as the CPU's number where affinity 0 alone says it, which is so for the vCPUs of Gunyah. */
function affinityWords(value: bigint): string | undefined {
  const affinity = value & AFFINITY_BITS;
  return affinity < 0x100n ? `cpu${affinity}` : undefined;
}

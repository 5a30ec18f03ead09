/** Registers and values of the hypercall services as people write them, and as they are shown. */

import { hex, PSCI_VERSIONS, type VmServices } from '../runtime/index';

const PREFIX = 'KVM_REG_ARM_';

/** A register's id from its number, its name, or its name without `KVM_REG_ARM_`; undefined if the VM has none of that name. A number need not exist. */
export function readRegister(services: VmServices, text: string): bigint | undefined {
  if (/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text)) return BigInt(text);
  const wanted = text.toUpperCase();
  return services.list().find(({ name }) => name === wanted || name === `${PREFIX}${wanted}`)?.id;
}

/** Levels of the registers of mitigations. Linux: KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_n. */
const LEVELS: readonly string[] = ['not available', 'available', 'not required'];
const LEVELS_OF_2: readonly string[] = ['not available', 'unknown', 'available', 'not required'];

/** What a register's value says: names of the bits that are set, a version, a level; undefined if it says nothing more than its number. */
export function wordsOfRegister(services: VmServices, id: bigint, value: bigint): string | undefined {
  const name = services.nameOf(id);
  if (name === undefined) return undefined;
  if (name === 'KVM_REG_ARM_PSCI_VERSION') return Object.entries(PSCI_VERSIONS).find(([, number]) => number === value)?.[0];
  if (name.includes('WORKAROUND')) return (name.endsWith('_2') ? LEVELS_OF_2 : LEVELS)[Number(value & 15n)];
  return services.bitsOf(name).filter(({ bit }) => ((value >> BigInt(bit)) & 1n) === 1n).map((bit) => bit.name).join(', ') || 'none';
}

/** What values a register takes, in a sentence without its full stop. */
export function valuesText(services: VmServices, id: bigint): string {
  const name = services.nameOf(id);
  if (name === undefined) return 'there is no such register';
  if (name === 'KVM_REG_ARM_PSCI_VERSION') return `versions are ${Object.keys(PSCI_VERSIONS).filter((version) => version !== '0.1').join(', ')}`;
  if (name.includes('WORKAROUND')) return `levels go up to the host's, ${String(services.get(id))}`;
  const supported = services.supportedBits(name);
  const bits = services.bitsOf(name).filter(({ bit }) => ((supported >> BigInt(bit)) & 1n) === 1n);
  return bits.length === 0 ? 'it has no bits here' : `its bits are ${hex(supported)} (${bits.map((bit) => bit.name).join(', ')})`;
}

/** A value from a number, names of bits joined by `|` or `,`, `none`, or a PSCI version; undefined if it is none of them. */
export function readValue(services: VmServices, id: bigint, text: string): bigint | undefined {
  const trimmed = text.trim();
  const name = services.nameOf(id);
  if (name === 'KVM_REG_ARM_PSCI_VERSION') {
    const version = Object.entries(PSCI_VERSIONS).find(([words]) => words === trimmed)?.[1];
    if (version !== undefined) return version;
  }
  if (/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(trimmed)) return BigInt.asUintN(64, BigInt(trimmed));
  if (name === undefined) return undefined;
  if (trimmed === 'none') return 0n;
  if (trimmed === 'all') return services.supportedBits(name);
  let value = 0n;
  for (const word of trimmed.split(/[|,]/)) {
    const bit = services.bitsOf(name).find((one) => one.name === word.trim());
    if (bit === undefined) return undefined;
    value |= 1n << BigInt(bit.bit);
  }
  return value;
}

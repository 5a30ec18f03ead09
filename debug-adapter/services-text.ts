/** Registers and values of the hypercall services as people write them, and as they are shown. */

import { PSCI_VERSIONS, type VmServices } from '../runtime/index';

const PREFIX = 'KVM_REG_ARM_';

/** A register's id from its number, its name, or its name without `KVM_REG_ARM_`; undefined if the VM has none of that name. A number need not exist. */
export function readRegister(services: VmServices, text: string): bigint | undefined {
  if (/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text)) return BigInt(text);
  const wanted = text.toUpperCase();
  return services.list().find(({ name }) => name === wanted || name === `${PREFIX}${wanted}`)?.id;
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

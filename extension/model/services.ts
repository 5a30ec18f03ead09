/** The hypercall services of a VM in words, and what a choice of them means. Pure functions of `gunyah/serviceRegisters`. */

import type { ServiceRegisterRow, ServiceSelection } from '../../debug-adapter/protocol';

/** What a register says: names of the bits that are set, a version, a level. */
export function serviceValueText({ name, kind, value, bits }: ServiceRegisterRow): string {
  if (kind === 'bitmap') {
    const set = bits.filter(({ isSet }) => isSet).map(({ name }) => name);
    return set.length === 0 ? 'none' : set.join(', ');
  }
  if (kind === 'level') return levelText(name, value);
  const version = BigInt(value);
  return `${version >> 16n}.${version & 0xffffn}`;
}

/** What a register holds as an input box offers it for change: text that `parseServiceValue` reads. */
export function editableServiceValue(register: ServiceRegisterRow): string {
  return register.kind === 'version' ? serviceValueText(register) : register.value;
}

/** Levels of the registers of mitigations. Linux: KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_n. */
const LEVELS = ['not available', 'available', 'not required'] as const;
const LEVELS_OF_2 = ['not available', 'unknown', 'available', 'not required'] as const;

function levelText(name: string, value: string): string {
  const words = (name.endsWith('WORKAROUND_2') ? LEVELS_OF_2 : LEVELS)[Number(BigInt(value) & 15n)];
  return words === undefined || !name.includes('WORKAROUND') ? value : `${value} · ${words}`;
}

/** Registers without the prefix that all share. */
export function shortServiceName({ name, id }: ServiceRegisterRow): string {
  return name === '' ? id : name.replace(/^KVM_REG_ARM_/, '');
}

/** The bitmap with exactly these bits. */
export function bitmapOf(bits: readonly number[]): string {
  return `0x${bits.reduce((map, bit) => map | (1n << BigInt(bit)), 0n).toString(16)}`;
}

/** Reads a version (`1.1`) or a number; the sentence that says what is wrong otherwise. */
export function parseServiceValue(kind: ServiceRegisterRow['kind'], text: string): { readonly value: string } | { readonly problem: string } {
  const word = text.trim();
  const version = /^(\d{1,4})\.(\d{1,4})$/.exec(word);
  if (kind === 'version' && version !== null) return { value: `0x${((BigInt(version[1] ?? 0) << 16n) | BigInt(version[2] ?? 0)).toString(16)}` };
  if (/^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(word)) return { value: `0x${BigInt(word).toString(16)}` };
  return { problem: kind === 'version' ? 'Write a version such as 1.1.' : 'Write a number.' };
}

/** Why bitmaps cannot be chosen any more; empty while they can. */
export function serviceLockText({ hasRun }: ServiceSelection): string {
  return hasRun ? 'A vCPU of this VM has run: its services are fixed, but for the version of PSCI. Stop at vm:start, or at the entry, to choose them.' : '';
}

/**
 * Where every vCPU was when a run ended otherwise than by its guest's wish: state, PC with symbol and line, exception level, masks, and
 * the exception it took last, in words. Reads, changes nothing. Not a stack trace: that is what the debugger is for.
 */

import { elfSections, explainEsr, hex, loadSymbols, parseElf, VmSymbols, type System } from '../runtime/index';

/** A symbol file of a VM, not yet looked into. */
export interface ReportSymbols { readonly vm: string; readonly path: string; readonly bytes: Uint8Array }

/** PSTATE bits that mask interrupts: F, I, A, D. */
const MASKS = [[0x40n, 'FIQ'], [0x80n, 'IRQ'], [0x100n, 'SError'], [0x200n, 'debug exceptions']] as const;
/** What a reason not to run is called. Reasons not listed are given by their own name. */
const WAITING: Readonly<Record<string, string>> = {
  VCPU_OFF: 'off', VCPU_SUSPEND: 'suspended', VCPU_WFI: 'waiting for an interrupt', VCPU_FAULT: 'stopped by a fault', VCPU_RUN: 'not run by its owner',
  ADDRSPACE_VMMIO_ACCESS: 'waiting for its owner to carry out an access',
};
/** Symbol files beyond this are for the debugger: reading them takes longer than the report is worth. */
const SYMBOL_BYTES_MAX = 64 * 1024 * 1024;

/** One or two lines for each vCPU that was ever on. */
export function reportVcpus(system: System, files: readonly ReportSymbols[]): string {
  const symbols = new Map<string, VmSymbols>();
  const lines: string[] = [];
  for (const { index, vm, vcpu } of system.vcpus()) {
    const found = symbols.get(vm) ?? symbolsOf(system, vm, files);
    symbols.set(vm, found);
    lines.push(...reportVcpu(system, { index, name: `${vm}, vCPU ${vcpu}`, symbols: found }));
  }
  return lines.join('\n');
}

interface Reported { readonly index: number; readonly name: string; readonly symbols: VmSymbols }

function reportVcpu(system: System, { index, name, symbols }: Reported): string[] {
  const thread = system.inspection.threads().find((row) => row.engineVcpu === index);
  const reasons = thread?.blockReasons ?? [];
  const neverRan = system.retiredBy(index) === 0;
  if (neverRan && reasons.includes('VCPU_OFF')) return [];
  const { pc, pstate, el } = system.engine.vcpu(index);
  const state = reasons.length === 0 ? 'at' : `${reasons.map((reason) => WAITING[reason] ?? reason).join(', ')}, at`;
  const masked = MASKS.filter(([bit]) => (pstate & bit) !== 0n).map(([, what]) => what);
  const masks = masked.length === 0 ? 'nothing masked' : `${masked.join(', ')} masked`;
  return [`  ${name}: ${state} ${place(symbols, pc)}, EL${el}, ${masks}, ${system.retiredBy(index)} instructions`, ...exceptionLines(system, index, symbols)];
}

/** The exception registers; nothing if no exception was ever taken. */
function exceptionLines(system: System, index: number, symbols: VmSymbols): string[] {
  const [esr = 0n, elr = 0n, far = 0n] = ['ESR_EL1', 'ELR_EL1', 'FAR_EL1'].map((register) => system.systemRegister(index, register));
  if (esr === 0n && elr === 0n && far === 0n) return [];
  const words = esr === 0n ? 'an interrupt' : explainEsr(esr, far).join(', ');
  return [`    last exception from ${place(symbols, elr)}: ${words} (ESR_EL1 ${hex(esr)}, FAR_EL1 ${hex(far)})`];
}

function place(symbols: VmSymbols, address: bigint): string {
  const file = symbols.at(address);
  const symbol = file?.symbolize(address);
  const line = file?.lineAt(address);
  const where = [
    ...(symbol === undefined ? [] : [symbol.offset === 0n ? symbol.name : `${symbol.name}+${hex(symbol.offset)}`]),
    ...(line === undefined || line.line === 0 ? [] : [`${line.file}:${line.line}`]),
  ];
  return where.length === 0 ? hex(address) : `${hex(address)} (${where.join(', ')})`;
}

function symbolsOf(system: System, vm: string, files: readonly ReportSymbols[]): VmSymbols {
  const symbols = new VmSymbols(system);
  for (const { path, bytes } of files.filter((file) => file.vm === vm && file.bytes.length <= SYMBOL_BYTES_MAX)) {
    const elf = parseElf(bytes, path);
    const loaded = elf.ok ? loadSymbols(elfSections(elf.value), { name: path }) : elf;
    if (loaded.ok) symbols.add(loaded.value);
  }
  return symbols;
}

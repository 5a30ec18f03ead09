/** The registers of a vCPU as GDB numbers them, and the target description that says so (GDB manual, appendix G.5.1: AArch64 features). */

import type { System } from '../../runtime/index';

type Vcpu = ReturnType<System['engine']['vcpu']>;

/** One register. */
interface RegisterRow {
  readonly name: string;
  readonly sizeBytes: 4 | 8 | 16;
  /** As `System.writeRegister` knows it. */
  readonly register: string;
  read(vcpu: Vcpu): bigint;
  /** Type in the description, if GDB should not choose. */
  readonly type?: string;
}

const GENERAL_COUNT = 31;
const VECTOR_COUNT = 32;
const HALF = 64n;

const CORE: readonly RegisterRow[] = [
  ...Array.from({ length: GENERAL_COUNT }, (_, n): RegisterRow => ({ name: `x${n}`, register: `x${n}`, sizeBytes: 8, read: (vcpu) => vcpu.x(n) })),
  { name: 'sp', register: 'sp', sizeBytes: 8, type: 'data_ptr', read: (vcpu) => vcpu.sp },
  { name: 'pc', register: 'pc', sizeBytes: 8, type: 'code_ptr', read: (vcpu) => vcpu.pc },
  { name: 'cpsr', register: 'pstate', sizeBytes: 4, type: 'cpsr_flags', read: (vcpu) => vcpu.pstate },
];

const FLOATING: readonly RegisterRow[] = [
  ...Array.from({ length: VECTOR_COUNT }, (_, n): RegisterRow => ({
    name: `v${n}`, register: `v${n}`, sizeBytes: 16, type: 'aarch64v',
    read: (vcpu) => { const [low, high] = vcpu.v(n); return (high << HALF) | low; },
  })),
  stored('FPSR', 4, 'fpsr'),
  stored('FPCR', 4, 'fpcr'),
];

function stored(register: string, sizeBytes: 4 | 8, name = register): RegisterRow {
  return { name, register, sizeBytes, read: (vcpu) => vcpu.systemRegister(register) };
}

/** All registers of a system's vCPUs. Those of a `g` packet come first. */
export class GdbRegisters {
  private readonly rows: readonly RegisterRow[];
  private readonly system: System;
  /** How many registers a `g` packet has: the general and the floating-point ones. */
  private readonly packetCount = CORE.length + FLOATING.length;

  constructor(system: System) {
    this.system = system;
    const named = new Set([...CORE, ...FLOATING].map(({ name }) => name.toUpperCase()));
    const systemNames = system.systemRegisterNames().filter((name) => !named.has(name.toUpperCase()));
    this.rows = [...CORE, ...FLOATING, ...systemNames.map((name) => stored(name, 8))];
  }

  /** A `g` packet. */
  readAll(vcpu: number): string {
    return this.rows.slice(0, this.packetCount).map((row) => valueText(row, row.read(this.system.engine.vcpu(vcpu)))).join('');
  }

  /** Takes a `G` packet; false if it is too short. */
  writeAll(vcpu: number, text: string): boolean {
    let at = 0;
    for (const row of this.rows.slice(0, this.packetCount)) {
      const digits = text.slice(at, at + row.sizeBytes * 2);
      at += row.sizeBytes * 2;
      const value = valueOf(row, digits);
      if (value === undefined) return false;
      this.put(vcpu, row, value);
    }
    return true;
  }

  /** One register as digits; undefined if there is none of that number. */
  read(vcpu: number, number: number): string | undefined {
    const row = this.rows[number];
    return row === undefined ? undefined : valueText(row, row.read(this.system.engine.vcpu(vcpu)));
  }

  /** Whether there is such a register that may be written, and the digits fit it. */
  write(vcpu: number, number: number, digits: string): boolean {
    const row = this.rows[number];
    const value = row === undefined ? undefined : valueOf(row, digits);
    if (row === undefined || value === undefined || !this.system.canWriteRegister(row.register)) return false;
    this.put(vcpu, row, value);
    return true;
  }

  /** Only what changes is written: a write in the past makes the future anew. */
  private put(vcpu: number, row: RegisterRow, value: bigint): void {
    const mask = (1n << BigInt(row.sizeBytes * 8)) - 1n;
    if ((row.read(this.system.engine.vcpu(vcpu)) & mask) !== value) this.system.writeRegister(vcpu, row.register, value);
  }

  /** The target description. */
  description(): string {
    const list = (rows: readonly RegisterRow[], extra = ''): string => rows.map(({ name, sizeBytes, type }) => `<reg name="${name}" bitsize="${sizeBytes * 8}"${type === undefined ? '' : ` type="${type}"`}${extra}/>`).join('');
    return '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>aarch64</architecture>'
      + `<feature name="org.gnu.gdb.aarch64.core">${FLAGS_TYPE}${list(CORE)}</feature>`
      + `<feature name="org.gnu.gdb.aarch64.fpu">${VECTOR_TYPES}${list(FLOATING)}</feature>`
      + `<feature name="gunyah.aarch64.system">${list(this.rows.slice(this.packetCount), ' group="system" save-restore="no"')}</feature></target>`;
  }
}

const FLAGS_TYPE = `<flags id="cpsr_flags" size="4">${[['SP', 0], ['nRW', 4], ['F', 6], ['I', 7], ['A', 8], ['D', 9], ['SSBS', 12], ['IL', 20], ['SS', 21], ['PAN', 22], ['UAO', 23], ['V', 28], ['C', 29], ['Z', 30], ['N', 31]]
  .map(([name, bit]) => `<field name="${name}" start="${bit}" end="${bit}"/>`).join('')}<field name="EL" start="2" end="3"/></flags>`;

const VECTOR_SHAPES = [['v2d', 'ieee_double', 2], ['v2u', 'uint64', 2], ['v2i', 'int64', 2], ['v4f', 'ieee_single', 4], ['v4u', 'uint32', 4], ['v4i', 'int32', 4], ['v8u', 'uint16', 8], ['v8i', 'int16', 8], ['v16u', 'uint8', 16], ['v16i', 'int8', 16], ['v1u', 'uint128', 1], ['v1i', 'int128', 1]] as const;
const VECTOR_UNIONS = [['vnd', ['v2d', 'v2u', 'v2i'], ['f', 'u', 's']], ['vns', ['v4f', 'v4u', 'v4i'], ['f', 'u', 's']], ['vnh', ['v8u', 'v8i'], ['u', 's']], ['vnb', ['v16u', 'v16i'], ['u', 's']], ['vnq', ['v1u', 'v1i'], ['u', 's']]] as const;
const VECTOR_TYPES = [
  ...VECTOR_SHAPES.map(([id, type, count]) => `<vector id="${id}" type="${type}" count="${count}"/>`),
  ...VECTOR_UNIONS.map(([id, types, names]) => `<union id="${id}">${types.map((type, index) => `<field name="${names[index] ?? ''}" type="${type}"/>`).join('')}</union>`),
  `<union id="aarch64v">${[['d', 'vnd'], ['s', 'vns'], ['h', 'vnh'], ['b', 'vnb'], ['q', 'vnq']].map(([name, type]) => `<field name="${name}" type="${type}"/>`).join('')}</union>`,
].join('');

/** A value in the target's byte order, as digits. */
function valueText({ sizeBytes }: RegisterRow, value: bigint): string {
  const big = BigInt.asUintN(sizeBytes * 8, value).toString(16).padStart(sizeBytes * 2, '0');
  return (big.match(/../g) ?? []).reverse().join('');
}

function valueOf({ sizeBytes }: RegisterRow, digits: string): bigint | undefined {
  if (digits.length !== sizeBytes * 2 || !/^[0-9a-f]+$/i.test(digits)) return undefined;
  return BigInt(`0x${(digits.match(/../g) ?? []).reverse().join('')}`);
}

/**
 * The shape of the A64 tables. One row describes one instruction of the Arm ARM in one place; decoder, interpreter,
 * disassembler, random-program generator and ledger are readers of it.
 */

/** Architecture features that gate a row (Arm ARM names); `A64` is Armv8.0-A base. */
export type Feature =
  | 'A64' | 'FP' | 'ADVSIMD' | 'FP16' | 'CRC32' | 'AES' | 'SHA1' | 'SHA256' | 'SHA512' | 'SHA3' | 'PMULL' | 'LSE' | 'RDM' | 'PAN' | 'UAO'
  | 'DOTPROD' | 'LRCPC' | 'LRCPC2' | 'DPB' | 'DPB2' | 'FLAGM' | 'FLAGM2' | 'PAUTH' | 'BTI' | 'FRINTTS' | 'FHM' | 'FCMA' | 'JSCVT' | 'SB' | 'SSBS'
  | 'SPECRES' | 'DIT' | 'RNG' | 'MTE' | 'LSE2' | 'WFXT' | 'BF16' | 'I8MM' | 'SVE' | 'ESB'
  | 'LOR' | 'RAS' | 'MPAM' | 'AMU' | 'VHE' | 'SME' | 'TRF' | 'ECV' | 'CSV2' | 'SPE' | 'TLBIOS' | 'TLBIRANGE'
  | 'SM3' | 'SM4' | 'IDST' | 'PMUV3P4' | 'PMUV3P5' | 'SSBS_STATE' | 'CLUSTER_REGISTERS'
  /** Not of the architecture: the core exists in QEMU only, and does as QEMU does where that takes a choice, or a liberty. */
  | 'QEMU'
  /** What no core offered here has: more breakpoints, more counters, extensions beyond `max`. */
  | 'ABSENT';

/** Values of an instruction's named fields, as unsigned numbers. Every field of the pattern is present. */
export type Fields = Readonly<Record<string, number>>;

/**
 * One encoding. `pattern` reads from bit 31 to bit 0, in blank-separated tokens; the widths add up to 32:
 *
 *     100010      literal bits; `x` in a literal is a bit that is ignored
 *     sf          a one-bit field
 *     imm12:12    a field of the given width
 *     opc=01      a field with the given bits: part of the match *and* visible to the semantic function, so that all rows
 *                 of a class show the same fields; `size=1x` leaves the bits marked `x` free
 *     (11111)     should-be bits (Arm ARM: `(1)`): ignored by the decoder, respected by generators
 *
 * Rows are tried in order of how many bits they fix, most first, so that aliases of encoding space need no care.
 */
export interface Encoding {
  /** The Arm ARM's page name, such as `ADD (immediate)`; unique together with `pattern`. */
  readonly name: string;
  readonly mnemonic: string;
  readonly pattern: string;
  /** Key of the semantic function, shared by all rows of an instruction class, such as `add_sub_immediate`. */
  readonly class: string;
  readonly feature: Feature;
  /** `ready` rows execute; `not-yet` rows take an Undefined exception and are the coverage ledger. */
  readonly state: 'ready' | 'not-yet';
  /** Refuses unallocated values that no bit pattern can express (an operand shift of 3, a bad bitmask immediate). */
  readonly valid?: (fields: Fields) => boolean;
}

/** How the engine treats an access to a system register. */
export type SystemRegisterHandling =
  /** Plain storage in the vCPU; `writeMask` bits are writable, others keep their reset value. */
  | 'storage'
  /** Read-only constant per vCPU (identification registers); writes are Undefined. */
  | 'constant'
  /** Computed by the engine itself (NZCV, DAIF, CurrentEL, CNTVCT_EL0 …) or has side effects there (TTBRn, SCTLR: drop translations). */
  | 'engine'
  /** Leaves the engine with a `system-register` exit (interrupt controller, timers, PMU, debug …). */
  | 'exit';

/** Lowest exception level that may use a register in one direction; `highest` is the highest one there is, `never` makes that direction Undefined. */
export type AccessLevel = 'EL0' | 'EL1' | 'EL2' | 'EL3' | 'highest' | 'never';

/** One system register or system instruction operand. */
export interface SystemRegister {
  /** Arm ARM name, exact spelling: `SCTLR_EL1`. */
  readonly name: string;
  readonly op0: number;
  readonly op1: number;
  readonly crn: number;
  readonly crm: number;
  readonly op2: number;
  readonly read: AccessLevel;
  readonly write: AccessLevel;
  /**
   * Accesses from EL0 trap to EL1 unless one of these bits of the named register is set; `writeMask` has those that allow writing, if
   * they are others. Absent: EL0 follows `read`/`write` alone.
   */
  readonly el0Enable?: { readonly register: string; readonly mask: bigint; readonly writeMask?: bigint };
  readonly handling: SystemRegisterHandling;
  readonly reset: bigint;
  readonly writeMask: bigint;
  /** Further bits that can be written on a core with the feature. */
  readonly optionalBits?: readonly (readonly [feature: Feature, bits: bigint])[];
  /** One short sentence for the register view. */
  readonly description: string;
  readonly feature?: Feature;
  readonly state: 'ready' | 'not-yet';
}

/** One cache, TLB, translation or prediction instruction: a SYS encoding with a name of its own (`DC ZVA`). */
export interface SystemInstruction extends SystemRegister {
  /** False if the instruction takes no address, so that Rt is 31 and not written in assembly text. */
  readonly takesRegister: boolean;
}

/** What names a system register in an instruction. */
export type SystemRegisterOperands = Pick<SystemRegister, 'op0' | 'op1' | 'crn' | 'crm' | 'op2'>;

/** `op0:op1:CRn:CRm:op2` packed as in bits 20:5 of MRS/MSR: (op0<<14)|(op1<<11)|(CRn<<7)|(CRm<<3)|op2. */
export function systemRegisterKey({ op0, op1, crn, crm, op2 }: SystemRegisterOperands): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}

/** A decoded word: the row and the values of its named fields, as unsigned numbers. */
export interface Decoded { readonly encoding: Encoding; readonly fields: Fields }

/** One line of disassembly. */
export interface DisassembledInstruction {
  readonly mnemonic: string;
  readonly operands: string;
  /** Absolute target of a direct branch or ADR, if any. */
  readonly target?: bigint;
}

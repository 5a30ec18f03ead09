/**
 * What semantic functions are written over: registers, flags, memory and control flow of one instruction, as
 * expressions of the emitter. The interpreter implements it by reading the micro-op at `ip`; a compiler of regions
 * implements it with constants and locals. Semantic functions know neither.
 */

import type { Landing } from './semantics/branch-targets';
import type { Code } from './wasm/code';
import type { I32, I64, Local32, Local64 } from './wasm/expressions';

/** Which register operand: destination, first source, second source, third source. */
export type RegisterField = 'd' | 'n' | 'm' | 'a';

/** How an access is made; `el0` is for LDTR/STTR, `aligned` for accesses that must be aligned whatever SCTLR says. */
export interface AccessKind { readonly sizeBytes: 1 | 2 | 4 | 8; readonly signed?: boolean; readonly aligned?: boolean; readonly el0?: boolean }

/** Register file, memory and control flow as seen from one instruction. */
export interface Operands {
  /** Scratch locals; none survives the instruction. */
  readonly temporaries64: readonly [Local64, Local64, Local64, Local64];
  readonly temporaries32: readonly [Local32, Local32];

  x(field: RegisterField): I64;
  w(field: RegisterField): I32;
  /** The register after the one that `field` names. */
  xNext(field: RegisterField): I64;
  setX(field: RegisterField, value: I64): Code;
  /** Writes the 64 bits after those that `field` names: the upper half of a vector register. */
  setXNext(field: RegisterField, value: I64): Code;
  /** Writes 32 bits and clears the upper half. */
  setW(field: RegisterField, value: I32): Code;
  /** The 64-bit immediate. */
  readonly immediate: I64;
  /** Its low half. */
  readonly immediateLow: I32;
  /** Its high half. */
  readonly immediateHigh: I32;
  /** The `m` field as a plain number, for forms that have no second source. */
  readonly small: I32;
  /** The address of the page of this instruction. */
  readonly pageAddress: I64;
  /** The address of this instruction. */
  readonly address: I64;

  /** How many ticks of this entry's budget are left, this instruction not counted. */
  readonly remainingTicks: I64;

  /** Loads into a temporary; leaves the instruction on a fault. */
  load(into: Local64, address: Local64, kind: AccessKind): Code;
  /** Stores; leaves the instruction on a fault. */
  store(address: Local64, value: I64, kind: AccessKind): Code;
  /** Loads two neighbours. */
  loadPair(into: readonly [Local64, Local64], address: Local64, kind: AccessKind): Code;
  /** Stores two neighbours; either both or none. */
  storePair(address: Local64, values: readonly [I64, I64], kind: AccessKind): Code;
  /** The host address of an aligned access that is one unit (atomics, exclusives); leaves the instruction on a fault. */
  hostAddress(into: Local32, address: Local64, sizeBytes: number, access: 'read' | 'write'): Code;
  /** Leaves the instruction for TypeScript if CPACR_EL1 traps SIMD and floating point here. */
  checkVectors(): Code;
  /** Leaves the instruction for TypeScript if CPACR_EL1 or CPTR_EL2 traps scalable vectors here. */
  checkScalable(): Code;
  /** Calls the SIMD function whose number is `immediateHigh` with the addresses of d, n and m and `immediateLow`. */
  callSimd(): Code;
  /** The same with another address in the place of n. */
  callSimdOn(address: I32): Code;
  /** Begins an instruction that makes such a call or more than one access in a loop: tier 1 leaves for tier 0. */
  needsCalls(body: () => Code): Code;
  /** Leaves the instruction to TypeScript unless an indirect branch of a kind is known to be allowed to land at the address. */
  checkLanding(address: Local64, landing: Landing): Code;
  /** Leaves the instruction if SP is misaligned and checked. */
  checkStack(): Code;

  /** Goes on with the instruction `immediateLow` bytes of micro-ops from here, in the same page. */
  branchNear(): Code;
  /** Goes on at a virtual address. */
  branchTo(address: I64): Code;
  /** The next instruction. */
  next(): Code;
  /** Leaves generated code, the instruction not executed. */
  trap(): Code;
  /** Retires the instruction and leaves generated code with an exit code. */
  retireAndLeave(exitCode: number): Code;
}

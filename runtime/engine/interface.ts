/**
 * The engine's contract: run one vCPU until it must stop.
 *
 * The engine sees memory, time and traps only through what stands here. It knows nothing of virtual machines,
 * capabilities or devices: a vCPU is a register file with a translation regime (stage 1 from TTBRn_EL1, stage 2 from
 * VTTBR_EL2), and everything that is not plain execution comes back as an `Exit`.
 * Described in docs/engine.md.
 */

import type { Ipa, Pa, Va } from '../base/brands';
import type { Feature } from '../isa/interface';

/** One contiguous range of RAM on the simulated platform. Base and size are multiples of 4 KiB. */
export interface RamRange { readonly base: Pa; readonly sizeBytes: number }

/** What an engine is made for. All of it is fixed for its lifetime. */
export interface EngineOptions {
  /** RAM of the platform; at most 3 GiB together. Committed by the host only when touched. */
  readonly ram: readonly RamRange[];
  /** How many vCPUs may exist (1..160). */
  readonly vcpuCountMax: number;
  /** CNTPCT/CNTVCT = ticks >> counterShift. 4 gives 62.5 MHz at one tick per nanosecond. */
  readonly counterShift: number;
  /** What the core has, beyond which instructions are Undefined (see isa/cpu-features.ts). Absent: all that can be executed. */
  readonly features?: ReadonlySet<Feature>;
  /** CCSIDR_EL1 by CSSELR_EL1 (see isa/identification-profiles.ts). Absent: those of a Cortex-A57. */
  readonly cacheSizes?: readonly bigint[];
  /** 1 if no hypervisor stands above EL1: then nothing traps to it, and EL1 has the registers of the highest level. Absent: 2. */
  readonly highestLevel?: 1 | 2;
  /** The core's own identification registers by name, whatever vCPUs are shown: they say what translation tables can do. Absent: everything. */
  readonly identification?: Readonly<Record<string, bigint>>;
}

/** 4 KiB: the unit of dirty tracking, decoded code and ownership. */
export const PAGE_SIZE = 4096;

/** Which accesses of guests to a page of RAM are plain; see `setAccess`. */
export type PageAccess = 'ram' | 'rom' | 'device';

/**
 * Platform RAM as hosts, devices, hypervisor and debugger see it. Every write goes through here, so decoded code is
 * dropped, pages become dirty and watchpoints see it. Ranges outside RAM are our own mistake (assertion) in `read`/`write`;
 * check with `contains` first where the range comes from a guest.
 */
export interface PhysicalMemory {
  readonly ram: readonly RamRange[];
  /** True if the whole range is RAM. */
  contains(address: Pa, sizeBytes: number): boolean;
  /** A copy of the bytes. */
  read(address: Pa, sizeBytes: number): Uint8Array;
  readU32(address: Pa): number;
  readU64(address: Pa): bigint;
  write(address: Pa, bytes: Uint8Array): void;
  writeU32(address: Pa, value: number): void;
  writeU64(address: Pa, value: bigint): void;
  fill(address: Pa, sizeBytes: number, byte: number): void;

  /** Total number of 4 KiB pages over all ranges; page indexes run through the ranges in order. */
  readonly pageCount: number;
  /** Indexes of pages written by anyone since the last call, ascending; clears the marks. */
  collectDirtyPages(): Uint32Array;
  /** A copy of one page, by index. */
  readPage(index: number): Uint8Array;
  /** Replaces one page, by index, without marking it dirty. For restoring checkpoints. */
  restorePage(index: number, bytes: Uint8Array): void;
  /** Index of the page that holds `address`. */
  pageIndexOf(address: Pa): number;
  /**
   * What guests' accesses to whole pages do from now on: `ram` nothing special, `rom` lets stores out as `mmio` exits, `device`
   * loads as well. Instruction fetches and host accesses always see the memory. Not part of a snapshot: who asked for it asks again.
   */
  setAccess(address: Pa, sizeBytes: number, access: PageAccess): void;
}

/** A data watchpoint on physical bytes: sees every alias, every VM and every host write. */
export interface Watchpoint {
  readonly id: number;
  readonly address: Pa;
  readonly sizeBytes: number;
  readonly access: 'read' | 'write' | 'readWrite';
}

/** Which kind of exception was taken to EL1. */
export type ExceptionKind = 'synchronous' | 'irq' | 'fiq' | 'serror';

/** One load or store that the host must carry out or refuse. */
export interface GuestAccess {
  readonly va: Va;
  readonly ipa: Ipa;
  /** 1, 2, 4 or 8. */
  readonly sizeBytes: number;
  readonly isWrite: boolean;
  /** The value stored, zero-extended; 0n for a load. */
  readonly value: bigint;
  /** The whole register that is stored, bits above the access included; 0n for a load. */
  readonly register: bigint;
  /**
   * True if the access is a single general-purpose load or store without write-back, so that a syndrome (ISV=1) exists
   * and `completeAccess` may finish it. Pairs, exclusives, atomics, SIMD, DC ZVA and write-back forms have false.
   */
  readonly syndromeValid: boolean;
  /** The instruction, for whoever finishes the access later: by then its memory may hold another or be gone. */
  readonly instruction: number;
}

/** One access of a bus; `offset` is the distance to the first byte that the instruction accesses. */
export interface DevicePart { readonly offset: number; readonly sizeBytes: number; readonly isWrite: boolean; readonly value: bigint }
/** What became of an instruction on a device. */
export type TransferOutcome = 'done' | 'refused' | 'unknown';

/** Why `run` came back. `retired` instructions have been executed in every case; the PC is stated per reason. */
export type Exit =
  /** The budget is spent exactly, or less of it when `entriesMax` was reached. PC: next instruction. */
  | { readonly reason: 'budget' }
  /** WFI or WFIT executed with nothing pending; it counts as retired. PC: after it. */
  | { readonly reason: 'wfi' }
  /** HVC, retired. PC: after it. */
  | { readonly reason: 'hvc'; readonly immediate: number }
  /** SMC, trapped (not retired). PC: at it; use `skipInstruction`. */
  | { readonly reason: 'smc'; readonly immediate: number }
  /** HLT, for semihosting; not retired. PC: at it; `skipInstruction` or `injectException`. */
  | { readonly reason: 'hlt'; readonly immediate: number }
  /** MRS/MSR/SYS of a register that the system handles. PC: at it; `completeSystemRegister` or `injectException`. */
  | { readonly reason: 'system-register'; readonly name: string; readonly encoding: number; readonly isWrite: boolean; readonly value: bigint; readonly rt: number }
  /** Translated well to a physical address that is not RAM. PC: at it; `completeAccess` or `injectException`. */
  | { readonly reason: 'mmio'; readonly pa: Pa; readonly access: GuestAccess }
  /** Stage-2 fault on data (of the stage-1 walk if `stage1Level` says at which level of it; of AT or cache maintenance if `isMaintenance`). PC: at it; `completeAccess` (emulation), `injectException`, or repair the map and run again. */
  | { readonly reason: 'stage2-data-abort'; readonly fault: FaultKind; readonly level: number; readonly duringStage1Walk: boolean; readonly access: GuestAccess; readonly stage1Level?: number; readonly isMaintenance?: true }
  /** Stage-2 fault on instruction fetch, or fetch from a non-RAM physical address. PC: at it. */
  | { readonly reason: 'stage2-instruction-abort'; readonly fault: FaultKind; readonly level: number; readonly va: Va; readonly ipa: Ipa; readonly stage1Level?: number }
  /** About to execute an instruction with a breakpoint. PC: at it, not executed. */
  | { readonly reason: 'breakpoint' }
  /** A watched byte was accessed by the instruction that just retired. PC: next instruction; `pc` is the accessor's. */
  | { readonly reason: 'watchpoint'; readonly id: number; readonly pc: Va; readonly address: Pa; readonly isWrite: boolean }
  /** An exception selected by `reportExceptions` was taken to EL1. PC: at the vector. */
  | { readonly reason: 'exception'; readonly kind: ExceptionKind; readonly esr: bigint; readonly far: bigint; readonly elr: Va }
  /** The guest asked for something that real cores have and the engine has not; the instruction has had no effect. PC: at it. */
  | { readonly reason: 'unsupported'; readonly what: 'aarch32' | 'big-endian' }
  /** The same synchronous exception was taken `FAULT_LOOP_COUNT` times at the same PC without one return from it. PC: at the vector. Said once per loop. */
  | { readonly reason: 'fault-loop'; readonly esr: bigint; readonly far: bigint; readonly elr: Va };

/** Exceptions in a row that make a fault loop. */
export const FAULT_LOOP_COUNT = 100_000;

/** Stage-2 fault types (Arm ARM D8.15, fault status). */
export type FaultKind = 'translation' | 'access-flag' | 'permission' | 'address-size' | 'external';

/** What `run` returns: how far it got and why it came back. */
export interface RunResult {
  /** Exactly the instructions retired during this call. */
  readonly retired: number;
  readonly exit: Exit;
}

/** Result of a walk that has no side effect on the guest. */
export type Translation =
  | { readonly ok: true; readonly pa: Pa; readonly ipa: Ipa; readonly isRam: boolean; readonly readable: boolean; readonly writable: boolean; readonly executable: boolean }
  | { readonly ok: false; readonly stage: 1 | 2; readonly fault: FaultKind; readonly level: number };

/** Options of one `run` call. */
export interface RunOptions {
  /** Retire at most this many instructions (1 .. 2^31-1; the engine itself returns to the host often enough). */
  readonly budget: number;
  /** Virtual time at the start of this run, for counter reads. */
  readonly tickNow: number;
  /** Do not stop at a breakpoint on the very first instruction. */
  readonly resume?: boolean;
  /**
   * Come back after entering generated code this often, with exit `budget` though less is retired: a guest that traps all the time
   * should not keep the host for long. Unlimited if absent.
   */
  readonly entriesMax?: number;
}

/**
 * The register file of one vCPU. Names of system registers are the Arm ARM's (`SCTLR_EL1`); only registers that the
 * engine stores (see isa/system-registers.ts) can be read and written here.
 */
export interface Vcpu {
  readonly index: number;
  /** X0..X30. */
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
  /** Zero into all of X`first` to X`last`. */
  clearX(first: number, last: number): void;
  pc: bigint;
  /** SP_EL0 or SP_EL1, the banked values; `sp` is the one PSTATE selects. */
  sp: bigint;
  spEl0: bigint;
  spEl1: bigint;
  /** PSTATE in SPSR_EL1 layout: NZCV 31:28, PAN 22, UAO 23, SSBS 12, DAIF 9:6, nRW 4, EL 3:2, SP 0. */
  pstate: bigint;
  /** Current exception level. */
  readonly el: number;
  /** 128-bit SIMD register as [low, high]. */
  v(n: number): readonly [bigint, bigint];
  setV(n: number, low: bigint, high: bigint): void;
  systemRegister(name: string): bigint;
  setSystemRegister(name: string, value: bigint): void;
  /** Level of the virtual IRQ, FIQ and SError inputs; the engine takes them as soon as PSTATE allows. */
  irq: boolean;
  fiq: boolean;
  serror: boolean;
  /** Undoes that the instruction before the PC retired, of which nothing else has happened yet: an HVC that left. */
  takeBack(): void;
  /** All architectural state as bytes, for snapshots. Caches are not in it. `into` takes them if given: what an earlier `save` made and nobody else keeps. */
  save(into?: Uint8Array): Uint8Array;
  restore(saved: Uint8Array): void;
  /** Architectural reset: EL1h, DAIF masked, everything else zero except registers with a reset value. */
  reset(): void;
  /** Instructions that this vCPU has retired at an exception level since its reset. */
  retiredAt(el: 0 | 1): number;
}

/** The execution engine: one instance per system, many vCPUs, one of them running at a time. */
export interface Engine {
  readonly memory: PhysicalMemory;
  vcpu(index: number): Vcpu;
  run(vcpu: number, options: RunOptions): RunResult;

  /** Finishes the load or store of an `mmio` or `stage2-data-abort` exit: loads write `value` to the register with the right extension; PC moves on. Counts one retired instruction, which the caller adds to its time. */
  completeAccess(vcpu: number, value: bigint): void;
  /** The same for the `instruction` of an access that ended a run before, and bits of `value` above the access are not cut off before it goes to the register. */
  completeAccessUncut(vcpu: number, value: bigint, instruction: number): void;
  /**
   * Carries out on a device the instruction of an `mmio` exit whatever its form: `device` is asked for each of its accesses and refuses with
   * `undefined`. `refused` and `unknown` (a form that is not taken apart) leave registers and PC alone. Same counting.
   */
  transferByParts(vcpu: number, address: Va, device: (part: DevicePart) => bigint | undefined): TransferOutcome;
  /** Finishes a `system-register` exit; reads write `value` to Rt. Same counting. */
  completeSystemRegister(vcpu: number, value: bigint): void;
  /** PC += 4. Same counting. */
  skipInstruction(vcpu: number): void;
  /** Takes a synchronous exception to EL1 at once with this ESR_EL1 and FAR_EL1; ELR_EL1 is the current PC. */
  injectException(vcpu: number, esr: bigint, far: bigint): void;

  /** Walks without side effects, as EL1 or EL0 would. `stage: 2` takes an IPA. */
  translate(vcpu: number, address: Va | Ipa, stage: 'both' | 2, el?: 0 | 1): Translation;
  /** Forget cached translations of every regime (after stage-2 changes). */
  invalidateTlb(): void;

  /** Breakpoints are virtual addresses, for all vCPUs; who filters by VM is above. Never written to guest memory. */
  setBreakpoints(addresses: readonly Va[]): void;
  setWatchpoints(watchpoints: readonly Watchpoint[]): void;
  /** The first watched access by the host since the last run or call; the next run would report it otherwise. */
  takeHostHit(): { readonly id: number; readonly address: Pa; readonly isWrite: boolean } | undefined;
  /** Exceptions to EL1 that end a run: bit n = exception class n of ESR; the three flags for interrupts. */
  reportExceptions(selection: { readonly exceptionClasses: bigint; readonly irq: boolean; readonly fiq: boolean; readonly serror: boolean }): void;
  /** `exact` counts every instruction (tier 0), `fast` counts at branches (tier 1, default). Same results in both. */
  setTier(tier: 'exact' | 'fast'): void;
  /** Drops decoded code and translations; needed after restoring memory. */
  flushCaches(): void;
}

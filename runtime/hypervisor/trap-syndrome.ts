/**
 * ESR_EL2 of what a guest traps with, for the trace: the exits of the engine say the same in other words.
 * Source: Arm ARM (DDI 0487) D17.2.37. No guest sees these values; the abort that it gets has fewer details.
 */

import { va } from '../base/brands';
import type { Exit, FaultKind, GuestAccess } from '../engine/interface';
import type { Kernel } from './kernel';

const EC_SYSTEM_REGISTER = 0x18;
const EC_INSTRUCTION_ABORT = 0x20;
const EC_DATA_ABORT = 0x24;
const IL = 1 << 25;
const ISV = 1 << 24;
const SSE = 1 << 21;
const SF = 1 << 15;
const ACQUIRE_RELEASE = 1 << 14;
const MAINTENANCE = 1 << 8;
const DURING_WALK = 1 << 7;
const WRITES = 1 << 6;
const STATUS: Readonly<Record<FaultKind, number>> = { 'address-size': 0, translation: 4, 'access-flag': 8, permission: 12, external: 16 };
/** Level of a fault whose exit does not say it: pages. */
const LAST_LEVEL = 3;

/** What is known of a fault beside the access. */
export interface FaultDetails { readonly fault?: FaultKind; readonly level?: number; readonly duringStage1Walk?: boolean; readonly isMaintenance?: true }

function syndrome(exceptionClass: number, specific: number): number {
  return ((exceptionClass << 26) | IL | specific) >>> 0;
}

function status({ fault = 'translation', level = LAST_LEVEL }: FaultDetails): number {
  return STATUS[fault] + (fault === 'external' ? 0 : Math.max(0, level));
}

/** Of a trapped MRS, MSR or SYS. */
export function registerSyndrome({ encoding, rt, isWrite }: Extract<Exit, { readonly reason: 'system-register' }>): number {
  const [op0, op1, crn, crm, op2] = [(encoding >>> 14) & 3, (encoding >>> 11) & 7, (encoding >>> 7) & 15, (encoding >>> 3) & 15, encoding & 7];
  return syndrome(EC_SYSTEM_REGISTER, (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (rt << 5) | (crm << 1) | (isWrite ? 0 : 1));
}

/** Of a stage-2 fault on an instruction fetch. */
export function instructionSyndrome(details: FaultDetails & { readonly stage1Level?: number }): number {
  return syndrome(EC_INSTRUCTION_ABORT, status(details) | (details.stage1Level === undefined ? 0 : DURING_WALK));
}

/** Of a stage-2 fault on data; `word` is the instruction, if it can be read. */
export function dataSyndrome(access: GuestAccess, details: FaultDetails, word: number | undefined): number {
  const cause = status(details) | (details.duringStage1Walk === true ? DURING_WALK : 0) | (details.isMaintenance === true ? MAINTENANCE | WRITES : access.isWrite ? WRITES : 0);
  const isDescribed = access.syndromeValid && details.duringStage1Walk !== true && word !== undefined;
  return syndrome(EC_DATA_ABORT, isDescribed ? cause | describe(word) : cause);
}

/** Size, register, extension and ordering of a load or store of one register. */
function describe(word: number): number {
  const size = word >>> 30;
  const isOrdered = (word & 0x3f00_0000) === 0x0800_0000;
  const opc = isOrdered ? (word >>> 22) & 1 : (word >>> 22) & 3;
  const isLong = opc === 2 || (opc < 2 && size === 3);
  return ISV | (size << 22) | (opc >= 2 ? SSE : 0) | ((word & 31) << 16) | (isLong ? SF : 0) | (isOrdered ? ACQUIRE_RELEASE : 0);
}

/** The instruction at a virtual address of a vCPU, if memory is there. */
export function instructionAt(kernel: Kernel, engineVcpu: number, pc: bigint): number | undefined {
  const found = kernel.engine.translate(engineVcpu, va(pc), 'both');
  return found.ok && found.isRam ? kernel.engine.memory.readU32(found.pa) : undefined;
}

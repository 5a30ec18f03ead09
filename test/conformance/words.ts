/** Encoders of the few instructions that hold a conformance program together. Offsets and distances are in bytes. */

/** MOVZ and MOVK: 32 bits of an address. */
export function loadAddress(register: number, address: number): readonly number[] {
  return [(0xd2800000 | ((address & 0xffff) << 5) | register) >>> 0, (0xf2a00000 | ((address >>> 16) << 5) | register) >>> 0];
}
/** MOVZ of a small number, or MOVN of a small negative one. */
export function moveSmall(register: number, value: number): number {
  return ((value >= 0 ? 0xd2800000 | ((value & 0xffff) << 5) : 0x92800000 | ((~value & 0xffff) << 5)) | register) >>> 0;
}
/** MOVK into bits 63:48. */
export const moveTop = (register: number, value: number): number => (0xf2e00000 | ((value & 0xffff) << 5) | register) >>> 0;
/** ADD or SUB of an immediate below 4096, or below 4096 pages if shifted; 31 is SP in both places. */
export function addImmediate(rd: number, rn: number, value: number, isPages = false): number {
  return ((value >= 0 ? 0x91000000 : 0xd1000000) | (isPages ? 1 << 22 : 0) | (Math.abs(value) << 10) | (rn << 5) | rd) >>> 0;
}
/** LDR, STR of X with an unsigned offset. */
export const loadX = (rt: number, rn: number, offset: number): number => (0xf9400000 | ((offset >> 3) << 10) | (rn << 5) | rt) >>> 0;
export const storeX = (rt: number, rn: number, offset: number): number => (0xf9000000 | ((offset >> 3) << 10) | (rn << 5) | rt) >>> 0;
const pair = (base: number, scale: number) => (rt: number, rt2: number, rn: number, offset: number): number =>
  (base | (((offset >> scale) & 0x7f) << 15) | (rt2 << 10) | (rn << 5) | rt) >>> 0;
/** LDP and STP of X and of Q registers. */
export const loadPairX = pair(0xa9400000, 3);
export const storePairX = pair(0xa9000000, 3);
export const loadPairQ = pair(0xad400000, 4);
export const storePairQ = pair(0xad000000, 4);
/** System registers that user mode reads and writes, as bits 20:5 of MRS and MSR. */
export const SYSTEM = { nzcv: 0xda10, fpcr: 0xda20, fpsr: 0xda21, tpidr: 0xde82, tpidrro: 0xde83, dit: 0xda15, ssbs: 0xda16 } as const;
export const readSystem = (rt: number, register: number): number => (0xd5300000 | ((register & 0x7fff) << 5) | rt) >>> 0;
export const writeSystem = (rt: number, register: number): number => (0xd5100000 | ((register & 0x7fff) << 5) | rt) >>> 0;
/** B; TBZ; CBNZ; ADR; BR; RET. */
export const branch = (distance: number): number => (0x14000000 | ((distance >> 2) & 0x3ff_ffff)) >>> 0;
export const testBitZero = (rt: number, bit: number, distance: number): number => (0x36000000 | (bit << 19) | (((distance >> 2) & 0x3fff) << 5) | rt) >>> 0;
export const branchNonZero = (rt: number, distance: number): number => (0xb5000000 | (((distance >> 2) & 0x7ffff) << 5) | rt) >>> 0;
export const branchNotEqual = (distance: number): number => (0x54000001 | (((distance >> 2) & 0x7ffff) << 5)) >>> 0;
export const testBitNonZero = (rt: number, bit: number, distance: number): number => (testBitZero(rt, bit & 31, distance) | (1 << 24) | ((bit >> 5) << 31)) >>> 0;
/** SUBS of an immediate. */
export const subtractSettingFlags = (rd: number, rn: number, value: number): number => (0xf1000000 | (value << 10) | (rn << 5) | rd) >>> 0;
export const addressOf = (rd: number, distance: number): number => (0x10000000 | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5) | rd) >>> 0;
export const RETURN = 0xd65f03c0;
export const NOP = 0xd503201f;
export const CLREX = 0xd5033f5f;
/** DC CVAU, DSB ISH, IC IVAU, DSB ISH, ISB: what must follow a write over code. */
export const synchronize = (register: number): readonly number[] => [(0xd50b7b20 | register) >>> 0, 0xd5033b9f, (0xd50b7520 | register) >>> 0, 0xd5033b9f, 0xd5033fdf];
/** Ends a run of the engine. */
export const SVC = 0xd4000001;

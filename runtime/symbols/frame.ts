/**
 * What symbol lookups need from a stopped vCPU: its registers and memory, seen from one stack frame; and where a lookup says
 * that a value is. Nothing here changes the machine.
 */

/** DWARF register numbers of AArch64 (DWARF for the Arm 64-bit Architecture, 4.1). */
export const REGISTER = { x0: 0, x29: 29, x30: 30, sp: 31, pc: 32, raSignState: 34, v0: 64, v31: 95 } as const;

/** Reads registers by DWARF number: 0..30 general, 31 SP, 32 PC, 64..95 vector registers of 128 bits. */
export interface RegisterReader {
  /** The value as an unsigned integer; `undefined` if this frame does not know it. */
  register(number: number): bigint | undefined;
}

/** Reads memory as the vCPU sees it. */
export interface MemoryReader {
  /** `sizeBytes` bytes from a virtual address; `undefined` if any of them cannot be read. */
  read(address: bigint, sizeBytes: number): Uint8Array | undefined;
}

/** One stack frame. */
export interface FrameContext {
  /** The runtime address that lookups use: the PC in the innermost frame, the return address minus one in a caller. */
  readonly pc: bigint;
  readonly registers: RegisterReader;
  readonly memory: MemoryReader;
  /** The frame's canonical frame address, if it can be told. */
  cfa(): bigint | undefined;
  /** The frame that called this one, if it is wanted and known: it gives values that a parameter had on entry. */
  caller?(): FrameContext | undefined;
}

/** Where a variable's value is. */
export type Location =
  | { readonly kind: 'memory'; readonly address: bigint }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  | { readonly kind: 'pieces'; readonly pieces: readonly LocationPiece[] }
  | { readonly kind: 'implicit-pointer'; readonly target: () => Location; readonly byteOffset: number }
  | { readonly kind: 'optimised-out' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** A part of a value that is spread over several places, in the order of memory. */
export interface LocationPiece {
  readonly location: Location;
  readonly sizeBits: number;
  /** Where the part begins within its location. */
  readonly bitOffset: number;
}

/** The location of what the compiler did not keep. */
export const OPTIMISED_OUT: Location = { kind: 'optimised-out' };

/** The low `sizeBytes` bytes of a value in memory order. */
export function toBytes(value: bigint, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let rest = BigInt.asUintN(sizeBytes * 8, value);
  for (let i = 0; i < sizeBytes && rest !== 0n; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Bytes in memory order as an unsigned integer. */
export function fromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/** Registers given as a list by DWARF number: x0..x30, SP, PC. */
export function registersFrom(values: readonly (bigint | undefined)[]): RegisterReader {
  return { register: (number) => values[number] };
}

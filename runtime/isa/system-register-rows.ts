/** How the system register tables write their rows. */

import { assert } from '../base/assert';
import type { AccessLevel, Feature, SystemRegister, SystemRegisterHandling } from './interface';

/** Parts of a row that most registers do not need. */
export interface RowExtras {
  readonly reset?: bigint;
  /** Default: all 64 bits where the register can be written at all. */
  readonly writeMask?: bigint;
  readonly optionalBits?: SystemRegister['optionalBits'];
  readonly el0Enable?: SystemRegister['el0Enable'];
  readonly feature?: Feature;
  readonly state?: 'ready' | 'not-yet';
}

/** Name, `op0 op1 CRn CRm op2`, `read/write` levels (`-` for never), handling, description, extras. */
export type RegisterRow = readonly [
  name: string, operands: string, access: string, handling: SystemRegisterHandling, description: string, extras?: RowExtras,
];

const levels: Readonly<Record<string, AccessLevel>> = { EL0: 'EL0', EL1: 'EL1', EL2: 'EL2', EL3: 'EL3', 'highest': 'highest', '-': 'never' };

function accessLevel(text: string | undefined): AccessLevel {
  const level = levels[text ?? ''];
  assert(level !== undefined, `bad access level ${String(text)}`);
  return level;
}

/** A mask of the bits `high` down to `low`. */
export function mask(high: number, low: number): bigint {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

/** All 64 bits. */
export const ALL_BITS = mask(63, 0);

/** For `optionalBits`: QEMU's own core keeps whatever is written, reserved bits included. */
export const KEEPS_ALL = ['QEMU', 0xffff_ffff_ffff_ffffn] as const;
/** A row for something that no offered core has: Undefined. */
export const ABSENT: RowExtras = { feature: 'ABSENT' };

/** The register that a row describes. */
export function register(row: RegisterRow): SystemRegister {
  const [name, operands, access, handling, description, extras = {}] = row;
  const [op0 = 0, op1 = 0, crn = 0, crm = 0, op2 = 0] = operands.split(' ').map(Number);
  const [read, write] = access.split('/').map(accessLevel);
  assert(read !== undefined && write !== undefined, `bad access of ${name}`);
  const { reset = 0n, writeMask = write === 'never' ? 0n : ALL_BITS, feature, el0Enable, optionalBits } = extras;
  const { state = feature === 'ABSENT' ? 'not-yet' : 'ready' } = extras;
  return {
    name, op0, op1, crn, crm, op2, read, write, handling, reset, writeMask, description, state,
    ...(el0Enable === undefined ? {} : { el0Enable }),
    ...(optionalBits === undefined ? {} : { optionalBits }),
    ...(feature === undefined ? {} : { feature }),
  };
}

/** One row per index: `operands` and `name` are made from the number. */
export function numbered(count: number, row: (index: number) => RegisterRow): readonly RegisterRow[] {
  return Array.from({ length: count }, (_, index) => row(index));
}

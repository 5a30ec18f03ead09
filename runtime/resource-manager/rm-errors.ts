/**
 * Error words of the Resource Manager, and how errors of the hypervisor become such words.
 * The numbers are RM's own; they are not those of hypercalls.
 */

import { ERRORS } from '../hypervisor/interface';

/** Error words by name (Gunyah RM RPC: error codes). */
export const RM_ERRORS = {
  OK: 0,
  NOMEM: 0x1,
  NORESOURCE: 0x2,
  DENIED: 0x3,
  MSG_INVALID: 0x4,
  BUSY: 0x5,
  ARGUMENT_INVALID: 0x6,
  HANDLE_INVALID: 0x7,
  VALIDATE_FAILED: 0x8,
  MAP_FAILED: 0x9,
  MEM_INVALID: 0xa,
  MEM_INUSE: 0xb,
  MEM_RELEASED: 0xc,
  VMID_INVALID: 0xd,
  LOOKUP_FAILED: 0xe,
  IRQ_INVALID: 0xf,
  IRQ_INUSE: 0x10,
  IRQ_RELEASED: 0x11,
  IN_USE: 0x12,
  IRQ_NOT_MAPPED: 0x13,
  VM_STATE: 0x14,
  UNIMPLEMENTED: 0xffff_ffff,
} as const satisfies Record<string, number>;

/** Name of an RM error word. */
export type RmErrorName = keyof typeof RM_ERRORS;

/** A refusal that says what the hypervisor answered; only some requests can. */
export class RmFailure {
  readonly error: RmErrorName;
  /** Gunyah API: error_t. */
  readonly hypervisorError: number;

  constructor(error: RmErrorName, hypervisorError: number) {
    this.error = error;
    this.hypervisorError = hypervisorError;
  }
}

const NAMES = new Map<number, string>(Object.entries(RM_ERRORS).map(([name, value]) => [value, name]));

/** The name of an RM error word, or `error 0x…` for one that RM does not define. */
export function rmErrorName(value: number): string {
  return NAMES.get(value >>> 0) ?? `error 0x${(value >>> 0).toString(16)}`;
}

/** What RM answers when a hypercall it needed failed with `error` (Gunyah API: error_t). */
export function rmErrorFromHypervisor(error: number): RmErrorName {
  switch (error | 0) {
    case ERRORS.OK: return 'OK';
    case ERRORS.UNIMPLEMENTED: return 'UNIMPLEMENTED';
    case ERRORS.NOMEM: return 'NOMEM';
    case ERRORS.NORESOURCES: return 'NORESOURCE';
    case ERRORS.DENIED: return 'DENIED';
    case ERRORS.BUSY: return 'BUSY';
    case ERRORS.ADDR_OVERFLOW:
    case ERRORS.ADDR_UNDERFLOW:
    case ERRORS.ADDR_INVALID: return 'MEM_INVALID';
    case ERRORS.ARGUMENT_INVALID: return 'ARGUMENT_INVALID';
    default: return 'DENIED';
  }
}

/**
 * The hypervisor's virtual real-time clock: a page with the identity and the time registers of a PL031, without its alarm. Seconds follow
 * the system counter from a time base that is set once. The calls have no numbers in the open source: only the root VM, by name, has them.
 */

import type { ErrorName } from './errors';
import { ObjectHeader } from './object';

const PAGE = 4096n;
const REGISTER = { data: 0x00, load: 0x08, control: 0x0c } as const;
/** Peripheral and PrimeCell identification, from 0xFE0, one byte a word. */
const IDENTIFICATION_FIRST = 0xfe0;
const IDENTIFICATION = [0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1] as const;
const NANOSECONDS = 1_000_000_000n;
/** The system counter counts 62.5 MHz. */
const COUNT_NANOSECONDS = 16n;
const SECONDS_MASK = 0xffff_ffffn;

/** A virtual real-time clock (Gunyah API: vrtc). */
export class Vrtc {
  readonly header: ObjectHeader<'vrtc'>;
  /** Where it appears; `undefined` until configured. */
  ipa: bigint | undefined;
  /** Address space that it was placed in, 0 for none. */
  addrspaceId = 0;
  /** Nanoseconds since 1970 at count 0. */
  private base = 0n;
  private isSet = false;

  constructor(id: number) {
    this.header = new ObjectHeader('vrtc', id);
  }

  /** Gunyah API: vrtc_configure. */
  configure(ipa: bigint): ErrorName {
    if (ipa % PAGE !== 0n || ipa + PAGE > 1n << 64n) return 'ADDR_INVALID';
    this.ipa = ipa;
    return 'OK';
  }

  /** Gunyah API: object_activate. */
  activate(): ErrorName {
    return this.ipa === undefined ? 'OBJECT_CONFIG' : 'OK';
  }

  /** Gunyah API: vrtc_set_time_base. `counter` is a value that the system counter had, `now` the one that it has. */
  setTimeBase(nanoseconds: bigint, counter: bigint, now: bigint): ErrorName {
    if (this.isSet) return 'BUSY';
    if (counter > now) return 'ARGUMENT_INVALID';
    this.base = nanoseconds - counter * COUNT_NANOSECONDS;
    this.isSet = true;
    return 'OK';
  }

  /** A load by the guest; `undefined` is an abort. */
  read(offset: number, sizeBytes: number, now: bigint): bigint | undefined {
    if (sizeBytes !== 4 || offset % 4 !== 0) return undefined;
    switch (offset) {
      case REGISTER.data: return this.seconds(now);
      case REGISTER.control: return 1n;
      default: return BigInt(IDENTIFICATION[(offset - IDENTIFICATION_FIRST) / 4] ?? 0);
    }
  }

  /** A store by the guest; false is an abort. */
  write(offset: number, sizeBytes: number, value: bigint, now: bigint): boolean {
    if (sizeBytes !== 4 || offset % 4 !== 0) return false;
    if (offset === REGISTER.load) this.base = (value & SECONDS_MASK) * NANOSECONDS - now * COUNT_NANOSECONDS;
    return true;
  }

  save(): SavedVrtc {
    return { ipa: this.ipa, addrspaceId: this.addrspaceId, base: this.base, isSet: this.isSet };
  }

  restore(saved: SavedVrtc): void {
    this.ipa = saved.ipa;
    this.addrspaceId = saved.addrspaceId;
    this.base = saved.base;
    this.isSet = saved.isSet;
  }

  /** Seconds since 1970, rounded down, modulo 2^32. */
  private seconds(now: bigint): bigint {
    return BigInt.asUintN(32, floorDivide(this.base + now * COUNT_NANOSECONDS, NANOSECONDS));
  }
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value < 0n && value % by !== 0n ? value / by - 1n : value / by;
}

/** Plain-data form. */
export interface SavedVrtc { readonly ipa: bigint | undefined; readonly addrspaceId: number; readonly base: bigint; readonly isSet: boolean }

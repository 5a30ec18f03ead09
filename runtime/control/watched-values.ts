/** What watched memory held before: data breakpoints tell old and new values. Values are noted when a run begins and at each hit. */

import { fromBytes } from '../symbols/index';

/** A watched stretch of physical memory. */
export interface WatchedPiece { readonly address: bigint; readonly sizeBytes: number }

const NUMBER_SIZE_MAX_BYTES = 8;
/** More is watched for being touched, not for its value. */
const NOTED_SIZE_MAX_BYTES = 4096;

/** The values of watched pieces by breakpoint. */
export class WatchedValues {
  private readonly read: (address: bigint, sizeBytes: number) => Uint8Array;
  private readonly before = new Map<number, Uint8Array>();

  constructor(read: (address: bigint, sizeBytes: number) => Uint8Array) {
    this.read = read;
  }

  /** Notes what is there now: from here on every write is seen. */
  note(id: number, pieces: readonly WatchedPiece[]): void {
    const value = this.valueOf(pieces);
    if (value === undefined) this.before.delete(id);
    else this.before.set(id, value);
  }

  /** Forgets all: what happens next is not seen from here. */
  forget(): void {
    this.before.clear();
  }

  /** What a hit did, in words; undefined if what was there before is not known. */
  describe(id: number, pieces: readonly WatchedPiece[], isWrite: boolean): string | undefined {
    const old = this.before.get(id);
    const now = this.valueOf(pieces);
    if (now === undefined) return undefined;
    // What was never noted stays unknown: while history is searched, hits come in no order.
    if (old !== undefined) this.before.set(id, now);
    if (!isWrite) return now.length <= NUMBER_SIZE_MAX_BYTES ? `Read ${numberText(now)}` : undefined;
    if (old === undefined || old.length !== now.length) return undefined;
    return changeText(old, now);
  }

  private valueOf(pieces: readonly WatchedPiece[]): Uint8Array | undefined {
    const size = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (size === 0 || size > NOTED_SIZE_MAX_BYTES) return undefined;
    const value = new Uint8Array(size);
    let at = 0;
    for (const { address, sizeBytes } of pieces) {
      value.set(this.read(address, sizeBytes), at);
      at += sizeBytes;
    }
    return value;
  }
}

function numberText(bytes: Uint8Array): string {
  const value = fromBytes(bytes);
  return value < 10n ? value.toString() : `${value} (0x${value.toString(16)})`;
}

function changeText(old: Uint8Array, now: Uint8Array): string {
  const first = now.findIndex((byte, i) => byte !== old[i]);
  if (first < 0) return now.length <= NUMBER_SIZE_MAX_BYTES ? `Written without change: ${numberText(now)}` : 'Written without change';
  if (now.length <= NUMBER_SIZE_MAX_BYTES) return `Changed from ${numberText(old)} to ${numberText(now)}`;
  const start = first - (first % NUMBER_SIZE_MAX_BYTES);
  const part = (bytes: Uint8Array): string => numberText(bytes.subarray(start, start + NUMBER_SIZE_MAX_BYTES));
  return `Changed at byte ${first}: from ${part(old)} to ${part(now)}`;
}

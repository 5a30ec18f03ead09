/**
 * Where register devices lie in the platform's physical address space. Not for RAM, and not for the virtual GIC, which
 * belongs to a VM and not to the platform.
 *
 * Rules: an access must be naturally aligned and lie inside one device. Which widths a device takes is the device's own rule, but 8 bytes that it
 * does not take become twice 4, as on QEMU's board. What hits nothing is `unmapped`; what a device does not take is `refused`. Both are an external abort
 * for a CPU; the difference is for reports.
 */

import { assert } from '../base/assert';
import { hex } from '../base/bits';
import { pa, type Pa } from '../base/brands';
import type { RegisterDevice } from './interface';

/** A device at its place. `base` and `sizeBytes` in bytes of physical address space. */
export interface Placement { readonly name: string; readonly base: number; readonly sizeBytes: number; readonly device: RegisterDevice }

/** What became of an access; `value` for a load that succeeded. */
export type BusResult = { readonly outcome: 'done'; readonly value: bigint } | { readonly outcome: 'unmapped' | 'refused' };

const UNMAPPED: BusResult = { outcome: 'unmapped' };
const REFUSED: BusResult = { outcome: 'refused' };

/** Plain-data form: the state of every device by name. */
export interface SavedBus { readonly kind: 'bus'; readonly version: 1; readonly devices: readonly { readonly name: string; readonly state: unknown }[] }

/** Devices sorted by address, found by binary search. */
export class Bus {
  private readonly placements: Placement[] = [];

  /** Places a device. Ranges may not overlap and names are unique: both are our own mistakes. */
  add(placement: Placement): void {
    const { base, sizeBytes, name } = placement;
    assert(Number.isSafeInteger(base) && base >= 0 && sizeBytes > 0, `${name} lies at a valid address`);
    const overlap = this.placements.find((other) => other.name === name || (base < other.base + other.sizeBytes && other.base < base + sizeBytes));
    assert(overlap === undefined, `${name} at ${hex(base)} collides with ${overlap?.name ?? ''}`);
    this.placements.push(placement);
    this.placements.sort((a, b) => a.base - b.base);
  }

  /** Every device, by ascending address. */
  get devices(): readonly Placement[] {
    return this.placements;
  }

  /** The device at an address. */
  find(address: Pa): Placement | undefined {
    const at = Number(address);
    let low = 0;
    let high = this.placements.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.placements[middle]?.base ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const candidate = this.placements[low - 1];
    return candidate !== undefined && at < candidate.base + candidate.sizeBytes ? candidate : undefined;
  }

  /** Loads `sizeBytes` (1, 2, 4, 8). */
  read(address: Pa, sizeBytes: number): BusResult {
    const result = this.readOnce(address, sizeBytes);
    if (result.outcome !== 'refused' || sizeBytes !== 8) return result;
    const [low, high] = [this.readOnce(address, 4), this.readOnce(pa(address + 4n), 4)];
    return low.outcome === 'done' && high.outcome === 'done' ? { outcome: 'done', value: low.value | (high.value << 32n) } : REFUSED;
  }

  private readOnce(address: Pa, sizeBytes: number): BusResult {
    const placement = this.find(address);
    if (placement === undefined) return UNMAPPED;
    const offset = Number(address) - placement.base;
    if (!fits(placement, offset, sizeBytes)) return REFUSED;
    const value = placement.device.read(offset, sizeBytes);
    return value === undefined ? REFUSED : { outcome: 'done', value };
  }

  /** Stores `sizeBytes` (1, 2, 4, 8); the value of a store that succeeded is 0n. */
  write(address: Pa, sizeBytes: number, value: bigint): BusResult {
    const result = this.writeOnce(address, sizeBytes, value);
    if (result.outcome !== 'refused' || sizeBytes !== 8) return result;
    const low = this.writeOnce(address, 4, BigInt.asUintN(32, value));
    return low.outcome === 'done' ? this.writeOnce(pa(address + 4n), 4, value >> 32n) : low;
  }

  private writeOnce(address: Pa, sizeBytes: number, value: bigint): BusResult {
    const placement = this.find(address);
    if (placement === undefined) return UNMAPPED;
    const offset = Number(address) - placement.base;
    if (!fits(placement, offset, sizeBytes)) return REFUSED;
    return placement.device.write(offset, sizeBytes, value) ? { outcome: 'done', value: 0n } : REFUSED;
  }

  /** Resets every device, by ascending address. */
  reset(): void {
    for (const { device } of this.placements) device.reset();
  }

  save(): SavedBus {
    return { kind: 'bus', version: 1, devices: this.placements.map(({ name, device }) => ({ name, state: device.save() })) };
  }

  restore(saved: SavedBus): void {
    assert(saved.devices.length === this.placements.length, 'a snapshot fits the board it was taken on');
    for (const [index, { name, state }] of saved.devices.entries()) {
      const placement = this.placements[index];
      assert(placement?.name === name, 'a snapshot fits the board it was taken on');
      placement.device.restore(state);
    }
  }
}

function fits(placement: Placement, offset: number, sizeBytes: number): boolean {
  return offset % sizeBytes === 0 && offset + sizeBytes <= placement.sizeBytes;
}

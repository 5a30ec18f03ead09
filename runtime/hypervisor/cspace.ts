/**
 * Capability spaces: what a virtual machine can name.
 *
 * Slots live in tables of 62, which come with their first capability and go with their last; an identifier is table << 8 | slot, lowest free
 * slot first, either plain (as debug builds of the
 * hypervisor do) or scrambled per cspace (as production builds do). Looking up says why it failed in the API's order: decode, empty, revoked.
 * Types, rights and object states are checked by the hypercall shell.
 */

import { assert, present } from '../base/assert';
import { type CapId, capId } from '../base/brands';
import type { ErrorName } from './errors';
import { type KernelObject, ObjectHeader } from './object';
import type { Heap } from './partition';

/** Slots per capability table. */
export const SLOTS_PER_TABLE = 62;
/** Tables per cspace. */
export const TABLES_PER_CSPACE = 232;
/** Heap bytes of one table. */
const TABLE_BYTES = 2048;
/** Upper bound of max_caps. */
export const CAPABILITIES_MAX = SLOTS_PER_TABLE * TABLES_PER_CSPACE;

/** One occupied slot. */
export interface Capability {
  readonly object: KernelObject;
  /** Unsigned 32-bit mask. */
  readonly rights: number;
  /** The one capability that creation made; only it can revoke the others. */
  readonly master: boolean;
  state: 'valid' | 'revoked';
}

/** How identifiers are made from slot numbers. Plain: base 0, multiplier 1. */
export interface CapabilityEncoding { readonly base: bigint; readonly multiplier: bigint }

/** The plain encoding of debug builds. */
export const PLAIN_ENCODING: CapabilityEncoding = { base: 0n, multiplier: 1n };

/** A capability space (Gunyah API: cspace). */
export class Cspace {
  readonly header: ObjectHeader<'cspace'>;
  readonly encoding: CapabilityEncoding;
  /** Limit set by cspace_configure; 0 until then. */
  capabilitiesMax = 0;
  private tables: (CapabilityTable | undefined)[] = [];
  private used = 0;
  private readonly heap: Heap;
  private readonly isPlain: boolean;
  /** The multiplier's inverse in 32.32 fixed point, rounded up. */
  private readonly inverse: bigint;

  constructor(id: number, encoding: CapabilityEncoding, heap: Heap) {
    this.header = new ObjectHeader('cspace', id);
    this.encoding = encoding;
    this.heap = heap;
    this.isPlain = encoding.base === 0n && encoding.multiplier === 1n;
    this.inverse = (1n << 32n) / encoding.multiplier + 1n;
  }

  /** Occupied slots, revoked ones included. */
  get capabilityCount(): number {
    return this.used;
  }

  /** Gunyah API: cspace_configure. */
  configure(capabilitiesMax: number): ErrorName {
    if (capabilitiesMax > CAPABILITIES_MAX) return 'ARGUMENT_INVALID';
    this.capabilitiesMax = capabilitiesMax;
    return 'OK';
  }

  /** Gunyah API: object_activate. */
  activate(): ErrorName {
    return this.capabilitiesMax === 0 ? 'OBJECT_CONFIG' : 'OK';
  }

  /** The error a new capability would meet, or OK: too many capabilities, or no memory for another table. */
  checkRoom(): ErrorName {
    if (this.used >= this.capabilitiesMax) return 'CSPACE_FULL';
    return this.roomyTable() >= 0 || this.heap.canReserve(TABLE_BYTES) ? 'OK' : 'NOMEM';
  }

  /** Puts a capability into the lowest free slot of the lowest table that has one, or into a new table; `checkRoom` must have said OK. */
  insert(capability: Capability): CapId {
    assert(this.used < CAPABILITIES_MAX, 'a capability is inserted into a full cspace');
    const roomy = this.roomyTable();
    const index = roomy >= 0 ? roomy : this.addTable();
    const table = this.table(index);
    let slot = 0;
    while (table.slots[slot] !== undefined) slot++;
    table.slots[slot] = capability;
    table.used++;
    this.used++;
    return this.encode(index * SLOTS_PER_TABLE + slot);
  }

  /** The capability that an identifier names, valid or revoked, or why there is none. */
  find(id: CapId): Capability | ErrorName {
    const flat = this.decode(id);
    if (flat === undefined) return 'ARGUMENT_INVALID';
    return this.at(flat) ?? 'CSPACE_CAP_NULL';
  }

  /** Empties a slot that `find` found. A table goes with its last capability. */
  remove(id: CapId): void {
    const flat = this.decode(id);
    assert(flat !== undefined && this.at(flat) !== undefined, 'an empty slot is removed');
    const index = this.tableOf(flat);
    const table = this.table(index);
    table.slots[flat % SLOTS_PER_TABLE] = undefined;
    table.used--;
    this.used--;
    if (table.used > 0) return;
    this.tables[index] = undefined;
    this.heap.releaseBytes(TABLE_BYTES);
  }

  /** Every occupied slot in order. */
  *entries(): IterableIterator<readonly [CapId, Capability]> {
    for (let table = 0; table < this.tables.length; table++) {
      const slots = this.tables[table]?.slots ?? [];
      for (let slot = 0; slot < slots.length; slot++) {
        const capability = slots[slot];
        if (capability !== undefined) yield [this.encode(table * SLOTS_PER_TABLE + slot), capability];
      }
    }
  }

  /** Forgets every slot and pays the tables back; the owner drops the references. */
  clear(): void {
    this.heap.releaseBytes(TABLE_BYTES * this.tables.filter((table) => table !== undefined).length);
    this.tables = [];
    this.used = 0;
  }

  save(): SavedCspace {
    const slots: SavedCapability[] = [];
    for (const [id, capability] of this.entries()) {
      slots.push({ flat: this.decode(id) ?? 0, object: capability.object.header.id, rights: capability.rights, master: capability.master, state: capability.state });
    }
    return { capabilitiesMax: this.capabilitiesMax, base: this.encoding.base, multiplier: this.encoding.multiplier, slots };
  }

  /** Takes saved slots back; the heap's own saved state has their cost. */
  restore(saved: SavedCspace, object: (id: number) => KernelObject): void {
    this.capabilitiesMax = saved.capabilitiesMax;
    this.tables = [];
    this.used = saved.slots.length;
    for (const slot of saved.slots) {
      const table = (this.tables[this.tableOf(slot.flat)] ??= { used: 0, slots: [] });
      table.slots[slot.flat % SLOTS_PER_TABLE] = { object: object(slot.object), rights: slot.rights, master: slot.master, state: slot.state };
      table.used++;
    }
  }

  /** The lowest table with a free slot, or -1. */
  private roomyTable(): number {
    return this.tables.findIndex((table) => table !== undefined && table.used < SLOTS_PER_TABLE);
  }

  /** Makes a table at the lowest place that has none. */
  private addTable(): number {
    const gap = this.tables.indexOf(undefined);
    const index = gap < 0 ? this.tables.length : gap;
    this.heap.chargeBytes(TABLE_BYTES);
    this.tables[index] = { used: 0, slots: [] };
    return index;
  }

  private table(index: number): CapabilityTable {
    return present(this.tables[index], 'a capability table is there');
  }

  private tableOf(flat: number): number {
    return Math.floor(flat / SLOTS_PER_TABLE);
  }

  private at(flat: number): Capability | undefined {
    return this.tables[this.tableOf(flat)]?.slots[flat % SLOTS_PER_TABLE];
  }

  private encode(flat: number): CapId {
    const index = (Math.floor(flat / SLOTS_PER_TABLE) << 8) | flat % SLOTS_PER_TABLE;
    return capId((BigInt(index) * this.encoding.multiplier) ^ this.encoding.base);
  }

  /** Divides by multiplication as the hypervisor does: identifiers between two that were given out decode to the lower one. */
  private decode(id: CapId): number | undefined {
    const product = this.isPlain ? id : id ^ this.encoding.base;
    if (product > 0xffff_ffffn) return undefined;
    const index = this.isPlain ? Number(product) : Number(BigInt.asUintN(64, product * this.inverse) >> 32n);
    const slot = index & 0xff;
    const table = index >>> 8;
    return index <= 0xffff && slot < SLOTS_PER_TABLE && table < TABLES_PER_CSPACE ? table * SLOTS_PER_TABLE + slot : undefined;
  }
}

/** One table and how many of its slots are taken. */
interface CapabilityTable { used: number; readonly slots: (Capability | undefined)[] }

/** Saved form of one slot. */
export interface SavedCapability { readonly flat: number; readonly object: number; readonly rights: number; readonly master: boolean; readonly state: 'valid' | 'revoked' }
/** Saved form of a cspace. */
export interface SavedCspace { readonly capabilitiesMax: number; readonly base: bigint; readonly multiplier: bigint; readonly slots: readonly SavedCapability[] }

/**
 * Capability spaces: what a virtual machine can name.
 *
 * Slots live in tables of 62; an identifier is table << 8 | slot, lowest free first, either plain (as debug builds of the
 * hypervisor do) or scrambled per cspace (as production builds do). Looking up says why it failed in the API's order: decode, empty, revoked.
 * Types, rights and object states are checked by the hypercall shell.
 */

import { assert } from '../base/assert';
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
  private tables: (Capability | undefined)[][] = [];
  private used = 0;
  private firstFreeHint = 0;
  private readonly heap: Heap;

  constructor(id: number, encoding: CapabilityEncoding, heap: Heap) {
    this.header = new ObjectHeader('cspace', id);
    this.encoding = encoding;
    this.heap = heap;
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
    return this.tables[this.tableOf(this.lowestFree())] !== undefined || this.heap.canReserve(TABLE_BYTES) ? 'OK' : 'NOMEM';
  }

  /** Puts a capability into the lowest free slot; `checkRoom` must have said OK. */
  insert(capability: Capability): CapId {
    assert(this.used < CAPABILITIES_MAX, 'a capability is inserted into a full cspace');
    const flat = this.lowestFree();
    const table = this.tables[this.tableOf(flat)] ?? this.addTable(this.tableOf(flat));
    table[flat % SLOTS_PER_TABLE] = capability;
    this.used++;
    this.firstFreeHint = flat + 1;
    return this.encode(flat);
  }

  /** The capability that an identifier names, valid or revoked, or why there is none. */
  find(id: CapId): Capability | ErrorName {
    const flat = this.decode(id);
    if (flat === undefined) return 'ARGUMENT_INVALID';
    return this.at(flat) ?? 'CSPACE_CAP_NULL';
  }

  /** Empties a slot that `find` found. */
  remove(id: CapId): void {
    const flat = this.decode(id);
    assert(flat !== undefined && this.at(flat) !== undefined, 'an empty slot is removed');
    const table = this.tables[this.tableOf(flat)];
    if (table !== undefined) table[flat % SLOTS_PER_TABLE] = undefined;
    this.used--;
    this.firstFreeHint = Math.min(this.firstFreeHint, flat);
  }

  /** Every occupied slot in order. */
  *entries(): IterableIterator<readonly [CapId, Capability]> {
    for (let table = 0; table < this.tables.length; table++) {
      const slots = this.tables[table] ?? [];
      for (let slot = 0; slot < slots.length; slot++) {
        const capability = slots[slot];
        if (capability !== undefined) yield [this.encode(table * SLOTS_PER_TABLE + slot), capability];
      }
    }
  }

  /** Forgets every slot and pays the tables back; the owner drops the references. */
  clear(): void {
    this.heap.releaseBytes(TABLE_BYTES * this.tables.length);
    this.tables = [];
    this.used = 0;
    this.firstFreeHint = 0;
  }

  save(): SavedCspace {
    const slots: SavedCapability[] = [];
    for (const [id, capability] of this.entries()) {
      slots.push({ flat: this.decode(id) ?? 0, object: capability.object.header.id, rights: capability.rights, master: capability.master, state: capability.state });
    }
    return { capabilitiesMax: this.capabilitiesMax, tableCount: this.tables.length, base: this.encoding.base, multiplier: this.encoding.multiplier, slots };
  }

  /** Takes saved slots back; the heap's own saved state has their cost. */
  restore(saved: SavedCspace, object: (id: number) => KernelObject): void {
    this.capabilitiesMax = saved.capabilitiesMax;
    this.tables = Array.from({ length: saved.tableCount }, () => []);
    this.used = saved.slots.length;
    this.firstFreeHint = 0;
    for (const slot of saved.slots) {
      const table = this.tables[this.tableOf(slot.flat)];
      assert(table !== undefined, 'a saved capability lies in a saved table');
      table[slot.flat % SLOTS_PER_TABLE] = { object: object(slot.object), rights: slot.rights, master: slot.master, state: slot.state };
    }
  }

  private lowestFree(): number {
    let flat = this.firstFreeHint;
    while (this.at(flat) !== undefined) flat++;
    this.firstFreeHint = flat;
    return flat;
  }

  private addTable(index: number): (Capability | undefined)[] {
    assert(index === this.tables.length, 'tables are added in order');
    this.heap.chargeBytes(TABLE_BYTES);
    const table: (Capability | undefined)[] = [];
    this.tables.push(table);
    return table;
  }

  private tableOf(flat: number): number {
    return Math.floor(flat / SLOTS_PER_TABLE);
  }

  private at(flat: number): Capability | undefined {
    return this.tables[this.tableOf(flat)]?.[flat % SLOTS_PER_TABLE];
  }

  private encode(flat: number): CapId {
    const index = (Math.floor(flat / SLOTS_PER_TABLE) << 8) | flat % SLOTS_PER_TABLE;
    return capId((BigInt(index) * this.encoding.multiplier) ^ this.encoding.base);
  }

  private decode(id: CapId): number | undefined {
    const product = id ^ this.encoding.base;
    if (product % this.encoding.multiplier !== 0n) return undefined;
    const quotient = product / this.encoding.multiplier;
    if (quotient > 0xffffn) return undefined;
    const index = Number(quotient);
    const slot = index & 0xff;
    const table = index >> 8;
    return slot < SLOTS_PER_TABLE && table < TABLES_PER_CSPACE ? table * SLOTS_PER_TABLE + slot : undefined;
  }
}

/** Saved form of one slot. */
export interface SavedCapability { readonly flat: number; readonly object: number; readonly rights: number; readonly master: boolean; readonly state: 'valid' | 'revoked' }
/** Saved form of a cspace. */
export interface SavedCspace { readonly capabilitiesMax: number; readonly tableCount: number; readonly base: bigint; readonly multiplier: bigint; readonly slots: readonly SavedCapability[] }

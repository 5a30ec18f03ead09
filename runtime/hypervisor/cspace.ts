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

/** Slots per capability table. */
export const SLOTS_PER_TABLE = 62;
/** Tables per cspace. */
export const TABLES_PER_CSPACE = 232;
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

  constructor(id: number, encoding: CapabilityEncoding) {
    this.header = new ObjectHeader('cspace', id);
    this.encoding = encoding;
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

  /** The error a new capability would meet, or OK. */
  checkRoom(): ErrorName {
    return this.used >= this.capabilitiesMax ? 'CSPACE_FULL' : 'OK';
  }

  /** Puts a capability into the lowest free slot; `checkRoom` must have said OK. */
  insert(capability: Capability): CapId {
    assert(this.used < CAPABILITIES_MAX, 'a capability is inserted into a full cspace');
    let flat = this.firstFreeHint;
    while (this.at(flat) !== undefined) flat++;
    const table = Math.floor(flat / SLOTS_PER_TABLE);
    (this.tables[table] ??= [])[flat % SLOTS_PER_TABLE] = capability;
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
    const table = this.tables[Math.floor(flat / SLOTS_PER_TABLE)];
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

  /** Forgets every slot; the owner has dropped the references. */
  clear(): void {
    this.tables = [];
    this.used = 0;
    this.firstFreeHint = 0;
  }

  save(): SavedCspace {
    const slots: SavedCapability[] = [];
    for (const [id, capability] of this.entries()) {
      slots.push({ flat: this.decode(id) ?? 0, object: capability.object.header.id, rights: capability.rights, master: capability.master, state: capability.state });
    }
    return { capabilitiesMax: this.capabilitiesMax, base: this.encoding.base, multiplier: this.encoding.multiplier, slots };
  }

  restore(saved: SavedCspace, object: (id: number) => KernelObject): void {
    this.clear();
    this.capabilitiesMax = saved.capabilitiesMax;
    for (const slot of saved.slots) {
      const table = (this.tables[Math.floor(slot.flat / SLOTS_PER_TABLE)] ??= []);
      table[slot.flat % SLOTS_PER_TABLE] = { object: object(slot.object), rights: slot.rights, master: slot.master, state: slot.state };
      this.used++;
    }
    for (let table = 0; table < this.tables.length; table++) this.tables[table] ??= [];
  }

  private at(flat: number): Capability | undefined {
    return this.tables[Math.floor(flat / SLOTS_PER_TABLE)]?.[flat % SLOTS_PER_TABLE];
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
export interface SavedCspace { readonly capabilitiesMax: number; readonly base: bigint; readonly multiplier: bigint; readonly slots: readonly SavedCapability[] }

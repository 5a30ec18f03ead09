/**
 * What every hypervisor object has: a type, an identity, a life-cycle state and a count of references.
 *
 * Objects are created by `partition_create_*` in state `init`, activated once, and die when their last valid capability
 * and their last internal reference (attached thread, child extent, register page) are gone. What an object does is in the
 * file with its Gunyah name; nothing here knows of capabilities' rights or of registers.
 */

import { assert } from '../base/assert';
import type { ObjectType } from './hypercall-table';

/** Life-cycle states (Gunyah API: object states); `failed` is permanent. */
export type ObjectState = 'init' | 'active' | 'failed' | 'destroying';

/** The common part of every object. */
export class ObjectHeader<T extends ObjectType = ObjectType> {
  readonly type: T;
  /** Unique for the life of the system, in order of creation. */
  readonly id: number;
  state: ObjectState = 'init';
  /** How trace events name the object. */
  readonly reference: { readonly type: T; readonly id: number };
  /** Valid capabilities plus internal references. */
  references = 0;

  constructor(type: T, id: number) {
    this.type = type;
    this.id = id;
    this.reference = { type, id };
  }

  /** Adds a reference. */
  get(): void {
    this.references++;
  }

  /** Drops a reference; true if it was the last one and the object must be destroyed. */
  put(): boolean {
    assert(this.references > 0, `object ${this.id} loses a reference that it does not have`);
    return --this.references === 0;
  }
}

/** Anything a capability can name. */
export interface KernelObject { readonly header: ObjectHeader }

/** Saved form of a header. */
export interface SavedHeader { readonly type: ObjectType; readonly id: number; readonly state: ObjectState; readonly references: number }

/** Saves a header. */
export function saveHeader(header: ObjectHeader): SavedHeader {
  return { type: header.type, id: header.id, state: header.state, references: header.references };
}

/** Takes a saved header's state back. */
export function restoreHeader(header: ObjectHeader, saved: SavedHeader): void {
  assert(header.type === saved.type && header.id === saved.id, 'a header is restored into another object');
  header.state = saved.state;
  header.references = saved.references;
}

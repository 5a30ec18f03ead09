/**
 * Resolving capabilities in the API's order: decode, empty, revoked, type, rights, object state. Calls on objects before their activation
 * test rights before type, as observed on the reference build.
 */

import type { CapId } from '../base/brands';
import { RIGHT_OBJECT_ACTIVATE } from './rights';
import type { Capability, Cspace } from './cspace';
import type { ErrorName } from './errors';
import type { Hypercall, HypercallInput, HypercallName } from './hypercall-table';
import { isError, type Lookup } from './hypercall-types';
import { type AnyObject, isType, type ObjectByType } from './kernel';
import type { ObjectState } from './object';

/** Calls that look at their second capability first. */
const SECOND_FIRST: ReadonlySet<HypercallName> = new Set<HypercallName>([
  'addrspace_attach_thread', 'cspace_attach_thread', 'memextent_configure_derive', 'virtio_mmio_configure',
]);

/** Capability arguments of a call that the shell resolves, in the order in which the call looks at them. */
export function lookupsOf(name: HypercallName, row: Hypercall): readonly { readonly input: HypercallInput; readonly lookup: Lookup }[] {
  const found = row.inputs.flatMap((input) => {
    if (input.object === undefined || input.rights === undefined) return [];
    // What acts on an object before its activation finds it as an object of any type first.
    const rightsFirst = (input.rights & RIGHT_OBJECT_ACTIVATE) !== 0;
    return [{ input, lookup: { type: input.object, rights: input.rights, state: input.state ?? 'active', rightsFirst } }];
  });
  return SECOND_FIRST.has(name) ? [...found].reverse() : found;
}

/** The valid capability that an identifier names in a cspace. */
export function findValid(cspace: Cspace, id: CapId): Capability | ErrorName {
  const capability = cspace.find(id);
  if (isError(capability)) return capability;
  return capability.state === 'revoked' ? 'CSPACE_CAP_REVOKED' : capability;
}

/** Resolves a capability to its object, of whatever type the look-up admits. Other states than ACTIVE are the business of `isInState`, which the shell asks later. */
export function resolve(cspace: Cspace, id: CapId, lookup: Lookup): AnyObject | ErrorName {
  const capability = findValid(cspace, id);
  if (isError(capability)) return capability;
  const object: AnyObject = capability.object as AnyObject;
  const typeError = lookup.type !== 'any' && object.header.type !== lookup.type;
  const rightsError = (capability.rights & lookup.rights) >>> 0 !== lookup.rights >>> 0;
  if (lookup.rightsFirst === true && rightsError) return 'CSPACE_INSUFFICIENT_RIGHTS';
  if (typeError) return 'CSPACE_WRONG_OBJECT_TYPE';
  if (rightsError) return 'CSPACE_INSUFFICIENT_RIGHTS';
  return lookup.state !== 'active' || object.header.state === 'active' ? object : 'OBJECT_STATE';
}

/** The same, for one type. */
export function resolveAs<T extends keyof ObjectByType>(cspace: Cspace, id: CapId, type: T, lookup: Omit<Lookup, 'type'>): (AnyObject & ObjectByType[T]) | ErrorName {
  const object = resolve(cspace, id, { ...lookup, type });
  if (isError(object)) return object;
  return isType(object, type) ? object : 'CSPACE_WRONG_OBJECT_TYPE';
}

/** True if an object is in a state that a call admits. */
export function isInState(state: ObjectState | undefined, wanted: Lookup['state']): boolean {
  switch (wanted) {
    case 'any': return true;
    case 'init_or_active': return state === 'init' || state === 'active';
    default: return state === wanted;
  }
}

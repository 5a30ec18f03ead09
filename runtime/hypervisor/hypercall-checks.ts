/**
 * Checks of single hypercalls that come earlier than their handler: options and ranges that are refused before any capability is looked at,
 * and values that are refused after the look-up of capabilities but before the state of an object that is not active yet.
 * The order is that of the reference build; what is listed nowhere here is checked by the handler.
 */

import type { ErrorName } from './errors';
import type { HypercallName } from './hypercall-table';
import type { Kernel } from './kernel';
import { RIGHTS } from './rights';
import { SCHEDULING, VCPU_OPTIONS_ALL } from './thread';

/** Decoded arguments of any call. */
export type AnyArguments = Readonly<Record<string, bigint | number>>;

/** A check; `undefined` lets the call go on. */
type Check = (args: AnyArguments, kernel: Kernel) => ErrorName | undefined;
type Checks = { readonly [N in HypercallName]?: Check };

/** vcpu_set_affinity: no CPU. */
export const AFFINITY_NONE = 0xffff;
/** addrspace_map_flags: bit 0 partial, bit 31 no_sync. */
const MAP_FLAGS_KNOWN = 0x8000_0001;
/** Later hypervisors also have bit 1 private and bit 2 VMMIO, which tell nothing apart here. */
const MAP_FLAGS_NEWER = 0x8000_0007;
/** memextent_mapping_attrs and memextent_access_attrs. */
const MAPPING_ATTRIBUTES_KNOWN = 0x00ff_0077;
const ACCESS_ATTRIBUTES_KNOWN = 0x77;
/** Operation or type in the low byte, bit 31 no_sync. */
const OPERATION_FLAGS_KNOWN = 0x8000_00ff;
const VIC_OPTIONS_KNOWN = 3n;

/** Refuses bits of an argument that have no meaning. */
function onlyBits(name: string, known: bigint | number, error: ErrorName = 'ARGUMENT_INVALID'): Check {
  return (args) => ((BigInt(args[name] ?? 0) & ~BigInt(known)) === 0n ? undefined : error);
}

/** The first error of several checks. */
function inTurn(...checks: readonly Check[]): Check {
  return (args, kernel) => checks.reduce<ErrorName | undefined>((found, check) => found ?? check(args, kernel), undefined);
}

const mapFlags: Check = (args, kernel) => onlyBits('map_flags', kernel.options.isNewer ? MAP_FLAGS_NEWER : MAP_FLAGS_KNOWN)(args, kernel);

/** Before any capability is looked at. */
const EARLY: Checks = {
  addrspace_map: inTurn(onlyBits('map_attrs', MAPPING_ATTRIBUTES_KNOWN), mapFlags),
  addrspace_unmap: mapFlags,
  addrspace_update_access: inTurn(onlyBits('access_attrs', ACCESS_ATTRIBUTES_KNOWN), mapFlags),
  memextent_modify: onlyBits('flags', OPERATION_FLAGS_KNOWN),
  memextent_donate: onlyBits('options', OPERATION_FLAGS_KNOWN),
  vcpu_configure: onlyBits('vcpu_options', VCPU_OPTIONS_ALL),
  vcpu_poweron: onlyBits('flags', 3),
  vcpu_poweroff: onlyBits('flags', 1),
  vcpu_set_affinity: ({ affinity = 0 }, kernel) => (affinity === AFFINITY_NONE || affinity < kernel.scheduler.cpuCount ? undefined : 'ARGUMENT_INVALID'),
  vpm_group_configure: onlyBits('flags', 1, 'UNIMPLEMENTED'),
};

/** After the look-ups, before the state of objects that must be in INIT. */
const BEFORE_STATE: Checks = {
  vcpu_set_priority: ({ priority = 0 }) => (priority > SCHEDULING.priorityMax ? 'DENIED' : undefined),
  vic_configure: onlyBits('vic_options', VIC_OPTIONS_KNOWN),
};

/** The error that a call meets before any capability is looked at. */
export function earlyError(name: HypercallName, args: AnyArguments, kernel: Kernel): ErrorName | undefined {
  return EARLY[name]?.(args, kernel);
}

/** The error that a call meets before it asks whether objects are in INIT. */
export function errorBeforeState(name: HypercallName, args: AnyArguments, kernel: Kernel): ErrorName | undefined {
  return BEFORE_STATE[name]?.(args, kernel);
}

/** Rights that a call needs on top of its row's, by argument values. */
export function moreRights(name: HypercallName, args: AnyArguments): number {
  return name === 'vcpu_set_affinity' && args['affinity'] === AFFINITY_NONE ? RIGHTS.thread.disable : 0;
}

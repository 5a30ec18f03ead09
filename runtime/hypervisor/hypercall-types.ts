/**
 * Types of the hypercall handlers, derived from the table: named arguments, looked-up objects, named results.
 * A handler that is misspelt, or takes an argument that its row lacks, does not compile.
 */

import type { CapId } from '../base/brands';
import type { ErrorName } from './errors';
import type { HypercallInputs, HypercallName, HypercallOutputs, HYPERCALLS, ObjectType } from './hypercall-table';
import type { Kernel, ObjectByType } from './kernel';
import type { Thread } from './thread';

/** How a call came in. `program`: from the native root VM. */
export type CallPath = 'native' | 'smccc' | 'program';

/** Surroundings of one call. */
export interface CallContext { readonly kernel: Kernel; readonly caller: Thread; readonly path: CallPath }

type ObjectInput = { readonly name: string; readonly object: ObjectType };
/** Objects that the shell looked up, by the name of the capability argument. */
export type LookedUp<N extends HypercallName> = {
  readonly [Row in (typeof HYPERCALLS)[N]['inputs'][number] as Row extends ObjectInput ? Row['name'] : never]: Row extends ObjectInput ? ObjectByType[Row['object']] : never;
};

/** What a handler answers: an error alone, OK with results, or `later`: results are written when the call completes. */
export type HandlerResult<N extends HypercallName> = ErrorName | 'later' | { readonly error?: ErrorName } & { readonly [K in keyof Omit<HypercallOutputs<N>, 'error'>]?: HypercallOutputs<N>[K] };

/** One handler. Arguments are checked for width only; objects for type, rights and state as the row says. */
export type Handler<N extends HypercallName> = (args: HypercallInputs<N>, objects: LookedUp<N>, context: CallContext) => HandlerResult<N>;

/** Handlers by name, for a part of the table. */
export type Handlers<N extends HypercallName> = { readonly [Name in N]: Handler<Name> };

/** True if a look-up failed. */
export function isError(value: unknown): value is ErrorName {
  return typeof value === 'string';
}

/** A capability and the object state that a look-up wants. */
export interface Lookup { readonly type: ObjectType | 'any'; readonly rights: number; readonly state: 'active' | 'init' | 'init_or_active' | 'any'; readonly rightsFirst?: boolean }

/** A capability argument to resolve. */
export type CapabilityArgument = CapId;

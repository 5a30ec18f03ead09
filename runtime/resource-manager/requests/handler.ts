/** The form of a request's handler: checks everything, then does it, and says what to answer. */

import type { Rm } from '../context';
import type { RmArguments, RmRequestName, RmResults } from '../message-table';
import type { RmErrorName, RmFailure } from '../rm-errors';
import type { VmRecord } from '../state';

/** What a handler answers: an error (or `OK` when there is nothing to say), alone or with the hypervisor's, or the reply's data. */
export type RmOutcome<N extends RmRequestName> = RmErrorName | RmFailure | RmResults<N>;

/** Serves one request; `caller` is the VM whose queue it came from. */
export type RmHandler<N extends RmRequestName> = (rm: Rm, caller: VmRecord, args: RmArguments<N>) => RmOutcome<N>;

/** Handlers by request. Requests without one answer UNIMPLEMENTED. */
export type RmHandlers = { readonly [N in RmRequestName]?: RmHandler<N> };

/**
 * Answers of profile `linux` that no handler gives: replies of another form for drivers that want them, and refusals that a driver does not
 * survive. Places where a handler itself asks for the profile are listed with these in docs/manual/resource-manager.md.
 */

import type { Rm } from './context';
import type { RmRecord } from './message-codec';
import type { RmRequestName } from './message-table';
import { suitsLegacyLinux, suitsLinux } from './profile';
import type { RmErrorName, RmFailure } from './rm-errors';
import type { VmRecord } from './state';

/** Linux before series v9 sends the target with VM_GET_VMID. */
const OLD_GET_VMID_BYTES = 4;
const CONSOLE_REQUESTS: readonly RmRequestName[] = ['CONSOLE_OPEN', 'CONSOLE_CLOSE', 'CONSOLE_WRITE', 'CONSOLE_FLUSH'];

/** The data of a reply that has another form than the table's, if this request has one. */
export function linuxAnswer(rm: Rm, caller: VmRecord, name: RmRequestName, payload: Uint8Array): Uint8Array | undefined {
  if (name !== 'VM_GET_VMID' || !suitsLinux(rm.options)) return undefined;
  const isOld = payload.length === OLD_GET_VMID_BYTES || (payload.length === 0 && suitsLegacyLinux(rm.options));
  return isOld ? Uint8Array.of(caller.vmid & 0xff, caller.vmid >> 8) : undefined;
}

/** What to answer instead of an outcome: the console driver of series v4 follows a wild pointer when a console request fails. */
export function linuxOutcome(rm: Rm, name: RmRequestName, outcome: RmErrorName | RmFailure | RmRecord): RmErrorName | RmFailure | RmRecord {
  const isConsole = CONSOLE_REQUESTS.includes(name) && suitsLegacyLinux(rm.options);
  return isConsole && typeof outcome === 'string' ? 'OK' : outcome;
}

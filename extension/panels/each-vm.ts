/** Asking something of every virtual machine at one moment. */

import type { VmRow } from '../../debug-adapter/protocol';
import type { Sessions } from '../sessions';

/** Answers of all VMs in RM's order. Undefined without a session. */
export async function eachVm<T>(sessions: Sessions, ask: (vm: VmRow) => Promise<T>): Promise<readonly T[] | undefined> {
  const vms = (await sessions.request('gunyah/vms', {}))?.vms;
  return vms === undefined ? undefined : await Promise.all(vms.map(ask));
}

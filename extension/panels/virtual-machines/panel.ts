/** The Virtual Machines view. */

import type { VmRow } from '../../../debug-adapter/protocol';
import type { PanelDefinition } from '../panel';
import { virtualMachineRows } from './model';

/** Asks for the VMs. */
export const virtualMachinesPanel: PanelDefinition<readonly VmRow[]> = {
  view: 'gunyah.virtualMachines',
  empty: 'The system has no virtual machines yet.',
  async fetch(sessions) {
    return (await sessions.request('gunyah/vms', {}))?.vms;
  },
  rows: virtualMachineRows,
};

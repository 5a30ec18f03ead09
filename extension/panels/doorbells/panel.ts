/** The Doorbells view. */

import type { DoorbellRow } from '../../../debug-adapter/protocol';
import type { PanelDefinition } from '../panel';
import { doorbellRows } from './model';

/** Asks for the doorbells. */
export const doorbellsPanel: PanelDefinition<readonly DoorbellRow[]> = {
  view: 'gunyah.doorbells',
  empty: 'No virtual machine has a doorbell. They are made for VMs whose configuration has one; stop there with a breakpoint on hvc:partition_create_doorbell.',
  async fetch(sessions) {
    return (await sessions.request('gunyah/doorbells', {}))?.doorbells;
  },
  rows: doorbellRows,
};

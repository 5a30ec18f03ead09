/** The Memory view. */

import type { PanelDefinition } from '../panel';
import { eachVm } from '../each-vm';
import { memoryRows, type VmMemory } from './model';

/** Asks for the memory of each VM. */
export const memoryPanel: PanelDefinition<readonly VmMemory[]> = {
  view: 'gunyah.memory',
  empty: 'No virtual machine has memory yet. Continue (F5) until one has started.',
  fetch: (sessions) => eachVm(sessions, async ({ vmid, name }) => {
    const body = await sessions.request('gunyah/memory', { vmid });
    return { vmid, vm: name, map: body?.map ?? [], windows: body?.windows ?? [], extents: body?.extents ?? [], memparcels: body?.memparcels ?? [], cut: body?.cut ?? false };
  }),
  rows: memoryRows,
};

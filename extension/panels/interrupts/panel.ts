/** The Interrupts view. */

import type { PanelDefinition } from '../panel';
import { eachVm } from '../each-vm';
import { interruptRows, type VmInterrupts } from './model';

/** Asks for the interrupts of each VM. */
export const interruptsPanel: PanelDefinition<readonly VmInterrupts[]> = {
  view: 'gunyah.interrupts',
  empty: 'No virtual machine has an interrupt controller yet. Continue (F5) until one has started.',
  fetch: (sessions) => eachVm(sessions, async ({ vmid, name }) => {
    const body = await sessions.request('gunyah/interrupts', { vmid });
    return { vmid, vm: name, interrupts: body?.interrupts ?? [], vcpus: body?.vcpus ?? [], distributor: body?.distributor ?? [] };
  }),
  rows: interruptRows,
};

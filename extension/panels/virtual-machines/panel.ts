/** The Virtual Machines view. */

import type { PanelDefinition } from '../panel';
import { virtualMachineRows, type VmWithServices } from './model';

/** Asks for the VMs, and for the services of those that have vCPUs. */
export const virtualMachinesPanel: PanelDefinition<readonly VmWithServices[]> = {
  view: 'gunyah.virtualMachines',
  empty: 'The system has no virtual machines yet. Continue (F5) until the Resource Manager has made one.',
  async fetch(sessions) {
    const vms = (await sessions.request('gunyah/vms', {}))?.vms;
    if (vms === undefined) return undefined;
    return await Promise.all(vms.map(async (vm) => (vm.vcpus.length === 0 ? vm : { ...vm, services: await sessions.request('gunyah/serviceRegisters', { vmid: vm.vmid }) })));
  },
  rows: virtualMachineRows,
};

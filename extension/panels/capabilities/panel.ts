/** The Capabilities view. */

import type { PanelDefinition } from '../panel';
import { capabilityRows, type VmCapabilities } from './model';

/** Asks for the capabilities of each VM. */
export const capabilitiesPanel: PanelDefinition<readonly VmCapabilities[]> = {
  view: 'gunyah.capabilities',
  empty: 'No virtual machine has a capability space yet. Continue (F5) until one has been made.',
  async fetch(sessions) {
    const vms = (await sessions.request('gunyah/vms', {}))?.vms;
    if (vms === undefined) return undefined;
    return await Promise.all(vms.map(async ({ vmid, name }) => {
      const body = await sessions.request('gunyah/capabilities', { vmid });
      return { vmid, vm: name, capabilities: body?.capabilities ?? [] };
    }));
  },
  rows: capabilityRows,
};

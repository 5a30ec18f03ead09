/** What RM calls the hypervisor's objects: labels of capabilities, by the objects that these name now. */

import type { Inspection } from '../hypervisor/inspection';
import type { RmView } from '../resource-manager/inspect';

const RM_VMID = 255;

/** Labels by object id. RM's own word for an object goes before that of others; `primary` is what users call the VM that RM knows as HLOS. */
export function objectLabels(inspection: Inspection, { labels, vms }: RmView, primary: string): Map<number, string> {
  const named = new Map<number, string>();
  const holdings = new Map<number, ReadonlyMap<bigint, number>>();
  for (const { vmid, cap, label } of labels) {
    const held = holdings.get(vmid) ?? objectsOf(inspection, vmid);
    holdings.set(vmid, held);
    const object = held.get(cap);
    if (object !== undefined && (vmid === RM_VMID || !named.has(object))) named.set(object, label.replace(/\bHLOS\b/g, primary));
  }
  for (const { vmid, extentId } of inspection.infoAreas()) {
    const name = vms.find((vm) => vm.vmid === vmid)?.name;
    if (name !== undefined && !named.has(extentId)) named.set(extentId, `information area of ${name.replace(/\bHLOS\b/g, primary)}`);
  }
  return named;
}

function objectsOf(inspection: Inspection, vmid: number): ReadonlyMap<bigint, number> {
  const cspace = inspection.cspaceOf(vmid);
  return cspace === undefined ? new Map<bigint, number>() : inspection.objectsIn(cspace);
}

/**
 * Nodes that speak to Gunyah's Resource Manager (RM) and not to an operating system: the configuration of a VM with its vdevices, and the
 * hypervisor node that RM writes. Habits of ordinary nodes do not hold there, so some of dtc's checks say nothing of use.
 */

import type { DtNode } from '../tree';

/** dtc's checks that do not fit such nodes: labels are numbers, and unit addresses only tell names apart. */
export const UNFIT_FOR_GUNYAH: ReadonlySet<string> = new Set([
  'label_is_string', 'unit_address_vs_reg', 'unit_address_format', 'unique_unit_address', 'avoid_unnecessary_addr_size', 'avoid_default_addr_size', 'interrupts_property',
  'simple_bus_reg',
]);

/** True for a label that is a number in a tree for Gunyah, where guests' nodes have them too. */
export function isNumericLabel(node: DtNode): boolean {
  let root = node;
  while (root.parent !== undefined) root = root.parent;
  return node.property('label')?.bytes.length === 4 && root.children.some(isGunyahNode);
}

/** True for such a node. */
export function isGunyahNode(node: DtNode): boolean {
  for (let at: DtNode | undefined = node; at !== undefined; at = at.parent) {
    if (at.has('vdevice-type')) return true;
    if (at.parent?.parent === undefined && /^(gunyah-vm-config|qcom,vm-config)$/.test(at.name)) return true;
    if (/^hypervisor(@|$)/.test(at.name) && at.stringList('compatible').some((name) => /^(gunyah-hypervisor|qcom,gunyah-hypervisor)/.test(name))) return true;
  }
  return false;
}

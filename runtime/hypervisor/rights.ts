/** Capability rights per object type: bit masks and their names in order (Gunyah API: rights). */

import type { ObjectType } from './hypercall-table';

/** Common to every object type: the right to activate it. */
export const RIGHT_OBJECT_ACTIVATE = 0x8000_0000;

/** Rights by object type and name. */
export const RIGHTS = {
  partition: { object_create: 0x1, donate: 0x2 },
  cspace: { cap_create: 0x1, cap_delete: 0x2, cap_copy: 0x4, attach: 0x8, cap_revoke: 0x10 },
  addrspace: { attach: 0x1, map: 0x2, lookup: 0x4, add_vmmio_range: 0x8 },
  memextent: { map: 0x1, derive: 0x2, attach: 0x4, lookup: 0x8, donate: 0x10 },
  thread: { power: 0x1, affinity: 0x2, priority: 0x4, timeslice: 0x8, yield_to: 0x10, bind_virq: 0x20, state: 0x40, lifecycle: 0x80, write_context: 0x100, disable: 0x200 },
  doorbell: { send: 0x1, receive: 0x2, bind: 0x4 },
  msgqueue: { send: 0x1, receive: 0x2, bind_send: 0x4, bind_receive: 0x8 },
  vic: { bind_source: 0x1, attach_vcpu: 0x2, attach_vdevice: 0x4 },
  hwirq: { bind_vic: 0x2 },
  vpm_group: { attach_vcpu: 0x1, bind_virq: 0x2, query: 0x4 },
  virtio_mmio: { bind_backend_virq: 0x1, bind_frontend_virq: 0x2, assert_virq: 0x4, config: 0x8 },
  vrtc: { configure: 0x1, attach_addrspace: 0x2, set_time_base: 0x4 },
  // The value of manage is not published; this is the next free bit.
  watchdog: { attach_vcpu: 0x1, bind_virq: 0x2, manage: 0x4 },
} as const satisfies Record<ObjectType, Readonly<Record<string, number>>>;

/** Every right of a type: what a master capability carries. Unsigned 32-bit. */
export function allRights(type: ObjectType): number {
  return (Object.values(RIGHTS[type]).reduce((mask: number, bit) => mask | bit, 0) | RIGHT_OBJECT_ACTIVATE) >>> 0;
}

/** Names of the rights in `mask`, in bit order, `object_activate` last. */
export function rightNames(type: ObjectType, mask: number): string[] {
  const names = Object.entries(RIGHTS[type]).filter(([, bit]) => (mask & bit) !== 0).map(([name]) => name);
  return (mask & RIGHT_OBJECT_ACTIVATE) !== 0 ? [...names, 'object_activate'] : names;
}

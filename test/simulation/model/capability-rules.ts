/** The rules of capabilities and of the life of objects, as `(state, caller's cspace, arguments) → verdict`. */

import { activateVirtio } from './device-rules';
import { activateAddrspace, activateExtent } from './memory-rules';
import { E } from './signatures';
import { idOfSlot, type Kind, type Thing } from './things';
import { ACTIVATE, ALL_RIGHTS, answer, done, type Verdict } from './world-state';
import type { Rule } from './rules';
import { activateThread } from './vcpu-rules';

const CREATE = 1;
const [CAP_CREATE, CAP_DELETE, CAP_COPY, CAP_REVOKE] = [1, 2, 4, 0x10];
/** 62 slots in each of 232 tables. */
const CAPS_MAX = 62n * 232n;

function create(kind: Exclude<Kind, 'partition' | 'hwirq'>): Rule {
  return (world, caller, { partition, cspace }) => {
    const source = world.find(caller, partition, 'partition', { rights: CREATE });
    if (typeof source === 'number') return answer(source);
    const target = world.find(caller, cspace, 'cspace', { rights: CAP_CREATE });
    if (typeof target === 'number') return answer(target);
    if (target.slots.size >= target.limit) return answer(E.CSPACE_FULL);
    const thing = world.add(kind);
    return done({ new_cap: idOfSlot(world.insert(target, { object: thing.id, rights: ALL_RIGHTS[kind], isMaster: true, isRevoked: false })) });
  };
}

const copy: Rule = (world, caller, args) => {
  const source = world.find(caller, args.src_cspace, 'cspace', { rights: CAP_COPY });
  if (typeof source === 'number') return answer(source);
  const target = world.find(caller, args.dest_cspace, 'cspace', { rights: CAP_CREATE });
  if (typeof target === 'number') return answer(target);
  if (target.slots.size >= target.limit) return answer(E.CSPACE_FULL);
  const slot = world.valid(source, args.src_cap);
  if (typeof slot === 'number') return answer(slot);
  const rights = (slot.rights & Number(args.rights_mask)) >>> 0;
  if (rights === 0) return answer(E.RIGHTS);
  return done({ new_cap: idOfSlot(world.insert(target, { object: slot.object, rights, isMaster: false, isRevoked: false })) });
};

const remove: Rule = (world, caller, { cspace, cap }) => {
  const target = world.find(caller, cspace, 'cspace', { rights: CAP_DELETE });
  if (typeof target === 'number') return answer(target);
  const slot = world.slot(target, cap);
  if (typeof slot === 'number') return answer(slot);
  for (const [at, candidate] of target.slots) if (candidate === slot) target.slots.delete(at);
  world.collect();
  return done();
};

const revokeOthers: Rule = (world, caller, { cspace, cap }) => {
  const source = world.find(caller, cspace, 'cspace', { rights: CAP_REVOKE });
  if (typeof source === 'number') return answer(source);
  const master = world.valid(source, cap);
  if (typeof master === 'number') return answer(master);
  if (!master.isMaster) return answer(E.RIGHTS);
  for (const space of world.all('cspace')) for (const slot of space.slots.values()) if (slot.object === master.object && slot !== master) slot.isRevoked = true;
  return done();
};

const configureCspace: Rule = (world, caller, { cspace, max_caps }) => {
  const target = world.find(caller, cspace, 'cspace', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof target === 'number') return answer(target);
  if (max_caps > CAPS_MAX) return answer(E.ARGUMENT_INVALID);
  target.limit = Number(max_caps);
  return done();
};

const activate: Rule = (world, caller, { cap }) => activateIn(world, caller, cap);

const activateFrom: Rule = (world, caller, { cspace, cap }) => {
  const target = world.find(caller, cspace, 'cspace', { rights: CAP_CREATE });
  return typeof target === 'number' ? answer(target) : activateIn(world, target, cap);
};

const activateIn = (world: Parameters<Rule>[0], cspace: Parameters<Rule>[1], cap: bigint): Verdict => {
  const slot = world.valid(cspace, cap);
  if (typeof slot === 'number') return answer(slot);
  if ((slot.rights & ACTIVATE) === 0) return answer(E.RIGHTS);
  const thing = world.things.get(slot.object);
  if (thing === undefined || thing.state !== 'init') return answer(E.OBJECT_STATE);
  const error = activation(world, thing);
  thing.state = error === E.OK ? 'active' : 'failed';
  // An address space that fails gives up its information page.
  world.collect();
  return answer(error);
};

function activation(world: Parameters<Rule>[0], thing: Thing): number {
  switch (thing.kind) {
    case 'cspace': return thing.limit > 0 ? E.OK : E.OBJECT_CONFIG;
    case 'msgqueue':
      if (thing.depth === 0) return E.OBJECT_CONFIG;
      thing.notFull = thing.depth - 1;
      thing.notEmpty = 1;
      return E.OK;
    case 'addrspace': return activateAddrspace(world, thing);
    case 'memextent': return activateExtent(world, thing);
    case 'thread': return activateThread(world, thing);
    case 'virtio_mmio': return activateVirtio(world, thing);
    case 'doorbell': case 'partition': case 'vic': case 'vpm_group': case 'hwirq': return E.OK;
  }
}

/** Rules of this file. */
export const CAPABILITY_RULES = {
  partition_create_cspace: create('cspace'),
  partition_create_addrspace: create('addrspace'),
  partition_create_memextent: create('memextent'),
  partition_create_doorbell: create('doorbell'),
  partition_create_msgqueue: create('msgqueue'),
  partition_create_vic: create('vic'),
  partition_create_thread: create('thread'),
  partition_create_vpm_group: create('vpm_group'),
  partition_create_virtio_mmio: create('virtio_mmio'),
  object_activate: activate,
  object_activate_from: activateFrom,
  cspace_delete_cap_from: remove,
  cspace_copy_cap_from: copy,
  cspace_revoke_cap_from: () => answer(E.UNIMPLEMENTED),
  cspace_configure: configureCspace,
  cspace_revoke_caps_from: revokeOthers,
} satisfies Record<string, Rule>;

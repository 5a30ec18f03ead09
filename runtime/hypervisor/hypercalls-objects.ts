/** Handlers of the calls on partitions, capability spaces and objects in general, and of the small global ones. */

import type { CapId } from '../base/brands';
import { findValid, resolve } from './capability-lookup';
import { Cspace } from './cspace';
import type { ErrorName } from './errors';
import { type CallContext, type Handler, type Handlers, isError } from './hypercall-types';
import type { AnyObject, CreatableType, Kernel } from './kernel';
import { Addrspace } from './addrspace';
import { Memextent } from './memextent';
import { Msgqueue } from './msgqueue';
import { allRights, RIGHT_OBJECT_ACTIVATE } from './rights';
import { HYP_API_FLAG_WATCHDOG, HYP_API_FLAGS_0, HYP_API_INFO } from './smccc';
import { Thread } from './thread';
import { activateThread } from './vcpu';
import { VicObject } from './vic-object';
import { VirtioMmio } from './virtio-mmio';
import { Vrtc } from './vrtc';

type CreateName = 'partition_create_cspace' | 'partition_create_addrspace' | 'partition_create_memextent' | 'partition_create_thread'
  | 'partition_create_doorbell' | 'partition_create_msgqueue' | 'partition_create_vic' | 'partition_create_vpm_group' | 'partition_create_virtio_mmio' | 'partition_create_watchdog' | 'partition_create_vrtc';
type ObjectCallName = CreateName | 'hypervisor_identify' | 'object_activate' | 'object_activate_from' | 'cspace_configure' | 'cspace_attach_thread'
  | 'cspace_delete_cap_from' | 'cspace_copy_cap_from' | 'cspace_revoke_caps_from' | 'trace_update_class_flags' | 'prng_get_entropy';

/** Reads of randomness that one vCPU may make in a window of 33 ms. */
const ENTROPY_READS_MAX = 4;
const ENTROPY_WINDOW_TICKS = 33_000_000;
/** Trace classes that cannot be changed: ERROR and LOG_BUFFER. */
const TRACE_CLASSES_FIXED = 0x21n;

function create(type: CreatableType): Handler<'partition_create_cspace'> {
  return (_args, { cspace }, { kernel }) => {
    // The object comes first: without memory for it the call fails before it asks for room for its capability.
    if (!kernel.canCreate(type)) return 'NOMEM';
    const room = cspace.checkRoom();
    if (room !== 'OK') return room;
    const object = kernel.create(type);
    if (object === undefined) return 'NOMEM';
    return { new_cap: kernel.grant(cspace, { object, rights: allRights(type), master: true, state: 'valid' }) };
  };
}

/** Object activation, by type. A failed one is final. */
export function activate(kernel: Kernel, object: AnyObject): ErrorName {
  if (object.header.state !== 'init') return 'OBJECT_STATE';
  const error = activateByType(kernel, object);
  object.header.state = error === 'OK' ? 'active' : 'failed';
  return error;
}

function activateByType(kernel: Kernel, object: AnyObject): ErrorName {
  if (object instanceof Cspace || object instanceof Memextent || object instanceof Vrtc) return object.activate();
  if (object instanceof VirtioMmio) return activateVirtio(kernel, object);
  if (object instanceof VicObject) return object.vic.activate();
  if (object instanceof Addrspace) return activateAddrspace(kernel, object);
  if (object instanceof Thread) return activateThread(kernel, object);
  if (object instanceof Msgqueue) return activateMsgqueue(kernel, object);
  return 'OK';
}

function activateMsgqueue(kernel: Kernel, queue: Msgqueue): ErrorName {
  const error = queue.activate();
  if (error !== 'OK') return error;
  queue.isBufferPaid = kernel.partition.heap.reserveBytes(queue.bufferSizeBytes);
  return queue.isBufferPaid ? 'OK' : 'NOMEM';
}

/** An identifier that is in use, 0 among them, is BUSY; after any later failure the address space has none. */
function activateAddrspace(kernel: Kernel, addrspace: Addrspace): ErrorName {
  if (addrspace.vmid === 0) return 'BUSY';
  for (const other of kernel.ofType('addrspace')) {
    if (other !== addrspace && other.header.state === 'active' && other.vmid === addrspace.vmid) return 'BUSY';
  }
  const info = addrspace.infoArea;
  if (info === undefined) return 'OK';
  if (hasChildren(kernel, info.extent)) {
    addrspace.infoArea = undefined;
    addrspace.vmid = 0;
    kernel.put(info.extent);
    return 'BUSY';
  }
  addrspace.infoArea = { ...info, isAttached: true };
  info.extent.attachmentCount++;
  info.extent.zero({ first: 0, pageCount: info.extent.pageCount });
  return 'OK';
}

/** A page is one device's register page, and is whole. */
function activateVirtio(kernel: Kernel, device: VirtioMmio): ErrorName {
  const { extent } = device;
  if (extent === undefined) return 'OBJECT_CONFIG';
  const isTaken = [...kernel.ofType('virtio_mmio')].some((other) => other !== device && other.isAttached && other.extent === extent);
  if (isTaken || hasChildren(kernel, extent)) return 'BUSY';
  if (!kernel.partition.heap.reserveBytes(device.memorySizeBytes)) return 'NOMEM';
  device.attach();
  return 'OK';
}

function hasChildren(kernel: Kernel, extent: Memextent): boolean {
  for (const other of kernel.ofType('memextent')) if (other.parent === extent && other.header.state === 'active') return true;
  return false;
}

function activateIn(cspace: Cspace, id: CapId, kernel: Kernel): ErrorName {
  const object = resolve(cspace, id, { type: 'any', rights: RIGHT_OBJECT_ACTIVATE, state: 'any' });
  return isError(object) ? object : activate(kernel, object);
}

function deleteCapability(cspace: Cspace, id: CapId, kernel: Kernel): ErrorName {
  const capability = cspace.find(id);
  if (isError(capability)) return capability;
  cspace.remove(id);
  if (capability.state === 'valid') kernel.put(capability.object as AnyObject);
  return 'OK';
}

function entropy(size: number, { kernel, caller }: CallContext): ReturnType<Handler<'prng_get_entropy'>> {
  if (size === 0 || size > 16) return 'ARGUMENT_SIZE';
  if (size % 4 !== 0) return 'ARGUMENT_ALIGNMENT';
  const window = caller.entropy;
  if (window.reads === 0 || kernel.now - window.windowStart >= ENTROPY_WINDOW_TICKS) caller.entropy = { windowStart: kernel.now, reads: 0 };
  if (caller.entropy.reads >= ENTROPY_READS_MAX) return 'BUSY';
  caller.entropy.reads++;
  const word = (index: number) => (index * 4 < size ? kernel.prng.nextU32() : 0);
  return { data0: word(0), data1: word(1), data2: word(2), data3: word(3) };
}

/** Handlers of this file. */
export const OBJECT_HANDLERS: Handlers<ObjectCallName> = {
  hypervisor_identify: (_args, _objects, { kernel }) => ({ hyp_api_info: HYP_API_INFO, api_flags_0: HYP_API_FLAGS_0 | (kernel.options.watchdog ? HYP_API_FLAG_WATCHDOG : 0n), api_flags_1: 0n, api_flags_2: 0n }),
  partition_create_cspace: create('cspace'),
  partition_create_addrspace: create('addrspace'),
  partition_create_memextent: create('memextent'),
  partition_create_thread: create('thread'),
  partition_create_doorbell: create('doorbell'),
  partition_create_msgqueue: create('msgqueue'),
  partition_create_vic: create('vic'),
  partition_create_vpm_group: create('vpm_group'),
  partition_create_virtio_mmio: create('virtio_mmio'),
  partition_create_watchdog: create('watchdog'),
  partition_create_vrtc: create('vrtc'),

  object_activate: ({ cap }, _objects, { kernel, caller }) => (caller.cspace === undefined ? 'OBJECT_STATE' : activateIn(caller.cspace, cap, kernel)),
  object_activate_from: ({ cap }, { cspace }, { kernel }) => activateIn(cspace, cap, kernel),

  cspace_configure: ({ max_caps }, { cspace }) => cspace.configure(max_caps),
  cspace_attach_thread: (_args, { cspace, thread }, { kernel }) => {
    const old = thread.cspace;
    cspace.header.get();
    thread.cspace = cspace;
    if (old !== undefined) kernel.put(old);
    return 'OK';
  },
  cspace_delete_cap_from: ({ cap }, { cspace }, { kernel }) => deleteCapability(cspace, cap, kernel),
  cspace_copy_cap_from: ({ src_cap, rights_mask }, { src_cspace, dest_cspace }, { kernel }) => {
    const room = dest_cspace.checkRoom();
    if (room !== 'OK') return room;
    const source = findValid(src_cspace, src_cap);
    if (isError(source)) return source;
    const rights = (source.rights & rights_mask) >>> 0;
    if (rights === 0) return 'CSPACE_INSUFFICIENT_RIGHTS';
    return { new_cap: kernel.grant(dest_cspace, { object: source.object, rights, master: false, state: 'valid' }) };
  },
  cspace_revoke_caps_from: ({ master_cap }, { src_cspace }, { kernel }) => {
    const master = findValid(src_cspace, master_cap);
    if (isError(master)) return master;
    if (!master.master) return 'CSPACE_INSUFFICIENT_RIGHTS';
    kernel.revokeOthers(master.object as AnyObject, master);
    return 'OK';
  },

  trace_update_class_flags: ({ set_flags, clear_flags }, _objects, { kernel }) => {
    const changed = (kernel.traceClasses & ~clear_flags) | set_flags;
    kernel.traceClasses = (changed & ~TRACE_CLASSES_FIXED) | (kernel.traceClasses & TRACE_CLASSES_FIXED);
    if (kernel.traceLog !== undefined) kernel.traceLog.classes = kernel.traceClasses;
    return { flags: kernel.traceClasses };
  },
  prng_get_entropy: ({ num_bytes }, _objects, context) => entropy(num_bytes, context),
};

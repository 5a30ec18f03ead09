/**
 * The rules of what devices are made of: virtio-MMIO devices and their input tables, lines of the platform's interrupt controller, frames of virtual
 * interrupt controllers, information pages, and watchdogs, which the build leaves out. No vCPU runs here: what drivers store and load is not in it.
 */

import { bindEnd, type End } from './message-rules';
import { E } from './signatures';
import type { Addrspace, Extent, VirtioMmio } from './things';
import { ACTIVATE, answer, done, type WorldState } from './world-state';
import type { Rule } from './rules';

const [BIND_BACKEND, BIND_FRONTEND, ASSERT, CONFIG] = [1, 2, 4, 8];
const [EXTENT_ATTACH, AS_MAP, VIC_BIND, VIC_VDEVICE, HWIRQ_BIND] = [4, 2, 1, 4, 2];
const ANY_STATE = ['init', 'active', 'failed'];
const PAGE = 0x1000n;
const ADDRESS_END = 1n << 36n;
const QUEUES_MAX = 16n;
const TYPE_VALID = 0x40n;
const INPUT = 18n;
const NEEDS_RESET = 0x40;
/** VERSION_1 and ACCESS_PLATFORM have to be offered, NOTIFICATION_DATA must not be. */
const [OFFERED, FORBIDDEN] = [3n, 0x40n];
const [EVENT_TYPES_MAX, AXES_MAX] = [32, 64];
/** Bytes of each item that an input device may have. */
const ITEMS: Readonly<Record<number, number>> = { 1: 128, 2: 128, 3: 8, 0x10: 4, 0x11: 128, 0x12: 20 };
const [NAME, SERIAL, IDS, PROPERTIES, EVENTS, AXES] = [1, 2, 3, 0x10, 0x11, 0x12];

const hasChildren = (world: WorldState, extent: Extent): boolean => [...world.all('memextent')].some((other) => other.parent === extent.id && other.state === 'active');

const isAttached = (world: WorldState, vic: number, index: number): boolean => [...world.all('thread')].some((thread) => thread.state === 'active' && thread.vic?.id === vic && thread.vic.index === index);

/** Activation of a device: its register page is its own and whole, and empty from now on. */
export function activateVirtio(world: WorldState, device: VirtioMmio): number {
  if (device.extent === undefined) return E.OBJECT_CONFIG;
  const extent = world.get('memextent', device.extent);
  const isTaken = [...world.all('virtio_mmio')].some((other) => other !== device && other.state === 'active' && other.extent === extent.id);
  if (isTaken || hasChildren(world, extent)) return E.BUSY;
  extent.attachments++;
  world.zero(extent.first);
  return E.OK;
}

/** The information page at the activation of its address space, which forgets page and VMID if that fails. */
export function activateInfoArea(world: WorldState, addrspace: Addrspace): number {
  if (addrspace.info === undefined) return E.OK;
  const extent = world.get('memextent', addrspace.info);
  if (hasChildren(world, extent)) {
    Object.assign(addrspace, { info: undefined, vmid: 0 });
    return E.BUSY;
  }
  extent.attachments++;
  world.zero(extent.first);
  return E.OK;
}

const configure: Rule = (world, caller, { virtio_mmio, memextent, vqs_num, flags, device_type }) => {
  const extent = world.find(caller, memextent, 'memextent', { rights: EXTENT_ATTACH });
  if (typeof extent === 'number') return answer(extent);
  const device = world.find(caller, virtio_mmio, 'virtio_mmio', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof device === 'number') return answer(device);
  const hasType = (flags & TYPE_VALID) !== 0n;
  if (extent.isSparse || extent.count !== 1 || vqs_num > QUEUES_MAX || (hasType && device_type !== INPUT)) return answer(E.ARGUMENT_INVALID);
  Object.assign(device, { extent: extent.id, isInput: hasType, queueSizes: Array.from({ length: Number(vqs_num) }, () => 0) });
  world.collect();
  return done();
};

const endOf = (device: VirtioMmio, name: 'backend' | 'frontend'): End => {
  const wire = name === 'backend' ? 'backendWire' : 'frontendWire';
  return { read: () => device[wire], set: (value) => { device[wire] = value; }, source: { object: device.id, end: name } };
};

const bind = (name: 'backend' | 'frontend', rights: number): Rule => (world, caller, { virtio_mmio, vic, virq }) => {
  const device = world.find(caller, virtio_mmio, 'virtio_mmio', { rights });
  if (typeof device === 'number') return answer(device);
  const target = world.find(caller, vic, 'vic', { rights: VIC_BIND });
  return typeof target === 'number' ? answer(target) : bindEnd(world, endOf(device, name), target, Number(virq));
};

const unbind = (name: 'backend' | 'frontend', rights: number): Rule => (world, caller, { virtio_mmio }) => {
  const device = world.find(caller, virtio_mmio, 'virtio_mmio', { rights });
  if (typeof device === 'number') return answer(device);
  const end = endOf(device, name);
  world.unbindWire(end.read());
  end.set(undefined);
  return done();
};

/** A call of the backend on its device. */
const backend = (act: (device: VirtioMmio, args: Parameters<Rule>[2], world: WorldState) => ReturnType<Rule>, rights = CONFIG): Rule => (world, caller, args) => {
  const device = world.find(caller, args.virtio_mmio, 'virtio_mmio', { rights });
  return typeof device === 'number' ? answer(device) : act(device, args, world);
};

const assertVirq = backend((device, { interrupt_status }, world) => {
  if ((device.status & NEEDS_RESET) !== 0) return answer(E.DENIED);
  device.interrupts = (device.interrupts | Number(interrupt_status)) >>> 0;
  world.assertWire(device.backendWire, 'level');
  return done();
}, ASSERT);

const setFeatures = backend((device, { sel, dev_feat }) => {
  if (sel > 1n) return answer(E.ARGUMENT_INVALID);
  if (sel === 1n && ((dev_feat & OFFERED) !== OFFERED || (dev_feat & FORBIDDEN) !== 0n)) return answer(E.DENIED);
  device.features[Number(sel)] = Number(dev_feat);
  return done();
});

const setQueueSize = backend((device, { sel, queue_num_max }) => {
  if (sel >= BigInt(device.queueSizes.length)) return answer(E.ARGUMENT_INVALID);
  device.queueSizes[Number(sel)] = Number(queue_num_max);
  return done();
});

const inputConfigure = backend(({ isInput, input }, { devids, prop_bits, num_evtypes, num_absaxes }) => {
  if (!isInput) return answer(E.OBJECT_CONFIG);
  Object.assign(input, { ids: devids, properties: prop_bits });
  if (num_evtypes > EVENT_TYPES_MAX || num_absaxes > AXES_MAX) return answer(E.ARGUMENT_INVALID);
  for (const [table, count] of [[input.events, num_evtypes], [input.axes, num_absaxes]] as const) {
    if (count > 0n && table.limit > 0) return answer(E.BUSY);
    if (count > 0n) table.limit = Number(count);
  }
  return done();
});

const inputSetData: Rule = (world, caller, { virtio_mmio, sel, subsel, size, data }, memory) => {
  const device = world.find(caller, virtio_mmio, 'virtio_mmio', { rights: CONFIG });
  if (typeof device === 'number') return answer(device);
  if (!device.isInput) return answer(E.WRONG_TYPE);
  const { input } = device;
  const select = Number(sel);
  const limit = ITEMS[select];
  const table = select === EVENTS ? input.events : select === AXES ? input.axes : undefined;
  const range = select === EVENTS ? EVENT_TYPES_MAX : select === AXES ? AXES_MAX : 1;
  const isNoItem = limit === undefined || subsel >= range || table?.limit === 0;
  if (isNoItem) return answer(E.ARGUMENT_INVALID);
  if (table !== undefined && table.items.length >= table.limit) return answer(E.NORESOURCES);
  const isTooLong = size === 0n || size > limit;
  const bytes = isTooLong ? undefined : memory.read(data, Number(size));
  // A name or serial number that does not come over is gone.
  if (select === NAME || select === SERIAL) input.texts[select === NAME ? 0 : 1] = bytes ?? new Uint8Array();
  if (isTooLong) return answer(E.ARGUMENT_SIZE);
  if (bytes === undefined) return { errors: [E.ARGUMENT_INVALID, E.ADDR_INVALID], outputs: {} };
  const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  if (select === IDS) input.ids = value;
  else if (select === PROPERTIES) input.properties = value;
  else table?.items.push({ subselect: Number(subsel), bytes });
  return done();
};

const bindLine: Rule = (world, caller, { hwirq, vic, virq }) => {
  const line = world.find(caller, hwirq, 'hwirq', { rights: HWIRQ_BIND });
  if (typeof line === 'number') return answer(line);
  const target = world.find(caller, vic, 'vic', { rights: VIC_BIND });
  if (typeof target === 'number') return answer(target);
  if (virq < 32n || virq >= 1020n) return answer(E.ARGUMENT_INVALID);
  const verdict = bindEnd(world, { read: () => line.wire, set: (wire) => { line.wire = wire; }, source: { object: line.id, end: 'line' } }, target, Number(virq));
  // Nobody routes interrupts here: all go to the first vCPU. Without it the number is bound all the same (seen).
  return verdict.errors.includes(E.OK) && !isAttached(world, target.id, 0) ? answer(E.ARGUMENT_INVALID) : verdict;
};

const unbindLine: Rule = (world, caller, { hwirq }) => {
  const line = world.find(caller, hwirq, 'hwirq', { rights: HWIRQ_BIND });
  if (typeof line === 'number') return answer(line);
  if (line.wire === undefined) return answer(E.VIRQ_NOT_BOUND);
  world.unbindWire(line.wire);
  line.wire = undefined;
  return done();
};

const attachVdevice: Rule = (world, caller, { addrspace, vdevice, index, vbase, size, flags }) => {
  const space = world.find(caller, addrspace, 'addrspace', { rights: AS_MAP });
  if (typeof space === 'number') return answer(space);
  const vic = world.find(caller, vdevice, 'vic', { rights: VIC_VDEVICE });
  if (typeof vic === 'number') return answer(vic);
  const isKnown = index <= BigInt(vic.vcpuCount) && (flags & ~(index === 0n ? 0n : 3n)) === 0n;
  if (!isKnown) return answer(E.ARGUMENT_INVALID);
  const cpu = Number(index) - 1;
  if (index > 0n && !isAttached(world, vic.id, cpu)) return answer(E.IDLE);
  const isPlaced = [...world.all('addrspace')].some(({ frames }) => frames.some((frame) => frame.vic === vic.id && frame.index === Number(index)));
  if (isPlaced) return answer(E.BUSY);
  if (size === 0n || vbase + size > 1n << 64n) return answer(E.ARGUMENT_INVALID);
  if (vbase + size > 1n << 44n) return answer(E.ARGUMENT_SIZE);
  const frame = { vic: vic.id, index: Number(index), base: vbase, size };
  if (space.frames.some((other) => frame.base < other.base + other.size && other.base < frame.base + frame.size)) return answer(E.BUSY);
  space.frames.push(frame);
  return done();
};

const configureInfoArea: Rule = (world, caller, { addrspace, info_area_me, ipa }) => {
  // Both are looked up before the state of the one counts.
  const space = world.find(caller, addrspace, 'addrspace', { rights: ACTIVATE, states: ANY_STATE, rightsFirst: true });
  if (typeof space === 'number') return answer(space);
  const extent = world.find(caller, info_area_me, 'memextent', { rights: EXTENT_ATTACH });
  if (typeof extent === 'number') return answer(extent);
  if (space.state !== 'init') return answer(E.OBJECT_STATE);
  const errors = [];
  if (extent.isSparse || (extent.access & 6) !== 6 || extent.memoryType !== 0 || extent.count !== 1) errors.push(E.ARGUMENT_INVALID);
  if (ipa % PAGE !== 0n || ipa + PAGE > ADDRESS_END) errors.push(E.ADDR_INVALID);
  if (errors.length > 0) return { errors, outputs: {} };
  space.info = extent.id;
  world.collect();
  return done();
};

/** Each affinity field takes the bits of the index that its mask selects, `shift` up: no bit of the index twice, and none left out below the highest. */
const setMpidrMapping: Rule = (world, caller, { vic, mask, aff0, aff1, aff2, aff3, mt }) => {
  const target = world.find(caller, vic, 'vic', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof target === 'number') return answer(target);
  const shifts = [aff0, aff1, aff2, aff3];
  if (shifts.some((shift) => shift >= 32n)) return answer(E.ARGUMENT_INVALID);
  const taken = [0n, 8n, 16n, 32n].flatMap((position, field) => Array.from({ length: 8 }, (_, bit) => BigInt(bit)).filter((bit) => ((mask >> (position + bit)) & 1n) === 1n).map((bit) => Number(bit + (shifts[field] ?? 0n))));
  if (new Set(taken).size !== taken.length || taken.some((bit) => bit >= taken.length)) return answer(E.ARGUMENT_INVALID);
  target.mpidr = `${String(mask)} ${shifts.join()} ${String((mt & 0xffn) !== 0n)}`;
  return done();
};

const absent: Rule = () => answer(E.UNIMPLEMENTED);

/** Rules of this file. */
export const DEVICE_RULES = {
  virtio_mmio_configure: configure,
  virtio_mmio_backend_bind_virq: bind('backend', BIND_BACKEND),
  virtio_mmio_backend_unbind_virq: unbind('backend', BIND_BACKEND),
  virtio_mmio_frontend_bind_virq: bind('frontend', BIND_FRONTEND),
  virtio_mmio_frontend_unbind_virq: unbind('frontend', BIND_FRONTEND),
  virtio_mmio_backend_assert_virq: assertVirq,
  virtio_mmio_backend_set_dev_features: setFeatures,
  virtio_mmio_backend_set_queue_num_max: setQueueSize,
  // No driver has accepted or set up anything.
  virtio_mmio_backend_get_drv_features: backend((_device, { sel }) => (sel > 1n ? answer(E.ARGUMENT_INVALID) : done({ drv_feat: 0n }))),
  virtio_mmio_backend_get_queue_info: backend((device, { sel }) => (sel >= BigInt(device.queueSizes.length) ? answer(E.ARGUMENT_INVALID) : done())),
  virtio_mmio_backend_get_notification: backend(() => done()),
  virtio_mmio_backend_acknowledge_reset: backend((device) => {
    device.status = 0;
    return done();
  }),
  virtio_mmio_backend_update_status: backend((device, { value }) => {
    device.status = (device.status | Number(value)) >>> 0;
    return done();
  }),
  virtio_input_configure: inputConfigure,
  virtio_input_set_data: inputSetData,
  hwirq_bind_virq: bindLine,
  hwirq_unbind_virq: unbindLine,
  addrspace_attach_vdevice: attachVdevice,
  addrspace_configure_info_area: configureInfoArea,
  vgic_set_mpidr_mapping: setMpidrMapping,
  partition_create_watchdog: absent,
  watchdog_attach_vcpu: absent,
  watchdog_bind_virq: absent,
  watchdog_unbind_virq: absent,
  watchdog_configure: absent,
  watchdog_manage: absent,
} satisfies Record<string, Rule>;

/**
 * What the specification knows about: objects, capabilities, pages. Plain data without behaviour; the rules are in the
 * files `*-rules.ts`. Nothing here comes from the implementation.
 */

/** Life of an object as a guest can tell it. */
export type State = 'init' | 'active' | 'failed';

interface Common { readonly id: number; state: State; /** Kept alive by something outside of the model. */ readonly isPermanent: boolean }
/** The partition: it owns what no extent owns. */
export interface Partition extends Common { readonly kind: 'partition' }
/** A vCPU. From activation on it is off until it is powered on, and ready until it is killed. */
export interface Thread extends Common {
  readonly kind: 'thread'; cspace: number | undefined; addrspace: number | undefined; vic: { readonly id: number; readonly index: number } | undefined; vpm: { readonly group: number; readonly index: number } | undefined;
  options: bigint; affinity: number | undefined; priority: number; timeslice: number; isOff: boolean; isProxy: boolean; life: 'ready' | 'killed' | 'exited'; haltWire: Wire | undefined; wakeWire: Wire | undefined;
}
/** A power-management group. */
export interface VpmGroup extends Common { readonly kind: 'vpm_group'; noAggregation: boolean; wire: Wire | undefined }
/** One slot of a capability space. */
export interface Slot { readonly object: number; readonly rights: number; readonly isMaster: boolean; isRevoked: boolean }
/** A capability space: slots by number, at most `limit`. */
export interface Cspace extends Common { readonly kind: 'cspace'; limit: number; readonly slots: Map<number, Slot> }
/** One end of an interrupt wire. */
export interface Wire { vic: number; virq: number }
/** A doorbell. */
export interface Doorbell extends Common { readonly kind: 'doorbell'; flags: bigint; enable: bigint; ack: bigint; wire: Wire | undefined }
/** A message queue; messages are known by their bytes. */
export interface Queue extends Common {
  readonly kind: 'msgqueue'; depth: number; sizeMax: number; notFull: number; notEmpty: number; readonly messages: Uint8Array[]; sendWire: Wire | undefined; receiveWire: Wire | undefined;
}
/** One interrupt of a VIC, disabled in the controller: what is pending is what sources did. */
export interface Line { isEdge: boolean; latch: boolean; level: boolean; source: { readonly object: number; readonly end: 'bell' | 'send' | 'receive' | 'halt' | 'wake' | 'group' | 'backend' | 'frontend' | 'line' } | undefined }
/** A virtual interrupt controller; `mpidr` is its mapping of vCPU indexes, if it was given one. */
export interface Vic extends Common { readonly kind: 'vic'; vcpuCount: number; virqCount: number; mpidr: string | undefined; readonly lines: Map<number, Line> }
/** What one stage-2 entry says. */
export interface Entry { readonly page: number; readonly attributes: number }
/** An address space. */
export interface Addrspace extends Common {
  readonly kind: 'addrspace'; vmid: number; readonly table: Map<number, Entry>; emulated: { readonly base: bigint; readonly size: bigint }[];
  /** The extent of its information page, and where frames of interrupt controllers are. */
  info: number | undefined; frames: { readonly vic: number; readonly index: number; readonly base: bigint; readonly size: bigint }[];
}
/** One page of a recorded mapping; `order` says when it was recorded. */
export interface Recorded { readonly ipa: number; readonly attributes: number; readonly order: number }
/** One of the four groups of mappings of an extent: pages by their offset. */
export interface Group { addrspace: number; readonly pages: Map<number, Recorded> }
/** A memory extent, unconfigured while `count` is 0. */
export interface Extent extends Common {
  readonly kind: 'memextent'; first: number; count: number; access: number; memoryType: number; isSparse: boolean; parent: number | undefined; readonly groups: Group[];
  /** How many devices and address spaces use it as register or information page. */
  attachments: number;
}
/** A table of an input device. */
export interface InputTable { limit: number; readonly items: { readonly subselect: number; readonly bytes: Uint8Array }[] }
/** A virtio-MMIO device; interrupts and status stand in its register page. */
export interface VirtioMmio extends Common {
  readonly kind: 'virtio_mmio'; extent: number | undefined; isInput: boolean; queueSizes: number[]; readonly features: [number, number]; interrupts: number; status: number; backendWire: Wire | undefined; frontendWire: Wire | undefined;
  readonly input: { ids: bigint; properties: bigint; readonly texts: [Uint8Array, Uint8Array]; readonly events: InputTable; readonly axes: InputTable };
}
/** A shared line of the platform's interrupt controller, low for ever. */
export interface Hwirq extends Common { readonly kind: 'hwirq'; wire: Wire | undefined }
/** Any object. */
export type Thing = Partition | Thread | Cspace | Doorbell | Queue | Vic | Addrspace | Extent | VpmGroup | VirtioMmio | Hwirq;
/** Object types by the names of the API. */
export type Kind = Thing['kind'];
/** The object of a kind. */
export type ThingOf<K extends Kind> = Extract<Thing, { readonly kind: K }>;

/** Capability identifiers of a debug build: 62 slots in a table, table in the second byte. */
export const SLOTS_PER_TABLE = 62;
/** Identifier of a slot. */
export const idOfSlot = (slot: number): bigint => BigInt((Math.floor(slot / SLOTS_PER_TABLE) << 8) | slot % SLOTS_PER_TABLE);
/** Slot of an identifier; `undefined` if it does not decode. */
export function slotOfId(id: bigint): number | undefined {
  if (id > 0xffffn) return undefined;
  const slot = Number(id & 0xffn);
  const table = Number(id >> 8n);
  return slot < SLOTS_PER_TABLE && table < 232 ? table * SLOTS_PER_TABLE + slot : undefined;
}

/** A fresh object in state init. */
export function makeThing<K extends Kind>(kind: K, id: number, isPermanent = false): ThingOf<K> {
  const common = { id, state: 'init' as State, isPermanent };
  const made: { readonly [Key in Kind]: () => Thing } = {
    partition: () => ({ ...common, kind: 'partition' }),
    thread: () => ({
      ...common, kind: 'thread', cspace: undefined, addrspace: undefined, vic: undefined, vpm: undefined, options: 0n, affinity: undefined, priority: 32, timeslice: 5_000_000, isOff: true, isProxy: false, life: 'ready', haltWire: undefined,
      wakeWire: undefined,
    }),
    vpm_group: () => ({ ...common, kind: 'vpm_group', noAggregation: false, wire: undefined }),
    cspace: () => ({ ...common, kind: 'cspace', limit: 0, slots: new Map() }),
    doorbell: () => ({ ...common, kind: 'doorbell', flags: 0n, enable: 0xffff_ffff_ffff_ffffn, ack: 0n, wire: undefined }),
    msgqueue: () => ({ ...common, kind: 'msgqueue', depth: 0, sizeMax: 0, notFull: 0, notEmpty: 1, messages: [], sendWire: undefined, receiveWire: undefined }),
    vic: () => ({ ...common, kind: 'vic', vcpuCount: 1, virqCount: 0, mpidr: undefined, lines: new Map() }),
    addrspace: () => ({ ...common, kind: 'addrspace', vmid: 0, table: new Map(), emulated: [], info: undefined, frames: [] }),
    memextent: () => ({ ...common, kind: 'memextent', first: 0, count: 0, access: 0, memoryType: 0, isSparse: false, parent: undefined, groups: Array.from({ length: 4 }, () => ({ addrspace: 0, pages: new Map() })), attachments: 0 }),
    virtio_mmio: () => ({
      ...common, kind: 'virtio_mmio', extent: undefined, isInput: false, queueSizes: [], features: [0, 0], interrupts: 0, status: 0, backendWire: undefined, frontendWire: undefined,
      input: { ids: 0n, properties: 0n, texts: [new Uint8Array(), new Uint8Array()], events: { limit: 0, items: [] }, axes: { limit: 0, items: [] } },
    }),
    hwirq: () => ({ ...common, kind: 'hwirq', wire: undefined }),
  };
  return made[kind]() as ThingOf<K>;
}

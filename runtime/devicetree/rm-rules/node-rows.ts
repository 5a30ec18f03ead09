/**
 * What the Resource Manager (RM) reads in each kind of node of a VM's device tree, as a table: which properties, of which type, with which
 * default and limits, and which generation reads them. Our RM, the checker and the editor all go by these rows. What properties mean
 * together is said by `rule-rows.ts`. A property whose value has the wrong length counts as absent, unless a rule says otherwise.
 */

import type { RmGeneration } from './generation';

/**
 * How a value is read. `address` and `size` have as many cells as the node's parent states for its children (two and one if it states
 * nothing); `string` is the first string, `strings` all of them.
 */
export type PropertyType = 'string' | 'strings' | 'flag' | 'u32' | 's32' | 'u64' | 'address' | 'size' | 'cells';

/** One property. */
export interface PropertyRule {
  readonly type: PropertyType;
  readonly summary: string;
  /** What counts when the property is absent. */
  readonly default?: number | bigint | string;
  /** Largest size of the value in bytes with the NUL, for strings. */
  readonly sizeBytesMax?: number;
  /** Most cells of an array. */
  readonly countMax?: number;
  /** The least and the greatest number that is accepted. */
  readonly least?: number;
  readonly greatest?: number;
  /** The accepted words, where only some are known. */
  readonly values?: readonly string[];
  /** Words that only newer generations know. */
  readonly newerValues?: readonly string[];
  readonly pageAligned?: boolean;
  /**
   * Observed of VMs that another VM makes: an address has two cells and a size one, whatever the parent states. In trees of which RM makes
   * no such VM, the form that the parent states is as good.
   */
  readonly isFixed?: boolean;
  /** Only for VMs that the platform trusts. */
  readonly trustedOnly?: boolean;
  /** The only generation that reads it; all do if absent. */
  readonly readBy?: RmGeneration;
}

/** What RM reads in one kind of node. */
export interface NodeRule {
  /** How RM recognises the node. */
  readonly match: string;
  readonly summary: string;
  readonly properties: Readonly<Record<string, PropertyRule>>;
  /** The only generation that knows the node; all do if absent. */
  readonly readBy?: RmGeneration;
}

/** Bytes that names and URIs of VMs have room for, NUL included. */
export const NAME_BYTES_MAX = 80;
/** Where memory begins if the tree does not say (platform QEMU). */
export const DEFAULT_BASE_ADDRESS = 0x2880_0000n;
/** How much memory there may be if the tree says neither size nor base (platform QEMU). */
export const DEFAULT_SIZE_MAX = 0x07ff_ffffn;
/** Base addresses are rounded up to a multiple of this. */
export const BASE_ALIGNMENT = 0x20_0000n;
/** End of a VM's address space. */
export const ADDRESS_SPACE_END = 1n << 36n;
/** vCPUs that a VM may have. */
export const CPUS_MAX = 8;
/** vCPUs that the newer generation has room for, whatever the platform. */
export const NEWER_CPUS_MAX = 64;
/** Vdevices of a VM that we keep; RM states no limit. */
export const VDEVICES_MAX = 256;
/** Strings of `push-compatible`. */
export const PUSH_COMPATIBLE_MAX = 6;

const interrupts = { type: 'cells', summary: 'Three cells per interrupt; RM allocates when absent or malformed.' } as const;
const messageSize = { type: 'u32', default: 240, least: 1, greatest: 1023, summary: 'Largest message in bytes.' } as const;
const queueDepth = { type: 'u32', default: 8, least: 1, greatest: 255, summary: 'Messages that the queue holds.' } as const;
const dmaBase = { type: 'u64', summary: 'Bus address of the memory.' } as const;
const patch = { type: 'string', summary: 'Full path of the node to change.' } as const;
const vdevice = {
  'vdevice-type': { type: 'strings', summary: 'Selects the kind of vdevice.' },
  'qcom,label': { type: 'u32', default: 0, summary: 'Label that both ends know the vdevice by; wins over `label`.' },
  'label': { type: 'u32', default: 0, summary: 'Label that both ends know the vdevice by.' },
  'generate': { type: 'string', summary: 'Full path of the node that RM creates.' },
  'push-compatible': { type: 'strings', countMax: PUSH_COMPATIBLE_MAX, summary: 'Strings put before the compatible of the created node.' },
  'peer-default': { type: 'flag', summary: 'The owner is the peer.' },
} as const;
const peer = { type: 'string', summary: '`vm-name:`, `vm-uri:` or `vm-guid:` and the identity of the peer.' } as const;
const newerPatch = { type: 'string', readBy: 'newer', summary: 'Full path of the node to change instead of creating one.' } as const;

/** The table. */
export const VM_CONFIG_RULES = {
  'vm-config': {
    match: '/gunyah-vm-config or /qcom,vm-config', summary: 'Identity and attributes of the VM.',
    properties: {
      'image-name': { type: 'string', sizeBytesMax: NAME_BYTES_MAX, summary: 'Name of the VM; required.' },
      'vm-type': { type: 'string', values: ['aarch64-guest'], default: 'aarch64-guest', summary: 'Kind of VM.' },
      'os-type': { type: 'string', summary: 'Kind of operating system.' },
      'vendor': { type: 'string', summary: 'Vendor string.' },
      'vm-uri': { type: 'string', sizeBytesMax: NAME_BYTES_MAX, summary: 'URI by which other VMs find this one.' },
      'vm-guid': { type: 'string', summary: 'GUID as 8-4-4-4-12 hexadecimal digits.' },
      'vm-attrs': {
        type: 'strings', values: ['ras-error-handler', 'amu-counting-disabled', 'crash-fatal', 'context-dump', 'no-shutdown', 'no-reset', 'guest-ram-dump', 'insecure-console'],
        newerValues: ['bite-fatal', 'crash-restart', 'allow-unprotected', 'vpm-virq', 'nosve', 'sme', 'no-vpm-aggregation', 'no-dtb-patch', 'sdei'],
        summary: 'Attributes.',
      },
      'kernel-entry-segment': { type: 'string', summary: 'Segment that holds the entry.' },
      'kernel-entry-offset': { type: 'u64', default: 0n, summary: 'Has no effect: a VM is entered where VM_CONFIG_IMAGE says that its image begins.' },
      'iomemory-ranges': { type: 'cells', trustedOnly: true, summary: 'Device ranges to map: physical address, the same address in the VM, size, access 0 to 6.' },
      'gic-irq-ranges': { type: 'cells', trustedOnly: true, summary: 'Pairs of an interrupt of the machine and one of the VM.' },
      'qcom,sensitive': { type: 'flag', summary: 'Also disables activity monitor counting.' },
      'vmmio-ranges': { type: 'cells', readBy: 'newer', summary: 'Ranges whose accesses the owner emulates.' },
      'qcom,peripheral-vmids': { type: 'cells', readBy: 'newer', summary: 'VMs that own peripherals, each below 64.' },
    },
  },
  'segments': {
    match: '…vm-config/segments', summary: 'Which parts of an authenticated image hold what.',
    properties: {
      'ramdisk': { type: 's32', default: -1, summary: 'Number of the segment with the initial RAM disk.' },
      'config_cpio': { type: 's32', readBy: 'newer', summary: 'Number of the segment with the configuration archive.' },
      'fallback-dtb': { type: 's32', readBy: 'newer', summary: 'Number of the segment with another device tree.' },
    },
  },
  'memory': {
    match: '…vm-config/memory', summary: 'Where the VM’s memory lies.',
    properties: {
      'base-address': { type: 'address', isFixed: true, pageAligned: true, default: DEFAULT_BASE_ADDRESS, summary: 'Where the image goes; rounded up to 2 MiB.' },
      'size-min': { type: 'size', isFixed: true, pageAligned: true, default: 0n, summary: 'Less memory at start is worth a warning.' },
      'size-max': { type: 'size', isFixed: true, pageAligned: true, default: DEFAULT_SIZE_MAX, summary: 'Most memory behind the base address; everything above it if only that is given.' },
      'is-direct': { type: 'flag', trustedOnly: true, summary: 'Memory is mapped one to one.' },
      'firmware-address': { type: 'address', isFixed: true, pageAligned: true, summary: 'Where protected VM firmware goes.' },
      'firmware-size-max': { type: 'size', isFixed: true, pageAligned: true, default: 0x40_0000n, summary: 'Room for that firmware.' },
      'base-mem-constraints': { type: 'cells', countMax: 2, summary: 'Constraints for addresses that RM chooses.' },
    },
  },
  'vcpus': {
    match: '…vm-config/vcpus', summary: 'How vCPUs are scheduled.',
    properties: {
      'affinity': { type: 'string', values: ['static', 'sticky', 'pinned', 'proxy'], default: 'static', summary: 'Who schedules the vCPUs, and where.' },
      'affinity-map': { type: 'cells', summary: 'CPU of each vCPU; required unless proxy.' },
      'sched-priority': { type: 's32', default: 0, summary: 'Offset from the owner’s priority.' },
      'sched-timeslice': { type: 'u32', default: 5000, least: 100, greatest: 100_000, summary: 'Time slice in microseconds.' },
      'config': { type: 'string', default: '/cpus', summary: 'Full path of the node with the CPU nodes.' },
      'no-timer-wakeups': { type: 'flag', readBy: 'newer', summary: 'Timers wake no vCPU; the owner sees to it.' },
    },
  },
  'cpu': {
    match: 'device_type = "cpu" below vcpus/config', summary: 'One vCPU.',
    properties: {
      'device_type': { type: 'string', summary: '`cpu`.' },
      'status': { type: 'string', summary: 'okay: boots; disabled: does not; fail or fail-…: ignored; absent: only the first boots.' },
      'enable-method': { type: 'string', values: ['psci', 'qcom,gunyah-hvc'], summary: 'Required for CPUs that do not boot.' },
      'cpu-idle-states': { type: 'cells', summary: 'Its presence enables PSCI.' },
    },
  },
  'interrupts': {
    match: '…vm-config/interrupts', summary: 'Which node is the interrupt controller.',
    properties: { 'config': { type: 'string', summary: 'Full path (or phandle) of the GIC node; the root’s interrupt-parent if absent.' } },
  },
  'rm-rpc': {
    match: 'vdevice-type = "rm-rpc"', summary: 'The channel to RM.',
    properties: { ...vdevice, interrupts, 'message-size': messageSize, 'queue-depth': queueDepth, 'console-dev': { type: 'flag', summary: 'RM keeps a console for the VM.' }, 'console-owner': { type: 'string', readBy: 'newer', summary: 'The VM at the other end of the console.' } },
  },
  'doorbell': {
    match: 'vdevice-type = "doorbell"', summary: 'A doorbell that the VM hears.',
    properties: { ...vdevice, peer, interrupts, 'source-can-clear': { type: 'flag', summary: 'The sender may also receive, reset and mask.' }, 'sdei-event-number': { type: 'u32', readBy: 'newer', summary: 'The event that the bell raises.' } },
  },
  'doorbell-source': {
    match: 'vdevice-type = "doorbell-source"', summary: 'A doorbell that the VM rings.',
    properties: { ...vdevice, peer, 'source-can-clear': { type: 'flag', summary: 'The VM may also receive, reset and mask.' }, 'peer-interrupts': { type: 'cells', readBy: 'newer', summary: 'The interrupt at the other end.' } },
  },
  'message-queue': {
    match: 'vdevice-type = "message-queue"', summary: 'One direction of messages.',
    properties: {
      ...vdevice, interrupts, 'message-size': messageSize, 'queue-depth': queueDepth,
      'is-sender': { type: 'flag', summary: 'The VM sends.' }, 'is-receiver': { type: 'flag', summary: 'The VM receives.' },
    },
  },
  'message-queue-pair': {
    match: 'vdevice-type = "message-queue-pair"', summary: 'Messages in both directions.',
    properties: { ...vdevice, peer, interrupts, 'message-size': messageSize, 'queue-depth': queueDepth },
  },
  'shm': {
    match: 'vdevice-type = "shm"', summary: 'Memory shared with the owner.',
    properties: { ...vdevice, 'dma_base': dmaBase },
  },
  'shm-doorbell': {
    match: 'vdevice-type = "shm-doorbell"', summary: 'Shared memory with a doorbell in each direction.',
    properties: { ...vdevice, 'dma_base': dmaBase },
  },
  'virtio-mmio': {
    match: 'vdevice-type = "virtio-mmio"', summary: 'A virtio device that the owner emulates.',
    properties: {
      ...vdevice, 'dma-coherent': { type: 'flag', summary: 'Accesses are coherent.' }, 'vqs-num': { type: 'u32', default: 1, summary: 'Number of queues.' },
      'dma_base': { ...dmaBase, default: 0n }, 'virtio,device-type': { type: 'u32', summary: 'Virtio device type.' }, 'patch': newerPatch,
    },
  },
  'iomem': {
    match: 'vdevice-type = "iomem"', summary: 'Device memory that the owner lends.',
    properties: {
      ...vdevice, 'patch': patch,
      'qcom,rm_acl': { type: 'cells', countMax: 2, summary: 'Access of the VM and of its peer, to be checked.' },
      'qcom,rm_attributes': { type: 'cells', countMax: 2, summary: 'Attributes for the VM and for its peer, to be checked.' },
      'qcom,rm_sglist': { type: 'cells', summary: 'Addresses and sizes, two cells each, to be checked.' },
    },
  },
  'vsmmu-v2': {
    match: 'vdevice-type = "vsmmu-v2"', summary: 'A virtual system MMU.',
    properties: {
      'vdevice-type': vdevice['vdevice-type'], 'smmu-handle': { type: 'u32', summary: 'The system MMU; required.' }, 'patch': patch,
      'num-cbs': { type: 'u32', greatest: 255, summary: 'Context banks; required.' }, 'num-smrs': { type: 'u32', greatest: 255, summary: 'Stream mapping registers; required.' },
    },
  },
  'vrtc-pl031': {
    match: 'vdevice-type = "vrtc-pl031"', summary: 'A real-time clock.',
    properties: {
      'vdevice-type': vdevice['vdevice-type'], 'generate': vdevice.generate, 'base': { type: 'u64', pageAligned: true, summary: 'Its register page.' },
      'allocate-base': { type: 'flag', summary: 'RM chooses the page; not every platform can.' },
    },
  },
  'vdevice-memory': {
    match: 'the child `memory` of shm, shm-doorbell, virtio-mmio and iomem', summary: 'Which parcel backs the vdevice.',
    properties: {
      'qcom,label': { type: 'u32', summary: 'Label of the parcel; wins over `label`.' },
      'label': { type: 'u32', summary: 'Label of the parcel; required.' },
      'base': { type: 'address', pageAligned: true, summary: 'Where it is mapped; as many cells as the vdevice node states.' },
      'allocate-base': { type: 'flag', summary: 'RM chooses where.' },
      'optional': { type: 'flag', summary: 'Do without if no parcel has the label.' },
      'qcom,mem-info-tag': { type: 'u32', summary: 'Tag of device memory.' },
    },
  },
  'virtio-pci': {
    match: 'vdevice-type = "virtio-pci"', summary: 'A virtio device behind PCI.', readBy: 'newer',
    properties: { ...vdevice, 'pci-bus': { type: 'u32', summary: 'The bus.' }, 'pci-slot-index': { type: 'u32', summary: 'The slot.' }, 'patch': newerPatch, 'vqs-num': { type: 'u32', default: 1, summary: 'Number of queues.' } },
  },
  'pci': {
    match: 'vdevice-type = "pci"', summary: 'A virtual PCI host.', readBy: 'newer',
    properties: {
      ...vdevice, 'config-base-address': { type: 'address', summary: 'Where configuration space lies.' }, 'config-size': { type: 'size', summary: 'Its size, at least 2 MiB.' },
      'npmem-base-address': { type: 'address', summary: 'Where memory of devices lies.' }, 'npmem-size': { type: 'size', summary: 'Its size, a power of two; required.' },
    },
  },
  'virtio-iommu': {
    match: 'vdevice-type = "virtio-iommu"', summary: 'A virtual IOMMU.', readBy: 'newer',
    properties: { ...vdevice, 'smmu-handle': { type: 'u64', summary: 'The system MMU behind it.' }, 'max-streams': { type: 'u32', summary: 'Streams at most.' }, 'pci-slot-index': { type: 'u32', summary: 'The slot.' } },
  },
  'watchdog': { match: 'vdevice-type = "watchdog"', summary: 'The watchdog of the VM.', readBy: 'newer', properties: vdevice },
  'minidump': { match: 'vdevice-type = "minidump"', summary: 'What a crash leaves behind, on devices of one vendor.', readBy: 'newer', properties: vdevice },
} as const satisfies Record<string, NodeRule>;

/** Kinds of node in the table. */
export type NodeRuleName = keyof typeof VM_CONFIG_RULES;

type TypeOf<T extends PropertyType> =
  T extends 'string' ? string
    : T extends 'strings' ? readonly string[]
      : T extends 'u32' | 's32' ? number
        : T extends 'cells' ? readonly number[]
          : T extends 'flag' ? boolean : bigint;

/** The properties of a node by name; `undefined` for absent ones. */
export type NodeValues<N extends NodeRuleName> = {
  readonly [P in keyof (typeof VM_CONFIG_RULES)[N]['properties']]:
  (typeof VM_CONFIG_RULES)[N]['properties'][P] extends { readonly type: infer T extends PropertyType } ? TypeOf<T> | undefined : never;
};

/** The rows of a kind of node, whatever their types. */
export function rowsOf(name: NodeRuleName): Readonly<Record<string, PropertyRule>> {
  return VM_CONFIG_RULES[name].properties;
}

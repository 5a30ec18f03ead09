/**
 * The VM configuration as one table: which node of a device tree RM reads, which properties, of which type, with which default.
 *
 * The parser reads nodes by these rows; an editor can check and complete by the same rows. What properties mean together is in
 * `vm-config.ts`. A property whose value has the wrong length counts as absent, as in RM.
 */

/** How a property's value is read. `address` and `size` have as many cells as the node's parent says. */
export type PropertyType = 'string' | 'strings' | 'flag' | 'u32' | 's32' | 'u64' | 'address' | 'size' | 'cells';

/** One property. */
export interface PropertyRule {
  readonly type: PropertyType;
  readonly summary: string;
  /** Largest size of the value in bytes, for strings. */
  readonly sizeBytesMax?: number;
  /** The accepted words, where only some are known. */
  readonly values?: readonly string[];
  readonly pageAligned?: boolean;
  /** Only for VMs that the platform trusts. */
  readonly trustedOnly?: boolean;
}

/** What RM reads in one kind of node. */
export interface NodeRule {
  /** How RM recognises the node. */
  readonly match: string;
  readonly summary: string;
  readonly properties: Readonly<Record<string, PropertyRule>>;
}

const STRING_MAX = 80;
const interrupts = { type: 'cells', summary: 'Three cells per interrupt; RM allocates when absent or malformed.' } as const;
const messageSize = { type: 'u32', summary: 'Largest message in bytes; 240 if absent.' } as const;
const queueDepth = { type: 'u32', summary: 'Messages that the queue holds; 8 if absent.' } as const;
const vdevice = {
  'vdevice-type': { type: 'strings', summary: 'Selects the kind of vdevice; the first string counts.' },
  'qcom,label': { type: 'u32', summary: 'Label; wins over `label`.' },
  'label': { type: 'u32', summary: 'Label that both ends know the vdevice by; 0 if absent.' },
  'generate': { type: 'string', summary: 'Full path of the node that RM creates.' },
  'push-compatible': { type: 'strings', summary: 'Strings put before the compatible of the created node, at most 6.' },
  'peer-default': { type: 'flag', summary: 'The owner is the peer.' },
  'peer': { type: 'string', summary: '`vm-name:`, `vm-uri:` or `vm-guid:` and the identity of the peer.' },
} as const;

/** The table. */
export const VM_CONFIG_RULES = {
  'vm-config': {
    match: '/gunyah-vm-config or /qcom,vm-config', summary: 'Identity and attributes of the VM.',
    properties: {
      'image-name': { type: 'string', sizeBytesMax: STRING_MAX, summary: 'Name of the VM; required.' },
      'vm-type': { type: 'string', values: ['aarch64-guest'], summary: 'Kind of VM.' },
      'os-type': { type: 'string', summary: 'Kind of operating system.' },
      'vendor': { type: 'string', summary: 'Vendor string.' },
      'vm-uri': { type: 'string', sizeBytesMax: STRING_MAX, summary: 'URI by which other VMs find this one.' },
      'vm-guid': { type: 'string', summary: 'GUID as 8-4-4-4-12 hexadecimal digits.' },
      'vm-attrs': {
        type: 'strings', values: ['ras-error-handler', 'amu-counting-disabled', 'crash-fatal', 'context-dump', 'no-shutdown', 'no-reset', 'guest-ram-dump', 'insecure-console'],
        summary: 'Attributes.',
      },
      'kernel-entry-segment': { type: 'string', summary: 'Segment that holds the entry.' },
      'kernel-entry-offset': { type: 'address', summary: 'Entry point behind the base address; 0 if absent.' },
      'iomemory-ranges': { type: 'cells', trustedOnly: true, summary: 'Device ranges to map.' },
      'gic-irq-ranges': { type: 'cells', trustedOnly: true, summary: 'Hardware interrupts to forward.' },
      'qcom,sensitive': { type: 'flag', summary: 'Also disables activity monitor counting.' },
    },
  },
  'memory': {
    match: '…vm-config/memory', summary: 'Where the VM’s memory lies.',
    properties: {
      'base-address': { type: 'address', pageAligned: true, summary: 'Where the image goes; rounded up to 2 MiB.' },
      'size-min': { type: 'size', pageAligned: true, summary: 'Less memory at start is worth a warning.' },
      'size-max': { type: 'size', pageAligned: true, summary: 'Most memory behind the base address.' },
      'is-direct': { type: 'flag', trustedOnly: true, summary: 'Memory is mapped one to one.' },
      'firmware-address': { type: 'address', pageAligned: true, summary: 'Where protected VM firmware goes.' },
      'firmware-size-max': { type: 'size', pageAligned: true, summary: 'Room for that firmware; 4 MiB if absent.' },
      'base-mem-constraints': { type: 'cells', summary: 'Constraints for RM-chosen addresses.' },
    },
  },
  'vcpus': {
    match: '…vm-config/vcpus', summary: 'How vCPUs are scheduled.',
    properties: {
      'affinity': { type: 'string', values: ['static', 'sticky', 'pinned', 'proxy'], summary: 'Scheduling; static if absent.' },
      'affinity-map': { type: 'cells', summary: 'CPU of each vCPU; required unless proxy.' },
      'sched-priority': { type: 's32', summary: 'Offset from the owner’s priority; 0 if absent.' },
      'sched-timeslice': { type: 'u32', summary: 'Time slice in microseconds, 100 to 100000; 5000 if absent.' },
      'config': { type: 'string', summary: 'Where the CPU nodes are; /cpus if absent.' },
      'no-timer-wakeups': { type: 'flag', summary: 'For newer RMs.' },
    },
  },
  'cpu': {
    match: 'device_type = "cpu" below vcpus/config', summary: 'One vCPU.',
    properties: {
      'device_type': { type: 'string', summary: '`cpu`.' },
      'status': { type: 'string', summary: 'okay: boots; disabled: does not; fail…: ignored; absent: only the first boots.' },
      'enable-method': { type: 'string', values: ['psci', 'qcom,gunyah-hvc'], summary: 'Required for CPUs that do not boot.' },
      'cpu-idle-states': { type: 'cells', summary: 'Its presence enables PSCI.' },
    },
  },
  'interrupts': {
    match: '…vm-config/interrupts', summary: 'Which node is the interrupt controller.',
    properties: { 'config': { type: 'string', summary: 'Path (or phandle) of the GIC node; the root’s interrupt-parent if absent.' } },
  },
  'rm-rpc': {
    match: 'vdevice-type = "rm-rpc"', summary: 'The channel to RM.',
    properties: { ...vdevice, interrupts, 'message-size': messageSize, 'queue-depth': queueDepth, 'console-dev': { type: 'flag', summary: 'RM keeps a console for the VM.' } },
  },
  'doorbell': {
    match: 'vdevice-type = "doorbell"', summary: 'A doorbell that the VM hears.',
    properties: { ...vdevice, interrupts, 'source-can-clear': { type: 'flag', summary: 'The sender may also receive, reset and mask.' } },
  },
  'doorbell-source': {
    match: 'vdevice-type = "doorbell-source"', summary: 'A doorbell that the VM rings.',
    properties: { ...vdevice, 'source-can-clear': { type: 'flag', summary: 'The VM may also receive, reset and mask.' } },
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
    properties: { ...vdevice, interrupts, 'message-size': messageSize, 'queue-depth': queueDepth },
  },
  'shm': {
    match: 'vdevice-type = "shm"', summary: 'Memory shared with the owner.',
    properties: { ...vdevice, 'dma_base': { type: 'u64', summary: 'Bus address of the memory.' } },
  },
  'shm-doorbell': {
    match: 'vdevice-type = "shm-doorbell"', summary: 'Shared memory with a doorbell in each direction.',
    properties: { ...vdevice, 'dma_base': { type: 'u64', summary: 'Bus address of the memory.' } },
  },
  'virtio-mmio': {
    match: 'vdevice-type = "virtio-mmio"', summary: 'A virtio device that the owner emulates.',
    properties: {
      ...vdevice, interrupts, 'dma-coherent': { type: 'flag', summary: 'Accesses are coherent.' }, 'vqs-num': { type: 'u32', summary: 'Number of queues; 1 if absent.' },
      'dma_base': { type: 'u64', summary: 'Bus address of shared memory.' }, 'virtio,device-type': { type: 'u32', summary: 'Virtio device type.' },
    },
  },
  'iomem': { match: 'vdevice-type = "iomem"', summary: 'Device memory that the owner lends.', properties: { ...vdevice, 'patch': { type: 'string', summary: 'Node to patch; required.' } } },
  'vsmmu-v2': { match: 'vdevice-type = "vsmmu-v2"', summary: 'A virtual system MMU.', properties: vdevice },
  'vrtc-pl031': {
    match: 'vdevice-type = "vrtc-pl031"', summary: 'A real-time clock.',
    properties: { ...vdevice, 'base': { type: 'u64', pageAligned: true, summary: 'Its register page.' }, 'allocate-base': { type: 'flag', summary: 'RM chooses the page.' } },
  },
  'vdevice-memory': {
    match: 'the child `memory` of shm, shm-doorbell, virtio-mmio and iomem', summary: 'Which parcel backs the vdevice.',
    properties: {
      'label': { type: 'u32', summary: 'Label of the parcel; required.' },
      'base': { type: 'address', pageAligned: true, summary: 'Where it is mapped.' },
      'allocate-base': { type: 'flag', summary: 'RM chooses where.' },
      'optional': { type: 'flag', summary: 'Do without if no parcel has the label.' },
    },
  },
} as const satisfies Record<string, NodeRule>;

/** Kinds of node in the table. */
export type NodeRuleName = keyof typeof VM_CONFIG_RULES;
/** The vdevice types that RM knows, as `vdevice-type` spells them. */
export const VDEVICE_TYPES = [
  'rm-rpc', 'shm-doorbell', 'shm', 'doorbell-source', 'doorbell', 'message-queue', 'message-queue-pair', 'virtio-mmio', 'iomem', 'vsmmu-v2', 'vrtc-pl031',
] as const satisfies readonly NodeRuleName[];
/** One of them. */
export type VdeviceType = (typeof VDEVICE_TYPES)[number];

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

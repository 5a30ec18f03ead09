/**
 * Every rule by which the Resource Manager (RM) judges the device tree of a VM, as a table. A rule says what RM does about a violation: what
 * it answers (`refusal`), or that it goes on (a warning or an information). The checks themselves are in the `check-…` modules; our own RM
 * refuses a configuration exactly when one of these rules refuses it.
 */

import type { RmGeneration } from './generation';

/** What RM answers: to VM_INIT in the order of its steps, or to VM_START. `editor` refuses nothing, but no guest can work. */
export type RmRefusal = 'MEM_INVALID' | 'ARGUMENT_INVALID' | 'NORESOURCE' | 'start' | 'editor';

/** One rule. */
export interface RmRule {
  /** What RM does. */
  readonly summary: string;
  /** Absent: RM goes on, and `level` says how that is told. */
  readonly refusal?: RmRefusal;
  readonly level?: 'warning' | 'information';
  /** The only generation that the rule speaks for; it is for all if absent. */
  readonly onlyIn?: RmGeneration;
}

/** The table. Names are stable; diagnostics carry them behind `vm-config-`. */
export const RM_RULES = {
  // The tree
  'missing': { refusal: 'NORESOURCE', summary: 'Without a configuration node a VM has no vCPUs, and RM refuses VMs without vCPUs.' },
  'memory-node': { refusal: 'MEM_INVALID', summary: 'Only /memory may have device_type "memory", because RM replaces that node; any other could hide memory from it.' },
  'too-deep': { refusal: 'MEM_INVALID', summary: 'RM reads at most 15 levels below the root and paths of at most 255 bytes.' },
  'hypervisor-node': { refusal: 'start', summary: 'RM adds /hypervisor itself; if the tree has it already, VM_START fails.' },
  'shadowed-vdevice': { level: 'warning', summary: 'The first rule that matches a node handles it, so a vdevice-type in such a node is never looked at.' },
  'not-visited': { level: 'warning', onlyIn: 'newer', summary: 'This generation does not look below nodes that it does not know and that have no ranges, nor into __overlay__.' },
  'vdevice-type': { level: 'warning', summary: 'RM passes over vdevices of types that it does not know.' },

  // Properties of any node
  'ignored-value': { level: 'warning', summary: 'A value of the wrong length or form counts as absent.' },
  'own-cells': { level: 'warning', summary: 'The cells of the parent count for addresses and sizes, not those that the node states itself.' },
  'unaligned': { refusal: 'MEM_INVALID', summary: 'Addresses and sizes must be multiples of a page, 4096.' },
  'array-length': { refusal: 'MEM_INVALID', summary: 'An array that is longer than RM has room for, or that is cut off within a cell, is refused.' },
  'other-generation': { level: 'information', summary: 'Only another generation of RM reads the property; this one passes over it.' },
  'unknown-property': { level: 'warning', summary: 'RM passes over properties that it does not know, misspelt ones among them.' },

  // Identity
  'image-name': { refusal: 'MEM_INVALID', summary: 'image-name is required and must be shorter than 80 bytes.' },
  'vm-type': { level: 'warning', summary: 'RM knows only vm-type "aarch64-guest", which is the default; another has no effect.' },
  'vm-uri': { level: 'warning', summary: 'A vm-uri of 80 bytes or more is ignored.' },
  'vm-guid': { refusal: 'MEM_INVALID', summary: 'A vm-guid must have the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.' },
  'vm-attrs': { level: 'warning', summary: 'RM passes over attributes that it does not know.' },
  'vm-attrs-list': { refusal: 'MEM_INVALID', summary: 'vm-attrs must be a list of strings.' },
  'trusted-only': { refusal: 'ARGUMENT_INVALID', summary: 'crash-fatal and is-direct are for VMs that the platform trusts.' },
  'trusted-ranges': { refusal: 'NORESOURCE', summary: 'iomemory-ranges, gic-irq-ranges and the attribute ras-error-handler are for VMs that the platform trusts.' },
  'iomemory-ranges': { refusal: 'MEM_INVALID', summary: 'iomemory-ranges are entries of two addresses, a size (all multiples of a page) and an access from 0 to 6.' },
  'iomemory-direct': { refusal: 'NORESOURCE', summary: 'An entry of iomemory-ranges must have the same address in the VM as in the machine.' },
  'gic-irq-ranges': { level: 'warning', summary: 'gic-irq-ranges are pairs; a cell that is left over has no effect.' },

  // Memory
  'base-address': { level: 'warning', summary: 'RM rounds base-address up to a multiple of 2 MiB.' },
  'size-max': { refusal: 'MEM_INVALID', summary: 'base-address and size-max together must not exceed 64 bits.' },
  'size-order': { refusal: 'ARGUMENT_INVALID', summary: 'size-min must not exceed size-max, and memory must begin within the address space of 36 bits.' },
  'firmware-size': { refusal: 'MEM_INVALID', summary: 'firmware-size-max needs a firmware-address, and both together must not exceed 64 bits.' },
  'memory-constraints': { refusal: 'ARGUMENT_INVALID', onlyIn: 'open-2023', summary: 'base-mem-constraints may ask for 0x4 and 0x40 only, and for none of the platform\'s.' },

  // vCPUs
  'no-vcpus': { refusal: 'NORESOURCE', summary: 'Without a node vcpus RM looks for no CPUs, and refuses a VM without any.' },
  'affinity': { level: 'warning', summary: 'RM takes an affinity that it does not know for static.' },
  'affinity-map': { refusal: 'MEM_INVALID', summary: 'Unless affinity is proxy, affinity-map must name one CPU of the machine for each vCPU.' },
  'sched-priority': { refusal: 'NORESOURCE', summary: 'Unless affinity is proxy, an untrusted VM must have a lower priority than its owner, by at most 32.' },
  'sched-timeslice': { refusal: 'NORESOURCE', summary: 'Unless affinity is proxy, sched-timeslice must be between 100 and 100000 microseconds.' },
  'cpus-path': { refusal: 'MEM_INVALID', summary: 'The node with the CPU nodes must exist.' },
  'cpus-fixed': { level: 'warning', onlyIn: 'newer', summary: 'This generation finds CPU nodes in /cpus only and passes over any other config.' },
  'cpu-cells': { refusal: 'MEM_INVALID', onlyIn: 'newer', summary: 'This generation wants #size-cells 0 and #address-cells of at least 1 in /cpus, and no ranges.' },
  'cpu-reg': { refusal: 'MEM_INVALID', onlyIn: 'newer', summary: 'This generation wants a reg in each CPU node.' },
  'cpu-twice': { refusal: 'MEM_INVALID', onlyIn: 'newer', summary: 'This generation numbers vCPUs by the reg of their nodes, so no two may have the same.' },
  'cpu-status': { refusal: 'MEM_INVALID', summary: 'The status of a CPU must be okay, disabled, fail or fail-….' },
  'enable-method': { refusal: 'MEM_INVALID', summary: 'A CPU that does not boot needs the enable-method psci or qcom,gunyah-hvc, its own or its parent’s.' },
  'no-boot-cpu': { refusal: 'MEM_INVALID', summary: 'At least one CPU must boot.' },
  'too-many-cpus': { refusal: 'NORESOURCE', summary: 'A VM has at most as many vCPUs as the platform has CPUs (8); the newer generation has room for 64.' },
  'idle-states': { refusal: 'MEM_INVALID', summary: 'With PSCI, and unless affinity is proxy, every CPU needs cpu-idle-states.' },

  // The interrupt controller
  'gic-missing': { refusal: 'MEM_INVALID', summary: 'The interrupt controller that interrupts/config (or the root’s interrupt-parent) names must exist.' },
  'gic-phandle': { level: 'warning', summary: 'interrupts/config should be a path; RM takes a phandle, with a warning.' },
  'gic-compatible': { refusal: 'MEM_INVALID', summary: 'The interrupt controller must be compatible with "arm,gic-v3".' },
  'gic-cells': { refusal: 'MEM_INVALID', summary: 'The interrupt controller needs interrupt-controller and #interrupt-cells = <3>.' },
  'gic-regions': { refusal: 'MEM_INVALID', summary: 'The interrupt controller may have one redistributor region only.' },
  'gic-reg': { refusal: 'MEM_INVALID', summary: 'The reg of the interrupt controller needs two entries, distributor and redistributors, or must be absent.' },
  'gic-stride': { refusal: 'MEM_INVALID', summary: 'redistributor-stride must be a multiple of 64 KiB, at least 128 KiB.' },
  'gic-frames': { refusal: 'NORESOURCE', onlyIn: 'open-2023', summary: 'In a VM that the platform does not trust, the frames of the interrupt controller must be multiples of 64 KiB and must not overlap.' },

  // Vdevices
  'generate': { refusal: 'MEM_INVALID', summary: 'generate must be a full path of at most 255 bytes and 15 levels; RM fails when it writes any other.' },
  'rm-rpc-generate': { level: 'warning', summary: 'The RM of 2023 has no default path for the channel to itself and fails without generate.' },
  'generate-twice': { level: 'warning', summary: 'Two vdevices that create the same node overwrite each other’s properties.' },
  'generate-or-patch': { refusal: 'MEM_INVALID', onlyIn: 'newer', summary: 'A virtio device has either generate or patch.' },
  'push-compatible': { refusal: 'MEM_INVALID', summary: 'push-compatible has at most 6 strings, at most 3 for rm-rpc, where RM adds its own three.' },
  'peer': { refusal: 'MEM_INVALID', summary: 'Doorbells and pairs of queues need peer-default or peer; queues, shared memory and virtio devices need peer-default.' },
  'peer-form': { level: 'warning', summary: 'RM finds peers that begin with vm-name:, vm-uri: or vm-guid:; another never gets its other end.' },
  'interrupts': { level: 'warning', summary: 'interrupts that are not exactly as many valid specifiers as the vdevice has are ignored, and RM allocates.' },
  'direction': { refusal: 'MEM_INVALID', summary: 'A message queue is exactly one of is-sender and is-receiver.' },
  'queue-limits': { refusal: 'NORESOURCE', summary: 'The hypervisor makes queues of 1 to 255 messages of 1 to 1023 bytes.' },
  'console-twice': { refusal: 'NORESOURCE', summary: 'A VM has one console.' },
  'memory-child': { refusal: 'MEM_INVALID', summary: 'Shared vdevices need exactly one child node, named memory.' },
  'memory-label': { refusal: 'MEM_INVALID', summary: 'The memory of a vdevice needs a label.' },
  'memory-base': { refusal: 'MEM_INVALID', summary: 'The memory of a vdevice needs exactly one of base and allocate-base.' },
  'iomem-path': { refusal: 'NORESOURCE', summary: 'Device memory needs generate or patch.' },
  'iomem-list': { refusal: 'MEM_INVALID', summary: 'qcom,rm_sglist has four cells per entry.' },
  'vsmmu': { refusal: 'MEM_INVALID', summary: 'A virtual system MMU needs smmu-handle, patch, num-cbs and num-smrs, the last two at most 255.' },
  'vrtc-twice': { refusal: 'MEM_INVALID', summary: 'A VM has one real-time clock.' },
  'vrtc-base': { refusal: 'MEM_INVALID', summary: 'A real-time clock needs exactly one of base (two cells) and allocate-base.' },
  'vrtc-allocate': { refusal: 'NORESOURCE', summary: 'This platform cannot choose a page for the real-time clock; give base.' },
  'pci-sizes': { refusal: 'MEM_INVALID', onlyIn: 'newer', summary: 'A virtual PCI host needs an npmem-size, a power of two, and a config-size of at least 2 MiB.' },
  'label-twice': { level: 'warning', summary: 'Guests find vdevices by kind and label, so two of one kind with one label cannot be told apart.' },
  'too-many-vdevices': { refusal: 'ARGUMENT_INVALID', summary: 'A VM has at most 256 vdevices.' },

  // Reserved memory
  'reserved-ranges': { refusal: 'start', onlyIn: 'newer', summary: 'This generation wants ranges that map one to one in /reserved-memory.' },
  'reserved-reg': { refusal: 'start', onlyIn: 'newer', summary: 'In /reserved-memory each node has one entry in its reg.' },
  'target-vmid': { refusal: 'start', onlyIn: 'newer', summary: 'A node with qcom,target-vmid needs no-map.' },

  // The guest
  'consumer-label': { refusal: 'editor', summary: 'A driver of the guest looks for a vdevice by kind and label; without one in the configuration it never finds it.' },
} as const satisfies Readonly<Record<string, RmRule>>;

/** Names of rules. */
export type RmRuleId = keyof typeof RM_RULES;

/** A rule by its name. */
export function rmRule(id: RmRuleId): RmRule {
  return RM_RULES[id];
}

/** How a violation is told: refusals are errors. */
export function severityOf(id: RmRuleId): 'error' | 'warning' | 'information' {
  const { refusal, level } = rmRule(id);
  return refusal === undefined ? level ?? 'warning' : 'error';
}

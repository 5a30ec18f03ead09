/**
 * Text of the device tree nodes that the "Add …" commands write. Indentation starts at the left margin; `indented` moves a block in.
 * What the properties mean and which lengths the Resource Manager wants: see `docs/manual/device-trees.md`. No editor in here.
 */

/** One level of indentation, as Linux has it. */
const TAB = '\t';

/** An address or size as two cells: `0x80000000` → `0x0 0x80000000`. */
export function twoCells(value: bigint): string {
  return `0x${(value >> 32n).toString(16)} 0x${(value & 0xffff_ffffn).toString(16)}`;
}

/** Moves a block of lines to the right; empty lines stay empty. */
export function indented(block: string, indent: string): string {
  return block.split('\n').map((line) => (line === '' ? '' : indent + line)).join('\n');
}

/** A node with its lines; `name` may carry a label. */
function node(name: string, ...parts: readonly string[]): string {
  return [`${name} {`, ...parts.map((part) => indented(part, TAB)), '};'].join('\n');
}

/** Capabilities and interrupts of the channel to the Resource Manager. */
export interface HypervisorNode {
  readonly transmitCapability: bigint;
  readonly receiveCapability: bigint;
  /** SPI numbers as in an `interrupts` property: without the 32. */
  readonly transmitSpi: number;
  readonly receiveSpi: number;
}

/** The hypervisor node in the form that Linux documents: `gunyah-hypervisor` with one `gunyah-resource-manager`. */
export function hypervisorNode(of: HypervisorNode): string {
  return node('hypervisor',
    'compatible = "gunyah-hypervisor";\n#address-cells = <2>;\n#size-cells = <0>;\n',
    node(`gunyah-resource-mgr@${of.transmitCapability.toString(16)}`,
      'compatible = "gunyah-resource-manager";',
      `reg = <${twoCells(of.transmitCapability)}>, <${twoCells(of.receiveCapability)}>;`,
      `interrupts = <0 ${of.transmitSpi} 1>, <0 ${of.receiveSpi} 1>;`));
}

/** What a VM configuration says at least. */
export interface VmConfigNode {
  readonly imageName: string;
  readonly osType: string;
  readonly base: bigint;
  readonly size: bigint;
  readonly affinity: 'static' | 'sticky' | 'pinned' | 'proxy';
  /** Physical CPU of each vCPU; not written for `proxy`. */
  readonly affinityMap: readonly number[];
  /** Path of the interrupt controller's node; empty if the tree's own `interrupt-parent` says it. */
  readonly interruptController: string;
}

/** A VM configuration with a channel to the Resource Manager and nothing else. */
export function vmConfigNode(of: VmConfigNode): string {
  const vcpus = of.affinity === 'proxy' ? ['affinity = "proxy";'] : [`affinity = "${of.affinity}";`, `affinity-map = <${of.affinityMap.join(' ')}>;`, 'sched-priority = <(-1)>;', 'sched-timeslice = <5000>;'];
  return node('gunyah-vm-config',
    `#address-cells = <2>;\n#size-cells = <2>;\nimage-name = "${of.imageName}";\nos-type = "${of.osType}";\n`,
    `${node('memory', `base-address = <${twoCells(of.base)}>;`, `size-max = <${of.size < 0x1_0000_0000n ? `0x${of.size.toString(16)}` : twoCells(of.size)}>;`)}\n`,
    ...(of.interruptController === '' ? [] : [`${node('interrupts', `config = "${of.interruptController}";`)}\n`]),
    `${node('vcpus', 'config = "/cpus";', ...vcpus)}\n`,
    node('vdevices', node('rm-rpc', 'vdevice-type = "rm-rpc";', 'generate = "/hypervisor/rm-rpc";')));
}

/** One CPU, for a tree that names none: RM counts the CPUs there. */
export function cpusNode(): string {
  return node('cpus', '#address-cells = <1>;\n#size-cells = <0>;\n', node('cpu@0', 'device_type = "cpu";', 'compatible = "arm,armv8";', 'reg = <0>;', 'enable-method = "psci";'));
}

/** Kinds of virtual devices that the commands add. */
export const VDEVICE_KINDS = ['message-queue-pair', 'doorbell', 'doorbell-source', 'shm', 'virtio-mmio'] as const;
/** A kind of virtual device. */
export type VdeviceKind = (typeof VDEVICE_KINDS)[number];

/** What all virtual devices have. */
export interface VdeviceNode {
  readonly kind: VdeviceKind;
  readonly name: string;
  readonly label: number;
  /** Name of the other VM; empty for the VM's owner, which is the only one that shares memory and serves virtio devices. */
  readonly peer: string;
  /** Guest address of the shared memory; without one, RM chooses. Only for `shm` and `virtio-mmio`. */
  readonly base?: bigint;
}

/** True for devices that come with memory of their owner. */
export function hasMemory(kind: VdeviceKind): boolean {
  return kind === 'shm' || kind === 'virtio-mmio';
}

/** A node below `vdevices`. */
export function vdeviceNode(of: VdeviceNode): string {
  const peer = of.peer === '' || hasMemory(of.kind) ? 'peer-default;' : `peer = "vm-name:${of.peer}";`;
  return node(of.name, `vdevice-type = "${of.kind}";`, `generate = "/hypervisor/${of.name}";`, `label = <0x${of.label.toString(16)}>;`, peer, ...ownProperties(of));
}

function ownProperties(of: VdeviceNode): readonly string[] {
  switch (of.kind) {
    case 'message-queue-pair': return ['message-size = <240>;', 'queue-depth = <8>;'];
    case 'doorbell': return ['source-can-clear;'];
    case 'doorbell-source': return [];
    case 'shm': return [`\n${memoryNode(of)}`];
    case 'virtio-mmio': return ['vqs-num = <1>;', `\n${memoryNode(of)}`];
  }
}

function memoryNode(of: VdeviceNode): string {
  const place = of.base === undefined ? ['allocate-base;'] : ['#address-cells = <2>;', `base = <${twoCells(of.base)}>;`];
  return node('memory', `label = <0x${of.label.toString(16)}>;`, ...place);
}

/** The lowest label that no node in a tree's text has yet; label spaces are per kind, but a number used once is easier to read. */
export function freeLabel(text: string): number {
  const used = new Set([...text.matchAll(/\b(?:qcom,)?label\s*=\s*<\s*(0x[0-9a-f]+|\d+)\s*>/gi)].map(([, number = '']) => Number(number)));
  let label = 1;
  while (used.has(label)) label++;
  return label;
}

/** The name, or the name with the lowest number behind it that is not taken: `bell`, `bell-2`. */
export function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let count = 2; taken.includes(name); count++) name = `${wanted}-${String(count)}`;
  return name;
}

/**
 * The device trees that VMs start with: what the user gave, or the board's, with command line, memory and ramdisk put in.
 * The Resource Manager adds its own nodes later.
 */

import { err, ok, type Diagnostic, type Result } from '../base/result';
import { cells, cells64, decodeDtb, deviceTree, encodeDtb, node, toValue, type DeviceTree, type DtNode } from '../devicetree/index';
import { OUR_GENERATION, VmTree, type NodeValues } from '../devicetree/rm-rules';
import { primaryDeviceTree, secondaryDeviceTree } from '../machine/board-device-tree';
import type { VmDescription } from './description';
import { problem, type Range } from './layout';

/** What a tree is made for. */
export interface GuestTreePlan {
  readonly vm: VmDescription;
  readonly cpuCompatible: string;
  readonly ram: Range;
  readonly ramdisk: Range | undefined;
  /** Slots of the virtio window that the board's tree lists. */
  readonly virtioSlots: readonly number[];
  /** Physical CPUs that the vCPUs run on unless a configuration says otherwise, in order. */
  readonly affinity: readonly number[];
}

/** The primary VM's tree as a blob. */
export function primaryTree(plan: GuestTreePlan): Result<Uint8Array, Diagnostic> {
  const { vm, ram } = plan;
  if (vm.deviceTree !== undefined) return adapt(vm.deviceTree, plan, (root) => setMemory(root, ram));
  const hasFirmware = vm.firmware !== undefined;
  return ok(encodeDtb(primaryDeviceTree({ ...common(plan), rtc: true, flash: hasFirmware, fwCfg: hasFirmware })));
}

/** A secondary VM's tree as a blob, VM-configuration node included. */
export function secondaryTree(plan: GuestTreePlan): Result<Uint8Array, Diagnostic> {
  const { vm } = plan;
  const given = vm.config ?? vm.deviceTree;
  if (given === undefined) return ok(boardTree(plan, [defaultConfig(plan)]));
  const decoded = decodeDtb(given);
  if (!decoded.ok) return err(decoded.error);
  const { root } = decoded.value.tree;
  const isWhole = root.child('cpus') !== undefined;
  if (isWhole && configOf(root) !== undefined) return adapt(given, plan, () => undefined);
  const extra = root.children.filter(({ baseName }) => baseName !== 'memory').map((child) => child.clone());
  if (configOf(root) === undefined) extra.push(defaultConfig(plan));
  if (!isWhole) return ok(boardTree(plan, extra));
  const whole = root.clone();
  whole.add(defaultConfig(plan));
  return ok(encodeDtb(deviceTree(whole)));
}

/** The board's tree for a secondary VM, as RM takes it: RM writes /memory itself, and wants idle states where there is PSCI. */
function boardTree(plan: GuestTreePlan, extra: readonly DtNode[]): Uint8Array {
  const tree = secondaryDeviceTree({ ...common(plan), memory: [] }, extra);
  for (const cpu of tree.root.child('cpus')?.children ?? []) cpu.set('cpu-idle-states', true);
  return encodeDtb(tree);
}

/** The VM-configuration node of a tree. */
export function configOf(root: DtNode): DtNode | undefined {
  return root.child('gunyah-vm-config') ?? root.child('qcom,vm-config');
}

/** Base address that a VM-configuration node asks for, if it does. */
export function configuredBase(blob: Uint8Array): bigint | undefined {
  return memoryOf(blob)?.['base-address'];
}

/** Size that a VM-configuration node allows at most, if it does. */
export function configuredSize(blob: Uint8Array): bigint | undefined {
  return memoryOf(blob)?.['size-max'];
}

function memoryOf(blob: Uint8Array): NodeValues<'memory'> | undefined {
  const decoded = decodeDtb(blob);
  if (!decoded.ok) return undefined;
  const tree = new VmTree(decoded.value.tree.root, { generation: OUR_GENERATION, trust: 'trusted' });
  return tree.read('memory', configOf(decoded.value.tree.root)?.child('memory'));
}

function common({ vm, cpuCompatible, ram, ramdisk, virtioSlots }: GuestTreePlan): Parameters<typeof primaryDeviceTree>[0] {
  return {
    cpuCount: vm.vcpuCount,
    cpuCompatible,
    memory: [ram],
    uart: vm.hasUart,
    virtioSlots,
    rtc: false,
    ...(vm.commandLine === '' ? {} : { commandLine: vm.commandLine }),
    ...(ramdisk === undefined ? {} : { ramdisk }),
  };
}

/** What the description itself says, in the form of a configuration node. */
function defaultConfig({ vm, ram, affinity }: GuestTreePlan): DtNode {
  return node('gunyah-vm-config', { '#address-cells': 2, '#size-cells': 2, 'image-name': vm.name, 'os-type': 'linux' }, [
    node('memory', { 'base-address': cells64(ram.base), 'size-max': cells64(ram.sizeBytes) }),
    node('interrupts', { config: '/interrupt-controller@8000000' }),
    node('vcpus', { config: '/cpus', affinity: 'static', 'affinity-map': cells(...affinity), 'sched-priority': cells(0xffff_ffff) }),
    node('vdevices', {}, [node('rm-rpc', { 'vdevice-type': 'rm-rpc', generate: '/hypervisor/rm-rpc' })]),
  ]);
}

/** A tree of the user's with what the description adds. */
function adapt(blob: Uint8Array, { vm, ramdisk }: GuestTreePlan, change: (root: DtNode) => void): Result<Uint8Array, Diagnostic> {
  const decoded = decodeDtb(blob);
  if (!decoded.ok) return err(problem('device-tree-malformed', `The device tree of "${vm.name}" cannot be read: ${decoded.error.message}`));
  const tree: DeviceTree = decoded.value.tree;
  change(tree.root);
  const chosen = tree.root.child('chosen') ?? tree.root.add(node('chosen', {}));
  if (vm.commandLine !== '') chosen.set('bootargs', vm.commandLine);
  if (ramdisk !== undefined) {
    chosen.set('linux,initrd-start', cells64(ramdisk.base));
    chosen.set('linux,initrd-end', cells64(ramdisk.base + ramdisk.sizeBytes));
  }
  return ok(encodeDtb(tree));
}

function setMemory(root: DtNode, ram: Range): void {
  const memory = root.children.find(({ baseName }) => baseName === 'memory');
  if (memory !== undefined && memory.has('reg')) return;
  root.add(node(`memory@${ram.base.toString(16)}`, { device_type: 'memory', reg: toValue(cells64(ram.base, ram.sizeBytes)) }));
}

/**
 * Device trees for guests of the default board: what firmware would hand to a guest that has none of its own. The
 * Resource Manager adds `/hypervisor` and what belongs to it; nothing of Gunyah is in here.
 *
 * Bindings: Devicetree Specification 3 (cpus, memory, chosen), arm,psci-1.0, arm,armv8-timer, arm,gic-v3, arm,pl011, arm,pl031,
 * virtio,mmio.
 */

import { assert } from '../base/assert';
import { cells, cells64, deviceTree, hasErrors, linkTree, node, ref, rootNode } from '../devicetree';
import type { DeviceTree, DtNode, DtValue } from '../devicetree';
import { BOARD_APB_CLOCK_HZ, BOARD_FLASH, BOARD_FW_CFG, BOARD_GICD, BOARD_GICR, BOARD_PMU_PPI, BOARD_RTC, BOARD_TIMER_PPIS, BOARD_UART, BOARD_VIRTIO_SLOTS, boardVirtioSlot } from './board';

const GIC_SPI = 0;
const GIC_PPI = 1;
const IRQ_EDGE_RISING = 1;
const IRQ_LEVEL_HIGH = 4;

/** Bytes of guest physical address space. */
export interface GuestRange { readonly base: bigint; readonly sizeBytes: bigint }

/** What a guest's tree describes. */
export interface GuestTreeOptions {
  /** 1..256. */
  readonly cpuCount: number;
  /** Affinity bits of MPIDR per CPU; unless given, the index. */
  readonly mpidrOf?: (cpu: number) => number;
  /** First compatible string of each CPU; `arm,armv8` unless given. */
  readonly cpuCompatible?: string;
  readonly memory: readonly GuestRange[];
  /** Kernel command line; no property if absent. */
  readonly commandLine?: string;
  readonly ramdisk?: GuestRange;
  /** True if the PL011 is the guest's; also makes it the standard output. */
  readonly uart: boolean;
  /** Indexes of the virtio-mmio slots that the tree lists. */
  readonly virtioSlots?: readonly number[];
  /** Where the guest sees its GIC; the board's addresses unless given. */
  readonly gic?: { readonly distributorBase: bigint; readonly redistributorBase: bigint };
}

/** What a primary VM's tree describes in addition. */
export interface PrimaryTreeOptions extends GuestTreeOptions {
  readonly rtc: boolean;
  /** True if the CPUs have a PMU. */
  readonly pmu?: boolean;
  /** True if the two banks of flash are there. */
  readonly flash?: boolean;
  /** True if firmware is told of kernel, command line and ramdisk by the configuration device. */
  readonly fwCfg?: boolean;
}

/** The tree of a primary VM: CPUs, memory and the board's devices. Linked: phandles are in place, ready for `encodeDtb`. */
export function primaryDeviceTree(options: PrimaryTreeOptions): DeviceTree {
  return build(options, [
    ...(options.pmu === true ? [pmuNode()] : []),
    ...(options.flash === true ? [flashNode()] : []),
    ...(options.rtc ? [rtcNode()] : []),
    ...(options.fwCfg === true ? [fwCfgNode()] : []),
  ], options.rtc);
}

/**
 * The tree of a secondary VM that brings none: CPUs, memory, timer and GIC, and the PL011 only if it is mapped through. A node such as
 * `gunyah-vm-config` goes into `extra`.
 */
export function secondaryDeviceTree(options: GuestTreeOptions, extra: readonly DtNode[] = []): DeviceTree {
  return build(options, extra, false);
}

function build(options: GuestTreeOptions, extra: readonly DtNode[], needsClock: boolean): DeviceTree {
  const slots = [...(options.virtioSlots ?? [])].sort((a, b) => a - b);
  assert(slots.every((slot) => slot >= 0 && slot < BOARD_VIRTIO_SLOTS), 'virtio-mmio slots are 0..31');
  const root = rootNode({ 'interrupt-parent': ref('gic'), model: 'Gunyah Debug virtual board', compatible: 'linux,dummy-virt', '#address-cells': 2, '#size-cells': 2 }, [
    ...(options.uart ? [node('aliases', { serial0: uartPath() })] : []),
    chosenNode(options),
    cpusNode(options),
    ...options.memory.map(memoryNode),
    node('psci', { compatible: ['arm,psci-1.0', 'arm,psci-0.2'], method: 'hvc' }),
    timerNode(),
    gicNode(options),
    ...(options.uart || needsClock ? [clockNode()] : []),
    ...(options.uart ? [uartNode()] : []),
    ...slots.map(virtioNode),
    ...extra,
  ]);
  const { tree, diagnostics } = linkTree(deviceTree(root));
  assert(!hasErrors(diagnostics), `the board's tree links: ${diagnostics.map((diagnostic) => diagnostic.message).join('; ')}`);
  return tree;
}

function chosenNode({ commandLine, ramdisk, uart }: GuestTreeOptions): DtNode {
  return node('chosen', {
    ...(commandLine === undefined ? {} : { bootargs: commandLine }),
    ...(uart ? { 'stdout-path': uartPath() } : {}),
    ...(ramdisk === undefined ? {} : { 'linux,initrd-start': ramdisk.base, 'linux,initrd-end': ramdisk.base + ramdisk.sizeBytes }),
  });
}

function cpusNode({ cpuCount, mpidrOf = (cpu): number => cpu, cpuCompatible = 'arm,armv8' }: GuestTreeOptions): DtNode {
  assert(cpuCount >= 1 && cpuCount <= 256, 'a guest has 1..256 CPUs');
  const cpus = Array.from({ length: cpuCount }, (_, cpu) => {
    const mpidr = mpidrOf(cpu);
    return node(`cpu@${mpidr.toString(16)}`, { device_type: 'cpu', compatible: cpuCompatible, reg: mpidr, 'enable-method': 'psci' });
  });
  return node('cpus', { '#address-cells': 1, '#size-cells': 0 }, cpus);
}

function memoryNode({ base, sizeBytes }: GuestRange): DtNode {
  return node(`memory@${base.toString(16)}`, { device_type: 'memory', reg: cells64(base, sizeBytes) });
}

function timerNode(): DtNode {
  const { securePhysical, physical, virtual, hypervisor } = BOARD_TIMER_PPIS;
  return node('timer', {
    compatible: 'arm,armv8-timer',
    interrupts: cells(...[securePhysical, physical, virtual, hypervisor].flatMap((ppi) => [GIC_PPI, ppi, IRQ_LEVEL_HIGH])),
    'always-on': true,
  });
}

function pmuNode(): DtNode {
  return node('pmu', { compatible: 'arm,armv8-pmuv3', interrupts: cells(GIC_PPI, BOARD_PMU_PPI, IRQ_LEVEL_HIGH) });
}

function gicNode({ cpuCount, gic }: GuestTreeOptions): DtNode {
  const distributor = gic?.distributorBase ?? BigInt(BOARD_GICD.base);
  const redistributor = gic?.redistributorBase ?? BigInt(BOARD_GICR.base);
  return node(`interrupt-controller@${distributor.toString(16)}`, {
    compatible: 'arm,gic-v3',
    reg: cells64(distributor, BOARD_GICD.sizeBytes, redistributor, cpuCount * BOARD_GICR.sizeBytes),
    'interrupt-controller': true,
    '#interrupt-cells': 3,
    '#address-cells': 0,
  }).label('gic');
}

function clockNode(): DtNode {
  return node('apb-pclk', { compatible: 'fixed-clock', '#clock-cells': 0, 'clock-frequency': BOARD_APB_CLOCK_HZ, 'clock-output-names': 'clk24mhz' }).label('apb');
}

function uartNode(): DtNode {
  return node(uartPath().slice(1), {
    compatible: ['arm,pl011', 'arm,primecell'], reg: regOf(BOARD_UART), interrupts: cells(GIC_SPI, BOARD_UART.spi, IRQ_LEVEL_HIGH),
    clocks: cells(ref('apb'), ref('apb')), 'clock-names': ['uartclk', 'apb_pclk'],
  });
}

function rtcNode(): DtNode {
  return node(`rtc@${BOARD_RTC.base.toString(16)}`, {
    compatible: ['arm,pl031', 'arm,primecell'], reg: regOf(BOARD_RTC), interrupts: cells(GIC_SPI, BOARD_RTC.spi, IRQ_LEVEL_HIGH),
    clocks: ref('apb'), 'clock-names': 'apb_pclk',
  });
}

function flashNode(): DtNode {
  const { base, bankBytes } = BOARD_FLASH;
  return node(`flash@${base.toString(16)}`, { compatible: 'cfi-flash', reg: cells64(base, bankBytes, base + bankBytes, bankBytes), 'bank-width': 4 });
}

function fwCfgNode(): DtNode {
  return node(`fw-cfg@${BOARD_FW_CFG.base.toString(16)}`, { compatible: 'qemu,fw-cfg-mmio', reg: regOf(BOARD_FW_CFG), 'dma-coherent': true });
}

function virtioNode(index: number): DtNode {
  const slot = boardVirtioSlot(index);
  return node(`virtio_mmio@${slot.base.toString(16)}`, {
    compatible: 'virtio,mmio', reg: regOf(slot), interrupts: cells(GIC_SPI, slot.spi, IRQ_EDGE_RISING), 'dma-coherent': true,
  });
}

function uartPath(): string {
  return `/serial@${BOARD_UART.base.toString(16)}`;
}

function regOf(window: { readonly base: number; readonly sizeBytes: number }): DtValue {
  return cells64(window.base, window.sizeBytes);
}

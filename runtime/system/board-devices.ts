/**
 * The devices of the board and whom they belong to: every VM's serial port and virtio slots, the primary VM's clock, flash and configuration
 * device. Makes them, places them on the bus, and says which windows and interrupts the Resource Manager passes on to each VM.
 *
 * The primary VM's devices lie where it sees them. Those of other VMs lie behind, and RM maps them to the board's addresses.
 */

import { pa, virqNumber } from '../base/brands';
import type { Engine } from '../engine/interface';
import type { PlatformVm } from '../hypervisor/interface';
import { BOARD_FLASH, BOARD_FW_CFG, BOARD_RTC, BOARD_UART, BOARD_VIRTIO_SLOTS, BOARD_VIRTIO_WINDOW, boardVirtioSlot, SPI_BASE, type BoardWindow } from '../machine/board';
import { Bus, type SavedBus } from '../machine/bus';
import { CfiFlash, type FlashArray } from '../machine/devices/cfi-flash';
import { DiskContents } from '../machine/devices/disk-contents';
import { EthernetSwitch, type SavedSwitch } from '../machine/devices/ethernet-switch';
import { FwCfg, fwCfgItems } from '../machine/devices/fw-cfg';
import { Pl011 } from '../machine/devices/pl011';
import { Pl031 } from '../machine/devices/pl031';
import { SECTOR_SIZE, VirtioBlock } from '../machine/devices/virtio-block';
import { VirtioConsole } from '../machine/devices/virtio-console';
import { VirtioEntropy } from '../machine/devices/virtio-entropy';
import { VirtioMmio, type VirtioFunction } from '../machine/devices/virtio-mmio';
import { VirtioNet } from '../machine/devices/virtio-net';
import type { EventQueue, GuestMemory, IrqLine } from '../machine/interface';
import type { SystemDescription, VmDescription } from './description';
import { makeDeviceSpace } from './device-space';
import type { Range } from './layout';
import type { VmConsole } from './parts';
import { Transcript } from './transcript';

const UART_STRIDE = 0x1000;
const RTC_INTERRUPT = SPI_BASE + BOARD_RTC.spi;
/** Platform interrupts of devices of secondary VMs: their UARTs, then 32 virtio slots each. */
const SECONDARY_UART_INTERRUPT = 200;
const SECONDARY_VIRTIO_INTERRUPT = 256;
/** Private interrupts that the hypervisor does not use itself: not the monitors', the controller's maintenance, and the timers of hypervisor and guests. */
const FREE_PRIVATE_INTERRUPTS = [16, 17, 18, 19, 20, 21, 22, 24, 28, 29, 31] as const;
/** Observed: the hypervisor takes the board's interrupt controller to have eight times 32 interrupts. */
const BOARD_INTERRUPTS_END = 256;
const TICKS_PER_SECOND = 1_000_000_000;
/** Time of day at power-on, the same in every run: 2024-01-01 00:00:00 UTC. */
export const START_SECONDS = 1_704_067_200;
const PAGE_SIZE = 0x1000;
/** Locally known start of Ethernet addresses; the VM's and the card's number follow. */
const ETHERNET_PREFIX = [0x52, 0x54, 0x00, 0x12] as const;

/** What the devices are connected to. */
export interface BoardSurroundings {
  readonly engine: Engine;
  readonly events: EventQueue;
  /** Memory behind the flash. */
  readonly flash: Range;
  /** Takes a byte that a VM prints. */
  readonly transmit: (vm: number, byte: number) => void;
  /** The wire of a platform interrupt. */
  readonly line: (intid: number) => IrqLine;
  /** Memory of a VM as its devices reach it. */
  readonly memoryOf: (vm: number) => GuestMemory;
}

type DeviceWindow = PlatformVm['devices'][number];

/** Slots of the board's virtio window that hold a function, by VM. A VM without any has no window, unless it has the whole machine. */
export function virtioSlotsOf({ virtio }: VmDescription): number[] {
  const count = virtio === undefined ? 0 : virtio.disks.length + virtio.networks.length + (virtio.hasEntropy ? 1 : 0) + (virtio.hasConsole ? 1 : 0);
  return Array.from({ length: count }, (_, slot) => slot);
}

/** Whether a VM has the virtio window: all 32 slots, empty ones included. */
export function hasVirtioWindow(description: SystemDescription, vm: VmDescription): boolean {
  return description.identity === 'none' || virtioSlotsOf(vm).length > 0;
}

/** Every platform interrupt that a device of the system drives. */
export function platformInterrupts({ vms }: SystemDescription): number[] {
  return [RTC_INTERRUPT, ...vms.flatMap((vm, index) => [uartInterrupt(index), ...virtioSlotsOf(vm).map((slot) => virtioInterrupt(index, slot))])];
}

/** The board's other interrupts that VMs may have. */
export function unwiredInterrupts(description: SystemDescription): number[] {
  const wired = platformInterrupts(description);
  return [...FREE_PRIVATE_INTERRUPTS, ...Array.from({ length: BOARD_INTERRUPTS_END - SPI_BASE }, (_, n) => SPI_BASE + n)].filter((intid) => !wired.includes(intid));
}

/** What RM passes on to a VM. */
export function deviceWindows(description: SystemDescription, index: number): DeviceWindow[] {
  const vm = description.vms[index];
  if (vm === undefined) return [];
  const windows: DeviceWindow[] = [];
  if (vm.hasUart) windows.push(windowOf('uart', BOARD_UART, { pa: uartBase(index), interrupt: SPI_BASE + BOARD_UART.spi, hardwareInterrupt: uartInterrupt(index) }));
  if (index === 0) windows.push(windowOf('rtc', BOARD_RTC, { pa: BOARD_RTC.base, interrupt: RTC_INTERRUPT, hardwareInterrupt: RTC_INTERRUPT }));
  if (vm.firmware !== undefined) windows.push(windowOf('fw_cfg', { ...BOARD_FW_CFG, sizeBytes: PAGE_SIZE }, { pa: BOARD_FW_CFG.base }));
  if (hasVirtioWindow(description, vm)) {
    const interrupts = virtioSlotsOf(vm).map((slot) => ({ interrupt: virqNumber(SPI_BASE + boardVirtioSlot(slot).spi), hardwareInterrupt: virtioInterrupt(index, slot) }));
    windows.push({ ...windowOf('virtio', BOARD_VIRTIO_WINDOW, { pa: virtioBase(index) }), moreInterrupts: interrupts });
  }
  return windows;
}

function windowOf(name: string, window: BoardWindow, place: { readonly pa: number; readonly interrupt?: number; readonly hardwareInterrupt?: number }): DeviceWindow {
  const { interrupt, hardwareInterrupt } = place;
  const forwarded = interrupt === undefined || hardwareInterrupt === undefined ? {} : { interrupt: virqNumber(interrupt), hardwareInterrupt };
  return { name, ipa: BigInt(window.base), pa: BigInt(place.pa), sizeBytes: BigInt(window.sizeBytes), ...forwarded };
}

function uartBase(index: number): number {
  return BOARD_UART.base + index * UART_STRIDE;
}

function uartInterrupt(index: number): number {
  return index === 0 ? SPI_BASE + BOARD_UART.spi : SECONDARY_UART_INTERRUPT + index;
}

function virtioBase(index: number): number {
  return BOARD_VIRTIO_WINDOW.base + index * BOARD_VIRTIO_WINDOW.sizeBytes;
}

function virtioInterrupt(index: number, slot: number): number {
  return index === 0 ? SPI_BASE + boardVirtioSlot(slot).spi : SECONDARY_VIRTIO_INTERRUPT + index * BOARD_VIRTIO_SLOTS + slot;
}

/** Saved form. */
export interface SavedBoardDevices { readonly bus: SavedBus; readonly space?: SavedBus | undefined; readonly switches: readonly SavedSwitch[] }

/** All devices of a system. */
export class BoardDevices {
  readonly bus = new Bus();
  /** What else the primary VM finds in device space, under a hypervisor. */
  readonly space: Bus | undefined;
  readonly consoles: readonly VmConsole[];
  private readonly description: SystemDescription;
  private readonly outside: BoardSurroundings;
  /** By name; in order of first mention, which is the order of their saved forms. */
  private readonly switches = new Map<string, EthernetSwitch>();

  constructor(description: SystemDescription, outside: BoardSurroundings) {
    this.description = description;
    this.outside = outside;
    this.space = description.identity === 'none' ? undefined : makeDeviceSpace(description.vms[0]?.vcpuCount ?? 1, outside.memoryOf(0));
    this.placeRtc();
    this.placeFirmwareDevices();
    this.consoles = description.vms.map((vm, index) => {
      const virtio = this.placeVirtio(vm, index);
      return consoleOf(vm, this.placeUart(vm, index), virtio);
    });
  }

  save(): SavedBoardDevices {
    return { bus: this.bus.save(), space: this.space?.save(), switches: [...this.switches.values()].map((one) => one.save()) };
  }

  restore({ bus, space, switches }: SavedBoardDevices): void {
    this.bus.restore(bus);
    if (space !== undefined) this.space?.restore(space);
    for (const [index, one] of [...this.switches.values()].entries()) {
      const saved = switches[index];
      if (saved !== undefined) one.restore(saved);
    }
  }

  private placeRtc(): void {
    const device = new Pl031({ line: this.outside.line(RTC_INTERRUPT), queue: this.outside.events, key: 'rtc', ticksPerSecond: TICKS_PER_SECOND, startSeconds: START_SECONDS });
    this.bus.add({ name: 'rtc', base: BOARD_RTC.base, sizeBytes: BOARD_RTC.sizeBytes, device });
  }

  /** Flash and configuration device of a primary VM that starts in firmware. */
  private placeFirmwareDevices(): void {
    const { firmware, ramdisk, commandLine = '', vcpuCount = 1 } = this.description.vms[0] ?? {};
    if (firmware === undefined) return;
    for (const bank of [0, 1]) {
      const base = this.outside.flash.base + BigInt(bank * BOARD_FLASH.bankBytes);
      this.bus.add({ name: `flash${bank}`, base: Number(base), sizeBytes: BOARD_FLASH.bankBytes, device: new CfiFlash(flashArray(this.outside.engine, base)) });
    }
    const items = fwCfgItems({ cpuCount: vcpuCount, kernel: firmware.kernel, ramdisk, commandLine, files: [] });
    this.bus.add({ ...BOARD_FW_CFG, device: new FwCfg(items, this.outside.memoryOf(0)) });
  }

  private placeUart(vm: VmDescription, index: number): Pl011 | undefined {
    if (!vm.hasUart) return undefined;
    const device = new Pl011({
      line: this.outside.line(uartInterrupt(index)), transmit: (byte) => { this.outside.transmit(index, byte); }, isOnAtReset: vm.firmware === undefined,
    });
    this.bus.add({ name: `uart-${vm.name}`, base: uartBase(index), sizeBytes: UART_STRIDE, device });
    return device;
  }

  /** All slots of a VM's window; the console among them, if there is one. */
  private placeVirtio(vm: VmDescription, index: number): VirtioConsole | undefined {
    if (!hasVirtioWindow(this.description, vm)) return undefined;
    const functions = this.virtioFunctions(vm, index);
    const memory = this.outside.memoryOf(index);
    for (let slot = 0; slot < BOARD_VIRTIO_SLOTS; slot++) {
      const work = functions[slot];
      const line = work === undefined ? { setLevel: () => undefined } : this.outside.line(virtioInterrupt(index, slot));
      const device = new VirtioMmio({ line, queue: this.outside.events, key: `virtio/${index}/${slot}`, memory, ...(work === undefined ? {} : { function: work }) });
      const { sizeBytes } = boardVirtioSlot(slot);
      this.bus.add({ name: `virtio-${vm.name}-${slot}`, base: virtioBase(index) + slot * sizeBytes, sizeBytes, device });
    }
    return functions.find((one) => one instanceof VirtioConsole);
  }

  /** A VM's virtio functions in the order of their slots. */
  private virtioFunctions(vm: VmDescription, index: number): VirtioFunction[] {
    const { virtio } = vm;
    if (virtio === undefined) return [];
    const functions: VirtioFunction[] = virtio.disks.map(({ image, isReadOnly }, number) => {
      const contents = new DiskContents(image, Math.ceil(image.sizeBytes / SECTOR_SIZE) * SECTOR_SIZE);
      return new VirtioBlock({ contents, isReadOnly, identifier: `disk${number}` });
    });
    for (const [number, name] of virtio.networks.entries()) functions.push(this.networkCard(name, { vm: index, card: number }));
    if (virtio.hasEntropy) functions.push(new VirtioEntropy((this.description.platform.seed ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0));
    if (virtio.hasConsole) functions.push(new VirtioConsole((byte) => { this.outside.transmit(index, byte); }));
    return functions;
  }

  private networkCard(name: string, { vm, card }: { readonly vm: number; readonly card: number }): VirtioNet {
    const wire = this.switches.get(name) ?? new EthernetSwitch(this.outside.events, `switch/${name}`);
    this.switches.set(name, wire);
    const port = wire.addPort((frame) => { device.receive(frame); });
    const device: VirtioNet = new VirtioNet({ address: Uint8Array.of(...ETHERNET_PREFIX, vm, card), send: (frame) => { wire.send(port, frame); } });
    return device;
  }
}

/** Both kinds of console print into one transcript; what is typed goes to the UART, and to the virtio console of a VM that has no UART. */
function consoleOf(vm: VmDescription, uart: Pl011 | undefined, virtio: VirtioConsole | undefined): VmConsole {
  const transcript = new Transcript();
  const input = uart ?? virtio;
  if (input === undefined) return { vm: vm.name, transcript };
  return { vm: vm.name, transcript, acceptInput: (bytes) => { input.receive(bytes); }, waitingInput: () => input.waitingInputCount, takeInput: (countMax) => input.takeInput(countMax) };
}

/** A bank of flash in the platform's memory. */
function flashArray(engine: Engine, base: bigint): FlashArray {
  const at = (offset: number): ReturnType<typeof pa> => pa(base + BigInt(offset));
  return {
    read: (offset, sizeBytes) => engine.memory.read(at(offset), sizeBytes),
    write: (offset, bytes) => { engine.memory.write(at(offset), bytes); },
    fill: (offset, sizeBytes, byte) => { engine.memory.fill(at(offset), sizeBytes, byte); },
    setPlainLoads: (isPlain) => { engine.memory.setAccess(at(0), BOARD_FLASH.bankBytes, isPlain ? 'rom' : 'device'); },
  };
}

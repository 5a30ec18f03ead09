/**
 * Power-on: from a description to a system whose Resource Manager is about to run its first instruction.
 *
 * Loads images where a boot loader would, makes device trees, puts engine, devices, hypervisor and RM together. Everything that can be
 * wrong with a description is found here and told; nothing of a half-built system is left.
 */

import { pa, va, vmid, type Pa, type Va, type Vmid } from '../base/brands';
import { alignUp } from '../base/bits';
import { err, ok, type Diagnostic, type Result } from '../base/result';
import type { TraceEvent } from '../base/trace-event';
import { createEngine, type Engine } from '../engine/index';
import { createHypervisor, type Hypervisor, type Thread } from '../hypervisor/hypervisor';
import type { PlatformVm } from '../hypervisor/interface';
import { coreFeatures, gunyahFeatures, secondaryIdentification } from '../isa/cpu-features';
import { cacheSizes, hardwareIdentification, performanceMonitorControl, pinnedIdentification, type CoreProfile } from '../isa/identification-profiles';
import { BOARD_FLASH, BOARD_VIRTIO_SLOTS, type BoardWindow } from '../machine/board';
import type { Bus } from '../machine/bus';
import { TickEventQueue } from '../machine/event-queue';
import type { Inspection } from '../hypervisor/inspection';
import { GUNYAH_SERVICES, type ServiceSettings } from '../hypervisor/service-registers';
import { createResourceManager, DEFAULT_RM_OPTIONS, type ResourceManager, type RmView } from '../resource-manager/index';
import { BoardDevices, START_SECONDS, deviceWindows, platformInterrupts, unwiredInterrupts, virtioSlotsOf, type SavedBoardDevices } from './board-devices';
import type { SystemDescription, VmDescription } from './description';
import { configuredBase, configuredSize, primaryTree, secondaryTree } from './guest-tree';
import { planMemory, problem, vmMemorySize, type MemoryLayout, type Range } from './layout';
import { objectLabels } from './object-labels';
import type { Parts, VcpuName, VmConsole, VmSummary } from './parts';
import { placeVm, type VmPlacement } from './placement';
import type { SemihostingVm } from './semihosting';
import { System } from './system';

/** Engine vCPUs: 16 VMs of 8. */
const VCPU_COUNT_MAX = 128;
/** One tick is a nanosecond; the counter runs at 62.5 MHz. */
const COUNTER_SHIFT = 4;
const TIMER_FREQUENCY_HZ = 62_500_000;
const PAGE = 4096n;
const CONSOLE_LINE_MAX = 256;
/** RM calls the primary VM HLOS; users call it what the description does. */
const PRIMARY_VMID = 3;

/** One VM with everything decided about it. */
interface PlannedVm {
  readonly vm: VmDescription;
  readonly ram: Range;
  readonly placement: VmPlacement;
  readonly tree: Uint8Array;
}

/** Builds a system. Every problem of the description is reported. */
export function createSystem(description: SystemDescription): Result<System, readonly Diagnostic[]> {
  if (description.identity === 'none' && description.vms.length > 1) {
    return err([problem('plain-machine-has-one-vm', `With "identity": "none" there is no hypervisor, so the machine runs one system: list one entry under "vms", not ${description.vms.length}.`)]);
  }
  const layout = planMemory(description);
  if (!layout.ok) return err([layout.error]);
  const planned: PlannedVm[] = [];
  const problems: Diagnostic[] = [];
  for (const [index, vm] of description.vms.entries()) {
    const plan = planVm(description, vm, index === 0 ? layout.value.primary : undefined);
    if (plan.ok) planned.push(plan.value);
    else problems.push(plan.error);
  }
  if (problems.length > 0) return err(problems);
  return ok(new System(description, layout.value, (system) => new Composition(system, layout.value, planned)));
}

function planVm(description: SystemDescription, vm: VmDescription, primaryRam: Range | undefined): Result<PlannedVm, Diagnostic> {
  const ram = primaryRam ?? secondaryRam(vm);
  if (vm.vcpuCount > 8) return err(problem('too-many-vcpus', `"${vm.name}" has ${vm.vcpuCount} vCPUs; at most 8 are possible.`));
  if (primaryRam !== undefined && vm.vcpuCount > description.platform.cpuCount) {
    return err(problem('too-few-cpus', `The primary VM "${vm.name}" has ${vm.vcpuCount} vCPUs, each pinned to its own CPU, but the platform has ${description.platform.cpuCount}. Raise "platform.cpus".`));
  }
  if (vm.firmware !== undefined && primaryRam === undefined) return err(problem('firmware-not-primary', `"${vm.name}" has "firmware", but only the primary VM has flash. Give its image instead, or list it first.`));
  const placement = placeVm(vm, ram);
  if (!placement.ok) return placement;
  // The whole machine lists every slot, as its firmware expects; a VM lists what it has.
  const virtioSlots = description.identity === 'none' ? Array.from({ length: BOARD_VIRTIO_SLOTS }, (_, slot) => slot) : virtioSlotsOf(vm);
  const plan = { vm, ram, ramdisk: placement.value.ramdisk, virtioSlots, cpuCompatible: cpuCompatible(description.platform.cpuModel), affinity: affinityOf(description, vm) };
  const tree = primaryRam === undefined ? secondaryTree(plan) : primaryTree(plan);
  if (!tree.ok) return tree;
  if (BigInt(tree.value.length) > placement.value.deviceTree.sizeBytes) {
    return err(problem('device-tree-too-large', `The device tree of "${vm.name}" (${tree.value.length} bytes) does not fit beside its image.`));
  }
  return ok({ vm, ram, placement: placement.value, tree: tree.value });
}

/** Deals the vCPUs of all VMs, one VM after the other, to the CPUs in turn: a busy primary VM does not starve the others while CPUs idle. */
function affinityOf({ platform, vms }: SystemDescription, vm: VmDescription): readonly number[] {
  const before = vms.slice(0, vms.indexOf(vm)).reduce((sum, { vcpuCount }) => sum + vcpuCount, 0);
  return Array.from({ length: vm.vcpuCount }, (_, index) => (before + index) % platform.cpuCount);
}

function secondaryRam(vm: VmDescription): Range {
  const base = vm.memoryBase ?? (vm.config === undefined ? undefined : configuredBase(vm.config)) ?? 0x8000_0000n;
  const configured = vm.config === undefined ? undefined : configuredSize(vm.config);
  const sizeBytes = vm.memorySizeBytes === undefined && configured !== undefined && configured <= vmMemorySize(vm) ? configured : vmMemorySize(vm);
  return { base, sizeBytes };
}

function cpuCompatible(model: string): string {
  return model === 'max' ? 'arm,armv8' : `arm,${model}`;
}

function coreProfile(model: string): CoreProfile {
  return model === 'cortex-a53' || model === 'cortex-a76' || model === 'max' ? model : 'cortex-a57';
}

/** The larger part of a VM's RAM on one side of everything that was loaded: above it, but for a device tree at the very top. */
function freeMemory(ram: Range, { image, deviceTree, ramdisk }: VmPlacement): { readonly base: bigint; readonly end: bigint } {
  const isOnTop = deviceTree.base + deviceTree.sizeBytes === ram.base + ram.sizeBytes;
  const ends = [ram.base, ...image.segments.map(({ address, sizeInMemory }) => address + BigInt(sizeInMemory)), ...[...(isOnTop ? [] : [deviceTree]), ...(ramdisk === undefined ? [] : [ramdisk])].map(({ base, sizeBytes }) => base + sizeBytes)];
  const base = ends.reduce((most, end) => (end > most ? end : most));
  return { base: alignUp(base, PAGE), end: isOnTop ? deviceTree.base : ram.base + ram.sizeBytes };
}

/** What a program finds as its own name and arguments. */
function commandLineOf(vm: VmDescription | undefined): string {
  const name = vm?.imageName.split('/').pop() ?? '';
  return vm === undefined || vm.commandLine === '' ? name : `${name} ${vm.commandLine}`;
}

/** The parts of one system. */
class Composition implements Parts {
  readonly engine: Engine;
  readonly events = new TickEventQueue();
  readonly consoles: readonly VmConsole[];
  readonly primaryEntry: Va;
  readonly gunyah: Hypervisor;
  readonly resourceManager: ResourceManager;
  readonly hypervisor: Parts['hypervisor'];
  private readonly system: System;
  private readonly devices: BoardDevices;
  /** What each console has printed of its present line. */
  private readonly lines: number[][];
  /** RAM of each VM that nothing was loaded into. */
  private readonly heaps: readonly { readonly base: bigint; readonly end: bigint }[];
  private readonly trees: ReadonlyMap<string, Range>;

  constructor(system: System, layout: MemoryLayout, planned: readonly PlannedVm[]) {
    this.system = system;
    system.trace.names.source = {
      vms: () => new Map([...this.resourceManager.names().keys()].map((id): [number, string] => [id, this.vmName(id)])),
      objects: () => objectLabels(this.inspection, this.rmView(), this.vmName(PRIMARY_VMID)),
    };
    const { platform } = system.description;
    const profile = coreProfile(platform.cpuModel);
    const isPlain = system.description.identity === 'none';
    this.engine = createEngine({
      ram: [{ base: layout.ramBase, sizeBytes: Number(layout.ramSizeBytes) }], vcpuCountMax: VCPU_COUNT_MAX, counterShift: COUNTER_SHIFT,
      features: isPlain ? coreFeatures(profile) : gunyahFeatures(profile), cacheSizes: cacheSizes(profile), highestLevel: isPlain ? 1 : 2,
      identification: hardwareIdentification(profile),
    });
    this.gunyah = createHypervisor({
      engine: this.engine,
      events: this.events,
      cpuCount: platform.cpuCount,
      trace: (event) => { this.observe(event); },
      seed: platform.seed,
      identity: system.description.identity,
      watchdog: platform.watchdog ?? false,
      services: (id) => this.servicesOf(id),
      startSeconds: START_SECONDS,
      heap: layout.heap,
      vcpuCountMax: VCPU_COUNT_MAX,
      hardwareInterrupts: platformInterrupts(system.description),
      identification: isPlain ? { pinned: hardwareIdentification(profile), unpinned: hardwareIdentification(profile) } : { pinned: pinnedIdentification(profile), unpinned: secondaryIdentification(profile) },
      monitorControl: performanceMonitorControl(profile),
      deviceAccess: (address, access) => accessBus(this.devices.bus, address, access),
      spaceAccess: (address, access) => (this.devices.space === undefined ? undefined : accessBus(this.devices.space, address, access)),
      isNewer: platform.resourceManager === 'linux',
      onPlatformPower: (action) => { this.endPlatform(action); },
    });
    this.hypervisor = this.gunyah;
    this.heaps = planned.map(({ ram, placement }) => freeMemory(ram, placement));
    this.trees = new Map(planned.map(({ vm, placement }) => [vm.name, placement.deviceTree]));
    this.primaryEntry = va(planned[0]?.placement.entry ?? 0n);
    this.lines = planned.map(() => []);
    this.devices = new BoardDevices(system.description, {
      engine: this.engine, events: this.events, flash: layout.flash,
      transmit: (vm, byte) => { this.transmit(vm, byte); },
      line: (intid) => this.gunyah.hardwareLine(intid) ?? { setLevel: () => undefined },
      memoryOf: (vm) => this.gunyah.deviceMemory(() => this.vmidOfName(system.description.vms[vm]?.name), layout.flash),
    });
    this.consoles = this.devices.consoles;
    const { vms, free } = new BootLoader(this.engine, layout, system.description).load(planned);
    const { platform: { resourceManager = DEFAULT_RM_OPTIONS.profile }, identity } = system.description;
    this.resourceManager = createResourceManager({ profile: resourceManager, drivers: identity === 'gunyah-legacy' ? 'legacy' : 'current' });
    this.gunyah.bootRootVm(this.resourceManager, {
      privateBase: layout.rmPrivate.base,
      privateSizeBytes: layout.rmPrivate.sizeBytes,
      freeRanges: [free],
      bootCpu: 0,
      timerFrequencyHz: TIMER_FREQUENCY_HZ,
      unwiredInterrupts: unwiredInterrupts(system.description),
      vms,
    });
  }

  deviceTreeOf(id: Vmid): Range | undefined {
    return this.trees.get(this.vmName(id));
  }

  get inspection(): Inspection {
    return this.gunyah.inspect;
  }

  rmView(): RmView {
    return this.resourceManager.inspect();
  }

  vcpus(): readonly VcpuName[] {
    const rows = this.gunyah.threads.flatMap((thread): VcpuName[] => {
      const { engineVcpu, vmid: id } = thread;
      return engineVcpu === undefined ? [] : [{ index: engineVcpu, vmid: id, vm: this.vmName(id), vcpu: thread.vcpuIndex }];
    });
    return rows.sort((left, right) => left.vmid - right.vmid || left.vcpu - right.vcpu);
  }

  vmSummaries(): readonly VmSummary[] {
    const platform = this.platformExit();
    return this.resourceManager.inspect().vms.map(({ vmid: id, state, exit }) => {
      const own = exit === null ? null : { reason: exit.type, code: exit.code };
      const ended = id === PRIMARY_VMID ? platform : undefined;
      return { name: this.vmName(id), vmid: id, state: ended === undefined ? state : 'EXITED', exit: ended ?? own, instructions: this.system.retiredByVm(id) };
    });
  }

  /** How the primary VM ended, and everything with it: RM is not there to see that. */
  private platformExit(): { reason: string; code: number } | undefined {
    const { end } = this.system;
    if (end?.kind === 'power') return { reason: end.action === 'off' ? 'PLATFORM_OFF' : 'PLATFORM_RESET', code: 0 };
    return end?.kind === 'exit' ? { reason: 'SEMIHOSTING_EXIT', code: end.code } : undefined;
  }

  vmidOf(vcpu: number): number | undefined {
    return this.gunyah.threadOfVcpu(vcpu)?.vmid;
  }

  vmNameOf(vcpu: number): string | undefined {
    const id = this.vmidOf(vcpu);
    return id === undefined ? undefined : this.vmName(id);
  }

  spaceDevices(): readonly BoardWindow[] {
    return (this.devices.space?.devices ?? []).map(({ name, base, sizeBytes }) => ({ name, base, sizeBytes }));
  }

  vmName(id: number): string {
    if (id === PRIMARY_VMID) return this.system.description.vms[0]?.name ?? 'primary';
    if (id === 0) return 'hypervisor';
    if (id === 255) return 'resource-manager';
    const name = this.resourceManager.nameOf(vmid(id)) ?? '';
    return name === '' ? `vm${id}` : name;
  }

  /** VMID of a VM of the description; undefined before RM made it. */
  private vmidOfName(name: string | undefined): Vmid | undefined {
    if (name === this.system.description.vms[0]?.name) return vmid(PRIMARY_VMID);
    return name === undefined ? undefined : this.resourceManager.vmidOf(name);
  }

  /** What the description chooses for a VM; VMs that others make have the choice for all. */
  private servicesOf(id: number): ServiceSettings {
    const name = this.vmName(id);
    return this.system.description.vms.find((vm) => vm.name === name)?.services ?? this.system.description.services ?? GUNYAH_SERVICES;
  }

  semihostingVm(vcpu: number): SemihostingVm {
    const name = this.vmNameOf(vcpu);
    const index = Math.max(0, this.consoles.findIndex(({ vm }) => vm === name));
    return {
      id: this.vmidOf(vcpu) ?? 0,
      commandLine: commandLineOf(this.system.description.vms[index]),
      heap: this.heaps[index] ?? { base: 0n, end: 0n },
      print: (bytes) => { for (const byte of bytes) this.transmit(index, byte); },
      takeInput: (countMax) => this.consoles[index]?.takeInput?.(countMax) ?? new Uint8Array(0),
    };
  }

  setTime(now: Parameters<TickEventQueue['restart']>[0]): void {
    this.events.restart(now);
  }

  save(): unknown {
    return { hypervisor: this.gunyah.save(), devices: this.devices.save(), lines: this.lines.map((line) => Uint8Array.from(line)) };
  }

  restore(saved: unknown): void {
    const { hypervisor, devices, lines } = saved as { hypervisor: ReturnType<Hypervisor['save']>; devices: SavedBoardDevices; lines: Uint8Array[] };
    this.gunyah.restore(hypervisor);
    this.devices.restore(devices);
    for (const [index, line] of lines.entries()) this.lines[index] = [...line];
  }

  /** The primary VM takes the platform with it: RM is not there to see its end. */
  private endPlatform(action: 'off' | 'reset'): void {
    const name = this.vmName(PRIMARY_VMID);
    const change = (from: string, to: string): void => { this.observe({ event: 'vm-state', tick: this.events.now, vmid: vmid(PRIMARY_VMID), name, from, to }); };
    change('RUNNING', 'EXITED');
    if (action === 'reset') change('EXITED', 'RESET');
    this.system.endWith({ kind: 'power', action });
  }

  private observe(event: TraceEvent): void {
    const isAsked = (this.system.hasEventFilter || event.event === 'report') && event.vcpu !== undefined;
    const thread = isAsked ? this.gunyah.threads.find((one) => one.vmid === event.vmid && one.vcpuIndex === event.vcpu) : undefined;
    this.system.emit(event, thread?.engineVcpu ?? null);
  }

  private transmit(index: number, byte: number): void {
    this.consoles[index]?.transcript.put(byte);
    const line = this.lines[index] ?? [];
    line.push(byte);
    if (byte !== 10 && line.length < CONSOLE_LINE_MAX) return;
    this.lines[index] = [];
    const id = this.vmidOfName(this.consoles[index]?.vm);
    if (id !== undefined) this.system.emit({ event: 'console', tick: this.events.now, vmid: id, text: String.fromCharCode(...line) }, null);
  }
}

function accessBus(bus: Bus, address: Pa, access: { readonly sizeBytes: number; readonly isWrite: boolean; readonly value: bigint }): bigint | undefined {
  const result = access.isWrite ? bus.write(address, access.sizeBytes, access.value) : bus.read(address, access.sizeBytes);
  return result.outcome === 'done' ? result.value : undefined;
}

/** Puts images and trees into RAM and describes them to RM. */
class BootLoader {
  private readonly engine: Engine;
  private next: bigint;
  private readonly end: bigint;
  private readonly layout: MemoryLayout;
  private readonly description: SystemDescription;

  constructor(engine: Engine, layout: MemoryLayout, description: SystemDescription) {
    this.engine = engine;
    this.layout = layout;
    this.description = description;
    this.next = layout.free.base;
    this.end = layout.free.base + layout.free.sizeBytes;
  }

  load(planned: readonly PlannedVm[]): { vms: PlatformVm[]; free: Range } {
    const vms = planned.map((vm, index) => (index === 0 ? this.primary(vm) : this.secondary(vm, index)));
    const base = (this.next + 0x1f_ffffn) & ~0x1f_ffffn;
    return { vms, free: { base, sizeBytes: this.end - base } };
  }

  private primary({ vm, ram, placement, tree }: PlannedVm): PlatformVm {
    const isFirmware = placement.image.kind === 'firmware';
    const { flash } = this.layout;
    for (const segment of placement.image.segments) this.engine.memory.write(pa(segment.address + (isFirmware ? flash.base : 0n)), segment.bytes);
    if (vm.firmware?.variables !== undefined) this.engine.memory.write(pa(flash.base + BigInt(BOARD_FLASH.bankBytes)), vm.firmware.variables);
    this.engine.memory.write(pa(placement.deviceTree.base), tree);
    if (vm.ramdisk !== undefined && placement.ramdisk !== undefined) this.engine.memory.write(pa(placement.ramdisk.base), vm.ramdisk);
    const hasFlash = vm.firmware === undefined ? {} : { flash: { source: flash.base, sizeBytes: flash.sizeBytes, ipa: BigInt(BOARD_FLASH.base) } };
    return { ...this.common(vm, { ram, placement, index: 0 }), ...hasFlash, segments: [], deviceTree: this.treeOf(placement, placement.deviceTree.base, tree) };
  }

  private secondary({ vm, ram, placement, tree }: PlannedVm, index: number): PlatformVm {
    const segments = placement.image.segments.map(({ address, bytes }) => ({ ipa: address, source: this.stage(bytes), sizeBytes: BigInt(bytes.length) }));
    if (vm.ramdisk !== undefined && placement.ramdisk !== undefined) segments.push({ ipa: placement.ramdisk.base, source: this.stage(vm.ramdisk), sizeBytes: BigInt(vm.ramdisk.length) });
    return { ...this.common(vm, { ram, placement, index }), segments: segments.filter(({ sizeBytes }) => sizeBytes > 0n), deviceTree: this.treeOf(placement, this.stage(tree), tree) };
  }

  private common(vm: VmDescription, { ram, placement, index }: { ram: Range; placement: VmPlacement; index: number }): Omit<PlatformVm, 'segments' | 'deviceTree'> {
    return {
      name: vm.name,
      primary: index === 0,
      isPlain: this.description.identity === 'none',
      vcpuCount: vm.vcpuCount,
      ramBase: ram.base,
      ramSizeBytes: ram.sizeBytes,
      entry: placement.entry,
      context: placement.context,
      devices: deviceWindows(this.description, index),
      autostart: index === 0 || vm.autostart,
    };
  }

  private treeOf(placement: VmPlacement, source: bigint, tree: Uint8Array): PlatformVm['deviceTree'] {
    return { source, sizeBytes: BigInt(tree.length), ipa: placement.deviceTree.base, roomBytes: placement.deviceTree.sizeBytes };
  }

  /** Puts bytes where RM finds them; they stay, so that a VM can be started again. */
  private stage(bytes: Uint8Array): bigint {
    const at = this.next;
    this.engine.memory.write(pa(at), bytes);
    this.next = (at + BigInt(bytes.length) + PAGE - 1n) & ~(PAGE - 1n);
    return at;
  }
}

/** A thread of the hypervisor, for inspection. */
export type { Thread };

/** A hypervisor over the real engine for tests: a root VM that the test drives, VMs made by its hypercalls, calls by registers. */

import assert from 'node:assert/strict';
import { CAP_ID_INVALID, type CapId, capId, ipa, pa, ticks } from '../../runtime/base/brands';
import type { TraceEvent } from '../../runtime/base/trace-event';
import { createEngine, type Engine } from '../../runtime/engine';
import { type ErrorName, ERRORS } from '../../runtime/hypervisor/errors';
import { type Hypercall, HYPERCALLS, type HypercallName } from '../../runtime/hypervisor/hypercall-table';
import { createHypervisor, type Hypervisor, type Thread } from '../../runtime/hypervisor/hypervisor';
import type { RootVm } from '../../runtime/hypervisor/interface';
import type { ServiceSettings } from '../../runtime/hypervisor/service-registers';
import { TickEventQueue } from '../../runtime/machine/event-queue';

/** The platform's RAM. */
export const RAM_BASE = 0x4000_0000n;
export const RAM_SIZE = 64 * 1024 * 1024;
const HEAP_SIZE = 8 * 1024 * 1024;
const RAM_END = RAM_BASE + BigInt(RAM_SIZE);
/** Attributes of a mapping: EL0 and EL1 RWX, normal write-back. */
export const MAP_RWX = 0x0f_0077;

/** Capabilities and thread of a VM that a test made; all ids are the root VM's unless named `own…`. */
export interface TestVm {
  readonly thread: Thread;
  readonly cspace: CapId;
  readonly addrspace: CapId;
  readonly vic: CapId;
  readonly vcpu: CapId;
  readonly vpm: CapId;
  readonly memory: CapId;
  readonly memoryBase: bigint;
}

/** How a VM is made. */
export interface TestVmOptions { readonly vmid?: number; readonly cpu?: number | 'none'; readonly proxy?: boolean; readonly options?: bigint; readonly withVpm?: boolean; readonly priority?: number; readonly noAggregation?: boolean; readonly beforeActivation?: (vcpu: CapId) => void }

/** A platform with a root VM whose calls the test makes. */
export class Fixture {
  readonly engine: Engine;
  readonly events = new TickEventQueue();
  readonly hypervisor: Hypervisor;
  readonly trace: TraceEvent[] = [];
  readonly power: string[] = [];
  readonly devices: { readonly address: bigint; readonly isWrite: boolean; readonly value: bigint }[] = [];
  readonly interrupts: number[] = [];
  /** True if the platform has watchdogs, which the reference build leaves out. */
  readonly isWatchdogOn: boolean;
  private readonly maxCaps: number;
  private rootVm: RootVm | undefined;
  private nextBase = RAM_BASE + 0x100_0000n;

  constructor(options: { readonly watchdog?: boolean; readonly maxCaps?: number; readonly vcpuCountMax?: number; readonly cpuCount?: number; readonly capabilityEncoding?: 'plain' | 'random'; readonly heapSize?: number; readonly identity?: 'gunyah' | 'gunyah-legacy' | 'none'; readonly services?: (vmid: number) => ServiceSettings } = {}) {
    this.isWatchdogOn = options.watchdog ?? false;
    this.maxCaps = options.maxCaps ?? 64;
    const vcpuCountMax = options.vcpuCountMax ?? 16;
    const heapSize = options.heapSize ?? HEAP_SIZE;
    this.engine = createEngine({ ram: [{ base: pa(RAM_BASE), sizeBytes: RAM_SIZE }], vcpuCountMax, counterShift: 4 });
    this.hypervisor = createHypervisor({
      engine: this.engine, events: this.events, cpuCount: options.cpuCount ?? 2, trace: (event) => { this.trace.push(event); }, seed: 7,
      heap: { base: RAM_END - BigInt(heapSize), sizeBytes: BigInt(heapSize) }, vcpuCountMax, hardwareInterrupts: [20, 33, 34],
      capabilityEncoding: options.capabilityEncoding ?? 'plain', identity: options.identity ?? 'gunyah', watchdog: this.isWatchdogOn, onPlatformPower: (action) => { this.power.push(action); },
      ...(options.services === undefined ? {} : { services: options.services }),
      deviceAccess: (address, access) => {
        this.devices.push({ address, isWrite: access.isWrite, value: access.value });
        return 0x5an;
      },
    });
    const thread = this.hypervisor.bootRootVm({
      start: (vm) => { this.rootVm = vm; }, interrupt: (virq) => { this.interrupts.push(virq); }, work: () => false, save: () => null, restore: () => undefined,
    }, {
      privateBase: RAM_BASE, privateSizeBytes: 0x10_0000n, freeRanges: [{ base: RAM_BASE + 0x10_0000n, sizeBytes: 0x200_0000n }], bootCpu: 0, timerFrequencyHz: 62_500_000, vms: [],
    });
    assert.equal(this.hypervisor.pick(0), thread);
    this.hypervisor.runNative(thread);
  }

  get root(): RootVm {
    assert.ok(this.rootVm);
    return this.rootVm;
  }

  /** Calls as the root VM and expects an error name; returns the outputs. */
  rootCall(name: HypercallName, args: Record<string, bigint | number>, error: ErrorName = 'OK'): Record<string, bigint | number> {
    const call = this.root.hypercall.bind(this.root) as (name: HypercallName, args: unknown) => Record<string, bigint | number>;
    const result = call(name, args);
    assert.equal(result['error'], ERRORS[error], `${name} answers ${String(result['error'])}`);
    return result;
  }

  create(type: string): CapId {
    const { partition, cspace } = this.root.environment;
    return capId(BigInt(this.rootCall(`partition_create_${type}` as HypercallName, { src_partition: partition, cspace })['new_cap'] ?? CAP_ID_INVALID));
  }

  activate(cap: CapId, error: ErrorName = 'OK'): void {
    this.rootCall('object_activate', { cap }, error);
  }

  /** A sparse extent under the root's, with memory donated to it. */
  makeMemory(size: bigint, base = this.takeBase(size)): { readonly cap: CapId; readonly base: bigint } {
    const { memoryExtent, memoryBase } = this.root.environment;
    const cap = this.create('memextent');
    this.rootCall('memextent_configure_derive', { memextent: cap, parent_memextent: memoryExtent, offset: base - memoryBase, size, attributes: 0x1_0007 });
    this.activate(cap);
    this.rootCall('memextent_donate', { options: 0, from: memoryExtent, to: cap, offset: 0n, size });
    return { cap, base };
  }

  takeBase(size: bigint): bigint {
    const base = this.nextBase;
    this.nextBase += (size + 0x1f_ffffn) & ~0x1f_ffffn;
    return base;
  }

  /** A VM with one vCPU, 1 MiB of RAM at IPA 0x80000000, powered off. */
  makeVm({ vmid = 10, cpu = 0, proxy = false, options = 0n, withVpm = true, priority = 32, noAggregation = false, beforeActivation }: TestVmOptions = {}): TestVm {
    const [cspace, addrspace, vic, vcpu, vpm] = [this.create('cspace'), this.create('addrspace'), this.create('vic'), this.create('thread'), this.create('vpm_group')];
    this.rootCall('cspace_configure', { cspace, max_caps: this.maxCaps });
    this.activate(cspace);
    this.rootCall('addrspace_configure', { addrspace, vmid });
    this.activate(addrspace);
    this.rootCall('vic_configure', { vic, max_vcpus: 2, max_virqs: 64, vic_options: 2n, max_msis: 0 });
    this.activate(vic);
    this.rootCall('vpm_group_configure', { vpm_group: vpm, flags: noAggregation ? 1n : 0n });
    this.activate(vpm);
    const before = new Set(this.hypervisor.threads);
    this.rootCall('cspace_attach_thread', { cspace, thread: vcpu });
    this.rootCall('addrspace_attach_thread', { addrspace, thread: vcpu });
    this.rootCall('vic_attach_vcpu', { vic, vcpu, index: 0 });
    if (withVpm) this.rootCall('vpm_group_attach_vcpu', { vpm_group: vpm, vcpu, index: 0 });
    this.rootCall('vcpu_configure', { vcpu, vcpu_options: options | (proxy ? 1n << 9n : 0n) });
    this.rootCall('vcpu_set_priority', { vcpu, priority });
    if (cpu !== 'none') this.rootCall('vcpu_set_affinity', { vcpu, affinity: cpu });
    beforeActivation?.(vcpu);
    this.activate(vcpu);
    const memory = this.makeMemory(0x10_0000n);
    this.rootCall('addrspace_map', { addrspace, memextent: memory.cap, vbase: 0x8000_0000n, map_attrs: MAP_RWX, map_flags: 0, offset: 0n, size: 0n });
    const thread = [...before].find((candidate) => candidate.vmid === vmid);
    assert.ok(thread);
    return { thread, cspace, addrspace, vic, vcpu, vpm, memory: memory.cap, memoryBase: memory.base };
  }

  powerOn(vm: TestVm, entry = 0x8000_0000n, context = 0n): void {
    this.rootCall('vcpu_poweron', { vcpu: vm.vcpu, entry_point: entry, context, flags: 0n });
  }

  /** Copies a capability of the root into a VM's cspace with given rights. */
  give(vm: TestVm, cap: CapId, rights: number): CapId {
    return capId(BigInt(this.rootCall('cspace_copy_cap_from', { src_cspace: this.root.environment.cspace, src_cap: cap, dest_cspace: vm.cspace, rights_mask: rights })['new_cap'] ?? 0n));
  }

  vcpu(thread: Thread): ReturnType<Engine['vcpu']> {
    assert.ok(thread.engineVcpu !== undefined);
    return this.engine.vcpu(thread.engineVcpu);
  }

  /** An HVC of a VM with an immediate; registers X0.. in, X0..X17 out. */
  hvc(thread: Thread, immediate: number, ...registers: readonly bigint[]): bigint[] {
    const vcpu = this.vcpu(thread);
    for (let n = 0; n <= 17; n++) vcpu.setX(n, registers[n] ?? 0n);
    this.hypervisor.handleExit(thread, { reason: 'hvc', immediate });
    return Array.from({ length: 18 }, (_, n) => vcpu.x(n));
  }

  /** A hypercall on the native path; reserved arguments are filled in where the caller gives fewer. */
  native(thread: Thread, name: HypercallName, ...args: readonly bigint[]): bigint[] {
    const row: Hypercall = HYPERCALLS[name];
    assert.ok(row.number !== null);
    const registers = row.inputs.map((input, n) => args[n] ?? input.mustBe ?? 0n);
    return this.hvc(thread, 0x6000 + row.number, ...registers);
  }

  /** A call by SMCCC over HVC. */
  smccc(thread: Thread, id: number, ...args: readonly bigint[]): bigint[] {
    return this.hvc(thread, 0, BigInt(id >>> 0), ...args);
  }

  /** Lets virtual time pass. */
  advance(by: number): void {
    this.events.advance(ticks(this.events.now + by));
  }

  /** Runs CPUs in turn until nobody wants to run or the limit of steps is reached. */
  run(steps = 1000, budget = 1000): void {
    for (let step = 0; step < steps; step++) {
      let isIdle = true;
      for (let cpu = 0; cpu < 2; cpu++) {
        const thread = this.hypervisor.pick(cpu);
        if (thread === undefined) continue;
        isIdle = false;
        if (thread.kind === 'native') {
          const took = this.hypervisor.runNative(thread);
          this.hypervisor.account(thread, took);
          this.advance(took);
          continue;
        }
        const { retired, exit } = this.engine.run(thread.engineVcpu ?? 0, { budget, tickNow: this.events.now });
        this.advance(retired);
        this.hypervisor.account(thread, retired);
        this.advance(this.hypervisor.handleExit(thread, exit));
      }
      if (isIdle) return;
    }
  }

  /** Writes machine code to a VM's RAM. */
  load(vm: TestVm, words: readonly number[], offset = 0): void {
    words.forEach((word, n) => { this.engine.memory.writeU32(pa(vm.memoryBase + BigInt(offset + n * 4)), word); });
  }

  ipa(value: bigint): ReturnType<typeof ipa> {
    return ipa(value);
  }
}

/** Result error code as a signed number. */
export const errorOf = (registers: readonly bigint[]): number => Number(BigInt.asIntN(32, registers[0] ?? 0n));

/**
 * The root VM: how it is built at boot, and its native vCPU, which runs a TypeScript program instead of machine code.
 *
 * The program gets what a VM gets: its capabilities, its memory through its own stage 2, its interrupts. Its interrupt driver is here: group 1
 * on, every shared interrupt enabled and edge-triggered, acknowledge and end around each call of the program.
 */

import { assert, present } from '../base/assert';
import { type CapId, type Ipa, type Ticks, virqNumber, vmid } from '../base/brands';
import { err, ok, type Result } from '../base/result';
import { Addrspace } from './addrspace';
import { Cspace } from './cspace';
import { callNamed } from './hypercalls';
import type { HypercallArguments, HypercallName, HypercallOutputs } from './hypercall-table';
import { activate } from './hypercalls-objects';
import type { RootVm, RootVmEnvironment, RootVmProgram, UntimedTraceEvent } from './interface';
import type { AnyObject, CreatableType, Kernel } from './kernel';
import { Memextent } from './memextent';
import { allRights } from './rights';
import { Thread } from './thread';
import { translateIpa } from './user-memory';
import { hasDeliverable, powerOn } from './vcpu';
import { VicObject } from './vic-object';

/** VMID of the root VM. */
export const ROOT_VMID = 255;
const ROOT_CAPABILITIES = 2048;
/** The reference build has 64; RM needs one for each vCPU, and 16 VMs have up to 8. */
const ROOT_VIRQS = 256;
const SPURIOUS = 1020;
/** Virtual time that one step of the program takes. */
export const NATIVE_STEP_TICKS = 2000;
/** Longest single read or write by the program. */
const ACCESS_SIZE_MAX = 256 * 1024 * 1024;

/** The parts of the hand-over that only the platform knows. */
export type RootVmExtras = Pick<RootVmEnvironment, 'privateBase' | 'privateSizeBytes' | 'freeRanges' | 'bootCpu' | 'timerFrequencyHz' | 'vms' | 'unwiredInterrupts'>;

/** The root VM's pieces as the hypervisor holds them. */
export interface RootVmParts { readonly thread: Thread; readonly environment: RootVmEnvironment }

/** Builds the root VM's objects and capabilities. */
export function buildRootVm(kernel: Kernel, extras: RootVmExtras): RootVmParts {
  const cspace = make(kernel, 'cspace', Cspace);
  assert(cspace.configure(ROOT_CAPABILITIES) === 'OK', 'the root capability space is valid');
  succeed(kernel, cspace);
  const grant = (object: AnyObject): CapId => kernel.grant(cspace, { object, rights: allRights(object.header.type), master: true, state: 'valid' });
  const addrspace = make(kernel, 'addrspace', Addrspace);
  addrspace.configure(ROOT_VMID);
  succeed(kernel, addrspace);
  const vic = make(kernel, 'vic', VicObject);
  kernel.follow(vic);
  assert(vic.vic.configure(1, ROOT_VIRQS, 2n, 0) === 'OK', 'the root interrupt controller is valid');
  succeed(kernel, vic);
  const memory = makeMemory(kernel, addrspace);
  const device = makeDeviceSpace(kernel);
  const thread = makeThread(kernel, { cspace, addrspace, vic }, extras.bootCpu);
  const hardwareInterrupts = new Map<number, CapId>();
  const environment: RootVmEnvironment = {
    ...extras, vmid: vmid(ROOT_VMID), cspace: grant(cspace), partition: grant(kernel.partition), vcpu: grant(thread), addrspace: grant(addrspace), vic: grant(vic),
    memoryExtent: grant(memory), memoryBase: BigInt(memory.firstPage) << 12n, memorySizeBytes: BigInt(memory.pageCount) << 12n,
    deviceExtent: grant(device), deviceBase: BigInt(device.firstPage) << 12n, deviceSizeBytes: BigInt(device.pageCount) << 12n,
    hardwareInterrupts, cpuCount: kernel.scheduler.cpuCount, hasWatchdog: kernel.options.watchdog,
  };
  for (const hwirq of kernel.ofType('hwirq')) hardwareInterrupts.set(hwirq.intid, grant(hwirq));
  return { thread, environment };
}

function make<T extends AnyObject>(kernel: Kernel, type: CreatableType, constructor: new (...args: never[]) => T): T {
  const object = present(kernel.create(type), 'the heap is too small for the root VM');
  assert(object instanceof constructor, 'creation makes the type that was asked for');
  return object;
}

function succeed(kernel: Kernel, object: AnyObject): void {
  const error = activate(kernel, object);
  assert(error === 'OK', `the root VM's ${object.header.type} does not activate: ${error}`);
}

/** All RAM that is not the hypervisor's, in one sparse extent that is mapped where it lies. It begins at 0, so that offsets in it are addresses. */
function makeMemory(kernel: Kernel, addrspace: Addrspace): Memextent {
  const owned = kernel.ramRanges().flatMap((range) => kernel.memdb.ownedRuns(range, kernel.partition.header.id));
  const end = present(owned[owned.length - 1], 'there is RAM for the root VM').end;
  const extent = make(kernel, 'memextent', Memextent);
  extent.define({ first: 0, pageCount: end }, { access: 7, memoryType: 'any', kind: 'sparse' }, undefined);
  succeed(kernel, extent);
  for (const run of owned) extent.moveFrom(kernel.partition, run);
  const error = extent.map(addrspace, 0, { kernel: 6, user: 6, memoryType: 0xf }, { first: 0, pageCount: extent.pageCount });
  assert(error === 'OK', `the root VM's memory does not map: ${error}`);
  return extent;
}

function makeDeviceSpace(kernel: Kernel): Memextent {
  const { base, sizeBytes } = kernel.options.deviceSpace;
  const extent = make(kernel, 'memextent', Memextent);
  const window = { first: Number(base >> 12n), pageCount: Number(sizeBytes >> 12n) };
  extent.define(window, { access: 6, memoryType: 'device', kind: 'sparse' }, undefined);
  if (window.pageCount > 0) succeed(kernel, extent);
  return extent;
}

function makeThread(kernel: Kernel, links: { readonly cspace: Cspace; readonly addrspace: Addrspace; readonly vic: VicObject }, bootCpu: number): Thread {
  const thread = make(kernel, 'thread', Thread);
  thread.kind = 'native';
  thread.cspace = links.cspace;
  thread.addrspace = links.addrspace;
  thread.vic = { object: links.vic, index: 0 };
  thread.affinity = bootCpu;
  links.addrspace.threadCount++;
  for (const link of [links.cspace, links.addrspace, links.vic]) link.header.get();
  succeed(kernel, thread);
  return thread;
}

/** What the root VM's interrupt driver does once: everything in group 1, enabled, edge-triggered. */
function enableInterrupts({ vic }: VicObject): void {
  const gic = present(vic.model, 'the root interrupt controller is active');
  const write = (offset: number, value: bigint): void => {
    assert(gic.writeDistributor(0, { offset, sizeBytes: 4, value }), 'the root interrupt driver writes registers that exist');
  };
  write(0, 3n);
  for (let word = 1; word <= ROOT_VIRQS / 32; word++) write(0x80 + word * 4, 0xffff_ffffn);
  for (let word = 2; word < 2 + ROOT_VIRQS / 16; word++) write(0xc00 + word * 4, 0xaaaa_aaaan);
  for (let word = 1; word <= ROOT_VIRQS / 32; word++) write(0x100 + word * 4, 0xffff_ffffn);
  vic.writeSystemRegister(0, 'ICC_PMR_EL1', 0xf8n);
  vic.writeSystemRegister(0, 'ICC_IGRPEN1_EL1', 1n);
}

/** The native vCPU: the program and what it sees. */
export class RootVmRunner implements RootVm {
  readonly environment: RootVmEnvironment;
  readonly thread: Thread;
  private readonly kernel: Kernel;
  private readonly program: RootVmProgram;
  private isStarted = false;

  constructor(kernel: Kernel, parts: RootVmParts, program: RootVmProgram) {
    this.kernel = kernel;
    this.thread = parts.thread;
    this.environment = parts.environment;
    this.program = program;
  }

  /** Powers the vCPU on; the program starts when it is scheduled. */
  powerOn(): void {
    powerOn(this.kernel, this.thread, { entry: undefined, context: undefined });
  }

  /** One step of the program: start, one interrupt, or one unit of work; else the vCPU waits. Answers the time it took. */
  step(): number {
    if (!this.isStarted) {
      this.isStarted = true;
      enableInterrupts(present(this.thread.vic, 'the root vCPU has an interrupt controller').object);
      this.program.start(this);
      return NATIVE_STEP_TICKS;
    }
    if (this.takeInterrupt() || this.program.work()) return NATIVE_STEP_TICKS;
    if (!hasDeliverable(this.thread)) this.kernel.scheduler.block(this.thread, 'VCPU_WFI');
    return NATIVE_STEP_TICKS;
  }

  get now(): Ticks {
    return this.kernel.now;
  }

  hypercall<N extends HypercallName>(name: N, args: HypercallArguments<N>): HypercallOutputs<N> {
    return callNamed(this.kernel, this.thread, name, args);
  }

  read(address: Ipa, sizeBytes: number): Result<Uint8Array, 'abort'> {
    if (sizeBytes > ACCESS_SIZE_MAX) return err('abort');
    const bytes = new Uint8Array(sizeBytes);
    const isDone = this.eachPage(address, sizeBytes, 'read', (at, offset, count) => { bytes.set(this.kernel.engine.memory.read(at, count), offset); });
    return isDone ? ok(bytes) : err('abort');
  }

  write(address: Ipa, bytes: Uint8Array): Result<void, 'abort'> {
    const isDone = this.eachPage(address, bytes.length, 'write', (at, offset, count) => { this.kernel.engine.memory.write(at, bytes.subarray(offset, offset + count)); });
    return isDone ? ok(undefined) : err('abort');
  }

  random(): number {
    return this.kernel.prng.nextU32();
  }

  trace(event: UntimedTraceEvent): void {
    if (this.kernel.tracing) this.kernel.emit(event);
  }

  platformPower(action: 'off' | 'reset'): void {
    this.kernel.options.onPlatformPower(action);
  }

  save(): SavedRunner {
    return { isStarted: this.isStarted, program: this.program.save() };
  }

  restore(saved: SavedRunner): void {
    this.isStarted = saved.isStarted;
    this.program.restore(saved.program, this);
  }

  private takeInterrupt(): boolean {
    const { object, index } = present(this.thread.vic, 'the root VM has an interrupt controller');
    const intid = object.vic.readSystemRegister(index, 'ICC_IAR1_EL1');
    if (intid === 'undefined' || intid >= BigInt(SPURIOUS)) return false;
    this.program.interrupt(virqNumber(Number(intid)));
    object.vic.writeSystemRegister(index, 'ICC_EOIR1_EL1', intid);
    return true;
  }

  private eachPage(address: Ipa, sizeBytes: number, direction: 'read' | 'write', visit: (at: Parameters<Kernel['engine']['memory']['write']>[0], offset: number, count: number) => void): boolean {
    for (let offset = 0; offset < sizeBytes;) {
      const from = address + BigInt(offset);
      const count = Math.min(4096 - Number(from & 0xfffn), sizeBytes - offset);
      const at = translateIpa(this.kernel, this.thread, from, direction);
      if (typeof at === 'string') return false;
      visit(at, offset, count);
      offset += count;
    }
    return true;
  }
}

/** Saved form: the program's own state inside. */
export interface SavedRunner { readonly isStarted: boolean; readonly program: unknown }

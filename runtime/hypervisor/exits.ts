/**
 * What the hypervisor does when a vCPU leaves the engine: calls, waiting, system registers, device accesses and stage-2 faults.
 *
 * An access that nothing emulates becomes a synchronous external abort at EL1, with the fault address but no details, as the
 * reference build injects it.
 */

import { pa, va, vmid } from '../base/brands';
import type { DevicePart, Exit, GuestAccess } from '../engine/interface';
import { announced, isMissing, isUnknownToBoard, readClusterRegister } from './board-registers';
import { counterAt } from './hypercalls-vrtc';
import { callBySmccc, callNative, NATIVE_BASE, NATIVE_COUNT } from './hypercalls';
import type { Kernel } from './kernel';
import { callKvm } from './kvm-services';
import { callPlain } from './plain-calls';
import { callSmccc, hypercallNumberOf } from './smccc';
import type { Thread } from './thread';
import type { VirtioMmio } from './virtio-mmio';
import type { Vrtc } from './vrtc';
import { DEVICE_PAGES } from './pgtable';
import { dataSyndrome, type FaultDetails, instructionAt, instructionSyndrome, registerSyndrome } from './trap-syndrome';
import { haltThread, isCritical, waitForInterrupt } from './vcpu';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const ZERO_REGISTER = 31;
const IL = 1n << 25n;
const EC_UNKNOWN = 0n;
const EC_INSTRUCTION_ABORT = 0x20n;
const EC_DATA_ABORT = 0x24n;
const FSC_EXTERNAL = 0x10n;
/** External abort on a walk; bits 1:0 are the level, level -1 has a code of its own. */
const FSC_WALK = 0x14n;
const FSC_WALK_BELOW_0 = 0x13n;
const WNR = 1n << 6n;
const MAINTENANCE = 1n << 8n;
/** The vector for synchronous exceptions from EL1h, and its length. */
const VECTOR_SYNC_EL1H = 0x200n;
const VECTOR_SIZE = 0x80n;
const NZCV = 0xf000_0000n;
/** Bytes of DC ZVA. */
const ZVA_BYTES = 64;
const PAGE_SIZE = 4096;
const PAGE_MASK = 0xfffn;
/** RAM begins here. */
const DEVICE_SPACE_END = BigInt(DEVICE_PAGES) << 12n;

type ExitOf<R extends Exit['reason']> = Extract<Exit, { readonly reason: R }>;

/** A load from or store to a platform device by physical address; `undefined` refuses it (external abort). Loads answer the value. */
export type DeviceAccess = (pa: ExitOf<'mmio'>['pa'], access: GuestAccess) => bigint | undefined;

/** What is outside the hypervisor: platform devices, and what else the primary VM finds in device space, where nothing is mapped for it. */
export interface Outside { readonly device: DeviceAccess; readonly space: DeviceAccess }

/** Handles one exit. Reasons that concern the debugger only are left alone. */
export function handleExit(kernel: Kernel, thread: Thread, exit: Exit, outside: Outside): void {
  switch (exit.reason) {
    case 'hvc': return call(kernel, thread, exit.immediate, false);
    case 'smc':
      if (isPlain(kernel)) return injectUndefined(kernel, thread);
      skip(kernel, thread);
      return call(kernel, thread, exit.immediate, true);
    case 'wfi': return waitForInterrupt(kernel, thread);
    case 'system-register': return systemRegister(kernel, thread, exit);
    case 'mmio': return mmio(kernel, thread, exit, outside.device);
    case 'stage2-data-abort': return dataAbort(kernel, thread, exit, outside.space);
    case 'stage2-instruction-abort':
      if (askForPage(kernel, thread, { fault: exit.fault, ipa: exit.ipa, isWrite: false })) return;
      logAbort(kernel, thread, { syndrome: instructionSyndrome(exit), va: exit.va, ipa: exit.ipa });
      traceFault(kernel, thread, { va: exit.va, ipa: exit.ipa, access: 'execute' });
      return injectAbort(kernel, thread, { exceptionClass: EC_INSTRUCTION_ABORT, far: exit.va, isWrite: false, stage1Level: exit.stage1Level });
    case 'hlt': return injectUndefined(kernel, thread);
    case 'budget':
    case 'breakpoint':
    case 'watchpoint':
    case 'exception':
    case 'fault-loop':
    case 'unsupported':
      return;
  }
}

function index(thread: Thread): number {
  return thread.engineVcpu ?? 0;
}

function skip(kernel: Kernel, thread: Thread): void {
  kernel.engine.skipInstruction(index(thread));
  kernel.retired++;
}

/** A machine without a hypervisor, and without EL3: SMC is Undefined, HVC reaches its firmware. */
function isPlain(kernel: Kernel): boolean {
  return kernel.options.identity === 'none';
}

/** HVC and SMC; PC is after the instruction. */
function call(kernel: Kernel, thread: Thread, immediate: number, isSmc: boolean): void {
  if (isPlain(kernel)) return callPlain(kernel, thread);
  const vcpu = kernel.engine.vcpu(index(thread));
  if (kernel.services.of(thread.vmid).personality === 'kvm') return callKvm({ kernel, thread, vcpu, immediate, isSmc });
  const number = immediate - NATIVE_BASE;
  if (!isSmc && number >= 0 && number < NATIVE_COUNT) return callNative(kernel, thread, vcpu, number);
  if (immediate !== 0) {
    vcpu.setX(0, ALL_ONES);
    if (kernel.tracing) kernel.emit({ event: 'hypercall-unknown', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, number: immediate, path: 'native' });
    return;
  }
  const id = Number(vcpu.x(0) & 0xffff_ffffn);
  const hypercall = hypercallNumberOf(id & ~0x1_0000);
  if (hypercall !== undefined) callBySmccc(kernel, thread, vcpu, hypercall);
  else callSmccc({ kernel, thread, vcpu, id, isSmc });
}

function systemRegister(kernel: Kernel, thread: Thread, exit: ExitOf<'system-register'>): void {
  const access = isPlain(kernel) ? accessSystemRegister : accessGuestRegister;
  const value = access(kernel, thread, exit);
  if (value === undefined) {
    if (!isUnknownToBoard(exit)) logUnhandled(kernel, thread, registerSyndrome(exit));
    return injectUndefined(kernel, thread);
  }
  kernel.engine.completeSystemRegister(index(thread), value);
  kernel.retired++;
}

/** As a guest of Gunyah sees the registers of its board. */
function accessGuestRegister(kernel: Kernel, thread: Thread, exit: ExitOf<'system-register'>): bigint | undefined {
  if (isMissing(exit.name)) return undefined;
  // The hypervisor completes this read without a value.
  if (exit.name === 'MDCCINT_EL1' && !exit.isWrite) return exit.rt === ZERO_REGISTER ? 0n : kernel.engine.vcpu(index(thread)).x(exit.rt);
  return readClusterRegister(exit.name, kernel.scheduler.cpuCount) ?? announced(exit.name, accessSystemRegister(kernel, thread, exit));
}

function accessSystemRegister(kernel: Kernel, thread: Thread, exit: ExitOf<'system-register'>): bigint | undefined {
  return exit.isWrite ? writeSystemRegister(kernel, thread, exit) : readSystemRegister(kernel, thread, exit.name);
}

function readSystemRegister(kernel: Kernel, thread: Thread, name: string): bigint | undefined {
  if (name.startsWith('ICC_')) {
    kernel.monitors.get(thread.header.id)?.monitors.wake();
    const value = thread.vic?.object.vic.readSystemRegister(thread.vic.index, name);
    return value === 'undefined' ? undefined : value;
  }
  if (name === 'RNDR' || name === 'RNDRRS') return randomNumber(kernel, thread);
  return kernel.timers.get(thread.header.id)?.read(name) ?? kernel.monitorsOf(thread).read(name);
}

/** RNDR succeeds always: NZCV is zero. */
function randomNumber(kernel: Kernel, thread: Thread): bigint {
  const vcpu = kernel.engine.vcpu(index(thread));
  vcpu.pstate &= ~NZCV;
  return kernel.prng.nextU64();
}

function writeSystemRegister(kernel: Kernel, thread: Thread, { name, value }: ExitOf<'system-register'>): bigint | undefined {
  if (name.startsWith('ICC_')) return thread.vic?.object.vic.writeSystemRegister(thread.vic.index, name, value) === 'ok' ? 0n : undefined;
  const isDone = kernel.timers.get(thread.header.id)?.write(name, value) === true || kernel.monitorsOf(thread).write(name, value);
  return isDone ? 0n : undefined;
}

/** An access of any form to a device that is the VM's own; the first part that is refused aborts. */
function mmio(kernel: Kernel, thread: Thread, exit: Pick<ExitOf<'mmio'>, 'pa' | 'access'>, device: DeviceAccess): void {
  const { access } = exit;
  // DC ZVA begins where its block does.
  const start = access.sizeBytes === ZVA_BYTES ? va(access.va & -BigInt(ZVA_BYTES)) : access.va;
  const inPage = Number(exit.pa & PAGE_MASK);
  let refused: DevicePart = { offset: 0, sizeBytes: access.sizeBytes, isWrite: access.isWrite, value: access.value };
  const answer = (part: DevicePart): bigint | undefined => {
    const { offset, sizeBytes, isWrite, value } = part;
    const isOnPage = inPage + offset >= 0 && inPage + offset + sizeBytes <= PAGE_SIZE;
    const answered = !isOnPage ? undefined : device(pa(exit.pa + BigInt(offset)), { ...access, va: va(start + BigInt(offset)), sizeBytes, isWrite, value });
    if (answered === undefined) refused = part;
    return answered;
  };
  const answerAny = (part: DevicePart): bigint | undefined => accessAligned(Number(exit.pa & 7n), part, answer);
  if (access.syndromeValid) {
    const value = answerAny(refused);
    if (value !== undefined) return complete(kernel, thread, value);
  } else if (kernel.engine.transferByParts(index(thread), start, answerAny) === 'done') {
    kernel.retired++;
    return;
  }
  abort(kernel, thread, { ...access, va: va(start + BigInt(refused.offset)), isWrite: refused.isWrite }, { isOfBus: true });
}

/** As QEMU's bus has it: a misaligned load is two aligned ones, a misaligned store is bytes. */
function accessAligned(base: number, part: DevicePart, answer: (part: DevicePart) => bigint | undefined): bigint | undefined {
  const { offset, sizeBytes, isWrite, value } = part;
  const misaligned = (base + offset) & (sizeBytes - 1);
  if (misaligned === 0) return answer(part);
  if (isWrite) {
    for (let n = 0; n < sizeBytes; n++) if (answer({ offset: offset + n, sizeBytes: 1, isWrite, value: (value >> BigInt(8 * n)) & 0xffn }) === undefined) return undefined;
    return 0n;
  }
  const low = answer({ ...part, offset: offset - misaligned });
  const high = low === undefined ? undefined : answer({ ...part, offset: offset - misaligned + sizeBytes });
  return low === undefined || high === undefined ? undefined : BigInt.asUintN(8 * sizeBytes, (low | (high << BigInt(8 * sizeBytes))) >> BigInt(8 * misaligned));
}

function complete(kernel: Kernel, thread: Thread, value: bigint): void {
  kernel.engine.completeAccess(index(thread), value);
  kernel.retired++;
}

/** The virtio device whose register page a store hits; its frontend sees the page read-only. */
function virtioAt(kernel: Kernel, thread: Thread, ipa: bigint): VirtioMmio | undefined {
  const leaf = thread.addrspace?.pgtable.lookup(Number(ipa >> 12n));
  if (leaf === undefined) return undefined;
  for (const device of kernel.ofType('virtio_mmio')) if (device.header.state === 'active' && device.extent?.firstPage === leaf.paPage) return device;
  return undefined;
}

function virtioStore(kernel: Kernel, thread: Thread, access: GuestAccess): void {
  const device = access.isWrite ? virtioAt(kernel, thread, access.ipa) : undefined;
  const isDone = device?.write(Number(access.ipa & 0xfffn), access.sizeBytes, Number(access.value & 0xffff_ffffn)) === true;
  if (isDone) complete(kernel, thread, 0n);
  else abort(kernel, thread, access, { fault: 'permission' });
}

/** Stops a proxy vCPU at a missing page that its scheduler shall provide. False: nobody provides it, or its scheduler has refused. */
function askForPage(kernel: Kernel, thread: Thread, { fault, ipa, isWrite }: { readonly fault: string; readonly ipa: bigint; readonly isWrite: boolean }): boolean {
  if (fault !== 'translation' || !thread.isProxy || thread.addrspace?.isDemandPaged(ipa) !== true) return false;
  const isRefused = thread.pageFault?.state === 'refused' && thread.pageFault.ipa === ipa;
  thread.pageFault = isRefused ? undefined : { ipa, isWrite, state: 'asked' };
  if (!isRefused) kernel.scheduler.block(thread, 'ADDRSPACE_VMMIO_ACCESS');
  return !isRefused;
}

/** The virtual real-time clock at an address. */
function clockAt(kernel: Kernel, thread: Thread, ipa: bigint): Vrtc | undefined {
  for (const clock of kernel.ofType('vrtc')) {
    if (clock.header.state === 'active' && clock.addrspaceId === thread.addrspace?.header.id && clock.ipa === ipa >> 12n << 12n) return clock;
  }
  return undefined;
}

function clockAccess(kernel: Kernel, thread: Thread, access: GuestAccess, clock: Vrtc): void {
  const offset = Number(access.ipa & 0xfffn);
  const now = counterAt(kernel.now);
  const value = access.isWrite ? (clock.write(offset, access.sizeBytes, access.value, now) ? 0n : undefined) : clock.read(offset, access.sizeBytes, now);
  if (value === undefined) abort(kernel, thread, access);
  else complete(kernel, thread, value);
}

/** Order: frames placed in the address space, the VIC's own default addresses, the virtual clock, the rest of the board, proxy ranges, abort. */
function dataAbort(kernel: Kernel, thread: Thread, exit: ExitOf<'stage2-data-abort'>, space: DeviceAccess): void {
  const { access } = exit;
  if (askForPage(kernel, thread, { fault: exit.fault, ipa: access.ipa, isWrite: access.isWrite })) return;
  const isTranslation = exit.fault === 'translation' || exit.fault === 'access-flag';
  if (access.syndromeValid && !exit.duringStage1Walk && exit.fault === 'permission') return virtioStore(kernel, thread, access);
  if (!access.syndromeValid && isTranslation && !exit.duringStage1Walk && isDeviceSpace(thread, access.ipa) && !isOfVic(thread, access.ipa)) return mmio(kernel, thread, { pa: pa(access.ipa), access }, space);
  if (!access.syndromeValid || exit.duringStage1Walk || !isTranslation) return abort(kernel, thread, access, exit);
  const vic = thread.addrspace?.frameAt(access.ipa)?.vic.vic ?? thread.vic?.object.vic;
  const answer = vic?.access({ ipa: access.ipa, sizeBytes: access.sizeBytes, isWrite: access.isWrite, value: access.value, vcpuIndex: thread.vic?.index ?? 0 });
  if (answer?.handled === true) {
    if (answer.abort === true) return abort(kernel, thread, access, { level: exit.level });
    return complete(kernel, thread, answer.value ?? 0n);
  }
  const clock = clockAt(kernel, thread, access.ipa);
  if (clock !== undefined) return clockAccess(kernel, thread, access, clock);
  if (isDeviceSpace(thread, access.ipa)) return mmio(kernel, thread, { pa: pa(access.ipa), access }, space);
  if (!thread.isProxy || thread.addrspace?.isVmmio(access.ipa, access.sizeBytes) !== true) return abort(kernel, thread, access, { level: exit.level });
  thread.vmmio = { ipa: access.ipa, sizeBytes: access.sizeBytes, isWrite: access.isWrite, value: access.register, instruction: access.instruction };
  kernel.scheduler.block(thread, 'ADDRSPACE_VMMIO_ACCESS');
}

/**
 * The primary VM has all of the board's device space, each page at its own address; where no device is, the bus refuses, not the hypervisor. These
 * pages need no tables: only what is mapped over them is, and where that goes again, nothing is left.
 */
function isDeviceSpace(thread: Thread, ipa: bigint): boolean {
  return thread.has('hlos_vm') && ipa < DEVICE_SPACE_END && thread.addrspace?.pgtable.wasMapped(Number(ipa >> 12n)) === false;
}

/** Whether the hypervisor emulates an interrupt controller there. */
function isOfVic(thread: Thread, ipa: bigint): boolean {
  return thread.addrspace?.frameAt(ipa) !== undefined || thread.vic?.object.vic.hasFrameAt(ipa) === true;
}

function abort(kernel: Kernel, thread: Thread, access: GuestAccess, walk: Pick<Abort, 'stage1Level' | 'isMaintenance' | 'isOfBus'> & FaultDetails = {}): void {
  logDataAbort(kernel, thread, access, walk);
  traceFault(kernel, thread, { va: access.va, ipa: access.ipa, access: access.isWrite ? 'write' : 'read' });
  injectAbort(kernel, thread, { exceptionClass: EC_DATA_ABORT, far: access.va, isWrite: access.isWrite, ...walk });
}

/** The bus's aborts never come to the hypervisor. */
function logDataAbort(kernel: Kernel, thread: Thread, access: GuestAccess, details: FaultDetails & Pick<Abort, 'isOfBus'>): void {
  const log = kernel.traceLog;
  if (log?.wants(log.rows.injectAbort) !== true || details.isOfBus === true) return;
  logAbort(kernel, thread, { syndrome: dataSyndrome(access, details, instructionAt(kernel, index(thread), kernel.engine.vcpu(index(thread)).pc)), va: access.va, ipa: access.ipa });
}

function logAbort(kernel: Kernel, thread: Thread, { syndrome, va, ipa }: { readonly syndrome: number; readonly va: bigint; readonly ipa: bigint }): void {
  kernel.traceLog?.log(kernel.traceLog.rows.injectAbort, thread.vmid, syndrome, va, ipa, kernel.engine.vcpu(index(thread)).pc);
}

function logUnhandled(kernel: Kernel, thread: Thread, syndrome: number): void {
  const log = kernel.traceLog;
  log?.log(log.rows.unhandledTrap, thread.vmid, syndrome, kernel.engine.vcpu(index(thread)).pc);
  log?.log(log.rows.injectUnknown, thread.vmid, syndrome);
}

/** An abort to inject; `stage1Level` is there if a translation table could not be read, `isOfBus` if no device answered and the CPU takes it by itself. */
interface Abort { readonly exceptionClass: bigint; readonly far: bigint; readonly isWrite: boolean; readonly stage1Level?: number | undefined; readonly isMaintenance?: true; readonly isOfBus?: true }

/** The hypervisor gives no details away; a bare machine has those of a synchronous external abort. */
function abortStatus(kernel: Kernel, { isWrite, stage1Level, isMaintenance, isOfBus }: Abort): bigint {
  if (!isPlain(kernel) && isOfBus !== true) return FSC_EXTERNAL;
  const status = stage1Level === undefined ? FSC_EXTERNAL : stage1Level < 0 ? FSC_WALK_BELOW_0 : FSC_WALK | BigInt(stage1Level);
  return status | (isMaintenance === true ? MAINTENANCE | WNR : isWrite ? WNR : 0n);
}

/** The exception class is one higher when the exception comes from EL1 itself. */
function injectAbort(kernel: Kernel, thread: Thread, abort: Abort): void {
  const { exceptionClass, far } = abort;
  const vcpu = kernel.engine.vcpu(index(thread));
  const offset = vcpu.pc - vcpu.systemRegister('VBAR_EL1');
  if (vcpu.el === 1 && offset >= VECTOR_SYNC_EL1H && offset < VECTOR_SYNC_EL1H + VECTOR_SIZE) return faultThread(kernel, thread);
  inject(kernel, thread, ((exceptionClass + (vcpu.el === 1 ? 1n : 0n)) << 26n) | IL | abortStatus(kernel, abort), far);
}

/** Undefined instruction; FAR_EL1 keeps its value. */
export function injectUndefined(kernel: Kernel, thread: Thread): void {
  inject(kernel, thread, (EC_UNKNOWN << 26n) | IL, kernel.engine.vcpu(index(thread)).systemRegister('FAR_EL1'));
}

function inject(kernel: Kernel, thread: Thread, esr: bigint, far: bigint): void {
  if (kernel.tracing) {
    const elr = kernel.engine.vcpu(index(thread)).pc;
    kernel.emit({ event: 'exception', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, kind: 'synchronous', esr, far, elr, injected: true });
  }
  kernel.engine.injectException(index(thread), esr, far);
}

/** What the vCPU took before stays in its registers. */
function logLoop(kernel: Kernel, thread: Thread): void {
  const vcpu = kernel.engine.vcpu(index(thread));
  kernel.traceLog?.log(kernel.traceLog.rows.injectLoop, thread.vmid, ...(['ESR_EL1', 'ELR_EL1', 'VBAR_EL1'] as const).map((name) => vcpu.systemRegister(name)));
}

/** An abort at the start of the abort handler would repeat for ever: the vCPU stops instead, and with a critical one the platform. */
function faultThread(kernel: Kernel, thread: Thread): void {
  logLoop(kernel, thread);
  if (kernel.tracing) {
    const message = 'The vCPU faulted at the start of its own synchronous exception vector and was stopped. Check VBAR_EL1 and that its vectors are mapped.';
    kernel.emit({ event: 'report', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, code: 'vcpu-fault', message });
  }
  haltThread(kernel, thread, 'VCPU_FAULT');
  if (isCritical(thread)) kernel.options.onPlatformPower('reset');
}

function traceFault(kernel: Kernel, thread: Thread, fault: { readonly va: bigint; readonly ipa: bigint; readonly access: 'read' | 'write' | 'execute' }): void {
  if (kernel.tracing) kernel.emit({ event: 'stage2-fault', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, ...fault, pc: kernel.engine.vcpu(index(thread)).pc });
}

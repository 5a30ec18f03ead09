/**
 * HVC and SMC of a VM with the `kvm` personality, as KVM answers them: filter, bitmaps, built-in list, then the services. What is denied
 * answers NOT_SUPPORTED and zeros. Gunyah's hypercalls do not exist for such a VM. Source: Linux, arch/arm64 KVM hypercalls (behaviour only).
 */

import { vmid } from '../base/brands';
import type { EventValues, TraceEvent } from '../base/trace-event';
import type { Vcpu } from '../engine/interface';
import type { Kernel } from './kernel';
import { callKvmPsci, isPsciId, kvmPsciFunctionName, kvmPsciName } from './kvm-psci';
import { FORWARDED_CALL, type BitmapName, type VmServices } from './service-registers';
import { gunyahServiceName } from './smccc';
import type { Thread } from './thread';

/** One call. */
export interface KvmCall { readonly kernel: Kernel; readonly thread: Thread; readonly vcpu: Vcpu; readonly immediate: number; readonly isSmc: boolean }
/** X0 to X3. */
type Results = readonly [bigint, bigint, bigint, bigint];

interface Service {
  readonly name: string;
  /** Bit that must be set; absent: always there. */
  readonly gate?: readonly [BitmapName, number];
  /** With the RFC the call itself is not gated; only what it says of others is. */
  readonly isOpenInRfc?: true;
  readonly run: (call: KvmCall, services: VmServices) => Results;
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const LOW_32 = 0xffff_ffffn;
const NOT_SUPPORTED: Results = [ALL_ONES, 0n, 0n, 0n];
const SUCCESS: Results = [0n, 0n, 0n, 0n];
const INVALID_PARAMETERS: Results = [ALL_ONES - 1n, 0n, 0n, 0n];
const NANOSECONDS = 1_000_000_000n;
const COUNTER_SHIFT = 4n;

const ARCH_WORKAROUND_1 = 0x8000_8000;
const ARCH_WORKAROUND_2 = 0x8000_7fff;
const ARCH_WORKAROUND_3 = 0x8000_3fff;
const PV_TIME_FEATURES = 0xc500_0020;
const PV_TIME_ST = 0xc500_0021;
const TRNG_IDS: readonly number[] = [0x8400_0050, 0x8400_0051, 0x8400_0052, 0x8400_0053, 0xc400_0053];
const TRNG_UUID: Results = [0x00e0_210dn, 0xeb11_8443n, 0x4452_7080n, 0x4c5a_4e55n];
const KVM_UID: Results = [0xb66f_b428n, 0xe911_c52en, 0x564b_caa9n, 0x743a_004dn];

const TRNG = ['KVM_REG_ARM_STD_BMAP', 0] as const;
const PV_TIME = ['KVM_REG_ARM_STD_HYP_BMAP', 0] as const;
const VENDOR_FEATURES = ['KVM_REG_ARM_VENDOR_HYP_BMAP', 0] as const;

const argument = ({ vcpu }: KvmCall): number => Number(vcpu.x(1) & LOW_32);
const answer = (isThere: boolean): Results => (isThere ? SUCCESS : NOT_SUPPORTED);

/** By function identifier. */
const SERVICES: ReadonlyMap<number, Service> = new Map<number, Service>([
  [0x8000_0000, { name: 'SMCCC_VERSION', run: () => [0x1_0001n, 0n, 0n, 0n] }],
  [0x8000_0001, { name: 'SMCCC_ARCH_FEATURES', run: archFeatures }],
  [0x8400_0050, { name: 'TRNG_VERSION', gate: TRNG, isOpenInRfc: true, run: () => [0x1_0000n, 0n, 0n, 0n] }],
  [0x8400_0051, { name: 'TRNG_FEATURES', gate: TRNG, isOpenInRfc: true, run: (call, services) => answer(TRNG_IDS.includes(argument(call)) && (!services.isRfc || services.has(...TRNG))) }],
  [0x8400_0052, { name: 'TRNG_GET_UUID', gate: TRNG, run: () => TRNG_UUID }],
  [0x8400_0053, { name: 'TRNG_RND', gate: TRNG, run: (call) => randomBits(call, 32) }],
  [0xc400_0053, { name: 'TRNG_RND', gate: TRNG, run: (call) => randomBits(call, 64) }],
  [PV_TIME_FEATURES, { name: 'PV_TIME_FEATURES', gate: PV_TIME, isOpenInRfc: true, run: pvTimeFeatures }],
  [PV_TIME_ST, { name: 'PV_TIME_ST', gate: PV_TIME, run: ({ kernel, thread }) => [kernel.stolenTime.clear(thread) ?? ALL_ONES, 0n, 0n, 0n] }],
  [0x8600_ff01, { name: 'VENDOR_HYP_CALL_UID', gate: VENDOR_FEATURES, isOpenInRfc: true, run: () => KVM_UID }],
  [0x8600_0000, { name: 'KVM_FEATURES', gate: VENDOR_FEATURES, isOpenInRfc: true, run: (_call, services) => vendorFeatures(services) }],
  [0x8600_0001, { name: 'KVM_PTP', run: clock }],
]);

/** Names of all services. */
export const KVM_SERVICE_NAMES: readonly string[] = [...new Set([...SERVICES.values()].map(({ name }) => name))];

const WORKAROUNDS: ReadonlyMap<number, string> = new Map([[ARCH_WORKAROUND_1, 'SMCCC_ARCH_WORKAROUND_1'], [ARCH_WORKAROUND_2, 'SMCCC_ARCH_WORKAROUND_2'], [ARCH_WORKAROUND_3, 'SMCCC_ARCH_WORKAROUND_3']]);

/** The name of a function of any service, of either personality, whether a VM is offered it or not; undefined for identifiers that mean nothing. */
export function serviceName(id: number): string | undefined {
  return gunyahServiceName(id) ?? SERVICES.get(id)?.name ?? WORKAROUNDS.get(id) ?? kvmPsciFunctionName(id);
}

/** Carries out a call and writes X0 to X3. */
export function callKvm(call: KvmCall): void {
  const { kernel, thread, vcpu } = call;
  if (call.isSmc && call.immediate !== 0) {
    vcpu.setX(0, ALL_ONES);
    return;
  }
  const id = Number(vcpu.x(0) & LOW_32);
  const services = kernel.services.of(thread.vmid);
  switch (services.filterOf(id)) {
    case 'forward': return forward(call, id);
    case 'deny': return finish(call, { id, name: undefined }, NOT_SUPPORTED);
    case 'handle': break;
  }
  if (isPsciId(id)) return psci(call, id);
  const service = SERVICES.get(id);
  if (service === undefined || !isAllowed(service, services, id)) return finish(call, { id, name: service?.name }, NOT_SUPPORTED);
  trace(call, { event: 'smccc', phase: 'enter', name: service.name, id, args: argumentsOf(vcpu) });
  finish(call, { id, name: service.name }, service.run(call, services));
}

/** What a call would be, for breakpoints; undefined where nothing is called. */
export function describeKvmCall({ kernel, thread, vcpu, immediate, isSmc }: KvmCall): TraceEvent | undefined {
  if (isSmc && immediate !== 0) return undefined;
  const id = Number(vcpu.x(0) & LOW_32);
  const origin = { tick: kernel.now, vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex };
  if (isPsciId(id)) return { ...origin, event: 'psci', phase: 'enter', name: kvmPsciName(id), id, args: argumentsOf(vcpu) };
  const service = SERVICES.get(id);
  return service === undefined ? { ...origin, event: 'hypercall-unknown', number: id, path: 'smccc' } : { ...origin, event: 'smccc', phase: 'enter', name: service.name, id, args: argumentsOf(vcpu) };
}

function isAllowed({ gate, isOpenInRfc }: Service, services: VmServices, id: number): boolean {
  if (id === 0x8600_0001) return services.has('KVM_REG_ARM_VENDOR_HYP_BMAP', services.isRfc ? 0 : 1);
  return gate === undefined || (services.isRfc && isOpenInRfc === true) || services.has(...gate);
}

function argumentsOf(vcpu: Vcpu): EventValues {
  return { x1: vcpu.x(1), x2: vcpu.x(2), x3: vcpu.x(3) };
}

function psci(call: KvmCall, id: number): void {
  const { kernel, thread, vcpu } = call;
  const width = (id & 0x4000_0000) === 0 ? LOW_32 : ALL_ONES;
  const name = kvmPsciName(id);
  trace(call, { event: 'psci', phase: 'enter', name, id, args: argumentsOf(vcpu) });
  const result = callKvmPsci({ kernel, thread, id, args: [vcpu.x(1) & width, vcpu.x(2) & width, vcpu.x(3) & width] });
  if (result === 'none') return;
  write(vcpu, [BigInt.asUintN(64, BigInt(result)), 0n, 0n, 0n]);
  trace(call, { event: 'psci', phase: 'leave', name, id, args: {}, result: vcpu.x(0) });
}

function finish(call: KvmCall, { id, name }: { readonly id: number; readonly name: string | undefined }, results: Results): void {
  write(call.vcpu, results);
  if (name === undefined) trace(call, { event: 'hypercall-unknown', number: id, path: 'smccc' });
  else trace(call, { event: 'smccc', phase: 'leave', name, id, args: {}, result: results[0] });
}

/** The VMM would set registers and go on; here that is whoever debugs. Nothing is written. */
function forward(call: KvmCall, id: number): void {
  const number = `0x${id.toString(16)}`;
  trace(call, { event: 'report', code: FORWARDED_CALL, message: `The call ${number} (${call.isSmc ? 'SMC' : 'HVC'}) is forwarded by the VM's service filter. Set X0 to X3 to what it shall answer, and go on.` });
}

function write(vcpu: Vcpu, results: Results): void {
  results.forEach((value, n) => { vcpu.setX(n, value); });
}

type Untimed = Parameters<Kernel['emit']>[0];
type WithoutOrigin<E> = E extends unknown ? Omit<E, 'vmid' | 'vcpu'> : never;

function trace({ kernel, thread }: KvmCall, event: WithoutOrigin<Untimed>): void {
  if (kernel.tracing) kernel.emit({ ...event, vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex });
}

/** Vulnerable, mitigated, unaffected: not supported, 0, and 1 (workaround 2: not required). */
function archFeatures(call: KvmCall, services: VmServices): Results {
  const { workarounds } = services.settings;
  switch (argument(call)) {
    case ARCH_WORKAROUND_1: return level(workarounds[1]);
    case ARCH_WORKAROUND_3: return level(workarounds[3]);
    case ARCH_WORKAROUND_2: return workarounds[2] === 3 ? INVALID_PARAMETERS : NOT_SUPPORTED;
    case PV_TIME_FEATURES: return answer(services.has(...PV_TIME));
    default: return NOT_SUPPORTED;
  }
}

function level(value: 0 | 1 | 2): Results {
  return value === 0 ? NOT_SUPPORTED : [BigInt(value - 1), 0n, 0n, 0n];
}

function pvTimeFeatures(call: KvmCall, services: VmServices): Results {
  const isGated = services.isRfc && !services.has(...PV_TIME);
  return answer(!isGated && [PV_TIME_FEATURES, PV_TIME_ST].includes(argument(call)) && call.kernel.stolenTime.addressOf(call.thread) !== undefined);
}

function vendorFeatures(services: VmServices): Results {
  const bitmap = services.bitmap('KVM_REG_ARM_VENDOR_HYP_BMAP');
  return [services.isRfc ? (bitmap << 1n) | 1n : bitmap, 0n, services.bitmap('KVM_REG_ARM_VENDOR_HYP_BMAP_2'), 0n];
}

/** Wall clock and counter of the same moment. */
function clock(call: KvmCall): Results {
  if (argument(call) > 1) return NOT_SUPPORTED;
  const { kernel } = call;
  const wall = BigInt(kernel.options.startSeconds) * NANOSECONDS + BigInt(kernel.now);
  const counter = BigInt(kernel.now) >> COUNTER_SHIFT;
  return [wall >> 32n, wall & LOW_32, counter >> 32n, counter & LOW_32];
}

/** KVM allows no bits at all; the lowest are in X3. */
function randomBits({ kernel, vcpu }: KvmCall, registerBits: 32 | 64): Results {
  const count = Number(BigInt.asUintN(registerBits, vcpu.x(1)));
  if (count > registerBits * 3) return INVALID_PARAMETERS;
  let value = 0n;
  for (let taken = 0; taken < count; taken += 32) value = (value << 32n) | BigInt(kernel.prng.nextU32());
  value &= (1n << BigInt(count)) - 1n;
  const part = (index: bigint): bigint => BigInt.asUintN(registerBits, value >> (index * BigInt(registerBits)));
  return [0n, part(2n), part(1n), part(0n)];
}

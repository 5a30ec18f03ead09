/**
 * Calls by the SMC Calling Convention (Arm DEN0028): HVC #0 and SMC #0 with a function identifier in W0.
 *
 * Hypercalls in the vendor range go to the hypercall shell; PSCI to `psci.ts`; the small services are here. What nobody handles answers
 * all-ones in X0 and touches nothing else.
 */

import { vmid } from '../base/brands';
import type { EventValues } from '../base/trace-event';
import type { Vcpu } from '../engine/interface';
import { ERRORS } from './errors';
import { callWatchdog, WATCHDOG_SERVICES } from './hypercalls-watchdog';
import type { Kernel } from './kernel';
import { hasPvTime, isOffered, isPsciFeatureOffered } from './gunyah-services';
import { type PsciCall, psciFeatures, psciFunction } from './psci';
import type { VmServices } from './service-registers';
import type { Thread } from './thread';

/** hyp_api_info of the reference build: version 1, 64-bit, variant 0x51. */
export const HYP_API_INFO = 0x5100_0000_0000_8001n;
/** api_flags_0 of the reference build. */
export const HYP_API_FLAGS_0 = 0x1000_0effn;
/** The bit of api_flags_0 that a platform with watchdogs adds. */
export const HYP_API_FLAG_WATCHDOG = 0x100n;

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const LOW_32 = 0xffff_ffffn;
const NOT_SUPPORTED_32 = LOW_32;
/** UID c1d58fcd-a453-5fdb-9265-ce36673d5f14 in registers: as SMCCC orders bytes, and as early drivers expected them. */
const UID = {
  'gunyah': [0xcd8f_d5c1n, 0xdb5f_53a4n, 0x36ce_6592n, 0x145f_3d67n],
  'gunyah-legacy': [0x673d_5f14n, 0x9265_ce36n, 0xa453_5fdbn, 0xc1d5_8fcdn],
} as const satisfies Record<Exclude<Identity, 'none'>, readonly bigint[]>;
const WATCHDOG_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(WATCHDOG_SERVICES).map(([id, name]): [number, string] => [Number(id), name]));
const TRNG_UUID: readonly bigint[] = [0x4554_6e21n, 0x92a1_433dn, 0xa2ea_5fe2n, 0x1639_7d4en];
const ARCH_FEATURES: readonly number[] = [0x8000_0000, 0x8000_0001, 0x8500_ff01, 0x8500_ff03];
/** Of 32-bit functions in TRNG's range that do not exist: zero-extended, unlike those that nobody handles. */
const TRNG_RANGE: readonly [number, number] = [0x8400_0050, 0x8400_005f];
const TRNG_INVALID_PARAMETERS = 0xffff_ffff_ffff_fffen;
const PV_TIME_FEATURES = 0xc500_0020;
const PV_TIME_ST = 0xc500_0021;
const TRNG_FEATURES: readonly number[] = [0x8400_0050, 0x8400_0051, 0x8400_0052, 0x8400_0053, 0xc400_0053];

/** How the hypervisor names itself to guests; `none`: the services that tell do not exist. */
export type Identity = 'gunyah' | 'gunyah-legacy' | 'none';

/** One call that is not a hypercall. */
export interface SmcccCall { readonly kernel: Kernel; readonly thread: Thread; readonly vcpu: Vcpu; readonly id: number; readonly isSmc: boolean }

/** Result registers from X0; `none` if the call does not return now. */
type Outcome = readonly bigint[] | 'none' | undefined;

/** The hypercall number in a vendor-hypervisor identifier, or `undefined` if it is another kind of call. */
export function hypercallNumberOf(id: number): number | undefined {
  const isFast64 = (id >>> 30) === 3;
  const owner = (id >>> 24) & 0x3f;
  if (!isFast64 || owner !== 6 || ((id >>> 17) & 0x7f) !== 0 || ((id >>> 14) & 3) !== 2) return undefined;
  return id & 0x3fff;
}

/** Carries out a call and writes its result registers. */
export function callSmccc(call: SmcccCall): void {
  const reservedClear = ((call.id >>> 17) & 0x7f) === 0;
  const service = reservedClear ? watchdogService(call) ?? nameService(call.id & ~0x1_0000, call.kernel.services.of(call.thread.vmid)) : undefined;
  if (service === undefined) {
    call.vcpu.setX(0, ALL_ONES);
    if (call.kernel.tracing) call.kernel.emit({ event: 'hypercall-unknown', vmid: vmid(call.thread.vmid), vcpu: call.thread.vcpuIndex, number: call.id >>> 0, path: 'smccc' });
    return;
  }
  const id = call.id & ~0x1_0000;
  trace(call, service, 'enter', undefined);
  const outcome = service.run({ ...call, id });
  if (outcome === 'none') return;
  const results = outcome ?? [ALL_ONES];
  results.forEach((value, n) => { call.vcpu.setX(n, value); });
  if (service.truncates && outcome !== undefined) for (let n = results.length; n < 4; n++) call.vcpu.setX(n, call.vcpu.x(n) & LOW_32);
  trace(call, service, 'leave', results[0]);
}

/** A call of a guest to its own watchdog, if it has one. */
function watchdogService({ id, thread }: SmcccCall): Service | undefined {
  const name = WATCHDOG_NAMES.get((id & ~0x1_0000) >>> 0);
  if (name === undefined || thread.watchdog === undefined) return undefined;
  return simple(name, ({ vcpu }) => {
    const answer = callWatchdog(thread, name, [vcpu.x(1) & LOW_32, vcpu.x(2) & LOW_32]);
    return answer && [BigInt.asUintN(64, BigInt(ERRORS[answer.error])), ...answer.words];
  });
}

/** A service. */
export interface Service { readonly event: 'psci' | 'smccc'; readonly name: string; readonly truncates: boolean; readonly run: (call: SmcccCall) => Outcome }

function trace(call: SmcccCall, service: Service, phase: 'enter' | 'leave', result: bigint | undefined): void {
  const { kernel, thread, vcpu, id } = call;
  if (!kernel.tracing) return;
  const args: EventValues = phase === 'enter' ? { x1: vcpu.x(1), x2: vcpu.x(2), x3: vcpu.x(3) } : {};
  kernel.emit({ event: service.event, vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, phase, name: service.name, id: id >>> 0, args, ...(result === undefined ? {} : { result }) });
}

function simple(name: string, run: (call: SmcccCall) => Outcome, truncates = true): Service {
  return { event: 'smccc', name, truncates, run };
}

const servicesOf = ({ kernel, thread }: SmcccCall): VmServices => kernel.services.of(thread.vmid);
const isNamed = ({ kernel }: SmcccCall) => kernel.options.identity !== 'none';

function uid({ kernel: { options: { identity } } }: SmcccCall): Outcome {
  return identity === 'none' ? undefined : UID[identity];
}

/** The function identifier that a call asks about, without its SVE hint. */
function featureId({ vcpu }: SmcccCall): number {
  return Number(vcpu.x(1) & LOW_32 & ~0x1_0000n);
}

function hasFeature(call: SmcccCall): boolean {
  const id = featureId(call);
  if (id === PV_TIME_FEATURES) return hasPvTime(servicesOf(call));
  return ARCH_FEATURES.includes(id) && (isNamed(call) || id < 0x8500_0000);
}

const SERVICES: ReadonlyMap<number, Service> = new Map<number, Service>([
  [0x8000_0000, simple('SMCCC_VERSION', () => [0x10003n])],
  [0x8000_0001, simple('SMCCC_ARCH_FEATURES', (call) => [hasFeature(call) ? 0n : NOT_SUPPORTED_32])],
  [0x8500_ff01, simple('STD_HYP_CALL_UID', uid)],
  [0x8500_ff03, simple('STD_HYP_REVISION', (call) => (isNamed(call) ? [1n, 0n] : undefined))],
  [PV_TIME_FEATURES, simple('PV_TIME_FEATURES', ({ vcpu }) => [[PV_TIME_FEATURES, PV_TIME_ST].includes(Number(vcpu.x(1) & LOW_32)) ? 0n : ALL_ONES], false)],
  [PV_TIME_ST, simple('PV_TIME_ST', ({ kernel, thread }) => [kernel.stolenTime.clear(thread) ?? ALL_ONES], false)],
  [0x8600_ff01, simple('VENDOR_HYP_CALL_UID', uid)],
  [0x8600_ff03, simple('VENDOR_HYP_REVISION', (call) => (isNamed(call) ? [HYP_API_INFO] : undefined), false)],
  [0x8400_0050, simple('TRNG_VERSION', () => [0x10000n, 0n, 0n, 0n], false)],
  [0x8400_0051, simple('TRNG_FEATURES', (call) => [TRNG_FEATURES.includes(featureId(call)) ? 0n : ALL_ONES], false)],
  [0x8400_0052, simple('TRNG_GET_UUID', () => TRNG_UUID, false)],
  [0x8400_0053, simple('TRNG_RND', (call) => randomBits(call, 32), false)],
  [0xc400_0053, simple('TRNG_RND', (call) => randomBits(call, 64), false)],
]);

/** Names of all services. */
export const SMCCC_NAMES: readonly string[] = [...new Set([...SERVICES.values()].map(({ name }) => name))];

/** The name of a function of PSCI or of another service, whether a VM is offered it or not. */
export function gunyahServiceName(id: number): string | undefined {
  return SERVICES.get(id)?.name ?? WATCHDOG_NAMES.get(id) ?? (isPsciNumber(id) ? psciFunction(id)?.name : undefined);
}

function isPsciNumber(id: number): boolean {
  return ((id >>> 24) & 0xbf) === 0x84 && (id & 0xff_ffff) < 0x20;
}

/** The service behind a function identifier, if any handles it and the VM is offered it. */
export function nameService(signed: number, services: VmServices): Service | undefined {
  const id = signed >>> 0;
  if (!isOffered(services, id)) return undefined;
  const known = SERVICES.get(id);
  if (known !== undefined) return known;
  if (id >= TRNG_RANGE[0] && id <= TRNG_RANGE[1]) return simple('TRNG_UNKNOWN', () => [NOT_SUPPORTED_32], false);
  const entry = isPsciNumber(id) ? psciFunction(id) : undefined;
  const is64 = (id >>> 30) === 3;
  return entry === undefined ? undefined : { event: 'psci', name: entry.name, truncates: !is64, run: (call) => callPsci(call, entry.call) };
}

function callPsci(call: SmcccCall, run: (call: PsciCall) => number | 'none'): Outcome {
  const { kernel, thread, vcpu, id, isSmc } = call;
  const is64 = ((id >>> 30) & 1) === 1;
  if (thread.vpm === undefined) {
    // Without a group only PSCI_FEATURES answers.
    if ((id & 0xffff) !== 0x0a) return undefined;
    return [BigInt.asUintN(32, BigInt(psciFeatures(Number(vcpu.x(1) & LOW_32)) === 0 && Number(vcpu.x(1) & LOW_32) === 0x8000_0000 ? 0 : -1))];
  }
  const services = servicesOf(call);
  if ((id & 0xffff) === 0) return [services.psciVersion];
  if ((id & 0xffff) === 0x0a && !isPsciFeatureOffered(services, Number(vcpu.x(1) & LOW_32))) return [NOT_SUPPORTED_32];
  const width = is64 ? ALL_ONES : LOW_32;
  const result = run({ kernel, thread, id, is64, isSmc, args: [vcpu.x(1) & width, vcpu.x(2) & width, vcpu.x(3) & width] });
  if (result === 'none') return 'none';
  const isReset2 = (id & 0xffff) === 0x12;
  return [BigInt.asUintN(is64 && !isReset2 ? 64 : 32, BigInt(result))];
}

/** TRNG_RND: up to three result registers, the lowest bits in X3. */
function randomBits({ kernel, vcpu }: SmcccCall, registerBits: 32 | 64): Outcome {
  const count = Number(BigInt.asUintN(registerBits, vcpu.x(1)));
  if (count === 0 || count > registerBits * 3) return [TRNG_INVALID_PARAMETERS, 0n, 0n, 0n];
  let value = 0n;
  for (let taken = 0; taken < count; taken += 32) value = (value << 32n) | BigInt(kernel.prng.nextU32());
  value &= (1n << BigInt(count)) - 1n;
  const width = BigInt(registerBits);
  return [0n, BigInt.asUintN(registerBits, value >> (2n * width)), BigInt.asUintN(registerBits, value >> width), BigInt.asUintN(registerBits, value)];
}

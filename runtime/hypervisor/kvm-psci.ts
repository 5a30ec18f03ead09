/**
 * PSCI as KVM answers it to a guest, for VMs with the `kvm` personality: which functions exist follows from the version chosen for the VM.
 * What they do to vCPUs is Gunyah's own (`psci.ts`, `vcpu.ts`); what they answer is KVM's. Arm DEN0022.
 */

import { PSCI } from './psci';
import type { Kernel } from './kernel';
import { PSCI_VERSIONS } from './service-registers';
import type { Thread } from './thread';
import { haltThread, isCritical, killThread, powerOff, powerOn, waitForInterrupt } from './vcpu';

/** One call: the function identifier and its three arguments, narrowed to 32 bits where the identifier says so. */
export interface KvmPsciCall { readonly kernel: Kernel; readonly thread: Thread; readonly id: number; readonly args: readonly [bigint, bigint, bigint] }
/** X0, or `none`: the call does not return. */
type Outcome = number | bigint | 'none';

interface Row { readonly name: string; readonly since: bigint; readonly widths: readonly (32 | 64)[]; readonly run: (call: KvmPsciCall) => Outcome }

const { '0.1': V0_1, '0.2': V0_2, '1.0': V1_0, '1.1': V1_1, '1.3': V1_3 } = PSCI_VERSIONS;
/** "Trusted OS is not present": nothing to migrate. */
const MIGRATION_NOT_REQUIRED = 2;
const SMCCC_VERSION_ID = 0x8000_0000;
const KVM_CPU_OFF = 0x95c1_ba5f;
const KVM_CPU_ON = 0x95c1_ba60;
/** PSCI 0.1 as KVM numbers it. */
const KVM_NAMES: Readonly<Record<number, string>> = { 0x95c1_ba5e: 'CPU_SUSPEND', [KVM_CPU_OFF]: 'CPU_OFF', [KVM_CPU_ON]: 'CPU_ON', 0x95c1_ba61: 'MIGRATE' };
const AFFINITY_LEVEL_MASKS: readonly bigint[] = [0xff_00ff_ffffn, 0xff_00ff_ff00n, 0xff_00ff_0000n, 0xff_0000_0000n];
const RESET2_VENDOR_FIRST = 0x8000_0000n;

/** By function number. */
const FUNCTIONS: Readonly<Record<number, Row>> = {
  0x00: { name: 'PSCI_VERSION', since: V0_2, widths: [32], run: ({ kernel, thread }) => kernel.services.of(thread.vmid).psciVersion },
  0x01: { name: 'CPU_SUSPEND', since: V0_2, widths: [32, 64], run: suspend },
  0x02: { name: 'CPU_OFF', since: V0_2, widths: [32], run: off },
  0x03: { name: 'CPU_ON', since: V0_2, widths: [32, 64], run: (call) => on(call, PSCI.ALREADY_ON) },
  0x04: { name: 'AFFINITY_INFO', since: V0_2, widths: [32, 64], run: affinityInfo },
  0x06: { name: 'MIGRATE_INFO_TYPE', since: V0_2, widths: [32], run: () => MIGRATION_NOT_REQUIRED },
  0x08: { name: 'SYSTEM_OFF', since: V0_2, widths: [32], run: systemOff },
  0x09: { name: 'SYSTEM_RESET', since: V0_2, widths: [32], run: (call) => systemReset(call, { data0: 1n << 63n, cookie: 0n }) },
  0x0a: { name: 'PSCI_FEATURES', since: V1_0, widths: [32], run: features },
  0x12: { name: 'SYSTEM_RESET2', since: V1_1, widths: [32, 64], run: systemReset2 },
  0x15: { name: 'SYSTEM_OFF2', since: V1_3, widths: [32, 64], run: systemOff2 },
};

/** Names of all functions. */
export const KVM_PSCI_NAMES: readonly string[] = Object.values(FUNCTIONS).map(({ name }) => name);

/** Whether an identifier belongs to PSCI: the standard's first 32 functions, and the four of PSCI 0.1 as KVM numbers them. */
export function isPsciId(id: number): boolean {
  const isStandard = ((id & 0xbfff_ffe0) >>> 0) === 0x8400_0000;
  return isStandard || (id >= 0x95c1_ba5e && id <= 0x95c1_ba61);
}

/** The function's name; undefined if no version has one of that number. */
export function kvmPsciFunctionName(id: number): string | undefined {
  return isPsciId(id) ? KVM_NAMES[id] ?? FUNCTIONS[id & 0x1f]?.name : undefined;
}

/** The function's name for the trace, whether the version has it or not. */
export function kvmPsciName(id: number): string {
  return KVM_NAMES[id] ?? FUNCTIONS[id & 0x1f]?.name ?? `PSCI_${(id & 0x1f).toString(16)}`;
}

/** Carries out a call. What the version lacks answers NOT_SUPPORTED. */
export function callKvmPsci(call: KvmPsciCall): Outcome {
  const version = call.kernel.services.of(call.thread.vmid).psciVersion;
  if (version === V0_1) {
    if (call.id === KVM_CPU_OFF) return off(call);
    return call.id === KVM_CPU_ON ? on(call, PSCI.INVALID_PARAMETERS) : PSCI.NOT_SUPPORTED;
  }
  return rowOf(call.id, version)?.run(call) ?? PSCI.NOT_SUPPORTED;
}

function rowOf(id: number, version: bigint): Row | undefined {
  const row = ((id & 0xbfff_ffe0) >>> 0) === 0x8400_0000 ? FUNCTIONS[id & 0x1f] : undefined;
  return row !== undefined && version >= row.since && row.widths.includes((id & 0x4000_0000) === 0 ? 32 : 64) ? row : undefined;
}

/** 0 for what is there; SYSTEM_OFF2 says with bit 0 that it hibernates. PSCI_FEATURES is where a guest finds SMCCC 1.1. */
function features({ kernel, thread, args }: KvmPsciCall): Outcome {
  const asked = Number(args[0] & 0xffff_ffffn);
  if (asked === SMCCC_VERSION_ID) return PSCI.SUCCESS;
  const row = rowOf(asked, kernel.services.of(thread.vmid).psciVersion);
  if (row === undefined) return PSCI.NOT_SUPPORTED;
  return row.name === 'SYSTEM_OFF2' ? 1 : PSCI.SUCCESS;
}

/** vCPUs of the caller's VM. */
function siblings({ kernel, thread }: KvmPsciCall): Thread[] {
  return [...kernel.ofType('thread')].filter((other) => other.addrspace === thread.addrspace && other.engineVcpu !== undefined);
}

/** KVM suspends as WFI does, whatever the state asked for. */
function suspend({ kernel, thread }: KvmPsciCall): Outcome {
  waitForInterrupt(kernel, thread);
  return PSCI.SUCCESS;
}

function off({ kernel, thread }: KvmPsciCall): Outcome {
  powerOff(kernel, thread, 'CPU_OFF');
  return 'none';
}

function on(call: KvmPsciCall, whenOn: number): Outcome {
  const [affinity, entry, context] = call.args;
  const found = siblings(call).find(({ mpidr }) => (mpidr & 0xff_00ff_ffffn) === (affinity & 0xff_00ff_ffffn));
  if (found?.state !== 'ready') return PSCI.INVALID_PARAMETERS;
  if (powerOn(call.kernel, found, { entry, context }) !== 'OK') return whenOn;
  found.vic?.object.vic.resetVcpu(found.vic.index);
  return PSCI.SUCCESS;
}

function affinityInfo(call: KvmPsciCall): Outcome {
  const mask = AFFINITY_LEVEL_MASKS[Number(BigInt.asUintN(32, call.args[1]))];
  if (mask === undefined) return PSCI.INVALID_PARAMETERS;
  const found = siblings(call).filter(({ mpidr }) => (mpidr & mask) === (call.args[0] & mask));
  if (found.length === 0) return PSCI.INVALID_PARAMETERS;
  return found.some((thread) => !thread.isBlockedBy('VCPU_OFF')) ? 0 : 1;
}

/** Ends all vCPUs of the VM but the caller, which ends as its halt; the platform goes down with a critical one. */
function end(call: KvmPsciCall, action: 'off' | 'reset'): Outcome {
  const { kernel, thread } = call;
  const others = siblings(call).filter((other) => other !== thread);
  if (isCritical(thread)) {
    for (const member of [thread, ...others]) if (!member.isBlockedBy('VCPU_OFF')) powerOff(kernel, member, `platform ${action}`);
    kernel.options.onPlatformPower(action);
    return 'none';
  }
  for (const other of others) killThread(kernel, other);
  haltThread(kernel, thread, 'VCPU_OFF');
  return 'none';
}

function systemOff(call: KvmPsciCall): Outcome {
  return end(call, 'off');
}

function systemReset(call: KvmPsciCall, reset: NonNullable<Thread['reset']>): Outcome {
  if (!isCritical(call.thread)) call.thread.reset = reset;
  return end(call, 'reset');
}

/** Architectural warm reset (0), or a vendor's (bit 31). */
function systemReset2(call: KvmPsciCall): Outcome {
  const type = call.args[0] & 0xffff_ffffn;
  if (type !== 0n && type < RESET2_VENDOR_FIRST) return PSCI.INVALID_PARAMETERS;
  return systemReset(call, { data0: ((call.id & 0x4000_0000) === 0 ? 0n : 1n << 62n) | type, cookie: call.args[1] });
}

/** Hibernate: 0 means the default, 1 the only one. */
function systemOff2(call: KvmPsciCall): Outcome {
  const [type, cookie] = call.args;
  if (type > 1n || cookie !== 0n) return PSCI.INVALID_PARAMETERS;
  return end(call, 'off');
}

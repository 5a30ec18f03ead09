/**
 * PSCI 1.1 for the vCPUs of a power-management group (Arm DEN0022), as the reference build answers it.
 *
 * Results of the 32-bit calls are zero-extended and X1..X3 are rewritten truncated; 64-bit calls sign-extend. The dispatch and
 * the register writing are in `smccc.ts`.
 */

import type { Kernel } from './kernel';
import type { Thread } from './thread';
import { haltThread, hasDeliverable, isCritical, killThread, powerOff, powerOn, powerSelfOff, suspendThread } from './vcpu';

/** PSCI result codes. */
export const PSCI = { SUCCESS: 0, NOT_SUPPORTED: -1, INVALID_PARAMETERS: -2, DENIED: -3, ALREADY_ON: -4, INTERNAL_FAILURE: -6 } as const;

const SMCCC_VERSION_ID = 0x8000_0000;
const POWER_STATE_POWERDOWN = 1n << 16n;
/** What CPU_DEFAULT_SUSPEND asks for: power down, the platform's deepest state of a CPU. */
const POWER_STATE_DEEPEST = POWER_STATE_POWERDOWN | 1n;
/** The fields of an MPIDR; PSCI looks at nothing else. */
const AFFINITY_BITS = 0xff_00ff_ffffn;
const LOW_32 = 0xffff_ffffn;
/** CPUs that a platform can have. */
const PLATFORM_CPUS_MAX = 8;
/** SVE hint of a function identifier, which is no part of it. */
const SVE_HINT = 0x1_0000;

/** One PSCI call: arguments as the caller's width gives them. */
export interface PsciCall { readonly kernel: Kernel; readonly thread: Thread; readonly id: number; readonly args: readonly [bigint, bigint, bigint]; readonly is64: boolean; readonly isSmc: boolean }

/** A result for X0, or `none`: the call does not return, or returns when the vCPU wakes with SUCCESS. */
export type PsciResult = number | 'none';

interface PsciFunction { readonly name: string; readonly widths: readonly (32 | 64)[]; readonly call: (call: PsciCall) => PsciResult }

/** By function number (bits 15:0). */
const FUNCTIONS: Readonly<Record<number, PsciFunction>> = {
  0x00: { name: 'PSCI_VERSION', widths: [32], call: () => 0x10001 },
  0x01: { name: 'CPU_SUSPEND', widths: [32, 64], call: (call) => cpuSuspend(call, call.args[0], { entry: call.args[1], context: call.args[2] }) },
  0x02: { name: 'CPU_OFF', widths: [32], call: cpuOff },
  0x03: { name: 'CPU_ON', widths: [32, 64], call: cpuOn },
  0x04: { name: 'AFFINITY_INFO', widths: [32, 64], call: affinityInfo },
  0x08: { name: 'SYSTEM_OFF', widths: [32], call: systemOff },
  0x09: { name: 'SYSTEM_RESET', widths: [32], call: (call) => systemReset(call, 1n << 63n, 0n) },
  0x0a: { name: 'PSCI_FEATURES', widths: [32], call: (call) => psciFeatures(Number(call.args[0] & 0xffff_ffffn)) },
  0x0c: { name: 'CPU_DEFAULT_SUSPEND', widths: [32, 64], call: (call) => cpuSuspend(call, POWER_STATE_DEEPEST, { entry: call.args[0], context: call.args[1] }) },
  0x0f: { name: 'PSCI_SET_SUSPEND_MODE', widths: [32], call: setSuspendMode },
  0x12: { name: 'SYSTEM_RESET2', widths: [32, 64], call: systemReset2 },
};

/** Names of all functions that exist here. */
export const PSCI_NAMES: readonly string[] = Object.values(FUNCTIONS).map(({ name }) => name);

/** The function of a full identifier, if it exists in that width. */
export function psciFunction(id: number): PsciFunction | undefined {
  const entry = FUNCTIONS[id & 0xffff];
  return entry?.widths.includes((id >>> 30) & 1 ? 64 : 32) === true ? entry : undefined;
}

/** PSCI_FEATURES: what it says of a function identifier. */
export function psciFeatures(asked: number): number {
  const id = (asked & ~SVE_HINT) >>> 0;
  if (id === SMCCC_VERSION_ID) return PSCI.SUCCESS;
  const owner = (id >>> 24) & 0xbf;
  const entry = owner === 0x84 && ((id >>> 16) & 0xff) === 0 ? psciFunction(id) : undefined;
  if (entry === undefined) return PSCI.NOT_SUPPORTED;
  return (id & 0xffff) === 1 ? 2 : PSCI.SUCCESS;
}

function cpuSuspend(call: PsciCall, powerState: bigint, restart: { readonly entry: bigint; readonly context: bigint }): PsciResult {
  if (hasDeliverable(call.thread)) return PSCI.SUCCESS;
  const losesContext = (powerState & POWER_STATE_POWERDOWN) !== 0n;
  suspendThread(call.kernel, call.thread, {
    powerState: Number(powerState & 0xffff_ffffn), restart: losesContext ? restart : undefined, is64: call.is64, isSmc: call.isSmc,
  });
  return losesContext ? 'none' : PSCI.SUCCESS;
}

/** Platform-coordinated mode is all there is. */
function setSuspendMode({ kernel, thread, args }: PsciCall): PsciResult {
  if (args[0] === 0n) return PSCI.SUCCESS;
  kernel.traceLog?.log(kernel.traceLog.rows.suspendMode, thread.vmid);
  return PSCI.INVALID_PARAMETERS;
}

function cpuOff({ kernel, thread }: PsciCall): PsciResult {
  const group = thread.vpm?.group;
  if (group !== undefined && !group.noAggregation && group.onlineCount === 1) return PSCI.DENIED;
  powerSelfOff(kernel, thread, 'CPU_OFF');
  return 'none';
}

/**
 * The member of the caller's group that an affinity names; `undefined` for none, `unknown` for an affinity that names no index that a
 * platform could have. (The reference hypervisor counts the number of CPUs itself among those.)
 */
function target(thread: Thread, affinity: bigint): Thread | 'unknown' | undefined {
  const vic = thread.vic?.object.vic;
  const index = vic?.indexOfMpidr(affinity & AFFINITY_BITS);
  if (vic === undefined || index === undefined || index > PLATFORM_CPUS_MAX) return 'unknown';
  const found = thread.vpm?.group.threads.find((member) => member.vic?.index === index);
  return found?.state === 'ready' ? found : undefined;
}

function cpuOn({ kernel, thread, args }: PsciCall): PsciResult {
  const found = target(thread, args[0]);
  if (found === 'unknown') return PSCI.INVALID_PARAMETERS;
  if (found === undefined) return PSCI.INTERNAL_FAILURE;
  const error = powerOn(kernel, found, { entry: args[1], context: args[2] });
  if (error === 'BUSY') return PSCI.ALREADY_ON;
  return error === 'OK' ? PSCI.SUCCESS : PSCI.INTERNAL_FAILURE;
}

function affinityInfo({ thread, args }: PsciCall): PsciResult {
  const found = (args[1] & LOW_32) === 0n ? target(thread, args[0]) : 'unknown';
  if (found === 'unknown' || found === undefined) return PSCI.INVALID_PARAMETERS;
  return found.isBlockedBy('VCPU_OFF') ? 1 : 0;
}

function killOthers(kernel: Kernel, thread: Thread): void {
  for (const other of thread.vpm?.group.threads ?? []) if (other !== thread) killThread(kernel, other);
}

/** The call of a critical vCPU is the firmware's: its VM never runs again. */
function platformPower(kernel: Kernel, thread: Thread, action: 'off' | 'reset'): PsciResult {
  for (const member of thread.vpm?.group.threads ?? [thread]) if (!member.isBlockedBy('VCPU_OFF')) powerOff(kernel, member, `platform ${action}`);
  kernel.options.onPlatformPower(action);
  return 'none';
}

function systemOff({ kernel, thread }: PsciCall): PsciResult {
  if (isCritical(thread)) return platformPower(kernel, thread, 'off');
  killOthers(kernel, thread);
  haltThread(kernel, thread, 'VCPU_OFF');
  return 'none';
}

function systemReset({ kernel, thread }: PsciCall, data0: bigint, cookie: bigint): PsciResult {
  if (isCritical(thread)) return platformPower(kernel, thread, 'reset');
  killOthers(kernel, thread);
  thread.reset = { data0, cookie };
  haltThread(kernel, thread, 'VCPU_OFF');
  return 'none';
}

function systemReset2(call: PsciCall): PsciResult {
  if (isCritical(call.thread)) return PSCI.NOT_SUPPORTED;
  const width = call.is64 ? 1n << 62n : 0n;
  return systemReset(call, width | (call.args[0] & 0xffff_ffffn), call.args[1]);
}

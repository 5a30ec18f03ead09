/**
 * HVC of a machine without a hypervisor (`identity: none`), as QEMU's `virt` answers it: PSCI whatever the immediate, every other function
 * is unknown and answers NOT_SUPPORTED in all 64 bits of X0. No other register changes. SMC is Undefined there, see `exits.ts`.
 */

import { vmid } from '../base/brands';
import type { EventValues } from '../base/trace-event';
import type { Kernel } from './kernel';
import { PSCI, psciFunction } from './psci';
import type { Thread } from './thread';

const LOW_32 = 0xffff_ffffn;
const CPU_SUSPEND = 0x01;
const CPU_ON = 0x03;
const AFFINITY_INFO = 0x04;
const PSCI_FEATURES = 0x0a;
const MIGRATE_INFO_TYPE = 0x8400_0006;
/** No trusted operating system, so nothing to migrate. */
const MIGRATION_NOT_REQUIRED = 2;
/** Aff3 and Aff2 to Aff0 of an MPIDR. */
const AFFINITY_BITS = 0xff_00ff_ffffn;
/** All but the StateID and the type; there is one power level. */
const POWER_STATE_RESERVED = 0xfffe_0000n;
/** Function numbers (bits 15:0) that this firmware has. */
const PRESENT: readonly number[] = [0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, PSCI_FEATURES];

type PsciEntry = NonNullable<ReturnType<typeof psciFunction>>;

function entryOf(id: number): PsciEntry | undefined {
  const isPsci = ((id >>> 24) & 0xbf) === 0x84 && PRESENT.includes(id & 0xff_ffff);
  return isPsci ? psciFunction(id) : undefined;
}

/** Name of the function that a call asks for, if there is one. */
export function namePlainCall(id: number): string | undefined {
  return id >>> 0 === MIGRATE_INFO_TYPE ? 'MIGRATE_INFO_TYPE' : entryOf(id)?.name;
}

/** Carries out an HVC of a vCPU and writes X0. */
export function callPlain(kernel: Kernel, thread: Thread): void {
  const vcpu = kernel.engine.vcpu(thread.engineVcpu ?? 0);
  const id = Number(vcpu.x(0) & LOW_32);
  const name = namePlainCall(id);
  if (name === undefined) {
    vcpu.setX(0, BigInt.asUintN(64, BigInt(PSCI.NOT_SUPPORTED)));
    if (kernel.tracing) kernel.emit({ event: 'hypercall-unknown', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, number: id, path: 'smccc' });
    return;
  }
  trace(kernel, thread, { phase: 'enter', name, id, args: { x1: vcpu.x(1), x2: vcpu.x(2), x3: vcpu.x(3) } });
  const result = id === MIGRATE_INFO_TYPE ? MIGRATION_NOT_REQUIRED : run(kernel, thread, id);
  if (result === 'none') return;
  vcpu.setX(0, BigInt.asUintN(64, BigInt(result)));
  trace(kernel, thread, { phase: 'leave', name, id, args: {}, result: vcpu.x(0) });
}

function run(kernel: Kernel, thread: Thread, id: number): number | 'none' {
  const vcpu = kernel.engine.vcpu(thread.engineVcpu ?? 0);
  const is64 = ((id >>> 30) & 1) === 1;
  const width = is64 ? 0xffff_ffff_ffff_ffffn : LOW_32;
  if ((id & 0xffff) === PSCI_FEATURES) return namePlainCall(Number(vcpu.x(1) & LOW_32)) === undefined ? PSCI.NOT_SUPPORTED : PSCI.SUCCESS;
  const entry = entryOf(id);
  if (entry === undefined || thread.vpm === undefined) return PSCI.NOT_SUPPORTED;
  const first = vcpu.x(1) & width;
  const second = vcpu.x(2) & width;
  if ((id & 0xffff) === AFFINITY_INFO && second > 0n) return PSCI.SUCCESS;
  if (!isSound(id & 0xffff, first, second)) return PSCI.INVALID_PARAMETERS;
  const result = entry.call({ kernel, thread, id, is64, isSmc: false, args: [first, second, vcpu.x(3) & width] });
  // A CPU that does not exist has no firmware to fail inside.
  return result === PSCI.INTERNAL_FAILURE ? PSCI.INVALID_PARAMETERS : result;
}

/** What Gunyah lets pass and this firmware does not: reserved bits of an affinity and of a power state, an entry that is no instruction's address. */
function isSound(number: number, first: bigint, second: bigint): boolean {
  switch (number) {
    case CPU_SUSPEND: return (first & POWER_STATE_RESERVED) === 0n;
    case AFFINITY_INFO: return (first & ~AFFINITY_BITS) === 0n;
    case CPU_ON: return (first & ~AFFINITY_BITS) === 0n && (second & 3n) === 0n;
    default: return true;
  }
}

function trace(kernel: Kernel, thread: Thread, call: { readonly phase: 'enter' | 'leave'; readonly name: string; readonly id: number; readonly args: EventValues; readonly result?: bigint }): void {
  if (kernel.tracing) kernel.emit({ event: 'psci', vmid: vmid(thread.vmid), vcpu: thread.vcpuIndex, ...call });
}

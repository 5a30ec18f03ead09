/** The exception filters: kinds of event that stop the system wherever they happen, each with an optional condition. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TraceEvent } from '../runtime/index';

/** One filter as offered to the client. */
interface FilterRow {
  readonly filter: string;
  readonly label: string;
  readonly description: string;
  readonly default: boolean;
  /** What the call stack view says at such a stop. */
  readonly stopText: string;
  readonly matches: (event: TraceEvent) => boolean;
  /** Exception classes the engine must report for it (Arm ARM: ESR_ELx.EC). */
  readonly exceptionClasses: bigint;
}

/** The Resource Manager's own calls are not the user's program. */
const RM_VMID = 255;
/** The filter that no event matches: nothing happens any more. */
export const WFI_DEADLOCK = 'wfi-deadlock';
const CLASS_SVC = 0x15n;
const CLASS_UNKNOWN = 0n;
const ALL_CLASSES = (1n << 64n) - 1n;
const exceptionClass = (event: TraceEvent): bigint => (event.event === 'exception' ? (event.esr >> 26n) & 0x3fn : -1n);

/** All filters. */
export const EXCEPTION_FILTERS: readonly FilterRow[] = [
  { filter: 'hypercall-error', label: 'Hypercall errors', description: 'A hypercall returned an error.', default: false, stopText: 'Paused on a hypercall error', exceptionClasses: 0n,
    matches: (event) => event.event === 'hypercall' && event.phase === 'leave' && event.error !== 'OK' && event.vmid !== RM_VMID },
  { filter: 'hypercall-unknown', label: 'Unknown hypercalls', description: 'A guest made a call that the hypervisor does not have.', default: false, stopText: 'Paused on an unknown hypercall', exceptionClasses: 0n,
    matches: (event) => event.event === 'hypercall-unknown' },
  { filter: 'guest-exception', label: 'Guest exceptions', description: 'A guest took a synchronous exception to EL1 other than a system call.', default: false, stopText: 'Paused on a guest exception', exceptionClasses: ALL_CLASSES & ~(1n << CLASS_SVC),
    matches: (event) => event.event === 'exception' && event.kind === 'synchronous' && exceptionClass(event) !== CLASS_SVC },
  { filter: 'guest-undefined', label: 'Undefined instructions', description: 'A guest executed an instruction that is undefined or not enabled.', default: false, stopText: 'Paused on an undefined instruction', exceptionClasses: 1n << CLASS_UNKNOWN,
    matches: (event) => event.event === 'exception' && event.kind === 'synchronous' && exceptionClass(event) === CLASS_UNKNOWN },
  { filter: 'stage2-fault', label: 'Stage-2 faults', description: 'A guest touched memory that its address space does not have.', default: true, stopText: 'Paused on a stage-2 fault', exceptionClasses: 0n,
    matches: (event) => event.event === 'stage2-fault' },
  { filter: 'rm-error', label: 'Resource Manager errors', description: 'The Resource Manager answered a request with an error.', default: false, stopText: 'Paused on a Resource Manager error', exceptionClasses: 0n,
    matches: (event) => event.event === 'rm-reply' && event.error !== 'OK' },
  { filter: 'vm-exit', label: 'VM exits', description: 'A virtual machine stopped running.', default: false, stopText: 'Paused on a VM exit', exceptionClasses: 0n,
    matches: (event) => event.event === 'vm-state' && event.to === 'EXITED' },
  { filter: WFI_DEADLOCK, label: 'Everything waits', description: 'Every vCPU waits for an interrupt and nothing will raise one.', default: false, stopText: 'Paused because everything waits', exceptionClasses: 0n,
    matches: () => false },
];

/** DAP: the filters as capabilities announce them. */
export function offeredFilters(): DebugProtocol.ExceptionBreakpointsFilter[] {
  return EXCEPTION_FILTERS.map(({ filter, label, description, default: isDefault }) => ({
    filter, label, description, default: isDefault, supportsCondition: true, conditionDescription: 'C expression, for example size > 16 && vm == "primary"',
  }));
}

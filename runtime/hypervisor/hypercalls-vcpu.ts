/** Handlers of the calls on vCPUs and of the scheduler's. */

import { capId } from '../base/brands';
import { resolveAs } from './capability-lookup';
import type { ErrorName } from './errors';
import { AFFINITY_NONE } from './hypercall-checks';
import { type CallContext, type Handler, type Handlers, isError } from './hypercall-types';
import { RIGHTS } from './rights';
import { SCHEDULING, type Thread } from './thread';
import { killThread, powerOn, powerSelfOff, writeRegister } from './vcpu';
import { describeRunState, RUN_STATE, type RunReport, runVcpu } from './vcpu-run';

type VcpuCallName = 'vcpu_configure' | 'vcpu_register_write' | 'vcpu_poweron' | 'vcpu_poweroff' | 'vcpu_kill' | 'vcpu_set_affinity' | 'vcpu_set_priority'
  | 'vcpu_set_timeslice' | 'vcpu_bind_virq' | 'vcpu_unbind_virq' | 'vcpu_run' | 'vcpu_run_check' | 'scheduler_yield';

const VIRQ_HALT = 0;
const VIRQ_WAKEUP = 1;
const YIELD_TO_THREAD = 1;

const poweron: Handler<'vcpu_poweron'> = ({ entry_point, context, flags }, { vcpu }, { kernel }) => {
  return powerOn(kernel, vcpu, { entry: (flags & 1n) !== 0n ? undefined : entry_point, context: (flags & 2n) !== 0n ? undefined : context });
};

const poweroff: Handler<'vcpu_poweroff'> = ({ flags }, { vcpu }, { kernel, caller }) => {
  if (vcpu !== caller) return 'ARGUMENT_INVALID';
  const isLast = (flags & 1n) !== 0n;
  const group = caller.vpm?.group;
  if (group === undefined ? !isLast : !group.noAggregation && isLast !== (group.onlineCount === 1)) return 'DENIED';
  powerSelfOff(kernel, caller, 'vcpu_poweroff');
  return 'later';
};

const registerWrite: Handler<'vcpu_register_write'> = ({ register_set, register_index, value }, { vcpu }, { kernel }) => {
  if (vcpu.state === 'killed' || vcpu.state === 'exited') return 'OBJECT_STATE';
  if (!vcpu.isBlockedBy('VCPU_OFF')) return 'BUSY';
  if (!isRegisterValid(register_set, register_index, value)) return 'ARGUMENT_INVALID';
  writeRegister(kernel, vcpu, { set: register_set, index: register_index }, value);
  return 'OK';
};

function isRegisterValid(set: number, index: number, value: bigint): boolean {
  switch (set) {
    case 0: return index <= 30;
    case 1: return index === 0 && value % 4n === 0n;
    case 2: return index <= 1 && value % 16n === 0n;
    default: return false;
  }
}

const setAffinity: Handler<'vcpu_set_affinity'> = ({ affinity }, { vcpu }, { kernel, caller }) =>
  kernel.scheduler.changeAffinity(vcpu, affinity === AFFINITY_NONE ? undefined : affinity, kernel.scheduler.cpuOf(caller));

const setTimeslice: Handler<'vcpu_set_timeslice'> = ({ timeslice }, { vcpu }) => {
  if (timeslice < BigInt(SCHEDULING.timesliceMin) || timeslice > BigInt(SCHEDULING.timesliceMax)) return 'ARGUMENT_INVALID';
  vcpu.timesliceTicks = Number(timeslice);
  return 'OK';
};

const bindVirq: Handler<'vcpu_bind_virq'> = ({ virq, virq_type }, { vcpu, vic }, { kernel }) => {
  if (virq_type === VIRQ_HALT) return vcpu.haltSource.bind(vic.vic, virq);
  if (virq_type !== VIRQ_WAKEUP) return 'ARGUMENT_INVALID';
  if (kernel.scheduler.isRunning(vcpu)) return 'BUSY';
  const error = vcpu.wakeupSource.bind(vic.vic, virq);
  if (error === 'OK' && !vcpu.isProxy) {
    kernel.scheduler.block(vcpu, 'VCPU_RUN');
    vcpu.isProxy = true;
  }
  return error;
};

const unbindVirq: Handler<'vcpu_unbind_virq'> = ({ virq_type }, { vcpu }) => {
  if (virq_type !== VIRQ_HALT && virq_type !== VIRQ_WAKEUP) return 'ARGUMENT_INVALID';
  (virq_type === VIRQ_HALT ? vcpu.haltSource : vcpu.wakeupSource).unbind();
  return 'OK';
};

/** The result registers of a run report. */
export function reportResults({ state, data }: RunReport): { readonly vcpu_state: number; readonly state_data_0: bigint; readonly state_data_1: bigint; readonly state_data_2: bigint } {
  return { vcpu_state: state, state_data_0: data[0], state_data_1: data[1], state_data_2: data[2] };
}

const run: Handler<'vcpu_run'> = ({ resume_data_0, resume_data_1 }, { vcpu }, { kernel, caller, path }) => {
  const answer = runVcpu(kernel, caller, vcpu, { data0: resume_data_0, data1: resume_data_1, kind: path === 'smccc' ? 'run-smccc' : 'run-native' });
  if (answer === 'started') return 'later';
  return isError(answer) ? answer : reportResults(answer);
};

const runCheck: Handler<'vcpu_run_check'> = (_args, { vcpu }) => {
  if (vcpu.isRunnable) return 'BUSY';
  const described = describeRunState(vcpu);
  // Of what only waits to be run, or is blocked for reasons of the hypervisor's own, the state is told with the error.
  const isBlocked = described.state === RUN_STATE.READY || described.state === RUN_STATE.BLOCKED;
  return isBlocked ? { error: 'BUSY', ...reportResults({ ...described, state: RUN_STATE.BLOCKED }) } : reportResults(described);
};

const schedulerYield: Handler<'scheduler_yield'> = ({ control, arg1 }, _objects, context) => {
  const hint = control & 0xffff;
  if (control >>> 31 === 1 || hint > YIELD_TO_THREAD) return 'ARGUMENT_INVALID';
  if (hint === YIELD_TO_THREAD) return yieldTo(capId(arg1), context);
  context.kernel.scheduler.yieldSlice(context.caller);
  return 'OK';
};

function yieldTo(id: ReturnType<typeof capId>, { kernel, caller }: CallContext): ErrorName {
  if (caller.cspace === undefined) return 'OBJECT_STATE';
  const target: Thread | ErrorName = resolveAs(caller.cspace, id, 'thread', { rights: RIGHTS.thread.yield_to, state: 'active' });
  if (isError(target)) return target;
  if (target === caller.yieldDonor) kernel.scheduler.yieldSlice(caller);
  else if (caller.kind === 'vcpu' && !isWoken(caller) && kernel.scheduler.canYieldTo(caller, target)) kernel.scheduler.yieldTo(caller, target, 'directed');
  return 'OK';
}

/** An interrupt that is pending already skips the yield. */
function isWoken(thread: Thread): boolean {
  return thread.vic?.object.vic.hasDeliverable(thread.vic.index) ?? false;
}

/** Handlers of this file. */
export const VCPU_HANDLERS: Handlers<VcpuCallName> = {
  vcpu_configure: ({ vcpu_options }, { vcpu }) => {
    vcpu.options = vcpu_options;
    return 'OK';
  },
  vcpu_register_write: registerWrite,
  vcpu_poweron: poweron,
  vcpu_poweroff: poweroff,
  vcpu_kill: (_args, { vcpu }, { kernel }) => {
    killThread(kernel, vcpu);
    return 'OK';
  },
  vcpu_set_affinity: setAffinity,
  vcpu_set_priority: ({ priority }, { vcpu }) => {
    if (priority > SCHEDULING.priorityMax) return 'DENIED';
    vcpu.priority = priority;
    return 'OK';
  },
  vcpu_set_timeslice: setTimeslice,
  vcpu_bind_virq: bindVirq,
  vcpu_unbind_virq: unbindVirq,
  vcpu_run: run,
  vcpu_run_check: runCheck,
  scheduler_yield: schedulerYield,
};

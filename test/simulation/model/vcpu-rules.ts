/**
 * The rules of vCPUs and power-management groups: what they are attached to, how they are scheduled, how they begin and end. No vCPU runs in
 * this world, so that what they do by themselves is not here.
 */

import { bindEnd, type End } from './message-rules';
import { E } from './signatures';
import type { Cspace, Thread, Vic, VpmGroup, Wire } from './things';
import { ACTIVATE, answer, done, type Verdict, type WorldState } from './world-state';
import type { Arguments, Rule } from './rules';

const [POWER, AFFINITY, PRIORITY, TIMESLICE, YIELD_TO, BIND, STATE, LIFECYCLE, WRITE_CONTEXT, DISABLE] = [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200];
const [CSPACE_ATTACH, ADDRSPACE_ATTACH, VIC_ATTACH, VIC_BIND, VPM_ATTACH, VPM_BIND, VPM_QUERY] = [8, 1, 2, 1, 1, 2, 4];
const ANY_STATE = ['init', 'active', 'failed'];
/** Bits 0 to 5, 8, 9 and 63. */
const OPTIONS = (1n << 63n) | 0x33fn;
const [PINNED, SVE, PROXY, HLOS] = [1n, 8n, 1n << 9n, 1n << 63n];
const CPUS = 2n;
const NO_CPU = 0xffffn;
const GROUP_SIZE = 8n;
const VCPUS_MAX = 16;
/** vCPUs that an address space has room for. */
const ADDRSPACE_THREADS = 8;
const [STATE_READY, STATE_OFF, STATE_BLOCKED] = [0n, 2n, 3n];

const isPinned = (thread: Thread): boolean => (thread.options & (PINNED | HLOS)) !== 0n;
const isOn = (thread: Thread): boolean => thread.state === 'active' && thread.life === 'ready' && !thread.isOff;

/** What the API calls the state of a group: 1 while a vCPU of it is on. */
export function groupState(world: WorldState, group: VpmGroup): bigint {
  return !group.noAggregation && [...world.all('thread')].some((thread) => thread.vpm?.group === group.id && isOn(thread)) ? 1n : 2n;
}

/** Activation: power group, interrupt controller, address space, options, and one of the vCPUs that there are. */
export function activateThread(world: WorldState, thread: Thread): number {
  const others = [...world.all('thread')].filter((other) => other !== thread && other.state === 'active');
  const { vpm, vic } = thread;
  if (vpm !== undefined && others.some((other) => other.vpm?.group === vpm.group && other.vpm.index === vpm.index)) return E.DENIED;
  if (vic !== undefined && others.some((other) => other.vic?.id === vic.id && other.vic.index === vic.index)) return E.BUSY;
  if (thread.addrspace === undefined) return E.OBJECT_CONFIG;
  if (vic === undefined) return E.ARGUMENT_INVALID;
  const isHlos = (thread.options & HLOS) !== 0n;
  const isTwice = isHlos && others.some((other) => (other.options & HLOS) !== 0n && other.affinity === thread.affinity);
  if (thread.cspace === undefined || (isPinned(thread) && thread.affinity === undefined) || ((thread.options & SVE) !== 0n && !isHlos) || isTwice) return E.OBJECT_CONFIG;
  if (others.length >= VCPUS_MAX) return E.NOMEM;
  thread.isProxy = (thread.options & PROXY) !== 0n;
  return E.OK;
}

/** A vCPU before its activation and what it is attached to; `order` says which is looked at first. */
function attachment<K extends 'cspace' | 'addrspace' | 'vic' | 'vpm_group'>(kind: K, right: number, order: 'thread first' | 'thread last', attach: (thread: Thread, to: ReturnType<typeof toOf<K>>, args: Arguments, world: WorldState) => number): Rule {
  return (world, caller, args) => {
    const findThread = () => world.find(caller, order === 'thread first' ? args.thread : args.vcpu, 'thread', { rights: ACTIVATE, states: ANY_STATE, rightsFirst: true });
    const findOther = () => world.find(caller, args[kind], kind, { rights: right });
    const first = order === 'thread first' ? findThread() : findOther();
    if (typeof first === 'number') return answer(first);
    const second = order === 'thread first' ? findOther() : findThread();
    if (typeof second === 'number') return answer(second);
    const [threadId, otherId] = first.kind === 'thread' ? [first.id, second.id] : [second.id, first.id];
    const thread = world.get('thread', threadId);
    if (thread.state !== 'init') return answer(E.OBJECT_STATE);
    const error = attach(thread, toOf(world, kind, otherId), args, world);
    world.collect();
    return answer(error);
  };
}

const toOf = <K extends 'cspace' | 'addrspace' | 'vic' | 'vpm_group'>(world: WorldState, kind: K, id: number) => world.get(kind, id);

const configure: Rule = (world, caller, { vcpu, vcpu_options }) => {
  if ((vcpu_options & ~OPTIONS) !== 0n) return answer(E.ARGUMENT_INVALID);
  const thread = world.find(caller, vcpu, 'thread', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof thread === 'number') return answer(thread);
  thread.options = vcpu_options;
  return done();
};

const setAffinity: Rule = (world, caller, { vcpu, affinity }) => {
  if (affinity >= CPUS && affinity !== NO_CPU) return answer(E.ARGUMENT_INVALID);
  const thread = world.find(caller, vcpu, 'thread', { rights: AFFINITY | (affinity === NO_CPU ? DISABLE : 0), states: ['init', 'active'] });
  if (typeof thread === 'number') return answer(thread);
  const cpu = affinity === NO_CPU ? undefined : Number(affinity);
  if (cpu === thread.affinity) return done();
  if (thread.state === 'active' && isPinned(thread)) return answer(E.DENIED);
  thread.affinity = cpu;
  return done();
};

const setPriority: Rule = (world, caller, { vcpu, priority }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: PRIORITY, states: ANY_STATE });
  if (typeof thread === 'number') return answer(thread);
  if (priority > 62n) return answer(E.DENIED);
  if (thread.state !== 'init') return answer(E.OBJECT_STATE);
  thread.priority = Number(priority);
  return done();
};

const setTimeslice: Rule = (world, caller, { vcpu, timeslice }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: TIMESLICE, states: ['init'] });
  if (typeof thread === 'number') return answer(thread);
  if (timeslice < 100_000n || timeslice > 100_000_000n) return answer(E.ARGUMENT_INVALID);
  thread.timeslice = Number(timeslice);
  return done();
};

const poweron: Rule = (world, caller, { vcpu, flags }) => {
  if ((flags & ~3n) !== 0n) return answer(E.ARGUMENT_INVALID);
  const thread = world.find(caller, vcpu, 'thread', { rights: POWER });
  if (typeof thread === 'number') return answer(thread);
  if (!thread.isOff) return answer(E.BUSY);
  if (thread.life !== 'ready') return answer(E.FAILURE);
  thread.isOff = false;
  if (thread.isProxy) world.assertWire(thread.wakeWire, 'pulse');
  return done();
};

/** Only a vCPU itself may do this, and no VM here has that right to its own. */
const poweroff: Rule = (world, caller, { vcpu, flags }) => {
  if ((flags & ~1n) !== 0n) return answer(E.ARGUMENT_INVALID);
  const thread = world.find(caller, vcpu, 'thread', { rights: POWER });
  return answer(typeof thread === 'number' ? thread : E.ARGUMENT_INVALID);
};

const kill: Rule = (world, caller, { vcpu }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: LIFECYCLE });
  if (typeof thread === 'number') return answer(thread);
  if (thread.life !== 'ready') return done();
  thread.life = thread.isProxy ? 'killed' : 'exited';
  if (thread.isProxy) world.assertWire(thread.wakeWire, 'pulse');
  return done();
};

const registerWrite: Rule = (world, caller, { vcpu, register_set, register_index, value }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: WRITE_CONTEXT, states: ANY_STATE });
  if (typeof thread === 'number') return answer(thread);
  if (thread.life === 'killed' || thread.life === 'exited') return answer(E.OBJECT_STATE);
  if (!thread.isOff) return answer(E.BUSY);
  const isValid = (register_set === 0n && register_index <= 30n) || (register_set === 1n && register_index === 0n && value % 4n === 0n) || (register_set === 2n && register_index <= 1n && value % 16n === 0n);
  return answer(isValid ? E.OK : E.ARGUMENT_INVALID);
};

/** The halt interrupt, and the one that tells a scheduler of wake-ups: binding that makes the vCPU one that others lend time to. */
const wireOf = (thread: Thread, type: bigint): End | undefined => {
  if (type > 1n) return undefined;
  const name = type === 0n ? 'haltWire' : 'wakeWire';
  return { read: () => thread[name], set: (wire: Wire | undefined) => { thread[name] = wire; }, source: { object: thread.id, end: type === 0n ? 'halt' : 'wake' } };
};

const bindVirq: Rule = (world, caller, { vcpu, vic, virq, virq_type }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: BIND });
  if (typeof thread === 'number') return answer(thread);
  const target = world.find(caller, vic, 'vic', { rights: VIC_BIND });
  if (typeof target === 'number') return answer(target);
  const end = wireOf(thread, virq_type);
  if (end === undefined) return answer(E.ARGUMENT_INVALID);
  const verdict = bindEnd(world, end, target, Number(virq));
  if (virq_type === 1n && verdict.errors.includes(E.OK)) thread.isProxy = true;
  return verdict;
};

const unbindVirq: Rule = (world, caller, { vcpu, virq_type }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: BIND });
  if (typeof thread === 'number') return answer(thread);
  const end = wireOf(thread, virq_type);
  if (end === undefined) return answer(E.ARGUMENT_INVALID);
  world.unbindWire(end.read());
  end.set(undefined);
  return done();
};

const report = (state: bigint, data = 0n): Verdict => done({ vcpu_state: state, state_data_0: data, state_data_1: 0n, state_data_2: 0n });

function stateOf(thread: Thread): readonly [state: bigint, data?: bigint] {
  if (thread.life === 'exited') return [STATE_OFF, 1n];
  if (thread.life === 'killed') return [STATE_BLOCKED];
  return thread.isOff ? [STATE_OFF] : [STATE_READY];
}

const runCheck: Rule = (world, caller, { vcpu }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: BIND | STATE });
  if (typeof thread === 'number') return answer(thread);
  const [state, data] = stateOf(thread);
  if (state === STATE_OFF) return report(state, data);
  return state === STATE_BLOCKED || thread.isProxy ? answer(E.BUSY, { vcpu_state: STATE_BLOCKED }) : answer(E.BUSY);
};

/** True if vcpu_run would make the vCPU run, which no vCPU does here. */
export function wouldRun(world: WorldState, caller: Cspace, cap: bigint): boolean {
  const slot = world.slot(caller, cap);
  const thing = typeof slot === 'number' ? undefined : world.things.get(slot.object);
  return thing?.kind === 'thread' && thing.isProxy && isOn(thing);
}

const run: Rule = (world, caller, { vcpu }) => {
  const thread = world.find(caller, vcpu, 'thread', { rights: AFFINITY | YIELD_TO });
  if (typeof thread === 'number') return answer(thread);
  if (!thread.isProxy) return answer(E.BUSY);
  if (thread.life === 'killed') thread.life = 'exited';
  return report(...stateOf(thread));
};

const configureGroup: Rule = (world, caller, { vpm_group, flags }) => {
  if ((flags & ~1n) !== 0n) return answer(E.UNIMPLEMENTED);
  const group = world.find(caller, vpm_group, 'vpm_group', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof group === 'number') return answer(group);
  group.noAggregation = flags === 1n;
  return done();
};

const groupEnd = (group: VpmGroup): End => ({ read: () => group.wire, set: (wire) => { group.wire = wire; }, source: { object: group.id, end: 'group' } });

const bindGroup: Rule = (world, caller, { vpm_group, vic, virq }) => {
  const group = world.find(caller, vpm_group, 'vpm_group', { rights: VPM_BIND });
  if (typeof group === 'number') return answer(group);
  const target = world.find(caller, vic, 'vic', { rights: VIC_BIND });
  return typeof target === 'number' ? answer(target) : bindEnd(world, groupEnd(group), target, Number(virq));
};

const unbindGroup: Rule = (world, caller, { vpm_group }) => {
  const group = world.find(caller, vpm_group, 'vpm_group', { rights: VPM_BIND });
  if (typeof group === 'number') return answer(group);
  world.unbindWire(group.wire);
  group.wire = undefined;
  return done();
};

const getGroup: Rule = (world, caller, { vpm_group }) => {
  const group = world.find(caller, vpm_group, 'vpm_group', { rights: VPM_QUERY });
  return typeof group === 'number' ? answer(group) : done({ vpm_state: groupState(world, group) });
};

const TRACE_FIXED = 0x21n;
const updateTrace: Rule = (world, _caller, { set_flags, clear_flags }) => {
  const changed = (world.traceClasses & ~clear_flags) | set_flags;
  world.traceClasses = (changed & ~TRACE_FIXED) | (world.traceClasses & TRACE_FIXED);
  return done({ flags: world.traceClasses });
};

const attachIndex = (thread: Thread, vic: Vic, index: bigint): number => {
  if (index >= BigInt(vic.vcpuCount)) return E.ARGUMENT_INVALID;
  thread.vic = { id: vic.id, index: Number(index) };
  return E.OK;
};

/** Rules of this file. */
export const VCPU_RULES = {
  cspace_attach_thread: attachment('cspace', CSPACE_ATTACH, 'thread first', (thread, { id }) => {
    thread.cspace = id;
    return E.OK;
  }),
  addrspace_attach_thread: attachment('addrspace', ADDRSPACE_ATTACH, 'thread first', (thread, { id }, _args, world) => {
    // The place is taken before an old one is given up.
    if ([...world.all('thread')].filter((other) => other.addrspace === id).length >= ADDRSPACE_THREADS) return E.NOMEM;
    thread.addrspace = id;
    return E.OK;
  }),
  vic_attach_vcpu: attachment('vic', VIC_ATTACH, 'thread last', (thread, vic, { index }) => attachIndex(thread, vic, index)),
  vpm_group_attach_vcpu: attachment('vpm_group', VPM_ATTACH, 'thread last', (thread, { id }, { index }) => {
    const place = index & 0xffffn;
    if (place >= GROUP_SIZE) return E.ARGUMENT_INVALID;
    thread.vpm = { group: id, index: Number(place) };
    return E.OK;
  }),
  vcpu_configure: configure,
  vcpu_set_affinity: setAffinity,
  vcpu_set_priority: setPriority,
  vcpu_set_timeslice: setTimeslice,
  vcpu_poweron: poweron,
  vcpu_poweroff: poweroff,
  vcpu_kill: kill,
  vcpu_register_write: registerWrite,
  vcpu_bind_virq: bindVirq,
  vcpu_unbind_virq: unbindVirq,
  vcpu_run_check: runCheck,
  vcpu_run: run,
  vpm_group_configure: configureGroup,
  vpm_group_bind_virq: bindGroup,
  vpm_group_unbind_virq: unbindGroup,
  vpm_group_get_state: getGroup,
  trace_update_class_flags: updateTrace,
} satisfies Record<string, Rule>;

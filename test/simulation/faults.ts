/**
 * Whole systems with a fault: the primary VM makes, runs and ends two dozen VMs one after the other (`test/guests/vmm-states.c`) while two others work.
 * A fault is a window of virtual time in which memory is short, a call of a made VM switches it off or resets it, or a message to RM is cut
 * short. It follows from the state alone, so that the run can be repeated and gone back in.
 */

import assert from 'node:assert/strict';
import { resolveSystem, systemOfProgram } from '../../debug-adapter/configuration/resolve';
import { nodeHost } from '../../debug-adapter/node-host';
import { Prng } from '../../runtime/base/prng';
import { ticks, type DebugTarget, type System } from '../../runtime/index';
import { guestElf, guestElfs } from '../support/guest-build';
import { debug, finish, type Subject } from '../support/system';
import { FaultInjection } from './fault-injection';

/** Kinds of fault. */
export const FAULT_KINDS = ['short-memory', 'system-off', 'system-reset', 'cut-message'] as const;
/** One fault. */
export interface Fault { readonly kind: (typeof FAULT_KINDS)[number]; readonly at: number; readonly until: number; readonly size: number }

const WORKERS = ['sdk-self-test', 'steady'];
const PRIMARY_VMID = 3;
/** The first VM that the primary VM makes; the workers come before. */
const MADE_VMID = 0x82;
const MADE_VMID_END = 0xbf;
const SEND = 0x601b;
const SEND_SMCCC = 0xc600_801bn;
const [SYSTEM_OFF, SYSTEM_RESET] = [0x8400_0008n, 0x8400_0009n];
const END = 160_000_000;
const SLICE = 5_000_000;

/** What is left when the primary VM has switched the platform off, and what the workers said. */
export interface Remains { readonly isEnded: boolean; readonly resources: string; readonly workers: string | undefined; readonly hash: string; readonly end: number; readonly fired: number; readonly occasions: Occasions }

/** When memory is asked for, made VMs call, and the primary VM sends to RM. */
function noteOccasions(system: System): Occasions {
  const found: Record<Fault['kind'], number[]> = { 'short-memory': [], 'system-off': [], 'system-reset': [], 'cut-message': [] };
  system.trace.onEvent = (event) => {
    const isMade = event.vmid >= MADE_VMID && event.vmid < MADE_VMID_END;
    if (isMade && (event.event === 'hypercall' || event.event === 'psci' || event.event === 'smccc')) for (const kind of ['system-off', 'system-reset'] as const) found[kind].push(event.tick);
    if (event.event !== 'hypercall' || event.phase !== 'enter') return;
    if (event.vmid === PRIMARY_VMID && event.name === 'msgqueue_send') found['cut-message'].push(event.tick);
    else if (/partition_create|addrspace_map|cspace_copy|object_activate|memextent_donate/.test(event.name)) found['short-memory'].push(event.tick);
  };
  return found;
}

/** The system. */
export async function faultySubject(): Promise<Subject> {
  const alone = systemOfProgram(guestElfs('guests', ['vmm-states']).get('vmm-states') ?? '');
  const workers = WORKERS.map((name) => ({ name, image: name === 'steady' ? guestElfs('simulation', [name]).get(name) ?? '' : guestElf(name), autostart: true, memory: { base: '0x41000000', size: '8M' } }));
  const resolved = await resolveSystem(nodeHost, { ...alone, platform: { cpus: 3 }, vms: [...alone.vms, ...workers] }, { semihosting: false, folder: '/' });
  assert.ok(resolved.ok, resolved.ok ? '' : resolved.error.map(({ message }) => message).join('\n'));
  return { name: 'faults', ...resolved.value };
}

/** Times at which faults of each kind can hit, from a run without one. */
export type Occasions = Readonly<Record<Fault['kind'], readonly number[]>>;

/** A fault at a time when there is something to hit. */
export function randomFault(prng: Prng, occasions: Occasions): Fault {
  const kind = FAULT_KINDS[prng.below(FAULT_KINDS.length)] ?? 'short-memory';
  const times = occasions[kind];
  const at = Math.max(0, (times[prng.below(times.length)] ?? 0) - prng.below(3));
  const length = kind === 'short-memory' ? [1, 2000, 50_000][prng.below(3)] ?? 1 : 10_000;
  return { kind, at, until: at + length, size: prng.below(240) };
}

/** Makes the fault happen; answers how often it did. */
function inject(system: System, fault: Fault): () => number {
  const { hypervisor, engine } = system.parts;
  let fired = 0;
  const isNow = () => system.now >= fault.at && system.now < fault.until;
  if (fault.kind === 'short-memory') {
    new FaultInjection(system).injectShortage(() => {
      if (isNow()) fired++;
      return isNow();
    });
    return () => fired;
  }
  const handle = hypervisor.handleExit.bind(hypervisor);
  hypervisor.handleExit = (thread, exit) => {
    if (!isNow() || exit.reason !== 'hvc' || thread.engineVcpu === undefined) return handle(thread, exit);
    const vcpu = engine.vcpu(thread.engineVcpu);
    if (fault.kind === 'cut-message') {
      const isNative = exit.immediate === SEND;
      if (thread.vmid !== PRIMARY_VMID || (!isNative && (exit.immediate !== 0 || vcpu.x(0) !== SEND_SMCCC))) return handle(thread, exit);
      const register = isNative ? 1 : 2;
      vcpu.setX(register, vcpu.x(register) < BigInt(fault.size) ? vcpu.x(register) : BigInt(fault.size));
      fired++;
      return handle(thread, exit);
    }
    if (thread.vmid < MADE_VMID || thread.vmid >= MADE_VMID_END) return handle(thread, exit);
    vcpu.setX(0, fault.kind === 'system-off' ? SYSTEM_OFF : SYSTEM_RESET);
    fired++;
    return handle(thread, { reason: 'hvc', immediate: 0 });
  };
  return () => fired;
}

/** Runs to the end with a fault; half-way it goes back to a third of the run and forward again, which must change nothing. */
export function runWith(subject: Subject, fault: Fault | undefined, options: { readonly goesBack: boolean }): Remains {
  const target = debug(subject, { history: { intervalEffort: 20_000_000, checkpointCountMax: 12 } });
  const { system } = target;
  const fired = fault === undefined ? () => 0 : inject(system, fault);
  const occasions = noteOccasions(system);
  const stop = runToEnd(target);
  const hash = system.stateHash();
  if (options.goesBack) {
    const end = system.now;
    finish(target.seek(ticks(Math.floor(end / 3))));
    system.parts.hypervisor.checkInvariants();
    finish(target.seek(ticks(end)));
    assert.equal(system.stateHash(), hash, 'going back and forward again changes nothing');
  }
  return { isEnded: stop === 'power', resources: resourcesOf(system), workers: workersOf(system), hash, end: system.now, fired: fired(), occasions };
}

function runToEnd(target: DebugTarget): string {
  const { system, timeline } = target;
  for (;;) {
    const stop = system.run({ until: ticks(system.now + SLICE), effortMax: 100_000_000 });
    timeline.observe();
    system.parts.hypervisor.checkInvariants();
    if (stop.kind !== 'limit' || system.now >= END) return stop.kind;
  }
}

/** Everything that a VM takes: objects by type, memory by owner's type, parcels, VMIDs. */
export function resourcesOf(system: System): string {
  const { inspection } = system.parts;
  const types = new Map(inspection.objects().map(({ id, type }) => [id, type]));
  const count = new Map<string, bigint>();
  const add = (key: string, by: bigint) => count.set(key, (count.get(key) ?? 0n) + by);
  for (const type of types.values()) add(type, 1n);
  for (const { owner, sizeBytes } of inspection.ownership()) add(`pages of ${types.get(owner) ?? 'hypervisor'}`, sizeBytes >> 12n);
  const { vms, parcels } = system.parts.rmView();
  const heap = new FaultInjection(system).heapUse();
  return [...[...count].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key} ${String(value)}`), `VMs ${vms.map(({ vmid }) => vmid).join()}`, `parcels ${String(parcels.length)}`, `heap ${String(heap.bytes)} bytes, ${String(heap.otherPages)} pages`].join('; ');
}

/** What the worker that ends says when it is done, and when that is at the latest. */
const SELF_TEST = { text: 'all 454 checks pass', by: 15_000_000 };
/** A line of the worker that goes on, and the longest time between two: RM answers when it gets its slice of the CPU. */
const STEADY = { line: /^turn (\d+): OK, VM 81 in state 3, what it always had$/, begins: 20_000_000, period: 18_000_000 };

/** What is wrong with what the workers say, if anything. */
export function workersOf(system: System): string | undefined {
  const [, selfTest = '', steady = ''] = system.consoles.map(({ transcript }) => Buffer.from(transcript.text()).toString('latin1'));
  if (system.now > SELF_TEST.by && !selfTest.includes(SELF_TEST.text)) return `the first worker says: ${selfTest.slice(-200)}`;
  const lines = steady.split(/\r?\n/).filter((line) => line !== '');
  const isWhole = steady.endsWith('\n');
  const wrong = lines.find((line, n) => STEADY.line.exec(line)?.[1] !== String(n) && (isWhole || n < lines.length - 1));
  if (wrong !== undefined) return `the second worker says: ${wrong}`;
  return lines.length < Math.floor((system.now - STEADY.begins) / STEADY.period) ? `the second worker has said only ${String(lines.length)} lines by ${String(system.now)}` : undefined;
}

/** What is wrong with a run that had a fault, beside the same run without it. */
export function complaint(whole: Remains, remains: Remains, fault: Fault): string | undefined {
  if (remains.workers !== undefined) return remains.workers;
  // A message that is cut to nothing gets no answer, as from the real Resource Manager: its sender waits for ever.
  if (!remains.isEnded) return fault.kind === 'cut-message' ? undefined : 'the primary VM does not come to its end';
  return remains.resources === whole.resources ? undefined : `left are ${remains.resources}, without the fault ${whole.resources}`;
}

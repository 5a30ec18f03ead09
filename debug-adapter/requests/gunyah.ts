/** The `gunyah/…` requests. Those that only look are answered while running too, between two slices. */

import { decodeDeviceTree, hex, ipa, pa, ticks, va, vmid as asVmid, type Translated } from '../../runtime/index';
import { AdapterError } from '../errors';
import type { CustomRequestBody, CustomRequestName, TranslationStep } from '../protocol/index';
import type { Session } from '../session';
import { traceRow } from '../trace-row';
import type { SpacedAddress } from '../variables/references';
import { interruptRows, memoryRows, schedulerRows, vmRows } from '../views/machines';
import { ObjectBook } from '../views/objects';
import { numberOf, numberOr, textOf, textOr, type Arguments } from './arguments';
import type { Handler } from './table';

const TRACE_LIMIT_MAX = 10_000;

type CustomHandlers = { readonly [N in CustomRequestName]: (session: Session, args: Arguments) => CustomRequestBody<N> | Promise<CustomRequestBody<N>> };

function system(session: Session): Session['debuggee']['target']['system'] {
  return session.debuggee.target.system;
}

function vcpuOfNamedVm(session: Session, args: Arguments, command: string): number {
  return session.references.vcpuOfVm(textOf(args, 'vm', command));
}

function translate(session: Session, args: Arguments): CustomRequestBody<'gunyah/translate'> {
  const vcpu = vcpuOfNamedVm(session, args, 'gunyah/translate');
  const text = textOf(args, 'address', 'gunyah/translate');
  const parsed = session.references.parseAddress(text);
  if (parsed === undefined) throw new AdapterError('badAddress', { address: text });
  const isIntermediate = parsed.space === 'ipa' || numberOr(args, 'stage', 1) === 2;
  const result = system(session).engine.translate(vcpu, isIntermediate ? ipa(parsed.address) : va(parsed.address), isIntermediate ? 2 : 'both');
  return describeTranslation(parsed, isIntermediate, result);
}

function describeTranslation({ address }: SpacedAddress, isIntermediate: boolean, result: Translated): CustomRequestBody<'gunyah/translate'> {
  const steps: TranslationStep[] = [{ space: isIntermediate ? 'ipa' : 'va', address: hex(address), note: '' }];
  if (!result.ok) return { ok: false, steps, error: `Stage ${result.stage} ${result.fault} fault at level ${result.level}.` };
  if (!isIntermediate) steps.push({ space: 'ipa', address: hex(result.ipa), note: 'after stage 1' });
  const access = [result.readable ? 'R' : '-', result.writable ? 'W' : '-', result.executable ? 'X' : '-'].join('');
  steps.push({ space: 'pa', address: hex(result.pa), note: `${access} ${result.isRam ? 'RAM' : 'device'}` });
  return { ok: true, steps };
}

/** A page of the trace, oldest first, from event number `from`; `filter` is a word that a line must contain. With `future` also what lies ahead. */
function trace(session: Session, args: Arguments): CustomRequestBody<'gunyah/trace'> {
  const log = system(session).trace;
  const limit = Math.min(TRACE_LIMIT_MAX, Math.max(1, numberOr(args, 'limit', 1000)));
  const filter = textOr(args, 'filter')?.toLowerCase() ?? '';
  const end = args['future'] === true ? log.end : log.position;
  const events: CustomRequestBody<'gunyah/trace'>['events'][number][] = [];
  const first = numberOr(args, 'from', Math.max(log.start, log.position - limit));
  let number = Math.max(log.start, first);
  for (; number < end && events.length < limit; number++) {
    const event = log.at(number);
    if (event === undefined) continue;
    const row = { ...traceRow(event, system(session).vmName(event.vmid)), number };
    if (filter === '' || JSON.stringify(row).toLowerCase().includes(filter)) events.push(row);
  }
  return { events, next: number, dropped: Math.max(0, log.start - first), start: log.start, position: log.position, end: log.end, branch: log.branch };
}

function timeline(session: Session): CustomRequestBody<'gunyah/timeline'> {
  const { timeline: history } = session.debuggee.target;
  return { start: history.start, end: history.end, now: system(session).now, checkpoints: history.list(), marks: [], replaying: history.replaying };
}

/** Goes to a tick, or to just after a trace event given by its number. Ends with a `stopped` event. */
function seek(session: Session, args: Arguments): CustomRequestBody<'gunyah/seek'> {
  const { target } = session.requireStopped();
  if (!target.canTravel) throw new AdapterError('noHistory');
  const event = typeof args['event'] === 'number' ? system(session).trace.at(args['event']) : undefined;
  const tick = event?.tick ?? Math.trunc(numberOf(args, 'tick', 'gunyah/seek'));
  const goal = Math.min(Math.max(tick, target.timeline.start), target.timeline.end);
  session.start(target.seek(ticks(goal)));
  return { tick: goal };
}

async function lastWrite(session: Session, args: Arguments): Promise<CustomRequestBody<'gunyah/lastWrite'>> {
  const { target } = session.requireStopped();
  if (!target.canTravel) throw new AdapterError('noHistory');
  const parsed = session.references.parseAddress(textOf(args, 'address', 'gunyah/lastWrite'));
  if (parsed === undefined) throw new AdapterError('badAddress', { address: textOf(args, 'address', 'gunyah/lastWrite') });
  const size = Math.min(4096, Math.max(1, numberOr(args, 'size', 1)));
  const vcpu = session.references.vcpuOfVm(textOr(args, 'vm') ?? parsed.vm);
  const pieces = parsed.space === 'pa' ? [{ address: pa(parsed.address), sizeBytes: size }] : target.system.physicalPieces(vcpu, parsed.address, size, parsed.space === 'ipa' ? 2 : 'both');
  const ended = new Promise<void>((done) => { session.afterJob = done; });
  session.start(target.lastWrite(pieces));
  await ended;
  const stop = session.lastStop;
  if (stop?.reason !== 'data breakpoint') return { found: false };
  const writer = stop.vcpu;
  return { found: true, tick: stop.tick, ...(writer === null ? { vm: 'hypervisor' } : { vm: target.system.vmNameOf(writer) ?? '', pc: hex(target.system.pcOf(writer)) }) };
}

function writeConsole(session: Session, args: Arguments): CustomRequestBody<'gunyah/writeConsole'> {
  const vm = textOf(args, 'vm', 'gunyah/writeConsole');
  const index = system(session).consoles.findIndex((console) => console.vm === vm);
  if (index < 0) throw new AdapterError('unknownVm', { vm });
  session.debuggee.target.branch();
  const accepted = system(session).writeConsole(index, new TextEncoder().encode(textOf(args, 'text', 'gunyah/writeConsole')));
  session.wake();
  return { accepted };
}

function deviceTree(session: Session, args: Arguments): CustomRequestBody<'gunyah/deviceTree'> {
  const id = numberOf(args, 'vmid', 'gunyah/deviceTree');
  const blob = system(session).deviceTreeOf(asVmid(id));
  if (blob === undefined) throw new AdapterError('unknownVm', { vm: String(id) });
  return { source: decodeDeviceTree(blob) };
}

/** Messages that went through each queue, counted from the trace. */
function messageCounts(session: Session): Map<number, { sent: number; received: number }> {
  const counts = new Map<number, { sent: number; received: number }>();
  const log = system(session).trace;
  for (let number = log.start; number < log.position; number++) {
    const event = log.at(number);
    if (event?.event !== 'message' || event.action === 'flushed') continue;
    const count = counts.get(event.objectId) ?? { sent: 0, received: 0 };
    count[event.action]++;
    counts.set(event.objectId, count);
  }
  return counts;
}

const HANDLERS: CustomHandlers = {
  'gunyah/vms': (session) => ({ vms: vmRows(session) }),
  'gunyah/capabilities': (session, args) => ({ capabilities: new ObjectBook(system(session)).capabilities(numberOf(args, 'vmid', 'gunyah/capabilities')) }),
  'gunyah/messageQueues': (session) => ({ messageQueues: new ObjectBook(system(session)).queues(messageCounts(session)) }),
  'gunyah/doorbells': (session) => ({ doorbells: new ObjectBook(system(session)).doorbells() }),
  'gunyah/memory': (session, args) => ({ map: memoryRows(session, numberOf(args, 'vmid', 'gunyah/memory')) }),
  'gunyah/translate': translate,
  'gunyah/interrupts': (session, args) => ({ interrupts: interruptRows(session, numberOf(args, 'vmid', 'gunyah/interrupts')) }),
  'gunyah/scheduler': (session) => ({ cpus: schedulerRows(session) }),
  'gunyah/rm': (session) => ({
    vms: vmRows(session),
    memparcels: system(session).rmView().parcels.map((parcel) => ({ ...parcel, ranges: parcel.ranges.map(({ address, sizeBytes }) => ({ address: hex(address), sizeBytes: Number(sizeBytes) })) })),
    pending: system(session).rmView().vms.flatMap((vm) => vm.waiting.map((message) => ({ vmid: vm.vmid, ...message }))),
  }),
  'gunyah/trace': trace,
  'gunyah/timeline': timeline,
  'gunyah/seek': seek,
  'gunyah/lastWrite': lastWrite,
  'gunyah/writeConsole': writeConsole,
  'gunyah/deviceTree': deviceTree,
};

/** By name, as the request table wants them. */
export const GUNYAH_REQUESTS: Readonly<Record<string, Handler>> = HANDLERS;


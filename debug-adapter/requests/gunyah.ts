/** The `gunyah/…` requests. Those that only look are answered while running too, between two slices. */

import { decodeDeviceTree, hex, pa, ticks, vmid as asVmid } from '../../runtime/index';
import { encodeBase64 } from '../base64';
import { AdapterError } from '../errors';
import type { CustomRequestBody, CustomRequestName } from '../protocol/index';
import type { Session } from '../session';
import { tracePage } from '../trace-page';
import { EventIndex } from '../views/event-index';
import { interruptsBody } from '../views/interrupts';
import { vmRows } from '../views/machines';
import { RM_HISTORY_MAX, rmHistoryRows, rmPendingRows, rmVmRows } from '../views/manager';
import { memoryBody, memparcelRows } from '../views/memory';
import { schedulerBody } from '../views/scheduler';
import { translationBody } from '../views/translation';
import { ObjectBook } from '../views/objects';
import { numberOf, numberOr, textOf, textOr, type Arguments } from './arguments';
import { SERVICE_REQUESTS } from './services';
import { snapshot } from './snapshot';
import type { Handler } from './handler';
import { exportTrace } from './trace-export';

const RM_HISTORY_DEFAULT = 200;

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
  const space = parsed.space === 'va' && numberOr(args, 'stage', 1) === 2 ? 'ipa' : parsed.space;
  return translationBody(system(session), { vcpu, address: parsed.address, space });
}

function trace(session: Session, args: Arguments): CustomRequestBody<'gunyah/trace'> {
  const page = tracePage(session, args);
  if (!page.ok) throw new AdapterError('badArguments', { command: 'gunyah/trace', problem: page.error });
  return page.value;
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
  return { source: decodeDeviceTree(blob), blob: encodeBase64(blob) };
}

/** Messages that went through each queue, counted from the trace. */
function messageCounts(session: Session): Map<number, { sent: number; received: number }> {
  const counts = new Map<number, { sent: number; received: number }>();
  const { trace: log } = system(session);
  for (const number of EventIndex.of(system(session)).past('message')) {
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
  'gunyah/memory': (session, args) => memoryBody(system(session), numberOf(args, 'vmid', 'gunyah/memory')),
  'gunyah/translate': translate,
  'gunyah/interrupts': (session, args) => interruptsBody(system(session), numberOf(args, 'vmid', 'gunyah/interrupts')),
  'gunyah/scheduler': (session) => schedulerBody(system(session)),
  'gunyah/rm': (session, args) => ({
    vms: vmRows(session), table: rmVmRows(system(session)), memparcels: memparcelRows(system(session)), pending: rmPendingRows(system(session)),
    history: rmHistoryRows(system(session), Math.min(RM_HISTORY_MAX, Math.max(0, numberOr(args, 'historyLimit', RM_HISTORY_DEFAULT)))),
  }),
  'gunyah/trace': trace,
  'gunyah/timeline': timeline,
  'gunyah/seek': seek,
  'gunyah/lastWrite': lastWrite,
  'gunyah/writeConsole': writeConsole,
  'gunyah/deviceTree': deviceTree,
  ...SERVICE_REQUESTS,
  'gunyah/exportTrace': exportTrace,
  'gunyah/snapshot': snapshot,
};

/** By name, as the request table wants them. */
export const GUNYAH_REQUESTS: Readonly<Record<string, Handler>> = HANDLERS;


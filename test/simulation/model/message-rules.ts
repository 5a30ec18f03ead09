/** The rules of doorbells, message queues and interrupt wires. */

import { E } from './signatures';
import type { Doorbell, Line, Queue, Vic, Wire } from './things';
import { ACTIVATE, answer, done, type Verdict, type WorldState } from './world-state';
import type { Rule } from './rules';

const ONES = 0xffff_ffff_ffff_ffffn;
const UNCHANGED = 0xffff_ffffn;
const [SEND, RECEIVE, BIND, BIND_SEND, BIND_RECEIVE, BIND_SOURCE] = [1, 2, 4, 4, 8, 1];

const isRinging = (bell: Doorbell): boolean => (bell.flags & bell.enable) !== 0n;

const ring: Rule = (world, caller, { doorbell, new_flags }) => {
  const bell = world.find(caller, doorbell, 'doorbell', { rights: SEND });
  if (typeof bell === 'number') return answer(bell);
  const old_flags = bell.flags;
  bell.flags |= new_flags;
  world.assertWire(bell.wire, isRinging(bell) ? 'level' : 'pulse');
  if (isRinging(bell)) bell.flags &= ONES ^ bell.ack;
  return done({ old_flags });
};

const take: Rule = (world, caller, { doorbell, clear_flags }) => {
  const bell = world.find(caller, doorbell, 'doorbell', { rights: RECEIVE });
  if (typeof bell === 'number') return answer(bell);
  if (clear_flags === 0n) return answer(E.ARGUMENT_INVALID);
  const old_flags = bell.flags;
  bell.flags &= ONES ^ clear_flags;
  return done({ old_flags });
};

const resetBell: Rule = (world, caller, { doorbell }) => {
  const bell = world.find(caller, doorbell, 'doorbell', { rights: RECEIVE });
  if (typeof bell === 'number') return answer(bell);
  world.clearWire(bell.wire);
  Object.assign(bell, { flags: 0n, enable: ONES, ack: 0n });
  return done();
};

const maskBell: Rule = (world, caller, { doorbell, enable_mask, ack_mask }) => {
  const bell = world.find(caller, doorbell, 'doorbell', { rights: RECEIVE });
  if (typeof bell === 'number') return answer(bell);
  const was = isRinging(bell);
  Object.assign(bell, { enable: enable_mask, ack: ack_mask });
  const is = isRinging(bell);
  if (was && !is) world.clearWire(bell.wire);
  if (!was && is) world.assertWire(bell.wire, 'level');
  if (is) bell.flags &= ONES ^ ack_mask;
  return done();
};

/** One end of a queue or a bell, as a wire that can be bound. */
export interface End { readonly read: () => Wire | undefined; readonly set: (wire: Wire | undefined) => void; readonly source: NonNullable<Line['source']> }

function endOf(thing: Doorbell | Queue, end: 'bell' | 'send' | 'receive'): End {
  const source = { object: thing.id, end };
  if (thing.kind === 'doorbell') return { read: () => thing.wire, set: (wire) => { thing.wire = wire; }, source };
  return end === 'send' ? { read: () => thing.sendWire, set: (wire) => { thing.sendWire = wire; }, source } : { read: () => thing.receiveWire, set: (wire) => { thing.receiveWire = wire; }, source };
}

/** Binds an end to an interrupt, if both are free. */
export function bindEnd(world: WorldState, end: End, vic: Vic, virq: number): Verdict {
  if (end.read() !== undefined) return answer(E.VIRQ_BOUND);
  if (virq < 32 || virq > 1019 || virq - 32 >= vic.virqCount) return answer(E.ARGUMENT_INVALID);
  const line = world.line(vic, virq);
  if (line.source !== undefined) return answer(E.BUSY);
  line.source = end.source;
  end.set({ vic: vic.id, virq });
  return done();
}

const bind = (kind: 'doorbell' | 'msgqueue', rights: number, end: 'bell' | 'send' | 'receive'): Rule => (world, caller, args) => {
  const thing = world.find(caller, kind === 'doorbell' ? args.doorbell : args.msgqueue, kind, { rights });
  if (typeof thing === 'number') return answer(thing);
  const vic = world.find(caller, args.vic, 'vic', { rights: BIND_SOURCE });
  return typeof vic === 'number' ? answer(vic) : bindEnd(world, endOf(thing, end), vic, Number(args.virq));
};

const unbind = (kind: 'doorbell' | 'msgqueue', rights: number, end: 'bell' | 'send' | 'receive'): Rule => (world, caller, args) => {
  const thing = world.find(caller, kind === 'doorbell' ? args.doorbell : args.msgqueue, kind, { rights });
  if (typeof thing === 'number') return answer(thing);
  const at = endOf(thing, end);
  world.unbindWire(at.read());
  at.set(undefined);
  return done();
};

const send: Rule = (world, caller, args, memory) => {
  const queue = world.find(caller, args.msgqueue, 'msgqueue', { rights: SEND });
  if (typeof queue === 'number') return answer(queue);
  if (queue.messages.length === queue.depth) return answer(E.MSGQUEUE_FULL, { not_full: 0n });
  const bytes = args.size >= 1n && args.size <= BigInt(queue.sizeMax) ? memory.read(args.data, Number(args.size)) : undefined;
  if (bytes === undefined) return done({ not_full: 1n });
  queue.messages.push(bytes);
  if ((args.send_flags & 1n) !== 0n || queue.messages.length === queue.notEmpty) world.assertWire(queue.receiveWire, 'level');
  return done({ not_full: queue.messages.length < queue.depth ? 1n : 0n });
};

const receive: Rule = (world, caller, { msgqueue, buffer, buf_size }, memory) => {
  const queue = world.find(caller, msgqueue, 'msgqueue', { rights: RECEIVE });
  if (typeof queue === 'number') return answer(queue);
  const [message] = queue.messages;
  if (message === undefined) return answer(E.MSGQUEUE_EMPTY, { size: 0n, not_empty: 0n });
  if (buf_size < BigInt(message.length) || !memory.deliver(buffer, message)) return done({ size: 0n, not_empty: 1n });
  queue.messages.shift();
  if (queue.messages.length === queue.notFull) world.assertWire(queue.sendWire, 'level');
  return done({ size: BigInt(message.length), not_empty: queue.messages.length > 0 ? 1n : 0n });
};

const flush: Rule = (world, caller, { msgqueue }) => {
  const queue = world.find(caller, msgqueue, 'msgqueue', { rights: RECEIVE });
  if (typeof queue === 'number') return answer(queue);
  if (queue.messages.length > 0) {
    queue.messages.length = 0;
    world.assertWire(queue.sendWire, 'level');
    world.clearWire(queue.receiveWire);
  }
  return done();
};

const configureSend: Rule = (world, caller, { msgqueue, threshold, holdoff }) => {
  const queue = world.find(caller, msgqueue, 'msgqueue', { rights: SEND });
  if (typeof queue === 'number') return answer(queue);
  if (holdoff !== UNCHANGED) return answer(E.UNIMPLEMENTED);
  if (threshold === UNCHANGED) return done();
  if (threshold >= BigInt(queue.depth)) return answer(E.ARGUMENT_INVALID);
  queue.notFull = Number(threshold);
  if (queue.messages.length <= queue.notFull) world.assertWire(queue.sendWire, 'level');
  else world.clearWire(queue.sendWire);
  return done();
};

const configureReceive: Rule = (world, caller, { msgqueue, threshold, holdoff }) => {
  const queue = world.find(caller, msgqueue, 'msgqueue', { rights: RECEIVE });
  if (typeof queue === 'number') return answer(queue);
  if (holdoff !== UNCHANGED) return answer(E.UNIMPLEMENTED);
  if (threshold === 0xffff_fffen) {
    queue.notEmpty = queue.depth;
    return done();
  }
  if (threshold === UNCHANGED) return done();
  if (threshold === 0n || threshold > BigInt(queue.depth)) return answer(E.ARGUMENT_INVALID);
  queue.notEmpty = Number(threshold);
  if (queue.messages.length >= queue.notEmpty) world.assertWire(queue.receiveWire, 'level');
  else world.clearWire(queue.receiveWire);
  return done();
};

const configureQueue: Rule = (world, caller, { msgqueue, create_info }) => {
  const queue = world.find(caller, msgqueue, 'msgqueue', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof queue === 'number') return answer(queue);
  const depth = Number(create_info & 0xffffn);
  const size = Number((create_info >> 16n) & 0xffffn);
  if (depth < 1 || depth > 255 || size < 1 || size > 1023) return answer(E.ARGUMENT_INVALID);
  queue.depth = depth;
  queue.sizeMax = size;
  return done();
};

const configureVic: Rule = (world, caller, { vic, max_vcpus, max_virqs, options, max_msis }) => {
  const target = world.find(caller, vic, 'vic', { rights: ACTIVATE, states: ['init'], rightsFirst: true });
  if (typeof target === 'number') return answer(target);
  // What is in order takes effect before the next value is looked at.
  if (options > 3n || max_vcpus < 1n || max_vcpus > 8n) return answer(E.ARGUMENT_INVALID);
  target.vcpuCount = Number(max_vcpus);
  if (max_virqs > 988n) return answer(E.ARGUMENT_INVALID);
  target.virqCount = Number(max_virqs);
  if ((options & 1n) !== 0n && max_msis !== 0n) return answer(E.ARGUMENT_INVALID);
  return done();
};

/** True while the condition behind a line holds; asked when the guest touches the line. */
export function holds(world: WorldState, line: Line): boolean {
  const thing = line.source === undefined ? undefined : world.things.get(line.source.object);
  if (thing?.kind === 'doorbell') return isRinging(thing);
  if (thing?.kind === 'virtio_mmio') return line.source?.end === 'backend' && thing.interrupts !== 0;
  if (thing?.kind !== 'msgqueue') return false;
  return line.source?.end === 'send' ? thing.messages.length <= thing.notFull : thing.messages.length >= thing.notEmpty;
}

/** Rules of this file. */
export const MESSAGE_RULES = {
  doorbell_bind_virq: bind('doorbell', BIND, 'bell'),
  doorbell_unbind_virq: unbind('doorbell', BIND, 'bell'),
  doorbell_send: ring,
  doorbell_receive: take,
  doorbell_reset: resetBell,
  doorbell_mask: maskBell,
  msgqueue_bind_send_virq: bind('msgqueue', BIND_SEND, 'send'),
  msgqueue_bind_receive_virq: bind('msgqueue', BIND_RECEIVE, 'receive'),
  msgqueue_unbind_send_virq: unbind('msgqueue', BIND_SEND, 'send'),
  msgqueue_unbind_receive_virq: unbind('msgqueue', BIND_RECEIVE, 'receive'),
  msgqueue_send: send,
  msgqueue_receive: receive,
  msgqueue_flush: flush,
  msgqueue_configure_send: configureSend,
  msgqueue_configure_receive: configureReceive,
  msgqueue_configure: configureQueue,
  vic_configure: configureVic,
} satisfies Record<string, Rule>;

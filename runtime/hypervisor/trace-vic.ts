/**
 * What happens inside a virtual interrupt controller, as the trace in memory has it: register writes, routes, and each step of a delivery with the
 * states that the hypervisor keeps.
 *
 * No delivery waits for another CPU, so that entries about that do not occur.
 */

import type { GicDelivery, GicObserver } from '../machine/devices/gic-interrupt-types';
import type { Thread } from './thread';
import type { TraceHandle, TraceLog } from './trace-log';
import type { TraceValue } from './trace-buffer';
import type { VicObject } from './vic-object';

const FIRST_SHARED = 32;
/** The maintenance interrupt of a GIC's CPU interface on QEMU's board, and on ours. */
const MAINTENANCE_INTERRUPT = 25;
const LIST_PENDING = 1;
const LIST_ACTIVE = 2;
/** Route of a delivery word that says nowhere, and as entries say it. */
const ROUTE_NONE = 8;

/** Takes down what one controller does. `threadAt` finds the vCPU at an index. */
export function observeVic(log: TraceLog, vic: VicObject, threadAt: (index: number) => Thread | undefined): GicObserver {
  const { rows } = log;
  const known = new Map<number, Thread>();
  const address = (index: number | undefined): number => {
    if (index === undefined) return 0;
    let thread = known.get(index);
    if (thread === undefined || thread.header.state === 'destroying' || thread.vic?.object !== vic) {
      thread = threadAt(index) ?? thread;
      if (thread === undefined) return 0;
      known.set(index, thread);
    }
    return log.addressOf(thread);
  };
  const add = (handle: TraceHandle, index: number | undefined, ...values: readonly TraceValue[]): void => {
    if (log.wants(handle)) log.write(handle, [log.addressOf(vic), address(index), ...values]);
  };
  return {
    wanted: () => log.wants(rows.deliver) || log.wants(rows.redeliverMerged),
    maintenance: () => { log.log(rows.hardwareInterrupt, MAINTENANCE_INTERRUPT); },
    closed: (cpu, reasons) => {
      log.log(rows.hardwareInterrupt, MAINTENANCE_INTERRUPT);
      add(rows.groupMaintenance, cpu, reasons);
    },
    delivery: (delivery) => { logDelivery(log, add, delivery); },
    write: (frame, offset, value) => { add(frame === undefined ? rows.gicdWrite : rows.gicrWrite, frame, offset, value); },
    route: (intid, cpu) => { add(rows.route, undefined, intid, cpu ?? ROUTE_NONE); },
    group: (cpu, group, enabled) => { add(rows.groupEnable, cpu, group, log.word(enabled ? 'enabled' : 'disabled')); },
  };
}

type Add = (handle: TraceHandle, index: number | undefined, ...values: readonly TraceValue[]) => void;

function logDelivery(log: TraceLog, add: Add, { kind, intid, cpu, at, before, after, list: [listBefore, listAfter] = [0, 0], outcome, isPending }: GicDelivery): void {
  const { rows } = log;
  // Distributor registers withdraw and end a shared interrupt without looking for its vCPU.
  const owner = intid < FIRST_SHARED ? cpu : at;
  switch (kind) {
    case 'deliver': return add(rows.deliver, cpu, intid, before, after);
    case 'list': return add(rows.listIfPending, cpu, intid, before, after);
    case 'redeliver':
      if ((listBefore & LIST_PENDING) !== 0) add(rows.redeliverMerged, cpu, intid);
      add(rows.redeliverList, cpu, intid, listBefore, listAfter);
      return add(rows.redeliver, cpu, intid, before, after);
    case 'undeliver': return add(rows.undeliverUnlisted, owner, intid, before, after);
    case 'undeliver-listed': return add(rows.undeliverSync, owner, intid, before, after);
    case 'reclaim': return add(rows.reclaimList, cpu, intid, before, after);
    case 'deactivate': return add(rows.deactivate, owner, intid, before, after);
    case 'inactive': return add(rows.alreadyInactive, owner, intid, before);
    case 'sync':
      add(rows.syncList, cpu, intid, before, after);
      if (outcome === 'free') return add(rows.syncDelisted, cpu, intid, isPending === true ? 1 : 0);
      if (outcome === 'active') return add(rows.syncActive, cpu, intid, log.word(isPending === true ? 'still' : 'not'));
      if (outcome === 'unchanged') return add(rows.syncUnchanged, cpu, intid);
      return add(rows.syncPending, cpu, intid, log.word((listAfter & LIST_ACTIVE) === 0 ? 'not' : 'and'));
  }
}

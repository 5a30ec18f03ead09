/** Rows of the Resource Manager: its tables, messages on their way, and the messages of the past. */

import { decodeRmMessage, hex, type EventValues, type RmVmView, type RmWaitingView, type System, type TraceEvent } from '../../runtime/index';
import type { RmMessageRow, RmPendingRow, RmVmRow } from '../protocol/index';
import { osStateText } from './machines';
import { vmNameAt } from '../trace-row';
import { EventIndex } from './event-index';
import { bytesText, ObjectBook, wordedValue } from './objects';
import type { SystemNames } from './rm-words';

const RM_VMID = 255;
/** Bytes of a payload that a row shows. */
const PAYLOAD_SHOWN_MAX = 1024;
/** Messages of the past that one answer gives. */
export const RM_HISTORY_MAX = 10_000;

/** RM's table of VMs. */
export function rmVmRows(system: System): RmVmRow[] {
  const nameOf = (vmid: number): string => system.vmName(vmid);
  return system.rmView().vms.map((vm): RmVmRow => ({
    vmid: vm.vmid, vm: nameOf(vm.vmid), state: vm.state, osState: osStateText(vm.osState), appStatus: vm.appStatus, owner: nameOf(vm.owner), peers: vm.peers.map(nameOf), vcpuCount: vm.vcpuCount,
    uri: vm.uri, crashMessage: vm.crashMessage, exit: vm.exit,
    memory: joined(vm.memory).map(({ ipa, sizeBytes, kind, handle }) => ({ ipa: hex(ipa), sizeBytes: Number(sizeBytes), kind, memparcel: handle })),
  }));
}

/** Ranges that follow on each other, of one kind and one parcel, as one: a parcel may be of thousands of pages that lie apart only physically. */
function joined(memory: RmVmView['memory']): readonly Pick<RmVmView['memory'][number], 'ipa' | 'sizeBytes' | 'kind' | 'handle'>[] {
  const ranges: { ipa: bigint; sizeBytes: bigint; kind: RmVmView['memory'][number]['kind']; handle: RmVmView['memory'][number]['handle'] }[] = [];
  for (const { ipa, sizeBytes, kind, handle } of memory) {
    const last = ranges.at(-1);
    if (last !== undefined && last.ipa + last.sizeBytes === ipa && last.kind === kind && last.handle === handle) last.sizeBytes += sizeBytes;
    else ranges.push({ ipa, sizeBytes, kind, handle });
  }
  return ranges;
}

/** Messages that have left one side and not reached the other, in the order of their way. */
export function rmPendingRows(system: System): RmPendingRow[] {
  const queues = new Map(system.inspection.queues().map((queue) => [queue.objectId, queue]));
  const cspace = system.inspection.cspaceOf(RM_VMID);
  const objects = new Map((cspace === undefined ? [] : system.inspection.capabilities(cspace)).map(({ capId, objectId }) => [capId, objectId]));
  const book = new ObjectBook(system);
  return system.rmView().vms.flatMap(({ vmid, waiting, assembling, queues: ends }) => {
    const vm = { vmid, vm: system.vmName(vmid) };
    const naming: SystemNames = { vm: (id) => system.vmName(id), capability: (capId) => book.describe(vmid, capId) };
    const queued = (cap: bigint | undefined, place: RmPendingRow['place']): RmPendingRow[] =>
      (queues.get([...objects].find(([id]) => id === cap)?.[1] ?? -1)?.messages ?? []).flatMap(({ bytes, tick }) => queuedRow(bytes, { ...vm, tick, place }, naming));
    return [
      ...queued(ends?.fromVm, 'to RM'), ...(assembling === null ? [] : [waitingRow(assembling, { ...vm, place: 'assembling' }, naming)]),
      ...waiting.map((message) => waitingRow(message, { ...vm, place: 'held by RM' }, naming)), ...queued(ends?.toVm, 'to VM'),
    ];
  });
}

function queuedRow(bytes: Uint8Array, where: Pick<RmPendingRow, 'vmid' | 'vm' | 'place'> & { readonly tick: number }, names: SystemNames): RmPendingRow[] {
  const message = decodeRmMessage(bytes);
  if (message === undefined) return [];
  const { kind, name, id, sequence, fields } = message;
  return [{ number: null, kind, name, id, sequence, error: errorOf(fields), fields: fieldTexts(name, fields, names), bytes: payloadText(bytes), ...where }];
}

function waitingRow({ kind, name, id, sequence, fields, payload }: RmWaitingView, where: Pick<RmPendingRow, 'vmid' | 'vm' | 'place'>, names: SystemNames): RmPendingRow {
  return { number: null, tick: null, kind, name, id, sequence, error: errorOf(fields), fields: fieldTexts(name, fields, names), bytes: payloadText(payload), ...where };
}

/** The last messages of the past, oldest first. */
export function rmHistoryRows(system: System, limit: number): RmMessageRow[] {
  const book = new ObjectBook(system);
  const numbers = EventIndex.of(system).past('rm');
  return numbers.slice(Math.max(0, numbers.length - limit)).flatMap((number) => {
    const event = system.trace.at(number);
    const row = event === undefined ? undefined : historyRow({ system, book }, event, number);
    return row === undefined ? [] : [row];
  });
}

function historyRow({ system, book }: { readonly system: System; readonly book: ObjectBook }, event: TraceEvent, number: number): RmMessageRow | undefined {
  if (event.event !== 'rm-request' && event.event !== 'rm-reply' && event.event !== 'rm-notification') return undefined;
  const { tick, vmid, name, id, payload } = event;
  const common = { number, tick, vmid, vm: system.vmName(vmid), name, id, bytes: payloadText(payload) };
  const names: SystemNames = { vm: (other) => vmNameAt(system, other, number), capability: (capId) => book.describe(vmid, capId) };
  switch (event.event) {
    case 'rm-request': return { ...common, kind: 'request', sequence: event.sequence, error: null, fields: fieldTexts(name, event.args, names) };
    case 'rm-reply': return { ...common, kind: 'reply', sequence: event.sequence, error: event.error, fields: fieldTexts(name, event.result, names) };
    case 'rm-notification': return { ...common, kind: 'notification', sequence: 0, error: null, fields: fieldTexts(name, event.args, names) };
  }
}

function errorOf(fields: EventValues): string | null {
  const { error } = fields;
  return typeof error === 'string' ? error : null;
}

/** Fields in words, each number with its name; how the request ended is told apart from them. */
function fieldTexts(message: string, fields: EventValues, names: SystemNames): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'error').map(([name, value]) => [name, wordedValue({ message, name, value }, names)]));
}

function payloadText(bytes: Uint8Array): string {
  return bytesText(bytes.subarray(0, PAYLOAD_SHOWN_MAX));
}

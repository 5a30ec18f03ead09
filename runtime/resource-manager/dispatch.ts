/**
 * RM's event loop body: an interrupt comes, messages are taken in, requests are served one after the other, replies go out.
 */

import type { VirqNumber } from '../base/brands';
import { ERRORS } from '../hypervisor/interface';
import type { Rm } from './context';
import { decodePayload, encodeRecord } from './message-codec';
import type { RmRecord } from './message-codec';
import { describePayload, requestById, rmMessageName } from './message-display';
import { RM_REQUESTS } from './message-table';
import type { RmRequest, RmRequestName } from './message-table';
import { suitsLinux } from './profile';
import { RM_ERRORS, RmFailure } from './rm-errors';
import type { RmErrorName } from './rm-errors';
import { receivePacket, RPC_PAYLOAD_MAX } from './rpc';
import type { RpcMessage } from './rpc';
import type { RmLink, VmRecord } from './state';
import { linuxAnswer, linuxOutcome } from './linux-answers';
import { addressHandlers, refusesReserve } from './requests/address-space';
import { clockHandlers } from './requests/clock';
import { consoleHandlers } from './requests/console';
import { firmwareHandlers } from './requests/firmware';
import type { RmHandlers } from './requests/handler';
import { interruptHandlers, refusesNotify } from './requests/interrupts';
import { memoryHandlers } from './requests/memory';
import { newerHandlers } from './requests/newer';
import { queryHandlers, refusesLookup } from './requests/queries';
import { vmManagementHandlers } from './requests/vm-management';
import { VMID } from './vm-states';
import { vcpuHalted, watchdogBitten } from './vm-teardown';

/** Every handler there is. */
const HANDLERS: RmHandlers = { ...consoleHandlers, ...vmManagementHandlers, ...memoryHandlers, ...interruptHandlers, ...queryHandlers, ...firmwareHandlers, ...addressHandlers, ...clockHandlers, ...newerHandlers };

/** Requests that the open RM serves and this one does not yet; they answer UNIMPLEMENTED. */
export function notYetRmMessages(): readonly RmRequestName[] {
  return (Object.keys(RM_REQUESTS) as RmRequestName[]).filter((name) => RM_REQUESTS[name].status === 'open' && HANDLERS[name] === undefined);
}

/** Serves an interrupt of RM's. */
export function serveInterrupt(rm: Rm, virq: VirqNumber): void {
  for (const vm of rm.state.vms) {
    if (vm.link?.rmRxVirq === virq) return receiveAll(rm, vm, vm.link);
    if (vm.link?.rmTxVirq === virq) return rm.pump(vm);
    const halted = vm.vcpus.find((vcpu) => vcpu.haltVirq === virq);
    if (halted !== undefined) return vcpuHalted(rm, vm, halted.index);
    if (vm.objects?.watchdog?.biteVirq === virq) return watchdogBitten(rm, vm);
  }
}

/** RM empties its queue on every interrupt. The channel may go while it does. */
function receiveAll(rm: Rm, vm: VmRecord, link: RmLink): void {
  while (vm.link === link) {
    const packet = rm.receivePacket(link.fromVm, link.messageSizeBytes);
    if (packet === undefined) return;
    const message = receivePacket(link.receiver, packet);
    if (message?.kind === 'request') serveRequest(rm, vm, message);
  }
}

/** MEM_RELEASE and MEM_RECLAIM: handle and flags. */
const RELEASE_BYTES = 8;

function serveRequest(rm: Rm, caller: VmRecord, message: RpcMessage): void {
  const { id, sequence, payload } = message;
  rm.host.trace({ event: 'rm-request', vmid: caller.vmid, name: rmMessageName(id), id, sequence, args: describePayload('request', id, payload), payload });
  rm.reply(caller, message, answer(rm, caller, message));
}

/** The reply's payload: the error word, and the data if there are any. */
function answer(rm: Rm, caller: VmRecord, message: RpcMessage): Uint8Array {
  const found = requestById(message.id);
  if (found === undefined) return errorWord('UNIMPLEMENTED');
  const special = linuxAnswer(rm, caller, found.name, message.payload);
  if (special !== undefined) return success(special);
  const outcome = linuxOutcome(rm, found.name, run(rm, caller, found, message.payload));
  if (outcome instanceof RmFailure) return failure(found.row, outcome.error, outcome.hypervisorError);
  if (typeof outcome === 'string') return failure(found.row, outcome, ERRORS.ARGUMENT_INVALID);
  const whole = success(encodeRecord(found.row.reply, outcome));
  return whole.length > RPC_PAYLOAD_MAX ? errorWord('NORESOURCE') : whole;
}

function success(data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(4 + data.length);
  whole.set(data, 4);
  return whole;
}

/** An outcome without data; some requests say more when they fail. */
function failure(row: RmRequest, error: RmErrorName, hypervisorError: number): Uint8Array {
  const word = errorWord(error);
  if (row.hasErrorDetail !== true || error === 'OK') return word;
  const whole = new Uint8Array(8);
  whole.set(word);
  new DataView(whole.buffer).setInt32(4, hypervisorError, true);
  return whole;
}

function run(rm: Rm, caller: VmRecord, request: { readonly name: RmRequestName; readonly row: RmRequest }, payload: Uint8Array): RmErrorName | RmFailure | RmRecord {
  // Handlers are keyed by name, and each takes just what its row describes.
  const handler = HANDLERS[request.name] as ((rm: Rm, caller: VmRecord, args: RmRecord) => RmErrorName | RmFailure | RmRecord) | undefined;
  if (handler === undefined || (request.row.status === 'newer' && !suitsLinux(rm.options))) return 'UNIMPLEMENTED';
  const hlosOnly = request.row.caller === 'hlos' || request.row.caller === 'hlos-owner';
  if (hlosOnly && caller.vmid !== VMID.HLOS) return 'DENIED';
  if (request.name === 'VM_SET_STATUS' && (caller.vmid === VMID.HLOS || caller.platformIndex === null)) return 'DENIED';
  const refusal = refusesForm(rm, caller, request.name, payload);
  if (refusal !== undefined) return refusal;
  const known = request.row.ignoresRest === true ? payload.subarray(0, RELEASE_BYTES) : payload;
  const args = decodePayload(request.row.request, known, request.row.minimumBytes);
  return args.ok ? handler(rm, caller, args.value) : args.error;
}

/** What some requests look at before they look at the payload's length as a whole. */
function refusesForm(rm: Rm, caller: VmRecord, name: RmRequestName, payload: Uint8Array): RmErrorName | undefined {
  if (name === 'VM_IRQ_NOTIFY') return refusesNotify(rm, payload);
  if (name === 'IPA_RESERVE') return refusesReserve(caller, payload);
  if ((name === 'FW_SET_VM_FIRMWARE' || name === 'FW_MILESTONE') && rm.state.firmwareIsFinal) return 'DENIED';
  return name.startsWith('VM_LOOKUP_') ? refusesLookup(name, payload) : undefined;
}

function errorWord(error: RmErrorName): Uint8Array {
  const word = new Uint8Array(4);
  new DataView(word.buffer).setUint32(0, RM_ERRORS[error], true);
  return word;
}

/**
 * What every part of RM works with: the root VM it runs in, its state, and the few things that all parts do — calling the
 * hypervisor, finding VMs, changing their state, and sending notifications and replies.
 */

import { assert } from '../base/assert';
import { ipa, virqNumber, vmid as asVmid } from '../base/brands';
import type { CapId, VirqNumber, Vmid } from '../base/brands';
import { ERRORS } from '../hypervisor/interface';
import type { HypercallArguments, HypercallName, HypercallOutputs, RootVm, RootVmEnvironment } from '../hypervisor/interface';
import { encodeRecord } from './message-codec';
import type { RmRecord } from './message-codec';
import { describePayload, rmMessageName } from './message-display';
import { RM_NOTIFICATIONS } from './message-table';
import type { RmNotificationName, RmNotificationValues } from './message-table';
import type { Field } from './message-fields';
import { rmErrorFromHypervisor } from './rm-errors';
import type { RmErrorName } from './rm-errors';
import { pumpSender, queueNotification, queueReply } from './rpc';
import type { RpcMessage } from './rpc';
import { DEFAULT_RM_OPTIONS } from './profile';
import type { RmOptions } from './profile';
import type { RmState, VmRecord } from './state';
import { VM_STATE_SOURCES, VM_STATES, VMID } from './vm-states';
import type { VmStateName } from './vm-states';

/** Lowest interrupt that RM hands out in VMs, and the end of the range. */
const VM_VIRQ_FIRST = 960;
const VM_VIRQ_END = 1020;
/** RM's own VIC has 256 shared interrupts. */
const RM_VIRQ_FIRST = 32;
const RM_VIRQ_END = 288;

/** Offsets of the packet buffers in RM's private memory. */
const SEND_BUFFER = 0n;
const RECEIVE_BUFFER = 0x1000n;

/** RM at work. */
export class Rm {
  readonly host: RootVm;
  readonly environment: RootVmEnvironment;
  readonly options: RmOptions;
  state: RmState;

  constructor(host: RootVm, state: RmState, options: RmOptions = DEFAULT_RM_OPTIONS) {
    this.host = host;
    this.environment = host.environment;
    this.state = state;
    this.options = options;
  }

  /** Calls the hypervisor; the results include `error`. */
  call<N extends HypercallName>(name: N, args: HypercallArguments<N>): HypercallOutputs<N> {
    return this.host.hypercall(name, args);
  }

  /** The VM with this identifier, if it is allocated. */
  vm(id: number): VmRecord | undefined {
    return this.state.vms.find((vm) => vm.vmid === id);
  }

  /** The primary VM. */
  get hlos(): VmRecord | undefined {
    return this.vm(VMID.HLOS);
  }

  /** Adds a VM, keeping the list in order. */
  addVm(vm: VmRecord): void {
    assert(this.vm(vm.vmid) === undefined, 'a VMID is allocated once');
    this.state.vms = [...this.state.vms, vm].sort((a, b) => a.vmid - b.vmid);
  }

  /** Whether `caller` may ask about `vm`: itself, its owner and its peers. */
  mayQuery(caller: number, vm: VmRecord): boolean {
    return vm.vmid === caller || vm.owner === caller || vm.peers.some((peer) => peer === caller);
  }

  /** Whether a VM's state may become `to` now. */
  canEnter(vm: VmRecord, to: VmStateName): boolean {
    const sources: readonly VmStateName[] = VM_STATE_SOURCES[to];
    return sources.includes(vm.state);
  }

  /** Changes a VM's state and tells its peers, unless it is the allocation or the end of the VM. */
  setVmState(vm: VmRecord, to: VmStateName): void {
    assert(this.canEnter(vm, to), `${vm.state} may become ${to}`);
    this.host.trace({ event: 'vm-state', vmid: vm.vmid, name: vm.name, from: vm.state, to });
    vm.state = to;
    if (to !== 'LOAD' && to !== 'NONE') this.notifyStatus(vm);
  }

  /** Sends VM_STATUS to the peers that run, of whom the owner is the first. */
  notifyStatus(vm: VmRecord): void {
    for (const peer of vm.peers) {
      if (this.vm(peer)?.state !== 'RUNNING') continue;
      this.notify(peer, 'VM_STATUS', { vmid: vm.vmid, vmState: VM_STATES[vm.state], osState: vm.osState, appStatus: vm.appStatus });
    }
  }

  /** Queues a notification for a VM that has a channel, and sends what fits. */
  notify<N extends RmNotificationName>(to: Vmid, name: N, values: RmNotificationValues<N>): void {
    const vm = this.vm(to);
    if (vm?.link == null) return;
    const row: { readonly id: number; readonly payload: readonly Field[] } = RM_NOTIFICATIONS[name];
    const payload = encodeRecord(row.payload, values as RmRecord);
    this.host.trace({ event: 'rm-notification', vmid: to, name, id: row.id, args: describePayload('notification', row.id, payload), payload });
    queueNotification(vm.link.sender, { sequence: this.state.nextNotification, id: row.id, payload });
    this.state.nextNotification = (this.state.nextNotification + 1) & 0xffff;
    this.pump(vm);
  }

  /** Queues the reply to a request, and sends what fits. */
  reply(vm: VmRecord, request: RpcMessage, payload: Uint8Array): void {
    if (vm.link === null) return;
    const { error = 'OK', ...result } = describePayload('reply', request.id, payload);
    this.host.trace({ event: 'rm-reply', vmid: vm.vmid, name: rmMessageName(request.id), id: request.id, sequence: request.sequence, error: String(error), result, payload });
    queueReply(vm.link.sender, { sequence: request.sequence, id: request.id, payload });
    this.pump(vm);
  }

  /** Sends waiting packets until the VM's queue is full. */
  pump(vm: VmRecord): void {
    const link = vm.link;
    if (link === null) return;
    pumpSender(link.sender, (packet) => this.sendPacket(link.toVm, packet));
  }

  private sendPacket(queue: CapId, packet: Uint8Array): 'sent' | 'full' {
    const buffer = ipa(this.environment.privateBase + SEND_BUFFER);
    const written = this.host.write(buffer, packet);
    assert(written.ok, 'RM’s own memory is writable');
    const { error } = this.call('msgqueue_send', { msgqueue: queue, size: BigInt(packet.length), data: buffer, send_flags: 0 });
    return error === ERRORS.MSGQUEUE_FULL ? 'full' : 'sent';
  }

  /** Takes one packet out of a queue; `undefined` when it is empty. */
  receivePacket(queue: CapId, sizeMax: number): Uint8Array | undefined {
    const buffer = ipa(this.environment.privateBase + RECEIVE_BUFFER);
    const { error, size } = this.call('msgqueue_receive', { msgqueue: queue, buffer, buf_size: BigInt(sizeMax) });
    if (error !== ERRORS.OK) return undefined;
    const packet = this.host.read(buffer, Number(size));
    assert(packet.ok, 'RM’s own memory is readable');
    return packet.value;
  }

  /** Reads platform memory by its offset in the memory extent. */
  readPlatform(offset: bigint, sizeBytes: number): Uint8Array | undefined {
    const bytes = this.host.read(ipa(this.environment.memoryBase + offset), sizeBytes);
    return bytes.ok ? bytes.value : undefined;
  }

  /** Writes platform memory by its offset in the memory extent. */
  writePlatform(offset: bigint, bytes: Uint8Array): boolean {
    return this.host.write(ipa(this.environment.memoryBase + offset), bytes).ok;
  }

  /** Reports a user-visible fact about a VM's mistake. */
  report(vmid: Vmid, code: string, message: string): void {
    this.host.trace({ event: 'report', vmid, code, message });
  }

  /** The lowest free interrupt number of RM's own VIC. */
  freeRmVirq(): VirqNumber | undefined {
    return lowestFree(RM_VIRQ_FIRST, RM_VIRQ_END, this.usedVirqs(RM_VMID));
  }

  /** The lowest interrupt number that RM may hand out in a VM and has not. */
  freeVirq(vmid: Vmid): VirqNumber | undefined {
    return lowestFree(VM_VIRQ_FIRST, VM_VIRQ_END, this.usedVirqs(vmid));
  }

  /** The interrupt number that a configuration names, unless RM has already handed it out. */
  claimVirq(vmid: Vmid, wanted: number): VirqNumber | undefined {
    return this.usedVirqs(vmid).includes(wanted) ? undefined : virqNumber(wanted);
  }

  private usedVirqs(vmid: Vmid): readonly number[] {
    const { vms, lentInterrupts } = this.state;
    return [
      ...vms.flatMap((vm) => vm.heldVirqs).flatMap((held) => (held.vmid === vmid ? [held.virq] : [])), ...this.vm(vmid)?.hardwareInterrupts.map(({ virq }) => virq) ?? [],
      ...(vmid === VMID.HLOS ? this.environment.unwiredInterrupts ?? [] : []),
      ...lentInterrupts.flatMap(({ borrower, accepted }) => (borrower === vmid && accepted !== null ? [accepted.virq] : [])),
    ];
  }
}

function lowestFree(first: number, end: number, used: readonly number[]): VirqNumber | undefined {
  for (let candidate = first; candidate < end; candidate++) if (!used.includes(candidate)) return virqNumber(candidate);
  return undefined;
}

/** The identifier of RM itself. */
export const RM_VMID: Vmid = asVmid(VMID.RM);

/**
 * A sequence of hypercalls that stops at the first failure: later calls do nothing, and `error` says what RM answers.
 * It makes the building of a VM readable without a test after every call.
 */
export class HypercallSequence {
  error: RmErrorName | undefined;
  readonly rm: Rm;

  constructor(rm: Rm) {
    this.rm = rm;
  }

  /** Calls unless an earlier call failed; `undefined` if this or an earlier one failed. */
  call<N extends HypercallName>(name: N, args: HypercallArguments<N>): HypercallOutputs<N> | undefined {
    if (this.error !== undefined) return undefined;
    const outputs = this.rm.call(name, args);
    const error = 'error' in outputs ? outputs.error : 0;
    if (typeof error !== 'number' || (error | 0) === ERRORS.OK) return outputs;
    this.error = rmErrorFromHypervisor(error);
    this.rm.report(RM_VMID, 'rm-hypercall-failed', `${name} answered ${error | 0}.`);
    return undefined;
  }

  /** Records a failure that was not a hypercall's. */
  fail(error: RmErrorName): void {
    this.error ??= error;
  }
}


/** Handlers of the calls on doorbells, message queues, interrupt controllers, hardware interrupts and power-management groups. */

import { vmid } from '../base/brands';
import type { ErrorName } from './errors';
import { FORWARD_BYTES, type ForwardTarget } from './hwirq';
import { type CallContext, type Handler, type Handlers, isError } from './hypercall-types';
import { copyFromUser, copyToUser } from './user-memory';
import type { VicObject } from './vic-object';
import type { VirqSource } from './virq-source';
import { VPM_VCPUS_MAX } from './vpm';

type IpcCallName = 'doorbell_bind_virq' | 'doorbell_unbind_virq' | 'doorbell_send' | 'doorbell_receive' | 'doorbell_reset' | 'doorbell_mask'
  | 'msgqueue_bind_send_virq' | 'msgqueue_bind_receive_virq' | 'msgqueue_unbind_send_virq' | 'msgqueue_unbind_receive_virq' | 'msgqueue_send' | 'msgqueue_receive'
  | 'msgqueue_flush' | 'msgqueue_configure_send' | 'msgqueue_configure_receive' | 'msgqueue_configure'
  | 'vic_configure' | 'vic_attach_vcpu' | 'vgic_set_mpidr_mapping' | 'hwirq_bind_virq' | 'hwirq_unbind_virq'
  | 'vpm_group_configure' | 'vpm_group_attach_vcpu' | 'vpm_group_bind_virq' | 'vpm_group_unbind_virq' | 'vpm_group_get_state';

const SEND_FLAG_PUSH = 1;

function bindSource(source: VirqSource, { vic }: VicObject, virq: number): ErrorName {
  return source.bind(vic, virq);
}

function unbindSource(source: VirqSource): ErrorName {
  source.unbind();
  return 'OK';
}

/** A copy that fails loses the message and still answers OK: the reference build discards the copy's error. */
const send: Handler<'msgqueue_send'> = ({ size, data, send_flags }, { msgqueue }, { kernel, caller }) => {
  if (msgqueue.isFull) return { error: 'MSGQUEUE_FULL', not_full: 0 };
  if (size === 0n || size > BigInt(msgqueue.messageSizeMax)) return { not_full: 1 };
  const bytes = copyFromUser(kernel, caller, data, Number(size));
  if (isError(bytes)) return { not_full: 1 };
  if (kernel.tracing) kernel.send({ event: 'message', vmid: vmid(caller.vmid), vcpu: caller.vcpuIndex, action: 'sent', objectId: msgqueue.header.id, bytes, tick: kernel.now });
  msgqueue.push({ bytes, tick: kernel.now, senderVmid: caller.vmid, senderVcpu: caller.vcpuIndex }, (send_flags & SEND_FLAG_PUSH) !== 0);
  return { not_full: msgqueue.isFull ? 0 : 1 };
};

const receive: Handler<'msgqueue_receive'> = ({ buffer, buf_size }, { msgqueue }, { kernel, caller }) => {
  const message = msgqueue.messages[0];
  if (message === undefined) return { error: 'MSGQUEUE_EMPTY', size: 0n, not_empty: 0 };
  const { bytes } = message;
  if (buf_size < BigInt(bytes.length) || copyToUser(kernel, caller, buffer, bytes) !== 'OK') return { size: 0n, not_empty: 1 };
  if (kernel.tracing) kernel.send({ event: 'message', vmid: vmid(caller.vmid), vcpu: caller.vcpuIndex, action: 'received', objectId: msgqueue.header.id, bytes, tick: kernel.now });
  msgqueue.shift();
  return { size: BigInt(bytes.length), not_empty: msgqueue.messages.length > 0 ? 1 : 0 };
};

const flush: Handler<'msgqueue_flush'> = (_args, { msgqueue }, { kernel, caller }) => {
  if (msgqueue.flush() && kernel.tracing) {
    kernel.emit({ event: 'message', vmid: vmid(caller.vmid), vcpu: caller.vcpuIndex, action: 'flushed', objectId: msgqueue.header.id, bytes: new Uint8Array() });
  }
  return 'OK';
};

const attachVcpuToVic: Handler<'vic_attach_vcpu'> = ({ index }, { vic, vcpu }, { kernel }) => {
  if (index >= vic.vic.maxVcpus) return 'ARGUMENT_INVALID';
  const old = vcpu.vic;
  vic.header.get();
  vcpu.vic = { object: vic, index };
  if (old !== undefined) kernel.put(old.object);
  return 'OK';
};

const attachVcpuToVpm: Handler<'vpm_group_attach_vcpu'> = ({ index }, { vpm_group: group, vcpu }, { kernel }) => {
  // The reference build keeps 16 bits of the index.
  const place = index & 0xffff;
  if (place >= VPM_VCPUS_MAX) return 'ARGUMENT_INVALID';
  const old = vcpu.vpm;
  group.header.get();
  vcpu.vpm = { group, index: place };
  if (old !== undefined) kernel.put(old.group);
  return 'OK';
};

/** A private line pays for its bookkeeping before anything is looked at. */
const bindHwirq: Handler<'hwirq_bind_virq'> = ({ virq }, { hwirq, vic }, { kernel }) => {
  const { heap } = kernel.partition;
  if (hwirq.isPrivate && !heap.reserveBytes(FORWARD_BYTES)) return 'NOMEM';
  const error = hwirq.isPrivate ? hwirq.forwardTo(vic, virq, attachedTo(kernel, vic)) : hwirq.bind(vic, virq);
  if (error === 'OK') hwirq.replay();
  else if (hwirq.isPrivate) heap.releaseBytes(FORWARD_BYTES);
  return error;
};

function attachedTo(kernel: CallContext['kernel'], vic: VicObject): ForwardTarget[] {
  return [...kernel.ofType('thread')].flatMap((thread) => (thread.wasActivated && thread.vic?.object === vic ? [{ index: thread.vic.index, isPinned: thread.isPinned }] : []));
}

/** Handlers of this file. */
export const IPC_HANDLERS: Handlers<IpcCallName> = {
  doorbell_bind_virq: ({ virq }, { doorbell, vic }) => bindSource(doorbell.source, vic, virq),
  doorbell_unbind_virq: (_args, { doorbell }) => unbindSource(doorbell.source),
  doorbell_send: ({ new_flags }, { doorbell }) => ({ old_flags: doorbell.send(new_flags) }),
  doorbell_receive: ({ clear_flags }, { doorbell }) => (clear_flags === 0n ? 'ARGUMENT_INVALID' : { old_flags: doorbell.receive(clear_flags) }),
  doorbell_reset: (_args, { doorbell }) => {
    doorbell.reset();
    return 'OK';
  },
  doorbell_mask: ({ enable_mask, ack_mask }, { doorbell }) => {
    doorbell.mask(enable_mask, ack_mask);
    return 'OK';
  },

  msgqueue_bind_send_virq: ({ virq }, { msgqueue, vic }) => bindSource(msgqueue.sendSource, vic, virq),
  msgqueue_bind_receive_virq: ({ virq }, { msgqueue, vic }) => bindSource(msgqueue.receiveSource, vic, virq),
  msgqueue_unbind_send_virq: (_args, { msgqueue }) => unbindSource(msgqueue.sendSource),
  msgqueue_unbind_receive_virq: (_args, { msgqueue }) => unbindSource(msgqueue.receiveSource),
  msgqueue_send: send,
  msgqueue_receive: receive,
  msgqueue_flush: flush,
  msgqueue_configure_send: ({ not_full_thres, not_full_holdoff }, { msgqueue }) => msgqueue.configureSend(not_full_thres, not_full_holdoff),
  msgqueue_configure_receive: ({ not_empty_thres, not_empty_holdoff }, { msgqueue }) => msgqueue.configureReceive(not_empty_thres, not_empty_holdoff),
  msgqueue_configure: ({ create_info }, { msgqueue }) => msgqueue.configure(create_info),

  vic_configure: ({ max_vcpus, max_virqs, vic_options, max_msis }, { vic }) => vic.vic.configure(max_vcpus, max_virqs, vic_options, max_msis),
  vic_attach_vcpu: attachVcpuToVic,
  vgic_set_mpidr_mapping: ({ mask, aff0_shift, aff1_shift, aff2_shift, aff3_shift, mt }, { vic }) =>
    vic.vic.setMpidrMapping({ mask, shifts: [aff0_shift, aff1_shift, aff2_shift, aff3_shift], mt: mt !== 0 }),
  hwirq_bind_virq: bindHwirq,
  hwirq_unbind_virq: (_args, { hwirq }, { kernel }) => {
    if (hwirq.forward !== undefined) kernel.partition.heap.releaseBytes(FORWARD_BYTES);
    return hwirq.unbind();
  },

  vpm_group_configure: ({ flags }, { vpm_group }) => {
    vpm_group.noAggregation = (flags & 1n) !== 0n;
    return 'OK';
  },
  vpm_group_attach_vcpu: attachVcpuToVpm,
  vpm_group_bind_virq: ({ virq }, { vpm_group, vic }) => bindSource(vpm_group.source, vic, virq),
  vpm_group_unbind_virq: (_args, { vpm_group }) => unbindSource(vpm_group.source),
  vpm_group_get_state: (_args, { vpm_group }) => ({ vpm_state: BigInt(vpm_group.state) }),
};

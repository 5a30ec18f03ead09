/**
 * Rows of the hypervisor's objects for panels: capabilities with labels and holders, queues with decoded messages, doorbells.
 * Pure reading; everything is taken at one point in time.
 */

import { decodeRmMessage, hex, rightNames, type System } from '../../runtime/index';
import type { CapabilityRow, DoorbellRow, QueueRow } from '../protocol/index';
import { wordsInList, wordsOfField, type MessageField, type SystemNames } from './rm-words';

const RM_VMID = 255;
/** Object types as prose says them. */
const TYPE_WORDS: Readonly<Record<string, string>> = {
  addrspace: 'address space', cspace: 'capability space', hwirq: 'hardware interrupt', memextent: 'memory extent', msgqueue: 'message queue', thread: 'vCPU',
  vic: 'interrupt controller', vpm_group: 'power group', virtio_mmio: 'virtio device',
};

interface Holding { readonly vmid: number; readonly name: string; readonly capId: bigint; readonly objectId: number; readonly rights: readonly string[]; readonly isValid: boolean }

/** Who holds what, and what it is called. Made anew for each request. */
export class ObjectBook {
  private readonly system: System;
  private readonly holdings: readonly Holding[];
  private readonly labels: ReadonlyMap<number, string>;

  constructor(system: System) {
    this.system = system;
    this.labels = system.trace.names.source?.objects() ?? new Map<number, string>();
    const vmids = [...new Set(system.inspection.threads().map(({ vmid }) => vmid))].sort((left, right) => left - right);
    this.holdings = vmids.flatMap((vmid) => this.holdingsOf(vmid));
  }

  /** Capabilities of one VM. */
  capabilities(vmid: number): CapabilityRow[] {
    const cspace = this.system.inspection.cspaceOf(vmid);
    if (cspace === undefined) return [];
    return this.system.inspection.capabilities(cspace).map((row) => ({
      capId: hex(row.capId),
      objectType: row.objectType,
      objectId: row.objectId,
      state: row.state,
      rights: row.rights,
      rightsMask: row.rightsMask,
      label: this.labels.get(row.objectId) ?? '',
      holders: this.holdings
        .filter((holding) => holding.objectId === row.objectId && !(holding.vmid === vmid && holding.capId === row.capId))
        .map((holding) => ({ vmid: holding.vmid, name: holding.name, capId: hex(holding.capId), rights: holding.rights })),
    }));
  }

  /** What a capability of a VM names, in words: `message queue 24 "…"`; undefined if it names nothing. */
  describe(vmid: number, capId: bigint): string | undefined {
    const cspace = this.system.inspection.cspaceOf(vmid);
    const row = cspace === undefined ? undefined : this.system.inspection.capabilities(cspace).find((one) => one.capId === capId);
    if (row === undefined) return undefined;
    return `${this.name({ id: row.objectId, type: row.objectType })}${row.state === 'valid' ? '' : ', revoked'}`;
  }

  /** What RM calls an object; empty if nothing. */
  labelOf(objectId: number): string {
    return this.labels.get(objectId) ?? '';
  }

  /** An object in words: `message queue 24 "…"`; as it was called at an event of the trace, if a number is given. */
  name({ id, type, revoked }: { readonly id: number; readonly type: string; readonly revoked?: true }, event?: number): string {
    const label = (event === undefined ? undefined : this.system.trace.names.object(id, event)) ?? this.labels.get(id);
    return `${TYPE_WORDS[type] ?? type} ${id}${label === undefined ? '' : ` "${label}"`}${revoked === true ? ', revoked' : ''}`;
  }

  /** Names of the VMs that hold a valid capability to an object. */
  holdersOf(objectId: number): string[] {
    return [...new Set(this.holdings.filter((one) => one.objectId === objectId && one.isValid).map(({ name }) => name))];
  }

  /** All message queues. */
  queues(counts: ReadonlyMap<number, { readonly sent: number; readonly received: number }>): QueueRow[] {
    return this.system.inspection.queues().map((queue) => ({
      objectId: queue.objectId,
      label: this.labels.get(queue.objectId) ?? '',
      from: this.holdersWith(queue.objectId, 'send').join(', '),
      to: this.holdersWith(queue.objectId, 'receive').join(', '),
      depth: queue.depth,
      queued: queue.messages.length,
      maxMessageSize: queue.maxMessageSize,
      notEmptyThreshold: queue.notEmptyThreshold,
      notFullThreshold: queue.notFullThreshold,
      messages: queue.messages.map(({ bytes, tick }) => ({ tick, size: bytes.length, bytes: bytesText(bytes), decoded: this.isRmQueue(queue.objectId) ? decodedText(bytes, this.system) : null })),
      txVirq: this.virq(queue.sendVirq),
      rxVirq: this.virq(queue.receiveVirq),
      sentCount: counts.get(queue.objectId)?.sent ?? 0,
      receivedCount: counts.get(queue.objectId)?.received ?? 0,
    }));
  }

  /** All doorbells. */
  doorbells(): DoorbellRow[] {
    return this.system.inspection.doorbells().map((bell) => ({
      objectId: bell.objectId,
      label: this.labels.get(bell.objectId) ?? '',
      senders: this.holdersWith(bell.objectId, 'send'),
      receiver: this.holdersWith(bell.objectId, 'receive').join(', '),
      flags: hex(bell.flags),
      enableMask: hex(bell.enableMask),
      ackMask: hex(bell.ackMask),
      virq: this.virq(bell.virq),
    }));
  }

  private holdingsOf(vmid: number): Holding[] {
    const cspace = this.system.inspection.cspaceOf(vmid);
    if (cspace === undefined) return [];
    const name = this.system.vmName(vmid);
    return this.system.inspection.capabilities(cspace).map((row) => ({ vmid, name, capId: row.capId, objectId: row.objectId, rights: rightNames(row.objectType, row.rightsMask), isValid: row.state === 'valid' }));
  }

  /** VMs other than RM that can do something with an object; RM's master capability counts only where nobody else can. */
  private holdersWith(objectId: number, right: string): string[] {
    const able = this.holdings.filter((one) => one.objectId === objectId && one.isValid && one.rights.includes(right));
    const guests = able.filter(({ vmid }) => vmid !== RM_VMID);
    return [...new Set((guests.length > 0 ? guests : able).map(({ name }) => name))];
  }

  private isRmQueue(objectId: number): boolean {
    const able = this.holdings.filter((one) => one.objectId === objectId && one.vmid !== RM_VMID && (one.rights.includes('send') || one.rights.includes('receive')));
    return able.length === 1;
  }

  private virq(binding: { readonly vmid: number; readonly virq: number } | undefined): { vm: string; virq: number } | null {
    return binding === undefined ? null : { vm: this.system.vmName(binding.vmid), virq: binding.virq };
  }
}

/** Two hex digits a byte. */
export function bytesText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A field of a message with what its number says. */
export function wordedValue(field: MessageField, names: SystemNames): string {
  const { value } = field;
  const plain = typeof value === 'bigint' ? hex(value) : value instanceof Uint8Array ? bytesText(value) : String(value);
  const words = wordsOfField(field, names);
  return words === undefined ? wordsInList(field, names) ?? plain : `${plain} (${words})`;
}

/** An RM packet in words, or null if the bytes are none. */
function decodedText(bytes: Uint8Array, system: System): string | null {
  const message = decodeRmMessage(bytes);
  if (message === undefined) return null;
  const names = { vm: (vmid: number) => system.vmName(vmid) };
  const fields = Object.entries(message.fields).map(([name, value]) => `${name}=${wordedValue({ message: message.name, name, value }, names)}`);
  return `${message.kind} ${message.name} #${message.sequence}${fields.length === 0 ? '' : ` ${fields.join(' ')}`}`;
}

/**
 * What stands behind the numbers of an event: objects behind capabilities, VMs, kinds, states, flags, functions, in the words that views use. One place for
 * stops, the event's variables, the trace's rows and messages.
 *
 * Things are called as they were at the event where its number is given, since numbers are given out again; else as they are now.
 */

import { explainEsr, hex, serviceName, type EventValue, type System, type TraceEvent } from '../../runtime/index';
import { vmNameAt } from '../trace-row';
import { typeOfValue, virqWords, wordsOfType } from './call-words';
import { ObjectBook } from './objects';
import { wordsInList, wordsOfField, type SystemNames } from './rm-words';
import { wordsOfService } from './service-words';

/** A field of an event. */
export interface NamedValue { readonly name: string; readonly value: EventValue }

/** vcpu_run's data by the state that it returns. Gunyah API: vcpu_run. */
const RUN_DATA: Readonly<Record<number, readonly string[]>> = { 1: ['sleep', 'from'], 2: ['ended'], 4: ['IPA', 'bytes'], 5: ['IPA', 'bytes', 'value'], 0x100: ['reset type', 'cookie'] };
const WAKEUP_SOURCES = ['', 'WFI', 'PSCI CPU_SUSPEND', 'PSCI SYSTEM_SUSPEND'] as const;

/** Names of one system. Made anew for each request. */
export class EventWords {
  readonly book: ObjectBook;
  private readonly system: System;
  private readonly functionAt: (event: TraceEvent, address: bigint) => string | undefined;

  /** `functionAt` names the function of a VM's vCPU that an address lies in. */
  constructor(system: System, functionAt?: (event: TraceEvent, address: bigint) => string | undefined) {
    this.system = system;
    this.functionAt = functionAt ?? (() => undefined);
    this.book = new ObjectBook(system);
  }

  /** A VM by name. */
  vm(vmid: number, number?: number): string {
    return number === undefined ? this.system.vmName(vmid) : vmNameAt(this.system, vmid, number);
  }

  /** The vCPU that an event is about as threads are called, or its VM. */
  origin({ vmid, vcpu }: TraceEvent, number?: number): string {
    return vcpu === undefined ? this.vm(vmid, number) : `${this.vm(vmid, number)}/cpu${vcpu}`;
  }

  /** What an argument, a result or another value of an event says; undefined if it counts, measures or is in words already. */
  ofValue(event: TraceEvent, named: NamedValue, number?: number): string | undefined {
    switch (event.event) {
      case 'hypercall': return this.ofHypercall(event, named, number);
      case 'psci':
      case 'smccc': return typeof named.value === 'bigint' ? wordsOfService({ kind: event.event, call: event.name, name: named.name, value: named.value }) : undefined;
      case 'rm-request':
      case 'rm-reply':
      case 'rm-notification': return this.ofMessage(event, named, number);
      case 'virq': return named.name === 'virq' ? virqWords(event.virq) : undefined;
      case 'message': return named.name === 'objectId' ? this.queue(event.objectId, number) : undefined;
      case 'exception': return named.name === 'esr' && event.kind === 'synchronous' ? explainEsr(event.esr, event.far).join(', ') : undefined;
      case 'memory': return named.name === 'detail' ? this.ofDetail(event.detail, number) : undefined;
      case 'hypercall-unknown': return named.name === 'number' ? unknownCallWords(event) : undefined;
      case 'stage2-fault':
      case 'vm-state':
      case 'vcpu-state':
      case 'console':
      case 'report': return undefined;
    }
  }

  /** The address of code with its function: `0x41000320 (guest_main)`. */
  code(event: TraceEvent, address: bigint): string {
    const name = this.functionAt(event, address);
    return name === undefined ? hex(address) : `${hex(address)} (${name})`;
  }

  /** A message queue: `message queue 24 "…"`. */
  queue(objectId: number, number?: number): string {
    return this.book.name({ id: objectId, type: 'msgqueue' }, number);
  }

  /** The object that drives an interrupt of a VM now: `doorbell 31 "…"`; undefined if none does. */
  virqObject({ vmid, vcpu, virq }: TraceEvent & { readonly event: 'virq' }): string | undefined {
    const row = this.system.inspection.interrupts(vmid)?.virqs.find((one) => one.intid === virq && (one.vcpu === undefined || one.vcpu === (vcpu ?? 0)));
    return row?.object === undefined ? undefined : this.book.name(row.object);
  }

  /** What the hypervisor says of its objects, with their names in the place of their numbers; undefined if it names none that has a name. */
  ofDetail(text: string, number?: number): string | undefined {
    const told = text.replace(/\b(object|address space) (\d{1,9})\b/g, (whole, kind: string, digits: string) => {
      const name = this.book.name({ id: Number(digits), type: kind === 'object' ? 'memextent' : 'addrspace' }, number);
      return name.includes('"') ? name : whole;
    });
    return told === text ? undefined : told;
  }

  private ofHypercall(event: TraceEvent & { readonly event: 'hypercall' }, { name, value }: NamedValue, number: number | undefined): string | undefined {
    const object = event.objects?.[name];
    if (object !== undefined) return this.book.name(object, number);
    const type = typeOfValue(event.name, name);
    if (type === undefined) return undefined;
    if (type === 'vmid_t') return this.vm(Number(value), number);
    if (type === 'cap_id_t') return event.objects === undefined && typeof value === 'bigint' ? this.book.describe(event.vmid, value) : undefined;
    return wordsOfType(type, value) ?? runDataWords(event, name, value);
  }

  private ofMessage(event: TraceEvent & { readonly event: 'rm-request' | 'rm-reply' | 'rm-notification' }, { name, value }: NamedValue, number: number | undefined): string | undefined {
    const names: SystemNames = { vm: (vmid) => this.vm(vmid, number), capability: (capId) => this.book.describe(event.vmid, capId) };
    return wordsOfField({ message: event.name, name, value }, names) ?? wordsInList({ message: event.name, value }, names);
  }
}

/** A number that no call has: of a service that the VM is not offered, or of a hypercall as guests write it. */
export function unknownCallWords({ number, path }: TraceEvent & { readonly event: 'hypercall-unknown' }): string | undefined {
  return path === 'smccc' ? serviceName(number) : undefined;
}

/** What a word of vcpu_run's state says, by the state beside it. */
function runDataWords(event: TraceEvent & { readonly event: 'hypercall' }, name: string, value: EventValue): string | undefined {
  const index = /^state_data_(\d)$/.exec(name)?.[1];
  if (index === undefined || event.phase !== 'leave') return undefined;
  const state = Number(event.result['vcpu_state']);
  const what = RUN_DATA[state]?.[Number(index)];
  if (what === 'from') return WAKEUP_SOURCES[Number(value)];
  if (what === 'sleep') return Number(value) === 0 ? 'WFI' : 'PSCI power state';
  if (what === 'ended') return (Number(value) & 1) === 1 ? 'for good' : undefined;
  return what;
}

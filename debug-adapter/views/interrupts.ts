/** Rows of a VM's interrupt controller: every interrupt with the object behind it, and each vCPU's interface. */

import { hex, type System } from '../../runtime/index';
import type { CustomRequestBody, InterruptInterfaceRow, InterruptRow, ListRegisterRow, RegisterRow } from '../protocol/index';
import { ObjectBook } from './objects';

const PSTATE_I = 1n << 7n;

type Controller = NonNullable<ReturnType<System['inspection']['interrupts']>>;
type Virq = Controller['virqs'][number];

/** What `gunyah/interrupts` answers. */
export function interruptsBody(system: System, vmid: number): CustomRequestBody<'gunyah/interrupts'> {
  const controller = system.inspection.interrupts(vmid);
  if (controller === undefined) return { interrupts: [], vcpus: [], distributor: [] };
  const book = new ObjectBook(system);
  return {
    interrupts: controller.virqs.map((virq) => interruptRow(book, virq)),
    vcpus: controller.interfaces.map((one) => interfaceRow(system, vmid, { controller, one })),
    distributor: controller.distributor.map(registerRow),
  };
}

function interruptRow(book: ObjectBook, row: Virq): InterruptRow {
  return {
    virq: row.intid, vcpu: row.vcpu ?? null, kind: row.kind, source: row.source ?? '', object: row.object === undefined ? (row.source ?? '').replace('-', ' ') : book.name(row.object), objectId: row.object?.id ?? null,
    enabled: row.enabled, pending: row.pending, active: row.active, level: row.trigger === 'level' && row.pending, trigger: row.trigger, priority: row.priority, group: row.group,
    route: row.vcpu !== undefined ? `vCPU ${row.vcpu}` : row.cpu === undefined ? 'any vCPU' : `vCPU ${row.cpu}`,
  };
}

function interfaceRow(system: System, vmid: number, { controller, one }: { readonly controller: Controller; readonly one: Controller['interfaces'][number] }): InterruptInterfaceRow {
  const vcpu = system.vcpus().find((candidate) => candidate.vmid === vmid && candidate.vcpu === one.vcpu);
  return {
    vcpu: one.vcpu, irq: one.irq, fiq: one.fiq, masked: vcpu !== undefined && (system.engine.vcpu(vcpu.index).pstate & PSTATE_I) !== 0n,
    registers: one.registers.map(registerRow), redistributor: one.redistributor.map(registerRow), listRegisters: presented(controller, one.vcpu),
  };
}

function registerRow({ name, value }: { readonly name: string; readonly value: bigint }): RegisterRow {
  return { name, value: hex(value) };
}

/** Interrupts that wait for or are handled by a vCPU, the most urgent first. */
function presented({ virqs }: Controller, vcpu: number): ListRegisterRow[] {
  return virqs.filter((row) => (row.vcpu ?? row.cpu ?? vcpu) === vcpu && ((row.pending && row.enabled) || row.active))
    .sort((left, right) => left.priority - right.priority || left.intid - right.intid)
    .map(({ intid, pending, active, priority, group }) => ({ virq: intid, state: pending && active ? 'pending and active' : active ? 'active' : 'pending', priority, group }));
}

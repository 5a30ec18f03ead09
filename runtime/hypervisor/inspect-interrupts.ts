/** What a debugger sees of a VM's interrupt controller: every interrupt with the object behind it, and each vCPU's interface. Changes nothing. */

import type { RegisterValue } from '../machine/devices/gic-frames';
import type { Kernel } from './kernel';
import type { ObjectType } from './hypercall-table';
import { sourcesOf } from './snapshot';
import type { Vic, VirqView } from './vic';

const PRIVATE_COUNT = 32;
const SGI_COUNT = 16;

/** One interrupt with the object that drives it; private ones once per vCPU. */
export interface VirqRow extends VirqView {
  readonly kind: 'SGI' | 'PPI' | 'SPI';
  /** The vCPU of a private interrupt. */
  readonly vcpu: number | undefined;
  readonly object: { readonly id: number; readonly type: ObjectType } | undefined;
}
/** One vCPU's interface. */
export interface InterfaceView {
  readonly vcpu: number;
  readonly irq: boolean;
  readonly fiq: boolean;
  readonly registers: readonly { readonly name: string; readonly value: bigint }[];
  readonly redistributor: readonly RegisterValue[];
}
/** A whole controller. */
export interface InterruptControllerView {
  readonly objectId: number;
  readonly virqs: readonly VirqRow[];
  readonly interfaces: readonly InterfaceView[];
  readonly distributor: readonly RegisterValue[];
}

/** The controller of a VM; undefined if it has none. */
export function viewInterrupts(kernel: Kernel, vmid: number): InterruptControllerView | undefined {
  const threads = [...kernel.ofType('thread')].filter((thread) => thread.vmid === vmid && thread.vic !== undefined);
  const object = threads[0]?.vic?.object;
  if (object === undefined) return undefined;
  const { vic } = object;
  const indexes = threads.flatMap((thread) => (thread.vic?.object === object ? [thread.vic.index] : [])).sort((left, right) => left - right);
  const owners = ownersOf(kernel, vic);
  const virqs = indexes.flatMap((index, order) => vic.inspectAll(index).filter(({ intid }) => order === 0 || intid < PRIVATE_COUNT).map((view): VirqRow => {
    const isPrivate = view.intid < PRIVATE_COUNT;
    const vcpu = isPrivate ? index : undefined;
    return { ...view, kind: view.intid < SGI_COUNT ? 'SGI' : isPrivate ? 'PPI' : 'SPI', vcpu, object: owners.get(keyOf(view.intid, vcpu)) };
  }));
  const model = vic.model;
  return {
    objectId: object.header.id, virqs, distributor: model?.distributorRegisters() ?? [],
    interfaces: model === undefined ? [] : indexes.map((vcpu) => ({ vcpu, ...model.signalsOf(vcpu), registers: model.cpuRegisters(vcpu), redistributor: model.redistributorRegisters(vcpu) })),
  };
}

const keyOf = (virq: number, vcpu: number | undefined): string => `${virq}/${vcpu ?? ''}`;

/** Which object drives which interrupt of a controller. */
function ownersOf(kernel: Kernel, vic: Vic): Map<string, { readonly id: number; readonly type: ObjectType }> {
  const owners = new Map<string, { readonly id: number; readonly type: ObjectType }>();
  for (const object of kernel.objects.values()) {
    for (const { bound } of sourcesOf(object)) {
      if (bound?.vic === vic) owners.set(keyOf(bound.virq, bound.vcpuIndex), { id: object.header.id, type: object.header.type });
    }
  }
  return owners;
}

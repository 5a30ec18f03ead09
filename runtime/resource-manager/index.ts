/**
 * The Resource Manager: the program of the root VM, which creates and runs all other VMs.
 *
 * It is reached only as a VM is: by messages in queues and by interrupts; and it acts only as a VM can: by hypercalls and by loads and
 * stores in its own address space. Messages are described in `message-table.ts`, packets in `rpc.ts`, boot in `platform.ts`.
 */

import { assert } from '../base/assert';
import type { VirqNumber, Vmid } from '../base/brands';
import type { RootVm, RootVmProgram } from '../hypervisor/interface';
import { Rm, RM_VMID } from './context';
import { serveInterrupt } from './dispatch';
import { viewOf } from './inspect';
import type { RmView } from './inspect';
import { boot } from './platform';
import { clonePlain } from './plain';
import { DEFAULT_RM_OPTIONS } from './profile';
import type { RmOptions } from './profile';
import { newRmState } from './state';
import type { RmState } from './state';
import { resetStep } from './vm-teardown';

export { decodeRmMessage } from './message-display';
export type { DecodedRmMessage } from './message-display';
export { notYetRmMessages } from './dispatch';
export { RM_NOTIFICATIONS, RM_REQUESTS } from './message-table';
export { DEFAULT_RM_OPTIONS, RM_PROFILES } from './profile';
export type { RmOptions, RmProfile } from './profile';
export { RM_ERRORS, rmErrorName } from './rm-errors';
export { EXIT_TYPES, VM_STATES } from './vm-states';
export type { RmLabelView, RmMemoryView, RmParcelView, RmView, RmVmView, RmWaitingView } from './inspect';

/** Leaves room for any interrupt number above the base. */
const HANDLE_BASE_MASK = 0x7fff_f000;

/** The Resource Manager as the root VM runs it, with a view for debuggers. */
export interface ResourceManager extends RootVmProgram {
  /** VMs, parcels, waiting messages and labels as they are now. */
  inspect(): RmView;
  /** Name of a VM, cheaply. */
  nameOf(id: Vmid): string | undefined;
  /** Names of all VMs. */
  names(): ReadonlyMap<number, string>;
  /** The VM of a name, cheaply. */
  vmidOf(name: string): Vmid | undefined;
}

/** Makes a Resource Manager; it does nothing before `start`. */
export function createResourceManager(options: RmOptions = DEFAULT_RM_OPTIONS): ResourceManager {
  return new Program(options);
}

class Program implements ResourceManager {
  private rm: Rm | undefined;
  private readonly options: RmOptions;

  constructor(options: RmOptions) {
    this.options = options;
  }

  start(vm: RootVm): void {
    const { freeRanges, memoryBase } = vm.environment;
    const freeMemory = freeRanges.map((range) => ({ base: range.base - memoryBase, sizeBytes: range.sizeBytes }));
    this.rm = new Rm(vm, newRmState(freeMemory, vm.random() & HANDLE_BASE_MASK), this.options);
    boot(this.rm);
  }

  interrupt(virq: VirqNumber): void {
    serveInterrupt(this.running, virq);
  }

  work(): boolean {
    return resetStep(this.running);
  }

  inspect(): RmView {
    return this.rm === undefined ? { vms: [], parcels: [], labels: [] } : viewOf(this.rm.state, RM_VMID, this.rm.environment);
  }

  nameOf(id: Vmid): string | undefined {
    return this.rm?.vm(id)?.name;
  }

  names(): ReadonlyMap<number, string> {
    return new Map((this.rm?.state.vms ?? []).map(({ vmid: id, name }): [number, string] => [id, name]));
  }

  vmidOf(name: string): Vmid | undefined {
    return this.rm?.state.vms.find((vm) => vm.name === name)?.vmid;
  }

  save(): RmState | null {
    return this.rm === undefined ? null : clonePlain(this.rm.state);
  }

  restore(saved: unknown, vm: RootVm): void {
    const state = saved as RmState | null;
    assert(state === null || (state.kind === 'resource-manager' && state.version === 6), 'a saved Resource Manager of this version');
    this.rm = state === null ? undefined : new Rm(vm, clonePlain(state), this.options);
  }

  private get running(): Rm {
    assert(this.rm !== undefined, 'the Resource Manager was started');
    return this.rm;
  }
}

/**
 * The service selections of all VMs, by VMID, and the stolen time that they report. A VM that nobody has chosen anything for has what its
 * description says; that costs nothing until it runs. When an address space dies, so does the selection of its VM.
 */

import { VmServices, type SavedServices, type ServiceSettings } from './service-registers';

/** Saved form, in ascending order of VMIDs. */
export type SavedServiceRegistry = readonly (readonly [vmid: number, services: SavedServices])[];

/** All selections. */
export class ServiceRegistry {
  private readonly settingsOf: (vmid: number) => ServiceSettings;
  private readonly known = new Map<number, VmServices>();

  constructor(settingsOf: (vmid: number) => ServiceSettings) {
    this.settingsOf = settingsOf;
  }

  /** The selection of a VM, made if there is none yet. */
  of(vmid: number): VmServices {
    const known = this.known.get(vmid);
    if (known !== undefined) return known;
    const made = new VmServices(this.settingsOf(vmid));
    this.known.set(vmid, made);
    return made;
  }

  /** The selection of a VM for looking at: nothing is kept of it. */
  peek(vmid: number): VmServices {
    return this.known.get(vmid) ?? new VmServices(this.settingsOf(vmid));
  }

  /** The VM is gone; the next one with its VMID begins anew. */
  forget(vmid: number): void {
    this.known.delete(vmid);
  }

  save(): SavedServiceRegistry {
    return [...this.known].sort(([left], [right]) => left - right).map(([vmid, services]) => [vmid, services.save()]);
  }

  restore(saved: SavedServiceRegistry): void {
    this.known.clear();
    for (const [vmid, services] of saved) this.of(vmid).restore(services);
  }
}

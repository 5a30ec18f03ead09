/** VMs that the test's primary VM makes out of memory of its own, by requests. */

import { pa } from '../../runtime/base/brands';
import type { RmArguments } from '../../runtime/resource-manager/message-table';
import { dtb, type SystemFixture } from './system-fixture';

/** Where the image lies in the primary VM, its size, and where the device tree is in it. */
export const IMAGE = 0x4040_0000n;
export const IMAGE_SIZE = 0x20_0000n;
export const DTB_OFFSET = 0x10_0000n;
/** The base address of a VM whose tree says `memory { base-address = <0 0x80000000>; }`, which most tests use. */
export const GUEST_BASE = 0x8000_0000n;
export const AT_GUEST_BASE = 'base-address = <0 0x80000000>;';

/** Arguments that lend memory to a VM with all rights. */
export function lent(vmid: number, sgl: RmArguments<'MEM_LEND'>['sgl'], label = 0): RmArguments<'MEM_LEND'> {
  return { memoryType: 0, flags: 0, label, acl: [{ vmid, rights: 7 }], sgl, attributes: [] };
}

/** Allocates a VM and answers its VMID. */
export function allocate(system: SystemFixture): number {
  return system.request('VM_ALLOCATE', { vmid: 0 }).values?.vmid ?? 0;
}

/** A VM in state INIT whose image parcel has the given tree in it. */
export interface MadeVm { readonly vmid: number; readonly handle: number }

/** Makes a VM up to VM_CONFIG_IMAGE. */
export function configure(system: SystemFixture, dts: string, change: Partial<RmArguments<'VM_CONFIG_IMAGE'>> = {}): MadeVm {
  const vmid = allocate(system);
  system.engine.memory.write(pa(IMAGE + DTB_OFFSET), dtb(dts));
  const { handle = -1 } = system.request('MEM_LEND', lent(vmid, [{ address: IMAGE, size: IMAGE_SIZE }])).values ?? {};
  system.request('VM_CONFIG_IMAGE', { vmid, auth: 0, handle, imageOffset: 0n, imageSize: 0n, dtbOffset: DTB_OFFSET, dtbSize: 0x1_0000n, ...change });
  return { vmid, handle };
}

/** Makes a VM and starts it. */
export function start(system: SystemFixture, dts: string): MadeVm {
  const made = configure(system, dts);
  system.request('VM_INIT', { vmid: made.vmid });
  system.request('VM_START', { vmid: made.vmid });
  return made;
}

/** Stops, resets and deallocates a VM, and takes its image back. */
export function destroy(system: SystemFixture, { vmid, handle }: MadeVm): void {
  system.request('VM_STOP', { vmid, flags: 1, reason: 0 });
  system.request('VM_RESET', { vmid });
  system.request('MEM_RECLAIM', { handle, flags: 0 });
  system.request('VM_DEALLOCATE', { vmid });
}

/** What a VM may do at an address. */
export function access(system: SystemFixture, vmid: number, address: bigint): string {
  const found = system.engine.translate(system.thread(vmid).engineVcpu ?? 0, address as never, 2);
  return found.ok ? `${found.readable ? 'r' : '-'}${found.writable ? 'w' : '-'}${found.executable ? 'x' : '-'}` : 'none';
}

/**
 * Everything RM remembers, as plain data. Whatever affects what RM does next is here, so that saving RM is copying this.
 * Objects of the hypervisor appear as capability identifiers of RM's own capability space unless a name says otherwise.
 */

import { CAP_ID_INVALID } from '../base/brands';
import type { CapId, MemparcelHandle, VirqNumber, Vmid } from '../base/brands';
import type { ObjectType } from '../hypervisor/interface';
import type { RpcReceiver, RpcSender } from './rpc';
import type { VmConfig, VdeviceConfig } from './vm-config';
import type { ExitType, VmStateName } from './vm-states';

/** RM's connection with one VM. */
export interface RmLink {
  /** RM's capabilities: the queue that RM sends to and the one that it receives from. */
  readonly toVm: CapId;
  readonly fromVm: CapId;
  readonly rmTxVirq: VirqNumber;
  readonly rmRxVirq: VirqNumber;
  /** The VM's capabilities and interrupts, as its device tree names them. */
  readonly vmSendCap: CapId;
  readonly vmReceiveCap: CapId;
  readonly vmTxVirq: VirqNumber;
  readonly vmRxVirq: VirqNumber;
  readonly depth: number;
  readonly messageSizeBytes: number;
  readonly receiver: RpcReceiver;
  readonly sender: RpcSender;
}

/** One vCPU of a VM. */
export interface VcpuRecord {
  readonly cap: CapId;
  readonly index: number;
  /** RM's interrupt when the vCPU halts; absent for the primary VM, whose halt ends the platform. */
  readonly haltVirq: VirqNumber | null;
  /** The owner's capability and, for proxy scheduling, its wake-up interrupt. */
  readonly ownerCap: CapId | null;
  readonly wakeupVirq: VirqNumber | null;
  /** The VM's own capability to power it, only where there is no PSCI. */
  readonly selfCap: CapId | null;
}

/** One end of a connection, as a VM sees it. `type` is a resource type of VM_GET_HYP_RESOURCES. */
export interface VdeviceEnd {
  readonly type: 'doorbell-send' | 'doorbell-receive' | 'queue-send' | 'queue-receive' | 'virtio-backend' | 'virtio-frontend';
  readonly vmid: Vmid;
  /** Invalid for a virtio frontend, which has registers instead. */
  readonly cap: CapId;
  readonly virq: VirqNumber | null;
  /** Where the VM sees the registers of a virtio device. */
  readonly range?: AddressRange;
}

/** A vdevice that was created for a VM. */
export interface VdeviceRecord {
  readonly config: VdeviceConfig;
  /** Who is at the other end; null while a named peer is missing. */
  peer: Vmid | null;
  /** RM's capabilities for the objects: one doorbell or queue, or the two queues of a pair (from the VM, to the VM). */
  readonly objects: readonly CapId[];
  /** What its tree calls it: a number that counts on over all VMs, and that both ends of a connection have. 0 for what has no objects. */
  readonly handle: number;
  /** The VM's ends, then those of its peer; in the order of VM_GET_HYP_RESOURCES. */
  readonly ends: VdeviceEnd[];
}

/** A capability of RM, or a copy that RM put into some VM's capability space; deleted when the VM is taken apart. */
export interface HeldCap {
  /** In whose capability space; RM's own for the object itself. */
  readonly vmid: Vmid;
  readonly cap: CapId;
  readonly type: ObjectType;
  /** When a VM is taken apart, vdevices go first, then memory, then the rest. */
  readonly stage: 'vdevice' | 'memory' | 'core';
}
/** An interrupt number taken from a VM's (or RM's) virtual interrupt controller. */
export interface HeldVirq { readonly vmid: Vmid; readonly virq: VirqNumber }

/** Device space that a VM has: where it sees it, and the extent behind it, which is one basic extent. */
export interface DeviceWindow { readonly ipa: bigint; readonly sizeBytes: bigint; readonly extent: CapId }

/** The objects that make a VM. */
export interface VmObjects {
  readonly cspace: CapId;
  readonly addrspace: CapId;
  readonly vic: CapId;
  readonly vpmGroup: CapId | null;
  /** The VM's watchdog, its own interrupt for the bark, RM's for the bite, and what the owner manages it with. */
  readonly watchdog: { readonly cap: CapId; readonly barkVirq: VirqNumber | null; readonly biteVirq: VirqNumber | null; readonly ownerCap: CapId | null } | null;
  /** Where the GIC frames are, in the VM's address space. */
  readonly gicd: bigint;
  readonly gicr: bigint;
  readonly gicrStride: bigint;
}

/** Memory of a VM: mappings as RM made them. */
export interface VmMapping {
  readonly ipa: bigint;
  readonly sizeBytes: bigint;
  /** Offset inside the platform's memory (or device) extent. */
  readonly offset: bigint;
  /** The parcel it came from; null for memory the VM owns. */
  readonly handle: MemparcelHandle | null;
  readonly kind: 'memory' | 'device';
  /** A device that is made of memory, such as flash: the offset is into the memory extent. */
  readonly isMemory?: true;
  /** Addresses that are taken, for a parcel which the VM has not mapped yet or for what it does not see. */
  readonly isReserved?: true;
}

/** A line of the platform's interrupt controller: its number there and RM's capability; null if no device drives it, so that there is nothing to forward. */
export interface HardwareLine { readonly intid: number; readonly cap: CapId | null }
/** A hardware interrupt that RM forwards, and the VM's number for it. */
export interface HardwareInterrupt extends HardwareLine { readonly virq: VirqNumber }

/** A hardware interrupt that one VM has lent to another. */
export interface LentInterrupt {
  readonly handle: number;
  readonly owner: Vmid;
  borrower: number;
  readonly label: number;
  readonly interrupt: HardwareInterrupt;
  /** Once accepted: the borrower's number, and the line behind it, which need not be the lent one. */
  accepted: { readonly virq: VirqNumber; readonly line: HardwareLine; readonly isStatic: boolean } | null;
}

/** Where VM_CONFIG_IMAGE said that the image is. */
export interface ImagePlace {
  readonly auth: number;
  readonly handle: MemparcelHandle;
  readonly imageOffset: bigint;
  readonly imageSize: bigint;
  readonly dtbOffset: bigint;
  readonly dtbSize: bigint;
}

/** Where VM_SET_FIRMWARE_MEM said that the firmware goes. */
export interface FirmwarePlace { readonly handle: MemparcelHandle; readonly offset: bigint; readonly sizeBytes: bigint }

/** A range of a VM's address space. */
export interface AddressRange { readonly base: bigint; readonly sizeBytes: bigint }

/** What an owner that pages on demand has: extents of the VM and of its own, and the VM's address space. Capabilities of the owner, but for `shared`, which is RM's. */
export interface PagingObjects {
  readonly guestPrivate: CapId;
  readonly guestShared: CapId;
  readonly hostShared: CapId;
  readonly hostPrivate: CapId;
  readonly addrspace: CapId;
  /** The extent of memory that both see. */
  readonly shared: CapId;
}

/** One VM. */
export interface VmRecord {
  readonly vmid: Vmid;
  readonly owner: Vmid;
  /** Index in the list of platform VMs of the hand-over, or null for VMs that another VM creates. */
  readonly platformIndex: number | null;
  state: VmStateName;
  osState: number;
  appStatus: number;
  name: string;
  uri: string;
  guid: Uint8Array;
  crashMessage: string;
  /** How it ended, while it is EXITED. */
  exit: { readonly type: ExitType; readonly code: number; readonly flags: number } | null;
  peers: Vmid[];
  image: ImagePlace | null;
  firmware: FirmwarePlace | null;
  /** Registers of the boot vCPU that VM_SET_BOOT_CONTEXT set and that RM would otherwise choose; null: RM chooses. */
  bootContext: { readonly entry: bigint | null; readonly x0: bigint | null };
  /** Where VM_SET_ADDRESS_LAYOUT said that image and firmware go; null: where the configuration says. */
  layout: { readonly image: bigint | null; readonly firmware: bigint | null };
  /** Ranges whose missing pages the owner provides while the VM runs (VM_SET_DEMAND_PAGING). */
  demandPaging: AddressRange[];
  /** Through which the owner provides them, once the VM is initialised. */
  paging: PagingObjects | null;
  /** Ranges of its address space that RM leaves alone because the VM reserved them. */
  reservations: AddressRange[];
  config: VmConfig | null;
  /** Attributes of a configuration that was refused for what it asks for. */
  refusedAttributes: readonly string[];
  objects: VmObjects | null;
  /** Sparse extent of the memory that the VM owns; null if all its memory is other VMs' parcels. */
  memoryExtent: CapId | null;
  /** Platform memory behind a platform VM's RAM; kept over resets. */
  ram: { readonly offset: bigint; readonly sizeBytes: bigint } | null;
  mappings: VmMapping[];
  deviceWindows: DeviceWindow[];
  vcpus: VcpuRecord[];
  link: RmLink | null;
  console: { selfOpen: boolean; ownerOpen: boolean } | null;
  vdevices: VdeviceRecord[];
  /** In order of creation. */
  heldCaps: HeldCap[];
  heldVirqs: HeldVirq[];
  /** Platform memory behind pages that RM keeps for the VM's devices, as offsets. */
  heldPages: AddressRange[];
  /** Platform memory behind the page that the hypervisor shares with it, as an offset. */
  infoPage: bigint | null;
  /** Where its boot vCPU starts; 0 until that is known. */
  entry: bigint;
  /** Hardware interrupts of the platform that are its own, with the number it sees; the primary VM has all those besides that no device drives. */
  hardwareInterrupts: HardwareInterrupt[];
}

/** A range of an owner's memory inside a parcel. */
export interface ParcelRegion {
  readonly address: bigint;
  readonly offset: bigint;
  readonly sizeBytes: bigint;
  /** Of device memory: the extent that holds just this region. Normal memory lies in the parcel's extent. */
  readonly extent?: CapId;
}
/** What a VM may do with a parcel. */
export interface AclEntry { readonly vmid: number; readonly rights: number }
/** A VM that has accepted a parcel. It may have said where the parcel goes without mapping it yet; then it has the addresses and sees nothing. */
export interface ParcelUser { readonly vmid: Vmid; readonly mappings: readonly VmMapping[]; readonly isMapped: boolean; readonly isContiguous: boolean }

/** A memory parcel. */
export interface Parcel {
  readonly handle: MemparcelHandle;
  readonly owner: Vmid;
  readonly transaction: 'donate' | 'lend' | 'share';
  readonly memoryType: 'normal' | 'io';
  /** The type as its owner gave it, which whoever accepts or looks for it has to know: 1 is device space, any other memory. */
  readonly typeNumber: number;
  readonly sanitised: boolean;
  readonly label: number;
  /** What its owner calls it in notifications; null until the owner has notified anybody. */
  tag: number | null;
  /** Whether its memory is cleared when its owner takes it back, because somebody asked for that. */
  sanitiseAtReclaim: boolean;
  readonly acl: readonly AclEntry[];
  readonly attributes: readonly { readonly attribute: number; readonly vmid: number }[];
  regions: ParcelRegion[];
  /** False while MEM_APPEND is expected. */
  complete: boolean;
  readonly extent: CapId;
  users: ParcelUser[];
  /** Whether the owner sees the memory through the parcel: it shares it with itself. */
  ownerMapped: boolean;
}

/** RM's whole state. */
export interface RmState {
  readonly kind: 'resource-manager';
  readonly version: 6;
  /** Ascending by VMID. */
  vms: VmRecord[];
  parcels: Parcel[];
  nextHandle: number;
  /** Number of the next vdevice. */
  nextVdevice: number;
  /** Sequence number of the next notification, whichever VM gets it. */
  nextNotification: number;
  lentInterrupts: LentInterrupt[];
  /** Handles of lent interrupts are this plus the hardware interrupt's number. */
  readonly interruptHandleBase: number;
  /** Platform memory that RM may still give away, as offsets into the memory extent; ascending. */
  freeMemory: { base: bigint; sizeBytes: bigint }[];
  /** The primary VM's capability to RM's own vCPU. */
  rmVcpuCap: CapId;
  /** The firmware of protected VMs that FW_SET_VM_FIRMWARE gave RM: platform memory that is RM's now. */
  firmware: { readonly regions: readonly ParcelRegion[]; readonly sizeBytes: bigint } | null;
  /** Whether FW_MILESTONE has ended the loading of firmware. */
  firmwareIsFinal: boolean;
}

/** What RM knows before it boots: memory it may give away, as offsets into the memory extent. */
export function newRmState(freeMemory: RmState['freeMemory'], interruptHandleBase: number): RmState {
  return {
    kind: 'resource-manager', version: 6, vms: [], parcels: [], nextHandle: 0, nextVdevice: 0, nextNotification: 0, lentInterrupts: [], interruptHandleBase, freeMemory, rmVcpuCap: CAP_ID_INVALID, firmware: null, firmwareIsFinal: false,
  };
}

/** A VM that has just been allocated. */
export function newVm(vmid: Vmid, owner: Vmid, platformIndex: number | null): VmRecord {
  return {
    vmid, owner, platformIndex, state: 'NONE', osState: 0, appStatus: 0, name: '', uri: '', guid: new Uint8Array(16), crashMessage: '', exit: null, peers: [owner], image: null, firmware: null, reservations: [], demandPaging: [], paging: null, bootContext: { entry: null, x0: null }, layout: { image: null, firmware: null },
    config: null, refusedAttributes: [], objects: null, memoryExtent: null, ram: null, mappings: [], deviceWindows: [], vcpus: [], link: null, console: null, vdevices: [], heldCaps: [],
    heldVirqs: [], heldPages: [], infoPage: null, entry: 0n, hardwareInterrupts: [],
  };
}

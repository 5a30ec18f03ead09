/**
 * What a system is made of, already read from files: the resolved form of a system file. Bytes and trees, no paths to
 * open. The adapter and the command line make it from `*.gunyah.json`; see docs/reference/system-file.md.
 */

import type { DiskImage } from '../machine/devices/disk-contents';
import type { LoadableImage } from '../images/image';
import type { ServiceSettings } from '../hypervisor/service-registers';
import type { RmProfile } from '../resource-manager/index';

/** The platform under all virtual machines. */
export interface PlatformDescription {
  /** Physical CPUs, 1..8. */
  readonly cpuCount: number;
  /** CPU model name, such as `cortex-a57`. */
  readonly cpuModel: string;
  /** All RAM in bytes, a multiple of 4 KiB; undefined chooses what the VMs need. */
  readonly memorySizeBytes?: number;
  readonly seed: number;
  /** How the Resource Manager answers; as the open one unless given. */
  readonly resourceManager?: RmProfile;
  /** VMs but the primary have watchdogs; the reference build of Gunyah leaves them out. */
  readonly watchdog?: boolean;
}

/** What a VM that starts in firmware has beside the firmware itself. */
export interface FirmwareDescription {
  /** Initial contents of the second bank of flash, where firmware keeps variables; zeros follow. */
  readonly variables?: Uint8Array;
  /** A kernel that firmware may load through the configuration device. Command line and ramdisk are the VM's. */
  readonly kernel?: Uint8Array;
}

/** A disk of a VM. */
export interface DiskDescription {
  /** The image, which is never written: what the guest writes lives as long as the system. */
  readonly image: DiskImage;
  readonly isReadOnly: boolean;
}

/** Virtio devices of a VM, in the order of their slots. */
export interface VirtioDescription {
  readonly disks: readonly DiskDescription[];
  /** For each network card the name of the switch that it is connected to; cards with equal names reach each other. */
  readonly networks: readonly string[];
  readonly hasEntropy: boolean;
  readonly hasConsole: boolean;
}

/** One virtual machine. */
export interface VmDescription {
  readonly name: string;
  readonly image: LoadableImage;
  /** How the user named the image file; for messages and views. */
  readonly imageName: string;
  readonly vcpuCount: number;
  /** Guest physical RAM. Base defaults to 0x40000000 for the primary VM; for others the VM configuration says. */
  readonly memoryBase?: bigint;
  readonly memorySizeBytes?: number;
  /** A complete device tree blob to use instead of the board's. */
  readonly deviceTree?: Uint8Array;
  /** A blob that holds Gunyah's VM-configuration node (and whatever else the VM's tree should have). */
  readonly config?: Uint8Array;
  readonly commandLine: string;
  readonly ramdisk?: Uint8Array;
  readonly hasUart: boolean;
  /** Flash and what firmware finds beside it. Present exactly if `image` is firmware. */
  readonly firmware?: FirmwareDescription;
  /** Its virtio devices. */
  readonly virtio?: VirtioDescription;
  readonly autostart: boolean;
  /** The hypercall services that it begins with; absent: Gunyah's own. */
  readonly services?: ServiceSettings;
}

/** A whole system. The first VM is the primary one. */
export interface SystemDescription {
  readonly platform: PlatformDescription;
  readonly identity: 'gunyah' | 'gunyah-legacy' | 'none';
  readonly vms: readonly VmDescription[];
  /** Hypercall services of VMs that have no choice of their own. */
  readonly services?: ServiceSettings;
  /** Whether `HLT #0xF000` of a guest is a semihosting call. */
  readonly semihosting: boolean;
}

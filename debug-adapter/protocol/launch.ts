/**
 * Launch and attach arguments of the `gunyah` debug type, and the system file (`*.gunyah.json`).
 *
 * Types only; validated by `debug-adapter/configuration`. 64-bit addresses are strings (`"0x40000000"`), sizes are strings with a
 * unit (`"128M"`) or numbers of bytes.
 */

/** A size: bytes, or a string such as `"128M"`, `"1G"`, `"64K"`, `"0x100000"`. */
export type SizeText = string | number;

/** `platform` of a system file. */
export interface PlatformConfiguration {
  /** Physical CPUs, 1..8. Default: as many as the VMs' vCPUs need, at least 1. */
  readonly cpus?: number;
  /** CPU model: `cortex-a53`, `cortex-a57` (default), `cortex-a76`, `max`. */
  readonly cpu?: string;
  /** RAM of the whole platform. Default: what the VMs need and room for the hypervisor. */
  readonly memory?: SizeText;
  /** Seed of everything that is random. Default 1. */
  readonly seed?: number;
  /** How the Resource Manager answers. Default `open-2023-12`. */
  readonly resourceManager?: 'open-2023-12' | 'linux';
  readonly watchdog?: boolean;
}

/** A disk of a VM. */
export interface DiskConfiguration { readonly path: string; readonly readOnly?: boolean; readonly format?: 'raw' }

/** A bitmap of services: a number, or names of its bits. */
export type ServiceBitmap = string | number | readonly string[];
/** Hypercall services offered to a VM. What is absent has the value that the interface says. */
export interface ServicesConfiguration {
  /** Whose answers the VM gets. Default `gunyah`. */
  readonly personality?: 'gunyah' | 'kvm';
  /** The interface as merged into Linux (default) or as first proposed. */
  readonly flavour?: 'merged' | 'rfc';
  readonly standardSecure?: ServiceBitmap;
  readonly standardHypervisor?: ServiceBitmap;
  readonly vendorHypervisor?: ServiceBitmap;
  readonly vendorHypervisor2?: ServiceBitmap;
  readonly psciVersion?: '0.1' | '0.2' | '1.0' | '1.1' | '1.2' | '1.3';
  /** Guest physical address of the stolen-time structures. */
  readonly stolenTime?: string;
  /** What the host says of ARCH_WORKAROUND_n. */
  readonly workarounds?: { readonly 1?: 0 | 1 | 2; readonly 2?: 0 | 3; readonly 3?: 0 | 1 | 2 };
  readonly filter?: readonly { readonly base: string | number; readonly count?: number; readonly action: 'handle' | 'deny' | 'forward' }[];
}

/** One VM of a system file. `image` or `firmware` is required. Paths are relative to the system file. */
export interface VmConfiguration {
  readonly name?: string;
  /** An ELF file or arm64 Image to start; with `firmware`, a kernel that firmware may load. */
  readonly image?: string;
  /** Raw image that the VM executes from flash at address 0. */
  readonly firmware?: string;
  /** Initial contents of the flash's second bank. */
  readonly flashVariables?: string;
  readonly symbols?: readonly string[];
  readonly memory?: { readonly base?: string; readonly size?: SizeText };
  readonly vcpus?: number;
  /** Source or blob of the VM's own device tree; default: made from the board. */
  readonly deviceTree?: string;
  /** Overlays, source or blobs, applied in order to the tree of `config` or `deviceTree`. */
  readonly overlays?: readonly string[];
  readonly commandLine?: string;
  readonly ramdisk?: string | null;
  /** Virtio disks; an object says more than a path. */
  readonly disks?: readonly (string | DiskConfiguration)[];
  /** Virtio network cards, by the switch that each is connected to. */
  readonly networks?: readonly string[];
  readonly entropy?: boolean;
  readonly virtioConsole?: boolean;
  readonly uart?: boolean;
  /** A DTS with Gunyah's VM-configuration node: RM creates the VM from it. */
  readonly config?: string;
  readonly autostart?: boolean;
  /** Hypercall services offered to it; what is absent is as in the system's `smccc`. */
  readonly smccc?: ServicesConfiguration;
}

/** A system file. The first VM is the primary one. */
export interface SystemConfiguration {
  readonly platform?: PlatformConfiguration;
  readonly identity?: 'gunyah' | 'gunyah-legacy' | 'none';
  readonly vms: readonly VmConfiguration[];
  /** Hypercall services offered to all VMs. */
  readonly smccc?: ServicesConfiguration;
  /** Of VMs that other VMs make at run time, by the name that their configuration gives them. */
  readonly symbols?: readonly { readonly vm: string; readonly file: string }[];
}

/** Common to launch requests; exactly one of `program` and `system` is given. */
export interface LaunchArguments {
  readonly program?: string;
  readonly system?: string | SystemConfiguration;
  readonly cwd?: string;
  readonly stopOnEntry?: boolean;
  /** Extra symbol files: a path, or `{ vm, file, slide }`. */
  readonly symbols?: readonly (string | { readonly vm?: string; readonly file: string; readonly slide?: string })[];
  /** Pairs from recorded path prefix to local one. */
  readonly sourceMap?: Readonly<Record<string, string>>;
  /** Write the trace to this file while running. */
  readonly trace?: string;
  readonly semihosting?: boolean;
  /** History: on (default), off, or a budget of memory such as `"512M"`. */
  readonly reverse?: boolean | SizeText;
  /** Where consoles go: `terminal` (default) or `debugConsole`. */
  readonly consoles?: 'terminal' | 'debugConsole';
  readonly noDebug?: boolean;
}

/** Attach to a running `gunyah dap`. */
export interface AttachArguments { readonly host?: string; readonly port: number }

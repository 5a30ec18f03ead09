/**
 * Our additions to the Debug Adapter Protocol: every `gunyah/…` request with its arguments and answer.
 *
 * All are answered while stopped or running, from one consistent point. 64-bit values are strings `0x…`; ticks are numbers.
 * An address is `vm:space:0xADDR` (`space` is `va` or `ipa`) or `pa:0xADDR`.
 */

/** A 64-bit value as text: `0x` and lower-case hex digits. */
export type Hex = string;
/** One vCPU of a VM; `threadId` is its DAP thread. */
export interface VcpuRow {
  readonly threadId: number;
  readonly index: number;
  /** `running`, `ready`, `wfi`, `off`, `suspended`, `proxy`, `blocked`, `exited`. */
  readonly state: string;
  readonly pc: Hex;
  readonly el: number;
  readonly physicalCpu: number | null;
  readonly priority: number;
  readonly instructions: number;
  readonly function: string | null;
}
/** One VM. */
export interface VmRow {
  readonly vmid: number;
  readonly name: string;
  /** RM's state name: `LOAD`, `INIT`, `READY`, `RUNNING`, `EXITED`, `RESET` …; the RM itself is `RUNNING`. */
  readonly state: string;
  readonly osState: string;
  readonly owner: number | null;
  readonly image: string | null;
  readonly memoryBase: Hex;
  readonly memorySizeBytes: number;
  readonly entry: Hex;
  readonly exit: { readonly reason: string; readonly code: number } | null;
  readonly vcpus: readonly VcpuRow[];
  /** As RM knows it; null where it has none. */
  readonly uuid: string | null;
  readonly hypervisor: HypervisorIdentity;
}
/** One capability of a VM's cspace. */
export interface CapabilityRow {
  readonly capId: Hex;
  readonly objectType: string;
  readonly objectId: number;
  readonly state: 'valid' | 'revoked';
  readonly rights: readonly string[];
  readonly rightsMask: number;
  readonly label: string;
  /** Who else holds a capability to the object: `vm name: rights`. */
  readonly holders: readonly { readonly vmid: number; readonly name: string; readonly capId: Hex; readonly rights: readonly string[] }[];
}
/** A message that waits in a queue. */
export interface QueuedMessage {
  readonly tick: number;
  readonly size: number;
  /** Lower-case hex, two digits a byte. */
  readonly bytes: string;
  /** What the bytes say, if they are an RM packet; null otherwise. */
  readonly decoded: string | null;
}
/** One message queue with its ends, thresholds and waiting messages. */
export interface QueueRow {
  readonly objectId: number;
  readonly label: string;
  /** VM names at the sending and receiving ends. */
  readonly from: string;
  readonly to: string;
  readonly depth: number;
  readonly queued: number;
  readonly maxMessageSize: number;
  readonly notEmptyThreshold: number;
  readonly notFullThreshold: number;
  readonly messages: readonly QueuedMessage[];
  /** `vm:virq`, or null when unbound. */
  readonly txVirq: { readonly vm: string; readonly virq: number } | null;
  readonly rxVirq: { readonly vm: string; readonly virq: number } | null;
  /** Messages that went through since the start. */
  readonly sentCount: number;
  readonly receivedCount: number;
}
/** One doorbell. */
export interface DoorbellRow {
  readonly objectId: number;
  readonly label: string;
  readonly senders: readonly string[];
  readonly receiver: string;
  readonly flags: Hex;
  readonly enableMask: Hex;
  readonly ackMask: Hex;
  readonly virq: { readonly vm: string; readonly virq: number } | null;
}
/** One virtual interrupt of a VM; `vcpu` is null for a shared one. */
export interface InterruptRow {
  readonly virq: number;
  readonly vcpu: number | null;
  /** `SGI`, `PPI` or `SPI`. */
  readonly kind: 'SGI' | 'PPI' | 'SPI';
  /** The kind of source, such as `msgqueue-rx`; empty if nothing is bound. */
  readonly source: string;
  /** The object behind the source by name, such as `message queue 24 "…"`; empty if nothing is bound. */
  readonly object: string;
  readonly objectId: number | null;
  readonly enabled: boolean;
  readonly pending: boolean;
  readonly active: boolean;
  readonly level: boolean;
  readonly trigger: 'edge' | 'level';
  readonly priority: number;
  readonly group: number;
  /** Who gets it: `vCPU 0`, or `any vCPU`. */
  readonly route: string;
}
/** An interrupt that is presented to a vCPU: what a list register of the hardware would hold. */
export interface ListRegisterRow {
  readonly virq: number;
  readonly state: 'pending' | 'active' | 'pending and active';
  readonly priority: number;
  readonly group: number;
}
/** A register by name. */
export interface RegisterRow { readonly name: string; readonly value: Hex }
/** One vCPU's interface to its interrupt controller. */
export interface InterruptInterfaceRow {
  readonly vcpu: number;
  /** Levels of the vCPU's interrupt inputs. */
  readonly irq: boolean;
  readonly fiq: boolean;
  /** PSTATE.I: whether the vCPU takes no interrupt now. */
  readonly masked: boolean;
  /** ICC_* registers. */
  readonly registers: readonly RegisterRow[];
  /** The vCPU's redistributor. */
  readonly redistributor: readonly RegisterRow[];
  /** In the order in which they would be taken; the model has as many as are needed. */
  readonly listRegisters: readonly ListRegisterRow[];
}
/** Another place where memory can be seen. */
export interface SharerRow { readonly vmid: number; readonly vm: string; readonly ipa: Hex; readonly access: string }
/**
 * How memory stands to its owner: `owned` by the VM that sees it, `borrowed` from another, `lent` away, `shared` with others, `donated`
 * (on its way to another VM), `device`, or the system's own: `resource-manager`, `hypervisor`.
 */
export type MemoryStateName = 'owned' | 'borrowed' | 'lent' | 'shared' | 'donated' | 'device' | 'resource-manager' | 'hypervisor';
/** One range of a VM's stage-2 map. */
export interface MemoryRow {
  readonly ipa: Hex;
  readonly sizeBytes: number;
  readonly pa: Hex;
  /** What EL1 may do: `R`, `W`, `X` or `-`. */
  readonly access: string;
  /** What EL0 may do. */
  readonly userAccess: string;
  readonly memoryType: string;
  readonly extentId: number | null;
  /** The VM that owns the memory, or `hypervisor`. */
  readonly owner: string;
  readonly state: MemoryStateName;
  /** The memory parcel it belongs to. */
  readonly memparcel: number | null;
  /** Everybody else whose stage-2 map has a page of it. */
  readonly others: readonly SharerRow[];
  /** True if there were too many others to list. */
  readonly othersCut: boolean;
}
/**
 * A range of a VM's addresses at which nothing is mapped and that answers all the same: a frame of its interrupt controller or its clock, which the hypervisor emulates
 * (`emulated`), a range whose accesses go to whoever runs the VM's vCPUs (`vmm`), a device of the board (`board`), or device space with nothing in it (`empty`), where the bus refuses.
 * `reserved`: addresses that are given to something the VM does not see there, such as its address space's information area; `name` says what, and what accesses reach.
 */
export interface WindowRow { readonly ipa: Hex; readonly sizeBytes: number; readonly kind: 'emulated' | 'vmm' | 'board' | 'empty' | 'reserved'; readonly name: string }
/** A range by physical address. */
export interface PhysicalRange { readonly pa: Hex; readonly sizeBytes: number }
/** One memory extent of the hypervisor. */
export interface ExtentRow {
  readonly objectId: number;
  readonly label: string;
  readonly kind: 'basic' | 'sparse';
  readonly base: Hex;
  readonly sizeBytes: number;
  readonly memoryType: string;
  /** What mappings of it may allow at most. */
  readonly access: string;
  /** The extent that it was derived from. */
  readonly parent: number | null;
  /** What it owns now, at most a thousand ranges. */
  readonly owned: readonly PhysicalRange[];
  readonly ownedBytes: number;
  readonly mappings: readonly { readonly vmid: number; readonly vm: string; readonly ipa: Hex; readonly offset: Hex; readonly sizeBytes: number; readonly access: string; readonly memoryType: string }[];
  /** VMs that hold a capability to it. */
  readonly holders: readonly string[];
}
/** One memory parcel of the Resource Manager. */
export interface MemparcelRow {
  readonly handle: number;
  readonly label: number;
  readonly ownerVmid: number;
  readonly owner: string;
  readonly transaction: 'donate' | 'lend' | 'share';
  /** `offered` until somebody accepts it, then `lent`, `shared` or `donated`. */
  readonly state: 'building' | 'offered' | 'lent' | 'shared' | 'donated';
  readonly memoryType: string;
  readonly sanitised: boolean;
  /** False while MEM_APPEND is expected. */
  readonly complete: boolean;
  /** Whether its owner sees it now. */
  readonly ownerMapped: boolean;
  readonly sizeBytes: number;
  readonly acl: readonly { readonly vmid: number; readonly vm: string; readonly access: string }[];
  readonly ranges: readonly { readonly ipa: Hex; readonly pa: Hex; readonly sizeBytes: number }[];
  readonly acceptedBy: readonly { readonly vmid: number; readonly vm: string; readonly ranges: readonly { readonly ipa: Hex; readonly sizeBytes: number }[] }[];
}
/** One physical CPU: what runs, and what waits for it. */
export interface SchedulerRow {
  readonly cpu: number;
  /** Who executes: the thread at the head of the CPU, or the one that it donates its time to. */
  readonly current: string | null;
  /** Whose time slice is used. */
  readonly payer: string | null;
  /** In the order in which they would run. */
  readonly ready: readonly { readonly thread: string; readonly priority: number }[];
}
/** Why a thread does not run. */
export interface BlockRow {
  /** Gunyah's name of the reason, such as `VCPU_WFI`. */
  readonly reason: string;
  readonly description: string;
  /** Who or what would end it, such as `an interrupt` or `primary (vcpu_run)`; empty for a thread that has ended. */
  readonly by: string;
}
/** One thread of the hypervisor: a vCPU, or the Resource Manager's own. */
export interface ThreadRow {
  /** `vm/cpuN`, as DAP's threads are called. */
  readonly thread: string;
  /** DAP thread; null if it is none. */
  readonly threadId: number | null;
  readonly objectId: number;
  readonly vmid: number;
  readonly vcpu: number;
  readonly priority: number;
  readonly timesliceTicks: number;
  readonly sliceLeftTicks: number;
  /** Physical CPU; null for one that runs only in others' time. */
  readonly affinity: number | null;
  /** As in `VcpuRow`. */
  readonly state: string;
  readonly runsOnCpu: number | null;
  /** Runs by `vcpu_run` only. */
  readonly isProxy: boolean;
  readonly blocks: readonly BlockRow[];
  /** Who runs where it would run, if it is ready; null otherwise. */
  readonly waitsFor: string | null;
  /** Since when it does not run; null if it runs or never has. */
  readonly sinceTick: number | null;
  /** Who lends it time, and whom it lends its own. */
  readonly donor: string | null;
  readonly donee: string | null;
  /** That it retired; null for a thread that executes none of its own, as the Resource Manager's. */
  readonly instructions: number | null;
}
/** An RM message: one that waits, or one of the past. */
export interface RmMessageRow {
  /** Number of the event in the trace, for `gunyah/seek`; null for messages that wait. */
  readonly number: number | null;
  readonly tick: number | null;
  readonly kind: 'request' | 'reply' | 'notification' | 'continuation';
  /** The VM at the other end. */
  readonly vmid: number;
  readonly vm: string;
  readonly name: string;
  readonly id: number;
  readonly sequence: number;
  /** RM's error name; replies only. */
  readonly error: string | null;
  /** Decoded fields in words, by name. */
  readonly fields: Readonly<Record<string, string>>;
  /** The payload as lower-case hex digits, of long ones the beginning. */
  readonly bytes: string;
}
/** Where a message that waits is. */
export interface RmPendingRow extends RmMessageRow {
  /** `to RM`: in the queue to RM; `assembling`: RM has part of it; `held by RM`: RM waits for room; `to VM`: in the queue to the VM. */
  readonly place: 'to RM' | 'assembling' | 'held by RM' | 'to VM';
}
/** RM's record of a VM, beside what `VmRow` says. */
export interface RmVmRow {
  readonly vmid: number;
  readonly vm: string;
  readonly state: string;
  readonly osState: string;
  readonly appStatus: number;
  readonly owner: string;
  readonly peers: readonly string[];
  readonly vcpuCount: number;
  readonly uri: string;
  readonly crashMessage: string;
  readonly exit: { readonly type: string; readonly code: number; readonly flags: number } | null;
  readonly memory: readonly { readonly ipa: Hex; readonly sizeBytes: number; readonly kind: 'memory' | 'device'; readonly memparcel: number | null }[];
}
/** One line of the trace as `gunyah run --trace` writes it. */
export interface TraceRow {
  /** Number of the event: the same however often time is travelled on a branch of history. */
  readonly number?: number;
  readonly tick: number;
  readonly vm: string;
  readonly vcpu?: number;
  readonly event: string;
  /** Number of a hypercall. */
  readonly call?: number;
  /** What stands behind numbers, by the name of the field. */
  readonly names?: Readonly<Record<string, string>>;
  /** `name`, `args`, `result` and others, as the event has them. */
  readonly [field: string]: unknown;
}
/** What `gunyah/trace` is asked. */
export interface TraceQuery {
  /** Event number at which to begin. Absent: so that the newest events are answered. */
  readonly from?: number;
  /** Most rows wanted; 1000 if absent, 10000 at most. */
  readonly limit?: number;
  /** Which events; the language is in the manual under Trace. */
  readonly filter?: string;
  /** `backward` answers the last events before `from`, oldest first as well. */
  readonly direction?: 'forward' | 'backward';
  /** Also what lies ahead of the present, known because time was travelled back. */
  readonly future?: boolean;
  /** Rows say in `names` which objects and VMs stand behind the numbers of their fields, as they are called now. */
  readonly names?: boolean;
}
/** A page of the trace. */
export interface TracePage {
  /** Oldest first. */
  readonly events: readonly TraceRow[];
  /** `from` of the next page forward and backward; at the end of the trace, `next` stays where new events will come. */
  readonly next: number;
  readonly previous: number;
  /** Events between `from` and the oldest one that is kept. */
  readonly dropped: number;
  /** Number of the oldest event kept. */
  readonly start: number;
  /** How many events happened up to the present moment; those from here on are the future, known because time was travelled back. */
  readonly position: number;
  /** Number after the newest event known. */
  readonly end: number;
  /** Grows when history branches, so that events of the future that were known never happen. */
  readonly branch: number;
  /** True if no event beyond the page can match any more. */
  readonly complete: boolean;
}
/** Extent of the recorded time, in ticks, and what is known in it. */
export interface TimelineInfo {
  readonly start: number;
  readonly end: number;
  readonly now: number;
  readonly checkpoints: readonly { readonly tick: number; readonly sizeBytes: number }[];
  readonly marks: readonly { readonly tick: number; readonly name: string }[];
  readonly replaying: boolean;
}
/** One step of an address translation. */
export interface TranslationStep { readonly space: 'va' | 'ipa' | 'pa'; readonly address: Hex; readonly note: string }
/** One descriptor that a translation reads. */
export interface TranslationLevel {
  readonly stage: 1 | 2;
  readonly level: number;
  /** Where the descriptor lies: in the VM's address space (stage 1), and physically. */
  readonly descriptorIpa: Hex | null;
  readonly descriptorPa: Hex | null;
  readonly index: number;
  readonly descriptor: Hex;
  readonly kind: 'table' | 'block' | 'page' | 'invalid' | 'unreadable';
  /** What it says, in words. */
  readonly text: string;
  /** Its fields by the names of the Arm ARM. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** Bytes that it translates. */
  readonly spanBytes: number;
}
/** A whole translation. */
export interface TranslationBody {
  readonly ok: boolean;
  readonly steps: readonly TranslationStep[];
  /** Descriptors in the order in which they are read. Stage 2 of the address itself only, not of the tables. */
  readonly levels: readonly TranslationLevel[];
  readonly error?: string;
  /** What answers there although nothing is mapped, in words; null if nothing does. */
  readonly window: string | null;
  /** Who else can see the page; empty if the translation failed. */
  readonly others: readonly SharerRow[];
  /** The VM that owns the page and how it stands to it; null if nobody does. */
  readonly owner: string | null;
  readonly state: MemoryStateName | null;
  readonly memparcel: number | null;
}
/** A file of Linux's `/sys/hypervisor` and what a guest reads from it, its final newline included. */
export interface SysfsFile { readonly path: string; readonly text: string }
/** One generation of Linux's Gunyah drivers under this hypervisor. */
export interface LinuxGeneration {
  /** The patch series, such as `v4`. */
  readonly generation: string;
  /** Whether its drivers take this for Gunyah: before v11 they expect the words of the UID in the order of `gunyah-legacy`. */
  readonly isRecognised: boolean;
  /** Empty for generations without sysfs, and where Gunyah is not recognised. */
  readonly files: readonly SysfsFile[];
}
/** What a guest finds out about the hypervisor under it. */
export interface HypervisorIdentity {
  readonly kind: 'gunyah' | 'gunyah-legacy' | 'kvm' | 'none';
  /** Call UID by SMCCC, as text; null if the guest gets none. */
  readonly uid: string | null;
  /** Of hypervisor_identify. */
  readonly apiVersion: number | null;
  readonly variant: number | null;
  readonly isBigEndian: boolean;
  readonly is64Bit: boolean;
  /** Words for the bits of api_info and api_flags that are set. */
  readonly features: readonly string[];
  readonly apiInfo: Hex | null;
  readonly apiFlags: readonly Hex[];
  /** By generation of Linux's drivers: what they show. */
  readonly linux: readonly LinuxGeneration[];
}

/** A saved or restored session. After a restore the system stands still there, with a `stopped` event; history begins anew. */
export interface SnapshotAnswer {
  readonly action: 'save' | 'restore';
  readonly path: string;
  readonly sizeBytes: number;
  readonly tick: number;
  /** As `gunyah run --json` gives it. */
  readonly stateHash: string;
}
/** What `gunyah/exportTrace` is asked. */
export interface TraceExportQuery {
  readonly format: 'jsonl' | 'perfetto' | 'pcapng';
  /** File to write, absolute; absent: the answer carries the trace. */
  readonly path?: string;
  /** Numbers of the first event and after the last one; absent: all that are kept. */
  readonly from?: number;
  readonly to?: number;
  /** As for `gunyah/trace`. */
  readonly filter?: string;
}
/** An exported trace. */
export interface TraceExport {
  readonly format: 'jsonl' | 'perfetto' | 'pcapng';
  /** Events taken into account; pcapng holds messages only. */
  readonly events: number;
  readonly sizeBytes: number;
  readonly path: string | null;
  /** Without `path`: the trace, as text or, with pcapng, in Base64. */
  readonly text?: string;
  readonly base64?: string;
}
/** One register of a VM's hypercall services. */
export interface ServiceRegisterRow {
  readonly id: Hex;
  /** Linux's name, such as `KVM_REG_ARM_STD_BMAP`. */
  readonly name: string;
  readonly kind: 'version' | 'level' | 'bitmap';
  readonly value: Hex;
  /** Bitmaps: the bits that can be set. */
  readonly supported: Hex;
  readonly bits: readonly { readonly bit: number; readonly name: string; readonly services: string; readonly isSet: boolean }[];
}
/** A range of function identifiers that is treated otherwise than the bitmaps say. */
export interface ServiceFilterRow { readonly base: Hex; readonly count: number; readonly action: 'handle' | 'deny' | 'forward' }
/** The hypercall services of a VM. */
export interface ServiceSelection {
  readonly vmid: number;
  readonly personality: 'gunyah' | 'kvm';
  readonly flavour: 'merged' | 'rfc';
  /** Whether a vCPU has run, so that bitmaps are fixed. */
  readonly hasRun: boolean;
  readonly stolenTime: Hex | null;
  readonly filter: readonly ServiceFilterRow[];
  /** In the order of KVM_GET_REG_LIST. */
  readonly registers: readonly ServiceRegisterRow[];
}
/** Names a VM by number or by name. */
export interface VmArguments { readonly vmid?: number; readonly vm?: string }

/** Every custom request: arguments and answer. The adapter's request table is a mapped type over these keys. */
export interface CustomRequests {
  'gunyah/vms': { arguments: Record<string, never>; body: { vms: readonly VmRow[] } };
  'gunyah/capabilities': { arguments: { vmid: number }; body: { capabilities: readonly CapabilityRow[] } };
  'gunyah/messageQueues': { arguments: Record<string, never>; body: { messageQueues: readonly QueueRow[] } };
  'gunyah/doorbells': { arguments: Record<string, never>; body: { doorbells: readonly DoorbellRow[] } };
  'gunyah/memory': { arguments: { vmid: number }; body: { map: readonly MemoryRow[]; windows: readonly WindowRow[]; extents: readonly ExtentRow[]; memparcels: readonly MemparcelRow[]; cut: boolean } };
  'gunyah/translate': { arguments: { vm: string; address: Hex; stage?: 1 | 2 }; body: TranslationBody };
  'gunyah/interrupts': { arguments: { vmid: number }; body: { interrupts: readonly InterruptRow[]; vcpus: readonly InterruptInterfaceRow[]; distributor: readonly RegisterRow[] } };
  'gunyah/scheduler': { arguments: Record<string, never>; body: { cpus: readonly SchedulerRow[]; threads: readonly ThreadRow[] } };
  'gunyah/rm': { arguments: { historyLimit?: number }; body: { vms: readonly VmRow[]; table: readonly RmVmRow[]; memparcels: readonly MemparcelRow[]; pending: readonly RmPendingRow[]; history: readonly RmMessageRow[] } };
  'gunyah/trace': { arguments: TraceQuery; body: TracePage };
  'gunyah/timeline': { arguments: Record<string, never>; body: TimelineInfo };
  'gunyah/seek': { arguments: { tick?: number; event?: number }; body: { tick: number } };
  'gunyah/lastWrite': { arguments: { address: string; vm?: string; size?: number }; body: { found: boolean; tick?: number; vm?: string; pc?: Hex } };
  'gunyah/writeConsole': { arguments: { vm: string; text: string }; body: { accepted: number } };
  'gunyah/snapshot': { arguments: { action: 'save' | 'restore'; path: string }; body: SnapshotAnswer };
  'gunyah/exportTrace': { arguments: TraceExportQuery; body: TraceExport };
  'gunyah/serviceRegisters': { arguments: VmArguments; body: ServiceSelection };
  'gunyah/getServiceRegister': { arguments: VmArguments & { register: string }; body: { id: Hex; name: string; value: Hex } };
  'gunyah/setServiceRegister': { arguments: VmArguments & { register: string; value: Hex | number }; body: { id: Hex; name: string; value: Hex } };
  'gunyah/addServiceFilter': { arguments: VmArguments & { base: Hex | number; count?: number; action: 'handle' | 'deny' | 'forward' }; body: { filter: readonly ServiceFilterRow[] } };
  'gunyah/deviceTree': { arguments: { vmid: number }; body: { source: string; blob: string } };
}
/** Name of a custom request. */
export type CustomRequestName = keyof CustomRequests;
export type CustomRequestArguments<N extends CustomRequestName> = CustomRequests[N]['arguments'];
export type CustomRequestBody<N extends CustomRequestName> = CustomRequests[N]['body'];

/** Custom events the adapter sends. */
export interface CustomEvents {
  /** Console output of a VM, coalesced per slice. */
  'gunyah/console': { vm: string; text: string };
  /** A VM began or ended: views refresh, terminals open. */
  'gunyah/vmState': { vm: string; vmid: number; from: string; to: string };
  /** Sent when the position in time changed other than by running forward. */
  'gunyah/timeTravel': { tick: number };
}
/** Name of a custom event. */
export type CustomEventName = keyof CustomEvents;

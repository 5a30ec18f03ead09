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
  readonly source: string;
  readonly enabled: boolean;
  readonly pending: boolean;
  readonly active: boolean;
  readonly level: boolean;
  readonly trigger: 'edge' | 'level';
  readonly priority: number;
  readonly group: number;
  readonly route: string;
}
/** One range of a VM's stage-2 map. */
export interface MemoryRow {
  readonly ipa: Hex;
  readonly sizeBytes: number;
  readonly pa: Hex;
  readonly access: string;
  readonly memoryType: string;
  readonly extentId: number | null;
  readonly owner: string;
}
/** What one physical CPU runs, and what waits for it. */
export interface SchedulerRow {
  readonly cpu: number;
  readonly current: string | null;
  readonly ready: readonly { readonly thread: string; readonly priority: number }[];
}
/** One line of the trace as `gunyah run --trace` writes it. */
export interface TraceRow {
  readonly tick: number;
  readonly vm: string;
  readonly vcpu?: number;
  readonly event: string;
  /** The event's number. */
  readonly number?: number;
  /** `name`, `args`, `result` and others, as the event has them. */
  readonly [field: string]: unknown;
}
/** A page of the trace. Events are numbered from 0 since the start; `number` of a row is its event's. */
export interface TracePage {
  readonly events: readonly TraceRow[];
  /** Number to go on from. */
  readonly next: number;
  /** How many events between `from` and the first one here are kept no longer. */
  readonly dropped: number;
  /** Number of the oldest event kept. */
  readonly start: number;
  /** How many events happened up to the present moment; those from here on are the future, known because time was travelled back. */
  readonly position: number;
  /** Number after the newest event known. */
  readonly end: number;
  /** Grows when history branches, so that events of the future that were known never happen. */
  readonly branch: number;
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

/** Every custom request: arguments and answer. The adapter's request table is a mapped type over these keys. */
export interface CustomRequests {
  'gunyah/vms': { arguments: Record<string, never>; body: { vms: readonly VmRow[] } };
  'gunyah/capabilities': { arguments: { vmid: number }; body: { capabilities: readonly CapabilityRow[] } };
  'gunyah/messageQueues': { arguments: Record<string, never>; body: { messageQueues: readonly QueueRow[] } };
  'gunyah/doorbells': { arguments: Record<string, never>; body: { doorbells: readonly DoorbellRow[] } };
  'gunyah/memory': { arguments: { vmid: number }; body: { map: readonly MemoryRow[] } };
  'gunyah/translate': { arguments: { vm: string; address: Hex; stage?: 1 | 2 }; body: { ok: boolean; steps: readonly TranslationStep[]; error?: string } };
  'gunyah/interrupts': { arguments: { vmid: number }; body: { interrupts: readonly InterruptRow[] } };
  'gunyah/scheduler': { arguments: Record<string, never>; body: { cpus: readonly SchedulerRow[] } };
  'gunyah/rm': { arguments: Record<string, never>; body: { vms: readonly VmRow[]; memparcels: readonly Readonly<Record<string, unknown>>[]; pending: readonly Readonly<Record<string, unknown>>[] } };
  'gunyah/trace': { arguments: { from?: number; limit?: number; filter?: string; future?: boolean }; body: TracePage };
  'gunyah/timeline': { arguments: Record<string, never>; body: TimelineInfo };
  'gunyah/seek': { arguments: { tick?: number; event?: number }; body: { tick: number } };
  'gunyah/lastWrite': { arguments: { address: string; vm?: string; size?: number }; body: { found: boolean; tick?: number; vm?: string; pc?: Hex } };
  'gunyah/writeConsole': { arguments: { vm: string; text: string }; body: { accepted: number } };
  'gunyah/deviceTree': { arguments: { vmid: number }; body: { source: string } };
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

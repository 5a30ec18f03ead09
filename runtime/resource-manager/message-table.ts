/**
 * Every request and notification of the Resource Manager as data: number, layout, who may call.
 *
 * One row serves the decoder, the checks before a handler runs, the trace text, the debugger's queue view and the test that each
 * row has a test. In replies the payload begins with the error word, so offset 0 of `reply` is byte 4 of the payload. Names are the
 * reference's. What RM does with a request is in `requests/`.
 */

import { bareList, blob, bytes, groupedList, guid, list, looseList, listWith, longList, reserved, text, u16, u32, u64, u8, words, zero } from './message-fields';
import type { Field, PayloadOf } from './message-fields';
import type { RmErrorName } from './rm-errors';

/** Who may send a request; `any` and `self` are checked by nobody, `owner` and `query` by the handler once it knows the target. */
export type RmCaller = 'any' | 'hlos' | 'hlos-owner' | 'owner' | 'query' | 'self';

/** One request. */
export interface RmRequest {
  readonly id: number;
  /** `open`: the open RM serves it; `unimplemented`: the open RM knows it and refuses; `newer`: only later RMs know it, and this one in profile `linux`. */
  readonly status: 'open' | 'unimplemented' | 'newer';
  readonly caller: RmCaller;
  readonly summary: string;
  readonly request: readonly Field[];
  /** Shortest payload that RM looks at, where that is more than the fields demand. */
  readonly minimumBytes?: number;
  readonly reply: readonly Field[];
  /** The errors that the request is known to answer, apart from those of hypercalls that RM makes for it. */
  readonly errors: readonly RmErrorName[];
  /** What stands behind the fields is not looked at. */
  readonly ignoresRest?: true;
  /** Whether a failure carries one word more: the hypervisor's error, ARGUMENT_INVALID where the hypervisor was not asked. */
  readonly hasErrorDetail?: true;
}

/** One notification. */
export interface RmNotification {
  readonly id: number;
  readonly summary: string;
  readonly payload: readonly Field[];
}

const target = [u16('vmid'), reserved(2)] as const;
const acl = list('acl', [u16('vmid'), u8('rights'), reserved(1)]);
const sgl = list('sgl', [u64('address'), u64('size')]);
const attributes = list('attributes', [u16('attribute'), u16('vmid')]);
const vmids = longList('vmids', [u32('vmid')]);
const parcel = [u8('memoryType'), reserved(1), u8('flags'), reserved(1), u32('label'), acl, sgl, attributes] as const;
const release = [u32('handle'), u8('flags'), reserved(3)] as const;
const handleReply = [u32('handle')] as const;

/** The requests, in order of their numbers. */
export const RM_REQUESTS = {
  MEM_DONATE: { id: 0x5100_0010, status: 'open', caller: 'any', minimumBytes: 20, request: parcel, reply: handleReply, errors: ['MSG_INVALID', 'NORESOURCE', 'ARGUMENT_INVALID', 'VMID_INVALID', 'MEM_INVALID', 'DENIED'], summary: 'Gives memory away for good to one VM.' },
  MEM_ACCEPT: {
    id: 0x5100_0011, status: 'open', caller: 'any', minimumBytes: 24,
    request: [u32('handle'), u8('memoryType'), u8('transactionType'), u8('flags'), reserved(1), u32('label'), acl, listWith('sgl', 'mapVmid', [u64('address'), u64('size')]), attributes],
    reply: [listWith('sgl', 'flags', [u64('address'), u64('size')])],
    errors: ['MSG_INVALID', 'NORESOURCE', 'HANDLE_INVALID', 'DENIED', 'VMID_INVALID', 'ARGUMENT_INVALID', 'VALIDATE_FAILED'],
    summary: 'Maps a parcel that was given to the caller.',
  },
  MEM_LEND: { id: 0x5100_0012, status: 'open', caller: 'any', minimumBytes: 20, request: parcel, reply: handleReply, errors: ['MSG_INVALID', 'NORESOURCE', 'ARGUMENT_INVALID', 'VMID_INVALID', 'MEM_INVALID', 'DENIED'], summary: 'Lends memory; the lender has no access until it takes the memory back.' },
  MEM_SHARE: { id: 0x5100_0013, status: 'open', caller: 'any', minimumBytes: 20, request: parcel, reply: handleReply, errors: ['MSG_INVALID', 'NORESOURCE', 'ARGUMENT_INVALID', 'VMID_INVALID', 'MEM_INVALID', 'DENIED'], summary: 'Shares memory and keeps the access that the list grants the caller.' },
  MEM_RELEASE: { id: 0x5100_0014, status: 'open', caller: 'any', ignoresRest: true, request: release, reply: [], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'DENIED', 'MEM_RELEASED'], summary: 'Unmaps an accepted parcel.' },
  MEM_RECLAIM: { id: 0x5100_0015, status: 'open', caller: 'any', ignoresRest: true, request: release, reply: [], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'DENIED', 'MEM_INUSE'], summary: 'Takes a parcel back that nobody has accepted any more.' },
  MEM_NOTIFY: {
    id: 0x5100_0017, status: 'open', caller: 'any',
    request: [u32('handle'), u8('flags'), reserved(3), u32('tag'), looseList('vmids', [u16('vmid'), reserved(2)])],
    reply: [], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'ARGUMENT_INVALID', 'DENIED', 'VMID_INVALID', 'MEM_INUSE', 'MEM_RELEASED'],
    summary: 'Tells other VMs about a parcel.',
  },
  MEM_APPEND: { id: 0x5100_0018, status: 'open', caller: 'any', minimumBytes: 12, request: [u32('handle'), u8('flags'), reserved(3), sgl], reply: [], errors: ['MSG_INVALID', 'NORESOURCE', 'HANDLE_INVALID', 'DENIED', 'ARGUMENT_INVALID', 'MEM_INVALID'], summary: 'Adds memory to a parcel that is still being described.' },
  MEM_QCOM_LOOKUP_SGL: {
    id: 0x5100_001a, status: 'open', caller: 'any', minimumBytes: 16, request: [u8('memoryType'), reserved(3), u32('label'), acl, sgl, attributes], reply: handleReply,
    errors: ['MSG_INVALID', 'NORESOURCE', 'LOOKUP_FAILED'],
    summary: 'Finds the handle of one of the caller’s parcels by its description.',
  },
  FW_MILESTONE: { id: 0x5100_0020, status: 'open', caller: 'hlos', request: [], reply: [], errors: ['DENIED', 'MSG_INVALID'], summary: 'Ends the loading of firmware for this boot.' },
  FW_SET_VM_FIRMWARE: {
    id: 0x5100_0021, status: 'open', caller: 'hlos', request: [u16('auth'), u16('more'), u32('handle'), u64('offset'), u64('size')], reply: [],
    errors: ['DENIED', 'MSG_INVALID', 'UNIMPLEMENTED', 'BUSY', 'HANDLE_INVALID', 'ARGUMENT_INVALID', 'VALIDATE_FAILED'],
    summary: 'Hands RM the firmware image for protected VMs.',
  },
  VM_ALLOCATE: { id: 0x5600_0001, status: 'open', caller: 'hlos', request: target, reply: [u32('vmid')], errors: ['DENIED', 'MSG_INVALID', 'NORESOURCE'], summary: 'Allocates a VMID; 0 lets RM choose, and only then the reply carries it.' },
  VM_DEALLOCATE: { id: 0x5600_0002, status: 'open', caller: 'owner', request: target, reply: [], errors: ['MSG_INVALID', 'VMID_INVALID', 'DENIED', 'VM_STATE'], summary: 'Gives a VMID back.' },
  VM_START: { id: 0x5600_0004, status: 'open', caller: 'owner', request: target, reply: [], errors: ['MSG_INVALID', 'VMID_INVALID', 'DENIED', 'VM_STATE', 'NORESOURCE'], summary: 'Starts an initialised VM.' },
  VM_STOP: { id: 0x5600_0005, status: 'open', caller: 'owner', request: [u16('vmid'), u8('flags'), reserved(1), u32('reason')], reply: [], errors: ['MSG_INVALID', 'VMID_INVALID', 'VM_STATE'], summary: 'Asks a VM to shut down, or stops it by force (flag bit 0).' },
  VM_RESET: { id: 0x5600_0006, status: 'open', caller: 'owner', request: target, reply: [], errors: ['MSG_INVALID', 'VMID_INVALID', 'DENIED', 'VM_STATE'], summary: 'Takes a stopped VM apart; the reply comes at once, VM_STATUS when done.' },
  VM_CONFIG_IMAGE: {
    id: 0x5600_0009, status: 'open', caller: 'hlos-owner',
    request: [u16('vmid'), u16('auth'), u32('handle'), u64('imageOffset'), u64('imageSize'), u64('dtbOffset'), u64('dtbSize')],
    reply: [], errors: ['DENIED', 'MSG_INVALID', 'VMID_INVALID', 'VM_STATE', 'MEM_INVALID', 'ARGUMENT_INVALID'],
    summary: 'Says in which parcel image and device tree lie.',
  },
  VM_AUTH_IMAGE: {
    id: 0x5600_000a, status: 'open', caller: 'hlos-owner', request: [u16('vmid'), bareList('parameters', [u32('type'), u32('value')], 0xffff)], reply: [],
    errors: ['DENIED', 'MSG_INVALID', 'VMID_INVALID', 'VM_STATE'],
    summary: 'Has an image authenticated by the platform, which takes any.',
  },
  VM_INIT: { id: 0x5600_000b, status: 'open', caller: 'hlos-owner', request: [u16('vmid'), zero(2)], reply: [], errors: ['DENIED', 'MSG_INVALID', 'VMID_INVALID', 'VM_STATE', 'MEM_INVALID', 'ARGUMENT_INVALID', 'NORESOURCE'], summary: 'Reads the configuration and creates the VM’s objects.' },
  VM_GET_ID: { id: 0x5600_0010, status: 'open', caller: 'query', request: target, reply: [longList('ids', [u8('type'), reserved(1), blob('data')])], errors: ['MSG_INVALID', 'NORESOURCE', 'VM_STATE'], summary: 'GUID, URI, name and signing authority of a VM.' },
  VM_LOOKUP_URI: { id: 0x5600_0011, status: 'open', caller: 'any', request: [text('uri')], reply: [vmids], errors: ['MSG_INVALID', 'ARGUMENT_INVALID'], summary: 'Finds VMs by URI.' },
  VM_LOOKUP_GUID: { id: 0x5600_0012, status: 'open', caller: 'any', request: [guid('guid')], reply: [vmids], errors: ['MSG_INVALID'], summary: 'Finds VMs by GUID.' },
  VM_LOOKUP_NAME: { id: 0x5600_0013, status: 'open', caller: 'any', request: [text('name')], reply: [vmids], errors: ['MSG_INVALID', 'ARGUMENT_INVALID'], summary: 'Finds VMs by name.' },
  VM_GET_OWNER: { id: 0x5600_0015, status: 'open', caller: 'self', request: [], reply: [u32('vmid')], errors: ['MSG_INVALID'], summary: 'Who owns the caller.' },
  VM_GET_STATE: { id: 0x5600_0017, status: 'open', caller: 'query', request: target, reply: [u8('vmState'), u8('osState'), u16('appStatus')], errors: ['MSG_INVALID', 'NORESOURCE', 'DENIED'], summary: 'State of a VM.' },
  VM_GET_CRASH_MSG: { id: 0x5600_0019, status: 'open', caller: 'owner', request: target, reply: [text('message')], errors: ['MSG_INVALID', 'VMID_INVALID'], summary: 'The crash message that a VM left.' },
  VM_GET_HYP_RESOURCES: {
    id: 0x5600_0020, status: 'open', caller: 'any', request: target,
    reply: [longList('resources', [
      u8('type'), reserved(1), u16('partnerVmid'), u32('handle'), u32('label'), u64('capId'), u32('virqHandle'), u32('virq'), u64('base'), u64('size'),
    ])],
    errors: ['MSG_INVALID', 'ARGUMENT_INVALID', 'NORESOURCE'],
    summary: 'Capabilities and interrupts that connect the caller with a VM.',
  },
  VM_GET_HYP_CAPIDS: { id: 0x5600_0021, status: 'unimplemented', caller: 'any', request: target, reply: [], errors: ['UNIMPLEMENTED'], summary: 'Never served.' },
  VM_GET_HYP_IRQS: { id: 0x5600_0022, status: 'unimplemented', caller: 'any', request: target, reply: [], errors: ['UNIMPLEMENTED'], summary: 'Never served.' },
  VM_GET_VMID: { id: 0x5600_0024, status: 'open', caller: 'self', request: [], reply: [u32('vmid')], errors: ['MSG_INVALID'], summary: 'The caller’s VMID.' },
  VM_GET_PEERS: { id: 0x5600_0025, status: 'open', caller: 'self', request: [], reply: [vmids], errors: ['MSG_INVALID'], summary: 'VMs that the caller may ask about.' },
  VM_SET_TIME_BASE: {
    id: 0x5600_0030, status: 'open', caller: 'query', request: [u16('vmid'), reserved(2), u64('timeBase'), u64('systemTimerReference')], reply: [],
    hasErrorDetail: true, errors: ['MSG_INVALID', 'NORESOURCE', 'DENIED', 'VM_STATE', 'ARGUMENT_INVALID'],
    summary: 'Sets the time of a VM’s virtual real-time clock.',
  },
  VM_SET_BOOT_CONTEXT: {
    id: 0x5600_0031, status: 'newer', caller: 'owner', request: [u16('vmid'), u8('registerSet'), u8('registerIndex'), reserved(4), u64('value')], reply: [],
    errors: ['UNIMPLEMENTED', 'MSG_INVALID', 'VMID_INVALID', 'DENIED', 'VM_STATE', 'ARGUMENT_INVALID'],
    summary: 'Sets a register of the boot vCPU.',
  },
  VM_SET_FIRMWARE_MEM: {
    id: 0x5600_0032, status: 'open', caller: 'query', request: [u16('vmid'), zero(2), u32('handle'), u64('offset'), u64('size')], reply: [],
    hasErrorDetail: true, errors: ['MSG_INVALID', 'NORESOURCE', 'DENIED', 'VM_STATE', 'MEM_INVALID', 'ARGUMENT_INVALID'],
    summary: 'Says in which parcel a protected VM’s firmware memory lies.',
  },
  VM_SET_DEMAND_PAGING: {
    id: 0x5600_0033, status: 'newer', caller: 'owner', request: [u16('vmid'), reserved(2), longList('ranges', [u64('base'), u64('size')], 512)], reply: [],
    errors: ['UNIMPLEMENTED', 'MSG_INVALID', 'NORESOURCE', 'VMID_INVALID', 'DENIED', 'VM_STATE', 'ARGUMENT_INVALID'],
    summary: 'Names ranges that the owner fills on demand.',
  },
  VM_SET_ADDRESS_LAYOUT: {
    id: 0x5600_0034, status: 'newer', caller: 'owner', request: [u16('vmid'), reserved(2), u32('rangeId'), u64('base'), u64('size')], reply: [],
    errors: ['UNIMPLEMENTED', 'MSG_INVALID', 'VMID_INVALID', 'DENIED', 'VM_STATE', 'ARGUMENT_INVALID'],
    summary: 'Places image and firmware in the guest.',
  },
  VM_IRQ_ACCEPT: { id: 0x5600_0050, status: 'open', caller: 'any', request: [u32('handle'), u32('virq')], reply: [u32('virq')], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'IN_USE', 'ARGUMENT_INVALID', 'DENIED'], summary: 'Takes a lent interrupt.' },
  VM_IRQ_LEND: { id: 0x5600_0051, status: 'open', caller: 'any', request: [u16('borrower'), reserved(2), u32('virq'), u32('label')], reply: handleReply, errors: ['MSG_INVALID', 'IRQ_INVALID', 'IRQ_INUSE'], summary: 'Lends a hardware interrupt.' },
  VM_IRQ_RELEASE: { id: 0x5600_0052, status: 'open', caller: 'any', request: [u32('handle')], reply: [], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'IN_USE'], summary: 'Gives a borrowed interrupt back.' },
  VM_IRQ_RECLAIM: { id: 0x5600_0053, status: 'open', caller: 'any', request: [u32('handle')], reply: [], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'IN_USE', 'IRQ_INVALID'], summary: 'Takes a lent interrupt back.' },
  VM_IRQ_NOTIFY: { id: 0x5600_0054, status: 'open', caller: 'any', request: [u32('handle'), u32('flags'), list('vmids', [u16('vmid'), reserved(2)], 0xffff)], reply: [], errors: ['MSG_INVALID', 'HANDLE_INVALID', 'IRQ_INUSE', 'IRQ_RELEASED', 'ARGUMENT_INVALID', 'VMID_INVALID'], summary: 'Tells the other side about a lent interrupt.' },
  VM_IRQ_UNMAP: { id: 0x5600_0055, status: 'unimplemented', caller: 'any', request: [], reply: [], errors: ['UNIMPLEMENTED'], summary: 'Never served.' },
  VM_SET_STATUS: { id: 0x5600_0080, status: 'open', caller: 'self', request: [reserved(1), u8('osState'), u16('appStatus')], reply: [], errors: ['MSG_INVALID', 'DENIED', 'ARGUMENT_INVALID'], summary: 'Publishes the state of the operating system.' },
  CONSOLE_OPEN: { id: 0x5600_0081, status: 'open', caller: 'owner', request: target, reply: [], errors: ['MSG_INVALID', 'ARGUMENT_INVALID', 'DENIED'], summary: 'Opens the caller’s side of a console.' },
  CONSOLE_CLOSE: { id: 0x5600_0082, status: 'open', caller: 'owner', request: target, reply: [], errors: ['MSG_INVALID', 'ARGUMENT_INVALID', 'DENIED'], summary: 'Closes the caller’s side of a console.' },
  CONSOLE_WRITE: { id: 0x5600_0083, status: 'open', caller: 'owner', request: [u16('vmid'), bytes('data')], reply: [], errors: ['MSG_INVALID', 'ARGUMENT_INVALID', 'DENIED'], summary: 'Writes to a console.' },
  CONSOLE_FLUSH: { id: 0x5600_0084, status: 'open', caller: 'owner', request: target, reply: [], errors: ['MSG_INVALID', 'ARGUMENT_INVALID', 'DENIED'], summary: 'Does nothing but check rights.' },
  VM_EXIT: { id: 0x5600_0085, status: 'open', caller: 'self', request: [u16('flags'), u8('code'), zero(1)], reply: [], errors: ['MSG_INVALID', 'ARGUMENT_INVALID'], summary: 'Ends the caller.' },
  VM_SET_CRASH_MSG: { id: 0x5600_0086, status: 'open', caller: 'self', request: [text('message')], reply: [], errors: ['MSG_INVALID'], summary: 'Leaves a crash message for the owner.' },
  HOST_GET_TYPE: { id: 0x5600_00a0, status: 'open', caller: 'any', request: [], reply: [u32('type')], errors: ['MSG_INVALID'], summary: 'What kind of host this is.' },
  IPA_RESERVE: {
    id: 0x5600_00b0, status: 'open', caller: 'any',
    request: [u8('allocationType'), reserved(3), u32('genericConstraints'), u32('platformConstraints'), groupedList('ranges', [u64('base'), u64('size')], 30, { by: 'allocationType', value: 1, elements: 2 })],
    reply: [longList('bases', [u64('base')], 30)], errors: ['MSG_INVALID', 'NORESOURCE', 'ARGUMENT_INVALID', 'DENIED'],
    summary: 'Reserves guest address space.',
  },
  IPA_UNRESERVE: { id: 0x5600_00b1, status: 'unimplemented', caller: 'any', request: [], reply: [], errors: ['UNIMPLEMENTED'], summary: 'Never served.' },
} as const satisfies Record<string, RmRequest>;

const handleAndVm = [u32('handle'), u16('vmid'), reserved(2), u32('tag')] as const;

/** The notifications, in order of their numbers. */
export const RM_NOTIFICATIONS = {
  MEM_SHARED: {
    id: 0x5110_0011, summary: 'A parcel was given to the receiver.',
    payload: [
      u32('handle'), u8('memoryType'), u8('transactionType'), u8('flags'), reserved(1), u16('owner'), reserved(2), u32('label'), u32('tag'),
      acl, list('sizes', [u64('size')]), attributes,
    ],
  },
  MEM_RELEASED: { id: 0x5110_0012, summary: 'A VM has released a parcel.', payload: handleAndVm },
  MEM_ACCEPTED: { id: 0x5110_0013, summary: 'A VM has accepted a parcel.', payload: handleAndVm },
  MEM_RECALL: { id: 0x5110_0014, summary: 'The owner wants a parcel back.', payload: [u32('handle'), u32('tag')] },
  VM_EXITED: { id: 0x5610_0001, summary: 'A VM has ended.', payload: [u16('vmid'), u16('exitType'), words('reason')] },
  VM_SHUTDOWN: { id: 0x5610_0002, summary: 'The receiver is asked to shut down.', payload: [u32('reason')] },
  VM_STATUS: { id: 0x5610_0008, summary: 'A VM’s state has changed.', payload: [u16('vmid'), reserved(2), u8('vmState'), u8('osState'), u16('appStatus')] },
  VM_IRQ_LENT: { id: 0x5610_0011, summary: 'An interrupt was lent to the receiver.', payload: [u16('owner'), reserved(2), u32('handle'), u32('label')] },
  VM_IRQ_RELEASED: { id: 0x5610_0012, summary: 'A lent interrupt came back.', payload: [u32('handle')] },
  VM_IRQ_ACCEPTED: { id: 0x5610_0013, summary: 'A lent interrupt was accepted.', payload: [u32('handle')] },
  CONSOLE_CHARS: { id: 0x5610_0080, summary: 'Characters from the other side of a console.', payload: [u16('from'), bytes('data')] },
} as const satisfies Record<string, RmNotification>;

/** Name of a request. */
export type RmRequestName = keyof typeof RM_REQUESTS;
/** Name of a notification. */
export type RmNotificationName = keyof typeof RM_NOTIFICATIONS;
/** Fields of a request's payload. */
export type RmArguments<N extends RmRequestName> = PayloadOf<(typeof RM_REQUESTS)[N]['request']>;
/** Fields of a reply's data. */
export type RmResults<N extends RmRequestName> = PayloadOf<(typeof RM_REQUESTS)[N]['reply']>;
/** Fields of a notification's payload. */
export type RmNotificationValues<N extends RmNotificationName> = PayloadOf<(typeof RM_NOTIFICATIONS)[N]['payload']>;

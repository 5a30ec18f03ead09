/** Words for numbers in the Resource Manager's messages: states, reasons, kinds of memory and of transactions, flags, rights, VMs. The numbers stay beside them. */

import { EXIT_TYPES, VM_STATES, type EventValue } from '../../runtime/index';
import { virqWords } from './call-words';
import { osStateText } from './machines';
import { accessText } from './memory-words';

/** A field of a message: of which message, and who is called how. */
export interface MessageField {
  /** The message's name, such as `MEM_LEND`. */
  readonly message: string;
  readonly name: string;
  readonly value: EventValue;
}

/** How numbers of the system are called; empty if not at all. */
export interface SystemNames {
  readonly vm: (vmid: number) => string;
  /** The object behind a capability of the VM that the message comes from or goes to. */
  readonly capability?: (capId: bigint) => string | undefined;
}

type Words = Readonly<Record<number, string>>;

const byNumber = (table: Readonly<Record<string, number>>): Words => Object.fromEntries(Object.entries(table).map(([name, value]) => [value, name]));
const MEMORY_TYPES = ['normal', 'io'] as const;
const TRANSACTIONS = ['donate', 'lend', 'share'] as const;
const EXIT_CODES = ['normal', 'software error', 'unknown', 'bus error', 'device error'] as const;
const NOTICES = { 1: 'lent', 2: 'released', 4: 'accepted' } as const;
const PARCEL_FLAGS = ['sanitise', 'more follows by MEM_APPEND'] as const;
/** Words of a field, in any message. */
const FIELDS: Readonly<Record<string, Words>> = {
  vmState: byNumber(VM_STATES),
  exitType: byNumber(EXIT_TYPES),
  memoryType: MEMORY_TYPES,
  transactionType: TRANSACTIONS,
  attribute: ['normal', 'device', 'uncached', 'cached'],
  auth: ['none', 'platform', 'Android'],
  registerSet: ['X', 'PC', 'SP'],
  rangeId: ['image', 'firmware'],
};
/** Words of a field that means something else in each message. */
const FIELDS_OF_MESSAGES: Readonly<Record<string, Words>> = {
  'VM_EXIT.code': EXIT_CODES,
  'VM_GET_HYP_RESOURCES.type': ['doorbell sender', 'doorbell receiver', 'message queue sender', 'message queue receiver', 'vCPU', 'power group', 'virtio-mmio', 'RTC', 'watchdog', 'memory extent', 'address space'],
  'VM_GET_ID.type': ['GUID', 'URI', 'name', 'signing authority'],
  'HOST_GET_TYPE.type': { 0x0100_0164: 'AArch64, Gunyah with RM, version 1' },
  'MEM_NOTIFY.flags': { 1: 'shared', 2: 'released', 4: 'accepted', 8: 'recall' },
  'VM_IRQ_NOTIFY.flags': NOTICES,
};
/** Names of flag bits from bit 0. */
const FLAGS_OF_MESSAGES: Readonly<Record<string, readonly string[]>> = {
  MEM_DONATE: PARCEL_FLAGS,
  MEM_LEND: PARCEL_FLAGS,
  MEM_SHARE: PARCEL_FLAGS,
  MEM_APPEND: ['the last part'],
  MEM_RELEASE: ['sanitise'],
  MEM_RECLAIM: ['sanitise'],
  MEM_SHARED: ['sanitised'],
  MEM_ACCEPT: ['validate sanitised', 'validate ACL and attributes', 'validate label', 'map for another', 'map contiguous', 'sanitise', '', 'done'],
  VM_STOP: ['by force'],
  VM_EXIT: ['restart requested'],
};
/** Messages in which VMID 0 is not a VM: one to choose, or the caller itself. */
const ZERO_VMIDS: Readonly<Record<string, string>> = { VM_ALLOCATE: 'RM chooses', VM_GET_ID: 'the caller', VM_GET_STATE: 'the caller', VM_GET_HYP_RESOURCES: '' };
const ANY_VIRQ = 0xffff_ffff;
const NO_CAPABILITY = 0xffff_ffff_ffff_ffffn;

/** What a field of a message says, if its number has a name. Lists are told whole, with words beside their numbers. */
export function wordsOfField(field: MessageField, names: SystemNames): string | undefined {
  const { message, name, value } = field;
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const number = Number(value);
  const words = FIELDS[name]?.[number] ?? FIELDS_OF_MESSAGES[`${message}.${name}`]?.[number];
  if (words !== undefined) return words;
  switch (name) {
    case 'vmid':
    case 'owner':
    case 'borrower':
    case 'from':
    case 'partnerVmid':
    case 'mapVmid': return vmWords(message, number, names);
    case 'osState': return osStateText(number);
    case 'rights': return accessText(number);
    case 'flags': return flagWords(message, number);
    case 'virq': return number === ANY_VIRQ ? 'RM chooses' : number === 0 ? undefined : virqWords(number);
    case 'capId': return BigInt(value) === NO_CAPABILITY ? 'none' : names.capability?.(BigInt(value));
    default: return undefined;
  }
}

/** The name of a VM, if it has one yet. */
function vmWords(message: string, vmid: number, names: SystemNames): string | undefined {
  if (vmid === 0) return nonEmpty(ZERO_VMIDS[message] ?? names.vm(0));
  const name = names.vm(vmid);
  return name === `vm${vmid}` ? undefined : nonEmpty(name);
}

/** A list as text, such as `[{vmid: 128, rights: 7}]`, with words beside the numbers that have some; undefined if nothing in it has. */
export function wordsInList({ message, value }: Pick<MessageField, 'message' | 'value'>, names: SystemNames): string | undefined {
  if (typeof value !== 'string' || !value.startsWith('[')) return undefined;
  const told = value.replace(/\b(\w+): (0x[0-9a-f]{1,16}|\d{1,20})\b/g, (pair, name: string, digits: string) => {
    const words = wordsOfField({ message, name, value: BigInt(digits) }, names);
    return words === undefined ? pair : `${pair} (${words})`;
  });
  return message === 'VM_EXITED' ? reasonText(value) : told === value ? undefined : told;
}

/** The first word of why a VM ended: flags, and a code above them. */
function reasonText(value: string): string | undefined {
  const first = /^\[(\d{1,10})/.exec(value)?.[1];
  if (first === undefined) return undefined;
  const word = Number(first);
  return `${value} (${[EXIT_CODES[(word >>> 16) & 0xff] ?? 'unknown code', ...((word & 1) === 0 ? [] : ['restart requested'])].join(', ')})`;
}

function flagWords(message: string, number: number): string | undefined {
  const names = FLAGS_OF_MESSAGES[message];
  if (names === undefined || number === 0) return undefined;
  return Array.from({ length: 16 }, (_, bit) => bit).filter((bit) => ((number >>> bit) & 1) === 1).map((bit) => nonEmpty(names[bit] ?? '') ?? `bit ${bit}`).join(', ');
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

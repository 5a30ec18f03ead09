/** Words for numbers in the Resource Manager's messages: states, reasons, kinds of memory and of transactions, VMs. The numbers stay beside them. */

import { EXIT_TYPES, VM_STATES, type EventValue } from '../../runtime/index';
import { osStateText } from './machines';

const byNumber = (table: Readonly<Record<string, number>>): ReadonlyMap<number, string> => new Map(Object.entries(table).map(([name, value]) => [value, name]));
const STATES = byNumber(VM_STATES);
const EXITS = byNumber(EXIT_TYPES);
const MEMORY_TYPES = ['normal', 'io'] as const;
const TRANSACTIONS = ['donate', 'lend', 'share'] as const;

/** What a field of a message says, if its number has a name; `vmName` names VMs. */
export function wordsOfField(name: string, value: EventValue, vmName: (vmid: number) => string): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const number = Number(value);
  switch (name) {
    case 'vmid':
    case 'owner':
    case 'mapVmid': return vmName(number);
    case 'vmState': return STATES.get(number);
    case 'osState': return osStateText(number);
    case 'exitType': return EXITS.get(number);
    case 'memoryType': return MEMORY_TYPES[number];
    case 'transactionType': return TRANSACTIONS[number];
    default: return undefined;
  }
}

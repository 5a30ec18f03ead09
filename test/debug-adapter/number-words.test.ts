/** Words that stand beside the numbers of hypercalls and of the Resource Manager's messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { typeOfValue, virqWords, wordsOfType } from '../../debug-adapter/views/call-words';
import { wordsInList, wordsOfField } from '../../debug-adapter/views/rm-words';
import { HYPERCALLS } from '../../runtime/index';

const NAMES = { vm: (vmid: number) => ({ 0: 'hypervisor', 3: 'primary', 128: 'sensor' })[vmid] ?? `vm${vmid}`, capability: (capId: bigint) => (capId === 5n ? 'doorbell 9' : undefined) };

/** Types whose numbers count, measure, or name something that only the system knows. */
const PLAIN = new Set([
  'cap_id_t', 'cap_rights_t', 'count_t', 'cpu_index_t', 'error_t', 'index_t', 'nanoseconds_t', 'paddr_t', 'priority_t', 'register_t', 'size_t', 'ticks_t', 'uint32', 'uint64', 'uregister', 'user_ptr_t', 'vmaddr_t', 'vmid_t',
  'hyp_api_flags1', 'hyp_api_flags2',
]);

test('every type of hypercall argument that is a kind, a state or a set of flags has words', () => {
  for (const { inputs, outputs } of Object.values(HYPERCALLS)) {
    for (const { type } of [...inputs, ...outputs]) if (!PLAIN.has(type)) assert.notEqual(wordsOfType(type, 1n), undefined, type);
  }
});

test('arguments of hypercalls are told by their fields', () => {
  const told = (call: string, name: string, value: bigint): string | undefined => wordsOfType(typeOfValue(call, name) ?? '', value);
  assert.equal(told('addrspace_map', 'map_attrs', 0xf0077n), 'EL1 RWX, EL0 RWX, normal-wb');
  assert.equal(told('memextent_modify', 'flags', 0x8000_0001n), 'zero range, no_sync');
  assert.equal(told('memextent_configure', 'attributes', 0x1_0106n), 'RW-, device, sparse');
  assert.equal(told('msgqueue_configure', 'create_info', 0xf0_0008n), 'depth 8, messages of at most 240 bytes');
  assert.equal(told('vcpu_run', 'vcpu_state', 0x100n), 'PSCI system reset');
  assert.equal(told('vcpu_configure', 'vcpu_options', (1n << 63n) | 0x20n), 'trace_allowed, hlos_vm');
  assert.equal(told('msgqueue_send', 'size', 16n), undefined);
  assert.deepEqual([virqWords(960), virqWords(27), virqWords(3)], ['SPI 928', 'PPI 11', 'SGI 3']);
});

test('fields of messages are told by the message that they stand in', () => {
  const told = (message: string, name: string, value: number | bigint): string | undefined => wordsOfField({ message, name, value }, NAMES);
  assert.equal(told('VM_ALLOCATE', 'vmid', 0), 'RM chooses');
  assert.equal(told('VM_GET_STATE', 'vmid', 0), 'the caller');
  assert.equal(told('VM_START', 'vmid', 128), 'sensor');
  assert.equal(told('VM_START', 'vmid', 130), undefined);
  assert.equal(told('MEM_LEND', 'flags', 3), 'sanitise, more follows by MEM_APPEND');
  assert.equal(told('MEM_APPEND', 'flags', 1), 'the last part');
  assert.equal(told('MEM_NOTIFY', 'flags', 8), 'recall');
  assert.equal(told('MEM_ACCEPT', 'flags', 0xc0), 'bit 6, done');
  assert.equal(told('VM_CONFIG_IMAGE', 'auth', 2), 'Android');
  assert.equal(told('VM_IRQ_ACCEPT', 'virq', 0xffff_ffff), 'RM chooses');
  assert.equal(told('VM_GET_HYP_RESOURCES', 'type', 4), 'vCPU');
  assert.equal(told('VM_GET_HYP_RESOURCES', 'capId', 5n), 'doorbell 9');
});

test('numbers in lists have their words beside them', () => {
  assert.equal(wordsInList({ message: 'MEM_SHARE', value: '[{vmid: 128, rights: 7}, {vmid: 3, rights: 4}]' }, NAMES), '[{vmid: 128 (sensor), rights: 7 (RWX)}, {vmid: 3 (primary), rights: 4 (R--)}]');
  assert.equal(wordsInList({ message: 'MEM_SHARE', value: '[{address: 0x1000, size: 0x1000}]' }, NAMES), undefined);
  assert.equal(wordsInList({ message: 'VM_EXITED', value: '[65537]' }, NAMES), '[65537] (software error, restart requested)');
  assert.equal(wordsInList({ message: 'VM_LOOKUP_NAME', value: 'vmid: 3' }, NAMES), undefined);
});

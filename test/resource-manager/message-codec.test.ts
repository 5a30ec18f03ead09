import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { decodePayload, encodePayload } from '../../runtime/resource-manager/message-codec';
import { CUT_SHORT, type Field, type PayloadOf } from '../../runtime/resource-manager/message-fields';
import { decodeRmMessage } from '../../runtime/resource-manager/message-display';
import { RM_NOTIFICATIONS, RM_REQUESTS } from '../../runtime/resource-manager/message-table';
import { packetsOf } from '../../runtime/resource-manager/rpc';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/ /g, ''), 'hex'));

/** Encodes `values`, compares with the golden bytes, and decodes them back. */
function checkBytes<const F extends readonly Field[]>(fields: F, values: PayloadOf<F>, golden: string): void {
  assert.equal(hex(encodePayload(fields, values)), golden.replace(/ /g, ''));
  const decoded = decodePayload(fields, bytes(golden));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.value, values);
}

function checkRefused(fields: readonly Field[], payload: string, expected: string, minimumBytes = 0): void {
  const decoded = decodePayload(fields, bytes(payload), minimumBytes);
  assert.equal(decoded.ok ? 'ok' : decoded.error, expected);
}

test('VM_CONFIG_IMAGE is 40 bytes with the documented offsets', () => {
  checkBytes(RM_REQUESTS.VM_CONFIG_IMAGE.request,
    { vmid: 0x80, auth: 2, handle: 7, imageOffset: 0x1000n, imageSize: 0x2000n, dtbOffset: 0x3000n, dtbSize: 0x4000n },
    '8000 0200 07000000 0010000000000000 0020000000000000 0030000000000000 0040000000000000');
});

test('MEM_SHARE carries its three lists without alignment of 64-bit members', () => {
  checkBytes(RM_REQUESTS.MEM_SHARE.request,
    { memoryType: 0, flags: 0, label: 5, acl: [{ vmid: 3, rights: 7 }, { vmid: 0x80, rights: 6 }], sgl: [{ address: 0x4800_0000n, size: 0x1000n }], attributes: [] },
    '00 00 00 00 05000000 0200 0000 0300 07 00 8000 06 00 0100 0000 0000004800000000 0010000000000000 0000 0000');
});

test('a string is padded with zeros to a multiple of four', () => {
  checkBytes(RM_REQUESTS.VM_LOOKUP_NAME.request, { name: 'HLOS' }, '0400 0000 484c4f53');
  checkBytes(RM_REQUESTS.VM_LOOKUP_NAME.request, { name: 'abcde' }, '0500 0000 6162636465 000000');
  checkRefused(RM_REQUESTS.VM_LOOKUP_NAME.request, '0500 0000 6162636465 000001', 'MSG_INVALID');
  checkRefused(RM_REQUESTS.VM_LOOKUP_NAME.request, '0500 0000 6162636465', 'MSG_INVALID');
});

test('CONSOLE_WRITE is not padded', () => {
  checkBytes(RM_REQUESTS.CONSOLE_WRITE.request, { vmid: 0, data: bytes('68690a') }, '0000 0300 68690a');
  checkRefused(RM_REQUESTS.CONSOLE_WRITE.request, '0000 0300 68690a00', 'MSG_INVALID');
});

test('a resource entry is 44 bytes', () => {
  const fields = RM_REQUESTS.VM_GET_HYP_RESOURCES.reply;
  const entry = { type: 4, partnerVmid: 0, handle: 0, label: 0, capId: 0x1_0000_0003n, virqHandle: 0, virq: 0x3c2, base: 0n, size: 0n };
  checkBytes(fields, { resources: [entry] }, '01000000 04 00 0000 00000000 00000000 0300000001000000 00000000 c2030000 0000000000000000 0000000000000000');
});

test('a VM identifier entry is type, size and padded data', () => {
  checkBytes(RM_REQUESTS.VM_GET_ID.reply, { ids: [{ type: 3, data: bytes('4e2f41') }] }, '01000000 03 00 0300 4e2f4100');
});

test('VM_EXITED tells the size of its reason', () => {
  checkBytes(RM_NOTIFICATIONS.VM_EXITED.payload, { vmid: 0x80, exitType: 1, reason: [0] }, '8000 0100 04000000 00000000');
  checkBytes(RM_NOTIFICATIONS.VM_EXITED.payload, { vmid: 0x80, exitType: 3, reason: [0, 1, 2, 3] }, '8000 0300 10000000 00000000 01000000 02000000 03000000');
});

test('the lists that end a payload may be missing, what is before them not', () => {
  const decoded = decodePayload(RM_REQUESTS.MEM_APPEND.request, bytes('01000000 01 000000'));
  assert.deepEqual(decoded.ok && decoded.value.sgl, []);
  checkRefused(RM_REQUESTS.MEM_APPEND.request, '01000000 01 0000', 'MSG_INVALID');
});

test('a notice is read as far as it goes', () => {
  const vmids = (text: string): readonly number[] | undefined => {
    const decoded = decodePayload(RM_REQUESTS.MEM_NOTIFY.request, bytes(`01000000 01 000000 02000000 ${text}`));
    return decoded.ok ? decoded.value.vmids.map(({ vmid }) => vmid) : undefined;
  };
  assert.deepEqual(['', '0000', '0000 0000 00', '0100 0000 0300 0000 ff', '0200 0000 0300 0000'].map(vmids), [[CUT_SHORT], [CUT_SHORT], [], [3], [3, CUT_SHORT]]);
  checkRefused(RM_REQUESTS.MEM_NOTIFY.request, '01000000 01 000000', 'MSG_INVALID');
});

test('counts above the limit are NORESOURCE, bytes left over and short lists MSG_INVALID', () => {
  checkRefused(RM_REQUESTS.MEM_APPEND.request, '01000000 01 000000 0102 0000', 'NORESOURCE');
  checkRefused(RM_REQUESTS.MEM_APPEND.request, '01000000 01 000000 0200 0000 0300 0000', 'MSG_INVALID');
  checkRefused(RM_REQUESTS.MEM_APPEND.request, '01000000 01 000000 0000 0000 00', 'MSG_INVALID');
  checkRefused(RM_REQUESTS.VM_INIT.request, '8000 0100', 'MSG_INVALID');
  checkRefused(RM_REQUESTS.VM_GET_VMID.request, '00000000', 'MSG_INVALID');
  checkRefused(RM_REQUESTS.MEM_LEND.request, '0000000000000000000000000000000000', 'MSG_INVALID', RM_REQUESTS.MEM_LEND.minimumBytes);
});

test('any bytes are read without throwing, and cut-off payloads of fixed size are refused', () => {
  const rows = [...Object.values(RM_REQUESTS).flatMap((row) => [row.request, row.reply]), ...Object.values(RM_NOTIFICATIONS).map((row) => row.payload)];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(rows.length - 1), (payload, row) => {
    const fields: readonly Field[] = rows[row] ?? [];
    const decoded = decodePayload(fields, payload);
    if (decoded.ok && payload.length > 0) assert.equal(decodePayload(fields, payload.subarray(0, payload.length - 1)).ok && !fields.some((field) => field.type === 'list'), false);
  }), { numRuns: 3000 });
});

test('numbers of messages are unique and names tell request from notification', () => {
  const ids = [...Object.values(RM_REQUESTS), ...Object.values(RM_NOTIFICATIONS)].map((row) => row.id);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(Object.values(RM_NOTIFICATIONS).every((row) => (row.id & 0x0010_0000) !== 0));
});

test('a packet is described with its fields for display', () => {
  const [packet = new Uint8Array()] = packetsOf({ kind: 'reply', sequence: 9, id: 0x56000024, payload: bytes('00000000 03000000') });
  assert.deepEqual(decodeRmMessage(packet), { kind: 'reply', id: 0x56000024, name: 'VM_GET_VMID', sequence: 9, fields: { error: 'OK', vmid: 3 } });
  const [refused = new Uint8Array()] = packetsOf({ kind: 'reply', sequence: 9, id: 0x56000024, payload: bytes('04000000') });
  assert.deepEqual(decodeRmMessage(refused)?.fields, { error: 'MSG_INVALID' });
  const [cut = new Uint8Array()] = packetsOf({ kind: 'request', sequence: 1, id: 0x51000013, payload: bytes('00000000 05000000 0100 0000 0300 07') });
  assert.deepEqual(decodeRmMessage(cut)?.fields, { memoryType: 0, flags: 0, label: 5, acl: '[{vmid: 3, rights: 7}]' });
  assert.equal(decodeRmMessage(bytes('2201000000000000')), undefined);
  assert.equal(decodeRmMessage(bytes('2101000099999999'))?.name, '0x99999999');
});

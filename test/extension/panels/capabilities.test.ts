import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CapabilityRow } from '../../../debug-adapter/protocol';
import type { Row } from '../../../extension/model/row';
import { capabilityRows } from '../../../extension/panels/capabilities/model';

const QUEUE: CapabilityRow = {
  capId: '0x8000000012', objectType: 'msgqueue', objectId: 7, state: 'valid', rights: ['MSGQUEUE_SEND'], rightsMask: 1, label: 'requests',
  holders: [{ vmid: 45, name: 'sensor', capId: '0x21', rights: ['MSGQUEUE_RECEIVE'] }],
};
const BELL: CapabilityRow = { ...QUEUE, capId: '0x9', objectType: 'doorbell', objectId: 3, label: '', rights: ['DOORBELL_SEND'], holders: [] };

/** Label, description and tone of the rows of one VM. */
function checkSpace(now: readonly CapabilityRow[], before: readonly CapabilityRow[] | undefined, expected: readonly string[]): readonly Row[] {
  const space = (capabilities: readonly CapabilityRow[]): { vmid: number; vm: string; capabilities: readonly CapabilityRow[] }[] => [{ vmid: 3, vm: 'primary', capabilities }];
  const [root] = capabilityRows(space(now), before && space(before));
  const text = (row: Row): string => `${row.label}: ${row.description}${row.tone === 'plain' ? '' : ` [${row.tone}]`}`;
  assert.ok(root);
  assert.deepEqual([text(root), ...root.children.map(text)], expected);
  return root.children;
}

test('capabilities stand by object type and id, with rights by name', () => {
  checkSpace([QUEUE, BELL, { ...BELL, capId: '0x10' }], undefined, [
    'primary: 3 capabilities',
    'doorbell #3: 0x9 · DOORBELL_SEND',
    'doorbell #3: 0x10 · DOORBELL_SEND',
    'msgqueue · requests: 0x8000000012 · MSGQUEUE_SEND',
  ]);
});

test('below a capability stand object, rights with mask, state, and who else holds the object', () => {
  const rows = checkSpace([QUEUE], undefined, ['primary: 1 capability', 'msgqueue · requests: 0x8000000012 · MSGQUEUE_SEND']);
  assert.deepEqual(rows[0]?.children.map(({ label, description }) => `${label}: ${description}`), [
    'Object: msgqueue #7', 'Rights: MSGQUEUE_SEND (0x1)', 'State: valid', 'Also held by sensor: 0x21 · MSGQUEUE_RECEIVE',
  ]);
});

test('new, changed and vanished capabilities are marked and counted', () => {
  checkSpace([QUEUE, { ...BELL, rights: [], rightsMask: 0 }], [BELL, { ...BELL, capId: '0x55' }], [
    'primary: 2 capabilities · 1 new · 1 changed · 1 gone [changed]',
    'doorbell #3: 0x9 · no rights [changed]',
    'msgqueue · requests: 0x8000000012 · MSGQUEUE_SEND [new]',
    'doorbell #3: 0x55 · gone since the last stop [gone]',
  ]);
});

test('a revoked capability is dim and says so', () => {
  checkSpace([{ ...BELL, state: 'revoked' }], undefined, ['primary: 1 capability', 'doorbell #3: 0x9 · revoked · DOORBELL_SEND [dim]']);
});

test('a further holder marks the capability as changed', () => {
  const shared: CapabilityRow = { ...BELL, holders: [{ vmid: 255, name: 'rm', capId: '0x1', rights: [] }] };
  const rows = checkSpace([shared], [BELL], ['primary: 1 capability · 1 changed [changed]', 'doorbell #3: 0x9 · DOORBELL_SEND [changed]']);
  assert.equal(rows[0]?.children.at(-1)?.tone, 'new');
});

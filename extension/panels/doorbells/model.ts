/**
 * Rows of the Doorbells view: who rings whom, which flags are pending, the masks and the interrupt.
 *
 * A pure function of what `gunyah/doorbells` answered now and at the previous stop.
 */

import type { DoorbellRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown } from '../../model/format';
import { propertyRow, row, type Row, type Tone } from '../../model/row';
import { virqText } from '../message-queues/model';

/** Rows of all doorbells. `before` is the previous stop's answer, undefined at the first stop. */
export function doorbellRows(doorbells: readonly DoorbellRow[], before: readonly DoorbellRow[] | undefined): readonly Row[] {
  const rows = doorbells.map((doorbell) => doorbellRow(doorbell, before?.find((old) => old.objectId === doorbell.objectId), before !== undefined));
  const gone = (before ?? []).filter((old) => !doorbells.some(({ objectId }) => objectId === old.objectId));
  return [...rows, ...gone.map((old) => row({ id: `doorbell${old.objectId}/gone`, label: nameOf(old), description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }))];
}

function nameOf(doorbell: DoorbellRow): string {
  const { senders, receiver, virq } = doorbell;
  // Whose interrupt it is receives it; without one, whoever may.
  return `${senders.length === 0 ? 'nobody' : senders.join(', ')} → ${virq?.vm ?? (receiver === '' ? 'nobody' : receiver)}`;
}

function namesText(names: readonly string[]): string {
  return names.length === 0 ? 'nobody' : names.join(', ');
}

const ALL_FLAGS = 0xffff_ffff_ffff_ffffn;

/** Which flags a mask is about, where that is all or none. */
function maskText(mask: string): string {
  const bits = BigInt(mask);
  return bits === 0n ? `${mask} · no flag` : bits === ALL_FLAGS ? `${mask} · every flag` : mask;
}

/** True if an enabled flag is set, so that the interrupt is asserted (Gunyah API: doorbell). */
function rings(doorbell: DoorbellRow): boolean {
  return (BigInt(doorbell.flags) & BigInt(doorbell.enableMask)) !== 0n;
}

function toneOf(changed: boolean, isNew: boolean): Tone {
  if (isNew) return 'new';
  return changed ? 'changed' : 'plain';
}

function doorbellRow(doorbell: DoorbellRow, old: DoorbellRow | undefined, comparing: boolean): Row {
  const id = `doorbell${doorbell.objectId}`;
  const changed = old !== undefined && (old.flags !== doorbell.flags || old.enableMask !== doorbell.enableMask || old.ackMask !== doorbell.ackMask);
  const flags = old !== undefined && old.flags !== doorbell.flags ? `flags ${doorbell.flags} (was ${old.flags})` : `flags ${doorbell.flags}`;
  return row({
    id,
    label: nameOf(doorbell),
    description: [flags, ...(rings(doorbell) ? ['ringing'] : []), ...(doorbell.label === '' ? [] : [doorbell.label])].join(' · '),
    tooltip: `**${escapeMarkdown(nameOf(doorbell))}** · doorbell \\#${doorbell.objectId}\n\n${rings(doorbell) ? 'An enabled flag is set: the receiver is interrupted.' : 'No enabled flag is set.'}`,
    icon: rings(doorbell) ? 'bell-dot' : 'bell',
    tone: toneOf(changed, comparing && old === undefined),
    subject: { kind: 'doorbell', objectId: doorbell.objectId, label: doorbell.label },
    children: [
      propertyRow(id, { name: 'Flags', icon: 'bell', value: doorbell.flags, before: old?.flags }),
      propertyRow(id, { name: 'Enable mask', icon: 'filter', value: maskText(doorbell.enableMask), before: old && maskText(old.enableMask) }),
      propertyRow(id, { name: 'Ack mask', icon: 'check', value: maskText(doorbell.ackMask), before: old && maskText(old.ackMask) }),
      propertyRow(id, { name: 'May send', icon: 'arrow-right', value: namesText(doorbell.senders), before: old && namesText(old.senders) }),
      propertyRow(id, { name: 'May receive', icon: 'arrow-left', value: doorbell.receiver === '' ? 'nobody' : doorbell.receiver, before: old && (old.receiver === '' ? 'nobody' : old.receiver) }),
      propertyRow(id, { name: 'Receiver VIRQ', icon: 'zap', value: virqText(doorbell.virq), before: old && virqText(old.virq) }),
    ],
  });
}

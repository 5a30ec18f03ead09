/** Rows of memory parcels, for the Memory and the Resource Manager view. Pure functions of the adapter's rows. */

import type { MemparcelRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatHex, formatSize, rangeEnd } from '../../model/format';
import { lazyRow, pagedRows, propertyRow, row, toneAgainst, type Row } from '../../model/row';

const STATE_ICONS: Readonly<Record<MemparcelRow['state'], string>> = { building: 'tools', offered: 'package', lent: 'arrow-right', shared: 'arrow-both', donated: 'gift' };

/** Who may have it, as far as the list of those it is meant for goes. */
function receivers({ acl }: MemparcelRow): string {
  return acl.length === 0 ? 'nobody' : acl.map(({ vm, access }) => `${vm} ${access}`).join(', ');
}

function takers({ acceptedBy }: MemparcelRow): string {
  return acceptedBy.length === 0 ? 'nobody yet' : acceptedBy.map(({ vm }) => vm).join(', ');
}

/** The row of one parcel, with what changed since the last stop. */
export function memparcelRow(parcel: MemparcelRow, old: MemparcelRow | undefined, comparing: boolean): Row {
  const id = `parcel${parcel.handle}`;
  const was = old !== undefined && old.state !== parcel.state ? ` (was ${old.state})` : '';
  return lazyRow({
    id,
    label: `Memory parcel ${formatHex(parcel.handle)}`,
    description: [`${parcel.state}${was}`, formatSize(parcel.sizeBytes), `${parcel.owner} → ${receivers(parcel)}`].join(' · '),
    tooltip: `**Memory parcel ${formatHex(parcel.handle)}** · ${parcel.transaction}, ${parcel.state}\n\n${formatSize(parcel.sizeBytes)} of ${escapeMarkdown(parcel.owner)}, label ${formatHex(parcel.label)}, for ${escapeMarkdown(receivers(parcel))}`,
    icon: STATE_ICONS[parcel.state],
    tone: toneAgainst(parcel, old, comparing),
  }, () => [
    propertyRow(id, { name: 'Label', icon: 'tag', value: formatHex(parcel.label) }),
    propertyRow(id, { name: 'Transaction', icon: 'arrow-swap', value: parcel.transaction }),
    propertyRow(id, { name: 'Owner', icon: 'person', value: `${parcel.owner}, which ${parcel.ownerMapped ? 'sees it' : 'does not see it'}`, before: old && `${old.owner}, which ${old.ownerMapped ? 'sees it' : 'does not see it'}` }),
    propertyRow(id, { name: 'Accepted by', icon: 'pass', value: takers(parcel), before: old && takers(old) }),
    propertyRow(id, { name: 'Memory type', icon: 'symbol-enum', value: `${parcel.memoryType}${parcel.sanitised ? ', sanitised' : ''}` }),
    ...(parcel.complete ? [] : [propertyRow(id, { name: 'Complete', icon: 'ellipsis', value: 'no, more ranges are expected (MEM_APPEND)' })]),
    ...pagedRows({
      id: `${id}/ranges`, items: parcel.ranges, title: (first, last) => `${first.ipa} – ${rangeEnd(last.ipa, last.sizeBytes)}`,
      make: ({ ipa, pa, sizeBytes }) => row({
        id: `${id}/range/${ipa}`, label: `${ipa} – ${rangeEnd(ipa, sizeBytes)}`, description: `${formatSize(sizeBytes)} of ${parcel.owner} · physical ${pa}`, icon: 'chip',
        subject: { kind: 'range', vmid: parcel.ownerVmid, vm: parcel.owner, ipa, sizeBytes },
      }),
    }),
    ...parcel.acceptedBy.flatMap(({ vmid, vm, ranges }) => pagedRows({
      id: `${id}/accepted/${vmid}`, items: ranges, title: (first, last) => `${first.ipa} – ${rangeEnd(last.ipa, last.sizeBytes)} as ${vm} sees it`,
      make: ({ ipa, sizeBytes }) => row({
        id: `${id}/accepted/${vmid}/${ipa}`, label: `${ipa} – ${rangeEnd(ipa, sizeBytes)}`, description: `${formatSize(sizeBytes)} as ${vm} sees it`, icon: 'eye',
        subject: { kind: 'range', vmid, vm, ipa, sizeBytes },
      }),
    })),
  ]);
}

/**
 * Rows of the Resource Manager view: its records of VMs, memory parcels, requests in flight with decoded payloads, and what was said before.
 *
 * A pure function of what `gunyah/rm` answered now and at the previous stop.
 */

import type { CustomRequestBody, MemparcelRow, RmMessageRow, RmPendingRow, RmVmRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatBytes, formatCount, formatHex, formatSize, formatTime, hexDump, parseBytes, plural } from '../../model/format';
import { groupRow, lazyRow, pagedRows, propertyRow, row, toneAgainst, type Row, type Tone } from '../../model/row';
import { exitText } from '../../model/exit-text';
import { memparcelRow } from '../memory/parcels';

/** What the adapter says of the Resource Manager. */
export type ManagerState = CustomRequestBody<'gunyah/rm'>;

/** Rows of VMs, parcels, messages in flight and messages of the past. `before` is the previous stop's answer, undefined at the first stop. */
export function managerRows(now: ManagerState, before: ManagerState | undefined): readonly Row[] {
  return [
    { ...groupRow('pending', 'In flight', 'sync', now.pending.map((message, index) => pendingRow(message, index, before))), expanded: true },
    { ...groupRow('vms', 'Virtual machines', 'vm', vmRows(now.table, before?.table)), expanded: true },
    { ...groupRow('parcels', 'Memory parcels', 'package', parcelRows(now.memparcels, before?.memparcels)), expanded: true },
    groupRow('history', 'History', 'history', [...now.history].reverse().map((message) => historyRow(message, before))),
  ];
}

const KIND_ICONS: Readonly<Record<RmMessageRow['kind'], string>> = { request: 'arrow-right', reply: 'reply', notification: 'bell', continuation: 'ellipsis' };
/** RM's names for success. */
const NO_ERROR = new Set(['OK', 'SUCCESS', 'NONE', '0']);
/** Bytes of a payload in a row; its tooltip has as many as there are. */
const ROW_BYTES = 16;

const failed = ({ error }: RmMessageRow): boolean => error !== null && !NO_ERROR.has(error);
const fieldsText = ({ fields }: RmMessageRow): string => Object.entries(fields).map(([name, value]) => `${name}=${shortValue(value)}`).join(', ');

/** Items of a list that a row tells; the rest stand below it. */
const LIST_SHOWN_MAX = 2;

/** The items of a list such as `[{vmid: 3}, {vmid: 128}]`; undefined for any other value. */
function itemsOf(value: string): readonly string[] | undefined {
  if (!value.startsWith('[{') || !value.endsWith('}]')) return undefined;
  return value.slice(2, -2).split('}, {');
}

function shortValue(value: string): string {
  const items = itemsOf(value);
  if (items === undefined || items.length <= LIST_SHOWN_MAX) return value;
  return `[${items.slice(0, LIST_SHOWN_MAX).map((item) => `{${item}}`).join(', ')} and ${formatCount(items.length - LIST_SHOWN_MAX)} more]`;
}

/** A field of a message; the items of a list each have a row. */
function fieldRow(parent: string, name: string, value: string): Row {
  const items = itemsOf(value);
  if (items === undefined) return propertyRow(parent, { name, icon: 'symbol-field', value });
  const id = `${parent}/${name}`;
  const numbered = items.map((item, index) => ({ item, index }));
  return lazyRow({ id, label: name, description: shortValue(value), icon: 'symbol-array' }, () => pagedRows({
    id, items: numbered, title: (first, last) => `${first.index + 1} – ${last.index + 1}`, make: ({ item, index }) => row({ id: `${id}/${index}`, label: String(index + 1), description: item, icon: 'symbol-field' }),
  }));
}
const keyOf = ({ vmid, kind, sequence, id }: RmMessageRow): string => `${vmid}.${kind}.${sequence}.${id}`;

function pendingRow(message: RmPendingRow, index: number, before: ManagerState | undefined): Row {
  const known = before?.pending.find((old) => keyOf(old) === keyOf(message));
  const moved = known !== undefined && known.place !== message.place;
  return {
    ...messageRow(`pending/${keyOf(message)}.${index}`, message),
    description: [moved ? `${message.place} (was ${known.place})` : message.place, message.vm, fieldsText(message)].filter((part) => part !== '').join(' · '),
    tone: failed(message) ? 'bad' : toneAgainst(message.place, known?.place, before !== undefined),
  };
}

function historyRow(message: RmMessageRow, before: ManagerState | undefined): Row {
  const isNew = before !== undefined && !before.history.some(({ number }) => number === message.number);
  return { ...messageRow(`history/${message.number ?? keyOf(message)}`, message), tone: failed(message) ? 'bad' : isNew ? 'new' : 'plain' };
}

function messageRow(id: string, message: RmMessageRow): Row {
  const { kind, name, vm, sequence, error, bytes, tick, number } = message;
  const fields = Object.entries(message.fields);
  return row({
    id,
    label: `${name} ${kind}`,
    description: [kind === 'request' ? `from ${vm}` : `to ${vm}`, ...(error === null ? [] : [error]), fieldsText(message), ...(tick === null ? [] : [formatTime(tick)])].filter((part) => part !== '').join(' · '),
    tooltip: [
      `**${escapeMarkdown(name)}** ${kind} \\#${sequence} ${kind === 'request' ? 'from' : 'to'} ${escapeMarkdown(vm)}${error === null ? '' : `: ${escapeMarkdown(error)}`}`,
      ...(tick === null ? [] : ['', `at ${formatTime(tick)}`]), ...(bytes === '' ? [] : ['', '```', hexDump(parseBytes(bytes)), '```']),
    ].join('\n'),
    icon: KIND_ICONS[kind],
    subject: number === null ? { kind: 'none' } : { kind: 'event', number },
    children: [
      propertyRow(id, { name: 'Message', icon: 'symbol-numeric', value: `${name} (${formatHex(message.id)}), sequence ${sequence}` }),
      ...(error === null ? [] : [propertyRow(id, { name: 'Error', icon: failed(message) ? 'error' : 'pass', value: error })]),
      ...fields.map(([field, value]) => fieldRow(`${id}/field`, field, value)),
      ...(bytes === '' ? [] : [propertyRow(id, { name: 'Payload', icon: 'note', value: `${plural(bytes.length / 2, 'byte')} · ${formatBytes(bytes, ROW_BYTES)}` })]),
    ],
  });
}

function vmRows(table: readonly RmVmRow[], before: readonly RmVmRow[] | undefined): Row[] {
  const rows = table.map((vm) => vmRow(vm, before?.find((old) => old.vmid === vm.vmid), before !== undefined));
  const gone = (before ?? []).filter((old) => !table.some(({ vmid }) => vmid === old.vmid));
  return [...rows, ...gone.map((old) => row({ id: `vm${old.vmid}/gone`, label: old.vm, description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }))];
}

function vmTone(vm: RmVmRow, old: RmVmRow | undefined, comparing: boolean): Tone {
  return vm.state.endsWith('_FAILED') || vm.crashMessage !== '' ? 'bad' : toneAgainst(vm, old, comparing);
}

function vmRow(vm: RmVmRow, old: RmVmRow | undefined, comparing: boolean): Row {
  const id = `vm${vm.vmid}`;
  const was = old !== undefined && old.state !== vm.state ? ` (was ${old.state})` : '';
  const exit = ({ exit: ended }: RmVmRow): string => (ended === null ? 'not exited' : [exitText(ended.type, ended.code), `flags ${formatHex(ended.flags)}${(ended.flags & 1) === 1 ? ' (restart requested)' : ''}`].join(', '));
  return row({
    id,
    label: vm.vm,
    description: [`${vm.state}${was}`, `VMID ${vm.vmid}`, vm.osState].filter((part) => part !== '' && part !== 'none').join(' · '),
    tooltip: `**${escapeMarkdown(vm.vm)}** · ${escapeMarkdown(vm.state)}\n\nowned by ${escapeMarkdown(vm.owner)}, ${plural(vm.vcpuCount, 'vCPU')}`,
    icon: 'vm',
    tone: vmTone(vm, old, comparing),
    children: [
      propertyRow(id, { name: 'Owner', icon: 'person', value: vm.owner, before: old?.owner }),
      propertyRow(id, { name: 'OS state', icon: 'info', value: vm.osState, before: old?.osState }),
      propertyRow(id, { name: 'Application status', icon: 'info', value: String(vm.appStatus), before: old && String(old.appStatus) }),
      propertyRow(id, { name: 'vCPUs', icon: 'server-process', value: String(vm.vcpuCount), before: old && String(old.vcpuCount) }),
      ...(vm.peers.length === 0 ? [] : [propertyRow(id, { name: 'Peers', icon: 'organization', value: vm.peers.join(', '), before: old?.peers.join(', ') })]),
      ...(vm.uri === '' ? [] : [propertyRow(id, { name: 'URI', icon: 'link', value: vm.uri })]),
      ...(vm.exit === null && (old?.exit ?? null) === null ? [] : [propertyRow(id, { name: 'Exit', icon: 'sign-out', value: exit(vm), before: old && exit(old) })]),
      ...(vm.crashMessage === '' ? [] : [propertyRow(id, { name: 'Crash message', icon: 'error', value: vm.crashMessage, before: old?.crashMessage })]),
      ...(vm.memory.length === 0 ? [] : [groupRow(`${id}/memory`, 'Memory given by RM', 'chip', vm.memory.map(({ ipa, sizeBytes, kind, memparcel }) =>
        row({ id: `${id}/memory/${ipa}`, label: ipa, description: [formatSize(sizeBytes), kind, ...(memparcel === null ? [] : [`memory parcel ${formatHex(memparcel)}`])].join(' · '), icon: kind === 'device' ? 'circuit-board' : 'chip' })))]),
    ],
  });
}

function parcelRows(parcels: readonly MemparcelRow[], before: readonly MemparcelRow[] | undefined): Row[] {
  const rows = parcels.map((parcel) => memparcelRow(parcel, before?.find(({ handle }) => handle === parcel.handle), before !== undefined));
  const gone = (before ?? []).filter((old) => !parcels.some(({ handle }) => handle === old.handle));
  return [...rows, ...gone.map((old) => row({ id: `parcel${old.handle}/gone`, label: `Memory parcel ${formatHex(old.handle)}`, description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }))];
}

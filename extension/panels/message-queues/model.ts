/**
 * Rows of the Message Queues view: ends, fill, thresholds, interrupts and the messages now waiting in each queue.
 *
 * A pure function of what `gunyah/messageQueues` answered now and at the previous stop.
 */

import type { QueuedMessage, QueueRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatBytes, formatCount, formatTime, hexDump, parseBytes, plural } from '../../model/format';
import { propertyRow, row, type Row, type Tone } from '../../model/row';

/** Rows of all queues. `before` is the previous stop's answer, undefined at the first stop. */
export function messageQueueRows(queues: readonly QueueRow[], before: readonly QueueRow[] | undefined): readonly Row[] {
  const rows = [...queues].sort(guestsFirst).map((queue) => queueRow(queue, before?.find((old) => old.objectId === queue.objectId), before !== undefined));
  const gone = (before ?? []).filter((old) => !queues.some(({ objectId }) => objectId === old.objectId));
  return [...rows, ...gone.map((old) => row({ id: `queue${old.objectId}/gone`, label: nameOf(old), description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }))];
}

/** What the adapter calls the Resource Manager. */
const RESOURCE_MANAGER = 'resource-manager';

/** Queues between guests stand before the channels to the Resource Manager, which every system has; otherwise the order stays. */
function guestsFirst(a: QueueRow, b: QueueRow): number {
  const rank = ({ from, to }: QueueRow): number => (from === RESOURCE_MANAGER || to === RESOURCE_MANAGER ? 1 : 0);
  return rank(a) - rank(b);
}

function nameOf(queue: QueueRow): string {
  return `${queue.from} → ${queue.to}`;
}

/** The label as the last part of a description: ends and fill matter more, and a narrow view cuts the end. */
function labelPart(label: string): string[] {
  return label === '' ? [] : [label];
}

function movement(queue: QueueRow, old: QueueRow | undefined): string[] {
  if (old === undefined) return [];
  const parts: readonly (readonly [number, string])[] = [[queue.sentCount - old.sentCount, 'sent'], [queue.receivedCount - old.receivedCount, 'received']];
  return parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count > 0 ? '+' : '−'}${formatCount(Math.abs(count))} ${word}`]));
}

function toneOf(moved: boolean, isNew: boolean): Tone {
  if (isNew) return 'new';
  return moved ? 'changed' : 'plain';
}

function queueRow(queue: QueueRow, old: QueueRow | undefined, comparing: boolean): Row {
  const id = `queue${queue.objectId}`;
  const moved = movement(queue, old);
  const full = queue.queued >= queue.depth && queue.depth > 0;
  return row({
    id,
    label: nameOf(queue),
    description: [`${queue.queued}/${queue.depth} queued${full ? ' (full)' : ''}`, ...moved, ...labelPart(queue.label)].join(' · '),
    tooltip: tooltipOf(queue),
    icon: queue.queued === 0 ? 'mail-read' : 'mail',
    tone: toneOf(moved.length > 0 || (old !== undefined && old.queued !== queue.queued), comparing && old === undefined),
    subject: { kind: 'queue', objectId: queue.objectId, from: queue.from, to: queue.to, label: queue.label },
    expanded: queue.queued > 0,
    children: [
      ...queue.messages.map((message, index) => messageRow(id, index, message, comparing ? old?.messages ?? [] : undefined)),
      propertyRow(id, { name: 'Thresholds', icon: 'dashboard', value: thresholdText(queue), before: old && thresholdText(old) }),
      propertyRow(id, { name: 'Largest message', icon: 'arrow-both', value: plural(queue.maxMessageSize, 'byte') }),
      propertyRow(id, { name: 'Sender VIRQ', icon: 'zap', value: virqText(queue.txVirq), before: old && virqText(old.txVirq) }),
      propertyRow(id, { name: 'Receiver VIRQ', icon: 'zap', value: virqText(queue.rxVirq), before: old && virqText(old.rxVirq) }),
      propertyRow(id, { name: 'Since the start', icon: 'graph', value: `${formatCount(queue.sentCount)} sent, ${formatCount(queue.receivedCount)} received` }),
    ],
  });
}

function thresholdText(queue: QueueRow): string {
  return `not empty at ${queue.notEmptyThreshold}, not full at ${queue.notFullThreshold}`;
}

/** A bound interrupt in words. */
export function virqText(virq: { readonly vm: string; readonly virq: number } | null): string {
  if (virq === null) return 'not bound';
  return `${virq.virq}${virq.virq >= 32 ? ` (SPI ${virq.virq - 32})` : virq.virq >= 16 ? ` (PPI ${virq.virq - 16})` : ''} of ${virq.vm}`;
}

function tooltipOf(queue: QueueRow): string {
  return [
    `**${escapeMarkdown(nameOf(queue))}** · message queue \\#${queue.objectId}`, '', ...labelPart(queue.label).flatMap((label) => [escapeMarkdown(label), '']),
    `${queue.queued} of ${queue.depth} messages queued, at most ${plural(queue.maxMessageSize, 'byte')} each`,
  ].join('\n');
}

/** Bytes of a message shown in its row; the tooltip has them all. */
const ROW_BYTES = 16;

function messageRow(parent: string, index: number, message: QueuedMessage, before: readonly QueuedMessage[] | undefined): Row {
  const isNew = before !== undefined && !before.some((old) => old.tick === message.tick && old.bytes === message.bytes);
  const bytes = formatBytes(message.bytes, ROW_BYTES);
  return row({
    id: `${parent}/message${message.tick}.${index}`,
    label: `${index + 1}: ${plural(message.size, 'byte')}`,
    description: message.decoded === null ? bytes : `${message.decoded} · ${bytes}`,
    tooltip: [
      `Sent at ${formatTime(message.tick)}`,
      ...(message.decoded === null ? [] : ['', escapeMarkdown(message.decoded)]),
      '', '```', hexDump(parseBytes(message.bytes)), '```',
    ].join('\n'),
    icon: 'note',
    tone: isNew ? 'new' : 'plain',
    subject: { kind: 'message', tick: message.tick, bytes: message.bytes },
  });
}

/**
 * Rows of the Scheduler view: what each physical CPU runs and what waits for it, and every thread with why it does not run.
 *
 * A pure function of what `gunyah/scheduler` answered now and at the previous stop.
 */

import type { CustomRequestBody, SchedulerRow, ThreadRow } from '../../../debug-adapter/protocol';
import { escapeMarkdown, formatCount, formatTime } from '../../model/format';
import { groupRow, propertyRow, row, toneAgainst, type Row } from '../../model/row';

/** What the adapter says of the scheduler. */
export type Schedule = CustomRequestBody<'gunyah/scheduler'>;

/** Rows of CPUs, then of threads. `before` is the previous stop's answer, undefined at the first stop. */
export function schedulerRows(now: Schedule, before: Schedule | undefined): readonly Row[] {
  const cpus = now.cpus.map((cpu) => cpuRow(cpu, before?.cpus.find((old) => old.cpu === cpu.cpu), before !== undefined));
  const threads = now.threads.map((thread) => threadRow(thread, now.threads, before?.threads.find((old) => old.objectId === thread.objectId), before !== undefined));
  const gone = (before?.threads ?? []).filter((old) => !now.threads.some(({ objectId }) => objectId === old.objectId))
    .map((old) => row({ id: `thread${old.objectId}/gone`, label: old.thread, description: 'gone since the last stop', icon: 'circle-slash', tone: 'gone' }));
  if (cpus.length === 0 && threads.length === 0) return [];
  return [{ ...groupRow('cpus', 'Physical CPUs', 'chip', cpus), expanded: true }, { ...groupRow('threads', 'vCPUs', 'server-process', [...threads, ...gone]), expanded: true }];
}

function currentText({ current, payer }: SchedulerRow): string {
  if (current === null) return 'idle';
  return payer === null || payer === current ? current : `${current} in the time of ${payer}`;
}

function cpuRow(cpu: SchedulerRow, old: SchedulerRow | undefined, comparing: boolean): Row {
  const id = `cpu${cpu.cpu}`;
  const was = old !== undefined && currentText(old) !== currentText(cpu) ? ` (was ${currentText(old)})` : '';
  return row({
    id,
    label: `CPU ${cpu.cpu}`,
    description: [`${currentText(cpu)}${was}`, ...(cpu.ready.length === 0 ? [] : [`${cpu.ready.length} ready`])].join(' · '),
    tooltip: `Physical CPU ${cpu.cpu} runs **${escapeMarkdown(currentText(cpu))}**.`,
    icon: cpu.current === null ? 'circle-outline' : 'play-circle',
    tone: toneAgainst(cpu, old, comparing),
    children: cpu.ready.map(({ thread, priority }, index) => row({
      id: `${id}/ready/${thread}`, label: `${index + 1}: ${thread}`, description: `ready · priority ${priority}`, icon: 'clock',
      tone: toneAgainst(thread, old?.ready.find((other) => other.thread === thread)?.thread, old !== undefined),
    })),
    expanded: true,
  });
}

const STATE_ICONS: Readonly<Record<string, string>> = {
  running: 'play-circle', ready: 'circle-outline', wfi: 'clock', off: 'circle-slash', exited: 'circle-slash', killed: 'circle-slash', blocked: 'lock', suspended: 'debug-pause', proxy: 'arrow-swap', fault: 'error',
};

/** What a thread does, and on whom it waits. */
function doingText(thread: ThreadRow): string {
  if (thread.runsOnCpu !== null) return `${thread.state} on CPU ${thread.runsOnCpu}`;
  if (thread.waitsFor !== null) return `${thread.state}, waits for ${thread.waitsFor} to leave the CPU`;
  const [block] = thread.blocks;
  return block === undefined || block.by === '' ? thread.state : `${thread.state}, waits for ${block.by}`;
}

/** Threads that wait until this one leaves the CPU or gives their time back. */
function waitingFor(thread: ThreadRow, all: readonly ThreadRow[]): readonly string[] {
  return all.filter((other) => other !== thread && (other.donee === thread.thread || other.waitsFor === thread.thread)).map((other) => other.thread);
}

function threadRow(thread: ThreadRow, all: readonly ThreadRow[], old: ThreadRow | undefined, comparing: boolean): Row {
  const id = `thread${thread.objectId}`;
  const doing = doingText(thread);
  const was = old !== undefined && doingText(old) !== doing ? ` (was ${doingText(old)})` : '';
  const ends = thread.state === 'off' || thread.state === 'exited' || thread.state === 'killed';
  const tone = toneAgainst({ ...thread, sinceTick: 0 }, old === undefined ? undefined : { ...old, sinceTick: 0 }, comparing);
  const blocked = waitingFor(thread, all);
  return row({
    id,
    label: thread.thread,
    description: [`${doing}${was}`, `priority ${thread.priority}`, ...(blocked.length === 0 ? [] : [`holds up ${blocked.join(', ')}`])].join(' · '),
    tooltip: threadTooltip(thread),
    icon: STATE_ICONS[thread.state] ?? 'circle-outline',
    tone: tone === 'plain' && ends ? 'dim' : tone,
    subject: thread.threadId === null ? { kind: 'none' } : { kind: 'thread', threadId: thread.threadId },
    children: [
      ...thread.blocks.map(({ reason, description, by }) => row({
        id: `${id}/block/${reason}`, label: reason, description: [description, ...(by === '' ? [] : [`ended by ${by}`])].join(' · '), icon: 'lock',
        tone: toneAgainst(reason, old?.blocks.find((other) => other.reason === reason)?.reason, old !== undefined),
      })),
      ...blocked.map((other) => row({ id: `${id}/holds/${other}`, label: `Holds up ${other}`, icon: 'arrow-right' })),
      ...(thread.donor === null ? [] : [propertyRow(id, { name: 'Runs in the time of', icon: 'arrow-down', value: thread.donor, before: old?.donor ?? undefined })]),
      ...(thread.donee === null ? [] : [propertyRow(id, { name: 'Lends its time to', icon: 'arrow-up', value: thread.donee, before: old?.donee ?? undefined })]),
      propertyRow(id, { name: 'Physical CPU', icon: 'chip', value: affinityText(thread), before: old && affinityText(old) }),
      propertyRow(id, { name: 'Priority', icon: 'arrow-up', value: String(thread.priority), before: old && String(old.priority) }),
      propertyRow(id, { name: 'Time slice', icon: 'watch', value: sliceText(thread), before: old && sliceText(old) }),
      ...(thread.sinceTick === null ? [] : [propertyRow(id, { name: 'Stands since', icon: 'history', value: formatTime(thread.sinceTick) })]),
      ...(thread.instructions === null ? [] : [propertyRow(id, { name: 'Instructions', icon: 'pulse', value: formatCount(thread.instructions), before: old && formatCount(old.instructions ?? 0) })]),
    ],
  });
}

function affinityText({ affinity, isProxy }: ThreadRow): string {
  return isProxy ? 'none: runs by vcpu_run of its owner' : affinity === null ? 'none' : String(affinity);
}

function sliceText({ timesliceTicks, sliceLeftTicks }: ThreadRow): string {
  return `${formatTime(sliceLeftTicks)} of ${formatTime(timesliceTicks)} left`;
}

function threadTooltip(thread: ThreadRow): string {
  return [
    `**${escapeMarkdown(thread.thread)}** · ${escapeMarkdown(doingText(thread))}`, '', `Thread object \\#${thread.objectId}, priority ${thread.priority}, time slice ${sliceText(thread)}`,
    ...thread.blocks.flatMap(({ reason, description }) => ['', `${escapeMarkdown(reason)}: ${escapeMarkdown(description)}`]),
  ].join('\n');
}

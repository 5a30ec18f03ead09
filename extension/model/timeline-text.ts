/** How the status bar and its tooltip describe a position in time. */

import type { TimelineInfo } from '../../debug-adapter/protocol';
import { formatCount, formatSize, formatTime, plural } from './format';

/** Short text for the status bar, with a codicon in front. */
export function timelineText(timeline: TimelineInfo, running: boolean): string {
  if (running) return `$(sync~spin) ${formatTime(timeline.now)}`;
  const back = timeline.end - timeline.now;
  return back > 0 ? `$(history) ${formatTime(timeline.now)}, ${formatTime(back)} back` : `$(watch) ${formatTime(timeline.now)}`;
}

/** Markdown for its tooltip. */
export function timelineTooltip(timeline: TimelineInfo): string {
  const bytes = timeline.checkpoints.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    '**Gunyah virtual time**', '',
    `Now: ${formatTime(timeline.now)}, tick ${formatCount(timeline.now)}`, '',
    `History: ${formatTime(timeline.start)} to ${formatTime(timeline.end)}, ${plural(timeline.checkpoints.length, 'checkpoint')} (${formatSize(bytes)})`, '',
    timeline.now < timeline.end ? 'This is the past: continuing replays what happened.' : 'This is the newest point reached.', '',
    'Click to go to another time.',
  ].join('\n');
}

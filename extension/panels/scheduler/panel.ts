/** The Scheduler view. */

import type { PanelDefinition } from '../panel';
import { schedulerRows, type Schedule } from './model';

/** Asks for CPUs and threads. */
export const schedulerPanel: PanelDefinition<Schedule> = {
  view: 'gunyah.scheduler',
  empty: 'Nothing is scheduled yet. Continue (F5) until the system runs.',
  fetch: (sessions) => sessions.request('gunyah/scheduler', {}),
  rows: schedulerRows,
};

/** The Resource Manager view. */

import type { PanelDefinition } from '../panel';
import { managerRows, type ManagerState } from './model';

/** Messages of the past that the view shows. */
const HISTORY_LIMIT = 100;

/** Asks for the Resource Manager's state. */
export const resourceManagerPanel: PanelDefinition<ManagerState> = {
  view: 'gunyah.resourceManager',
  empty: 'The Resource Manager has not started yet. Continue (F5) until it has.',
  fetch: (sessions) => sessions.request('gunyah/rm', { historyLimit: HISTORY_LIMIT }),
  rows: managerRows,
};

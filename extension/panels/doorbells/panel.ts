/** The Doorbells view. */

import type { DoorbellRow } from '../../../debug-adapter/protocol';
import type { PanelDefinition } from '../panel';
import { doorbellRows } from './model';

/** Asks for the doorbells. */
export const doorbellsPanel: PanelDefinition<readonly DoorbellRow[]> = {
  view: 'gunyah.doorbells',
  empty: 'The system has no doorbells yet.',
  async fetch(sessions) {
    return (await sessions.request('gunyah/doorbells', {}))?.doorbells;
  },
  rows: doorbellRows,
};

/** The Message Queues view. */

import type { QueueRow } from '../../../debug-adapter/protocol';
import type { PanelDefinition } from '../panel';
import { messageQueueRows } from './model';

/** Asks for the message queues. */
export const messageQueuesPanel: PanelDefinition<readonly QueueRow[]> = {
  view: 'gunyah.messageQueues',
  empty: 'The system has no message queues yet. Continue (F5) until the Resource Manager has made one; stop there with a breakpoint on hvc:partition_create_msgqueue.',
  async fetch(sessions) {
    return (await sessions.request('gunyah/messageQueues', {}))?.messageQueues;
  },
  rows: messageQueueRows,
};

/** The index of the trace that views read at every stop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { debugging } from './debugging';
import { sampleSystemFile } from '../support/guest-build';

test('what views say of the past is the same after going back and forth, and after a branch only what happened on it', async (context) => {
  const session = debugging(context);
  await session.start({ launch: { system: sampleSystemFile('two-vms') }, functionBreakpoints: [{ name: 'rm:VM_START' }, { name: 'hvc:doorbell_send' }] });
  const { client } = session;
  const past = async (): Promise<string> => {
    const { history } = await client.request('gunyah/rm', { historyLimit: 10_000 });
    const { messageQueues } = await client.request('gunyah/messageQueues', {});
    const { threads } = await client.request('gunyah/scheduler', {});
    return JSON.stringify([history, messageQueues.map(({ sentCount, receivedCount }) => [sentCount, receivedCount]), threads.map(({ sinceTick }) => sinceTick)]);
  };
  /** The same counted from all events of the trace. */
  const counted = async (): Promise<readonly number[]> => {
    const { events } = await client.request('gunyah/trace', { limit: 10_000 });
    return ['rm-', 'message'].map((kind) => events.filter(({ event }) => event.startsWith(kind)).length);
  };
  const told = async (): Promise<readonly number[]> => {
    const { history } = await client.request('gunyah/rm', { historyLimit: 10_000 });
    const { messageQueues } = await client.request('gunyah/messageQueues', {});
    return [history.length, messageQueues.reduce((sum, { sentCount, receivedCount }) => sum + sentCount + receivedCount, 0)];
  };
  const early = await past();
  assert.deepEqual(await told(), await counted());
  const { now } = await client.request('gunyah/timeline', {});
  await session.continue();
  const late = await past();
  assert.notEqual(late, early);
  assert.deepEqual(await told(), await counted());
  const stopped = client.waitForStop();
  await client.request('gunyah/seek', { tick: now });
  await stopped;
  assert.equal(await past(), early);
  await client.request('gunyah/writeConsole', { vm: 'primary', text: 'x' });
  await session.continue();
  assert.deepEqual(await told(), await counted());
});

/** A VM that another VM makes while the system runs is debugged as the others are: by name, with source, forwards and back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Debugging, debugging } from '../debug-adapter/debugging';
import { sampleSystemFile } from '../support/guest-build';

const system = sampleSystemFile('vm-manager');
const GUEST_SOURCE = join(dirname(system), 'guest', 'main.c');

async function threadName(session: Debugging, id: number | undefined): Promise<string | undefined> {
  return (await session.client.request('threads', {})).threads.find((thread) => thread.id === id)?.name;
}

function lineOf(text: string): number {
  return readFileSync(GUEST_SOURCE, 'utf8').split('\n').findIndex((line) => line.includes(text)) + 1;
}

test('a function of the made VM is a breakpoint before the VM exists, each time it lives', async (context) => {
  const session = debugging(context);
  const stop = await session.start({ launch: { system }, functionBreakpoints: [{ name: 'guest!obey' }] });
  assert.equal(await threadName(session, stop.threadId), 'guest/cpu0');
  const [here, caller] = await session.frameTexts(stop.threadId ?? 0, 2);
  assert.match(here ?? '', /^obey:\d+$/);
  assert.match(caller ?? '', /^guest_main:\d+$/);
  assert.match(await session.evaluate('command', (await session.topFrame(stop.threadId ?? 0)).id), /"memory"/);
});

test('a line of its program is too, and one can step back from it', async (context) => {
  const session = debugging(context);
  const line = lineOf('gic_connect(FIRST_SPI + BOARD_BUTTON_LINE');
  const stop = await session.start({ launch: { system }, sourceBreakpoints: [{ path: GUEST_SOURCE, breakpoints: [{ line }] }] });
  assert.equal(await threadName(session, stop.threadId), 'guest/cpu0');
  const back = await session.step('stepBack', { threadId: stop.threadId ?? 0 });
  assert.equal(await threadName(session, back.threadId), 'guest/cpu0');
  assert.deepEqual(await session.frameTexts(back.threadId ?? 0, 1), [`guest_main:${line - 1}`]);
});

test('a return of vcpu_run is a place to stop, chosen by the state it reports', async (context) => {
  const session = debugging(context);
  const stop = await session.start({ launch: { system }, functionBreakpoints: [{ name: 'hvc-return:vcpu_run', condition: 'vcpu_state == 5' }] });
  const rows = await session.scopeVariables((await session.topFrame(stop.threadId ?? 0)).id, 'Event');
  const row = (name: string): string | undefined => rows.find((one) => one.name === name)?.value;
  assert.equal(await threadName(session, stop.threadId), 'manager/cpu0');
  assert.ok(rows.some(({ name, value }) => name === 'vcpu' && value.includes('guest vCPU 0')), 'the argument is named by its VM');
  // The guest's first store to its serial port: the line control register.
  assert.deepEqual(['vcpu_state', 'state_data_0', 'state_data_1', 'state_data_2'].map(row), ['5 (VMMIO write)', '0x900002c (IPA)', '0x4 (bytes)', '0x70 (value)']);
});

test('what the VM did is told under its name in the trace when its number is nobody\'s any more', async (context) => {
  const session = debugging(context);
  await session.start({ launch: { system }, functionBreakpoints: [{ name: 'rm:VM_DEALLOCATE' }] });
  const rows = async (): Promise<string[]> => {
    const { events } = await session.client.request('gunyah/trace', { from: 0, limit: 10_000, filter: 'vm=guest hvc:*|psci:*|console:*', names: true });
    return events.map(({ number, name, names }) => `${String(number)} ${String(name)} ${JSON.stringify(names)}`);
  };
  const living = await rows();
  assert.ok(living.length > 0, 'the guest did something');
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'rm:VM_ALLOCATE' }] });
  await session.continue();
  const { vms } = await session.client.request('gunyah/vms', {});
  assert.ok(vms.every(({ name }) => name !== 'guest'), 'the guest is gone');
  assert.deepEqual((await rows()).slice(0, living.length), living);
});

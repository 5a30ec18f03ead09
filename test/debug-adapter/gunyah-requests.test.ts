import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { startSession } from '../support/dap-client';
import { type Debugging, debugging, guestLaunch, sampleLaunch } from './debugging';

const HEX = /^0x[0-9a-f]+$/;

/** The sample stopped where the sensor answers: everything is set up by then. */
async function stoppedSample(context: TestContext): Promise<Debugging> {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'hvc:msgqueue_send', condition: 'vm == "sensor"' }] });
  return session;
}

/** Names of the properties of a row, in order of the alphabet. */
function checkKeys(row: object | undefined, expected: string): void {
  assert.deepEqual(Object.keys(row ?? {}).sort(), expected.split(' ').sort());
}

test('VMs come with state, memory and vCPUs, the Resource Manager last', async (context) => {
  const session = await stoppedSample(context);
  const { vms } = await session.client.request('gunyah/vms', {});
  assert.deepEqual(vms.map(({ name }) => name), ['primary', 'sensor', vms[2]?.name]);
  assert.equal(vms[2]?.vmid, 255);
  assert.deepEqual(vms.map(({ state }) => state), ['RUNNING', 'RUNNING', 'RUNNING']);
  checkKeys(vms[0], 'vmid name state osState owner image memoryBase memorySizeBytes entry exit vcpus uuid hypervisor');
  checkKeys(vms[0]?.vcpus[0], 'threadId index state pc el physicalCpu priority instructions function');
  assert.equal(vms[0]?.memorySizeBytes, 128 * 1024 * 1024);
  assert.match(vms[1]?.vcpus[0]?.pc ?? '', HEX);
});

test('a capability row is as documented, with rights by name and its other holders', async (context) => {
  const session = await stoppedSample(context);
  const [primary] = (await session.client.request('gunyah/vms', {})).vms;
  const { capabilities } = await session.client.request('gunyah/capabilities', { vmid: primary?.vmid ?? 0 });
  const queue = capabilities.find(({ objectType, label }) => objectType === 'msgqueue' && label.includes('sensor')) ?? capabilities.find(({ objectType }) => objectType === 'msgqueue');
  checkKeys(queue, 'capId objectType objectId state rights rightsMask label holders');
  assert.match(queue?.capId ?? '', HEX);
  assert.equal(queue?.state, 'valid');
  assert.ok((queue.rights.includes('send') || queue.rights.includes('receive')) && queue.holders.length > 0);
  checkKeys(queue.holders[0], 'vmid name capId rights');
  const unknown = await session.client.request('gunyah/capabilities', { vmid: 200 });
  assert.deepEqual(unknown.capabilities, []);
});

test('a queue row is as documented, from one VM to another, and counts its messages', async (context) => {
  const session = await stoppedSample(context);
  const { messageQueues } = await session.client.request('gunyah/messageQueues', {});
  const queue = messageQueues.find(({ from, to }) => from === 'primary' && to === 'sensor');
  checkKeys(queue, 'objectId label from to depth queued maxMessageSize notEmptyThreshold notFullThreshold messages txVirq rxVirq sentCount receivedCount');
  assert.equal(queue?.rxVirq?.vm, 'sensor');
  assert.ok(queue.sentCount > 0 && queue.sentCount >= queue.receivedCount);
});

test('a waiting message shows its bytes, and is decoded if it is for the Resource Manager', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'hvc-return:msgqueue_send' }] });
  const { messageQueues } = await session.client.request('gunyah/messageQueues', {});
  const waiting = messageQueues.flatMap(({ messages }) => messages);
  assert.equal(waiting.length, 1);
  checkKeys(waiting[0], 'tick size bytes decoded');
  assert.equal(waiting[0]?.bytes.length, waiting[0] === undefined ? 0 : waiting[0].size * 2);
  assert.match(waiting[0]?.decoded ?? '', /request/);
});

test('doorbells name who rings and who hears', async (context) => {
  const session = await stoppedSample(context);
  const { doorbells } = await session.client.request('gunyah/doorbells', {});
  const bell = doorbells.find(({ receiver }) => receiver === 'sensor');
  checkKeys(bell, 'objectId label senders receiver flags enableMask ackMask virq');
  assert.deepEqual(bell?.senders, ['primary']);
  assert.equal(bell.virq?.vm, 'sensor');
});

test('the stage-2 map, interrupts, schedulers and RM tables are answered for each VM', async (context) => {
  const session = await stoppedSample(context);
  const { vms } = await session.client.request('gunyah/vms', {});
  for (const { vmid } of vms.slice(0, 2)) {
    const { map } = await session.client.request('gunyah/memory', { vmid });
    assert.ok(map.length > 0 && map.every(({ ipa, pa, sizeBytes }) => HEX.test(ipa) && HEX.test(pa) && sizeBytes > 0));
    const { interrupts } = await session.client.request('gunyah/interrupts', { vmid });
    assert.ok(interrupts.some(({ enabled }) => enabled));
    assert.match((await session.client.request('gunyah/deviceTree', { vmid })).source, /hypervisor/);
  }
  const { cpus } = await session.client.request('gunyah/scheduler', {});
  assert.equal(cpus.length, 2);
  assert.ok(cpus.some(({ current }) => current === 'sensor/cpu0'));
  assert.ok((await session.client.request('gunyah/rm', {})).vms.length >= 2);
  await assert.rejects(session.client.request('gunyah/deviceTree', { vmid: 99 }), /no virtual machine 99/);
});

test('an address is translated stage by stage, and a fault names its stage', async (context) => {
  const session = await stoppedSample(context);
  const good = await session.client.request('gunyah/translate', { vm: 'sensor', address: `sensor:va:${await session.evaluate('$pc')}`.split(' ')[0] ?? '' });
  assert.deepEqual([good.ok, good.steps.map(({ space }) => space)], [true, ['va', 'ipa', 'pa']]);
  const bad = await session.client.request('gunyah/translate', { vm: 'sensor', address: 'sensor:ipa:0xfffff000' });
  assert.equal(bad.ok, false);
  assert.match(bad.error ?? '', /Stage 2/);
  await assert.rejects(session.client.request('gunyah/translate', { vm: 'nobody', address: '0x0' }), /no virtual machine nobody/);
});

test('the trace is read in pages, and a filter picks lines', async (context) => {
  const session = await stoppedSample(context);
  const first = await session.client.request('gunyah/trace', { from: 0, limit: 10 });
  assert.equal(first.events.length, 10);
  const second = await session.client.request('gunyah/trace', { from: first.next, limit: 10 });
  assert.equal(second.events[0]?.['number'], first.next);
  const sends = await session.client.request('gunyah/trace', { from: 0, limit: 1000, filter: 'msgqueue_send' });
  assert.ok(sends.events.length > 0 && sends.events.every((event) => JSON.stringify(event).includes('msgqueue_send')));
});

test('rows of the trace say on request what stands behind their numbers', async (context) => {
  const session = await stoppedSample(context);
  const plain = await session.client.request('gunyah/trace', { from: 0, limit: 1000, filter: 'hvc:msgqueue_send' });
  const named = await session.client.request('gunyah/trace', { from: 0, limit: 1000, filter: 'hvc:msgqueue_send', names: true });
  assert.equal(plain.events[0]?.names, undefined);
  assert.match(named.events[0]?.names?.['msgqueue'] ?? '', /^message queue \d+/);
  assert.deepEqual([named.events[0]?.call, typeof named.events[0]?.number], [0x1b, 'number']);
});

test('seek goes to a tick and to an event of the trace, and back to the present', async (context) => {
  const session = await stoppedSample(context);
  const { now } = await session.client.request('gunyah/timeline', {});
  const { events } = await session.client.request('gunyah/trace', { from: 0, limit: 1000, filter: 'VM_START' });
  const [event] = events;
  await session.client.request('gunyah/seek', { event: Number(event?.['number']) });
  assert.equal((await session.client.waitForStop()).reason, 'goto');
  assert.equal((await session.client.request('gunyah/timeline', {})).now, event?.tick);
  assert.equal((await session.client.waitForEvent('gunyah/timeTravel')).body['tick'], event?.tick);
  await session.client.request('gunyah/seek', { tick: now + 1_000_000 });
  await session.client.waitForStop();
  assert.equal((await session.client.request('gunyah/timeline', {})).now, now);
  await session.client.request('gunyah/seek', { tick: 0 });
  const [thread] = (await session.client.waitForStop(), await session.client.request('threads', {})).threads;
  const { stackFrames } = await session.client.request('stackTrace', { threadId: thread?.id ?? 0 });
  assert.equal(stackFrames.length, 1, 'where history begins the first vCPU is about to run');
});

test('the last write to a variable is found where it was made', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'nine_arguments' }] });
  const address = (await session.evaluate('(unsigned long)&stop_count')).split(' ')[0] ?? '0';
  const found = await session.client.request('gunyah/lastWrite', { address: `nested-structs-o0:va:0x${BigInt(address).toString(16)}`, size: 4 });
  assert.deepEqual([found.found, found.vm], [true, 'nested-structs-o0']);
  await session.client.waitForStop();
  assert.match((await session.frameTexts(1))[0] ?? '', /^stop_here:/);
  const never = await session.client.request('gunyah/lastWrite', { address: 'pa:0x40000000', size: 1 });
  assert.equal(typeof never.found, 'boolean');
});

test('what is typed reaches a console, and a VM without one is refused', async (context) => {
  const session = await stoppedSample(context);
  assert.equal((await session.client.request('gunyah/writeConsole', { vm: 'primary', text: 'hello\r' })).accepted, 6);
  await assert.rejects(session.client.request('gunyah/writeConsole', { vm: 'nobody', text: 'x' }), /no virtual machine nobody/);
});

test('consoles and VM states arrive as events, in order', async (context) => {
  const session = debugging(context);
  await startSession(session.client, { launch: sampleLaunch({ consoles: 'terminal' }) });
  await session.client.waitForEvent('terminated');
  const states = session.client.log.filter(({ event, body }) => event === 'gunyah/vmState' && body['vm'] === 'sensor').map(({ body }) => body['to']);
  assert.ok(states.indexOf('RUNNING') >= 0 && states.indexOf('EXITED') > states.indexOf('RUNNING'), states.join(' '));
  assert.match(session.client.consoleText('sensor'), /sensor: hello/);
  assert.match(session.client.consoleText('primary'), /Hypervisor: API version/);
});

test('requests that lack what they need are refused by name', async (context) => {
  const session = await stoppedSample(context);
  for (const [command, name] of [['capabilities', 'vmid'], ['memory', 'vmid'], ['interrupts', 'vmid'], ['translate', 'vm'], ['seek', 'tick'], ['lastWrite', 'address'], ['writeConsole', 'vm'], ['deviceTree', 'vmid']] as const) {
    await assert.rejects(session.send(`gunyah/${command}`, {}), new RegExp(`"${name}" must be`));
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import type { LaunchArguments } from '../../debug-adapter/protocol/launch';
import { startSession } from '../support/dap-client';
import { guestElf } from '../support/guest-build';
import { debugging, guestLaunch, sampleLaunch } from './debugging';

const folder = mkdtempSync(join(tmpdir(), 'gunyah-launch-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const INITIALIZE = { adapterID: 'gunyah', clientID: 'test' };

/** Launches what cannot work, compares the message, then launches what can in the same session. */
function checkFailure(name: string, launch: () => Record<string, unknown>, expected: RegExp): void {
  test(name, async (context) => {
    const session = debugging(context);
    await session.client.request('initialize', INITIALIZE);
    await assert.rejects(session.client.request('launch', launch()), (error: Error) => {
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /made a mistake/);
      return true;
    });
    assert.deepEqual(await session.client.request('threads', {}), { threads: [] });
    assert.equal((await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) })).reason, 'entry');
  });
}

checkFailure('a program that is not there is named with its absolute path', () => ({ program: join(folder, 'none.elf') }), /Cannot read .*none\.elf: there is no such file/);
checkFailure('a folder is no program', () => ({ program: folder }), /it is a folder/);
checkFailure('a program that is neither ELF nor Image is refused', () => ({ program: file('text.elf', 'this is text') }), /text\.elf/);
checkFailure('a cut ELF is refused', () => ({ program: file('cut.elf', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])) }), /cut\.elf/);
checkFailure('a system file that is not there is named', () => ({ system: join(folder, 'none.gunyah.json') }), /Cannot read .*none\.gunyah\.json/);
checkFailure('a system file that is no JSON is told with line and column', () => ({ system: file('broken.gunyah.json', '{\n  "vms": [\n    { "image": }\n  ]\n}') }), /broken\.gunyah\.json:3:1\d: This is not JSON/);
checkFailure('an unknown property of a system file is told with line and column', () => ({ system: file('extra.gunyah.json', '{ "vms": [ { "image": "a.elf",\n    "memry": 5 } ] }') }), /extra\.gunyah\.json:2:5: .*unknown property "memry"/);
checkFailure('a system without VMs is refused', () => ({ system: { vms: [] } }), /vms/);
checkFailure('an inline system is checked as a file is', () => ({ system: { vms: [{ image: 5 }] } }), /"vms\.0\.image" must be string/);
checkFailure('an image that does not fit its memory is refused with both sizes', () => ({ system: { vms: [{ image: guestElf('hello'), memory: { base: '0x41000000', size: '4K' } }] } }), /hello\.elf/);
checkFailure('a device tree source with a mistake is told with line and column', () => ({ system: { vms: [{ image: guestElf('hello'), deviceTree: file('bad.dts', '/dts-v1/;\n/ { a = <1>\n};\n') }] } }), /bad\.dts:\d:\d+/);
checkFailure('two VMs of one name are refused', () => ({ system: { vms: [{ name: 'a', image: guestElf('hello') }, { name: 'a', image: guestElf('hello') }] } }), /Two VMs are called "a"/);
checkFailure('neither program nor system is refused', () => ({}), /exactly one of "program" and "system"/);
checkFailure('both program and system are refused', () => ({ program: 'a', system: 'b' }), /exactly one of "program" and "system"/);
checkFailure('an argument of the wrong kind is refused by name', () => ({ program: 5 }), /"program" must be a text, not 5/);
checkFailure('a symbol file for a VM that does not exist is refused', () => ({ program: guestElf('hello'), symbols: [{ vm: 'other', file: guestElf('hello') }] }), /no VM "other"/);
checkFailure('a size that is none is refused', () => ({ system: { platform: { memory: 'lots' }, vms: [{ image: guestElf('hello') }] } }), /memory/);

async function checkRunsToEnd(launch: LaunchArguments, context: Parameters<typeof debugging>[0]): Promise<string> {
  const session = debugging(context);
  await startSession(session.client, { launch: { ...launch, consoles: 'terminal' } });
  const exited = await session.client.waitForEvent('exited');
  await session.client.waitForEvent('terminated');
  assert.equal(exited.body['exitCode'], 0);
  return session.client.consoleText();
}

test('a program runs to its end and its console arrives', async (context) => {
  assert.match(await checkRunsToEnd(guestLaunch('hello'), context), /hello from EL1/);
});

test('an inline system runs as a file does', async (context) => {
  assert.match(await checkRunsToEnd({ system: { vms: [{ name: 'only', image: guestElf('hello') }] } }, context), /hello from EL1/);
});

test('a system file runs both VMs to their end', async (context) => {
  assert.match(await checkRunsToEnd(sampleLaunch(), context), /sensor: \d+ requests answered/);
});

test('with consoles in the debug console output carries the name of its VM', async (context) => {
  const session = debugging(context);
  await startSession(session.client, { launch: sampleLaunch({ consoles: 'debugConsole' }) });
  await session.client.waitForEvent('terminated');
  assert.match(session.output('stdout'), /^\[sensor\] sensor: hello/m);
  assert.equal(session.client.consoleText(), '');
});

test('threads are answered before anything is launched, before configurationDone, and after', async (context) => {
  const session = debugging(context);
  await session.client.request('initialize', INITIALIZE);
  assert.deepEqual(await session.client.request('threads', {}), { threads: [] });
  await session.client.request('launch', sampleLaunch());
  assert.deepEqual(await session.client.request('threads', {}), { threads: [] });
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'sensor!guest_main' }] });
  await session.client.request('configurationDone', {});
  await session.client.waitForStop();
  assert.deepEqual((await session.client.request('threads', {})).threads.map(({ name }) => name), ['primary/cpu0', 'sensor/cpu0']);
});

test('a second launch in a session that runs is refused and disturbs nothing', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  await assert.rejects(session.client.request('launch', guestLaunch('hello')), /already runs a system/);
  assert.equal((await session.frames(1)).length > 0, true);
});

test('stopOnEntry stops at the first instruction of the primary VM', async (context) => {
  const session = debugging(context);
  assert.equal((await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) })).reason, 'entry');
  assert.match((await session.topFrame(1)).name, /_start/);
});

test('restart begins again at power-on with the breakpoints kept', async (context) => {
  const session = debugging(context);
  const first = await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'hvc:msgqueue_send' }] });
  const tick = await session.evaluate('$tick');
  await session.continue();
  await session.client.request('restart', {});
  const again = await session.client.waitForStop();
  assert.deepEqual(again.hitBreakpointIds, first.hitBreakpointIds);
  assert.equal(await session.evaluate('$tick'), tick);
});

test('restart with arguments that cannot work is refused and keeps the system that is there', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('hello', { stopOnEntry: true }) });
  await assert.rejects(session.client.request('restart', { arguments: { program: join(folder, 'none.elf') } }), /Cannot read/);
  assert.match((await session.topFrame(1)).name, /_start/);
});

test('terminate ends with exited and terminated, whether stopped or running', async (context) => {
  for (const program of ['hello', 'spin-masked']) {
    const session = debugging(context);
    const isStopped = program === 'hello';
    await startSession(session.client, { launch: guestLaunch(program, { stopOnEntry: isStopped }) });
    if (isStopped) await session.client.waitForStop();
    await session.client.request('terminate', {});
    await session.client.waitForEvent('exited');
    await session.client.waitForEvent('terminated');
  }
});

test('disconnect while running is answered', async (context) => {
  const session = debugging(context);
  await startSession(session.client, { launch: guestLaunch('spin-masked') });
  await session.client.request('disconnect', {});
});

test('capabilities announce only what is answered', async (context) => {
  const session = debugging(context);
  const capabilities = await session.client.request('initialize', INITIALIZE);
  assert.equal(capabilities.supportsSingleThreadExecutionRequests, false);
  assert.equal(capabilities.supportsStepBack, true);
  assert.equal(capabilities.supportsTerminateThreadsRequest, false);
  assert.deepEqual((capabilities.exceptionBreakpointFilters ?? []).map(({ filter }) => filter), [
    'hypercall-error', 'hypercall-unknown', 'guest-exception', 'guest-undefined', 'stage2-fault', 'rm-error', 'vm-exit', 'wfi-deadlock',
  ]);
});

test('a symbol file of the launch configuration names what the stripped image does not', async (context) => {
  const session = debugging(context);
  const stop = await session.start({ launch: { system: { vms: [{ name: 'blind', image: guestElf('hello'), symbols: [] }] }, symbols: [{ vm: 'blind', file: guestElf('hello') }] }, functionBreakpoints: [{ name: 'guest_main' }] });
  assert.equal(stop.reason, 'function breakpoint');
  assert.match((await session.frameTexts(1))[0] ?? '', /^guest_main:/);
});

test('code without symbols is shown by its distance from the start of memory', async (context) => {
  const session = debugging(context);
  await session.start({ launch: { system: { vms: [{ name: 'blind', image: guestElf('hello'), symbols: [] }] }, stopOnEntry: true } });
  const frame = await session.topFrame(1);
  assert.match(frame.name, /^blind\+0x[0-9a-f]+$/);
  assert.equal(frame.presentationHint, 'subtle');
});

test('the trace is written to a file as JSON lines, and a path that cannot be written is told without ending the run', async (context) => {
  const path = join(folder, 'trace.jsonl');
  const session = debugging(context);
  await startSession(session.client, { launch: sampleLaunch({ trace: path }) });
  await session.client.waitForEvent('terminated');
  await session.end();
  const events = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { tick: number; vm: string; event: string; name?: string });
  assert.ok(events.some(({ vm, event, name }) => vm === 'sensor' && event === 'hypercall' && name === 'msgqueue_send'));
  assert.ok(events.every(({ tick }, index) => tick >= (events[index - 1]?.tick ?? 0)));
  const other = debugging(context);
  await startSession(other.client, { launch: guestLaunch('hello', { trace: join(folder, 'no', 'such', 'trace.jsonl') }) });
  await other.client.waitForEvent('terminated');
  const { body } = await other.client.waitForEvent('output', (event) => event.body['category'] === 'important');
  assert.match(String(body['output']), /Cannot write the trace to .*: there is no such file/);
});

test('restart while running begins again', async (context) => {
  const session = debugging(context);
  await startSession(session.client, { launch: guestLaunch('spin-masked') });
  await session.client.waitForEvent('thread');
  await session.client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'guest_main' }] });
  await session.client.request('restart', {});
  assert.equal((await session.client.waitForStop()).reason, 'function breakpoint');
  assert.equal(session.client.log.filter(({ event }) => event === 'stopped').length, 1);
});

test('a request that still waits is answered as cancelled', async (context) => {
  const session = debugging(context);
  await session.client.request('initialize', INITIALIZE);
  const launched = session.client.request('launch', guestLaunch('hello'));
  const threads = session.answer('threads', {});
  await session.send('cancel', { requestId: 3 });
  assert.deepEqual(await threads, { success: false, message: 'threads: cancelled' });
  await launched;
});

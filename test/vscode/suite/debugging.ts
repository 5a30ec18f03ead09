/** The sample under the debugger, through VS Code's debug API and the real adapter. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, teardown, test } from 'mocha';
import * as vscode from 'vscode';
import { EVENT_GROUPS } from '../../../extension/model/event-names';
import { eventually, TestSession } from './session';

let current: TestSession | undefined;

async function start(config: Readonly<Record<string, unknown>> = {}): Promise<TestSession> {
  current = await TestSession.start(config);
  return current;
}

/** A function breakpoint as a user adds it. */
function breakOn(name: string, condition?: string): void {
  vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(name, true, condition)]);
}

/** Names of the frames of a stopped thread, top first. */
async function frames(session: TestSession, stop: Readonly<Record<string, unknown>>): Promise<string[]> {
  const body = await session.request('stackTrace', { threadId: stop['threadId'], startFrame: 0, levels: 20 });
  const list: readonly { readonly name: string }[] = Array.isArray(body['stackFrames']) ? body['stackFrames'] : [];
  return list.map(({ name }) => name);
}

async function now(session: TestSession): Promise<number> {
  return (await session.gunyah('gunyah/timeline', {})).now;
}

/** The document of the active editor, if its text fits. */
function shown(isWanted: (text: string) => boolean): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document !== undefined && isWanted(document.getText()) ? document : undefined;
}

/** Registers the suite. */
export function debuggingSuite(): void {
  suite('debugging', () => {
    teardown(async () => {
      await current?.dispose();
      current = undefined;
    });

    test('a hypercall breakpoint with a condition stops in the guest\'s C code', async () => {
      breakOn('hvc:msgqueue_send', 'size > 16');
      const session = await start();
      const names = await frames(session, await session.stop());
      assert.equal(names[0], 'gunyah_msgqueue_send');
      assert.ok(names.includes('guest_main'), names.join(' '));
    });

    test('every event that is offered can be set, also of one VM, and a VM that is not there is told', async () => {
      const names = EVENT_GROUPS.flatMap(({ choices }) => choices.map(({ name }) => name));
      const wanted = [...names, 'hvc:0x601b', 'virq:27', 'sensor!hvc:*', 'primary!rm:VM_DEALLOCATE', 'sensr!vm:exit'];
      const session = await start({ stopOnEntry: true });
      await session.stop();
      vscode.debug.addBreakpoints(wanted.map((name) => new vscode.FunctionBreakpoint(name)));
      const breakpoints = await eventually('the adapter has been asked for all of them', () => {
        const told = session.answers('setFunctionBreakpoints').at(-1)?.['breakpoints'];
        return Array.isArray(told) && told.length === wanted.length ? told : undefined;
      });
      const refused = breakpoints.flatMap((told: { readonly verified: boolean; readonly message?: string }, index) => (told.verified ? [] : [`${wanted[index]}: ${told.message}`]));
      assert.equal(refused.length, 1, refused.join('\n'));
      assert.match(refused[0] ?? '', /^sensr!vm:exit: There is no virtual machine "sensr" now, only .*primary/);
    });

    test('a breakpoint in a source file is verified and hit', async () => {
      const main = vscode.Uri.joinPath(vscode.Uri.file(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? ''), 'primary', 'main.c');
      const lines = (await vscode.workspace.openTextDocument(main)).getText().split('\n');
      const line = lines.findIndex((text) => text.includes('append_pending(request.id, command);'));
      assert.ok(line > 0);
      vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(main, new vscode.Position(line, 0)))]);
      const session = await start();
      assert.match((await frames(session, await session.stop()))[0] ?? '', /^send_request$/);
    });

    test('stepping back returns to an earlier time, reverse to the previous stop', async () => {
      breakOn('hvc:msgqueue_send');
      const session = await start();
      const first = await session.stop();
      const firstTick = await now(session);
      await session.request('continue', { threadId: first['threadId'] });
      const second = await session.stop();
      const secondTick = await now(session);
      assert.ok(secondTick > firstTick);
      await session.request('stepBack', { threadId: second['threadId'] });
      await session.stop();
      const back = await now(session);
      assert.ok(back < secondTick && back > firstTick, `${firstTick} < ${back} < ${secondTick}`);
      await session.request('reverseContinue', { threadId: second['threadId'] });
      await session.stop();
      assert.equal(await now(session), firstTick);
    });

    test('the commands of ours move in time', async () => {
      breakOn('hvc:msgqueue_send', 'size > 16');
      const session = await start();
      await session.stop();
      const before = await now(session);
      await vscode.commands.executeCommand('gunyah.stepBackInstruction');
      await session.stop();
      assert.ok(await now(session) < before);
      await session.gunyah('gunyah/seek', { tick: 50_000 });
      await eventually('the system stands at the tick', async () => (Math.abs(await now(session) - 50_000) < 100 ? true : undefined));
    });

    test('every request of the views is answered while stopped', async () => {
      breakOn('hvc:doorbell_send');
      const session = await start();
      await session.stop();
      const { vms } = await session.gunyah('gunyah/vms', {});
      assert.deepEqual(vms.map(({ name }) => name).filter((name) => name !== 'resource-manager'), ['primary', 'sensor']);
      const primary = vms.find(({ name }) => name === 'primary');
      assert.ok(primary);
      const { capabilities } = await session.gunyah('gunyah/capabilities', { vmid: primary.vmid });
      assert.ok(capabilities.some(({ objectType, rights }) => objectType === 'msgqueue' && rights.length > 0));
      assert.ok((await session.gunyah('gunyah/messageQueues', {})).messageQueues.some(({ from, to }) => from === 'primary' && to === 'sensor'));
      assert.ok((await session.gunyah('gunyah/doorbells', {})).doorbells.some(({ receiver }) => receiver === 'sensor'));
      assert.match((await session.gunyah('gunyah/deviceTree', { vmid: primary.vmid })).source, /hypervisor/);
    });

    test('memory, interrupts, schedule, Resource Manager and trace are answered as the views need them', async () => {
      breakOn('hvc:doorbell_send');
      const session = await start();
      await session.stop();
      const memory = await session.gunyah('gunyah/memory', { vmid: 3 });
      assert.ok(memory.map.some(({ state, owner }) => state === 'owned' && owner === 'primary'));
      assert.ok((await session.gunyah('gunyah/interrupts', { vmid: 3 })).vcpus.length > 0);
      assert.ok((await session.gunyah('gunyah/scheduler', {})).threads.some(({ thread, runsOnCpu }) => thread === 'primary/cpu0' && runsOnCpu !== null));
      assert.ok((await session.gunyah('gunyah/rm', { historyLimit: 10 })).history.length === 10);
      const page = await session.gunyah('gunyah/trace', { from: 0, limit: 5, filter: 'hvc:*', names: true, future: true });
      assert.ok(page.events.length === 5 && page.position === page.end);
      const walk = await session.gunyah('gunyah/translate', { vm: 'primary', address: 'primary:va:0x41000000' });
      assert.ok(walk.ok && walk.owner === 'primary');
    });

    test('the memory map opens as a tab, and the trace in the panel', async () => {
      breakOn('hvc:doorbell_send');
      const session = await start();
      await session.stop();
      await vscode.commands.executeCommand('gunyah.openMemoryMap');
      await eventually('the tab is there', () => (vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(({ label }) => label === 'Memory Map')) ? true : undefined));
      await vscode.commands.executeCommand('gunyah.walkAddress', { variable: { name: 'sp', memoryReference: 'primary:va:0x41000000' } });
      await vscode.commands.executeCommand('gunyah.showTrace');
      await vscode.commands.executeCommand('gunyah.breakOnEventsLikeThis', { event: 'rm', name: 'VM_START' });
      await eventually('the breakpoint is there', () => vscode.debug.breakpoints.find((one) => one instanceof vscode.FunctionBreakpoint && one.functionName === 'rm:VM_START'));
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    });

    test('the trace is exported and a snapshot brings the session back', async () => {
      breakOn('hvc:doorbell_send');
      const session = await start();
      await session.stop();
      const files = mkdtempSync(join(tmpdir(), 'gunyah-files-'));
      try {
        await vscode.commands.executeCommand('gunyah.exportTrace', { format: 'jsonl', file: join(files, 'trace.jsonl') });
        const lines = readFileSync(join(files, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
        assert.ok(lines.length > 100 && lines.every((line) => 'event' in JSON.parse(line)));
        await vscode.commands.executeCommand('gunyah.saveSnapshot', join(files, 'here.snapshot'));
        const saved = await now(session);
        await session.gunyah('gunyah/seek', { tick: 50_000 });
        await eventually('the system stands elsewhere', async () => (await now(session) < saved ? true : undefined));
        // The command refuses while the editor has not heard yet that the system stands.
        await eventually('the system is back', async () => {
          await vscode.commands.executeCommand('gunyah.restoreSnapshot', join(files, 'here.snapshot'));
          return await now(session) === saved ? true : undefined;
        });
        assert.equal((await session.gunyah('gunyah/timeline', {})).start, saved, 'history begins at the snapshot');
      } finally {
        rmSync(files, { recursive: true, force: true });
      }
    });

    test('a VM\'s device tree opens as a document of its language', async () => {
      breakOn('hvc:doorbell_send');
      const session = await start();
      await session.stop();
      const { vms } = await session.gunyah('gunyah/vms', {});
      const primary = vms.find(({ name }) => name === 'primary');
      assert.ok(primary);
      const { vmid, name, memoryBase, memorySizeBytes } = primary;
      const row = { subject: { kind: 'vm', vmid, name, memoryBase, memorySizeBytes } };
      await vscode.commands.executeCommand('gunyah.openDeviceTree', row);
      const document = await eventually('the tree is shown', () => shown((text) => text.includes('/dts-v1/')));
      assert.equal(document.languageId, 'dts');
      await vscode.commands.executeCommand('gunyah.revealMemory', row);
      await eventually('memory is shown', () => shown((text) => /^40000000 {2}[0-9a-f]{2} /m.test(text)));
    });

    test('a breakpoint on the sends of one queue stops only there', async () => {
      breakOn('rm:VM_START');
      const session = await start();
      const stop = await session.stop();
      const { messageQueues } = await session.gunyah('gunyah/messageQueues', {});
      const queue = messageQueues.find(({ from, to }) => from === 'primary' && to === 'sensor');
      assert.ok(queue);
      await vscode.commands.executeCommand('gunyah.breakOnSends', { subject: { kind: 'queue', objectId: queue.objectId, from: queue.from, to: queue.to, label: queue.label } });
      await eventually('the adapter knows both breakpoints', () => session.answers('setFunctionBreakpoints').find(({ breakpoints }) => Array.isArray(breakpoints) && breakpoints.length === 2));
      await session.request('continue', { threadId: stop['threadId'] });
      const names = await frames(session, await session.stop());
      assert.ok(names.includes('talk_to_sensor'), names.join(' '));
    });

    test('each VM prints to its own terminal, and terminals stay after the end', async () => {
      for (const terminal of vscode.window.terminals) terminal.dispose();
      const session = await start();
      await session.end();
      const names = (): string => vscode.window.terminals.map(({ name }) => name).filter((name) => / console$/.test(name)).sort().join();
      await eventually('both terminals are there', () => (names() === 'primary console,sensor console' ? true : undefined));
      const text = session.events('gunyah/console').filter(({ vm }) => vm === 'primary').map(({ text: part }) => String(part)).join('');
      assert.match(text, /primary: hello[^]*primary: done/);
    });

    test('with consoles in the debug console there are no terminals', async () => {
      for (const terminal of vscode.window.terminals) terminal.dispose();
      await eventually('terminals are gone', () => (vscode.window.terminals.length === 0 ? true : undefined));
      const session = await start({ consoles: 'debugConsole' });
      await session.end();
      assert.equal(vscode.window.terminals.length, 0);
      assert.ok(session.events('output').some(({ output }) => String(output).includes('primary: hello')));
    });

    test('restart begins at the beginning', async () => {
      breakOn('hvc:msgqueue_send');
      const session = await start();
      await session.stop();
      const first = await now(session);
      await vscode.commands.executeCommand('workbench.action.debug.restart');
      await session.stop();
      assert.equal(await now(session), first);
    });
  });
}

/**
 * Debian's kernel under the debugger, with the debug information of its `-dbg` package: nothing of either is changed. The kernel
 * chooses its address by the seed that the device tree gives it; lines of its sources are asked of the adapter, so that the next
 * update of the package needs no change here.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';

import type { DebugProtocol } from '@vscode/debugprotocol';

import type { SystemConfiguration } from '../../debug-adapter/protocol/launch';
import { cells, encodeDtb, node } from '../../runtime/devicetree/index';
import { primaryDeviceTree } from '../../runtime/machine/board-device-tree';
import { linuxRamdisk } from '../guests/linux-guest';
import { debianKernel, debianKernelSymbols } from '../support/debian-guests';
import { debugging, type Debugging } from './debugging';

/** Work all the time: read files, compute, sleep. */
const BUSY_INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
echo shell reached
while true; do cat /proc/uptime > /dev/null; md5sum /bin/busybox > /dev/null; sleep 0.01; done
`;
const STOP_TIMEOUT_MS = 150_000;
const UPPER_HALF = 0xffff_0000_0000_0000n;
/** What a debugger may take for a kernel's symbols: a little more than on its own, because tests run from sources. */
const OPENING_CPU_MS_MAX = 12_000;
/** The whole session with the boot, about a billion instructions. */
const SESSION_CPU_MS_MAX = 120_000;
const RESIDENT_BYTES_MAX = 1_150_000_000;

const folder = mkdtempSync(join(tmpdir(), 'gunyah-linux-'));
after(() => { rmSync(folder, { recursive: true, force: true }); });

/** A system with a Linux VM whose device tree has a seed for the kernel's choice of address. */
function linux(vcpus: number, commandLine: string): SystemConfiguration {
  const tree = primaryDeviceTree({ cpuCount: vcpus, cpuCompatible: 'arm,cortex-a57', memory: [], uart: true, rtc: true });
  const chosen = tree.root.child('chosen') ?? tree.root.add(node('chosen', {}));
  chosen.set('kaslr-seed', cells(0x1234_5678, 0x9abc_def1));
  const [deviceTree, ramdisk] = [join(folder, `board-${String(vcpus)}.dtb`), join(folder, 'initramfs.cpio.gz')];
  writeFileSync(deviceTree, encodeDtb(tree));
  writeFileSync(ramdisk, linuxRamdisk({ init: BUSY_INIT }));
  return {
    platform: { cpus: vcpus, cpu: 'cortex-a57' },
    vms: [{ name: 'linux', image: debianKernel('cloud').image, ramdisk, deviceTree, vcpus, memory: { base: '0x40000000', size: '256M' }, commandLine: `console=ttyAMA0 ${commandLine}` }],
  };
}

/** Launches and leaves the system at power-on, for breakpoints to be set. */
async function powerOn(session: Debugging, system: SystemConfiguration): Promise<void> {
  await session.client.request('initialize', { adapterID: 'gunyah', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' });
  await session.client.request('launch', { system, symbols: [debianKernelSymbols()] });
}

async function functionBreakpoints(session: Debugging, breakpoints: readonly DebugProtocol.FunctionBreakpoint[]): Promise<readonly DebugProtocol.Breakpoint[]> {
  return (await session.client.request('setFunctionBreakpoints', { breakpoints: [...breakpoints] })).breakpoints;
}

/** A breakpoint on the line where the code of a function begins. */
async function lineBreakpoint(session: Debugging, name: string): Promise<DebugProtocol.Breakpoint> {
  const [place] = await functionBreakpoints(session, [{ name }]);
  assert.ok(place?.verified === true && place.line !== undefined && place.source?.path !== undefined, `${name} has a line: ${JSON.stringify(place)}`);
  const { breakpoints: [set] } = await session.client.request('setBreakpoints', { source: { path: place.source.path }, breakpoints: [{ line: place.line }] });
  await functionBreakpoints(session, []);
  assert.equal(set?.verified, true, JSON.stringify(set));
  return set;
}

async function goOn(session: Debugging): Promise<number> {
  await session.client.request('continue', { threadId: 1 });
  return (await session.client.waitForStop(STOP_TIMEOUT_MS)).threadId ?? 0;
}

async function step(session: Debugging, command: 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue', threadId: number): Promise<number> {
  await session.client.request(command, { threadId });
  return (await session.client.waitForStop(STOP_TIMEOUT_MS)).threadId ?? 0;
}

async function names(session: Debugging, threadId: number): Promise<string[]> {
  return (await session.frames(threadId)).map(({ name }) => name);
}

async function threadName(session: Debugging, threadId: number): Promise<string> {
  return (await session.client.request('threads', {})).threads.find(({ id }) => id === threadId)?.name ?? '';
}

/** The address of a frame or breakpoint. */
function addressOf(reference: string | undefined): bigint {
  return BigInt(/0x[0-9a-f]+$/.exec(reference ?? '')?.[0] ?? '0');
}

/** Processor time since then, and resident memory; told with the test's result too. */
function checkCosts(context: TestContext, since: NodeJS.CpuUsage, cpuMsMax: number): void {
  const { user, system } = process.cpuUsage(since);
  const [cpuMs, resident] = [Math.round((user + system) / 1000), process.memoryUsage().rss];
  context.diagnostic(`${String(cpuMs)} ms of processor time, ${String(Math.round(resident / 1e6))} MB resident`);
  assert.ok(cpuMs < cpuMsMax, `it took ${String(cpuMs)} ms of processor time`);
  assert.ok(resident < RESIDENT_BYTES_MAX, `${String(resident)} bytes are resident`);
}

/** At a system call of a process: names, stack, variables, steps and the way back. */
async function checkSystemCall(session: Debugging): Promise<void> {
  await functionBreakpoints(session, [{ name: 'vfs_read', condition: 'current->pid > 1' }]);
  const thread = await goOn(session);
  const [frame] = await session.frames(thread);
  assert.ok(frame?.name === 'vfs_read', frame?.name);
  const [comm, pid] = [await session.evaluate('current->comm', frame.id), await session.evaluate('current->pid', frame.id)];
  assert.equal(await threadName(session, thread), `linux/cpu0 · ${comm.replaceAll('"', '')}[${pid}]`);
  const stack = await names(session, thread);
  assert.deepEqual(stack.filter((name) => ['ksys_read', 'el0_svc', 'el0t_64_sync_handler', 'el0t_64_sync'].includes(name)), ['ksys_read', 'el0_svc', 'el0t_64_sync_handler', 'el0t_64_sync']);
  assert.match(stack.at(-1) ?? '', /^\[user\] /);
  const locals = (await session.scopeVariables(frame.id, 'Locals')).map(({ name }) => name);
  assert.ok(['file', 'buf', 'count', 'pos'].every((name) => locals.includes(name)), locals.join(' '));
  assert.equal(await session.evaluate('$lx_current()->pid', frame.id), pid);
  assert.match(await session.evaluate('*current', frame.id), /^\{thread_info = \{/);
  assert.match(await session.evaluate('(char *)file->f_path.dentry->d_name.name', frame.id), /"/);
  await functionBreakpoints(session, []);
  const places = [`${String(frame.line)} ${frame.instructionPointerReference ?? ''}`];
  for (let i = 0; i < 3; i++) {
    await step(session, 'next', thread);
    const top = await session.topFrame(thread);
    assert.equal(await session.evaluate('current->pid', top.id), pid, `step ${String(i)} is one of the same process`);
    places.push(`${String(top.line)} ${top.instructionPointerReference ?? ''}`);
  }
  for (let i = 2; i >= 0; i--) {
    await step(session, 'stepBack', thread);
    const top = await session.topFrame(thread);
    assert.equal(`${String(top.line)} ${top.instructionPointerReference ?? ''}`, places[i], `back to place ${String(i)}`);
  }
}

/** In an interrupt that came while a process was in the kernel: the stack goes on below the exception's entry. */
async function checkInterrupt(session: Debugging): Promise<void> {
  await functionBreakpoints(session, [{ name: 'gic_handle_irq', condition: 'current->pid > 1' }]);
  for (let tries = 0; tries < 50; tries++) {
    const stack = await names(session, await goOn(session));
    const entry = stack.indexOf('el1h_64_irq');
    if (entry < 0) {
      assert.match(stack.at(-1) ?? '', /^\[user\] /, stack.join('\n'));
      continue;
    }
    assert.ok(stack.length > entry + 1, `the stack ends at the entry:\n${stack.join('\n')}`);
    assert.match(stack.at(-1) ?? '', /^(\[user\] .*|ret_from_fork)$/, stack.join('\n'));
    return;
  }
  throw new Error('no interrupt came while the kernel ran');
}

test('a kernel at an address of its own choice stops at lines set before it boots, with its tasks, stacks and variables', { timeout: 600_000 }, async (context) => {
  const session = debugging(context);
  debianKernelSymbols();
  const before = process.cpuUsage();
  await powerOn(session, linux(1, ''));
  const early = await lineBreakpoint(session, 'start_kernel');
  await lineBreakpoint(session, 'pl011_startup');
  checkCosts(context, before, OPENING_CPU_MS_MAX);
  assert.ok(addressOf(early.instructionReference) < UPPER_HALF && early.message !== undefined, 'the kernel is where it was loaded, and says that it will move');
  await session.client.request('configurationDone', {});
  const thread = (await session.client.waitForStop(STOP_TIMEOUT_MS)).threadId ?? 0;
  const frames = await session.frames(thread);
  assert.deepEqual(frames.map(({ name }) => name), ['start_kernel', '__primary_switched']);
  assert.deepEqual([frames[0]?.line, addressOf(frames[0]?.instructionPointerReference) >= UPPER_HALF], [early.line, true]);
  const moved = session.client.log.filter(({ event, body }) => event === 'breakpoint' && body['reason'] === 'changed').map(({ body }) => body['breakpoint'] as DebugProtocol.Breakpoint);
  assert.ok(moved.some(({ id, instructionReference }) => id === early.id && addressOf(instructionReference) === addressOf(frames[0]?.instructionPointerReference)), JSON.stringify(moved));
  assert.match(await threadName(session, thread), /^linux\/cpu0 · swapper(\/0)?\[0\]$/);
  assert.match(await session.evaluate('(char *)linux_banner', frames[0]?.id), /Linux version/);
  const driver = await names(session, await goOn(session));
  assert.equal(driver[0], 'pl011_startup');
  assert.match(driver.at(-1) ?? '', /^(\[user\] .*|ret_from_fork)$/, driver.join('\n'));
  assert.doesNotMatch(session.client.consoleText(), /KASLR disabled/);
  await checkSystemCall(session);
  await checkInterrupt(session);
  await functionBreakpoints(session, []);
  await session.client.request('continue', { threadId: 1 });
  await session.client.request('pause', { threadId: 1 });
  await session.client.waitForStop(STOP_TIMEOUT_MS);
  assert.ok((await names(session, thread)).every((name) => name !== ''));
  checkCosts(context, before, SESSION_CPU_MS_MAX);
});

test('four vCPUs of a kernel at its linked address are stepped one by one, and go back together', { timeout: 600_000 }, async (context) => {
  const session = debugging(context);
  await powerOn(session, linux(4, 'nokaslr'));
  await functionBreakpoints(session, [{ name: 'pl011_probe' }]);
  await session.client.request('configurationDone', {});
  const probing = (await session.client.waitForStop(STOP_TIMEOUT_MS)).threadId ?? 0;
  assert.deepEqual(await names(session, probing), gdbStack('pl011_probe'), 'the stack is the one that GDB shows of QEMU');
  await functionBreakpoints(session, [{ name: 'vfs_read', condition: 'vcpu > 0 && current->pid > 1' }]);
  let thread = await goOn(session);
  assert.ok(thread > 1, 'another vCPU than the first');
  assert.match(await threadName(session, thread), /^linux\/cpu[123] · \S+\[\d+\]$/);
  await functionBreakpoints(session, []);
  const task = await session.evaluate('current', (await session.topFrame(thread)).id);
  const tick = await session.evaluate('$tick');
  for (let i = 0; i < 12; i++) {
    thread = await step(session, i % 4 === 3 ? 'stepOut' : i % 2 === 0 ? 'next' : 'stepIn', thread);
    const [top] = await session.frames(thread);
    assert.equal(await session.evaluate('current', top?.id), task, `step ${String(i)} in ${top?.name ?? ''}`);
  }
  await functionBreakpoints(session, [{ name: 'schedule' }]);
  await step(session, 'reverseContinue', thread);
  assert.ok(Number(await session.evaluate('$tick')) <= Number(tick));
  for (const { id } of (await session.client.request('threads', {})).threads) assert.notDeepEqual(await names(session, id), []);
});

/** The stack that GDB shows at a function while the same kernel boots under QEMU. */
function gdbStack(name: string): string[] {
  const socket = join(folder, 'gdb.sock');
  const machine = ['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '256', '-nic', 'none', '-display', 'none', '-serial', 'null', '-no-reboot', '-kernel', debianKernel('cloud').image, '-append', 'console=ttyAMA0 nokaslr'];
  const qemu = spawn('qemu-system-aarch64', [...machine, '-S', '-chardev', `socket,id=gdb,path=${socket},server=on,wait=off`, '-gdb', 'chardev:gdb'], { stdio: 'ignore' });
  try {
    // GDB tries to connect for as long as its timeout says: QEMU may not listen yet.
    const commands = ['set tcp connect-timeout 30', 'set confirm off', `target remote ${socket}`, `hbreak ${name}`, 'continue', 'backtrace'];
    const run = spawnSync('gdb-multiarch', ['-nx', '-q', '-batch', debianKernelSymbols(), ...commands.flatMap((command) => ['-ex', command])], { encoding: 'utf8', timeout: 240_000 });
    const found = [...run.stdout.matchAll(/^#\d+\s+(?:0x[0-9a-f]+ in )?(\w+) \(/gm)].map(([, func = '']) => func);
    assert.ok(found.length > 0, `${run.stdout}\n${run.stderr}`);
    return found;
  } finally {
    qemu.kill();
  }
}

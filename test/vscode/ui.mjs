// End to end through the real workbench: the packaged extension on a copy of the sample, F5, a hypercall breakpoint, the views, back in time, the consoles.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../extension/start/vscode-server.mjs';
import { checkContrast, checkOperable } from './accessibility.mjs';
import { eventually, FOUR_THEMES } from './page.mjs';
import { tell, withWorkbench } from './workbench-session.mjs';

const SAMPLES = join(ROOT, 'extension', 'samples');
const VIEWS = ['Virtual Machines', 'Capabilities', 'Message Queues', 'Doorbells'];
const SYSTEM_VIEWS = ['Memory', 'Interrupts', 'Scheduler', 'Resource Manager'];

/** A copy of the sample with compiled guests, as a user has it who opened the sample workspace. */
export function copySample(name = 'two-vms') {
  const folder = join(mkdtempSync(join(tmpdir(), 'gunyah-sample-')), name);
  cpSync(join(SAMPLES, name), folder, { recursive: true, filter: (source) => !source.includes(join('build', 'objects')) });
  return folder;
}

/** Runs the whole session. Throws at the first thing that is not as it should be; pictures are in `shots` in any case. */
export async function runUiTest({ server, vsix, shots, log = console.log }) {
  await withWorkbench({ server, vsix, shots, folder: copySample(), viewport: { width: 1700, height: 1250 } }, (session) => tell(STEPS, session, log));
}

const STEPS = [
  ['before a session the views say what to do', viewsWelcome],
  ['a function breakpoint on a hypercall is set in the Breakpoints view', addBreakpointInView],
  ['a second one is chosen from the list of events, with a condition', addBreakpointFromList],
  ['F5 stops at the C line that makes the call', startAndStop],
  ['variables show the call and the guest\'s locals', readVariables],
  ['the views show VMs, capabilities, queues and doorbells', readViews],
  ['continue stops at the next call, and the views say what changed', continueAndCompare],
  ['Step Back returns to an earlier line', stepBack],
  ['Reverse returns to the previous stop', reverse],
  ['memory, interrupts, the schedule and the Resource Manager are shown with names', readSystemViews],
  ['the trace lists every event, filters and finds, and a click travels', useTrace],
  ['the memory map is drawn, walked by keyboard, and an address is translated', useMemoryMap],
  ['pages can be used by keyboard and screen reader, and read in light and high-contrast themes as well', otherThemes],
  ['the consoles show what each VM printed, and stay after the end', runToEnd],
  ['a second session clears the consoles, stops where the Resource Manager is asked, and can be ended', startAgain],
];

async function viewsWelcome({ ui, page, shot }) {
  const main = page.getByRole('treeitem', { name: /main\.c/ }).first();
  await eventually('a source file is open', async () => {
    if (await main.count() === 0) await page.getByRole('treeitem', { name: /primary/ }).first().click({ timeout: 5000 });
    await main.dblclick({ timeout: 5000 });
    await page.locator('.editor-instance .view-line').first().waitFor({ timeout: 10_000 });
    return true;
  });
  await ui.command('View: Show Run and Debug');
  await widenSideBar(page, 560);
  await ui.arrange('Call Stack', 'Breakpoints', ...VIEWS);
  await page.locator('.pane-body', { hasText: 'Start a system to see its virtual machines' }).first().waitFor();
  await shot('1-welcome');
}

/** Room for the rows of the views. */
export async function widenSideBar(page, width) {
  await eventually('the side bar is wide', async () => {
    const box = await page.locator('.part.sidebar').boundingBox();
    if (Math.abs(box.x + box.width - width) < 20) return true;
    await page.mouse.move(box.x + box.width, box.y + 300);
    await page.mouse.down();
    await page.mouse.move(width, box.y + 300, { steps: 4 });
    await page.mouse.up();
    return false;
  });
}

async function addBreakpointInView({ ui }) {
  const pane = await ui.pane('Breakpoints');
  const input = pane.locator('input:not([type=checkbox])').first();
  await eventually('the breakpoint is there', async () => {
    if ((await ui.rows('Breakpoints')).some((row) => /hvc:msgqueue_send/.test(row))) return true;
    if (await input.count() === 0) await ui.titleButton('Breakpoints', /Add Function Breakpoint/);
    await input.fill('hvc:msgqueue_send', { timeout: 3000 });
    await input.press('Enter', { timeout: 3000 });
    return false;
  });
}

async function addBreakpointFromList({ ui }) {
  await ui.command('Gunyah: Add Hypercall Breakpoint…');
  await ui.answer('hvc:doorbell_send');
  await ui.answer('vm == "primary"');
  await ui.row('Breakpoints', /hvc:doorbell_send/);
}

/** Starts the session of the workspace and waits for its first stop. F5 before the editor knows our kind of session is forgotten: then it is pressed again. */
export async function startSession({ page }) {
  const toolbar = page.locator('.part.sidebar .title-actions').locator('.codicon-debug-stop, .codicon-debug-disconnect');
  await eventually('the session starts', async () => {
    if (await toolbar.count() > 0) return true;
    await page.keyboard.press('F5');
    await toolbar.first().waitFor({ timeout: 20_000 });
    return true;
  });
  await page.locator('.debug-call-stack .stack-frame').first().waitFor();
}

/** How long an action that was taken shows no sign of it, at most. */
const SIGN_MS = 10_000;

/** Waits until the session stands still again after `action`; the clock in the status bar must have moved. An action that the editor was not ready for is done again. */
async function movesTo(session, action) {
  // The editor enables its buttons a moment after the stop, when it has the call stack.
  await session.page.locator('.debug-call-stack .stack-frame').first().waitFor();
  const before = await clock(session);
  let done = 0;
  return await eventually('the clock moves and the session stops', async () => {
    const now = await clock(session);
    const still = await session.page.locator('.part.sidebar .title-actions .codicon-debug-continue').count() > 0;
    if (now !== before && !now.includes('running') && still) return now;
    if (now === before && still && Date.now() - done > SIGN_MS) {
      await action();
      done = Date.now();
    }
    return undefined;
  });
}

/** Text of the status bar's clock. */
async function clock({ page }) {
  const item = page.locator('.statusbar-item[id*="gunyah.timeline"]').first();
  if (await item.count() === 0) return '';
  const spinning = await item.locator('.codicon-sync').count() > 0;
  return `${spinning ? 'running ' : ''}${(await item.textContent() ?? '').trim()}`;
}

async function startAndStop(session) {
  const { ui, page, shot } = session;
  await startSession(session);
  // The editor asks for the top frame first and for the others a moment later.
  const frames = await eventually('the call stack has all frames', async () => {
    const all = await ui.frames();
    return all.some((frame) => /rm_call/.test(frame)) ? all : undefined;
  });
  assert.match(frames[0], /gunyah_msgqueue_send.*gunyah\.h/s);
  assert.ok(frames.some((frame) => /queue_send.*queue\.c/s.test(frame)), frames.join('\n'));
  await page.locator('.debug-top-stack-frame-column, .debug-top-stack-frame-line').first().waitFor({ state: 'attached' });
  await shot('2-stopped');
}

async function readVariables({ ui }) {
  await ui.arrange('Variables');
  await ui.row('Variables', /^event, value hypercall msgqueue_send/);
  await ui.collapse('Variables', 'Event');
  await ui.expand('Variables', 'Locals');
  await ui.row('Variables', /^size, value/);
  await ui.collapse('Variables', 'Locals');
  await ui.expand('Variables', 'Registers');
  await ui.row('Variables', /pc/);
}

async function readViews({ ui, shot }) {
  await ui.arrange('Virtual Machines');
  await ui.row('Virtual Machines', /^primary, RUNNING · VMID 3/);
  await ui.row('Virtual Machines', /^sensor, \w+ · VMID \d+/);
  await ui.row('Virtual Machines', /^cpu0, \w*queue_send · running · 0x[0-9a-f]+ · EL1/);
  await ui.row('Virtual Machines', /^Hypercall services, Gunyah answers · fixed/);
  await ui.expand('Virtual Machines', 'Hypervisor');
  await ui.row('Virtual Machines', /^Linux drivers v11 and later, /);
  await ui.collapse('Virtual Machines', 'Hypervisor');
  await ui.arrange('Call Stack', ...VIEWS);
  await ui.row('Capabilities', /^primary, \d+ capabilit/);
  await ui.row('Capabilities', /^msgqueue.*0x[0-9a-f]+ · send/);
  await ui.row('Message Queues', /^primary → resource-manager.*\d\/\d+ queued/);
  await ui.row('Doorbells', /^primary → sensor.*flags 0x0/);
  await shot('3-views');
}

async function continueAndCompare(session) {
  const { ui, shot } = session;
  for (let round = 0; round < 3; round++) await movesTo(session, () => session.page.keyboard.press('F5'));
  await ui.row('Virtual Machines', /instructions.*changed since the last stop/);
  await ui.row('Message Queues', /sent.*changed since the last stop/);
  await shot('4-changed');
}

const toolbar = ({ page }, name) => page.locator('.part.sidebar .title-actions').getByRole('button', { name }).first().click({ timeout: 5000 });

async function stepBack(session) {
  const before = await movesTo(session, () => session.page.keyboard.press('F10'));
  const after = await movesTo(session, () => toolbar(session, /^Step Back \(|^Step Back$/));
  assert.match(after, / back$/, `the clock says that this is the past: ${before} then ${after}`);
  await session.shot('5-stepped-back');
}

async function reverse(session) {
  await movesTo(session, () => toolbar(session, /^Reverse/));
  await eventually('the top frame is the call', async () => /gunyah_msgqueue_send/.test((await session.ui.frames())[0] ?? ''));
  await session.shot('6-reversed');
}

async function readSystemViews({ ui, shot }) {
  await ui.arrange(...SYSTEM_VIEWS);
  await ui.row('Memory', /^primary, 128 MiB owned/);
  await ui.row('Memory', /^0x40000000 – 0x47ffffff, 128 MiB · owned · RWX/);
  await ui.row('Memory', /^Device space, \d+ ranges/);
  await ui.row('Interrupts', /^VIRQ \d+, SPI \d+ · .*message queue \d+ "/);
  await ui.row('Scheduler', /^CPU 0, (primary|sensor)\/cpu0/);
  await ui.row('Scheduler', /^resource-manager\/cpu0, wfi, waits for an interrupt/);
  await ui.row('Resource Manager', /^sensor, \w+ · VMID \d+/);
  await ui.row('Resource Manager', /^History, \d+/);
  await shot('7-system-views');
}

async function useTrace(session) {
  const { ui, shot } = session;
  await ui.arrange('Call Stack', ...SYSTEM_VIEWS);
  await ui.command('Gunyah: Show Hypercall Trace');
  const frame = await ui.webview('trace');
  await frame.locator('.row.now .cell.event').first().waitFor();
  await eventually('after going back there are events ahead', async () => /^[\d,]+ events · [\d,]+ ahead/.test(await frame.locator('.status').textContent()));
  await shot('8-trace');
  await frame.locator('.filter').fill('hvc:msgqueue_send vm=primary if size > 16');
  await eventually('only matching rows are left', async () => {
    const names = await frame.locator('.rows .row .cell.name').allTextContents();
    return names.length > 0 && names.every((name) => name === 'msgqueue_send');
  });
  await eventually('the queue is named', async () => /msgqueue=0x[0-9a-f]+ \(message queue \d+ "/.test(await frame.locator('.rows .row .cell.args').first().textContent()));
  await shot('9-trace-filtered');
  await frame.locator('.filter').fill('hvc:no_such_call');
  await frame.locator('.problem').filter({ hasText: /no hypercall/ }).waitFor();
  await frame.locator('.filter').fill('rm:*|hvc:doorbell_send');
  const request = frame.locator('.rows .row.resource-manager').first();
  await request.waitFor();
  const time = await request.locator('.time').textContent();
  await movesTo(session, () => request.click());
  await eventually('the row is the present moment', async () => (await frame.locator('.status').textContent()).endsWith(` ${time}`));
  await frame.locator('.filter').fill('');
  await eventually('the search finds the call', async () => {
    await frame.locator('.search').fill('MSGQUEUE_send');
    await frame.locator('.search').press('Enter');
    await frame.locator('.row.active').filter({ hasText: 'msgqueue_send' }).waitFor({ timeout: 5000 });
    return true;
  });
  await shot('10-trace-found');
}

async function useMemoryMap({ ui, shot }) {
  await ui.command('Gunyah: Open Memory Map');
  const frame = await ui.webview('memory-map');
  await frame.locator('.map .range.owned').first().waitFor();
  await eventually('End goes to the last range', async () => {
    await frame.locator('.picture').press('End');
    await frame.locator('.chosen').filter({ hasText: '0x40000000 – 0x47ffffff' }).waitFor({ timeout: 5000 });
    return true;
  });
  await eventually('the address is translated', async () => {
    await frame.locator('.walk-text').fill('$pc');
    await frame.locator('.walk-text').press('Enter');
    await frame.locator('.levels tbody tr').first().waitFor({ timeout: 5000 });
    return (await frame.locator('.step .space').allTextContents()).join() === 'Virtual,Intermediate,Physical';
  });
  await frame.locator('.visibility').filter({ hasText: /^Owner: primary/ }).waitFor();
  await eventually('an address that only the board answers says so', async () => {
    await frame.locator('.walk-text').fill('ipa:0xa000000');
    await frame.locator('.walk-text').press('Enter');
    await frame.locator('.walk-result .problem').filter({ hasText: /reaches a device of the board: 32 empty virtio slots/ }).waitFor({ timeout: 5000 });
    return true;
  });
  await frame.locator('.find-range').fill('0x9000800');
  await eventually('the range of the address is found', async () => (await frame.locator('.ranges tbody tr').allTextContents()).join().startsWith('0x9000000'));
  await frame.locator('.find-range').fill('');
  await shot('11-memory-map');
}

async function otherThemes({ ui, page, shot }) {
  const pages = [['the trace', await ui.webview('trace')], ['the memory map', await ui.webview('memory-map')]];
  for (const [name, frame] of pages) await checkOperable(page, frame, name);
  for (const [theme, kind] of FOUR_THEMES) {
    await ui.theme(theme, kind);
    for (const [name, frame] of pages) await checkContrast(frame, `${name}, ${theme}`);
    await shot(`12-${theme.toLowerCase().replaceAll(' ', '-')}`);
  }
  await ui.command('View: Close Editor');
  await ui.command('Terminal: Focus Terminal');
}

async function runToEnd(session) {
  const { ui, page, shot } = session;
  await ui.titleButton('Breakpoints', /Remove All Breakpoints/);
  await eventually('no breakpoint is left', async () => !(await ui.rows('Breakpoints')).some((row) => /hvc:/.test(row)));
  // By its button: F5 on a session that has ended would begin another.
  await eventually('the session runs on', async () => {
    if (await page.locator('.debug-call-stack .stack-frame').count() === 0) return true;
    await toolbar(session, /^Continue/);
    await page.locator('.debug-call-stack .stack-frame').first().waitFor({ state: 'detached', timeout: 10_000 });
    return true;
  });
  const text = await eventually('both consoles say goodbye', async () => {
    const all = (await ui.terminals()).join('\n');
    return /primary: done/.test(all) && /bye/.test(all) && /the session has ended/.test(all) ? all : undefined;
  });
  assert.match(text, /requests.*answers.*doorbells/);
  await shot('13-ended');
}

async function startAgain(session) {
  const { ui, page, shot } = session;
  await ui.command('Gunyah: Add Hypercall Breakpoint…');
  await ui.answer('rm:VM_START');
  await ui.answer('');
  await ui.row('Breakpoints', /rm:VM_START/);
  await startSession(session);
  const text = await eventually('the consoles are cleared', async () => {
    const all = (await ui.terminals()).join('\n');
    return /primary: hello/.test(all) && !/the session has ended|again from|bye/.test(all) ? all : undefined;
  });
  assert.equal((text.match(/primary: hello/g) ?? []).length, 1);
  await shot('14-again');
  await eventually('the session ends', async () => {
    await page.keyboard.press('Shift+F5');
    await page.locator('.debug-call-stack .stack-frame').first().waitFor({ state: 'detached', timeout: 10_000 });
    return true;
  });
}

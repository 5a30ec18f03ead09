// End to end in the workbench: a broken overlay is mended in the editor, with completion, previews, maps, wizards and a drop; F5 boots the VM with the mended tree.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clickAt, closeEditors, editorOf, editUntil, focusGroup, goToLine, linesOf, openFile, save, shows, textOf } from './editors.mjs';
import { ANY, eventually } from './page.mjs';
import { copySample, startSession } from './ui.mjs';
import { tell, withWorkbench } from './workbench-session.mjs';

/** A doorbell that names nobody at its other end, in an overlay that the system file applies to the sensor's tree. */
const OVERLAY = `/dts-v1/;
/plugin/;

&{/gunyah-vm-config/vdevices} {
	alarm {
		vdevice-type = "doorbell";
		generate = "/hypervisor/alarm";
		label = <0x21>;
	};
};
`;

/** The sample with the overlay, and the tree of one more VM. */
export function copyWithOverlay() {
  const folder = copySample();
  writeFileSync(join(folder, 'alarm.dtso'), OVERLAY);
  const sensor = readFileSync(join(folder, 'sensor.dts'), 'utf8');
  writeFileSync(join(folder, 'logger.dts'), sensor.replaceAll('"sensor"', '"logger"').replace('size-max = <0x08000000>', 'size-max = <0x04000000>'));
  const system = join(folder, 'two-vms.gunyah.json');
  const text = readFileSync(system, 'utf8');
  const changed = text.replace('"config": "sensor.dts"', '"config": "sensor.dts", "overlays": ["alarm.dtso"]');
  assert.notEqual(changed, text, 'the sample configures the sensor with sensor.dts');
  writeFileSync(system, changed);
  return folder;
}

/** Runs the story. Pictures are in `shots`; another theme than the usual one shows all of it in that. */
export async function runDeviceTreeTest({ server, vsix, shots, theme = 'Default Dark Modern', log = console.log }) {
  const settings = { 'workbench.colorTheme': theme, 'editor.minimap.enabled': false };
  await withWorkbench({ server, vsix, shots, prefix: 'tree-', settings, folder: copyWithOverlay(), viewport: { width: 1700, height: 1000 } }, (session) => tell(STEPS, session, log));
}

const STEPS = [
  ['the overlay is underlined where the Resource Manager will refuse it, and the hover says why', seeProblem],
  ['a quick fix mends it', mend],
  ['completion offers what bindings know', complete],
  ['the preview beside it shows the merged tree and follows what is typed', preview],
  ['the overlay that RM will generate has the doorbell, with a placeholder for its capability', previewOverlay],
  ['hints write out addresses and interrupts, and a lens counts references', seeHints],
  ['the memory map is walked by keyboard, and leads to the source', useMap],
  ['two trees are compared by meaning', compare],
  ['a tree is compiled, and the blob opens as source', openBlob],
  ['a wizard writes a doorbell with a free label', addDoorbell],
  ['a tree dropped into the system file adds its VM', dropTree],
  ['in light and high contrast themes it looks right as well', otherThemes],
  ['F5 boots the VM with the mended tree, and the preview has the real capability', boot],
];

async function seeProblem(story) {
  const { ui, page, shot } = story;
  await openFile(story, 'alarm.dtso');
  await page.locator('.editor-instance .squiggly-error').first().waitFor();
  await ui.command('View: Toggle Problems');
  const text = await eventually('the problem is listed', async () => {
    const all = (await page.locator('.markers-panel .monaco-list-row').allTextContents()).join('\n');
    return /peer/.test(all) ? all : undefined;
  });
  assert.match(text, /\/gunyah-vm-config\/vdevices\/alarm: needs peer-default \(the VM’s owner\) or peer \(another VM\): who is at the other end\..*vm-config-peer/s);
  const hover = page.locator('.monaco-hover:not(.hidden) .hover-contents').filter({ hasText: 'who is at the other end.' }).first();
  await eventually('the hover says it too', async () => {
    await clickAt(page, 'alarm {');
    await page.keyboard.press('Home');
    await ui.command('Show or Focus Hover');
    await hover.waitFor({ timeout: 5000 });
    return true;
  });
  await shot('1-problem');
  await page.keyboard.press('Escape');
  await ui.command('View: Hide Panel');
}

async function mend(story) {
  const { ui, page, shot } = story;
  const isMended = async () => /peer-default;/.test(await textOf(linesOf(page)));
  await clickAt(page, 'alarm {');
  await page.keyboard.press('Home');
  await page.keyboard.press('Control+.');
  await shot('2-quick-fix');
  await ui.fix(/peer-default/, isMended);
  await page.locator('.editor-instance .squiggly-error').first().waitFor({ state: 'detached' });
  await save(story);
}

async function complete({ ui, page, shot }) {
  await clickAt(page, 'label = ');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('source');
  const details = page.locator('.suggest-details').filter({ hasText: /Whoever rings may also take the ringing back/ }).first();
  await eventually('completion says what the binding says', async () => {
    if (await details.count() > 0 && await details.isVisible()) return true;
    await page.keyboard.press('Control+Space');
    await details.waitFor({ timeout: 3000 });
    return true;
  });
  await shot('3-completion');
  await ui.completeWith(/source-can-clear/, async () => /source-can-clear;/.test(await textOf(linesOf(page))));
}

async function preview(story) {
  const { ui, page, shot } = story;
  await ui.command('Device Tree: Preview Merged Tree');
  await page.getByRole('tab', { name: /alarm\.merged\.dts/ }).first().waitFor();
  // The overlay's nodes come last.
  await focusGroup(page, 1);
  const has = (pattern) => eventually(`the merged tree has ${pattern}`, async () => {
    await page.keyboard.press('Control+End');
    return pattern.test(await textOf(linesOf(page, 1)));
  });
  await has(/alarm \{[^}]*source-can-clear;[^}]*label = <0x21>;/);
  const changeTo = (digit) => editUntil(page, `the label ends in ${digit}`, { pattern: new RegExp(`label = <0x2${digit}>;`), act: async () => {
    await clickAt(page, 'label = ');
    for (const key of ['End', 'ArrowLeft', 'ArrowLeft', 'Backspace']) await page.keyboard.press(key);
    await page.keyboard.type(digit);
  } });
  await changeTo('2');
  await shows(page, 'the merged tree follows', /label = <0x22>;/, 1);
  await shot('4-preview');
  await changeTo('1');
  await shows(page, 'the merged tree follows back', /label = <0x21>;/, 1);
  await save(story);
}

/** Reads a preview page by page until it has something. */
async function turnPagesTo(page, what, pattern) {
  await focusGroup(page, 1);
  await page.keyboard.press('Control+Home');
  await eventually(what, async () => {
    if (pattern.test(await textOf(linesOf(page, 1)))) return true;
    await page.keyboard.press('PageDown');
    return false;
  });
}

async function previewOverlay({ ui, page, shot }) {
  await ui.command('Device Tree: Preview RM Overlay');
  await page.getByRole('tab', { name: /alarm\.overlay\.dts/ }).first().waitFor();
  await shows(page, 'it says what its ids are worth', /capabilit/i, 1);
  await shot('5-rm-overlay');
  await turnPagesTo(page, 'it has the doorbell', /alarm@/);
  await focusGroup(page, 0);
}

async function seeHints(story) {
  const { page, shot } = story;
  await closeEditors(story);
  await openFile(story, 'sensor.dts');
  await goToLine(story, 62);
  await shows(page, 'hints write out addresses', /0x8000000–0x800ffff, 64 KiB/);
  await shows(page, 'hints write out interrupts', /SPI 1 = INTID 33/);
  await page.locator('.codelens-decoration:visible').filter({ hasText: /references?/ }).first().waitFor();
  await shot('6-hints');
}

async function useMap({ ui, page, shot }) {
  await ui.command('Device Tree: Memory Map');
  const frame = await ui.webview('tree-map');
  await frame.locator('.box.memory').first().waitFor();
  const focused = async () => await frame.locator('.box:focus').getAttribute('aria-label', { timeout: 1000 }) ?? '';
  const walkTo = (what, keys, pattern) => eventually(`the keyboard goes to ${what}`, async () => {
    await frame.locator('.box').first().focus();
    for (const key of keys) await page.keyboard.press(key);
    return pattern.test(await focused());
  });
  await walkTo('the next range', ['ArrowDown'], /^\/interrupt-controller@8000000: 0x80a0000 to 0x80bffff .*device/);
  await walkTo('the last range', ['End'], /memory/);
  await walkTo('the first range', ['End', 'Home'], /^\/interrupt-controller@8000000/);
  await shot('7-memory-map');
  await frame.locator('.box').first().press('Enter');
  await shows(page, 'the source of the range is shown', /interrupt-controller@8000000/);
  // Enter selected the range's property; what is typed by mistake shall find nothing to replace.
  await focusGroup(page, 0);
}

async function compare({ ui, page, folder, shot }) {
  await ui.command('Device Tree: Compare With…');
  await page.locator('.quick-input-widget').filter({ hasText: /Compare sensor\.dts with/ }).waitFor();
  await ui.answer(join(folder, 'logger.dts'), { row: ANY });
  await page.getByRole('tab', { name: /sensor\.dts ↔ logger\.dts\.diff/ }).first().waitFor();
  await shows(page, 'what differs is said', /- image-name = "sensor";[^]*\+ image-name = "logger";/);
  await shows(page, 'memory differs too', /size-max/);
  await shot('8-compare');
}

async function openBlob(story) {
  const { ui, page, folder, shot } = story;
  await closeEditors(story);
  await openFile(story, 'logger.dts');
  await ui.command('Device Tree: Compile to Blob');
  await eventually('the blob is written', async () => existsSync(join(folder, 'logger.dtb')));
  await ui.command('Notifications: Clear All Notifications');
  await closeEditors(story);
  await eventually('the blob opens', async () => {
    await page.getByRole('treeitem', { name: /^logger\.dtb/ }).first().dblclick({ timeout: 3000 });
    await page.getByRole('tab', { name: /logger\.dtb\.dts/ }).first().waitFor({ timeout: 10_000 });
    return true;
  });
  await shows(page, 'its source is shown', /model = "logger";/);
  await shot('9-blob');
  await closeEditors(story);
}

async function addDoorbell(story) {
  const { ui, page, shot } = story;
  await openFile(story, 'logger.dts');
  await ui.command('Device Tree: Add Doorbell…');
  await page.locator('.quick-input-widget').filter({ hasText: /Add Doorbell \(1\/3\)/ }).waitFor();
  await shot('10-wizard');
  await ui.answer('wake');
  await ui.answer('0x1');
  await ui.answer('sensor');
  await shows(page, 'the node is there', /wake \{\n\s*vdevice-type = "doorbell";[^}]*label = <0x1>;[^}]*peer = "vm-name:sensor";/);
  await shot('11-wizard-done');
  await save(story);
}

/** With the mouse as a user does it: from the explorer into the editor, with Shift held at the end. */
async function drag(page, row, line) {
  const from = await row.boundingBox();
  const to = await line.boundingBox();
  await page.mouse.move(from.x + 40, from.y + from.height / 2);
  await page.mouse.down();
  try {
    await page.mouse.move(to.x + 30, to.y + 5, { steps: 5 });
    await page.keyboard.down('Shift');
    await page.mouse.move(to.x + 40, to.y + 6, { steps: 5 });
  } finally {
    await page.mouse.up();
    await page.keyboard.up('Shift');
  }
}

async function dropTree(story) {
  const { page, shot } = story;
  await closeEditors(story);
  await openFile(story, 'two-vms.gunyah.json');
  const lines = linesOf(page);
  const hasVm = async () => /"name": "logger",\n\s*"image": "build\/logger\.elf",\n\s*"config": "logger\.dts"/.test(await textOf(lines));
  await eventually('the VM is in the file', async () => {
    if (await hasVm()) return true;
    await drag(page, page.getByRole('treeitem', { name: /^logger\.dts$|^logger\.dts[^c]/ }).first(), editorOf(page).locator('.view-line').filter({ hasText: '"vms"' }).first());
    return await eventually('the drop has its effect', hasVm, 10_000);
  });
  await shot('12-drop');
  await clickAt(page, '"vms"');
  await page.keyboard.press('Control+z');
  await eventually('one step takes it back', async () => !/logger/.test(await textOf(lines)));
  await save(story);
  await closeEditors(story);
}

async function otherThemes(story) {
  const { ui, page, shot } = story;
  await openFile(story, 'alarm.dtso');
  await ui.command('Device Tree: Preview RM Overlay');
  await page.getByRole('tab', { name: /alarm\.overlay\.dts/ }).first().waitFor();
  for (const [theme, kind] of [['Light Modern', 'vs'], ['Dark High Contrast', 'hc-black'], ['Dark Modern', 'vs-dark']]) {
    await ui.theme(theme, kind);
    if (kind !== 'vs-dark') await shot(`13-${theme.toLowerCase().replaceAll(' ', '-')}`);
  }
}

async function boot(story) {
  const { ui, page, shot } = story;
  await page.getByRole('tab', { name: /alarm\.dtso/ }).first().click();
  await ui.command('File: Save All');
  await ui.command('Gunyah: Add Hypercall Breakpoint…');
  await ui.answer('rm-notify:VM_STATUS');
  await ui.answer('');
  await startSession(story);
  // The guest lists what it shares with the VM: the alarm of the overlay, by its label.
  await page.getByRole('tab', { name: 'Terminal' }).first().click();
  await eventually('the guest finds the alarm', async () => /doorbell sender\s+label 0x21/.test((await ui.terminals()).join('\n')));
  await shot('14-booted');
  // The preview that was open has become that of the running VM.
  await shows(page, 'it has the ids of the session', /beyond sensor\.dts, with the capability ids of the running session/, 1);
  await ui.command('View: Hide Panel');
  await turnPagesTo(page, 'it has the doorbell', /alarm@[0-9a-f]+ \{/);
  await shot('15-live-overlay');
}

// End to end in the workbench: a broken overlay is mended in the editor, with completion, previews, maps, wizards and a drop; F5 boots the VM with the mended tree.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './page.mjs';
import { copySample } from './ui.mjs';
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
  writeFileSync(join(folder, 'logger.dts'), sensor.replaceAll('"sensor"', '"logger"').replace('<0x0 0x08000000>', '<0x0 0x04000000>'));
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

/** Text of an editor as far as it is rendered, from top to bottom, with plain blanks. */
async function textOf(editor) {
  const lines = await editor.locator('.view-line').evaluateAll((all) => all.map((line) => [Number.parseFloat(line.style.top), line.textContent ?? '']).sort(([a], [b]) => a - b).map(([, text]) => text));
  return lines.join('\n').replaceAll('\u00a0', ' ');
}

/** Clicks into an editor at the first occurrence of a text. */
async function clickAt(page, text, group = 0) {
  await page.locator('.editor-group-container').nth(group).locator('.editor-instance .view-line').filter({ hasText: text }).first().click();
}

/** Puts the cursor into the editor of a group, beside its text so that nothing is selected or followed. */
async function focusGroup(page, group) {
  const box = await page.locator('.editor-group-container').nth(group).locator('.editor-instance .view-lines').first().boundingBox();
  await page.mouse.click(box.x + 300, box.y + 8);
}

/** Opens a file of the explorer for good, in the first group. */
export async function openFile({ page }, name) {
  await page.getByRole('treeitem', { name: new RegExp(`^${name.replace('.', '\\.')}`) }).first().dblclick();
  await page.getByRole('tab', { name: new RegExp(`^${name.replace('.', '\\.')}`) }).first().waitFor();
  await focusGroup(page, 0);
}

async function closeOthers({ ui }) {
  await ui.command('View: Close All Editors');
}

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
  await clickAt(page, 'alarm');
  await page.keyboard.press('Home');
  await ui.command('Show or Focus Hover');
  const hover = page.locator('.monaco-hover:not(.hidden) .hover-contents').filter({ hasText: 'who is at the other end.' }).first();
  await hover.waitFor();
  await shot('1-problem');
  await page.keyboard.press('Escape');
  await ui.command('View: Hide Panel');
}

async function mend({ ui, page, shot }) {
  await clickAt(page, 'alarm');
  await page.keyboard.press('Home');
  await page.keyboard.press('Control+.');
  const fix = page.locator('.action-widget .monaco-list-row').filter({ hasText: /peer-default/ }).first();
  await fix.waitFor();
  await shot('2-quick-fix');
  // Older editors keep the pointer out of the menu; the first fix has the focus.
  await page.keyboard.press('Enter');
  await page.locator('.editor-instance .view-line').filter({ hasText: 'peer-default;' }).first().waitFor();
  await page.locator('.editor-instance .squiggly-error').first().waitFor({ state: 'detached' });
  await ui.command('File: Save');
}

async function complete({ page, shot }) {
  await clickAt(page, 'label = ');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+Space');
  const widget = page.locator('.suggest-widget.visible .monaco-list-row');
  await widget.filter({ hasText: 'source-can-clear' }).first().waitFor();
  await page.keyboard.type('source');
  if (await page.locator('.suggest-details-container:visible').count() === 0) await page.keyboard.press('Control+Space');
  await page.locator('.suggest-details').filter({ hasText: /Whoever rings may also take the ringing back/ }).first().waitFor();
  await shot('3-completion');
  await page.keyboard.press('Enter');
  await page.locator('.editor-instance .view-line').filter({ hasText: 'source-can-clear;' }).first().waitFor();
}

async function preview({ ui, page, shot }) {
  await ui.command('Device Tree: Preview Merged Tree');
  await page.getByRole('tab', { name: /alarm\.merged\.dts/ }).first().waitFor();
  const merged = page.locator('.editor-group-container').nth(1).locator('.view-lines');
  // The overlay's nodes come last.
  await focusGroup(page, 1);
  const has = (pattern) => eventually(`the merged tree has ${pattern}`, async () => {
    await page.keyboard.press('Control+End');
    return pattern.test(await textOf(merged));
  });
  await has(/alarm \{[^}]*source-can-clear;[^}]*label = <0x21>;/);
  await focusGroup(page, 0);
  await clickAt(page, 'label = ');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('2');
  await eventually('the merged tree follows', async () => /label = <0x22>;/.test(await textOf(merged)));
  await shot('4-preview');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('1');
  await eventually('the merged tree follows back', async () => /label = <0x21>;/.test(await textOf(merged)));
  await ui.command('File: Save');
}

async function previewOverlay({ ui, page, shot }) {
  await ui.command('Device Tree: Preview RM Overlay');
  await page.getByRole('tab', { name: /alarm\.overlay\.dts/ }).first().waitFor();
  const overlay = page.locator('.editor-group-container').nth(1).locator('.view-lines');
  await focusGroup(page, 1);
  await page.keyboard.press('Control+Home');
  await eventually('it says what its ids are worth', async () => /capabilit/i.test(await textOf(overlay)));
  await shot('5-rm-overlay');
  await eventually('it has the doorbell', async () => {
    await page.keyboard.press('PageDown');
    return /alarm@/.test(await textOf(overlay));
  });
  await focusGroup(page, 0);
}

async function seeHints(story) {
  const { page, shot } = story;
  await closeOthers(story);
  await openFile(story, 'sensor.dts');
  const lines = page.locator('.editor-instance .view-lines').first();
  await page.keyboard.press('Control+g');
  await story.ui.answer(':62');
  await eventually('hints are shown', async () => /0x8000000–0x800ffff, 64 KiB/.test(await textOf(lines)) && /SPI 1 = INTID 33/.test(await textOf(lines)));
  await page.locator('.codelens-decoration:visible').filter({ hasText: /references?/ }).first().waitFor();
  await shot('6-hints');
}

async function useMap({ ui, page, shot }) {
  await ui.command('Device Tree: Memory Map');
  const frame = await ui.webview('tree-map');
  await frame.locator('.box.memory').first().waitFor();
  await frame.locator('.box').first().focus();
  await page.keyboard.press('ArrowDown');
  const focused = async () => await frame.locator('.box:focus').getAttribute('aria-label') ?? '';
  assert.match(await focused(), /^\/interrupt-controller@8000000: 0x80a0000 to 0x80bffff .*device/);
  await page.keyboard.press('End');
  assert.match(await focused(), /memory/);
  await page.keyboard.press('Home');
  await shot('7-memory-map');
  await page.keyboard.press('Enter');
  await eventually('the source of the range is shown', async () => /interrupt-controller@8000000/.test(await textOf(page.locator('.editor-group-container').first().locator('.view-lines'))));
  await focusGroup(page, 0);
}

async function compare({ ui, page, folder, shot }) {
  // The map left a property selected. A key that comes too late for the dialog shall find nothing to replace.
  await page.keyboard.press('Control+Home');
  await ui.command('Device Tree: Compare With…');
  await page.locator('.quick-input-widget').filter({ hasText: /Compare sensor\.dts with/ }).waitFor();
  await ui.answer(join(folder, 'logger.dts'));
  // While the dialog still reads the folder it takes no answer; once it has gone, what is typed would go into the editor.
  await eventually('the comparison opens', async () => {
    if (await page.getByRole('tab', { name: /comparison\.diff/ }).count() > 0) return true;
    await ui.accept();
    return false;
  });
  const lines = page.locator('.editor-group-container').first().locator('.view-lines');
  await eventually('what differs is said', async () => {
    const text = await textOf(lines);
    return /- image-name = "sensor";[^]*\+ image-name = "logger";/.test(text) && /size-max/.test(text);
  });
  await shot('8-compare');
}

async function openBlob(story) {
  const { ui, page, folder, shot } = story;
  await closeOthers(story);
  await openFile(story, 'logger.dts');
  await ui.command('Device Tree: Compile to Blob');
  await eventually('the blob is written', async () => existsSync(join(folder, 'logger.dtb')));
  await ui.command('Notifications: Clear All Notifications');
  await closeOthers(story);
  await page.getByRole('treeitem', { name: /^logger\.dtb/ }).first().dblclick();
  await page.getByRole('tab', { name: /logger\.dtb\.dts/ }).first().waitFor();
  await eventually('its source is shown', async () => /model = "logger";/.test(await textOf(page.locator('.editor-instance .view-lines').first())));
  await shot('9-blob');
  await closeOthers(story);
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
  const lines = page.locator('.editor-instance .view-lines').first();
  await eventually('the node is there', async () => /wake \{\n\s*vdevice-type = "doorbell";[^}]*label = <0x1>;[^}]*peer = "vm-name:sensor";/.test(await textOf(lines)));
  await shot('11-wizard-done');
  await ui.command('File: Save');
}

/** With the mouse as a user does it: from the explorer into the editor, with Shift held at the end. */
async function dropTree(story) {
  const { ui, page, shot } = story;
  await closeOthers(story);
  await openFile(story, 'two-vms.gunyah.json');
  const from = await page.getByRole('treeitem', { name: /^logger\.dts$|^logger\.dts[^c]/ }).first().boundingBox();
  const to = await page.locator('.editor-instance .view-line').filter({ hasText: '"vms"' }).first().boundingBox();
  await page.mouse.move(from.x + 40, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + 30, to.y + 5, { steps: 5 });
  await page.keyboard.down('Shift');
  await page.mouse.move(to.x + 40, to.y + 6, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  const lines = page.locator('.editor-instance .view-lines').first();
  await eventually('the VM is in the file', async () => /"name": "logger",\n\s*"image": "build\/logger\.elf",\n\s*"config": "logger\.dts"/.test(await textOf(lines)));
  await shot('12-drop');
  await clickAt(page, '"vms"');
  await page.keyboard.press('Control+z');
  await eventually('one step takes it back', async () => !/logger/.test(await textOf(lines)));
  await ui.command('File: Save');
  await closeOthers(story);
}

async function otherThemes(story) {
  const { ui, page, shot } = story;
  await openFile(story, 'alarm.dtso');
  await ui.command('Device Tree: Preview RM Overlay');
  await page.getByRole('tab', { name: /alarm\.overlay\.dts/ }).first().waitFor();
  for (const [theme, kind] of [['Light Modern', 'vs'], ['Dark High Contrast', 'hc-black'], ['Dark Modern', 'vs-dark']]) {
    await ui.theme(theme);
    await page.locator(`.monaco-workbench.${kind}`).first().waitFor();
    if (kind !== 'vs-dark') await shot(`13-${theme.toLowerCase().replaceAll(' ', '-')}`);
  }
}

async function boot({ ui, page, shot }) {
  await page.getByRole('tab', { name: /alarm\.dtso/ }).first().click();
  await ui.command('File: Save All');
  await ui.command('Gunyah: Add Hypercall Breakpoint…');
  await ui.answer('rm-notify:VM_STATUS');
  await ui.answer('');
  await page.keyboard.press('F5');
  await page.locator('.debug-call-stack .stack-frame').first().waitFor({ timeout: 60_000 });
  // The guest lists what it shares with the VM: the alarm of the overlay, by its label.
  await page.getByRole('tab', { name: 'Terminal' }).first().click();
  await eventually('the guest finds the alarm', async () => /doorbell sender\s+label 0x21/.test((await ui.terminals()).join('\n')));
  await shot('14-booted');
  // The preview that was open has become that of the running VM.
  const overlay = page.locator('.editor-group-container').nth(1).locator('.view-lines');
  await eventually('it has the ids of the session', async () => /beyond sensor\.dts, with the capability ids of the running session/.test(await textOf(overlay)));
  await ui.command('View: Hide Panel');
  await focusGroup(page, 1);
  await eventually('it has the doorbell', async () => {
    await page.keyboard.press('PageDown');
    return /alarm@[0-9a-f]+ \{/.test(await textOf(overlay));
  });
  await shot('15-live-overlay');
}

// End to end in the workbench: a broken overlay is mended in the editor, with completion and previews, and F5 boots the VM with the mended tree.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VscodeServer } from '../../extension/start/vscode-server.mjs';
import { eventually, launchBrowser, QUIET_SETTINGS, Workbench } from './page.mjs';
import { copySample } from './ui.mjs';

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

/** The sample with the overlay. */
function copyWithOverlay() {
  const folder = copySample();
  writeFileSync(join(folder, 'alarm.dtso'), OVERLAY);
  const system = join(folder, 'two-vms.gunyah.json');
  const text = readFileSync(system, 'utf8');
  const changed = text.replace('"config": "sensor.dts"', '"config": "sensor.dts", "overlays": ["alarm.dtso"]');
  assert.notEqual(changed, text, 'the sample configures the sensor with sensor.dts');
  writeFileSync(system, changed);
  return folder;
}

/** Runs the story. Pictures are in `shots`. */
export async function runDeviceTreeTest({ server, vsix, shots, log = console.log }) {
  mkdirSync(shots, { recursive: true });
  const folder = copyWithOverlay();
  const vscode = new VscodeServer(server, { settings: { ...QUIET_SETTINGS, 'workbench.colorTheme': 'Default Dark Modern', 'editor.minimap.enabled': false } });
  const started = Date.now();
  let browser;
  let ui;
  try {
    vscode.install(vsix);
    await vscode.start();
    browser = await launchBrowser();
    const page = await (await browser.newContext({ viewport: { width: 1700, height: 1000 } })).newPage();
    page.setDefaultTimeout(20_000);
    ui = new Workbench(page);
    const story = { ui, page, folder, shot: (name) => page.screenshot({ path: join(shots, `tree-${name}.png`) }) };
    await ui.open(vscode.url(folder));
    for (const [name, step] of STEPS) {
      await step(story);
      log(`  ${String(Date.now() - started).padStart(6)} ms  ${name}`);
    }
  } catch (problem) {
    await ui?.page.screenshot({ path: join(shots, 'tree-failed.png') }).catch(() => undefined);
    throw problem;
  } finally {
    await browser?.close();
    await vscode.stop();
    rmSync(dirname(folder), { recursive: true, force: true });
  }
}

const STEPS = [
  ['the overlay is underlined where the Resource Manager will refuse it', seeProblem],
  ['a quick fix mends it', mend],
  ['completion offers what bindings know', complete],
  ['the preview beside it shows the merged tree and follows', preview],
  ['in light and high contrast themes it looks right as well', otherThemes],
  ['F5 boots the VM with the mended tree', boot],
];

/** Clicks into the editor at the first occurrence of a text. */
async function clickAt(page, text) {
  await page.locator('.editor-instance .view-line').filter({ hasText: text }).first().click();
}

async function seeProblem({ ui, page, shot }) {
  await page.getByRole('treeitem', { name: /alarm\.dtso/ }).first().dblclick();
  await page.locator('.editor-instance .view-line').first().waitFor();
  await page.locator('.editor-instance .squiggly-error').first().waitFor();
  await ui.command('View: Toggle Problems');
  const text = await eventually('the problem is listed', async () => {
    const all = (await page.locator('.markers-panel .monaco-list-row').allTextContents()).join('\n');
    return /peer/.test(all) ? all : undefined;
  });
  assert.match(text, /peer-default/);
  await shot('1-problem');
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
  await shot('3-completion');
  await page.keyboard.type('source-can-clear');
  await page.keyboard.press('Enter');
  await page.locator('.editor-instance .view-line').filter({ hasText: 'source-can-clear;' }).first().waitFor();
}

async function preview({ ui, page, shot }) {
  await ui.command('Device Tree: Preview Merged Tree');
  const merged = page.locator('.editor-group-container').nth(1).locator('.view-lines');
  await eventually('the merged tree has the alarm', async () => {
    await page.locator('.editor-group-container').nth(1).locator('.view-line').first().waitFor();
    return await page.getByRole('tab', { name: /alarm\.merged\.dts/ }).count() > 0 && (await merged.textContent()) !== '' ? true : undefined;
  });
  await shot('4-preview');
  await ui.command('File: Save');
}

async function otherThemes({ ui, page, shot }) {
  for (const [theme, kind] of [['Light Modern', 'vs'], ['Dark High Contrast', 'hc-black'], ['Dark Modern', 'vs-dark']]) {
    await ui.theme(theme);
    await page.locator(`.monaco-workbench.${kind}`).first().waitFor();
    if (kind !== 'vs-dark') await shot(`5-${theme.toLowerCase().replaceAll(' ', '-')}`);
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
  await shot('6-booted');
}

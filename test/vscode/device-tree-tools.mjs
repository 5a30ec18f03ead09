// End to end in the workbench, the tools around device trees: wizards, renaming across files, fixes, navigation, formatting, blobs that are edited and written back, a node dragged out of the outline.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clickAt, closeEditors, editorOf, goToLine, linesOf, openFile, save, shows, textOf } from './editors.mjs';
import { checkContrast, checkOperable } from './accessibility.mjs';
import { eventually, FOUR_THEMES } from './page.mjs';
import { copySample } from './ui.mjs';
import { tell, withWorkbench } from './workbench-session.mjs';

const FILES = {
  'fresh.dts': '/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\tcompatible = "linux,dummy-virt";\n\tmodel = "fresh";\n\tinterrupt-parent = <&intc>;\n\n\tintc: interrupt-controller@8000000 {\n\t\tcompatible = "arm,gic-v3";\n\t\t#address-cells = <0>;\n\t\t#interrupt-cells = <3>;\n\t\tinterrupt-controller;\n\t\treg = <0x0 0x08000000 0x0 0x10000>, <0x0 0x080a0000 0x0 0x20000>;\n\t};\n};\n',
  'guest.dts': '/dts-v1/;\n\n/ {\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\tmodel = "guest";\n\tcompatible = "linux,dummy-virt";\n\tinterrupt-parent = <&intc>;\n\n\tintc: interrupt-controller {\n\t\tcompatible = "arm,gic-v3";\n\t\t#address-cells = <0>;\n\t\t#interrupt-cells = <3>;\n\t\tinterrupt-controller;\n\t};\n};\n',
  'soc.dtsi': '/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\n\tsoc {\n\t\t#address-cells = <1>;\n\t\t#size-cells = <1>;\n\t\tranges = <0x0 0x8000000 0x10000>;\n\n\t\tuart0: serial@1000 {\n\t\t\treg = <0x1000 0x100>;\n\t\t};\n\t};\n};\n',
  'board.dts': '/dts-v1/;\n#include "soc.dtsi"\n\n/ {\n\tcompatible = "vendor,board";\n\tmodel = "board";\n\n\taliases {\n\t\tserial0 = &uart0;\n\t};\n};\n\n&uart0 {\n\tstatus = "okay";\n};\n',
  'camera.dtso': '// dts-context: board.dts\n/dts-v1/;\n/plugin/;\n\n&uart0 {\n\tcurrent-speed = <9600>;\n};\n\n&{/soc} {\n\tserial@1000 {\n\t\tstatus = "okay";\n\t};\n};\n',
  'broken.dts': '/dts-v1/;\n\n/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\tmodel = "broken"\n\tcompatible = "vendor,broken";\n\n\tuart0: serial {\n\t\treg = <0x2000 0x100>;\n\t};\n\n\tchosen {\n\t\tlink = <&uart1>;\n\t};\n};\n',
  'untidy.dts': '/dts-v1/;\n/ {\n  model="untidy";\n\n\n   child   {\n value = < 1 2 >;\n};\n};\n',
};

function copyWithTrees() {
  const folder = copySample();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs the story. Pictures are in `shots`. */
export async function runDeviceTreeToolsTest({ server, vsix, shots, theme = 'Default Dark Modern', log = console.log }) {
  const settings = { 'workbench.colorTheme': theme, 'editor.minimap.enabled': false };
  await withWorkbench({ server, vsix, shots, prefix: 'tools-', settings, folder: copyWithTrees(), viewport: { width: 1700, height: 1000 } }, (session) => tell(STEPS, session, log));
}

const STEPS = [
  ['wizards make a hypervisor node, a VM configuration and devices of every kind, without a problem', useWizards],
  ['quick fixes mend a missing semicolon, a label and an address', useFixes],
  ['F2 changes a label, and a node, in the tree, its included file and its overlay', renameAcrossFiles],
  ['completion offers files to include and nodes to delete', completeNames],
  ['a lens says where an overlay applies, references are peeked at, and the call hierarchy shows who refers', seeReferences],
  ['a link leads to the included file, and a label is found in the workspace', followLinks],
  ['a tree is formatted', format],
  ['a blob is edited as source, written back, and decompiled', editBlob],
  ['the memory map of a tree can be used by keyboard and screen reader, and read in four themes', readMap],
  ['the VM configuration is dragged out of the outline into a system file', dragFromOutline],
];

const onDisk = ({ folder }, name) => readFileSync(join(folder, name), 'utf8');

/** Waits until a saved file fits. */
function isSaved(session, name, pattern) {
  return eventually(`${name} has ${pattern} on disk`, () => pattern.test(onDisk(session, name)));
}

async function wizard({ ui, page }, title, answers) {
  await ui.command(`Device Tree: ${title}…`);
  for (const [index, answer] of answers.entries()) {
    await page.locator('.quick-input-widget').filter({ hasText: `${title} (${index + 1}/${answers.length})` }).first().waitFor();
    await ui.answer(answer);
  }
}

/** Runs a wizard and waits until what it wrote is saved: the editor draws only what is in sight. */
async function add(session, name, { title, answers, pattern }) {
  await wizard(session, title, answers);
  await eventually(`${title}: the node is selected`, async () => await session.page.locator('.editor-instance .selected-text').count() > 0);
  await save(session);
  await isSaved(session, name, pattern);
}

async function hasNoProblem({ page }) {
  await eventually('nothing is wrong with what the wizards wrote', async () => /^No Problems$/.test(await page.locator('.statusbar-item[id="status.problems"] a').first().getAttribute('aria-label') ?? ''));
}

const DEVICES = [
  { title: 'Add Message Queue Pair', answers: ['queues', '0x7', ''], pattern: /queues \{\n\t*vdevice-type = "message-queue-pair";[^}]*label = <0x7>;\n\t*peer-default;[^}]*queue-depth = <8>;/ },
  { title: 'Add Doorbell', answers: ['bell', '0x8', 'primary'], pattern: /bell \{\n\t*vdevice-type = "doorbell";[^}]*label = <0x8>;\n\t*peer = "vm-name:primary";/ },
  { title: 'Add Shared Memory', answers: ['shm', '0x9', ''], pattern: /shm \{\n\t*vdevice-type = "shm";[^}]*label = <0x9>;[^}]*memory \{\n\t*label = <0x9>;\n\t*allocate-base;/ },
  { title: 'Add Virtio Device', answers: ['disk', '0xa', '0x90000000'], pattern: /disk \{\n\t*vdevice-type = "virtio-mmio";[^}]*label = <0xa>;[^}]*base = <0x0 0x90000000>;/ },
];

async function useWizards(session) {
  const { shot } = session;
  await openFile(session, 'guest.dts');
  await add(session, 'guest.dts', {
    title: 'Add Hypervisor Node', answers: ['0x10', '0x11', '5', '6'],
    pattern: /gunyah-resource-mgr@10 \{\n\t\t\tcompatible = "gunyah-resource-manager";\n\t\t\treg = <0x0 0x10>, <0x0 0x11>;\n\t\t\tinterrupts = <0 5 1>, <0 6 1>;/,
  });
  await hasNoProblem(session);
  await shot('1-hypervisor');
  await openFile(session, 'fresh.dts');
  await add(session, 'fresh.dts', {
    title: 'Add VM Configuration', answers: ['fresh', 'linux', '0x80000000', '64M', 'The VM that starts it'],
    pattern: /cpu@0 \{[^]*image-name = "fresh";\n\t\tos-type = "linux";[^]*size-max = <0x4000000>;[^]*config = "\/interrupt-controller@8000000";[^]*affinity = "proxy";/,
  });
  for (const device of DEVICES) await add(session, 'fresh.dts', device);
  await hasNoProblem(session);
  await shot('2-wizards');
  await closeEditors(session);
}

async function useFixes(session) {
  const { ui, page, shot } = session;
  await openFile(session, 'broken.dts');
  await page.locator('.editor-instance .squiggly-error').first().waitFor();
  const mend = async (at, pattern, result) => {
    await clickAt(page, at);
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await ui.fix(pattern, async () => result.test(await textOf(linesOf(page))));
  };
  await mend('model = ', /Add the missing ;/, /model = "broken";/);
  await mend('link = ', /Change to &uart0/, /link = <&uart0>;/);
  await shot('3-fixes');
  await mend('uart0: serial', /Rename to serial@2000/, /serial@2000/);
  await page.locator('.editor-instance .squiggly-error').first().waitFor({ state: 'detached' });
  await save(session);
  await closeEditors(session);
}

/** Renames what is at the cursor with F2. */
async function renameTo(session, name) {
  const { page, ui } = session;
  const input = page.locator('.rename-box input').first();
  await eventually(`the name is ${name}`, async () => {
    if (await input.count() === 0 || !await input.isVisible()) await page.keyboard.press('F2');
    await input.fill(name, { timeout: 3000 });
    return await ui.press('.rename-box input', 'Enter', { value: name });
  });
}

async function renameAcrossFiles(session) {
  const { ui, page, shot } = session;
  await openFile(session, 'board.dts');
  await goToLine(session, 13, 3);
  await renameTo(session, 'console');
  await shows(page, 'the tree has the label', /serial0 = &console;[^]*&console \{/);
  await shot('4-rename');
  await ui.command('File: Save All');
  for (const name of ['soc.dtsi', 'board.dts', 'camera.dtso']) await isSaved(session, name, /console(?!.*uart0)/s);
  await openFile(session, 'soc.dtsi');
  await goToLine(session, 10, 20);
  await renameTo(session, 'uart@1000');
  await shows(page, 'the included file has the node', /console: uart@1000 \{/);
  await ui.command('File: Save All');
  await isSaved(session, 'camera.dtso', /\tuart@1000 \{/);
  await closeEditors(session);
}

async function completeNames(session) {
  const { ui, page, shot } = session;
  await openFile(session, 'board.dts');
  const type = async (text) => {
    await page.keyboard.press('Control+End');
    await page.keyboard.type(text);
  };
  await type('#include "so');
  await ui.completeWith(/^soc\.dtsi/, async () => /#include "soc\.dtsi[^]*#include "soc\.dtsi/.test(await textOf(linesOf(page))));
  await shot('5-include');
  const takeBack = async () => {
    await ui.command('File: Revert File');
    await page.locator('.part.editor .tab.active.dirty').first().waitFor({ state: 'detached' });
  };
  await takeBack();
  await type('/delete-node/ &con');
  await ui.completeWith(/console/, async () => /\/delete-node\/ &console/.test(await textOf(linesOf(page))));
  // What is typed into a reference is meant for no other.
  await shows(page, 'the other references stay', /serial0 = &console;[^]*&console \{/);
  await takeBack();
  await shows(page, 'they stay when it is taken back', /serial0 = &console;[^]*&console \{/);
  await closeEditors(session);
}

async function seeReferences(session) {
  const { ui, page, shot } = session;
  await openFile(session, 'camera.dtso');
  await page.locator('.codelens-decoration:visible').filter({ hasText: /applies to \/soc\/uart@1000 of board\.dts/ }).first().waitFor();
  await shot('6-lens');
  await goToLine(session, 5, 3);
  const peek = page.locator('.peekview-widget .monaco-list-row');
  await eventually('references are peeked at', async () => {
    if (await peek.count() === 0) await ui.command('Peek References');
    await peek.filter({ hasText: 'soc.dtsi' }).first().waitFor({ timeout: 5000 });
    return true;
  });
  await shot('7-peek');
  await page.keyboard.press('Escape');
  await openFile(session, 'soc.dtsi');
  await goToLine(session, 10, 14);
  await eventually('who refers is shown', async () => {
    if (await page.locator('.call-hierarchy').count() === 0) await ui.command('Peek Call Hierarchy');
    await page.locator('.call-hierarchy .monaco-list-row').filter({ hasText: /aliases|serial0/ }).first().waitFor({ timeout: 5000 });
    return true;
  });
  await shot('8-who-refers');
  await page.keyboard.press('Escape');
  await closeEditors(session);
}

async function followLinks(session) {
  const { ui, page, shot } = session;
  await openFile(session, 'board.dts');
  const opens = (name) => page.locator('.part.editor .tab.active').filter({ hasText: name }).first().waitFor({ timeout: 5000 });
  await eventually('the link leads to the file', async () => {
    await goToLine(session, 2, 14);
    await ui.command('Open Link');
    await opens('soc.dtsi');
    return true;
  });
  await eventually('the label is found in the workspace', async () => {
    await ui.command('Go to Symbol in Workspace...');
    await page.locator('.quick-input-widget input.input').fill('#console', { timeout: 3000 });
    await page.locator('.quick-input-list .monaco-list-row').filter({ hasText: 'uart@1000' }).first().waitFor({ timeout: 5000 });
    return true;
  });
  await shot('9-symbols');
  await page.keyboard.press('Escape');
  await closeEditors(session);
}

async function format(session) {
  const { ui, page } = session;
  await openFile(session, 'untidy.dts');
  const tidy = /\n\tmodel = "untidy";\n+\tchild \{\n\t\tvalue = <1 2>;\n\t\};\n\};\n$/;
  await eventually('the tree is formatted', async () => {
    await ui.command('Format Document');
    return await eventually('the text changes', async () => /model = "untidy";/.test(await textOf(linesOf(page))), 5000);
  });
  await save(session);
  await isSaved(session, 'untidy.dts', tidy);
  await closeEditors(session);
}

async function editBlob(session) {
  const { ui, page, folder, shot } = session;
  const blob = join(folder, 'board.dtb');
  await openFile(session, 'board.dts');
  await ui.command('Device Tree: Compile to Blob');
  await eventually('the blob is written', () => existsSync(blob));
  await ui.command('Notifications: Clear All Notifications');
  await closeEditors(session);
  const row = page.getByRole('treeitem', { name: /^board\.dtb/ }).first();
  await eventually('the blob opens as source', async () => {
    await row.dblclick({ timeout: 3000 });
    await page.getByRole('tab', { name: /board\.dtb\.dts/ }).first().waitFor({ timeout: 10_000 });
    return true;
  });
  await clickAt(page, 'model = "board";');
  await eventually('the source is changed', async () => {
    if (/model = "board2?x";/.test(await textOf(linesOf(page)))) return true;
    await clickAt(page, 'model = "board";');
    for (const key of ['End', 'ArrowLeft', 'ArrowLeft']) await page.keyboard.press(key);
    await page.keyboard.type('x');
    return await eventually('it is typed', async () => /model = "boardx";/.test(await textOf(linesOf(page))), 5000);
  });
  await save(session);
  await eventually('the blob is written back', () => readFileSync(blob, 'latin1').includes('boardx\0'));
  await shot('10-blob');
  await closeEditors(session);
  await eventually('it is decompiled from the menu of its row', async () => {
    // A menu that has just opened takes no click, but keys; one that stays open covers the row.
    await page.keyboard.press('Escape');
    await row.click({ button: 'right', timeout: 3000 });
    await page.locator('.monaco-menu').getByRole('menuitem', { name: /Decompile Blob/ }).first().hover({ timeout: 3000 });
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: /Untitled/ }).first().waitFor({ timeout: 10_000 });
    return true;
  });
  await shows(page, 'the text is there', /model = "boardx";/);
  await ui.command('File: Revert File').catch(() => undefined);
  await ui.command('View: Revert and Close Editor');
}

/** A board with memory that is reserved, a device that is off, and two devices that share addresses. */
const CROWDED = `/dts-v1/;

/ {
	#address-cells = <2>;
	#size-cells = <2>;

	memory@80000000 {
		device_type = "memory";
		reg = <0x0 0x80000000 0x0 0x40000000>;
	};

	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;

		guest@90000000 {
			reg = <0x0 0x90000000 0x0 0x8000000>;
			no-map;
		};
	};

	serial@10001000 {
		reg = <0x0 0x10001000 0x0 0x1000>;
	};

	timer@10001800 {
		reg = <0x0 0x10001800 0x0 0x1000>;
	};

	camera@20000000 {
		reg = <0x0 0x20000000 0x0 0x1000>;
		status = "disabled";
	};
};
`;

async function readMap(session) {
  const { ui, page, folder, shot } = session;
  writeFileSync(join(folder, 'crowded.dts'), CROWDED);
  await openFile(session, 'crowded.dts');
  await ui.command('Device Tree: Memory Map');
  const frame = await ui.webview('tree-map');
  await frame.locator('.box.overlapping').first().waitFor();
  await checkOperable(page, frame, 'the memory map of a tree');
  for (const [theme, kind] of FOUR_THEMES) {
    await ui.theme(theme, kind);
    await checkContrast(frame, `the memory map of a tree, ${theme}`);
    await shot(`13-map-${kind}`);
  }
  await closeEditors(session);
}

async function dragFromOutline(session) {
  const { ui, page, shot } = session;
  await openFile(session, 'two-vms.gunyah.json');
  await ui.command('View: Split Editor Right');
  await page.locator('.editor-group-container').nth(1).locator('.view-line').first().waitFor();
  // The group on the right is the active one: the tree opens there.
  await eventually('the tree is open on the right', async () => {
    await page.getByRole('treeitem', { name: /^fresh\.dts/ }).first().dblclick({ timeout: 3000 });
    return await eventually('its text is there', async () => /cpus \{/.test(await textOf(linesOf(page, 1))), 5000);
  });
  await clickAt(page, 'cpus {', 1);
  await ui.arrange('Outline');
  const outline = await ui.pane('Outline');
  const node = outline.locator('.monaco-list-row').filter({ hasText: 'gunyah-vm-config' }).first();
  await node.waitFor();
  await shot('11-outline');
  const line = editorOf(page, 0).locator('.view-line').filter({ hasText: '"vms"' }).first();
  await eventually('the VM is in the system file', async () => {
    if (/"config": "fresh\.dts"/.test(await textOf(linesOf(page, 0)))) return true;
    const [from, to] = [await node.boundingBox(), await line.boundingBox()];
    await page.mouse.move(from.x + 60, from.y + from.height / 2);
    await page.mouse.down();
    try {
      await page.mouse.move(to.x + 30, to.y + 5, { steps: 6 });
      await page.keyboard.down('Shift');
      await page.mouse.move(to.x + 40, to.y + 6, { steps: 6 });
    } finally {
      await page.mouse.up();
      await page.keyboard.up('Shift');
    }
    return await eventually('the drop has its effect', async () => /"config": "fresh\.dts"/.test(await textOf(linesOf(page, 0))), 10_000);
  });
  await shot('12-dropped');
  assert.match(await textOf(linesOf(page, 0)), /"name": "fresh",\n\s*"image": "build\/fresh\.elf"/);
}

// End to end in the workbench, what the editor does while a device tree is written: every kind of fix, a range and what is typed put into form, labels that change together, overlays of both endings, blobs of overlays.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clickAt, closeEditors, goToLine, linesOf, openFile, save, shows, textOf } from './editors.mjs';
import { eventually } from './page.mjs';
import { copySample } from './ui.mjs';
import { tell, withWorkbench } from './workbench-session.mjs';

const BOARD = '/dts-v1/;\n\n/ {\n\t#address-cells = <1>;\n\t#size-cells = <1>;\n\tcompatible = "vendor,board";\n\tmodel = "board";\n\n\taliases {\n\t\tserial0 = &uart0;\n\t};\n\n\tuart0: serial@1000 {\n\t\treg = <0x1000 0x100>;\n\t\tstatus = "disabled";\n\t};\n};\n\n&uart0 {\n\tcurrent-speed = <115200>;\n};\n';
const OVERLAY = '// dts-context: board.dts\n/dts-v1/;\n/plugin/;\n\n&uart0 {\n\tcurrent-speed = <9600>;\n};\n';

const FILES = {
  'board.dts': BOARD,
  'camera.dtso': OVERLAY,
  'shield.overlay': OVERLAY.replace('9600', '57600'),
  'mend.dts': '/dts-v1/;\n\n/ {\n\tcompatible = "vendor,mend";\n\tmodel = "mend";\n\t#address-cells = <2>;\n\t#size-cells = <2>;\n\n\tclock {\n\t\tcompatible = "fixed-clock";\n\t\t#clock-cells = <0>;\n\t\tclock-frequency = <1000>;\n\t};\n\n\tlate;\n\n\tchosen {\n\t\tlink = <&clock>;\n\t};\n\n\tsram@1000 {\n\t\tstatus = "okay";\n\t\tcompatible = "vendor,sram";\n\t\treg = <0x1000 0x100>;\n\t};\n\n\thypervisor {\n\t\tcompatible = "gunyah-hypervisor";\n\t\t#address-cells = <2>;\n\t\t#size-cells = <0>;\n\n\t\tgunyah-resource-mgr@10 {\n\t\t\tcompatible = "gunyah-resource-manager";\n\t\t\treg = <0x0 0x10>, <0x0 0x11>;\n\t\t};\n\t};\n};\n',
  'rough.dts': '/dts-v1/;\n\n/ {\n\tone   =  <1>;\n\ttwo   =  <2>;\n\tthree   =  <3>;\n};\n',
};

function copyWithFiles() {
  const folder = copySample();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs the story. Pictures are in `shots`. */
export async function runDeviceTreeWritingTest({ server, vsix, shots, log = console.log }) {
  const settings = { 'editor.minimap.enabled': false, '[dts]': { 'editor.formatOnType': true, 'editor.autoClosingBrackets': 'never' } };
  await withWorkbench({ server, vsix, shots, prefix: 'writing-', settings, folder: copyWithFiles(), viewport: { width: 1700, height: 1000 } }, (session) => tell(STEPS, session, log));
}

const STEPS = [
  ['fixes make a label, reorder, count cells, add what a binding requires, sort, and convert the dialect', mendAll],
  ['only the selected lines are formatted', formatSelection],
  ['a statement is formatted when its semicolon is typed', formatOnType],
  ['a label that is changed where it is defined changes its references', changeLabel],
  ['completion offers properties to delete', completeDeleted],
  ['an overlay is recognised by either ending, and says where it applies', recogniseOverlays],
  ['an overlay is compiled, and its blob opens as source', openOverlayBlob],
];

/** Each fix with the line that it is asked for on, and the text that it leads to. The first two are errors; what bindings say is said when there is none. */
const FIXES = [
  { at: 'link = ', title: /Label \/clock as clock/, after: /\tclock: clock \{/ },
  { at: 'late;', title: /Move above the child nodes/, after: /#size-cells = <2>;\n\tlate;\n/ },
  { at: 'reg = <0x1000', title: /Write each entry with 4 cells/, after: /reg = <0x0 0x1000 0x0 0x100>;/ },
  { at: 'gunyah-resource-mgr@10 {', title: /^Add interrupts$/m, after: /interrupts = / },
  { at: 'status = ', title: /Sort properties as Linux does/, after: /sram@1000 \{\n\t\tcompatible = "vendor,sram";\n\t\treg = .*\n\t\tstatus = "okay";/ },
  { at: 'hypervisor {', title: /Convert to the form of Android’s vendors/, after: /qcom,resource-manager-rpc@10 \{\n\t\t\tcompatible = "qcom,resource-manager-1-0", "qcom,resource-manager";/ },
];

/** Text as it is in the file: the editor shows a tab as blanks. */
const inFile = (pattern) => new RegExp(pattern.source.replaceAll('\\t', '\\s*').replaceAll('\\n', '\\s*\\n'), pattern.flags);

async function mendAll(session) {
  const { ui, page, folder, shot } = session;
  await openFile(session, 'mend.dts');
  await page.locator('.editor-instance .squiggly-error').first().waitFor();
  for (const [index, { at, title, after }] of FIXES.entries()) {
    await clickAt(page, at);
    await page.keyboard.press('End');
    if (index === 0) {
      await page.keyboard.press('Control+.');
      await shot('1-fixes');
    }
    await ui.fix(title, async () => inFile(after).test(await textOf(linesOf(page))));
  }
  await shot('2-mended');
  await save(session);
  const text = readFileSync(join(folder, 'mend.dts'), 'utf8');
  const missing = FIXES.find(({ after }) => !inFile(after).test(text));
  if (missing !== undefined) throw new Error(`on disk, after "${missing.title}":\n${text}`);
  await closeEditors(session);
}

async function formatSelection(session) {
  const { ui, page } = session;
  await openFile(session, 'rough.dts');
  await eventually('the line in the middle alone is formatted', async () => {
    if (/one {3}= {2}<1>;\n\s*two = <2>;\n\s*three {3}= {2}<3>;/.test(await textOf(linesOf(page)))) return true;
    await goToLine(session, 5, 1);
    await page.keyboard.press('Shift+End');
    await ui.command('Format Selection');
    return await eventually('the line changes', async () => /two = <2>;/.test(await textOf(linesOf(page))), 5000);
  });
  await shows(page, 'its neighbours are as they were', /one {3}= {2}<1>;\n\s*two = <2>;\n\s*three {3}= {2}<3>;/);
  await save(session);
}

/** Does something in the active file until its text fits; what did not come to it is taken back. */
async function untilItFits({ ui, page }, what, { act, pattern }) {
  await eventually(what, async () => {
    await act();
    try {
      return await eventually(what, async () => pattern.test(await textOf(linesOf(page))), 5000);
    } catch (problem) {
      await ui.command('File: Revert File');
      await page.locator('.part.editor .tab.active.dirty').first().waitFor({ state: 'detached' });
      throw problem;
    }
  });
}

async function formatOnType(session) {
  const { page } = session;
  await untilItFits(session, 'the typed statement is formatted', {
    act: async () => {
      await goToLine(session, 6, 1);
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      await page.keyboard.type('four=<4>;');
    },
    pattern: /three {3}= {2}<3>;\n\s*four = <4>;/,
  });
  await save(session);
  await closeEditors(session);
}

async function changeLabel(session) {
  const { page, shot } = session;
  await openFile(session, 'board.dts');
  await untilItFits(session, 'the references follow', {
    act: async () => {
      await goToLine(session, 13, 7);
      await page.locator('.linked-editing-decoration').first().waitFor({ state: 'attached', timeout: 10_000 });
      await page.keyboard.type('1');
    },
    pattern: /serial0 = &(\w*1\w*);[^]*\1: serial@1000 \{[^]*&\1 \{/,
  });
  await shot('3-linked');
  await session.ui.command('File: Revert File');
  await page.locator('.part.editor .tab.active.dirty').first().waitFor({ state: 'detached' });
}

async function completeDeleted(session) {
  const { ui, page, shot } = session;
  await goToLine(session, 20, 1);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('/delete-property/ sta');
  await ui.completeWith(/^status/, async () => /\/delete-property\/ status/.test(await textOf(linesOf(page))));
  await shot('4-delete-property');
  await ui.command('File: Revert File');
  await page.locator('.part.editor .tab.active.dirty').first().waitFor({ state: 'detached' });
  await closeEditors(session);
}

async function recogniseOverlays(session) {
  const { page, shot } = session;
  for (const name of ['shield.overlay', 'camera.dtso']) {
    await openFile(session, name);
    await page.locator('.statusbar-item[id="status.editor.mode"]').filter({ hasText: 'Devicetree' }).first().waitFor();
    await page.locator('.codelens-decoration:visible').filter({ hasText: /applies to \/serial@1000 of board\.dts/ }).first().waitFor();
    await shot(`5-${name.replace('.', '-')}`);
  }
}

async function openOverlayBlob(session) {
  const { ui, page, folder, shot } = session;
  await ui.command('Device Tree: Compile to Blob');
  await eventually('the blob is written', () => existsSync(join(folder, 'camera.dtbo')));
  await ui.command('Notifications: Clear All Notifications');
  await closeEditors(session);
  await eventually('the blob opens as source', async () => {
    await page.getByRole('treeitem', { name: /^camera\.dtbo/ }).first().dblclick({ timeout: 3000 });
    await page.getByRole('tab', { name: /camera\.dtbo\.dts/ }).first().waitFor({ timeout: 10_000 });
    return true;
  });
  await shows(page, 'its source is shown', /current-speed = <0x2580>;[^]*uart0 = /);
  await shot('6-overlay-blob');
  await closeEditors(session);
}

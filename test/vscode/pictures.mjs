// Takes the pictures of README, manual and walkthrough again: npm run docs:pictures (with -- --trees, only those of device trees)
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageExtension } from '../../extension/start/package.mjs';
import { installServer, ROOT } from '../../extension/start/vscode-server.mjs';
import { copyWithOverlay } from './device-trees.mjs';
import { closeEditors, openFile, save } from './editors.mjs';
import { copySample, widenSideBar } from './ui.mjs';
import { withWorkbench } from './workbench-session.mjs';

const IMAGES = join(ROOT, 'docs', 'images');
const MEDIA = join(ROOT, 'extension', 'media', 'walkthrough');
const VIEWPORT = { width: 1440, height: 900 };
const SIDE_BAR_WIDTH = 470;

async function addBreakpoint(ui, name, condition) {
  await ui.command('Gunyah: Add Hypercall Breakpoint…');
  await ui.answer(name);
  await ui.answer(condition);
}

async function takePictures({ ui, page }) {
  const side = { x: 0, y: 0, width: SIDE_BAR_WIDTH + 6, height: VIEWPORT.height };
  await ui.command('View: Show Run and Debug');
  await widenSideBar(page, SIDE_BAR_WIDTH);
  await ui.arrange('Variables', 'Call Stack', 'Breakpoints');
  await addBreakpoint(ui, 'hvc:msgqueue_send', 'size > 16 && vm == "primary" && msgqueue != 0');
  await page.keyboard.press('F5');
  await page.locator('.debug-call-stack .stack-frame').filter({ hasText: 'talk_to_sensor' }).first().waitFor({ timeout: 60_000 });
  await page.screenshot({ path: join(MEDIA, 'breakpoint.png'), clip: side });
  await page.locator('.debug-call-stack .stack-frame').filter({ hasText: /^send_request/ }).first().click();
  await ui.arrange('Variables', 'Call Stack', 'Message Queues');
  await ui.collapse('Variables', 'Event').catch(() => undefined);
  await ui.expand('Variables', 'Locals');
  await page.waitForTimeout(1000);
  await page.screenshot({ path: join(IMAGES, 'hypercall-stop.png') });
  await ui.titleButton('Breakpoints', /Remove All Breakpoints/);
  await addBreakpoint(ui, 'hvc-return:msgqueue_send', 'vm == "primary" && $tick > 4000000');
  await ui.arrange('Virtual Machines', 'Capabilities', 'Message Queues', 'Doorbells');
  await page.keyboard.press('F5');
  await ui.row('Message Queues', /^(primary → sensor|sensor → primary), 1\/4 queued/);
  await page.mouse.move(900, 300);
  await page.waitForTimeout(1000);
  await page.screenshot({ path: join(IMAGES, 'views.png') });
  await page.screenshot({ path: join(MEDIA, 'views.png'), clip: side });
  await ui.arrange('Variables', 'Call Stack', 'Virtual Machines');
  await ui.titleButton('Breakpoints', /Remove All Breakpoints/);
  await addBreakpoint(ui, 'primary!update_statistics', '');
  await ui.arrange('Variables', 'Call Stack', 'Virtual Machines');
  await page.keyboard.press('F5');
  await page.locator('.debug-call-stack .stack-frame').filter({ hasText: /^update_statistics/ }).first().waitFor();
  for (let steps = 0; steps < 3; steps++) {
    await page.keyboard.press('F10');
    await page.waitForTimeout(1500);
  }
  await page.locator('.part.sidebar .title-actions').getByRole('button', { name: /^Step Back \(|^Step Back$/ }).first().click();
  await page.waitForTimeout(2000);
  await page.screenshot({ path: join(IMAGES, 'step-back.png') });
}

/** The trace of the sample, filtered, and where in it the session stands. */
async function takeTrace({ ui, page }) {
  await ui.command('View: Hide Primary Side Bar').catch(() => page.keyboard.press('Control+b'));
  await ui.command('Gunyah: Show Hypercall Trace');
  const frame = await ui.webview('trace');
  await frame.locator('.filter').fill('hvc:*|hvc-return:*|event:message vm=primary -hvc:object_*');
  await page.waitForTimeout(1500);
  await frame.locator('.row.now').first().click({ button: 'right' });
  await page.keyboard.press('Escape');
  if (await frame.locator('.details').first().isHidden()) await frame.getByRole('button', { name: /Show every field/ }).click();
  await page.waitForTimeout(500);
  const box = await page.locator('.part.panel').boundingBox();
  await page.screenshot({ path: join(IMAGES, 'trace.png'), clip: box });
  await ui.command('View: Show Run and Debug');
}

/** The memory of a VM that lends some of it and shares some: the sample vm-manager. */
async function takeMemoryMap({ ui, page, vscode, folder }) {
  await ui.open(vscode.url(folder));
  await ui.command('View: Show Run and Debug');
  await ui.titleButton('Breakpoints', /Remove All Breakpoints/).catch(() => undefined);
  await addBreakpoint(ui, 'hvc-return:vcpu_run', '');
  await page.keyboard.press('F5');
  await page.locator('.debug-call-stack .stack-frame').first().waitFor({ timeout: 60_000 });
  await ui.command('Gunyah: Open Memory Map');
  await ui.command('View: Hide Panel');
  const frame = await ui.webview('memory-map');
  await frame.locator('.picture').focus();
  for (let presses = 0; presses < 5; presses++) await page.keyboard.press('ArrowRight');
  await frame.locator('.walk-text').fill('$sp');
  await page.keyboard.press('Enter');
  await frame.locator('.levels tbody tr').first().waitFor();
  await page.waitForTimeout(800);
  const box = await page.locator('.part.editor').boundingBox();
  await page.screenshot({ path: join(IMAGES, 'memory-map.png'), clip: box });
}

/** A board with memory that is reserved, and a mistake: two devices that share addresses. */
const BOARD = `/dts-v1/;

/ {
	#address-cells = <2>;
	#size-cells = <2>;
	compatible = "vendor,board";

	memory@80000000 {
		device_type = "memory";
		reg = <0x0 0x80000000 0x0 0x40000000>;
	};

	reserved-memory {
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;

		guest: guest@90000000 {
			reg = <0x0 0x90000000 0x0 0x8000000>;
			no-map;
		};
	};

	soc@10000000 {
		#address-cells = <1>;
		#size-cells = <1>;
		compatible = "simple-bus";
		ranges = <0x0 0x0 0x10000000 0x1000000>;

		uart0: serial@1000 {
			reg = <0x1000 0x1000>;
		};

		timer@1800 {
			reg = <0x1800 0x1000>;
		};
	};
};
`;

/** A problem with its hover, the previews of an overlay, and a board's memory map. */
async function takeDeviceTrees({ ui, page, folder }) {
  const editors = async (name) => page.screenshot({ path: join(IMAGES, name), clip: await page.locator('.part.editor').boundingBox() });
  writeFileSync(join(folder, 'board.dts'), BOARD);
  await openFile({ page }, 'alarm.dtso');
  await page.locator('.editor-instance .squiggly-error').first().waitFor();
  await page.locator('.editor-instance .view-line').filter({ hasText: 'alarm {' }).first().click();
  await page.keyboard.press('Home');
  await ui.command('Show or Focus Hover');
  await page.locator('.monaco-hover:not(.hidden) .hover-contents').filter({ hasText: 'who is at the other end.' }).first().waitFor();
  await page.waitForTimeout(500);
  const box = await page.locator('.part.editor').boundingBox();
  await page.screenshot({ path: join(IMAGES, 'device-tree-problem.png'), clip: { ...box, height: 400 } });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+.');
  await page.locator('.action-widget .monaco-list-row').filter({ hasText: /peer-default/ }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.editor-instance .squiggly-error').first().waitFor({ state: 'detached' });
  await ui.command('Device Tree: Preview RM Overlay');
  await page.getByRole('tab', { name: /alarm\.overlay\.dts/ }).first().waitFor();
  await page.waitForTimeout(1500);
  await editors('device-tree-overlay.png');
  await page.locator('.editor-instance .view-line').first().click();
  await save({ ui, page });
  await closeEditors({ ui, page });
  await openFile({ page }, 'board.dts');
  await page.keyboard.press('Control+b');
  await ui.command('Device Tree: Memory Map');
  await (await ui.webview('tree-map')).locator('.box.overlapping').first().waitFor();
  await page.waitForTimeout(1500);
  await editors('device-tree-map.png');
}

async function main() {
  mkdirSync(IMAGES, { recursive: true });
  const vsix = join(ROOT, 'test-output', 'gunyah-debug.vsix');
  packageExtension(vsix);
  const settings = { 'editor.minimap.enabled': false, 'editor.fontSize': 13 };
  const shared = { server: installServer(), vsix, settings, shots: join(ROOT, 'test-output', 'pictures'), viewport: VIEWPORT };
  if (!process.argv.includes('--trees')) {
    const managed = copySample('vm-manager');
    try {
      await withWorkbench({ ...shared, folder: copySample() }, async (session) => {
        await takePictures(session);
        await takeTrace(session);
        await takeMemoryMap({ ...session, folder: managed });
      });
    } finally {
      rmSync(dirname(managed), { recursive: true, force: true });
    }
  }
  await withWorkbench({ ...shared, folder: copyWithOverlay() }, takeDeviceTrees);
}

main().then(() => process.exit(0), (problem) => {
  console.error(problem.message);
  process.exit(1);
});

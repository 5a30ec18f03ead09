// Takes the pictures of README and walkthrough again: npm run docs:pictures
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageExtension } from '../../extension/start/package.mjs';
import { installServer, ROOT, VscodeServer } from '../../extension/start/vscode-server.mjs';
import { launchBrowser, QUIET_SETTINGS, Workbench } from './page.mjs';
import { copySample, widenSideBar } from './ui.mjs';

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
  await ui.row('Message Queues', /^primary → sensor, 1\/4 queued/);
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

async function main() {
  mkdirSync(IMAGES, { recursive: true });
  const vsix = join(ROOT, 'test-output', 'gunyah-debug.vsix');
  packageExtension(vsix);
  const folder = copySample();
  const vscode = new VscodeServer(installServer(), { settings: { ...QUIET_SETTINGS, 'workbench.colorTheme': 'Default Dark Modern', 'editor.minimap.enabled': false, 'editor.fontSize': 13 } });
  let browser;
  try {
    vscode.install(vsix);
    await vscode.start();
    browser = await launchBrowser();
    const page = await (await browser.newContext({ viewport: VIEWPORT })).newPage();
    const ui = new Workbench(page);
    await ui.open(vscode.url(folder));
    await takePictures({ ui, page });
  } finally {
    await browser?.close();
    await vscode.stop();
    rmSync(dirname(folder), { recursive: true, force: true });
  }
}

main().then(() => process.exit(0), (problem) => {
  console.error(problem.message);
  process.exit(1);
});

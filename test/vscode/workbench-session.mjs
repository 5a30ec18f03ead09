// A workbench with the packaged extension on a folder, for one story: started, told through step by step, and ended with everything that it made.
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VscodeServer } from '../../extension/start/vscode-server.mjs';
import { launchBrowser, QUIET_SETTINGS, Workbench } from './page.mjs';

/**
 * Opens `folder` (which is removed at the end, with the folder that it lies in) and runs `story({ ui, page, vscode, folder, shot })`.
 * Pictures go to `shots` and begin with `prefix`; the last one before a failure is `failed`.
 */
export async function withWorkbench({ server, vsix, folder, shots, prefix = '', viewport, settings = {} }, story) {
  mkdirSync(shots, { recursive: true });
  const vscode = new VscodeServer(server, { settings: { ...QUIET_SETTINGS, 'workbench.colorTheme': 'Default Dark Modern', ...settings } });
  const picture = (name) => join(shots, `${prefix}${name}.png`);
  let browser;
  let page;
  try {
    vscode.install(vsix);
    await vscode.start();
    browser = await launchBrowser();
    page = await (await browser.newContext({ viewport })).newPage();
    page.setDefaultTimeout(20_000);
    const ui = new Workbench(page);
    await ui.open(vscode.url(folder));
    await story({ ui, page, vscode, folder, shot: (name) => page.screenshot({ path: picture(name) }) });
  } catch (problem) {
    await page?.screenshot({ path: picture('failed') }).catch(() => undefined);
    throw problem;
  } finally {
    await browser?.close();
    await vscode.stop();
    rmSync(dirname(folder), { recursive: true, force: true });
  }
}

/** Runs the steps `[name, step]` of a story one after the other, and says how far it is. */
export async function tell(steps, session, log = console.log) {
  const started = Date.now();
  for (const [name, step] of steps) {
    await step(session);
    log(`  ${String(Date.now() - started).padStart(6)} ms  ${name}`);
  }
}

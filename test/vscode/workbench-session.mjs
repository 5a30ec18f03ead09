// A workbench with the packaged extension on a folder, for one story: started, told through step by step, and ended with everything that it made.
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VscodeServer } from '../../extension/start/vscode-server.mjs';
import { launchBrowser, PATIENCE_MS, QUIET_SETTINGS, Workbench } from './page.mjs';

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
  let ui;
  try {
    vscode.install(vsix);
    await vscode.start();
    browser = await launchBrowser();
    page = await (await browser.newContext({ viewport })).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    ui = new Workbench(page);
    await ui.open(vscode.url(folder));
    await story({ ui, page, vscode, folder, shot: (name) => page.screenshot({ path: picture(name) }) });
  } catch (problem) {
    await page?.screenshot({ path: picture('failed') }).catch(() => undefined);
    const around = await ui?.obstacles().catch(() => undefined);
    throw around === undefined ? problem : new Error(`${problem.stack ?? problem.message}\n${around}`, { cause: problem });
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
    try {
      await step(session);
    } catch (problem) {
      throw new Error(`at the step "${name}": ${problem.message}`, { cause: problem });
    }
    log(`  ${String(Date.now() - started).padStart(6)} ms  ${name}`);
  }
}

// What a tester's hands and eyes do in the workbench: open, run commands, expand rows, read views. Over playwright-core and Debian's chromium.
/* global document */
import { chromium } from 'playwright-core';


const CHROMIUM_ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

/** Settings that keep the workbench still: no tips, no experiments, no network, terminal text in the DOM. */
export const QUIET_SETTINGS = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.reduceMotion': 'on',
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'window.commandCenter': false,
  'debug.toolBarLocation': 'docked',
  'debug.openDebug': 'openOnSessionStart',
  'editor.accessibilitySupport': 'off',
  'terminal.integrated.gpuAcceleration': 'off',
};

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export const launchBrowser = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: CHROMIUM_ARGS });

/** Tries again until `attempt` returns something other than undefined; `what` is said if it never does. */
export async function eventually(what, attempt, timeout = 30_000) {
  const deadline = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) return result;
      last = undefined;
    } catch (problem) {
      last = problem;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeout / 1000} s${last === undefined ? '' : ` (${last.message.split('\n')[0]})`}`);
    await sleep(100);
  }
}

/** The workbench of one page. */
export class Workbench {
  constructor(page) {
    this.page = page;
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 90_000 });
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor({ timeout: 90_000 });
  }

  /** Runs a command from the palette. The palette does not take up commands that register after it opened, so it is opened again until the row is there. */
  async command(title) {
    const input = this.page.locator('.quick-input-widget input.input');
    const row = this.page.locator('.quick-input-list .monaco-list-row').filter({ has: this.page.locator('.label-name').getByText(title, { exact: true }) }).first();
    await eventually(`command "${title}" in the palette`, async () => {
      try {
        await this.page.keyboard.press('F1');
        await input.fill(`>${title}`, { timeout: 3000 });
        await row.click({ timeout: 3000 });
        return true;
      } catch (problem) {
        await this.page.keyboard.press('Escape');
        throw problem;
      }
    });
  }

  /** Types into the quick input that is open and accepts. */
  async answer(text) {
    const input = this.page.locator('.quick-input-widget input.input');
    await input.waitFor();
    await input.fill(text);
    await sleep(150);
    await eventually('the quick input takes an answer', () => this.accept());
  }

  /** Accepts what the quick input holds, if it is open and has the keyboard (elsewhere Enter would change what has it then); whether that was so. */
  async accept() {
    const hasKeyboard = await this.page.evaluate(() => (document.activeElement?.closest('.quick-input-widget') ?? null) !== null);
    if (hasKeyboard) await this.page.keyboard.press('Enter');
    return hasKeyboard;
  }

  /** A view's pane by its title, opened if it is closed. */
  async pane(title) {
    const pane = this.page.locator('.pane').filter({ has: this.page.locator('.pane-header').filter({ has: this.page.locator('h3.title').getByText(title, { exact: true }) }) }).first();
    await pane.waitFor();
    const header = pane.locator('.pane-header').first();
    if (await header.getAttribute('aria-expanded') === 'false') await header.click();
    return pane;
  }

  /** Opens these views and closes all others of the side bar, so that each has room for its rows. Views may still be coming: it looks again until all is so. */
  async arrange(...titles) {
    await eventually(`the views ${titles.join(', ')} are open alone`, async () => {
      const wrong = await this.#misplaced(titles);
      for (const title of wrong) await this.page.locator('.part.sidebar .pane-header h3.title').getByText(title, { exact: true }).first().click({ timeout: 2000 });
      return wrong.length === 0;
    });
  }

  /** Titles of views that are open and should not be, or the other way round; throws while one is missing. */
  async #misplaced(titles) {
    const views = await this.page.locator('.part.sidebar .pane-header').evaluateAll((headers) => headers.map((header) => ({ title: (header.querySelector('h3.title')?.textContent ?? '').trim(), isOpen: header.getAttribute('aria-expanded') === 'true' })));
    const missing = titles.find((title) => !views.some((view) => view.title === title));
    if (missing !== undefined) throw new Error(`there is no view ${missing}`);
    return views.filter(({ title, isOpen }) => title !== '' && isOpen !== titles.includes(title)).map(({ title }) => title);
  }

  /** Spoken labels of a view's rows, as a screen reader would hear them. */
  async rows(title) {
    const pane = await this.pane(title);
    const rows = await pane.locator('.monaco-list-row').evaluateAll((all) => all.map((row) => (row.getAttribute('aria-label') ?? row.textContent ?? '').trim()));
    return rows;
  }

  /** Waits until a row of a view fits; returns its text. */
  async row(title, pattern, timeout = 30_000) {
    let seen = [];
    try {
      return await eventually(`row ${pattern} in ${title}`, async () => {
        seen = await this.rows(title);
        return seen.find((text) => pattern.test(text));
      }, timeout);
    } catch (problem) {
      throw new Error(`${problem.message}; the view has:\n  ${seen.join('\n  ')}`, { cause: problem });
    }
  }

  /** Expands a row unless it is expanded: some expand by themselves, and a blind click would close them. */
  expand(title, pattern) {
    return this.#toggle(title, pattern, 'true');
  }

  /** Collapses a row unless it is collapsed. */
  collapse(title, pattern) {
    return this.#toggle(title, pattern, 'false');
  }

  async #toggle(title, pattern, wanted) {
    const pane = await this.pane(title);
    const row = pane.locator('.monaco-list-row').filter({ hasText: pattern }).first();
    await row.waitFor();
    await eventually(`row ${pattern} has aria-expanded ${wanted}`, async () => {
      const state = await row.getAttribute('aria-expanded');
      if (state === null || state === wanted) return true;
      await row.locator('.monaco-tl-twistie').click({ timeout: 1000 });
      return false;
    });
  }

  /** Clicks a button in the title of a view, which shows its buttons under the pointer only. */
  async titleButton(title, name) {
    const pane = await this.pane(title);
    await pane.locator('.pane-header').first().hover();
    await pane.locator('.pane-header').first().getByRole('button', { name }).first().click();
  }

  /** The document inside a webview of ours, by the name of its page. */
  webview(name) {
    return eventually(`the page ${name}`, async () => {
      for (const frame of this.page.frames()) if (await frame.locator(`body.${name}`).count().catch(() => 0) > 0) return frame;
      return undefined;
    });
  }

  /** Changes the colour theme by its name in the list. */
  async theme(name) {
    await this.command('Preferences: Color Theme');
    await this.answer(name);
    await eventually(`theme ${name}`, async () => await this.page.locator('.quick-input-widget').first().isHidden());
    await sleep(600);
  }

  /** Text of the visible terminals, one string each. */
  async terminals() {
    const groups = this.page.locator('.terminal-wrapper.active .xterm-rows, .terminal-split-pane .xterm-rows');
    return await groups.evaluateAll((all) => [...new Set(all)].map((rows) => [...rows.children].map((line) => line.textContent).join('\n')));
  }

  /** Frames of the call stack view, top first. */
  async frames() {
    return await this.page.locator('.debug-call-stack .stack-frame').evaluateAll((all) => all.map((frame) => frame.textContent ?? ''));
  }
}

/* global document */
// What a tester's hands and eyes do in the workbench: open, run commands, expand rows, read views. Over playwright-core and Debian's chromium.
//
// A machine that is busy with other things may be slow at any step and close any popup, so nothing in here sleeps and hopes: each step looks for
// what it needs, acts on exactly that, looks whether it had its effect, and begins again otherwise. Keys that would change a file if they came
// too late go through `press`, which looks and presses at one moment of the page.
import { chromium } from 'playwright-core';
import { isIn, lookAtQuickInput, pressAt, settleTwoFrames } from './in-page.mjs';

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
  // In a browser the editor saves by itself after a second; elsewhere it does not.
  'files.autoSave': 'off',
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

/** How long a step may take. Only what never happens takes all of it. */
export const PATIENCE_MS = 90_000;
/** A single click or look, before it is tried anew. */
const ATTEMPT_MS = 3000;
/** A dialog that is busy takes no key; it is pressed again after this. */
const AGAIN_MS = 1000;

/** Any row of a quick input, or none. */
export const ANY = /(?:)/;

/** Themes that everything of ours must look right in, with the class that the workbench has in each; the last is the usual one. */
export const FOUR_THEMES = [['Light Modern', 'vs'], ['Dark High Contrast', 'hc-black'], ['Light High Contrast', 'hc-light'], ['Dark Modern', 'vs-dark']];

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export const launchBrowser = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: CHROMIUM_ARGS });

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Tries again until `attempt` returns something other than undefined; `what` is said if it never does. */
export async function eventually(what, attempt, timeout = PATIENCE_MS) {
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
        await input.fill(`>${title}`, { timeout: ATTEMPT_MS });
        await row.click({ timeout: ATTEMPT_MS });
        return true;
      } catch (problem) {
        await this.page.keyboard.press('Escape');
        throw problem;
      }
    });
  }

  /**
   * Types into the quick input that is open, and accepts once it holds the text and what it would choose is `row` (by default, what has the text in it).
   * Returns when the question is gone. A dialog for files chooses by the text alone: `row: ANY`.
   */
  async answer(text, { row = new RegExp(escaped(text), 'i') } = {}) {
    const input = this.page.locator('.quick-input-widget:visible input.input');
    const asked = await eventually('a question is asked', async () => (await this.#question()).asked);
    let pressed = 0;
    await eventually(`the answer ${text || '(nothing)'} is taken`, async () => {
      const now = await this.#question();
      if (now.asked !== asked) {
        if (pressed > 0) return true;
        throw new Error('the question went away unanswered');
      }
      if (now.value !== text) await input.fill(text, { timeout: ATTEMPT_MS });
      else if (Date.now() - pressed > AGAIN_MS && (now.rowCount === 0 || row.test(now.focused)) && await this.press('.quick-input-widget input.input', 'Enter', { value: text })) pressed = Date.now();
      return false;
    });
  }

  /** What the quick input asks and holds: `asked` is undefined while none is open. */
  #question() {
    return this.page.evaluate(lookAtQuickInput);
  }

  /**
   * Presses a key in the visible element of a selector, if its text (or label) fits `pattern` and its value is `value`, where these are given; whether that was so. Nothing can
   * come between the look and the key. Where the element itself cannot have the keyboard, such as a row, what has it gets the key.
   */
  press(selector, key, { pattern, value } = {}) {
    return this.page.evaluate(pressAt, { selector, key, pattern: pattern?.source, flags: pattern?.flags, value });
  }

  /** Moves down in an open list by keyboard until the focused row fits, and accepts it; false if the list is closed or has no such row. */
  async #chooseIn(list, pattern) {
    const rows = await this.page.locator(`${list} .monaco-list-row`).count();
    for (let moves = 0; moves <= rows; moves++) {
      if (await this.press(`${list} .monaco-list-row.focused`, 'Enter', { pattern })) return true;
      if (!await this.press(`${list} .monaco-list-row`, 'ArrowDown')) return false;
    }
    return false;
  }

  /** Opens the list of fixes and rewrites where the cursor is, and chooses one; again until `isDone`. */
  async fix(pattern, isDone) {
    await this.#throughPopup(`the fix ${pattern}`, { key: 'Control+.', list: '.action-widget', pattern, isDone });
  }

  /** Asks for completion where the cursor is, and takes what fits; again until `isDone`. What was typed stays. */
  async completeWith(pattern, isDone) {
    await this.#throughPopup(`the completion ${pattern}`, { key: 'Control+Space', list: '.suggest-widget.visible', pattern, isDone });
  }

  async #throughPopup(what, { key, list, pattern, isDone }) {
    let seen = [];
    try {
      await eventually(what, async () => {
        if (await isDone()) return true;
        const rows = this.page.locator(`${list} .monaco-list-row`);
        if (await rows.count() === 0) await this.page.keyboard.press(key);
        await rows.first().waitFor({ timeout: ATTEMPT_MS });
        seen = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('aria-label') ?? row.textContent ?? ''));
        if (await this.#chooseIn(list, pattern)) await eventually(`${what} has its effect`, isDone, ATTEMPT_MS);
        else await this.page.keyboard.press('Escape');
        return false;
      });
    } catch (problem) {
      throw new Error(`${problem.message}; the list had:\n  ${seen.join('\n  ')}`, { cause: problem });
    }
  }

  /** Waits until what has the keyboard lies in an element of this selector; `focus` is done again until then. */
  async focused(selector, focus) {
    await eventually(`${selector} has the keyboard`, async () => {
      if (await this.page.evaluate(isIn, selector)) return true;
      await focus();
      return await this.page.evaluate(isIn, selector);
    });
  }

  /** A view's pane by its title, opened if it is closed. */
  async pane(title) {
    const pane = this.page.locator('.pane').filter({ has: this.page.locator('.pane-header').filter({ has: this.page.locator('h3.title').getByText(title, { exact: true }) }) }).first();
    await pane.waitFor();
    const header = pane.locator('.pane-header').first();
    await eventually(`the view ${title} is open`, async () => {
      if (await header.getAttribute('aria-expanded') !== 'false') return true;
      await header.click({ timeout: ATTEMPT_MS });
      return await header.getAttribute('aria-expanded') !== 'false';
    });
    return pane;
  }

  /** Opens these views and closes all others of the side bar, so that each has room for its rows. Views may still be coming: it looks again until all is so. */
  async arrange(...titles) {
    await eventually(`the views ${titles.join(', ')} are open alone`, async () => {
      const wrong = await this.#misplaced(titles);
      for (const title of wrong) await this.page.locator('.part.sidebar .pane-header h3.title').getByText(title, { exact: true }).first().click({ timeout: ATTEMPT_MS });
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
  async row(title, pattern, timeout = PATIENCE_MS) {
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
      await row.locator('.monaco-tl-twistie').click({ timeout: ATTEMPT_MS });
      return false;
    });
  }

  /** Clicks a button in the title of a view, which shows its buttons under the pointer only. */
  async titleButton(title, name) {
    const pane = await this.pane(title);
    const header = pane.locator('.pane-header').first();
    await eventually(`the button ${name} of ${title} is clicked`, async () => {
      await header.hover({ timeout: ATTEMPT_MS });
      await header.getByRole('button', { name }).first().click({ timeout: ATTEMPT_MS });
      return true;
    });
  }

  /** The document inside a webview of ours, by the name of its page. */
  webview(name) {
    return eventually(`the page ${name}`, async () => {
      for (const frame of this.page.frames()) if (await frame.locator(`body.${name}`).count().catch(() => 0) > 0) return frame;
      return undefined;
    });
  }

  /** Changes the colour theme by its name in the list; `kind` is the class that the workbench then has. */
  async theme(name, kind) {
    await this.command('Preferences: Color Theme');
    await this.answer(name, { row: new RegExp(`^${escaped(name)}(?:,|$)`) });
    await this.page.locator(`.monaco-workbench.${kind}`).first().waitFor();
    // Pages in frames hear of it a moment later.
    const told = { 'vs': 'vscode-light', 'vs-dark': 'vscode-dark', 'hc-black': 'vscode-high-contrast', 'hc-light': 'vscode-high-contrast-light' }[kind];
    for (const frame of this.page.frames()) {
      await eventually(`the page hears of the theme ${name}`, async () => await frame.evaluate((word) => document.body === null || !/\bvscode-/.test(document.body.className) || document.body.classList.contains(word), told).catch(() => true));
    }
    await this.page.evaluate(settleTwoFrames);
  }

  /** What stands in the way: texts of dialogs, notifications and the quick input, and what has the keyboard. For whoever reads of a failure without seeing the picture. */
  async obstacles() {
    const texts = await this.page.locator('.monaco-dialog-box, .notification-list-item, .quick-input-widget, .monaco-menu, .action-widget').evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height > 0).map((one) => (one.textContent ?? '').slice(0, 400)));
    const keyboard = await this.page.evaluate(() => `${document.activeElement?.tagName ?? ''} ${document.activeElement?.className ?? ''} ${document.activeElement?.getAttribute('aria-label') ?? ''}`);
    const tabs = await this.page.locator('.tab.active').evaluateAll((all) => all.map((tab) => tab.getAttribute('aria-label') ?? ''));
    return [`the keyboard is in ${keyboard}`, `open: ${tabs.join(', ')}`, ...texts.map((text) => `in the way: ${text}`)].join('\n');
  }

  /** Text of the terminals, one string each. Where the editor could not put them side by side, each is shown in turn. */
  async terminals() {
    const tabs = this.page.locator('.terminal-tabs-entry');
    const shown = await this.#shownTerminals();
    if (await tabs.count() <= shown.length) return shown;
    const all = new Set(shown);
    for (let index = 0; index < await tabs.count(); index++) {
      // At its left: buttons come up at the right. A list that changes under the pointer is read the next time.
      await tabs.nth(index).click({ timeout: ATTEMPT_MS, position: { x: 4, y: 8 } }).catch(() => undefined);
      await this.page.evaluate(settleTwoFrames);
      for (const text of await this.#shownTerminals()) all.add(text);
    }
    return [...all];
  }

  #shownTerminals() {
    const groups = this.page.locator('.terminal-wrapper.active .xterm-rows, .terminal-split-pane .xterm-rows');
    return groups.evaluateAll((all) => [...new Set(all)].filter((rows) => rows.getBoundingClientRect().height > 0).map((rows) => [...rows.children].map((line) => line.textContent).join('\n')));
  }

  /** Frames of the call stack view, top first. */
  async frames() {
    return await this.page.locator('.debug-call-stack .stack-frame').evaluateAll((all) => all.map((frame) => frame.textContent ?? ''));
  }
}

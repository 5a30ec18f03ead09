// The page of the trace alone in a browser, with a made-up extension on the other side: a long trace must scroll like a short one.
/* global window, document, performance, requestAnimationFrame */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../extension/start/vscode-server.mjs';
import { launchBrowser } from './page.mjs';

const LONG = 300_000;
const SHORT = 1_000;
/** How much slower a long trace may scroll; the work is the same, the rest is noise of the machine. */
const RATIO_MAX = 3;
const ROUNDS_MAX = 6;

/** Runs in the page before its script: answers as the extension does. */
function pretendExtension() {
  const line = (number) => ({
    number, tick: number * 100, time: `${number} ns`, vm: 'primary', vcpu: '0', event: 'hvc', name: 'msgqueue_send', args: `n=${number}`, result: '', category: 'hypercall', bad: false, details: [{ name: 'n', value: String(number) }],
  });
  window.asked = [];
  const answer = (message) => setTimeout(() => window.postMessage(message, '*'), 0);
  window.showTrace = (rowCount, version) => answer({ kind: 'state', state: { session: 'stopped', version, rowCount, nowIndex: rowCount, nowText: '1 ms', progress: 1, dropped: 0, filter: '', problem: '' } });
  window.acquireVsCodeApi = () => ({
    getState: () => undefined,
    setState: () => undefined,
    postMessage: (message) => {
      window.asked.push(message);
      if (message.kind === 'rows') answer({ kind: 'rows', version: message.version, from: message.from, lines: Array.from({ length: message.count }, (_, index) => line(message.from + index)) });
    },
  });
}

/** Runs in the page: jumps through the trace; how long that takes, and how many rows exist at most. */
async function scrollThrough() {
  const rows = document.querySelector('.rows');
  const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
  let drawn = 0;
  let busy = 0;
  for (let jump = 0; jump < 60; jump++) {
    rows.scrollTop = (rows.scrollHeight * ((jump * 37) % 60)) / 60;
    await frame();
    const started = performance.now();
    await frame();
    busy += performance.now() - started;
    drawn = Math.max(drawn, document.querySelectorAll('.rows .row').length);
  }
  return { drawn, busy };
}

async function measure(page, rowCount, version) {
  await page.evaluate(([count, number]) => { window.showTrace(count, number); }, [rowCount, version]);
  await page.locator('.rows .row').first().waitFor();
  const measured = await page.evaluate(scrollThrough);
  await page.evaluate((count) => { document.querySelector('.rows').scrollTop = count * 22; }, rowCount);
  await page.locator('.rows .row').filter({ hasText: `n=${rowCount - 1}` }).first().waitFor();
  return measured;
}

/** Rounds until a long trace was as quick as a short one: a machine that does other things at the same time disturbs some, but not all. */
async function compareSpeed(page) {
  const rounds = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const short = await measure(page, SHORT, round * 2 + 1);
    const long = await measure(page, LONG, round * 2 + 2);
    assert.ok(long.drawn < 120, `${long.drawn} rows exist at a time`);
    if (long.busy < short.busy * RATIO_MAX) return;
    rounds.push(`${LONG} events: ${long.busy.toFixed(0)} ms, ${SHORT} events: ${short.busy.toFixed(0)} ms`);
  }
  assert.fail(rounds.join('; '));
}

/** Throws if a long trace is not as quick as a short one, or if the keyboard does not reach its end. */
export async function runTracePageTest() {
  const browser = await launchBrowser();
  try {
    const page = await (await browser.newContext({ viewport: { width: 1200, height: 600 } })).newPage();
    await page.setContent('<!DOCTYPE html><html><body class="trace"></body></html>');
    await page.addStyleTag({ content: readFileSync(join(ROOT, 'extension', 'media', 'webviews', 'page.css'), 'utf8') });
    await page.evaluate(pretendExtension);
    await page.addScriptTag({ content: readFileSync(join(ROOT, 'dist', 'webviews', 'trace.js'), 'utf8') });
    await compareSpeed(page);
    await page.locator('.rows').focus();
    await page.keyboard.press('Home');
    await page.locator('.row.active').filter({ hasText: 'n=0' }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    const asked = await page.evaluate(() => window.asked);
    assert.deepEqual(asked.filter(({ kind }) => kind === 'seek'), [{ kind: 'seek', number: LONG - 1 }]);
    assert.ok(asked.filter(({ kind }) => kind === 'rows').length < 200, 'only what is in sight is asked for');
  } finally {
    await browser.close();
  }
}

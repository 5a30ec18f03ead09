// Text editors of the workbench: open a file, put the cursor somewhere, type, read. Each step looks whether it had its effect and is done again otherwise.
import { eventually } from './page.mjs';
import { isInGroup } from './in-page.mjs';

const ATTEMPT_MS = 3000;
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Text of an editor as far as it is rendered, from top to bottom, with plain blanks. */
export async function textOf(editor) {
  const lines = await editor.locator('.view-line').evaluateAll((all) => all.map((line) => [Number.parseFloat(line.style.top), line.textContent ?? '']).sort(([a], [b]) => a - b).map(([, text]) => text));
  return lines.join('\n').replaceAll('\u00a0', ' ');
}

/** The editor of a group, counted from the left. */
export const editorOf = (page, group = 0) => page.locator('.editor-group-container').nth(group).locator('.editor-instance');

/** Its text. */
export const linesOf = (page, group = 0) => editorOf(page, group).locator('.view-lines').first();

/** Waits until the text of a group's editor fits. */
export function shows(page, what, pattern, group = 0) {
  return eventually(what, async () => pattern.test(await textOf(linesOf(page, group))));
}

/** Clicks into an editor at the first line that has a text, until the editor has the keyboard. */
export async function clickAt(page, text, group = 0) {
  const line = editorOf(page, group).locator('.view-line').filter({ hasText: text }).first();
  await eventually(`the cursor is at ${text}`, async () => {
    await line.click({ timeout: ATTEMPT_MS });
    return await page.evaluate(isInGroup, group);
  });
}

/** Gives the keyboard to the editor of a group, by a click at its right border, where nothing is selected or followed. */
export async function focusGroup(page, group) {
  await eventually(`the editor of group ${group + 1} has the keyboard`, async () => {
    const box = await editorOf(page, group).first().boundingBox({ timeout: ATTEMPT_MS });
    await page.mouse.click(box.x + box.width - 60, box.y + box.height / 2);
    return await page.evaluate(isInGroup, group);
  });
}

/** Puts the cursor into a line, counted from 1, of the editor that has the keyboard. */
export async function goToLine({ ui, page }, line, column = 1) {
  await page.keyboard.press('Control+g');
  await ui.answer(`:${line},${column}`, { row: new RegExp(`\\b${line}\\b`) });
}

/** Opens a file of the explorer for good, in the first group, and gives it the keyboard. */
export async function openFile({ page }, name) {
  const tab = page.getByRole('tab', { name: new RegExp(`^${escaped(name)}(?:,|$)`) }).first();
  await eventually(`${name} is open`, async () => {
    await page.getByRole('treeitem', { name: new RegExp(`^${escaped(name)}(?:,|$| )`) }).first().dblclick({ timeout: ATTEMPT_MS });
    await tab.waitFor({ timeout: ATTEMPT_MS });
    return await tab.getAttribute('aria-selected') === 'true';
  });
  await focusGroup(page, 0);
}

/** Closes all editors. None may have unsaved text. */
export async function closeEditors({ ui, page }) {
  await ui.command('View: Close All Editors');
  await page.locator('.part.editor .tab').first().waitFor({ state: 'detached' });
}

/** Saves the active editor and waits until its tab says so. */
export async function save({ ui, page }) {
  await ui.command('File: Save');
  await page.locator('.part.editor .tab.active.dirty').first().waitFor({ state: 'detached' });
}

/** Does something to the text until it fits: what the editor did not take is done again. */
export async function editUntil(page, what, { act, pattern, group = 0 }) {
  await eventually(what, async () => {
    if (pattern.test(await textOf(linesOf(page, group)))) return true;
    await act();
    await shows(page, what, pattern, group);
    return true;
  });
}

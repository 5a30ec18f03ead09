// Functions that run inside the page of the workbench: each looks and acts at one moment, so that nothing can change in between. They see nothing of this module.
/* global document, window, KeyboardEvent, requestAnimationFrame */

/** What the open quick input asks (`asked` names the question), holds and would choose. */
export function lookAtQuickInput() {
  const widget = [...document.querySelectorAll('.quick-input-widget')].find((one) => one.getBoundingClientRect().height > 0);
  const input = widget === undefined ? null : widget.querySelector('input.input');
  if (input === null) return { asked: undefined, value: '', focused: '', rowCount: 0 };
  const rows = [...widget.querySelectorAll('.quick-input-list .monaco-list-row')].filter((row) => row.getBoundingClientRect().height > 0);
  const focused = rows.find((row) => row.classList.contains('focused'));
  // The palette of commands is no question.
  if (input.value.startsWith('>')) return { asked: undefined, value: '', focused: '', rowCount: 0 };
  const title = widget.querySelector('.quick-input-title')?.textContent ?? '';
  return { asked: `${title}|${input.placeholder}`, value: input.value, focused: focused?.getAttribute('aria-label') ?? focused?.textContent ?? '', rowCount: rows.length };
}

/** Presses a key in the first visible element that fits; whether there was one. */
export function pressAt({ selector, key, pattern, flags, value }) {
  const shown = [...document.querySelectorAll(selector)].find((one) => one.getBoundingClientRect().height > 0 && window.getComputedStyle(one).visibility !== 'hidden');
  if (shown === undefined) return false;
  const label = `${shown.getAttribute('aria-label') ?? ''}\n${(shown.textContent ?? '').replaceAll('\u00a0', ' ')}`;
  if (pattern !== undefined && !label.split('\n').some((line) => new RegExp(pattern, flags).test(line))) return false;
  if (value !== undefined && shown.value !== value) return false;
  const canType = shown.matches('input, textarea, button, [tabindex]:not(.monaco-list-row)');
  const target = canType ? shown : document.activeElement ?? document.body;
  const keyCode = { Enter: 13, Escape: 27, ArrowUp: 38, ArrowDown: 40 }[key];
  for (const type of ['keydown', 'keyup']) target.dispatchEvent(new KeyboardEvent(type, { key, code: key, keyCode, which: keyCode, bubbles: true, cancelable: true, composed: true }));
  return true;
}

/** Whether what has the keyboard lies in an element of this selector. */
export function isIn(selector) {
  return document.activeElement !== null && document.activeElement.closest(selector) !== null;
}

/** Whether the text of the editor in this group has the keyboard. */
export function isInGroup(group) {
  const own = document.activeElement?.closest('.editor-group-container');
  return own !== null && own !== undefined && document.activeElement?.closest('.editor-instance') !== null && [...document.querySelectorAll('.editor-group-container')].indexOf(own) === group;
}

/** Resolves when what changed has been painted. */
export function settleTwoFrames() {
  return new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(() => resolve(undefined))); });
}

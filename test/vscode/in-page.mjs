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

/** Every stop of the Tab key in a page, by tag and name; with an argument, the first gets the focus. */
export function tabStops(focusFirst) {
  const stops = [...document.querySelectorAll('*')].filter((one) => one.tabIndex >= 0 && !one.disabled && one.getBoundingClientRect().height > 0 && window.getComputedStyle(one).visibility !== 'hidden');
  if (focusFirst !== undefined) stops[0]?.focus();
  return stops.map((one, index) => `${one.tagName.toLowerCase()} ${index} ${(one.getAttribute('aria-label') ?? one.textContent ?? '').trim().slice(0, 40)}`);
}

/** The stop that has the focus, named as `tabStops` does, and whether that can be seen. */
export function tabStopHere() {
  const one = document.activeElement;
  if (one === null || one === document.body) return undefined;
  const stops = [...document.querySelectorAll('*')].filter((other) => other.tabIndex >= 0 && !other.disabled && other.getBoundingClientRect().height > 0 && window.getComputedStyle(other).visibility !== 'hidden');
  const marks = [one, ...one.querySelectorAll('.active, .selected')].map((marked) => window.getComputedStyle(marked));
  const isShown = marks.some(({ outlineStyle, outlineWidth, boxShadow }) => (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none');
  return { name: `${one.tagName.toLowerCase()} ${stops.indexOf(one)} ${(one.getAttribute('aria-label') ?? one.textContent ?? '').trim().slice(0, 40)}`, isShown };
}

/** Contrast of each visible piece of text with what is behind it, as far as backgrounds of elements tell. */
export function measureContrast() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const known = new Map();
  const rgba = (color) => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      known.set(color, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(color);
  };
  const over = (top, below, opacity) => top.slice(0, 3).map((part, index) => part * (top[3] / 255) * opacity + below[index] * (1 - (top[3] / 255) * opacity));
  const root = window.getComputedStyle(document.documentElement);
  const base = rgba(root.getPropertyValue(document.body.classList.contains('trace') ? '--vscode-panel-background' : '--vscode-editor-background').trim() || root.getPropertyValue('--vscode-editor-background').trim());
  const luminance = (color) => color.slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const found = new Map();
  const walker = document.createTreeWalker(document.body, 4);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = (node.textContent ?? '').trim();
    const element = node.parentElement;
    if (text === '' || element === null || element.closest('[disabled], script, style, .spoken, [hidden]') !== null) continue;
    const box = element.getBoundingClientRect();
    const style = window.getComputedStyle(element);
    if (box.width === 0 || box.height === 0 || style.visibility === 'hidden') continue;
    const chain = [];
    for (let one = element; one !== null; one = one.parentElement) chain.unshift(one);
    let background = base;
    let opacity = 1;
    for (const one of chain) {
      const { backgroundColor, opacity: own } = window.getComputedStyle(one);
      opacity *= Number(own);
      background = over(rgba(backgroundColor), background, opacity);
    }
    const color = over(rgba(element instanceof window.SVGElement ? style.fill : style.color), background, opacity);
    const [light, dark] = [luminance(color), luminance(background)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const show = (one) => one.slice(0, 3).map(Math.round).join(' ');
    const key = `${element.className?.baseVal ?? element.className} ${show(color)} ${show(background)}`;
    if (!found.has(key)) found.set(key, { text: `${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className}: ${text.slice(0, 40)}`, ratio, color: show(color), background: show(background) });
  }
  return [...found.values()];
}

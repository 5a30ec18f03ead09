// Whether a page of ours can be used without a mouse, by a screen reader and with weak eyes: names and roles as Chromium tells them, stops of the Tab key with a visible focus, contrast of text.
import assert from 'node:assert/strict';
import { measureContrast, tabStopHere, tabStops } from './in-page.mjs';

/** Roles of what is operated. Rows and options are reached through what holds them. */
const OPERATED = new Set(['button', 'textbox', 'searchbox', 'combobox', 'link', 'checkbox', 'radio', 'slider', 'spinbutton', 'switch', 'tab', 'menuitem', 'listbox', 'grid', 'tree', 'treegrid', 'DisclosureTriangle']);
const CONTRAST_MIN = 4.5;

/** All that is in the accessibility tree of a page of ours: it lies alone in a frame of the editor, whose address tells which it is (its own is not told by all parts of the browser alike). */
async function accessibilityTree(page, frame) {
  const client = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await client.send('Page.getFrameTree');
    const all = (tree) => [tree, ...(tree.childFrames ?? []).flatMap(all)];
    const around = all(frameTree).find((tree) => tree.frame.url === frame.parentFrame().url() && tree.childFrames?.length > 0);
    assert.ok(around, 'the frame around the page is found');
    return (await client.send('Accessibility.getFullAXTree', { frameId: around.childFrames.at(-1).frame.id })).nodes;
  } finally {
    await client.detach();
  }
}

const has = (node, name) => node.properties?.find((property) => property.name === name)?.value?.value === true;

/** Throws unless everything that is operated has a name, a role and can have the keyboard, and Tab reaches every stop and shows it. */
export async function checkOperable(page, frame, name) {
  const problems = [];
  const nodes = await accessibilityTree(page, frame);
  const operated = nodes.filter((node) => !node.ignored && (OPERATED.has(node.role?.value) || (has(node, 'focusable') && node.role?.value !== 'RootWebArea')));
  assert.ok(operated.length > 0, `${name}: there is something to operate`);
  for (const node of operated) {
    const [role, spoken] = [node.role?.value ?? 'none', node.name?.value ?? ''];
    if (spoken.trim() === '') problems.push(`a ${role} without a name (${node.description?.value ?? ''} ${node.value?.value ?? ''})`);
    if (['generic', 'none', 'paragraph', 'StaticText'].includes(role)) problems.push(`"${spoken}" takes the keyboard without a role`);
    if (OPERATED.has(role) && !has(node, 'focusable') && !has(node, 'disabled')) problems.push(`the ${role} "${spoken}" cannot have the keyboard`);
  }
  const stops = await frame.evaluate(tabStops);
  await frame.evaluate(tabStops, 'focus the first');
  const reached = new Set();
  for (let presses = 0; presses < stops.length; presses++) {
    const stop = await frame.evaluate(tabStopHere);
    if (stop !== undefined) {
      reached.add(stop.name);
      // The first stop got the focus by script, which shows nothing.
      if (presses > 0 && !stop.isShown) problems.push(`the focus on ${stop.name} is not to be seen`);
    }
    await page.keyboard.press('Tab');
  }
  for (const stop of stops) if (!reached.has(stop)) problems.push(`Tab does not reach ${stop}`);
  assert.deepEqual(problems, [], `${name}: ${problems.join('; ')}`);
}

/** Throws if text of a page stands out too little from what is behind it. */
export async function checkContrast(frame, name) {
  const weak = (await frame.evaluate(measureContrast)).filter(({ ratio }) => ratio < CONTRAST_MIN);
  const said = weak.map(({ text, ratio, color, background }) => `"${text}" ${ratio.toFixed(2)} (${color} on ${background})`);
  assert.deepEqual(said, [], `${name}: text with a contrast below ${CONTRAST_MIN}`);
}

/**
 * The page of the Memory Map: the picture with its legend, the ranges in sight as a table, and the walk of an address.
 *
 * Everything in the picture is in the table as well. The page decides nothing about the system.
 */

import { rangesWith } from '../panels/memory-map/find';
import { overlaps, type Span } from '../panels/memory-map/layout';
import type { FromMapPage, MapRange, MapState, ToMapPage } from '../panels/memory-map/messages';
import { hexText, MapPicture, sizeText } from './map-picture';
import { button, editor, element, setAttributes, soon } from './page';
import { walkElements } from './walk';

/** Ranges that the table lists at first; a button shows as many more. */
const TABLE_ROWS = 300;
const TYPING_MS = 150;
const STATES = ['owned', 'borrowed', 'lent', 'shared', 'donated', 'device', 'resource-manager', 'hypervisor'] as const;
const COLUMNS = ['VM sees it at', 'Size', 'Physical', 'State', 'Owner', 'EL1', 'EL0', 'Type', 'Extent', 'Parcel', 'Also seen by'] as const;

let map: MapState = { session: 'none', vms: [], vmid: -1, vm: '', ranges: [], others: [], cut: false, nowText: '' };
let inSight: Span = { from: 0, to: 0 };
let selected = -1;
let isFolded = true;
let listed = TABLE_ROWS;

const vmBox = element('select', { 'aria-label': 'Virtual machine', 'title': 'Whose memory' });
const status = element('span', { 'class': 'status', 'role': 'status' });
const empty = element('p', { 'class': 'empty' });
const legend = element('ul', { 'class': 'legend', 'aria-label': 'Legend' });
const chosen = element('p', { 'class': 'chosen', 'aria-live': 'polite' });
const body = element('tbody');
const tableNote = element('span', { 'class': 'hint', 'role': 'status' });
const rangesTitle = element('h2', {}, 'Ranges in sight');
const findBox = element('input', { 'type': 'search', 'class': 'find-range', 'placeholder': 'Find: an address, a VM, shared, #19', 'aria-label': 'Find ranges', 'spellcheck': 'false' });
const moreButton = button('Show more', 'List more ranges', () => { listed += TABLE_ROWS; drawTable(); });
const walkBox = element('input', { 'type': 'text', 'class': 'walk-text', 'placeholder': '0x41000000, $sp, &counter, sensor:va:0x80000000', 'aria-label': 'Address to walk', 'spellcheck': 'false' });
const spaceBox = element('select', { 'aria-label': 'Kind of address' }, element('option', { value: 'va' }, 'virtual'), element('option', { value: 'ipa' }, 'intermediate'), element('option', { value: 'pa' }, 'physical'));
const walkTitle = element('h2', {}, 'Walk of an address');
const walkResult = element('div', { 'class': 'walk-result' });
const content = element('div', { 'class': 'content' });
const foldButton = button('Fold gaps', 'Cut out long gaps between ranges', () => { setFolded(!isFolded); });
const picture = new MapPicture({
  onSelect: (index) => { onSelect(index); },
  onView: (span) => {
    inSight = span;
    listed = TABLE_ROWS;
    drawTable();
  },
  onOpen: (index) => { reveal(index); },
});

function send(message: FromMapPage): void {
  editor.postMessage(message);
}

function reveal(index: number): void {
  const range = map.ranges[index];
  if (range !== undefined) send({ kind: 'reveal', ipa: range.ipa });
}

function rangeText({ ipa, sizeBytes }: MapRange): string {
  return `${hexText(ipa)} – ${hexText(ipa + sizeBytes - 1)}`;
}

const othersText = ({ others }: MapRange): string => others.map(({ vm, ipa, access }) => `${vm} at ${ipa}${access === '' ? '' : ` (${access})`}`).join(', ');

function onSelect(index: number): void {
  selected = index;
  drawChosen();
  for (const row of body.rows) setAttributes(row, { 'aria-selected': String(row.dataset['index'] === String(index)) });
}

function drawChosen(): void {
  const range = map.ranges[selected];
  chosen.hidden = range === undefined;
  if (range === undefined) return;
  chosen.replaceChildren(
    element('strong', {}, rangeText(range)), ` · ${sizeText(range.sizeBytes)} · ${range.stateText} · owner ${range.owner} · ${range.others.length === 0 ? 'seen by nobody else' : `also seen by ${othersText(range)}`} `,
    button('Zoom', 'Zoom to the selected range', () => { picture.zoomTo(selected); }),
    button('Memory', 'Open the memory of the selected range', () => { reveal(selected); }),
    button('Walk', 'Walk the first address of the selected range', () => { walk(`${map.vm}:ipa:${hexText(range.ipa)}`); }),
  );
}

function setFolded(isOn: boolean): void {
  isFolded = isOn;
  setAttributes(foldButton, { 'aria-pressed': String(isOn) });
  picture.fold(isOn);
}

function drawLegend(): void {
  const present = STATES.filter((state) => map.ranges.some((range) => range.state === state));
  legend.replaceChildren(...present.map((state) => {
    const ranges = map.ranges.filter((range) => range.state === state);
    const total = ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const swatch = element('span', { 'class': `swatch ${state}`, 'aria-hidden': 'true' });
    return element('li', {}, swatch, `${ranges[0]?.stateText ?? state}: ${sizeText(total)}`);
  }));
}

/** The ranges that the table is about: what was asked for, in all of the map, or what is in sight. */
function drawTable(): void {
  const wanted = findBox.value.trim();
  const shown = wanted === '' ? map.ranges.flatMap((range, index) => (overlaps({ from: range.ipa, to: range.ipa + range.sizeBytes }, inSight) ? [{ range, index }] : []))
    : rangesWith(map.ranges, wanted).flatMap((index) => { const range = map.ranges[index]; return range === undefined ? [] : [{ range, index }]; });
  rangesTitle.textContent = wanted === '' ? 'Ranges in sight' : 'Ranges found';
  body.replaceChildren(...shown.slice(0, listed).map(({ range, index }) => tableRow(range, index)));
  const left = Math.max(0, shown.length - listed);
  moreButton.hidden = left === 0;
  const count = shown.length === 0 ? 'No range fits. ' : left > 0 ? `${shown.length - left} of ${shown.length} ranges are listed. ` : '';
  tableNote.textContent = `${count}${map.cut ? 'The VM has more ranges than are told here; walk an address to see one of them.' : ''}`;
}

function tableRow(range: MapRange, index: number): HTMLElement {
  const go = button(rangeText(range), 'Select this range', () => { picture.select(index); });
  go.classList.add('link');
  const texts = [sizeText(range.sizeBytes), hexText(range.pa), `${range.stateText}${range.change === 'same' ? '' : ` (${range.change})`}`, range.owner, range.access, range.userAccess, range.memoryType, range.extent, range.memparcel, othersText(range)];
  const row = element('tr', { 'data-index': index, 'aria-selected': String(index === selected), 'class': range.change }, element('td', {}, element('span', { 'class': `swatch ${range.state}`, 'aria-hidden': 'true' }), go), ...texts.map((text) => element('td', {}, text)));
  row.addEventListener('click', () => { picture.select(index); });
  row.addEventListener('dblclick', () => { picture.zoomTo(index); });
  return row;
}

function drawMap(next: MapState): void {
  const isOther = next.vmid !== map.vmid;
  map = next;
  if (isOther) selected = -1;
  vmBox.replaceChildren(...next.vms.map(({ vmid, name }) => element('option', { value: vmid, ...(vmid === next.vmid ? { selected: '' } : {}) }, name)));
  status.textContent = next.session === 'none' ? '' : `${next.ranges.length} ranges · ${next.session === 'running' ? 'running' : `at ${next.nowText}`}`;
  empty.textContent = next.session === 'none' ? 'Start a debug session to see which memory each virtual machine has.' : 'No virtual machine has memory yet. Continue until one has started.';
  empty.hidden = next.ranges.length > 0;
  content.hidden = next.ranges.length === 0;
  drawLegend();
  picture.show(next, isOther);
  drawChosen();
}

function walk(text: string): void {
  walkBox.value = text;
  const { value } = spaceBox;
  send({ kind: 'walk', text, space: value === 'ipa' || value === 'pa' ? value : 'va' });
}

function showWalk({ walk: state }: ToMapPage & { readonly kind: 'walk' }): void {
  walkBox.value = state.text;
  walkTitle.textContent = state.space === 'pa' ? `Who has physical address ${state.address}` : `Walk of ${state.address} in ${state.vm}`;
  walkResult.replaceChildren(...walkElements(state));
  const at = (space: 'ipa' | 'pa'): number | undefined => {
    const step = state.body.steps.find((one) => one.space === space);
    return step === undefined ? undefined : Number(step.address);
  };
  picture.showMark(state.vm === map.vm ? at('ipa') : undefined, at('pa'));
}

function receive(message: ToMapPage): void {
  switch (message.kind) {
    case 'map': drawMap(message.map); break;
    case 'walk': showWalk(message); break;
    case 'walkProblem':
      walkBox.value = message.text;
      walkTitle.textContent = 'Walk of an address';
      walkResult.replaceChildren(element('p', { 'class': 'problem', 'role': 'alert' }, message.problem));
      picture.showMark(undefined, undefined);
      break;
    case 'select': {
      const index = map.ranges.findIndex(({ ipa, sizeBytes }) => message.ipa >= ipa && message.ipa < ipa + sizeBytes);
      if (index >= 0) picture.select(index);
      break;
    }
    case 'focusWalk': walkBox.focus(); break;
  }
}

function start(): void {
  const walkForm = element('form', { 'class': 'walk-form' }, walkBox, spaceBox, element('button', { type: 'submit', title: 'Translate the address step by step' }, 'Walk'));
  walkForm.addEventListener('submit', (event) => {
    event.preventDefault();
    if (walkBox.value.trim() !== '') walk(walkBox.value);
  });
  findBox.addEventListener('input', soon(TYPING_MS, () => { listed = TABLE_ROWS; drawTable(); }));
  vmBox.addEventListener('change', () => { send({ kind: 'vm', vmid: Number(vmBox.value) }); });
  content.append(
    picture.root, legend, chosen,
    element('section', { 'aria-label': 'Walk' }, walkTitle, walkForm, walkResult),
    element('section', { 'aria-label': 'Ranges' }, rangesTitle, findBox,
      element('div', { 'class': 'table-frame' }, element('table', { 'class': 'ranges' }, element('thead', {}, element('tr', {}, ...COLUMNS.map((name) => element('th', { scope: 'col' }, name)))), body)), element('p', {}, tableNote, moreButton)),
  );
  document.body.append(
    element('div', { 'class': 'toolbar', 'role': 'toolbar', 'aria-label': 'Memory map' }, vmBox,
      button('−', 'Zoom out (-)', () => { picture.zoomBy(1.5); }), button('+', 'Zoom in (+)', () => { picture.zoomBy(1 / 1.5); }), button('All', 'Show all memory (0)', () => { picture.showAll(); }), foldButton, status),
    empty, content,
  );
  setAttributes(document.body, { 'data-vscode-context': JSON.stringify({ preventDefaultContextMenuItems: true }) });
  setFolded(isFolded);
  drawMap(map);
  window.addEventListener('message', ({ data }: MessageEvent<ToMapPage>) => { receive(data); });
  // Rows are made anew on each zoom; a burst of them is one.
  const settle = soon(120, drawTable);
  window.addEventListener('resize', settle);
  send({ kind: 'ready' });
}

start();

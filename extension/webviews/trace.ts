/**
 * The page of the Hypercall Trace view: a table of events with filter, search, follow mode and details.
 *
 * It holds only the rows around those in sight and asks the extension for others. It decides nothing about the system.
 */

import type { FromTracePage, ToTracePage, TraceState } from '../panels/trace/messages';
import type { TraceLine } from '../panels/trace/model';
import { button, editor, element, setAttributes, soon } from './page';
import { VirtualRows } from './virtual-rows';

const ROW_HEIGHT = 22;
/** Rows that are asked for at a time. */
const CHUNK = 200;
/** Rows that are kept; the farthest are forgotten first, by forgetting all. */
const KEPT_MAX = 5000;
const TYPING_MS = 250;

const COLUMNS = ['Time', 'VM', 'vCPU', 'Event', 'Name', 'Arguments', 'Result'] as const;

/** What the page keeps while it is hidden. */
interface Kept { readonly follow: boolean; readonly details: boolean }

const kept: Kept = readKept(editor.getState());
let state: TraceState = { session: 'none', version: -1, rowCount: 0, nowIndex: 0, nowText: '', progress: 1, dropped: 0, filter: '', problem: '' };
let follow = kept.follow;
let showDetails = kept.details;
let anchor = -1;
/** Which way the search goes that is under way. */
let finding: 1 | -1 | undefined;
/** Whether the search begins anew once the filter is through: what it finds meanwhile belongs to the old rows. */
let searchWaits = false;
const lines = new Map<number, TraceLine>();
const asked = new Set<number>();

const filterBox = element('input', { 'type': 'text', 'class': 'filter', 'placeholder': 'Filter: hvc:msgqueue_* vm=sensor if size > 16', 'aria-label': 'Filter events', 'title': 'Events as breakpoints name them (hvc:msgqueue_*|rm:*), vm=sensor, any word, -word; after "if" a condition', 'spellcheck': 'false' });
const searchBox = element('input', { 'type': 'search', 'class': 'search', 'placeholder': 'Find', 'aria-label': 'Find in events', 'title': 'Find: Enter for the next, Shift+Enter for the previous', 'spellcheck': 'false' });
const followButton = button('Follow', 'Keep the present moment in sight', () => { setFollow(!follow); });
const detailsButton = button('Details', 'Show every field of the selected event', () => { setDetails(!showDetails); });
const status = element('span', { 'class': 'status', 'role': 'status' });
const progress = element('progress', { 'max': 1, 'aria-label': 'Looking through the trace' });
const stopButton = button('Stop', 'Stop looking', () => { stopLooking(); });
const problem = element('div', { 'class': 'problem', 'role': 'alert' });
const empty = element('div', { 'class': 'empty' });
const details = element('dl', { 'class': 'details', 'tabindex': 0, 'aria-label': 'Details of the selected event' });
const table = new VirtualRows({ label: 'Trace events', rowHeight: ROW_HEIGHT, make: makeRow, onRange: askForMissing, onActive: onActive });

function send(message: FromTracePage): void {
  editor.postMessage(message);
}

function readKept(value: unknown): Kept {
  const isKept = typeof value === 'object' && value !== null && 'follow' in value && 'details' in value;
  return isKept ? { follow: value.follow === true, details: value.details === true } : { follow: true, details: false };
}

function keep(): void {
  editor.setState({ follow, details: showDetails });
}

function setFollow(on: boolean): void {
  follow = on;
  setAttributes(followButton, { 'aria-pressed': String(on) });
  keep();
  if (on) goToPresent();
}

function setDetails(on: boolean): void {
  showDetails = on;
  setAttributes(detailsButton, { 'aria-pressed': String(on) });
  details.hidden = !on;
  keep();
  drawDetails();
  // The details take room of the table: what is looked at stays in sight.
  if (table.active >= 0) table.reveal(table.active);
  else if (follow) goToPresent();
}

/** Where the system stands: the newest row while it runs, the last one that happened while it stands. */
function goToPresent(): void {
  if (state.rowCount === 0) return;
  if (state.session === 'running') table.reveal(state.rowCount - 1);
  else table.center(Math.min(state.rowCount - 1, Math.max(0, state.nowIndex - 1)));
}

function cell(column: string, text: string): HTMLElement {
  return element('span', { 'class': `cell ${column}`, 'role': 'gridcell', 'title': text }, text);
}

function makeRow(index: number): HTMLElement {
  const line = lines.get(index);
  const row = element('div', { 'class': 'row' });
  row.classList.toggle('future', index >= state.nowIndex);
  row.classList.toggle('now', index === state.nowIndex - 1);
  row.classList.toggle('selected', isSelected(index));
  setAttributes(row, { 'aria-selected': String(isSelected(index)), 'aria-current': index === state.nowIndex - 1 ? 'true' : undefined });
  if (line === undefined) {
    row.append(cell('time', '…'));
    return row;
  }
  fillRow(row, line);
  return row;
}

function fillRow(row: HTMLElement, line: TraceLine): void {
  row.classList.add(line.category);
  row.classList.toggle('bad', line.bad);
  row.append(
    cell('time', line.time), cell('vm', line.vm), cell('vcpu', line.vcpu), cell('event', line.event), cell('name', line.name), cell('args', line.args), cell('result', line.result),
  );
  setAttributes(row, {
    'data-vscode-context': JSON.stringify({ webviewSection: 'event', preventDefaultContextMenuItems: true, number: line.number, event: line.event, name: line.name }),
    'aria-label': [line.time, line.vm, line.vcpu === '' ? '' : `vCPU ${line.vcpu}`, line.event, line.name, line.args, line.result].filter((text) => text !== '').join(', '),
  });
}

function isSelected(index: number): boolean {
  const { active } = table;
  if (active < 0) return false;
  const other = anchor < 0 ? active : anchor;
  return index >= Math.min(active, other) && index <= Math.max(active, other);
}

function onActive(index: number, extend: boolean): void {
  if (!extend) anchor = index;
  drawDetails();
}

/** Asks for the chunks that rows in sight lie in. */
function askForMissing(from: number, to: number): void {
  for (let chunk = Math.floor(from / CHUNK); chunk * CHUNK < to; chunk++) {
    if (asked.has(chunk)) continue;
    asked.add(chunk);
    send({ kind: 'rows', version: state.version, from: chunk * CHUNK, count: CHUNK });
  }
}

function forgetRows(): void {
  lines.clear();
  asked.clear();
}

function applyState(next: TraceState): void {
  const isOther = next.version !== state.version;
  const grew = next.rowCount !== state.rowCount;
  const moved = next.nowIndex !== state.nowIndex || next.session !== state.session;
  if (isOther || lines.size > KEPT_MAX) forgetRows();
  // The last chunk was not full when it was asked for.
  if (grew) asked.delete(Math.floor(Math.min(state.rowCount, next.rowCount) / CHUNK));
  state = next;
  drawStatus();
  if (isOther) anchor = -1;
  if (isOther) table.clearActive();
  if (isOther || grew) table.count = next.rowCount;
  else if (moved) table.redraw();
  if (isOther) searchWaits = finding !== undefined;
  if (searchWaits && finding !== undefined && next.progress >= 1) find(finding);
  if (follow && (moved || grew || isOther)) goToPresent();
  if (document.activeElement !== filterBox) filterBox.value = next.filter;
}

function drawStatus(): void {
  const { session, rowCount, nowIndex, nowText, dropped, filter, problem: text } = state;
  const count = `${rowCount.toLocaleString('en')} ${filter === '' ? 'events' : 'match'}`;
  const ahead = rowCount - nowIndex;
  status.textContent = session === 'none' ? '' : [count, ...(ahead > 0 ? [`${ahead.toLocaleString('en')} ahead`] : []), ...(dropped > 0 ? [`${dropped.toLocaleString('en')} older dropped`] : []), nowText].filter((part) => part !== '').join(' · ');
  progress.value = state.progress;
  const isBusy = finding !== undefined || (state.progress < 1 && session === 'stopped');
  progress.hidden = !isBusy;
  stopButton.hidden = !isBusy;
  if (finding !== undefined) progress.removeAttribute('value');
  problem.textContent = text;
  problem.hidden = text === '';
  setAttributes(filterBox, { 'aria-invalid': text === '' ? undefined : 'true' });
  empty.textContent = emptyText();
  empty.hidden = rowCount > 0;
  table.root.hidden = rowCount === 0;
}

function emptyText(): string {
  if (state.problem !== '') return '';
  if (state.session === 'none') return 'Start a debug session: its hypercalls, messages, interrupts and requests to the Resource Manager appear here.';
  if (state.filter !== '') return state.progress < 1 ? 'Looking …' : 'No event matches the filter. Clear it to see all events.';
  return 'Nothing has happened yet. Continue, and events appear here.';
}

function drawDetails(): void {
  const line = lines.get(table.active);
  details.hidden = !showDetails || line === undefined;
  if (line === undefined) return;
  details.replaceChildren(...line.details.flatMap(({ name, value }) => [element('dt', {}, name), element('dd', {}, value)]));
}

function travel(index: number): void {
  const line = lines.get(index);
  if (line !== undefined && state.session === 'stopped') send({ kind: 'seek', number: line.number });
}

function copySelection(): void {
  const { active } = table;
  if (active < 0) return;
  const other = anchor < 0 ? active : anchor;
  send({ kind: 'copy', from: Math.min(active, other), to: Math.max(active, other) });
}

function find(direction: 1 | -1): void {
  if (filterBox.value.trim() !== state.filter) send({ kind: 'filter', text: filterBox.value });
  if (searchBox.value === '' || state.rowCount === 0) return;
  finding = direction;
  searchWaits = false;
  const start = table.active < 0 ? (direction === 1 ? 0 : state.rowCount - 1) : table.active + direction;
  if (start < 0 || start >= state.rowCount) {
    found(null);
    return;
  }
  setFollow(false);
  drawStatus();
  send({ kind: 'find', text: searchBox.value, from: start, direction });
}

function found(index: number | null): void {
  if (searchWaits) return;
  finding = undefined;
  searchBox.classList.toggle('nothing', index === null);
  drawStatus();
  if (index === null) {
    status.textContent = `"${searchBox.value}" is not in the ${table.active < 0 ? '' : 'other '}events on this side.`;
    return;
  }
  anchor = index;
  table.activate(index);
  table.center(index);
}

function stopLooking(): void {
  if (finding !== undefined) {
    finding = undefined;
    send({ kind: 'stopFinding' });
  } else {
    filterBox.value = '';
    send({ kind: 'filter', text: '' });
  }
  drawStatus();
}

function rowIndexOf(event: Event): number {
  const row = event.target instanceof Element ? event.target.closest('.row') : null;
  return row === null ? -1 : Number(row.id.replace('row-', ''));
}

/** A click travels; with shift it selects a range, and the other buttons only select. */
function onPointer(event: MouseEvent): void {
  const index = rowIndexOf(event);
  if (index < 0) return;
  table.activate(index, event.shiftKey);
  table.root.focus();
  if (event.type === 'click' && !event.shiftKey && !event.ctrlKey && !event.metaKey) travel(index);
}

function onTableKey(event: KeyboardEvent): void {
  if (event.key === 'Enter') travel(table.active);
  else if (event.key === 'c' && (event.ctrlKey || event.metaKey)) copySelection();
  else if (event.key.startsWith('Arrow') || event.key.startsWith('Page') || event.key === 'Home' || event.key === 'End') setFollow(false);
}

function onPageKey(event: KeyboardEvent): void {
  const isFind = event.key === 'f' && (event.ctrlKey || event.metaKey);
  if (!isFind) return;
  event.preventDefault();
  searchBox.focus();
  searchBox.select();
}

function receive(message: ToTracePage): void {
  switch (message.kind) {
    case 'state': applyState(message.state); break;
    case 'rows':
      if (message.version !== state.version) break;
      for (const [offset, line] of message.lines.entries()) lines.set(message.from + offset, line);
      table.redraw();
      drawDetails();
      break;
    case 'copySelection': copySelection(); break;
    case 'found': found(message.index); break;
    case 'focus': (message.where === 'filter' ? filterBox : searchBox).focus(); break;
  }
}

function listen(): void {
  const applyFilter = soon(TYPING_MS, () => { send({ kind: 'filter', text: filterBox.value }); });
  filterBox.addEventListener('input', applyFilter);
  searchBox.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') find(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape' && finding !== undefined) stopLooking();
  });
  table.root.addEventListener('click', onPointer);
  table.root.addEventListener('contextmenu', (event) => {
    const index = rowIndexOf(event);
    if (index >= 0 && !isSelected(index)) table.activate(index);
  });
  table.root.addEventListener('keydown', onTableKey);
  table.root.addEventListener('wheel', () => { if (follow && state.session === 'running') setFollow(false); }, { passive: true });
  document.addEventListener('keydown', onPageKey);
  window.addEventListener('message', ({ data }: MessageEvent<ToTracePage>) => { receive(data); });
}

function start(): void {
  const header = element('div', { 'class': 'row header', 'role': 'row', 'aria-rowindex': 1 }, ...COLUMNS.map((name) => element('span', { 'class': `cell ${name.toLowerCase()}`, 'role': 'columnheader' }, name)));
  document.body.append(
    element('div', { 'class': 'toolbar', 'role': 'toolbar', 'aria-label': 'Trace' }, filterBox, searchBox, followButton, detailsButton, progress, stopButton, status),
    problem, element('div', { 'class': 'split' }, element('div', { 'class': 'table' }, header, table.root, empty), details),
  );
  // The columns stand above each other only if the head leaves as much room as the scroll bar takes.
  new ResizeObserver(() => { header.style.paddingRight = `${table.root.offsetWidth - table.root.clientWidth}px`; }).observe(table.root);
  setAttributes(document.body, { 'data-vscode-context': JSON.stringify({ preventDefaultContextMenuItems: true }) });
  setFollow(follow);
  setDetails(showDetails);
  drawStatus();
  listen();
  send({ kind: 'ready' });
}

start();

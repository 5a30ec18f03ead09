/** The page of a device tree's memory map: overlaps first, then one column of addresses with a box for each range. Each box is a button that leads to the source. */

import { layOut, ROW_HEIGHT, type PlacedRange } from '../panels/tree-map/layout';
import type { FromTreeMapPage, ToTreeMapPage } from '../panels/tree-map/messages';
import type { MemoryMap, MemoryMapRange } from '../../language-server/protocol';
import { editor, element, setAttributes } from './page';

/** Narrower columns show nothing that can be read; the picture scrolls sideways instead. */
const COLUMN_WIDTH_MIN = '12ch';
const COLUMN_GAP = 6;
/** A box of this height has room for its last address besides name and size. */
const SPAN_HEIGHT_MIN = 56;
const KIND_WORDS: Readonly<Record<MemoryMapRange['kind'], string>> = { memory: 'memory', reserved: 'reserved memory', device: 'device' };

const status = element('p', { 'class': 'status', 'role': 'status' });
const problem = element('p', { 'class': 'problem', 'role': 'alert', 'hidden': '' });
const legend = element('ul', { 'class': 'legend', 'aria-label': 'Kinds of ranges' });
const overlaps = element('ul', { 'class': 'overlaps', 'aria-label': 'Overlaps' });
const picture = element('div', { 'class': 'tree-picture', 'role': 'list', 'aria-label': 'Ranges from low to high addresses. Arrow keys go from one to the next.' });

function send(message: FromTreeMapPage): void {
  editor.postMessage(message);
}

/** `128 MiB`, `15.25 MiB`; exact sizes are in the tooltip. */
function sizeText(size: bigint): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let unit = 0;
  while (unit < units.length - 1 && size >> BigInt(10 * (unit + 1)) > 0n) unit++;
  const hundredths = Number((size * 100n) >> BigInt(10 * unit));
  return `${String(hundredths / 100)} ${units[unit] ?? ''}`;
}

const nameOf = ({ path, labels }: MemoryMapRange): string => labels[0] ?? (path === '' ? '/memreserve/' : path.slice(path.lastIndexOf('/') + 1));

function wordsOf(range: MemoryMapRange): string {
  const bus = range.busAddress === range.base ? '' : `, ${range.busAddress} on its bus`;
  return `${range.path || '/memreserve/'}: ${range.base} to ${range.last} (${range.size}), ${KIND_WORDS[range.kind]}${bus}${range.isEnabled ? '' : ', switched off'}`;
}

function box(range: MemoryMapRange, placed: PlacedRange, isOverlapping: boolean): HTMLElement {
  const title = wordsOf(range);
  const made = element('button', { 'type': 'button', 'data-path': `${range.path} ${range.base}`, 'class': `box ${range.kind}${range.isEnabled ? '' : ' off'}${isOverlapping ? ' overlapping' : ''}`, title, 'aria-label': `${title}${isOverlapping ? ', overlaps another range' : ''}` },
    element('span', { 'class': 'words' }, element('span', { 'class': 'name' }, nameOf(range)), ...(placed.height < SPAN_HEIGHT_MIN ? [] : [element('span', { 'class': 'span' }, `to ${range.last}`)])), element('span', { 'class': 'size' }, `${sizeText(BigInt(range.size))}${isOverlapping ? ' · overlaps' : ''}`));
  // Set through the object model: the page's policy forbids style attributes.
  made.style.setProperty('top', `${placed.top}px`);
  made.style.setProperty('height', `${Math.max(ROW_HEIGHT, placed.height) - 1}px`);
  made.style.setProperty('left', `calc(var(--labels) + (100% - var(--labels)) * ${placed.column / placed.columns})`);
  made.style.setProperty('width', `calc((100% - var(--labels)) / ${placed.columns} - ${COLUMN_GAP}px)`);
  made.addEventListener('click', () => { send({ kind: 'open', index: placed.index }); });
  const item = element('div', { role: 'listitem' }, made);
  return item;
}

function lineAt(className: string, top: number, text: string): HTMLElement {
  const made = element('div', { 'class': className, 'aria-hidden': 'true' }, text);
  made.style.setProperty('top', `${top}px`);
  return made;
}

/** From low to high addresses, larger ranges first, as the keyboard and a screen reader go through them. */
function inOrder(placed: readonly PlacedRange[], ranges: readonly MemoryMapRange[]): readonly PlacedRange[] {
  const spanOf = ({ index }: PlacedRange): readonly [bigint, bigint] => [BigInt(ranges[index]?.base ?? 0), BigInt(ranges[index]?.size ?? 0)];
  return [...placed].sort((a, b) => {
    const [[baseA, sizeA], [baseB, sizeB]] = [spanOf(a), spanOf(b)];
    return Number(baseA > baseB) - Number(baseA < baseB) || Number(sizeB > sizeA) - Number(sizeB < sizeA) || a.index - b.index;
  });
}

function draw(name: string, { ranges, overlaps: shared }: Pick<MemoryMap, 'ranges' | 'overlaps'>): void {
  const layout = layOut(ranges);
  const hadFocus = document.activeElement?.getAttribute('data-path') ?? null;
  const overlapping = new Set(shared.flatMap(({ first, second }) => [first, second]));
  status.textContent = ranges.length === 0 ? `${name} describes no ranges of addresses.` : `${name}: ${ranges.length} ranges, ${shared.length === 0 ? 'no overlaps' : `${shared.length} ${shared.length === 1 ? 'overlap' : 'overlaps'}`}. Choose a range to see its source.`;
  legend.replaceChildren(...(['memory', 'reserved', 'device'] as const).filter((kind) => ranges.some((range) => range.kind === kind)).map((kind) => element('li', { 'class': `kind ${kind}` }, KIND_WORDS[kind])));
  overlaps.replaceChildren(...shared.map(({ first, second, base, size }) => {
    const [one, other] = [ranges[first], ranges[second]];
    const go = element('button', { type: 'button', 'class': 'link' }, `${one === undefined ? '' : nameOf(one)} and ${other === undefined ? '' : nameOf(other)} share ${size} bytes from ${base}`);
    go.addEventListener('click', () => { send({ kind: 'open', index: second }); });
    return element('li', {}, go);
  }));
  picture.style.setProperty('height', `${layout.height + ROW_HEIGHT}px`);
  picture.style.setProperty('--labels', `${2 + Math.max(10, ...ranges.map(({ base }) => base.length))}ch`);
  picture.style.setProperty('min-width', `calc(var(--labels) + ${layout.columns} * ${COLUMN_WIDTH_MIN})`);
  const labels = new Map<number, string>();
  for (const { index, top } of layout.ranges) labels.set(top, ranges[index]?.base ?? '');
  picture.replaceChildren(
    ...[...labels].map(([top, base]) => lineAt('address', top, base)),
    ...layout.gaps.map(({ top, sizeBytes }) => lineAt('gap', top, `⋯ ${sizeText(sizeBytes)}`)),
    ...inOrder(layout.ranges, ranges).flatMap((placed) => {
      const range = ranges[placed.index];
      return range === undefined ? [] : [box(range, placed, overlapping.has(placed.index))];
    }),
  );
  // Drawn again while it is edited, the picture keeps the focus where it was.
  const boxes = [...picture.querySelectorAll<HTMLElement>('.box')];
  const same = hadFocus === null ? undefined : boxes.find((one) => one.getAttribute('data-path') === hadFocus);
  reachable(boxes, same ?? boxes[0]);
  same?.focus();
}

/** One stop for the Tab key; from there the arrow keys, Home and End go over the ranges, from low to high addresses. */
function walk(event: KeyboardEvent): void {
  const boxes = [...picture.querySelectorAll<HTMLElement>('.box')];
  const at = boxes.findIndex((one) => one === document.activeElement);
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: boxes.length - 1 }[event.key];
  const next = to === undefined ? undefined : boxes[to];
  if (next === undefined) return;
  event.preventDefault();
  reachable(boxes, next);
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

function reachable(boxes: readonly HTMLElement[], one: HTMLElement | undefined): void {
  for (const box of boxes) box.tabIndex = box === one ? 0 : -1;
}

function receive(message: ToTreeMapPage): void {
  const isProblem = message.kind === 'problem';
  setAttributes(problem, { hidden: isProblem ? undefined : '' });
  problem.textContent = isProblem ? message.text : '';
  if (message.kind === 'map') draw(message.name, message.map);
}

picture.addEventListener('keydown', walk);
document.body.append(element('div', { 'class': 'scroll' }, status, problem, overlaps, legend, picture));
window.addEventListener('message', (event: MessageEvent<ToTreeMapPage>) => { receive(event.data); });
send({ kind: 'ready' });

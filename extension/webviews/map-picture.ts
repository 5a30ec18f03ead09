/**
 * The picture of the memory map: intermediate addresses above, physical ones below, each range drawn to scale and tied to its pages.
 *
 * Colours come from style classes named after states; a pattern and a word say the same for those who do not see the colour.
 */

import { foldGaps, PLAIN_SCALE, type Scale } from '../panels/memory-map/fold';
import { around, clamp, hullOf, nextRange, overlaps, pan, place, ticksOf, toAddress, toPixel, zoom, type Placed, type Span } from '../panels/memory-map/layout';
import type { MapRange, MapState } from '../panels/memory-map/messages';
import { element, setAttributes, shape } from './page';

const HEIGHT = 262;
const OVERVIEW = { top: 2, height: 10 };
const IPA = { top: 38, height: 56 };
const PA = { top: 168, height: 56 };
const LABEL_SPACE = 70;
/** Narrower shapes have no words inside. */
const TEXT_WIDTH_MIN = 40;
const ZOOM_STEP = 1.5;
const PAN_STEP = 0.25;

/** Lower-case hex text of an address. */
export const hexText = (address: number): string => `0x${Math.max(0, Math.floor(address)).toString(16)}`;

interface Rectangle { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** What the picture tells the page. */
export interface PictureListener {
  /** Another range was chosen; -1 for none. */
  onSelect(index: number): void;
  /** Other addresses are in sight. */
  onView(span: Span): void;
  /** Enter or a double click on a range. */
  onOpen(index: number): void;
}

const ipaSpan = ({ ipa, sizeBytes }: MapRange): Span => ({ from: ipa, to: ipa + sizeBytes });
const paSpan = ({ pa, sizeBytes }: { readonly pa: number; readonly sizeBytes: number }): Span => ({ from: pa, to: pa + sizeBytes });
const onScale = ({ from, to }: Span, scale: Scale): Span => ({ from: scale.toPosition(from), to: scale.toPosition(to) });
const middleOf = ({ from, to }: Span): number => (from + to) / 2;

/** The picture. */
export class MapPicture {
  readonly root: HTMLElement;
  private readonly svg = shape('svg', { 'class': 'map', 'height': HEIGHT, 'role': 'presentation' });
  private readonly spoken = element('div', { 'class': 'spoken', 'role': 'status', 'aria-live': 'polite' });
  private readonly listener: PictureListener;
  private ranges: readonly MapRange[] = [];
  private others: MapState['others'] = [];
  /** Where ranges lie on the upper and on the lower lane: positions, which are addresses with long gaps cut out. */
  private seen: readonly Span[] = [];
  private lying: readonly Span[] = [];
  private foreign: readonly Span[] = [];
  private scales = { ipa: PLAIN_SCALE, pa: PLAIN_SCALE };
  private isFolded = true;
  private hull: Span = hullOf([]);
  private view: Span = this.hull;
  private isZoomed = false;
  private selected = -1;
  private mark: { readonly ipa: number | undefined; readonly pa: number | undefined } = { ipa: undefined, pa: undefined };
  private drag: { readonly x: number; readonly view: Span } | undefined;

  constructor(listener: PictureListener) {
    this.listener = listener;
    this.root = element('div', {
      'class': 'picture', 'tabindex': 0, 'role': 'application', 'aria-roledescription': 'memory map', 'aria-label': 'Stage-2 map. Left and right go from range to range, plus and minus zoom, page keys move, 0 shows all, Enter opens the memory.',
    }, this.spoken);
    this.root.prepend(this.svg);
    this.root.addEventListener('keydown', (event) => { this.onKey(event); });
    this.root.addEventListener('wheel', (event) => { this.onWheel(event); }, { passive: false });
    this.svg.addEventListener('pointerdown', (event) => { this.onPointerDown(event); });
    this.svg.addEventListener('pointermove', (event) => { this.onPointerMove(event); });
    this.svg.addEventListener('pointerup', () => { this.drag = undefined; });
    this.svg.addEventListener('dblclick', (event) => { this.onDoubleClick(event); });
    new ResizeObserver(() => { this.draw(); }).observe(this.root);
  }

  /** Shows another map; what is in sight and selected stays if it is the same VM's. */
  show(map: MapState, isOtherVm: boolean): void {
    const kept = this.ranges[this.selected]?.ipa;
    this.ranges = map.ranges;
    this.others = map.others;
    this.measure();
    if (isOtherVm) this.isZoomed = false;
    this.view = this.isZoomed ? clamp(this.view, this.hull) : this.hull;
    this.selected = isOtherVm || kept === undefined ? -1 : map.ranges.findIndex(({ ipa }) => ipa === kept);
    this.draw();
    this.tellView();
  }

  /** Cuts long gaps out, or draws all of the address space to one scale. */
  fold(isOn: boolean): void {
    this.isFolded = isOn;
    this.measure();
    this.showAll();
  }

  private measure(): void {
    const ipa = this.ranges.map(ipaSpan);
    const pa = this.ranges.map(paSpan);
    const foreign = this.others.map(paSpan);
    this.scales = this.isFolded ? { ipa: foldGaps(ipa), pa: foldGaps([...pa, ...foreign]) } : { ipa: PLAIN_SCALE, pa: PLAIN_SCALE };
    this.seen = ipa.map((span) => onScale(span, this.scales.ipa));
    this.lying = pa.map((span) => onScale(span, this.scales.pa));
    this.foreign = foreign.map((span) => onScale(span, this.scales.pa));
    this.hull = hullOf(this.seen);
  }

  private tellView(): void {
    this.listener.onView({ from: this.scales.ipa.toAddress(this.view.from), to: this.scales.ipa.toAddress(this.view.to) });
  }

  /** Marks the end of a walk, or nothing. */
  showMark(ipa: number | undefined, pa: number | undefined): void {
    this.mark = { ipa, pa };
    this.draw();
  }

  /** Selects a range and brings it into sight. */
  select(index: number): void {
    this.selected = index;
    const range = this.ranges[index];
    const span = this.seen[index];
    if (span !== undefined && !overlaps(span, this.view)) this.look(around(span, this.hull));
    else this.draw();
    if (range !== undefined) this.spoken.textContent = this.words(range);
    this.listener.onSelect(index);
  }

  /** Shows one range with some room around it. */
  zoomTo(index: number): void {
    const span = this.seen[index];
    if (span !== undefined) this.look(around(span, this.hull));
  }

  zoomBy(factor: number): void {
    const span = this.seen[this.selected];
    const middle = middleOf(span !== undefined && overlaps(span, this.view) ? span : this.view);
    this.look(zoom(this.view, factor, middle, this.hull));
  }

  showAll(): void {
    this.look(this.hull);
    this.isZoomed = false;
  }

  private look(view: Span): void {
    this.view = view;
    this.isZoomed = true;
    this.draw();
    this.tellView();
  }

  private words(range: MapRange): string {
    return `${hexText(range.ipa)} to ${hexText(range.ipa + range.sizeBytes - 1)}, ${range.stateText}, ${range.access}${range.others.length === 0 ? '' : `, also seen by ${range.others.map(({ vm }) => vm).join(', ')}`}`;
  }

  private get width(): number {
    return Math.max(200, this.root.clientWidth - LABEL_SPACE);
  }

  /** Positions of the physical memory behind what is in sight above; all of it while everything is. */
  private physicalView(): Span {
    if (!this.isZoomed) return hullOf([...this.lying, ...this.foreign]);
    const from = this.scales.ipa.toAddress(this.view.from);
    const to = this.scales.ipa.toAddress(this.view.to);
    return hullOf(this.ranges.filter((range) => overlaps(ipaSpan(range), { from, to })).map((range) => {
      const cut = { from: Math.max(0, from - range.ipa), to: Math.min(range.sizeBytes, to - range.ipa) };
      return onScale({ from: range.pa + cut.from, to: range.pa + cut.to }, this.scales.pa);
    }));
  }

  private draw(): void {
    const { width } = this;
    const physical = this.physicalView();
    setAttributes(this.svg, { width: width + LABEL_SPACE, viewBox: `0 0 ${width + LABEL_SPACE} ${HEIGHT}` });
    const inside = shape('svg', { x: LABEL_SPACE, y: 0, width, height: HEIGHT, overflow: 'hidden' });
    inside.append(this.overview(width), this.ribbons(width, physical), this.lane(width), this.physicalLane(width, physical), scaleShapes(this.view, { scale: this.scales.ipa, lane: IPA, y: IPA.top - 8, width }), scaleShapes(physical, { scale: this.scales.pa, lane: PA, y: PA.top + PA.height + 14, width }), ...this.marks(width, physical));
    this.svg.replaceChildren(patterns(), laneLabel('VM sees', IPA.top, IPA.height), laneLabel('Physical', PA.top, PA.height), inside);
  }

  private overview(width: number): SVGElement {
    const group = shape('g', { 'class': 'overview' }, shape('rect', { x: 0, y: OVERVIEW.top, width, height: OVERVIEW.height, 'class': 'lane' }));
    for (const { index, x, width: wide } of place(this.seen, this.hull, width, (one) => this.ranges[one]?.state ?? '')) {
      group.append(shape('rect', { 'x': x, 'y': OVERVIEW.top + 2, 'width': wide, 'height': OVERVIEW.height - 4, 'class': `range ${this.ranges[index]?.state ?? ''}` }));
    }
    const left = toPixel(this.view.from, this.hull, width);
    group.append(shape('rect', { 'x': left, 'y': OVERVIEW.top, 'width': Math.max(4, toPixel(this.view.to, this.hull, width) - left), 'height': OVERVIEW.height, 'class': 'window' }));
    return group;
  }

  private lane(width: number): SVGElement {
    const group = shape('g', {}, shape('rect', { 'x': 0, 'y': IPA.top, width, 'height': IPA.height, 'class': 'lane' }));
    let free = 0;
    for (const placed of place(this.seen, this.view, width, (one) => this.ranges[one]?.state ?? '')) {
      const range = this.ranges[placed.index];
      if (range === undefined) continue;
      const at = { x: placed.x, y: IPA.top, width: placed.width, height: IPA.height };
      const isMany = placed.last !== placed.index;
      const title = isMany ? `${range.stateText}: many small ranges from ${hexText(range.ipa)} on; zoom in to see them` : this.words(range);
      // Shapes of many small ranges lie on each other: only the first has room for words.
      const lines = placed.x < free ? [] : [range.stateText, isMany ? 'many' : sizeText(range.sizeBytes), `${range.access} ${range.change === 'same' ? '' : range.change}`];
      if (at.width > TEXT_WIDTH_MIN) free = Math.max(free, at.x + at.width);
      group.append(this.box(placed, at, { title, lines }));
    }
    return group;
  }

  private isSelected({ index, last }: Placed): boolean {
    return this.selected >= index && this.selected <= last && this.ranges[this.selected]?.state === this.ranges[index]?.state;
  }

  private box(placed: Placed, at: Rectangle, { title, lines }: { readonly title: string; readonly lines: readonly string[] }): SVGElement {
    const { state = 'owned', change = 'same' } = this.ranges[placed.index] ?? {};
    const inside = shape('svg', { ...at, overflow: 'hidden' });
    if (at.width > TEXT_WIDTH_MIN) inside.append(...lines.map((text, line) => shape('text', { 'x': 6, 'y': 18 + line * 16, 'class': line === 0 ? 'title' : undefined }, text)));
    return shape('g', { 'class': `box ${change} ${this.isSelected(placed) ? 'selected' : ''}`, 'data-index': placed.index },
      shape('title', {}, title), shape('rect', { ...at, 'class': `range ${state}` }), shape('rect', { ...at, 'class': `pattern ${state}`, 'fill': `url(#${state})` }), inside);
  }

  private physicalLane(width: number, physical: Span): SVGElement {
    const group = shape('g', {}, shape('rect', { 'x': 0, 'y': PA.top, width, 'height': PA.height, 'class': 'lane' }));
    for (const { index, x, width: wide } of place(this.foreign, physical, width, (one) => this.others[one]?.vm ?? '')) {
      const other = this.others[index];
      const inside = shape('svg', { x, y: PA.top, width: wide, height: PA.height, overflow: 'hidden' }, shape('text', { x: 6, y: 18 }, wide > 40 ? other?.vm ?? '' : ''));
      group.append(shape('g', {}, shape('title', {}, `seen by ${other?.vm ?? ''} only`), shape('rect', { x, 'y': PA.top, 'width': wide, 'height': PA.height, 'class': 'range foreign' }), inside));
    }
    let free = 0;
    for (const placed of place(this.lying, physical, width, (one) => this.ranges[one]?.state ?? '')) {
      const range = this.ranges[placed.index];
      const above = this.seen[placed.index];
      if (range === undefined || above === undefined || !overlaps(above, this.view)) continue;
      const at = { x: placed.x, y: PA.top, width: placed.width, height: PA.height };
      const lines = placed.x < free ? [] : [range.owner, range.others.length === 0 ? '' : `+ ${[...new Set(range.others.map(({ vm }) => vm))].join(', ')}`];
      if (at.width > TEXT_WIDTH_MIN) free = Math.max(free, at.x + at.width);
      group.append(this.box(placed, at, { title: `physical ${hexText(range.pa)}, owner ${range.owner}`, lines }));
    }
    return group;
  }

  /** Bands from where the VM sees a range to where it lies. */
  private ribbons(width: number, physical: Span): SVGElement {
    const group = shape('g', { 'class': 'ribbons' });
    const [top, bottom] = [IPA.top + IPA.height, PA.top];
    const last = { from: this.scales.ipa.toAddress(this.view.from), to: this.scales.ipa.toAddress(this.view.to) };
    for (const placed of place(this.seen, this.view, width, (one) => this.ranges[one]?.state ?? '')) {
      const { index, x, width: wide } = placed;
      const range = this.ranges[index];
      const end = this.ranges[placed.last];
      if (range === undefined || end === undefined) continue;
      const left = toPixel(this.scales.pa.toPosition(range.pa + Math.max(0, last.from - range.ipa)), physical, width);
      const right = Math.max(left + 1, toPixel(this.scales.pa.toPosition(end.pa + Math.min(end.sizeBytes, last.to - end.ipa)), physical, width));
      group.append(shape('path', { 'class': `ribbon ${range.state} ${this.isSelected(placed) ? 'selected' : ''}`, 'd': `M${x},${top} L${x + wide},${top} L${right},${bottom} L${left},${bottom} Z` }));
    }
    return group;
  }

  private marks(width: number, physical: Span): readonly SVGElement[] {
    const ipa = this.mark.ipa === undefined ? undefined : this.scales.ipa.toPosition(this.mark.ipa);
    const pa = this.mark.pa === undefined ? undefined : this.scales.pa.toPosition(this.mark.pa);
    const line = (x: number, lane: typeof IPA): SVGElement => shape('path', { 'class': 'mark', 'd': `M${x},${lane.top - 4} V${lane.top + lane.height + 4} M${x - 5},${lane.top - 4} h10 l-5,7 z` });
    return [
      ...(ipa !== undefined && ipa >= this.view.from && ipa < this.view.to ? [line(toPixel(ipa, this.view, width), IPA)] : []),
      ...(pa !== undefined && pa >= physical.from && pa < physical.to ? [line(toPixel(pa, physical, width), PA)] : []),
    ];
  }

  private onKey(event: KeyboardEvent): void {
    const actions: Readonly<Record<string, () => void>> = {
      'ArrowRight': () => { this.select(nextRange(this.seen, this.selected, 1, this.view)); },
      'ArrowLeft': () => { this.select(nextRange(this.seen, this.selected, -1, this.view)); },
      'Home': () => { this.select(0); },
      'End': () => { this.select(this.ranges.length - 1); },
      'PageDown': () => { this.look(pan(this.view, PAN_STEP, this.hull)); },
      'PageUp': () => { this.look(pan(this.view, -PAN_STEP, this.hull)); },
      '+': () => { this.zoomBy(1 / ZOOM_STEP); },
      '=': () => { this.zoomBy(1 / ZOOM_STEP); },
      '-': () => { this.zoomBy(ZOOM_STEP); },
      '0': () => { this.showAll(); },
      'z': () => { this.zoomTo(this.selected); },
      'Enter': () => { if (this.selected >= 0) this.listener.onOpen(this.selected); },
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (action === undefined || this.ranges.length === 0) return;
    event.preventDefault();
    action();
  }

  private xOf(event: MouseEvent): number {
    return event.clientX - this.svg.getBoundingClientRect().left - LABEL_SPACE;
  }

  private onWheel(event: WheelEvent): void {
    const isZoom = event.ctrlKey || event.metaKey;
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (!isZoom && sideways === 0) return;
    event.preventDefault();
    if (isZoom) this.look(zoom(this.view, event.deltaY > 0 ? ZOOM_STEP : 1 / ZOOM_STEP, toAddress(this.xOf(event), this.view, this.width), this.hull));
    else this.look(pan(this.view, sideways / this.width, this.hull));
  }

  private indexOf(event: Event): number {
    const box = event.target instanceof Element ? event.target.closest('[data-index]') : null;
    return box === null ? -1 : Number(box.getAttribute('data-index'));
  }

  private onPointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    const y = event.clientY - this.svg.getBoundingClientRect().top;
    if (y < OVERVIEW.top + OVERVIEW.height + 4) {
      const middle = toAddress(this.xOf(event), this.hull, this.width);
      const half = (this.view.to - this.view.from) / 2;
      this.look(clamp({ from: middle - half, to: middle + half }, this.hull));
      return;
    }
    this.drag = { x: event.clientX, view: this.view };
    const index = this.indexOf(event);
    if (index >= 0) this.select(index);
  }

  private onPointerMove(event: PointerEvent): void {
    if (this.drag === undefined || (event.buttons & 1) === 0) return;
    const part = (this.drag.x - event.clientX) / this.width;
    if (Math.abs(part) > 0.005) this.look(pan(this.drag.view, part, this.hull));
  }

  private onDoubleClick(event: MouseEvent): void {
    const index = this.indexOf(event);
    if (index >= 0) this.zoomTo(index);
  }
}

/** Pixels that an address takes. */
const LABEL_WIDTH = 92;

/** Addresses along a lane, and marks where a gap is cut. */
function scaleShapes(view: Span, { scale, lane, y, width }: { readonly scale: Scale; readonly lane: typeof IPA; readonly y: number; readonly width: number }): SVGElement {
  const group = shape('g', { 'class': 'scale' });
  const pieces = scale.pieces.length === 0 ? [{ addresses: view, positions: view, isFolded: false, isUsed: true }] : scale.pieces.filter(({ positions }) => overlaps(positions, view));
  let free = 0;
  for (const { addresses, positions, isFolded, isUsed } of pieces) {
    const [left, right] = [toPixel(positions.from, view, width), toPixel(positions.to, view, width)];
    if (isFolded) {
      group.append(shape('path', { 'class': 'cut', 'd': `M${left},${lane.top} L${right},${lane.top + lane.height} M${left},${lane.top + lane.height} L${right},${lane.top}` }, shape('title', {}, `nothing from ${hexText(addresses.from)} to ${hexText(addresses.to - 1)}`)));
      continue;
    }
    if (!isUsed) continue;
    const inSight = { from: scale.toAddress(Math.max(positions.from, view.from)), to: scale.toAddress(Math.min(positions.to, view.to)) };
    for (const address of [...(left >= 0 ? [addresses.from] : []), ...ticksOf(inSight, Math.max(1, right - left))]) {
      const x = toPixel(scale.toPosition(address), view, width);
      if (x < free || x < 0 || x + LABEL_WIDTH > width) continue;
      free = x + LABEL_WIDTH;
      group.append(shape('line', { x1: x, x2: x, y1: y - 3, y2: y + 3 }), shape('text', { x: x + 4, y }, hexText(address)));
    }
  }
  return group;
}

/** `128 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}

function laneLabel(text: string, top: number, height: number): SVGElement {
  return shape('text', { 'x': 0, 'y': top + height / 2 + 4, 'class': 'lane-label' }, text);
}

/** Lines by which states differ besides their colours. */
const LINES: Readonly<Record<string, string>> = {
  'borrowed': 'M0,8 L8,0', 'lent': 'M0,0 L8,8', 'shared': 'M0,8 L8,0 M0,0 L8,8', 'donated': 'M0,4 H8', 'device': 'M4,0 V8', 'resource-manager': 'M0,4 H8 M4,0 V8', 'hypervisor': 'M0,2 H8 M0,6 H8',
};

function patterns(): SVGElement {
  return shape('defs', {}, ...Object.entries(LINES).map(([id, d]) => shape('pattern', { id, width: 8, height: 8, patternUnits: 'userSpaceOnUse' }, shape('path', { d, 'class': 'hatch' }))));
}

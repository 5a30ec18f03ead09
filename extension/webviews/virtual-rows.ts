/**
 * A long list of rows of one height, of which only those in sight exist: scrolls through hundreds of thousands without lag.
 *
 * It knows nothing of what rows say: `make` gives the element of an index. It keeps one row active, moves it by the keyboard and
 * tells assistive tools which.
 */

import { element, setAttributes } from './page';

/** Rows drawn beyond the edges, so that scrolling by a few shows no gap. */
const OVERSCAN = 10;

/** How a list is made. */
export interface VirtualRowsOptions {
  readonly label: string;
  readonly rowHeight: number;
  /** The element of a row. Called again whenever its row may have changed. */
  make(index: number): HTMLElement;
  /** Rows `from` to before `to` are in sight. */
  onRange(from: number, to: number): void;
  /** Another row is active; `extend` if the shift key asks for a range from where the last one was. */
  onActive(index: number, extend: boolean): void;
}

/** The list. */
export class VirtualRows {
  readonly root: HTMLElement;
  private readonly options: VirtualRowsOptions;
  private readonly space = element('div', { 'class': 'rows-space', 'role': 'presentation' });
  private readonly drawn = new Map<number, HTMLElement>();
  private rowCount = 0;
  private activeIndex = -1;
  private frame = 0;

  constructor(options: VirtualRowsOptions) {
    this.options = options;
    this.root = element('div', { 'class': 'rows', 'role': 'grid', 'aria-label': options.label, 'tabindex': 0, 'aria-multiselectable': 'true' }, this.space);
    this.root.addEventListener('scroll', () => { this.draw(); });
    this.root.addEventListener('keydown', (event) => { this.onKey(event); });
    new ResizeObserver(() => { this.draw(); }).observe(this.root);
  }

  get count(): number {
    return this.rowCount;
  }

  /** The active row, or -1. */
  get active(): number {
    return this.activeIndex;
  }

  /** Sets how many rows there are. */
  set count(count: number) {
    this.rowCount = count;
    setAttributes(this.root, { 'aria-rowcount': count + 1 });
    this.space.style.height = `${count * this.options.rowHeight}px`;
    if (this.activeIndex >= count) this.activeIndex = count - 1;
    this.redraw();
  }

  /** No row is active, as in the beginning. */
  clearActive(): void {
    this.activeIndex = -1;
  }

  /** Makes the rows in sight anew. */
  redraw(): void {
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
    this.draw();
  }

  /** Makes a row active and brings it into sight. */
  activate(index: number, extend = false): void {
    if (this.rowCount === 0) return;
    this.activeIndex = Math.max(0, Math.min(this.rowCount - 1, index));
    this.reveal(this.activeIndex);
    this.options.onActive(this.activeIndex, extend);
    this.redraw();
  }

  /** Scrolls as little as brings a row into sight. */
  reveal(index: number): void {
    const { rowHeight } = this.options;
    const top = index * rowHeight;
    const { scrollTop, clientHeight } = this.root;
    if (top < scrollTop) this.root.scrollTop = top;
    else if (top + rowHeight > scrollTop + clientHeight) this.root.scrollTop = top + rowHeight - clientHeight;
  }

  /** Scrolls so that a row is in the middle, unless it is in sight already. */
  center(index: number): void {
    const { rowHeight } = this.options;
    const top = index * rowHeight;
    const { scrollTop, clientHeight } = this.root;
    if (top >= scrollTop && top + rowHeight <= scrollTop + clientHeight) return;
    this.root.scrollTop = Math.max(0, top - (clientHeight - rowHeight) / 2);
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { this.drawNow(); });
  }

  private drawNow(): void {
    const { rowHeight } = this.options;
    const from = Math.max(0, Math.floor(this.root.scrollTop / rowHeight) - OVERSCAN);
    const to = Math.min(this.rowCount, Math.ceil((this.root.scrollTop + this.root.clientHeight) / rowHeight) + OVERSCAN);
    for (const [index, row] of this.drawn) {
      if (index >= from && index < to) continue;
      row.remove();
      this.drawn.delete(index);
    }
    for (let index = from; index < to; index++) if (!this.drawn.has(index)) this.place(index);
    const active = this.drawn.get(this.activeIndex);
    setAttributes(this.root, { 'aria-activedescendant': active?.id });
    this.options.onRange(from, to);
  }

  private place(index: number): void {
    const row = this.options.make(index);
    row.id = `row-${index}`;
    row.style.top = `${index * this.options.rowHeight}px`;
    setAttributes(row, { 'role': 'row', 'aria-rowindex': index + 2 });
    row.classList.toggle('active', index === this.activeIndex);
    this.drawn.set(index, row);
    this.space.append(row);
  }

  private onKey(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.root.clientHeight / this.options.rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.rowCount, End: this.rowCount };
    const step = steps[event.key];
    if (step === undefined || event.altKey) return;
    event.preventDefault();
    this.activate(this.activeIndex < 0 && Math.abs(step) === 1 ? Math.floor(this.root.scrollTop / this.options.rowHeight) : this.activeIndex + step, event.shiftKey);
  }
}

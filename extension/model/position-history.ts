/**
 * Remembers what a view showed at the previous stop, so that it can say what changed.
 *
 * A position is a tick of the system's timeline. Two answers at the same position belong to one stop, however often the view
 * was refreshed in between; an answer at another position begins a new stop. While the system runs nothing is remembered, so
 * that live refreshes compare with the last stop. A view that missed a stop, since nobody saw it, compares with nothing until the next one.
 */
export class PositionHistory<T> {
  private stop: { readonly tick: number; readonly data: T } | undefined;
  private previous: T | undefined;
  private missed = false;

  /** Takes an answer given while the system stood still at `tick`; returns what to compare it with. */
  stoppedAt(tick: number, data: T): T | undefined {
    if (this.stop !== undefined && this.stop.tick !== tick) this.previous = this.missed ? undefined : this.stop.data;
    this.missed = false;
    this.stop = { tick, data };
    return this.previous;
  }

  /** What to compare an answer with that was given while the system runs. */
  get whileRunning(): T | undefined {
    return this.stop?.data;
  }

  /** Something may have happened that nobody looked at. */
  miss(): void {
    this.missed = true;
  }

  /** Forgets everything: another session began. */
  clear(): void {
    this.stop = undefined;
    this.previous = undefined;
  }
}

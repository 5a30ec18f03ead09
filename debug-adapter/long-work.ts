/**
 * Work of a request that may take long though the system stands still or goes on meanwhile, such as writing the trace: done in pieces, so that other
 * messages are seen in between, with progress for clients that show it, and cancellable. Journeys through time are not this: they are jobs of the session.
 */

import { AdapterError } from './errors';
import type { Host } from './host';

/** Pieces of work: each yields how much is done, 0 to 1. */
export type Pieces<T> = Generator<number, T, void>;

/** How work tells the client of itself. */
export interface ProgressReports {
  begin(title: string): string;
  update(id: string, fraction: number): void;
  end(id: string): void;
}

/** Milliseconds of work before progress is shown, and most before others have their turn. */
const PROGRESS_AFTER_MS = 500;
const TURN_MS = 30;

/** What is under way. A client's requests are answered in order, so there is one at a time. */
export class LongWork {
  private readonly host: Host;
  private readonly reports: ProgressReports;
  private isCancelled = false;
  private progressId: string | undefined;
  private isUnderWay = false;

  constructor(host: Host, reports: ProgressReports) {
    this.host = host;
    this.reports = reports;
  }

  /** Does all pieces. Throws `cancelled` if it was asked to give up. */
  async run<T>(title: string, pieces: Pieces<T>): Promise<T> {
    const started = this.host.now();
    this.isCancelled = false;
    this.isUnderWay = true;
    try {
      for (;;) {
        const { done, value } = this.turn(pieces);
        if (done) return value;
        this.tell(title, { fraction: value, elapsed: this.host.now() - started });
        await new Promise<void>((resolve) => { this.host.defer(resolve); });
        if (this.isCancelled) throw new AdapterError('cancelled');
      }
    } finally {
      this.isUnderWay = false;
      if (this.progressId !== undefined) this.reports.end(this.progressId);
      this.progressId = undefined;
    }
  }

  /** Gives up what is under way, if it is the one of `progressId` or none is named. True if there was something. */
  cancel(progressId: string | undefined): boolean {
    const isMeant = this.isUnderWay && (progressId === undefined || progressId === this.progressId);
    this.isCancelled ||= isMeant;
    return isMeant;
  }

  private turn<T>(pieces: Pieces<T>): { readonly done: true; readonly value: T } | { readonly done: false; readonly value: number } {
    const end = this.host.now() + TURN_MS;
    for (;;) {
      const step = pieces.next();
      if (step.done === true) return { done: true, value: step.value };
      if (this.host.now() >= end) return { done: false, value: step.value };
    }
  }

  private tell(title: string, { fraction, elapsed }: { readonly fraction: number; readonly elapsed: number }): void {
    if (this.progressId !== undefined) this.reports.update(this.progressId, fraction);
    else if (elapsed >= PROGRESS_AFTER_MS) this.progressId = this.reports.begin(title);
  }
}

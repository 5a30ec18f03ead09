/**
 * Stepping back by source line: the inverse of stepping over lines.
 *
 * Beginnings of statements that one activation of a function reached before now form runs of equal lines; a step forward stops where a
 * run begins. So a step back goes to the beginning of the run before this place, or, from the first line, to the line of the call.
 */

import { ticks, va, type Ticks, type Va } from '../base/brands';
import type { Stop } from '../system/stop';
import type { LookOut, System } from '../system/system';
import type { History, Place, Search, Window } from './history';
import type { LineView } from './step';

/** How a step back ended. */
export type BackStepEnd = 'found' | 'none' | 'abandoned' | 'no lines';

/** What a step back needs. */
export interface BackStepPlan { readonly system: System; readonly history: History; readonly lines: LineView; readonly vcpu: number }

/** Consecutive beginnings of statements of one line. */
interface Run { readonly key: string; readonly start: Place; readonly isCall: boolean }

const CALL = 'call';
const FOLLOWED_WINDOW_TICKS = 20_000;
const FOLLOWED_WINDOWS_MAX = 4;

/** One step back. */
export class BackStep {
  private readonly plan: BackStepPlan;
  /** Whom the vCPU works for now, if for many. */
  private owner: bigint | undefined;

  constructor(plan: BackStepPlan) {
    this.plan = plan;
  }

  *run(): Search<BackStepEnd> {
    const { lines, vcpu } = this.plan;
    const pc = this.pc;
    const frame = lines.frame(vcpu);
    this.owner = lines.owner?.(vcpu);
    const starts = this.bodyStarts(pc);
    if (frame === undefined || starts.length === 0) return 'no lines';
    const call = va(frame.returnAddress - 4n);
    const found = yield* this.lastRun({ addresses: [...new Set([...starts, call])], cfa: frame.cfa, call });
    if (found === undefined || found === 'abandoned') return found ?? 'none';
    if (found.isCall) return yield* this.lineOfCall();
    return 'found';
  }

  /** Beginnings of statements that a step can stop at: not those of the prologue, unless we are in it. */
  private bodyStarts(pc: Va): readonly Va[] {
    const { lines } = this.plan;
    const starts = lines.statementStarts(pc);
    const [entry] = starts;
    const body = entry === undefined ? pc : lines.afterPrologue(entry);
    return entry === undefined || (pc >= entry && pc < body) ? starts : starts.filter((start) => start < entry || start >= body);
  }

  /** At a call instruction: goes to where its line began, if that is known. */
  private *lineOfCall(): Search<BackStepEnd> {
    const { lines, vcpu, system, history } = this.plan;
    const frame = lines.frame(vcpu);
    const key = lines.lineAt(this.pc)?.key;
    const starts = lines.statementStarts(this.pc);
    if (frame === undefined || key === undefined || starts.includes(this.pc)) return 'found';
    const origin: Place = { tick: system.now, stop: { kind: 'limit' } };
    const call = va(frame.returnAddress - 4n);
    const found = yield* this.lastRun({ addresses: [...new Set([...starts, call])], cfa: frame.cfa, call });
    if (found === 'abandoned') return found;
    if (found?.key !== key && !(yield* history.seek(origin.tick))) return 'abandoned';
    return 'found';
  }

  /** Goes to the beginning of the last run of lines before now. */
  private *lastRun(place: { readonly addresses: readonly Va[]; readonly cfa: bigint; readonly call: Va }): Search<Run | undefined | 'abandoned'> {
    const { system, history } = this.plan;
    const lookout = (): LookOut => ({ addresses: place.addresses, watchpoints: [], exceptionClasses: 0n });
    const search = { end: system.now, lookout };
    let answer: Run | undefined;
    let followed = 0;
    for (const window of this.windows(search.end, () => answer !== undefined)) {
      const runs = new RunRecorder();
      const isDone = yield* history.scan(window, search, (stop) => {
        const key = this.keyOf(stop, place);
        if (key !== undefined) runs.add(key, { tick: system.now, stop });
      });
      if (!isDone) return 'abandoned';
      const { first, last } = runs;
      if (answer !== undefined && (++followed >= FOLLOWED_WINDOWS_MAX || (last !== undefined && last.key !== answer.key))) break;
      answer = last ?? answer;
      // A run that may have begun before the window is followed further back.
      if (answer !== undefined && (answer.isCall || last !== first)) break;
    }
    if (answer === undefined) return undefined;
    return (yield* history.goTo(answer.start, lookout)) ? answer : 'abandoned';
  }

  /** Growing windows until something is found, then small ones: a line that spins for ever has no beginning worth the wait. */
  private *windows(end: Ticks, isFound: () => boolean): IterableIterator<Window> {
    let start = end;
    for (const window of this.plan.history.windows(end)) {
      if (isFound()) break;
      start = window.start;
      yield window;
    }
    while (isFound() && start > this.plan.system.historyStart) {
      const before = ticks(Math.max(this.plan.system.historyStart, start - FOLLOWED_WINDOW_TICKS));
      yield { start: before, end: start };
      start = before;
    }
  }

  /** The line that a stop of our activation is at; undefined if it is another's. */
  private keyOf(stop: Stop, { cfa, call }: { readonly cfa: bigint; readonly call: Va }): string | undefined {
    const { system, lines, vcpu } = this.plan;
    if (stop.kind !== 'breakpoint' || stop.vcpu !== vcpu) return undefined;
    if (this.owner !== undefined && lines.owner?.(vcpu) !== this.owner) return undefined;
    if (stop.pc === call && system.engine.vcpu(vcpu).sp === cfa) return CALL;
    return lines.frame(vcpu)?.cfa === cfa ? lines.lineAt(stop.pc)?.key : undefined;
  }

  private get pc(): Va {
    return va(this.plan.system.engine.vcpu(this.plan.vcpu).pc);
  }
}

/** Keeps the first and the last run of a window. */
class RunRecorder {
  first: Run | undefined;
  last: Run | undefined;

  add(key: string, start: Place): void {
    const isCall = key === CALL;
    if (this.last?.key === key && !isCall) return;
    this.last = { key, start, isCall };
    this.first ??= this.last;
  }
}

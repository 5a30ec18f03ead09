/** Conditions, hit counts and log messages of breakpoints, compiled once into one decision per hit. */

import { err, ok, type Hit, type Result } from '../runtime/index';
import { compile, compileMessage, evaluateCondition, formatMessage } from './expressions/index';
import { eventNames, vcpuEvaluation } from './evaluation';
import type { Session } from './session';

/** What a client can attach to a breakpoint. */
export interface HitOptions {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
}

/** Compiles the options; the sentence that says what is wrong with them otherwise. Undefined if every hit stops. */
export function makeDecide(session: Session, { condition, hitCondition, logMessage }: HitOptions): Result<((hit: Hit) => boolean) | undefined, string> {
  const compiled = condition === undefined ? undefined : compile(condition);
  if (compiled?.ok === false) return err(`Condition: ${compiled.error.message}`);
  const counts = hitCondition === undefined ? undefined : parseHitCondition(hitCondition);
  if (hitCondition !== undefined && counts === undefined) return err(`Hit count "${hitCondition}": write a number, or one of > >= < <= == % with a number.`);
  const message = logMessage === undefined ? undefined : compileMessage(logMessage);
  if (message?.ok === false) return err(`Log message: ${message.error.message}`);
  if (compiled === undefined && counts === undefined && message === undefined) return ok(undefined);
  const hits = new HitCounter();
  let complained = false;
  return ok((hit) => {
    const context = vcpuEvaluation(session, hit.vcpu ?? session.debuggee.target.system.focusVcpu ?? 0, hit.event);
    if (compiled !== undefined) {
      const holds = evaluateCondition(compiled.value, context);
      if (!holds.ok && !complained) {
        complained = true;
        session.output(`The condition "${condition ?? ''}" cannot be evaluated: ${holds.error.message}${namesHint(session, holds.error.code, hit)} The breakpoint stops.\n`, 'important');
      }
      if (holds.ok && !holds.value) return false;
    }
    if (counts !== undefined && !counts(hits.count(session.debuggee.target))) return false;
    if (message === undefined) return true;
    if (!session.isSearchingBack) session.output(`${formatMessage(message.value, context)}\n`, 'stdout');
    return false;
  });
}

/** What a condition at an event may speak of, for one that speaks of something else. */
function namesHint(session: Session, code: string | undefined, { event }: Hit): string {
  return code !== 'expression-unknown-name' || event === undefined ? '' : ` This event has ${[...eventNames(session, event).keys()].filter((name) => !HIDDEN_NAMES.has(name)).join(', ')}.`;
}

/** Names that say nothing about an event. */
const HIDDEN_NAMES: ReadonlySet<string> = new Set(['vmid', 'event', 'phase', 'payload']);
const HIT_COUNT_MAX = 1_000_000;

/**
 * Which hit in time this is. Counts by the ticks at which hits happened, so that going back and forth does not count anything twice;
 * a branch of history forgets those that will not happen now.
 */
class HitCounter {
  private ticks: number[] = [];

  count({ system, timeline }: { readonly system: { readonly now: number }; readonly timeline: { readonly replaying: boolean } }): number {
    const { now } = system;
    if (!timeline.replaying) while ((this.ticks[this.ticks.length - 1] ?? -1) > now) this.ticks.pop();
    const place = this.placeOf(now);
    if (this.ticks[place] !== now && this.ticks.length < HIT_COUNT_MAX) this.ticks.splice(place, 0, now);
    return place + 1;
  }

  /** Index of the first hit that is not before a tick. */
  private placeOf(tick: number): number {
    let [low, high] = [0, this.ticks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ticks[middle] ?? 0) < tick) low = middle + 1; else high = middle;
    }
    return low;
  }
}

/** `5`, `== 5`, `>= 5`, `% 5` …: whether the n-th hit counts. A bare number means from that hit on. */
export function parseHitCondition(text: string): ((hits: number) => boolean) | undefined {
  const match = /^\s*(>=|<=|==|=|>|<|%)?\s*(\d{1,9})\s*$/.exec(text);
  if (match === null) return undefined;
  const wanted = Number(match[2]);
  switch (match[1]) {
    case '>': return (hits) => hits > wanted;
    case '<': return (hits) => hits < wanted;
    case '<=': return (hits) => hits <= wanted;
    case '=':
    case '==': return (hits) => hits === wanted;
    case '%': return wanted === 0 ? undefined : (hits) => hits % wanted === 0;
    default: return (hits) => hits >= wanted;
  }
}

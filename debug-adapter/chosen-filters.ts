/** The exception filters that the client has chosen, put into force. */

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { ExceptionFilter } from '../runtime/index';
import { makeDecide, type HitOptions } from './conditions';
import { EXCEPTION_FILTERS, WFI_DEADLOCK } from './exception-filters';
import type { Session } from './session';

/** Puts the chosen filters into force; one answer for each. */
export function makeFilters(session: Session, chosen: readonly ({ readonly filterId: string } & HitOptions)[]): DebugProtocol.Breakpoint[] {
  const filters: ExceptionFilter[] = [];
  let classes = 0n;
  let stopsWhenIdle: Session['filtersChosen']['stopsWhenIdle'];
  const answers = chosen.map((one): DebugProtocol.Breakpoint => {
    const row = EXCEPTION_FILTERS.find(({ filter }) => filter === one.filterId);
    if (row === undefined) return { verified: false, message: `There is no exception filter "${one.filterId}".` };
    const decide = makeDecide(session, one);
    if (!decide.ok) return { verified: false, message: decide.error };
    if (row.filter === WFI_DEADLOCK) stopsWhenIdle = decide.value ?? (() => true);
    filters.push({ filter: row.filter, matches: row.matches, ...(decide.value === undefined ? {} : { decide: decide.value }) });
    classes |= row.exceptionClasses;
    return { verified: true };
  });
  session.filtersChosen = { filters, classes, stopsWhenIdle };
  session.applyFilters();
  return answers;
}

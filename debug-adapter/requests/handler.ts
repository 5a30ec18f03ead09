/** What carries out one kind of request. */

import type { Session } from '../session';

/** Answers one request: the response's body, or a promise of it. Throws `AdapterError` to fail. */
export type Handler = (session: Session, args: Readonly<Record<string, unknown>>) => unknown;

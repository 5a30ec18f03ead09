/** Every request the adapter answers, one row each. Handlers are in the files of this folder by theme. */

import type { Session } from '../session';
import { BREAKPOINT_REQUESTS } from './breakpoints';
import { EXECUTION_REQUESTS } from './execution';
import { GUNYAH_REQUESTS } from './gunyah';
import { LIFECYCLE_REQUESTS } from './lifecycle';
import { MEMORY_REQUESTS } from './memory';
import { STACK_REQUESTS } from './stack';
import { VARIABLE_REQUESTS } from './variables';

/** Answers one request: the response's body, or a promise of it. Throws `AdapterError` to fail. */
export type Handler = (session: Session, args: Readonly<Record<string, unknown>>) => unknown;

/** The table. */
export const REQUESTS: Readonly<Record<string, Handler | undefined>> = {
  ...LIFECYCLE_REQUESTS,
  ...EXECUTION_REQUESTS,
  ...BREAKPOINT_REQUESTS,
  ...STACK_REQUESTS,
  ...VARIABLE_REQUESTS,
  ...MEMORY_REQUESTS,
  ...GUNYAH_REQUESTS,
};

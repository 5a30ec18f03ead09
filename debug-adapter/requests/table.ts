/** Every request the adapter answers, one row each. Handlers are in the files of this folder by theme. */

import { BREAKPOINT_REQUESTS } from './breakpoints';
import { EXECUTION_REQUESTS } from './execution';
import { GUNYAH_REQUESTS } from './gunyah';
import type { Handler } from './handler';
import { LIFECYCLE_REQUESTS } from './lifecycle';
import { MEMORY_REQUESTS } from './memory';
import { STACK_REQUESTS } from './stack';
import { VARIABLE_REQUESTS } from './variables';

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

/** The `gunyah/…` requests. */

import type { CustomRequestName } from '../protocol/index';
import type { Handler } from './table';

export const GUNYAH_REQUESTS: Readonly<Partial<Record<CustomRequestName, Handler>>> = {};

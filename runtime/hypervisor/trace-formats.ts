/** Format strings of hypercalls in the trace, as the open hypervisor makes them from its own table: the name and up to five arguments or results. */

import { type Hypercall, HYPERCALLS } from './hypercall-table';

const WORDS_MAX = 5;

function words(count: number): string {
  return ' {:#x}'.repeat(Math.min(count, WORDS_MAX));
}

/** The string that a call enters with. */
export function enterFormat(name: string, row: Hypercall): string {
  return `${name}:${words(row.inputs.slice(0, WORDS_MAX).filter((input) => input.mustBe === undefined).length)}`;
}

/** The string that a call leaves with. */
export function leaveFormat(name: string, row: Hypercall): string {
  return `${name} ret:${words(row.outputs.length)}`;
}

const ROWS: readonly (readonly [string, Hypercall])[] = Object.entries(HYPERCALLS);

/** Every string. */
export const TRACE_FORMATS: readonly string[] = ROWS.flatMap(([name, row]) => [enterFormat(name, row), leaveFormat(name, row)]);

/** How a VM ended, in words. */

/** Codes by number. Resource Manager: VM_EXIT. */
const CODES: Readonly<Record<number, string>> = { 0: 'normal', 1: 'software error', 2: 'unknown', 3: 'bus error', 4: 'device error' };

/** The type of an exit and its code: `PLATFORM_OFF, code 0 (normal)`. */
export function exitText(type: string, code: number): string {
  const words = CODES[code];
  return `${type}, code ${code}${words === undefined ? '' : ` (${words})`}`;
}
